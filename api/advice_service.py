"""Advice for a home: gather what was measured in the last two weeks, and let the rules speak."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api import schemas, usage_service
from api.dependencies import Access
from api.usage_service import Books
from core.advice_sentences import advice_sentence
from core.words import Kind, Span
from insights import advice as rules
from insights import calendar
from insights.tariff import exact
from insights.usage import Amount, without_doubles
from storage.repositories import history, homes
from storage.repositories.history import HourSaid
from storage.repositories.learned import LearnedRepository, PersonState, Season
from storage.tables import HomeRow

OBSERVED = timedelta(days=14)
STANDBY_OBSERVED = timedelta(days=7)
WHOLE_QUARTER_S = 890.0
KEPT_S = 60.0
IDLE_KINDS = (Kind.PLUG,)  # of appliances: a fridge and an air conditioner are never merely idle


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and what it is about."""

    finding: rules.Finding
    place: str
    room_id: int | None
    device_id: int


class Notebook:
    """Findings of the last minute: they change slowly, and reading two weeks takes a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._findings: dict[int, tuple[float, list[Found]]] = {}

    def get(self, home_id: int) -> list[Found] | None:
        """Findings of a home, if they are new enough."""
        with self._lock:
            at_s, found = self._findings.get(home_id, (-KEPT_S, []))
        return found if time.monotonic() - at_s < KEPT_S else None

    def put(self, home_id: int, found: list[Found]) -> None:
        """Keep them for a minute."""
        with self._lock:
            self._findings[home_id] = (time.monotonic(), found)


def advice(access: Access, home: HomeRow, notebook: Notebook) -> schemas.AdvicePage:
    """What would save, the most money first; empty without evidence."""
    found = notebook.get(home.id)
    if found is None:
        found = findings(access, home)
        notebook.put(home.id, found)
    books = usage_service.open_books(access, home)
    items = [item(one, books, access.language) for one in found]
    items.sort(key=lambda one: (-float(one.cost_per_month or 0), -one.energy_kwh_per_month))
    return schemas.AdvicePage(items=items)


def item(found: Found, books: Books, language: str) -> schemas.Advice:
    """A finding as it is shown."""
    finding = found.finding
    kwh = finding.energy_kwh_per_month
    cost = None if finding.price is None else finding.price * exact(kwh)
    return schemas.Advice(
        id=f"{finding.code}-{found.device_id}",
        code=finding.code,
        room_id=found.room_id,
        device_id=found.device_id,
        sentence=advice_sentence(finding.code, found.place, kwh, finding.values, language),
        energy_kwh_per_month=round(kwh, 3),
        cost_per_month=usage_service.money(cost),
        currency=books.currency,
        co2_kg_per_month=None if books.carbon is None else round(kwh * books.carbon.kg_per_kwh, 3),
        evidence=finding.values,
    )


def findings(access: Access, home: HomeRow) -> list[Found]:
    """Every finding of a home."""
    books = usage_service.open_books(access, home)
    return [*_of_units(access, home, books), *_of_idle_things(access, home, books)]


# --- air conditioners ---


def _of_units(access: Access, home: HomeRow, books: Books) -> Iterable[Found]:
    found = homes.devices_now(access.session, [home.id])
    units = [one for one in found if one.device.kind == Kind.AIR_CONDITIONER and one.device.room_id is not None]
    span = _whole_hours(access.now, OBSERVED)
    if not units:
        return
    said = history.hours_said(access.session, [one.device.id for one in found], span.start, span.end)
    empty = _empty_hours(said)
    by_unit: dict[int, dict[datetime, HourSaid]] = defaultdict(dict)
    for one in said:
        by_unit[one.device_id][one.start] = one
    for unit in units:
        meter_id = _meter_of(unit.device.id, unit.device.appliance_id, books)
        if meter_id is None:
            continue
        used = _used(access, home, books, span, calendar.HOUR, {meter_id})[meter_id]
        hours = _unit_hours(by_unit[unit.device.id], used, empty, books)
        days = len(hours) / 24
        if not days:
            continue
        assert unit.device.room_id is not None
        band = _band(access, unit.device.room_id)
        place = unit.room or unit.device.name
        for finding in (rules.cooler_than_needed(hours, band, days), rules.runs_while_nobody_is_home(hours, days)):
            if finding is not None:
                yield Found(finding, place, unit.device.room_id, unit.device.id)


def _unit_hours(
    said: Mapping[datetime, HourSaid],
    used: Mapping[datetime, tuple[rules.Used, float]],
    empty: Mapping[datetime, bool],
    books: Books,
) -> list[rules.UnitHour]:
    """Hours whose energy is known; what a unit was set to holds until it says otherwise."""
    result = []
    on_share, mode, setpoint_c = 0.0, None, None
    for start in sorted(set(said) | set(used)):
        hour = said.get(start)
        if hour is not None:
            on_share = on_share if hour.on_share is None else hour.on_share
            mode = _mode(hour) or mode
            setpoint_c = setpoint_c if hour.setpoint_c is None else hour.setpoint_c
        if start in used:
            day = calendar.local_day(start, books.zone)
            result.append(rules.UnitHour(day, used[start][0], on_share, mode, setpoint_c, empty.get(start)))
    return result


def _mode(hour: HourSaid) -> str | None:
    if hour.cool_share is None or hour.heat_share is None:
        return None
    if max(hour.cool_share, hour.heat_share) < 0.5:
        return "other"
    return rules.MODE_COOL if hour.cool_share >= hour.heat_share else rules.MODE_HEAT


def _empty_hours(said: Iterable[HourSaid]) -> dict[datetime, bool]:
    """Hours in which sensors told: whether all of them saw nobody all the time."""
    result: dict[datetime, bool] = {}
    for one in said:
        if one.occupied_share is not None:
            result[one.start] = result.get(one.start, True) and one.occupied_share == 0.0
    return result


def _meter_of(unit_id: int, appliance_id: int | None, books: Books) -> int | None:
    """What measures a unit: its plug, or else itself."""
    counted = without_doubles(books.measuring())
    plugs = [one.device_id for one in counted if appliance_id is not None and one.appliance_id == appliance_id]
    own = [one.device_id for one in counted if one.device_id == unit_id]
    return next(iter([*plugs, *own]), None)


def _band(access: Access, room_id: int) -> rules.Band:
    """Upper edge of summer and lower edge of winter, while people are at home and awake."""
    curve = LearnedRepository(access.session).comfort(room_id)
    summer = curve.at(Season.COOLING, PersonState.HOME)
    winter = curve.at(Season.HEATING, PersonState.HOME)
    choices = sum(point.observations + point.pinned for point in (summer, winter))
    return rules.Band(winter.low_c, summer.high_c, choices)


# --- things that idle ---


def _of_idle_things(access: Access, home: HomeRow, books: Books) -> Iterable[Found]:
    things = {one.device_id: one for one in books.things if one.device_id in books.first_days}
    plugs = {one.device_id for one in things.values() if one.device_kind == Kind.PLUG and one.kind in IDLE_KINDS}
    span = _whole_hours(access.now, STANDBY_OBSERVED)
    for device_id, used in _used(access, home, books, span, calendar.QUARTER, plugs).items():
        whole = [one for one, covered_s in used.values() if covered_s >= WHOLE_QUARTER_S]
        finding = rules.draws_while_idle(whole, len(whole) / 96)
        if finding is not None:
            thing = things[device_id]
            yield Found(finding, thing.appliance or thing.name, thing.room_id, device_id)


# --- both ---


def _whole_hours(now: datetime, length: timedelta) -> Span:
    end = now.replace(minute=0, second=0, microsecond=0)
    return Span(end - length, end)


def _used(
    access: Access, home: HomeRow, books: Books, span: Span, step: timedelta, device_ids: set[int]
) -> dict[int, dict[datetime, tuple[rules.Used, float]]]:
    """What each device used in each bucket, and how much of it was covered. [s]"""
    result: dict[int, dict[datetime, tuple[rules.Used, float]]] = {device_id: {} for device_id in device_ids}
    if not device_ids:
        return result
    count = int((span.end - span.start) / step)
    cut = [Span(span.start + number * step, span.start + (number + 1) * step) for number in range(count)]
    prices = usage_service.tariffs_by_day(access, home, books, cut)
    keys: dict[int, str | None] = {device_id: str(device_id) for device_id in device_ids}
    amounts: Sequence[Amount] = usage_service.amounts(access, books, cut, prices, keys)
    for one in amounts:
        result[one.device_id][cut[one.bucket].start] = (rules.Used(one.energy_kwh, one.price), one.covered_s)
    return result
