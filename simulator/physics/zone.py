"""One room: eight temperatures, the air's water, sun through windows, and what blows in.

    C_i dT_i/dt = sum_j K_ij (T_j - T_i) + sum_k b_ik u_k

Nodes i: 0 air with furniture; 1 and 2 the outer and inner half of element A, 3 and 4 of B, 5 and 6 of C (walls, floor,
ceiling: ``envelope`` says how); 7 what stands inside. Surfaces and the star of long-wave radiation between them have no
capacity and are eliminated. Inputs k: 0, 1, 2 what is behind elements A, B, C; 3 outdoors through glass (all °C); 4 sun
that came in; 5 heat given by radiation; 6 heat given to the air (all W). ``envelope`` solves this exactly for constant
inputs over 60 s, so a step is T = M T + N u and is stable for any room.

Air that comes in varies, so it is no part of M: its heat G (T_out - T_air) acts as input 6 with T_air at the end of the
step, found in closed form, because T_air is linear in that input. The balance of heat is exact.

``prepare`` does what needs doing once per 5 minutes, ``step`` the rest every 60 s.
"""

import math

from simulator.jit import njit
from simulator.physics.moist_air import AIR_HEAT_J_PER_KG_K, ZERO_C_K, density_kg_m3, saturation_kg_kg
from simulator.records import Floats, floats, record
from simulator.weather.sky import SOLAR_CONSTANT_W_M2, STEFAN_BOLTZMANN_W_M2_K4, Sky

NODES = 8
INPUTS = 7
PREPARE_S = 300.0
STEP_S = 60.0
AIR, MASS = 0, 7
FACADES = 5  # front, then clockwise seen from above: right, back, left; and the roof

EMISSIVITY = 0.9  # of building materials, ASHRAE 140
GLASS_EMISSIVITY = 0.84
GLASS_AT_C = 10.0  # mean temperature at which resistances of glass are stated, EN 673
STRONGEST_FILM = 1.8  # keeps the outer node stable from one 5 minutes to the next

# Single-sided airing: Q = A/2 sqrt(C1 U^2 + C2 H |dT| + C3), W. de Gids and H. Phaff, "Ventilation rates and energy
# consumption due to open windows", Air Infiltration Review 4(1), 1982; also in EN 15242.
OPENING_WIND = 0.001
OPENING_STACK_M_S2_K = 0.0035
OPENING_TURBULENCE_M2_S2 = 0.01

LOWEST_COSINE = 0.0872  # of 85 degrees, where Perez stops
PEREZ_KAPPA = 1.041
PEREZ_BINS = (1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2)
PEREZ = (  # F11 F12 F13 F21 F22 F23 by clearness of the sky
    *(-0.008, 0.588, -0.062, -0.060, 0.072, -0.022),
    *(0.130, 0.683, -0.151, -0.019, 0.066, -0.029),
    *(0.330, 0.487, -0.221, 0.055, -0.064, -0.026),
    *(0.568, 0.187, -0.295, 0.109, -0.152, -0.014),
    *(0.873, -0.392, -0.362, 0.226, -0.462, 0.001),
    *(1.132, -1.237, -0.412, 0.288, -0.823, 0.056),
    *(1.060, -1.600, -0.359, 0.264, -1.127, 0.131),
    *(0.678, -0.327, -0.250, 0.156, -1.377, 0.251),
)
# weight of the newest minute in the mean of the unit's heat that stratifies the air: 5 minutes, assumed
UNIT_MEMORY = 0.2


