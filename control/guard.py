"""The guard: the one way from a wish to a command. A pure function; nothing goes round it.

Rules in order, by the names that a decision records; the first three and ``offline`` end the matter::

    kill_switch         the room is not ours to control: nothing is written
    override            a manual change holds: nothing but itself is written
    offline             the unit does not answer: nothing is written
    stale_data          no fresh room temperature: the conventional program instead of the wish
    implausible_sensor  a room temperature that cannot be: the same
    unsupported         a mode or fan that the unit does not have
    season              no heating in the cooling season, and no cooling in the other
    comfort             somebody is in and the room is outside the band, or the setpoint would take it there; a room
                        that the unit has taken beyond the far edge of the band is left alone by it
    empty_room          a unit that is off in an empty room stays off, unless somebody is about to return
    rate                a setpoint moves at most so far at once
    bounds              of the unit and of the household
    mode_change         between cooling and heating the unit rests
    minimum_run         a unit that was just switched on stays on
    minimum_rest        a unit that was just switched off stays off
    dead_band           too small a change to be worth a write and a beep; a step of the unit is worth them where
                        somebody is in and the room is outside the band
    quiet_hours         no write, unless the room has left the band or the unit is switched off, and so falls silent
    write_budget        writes of the last hour are used up
    shadow              decided and shown, not written

A person's own change (source ``override``) and the return to the conventional program (source ``release``) pass at
once, within the bounds of the unit: people may do to their unit what they like. The return is written in any case where
the program is known: a command that was just taken back may still reach the unit.

On a day that shows what the household's own program uses (source ``trial``), that program is not made better: it needs
no room temperature, and ``season``, ``comfort``, ``rate``, ``dead_band`` and ``quiet_hours`` leave it alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.words import Command, Fan, Mode
from models.words import Wish
from storage.repositories.learned import Season

COMFORT_TOLERANCE_K = 0.5  # beyond the band before the guard steps in
# how far beyond the band a setpoint may lie, where the unit's own sensor errs by no more than was learned of it
SENSOR_ALLOWANCE_K = 1.5
OCCUPIED_RATIO = 0.5
HOUR = timedelta(hours=1)
COOLING_MODES = (Mode.COOL, Mode.DRY)


class WishSource(StrEnum):
    """Who wishes."""

    POLICY = "policy"  # a plan, as the actor corrected it
    RULE = "rule"
    CONVENTIONAL = "conventional"
    OVERRIDE = "override"
    RELEASE = "release"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Limits:
    """What unit and household allow."""

    unit_low_c: float = 16.0
    unit_high_c: float = 30.0
    step_k: float = 1.0
    modes: tuple[Mode, ...] = (Mode.COOL, Mode.HEAT)
    fans: tuple[Fan, ...] = ()
    household_low_c: float = 16.0
    household_high_c: float = 30.0
    rate_k: float = 3.0  # per write
    minimum_run_s: float = 1500.0
    minimum_rest_s: float = 600.0
    writes_per_hour: int = 4
    dead_band_k: float = 1.0
    quiet: tuple[int, int] | None = (23 * 60, 7 * 60)  # start and end, minutes after local midnight


@dataclass(frozen=True, slots=True)
class GuardState:
    """The room as the guard sees it. Unit quantities are those that hold once what is on its way has arrived."""

    source: WishSource
    local_minute: int  # after local midnight, for quiet hours
    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None
    online: bool = True
    room_temperature_c: float | None = None  # None: not known, or too old
    plausible: bool = True
    occupied: float = 1.0  # 0..1
    returning: bool = False  # somebody is expected within the time that the room takes
    season: Season = Season.COOLING
    comfort_low_c: float = 25.0
    comfort_high_c: float = 27.0
    sensor_offset_k: float = 0.0  # of the setpoint that holds the room somewhere against that room, as learned
    override: bool = False
    control: str = "auto"  # auto, shadow, ab, off
    fallback: Wish | None = None  # the conventional program, now


@dataclass(frozen=True, slots=True)
class History:
    """What was done to the unit."""

    switched_at: datetime | None = None  # it last went on or off, by whomever; None: long ago
    writes: tuple[datetime, ...] = ()  # of the engine
    known: bool = True  # the engine has written to the unit before; the first write says everything, and proves the way


@dataclass(frozen=True, slots=True)
class Action:
    """What the unit shall be, and whether that takes a command."""

    target: Wish
    write: bool

    def command(self) -> Command | None:
        """The command to queue, or None. It names every quantity, so that nothing is left to the unit's memory."""
        if not self.write:
            return None
        if not self.target.on:
            return Command(on=False)
        return Command(on=True, mode=self.target.mode, setpoint_c=self.target.setpoint_c, fan=self.target.fan)


