"""From layers, windows and leaks to a ``zone.Room``.

Each element of the envelope (walls, floor, ceiling) is a chain of two capacities fitted to the exact response of its
layers; inner mass is one. All surfaces give heat to the air by convection and to one star node by radiation (J. Seem,
"Modeling of heat transfer in buildings", PhD thesis, University of Wisconsin-Madison, 1987; areas weighted after
J. Carroll, 1980, as in EnergyPlus' mean radiant temperature network). Coefficients of convection are constant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.physics.moist_air import AIR_HEAT_J_PER_KG_K, PRESSURE_PA, density_kg_m3
from simulator.physics.zone import FACADES, INPUTS, NODES, STEP_S, Room

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

LINEAR_RADIATION_W_M2_K = 5.71  # 4 sigma T^3 at 293 K
EMISSIVITY = 0.9  # of building materials, ASHRAE 140
INSIDE_FILM_W_M2_K = 7.7  # ISO 6946, horizontal heat flow
ELEMENTS = 3
SURFACES = 5  # A, B, C, inner mass, glass


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
    """A part of the envelope, its layers from outside to inside, and what is behind it as shares of its area."""

    area_m2: float
    layers: Layers
    facing: tuple[float, ...] = (0.0,) * FACADES  # front, right, back, left, roof: outdoors
    adjoining: float = 0.0
    ground: float = 0.0
    convection_w_m2_k: float = 2.5  # inside; assumed where nothing is known
    sun_ratio: float | None = None  # share of the sun in the room that it takes; None: by area


@dataclass(frozen=True, slots=True)
class Mass:
    """Partitions and furniture that see the room from all sides; ``layers`` from their middle to their surface."""

    area_m2: float
    layers: Layers
    convection_w_m2_k: float = 2.5
    sun_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Glazing:
    """A kind of window; ``u_w_m2_k`` with standard films, angles by polynomials in the cosine of incidence."""

    u_w_m2_k: float
    transmittance: tuple[float, ...]  # of c .. c^5
    inward: tuple[float, ...]
    transmittance_diffuse: float
    inward_diffuse: float


@dataclass(frozen=True, slots=True)
class Window:
    """Glass in one plane. ``east``, ``north``, ``up``: unit vector out of it."""

    area_m2: float
    east: float
    north: float
    up: float = 0.0
    clear_ratio: float = 1.0
    overhang_m: float = 0.0
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
    """Warmer air above: what the unit's heat (W per m2 of floor) adds at its sensor and where people are. (assumed)"""

    return_heating_k_m2_w: float = 0.02
    return_cooling_k_m2_w: float = 0.0
    occupied_heating_k_m2_w: float = -0.01
    occupied_cooling_k_m2_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Network:
    """C dT/dt = -K T + B u, with the star node's temperature S T + R u."""

    capacity_j_k: Array  # (8,)
    conductance_w_k: Array  # K (8, 8)
    gain: Array  # B (8, 7): W/K for the four temperatures, W/W for the three heats
    star_node: Array  # S (8,)
    star_input: Array  # R (7,)


# Clear double glazing 3 mm, ASHRAE 140 (k = 0.0196 /mm, n = 1.526)
DOUBLE_CLEAR = Glazing(
    u_w_m2_k=3.0,
    transmittance=(2.2, -1.2, -1.1, 1.2, -0.35),
    inward=(0.3, -0.5, 0.4, -0.1, 0.0),
    transmittance_diffuse=0.6,
    inward_diffuse=0.06,
)


@lru_cache(maxsize=4096)
def two_capacities(layers: Layers, outside_w_m2_k: float) -> tuple[float, float, float, float, float]:
    """Resistances and capacities per m2 of a chain R1 C1 R2 C2 R3 from outside to inside that answers as layers do.

    Steady state is exact: R1 holds the outer film (0 conductance: none) and the sum is that of the layers.
    """
    resistance = sum(layer.resistance_m2_k_w for layer in layers)
    capacity = sum(layer.capacity_j_m2_k for layer in layers)
    film = 1.0 / outside_w_m2_k if outside_w_m2_k > 0.0 else 0.0
    quarter = resistance / 4.0
    return film + quarter, capacity / 2.0, 2.0 * quarter, capacity / 2.0, quarter


def one_capacity(layers: Layers) -> tuple[float, float]:
    """Resistance and capacity per m2 of a body heated from its surface; exact for a daily swing."""
    impedance = _impedance(layers, 2.0 * np.pi / 86_400.0)
    return max(float(impedance.real), 1e-4), -1.0 / (2.0 * np.pi / 86_400.0 * float(impedance.imag))


def _chain(layers: Layers, pulsation: float) -> Complex:
    """Transfer matrix of the layers, outside to inside: (T, q) outside = M (T, q) inside. ISO 13786."""
    total = np.eye(2, dtype=np.complex128)
    for layer in layers:
        r, s = layer.resistance_m2_k_w, layer.capacity_j_m2_k
        if s == 0.0:
            one = np.array([[1.0, r], [0.0, 1.0]], dtype=np.complex128)
        else:
            root = np.sqrt(1j * pulsation * r * s)
            one = np.array([[np.cosh(root), r * np.sinh(root) / root], [root * np.sinh(root) / r, np.cosh(root)]])
        total = total @ one
    return total


