"""How fast multiple choice questions behind a shared context are scored: augmlx beside scoring each
choice by itself.

    .venv/bin/python scripts/bench_scoring.py --json scoring.json

1,000 invented questions of four choices stand behind the same context of 600 tokens. Three ways, in
one process and in turn: augmlx's engine, in calls of 64 questions as the evaluation makes them; the
same engine asked for one choice at a time, which shares the context and forms no batches; and one
plain forward pass of mlx-lm's model for each choice, which shares nothing and makes the logits of
all positions, as mlx-lm's own evaluation does. The last two answer random samples of the choices,
for all of them would take an hour, and their times are scaled. The plain passes stand before and
behind the others, half the sample each.

Bars: augmlx is at least 5 times as fast as the plain passes; it prefills the context once, so that
the tokens put through the model are the context's and what each question adds, to the token; no
sampled score differs by more than 1e-3 nats from that of the plain pass.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random

import benchmark
import numpy as np
from invented import word

from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.mlx.prefixes import common_prefix
from augmlx.engines.protocol import Score
from augmlx.models import blas, loading
from augmlx.models.loading import LoadedModel
from augmlx.models.store import folder as store

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first

FASTER, NATS = 5.0, 1e-3
CALL = 64  # questions
OURS, SINGLE, PLAIN = "augmlx", "augmlx, one at a time", "plain passes"
COLOURS = "red blue green white black yellow brown grey".split()
# A fact, what is asked about it, and what the choices are; questions part early, so that none begin
# alike.
SHAPES = [
    (
        "The mural of {place} is by {name}.",
        "Question: {place} has a mural. Who painted it?\nAnswer:",
        "name",
    ),
    (
        "The mill of {place} dates from {year}.",
        "Question: {place} has a mill. When was it built?\nAnswer:",
        "year",
    ),
    (
        "The gate of {place} is {colour}.",
        "{place} is entered from the river through a gate whose colour is",
        "colour",
    ),
]
Pair = tuple[str, str]  # prompt and continuation
Way = Callable[[Sequence[Pair]], list[Score]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put, behind the context, and its choices as they continue it."""

    prompt: str
    choices: tuple[str, ...]

    @property
    def pairs(self) -> list[Pair]:
        """The prompt with each choice."""
        return [(self.prompt, choice) for choice in self.choices]


@dataclass(frozen=True, slots=True)
class Invented:
    """A fact, a question about it, and four choices, the first of which is right."""

    fact: str
    question: str
    choices: tuple[str, ...]


def invented(count: int, rng: Random) -> list[Invented]:
    pools: dict[str, Callable[[], str]] = {
        "name": lambda: word(rng, 2),
        "year": lambda: str(rng.randint(1500, 1990)),
        "colour": lambda: rng.choice(COLOURS),
    }
    facts = []
    for number in range(count):
        fact, question, kind = SHAPES[number % len(SHAPES)]
        choices: dict[str, None] = {}
        while len(choices) < 4:
            choices[pools[kind]()] = None
        right = next(iter(choices))
        place = f"{word(rng, 2)} {word(rng, 2)}"
        facts.append(
            Invented(
                fact=fact.format(place=place, **{kind: right}),
                question=question.format(place=place),
                choices=tuple(choices),
            )
        )
    return facts


def questions(count: int, tokens: int, length: Callable[[str], int]) -> tuple[str, list[Asked]]:
    """The context, of at most so many tokens, and the questions behind it."""
    rng = Random("scoring")
    asked_about = invented(count, rng)
    others = invented(tokens, rng)
    context = ""
    for one in (*asked_about, *others):
        longer = f"{context}{one.fact}\n"
        if length(longer) > tokens:
            break
        context = longer
    items = []
    for one in asked_about:
        choices = tuple(f" {choice}" for choice in one.choices)
        item = Asked(context + one.question, choices)
        items.append(item)
    return context, items


