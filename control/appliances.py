"""Plugs in the service: what a household has allowed of them is done, and what it might allow is worked out daily.

``control.plugs`` decides; here its eyes are filled from the database, and what it decides goes into the command ledger
and the table of decisions. Nothing is done where nothing is allowed, but what we had cut off is switched on again.

A change of ``on`` that no command of ours explains, or a person's own command, was made by hand: the plug is left alone
for ``override_hold_s``, and no longer counts as cut off by us. Rooms in ``shadow`` have their decisions recorded, and
nothing is sent.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from control import plug_habits, plugs
from control.plug_habits import Habits
from control.room_state import FRESH_S, LEAST_WALL_S, Live
from core.clock import Clock
from core.logging import get_logger
from core.settings import Settings
from core.words import CommandState, Kind
from insights.tariff import Tariff, read_tariff
from storage.repositories import allowances
from storage.repositories.allowances import ALLOWANCE, DEVICE, MEMORY, PROPOSALS, DeviceLearned
from storage.repositories.commands import BY_ENGINE, BY_PERSON, CommandRepository
from storage.repositories.decisions import OF_PLUG, DecisionRepository, NewDecision
from storage.repositories.kept import put, readable
from storage.repositories.kill_switches import controls_in_force
from storage.repositories.tariffs import tariffs_of_home
from storage.repositories.usage import covered_quarters
from storage.tables import CommandRow, HomeRow, Json

log = get_logger(__name__)

LOOK_WALL_S = 1.0
PATIENCE_WALL_S = 30.0  # with a plug that failed
LEAST_LIFE_WALL_S = 30.0  # of a command, before it expires unsent
STUDY_WALL_S, STUDY_EVERY, STUDIED, STUDIED_AT_ONCE = 10.0, timedelta(days=1), timedelta(days=14), 10
LATE = timedelta(minutes=10)  # that a plug may take to obey
STEERING = ("auto", "ab")  # controls of a room under which its plugs may be switched


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a plug from one look to the next; kept over a restart."""

    on: bool | None = None  # at the last look
    told: bool | None = None  # by us, and nobody has changed it since
    cut: bool = False  # we switched it off, and it has not been on again
    idle_since: datetime | None = None
    override_until: datetime | None = None
    person_id: int = 0  # newest command of a person that was heeded
    writes: tuple[datetime, ...] = ()
    shown: tuple[Any, ...] = ()  # on and code of the last decision that was only shown

    def to_json(self) -> Json:
        """All fields by name; instants as text (ISO 8601)."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        instants = {name: None if values[name] is None else values[name].isoformat() for name in _INSTANTS}
        return {**values, **instants, "writes": [at.isoformat() for at in self.writes], "shown": list(self.shown)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Memory":
        """The memory of ``to_json``.

        Raises
        ------
        ValueError, TypeError, LookupError
            The values are not such a memory.
        """
        instants = {name: None if values[name] is None else datetime.fromisoformat(values[name]) for name in _INSTANTS}
        writes = tuple(datetime.fromisoformat(at) for at in values["writes"])
        return cls(**{**values, **instants, "writes": writes, "shown": tuple(values["shown"])})


_INSTANTS = ("idle_since", "override_until")


@dataclass(frozen=True, slots=True)
class Told:
    """The newest commands of a plug."""

    of_engine: CommandRow | None
    of_person: CommandRow | None

    @property
    def waits(self) -> bool:
        """Whether a command of ours is still on its way."""
        return self.of_engine is not None and self.of_engine.ended_at is None and self.of_engine.observed_at is None


@dataclass(frozen=True, slots=True)
class Spot:
    """A plug with what is allowed of it and what surrounds it."""

    learned: DeviceLearned
    zone: ZoneInfo
    tariff: Tariff | None
    told: Told

    @property
    def id(self) -> int:
        """Of the device."""
        return self.learned.device.id

    @property
    def name(self) -> str:
        """As people call what is behind it."""
        appliance = self.learned.appliance
        return self.learned.device.name if appliance is None else appliance.name


@dataclass(slots=True)
class Appliances:
    """Looks after the plugs of one installation."""

    database: Database
    readers: Database
    settings: Settings
    _look_at: float = 0.0
    _study_at: float = 0.0
    _retry_at: dict[int, float] = field(default_factory=dict)

    def look(self, live: Mapping[int, Live], clock: Clock) -> bool:
        """Look at every plug of which something is allowed, about once a second; whether a command was queued.

        One that fails is logged and tried again later.
        """
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_WALL_S
        if time.monotonic() >= self._study_at:
            self._study_at = time.monotonic() + STUDY_WALL_S
            self._study(clock.now())
        with Session(self.readers, expire_on_commit=False) as session:
            spots = _spots(session, clock.now())
        written = [
            self._attend(spot, live.get(spot.id, Live(None, {})), clock)
            for spot in spots
            if time.monotonic() >= self._retry_at.get(spot.id, 0.0)
        ]
        return any(written)

    def _attend(self, spot: Spot, live: Live, clock: Clock) -> bool:
        try:
            return self._decide(spot, live, clock)
        except Exception:
            self._retry_at[spot.id] = time.monotonic() + PATIENCE_WALL_S
            log.exception("plug_failed", device_id=spot.id)
            return False

    def _decide(self, spot: Spot, live: Live, clock: Clock) -> bool:
        now = clock.now()
        kept = _memory_of(spot)
        memory = observe(kept, spot.told, live, now, timedelta(seconds=self.settings.override_hold_s))
        allowance = spot.learned.values.get(ALLOWANCE) or {}
        if not _allows(allowance) and not memory.cut:
            return self._forget(spot, now)
        with Session(self.readers) as session:
            control = _control(session, spot)
        plug = _plug(spot, allowance, control)
        power_w = _power_w(live, clock)
        memory = replace(memory, idle_since=_idle_since(memory, plug, power_w, now))
        decision, wished = None, False
        if not spot.told.waits:
            seen = _seen(spot, memory, live, power_w, now)
            decision = plugs.decide(plug, seen, now)
            wished = control == "shadow" and decision.on not in (None, seen.on) and decision.rules == ("proposed",)
        shown = () if decision is None or not wished else (decision.on, decision.reason["code"])
        if decision is not None and (decision.write or (wished and shown != memory.shown)):
            return self._keep(spot, replace(memory, shown=shown), decision, control, power_w, clock)
        if memory != kept:
            with Session(self.database) as session, session.begin():
                put(session, DEVICE, spot.id, MEMORY, memory.to_json(), now)
        return False

    def _forget(self, spot: Spot, now: datetime) -> bool:
        """What was known of a plug that is none of ours any more: should it be allowed again, it begins anew."""
        if spot.learned.values.get(MEMORY) not in (None, Memory().to_json()):
            with Session(self.database) as session, session.begin():
                put(session, DEVICE, spot.id, MEMORY, Memory().to_json(), now)
        return False

    def _keep(
        self,
        spot: Spot,
        memory: Memory,
        decision: plugs.Decision,
        control: str,
        power_w: float | None,
        clock: Clock,
    ) -> bool:
        """Queue the command and keep the decision and the memory in one transaction, if all is still allowed so."""
        now, device = clock.now(), spot.learned.device
        life_s = max(self.settings.control_period_s, LEAST_LIFE_WALL_S * clock.factor)
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            unchanged = _control(session, spot, lock=True) == control
            if not unchanged or allowances.allowance_of(session, spot.id) != spot.learned.values.get(ALLOWANCE):
                return False
            command, command_id = decision.command(), None
            if command is not None:
                queued = [(device.home_id, device.id, command)]
                [command_id] = CommandRepository(session).queue_of_engine(queued, now, now + timedelta(seconds=life_s))
                memory = replace(
                    memory, told=decision.on, cut=memory.cut or decision.on is False, writes=(*memory.writes, now)
                )
            if device.room_id is not None:
                values = _row(spot, decision, control, memory.on, power_w, command_id, now)
                DecisionRepository(session).add([NewDecision(device.home_id, values)])
            put(session, DEVICE, spot.id, MEMORY, memory.to_json(), now)
        log.info(
            "plug_decided",
            device_id=device.id,
            on=decision.on,
            command_id=command_id,
            guard=decision.rules,
            reason=decision.reason["code"],
        )
        return command is not None

    def _study(self, now: datetime) -> None:
        """Work out the habits and proposals of a few plugs whose own are a day old."""
        with Session(self.readers, expire_on_commit=False) as session:
            due = allowances.plugs_to_study(session, now, STUDY_EVERY, STUDIED_AT_ONCE)
            found = [(one.device.id, _studied(session, one, now)) for one in due]
        if found:
            with Session(self.database) as session, session.begin():
                for device_id, value in found:
                    put(session, DEVICE, device_id, PROPOSALS, value, now)


def observe(memory: Memory, told: Told, live: Live, now: datetime, hold: timedelta) -> Memory:
    """Take in whether the plug is on, and whose doing that is."""
    on = _on(live)
    recent = tuple(at for at in memory.writes if now - at < timedelta(hours=1))
    until = memory.override_until
    memory = replace(memory, writes=recent, override_until=until if until is not None and until > now else None)
    asked = told.of_person
    if asked is not None and asked.id > memory.person_id:
        until = asked.queued_at + hold
        memory = replace(memory, person_id=asked.id, told=None, cut=False, on=on)
        return replace(memory, override_until=until) if until > now else memory
    if on is None or told.waits:
        return memory if on is None or on != memory.told else replace(memory, on=on, cut=memory.cut and not on)
    last = told.of_engine
    if memory.told is not None and on != memory.told:
        if memory.on == memory.told or (last is not None and last.state == CommandState.OBSERVED):
            memory = replace(memory, told=None, override_until=now + hold, cut=False)
        elif memory.writes and now - memory.writes[-1] < LATE:  # what was called back may still be obeyed
            return replace(memory, on=on)
        else:
            memory = replace(memory, told=None)
    elif memory.told is None and memory.on is not None and on != memory.on:
        memory = replace(memory, override_until=now + hold, cut=False)
    return replace(memory, on=on, cut=memory.cut and not on)


def _spots(session: Session, now: datetime) -> list[Spot]:
    found: list[Spot] = []
    homes: dict[int, tuple[ZoneInfo, Tariff | None]] = {}
    for one in allowances.plugs_spoken_of(session):
        home_id = one.device.home_id
        if home_id not in homes:
            homes[home_id] = _home(session, home_id, now)
        told = Told(_newest(session, one.device.id, BY_ENGINE), _newest(session, one.device.id, BY_PERSON))
        found.append(Spot(one, *homes[home_id], told))
    return found


def _home(session: Session, home_id: int, now: datetime) -> tuple[ZoneInfo, Tariff | None]:
    """Zone and prices of a home; no prices where they cannot be read."""
    home = session.get_one(HomeRow, home_id)
    documents = [row.document for row in tariffs_of_home(session, home_id) if row.valid_from <= now]
    zone = ZoneInfo(home.time_zone)
    if not documents:
        return zone, None
    return zone, readable("home", home_id, "tariff", lambda: read_tariff(documents[-1]), lambda: None)


def _newest(session: Session, device_id: int, by: str) -> CommandRow | None:
    query = select(CommandRow).where(CommandRow.device_id == device_id, CommandRow.requested_by == by)
    return session.scalar(query.order_by(CommandRow.queued_at.desc(), CommandRow.id.desc()).limit(1))


def _memory_of(spot: Spot) -> Memory:
    value = spot.learned.values.get(MEMORY)
    newest = spot.told.of_person
    fresh = Memory(person_id=0 if newest is None else newest.id)  # what was asked before it was allowed is over
    if value is None or value == Memory().to_json():
        return fresh
    return readable(DEVICE, spot.id, MEMORY, lambda: Memory.from_json(value), lambda: fresh)


def _allows(allowance: Mapping[str, Any]) -> bool:
    return bool(allowance.get("cut_off")) or allowance.get("window") is not None


def _control(session: Session, spot: Spot, *, lock: bool = False) -> str:
    """What the engine may do in the plug's room now; ``off`` of one that stands in none."""
    room_id = spot.learned.device.room_id
    return "off" if room_id is None else controls_in_force(session, [room_id], lock=lock).get(room_id, "off")


