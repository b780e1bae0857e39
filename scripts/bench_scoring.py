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
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

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
SYLLABLES = "ba ko ri ten vas lu mi dor ne sha gol fi ur pel zan tho".split()
COLOURS = "red blue green white black yellow brown grey".split()
# a fact, what is asked about it, and what the choices are; questions part early, so that none begin
# alike
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put, behind the context, and its choices as they continue it."""

    prompt: str
    choices: tuple[str, ...]

    @property
    def pairs(self) -> list[Pair]:
        return [(self.prompt, choice) for choice in self.choices]


def word(rng: Random) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(2)).capitalize()


def invented(count: int, rng: Random) -> list[tuple[str, str, tuple[str, ...]]]:
    """(fact, question, four choices), the first of which is right."""
    drawn = []
    for number in range(count):
        fact, question, kind = SHAPES[number % len(SHAPES)]
        pool = {
            "name": lambda: word(rng),
            "year": lambda: str(rng.randint(1500, 1990)),
            "colour": lambda: rng.choice(COLOURS),
        }[kind]
        choices = dict.fromkeys([pool()])
        while len(choices) < 4:
            choices[pool()] = None
        place = f"{word(rng)} {word(rng)}"
        drawn.append(
            (
                fact.format(place=place, **{kind: next(iter(choices))}),
                question.format(place=place),
                (*choices,),
            )
        )
    return drawn


def questions(count: int, tokens: int, length: Callable[[str], int]) -> tuple[str, list[Asked]]:
    """The context, of at most so many tokens, and the questions behind it."""
    rng = Random("scoring")
    drawn = invented(count, rng)
    context = ""
    for fact, _, _ in [*drawn, *invented(tokens, rng)]:
        if length(f"{context}{fact}\n") > tokens:
            break
        context += f"{fact}\n"
    return context, [
        Asked(context + text, tuple(f" {c}" for c in choices)) for _, text, choices in drawn
    ]


def fewest_tokens(engine: MlxEngine, context: str, items: Sequence[Asked]) -> tuple[int, int]:
    """The tokens of the context, and what the questions add to it: of each what its choices share
    once, and what they do not share for each of them. A choice's last token is predicted and never
    put in.
    """
    begun = engine.encode(context)
    added = 0
    for item in items:
        rows = [engine.encode(prompt + choice)[:-1] for prompt, choice in item.pairs]
        shared = len(common_prefix(rows))
        assert rows[0][: len(begun)] == begun, "a token spans the end of the context"
        added += shared - len(begun) + sum(len(row) - shared for row in rows)
    return len(begun), added


def together(engine: MlxEngine, context: str, pairs: Sequence[Pair]) -> list[Score]:
    scores = []
    for start in range(0, len(pairs), 4 * CALL):
        prompts, choices = zip(*pairs[start : start + 4 * CALL], strict=True)
        scores += engine.score(prompts, choices, prefix=context)
    return scores


def one_at_a_time(engine: MlxEngine, context: str, pairs: Sequence[Pair]) -> list[Score]:
    return [
        score
        for prompt, choice in pairs
        for score in engine.score([prompt], [choice], prefix=context)
    ]


def plain(
    loaded: LoadedModel, encode: Callable[[str], list[int]], pairs: Sequence[Pair]
) -> list[Score]:
    """One pass of the whole text for each choice."""
    scores = []
    for prompt, choice in pairs:
        tokens = encode(prompt + choice)
        start = len(common_prefix([tokens, encode(prompt)]))
        logits = np.array(
            loaded.model(mx.array([tokens]))[0, start - 1 : -1].astype(mx.float32)
        )  # (n, V)
        chosen = logits[range(len(logits)), tokens[start:]]
        mass = np.log(np.exp(logits.astype(np.float64)).sum(axis=-1))
        scores.append(Score(float((chosen - mass).sum()), len(tokens) - start))
    return scores


def timed(work: Callable[[], list[Score]]) -> tuple[list[Score], float, float]:
    """The scores, the seconds, and the peak of MLX's memory in MB over what was there before."""
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    start = time.perf_counter()
    scores = work()
    return scores, time.perf_counter() - start, (mx.get_peak_memory() - before) / 1e6


def largest_difference(ours: Mapping[int, Score], plain: Mapping[int, Score]) -> float:
    """The largest difference of two scores, in nats; infinite where they are of different numbers
    of tokens.
    """
    return max(
        abs(ours[index].logprob - score.logprob) if ours[index].tokens == score.tokens else inf
        for index, score in plain.items()
    )


