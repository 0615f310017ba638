"""Plugs under the engine's own looks, on a real database; they obey when the test says so."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from control.appliances import Memory
from control.engine import Engine
from core.appliance_sentences import appliance_reason
from core.words import Command
from insights.tariff import load_document
from storage.repositories import allowances
from storage.repositories.allowances import ALLOWANCE, DEVICE, MEMORY, PROPOSALS
from storage.repositories.commands import BY_PERSON, CommandRepository
from storage.repositories.decisions import DecisionRepository
from storage.repositories.kill_switches import KillSwitchRepository
from storage.repositories.learned import LearnedRepository
from storage.tables import ApplianceRow, DeviceRow, DeviceStateRow, TariffRow, UsageQuarterRow
from tests.control.household import Household, look, make_engine

STANDBY_W, IN_USE_W = 8.0, 90.0
CUT_OFF = {"cut_off": True, "window": None}
NOTHING = {"cut_off": False, "window": None}
USED = range(19, 23)  # hours, local; the clock of these tests begins at 16:00


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    """A television in standby that is watched in the evening, measured for ten days; its unit's room is comfortable."""
    home = Household(sqlite_database).build()
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(24.0)
    home.says(home.tv_id, on=True, power_w=STANDBY_W)
    with home.session() as session:
        for back in range(1, 10 * 96):
            start = home.at - timedelta(minutes=15 * back)
            power_w = IN_USE_W if (start.hour + 8) % 24 in USED else STANDBY_W
            session.add(
                UsageQuarterRow(
                    device_id=home.tv_id,
                    start_at=start,
                    source="counter",
                    energy_kwh=power_w / 4000.0,
                    covered_s=900.0,
                )
            )
    return home


@pytest.fixture
def engine(home: Household) -> Engine:
    return make_engine(home)


