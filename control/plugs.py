"""Plugs that the household lets go: standby cut off at hours without use, and runs moved into the cheapest hours.

``wish`` is what habit or price make desirable; ``check`` is the one way from a wish to a write, a pure function that
nothing goes round. Rules in order, by the names that a decision records; each of them leaves the plug as it is, but
``GIVEN_BACK`` let it be switched on again where we had switched it off::

    kill_switch        not ours to control
    override           somebody switched it by hand
    offline            it does not answer
    unknown            it has not said whether it is on
    withdrawn          it is off because we cut it off, and the household allows that no longer
    not_allowed        the household has not allowed this of this plug
    unknown_appliance  nobody has said what is behind it: food or medicine may depend on it
    never_cut          a refrigerator, an air conditioner or a meter is behind it
    not_ours           it was not switched off by us, so it is not switched on by us
    in_use             more power than standby, or power that nobody knows
    idle               in use a short while ago
    write_budget       writes of the last hour are used up
    proposed           decided and shown, not written: the household has not allowed it to happen by itself
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.words import Command, Kind

IN_USE_W, IN_USE_TIMES = 15.0, 3.0  # a thing is in use well above its own standby
IDLE_S = 1800.0
USED_RATIO = 0.02  # of the days on which it is in use at an hour: below it, the hour is without use
READY_MIN = 15  # on before the hour of use
WRITES_PER_HOUR = 4
# Rules under which what we cut off is given back
GIVEN_BACK = ("kill_switch", "withdrawn", "not_allowed", "unknown_appliance", "never_cut")
QUARTERS, QUARTER_MIN, DAY_MIN = 96, 15, 1440
LEAST_KWH_PER_YEAR = 2.0  # that is worth a word
CENT = Decimal("0.01")
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Window:
    """Hours that an appliance with a store of its own, such as a water heater, needs in a day.

    Raises
    ------
    ValueError
        A day has no such hours.
    """

    hours: float
    ready_by_min: int  # after local midnight

    def __post_init__(self) -> None:
        if not 0.0 < self.hours <= 24.0 or not 0 <= self.ready_by_min < DAY_MIN:  # NaN as well
            raise ValueError(
                f"expected 0 to 24 h, ready by a minute of the day, got {self.hours} h by minute {self.ready_by_min}"
            )


@dataclass(frozen=True, slots=True)
class Plug:
    """What is known of a plug, and what the household allows of it."""

    appliance_kind: Kind | None  # None: nobody has said
    standby_w: float = 0.0
    use_by_hour: Sequence[float] = (1.0,) * 24  # share of days on which it is in use at each local hour, 0..1
    may_cut_off: bool = False
    window: Window | None = None  # None: not allowed
    control: str = "proposed"  # proposed, auto, off


@dataclass(frozen=True, slots=True)
class Seen:
    """A plug now."""

    on: bool | None
    power_w: float | None  # None: not known, or too old
    idle_s: float  # that its power has been standby
    local_min: int  # after local midnight
    cut_by_us: bool = False  # it is off because we switched it off
    prices: Sequence[float] = ()  # of a kWh in the 96 quarters of the local day; empty: unknown
    online: bool = True
    override: bool = False
    writes: tuple[datetime, ...] = ()  # of ours


@dataclass(frozen=True, slots=True)
class Wish:
    """What would be good, and why."""

    on: bool
    code: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the plug shall be, whether that is written, and why; ``reason`` as in ``core.sentences``."""

    on: bool | None
    write: bool
    reason: dict[str, Any]
    rules: tuple[str, ...]

    def command(self) -> Command | None:
        """The command to queue, or None."""
        return Command(on=self.on) if self.write else None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something to allow once; ``core.appliance_sentences`` has its sentence."""

    code: str
    energy_kwh_per_year: Decimal  # less
    cost_per_year: Decimal | None  # less, in the tariff's currency; None without a price
    values: dict[str, Any]


def decide(plug: Plug, seen: Seen, now: datetime) -> Decision:
    """One look at one plug."""
    return check(wish(plug, seen), plug, seen, now)


def wish(plug: Plug, seen: Seen) -> Wish:
    """Run in the cheapest hours where a window is allowed; otherwise off at hours without use, if it may be cut off."""
    if plug.appliance_kind is not Kind.PLUG:
        return Wish(True, "plug_usual", {})
    if plug.window is not None and len(seen.prices) == QUARTERS and all(map(math.isfinite, seen.prices)):
        start_min, end_min = cheapest(plug.window, seen.prices)
        runs = (seen.local_min - start_min) % DAY_MIN < (end_min - start_min) % DAY_MIN or start_min == end_min
        values = {"from_time": clock(start_min), "until_time": clock(end_min)}
        return Wish(runs, "plug_runs" if runs else "plug_waits", values)
    if plug.window is None and plug.may_cut_off and not _used(plug, seen.local_min):
        return Wish(False, "plug_unused", {})
    return Wish(True, "plug_usual", {})


def check(wished: Wish, plug: Plug, seen: Seen, now: datetime) -> Decision:
    """What may be done of a wish."""
    rule = _forbids(wished, plug, seen, now)
    if rule in GIVEN_BACK and seen.cut_by_us and seen.on is False and seen.online and not seen.override:
        write = _recent(seen, now) < WRITES_PER_HOUR
        return Decision(True, write, {"code": "plug_back", "values": {"rules": [rule]}}, (rule,))
    if rule is not None and rule != "proposed":
        return Decision(seen.on, False, {"code": "plug_kept", "values": {"rules": [rule]}}, (rule,))
    rules = [] if rule is None else [rule]
    write = not rules and wished.on != seen.on
    return Decision(wished.on, write, {"code": wished.code, "values": {**wished.values, "rules": rules}}, tuple(rules))


def _forbids(wished: Wish, plug: Plug, seen: Seen, now: datetime) -> str | None:
    """The first rule that keeps a wish from being written."""
    windowed = plug.window is not None
    standby_w = plug.standby_w if math.isfinite(plug.standby_w) else 0.0
    in_use = seen.power_w is None or not seen.power_w <= max(IN_USE_W, IN_USE_TIMES * standby_w)
    cuts = not wished.on
    for name, forbids in (
        ("kill_switch", plug.control == "off"),
        ("override", seen.override),
        ("offline", not seen.online),
        ("unknown", seen.on is None),
        ("withdrawn", plug.control != "auto" and seen.cut_by_us and seen.on is False),
        ("not_allowed", not (windowed or plug.may_cut_off)),
        ("unknown_appliance", plug.appliance_kind is None),
        ("never_cut", plug.appliance_kind not in (None, Kind.PLUG)),
        ("not_ours", wished.on and seen.on is False and not seen.cut_by_us),
        # What runs by a window draws power whenever it may; its own thermostat does not mind being cut off.
        ("in_use", cuts and seen.on is True and not windowed and in_use),
        ("idle", cuts and seen.on is True and not windowed and not seen.idle_s >= IDLE_S),
        ("write_budget", wished.on != seen.on and _recent(seen, now) >= WRITES_PER_HOUR),
        ("proposed", plug.control != "auto"),
    ):
        if forbids:
            return name
    return None


def _recent(seen: Seen, now: datetime) -> int:
    """Writes of ours in the last hour."""
    return sum(now - at < timedelta(hours=1) for at in seen.writes)


def cheapest(window: Window, prices: Sequence[float]) -> tuple[int, int]:
    """The cheapest run of so many hours in the day that ends when it must be ready; of equal ones the latest.

    Returns
    -------
    tuple[int, int]
        Begin and end, in minutes after local midnight; equal for a whole day.
    """
    quarters = min(max(math.ceil(window.hours * 4), 1), QUARTERS)
    ready = window.ready_by_min // QUARTER_MIN
    ends = [ready - back for back in range(QUARTERS - quarters + 1)]
    end = min(ends, key=lambda one: round(sum(prices[i % QUARTERS] for i in range(one - quarters, one)), 9))
    return (end - quarters) % QUARTERS * QUARTER_MIN, end % QUARTERS * QUARTER_MIN


def clock(minute: int) -> str:
    """Minutes after midnight as people write them."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def cut_off_proposal(plug: Plug, price: Decimal | None) -> Proposal | None:
    """What cutting off standby at hours without use would save; None where it is not worth a word.

    Parameters
    ----------
    price : Decimal or None
        Of a kWh, on average; None: unknown.
    """
    hours = sum(not _used(plug, 60 * hour) for hour in range(24))
    if plug.appliance_kind is not Kind.PLUG or min(plug.use_by_hour) >= USED_RATIO or max(plug.use_by_hour) <= 0.0:
        return None  # nobody ever uses it, or always: a router is meant to run
    if not math.isfinite(plug.standby_w):
        return None
    energy_kwh = Decimal(repr(plug.standby_w)) * hours * DAYS_PER_YEAR / 1000
    if energy_kwh < Decimal(repr(LEAST_KWH_PER_YEAR)):
        return None
    cost = None if price is None else (energy_kwh * price).quantize(CENT)
    values = {"standby_w": round(plug.standby_w, 1), "off_hours": hours}
    return Proposal("plug_cut_off", energy_kwh.quantize(CENT), cost, values)


