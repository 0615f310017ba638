"""The actor as it ships."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ConfigurationError
from models.actor import PlanActor
from models.features import ACTOR, Raw, describe
from models.loading import WEIGHTS, open_network


def ordinary(n: int = 3) -> Raw:
    """Every feature in the middle of its range."""
    return {feature.name: np.full(n, feature.centre) for feature in ACTOR}


def test_corrections_are_bounded_whatever_is_seen() -> None:
    rng = np.random.default_rng(1)
    raw = {feature.name: feature.centre + 20.0 * feature.scale * rng.normal(size=200) for feature in ACTOR}
    action = PlanActor.load().act(raw)
    assert action.shape == (200, 2)
    assert (np.abs(action) <= 1.0 + 1e-6).all()


def test_many_rooms_at_once_equal_one_by_one() -> None:
    rng, actor = np.random.default_rng(2), PlanActor.load()
    raw = {feature.name: feature.centre + feature.scale * rng.normal(size=4) for feature in ACTOR}
    alone = [actor.act({name: values[i : i + 1] for name, values in raw.items()})[0] for i in range(4)]
    assert actor.act(raw) == pytest.approx(np.array(alone), abs=1e-5)


def test_a_feature_that_is_missing_or_unknown_is_an_error() -> None:
    actor, raw = PlanActor.load(), dict(ordinary())
    with pytest.raises(ValueError, match="excess_k"):
        actor.act({**raw, "excess_k": np.full(3, np.nan)})
    del raw["lacks_k"]
    with pytest.raises(KeyError, match="lacks_k"):
        actor.act(raw)


def test_other_features_are_refused() -> None:
    changed = (replace(ACTOR[0], unit="°"), *ACTOR[1:])
    with pytest.raises(ConfigurationError, match=r"actor.onnx was trained on other features: observation\[0\]"):
        open_network(WEIGHTS / "actor.onnx", {"observation": changed})


def test_the_card_says_what_made_the_network() -> None:
    card = json.loads((WEIGHTS / "actor.json").read_text())
    assert card == PlanActor.load().card
    assert card["features"] == {"observation": describe(ACTOR)}
    assert {"commit", "seed", "versions", "held_out", "config", "decisions"} <= card.keys()
    assert (WEIGHTS / "actor.onnx").stat().st_size < 2_000_000
    assert "plan_and_actor" in (WEIGHTS / "actor.md").read_text()
