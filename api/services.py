"""The rules of the API: no HTTP here, and SQL only in the repositories."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api import modes_service, paging, schemas, security, usage_service, views
from api.dependencies import Access, Knock
from api.problems import LimitReached
from core.errors import Conflict, InvalidCommand, InvalidRequest, Unauthenticated
from core.words import Command, Fan, Kind, Mode
from insights import usage as rules
from insights.calendar import day_start, local_day
from insights.tariff import Tariff, load_document, read_tariff
from storage.database import read_only
from storage.repositories import accounts, fleet, homes, live, tariffs, tokens
from storage.repositories.commands import BY_PERSON, CommandRepository
from storage.repositories.decisions import DecisionRepository
from storage.repositories.homes import DeviceNow
from storage.repositories.kept import comfort_of
from storage.repositories.kept import set_comfort as store_comfort
from storage.repositories.learned import PersonState, Season
from storage.repositories.overrides import FROM_REST, OverrideRepository
from storage.tables import AccountRow, CommandRow, DecisionRow, DeviceRow, EventRow, HomeRow, RoomRow

COMMAND_LIFETIME = timedelta(minutes=5)
LONGEST_OVERRIDE = timedelta(days=7)
SAVINGS_DAYS_NEEDED = 14
GREATEST_TARIFF_NUMBER = 1_000_000_000


# --- who ---


def log_in(knock: Knock, body: schemas.Login) -> schemas.SessionToken:
    """A session for who knows the password; it is checked without holding the database.

    Raises
    ------
    Unauthenticated
        Name or password is wrong; which of them is not said.
    LimitReached
        Too many failures from there or for this account.
    """
    keys = (knock.address, f"account {body.name}")
    check_limit(knock, *keys)
    with Session(read_only(knock.database)) as session:
        account = accounts.find_account(session, body.name)
    password_hash = None if account is None else account.password_hash
    if not security.password_fits(password_hash, body.password) or account is None:
        knock.limiter.failed(*keys)
        raise Unauthenticated("name or password is wrong", code="wrong_login")
    knock.limiter.succeeded(*keys)
    with Session(knock.database) as session, session.begin():
        return new_session(session, account)


def set_up(knock: Knock, body: schemas.Setup) -> schemas.SessionToken:
    """Name and password for the account of a setup token, and a session.

    Raises
    ------
    Unauthenticated
        The token is unknown, expired or was used before.
    Conflict
        Another account has this name.
    LimitReached
        Too many failures from there.
    """
    check_limit(knock, knock.address)
    with Session(read_only(knock.database)) as session:
        known = tokens.find_token(session, body.token, (tokens.SETUP,)) is not None
    password_hash = security.hash_password(body.password) if known else ""
    with Session(knock.database) as session, session.begin():
        account = tokens.take_setup_token(session, body.token) if known else None
        if account is None:
            knock.limiter.failed(knock.address)
            raise Unauthenticated("the setup link is unknown, expired or was used before", code="setup_link_invalid")
        namesake = accounts.find_account(session, body.name)
        if namesake is not None and namesake.id != account.id:
            raise Conflict(f"the name {body.name!r} is taken", code="name_taken")
        account.name, account.password_hash = body.name, password_hash
        return new_session(session, account)


def check_limit(knock: Knock, *keys: str) -> None:
    """Refuse whoever failed too often.

    Raises
    ------
    LimitReached
        Says how long to wait.
    """
    wait_s = knock.limiter.wait_s(*keys)
    if wait_s:
        raise LimitReached(f"too many failed tries; wait {wait_s} s", wait_s)


def new_session(session: Session, account: AccountRow) -> schemas.SessionToken:
    """A token for a person who has just shown who they are."""
    token = tokens.create_session_token(session, account)
    return schemas.SessionToken(token=token, expires_at=datetime.now(UTC) + tokens.SESSION_LIFETIME)


def log_out(access: Access) -> None:
    """Revoke the session that the request carries; a program's token stays."""
    if access.caller.token_id is not None:
        tokens.revoke_session(access.session, access.caller.token_id)


def me(access: Access) -> schemas.Me:
    """Who the caller is."""
    rows = homes.homes_after(access.session, access.caller.homes, 0, len(access.caller.homes))
    reach = [schemas.HomeAccess(id=row.id, name=row.name, scope=access.caller.homes[row.id]) for row in rows]
    return schemas.Me(name=access.caller.name, demo=access.caller.demo, homes=reach)


# --- lists ---


