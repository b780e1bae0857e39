"""Which of the items' conclusions the augmentations state already, and which items stand in them
word for word.

An augmentation is meant to state what follows from the facts, so what an arm then answers was told
to it: items whose conclusion was generated are counted apart from those whose was not, and what is
verbatim is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from augmlx.core.counting import counted
from augmlx.core.records import EvalItem, EvalResult, Example, Fact
from augmlx.english.sameness import said
from augmlx.evaluation.leak_index import ItemIndex
from augmlx.evaluation.summary import Leak, LeakShares

_NAMED = 3  # items that a note names


def leaks_by_kind(
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    trained: Iterable[Example],
    results: Sequence[EvalResult],
) -> dict[str, Leak]:
    """For each kind of item, what the augmentations state of the items' conclusions.

    An item that restates its own fact word for word is no leak: that is what it asks for. Which
    fact an item is about it says itself; of one that does not, it may be any.

    Args:
        trained: the augmentations that were trained on; read once. No originals.
        results: what the arms answered.
    """
    index = ItemIndex(items)
    for example in trained:
        for text in said(example):
            index.meet(text)
    leaked = index.verbatim - _restating(items, facts, index)
    leaks: dict[str, Leak] = {}
    for kind in dict.fromkeys(item.kind for item in items):
        item_ids = [item.id for item in items if item.kind == kind]
        stated = index.stated.intersection(item_ids)
        of_kind = [result for result in results if result.kind == kind]
        leaks[kind] = Leak(
            generated=len(stated),
            not_generated=len(item_ids) - len(stated),
            verbatim=tuple(item_id for item_id in item_ids if item_id in leaked),
            accuracy=_accuracy(of_kind, stated),
        )
    return leaks


def leak_notes(leaks: Mapping[str, Leak]) -> list[str]:
    """What a reader of the numbers must know: which items stand word for word in the training
    set, a sentence for each kind that has any.
    """
    hint = 'for questions of your own, split.leak = "drop" leaves such texts out'
    notes: list[str] = []
    for kind, leak in leaks.items():
        count = len(leak.verbatim)
        if not count:
            continue
        named = ", ".join(leak.verbatim[:_NAMED])
        if count > _NAMED:
            named += f" (and {count - _NAMED} more)"
        stand = counted(count, f"{kind} question", "stands")
        fault = f"{stand} word for word in the training set"
        notes.append(f"{fault}: {named}; {hint}.")
    return notes


def pooled_leaks(leaks_of_seed: Mapping[int, Mapping[str, Leak]]) -> dict[str, Leak]:
    """The leaks of several seeds (seed -> kind -> leak) as one; an item's id has its seed before it
    ("0/q0001").
    """
    whole: dict[str, Leak] = {}
    for seed, leaks in leaks_of_seed.items():
        for kind, leak in leaks.items():
            before = whole.get(kind, Leak(0, 0, (), {}))
            item_ids = [f"{seed}/{item_id}" for item_id in leak.verbatim]
            whole[kind] = Leak(
                generated=before.generated + leak.generated,
                not_generated=before.not_generated + leak.not_generated,
                verbatim=(*before.verbatim, *item_ids),
                accuracy={**before.accuracy, **_pooled_accuracy(before, leak)},
            )
    return whole


def _pooled_accuracy(before: Leak, leak: Leak) -> dict[str, LeakShares]:
    """The accuracies of a further seed's arms, put together with those of the seeds before."""
    pooled: dict[str, LeakShares] = {}
    for arm, now in leak.accuracy.items():
        was = before.accuracy.get(arm, LeakShares(None, None))
        generated = _weighted(was.generated, before.generated, now.generated, leak.generated)
        not_generated = _weighted(
            was.not_generated, before.not_generated, now.not_generated, leak.not_generated
        )
        pooled[arm] = LeakShares(generated, not_generated)
    return pooled


def _weighted(was: float | None, n_before: int, now: float | None, n: int) -> float | None:
    """The share among n_before + n items, of the shares among either."""
    if now is None:
        return was
    before = was or 0.0
    return (before * n_before + now * n) / (n_before + n)


def _restating(items: Sequence[EvalItem], facts: Sequence[Fact], index: ItemIndex) -> set[str]:
    """The ids of the items that stand word for word in a fact that they are about."""
    facts_of_item = {item.id: item.fact_ids for item in items}
    restating: set[str] = set()
    for fact in facts:
        for item_id in index.word_for_word(fact.text):
            fact_ids = facts_of_item[item_id]
            if not fact_ids or fact.id in fact_ids:
                restating.add(item_id)
    return restating


def _accuracy(results: Sequence[EvalResult], stated: Set[str]) -> dict[str, LeakShares]:
    """Of each arm the share of right answers among the stated items, and among the others."""
    generated: dict[str, list[bool]] = {}
    not_generated: dict[str, list[bool]] = {}
    for result in results:
        sort = generated if result.item_id in stated else not_generated
        sort.setdefault(result.arm, []).append(result.correct)
    shares: dict[str, LeakShares] = {}
    for arm in dict.fromkeys(result.arm for result in results):
        shares[arm] = LeakShares(_share(generated.get(arm)), _share(not_generated.get(arm)))
    return shares


def _share(correct: Sequence[bool] | None) -> float | None:
    if not correct:
        return None
    return sum(correct) / len(correct)
