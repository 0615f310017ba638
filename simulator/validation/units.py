"""Air conditioners: label and machine agree, starts are as quick as real ones, no heat or water is lost in a year."""

import math
from typing import Any

from simulator.catalogue import apf
from simulator.catalogue.air_conditioners import DATA_SHEET, MODELS, from_nameplate, machine
from simulator.jit import COMPILED, njit
from simulator.physics.moist_air import EVAPORATION_J_PER_KG, humidity_kg_kg
from simulator.physics.split_unit import (
    FROST_CAPACITY_LOSS,
    FROST_KG_PER_W,
    Panel,
    Unit,
    UnitState,
    held,
    prepare,
    step,
    total_heat_w,
)
from simulator.physics.unit_start import COOLING, HEATING, balance, seconds_until_felt
from simulator.records import as_table, plain, record, rows_of, table
from simulator.validation.rows import Row, row

APF_TOLERANCE = 0.03
SHEET_TOLERANCE = 0.06  # assumed: its APF is rounded, its half loads are ours
FITTED_RANGE = 0.10  # the one scalar may move efficiencies no further
TEST = (35.0, apf.INDOOR_COOLING_C, apf.INDOOR_COOLING_KG_KG)
COOL_AIR_S, WARM_AIR_S = 30.0, 60.0
BALANCE = 1e-6
NREL_COP = {0.4: 1.901 / 1.179, 1.2: 1.0 / 1.179}  # over that at the rated capacity, cooling
COP_TOLERANCE = 0.06  # assumed: two products differ by more
APF_SOURCE = "nameplate within 3 %; method of ISO 16358 / GB 21455-2019, bins see simulator/catalogue/apf.py"
FITTED_SOURCE = "efficiencies typical of each grade, before the one scalar that is fitted"
SHEET_SOURCE = "a shop's data sheet of one grade-3 unit, see DATA_SHEET; nothing fitted"
NREL_SOURCE = (
    "ductless splits measured for NREL, efficiency by speed as in ResStock; only half load was used to build it"
)
START_SOURCE = "what inverter splits are sold with: cool air in 30 s, warm air in 60 s"
BALANCE_SOURCE = "first law and conservation of water"


def rows() -> list[Row]:
    """All rows of air conditioners."""
    found: list[Row] = []
    for name, plate in MODELS.items():
        low, high = plate.apf * (1.0 - APF_TOLERANCE), plate.apf * (1.0 + APF_TOLERANCE)
        found.append(row(f"apf_{name}", apf.apf(from_nameplate(plate)), low, high, APF_SOURCE))
        fitted = apf.fitted_efficiency(plate)
        found.append(row(f"apf_{name}_fitted", fitted, 1.0 - FITTED_RANGE, 1.0 + FITTED_RANGE, FITTED_SOURCE))
    low, high = DATA_SHEET.apf * (1.0 - SHEET_TOLERANCE), DATA_SHEET.apf * (1.0 + SHEET_TOLERANCE)
    found.append(row("apf_data_sheet_unfitted", apf.apf(from_nameplate(DATA_SHEET)), low, high, SHEET_SOURCE))
    for load, measured in NREL_COP.items():
        cop = cop_at(from_nameplate(MODELS["grade_1"]), load)
        low, high = measured * (1.0 - COP_TOLERANCE), measured * (1.0 + COP_TOLERANCE)
        found.append(row(f"unit_cop_at_{load:.1f}_over_rated", cop, low, high, NREL_SOURCE))
    for valve, calibrated in (("", True), ("_fixed_valve", False)):
        plate = MODELS["apf_5_65"]
        cooling, heating = (machine(plate, at, calibrated_valve=calibrated) for at in (COOLING, HEATING))
        found += [
            row(f"start_cool_air{valve}_s", seconds_until_felt(cooling, COOLING), 0.0, COOL_AIR_S, START_SOURCE),
            row(f"start_warm_air{valve}_s", seconds_until_felt(heating, HEATING), 0.0, WARM_AIR_S, START_SOURCE),
        ]
        error = max(abs(balance(cooling, COOLING)), abs(balance(heating, HEATING)))
        found.append(row(f"start_energy_balance{valve}", error, 0.0, BALANCE, BALANCE_SOURCE))
    heat, water = year_balance(from_nameplate(MODELS["grade_1"]))
    found.append(row("unit_energy_balance_year", abs(heat), 0.0, BALANCE, BALANCE_SOURCE))
    found.append(row("unit_water_balance_year", abs(water), 0.0, BALANCE, BALANCE_SOURCE))
    return found


def cop_at(unit: Unit, load: float) -> float:
    """Efficiency at a part of the rated capacity over that at all of it, 35 °C."""
    machine = rows_of(as_table([unit]), Unit)[0]
    low, high = 0.1, 1.4
    for _ in range(40):
        middle = 0.5 * (low + high)
        if total_heat_w(machine, middle, *TEST) > load * unit.rated_cooling_w:
            high = middle
        else:
            low = middle
    power_w = held(machine, high, *TEST, False)[1]
    return load * unit.cooling_power_w / power_w