def list_homes(access: Access, limit: int, cursor: str | None) -> schemas.HomePage:
    """Homes of the caller."""
    rows = homes.homes_after(access.session, access.caller.homes, paging.id_of(cursor) or 0, limit)
    items = [views.home(row, access.caller.homes[row.id]) for row in rows]
    return schemas.HomePage(items=items, next=paging.next_of([row.id for row in rows], limit))


def list_devices(access: Access, home_ids: Iterable[int], limit: int, cursor: str | None) -> schemas.DevicePage:
    """Devices of these homes."""
    found = homes.devices_now(access.session, home_ids, paging.id_of(cursor) or 0, limit)
    items = [views.device(one, access.present) for one in found]
    return schemas.DevicePage(items=items, next=paging.next_of([item.id for item in items], limit))


def quarantine(access: Access, limit: int, cursor: str | None) -> schemas.QuarantinePage:
    """Messages that could not be read, newest first."""
    rows = fleet.newest_quarantined(access.session, paging.id_of(cursor), limit)
    return schemas.QuarantinePage(items=views.quarantined(rows), next=paging.next_of([row.id for row in rows], limit))


# --- the first screen ---


def summary(access: Access, home: HomeRow) -> schemas.Summary:
    """The first screen of a home."""
    event_id = live.settled_event_id(access.session)
    found = homes.devices_now(access.session, [home.id])
    modes = modes_service.modes_now(access)
    rooms = [_room(access, row, found, modes) for row in homes.rooms_of_home(access.session, home.id)]
    heard = [
        one.state.last_report_at for one in found if one.state is not None and one.state.last_report_at is not None
    ]
    return schemas.Summary(
        id=home.id,
        name=home.name,
        time_zone=home.time_zone,
        currency=home.currency,
        as_of=access.now,
        stale=not access.present.is_fresh(max(heard, default=None)),
        power_w=_power_w(found, access.present),
        today=usage_service.today(access, home),
        outdoor_temperature_c=_outdoor_c(found, access.present),
        objective=modes_service.objective_of(home, None),
        kill_switch=modes_service.kill_switch(access, home.id),
        rooms=rooms,
        savings=schemas.Savings(days=_days_steered(access, home, rooms), days_needed=SAVINGS_DAYS_NEEDED),
        devices=schemas.DeviceCount(
            total=len(found), online=sum(one.state is not None and one.state.online is not False for one in found)
        ),
        event_id=event_id,
    )


def room(access: Access, row: RoomRow) -> schemas.Room:
    """A room now."""
    return _room(access, row, homes.devices_now(access.session, [row.home_id]), modes_service.modes_now(access))


def _room(access: Access, row: RoomRow, found: Sequence[DeviceNow], modes: modes_service.Modes) -> schemas.Room:
    session, present = access.session, access.present
    inside = [one for one in found if one.device.room_id == row.id]
    unit = next((one for one in inside if one.device.kind == Kind.AIR_CONDITIONER), None)
    decided = DecisionRepository(session).newest(row.id)
    in_force = OverrideRepository(session).current(row.id, present.now)
    as_of = max((at for one in inside if (at := views.values_of(one).newest_at()) is not None), default=None)
    return schemas.Room(
        id=row.id,
        home_id=row.home_id,
        name=row.name,
        **modes_service.of_room(access, row, modes),
        room_temperature_c=_of_room(inside, "room_temperature_c", present),
        humidity_pct=_of_room(inside, "humidity_pct", present),
        occupied=_of_room(inside, "occupied", present),
        comfort=None if unit is None else _comfort_now(access, row, unit, decided),
        air_conditioner=None if unit is None else _air_conditioner(access, unit, found),
        decision=None if decided is None else _decisions(access, [decided])[0],
        override=views.override(in_force),
        as_of=as_of,
        stale=not present.is_fresh(as_of),
    )


def _of_room(inside: Sequence[DeviceNow], quantity: str, present: views.Present) -> Any:
    """The fresh value of a quantity; a thermometer's before that of another device, the newest before older ones."""
    known = [
        (one.device.kind == Kind.THERMOMETER, values.at(quantity), values.get(quantity))
        for one in inside
        if (values := views.values_of(one)).fresh(quantity, present) is not None
    ]
    return max(known, key=lambda one: one[:2])[2] if known else None


