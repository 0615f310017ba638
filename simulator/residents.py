"""People at home: what they like, what they do with their air conditioner, and what they do to one that runs by itself.

A ``Person`` is hidden from every controller: it is the household's neutral temperature by season and state and how long
they bear being outside their band. A ``Habit`` is how the household used its unit before, the conventional program:
when it starts it, what it sets, when it forgets it. A ``Hand`` is the state between two calls.

The scheme follows field work on how room units are used in China: they are switched on when people are home *and* feel
hot or cold, the more likely the hotter or colder (a Weibull hazard), and off when they leave or go to sleep (Ren, Yan
and Wang, "Air-conditioning usage conditional probability model for residential buildings", Building and Environment 81,
2014, doi:10.1016/j.buildenv.2014.06.022, [from memory]); near 29.4 °C indoors in July and 12.6 °C in January, for runs
of 1 to 4 h in summer and mostly under 2 h in winter (Du et al., "Annual usage characteristics of air conditioners in
residential buildings in the Yangtze River Basin", HV&AC, 2022). How long people wait, how far they then set the unit
and how they remember it is assumed: no survey gives it.
"""

from simulator.jit import njit
from simulator.physics.split_unit import Panel
from simulator.physics.zone import RoomState
from simulator.records import record

AWAY, AWAKE, ASLEEP = 0, 1, 2
ALL_DAY, PART_TIME, FORGOTTEN = 0, 1, 2
CLASSES = ("all_day", "part_time", "forgotten")

STEP_S = 300.0
H_S = 3600.0
DAY_S = 86_400.0

WINTER_C, SUMMER_C = 12.0, 22.0  # daily means outdoors at which people dress for winter and for summer; assumed
SETPOINT_MIN_C, SETPOINT_MAX_C = 16.0, 30.0  # of remote controls
ASLEEP_HAZARD = 0.4  # of reaching for the remote control when hot, against awake; assumed
RUN_SPREAD = 0.45  # of the log-logistic time until people switch off; assumed
HOLD_S = 2.0 * H_S  # a manual change is left alone for so long, or until everybody leaves; the engine's stated time
MEMORY_S = 36.0 * H_S  # an override is half forgotten after half of it; assumed
FIRST_WAIT_S, LONGEST_WAIT_S = 1200.0, 3600.0  # for the effect of a press; assumed
EFFECT_K = 0.3  # a change of the air that people notice as an effect; assumed
PAST_K = 3.0  # nobody sets the unit so far past what they like: they switch it off; assumed
HABIT_LEARNS = 0.3  # of a press goes into the household's own setpoint; assumed
HABIT_LEARNS_K = 3.0  # at most
TURN_S = 3.0 * H_S  # who presses the other way so soon has pressed too far, and takes one step back; assumed
FAR_K = 1.5  # beyond the band: people press twice as far; assumed
COOL_OUTSIDE_C = 14.0  # below it windows stay shut; assumed
NEVER_S = 0.0  # of instants: fresh tables begin so

# Heat and water of a person: ISO 7730 and ISO 8996, 1.8 m2: seated 1.0-1.2 met, asleep 0.7 met; the split of the dry
# heat into radiant and convective after ASHRAE Fundamentals, nonresidential loads, rounded [from memory].
SENSIBLE_AWAKE_W, SENSIBLE_ASLEEP_W = 75.0, 50.0
WATER_AWAKE_KG_S, WATER_ASLEEP_KG_S = 55e-3 / H_S, 30e-3 / H_S
RADIANT_OF_PERSON, RADIANT_OF_APPLIANCE, RADIANT_OF_RADIATOR = 0.55, 0.35, 0.4
GUEST_H = (18.5, 22.0)  # of those evenings on which guests come; assumed
GUESTS = 2.0
RADIATOR_BAND_K = 3.0  # of a thermostatic valve; assumed, and wide enough for calls every 5 minutes
RADIATOR_SEASON = 0.4  # below it the heating of the house is on: daily means under 16 C; assumed


@record
class Person:
    """What a household likes in its room; hidden."""

    summer_neutral_c: float  # awake
    winter_neutral_c: float
    summer_asleep_shift_k: float  # neutral asleep less awake
    winter_asleep_shift_k: float
    summer_half_width_k: float  # of the band, awake
    winter_half_width_k: float
    asleep_wider_k: float  # half of the band asleep less awake
    patience_s: float  # outside the band before a press, awake; shorter the farther outside
    asleep_patience_ratio: float  # times as long asleep
    step_k: float  # of a press
    sting: float  # how much an override shortens the patience for the next, per override