def window_proposal(
    plug: Plug, window: Window, kwh_by_quarter: Sequence[float], prices: Sequence[Decimal]
) -> Proposal | None:
    """What moving all runs into the cheapest hours would save; None where it is nothing.

    Parameters
    ----------
    kwh_by_quarter : sequence
        What it uses in the 96 quarters of a mean local day. [kWh]
    prices : sequence
        Of a kWh in the same quarters.
    """
    if plug.appliance_kind is not Kind.PLUG or len(kwh_by_quarter) != QUARTERS or len(prices) != QUARTERS:
        return None
    if not all(map(math.isfinite, [*kwh_by_quarter, *map(float, prices)])):
        return None
    start_min, end_min = cheapest(window, [float(price) for price in prices])
    first = start_min // QUARTER_MIN
    run = [prices[(first + i) % QUARTERS] for i in range((end_min - start_min) % DAY_MIN // QUARTER_MIN or QUARTERS)]
    used = [Decimal(repr(kwh)) for kwh in kwh_by_quarter]
    now = sum((kwh * price for kwh, price in zip(used, prices, strict=True)), Decimal(0))
    then = sum(used, Decimal(0)) * sum(run, Decimal(0)) / len(run)
    cost = ((now - then) * DAYS_PER_YEAR).quantize(CENT)
    if cost <= 0:
        return None
    values = {"from_time": clock(start_min), "until_time": clock(end_min)}
    return Proposal("plug_window", Decimal("0.00"), cost, values)


def _used(plug: Plug, local_min: int) -> bool:
    """Whether it is usually in use at this hour, or soon."""
    hours = {local_min // 60 % 24, (local_min + READY_MIN) // 60 % 24}
    return any(not plug.use_by_hour[hour] < USED_RATIO for hour in hours)