def _impedance(layers: Layers, pulsation: float) -> complex:
    """Surface temperature per heat that enters there, nothing passing on the other side."""
    chain = _chain(layers, pulsation)
    return complex(chain[1, 1] / chain[1, 0])


def network(
    elements: Sequence[Element],
    mass: Mass,
    windows: Sequence[Window],
    glazing: Glazing,
    air_j_k: float,
    outside_w_m2_k: float,
) -> Network:
    """Thermal network of the room without the air that comes from outside."""
    star, glass_surface = NODES + SURFACES, NODES + 4
    size = star + 1
    k = np.zeros((size, size))
    b = np.zeros((size, INPUTS))
    capacity = np.full(NODES, 1.0)  # nodes that are not there: 1 J/K, tied to the air
    capacity[0] = air_j_k

    def tie(one: int, other: int, w_k: float) -> None:
        k[one, one] += w_k
        k[other, other] += w_k
        k[one, other] -= w_k
        k[other, one] -= w_k

    def from_input(node: int, which: int, w_k: float) -> None:
        k[node, node] += w_k
        b[node, which] += w_k

    areas = np.zeros(SURFACES)
    convection = np.zeros(SURFACES)
    sun: list[float | None] = [0.0] * SURFACES
    for e, element in enumerate(elements):
        outer, inner, surface = 1 + 2 * e, 2 + 2 * e, NODES + e
        film = outside_w_m2_k * sum(element.facing) + INSIDE_FILM_W_M2_K * element.adjoining + 1e3 * element.ground
        r1, c1, r2, c2, r3 = two_capacities(element.layers, film)
        area = element.area_m2
        from_input(outer, e, area / r1)
        tie(outer, inner, area / r2)
        tie(inner, surface, area / r3)
        capacity[outer], capacity[inner] = area * c1, area * c2
        areas[e], convection[e], sun[e] = area, element.convection_w_m2_k, element.sun_ratio
    r, c = one_capacity(mass.layers)
    tie(7, NODES + 3, mass.area_m2 / r)
    capacity[7] = mass.area_m2 * c
    areas[3], convection[3], sun[3] = mass.area_m2, mass.convection_w_m2_k, mass.sun_ratio
    areas[4], convection[4] = sum(window.area_m2 for window in windows), 3.0
    if areas[4] > 0.0:
        from_input(glass_surface, 3, areas[4] / (1.0 / glazing.u_w_m2_k - 1.0 / INSIDE_FILM_W_M2_K))

    radiation_w_k = _to_star(areas)
    for s in range(SURFACES):
        if areas[s] > 0.0:
            tie(NODES + s, 0, areas[s] * convection[s])
            tie(NODES + s, star, radiation_w_k[s])
        else:
            tie(NODES + s, 0, 1.0)
    for e in range(len(elements), ELEMENTS):
        tie(1 + 2 * e, 0, 1.0)
        tie(2 + 2 * e, 0, 1.0)
    for s, share in enumerate(_shares(sun, areas)):
        b[NODES + s, 4] += share
    b[star, 5] = 1.0
    b[0, 6] = 1.0
    return _without_massless(k, b, capacity)


def _shares(wanted: Sequence[float | None], areas: Array) -> Array:
    """Shares of the sun by surface: as given, the rest by area over those without."""
    given = np.array([0.0 if share is None else share for share in wanted])
    free = np.array([share is None for share in wanted]) * areas
    rest = 1.0 - float(given.sum())
    if free.sum() == 0.0:
        return np.asarray(given / given.sum())
    return np.asarray(given + rest * free / free.sum())


def _to_star(areas: Array) -> Array:
    """Conductances to the star: Carroll's mean radiant temperature with grey surfaces. [W/K]"""
    factor = np.ones(SURFACES)
    for _ in range(50):
        factor = np.minimum(1.0 / np.maximum(1.0 - areas * factor / (areas * factor).sum(), 0.2), 5.0)
    return np.asarray(areas * LINEAR_RADIATION_W_M2_K / (1.0 / factor + (1.0 - EMISSIVITY) / EMISSIVITY))


def _without_massless(k: Array, b: Array, capacity: Array) -> Network:
    kept, gone = slice(0, NODES), slice(NODES, None)
    solve = np.linalg.solve(k[gone, gone], np.hstack((-k[gone, kept], b[gone])))
    of_node, of_input = solve[:, :NODES], solve[:, NODES:]
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
    rates = np.maximum(rates, 0.0)
    decay = np.exp(-rates * step_s)
    held = np.where(rates * step_s > 1e-12, -np.expm1(-rates * step_s) / np.where(rates > 0.0, rates, 1.0), step_s)
    m = (vectors * decay) @ vectors.T * np.outer(1.0 / root, root)
    n = (vectors * held) @ vectors.T / root[:, None] @ (net.gain / root[:, None])
    return np.asarray(m), np.asarray(n)


