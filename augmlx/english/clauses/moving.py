"""A clause that begins with what stood elsewhere in it: a clause within it, a time or place, or
anything with "... is what ..." around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from augmlx.english.clauses.asked_for import is_none, may_be_people, says_how
from augmlx.english.clauses.beginning import may_begin, names_him_first
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, capitalised
from augmlx.english.clauses.turned import (
    Turned,
    is_pronoun,
    leaves_a_sentence,
    may_speak_of_another,
    moved_first,
    points_back,
    said,
)
from augmlx.english.lexicon import word_set


def clause_moved(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "If A, B" -> "B" if A, and back: "Because A," B."""
    clauses = [part for part in clause.parts if part.role == "clause"]
    if len(clauses) != 1:
        return
    (moved,) = clauses
    if moved.kind not in ("reason", "condition", "purpose"):
        return
    if moved in clause.fronted and names_him_first(clause):
        return
    if moved in clause.complements and may_speak_of_another(clause, moved):
        return
    if moved.kind == "purpose" and clause.passive and (moved,) == clause.complements[:1]:
        return  # "is said to have carved it", "are required to wear it"
    if moved in clause.fronted:
        whole = " ".join(said(clause, subject, moved))
        yield Turned(capitalised(whole), (clause.lowered(moved),), clause.stop)
    else:
        yield moved_first(clause, subject, moved)


def reported(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A thinks that B is C" -> "B is C," A thinks."""
    if len(clause.parts) != 1 or clause.negations or clause.fronted or clause.passive:
        return
    (part,) = clause.parts
    if part.role == "clause" and clause.verb in word_set("reporting_verbs"):
        report = part.text.removeprefix("that ")
        yield Turned(f"{capitalised(report)},", said(clause, subject, part), clause.stop)


def put_first(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A opens at nine on Mondays" -> "On Mondays," A opens at nine; "A is stored in B" -> "B is
    where" A is stored; "A stands for B" -> "B is what" A stands for.
    """
    if clause.fronted or any(part.role == "clause" for part in clause.parts):
        return
    for part in reversed(clause.complements):
        if part.role != "adjunct" or _is_object(clause, part):
            continue
        way = _first_or_gapped(clause, subject, part)
        if way and (way.opening.endswith(",") or not _denies(subject)):
            yield way


def _denies(subject: Phrase) -> bool:
    """Whether it is nobody; nobody says "Suppliers are who no employee may accept gifts from."."""
    return subject.text.split()[0].lower() in word_set("denying")


def _is_object(clause: Clause, part: Phrase) -> bool:
    """Whether it is what the verb is done to: "covers between 2 and 5 euros", but not "works
    between 2 and 5 °C".
    """
    is_range = part.preposition == "between" and part.kind == "amount"
    is_acting = not clause.passive and clause.verb not in word_set("no_passive_first")
    return is_range and is_acting and clause.object is None


def _first_or_gapped(clause: Clause, subject: Phrase, part: Phrase) -> Turned | None:
    preposition = part.preposition
    opens = may_begin(clause, part) and leaves_a_sentence(clause, part)
    if part.kind in ("time", "reason") and opens:
        return moved_first(clause, subject, part)
    if part.kind == "duration" and preposition in ("for", ""):
        return _gapped(clause, subject, part, "how long")
    if part.kind == "place" and preposition in ("in", "at", "inside", "on", "to"):
        return _gapped(clause, subject, part, "where")
    is_manner = says_how(clause, part)
    if is_manner and f"in {part.noun}" == part.text:
        return None  # "In writing, appeals must be lodged."
    is_range = preposition == "from" and " to " in part.noun
    if is_range or (part.kind == "amount" and preposition in ("by", "for")):
        return None
    if preposition in word_set("fronting"):
        if part.kind == "manner" and not opens:
            return None  # "Hand is what peat is cut by."
        if _may_be_the_objects(clause, part):
            return None
        if not clause.negations and opens:
            return moved_first(clause, subject, part)
        if clause.negations or clause.verb == "be":
            return None
    is_last = part == clause.complements[-1] and not is_manner
    is_given = preposition == "to" and clause.verb in word_set("giving_verbs")
    if is_given and part.kind == "thing":
        return None  # "The town was what she gave the park to."
    if any(other.preposition for other in clause.complements if other != part):
        return None  # "Her work was what the medal was awarded to her for."
    if preposition in word_set("stranded") and is_last:
        if clause.tokens[part.head].lemma in word_set("gatherings"):
            return _gapped(clause, subject, part, "who", preposition)
        if part.kind in ("thing", "body", "amount", "place"):
            return _gapped(clause, subject, part, "what", preposition)
        if part.kind == "person":
            return _gapped(clause, subject, part, "who", preposition)
    return None


def _may_be_the_objects(clause: Clause, part: Phrase) -> bool:
    """Whether a part may belong to the object before it, for more follows: "sold their shares in
    the mill to a cousin".
    """
    before = [other for other in clause.complements if other.end + 1 == part.start]
    is_last = part == clause.complements[-1]
    return not is_last and any(other.role == "object" for other in before)


def what(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A has B" -> "B is what" A has."""
    thing = clause.object
    if thing is None or clause.passive or clause.negations or clause.leaves_number_open(thing):
        return
    if " but " in thing.text:
        return  # "carrots, but no meat"
    if _denies(subject) or any(part.role == "clause" for part in clause.parts) or is_none(thing):
        return
    is_told = thing.kind not in ("person", "unknown") and not may_be_people(clause, thing)
    lasts = thing.kind == "duration" and clause.verb in word_set("lasting_verbs")
    if is_told and not is_pronoun(thing) and not points_back(thing):
        yield _gapped(clause, subject, thing, "how long" if lasts else "what")


def _gapped(clause: Clause, subject: Phrase, part: Phrase, word: str, *stranded: str) -> Turned:
    """ "B is where" A is stored. A place still is one, whenever it was."""
    is_sum = part.kind == "amount" and clause.verb == "cost"
    is_one = word == "how long" or is_sum or not clause.is_plural(part)
    is_past = clause.is_past and word != "where"
    be = ("was" if is_one else "were") if is_past else ("is" if is_one else "are")
    parts = (*said(clause, subject, part), *stranded)
    return Turned(f"{capitalised(part.noun)} {be} {word}", parts, clause.stop)


def instructions(clause: Clause) -> Iterator[Turned]:
    """ "To do A, do B" -> "Do B" to do A; "Do B at C" -> "At C," do B."""
    verb = " ".join(clause.group)
    verb = verb[0].lower() + verb[1:]
    if len(clause.fronted) == 1:
        (moved,) = clause.fronted
        objects = [part.text for part in clause.complements]
        opening = " ".join([capitalised(verb), *objects[:1]])
        yield Turned(opening, (*objects[1:], clause.lowered(moved)), clause.stop)
    elif not clause.fronted:
        for part in reversed(clause.complements):
            # "To the desk, report faults"; "By the door, put it into the box".
            is_loose = part.preposition not in ("", "to", "with", "by")
            is_free = part.role == "adjunct" and is_loose and may_begin(clause, part)
            is_told = part.kind in ("reason", "condition", "purpose")  # not "let the dough rest"
            if (part.role == "clause" and is_told) or is_free:
                rest = " ".join([verb, *(other.text for other in clause.others(part))])
                yield Turned(f"{capitalised(part.text)},", (rest,), clause.stop)