def bar(value: float, bound: float, *, least: bool) -> dict[str, Any]:
    return {"value": value, "bound": bound, "ok": value >= bound if least else value <= bound}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    stored = store.find(given.model)
    loaded = loading.load(stored)
    engine, single = MlxEngine(loaded), MlxEngine(loaded)
    context, items = questions(given.items, given.context, engine.count)
    pairs = [pair for item in items for pair in item.pairs]
    begun, added = fewest_tokens(engine, context, items)
    lengths = [engine.count(item.prompt) - begun for item in items]
    packages = ", ".join(f"{package} {metadata.version(package)}" for package in ("mlx", "mlx-lm"))
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{packages}"
    )
    print(
        f"{stored.name} on {loading.device()}, {blas.describe()}; a context of {begun} tokens, "
        f"{len(items)} questions "
    )
    print(f"of {min(lengths)} to {max(lengths)} tokens, {len(pairs)} choices", end="")
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"; others are at work here (load {load:.1f})", end="")
    few = Random("sample").sample(range(len(pairs)), min(given.sample, len(pairs)))
    more = [
        *few,
        *Random("more").sample(
            sorted({*range(len(pairs))} - {*few}), min(4 * len(few), len(pairs) - len(few))
        ),
    ]
    half = len(few) // 2
    ways: list[tuple[str, Sequence[int], Callable[[Sequence[Pair]], list[Score]]]] = [
        (PLAIN, few[:half], lambda of: plain(loaded, engine.encode, of)),
        (OURS, range(len(pairs)), lambda of: together(engine, context, of)),
        (SINGLE, more, lambda of: one_at_a_time(single, context, of)),
        (PLAIN, few[half:], lambda of: plain(loaded, engine.encode, of)),
    ]
    # What is compiled or read from the disk at first is not timed, nor is the one prefill of the
    # context that a sample would have to bear alone.
    plain(loaded, engine.encode, pairs[:1])
    one_at_a_time(single, context, pairs[:1])
    print(
        f"\n\n{'':<24}{'choices':>8}{'seconds':>9}{'of all':>9}{'choices/s':>10}{'MLX MB':>8}",
        flush=True,
    )
    found: dict[str, dict[int, Score]] = {}
    seconds: dict[str, float] = {}
    figures: dict[str, float] = {
        "context_tokens": begun,
        "added_tokens": added,
        "choices": len(pairs),
    }
    for name, indices, work in ways:
        scores, took, peak = timed(
            lambda work=work, indices=indices: work([pairs[i] for i in indices])
        )  # type: ignore[misc]
        found.setdefault(name, {}).update(zip(indices, scores, strict=True))
        seconds[name] = seconds.get(name, 0.0) + took
        figures[f"{name} peak_mlx_mb"] = max(peak, figures.get(f"{name} peak_mlx_mb", 0.0))
        whole = took * len(pairs) / len(indices)
        print(
            f"{name:<24}{len(indices):>8}{took:>9.1f}{whole:>9.1f}"
            f"{len(indices) / took:>10.2f}{peak:>8.0f}",
            flush=True,
        )
    rates = {name: len(found[name]) / seconds[name] for name in found}
    figures |= {f"{name} choices_per_second": rate for name, rate in rates.items()}
    put_in, reused = engine.tokens.prefilled, engine.tokens.reused
    figures |= {"prefilled": put_in, "reused": reused}
    print(
        f"\nput through the model: {put_in} tokens = {begun} of the context + {put_in - begun}; "
        f"reused: {reused}"
    )
    print(
        f"sharing the context makes it {rates[SINGLE] / rates[PLAIN]:.1f} times as fast, ", end=""
    )
    print(f"sharing the questions and batching {rates[OURS] / rates[SINGLE]:.1f} times more\n")
    apart = {name: largest_difference(found[name], found[PLAIN]) for name in (OURS, SINGLE)}
    figures |= {f"{name} largest_difference": value for name, value in apart.items()}
    bars = {
        "times_one_by_one": bar(rates[OURS] / rates[PLAIN], FASTER, least=True),
        "context_prefills": {
            "value": (put_in - added) / begun,
            "bound": 1.0,
            "ok": put_in == begun + added,
        },
        "largest_difference": bar(max(apart.values()), NATS, least=False),
    }
    for name, each in bars.items():
        print(
            f"{name:<24} {each['value']:>10.6f}  bound {each['bound']:g}  "
            f"{'ok' if each['ok'] else 'MISSED'}"
        )
    if given.json:
        given.json.write_text(json.dumps({"figures": figures, "bars": bars}, indent=2) + "\n")
    sys.exit(0 if all(each["ok"] for each in bars.values()) else 1)


if __name__ == "__main__":
    main()
