"""People: when they act on their unit, when they do not, and what they remember."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.jit import njit
from simulator.physics.split_unit import Panel
from simulator.physics.zone import RoomState
from simulator.records import readable, rows_of, table
from simulator.residents import (
    ASLEEP,
    AWAKE,
    AWAY,
    FIRST_WAIT_S,
    GUESTS,
    HOLD_S,
    LONGEST_WAIT_S,
    SENSIBLE_AWAKE_W,
    Habit,
    Hand,
    Person,
    half_width_k,
    neutral_c,
    react,
    season_of,
)

AT_S = 1_782_864_000.0  # a midnight
H, DAY = 12, 288  # rows
SUMMER, WINTER = 1.0, 0.0


@njit
def live(
    persons: Any,
    habits: Any,
    hands: Any,
    panels: Any,
    rooms: Any,
    presence: Any,
    air_c: Any,
    chance: Any,
    season: float,
    at_s: float,
    follows_program: bool,
    seen: Any,
) -> None:
    """Rows of 5 minutes at given temperatures; ``seen`` gets on, setpoint, presses and window of each."""
    for row in range(len(presence)):
        for i in range(len(persons)):
            rooms[i].occupied_c = air_c[row]
            react(
                persons[i],
                habits[i],
                hands[i],
                panels[i],
                rooms[i],
                presence[row],
                season,
                at_s + 300.0 * row,
                chance[row],
                follows_program,
            )
        seen[row, 0] = 1.0 if panels[0].on else 0.0
        seen[row, 1] = panels[0].setpoint_c
        seen[row, 2] = hands[0].presses
        seen[row, 3] = rooms[0].window_open_ratio


@dataclass
class Scene:
    """One household and its unit."""

    persons: Any
    habits: Any
    hands: Any
    panels: Any
    rooms: Any

    def run(
        self,
        air_c: Any,
        presence: Any = AWAKE,
        *,
        rows: int = DAY,
        chance: Any = 0.5,
        season: float = SUMMER,
        at_s: float = AT_S,
        program: bool = False,
    ) -> NDArray[np.float64]:
        """Let rows pass; columns of the answer: on, setpoint, presses, window."""
        seen = np.zeros((rows, 4))
        laid_out = [np.broadcast_to(np.asarray(one), rows).copy() for one in (presence, air_c, chance)]
        live(
            self.persons,
            self.habits,
            self.hands,
            self.panels,
            self.rooms,
            laid_out[0].astype(np.int64),
            laid_out[1].astype(np.float64),
            laid_out[2].astype(np.float64),
            season,
            at_s,
            program,
            seen,
        )
        return seen

    @property
    def hand(self) -> Any:
        return readable(self.hands)[0]

    @property
    def panel(self) -> Any:
        return readable(self.panels)[0]

    @property
    def room(self) -> Any:
        return readable(self.rooms)[0]


def scene(n: int = 1, **changes: float) -> Scene:
    """Neutral 26 in summer and 20 in winter, band 1.5 either way, patience of half an hour; unit off at 26."""
    facts: dict[str, float] = {
        "summer_neutral_c": 26.0,
        "winter_neutral_c": 20.0,
        "winter_asleep_shift_k": -3.0,
        "summer_half_width_k": 1.5,
        "winter_half_width_k": 1.5,
        "asleep_wider_k": 0.5,
        "patience_s": 1800.0,
        "asleep_patience_ratio": 3.0,
        "step_k": 1.0,
        "sting": 0.5,
        "cooling_setpoint_c": 25.0,
        "heating_setpoint_c": 22.0,
        "heats": True,
        "starts_above_c": 29.0,
        "starts_below_c": 14.0,
        "cooling_scale_k": 1.0,
        "heating_scale_k": 1.0,
        "window_ratio": 0.5,
        "persons": 2.0,
        "appliances_w": 100.0,
        "idle_w": 10.0,
    } | changes
    tables = {kind: table(kind, n) for kind in (Person, Habit, Hand, Panel, RoomState)}
    for name, value in facts.items():
        for rows in (tables[Person], tables[Habit]):
            if name in (rows.dtype.names or ()):
                rows[name] = value
    tables[Panel]["setpoint_c"] = 26.0
    tables[RoomState]["outdoor_c"] = 33.0
    return Scene(*(rows_of(rows, kind) for kind, rows in tables.items()))


def running(setpoint_c: float = 26.0, heating: bool = False, **changes: float) -> Scene:
    one = scene(1, **changes)
    one.panel.on = True
    one.panel.heating = heating
    one.panel.setpoint_c = setpoint_c
    return one


@given(
    air_c=st.lists(st.floats(24.5, 27.5), min_size=DAY, max_size=DAY),
    chance=st.floats(0.0, 1.0),
    on=st.booleans(),
    presence=st.sampled_from([AWAY, AWAKE, ASLEEP]),
)
def test_who_is_inside_the_band_leaves_a_controlled_unit_alone(
    air_c: list[float], chance: float, on: bool, presence: int
) -> None:
    one = running() if on else scene()
    seen = one.run(air_c, presence, chance=chance)
    assert seen[-1, 2] == 0
    assert (seen[:, 0] == on).all()
    assert (seen[:, 1] == 26.0).all()


def test_an_override_comes_after_the_patience_which_is_shorter_farther_outside() -> None:
    """0.5 K outside: 1800 / 1.5 = 1200 s, seen at row 4; 2 K outside: 1800 / 3 = 600 s, at row 2."""
    near, far = running().run(28.0), running().run(29.5)
    assert int(np.argmax(near[:, 2])) > 0
    assert int((near[:, 2] == 0).sum()) == 4
    assert int((far[:, 2] == 0).sum()) == 2
    assert near[4, 1] == 25.0
    assert far[2, 1] == 24.0  # farther outside, twice the step


def test_people_asleep_bear_more_for_longer() -> None:
    assert running().run(27.8, ASLEEP)[-1, 2] == 0  # inside the wider band
    asleep, awake = (running().run(28.5, who)[:, 2] for who in (ASLEEP, AWAKE))
    assert int((asleep == 0).sum()) > 2 * int((awake == 0).sum())


def test_nobody_overrides_an_empty_room() -> None:
    assert running().run(35.0, AWAY)[-1, 2] == 0


def test_an_override_holds_for_its_time_or_until_everybody_leaves() -> None:
    one = running()
    one.run(28.0, rows=5)
    assert one.hand.override_until_s == AT_S + 4 * 300.0 + HOLD_S
    one.run(26.0, AWAY, rows=1, at_s=AT_S + 1500.0)
    assert one.hand.override_until_s == AT_S + 1500.0


def test_who_overrode_lately_is_quicker_the_next_time() -> None:
    """The unit is reset each time, as by a controller that learns nothing."""
    one = running()
    waited = []
    for turn in range(3):
        one.panel.setpoint_c = 26.0
        at_s = AT_S + turn * 4 * 3600.0
        seen = one.run(28.0, rows=6, at_s=at_s)
        waited.append(int((seen[:, 2] == turn).sum()))
        one.run(26.0, rows=42, at_s=at_s + 1800.0)
    assert waited[0] > waited[1] >= waited[2]
    weeks = running()
    weeks.hand.annoyance = 5.0
    weeks.hand.last_press_s = AT_S - 14 * 86_400.0
    assert int((weeks.run(28.0, rows=6)[:, 2] == 0).sum()) == waited[0]  # forgotten after two weeks


def test_people_learn_that_the_unit_is_slow() -> None:
    """Air that falls after a press: they wait longer, and press less often than in air that stays."""
    falls, stays = running(patience_s=300.0), running(patience_s=300.0)
    pressed_falling = falls.run(np.linspace(31.0, 27.6, 18), rows=18)[-1, 2]
    pressed_still = stays.run(31.0, rows=18)[-1, 2]
    assert pressed_falling < pressed_still
    assert FIRST_WAIT_S < falls.hand.wait_s <= LONGEST_WAIT_S
    assert stays.hand.wait_s <= FIRST_WAIT_S


def test_a_press_while_the_last_is_left_alone_is_no_second_override() -> None:
    people = running(patience_s=300.0)
    presses = people.run(31.0, rows=18)[-1, 2]  # an hour and a half
    assert presses > 1
    assert people.hand.overrides == 1


def test_who_pressed_too_far_takes_one_step_back() -> None:
    """At 31 °C, 3.5 K beyond their band, people press by two steps; when it then gets too cold they go back by one."""
    people = running(patience_s=300.0)
    assert people.run(31.0, rows=4)[-1, 1] == 24.0
    back = people.run(21.0, rows=12, at_s=AT_S + 4 * 300.0)[:, 1]
    assert back[back > 24.0][0] == 25.0


def test_an_off_unit_is_switched_on_the_right_way_round() -> None:
    summer, winter = scene(), scene()
    summer.run(30.0, rows=3)
    winter.run(15.0, rows=3, season=WINTER)
    assert (summer.panel.on, summer.panel.heating, summer.panel.setpoint_c) == (True, False, 25.0)
    assert (winter.panel.on, winter.panel.heating, winter.panel.setpoint_c) == (True, True, 22.0)
    assert scene().run(20.0, season=SUMMER)[-1, 2] == 0  # cool in summer: nobody heats
    assert scene(heats=False).run(10.0, season=WINTER)[-1, 2] == 0


def test_too_cold_in_cooling_raises_the_setpoint_and_in_the_end_switches_off() -> None:
    seen = running().run(22.0, rows=6 * H)
    assert seen[:, 1].max() <= 26.0 + 3.0
    assert (np.diff(seen[seen[:, 0] == 1.0, 1]) >= 0.0).all()
    assert seen[-1, 0] == 0.0


def test_the_households_own_start_is_no_override_but_its_correction_is() -> None:
    one = scene(cooling_run_s=36_000.0)
    seen = one.run(31.0, rows=1, chance=0.001, program=True)
    assert seen[-1].tolist() == [1.0, 25.0, 0.0, 0.0]
    assert one.run(23.0, rows=2 * H, at_s=AT_S + 3600.0, program=True)[-1, 2] > 0
    assert one.panel.setpoint_c > 25.0
    assert one.hand.cooling_learned_k > 0.0


def test_the_household_starts_its_unit_once_an_hour_at_one_scale_past_its_threshold() -> None:
    """Hazard (1 K / 1 K)^2 per hour: over 4000 h, 4000 starts, spread 63."""
    one = scene()
    chance = np.random.default_rng(5).random(4000 * H)
    starts = 0
    for hour in range(4000):
        on = one.run(30.0, rows=H, chance=chance[hour * H : hour * H + H], program=True)[:, 0]
        starts += int(on[-1])
        one.panel.on = False
    assert starts == pytest.approx(4000 * (1.0 - (1.0 - 1.0 / H) ** H), abs=130)
    assert scene().run(28.9, chance=0.0, program=True)[-1, 0] == 0.0  # not yet hot


def test_a_running_unit_is_not_started_anew() -> None:
    one = running(setpoint_c=28.0)
    one.hand.off_at_s = AT_S + 36_000.0
    seen = one.run(29.5, presence=AWAKE, rows=1, chance=0.0, program=True)
    assert seen[0, 1] == 28.0
    assert one.hand.off_at_s == AT_S + 36_000.0


def test_leaving_switches_off_unless_the_unit_is_forgotten() -> None:
    presence = [AWAKE, AWAY]
    careful, careless = running(forget_ratio=0.1), running(forget_ratio=0.9)
    assert careful.run(26.0, presence, rows=2, program=True)[:, 0].tolist() == [1.0, 0.0]
    assert careless.run(26.0, presence, rows=2, program=True)[:, 0].tolist() == [1.0, 1.0]
    assert running(forget_ratio=0.1).run(26.0, presence, rows=2)[:, 0].tolist() == [1.0, 1.0]  # the controller's task


def test_a_sleep_timer_and_bedtime_end_a_run() -> None:
    presence = np.repeat([AWAKE, ASLEEP], 3 * H)
    timer = running(sleep_timer_s=3600.0).run(26.0, presence, rows=6 * H, program=True)
    assert int(timer[:, 0].sum()) == 4 * H
    heats = running(heating=True, winter_asleep_shift_k=0.0).run(
        20.0, presence, rows=6 * H, season=WINTER, program=True
    )
    assert int(heats[:, 0].sum()) == 3 * H  # nobody heats the night who did not say so


@given(air_c=st.floats(10.0, 38.0), outdoor_c=st.floats(-10.0, 40.0), on=st.booleans(), season=st.floats(0.0, 1.0))
def test_windows_are_open_only_while_the_unit_is_off_and_it_is_cooler_outside(
    air_c: float, outdoor_c: float, on: bool, season: float
) -> None:
    one = running() if on else scene()
    one.room.outdoor_c = outdoor_c
    seen = one.run(air_c, rows=H, season=season)
    opened = seen[:, 3] > 0.0
    assert not (opened & (seen[:, 0] == 1.0)).any()
    assert not opened.any() or outdoor_c < air_c - 1.0


def test_in_mild_weather_the_window_is_opened_and_shut_by_leaving() -> None:
    one = scene()
    one.room.outdoor_c = 20.0
    assert one.run(27.0, [AWAKE, AWAKE, AWAY], rows=3)[:, 3].tolist() == [0.5, 0.5, 0.0]


def test_heat_of_people_and_things() -> None:
    """Two awake: 2 * 75 + 100 + 10 W; nobody: 10 W; two guests from 18:30: 4 * 75 + 110 W."""
    one = scene(guest_ratio=1.0)
    for presence, at_h, expected_w in (
        (AWAKE, 12.0, 2 * SENSIBLE_AWAKE_W + 110.0),
        (AWAY, 13.0, 10.0),
        (AWAKE, 19.0, (2 + GUESTS) * SENSIBLE_AWAKE_W + 110.0),
    ):
        one.run(26.0, presence, rows=1, at_s=AT_S + 3600.0 * at_h)
        assert one.hand.convective_w + one.hand.radiant_w == pytest.approx(expected_w)


def test_other_heating_gives_less_the_nearer_its_target_and_rests_in_summer() -> None:
    """Band 3 K below 21: at 19.5 half of 1500 W."""
    one = scene(radiator_w=1500.0, radiator_target_c=21.0)
    for air_c, season, expected_w in (
        (15.0, WINTER, 1500.0),
        (19.5, WINTER, 750.0),
        (22.0, WINTER, 0.0),
        (15.0, 1.0, 0),
    ):
        one.run(air_c, AWAY, rows=1, season=season)
        assert one.hand.convective_w + one.hand.radiant_w == pytest.approx(expected_w + 10.0)


@given(season=st.floats(0.0, 1.0), presence=st.sampled_from([AWAY, AWAKE, ASLEEP]))
def test_the_neutral_temperature_lies_between_the_seasons(season: float, presence: int) -> None:
    person = scene().persons
    neutral, half = _band(person, presence, season)
    assert 17.0 <= neutral <= 26.0
    assert half == (2.0 if presence == ASLEEP else 1.5)


@njit
def _band(persons: Any, presence: int, season: float) -> Any:
    return neutral_c(persons[0], presence, season), half_width_k(persons[0], presence, season)


def test_season_goes_from_winter_to_summer() -> None:
    assert [season_of(daily_mean_c) for daily_mean_c in (-5.0, 12.0, 17.0, 22.0, 35.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]


SCRIPT = """
import json
import numpy as np
from simulator.jit import COMPILED
from tests.simulator.test_residents import DAY, scene
rng = np.random.default_rng(2)
one = scene(cooling_run_s=7200.0, guest_ratio=0.3, sleep_timer_s=3600.0, forget_ratio=0.3)
air_c = 26.0 + 5.0 * np.sin(np.arange(3 * DAY) / 17.0)
presence = rng.integers(0, 3, 3 * DAY).repeat(12)[: 3 * DAY]
seen = one.run(air_c, presence, rows=3 * DAY, chance=rng.random(3 * DAY), program=True)
print(json.dumps([COMPILED, *seen.sum(axis=0).tolist(), one.hand.wait_s, one.hand.annoyance, one.hand.radiant_w]))
"""


def test_compiled_and_plain_people_agree() -> None:
    found = []
    for disabled in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, check=True, capture_output=True, text=True, timeout=120
        )
        found.append(json.loads(done.stdout))
    assert found[1][0] is False
    assert found[0][1] > 0.0
    assert found[0][1:] == pytest.approx(found[1][1:], rel=1e-9)


def test_people_cost_less_than_a_fifth_of_a_microsecond() -> None:
    """Measured 0.03; the plant's whole budget for these 5 minutes is 1."""
    pytest.importorskip("numba")
    many = scene(n=1000)
    air_c = 26.0 + 4.0 * np.sin(np.arange(DAY) / 40.0)
    many.run(air_c[:1], rows=1, program=True)
    began_s = time.process_time()
    many.run(air_c, chance=np.random.default_rng(1).random(DAY), program=True)
    assert (time.process_time() - began_s) / (1000 * DAY) < 200e-9
