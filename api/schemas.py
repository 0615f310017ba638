"""What goes over the wire.

Instants are RFC 3339 in UTC, money is a decimal string with its ISO 4217 currency, units end the names.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from core.words import CommandState, Fan, Kind, Mode, Scope, Source
from storage.repositories.learned import (
    GREATEST_HALF_WIDTH_K,
    HIGHEST_NEUTRAL_C,
    LEAST_HALF_WIDTH_K,
    LOWEST_NEUTRAL_C,
    PersonState,
    Season,
)

LARGEST_ID = 2**53 - 1  # what JavaScript counts exactly
Item = TypeVar("Item")
Money = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", examples=["1.234500"])]
Setpoint = Annotated[float, Field(ge=5, le=40, allow_inf_nan=False, strict=True, examples=[26.0])]
Label = Annotated[
    str,
    Field(
        min_length=1, max_length=100, pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$", examples=["Kitchen"]
    ),
]
Share = Annotated[float, Field(ge=0, le=1)]


class Interval(StrEnum):
    """Length of a bucket of usage; days and longer are those of the home's zone."""

    QUARTER = "15m"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class GroupBy(StrEnum):
    """What a usage item's ``key`` is."""

    NONE = "none"
    DEVICE = "device"
    ROOM = "room"
    KIND = "kind"


class Control(StrEnum):
    """What the engine may do in a room.

    Steer it (auto); only decide and record (shadow); steer it on some days and follow the household's own program on
    the others, drawn and recorded (ab); or nothing (off).
    """

    AUTO = "auto"
    SHADOW = "shadow"
    AB = "ab"
    OFF = "off"


class Arm(StrEnum):
    """Who steers a room on a day of a comparison."""

    ENGINE = "engine"
    CONVENTIONAL = "conventional"


class Objective(StrEnum):
    """What the engine is after within comfort: least money (save), most comfort, or least CO2 (green)."""

    SAVE = "save"
    COMFORT = "comfort"
    GREEN = "green"


class Out(BaseModel):
    """An answer."""


class In(BaseModel):
    """A request's body: an unknown name is refused."""

    model_config = ConfigDict(extra="forbid")


class Page(Out, Generic[Item]):
    """A page of a list; ``next`` is the cursor of the following one, or null at the end."""

    items: list[Item]
    next: str | None = None


# --- problems ---


class FieldProblem(Out):
    """One value of a request that is not as it must be."""

    location: list[str | int] = Field(examples=[["query", "start"]])
    code: str = Field(examples=["timezone_aware"])
    detail: str = Field(examples=["Input should have timezone info"])


class Problem(Out):
    """An error, RFC 9457."""

    type: str = Field(examples=["urn:lingyun:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no home 'x', or it is not yours to see"])
    code: str = Field(description="Stable word for programs.", examples=["not_found"])
    errors: list[FieldProblem] = Field(default_factory=list)


# --- who ---


class Login(In):
    """Name and password of an account."""

    name: str = Field(min_length=1, max_length=200, examples=["lin"])
    password: str = Field(min_length=1, max_length=200, examples=["a long sentence is a good password"])


class Setup(In):
    """The one-time setup link's token, and the name and password that the owner chooses."""

    token: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$", examples=["lin"])
    password: str = Field(min_length=8, max_length=200, examples=["a long sentence is a good password"])


class SessionToken(Out):
    """A bearer token of a person; the same value is set as an HttpOnly cookie."""

    token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 a kind of token, no token
    expires_at: datetime


class HomeAccess(Out):
    """How far the caller reaches in a home."""

    id: int
    name: str
    scope: Scope


class Me(Out):
    """Who the caller is."""

    name: str | None = Field(description="Name of the account; null for a program's token.")
    demo: bool = Field(description="The caller is let in without a login because this is the demo on this machine.")
    homes: list[HomeAccess]


# --- homes and rooms ---


class Home(Out):
    """A household."""

    id: int
    name: str
    time_zone: str = Field(examples=["Asia/Shanghai"])
    currency: str = Field(examples=["CNY"])
    scope: Scope


class CommandBody(Out):
    """What a device is told; null leaves a quantity as it is."""

    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None


class CommandSummary(Out):
    """Where a command stands."""

    id: int
    state: CommandState


class Command(CommandSummary):
    """A command and what became of it: queued, sent, acknowledged, observed; or failed, or expired."""

    device_id: int
    requested_by: str = Field(description="engine or person", examples=["person"])
    body: CommandBody
    queued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    observed_at: datetime | None = Field(description="When the device's own report showed the whole of it.")
    ended_at: datetime | None
    detail: str | None


class Reason(Out):
    """Why, for programs: the sentence's code and values."""

    code: str
    values: dict[str, Any]


