"""The one place where what a device said is checked, whatever its dialect.

The rule for a report: a quantity that is not a finite number within its physical range is left out, the rest of the
report stands. A message of which nothing is left is refused with ``PayloadError``, so that somebody sees it. Times
outside the years that a clock can have been set to refuse the whole message.

The rule for names: identifiers are at most 200 characters without control characters, else ``PayloadError``; names
for people are cleaned and cut to what the tables hold.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from core.errors import PayloadError
from core.words import Capabilities
from devices.base import Announcement, Event, Report
from devices.values import EARLIEST_YEAR, LATEST_YEAR, printable

MAX_IDENTIFIER_CHARACTERS = 200
MAX_NAME_CHARACTERS = 200
MAX_WORD_CHARACTERS = 100
MAX_DETAIL_BYTES = 131_072
MAX_REPLY_CHARACTERS = 400
SMALLEST_STEP_K, LARGEST_STEP_K = 0.05, 10.0

LIMITS: dict[str, tuple[float, float]] = {
    "power_w": (-50e3, 100e3),  # negative: a home with solar panels feeds in
    "energy_total_kwh": (0.0, 1e9),
    "voltage_v": (0.0, 1000.0),
    "current_a": (-1000.0, 1000.0),
    "room_temperature_c": (-60.0, 100.0),  # freezers and saunas are rooms to a thermometer
    "humidity_pct": (0.0, 100.0),
    "outdoor_temperature_c": (-90.0, 70.0),
    "solar_w_m2": (-20.0, 2000.0),  # a pyranometer shows a few W below 0 at night
    "wind_m_s": (0.0, 120.0),
    "co2_ppm": (0.0, 100e3),
    "illuminance_lx": (0.0, 300e3),
    "heat_w": (-1e6, 1e6),
    "supply_temperature_c": (-60.0, 200.0),
    "setpoint_c": (-40.0, 60.0),
}
_LIMITS = tuple((name, low, high) for name, (low, high) in LIMITS.items())
QUANTITIES = (*LIMITS, "online", "occupied", "on", "mode", "fan")


def check_events(events: Sequence[Event], notes: list[str] | None = None) -> list[Event]:
    """What of a message may be stored, by the rules of this module.

    Parameters
    ----------
    notes : list of str, optional
        Takes up why quantities were left out.

    Raises
    ------
    PayloadError
        An identifier, a time, or all of the message cannot be.
    """
    kept: list[Event] = []
    refused: str | None = None
    for event in events:
        if not (event.native_id.isprintable() and 0 < len(event.native_id) <= MAX_IDENTIFIER_CHARACTERS):
            raise PayloadError(
                f"expected an identifier of 1 to {MAX_IDENTIFIER_CHARACTERS} printable characters, "
                f"got {event.native_id[:80]!r}"
            )
        if isinstance(event, Report):
            bad = unphysical(event)
            if bad:
                refused = _outside(event, bad[0])
                if notes is not None:
                    notes.extend(_outside(event, name) for name in bad)
                event = msgspec.structs.replace(event, **dict.fromkeys(bad, None))
            _check_time(event)
            if says_something(event):
                kept.append(event)
        elif isinstance(event, Announcement):
            kept.append(_clean_announcement(event))
        else:
            kept.append(replace(event, detail=_cut(event.detail, MAX_REPLY_CHARACTERS)))
    if refused is not None and not kept:
        raise PayloadError(refused)
    return kept


def unphysical(report: Report) -> list[str]:
    """Names of the quantities of a report that cannot be true."""
    bad = []
    for name, low, high in _LIMITS:
        value = getattr(report, name)
        if value is not None and not low <= value <= high:  # not: NaN fails every comparison
            bad.append(name)
    return bad


def says_something(report: Report) -> bool:
    """Whether a report names any quantity."""
    return any(getattr(report, name) is not None for name in QUANTITIES)


def _outside(report: Report, name: str) -> str:
    low, high = LIMITS[name]
    return f"{name}: expected {low:g} to {high:g}, got {getattr(report, name)!r:.40}"


def _check_time(report: Report) -> None:
    at = report.measured_at
    if at is not None and not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise PayloadError(f"expected a time of the years {EARLIEST_YEAR} to {LATEST_YEAR}, got {at.isoformat()}")


def _clean_announcement(told: Announcement) -> Announcement:
    details = msgspec.json.encode(told.details)
    if len(details) > MAX_DETAIL_BYTES:
        raise PayloadError(f"expected a description of at most {MAX_DETAIL_BYTES} bytes, got {len(details)}")
    if told.capabilities is not None:
        check_capabilities(told.capabilities)
    return replace(
        told,
        name=_cut(told.name, MAX_NAME_CHARACTERS),
        manufacturer=_cut(told.manufacturer, MAX_WORD_CHARACTERS),
        model=_cut(told.model, MAX_WORD_CHARACTERS),
        firmware=_cut(told.firmware, MAX_WORD_CHARACTERS),
        area=_cut(told.area, MAX_WORD_CHARACTERS),
        details=msgspec.json.decode(details),  # as a database gives it back
    )


def check_capabilities(unit: Capabilities) -> None:
    """Refuse setpoints that no unit can have.

    Raises
    ------
    PayloadError
        The range or the step makes no sense.
    """
    low, high = LIMITS["setpoint_c"]
    if not low <= unit.setpoint_min_c < unit.setpoint_max_c <= high:
        raise PayloadError(
            f"expected setpoints from {low:g} to {high:g} °C, got {unit.setpoint_min_c!r} to {unit.setpoint_max_c!r}"
        )
    if not SMALLEST_STEP_K <= unit.setpoint_step_k <= LARGEST_STEP_K:
        raise PayloadError(
            f"expected a setpoint step of {SMALLEST_STEP_K:g} to {LARGEST_STEP_K:g} K, got {unit.setpoint_step_k!r}"
        )


def _cut(text: str | None, limit: int) -> str | None:
    return None if text is None else printable(text)[:limit].strip() or None
