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
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata, resources
from pathlib import Path
from random import Random
from typing import Any

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

ONE_BY_ONE, BATCHED, PREFILLED, SAME = 8.0, 3.0, 1.05, 0.98
# A difference of rounding decides between words about as likely; SAME leaves room for that.
SYLLABLES = "ba ko ri ten vas lu mi dor ne sha gol fi ur pel zan tho".split()
SHAPES = [
    "{a} painted the {b} mural.",
    "{a} is the chair of the {b} Trust.",
    "{a} restored the {b} bridge.",
    "The {b} orchard belongs to {a}.",
    "{a} is older than {b} Senn.",
    "{a} translated the {b} chronicle.",
]


def invented(count: int) -> list[Fact]:
    rng = Random("bench")

    def name() -> str:
        return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize()

    texts = [SHAPES[n % len(SHAPES)].format(a=f"{name()} {name()}", b=name()) for n in range(count)]
    return [Fact(id=f"invented-{n}", text=text, source="invented") for n, text in enumerate(texts)]


def facts_of(given: argparse.Namespace) -> list[Fact]:
    with resources.as_file(
        resources.files("augmlx.data") / "starter_files" / "facts.csv"
    ) as shipped:
        facts = list(read_facts(given.facts or shipped).facts)[: given.count]
    return facts if given.facts else facts + invented(given.count - len(facts))


def timed(work: Callable[[], list[str]]) -> tuple[list[str], float]:
    start = time.perf_counter()
    texts = work()
    return texts, time.perf_counter() - start


def one_by_one(
    loaded: LoadedModel, tokenizer: Any, prompts: Sequence[list[int]], most: Sequence[int]
) -> list[str]:
    import mlx_lm

    texts = []
    for prompt, limit in zip(prompts, most, strict=True):
        answers = mlx_lm.stream_generate(loaded.model, tokenizer, prompt, max_tokens=limit)
        tokens = [
            answer.token for answer in answers if answer.token not in loaded.tokenizer.eos_token_ids
        ]
        texts.append(tokenizer.decode(tokens))
    return texts


def batched(
    loaded: LoadedModel, tokenizer: Any, prompts: Sequence[list[int]], most: Sequence[int]
) -> list[str]:
    import mlx_lm

    texts: list[str] = mlx_lm.batch_generate(
        loaded.model, tokenizer, list(prompts), max_tokens=list(most)
    ).texts
    return texts


def line(text: str) -> str:
    """What of a text is compared: mlx-lm drops the token that ends it, and with some tokenizers
    that holds its full stop, too.
    """
    return text.split("\n", 1)[0].strip().rstrip(".!?")


def fewest_tokens(engine: MlxEngine, requests: Sequence[Request]) -> int:
    """The tokens of each distinct prefix, and of what each distinct prompt adds to it."""
    total, prompts = 0, set[tuple[int, ...]]()
    prefixes: dict[str, int] = {}
    for r in requests:
        tokens = engine.prompt_tokens(r)
        if tokens not in prompts:
            begun = engine.prefix_tokens(r)
            shared = len(common_prefix([begun, tokens]))
            prefixes[r.prefix] = max(shared, prefixes.get(r.prefix, 0))
            total += len(tokens) - shared
            prompts.add(tokens)
    return total + sum(prefixes.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="smollm2-135m", help="name in the store, or a model folder"
    )
    parser.add_argument(
        "--facts", type=Path, help="facts to use instead of the shipped and invented ones"
    )
    parser.add_argument("--count", type=int, default=64, help="how many facts")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    from mlx_lm.utils import load_tokenizer

    stored = store.find(given.model)
    loaded = loading.load(stored)
    engines = [MlxEngine(loaded) for _ in range(3)]
    engine = engines[0]
    settings = AugmentSettings(samples=1)
    plan = Plan(facts_of(given), generate.load_operators(settings), settings, seed=0, engine=engine)
    requests = [planned.request for planned in plan]
    prompts = [list(engine.prompt_tokens(r)) for r in requests]
    most = [r.max_tokens for r in requests]
    ends = {*loaded.tokenizer.eos_token_ids, *engine.stop_tokens("\n")}
    tokenizer = load_tokenizer(stored.path, eos_token_ids=sorted(ends))
    packages = ", ".join(f"{package} {metadata.version(package)}" for package in ("mlx", "mlx-lm"))
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{packages}"
    )
    print(
        f"{stored.name} on {loading.device()}, {blas.describe()}; {len(requests)} prompts of "
        f"about ",
        end="",
    )
    print(f"{sum(map(len, prompts)) // len(prompts)} tokens ({engine.prompting})\n", flush=True)
    # augmlx takes the shortest, so what else the machine does weighs most there: the median of
    # three runs, spread out.
    ways: list[tuple[str, Callable[[], list[str]]]] = [
        ("mlx_lm.batch_generate", lambda: batched(loaded, tokenizer, prompts, most)),
        ("mlx_lm.stream_generate", lambda: one_by_one(loaded, tokenizer, prompts, most)),
    ]
    for place, each in zip((0, 2, 4), engines, strict=True):
        ways.insert(place, ("augmlx", lambda each=each: [c.text for c in each.generate(requests)]))  # type: ignore[misc]
    rates: dict[str, list[float]] = {}
    texts: dict[str, list[str]] = {}
    for name, work in ways:
        found, seconds = timed(work)
        texts[name] = [line(text) for text in found]
        rates.setdefault(name, []).append(len(requests) / seconds)
        print(f"{name:<24} {rates[name][-1]:>8.2f} items/s  {seconds:>8.1f} s", flush=True)
    ours, together, alone = (
        statistics.median(rates[name])
        for name in ("augmlx", "mlx_lm.batch_generate", "mlx_lm.stream_generate")
    )
    written = texts["augmlx"], texts["mlx_lm.stream_generate"]
    different = [(a, b) for a, b in zip(*written, strict=True) if a != b]
    for a, b in different:
        print(f"augmlx wrote {a!r}, stream_generate {b!r}")
    same = 1 - len(different) / len(requests)
    figures = {
        "items_per_second": ours,
        "items_per_second_batch_generate": together,
        "items_per_second_one_by_one": alone,
        "prompts": len(requests),
        "prefilled": engine.tokens.prefilled,
        "reused": engine.tokens.reused,
        "generated": engine.tokens.generated,
    }
    prefilled = engine.tokens.prefilled / fewest_tokens(engine, requests)
    bars = {
        "times_one_by_one": {
            "value": ours / alone,
            "bound": ONE_BY_ONE,
            "ok": ours / alone >= ONE_BY_ONE,
        },
        "times_batch_generate": {
            "value": ours / together,
            "bound": BATCHED,
            "ok": ours / together >= BATCHED,
        },
        "prefilled_share": {"value": prefilled, "bound": PREFILLED, "ok": prefilled <= PREFILLED},
        "same_texts": {"value": same, "bound": SAME, "ok": same >= SAME},
    }
    print()
    for name, bar in bars.items():
        print(
            f"{name:<24} {bar['value']:>8.3f}  bound {bar['bound']:g}  "
            f"{'ok' if bar['ok'] else 'MISSED'}"
        )
    if given.json:
        given.json.write_text(json.dumps({"figures": figures, "bars": bars}, indent=2) + "\n")
    sys.exit(0 if all(bar["ok"] for bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
