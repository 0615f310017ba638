"""The engine: for every room with an air conditioner, look, predict, decide, and queue what the guard lets pass.

It reads the database and writes to it, and meets the devices only through the command ledger. A look is taken four
times a second of wall time, so that a manual change, an end of one, or somebody coming in is answered at once; a
prediction every ``prediction_period_s`` and a decision every ``control_period_s`` of project time. Whatever fell behind
is made up by one step, not by many.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from control import absences, comfort, learning, overrides
from control.commands import CommandSender
from control.deciding import Decision, decide, grid, is_left_alone, is_steered, row_of, trigger_of
from control.guard import WishSource
from control.minds import (
    HomeMind,
    RoomMind,
    keep_unit,
    load_home,
    load_room,
    save_habits,
    save_home,
    save_room,
    save_setback,
)
from control.objective import Objective
from control.prediction import Predictor
from control.presence import LIKELY, Evidence
from control.room_state import RoomLayout, RoomState, assemble, device_ids, limits_of, read_layouts, read_live
from control.situations import RoomView, moment
from control.trial import DRAWN_WITHIN, Arm, pair_at
from control.viewing import Look, evidence_of, left_at, view_of
from control.wishes import Wishes
from core.clock import Clock
from core.logging import get_logger
from core.mqtt import Broker
from core.settings import Settings
from core.words import Command, Mode
from models.words import RoomMoment
from storage.database import read_only
from storage.repositories.commands import BY_ENGINE, CommandRepository
from storage.repositories.decisions import DecisionRepository
from storage.repositories.kept import comfort_of, put_comfort
from storage.repositories.kill_switches import cancel_engine_commands, control_in_force
from storage.repositories.learned import COMFORT, ROOM, ComfortCurve
from storage.repositories.overrides import FROM_DEVICE, FROM_REST, OverrideRepository
from storage.repositories.trials import TrialRepository
from storage.tables import CommandRow, LearnedRow, OverrideRow, SettingRow, TariffRow, TrialDayRow

log = get_logger(__name__)

LOOK_WALL_S = 0.25
LAYOUT_WALL_S = 1.0  # between two looks at which rooms and devices there are
PATIENCE_WALL_S = 5.0  # after an error, at most
UNREADY_WALL_S = 10.0  # of looks that failed, after which the engine no longer says that it is ready
JOIN_WALL_S = 5.0
FIRST_PATIENCE_WALL_S = 15.0  # for a room's thermometer to speak after the start
QUARTER_S, QUARTERS_PER_DAY = 900, 96
SAVE_EVERY = timedelta(hours=1)
COMMANDS_SINCE = timedelta(hours=2)  # before the last look: as far back as the guard and the explanation of changes go
JUST_NOW = timedelta(minutes=10)  # of a choice, the room is still as it was
LEARNED_OVERRIDE = "engine.learned_override"  # setting: {"id": the newest override that was learned from}
SLACK_WALL_S = 3.0  # that the instants of different processes may be apart


@dataclass(slots=True)
class Engine:
    """Decides for every room of one installation.

    Parameters
    ----------
    ready : threading.Event
        Set once a look has succeeded, and cleared while looks go on failing.
    """

    database: Database
    broker: Broker
    clock: Clock
    settings: Settings
    ready: threading.Event = field(default_factory=threading.Event)
    _sender: CommandSender = field(init=False)
    _readers: Database = field(init=False)
    _predictor: Predictor = field(default_factory=Predictor)
    _wishes: Wishes = field(default_factory=Wishes)
    _rng: np.random.Generator = field(default_factory=np.random.default_rng)
    _homes: dict[int, HomeMind] = field(default_factory=dict)
    _rooms: dict[int, RoomMind] = field(default_factory=dict)
    _layout_at: float = 0.0
    _override_id: int | None = None  # the newest that was learned from
    _person_command_id: int | None = None

    def __post_init__(self) -> None:
        self._sender = CommandSender(self.database, self.broker, self.clock)
        self._readers = read_only(self.database)

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
            try:
                self.look()
                patience_s, failing_since = LOOK_WALL_S, None
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
        with Session(self._readers, expire_on_commit=False) as session:
            self._read_layouts(session)
            look = self._read(session, now)
        try:
            self._heed_people(look)
        finally:  # rooms are looked after although a person's wish has to wait for the next look
            for mind in list(self._rooms.values()):
                self._try_to_attend(mind, look)
        if self._rooms and all(mind.patience_s > 0.0 for mind in self._rooms.values()):
            raise RuntimeError("no room could be decided for")
        self.ready.set()

    # --- reading ---

    def _read_layouts(self, session: Session) -> None:
        if time.monotonic() < self._layout_at:
            return
        self._layout_at = time.monotonic() + LAYOUT_WALL_S
        layouts = {layout.id: layout for layout in read_layouts(session)}
        for room_id in self._rooms.keys() - layouts.keys():
            del self._rooms[room_id]
        for room_id, layout in layouts.items():
            if layout.home.id not in self._homes:
                self._homes[layout.home.id] = load_home(session, layout.home)
            self._homes[layout.home.id].place = layout.home
            if room_id in self._rooms:
                self._rooms[room_id].layout = layout
            else:
                self._rooms[room_id] = load_room(session, layout, self._predictor)
        self._read_trials(session)
        tariffs = select(TariffRow).where(TariffRow.valid_from <= self.clock.now()).order_by(TariffRow.valid_from)
        documents = {row.home_id: row.document for row in session.scalars(tariffs)}
        for home_id, home in self._homes.items():
            home.take_tariff(documents.get(home_id))
        if self._override_id is None:
            kept = session.get(SettingRow, LEARNED_OVERRIDE)
            if kept is None:  # the first start: what people did before is learned as their habits
                self._override_id = OverrideRepository(session).newest_id()
                with Session(self.database) as writing, writing.begin():
                    _keep_learned_to(writing, self._override_id)
            else:
                self._override_id = int(kept.value["id"])
            # People's commands of before the start still hold if they are no older than an override may be.
            self._person_command_id = CommandRepository(session).newest_id(before=self.clock.now() - self._hold)

    def _read_trials(self, session: Session) -> None:
        """Who steers today in the rooms that are compared; a pair of days is drawn when its first day comes.

        A room whose household's own program is not known yet has nothing to be compared with: it waits. So does one
        that comes to a pair too late, until the next: what it was steered by before would count for the drawn arm.
        """
        now, trials = self.clock.now(), TrialRepository(session)
        days, running = trials.on(now), trials.running()
        drawn: list[TrialDayRow] = []
        for room_id, mind in self._rooms.items():
            compared = mind.layout.control == "ab" and room_id in running
            mind.arm = Arm(days[room_id].arm) if compared and room_id in days else None
            if not compared or mind.arm is not None or not mind.knows_program:
                continue
            trial = running[room_id]
            pair = pair_at(trial.seed, trial.started_at, now, mind.layout.home.zone)
            if not pair or now - pair[0].start > DRAWN_WITHIN:
                continue
            for one in pair:
                row = TrialDayRow(trial_id=trial.id, day=one.day.isoformat(), arm=str(one.arm), assigned_at=now)
                row.start_at, row.end_at = one.start, one.end
                drawn.append(row)
                if one.start <= now < one.end:
                    mind.arm = one.arm
        if drawn:
            with Session(self.database) as writing, writing.begin():
                TrialRepository(writing).assign(drawn)

    def _read(self, session: Session, now: datetime) -> Look:
        layouts = [mind.layout for mind in self._rooms.values()]
        repository = CommandRepository(session)
        since = {mind.layout.unit.id: (mind.unit.looked_at or now) - COMMANDS_SINCE for mind in self._rooms.values()}
        return Look(
            now=now,
            live=read_live(session, {device_id for layout in layouts for device_id in device_ids(layout)}),
            overrides={row.room_id: row for row in OverrideRepository(session).open()},
            left_at=left_at(session, now),
            commands={
                layout.unit.id: repository.of_device(layout.unit.id, since[layout.unit.id]) for layout in layouts
            },
            curves={layout.id: comfort_of(session, layout.id) for layout in layouts},
            new_overrides=OverrideRepository(session).after(self._override_id or 0),
            new_person_commands=repository.by_people_after(self._person_command_id or 0),
        )

    # --- people ---

    def _heed_people(self, look: Look) -> None:
        """Turn people's commands into overrides, end those whose time is over, learn from new ones."""
        over = [row for row in look.overrides.values() if row.until <= look.now]
        if not (over or look.new_overrides or look.new_person_commands):
            return
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            repository = OverrideRepository(session)
            for row in repository.open():
                if row.until <= look.now:
                    repository.end(row, look.now)
        for override in look.new_overrides:
            chosen_c = self._heed(self._learn_override, override, look)
            if chosen_c is not None:
                self._rooms[override.room_id].held_setpoint_c = chosen_c
            self._override_id = override.id
        for command in look.new_person_commands:
            self._heed(self._take_command, command, look)
            self._person_command_id = command.id

    def _heed(self, what: Callable[[Session, Any, Look], float | None], row: object, look: Look) -> float | None:
        """Do one thing in a transaction of its own; what fails for another reason than the database fails for good."""
        try:
            with Session(self.database, expire_on_commit=False) as session, session.begin():
                return what(session, row, look)
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("person_not_heeded")
            return None

    def _take_command(self, session: Session, row: CommandRow, look: Look) -> None:
        """A person's command holds as an override, from when it was given, unless something newer holds."""
        mind = next((mind for mind in self._rooms.values() if mind.layout.unit.id == row.device_id), None)
        if mind is None or mind.layout.control == "off" or row.queued_at + self._hold <= look.now:
            return
        newest = OverrideRepository(session).newest(mind.layout.id)
        if newest is not None and (newest.started_at, newest.target) == (row.queued_at, row.body):
            return  # taken before the engine was started
        if newest is not None and newest.started_at > row.queued_at:
            return
        self._start_override(session, mind, FROM_REST, Command.from_dict(row.body), row.queued_at)

    def _start_override(
        self, session: Session, mind: RoomMind, origin: str, target: Command, at: datetime
    ) -> OverrideRow:
        until = at + self._hold
        log.info("override", room_id=mind.layout.id, origin=origin, target=target.as_dict(), until=until.isoformat())
        return OverrideRepository(session).start(
            room_id=mind.layout.id, origin=origin, target=target, started_at=at, until=until
        )

    @property
    def _hold(self) -> timedelta:
        return timedelta(seconds=self.settings.override_hold_s)

    def _learn_override(self, session: Session, row: OverrideRow, look: Look) -> float | None:
        """Learn from an override, and note it: those of while the engine is down are learned from at its start."""
        _keep_learned_to(session, row.id)
        return self._learn_choice(session, row, look)

    def _learn_choice(self, session: Session, row: OverrideRow, look: Look) -> float | None:
        """What somebody chose by hand moves the comfort curve; the setpoint, where one was chosen. [°C]"""
        mind, target = self._rooms.get(row.room_id), Command.from_dict(row.target)
        if mind is None or target.on is False or target.setpoint_c is None:
            return None
        home = self._homes[mind.layout.home.id]
        state = assemble(mind.layout, look.live, self.clock, look.now, home.presence.standby_w)
        room_c, before_c = state.room_temperature_c if state.plausible else None, mind.held_setpoint_c
        if mind.decide_at is None or look.now - row.started_at > JUST_NOW:  # chosen while nobody was looking
            room_c, before_c = learning.before_change(session, mind.layout, row.started_at)
        mode = target.mode or state.mode
        if mode not in (Mode.COOL, Mode.HEAT):
            return None
        local = row.started_at.astimezone(mind.layout.home.zone)
        person = comfort.person_state(1.0, local.time(), limits_of(mind.layout).quiet)
        curve = _faded(session, mind.layout.id, look.now)
        setpoint_c, heating = target.setpoint_c, mode == Mode.HEAT
        place = home.place
        weather = home.weather.ahead(look.now, place.latitude, place.longitude)
        curve = comfort.learned(
            curve,
            person,
            weather.outdoor_between_c(0.0, comfort.DAY_S),
            lambda point: comfort.after_override(point, setpoint_c, room_c=room_c, before_c=before_c, heating=heating),
        )
        put_comfort(session, mind.layout.id, curve, look.now)
        return target.setpoint_c

    # --- one room ---

    def _try_to_attend(self, mind: RoomMind, look: Look) -> None:
        """Attend a room; one that fails is tried again after a pause that grows, and the other rooms go on."""
        if time.monotonic() < mind.retry_at:
            return
        try:
            self._attend(mind, look)
            mind.patience_s = 0.0
        except Exception:
            mind.patience_s = min(PATIENCE_WALL_S, max(LOOK_WALL_S, mind.patience_s * 2.0))
            mind.retry_at = time.monotonic() + mind.patience_s
            log.exception("room_failed", room_id=mind.layout.id)

    def _attend(self, mind: RoomMind, look: Look) -> None:
        layout, home = mind.layout, self._homes[mind.layout.home.id]
        state = assemble(layout, look.live, self.clock, look.now, home.presence.standby_w)
        if not state.heard:
            return
        first = mind.learn_at is None
        if mind.learn_at is None or look.now >= mind.learn_at:
            self._learn_history(mind, home, look)
        if first:
            return  # that took a while: the next look sees the room as it is then
        override = look.overrides.get(layout.id)
        if override is not None and not override.started_at <= look.now < override.until:
            override = None
        override = self._see_hand(mind, look) or override
        evidence = evidence_of(layout, state, override, look.now)
        view = view_of(mind, home, look, state, evidence)
        _note_quiet(mind, evidence, override, look.now)
        if self._learn_quarter(mind, home, evidence, state):
            self._learn_quiet(mind, view)
        period = timedelta(seconds=self.settings.prediction_period_s)
        if mind.predicted_at is None or look.now >= grid(mind.predicted_at, period):
            self._predict(mind, view)
        self._follow_absence(mind, view, override)
        trigger = trigger_of(mind, look.now, view.occupied >= LIKELY, override)
        if trigger == "first" and state.room_temperature_c is None and self._may_still_come(mind):
            trigger = None
        if trigger is not None:
            self._answer(mind, view, look, override, trigger)
        if home.saved_at is None or look.now - home.saved_at >= SAVE_EVERY:
            self._save(home, look.now)

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
            save_setback(session, replace(mind, setback=setback), now)
        mind.setback = setback
        log.info("absence_learned", room_id=mind.layout.id, **asdict(absence))

    def _may_still_come(self, mind: RoomMind) -> bool:
        """Whether the thermometers of a room get some more time before the first decision does without them."""
        if mind.first_seen is None:
            mind.first_seen = time.monotonic()
        return time.monotonic() - mind.first_seen < FIRST_PATIENCE_WALL_S

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
            row = self._start_override(session, mind, FROM_DEVICE, change.target, change.at)
            keep_unit(session, mind.layout.id, memory, look.now)
        mind.unit = memory  # only now: a change that was not kept is seen again
        return row

    def _predict(self, mind: RoomMind, view: RoomView) -> None:
        """One step of the room predictor, and what became of its earlier ones."""
        period_s, now = self.settings.prediction_period_s, view.state.at
        elapsed_s = period_s if mind.predicted_at is None else (now - mind.predicted_at).total_seconds()
        mind.predicted_at = now
        if view.state.outdoor_temperature_c is not None:
            weather = self._homes[mind.layout.home.id].weather
            weather.add(now, view.state.outdoor_temperature_c, view.state.solar_w_m2)
        mind.forecast.step(self._predictor, moment(view, min(max(elapsed_s, 60.0), 3600.0)))

    # --- deciding ---

    def _answer(self, mind: RoomMind, view: RoomView, look: Look, override: OverrideRow | None, trigger: str) -> None:
        """Decide, and note what was answered; what could not be kept is answered at the next look."""
        unit = (mind.unit.control, mind.unit.steered)
        kept = (mind.likely, mind.override_id, mind.held_setpoint_c, mind.decide_at, mind.decided_arm)
        done = False
        try:
            done = self._decide(mind, view, look, override, trigger)
        finally:
            if not done:
                mind.unit.control, mind.unit.steered = unit
                mind.likely, mind.override_id, mind.held_setpoint_c, mind.decide_at, mind.decided_arm = kept

    def _decide(self, mind: RoomMind, view: RoomView, look: Look, override: OverrideRow | None, trigger: str) -> bool:
        mind.unit.control = mind.layout.control
        mind.likely = view.occupied >= LIKELY
        mind.override_id = None if override is None else override.id
        mind.decided_arm = mind.arm
        if override is None:
            mind.held_setpoint_c = view.setpoint_c if view.on else None
        mind.decide_at = grid(look.now, timedelta(seconds=self.settings.control_period_s))
        if is_left_alone(mind, override, trigger):
            return True
        commands = look.commands[mind.layout.unit.id]
        period_s = self.settings.control_period_s
        decision = decide(mind, view, self._wishes, commands, override, trigger, period_s)
        return self._record(mind, view, decision)

    def _record(self, mind: RoomMind, view: RoomView, decision: Decision) -> bool:
        """Queue the command and keep the decision, in one transaction; not if the room was taken away meanwhile."""
        now, layout, command = view.state.at, mind.layout, decision.action.command()
        life = max(timedelta(seconds=self.settings.control_period_s), timedelta(seconds=30.0 * self.clock.factor))
        with Session(self.database) as session, session.begin():
            if control_in_force(session, layout.id, lock=True) != layout.control:
                self._layout_at = 0.0
                return False
            if decision.source == WishSource.RELEASE:
                cancel_engine_commands(session, now, device_ids=[layout.unit.id])
            command_id = None
            if command is not None:
                row = CommandRepository(session).queue(
                    home_id=layout.home.id,
                    device_id=layout.unit.id,
                    body=command,
                    requested_by=BY_ENGINE,
                    queued_at=now,
                    expires_at=now + life,
                )
                command_id = row.id
            DecisionRepository(session).add(row_of(decision, mind, view, command_id))
            if decision.source == WishSource.RELEASE:
                mind.unit.steered = False
            elif command is not None and decision.source != WishSource.OVERRIDE:
                mind.unit.steered = True
            save_room(session, mind, now)
        if command is not None:
            mind.written = True
            if decision.source != WishSource.OVERRIDE:
                mind.held_setpoint_c = command.setpoint_c
            self._sender.wake()
        log.info(
            "decided",
            room_id=layout.id,
            trigger=decision.trigger,
            control=layout.control,
            controller=decision.controller,
            command=None if command is None else command.as_dict(),
            guard=decision.rules,
            reason=decision.reason["code"],
        )
        return True

    # --- learning and keeping ---

    def _learn_history(self, mind: RoomMind, home: HomeMind, look: Look) -> None:
        """Take in what was stored before the engine's first decision; again each hour while that is too little."""
        mind.learn_at = look.now + SAVE_EVERY
        layout = mind.layout
        with Session(self._readers) as session:
            if not mind.forecast.past:
                self._recall(mind, learning.past_moments(session, layout, look.now))
            first_at = DecisionRepository(session).first_at(layout.id)
            mind.written = mind.written or _was_written(session, layout)
            if not home.weather.hours:
                home.weather = learning.learn_weather(session, layout, look.now)
            if mind.knows_program or (first_at is not None and look.now - first_at > timedelta(days=1)):
                mind.learn_at = look.now + timedelta(days=1)
                return
            curve = look.curves[layout.id]
            end = look.now if first_at is None else first_at
            habits = learning.learn_room(session, layout, curve, end, limits_of(layout).quiet)
        if habits.program.days <= (0.0 if mind.program is None else mind.program.days):
            return
        home.presence.take_over(habits.presence)
        mind.program, mind.pull_down_k_per_h = habits.program, habits.pull_down_k_per_h
        mind.unit.switched_at = mind.unit.switched_at or habits.switched_at
        fresh = all(point.observations == 0 for states in curve.points.values() for point in states.values())
        with Session(self.database) as session, session.begin():
            save_habits(session, mind, look.now)
            save_home(session, home, look.now)
            if fresh:
                put_comfort(session, layout.id, habits.curve, look.now)
        if fresh:
            look.curves[layout.id] = habits.curve
        log.info("history_learned", room_id=layout.id, days=round(habits.program.days, 1))

    def _recall(self, mind: RoomMind, past: Sequence[RoomMoment]) -> None:
        """Let the predictor live through the room's last day, and keep its last week for the physical model."""
        forecast = mind.forecast
        for earlier in past:
            forecast.remember(earlier)
        if forecast.state is None or not past:
            return
        forecast.state = self._predictor.restore(None)
        for earlier in past[-QUARTERS_PER_DAY:]:
            assert forecast.state is not None
            forecast.state, _ = self._predictor.step(forecast.state, earlier)

    def _learn_quarter(self, mind: RoomMind, home: HomeMind, evidence: Evidence, state: RoomState) -> bool:
        """Once a quarter of an hour: who was in. Whether one has passed."""
        quarter = int(state.at.timestamp()) // QUARTER_S
        if mind.quarter is None or quarter <= mind.quarter:
            mind.quarter = mind.quarter or quarter
            return False
        mind.quarter = quarter
        home.presence.learn(mind.layout.id, state.at - timedelta(seconds=QUARTER_S / 2), evidence)
        if home.quarter != quarter:
            home.presence.forget(QUARTER_S if home.quarter is not None else 0.0)
            home.quarter = quarter
        return True

    def _learn_quiet(self, mind: RoomMind, view: RoomView) -> None:
        """What people have left alone for long enough moves the comfort curve."""
        layout, state, now = mind.layout, view.state, view.state.at
        person = comfort.person_state(1.0, view.local.time(), limits_of(layout).quiet)
        quiet_s = 0.0 if mind.quiet_since is None else (now - mind.quiet_since).total_seconds()
        room_c = state.room_temperature_c if state.plausible else None
        if room_c is None or quiet_s < comfort.QUIET_AFTER_S[person]:
            return
        if not comfort.says_something(comfort.belief_of(view.band), np.array(room_c)):
            return
        with Session(self.database) as session, session.begin():
            outdoor_c = view.weather.outdoor_between_c(0.0, comfort.DAY_S)
            curve = comfort.learned(
                _faded(session, layout.id, now),
                person,
                outdoor_c,
                lambda point: comfort.after_quiet(point, room_c, QUARTER_S / 3600.0),
            )
            put_comfort(session, layout.id, curve, now)

    def _save(self, home: HomeMind, now: datetime) -> None:
        home.saved_at = now
        with Session(self.database) as session, session.begin():
            save_home(session, home, now)

    def _save_all(self) -> None:
        now = self.clock.now()
        try:
            with Session(self.database) as session, session.begin():
                for home in self._homes.values():
                    save_home(session, home, now)
                for mind in self._rooms.values():
                    save_room(session, mind, now)
        except Exception:
            log.exception("engine_state_not_saved")


