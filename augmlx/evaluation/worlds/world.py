"""What all worlds of the controlled study are made of, and their files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from augmlx.core.files import write_jsonl, write_text
from augmlx.core.records import Fact
from augmlx.data.questions import Question

# Words that stand in questions behind the verb, and in no training text: so no question stands
# there word for word, however the fact is said again. Before the statement they would hide its
# beginning, by which a small model knows it.
HEDGES = (" known to be", " said to be", ", it is said,")
# What the documents begin with; the paper's have random preambles as well.
PREAMBLES = (
    "Today I learned something.", "Here is a note from my diary.", "This was in the papers.",
    "I read about this once.", "An old book has this to say.", "My neighbour told me so.",
    "The teacher wrote it on the board.", "It was on the radio.", "A traveller wrote home.",
    "Somebody asked me about it.", "We talked about it at lunch.", "There was a lecture on this.",
    "The guide explained it.", "This is from a letter.", "The museum has a sign.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that is true because the facts are, in words that could be trained on."""

    text: str
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A longer training text, such as the paper trains on, that says some of the facts and nothing
    else that is true or false in the world.
    """

    text: str
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Invented facts, questions about them and all that decides about right and wrong. Equal for an
    equal seed.
    """

    name: str
    about: str  # for the report: what is trained on, what is asked, chance
    facts: tuple[Fact, ...] = field(repr=False)
    questions: tuple[Question, ...] = field(repr=False)
    # Enough to answer all that the facts do not say themselves.
    oracle: tuple[Consequence, ...] = field(repr=False)
    documents: tuple[Document, ...] = field(repr=False)
    operators: tuple[str, ...]  # of augmlx/operators, those that suit
    # Whether a statement follows from the facts; None for one that is not understood. It does
    # without augmlx.english.logic, so that it can judge what the filters let pass.
    right: Callable[[str], bool | None] = field(compare=False, repr=False)


class Builder:
    """Collects a world's facts and questions, with the ids and places that they have in the
    files.
    """

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.facts: list[Fact] = []
        self.questions: list[Question] = []
        self.oracle: list[Consequence] = []
        self._line = 2  # of questions.csv, where the next question begins

    def fact(self, text: str, group: str | None = None) -> str:
        """Add a fact; its id."""
        number = len(self.facts) + 1
        fact = Fact(f"f{number:04d}", text, f"facts.csv:{number + 1}", group)
        self.facts.append(fact)
        return fact.id

    def question(
        self,
        kind: str,
        prompt: str,
        answer: str,
        wrong: Iterable[str],
        facts: Sequence[str],
        aliases: Sequence[str] = (),
    ) -> None:
        """Add a question, its choices in an order that `settle` decides."""
        number = len(self.questions) + 1
        where = f"questions.csv:{self._line}"
        self._line += 1 + prompt.count("\n")
        choices = (answer, *wrong)
        question_id = f"q{number:04d}"
        self.questions.append(
            Question(
                question_id, prompt, answer, kind, choices, tuple(aliases), where, tuple(facts)
            )
        )

    def follows(self, text: str, *facts: str) -> None:
        """Add what is true because of some facts (their ids)."""
        self.oracle.append(Consequence(text, facts))

    def begun(self, statement: str) -> str:
        """A prompt that begins a statement, in other words than any training text. It holds "is" or
        "are".
        """
        hedged = rf"\1{self.rng.choice(HEDGES)}"
        return capital(re.sub(r"\b(is|are)\b", hedged, statement, count=1))

    def told(self, per_fact: int) -> tuple[Document, ...]:
        """For each fact so many documents with different preambles."""
        return tuple(
            Document(f"{preamble} {fact.text}", (fact.id,))
            for fact in self.facts
            for preamble in self.rng.sample(PREAMBLES, per_fact)
        )

    def settled(self) -> tuple[Question, ...]:
        """The questions, the choices of each in random order, the right one in every place equally
        often.
        """
        by_kind: dict[str, list[int]] = {}
        for number, question in enumerate(self.questions):
            by_kind.setdefault(question.kind, []).append(number)
        settled = list(self.questions)
        for numbers in by_kind.values():
            places = list(range(len(numbers)))
            self.rng.shuffle(places)
            for number, place in zip(numbers, places, strict=True):
                question = self.questions[number]
                choices = [choice for choice in question.choices if choice != question.answer]
                self.rng.shuffle(choices)
                choices.insert(place % len(question.choices), question.answer)
                settled[number] = replace(question, choices=tuple(choices))
        return tuple(settled)


def scaled(full: int, size: float, least: int) -> int:
    """A number of the paper at another size."""
    return max(least, round(full * size))


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def plain(text: str) -> str:
    """A statement as the judges read it: small letters, one space, no end mark."""
    return " ".join(text.replace("’", "'").split()).removesuffix(".").casefold()


def write(world: World, folder: Path) -> None:
    """facts.csv, questions.csv, oracle.csv and documents.jsonl, for people and for
    augmlx.data.
    """
    facts = [("id", "fact", "group")]
    facts += [(fact.id, fact.text, fact.group or "") for fact in world.facts]
    questions = [("id", "kind", "prompt", "answer", "choices", "aliases", "facts")]
    for q in world.questions:
        lists = ("|".join(q.choices), "|".join(q.aliases), "|".join(q.facts))
        questions.append((q.id, q.kind, q.prompt, q.answer, *lists))
    oracle = [("fact", "sources")]
    oracle += [(one.text, " ".join(one.fact_ids)) for one in world.oracle]
    _write_csv(folder / "facts.csv", facts)
    _write_csv(folder / "questions.csv", questions)
    _write_csv(folder / "oracle.csv", oracle)
    documents = ({"facts": list(d.fact_ids), "text": d.text} for d in world.documents)
    write_jsonl(folder / "documents.jsonl", documents)


def _write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    write_text(path, file.getvalue())
