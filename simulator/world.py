"""Rooms, units and people of n homes as one thing, and what happens to them from outside.

``World`` holds the tables; ``advance`` lets 5 minutes pass for all of them, in five inner steps of 60 s. People act on
their units' panels by themselves; a controller acts on ``world.panels`` between two steps.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import residents
from simulator.jit import njit
from simulator.physics import split_unit, zone
from simulator.records import Table, record

STEP_S = 300.0
INNER_STEPS = 5
INNER_STEP_S = 60.0
STEPS_PER_H = 12
STEPS_PER_DAY = 288


BY_HOME = (
    "utc_offset_s",
    "latitude",
    "longitude",
    "rooms",
    "room_states",
    "units",
    "unit_states",
    "panels",
    "persons",
    "habits",
    "hands",
    "meters",
)  # columns of ``World`` with one element a home


@record
class Meter:
    """What a step cost; ``advance`` writes it anew each time."""

    energy_j: float  # of the unit
    over_k_s: float  # above the true band while somebody is home
    under_k_s: float
    starts: int  # of the compressor


@dataclass(slots=True)
class World:
    """Tables of n homes with one room and one unit each; row i begins at ``start_epoch_s + 300 i``."""

    start_epoch_s: float
    utc_offset_s: NDArray[np.float64]  # (n,)
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    skies: Table  # (rows, weathers) of weather.sky.Sky; rooms["weather"] says which
    presence: NDArray[np.int8]  # (rows, n): 0 away, 1 home and awake, 2 asleep
    price: NDArray[np.float32]  # (rows, n), per kWh, everything included
    chance: NDArray[np.float32]  # (rows, n), 0..1: luck of people
    rooms: Table  # (n,) of physics.zone.Room
    room_states: Table
    units: Table  # of physics.split_unit.Unit
    unit_states: Table
    panels: Table  # of physics.split_unit.Panel
    persons: Table  # of residents.Person, hidden from every controller
    habits: Table  # of residents.Habit
    hands: Table  # of residents.Hand
    meters: Table  # of Meter

    @property
    def n(self) -> int:
        """Number of homes."""
        return len(self.rooms)

    def first(self, n: int) -> "World":
        """The first ``n`` homes, sharing memory with this world."""
        return replace(
            self,
            **{name: getattr(self, name)[:n] for name in BY_HOME},
            presence=self.presence[:, :n],
            price=self.price[:, :n],
            chance=self.chance[:, :n],
        )

    def advance(self, row: int, *, follows_program: bool) -> None:
        """Let the 5 minutes of a row pass; ``meters`` then holds what they cost.

        Parameters
        ----------
        row : int
            Of ``skies``, ``presence`` and ``chance``.
        follows_program : bool
            Whether households run their units as they always did, or something else runs them (``residents.react``).
        """
        advance(
            self.rooms,
            self.room_states,
            self.units,
            self.unit_states,
            self.panels,
            self.persons,
            self.habits,
            self.hands,
            self.meters,
            self.skies[row],
            self.presence[row],
            self.chance[row],
            self.start_epoch_s + STEP_S * row,
            follows_program,
        )


@njit
def advance(
    rooms: Any,
    room_states: Any,
    units: Any,
    unit_states: Any,
    panels: Any,
    persons: Any,
    habits: Any,
    hands: Any,
    meters: Any,
    skies: Any,
    presence: Any,
    chance: Any,
    at_s: float,
    follows_program: bool,
) -> None:
    """One step of 5 minutes for all homes: first people act, then five minutes of unit and room.

    Parameters
    ----------
    skies : Table, shape (weathers,)
        The row of now; ``presence`` and ``chance`` likewise have the shape (n,).
    """
    for i in range(len(rooms)):
        room, state, unit, running = rooms[i], room_states[i], units[i], unit_states[i]
        panel, person, hand, sky = panels[i], persons[i], hands[i], skies[rooms[i].weather]
        here = int(presence[i])
        season = residents.season_of(sky.daily_mean_c)
        residents.react(person, habits[i], hand, panel, state, here, season, at_s, float(chance[i]), follows_program)
        zone.prepare(room, state, sky)
        split_unit.prepare(
            unit, running, panel, sky.outdoor_c, sky.humidity_kg_kg, state.return_c, state.humidity_kg_kg
        )
        neutral_c = residents.neutral_c(person, here, season)
        half_k = residents.half_width_k(person, here, season)
        energy_j, over_k_s, under_k_s, starts = 0.0, 0.0, 0.0, running.starts
        for _ in range(INNER_STEPS):
            split_unit.step(unit, running, panel, state.return_c, state.humidity_kg_kg, INNER_STEP_S)
            zone.step(
                room,
                state,
                hand.convective_w + running.heat_w,
                hand.radiant_w,
                hand.moisture_kg_s - running.moisture_kg_s,
                running.heat_w,
            )
            energy_j += running.power_w * INNER_STEP_S
            if here != residents.AWAY:
                error_k = state.occupied_c - neutral_c
                over_k_s += max(error_k - half_k, 0.0) * INNER_STEP_S
                under_k_s += max(-error_k - half_k, 0.0) * INNER_STEP_S
        meter = meters[i]
        meter.energy_j = energy_j
        meter.over_k_s = over_k_s
        meter.under_k_s = under_k_s
        meter.starts = running.starts - starts
