"""From layers, windows and leaks to a ``zone.Room``.

Each element of the envelope (walls, floor, ceiling) is a chain of two capacities that answers to heat as its layers do;
partitions and furniture are one. Inside, surfaces give heat to the air by convection and to one star node by long-wave
radiation (J. Seem, "Modeling of heat transfer in buildings", PhD thesis, University of Wisconsin-Madison, 1987, with
the star's conductances after J. Carroll, "An 'MRT method' of computing radiant energy exchange in rooms", 1980).
Outside, they see air, ground and sky. All coefficients are constant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.physics.moist_air import AIR_HEAT_J_PER_KG_K, PRESSURE_PA, density_kg_m3
from simulator.physics.zone import EMISSIVITY as EMISSIVITY
from simulator.physics.zone import FACADES, INPUTS, MASS, NODES, PREPARE_S, STEP_S, Room
from simulator.physics.zone import GLASS_EMISSIVITY as GLASS_EMISSIVITY
from simulator.records import plain, table

Array = NDArray[np.float64]
Complex = NDArray[np.complexfloating[Any, Any]]

INSIDE_RADIATION_W_M2_K = 5.71  # of black surfaces: 4 sigma T^3 at 293 K
OUTSIDE_RADIATION_W_M2_K = 5.14  # at 283 K
INSIDE_FILM_W_M2_K = 7.7  # ISO 6946, horizontal heat flow: in which U of windows is stated, and behind inner walls
OUTSIDE_FILM_W_M2_K = 25.0
USUAL_WIND_M_S = 3.0
STRONG_WIND_M_S = 8.0  # of the film in the matrices: above most winds, so that ``zone`` corrects downward
ELEMENTS = 3
SURFACES = 5  # A, B, C, inner mass, glass
SKY_OF_WALL = 0.5 * 0.5**0.5  # view of the sky, the rest of the upper half counts as air: Walton 1983, EnergyPlus
HOUR_S = 3600.0
# A gap between uncoated panes at 10 °C: two thirds radiation, which grows by 3/T, the rest conduction, by 0.25 % per K
GAP_WARMER_1_K = 0.008
LEAST_GLASS_M2_K_W = 1e-3
COATED_U_W_M2_K = 2.2  # windows below have a coating that stops radiation: assumed
DAY_PULSATION = 2.0 * np.pi / (24.0 * HOUR_S)


def radiation_w_m2_k(temperature_c: float) -> float:
    """Linear coefficient of long-wave exchange between black surfaces, 4 sigma T^3. [W/(m2 K)]"""
    return 4.0 * 5.670374e-8 * (temperature_c + 273.15) ** 3


@dataclass(frozen=True, slots=True)
class Film:
    """Convection outside: without wind, and per m/s of wind at the weather station."""

    still_w_m2_k: float
    wind_j_m3_k: float = 0.0

    def at(self, wind_m_s: float) -> float:
        return self.still_w_m2_k + self.wind_j_m3_k * wind_m_s


TOWN = Film(4.0, 4.0 / 3.0)  # ISO 6946's 4 + 4 v, v at the wall a third of the station's: assumed


@dataclass(frozen=True, slots=True)
class Layer:
    """A slab; one without density is a plain resistance."""

    thickness_m: float
    conductivity_w_m_k: float
    density_kg_m3: float = 0.0
    heat_j_kg_k: float = 0.0

    @property
    def resistance_m2_k_w(self) -> float:
        return self.thickness_m / self.conductivity_w_m_k

    @property
    def capacity_j_m2_k(self) -> float:
        return self.thickness_m * self.density_kg_m3 * self.heat_j_kg_k


Layers = tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """A part of the envelope, layers from outside to inside, and what is behind it as shares of its area (sum 1)."""

    area_m2: float
    layers: Layers
    facing: tuple[float, ...] = (0.0,) * FACADES  # outdoors: front, right, back, left (clockwise from above), roof
    air: float = 0.0  # outdoor air without sun or sky: below a raised floor
    adjoining: float = 0.0
    ground: float = 0.0
    absorptance: float = 0.6
    outside: Film = TOWN
    convection_w_m2_k: float = 2.5  # inside; EN ISO 13790, mean of walls, floor and ceiling
    sun_ratio: float | None = None  # share of the sun in the room that it takes; None: by area

    def __post_init__(self) -> None:
        shares = sum(self.facing) + self.air + self.adjoining + self.ground
        if abs(shares - 1.0) > 1e-6:
            raise ValueError(f"what is behind an element must be shares of 1, got {shares:.3f}")

    @property
    def outside_film_w_m2_k(self) -> float:
        """On the far side, in a strong wind: the mean resistance of what is there."""
        open_w_m2_k = self.outside.at(STRONG_WIND_M_S) + EMISSIVITY * OUTSIDE_RADIATION_W_M2_K
        resistance = (sum(self.facing) + self.air) / open_w_m2_k + self.adjoining / INSIDE_FILM_W_M2_K
        return 1.0 / max(resistance, 1e-3)


@dataclass(frozen=True, slots=True)
class Mass:
    """Partitions and furniture that see the room from all sides; ``layers`` from their middle to their surface."""

    area_m2: float
    layers: Layers
    convection_w_m2_k: float = 2.5
    sun_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Glazing:
    """A kind of window; optics: factors of c, c^2 .. c^5, c the cosine of incidence, and a value for diffuse light."""

    resistance_m2_k_w: float  # between its outer and inner surface
    transmitted: tuple[float, ...]
    absorbed_outer: tuple[float, ...]
    absorbed_inner: tuple[float, ...]
    diffuse: tuple[float, float, float]  # the same three
    warmer_1_k: float = 0.0  # by how much less it resists per K above a mean of 10 °C


@dataclass(frozen=True, slots=True)
class Window:
    """Glass in one plane. ``east``, ``north``, ``up``: unit vector out of it."""

    area_m2: float
    east: float
    north: float
    up: float = 0.0
    clear_ratio: float = 1.0  # 1 less what neighbouring houses and trees shade
    overhang_m: float = 0.0  # wide as the wall
    overhang_gap_m: float = 0.0
    high_m: float = 1.5


@dataclass(frozen=True, slots=True)
class Leaks:
    """Air from outside: a constant, cracks by stack and wind, and the window that people open."""

    constant_ach: float = 0.0
    stack_m6_s2_k: float = 0.0
    wind_m4: float = 0.0
    opening_m2: float = 0.0
    opening_high_m: float = 1.0


@dataclass(frozen=True, slots=True)
class NextDoor:
    """The adjoining room: how far it follows the weather, and between what its own people keep it (assumed)."""

    outdoor_ratio: float = 0.4
    gain_k: float = 2.0
    low_c: float = 10.0
    high_c: float = 32.0
    memory_h: float = 12.0


@dataclass(frozen=True, slots=True)
class Layering:
    """Layers of air: K above the room's mean per W of the unit's heat per m2 of floor (cooling is negative).

    The unit's sensor, under the ceiling, reads warmer than people feel in both modes, more so in heating: at 60 W/m2
    1.8 K when heating and 0.7 K when cooling; people have the lower 70 % of the air. Assumed, but makers correct their
    sensors by as much: Samsung's service manual of AM080FXWANR takes 2 K off in heating (5 K for ceiling cassettes)
    for stratification, Airwell's of CKD 2 to 4 K "between high and low areas in the heated room".
    """

    return_heating_k_m2_w: float = 0.021
    return_cooling_k_m2_w: float = -0.0084
    occupied_heating_k_m2_w: float = -0.009
    occupied_cooling_k_m2_w: float = 0.0036


@dataclass(frozen=True, slots=True)
class Network:
    """C dT/dt = -K T + B u, with the star node's temperature S T + R u."""

    capacity_j_k: Array  # (8,)
    conductance_w_k: Array  # K (8, 8)
    gain: Array  # B (8, 7): W/K for the four temperatures, W/W for the three heats
    star_node: Array  # S (8,)
    star_input: Array  # R (7,)


