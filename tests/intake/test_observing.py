"""When a command counts as acknowledged, observed or failed: the device's own word, or its meter's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from core.words import Capabilities, Fan, Kind, Mode
from devices.base import Announcement, Event, Message, Reply, Report
from intake.service import Intake
from storage.tables import ApplianceRow, CommandRow, DeviceRow, EventRow, HomeRow
from tests.intake.conftest import NOON, Told, intake_of

SENT = NOON + timedelta(minutes=1, milliseconds=500)
AFTER = SENT + timedelta(seconds=20)


class Household:
    """An air conditioner, its metering plug, and an intake that hears what the test lets them say."""

    def __init__(self, database: Engine, *, one_way: bool = False) -> None:
        self.database = database
        self.told = Told()
        self.intake: Intake = intake_of(database, self.told, NOON + timedelta(hours=1))
        self.heard = 0
        unit = Capabilities(setpoint_step_k=1.0, one_way=one_way)
        self.hear(NOON, Announcement(native_id="ac", kind=Kind.AIR_CONDITIONER, capabilities=unit))
        self.hear(NOON, Announcement(native_id="plug", kind=Kind.PLUG))
        with Session(database) as session, session.begin():
            home_id = session.scalars(select(HomeRow.id)).one()
            appliance = ApplianceRow(home_id=home_id, kind="air_conditioner", name="Wall unit")
            session.add(appliance)
            session.flush()
            session.execute(update(DeviceRow).values(appliance_id=appliance.id))

    def hear(self, at: datetime, *events: Event, retained: bool = False) -> None:
        self.heard += 1
        self.told.meanings[str(self.heard)] = events
        self.intake.take_in([(at, Message(str(self.heard), b"", 1, retained))])

    def send(self, **body: Any) -> int:
        with Session(self.database) as session, session.begin():
            device = session.scalars(select(DeviceRow).where(DeviceRow.native_id == "ac")).one()
            command = CommandRow(
                home_id=device.home_id,
                device_id=device.id,
                requested_by="person",
                body=body,
                state="sent",
                attempts=1,
                queued_at=SENT,
                sent_at=SENT,
                expires_at=SENT + timedelta(hours=1),
            )
            session.add(command)
            session.flush()
            return command.id

    def state(self, command_id: int) -> str:
        return self.command(command_id).state

    def command(self, command_id: int) -> CommandRow:
        with Session(self.database) as session:
            command = session.get(CommandRow, command_id)
            assert command is not None
            return command

    def events(self) -> Sequence[str]:
        with Session(self.database) as session:
            rows = session.scalars(select(EventRow).where(EventRow.type == "command").order_by(EventRow.id))
            return [row.data["state"] for row in rows]


@pytest.fixture
def house(home: Engine) -> Household:
    return Household(home)


@pytest.fixture
def infrared(home: Engine) -> Household:
    return Household(home, one_way=True)


def ac(measured_at: datetime | None = None, **quantities: Any) -> Report:
    return Report(native_id="ac", measured_at=measured_at, **quantities)


def test_a_setpoint_is_observed_when_the_device_reports_it(house: Household) -> None:
    command = house.send(on=True, mode="cool", setpoint_c=26.0)
    house.hear(AFTER, Reply(native_id="ac", accepted=True))
    assert house.state(command) == "acknowledged"
    house.hear(AFTER, ac(on=True, mode=Mode.COOL, setpoint_c=26.0))
    row = house.command(command)
    assert row.state == "observed"
    assert row.acknowledged_at == AFTER
    assert row.observed_at is not None
    assert row.ended_at == row.observed_at
    assert house.events() == ["acknowledged", "observed"]


def test_a_device_may_show_its_new_state_quantity_by_quantity(house: Household) -> None:
    house.hear(NOON, ac(on=True, mode=Mode.COOL, setpoint_c=24.0, fan=Fan.AUTO))
    command = house.send(on=True, mode="cool", setpoint_c=26.0, fan="low")
    house.hear(AFTER, ac(fan=Fan.LOW))
    assert house.state(command) == "sent"
    house.hear(AFTER, ac(setpoint_c=26.0))
    assert house.state(command) == "observed"


def test_a_state_of_before_is_no_observation(house: Household) -> None:
    house.hear(NOON, ac(on=True, setpoint_c=26.0))
    command = house.send(setpoint_c=26.0)
    house.hear(AFTER, ac(power_w=300.0))
    house.hear(AFTER, ac(measured_at=SENT - timedelta(minutes=1), setpoint_c=26.0))
    house.hear(AFTER, ac(setpoint_c=26.0), retained=True)
    house.hear(AFTER, ac(setpoint_c=26.0, assumed=True))
    assert house.state(command) == "sent"
    house.hear(AFTER, ac(setpoint_c=26.0))
    assert house.state(command) == "observed"


def test_a_devices_own_time_may_be_cut_to_the_second(house: Household) -> None:
    command = house.send(setpoint_c=26.0)
    house.hear(AFTER, ac(measured_at=SENT.replace(microsecond=0), setpoint_c=26.0))
    assert house.state(command) == "observed"


@pytest.mark.parametrize(("shown_c", "state"), [(25.5, "observed"), (26.5, "observed"), (25.0, "sent")])
def test_a_setpoint_counts_within_half_a_step(house: Household, shown_c: float, state: str) -> None:
    command = house.send(setpoint_c=26.0)
    house.hear(AFTER, ac(setpoint_c=shown_c))
    assert house.state(command) == state


def test_a_refusal_ends_the_command(house: Household) -> None:
    command = house.send(setpoint_c=26.0)
    house.hear(AFTER, Reply(native_id="ac", accepted=False, detail="child lock"))
    row = house.command(command)
    assert (row.state, row.detail) == ("failed", "child lock")
    house.hear(AFTER, ac(setpoint_c=26.0))
    assert house.state(command) == "failed"


def test_a_reply_of_before_the_sending_answers_something_else(house: Household) -> None:
    command = house.send(setpoint_c=26.0)
    house.hear(NOON, Reply(native_id="ac", accepted=True))
    assert house.state(command) == "sent"


@pytest.mark.parametrize(("on", "seen_w", "other_w"), [(True, 600.0, 0.5), (False, 0.5, 600.0)])
def test_the_meter_of_a_one_way_unit_is_the_evidence(
    infrared: Household, on: bool, seen_w: float, other_w: float
) -> None:
    infrared.hear(NOON, Report(native_id="plug", power_w=seen_w))
    command = infrared.send(on=on, setpoint_c=26.0)
    infrared.hear(AFTER, Reply(native_id="ac", accepted=True), ac(on=on, setpoint_c=26.0, assumed=True))
    assert infrared.state(command) == "acknowledged"
    infrared.hear(AFTER, Report(native_id="plug", power_w=other_w))
    assert infrared.state(command) == "acknowledged"
    infrared.hear(AFTER, Report(native_id="plug", power_w=seen_w))
    assert infrared.state(command) == "observed"


def test_a_one_way_unit_that_was_told_a_setpoint_alone_stays_acknowledged(infrared: Household) -> None:
    command = infrared.send(setpoint_c=26.0)
    infrared.hear(AFTER, Reply(native_id="ac", accepted=True), Report(native_id="plug", power_w=600.0))
    infrared.hear(AFTER, Report(native_id="plug", power_w=600.0))
    assert infrared.state(command) == "acknowledged"


def test_a_remote_control_that_was_seen_is_marked(house: Household) -> None:
    house.hear(AFTER, ac(setpoint_c=22.0, by_hand=True))
    with Session(house.database) as session:
        event = session.scalars(select(EventRow).where(EventRow.type == "device").order_by(EventRow.id.desc())).first()
        assert event is not None
        assert event.data["values"] == {"setpoint_c": 22.0, "by_hand": True}
