"""The engine beside somebody's own plant: what it learns, what it asks for, and what it does with missing values."""

import math
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.coming import Coming
from control.standalone import StandaloneController, Target

PLACE = ("Asia/Shanghai", 31.2, 121.5)
MONDAY = datetime(2026, 7, 13, tzinfo=ZoneInfo("Asia/Shanghai"))
QUARTER = timedelta(minutes=15)
RATED_KW = 3.5
DAY_S = 86_400.0


def outdoor_c(at: datetime, mean_c: float) -> float:
    """6 K of swing, warmest at 15 h by the sun's clock of the place (UTC+8)."""
    return mean_c + 6.0 * math.cos(2.0 * math.pi * ((at.timestamp() + 8 * 3600.0) / DAY_S - 15.0 / 24.0))


def power_ratio(load: float) -> float:
    """Power of an ordinary inverter unit over that at rated capacity; in line below a fifth of its load."""
    least = 0.06 + 0.44 * 0.2 + 0.5 * 0.2**2
    return least * load / 0.2 if load < 0.2 else 0.06 + 0.44 * load + 0.5 * load**2


def working(at: datetime) -> bool:
    """Home but from 8 to 18 h on working days."""
    local = at.astimezone(MONDAY.tzinfo)
    return local.weekday() >= 5 or not 8 <= local.hour < 18


@dataclass
class Plant:
    """Air and mass of a room, per quarter of an hour, and a unit that holds its setpoint as far as it can.

    T += 0.05 (T_m - T) + 0.04 (T_o - T) + 0.5 q + 0.1;  T_m += (1 - exp(-1/32)) (T - T_m)    (8 h)
    """

    mean_c: float = 33.0
    at: datetime = MONDAY
    room_c: float = 30.0
    mass_c: float = 30.0
    energy_kwh: float = 0.0
    targets: list[Target] = field(default_factory=list)
    rooms_c: list[float] = field(default_factory=list)
    energies_kwh: list[float] = field(default_factory=list)

    def hold(self, target: Target) -> None:
        """A quarter of an hour under a target."""
        self.targets.append(target)
        self.rooms_c.append(self.room_c)
        free_c = self.room_c + 0.05 * (self.mass_c - self.room_c) + 0.04 * (self.outside_c - self.room_c) + 0.1
        most_k = 0.5 * 1.15 * RATED_KW
        after_c = free_c
        if target.cooling_setpoint_c is not None:
            after_c = min(free_c, max(target.cooling_setpoint_c, free_c - most_k))
        if target.heating_setpoint_c is not None:
            after_c = max(after_c, min(target.heating_setpoint_c, free_c + most_k))
        load = abs(free_c - after_c) / 0.5 / RATED_KW
        full_kw = RATED_KW / 3.5 * max(1.0 + 0.025 * (self.outside_c - 35.0), 0.4)
        if after_c > free_c:
            full_kw = RATED_KW / 3.6 * max(1.0 - 0.015 * (self.outside_c - 7.0), 0.5)
        self.energy_kwh = 0.25 * full_kw * power_ratio(load)
        self.energies_kwh.append(self.energy_kwh)
        self.mass_c += (1.0 - math.exp(-1.0 / 32.0)) * (self.room_c - self.mass_c)
        self.room_c = after_c
        self.at += QUARTER

    @property
    def outside_c(self) -> float:
        return outdoor_c(self.at, self.mean_c)

    def forecast_c(self) -> list[float]:
        return [outdoor_c(self.at + timedelta(hours=hour, minutes=30), self.mean_c) for hour in range(24)]