def _plug(spot: Spot, allowance: Mapping[str, Any], control: str) -> plugs.Plug:
    """What is known and allowed of a plug; without habits it counts as used at any hour."""
    kept = (spot.learned.values.get(PROPOSALS) or {}).get("habits")
    appliance = spot.learned.appliance

    def read() -> plugs.Plug:
        return plugs.Plug(None) if kept is None else Habits.from_json(kept).plug()

    known = readable(DEVICE, spot.id, PROPOSALS, read, lambda: plugs.Plug(None))
    word = "auto" if control in STEERING and _allows(allowance) else "proposed"
    return replace(
        known,
        appliance_kind=None if appliance is None else Kind(appliance.kind),
        may_cut_off=bool(allowance.get("cut_off")),
        window=readable(DEVICE, spot.id, ALLOWANCE, lambda: _window(allowance.get("window")), lambda: None),
        control="off" if control == "off" else word,
    )


def _window(value: Mapping[str, Any] | None) -> plugs.Window | None:
    if value is None:
        return None
    hour, _, minute = value["ready_by"].partition(":")
    return plugs.Window(float(value["hours"]), 60 * int(hour) + int(minute))


def _on(live: Live) -> bool | None:
    pair = live.values.get("on")
    return None if pair is None else bool(pair[0])


