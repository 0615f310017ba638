"""Refrigerators: food stays safe whatever is wished, and what is wished follows price, load and holiday."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control import fridges
from control.fridge_proposals import proposals
from control.fridges import (
    AIR_GRACE_S,
    FOOD_LAG_S,
    FRESH_LIMIT_C,
    FROZEN_LIMIT_C,
    LEAST_FRESH_C,
    STEP_K,
    Memory,
    Program,
    Seen,
    Wish,
    check,
    decide,
    greatest_lasting_k,
    lagged,
    observe,
    price_now,
    wish,
)
from core.appliance_sentences import appliance_proposal, appliance_reason, proposal_codes, reason_codes
from core.sentences import LANGUAGES
from simulator.catalogue.fridges import MODELS
from simulator.catalogue.fridges import fridges as plants
from simulator.physics.refrigerator import step

NOW = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)
NO_FROST = Program(5.0, 2.6, -16.6, -19.6, freezer_follows=False, expires=True)
FOLLOWING = Program(4.8, 2.9, -16.6, -19.6, freezer_follows=True, expires=True)
OVERCOOLED = Program(3.2, 0.8, -20.0, -23.4, freezer_follows=False, expires=True)
AT_EASE = Seen(3.8, -18.0, running=False, control="auto")
SAFE = Memory(at=NOW, fresh_food_c=3.9, frozen_food_c=-18.0, frozen_day_c=-18.0, fresh_air_c=3.8, running=False)
DEAR, CHEAP = 0.568, 0.288


def wished(setback_k: float, *, hold: bool = False) -> Wish:
    return Wish(setback_k, hold, "fridge_warmest", {})


def prices_at(hour: float) -> tuple[float, ...]:
    """The coming 96 quarters of Zhejiang's tariff, dear from 8 to 22 h."""
    return tuple(DEAR if 8 <= (hour + i / 4) % 24 < 22 else CHEAP for i in range(96))


# --- food ---


def test_food_follows_air_with_a_lag_of_two_hours() -> None:
    """After one lag the difference has fallen to 1/e: 4 + (10 - 4) / e."""
    assert lagged(10.0, 4.0, FOOD_LAG_S) == pytest.approx(4.0 + 6.0 / math.e)
    assert lagged(10.0, 4.0, 0.0) == 10.0


def test_what_is_not_known_of_before_is_taken_as_the_warmer() -> None:
    memory = observe(NO_FROST, replace(AT_EASE, fresh_air_c=1.0, freezer_air_c=-22.0), Memory(), NOW)
    assert [memory.fresh_food_c, memory.frozen_food_c] == pytest.approx([3.8, -18.1])


def test_a_memory_survives_a_restart() -> None:
    _, memory = decide(NO_FROST, replace(AT_EASE, prices=prices_at(12.0)), SAFE, NOW)
    assert memory.writes
    assert memory.held_since == NOW
    assert Memory.from_json(json.loads(json.dumps(memory.to_json()))) == memory
    assert Memory.from_json(json.loads(json.dumps(Memory().to_json()))) == Memory()


# --- the guard ---


def test_a_setback_that_would_be_unsafe_for_ever_is_never_written() -> None:
    decision = check(wished(5.0), NO_FROST, AT_EASE, SAFE, NOW)
    assert decision.write
    assert "lasting" in decision.rules
    middle_c = 3.8 + decision.setback_k
    assert middle_c < FRESH_LIMIT_C
    assert -16.6 + decision.setback_k < FROZEN_LIMIT_C


def test_a_least_setback_between_two_steps_is_not_passed() -> None:
    decision = check(wished(-9.0), replace(NO_FROST, least_setback_k=-2.25), AT_EASE, SAFE, NOW)
    assert decision.write
    assert decision.setback_k == -2.25