@record
class Habit:
    """What a household does with its unit when nothing else runs it, and what it brings into the room."""

    kind: int  # ALL_DAY, PART_TIME, FORGOTTEN
    cooling_setpoint_c: float
    heating_setpoint_c: float
    heats: bool  # heats with the unit at all
    starts_above_c: float  # indoor air above which they may switch the unit on to cool
    starts_below_c: float
    cooling_scale_k: float  # past that, at which they do so once an hour on average
    heating_scale_k: float
    forget_ratio: float  # of the times when the room empties
    wake_off_ratio: float  # of the mornings on which a unit that ran all night is switched off
    cooling_run_s: float  # median time until they switch off, awake; 0 where they let it run
    heating_run_s: float
    sleep_timer_s: float  # after falling asleep; 0 without
    as_it_was_ratio: float  # of the starts at which the remote control is left as it was
    heats_asleep: bool  # leaves the heating on at bedtime
    window_ratio: float  # how far windows are opened, 0..1
    blinds_away_ratio: float  # how far blinds are drawn while nobody is there
    blinds_sun_ratio: float  # and by day where the room is too warm
    guest_ratio: float  # of days
    persons: float  # in the room
    appliances_w: float  # while somebody is awake
    idle_w: float  # always
    radiator_w: float  # of other heating, at most; 0 without
    radiator_target_c: float
    utc_offset_s: float


@record
class Hand:
    """What the household remembers, and what it brings into the room now."""

    overrides: int  # manual changes away from what the running program set, so far
    presses: int  # all manual changes: while one is left alone no program runs, and another is no second override
    override_until_s: float  # the last of them is left alone until then
    presence: int  # at the last call
    outside_since_s: float  # the band; NEVER_S inside
    last_press_s: float
    last_too_warm: bool  # what the last press was against
    air_at_press_c: float
    wait_s: float  # for the effect of a press; learned
    annoyance: float  # by overrides, at the last press
    off_at_s: float  # when the household means to switch off; NEVER_S without
    cooling_learned_k: float  # by which the household now sets more than by habit
    heating_learned_k: float
    day: float  # local, for guests
    guests: float  # who come this evening
    convective_w: float  # heat of people, appliances and other heating
    radiant_w: float
    moisture_kg_s: float


@njit
def season_of(daily_mean_c: float) -> float:
    """What people dress for: 0 winter, 1 summer, by the mean outdoor temperature of the last day. [°C]"""
    return min(max((daily_mean_c - WINTER_C) / (SUMMER_C - WINTER_C), 0.0), 1.0)


@njit
def neutral_c(person: Person, presence: int, season: float) -> float:
    """Neutral air temperature of those awake or asleep. [°C]  Of those away: what they will like awake."""
    neutral = person.winter_neutral_c + season * (person.summer_neutral_c - person.winter_neutral_c)
    if presence == ASLEEP:
        neutral += person.winter_asleep_shift_k + season * (person.summer_asleep_shift_k - person.winter_asleep_shift_k)
    return neutral


@njit
def half_width_k(person: Person, presence: int, season: float) -> float:
    """Half of the true band. [K]"""
    half_k = person.winter_half_width_k + season * (person.summer_half_width_k - person.winter_half_width_k)
    return half_k + person.asleep_wider_k if presence == ASLEEP else half_k


@njit
def react(
    person: Person,
    habit: Habit,
    hand: Hand,
    panel: Panel,
    room: RoomState,
    presence: int,
    season: float,
    at_s: float,
    chance: float,
    follows_program: bool,
) -> None:
    """Let the household act on its panel and its window, once every 5 minutes, and say what heat it brings.

    Parameters
    ----------
    presence : int
        AWAY, AWAKE or ASLEEP.
    season : float
        ``season_of`` the last day, 0 winter to 1 summer.
    chance : float
        Luck of these 5 minutes, evenly distributed in 0..1.
    follows_program : bool
        True: the household runs the unit as it always did, and corrects itself where that leaves it uncomfortable.
        False: something else runs it; the household only corrects.
    """
    before = hand.presence
    hand.presence = presence
    if presence == AWAY:
        hand.outside_since_s = NEVER_S
        if before != AWAY:
            hand.override_until_s = at_s
            hand.off_at_s = NEVER_S
            room.window_open_ratio = 0.0
            room.blinds_ratio = habit.blinds_away_ratio
            if follows_program and chance >= habit.forget_ratio:
                panel.on = False
    else:
        if follows_program:
            _follow_habit(habit, hand, panel, room, before, presence, season, at_s, chance)
        if panel.on or not follows_program:  # what they left off themselves they switch on by habit alone
            _mend_discomfort(person, habit, hand, panel, room, presence, season, at_s)
        else:
            hand.outside_since_s = NEVER_S
        _tend_window(person, habit, panel, room, presence, season)
    _bring_heat(habit, hand, room, presence, season, at_s, chance)


