"""Save, comfort, green: what one setting comes to for plan and guard."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine as Database

from control.engine import Engine
from control.objective import Objective, kept_band_c, objective_of, signal_of
from control.situations import RoomView
from core.sentences import sentence
from insights.carbon import CarbonFactor
from insights.tariff import load_document
from models.words import Wish
from storage.repositories.kept import set_comfort
from storage.repositories.learned import PersonState, Season
from storage.tables import HomeRow, RoomRow, TariffRow
from tests.control.household import AFTERNOON, Household, eager, look, make_engine, make_up
from tests.control.test_engine import NO_BEEPS_MATTER, teach_presence


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


def decided(home: Household, monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, RoomView]:
    """An engine after its first decision, and the room as that saw it."""
    engine, seen = make_engine(home), list[RoomView]()

    def note(view: RoomView) -> Wish:
        seen.append(view)
        return eager(view)

    make_up(monkeypatch, note)
    look(engine, home)
    return engine, seen[-1]


def prices_ahead(view: RoomView) -> set[float]:
    return {view.price(view.state.at + timedelta(hours=hour)) for hour in range(24)}


def test_save_sees_the_tariff_and_says_when_it_changes(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = decided(home, monkeypatch)
    assert len(prices_ahead(seen)) > 1
    decision = home.decisions()[-1]
    assert (decision.saw["objective"], decision.saw["price_source"]) == ("save", "tariff")
    why = sentence(decision.reason["code"], decision.reason["values"], "en")
    assert "Electricity gets cheaper at 22:00." in why


def test_green_sees_an_annual_factor_that_knows_no_hours(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    set_objective(home, of_home="green")
    _, seen = decided(home, monkeypatch)
    assert prices_ahead(seen) == {0.5306}
    decision = home.decisions()[-1]
    assert (decision.saw["objective"], decision.saw["price_source"]) == ("green", "carbon")
    assert "cheaper" not in sentence(decision.reason["code"], decision.reason["values"], "en")


def test_green_without_a_figure_saves_and_says_so(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    set_objective(home, of_home="green")
    with home.session() as session:
        session.get_one(HomeRow, home.home_id).time_zone = "Europe/London"
    _, seen = decided(home, monkeypatch)
    assert len(prices_ahead(seen)) > 1
    decision = home.decisions()[-1]
    assert "money is saved instead" in sentence(decision.reason["code"], decision.reason["values"], "en")


def test_a_room_may_be_after_something_else_than_its_home(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
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
    _, narrow = decided(home, monkeypatch)
    set_objective(home, of_home="green")
    _, wide = decided(home, monkeypatch)
    assert home.decisions()[0].saw["objective"] == "comfort"
    assert narrow.high_c < wide.high_c
    assert narrow.low_c > wide.low_c


def test_comfort_does_not_let_a_room_drift_to_which_somebody_returns(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_objective(home, of_home="comfort")
    home.at -= timedelta(hours=5)  # 16:00, and people are back at 22:00
    engine, _ = decided(home, monkeypatch)
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
