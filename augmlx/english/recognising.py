"""Whether a text says what a statement says, where its form alone tells: a question with its
answer, the statement from its other end, or the statement with its parts in another order.

Known here means right. A text that is not known may be right all the same; nobody can tell by
grammar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from augmlx.english.asking import Ask, asks
from augmlx.english.clause import Clause, Phrase, read
from augmlx.english.reversing import fronted, reversals
from augmlx.english.stems import stem
from augmlx.english.synonyms import synonyms
from augmlx.english.text import CACHED_TEXTS, normalise


@lru_cache(maxsize=CACHED_TEXTS)
def is_known_question(source: str, question: str, answer: str) -> bool:
    """Whether a question is one that a statement answers so."""
    if not question.rstrip().endswith("?"):
        return False
    return any(_renders(question, ask) for ask in asks(source) if ask.answer == answer)


@lru_cache(maxsize=CACHED_TEXTS)
def is_known_reversal(source: str, text: str) -> bool:
    """Whether a text is a statement said from its other end."""
    return any(
        _is_made_of(text, turned.opening, turned.parts) for turned in reversals(source)
    ) and _ends_alike(source, text)


@lru_cache(maxsize=CACHED_TEXTS)
def is_known_rephrasing(source: str, text: str) -> bool:
    """Whether a text is a statement with a time or place put first, or taken behind again, or with
    its subject singled out ("It is Ana who leads the lab.").
    """
    if not _ends_alike(source, text) or normalise(text) == normalise(source):
        return False
    if any(_is_made_of(text, turned.opening, turned.parts) for turned in fronted(source)):
        return True
    return _is_singled_out(source, text) or _says_the_same(source, text)


def knows(source: str) -> bool:
    """Whether the form of a statement is one that texts can be compared with."""
    return read(source) is not None


def _renders(question: str, ask: Ask) -> bool:
    return _is_made_of(question, ask.opening, ask.parts, ask.optional)


def _is_made_of(
    text: str, opening: str, parts: Sequence[str], optional: Sequence[bool] | None = None
) -> bool:
    """Whether a text is the opening and then the parts, in any order, each once."""
    words, first = normalise(text), normalise(opening)
    if words != first and not words.startswith(f"{first} "):
        return False
    left = [normalise(part) for part in parts]
    flags = list(optional or [False] * len(left))
    return _consumes(words[len(first) :].strip(), left, flags)


def _consumes(words: str, parts: list[str], optional: list[bool]) -> bool:
    if not words:
        return all(optional)
    for place, part in enumerate(parts):
        if part and (words == part or words.startswith(f"{part} ")):
            rest, flags = parts[:], optional[:]
            del rest[place], flags[place]
            if _consumes(words[len(part) :].strip(), rest, flags):
                return True
    return False


def _is_singled_out(source: str, text: str) -> bool:
    """ "It was Ana who led the lab." says what "Ana led the lab." says."""
    clause = read(source)
    if clause is None or clause.subject is None or clause.fronted or clause.subject.kind == "unknown":
        return False
    be = "was" if clause.tag == "VBD" or {"was", "were", "did", "had"} & set(clause.helpers) else "is"
    who = ("who", "that") if clause.subject.kind == "person" else ("that", "which")
    subject, predicate = normalise(clause.subject.text), source[clause.subject.end :]
    said = normalise(text)
    return any(said == f"it {be} {subject} {word} {normalise(predicate)}" for word in who)


# "Ana is the one who leads the lab." says what "Ana leads the lab." says.
_ONE_WHO = re.compile(r"(?P<subject>.+?) (?:is|was) the (?:one|person) (?:who|that|which) (?P<rest>.+)")


def _says_the_same(source: str, text: str) -> bool:
    """Whether both say, in other words or another order, the same of the same, the subject first."""
    if single := _ONE_WHO.fullmatch(text):
        text = f"{single['subject']} {single['rest']}"
        if normalise(text) == normalise(source):
            return True
    given, said = read(source), read(text)
    if given is None or said is None or given.coordinated or said.coordinated:
        return False
    if given.subject is None or said.subject is None or given.passive != said.passive:
        return False
    return _content(given) == _content(said) and _verb(given) & _verb(said) != frozenset()


def _verb(clause: Clause) -> frozenset[str]:
    """The stems of the words that say what a clause's verb says."""
    word = stem(clause.verb)
    same = frozenset({word}) if clause.particle else frozenset({word}) | synonyms().get(word, frozenset())
    return frozenset(f"{one} {clause.particle}".strip() for one in same)


def _content(clause: Clause) -> tuple[object, ...]:
    """All that a clause says but its verb: of whom, about what, when and where, and how surely."""
    helpers = {word.lower() for word in clause.helpers}
    parts = [part for part in (*clause.complements, *clause.fronted) if part.text]
    past = clause.tag == "VBD" or not helpers.isdisjoint(("was", "were", "did", "had"))
    return (
        _noun(clause.subject) if clause.subject else "",
        frozenset((part.role == "agent", part.preposition, _noun(part)) for part in parts),
        len(parts),
        frozenset(helpers - {"is", "are", "was", "were", "does", "do", "did", "n't"}),
        "n't" in helpers or "not" in helpers,
        past,
    )


def _noun(phrase: Phrase) -> str:
    words = normalise(phrase.noun).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def _ends_alike(source: str, text: str) -> bool:
    stop = source.rstrip()[-1:]
    return stop not in ".!" or text.rstrip().endswith((".", "!"))
