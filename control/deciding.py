"""From a room as it is believed to be to a decision: who wishes what, what the guard leaves of it, and why.

A decision is a value; keeping it and queueing its command is the engine's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from control import reasons
from control.guard import OCCUPIED_RATIO, Action, GuardState, History, WishSource, check
from control.minds import RoomMind
from control.objective import Objective
from control.planning import Target
from control.room_state import limits_of
from control.setback import USUAL_H
from control.situations import EARLIEST_START_S, RoomView, lead_s
from control.trial import Arm
from control.wishes import by_rule
from core.words import Command, Fan, Mode
from models.words import Outlook, Wish
from storage.repositories.commands import BY_ENGINE
from storage.repositories.decisions import NewDecision
from storage.repositories.learned import Season
from storage.repositories.overrides import FROM_DEVICE
from storage.tables import CommandRow, OverrideRow

QUARTER = timedelta(minutes=15)
OUTLOOK = tuple(one.name for one in fields(Outlook))
STEERED = ("auto", "ab")  # controls under which the engine commands the unit


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for a room, and on what grounds."""

    trigger: str
    wish: Wish
    source: WishSource
    action: Action
    rules: list[str]
    reason: dict[str, Any]

    @property
    def controller(self) -> str:
        """Whose wish it was, as people and programs read it."""
        if self.source == WishSource.RELEASE:
            return "off"
        return "conventional" if self.source == WishSource.TRIAL else str(self.source)


def trigger_of(mind: RoomMind, now: datetime, likely: bool, override: OverrideRow | None) -> str | None:
    """Why to decide now, if at all."""
    if mind.decide_at is None:
        return "control" if mind.unit.control not in (None, mind.layout.control) else "first"
    if mind.unit.control != mind.layout.control:
        return "control"
    if mind.override_id != (None if override is None else override.id):
        return "override"
    if mind.decided_arm != mind.arm:
        return "arm"
    if mind.likely != likely:
        return "presence"
    return "period" if now >= mind.decide_at else None


def is_left_alone(mind: RoomMind, override: OverrideRow | None, trigger: str) -> bool:
    """Whether a room that is not ours to control is not even decided for.

    It is decided for once, when it is taken from the engine: a unit that the engine has commanded goes back to the
    household's program. A person's override is done once as well, and not held: what people do at the unit after that
    is not looked at, and would be undone.
    """
    if mind.layout.control != "off":
        return False
    if override is not None:
        return trigger in ("presence", "period") or (trigger == "first" and override.id == mind.unit.override_done)
    return not (mind.unit.steered and trigger == "control")


def is_steered(mind: RoomMind) -> bool:
    """Whether the engine decides what this room's unit does today."""
    return mind.layout.control in STEERED and mind.arm != Arm.CONVENTIONAL


