"""How fast a local model writes augmentations: augmlx beside mlx-lm's own two ways of generating.

    .venv/bin/python scripts/bench_augment.py --json augment.json

The same greedy prompts (the operators of the default settings over the shipped and some invented
facts) go through augmlx's engine, through mlx_lm.batch_generate, and one by one through
mlx_lm.stream_generate, in turn. mlx-lm is told to stop where augmlx does, at the end of the line.
Bars: augmlx does at least 8 times as many items a second as the last and 3 times as many as the
second, puts at most 1.05 times the tokens of the distinct prefixes and suffixes through the model,
and writes the same texts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import benchmark
import invented

from augmlx.augment import generate
from augmlx.augment.plan import Plan
from augmlx.core.records import Fact
from augmlx.core.settings import AugmentSettings
from augmlx.data.facts import read_facts
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.mlx.prefixes import common_prefix
from augmlx.engines.protocol import Request
from augmlx.models import blas, loading
from augmlx.models.loading import LoadedModel
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel

ONE_BY_ONE, BATCHED, PREFILLED, SAME = 8.0, 3.0, 1.05, 0.98
# A difference of rounding decides between words about as likely; SAME leaves room for that.
OURS, TOGETHER, ALONE = "augmlx", "mlx_lm.batch_generate", "mlx_lm.stream_generate"


@dataclass(frozen=True, slots=True)
class Work:
    """What every way is given: the model with mlx-lm's tokenizer, prompts and their limits."""

    loaded: LoadedModel
    tokenizer: Any
    prompts: list[list[int]]
    limits: list[int]  # tokens to generate at most


def invented_facts(count: int) -> list[Fact]:
    """The same ones each time."""
    rng = Random("bench")
    shapes = invented.FACTS
    facts = []
    for number in range(count):
        person = invented.full_name(rng)
        other = invented.name(rng)
        text = shapes[number % len(shapes)].format(a=person, b=other)
        fact = Fact(id=f"invented-{number}", text=text, source="invented")
        facts.append(fact)
    return facts


def facts_of(given: argparse.Namespace) -> list[Fact]:
    """The first of the user's facts, or the shipped ones and as many invented ones as lack."""
    if given.facts:
        return list(read_facts(given.facts).facts)[: given.count]
    shipped = resources.files("augmlx.data") / "starter_files" / "facts.csv"
    with resources.as_file(shipped) as path:
        facts = list(read_facts(path).facts)[: given.count]
    return facts + invented_facts(given.count - len(facts))


def one_by_one(work: Work) -> list[str]:
    """By mlx-lm's stream_generate."""
    import mlx_lm

    ends = work.loaded.tokenizer.eos_token_ids
    texts = []
    for prompt, limit in zip(work.prompts, work.limits, strict=True):
        answers = mlx_lm.stream_generate(
            work.loaded.model, work.tokenizer, prompt, max_tokens=limit
        )
        tokens = [answer.token for answer in answers if answer.token not in ends]
        texts.append(work.tokenizer.decode(tokens))
    return texts


def batched(work: Work) -> list[str]:
    """By mlx-lm's batch_generate."""
    import mlx_lm

    answers = mlx_lm.batch_generate(
        work.loaded.model, work.tokenizer, list(work.prompts), max_tokens=list(work.limits)
    )
    texts: list[str] = answers.texts
    return texts


def by_augmlx(engine: MlxEngine, requests: Sequence[Request]) -> list[str]:
    """In the batches that the engine makes."""
    return [completion.text for completion in engine.generate(requests)]


def line(text: str) -> str:
    """What of a text is compared: mlx-lm drops the token that ends it, and with some tokenizers
    that holds its full stop, too.
    """
    return text.split("\n", 1)[0].strip().rstrip(".!?")


def fewest_tokens(engine: MlxEngine, requests: Sequence[Request]) -> int:
    """The tokens of each distinct prefix, and of what each distinct prompt adds to it."""
    added = 0
    prompts = set[tuple[int, ...]]()
    prefixes: dict[str, int] = {}
    for request in requests:
        prompt = engine.prompt_tokens(request)
        if prompt in prompts:
            continue
        prompts.add(prompt)
        tokens = engine.prefix_tokens(request)
        shared = len(common_prefix([tokens, prompt]))
        longest = prefixes.get(request.prefix, 0)
        prefixes[request.prefix] = max(shared, longest)
        added += len(prompt) - shared
    return added + sum(prefixes.values())


