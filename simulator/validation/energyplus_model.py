"""One room with one split unit as an EnergyPlus model, run from Python and driven by a callback.

The model is an epJSON document written from a ``House``. ``run`` steps EnergyPlus through the year of a weather file
and asks ``decide(seen)`` for the two setpoints of the thermostat every ``decision_s``; without a unit the room floats
freely.

The unit is made of EnergyPlus' own objects: a packaged terminal heat pump with ``Coil:Cooling:DX:VariableSpeed`` and
``Coil:Heating:DX:VariableSpeed``, one speed for each row of a ``UnitMap``. EnergyPlus runs the coil between two speeds
so as to meet the predicted load exactly, and cycles the lowest speed below it.

References
----------
U.S. Department of Energy, "EnergyPlus Version 25.2.0 Documentation": Input Output Reference, Engineering Reference.
"""

import calendar
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from simulator.physics.envelope import EMISSIVITY, GLASS_EMISSIVITY, SINGLE_CLEAR, Layers
from simulator.physics.split_unit import CRANKCASE_BELOW_C

YEAR_DAYS = 365
HOURS = 24 * YEAR_DAYS
SOURCE = "EnergyPlus 25.2 (pyenergyplus-lbnl)"
RATED_DRY_C = 26.67  # of the air at the coil, where EnergyPlus states capacities
RATED_COOLING_C = (19.44, 35.0)  # wet bulb inside, dry bulb outside
RATED_HEATING_C = (21.11, 8.33)  # dry bulbs
GAP_M = 0.0127  # of air between two panes
ABSORPTANCE = 0.6  # of sun, outside and inside; ASHRAE 140
Json = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One side of the box: its layers from outside to inside, and what lies behind them.

    Where the neighbours are as warm (``adiabatic``), the layers go from the middle of the wall to its surface.
    """

    layers: Layers
    behind: str  # outdoor, adiabatic, ground


@dataclass(frozen=True)
class House:
    """A single-zone box with two windows; the sides are south, west, north, east, roof and floor."""

    name: str
    width_m: float  # east to west
    depth_m: float  # north to south
    height_m: float
    sides: Mapping[str, Side]
    windows_m2: Mapping[str, float]  # by side
    panes: int  # of 3 mm clear glass
    infiltration_ach: float  # constant; or, where it is zero, by wind and stack:
    leakage_cm2: float  # effective leakage area at 4 Pa
    partition_m2: float  # surface of inner walls and furniture; ours has none beside adiabatic sides
    partition: Layers  # from their middle to their surface
    gains_w: tuple[float, ...]  # sensible, by hour of the day, half of it radiant
    moisture_gain_w: float  # latent
    furniture_j_k: float  # capacity that follows the air


@dataclass(frozen=True)
class Mode:
    """Steady performance of a unit in cooling or heating, speed by speed from the lowest."""

    inside_c: tuple[float, ...]  # grid: entering wet bulb (cooling) or dry bulb (heating)
    outside_c: tuple[float, ...]  # grid: outdoor dry bulb
    capacity_w: tuple[tuple[tuple[float, ...], ...], ...]  # [speed][inside][outside], total heat
    power_w: tuple[tuple[tuple[float, ...], ...], ...]
    air_m3_s: tuple[float, ...]  # by speed
    sensible_ratio: tuple[float, ...]  # by speed, at the rating point
    cycling_loss: float  # degradation coefficient C_d: PLF = 1 - C_d (1 - PLR)
    resting_w: float  # while the compressor rests


@dataclass(frozen=True)
class UnitMap:
    """What EnergyPlus needs to know of a unit."""

    cooling: Mode
    heating: Mode
    crankcase_w: float  # besides, while the compressor rests in the cold


@dataclass(frozen=True, slots=True)
class Seen:
    """What a controller sees of the EnergyPlus room."""

    at_s: int  # since the start of the year, local standard time
    air_c: float
    mean_radiant_c: float
    humidity_kg_kg: float
    outdoor_c: float
    power_w: float  # mean since the decision before


Decide = Callable[[Seen], tuple[float, float]]  # cooling setpoint, heating setpoint


@dataclass
class Course:
    """A year of hourly means."""

    air_c: list[float]
    mean_radiant_c: list[float]
    humidity_kg_kg: list[float]
    outdoor_c: list[float]
    power_w: list[float]
    heat_w: list[float]  # given to the room, sensible
    zone_steps: int = 0
    cpu_s: float = 0.0


def document(
    house: House, unit: UnitMap | None, steps_per_hour: int, ground_c: tuple[float, ...], days: int = YEAR_DAYS
) -> Json:
    """The epJSON of a house, with its unit if there is one; ``ground_c`` by month, days from 1 January."""
    model = _site(steps_per_hour, ground_c, days) | _box(house) | _inside(house)
    if unit is not None:
        model |= _thermostat() | _heat_pump(unit)
    return model


def _site(steps_per_hour: int, ground_c: tuple[float, ...], days: int) -> Json:
    last = date(2001, 1, 1) + timedelta(days=days - 1)
    months = [name.lower() for name in calendar.month_name[1:]]
    return {
        "Version": {"version": {"version_identifier": "25.2"}},
        "Building": {
            "house": {
                "terrain": "Suburbs",
                "solar_distribution": "FullExterior",
                "loads_convergence_tolerance_value": 0.004,
                "temperature_convergence_tolerance_value": 0.04,
            }
        },
        "Timestep": {"step": {"number_of_timesteps_per_hour": steps_per_hour}},
        "GlobalGeometryRules": {
            "rules": {
                "starting_vertex_position": "UpperLeftCorner",
                "vertex_entry_direction": "Counterclockwise",
                "coordinate_system": "Relative",
            }
        },
        "SimulationControl": {
            "control": {
                "do_zone_sizing_calculation": "No",
                "do_system_sizing_calculation": "No",
                "do_plant_sizing_calculation": "No",
                "run_simulation_for_sizing_periods": "No",
                "run_simulation_for_weather_file_run_periods": "Yes",
            }
        },
        "RunPeriod": {
            "year": {
                "begin_month": 1,
                "begin_day_of_month": 1,
                "end_month": last.month,
                "end_day_of_month": last.day,
                "day_of_week_for_start_day": "Monday",
                "use_weather_file_rain_indicators": "No",  # a wet wall would take the temperature of the air
                "use_weather_file_snow_indicators": "No",
            }
        },
        "Site:GroundTemperature:BuildingSurface": {
            "ground": {f"{month}_ground_temperature": value for month, value in zip(months, ground_c, strict=True)}
        },
        "SurfaceConvectionAlgorithm:Inside": {"inside": {"algorithm": "TARP"}},
        "SurfaceConvectionAlgorithm:Outside": {"outside": {"algorithm": "DOE-2"}},
    }


def _corners(house: House) -> dict[str, list[tuple[float, float, float]]]:
    w, d, h = house.width_m, house.depth_m, house.height_m
    return {  # upper left corner first, counterclockwise seen from outside
        "south": [(0, 0, h), (0, 0, 0), (w, 0, 0), (w, 0, h)],
        "east": [(w, 0, h), (w, 0, 0), (w, d, 0), (w, d, h)],
        "north": [(w, d, h), (w, d, 0), (0, d, 0), (0, d, h)],
        "west": [(0, d, h), (0, d, 0), (0, 0, 0), (0, 0, h)],
        "roof": [(0, d, h), (0, 0, h), (w, 0, h), (w, d, h)],
        "floor": [(0, 0, 0), (0, d, 0), (w, d, 0), (w, 0, 0)],
    }


def _box(house: House) -> Json:
    kinds = {"roof": "Roof", "floor": "Floor"}
    conditions = {"outdoor": "Outdoors", "adiabatic": "Adiabatic", "ground": "Ground"}
    surfaces: Json = {}
    materials: Json = {}
    constructions: Json = {"window": _glazing_layers(house)}
    windows: Json = {}
    for name, corners in _corners(house).items():
        side = house.sides[name]
        out = side.behind == "outdoor"
        kind = kinds.get(name, "Wall")
        surfaces[name] = {
            "surface_type": "Ceiling" if name == "roof" and not out else kind,
            "construction_name": f"{name} layers",
            "zone_name": "room",
            "outside_boundary_condition": conditions[side.behind],
            "sun_exposure": "SunExposed" if out else "NoSun",
            "wind_exposure": "WindExposed" if out else "NoWind",
            "vertices": [
                {f"vertex_{axis}_coordinate": value for axis, value in zip("xyz", corner, strict=True)}
                for corner in corners
            ],
        }
        _build(f"{name} layers", _whole(side), materials, constructions)
        if house.windows_m2.get(name, 0.0) > 0.0:
            windows[f"{name} window"] = _window(name, corners, house.windows_m2[name])
    partitions: Json = {}
    if house.partition_m2 > 0.0:
        _build("partition layers", _mirrored(house.partition), materials, constructions)
        partitions = _partitions(house)
    return {
        "Zone": {"room": {}},
        "Material": materials,
        "Construction": constructions,
        "BuildingSurface:Detailed": surfaces,
        "FenestrationSurface:Detailed": windows,
        **partitions,
        **_glass(house),
    }


def _partitions(house: House) -> Json:
    return {
        "InternalMass": {
            "partitions": {
                "construction_name": "partition layers",
                "zone_or_zonelist_name": "room",
                "surface_area": house.partition_m2,
            }
        }
    }


def _whole(side: Side) -> Layers:
    return _mirrored(side.layers) if side.behind == "adiabatic" else side.layers


def _mirrored(half: Layers) -> Layers:
    """Both halves of a wall; EnergyPlus gives its other face the temperature of this one."""
    middle = replace(half[0], thickness_m=2.0 * half[0].thickness_m)
    return (*half[:0:-1], middle, *half[1:])


def _build(name: str, layers: Layers, materials: Json, constructions: Json) -> None:
    keys = ["outside_layer"] + [f"layer_{i}" for i in range(2, 11)]
    for i, layer in enumerate(layers):
        materials[f"{name} {i}"] = {
            "roughness": "MediumRough",
            "thickness": layer.thickness_m,
            "conductivity": layer.conductivity_w_m_k,
            "density": layer.density_kg_m3,
            "specific_heat": layer.heat_j_kg_k,
            "solar_absorptance": ABSORPTANCE,
            "thermal_absorptance": EMISSIVITY,
        }
    constructions[name] = {keys[i]: f"{name} {i}" for i in range(len(layers))}


def _window(side: str, corners: list[tuple[float, float, float]], area_m2: float) -> Json:
    """A window of the given area, 1.5 m high, in the middle of its wall."""
    (x0, y0, z0), _, (x1, y1, _), _ = corners
    length_m = abs(x1 - x0) + abs(y1 - y0)
    half = area_m2 / 1.5 / length_m / 2.0
    left = (x0 + (x1 - x0) * (0.5 - half), y0 + (y1 - y0) * (0.5 - half))
    right = (x0 + (x1 - x0) * (0.5 + half), y0 + (y1 - y0) * (0.5 + half))
    top, bottom = z0 / 2.0 + 0.75, z0 / 2.0 - 0.75
    points = [(*left, top), (*left, bottom), (*right, bottom), (*right, top)]
    window: Json = {"surface_type": "Window", "construction_name": "window", "building_surface_name": side}
    for i, point in enumerate(points, 1):
        window |= {f"vertex_{i}_{axis}_coordinate": value for axis, value in zip("xyz", point, strict=True)}
    return window


def _glazing_layers(house: House) -> Json:
    if house.panes == 1:
        return {"outside_layer": "clear"}
    return {"outside_layer": "clear", "layer_2": "gap", "layer_3": "clear"}


def _glass(house: House) -> Json:
    """Clear float glass of 3 mm, the same as ours; 12.7 mm of air between two."""
    passed, absorbed = sum(SINGLE_CLEAR.transmitted), sum(SINGLE_CLEAR.absorbed_outer)
    glass: Json = {
        "WindowMaterial:Glazing": {
            "clear": {
                "optical_data_type": "SpectralAverage",
                "thickness": 0.003,
                "conductivity": 1.0,
                "solar_transmittance_at_normal_incidence": passed,
                "front_side_solar_reflectance_at_normal_incidence": 1.0 - passed - absorbed,
                "back_side_solar_reflectance_at_normal_incidence": 1.0 - passed - absorbed,
                "visible_transmittance_at_normal_incidence": passed,
                "front_side_visible_reflectance_at_normal_incidence": 1.0 - passed - absorbed,
                "back_side_visible_reflectance_at_normal_incidence": 1.0 - passed - absorbed,
                "front_side_infrared_hemispherical_emissivity": GLASS_EMISSIVITY,
                "back_side_infrared_hemispherical_emissivity": GLASS_EMISSIVITY,
            }
        }
    }
    if house.panes == 2:
        glass["WindowMaterial:Gas"] = {"gap": {"gas_type": "Air", "thickness": GAP_M}}
    return glass


def _inside(house: House) -> Json:
    volume_m3 = house.width_m * house.depth_m * house.height_m
    air_j_k = volume_m3 * 1.2 * 1006.0
    hours: list[Json] = [{"field": "Through: 12/31"}, {"field": "For: AllDays"}]
    for i, gain in enumerate(house.gains_w):
        hours += [{"field": f"Until: {i + 1}:00"}, {"field": gain / 1000.0}]
    model: Json = {
        "Schedule:Compact": {"gains": {"data": hours}},
        "Schedule:Constant": {"always": {"hourly_value": 1.0}},
        "ZoneCapacitanceMultiplier:ResearchSpecial": {
            "furniture": {"temperature_capacity_multiplier": 1.0 + house.furniture_j_k / air_j_k}
        },
        "OtherEquipment": {
            "gains": {
                "zone_or_zonelist_or_space_or_spacelist_name": "room",
                "schedule_name": "gains",
                "design_level_calculation_method": "EquipmentLevel",
                "design_level": 1000.0,
                "fraction_radiant": 0.5,
            },
            "moisture": {
                "zone_or_zonelist_or_space_or_spacelist_name": "room",
                "schedule_name": "always",
                "design_level_calculation_method": "EquipmentLevel",
                "design_level": house.moisture_gain_w,
                "fraction_latent": 1.0,
            },
        },
    }
    if house.infiltration_ach > 0.0:
        model["ZoneInfiltration:DesignFlowRate"] = {
            "leaks": {
                "zone_or_zonelist_or_space_or_spacelist_name": "room",
                "schedule_name": "always",
                "design_flow_rate_calculation_method": "AirChanges/Hour",
                "air_changes_per_hour": house.infiltration_ach,
            }
        }
    else:  # ASHRAE Handbook of Fundamentals, one storey, shelter class 3
        model["ZoneInfiltration:EffectiveLeakageArea"] = {
            "leaks": {
                "zone_or_space_name": "room",
                "schedule_name": "always",
                "effective_air_leakage_area": house.leakage_cm2,
                "stack_coefficient": 0.000145,
                "wind_coefficient": 0.000174,
            }
        }
    return model


def _thermostat() -> Json:
    return {
        "Schedule:Constant": {
            "always": {"hourly_value": 1.0},
            "cycling": {"hourly_value": 0.0},
            "dual": {"hourly_value": 4.0},
            "cooling setpoint": {"hourly_value": 26.0},
            "heating setpoint": {"hourly_value": 20.0},
        },
        "ThermostatSetpoint:DualSetpoint": {
            "setpoints": {
                "heating_setpoint_temperature_schedule_name": "heating setpoint",
                "cooling_setpoint_temperature_schedule_name": "cooling setpoint",
            }
        },
        "ZoneControl:Thermostat": {
            "thermostat": {
                "zone_or_zonelist_name": "room",
                "control_type_schedule_name": "dual",
                "control_1_object_type": "ThermostatSetpoint:DualSetpoint",
                "control_1_name": "setpoints",
            }
        },
    }


def _heat_pump(unit: UnitMap) -> Json:
    cooling, heating = unit.cooling, unit.heating
    flow = max(*cooling.air_m3_s, *heating.air_m3_s)
    return {
        "ZoneHVAC:EquipmentConnections": {
            "connections": {
                "zone_name": "room",
                "zone_conditioning_equipment_list_name": "equipment",
                "zone_air_inlet_node_or_nodelist_name": "supply",
                "zone_air_exhaust_node_or_nodelist_name": "return",
                "zone_air_node_name": "room air",
            }
        },
        "ZoneHVAC:EquipmentList": {
            "equipment": {
                "equipment": [
                    {
                        "zone_equipment_object_type": "ZoneHVAC:PackagedTerminalHeatPump",
                        "zone_equipment_name": "unit",
                        "zone_equipment_cooling_sequence": 1,
                        "zone_equipment_heating_or_no_load_sequence": 1,
                    }
                ]
            }
        },
        "ZoneHVAC:PackagedTerminalHeatPump": {
            "unit": {
                "air_inlet_node_name": "return",
                "air_outlet_node_name": "supply",
                "cooling_supply_air_flow_rate": max(cooling.air_m3_s),
                "heating_supply_air_flow_rate": max(heating.air_m3_s),
                "no_load_supply_air_flow_rate": 0.0,
                "cooling_outdoor_air_flow_rate": 0.0,
                "heating_outdoor_air_flow_rate": 0.0,
                "no_load_outdoor_air_flow_rate": 0.0,
                "supply_air_fan_object_type": "Fan:OnOff",
                "supply_air_fan_name": "fan",
                "heating_coil_object_type": "Coil:Heating:DX:VariableSpeed",
                "heating_coil_name": "heating coil",
                "cooling_coil_object_type": "Coil:Cooling:DX:VariableSpeed",
                "cooling_coil_name": "cooling coil",
                "supplemental_heating_coil_object_type": "Coil:Heating:Electric",
                "supplemental_heating_coil_name": "no heater",
                "maximum_supply_air_temperature_from_supplemental_heater": 50.0,
                "fan_placement": "BlowThrough",
                "supply_air_fan_operating_mode_schedule_name": "cycling",
            }
        },
        "Fan:OnOff": {  # its power is part of the map
            "fan": {
                "fan_total_efficiency": 1.0,
                "motor_efficiency": 1.0,
                "pressure_rise": 0.0,
                "maximum_flow_rate": flow,
                "air_inlet_node_name": "return",
                "air_outlet_node_name": "fan to cooling",
            }
        },
        "Coil:Cooling:DX:VariableSpeed": {
            "cooling coil": {
                "indoor_air_inlet_node_name": "fan to cooling",
                "indoor_air_outlet_node_name": "cooling to heating",
                "number_of_speeds": len(cooling.air_m3_s),
                "nominal_speed_level": len(cooling.air_m3_s),
                "gross_rated_total_cooling_capacity_at_selected_nominal_speed_level": _rated(cooling, *RATED_COOLING_C)[
                    -1
                ][0],
                "rated_air_flow_rate_at_selected_nominal_speed_level": cooling.air_m3_s[-1],
                "energy_part_load_fraction_curve_name": "cooling part load",
                "condenser_type": "AirCooled",
                "minimum_outdoor_dry_bulb_temperature_for_compressor_operation": -25.0,
                **_cooling_speeds(cooling),
            }
        },
        "Coil:Heating:DX:VariableSpeed": {
            "heating coil": {
                "indoor_air_inlet_node_name": "cooling to heating",
                "indoor_air_outlet_node_name": "heating to none",
                "number_of_speeds": len(heating.air_m3_s),
                "nominal_speed_level": len(heating.air_m3_s),
                "rated_heating_capacity_at_selected_nominal_speed_level": _rated(heating, *RATED_HEATING_C)[-1][0],
                "rated_air_flow_rate_at_selected_nominal_speed_level": heating.air_m3_s[-1],
                "energy_part_load_fraction_curve_name": "heating part load",
                "minimum_outdoor_dry_bulb_temperature_for_compressor_operation": -35.0,
                "maximum_outdoor_dry_bulb_temperature_for_defrost_operation": 5.0,
                "defrost_strategy": "ReverseCycle",
                "defrost_control": "OnDemand",
                "defrost_energy_input_ratio_function_of_temperature_curve_name": "defrost",
                "crankcase_heater_capacity": unit.crankcase_w,
                "maximum_outdoor_dry_bulb_temperature_for_crankcase_heater_operation": CRANKCASE_BELOW_C,
                **_heating_speeds(heating),
            }
        },
        "Coil:Heating:Electric": {
            "no heater": {
                "nominal_capacity": 0.0,
                "air_inlet_node_name": "heating to none",
                "air_outlet_node_name": "supply",
            }
        },
        **_curves(unit),
    }


def _rated(mode: Mode, inside_c: float, outside_c: float) -> list[tuple[float, float]]:
    """Capacity and power of each speed at a rating point, bilinear in the grid."""
    return [
        (_between(mode, capacity, inside_c, outside_c), _between(mode, power, inside_c, outside_c))
        for capacity, power in zip(mode.capacity_w, mode.power_w, strict=True)
    ]


def _between(mode: Mode, values: tuple[tuple[float, ...], ...], inside_c: float, outside_c: float) -> float:
    i, a = _place(mode.inside_c, inside_c)
    j, b = _place(mode.outside_c, outside_c)
    low = values[i][j] * (1 - b) + values[i][j + 1] * b
    high = values[i + 1][j] * (1 - b) + values[i + 1][j + 1] * b
    return low * (1 - a) + high * a


def _place(grid: tuple[float, ...], value: float) -> tuple[int, float]:
    i = max(k for k in range(len(grid) - 1) if k == 0 or grid[k] <= value)
    return i, (value - grid[i]) / (grid[i + 1] - grid[i])


def _cooling_speeds(mode: Mode) -> Json:
    speeds: Json = {}
    for i, (capacity, power) in enumerate(_rated(mode, *RATED_COOLING_C)):
        key = f"speed_{i + 1}"
        speeds |= {
            f"{key}_reference_unit_gross_rated_total_cooling_capacity": capacity,
            f"{key}_reference_unit_gross_rated_sensible_heat_ratio": mode.sensible_ratio[i],
            f"{key}_reference_unit_gross_rated_cooling_cop": capacity / power,
            f"{key}_reference_unit_rated_air_flow_rate": mode.air_m3_s[i],
            f"{key}_reference_unit_rated_condenser_air_flow_rate": 0.5,
            f"{key}_total_cooling_capacity_function_of_temperature_curve_name": f"cooling capacity {i}",
            f"{key}_total_cooling_capacity_function_of_air_flow_fraction_curve_name": "one",
            f"{key}_energy_input_ratio_function_of_temperature_curve_name": f"cooling ratio {i}",
            f"{key}_energy_input_ratio_function_of_air_flow_fraction_curve_name": "one",
        }
    return speeds


def _heating_speeds(mode: Mode) -> Json:
    speeds: Json = {}
    for i, (capacity, power) in enumerate(_rated(mode, *RATED_HEATING_C)):
        key = f"speed_{i + 1}"
        speeds |= {
            f"{key}_reference_unit_gross_rated_heating_capacity": capacity,
            f"{key}_reference_unit_gross_rated_heating_cop": capacity / power,
            f"{key}_reference_unit_rated_air_flow_rate": mode.air_m3_s[i],
            f"{key}_heating_capacity_function_of_temperature_curve_name": f"heating capacity {i}",
            f"{key}_total_heating_capacity_function_of_air_flow_fraction_curve_name": "one",
            f"{key}_energy_input_ratio_function_of_temperature_curve_name": f"heating ratio {i}",
            f"{key}_energy_input_ratio_function_of_air_flow_fraction_curve_name": "one",
        }
    return speeds


def _curves(unit: UnitMap) -> Json:
    linear: Json = {
        "cooling part load": _line(1.0 - unit.cooling.cycling_loss, unit.cooling.cycling_loss),
        "heating part load": _line(1.0 - unit.heating.cycling_loss, unit.heating.cycling_loss),
        "one": _line(1.0, 0.0),
    }
    variables: Json = {}
    lists: Json = {}
    tables: Json = {}
    for name, mode, rated in (
        ("cooling", unit.cooling, _rated(unit.cooling, *RATED_COOLING_C)),
        ("heating", unit.heating, _rated(unit.heating, *RATED_HEATING_C)),
    ):
        for axis, grid in (("inside", mode.inside_c), ("outside", mode.outside_c)):
            variables[f"{name} {axis}"] = {
                "interpolation_method": "Linear",
                "extrapolation_method": "Linear",
                "minimum_value": -100.0,
                "maximum_value": 100.0,
                "unit_type": "Temperature",
                "values": [{"value": value} for value in grid],
            }
        lists[name] = {
            "independent_variables": [
                {"independent_variable_name": f"{name} inside"},
                {"independent_variable_name": f"{name} outside"},
            ]
        }
        for i, (capacity, power) in enumerate(rated):
            cells = [
                (c, p)
                for row_c, row_p in zip(mode.capacity_w[i], mode.power_w[i], strict=True)
                for c, p in zip(row_c, row_p, strict=True)
            ]
            tables[f"{name} capacity {i}"] = _table(name, [c / capacity for c, _ in cells])
            tables[f"{name} ratio {i}"] = _table(name, [p / c / (power / capacity) for c, p in cells])
    return {
        "Curve:Linear": linear,
        "Curve:Biquadratic": {"defrost": _flat()},
        "Table:IndependentVariable": variables,
        "Table:IndependentVariableList": lists,
        "Table:Lookup": tables,
    }


def _line(constant: float, slope: float) -> Json:
    return {
        "coefficient1_constant": constant,
        "coefficient2_x": slope,
        "minimum_value_of_x": 0.0,
        "maximum_value_of_x": 1.0,
    }


def _flat() -> Json:
    terms = ("1_constant", "2_x", "3_x_2", "4_y", "5_y_2", "6_x_y")
    curve: Json = {f"coefficient{term}": 1.0 if i == 0 else 0.0 for i, term in enumerate(terms)}
    for axis in "xy":
        curve |= {f"minimum_value_of_{axis}": -100.0, f"maximum_value_of_{axis}": 100.0}
    return curve


def _table(name: str, values: list[float]) -> Json:
    return {
        "independent_variable_list_name": name,
        "output_unit_type": "Dimensionless",
        "values": [{"output_value": value} for value in values],
    }


_MEANS = {
    "air_c": ("Zone Mean Air Temperature", "room"),
    "mean_radiant_c": ("Zone Mean Radiant Temperature", "room"),
    "humidity_kg_kg": ("Zone Air Humidity Ratio", "room"),
    "outdoor_c": ("Site Outdoor Air Drybulb Temperature", "Environment"),
}
_POWERS = {
    "cooling": ("Cooling Coil Electricity Rate", "cooling coil"),
    "heating": ("Heating Coil Electricity Rate", "heating coil"),
    "crankcase": ("Heating Coil Crankcase Heater Electricity Rate", "heating coil"),
}
_RUNNING = {
    "cooling runs": ("Cooling Coil Runtime Fraction", "cooling coil"),
    "heating runs": ("Heating Coil Runtime Fraction", "heating coil"),
}
_HEATS = {
    "cooled": ("Cooling Coil Sensible Cooling Rate", "cooling coil"),
    "heated": ("Heating Coil Heating Rate", "heating coil"),
}


def run(
    house: House,
    unit: UnitMap | None,
    epw: Path,
    ground_c: tuple[float, ...],
    decide: Decide | None = None,
    steps_per_hour: int = 4,
    decision_s: int = 900,
    days: int = YEAR_DAYS,
) -> Course:
    """Run EnergyPlus through the first days of a weather file; a decision takes a whole number of steps.

    Raises
    ------
    ImportError
        Where the extra ``energyplus`` is not installed.
    RuntimeError
        Where EnergyPlus did not finish; its messages are in the error.
    """
    from pyenergyplus.api import EnergyPlusAPI

    api = EnergyPlusAPI()
    state = api.state_manager.new_state()
    try:
        watcher = _Watcher(api, state, decide if unit is not None else None, unit, 3600 // steps_per_hour, decision_s)
        api.runtime.set_console_output_status(state, False)
        api.runtime.callback_begin_zone_timestep_after_init_heat_balance(state, watcher.guarded(watcher.begin))
        api.runtime.callback_end_system_timestep_after_hvac_reporting(state, watcher.guarded(watcher.sum_system))
        api.runtime.callback_end_zone_timestep_after_zone_reporting(state, watcher.guarded(watcher.end))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "room.epJSON"
            path.write_text(json.dumps(document(house, unit, steps_per_hour, ground_c, days)))
            started = time.process_time()
            code = api.runtime.run_energyplus(state, ["-d", folder, "-w", str(epw), str(path)])
            watcher.course.cpu_s = time.process_time() - started
            if watcher.error is not None:
                raise watcher.error
            if code != 0 or len(watcher.course.air_c) != 24 * days:
                raise RuntimeError(
                    f"EnergyPlus ended with {code}: {(Path(folder) / 'eplusout.err').read_text()[:4000]}"
                )
    finally:
        api.state_manager.delete_state(state)
    return watcher.course


class _Watcher:
    """Sums what EnergyPlus reports into hours, and asks the controller."""

    def __init__(
        self, api: Any, state: Any, decide: Decide | None, unit: UnitMap | None, step_s: int, decision_s: int
    ) -> None:
        self.exchange = api.exchange
        self.stop = api.runtime.stop_simulation
        self.decide = decide
        self.unit = unit
        self.step_s = step_s
        self.decision_s = decision_s
        self.course = Course([], [], [], [], [], [])
        self.error: BaseException | None = None
        self.at_s = 0
        self.sums = dict.fromkeys(_MEANS, 0.0)
        self.resting_w = 0.0
        self.energy_j = 0.0
        self.heat_j = 0.0
        self.decision_j = 0.0
        self.handles: dict[str, int] = {}
        wanted = dict(_MEANS)
        if unit is not None:
            wanted |= _POWERS | _RUNNING | _HEATS
        self.wanted = wanted
        for name, key in wanted.values():
            self.exchange.request_variable(state, name, key)

    def guarded(self, work: Callable[[Any], None]) -> Callable[[Any], None]:
        """An error inside a callback must end the run; ctypes would only print it."""

        def call(state: Any) -> None:
            if self.error is not None or not self.exchange.api_data_fully_ready(state):
                return
            if self.exchange.warmup_flag(state):
                return
            try:
                if not self.handles:
                    self._find(state)
                work(state)
            except BaseException as error:  # noqa: BLE001 - raised again by run
                self.error = error
                self.stop(state)

        return call

    def _find(self, state: Any) -> None:
        found = {
            label: self.exchange.get_variable_handle(state, name, key) for label, (name, key) in self.wanted.items()
        }
        if self.unit is not None:
            for label in ("cooling setpoint", "heating setpoint"):
                found[label] = self.exchange.get_actuator_handle(state, "Schedule:Constant", "Schedule Value", label)
        if min(found.values()) < 0:
            raise RuntimeError(f"EnergyPlus does not know {[label for label, handle in found.items() if handle < 0]}")
        self.handles = found

    def _value(self, state: Any, label: str) -> float:
        return float(self.exchange.get_variable_value(state, self.handles[label]))

    def begin(self, state: Any) -> None:
        if self.decide is None or self.at_s % self.decision_s != 0:
            return
        means = {label: self._value(state, label) for label in _MEANS}
        cooling_c, heating_c = self.decide(Seen(at_s=self.at_s, power_w=self.decision_j / self.decision_s, **means))
        self.decision_j = 0.0
        self.exchange.set_actuator_value(state, self.handles["cooling setpoint"], cooling_c)
        self.exchange.set_actuator_value(state, self.handles["heating setpoint"], heating_c)

    def sum_system(self, state: Any) -> None:
        if self.unit is None:
            return
        span_s = 3600.0 * self.exchange.system_time_step(state)
        cools, heats = (self._value(state, label) for label in _RUNNING)
        if cools + heats > 0.0:
            self.resting_w = (self.unit.heating if heats > 0.0 else self.unit.cooling).resting_w
        rests_w = (1.0 - cools - heats) * self.resting_w
        energy_j = span_s * (rests_w + sum(self._value(state, label) for label in _POWERS))
        self.energy_j += energy_j
        self.decision_j += energy_j
        self.heat_j += span_s * (self._value(state, "heated") - self._value(state, "cooled"))

    def end(self, state: Any) -> None:
        for label in _MEANS:
            self.sums[label] += self._value(state, label)
        self.at_s += self.step_s
        self.course.zone_steps += 1
        if self.at_s % 3600 == 0:
            for label in _MEANS:
                getattr(self.course, label).append(self.sums[label] * self.step_s / 3600.0)
                self.sums[label] = 0.0
            self.course.power_w.append(self.energy_j / 3600.0)
            self.course.heat_w.append(self.heat_j / 3600.0)
            self.energy_j = self.heat_j = 0.0
