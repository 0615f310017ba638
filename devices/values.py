"""Readings out of what devices send: tolerant of numbers in strings, of words for "unknown", and of nothing else.

None means that the message does not say; it never becomes 0 or off.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from core.errors import PayloadError
from core.words import Fan, Mode

MAX_JSON_BYTES = 8 * 1024 * 1024  # a list of all devices of a large Zigbee network
MAX_TEXT_BYTES = 65_536
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100
UNKNOWN_WORDS = frozenset({"", "none", "null", "nan", "unavailable", "unknown", "undefined"})
MAX_NUMBER_CHARACTERS = 40

_ON = frozenset({"on", "true", "1", "yes"})
_OFF = frozenset({"off", "false", "0", "no"})

_MODES = {
    "auto": Mode.AUTO,
    "automatic": Mode.AUTO,
    "heat_cool": Mode.AUTO,
    "cool": Mode.COOL,
    "heat": Mode.HEAT,
    "dry": Mode.DRY,
    "fan_only": Mode.FAN_ONLY,
    "fan": Mode.FAN_ONLY,
}

_FANS = {
    "auto": Fan.AUTO,
    "automatic": Fan.AUTO,
    "quiet": Fan.QUIET,
    "silent": Fan.QUIET,
    "min": Fan.QUIET,
    "low": Fan.LOW,
    "mediumlow": Fan.LOW,
    "medium": Fan.MEDIUM,
    "middle": Fan.MEDIUM,
    "mid": Fan.MEDIUM,
    "mediumhigh": Fan.HIGH,
    "high": Fan.HIGH,
    "max": Fan.HIGH,
    "turbo": Fan.HIGH,
    "strong": Fan.HIGH,
}

_OUTDOORS = re.compile(
    r"outdoor|outside|exterior|garden|balcony|patio|terrace|室外|户外|屋外|阳台|花园|戶外|陽台", re.I
)


def decode_json(payload: bytes) -> object:
    """The value of a JSON text.

    Raises
    ------
    PayloadError
        It is no JSON, too large, nested too deeply, or holds a number that no computer number can hold.
    """
    if len(payload) > MAX_JSON_BYTES:
        raise PayloadError(f"expected at most {MAX_JSON_BYTES} bytes, got {len(payload)}")
    try:
        return msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"not JSON: {error}") from error


def decode_object(payload: bytes) -> dict[str, object]:
    """The members of a JSON object.

    Raises
    ------
    PayloadError
        It is no JSON object.
    """
    value = decode_json(payload)
    if not isinstance(value, dict):
        raise PayloadError(f"expected a JSON object, got {payload[:80]!r}")
    return value


def decode_text(payload: bytes) -> str:
    """A plain text without the blanks around it.

    Raises
    ------
    PayloadError
        It is not UTF-8 or too long to be a state.
    """
    if len(payload) > MAX_TEXT_BYTES:
        raise PayloadError(f"expected a short text, got {len(payload)} bytes")
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as error:
        raise PayloadError(f"not UTF-8: {payload[:80]!r}") from error


def members(value: object) -> Mapping[str, object]:
    """The members of a JSON object; none of anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """The items of a JSON list; none of anything else."""
    return value if isinstance(value, list) else []


def number(value: object) -> float | None:
    """A finite number, also from a string; None for words, null, true and false, lists, NaN and infinity."""
    if isinstance(value, str):
        if len(value) > MAX_NUMBER_CHARACTERS or "_" in value:
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def word(value: object) -> str | None:
    """A text that says something, stripped and without control characters; None for the words that mean unknown."""
    if not isinstance(value, str):
        return None
    text = printable(value)
    return None if text.lower() in UNKNOWN_WORDS else text


def printable(text: str) -> str:
    """A text that every database stores: control characters and half surrogates become spaces."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text.strip()


def switch(value: object) -> bool | None:
    """On or off, from a JSON boolean, 0 and 1, or their words."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str):
        lower = value.strip().lower()
        return True if lower in _ON else False if lower in _OFF else None
    return None


def operating(value: object) -> tuple[bool | None, Mode | None]:
    """Whether a unit runs and in which mode, from one word; ``off`` has no mode, an unknown word says nothing."""
    if not isinstance(value, str):
        return None, None
    lower = value.strip().lower().replace("-", "_")
    if lower == "off":
        return False, None
    mode = _MODES.get(lower)
    return (None, None) if mode is None else (True, mode)


def fan_step(value: object) -> Fan | None:
    """The fan step of a word, None where it is none of ours."""
    return _FANS.get(value.strip().lower().replace("_", "").replace(" ", "")) if isinstance(value, str) else None


def instant_of_epoch(seconds: object) -> datetime | None:
    """The UTC instant of seconds since 1970; None where no clock can have been set so. [s]"""
    value = number(seconds)
    if value is None or not 0 < value < 5e9:
        return None
    return plausible(datetime.fromtimestamp(value, UTC))


def instant_of_text(text: str) -> datetime | None:
    """The UTC instant of an RFC 3339 text; None without a time zone, as nobody knows which the device meant."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return plausible(instant) if instant.tzinfo is not None else None


def plausible(instant: datetime) -> datetime | None:
    """The instant in UTC; None where its year shows a clock that was never set."""
    return instant.astimezone(UTC) if EARLIEST_YEAR < instant.year < LATEST_YEAR else None


def is_outdoors(*texts: object) -> bool:
    """Whether a name or a description says that a thing hangs outdoors, in English or Chinese."""
    return any(isinstance(text, str) and _OUTDOORS.search(text) for text in texts)
