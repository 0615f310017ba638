"""The engine as it runs in a thread: from a report in the database to a message on the broker."""

import threading

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from control.commands import CommandSender
from control.engine import Engine
from core.clock import Clock
from core.mqtt import Broker
from core.settings import Settings
from core.words import Command
from tests.control.household import AFTERNOON
from tests.control.test_commands import WAIT_S, Device, home_named

SPEED = 60.0


def test_an_engine_whose_sender_ended_does_not_go_on(
    sqlite_database: Database, nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CommandSender, "run", lambda _sender, stop: None)
    engine = Engine(sqlite_database, nats_broker, Clock.starting_at(AFTERNOON, 1.0), Settings())
    with pytest.raises(RuntimeError, match="sends commands"):
        engine.run(threading.Event())


def test_a_running_engine_commands_a_hot_room_and_answers_an_override(database: Database, nats_broker: Broker) -> None:
    home, name = home_named(database)
    device = Device(nats_broker, name)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(30.0)
    home.tv(90.0)
    clock, stop = Clock.starting_at(AFTERNOON, SPEED), threading.Event()
    engine = Engine(database, nats_broker, clock, Settings())
    engine._sender.client_id = f"engine-{name}"
    thread = threading.Thread(target=engine.run, args=(stop,))
    thread.start()
    try:
        assert engine.ready.wait(WAIT_S)
        device.wait_for(1)
        home.at = clock.now()
        home.ask(Command(setpoint_c=22.0))
        device.wait_for(2)
    finally:
        stop.set()
        thread.join(WAIT_S)
        device.close()
    assert not thread.is_alive()
    assert device.messages[0][1]["on"] is True
    assert device.messages[1][1]["setpoint_c"] == 22.0
    assert home.decisions()[-1].controller == "override"


def test_an_engine_whose_looks_go_on_failing_is_not_ready_until_one_succeeds(
    sqlite_database: Database, nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.engine.UNREADY_WALL_S", 0.1)
    unready, broken = threading.Event(), threading.Event()
    stop = threading.Event()
    engine = Engine(sqlite_database, nats_broker, Clock.starting_at(AFTERNOON, 1.0), Settings(), ready=Ready(unready))
    read = Engine._read_layouts

    def read_or_fail(self: Engine, session: Session) -> None:
        if broken.is_set():
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        read(self, session)

    monkeypatch.setattr(Engine, "_read_layouts", read_or_fail)
    thread = threading.Thread(target=engine.run, args=(stop,))
    thread.start()
    try:
        assert engine.ready.wait(WAIT_S)
        broken.set()
        assert unready.wait(WAIT_S)
        broken.clear()
        assert engine.ready.wait(WAIT_S)
    finally:
        stop.set()
        thread.join(WAIT_S)


class Ready(threading.Event):
    """Says when it was cleared."""

    def __init__(self, cleared: threading.Event) -> None:
        super().__init__()
        self.cleared = cleared

    def clear(self) -> None:
        super().clear()
        self.cleared.set()
