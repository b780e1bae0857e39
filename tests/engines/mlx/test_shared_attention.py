from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import KINDS, load_tiny

from augmlx.engines.mlx import probes
from augmlx.engines.mlx.shared_attention import SharedKVCache
from augmlx.models.heads import Head

import mlx.core as mx  # isort: skip
from mlx_lm.models.base import scaled_dot_product_attention  # isort: skip
from mlx_lm.models.cache import KVCache  # isort: skip

HEADS, GROUPS, WIDTH = 4, 2, 8


def random(*shape: int, key: int) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(key))


def beginning(length: int, key: int) -> KVCache:
    cache = KVCache()
    if length:
        cache.update_and_fetch(
            random(1, GROUPS, length, WIDTH, key=key), random(1, GROUPS, length, WIDTH, key=key + 1)
        )
    return cache


def alone(begun: KVCache, parts: list[tuple[mx.array, mx.array, mx.array]]) -> mx.array:
    """The last part's attention with mlx-lm's own cache and function, the row by itself."""
    cache = KVCache()
    if begun.offset:
        cache.update_and_fetch(*begun.keys_and_values())
    for queries, keys, values in parts:
        mask = cache.make_mask(queries.shape[2], return_array=False, window_size=None)
        found = scaled_dot_product_attention(
            queries, *cache.update_and_fetch(keys, values), cache, 0.3, mask
        )
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=5),
    st.lists(st.integers(1, 6), min_size=5, max_size=5),
    st.lists(st.integers(0, 4), min_size=1, max_size=6),
    st.integers(0, 1000),
)
def test_rows_see_what_they_see_alone(
    which: list[int], lengths: list[int], kept: list[int], key: int
) -> None:
    """Rows behind three beginnings (one empty) are run padded, taken out, doubled and put in other
    orders, and then decoded: each sees its beginning and its own tokens, and nothing else.
    """
    begun = [beginning(length, 7 * length) for length in (0, 5, 40)]
    rows = len(which)
    lengths = lengths[:rows]
    longest = max(lengths)
    first = [
        random(rows, n, longest, WIDTH, key=key + i) for i, n in enumerate((HEADS, GROUPS, GROUPS))
    ]
    cache = SharedKVCache([begun[n] for n in which])
    cache.prepare(lengths=lengths, right_padding=[longest - length for length in lengths])
    assert cache.offset.tolist() == [begun[n].offset for n in which]
    mask = cache.make_mask(longest, return_array=False)
    seen = cache.attend(first[0], *cache.update_and_fetch(first[1], first[2]), 0.3, mask, None)
    cache.finalize()
    own = [tuple(part[row : row + 1, :, : lengths[row]] for part in first) for row in range(rows)]
    for row in range(rows):
        expected = alone(begun[which[row]], [own[row]])  # type: ignore[list-item]
        assert mx.allclose(seen[row : row + 1, :, : lengths[row]], expected, atol=1e-5)
    kept = [row % rows for row in kept]
    cache.filter(kept)
    more = SharedKVCache([begun[1]])
    late = [random(1, n, 3, WIDTH, key=key + 9 + i) for i, n in enumerate((HEADS, GROUPS, GROUPS))]
    more.make_mask(3)
    more.update_and_fetch(late[1], late[2])
    cache.extend(more)
    assert cache.offset.tolist() == [begun[which[row]].offset + lengths[row] for row in kept] + [8]
    step = [
        random(len(kept) + 1, n, 1, WIDTH, key=key + 20 + i)
        for i, n in enumerate((HEADS, GROUPS, GROUPS))
    ]
    mask = cache.make_mask(1)
    seen = cache.attend(step[0], *cache.update_and_fetch(step[1], step[2]), 0.3, mask, None)
    for place, row in enumerate(kept):
        parts = [own[row], tuple(part[place : place + 1] for part in step)]
        assert mx.allclose(seen[place : place + 1], alone(begun[which[row]], parts), atol=1e-5)  # type: ignore[arg-type]
    last = alone(begun[1], [tuple(late), tuple(part[-1:] for part in step)])  # type: ignore[list-item]
    assert mx.allclose(seen[-1:], last, atol=1e-5)


def test_rows_of_one_beginning_are_one_group() -> None:
    one, two = beginning(3, 1), beginning(3, 1)
    cache = SharedKVCache([one, one, two, one])
    assert [(id(b), n) for b, n in cache.groups] == [(id(one), 2), (id(two), 1), (id(one), 1)]
    cache.filter([0, 3, 1])
    assert [n for _, n in cache.groups] == [3]


def test_what_cannot_be_shared_is_refused() -> None:
    cache = SharedKVCache([beginning(3, 1)])
    with pytest.raises(ValueError, match="window"):
        cache.make_mask(1, window_size=4)
    queries, keys = random(1, HEADS, 1, WIDTH, key=1), random(1, GROUPS, 1, WIDTH, key=2)
    with pytest.raises(ValueError, match="sinks"):
        cache.attend(queries, keys, keys, 1.0, None, mx.zeros(HEADS))


def test_how_rows_are_batched_is_tried_on_each_model(tmp_path: Path) -> None:
    """gemma2 weighs by a function of its own, and mlx-lm batches it wrongly where heads are
    grouped.
    """
    models = {kind: load_tiny(tmp_path / kind, kind).model for kind in KINDS}
    ways = {kind: probes.batching(model, Head(model)) for kind, model in models.items()}
    shared = {"llama", "llama-untied", "cohere", "granite"}
    assert ways == {
        **dict.fromkeys(KINDS, "merged"),
        **dict.fromkeys(shared, "shared"),
        "gemma2": "alone",
    }


def test_a_model_that_does_not_see_shared_beginnings_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_tiny(tmp_path / "model").model
    import mlx_lm.models.llama as llama

    monkeypatch.setattr(llama, "scaled_dot_product_attention", scaled_dot_product_attention)
    monkeypatch.setattr(probes, "teach", lambda _model: None)
    assert probes.batching(model, Head(model)) == "merged"