def watch(engine: Engine, home: Household, minutes: float = 45.0, **said: Any) -> None:
    """Looks every five minutes; the plug says the same each time, and obeys nothing."""
    for _ in range(int(minutes // 5)):
        if said:
            home.says(home.tv_id, **said)
        at_once(engine)
        look(engine, home, later_s=300.0)


def at_once(engine: Engine) -> None:
    """Plugs are looked after about once a second, and studied less often; tests do not wait."""
    engine._appliances._look_at = engine._appliances._study_at = 0.0


def allow(home: Household, allowance: dict[str, Any]) -> None:
    with home.session() as session:
        allowances.set_allowance(session, home.tv_id, allowance, home.at)


def told(home: Household) -> list[object]:
    """What plugs were told."""
    return [row.body["on"] for row in home.commands() if row.device_id == home.tv_id]


def reasons(home: Household) -> list[str]:
    return [row.reason["code"] for row in home.decisions() if row.device_id == home.tv_id]


def learned(home: Household, name: str) -> Any:
    with home.session() as session:
        return LearnedRepository(session).get(DEVICE, home.tv_id, name)


def cut(engine: Engine, home: Household) -> None:
    """Allowed, and switched off."""
    allow(home, CUT_OFF)
    watch(engine, home, on=True, power_w=STANDBY_W)
    assert [row.body for row in home.obey() if row.device_id == home.tv_id] == [{"on": False}]
    watch(engine, home, 5.0, power_w=0.0)


def test_what_nobody_has_allowed_is_proposed_and_not_done(engine: Engine, home: Household) -> None:
    watch(engine, home, power_w=STANDBY_W)
    (item,) = learned(home, PROPOSALS)["items"]
    assert item["code"] == "plug_cut_off"
    assert item["allow"] == CUT_OFF
    # 8 W at the 19 hours that are neither those of use nor the quarter of an hour before them
    assert float(item["energy_kwh_per_year"]) == pytest.approx(0.008 * 365 * 20, abs=0.01)
    assert item["cost_per_year"] is None
    assert told(home) == []
    assert reasons(home) == []
    assert learned(home, MEMORY) is None


def test_what_is_allowed_is_done_and_says_why(engine: Engine, home: Household) -> None:
    cut(engine, home)
    (decision,) = [row for row in home.decisions() if row.device_id == home.tv_id]
    (command,) = [row for row in home.commands() if row.device_id == home.tv_id]
    assert decision.command_id == command.id
    assert command.requested_by == "engine"
    assert command.expires_at > command.queued_at
    values = decision.reason["values"]
    assert "not in use" in appliance_reason(decision.reason["code"], values["place"], values, "en")
    with home.session() as session:
        newest = DecisionRepository(session).newest(home.room_id)
        assert newest is None or newest.device_id == home.unit_id


def test_it_is_on_again_before_the_hour_of_use(engine: Engine, home: Household) -> None:
    cut(engine, home)
    watch(engine, home, 90.0, power_w=0.0)
    assert told(home) == [False]
    watch(engine, home, 60.0, power_w=0.0)  # 18:45 passes
    assert told(home) == [False, True]
    assert reasons(home)[-1] == "plug_usual"


def test_something_in_use_is_not_cut_off(engine: Engine, home: Household) -> None:
    allow(home, CUT_OFF)
    watch(engine, home, 90.0, on=True, power_w=IN_USE_W)
    assert told(home) == []


def test_what_is_taken_back_is_switched_on_again_and_said(engine: Engine, home: Household) -> None:
    cut(engine, home)
    allow(home, NOTHING)
    watch(engine, home, 5.0, power_w=0.0)
    assert told(home) == [False, True]
    assert reasons(home)[-1] == "plug_back"
    home.obey()
    watch(engine, home, 60.0, power_w=STANDBY_W)
    assert told(home) == [False, True]


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_kill_switch_gives_back_what_was_cut_off_and_nothing_else_happens(
    engine: Engine, home: Household, everywhere: bool
) -> None:
    cut(engine, home)
    with home.session() as session:
        KillSwitchRepository(session).engage(None if everywhere else home.home_id, None, home.at)
    watch(engine, home, 5.0, power_w=0.0)
    assert told(home) == [False, True]
    assert reasons(home)[-1] == "plug_back"
    home.obey()
    watch(engine, home, 90.0, power_w=STANDBY_W)
    assert told(home) == [False, True]


def test_under_a_kill_switch_nothing_is_done(engine: Engine, home: Household) -> None:
    allow(home, CUT_OFF)
    with home.session() as session:
        KillSwitchRepository(session).engage(home.home_id, None, home.at)
    watch(engine, home, 90.0, power_w=STANDBY_W)
    assert told(home) == []


def test_a_command_that_a_second_kill_switch_called_back_is_given_again(engine: Engine, home: Household) -> None:
    cut(engine, home)
    for whose in (home.home_id, None):
        with home.session() as session:
            KillSwitchRepository(session).engage(whose, None, home.at)
        watch(engine, home, 5.0, power_w=0.0)
    assert told(home) == [False, True, True]


def test_in_a_shadow_room_decisions_are_shown_and_nothing_is_sent(engine: Engine, home: Household) -> None:
    home.control("shadow")
    allow(home, CUT_OFF)
    watch(engine, home, 90.0, power_w=STANDBY_W)
    assert told(home) == []
    (decision,) = [row for row in home.decisions() if row.device_id == home.tv_id]
    assert decision.guard == ["proposed"]
    assert (decision.action, decision.proposed) == ({"on": True}, {"on": False})


def test_the_memory_outlives_the_engine(engine: Engine, home: Household) -> None:
    cut(engine, home)
    again = make_engine(home)
    watch(again, home, 10.0, power_w=0.0)
    assert told(home) == [False]
    allow(home, NOTHING)
    watch(make_engine(home), home, 5.0, power_w=0.0)
    assert told(home) == [False, True]
    kept = Memory.from_json(learned(home, MEMORY))
    assert kept.told is True
    assert kept.cut
    assert Memory.from_json(kept.to_json()) == kept


def test_what_somebody_switches_by_hand_is_left_alone_for_a_while(engine: Engine, home: Household) -> None:
    cut(engine, home)
    home.says(home.tv_id, on=True, power_w=STANDBY_W)
    watch(engine, home, 90.0, power_w=STANDBY_W)
    assert told(home) == [False]  # for override_hold_s, two hours


def test_what_somebody_switched_off_is_never_switched_on(engine: Engine, home: Household) -> None:
    allow(home, CUT_OFF)
    watch(engine, home, 5.0, on=True, power_w=IN_USE_W)
    watch(engine, home, 6 * 60.0, on=False, power_w=0.0)
    assert told(home) == []


def test_a_persons_command_wins(engine: Engine, home: Household) -> None:
    cut(engine, home)
    with home.session() as session:
        CommandRepository(session).queue(
            home_id=home.home_id,
            device_id=home.tv_id,
            body=Command(on=True),
            requested_by=BY_PERSON,
            queued_at=home.at,
            expires_at=home.at + timedelta(minutes=5),
        )
    home.obey()
    watch(engine, home, 90.0, power_w=STANDBY_W)
    assert told(home) == [False, True]


def test_without_fresh_power_nothing_is_cut_off(engine: Engine, home: Household) -> None:
    allow(home, CUT_OFF)
    watch(engine, home, 20.0, on=True, power_w=STANDBY_W)  # idle, but not for long enough
    watch(engine, home, 90.0, on=True)
    assert told(home) == []


def test_what_does_not_answer_is_left_alone(engine: Engine, home: Household) -> None:
    with home.session() as session:
        session.get_one(DeviceStateRow, home.tv_id).online = False
    allow(home, CUT_OFF)
    watch(engine, home, 90.0, on=True, power_w=STANDBY_W)
    assert told(home) == []


@pytest.mark.parametrize("kind", ["refrigerator", None])
def test_a_plug_that_turns_out_to_be_a_refrigerators_is_given_back(
    engine: Engine, home: Household, kind: str | None
) -> None:
    cut(engine, home)
    with home.session() as session:
        device = session.get_one(DeviceRow, home.tv_id)
        if kind is None:
            device.appliance_id = None
        else:
            session.get_one(ApplianceRow, device.appliance_id).kind = kind
    watch(engine, home, 5.0, power_w=0.0)
    assert told(home) == [False, True]


def test_a_window_runs_in_the_cheapest_hours_only(engine: Engine, home: Household) -> None:
    with home.session() as session:
        document = load_document("zhejiang_time_of_use")
        session.add(TariffRow(home_id=home.home_id, valid_from=home.at - timedelta(days=30), document=document))
    allow(home, {"cut_off": False, "window": {"hours": 2.0, "ready_by": "07:00"}})
    watch(engine, home, 5.0, on=True, power_w=1500.0)
    assert told(home) == [False]
    assert reasons(home) == ["plug_waits"]
    home.obey()
    watch(engine, home, 15 * 60.0, power_w=0.0)  # to 07:00
    assert told(home)[-1] is True
    (runs,) = [row for row in home.decisions() if row.reason["code"] == "plug_runs"]
    assert runs.reason["values"]["until_time"] == "07:00"


def test_damaged_values_cost_nobody_anything(engine: Engine, home: Household) -> None:
    with home.session() as session:
        for name in (MEMORY, PROPOSALS):
            LearnedRepository(session).put(DEVICE, home.tv_id, name, {"nonsense": 1}, home.at)
        LearnedRepository(session).put(DEVICE, home.tv_id, ALLOWANCE, {"window": {"hours": "many"}}, home.at)
    watch(engine, home, 90.0, on=True, power_w=STANDBY_W)
    assert told(home) == []
    assert Memory.from_json(learned(home, MEMORY)).on is True