def leaks(
    leakage_m2: float, storeys: int = 1, shelter: int = 3, opening_m2: float = 0.0, opening_high_m: float = 1.0
) -> Leaks:
    """Cracks of an effective leakage area at 4 Pa, after M. Sherman and D. Grimsrud, 1980.

    Coefficients: ASHRAE Handbook Fundamentals 2017, chapter 16, tables 4 and 6: 1 to 3 storeys, shelter 1 (none) to
    5 (very dense); wind as measured at the weather station.
    """
    stack = (0.000145, 0.000290, 0.000435)[storeys - 1]
    wind = (
        (0.000319, 0.000420, 0.000494),
        (0.000246, 0.000325, 0.000382),
        (0.000174, 0.000231, 0.000271),
        (0.000104, 0.000137, 0.000161),
        (0.000032, 0.000042, 0.000049),
    )[shelter - 1][storeys - 1]
    per_cm2 = 1e4 * leakage_m2 / 1000.0  # the tables give L/s from cm2
    square = per_cm2 * per_cm2
    return Leaks(0.0, square * stack, square * wind, opening_m2, opening_high_m)


# Glass


def panes(
    count: int,
    thickness_m: float,
    gap_w_m2_k: float,
    extinction_1_m: float = 19.6,
    index: float = 1.526,
) -> Glazing:
    """One or two panes of uncoated glass by Fresnel's and Bouguer's laws; ``gap_w_m2_k`` of the air between.

    Glass by default as in BESTEST (R. Judkoff and J. Neymark, NREL/TP-472-6231, 1995): clear, 0.0196 per mm, 1.526.
    """
    cosines = np.linspace(0.0, 1.0, 201)[1:]
    optics = np.mean([_panes(count, thickness_m, extinction_1_m, index, cosines, p) for p in (True, False)], axis=0)
    resistance = count * thickness_m / 1.0  # glass conducts 1 W/(m K)
    if count == 1:
        return _glazing(resistance, cosines, optics)
    return replace(_glazing(resistance + 1.0 / gap_w_m2_k, cosines, optics), warmer_1_k=GAP_WARMER_1_K)


