"""Who lives in the demo home and what hangs on its broker: facts for whoever seeds its rooms and appliances.

``native_id`` is what the device calls itself: Home Assistant discovery's first identifier, Tasmota's MAC, Shelly's
device id, Zigbee2MQTT's ``ieee_address``.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from core.words import Capabilities, Fan, Kind, Mode
from simulator.household import home_weather
from simulator.people import Presence, draw_people, presence_of_day

LIVING_ROOM, BEDROOM, KITCHEN = "Living room", "Bedroom", "Kitchen"
START_HOUR = 16  # the hottest rooms of the day, and people about to come home
FIRST_START_DAY = date(2026, 7, 8)
LAST_START_DAY = date(2026, 7, 31)
WARM_C = 30.0


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """One device; ``appliance`` is what its history belongs to, and two devices of one appliance share it."""

    dialect: str
    native_id: str
    kind: Kind
    name: str
    room: str | None  # None: outdoors
    appliance: str
    appliance_kind: Kind
    rated_power_w: float | None
    manufacturer: str
    model: str
    topic: str  # the device's own part of its topics
    capabilities: Capabilities | None = None
    details: dict[str, object] = field(default_factory=dict)  # what a person would say of it when setting it up


@dataclass(frozen=True, slots=True)
class DemoHome:
    """A home and its devices."""

    name: str
    time_zone: str
    latitude: float  # degrees north
    longitude: float  # degrees east
    currency: str
    rooms: tuple[str, ...]
    devices: tuple[DemoDevice, ...]

    def device(self, topic: str) -> DemoDevice:
        """The device that speaks under ``topic``."""
        return next(device for device in self.devices if device.topic == topic)


ALL_MODES = (Mode.AUTO, Mode.COOL, Mode.HEAT, Mode.DRY, Mode.FAN_ONLY)

DEMO_HOME = DemoHome(
    name="demo",
    time_zone="Asia/Shanghai",
    latitude=31.23,
    longitude=121.47,
    currency="CNY",
    rooms=(LIVING_ROOM, BEDROOM, KITCHEN),
    devices=(
        DemoDevice(
            dialect="homeassistant",
            native_id="qinglu_7c2f80a1b3d4",
            kind=Kind.AIR_CONDITIONER,
            name="Living room air conditioner",
            room=LIVING_ROOM,
            appliance="Living room air conditioner",
            appliance_kind=Kind.AIR_CONDITIONER,
            rated_power_w=1450.0,
            manufacturer="Qinglu",
            model="KFR-35GW",
            topic="living_room_ac",
            capabilities=Capabilities(16.0, 31.0, 0.5, ALL_MODES, (Fan.AUTO, Fan.LOW, Fan.MEDIUM, Fan.HIGH)),
        ),
        DemoDevice(
            dialect="tasmota_irhvac",
            native_id="DC4F22A1B001",
            kind=Kind.AIR_CONDITIONER,
            name="Bedroom air conditioner",
            room=BEDROOM,
            appliance="Bedroom air conditioner",
            appliance_kind=Kind.AIR_CONDITIONER,
            rated_power_w=1100.0,
            manufacturer="Tasmota",
            model="Tuya IR bridge",
            topic="bedroom_ir",
            capabilities=Capabilities(
                17.0, 30.0, 1.0, ALL_MODES, (Fan.AUTO, Fan.LOW, Fan.MEDIUM, Fan.HIGH), one_way=True
            ),
            details={"vendor": "MIDEA"},
        ),
        DemoDevice(
            dialect="tasmota",
            native_id="DC4F22A1B002",
            kind=Kind.PLUG,
            name="Bedroom air conditioner plug",
            room=BEDROOM,
            appliance="Bedroom air conditioner",
            appliance_kind=Kind.AIR_CONDITIONER,
            rated_power_w=1100.0,
            manufacturer="Tasmota",
            model="Athom 16A plug",
            topic="bedroom_ac_plug",
        ),
        DemoDevice(
            dialect="shelly",
            native_id="shellyplusplugs-b8d61a8c2f10",
            kind=Kind.PLUG,
            name="Fridge plug",
            room=KITCHEN,
            appliance="Fridge",
            appliance_kind=Kind.REFRIGERATOR,
            rated_power_w=160.0,
            manufacturer="Shelly",
            model="SNPL-00112EU",
            topic="shellyplusplugs-b8d61a8c2f10",
        ),
        DemoDevice(
            dialect="tasmota",
            native_id="DC4F22A1B003",
            kind=Kind.PLUG,
            name="TV plug",
            room=LIVING_ROOM,
            appliance="TV",
            appliance_kind=Kind.PLUG,
            rated_power_w=150.0,
            manufacturer="Tasmota",
            model="Athom 16A plug",
            topic="tv_plug",
        ),
        DemoDevice(
            dialect="tasmota",
            native_id="DC4F22A1B004",
            kind=Kind.PLUG,
            name="Router plug",
            room=LIVING_ROOM,
            appliance="Router",
            appliance_kind=Kind.PLUG,
            rated_power_w=20.0,
            manufacturer="Tasmota",
            model="Athom 16A plug",
            topic="router_plug",
        ),
        DemoDevice(
            dialect="zigbee2mqtt",
            native_id="0xa4c1380b5e91d2f7",
            kind=Kind.PLUG,
            name="Washing machine plug",
            room=KITCHEN,
            appliance="Washing machine",
            appliance_kind=Kind.PLUG,
            rated_power_w=2200.0,
            manufacturer="Tuya",
            model="TS011F_plug_1",
            topic="washing_machine",
        ),
        DemoDevice(
            dialect="zigbee2mqtt",
            native_id="0x00158d0008a1c001",
            kind=Kind.THERMOMETER,
            name="Living room thermometer",
            room=LIVING_ROOM,
            appliance="Living room thermometer",
            appliance_kind=Kind.THERMOMETER,
            rated_power_w=None,
            manufacturer="Aqara",
            model="WSDCGQ11LM",
            topic="living_room_thermometer",
        ),
        DemoDevice(
            dialect="zigbee2mqtt",
            native_id="0x00158d0008a1c002",
            kind=Kind.THERMOMETER,
            name="Bedroom thermometer",
            room=BEDROOM,
            appliance="Bedroom thermometer",
            appliance_kind=Kind.THERMOMETER,
            rated_power_w=None,
            manufacturer="Aqara",
            model="WSDCGQ11LM",
            topic="bedroom_thermometer",
        ),
        DemoDevice(
            dialect="zigbee2mqtt",
            native_id="0x00158d0008a1c003",
            kind=Kind.THERMOMETER,
            name="Outdoor thermometer",
            room=None,
            appliance="Outdoor thermometer",
            appliance_kind=Kind.THERMOMETER,
            rated_power_w=None,
            manufacturer="Aqara",
            model="WSDCGQ11LM",
            topic="outdoor_thermometer",
            details={"placed": "outdoors"},
        ),
    ),
)


def start_instant(seed: int) -> datetime:
    """When the demo's clock starts: 16:00 of its zone on a July weekday that the seed chooses; UTC.

    Of the weekdays, in an order that the seed shuffles, it takes the first on which somebody is home that afternoon and
    the air outdoors is warm, so that there is something for the units to do.
    """
    span_days = (LAST_START_DAY - FIRST_START_DAY).days + 1
    days = [FIRST_START_DAY + timedelta(days=offset) for offset in range(span_days)]
    weekdays = [day for day in days if day.weekday() < 5]
    shuffled = [weekdays[int(index)] for index in np.random.default_rng(seed).permutation(len(weekdays))]
    chosen = next((day for day in shuffled if _needs_cooling(seed, day)), shuffled[0])
    return _at_start_hour(chosen)


def _at_start_hour(day: date) -> datetime:
    return datetime.combine(day, time(START_HOUR), ZoneInfo(DEMO_HOME.time_zone)).astimezone(UTC)


def _needs_cooling(seed: int, day: date) -> bool:
    """Whether somebody is home for the hour from the start, and it is warm outdoors."""
    start = _at_start_hour(day)
    if home_weather(seed).at(start.timestamp()).outdoor_c < WARM_C:
        return False
    hour = slice(60 * START_HOUR - 20, 60 * START_HOUR + 60)
    return any(
        bool((presence_of_day(seed, index, person, day)[hour] == Presence.HOME).all())
        for index, person in enumerate(draw_people(seed))
    )