@dataclass(frozen=True, slots=True)
class _Context:
    limits: Limits
    state: GuardState
    history: History
    now: datetime


def check(wish: Wish, limits: Limits, state: GuardState, history: History, now: datetime) -> tuple[Action, list[str]]:
    """What may be done of a wish.

    Parameters
    ----------
    wish : Wish
        What plan, rule, conventional program or a person wants.
    now : datetime
        Aware; so are the instants of ``history``.

    Returns
    -------
    tuple[Action, list[str]]
        The action, and the rules that changed the wish or kept it from being written, in order.
    """
    context = _Context(limits, state, history, now)
    hold = Action(_present(state), write=False)
    if state.source in (WishSource.OVERRIDE, WishSource.RELEASE):
        return _pass_at_once(wish, context)
    for name, forbids in (
        ("kill_switch", state.control == "off"),
        ("override", state.override),
        ("offline", not state.online),
    ):
        if forbids:
            return hold, [name]
    rules: list[str] = []
    distrust = None if state.source == WishSource.TRIAL else _distrust(state)
    if distrust is not None:
        rules.append(distrust)
        if state.fallback is None:
            return hold, rules
        wish = state.fallback
    for name, rule in _RULES:
        if state.source == WishSource.TRIAL and name in _OF_THE_ENGINE:
            continue
        changed = rule(wish, context)
        if changed != wish:
            rules.append(name)
            wish = changed
    veto = _veto(wish, context)
    wish = _steps(wish, context)
    if veto is None:
        return Action(wish, write=True), rules
    if veto:
        rules.append(veto)
    return (Action(wish, write=False) if veto == "shadow" else hold), rules


def in_quiet_hours(limits: Limits, local_minute: int) -> bool:
    """Whether a time of day lies in the quiet hours, which may pass midnight."""
    if limits.quiet is None:
        return False
    start, end = limits.quiet
    return start <= local_minute < end if start <= end else local_minute >= start or local_minute < end


def _present(state: GuardState) -> Wish:
    return Wish(bool(state.on), state.mode, state.setpoint_c, state.fan or Fan.AUTO)


def _pass_at_once(wish: Wish, context: _Context) -> tuple[Action, list[str]]:
    """A person's change, within what the unit can do. The kill switch leaves both of these to pass."""
    bounded = _supported(wish, context)
    if bounded.on and bounded.setpoint_c is not None:
        low_c, high_c = context.limits.unit_low_c, context.limits.unit_high_c
        bounded = replace(bounded, setpoint_c=_on_grid(bounded.setpoint_c, low_c, high_c, context.limits.step_k))
    rules = [] if bounded == wish else ["bounds"]
    returns = context.state.source == WishSource.RELEASE and context.state.fallback is not None
    return Action(bounded, write=returns or _differs(bounded, context.state, 0.05)), rules


def _distrust(state: GuardState) -> str | None:
    if state.room_temperature_c is None:
        return "stale_data"
    return None if state.plausible and math.isfinite(state.room_temperature_c) else "implausible_sensor"


def _supported(wish: Wish, context: _Context) -> Wish:
    """Only modes and fan steps that the unit has; a setpoint where it needs one."""
    limits, state = context.limits, context.state
    if not wish.on:
        return Wish(False, None, None, wish.fan)
    mode = wish.mode if wish.mode is not None else state.mode
    if mode is None or mode not in limits.modes:
        mode = state.mode if state.on and state.mode in limits.modes else None
    if mode is None:
        return Wish(False, None, None, wish.fan)
    setpoint_c = wish.setpoint_c
    if setpoint_c is None or not math.isfinite(setpoint_c):
        setpoint_c = state.setpoint_c if state.setpoint_c is not None else _edge(state)
    fan = wish.fan if wish.fan in limits.fans else Fan.AUTO
    return Wish(True, mode, setpoint_c, fan)


