"""How a sentence begins: with what people begin one ("On Saturdays, the library opens at 9:30.",
not "At 9:30, the library opens on Saturdays."), and which word has a capital for that alone.
"""

from __future__ import annotations

import re

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.turned import is_pronoun
from augmlx.english.lexicon import word_set

_CLOCK = re.compile(r"\d[:.h]\d\d(?!\d)|\d ?[ap]\.?m\b|o.clock|\b(?:minutes|hours|seconds)\b", re.I)


def may_begin(clause: Clause, part: Phrase) -> bool:
    """Whether people begin a statement like this with one of its adjuncts: a day, a reason, what a
    rule is for; but not with an hour, an amount, the way in which something is done, nor with the
    place where something was.
    """
    if part.role == "clause":
        return True
    if _has_exception(clause, part):
        return False  # "every day except Monday" would be torn
    if part.kind == "time":
        is_moment = part.preposition in ("", "at", "in", "until")
        return not (is_moment and _CLOCK.search(part.text))
    if part.kind in ("amount", "duration"):
        return part.preposition in word_set("bounds")
    is_means = part.preposition == "by" and clause.tokens[part.head].tag == "VBG"
    if is_means or part.kind == "reason" or part.preposition == "under":
        return True
    if part.kind == "manner":  # "By default," or "By 31 votes to 12,", but not "By hand,"
        return part.noun.lower() in word_set("ruling") or any(map(str.isdigit, part.noun))
    return _holds_now(clause) and _is_where_it_holds(clause, part)


def begins_oddly(given: Clause, said: Clause) -> bool:
    """Whether something was put first that people leave where it stands."""
    return not given.fronted and not all(may_begin(said, part) for part in said.fronted)


def names_him_first(clause: Clause) -> bool:
    """Whether its subject is a pronoun, and a clause before it names who that is, and so stays
    there: nobody says "He worked as a cook before Ben became a judge."
    """
    if clause.subject is None or not is_pronoun(clause.subject):
        return False
    clauses = [part for part in clause.fronted if part.role == "clause"]
    nouns = [token for token in clause.tokens if token.tag.startswith("N")]
    return any(part.start <= noun.start < part.end for part in clauses for noun in nouns)


def names_him_late(given: Clause, said: Clause) -> bool:
    """Whether a pronoun that stood behind its name stands before it."""
    return names_him_first(given) and not said.fronted


def keeps_a_capital(source: str, text: str) -> bool:
    """Whether a text has the capital of its source's first word within the sentence: "If it is
    found early, Fever can be treated."
    """
    clause = read(source)
    subject = clause.subject if clause is not None else None
    if clause is None or subject is None or clause.lowered(subject) == subject.text:
        return False
    return f" {subject.text.split()[0]} " in f"{text} "


def _is_where_it_holds(clause: Clause, part: Phrase) -> bool:
    """ "In the reading room, food is not allowed.", "Without a permit, nobody may enter."; but not
    "In Tartu, the laboratory is located.".
    """
    if part.preposition in ("with", "without"):
        return True
    is_ruled = bool(word_set("modals") & set(clause.auxiliaries)) or bool(clause.negations)
    says_where = clause.verb in word_set("placing_verbs_first") and not is_ruled
    return part.preposition in word_set("static") and not says_where


def _holds_now(clause: Clause) -> bool:
    """Whether it says how things are, and not what was done once."""
    return not clause.is_past and not {"have", "has"} & set(clause.auxiliaries)


def _has_exception(clause: Clause, part: Phrase) -> bool:
    """Whether something is excepted, and not within a part itself."""
    around = f"{clause.text[: part.start]} {clause.text[part.end :]}".lower().split()
    return not word_set("excepting").isdisjoint(word.strip(",") for word in around)
