"""A room as a whole: exact steps, balances of heat and water, symmetry, sun."""

import numpy as np
import pytest

from simulator.physics import envelope, zone
from simulator.physics.envelope import Box, Element, Layer, Leaks, Mass, Window
from simulator.records import Table, as_table, rows_of, table
from simulator.weather.sky import Sky

BRICK = Layer(0.24, 0.8, 1700.0, 840.0)
PLASTER = Layer(0.02, 0.7, 1400.0, 1000.0)
FLAT = Box(
    floor_m2=20.0,
    volume_m3=54.0,
    elements=(
        Element(15.0, (PLASTER, BRICK, PLASTER), facing=(0.7, 0.3, 0.0, 0.0, 0.0)),
        Element(30.0, (PLASTER, BRICK, PLASTER), adjoining=1.0),
        Element(40.0, (Layer(0.12, 1.7, 2400.0, 920.0),), adjoining=1.0),
    ),
    mass=Mass(20.0, (Layer(0.05, 0.5, 1000.0, 1000.0),)),
    windows=(Window(3.0, 0.0, -1.0),),
    leaks=Leaks(constant_ach=0.5),
)


def skies(**values: float) -> Table:
    one = table(Sky, 1)
    for name, value in values.items():
        one[name] = value
    return one


def ready(box: Box, air_c: float = 20.0) -> tuple[Table, Table]:
    rooms = as_table([envelope.room(box)])
    states = table(zone.RoomState, 1)
    some_rooms, some = rows_of(rooms, zone.Room), rows_of(states, zone.RoomState)
    zone.start(some_rooms[0], some[0], air_c, 0.008)
    return some_rooms, some


def test_room_at_the_temperature_of_everything_stays() -> None:
    rooms, states = ready(FLAT)
    sky = rows_of(skies(outdoor_c=20.0, sky_c=20.0, ground_c=20.0, daily_mean_c=18.0, humidity_kg_kg=0.008), Sky)
    for _ in range(100):
        zone.prepare(rooms[0], states[0], sky[0])
        for _ in range(5):
            zone.step(rooms[0], states[0], 0.0, 0.0, 0.0, 0.0)
    assert np.asarray(states[0].node_c if not isinstance(states, np.ndarray) else states["node_c"][0]) == pytest.approx(
        20.0, abs=0.3
    )
