"""What questions behind one context put through the model: the context once, and of each question
what is its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CORPUS, load_tiny

from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.mlx.prefixes import LEAST, common_prefix
from augmlx.engines.protocol import Request, Score
from augmlx.models.loading import LoadedModel

import mlx.core as mx  # isort: skip
import numpy as np  # isort: skip

CONTEXT = "".join(CORPUS) * 2
CHOICES = (" Venn", " Ostrel", " the harbour hall of Ada", " the lamp")
Pair = tuple[str, str]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    return lru_cache(
        lambda kind: load_tiny(
            tmp_path_factory.mktemp("models") / kind, kind, max_position_embeddings=1024
        )
    )


def questions(count: int) -> list[list[Pair]]:
    """No two prompts share enough behind the context to be worth a cache."""
    return [
        [(f"{CONTEXT}{number:02} What is it?", choice) for choice in CHOICES]
        for number in range(count)
    ]


def asked(engine: MlxEngine, items: list[list[Pair]], *, prefix: str = "") -> list[Score]:
    prompts, choices = zip(*[pair for item in items for pair in item], strict=True)
    return engine.score(prompts, choices, prefix=prefix)


def added(engine: MlxEngine, items: list[list[Pair]]) -> int:
    """The tokens behind the context: of a question what its choices share once, and the rest of
    each.
    """
    begun = engine.encode(CONTEXT)
    total = 0
    for item in items:
        rows = [engine.encode(prompt + choice)[:-1] for prompt, choice in item]
        shared = len(common_prefix(rows))
        assert rows[0][: len(begun)] == begun
        assert shared - len(begun) < LEAST
        total += shared - len(begun) + sum(len(row) - shared for row in rows)
    return total


@pytest.mark.parametrize("count", [1, 2, 9])
def test_the_context_goes_through_the_model_once(
    tiny: Callable[[str], LoadedModel], count: int
) -> None:
    engine = MlxEngine(tiny("llama"))
    items = questions(count)
    asked(engine, items, prefix=CONTEXT)
    begun = engine.count(CONTEXT)
    assert begun > 100
    assert engine.tokens.prefilled == begun + added(engine, items)
    whole = sum(engine.count(prompt + choice) - 1 for item in items for prompt, choice in item)
    assert engine.tokens.prefilled + engine.tokens.reused == whole


def test_the_context_is_found_without_being_named(tiny: Callable[[str], LoadedModel]) -> None:
    """Up to where the questions part, which is at their numbers."""
    engine = MlxEngine(tiny("llama"))
    items = questions(12)
    asked(engine, items)
    assert engine.tokens.prefilled <= engine.count(CONTEXT) + added(engine, items)


def test_calls_that_name_the_context_share_it_with_each_other_and_with_generation(
    tiny: Callable[[str], LoadedModel],
) -> None:
    engine = MlxEngine(tiny("llama"))
    items = questions(6)
    together = asked(MlxEngine(tiny("llama")), items, prefix=CONTEXT)
    apart = [score for item in items for score in asked(engine, [item], prefix=CONTEXT)]
    assert engine.tokens.prefilled == engine.count(CONTEXT) + added(engine, items)
    assert [score.tokens for score in apart] == [score.tokens for score in together]
    assert [s.logprob for s in apart] == pytest.approx([s.logprob for s in together], abs=1e-4)
    before = engine.tokens.prefilled
    request = Request.greedy("0", "00 What is it?", prefix=CONTEXT, max_tokens=2)
    list(engine.generate([request]))
    assert engine.tokens.prefilled - before == len(engine.prompt_tokens(request)) - engine.count(
        CONTEXT
    )


@pytest.mark.parametrize("kind", ["llama", "llama-sliding", "mamba2", "gemma2"])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_choice_has_the_score_that_it_has_alone(
    tiny: Callable[[str], LoadedModel], kind: str, data: st.DataObject
) -> None:
    """However the choices of a prompt go on: from their first token, after some in common, or one
    behind the other.
    """
    loaded = tiny(kind)
    choice = st.sampled_from(
        [" Venn", " Venn.", " Venn. Who", " Ostrel", "x", " the lamp of Mara Voss stands", "\n"]
    )
    prompt = st.sampled_from(["Ada", "", f"{CORPUS[3]}The", f"{CORPUS[3]}The capital of"])
    drawn = data.draw(st.lists(st.tuples(prompt, choice), min_size=1, max_size=12))
    engine = MlxEngine(loaded, batch_tokens=data.draw(st.sampled_from([1, 60, 10_000])))
    pairs = [(p, c) for p, c in drawn if engine.count(p + c) > max(1, engine.count(p))]
    scores = asked(engine, [pairs]) if pairs else []
    for (prompt_text, choice_text), score in zip(pairs, scores, strict=True):
        [alone] = MlxEngine(loaded).score([prompt_text], [choice_text])
        assert score.tokens == alone.tokens
        assert score.logprob == pytest.approx(alone.logprob, rel=1e-4, abs=1e-4)


def test_no_token_is_lost_in_the_sum_over_a_large_vocabulary(tmp_path: Path) -> None:
    """MLX's own sum, from end to end in float32, is off by more at 150,000 tokens of about the same
    likelihood.
    """
    loaded = load_tiny(tmp_path / "model", vocab_size=150_000)
    prompt, choice = "The lamp of", " Mara Voss stands in the harbour hall."
    [ours] = MlxEngine(loaded).score([prompt], [choice])
    engine = MlxEngine(loaded)
    tokens = engine.encode(prompt + choice)
    start = len(common_prefix([tokens, engine.encode(prompt)]))
    logits = np.array(loaded.model(mx.array([tokens]))[0].astype(mx.float32)).astype(np.float64)
    logprobs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = sum(logprobs[place - 1, tokens[place]] for place in range(start, len(tokens)))
    assert ours.logprob == pytest.approx(expected, abs=2e-5 * ours.tokens)
