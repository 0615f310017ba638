"""The demo home on real brokers: commands are echoed, restarts of itself and of the broker survived, wills sent."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from core.clock import Clock
from core.mqtt import Broker, new_client
from simulator.fleet.home import demo_fleet, read_state, state_file
from simulator.fleet.live import LiveHome
from simulator.fleet.manifest import start_instant
from tests.conftest import free_port, nats_server_binary, require, wait_for_port

PATIENCE_S = 30.0
SEED = 1
START = start_instant(SEED)
FIRST_WORDS = (  # of each device, after which it hears
    "qinglu/living_room_ac/state",
    "tele/bedroom_ir/STATE",
    "tele/bedroom_ac_plug/SENSOR",
    "shellyplusplugs-b8d61a8c2f10/status/switch:0",
    "tele/tv_plug/SENSOR",
    "tele/router_plug/SENSOR",
    "zigbee2mqtt/washing_machine",
)


class Listener:
    """A client that hears everything."""

    def __init__(self, broker: Broker) -> None:
        self.heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        subscribed = threading.Event()
        self.client = new_client(broker, f"listener-{os.urandom(4).hex()}")
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = lambda _client, _data, message: self.heard.put(message)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert subscribed.wait(PATIENCE_S)

    def wait_for(self, topic: str, matches: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first payload of a topic from now on that matches, as JSON where it is JSON."""
        end = time.monotonic() + PATIENCE_S
        while True:
            message = self.heard.get(timeout=max(end - time.monotonic(), 0.01))
            text = bytes(message.payload).decode()
            body = json.loads(text) if text[:1] in ("{", "[") else text
            if message.topic == topic and matches(body):
                return body

    def wait_for_all(self, *topics: str) -> None:
        """Return once each topic was heard, in whatever order."""
        missing, end = set(topics), time.monotonic() + PATIENCE_S
        while missing:
            missing.discard(self.heard.get(timeout=max(end - time.monotonic(), 0.01)).topic)

    def close(self) -> None:
        """Leave the broker."""
        self.client.disconnect()
        self.client.loop_stop()


@contextlib.contextmanager
def listening(broker: Broker) -> Iterator[Listener]:
    """A listener for the length of a block."""
    listener = Listener(broker)
    try:
        yield listener
    finally:
        listener.close()


