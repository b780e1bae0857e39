"""A clause whose two ends change places around the same verb: the two sides of an equation, a verb
that holds both ways round, a comparison with its opposite.
"""

from __future__ import annotations

from collections.abc import Iterator

from augmlx.english.adjectives import antonyms
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, capitalised
from augmlx.english.clauses.turned import Turned, is_pronoun
from augmlx.english.lexicon import rows, word_set


def equation(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A is the head of B" -> "The head of B is" A; "A is married to B" -> "B is married to" A."""
    attribute = clause.attribute
    is_plain = clause.verb == "be" and not clause.passive and not clause.negations
    is_plain = is_plain and subject.text.split()[0].lower() not in word_set("quantifying")
    if not is_plain or attribute is None or is_pronoun(subject):
        return
    be = " ".join(clause.group).lower()
    parts = (clause.lowered(subject), *map(clause.lowered, clause.others(attribute)))
    if _is_definite(clause, attribute):
        yield Turned(f"{capitalised(attribute.text)} {be}", parts, clause.stop)
        return
    for relation in rows("mutual_attributes"):
        if attribute.text.lower().startswith(f"{relation} "):
            other = attribute.text[len(relation) + 1 :]
            yield Turned(f"{capitalised(other)} {be} {relation}", parts, clause.stop)


def _is_definite(clause: Clause, part: Phrase) -> bool:
    """Whether a phrase names the one thing that there is of it."""
    head, first = clause.tokens[part.head], part.text.split()[0].lower()
    if not head.tag.startswith("N") or first in word_set("indefinite"):
        return False
    if first == "the" or first in word_set("pointing_back"):
        return " one of " not in f" {part.text.lower()} "
    is_name = head.tag in ("NNP", "NNPS") and head.text[:1].isupper()
    return is_name or "'s " in part.text.split(" of ")[0]


def taken_for(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A was hailed as the B" -> "The one who was hailed as the B was" A."""
    said = clause.complements
    is_plain = clause.passive and not clause.negations and not clause.fronted
    if not is_plain or subject.kind != "person" or clause.is_plural(subject) or is_pronoun(subject):
        return
    last = said[-1] if said else None
    # A parser takes "as" for a part of who does it: "regarded by many as".
    is_told = last and (last.preposition == "as" or (last.role == "agent" and " as " in last.text))
    if is_told and clause.verb_text in word_set("renowned"):
        be = "was" if clause.is_past else "is"
        around = " ".join([*clause.group, *(part.text for part in said)])
        yield Turned(f"The one who {around} {be}", (clause.lowered(subject),), clause.stop)


def mutual(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A married B" -> "B married" A."""
    thing = clause.object
    if thing is None or clause.passive or clause.verb not in word_set("mutual_verbs"):
        return
    agrees_alike = clause.is_plural(subject) == clause.is_plural(thing) or clause.tag == "VBD"
    if agrees_alike or clause.helpers:
        parts = (clause.lowered(subject), *map(clause.lowered, clause.others(thing)))
        verb = " ".join(clause.group)
        yield Turned(f"{capitalised(thing.text)} {verb}", parts, clause.stop)


def shared(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A shares a border with B" -> "B shares a border with" A."""
    thing = clause.object
    other = next((part for part in clause.complements if part.preposition == "with"), None)
    if thing is None or other is None or clause.verb not in word_set("sharing_verbs"):
        return
    if clause.is_plural(subject) == clause.is_plural(other) or clause.is_past:
        opening = " ".join([capitalised(other.noun), *clause.group, thing.text, "with"])
        others = [part for part in clause.others(thing) if part != other]
        parts = (clause.lowered(subject), *map(clause.lowered, others))
        yield Turned(opening, parts, clause.stop)


def compared(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A runs faster than B" -> "B runs slower than" A; but slower than A can run whatever can run
    faster, too.
    """
    comparison = next((part for part in clause.complements if " than " in part.text), None)
    if comparison is None or clause.negations or len(clause.parts) > 1:
        return
    if subject.text.split()[0].lower() in word_set("quantifying"):
        return  # "No house is taller than the church."
    if not word_set("abilities").isdisjoint(clause.auxiliaries):
        return
    degree, _, other = comparison.text.partition(" than ")
    joins = [t for t in clause.tokens if t.dep == "cc" and t.start > comparison.start]
    if joins:
        return  # "smaller than the Heron but faster"
    opposites = antonyms().get(degree.lower(), frozenset())
    are_alike = clause.is_plural(subject) == other.endswith("s")
    if len(opposites) != 1 or not are_alike:
        return
    (opposite,) = opposites
    verb = " ".join(clause.group)
    opening = f"{capitalised(other)} {verb} {opposite} than"
    yield Turned(opening, (clause.lowered(subject),), clause.stop)