def test_the_thermostat_calls_before_the_air_reaches_its_limit() -> None:
    seen = replace(AT_EASE, fresh_air_c=4.7, setback_k=0.9)
    decision = check(wished(0.9), NO_FROST, seen, replace(SAFE, warming_k=0.3), NOW)
    assert decision.write
    assert decision.setback_k <= FRESH_LIMIT_C - 0.1 - 5.0 + 1e-9
    assert "air" in decision.rules


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"control": "off"}, "kill_switch"), ({"override": True}, "override"), ({"online": False}, "offline")],
)
def test_nothing_is_written_where_it_is_not_ours_to_write(change: dict[str, object], rule: str) -> None:
    decision = check(wished(0.5), NO_FROST, replace(AT_EASE, **change), SAFE, NOW)  # type: ignore[arg-type]
    assert not decision.write
    assert decision.rules == (rule,)


def test_what_the_household_has_not_allowed_is_only_shown() -> None:
    decision, _ = decide(NO_FROST, replace(AT_EASE, control="proposed"), SAFE, NOW)
    assert not decision.write
    assert decision.setback_k > 0.5
    assert "proposed" in decision.rules


@pytest.mark.parametrize(("control", "rule"), [("off", "kill_switch"), ("proposed", "withdrawn")])
def test_what_was_told_is_taken_back_where_control_is_no_longer_allowed(control: str, rule: str) -> None:
    """At once, again where the word did not arrive, also without temperatures; then it is left alone."""
    decision, memory = decide(NO_FROST, replace(AT_EASE, prices=prices_at(12.0)), SAFE, NOW)
    assert (decision.write, decision.hold_defrost) == (True, True)
    told = replace(AT_EASE, setback_k=decision.setback_k, hold_defrost=True, control=control, fresh_air_c=None)
    for seen in (told, told, replace(told, setback_k=0.0)):
        decision, memory = decide(NO_FROST, seen, memory, NOW + timedelta(minutes=1))
        assert (decision.setback_k, decision.hold_defrost, decision.write) == (0.0, False, True)
        assert decision.rules == (rule,)
        said = appliance_reason(decision.reason["code"], "Fridge", decision.reason["values"], "en")
        assert said == "Fridge: at its own setting again, because control of it is no longer allowed."
    for seen in (replace(told, setback_k=0.0, hold_defrost=False), replace(told, hold_defrost=False)):
        decision, memory = decide(NO_FROST, seen, memory, NOW + timedelta(minutes=10))
        assert not decision.write, "what was told later is not ours to take back"


def test_a_setting_by_hand_is_not_taken_back() -> None:
    _, memory = decide(NO_FROST, AT_EASE, SAFE, NOW)
    _, memory = decide(NO_FROST, replace(AT_EASE, setback_k=-2.0, override=True), memory, NOW + timedelta(minutes=5))
    decision, _ = decide(NO_FROST, replace(AT_EASE, setback_k=-2.0, control="off"), memory, NOW + timedelta(hours=2))
    assert not decision.write


@pytest.mark.parametrize("cut_h", [1, 3, 8])
def test_food_that_a_power_cut_warmed_is_not_forgotten(cut_h: int) -> None:
    """The first look after the cut comes when the air is cold again; food is taken as no colder than it is."""
    names = list(MODELS)
    constants, states = plants(names)
    foods = [lagged(5.0, 4.0, 3600.0), lagged(-15.0, -16.5, 3600.0)]
    memories = [replace(SAFE, fresh_food_c=foods[0], frozen_food_c=foods[1])] * len(names)
    after_min = 60 * cut_h + 45
    for constant, state, name, memory in zip(constants, states, names, memories, strict=True):
        food = list(foods)
        for minute in range(after_min):
            step(constant, state, minute >= 60 * cut_h, 32.0, 0.010, 0.0, 60.0)
            airs = (float(state["fresh_air_c"]), float(state["freezer_air_c"]))
            food = [lagged(one_c, air_c, 60.0) for one_c, air_c in zip(food, airs, strict=True)]
        program = NO_FROST if MODELS[name].has_damper else FOLLOWING
        after = observe(program, Seen(*airs, control="auto"), memory, NOW + timedelta(minutes=after_min))
        assert after.fresh_food_c >= food[0]
        assert after.frozen_food_c >= food[1]