def fewest_tokens(engine: MlxEngine, context: str, items: Sequence[Asked]) -> tuple[int, int]:
    """The tokens of the context, and what the questions add to it: of each what its choices share
    once, and what they do not share for each of them. A choice's last token is predicted and never
    put in.
    """
    context_tokens = engine.encode(context)
    start = len(context_tokens)
    added = 0
    for item in items:
        rows = [engine.encode(prompt + choice)[:-1] for prompt, choice in item.pairs]
        assert rows[0][:start] == context_tokens, "a token spans the end of the context"
        shared = len(common_prefix(rows))
        added += shared - start
        for row in rows:
            added += len(row) - shared
    return start, added


def together(engine: MlxEngine, context: str, pairs: Sequence[Pair]) -> list[Score]:
    """In calls of 64 questions of four choices."""
    size = 4 * CALL
    scores = []
    for start in range(0, len(pairs), size):
        batch = pairs[start : start + size]
        prompts, choices = zip(*batch, strict=True)
        scores += engine.score(prompts, choices, prefix=context)
    return scores


def one_at_a_time(engine: MlxEngine, context: str, pairs: Sequence[Pair]) -> list[Score]:
    """In calls of one choice."""
    scores = []
    for prompt, choice in pairs:
        scores += engine.score([prompt], [choice], prefix=context)
    return scores


def plain(
    loaded: LoadedModel, encode: Callable[[str], list[int]], pairs: Sequence[Pair]
) -> list[Score]:
    """One pass of the whole text for each choice."""
    scores = []
    for prompt, choice in pairs:
        tokens = encode(prompt + choice)
        start = len(common_prefix([tokens, encode(prompt)]))
        scored = tokens[start:]
        predicted = loaded.model(mx.array([tokens]))[0, start - 1 : -1]
        logits = np.array(predicted.astype(mx.float32))  # (n, V)
        chosen = logits[range(len(logits)), scored]  # (n,)
        mass = np.log(np.exp(logits.astype(np.float64)).sum(axis=-1))  # (n,)
        logprob = float((chosen - mass).sum())
        scores.append(Score(logprob, len(scored)))
    return scores


@dataclass(slots=True)
class Timings:
    """By the name of a way: the scores by the index of their pair, the seconds that they took, and
    the peak of MLX's memory in MB over what was there before.
    """

    scores: dict[str, dict[int, Score]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)

    def take(self, name: str, way: Way, pairs: Sequence[Pair], indices: Sequence[int]) -> None:
        """Run a way on some of the pairs, and print its row of the table."""
        chosen = [pairs[index] for index in indices]
        mx.clear_cache()
        mx.reset_peak_memory()
        before = mx.get_active_memory()
        start = time.perf_counter()
        scores = way(chosen)
        seconds = time.perf_counter() - start
        peak = (mx.get_peak_memory() - before) / 1e6
        self.scores.setdefault(name, {}).update(zip(indices, scores, strict=True))
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.peaks[name] = max(peak, self.peaks.get(name, 0.0))
        rate = len(chosen) / seconds
        of_all = len(pairs) / rate
        print(
            f"{name:<24}{len(chosen):>8}{seconds:>9.1f}{of_all:>9.1f}{rate:>10.2f}{peak:>8.0f}",
            flush=True,
        )

    def rate(self, name: str) -> float:
        """Choices a second."""
        choices = len(self.scores[name])
        return choices / self.seconds[name]

    def apart(self, name: str) -> float:
        """The largest difference from the plain passes, in nats."""
        ours = self.scores[name]
        return largest_difference(ours, self.scores[PLAIN])


def largest_difference(ours: Mapping[int, Score], plain: Mapping[int, Score]) -> float:
    """The largest difference of two scores, in nats; infinite where they are of different numbers
    of tokens.
    """
    largest = 0.0
    for index, score in plain.items():
        if ours[index].tokens != score.tokens:
            return inf
        largest = max(largest, abs(ours[index].logprob - score.logprob))
    return largest


def samples(count: int, size: int) -> tuple[list[int], list[int]]:
    """Of so many choices, the indices of a sample, and of a sample five times as large around
    it.
    """
    indices = range(count)
    few = Random("sample").sample(indices, min(size, count))
    others = sorted(set(indices).difference(few))
    size_of_more = min(4 * len(few), len(others))
    more = Random("more").sample(others, size_of_more)
    return few, [*few, *more]


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument(
        "--model", default="smollm2-135m", help="name in the store, or a model folder"
    )
    parser.add_argument("--items", type=int, default=1000, help="how many questions")
    parser.add_argument("--context", type=int, default=600, help="tokens of the context")
    parser.add_argument(
        "--sample",
        type=int,
        default=40,
        help="choices for the plain passes; 5 times as many one at a time",
    )
    return parser


