"""Bulk writes and pruning, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.units import to_epoch_us
from storage.bulk import Row
from storage.repositories.events import KEPT, add_events, prune_events
from storage.repositories.quarantine import count, counts, quarantine
from storage.repositories.reports import COLUMNS, insert_reports, prune_reports, readings_since, reports_between
from storage.tables import EventRow, QuarantineRow, ReportRow
from tests.intake.conftest import NOON

NOW_US = to_epoch_us(NOON)
DAY_US = timedelta(days=1) // timedelta(microseconds=1)


def row(measured_us: int, device_id: int = 1, received_us: int | None = None, power_w: float | None = 1.5) -> Row:
    quantities = {"power_w": power_w, "on": True, "mode": "cool"}
    received = measured_us if received_us is None else received_us
    return (measured_us, device_id, received, True, None, False, *(quantities.get(name) for name in COLUMNS[6:]))


def test_a_row_comes_back_as_it_went_in_and_a_second_one_changes_nothing(database: Engine) -> None:
    with database.begin() as connection:
        insert_reports(connection, [row(NOW_US), row(NOW_US + 1, 2)])
        insert_reports(connection, [row(NOW_US, power_w=9.0)])
    with database.begin() as connection:
        assert reports_between(connection, 1, NOW_US - 5, NOW_US + 5) == {NOW_US: row(NOW_US)}


def test_readings_are_read_page_by_page_in_order(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(NOW_US + n, 1 + n % 2, power_w=None if n % 5 == 0 else float(n)) for n in range(60)]
    with database.begin() as connection:
        insert_reports(connection, rows)
    monkeypatch.setattr("storage.repositories.reports.PAGE_ROWS", 7)
    with database.begin() as connection:
        found = [(at_us, power_w) for at_us, power_w, _, _ in readings_since(connection, 1, NOW_US + 10)]
    assert found == [(NOW_US + n, float(n)) for n in range(10, 60, 2) if n % 5]


def test_old_reports_go_in_small_steps_and_an_old_record_taken_in_lately_stays(database: Engine) -> None:
    old = [row(NOW_US - 500 * DAY_US + n) for n in range(5)]
    replayed = [row(NOW_US - 900 * DAY_US + n, received_us=NOW_US) for n in range(3)]
    with database.begin() as connection:
        insert_reports(connection, [*replayed, *old, row(NOW_US)])
        before_us = NOW_US - 400 * DAY_US
        assert [prune_reports(connection, before_us, 4) for _ in range(3)] == [4, 1, 0]
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(ReportRow)) == 4


def test_events_are_kept_up_to_a_number(database: Engine) -> None:
    with database.begin() as connection:
        add_events(connection, [(1, NOW_US, "device", {"n": n}) for n in range(KEPT + 30)])
        assert prune_events(connection) == 30
        add_events(connection, [(1, NOW_US, "home", {"text": "温度 \x00"})])
    with Session(database) as session:
        assert session.scalars(select(EventRow.data).order_by(EventRow.id.desc())).first() == {"text": "温度 "}


def test_what_is_quarantined_can_be_shown(database: Engine) -> None:
    with database.begin() as connection:
        quarantine(connection, [(NOW_US, "a/\x00/\ud800", b"\xff\x00\n" * 1000, "why\x1b[31m" * 200)])
        count(connection, {"messages_quarantined": 1})
        count(connection, {"messages_quarantined": 2, "other": 0})
        assert counts(connection, ["messages_quarantined", "other"]) == {"messages_quarantined": 3, "other": 0}
    with Session(database) as session:
        kept = session.scalars(select(QuarantineRow)).one()
        assert kept.topic == "a/\\x00/\\ud800"
        assert kept.payload.startswith("\\xff\\x00\\n")
        assert kept.payload.isprintable()
        assert kept.reason.startswith("why\\x1b[31m")
        assert len(kept.payload) <= 2048
        assert len(kept.reason) <= 512
