"""Plugs: cut off only where allowed and out of use, run when electricity is cheapest, and say what it is worth."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.plugs import (
    IDLE_S,
    IN_USE_W,
    WRITES_PER_HOUR,
    Plug,
    Seen,
    Window,
    Wish,
    cheapest,
    check,
    cut_off_proposal,
    decide,
    window_proposal,
)
from core.appliance_sentences import appliance_proposal, appliance_reason
from core.words import Command, Kind
from simulator.appliances import TV_STANDBY_W, television_w, water_heater_w

NOW = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)
EVENING = tuple(0.8 if 18 <= hour < 23 else 0.0 for hour in range(24))
TV = Plug(Kind.PLUG, standby_w=8.5, use_by_hour=EVENING, may_cut_off=True, control="auto")
IDLE = Seen(on=True, power_w=8.5, idle_s=7200.0, local_min=10 * 60)
PRICES = tuple(0.568 if 32 <= quarter < 88 else 0.288 for quarter in range(96))
HEATER = Plug(Kind.PLUG, window=Window(4.0, 7 * 60), control="auto")


def test_a_thing_without_use_at_this_hour_is_cut_off_and_back_before_it_is_wanted() -> None:
    decision = decide(TV, IDLE, NOW)
    assert decision.command() == Command(on=False)
    off = replace(IDLE, on=False, power_w=0.0, cut_by_us=True)
    assert decide(TV, replace(off, local_min=17 * 60 + 40), NOW).command() is None
    assert decide(TV, replace(off, local_min=17 * 60 + 50), NOW).command() == Command(on=True)


@pytest.mark.parametrize(
    ("plug", "seen", "rule"),
    [
        (replace(TV, control="off"), IDLE, "kill_switch"),
        (TV, replace(IDLE, override=True), "override"),
        (TV, replace(IDLE, online=False), "offline"),
        (TV, replace(IDLE, on=None), "unknown"),
        (replace(TV, may_cut_off=False), IDLE, "not_allowed"),
        (replace(TV, appliance_kind=None), IDLE, "unknown_appliance"),
        (replace(TV, appliance_kind=Kind.REFRIGERATOR), IDLE, "never_cut"),
        (TV, replace(IDLE, power_w=92.0), "in_use"),
        (TV, replace(IDLE, power_w=None), "in_use"),
        (TV, replace(IDLE, idle_s=60.0), "idle"),
        (TV, replace(IDLE, writes=(NOW,) * WRITES_PER_HOUR), "write_budget"),
        (TV, replace(IDLE, on=False, cut_by_us=False, local_min=19 * 60), "not_ours"),
        (replace(TV, control="proposed"), IDLE, "proposed"),
    ],
)
def test_every_rule_leaves_the_plug_as_it_is(plug: Plug, seen: Seen, rule: str) -> None:
    decision = decide(plug, seen, NOW)
    assert decision.rules == (rule,)
    assert decision.command() is None
    assert appliance_reason(decision.reason["code"], "TV", decision.reason["values"], "zh-Hans")


@pytest.mark.parametrize(
    "change",
    [
        {"may_cut_off": False},
        {"appliance_kind": None},
        {"appliance_kind": Kind.REFRIGERATOR},
        {"control": "off"},
        {"control": "proposed"},
        {"control": "off", "window": Window(4.0, 7 * 60)},
    ],
)
def test_what_was_cut_off_is_given_back_once_it_may_not_be_cut_off(change: dict[str, object]) -> None:
    off = replace(IDLE, on=False, power_w=0.0, cut_by_us=True, prices=PRICES)
    plug = replace(TV, **change)  # type: ignore[arg-type]
    decision = decide(plug, off, NOW)
    assert decision.command() == Command(on=True)
    said = appliance_reason(decision.reason["code"], "TV", decision.reason["values"], "en")
    assert said == "TV: on again, because control of it is no longer allowed."
    for other in ({"on": True}, {"cut_by_us": False}, {"override": True}, {"online": False}):
        assert decide(plug, replace(off, **other), NOW).command() is None  # type: ignore[arg-type]


def test_prices_that_are_no_numbers_count_as_unknown() -> None:
    waiting = Seen(True, 2000.0, 0.0, 20 * 60, prices=(math.nan, *PRICES[1:]))
    assert decide(HEATER, waiting, NOW).command() is None
    assert window_proposal(HEATER, Window(4.0, 7 * 60), [math.nan] * 96, [Decimal("0.5")] * 96) is None


@pytest.mark.parametrize("standby_w", [math.inf, math.nan])
def test_without_a_known_standby_little_is_in_use(standby_w: float) -> None:
    plug = replace(TV, standby_w=standby_w)
    assert decide(plug, replace(IDLE, power_w=IN_USE_W + 1.0), NOW).rules == ("in_use",)
    assert cut_off_proposal(plug, Decimal("0.5")) is None


@pytest.mark.parametrize(("hours", "ready_by_min"), [(math.nan, 0), (0.0, 0), (25.0, 0), (4.0, 1440)])
def test_a_window_that_no_day_has_is_refused(hours: float, ready_by_min: int) -> None:
    with pytest.raises(ValueError, match="expected 0 to 24 h"):
        Window(hours, ready_by_min)


@given(
    on=st.booleans(),
    wished=st.booleans(),
    kind=st.one_of(st.none(), st.sampled_from(Kind)),
    allowed=st.booleans(),
    windowed=st.booleans(),
    control=st.sampled_from(["proposed", "auto", "off"]),
    power_w=st.one_of(st.none(), st.floats(0.0, 3000.0), st.just(math.nan)),
    standby_w=st.floats(0.0, 60.0),
    idle_s=st.one_of(st.floats(0.0, 1e5), st.just(math.nan)),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    writes=st.integers(0, 8),
)
def test_nothing_is_cut_that_must_not_be(
    on: bool,
    wished: bool,
    kind: Kind | None,
    allowed: bool,
    windowed: bool,
    control: str,
    power_w: float | None,
    standby_w: float,
    idle_s: float,
    flags: tuple[bool, bool, bool],
    writes: int,
) -> None:
    plug = Plug(kind, standby_w, EVENING, allowed, Window(4.0, 420) if windowed else None, control)
    recent = tuple(NOW - timedelta(minutes=i) for i in range(writes))
    seen = Seen(on, power_w, idle_s, 600, flags[0], PRICES, flags[1], flags[2], recent)
    decision = check(Wish(wished, "plug_unused", {}), plug, seen, NOW)
    if not decision.write:
        return
    assert (flags[1], flags[2]) == (True, False)
    assert (control == "auto" and kind is Kind.PLUG and (allowed or windowed)) or (decision.on and flags[0])
    assert writes < WRITES_PER_HOUR
    assert decision.on != on
    if decision.on:
        assert flags[0], "only what we cut off is switched on again"
    elif not windowed:
        assert power_w is not None
        assert power_w <= max(IN_USE_W, 3.0 * standby_w)
        assert idle_s >= IDLE_S


def test_the_cheapest_hours_end_when_it_must_be_ready_at_the_latest() -> None:
    """Valley from 22 to 8 h: the four hours before seven; one dear valley hour moves them."""
    assert cheapest(Window(4.0, 7 * 60), PRICES) == (3 * 60, 7 * 60)
    assert cheapest(Window(4.0, 22 * 60), PRICES) == (4 * 60, 8 * 60)
    assert cheapest(Window(24.0, 7 * 60), PRICES) == (7 * 60, 7 * 60)
    assert cheapest(Window(1.0, 0), [1.0] * 94 + [0.1] * 2) == (23 * 60, 0)


def test_a_water_heater_waits_for_its_window_and_runs_in_it() -> None:
    waits = decide(HEATER, Seen(True, 2000.0, 0.0, 20 * 60, prices=PRICES), NOW)
    assert waits.command() == Command(on=False)
    assert waits.reason["values"]["from_time"] == "03:00"
    runs = decide(HEATER, Seen(False, 0.0, 0.0, 3 * 60, cut_by_us=True, prices=PRICES), NOW)
    assert runs.command() == Command(on=True)
    assert decide(HEATER, Seen(True, 2000.0, 0.0, 7 * 60 - 1, prices=PRICES), NOW).command() is None


def test_a_window_without_prices_leaves_the_heater_running() -> None:
    assert decide(HEATER, Seen(True, 2000.0, 0.0, 20 * 60), NOW).command() is None


def test_what_a_television_saves_is_what_its_plug_would_measure() -> None:
    """Seen through a simulated week: off by the rules, without a minute of picture lost."""
    minutes = np.arange(7 * 1440)
    watched = ((minutes // 60 % 24 >= 18) & (minutes // 60 % 24 < 23)).astype(float)
    power_w = television_w(minutes.size, watched, np.random.default_rng(0))
    on, cut, idle_s, saved_kwh = True, False, 0.0, 0.0
    for minute in minutes.tolist():
        drawn_w = float(power_w[minute]) if on else 0.0
        idle_s = idle_s + 60.0 if drawn_w <= IN_USE_W * 2 else 0.0
        seen = Seen(on, drawn_w, idle_s, minute % 1440, cut_by_us=cut)
        command = decide(TV, seen, NOW + timedelta(minutes=minute)).command()
        if command is not None:
            on, cut = bool(command.on), not command.on
        assert on or not watched[minute]
        saved_kwh += 0.0 if on else float(power_w[minute]) / 60_000.0
    expected = cut_off_proposal(TV, Decimal("0.538"))
    assert expected is not None
    assert saved_kwh * 365 / 7 == pytest.approx(float(expected.energy_kwh_per_year), rel=0.06)


def test_a_proposal_to_cut_off_says_its_energy_and_money_in_a_year() -> None:
    """8.5 W x 19 h x 365 = 58.95 kWh; at 0.538 a kWh 31.71."""
    found = cut_off_proposal(TV, Decimal("0.538"))
    assert found is not None
    assert TV.standby_w == TV_STANDBY_W
    assert (found.energy_kwh_per_year, found.cost_per_year) == (Decimal("58.95"), Decimal("31.71"))
    said = appliance_proposal(
        found.code, "TV", found.energy_kwh_per_year, found.cost_per_year, "CNY", found.values, "en"
    )
    assert said.startswith("TV draws 8.5 W while nobody uses it. Switched off for 19 hours a day")
    assert "59 kWh and 31.71 CNY" in said
    assert "59 度电" in appliance_proposal(
        found.code, "电视", found.energy_kwh_per_year, None, "", found.values, "zh-Hans"
    )


def test_what_always_runs_is_not_proposed_to_be_cut_off() -> None:
    router = replace(TV, standby_w=11.0, use_by_hour=(0.0,) * 24)
    assert cut_off_proposal(router, Decimal("0.5")) is None
    assert cut_off_proposal(replace(TV, appliance_kind=Kind.REFRIGERATOR), Decimal("0.5")) is None
    assert cut_off_proposal(replace(TV, standby_w=0.2), Decimal("0.5")) is None


def test_a_water_heaters_window_is_worth_what_its_hours_cost_less() -> None:
    drawn_l = np.zeros(1440)
    drawn_l[20 * 60 : 20 * 60 + 20] = 4.0
    kwh = water_heater_w(drawn_l).reshape(96, 15).sum(axis=1) / 60_000.0
    prices = [Decimal(repr(price)) for price in PRICES]
    found = window_proposal(HEATER, Window(4.0, 7 * 60), kwh.tolist(), prices)
    assert found is not None
    dear_kwh = float(kwh[32:88].sum())
    assert dear_kwh > 1.0
    assert float(found.cost_per_year or 0) == pytest.approx(365 * dear_kwh * 0.28, abs=0.01)
    assert window_proposal(HEATER, Window(4.0, 7 * 60), kwh.tolist(), [Decimal("0.5")] * 96) is None