class Decision(Out):
    """What the engine chose for a room, and why."""

    id: int
    room_id: int
    device_id: int | None
    decided_at: datetime
    controller: str = Field(description="policy, rule, conventional, override or off", examples=["policy"])
    control: Control | None = Field(description="What the engine was allowed in the room then; null: not recorded.")
    arm: Arm | None = Field(description="Who steered on that day, where the room was compared by days.")
    action: CommandBody
    proposed: CommandBody = Field(description="What the policy wished for before the guard.")
    guard: list[str] = Field(description="Rules of the guard that changed the wish, in order.")
    reason: str = Field(description="One sentence.", examples=["Cooling to 26.0 °C: 27.4 °C is above your 26.5 °C."])
    reason_code: Reason
    saw: dict[str, Any]
    outlook: dict[str, Any]
    command: CommandSummary | None


class Override(Out):
    """A manual change, wherever made; it wins until ``until``."""

    id: int
    room_id: int
    origin: str = Field(description="device or rest", examples=["rest"])
    target: CommandBody
    started_at: datetime
    until: datetime
    ended_at: datetime | None


class ComfortBand(Out):
    """Temperatures that people of this room are content with now."""

    season: Season
    state: PersonState
    low_c: float
    high_c: float
    observations: int = Field(description="Choices of people that it rests on; 0: the usual band of the season.")


class AirConditioner(Out):
    """An air conditioner as it reports itself."""

    device_id: int
    name: str
    online: bool | None
    on: bool | None
    mode: Mode | None
    setpoint_c: float | None
    fan: Fan | None
    power_w: float | None
    command: CommandSummary | None = Field(description="The newest command to it.")
    capabilities: dict[str, Any] | None


class Room(Out):
    """A room now."""

    id: int
    home_id: int
    name: str
    control: Control = Field(description="As the room is set.")
    control_in_force: Control = Field(description="`off` under a kill switch, else as the room is set.")
    arm: Arm | None = Field(description="Who steers today, where the room is compared by days.")
    objective: Objective = Field(description="In force: the room's own, or else the home's.")
    room_temperature_c: float | None
    humidity_pct: float | None
    occupied: bool | None = Field(description="Null: nothing in the room can tell.")
    comfort: ComfortBand | None
    air_conditioner: AirConditioner | None
    decision: Decision | None = Field(description="The newest one.")
    override: Override | None = Field(description="The one in force.")
    as_of: datetime | None = Field(description="When the newest of these values was measured.")
    stale: bool = Field(description="Nothing was heard of this room for 15 minutes.")


class Today(Out):
    """Usage since the home's midnight."""

    start: datetime
    energy_kwh: float
    cost: Money | None
    currency: str
    co2_kg: float | None
    coverage: Share


class Savings(Out):
    """What was saved against a named baseline, once there is evidence for a number."""

    state: Literal["learning"] = "learning"
    days: int = Field(description="Days observed so far.")
    days_needed: int
    baseline: str | None = None


class DeviceCount(Out):
    """How many devices there are."""

    total: int
    online: int


class KillSwitch(Out):
    """Whether the engine is kept away: from a home, or from every home of this installation."""

    engaged: bool
    engaged_at: datetime | None = Field(description="Since when it holds.")
    engaged_by: str | None = Field(description="Name of the account; null: a program, or nobody.")
    every_home: bool = Field(description="The one of every home holds.")


class Summary(Out):
    """The first screen of a home in one call."""

    id: int
    name: str
    time_zone: str
    currency: str
    as_of: datetime = Field(description="The home's present.")
    stale: bool = Field(description="No device was heard for 15 minutes.")
    power_w: float | None = Field(description="Of all devices that measure it and were heard lately.")
    today: Today
    outdoor_temperature_c: float | None
    objective: Objective
    kill_switch: KillSwitch
    rooms: list[Room]
    savings: Savings
    devices: DeviceCount
    event_id: int = Field(description="Newest live event in this answer: follow with events?after=event_id.")


class ComfortPoint(Out):
    """What is liked in one season and state."""

    season: Season
    state: PersonState
    neutral_c: float
    half_width_k: float
    deviation_k: float = Field(description="How sure this is: standard deviation of neutral_c.")
    observations: int = Field(description="Choices of people that it rests on.")
    pinned: bool = Field(description="A person set it; learning leaves it alone.")


class Comfort(Out):
    """The comfort curve of a room."""

    room_id: int
    points: list[ComfortPoint]


class ComfortEdit(In):
    """A correction of one point of the comfort curve by a person; null leaves a value as it is."""

    season: Season
    state: PersonState = PersonState.HOME
    neutral_c: (
        Annotated[float, Field(strict=True, ge=LOWEST_NEUTRAL_C, le=HIGHEST_NEUTRAL_C, examples=[26.0])] | None
    ) = None
    half_width_k: (
        Annotated[float, Field(strict=True, ge=LEAST_HALF_WIDTH_K, le=GREATEST_HALF_WIDTH_K, examples=[1.0])] | None
    ) = None
    pinned: StrictBool | None = None


