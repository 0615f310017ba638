"""What the engine proposes for plugs, and what a household allows of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from api.allowance_schemas import Allowance, AllowanceEdit, Allowed, Proposal, ProposalPage
from api.dependencies import Access
from core.appliance_sentences import appliance_proposal
from core.errors import Conflict
from core.words import CommandState, Kind
from storage.repositories import allowances, homes
from storage.repositories.allowances import ALLOWANCE, PROPOSALS, DeviceLearned
from storage.repositories.kept import UNREADABLE
from storage.repositories.kill_switches import cancel_engine_commands
from storage.tables import DeviceRow, EventRow, HomeRow, Json


def proposals(access: Access, home: HomeRow) -> ProposalPage:
    """What could be allowed in a home, the most money first; empty before the engine knows enough."""
    items = [item for one in allowances.plugs_of_home(access.session, home.id) for item in _items(access, home, one)]
    items.sort(key=lambda one: (-Decimal(one.cost_per_year or 0), -one.energy_kwh_per_year, one.id))
    return ProposalPage(items=items)


def _items(access: Access, home: HomeRow, one: DeviceLearned) -> Iterable[Proposal]:
    if one.appliance is None or one.appliance.kind != Kind.PLUG:
        return
    for found in (one.values.get(PROPOSALS) or {}).get("items", ()):
        try:
            yield _proposal(access, home, one, found)
        except UNREADABLE:  # of another version: the engine writes it anew within a day
            continue


def _proposal(access: Access, home: HomeRow, one: DeviceLearned, found: Json) -> Proposal:
    assert one.appliance is not None
    energy_kwh, cost = Decimal(found["energy_kwh_per_year"]), found["cost_per_year"]
    currency = found["currency"] or home.currency
    allow = Allowed.model_validate(found["allow"])
    now = _edit_of(one.values.get(ALLOWANCE))
    return Proposal(
        id=f"{found['code']}-{one.device.id}",
        code=found["code"],
        device_id=one.device.id,
        room_id=one.device.room_id,
        sentence=appliance_proposal(
            found["code"],
            one.appliance.name,
            energy_kwh,
            None if cost is None else Decimal(cost),
            currency,
            found["values"],
            access.language,
        ),
        energy_kwh_per_year=float(energy_kwh),
        cost_per_year=cost,
        currency=currency,
        evidence=found["values"],
        allow=allow,
        allowed=now.cut_off if allow.cut_off else now.window is not None,
    )


def allowance(access: Access, device: DeviceRow) -> Allowance:
    """What is allowed of a device; nothing where nobody ever said."""
    now = _edit_of(allowances.allowance_of(access.session, device.id))
    return Allowance(device_id=device.id, cut_off=now.cut_off, window=now.window)


def set_allowance(access: Access, device: DeviceRow, body: AllowanceEdit) -> Allowance:
    """Allow something of a plug, or take it back: then the engine switches on again what it had cut off.

    Raises
    ------
    Conflict
        It is no plug of something that may be without power, or stands in no room.
    """
    nothing = not body.cut_off and body.window is None
    if not nothing:
        _check(access, device)
    allowances.set_allowance(access.session, device.id, body.model_dump(mode="json"), access.now)
    if nothing:
        cancel_engine_commands(access.session, access.now, device_ids=[device.id], states=(CommandState.QUEUED,))
    data = {"device_id": device.id, "room_id": device.room_id, "changed": "allowance"}
    access.session.add(EventRow(home_id=device.home_id, at=access.now, type="home", data=data))
    return allowance(access, device)


def _check(access: Access, device: DeviceRow) -> None:
    kind = homes.appliance_kind(access.session, device)
    if device.kind != Kind.PLUG or kind not in (None, Kind.PLUG):
        what = device.kind if kind is None else kind
        raise Conflict(f"this is no plug of something that may be without power: {what}", code="never_cut")
    if kind is None:
        raise Conflict(
            "nobody has said what is behind this plug, and food may depend on it: name its appliance first",
            code="appliance_unknown",
        )
    if device.room_id is None:
        raise Conflict("the plug stands in no room: say in which first", code="no_room")


def _edit_of(value: Any) -> AllowanceEdit:
    """The allowance of a stored one; nothing is allowed where it makes no sense."""
    try:
        return AllowanceEdit.model_validate(value or {})
    except ValueError:
        return AllowanceEdit()