@record
class Room:
    """What never changes in a room; ``envelope.room`` makes it."""

    weather: int  # which column of the row of skies
    floor_m2: float
    volume_m3: float
    pressure_pa: float
    air_kg: float  # dry air in the room
    # heat: columns of M (8 x 8) and N (8 x 7), one after the other
    state_matrix: Floats = floats(NODES * NODES)
    input_matrix: Floats = floats(NODES * INPUTS)
    star_from_node: Floats = floats(NODES)  # mean radiant temperature from temperatures
    star_from_input: Floats = floats(INPUTS)  # and from inputs
    # what is behind elements A, B, C, as shares of their area
    front_east: float  # unit vector out of the front facade
    front_north: float
    sun_absorbed: Floats = floats(3 * FACADES)  # [5 e + facade]: share that faces there * absorptance
    sky_view: Floats = floats(3)  # view of the sky * emissivity
    outdoors: Floats = floats(3)
    film_w_m2_k: Floats = floats(3)  # outer film that is part of M and N
    still_w_m2_k: Floats = floats(3)  # convection outside: without wind, and per m/s of it
    wind_j_m3_k: Floats = floats(3)
    first_w_m2_k: Floats = floats(3)  # from the outer surface to the outer node
    adjoining: Floats = floats(3)
    ground: Floats = floats(3)
    albedo: float  # of the ground outside
    # up to two windows
    window_m2: Floats = floats(2)  # glass
    window_east: Floats = floats(2)  # unit vectors out of the window
    window_north: Floats = floats(2)
    window_up: Floats = floats(2)
    overhang_m: Floats = floats(2)
    overhang_gap_m: Floats = floats(2)  # from the overhang down to the glass
    window_high_m: Floats = floats(2)
    clear_ratio: Floats = floats(2)  # 1 less what neighbouring houses and trees shade
    transmitted: Floats = floats(5)  # factors of c, c^2 .. c^5, c the cosine of incidence; share that stays in the room
    transmitted_diffuse: float
    glass_k_m2_w: Floats = floats(5)  # likewise: warmer outdoors that gives as much heat as the sun absorbed in glass
    glass_diffuse_k_m2_w: float
    glass_sky_view: float  # view of the sky * emissivity
    glass_film_w_m2_k: float  # outer film that is part of M and N
    glass_still_w_m2_k: float
    glass_wind_j_m3_k: float
    glass_m2_k_w: float  # from outer to inner surface, at 10 °C
    glass_warmer_1_k: float  # by how much less per K that the glass is warmer
    glass_inside_m2_k_w: float  # inner film, as used to see how much the outer one matters
    blinds_stop_ratio: float  # share of the sun that closed blinds keep out
    # air from outside
    constant_m3_s: float
    stack_m6_s2_k: float  # (m3/s)^2 per K between in and out
    wind_m4: float  # (m3/s)^2 per (m/s)^2
    opening_m2: float  # of an opened window
    opening_high_m: float
    # the room next door: follows the weather and this room, between bounds that its own people keep
    adjoining_outdoor_ratio: float
    adjoining_gain_k: float
    adjoining_low_c: float
    adjoining_high_c: float
    adjoining_memory: float  # share by which it moves in 5 minutes
    # water kept in walls and furniture, as if more air
    buffer_kg: float
    buffer_kg_s: float
    # layers of air: K above the mean per W of the unit's heat per m2 of floor
    return_heating_k_m2_w: float
    return_cooling_k_m2_w: float
    occupied_heating_k_m2_w: float
    occupied_cooling_k_m2_w: float


@record
class RoomState:
    """What changes; ``window_open_ratio`` and ``blinds_ratio`` are set by people."""

    node_c: Floats = floats(NODES)
    humidity_kg_kg: float
    buffer_humidity_kg_kg: float
    mean_radiant_c: float
    adjoining_c: float
    occupied_c: float  # true air where people are
    return_c: float  # air at the height of the unit's sensor
    window_open_ratio: float
    blinds_ratio: float
    ventilation_w: float  # heat that came in with air in the last step
    condensed_kg: float  # water that fell out since the start: the air was fog
    # from ``prepare`` to ``step``
    unit_heat_w: float
    radiant_w: float
    boundary_a_c: float
    boundary_b_c: float
    boundary_c_c: float
    glass_c: float
    solar_w: float
    outdoor_c: float
    outdoor_humidity_kg_kg: float
    air_kg_s: float
    saturation_kg_kg: float
    drive_c: Floats = floats(NODES)  # what inputs 0 to 4, constant until the next ``prepare``, add in a step


@njit
def start(room: Room, state: RoomState, air_c: float, humidity_kg_kg: float) -> None:
    """A room at rest at one temperature."""
    for node in range(NODES):
        state.node_c[node] = air_c
    state.humidity_kg_kg = humidity_kg_kg
    state.buffer_humidity_kg_kg = humidity_kg_kg
    state.mean_radiant_c = air_c
    state.adjoining_c = min(max(air_c, room.adjoining_low_c), room.adjoining_high_c)
    state.occupied_c = air_c
    state.return_c = air_c