def test_a_compressor_may_just_have_started_where_nobody_looked() -> None:
    memory = replace(SAFE, running=True, switched_at=NOW - timedelta(hours=1))
    later = NOW + timedelta(hours=3)
    assert observe(NO_FROST, replace(AT_EASE, running=True), memory, later).switched_at == later


@pytest.mark.parametrize("prevented", [{"control": "proposed"}, {"override": True}, {"setback_k": 0.5}, {}])
def test_a_correction_waits_while_it_cannot_be_acted_on(prevented: dict[str, object]) -> None:
    """Ten days of frozen food at -14 °C: not told to the refrigerator, not obeyed, or as cold as fresh food allows."""
    asked = {} if prevented else {"setback_k": LEAST_FRESH_C - FOLLOWING.fresh_out_c}
    seen = replace(AT_EASE, freezer_air_c=-14.0, **(prevented | asked))  # type: ignore[arg-type]
    memory = replace(SAFE, frozen_food_c=-14.0)
    for look in range(2880):
        memory = observe(FOLLOWING, seen, memory, NOW + timedelta(minutes=5 * look))
    reach_k = greatest_lasting_k(FOLLOWING, seen) - LEAST_FRESH_C + FOLLOWING.fresh_out_c
    assert memory.correction_k <= (0.1 if prevented else reach_k - 1.0)


@pytest.mark.parametrize("change", [{"fresh_in_c": math.nan}, {"freezer_in_c": -25.0}, {"least_setback_k": math.nan}])
def test_limits_that_cannot_be_those_of_a_thermostat_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(NO_FROST, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{"fresh_food_c": math.nan}, {"writes": None}, {"nonsense": 1}])
def test_values_that_are_no_memory_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="memory"):
        Memory.from_json(SAFE.to_json() | values)


@pytest.mark.parametrize(
    "change",
    [{"openings_per_day": math.nan}, {"prices": (math.nan, 0.3)}, {"since_load_s": math.nan}, {"setback_k": math.nan}],
)
def test_what_is_no_number_counts_as_not_known(change: dict[str, object]) -> None:
    """Nothing warmer than in a busy kitchen is told, and the unknown setback is told anew."""
    decision, _ = decide(NO_FROST, replace(AT_EASE, **change), SAFE, NOW)  # type: ignore[arg-type]
    busy, _ = decide(NO_FROST, AT_EASE, SAFE, NOW)
    assert decision.write
    assert decision.setback_k <= busy.setback_k
    assert json.loads(json.dumps(decision.reason, allow_nan=False)) == decision.reason
    assert decide(NO_FROST, replace(AT_EASE, fresh_air_c=None, **change), SAFE, NOW)[0].setback_k == 0.0  # type: ignore[arg-type]


@pytest.mark.parametrize(("air_c", "rule"), [(None, "stale_data"), (math.nan, "implausible_sensor")])
def test_without_temperatures_its_own_program_rules(air_c: float | None, rule: str) -> None:
    seen = replace(AT_EASE, fresh_air_c=air_c, setback_k=0.9, hold_defrost=True)
    decision, memory = decide(NO_FROST, seen, SAFE, NOW)
    assert (decision.setback_k, decision.hold_defrost, decision.write) == (0.0, False, True)
    assert decision.rules == (rule,)
    assert memory.fresh_food_c == SAFE.fresh_food_c


def test_a_compressor_that_has_just_switched_is_left_alone_unless_food_needs_it() -> None:
    started = replace(SAFE, running=True, switched_at=NOW - timedelta(minutes=2))
    assert "minimum_run" in check(wished(0.9), NO_FROST, replace(AT_EASE, running=True), started, NOW).rules
    stopped = replace(SAFE, switched_at=NOW - timedelta(minutes=2))
    assert "minimum_rest" in check(wished(-1.0), NO_FROST, AT_EASE, stopped, NOW).rules
    warm = check(wished(0.9), NO_FROST, replace(AT_EASE, setback_k=0.9), replace(stopped, fresh_food_c=4.95), NOW)
    assert warm.write
    assert warm.setback_k < 0.0


