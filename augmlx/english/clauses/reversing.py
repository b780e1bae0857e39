"""How a clause is said from its other end: what it begins with, and what then follows.

Each way keeps the meaning by its form alone: the passive of an active verb and back, the two sides
of an equation, a verb that holds both ways round, a clause moved, what stood at the end put first,
or "... is what ..." around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from augmlx.english.adjectives import antonyms
from augmlx.english.clauses import voices
from augmlx.english.clauses.clause import Clause, read
from augmlx.english.clauses.phrase import Phrase, capitalised
from augmlx.english.lexicon import DETERMINERS, rows, word_set
from augmlx.english.text import CACHED_TEXTS

_MOST = 2  # ways of one statement
_OBJECT_FORMS = {"it": "it", "he": "him", "she": "her", "they": "them", "we": "us", "i": "me"}


class Turned(NamedTuple):
    """A clause in another order.

    Attributes:
        opening: the words that it begins with.
        parts: what follows, in any order.
        stop: the mark that ends it.
    """

    opening: str
    parts: tuple[str, ...]
    stop: str

    @property
    def text(self) -> str:
        """The whole sentence, its parts in the given order."""
        text = " ".join((self.opening, *self.parts))
        is_ended = bool(self.stop) and text.endswith(self.stop)  # "at 2 a.m."
        return text if is_ended else text + self.stop


@lru_cache(maxsize=CACHED_TEXTS)
def reversals(text: str) -> tuple[Turned, ...]:
    """The ways in which a statement is said from its other end: those of the surest kind that there
    are any of.
    """
    clause = read(text)
    if clause is None or clause.coordinated:
        return ()
    if clause.subject is None:
        return tuple(_instructions(clause))[:_MOST]
    if clause.tells_of_existence:
        return ()
    is_comparison = any(" than " in part.text for part in clause.complements)
    for kind in (_compared,) if is_comparison else _KINDS:
        if ways := tuple(kind(clause, clause.subject)):
            return tuple(_closed(way, clause) for way in ways[:_MOST])
    return ()


def _closed(way: Turned, clause: Clause) -> Turned:
    """With the comma behind what was inserted in a part that ended the sentence and begins it now:
    "The company, StarPath" -> "The company, StarPath,".
    """
    for part in clause.complements:
        begun = capitalised(part.noun)
        _, comma, inserted = begun.rpartition(", ")
        first, *_ = inserted.split() or [""]
        is_list = not {"and", "or"}.isdisjoint(inserted.split())
        opens = first[:1].isupper() or first in DETERMINERS | word_set("inserting")
        is_inserted = comma and begun.count(",") == 1 and opens and not is_list
        if way.opening.startswith(f"{begun} ") and is_inserted:
            return way._replace(opening=f"{begun},{way.opening[len(begun) :]}")
    return way


@lru_cache(maxsize=CACHED_TEXTS)
def fronted(text: str) -> tuple[Turned, ...]:
    """The ways in which a statement is said in another order, its subject still before what is said
    of it: a time, place or circumstance put first, or one that stood first put last.
    """
    clause = read(text)
    if clause is None or clause.subject is None or clause.coordinated:
        return ()
    if clause.tells_of_existence:
        return ()
    ways = [
        _moved_first(clause, clause.subject, part)
        for part in clause.complements
        if _is_circumstance(part)
    ]
    if len(clause.fronted) == 1:
        (moved,) = clause.fronted
        first, *others = _said(clause, clause.subject, moved)
        parts = (*others, clause.lowered(moved))
        ways.append(Turned(capitalised(first), parts, clause.stop))
    return tuple(ways)


@lru_cache(maxsize=CACHED_TEXTS)
def singled_out(text: str) -> tuple[Turned, ...]:
    """ "Ana led the lab." -> "It was Ana who" led the lab, "Ana was the one who" led the lab; none
    where it is not known whether the subject is somebody or something.
    """
    clause = read(text)
    if clause is None or clause.subject is None or clause.coordinated or clause.fronted:
        return ()
    subject = clause.subject
    first = subject.text.split()[0].lower()
    is_bounded = first in word_set("quantifying") | word_set("choosing")
    if subject.kind == "unknown" or _is_pronoun(subject) or is_bounded or clause.tells_of_existence:
        return ()
    be = "was" if clause.is_past else "is"
    word = "who" if subject.kind == "person" else "that"
    parts = (" ".join(clause.group), *map(clause.lowered, clause.complements))
    ways = [Turned(f"It {be} {clause.lowered(subject)} {word}", parts, clause.stop)]
    if not clause.is_plural(subject):
        ways.append(Turned(f"{subject.text} {be} the one {word}", parts, clause.stop))
    return tuple(ways)


def _is_circumstance(part: Phrase) -> bool:
    if part.role == "clause":
        return part.kind in ("reason", "condition")
    return part.role == "adjunct" and bool(part.preposition) and part.kind in ("time", "place")


# The passive, and back


def _passive(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A defeated B in 1643" -> "B was defeated" by A, in 1643."""
    receivers = [part for part in clause.complements if _is_receiver(clause, part)]
    if not receivers or len(receivers) > 2 or clause.passive or _is_pronoun(subject):
        return
    thing, *more = receivers
    if clause.verb in word_set("no_passive_first") | word_set("mutual_verbs"):
        return
    if _is_pronoun(thing) or any(map(_points_back, clause.complements)):
        return
    verb = voices.passive(clause, is_plural=clause.is_plural(thing))
    if verb is None:
        return
    others = [part for part in clause.others(thing) if part not in more]
    close = [part for part in others if part.preposition in word_set("close_to_its_verb")]
    loose = [part for part in others if part not in close]
    parts = [
        *(part.text for part in (*more, *close)),
        f"by {clause.lowered(subject)}",
        *map(clause.lowered, loose),
    ]
    yield Turned(f"{capitalised(thing.text)} {verb}", tuple(parts), clause.stop)


