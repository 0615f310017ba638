"""The guard, rule by rule and over random states and sequences."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.guard import Action, GuardState, History, Limits, WishSource, check, in_quiet_hours
from core.words import Fan, Mode
from models.words import Wish
from storage.repositories.learned import Season

NOW = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)
NOON = 12 * 60
LIMITS = Limits(16.0, 30.0, 0.5, (Mode.COOL, Mode.HEAT, Mode.DRY), (Fan.AUTO, Fan.LOW), 20.0, 29.0)
AT_EASE = GuardState(
    WishSource.POLICY, NOON, on=True, mode=Mode.COOL, setpoint_c=26.0, fan=Fan.AUTO, room_temperature_c=26.0
)
OFF = Wish(False, None, None, Fan.AUTO)
IDLE = History()


def cool(setpoint_c: float) -> Wish:
    return Wish(True, Mode.COOL, setpoint_c, Fan.AUTO)


def test_a_wish_within_all_limits_is_written_as_it_is() -> None:
    action, rules = check(cool(24.5), LIMITS, AT_EASE, IDLE, NOW)
    assert action == Action(cool(24.5), write=True)
    assert rules == []


def test_a_setpoint_is_put_on_the_steps_of_the_unit_without_a_word() -> None:
    action, rules = check(cool(24.63), LIMITS, AT_EASE, IDLE, NOW)
    assert action.target.setpoint_c == 24.5
    assert rules == []


def test_household_limits_bound_a_setpoint() -> None:
    limits = replace(LIMITS, household_low_c=25.0)
    action, rules = check(cool(24.0), limits, replace(AT_EASE, setpoint_c=27.0), IDLE, NOW)
    assert action.target.setpoint_c == 25.0
    assert rules == ["bounds"]


def test_household_limits_that_the_unit_cannot_keep_are_met_as_nearly_as_it_can() -> None:
    limits = replace(LIMITS, unit_low_c=18.0, household_low_c=12.0, household_high_c=16.0)
    action, _ = check(cool(25.0), limits, AT_EASE, IDLE, NOW)
    assert not action.write or action.target.setpoint_c == 18.0


def test_a_setpoint_moves_no_more_than_the_rate_at_once() -> None:
    state = replace(AT_EASE, setpoint_c=29.0, room_temperature_c=26.5)
    action, rules = check(cool(24.5), replace(LIMITS, rate_k=3.0), state, IDLE, NOW)
    assert action.target.setpoint_c == 26.0
    assert "rate" in rules


def test_a_unit_that_was_just_switched_on_stays_on() -> None:
    history = History(switched_at=NOW - timedelta(minutes=5))
    action, rules = check(OFF, LIMITS, AT_EASE, history, NOW)
    assert action.target.on
    assert not action.write
    assert rules == ["minimum_run"]


def test_a_unit_that_was_just_switched_off_stays_off() -> None:
    state = replace(AT_EASE, on=False, room_temperature_c=29.0)
    action, rules = check(cool(25.0), LIMITS, state, History(switched_at=NOW - timedelta(minutes=5)), NOW)
    assert not action.target.on
    assert not action.write
    assert rules == ["minimum_rest"]


def test_cooling_does_not_turn_into_heating_without_a_rest() -> None:
    state = replace(AT_EASE, season=Season.HEATING, comfort_low_c=19.0, comfort_high_c=21.0, room_temperature_c=20.0)
    action, rules = check(Wish(True, Mode.HEAT, 20.0, Fan.AUTO), LIMITS, state, IDLE, NOW)
    assert not action.target.on
    assert action.write
    assert rules == ["mode_change"]


def test_nothing_is_heated_in_the_cooling_season() -> None:
    state = replace(AT_EASE, on=False, room_temperature_c=22.0)
    action, rules = check(Wish(True, Mode.HEAT, 25.0, Fan.AUTO), LIMITS, state, IDLE, NOW)
    assert not action.target.on
    assert not action.write
    assert rules == ["season"]


def test_a_small_change_is_not_worth_a_write() -> None:
    action, rules = check(cool(25.5), LIMITS, AT_EASE, IDLE, NOW)
    assert not action.write
    assert rules == ["dead_band"]


def test_a_wish_that_wavers_between_two_steps_is_not_heard_each_time() -> None:
    """On steps of 1 K, 26.4 and 26.6 are 26 and 27; the unit keeps what it has."""
    limits = replace(LIMITS, step_k=1.0)
    for setpoint_c in (26.4, 26.6):
        action, _ = check(cool(setpoint_c), limits, AT_EASE, IDLE, NOW)
        assert not action.write
    action, _ = check(cool(24.9), limits, AT_EASE, IDLE, NOW)
    assert action.target.setpoint_c == 25.0


@pytest.mark.parametrize(("room_c", "occupied", "writes"), [(27.1, 1.0, True), (27.1, 0.0, False), (26.9, 1.0, False)])
def test_a_small_change_is_written_when_somebody_is_in_and_the_room_outside_the_band(
    room_c: float, occupied: float, writes: bool
) -> None:
    """The band ends at 27 °C."""
    state = replace(AT_EASE, room_temperature_c=room_c, occupied=occupied)
    action, rules = check(cool(25.5), LIMITS, state, IDLE, NOW)
    assert action.write is writes
    assert rules == ([] if writes else ["dead_band"])


@pytest.mark.parametrize(("minute", "quiet"), [(23 * 60, True), (3 * 60, True), (7 * 60, False), (NOON, False)])
def test_quiet_hours_pass_midnight(minute: int, quiet: bool) -> None:
    assert in_quiet_hours(LIMITS, minute) is quiet


def test_nothing_beeps_in_the_quiet_hours() -> None:
    action, rules = check(cool(24.5), LIMITS, replace(AT_EASE, local_minute=2 * 60), IDLE, NOW)
    assert not action.write
    assert rules == ["quiet_hours"]


def test_a_unit_may_be_switched_off_in_the_quiet_hours() -> None:
    action, rules = check(OFF, LIMITS, replace(AT_EASE, local_minute=2 * 60), IDLE, NOW)
    assert action == Action(OFF, write=True)
    assert rules == []


def test_a_sensor_that_is_not_believed_does_not_break_the_quiet() -> None:
    state = replace(AT_EASE, local_minute=2 * 60, room_temperature_c=90.0, plausible=False, fallback=cool(24.0))
    assert check(OFF, LIMITS, state, IDLE, NOW)[1] == ["implausible_sensor", "quiet_hours"]


def test_a_room_that_got_too_hot_at_night_is_cooled_all_the_same() -> None:
    state = replace(AT_EASE, on=False, local_minute=2 * 60, room_temperature_c=29.0)
    action, rules = check(OFF, LIMITS, state, IDLE, NOW)
    assert action == Action(cool(27.0), write=True)
    assert rules == ["comfort"]


def test_the_write_budget_of_an_hour_is_kept() -> None:
    history = History(writes=tuple(NOW - timedelta(minutes=minute) for minute in (5, 20, 35, 50)))
    action, rules = check(cool(24.5), LIMITS, AT_EASE, history, NOW)
    assert not action.write
    assert rules == ["write_budget"]


def test_without_a_fresh_temperature_the_conventional_program_holds() -> None:
    state = replace(AT_EASE, room_temperature_c=None, fallback=cool(25.0))
    action, rules = check(cool(29.0), LIMITS, state, IDLE, NOW)
    assert action == Action(cool(25.0), write=True)
    assert rules == ["stale_data"]


def test_an_implausible_sensor_is_not_believed() -> None:
    state = replace(AT_EASE, plausible=False, fallback=cool(25.0))
    action, rules = check(OFF, LIMITS, state, IDLE, NOW)
    assert action.target == cool(25.0)
    assert rules == ["implausible_sensor"]


def test_without_data_and_without_a_known_program_nothing_changes() -> None:
    action, rules = check(OFF, LIMITS, replace(AT_EASE, room_temperature_c=None), IDLE, NOW)
    assert not action.write
    assert rules == ["stale_data"]


def test_an_offline_unit_is_told_nothing() -> None:
    action, rules = check(cool(24.0), LIMITS, replace(AT_EASE, online=False), IDLE, NOW)
    assert not action.write
    assert rules == ["offline"]


def test_an_override_keeps_the_policy_away() -> None:
    action, rules = check(cool(24.0), LIMITS, replace(AT_EASE, override=True), IDLE, NOW)
    assert not action.write
    assert rules == ["override"]


def test_a_person_may_do_at_once_what_the_engine_may_not() -> None:
    state = replace(AT_EASE, source=WishSource.OVERRIDE, override=True, local_minute=2 * 60)
    history = History(NOW, tuple(NOW for _ in range(9)))
    action, rules = check(cool(17.0), LIMITS, state, history, NOW)
    assert action == Action(cool(17.0), write=True)
    assert rules == []


def test_even_a_person_stays_within_what_the_unit_can_do() -> None:
    action, rules = check(cool(5.0), LIMITS, replace(AT_EASE, source=WishSource.OVERRIDE), IDLE, NOW)
    assert action.target.setpoint_c == 16.0
    assert rules == ["bounds"]


def test_a_room_that_is_switched_off_from_control_is_left_alone() -> None:
    action, rules = check(cool(24.0), LIMITS, replace(AT_EASE, control="off"), IDLE, NOW)
    assert not action.write
    assert rules == ["kill_switch"]


def test_shadow_decides_and_does_nothing() -> None:
    action, rules = check(cool(24.0), LIMITS, replace(AT_EASE, control="shadow"), IDLE, NOW)
    assert action == Action(cool(24.0), write=False)
    assert action.command() is None
    assert rules == ["shadow"]


def test_a_unit_that_is_off_in_an_empty_room_stays_off() -> None:
    state = replace(AT_EASE, on=False, occupied=0.1, room_temperature_c=32.0)
    action, rules = check(cool(26.0), LIMITS, state, IDLE, NOW)
    assert not action.write
    assert rules == ["empty_room"]


def test_a_forecast_return_lets_a_unit_start_in_an_empty_room() -> None:
    state = replace(AT_EASE, on=False, occupied=0.1, returning=True, room_temperature_c=32.0)
    action, _ = check(cool(26.0), LIMITS, state, IDLE, NOW)
    assert action == Action(cool(26.0), write=True)


def test_a_setpoint_never_lets_an_occupied_room_leave_the_band() -> None:
    action, rules = check(cool(29.0), LIMITS, replace(AT_EASE, room_temperature_c=28.0), IDLE, NOW)
    assert action.target.setpoint_c == 27.0
    assert "comfort" in rules


def test_a_room_that_is_cold_enough_is_not_cooled_further() -> None:
    state = replace(AT_EASE, room_temperature_c=24.3, comfort_low_c=24.9, comfort_high_c=26.9)
    action, rules = check(cool(25.0), LIMITS, state, IDLE, NOW)
    assert action == Action(OFF, write=True)
    assert rules == ["comfort"]


def test_a_room_a_little_past_the_far_edge_is_left_to_the_wish() -> None:
    state = replace(AT_EASE, room_temperature_c=24.7, comfort_low_c=24.9, comfort_high_c=26.9)
    action, rules = check(cool(25.0), LIMITS, state, IDLE, NOW)
    assert action == Action(cool(25.0), write=True)
    assert rules == []


def test_bounds_of_comfort_are_of_the_room_and_not_of_a_sensor_that_reads_otherwise() -> None:
    """A unit that has to be told 3 K more than the room is to have."""
    state = replace(AT_EASE, season=Season.HEATING, mode=Mode.HEAT, setpoint_c=22.0, comfort_low_c=19.0)
    state = replace(state, comfort_high_c=21.0, room_temperature_c=19.2)
    warm = Wish(True, Mode.HEAT, 23.5, Fan.AUTO)
    bounded, _ = check(warm, LIMITS, replace(state, setpoint_c=20.0), IDLE, NOW)
    assert bounded.target.setpoint_c == 22.5
    action, rules = check(warm, LIMITS, replace(state, sensor_offset_k=3.0), IDLE, NOW)
    assert action == Action(warm, write=True)
    assert rules == []


def test_the_first_write_says_everything_even_if_nothing_differs() -> None:
    action, _ = check(cool(26.0), LIMITS, AT_EASE, replace(IDLE, known=False), NOW)
    assert action.write


# --- over random states ---

# what is usual is drawn more often: the rules are deep, and few states of pure chance reach the last of them
usually = st.sampled_from([True, True, True, True, True, False])
seldom = st.sampled_from([False, False, False, False, False, True])
setpoints = st.integers(30, 64).map(lambda halves: halves / 2.0)
numbers = st.one_of(setpoints, setpoints, setpoints, st.none(), st.floats(-50.0, 80.0), st.just(math.nan))
modes = st.sampled_from([Mode.COOL, Mode.COOL, Mode.HEAT, Mode.HEAT, *Mode, None])
wishes = st.builds(Wish, usually, modes, numbers, st.sampled_from(list(Fan)))
limits_ = st.builds(
    Limits,
    unit_low_c=st.sampled_from([15.0, 16.0, 17.5]),
    unit_high_c=st.sampled_from([28.0, 30.0, 31.0]),
    step_k=st.sampled_from([0.5, 1.0]),
    modes=st.sampled_from([(Mode.COOL,), (Mode.COOL, Mode.HEAT), tuple(Mode)]),
    fans=st.sampled_from([(), (Fan.AUTO, Fan.LOW), tuple(Fan)]),
    household_low_c=st.floats(10.0, 26.0),
    household_high_c=st.floats(20.0, 35.0),
    rate_k=st.sampled_from([1.0, 3.0]),
    quiet=st.sampled_from([None, (1380, 420), (60, 720)]),
)
states = st.builds(
    GuardState,
    source=st.sampled_from([WishSource.POLICY, WishSource.POLICY, WishSource.POLICY, *WishSource]),
    local_minute=st.integers(0, 1439),
    on=st.sampled_from([None, True, True, False, False]),
    mode=modes,
    setpoint_c=st.one_of(setpoints, setpoints, st.none(), st.floats(10.0, 35.0)),
    fan=st.one_of(st.none(), st.sampled_from(list(Fan))),
    online=usually,
    room_temperature_c=st.one_of(
        st.floats(18.0, 34.0), st.floats(18.0, 34.0), st.none(), st.floats(-20.0, 60.0), st.just(math.nan)
    ),
    plausible=usually,
    occupied=st.floats(0.0, 1.0),
    returning=st.booleans(),
    season=st.sampled_from(list(Season)),
    comfort_low_c=st.floats(15.0, 25.0),
    comfort_high_c=st.floats(25.0, 30.0),
    override=seldom,
    control=st.sampled_from(["auto", "auto", "auto", "ab", "shadow", "off"]),
    fallback=st.one_of(st.none(), wishes),
)
instants = st.integers(0, 5400).map(lambda seconds: NOW - timedelta(seconds=seconds))
histories = st.builds(History, st.one_of(st.none(), instants), st.lists(instants, max_size=5).map(tuple), known=usually)


trusted_c = st.floats(10.0, 40.0)


def is_trusted(state: GuardState) -> bool:
    return state.room_temperature_c is not None and state.plausible and math.isfinite(state.room_temperature_c)


def allowed_c(limits: Limits) -> tuple[float, float]:
    """What unit and household allow together; the household's lower bound, as near as it goes, where they do not."""
    low_c = max(limits.unit_low_c, limits.household_low_c)
    high_c = min(limits.unit_high_c, limits.household_high_c)
    nearest_c = min(max(limits.household_low_c, limits.unit_low_c), limits.unit_high_c)
    return (low_c, high_c) if low_c <= high_c else (nearest_c, nearest_c)


