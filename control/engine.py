"""The engine: for every room with an air conditioner, look, predict, plan, decide, and queue what the guard lets pass.

It reads the database and writes to it, and meets the devices only through the command ledger. A look is taken four
times a second of wall time (less often where reading many homes would keep a processor busy), so that a manual change,
an end of one, or somebody coming in is answered at once; a prediction every ``prediction_period_s`` and a decision
every ``control_period_s`` of project time. Whatever fell behind is made up by one step, not by many. Rooms are looked
after together, stage by stage; a room that fails is tried again after a pause, and the others go on.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from control import absences, overrides, planning
from control.appliances import Appliances
from control.arms import take_arms
from control.commands import CommandSender
from control.deciding import (
    Decision,
    Question,
    decide,
    grid,
    is_held,
    is_left_alone,
    is_steered,
    question,
    trigger_of,
)
from control.guard import WishSource
from control.keeping import record
from control.minds import (
    Answered,
    HomeMind,
    RoomMind,
    load_home,
    load_room,
)
from control.objective import Objective
from control.people import People
from control.planning import Planned, Target
from control.prediction import Predictor, step_many
from control.presence import LIKELY, Evidence
from control.reading import Reader
from control.remembering import SAVE_EVERY, Memory, is_over
from control.room_state import Facts, RoomLayout, assemble, layouts_of, limits_of, read_facts
from control.situations import RoomView, moment
from control.viewing import Look, Seen, evidence_of, view_of
from core.clock import Clock
from core.logging import get_logger
from core.mqtt import Broker
from core.settings import Settings
from storage.database import read_only
from storage.repositories.kept import put_many
from storage.repositories.kill_switches import controls_in_force
from storage.repositories.learned import ROOM
from storage.repositories.overrides import FROM_DEVICE
from storage.tables import OverrideRow, TariffRow

log = get_logger(__name__)

LOOK_WALL_S = 0.25
LAYOUT_WALL_S = 1.0  # between two looks at which rooms and devices there are
READING_RATIO, LAYOUT_RATIO = 0.1, 0.05  # of a processor, at most, for reading, and for which rooms there are
PATIENCE_WALL_S = 5.0  # after an error, at most
UNREADY_WALL_S = 10.0  # of looks that failed, after which the engine no longer says that it is ready
JOIN_WALL_S = 5.0
FIRST_PATIENCE_WALL_S = 15.0  # for a room's thermometer to speak after the start
QUARTER_S, QUARTERS_PER_H = 900, 4
TOGETHER = 200  # rooms that are written in one transaction: other writers have to wait for its end
FITS_AT_ONCE = 20  # rooms that are fitted anew at one look: each takes some milliseconds
SLACK_WALL_S = 3.0  # that the instants of different processes may be apart
Item = TypeVar("Item", "Seen", "Due")
Value = TypeVar("Value")


@dataclass(slots=True)
class Due:
    """A room that is decided for at a look."""

    mind: RoomMind
    question: Question
    before: Answered  # what was answered before, should this come to nothing
    decision: Decision | None = None
    done: bool = False  # the decision is kept


@dataclass(slots=True)
class Engine:
    """Decides for every room of one installation.

    Parameters
    ----------
    ready : threading.Event
        Set once a look has succeeded, and cleared while looks go on failing.
    cpu_s : dict of str to float
        What looks have taken so far of the processor, by stage.
    """

    database: Database
    broker: Broker
    clock: Clock
    settings: Settings
    ready: threading.Event = field(default_factory=threading.Event)
    cpu_s: dict[str, float] = field(default_factory=dict)
    _sender: CommandSender = field(init=False)
    _readers: Database = field(init=False)
    _people: People = field(init=False)
    _memory: Memory = field(init=False)
    _appliances: Appliances = field(init=False)
    _reader: Reader = field(default_factory=Reader)
    _predictor: Predictor = field(default_factory=Predictor)
    _rng: np.random.Generator = field(default_factory=np.random.default_rng)
    _homes: dict[int, HomeMind] = field(default_factory=dict)
    _rooms: dict[int, RoomMind] = field(default_factory=dict)
    _layout_at: float = 0.0
    _facts: Facts | None = None

    def __post_init__(self) -> None:
        self._sender = CommandSender(self.database, self.broker, self.clock)
        self._readers = read_only(self.database)
        self._memory = Memory(self.database, self._readers)
        self._appliances = Appliances(self.database, self._readers, self.settings)
        hold = timedelta(seconds=self.settings.override_hold_s)
        self._people = People(self.database, self._rooms, self._homes, hold)

    def run(self, stop: threading.Event) -> None:
        """Decide and send until told to stop.

        Raises
        ------
        RuntimeError
            The thread that sends has ended by itself: without it no decision would reach a unit.
        """
        sender = threading.Thread(target=self._sender.run, args=(stop,), name="engine-sender", daemon=True)
        sender.start()
        patience_s, failing_since = LOOK_WALL_S, None
        while not stop.wait(patience_s):
            if not sender.is_alive() and not stop.is_set():
                raise RuntimeError("the thread that sends commands has ended")
            reading_s = self.cpu_s.get("read", 0.0)
            try:
                self.look()
                reading_s, failing_since = self.cpu_s["read"] - reading_s, None
                patience_s = min(PATIENCE_WALL_S, max(LOOK_WALL_S, reading_s / READING_RATIO))
            except Exception:
                log.exception("engine_look_failed")
                patience_s = min(PATIENCE_WALL_S, patience_s * 2.0)
                failing_since = failing_since or time.monotonic()
                if time.monotonic() - failing_since >= UNREADY_WALL_S:
                    self.ready.clear()
        self._save_all()
        sender.join(JOIN_WALL_S)

    def look(self) -> None:
        """One look at everything, and what follows from it.

        Raises
        ------
        RuntimeError
            It failed for every room; what fails for some of them is logged and tried again, and the others go on.
        sqlalchemy.exc.SQLAlchemyError
            The database could not be read, or not be told what people want.
        """
        now = self.clock.now()
        with self._stage("read"), Session(self._readers, expire_on_commit=False) as session:
            self._read_layouts(session)
            people = self._people.override_id or 0, self._people.command_id
            look = self._reader.look(session, now, list(self._rooms.values()), *people)
        try:
            with self._stage("people"):
                self._people.heed(look, self.clock)
        finally:  # rooms are looked after although a person's wish has to wait for the next look
            self._attend(look)
        with self._stage("appliances"):
            if self._appliances.look(look.live, self.clock):
                self._sender.wake()
        if self._rooms and all(mind.patience_s > 0.0 for mind in self._rooms.values()):
            raise RuntimeError("no room could be decided for")
        self.ready.set()

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began_s = time.thread_time()
        try:
            yield
        finally:
            self.cpu_s[name] = self.cpu_s.get(name, 0.0) + time.thread_time() - began_s

    # --- reading ---

    def _read_layouts(self, session: Session) -> None:
        if time.monotonic() < self._layout_at:
            return
        began_s = time.thread_time()
        facts = read_facts(session)
        if facts != self._facts:
            self._take_layouts(session, layouts_of(facts))
            self._facts = facts
        take_arms(session, self.database, self._rooms, self.clock.now())
        tariffs = select(TariffRow).where(TariffRow.valid_from <= self.clock.now()).order_by(TariffRow.valid_from)
        documents = {row.home_id: row.document for row in session.scalars(tariffs)}
        for home_id, home in self._homes.items():
            home.take_tariff(documents.get(home_id))
        self._people.begin(session, self.clock.now())
        pause_s = max(LAYOUT_WALL_S, (time.thread_time() - began_s) / LAYOUT_RATIO)
        self._layout_at = time.monotonic() + pause_s

    def _take_layouts(self, session: Session, found: Sequence[RoomLayout]) -> None:
        layouts = {layout.id: layout for layout in found}
        for room_id in self._rooms.keys() - layouts.keys():
            del self._rooms[room_id]
        for home_id in self._homes.keys() - {layout.home.id for layout in layouts.values()}:
            del self._homes[home_id]
        for room_id, layout in layouts.items():
            if layout.home.id not in self._homes:
                self._homes[layout.home.id] = load_home(session, layout.home)
            self._homes[layout.home.id].place = layout.home
            if room_id in self._rooms:
                self._rooms[room_id].layout = layout
            else:
                self._rooms[room_id] = load_room(session, layout, self._predictor)

    # --- the rooms ---

    def _attend(self, look: Look) -> None:
        """Look after every room; one that fails is tried again after a pause that grows, and the others go on."""
        rooms = [mind for mind in self._rooms.values() if time.monotonic() >= mind.retry_at]
        failed: set[int] = set()
        with self._stage("see"):
            found = [self._alone(mind, partial(self._see, mind, look), failed) for mind in rooms]
            seen = [one for one in found if one is not None]
        with self._stage("predict"):
            period = timedelta(seconds=self.settings.prediction_period_s)
            stale = [one for one in seen if is_over(one.mind.predicted_at, period, look.now)]
            self._together(stale, lambda some: self._predict(some, look.now), failed)
        with self._stage("learn"):
            self._together(
                [one for one in seen if one.hour_passed], lambda some: self._memory.learn_quiet(some, look), failed
            )
        with self._stage("plan"):
            self._together(seen, lambda some: self._plan(some, look), failed)
        self._decide(seen, look, failed)
        with self._stage("save"):
            old = [one for one in seen if is_over(one.mind.saved_at, SAVE_EVERY, look.now)]
            for first in range(0, len(old), TOGETHER):
                self._together(old[first : first + TOGETHER], lambda some: self._memory.save(some, look.now), failed)
        for mind in rooms:
            if mind.layout.id not in failed:
                mind.patience_s = 0.0

    def _alone(self, mind: RoomMind, what: Callable[[], Value | None], failed: set[int]) -> Value | None:
        """Do something to one room."""
        try:
            return what()
        except Exception:
            failed.add(mind.layout.id)
            mind.patience_s = min(PATIENCE_WALL_S, max(LOOK_WALL_S, mind.patience_s * 2.0))
            mind.retry_at = time.monotonic() + mind.patience_s
            log.exception("room_failed", room_id=mind.layout.id)
            return None

    def _together(self, items: Sequence[Item], what: Callable[[Sequence[Item]], None], failed: set[int]) -> None:
        """Do something to rooms at once; where that fails, to each alone, so that none suffers for another."""
        items = [item for item in items if item.mind.layout.id not in failed]
        try:
            if len(items) > 1:
                what(items)
                return
        except Exception:
            log.exception("rooms_failed_together", rooms=len(items))
        for item in items:
            self._alone(item.mind, partial(what, [item]), failed)

    def _see(self, mind: RoomMind, look: Look) -> Seen | None:
        """What is believed of a room now; None where there is nothing to do for it yet."""
        layout, home = mind.layout, self._homes[mind.layout.home.id]
        state = assemble(layout, look.live, self.clock, look.now, home.presence.standby_w)
        if not state.heard:
            return None
        first = mind.learn_at is None
        if mind.learn_at is None or look.now >= mind.learn_at:
            self._memory.learn_history(mind, home, look, self._predictor)
        if first:
            return None  # that took a while: the next look sees the room as it is then
        override = look.overrides.get(layout.id)
        if override is not None and not override.started_at <= look.now < override.until:
            override = None
        override = self._see_hand(mind, look) or override
        evidence = evidence_of(layout, state, override, look.now)
        _note_quiet(mind, evidence, override, look.now)
        view = view_of(mind, home, look, state, evidence)
        self._follow_absence(mind, view, override)
        return Seen(mind, home, view, override, _learn_presence(mind, home, evidence, state.at))

    def _follow_absence(self, mind: RoomMind, view: RoomView, override: OverrideRow | None) -> None:
        """Whether nobody is in, whether the room is held meanwhile, and what is learned when it is over."""
        now, away = view.state.at, view.occupied < LIKELY
        mind.absence, ended = absences.follow(
            mind.absence,
            view,
            mind.setback,
            self._rng,
            away=away,
            left=away and mind.likely is True,
            undisturbed=is_steered(mind) and override is None and view.objective is not Objective.COMFORT,
        )
        if ended is None:
            return
        with Session(self.database) as session, session.begin():
            absence = absences.measure(session, mind.layout, ended)
            if absence is None:
                return
            setback = mind.setback.learn(absence)
            put_many(session, [(ROOM, mind.layout.id, "setback", setback.to_json())], now)
        mind.setback = setback
        log.info("absence_learned", room_id=mind.layout.id, **asdict(absence))

    def _see_hand(self, mind: RoomMind, look: Look) -> OverrideRow | None:
        """An override for a change that no command explains; nothing in a room that is not ours to control."""
        unit_id = mind.layout.unit.id
        slack = timedelta(seconds=SLACK_WALL_S * self.clock.factor)
        memory, change = overrides.look(
            mind.unit,
            look.live[unit_id].values,
            look.commands[unit_id],
            look.now,
            slack=slack,
            step_k=limits_of(mind.layout).step_k,
        )
        if change is None or mind.layout.control == "off":
            mind.unit = memory
            return None
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            row = self._people.start_override(session, mind, FROM_DEVICE, change.target, change.at)
            put_many(session, [(ROOM, mind.layout.id, "unit", memory.to_json())], look.now)
        mind.unit = memory  # only now: a change that was not kept is seen again
        return row

    def _predict(self, seen: Sequence[Seen], now: datetime) -> None:
        """One step of the room predictor, and what became of its earlier ones."""
        period_s, moments = self.settings.prediction_period_s, []
        for one in seen:
            mind, state = one.mind, one.view.state
            elapsed_s = period_s if mind.predicted_at is None else (now - mind.predicted_at).total_seconds()
            mind.predicted_at = now
            if state.outdoor_temperature_c is not None:
                one.home.weather.add(now, state.outdoor_temperature_c, state.solar_w_m2)
            moments.append(moment(one.view, min(max(elapsed_s, 60.0), 3600.0)))
        step_many(self._predictor, [one.mind.forecast for one in seen], moments)

    def _plan(self, seen: Sequence[Seen], look: Look) -> None:
        """Learn from each quarter of an hour that has passed, and plan rooms anew where that is due."""
        rooms = [_planned(one, look) for one in seen]
        for one in rooms:
            one.plan.see_power(look.now, one.view.state.power_w)
        quarter = int(look.now.timestamp()) // QUARTER_S
        planning.learn([one for one in rooms if one.plan.quarter != quarter])
        unfitted = (one.plan for one in rooms if planning.is_fit_due(one.plan))
        for plan in islice(unfitted, FITS_AT_ONCE):
            planning.fit(plan)
        due = [one for one in rooms if planning.is_due(one)]
        if due:
            planning.make(due)

    # --- deciding ---

    def _decide(self, seen: Sequence[Seen], look: Look, failed: set[int]) -> None:
        """Decide where that is due, and note what was answered; what could not be kept is answered at the next look."""
        with self._stage("ask"):
            live = [one for one in seen if one.mind.layout.id not in failed]
            triggers = [self._alone(one.mind, partial(self._trigger, one), failed) for one in live]
            triggered = [(one, trigger) for one, trigger in zip(live, triggers, strict=True) if trigger is not None]
            targets = _targets([one for one, _ in triggered])
            asked = [
                self._alone(one.mind, partial(self._ask, one, trigger, targets.get(one.mind.layout.id)), failed)
                for one, trigger in triggered
            ]
            due = [one for one in asked if one is not None]
        with self._stage("wish"):
            self._together(due, lambda some: self._choose(some, look), failed)
        with self._stage("keep"):
            decided = [one for one in due if one.decision is not None]
            for first in range(0, len(decided), TOGETHER):
                self._together(decided[first : first + TOGETHER], lambda some: self._keep(some, look.now), failed)
        for one in due:
            if not one.done:
                one.mind.take_back(one.before)

    def _trigger(self, seen: Seen) -> str | None:
        """Why to decide in a room now, if at all."""
        mind, view = seen.mind, seen.view
        trigger = trigger_of(mind, view.state.at, view.occupied >= LIKELY, seen.override)
        if trigger == "first" and view.state.room_temperature_c is None and _may_still_come(mind):
            return None
        return trigger

    def _ask(self, seen: Seen, trigger: str, target: Target | None) -> Due | None:
        """What is to be decided in a room; None where it is left alone."""
        mind, view, override = seen.mind, seen.view, seen.override
        before = mind.answered()
        asked = None
        if not is_left_alone(mind, override, trigger):
            asked = question(mind, view, override, trigger, target, self.settings.control_period_s)
            mind.unit.override_done = None if override is None else override.id
        mind.unit.control = mind.layout.control
        mind.likely = view.occupied >= LIKELY
        mind.override_id = None if override is None else override.id
        mind.decided_arm = mind.arm
        if override is None:
            mind.held_setpoint_c = view.setpoint_c if view.on else None
        mind.decide_at = grid(view.state.at, timedelta(seconds=self.settings.control_period_s))
        return None if asked is None else Due(mind, asked, before)

    def _choose(self, due: Sequence[Due], look: Look) -> None:
        for one in due:
            one.decision = decide(one.question, look.commands[one.mind.layout.unit.id])

    def _keep(self, due: Sequence[Due], now: datetime) -> None:
        """Queue commands and keep decisions, in one transaction; not of rooms that were taken away meanwhile."""
        life = max(timedelta(seconds=self.settings.control_period_s), timedelta(seconds=30.0 * self.clock.factor))
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            controls = controls_in_force(session, [one.mind.layout.id for one in due], lock=True)
            ours = [one for one in due if controls.get(one.mind.layout.id) == one.mind.layout.control]
            if len(ours) < len(due):
                self._layout_at = 0.0
            record(session, [(one.question, one.decision) for one in ours if one.decision is not None], now, now + life)
        for one in ours:
            one.done = True
            assert one.decision is not None
            self._note_done(one.mind, one.decision)

    def _note_done(self, mind: RoomMind, decision: Decision) -> None:
        command = decision.action.command()
        if command is not None:
            mind.written = True
            if decision.source != WishSource.OVERRIDE:
                mind.held_setpoint_c = command.setpoint_c
            self._sender.wake()
        mind.kept_absence = mind.absence
        if command is None and decision.trigger == "period":  # all stays as it is: the table of decisions has it
            return
        log.info(
            "decided",
            room_id=mind.layout.id,
            trigger=decision.trigger,
            control=mind.layout.control,
            controller=decision.controller,
            command=None if command is None else command.as_dict(),
            guard=decision.rules,
            reason=decision.reason["code"],
        )

    def _save_all(self) -> None:
        self._memory.save_all(self._homes.values(), self._rooms.values(), self.clock.now())


def _planned(seen: Seen, look: Look) -> Planned:
    """What a plan reads of a room."""
    mind, home = seen.mind, seen.home
    return Planned(
        mind.plan,
        mind.layout,
        seen.view,
        look.curves[mind.layout.id],
        home.presence,
        home.price_ratio_ahead,
        overridden=seen.override is not None,
        steered=mind.unit.steered and is_steered(mind),
        held=is_held(mind, seen.view),
    )


def _targets(seen: Sequence[Seen]) -> dict[int, Target]:
    """What plans say, by room; without rooms that have none."""
    rooms = [one for one in seen if one.mind.plan.is_planned]
    found = planning.targets([(one.mind.plan, one.mind.layout, one.view) for one in rooms])
    return {one.mind.layout.id: target for one, target in zip(rooms, found, strict=True)}


def _learn_presence(mind: RoomMind, home: HomeMind, evidence: Evidence, at: datetime) -> bool:
    """Once a quarter of an hour: who was in. Whether an hour has passed."""
    quarter, before = int(at.timestamp()) // QUARTER_S, mind.quarter
    if before is None or quarter <= before:
        mind.quarter = before or quarter
        return False
    mind.quarter = quarter
    home.presence.learn(mind.layout.id, at - timedelta(seconds=QUARTER_S / 2), evidence)
    home.fade(at)
    return quarter // QUARTERS_PER_H > before // QUARTERS_PER_H


def _may_still_come(mind: RoomMind) -> bool:
    """Whether the thermometers of a room get some more time before the first decision does without them."""
    if mind.first_seen is None:
        mind.first_seen = time.monotonic()
    return time.monotonic() - mind.first_seen < FIRST_PATIENCE_WALL_S


def _note_quiet(mind: RoomMind, evidence: Evidence, override: OverrideRow | None, now: datetime) -> None:
    """Since when somebody has been in without changing anything."""
    changed = override is not None and override.id != mind.override_id
    if changed or evidence.weights()[0] == 0.0:
        mind.quiet_since = None
    elif mind.quiet_since is None:
        mind.quiet_since = now
