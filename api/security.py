"""Who may knock: passwords, login limits, and which requests without a bearer token are believed."""

import threading
import time
from collections import OrderedDict
from ipaddress import ip_address
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.requests import Request

COOKIE = "lingyun_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

# 19 MiB and two passes: OWASP's smallest; two at a time, so that logins cannot take the memory of the whole
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_HASHING = threading.BoundedSemaphore(2)
_NOBODYS_HASH = _HASHER.hash("nobody logs in with this")


def hash_password(password: str) -> str:
    """argon2id of a password."""
    with _HASHING:
        return _HASHER.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the account's; takes as long where there is no such account."""
    with _HASHING:
        try:
            return _HASHER.verify(password_hash or _NOBODYS_HASH, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


class LoginLimiter:
    """Counts failed logins by who tries and by whose account, in wall time; forgets the oldest first."""

    def __init__(self, failures: int = 5, window_s: float = 300.0, remembered: int = 10_000) -> None:
        self._failures, self._window_s, self._remembered = failures, window_s, remembered
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, *keys: str) -> int:
        """Seconds until another try is allowed, 0 now."""
        now = time.monotonic()
        with self._lock:
            waits = [self._wait_s(self._times.get(key, []), now) for key in keys]
        return max(waits, default=0)

    def failed(self, *keys: str) -> None:
        """Remember a failure of each key."""
        now = time.monotonic()
        with self._lock:
            for key in keys:
                times = self._times.setdefault(key, [])
                times[:] = [*times[-self._failures + 1 :], now]
                self._times.move_to_end(key)
            while len(self._times) > self._remembered:
                self._times.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Forget the failures of these keys."""
        with self._lock:
            for key in keys:
                self._times.pop(key, None)

    def _wait_s(self, times: list[float], now: float) -> int:
        recent = [one for one in times if now - one < self._window_s]
        if len(recent) < self._failures:
            return 0
        return int(recent[0] + self._window_s - now) + 1


def same_origin(request: Request) -> bool:
    """Whether a browser says that our own page asks; a program that is no browser says neither and is believed.

    Browsers send ``Sec-Fetch-Site``, older ones ``Origin``, with every request that changes something.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin" or (site == "none" and request.method in SAFE_METHODS)
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine, is meant for it by name, and no proxy hides another sender."""
    if request.client is None or any(header in request.headers for header in FORWARDING_HEADERS):
        return False
    try:
        loopback = ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    host = request.headers.get("host", "")
    name = host[: host.rindex(":")] if ":" in host and not host.endswith("]") else host
    return loopback and name.lower() in LOCAL_HOSTS
