"""A room teaches what the network does not know of it, and questions "what if" stay the network's."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.correction import NINETY, Correction, Corrections
from models.readings import readings_of
from models.words import HORIZONS_S, Outlook, RoomMoment
from tests.models.moments import AFTERNOON, summer_moment
from tests.models.one_room import OneRoom

DAY_STEPS = 96
WAVE_K = 2.0

Room = Callable[[float], float]


def wave(hour: float) -> float:
    """A room that follows the day."""
    return float(26.0 + WAVE_K * np.sin(2.0 * np.pi * hour / 24.0))


def moments(days: float, room: Room = wave, *, step_s: float = 900.0, first_day: float = 0.0) -> Iterable[RoomMoment]:
    for step in range(round(days * 86_400 / step_s)):
        hour = 24.0 * first_day + step * step_s / 3600.0
        yield summer_moment(
            at=AFTERNOON + timedelta(hours=hour), local_hour=hour % 24.0, step_s=step_s, room_temperature_c=room(hour)
        )


def network(moment: RoomMoment, *, above_k: float, room: Room = wave, spread_k: float = 0.5) -> Outlook:
    """A network that is right but for ``above_k``."""
    hour = (moment.at - AFTERNOON).total_seconds() / 3600.0
    temperature_c = tuple(room(hour + horizon_s / 3600.0) + above_k for horizon_s in HORIZONS_S)
    return Outlook(HORIZONS_S, temperature_c, (spread_k,) * 6, (0.1,) * 6)


def taught(days: float, above_k: float = 1.0, room: Room = wave, step_s: float = 900.0) -> tuple[Correction, Outlook]:
    """A correction after some days, and what the network says then."""
    correction, outlook = Correction(), None
    for moment in moments(days, room, step_s=step_s):
        outlook = network(moment, above_k=above_k, room=room)
        correction.step(moment, outlook)
    assert outlook is not None
    return correction, outlook


def test_at_first_the_network_is_believed() -> None:
    correction, _ = taught(1 / DAY_STEPS)
    assert np.abs(correction.shift_k).max() < 0.15 * WAVE_K


@pytest.mark.parametrize("step_s", [900.0, 3600.0])
def test_a_network_that_is_off_by_a_kelvin_is_put_right(step_s: float) -> None:
    """Hourly readings cannot judge the first quarter of an hour; the other horizons they can."""
    correction, outlook = taught(4.0, step_s=step_s)
    right_c = np.array(outlook.temperature_c) - 1.0
    miss_k = np.abs(np.array(correction.apply(outlook).temperature_c) - right_c)
    assert miss_k[1 if step_s > 900.0 else 0 :].max() < 0.15


def test_the_correction_begins_on_the_first_day() -> None:
    correction, outlook = taught(0.75)
    one_hour = HORIZONS_S.index(3600)
    assert correction.apply(outlook).temperature_c[one_hour] - (outlook.temperature_c[one_hour] - 1.0) < 0.4


def test_a_question_what_if_is_answered_by_the_network() -> None:
    correction, outlook = taught(3.0)
    colder = replace(outlook, temperature_c=tuple(value - 0.8 for value in outlook.temperature_c))
    difference_k = np.subtract(correction.apply(outlook).temperature_c, correction.apply(colder).temperature_c)
    assert difference_k == pytest.approx(np.full(6, 0.8))
    assert correction.apply(colder).energy_kwh == colder.energy_kwh


@pytest.mark.parametrize("spread_k", [0.05, 1.0])
def test_spreads_learn_to_hold_nine_of_ten(spread_k: float) -> None:
    """The room is noise of 0.3 K that nobody can foresee; the network claims to know it better, or much worse."""
    noise_k = np.random.default_rng(3).normal(0.0, 0.3, 20 * DAY_STEPS)

    def room(hour: float) -> float:
        return float(26.0 + noise_k[round(hour * 4) % noise_k.size])

    correction, held = Correction(), []
    expected: list[tuple[float, float]] = []  # an hour ahead
    for step, moment in enumerate(moments(20.0, room)):
        reading_c = moment.room_temperature_c
        assert reading_c is not None
        if step >= 8 * DAY_STEPS:
            temperature_c, spread = expected[step - 4]
            held.append(abs(temperature_c - reading_c) <= NINETY * spread)
        outlook = Outlook(HORIZONS_S, (26.0,) * 6, (spread_k,) * 6, (0.0,) * 6)
        correction.step(moment, outlook)
        shown = correction.apply(outlook)
        expected.append((shown.temperature_c[1], shown.spread_k[1]))
    assert 0.87 <= np.mean(held) <= 0.93


def test_what_was_learned_survives_json() -> None:
    correction, _ = taught(6.0)
    text = json.dumps(correction.to_json())
    assert len(text) < 100_000
    recalled = Correction.from_json(json.loads(text))
    assert recalled.to_json() == json.loads(text)
    for moment in moments(0.5, first_day=6.0):
        outlook = network(moment, above_k=1.0)
        recalled.step(moment, outlook)
    right_c = np.array(outlook.temperature_c) - 1.0
    assert np.abs(np.array(recalled.apply(outlook).temperature_c) - right_c).max() < 0.3


@pytest.mark.parametrize("values", [{}, {"version": 1, "samples": 3}, {"version": 2, "samples": 1}])
def test_values_that_are_no_correction_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Correction.from_json(values)


def test_a_week_without_readings_is_outlived() -> None:
    correction, _ = taught(4.0)
    for moment in moments(2.0, first_day=11.0):
        outlook = network(moment, above_k=1.0)
        correction.step(moment, outlook)
    right_c = np.array(outlook.temperature_c) - 1.0
    assert np.abs(np.array(correction.apply(outlook).temperature_c) - right_c).max() < 0.2


def test_a_moment_without_a_reading_changes_nothing() -> None:
    correction, outlook = taught(2.0)
    before = correction.apply(outlook)
    (moment,) = moments(1 / DAY_STEPS, first_day=2.0)
    correction.step(replace(moment, room_temperature_c=None), outlook)
    assert correction.apply(outlook) == before
    assert correction.due(moment)


def test_a_better_physical_model_is_taken_up() -> None:
    """The network is off by noise of 2 K, the physics is right."""
    rng = np.random.default_rng(5)
    correction = Correction()
    for moment in moments(4.0):
        noisy = network(moment, above_k=float(rng.normal(0.0, 2.0)))
        correction.step(moment, noisy, network(moment, above_k=0.0))
    right_c = np.array(network(moment, above_k=0.0).temperature_c)
    assert np.abs(np.array(correction.apply(noisy).temperature_c) - right_c).max() < 0.2


def test_an_input_that_never_came_before_does_not_carry_the_room_away() -> None:
    correction, _ = taught(4.0)
    (moment,) = moments(1 / DAY_STEPS, first_day=4.0)
    outlook = network(moment, above_k=1.0)
    correction.step(replace(moment, power_w=1e9, outdoor_temperature_c=5000.0), outlook)
    assert np.abs(np.array(correction.apply(outlook).temperature_c) - 26.0).max() < 20.0


def test_small_differences_beside_large_values_are_learned() -> None:
    """A heat of 100 kW moves by 20 W; what the room does in the next hour follows from that alone."""
    rng = np.random.default_rng(5)
    heat_kw = rng.normal(0.0, 0.02, 30 * DAY_STEPS)
    room_c = 26.0 + np.concatenate([np.zeros(4), 20.0 * heat_kw])
    correction, expected_c = Correction(), []
    for slot, moment in enumerate(moments(30.0, lambda hour: float(room_c[round(hour * 4)]))):
        still = Outlook(HORIZONS_S, (26.0,) * 6, (0.5,) * 6, (0.1,) * 6)
        correction.step(replace(moment, power_w=None, heat_w=1e5 + 1e3 * heat_kw[slot]), still)
        expected_c.append(correction.apply(still).temperature_c[1])
    late = slice(-10 * DAY_STEPS, None)
    missed_k = np.abs(np.array(expected_c) - room_c[4:])[late]
    assert missed_k.mean() < 0.3 * np.abs(room_c - 26.0)[late].mean()


def lives(seed: int, rooms: int, steps: int) -> Iterable[list[tuple[int, RoomMoment, Outlook, Outlook | None]]]:
    """What befalls some rooms: gaps of slots, hours and days, readings and forecasts that are missing."""
    rng = np.random.default_rng(seed)
    slots = np.zeros(rooms, dtype=np.int64)

    def unless_missing(value: float, ratio: float) -> float | None:
        return None if rng.random() < ratio else value

    def outlook() -> Outlook:
        return Outlook(HORIZONS_S, tuple(rng.normal(26.0, 1.0, 6)), tuple(rng.uniform(0.2, 1.0, 6)), (0.1,) * 6)

    for _ in range(steps):
        step = []
        for room in np.flatnonzero(rng.random(rooms) < 0.9).tolist():
            slots[room] += rng.choice([1, 2, 5, 97, 200], p=[0.93, 0.04, 0.02, 0.005, 0.005])
            hour = float(slots[room]) / 4.0
            moment = summer_moment(
                at=AFTERNOON + timedelta(hours=hour),
                local_hour=hour % 24.0,
                room_temperature_c=unless_missing(wave(hour) + rng.normal(0.0, 0.2), 0.05),
                outdoor_temperature_c=unless_missing(30.0 + rng.normal(), 0.1),
                solar_w_m2=None if room == 0 else unless_missing(300.0 * rng.random(), 0.1),
                power_w=unless_missing(800.0 * rng.random(), 0.1),
                outdoor_forecast_c=tuple(unless_missing(30.0 + rng.normal(), 0.1) for _ in HORIZONS_S),
            )
            step.append((room, moment, outlook(), outlook() if rng.random() < 0.5 else None))
        if step:
            yield step


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_rooms_side_by_side_learn_what_each_would_learn_alone(seed: int) -> None:
    rooms = 4
    together, alone = Corrections(), [OneRoom() for _ in range(rooms)]
    side_by_side = [Correction(together) for _ in range(rooms)]
    nothing = (np.nan,) * len(HORIZONS_S)
    for step in lives(seed, rooms, 250):
        places = np.array([side_by_side[room].place for room, *_ in step])
        now = readings_of([moment for _, moment, _, _ in step])
        assert together.due(places, now.slot).tolist() == [alone[room].due(moment) for room, moment, _, _ in step]
        learned_c = np.array([learned.temperature_c for _, _, learned, _ in step])
        spread_k = np.array([learned.spread_k for _, _, learned, _ in step])
        physical_c = np.array([nothing if one is None else one.temperature_c for *_, one in step])
        together.step(places, now, learned_c, spread_k, physical_c)
        for room, moment, learned, physical in step:
            alone[room].step(moment, learned, physical)
            found, expected = side_by_side[room].apply(learned), alone[room].apply(learned)
            assert found.temperature_c == pytest.approx(expected.temperature_c, abs=1e-6)
            assert found.spread_k == pytest.approx(expected.spread_k, rel=1e-9)


def test_a_room_that_takes_the_place_of_another_knows_nothing_of_it() -> None:
    together = Corrections()
    left, stays = Correction(together), Correction(together)
    for moment in moments(2.0):
        left.step(moment, network(moment, above_k=1.0))
        stays.step(moment, network(moment, above_k=1.0))
    place, kept = left.place, stays.to_json()
    del left
    assert stays.to_json() == kept
    comes = Correction(together)
    assert comes.place == place
    assert comes.to_json() == Correction().to_json()