def test_writes_are_counted_but_never_where_food_needs_one() -> None:
    spent = replace(SAFE, writes=tuple(NOW - timedelta(minutes=i) for i in range(fridges.WRITES_PER_HOUR)))
    assert "write_budget" in check(wished(0.5), NO_FROST, AT_EASE, spent, NOW).rules
    assert check(wished(0.9), NO_FROST, replace(AT_EASE, fresh_air_c=4.95, setback_k=0.9), spent, NOW).write


def test_a_defrost_is_put_off_only_for_so_long_and_with_cold_food() -> None:
    assert check(wished(0.5, hold=True), NO_FROST, AT_EASE, SAFE, NOW).hold_defrost
    for memory in (replace(SAFE, frozen_food_c=-15.9), replace(SAFE, held_since=NOW - timedelta(hours=17))):
        decision = check(wished(0.5, hold=True), NO_FROST, replace(AT_EASE, hold_defrost=True), memory, NOW)
        assert (decision.hold_defrost, decision.write) == (False, True)


temperatures = st.one_of(st.none(), st.floats(-60.0, 80.0), st.just(math.nan))
programs = st.builds(
    lambda low, swing, freezer, frozen_swing, follows, expires: Program(
        low + swing, low, freezer + frozen_swing, freezer, follows, expires
    ),
    st.floats(0.8, 4.0),
    st.floats(0.8, 3.0),
    st.floats(-24.0, -18.0),
    st.floats(1.0, 3.0),
    st.booleans(),
    st.booleans(),
)