def _comfort_now(access: Access, row: RoomRow, unit: DeviceNow, decided: DecisionRow | None) -> schemas.ComfortBand:
    """The band that the engine last used; before its first decision that of what the unit does."""
    saw = {} if decided is None else decided.saw
    seen = saw.get("season")
    heats = views.values_of(unit).get("mode") == Mode.HEAT if seen not in set(Season) else seen == Season.HEATING
    season = Season.HEATING if heats else Season.COOLING
    point = comfort_of(access.session, row.id).at(season, PersonState.HOME)
    return schemas.ComfortBand(
        season=season,
        state=PersonState.HOME,
        low_c=saw.get("comfort_low_c", point.low_c),
        high_c=saw.get("comfort_high_c", point.high_c),
        observations=point.observations,
    )


def _air_conditioner(access: Access, unit: DeviceNow, found: Sequence[DeviceNow]) -> schemas.AirConditioner:
    row, values = unit.device, views.values_of(unit)
    mode, fan = values.get("mode"), values.get("fan")
    newest = homes.newest_command(access.session, row.id)
    power_w = values.fresh("power_w", access.present)
    if row.appliance_id is not None:  # a metering plug before it knows better
        plugs = [one for one in found if one.device.appliance_id == row.appliance_id and one is not unit]
        metered_w = _power_w(plugs, access.present)
        power_w = power_w if metered_w is None else metered_w
    return schemas.AirConditioner(
        device_id=row.id,
        name=row.name,
        online=None if unit.state is None else unit.state.online,
        on=values.get("on"),
        mode=None if mode is None else Mode(mode),
        setpoint_c=values.get("setpoint_c"),
        fan=None if fan is None else Fan(fan),
        power_w=power_w,
        command=views.command_summary(newest),
        capabilities=row.capabilities,
    )


def _power_w(found: Sequence[DeviceNow], present: views.Present) -> float | None:
    """Sum of what devices draw, each appliance once; a meter of the house stands for all of them."""
    powers = {one.device.id: views.values_of(one).fresh("power_w", present) for one in found}
    telling = [
        rules.Measuring(one.device.id, one.device.kind, one.device.appliance_id)
        for one in found
        if powers[one.device.id] is not None
    ]
    counted = [powers[one.device_id] for one in rules.whole_home(telling)]
    return float(sum(counted)) if counted else None


def _outdoor_c(found: Sequence[DeviceNow], present: views.Present) -> float | None:
    told: float | None = _of_room(found, "outdoor_temperature_c", present)
    if told is None:
        told = _of_room([one for one in found if views.hangs_outdoors(one)], "room_temperature_c", present)
    return told


def _days_steered(access: Access, home: HomeRow, rooms: Sequence[schemas.Room]) -> int:
    firsts = [at for one in rooms if (at := DecisionRepository(access.session).first_at(one.id)) is not None]
    return (access.now - min(firsts)).days if firsts else 0


# --- rooms ---


def decisions(access: Access, row: RoomRow, limit: int, cursor: str | None) -> schemas.DecisionPage:
    """Decisions of a room, newest first."""
    rows = DecisionRepository(access.session).page(row.id, limit=limit, before_id=paging.id_of(cursor))
    return schemas.DecisionPage(items=_decisions(access, rows), next=paging.next_of([one.id for one in rows], limit))


def _decisions(access: Access, rows: Sequence[DecisionRow]) -> list[schemas.Decision]:
    sent = homes.commands_by_id(access.session, [row.command_id for row in rows if row.command_id is not None])
    return [views.decision(row, sent.get(row.command_id or 0), access.language) for row in rows]


def set_override(access: Access, row: RoomRow, body: schemas.OverrideEdit) -> schemas.Override:
    """A manual change; the engine acts on it within a second.

    Raises
    ------
    InvalidCommand
        The unit cannot do this, or the time is not ahead.
    Conflict
        The room has no air conditioner.
    """
    unit = _unit_of(access, row)
    until = body.until or access.now + timedelta(seconds=access.settings.override_hold_s)
    if not access.now < until <= access.now + LONGEST_OVERRIDE:
        raise InvalidRequest(
            f"until: expected a time within 7 days of {access.now.isoformat()}, got {until.isoformat()}"
        )
    target = checked_command(unit, body.target, None)
    started = OverrideRepository(access.session).start(
        room_id=row.id, origin=FROM_REST, target=target, started_at=access.now, until=until.astimezone(UTC)
    )
    shown = views.override(started)
    assert shown is not None
    return shown


def end_override(access: Access, row: RoomRow) -> None:
    """End the override in force, if there is one."""
    repository = OverrideRepository(access.session)
    for one in repository.open([row.id]):
        repository.end(one, access.now)


def comfort(access: Access, row: RoomRow) -> schemas.Comfort:
    """The comfort curve of a room."""
    return views.comfort(row.id, comfort_of(access.session, row.id))