@dataclass(frozen=True, slots=True)
class Box:
    """A room in words: what ``room`` needs."""

    floor_m2: float
    volume_m3: float
    elements: tuple[Element, ...]  # up to three: A, B, C
    mass: Mass
    windows: tuple[Window, ...] = ()
    glazing: Glazing = DOUBLE_CLEAR
    front: tuple[float, float] = (0.0, -1.0)  # east, north of the front facade's normal
    leaks: Leaks = field(default_factory=Leaks)
    next_door: NextDoor = field(default_factory=NextDoor)
    layering: Layering = field(default_factory=Layering)
    pressure_pa: float = PRESSURE_PA
    furniture_j_m2_k: float = 15_000.0  # in the air node, per m2 of floor; assumed
    outside_w_m2_k: float = 25.0  # outer film, convection and radiation, constant; ISO 6946
    absorptance: float = 0.6
    albedo: float = 0.2
    blinds_stop_ratio: float = 0.6
    buffer_ratio: float = 10.0  # water kept in walls and things, as air of the room; assumed
    buffer_h: float = 2.0
    weather: int = 0


def room(box: Box) -> Room:
    """The room that ``zone`` steps."""
    air_kg = box.volume_m3 * density_kg_m3(20.0, 0.0, box.pressure_pa)
    air_j_k = air_kg * AIR_HEAT_J_PER_KG_K + box.furniture_j_m2_k * box.floor_m2
    net = network(box.elements, box.mass, box.windows, box.glazing, air_j_k, box.outside_w_m2_k)
    m, n = discretise(net)
    elements = [*box.elements, *([None] * (ELEMENTS - len(box.elements)))]
    windows = [*box.windows, *([None] * (2 - len(box.windows)))]
    return Room(
        weather=box.weather,
        floor_m2=box.floor_m2,
        volume_m3=box.volume_m3,
        pressure_pa=box.pressure_pa,
        air_kg=air_kg,
        state_matrix=m.T.ravel().tolist(),
        input_matrix=n.T.ravel().tolist(),
        star_from_node=net.star_node.tolist(),
        star_from_input=net.star_input.tolist(),
        front_east=box.front[0],
        front_north=box.front[1],
        facing=[share for one in elements for share in (one.facing if one else (0.0,) * FACADES)],
        adjoining=[one.adjoining if one else 0.0 for one in elements],
        ground=[one.ground if one else 0.0 for one in elements],
        sun_gain_k_m2_w=box.absorptance / box.outside_w_m2_k,
        sky_loss=EMISSIVITY * LINEAR_RADIATION_W_M2_K / box.outside_w_m2_k,
        albedo=box.albedo,
        window_m2=[one.area_m2 if one else 0.0 for one in windows],
        window_east=[one.east if one else 0.0 for one in windows],
        window_north=[one.north if one else 0.0 for one in windows],
        window_up=[one.up if one else 0.0 for one in windows],
        overhang_m=[one.overhang_m if one else 0.0 for one in windows],
        overhang_gap_m=[one.overhang_gap_m if one else 0.0 for one in windows],
        window_high_m=[one.high_m if one else 1.0 for one in windows],
        clear_ratio=[one.clear_ratio if one else 0.0 for one in windows],
        window_w_k=box.glazing.u_w_m2_k * sum(one.area_m2 for one in box.windows),
        transmittance=list(box.glazing.transmittance),
        inward=list(box.glazing.inward),
        transmittance_diffuse=box.glazing.transmittance_diffuse,
        inward_diffuse=box.glazing.inward_diffuse,
        blinds_stop_ratio=box.blinds_stop_ratio,
        constant_m3_s=box.leaks.constant_ach * box.volume_m3 / 3600.0,
        stack_m6_s2_k=box.leaks.stack_m6_s2_k,
        wind_m4=box.leaks.wind_m4,
        opening_m2=box.leaks.opening_m2,
        opening_high_m=box.leaks.opening_high_m,
        adjoining_outdoor_ratio=box.next_door.outdoor_ratio,
        adjoining_gain_k=box.next_door.gain_k,
        adjoining_low_c=box.next_door.low_c,
        adjoining_high_c=box.next_door.high_c,
        adjoining_memory=1.0 - float(np.exp(-1.0 / (12.0 * box.next_door.memory_h))),
        buffer_kg=box.buffer_ratio * air_kg,
        buffer_kg_s=box.buffer_ratio * air_kg / (3600.0 * box.buffer_h),
        return_heating_k_m2_w=box.layering.return_heating_k_m2_w,
        return_cooling_k_m2_w=box.layering.return_cooling_k_m2_w,
        occupied_heating_k_m2_w=box.layering.occupied_heating_k_m2_w,
        occupied_cooling_k_m2_w=box.layering.occupied_cooling_k_m2_w,
    )