def is_quiet(limits: Limits, minute: int) -> bool:
    """Whether a minute of the day is one of the quiet hours, counted one by one."""
    if limits.quiet is None:
        return False
    start, end = limits.quiet
    return minute in {at % 1440 for at in range(start, end if end > start else end + 1440)}


def is_needed(state: GuardState) -> bool:
    """Somebody is in, and the room is known to be beyond an edge of their band."""
    room_c = state.room_temperature_c
    if room_c is None or not is_trusted(state) or state.occupied < 0.5:
        return False
    return room_c > state.comfort_high_c or room_c < state.comfort_low_c


@settings(max_examples=1500)
@given(wish=wishes, limits=limits_, state=states, history=histories)
def test_nothing_is_ever_written_outside_the_limits(
    wish: Wish, limits: Limits, state: GuardState, history: History
) -> None:
    action, rules = check(wish, limits, state, history, NOW)
    assert len(rules) == len(set(rules))
    if not action.write:
        assert action.command() is None
        return
    target = action.target
    by_people = state.source in (WishSource.OVERRIDE, WishSource.RELEASE)
    own_program = state.source == WishSource.TRIAL
    if target.on:
        assert target.mode in limits.modes
        assert target.fan == Fan.AUTO or target.fan in limits.fans
        assert target.setpoint_c is not None
        assert limits.unit_low_c <= target.setpoint_c <= limits.unit_high_c
    if by_people:
        return
    assert state.online
    assert state.control in ("auto", "ab")
    assert not state.override
    if not is_trusted(state) and not own_program:
        assert state.fallback is not None, "without data only the household's own program may be written"
    if target.on and is_trusted(state) and not own_program:
        assert target.mode != (Mode.HEAT if state.season == Season.COOLING else Mode.COOL)
    switched_s = 1e9 if history.switched_at is None else (NOW - history.switched_at).total_seconds()
    if state.on is not False and not target.on:
        assert switched_s >= limits.minimum_run_s
    if state.on is not True and target.on:
        assert switched_s >= limits.minimum_rest_s
    if not state.on and target.on:
        assert state.occupied >= 0.5 or state.returning
    if state.on and target.on and state.mode is not None:
        cooling = (Mode.COOL, Mode.DRY)
        assert not (state.mode in cooling and target.mode == Mode.HEAT)
        assert not (state.mode == Mode.HEAT and target.mode in cooling)
    recent = [at for at in history.writes if NOW - at < timedelta(hours=1)]
    assert len(recent) < limits.writes_per_hour
    low_c, high_c = allowed_c(limits)
    if target.on:
        assert target.setpoint_c is not None
        if limits.household_low_c <= limits.household_high_c:
            assert low_c <= target.setpoint_c <= high_c
    if is_quiet(limits, state.local_minute) and not own_program:
        assert is_needed(state) or (state.on and not target.on)
    same = state.on and target.on and target.mode == state.mode and state.setpoint_c is not None
    if same and history.known and not own_program:
        assert target.setpoint_c is not None
        assert state.setpoint_c is not None
        changed_k = abs(target.setpoint_c - state.setpoint_c)
        assert changed_k >= min(limits.dead_band_k, limits.step_k) - limits.step_k / 2 - 1e-6