@given(
    program=programs,
    air=st.tuples(temperatures, temperatures),
    food=st.tuples(st.floats(-2.0, 20.0), st.floats(-30.0, 5.0)),
    wish_k=st.one_of(st.floats(-20.0, 20.0), st.just(math.nan), st.just(math.inf)),
    hold=st.booleans(),
    now_k=st.one_of(st.floats(-4.0, 4.0), st.just(math.nan)),
    warming_k=st.floats(0.0, 2.0),
    correction_k=st.floats(0.0, 5.0),
    running=st.sampled_from([None, False, True]),
    switched_s=st.integers(0, 1000),
    writes=st.integers(0, 12),
    openings=st.one_of(st.floats(0.0, 200.0), st.just(math.nan)),
)
def test_what_is_written_or_left_is_safe_in_any_state(
    program: Program,
    air: tuple[float | None, float | None],
    food: tuple[float, float],
    wish_k: float,
    hold: bool,
    now_k: float,
    warming_k: float,
    correction_k: float,
    running: bool | None,
    switched_s: int,
    writes: int,
    openings: float,
) -> None:
    seen = Seen(*air, running=running, setback_k=now_k, openings_per_day=openings, control="auto")
    memory = Memory(
        at=NOW,
        fresh_food_c=food[0],
        frozen_food_c=food[1],
        warming_k=warming_k,
        correction_k=correction_k,
        running=running,
        switched_at=NOW - timedelta(seconds=switched_s),
        writes=(NOW,) * writes,
    )
    decision = check(wished(wish_k, hold=hold), program, seen, memory, NOW)
    after_k = decision.setback_k  # written, or left standing
    floor_k = LEAST_FRESH_C - program.fresh_out_c
    assert math.isfinite(after_k)
    if decision.write:
        assert after_k <= max(greatest_lasting_k(program, seen), floor_k, 0.0) + 1e-6
        assert after_k >= floor_k - STEP_K
    trusted = all(one is not None and -45.0 <= one <= 60.0 for one in air)
    if trusted and air[0] is not None:
        lasting_k = max(greatest_lasting_k(program, seen), floor_k)
        assert after_k <= lasting_k + STEP_K / 2
        call_k = max(FRESH_LIMIT_C - 0.1 - program.fresh_in_c, floor_k)
        if air[0] + warming_k >= FRESH_LIMIT_C - 0.1:
            assert after_k <= call_k + STEP_K / 2, "the compressor would not start in time"
        if food[0] > FRESH_LIMIT_C:
            assert after_k <= max(call_k - 1.0, floor_k) + STEP_K / 2
        if food[1] > FROZEN_LIMIT_C:
            assert after_k <= max(lasting_k if program.freezer_follows else -1.0, floor_k) + STEP_K / 2
            assert not decision.hold_defrost or not decision.write


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from([name for name, model in MODELS.items() if model.has_damper]),
    room_c=st.floats(18.0, 32.0),
    seed=st.integers(0, 2**32 - 1),
    adversary=st.sampled_from(["engine", "warmest", "random"]),
    expires=st.booleans(),
)
def test_food_in_the_plant_stays_safe_whatever_is_wished(
    name: str, room_c: float, seed: int, adversary: str, expires: bool
) -> None:
    """Four days of random doors and wishes; only the guard stands between."""
    rng = np.random.default_rng(seed)
    constants, states = plants([name])
    model, state = MODELS[name], states[0]
    program = Program(
        model.fresh_cut_in_c, model.fresh_cut_out_c, model.freezer_cut_in_c, model.freezer_cut_out_c, False, expires
    )
    memory = Memory()
    fresh_c, frozen_c, grace_s = float(state["fresh_air_c"]), float(state["freezer_air_c"]), 0.0
    door_chance = rng.uniform(0.0, 0.08)
    for minute in range(4 * 1440):
        now = NOW + timedelta(minutes=minute)
        if minute % 5 == 0:
            seen = Seen(
                float(state["fresh_air_c"]),
                float(state["freezer_air_c"]),
                bool(state["running"]),
                float(state["setback_k"]),
                bool(state["hold_defrost"]),
                prices=prices_at(minute / 60 % 24),
                control="auto",
            )
            memory = observe(program, seen, memory, now)
            wants = {
                "engine": wish(program, seen, memory),
                "warmest": wished(9.0, hold=True),
                "random": wished(float(rng.uniform(-9.0, 9.0)), hold=bool(rng.integers(2))),
            }[adversary]
            decision = check(wants, program, seen, memory, now)
            if decision.write:
                state["setback_k"], state["hold_defrost"] = decision.setback_k, decision.hold_defrost
                memory = replace(memory, writes=(*memory.writes, now))
        door_kg_s = 0.0012 if rng.random() < door_chance else 0.0
        step(constants[0], state, True, room_c, 0.010, door_kg_s, 60.0)
        fresh_c = lagged(fresh_c, float(state["fresh_air_c"]), 60.0)
        frozen_c = lagged(frozen_c, float(state["freezer_air_c"]), 60.0)
        grace_s = AIR_GRACE_S if door_kg_s > 0.0 or state["defrosting"] else grace_s - 60.0
        assert fresh_c <= FRESH_LIMIT_C
        assert frozen_c <= FROZEN_LIMIT_C
        assert grace_s >= 0.0 or state["fresh_air_c"] <= FRESH_LIMIT_C


@pytest.mark.parametrize("room_c", [18.0, 25.0, 32.0])
@pytest.mark.parametrize("expires", [False, True])
def test_food_stays_safe_when_the_engine_falls_silent(expires: bool, room_c: float) -> None:
    """The last word stands for ever, or for half an hour after which the refrigerator's own program rules again.

    Food is as warm as it may be before the silence, and the compressor has just stopped.
    """
    names = [name for name, model in MODELS.items() if model.has_damper]
    constants, states = plants(names)
    lasting_k = np.array(
        [
            greatest_lasting_k(
                Program(m.fresh_cut_in_c, m.fresh_cut_out_c, m.freezer_cut_in_c, m.freezer_cut_out_c, False, expires),
                AT_EASE,
            )
            for m in (MODELS[name] for name in names)
        ]
    )
    states["fresh_air_c"] = 4.9 if expires else states["fresh_air_c"]
    fresh_c, frozen_c = np.full(len(names), 4.6), np.full(len(names), -16.5)
    for minute in range(2 * 1440):
        states["setback_k"] = 0.0 if expires and minute >= fridges.VALID_S / 60 else lasting_k
        for constant, state in zip(constants, states, strict=True):
            step(constant, state, True, room_c, 0.010, 0.0, 60.0)
        fresh_c = states["fresh_air_c"] + (fresh_c - states["fresh_air_c"]) * math.exp(-60.0 / FOOD_LAG_S)
        frozen_c = states["freezer_air_c"] + (frozen_c - states["freezer_air_c"]) * math.exp(-60.0 / FOOD_LAG_S)
        assert (fresh_c <= FRESH_LIMIT_C).all()
        assert (frozen_c <= FROZEN_LIMIT_C).all()


