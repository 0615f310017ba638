"""Rules of advice: they speak with evidence, say kWh and money, and are silent otherwise."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from insights.advice import (
    DAYS_PER_MONTH,
    Band,
    UnitHour,
    Used,
    cooler_than_needed,
    draws_while_idle,
    runs_while_nobody_is_home,
)

FIRST = date(2026, 7, 1)
BAND = Band(low_c=19.5, high_c=27.0, choices=3)
PRICE = Decimal("0.5")


def cooling(setpoint_c: float = 25.0, *, days: int = 10, hours: int = 5, mode: str = "cool") -> list[UnitHour]:
    """A unit that runs some hours of each day at 0.8 kW."""
    return [
        UnitHour(FIRST + timedelta(days=day), Used(0.8, PRICE), 1.0, mode, setpoint_c, None)
        for day in range(days)
        for _ in range(hours)
    ]


def test_a_setpoint_below_what_is_comfortable_costs_a_share_per_kelvin() -> None:
    """Two kelvin at 14 % each: 1 - 0.86^2 = 26.04 % of 40 kWh in 10 days."""
    finding = cooler_than_needed(cooling(25.0), BAND, days=10)
    assert finding is not None
    assert finding.energy_kwh_per_month == pytest.approx(0.2604 * 40 / 10 * DAYS_PER_MONTH)
    assert finding.price == PRICE
    assert finding.values["better_c"] == 27.0
    assert finding.values["setpoint_c"] == 25.0


def test_nobody_is_told_to_change_more_than_two_kelvin() -> None:
    finding = cooler_than_needed(cooling(20.0), BAND, days=10)
    assert finding is not None
    assert finding.values["better_c"] == 22.0


def test_heating_is_judged_by_the_lower_edge() -> None:
    finding = cooler_than_needed(cooling(22.0, mode="heat"), BAND, days=10)
    assert finding is not None
    assert (finding.values["mode"], finding.values["better_c"]) == ("heat", 20.0)


@pytest.mark.parametrize(
    ("hours", "band"),
    [
        (cooling(26.8), BAND),  # near the edge already
        (cooling(25.0, days=2), BAND),  # two days are no habit
        (cooling(25.0, hours=0), BAND),
        (cooling(25.0, mode="other"), BAND),
        (cooling(25.0), Band(19.5, 27.0, choices=0)),  # nobody ever chose: the band is a guess
    ],
)
def test_without_evidence_no_word_on_the_setpoint(hours: list[UnitHour], band: Band) -> None:
    assert cooler_than_needed(hours, band, days=10) is None


def empty(nobody_home: bool | None, count: int) -> list[UnitHour]:
    """Hours of a running unit with or without somebody."""
    return [UnitHour(FIRST, Used(1.0, PRICE), 1.0, "cool", 25.0, nobody_home) for _ in range(count)]


def test_a_unit_that_runs_in_an_empty_home_is_told_by_its_hours() -> None:
    finding = runs_while_nobody_is_home([*empty(True, 6), *empty(False, 20)], days=14)
    assert finding is not None
    assert finding.values["hours"] == 6
    assert finding.energy_kwh_per_month == pytest.approx(6 / 14 * DAYS_PER_MONTH)


def test_no_sensor_means_no_word_on_who_is_home() -> None:
    assert runs_while_nobody_is_home(empty(None, 50), days=14) is None
    assert runs_while_nobody_is_home(empty(False, 50), days=14) is None
    assert runs_while_nobody_is_home(empty(True, 1), days=14) is None


def thing(standby_w: float, in_use_w: float = 120.0, in_use: int = 100, quarters: int = 672) -> list[Used]:
    """A week of a thing in quarters of an hour."""
    powers_w = [in_use_w] * in_use + [standby_w] * (quarters - in_use)
    return [Used(power_w / 4000, PRICE) for power_w in powers_w]


def test_standby_is_what_a_thing_draws_between_its_uses() -> None:
    finding = draws_while_idle(thing(6.0), days=7)
    assert finding is not None
    assert finding.values["standby_w"] == 6.0
    assert finding.values["idle_hours_per_day"] == pytest.approx(24 * 572 / 672, abs=0.1)
    assert finding.energy_kwh_per_month == pytest.approx(6.0 * 572 / 4000 / 7 * DAYS_PER_MONTH)


@pytest.mark.parametrize(
    "quarters",
    [
        thing(0.3),  # next to nothing
        thing(11.0, in_use_w=11.0),  # a router is always in use
        thing(6.0, in_use=600),  # hardly ever idle
        thing(6.0, quarters=200),  # two days
        [],
    ],
)
def test_without_evidence_no_word_on_standby(quarters: list[Used]) -> None:
    assert draws_while_idle(quarters, days=7) is None


def test_energy_without_a_price_gives_kwh_and_no_money() -> None:
    finding = draws_while_idle([Used(one.energy_kwh, None) for one in thing(6.0)], days=7)
    assert finding is not None
    assert finding.price is None
