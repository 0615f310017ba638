"""The engine: for every room with an air conditioner, look, predict, decide, and queue what the guard lets pass.

It reads the database and writes to it, and meets the devices only through the command ledger. A look is taken four
times a second of wall time, so that a manual change, an end of one, or somebody coming in is answered at once; a
prediction every ``prediction_period_s`` and a decision every ``control_period_s`` of project time. Whatever fell behind
is made up by one step, not by many.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from control import comfort, learning, overrides, reasons
from control.commands import CommandSender
from control.guard import Action, GuardState, History, WishSource, check
from control.minds import HomeMind, RoomMind, keep_unit, load_home, load_room, save_habits, save_home, save_room
from control.prediction import Predictor
from control.presence import LIKELY, Evidence
from control.room_state import Live, RoomLayout, RoomState, assemble, device_ids, limits_of, read_layouts, read_live
from control.situations import EARLIEST_START_S, RoomView, lead_s, moment, situation
from control.wishes import Wishes
from core.clock import Clock
from core.logging import get_logger
from core.mqtt import Broker
from core.settings import Settings
from core.words import Command, Fan, Mode
from models.words import RoomMoment, Wish
from storage.database import read_only
from storage.repositories.commands import BY_ENGINE, CommandRepository
from storage.repositories.decisions import DecisionRepository
from storage.repositories.learned import COMFORT, ROOM, ComfortCurve, LearnedRepository, Season
from storage.repositories.overrides import FROM_DEVICE, FROM_REST, OverrideRepository
from storage.tables import CommandRow, DecisionRow, OverrideRow, TariffRow

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
JUST_NOW = timedelta(hours=1)  # a manual change says that somebody is in
SLACK_WALL_S = 3.0  # that the instants of different processes may be apart


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the database saw."""

    now: datetime
    live: Mapping[int, Live]
    overrides: Mapping[int, OverrideRow]  # newest open one by room
    left_at: Mapping[int, datetime]
    commands: Mapping[int, Sequence[CommandRow]]  # by device
    curves: dict[int, ComfortCurve]  # by room
    new_overrides: Sequence[OverrideRow]
    new_person_commands: Sequence[CommandRow]


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
        tariffs = select(TariffRow).where(TariffRow.valid_from <= self.clock.now()).order_by(TariffRow.valid_from)
        documents = {row.home_id: row.document for row in session.scalars(tariffs)}
        for home_id, home in self._homes.items():
            home.take_tariff(documents.get(home_id))
        if self._override_id is None:
            self._override_id = OverrideRepository(session).newest_id()
            # People's commands of before the start still hold if they are no older than an override may be.
            self._person_command_id = CommandRepository(session).newest_id(before=self.clock.now() - self._hold)

    def _read(self, session: Session, now: datetime) -> _Look:
        layouts = [mind.layout for mind in self._rooms.values()]
        repository, learned = CommandRepository(session), LearnedRepository(session)
        since = {mind.layout.unit.id: (mind.unit.looked_at or now) - COMMANDS_SINCE for mind in self._rooms.values()}
        return _Look(
            now=now,
            live=read_live(session, {device_id for layout in layouts for device_id in device_ids(layout)}),
            overrides={row.room_id: row for row in OverrideRepository(session).open()},
            left_at=_left_at(session, now),
            commands={
                layout.unit.id: repository.of_device(layout.unit.id, since[layout.unit.id]) for layout in layouts
            },
            curves={layout.id: learned.comfort(layout.id) for layout in layouts},
            new_overrides=OverrideRepository(session).after(self._override_id or 0),
            new_person_commands=repository.by_people_after(self._person_command_id or 0),
        )

    # --- people ---

    def _heed_people(self, look: _Look) -> None:
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
            chosen_c = self._heed(self._learn_choice, override, look)
            if chosen_c is not None:
                self._rooms[override.room_id].held_setpoint_c = chosen_c
            self._override_id = override.id
        for command in look.new_person_commands:
            self._heed(self._take_command, command, look)
            self._person_command_id = command.id

    def _heed(self, what: Callable[[Session, Any, _Look], float | None], row: object, look: _Look) -> float | None:
        """Do one thing in a transaction of its own; what fails for another reason than the database fails for good."""
        try:
            with Session(self.database, expire_on_commit=False) as session, session.begin():
                return what(session, row, look)
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("person_not_heeded")
            return None

    def _take_command(self, session: Session, row: CommandRow, look: _Look) -> None:
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

    def _learn_choice(self, session: Session, row: OverrideRow, look: _Look) -> float | None:
        """What somebody chose by hand moves the comfort curve; the setpoint, where one was chosen. [°C]"""
        mind, target = self._rooms.get(row.room_id), Command.from_dict(row.target)
        if mind is None or target.on is False or target.setpoint_c is None:
            return None
        home = self._homes[mind.layout.home.id]
        state = assemble(mind.layout, look.live, self.clock, look.now, home.presence.standby_w)
        mode = target.mode or state.mode
        if mode not in (Mode.COOL, Mode.HEAT):
            return None
        season = Season.COOLING if mode == Mode.COOL else Season.HEATING
        local = row.started_at.astimezone(mind.layout.home.zone)
        person = comfort.person_state(1.0, local.time(), limits_of(mind.layout).quiet)
        repository = LearnedRepository(session)
        curve = _faded(repository, mind.layout.id, look.now)
        point = comfort.after_override(
            curve.at(season, person),
            target.setpoint_c,
            room_c=state.room_temperature_c if state.plausible else None,
            before_c=mind.held_setpoint_c,
            heating=mode == Mode.HEAT,
        )
        repository.put_comfort(mind.layout.id, curve.with_point(season, person, point), look.now)
        return target.setpoint_c

    # --- one room ---

    def _try_to_attend(self, mind: RoomMind, look: _Look) -> None:
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

    def _attend(self, mind: RoomMind, look: _Look) -> None:
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
        evidence = _evidence(layout, state, override, look.now)
        view = self._view(mind, home, look, state, evidence)
        _note_quiet(mind, evidence, override, look.now)
        if self._learn_quarter(mind, home, evidence, state):
            self._learn_quiet(mind, view)
        period = timedelta(seconds=self.settings.prediction_period_s)
        if mind.predicted_at is None or look.now >= _grid(mind.predicted_at, period):
            self._predict(mind, view)
        trigger = _trigger(mind, look.now, view.occupied >= LIKELY, override)
        if trigger == "first" and state.room_temperature_c is None and self._may_still_come(mind):
            trigger = None
        if trigger is not None:
            kept = (mind.unit.control, mind.likely, mind.override_id, mind.held_setpoint_c, mind.decide_at)
            try:
                self._decide(mind, view, look, override, trigger)
            except Exception:  # nothing was kept of it: what it answers is still to be answered at the next look
                mind.unit.control, mind.likely, mind.override_id, mind.held_setpoint_c, mind.decide_at = kept
                raise
        if home.saved_at is None or look.now - home.saved_at >= SAVE_EVERY:
            self._save(home, look.now)

    def _may_still_come(self, mind: RoomMind) -> bool:
        """Whether the thermometers of a room get some more time before the first decision does without them."""
        if mind.first_seen is None:
            mind.first_seen = time.monotonic()
        return time.monotonic() - mind.first_seen < FIRST_PATIENCE_WALL_S

    def _see_hand(self, mind: RoomMind, look: _Look) -> OverrideRow | None:
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

    def _view(self, mind: RoomMind, home: HomeMind, look: _Look, state: RoomState, evidence: Evidence) -> RoomView:
        layout, place = mind.layout, home.place
        values = {name: pair[0] for name, pair in look.live[layout.unit.id].values.items()}
        believed = overrides.with_commands(values, look.commands[layout.unit.id])
        mode, fan = believed.get("mode"), believed.get("fan")
        local = look.now.astimezone(place.zone)
        weather = home.weather.ahead(look.now, place.latitude, place.longitude)
        occupied = home.presence.now(layout.id, look.now, evidence, look.left_at.get(layout.id))
        asleep = comfort.person_state(1.0, local.time(), limits_of(layout).quiet)
        curve = look.curves[layout.id]
        running = None
        if believed.get("on") and mode in (Mode.COOL, Mode.DRY, Mode.HEAT):
            running = Season.HEATING if mode == Mode.HEAT else Season.COOLING
        next_day_c = weather.outdoor_between_c(0.0, 86_400.0)
        by_weather = running or comfort.season_by_weather(next_day_c)
        room_c = state.room_temperature_c if state.plausible else None
        season = comfort.season_of(room_c, next_day_c, curve.at(by_weather, asleep), by_weather)
        return RoomView(
            room_id=layout.id,
            state=state,
            local=local,
            presence=home.presence,
            occupied=occupied,
            seen=evidence.weights()[0] > 0.0,
            weather=weather,
            band=curve.at(season, asleep),
            season=season,
            price=home.price,
            switched_at=_switched_at(mind, state, look.commands[layout.unit.id]),
            on=bool(believed.get("on")),
            mode=None if mode is None else Mode(mode),
            setpoint_c=believed.get("setpoint_c"),
            fan=None if fan is None else Fan(fan),
        )

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

    def _decide(self, mind: RoomMind, view: RoomView, look: _Look, override: OverrideRow | None, trigger: str) -> None:
        before = mind.unit.control
        mind.unit.control = mind.layout.control
        mind.likely = view.occupied >= LIKELY
        mind.override_id = None if override is None else override.id
        if override is None:
            mind.held_setpoint_c = view.setpoint_c if view.on else None
        mind.decide_at = _grid(look.now, timedelta(seconds=self.settings.control_period_s))
        if mind.layout.control == "off" and override is None and before != "auto":
            return  # not ours: it was left alone before, and is now
        if mind.layout.control == "off" and override is None and trigger != "control":
            return  # returned to the household's program once; since then left alone
        program = None if mind.program is None else mind.program.at(look.now, mind.layout.home.zone)
        wish, source, returning = self._wish(mind, view, override, program)
        limits = limits_of(mind.layout)
        action, rules = check(
            wish,
            limits,
            _guard_state(mind, view, source, override, program, returning=returning),
            _history(mind, view, look),
            look.now,
        )
        reason = _reason(mind, view, wish, source, action, rules, override, program)
        self._record(mind, view, wish, source, action, rules, reason, trigger)

    def _wish(
        self, mind: RoomMind, view: RoomView, override: OverrideRow | None, program: Wish | None
    ) -> tuple[Wish, WishSource, bool]:
        """What is wanted, by whom, and whether somebody is expected soon enough to start for."""
        present = Wish(view.on, view.mode, view.setpoint_c, view.fan or Fan.AUTO)
        if override is not None:
            return _wish_of(Command.from_dict(override.target), present), WishSource.OVERRIDE, False
        if mind.layout.control == "off":
            return program or present, WishSource.RELEASE, False
        room_c = view.state.room_temperature_c
        if room_c is None or not view.state.plausible:
            return program or present, WishSource.CONVENTIONAL, False
        now = view.state.at
        back = view.presence.next_return(view.room_id, now)
        lead = lead_s(view, mind.pull_down_k_per_h) + self.settings.control_period_s
        soon = back is not None and back - now <= timedelta(seconds=lead)
        may_start = back is not None and back - now <= timedelta(seconds=max(lead, EARLIEST_START_S))
        wish, source = self._wishes.choose(
            situation(view, room_c, mind.forecast.outlook), view.season, returning_now=soon
        )
        return wish, source, may_start

    def _record(
        self,
        mind: RoomMind,
        view: RoomView,
        wish: Wish,
        source: WishSource,
        action: Action,
        rules: list[str],
        reason: dict[str, Any],
        trigger: str,
    ) -> None:
        """Queue the command and keep the decision, in one transaction."""
        now, layout, command = view.state.at, mind.layout, action.command()
        life = max(timedelta(seconds=self.settings.control_period_s), timedelta(seconds=30.0 * self.clock.factor))
        with Session(self.database) as session, session.begin():
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
            DecisionRepository(session).add(
                DecisionRow(
                    room_id=layout.id,
                    device_id=layout.unit.id,
                    decided_at=now,
                    controller="off" if source == WishSource.RELEASE else str(source),
                    saw=_saw(view, trigger),
                    outlook=_outlook(mind, view),
                    proposed=_wish_json(wish),
                    action={**_wish_json(action.target), "write": action.write},
                    guard=rules,
                    reason=reason,
                    command_id=command_id,
                )
            )
            save_room(session, mind, now)
        if command is not None:
            mind.written = True
            if source != WishSource.OVERRIDE:
                mind.held_setpoint_c = command.setpoint_c
            self._sender.wake()
        log.info(
            "decided",
            room_id=layout.id,
            trigger=trigger,
            controller=str(source),
            command=None if command is None else command.as_dict(),
            guard=rules,
            reason=reason["code"],
        )

    # --- learning and keeping ---

    def _learn_history(self, mind: RoomMind, home: HomeMind, look: _Look) -> None:
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
                LearnedRepository(session).put_comfort(layout.id, habits.curve, look.now)
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
        if comfort.after_quiet(view.band, room_c, QUARTER_S / 3600.0) == view.band:
            return
        with Session(self.database) as session, session.begin():
            repository = LearnedRepository(session)
            curve = _faded(repository, layout.id, now)
            point = comfort.after_quiet(curve.at(view.season, person), room_c, QUARTER_S / 3600.0)
            repository.put_comfort(layout.id, curve.with_point(view.season, person, point), now)

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


