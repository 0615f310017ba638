"""Promise 6: whatever comes on the subscribed topics is stored, ignored or quarantined, and costs bounded memory."""

import json
import random
import resource
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.mqtt import Broker
from devices.base import Message
from storage.tables import CounterRow, QuarantineRow
from tests.intake.conftest import HOME, NOON, intake_of
from tests.intake.test_session import broker, client_id, live, prefix, publish, publishing, running, wait_until

__all__ = ["broker", "client_id", "prefix"]

NORMAL, SLOW = 500_000, 500_000
GROWTH_MIB = 100.0

NUMBERS = ("0", "-1", "1e999", "-0.0", "NaN", "1e-320", "999999999999999999999", "true", '"12.5"', "null", "[1]", "{}")
REAL = (
    (f"lingyun/{HOME}/f{{n}}/report", '{"time": "2026-07-01T11:59:%02dZ", "power_w": 12.5, "energy_total_kwh": 3.25}'),
    (f"lingyun/{HOME}/f{{n}}/report", '{"reports": [{"time": "2026-07-01T11:58:%02dZ", "room_temperature_c": 25.5}]}'),
    (f"lingyun/{HOME}/f{{n}}/announce", '{"kind": "plug", "name": "Plug %d", "area": "Kitchen"}'),
    (f"lingyun/{HOME}/f{{n}}/reply", '{"accepted": true, "detail": "%d"}'),
    ("zigbee2mqtt/f{n}", '{"state": "ON", "power": 5.5, "energy": 1.%02d, "last_seen": "2026-07-01T11:59:00Z"}'),
    ("zigbee2mqtt/bridge/devices", '[{"ieee_address": "0x%d", "friendly_name": "f1", "definition": null}]'),
    ("tele/f{n}/SENSOR", '{"Time": "2026-07-01T11:59:00", "ENERGY": {"Total": 3.1%02d, "Power": 50}}'),
    ("tele/f{n}/LWT", "Online%d"),
    ("tele/f{n}/RESULT", '{"IrReceived": {"Protocol": "MIDEA", "IRHVAC": {"Power": "on", "Temp": %d}}}'),
    ("tasmota/discovery/A{n}/config", '{"t": "f1", "ft": "%%prefix%%/%%topic%%/", "mac": "A1", "rl": [%d]}'),
    (
        "shellyplusplugs-f{n}/events/rpc",
        '{"src": "shellyplusplugs-f1", "method": "NotifyStatus", "params": {"ts": 1782907140.%d, "switch:0": {"id": 0, '
        '"apower": 8.5, "aenergy": {"total": 105.2}}}}',
    ),
    ("shellyplusplugs-f{n}/status/switch:0", '{"id": 0, "output": true, "apower": 8.5, "aenergy": {"total": 1%d}}'),
    (
        "homeassistant/climate/f{n}/config",
        '{"uniq_id": "f1", "mode_stat_t": "ac/f1/mode", "mode_cmd_t": "ac/f1/mode/set", "temp_stat_t": "ac/f1/t", '
        '"temp_cmd_t": "ac/f1/t/set", "temp_step": %d, "val_tpl": "{{ value_json.a }}"}',
    ),
    ("ac/f1/t", "%d"),
)


def mutated(chance: random.Random, payload: bytes) -> bytes:
    """A payload with one thing wrong."""
    how = chance.randrange(7)
    at = chance.randrange(len(payload) + 1)
    if how == 0:
        return payload[:at]
    if how == 1:
        return payload[:at] + bytes([chance.randrange(256)]) + payload[at + 1 :]
    if how == 2:
        return payload[:at] + chance.randbytes(chance.randrange(8)) + payload[at:]
    if how == 3:
        return payload * chance.randrange(2, 5)
    if how == 4:
        return b"[" * chance.choice((10, 2000)) + payload
    text = payload.decode()
    if how == 5:
        digits = [place for place, sign in enumerate(text) if sign.isdigit()]
        place = chance.choice(digits) if digits else 0
        return (text[:place] + chance.choice(NUMBERS) + text[place + 1 :]).encode()
    return json.dumps(chance.choice((text, [text], {text: text}, None, 0, text[::-1]))).encode()


def random_messages(count: int, seed: int) -> Iterator[tuple[datetime, Message]]:
    """Random bytes, and real payloads of every dialect with something wrong, on topics that are subscribed."""
    chance = random.Random(seed)
    for number in range(count):
        topic, payload = chance.choice(REAL)
        topic = topic.replace("{n}", str(chance.randrange(30)))
        kind = chance.random()
        if kind < 0.25:
            body = chance.randbytes(chance.randrange(200))
        elif kind < 0.9:
            body = mutated(chance, (payload % chance.randrange(60)).encode())
        else:
            body = (payload % chance.randrange(60)).encode()
        if chance.random() < 0.1:
            letters = string.ascii_letters + "/é温 "
            topic = topic.rsplit("/", 1)[0] + "/" + "".join(chance.choice(letters) for _ in range(chance.randrange(20)))
        at = NOON + timedelta(milliseconds=number)
        yield at, Message(topic, body, chance.randrange(2), chance.random() < 0.1, chance.random() < 0.1)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def check_fuzz(database: Engine, count: int, seed: int) -> None:
    intake = intake_of(database, now=NOON + timedelta(days=1))
    intake.take_in(random_messages(5000, seed + 1000))
    before_mib = resident_mib()
    tally = intake.take_in(random_messages(count, seed))
    assert tally.stored + tally.ignored + tally.quarantined == count
    assert min(tally.stored, tally.ignored, tally.quarantined) > count // 100
    assert resident_mib() - before_mib < GROWTH_MIB
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(QuarantineRow)) == 1000
        counters = {row.name: row.value for row in session.scalars(select(CounterRow))}
    assert sum(counters[f"messages_{name}"] for name in ("stored", "ignored", "quarantined")) == count + 5000


def test_half_a_million_messages_of_any_bytes_are_accounted_for(sqlite_home: Engine) -> None:
    check_fuzz(sqlite_home, NORMAL, seed=1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_any_bytes_are_accounted_for_on_postgresql(home: Engine) -> None:
    check_fuzz(home, 20_000, seed=2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_other_half_million_messages_of_any_bytes_are_accounted_for(sqlite_home: Engine) -> None:
    check_fuzz(sqlite_home, SLOW, seed=3)


def test_any_bytes_through_a_broker_are_accounted_for(
    sqlite_home: Engine, broker: Broker, client_id: str, prefix: str
) -> None:
    """Only payloads here: a bad topic costs its publisher the connection, before anybody subscribed sees it."""
    messages = [
        Message(f"{prefix}/{message.topic.split('/')[0]}", message.payload, 1)
        for _, message in random_messages(2000, seed=4)
        if message.topic.isascii() and " " not in message.topic and message.topic.split("/")[0]
    ]
    messages += [Message(f"lingyun/{HOME}/{prefix}/report", message.payload, 1) for message in messages]
    filters = [f"{prefix}/#", f"lingyun/{HOME}/{prefix}/#"]
    intake = live(sqlite_home, broker, filters)
    with running(intake), publishing(broker) as client:
        publish(client, messages)
        wait_until(lambda: intake.messages >= len(messages), "all have arrived")
    tally = intake.tally
    assert tally.stored + tally.ignored + tally.quarantined == len(messages)
    assert min(tally.ignored, tally.quarantined) > 0