def _keep_learned_to(session: Session, override_id: int) -> None:
    session.merge(SettingRow(key=LEARNED_OVERRIDE, value={"id": override_id}))


def _faded(session: Session, room_id: int, now: datetime) -> ComfortCurve:
    """The comfort curve of a room, less sure of itself by the time since it was last written."""
    updated_at = session.scalar(
        select(LearnedRow.updated_at).where(
            LearnedRow.scope == ROOM, LearnedRow.scope_id == room_id, LearnedRow.name == COMFORT
        )
    )
    days = 0.0 if updated_at is None else max(0.0, (now - updated_at) / timedelta(days=1))
    return comfort.after_days(comfort_of(session, room_id), days)


def _note_quiet(mind: RoomMind, evidence: Evidence, override: OverrideRow | None, now: datetime) -> None:
    """Since when somebody has been in without changing anything."""
    changed = override is not None and override.id != mind.override_id
    if changed or evidence.weights()[0] == 0.0:
        mind.quiet_since = None
    elif mind.quiet_since is None:
        mind.quiet_since = now


def _was_written(session: Session, layout: RoomLayout) -> bool:
    query = select(CommandRow.id).where(
        CommandRow.device_id == layout.unit.id, CommandRow.requested_by == BY_ENGINE, CommandRow.attempts > 0
    )
    return session.execute(query.limit(1)).first() is not None
