"""Intervals and tests against published numbers, scipy and statsmodels, and their laws."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import contingency_tables, proportion

from augmlx.evaluation.statistics import LEAST_CLUSTERS, bootstrap, mcnemar, percent, wilson

# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
# (1998) 857-872, Table I, method 3 (score without continuity correction), printed to four digits.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("successes", "n", "low", "high"), NEWCOMBE)
def test_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_without_a_trial_everything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


COUNTS = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS)
def test_the_interval_holds_the_share_and_stays_within_0_and_1(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == n)


@given(COUNTS)
def test_the_interval_is_that_of_statsmodels(counts: tuple[int, int]) -> None:
    successes, n = counts
    assert wilson(successes, n) == pytest.approx(
        proportion.proportion_confint(successes, n, method="wilson"), rel=1e-9, abs=1e-12
    )


@given(COUNTS)
def test_failures_mirror_successes(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = wilson(successes, n)
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.integers(1, 50), st.integers(1, 50))
def test_more_trials_of_the_same_share_narrow_it(successes: int, more: int) -> None:
    n = 2 * successes
    wide, narrow = wilson(successes, n), wilson(successes * (more + 1), n * (more + 1))
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


@pytest.mark.parametrize(
    ("right", "n", "shown"),
    [(9, 40, 23), (39, 40, 98), (7, 40, 18), (1, 3, 33), (0, 5, 0), (5, 5, 100)],
)
def test_halves_are_rounded_up_everywhere(right: int, n: int, shown: int) -> None:
    assert percent(right / n) == shown


# McNemar's exact test

DISCORDANT = st.integers(0, 2000)


@given(DISCORDANT, DISCORDANT)
def test_mcnemar_agrees_with_scipy_and_statsmodels(first: int, second: int) -> None:
    p = mcnemar(first, second)
    if first + second:
        assert p == pytest.approx(stats.binomtest(first, first + second).pvalue, rel=1e-9)
        assert p == pytest.approx(
            contingency_tables.mcnemar([[7, first], [second, 9]], exact=True).pvalue, rel=1e-9
        )
    assert p == mcnemar(second, first)
    assert 0 <= p <= 1


@pytest.mark.parametrize(
    ("first", "second"), [(0, 100_000), (49_500, 50_500), (50_000, 50_000), (49_999, 50_000)]
)
def test_mcnemar_of_many_does_not_overflow(first: int, second: int) -> None:
    assert mcnemar(first, second) == pytest.approx(
        stats.binomtest(first, first + second).pvalue, rel=1e-9, abs=1e-300
    )


def test_arms_that_never_differ_are_equal_for_sure() -> None:
    assert mcnemar(0, 0) == 1


# The bootstrap over clusters


def test_the_bootstrap_agrees_with_scipys_on_paired_differences() -> None:
    rng = Random(0)
    differences = [rng.choice((1.0, 1.0, 0.0, 0.0, 0.0, -1.0)) for _ in range(80)]
    ours = bootstrap([[value] for value in differences], seed=0, resamples=8000)
    theirs = stats.bootstrap(
        (differences,), np.mean, method="percentile", n_resamples=8000, rng=1
    ).confidence_interval
    # The ends of two bootstraps of 8000 resamples differ by some hundredths of the standard error,
    # here 0.08.
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_the_bootstrap_agrees_with_scipys_over_clusters_of_several_sizes() -> None:
    rng = Random(1)
    clusters = [
        [rng.choice((1.0, 0.0, 0.0, -1.0)) + n % 2 for _ in range(1 + n % 4)] for n in range(60)
    ]
    sums, sizes = [sum(values) for values in clusters], [len(values) for values in clusters]

    def mean(sums: np.ndarray, sizes: np.ndarray, axis: int) -> np.ndarray:
        return sums.sum(axis=axis) / sizes.sum(axis=axis)

    found = stats.bootstrap(
        (sums, sizes), mean, method="percentile", paired=True, n_resamples=8000, rng=1
    )
    theirs = found.confidence_interval
    assert bootstrap(clusters, seed=0, resamples=8000) == pytest.approx(
        (theirs.low, theirs.high), abs=0.02
    )


CLUSTERS = st.lists(
    st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=4), min_size=1, max_size=12
)


@settings(max_examples=50)
@given(CLUSTERS, st.integers(0, 9))
def test_the_bootstrap_stays_within_what_the_clusters_say(
    clusters: list[list[float]], seed: int
) -> None:
    low, high = bootstrap(clusters, seed=seed, resamples=200)
    assert (low, high) == bootstrap(clusters, seed=seed, resamples=200)
    if len(clusters) < LEAST_CLUSTERS:
        assert (low, high) == (-1, 1)
    else:
        means = [sum(values) / len(values) for values in clusters]
        assert min(means) - 1e-12 <= low <= high <= max(means) + 1e-12


@settings(max_examples=50)
@given(CLUSTERS)
def test_the_other_arms_interval_is_the_mirror_image(clusters: list[list[float]]) -> None:
    low, high = bootstrap(clusters, seed=0, resamples=200)
    turned = [[-value for value in values] for values in clusters]
    assert bootstrap(turned, seed=0, resamples=200) == pytest.approx((-high, -low), abs=1e-9)


def test_a_few_clusters_exclude_nothing_however_much_they_agree() -> None:
    assert bootstrap([[1.0] * 50], seed=0) == (-1, 1)
    assert bootstrap([[1.0]] * (LEAST_CLUSTERS - 1), seed=0, within=(0, 1)) == (0, 1)
    assert bootstrap([[1.0]] * LEAST_CLUSTERS, seed=0) == (1, 1)
    assert bootstrap([[1.0]] * (LEAST_CLUSTERS - 1) + [[]] * 9, seed=0) == (
        -1,
        1,
    )  # an empty one says nothing


def test_the_least_number_of_clusters_is_where_a_sign_test_can_first_tell() -> None:
    assert mcnemar(LEAST_CLUSTERS - 1, 0) > 0.05 > mcnemar(LEAST_CLUSTERS, 0)


def test_values_of_one_cluster_are_no_independent_trials() -> None:
    rng = Random(2)
    facts = [rng.choice((0.0, 1.0)) for _ in range(40)]
    alone = bootstrap([[value] for value in facts], seed=0)
    repeated = bootstrap([[value] * 10 for value in facts], seed=0)
    pretended = bootstrap([[value] for value in facts for _ in range(10)], seed=0)
    assert repeated == pytest.approx(alone)
    assert pretended[1] - pretended[0] < 0.5 * (alone[1] - alone[0])