def test_a_freezer_that_follows_is_brought_back_where_its_own_program_leaves_it_too_warm() -> None:
    """A kitchen of 22 °C: the factory program leaves frozen food above -15 °C; control does not, and says why."""
    warmest = {}
    for controlled in (False, True):
        constants, states = plants(["top_freezer_210l"])
        model, state, memory = MODELS["top_freezer_210l"], states[0], Memory()
        program = Program(
            model.fresh_cut_in_c, model.fresh_cut_out_c, model.freezer_cut_in_c, model.freezer_cut_out_c, True, True
        )
        frozen_c, late, codes = -18.0, [], set()
        for minute in range(5 * 1440):
            if controlled and minute % 5 == 0:
                seen = Seen(
                    float(state["fresh_air_c"]),
                    float(state["freezer_air_c"]),
                    bool(state["running"]),
                    float(state["setback_k"]),
                    control="auto",
                )
                decision, memory = decide(program, seen, memory, NOW + timedelta(minutes=minute))
                codes.add(decision.reason["code"])
                if decision.write:
                    state["setback_k"] = decision.setback_k
            step(constants[0], state, True, 22.0, 0.010, 0.0, 60.0)
            frozen_c = lagged(frozen_c, float(state["freezer_air_c"]), 60.0)
            if minute > 2 * 1440:
                late.append(frozen_c)
        warmest[controlled] = max(late)
    assert warmest[False] > FROZEN_LIMIT_C
    assert warmest[True] <= FROZEN_LIMIT_C
    assert "fridge_safe" in codes


# --- wishes ---


def test_prices_are_dear_cheap_or_neither() -> None:
    assert price_now(()) == ("usual", 0.0)
    assert price_now((0.5,) * 96) == ("usual", 0.0)
    assert price_now(prices_at(10.0)) == ("dear", 12 * 3600.0)
    assert price_now(prices_at(6.0)) == ("cheap", 2 * 3600.0)
    assert price_now((0.0, 0.3)) == ("cheap", 900.0)
    assert price_now((-0.1, -0.1, 0.3)) == ("cheap", 1800.0)


def test_cold_is_stored_at_the_end_of_cheap_hours_and_defrosts_wait_in_dear_ones() -> None:
    early, late, dear = (wish(NO_FROST, replace(AT_EASE, prices=prices_at(hour)), SAFE) for hour in (22.0, 7.0, 12.0))
    assert late.setback_k < early.setback_k <= dear.setback_k
    assert (late.code, dear.code) == ("fridge_store", "fridge_coast")
    assert late.setback_k < -2.0
    assert dear.hold_defrost
    assert not late.hold_defrost


def test_a_freezer_that_follows_stores_only_where_it_has_cold_to_spare() -> None:
    seen = replace(AT_EASE, prices=prices_at(7.0))
    assert wish(FOLLOWING, seen, replace(SAFE, frozen_day_c=-18.5)).code == "fridge_store"
    assert wish(FOLLOWING, seen, replace(SAFE, frozen_day_c=-15.8)).code == "fridge_warmest"


def test_a_holiday_is_warmer_than_a_busy_kitchen_and_shopping_is_cooled() -> None:
    busy, still = replace(AT_EASE, openings_per_day=80.0), replace(AT_EASE, nobody_for_s=3 * 86_400.0)
    assert wish(NO_FROST, still, SAFE).setback_k > wish(NO_FROST, busy, SAFE).setback_k
    assert wish(NO_FROST, still, SAFE).values["holiday"] is True
    shopped = wish(NO_FROST, replace(AT_EASE, since_load_s=600.0), SAFE)
    assert (shopped.code, shopped.setback_k) == ("fridge_load", -1.0)
    assert wish(NO_FROST, replace(AT_EASE, since_load_s=600.0, prices=prices_at(12.0)), SAFE).code == "fridge_coast"


