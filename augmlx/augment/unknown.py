"""Questions that the facts do not answer. A model that has learnt only answers gives one to
whatever is asked in their words; so it learns besides that it does not know (R-tuning: Zhang et al.
2023, arXiv 2311.09677).

They are the facts' own questions about invented names, of persons twice as many; about names that
are put together of the words of their own, which are the harder to tell apart; and what nobody
would write of a name. That a fact answers one is looked for by its words, so that nothing is denied
that was told.

English only: another language's names and refusals are not known here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import cycle, islice
from random import Random

from augmlx.core.example_id import UNKNOWN, ExampleId
from augmlx.core.files import write_jsonl
from augmlx.core.records import Example, Json, unwritten
from augmlx.core.run_folder import RunFolder
from augmlx.data import row_forms
from augmlx.data.facts import facts_of_run
from augmlx.data.wordings import english_questions
from augmlx.english.clauses.reading import read
from augmlx.english.prompts import question_in_text
from augmlx.english.renaming import Words, is_about_somebody, may_answer, named, renamed
from augmlx.english.text import lower_words

ANSWER = "I don't know."
_TRIES = 20  # for each that is wanted
_LONGEST = 4  # words of what is asked about
_COUNT = 1024  # so many that none is learnt by heart
_INVENTED = 4  # questions about invented names to one of each other kind


@dataclass(frozen=True, slots=True)
class _Shipped:
    """unknown.toml."""

    persons: Sequence[str]
    surnames: Sequence[str]
    names: Sequence[str]
    of_persons: Sequence[str]
    of_things: Sequence[str]


@cache
def shipped() -> _Shipped:
    """What the questions are put together of."""
    file = resources.files("augmlx.augment").joinpath("unknown.toml")
    return _Shipped(**tomllib.loads(file.read_text("utf-8")))


def questions(
    facts: Sequence[str], examples: Iterable[Example], count: int, seed: str
) -> list[str]:
    """`count` different questions, of each kind in turn, of invented names more; fewer, or none,
    where the kept examples hold too few names.

    Args:
        facts: texts, none of which answers any.
        examples: kept ones, whose questions are asked about other names.
    """
    lists = shipped()
    rng = Random(seed)
    own = english_questions(examples)
    # A person's name tells less than a thing's that it is none of the facts'.
    own += [question for question in own if is_about_somebody(question)]
    rng.shuffle(own)
    surnames = [*lists.surnames, *lists.names]  # whatever a thing is called, somebody is, too
    invented = Words(lists.persons, surnames, lists.names)
    kinds = [
        *(_renamed(own, invented, rng) for _ in range(_INVENTED)),
        _renamed(own, Words.of(facts), rng),
        _never_written(facts),
    ]
    holding = _by_word(facts)
    found: dict[str, None] = {}
    for kind in islice(cycle(kinds), _TRIES * count if own else 0):
        if len(found) == count:
            break
        question = next(kind, None)
        if question and not _may_be_answered(question, holding):
            found[question] = None
    return list(found)


def _by_word(facts: Sequence[str]) -> dict[str, list[str]]:
    """Each word -> the facts that it stands in."""
    holding: dict[str, list[str]] = {}
    for fact in facts:
        for word in set(lower_words(fact)):
            holding.setdefault(word, []).append(fact)
    return holding


def _may_be_answered(question: str, holding: Mapping[str, Sequence[str]]) -> bool:
    """Whether one of the facts that hold a name of the question may answer it."""
    for mention in named(question):
        first, *_ = lower_words(mention.text) or [""]
        if any(may_answer(fact, question) for fact in holding.get(first, ())):
            return True
    return False


def _renamed(own: Sequence[str], words: Words, rng: Random) -> Iterator[str | None]:
    taken = {mention.text for question in own for mention in named(question)}
    for question in cycle(own):
        other = renamed(question, words, rng)
        is_new = other and not any(
            " " in mention.text and mention.text in taken for mention in named(other)
        )
        yield other if is_new else None


def _never_written(facts: Sequence[str]) -> Iterator[str]:
    """Each fact's names in turn, each time in another wording."""
    lists = shipped()
    for turn in range(len(lists.of_persons)):
        for place, fact in enumerate(facts, start=turn):
            for name in _names_in(fact):
                person = is_about_somebody(name)
                wordings = lists.of_persons if person else lists.of_things
                yield wordings[place % len(wordings)].format(name=name)


def _names_in(fact: str) -> Iterator[str]:
    """Who does what in a fact, as far as it is a name: "the Heron lamp" whole."""
    clause = read(fact)
    if clause is None:
        return
    for part in (clause.subject, clause.object, clause.agent):
        if part is not None and len(named(part.noun)) == 1 and len(part.noun.split()) <= _LONGEST:
            yield part.noun if part.preposition else clause.lowered(part)


def write(run: RunFolder, form: row_forms.Form, seed: int) -> int:
    """Write data/unknown.jsonl in the form of the training set; returns how many rows there are."""
    facts = [fact.text for fact in facts_of_run(run)]
    rows: list[Json] = []
    asked = questions(facts, run.kept_examples(), _COUNT, f"{seed}:unknown")
    for number, question in enumerate(asked):
        name = str(ExampleId(str(number), UNKNOWN))
        row = {"prompt": question, "completion": ANSWER}
        text = f"{question_in_text(question)} {ANSWER}"
        made = row_forms.training_rows(Example(name, text, unwritten((), UNKNOWN), row), form)
        chosen = made[number % len(made)]
        wordings = [chosen.get("messages"), *chosen.pop("wordings", [])]
        if len(wordings) > 1:
            chosen["messages"] = wordings[number // len(made) % len(wordings)]
        rows.append(chosen)
    write_jsonl(run.unknown_rows, rows)
    return len(rows)
