"""Plans in the service: learned from each quarter of an hour, kept over a restart, followed under the guard."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from control import planner
from control.deciding import question
from control.engine import Engine
from control.planning import RoomPlan, Target, new_plan, recall, restored, targets
from control.reading import Reader
from control.room_state import assemble
from control.situations import RoomView
from control.viewing import evidence_of, view_of
from core.words import Mode
from insights.tariff import load_document
from models.words import HORIZONS_S, RoomMoment
from storage.repositories.learned import LearnedRepository
from storage.tables import HomeRow, TariffRow
from tests.control.household import AFTERNOON, Household, look, make_engine
from tests.control.test_engine import NO_BEEPS_MATTER, teach_presence

QUARTER = timedelta(minutes=15)


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    """A hot room with somebody in it and the unit off."""
    home = Household(sqlite_database).build(NO_BEEPS_MATTER)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    say(home, 29.0)
    return home


def say(home: Household, room_c: float, power_w: float = 5.0) -> None:
    home.air(room_c)
    home.tv(90.0)
    home.unit(power_w=power_w)


def live(engine: Engine, home: Household, rooms_c: Iterable[float]) -> RoomPlan:
    """Quarters of an hour at whose ends the room is so warm; the unit does what it is told."""
    for room_c in rooms_c:
        home.at += QUARTER
        say(home, room_c, power_w=600.0)
        look(engine, home)
        home.obey()
    return engine._rooms[home.room_id].plan


def test_a_room_is_planned_as_soon_as_its_temperature_is_known(home: Household) -> None:
    look(make_engine(home), home)
    (decision,) = home.decisions()
    assert decision.controller == "policy"
    assert decision.proposed["on"] is True
    assert decision.proposed["setpoint_c"] == pytest.approx(decision.saw["comfort_high_c"], abs=0.5)
    assert decision.reason["code"] == "comfort"


def test_every_quarter_of_an_hour_is_learned_from_once(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    plan = live(engine, home, [28.0, 27.5])
    look(engine, home, later_s=60.0)  # within the quarter: nothing has passed
    assert plan.past.shape[1] == 2
    room_c, outdoor_c, _, heat_kw, occupied = plan.past
    assert room_c.tolist() == [29.0, 28.0], "at the beginning of each"
    assert outdoor_c.tolist() == [33.0, 33.0]
    assert (heat_kw < -0.5).all(), "the unit takes heat from the room"
    assert occupied.tolist() == [1.0, 1.0]


def test_a_unit_whose_sensor_reads_warm_is_told_less_until_the_room_is_as_planned(home: Household) -> None:
    """The room stays half a kelvin above what is planned while the unit runs: the setpoint goes below the room."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    plan = live(engine, home, [27.4] * 8)
    assert plan.room["bias_k"][0] < -0.2
    decision = home.decisions()[-1]
    assert decision.proposed["setpoint_c"] < decision.saw["comfort_high_c"] - 0.2
    assert decision.action["setpoint_c"] < decision.saw["comfort_high_c"], "the guard bounds the room, not the sensor"