# --- what people read ---


def test_a_refrigerator_that_overcools_is_proposed_to_be_warmer() -> None:
    """The cut-in may rise from 3.2 to 4.9 °C, at 4 % a kelvin: 238 kWh (1 - 0.96^1.7)."""
    (only,) = proposals(OVERCOOLED, 238.0, Decimal("0.538"), Decimal("0.538"))
    assert only.code == "fridge_warmer"
    assert only.energy_kwh_per_year == Decimal("15.96")
    assert only.cost_per_year == Decimal("8.58")
    assert proposals(NO_FROST, 200.0, Decimal("0.538"), Decimal("0.538")) == []
    assert proposals(OVERCOOLED, math.nan, Decimal("0.538"), Decimal("0.538")) == []


def test_storing_is_proposed_with_its_energy_and_its_money() -> None:
    """18 kWh moved, 5 kWh more: 18 x 0.568 - 23 x 0.288 = 3.6."""
    (only,) = proposals(NO_FROST, 200.0, Decimal("0.568"), Decimal("0.288"))
    assert (only.code, only.energy_kwh_per_year, only.cost_per_year) == (
        "fridge_shift",
        Decimal("-5.00"),
        Decimal("3.60"),
    )
    said = appliance_proposal(
        only.code, "Fridge", only.energy_kwh_per_year, only.cost_per_year, "CNY", only.values, "en"
    )
    assert "about 3.60 CNY less a year, for 5 kWh more" in said


def test_a_freezer_that_is_too_warm_is_said_with_what_it_costs_to_mend() -> None:
    """From -12.4 to -16.2 °C: two kelvins of the fresh compartment, 1.09^2 - 1 = 18.81 % of 100 kWh."""
    (only,) = proposals(FOLLOWING, 100.0, Decimal("0.6"), Decimal("0.6"), frozen_day_c=-12.4)
    assert (only.code, only.energy_kwh_per_year, only.cost_per_year) == (
        "fridge_colder",
        Decimal("-18.81"),
        Decimal("-11.29"),
    )
    said = appliance_proposal(
        only.code, "the fridge", only.energy_kwh_per_year, only.cost_per_year, "CNY", only.values, "en"
    )
    assert "is at -12.4 °C" in said
    assert "about 19 kWh and 11.29 CNY more a year" in said
    assert proposals(FOLLOWING, 100.0, Decimal("0.5"), Decimal("0.5"), frozen_day_c=-16.0) == []


def test_every_code_has_a_sentence_in_every_language() -> None:
    values = {
        "minutes": 30,
        "setback_k": -0.5,
        "rules": ["proposed"],
        "holiday": True,
        "from_time": "02:00",
        "until_time": "06:00",
        "warmer_k": 1.5,
        "standby_w": 8.5,
        "off_hours": 12,
        "frozen_c": -12.4,
    }
    for language in LANGUAGES:
        said = {appliance_reason(code, "冰箱", values, language) for code in reason_codes()}
        assert len(said) == len(reason_codes())
        for code in proposal_codes():
            text = appliance_proposal(code, "冰箱", Decimal("12.3"), Decimal("6.62"), "CNY", values, language)
            assert "6.62 CNY" in text
    assert "0.5 °C colder" in appliance_reason("fridge_store", "Fridge", values, "en")


@given(hour=st.floats(0.0, 23.9), loaded=st.booleans(), away=st.booleans(), food_c=st.floats(0.0, 8.0))
def test_every_decision_can_be_said(hour: float, loaded: bool, away: bool, food_c: float) -> None:
    seen = replace(
        AT_EASE,
        prices=prices_at(hour),
        since_load_s=60.0 if loaded else math.inf,
        nobody_for_s=2e5 if away else 0.0,
    )
    for program in (NO_FROST, FOLLOWING):
        decision, _ = decide(program, seen, replace(SAFE, fresh_food_c=food_c), NOW)
        assert appliance_reason(decision.reason["code"], "Fridge", decision.reason["values"], "zh-Hant")