def live(controller: StandaloneController, plant: Plant, quarters: int) -> None:
    """Let a controller run a plant."""
    for _ in range(quarters):
        plant.hold(
            controller.step(
                plant.at, plant.room_c, 50.0, plant.outside_c, 0.0, working(plant.at), plant.energy_kwh,
                plant.forecast_c(), [0.0] * 24,
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def summer() -> tuple[StandaloneController, Plant]:
    """Two weeks of heat."""
    controller, plant = StandaloneController(*PLACE, rated_cooling_w=1e3 * RATED_KW), Plant()
    live(controller, plant, 14 * 96)
    return controller, plant


@pytest.fixture(scope="module")
def winter() -> tuple[StandaloneController, Plant]:
    """Two weeks of cold."""
    controller = StandaloneController(*PLACE, rated_cooling_w=1e3 * RATED_KW)
    plant = Plant(mean_c=0.0, room_c=15.0, mass_c=15.0)
    live(controller, plant, 14 * 96)
    return controller, plant


def week(plant: Plant) -> list[tuple[datetime, Target, float]]:
    """Instant, target and room of each quarter of the second week."""
    at = [MONDAY + QUARTER * k for k in range(len(plant.targets))]
    return list(zip(at, plant.targets, plant.rooms_c, strict=True))[7 * 96 : 14 * 96]


def test_the_room_stays_in_the_band_while_somebody_is_home(summer: tuple[StandaloneController, Plant]) -> None:
    outside_kh = sum(0.25 * max(room_c - 26.5, 0.0) for at, _, room_c in week(summer[1]) if working(at))
    assert outside_kh < 2.0  # five returns a week


def test_the_far_edge_is_kept_too_while_somebody_is_home(summer: tuple[StandaloneController, Plant]) -> None:
    assert {target.heating_setpoint_c for at, target, _ in week(summer[1]) if working(at)} == {18.0}


def test_nothing_runs_after_people_have_left_and_the_unit_starts_before_they_return(
    summer: tuple[StandaloneController, Plant],
) -> None:
    away = [(at, target, room_c) for at, target, room_c in week(summer[1]) if not working(at)]
    early = [target for at, target, _ in away if 9 <= at.hour < 12]
    assert early == [Target(None, None)] * len(early)
    back = [room_c for at, _, room_c in week(summer[1]) if at.weekday() < 5 and (at.hour, at.minute) == (18, 0)]
    assert len(back) == 5
    assert max(back) < 27.5


def test_it_uses_less_than_holding_the_edge_while_home_and_an_hour_and_a_half_before(
    summer: tuple[StandaloneController, Plant],
) -> None:
    """The rule with the return known, and the discomfort that each leaves priced in."""
    rule = Plant()
    for _ in range(14 * 96):
        wanted = working(rule.at) or working(rule.at + timedelta(minutes=90))
        rule.hold(Target(26.5, 18.0) if wanted else Target(None, None))

    def j(plant: Plant) -> float:
        outside_kh = sum(0.25 * max(room_c - 26.5, 0.0) for at, _, room_c in week(plant) if working(at))
        return sum(plant.energies_kwh[7 * 96 : 14 * 96]) + 0.5 * outside_kh

    assert j(summer[1]) < j(rule)


def test_a_room_is_not_let_go_before_people_leave(summer: tuple[StandaloneController, Plant]) -> None:
    """They leave at 8 h on most days, and not on Saturday: nobody knows on which they stay."""
    last_hour = [room_c for at, _, room_c in week(summer[1]) if at.hour == 7]
    assert max(last_hour) < 26.6


def test_heating_is_the_mirror_image(winter: tuple[StandaloneController, Plant]) -> None:
    outside_kh = sum(0.25 * max(18.0 - room_c, 0.0) for at, _, room_c in week(winter[1]) if working(at))
    assert outside_kh < 2.0
    assert {target.cooling_setpoint_c for at, target, _ in week(winter[1]) if working(at)} == {26.5}
    early = [target for at, target, _ in week(winter[1]) if not working(at) and 9 <= at.hour < 11]
    assert early == [Target(None, None)] * len(early)


def test_presence_ahead_follows_the_clock_of_the_home(summer: tuple[StandaloneController, Plant]) -> None:
    controller, plant = summer
    chances = controller.presence_ahead()
    assert len(chances) == 96
    last = plant.at - QUARTER
    for lead, chance in enumerate(chances):
        assert (chance > 0.5) == working(last + QUARTER * lead), lead


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/Phoenix"])
def test_habits_change_on_the_hour_of_the_homes_clock_in_zones_that_are_half_an_hour_off(zone: str) -> None:
    controller = StandaloneController(zone, 20.0, 80.0, rated_cooling_w=3500.0)
    at = datetime(2026, 7, 13, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    home = True
    for _ in range(7 * 96 + 1):  # until Monday begins
        local = at.astimezone(ZoneInfo(zone))
        home = local.weekday() >= 5 or not 8 <= local.hour < 18
        controller.step(at, 25.0, None, None, None, home, None, None, None)
        at += QUARTER
    chances = controller.presence_ahead()
    assert [lead for lead in range(1, 96) if (chances[lead] > 0.5) != (chances[lead - 1] > 0.5)] == [4 * 8, 4 * 18]


def test_before_the_first_step_somebody_is_rather_home_than_not() -> None:
    chances = StandaloneController(*PLACE, rated_cooling_w=3500.0).presence_ahead()
    assert len(chances) == 96
    assert min(chances) > 0.5


values = st.one_of(st.none(), st.floats(-60.0, 90.0), st.just(math.nan))


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_value_may_be_missing_and_the_limits_hold_all_the_same(data: st.DataObject) -> None:
    controller = StandaloneController(*PLACE, rated_cooling_w=3500.0)
    at = MONDAY
    for _ in range(12):
        at += timedelta(minutes=data.draw(st.integers(5, 15)))
        room_c = data.draw(st.one_of(st.none(), st.floats(-20.0, 60.0)))
        target = controller.step(
            at, room_c, data.draw(values), data.draw(values), data.draw(st.one_of(st.none(), st.floats(0.0, 1200.0))),
            data.draw(st.sampled_from([True, False, None])), data.draw(st.one_of(st.none(), st.floats(0.0, 2.0))),
            data.draw(st.one_of(st.none(), st.just([30.0] * 24))), None,
        )  # fmt: skip
        for setpoint_c in (target.cooling_setpoint_c, target.heating_setpoint_c):
            assert setpoint_c is None or 5.0 <= setpoint_c <= 45.0
        if target.cooling_setpoint_c is not None and target.heating_setpoint_c is not None:
            assert target.heating_setpoint_c < target.cooling_setpoint_c


def test_a_room_that_nobody_measures_is_held_at_its_limits_while_somebody_is_home() -> None:
    controller = StandaloneController(*PLACE, rated_cooling_w=3500.0)
    target = controller.step(MONDAY, None, None, 35.0, 0.0, True, None, None, None)
    assert target == Target(26.5, 18.0)
    later = controller.step(MONDAY + timedelta(hours=1), None, None, 35.0, 0.0, False, None, None, None)
    assert later == Target(None, None)


def test_energy_and_presence_that_are_no_number_count_as_missing() -> None:
    broken, missing = (StandaloneController(*PLACE, rated_cooling_w=1e3 * RATED_KW) for _ in range(2))
    plant, value_kwh = Plant(), 0.0
    for k in range(4 * 96 + 8):
        gap = k % 96 == 50
        arguments = (plant.at, plant.room_c, None, plant.outside_c, 0.0)
        targets = [
            controller.step(
                *arguments, unknown if gap else working(plant.at), unknown if gap else value_kwh, None, None
            )
            for controller, unknown in ((broken, math.nan), (missing, None))
        ]
        assert targets[0] == targets[1], k
        plant.hold(targets[1])
        value_kwh = plant.energy_kwh
    assert broken.presence_ahead() == missing.presence_ahead()


def test_steps_of_five_minutes_teach_as_those_of_fifteen() -> None:
    """The plant moves every quarter of an hour; its readings in between go straight to where it will be."""
    controller, plant = StandaloneController(*PLACE, rated_cooling_w=1e3 * RATED_KW), Plant()
    target, before_c = Target(None, None), plant.room_c
    targets = []
    for _ in range(7 * 96):
        at, used_kwh = plant.at, plant.energy_kwh / 3.0
        for part in range(1, 4):
            targets.append(target)
            room_c = before_c + (plant.room_c - before_c) * part / 3.0
            target = controller.step(
                at + timedelta(minutes=5 * part), room_c, None, plant.outside_c, 0.0, working(at), used_kwh,
                plant.forecast_c(), None,
            )  # fmt: skip
        before_c = plant.room_c
        plant.hold(target)
    at_night = [
        room_c for k, room_c in enumerate(plant.rooms_c) if k >= 6 * 96 and (MONDAY + QUARTER * k).hour in (21, 22, 23)
    ]
    changed = [k for k in range(1, len(targets)) if targets[k] != targets[k - 1]]
    assert min(np.diff(changed)) >= 2  # a decision stands for a quarter of an hour, or until somebody comes or goes
    assert max(at_night) < 26.7
    assert float(np.mean(at_night)) > 25.9


def step(
    controller: StandaloneController, at: datetime, room_c: float | None, energy_kwh: float | None = 0.0
) -> Target:
    return controller.step(at, room_c, None, 30.0, 0.0, True, energy_kwh, None, None)


def test_steps_of_any_length_are_gathered_into_quarters_of_an_hour() -> None:
    """A room that warms by 1 K/h, read every ten minutes: at each quarter's beginning it is 0.25 K warmer."""
    controller = StandaloneController(*PLACE, rated_cooling_w=3500.0)
    for k in range(13):
        step(controller, MONDAY + timedelta(minutes=10 * k), 26.0 + k / 6.0, 0.1)
    room_c, outside_c, _, heat_kw, occupied = controller._past
    assert room_c == pytest.approx(26.0 + 0.25 * np.arange(8))
    assert outside_c == pytest.approx(30.0)
    assert occupied == pytest.approx(1.0)
    assert heat_kw == pytest.approx(heat_kw[0])  # 0.6 kW all the time
    assert heat_kw[0] < 0.0


def test_a_room_is_fitted_to_its_quarters_where_its_unit_is_metered() -> None:
    metered, unmetered = (StandaloneController(*PLACE, rated_cooling_w=1e3 * RATED_KW) for _ in range(2))
    plant = Plant()
    for _ in range(2 * 96 + 1):
        target = step(metered, plant.at, plant.room_c, plant.energy_kwh)
        step(unmetered, plant.at, plant.room_c, None)
        plant.hold(target)
    assert (metered._rooms["theta"] != metered._rooms["prior"]).any()
    assert (unmetered._rooms["theta"] == unmetered._rooms["prior"]).all()


@pytest.mark.parametrize("hours", [2.0, 5.0])
def test_what_the_room_did_while_nobody_watched_is_not_made_up(hours: float) -> None:
    controller = StandaloneController(*PLACE, rated_cooling_w=3500.0)
    for k in range(5):
        step(controller, MONDAY + QUARTER * k, 26.0)
    step(controller, MONDAY + timedelta(hours=1 + hours), 29.0)
    room_c = controller._past[0]
    assert room_c.size == 4 + round(4 * hours)
    assert np.isnan(room_c[4:]).all()
    assert controller._rooms["nodes"][0, 0] == 29.0


def test_a_reading_that_no_room_can_have_counts_as_none() -> None:
    broken, missing = (StandaloneController(*PLACE, rated_cooling_w=3500.0) for _ in range(2))
    for k in range(8):
        room_c = 27.0 if k != 4 else None
        assert step(missing, MONDAY + QUARTER * k, room_c) == step(broken, MONDAY + QUARTER * k, room_c or 120.0)


def test_comfort_keeps_half_a_kelvin_inside_the_limits() -> None:
    controller = StandaloneController(*PLACE, rated_cooling_w=3500.0, setting="comfort")
    assert controller.step(MONDAY, None, None, 35.0, 0.0, True, None, None, None) == Target(26.0, 18.5)


def test_a_script_keeps_its_standard_output() -> None:
    code = (
        "from datetime import *; from control.standalone import StandaloneController;"
        "c = StandaloneController('UTC', 0.0, 0.0, 3500.0);"
        "c.step(datetime(2026, 7, 1, tzinfo=UTC), 25.0, None, None, None, None, None, None, None)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time_zone": "Mars/Olympus"}, "IANA"),
        ({"rated_cooling_w": 0.0}, "rated cooling"),
        ({"cooling_limit_c": 18.5}, "at least 1 K"),
        ({"setting": "turbo"}, "save, comfort, green"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, float | str], message: str) -> None:
    usual: dict[str, float | str] = {
        "time_zone": PLACE[0], "latitude": PLACE[1], "longitude": PLACE[2], "rated_cooling_w": 3500.0
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        StandaloneController(**{**usual, **arguments})  # type: ignore[arg-type]


def test_instants_must_be_aware_and_go_on_and_forecasts_have_24_hours() -> None:
    controller = StandaloneController(*PLACE, rated_cooling_w=3500.0)
    with pytest.raises(ValueError, match="aware"):
        controller.step(MONDAY.replace(tzinfo=None), 25.0, None, None, None, None, None, None, None)
    controller.step(MONDAY, 25.0, None, None, None, None, None, None, None)
    with pytest.raises(ValueError, match="after"):
        controller.step(MONDAY, 25.0, None, None, None, None, None, None, None)
    with pytest.raises(ValueError, match="24 hours"):
        controller.step(MONDAY + QUARTER, 25.0, None, None, None, None, None, [30.0] * 23, None)
    # what was refused has changed nothing
    controller.step(MONDAY + QUARTER, 25.0, None, None, None, None, None, [30.0] * 24, None)


def test_no_broker_and_no_torch_is_loaded() -> None:
    code = (
        "import sys; from control.standalone import StandaloneController;"
        "StandaloneController('UTC', 0.0, 0.0, 3500.0);"
        "print(sorted({'torch', 'paho', 'simulator', 'numba'} & {name.split('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.strip() == "[]"


# How people come and go


def test_returns_and_departures_follow_the_forecast() -> None:
    """From 0.2 to 0.8 of all are home: 0.6 / 0.8 of those away come, besides those who come at any time."""
    coming = Coming()
    assert coming.churn == pytest.approx(0.05)
    away, home = (coming.ahead(here, np.array([0.2, 0.8, 0.8, 0.4])) for here in (0.0, 1.0))
    assert away[1] == pytest.approx(0.75 + 0.05 * 0.2)
    assert home[1] == pytest.approx(1.0 - 0.05 * 0.8)
    assert home[2] - home[3] == pytest.approx(home[2] * (0.5 + 0.05 * 0.2) - (1.0 - home[2]) * 0.05 * 0.8)


def test_how_often_people_come_and_go_unforeseen_is_learned() -> None:
    """People who change at a rate of 0.2 around a chance of 0.5 are told from those who follow a forecast."""
    rng = np.random.default_rng(3)
    restless, regular, home = Coming(), Coming(), False
    for _ in range(28 * 96):
        then = home != bool(rng.random() < 0.2 * 0.5)
        restless.learn(0.5, 0.5, home, then)
        home = then
    for _ in range(28):
        for quarter in range(96):
            at_home = not 32 <= quarter < 72
            chance, after = (0.95 if at_home else 0.05), (0.95 if not 32 <= quarter + 1 < 72 else 0.05)
            regular.learn(chance, after, at_home, not 32 <= quarter + 1 < 72)
    assert restless.churn == pytest.approx(0.2, rel=0.25)  # some 130 changes: 9 % is one standard error
    assert regular.churn < 0.05