@njit
def prepare(room: Room, state: RoomState, sky: Sky) -> None:
    """Once per 5 minutes: what stands outside the room, and how much air comes in."""
    state.outdoor_c = sky.outdoor_c
    state.outdoor_humidity_kg_kg = sky.humidity_kg_kg
    _sun(room, state, sky)
    _adjoin(room, state, sky)
    _air_in(room, state, sky)
    state.saturation_kg_kg = saturation_kg_kg(state.node_c[AIR], room.pressure_pa)
    state.mean_radiant_c = _mean_radiant_c(room, state)
    _drive(room, state)


@njit
def _drive(room: Room, state: RoomState) -> None:
    u0, u1, u2, u3 = state.boundary_a_c, state.boundary_b_c, state.boundary_c_c, state.glass_c
    solar_w = state.solar_w
    n = room.input_matrix
    for i in range(NODES):
        state.drive_c[i] = n[i] * u0 + n[8 + i] * u1 + n[16 + i] * u2 + n[24 + i] * u3 + n[32 + i] * solar_w


@njit
def _sun(room: Room, state: RoomState, sky: Sky) -> None:
    """Sun on every facade and through the windows; sky that takes heat."""
    direct = 0.0
    around = 0.0  # share of the diffuse light that comes from around the sun, seen as the sun is
    horizon = 0.0  # and from the horizon
    if sky.sun_up > 0.0:
        direct = sky.direct_normal_w_m2
        if sky.diffuse_w_m2 > 0.0:
            around, horizon = _perez(direct, sky.diffuse_w_m2, sky.sun_up)
    beam_w_m2 = direct + around * sky.diffuse_w_m2 / max(sky.sun_up, LOWEST_COSINE)
    dome_w_m2 = (1.0 - around) * sky.diffuse_w_m2
    horizon_w_m2 = horizon * sky.diffuse_w_m2
    ground_w_m2 = room.albedo * sky.global_w_m2
    upright_w_m2 = 0.5 * dome_w_m2 + horizon_w_m2 + 0.5 * ground_w_m2
    to_front = room.front_east * sky.sun_east + room.front_north * sky.sun_north
    to_right = room.front_north * sky.sun_east - room.front_east * sky.sun_north
    front_w_m2 = upright_w_m2 + beam_w_m2 * max(to_front, 0.0)
    right_w_m2 = upright_w_m2 + beam_w_m2 * max(to_right, 0.0)
    back_w_m2 = upright_w_m2 + beam_w_m2 * max(-to_front, 0.0)
    left_w_m2 = upright_w_m2 + beam_w_m2 * max(-to_right, 0.0)
    roof_w_m2 = dome_w_m2 + beam_w_m2 * max(sky.sun_up, 0.0)
    out_c = sky.outdoor_c
    out_k = out_c + ZERO_C_K
    cold_w_m2 = STEFAN_BOLTZMANN_W_M2_K4 * (_fourth(out_k) - _fourth(sky.sky_c + ZERO_C_K))
    black_w_m2_k = 4.0 * STEFAN_BOLTZMANN_W_M2_K4 * out_k * out_k * out_k
    k = room.sun_absorbed
    sun_w_m2 = k[0] * front_w_m2 + k[1] * right_w_m2 + k[2] * back_w_m2 + k[3] * left_w_m2 + k[4] * roof_w_m2
    gain_w_m2 = sun_w_m2 - room.sky_view[0] * cold_w_m2
    state.boundary_a_c = _behind_c(room, 0, out_c, sky.wind_m_s, black_w_m2_k, gain_w_m2, state.node_c[1])
    sun_w_m2 = k[5] * front_w_m2 + k[6] * right_w_m2 + k[7] * back_w_m2 + k[8] * left_w_m2 + k[9] * roof_w_m2
    gain_w_m2 = sun_w_m2 - room.sky_view[1] * cold_w_m2
    state.boundary_b_c = _behind_c(room, 1, out_c, sky.wind_m_s, black_w_m2_k, gain_w_m2, state.node_c[3])
    sun_w_m2 = k[10] * front_w_m2 + k[11] * right_w_m2 + k[12] * back_w_m2 + k[13] * left_w_m2 + k[14] * roof_w_m2
    gain_w_m2 = sun_w_m2 - room.sky_view[2] * cold_w_m2
    state.boundary_c_c = _behind_c(room, 2, out_c, sky.wind_m_s, black_w_m2_k, gain_w_m2, state.node_c[5])

    transmitted_w = 0.0
    glass_k_m2 = 0.0
    for window in range(2):
        area_m2 = room.window_m2[window]
        if area_m2 > 0.0:
            area_m2 *= room.clear_ratio[window]
            up = room.window_up[window]
            view = 0.5 * (1.0 + up)
            diffuse_w_m2 = view * dome_w_m2 + math.sqrt(1.0 - up * up) * horizon_w_m2 + (1.0 - view) * ground_w_m2
            transmitted_w += area_m2 * diffuse_w_m2 * room.transmitted_diffuse
            glass_k_m2 += area_m2 * diffuse_w_m2 * room.glass_diffuse_k_m2_w
            c = room.window_east[window] * sky.sun_east + room.window_north[window] * sky.sun_north + up * sky.sun_up
            if c > 0.0 and beam_w_m2 > 0.0:
                if room.overhang_m[window] > 0.0:
                    shadow_m = room.overhang_m[window] * sky.sun_up / c - room.overhang_gap_m[window]
                    area_m2 *= 1.0 - min(max(shadow_m / room.window_high_m[window], 0.0), 1.0)
                beam_w = area_m2 * beam_w_m2 * c
                t = room.transmitted
                g = room.glass_k_m2_w
                transmitted_w += beam_w * c * (t[0] + c * (t[1] + c * (t[2] + c * (t[3] + c * t[4]))))
                glass_k_m2 += beam_w * c * (g[0] + c * (g[1] + c * (g[2] + c * (g[3] + c * g[4]))))
    open_ratio = 1.0 - state.blinds_ratio * room.blinds_stop_ratio
    state.solar_w = open_ratio * transmitted_w
    all_m2 = room.window_m2[0] + room.window_m2[1]
    if all_m2 > 0.0:
        state.glass_c = _through_glass_c(room, state, out_c, sky.wind_m_s, black_w_m2_k, cold_w_m2, glass_k_m2 / all_m2)