def is_held(mind: RoomMind, view: RoomView) -> bool:
    """Whether the room is kept as if somebody were in, although nobody is."""
    if view.occupied >= OCCUPIED_RATIO:
        return False
    if view.objective is Objective.COMFORT:
        return view.presence.next_return(view.room_id, view.state.at) is not None
    return mind.absence is not None and mind.absence.holds(view.state.at)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided in a room."""

    mind: RoomMind
    view: RoomView
    override: OverrideRow | None
    trigger: str
    program: Wish | None
    wanted: tuple[Wish, WishSource]  # and by whom
    returning: bool  # somebody is expected soon enough to start for
    target: Target | None = None  # of the room's plan


def question(
    mind: RoomMind,
    view: RoomView,
    override: OverrideRow | None,
    trigger: str,
    target: Target | None,
    period_s: float,
) -> Question:
    """What is to be decided in a room now.

    Parameters
    ----------
    target : Target or None
        What the room's plan says; None: there is none to follow.
    period_s : float
        Time until the next decision. [s]
    """
    program = None if mind.program is None else mind.program.at(view.state.at, mind.layout.home.zone)
    wanted, returning = _wanted(mind, view, override, program, target, period_s)
    return Question(mind, view, override, trigger, program, wanted, returning, target)


def decide(question: Question, commands: Sequence[CommandRow]) -> Decision:
    """What is done in a room: what the guard leaves of what is wanted, and why.

    Parameters
    ----------
    commands : Sequence of CommandRow
        The unit's, as far back as the guard asks.
    """
    mind, view, (wish, source) = question.mind, question.view, question.wanted
    limits = limits_of(mind.layout)
    state = _guard_state(question, source)
    action, rules = check(wish, limits, state, _history(mind, view, commands), view.state.at)
    return Decision(question.trigger, wish, source, action, rules, _reason(question, wish, source, action, rules))


def kept(decision: Decision, mind: RoomMind, view: RoomView, command_id: int | None) -> NewDecision:
    """The decision as the database keeps it."""
    values = {
        "room_id": mind.layout.id,
        "device_id": mind.layout.unit.id,
        "decided_at": view.state.at,
        "controller": decision.controller,
        "control": mind.layout.control,
        "saw": _saw(mind, view, decision.trigger),
        "outlook": _outlook(mind, view),
        "proposed": _wish_json(decision.wish),
        "action": {**_wish_json(decision.action.target), "write": decision.action.write},
        "guard": decision.rules,
        "reason": decision.reason,
        "command_id": command_id,
    }
    return NewDecision(mind.layout.home.id, values)


def grid(after: datetime, period: timedelta) -> datetime:
    """The first multiple of a period after an instant: what fell behind is made up by one step."""
    period_s = period.total_seconds()
    return datetime.fromtimestamp((after.timestamp() // period_s + 1) * period_s, tz=UTC)


def _wanted(
    mind: RoomMind,
    view: RoomView,
    override: OverrideRow | None,
    program: Wish | None,
    target: Target | None,
    period_s: float,
) -> tuple[tuple[Wish, WishSource], bool]:
    """What is wanted and by whom; whether somebody is expected soon enough."""
    present = Wish(view.on, view.mode, view.setpoint_c, view.fan or Fan.AUTO)
    if override is not None:
        return (_wish_of(Command.from_dict(override.target), present), WishSource.OVERRIDE), False
    if mind.layout.control == "off":
        return (program or present, WishSource.RELEASE), False
    now, room_c = view.state.at, view.state.room_temperature_c
    back = view.presence.next_return(view.room_id, now)
    lead = lead_s(view, mind.pull_down_k_per_h) + period_s
    soon = back is not None and back - now <= timedelta(seconds=lead)
    may_start = back is not None and back - now <= timedelta(seconds=max(lead, EARLIEST_START_S))
    if mind.arm == Arm.CONVENTIONAL and program is not None:
        return (program, WishSource.TRIAL), may_start
    if room_c is None or not view.state.plausible:
        return (program or present, WishSource.CONVENTIONAL), False
    held = is_held(mind, view)
    if target is not None:
        # a plan knows how early to start, be it in the cheap hours of the night
        return (_planned(target, view.season), WishSource.POLICY), back is not None or held
    return (by_rule(view, room_c, expected=soon or held), WishSource.RULE), may_start or held


def _planned(target: Target, season: Season) -> Wish:
    if not target.on:
        return Wish(False, None, None, Fan.AUTO)
    return Wish(True, Mode.HEAT if season == Season.HEATING else Mode.COOL, target.setpoint_c, Fan.AUTO)


def _wish_of(target: Command, present: Wish) -> Wish:
    """A person's target, the rest as it is; asking for a mode or a setpoint means on."""
    asks = target.mode is not None or target.setpoint_c is not None
    on = target.on if target.on is not None else (asks or present.on)
    if not on:
        return Wish(False, None, None, present.fan)
    setpoint_c = present.setpoint_c if target.setpoint_c is None else target.setpoint_c
    return Wish(True, target.mode or present.mode, setpoint_c, target.fan or present.fan)


def _guard_state(question: Question, source: WishSource) -> GuardState:
    mind, view = question.mind, question.view
    state = view.state
    return GuardState(
        source=source,
        local_minute=view.local.hour * 60 + view.local.minute,
        on=view.on if state.on is not None else None,
        mode=view.mode,
        setpoint_c=view.setpoint_c,
        fan=view.fan,
        online=state.online,
        room_temperature_c=state.room_temperature_c,
        plausible=state.plausible,
        occupied=view.occupied,
        returning=question.returning,
        season=view.season,
        comfort_low_c=view.low_c,
        comfort_high_c=view.high_c,
        override=question.override is not None,
        control=mind.layout.control,
        fallback=question.program,
        sensor_offset_k=0.0 if question.target is None else question.target.offset_k,
    )