@given(
    wanted_c=st.floats(10.0, 40.0),
    setpoint_c=st.integers(40, 58).map(lambda halves: halves / 2.0),
    room_c=st.floats(24.0, 32.0),
    occupied=st.sampled_from([0.0, 1.0]),
    limits=limits_,
)
def test_a_setpoint_never_jumps_by_more_than_the_rate(
    wanted_c: float, setpoint_c: float, room_c: float, occupied: float, limits: Limits
) -> None:
    low_c, high_c = allowed_c(limits)
    state = replace(AT_EASE, setpoint_c=min(max(setpoint_c, low_c), high_c), room_temperature_c=room_c)
    state = replace(state, occupied=occupied)
    action, _ = check(cool(wanted_c), limits, state, IDLE, NOW)
    if action.write and action.target.on:
        assert action.target.setpoint_c is not None
        assert state.setpoint_c is not None
        assert abs(action.target.setpoint_c - state.setpoint_c) <= limits.rate_k + limits.step_k / 2 + 1e-9


@given(
    first=wishes,
    second=wishes,
    limits=limits_,
    state=states,
    history=histories,
    room_c=st.sampled_from([None, math.nan, math.inf, -math.inf]),
    plausible=st.booleans(),
)
def test_a_wish_counts_for_nothing_without_a_temperature_to_rest_on(
    first: Wish,
    second: Wish,
    limits: Limits,
    state: GuardState,
    history: History,
    room_c: float | None,
    plausible: bool,
) -> None:
    state = replace(state, source=WishSource.POLICY, room_temperature_c=room_c, plausible=plausible)
    assert check(first, limits, state, history, NOW) == check(second, limits, state, history, NOW)


