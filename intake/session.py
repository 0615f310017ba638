"""The broker's side: one persistent MQTT session whose messages are acknowledged by hand, once they are stored.

paho's thread appends raw messages to a bounded buffer; while it is full that thread waits, and the broker with it.
A packet identifier means something within one connection only: what an earlier connection delivered is not
acknowledged on a later one, where the broker may have given its number to another message. It is delivered again.

nats-server delivers again on the same connection what stays unacknowledged for ``ack_wait`` (with the DUP flag, under
the same identifier): a copy of what is in hand is passed over.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from core.clock import Clock
from core.errors import ConfigurationError
from core.logging import get_logger
from core.mqtt import KEEP_ALIVE_S, Broker, new_client
from core.units import to_epoch_us
from devices.base import Message
from intake.words import Buffered

log = get_logger(__name__)

CLIENT_ID = "lingyun-intake"
MAX_MESSAGES = 20_000
MAX_BYTES = 32 * 2**20
BATCH_MESSAGES = 5000
BATCH_BYTES = 2**20  # stored well within the broker's patience (ack_wait)
ACK_PATIENCE_S = 10.0  # a copy that comes later than this after our acknowledgement is acknowledged again
REFUSED_FOR_GOOD = frozenset({"Bad user name or password", "Not authorized", "Client identifier not valid"})


class Buffer:
    """Raw messages between two threads, bounded in number and bytes."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._items: deque[Buffered] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Buffered) -> None:
        """Append; wait while there is no room. A closed buffer takes nothing: the broker keeps it."""
        with self._changed:
            while not self._closed and self._is_full():
                self._changed.wait(1.0)
            if self._closed:
                return
            self._items.append(item)
            self._bytes += _size(item)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> list[Buffered]:
        """What is there, up to a batch; wait for the first."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout_s)
            batch: list[Buffered] = []
            size = 0
            while self._items and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
                item = self._items.popleft()
                size += _size(item)
                batch.append(item)
            self._bytes -= size
            self._changed.notify_all()
            return batch

    def wake(self) -> None:
        """Let a waiting ``take`` return."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of waiting threads; what is in the buffer may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return len(self._items) >= self._max_messages or self._bytes >= self._max_bytes


def _size(item: Buffered) -> int:
    return len(item.message.payload) + len(item.message.topic) + 100


class Session:
    """A persistent session on the broker.

    Parameters
    ----------
    former : sequence of str
        Filters that an earlier run gave the session; those that are not wanted any more are taken back.

    Attributes
    ----------
    subscribed : threading.Event
        Set once the broker has granted every filter.
    failure : ConfigurationError or None
        What no retry can cure: refused credentials, a refused filter.
    """

    def __init__(
        self, broker: Broker, clock: Clock, filters: Sequence[str], buffer: Buffer, former: Sequence[str] = ()
    ) -> None:
        self._broker, self._clock, self._filters, self._buffer = broker, clock, tuple(filters), buffer
        self._former = [name for name in former if name not in filters]
        self.subscribed = threading.Event()
        self.failure: ConfigurationError | None = None
        self._generation = 0
        self._lock = threading.Lock()
        self._in_hand: set[int] = set()  # packet identifiers of this connection that are not acknowledged yet
        self._acknowledged: dict[int, float] = {}  # and those that are, with the time (monotonic)
        self._client = new_client(broker, CLIENT_ID, persistent=True, manual_ack=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect, now or as soon as the broker is there, and after every loss again."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave; the broker keeps what is not acknowledged."""
        self._buffer.close()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    def acknowledge(self, items: Sequence[Buffered]) -> None:
        """Tell the broker that messages are stored, as far as they came by the present connection."""
        with self._lock:
            now_s = time.monotonic()
            for item in items:
                if item.mid and item.generation == self._generation and item.mid in self._in_hand:
                    self._client.ack(item.mid, item.message.qos)
                    self._in_hand.discard(item.mid)
                    self._acknowledged[item.mid] = now_s

    # --- paho's thread ---

    def _on_connect(self, client: mqtt.Client, _: Any, flags: Any, reason: ReasonCode, __: Any) -> None:
        if reason.is_failure:
            log.warning("broker_refused", reason=str(reason), host=self._broker.host, port=self._broker.port)
            if str(reason) in REFUSED_FOR_GOOD:
                self._fail(f"the broker at {self._broker.host}:{self._broker.port} refuses the intake: {reason}")
            return
        self._forget_connection()
        if self._former:  # they stand in the persistent session, and in the broker's limits
            client.unsubscribe(self._former)
        result, _mid = client.subscribe([(topic_filter, 1) for topic_filter in self._filters])
        log.info("broker_joined", session_present=flags.session_present, result=int(result))

    def _on_disconnect(self, _: mqtt.Client, __: Any, ___: Any, reason: ReasonCode, ____: Any) -> None:
        self._forget_connection()
        self.subscribed.clear()
        if reason.is_failure:
            log.warning("broker_lost", reason=str(reason))

    def _forget_connection(self) -> None:
        with self._lock:
            self._generation += 1
            self._in_hand.clear()
            self._acknowledged.clear()

    def _on_subscribe(self, _: mqtt.Client, __: Any, ___: int, reasons: list[ReasonCode], ____: Any) -> None:
        refused = [name for name, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        if refused:
            self._fail(f"the broker refuses to subscribe the intake to {', '.join(map(repr, refused))}")
        else:
            self.subscribed.set()

    def _on_message(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        mid = message.mid if message.qos else 0
        with self._lock:
            generation = self._generation
            if mid:
                if message.dup and self._is_copy(mid):
                    return
                self._in_hand.add(mid)
                self._acknowledged.pop(mid, None)
        try:
            topic = message.topic
        except UnicodeDecodeError:  # no broker in use lets it pass; kept readable for the quarantine
            topic = message._topic.decode("utf-8", "backslashreplace")
        raw = Message(topic, bytes(message.payload), message.qos, message.retain, message.dup)
        self._buffer.put(Buffered(to_epoch_us(self._clock.now()), raw, mid, generation))

    def _is_copy(self, mid: int) -> bool:
        """Whether a message delivered again is in hand, or was acknowledged a moment ago."""
        return mid in self._in_hand or time.monotonic() - self._acknowledged.get(mid, -1e9) < ACK_PATIENCE_S

    def _fail(self, text: str) -> None:
        self.failure = ConfigurationError(text)
        self._buffer.wake()
