"""A predictor trained for seconds goes through everything that a real one does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.words import Mode
from models import features
from models.features import AHEAD, PAST, ahead_raw, columns, encode, horizon_label, past_raw
from models.predictor import RoomPredictor
from models.words import HORIZONS_S, RoomMoment
from tests.models.moments import AFTERNOON, summer_moment
from tests.training.pools import summer_pool
from training import train_predictor
from training.rooms import HORIZON_ROWS, Recording, Window, record_rooms, targets, window
from training.train_predictor import Config, RoomNetwork, StreamingStep

ROOMS = np.arange(16)
TINY = Config(
    minutes=0.03,
    rooms=16,
    days=4,
    held_out_rooms=8,
    corrected_rooms=2,
    hidden=16,
    batch_rooms=8,
    window_steps=96,
    warm_steps=24,
)


@dataclass(frozen=True)
class Trained:
    """What a tiny training left behind."""

    path: Path
    folder: Path


@pytest.fixture(scope="module", autouse=True)
def small_pool() -> Iterator[None]:
    """A year of hundreds of homes would take a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_predictor, "_pool", lambda config, split: summer_pool())
        yield


@pytest.fixture(scope="module")
def trained(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    config = replace(TINY, output=tmp_path_factory.mktemp("weights") / "predictor.onnx")
    return Trained(train_predictor.main(config), runs / "predictor-0")


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record_rooms(np.random.default_rng(7), summer_pool(), ROOMS.size, 4)


def network(trained: Trained) -> RoomNetwork:
    """The trained network as torch has it."""
    result = RoomNetwork(TINY.hidden)
    result.load_state_dict(torch.load(trained.folder / "checkpoint.pt")["network"])
    return result.eval()


def test_the_exported_network_serves_and_says_where_it_comes_from(trained: Trained) -> None:
    predictor = RoomPredictor(trained.path)
    state, outlook = predictor.step(predictor.initial_state(), summer_moment())
    assert state.steps == 1
    assert outlook.horizons_s == HORIZONS_S
    assert predictor.card["config"]["rooms"] == 16
    assert predictor.card["config"]["output"] == "predictor.onnx"
    assert set(predictor.card["held_out"]) == {"15min", "1h", "2h", "6h", "12h", "24h"}
    assert predictor.card == json.loads(trained.path.with_suffix(".json").read_text())
    assert str(trained.path.parent) not in trained.path.read_bytes().decode("latin-1")
    assert "Known limits" in trained.path.with_suffix(".md").read_text()


def test_the_exported_network_equals_the_trained_one(trained: Trained) -> None:
    predictor = RoomPredictor(trained.path)
    moments = [summer_moment(), summer_moment(on=False, power_w=None), summer_moment(room_temperature_c=22.0)]
    last_c = np.array([27.5, 27.5, 22.0])
    states = [predictor.initial_state()] * 3
    hidden = cell = torch.zeros(3, TINY.hidden)
    for _ in range(4):
        states, outlooks = predictor.step_many(states, moments)
        with torch.no_grad():
            temperature_c, spread_k, energy_kwh, hidden, cell = StreamingStep(network(trained))(
                torch.from_numpy(encode(PAST, past_raw(moments, last_c))),
                torch.from_numpy(encode(AHEAD, ahead_raw(moments, last_c))),
                torch.from_numpy(last_c[:, np.newaxis].astype(np.float32)),
                hidden,
                cell,
            )
    for i, outlook in enumerate(outlooks):
        assert outlook.temperature_c == pytest.approx(temperature_c[i].tolist(), abs=1e-3)
        assert outlook.spread_k == pytest.approx(spread_k[i].tolist(), abs=1e-4)
        assert outlook.energy_kwh == pytest.approx(energy_kwh[i].tolist(), abs=1e-4)
        assert states[i].hidden == pytest.approx(hidden[i].tolist(), abs=1e-5)


def test_streaming_equals_the_whole_sequence(trained: Trained, recording: Recording) -> None:
    net = network(trained)
    past = torch.from_numpy(window(recording, np.arange(50), ROOMS, 1, None).past)
    hidden = cell = torch.zeros(ROOMS.size, TINY.hidden)
    with torch.no_grad():
        whole, _ = net.memory(past)
        step = StreamingStep(net)
        unused = torch.zeros(ROOMS.size, len(columns(AHEAD))), torch.zeros(ROOMS.size, 1)
        for i in range(50):
            *_, hidden, cell = step(past[:, i], *unused, hidden, cell)
            assert torch.allclose(hidden, whole[:, i], atol=1e-5)


def test_a_run_goes_on_from_its_checkpoint(trained: Trained, tmp_path: Path) -> None:
    """The time is spent: a second start trains no further and exports the same network."""
    before = (trained.folder / "curves.jsonl").read_text()
    again = train_predictor.main(replace(TINY, output=tmp_path / "predictor.onnx"))
    assert (trained.folder / "curves.jsonl").read_text() == before
    first, second = RoomPredictor(trained.path), RoomPredictor(again)
    moment = summer_moment()
    (learned, told), (learned_again, told_again) = (one.step(one.initial_state(), moment) for one in (first, second))
    assert told == told_again
    assert learned.to_json() == learned_again.to_json()


def test_simulated_rooms_repeat_with_their_seed(recording: Recording) -> None:
    again = record_rooms(np.random.default_rng(7), summer_pool(), ROOMS.size, 4)
    for name, values in recording.measured.items():
        assert np.array_equal(values, again.measured[name], equal_nan=True), name


def moment_of(recording: Recording, sample: Window, raw: dict[str, float], row: int, room: int) -> RoomMoment:
    """The moment that a home would hand to the predictor at this row."""

    def known(name: str) -> float | None:
        value = float(recording.measured[name][row, room])
        return None if np.isnan(value) else value

    missing = recording.measured["missing"][row, room] > 0.5
    cooling, heating = recording.measured["cooling"][row, room], recording.measured["heating"][row, room]

    def ahead(name: str, offset: float = 0.0) -> tuple[float | None, ...]:
        values = [raw[f"{name}_{label}"] for label in map(horizon_label, HORIZONS_S)]
        return tuple(None if np.isnan(value) else value + offset for value in values)

    last_c = float(sample.last_c[row, room])
    return summer_moment(
        at=AFTERNOON + timedelta(seconds=300 * row),
        local_hour=known("local_hour"),
        weekday=int(recording.measured["weekday"][row, room]),
        room_temperature_c=None if missing else known("reading_c"),
        outdoor_temperature_c=known("outdoor_temperature_c"),
        humidity_pct=known("humidity_pct"),
        solar_w_m2=known("solar_w_m2"),
        on=known("on") == 1.0,
        mode=Mode.COOL if cooling else Mode.HEAT if heating else None,
        setpoint_c=known("setpoint_c"),
        power_w=known("power_w"),
        occupied=known("occupied"),
        planned_setpoint_c=ahead("planned_setpoint_above_room_k", last_c),
        outdoor_forecast_c=ahead("outdoor_above_room_k", last_c),
        solar_forecast_w_m2=ahead("solar_w_m2"),
    )


def test_training_and_serving_read_the_same_columns(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a home would hand over as moments encodes to the very columns that the network was trained on."""
    rows, heads = np.arange(60), np.array([20, 40])
    sample = window(recording, rows, ROOMS, 1, None)
    seen: list[features.Raw] = []

    def listen(group: Sequence[features.Feature], raw: features.Raw) -> NDArray[np.float32]:
        seen.append(raw)
        return encode(group, raw)

    monkeypatch.setattr(features, "encode", listen)
    trained_ahead, _, _, _ = targets(recording, sample, rows, ROOMS, heads)
    for position, row in enumerate(heads):
        for room in ROOMS:
            raw = {name: float(values[position, room]) for name, values in seen[0].items()}
            moment = moment_of(recording, sample, raw, int(row), int(room))
            last_c = np.array([sample.last_c[row, room]])
            served_past = encode(PAST, past_raw([moment], last_c))[0]
            served_ahead = encode(AHEAD, ahead_raw([moment], last_c))[0]
            assert served_past == pytest.approx(sample.past[room, row], abs=1e-5)
            assert served_ahead == pytest.approx(trained_ahead[room, position], abs=1e-5)


def test_targets_are_what_came(recording: Recording) -> None:
    """The temperature a horizon later, and the mean power from the horizon before to it."""
    rows, heads = np.arange(60), np.array([30])
    sample = window(recording, rows, ROOMS, 1, None)
    _, last_c, target_c, target_kw = targets(recording, sample, rows, ROOMS, heads)
    before = 0
    for i, horizon in enumerate(HORIZON_ROWS):
        assert np.array_equal(target_c[:, 0, i], recording.measured["reading_c"][30 + horizon])
        power_w = recording.measured["true_power_w"][31 + before : 31 + horizon].mean(axis=0)
        assert target_kw[:, 0, i] == pytest.approx(power_w / 1e3, rel=1e-4)
        before = horizon
    assert np.array_equal(last_c[:, 0, 0], sample.last_c[30])