@given(wish=wishes, limits=limits_, state=states, history=histories, control=st.sampled_from(["auto", "ab"]))
def test_watching_decides_as_steering_would_and_writes_nothing(
    wish: Wish, limits: Limits, state: GuardState, history: History, control: str
) -> None:
    if state.source in (WishSource.OVERRIDE, WishSource.RELEASE):
        return
    steered, rules = check(wish, limits, replace(state, control=control), history, NOW)
    watched, watched_rules = check(wish, limits, replace(state, control="shadow"), history, NOW)
    assert not watched.write
    assert watched.target == steered.target
    assert [rule for rule in watched_rules if rule != "shadow"] == rules
    assert ("shadow" in watched_rules) == steered.write


@given(wish=wishes, limits=limits_, state=states, history=histories)
def test_what_was_written_and_obeyed_is_not_written_again(
    wish: Wish, limits: Limits, state: GuardState, history: History
) -> None:
    """The guard is content with its own word: the same wish in the room as it then is takes no second write."""
    state = replace(state, source=WishSource.POLICY)
    action, _ = check(wish, limits, state, history, NOW)
    if not action.write:
        return
    target = action.target
    on = {"on": True, "mode": target.mode, "setpoint_c": target.setpoint_c, "fan": target.fan}
    after = replace(state, **(on if target.on else {"on": False}))
    again, _ = check(wish, limits, after, replace(history, known=True), NOW)
    if again.write:  # the rate leaves a rest for the next write
        assert state.on
        assert target.setpoint_c is not None
        assert again.target.setpoint_c != target.setpoint_c