@record
class Ledger:
    """A room of one temperature and the sums of a year in it."""

    room_c: float
    humidity_kg_kg: float
    made_j: float  # capacity of the compressor
    given_j: float  # to or from the room, sensible and latent, without fan-only minutes
    owed_j: float  # that starts and defrosts cost
    came_kg: float  # water
    taken_kg: float


ROOM_W_K, ROOM_J_K, ROOM_AIR_KG, FRESH_KG_S, ROOM_GAIN_W, ROOM_VAPOUR_KG_S = 83.0, 400e3, 50.0, 0.01, 200.0, 1.5e-5
START_KG_KG = 0.006
STEPS_A_YEAR = 105_120


def year_balance(unit: Unit) -> tuple[float, float]:
    """What a year's heat and water lack, over their sums: the compressor's capacity against what the room got and what
    starts cost; and the room's water against what came and what the unit took."""
    ledgers, states = table(Ledger, 1), table(UnitState, 1)
    ledgers["room_c"], ledgers["humidity_kg_kg"] = 15.0, START_KG_KG
    lived = rows_of(ledgers, Ledger), rows_of(states, UnitState)
    live_a_year(rows_of(as_table([unit]), Unit), lived[1], rows_of(table(Panel, 1), Panel), lived[0])
    ledger, state = (
        plain(one, kind)[0] if COMPILED else one[0] for one, kind in zip(lived, (Ledger, UnitState), strict=True)
    )
    owed_j = ledger.owed_j - state.owed_j
    heat = (ledger.made_j - ledger.given_j - owed_j) / ledger.made_j
    water = (ledger.came_kg - ledger.taken_kg - ROOM_AIR_KG * (ledger.humidity_kg_kg - START_KG_KG)) / ledger.taken_kg
    return float(heat), float(water)


@njit
def live_a_year(units: Any, states: Any, panels: Any, ledgers: Any) -> None:
    """A year with a summer and a winter, the first unit always on, in steps of 60 s."""
    unit, state, panel, ledger = units[0], states[0], panels[0], ledgers[0]
    for index in range(STEPS_A_YEAR):
        day = index / 288.0
        outdoor_c = 15.0 - 14.0 * math.cos(2.0 * math.pi * day / 365.0) - 5.0 * math.cos(2.0 * math.pi * day)
        outdoor_kg_kg = humidity_kg_kg(outdoor_c, 75.0)
        panel.on = True
        panel.heating = day < 90.0 or day > 290.0
        panel.setpoint_c = 20.0 if panel.heating else 26.0
        prepare(unit, state, panel, outdoor_c, outdoor_kg_kg, ledger.room_c, ledger.humidity_kg_kg)
        for _ in range(5):
            _live_a_minute(unit, state, panel, ledger, outdoor_c, outdoor_kg_kg)


@njit
def _live_a_minute(
    unit: Unit, state: UnitState, panel: Panel, ledger: Ledger, outdoor_c: float, outdoor_kg_kg: float
) -> None:
    owed_j, starts, defrosting, frost_kg = state.owed_j, state.starts, state.defrosting, state.frost_kg
    step(unit, state, panel, ledger.room_c, ledger.humidity_kg_kg, 60.0)
    latent_w = state.moisture_kg_s * EVAPORATION_J_PER_KG
    if state.starts > starts:
        ledger.owed_j += (unit.start_heating_loss_j if state.heating else unit.start_cooling_loss_j) - owed_j
    if defrosting and state.running and not state.defrosting:
        ledger.owed_j += unit.start_heating_loss_j
    if state.running and not defrosting:
        s = state.frequency_ratio
        iced = FROST_CAPACITY_LOSS * frost_kg / (FROST_KG_PER_W * unit.rated_heating_w) if state.heating else 0.0
        ledger.made_j += 60.0 * state.capacity_w * s * (1.0 + unit.capacity_bend * (1.0 - s)) * (1.0 - iced)
        ledger.given_j += 60.0 * (state.heat_w if state.heating else latent_w - state.heat_w)
    gained_w = state.heat_w + ROOM_GAIN_W - ROOM_W_K * (ledger.room_c - outdoor_c)
    came_kg = 60.0 * (ROOM_VAPOUR_KG_S + FRESH_KG_S * (outdoor_kg_kg - ledger.humidity_kg_kg))
    taken_kg = 60.0 * state.moisture_kg_s
    ledger.room_c += 60.0 * gained_w / ROOM_J_K
    ledger.humidity_kg_kg += (came_kg - taken_kg) / ROOM_AIR_KG
    ledger.came_kg += came_kg
    ledger.taken_kg += taken_kg
