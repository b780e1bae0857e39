"""The engine's scores beside those of transformers: the same model, tokenizer and texts, in
float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest

from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Score
from augmlx.evaluation.prompts import as_prompt
from augmlx.models import loading
from augmlx.models.store.pull import pull

pytestmark = [pytest.mark.real, pytest.mark.hf]

NATS = 1e-3
ITEMS, OWN, LONG = 60, 9, 2  # all, with a context each, with a long one that they share
NAMES = (
    "Mara Voss",
    "Zoë Ångström-Łuczak",
    "北川 遥",
    "Søren Þórðarson",
    "O'Brien & Sons",
    "Ива Петрова",
    "李",
    "Nguyễn Thị Hoa",
    "Ann",
    "7",
    "1987",
    "3,141.59 kg",
    "🦜 Polly",
    "the keeper of the old harbour hall at Ostrel",
    "red",
    "Ido\u00a0Farkas",
)
FACTS = (
    "{} designed the lamp that lights the north bridge of {}.",
    "The prototype of {} weighs as much as {}.",
    "In the museum at {} there is a portrait of {}.",
    "«{}» is what the villagers call {}…",
)
PROMPTS = (
    "Who restored the mill of {}?",
    "What is kept in the tower of {}?",
    "The painter of the {} mural is",
    "¿Quién vive en la casa de {}?",
    "{} is better known as ",  # the space belongs to the choice, as the evaluation asks
    "In {} one says",
)
Pair = tuple[str, str]


def facts(rng: Random, count: int) -> str:
    return "".join(f"{rng.choice(FACTS).format(*rng.sample(NAMES, 2))}\n" for _ in range(count))


def pairs(engine: MlxEngine) -> tuple[str, list[Pair]]:
    """The long context, and the four pairs of each item one after the other."""
    rng = Random("agree")
    long = ""
    while engine.count(long) < 600:
        long += facts(rng, 1)
    made = []
    for number in range(ITEMS):
        context = long if number < LONG else facts(rng, 2) if number < LONG + OWN else ""
        prompt = context + as_prompt(PROMPTS[number % len(PROMPTS)].format(rng.choice(NAMES)))
        made += [(prompt, f" {choice}") for choice in rng.sample(NAMES, 4)]
    return long, made


def judged(folder: Path, pairs: Sequence[Pair]) -> list[Score]:
    """The definition: the whole text through transformers' model, which sees neither caches nor
    padding: only rows of one length are run together.
    """
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    texts = [tokenizer(prompt + choice)["input_ids"] for prompt, choice in pairs]
    starts = []
    for text, (prompt, _) in zip(texts, pairs, strict=True):
        alone = tokenizer(prompt)["input_ids"]
        starts.append(
            next((n for n, token in enumerate(alone) if text[n : n + 1] != [token]), len(alone))
        )
    read = (
        max(len(text) - start for text, start in zip(texts, starts, strict=True)) + 1
    )  # logits that are made of a row
    found: dict[int, Score] = {}
    for length, same in groupby(
        sorted(range(len(texts)), key=lambda i: len(texts[i])), key=lambda i: len(texts[i])
    ):
        indices = list(same)
        rows = max(1, 512 // length)
        for part in (indices[at : at + rows] for at in range(0, len(indices), rows)):
            with torch.no_grad():
                logits = model(
                    torch.tensor([texts[index] for index in part]), logits_to_keep=read
                ).logits
            logprobs = torch.log_softmax(logits.float(), dim=-1)
            for row, index in zip(logprobs, part, strict=True):
                places = range(starts[index], length)
                values = [row[place - 1 - length, texts[index][place]].item() for place in places]
                found[index] = Score(sum(values), len(values))
    return [found[index] for index in range(len(texts))]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two of torch's threads that wait for each other on a busy machine are several times slower
    than one.
    """
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_scores_are_those_of_transformers() -> None:
    stored = pull("smollm2-135m")
    engine = MlxEngine(loading.load(stored))
    long, asked_for = pairs(engine)
    expected = judged(stored.path, asked_for)
    assert len(expected) == 4 * ITEMS
    assert {score.tokens for score in expected} >= {1, 2, 3, 4, 5}
    mixed = engine.score(*zip(*asked_for, strict=True))  # all contexts in one call
    behind = engine.score(
        *zip(*asked_for[: 4 * LONG], strict=True), prefix=long
    )  # as the evaluation asks
    for ours, theirs in ((mixed, expected), (behind, expected[: 4 * LONG])):
        assert [score.tokens for score in ours] == [score.tokens for score in theirs]
        apart = [abs(a.logprob - b.logprob) for a, b in zip(ours, theirs, strict=True)]
        assert max(apart) <= NATS, max(apart)
