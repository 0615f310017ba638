"""Refrigerators: a setpoint by load, holiday and price, and defrosts off the peak, inside food safety.

``observe`` takes in what a refrigerator says, ``wish`` is what price and household make desirable, and ``check`` is the
one way from a wish to a write: a pure function that nothing goes round. All three know the refrigerator only by its
own two thermostats (``Program``) and its two air temperatures; the only things told to it are a *setback*, kelvins
added to all limits of its thermostats, and to put a defrost off.

Food is what the air is through a lag of two hours: a half-litre bottle (2.1 kJ/K behind 0.3 W/K) or a kilogram of
frozen food (1.9 kJ/K behind 0.25 W/K) in still air has about that. Larger things follow slower. Fresh food stays at or
below 5 °C, frozen food at or below -15 °C; air stays there too, but for half an hour after a defrost or an opened door.

Without readings for half an hour, food is taken as warm as in a cabinet without power: air is cold again within half
an hour of a power cut's end, food only after hours.

Rules of ``check`` in order, by the names that a decision records; the first four end the matter::

    kill_switch         not ours to control: what we told it is taken back, otherwise nothing is written
    override            somebody set it by hand: nothing is written
    offline             it does not answer: nothing is written
    withdrawn           the household allows it no longer: what we told it is taken back
    stale_data          no fresh air temperatures: its own program
    implausible_sensor  air temperatures that cannot be: its own program
    bounds              of what the refrigerator can be told
    lasting             a setback under which food would not stay safe if nothing were written again: for ever or,
                        where the refrigerator forgets a setback by itself, for half an hour
    air                 fresh air is about to reach its limit: the thermostat calls before it
    food                food has come near a limit: colder
    frozen              a freezing compartment without a thermostat of its own is not cold enough: all colder
    freezing            fresh food would freeze; this one wins, for a kitchen too cool cannot be mended by a setpoint
    defrost             frozen food is not cold enough, or the defrost waited long enough, to put it off
    minimum_run         the compressor has just started
    minimum_rest        the compressor has just stopped
    write_budget        writes of the last hour are used up
    proposed            decided and shown, not written: the household has not allowed it yet

What makes food safer passes the last rules but ``proposed``: nobody is controlled who did not allow it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

FRESH_LIMIT_C, FROZEN_LIMIT_C = 5.0, -15.0
FOOD_LAG_S = 7200.0
AIR_GRACE_S = 1800.0  # after a defrost or an opened door

AIR_MARGIN_K = 0.1  # below the limit at which the thermostat is made to call
FROZEN_MARGIN_K = 0.5  # of a freezing thermostat's cut-in, to the limit
FOOD_MARGIN_K = 0.2
LEAST_FRESH_C = 0.3  # of air at which cooling stops; standards keep fresh food at or above 0 °C (IEC 62552)
VALID_S = 1800.0  # that a refrigerator which forgets shall keep a setback; who sends it renews it in time
RESERVE_K = 0.05  # of the fresh compartment's middle to the limit, with closed doors
RESERVE_PER_OPENING_K = 0.004  # more for each opening a day: doors and warm food
GREATEST_RESERVE_K = 0.5
PLAUSIBLE_C = (-45.0, 60.0)
GAP_S = 1800.0  # without readings: there may have been a power cut
# An unpowered cabinet: warms at least as fast as the food of the seven simulated ones does in one to eight hours
WARM_KITCHEN_C, CABINET_LAG_S = 32.0, 86_400.0

DEAR_RATIO = 1.2  # of the lowest price ahead: a price to wait out
CHEAP_RATIO = 1.05
STORE_K = 2.5  # below its own program at the end of the cheap hours
STORE_HELD_S = 3 * 3600.0  # so deep
# Slower than at once: a compressor of varied speed is most efficient when slow, and what is stored long leaks away.
STORE_K_PER_H = 0.45
# A freezing compartment that follows the fresh one warms while that one lives on its store: it must be colder first.
STORE_FROM_FROZEN_C, STORE_FULL_FROZEN_C = -16.0, -17.0

FROZEN_TARGET_C = -16.2  # of the follower's food
FROZEN_GAIN_PER_H = 0.15  # K of setback for each K and hour
FROZEN_SOON_C, FROZEN_SOON_GAIN = -15.7, 1.5
GREATEST_CORRECTION_K = 5.0
DAY_S, QUARTER_S = 86_400.0, 900.0

MINIMUM_RUN_S = MINIMUM_REST_S = 300.0  # refrigerant comes to rest; also what makers wait
WRITES_PER_HOUR = 8
STEP_K = 0.1
LONGEST_HOLD_S = 16 * 3600.0
HOLD_BELOW_C = -16.0
HOLIDAY_S = DAY_S  # nobody for so long
LOAD_K, LOAD_S = 1.0, 6 * 3600.0  # colder than its own program, and how long, after much was put in


@dataclass(frozen=True, slots=True)
class Program:
    """A refrigerator's own thermostats at setback 0, as announced or read from its cycles. [°C]

    Raises
    ------
    ValueError
        The limits cannot be those of a thermostat.
    """

    fresh_in_c: float  # cooling begins
    fresh_out_c: float
    freezer_in_c: float
    freezer_out_c: float
    freezer_follows: bool  # has no thermostat of its own: cooled whenever the fresh compartment is
    expires: bool = False  # forgets a setback ``VALID_S`` after it was last told it
    least_setback_k: float = -6.0  # that it can be told
    greatest_setback_k: float = 6.0

    def __post_init__(self) -> None:
        low_c, high_c = PLAUSIBLE_C
        for name, out_c, in_c in (
            ("fresh", self.fresh_out_c, self.fresh_in_c),
            ("freezer", self.freezer_out_c, self.freezer_in_c),
        ):
            if not low_c <= out_c < in_c <= high_c:  # NaN as well
                raise ValueError(f"{name}: expected to cool from a higher to a lower limit, got {in_c} to {out_c} °C")
        if not -math.inf < self.least_setback_k <= 0.0 <= self.greatest_setback_k < math.inf:
            raise ValueError(f"expected setbacks around 0, got {self.least_setback_k} to {self.greatest_setback_k} K")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a refrigerator now. Its setback is what holds once what is on its way has arrived."""

    fresh_air_c: float | None  # None: not known, or too old
    freezer_air_c: float | None
    running: bool | None = None
    setback_k: float = 0.0  # NaN: not known
    hold_defrost: bool = False
    openings_per_day: float = 45.0  # of the doors, lately; where nobody counts them, a busy kitchen's
    since_load_s: float = math.inf  # that a door stood open for three minutes or more, as it does for shopping
    nobody_for_s: float = 0.0  # that nobody is expected
    prices: Sequence[float] = ()  # of a kWh in this and the coming quarters of an hour; empty: unknown
    online: bool = True
    override: bool = False
    control: str = "proposed"  # proposed, auto, off


