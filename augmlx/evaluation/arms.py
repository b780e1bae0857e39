"""One arm answers all items: the likelihood of each choice, and a greedy answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from augmlx.engine import Engine, Request, Score
from augmlx.evaluation.items import link
from augmlx.evaluation.statistics import wilson
from augmlx.language import normalise
from augmlx.progress import Progress
from augmlx.records import EvalItem, EvalResult, Fact, Json
from augmlx.settings import EvalSettings

_ASKED_TOGETHER = 64  # items in one call: between calls the arm shows progress


def contexts(items: Sequence[EvalItem], facts: Sequence[Fact], engine: Engine, answer_tokens: int) -> dict[str, str]:
    """The in-context arm's prompt for each item: all facts, or where they do not fit the model's window the page of
    them that holds the fact the item is about. Lines are kept in the facts' order."""
    longest = max(engine.count(asked(item.prompt)) + max(map(engine.count, item.choices)) for item in items)
    room = engine.window - longest - answer_tokens - 8
    pages: list[list[int]] = [[]]
    used = 0
    for index, fact in enumerate(facts):
        needed = engine.count(f"{fact.text}\n")
        if pages[-1] and used + needed > room:
            pages.append([])
            used = 0
        pages[-1].append(index)
        used += needed
    page_of = {index: "".join(f"{facts[i].text}\n" for i in page) for page in pages for index in page}
    return {name: page_of[index] for name, index in link(items, facts).items()}


def context_note(contexts: Mapping[str, str]) -> str | None:
    """What the summary says where not every item was shown the same facts. Pages that no item is about do not count."""
    pages = len(set(contexts.values()))
    if pages < 2:
        return None
    told = f"the icl arm sees the one of {pages} pages that holds the fact in question"
    return f"The facts do not fit the model's window: {told}."


def verbatim(items: Sequence[EvalItem], trained: Iterable[str]) -> dict[str, int]:
    """Per kind, how many items stand word for word in a trained text: prompt and answer, bare or as the model is asked,
    after normalisation."""
    corpus = "\n".join(f" {normalise(text)} " for text in trained)
    found = {item.kind: 0 for item in items}
    for item in items:
        stated = {normalise(f"{prompt} {item.answer}") for prompt in (item.prompt, asked(item.prompt))}
        found[item.kind] += any(f" {text} " in corpus for text in stated)
    return found


def asked(prompt: str) -> str:
    """A question is put as one; anything else is a text to be continued."""
    return f"Question: {prompt}\nAnswer:" if prompt.rstrip().endswith(("?", "？", "؟")) else prompt.rstrip()


def answer(
    arm: str,
    items: Sequence[EvalItem],
    engine: Engine,
    settings: EvalSettings,
    progress: Progress,
    context: Mapping[str, str] | None = None,
) -> list[EvalResult]:
    """The arm's results, in the order of the items. All arms see the same items and choices in the same order."""
    shown = context or {}
    results = []
    # An engine prefills once what all rows of a call share, so the items of a call have one context.
    order = sorted(items, key=lambda item: shown.get(item.id, ""))
    with progress.task(f"Evaluating {arm}", len(items)) as task:
        for _, group in groupby(order, key=lambda item: shown.get(item.id, "")):
            members = list(group)
            for start in range(0, len(members), _ASKED_TOGETHER):
                part = members[start : start + _ASKED_TOGETHER]
                results += _answer(arm, part, engine, settings, shown)
                task.advance(len(part))
    by_id = {result.item_id: result for result in results}
    return [by_id[item.id] for item in items]


def _answer(
    arm: str, items: Sequence[EvalItem], engine: Engine, settings: EvalSettings, shown: Mapping[str, str]
) -> list[EvalResult]:
    scores = _scores(items, engine, shown)
    requests = [
        Request(
            key=item.id,
            prefix=shown.get(item.id, ""),
            suffix=asked(item.prompt),
            seed="",
            temperature=0.0,
            top_p=1.0,
            max_tokens=settings.max_tokens,
        )
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
                exact=_exact(said, item),
            )
        )
    return results


def _scores(items: Sequence[EvalItem], engine: Engine, shown: Mapping[str, str]) -> list[list[Score]]:
    """Of each choice of each item, behind what the item is shown."""
    pairs = [(item, choice) for item in items for choice in item.choices]
    prompts = [shown.get(item.id, "") + asked(item.prompt) for item, _ in pairs]
    scores = iter(engine.score(prompts, [f" {choice}" for _, choice in pairs]))
    return [[next(scores) for _ in item.choices] for item in items]


def _chosen(scores: Sequence[Score], settings: EvalSettings) -> int:
    weights = [s.logprob / s.tokens if settings.score == "token" else s.logprob for s in scores]
    return max(range(len(weights)), key=weights.__getitem__)


def accuracy(items: Sequence[EvalItem], engine: Engine, settings: EvalSettings) -> dict[str, float]:
    """The share of items of each kind whose right choice is the likeliest; no answers are generated."""
    right: dict[str, list[bool]] = {}
    for start in range(0, len(items), _ASKED_TOGETHER):
        part = items[start : start + _ASKED_TOGETHER]
        for item, scores in zip(part, _scores(part, engine, {}), strict=True):
            right.setdefault(item.kind, []).append(item.choices[_chosen(scores, settings)] == item.answer)
    return {kind: sum(found) / len(found) for kind, found in right.items()}


def _exact(generated: str, item: EvalItem) -> bool:
    """Whether the answer's first sentence is the expected one, or an alias, after normalisation. A period may also be
    a title's ("Dr. Ana Ruiz"), so the sentence may end at any of them."""
    parts = generated.split(". ")
    said = {normalise(" ".join(parts[:count])) for count in range(1, len(parts) + 1)} - {""}
    return not said.isdisjoint(normalise(text) for text in (item.answer, *item.aliases))


def summarise(results: Sequence[EvalResult]) -> dict[str, dict[str, Json]]:
    """{arm: {kind: {n, accuracy, low, high, exact}}}, arms and kinds in the order they come in."""
    groups: dict[str, dict[str, list[EvalResult]]] = {}
    for result in results:
        groups.setdefault(result.arm, {}).setdefault(result.kind, []).append(result)
    table: dict[str, dict[str, Json]] = {}
    for arm, kinds in groups.items():
        table[arm] = {}
        for kind, members in kinds.items():
            right = sum(result.correct for result in members)
            low, high = wilson(right, len(members))
            table[arm][kind] = {
                "n": len(members),
                "accuracy": right / len(members),
                "low": low,
                "high": high,
                "exact": sum(result.exact for result in members) / len(members),
            }
    return table
