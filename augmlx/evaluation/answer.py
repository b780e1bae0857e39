"""One arm answers all items: the likelihood of each choice, and a greedy answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import fmean as mean

from augmlx.core.progress import Progress
from augmlx.core.records import EvalItem, EvalResult, Fact
from augmlx.core.settings import EvalSettings
from augmlx.engines.protocol import Engine, Request, Score
from augmlx.english.text import QUESTION_MARKS
from augmlx.evaluation import grading
from augmlx.evaluation.items import link
from augmlx.evaluation.statistics import wilson
from augmlx.evaluation.summary import Cell

_ASKED_TOGETHER = 64  # items in one call: between calls the arm shows progress


def contexts(
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    engine: Engine,
    answer_tokens: int,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> tuple[dict[str, str], int]:
    """The in-context arms' prompt for each item: all facts, or where they do not fit the model's
    window the page of them that holds the fact the item is about. Lines are kept in the facts'
    order; `beside` are lines that stand behind a fact (its id), such as its augmentations. Those
    for which a page has no room even so are left out, and counted.
    """
    longest = max(
        engine.count(asked(item.prompt)) + max(map(engine.count, item.choices)) for item in items
    )
    room = engine.window - longest - answer_tokens - 8
    told: list[str] = []
    pages: list[list[int]] = [[]]
    used = left_out = 0
    for index, fact in enumerate(facts):
        lines, needed = [f"{fact.text}\n"], engine.count(f"{fact.text}\n")
        for text in (beside or {}).get(fact.id, ()):
            more = engine.count(line := f"{text}\n")
            if needed + more > room:
                left_out += 1
                continue
            lines.append(line)
            needed += more
        told.append("".join(lines))
        if pages[-1] and used + needed > room:
            pages.append([])
            used = 0
        pages[-1].append(index)
        used += needed
    page_of = {index: "".join(told[i] for i in page) for page in pages for index in page}
    return {name: page_of[index] for name, index in link(items, facts).items()}, left_out


def context_note(arm: str, contexts: Mapping[str, str], left_out: int) -> str | None:
    """What the summary says where not every item was shown the same facts, or some lines were shown
    to none. Pages that no item is about do not count.
    """
    told = []
    if (pages := len(set(contexts.values()))) > 1:
        told.append(f"the {arm} arm sees the one of {pages} pages that holds the fact in question")
    if left_out:
        told.append(
            f"{left_out} augmentations of facts with more than a page of them are left out of the "
            f"{arm} arm"
        )
    return f"The facts do not fit the model's window: {'; '.join(told)}." if told else None


def asked(prompt: str) -> str:
    """A question is put as one; anything else is a text to be continued."""
    return (
        f"Question: {prompt}\nAnswer:"
        if prompt.rstrip().endswith(QUESTION_MARKS)
        else prompt.rstrip()
    )


def answer(
    arm: str,
    items: Sequence[EvalItem],
    engine: Engine,
    settings: EvalSettings,
    progress: Progress,
    context: Mapping[str, str] | None = None,
) -> list[EvalResult]:
    """The arm's results, in the order of the items. All arms see the same items and choices in the
    same order.
    """
    shown = context or {}
    results = []
    # An engine prefills once what all rows of a call share, so the items of a call have one
    # context.
    order = sorted(items, key=lambda item: shown.get(item.id, ""))
    with progress.task(f"Evaluating {arm}", len(items)) as task:
        for page, group in groupby(order, key=lambda item: shown.get(item.id, "")):
            members = list(group)
            for start in range(0, len(members), _ASKED_TOGETHER):
                part = members[start : start + _ASKED_TOGETHER]
                results += _answer(arm, part, engine, settings, page)
                task.advance(len(part))
    by_id = {result.item_id: result for result in results}
    return [by_id[item.id] for item in items]


def _answer(
    arm: str, items: Sequence[EvalItem], engine: Engine, settings: EvalSettings, context: str
) -> list[EvalResult]:
    scores = _scores(items, engine, context)
    requests = [
        Request.greedy(item.id, asked(item.prompt), prefix=context, max_tokens=settings.max_tokens)
        for item in items
    ]
    results = []
    for item, drawn, completion in zip(items, scores, engine.generate(requests), strict=True):
        chosen = _chosen(drawn, settings)
        said = "" if completion.finish == "error" else completion.text
        results.append(
            EvalResult(
                item_id=item.id,
                arm=arm,
                kind=item.kind,
                scores=tuple(s.logprob for s in drawn),
                tokens=tuple(s.tokens for s in drawn),
                chosen=chosen,
                correct=item.choices[chosen] == item.answer,
                generated=said.strip(),
                exact=grading.exact(said, item),
                f1=grading.f1(said, item),
            )
        )
    return results


def _scores(items: Sequence[EvalItem], engine: Engine, context: str) -> list[list[Score]]:
    """Of each choice of each item, behind what all of them are shown."""
    pairs = [(item, choice) for item in items for choice in item.choices]
    prompts = [context + asked(item.prompt) for item, _ in pairs]
    scores = iter(engine.score(prompts, [f" {choice}" for _, choice in pairs], prefix=context))
    return [[next(scores) for _ in item.choices] for item in items]


def _chosen(scores: Sequence[Score], settings: EvalSettings) -> int:
    weights = [s.logprob / s.tokens if settings.score == "token" else s.logprob for s in scores]
    return _likeliest(weights)


def _likeliest(weights: Sequence[float]) -> int:
    return max(range(len(weights)), key=weights.__getitem__)


def right(items: Sequence[EvalItem], engine: Engine, settings: EvalSettings) -> list[bool]:
    """Of each item, whether its right choice is the likeliest; no answers are generated."""
    scores = _scores(items, engine, "")
    return [
        item.choices[_chosen(drawn, settings)] == item.answer
        for item, drawn in zip(items, scores, strict=True)
    ]


def accuracy(items: Sequence[EvalItem], engine: Engine, settings: EvalSettings) -> dict[str, float]:
    """The share of items of each kind that are answered right."""
    found: dict[str, list[bool]] = {}
    for start in range(0, len(items), _ASKED_TOGETHER):
        part = items[start : start + _ASKED_TOGETHER]
        for item, told in zip(part, right(part, engine, settings), strict=True):
            found.setdefault(item.kind, []).append(told)
    return {kind: mean(told) for kind, told in found.items()}


def summarise(
    results: Sequence[EvalResult], items: Sequence[EvalItem]
) -> dict[str, dict[str, Cell]]:
    """A cell for each arm and kind of question, arms and kinds in the order they come in.

    The accuracy is by the rule that the results were chosen by; by_sum and by_token are by either.
    """
    asked_for = {item.id: item for item in items}
    groups: dict[str, dict[str, list[EvalResult]]] = {}
    for result in results:
        groups.setdefault(result.arm, {}).setdefault(result.kind, []).append(result)
    return {
        arm: {kind: _cell(members, asked_for) for kind, members in kinds.items()}
        for arm, kinds in groups.items()
    }


def _cell(results: Sequence[EvalResult], items: Mapping[str, EvalItem]) -> Cell:
    correct = sum(result.correct for result in results)
    low, high = wilson(correct, len(results))
    return Cell(
        n=len(results),
        accuracy=correct / len(results),
        low=low,
        high=high,
        by_sum=mean(_by(r, items[r.item_id], r.scores) for r in results),
        by_token=mean(_by(r, items[r.item_id], _per_token(r)) for r in results),
        exact=mean(result.exact for result in results),
        f1=mean(result.f1 for result in results),
    )


def _per_token(result: EvalResult) -> list[float]:
    return [score / tokens for score, tokens in zip(result.scores, result.tokens, strict=True)]


def _by(result: EvalResult, item: EvalItem, weights: Sequence[float]) -> bool:
    return item.choices[_likeliest(weights)] == item.answer
