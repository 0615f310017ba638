"""Shelly Gen2, from messages as its firmware writes them."""

import json
from datetime import UTC, datetime

import pytest

from core.errors import InvalidCommand, PayloadError
from core.words import Command, Kind, Mode
from devices.vendors.shelly import REPLY_TOPIC, Shelly
from tests.devices.said import (
    announcement,
    announcements,
    heard,
    known,
    plug,
    replies,
    report,
    reports,
    said,
    sent,
    values,
)

ID = "shellyplusplugs-a0dd6c4b1e20"
EVENTS = f"{ID}/events/rpc"
FULL = {
    "id": 0, "source": "init", "output": True, "apower": 86.4, "voltage": 229.8, "freq": 50.0, "current": 0.41,
    "aenergy": {"total": 18433.721, "by_minute": [1431.9, 1440.2, 1438.0], "minute_ts": 1782900000},
    "temperature": {"tC": 38.2, "tF": 100.8},
}  # fmt: skip


def notify(params: dict[str, object], *, source: str = ID, method: str = "NotifyStatus") -> dict[str, object]:
    return {"src": source, "dst": f"{ID}/events", "method": method, "params": {"ts": 1782900012.25, **params}}


def test_a_full_status_announces_the_plug_and_reports_in_our_units() -> None:
    body = notify({"switch:0": FULL, "sys": {"mac": "A0DD6C4B1E20", "ver": "1.4.4"}}, method="NotifyFullStatus")
    events = heard(Shelly(), EVENTS, body)
    told, said_ = announcement(events), report(events)
    assert (told.native_id, told.kind, told.manufacturer, told.firmware) == (ID, Kind.PLUG, "Shelly", "1.4.4")
    assert said_.measured_at == datetime(2026, 7, 1, 10, 0, 12, 250_000, tzinfo=UTC)
    assert values(said_) == {
        "on": True, "power_w": 86.4, "energy_total_kwh": pytest.approx(18.433721), "voltage_v": 229.8, "current_a": 0.41
    }  # fmt: skip


def test_a_partial_notification_names_only_what_changed() -> None:
    dialect = Shelly()
    first = heard(dialect, EVENTS, notify({"switch:0": {"id": 0, "apower": 3.1}}))
    assert announcement(first).native_id == ID
    assert values(report(first)) == {"power_w": 3.1}
    later = heard(dialect, EVENTS, notify({"switch:0": {"id": 0, "aenergy": {"total": 1000.0}}}))
    assert announcements(later) == []
    assert values(report(later)) == {"energy_total_kwh": 1.0}


def test_a_redelivered_message_announces_again_in_case_the_first_was_not_stored() -> None:
    dialect = Shelly()
    body = notify({"switch:0": {"id": 0, "apower": 3.1}})
    first = heard(dialect, EVENTS, body)
    assert heard(dialect, EVENTS, body, duplicate=True) == first


@pytest.mark.parametrize("ts", [None, 0, 31.5, "soon", 5e12, -1])
def test_a_clock_that_was_never_set_is_no_time(ts: object) -> None:
    body = {"src": ID, "method": "NotifyStatus", "params": {"ts": ts, "switch:0": {"apower": 1}}}
    assert report(heard(Shelly(), EVENTS, body)).measured_at is None


def test_standby_in_the_dead_band_is_read_from_the_last_minute() -> None:
    """apower 0.0 with 25 mWh in the last minute is 25 * 0.06 = 1.5 W."""
    dead = {"output": True, "apower": 0.0, "aenergy": {"total": 5.0, "by_minute": [25.0, 25.0, 25.0]}}
    assert values(report(heard(Shelly(), f"{ID}/status/switch:0", dead)))["power_w"] == pytest.approx(1.5)
    off = dead | {"output": False}
    assert values(report(heard(Shelly(), f"{ID}/status/switch:0", off)))["power_w"] == 0.0
    just_stopped = dead | {"aenergy": {"total": 5.0, "by_minute": [30_000.0, 0, 0]}}
    assert values(report(heard(Shelly(), f"{ID}/status/switch:0", just_stopped)))["power_w"] == 0.0


def test_the_warmth_of_the_plug_is_not_that_of_the_room() -> None:
    assert "room_temperature_c" not in values(report(heard(Shelly(), f"{ID}/status/switch:0", FULL)))


def test_a_status_topic_alone_makes_the_device_known_by_its_id() -> None:
    events = heard(Shelly(), f"{ID}/status/switch:0", FULL)
    assert announcement(events).native_id == report(events).native_id == ID
    assert report(events).measured_at is None


def test_a_prefix_of_its_owner_is_learnt_from_the_source() -> None:
    dialect = Shelly()
    assert dialect.decode(said("home/fridge/status/switch:0", FULL)) is None
    told = announcement(heard(dialect, "home/fridge/events/rpc", notify({"switch:0": {"apower": 1}})))
    assert (told.native_id, told.details["topic"]) == (ID, "home/fridge")
    assert report(heard(dialect, "home/fridge/status/switch:0", FULL)).native_id == ID
    assert sent(dialect.encode(known(told), Command(on=True)))[0][0] == "home/fridge/rpc"
    again = Shelly()
    again.recall(known(told))
    assert reports(heard(again, "home/fridge/online", "false"))[0].online is False