def _season(wish: Wish, context: _Context) -> Wish:
    wrong = Mode.HEAT if context.state.season == Season.COOLING else Mode.COOL
    if wish.on and wish.mode == wrong and _distrust(context.state) is None:
        return Wish(False, None, None, wish.fan)
    return wish


def _edge(state: GuardState) -> float:
    """The edge of the band that the unit works against. [°C]"""
    return state.comfort_high_c if state.season == Season.COOLING else state.comfort_low_c


def _outside_k(state: GuardState) -> float:
    """How far the room is beyond the edge that the unit can bring it back over; 0 or more. [K]"""
    if state.room_temperature_c is None:
        return 0.0
    if state.season == Season.COOLING:
        return max(0.0, state.room_temperature_c - state.comfort_high_c)
    return max(0.0, state.comfort_low_c - state.room_temperature_c)


def _overshot(state: GuardState) -> bool:
    """Whether the room is past the edge that the unit takes it towards: more of the same helps nobody."""
    if state.room_temperature_c is None:
        return False
    if state.season == Season.COOLING:
        return state.room_temperature_c < state.comfort_low_c - COMFORT_TOLERANCE_K
    return state.room_temperature_c > state.comfort_high_c + COMFORT_TOLERANCE_K


def _comfort(wish: Wish, context: _Context) -> Wish:
    state = context.state
    if _distrust(state) is not None:
        return wish
    mode = Mode.COOL if state.season == Season.COOLING else Mode.HEAT
    occupied = state.occupied >= OCCUPIED_RATIO
    uncomfortable = occupied and _outside_k(state) > COMFORT_TOLERANCE_K
    if uncomfortable and not wish.on and mode in context.limits.modes:
        return Wish(True, mode, _edge(state) + state.sensor_offset_k, Fan.AUTO)
    if wish.on and wish.mode == mode and _overshot(state):
        return Wish(False, None, None, wish.fan)
    if not wish.on or wish.setpoint_c is None:
        return wish
    allowance_k = 0.0 if uncomfortable else SENSOR_ALLOWANCE_K
    edge_low_c, edge_high_c = state.comfort_low_c + state.sensor_offset_k, state.comfort_high_c + state.sensor_offset_k
    low_c, high_c = edge_low_c - SENSOR_ALLOWANCE_K, edge_high_c + SENSOR_ALLOWANCE_K
    if wish.mode == Mode.COOL:
        high_c = edge_high_c + allowance_k if occupied else math.inf
    elif wish.mode == Mode.HEAT:
        low_c = edge_low_c - allowance_k if occupied else -math.inf
    else:
        return wish
    return replace(wish, setpoint_c=min(max(wish.setpoint_c, low_c), high_c))


def _empty_room(wish: Wish, context: _Context) -> Wish:
    state = context.state
    if wish.on and not state.on and state.occupied < OCCUPIED_RATIO and not state.returning:
        return Wish(False, None, None, wish.fan)
    return wish


def _rate(wish: Wish, context: _Context) -> Wish:
    state = context.state
    if not (wish.on and state.on) or wish.mode != state.mode or wish.setpoint_c is None or state.setpoint_c is None:
        return wish
    low_c, high_c = state.setpoint_c - context.limits.rate_k, state.setpoint_c + context.limits.rate_k
    return replace(wish, setpoint_c=min(max(wish.setpoint_c, low_c), high_c))


def _bounds(wish: Wish, context: _Context) -> Wish:
    if not wish.on or wish.setpoint_c is None:
        return wish
    low_c, high_c = _bounds_c(context.limits)
    return replace(wish, setpoint_c=min(max(wish.setpoint_c, low_c), high_c))