# --- over random sequences ---


@dataclass(frozen=True)
class Step:
    """What happens between two decisions, and what then is."""

    wish: Wish
    minutes: int
    room_c: float | None
    occupied: float
    plausible: bool
    online: bool
    control: str
    source: WishSource
    hand: bool | None  # somebody switches the unit at its own buttons


steps_ = st.builds(
    Step,
    wish=wishes,
    minutes=st.integers(1, 40),
    room_c=st.one_of(trusted_c, trusted_c, trusted_c, st.none()),
    occupied=st.floats(0.0, 1.0),
    plausible=usually,
    online=usually,
    control=st.sampled_from(["auto", "auto", "auto", "ab", "shadow", "off"]),
    source=st.sampled_from(
        [WishSource.POLICY, WishSource.POLICY, WishSource.RULE, WishSource.TRIAL, WishSource.OVERRIDE]
    ),
    hand=st.sampled_from([None, None, None, None, True, False]),
)


@settings(max_examples=250)
@given(steps=st.lists(steps_, min_size=5, max_size=60), limits=limits_, program=st.one_of(st.none(), wishes))
def test_no_sequence_of_events_breaks_what_protects_unit_and_people(
    steps: list[Step], limits: Limits, program: Wish | None
) -> None:
    """A unit that obeys at once, wild wishes, people at its buttons and at their telephones, sensors that fail."""
    now, state = NOW, replace(AT_EASE, on=False, fallback=program)
    switched_at: datetime | None = None
    writes: list[datetime] = []
    for step in steps:
        now += timedelta(minutes=step.minutes)
        if step.hand is not None and step.hand != state.on:
            state, switched_at = replace(state, on=step.hand), now - timedelta(seconds=30)
        state = replace(
            state,
            source=step.source,
            override=step.source == WishSource.OVERRIDE,
            local_minute=(now.hour * 60 + now.minute) % 1440,
            room_temperature_c=step.room_c,
            plausible=step.plausible,
            occupied=step.occupied,
            online=step.online,
            control=step.control,
        )
        action, _ = check(step.wish, limits, state, History(switched_at, tuple(writes)), now)
        if not action.write:
            continue
        target, by_people = action.target, step.source == WishSource.OVERRIDE
        if not by_people:
            assert step.online
            assert step.control in ("auto", "ab")
            assert sum(now - at < timedelta(hours=1) for at in writes) < limits.writes_per_hour
            if target.on != state.on and switched_at is not None:
                least_s = limits.minimum_run_s if state.on else limits.minimum_rest_s
                assert (now - switched_at).total_seconds() >= least_s
            if step.source != WishSource.TRIAL:
                assert is_trusted(state) or program is not None
                falls_silent = state.on and not target.on
                assert is_needed(state) or falls_silent or not is_quiet(limits, state.local_minute)
        writes.append(now)
        if target.on != state.on:
            switched_at = now
        if target.on:
            state = replace(state, on=True, mode=target.mode, setpoint_c=target.setpoint_c, fan=target.fan)
        else:
            state = replace(state, on=False)