def _history(mind: RoomMind, view: RoomView, commands: Sequence[CommandRow]) -> History:
    writes = tuple(row.queued_at for row in commands if row.requested_by == BY_ENGINE and not _never_sent(row))
    return History(view.switched_at, writes, known=mind.written)


def _never_sent(row: CommandRow) -> bool:
    return row.ended_at is not None and row.attempts == 0


def _reason(question: Question, wish: Wish, source: WishSource, action: Action, rules: Sequence[str]) -> dict[str, Any]:
    mind, view, override, program = question.mind, question.view, question.override, question.program
    unit = reasons.unit_values(action.target)
    if override is not None:
        until = reasons.local_time(override.until, mind.layout.home.zone)
        code = "override_device" if override.origin == FROM_DEVICE else "override_rest"
        return {"code": code, "values": {"unit": unit, "until": until}}
    if source == WishSource.RELEASE:
        return {"code": "released" if program is not None else "released_unknown", "values": {"unit": unit}}
    grounds = reasons.Grounds(
        zone=mind.layout.home.zone,
        source=source,
        control=mind.layout.control,
        room_temperature_c=view.state.room_temperature_c,
        low_c=view.low_c,
        high_c=view.high_c,
        season=view.season,
        occupied=view.occupied,
        seen=view.seen,
        next_return=view.presence.next_return(view.room_id, view.state.at),
        lead_s=lead_s(view, mind.pull_down_k_per_h),
        outlook=mind.forecast.outlook,
        had_fallback=program is not None,
        now=view.state.at,
        earliest_s=EARLIEST_START_S,
        held_is_cheaper=mind.setback.held_is_cheaper(USUAL_H) if is_held(mind, view) else None,
        objective=view.objective,
        price_source=view.price_source,
        price_change=_price_change(view),
    )
    return reasons.reason(wish, action, rules, grounds)


def _price_change(view: RoomView) -> reasons.PriceChange | None:
    """The next time within some hours at which a kWh costs more or less than now."""
    now = view.state.at
    before = view.price(now)
    at = grid(now, QUARTER)
    while at <= now + reasons.PRICES_AHEAD:
        if (after := view.price(at)) != before:
            return reasons.PriceChange(at, dearer=after > before)
        at += QUARTER
    return None


def _saw(mind: RoomMind, view: RoomView, trigger: str) -> dict[str, Any]:
    return {
        **view.state.as_json(),
        "trigger": trigger,
        "arm": None if mind.arm is None else str(mind.arm),
        "held": is_held(mind, view),
        "occupied": round(view.occupied, 3),
        "season": str(view.season),
        "comfort_low_c": view.low_c,
        "comfort_high_c": view.high_c,
        "outdoor_c": view.outdoor_c,
        "objective": str(view.objective),
        "price": view.price(view.state.at),
        "price_source": view.price_source,
    }


def _outlook(mind: RoomMind, view: RoomView) -> dict[str, Any]:
    back = view.presence.next_return(view.room_id, view.state.at)
    forecast = mind.forecast
    outlook, error = forecast.outlook, forecast.physics_error if forecast.by == "rc" else forecast.error
    return {
        **({} if outlook is None else {name: list(getattr(outlook, name)) for name in OUTLOOK}),
        "by": forecast.by,
        "mae_k": {str(horizon): round(mae, 3) for horizon, mae in error.mae_k.items()},
        "weather": {"source": view.weather.source, "age_s": view.weather.age_s},
        "next_return": None if back is None else back.isoformat(),
    }


def _wish_json(wish: Wish) -> dict[str, Any]:
    mode = None if wish.mode is None else str(wish.mode)
    return {"on": wish.on, "mode": mode, "setpoint_c": wish.setpoint_c, "fan": str(wish.fan)}