def _steps(wish: Wish, context: _Context) -> Wish:
    """The unit's own steps, inside the bounds: no restriction worth naming."""
    if not wish.on or wish.setpoint_c is None:
        return wish
    low_c, high_c = _bounds_c(context.limits)
    return replace(wish, setpoint_c=_on_grid(wish.setpoint_c, low_c, high_c, context.limits.step_k))


def _bounds_c(limits: Limits) -> tuple[float, float]:
    low_c = max(limits.unit_low_c, limits.household_low_c)
    high_c = min(limits.unit_high_c, limits.household_high_c)
    if low_c > high_c:  # the household asks for what the unit cannot do: as near as it can
        low_c = high_c = min(max(limits.household_low_c, limits.unit_low_c), limits.unit_high_c)
    return low_c, high_c


def _on_grid(setpoint_c: float, low_c: float, high_c: float, step_k: float) -> float:
    """The nearest step of the unit inside the bounds; the nearer bound where no step lies inside."""
    clamped = min(max(setpoint_c, low_c), high_c)
    step = round(clamped / step_k)
    for candidate in (step, step - 1, step + 1):
        value = round(candidate * step_k, 3)
        if low_c <= value <= high_c:
            return value
    return clamped


def _mode_change(wish: Wish, context: _Context) -> Wish:
    state = context.state
    if not (wish.on and state.on and wish.mode is not None and state.mode is not None):
        return wish
    opposite = {wish.mode, state.mode} & set(COOLING_MODES) and Mode.HEAT in (wish.mode, state.mode)
    return Wish(False, None, None, wish.fan) if opposite else wish


def _long_enough(context: _Context, seconds: float) -> bool:
    switched_at = context.history.switched_at
    return switched_at is None or context.now - switched_at >= timedelta(seconds=seconds)


_RULES: tuple[tuple[str, Callable[[Wish, _Context], Wish]], ...] = (
    ("unsupported", _supported),
    ("season", _season),
    ("comfort", _comfort),
    ("empty_room", _empty_room),
    ("rate", _rate),
    ("bounds", _bounds),
    ("mode_change", _mode_change),
)
_OF_THE_ENGINE = ("season", "comfort", "rate")  # rules that hold the engine and not the household's own program


def _veto(wish: Wish, context: _Context) -> str | None:
    """Why nothing is written: a rule, or "" where there is nothing to write; None where the wish is written.

    ``wish`` is not on the unit's steps yet: one that wavers around the middle of two shall not beep each time.
    """
    state, limits, now = context.state, context.limits, context.now
    known = context.history.known
    if known and not _differs(_steps(wish, context), state, 0.05):
        return ""
    # a unit of which it is not known whether it runs may have been switched either way
    if state.on is not False and not wish.on and not _long_enough(context, limits.minimum_run_s):
        return "minimum_run"
    if state.on is not True and wish.on and not _long_enough(context, limits.minimum_rest_s):
        return "minimum_rest"
    outside_k = _outside_k(state) if _distrust(state) is None and state.occupied >= OCCUPIED_RATIO else 0.0
    needed = outside_k > COMFORT_TOLERANCE_K
    dead_band_k = min(limits.dead_band_k, limits.step_k) if outside_k > 0.0 else limits.dead_band_k
    own = state.source == WishSource.TRIAL
    if known and not own and not _differs(wish, state, dead_band_k - 1e-6, fan_matters=False):
        return "dead_band"
    falls_silent = state.on is True and not wish.on
    if in_quiet_hours(limits, state.local_minute) and not (needed or own or falls_silent):
        return "quiet_hours"
    if sum(now - at < HOUR for at in context.history.writes) >= limits.writes_per_hour:
        return "write_budget"
    return "shadow" if state.control == "shadow" else None


def _differs(wish: Wish, state: GuardState, tolerance_k: float, *, fan_matters: bool = True) -> bool:
    """Whether the unit is not what is wished; what is not known of it differs."""
    if state.on is None or wish.on != state.on:
        return True
    if not wish.on:
        return False
    if wish.mode != state.mode or state.setpoint_c is None or wish.setpoint_c is None:
        return True
    fan_differs = fan_matters and state.fan is not None and wish.fan != state.fan
    return fan_differs or abs(wish.setpoint_c - state.setpoint_c) >= tolerance_k