def set_comfort(access: Access, row: RoomRow, body: schemas.ComfortEdit) -> schemas.Comfort:
    """Correct one point of the comfort curve."""
    curve = store_comfort(
        access.session,
        row.id,
        body.season,
        body.state,
        access.now,
        neutral_c=body.neutral_c,
        half_width_k=body.half_width_k,
        pinned=body.pinned,
    )
    _tell_home(access, row.home_id, {"room_id": row.id, "changed": "comfort"})
    return views.comfort(row.id, curve)


def set_control(access: Access, row: RoomRow, body: schemas.ControlEdit) -> schemas.Room:
    """Let the engine steer, watch, compare by days, or leave the room alone.

    Raises
    ------
    InvalidRequest
        A seed is given for what has no schedule.
    """
    modes_service.set_control(access, row, body)
    return room(access, row)


def set_room_objective(access: Access, row: RoomRow, body: schemas.RoomObjectiveEdit) -> schemas.Room:
    """What the engine is after in a room."""
    row.objective = None if body.objective is None else body.objective.value
    access.session.flush()
    _tell_home(access, row.home_id, {"room_id": row.id, "changed": "objective"})
    return room(access, row)


def set_home_objective(access: Access, home: HomeRow, body: schemas.HomeObjectiveEdit) -> schemas.Summary:
    """What the engine is after in a home."""
    homes.set_setting(access.session, home, "objective", body.objective.value)
    _tell_home(access, home.id, {"changed": "objective"})
    return summary(access, home)


def _tell_home(access: Access, home_id: int, data: dict[str, object]) -> None:
    access.session.add(EventRow(home_id=home_id, at=access.now, type="home", data=data))


def _unit_of(access: Access, row: RoomRow) -> DeviceRow:
    unit = homes.air_conditioner_of_room(access.session, row.id)
    if unit is None:
        raise Conflict(f"the room {row.name!r} has no air conditioner", code="no_air_conditioner")
    return unit


# --- what people say of their home ---


def set_device(access: Access, device: DeviceRow, body: schemas.DeviceEdit) -> schemas.Device:
    """Name a device, put it into a room, say what it measures; the appliance stands where its device does.

    Raises
    ------
    InvalidRequest
        Nothing is named.
    Conflict
        The home has as many rooms or appliances as it may have.
    """
    said = body.model_fields_set
    if not said:
        raise InvalidRequest("expected at least one of name, room, appliance")
    device.name = body.name or device.name
    if "room" in said:
        device.room_id = None if body.room is None else homes.room_named(access.session, device.home_id, body.room).id
    if "appliance" in said:
        wanted = body.appliance
        device.appliance_id = (
            None
            if wanted is None
            else homes.appliance_named(access.session, device.home_id, wanted.name, wanted.kind).id
        )
    access.session.flush()
    if device.appliance_id is not None:
        homes.place_appliance(access.session, device.appliance_id, device.room_id)
    _tell_home(access, device.home_id, {"device_id": device.id, "room_id": device.room_id, "changed": "device"})
    [found] = homes.devices_now(access.session, [device.home_id], device.id - 1, 1)
    return views.device(found, access.present)


def set_tariff(access: Access, home: HomeRow, body: schemas.TariffEdit) -> schemas.Tariff:
    """Prices of a home from a local midnight on, in the currency that its costs are then told in.

    Raises
    ------
    InvalidRequest
        There is no such tariff, or the document is none.
    Conflict
        The home has prices in another currency.
    """
    zone = ZoneInfo(home.time_zone)
    try:
        day = local_day(access.now, zone) if body.valid_from is None else date.fromisoformat(body.valid_from)
        document, prices = _tariff_of(body, day)
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise InvalidRequest(str(error) or type(error).__name__) from error
    valid_from = day_start(day, zone)
    others = [row for row in tariffs.tariffs_of_home(access.session, home.id) if row.valid_from != valid_from]
    if any(row.document.get("currency") != prices.currency for row in others):
        raise Conflict(f"the home has prices in another currency than {prices.currency}", code="currency_differs")
    source = document.get("source")
    tariffs.set_tariff(access.session, home.id, valid_from, document, source[:500] if isinstance(source, str) else None)
    home.currency = prices.currency
    _tell_home(access, home.id, {"changed": "tariff"})
    return schemas.Tariff(name=prices.name, currency=prices.currency, valid_from=valid_from, document=document)


