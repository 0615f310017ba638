"""What a batch leaves in the database: rows, ledger, states, devices, quarantine."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy.exc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from core.errors import ConfigurationError
from core.units import to_epoch_us
from core.words import Capabilities, Kind, Mode
from devices.base import Announcement, Message, Reply, Report
from intake import known as known_devices
from intake.alone import lock_session
from intake.words import Received
from storage.database import open_database
from storage.tables import (
    ApplianceRow,
    CounterRow,
    DeviceRow,
    DeviceStateRow,
    EventRow,
    HomeRow,
    LedgerCheckpointRow,
    QuarantineRow,
    ReportRow,
    RoomRow,
    UsageDayRow,
    UsageHourRow,
    UsageQuarterRow,
)
from tests.intake.conftest import HOME, NOON, Told, check_sums, intake_of, make_home, native, received, usage

MINUTE = timedelta(minutes=1)
NEVER = threading.Event()


def rows(database: Engine) -> list[tuple[int, float | None, float | None]]:
    with Session(database) as session:
        found = session.execute(
            select(ReportRow.measured_at, ReportRow.power_w, ReportRow.energy_total_kwh).order_by(ReportRow.measured_at)
        )
        return [(to_epoch_us(row[0]), row[1], row[2]) for row in found]


def state(database: Engine, native_id: str) -> DeviceStateRow:
    with Session(database) as session:
        return session.scalars(
            select(DeviceStateRow)
            .join(DeviceRow, DeviceRow.id == DeviceStateRow.device_id)
            .where(DeviceRow.native_id == native_id)
        ).one()


def counted(database: Engine) -> dict[str, int]:
    with Session(database) as session:
        return {row.name: row.value for row in session.scalars(select(CounterRow))}


# --- reports and their ledger ---


def test_a_report_becomes_a_row_a_state_an_event_and_a_device(home: Engine) -> None:
    take = intake_of(home)
    take.take_in(received([native("plug", NOON - MINUTE, power_w=60.0, on=True), native("plug", NOON, power_w=0.5)]))
    with Session(home) as session:
        device = session.scalars(select(DeviceRow)).one()
        assert (device.dialect, device.native_id, device.kind) == ("native", "plug", Kind.PLUG)
        report = session.scalars(select(ReportRow).order_by(ReportRow.measured_at)).first()
        assert report is not None
        assert (report.measured_at, report.own_time, report.power_w, report.on) == (NOON - MINUTE, True, 60.0, True)
        event = session.scalars(select(EventRow)).one()
        assert event.type == "device"
        assert event.data["values"] == {"power_w": 0.5, "on": True}
    now = state(home, "plug")
    assert now.values == {
        "on": [True, to_epoch_us(NOON - MINUTE)],
        "power_w": [0.5, to_epoch_us(NOON)],
    }
    assert (now.last_report_at, now.report_count) == (NOON, 2)
    [(kwh, covered_s)] = usage(home).values()
    assert [kwh, covered_s] == pytest.approx([0.001, 60.0])


def test_a_day_of_use_is_booked_to_the_day_of_the_homes_zone(home: Engine) -> None:
    """15:55 to 16:05 UTC is midnight in Shanghai: half of the energy belongs to the next day."""
    start = NOON.replace(hour=15, minute=55)
    messages = [native("m", start + n * MINUTE, power_w=600.0) for n in range(11)]
    intake_of(home, now=NOON + timedelta(hours=5)).take_in(received(messages, NOON + timedelta(hours=5)))
    days = {key[1]: kwh for key, (kwh, _) in usage(home, UsageDayRow).items()}
    assert days == {"2026-07-01": pytest.approx(0.05), "2026-07-02": pytest.approx(0.05)}


def test_redelivered_reports_with_their_own_time_change_nothing(home: Engine) -> None:
    messages = [native("m", NOON + n * MINUTE, power_w=100.0 + n, energy_total_kwh=1 + n / 100) for n in range(30)]
    intake = intake_of(home)
    intake.take_in(received(messages))
    before = (rows(home), usage(home))
    again = intake.take_in(received(messages[10:20]))
    assert (again.reports, again.repeats) == (0, 10)
    assert intake_of(home).take_in(received(messages)).reports == 0
    assert (rows(home), usage(home)) == before


@pytest.mark.parametrize("restarted", [False, True])
def test_a_report_that_was_dropped_for_its_age_is_not_counted_again(home: Engine, restarted: bool) -> None:
    long_ago = NOON - timedelta(days=500)
    old = [native("m", long_ago + n * MINUTE, power_w=600.0) for n in range(10)]
    intake = intake_of(home)
    intake.take_in(received(old, long_ago + timedelta(hours=1)))
    intake.take_in(received([native("m", NOON - MINUTE, power_w=6.0)]))
    before = (usage(home), usage(home, UsageDayRow))

    def decoded(messages: list[Message]) -> list[Received]:
        return [intake._decode(to_epoch_us(NOON), message) for message in messages]

    with intake._alone():
        intake._store([], NEVER)
        intake._quietly(intake._prune)
        assert rows(home) == [(to_epoch_us(NOON - MINUTE), 6.0, None)]
        if restarted:
            intake._hang_up()
        repeats = intake.tally.repeats
        assert intake._store(decoded(old), NEVER)
        assert intake.tally.repeats - repeats == 10
        assert (usage(home), usage(home, UsageDayRow)) == before
        assert state(home, "m").report_count == 11
        assert intake._store(decoded([native("m", long_ago + 10 * MINUTE, power_w=600.0)]), NEVER)
        assert len(rows(home)) == 2, "what is newer than all that was dropped"
    check_sums(home)


def test_a_past_of_years_ago_is_welcome_from_a_device_of_which_nothing_was_dropped(home: Engine) -> None:
    long_ago = NOON - timedelta(days=500)
    intake = intake_of(home)
    intake.take_in(received([native("m", long_ago + MINUTE, power_w=1.0)], long_ago + MINUTE))
    intake.take_in(received([native("other", NOON - MINUTE, power_w=1.0)]))
    with intake._alone():
        intake._store([], NEVER)
        intake._quietly(intake._prune)
        assert len(rows(home)) == 1
    for device in ("other", "new"):
        past = [native(device, long_ago + n * MINUTE, power_w=60.0) for n in range(-5, 0)]
        assert intake.take_in(received(past)).reports == 5
    with intake._alone():
        intake._store([], NEVER)
        intake._quietly(intake._prune)
    assert len(rows(home)) == 11, "what was received lately is not dropped, so that a replay can be checked"
    check_sums(home)


def test_reports_of_one_instant_become_one_row_whatever_their_order(home: Engine) -> None:
    at = NOON - MINUTE
    intake = intake_of(home)
    for device, order in (("a", (0, 1)), ("b", (1, 0))):
        two = [native(device, at, power_w=50.0), native(device, at, power_w=40.0, room_temperature_c=20.0)]
        intake.take_in(received([native(device, NOON, power_w=0.0)]))
        for place in order:
            intake.take_in(received([two[place]]))
    with Session(home) as session:
        found = session.execute(
            select(ReportRow.power_w, ReportRow.room_temperature_c).where(ReportRow.measured_at == at)
        ).all()
    assert found == [(40.0, 20.0), (40.0, 20.0)]
    assert [kwh for kwh, _ in usage(home).values()] == pytest.approx([40 * 60 / 3.6e6] * 2)


def test_late_reports_on_both_sides_of_midnight_are_booked_as_if_they_had_come_in_time(home: Engine) -> None:
    """The first late one changes where the day after it begins; the second is folded in from there."""
    midnight = NOON.replace(hour=0)
    minutes = {"in time": (-30, -20, -10, 10, 20, 30), "late": (-1,), "later": (1,)}

    def told_of(device: str, part: str) -> list[Message]:
        return [native(device, midnight + at * MINUTE, power_w=600.0 + 10 * at) for at in minutes[part]]

    for part in minutes:
        intake_of(home).take_in(received(told_of("a", part)))
    in_order = sorted((message for part in minutes for message in told_of("b", part)), key=lambda m: m.payload)
    intake_of(home).take_in(received(in_order))
    check_sums(home)
    cells = usage(home, UsageQuarterRow)
    assert len(cells) == 8
    for (start, device, source), cell in cells.items():
        if device == 1:
            assert cell == pytest.approx(cells[start, 2, source], rel=1e-9)


@st.composite
def streams(draw: st.DrawFn) -> list[Message]:
    """Reports of two devices over up to three days, with what counters do."""
    messages = []
    for device in ("a", "b"):
        at, value = NOON - timedelta(days=3), 3.0
        for step_s, power_w, move in draw(
            st.lists(
                st.tuples(
                    st.sampled_from([1, 7, 60, 60, 300, 3600, 70_000]),
                    st.one_of(st.none(), st.floats(0, 3000)),
                    st.one_of(st.none(), st.floats(0, 0.05), st.sampled_from([-2.99, 80.0])),
                ),
                min_size=2,
                max_size=25,
            )
        ):
            at += timedelta(seconds=step_s)
            quantities: dict[str, Any] = {} if power_w is None else {"power_w": power_w}
            if move is not None:
                value = max(0.0, value + move)
                quantities["energy_total_kwh"] = value
            if quantities:
                messages.append(native(device, at, **quantities))
    return messages


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(messages=streams(), chance=st.randoms(use_true_random=False))
def test_any_order_batching_and_restart_gives_the_same_ledger(
    sqlite_home: Engine, messages: list[Message], chance: random.Random
) -> None:
    def clear() -> None:
        with sqlite_home.begin() as connection:
            for table in (ReportRow, DeviceStateRow, LedgerCheckpointRow, UsageQuarterRow, UsageHourRow, UsageDayRow):
                connection.execute(delete(table))
            connection.execute(delete(DeviceRow))

    def booked() -> dict[tuple[object, ...], tuple[float, float]]:
        check_sums(sqlite_home)
        with Session(sqlite_home) as session:
            names = {row.id: row.native_id for row in session.scalars(select(DeviceRow))}
        return {
            (
                table.__tablename__,
                names[key[device]],
                *(part for place, part in enumerate(key) if place != device),
            ): cell
            for table, device in ((UsageQuarterRow, 1), (UsageHourRow, 0), (UsageDayRow, 0))
            for key, cell in usage(sqlite_home, table).items()
        }

    clear()
    intake_of(sqlite_home).take_in(received(messages))
    expected = booked()
    arrivals = messages + chance.choices(messages, k=len(messages) // 2 + 1) if messages else []
    chance.shuffle(arrivals)
    clear()
    intake = intake_of(sqlite_home)
    while arrivals:
        size = chance.randint(1, 12)
        intake.take_in(received(arrivals[:size]))
        arrivals = arrivals[size:]
        if chance.random() < 0.3:
            intake = intake_of(sqlite_home)  # what a kill between two commits leaves
    found = booked()
    assert found.keys() == expected.keys()
    for key, cell in found.items():
        assert cell == pytest.approx(expected[key], rel=1e-9, abs=1e-9)


# --- messages without a time of their own ---


def plug(total_kwh: float, power_w: float = 100.0) -> Report:
    return Report(native_id="plug", power_w=power_w, energy_total_kwh=total_kwh)


def told(*reports: Report) -> tuple[Told, list[Message]]:
    """A dialect that reads message n as the nth report."""
    dialect = Told({f"t/{n}": [report] for n, report in enumerate(reports)})
    return dialect, [Message(f"t/{n}", b"payload", 1) for n in range(len(reports))]


def again(message: Message) -> Message:
    return Message(message.topic, message.payload, message.qos, duplicate=True)


def test_reports_without_their_own_time_stand_at_their_receipt_one_after_the_other(home: Engine) -> None:
    dialect, messages = told(plug(1.0), plug(1.1), plug(1.1))
    intake_of(home, dialect).take_in(received(messages))
    start_us = to_epoch_us(NOON)
    assert [row[0] for row in rows(home)] == [start_us, start_us + 1, start_us + 2]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_redelivered_message_without_its_own_time_is_passed_over(home: Engine, restarted: bool) -> None:
    dialect, messages = told(plug(1.0), plug(1.01), plug(1.02))
    intake = intake_of(home, dialect, NOON + 5 * MINUTE)
    intake.take_in(received(messages, NOON, MINUTE))
    before = (rows(home), usage(home), state(home, "plug").values)
    if restarted:
        intake = intake_of(home, dialect, NOON + 5 * MINUTE)
    tally = intake.take_in(received([again(message) for message in messages], NOON + 5 * MINUTE))
    assert (tally.stored, tally.reports, tally.repeats) == (3, 0, 3)
    assert (rows(home), usage(home), state(home, "plug").values) == before


def test_stale_values_that_come_again_without_a_flag_are_not_taken_for_a_reset(home: Engine) -> None:
    """1.00, 1.02, 1.04, then 1.00 and 1.02 once more from a broker that sets no DUP, then 1.06: 0.06 kWh, not 0.12."""
    dialect, messages = told(plug(1.0), plug(1.02), plug(1.04), plug(1.06))
    order = [messages[n] for n in (0, 1, 2, 0, 1, 3)]
    intake_of(home, dialect).take_in(received(order, NOON, MINUTE))
    counter = {key: cell for key, cell in usage(home).items() if key[2] == "counter"}
    assert sum(kwh for kwh, _ in counter.values()) == pytest.approx(0.06)


def test_a_flagged_message_that_nobody_has_seen_is_stored(home: Engine) -> None:
    dialect, messages = told(plug(1.0), plug(1.01))
    intake_of(home, dialect).take_in(received([messages[0], again(messages[1])], NOON, MINUTE))
    assert [row[2] for row in rows(home)] == [1.0, 1.01]


def test_a_retained_state_fills_in_what_is_unknown_and_gives_no_energy(home: Engine) -> None:
    unit = Report(native_id="ac", power_w=900.0, setpoint_c=24.0, mode=Mode.COOL, online=True)
    dialect = Told({"state": [unit], "live": [Report(native_id="ac", setpoint_c=26.0)]})
    intake = intake_of(home, dialect)
    intake.take_in([(NOON, Message("state", b"", 1, retained=True))])
    assert rows(home) == []
    assert state(home, "ac").values == {"power_w": [900.0, 0], "setpoint_c": [24.0, 0], "mode": ["cool", 0]}
    assert state(home, "ac").online is True
    intake.take_in([(NOON + MINUTE, Message("live", b"", 1))])
    intake.take_in([(NOON + 2 * MINUTE, Message("state", b"", 1, retained=True))])
    assert state(home, "ac").values["setpoint_c"] == [24.0, to_epoch_us(NOON + MINUTE)]
    assert usage(home) == {}


# --- devices ---


def test_an_announcement_describes_the_device_and_its_room(home: Engine) -> None:
    unit = Announcement(
        native_id="ac",
        kind=Kind.AIR_CONDITIONER,
        name="Wall unit",
        area="Bedroom",
        capabilities=Capabilities(modes=(Mode.COOL,)),
        details={"topic": "x"},
    )
    dialect = Told({"tell": [unit], "say": [Report(native_id="ac", power_w=5.0)]})
    intake = intake_of(home, dialect)
    intake.take_in(received([Message("say", b""), Message("tell", b""), Message("tell", b"")]))
    with Session(home) as session:
        device = session.scalars(select(DeviceRow)).one()
        assert (device.kind, device.name, device.details) == ("air_conditioner", "Wall unit", {"topic": "x"})
        assert device.capabilities is not None
        assert device.capabilities["modes"] == ["cool"]
        assert session.scalars(select(RoomRow.name)).all() == ["Bedroom"]
        assert device.room_id == session.scalars(select(RoomRow.id)).one()
    intake_of(home, dialect).take_in([])


def test_an_announcement_leaves_the_name_and_room_that_people_gave_a_moment_ago(home: Engine) -> None:
    told = [Announcement("d", Kind.PLUG, name="Its own", area="Attic", firmware=version) for version in "12"]
    intake = intake_of(home, Told({"first": [told[0]], "second": [told[1]]}))
    with intake._alone():
        intake._store([intake._decode(to_epoch_us(NOON), Message("first", b""))], NEVER)
        with Session(home) as session, session.begin():
            kitchen = RoomRow(home_id=session.scalars(select(HomeRow.id)).one(), name="Kitchen")
            session.add(kitchen)
            session.flush()
            kitchen_id = kitchen.id
            session.execute(update(DeviceRow).values(name="Kettle plug", room_id=kitchen.id))
        intake._store([intake._decode(to_epoch_us(NOON), Message("second", b""))], NEVER)
    with Session(home) as session:
        device = session.scalars(select(DeviceRow)).one()
        assert (device.name, device.room_id, device.firmware) == ("Kettle plug", kitchen_id, "2")


def test_dialects_are_told_again_of_their_devices_after_a_restart(home: Engine) -> None:
    unit = Announcement(
        native_id="ac", kind=Kind.AIR_CONDITIONER, capabilities=Capabilities(one_way=True), details={"k": [1]}
    )
    dialect = Told({"tell": [unit], "say": [Report(native_id="ac", setpoint_c=25.0, mode=Mode.DRY, on=True)]})
    intake_of(home, dialect).take_in(received([Message("tell", b""), Message("say", b"")]))
    later = Told(dialect.meanings)
    intake_of(home, later).take_in(received([Message("say", b"")]))
    [(name, device)] = later.recalled
    assert (name, device.native_id, device.home, device.details) == ("told", "ac", HOME, {"k": [1]})
    assert (device.on, device.mode, device.setpoint_c) == (True, Mode.DRY, 25.0)
    assert device.capabilities == Capabilities(one_way=True)


def test_a_removed_device_comes_back_by_a_fresh_announcement_only(home: Engine) -> None:
    there = Announcement(native_id="d", kind=Kind.PLUG)
    gone = Announcement(native_id="d", kind=Kind.PLUG, removed=True)
    strange = Announcement(native_id="nobody", kind=Kind.PLUG, removed=True)
    intake = intake_of(home, Told({"there": [there], "gone": [gone], "strange": [strange]}))
    intake.take_in(received([Message("there", b""), Message("gone", b"")]))

    intake.take_in(received([Message("strange", b"")]))

    def removed() -> bool:
        with Session(home) as session:
            return session.scalars(select(DeviceRow.removed_at)).one() is not None

    assert removed()
    intake.take_in(received([Message("there", b"", retained=True)]))
    assert removed()
    intake.take_in(received([Message("there", b"")]))
    assert not removed()


def test_a_device_that_was_made_by_others_is_found_with_its_appliance(home: Engine) -> None:
    """A counter at 30 kW is believed once the appliance is rated so, from the next refresh or restart on."""
    intake_of(home).take_in(received([native("big", NOON - timedelta(hours=2), energy_total_kwh=1.0, on=True)]))
    with Session(home) as session, session.begin():
        appliance = ApplianceRow(
            home_id=session.scalars(select(HomeRow.id)).one(), kind="plug", name="Kiln", rated_power_w=30_000.0
        )
        session.add(appliance)
        session.flush()
        session.execute(update(DeviceRow).values(appliance_id=appliance.id))
    intake_of(home).take_in(received([native("big", NOON - timedelta(hours=1), energy_total_kwh=31.0)]))
    assert sum(kwh for kwh, _ in usage(home).values()) == pytest.approx(30.0)


def test_a_deleted_device_is_made_anew_by_its_next_report(home: Engine) -> None:
    dialect = Told({"t": [Report(native_id="d", power_w=1.0)]})
    intake = intake_of(home, dialect)
    with intake._alone():
        intake._store([intake._decode(to_epoch_us(NOON), Message("t", b"1"))], NEVER)
        with Session(home) as session, session.begin():
            session.execute(delete(DeviceRow))
            session.execute(delete(DeviceStateRow))
        assert intake._store([intake._decode(to_epoch_us(NOON), Message("t", b"2"))], NEVER)
    assert intake.tally.stored == 2
    assert state(home, "d").values["power_w"][0] == 1.0


# --- what is refused ---


def test_messages_that_cannot_be_read_are_kept_for_people_and_counted(home: Engine) -> None:
    messages = [
        Message("lingyun/home/x/report", b"\x00\xff not json"),
        native("x", NOON, home="elsewhere", power_w=1.0),
        native("x", NOON + timedelta(days=3), power_w=1.0),
        Message("nobody/knows/this", b"1"),
        native("x", NOON, power_w=1.0),
    ]
    tally = intake_of(home).take_in(received(messages))
    assert (tally.stored, tally.ignored, tally.quarantined) == (1, 1, 3)
    with Session(home) as session:
        kept = session.scalars(select(QuarantineRow).order_by(QuarantineRow.id)).all()
        assert [row.topic for row in kept] == [message.topic for message in messages[:3]]
        assert kept[0].payload == "\\x00\\xff not json"
        assert "there is no home 'elsewhere'" in kept[1].reason
        assert "more than a day ahead" in kept[2].reason
    found = counted(home)
    assert [found[f"messages_{name}"] for name in ("stored", "ignored", "quarantined")] == [1, 1, 3]


def test_the_quarantine_keeps_the_newest_thousand(home: Engine) -> None:
    intake = intake_of(home)
    for start in (0, 700):
        messages = [Message("lingyun/home/x/report", b"bad %d" % n) for n in range(start, start + 700)]
        intake.take_in(received(messages))
    with Session(home) as session:
        assert session.scalar(select(func.count()).select_from(QuarantineRow)) == 1000
        assert session.scalars(select(QuarantineRow.payload).order_by(QuarantineRow.id)).first() == "bad 400"
    assert counted(home)["messages_quarantined"] == 1400


def test_a_home_has_no_more_than_its_share_of_devices(sqlite_home: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_devices, "MAX_DEVICES_PER_HOME", 3)
    tally = intake_of(sqlite_home).take_in(received([native(f"d{n}", NOON, power_w=1.0) for n in range(5)]))
    assert (tally.stored, tally.quarantined) == (3, 2)


def test_a_message_that_the_database_refuses_is_quarantined_alone(home: Engine) -> None:
    dialect = Told({"good": [Report(native_id="d", power_w=1.0)]})
    dialect.meanings["huge"] = [Report(native_id="d", power_w=10**400)]
    messages = [Message(topic, b"%d" % n) for n, topic in enumerate(("good", "huge", "good", "good"))]
    tally = intake_of(home, dialect).take_in(received(messages))
    assert (tally.stored, tally.quarantined) == (3, 1)
    assert len(rows(home)) == 3


def test_a_reply_of_a_device_that_nobody_knows_is_refused(home: Engine) -> None:
    dialect = Told({"r": [Reply(native_id="d", accepted=True)]})
    assert intake_of(home, dialect).take_in(received([Message("r", b"")])).quarantined == 1


def test_only_one_intake_stores_into_a_database(home: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.alone.PATIENCE_S", 0.2)
    first = intake_of(home)
    other_engine = open_database(home.url.render_as_string(hide_password=False))
    second = intake_of(other_engine)
    with first._alone():
        assert first._store([], NEVER)
        with pytest.raises(ConfigurationError, match="another intake is running"):
            second.take_in(received([native("x", NOON, power_w=1.0)]))
    second.take_in(received([native("x", NOON, power_w=1.0)]))
    other_engine.dispose()
    assert len(rows(home)) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_intake_that_lost_its_connection_waits_until_the_server_has_noticed(home: Engine) -> None:
    """A half-open connection: the former session still holds the lock, and is no rival to give up for."""
    intake = intake_of(home)
    with intake._alone(), home.connect() as former:
        assert intake._store([], NEVER)
        intake._hang_up()
        lock_session(former)

        class Noticed(threading.Event):
            waits = 0

            def wait(self, _: float | None = None) -> bool:
                self.waits += 1
                if self.waits == 3:
                    former.invalidate()
                return False

        noticed = Noticed()
        message = native("x", NOON, power_w=1.0)
        assert intake._store([intake._decode(to_epoch_us(NOON), message)], noticed)
        assert noticed.waits >= 3
    assert len(rows(home)) == 1


@pytest.mark.parametrize(
    "error",
    [
        sqlalchemy.exc.TimeoutError("QueuePool limit reached"),
        sqlalchemy.exc.DatabaseError("INSERT", (), Exception("disk image is malformed")),
        sqlalchemy.exc.InternalError("INSERT", (), Exception("current transaction is aborted")),
        sqlalchemy.exc.PendingRollbackError("roll back first"),
        OSError("No space left on device"),
        MemoryError(),
    ],
)
def test_a_message_is_not_given_up_for_an_error_that_says_nothing_of_it(
    sqlite_home: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    intake = intake_of(sqlite_home)
    write, failures = intake._write, [error] * 3

    def failing(batch: Any) -> Any:
        if failures:
            raise failures.pop()
        return write(batch)

    monkeypatch.setattr(intake, "_write", failing)
    monkeypatch.setattr("intake.service.FIRST_PAUSE_S", 0.0)
    with intake._alone():
        assert intake._store([intake._decode(to_epoch_us(NOON), native("x", NOON, power_w=1.0))], NEVER)
    assert (intake.tally.stored, intake.tally.quarantined) == (1, 0)


def test_two_homes_keep_their_devices_apart(home: Engine) -> None:
    make_home(home, "other", "Europe/Berlin")
    intake_of(home).take_in(received([native("d", NOON, power_w=1.0), native("d", NOON, home="other", power_w=2.0)]))
    with Session(home) as session:
        assert session.scalar(select(func.count()).select_from(DeviceRow)) == 2