def _left_at(session: Session, now: datetime) -> dict[int, datetime]:
    """When somebody last switched a room's unit off by hand, unless they switched it on again since."""
    query = select(OverrideRow).where(OverrideRow.started_at > now - timedelta(days=1)).order_by(OverrideRow.id)
    left_at: dict[int, datetime] = {}
    for row in session.scalars(query):
        if row.target.get("on") is False:
            left_at[row.room_id] = row.started_at
        else:
            left_at.pop(row.room_id, None)
    return left_at


def _faded(repository: LearnedRepository, room_id: int, now: datetime) -> ComfortCurve:
    """The comfort curve of a room, less sure of itself by the time since it was last written."""
    updated_at = repository.updated_at(ROOM, room_id, COMFORT)
    days = 0.0 if updated_at is None else max(0.0, (now - updated_at) / timedelta(days=1))
    return comfort.after_days(repository.comfort(room_id), days)


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


def _evidence(layout: RoomLayout, state: RoomState, override: OverrideRow | None, now: datetime) -> Evidence:
    manual = override is not None and override.target.get("on") is not False and now - override.started_at < JUST_NOW
    return Evidence(
        sensor=state.occupied,
        in_use=bool(state.active_signs) if layout.signs else None,
        unit_by_hand=state.on if layout.control == "off" else None,
        manual=manual,
    )


