"""Moist air: arrays say what the scalar functions say, and water comes back out of the air as it went in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.physics.moist_air import (
    humidity_kg_kg,
    relative_pct,
    relative_pcts,
    saturation_kg_kg,
    saturation_pressure_pa,
    saturation_pressures_pa,
)


@given(st.floats(-40.0, 60.0), st.floats(1.0, 100.0), st.floats(70_000.0, 105_000.0))
def test_arrays_and_scalars_agree(air_c: float, humidity_pct: float, pressure_pa: float) -> None:
    water = humidity_kg_kg(air_c, humidity_pct, pressure_pa)
    assert relative_pct(air_c, water, pressure_pa) == pytest.approx(humidity_pct)
    assert relative_pcts(np.array([air_c]), np.array([water]), pressure_pa) == pytest.approx(humidity_pct)
    assert saturation_pressures_pa(np.array([air_c])) == pytest.approx(saturation_pressure_pa(air_c))


def test_the_air_holds_what_the_tables_say() -> None:
    """Steam tables: 2.339 kPa at 20 °C, 611 Pa at 0 °C; saturated air of 20 °C holds 14.7 g/kg (ASHRAE)."""
    assert saturation_pressure_pa(20.0) == pytest.approx(2339.0, rel=0.004)
    assert saturation_pressure_pa(0.0) == pytest.approx(611.0, rel=0.004)
    assert saturation_kg_kg(20.0) == pytest.approx(14.7e-3, rel=0.005)
