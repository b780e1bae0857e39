"""One arm answers all items: the likelihood of each choice, and a greedy answer; in a chat the
answer alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import fmean

from augmlx.core.progress import Progress
from augmlx.core.records import EvalItem, EvalResult
from augmlx.core.settings import EvalSettings
from augmlx.engines.protocol import Completion, Engine, Request, Score
from augmlx.evaluation import grading
from augmlx.evaluation.prompts import as_prompt

_ASKED_TOGETHER = 64  # items in one call: between calls the arm shows progress


def ask_arm(
    arm: str,
    items: Sequence[EvalItem],
    engine: Engine,
    settings: EvalSettings,
    progress: Progress,
    contexts: Mapping[str, str] | None = None,
) -> list[EvalResult]:
    """The arm's results, in the order of the items.

    All arms see the same items and choices in the same order.

    Args:
        contexts: item id -> the text above it; none without.
    """
    shown = contexts or {}

    def context_of(item: EvalItem) -> str:
        return shown.get(item.id, "")

    result_of: dict[str, EvalResult] = {}
    with progress.task(f"Evaluating {arm}", len(items)) as task:
        # An engine prefills once what all rows of a call share, so the items of a call have one
        # context.
        def sort_of(item: EvalItem) -> tuple[str, bool]:
            return context_of(item), item.in_chat

        by_sort = sorted(items, key=sort_of)
        for (context, in_chat), group in groupby(by_sort, key=sort_of):
            answer = _replies if in_chat else _results
            for batch in _batches(list(group)):
                for result in answer(arm, batch, engine, settings, context):
                    result_of[result.item_id] = result
                task.advance(len(batch))
    return [result_of[item.id] for item in items]


def answered_right(items: Sequence[EvalItem], engine: Engine, settings: EvalSettings) -> list[bool]:
    """Of each item, whether its right choice is the likeliest; no answers are generated."""
    correct: list[bool] = []
    for item, scores in zip(items, _choice_scores(items, engine, ""), strict=True):
        chosen = item.choices[_chosen(scores, settings)]
        correct.append(chosen == item.answer)
    return correct


def accuracy_by_kind(
    items: Sequence[EvalItem], engine: Engine, settings: EvalSettings
) -> dict[str, float]:
    """kind -> the share of its items that are answered right."""
    correct: dict[str, list[bool]] = {}
    for batch in _batches(items):
        verdicts = answered_right(batch, engine, settings)
        for item, verdict in zip(batch, verdicts, strict=True):
            correct.setdefault(item.kind, []).append(verdict)
    return {kind: fmean(verdicts) for kind, verdicts in correct.items()}


def likeliest(weights: Sequence[float]) -> int:
    """The place of the greatest weight, the first of several."""
    return max(range(len(weights)), key=weights.__getitem__)


def _batches(items: Sequence[EvalItem]) -> Iterator[Sequence[EvalItem]]:
    for start in range(0, len(items), _ASKED_TOGETHER):
        yield items[start : start + _ASKED_TOGETHER]


def _results(
    arm: str, items: Sequence[EvalItem], engine: Engine, settings: EvalSettings, context: str
) -> list[EvalResult]:
    scores_of_items = _choice_scores(items, engine, context)
    requests = [
        Request.greedy(
            item.id, as_prompt(item.prompt), prefix=context, max_tokens=settings.max_tokens
        )
        for item in items
    ]
    completions = engine.generate(requests)
    results: list[EvalResult] = []
    for item, scores, completion in zip(items, scores_of_items, completions, strict=True):
        results.append(_result(arm, item, scores, completion, settings))
    return results


def _replies(
    arm: str, items: Sequence[EvalItem], engine: Engine, settings: EvalSettings, context: str
) -> list[EvalResult]:
    """Greedy replies through the chat template; of a model without one, to the question as put."""
    requests = [chat_request(item.id, item.prompt, engine, settings, context) for item in items]
    return [
        _reply(arm, item, completion)
        for item, completion in zip(items, engine.generate(requests), strict=True)
    ]


def chat_request(
    key: str, question: str, engine: Engine, settings: EvalSettings, context: str = ""
) -> Request:
    """A question as it is put in a chat, behind what it is shown."""
    chat = engine.fault_of("chat") is None
    return Request.greedy(
        key,
        question if chat else as_prompt(question),
        prefix=context,
        max_tokens=settings.max_tokens,
        stop="" if chat else "\n",
        chat=chat,
    )


def _reply(arm: str, item: EvalItem, completion: Completion) -> EvalResult:
    said = "" if completion.finish == "error" else completion.text.strip()
    named = [n for n, choice in enumerate(item.choices) if grading.names(said, choice)]
    is_exact = grading.exact(said, item)
    return EvalResult(
        item_id=item.id,
        arm=arm,
        kind=item.kind,
        scores=(),
        tokens=(),
        chosen=named[0] if len(named) == 1 else -1,
        correct=is_exact,
        generated=said,
        exact=is_exact,
        f1=grading.f1(said, item),
        runs_on=is_exact and grading.runs_on(said, item),
    )


def _result(
    arm: str,
    item: EvalItem,
    scores: Sequence[Score],
    completion: Completion,
    settings: EvalSettings,
) -> EvalResult:
    chosen = _chosen(scores, settings)
    generated = "" if completion.finish == "error" else completion.text
    return EvalResult(
        item_id=item.id,
        arm=arm,
        kind=item.kind,
        scores=tuple(score.logprob for score in scores),
        tokens=tuple(score.tokens for score in scores),
        chosen=chosen,
        correct=item.choices[chosen] == item.answer,
        generated=generated.strip(),
        exact=grading.exact(generated, item),
        f1=grading.f1(generated, item),
    )


def _choice_scores(items: Sequence[EvalItem], engine: Engine, context: str) -> list[list[Score]]:
    """Of each choice of each item, behind the context that all of them are shown."""
    prompts: list[str] = []
    continuations: list[str] = []
    for item in items:
        prompts += [context + as_prompt(item.prompt)] * len(item.choices)
        continuations += [f" {choice}" for choice in item.choices]
    scores = iter(engine.score(prompts, continuations, prefix=context))
    return [[next(scores) for _ in item.choices] for item in items]


def _chosen(scores: Sequence[Score], settings: EvalSettings) -> int:
    """The place of the choice that counts as the answer, by the rule of `eval.score`."""
    weights = [score.logprob for score in scores]
    if settings.score == "token":
        weights = [score.logprob / score.tokens for score in scores]
    return likeliest(weights)