@njit
def _own_setpoint_c(habit: Habit, hand: Hand, heating: bool) -> float:
    """What the household sets when it switches the unit on: its habit, and what it has learned from correcting it."""
    if heating:
        return float(round(habit.heating_setpoint_c + hand.heating_learned_k))
    return float(round(habit.cooling_setpoint_c + hand.cooling_learned_k))


@njit
def _follow_habit(
    habit: Habit,
    hand: Hand,
    panel: Panel,
    room: RoomState,
    before: int,
    presence: int,
    season: float,
    at_s: float,
    chance: float,
) -> None:
    air_c = room.occupied_c
    if panel.on:
        to_bed = presence == ASLEEP and before == AWAKE
        if to_bed:
            hand.off_at_s = at_s + habit.sleep_timer_s if habit.sleep_timer_s > 0.0 else NEVER_S
        wakes = presence == AWAKE and before == ASLEEP
        over = hand.off_at_s != NEVER_S and at_s >= hand.off_at_s
        if over or (wakes and chance < habit.wake_off_ratio) or (to_bed and panel.heating and not habit.heats_asleep):
            panel.on = False
            hand.off_at_s = NEVER_S
        return
    heating = air_c < habit.starts_below_c and season < 1.0 and habit.heats and presence == AWAKE
    if not heating and (air_c <= habit.starts_above_c or season <= 0.0):
        return
    beyond = (habit.starts_below_c - air_c) / habit.heating_scale_k if heating else 0.0
    if not heating:
        beyond = (air_c - habit.starts_above_c) / habit.cooling_scale_k
    likely = beyond * beyond * STEP_S / H_S  # of a Weibull hazard with shape 2
    if presence == ASLEEP:
        likely *= ASLEEP_HAZARD
    if chance >= likely:
        return
    luck = chance / likely if likely < 1.0 else chance  # as even as before
    if panel.setpoint_c < SETPOINT_MIN_C or panel.heating != heating or luck >= habit.as_it_was_ratio:
        panel.setpoint_c = _own_setpoint_c(habit, hand, heating)
        panel.fan = 0
    panel.on = True
    panel.heating = heating
    panel.dry = False
    panel.fan_only = False
    hand.last_press_s = at_s
    hand.air_at_press_c = air_c
    median_s = habit.heating_run_s if heating else habit.cooling_run_s
    hand.off_at_s = NEVER_S
    if median_s > 0.0:
        luck = min(max((luck * 97.0) % 1.0, 0.02), 0.98)
        hand.off_at_s = at_s + median_s * (luck / (1.0 - luck)) ** RUN_SPREAD


@njit
def _mend_discomfort(
    person: Person,
    habit: Habit,
    hand: Hand,
    panel: Panel,
    room: RoomState,
    presence: int,
    season: float,
    at_s: float,
) -> None:
    """Override what runs the unit, when outside the band for longer than the patience."""
    air_c = room.occupied_c
    error_k = air_c - neutral_c(person, presence, season)
    beyond_k = abs(error_k) - half_width_k(person, presence, season)
    if beyond_k <= 0.0:
        hand.outside_since_s = NEVER_S
        return
    if hand.outside_since_s == NEVER_S:
        hand.outside_since_s = at_s
    annoyance = hand.annoyance * max(1.0 - (at_s - hand.last_press_s) / MEMORY_S, 0.0)
    patience_s = person.patience_s / ((1.0 + beyond_k) * (1.0 + person.sting * annoyance))
    if presence == ASLEEP:
        patience_s *= person.asleep_patience_ratio
    if at_s - hand.outside_since_s < patience_s:
        return
    too_warm = error_k > 0.0
    if at_s - hand.last_press_s < max(hand.wait_s, FIRST_WAIT_S):
        return
    if at_s - hand.last_press_s < 2.0 * LONGEST_WAIT_S and panel.on and panel.heating != too_warm:
        moved_k = (hand.air_at_press_c - air_c) * (1.0 if too_warm else -1.0)
        if moved_k > EFFECT_K and hand.wait_s < LONGEST_WAIT_S:  # it works, but slowly: wait longer from now on
            hand.wait_s = min(1.5 * max(hand.wait_s, FIRST_WAIT_S), LONGEST_WAIT_S)
            return
    step_k = person.step_k * (2.0 if beyond_k > FAR_K else 1.0) + (1.0 if annoyance > 1.5 else 0.0)
    if at_s - hand.last_press_s < TURN_S and too_warm != hand.last_too_warm:
        step_k = 1.0  # it was too much
    neutral = neutral_c(person, presence, season)
    if _press(habit, hand, panel, neutral, too_warm, step_k, season):
        hand.presses += 1
        if hand.override_until_s <= at_s:
            hand.overrides += 1
        hand.last_too_warm = too_warm
        hand.override_until_s = at_s + HOLD_S
        hand.annoyance = annoyance + 1.0
        hand.last_press_s = at_s
        hand.air_at_press_c = air_c
        hand.off_at_s = NEVER_S
    hand.outside_since_s = NEVER_S


