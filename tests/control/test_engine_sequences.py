"""The whole engine through random days: whatever happens, it never commands what its guard and its switches forbid."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine as Database

from control.conventional import SLOTS, Program, Slot
from core.words import Command, Fan, Mode
from models.words import Wish
from storage.database import open_database
from storage.repositories.commands import BY_ENGINE
from storage.repositories.kill_switches import KillSwitchRepository, controls_in_force
from storage.repositories.overrides import FROM_DEVICE, OverrideRepository
from storage.repositories.trials import TrialRepository
from storage.tables import CommandRow, DecisionRow, DeviceStateRow
from tests.control.household import AFTERNOON, Household, eager, look, make_engine, make_up

LIMITS = {"limits": {"low_c": 21.0, "high_c": 29.0}, "quiet_hours": {"start": "23:00", "end": "07:00"}}
PROGRAM = Program(30.0, tuple(Slot(float(hour % 3 > 0), Mode.COOL, 20.0 + hour % 5, Fan.AUTO) for hour in range(SLOTS)))
LEAST_RUN, LEAST_REST, HOUR = timedelta(minutes=25), timedelta(minutes=10), timedelta(hours=1)


@dataclass(frozen=True)
class Event:
    """What happens before a look."""

    minutes: int
    on: bool
    setpoint_c: float
    indoors_c: float
    silent: bool  # the thermometer says nothing
    broken: bool  # it says what cannot be
    in_use: bool
    online: bool
    control: str | None  # set anew over REST
    kill: bool | None  # the home's switch, pulled or released
    by: str | None  # somebody changes something: at the unit, or over REST


seldom = st.sampled_from([False, False, False, False, True])
events = st.builds(
    Event,
    minutes=st.sampled_from([1, 5, 10, 10, 15, 15, 30, 45]),
    on=st.booleans(),
    setpoint_c=st.integers(30, 64).map(lambda halves: halves / 2.0),
    indoors_c=st.floats(20.0, 33.0),
    silent=seldom,
    broken=seldom,
    in_use=st.booleans(),
    online=st.sampled_from([True, True, True, True, False]),
    control=st.sampled_from([None, None, None, None, "auto", "auto", "shadow", "ab", "off"]),
    kill=st.sampled_from([None, None, None, None, None, True, False, False]),
    by=st.sampled_from([None, None, None, None, None, "unit", "rest"]),
)


@settings(max_examples=25)
@given(begin_h=st.sampled_from([0, 5, 7, 12]), days=st.lists(events, min_size=8, max_size=20))
def test_no_sequence_of_events_makes_the_engine_command_what_is_forbidden(
    begin_h: int, days: list[Event], tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> None:
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("engine"))
    database = open_database(f"sqlite:///{path}")
    home = Household(database, AFTERNOON + timedelta(hours=begin_h)).build(LIMITS)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(28.0)
    home.tv(90.0)
    engine, wish = make_engine(home), Wish(False, None, None, Fan.AUTO)
    with pytest.MonkeyPatch.context() as patch:
        make_up(patch, lambda _: wish)
        look(engine, home)
        engine._rooms[home.room_id].program = PROGRAM
        watcher = Watcher(home)
        for event in days:
            happen(home, event)
            wish = Wish(event.on, Mode.COOL, event.setpoint_c, Fan.AUTO)
            watcher.before()
            look(engine, home)
            watcher.after()
    database.dispose()


def test_a_unit_that_somebody_switches_off_right_after_the_engine_switched_it_on_stays_off(
    sqlite_database: Database,
) -> None:
    home = Household(sqlite_database).build()
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(28.5)
    home.tv(90.0)
    engine = make_engine(home)
    with pytest.MonkeyPatch.context() as patch:
        make_up(patch, eager)
        look(engine, home)
        assert [row.body["on"] for row in home.obey()] == [True]
        home.at += timedelta(minutes=1)
        home.unit(on=False)
        home.control("ab")
        look(engine, home)
    assert [row.origin for row in home.overrides()] == [FROM_DEVICE]
    assert home.obey() == []


def happen(home: Household, event: Event) -> None:
    home.at += timedelta(minutes=event.minutes)
    with home.session() as session:
        session.get_one(DeviceStateRow, home.unit_id).online = event.online
        switches = KillSwitchRepository(session)
        if event.kill is True:
            switches.engage(home.home_id, None, home.at)
        elif event.kill is False:
            switches.release(home.home_id, home.at)
        if event.control == "ab":
            TrialRepository(session).start(home.room_id, 3, home.at - timedelta(days=2))
    if event.control is not None:
        home.control(event.control)
    if not event.silent:
        home.air(90.0 if event.broken else event.indoors_c)
    home.tv(90.0 if event.in_use else 1.0)
    if event.by == "unit":
        home.unit(on=event.on, setpoint_c=event.setpoint_c)
    elif event.by == "rest":
        home.ask(Command(on=event.on), hours=1.0)


class Watcher:
    """Follows the unit from outside, and holds every command of the engine against what was so when it was given."""

    def __init__(self, home: Household) -> None:
        self._home, self._seen, self._decided = home, 0, 0
        self._switched_at: datetime | None = None
        self._on = False
        self._writes: list[datetime] = []
        self._released = False
        self.after()

    def before(self) -> None:
        home = self._home
        with home.session() as session:
            values = session.get_one(DeviceStateRow, home.unit_id).values
            self._control = controls_in_force(session, [home.room_id]).get(home.room_id)
            self._online = session.get_one(DeviceStateRow, home.unit_id).online
            self._overridden = OverrideRepository(session).current(home.room_id, home.at) is not None
            air = session.get_one(DeviceStateRow, home.thermometer_id).values["room_temperature_c"]
        if values["on"][0] != self._on:  # somebody switched it at its own buttons
            self._on, self._switched_at = values["on"][0], home.at
        said_at = datetime.fromtimestamp(air[1] / 1e6, tz=home.at.tzinfo)
        self._trusted = air[0] < 50.0 and home.at - said_at <= timedelta(minutes=65)
        if self._control != "off":
            self._released = False

    def after(self) -> None:
        decisions = {row.command_id: row for row in self._home.decisions() if row.id > self._decided}
        for command in self._home.commands():
            if command.id > self._seen and command.requested_by == BY_ENGINE:
                if self._seen:
                    self._judge(command, decisions[command.id])
                self._note(command)
        self._seen = max((row.id for row in self._home.commands()), default=0) or self._seen
        self._decided = max((row.id for row in self._home.decisions()), default=0)
        self._home.obey()

    def _judge(self, command: CommandRow, decision: DecisionRow) -> None:
        at, turns_on = self._home.at, command.body["on"]
        if decision.controller == "override":
            assert self._overridden or decision.reason["code"] == "override_device"
            return
        if decision.controller == "off":
            assert self._control == "off"
            assert not self._released, "the unit goes back to its program once"
            self._released = True
            return
        assert decision.controller in ("rule", "conventional")
        assert self._control in ("auto", "ab")
        assert decision.control == self._control
        assert self._online
        assert not self._overridden
        assert self._trusted or decision.controller == "conventional"
        if turns_on:
            assert 21.0 <= command.body["setpoint_c"] <= 29.0
        if turns_on != self._on and self._switched_at is not None:
            assert at - self._switched_at >= (LEAST_REST if turns_on else LEAST_RUN)
        assert sum(at - before < HOUR for before in self._writes) < 4
        local_hour = (at.hour + 8) % 24
        if (local_hour >= 23 or local_hour < 7) and decision.saw["arm"] != "conventional":
            assert self._trusted
            saw = decision.saw
            assert not saw["comfort_low_c"] <= saw["room_temperature_c"] <= saw["comfort_high_c"]

    def _note(self, command: CommandRow) -> None:
        self._writes.append(self._home.at)
        if command.body["on"] != self._on:
            self._on, self._switched_at = command.body["on"], self._home.at
