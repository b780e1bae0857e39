"""Which of the items' conclusions the augmentations state already, and which items stand in them
word for word.

An augmentation is meant to state what follows from the facts, so what an arm then answers was told
to it: items whose conclusion was generated are counted apart from those whose was not, and what is
verbatim is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from augmlx.core.records import EvalItem, EvalResult, Example, Fact
from augmlx.english.logic import parse
from augmlx.english.names import entities
from augmlx.english.sameness import marks, said
from augmlx.english.scope import telling
from augmlx.english.stems import content_stems
from augmlx.english.synonyms import stems_of, synonyms
from augmlx.english.text import QUESTION_MARKS, normalise, split_sentences
from augmlx.evaluation.answer import asked
from augmlx.evaluation.summary import Leak, LeakShares

_NAMED = 3  # items that a note names
# Words that a question may have around a statement without asking for another one.
_HEDGES = stems_of("hedges")


def account(
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    trained: Iterable[Example],
    results: Sequence[EvalResult],
) -> dict[str, Leak]:
    """For each kind of item, what the augmentations state of the items' conclusions.

    An item that restates its own fact word for word is no leak: that is what it asks for. Which
    fact an item is about it says itself; of one that does not, it may be any.

    Args:
        trained: the augmentations that were trained on; read once. No originals and no replay.
    """
    index = _Index(items)
    for example in trained:
        for text in said(example):
            index.meet(text)
    restating = _restating(items, facts, index)
    kinds: dict[str, Leak] = {}
    for kind in dict.fromkeys(item.kind for item in items):
        names = [item.id for item in items if item.kind == kind]
        stated = index.stated.intersection(names)
        leaked = index.verbatim - restating
        of_kind = [result for result in results if result.kind == kind]
        kinds[kind] = Leak(
            generated=len(stated),
            not_generated=len(names) - len(stated),
            verbatim=tuple(name for name in names if name in leaked),
            accuracy=_accuracy(of_kind, stated),
        )
    return kinds


def leak_notes(leaks: Mapping[str, Leak]) -> list[str]:
    """What a reader of the numbers must know: which items stand word for word in the training
    set, a sentence for each kind that has any.
    """
    notes = []
    for kind, leak in leaks.items():
        if names := leak.verbatim:
            first = ", ".join(names[:_NAMED])
            more = f" (and {len(names) - _NAMED} more)" if len(names) > _NAMED else ""
            one = len(names) == 1
            which = (
                f"{len(names)} {kind} question{' stands' if one else 's stand'} word for word "
                f"in the training set"
            )
            hint = 'for questions of your own, split.leak = "drop" leaves such texts out'
            notes.append(f"{which}: {first}{more}; {hint}.")
    return notes


def pooled(leaks_of_seed: Mapping[int, Mapping[str, Leak]]) -> dict[str, Leak]:
    """The leaks of several seeds (seed -> kind -> leak) as one; an item's id has its seed before it
    ("0/q0001").
    """
    whole: dict[str, Leak] = {}
    for seed, leaks in leaks_of_seed.items():
        for kind, leak in leaks.items():
            before = whole.get(kind, Leak(0, 0, (), {}))
            whole[kind] = Leak(
                generated=before.generated + leak.generated,
                not_generated=before.not_generated + leak.not_generated,
                verbatim=(*before.verbatim, *(f"{seed}/{name}" for name in leak.verbatim)),
                accuracy={**before.accuracy, **_pooled_accuracy(before, leak)},
            )
    return whole


def _pooled_accuracy(before: Leak, leak: Leak) -> dict[str, LeakShares]:
    """The accuracies of a further seed's arms, put together with those of the seeds before."""
    none = LeakShares(None, None)
    shares: dict[str, LeakShares] = {}
    for arm, now in leak.accuracy.items():
        was = before.accuracy.get(arm, none)
        shares[arm] = LeakShares(
            _weighted(was.generated, before.generated, now.generated, leak.generated),
            _weighted(
                was.not_generated, before.not_generated, now.not_generated, leak.not_generated
            ),
        )
    return shares


