"""The predictor as it ships: it streams, forgets nothing it should keep, and answers "what if" with the right sign."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from core.errors import ConfigurationError
from models import loading
from models.features import AHEAD, PAST, Feature, describe
from models.loading import WEIGHTS
from models.predictor import PredictorState, RoomPredictor
from models.words import HORIZONS_S, RoomMoment
from tests.models.moments import summer_moment


@pytest.fixture(scope="module")
def predictor() -> RoomPredictor:
    return RoomPredictor.load()


def after(predictor: RoomPredictor, moments: list[RoomMoment]) -> PredictorState:
    state = predictor.initial_state()
    for moment in moments:
        state, _ = predictor.step(state, moment)
    return state


HOUR = [summer_moment(room_temperature_c=28.5 - 0.1 * i, power_w=900.0 - 20.0 * i) for i in range(12)]


def test_a_colder_plan_gives_a_colder_room_for_more_energy(predictor: RoomPredictor) -> None:
    state = after(predictor, HOUR)
    outlooks = [
        predictor.step(state, summer_moment(planned_setpoint_c=(planned_c,) * 6))[1]
        for planned_c in (23.0, 25.0, 27.0, None)
    ]
    for colder, warmer in pairwise(outlooks):
        assert all(a < b for a, b in zip(colder.temperature_c, warmer.temperature_c, strict=True))
        assert all(a > b for a, b in zip(colder.energy_kwh, warmer.energy_kwh, strict=True))


def test_a_question_what_if_leaves_the_memory_as_it_was(predictor: RoomPredictor) -> None:
    state = after(predictor, HOUR)
    held, _ = predictor.step(state, summer_moment())
    off, _ = predictor.step(state, summer_moment(planned_setpoint_c=(None,) * 6))
    assert held.hidden.tolist() == off.hidden.tolist()
    assert held.cell.tolist() == off.cell.tolist()


def test_the_outlook_has_spread_and_energy_that_only_grows(predictor: RoomPredictor) -> None:
    _, outlook = predictor.step(predictor.initial_state(), summer_moment())
    assert outlook.horizons_s == HORIZONS_S
    assert all(spread_k > 0.0 for spread_k in outlook.spread_k)
    assert all(later >= sooner >= 0.0 for sooner, later in pairwise(outlook.energy_kwh))


def test_many_rooms_at_once_equal_one_by_one(predictor: RoomPredictor) -> None:
    states = [predictor.initial_state(), after(predictor, HOUR[:3]), after(predictor, HOUR)]
    moments = [summer_moment(), summer_moment(room_temperature_c=None), summer_moment(on=False, setpoint_c=None)]
    together_states, together = predictor.step_many(states, moments)
    for state, moment, many_state, many in zip(states, moments, together_states, together, strict=True):
        one_state, one = predictor.step(state, moment)
        assert many.temperature_c == pytest.approx(one.temperature_c, abs=1e-4)
        assert many.energy_kwh == pytest.approx(one.energy_kwh, abs=1e-4)
        assert many_state.hidden == pytest.approx(one_state.hidden, abs=1e-5)


def test_a_state_survives_json_and_goes_on_the_same(predictor: RoomPredictor) -> None:
    state = after(predictor, HOUR)
    text = json.dumps(state.to_json())
    assert len(text) < 3000
    recalled = PredictorState.from_json(json.loads(text))
    _, expected = predictor.step(state, summer_moment())
    _, outlook = predictor.step(recalled, summer_moment())
    assert outlook.temperature_c == pytest.approx(expected.temperature_c, abs=1e-2)


def test_a_missing_reading_is_bridged_by_the_last_one(predictor: RoomPredictor) -> None:
    state = after(predictor, HOUR)
    after_gap, outlook = predictor.step(state, summer_moment(room_temperature_c=None))
    assert after_gap.last_temperature_c == HOUR[-1].room_temperature_c
    _, repeated = predictor.step(state, summer_moment(room_temperature_c=HOUR[-1].room_temperature_c))
    assert outlook.temperature_c == pytest.approx(repeated.temperature_c, abs=0.3)


def test_a_room_that_knows_nothing_still_gets_an_outlook(predictor: RoomPredictor) -> None:
    nothing = (None,) * 6
    moment = summer_moment(
        room_temperature_c=None,
        outdoor_temperature_c=None,
        humidity_pct=None,
        solar_w_m2=None,
        on=False,
        mode=None,
        setpoint_c=None,
        power_w=None,
        fan=None,
        occupied=None,
        planned_setpoint_c=nothing,
        outdoor_forecast_c=nothing,
        solar_forecast_w_m2=nothing,
    )
    state, outlook = predictor.step(predictor.initial_state(), moment)
    assert state.last_temperature_c is None
    assert all(-20.0 < temperature_c < 60.0 for temperature_c in outlook.temperature_c)


@pytest.mark.parametrize("values", [{}, {"hidden": [1.0], "cell": [], "last_temperature_c": None, "steps": 0}])
def test_a_state_that_is_none_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        PredictorState.from_json(values)


def test_a_state_of_another_network_is_refused(predictor: RoomPredictor) -> None:
    small = PredictorState(np.zeros(1, dtype=np.float32), np.zeros(1, dtype=np.float32), None, 0)
    assert not predictor.accepts(small)
    with pytest.raises(ValueError, match="expected states of"):
        predictor.step(small, summer_moment())


def test_other_features_are_refused_with_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = (PAST[0], replace(PAST[1], scale=5.0), *PAST[2:])
    with pytest.raises(ConfigurationError, match=r"past\[1\] is .*'scale': 5.0.* here, .*'scale': 6.0.* there"):
        loading.open_network(WEIGHTS / "predictor.onnx", {"past": changed, "ahead": AHEAD})
    with pytest.raises(ConfigurationError, match=r"ahead\[\d+\] is .*extra.* here, None there"):
        loading.open_network(WEIGHTS / "predictor.onnx", {"past": PAST, "ahead": (*AHEAD, Feature("extra", "1"))})


def test_a_missing_or_broken_network_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="`lingyun train` makes it"):
        RoomPredictor(tmp_path / "predictor.onnx")
    (tmp_path / "predictor.onnx").write_bytes(b"not a network")
    with pytest.raises(ConfigurationError, match="not a network that onnxruntime can read"):
        RoomPredictor(tmp_path / "predictor.onnx")


@pytest.mark.parametrize(("name", "groups"), [("predictor", {"past": PAST, "ahead": AHEAD})])
def test_the_card_says_what_made_the_network(name: str, groups: dict[str, tuple[Feature, ...]]) -> None:
    card = json.loads((WEIGHTS / f"{name}.json").read_text())
    inside = onnxruntime.InferenceSession(str(WEIGHTS / f"{name}.onnx")).get_modelmeta().custom_metadata_map
    assert json.loads(inside[loading.METADATA_KEY]) == card
    assert card["features"] == {group: describe(features) for group, features in groups.items()}
    assert {"commit", "seed", "versions", "held_out", "config"} <= card.keys()
    assert (WEIGHTS / f"{name}.md").stat().st_size > 1000
    assert (WEIGHTS / f"{name}.onnx").stat().st_size < 2_000_000


def test_held_out_errors_beat_persistence_from_an_hour_on() -> None:
    held_out = json.loads((WEIGHTS / "predictor.json").read_text())["held_out"]
    for label in ("1h", "2h", "6h", "12h", "24h"):
        assert held_out[label]["mae_c"] < held_out[label]["persistence_mae_c"]