def _trigger(mind: RoomMind, now: datetime, likely: bool, override: OverrideRow | None) -> str | None:
    """Why to decide now, if at all."""
    if mind.decide_at is None:
        return "control" if mind.unit.control not in (None, mind.layout.control) else "first"
    if mind.unit.control != mind.layout.control:
        return "control"
    if mind.override_id != (None if override is None else override.id):
        return "override"
    if mind.likely != likely:
        return "presence"
    return "period" if now >= mind.decide_at else None


def _grid(after: datetime, period: timedelta) -> datetime:
    """The first multiple of a period after an instant: what fell behind is made up by one step."""
    period_s = period.total_seconds()
    return datetime.fromtimestamp((after.timestamp() // period_s + 1) * period_s, tz=UTC)


def _switched_at(mind: RoomMind, state: RoomState, commands: Sequence[CommandRow]) -> datetime | None:
    """When the unit last went on or off, or will by a command that is under way."""
    for row in reversed(commands):
        if row.ended_at is None and row.observed_at is None and row.body.get("on") not in (None, state.on):
            return row.queued_at
    return mind.unit.switched_at


def _guard_state(
    mind: RoomMind,
    view: RoomView,
    source: WishSource,
    override: OverrideRow | None,
    program: Wish | None,
    *,
    returning: bool,
) -> GuardState:
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
        returning=returning,
        season=view.season,
        comfort_low_c=view.band.low_c,
        comfort_high_c=view.band.high_c,
        override=override is not None,
        control=mind.layout.control,
        fallback=program,
    )


def _history(mind: RoomMind, view: RoomView, look: _Look) -> History:
    rows = look.commands[mind.layout.unit.id]
    writes = tuple(row.queued_at for row in rows if row.requested_by == BY_ENGINE and not _never_sent(row))
    return History(view.switched_at, writes, known=mind.written)


def _never_sent(row: CommandRow) -> bool:
    return row.ended_at is not None and row.attempts == 0


def _wish_of(target: Command, present: Wish) -> Wish:
    """A person's target, the rest as it is; asking for a mode or a setpoint means on."""
    asks = target.mode is not None or target.setpoint_c is not None
    on = target.on if target.on is not None else (asks or present.on)
    if not on:
        return Wish(False, None, None, present.fan)
    setpoint_c = present.setpoint_c if target.setpoint_c is None else target.setpoint_c
    return Wish(True, target.mode or present.mode, setpoint_c, target.fan or present.fan)


def _reason(
    mind: RoomMind,
    view: RoomView,
    wish: Wish,
    source: WishSource,
    action: Action,
    rules: Sequence[str],
    override: OverrideRow | None,
    program: Wish | None,
) -> dict[str, Any]:
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
        room_temperature_c=view.state.room_temperature_c,
        low_c=view.band.low_c,
        high_c=view.band.high_c,
        season=view.season,
        occupied=view.occupied,
        seen=view.seen,
        next_return=view.presence.next_return(view.room_id, view.state.at),
        lead_s=lead_s(view, mind.pull_down_k_per_h),
        outlook=mind.forecast.outlook,
        had_fallback=program is not None,
        now=view.state.at,
        earliest_s=EARLIEST_START_S,
    )
    return reasons.reason(wish, action, rules, grounds)