class Target(In):
    """What an air conditioner shall do; at least one quantity."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    on: StrictBool | None = None
    mode: Mode | None = None
    setpoint_c: Setpoint | None = None
    fan: Fan | None = None


class OverrideEdit(In):
    """A manual change and how long it holds."""

    target: Target
    until: AwareDatetime | None = Field(
        default=None, description="In the home's time; at most 7 days ahead. Null: two hours, or as set."
    )


class ControlEdit(In):
    """What the engine may do in a room; `off` is its kill switch."""

    control: Control
    seed: Annotated[int, Field(strict=True, ge=0, le=LARGEST_ID)] | None = Field(
        default=None, description="Of the schedule of `ab`, for who wants to draw it again; null: drawn."
    )


class KillSwitchEdit(In):
    """Keep the engine away, or let it steer again."""

    engaged: StrictBool


class HomeObjectiveEdit(In):
    """What the engine is after in a home."""

    objective: Objective


class RoomObjectiveEdit(In):
    """What the engine is after in a room."""

    objective: Objective | None = Field(description="Null: as in the home.")


class TrialDay(Out):
    """A local day of a comparison, [start, end)."""

    trial_id: int
    seed: int
    day: str = Field(examples=["2026-07-16"])
    arm: Arm
    start: datetime
    end: datetime
    assigned_at: datetime = Field(description="When it was written down: as its pair of days began.")


class CommandRequest(In):
    """A command to a device."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    on: StrictBool | None = None
    mode: Mode | None = None
    setpoint_c: Setpoint | None = None
    fan: Fan | None = None


# --- devices, usage, advice ---


class ApplianceEdit(In):
    """What is behind a plug, or what a device is part of; one of that name is joined, or else made."""

    name: Label
    kind: Kind = Field(description="plug: none of the others.", examples=["refrigerator"])


class DeviceEdit(In):
    """What people say of a device; what is not named stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    name: Label | None = None
    room: Label | None = Field(default=None, description="Name of a room, made if missing; null: in none.")
    appliance: ApplianceEdit | None = Field(default=None, description="Null: unknown.")


class TariffEdit(In):
    """Prices of a home: one that ships, or a document of the same form."""

    name: str | None = Field(default=None, min_length=1, max_length=100, examples=["zhejiang_time_of_use"])
    document: dict[str, Any] | None = Field(default=None, description="As in `insights/tariffs`.")
    valid_from: (
        Annotated[str, Field(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})] | None
    ) = Field(default=None, description="First local day; null: today.", examples=["2026-07-01"])


class Tariff(Out):
    """Prices of a home from an instant on."""

    name: str
    currency: str
    valid_from: datetime
    document: dict[str, Any]


class Device(Out):
    """A device and what it said last."""

    id: int
    home_id: int
    home: str
    room_id: int | None
    room: str | None
    appliance_id: int | None
    appliance: str | None
    kind: Kind
    name: str
    dialect: str
    native_id: str
    manufacturer: str | None
    model: str | None
    firmware: str | None
    online: bool | None
    last_seen: datetime | None
    stale: bool
    power_w: float | None
    values: dict[str, Any] = Field(description="Newest value of every quantity.")
    capabilities: dict[str, Any] | None


class UsageItem(Out):
    """Energy of one key in one bucket."""

    start: datetime
    end: datetime
    key: str | None = Field(description="Null, or id of the device or room (null: no room), or the kind.")
    energy_kwh: float = Field(description="Of the covered share; what was not covered is not guessed.")
    cost: Money | None = Field(description="Null where the home has no tariff for this time.")
    currency: str
    co2_kg: float | None
    coverage: Share
    source: Source | Literal["mixed"] | None


class HomePage(Page[Home]):
    """Homes."""


class DevicePage(Page[Device]):
    """Devices."""


class DecisionPage(Page[Decision]):
    """Decisions, newest first."""


class TrialDayPage(Page[TrialDay]):
    """Days of a room's newest comparison, newest first."""


class UsagePage(Out):
    """Usage of a home in [start, end)."""

    items: list[UsageItem]
    next: str | None = None
    time_zone: str
    interval: Interval
    group_by: GroupBy
    tariff: str | None = Field(description="Name of the tariff in force at the end.")
    carbon_source: str | None


class Advice(Out):
    """Something that would save, with its evidence."""

    id: str = Field(description="Stable while its cause lasts.", examples=["setpoint-12"])
    code: str = Field(examples=["setpoint"])
    room_id: int | None
    device_id: int | None
    sentence: str
    energy_kwh_per_month: float
    cost_per_month: Money | None
    currency: str
    co2_kg_per_month: float | None
    evidence: dict[str, Any]


class Quarantined(Out):
    """A message that could not be read."""

    id: int
    received_at: datetime
    topic: str
    payload: str
    reason: str


class AdvicePage(Page[Advice]):
    """Advice, the most money first."""


class QuarantinePage(Page[Quarantined]):
    """Messages that could not be read, newest first."""


class LiveEvent(Out):
    """``data`` of a live event; its ``id`` is the number to resume after."""

    type: str = Field(description="device, command, decision, override, home or resync", examples=["device"])
    at: datetime | None
    home_id: int
    data: dict[str, Any]


class Health(Out):
    """Whether the process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Out):
    """Whether the parts behind the API work."""

    ready: bool
    reasons: list[str]
