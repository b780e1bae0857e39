"""The softmax and its mass against sums in double precision, as a GPU makes them and as Linux's CPU
does.
"""

from __future__ import annotations

import mlx.core as mx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augmlx.models import softmax

import numpy as np  # isort: skip


@pytest.fixture(params=[True, False], ids=["scalar", "kernels"])
def scalar(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(softmax, "_scalar", lambda: request.param)
    return bool(request.param)


def exact(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wide = logits.astype(np.float64)
    largest = wide.max(axis=-1, keepdims=True)
    terms = np.exp(wide - largest)
    mass = terms.sum(axis=-1, keepdims=True)
    return terms / mass, (largest + np.log(mass))[:, 0]


@pytest.mark.usefixtures("scalar")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(0, 999),
    st.integers(1, 4),
    st.sampled_from([1, 2, 7, 1023, 1024, 1025, 3000]),
    st.floats(0.1, 30.0),
)
def test_both_are_those_of_double_precision(
    seed: int, rows: int, vocabulary: int, spread: float
) -> None:
    logits = (np.random.default_rng(seed).normal(size=(rows, vocabulary)) * spread).astype(
        np.float32
    )
    shares, mass = exact(logits)
    found, its_mass = softmax.softmax(mx.array(logits))
    assert np.allclose(np.array(found), shares, rtol=1e-4, atol=1e-9)
    assert np.allclose(np.array(its_mass), mass, rtol=2e-6, atol=2e-6)
    assert np.allclose(np.array(softmax.log_mass(mx.array(logits))), mass, rtol=2e-6, atol=2e-6)


@pytest.mark.usefixtures("scalar")
def test_ruled_out_words_have_no_share_and_a_nan_spoils_its_row_alone() -> None:
    logits = mx.array([[0.0, -np.inf, 1.0], [0.0, np.nan, 1.0], [88.0, 0.0, -88.0]])
    shares, mass = (np.array(part) for part in softmax.softmax(logits))
    assert shares[0, 1] == 0
    assert shares[0].sum() == pytest.approx(1)
    assert np.isnan(shares[1]).any()
    assert np.isnan(mass[1])
    assert mass[2] == pytest.approx(88)


@pytest.mark.skipif(not softmax._scalar(), reason="MLX has its own kernels here")
def test_a_large_vocabulary_is_summed_without_a_lean() -> None:
    """MLX's own sum is off by 1.5e-4 here, on average and in each row to the same side."""
    logits = np.random.default_rng(0).normal(size=(16, 49_152)).astype(np.float32)
    _, mass = exact(logits)
    own = np.array(mx.logsumexp(mx.array(logits), axis=-1)) - mass
    for found in (softmax.softmax(mx.array(logits))[1], softmax.log_mass(mx.array(logits))):
        errors = np.array(found) - mass
        assert abs(errors.mean()) < 2e-6
        assert abs(errors.mean()) < abs(own.mean()) / 5


@pytest.mark.skipif(not softmax._scalar(), reason="MLX has its own kernels here")
def test_linux_takes_the_way_made_for_it() -> None:
    """The two ways differ in their last bits, so that it can be told which one was taken."""
    logits = mx.random.normal((4, 5000), key=mx.random.key(3)) * 5
    assert not mx.array_equal(softmax.softmax(logits)[0], mx.softmax(logits, axis=-1))