def _power_w(live: Live, clock: Clock) -> float | None:
    """What it draws; None where that is not known, or too old."""
    pair = live.values.get("power_w")
    limit = timedelta(seconds=max(FRESH_S["power_w"], LEAST_WALL_S * clock.factor))
    return None if pair is None or clock.now() - pair[1] > limit else float(pair[0])


def _idle_since(memory: Memory, plug: plugs.Plug, power_w: float | None, now: datetime) -> datetime | None:
    idle = power_w is not None and power_w <= max(plugs.IN_USE_W, plugs.IN_USE_TIMES * plug.standby_w)
    return (memory.idle_since or now) if idle else None


def _seen(spot: Spot, memory: Memory, live: Live, power_w: float | None, now: datetime) -> plugs.Seen:
    local = now.astimezone(spot.zone)
    prices: Sequence[float] = [float(price) for price in plug_habits.prices_of_day(spot.tariff, local.date())]
    return plugs.Seen(
        on=_on(live),
        power_w=power_w,
        idle_s=0.0 if memory.idle_since is None else (now - memory.idle_since).total_seconds(),
        local_min=60 * local.hour + local.minute,
        cut_by_us=memory.cut,
        prices=prices,
        online=live.online is not False,
        override=memory.override_until is not None,
        writes=memory.writes,
    )


