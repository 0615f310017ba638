"""A room as a whole: exact steps, balances of heat and water over a year, symmetry, sun, and both ways to run."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pvlib
import pytest

from simulator.jit import COMPILED, njit
from simulator.physics import envelope, zone
from simulator.physics.envelope import Box, Element, Layer, Leaks, Mass, Window
from simulator.physics.moist_air import AIR_HEAT_J_PER_KG_K
from simulator.records import Table, as_table, rows_of, table
from simulator.weather.sky import Sky, fill, sun

BRICK = (Layer(0.02, 0.7, 1400.0, 1000.0), Layer(0.24, 0.8, 1700.0, 840.0), Layer(0.02, 0.7, 1400.0, 1000.0))
SLAB = (Layer(0.12, 1.7, 2400.0, 920.0),)
FLAT = Box(
    floor_m2=20.0,
    volume_m3=54.0,
    elements=(
        Element(15.0, BRICK, facing=(0.7, 0.3, 0.0, 0.0, 0.0)),
        Element(30.0, BRICK, adjoining=1.0),
        Element(40.0, SLAB, adjoining=0.5, ground=0.5),
    ),
    mass=Mass(20.0, (Layer(0.05, 0.5, 1000.0, 1000.0),)),
    windows=(Window(3.0, 0.0, -1.0), Window(1.0, -1.0, 0.0)),
    leaks=envelope.leaks(0.02, opening_m2=1.0),
)
STEPS = 12 * 24 * (365 if COMPILED else 2)  # 5 minutes each


def weather(steps: int) -> Table:
    """A year with hot humid days, cold nights, sun and wind, at 31 degrees north."""
    at_s = 978_307_200.0 + 300.0 * np.arange(steps)  # 2001
    day, hour = at_s / 86_400.0, at_s / 3600.0
    where = sun(at_s, 31.0, 0.0)
    clear = 0.5 + 0.5 * np.sin(0.7 * day)
    direct_w_m2 = np.where(where.up > 0.05, 800.0 * clear, 0.0)
    diffuse_w_m2 = 150.0 * np.maximum(where.up, 0.0)
    outdoor_c = 16.0 - 14.0 * np.cos(2.0 * np.pi * day / 365.0) + 5.0 * np.cos(2.0 * np.pi * (hour - 15.0) / 24.0)
    return fill(
        steps,
        outdoor_c=outdoor_c,
        humidity_kg_kg=0.009 - 0.006 * np.cos(2.0 * np.pi * day / 365.0),
        wind_m_s=3.0 + 2.0 * np.sin(day),
        direct_normal_w_m2=direct_w_m2,
        diffuse_w_m2=diffuse_w_m2,
        global_w_m2=diffuse_w_m2 + direct_w_m2 * np.maximum(where.up, 0.0),
        sun_east=where.east,
        sun_north=where.north,
        sun_up=where.up,
        sky_c=outdoor_c - 15.0 * clear,
        ground_c=np.full(steps, 16.0),
        daily_mean_c=outdoor_c,
    )


def only(rows: Table, cls: type[Any]) -> Any:
    """The first record, with attributes in both ways to run."""
    return rows.view(np.recarray)[0] if COMPILED else rows_of(rows, cls)[0]


def ready(box: Box, air_c: float = 20.0) -> tuple[Any, Any]:
    room = only(as_table([envelope.room(box)]), zone.Room)
    state = only(table(zone.RoomState, 1), zone.RoomState)
    zone.start(room, state, air_c, 0.008)
    return room, state


def one_sky(**values: float) -> Any:
    still = {"outdoor_c": 20.0, "sky_c": 20.0, "ground_c": 20.0, "daily_mean_c": 20.0, "humidity_kg_kg": 0.008}
    return only(fill(1, **{name: np.array([value]) for name, value in (still | values).items()}), Sky)


@njit
def _year(room: Any, state: Any, skies: Any, conditioned: bool, sums: Any) -> None:
    """A year with people, an ideal unit perhaps, and windows opened now and then; sums for the balances.

    ``sums``: 0-7 of temperatures before each step, 8-14 of inputs (the last with ventilation and unit), 15 of water
    carried in by air [kg], 16 of water given [kg], 17-18 lowest and highest air, 19 of the unit's heat [W].
    """
    sums[17], sums[18] = 1e9, -1e9
    for row in range(len(skies)):
        state.window_open_ratio = 1.0 if row % 200 < 12 else 0.0
        zone.prepare(room, state, skies[row])
        for _ in range(5):
            for node in range(8):
                sums[node] += state.node_c[node]
            convective_w, radiant_w, moisture_kg_s = 60.0, 40.0, 2e-5
            unit_w = 0.0
            if conditioned:
                unit_w = zone.heat_to_hold_w(room, state, convective_w, radiant_w, 20.0, 26.0)
                moisture_kg_s -= max(-unit_w, 0.0) * 5e-8
            zone.step(room, state, convective_w + unit_w, radiant_w, moisture_kg_s, unit_w)
            sums[8] += state.boundary_a_c
            sums[9] += state.boundary_b_c
            sums[10] += state.boundary_c_c
            sums[11] += state.glass_c
            sums[12] += state.solar_w
            sums[13] += radiant_w
            sums[14] += convective_w + unit_w + state.ventilation_w
            sums[15] += 60.0 * state.air_kg_s * (state.outdoor_humidity_kg_kg - state.humidity_kg_kg)
            sums[16] += 60.0 * moisture_kg_s
            sums[17] = min(sums[17], state.node_c[0])
            sums[18] = max(sums[18], state.node_c[0])
            sums[19] += abs(unit_w)


@pytest.mark.parametrize("conditioned", [False, True], ids=["floating", "conditioned"])
def test_balances_of_heat_and_water_close_over_a_year(conditioned: bool) -> None:
    """What is stored is what came in. The heat that passed the walls follows from the mean temperatures of each step,
    which the exponential of the network, taken with two integrals of it, gives apart from the code under test."""
    from scipy.linalg import expm

    room, state = ready(FLAT)
    skies, sums = rows_of(weather(STEPS), Sky), np.zeros(20)
    before_c = np.array(state.node_c)
    before_kg = room.air_kg * state.humidity_kg_kg + room.buffer_kg * state.buffer_humidity_kg_kg
    _year(room, state, skies, conditioned, sums)

    net = envelope.network(FLAT, room.air_kg * AIR_HEAT_J_PER_KG_K + FLAT.furniture_j_m2_k * FLAT.floor_m2)
    whole = np.zeros((22, 22))
    whole[:8, :8] = -net.conductance_w_k / net.capacity_j_k[:, None]
    whole[:8, 8:15] = net.gain / net.capacity_j_k[:, None]
    integral = np.zeros((30, 30))
    integral[:15, :15] = whole[:15, :15]
    integral[:15, 15:] = np.eye(15)
    mean = expm(60.0 * integral)[:15, 15:] / 60.0  # of temperatures over a step, from temperatures before and inputs
    mean_sum_c = mean[:8, :8] @ sums[:8] + mean[:8, 8:] @ sums[8:15]
    in_j = 60.0 * (net.gain.sum(axis=0) @ sums[8:15] - net.conductance_w_k.sum(axis=0) @ mean_sum_c)
    stored_j = net.capacity_j_k @ (np.array(state.node_c) - before_c)
    turnover_j = 60.0 * (sums[12:15].sum() + sums[19])
    assert abs(in_j - stored_j) < 1e-6 * turnover_j

    after_kg = room.air_kg * state.humidity_kg_kg + room.buffer_kg * state.buffer_humidity_kg_kg
    assert sums[15] + sums[16] - state.condensed_kg == pytest.approx(after_kg - before_kg, abs=1e-6 * sums[16])
    assert state.condensed_kg >= 0.0
    if conditioned:
        assert sums[17] > 20.0 - 1e-6
        assert sums[18] < 26.0 + 1e-6


def test_room_at_the_temperature_of_everything_stays() -> None:
    room, state = ready(FLAT)
    sky = one_sky(daily_mean_c=18.0)  # next door adds 2 K
    for _ in range(100):
        zone.prepare(room, state, sky)
        for _ in range(5):
            zone.step(room, state, 0.0, 0.0, 0.0, 0.0)
    assert np.array(state.node_c) == pytest.approx(20.0, abs=0.5)
    assert state.humidity_kg_kg == pytest.approx(0.008)


def test_steady_heat_is_the_sum_of_conductances() -> None:
    """1000 W, 0 °C outside: U A of wall and glass by films and layers, air by 0.5 per hour, in the end 1000 W out."""
    box = Box(
        floor_m2=20.0,
        volume_m3=54.0,
        elements=(Element(40.0, SLAB, facing=(1.0, 0.0, 0.0, 0.0, 0.0)),),
        leaks=Leaks(constant_ach=0.5),
    )
    room, state = ready(box)
    sky = one_sky(outdoor_c=0.0, sky_c=0.0)
    for _ in range(12 * 24 * 10):
        zone.prepare(room, state, sky)
        for _ in range(5):
            zone.step(room, state, 1000.0, 0.0, 0.0, 0.0)
    film = 4.0 + 0.9 * 4.0 * 5.670374e-8 * 273.15**3  # still air at 0 °C
    by_wall = 40.0 / (1.0 / film + 0.12 / 1.7 + 1.0 / 2.5)  # one surface: nothing to radiate to
    by_air = state.air_kg_s * AIR_HEAT_J_PER_KG_K
    assert state.node_c[0] == pytest.approx(1000.0 / (by_wall + by_air), rel=1e-3)
    assert state.ventilation_w == pytest.approx(-by_air * state.node_c[0], rel=1e-6)


def test_a_room_in_a_mirror_has_the_same_day() -> None:
    """East and west exchanged, for walls, window and sun."""
    walls, mirrored = (0.0, 0.2, 0.0, 0.8, 0.0), (0.0, 0.8, 0.0, 0.2, 0.0)  # front south: right is west, left east
    morning = {"direct_normal_w_m2": 700.0, "diffuse_w_m2": 100.0, "global_w_m2": 450.0, "sun_up": 0.5}
    found = []
    for east, facing in ((1.0, walls), (-1.0, mirrored)):
        box = Box(20.0, 54.0, (Element(30.0, BRICK, facing=facing),), windows=(Window(3.0, east, 0.0),))
        room, state = ready(box)
        sky = one_sky(sun_east=0.8 * east, sun_north=-0.33, **morning)
        for _ in range(50):
            zone.prepare(room, state, sky)
            zone.step(room, state, 0.0, 0.0, 0.0, 0.0)
        found.append(np.array(state.node_c))
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    assert found[0][0] > 20.5


def sun_behind_w_m2(room: Any, state: Any, skies: Table, at: int) -> float:
    """Sun on element A by the balance of its outer surface: film, sky, and what goes on into the wall."""
    outdoor_c, sky_c, wind_m_s = (float(skies[name][at]) for name in ("outdoor_c", "sky_c", "wind_m_s"))
    sigma, emissivity = 5.670374e-8, 0.9
    lost_w_m2 = room.sky_view[0] * sigma * ((outdoor_c + 273.15) ** 4 - (sky_c + 273.15) ** 4)
    film = room.still_w_m2_k[0] + room.wind_j_m3_k[0] * wind_m_s + emissivity * 4.0 * sigma * (outdoor_c + 273.15) ** 3
    fixed, first, node_c = room.film_w_m2_k[0], room.first_w_m2_k[0], state.node_c[1]
    heat_w_m2 = (state.boundary_a_c - node_c) / (1.0 / fixed + 1.0 / first)  # what the matrices will make of it
    surface_c = node_c + heat_w_m2 / first
    return float((heat_w_m2 - film * (outdoor_c - surface_c) + lost_w_m2) / 0.6)  # absorptance


def test_sun_on_facades_is_that_of_pvlib() -> None:
    """Perez, from a room whose outer wall shows one facade; every 5 minutes of a day in each season."""
    days = np.concatenate([np.arange(12 * 24 * day, 12 * 24 * day + 288) for day in (10, 100, 190, 280)])
    skies = weather(12 * 24 * 300)[days]
    zenith = np.degrees(np.arccos(skies["sun_up"]))
    azimuth = np.degrees(np.arctan2(skies["sun_east"], skies["sun_north"])) % 360.0
    high = skies["sun_up"] > 0.1
    for facade, tilt, toward in ((0, 90.0, 180.0), (1, 90.0, 270.0), (2, 90.0, 0.0), (3, 90.0, 90.0), (4, 0.0, 180.0)):
        facing = tuple(float(facade == one) for one in range(5))
        room, state = ready(Box(20.0, 54.0, (Element(30.0, BRICK, facing=facing),)))
        wanted = pvlib.irradiance.get_total_irradiance(
            tilt,
            toward,
            zenith,
            azimuth,
            dni=skies["direct_normal_w_m2"],
            ghi=skies["global_w_m2"],
            dhi=skies["diffuse_w_m2"],
            dni_extra=np.full(len(skies), 1361.0),
            airmass=pvlib.atmosphere.get_relative_airmass(np.minimum(zenith, 89.0)),
            albedo=0.2,
            model="perez",
        )["poa_global"]
        some = rows_of(skies, Sky)
        found = np.zeros(len(skies))
        for at in range(len(skies)):
            zone.prepare(room, state, some[at])
            found[at] = sun_behind_w_m2(room, state, skies, at)
        assert np.abs(found - wanted)[high].max() < 8.0  # their mass of air is another formula
        assert found.sum() == pytest.approx(np.nansum(wanted), rel=0.01)


def test_overhang_and_blinds_keep_sun_out() -> None:
    high_sun = {"direct_normal_w_m2": 800.0, "global_w_m2": 760.0, "sun_up": 0.95, "sun_north": -0.31}
    plain = Box(20.0, 54.0, (Element(30.0, BRICK, adjoining=1.0),), windows=(Window(3.0, 0.0, -1.0),))
    shaded = Box(20.0, 54.0, plain.elements, windows=(Window(3.0, 0.0, -1.0, overhang_m=0.25, high_m=1.5),))
    solar_w = []
    for box, blinds in ((plain, 0.0), (shaded, 0.0), (plain, 1.0)):
        room, state = ready(box)
        state.blinds_ratio = blinds
        zone.prepare(room, state, one_sky(**high_sun))
        solar_w.append(state.solar_w)
    ground_w = 3.0 * 0.5 * 0.2 * 760.0 * envelope.DOUBLE_CLEAR.diffuse[0]
    shadow = 0.25 * 0.95 / 0.31 / 1.5
    assert solar_w[1] - ground_w == pytest.approx((1.0 - shadow) * (solar_w[0] - ground_w), rel=1e-9)
    assert solar_w[2] == pytest.approx(0.4 * solar_w[0])


def test_open_window_lets_air_in() -> None:
    """1 m2, 1 m high, 9 K, still air: 0.5 sqrt(0.0035 9 + 0.01) = 0.102 m3/s, at 29 °C 0.119 kg/s."""
    room, state = ready(Box(20.0, 54.0, FLAT.elements, leaks=Leaks(opening_m2=1.0)))
    zone.prepare(room, state, one_sky(outdoor_c=29.0))
    assert state.air_kg_s == 0.0
    state.window_open_ratio = 1.0
    zone.prepare(room, state, one_sky(outdoor_c=29.0))
    assert state.air_kg_s == pytest.approx(0.119, abs=0.002)


def test_sensor_under_the_ceiling_reads_warm_in_both_modes() -> None:
    for heat_w in (1200.0, -1200.0):
        room, state = ready(FLAT)
        zone.prepare(room, state, one_sky())
        for _ in range(60):
            zone.step(room, state, heat_w, 0.0, 0.0, heat_w)
        air_c = state.node_c[0]
        assert state.return_c > air_c > state.occupied_c
        assert 0.7 * state.occupied_c + 0.3 * state.return_c == pytest.approx(air_c, abs=1e-9)


def test_steel_sheet_in_a_storm_does_not_swing() -> None:
    """The outer film of now acts on a node read 5 minutes before: steady weather must bring a steady wall."""
    sheet = (Layer(0.001, 50.0, 7800.0, 450.0), Layer(0.1, 0.04, 30.0, 1000.0), Layer(0.012, 0.25, 900.0, 1000.0))
    room, state = ready(Box(20.0, 54.0, (Element(30.0, sheet, facing=(1.0, 0.0, 0.0, 0.0, 0.0)),)))
    sky = one_sky(outdoor_c=-5.0, wind_m_s=25.0, direct_normal_w_m2=500.0, sun_north=-0.9, sun_up=0.43, sky_c=-25.0)
    outer_c = []
    for _ in range(12 * 24 * 4):
        zone.prepare(room, state, sky)
        for _ in range(5):
            zone.step(room, state, 0.0, 0.0, 0.0, 0.0)
        outer_c.append(float(state.node_c[1]))
    assert outer_c[-1] == pytest.approx(outer_c[-2], abs=1e-3)
    assert -5.0 < outer_c[-1] < 10.0


def test_people_see_cold_walls_and_glass() -> None:
    room, state = ready(FLAT)
    sky = one_sky(outdoor_c=-10.0, sky_c=-20.0)
    for _ in range(12 * 24 * 3):
        zone.prepare(room, state, sky)
        for _ in range(5):
            heat_w = zone.heat_to_hold_w(room, state, 0.0, 0.0, 20.0, 26.0)
            zone.step(room, state, heat_w, 0.0, 0.0, heat_w)
    assert state.node_c[0] == pytest.approx(20.0)
    assert 15.0 < state.mean_radiant_c < 19.5


def test_fog_falls_out_and_is_counted() -> None:
    room, state = ready(FLAT)
    for _ in range(200):
        zone.prepare(room, state, one_sky())
        for _ in range(5):
            zone.step(room, state, 0.0, 0.0, 3e-4, 0.0)
    assert state.humidity_kg_kg <= state.saturation_kg_kg
    assert state.condensed_kg > 0.0


SCRIPT = """
import json
from tests.simulator.test_zone import COMPILED, FLAT, Sky, _year, np, ready, rows_of, weather
room, state = ready(FLAT)
sums = np.zeros(20)
_year(room, state, rows_of(weather(12 * 24), Sky), True, sums)
print(json.dumps([COMPILED, list(state.node_c), state.humidity_kg_kg, state.mean_radiant_c, list(sums)]))
"""


def test_compiled_and_plain_rooms_agree() -> None:
    found = []
    for disabled in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, check=True, capture_output=True, text=True, timeout=120
        )
        found.append(json.loads(done.stdout))
    assert found[1][0] is False
    for one, other in zip(found[0][1:], found[1][1:], strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)
