"""``lingyun serve``: everything on one machine, in one process beside the broker and the demo home.

Threads own what blocks (intake, engine), the main thread owns HTTP. Whatever ends unexpectedly ends the whole, so that
whoever supervises it notices; nothing acknowledged is lost, because every part can be killed at any moment.
"""

import contextlib
import fcntl
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import ConfigurationError
from core.logging import get_logger
from core.mqtt import Broker, find_broker
from core.settings import Settings
from lingyun.broker import check_login, start_embedded_broker
from lingyun.setup import ensure_home, ensure_owner, find_clock, is_demo, local_time_zone, refuse_mixing
from storage.database import migrate, open_database
from storage.repositories import fleet

log = get_logger(__name__)

PAGE_DIR = Path(__file__).parent / "page"
JOIN_TIMEOUT_S = 15.0
BEAT_EVERY_S = 5.0
NOT_READY_EVERY_S = 0.2
GRACEFUL_HTTP_S = 2  # live streams are cut after this


class Stopped(BaseException):
    """SIGTERM or SIGINT came."""


@dataclass(slots=True)
class Parts:
    """Threads that run until told to stop; one that fails stops all."""

    database: Engine
    stop: threading.Event = field(default_factory=threading.Event)
    failed: str | None = None
    threads: list[threading.Thread] = field(default_factory=list)
    on_failure: Callable[[], None] = lambda: None

    def start(self, name: str, run: Callable[[threading.Event], None], ready: threading.Event) -> None:
        """Run a part in a thread of its own; from the time it is ready its heart is seen to beat."""
        with Session(self.database) as session, session.begin():
            fleet.expect_beat(session, name)
        thread = threading.Thread(target=self._guarded, args=(name, run), name=name, daemon=True)
        heart = threading.Thread(target=self._beat, args=(name, thread, ready), name=f"{name}-heart", daemon=True)
        self.threads += [thread, heart]
        thread.start()
        heart.start()

    def watch(self, name: str, child: subprocess.Popen[bytes]) -> None:
        """A child that ends by itself ends the whole, as a part does."""

        def wait() -> None:
            status = child.wait()
            if not self.stop.is_set():
                log.error("child_ended", child=name, status=status)
                self._fail(name)

        threading.Thread(target=wait, name=f"{name}-watch", daemon=True).start()

    def end(self) -> None:
        """Tell all to stop, in time."""
        self.stop.set()
        for thread in self.threads:
            thread.join(JOIN_TIMEOUT_S)
            if thread.is_alive():
                log.warning("part_does_not_stop", part=thread.name, after_s=JOIN_TIMEOUT_S)

    def _beat(self, name: str, thread: threading.Thread, ready: threading.Event) -> None:
        while thread.is_alive():
            if ready.is_set():
                try:
                    with Session(self.database) as session, session.begin():
                        fleet.beat(session, name)
                except SQLAlchemyError:
                    log.exception("heartbeat_not_written", part=name)  # /readyz notices
            if self.stop.wait(BEAT_EVERY_S if ready.is_set() else NOT_READY_EVERY_S):
                return

    def _guarded(self, name: str, run: Callable[[threading.Event], None]) -> None:
        try:
            run(self.stop)
        except Exception:
            log.exception("part_failed", part=name)
        if not self.stop.is_set():
            self._fail(name)

    def _fail(self, name: str) -> None:
        self.failed = name
        self.on_failure()


def serve(settings: Settings, *, demo: bool, speed: float, seed: int) -> int:
    """Run all parts until SIGTERM or SIGINT.

    Returns
    -------
    int
        Exit status: 0 after a signal, 1 after a part failed.

    Raises
    ------
    ConfigurationError
        Something that a person must change; the message says what.
    """
    with stopping_cleanly(), contextlib.ExitStack() as stack:
        stack.enter_context(locked(settings.data_dir))
        listener = stack.enter_context(listening(settings.host, settings.port))
        database = open_database(settings.database())
        stack.callback(database.dispose)
        migrate(database)
        with Session(database) as session, session.begin():
            refuse_mixing(session, demo=demo)
        parts = Parts(database)
        broker = stack.enter_context(joined_broker(settings, parts, may_choose_port=demo))
        if demo:
            from lingyun.demo import prepare_demo, start_demo_home

            settings = settings.model_copy(update={"home": "demo"})
            clock = prepare_demo(settings, database, broker, speed=speed, seed=seed)
        else:
            clock = find_clock(settings, database)
            first_start(settings, database, clock, port=listener.getsockname()[1])
        app = make_app(database, clock, settings, demo=demo)
        server = http_server(app, settings)
        parts.on_failure = lambda: setattr(server, "should_exit", True)
        stack.callback(parts.end)
        start_intake(parts, settings, database, broker, clock)
        if demo:
            parts.watch("demo home", stack.enter_context(start_demo_home(settings, clock, seed=seed)))
        start_engine(parts, settings, database, broker, clock)
        print(f"Lingyun is at {address(settings.host, listener.getsockname()[1])}", flush=True)
        try:
            if not parts.failed:
                server.run(sockets=[listener])
        finally:
            parts.stop.set()
        if parts.failed:
            print(f"lingyun: {parts.failed} ended unexpectedly; the log above says why", file=sys.stderr)
            return 1
    return 0