@dataclass(frozen=True, slots=True)
class Memory:
    """What is carried from one look to the next."""

    at: datetime | None = None
    fresh_food_c: float = FRESH_LIMIT_C - 1.0
    frozen_food_c: float = FROZEN_LIMIT_C - 1.0
    frozen_day_c: float = FROZEN_LIMIT_C - 1.0  # mean of about a day
    fresh_air_c: float | None = None  # at the last look
    warming_k: float = 0.0  # of the fresh air from one look to the next, lately; 0 while it cools
    correction_k: float = 0.0  # colder for the sake of a freezing compartment that follows
    running: bool | None = None
    switched_at: datetime | None = None
    held_since: datetime | None = None  # the defrost is put off
    writes: tuple[datetime, ...] = ()  # of the last hour
    ours: bool = False  # what holds may be what we told it

    def to_json(self) -> dict[str, Any]:
        """All fields by name; instants as text (ISO 8601)."""
        return {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            **{name: at.isoformat() if (at := getattr(self, name)) else None for name in _INSTANTS},
            "writes": [at.isoformat() for at in self.writes],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Memory":
        """The memory of ``to_json``.

        Raises
        ------
        ValueError
            The values are not such a memory.
        """
        if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
            raise ValueError("a refrigerator's memory holds what is no number")
        try:
            instants = {name: datetime.fromisoformat(at) if (at := values[name]) else None for name in _INSTANTS}
            writes = tuple(datetime.fromisoformat(at) for at in values["writes"])
            return cls(**{**values, **instants, "writes": writes})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a refrigerator's memory: {error!r}") from error


_INSTANTS = ("at", "switched_at", "held_since")


@dataclass(frozen=True, slots=True)
class Wish:
    """What would be good, and why."""

    setback_k: float
    hold_defrost: bool
    code: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the refrigerator shall be told, and whether that is written; ``reason`` as in ``core.sentences``."""

    setback_k: float
    hold_defrost: bool
    write: bool
    reason: dict[str, Any]
    rules: tuple[str, ...]


def decide(program: Program, seen: Seen, memory: Memory, now: datetime) -> tuple[Decision, Memory]:
    """One look at one refrigerator, every five minutes: observe, wish, check."""
    memory = observe(program, seen, memory, now)
    decision = check(wish(program, seen, memory), program, seen, memory, now)
    hold = decision.hold_defrost if decision.write else seen.hold_defrost
    since = (memory.held_since or now) if hold else None
    writes = (*memory.writes, now) if decision.write else memory.writes
    return decision, replace(memory, held_since=since, writes=writes, ours=memory.ours or decision.write)


def observe(program: Program, seen: Seen, memory: Memory, now: datetime) -> Memory:
    """Take in what it says; food follows the air, also over a gap in the data."""
    writes = tuple(at for at in memory.writes if now - at < timedelta(hours=1))
    ours = memory.ours and not seen.override and (seen.control == "auto" or not _at_factory(seen))
    memory = replace(memory, writes=writes, ours=ours)
    dt_s = 0.0 if memory.at is None else max((now - memory.at).total_seconds(), 0.0)
    if seen.running is not None and (seen.running != memory.running or dt_s > GAP_S):
        switched_at = now if memory.running is not None else None
        memory = replace(memory, running=seen.running, switched_at=switched_at)
    if not seen.online or _distrust(seen) is not None or seen.fresh_air_c is None or seen.freezer_air_c is None:
        return replace(memory, fresh_air_c=None)
    if memory.at is None:
        # Nothing is known of before: the food was what the air is, or what the program holds, whichever is warmer.
        fresh_c = max(seen.fresh_air_c, _middle(program.fresh_in_c, program.fresh_out_c))
        frozen_c = max(seen.freezer_air_c, _middle(program.freezer_in_c, program.freezer_out_c))
        return replace(
            memory,
            at=now,
            fresh_food_c=fresh_c,
            frozen_food_c=frozen_c,
            frozen_day_c=frozen_c,
            fresh_air_c=seen.fresh_air_c,
        )
    frozen_c = _food_c(memory.frozen_food_c, seen.freezer_air_c, dt_s)
    risen_k = 0.0 if memory.fresh_air_c is None else seen.fresh_air_c - memory.fresh_air_c
    return replace(
        memory,
        at=now,
        fresh_food_c=_food_c(memory.fresh_food_c, seen.fresh_air_c, dt_s),
        frozen_food_c=frozen_c,
        frozen_day_c=lagged(memory.frozen_day_c, seen.freezer_air_c, dt_s, DAY_S),
        fresh_air_c=seen.fresh_air_c,
        warming_k=max(risen_k, 0.0),
        correction_k=_correction_k(program, seen, memory, frozen_c, dt_s) if program.freezer_follows else 0.0,
    )


def _food_c(before_c: float, air_c: float, dt_s: float) -> float:
    """Food after ``dt_s`` seconds without a look, as warm as a power cut may have left it. [°C]"""
    follows_c = lagged(before_c, air_c, dt_s)
    if dt_s <= GAP_S:
        return follows_c
    return max(follows_c, lagged(before_c, WARM_KITCHEN_C, dt_s, CABINET_LAG_S))


def _correction_k(program: Program, seen: Seen, memory: Memory, frozen_c: float, dt_s: float) -> float:
    """Colder for the sake of frozen food that was too warm for long; grows only while what it asks for is done. [K]"""
    step_k = FROZEN_GAIN_PER_H * (frozen_c - FROZEN_TARGET_C) * min(dt_s, 900.0) / 3600.0
    asked_k = greatest_lasting_k(program, seen) - memory.correction_k - _soon_k(frozen_c)
    ours_to_tell = seen.control == "auto" and not seen.override
    if not ours_to_tell or asked_k <= _floor_k(program) or seen.setback_k > asked_k + STEP_K:
        step_k = min(step_k, 0.0)
    return min(max(memory.correction_k + step_k, 0.0), GREATEST_CORRECTION_K)


def lagged(food_c: float, air_c: float, dt_s: float, lag_s: float = FOOD_LAG_S) -> float:
    """Food after ``dt_s`` seconds in air of this temperature: dT/dt = (T_air - T) / lag. [°C]"""
    return air_c + (food_c - air_c) * math.exp(-dt_s / lag_s)


# --- what would be good ---


def wish(program: Program, seen: Seen, memory: Memory) -> Wish:
    """As warm as is safe; colder after shopping and late in cheap hours; in dear ones nothing that can wait."""
    warmest_k = greatest_lasting_k(program, seen)
    values: dict[str, Any] = {"holiday": True} if seen.nobody_for_s >= HOLIDAY_S else {}
    usual = Wish(warmest_k, False, "fridge_warmest", values)
    if seen.since_load_s < LOAD_S:
        usual = Wish(min(-LOAD_K, warmest_k), False, "fridge_load", values)
    kind, left_s = price_now(tuple(seen.prices))
    values["minutes"] = round(left_s / 60.0)
    if kind == "dear":
        return Wish(warmest_k, True, "fridge_coast", values)
    slope_k = STORE_K_PER_H * max(left_s - STORE_HELD_S, 0.0) / 3600.0
    deeper_k = warmest_k + STORE_K - slope_k
    setback_k = warmest_k - _storable(program, memory) * max(deeper_k, 0.0)
    if kind != "cheap" or setback_k >= usual.setback_k:
        return usual
    return Wish(setback_k, False, "fridge_store", values)


@lru_cache(maxsize=256)
def price_now(prices: tuple[float, ...]) -> tuple[str, float]:
    """What the first of these prices is among them: ``dear``, ``cheap`` ahead of a dear one, or ``usual``.

    Returns
    -------
    tuple[str, float]
        The word, and how long until dear hours end, or begin; 0 for ``usual``. [s]
    """
    if not prices or not all(map(math.isfinite, prices)):
        return "usual", 0.0
    lowest = min(prices)
    dear = [price > max(DEAR_RATIO * lowest, lowest) for price in prices]
    if dear[0]:
        return "dear", QUARTER_S * (dear.index(False) if False in dear else len(dear))
    if True in dear and prices[0] <= max(CHEAP_RATIO * lowest, lowest):
        return "cheap", QUARTER_S * dear.index(True)
    return "usual", 0.0


def greatest_lasting_k(program: Program, seen: Seen) -> float:
    """The setback under which food stays safe even if the next word never comes. [K]

    A setback that is kept for ever must let the thermostat call below the limit. One that is forgotten may let it call
    above, as long as the middle of its band stays below by a reserve for doors and warm food: ``check`` lowers it
    whenever the air comes near, and food is slow.
    """
    call_k = FRESH_LIMIT_C - AIR_MARGIN_K - program.fresh_in_c
    openings = 0.0 if seen.nobody_for_s >= HOLIDAY_S else seen.openings_per_day
    more_k = RESERVE_PER_OPENING_K * max(openings, 0.0) if math.isfinite(openings) else GREATEST_RESERVE_K
    reserve_k = min(RESERVE_K + more_k, GREATEST_RESERVE_K)
    middle_k = FRESH_LIMIT_C - reserve_k - _middle(program.fresh_in_c, program.fresh_out_c)
    fresh_k = max(middle_k, call_k) if program.expires else call_k
    if program.freezer_follows:
        return fresh_k
    return min(fresh_k, FROZEN_LIMIT_C - FROZEN_MARGIN_K - program.freezer_in_c)


def _storable(program: Program, memory: Memory) -> float:
    """How much of the store is worth filling, 0..1."""
    if not program.freezer_follows:
        return 1.0
    colder_k = STORE_FROM_FROZEN_C - memory.frozen_day_c
    return min(max(colder_k / (STORE_FROM_FROZEN_C - STORE_FULL_FROZEN_C), 0.0), 1.0)


# --- what is allowed ---


def check(wished: Wish, program: Program, seen: Seen, memory: Memory, now: datetime) -> Decision:
    """What may be done of a wish; ``memory`` has taken in what was seen."""
    kept_k = seen.setback_k if math.isfinite(seen.setback_k) else 0.0
    ours_to_tell = seen.online and not seen.override
    take_back = memory.ours and seen.control != "auto" and ours_to_tell and not _at_factory(seen)
    for name, forbids in (
        ("kill_switch", seen.control == "off"),
        ("override", seen.override),
        ("offline", not seen.online),
        ("withdrawn", take_back),
    ):
        if forbids:
            told = (0.0, False) if take_back else (kept_k, seen.hold_defrost)
            return _decision(*told, take_back, wished, [name])
    distrust = _distrust(seen)
    if distrust is not None:
        return _own_program(program, seen, memory, wished, distrust)
    rules: list[str] = []
    setback_k = wished.setback_k if math.isfinite(wished.setback_k) else 0.0
    ceilings = _ceilings(program, seen, memory)
    for name, ceiling_k in ceilings:
        if setback_k > ceiling_k + 1e-9:
            setback_k = ceiling_k
            rules.append(name)
    floor_k = _floor_k(program)
    if setback_k < floor_k:
        setback_k = floor_k
        rules.append("freezing")
    # Downwards to the step: what is safe stays safe, and the floor against freezing has a step to spare.
    setback_k = max(round(math.floor(setback_k / STEP_K + 1e-6) * STEP_K, 3), program.least_setback_k)
    hold = wished.hold_defrost
    if hold and (memory.frozen_food_c > HOLD_BELOW_C or _held_too_long(memory, now)):
        hold = False
        rules.append("defrost")
    step_k = setback_k - seen.setback_k
    if abs(step_k) < STEP_K / 2 and hold == seen.hold_defrost:
        return _decision(setback_k, hold, False, wished, rules)
    if seen.control != "auto":
        return _decision(setback_k, hold, False, wished, [*rules, "proposed"])
    too_warm = step_k < 0.0 and seen.setback_k > min(ceiling_k for _, ceiling_k in ceilings)
    too_cold = step_k > 0.0 and seen.setback_k < floor_k - STEP_K
    veto = None if too_warm or too_cold or "defrost" in rules else _veto(step_k, memory, now)
    if veto is not None:
        return _decision(kept_k, seen.hold_defrost, False, wished, [*rules, veto])
    return _decision(setback_k, hold, True, wished, rules)


def _ceilings(program: Program, seen: Seen, memory: Memory) -> list[tuple[str, float]]:
    """Greatest setbacks, by rule. [K]"""
    assert seen.fresh_air_c is not None
    ceilings = [
        ("bounds", program.greatest_setback_k),
        ("lasting", greatest_lasting_k(program, seen)),
    ]
    call_c = FRESH_LIMIT_C - AIR_MARGIN_K
    if seen.fresh_air_c + memory.warming_k >= call_c:
        ceilings.append(("air", call_c - program.fresh_in_c))
    fresh_over_k = memory.fresh_food_c - (FRESH_LIMIT_C - FOOD_MARGIN_K)
    frozen_over_k = memory.frozen_food_c - (FROZEN_LIMIT_C - FOOD_MARGIN_K)
    if fresh_over_k > 0.0:
        ceilings.append(("food", call_c - program.fresh_in_c - 1.0 - fresh_over_k))
    if frozen_over_k > 0.0 and not program.freezer_follows:
        ceilings.append(("food", -1.0 - frozen_over_k))
    if program.freezer_follows:
        colder_k = memory.correction_k + _soon_k(memory.frozen_food_c)
        ceilings.append(("frozen", greatest_lasting_k(program, seen) - colder_k))
    return ceilings


def _soon_k(frozen_c: float) -> float:
    """Colder at once, because a follower's frozen food is about to be too warm. [K]"""
    return FROZEN_SOON_GAIN * max(frozen_c - FROZEN_SOON_C, 0.0)


def _floor_k(program: Program) -> float:
    """Least setback: what it can be told, and what does not freeze fresh food. [K]"""
    return max(program.least_setback_k, LEAST_FRESH_C - program.fresh_out_c)


def _at_factory(seen: Seen) -> bool:
    return abs(seen.setback_k) < STEP_K / 2 and not seen.hold_defrost


def _own_program(program: Program, seen: Seen, memory: Memory, wished: Wish, rule: str) -> Decision:
    """Back to what the maker chose, unless that is warmer than what is safe to leave alone."""
    setback_k = min(0.0, math.floor(greatest_lasting_k(program, seen) / STEP_K) * STEP_K)
    setback_k = max(setback_k - memory.correction_k, _floor_k(program))
    differs = not abs(setback_k - seen.setback_k) < STEP_K / 2 or seen.hold_defrost  # NaN as well
    return _decision(round(setback_k, 3), False, differs and seen.control == "auto", wished, [rule])


def _veto(step_k: float, memory: Memory, now: datetime) -> str | None:
    """Why a write must wait: not against a compressor that has just switched, and not too often."""
    since_s = math.inf if memory.switched_at is None else (now - memory.switched_at).total_seconds()
    if step_k > 0.0 and memory.running and since_s < MINIMUM_RUN_S:
        return "minimum_run"
    if step_k < 0.0 and memory.running is False and since_s < MINIMUM_REST_S:
        return "minimum_rest"
    return "write_budget" if len(memory.writes) >= WRITES_PER_HOUR else None


def _held_too_long(memory: Memory, now: datetime) -> bool:
    return memory.held_since is not None and (now - memory.held_since).total_seconds() >= LONGEST_HOLD_S


def _distrust(seen: Seen) -> str | None:
    for air_c in (seen.fresh_air_c, seen.freezer_air_c):
        if air_c is None:
            return "stale_data"
        if not PLAUSIBLE_C[0] <= air_c <= PLAUSIBLE_C[1]:  # NaN as well
            return "implausible_sensor"
    return None


def _decision(setback_k: float, hold: bool, write: bool, wished: Wish, rules: list[str]) -> Decision:
    code = wished.code
    if write and {"kill_switch", "withdrawn"} & set(rules):
        code = "fridge_back"
    elif {"stale_data", "implausible_sensor"} & set(rules):
        code = "fridge_own"
    elif {"kill_switch", "override", "offline"} & set(rules):
        code = "fridge_kept"
    elif {"frozen", "freezing"} <= set(rules):
        code = "fridge_too_cool"
    elif {"food", "frozen"} & set(rules):
        code = "fridge_safe"
    values = {**wished.values, "setback_k": setback_k, "rules": list(rules)}
    return Decision(setback_k, hold, write, {"code": code, "values": values}, tuple(rules))


def _middle(one_c: float, other_c: float) -> float:
    return 0.5 * (one_c + other_c)