def glazing_by_angle(
    resistance_m2_k_w: float,
    degrees: Sequence[float],
    transmitted: Sequence[float],
    absorbed_outer: Sequence[float],
    absorbed_inner: Sequence[float],
) -> Glazing:
    """Glass from a table over the angle of incidence, 0 to 90 degrees."""
    cosines = np.linspace(0.0, 1.0, 201)[1:]
    angles = np.degrees(np.arccos(cosines))
    optics = np.array([np.interp(angles, degrees, one) for one in (transmitted, absorbed_outer, absorbed_inner)])
    return _glazing(resistance_m2_k_w, cosines, optics)


def _glazing(resistance_m2_k_w: float, cosines: Array, optics: Array) -> Glazing:
    powers = cosines[:, None] ** np.arange(1, 6)
    # weighted by the cosine, as is the light that falls on the glass
    factors = np.linalg.lstsq(cosines[:, None] * powers, (cosines * optics).T, rcond=None)[0].T.tolist()
    diffuse = (2.0 * np.mean(optics * cosines, axis=1)).tolist()
    return Glazing(
        resistance_m2_k_w,
        *(tuple(factors[0]), tuple(factors[1]), tuple(factors[2])),
        diffuse=(diffuse[0], diffuse[1], diffuse[2]),
    )


def _panes(count: int, thickness_m: float, extinction: float, index: float, c: Array, parallel: bool) -> Array:
    """Transmittance, absorptance of the outer and of the inner pane, for one polarisation."""
    inside = np.sqrt(1.0 - (1.0 - c**2) / index**2)
    ratio = (index * c - inside) / (index * c + inside) if parallel else (c - index * inside) / (c + index * inside)
    surface, path = ratio**2, np.exp(-extinction * thickness_m / inside)
    t = (1.0 - surface) ** 2 * path / (1.0 - (surface * path) ** 2)
    r = surface * (1.0 + path * t)
    a = 1.0 - t - r
    if count == 1:
        return np.array([t, a, np.zeros_like(t)])
    between = 1.0 / (1.0 - r * r)
    return np.array([t * t * between, a * (1.0 + t * r * between), a * t * between])