def print_head(model: str, context_tokens: int, lengths: Sequence[int], choices: int) -> None:
    """What is asked, and the head of the table. `lengths`: tokens of each question."""
    print(benchmark.machine("mlx", "mlx-lm"))
    print(
        f"{model} on {loading.device()}, {blas.describe()}; a context of {context_tokens} tokens, "
        f"{len(lengths)} questions "
    )
    print(f"of {min(lengths)} to {max(lengths)} tokens, {choices} choices", end="")
    load = benchmark.load_of_others()
    if load is not None:
        print(f"; others are at work here (load {load:.1f})", end="")
    print(
        f"\n\n{'':<24}{'choices':>8}{'seconds':>9}{'of all':>9}{'choices/s':>10}{'MLX MB':>8}",
        flush=True,
    )


def main() -> None:
    given = options().parse_args()
    stored = store.find(given.model)
    loaded = loading.load(stored)
    engine, single = MlxEngine(loaded), MlxEngine(loaded)
    context, items = questions(given.items, given.context, engine.count)
    pairs = [pair for item in items for pair in item.pairs]
    context_tokens, added = fewest_tokens(engine, context, items)
    lengths = [engine.count(item.prompt) - context_tokens for item in items]

    def by_plain_passes(chosen: Sequence[Pair]) -> list[Score]:
        return plain(loaded, engine.encode, chosen)

    def by_augmlx(chosen: Sequence[Pair]) -> list[Score]:
        return together(engine, context, chosen)

    def by_single_choices(chosen: Sequence[Pair]) -> list[Score]:
        return one_at_a_time(single, context, chosen)

    # What is compiled or read from the disk at first is not timed, nor is the one prefill of the
    # context that a sample would have to bear alone.
    by_plain_passes(pairs[:1])
    by_single_choices(pairs[:1])
    print_head(stored.name, context_tokens, lengths, len(pairs))
    few, more = samples(len(pairs), given.sample)
    half = len(few) // 2
    timings = Timings()
    timings.take(PLAIN, by_plain_passes, pairs, few[:half])
    timings.take(OURS, by_augmlx, pairs, range(len(pairs)))
    timings.take(SINGLE, by_single_choices, pairs, more)
    timings.take(PLAIN, by_plain_passes, pairs, few[half:])

    rates = {name: timings.rate(name) for name in (PLAIN, OURS, SINGLE)}
    apart = {name: timings.apart(name) for name in (OURS, SINGLE)}
    prefilled, reused = engine.tokens.prefilled, engine.tokens.reused
    questions_tokens = prefilled - context_tokens
    print(
        f"\nput through the model: {prefilled} tokens = {context_tokens} of the context + "
        f"{questions_tokens}; reused: {reused}"
    )
    print(
        f"sharing the context makes it {rates[SINGLE] / rates[PLAIN]:.1f} times as fast, sharing "
        f"the questions and batching {rates[OURS] / rates[SINGLE]:.1f} times more\n"
    )
    figures = {
        "context_tokens": context_tokens,
        "added_tokens": added,
        "choices": len(pairs),
        **{f"{name} peak_mlx_mb": peak for name, peak in timings.peaks.items()},
        **{f"{name} choices_per_second": rate for name, rate in rates.items()},
        "prefilled": prefilled,
        "reused": reused,
        **{f"{name} largest_difference": nats for name, nats in apart.items()},
    }
    bars = {
        "times_one_by_one": benchmark.at_least(rates[OURS] / rates[PLAIN], FASTER),
        "context_prefills": benchmark.exactly((prefilled - added) / context_tokens, 1.0),
        "largest_difference": benchmark.at_most(max(apart.values()), NATS),
    }
    benchmark.finish(figures, bars, given.json)


if __name__ == "__main__":
    main()