@dataclass(slots=True)
class Timings:
    """By the name of a way: the items a second of each of its runs, and the texts of its last."""

    rates: dict[str, list[float]]
    texts: dict[str, list[str]]

    def take(self, name: str, generate_texts: Callable[[], list[str]]) -> None:
        """Run a way once, and print how fast it was."""
        start = time.perf_counter()
        texts = generate_texts()
        seconds = time.perf_counter() - start
        rate = len(texts) / seconds
        self.texts[name] = [line(text) for text in texts]
        self.rates.setdefault(name, []).append(rate)
        print(f"{name:<24} {rate:>8.2f} items/s  {seconds:>8.1f} s", flush=True)

    def median(self, name: str) -> float:
        """Items a second."""
        return statistics.median(self.rates[name])


def measure(engines: Sequence[MlxEngine], requests: Sequence[Request], work: Work) -> Timings:
    """Each way, in turn. augmlx takes the shortest, so what else the machine does weighs most
    there: it runs three times, spread out, and the median counts.
    """
    ours = [partial(by_augmlx, engine, requests) for engine in engines]
    timings = Timings({}, {})
    timings.take(OURS, ours[0])
    timings.take(TOGETHER, partial(batched, work))
    timings.take(OURS, ours[1])
    timings.take(ALONE, partial(one_by_one, work))
    timings.take(OURS, ours[2])
    return timings


def share_of_same(timings: Timings) -> float:
    """How many of augmlx's texts are those of stream_generate; the others are printed."""
    pairs = list(zip(timings.texts[OURS], timings.texts[ALONE], strict=True))
    different = [(ours, theirs) for ours, theirs in pairs if ours != theirs]
    for ours, theirs in different:
        print(f"augmlx wrote {ours!r}, stream_generate {theirs!r}")
    return 1 - len(different) / len(pairs)


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument(
        "--model", default="smollm2-135m", help="name in the store, or a model folder"
    )
    parser.add_argument(
        "--facts", type=Path, help="facts to use instead of the shipped and invented ones"
    )
    parser.add_argument("--count", type=int, default=64, help="how many facts")
    return parser


def work_of(
    stored: StoredModel, loaded: LoadedModel, engine: MlxEngine, requests: Sequence[Request]
) -> Work:
    from mlx_lm.utils import load_tokenizer

    ends = {*loaded.tokenizer.eos_token_ids, *engine.stop_tokens("\n")}
    return Work(
        loaded,
        load_tokenizer(stored.path, eos_token_ids=sorted(ends)),
        prompts=[list(engine.prompt_tokens(request)) for request in requests],
        limits=[request.max_tokens for request in requests],
    )


def main() -> None:
    given = options().parse_args()
    stored = store.find(given.model)
    loaded = loading.load(stored)
    engines = [MlxEngine(loaded) for _ in range(3)]
    engine = engines[0]
    settings = AugmentSettings(samples=1)
    operators = generate.load_operators(settings)
    plan = Plan(facts_of(given), operators, settings, seed=0, engine=engine)
    requests = [planned.request for planned in plan]
    work = work_of(stored, loaded, engine, requests)
    length = sum(map(len, work.prompts)) // len(work.prompts)
    print(benchmark.machine("mlx", "mlx-lm"))
    print(
        f"{stored.name} on {loading.device()}, {blas.describe()}; {len(requests)} prompts of "
        f"about {length} tokens ({engine.prompting})\n",
        flush=True,
    )
    timings = measure(engines, requests, work)
    ours, together, alone = (timings.median(name) for name in (OURS, TOGETHER, ALONE))
    prefilled = engine.tokens.prefilled / fewest_tokens(engine, requests)
    bars = {
        "times_one_by_one": benchmark.at_least(ours / alone, ONE_BY_ONE),
        "times_batch_generate": benchmark.at_least(ours / together, BATCHED),
        "prefilled_share": benchmark.at_most(prefilled, PREFILLED),
        "same_texts": benchmark.at_least(share_of_same(timings), SAME),
    }
    figures = {
        "items_per_second": ours,
        "items_per_second_batch_generate": together,
        "items_per_second_one_by_one": alone,
        "prompts": len(requests),
        "prefilled": engine.tokens.prefilled,
        "reused": engine.tokens.reused,
        "generated": engine.tokens.generated,
    }
    print()
    benchmark.finish(figures, bars, given.json)


if __name__ == "__main__":
    main()