def glazing(u_w_m2_k: float, shgc: float, transmittance: float, like: Glazing | None = None) -> Glazing:
    """A window by its label at normal incidence, with the angles of clear glass; films as in ISO 6946.

    Above 5.8 W/(m2 K), where the frame leaks more than a pane, the glass is a pane.
    """
    like = like or DOUBLE_CLEAR
    films = 1.0 / INSIDE_FILM_W_M2_K + 1.0 / OUTSIDE_FILM_W_M2_K
    resistance = max(1.0 / u_w_m2_k - films, LEAST_GLASS_M2_K_W)
    outer = 1.0 / OUTSIDE_FILM_W_M2_K + resistance  # all that goes inside is taken to be absorbed in the inner pane
    scale = transmittance / sum(like.transmitted)
    absorbed = (shgc - transmittance) * (films + resistance) / outer
    scale_absorbed = absorbed / sum(like.absorbed_inner) if absorbed > 0.0 else 0.0
    return Glazing(
        resistance,
        tuple(scale * x for x in like.transmitted),
        (0.0,) * 5,
        tuple(scale_absorbed * x for x in like.absorbed_inner),
        (scale * like.diffuse[0], 0.0, scale_absorbed * like.diffuse[2]),
        like.warmer_1_k if u_w_m2_k > COATED_U_W_M2_K else 0.0,
    )


DOUBLE_CLEAR = panes(2, 0.003, gap_w_m2_k=5.6)  # 12 mm of air, ISO 10292
SINGLE_CLEAR = panes(1, 0.003, gap_w_m2_k=0.0)


# Walls


PULSATIONS = 2.0 * np.pi / (HOUR_S * np.array([1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 48.0, 168.0, 720.0]))
ROOM_FILM_W_M2_K = 8.0


@lru_cache(maxsize=4096)
def two_capacities(layers: Layers, outside_w_m2_k: float) -> tuple[float, float, float, float, float]:
    """R1 C1 R2 C2 R3 per m2, outside to inside, of the chain that answers as the layers do. R1 holds the outer film.

    Steady state is exact. The rest is fitted (Levenberg and Marquardt) to the surface's temperature per heat on it, and
    per degree outside, with a film of 8 W/(m2 K) inside, for swings between an hour and a month.
    """
    total = sum(layer.resistance_m2_k_w for layer in layers)
    capacity = sum(layer.capacity_j_m2_k for layer in layers)
    film = 1.0 / outside_w_m2_k
    if capacity == 0.0:
        return film + total / 3.0, 1.0, total / 3.0, 1.0, total / 3.0
    wanted = _answers(*_through_layers(layers, film, 1.0, PULSATIONS))

    def chain(logarithms: Array) -> tuple[Array, ...]:
        """R1 R2 R3 C1 C2, one row for each set of logarithms."""
        shares = np.exp(logarithms[:, :3] - logarithms[:, :3].max(axis=1, keepdims=True))
        resistances = total * shares / shares.sum(axis=1, keepdims=True)
        return *resistances.T[:, :, None], *np.exp(logarithms[:, 3:]).T[:, :, None]

    def errors(logarithms: Array) -> Array:
        r1, r2, r3, c1, c2 = chain(logarithms)
        heat: Complex = 1.0 + 1j * PULSATIONS * c1 * (film + r1)
        temperature: Complex = film + r1 + r2 * heat
        heat = heat + 1j * PULSATIONS * c2 * temperature
        off = _answers(temperature + r3 * heat, heat) - wanted
        return np.concatenate([off.real, off.imag], axis=1)

    # over random walls, other starts ended at the same place
    best = _least_squares(errors, np.log([0.75, 0.2, 0.05, 0.5 * capacity, 0.5 * capacity]))
    r1, r2, r3, c1, c2 = (float(one[0, 0]) for one in chain(best[None]))
    return film + r1, c1, r2, c2, r3


def one_capacity(layers: Layers) -> tuple[float, float]:
    """Resistance and capacity per m2 of a body heated from its surface; exact for a daily swing."""
    temperature, heat = _through_layers(layers, 1.0, 0.0, np.array([DAY_PULSATION]))
    impedance = complex(temperature[0] / heat[0])
    return max(impedance.real, 1e-4), -1.0 / (DAY_PULSATION * impedance.imag)


def _through_layers(layers: Layers, temperature: float, heat: float, pulsations: Array) -> tuple[Complex, Complex]:
    """Swings of temperature and outward heat at the inner surface, from those at the outer one. ISO 13786."""
    t, q = temperature + 0j * pulsations, heat + 0j * pulsations
    for layer in layers:
        r, s = layer.resistance_m2_k_w, layer.capacity_j_m2_k
        if s == 0.0:
            t = t + r * q
        else:
            root = np.sqrt(1j * pulsations * r * s)
            t, q = np.cosh(root) * t + r * np.sinh(root) / root * q, root * np.sinh(root) / r * t + np.cosh(root) * q
    return t, q