@settings(max_examples=150)
@given(
    steps=st.lists(st.tuples(wishes, st.integers(1, 40), trusted_c, st.floats(0.0, 1.0)), min_size=5, max_size=60),
    limits=limits_,
)
def test_left_to_itself_the_engine_starts_a_compressor_no_faster_than_run_and_rest_allow(
    steps: list[tuple[Wish, int, float, float]], limits: Limits
) -> None:
    now, state = NOW, replace(AT_EASE, on=False)
    switched_at: datetime | None = None
    writes: list[datetime] = []
    starts: list[datetime] = []
    for wish, minutes, room_c, occupied in steps:
        now += timedelta(minutes=minutes)
        minute = (now.hour * 60 + now.minute) % 1440
        state = replace(state, local_minute=minute, room_temperature_c=room_c, occupied=occupied)
        action, _ = check(wish, limits, state, History(switched_at, tuple(writes)), now)
        if not action.write:
            continue
        writes.append(now)
        target = action.target
        if target.on != state.on:
            switched_at = now
            starts += [now] if target.on else []
        if target.on:
            state = replace(state, on=True, mode=target.mode, setpoint_c=target.setpoint_c, fan=target.fan)
        else:
            state = replace(state, on=False)
    for at in writes:
        assert sum(at - timedelta(hours=1) < other <= at for other in writes) <= limits.writes_per_hour
    for first, second in pairwise(starts):
        assert (second - first).total_seconds() >= limits.minimum_run_s + limits.minimum_rest_s