@njit
def _press(
    habit: Habit, hand: Hand, panel: Panel, neutral: float, too_warm: bool, step_k: float, season: float
) -> bool:
    """Make the unit warm less or cool more, or the other way; whether anything was changed."""
    if not panel.on:
        if (too_warm and season <= 0.0) or (not too_warm and (season >= 1.0 or not habit.heats)):
            return False  # nobody heats in summer or cools in winter: the window or a blanket does
        panel.on = True
        panel.heating = not too_warm
        panel.setpoint_c = _own_setpoint_c(habit, hand, panel.heating)
        panel.dry = False
        panel.fan_only = False
        return True
    wanted_c = float(round(panel.setpoint_c + (-step_k if too_warm else step_k)))
    past_k = (neutral - wanted_c) * (1.0 if panel.heating else -1.0)
    if panel.heating == too_warm and past_k > PAST_K:
        panel.on = False  # no set temperature helps
        return True
    setpoint_c = min(max(wanted_c, SETPOINT_MIN_C), SETPOINT_MAX_C)
    if setpoint_c != panel.setpoint_c:
        learned_k = HABIT_LEARNS * (setpoint_c - panel.setpoint_c)
        if panel.heating:
            hand.heating_learned_k = min(max(hand.heating_learned_k + learned_k, -HABIT_LEARNS_K), HABIT_LEARNS_K)
        else:
            hand.cooling_learned_k = min(max(hand.cooling_learned_k + learned_k, -HABIT_LEARNS_K), HABIT_LEARNS_K)
        panel.setpoint_c = setpoint_c
        return True
    if panel.fan != 3:
        panel.fan = 3
        return True
    return False


@njit
def _tend_window(person: Person, habit: Habit, panel: Panel, room: RoomState, presence: int, season: float) -> None:
    """Blinds against the sun and for the night; the window in mild weather, while the unit is off and the room warm."""
    air_c = room.occupied_c
    neutral = neutral_c(person, presence, season)
    if presence == ASLEEP:
        room.blinds_ratio = 1.0
    else:
        room.blinds_ratio = habit.blinds_sun_ratio if air_c > neutral and season > 0.5 else 0.0
    if panel.on:
        room.window_open_ratio = 0.0
    elif room.window_open_ratio > 0.0:
        too_hot_outside = room.outdoor_c > air_c + 1.0
        if air_c < neutral - 1.0 or (too_hot_outside and presence == AWAKE):
            room.window_open_ratio = 0.0
    elif presence == AWAKE and room.outdoor_c < air_c - 1.0:
        mild = room.outdoor_c > COOL_OUTSIDE_C and air_c > neutral
        if mild or air_c > neutral + half_width_k(
            person, presence, season
        ):  # in the cold only against an overheated room
            room.window_open_ratio = habit.window_ratio


@njit
def _bring_heat(
    habit: Habit, hand: Hand, room: RoomState, presence: int, season: float, at_s: float, chance: float
) -> None:
    local_s = at_s + habit.utc_offset_s
    day = local_s // DAY_S
    if day != hand.day:
        hand.day = day
        hand.guests = GUESTS if chance < habit.guest_ratio else 0.0
    appliances_w = habit.idle_w
    people_w = 0.0
    hand.moisture_kg_s = 0.0
    if presence == AWAKE:
        hour = (local_s - day * DAY_S) / H_S
        persons = habit.persons
        if GUEST_H[0] <= hour < GUEST_H[1]:
            persons += hand.guests
        appliances_w += habit.appliances_w
        people_w = persons * SENSIBLE_AWAKE_W
        hand.moisture_kg_s = persons * WATER_AWAKE_KG_S
    elif presence == ASLEEP:
        people_w = habit.persons * SENSIBLE_ASLEEP_W
        hand.moisture_kg_s = habit.persons * WATER_ASLEEP_KG_S
    valve = min(max((habit.radiator_target_c - room.occupied_c) / RADIATOR_BAND_K, 0.0), 1.0)
    radiator_w = habit.radiator_w * valve if season < RADIATOR_SEASON else 0.0
    hand.radiant_w = (
        RADIANT_OF_PERSON * people_w + RADIANT_OF_APPLIANCE * appliances_w + RADIANT_OF_RADIATOR * radiator_w
    )
    hand.convective_w = people_w + appliances_w + radiator_w - hand.radiant_w
