"""The one place that checks what devices say."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PayloadError
from core.words import Capabilities, Kind
from devices.base import Announcement, Reply, Report
from devices.limits import LIMITS, QUANTITIES, check_events, says_something, unphysical
from storage.tables import ReportRow


def says(name: str, value: float) -> Report:
    """A report of one number, of a device that is on."""
    quantities: dict[str, Any] = {name: value}
    return Report(native_id="d", on=True, **quantities)


@pytest.mark.parametrize(("name", "limits"), LIMITS.items())
def test_each_quantity_is_kept_within_its_limits_and_left_out_beyond(name: str, limits: tuple[float, float]) -> None:
    low, high = limits
    for value in (low, high):
        (kept,) = check_events([says(name, value)])
        assert getattr(kept, name) == value
    for value in (low - 1e-3 * max(1.0, abs(low)), high * 1.001 + 1e-3, float("nan"), float("inf"), -float("inf")):
        notes: list[str] = []
        (kept,) = check_events([says(name, value)], notes)
        assert kept == Report(native_id="d", on=True)
        assert len(notes) == 1
        assert notes[0].startswith(name)


def test_a_message_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(PayloadError, match="power_w: expected -50000 to 100000"):
        check_events([Report(native_id="d", power_w=1e9)])
    assert check_events([Report(native_id="d", power_w=1e9), Report(native_id="e", power_w=1.0)]) == [
        Report(native_id="e", power_w=1.0)
    ]


def test_a_report_that_says_nothing_is_passed_over() -> None:
    assert check_events([Report(native_id="d", by_hand=True)]) == []


@pytest.mark.parametrize("native_id", ["", "x" * 201, "a\0b", "a\nb", "\ud800", "\x7f"])
def test_an_identifier_that_no_database_stores_is_refused(native_id: str) -> None:
    for event in (Report(native_id=native_id, on=True), Announcement(native_id, Kind.PLUG), Reply(native_id, True)):
        with pytest.raises(PayloadError, match="identifier"):
            check_events([event])


def test_identifiers_of_any_script_are_kept() -> None:
    assert check_events([Reply("空调 №1/左", True)]) == [Reply("空调 №1/左", True)]


@pytest.mark.parametrize("year", [1, 1989, 2101, 9999])
def test_a_time_of_another_age_is_refused(year: int) -> None:
    with pytest.raises(PayloadError, match="years 1990 to 2100"):
        check_events([Report(native_id="d", on=True, measured_at=datetime(year, 6, 1, tzinfo=UTC))])


def test_names_for_people_are_cleaned_and_cut_to_what_the_tables_hold() -> None:
    told = Announcement("d", Kind.PLUG, "a\0b" + "x" * 300, "m" * 300, " ", "\x01", "r" * 300)
    (kept,) = check_events([told])
    assert isinstance(kept, Announcement)
    assert kept.name == "a b" + "x" * 197
    assert (len(kept.manufacturer or ""), kept.model, kept.firmware, len(kept.area or "")) == (100, None, None, 100)
    (answer,) = check_events([Reply("d", False, "no\0" + "x" * 900)])
    assert isinstance(answer, Reply)
    assert answer.detail is not None
    assert len(answer.detail) == 400
    assert "\0" not in answer.detail


def test_a_description_without_end_is_refused() -> None:
    with pytest.raises(PayloadError, match="description"):
        check_events([Announcement("d", Kind.PLUG, details={"a": "x" * 200_000})])


@pytest.mark.parametrize(
    "unit",
    [
        Capabilities(30.0, 16.0),
        Capabilities(16.0, 900.0),
        Capabilities(float("nan"), 30.0),
        Capabilities(setpoint_step_k=0.0),
        Capabilities(setpoint_step_k=float("nan")),
    ],
)
def test_capabilities_that_no_unit_has_are_refused(unit: Capabilities) -> None:
    with pytest.raises(PayloadError, match="setpoint"):
        check_events([Announcement("d", Kind.AIR_CONDITIONER, capabilities=unit)])


def test_every_quantity_of_a_report_has_a_column_and_every_number_a_limit() -> None:
    stored = {column.name for column in ReportRow.__table__.columns}
    assert set(QUANTITIES) - {"online"} <= stored
    numbers = {field.name for field in msgspec.structs.fields(Report) if field.type == float | None}
    assert numbers == set(LIMITS)


NUMBERS = st.none() | st.floats() | st.integers(-(10**30), 10**30).map(float)


@given(numbers=st.fixed_dictionaries({}, optional=dict.fromkeys(LIMITS, NUMBERS)))
def test_what_is_kept_of_any_report_is_physical(numbers: dict[str, Any]) -> None:
    try:
        events = check_events([Report(native_id="d", **numbers)])
    except PayloadError:
        return
    for event in events:
        assert isinstance(event, Report)
        assert says_something(event)
        assert unphysical(event) == []