# --- the household's own program on its days ---


def own(**changes: object) -> GuardState:
    return replace(AT_EASE, source=WishSource.TRIAL, control="ab", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "state",
    [
        own(local_minute=2 * 60),
        own(room_temperature_c=None),
        own(room_temperature_c=24.0),
        own(plausible=False),
        own(season=Season.HEATING, comfort_low_c=19.0, comfort_high_c=21.0),
    ],
)
def test_the_households_own_program_is_not_made_better_on_its_days(state: GuardState) -> None:
    action, rules = check(cool(20.0), LIMITS, state, IDLE, NOW)
    assert action == Action(cool(20.0), write=True)
    assert rules == []


def test_what_protects_the_unit_holds_on_the_programs_days_too() -> None:
    just_on = History(switched_at=NOW - timedelta(minutes=5))
    assert check(OFF, LIMITS, own(), just_on, NOW)[1] == ["minimum_run"]
    often = History(writes=tuple(NOW - timedelta(minutes=minute) for minute in (5, 20, 35, 50)))
    assert check(cool(22.0), LIMITS, own(), often, NOW)[1] == ["write_budget"]
    assert check(cool(17.0), LIMITS, own(), IDLE, NOW)[0].target.setpoint_c == 20.0
    assert check(cool(22.0), LIMITS, own(on=False, occupied=0.0), IDLE, NOW)[1] == ["empty_room"]


def test_a_unit_of_which_nobody_knows_whether_it_runs_is_not_switched_either_way_too_soon() -> None:
    state = replace(AT_EASE, on=None, room_temperature_c=29.0)
    just_now = History(switched_at=NOW - timedelta(minutes=5))
    assert check(cool(25.0), LIMITS, state, just_now, NOW)[1] == ["minimum_rest"]
    assert check(OFF, LIMITS, replace(state, room_temperature_c=26.0), just_now, NOW)[1] == ["minimum_run"]


def test_the_return_to_the_program_is_written_even_if_the_unit_looks_so() -> None:
    state = replace(AT_EASE, source=WishSource.RELEASE, control="off", fallback=cool(26.0))
    assert check(cool(26.0), LIMITS, state, IDLE, NOW)[0].write
    assert not check(cool(26.0), LIMITS, replace(state, fallback=None), IDLE, NOW)[0].write