@contextlib.contextmanager
def living(broker: Broker, state: Path, clock: Clock) -> Iterator[LiveHome]:
    """A demo home in a thread, for the length of a block."""
    fleet = read_state(state, SEED) or demo_fleet(SEED, clock.now())
    home, stop = LiveHome(fleet, broker, clock, state), threading.Event()
    thread = threading.Thread(target=home.run, args=(stop,))
    thread.start()
    try:
        yield home
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextlib.contextmanager
def process(broker: Broker, data_dir: Path, clock: Clock) -> Iterator[subprocess.Popen[bytes]]:
    """The demo home as ``lingyun serve`` starts it."""
    command = [sys.executable, "-m", "simulator.fleet", "demo-home", "--seed", str(SEED)]
    child = subprocess.Popen(
        [*command, "--clock", clock.to_text(), "--data-dir", str(data_dir)],
        env={**os.environ, "LINGYUN_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait(PATIENCE_S)


@pytest.fixture(params=["nats_broker", "mosquitto_broker"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each kind of broker."""
    found: Broker = request.getfixturevalue(request.param)
    return found


def test_a_command_is_echoed_at_once_by_each_kind_of_device(broker: Broker, tmp_path: Path) -> None:
    clock = Clock.starting_at(START, 1.0)  # the next step is a minute away: an echo comes from the command alone
    with listening(broker) as listener, living(broker, tmp_path / "state.json", clock):
        listener.wait_for_all(*FIRST_WORDS)
        echoes: list[tuple[str, str, str, Callable[[Any], bool]]] = [
            (
                "qinglu/living_room_ac/temperature/set",
                "23.5",
                "qinglu/living_room_ac/state",
                lambda b: b["temperature"] == 23.5,
            ),
            ("qinglu/living_room_ac/mode/set", "heat", "qinglu/living_room_ac/state", lambda b: b["mode"] == "heat"),
            ("cmnd/tv_plug/POWER", "OFF", "stat/tv_plug/POWER", lambda b: b == "OFF"),
            (
                "zigbee2mqtt/washing_machine/set",
                '{"state":"OFF"}',
                "zigbee2mqtt/washing_machine",
                lambda b: b["state"] == "OFF",
            ),
            (
                "cmnd/bedroom_ir/IRHVAC",
                '{"Vendor":"MIDEA","Power":"On","Mode":"Dry","Temp":22}',
                "stat/bedroom_ir/RESULT",
                lambda b: b["IRHVAC"]["Mode"] == "Dry",
            ),
            (
                "shellyplusplugs-b8d61a8c2f10/rpc",
                '{"id":9,"src":"test-svc","method":"Switch.Set","params":{"id":0,"on":true}}',
                "test-svc/rpc",
                lambda b: b["id"] == 9,
            ),
        ]
        for topic, payload, answer, matches in echoes:
            began_s = time.monotonic()
            listener.client.publish(topic, payload, qos=1)
            listener.wait_for(answer, matches)
            assert time.monotonic() - began_s < 5.0


def test_it_lives_in_the_time_of_its_clock(mosquitto_broker: Broker, tmp_path: Path) -> None:
    clock = Clock.starting_at(START, 600.0)
    with listening(mosquitto_broker) as listener, living(mosquitto_broker, tmp_path / "state.json", clock):
        topic = "shellyplusplugs-b8d61a8c2f10/events/rpc"
        first = listener.wait_for(topic, lambda body: body["method"] == "NotifyStatus")["params"]["ts"]
        later = listener.wait_for(topic, lambda body: body["params"]["ts"] >= first + 600.0)["params"]["ts"]
        assert later % 60.0 == 0.0
        assert abs(clock.now().timestamp() - later) < 600.0


def test_sigterm_ends_it_quickly_and_the_next_run_goes_on_with_its_counters(
    mosquitto_broker: Broker, tmp_path: Path
) -> None:
    topic = "tele/router_plug/SENSOR"
    clock = Clock.starting_at(START, 60.0)
    with listening(mosquitto_broker) as listener:
        with process(mosquitto_broker, tmp_path, clock) as child:
            listener.wait_for("qinglu/living_room_ac/availability", lambda word: word == "online")
            listener.wait_for(topic)
            before = listener.wait_for(topic)["ENERGY"]["Total"]
            child.send_signal(signal.SIGTERM)
            began_s = time.monotonic()
            assert child.wait(PATIENCE_S) == 0
            assert time.monotonic() - began_s < 5.0
        listener.wait_for("qinglu/living_room_ac/availability", lambda word: word == "offline")
        assert state_file(tmp_path).is_file()
        ahead = Clock.starting_at(START + timedelta(hours=6), 60.0)
        with process(mosquitto_broker, tmp_path, ahead):
            after = listener.wait_for(topic)["ENERGY"]["Total"]
    assert after == pytest.approx(before + 6 * 0.0113, abs=0.015)  # it went on counting while nobody heard it


def test_the_broker_speaks_for_devices_that_are_lost(mosquitto_broker: Broker, tmp_path: Path) -> None:
    with (
        listening(mosquitto_broker) as listener,
        process(mosquitto_broker, tmp_path, Clock.starting_at(START, 60.0)) as child,
    ):
        listener.wait_for_all(*FIRST_WORDS)
        child.kill()
        lost = {"tele/tv_plug/LWT": "Offline", "qinglu/living_room_ac/availability": "offline"}
        while lost:
            message = listener.heard.get(timeout=PATIENCE_S)
            if lost.get(message.topic) == bytes(message.payload).decode():
                del lost[message.topic]


def test_it_comes_back_after_the_broker_does(tmp_path: Path) -> None:
    binary = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    require(binary, "mosquitto is not installed (Debian: apt-get install mosquitto)")
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = Broker("127.0.0.1", port)

    def start() -> subprocess.Popen[bytes]:
        server = subprocess.Popen([str(binary), "-c", str(configuration)], stderr=subprocess.DEVNULL)
        wait_for_port(port, server)
        return server

    server = start()
    try:
        with living(broker, tmp_path / "state.json", Clock.starting_at(START, 60.0)):
            with listening(broker) as listener:
                listener.wait_for("tele/tv_plug/SENSOR")
            server.kill()
            server.wait()
            server = start()
            with listening(broker) as listener:
                listener.wait_for_all(*FIRST_WORDS)
                listener.client.publish("cmnd/tv_plug/POWER", "OFF", qos=1)
                listener.wait_for("stat/tv_plug/POWER", lambda word: word == "OFF")
    finally:
        server.kill()
        server.wait()


def test_without_a_broker_it_says_what_to_do(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "LINGYUN_MQTT_URL"}
    command = [sys.executable, "-m", "simulator.fleet", "demo-home", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"LINGYUN_MQTT_URL" in done.stderr
    assert b"Traceback" not in done.stderr


def test_its_password_is_read_from_the_data_directory_of_the_embedded_broker(tmp_path: Path) -> None:
    port, mqtt_port = free_port(), free_port()
    configuration = tmp_path / "nats.conf"
    configuration.write_text(
        f'server_name: home\nlisten: "127.0.0.1:{port}"\njetstream {{ store_dir: "{tmp_path}/store" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{mqtt_port}" }}\n'
        "accounts { HOME { jetstream: enabled, users: [ "
        '{ user: "service", password: "one" }, { user: "demo-home", password: "two" } ] } }\n'
    )
    known = {"host": "127.0.0.1", "port": mqtt_port, "passwords": {"service": "one", "demo-home": "two"}}
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "broker.json").write_text(json.dumps(known))
    server = subprocess.Popen([nats_server_binary(), "-c", str(configuration), "-l", str(tmp_path / "log")])
    try:
        wait_for_port(mqtt_port, server)
        environment = {name: value for name, value in os.environ.items() if name != "LINGYUN_MQTT_URL"}
        command = [
            sys.executable,
            "-m",
            "simulator.fleet",
            "demo-home",
            "--data-dir",
            str(tmp_path),
            "--seed",
            str(SEED),
        ]
        child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            with listening(Broker("127.0.0.1", mqtt_port, "service", "one")) as listener:
                listener.wait_for("tele/tv_plug/SENSOR")
                listener.client.publish("qinglu/living_room_ac/temperature/set", "24", qos=1)
                listener.wait_for("qinglu/living_room_ac/state", lambda body: body["temperature"] == 24.0)
        finally:
            child.terminate()
            assert child.wait(PATIENCE_S) == 0
    finally:
        server.terminate()
        server.wait()
