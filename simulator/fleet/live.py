"""The demo home on a broker: one connection for each device, as in a real home, and steps in the project's time.

A command is obeyed and echoed at once, in the network thread of its device; between two steps the power stays that of
the last one. A device that has no broker keeps quiet and keeps counting; what it would have said is not queued.
"""

import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.client import ConnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.clock import Clock
from core.logging import get_logger
from core.mqtt import KEEP_ALIVE_S, Broker, new_client
from simulator.fleet.device import Device, Outgoing
from simulator.fleet.home import DemoFleet, write_state
from simulator.household import STEP_S

log = get_logger(__name__)

SAVE_EVERY_WALL_S = 1.0
LONGEST_GAP_S = 3 * 86_400  # a longer one is not lived through, only jumped over
MOST_QUEUED = 1000  # messages of one device on their way to the broker
PARTING_WAIT_S = 0.5


class Connection:
    """One device on the broker."""

    def __init__(self, device: Device, broker: Broker, clock: Clock, lock: threading.RLock) -> None:
        self._device = device
        self._clock = clock
        self._lock = lock
        self._client = new_client(broker, device.client_id)
        self._client.will_set(*device.will)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.max_queued_messages_set(MOST_QUEUED)
        self._client.on_connect = self._joined
        self._client.on_message = self._heard
        self._client.connect_async(broker.host, broker.port, KEEP_ALIVE_S)

    def start(self) -> None:
        """Join the broker in a thread of its own, again and again until it is there."""
        self._client.loop_start()

    def publish(self, messages: list[Outgoing]) -> None:
        """Send messages, or drop them while there is no broker."""
        if self._client.is_connected():
            for message in messages:
                self._client.publish(*message)

    def stop(self) -> None:
        """Say what the will would have said, and leave."""
        if self._client.is_connected():
            self._client.publish(*self._device.will).wait_for_publish(PARTING_WAIT_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _joined(
        self, client: mqtt.Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("device_refused", device=self._device.client_id, reason=str(reason))
            return
        client.subscribe([(topic, 1) for topic in self._device.subscriptions])
        with self._lock:
            self.publish(self._device.announce(self._now_s()))

    def _heard(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            answers = self._device.receive(message.topic, bytes(message.payload), self._now_s())
            self.publish(answers)

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


class LiveHome:
    """The demo home in the time of a clock.

    Parameters
    ----------
    state_path : Path
        Where the home keeps its state; written about every second of wall time and when it stops.
    """

    def __init__(self, fleet: DemoFleet, broker: Broker, clock: Clock, state_path: Path) -> None:
        self._fleet = fleet
        self._clock = clock
        self._state_path = state_path
        self._lock = threading.RLock()
        self._connections = [Connection(device, broker, clock, self._lock) for device in fleet.devices]
        self._saved_at_wall_s = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Live until ``stop`` is set."""
        self._catch_up()
        for connection in self._connections:
            connection.start()
        log.info("demo_home_started", at=self._fleet.household.now.isoformat())
        try:
            while not stop.wait(self._wait_s()):
                self._live_to_now()
        finally:
            for connection in self._connections:
                connection.stop()
            with self._lock:
                write_state(self._state_path, self._fleet)
            log.info("demo_home_stopped", at=self._fleet.household.now.isoformat())

    def _catch_up(self) -> None:
        """Live through the time since the last run in silence, or jump where it is too long."""
        household, now = self._fleet.household, self._clock.now()
        if now.timestamp() - household.at_s > LONGEST_GAP_S:
            household.jump(int(now.timestamp()) - LONGEST_GAP_S)
        household.run_until(now)

    def _live_to_now(self) -> None:
        """Take the steps that are due; only the last of several is told, as its reports hold all counters."""
        household = self._fleet.household
        with self._lock:
            due = int(self._clock.now().timestamp() - household.at_s) // STEP_S
            if due < 1:
                return
            for _ in range(due):
                household.step()
            at_s = float(household.at_s)
            for device, connection in zip(self._fleet.devices, self._connections, strict=True):
                connection.publish(device.report(at_s))
            if time.monotonic() - self._saved_at_wall_s >= SAVE_EVERY_WALL_S:
                write_state(self._state_path, self._fleet)
                self._saved_at_wall_s = time.monotonic()

    def _wait_s(self) -> float:
        """Wall time until the next step is due, within bounds that keep the loop calm and able to stop."""
        due_in_s = self._fleet.household.at_s + STEP_S - self._clock.now().timestamp()
        return min(max(due_in_s / self._clock.factor, 0.02), 5.0)