@njit
def _behind_c(
    room: Room, e: int, out_c: float, wind_m_s: float, black_w_m2_k: float, gain_w_m2: float, node_c: float
) -> float:
    """Temperature that, through the outer film in M and N, gives element ``e`` the heat that the film of now does.

    With h the film of now, h0 that of the matrices and g on to the node: h g / (h + g) (T_sun_and_air - T_node)
    = h0 g / (h0 + g) (T - T_node), T_node taken at the beginning of the 5 minutes.
    """
    share = room.outdoors[e]
    if share == 0.0:
        return 0.0
    film = room.still_w_m2_k[e] + room.wind_j_m3_k[e] * wind_m_s + EMISSIVITY * black_w_m2_k
    fixed, first = room.film_w_m2_k[e], room.first_w_m2_k[e]
    ratio = min(film * (fixed + first) / (fixed * (film + first)), STRONGEST_FILM)
    return share * (node_c + ratio * (out_c - node_c)) + ratio * gain_w_m2 / film


@njit
def _through_glass_c(
    room: Room, state: RoomState, out_c: float, wind_m_s: float, black_w_m2_k: float, cold_w_m2: float, sun_k: float
) -> float:
    """The same for glass, which has no node: with the room inside, and glass that insulates less when warm."""
    film = room.glass_still_w_m2_k + room.glass_wind_j_m3_k * wind_m_s + GLASS_EMISSIVITY * black_w_m2_k
    room_c = 0.5 * (state.node_c[AIR] + state.mean_radiant_c)
    warmer = room.glass_warmer_1_k * (0.5 * (room_c + out_c) - GLASS_AT_C)
    inside = room.glass_inside_m2_k_w
    now = 1.0 / film + room.glass_m2_k_w * (1.0 - warmer) + inside
    ratio = (1.0 / room.glass_film_w_m2_k + room.glass_m2_k_w + inside) / now
    return room_c + ratio * (out_c + sun_k - room.glass_sky_view * cold_w_m2 / film - room_c)


