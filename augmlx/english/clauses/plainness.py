"""Whether a statement is so plain, or so short, that more than grammar may be trusted with it, and
whether a text is as whole a sentence as its source.
"""

from __future__ import annotations

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase
from augmlx.english.clauses.reading import read
from augmlx.english.lexicon import word_set


def is_plain(text: str) -> bool:
    """Whether a statement says one thing of two or three that have a name or a "the", or compares
    two: no time, no amount, no circumstance.
    """
    clause = read(text)
    if clause is None or clause.subject is None or clause.coordinated or clause.fronted:
        return False
    if len(clause.complements) == 1 and " than " in clause.complements[0].text:
        return True
    if not 1 <= len(clause.complements) <= 2 or any(map(_is_nested, clause.complements)):
        return False
    return all(_is_definite(clause, part) for part in (clause.subject, *clause.complements))


def has_two_ends_alone(text: str) -> bool:
    """Whether nothing in a statement tells of more than who or what, and of whom or what: no
    comma, no number, no word that points back.
    """
    more = "," in text or any(map(str.isdigit, text))
    return not more and word_set("pointing_back").isdisjoint(text.lower().split())


def _is_nested(part: Phrase) -> bool:
    """Whether a part has a clause of its own and an apposition besides."""
    words = part.text.split()
    return not word_set("relative_pronouns").isdisjoint(words) and "," in part.text


def is_as_whole(source: str, text: str) -> bool:
    """Whether a text is as much of a sentence as its source: it can be read, its verb has what it
    needs and is not of another time, and it has no clause more ("The capital is Dunmore is.").
    """
    given, said = read(source), read(text)
    if given is None:
        return True
    if said is None or (said.verb == "be" and not said.parts):
        return False
    if given.verb == said.verb == "be" and given.is_past != said.is_past:
        return False  # "was the head of the lab", "is the head of the lab"
    return _inner_clauses(said) <= _inner_clauses(given)


def _inner_clauses(clause: Clause) -> int:
    """How many clauses stand in a clause, but for those of "It is Ana who ..."."""
    inner = [part for part in clause.parts if part.role == "clause"]
    return sum(part.text.split()[0] not in word_set("relative_pronouns") for part in inner)


def _is_definite(clause: Clause, part: Phrase) -> bool:
    is_name = clause.tokens[part.head].tag in ("NNP", "NNPS")
    if part.role == "adjunct":
        return is_name and part.preposition in _ties(clause)
    if part.kind not in ("person", "body", "thing") and not (part.kind == "unknown" and is_name):
        return False
    is_owned = "'s " in part.text and part.text[:1].isupper()
    return part.role != "clause" and (is_name or is_owned or part.noun[:4].lower() == "the ")


def _ties(clause: Clause) -> frozenset[str]:
    """The prepositions that a verb ties a name by; behind "is" those that have an opposite."""
    ties = word_set("tying_verbs_to_names")
    return word_set("place_prepositions") if clause.verb == "be" else ties
