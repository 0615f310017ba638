"""The household as a whole: repeatable, saved and taken up again without a seam, and plausible."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from core.words import Mode
from simulator.faults import Fault
from simulator.household import BED, LIVING, LOADS, OUTDOORS, Household, settled
from simulator.people import Presence

START = datetime(2026, 7, 20, 4, 0, tzinfo=UTC)


def test_one_seed_gives_one_life() -> None:
    first, second = (settled(3, START, days=1.0).save() for _ in range(2))
    assert first == second
    assert settled(4, START, days=1.0).save()["rooms"] != first["rooms"]


def test_a_household_saved_as_json_and_taken_up_goes_on_as_if_nothing_had_happened() -> None:
    undisturbed = Household(3, START)
    undisturbed.run_until(START + timedelta(hours=40))
    first = Household(3, START)
    first.run_until(START + timedelta(hours=17))
    second = Household(3, START - timedelta(days=5))
    second.restore(json.loads(json.dumps(first.save())))
    second.run_until(START + timedelta(hours=40))
    assert second.save() == undisturbed.save()


def test_the_state_of_another_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed 4"):
        Household(4, START).restore(Household(3, START).save())


def test_energy_is_the_sum_of_power_and_never_falls() -> None:
    household = Household(1, START)
    loads = [getattr(household.loads, name) for name in ("living_ac", "bedroom_ac", "fridge", "tv", "router", "washer")]
    summed_j = [0.0] * len(loads)
    for _ in range(1440):
        before_j = [load.energy_j for load in loads]
        household.step()
        for index, load in enumerate(loads):
            assert load.energy_j >= before_j[index]
            summed_j[index] += 60.0 * load.power_w
    assert [load.energy_j for load in loads] == pytest.approx(summed_j)


def test_a_commanded_unit_cools_its_room_to_about_its_setpoint_and_uses_current() -> None:
    household = settled(0, START, days=1.0)
    household.panels[LIVING].automate(household.at_s, on=True, mode=Mode.COOL, setpoint_c=24.0)
    household.panels[BED].automate(household.at_s, on=False)
    used_j = household.loads.living_ac.energy_j
    household.run_until(START + timedelta(hours=2))
    assert household.units[LIVING].sensor_c == pytest.approx(24.0, abs=1.2)
    assert household.rooms[LIVING].occupied_c < household.rooms[BED].occupied_c - 1.0
    assert household.loads.living_ac.energy_j - used_j > 3.6e6 * 0.3


def test_a_unit_that_is_set_between_two_five_minutes_runs_at_once() -> None:
    household = Household(0, START)
    household.run_until(START + timedelta(minutes=1))
    assert not household.panels[LIVING].on
    household.panels[LIVING].automate(household.at_s, on=True, mode=Mode.COOL, setpoint_c=18.0)
    household.run_until(START + timedelta(minutes=4))
    assert household.units[LIVING].power_w > 100.0
    assert household.units[LIVING].heat_w < 0.0
    household.panels[LIVING].automate(household.at_s, mode=Mode.HEAT, setpoint_c=30.0)
    household.run_until(START + timedelta(minutes=14))
    assert household.units[LIVING].heat_w > 0.0


def test_a_lower_setpoint_costs_more() -> None:
    used_j = []
    for setpoint_c in (25.0, 27.0):
        household = settled(0, START, days=1.0)
        household.panels[LIVING].automate(household.at_s, on=True, mode=Mode.COOL, setpoint_c=setpoint_c)
        before_j = household.loads.living_ac.energy_j
        for _ in range(8 * 60):
            household.step()
            household.panels[LIVING].setpoint_c = setpoint_c  # whatever people do
        used_j.append(household.loads.living_ac.energy_j - before_j)
    assert used_j[0] > 1.1 * used_j[1]


def test_without_its_plug_the_bedroom_unit_goes_off_and_stays_off() -> None:
    household = Household(0, START)
    household.panels[BED].automate(household.at_s, on=True, mode=Mode.COOL, setpoint_c=20.0)
    household.run_until(START + timedelta(minutes=20))
    assert household.loads.bedroom_ac.power_w > 100.0
    household.loads.bedroom_ac.powered = False
    household.step()
    household.loads.bedroom_ac.powered = True
    household.step()
    assert not household.panels[BED].on
    assert household.loads.bedroom_ac.power_w < 5.0


@pytest.mark.parametrize("seed", [0, 1])
def test_a_july_week_is_like_that_of_a_home_in_shanghai(seed: int) -> None:
    household = settled(seed, START, days=1.0)
    before_j = household.loads.living_ac.energy_j + household.loads.bedroom_ac.energy_j
    fridge_j, router_j, days = household.loads.fridge.energy_j, household.loads.router.energy_j, 7
    on_min, air_c, asleep = 0, [], 0
    for _ in range(days * 1440):
        household.step()
        on_min += household.panels[LIVING].on
        air_c.append(float(household.rooms[LIVING].occupied_c))
        asleep += household.presence()[0] == Presence.ASLEEP
    units_kwh = (household.loads.living_ac.energy_j + household.loads.bedroom_ac.energy_j - before_j) / 3.6e6 / days
    assert 2.0 < units_kwh < 9.0  # 2-4 kWh a day in homes that cool part of the time, more in a hot week
    assert 3.0 < on_min / 60.0 / days < 20.0
    assert min(air_c) > 21.0
    assert max(air_c) < 33.0
    assert 6.0 < asleep / 60.0 / days < 9.0
    assert 0.4 < (household.loads.fridge.energy_j - fridge_j) / 3.6e6 / days < 0.9
    assert (household.loads.router.energy_j - router_j) / 86_400.0 / days == pytest.approx(11.3, abs=0.5)
    assert sum(panel.presses for panel in household.panels) < 16 * 8


def test_meters_show_what_flowed_within_their_class() -> None:
    household = Household(1, START)
    household.run_until(START + timedelta(days=1))
    ratios = []
    for name in LOADS:
        used_kwh = getattr(household.loads, name).energy_j / 3.6e6
        ratios.append(household.meter(name).shown_total_kwh / used_kwh)
        assert ratios[-1] == pytest.approx(1.0, abs=0.0101)
        assert household.shown_power_w(name) == pytest.approx(getattr(household.loads, name).power_w, rel=0.0101)
    assert max(ratios) - min(ratios) > 1e-4  # each its own


def test_a_thermometer_comes_after_the_air_and_is_off_by_its_own_offset() -> None:
    household = settled(0, START, days=1.0)
    offsets_k = []
    for place in (LIVING, BED):
        shown_c, air_c = [], []
        for _ in range(720):
            household.step()
            shown_c.append(household.shown_c(place))
            air_c.append(float(household.rooms[place].occupied_c))
        offsets_k.append(sum(shown_c) / 720 - sum(air_c) / 720)
        assert abs(offsets_k[-1]) < 0.4
        assert all(round(one, 2) == pytest.approx(one, abs=1e-9) for one in shown_c)
    assert offsets_k[0] != pytest.approx(offsets_k[1], abs=1e-3)
    before_c = household.shown_c(LIVING) - float(household.rooms[LIVING].occupied_c)
    household.panels[LIVING].automate(household.at_s, on=True, mode=Mode.COOL, setpoint_c=18.0)
    for _ in range(10):
        household.step()
    assert household.shown_c(LIVING) - float(household.rooms[LIVING].occupied_c) > before_c + 0.3
    assert household.shown_c(OUTDOORS) == pytest.approx(household.outdoor_c, abs=0.8)


def test_faults_reach_fridge_unit_and_meters() -> None:
    faults = [
        Fault("fridge", "never_stops", 1.0),
        Fault("living_ac", "sensor_drift", 1.0),
        Fault("tv", "resets", 1.0),
        Fault("router", "lies", 1.0),
    ]
    healthy, sick = Household(2, START), Household(2, START, faults=faults)
    tv_kwh = []
    for _ in range(3 * 1440):
        healthy.step()
        sick.step()
        tv_kwh.append(float(sick.meter("tv").shown_total_kwh))
    assert sick.loads.fridge.energy_j > 1.3 * healthy.loads.fridge.energy_j
    assert sick.units[LIVING].sensor_c - sick.rooms[LIVING].return_c > 2.0
    assert any(later < earlier for earlier, later in pairwise(tv_kwh))
    assert sick.meter("router").shown_total_kwh == pytest.approx(1.3 * sick.loads.router.energy_j / 3.6e6)


@pytest.mark.parametrize("fault", [Fault("kettle", "lies", 0.5), Fault("tv", "door_ajar", 0.5)])
def test_a_fault_that_a_thing_cannot_have_is_refused(fault: Fault) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        Household(0, START, faults=[fault])


@pytest.mark.parametrize("text", ["fridge", "fridge=door_ajar", "fridge=door_ajar:2", "fridge=door_ajar:much"])
def test_a_fault_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a fault like"):
        Fault.from_text(text)
    assert Fault.from_text("fridge=door_ajar:0.5") == Fault("fridge", "door_ajar", 0.5)
