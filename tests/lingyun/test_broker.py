"""The embedded broker, as a real child process."""

import dataclasses
import queue
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.mqtt import Broker, broker_file, find_broker, new_client
from core.settings import Settings
from lingyun.broker import EmbeddedBroker, check_login, start_embedded_broker
from tests.conftest import free_port


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    running = start_embedded_broker(tmp_path, 0)
    yield running
    running.stop()


def test_it_lets_in_whoever_knows_the_password_and_nobody_else(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    found = find_broker(Settings(data_dir=tmp_path), "demo-home")
    assert check_login(found) is None
    assert "refuses us" in (check_login(dataclasses.replace(found, password="guess")) or "")
    assert "refuses us" in (check_login(Broker(found.host, found.port)) or "")


def test_passwords_are_readable_by_their_owner_alone(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    for path in (broker_file(tmp_path), tmp_path / "broker" / "users.conf", tmp_path / "broker" / "nats.conf"):
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_a_persistent_session_gets_what_was_sent_while_it_was_away_even_over_a_restart(tmp_path: Path) -> None:
    running = start_embedded_broker(tmp_path, free_port())
    port = running.broker.port
    receive(running.broker, expected=0)
    sender = new_client(running.broker, "sender")
    sender.connect(running.broker.host, port)
    sender.loop_start()
    sender.publish("tele/plug/SENSOR", b"kept", qos=1).wait_for_publish(5)
    sender.disconnect()
    sender.loop_stop()
    running.stop()
    running = start_embedded_broker(tmp_path, port)
    try:
        assert receive(running.broker, expected=1) == [b"kept"]
    finally:
        running.stop()


def test_devices_cannot_reach_the_store_behind_mqtt(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    """An MQTT client without limits could delete the stream that holds unread messages; see the server's log."""
    device = new_client(find_broker(Settings(data_dir=tmp_path), "demo-home"), "device")
    device.connect(embedded.broker.host, embedded.broker.port)
    device.loop_start()
    device.publish("$JS/API/STREAM/DELETE/$MQTT_msgs", b"", qos=1).wait_for_publish(5)
    device.disconnect()
    device.loop_stop()
    assert "Publish Violation" in (tmp_path / "broker" / "nats.log").read_text()


def test_a_port_in_use_is_said_with_what_to_do(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"in use.*LINGYUN_MQTT_URL.*LINGYUN_MQTT_PORT=0"):
        start_embedded_broker(tmp_path / "second", embedded.broker.port)


def receive(broker: Broker, expected: int) -> list[bytes]:
    """Join as the persistent client, take that many messages and leave."""
    came: queue.Queue[bytes] = queue.Queue()
    subscribed: queue.Queue[object] = queue.Queue()
    client = new_client(broker, "keeper", persistent=True)
    client.on_message = lambda _client, _data, message: came.put(bytes(message.payload))
    client.on_subscribe = lambda *answer: subscribed.put(answer)
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.subscribe("tele/#", qos=1)
    subscribed.get(timeout=5)
    payloads = [came.get(timeout=10) for _ in range(expected)]
    client.disconnect()
    client.loop_stop()
    return payloads
