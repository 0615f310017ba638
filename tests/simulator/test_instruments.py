"""Thermometers, meters and plugged appliances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.appliances import KETTLE_W, boil_w, computer_w, water_heater_w
from simulator.faults import METER_FAULTS
from simulator.instruments import EnergyMeter, Thermometer, read_meter, read_temperature
from simulator.records import as_table, table


def test_a_thermometer_follows_with_its_lag_and_rounds_as_it_shows() -> None:
    thermometer = table(Thermometer, 1)
    thermometer["lag_s"], thermometer["offset_k"], thermometer["step_k"], thermometer["body_c"] = 600.0, 0.3, 0.1, 20.0
    shown_c = [read_temperature(thermometer[0], 26.0, 0.0, 1.0) for _ in range(600)]
    assert shown_c[-1] == pytest.approx(26.0 - 6.0 / np.e + 0.3, abs=0.06)
    assert np.allclose(np.round(np.array(shown_c), 1), shown_c)
    for _ in range(6000):
        read_temperature(thermometer[0], 26.0, 0.0, 1.0)
    assert thermometer["shown_c"][0] == pytest.approx(26.3)


@given(st.lists(st.floats(0.0, 3000.0), min_size=2, max_size=60))
def test_a_healthy_meter_sums_what_was_used(power_w: list[float]) -> None:
    meter = table(EnergyMeter, 1)
    for one in power_w:
        read_meter(meter[0], one, 0.5, 60.0)
    assert meter["shown_total_kwh"][0] == pytest.approx(sum(power_w) / 60e3)
    assert meter["shown_power_w"][0] == power_w[-1]


def test_a_meter_resets_freezes_and_lies() -> None:
    sick = EnergyMeter(*[0.0] * 6)
    for fault, severity in (("lies", 1.0 / 3.0), ("freezes", 0.4), ("resets", 1.0)):
        sick = METER_FAULTS[fault](sick, severity)
    meter, luck = as_table([sick]), np.random.default_rng(3).random(14_400)
    totals, power_w = [], []
    for one in luck:
        read_meter(meter[0], 1000.0 + one, one, 60.0)
        totals.append(float(meter["shown_total_kwh"][0]))
        power_w.append(float(meter["shown_power_w"][0]))
    falls = int((np.diff(totals) < 0.0).sum())
    assert 3 <= falls <= 20  # ten days
    assert (np.diff(power_w) == 0.0).mean() == pytest.approx(0.2, abs=0.02)
    assert max(power_w) == pytest.approx(1.1 * 1001.0, rel=1e-3)


def test_a_kettle_boils_what_is_in_it() -> None:
    power_w = boil_w(1.0)
    assert power_w.sum() * 60.0 * 0.9 == pytest.approx(4186.0 * 82.0)
    assert power_w.max() == KETTLE_W


def test_a_water_heater_keeps_its_tank_and_pays_for_what_is_drawn() -> None:
    still, drawn = np.zeros(5 * 1440), np.zeros(5 * 1440)
    drawn[20 * 60 :: 1440] = 40.0  # a shower each evening, drawn in one minute
    standing_kwh = water_heater_w(still).sum() / 60e3 / 5
    shower_kwh = water_heater_w(drawn).sum() / 60e3 / 5 - standing_kwh
    assert 1.0 < standing_kwh < 2.0
    assert shower_kwh == pytest.approx(40.0 * 4186.0 * 40.0 / 3.6e6, rel=0.15)


def test_a_computer_rests_at_its_standby() -> None:
    used = np.repeat([0.0, 1.0], 100)
    power_w = computer_w(200, used, np.random.default_rng(0))
    assert (power_w[:100] == 1.4).all()
    assert (power_w[100:] >= 68.0).all()