def run_part(part: str, settings: Settings) -> int:
    """Run intake, engine or API alone; they meet the others in broker and database only."""
    with stopping_cleanly(), contextlib.ExitStack() as stack:
        database = open_database(settings.database())
        stack.callback(database.dispose)
        migrate(database)
        clock = find_clock(settings, database)
        with Session(database) as session:
            if is_demo(session):
                settings = settings.model_copy(update={"home": "demo"})
        parts = Parts(database)
        stack.callback(parts.end)
        if part == "api":
            listener = stack.enter_context(listening(settings.host, settings.port))
            port = listener.getsockname()[1]
            first_start(settings, database, clock, port=port)
            server = http_server(make_app(database, clock, settings, demo=False), settings)
            print(f"Lingyun is at {address(settings.host, port)}", flush=True)
            server.run(sockets=[listener])
            return 0
        make_home(settings, database, clock)  # messages of a home that does not exist are refused
        broker = find_broker(settings, "service")
        failed = threading.Event()
        parts.on_failure = failed.set
        (start_intake if part == "intake" else start_engine)(parts, settings, database, broker, clock)
        log.info("part_started", part=part)
        failed.wait()
        return 1
    return 0


def start_intake(parts: Parts, settings: Settings, database: Engine, broker: Broker, clock: Clock) -> None:
    """Run the intake in a thread."""
    from devices.registry import Registry
    from intake.service import Intake

    intake = Intake(database, broker, clock, settings, Registry())
    parts.start("intake", intake.run, intake.ready)


def start_engine(parts: Parts, settings: Settings, database: Engine, broker: Broker, clock: Clock) -> None:
    """Run the engine in a thread."""
    from control.engine import Engine as ControlEngine

    engine = ControlEngine(database, broker, clock, settings)
    parts.start("engine", engine.run, engine.ready)


def make_app(database: Engine, clock: Clock, settings: Settings, *, demo: bool) -> FastAPI:
    """The API with the page at `/`."""
    from api.main import create_app

    page_dir = PAGE_DIR if (PAGE_DIR / "index.html").exists() else None
    return create_app(database, clock, settings, page_dir, demo=demo)


def http_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """One uvicorn worker; its log lines go where all go."""
    return uvicorn.Server(
        uvicorn.Config(app, host=settings.host, log_config=None, timeout_graceful_shutdown=GRACEFUL_HTTP_S)
    )


def make_home(settings: Settings, database: Engine, clock: Clock) -> None:
    """Make the home of this installation where it is missing; of processes that start at once, one does."""
    time_zone = settings.time_zone or local_time_zone()
    try:
        with Session(database) as session, session.begin():
            ensure_home(session, settings.home, clock, time_zone=time_zone)
    except IntegrityError:
        log.info("home_made_elsewhere", home=settings.home)


def first_start(settings: Settings, database: Engine, clock: Clock, *, port: int) -> None:
    """Make home and owner where there are none; until the owner has a password, print a fresh one-time setup link."""
    from storage.repositories.tokens import create_setup_token

    make_home(settings, database, clock)
    with Session(database) as session, session.begin():
        home = ensure_home(session, settings.home, clock)
        owner = ensure_owner(session, home)
        token = None if owner is None else create_setup_token(session, home, owner)
    if token is not None:
        print(f"Set your password here, once: {address(settings.host, port)}/setup?token={token}", flush=True)


def address(host: str, port: int) -> str:
    """Where a person on this machine finds the page."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 compared, not listened on
    return f"http://{shown}:{port}"


@contextlib.contextmanager
def stopping_cleanly() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into a clean end of the block; during that end, further signals wait."""

    def stop(_number: int, _frame: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with contextlib.suppress(Stopped):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for this process alone.

    Raises
    ------
    ConfigurationError
        Another `lingyun serve` holds it, or it cannot be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data_dir / "serve.lock").open("w")
    except OSError as error:
        raise ConfigurationError(f"the data directory {data_dir} cannot be used: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"another `lingyun serve` runs on {data_dir.absolute()}: stop it, or name another --data-dir"
            ) from error
        yield


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, taken before anything else is started.

    Raises
    ------
    ConfigurationError
        The port is in use or not ours to take.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port} ({error.strerror}): choose another --port; 0 takes a free one"
            ) from error
        yield listener


@contextlib.contextmanager
def joined_broker(settings: Settings, parts: Parts, *, may_choose_port: bool) -> Iterator[Broker]:
    """The household's own broker, or the embedded one, started here.

    Raises
    ------
    ConfigurationError
        The household's broker does not let us in, or the embedded one does not start.
    """
    if settings.mqtt_url is not None:
        broker = find_broker(settings, "service")
        problem = check_login(broker)
        if problem is not None:
            raise ConfigurationError(f"LINGYUN_MQTT_URL: {problem}")
        yield broker
        return
    port = settings.mqtt_port
    try:
        embedded = start_embedded_broker(settings.data_dir, port)
    except ConfigurationError as error:
        if not may_choose_port or "in use" not in str(error):
            raise
        log.warning("mqtt_port_in_use", port=port, instead="a free one; nothing but the demo home needs to know it")
        embedded = start_embedded_broker(settings.data_dir, 0)
    parts.watch("broker", embedded.process)
    try:
        yield embedded.broker
    finally:
        embedded.stop()