def _weighted(was: float | None, n_before: int, now: float | None, n: int) -> float | None:
    """The share among n_before + n items, of the shares among either."""
    if now is None:
        return was
    return ((was or 0.0) * n_before + now * n) / (n_before + n)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What an item states with one of its answers."""

    item: str
    phrases: tuple[str, ...]  # normalised, between spaces
    marks: frozenset[bytes]
    named: frozenset[str]  # stems of what the prompt names: they stand before the answer
    relation: frozenset[str]  # the prompt's other stems
    answer: tuple[str, ...]  # stems
    telling: frozenset[str]


def _claims(item: EvalItem) -> Iterator[_Claim]:
    begun = item.prompt.rstrip().rpartition("\n")[2]  # lines before it lead up to what is stated
    for answer in (item.answer, *item.aliases):
        bare = f"{begun} {answer}"
        whole = (
            (answer,) if parse(answer) else ()
        )  # where the choices are statements, the prompt only asks for one
        put = (f"{prompt} {answer}" for prompt in (item.prompt, asked(item.prompt)))
        prompt = [stem for stem in content_stems(begun) if stem not in _HEDGES]
        given = content_stems(answer)
        names = {
            stem for mention in entities(begun) for stem in content_stems(mention.text)
        } or set(prompt)
        yield _Claim(
            item.id,
            tuple(dict.fromkeys(f" {words} " for text in put if (words := normalise(text)))),
            frozenset(
                mark for text in (bare, f"{asked(begun)} {answer}", *whole) for mark in marks(text)
            ),
            frozenset(names.difference(given)),
            frozenset(prompt) - names - set(given),
            given,
            telling(bare),
        )


_Row = TypeVar("_Row")


def _by_rarest(rows: Sequence[tuple[Collection[str], _Row]]) -> dict[str, list[_Row]]:
    """Each row under that one of its words which the fewest rows have."""
    often = Counter(word for words, _ in rows for word in set(words))
    found: dict[str, list[_Row]] = {}
    for words, row in rows:
        found.setdefault(min(words, key=lambda word: (often[word], word)), []).append(row)
    return found


class _Index:
    """Finds the items that a text states without comparing it with each: by a word that each has to
    find there, the rarest among the items.

    A text states what an item's prompt and answer, or an alias, state together in the same
    direction: where it holds them word for word; where a sentence of it, or a question of it with
    its answer, shares one of their marks; or where one holds the answer behind all that the prompt
    names, and the prompt's other words or known synonyms of them somewhere, by their stems. A
    paraphrase that says the relation otherwise is not seen.
    """

    def __init__(self, items: Sequence[EvalItem]) -> None:
        self.stated: set[str] = set()
        self.verbatim: set[str] = set()
        claims = [claim for item in items for claim in _claims(item)]
        # A stem that an item names -> the items that are still looked for. What has none of these
        # is passed by: of many facts few are asked about, and of one fact the first of many
        # augmentations may state it.
        self._open: dict[str, set[str]] = {}
        for claim in claims:
            for stem in (*claim.named, *claim.answer):
                self._open.setdefault(stem, set()).add(claim.item)
        self._by_mark: dict[bytes, set[str]] = {}
        for claim in claims:
            for mark in claim.marks:
                self._by_mark.setdefault(mark, set()).add(claim.item)
        self._by_word = _by_rarest(
            [(p.split(), (claim.item, p)) for claim in claims for p in claim.phrases]
        )
        # Without stems of its own an answer ("no") has no place in a sentence that could be looked
        # for.
        self._by_stem = _by_rarest(
            [((*c.named, *c.answer), c) for c in claims if c.answer and c.named]
        )

    def meet(self, text: str) -> None:
        """Add the items that a text states to `stated`, and those that stand in it word for word to
        `verbatim`.
        """
        found = set(self.word_for_word(text))
        self.verbatim |= found
        for unit in _units(text):
            if not self._open.keys().isdisjoint(content_stems(unit)):
                found.update(name for mark in marks(unit) for name in self._by_mark.get(mark, ()))
                found.update(self._by_stems(unit))
        if found - self.stated:
            self.stated |= found
            self._open = {
                stem: left for stem, names in self._open.items() if (left := names - found)
            }

    def word_for_word(self, text: str) -> Iterator[str]:
        words = f" {normalise(text)} "
        for word in self._by_word.keys() & set(words.split()):
            yield from (item for item, phrase in self._by_word[word] if phrase in words)

    def _by_stems(self, unit: str) -> Iterator[str]:
        stems = content_stems(unit)
        for stem in self._by_stem.keys() & set(stems):
            yield from (claim.item for claim in self._by_stem[stem] if _said_by(claim, unit, stems))


def _units(text: str) -> Iterator[str]:
    """The sentences of a text; and a question with the sentence behind it, which answers it."""
    sentences = split_sentences(text.strip())
    for number, sentence in enumerate(sentences):
        yield sentence.text
        if number and sentences[number - 1].text.endswith(QUESTION_MARKS):
            yield f"{sentences[number - 1].text} {sentence.text}"


def _said_by(claim: _Claim, unit: str, stems: Sequence[str]) -> bool:
    """Whether the claim's answer stands behind what its prompt names, the relation is there, and as
    much is denied and counted.
    """
    size = len(claim.answer)
    places = [n for n in range(len(stems) - size + 1) if tuple(stems[n : n + size]) == claim.answer]
    if not places or not claim.named <= set(stems[: places[-1]]):
        return False
    related = all(
        not synonyms().get(stem, frozenset()).union((stem,)).isdisjoint(stems)
        for stem in claim.relation
    )
    return related and telling(unit) == claim.telling


def _restating(items: Sequence[EvalItem], facts: Sequence[Fact], index: _Index) -> set[str]:
    """The items that stand word for word in a fact that they are about."""
    about = {item.id: item.fact_ids for item in items}
    found = ((name, fact.id) for fact in facts for name in index.word_for_word(fact.text))
    return {name for name, fact_id in found if not about[name] or fact_id in about[name]}


def _accuracy(results: Sequence[EvalResult], stated: Set[str]) -> dict[str, LeakShares]:
    """Of each arm the share of right answers among the stated items, and among the others."""
    right: dict[str, tuple[list[bool], list[bool]]] = {}
    for result in results:
        right.setdefault(result.arm, ([], []))[result.item_id not in stated].append(result.correct)
    return {arm: LeakShares(_share(yes), _share(no)) for arm, (yes, no) in right.items()}


def _share(right: Sequence[bool]) -> float | None:
    return sum(right) / len(right) if right else None