@njit
def _fourth(x: float) -> float:
    square = x * x
    return square * square


@njit
def _perez(direct_w_m2: float, diffuse_w_m2: float, sun_up: float) -> tuple[float, float]:
    """Shares of diffuse light from around the sun and from the horizon.

    R. Perez, P. Ineichen, R. Seals, J. Michalsky and R. Stewart, "Modeling daylight availability and irradiance
    components from direct and global irradiance", Solar Energy 44(5), 1990, doi:10.1016/0038-092X(90)90055-H: set
    "all sites composite". Mass of air after G. Rozenberg, 1966.
    """
    zenith = math.acos(min(sun_up, 1.0))
    cube = PEREZ_KAPPA * zenith * zenith * zenith
    clearness = ((diffuse_w_m2 + direct_w_m2) / diffuse_w_m2 + cube) / (1.0 + cube)
    row = 0
    while row < 7 and clearness >= PEREZ_BINS[row]:
        row += 1
    air_mass = 1.0 / (sun_up + 0.025 * math.exp(-11.0 * sun_up))
    brightness = diffuse_w_m2 * air_mass / SOLAR_CONSTANT_W_M2
    at = 6 * row
    around = PEREZ[at] + PEREZ[at + 1] * brightness + PEREZ[at + 2] * zenith
    horizon = PEREZ[at + 3] + PEREZ[at + 4] * brightness + PEREZ[at + 5] * zenith
    return min(max(around, 0.0), 1.0), horizon


@njit
def _adjoin(room: Room, state: RoomState, sky: Sky) -> None:
    """The room next door, and the boundaries with it and with the ground."""
    share = room.adjoining_outdoor_ratio
    there_c = share * sky.daily_mean_c + (1.0 - share) * state.node_c[AIR] + room.adjoining_gain_k
    there_c = min(max(there_c, room.adjoining_low_c), room.adjoining_high_c)
    state.adjoining_c += room.adjoining_memory * (there_c - state.adjoining_c)
    state.boundary_a_c += room.adjoining[0] * state.adjoining_c + room.ground[0] * sky.ground_c
    state.boundary_b_c += room.adjoining[1] * state.adjoining_c + room.ground[1] * sky.ground_c
    state.boundary_c_c += room.adjoining[2] * state.adjoining_c + room.ground[2] * sky.ground_c


@njit
def _air_in(room: Room, state: RoomState, sky: Sky) -> None:
    """Air through cracks by stack and wind, and through an opened window."""
    difference_k = abs(sky.outdoor_c - state.node_c[AIR])
    wind2 = sky.wind_m_s * sky.wind_m_s
    flow_m3_s = room.constant_m3_s + math.sqrt(room.stack_m6_s2_k * difference_k + room.wind_m4 * wind2)
    if state.window_open_ratio > 0.0:
        stack = OPENING_STACK_M_S2_K * room.opening_high_m * difference_k
        speed_m_s = math.sqrt(OPENING_WIND * wind2 + stack + OPENING_TURBULENCE_M2_S2)
        flow_m3_s += 0.5 * state.window_open_ratio * room.opening_m2 * speed_m_s
    state.air_kg_s = flow_m3_s * density_kg_m3(sky.outdoor_c, sky.humidity_kg_kg, room.pressure_pa)


@njit
def _mean_radiant_c(room: Room, state: RoomState) -> float:
    """Of the surfaces, weighted as the air between them sees their radiation. [°C]"""
    from_input = room.star_from_input
    total = from_input[0] * state.boundary_a_c + from_input[1] * state.boundary_b_c
    total += from_input[2] * state.boundary_c_c + from_input[3] * state.glass_c
    total += from_input[4] * state.solar_w + from_input[5] * state.radiant_w
    for node in range(NODES):
        total += room.star_from_node[node] * state.node_c[node]
    return total