def _is_receiver(clause: Clause, part: Phrase) -> bool:
    """Whether something is done to it, or it is whom something is given: "taught Oskar the
    violin".
    """
    is_dative = clause.tokens[part.head].dep == "dative" and not part.preposition
    return part.role == "object" or is_dative


def _active(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "B was defeated by A in 1643" -> "A defeated" B, in 1643."""
    agent = clause.agent
    if agent is None or not clause.passive or agent.noun.lower() in word_set("pronouns"):
        return
    verb = voices.active(clause, is_plural=clause.is_plural(agent))
    if verb is None:
        return
    thing = clause.lowered(subject)
    thing = _OBJECT_FORMS.get(thing.lower(), thing)
    parts = (thing, *map(clause.lowered, clause.others(agent)))
    yield Turned(f"{capitalised(agent.noun)} {verb}", parts, clause.stop)


# What holds both ways round


def _equation(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A is the head of B" -> "The head of B is" A; "A is married to B" -> "B is married to" A."""
    attribute = clause.attribute
    is_plain = clause.verb == "be" and not clause.passive and not clause.negations
    is_plain = is_plain and subject.text.split()[0].lower() not in word_set("quantifying")
    if not is_plain or attribute is None or _is_pronoun(subject):
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


def _mutual(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A married B" -> "B married" A."""
    thing = clause.object
    if thing is None or clause.passive or clause.verb not in word_set("mutual_verbs"):
        return
    agrees_alike = clause.is_plural(subject) == clause.is_plural(thing) or clause.tag == "VBD"
    if agrees_alike or clause.helpers:
        parts = (clause.lowered(subject), *map(clause.lowered, clause.others(thing)))
        verb = " ".join(clause.group)
        yield Turned(f"{capitalised(thing.text)} {verb}", parts, clause.stop)


def _shared(clause: Clause, subject: Phrase) -> Iterator[Turned]:
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


def _compared(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A runs faster than B" -> "B runs slower than" A; but slower than A can run whatever can run
    faster, too.
    """
    comparison = next((part for part in clause.complements if " than " in part.text), None)
    if comparison is None or clause.negations or len(clause.parts) > 1:
        return
    if not word_set("abilities").isdisjoint(clause.auxiliaries):
        return
    degree, _, other = comparison.text.partition(" than ")
    opposites = antonyms().get(degree.lower(), frozenset())
    are_alike = clause.is_plural(subject) == other.endswith("s")
    if len(opposites) != 1 or not are_alike:
        return
    (opposite,) = opposites
    verb = " ".join(clause.group)
    opening = f"{capitalised(other)} {verb} {opposite} than"
    yield Turned(opening, (clause.lowered(subject),), clause.stop)


# Verbs whose other end is another verb


def _made_up(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A consists of B and C" -> "B and C make up" A."""
    part = next((part for part in clause.complements if part.preposition == "of"), None)
    if clause.verb == "consist" and part is not None and not clause.helpers:
        yield _with_verb(clause, subject, part, ("make up", "makes up", "made up"))


def _owned(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A belongs to B" -> "B owns" A, where A is a thing and B somebody."""
    part = next((part for part in clause.complements if part.preposition == "to"), None)
    if clause.verb != "belong" or part is None or clause.helpers or subject.kind != "thing":
        return
    if subject.text[:4].lower() == "the " and part.noun[:4].lower() != "the ":
        yield _with_verb(clause, subject, part, ("own", "owns", "owned"))


def _with_verb(
    clause: Clause, subject: Phrase, part: Phrase, verbs: tuple[str, str, str]
) -> Turned:
    """`part` as the subject of a verb, given for several, for one, and in the past."""
    several, one, past = verbs
    verb = past if clause.is_past else several if clause.is_plural(part) else one
    parts = (clause.lowered(subject), *map(clause.lowered, clause.others(part)))
    return Turned(f"{capitalised(part.noun)} {verb}", parts, clause.stop)


# What stood elsewhere put first


def _clause_moved(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "If A, B" -> "B" if A, and back: "Because A," B."""
    clauses = [part for part in clause.parts if part.role == "clause"]
    if len(clauses) != 1:
        return
    (moved,) = clauses
    if moved.kind not in ("reason", "condition", "purpose"):
        return
    if moved in clause.fronted:
        whole = " ".join(_said(clause, subject, moved))
        yield Turned(capitalised(whole), (clause.lowered(moved),), clause.stop)
    else:
        yield _moved_first(clause, subject, moved)


def _reported(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A thinks that B is C" -> "B is C," A thinks."""
    if len(clause.parts) != 1 or clause.negations or clause.fronted:
        return
    (part,) = clause.parts
    if part.role == "clause" and clause.verb in word_set("reporting_verbs"):
        said = part.text.removeprefix("that ")
        yield Turned(f"{capitalised(said)},", _said(clause, subject, part), clause.stop)


def _put_first(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A opens at nine on Mondays" -> "On Mondays," A opens at nine; "A is stored in B" -> "B is
    where" A is stored; "A stands for B" -> "B is what" A stands for.
    """
    if clause.fronted or any(part.role == "clause" for part in clause.parts):
        return
    for part in reversed(clause.complements):
        if part.role == "adjunct" and (way := _first_or_gapped(clause, subject, part)):
            yield way


def _first_or_gapped(clause: Clause, subject: Phrase, part: Phrase) -> Turned | None:
    preposition = part.preposition
    if part.kind in ("time", "reason") and clause.verb != "be":
        return _moved_first(clause, subject, part)
    if part.kind == "duration" and preposition in ("for", ""):
        return _gapped(clause, subject, part, "how long")
    if part.kind == "place" and preposition in ("in", "at", "inside", "on", "to"):
        return _gapped(clause, subject, part, "where")
    is_range = preposition == "from" and " to " in part.noun
    if is_range or (part.kind == "amount" and preposition in ("by", "for")):
        return None
    if preposition in word_set("fronting"):
        is_free = not clause.negations and (clause.verb != "be" or clause.passive)
        return _moved_first(clause, subject, part) if is_free else None
    if preposition in word_set("stranded") and part == clause.complements[-1]:
        if part.kind in ("thing", "body", "amount", "place"):
            return _gapped(clause, subject, part, "what", preposition)
        if part.kind == "person":
            return _gapped(clause, subject, part, "who", preposition)
    return None


def _what(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A has B" -> "B is what" A has."""
    thing = clause.object
    if thing is None or clause.passive or clause.negations:
        return
    if any(part.role == "clause" for part in clause.parts) or thing.text.lower().startswith("no "):
        return
    if (
        thing.kind not in ("person", "unknown")
        and not _is_pronoun(thing)
        and not _points_back(thing)
    ):
        yield _gapped(clause, subject, thing, "what")


def _moved_first(clause: Clause, subject: Phrase, part: Phrase) -> Turned:
    return Turned(f"{capitalised(part.text)},", _said(clause, subject, part), clause.stop)


def _gapped(clause: Clause, subject: Phrase, part: Phrase, word: str, *stranded: str) -> Turned:
    """ "B is where" A is stored. A place still is one, whenever it was."""
    is_one = word == "how long" or not clause.is_plural(part)
    is_past = clause.is_past and word != "where"
    be = ("was" if is_one else "were") if is_past else ("is" if is_one else "are")
    parts = (*_said(clause, subject, part), *stranded)
    return Turned(f"{capitalised(part.noun)} {be} {word}", parts, clause.stop)


def _said(clause: Clause, subject: Phrase, moved: Phrase) -> tuple[str, ...]:
    """The clause without a part, subject and verb first."""
    first = " ".join([clause.lowered(subject), *clause.group])
    return (first, *map(clause.lowered, clause.others(moved)))


def _instructions(clause: Clause) -> Iterator[Turned]:
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
            if part.role == "clause" or (part.role == "adjunct" and part.preposition):
                said = " ".join([verb, *(other.text for other in clause.others(part))])
                yield Turned(f"{capitalised(part.text)},", (said,), clause.stop)


def _is_pronoun(part: Phrase) -> bool:
    return part.text.lower() in word_set("pronouns")


def _points_back(part: Phrase) -> bool:
    """Whether a part speaks of somebody who was named before it ("his sister")."""
    return not word_set("pointing_back").isdisjoint(part.text.lower().split())


_KINDS: tuple[Callable[[Clause, Phrase], Iterator[Turned]], ...] = (
    _made_up,
    _owned,
    _mutual,
    _shared,
    _active,
    _passive,
    _equation,
    _clause_moved,
    _reported,
    _put_first,
    _what,
)