def _answers(temperature: Complex, heat: Complex) -> Complex:
    """Inner surface's swing per heat on it (times the film inside), and per degree of outdoors.

    From temperature and heat at the surface while the air outside holds and 1 W/m2 goes out to it.
    """
    whole = ROOM_FILM_W_M2_K * temperature + heat
    return np.concatenate([ROOM_FILM_W_M2_K * temperature / whole, 1.0 / whole], axis=-1)


def _least_squares(errors: Callable[[Array], Array], start: Array, rounds: int = 40) -> Array:
    """Where the sum of squares is least; ``errors`` takes many points at once, shape (points, unknowns)."""
    x, damping, small = start, 1e-2, 1e-5
    steps = np.vstack([np.zeros(len(x)), small * np.eye(len(x))])
    around = errors(x + steps)
    for _ in range(rounds):
        now = around[0]
        slope = (around[1:] - now) / small
        square = slope @ slope.T
        move = np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-12), -slope @ now)
        tried = np.clip(x + np.clip(move, -1.0, 1.0), -30.0, 30.0)
        then = errors(tried + steps)
        gained = float(now @ now - then[0] @ then[0])
        if gained > 0.0:
            x, around, damping = tried, then, damping / 5.0
            if gained < 1e-6 * float(now @ now):
                break
        else:
            damping *= 5.0
            if damping > 1e6:
                break
    return x


# The room


@dataclass(frozen=True, slots=True)
class Box:
    """A room in words: what ``room`` needs."""

    floor_m2: float
    volume_m3: float
    elements: tuple[Element, ...]  # up to three: A, B, C
    mass: Mass | None = None
    windows: tuple[Window, ...] = ()  # up to two
    glazing: Glazing = DOUBLE_CLEAR
    glass_outside: Film = TOWN
    glass_convection_w_m2_k: float = 2.5
    front: tuple[float, float] = (0.0, -1.0)  # east, north of the front facade's normal
    leaks: Leaks = field(default_factory=Leaks)
    next_door: NextDoor = field(default_factory=NextDoor)
    layering: Layering = field(default_factory=Layering)
    pressure_pa: float = PRESSURE_PA
    furniture_j_m2_k: float = 15_000.0  # in the air node, per m2 of floor; assumed
    sun_lost_ratio: float = 0.04  # of the sun that came in, reflected out again; as of ASHRAE 140's case 600
    albedo: float = 0.2
    blinds_stop_ratio: float = 0.6  # assumed: light inner curtain
    buffer_ratio: float = 10.0  # water kept in walls and things, as air of the room; assumed
    buffer_h: float = 2.0
    weather: int = 0

    def __post_init__(self) -> None:
        if len(self.elements) > ELEMENTS or len(self.windows) > 2:
            raise ValueError(
                f"a room has up to {ELEMENTS} elements and 2 windows, got {len(self.elements)} and {len(self.windows)}"
            )


