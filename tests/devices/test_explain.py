"""What `lingyun devices explain` says of recorded messages."""

import json

from hypothesis import given
from hypothesis import strategies as st

from devices.explain import explain
from tests.devices import test_tasmota


def told(*lines: object) -> list[str]:
    return list(explain(line if isinstance(line, str) else json.dumps(line) for line in lines))


def test_each_message_is_explained_in_the_order_of_the_file() -> None:
    lines = told(
        {"topic": test_tasmota.CONFIG, "payload": test_tasmota.config(), "retained": True},
        {"topic": "tele/desk/SENSOR", "payload": '{"ENERGY":{"Power":63,"Total":1.5}}'},
        {"topic": "stat/desk/RESULT", "payload": {"POWER": "ON"}},
    )
    assert lines == [
        f"1: {test_tasmota.CONFIG}: tasmota: plug C45BBE0A1F77 (Desk, Tasmota, Plug v3)",
        "2: tele/desk/SENSOR: tasmota: report of C45BBE0A1F77: power_w 63, energy_total_kwh 1.5; "
        "without a time of its own: the time of receipt stands",
        "3: stat/desk/RESULT: tasmota: reply of C45BBE0A1F77: the command was accepted",
        "3: stat/desk/RESULT: tasmota: report of C45BBE0A1F77: on true; "
        "without a time of its own: the time of receipt stands",
    ]


def test_what_is_left_out_refused_or_nobodys_says_why() -> None:
    report = "lingyun/h/m/report"
    lines = told(
        {"topic": report, "payload": {"time": "2026-07-01T10:00:00Z", "power_w": 1e9, "on": True}},
        {"topic": report, "payload": {"time": "2026-07-01T10:00:00", "power_w": 1}},
        {"topic": "frigate/events", "payload": 7},
        {"topic": "zigbee2mqtt/unheard", "payload": {"power": 1}},
        "",
        "nonsense",
        {"payload": "no topic"},
    )
    assert lines[0].endswith("on true; measured at 2026-07-01T10:00:00+00:00 by the device's clock")
    assert lines[1] == f"1: {report}: native: left out: power_w: expected -50000 to 100000, got 1000000000.0"
    assert lines[2].startswith(f"2: {report}: quarantined: ")
    assert "timezone" in lines[2]
    assert lines[3] == "3: frigate/events: ignored: no dialect knows this topic, and no announcement before it named it"
    assert lines[4].startswith("4: zigbee2mqtt/unheard: ignored: zigbee2mqtt knows the topic")
    assert lines[5].startswith("6: not read")
    assert lines[6].startswith("7: not read")


def test_a_retained_state_without_a_time_is_of_unknown_age() -> None:
    (_, line) = told({"topic": "tele/p/SENSOR", "payload": {"ENERGY": {"Power": 5}}, "retained": True})
    assert "of unknown age" in line


def test_what_a_person_did_and_what_is_only_assumed_is_told_apart() -> None:
    frame = {"Vendor": "GREE", "Power": "On", "Mode": "Cool", "Temp": 25}
    lines = told(
        {"topic": "tele/ir/RESULT", "payload": {"IrReceived": {"IRHVAC": frame}}},
        {"topic": "stat/ir/RESULT", "payload": {"IRHVAC": frame}},
    )
    assert "air_conditioner ir" in lines[0]
    assert "16 to 30 °C" in lines[0]
    assert "report of ir by hand: " in lines[1]
    assert "report of ir assumed, as it was sent: " in lines[-1]


@given(
    lines=st.lists(
        st.text(max_size=60) | st.text(max_size=9).map(lambda t: json.dumps({"topic": t, "payload": t})), max_size=5
    )
)
def test_any_file_can_be_explained(lines: list[str]) -> None:
    assert all(isinstance(line, str) for line in explain(lines))
