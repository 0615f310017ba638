"""Unit conversions, each named by both its units."""

from datetime import UTC, datetime

MICROSECONDS_PER_SECOND = 1_000_000
JOULES_PER_KWH = 3.6e6


def watt_hours_to_kwh(energy_wh: float) -> float:
    """Energy in kWh of an energy in Wh."""
    return energy_wh / 1e3


def fahrenheit_to_celsius(temperature_f: float) -> float:
    """Temperature in °C of one in °F."""
    return (temperature_f - 32.0) / 1.8


def to_epoch_us(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exactly.

    Raises
    ------
    ValueError
        The instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"expected an instant with a time zone, got {instant.isoformat()}")
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS_PER_SECOND + delta.microseconds


def from_epoch_us(epoch_us: int) -> datetime:
    """The UTC instant of microseconds since 1970-01-01T00:00Z, exactly."""
    seconds, microseconds = divmod(epoch_us, MICROSECONDS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