def _saw(view: RoomView, trigger: str) -> dict[str, Any]:
    return {
        **view.state.as_json(),
        "trigger": trigger,
        "occupied": round(view.occupied, 3),
        "season": str(view.season),
        "comfort_low_c": view.band.low_c,
        "comfort_high_c": view.band.high_c,
        "outdoor_c": view.outdoor_c,
        "price": view.price(view.state.at),
    }


def _outlook(mind: RoomMind, view: RoomView) -> dict[str, Any]:
    back = view.presence.next_return(view.room_id, view.state.at)
    forecast = mind.forecast
    expected = {} if forecast.outlook is None else asdict(forecast.outlook)
    error = forecast.physics_error if forecast.by == "rc" else forecast.error
    return {
        **{name: list(values) for name, values in expected.items()},
        "by": forecast.by,
        "mae_k": {str(horizon): round(mae, 3) for horizon, mae in error.mae_k.items()},
        "weather": {"source": view.weather.source, "age_s": view.weather.age_s},
        "next_return": None if back is None else back.isoformat(),
    }


def _wish_json(wish: Wish) -> dict[str, Any]:
    mode = None if wish.mode is None else str(wish.mode)
    return {"on": wish.on, "mode": mode, "setpoint_c": wish.setpoint_c, "fan": str(wish.fan)}