def network(box: Box, air_j_k: float) -> Network:
    """Thermal network of a room without the air that comes from outside."""
    star, glass = NODES + SURFACES, NODES + 4
    k = np.zeros((star + 1, star + 1))
    b = np.zeros((star + 1, INPUTS))
    capacity = np.ones(NODES)  # nodes that are not there: 1 J/K, tied to the air
    capacity[0] = air_j_k

    def tie(one: int, other: int, w_k: float) -> None:
        k[[one, other], [one, other]] += w_k
        k[[one, other], [other, one]] -= w_k

    def from_input(node: int, which: int, w_k: float) -> None:
        k[node, node] += w_k
        b[node, which] += w_k

    areas, convection, emissivity = np.zeros(SURFACES), np.zeros(SURFACES), np.full(SURFACES, EMISSIVITY)
    sun: list[float | None] = [0.0] * SURFACES
    for e, element in enumerate(box.elements):
        r1, c1, r2, c2, r3 = two_capacities(element.layers, element.outside_film_w_m2_k)
        area = element.area_m2
        outer, inner = 1 + 2 * e, 2 + 2 * e
        from_input(outer, e, area / r1)
        tie(outer, inner, area / r2)
        tie(inner, NODES + e, area / r3)
        capacity[outer], capacity[inner] = area * c1, area * c2
        areas[e], convection[e], sun[e] = area, element.convection_w_m2_k, element.sun_ratio
    for e in range(len(box.elements), ELEMENTS):
        tie(1 + 2 * e, 0, 1.0)
        tie(2 + 2 * e, 0, 1.0)
    if box.mass:
        r, c = one_capacity(box.mass.layers)
        tie(MASS, NODES + 3, box.mass.area_m2 / r)
        capacity[MASS] = box.mass.area_m2 * c
        areas[3], convection[3], sun[3] = box.mass.area_m2, box.mass.convection_w_m2_k, box.mass.sun_ratio
    else:
        tie(MASS, 0, 1.0)
    if box.windows:
        areas[4], convection[4] = sum(window.area_m2 for window in box.windows), box.glass_convection_w_m2_k
        emissivity[4] = GLASS_EMISSIVITY
        from_input(
            glass, 3, areas[4] / (box.glazing.resistance_m2_k_w + 1.0 / _glass_film_w_m2_k(box, STRONG_WIND_M_S))
        )
    radiation_w_k = _to_star(areas, emissivity)
    for s in range(SURFACES):
        tie(NODES + s, 0, areas[s] * convection[s] if areas[s] > 0.0 else 1.0)
        tie(NODES + s, star, radiation_w_k[s])
    b[NODES:star, 4] = (1.0 - box.sun_lost_ratio) * _shares(sun, areas)
    b[star, 5] = 1.0
    b[0, 6] = 1.0
    return _without_massless(k, b, capacity)


def _glass_film_w_m2_k(box: Box, wind_m_s: float) -> float:
    return box.glass_outside.at(wind_m_s) + GLASS_EMISSIVITY * OUTSIDE_RADIATION_W_M2_K


def _shares(wanted: Sequence[float | None], areas: Array) -> Array:
    """Shares of the sun by surface, sum 1: as given, the rest by area over those without."""
    given = np.array([0.0 if share is None else share for share in wanted])
    free = np.array([share is None for share in wanted]) * areas
    if free.sum() == 0.0:
        return np.asarray(given / given.sum())
    return np.asarray(given + (1.0 - given.sum()) * free / free.sum())


def _to_star(areas: Array, emissivity: Array) -> Array:
    """Conductances from grey surfaces to the star (Carroll). [W/K]"""
    factor = np.ones(len(areas))
    for _ in range(30):
        factor = 1.0 / np.maximum(1.0 - areas * factor / (areas * factor).sum(), 0.25)
    return np.asarray(areas * INSIDE_RADIATION_W_M2_K / (1.0 / factor + (1.0 - emissivity) / emissivity))


def _without_massless(k: Array, b: Array, capacity: Array) -> Network:
    kept, gone = slice(0, NODES), slice(NODES, None)
    solved = np.linalg.solve(k[gone, gone], np.hstack((-k[gone, kept], b[gone])))
    of_node, of_input = solved[:, :NODES], solved[:, NODES:]
    return Network(
        capacity_j_k=capacity,
        conductance_w_k=k[kept, kept] + k[kept, gone] @ of_node,
        gain=b[kept] - k[kept, gone] @ of_input,
        star_node=of_node[-1],
        star_input=of_input[-1],
    )


def discretise(net: Network, step_s: float = STEP_S) -> tuple[Array, Array]:
    """M (8, 8) and N (8, 7) of T' = M T + N u, exact for inputs that are constant over the step."""
    root = np.sqrt(net.capacity_j_k)
    rates, vectors = np.linalg.eigh(net.conductance_w_k / np.outer(root, root))
    rates = np.maximum(rates, 1e-15)  # a room without any loss has one that is zero
    m = (vectors * np.exp(-rates * step_s)) @ vectors.T * np.outer(1.0 / root, root)
    held = (vectors * (-np.expm1(-rates * step_s) / rates)) @ vectors.T / root[:, None]
    return np.asarray(m), np.asarray(held @ (net.gain / root[:, None]))


