"""Setback is learned per room: on plants of either sign, from what a meter would show."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from control.setback import Absence, Setback

STEP_H = 1.0 / 12.0


@dataclass(frozen=True)
class Plant:
    """A two-node room and a unit whose COP depends on its load: what holding and recovering cost is physics.

    C_a dT/dt = (T_o - T) / R + (T_m - T) / R_m - Q        C_m dT_m/dt = (T - T_m) / R_m        E = Q / COP(Q / Q_max)
    """

    cop_idle: float
    cop_full: float
    air_kwh_per_k: float = 0.08
    mass_kwh_per_k: float = 3.0
    r_k_per_kw: float = 10.0
    r_mass_k_per_kw: float = 1.2
    greatest_kw: float = 3.5

    def absence(self, rng: np.random.Generator, hours: float, *, held: bool) -> Absence:
        """Nobody is in for some hours; then three more. A room that is left alone is started an hour before."""
        mean_c, swing_k = rng.normal(32.0, 2.0), rng.uniform(2.0, 5.0)
        air_c, mass_c, energy_kwh, degree_hours = 26.5, 26.7, 0.0, 0.0
        for step in range(round((hours + 3.0) / STEP_H)):
            at_h = step * STEP_H
            outdoor_c = mean_c + swing_k * math.sin(2.0 * math.pi * (at_h - 1.0) / 24.0)
            needed = held or at_h >= hours - 1.0
            free_kw = (outdoor_c - air_c) / self.r_k_per_kw + (mass_c - air_c) / self.r_mass_k_per_kw + 0.1
            wanted_kw = free_kw + (air_c - 26.5) * self.air_kwh_per_k / STEP_H
            cooling_kw = min(max(wanted_kw, 0.0), self.greatest_kw) if needed else 0.0
            load = cooling_kw / self.greatest_kw
            energy_kwh += cooling_kw / (self.cop_idle + (self.cop_full - self.cop_idle) * load) * STEP_H
            degree_hours += max(0.0, outdoor_c - 26.5) * STEP_H
            mass_c += (air_c - mass_c) / self.r_mass_k_per_kw / self.mass_kwh_per_k * STEP_H
            air_c += (free_kw - cooling_kw) / self.air_kwh_per_k * STEP_H
        noise = float(np.exp(rng.normal(0.0, 0.08)))  # people, sun, a door: of one day against another
        return Absence(held, hours, degree_hours, energy_kwh * noise)


WRONG_SIGN = Plant(cop_idle=7.0, cop_full=1.5, mass_kwh_per_k=5.0, r_mass_k_per_kw=0.6)
MILDLY_WRONG = Plant(cop_idle=8.0, cop_full=1.2)
RIGHT_SIGN = Plant(cop_idle=3.5, cop_full=3.5)


def live(plant: Plant, seed: int, days: int) -> tuple[Setback, list[Absence]]:
    """One absence of a working day on each of some days, held or not as the room chooses."""
    rng, setback, absences = np.random.default_rng(seed), Setback(), []
    for _ in range(days):
        hours = float(rng.uniform(7.0, 10.0))
        absence = plant.absence(rng, hours, held=setback.choose(hours, rng))
        setback = setback.learn(absence)
        absences.append(absence)
    return setback, absences


def cost_of_setback(plant: Plant) -> float:
    """What leaving the room alone takes more than holding it, as a share, over the same 200 days."""
    sums = {}
    for held in (False, True):
        rng = np.random.default_rng(0)
        sums[held] = sum(plant.absence(rng, float(rng.uniform(7.0, 10.0)), held=held).energy_kwh for _ in range(200))
    return sums[False] / sums[True] - 1.0


def test_the_plants_have_the_signs_that_their_names_say() -> None:
    assert 0.35 < cost_of_setback(WRONG_SIGN) < 0.5
    assert 0.15 < cost_of_setback(MILDLY_WRONG) < 0.25
    assert -0.35 < cost_of_setback(RIGHT_SIGN) < -0.25


@pytest.mark.parametrize(("plant", "believed", "held"), [(WRONG_SIGN, 0.98, 0.93), (MILDLY_WRONG, 0.88, 0.75)])
def test_on_a_plant_where_setback_costs_energy_it_is_unlearned_within_14_days(
    plant: Plant, believed: float, held: float
) -> None:
    """Of 100 rooms: how many believe after 14 absences that holding is cheaper, and how many of the last three held."""
    rooms = [live(plant, seed, 14) for seed in range(100)]
    assert np.mean([setback.held_is_cheaper(8.5) > 0.5 for setback, _ in rooms]) >= believed
    assert np.mean([absence.held for _, absences in rooms for absence in absences[11:]]) >= held


def test_on_a_plant_where_setback_saves_it_stays_and_trying_costs_little() -> None:
    rooms = [live(RIGHT_SIGN, seed, 60) for seed in range(60)]
    assert max(setback.held_is_cheaper(8.5) for setback, _ in rooms) < 0.01
    assert np.mean([absence.held for _, absences in rooms for absence in absences[:14]]) < 0.3
    assert np.mean([absence.held for _, absences in rooms for absence in absences[14:]]) < 0.05


def test_a_room_that_changes_its_sign_is_learned_anew() -> None:
    rng = np.random.default_rng(4)
    setback, _ = live(WRONG_SIGN, 4, 40)
    assert setback.held_is_cheaper(8.5) > 0.95
    for _ in range(60):
        setback = setback.learn(RIGHT_SIGN.absence(rng, 8.5, held=setback.choose(8.5, rng)))
    assert setback.held_is_cheaper(8.5) < 0.2


def test_before_anything_is_known_leaving_alone_is_thought_a_little_cheaper_and_holding_is_tried() -> None:
    """Prior c = 0.05 +- 0.3: holding is cheaper with P(z < -1/6) = 0.4338."""
    assert Setback().held_is_cheaper(8.0) == pytest.approx(0.4338, abs=1e-3)
    rng = np.random.default_rng(1)
    tried = sum(Setback().choose(8.0, rng) for _ in range(4000))
    assert tried == pytest.approx(1735, abs=160)


@pytest.mark.parametrize("hours", [None, 0.5, 30.0])
def test_an_absence_without_an_end_in_sight_is_never_held(hours: float | None) -> None:
    sure, _ = live(WRONG_SIGN, 0, 30)
    assert not any(sure.choose(hours, np.random.default_rng(seed)) for seed in range(50))


def test_the_belief_is_that_of_the_regression_written_out() -> None:
    """Against the normal equations with the prior as four more observations, each row weighed by its deviation."""
    rng = np.random.default_rng(8)
    absences = [RIGHT_SIGN.absence(rng, float(rng.uniform(3.0, 12.0)), held=bool(n % 2)) for n in range(12)]
    setback = Setback()
    for absence in absences:
        setback = setback.learn(absence)
    weights = np.sqrt([0.99 ** (11 - n) for n in range(12)]) / 0.1
    rows = [[1.0, math.log(one.degree_hours + 5.0), one.held, one.held * math.log(one.hours / 8.0)] for one in absences]
    prior_deviation = np.array([1.5, 0.4, 0.3, 0.1])
    prior_mean = np.array([math.log(0.05), 0.8, 0.05, 0.1])
    x = np.vstack([np.array(rows, dtype=float) * weights[:, None], np.diag(1.0 / prior_deviation)])
    y = np.concatenate([[math.log(one.energy_kwh + 0.1) for one in absences] * weights, prior_mean / prior_deviation])
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    assert setback.ratio(8.0)[0] == pytest.approx(expected[2])
    assert setback.ratio(4.0)[0] == pytest.approx(expected[2] + expected[3] * math.log(0.5))


def test_what_was_learned_survives_being_kept_and_nonsense_is_refused() -> None:
    setback, _ = live(RIGHT_SIGN, 3, 10)
    again = Setback.from_json(setback.to_json())
    assert again.ratio(6.0) == setback.ratio(6.0)
    for damaged in ({"xx": [1.0]}, {**setback.to_json(), "yy": math.nan}, {**setback.to_json(), "xy": [1, 2]}):
        with pytest.raises((ValueError, KeyError)):
            Setback.from_json(damaged)