def _tariff_of(body: schemas.TariffEdit, day: date) -> tuple[dict[str, Any], Tariff]:
    """The document and what it means, tried on a day: whatever a person may write is refused by some ValueError."""
    if (body.name is None) == (body.document is None):
        raise ValueError("expected either name or document")
    document = load_document(body.name) if body.name is not None else body.document
    assert document is not None
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")  # half a character is none
    if "\\u0000" in text:
        raise ValueError("tariff: expected text without NUL")
    prices = read_tariff(document)
    prices.day_rates(day)
    prices.marginal_price(datetime.combine(day, time.min), 0.0)
    numbers = [*prices.limits_kwh, *(price for rate in prices.rates for price in rate.prices)]
    if any(not number.is_finite() or abs(number) > GREATEST_TARIFF_NUMBER for number in numbers):
        raise ValueError(f"tariff: expected prices and limits within {GREATEST_TARIFF_NUMBER}")
    return document, prices


# --- commands ---


def send_command(access: Access, device: DeviceRow, body: schemas.CommandRequest, key: str | None) -> schemas.Command:
    """Queue a command once per key.

    Raises
    ------
    InvalidCommand
        The device cannot be told this.
    InvalidRequest
        The key was used for another command.
    """
    wanted = checked_command(device, body, homes.appliance_kind(access.session, device))
    repository = CommandRepository(access.session)
    if key is not None and (before := repository.by_key(device.home_id, key)) is not None:
        return views.command(_same(before, device, wanted, key))
    try:
        with access.session.begin_nested():
            row = repository.queue(
                home_id=device.home_id,
                device_id=device.id,
                body=wanted,
                requested_by=BY_PERSON,
                queued_at=access.now,
                expires_at=access.now + COMMAND_LIFETIME,
                idempotency_key=key,
            )
    except IntegrityError:
        # the same key came twice at once, and the other was first
        before = None if key is None else repository.by_key(device.home_id, key)
        if before is None or key is None:
            raise
        row = _same(before, device, wanted, key)
    return views.command(row)


def command(row: CommandRow) -> schemas.Command:
    """A command and what became of it."""
    return views.command(row)


def checked_command(
    device: DeviceRow, wanted: schemas.Target | schemas.CommandRequest, appliance_kind: str | None
) -> Command:
    """The command, if this device can be told it.

    Raises
    ------
    InvalidCommand
        Says what it can be told.
    """
    command = Command(on=wanted.on, mode=wanted.mode, setpoint_c=wanted.setpoint_c, fan=wanted.fan)
    if not command.as_dict():
        raise InvalidCommand("expected at least one of on, mode, setpoint_c, fan")
    if device.kind == Kind.AIR_CONDITIONER:
        _check_capabilities(device.capabilities or {}, command)
    elif device.kind != Kind.PLUG or set(command.as_dict()) != {"on"}:
        raise InvalidCommand(f"a {device.kind} cannot be told {', '.join(command.as_dict())}")
    elif command.on is False and appliance_kind is None:
        raise InvalidCommand(
            "nobody has said what is behind this plug, and food may depend on it: "
            'name its appliance first, by PUT /api/v1/devices/{id} with {"appliance": {"name", "kind"}}',
            code="appliance_unknown",
        )
    elif command.on is False and appliance_kind == Kind.REFRIGERATOR:
        raise InvalidCommand("a refrigerator is not switched off from here: its food would spoil")
    return command


def _check_capabilities(capabilities: dict[str, object], command: Command) -> None:
    low_c, high_c = capabilities.get("setpoint_min_c"), capabilities.get("setpoint_max_c")
    setpoint_c = command.setpoint_c
    if setpoint_c is not None and isinstance(low_c, int | float) and setpoint_c < low_c:
        raise InvalidCommand(f"setpoint {setpoint_c:.1f} °C is below the {low_c:.1f} °C of this unit")
    if setpoint_c is not None and isinstance(high_c, int | float) and setpoint_c > high_c:
        raise InvalidCommand(f"setpoint {setpoint_c:.1f} °C is above the {high_c:.1f} °C of this unit")
    for word, value, known in (
        ("mode", command.mode, capabilities.get("modes")),
        ("fan", command.fan, capabilities.get("fans")),
    ):
        if value is not None and isinstance(known, list) and known and value not in known:
            raise InvalidCommand(f"{word} {value} is none of this unit's: {', '.join(map(str, known))}")


def _same(before: CommandRow, device: DeviceRow, wanted: Command, key: str) -> CommandRow:
    if before.device_id != device.id or before.body != wanted.as_dict():
        raise InvalidRequest(
            f"the key {key!r} was used for command {before.id}, which is another", code="idempotency_key_reused"
        )
    return before