def room(box: Box) -> Room:
    """The room that ``zone`` steps."""
    air_kg = box.volume_m3 * density_kg_m3(20.0, 0.0, box.pressure_pa)
    net = network(box, air_kg * AIR_HEAT_J_PER_KG_K + box.furniture_j_m2_k * box.floor_m2)
    m, n = discretise(net)
    glass, film = box.glazing, _glass_film_w_m2_k(box, USUAL_WIND_M_S)
    through = 1.0 / film + glass.resistance_m2_k_w
    made = plain(table(Room, 1), Room)[0]
    made.weather = box.weather
    made.floor_m2 = box.floor_m2
    made.volume_m3 = box.volume_m3
    made.pressure_pa = box.pressure_pa
    made.air_kg = air_kg
    made.state_matrix = m.T.ravel().tolist()
    made.input_matrix = n.T.ravel().tolist()
    made.star_from_node = net.star_node.tolist()
    made.star_from_input = net.star_input.tolist()
    made.front_east = box.front[0]
    made.front_north = box.front[1]
    made.albedo = box.albedo
    made.transmitted = list(glass.transmitted)
    made.transmitted_diffuse = glass.diffuse[0]
    made.glass_k_m2_w = [
        a / film + b * through for a, b in zip(glass.absorbed_outer, glass.absorbed_inner, strict=True)
    ]
    made.glass_diffuse_k_m2_w = glass.diffuse[1] / film + glass.diffuse[2] * through
    made.glass_film_w_m2_k = _glass_film_w_m2_k(box, STRONG_WIND_M_S)
    made.glass_still_w_m2_k = box.glass_outside.still_w_m2_k
    made.glass_wind_j_m3_k = box.glass_outside.wind_j_m3_k
    made.glass_m2_k_w = glass.resistance_m2_k_w
    made.glass_warmer_1_k = glass.warmer_1_k
    made.glass_inside_m2_k_w = 1.0 / INSIDE_FILM_W_M2_K
    made.blinds_stop_ratio = box.blinds_stop_ratio
    made.constant_m3_s = box.leaks.constant_ach * box.volume_m3 / HOUR_S
    made.stack_m6_s2_k = box.leaks.stack_m6_s2_k
    made.wind_m4 = box.leaks.wind_m4
    made.opening_m2 = box.leaks.opening_m2
    made.opening_high_m = box.leaks.opening_high_m
    made.adjoining_outdoor_ratio = box.next_door.outdoor_ratio
    made.adjoining_gain_k = box.next_door.gain_k
    made.adjoining_low_c = box.next_door.low_c
    made.adjoining_high_c = box.next_door.high_c
    made.adjoining_memory = 1.0 - float(np.exp(-PREPARE_S / (HOUR_S * box.next_door.memory_h)))
    made.buffer_kg = box.buffer_ratio * air_kg
    made.buffer_kg_s = box.buffer_ratio * air_kg / (HOUR_S * box.buffer_h)
    made.return_heating_k_m2_w = box.layering.return_heating_k_m2_w
    made.return_cooling_k_m2_w = box.layering.return_cooling_k_m2_w
    made.occupied_heating_k_m2_w = box.layering.occupied_heating_k_m2_w
    made.occupied_cooling_k_m2_w = box.layering.occupied_cooling_k_m2_w
    for e, element in enumerate(box.elements):
        for facade, share in enumerate(element.facing):
            made.sun_absorbed[FACADES * e + facade] = share * element.absorptance
        made.sky_view[e] = EMISSIVITY * (SKY_OF_WALL * sum(element.facing[:4]) + element.facing[4])
        made.outdoors[e] = sum(element.facing) + element.air
        film = element.outside_film_w_m2_k
        made.film_w_m2_k[e] = film
        made.still_w_m2_k[e], made.wind_j_m3_k[e] = element.outside.still_w_m2_k, element.outside.wind_j_m3_k
        made.first_w_m2_k[e] = 1.0 / (two_capacities(element.layers, film)[0] - 1.0 / film)
        made.adjoining[e], made.ground[e] = element.adjoining, element.ground
    for w, window in enumerate(box.windows):
        made.window_m2[w], made.clear_ratio[w] = window.area_m2, window.clear_ratio
        made.window_east[w], made.window_north[w], made.window_up[w] = window.east, window.north, window.up
        made.overhang_m[w], made.overhang_gap_m[w] = window.overhang_m, window.overhang_gap_m
        made.window_high_m[w] = window.high_m
        half = 0.5 * (1.0 + window.up)
        view = half * float(np.sqrt(half))
        share = window.area_m2 / sum(one.area_m2 for one in box.windows)
        made.glass_sky_view += share * view * GLASS_EMISSIVITY
    return made