def _row(
    spot: Spot,
    decision: plugs.Decision,
    control: str,
    on: bool | None,
    power_w: float | None,
    command_id: int | None,
    now: datetime,
) -> dict[str, Any]:
    """Columns of the decision."""
    reason = {"code": decision.reason["code"], "values": {**decision.reason["values"], "place": spot.name}}
    action = {"on": on if decision.rules == ("proposed",) else decision.on}
    return {
        "room_id": spot.learned.device.room_id,
        "device_id": spot.id,
        "decided_at": now,
        "controller": OF_PLUG,
        "control": control,
        "saw": {"on": on, "power_w": power_w},
        "outlook": {},
        "proposed": {"on": decision.on},
        "action": action,
        "guard": list(decision.rules),
        "reason": reason,
        "command_id": command_id,
    }


def _studied(session: Session, one: DeviceLearned, now: datetime) -> Json:
    """Habits of a plug and what may be proposed of it."""
    zone, tariff = _home(session, one.device.home_id, now)
    said = covered_quarters(session, one.device.id, now - STUDIED, now)
    known = plug_habits.habits([plug_habits.Quarter(*pair) for pair in said], zone)
    if known is None:
        return {"habits": None, "items": []}
    day = now.astimezone(zone).date()
    return {"habits": known.to_json(), "items": plug_habits.proposals(known, tariff, day)}
