"""The physics that stands in: it finds the constants of a room that is one, and predicts it."""

from datetime import timedelta

import numpy as np
import pytest

from core.words import Mode
from models.rc import NotEnoughHistory, RcModel, fit
from models.words import RoomMoment
from tests.models.moments import AFTERNOON, summer_moment

A, B, C, D, E, TAU_H = 0.08, 0.5, 0.6, 5.0, 0.2, 12.0  # per hour; see models/rc.py


def simulated(days: float = 6.0, *, metered: bool = True) -> list[RoomMoment]:
    """A room that obeys the model's own equations, in steps of 5 minutes; its unit on for 40 minutes in two hours."""
    rng = np.random.default_rng(1)
    room_c, mass_c, dt_h = 26.0, 26.0, 1.0 / 12.0
    moments = []
    for i in range(round(days * 288)):
        hour = (i / 12.0) % 24.0
        outdoor_c = 29.0 + 4.0 * np.sin(2 * np.pi * (hour - 9.0) / 24.0) + rng.normal(0.0, 0.2)
        solar = max(0.0, 700.0 * np.sin(np.pi * (hour - 6.0) / 12.0))
        on = (i // 8) % 3 == 0
        power_w = 500.0 if on else 0.0
        rate = A * (outdoor_c - room_c) + B * (mass_c - room_c) + C * solar / 1e3 - D * power_w / 1e3 + E
        mass_c += dt_h / TAU_H * (room_c - mass_c)
        room_c += dt_h * rate
        moments.append(
            summer_moment(
                at=AFTERNOON + timedelta(minutes=5 * i),
                local_hour=hour,
                room_temperature_c=round(room_c, 2),
                outdoor_temperature_c=outdoor_c,
                solar_w_m2=solar,
                on=on,
                mode=Mode.COOL,
                setpoint_c=26.0 if on else None,
                power_w=power_w if metered else None,
                occupied=1.0,
            )
        )
    return moments


@pytest.fixture(scope="module")
def model() -> RcModel:
    return fit(simulated())


def test_the_constants_of_a_room_are_found(model: RcModel) -> None:
    assert model.mass_time_h == TAU_H
    assert model.unit_k_per_h == pytest.approx(D, rel=0.15)
    assert model.outdoor_per_h == pytest.approx(A, rel=0.3)
    assert model.sun_k_per_h == pytest.approx(C, rel=0.4)
    assert model.largest_kw == pytest.approx(0.5, abs=0.01)


def test_a_colder_plan_gives_a_colder_room_for_more_energy(model: RcModel) -> None:
    outlooks = [
        model.outlook(summer_moment(planned_setpoint_c=(planned_c,) * 6)) for planned_c in (24.0, 26.0, 28.0, None)
    ]
    temperatures = [outlook.temperature_c[3] for outlook in outlooks]
    energies = [outlook.energy_kwh[3] for outlook in outlooks]
    assert temperatures == sorted(temperatures)
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] == 0.0


def test_the_unit_gives_no_more_than_its_largest_power(model: RcModel) -> None:
    outlook = model.outlook(summer_moment(planned_setpoint_c=(10.0,) * 6))
    assert outlook.energy_kwh == pytest.approx([model.largest_kw * h for h in (0.25, 1, 2, 6, 12, 24)])


def test_it_predicts_what_comes_within_its_spread() -> None:
    moments = simulated(8.0)
    model = fit(moments[: 288 * 6])
    for moment in moments[288 * 6 : 288 * 7]:
        model = model.follow(moment)
    came_c = moments[288 * 7 + 11].room_temperature_c
    ahead = moments[288 * 7 : 288 * 7 + 12]
    outdoor_c = float(np.mean([moment.outdoor_temperature_c for moment in ahead if moment.outdoor_temperature_c]))
    sun = float(np.mean([moment.solar_w_m2 for moment in ahead if moment.solar_w_m2 is not None]))
    setpoint_c = came_c  # the unit brings the room where it came to
    outlook = model.outlook(
        summer_moment(
            planned_setpoint_c=(None if setpoint_c is None else setpoint_c - model.offset_k,) * 6,
            outdoor_forecast_c=(outdoor_c,) * 6,
            solar_forecast_w_m2=(sun,) * 6,
        )
    )
    assert outlook.temperature_c[1] == pytest.approx(came_c, abs=3.0 * outlook.spread_k[1])


def test_winter_units_heat(model: RcModel) -> None:
    cold = summer_moment(
        mode=Mode.HEAT, planned_setpoint_c=(30.0,) * 6, outdoor_forecast_c=(0.0,) * 6, solar_forecast_w_m2=(0.0,) * 6
    )
    off = summer_moment(planned_setpoint_c=(None,) * 6, outdoor_forecast_c=(0.0,) * 6, solar_forecast_w_m2=(0.0,) * 6)
    assert model.outlook(cold).temperature_c[3] > model.outlook(off).temperature_c[3]


def test_following_brings_the_mass_towards_the_room(model: RcModel) -> None:
    """After a very long step the mass is where the room is."""
    later = model.follow(summer_moment(room_temperature_c=20.0, step_s=30 * 86_400.0))
    assert later.room_c == 20.0
    assert later.mass_c == pytest.approx(20.0, abs=0.01)


def test_a_model_survives_json(model: RcModel) -> None:
    assert RcModel.from_json(model.to_json()) == model
    with pytest.raises(ValueError, match="not a fitted room"):
        RcModel.from_json({"spread_k": [1.0]})


def test_without_a_meter_a_usual_power_stands_in() -> None:
    model = fit(simulated(metered=False))
    assert model.unit_k_per_h > 0.0
    assert model.largest_kw == pytest.approx(0.7)


@pytest.mark.parametrize(
    "history",
    [
        [],
        simulated(0.5),
        [summer_moment(outdoor_temperature_c=None, at=AFTERNOON + timedelta(hours=i)) for i in range(48)],
    ],
    ids=["nothing", "half a day", "no outdoors"],
)
def test_too_little_history_is_refused(history: list[RoomMoment]) -> None:
    with pytest.raises(NotEnoughHistory):
        fit(history)


def test_a_gap_is_not_learned_from() -> None:
    """Two stretches with a week between: the jump in temperature across the gap changes no constant much."""
    early = simulated(3.0)
    shift = timedelta(days=10)
    late = [
        summer_moment(
            at=moment.at + shift,
            room_temperature_c=moment.room_temperature_c,
            outdoor_temperature_c=moment.outdoor_temperature_c,
            solar_w_m2=moment.solar_w_m2,
            on=moment.on,
            power_w=moment.power_w,
        )
        for moment in simulated(3.0)
    ]
    assert fit(early + late).unit_k_per_h == pytest.approx(fit(early).unit_k_per_h, rel=0.2)