@njit
def step(
    room: Room,
    state: RoomState,
    convective_w: float,
    radiant_w: float,
    moisture_kg_s: float,
    unit_heat_w: float,
) -> None:
    """One step of 60 s.

    Parameters
    ----------
    convective_w : float
        Heat to the air, the unit's sensible heat within it. [W]
    radiant_w : float
        Heat of people and things to the surfaces. [W]
    moisture_kg_s : float
        Water to the air, less what the unit takes out. [kg/s]
    unit_heat_w : float
        The unit's part of ``convective_w``, which stratifies the air; cooling is negative. [W]
    """
    _heat(room, state, convective_w, radiant_w)
    _water(room, state, moisture_kg_s)
    state.radiant_w = radiant_w
    state.unit_heat_w += UNIT_MEMORY * (unit_heat_w - state.unit_heat_w)
    if -1e-6 < state.unit_heat_w < 1e-6:
        state.unit_heat_w = 0.0  # numbers too small to be normal are slow to reckon with
    heat_w_m2 = state.unit_heat_w / room.floor_m2
    air_c = state.node_c[AIR]
    if heat_w_m2 > 0.0:
        state.return_c = air_c + room.return_heating_k_m2_w * heat_w_m2
        state.occupied_c = air_c + room.occupied_heating_k_m2_w * heat_w_m2
    else:
        state.return_c = air_c + room.return_cooling_k_m2_w * heat_w_m2
        state.occupied_c = air_c + room.occupied_cooling_k_m2_w * heat_w_m2


@njit
def _heat(room: Room, state: RoomState, convective_w: float, radiant_w: float) -> None:
    """T = M T + N u, and air from outside."""
    t = state.node_c
    t0, t1, t2, t3, t4, t5, t6, t7 = t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]
    m = room.state_matrix
    n = room.input_matrix
    drive = state.drive_c
    flow_w_k = state.air_kg_s * AIR_HEAT_J_PER_KG_K
    for i in range(NODES):
        t[i] = (
            m[i] * t0
            + m[8 + i] * t1
            + m[16 + i] * t2
            + m[24 + i] * t3
            + m[32 + i] * t4
            + m[40 + i] * t5
            + m[48 + i] * t6
            + m[56 + i] * t7
            + drive[i]
            + n[40 + i] * radiant_w
            + n[48 + i] * convective_w
        )
    # the air's own share of a watt is n[48]; so T = T* + n G (T_out - T) at the end of the step
    came_w = flow_w_k * (state.outdoor_c - t[AIR]) / (1.0 + n[48] * flow_w_k)
    for i in range(NODES):
        t[i] += n[48 + i] * came_w
    state.ventilation_w = came_w


@njit
def heat_to_hold_w(
    room: Room, state: RoomState, convective_w: float, radiant_w: float, low_c: float, high_c: float
) -> float:
    """Heat that keeps the air between two temperatures at the end of the next step; cooling is negative. [W]"""
    m = room.state_matrix
    n = room.input_matrix
    air_c = state.drive_c[AIR] + n[40] * radiant_w + n[48] * convective_w
    for node in range(NODES):
        air_c += m[8 * node] * state.node_c[node]
    flow_w_k = state.air_kg_s * AIR_HEAT_J_PER_KG_K
    loss = 1.0 + n[48] * flow_w_k
    floats_to_c = (air_c + n[48] * flow_w_k * state.outdoor_c) / loss
    return (min(max(floats_to_c, low_c), high_c) - floats_to_c) * loss / n[48]


@njit
def _water(room: Room, state: RoomState, moisture_kg_s: float) -> None:
    """Water of the air and of what stores it, implicit in the air's; fog falls out."""
    kept = room.buffer_kg_s
    before = state.buffer_humidity_kg_kg
    gained_kg = STEP_S * (state.air_kg_s * state.outdoor_humidity_kg_kg + kept * before + moisture_kg_s)
    humid = (room.air_kg * state.humidity_kg_kg + gained_kg) / (room.air_kg + STEP_S * (state.air_kg_s + kept))
    if room.buffer_kg > 0.0:
        state.buffer_humidity_kg_kg += STEP_S * kept * (humid - before) / room.buffer_kg
    if humid > state.saturation_kg_kg:
        state.condensed_kg += room.air_kg * (humid - state.saturation_kg_kg)
        humid = state.saturation_kg_kg
    elif humid < 0.0:  # a unit cannot take what is not there: the balance says by how much it was wrong
        state.condensed_kg += room.air_kg * humid
        humid = 0.0
    state.humidity_kg_kg = humid
