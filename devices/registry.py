"""All dialects behind one face: bytes to words and back, no socket.

Order matters: a topic belongs to the first dialect that knows it. Home Assistant discovery comes last, since it may
name any topic and must not take over those of others.
"""

from core.errors import InvalidCommand
from core.words import Command
from devices.base import Dialect, Event, KnownDevice, Message
from devices.limits import check_events
from devices.vendors.homeassistant import HomeAssistant
from devices.vendors.native import Native
from devices.vendors.shelly import Shelly
from devices.vendors.tasmota import Tasmota
from devices.vendors.tasmota_irhvac import TasmotaIrhvac
from devices.vendors.zigbee2mqtt import Zigbee2Mqtt

DIALECTS: tuple[type[Dialect], ...] = (Native, Zigbee2Mqtt, Shelly, TasmotaIrhvac, Tasmota, HomeAssistant)


class Registry:
    """The dialects of one installation and what they remember; not for use by several threads at once."""

    def __init__(self) -> None:
        self._dialects: tuple[Dialect, ...] = tuple(dialect() for dialect in DIALECTS)
        self._by_name = {dialect.name: dialect for dialect in self._dialects}

    def names(self) -> tuple[str, ...]:
        """Names of the dialects, in the order in which they are asked."""
        return tuple(self._by_name)

    def recall(self, dialect: str, device: KnownDevice) -> None:
        """Give a dialect back what an earlier announcement said; a dialect that is no more is passed over."""
        known = self._by_name.get(dialect)
        if known is not None:
            known.recall(device)

    def decode(self, message: Message, notes: list[str] | None = None) -> tuple[str, list[Event]] | None:
        """The dialect's name and the checked events of a message; None where it is nobody's.

        ``notes`` takes up why quantities were left out (``devices.limits``).

        Raises
        ------
        PayloadError
            The topic is a dialect's and the payload cannot be read or holds nothing that can be true.
        """
        for dialect in self._dialects:
            events = dialect.decode(message)
            if events is not None:
                return dialect.name, check_events(events, notes)
        return None

    def encode(self, dialect: str, device: KnownDevice, command: Command) -> list[Message]:
        """Messages that carry a command, in the order in which they must go out.

        Raises
        ------
        InvalidCommand
            The device cannot be told this.
        """
        known = self._by_name.get(dialect)
        if known is None:
            raise InvalidCommand(f"no dialect is called {dialect!r}; known are {', '.join(self._by_name)}")
        return known.encode(device, command)
