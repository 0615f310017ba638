"""The recorded benchmark reads what the map says, looks at nothing that comes later, and compares like with like."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recorded import command, simulated
from benchmarks.recorded.contenders import foretell
from benchmarks.recorded.records import Record, known_sources, own_sources, read_record
from benchmarks.recorded.score import block_bootstrap
from core.errors import ConfigurationError
from tests.training.pools import summer_pool
from training.rooms import moments_of, record_rooms

MAPS = Path(__file__).parents[2] / "lingyun" / "maps"
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
MAP = """
[home]
time_zone = "Europe/London"
[time]
column = "at"
clock = "UTC"
[[device]]
id = "logger"
kind = "thermometer"
[device.columns]
inside = { quantity = "room_temperature_c", unit = "C" }
outside = { quantity = "outdoor_temperature_c", unit = "C" }
sun = { quantity = "solar_w_m2", unit = "W/m2" }
boiler = { quantity = "heat_w", unit = "kW" }
"""
ROOM = """
[[room]]
name = "Den"
temperature = "inside"
outdoor_temperature = "outside"
solar = "sun"
heat = "boiler"
"""


def rows(days: float, step_s: int = 3600) -> list[dict[str, Any]]:
    """A room that follows outdoors and a boiler that heats by day, with some noise."""
    rng = np.random.default_rng(1)
    inside_c, found = 18.0, []
    for i in range(round(days * 86_400 / step_s)):
        hour = i * step_s / 3600.0
        outside_c = 6.0 + 4.0 * np.sin(2 * np.pi * (hour - 9.0) / 24.0) + rng.normal(0.0, 0.3)
        boiler_kw = 9.0 if 7 <= hour % 24 < 21 and inside_c < 21.0 else 0.0
        inside_c += step_s / 3600.0 * (0.03 * (outside_c - inside_c) + 0.08 * boiler_kw) + rng.normal(0.0, 0.02)
        at = (BEGIN + timedelta(seconds=i * step_s)).isoformat()
        sun = max(0.0, 300.0 * np.sin(np.pi * (hour % 24 - 8.0) / 8.0))
        found.append({"at": at, "inside": inside_c, "outside": outside_c, "sun": sun, "boiler": boiler_kw})
    return found


def written(folder: Path, table: list[dict[str, Any]], mapping: str = MAP + ROOM) -> tuple[Path, Path]:
    file, map_file = folder / "den.csv", folder / "den.toml"
    with file.open("w", newline="") as target:
        writer = csv.DictWriter(target, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    map_file.write_text(mapping)
    return file, map_file


def record_of(folder: Path, table: list[dict[str, Any]], mapping: str = MAP + ROOM) -> Record:
    (source,) = own_sources(*written(folder, table, mapping))
    return read_record(source)


def test_a_record_is_read_with_its_units_and_gaps(tmp_path: Path) -> None:
    table = rows(10.0)
    record = record_of(tmp_path, table[:50] + table[53:])
    assert (record.name, record.step_s, record.day, record.steps) == ("den", 3600, 24, 240)
    assert np.flatnonzero(np.isnan(record.room_c)).tolist() == [50, 51, 52]
    assert record.heat_w is not None
    assert record.heat_w[8] == pytest.approx(9000.0)
    assert record.room_c[100] == pytest.approx(table[100]["inside"])
    assert record.split == 3 + int(0.7 * 237)


def test_readings_every_few_minutes_become_means_of_a_quarter_of_an_hour(tmp_path: Path) -> None:
    table = rows(8.0, step_s=300)
    record = record_of(tmp_path, table)
    assert record.step_s == 900
    assert record.room_c[7] == pytest.approx(np.mean([row["inside"] for row in table[19:22]]))


def test_further_rooms_of_a_map_are_sets_of_their_own(tmp_path: Path) -> None:
    sources = own_sources(*written(tmp_path, rows(8.0), MAP + ROOM + ROOM.replace("Den", "Attic")))
    assert [source.name for source in sources] == ["den", "den, Attic"]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (MAP, r"no \[\[room\]\]; the benchmark needs one"),
        (MAP + ROOM.replace('"inside"', '"cellar"'), r"temperature = 'cellar' is not a column of any"),
        (
            MAP + ROOM.replace('"sun"', '"outside"'),
            r"solar must be a column of solar_w_m2, 'outside' is one of outdoor",
        ),
        (MAP + ROOM + ROOM, r"two \[\[room\]\] have the same name"),
        (MAP + ROOM.replace('temperature = "inside"\n', ""), r"den.toml: .*temperature"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_what_is_missing(tmp_path: Path, mapping: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        record_of(tmp_path, rows(8.0), mapping)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (rows(3.0), "expected readings of 7 days, got 3.0"),
        (rows(30.0, step_s=7200), "at least every hour, got one every 7200 s"),
        ([{**row, "sun": ""} for row in rows(8.0)], r"no reading of solar \(sun\)"),
    ],
    ids=["short", "rare", "empty"],
)
def test_a_record_that_cannot_be_scored_is_refused(tmp_path: Path, table: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        record_of(tmp_path, table)


def test_nobody_sees_what_comes_later(tmp_path: Path) -> None:
    """Everything after a moment is turned upside down; whatever was said up to it stays."""
    record = record_of(tmp_path, rows(14.0))
    seen = record.split + 30
    after = slice(seen + 1, None)
    assert record.solar_w_m2 is not None
    assert record.heat_w is not None
    other = replace(
        record, **{name: getattr(record, name).copy() for name in ("room_c", "outdoor_c", "solar_w_m2", "heat_w")}
    )
    for series in (other.room_c, other.outdoor_c, other.solar_w_m2, other.heat_w):
        assert series is not None
        series[after] = series[after][::-1] + 3.0
    for name, variants in foretell(record).by.items():
        for one, two in zip(variants, foretell(other).by[name], strict=True):
            assert np.isfinite(one[seen]).all(), name
            assert np.array_equal(one[: seen + 1], two[: seen + 1], equal_nan=True), name
            assert not np.array_equal(one[after], two[after], equal_nan=True), name


def test_errors_are_those_of_the_last_part_of_the_record(tmp_path: Path) -> None:
    record = record_of(tmp_path, rows(14.0))
    figures = command.score(record, 1)
    assert set(figures) == {"1h", "6h", "24h"}
    room_c, at = record.room_c, np.arange(record.split, record.steps - 6)
    assert figures["6h"]["moments"] == at.size
    assert figures["6h"]["persistence_mae_c"] == pytest.approx(np.abs(room_c[at + 6] - room_c[at]).mean())
    assert figures["6h"]["yesterday_mae_c"] == pytest.approx(np.abs(room_c[at + 6] - room_c[at - 18]).mean())
    best = min(figures["6h"][f"{name}_mae_c"] for name in command.OTHERS)
    assert figures["6h"]["ratio_to_best"] == pytest.approx(figures["6h"]["lingyun_mae_c"] / best)
    assert figures["6h"]["ratio_upper95"] >= figures["6h"]["ratio_to_best"]


def test_an_own_recording_is_scored_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(simulated, "measure", lambda *_, **__: {})
    file, map_file = written(tmp_path, rows(8.0))
    status = command.command(None, file, map_file, MAPS, seed=1, workers=1, report=tmp_path / "report", as_json=False)
    assert status == 0
    assert "| den | 24h |" in capsys.readouterr().out
    assert (tmp_path / "report" / "recorded.json").exists()


def test_a_recording_without_a_map_is_refused(tmp_path: Path) -> None:
    file, _ = written(tmp_path, rows(8.0))
    with pytest.raises(ConfigurationError, match="go together"):
        command.command(None, file, None, MAPS, seed=1, workers=1, report=None, as_json=True)
    with pytest.raises(ConfigurationError, match="nothing to score"):
        command.run(None, None, MAPS)


def test_equal_errors_have_the_ratio_one() -> None:
    miss_k = np.random.default_rng(0).random(400)
    day = np.arange(400) // 24
    assert block_bootstrap(miss_k, miss_k[:, np.newaxis], day, 1) == pytest.approx((1.0, 1.0, 1.0))
    others_k = np.stack([4.0 * miss_k, 2.0 * miss_k], axis=1)
    assert block_bootstrap(miss_k, others_k, day, 1) == pytest.approx((0.5, 0.5, 0.5))


def test_simulated_rooms_are_lived_through_as_the_engine_does() -> None:
    recording = record_rooms(np.random.default_rng(7), summer_pool(), 2, 4, simulated.never_on)
    moments = list(moments_of(recording))
    assert not any(moment.on for room in moments for moment in room)
    assert all(setpoint_c is None for room in moments for moment in room for setpoint_c in moment.planned_setpoint_c)
    misses = [simulated.live(room, recording.measured["reading_c"][:, i]) for i, room in enumerate(moments)]
    figures = simulated.as_json(misses, 1)
    assert figures["rooms"] >= 1
    for row in figures["horizons"].values():
        assert 0.0 < row["lingyun_mae_c"] < 3.0
        assert row["ratio_to_rc"] == pytest.approx(row["lingyun_mae_c"] / row["rc_mae_c"])


def test_the_known_sets_are_found(recorded_data: Path) -> None:
    records = {source.name: read_record(source) for source in known_sources(recorded_data, MAPS)}
    assert set(records) == {"sml2010", "uk_house_heating"}
    assert (records["sml2010"].step_s, records["uk_house_heating"].step_s) == (900, 3600)
    assert np.isfinite(records["sml2010"].room_c).sum() == 2764 + 1373
    assert records["uk_house_heating"].heat_w is not None
