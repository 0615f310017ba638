"""PMV against the standard's own examples and against pythermalcomfort."""

import numpy as np
import pytest

from simulator.physics.moist_air import saturation_pressure_pa
from simulator.physics.pmv import pmv, vapour_pressure_pa

# ISO 7730:2005, table D.1: air C, radiant C, air m/s, RH %, met, clo, PMV
EXAMPLES = [
    (22.0, 22.0, 0.10, 60.0, 1.2, 0.5, -0.75),
    (27.0, 27.0, 0.10, 60.0, 1.2, 0.5, 0.77),
    (27.0, 27.0, 0.30, 60.0, 1.2, 0.5, 0.44),
    (23.5, 25.5, 0.10, 60.0, 1.2, 0.5, -0.01),
    (23.5, 25.5, 0.30, 60.0, 1.2, 0.5, -0.55),
    (19.0, 19.0, 0.10, 40.0, 1.2, 1.0, -0.60),
    (23.5, 23.5, 0.30, 40.0, 1.2, 1.0, 0.12),
    (22.0, 22.0, 0.10, 60.0, 1.6, 0.5, 0.05),
    (27.0, 27.0, 0.10, 60.0, 1.6, 0.5, 1.17),
    (27.0, 27.0, 0.30, 60.0, 1.6, 0.5, 0.95),
]


@pytest.mark.parametrize(("air_c", "radiant_c", "air_m_s", "rh_pct", "met", "clo", "vote"), EXAMPLES)
def test_examples_of_the_standard(
    air_c: float, radiant_c: float, air_m_s: float, rh_pct: float, met: float, clo: float, vote: float
) -> None:
    vapour_pa = rh_pct / 100.0 * saturation_pressure_pa(air_c)
    assert pmv(air_c, radiant_c, vapour_pa, air_m_s, met, clo) == pytest.approx(vote, abs=0.05)


def test_agrees_with_pythermalcomfort() -> None:
    models = pytest.importorskip("pythermalcomfort.models", reason="the extra `science` is not installed")
    rng = np.random.default_rng(7)
    for _ in range(60):
        air_c, radiant_c = rng.uniform(16.0, 30.0), rng.uniform(16.0, 30.0)
        speed, rh_pct = rng.uniform(0.05, 0.4), rng.uniform(20.0, 80.0)
        met, clo = rng.uniform(1.0, 1.6), rng.uniform(0.3, 1.4)
        theirs = models.pmv_ppd_iso(
            air_c, radiant_c, speed, rh_pct, met, clo, wme=0, limit_inputs=False, round_output=False
        ).pmv
        magnus_pa = rh_pct * 10.0 * np.exp(16.6536 - 4030.183 / (air_c + 235.0))  # the standard's own vapour pressure
        assert pmv(air_c, radiant_c, magnus_pa, speed, met, clo) == pytest.approx(theirs, abs=0.02)


def test_half_of_the_pressure_is_water_where_mass_says_so() -> None:
    """w = 0.621945 means as many molecules of water as of air."""
    assert vapour_pressure_pa(0.621945) == pytest.approx(101_325.0 / 2.0)
