"""Save, comfort, green: what one setting comes to for policy and guard, and where cheap hours are stored."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine as Database

from control.engine import Engine
from control.guard import WishSource
from control.objective import Objective, kept_band_c, objective_of, retained_by, seen_price, signal_of
from core.sentences import sentence
from core.words import Fan, Mode
from insights.carbon import CarbonFactor
from insights.tariff import load_document
from models.rc import RcModel
from models.words import HORIZONS_S, RoomSituation, Wish
from storage.repositories.kept import set_comfort
from storage.repositories.learned import PersonState, Season
from storage.tables import HomeRow, RoomRow, TariffRow
from tests.control.household import AFTERNOON, Household, OneByOne, look, make_engine
from tests.control.test_engine import NO_BEEPS_MATTER, teach_presence

ROOM = RcModel(
    outdoor_per_h=0.05,
    mass_per_h=0.1,
    sun_k_per_h=1.0,
    unit_k_per_h=5.0,
    presence_k_per_h=0.1,
    drift_k_per_h=0.0,
    mass_time_h=12.0,
    offset_k=0.0,
    largest_kw=1.2,
    spread_k=(0.2,) * len(HORIZONS_S),
    room_c=26.0,
    mass_c=26.0,
)
DRAUGHTY = replace(ROOM, outdoor_per_h=1.5, mass_per_h=0.1, mass_time_h=3.0)


def integrated(room: RcModel, hours: float) -> float:
    """The two nodes by small steps: a kelvin in the air, and in the mass what two hours of it leave."""
    air, mass = 1.0, 1.0 - float(np.exp(-2.0 / room.mass_time_h))
    for _ in range(round(hours * 3600.0)):
        rate = -(room.outdoor_per_h + room.mass_per_h) * air + room.mass_per_h * mass
        mass += (air - mass) / room.mass_time_h / 3600.0
        air += rate / 3600.0
    return air


@pytest.mark.parametrize("room", [ROOM, DRAUGHTY, replace(ROOM, mass_per_h=0.9, mass_time_h=48.0)])
@pytest.mark.parametrize("hours", [0.0, 0.5, 2.0, 6.0])
def test_what_a_room_retains_is_what_its_two_nodes_do(room: RcModel, hours: float) -> None:
    assert retained_by(room)(hours) == pytest.approx(integrated(room, hours), abs=2e-3)


@given(a=st.floats(0.0, 3.0), b=st.floats(0.0, 3.0), tau=st.sampled_from([3.0, 12.0, 48.0]), hours=st.floats(0.0, 24.0))
def test_a_room_never_holds_more_than_was_stored_and_loses_it_in_time(
    a: float, b: float, tau: float, hours: float
) -> None:
    retained = retained_by(replace(ROOM, outdoor_per_h=a, mass_per_h=b, mass_time_h=tau))
    assert retained(0.0) == pytest.approx(1.0)
    assert 0.0 <= retained(hours + 1.0) <= retained(hours) + 1e-9 <= 1.0 + 2e-9


def test_dear_hours_ahead_count_only_where_the_room_holds_what_is_stored_for_them() -> None:
    """Valley 0.3, peak 0.6 in two hours: a room that retains 0.8 sees 0.54; one that nobody has fitted, 0.3."""
    assert seen_price(0.3, 0.6, 0.8) == pytest.approx(0.54)
    assert seen_price(0.3, 0.6, retained_by(None)(2.0)) == 0.3
    assert seen_price(0.6, 0.3, 0.0) == 0.3, "waiting for a cheap hour needs no store"
    heavy, light = (seen_price(0.3, 0.6, retained_by(room)(2.0)) for room in (ROOM, DRAUGHTY))
    assert heavy > 0.5
    assert light < 0.35


def test_comfort_keeps_a_margin_and_leaves_a_band() -> None:
    assert kept_band_c(24.5, 27.5, 0.5) == (25.0, 27.0)
    assert kept_band_c(25.0, 26.4, 0.5) == pytest.approx((25.2, 26.2))
    assert kept_band_c(25.0, 25.8, 0.5) == (25.0, 25.8)


def test_the_signal_is_the_tariff_or_carbon_where_it_is_known() -> None:
    def tariff(_: object) -> float:
        return 0.5

    assert signal_of(Objective.SAVE, tariff, CarbonFactor(0.53, "")).price(AFTERNOON) == 0.5
    green = signal_of(Objective.GREEN, tariff, CarbonFactor(0.53, ""))
    assert (green.price(AFTERNOON), green.source) == (0.53, "carbon")
    unknown = signal_of(Objective.GREEN, tariff, None)
    assert (unknown.price(AFTERNOON), unknown.source) == (0.5, "carbon_unknown")


def test_the_rooms_word_counts_before_the_homes_and_nonsense_not_at_all() -> None:
    assert objective_of("green", "comfort") is Objective.GREEN
    assert objective_of(None, "comfort") is Objective.COMFORT
    assert objective_of("cheap", 3) is Objective.SAVE


# --- in the engine ---


class Recording(OneByOne):
    """A policy that notes what it sees, and cools to the edge."""

    def __init__(self) -> None:
        self.seen: list[RoomSituation] = []

    def choose(self, situation: RoomSituation, season: Season, *, returning_now: bool) -> tuple[Wish, WishSource]:
        self.seen.append(situation)
        return Wish(True, Mode.COOL, situation.comfort_high_c, Fan.AUTO), WishSource.POLICY


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    """Shanghai, 21:00 on a Wednesday in July: the valley begins at 22:00."""
    home = Household(sqlite_database).build(NO_BEEPS_MATTER)
    home.at += timedelta(hours=5)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(29.0)
    home.tv(90.0)
    with home.session() as session:
        session.add(
            TariffRow(
                home_id=home.home_id,
                valid_from=home.at - timedelta(days=9),
                document=load_document("shanghai_time_of_use"),
            )
        )
    return home


def set_objective(home: Household, of_home: str | None = None, of_room: str | None = None) -> None:
    with home.session() as session:
        session.get_one(HomeRow, home.home_id).settings = {**NO_BEEPS_MATTER, "objective": of_home}
        session.get_one(RoomRow, home.room_id).objective = of_room


def decided(home: Household) -> tuple[Engine, RoomSituation]:
    engine, policy = make_engine(home), Recording()
    engine._wishes = policy  # type: ignore[assignment]
    look(engine, home)
    return engine, policy.seen[-1]


def test_save_sees_the_tariff_and_says_when_it_changes(home: Household) -> None:
    _, seen = decided(home)
    assert len({seen.price_now, *seen.price_ahead}) > 1
    decision = home.decisions()[-1]
    assert (decision.saw["objective"], decision.saw["price_source"]) == ("save", "tariff")
    why = sentence(decision.reason["code"], decision.reason["values"], "en")
    assert "Electricity gets cheaper at 22:00." in why


def test_green_sees_an_annual_factor_that_knows_no_hours(home: Household) -> None:
    set_objective(home, of_home="green")
    _, seen = decided(home)
    assert {seen.price_now, *seen.price_ahead} == {0.5306}
    decision = home.decisions()[-1]
    assert (decision.saw["objective"], decision.saw["price_source"]) == ("green", "carbon")
    assert "cheaper" not in sentence(decision.reason["code"], decision.reason["values"], "en")


def test_green_without_a_figure_saves_and_says_so(home: Household) -> None:
    set_objective(home, of_home="green")
    with home.session() as session:
        session.get_one(HomeRow, home.home_id).time_zone = "Europe/London"
    _, seen = decided(home)
    assert len({seen.price_now, *seen.price_ahead}) > 1
    decision = home.decisions()[-1]
    assert "money is saved instead" in sentence(decision.reason["code"], decision.reason["values"], "en")


def test_a_room_may_be_after_something_else_than_its_home(home: Household) -> None:
    with home.session() as session:
        set_comfort(
            session,
            home.room_id,
            Season.COOLING,
            PersonState.HOME,
            home.at,
            neutral_c=26.0,
            half_width_k=2.0,
            pinned=True,
        )
    set_objective(home, of_home="green", of_room="comfort")
    _, narrow = decided(home)
    set_objective(home, of_home="green")
    _, wide = decided(home)
    assert home.decisions()[0].saw["objective"] == "comfort"
    assert narrow.comfort_high_c < wide.comfort_high_c
    assert narrow.comfort_low_c > wide.comfort_low_c


def test_comfort_does_not_let_a_room_drift_to_which_somebody_returns(home: Household) -> None:
    set_objective(home, of_home="comfort")
    home.at -= timedelta(hours=5)  # 16:00, and people are back at 22:00
    engine, _ = decided(home)
    home.obey()
    teach_presence(engine, home, range(22, 24))
    home.tv(1.0)
    home.air(29.0)
    look(engine, home, later_s=900.0)
    decision = home.decisions()[-1]
    assert decision.saw["occupied"] < 0.5
    assert decision.saw["held"] is True
    assert decision.action["on"] is True
    assert decision.reason["code"] == "held_for_comfort"
    assert engine._rooms[home.room_id].absence is None, "of what is always held nothing can be learned"
    teach_presence(engine, home, range(0))
    look(engine, home, later_s=900.0)
    assert home.decisions()[-1].saw["held"] is False, "nobody is expected within a day"


def test_a_fitted_room_sees_more_of_a_dear_hour_ahead_than_one_that_nobody_has_fitted(home: Household) -> None:
    """At 05:00 the valley ends in an hour; the engine itself fits only after a day of readings."""
    home.at += timedelta(hours=8)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(29.0)
    engine, unfitted = decided(home)
    assert max(unfitted.price_ahead) == unfitted.price_now
    engine._rooms[home.room_id].forecast.physics = ROOM
    engine._rooms[home.room_id].forecast.fitted_at = home.at
    home.air(29.0)
    look(engine, home, later_s=900.0)
    fitted = engine._wishes.seen[-1]  # type: ignore[attr-defined]
    assert max(fitted.price_ahead) > 1.2 * fitted.price_now