def test_online_before_the_first_status_is_told_with_it() -> None:
    dialect = Shelly()
    assert heard(dialect, f"{ID}/online", "true") == []
    events = heard(dialect, EVENTS, notify({"switch:0": {"apower": 1}}))
    assert [one.online for one in reports(events)] == [True, None]
    assert values(report(heard(dialect, f"{ID}/online", "false"))) == {"online": False}
    assert heard(dialect, f"{ID}/online", "") == []


def test_each_outlet_of_a_strip_is_a_device() -> None:
    body = notify({"switch:0": {"apower": 1.0}, "switch:1": {"apower": 2.0}, "switch:12": {"apower": 3.0}})
    dialect = Shelly()
    events = heard(dialect, EVENTS, body)
    assert {one.native_id: one.power_w for one in reports(events)} == {ID: 1.0, f"{ID}:1": 2.0, f"{ID}:12": 3.0}
    second = next(one for one in announcements(events) if one.native_id == f"{ID}:1")
    (order,) = dialect.encode(known(second), Command(on=False))
    assert json.loads(order.payload)["params"] == {"id": 1, "on": False}
    reply = {"id": json.loads(order.payload)["id"], "src": ID, "dst": "lingyun-shelly", "result": {"was_on": True}}
    assert replies(heard(dialect, REPLY_TOPIC, reply))[0].native_id == f"{ID}:1"


def test_a_meter_without_a_switch_and_a_thermometer_are_known_for_what_they_are() -> None:
    meter = "shellypmminig3-84fce63957c8"
    told = announcement(heard(Shelly(), f"{meter}/events/rpc", notify({"pm1:0": {"apower": 12.0}}, source=meter)))
    assert told.kind is Kind.METER
    with pytest.raises(InvalidCommand):
        Shelly().encode(known(told), Command(on=True))
    thermometer = "shellyhtg3-3030f9e5d6a4"
    body = notify(
        {"temperature:0": {"tC": 24.6}, "humidity:0": {"rh": 51.0}}, source=thermometer, method="NotifyFullStatus"
    )
    events = heard(Shelly(), f"{thermometer}/events/rpc", body)
    assert announcement(events).kind is Kind.THERMOMETER
    assert values(report(events)) == {"room_temperature_c": 24.6, "humidity_pct": 51.0}


def test_a_command_asks_for_an_answer_and_the_answer_is_a_reply() -> None:
    (order,) = Shelly().encode(plug(ID, topic=ID, component="switch:0"), Command(on=True))
    request = json.loads(order.payload)
    assert order.topic == f"{ID}/rpc"
    assert (request["method"], request["params"], f"{request['src']}/rpc") == (
        "Switch.Set",
        {"id": 0, "on": True},
        REPLY_TOPIC,
    )
    yes = {"id": request["id"], "src": ID, "dst": request["src"], "result": {"was_on": False}}
    no = {"id": request["id"], "src": ID, "dst": request["src"], "error": {"code": -103, "message": "overpower"}}
    assert [(one.native_id, one.accepted) for one in replies(heard(Shelly(), REPLY_TOPIC, yes))] == [(ID, True)]
    (refused,) = replies(heard(Shelly(), REPLY_TOPIC, no))
    assert (refused.accepted, refused.detail) == (False, "-103: overpower")


def test_a_registered_plug_needs_only_its_prefix() -> None:
    assert sent(Shelly().encode(plug(ID, topic="kitchen/plug"), Command(on=False)))[0][0] == "kitchen/plug/rpc"


def test_more_than_on_and_off_is_refused() -> None:
    for command in (Command(), Command(setpoint_c=22.0), Command(on=True, mode=Mode.COOL)):
        with pytest.raises(InvalidCommand):
            Shelly().encode(plug(ID, topic=ID), command)


@pytest.mark.parametrize("topic", ["frigate/online", "x/status/y", "zigbee2mqtt/a/events/rpc", "shellies/gen1/relay/0"])
def test_topics_of_others_are_left_alone(topic: str) -> None:
    assert Shelly().decode(said(topic, "true")) is None


def test_events_that_are_no_status_hold_nothing() -> None:
    dialect = Shelly()
    heard(dialect, EVENTS, notify({"switch:0": {"apower": 1}}))
    assert heard(dialect, EVENTS, {"src": ID, "method": "NotifyEvent", "params": {"ts": 1, "events": []}}) == []
    assert heard(dialect, EVENTS, notify({"wifi": {"rssi": -60}, "switch:x": {"apower": 1}, "switch:1": None})) == []


@pytest.mark.parametrize("payload", [b"\xff", b'{"method":', b'{"method":"NotifyStatus","params":{"ts":1e999}}'])
def test_a_notification_that_cannot_be_read_is_refused(payload: bytes) -> None:
    dialect = Shelly()
    heard(dialect, EVENTS, notify({"switch:0": {"apower": 1}}))
    with pytest.raises(PayloadError):
        heard(dialect, EVENTS, payload)
