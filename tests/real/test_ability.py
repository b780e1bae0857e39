"""The control of general ability on SmolLM2 itself: neither at its floor nor at its ceiling, and a
damage is seen.
"""

from __future__ import annotations

import pytest

from augmlx.engines.mlx.engine import MlxEngine
from augmlx.evaluation.ability import measure, regressions
from augmlx.models import loading
from augmlx.models.store.pull import pull

import mlx.core as mx  # isort: skip
from mlx.utils import tree_map  # isort: skip

pytestmark = pytest.mark.real


def test_the_small_model_is_well_above_chance_and_a_damaged_one_is_told() -> None:
    loaded = loading.load(pull("smollm2-135m"))
    before = measure(MlxEngine(loaded))
    assert 0.6 < before.accuracy < 0.9  # chance is 0.25
    assert 15 < before.perplexity < 40

    keys = iter(mx.random.split(mx.random.key(1), 1024))
    spoilt = tree_map(
        lambda v: v * (1 + 0.3 * mx.random.normal(v.shape, key=next(keys))),
        loaded.model.layers[10].parameters(),
    )
    loaded.model.layers[10].update(spoilt)
    after = measure(MlxEngine(loaded))
    assert [row.what for row in regressions(before, after, "spoilt", seed=0)][:1] == ["perplexity"]