def test_quarters_that_nobody_saw_are_a_hole_in_what_is_fitted(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    live(engine, home, [28.0])
    home.at += 4 * QUARTER
    plan = live(engine, home, [27.0])
    assert np.isnan(plan.past[0]).tolist() == [False] + [True] * 5
    assert plan.room["nodes"][0] == 27.0
    assert plan.is_planned


def test_a_plan_survives_a_restart(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    before = live(engine, home, [28.0, 27.5, 27.0, 27.4, 27.4])
    engine._save_all()
    later = make_engine(home)
    home.at += QUARTER
    say(home, 27.2, power_w=600.0)
    look(later, home)
    after = later._rooms[home.room_id].plan
    assert after.room["theta"].tolist() == before.room["theta"].tolist()
    assert after.room["bias_k"].tolist() == before.room["bias_k"].tolist()
    assert after.past[:, : before.past.shape[1]] == pytest.approx(before.past, abs=1e-5, nan_ok=True)
    assert after.is_planned


@pytest.mark.parametrize("name", ["plan", "plan_past"])
@pytest.mark.parametrize("value", [[], "text", 7, {"version": 1, "quarter": 1, "room": {}}, {"columns": "?"}])
def test_a_plan_that_makes_no_sense_is_begun_anew(home: Household, name: str, value: object) -> None:
    engine = make_engine(home)
    look(engine, home)
    engine._save_all()
    with home.session() as session:
        LearnedRepository(session).put("room", home.room_id, name, value, home.at)  # type: ignore[arg-type]
    later = make_engine(home)
    look(later, home, later_s=900.0)
    assert later._rooms[home.room_id].plan.is_planned


def test_a_household_that_is_after_comfort_finds_its_room_as_it_likes_it(home: Household) -> None:
    with home.session() as session:
        session.get_one(HomeRow, home.home_id).settings = {**NO_BEEPS_MATTER, "objective": "comfort"}
    engine = make_engine(home)
    look(engine, home)
    teach_presence(engine, home, range(18, 24))
    home.obey()
    for _ in range(4):
        home.tv(1.0)
        home.air(29.0)
        look(engine, home, later_s=900.0)
        home.obey()
    assert engine._rooms[home.room_id].plan.held
    assert home.decisions()[-1].proposed["on"] is True


def test_what_is_told_before_quiet_hours_does_for_the_night(home: Household) -> None:
    """At 22:45 with quiet hours from 23:00: what the plan wants over the night, not of the next quarter alone."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    live(engine, home, [27.0] * 3)
    mind = engine._rooms[home.room_id]
    plan = mind.plan
    plan.room["aim_c"] = np.linspace(26.0, 22.0, plan.room["aim_c"].size)
    plan.room["heat_kw"], plan.room["passed"] = 1.0, 0
    view = view_at(engine, home, hour=22, minute=45)
    limited = replace(mind.layout, home=replace(mind.layout.home, settings={}))
    (by_day,), (by_night,) = (targets([(plan, layout, view)]) for layout in (mind.layout, limited))
    assert by_day.aim_c == 26.0
    assert by_night.aim_c < 25.5


def test_a_plan_may_start_long_before_somebody_is_back(home: Household) -> None:
    """Three hours before a return, earlier than rule and policy may."""
    engine = make_engine(home)
    look(engine, home)
    teach_presence(engine, home, range(19, 24))
    mind = engine._rooms[home.room_id]
    view = replace(view_at(engine, home, hour=16, minute=0), occupied=0.0)
    target = Target(on=True, aim_c=24.0, setpoint_c=24.0, offset_k=0.0)
    assert question(mind, view, None, "period", target, 900.0).returning
    assert not question(mind, view, None, "period", None, 900.0).returning


def view_at(engine: Engine, home: Household, *, hour: int, minute: int) -> RoomView:
    """The room as it is seen now, with another time on the wall."""
    mind, local_home = engine._rooms[home.room_id], engine._homes[home.home_id]
    with Session(home.database, expire_on_commit=False) as session:
        seen = Reader().look(session, home.at, [mind], 0, 0)
    state = assemble(mind.layout, seen.live, engine.clock, home.at, {})
    view = view_of(mind, local_home, seen, state, evidence_of(mind.layout, state, None, home.at))
    return replace(view, local=view.local.replace(hour=hour, minute=minute))


def test_prices_ahead_reach_the_plan_as_shares_of_the_mean(home: Household) -> None:
    document = load_document("shanghai_time_of_use")
    with home.session() as session:
        session.add(TariffRow(home_id=home.home_id, valid_from=home.at - timedelta(days=1), document=document))
    engine = make_engine(home)
    look(engine, home)
    ratio = engine._homes[home.home_id].price_ratio_ahead(home.at)
    price = engine._homes[home.home_id].price
    assert ratio.mean() == pytest.approx(1.0)
    assert ratio[24] / ratio[0] == pytest.approx(price(home.at + 24 * QUARTER) / price(home.at))
    assert ratio[24] < ratio[0], "the night is cheaper"


def moments(count: int) -> list[RoomMoment]:
    """Quarters of a room that is cooled every other hour; a thermometer outdoors that spoke once."""
    unknown = (None,) * len(HORIZONS_S)
    return [
        RoomMoment(
            at=AFTERNOON + i * QUARTER,
            local_hour=12.0,
            weekday=2,
            step_s=900.0,
            room_temperature_c=26.0 + i % 3,
            outdoor_temperature_c=33.0 if i == 1 else None,
            humidity_pct=None,
            solar_w_m2=200.0,
            on=i % 8 < 4,
            mode=Mode.COOL,
            setpoint_c=25.0,
            power_w=800.0,
            fan=None,
            occupied=None,
            planned_setpoint_c=unknown,
            outdoor_forecast_c=unknown,
            solar_forecast_w_m2=unknown,
        )
        for i in range(count)
        if i != 5
    ]


def test_a_room_is_planned_from_what_was_stored_before_the_engine_came() -> None:
    plan = new_plan(1000.0)
    recall(plan, moments(8))
    room_c, outdoor_c, sun_kw_m2, heat_kw, _ = plan.past
    assert room_c.tolist()[:5] == [26.0, 27.0, 28.0, 26.0, 27.0]
    assert np.isnan(room_c[5]), "nobody saw it"
    assert outdoor_c.tolist() == [33.0] * 8
    assert sun_kw_m2.tolist() == [0.2] * 8
    assert (heat_kw[:4] < -1.0).all()
    assert heat_kw[6:].tolist() == [0.0, 0.0]
    assert plan.metered == 7


def test_what_is_kept_of_a_plan_reads_back() -> None:
    plan = new_plan(None)
    recall(plan, moments(8))
    plan.quarter = 5
    again = restored(plan.to_json(), plan.past_json())
    assert again.quarter == 5
    assert again.room["rated_kw"] == 3.5
    assert again.past == pytest.approx(plan.past, abs=1e-5, nan_ok=True)
    assert again.room["passed"] == planner.FOLLOWED, "what was planned is old"
