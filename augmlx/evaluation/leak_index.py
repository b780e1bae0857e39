"""Which items a text states, and which stand in it word for word: found without comparing the text
with each item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from augmlx.core.records import EvalItem
from augmlx.english.logic import parse
from augmlx.english.names import entities
from augmlx.english.sameness import marks
from augmlx.english.scope import telling
from augmlx.english.stems import content_stems
from augmlx.english.synonyms import stems_of, synonyms
from augmlx.english.text import QUESTION_MARKS, normalise, split_sentences
from augmlx.evaluation.prompts import as_prompt

# Words that a question may have around a statement without asking for another one.
_HEDGES = stems_of("hedges")
_Row = TypeVar("_Row")


class ItemIndex:
    """Finds the items that texts state, by a word that each has to find there, the rarest among the
    items.

    A text states what an item's prompt and answer, or an alias, state together in the same
    direction: where it holds them word for word; where a sentence of it, or a question of it with
    its answer, shares one of their marks; or where one holds the answer behind all that the prompt
    names, and the prompt's other words or known synonyms of them somewhere, by their stems. A
    paraphrase that says the relation otherwise is not seen.

    Attributes:
        stated: ids of the items that some text stated.
        verbatim: ids of those that stood in one word for word.
    """

    def __init__(self, items: Iterable[EvalItem]) -> None:
        self.stated: set[str] = set()
        self.verbatim: set[str] = set()
        claims: list[_Claim] = []
        for item in items:
            claims += _claims(item)
        # A stem that an item names -> the items that are still looked for. What has none of these
        # is passed by: of many facts few are asked about, and of one fact the first of many
        # augmentations may state it.
        self._open: dict[str, set[str]] = {}
        self._by_mark: dict[bytes, set[str]] = {}
        phrases: list[tuple[list[str], tuple[str, str]]] = []
        stems: list[tuple[tuple[str, ...], _Claim]] = []
        for claim in claims:
            own_stems = (*claim.named, *claim.answer)
            for stem in own_stems:
                self._open.setdefault(stem, set()).add(claim.item_id)
            for mark in claim.marks:
                self._by_mark.setdefault(mark, set()).add(claim.item_id)
            phrases += [(phrase.split(), (claim.item_id, phrase)) for phrase in claim.phrases]
            # Without stems of its own an answer ("no") has no place in a sentence that could be
            # looked for.
            if claim.answer and claim.named:
                stems.append((own_stems, claim))
        self._by_word = _by_rarest(phrases)
        self._by_stem = _by_rarest(stems)

    def meet(self, text: str) -> None:
        """Add the items that a text states to `stated`, and those that stand in it word for word to
        `verbatim`.
        """
        verbatim = self.word_for_word(text)
        self.verbatim |= verbatim
        stated = set(verbatim)
        for unit in _units(text):
            if not self._open.keys().isdisjoint(content_stems(unit)):
                for mark in marks(unit):
                    stated |= self._by_mark.get(mark, set())
                stated |= self._by_stems(unit)
        if stated - self.stated:
            self.stated |= stated
            self._close(stated)

    def word_for_word(self, text: str) -> set[str]:
        """The ids of the items that stand in a text word for word."""
        words = f" {normalise(text)} "
        item_ids: set[str] = set()
        for word in self._by_word.keys() & set(words.split()):
            for item_id, phrase in self._by_word[word]:
                if phrase in words:
                    item_ids.add(item_id)
        return item_ids

    def _close(self, item_ids: set[str]) -> None:
        """Look no longer for these items."""
        still_open: dict[str, set[str]] = {}
        for stem, waiting in self._open.items():
            left = waiting - item_ids
            if left:
                still_open[stem] = left
        self._open = still_open

    def _by_stems(self, unit: str) -> set[str]:
        stems = content_stems(unit)
        item_ids: set[str] = set()
        for stem in self._by_stem.keys() & set(stems):
            for claim in self._by_stem[stem]:
                if _is_stated(claim, unit, stems):
                    item_ids.add(claim.item_id)
        return item_ids


@dataclass(frozen=True, slots=True)
class _Claim:
    """What an item states with one of its answers."""

    item_id: str
    phrases: tuple[str, ...]  # normalised, between spaces
    marks: frozenset[bytes]
    named: frozenset[str]  # stems of what the prompt names: they stand before the answer
    relation: frozenset[str]  # the prompt's other stems
    answer: tuple[str, ...]  # stems
    telling: frozenset[str]


def _claims(item: EvalItem) -> Iterator[_Claim]:
    begun = item.prompt.rstrip().rpartition("\n")[2]  # lines before it lead up to what is stated
    prompt_stems = [stem for stem in content_stems(begun) if stem not in _HEDGES]
    entity_stems: set[str] = set()
    for mention in entities(begun):
        entity_stems.update(content_stems(mention.text))
    named = entity_stems or set(prompt_stems)
    for answer in (item.answer, *item.aliases):
        answer_stems = content_stems(answer)
        yield _Claim(
            item_id=item.id,
            phrases=_phrases(item.prompt, answer),
            marks=_marks(begun, answer),
            named=frozenset(named.difference(answer_stems)),
            relation=frozenset(prompt_stems) - named - set(answer_stems),
            answer=answer_stems,
            telling=telling(f"{begun} {answer}"),
        )


def _phrases(prompt: str, answer: str) -> tuple[str, ...]:
    """The prompt with its answer, as it stands in the file and as it is put to a model."""
    texts = (f"{prompt} {answer}", f"{as_prompt(prompt)} {answer}")
    normalised = filter(None, map(normalise, texts))
    return tuple(dict.fromkeys(f" {words} " for words in normalised))


def _marks(begun: str, answer: str) -> frozenset[bytes]:
    texts = [f"{begun} {answer}", f"{as_prompt(begun)} {answer}"]
    if parse(answer):  # where the choices are statements, the prompt only asks for one
        texts.append(answer)
    return frozenset().union(*map(marks, texts))


def _by_rarest(rows: Sequence[tuple[Collection[str], _Row]]) -> dict[str, list[_Row]]:
    """Each row under that one of its words which the fewest rows have."""
    rows_with: Counter[str] = Counter()
    for words, _ in rows:
        rows_with.update(set(words))
    by_word: dict[str, list[_Row]] = {}
    for words, row in rows:
        rarest = min(words, key=lambda word: (rows_with[word], word))
        by_word.setdefault(rarest, []).append(row)
    return by_word


def _units(text: str) -> Iterator[str]:
    """The sentences of a text; and a question with the sentence behind it, which answers it."""
    before = ""
    for sentence in split_sentences(text.strip()):
        yield sentence.text
        if before.endswith(QUESTION_MARKS):
            yield f"{before} {sentence.text}"
        before = sentence.text


def _is_stated(claim: _Claim, unit: str, stems: Sequence[str]) -> bool:
    """Whether the claim's answer stands behind what its prompt names, the relation is there, and as
    much is denied and counted.
    """
    last = _last_place(claim.answer, stems)
    if last is None or not claim.named <= set(stems[:last]):
        return False
    for stem in claim.relation:
        same = synonyms().get(stem, frozenset()) | {stem}
        if same.isdisjoint(stems):
            return False
    return telling(unit) == claim.telling


def _last_place(part: tuple[str, ...], stems: Sequence[str]) -> int | None:
    for place in range(len(stems) - len(part), -1, -1):
        if tuple(stems[place : place + len(part)]) == part:
            return place
    return None
