from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from augmlx.engines.mlx.prefixes import LEAST, Tokens, common_prefix, plan_caches

# Blocks of half the length that is worth a cache, so that lists share one, two, three ... halves.
BLOCKS = st.lists(st.integers(0, 2), max_size=7).map(
    lambda b: tuple(n for n in b for _ in range(LEAST // 2))
)


@given(st.lists(BLOCKS, max_size=8), st.lists(BLOCKS, max_size=4))
def test_what_two_lists_share_is_cached_for_both_but_for_less_than_a_cache_is_worth(
    lists: list[Tokens], ends: list[Tokens]
) -> None:
    plan = plan_caches(lists, ends)
    for tokens, beginning in plan.beginning.items():
        assert tokens[: len(beginning)] == beginning
        assert beginning == () or beginning in plan.parent
    for beginning, parent in plan.parent.items():
        assert beginning[: len(parent)] == parent
        assert len(beginning) - len(parent) >= LEAST
        assert parent == () or parent in plan.parent
    for one, other in combinations({*lists, *ends}, 2):
        shared = tuple(common_prefix([one, other]))
        assert (
            len(shared) - max(len(b) for b in (*plan.parent, ()) if shared[: len(b)] == b) < LEAST
        )
    for end in ends:
        assert len(end) - len(plan.beginning[end]) < LEAST


@given(st.lists(BLOCKS, max_size=6), st.randoms())
def test_the_tree_does_not_depend_on_the_order(lists: list[Tokens], rng: object) -> None:
    shuffled = sorted(lists, key=lambda _: rng.random())  # type: ignore[attr-defined]
    assert plan_caches(shuffled) == plan_caches(lists)


def test_a_head_is_found_that_no_list_ends_with() -> None:
    head = tuple(range(40))
    longer = [(*head, *range(start, start + 30)) for start in (100, 200, 300)]
    plan = plan_caches(longer, longer)
    assert plan.parent == {head: (), **dict.fromkeys(longer, head)}
    assert plan_caches([longer[0]]).parent == {}  # nothing is shared, and no end was asked for
    assert plan_caches([longer[0]], [longer[0]]).parent == {longer[0]: ()}


@given(st.lists(st.lists(st.integers(0, 2), max_size=6), min_size=1, max_size=5))
def test_the_common_prefix_is_the_longest(rows: list[list[int]]) -> None:
    prefix = common_prefix(rows)
    assert all(row[: len(prefix)] == prefix for row in rows)
    longer = {tuple(row[: len(prefix) + 1]) for row in rows}
    assert len(longer) > 1 or min(map(len, rows)) == len(prefix)
