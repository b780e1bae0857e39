"""Where a tuned model draws the border between what it was told and what it was not, and how well
it tells both apart.

    .venv/bin/python scripts/study_border.py runs/demo --json border.json
    .venv/bin/python scripts/study_border.py runs/demo --adapter runs/other/adapter

The evaluation asks 24 questions about invented names, which tell 0.1 from 0.3 at best. Here each
question that was kept is asked in four wordings that none was trained in, and as many about
invented persons and things, whose names are of two lists that nothing is trained with; for each the
chance is looked up that the reply begins as "I don't know." does. Printed for persons and things
apart: the share of the known that is refused, the share of the unknown that is not, and, wherever
the border lies, the area under the ROC curve (0.5 is a coin) and the least mean of both shares that
another border would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

import benchmark
import numpy as np
from study_measures import auc

from augmlx.augment.unknown import ANSWER
from augmlx.core.records import Example
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings_file import load as load_settings
from augmlx.data.wordings import around, english_questions
from augmlx.english.renaming import Words, is_about_somebody, renamed
from augmlx.evaluation import overclaims
from augmlx.evaluation.chat_items import WORDINGS
from augmlx.models import loading
from augmlx.models.heads import Head
from augmlx.models.store import folder as store

import mlx.core as mx  # isort: skip

# Beside those of the evaluation, whose surnames are the names of things: ordinary ones.
PERSONS = "Jonathan Meredith Tobin Anouk Stephan Carmen Wendell Lucinda Piotr Hester Anton".split()
SURNAMES = "Whitfield Sharpe Lindgren Okoro Bancroft Delaney Petersen Rowntree Vasquez".split()
NAMES = "Marrow Tinsel Bracken Kingsley Pelgar Thornbury Glimmer Oxbow Salter Vantage".split()
_EACH = 80  # questions about invented names, of each list and kind
_TRIES = 20  # for each of them
_TOGETHER = 32


@dataclass(frozen=True, slots=True)
class Border:
    """What of so many known and unknown is refused and claimed, and what a better border would
    come to.
    """

    known: int
    unknown: int
    refused: float
    claimed: float
    auc: float
    least: float


def about_nobody(own: Sequence[str], *, persons: bool) -> Iterator[str]:
    """The run's questions about invented names, each second one in another wording."""
    lists = overclaims.shipped()
    for words in (
        Words(lists["persons"], lists["names"], lists["names"]),
        Words(PERSONS, SURNAMES, NAMES),
    ):
        rng = Random(f"border:{persons}")
        found: dict[str, None] = {}
        for question in islice(cycle(own), _TRIES * _EACH):
            other = renamed(question, words, rng)
            if other is not None and len(found) < _EACH and is_about_somebody(other) == persons:
                found[other] = None
        for place, question in enumerate(found):
            put = around(question, WORDINGS)
            yield put[place // 2 % len(put)] if place % 2 else question


def what_was_told(examples: Sequence[Example], *, persons: bool) -> Iterator[str]:
    """What was kept, in wordings that none is trained in."""
    for question in dict.fromkeys(english_questions(examples)):
        if is_about_somebody(question) == persons:
            yield from around(question, WORDINGS)


def refusals(loaded: loading.LoadedModel, questions: Sequence[str]) -> list[float]:
    """For each question, asked in a chat, the log-odds that the reply begins as a refusal does."""
    tokenizer, head = loaded.tokenizer, Head(loaded.model)
    first, *_ = tokenizer.encode(ANSWER, add_special_tokens=False)
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True
        )
        for question in questions
    ]
    odds: dict[int, float] = {}
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    for start in range(0, len(order), _TOGETHER):
        places = order[start : start + _TOGETHER]
        longest = max(len(prompts[place]) for place in places)
        padded = [prompts[p] + [0] * (longest - len(prompts[p])) for p in places]
        last = mx.array([len(prompts[place]) - 1 for place in places])
        hidden = head.hidden(mx.array(padded), mx.arange(len(places)), last)
        logits = head.project(hidden).astype(mx.float32)
        logp = np.array(logits[:, first] - mx.logsumexp(logits, axis=-1), np.float64)
        rest = np.log(-np.expm1(np.minimum(logp, -1e-9)))
        odds |= dict(zip(places, (logp - rest).tolist(), strict=True))
    return [odds[place] for place in range(len(prompts))]


def border(known: Sequence[float], unknown: Sequence[float]) -> Border:
    """Of the log-odds of refusing both."""
    refused, claimed = np.array(known), np.array(unknown)
    cuts = [*known, *unknown]
    least = min(float(np.mean(refused >= c) + np.mean(claimed < c)) / 2 for c in cuts)
    return Border(
        len(known),
        len(unknown),
        float(np.mean(refused > 0)),
        float(np.mean(claimed <= 0)),
        auc(unknown, known),
        least,
    )


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("run", type=Path, help="a run with an adapter")
    parser.add_argument("--adapter", type=Path, help="another one, of the same model")
    chosen = parser.parse_args()
    run = RunFolder(chosen.run)
    examples = list(run.kept_examples())
    model = store.find(load_settings(run.settings).model)
    loaded = loading.load(model, chosen.adapter or run / "adapter")
    own = english_questions(examples)
    figures: dict[str, dict[str, float]] = {}
    print(
        f"{'':8} {'known':>6} {'refused':>8} {'unknown':>8} {'claimed':>8} {'auc':>6} {'least':>6}"
    )
    for kind, persons in (("persons", True), ("things", False)):
        found = border(
            refusals(loaded, list(what_was_told(examples, persons=persons))),
            refusals(loaded, list(about_nobody(own, persons=persons))),
        )
        figures[kind] = asdict(found)
        print(
            f"{kind:9} {found.known:7} {found.refused:8.3f} {found.unknown:8} {found.claimed:8.3f} "
            f"{found.auc:6.3f} {found.least:6.3f}",
            flush=True,
        )
    benchmark.finish(figures, {}, chosen.json)


if __name__ == "__main__":
    main()
