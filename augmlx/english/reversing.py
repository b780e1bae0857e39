"""How a clause is said from its other end: what it begins with, and what then follows.

Each way is one that keeps the meaning by its form alone: the passive of an active verb and back,
the two sides of an equation, a clause moved, what stood at the end put first, or "... is what ..."
around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from augmlx.english import forms
from augmlx.english.adjectives import antonyms
from augmlx.english.clause import Clause, Phrase, capitalised, is_plural, lowered, read
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS


_MOST = 2  # ways of one statement


class Turned(NamedTuple):
    """A clause from its other end.

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
        return finished(" ".join((self.opening, *self.parts)), self.stop)


def finished(text: str, stop: str) -> str:
    """A sentence with its mark at the end, where it does not end in it anyway ("at 2 a.m.")."""
    return text if stop and text.endswith(stop) else text + stop


@lru_cache(maxsize=CACHED_TEXTS)
def reversals(text: str) -> tuple[Turned, ...]:
    """The ways in which a statement is said from its other end, the surest first."""
    clause = read(text)
    if clause is None or clause.coordinated:
        return ()
    return tuple(_ways(clause))[:_MOST]


@lru_cache(maxsize=CACHED_TEXTS)
def fronted(text: str) -> tuple[Turned, ...]:
    """The ways in which a statement is said in another order of its parts, its subject still before
    what is said of it: a time, place or circumstance put first, or one that stood first put last.
    """
    clause = read(text)
    if clause is None or clause.subject is None or clause.coordinated:
        return ()
    found = []
    for part in clause.complements:
        if part.role == "adjunct" and part.preposition and part.kind in ("time", "place"):
            found.append(Turned(f"{capitalised(part.text)},", _said(clause, part), clause.stop))
        elif part.role == "clause" and part.kind in ("reason", "condition"):
            found.append(Turned(f"{capitalised(part.text)},", _said(clause, part), clause.stop))
    if len(clause.fronted) == 1:
        (moved,) = clause.fronted
        first, *others = _said(clause, moved)
        parts = (*others, lowered(moved, clause.tokens))
        found.append(Turned(capitalised(first), parts, clause.stop))
    return tuple(found)


def _ways(clause: Clause) -> Iterator[Turned]:
    """The surest kind of ways that there are any of."""
    subject = clause.subject
    if subject is None:
        return _instructions(clause)
    if subject.text == "There":
        return iter(())
    if any(" than " in part.text for part in clause.complements):
        return _compared(clause, subject)
    return chain(*_first(kind(clause, subject) for kind in _KINDS))


def _first(kinds: Iterable[Iterator[Turned]]) -> list[list[Turned]]:
    for kind in kinds:
        if ways := list(kind):
            return [ways]
    return []


# The passive, and back


def _passive(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A defeated B in 1643" -> "B was defeated" by A, in 1643."""
    thing = clause.object
    if thing is None or clause.passive:
        return
    if clause.verb in word_set("no_passive_first") or clause.verb in word_set("mutual_verbs") or thing.text.lower() in word_set("pronouns"):
        return
    if subject.text.lower() in word_set("pronouns"):
        return
    objects = [part for part in clause.complements if part.role == "object" or _is_receiver(clause, part)]
    if len(objects) > 2:
        return
    thing = objects[0]
    if thing.text.lower() in word_set("pronouns"):
        return
    if any(_points_back(part) for part in clause.complements):
        return
    be = _be(clause, plural=is_plural(thing, clause.tokens))
    done = forms.participle(clause.verb)
    if be is None or not done:
        return
    opening = f"{capitalised(thing.text)} {be} {done}"
    if clause.particle:
        opening += f" {clause.particle}"
    by = f"by {lowered(subject, clause.tokens)}"
    others = _others(clause, thing)
    close = [part.text for part in objects[1:]]
    close += [text for text in others if text.startswith(("to ", "from ", "into ", "with ", "for ", "as ", "of ", "over "))]
    yield Turned(opening, (*close, by, *(text for text in others if text not in close)), clause.stop)


def _is_receiver(clause: Clause, part: Phrase) -> bool:
    """Whether a part is whom something is given: "taught Oskar the violin"."""
    return clause.tokens[part.head].dep == "dative" and not part.preposition


def _points_back(part: Phrase) -> bool:
    """Whether a part speaks of somebody who was named before it ("his sister")."""
    return not {"his", "her", "its", "their", "my", "our", "your"}.isdisjoint(part.text.lower().split())


def _be(clause: Clause, *, plural: bool) -> str | None:
    """The verb "be" of a passive, in the tense and mood of an active clause."""
    are, were = ("are", "were") if plural else ("is", "was")
    helpers = [word.lower() for word in clause.helpers]
    nots = [word for word in helpers if word in ("not", "never", "n't")]
    first = [word for word in helpers if word not in nots]
    negation = " not" if {"not", "n't"} & set(nots) else " never" if nots else ""
    if not first:
        simple = {"VBZ": are, "VBP": are, "VBD": were, "VBN": were}.get(clause.tag)
        return f"{simple}{negation}" if simple else None
    if len(first) > 1:
        return None
    (helper,) = first
    if helper in ("does", "do"):
        return f"{are}{negation}"
    if helper == "did":
        return f"{were}{negation}"
    if helper in ("has", "have"):
        return f"{'have' if plural else 'has'}{negation} been"
    if helper == "had":
        return f"had{negation} been"
    if helper in ("is", "are", "was", "were") and clause.tag == "VBG":
        return f"{are if helper in ('is', 'are') else were}{negation} being"
    if helper in ("can", "could", "may", "might", "must", "shall", "should", "will", "would", "cannot"):
        return f"{helper}{negation} be"
    return None


def _active(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "B was defeated by A in 1643" -> "A defeated" B, in 1643."""
    agent = clause.agent
    if agent is None or not clause.passive:
        return
    if agent.noun.lower() in word_set("pronouns"):
        return
    verb = _active_verb(clause, plural=is_plural(agent, clause.tokens))
    if verb is None:
        return
    opening = f"{capitalised(agent.noun)} {verb}"
    if clause.particle:
        opening += f" {clause.particle}"
    thing = lowered(subject, clause.tokens)
    thing = {"it": "it", "he": "him", "she": "her", "they": "them"}.get(thing.lower(), thing)
    yield Turned(opening, (thing, *_others(clause, agent)), clause.stop)


def _active_verb(clause: Clause, *, plural: bool) -> str | None:
    helpers = [word.lower() for word in clause.helpers]
    negated = any(word in ("not", "n't", "never") for word in helpers)
    first = [word for word in helpers if word not in ("not", "n't", "never")]
    verb, done = clause.verb, clause.tokens[clause.root].text
    if first in (["is"], ["are"]):
        if negated:
            return f"{'do' if plural else 'does'} not {verb}"
        return verb if plural else forms.third_person(verb)
    if first in (["was"], ["were"]):
        return f"did not {verb}" if negated else forms.past(verb)
    if len(first) == 2 and first[1] == "being" and not negated:
        be = ("are" if plural else "is") if first[0] in ("is", "are") else ("were" if plural else "was")
        return f"{be} {forms.continuous(verb)}"
    if len(first) == 2 and first[1] == "be":
        return f"{first[0]} {'not ' if negated else ''}{verb}"
    if len(first) == 2 and first[1] == "been":
        have = first[0] if first[0] == "had" else ("have" if plural else "has")
        return f"{have} {'not ' if negated else ''}{done}"
    return None


# The two sides of an equation


def _equation(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A is the head of B" -> "The head of B is" A; "A is married to B" -> "B is married to" A."""
    if clause.verb != "be" or clause.passive:
        return
    attribute = next((part for part in clause.complements if part.role == "attribute"), None)
    if attribute is None or clause.negated or subject.text.lower() in word_set("pronouns"):
        return
    be = " ".join([*clause.helpers, clause.tokens[clause.root].text]).lower()
    one = lowered(subject, clause.tokens)
    if _is_definite(clause, attribute):
        yield Turned(f"{capitalised(attribute.text)} {be}", (one, *_others(clause, attribute)), clause.stop)
        return
    words = attribute.text.split()
    if len(words) > 2 and " ".join(words[:2]).lower() in word_rows():
        other = attribute.text.split(maxsplit=2)[2]
        opening = f"{capitalised(other)} {be} {words[0]} {words[1]}"
        yield Turned(opening, (one, *_others(clause, attribute)), clause.stop)


def word_rows() -> frozenset[str]:
    """What is the same from both ends: "married to"."""
    return frozenset(("married to", "adjacent to", "next to", "identical to", "related to", "equal to", "similar to", "engaged to", "parallel to", "close to", "equivalent to"))  # fmt: skip


def _is_definite(clause: Clause, phrase: Phrase) -> bool:
    """Whether a phrase names the one thing that there is of it."""
    head = clause.tokens[phrase.head]
    if not head.tag.startswith("N"):
        return False
    opening = phrase.text.lower()
    if opening.startswith(("the ", "its ", "their ", "his ", "her ", "our ", "my ", "your ")):
        return " one of " not in f" {opening} "
    if head.tag in ("NNP", "NNPS"):
        return not opening.startswith(("a ", "an "))
    return "'s " in opening.split(" of ")[0] and not opening.startswith(("a ", "an "))


# What stood elsewhere put first


def _clause_moved(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "If A, B" -> "B if" A, and back: "Because A," B."""
    clauses = _clauses(clause)
    if len(clauses) != 1:
        return
    (moved,) = clauses
    if moved.kind not in ("reason", "condition", "purpose"):
        return
    whole = _plain(clause, moved)
    if moved in clause.fronted:
        yield Turned(capitalised(whole), (lowered(moved, clause.tokens),), clause.stop)
    else:
        opening = f"{capitalised(moved.text)},"
        yield Turned(opening, _said(clause, moved), clause.stop)


def _clauses(clause: Clause) -> list[Phrase]:
    return [part for part in (*clause.complements, *clause.fronted) if part.role == "clause"]


def _put_first(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A opens at nine on Mondays" -> "On Mondays," A opens at nine; "A is stored in B" -> "B is
    where" A is stored; "A was written in B" -> "B is what" A was written in.
    """
    if clause.fronted or _clauses(clause):
        return
    for part in reversed(clause.complements):
        if part.role != "adjunct":
            continue
        if part.kind in ("time", "reason") and clause.verb != "be":
            yield Turned(f"{capitalised(part.text)},", _said(clause, part), clause.stop)
        elif part.kind == "duration" and part.preposition in ("", "for"):
            yield _gapped(clause, part, "how long")
        elif part.kind == "place" and part.preposition in ("in", "at", "inside", "on"):
            yield _gapped(clause, part, "where")
        elif _is_range(part):
            continue
        elif part.preposition in ("in", "on", "at", "with", "under", "by", "behind", "without", "between", "through"):
            if (clause.verb != "be" or clause.passive) and not clause.negated:
                yield Turned(f"{capitalised(part.text)},", _said(clause, part), clause.stop)
        elif part.preposition in word_set("stranded") and part == clause.complements[-1]:
            if part.kind in ("thing", "amount", "place"):
                where = part.kind == "place" and part.preposition == "to"
                yield _gapped(clause, part, *(["where"] if where else ["what", part.preposition]))
            elif part.kind == "person":
                yield _gapped(clause, part, "who", part.preposition)


def _is_range(part: Phrase) -> bool:
    return part.preposition == "from" and " to " in part.noun or part.preposition in ("by", "for") and part.kind == "amount"


def _gapped(clause: Clause, part: Phrase, wh: str, *stranded: str) -> Turned:
    """ "B is where" A is stored."""
    be = "are" if is_plural(part, clause.tokens) and wh != "how long" else "is"
    if clause.tag == "VBD" and not clause.helpers or set(clause.helpers) & {"was", "were", "did"}:
        be = {"are": "were", "is": "was"}[be]
    if wh == "where" and be in ("was", "were"):
        be = {"were": "are", "was": "is"}[be]  # a place is still there
    return Turned(f"{capitalised(part.noun)} {be} {wh}", (*_said(clause, part), *stranded), clause.stop)


def _what(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A has B" -> "B is what" A has."""
    thing = clause.object
    if thing is None or clause.passive or clause.negated or _clauses(clause):
        return
    if thing.text.lower() in word_set("pronouns") or thing.kind in ("person", "unknown"):
        return
    if thing.text.lower().startswith("no "):
        return
    if _points_back(thing):
        return
    yield _gapped(clause, thing, "what")


def _owned(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A belongs to B" -> "B owns" A, where A is a thing and B somebody."""
    part = next((part for part in clause.complements if part.preposition == "to"), None)
    if clause.verb != "belong" or part is None or clause.helpers or subject.kind != "thing":
        return
    if not subject.text.lower().startswith("the ") or part.noun.lower().startswith("the "):
        return
    several = is_plural(part, clause.tokens)
    owns = "owned" if clause.tag == "VBD" else "own" if several else "owns"
    parts = (lowered(subject, clause.tokens), *_others(clause, part))
    yield Turned(f"{capitalised(part.noun)} {owns}", parts, clause.stop)


def _mutual(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A married B" -> "B married" A."""
    thing = clause.object
    if thing is None or clause.passive or clause.verb not in word_set("mutual_verbs"):
        return
    if is_plural(subject, clause.tokens) != is_plural(thing, clause.tokens) and not clause.helpers:
        if clause.tag != "VBD":
            return
    verb = " ".join([*clause.helpers, clause.tokens[clause.root].text])
    parts = (lowered(subject, clause.tokens), *_others(clause, thing))
    yield Turned(f"{capitalised(thing.text)} {verb}", parts, clause.stop)


def _compared(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A can run faster than B" -> "B can run slower than" A."""
    for part in clause.complements:
        words = part.text.split(" than ")
        if len(words) != 2 or clause.negated:
            continue
        degree, other = words
        opposites = antonyms().get(degree.lower(), frozenset())
        if len(opposites) != 1 or " " in degree:
            continue
        (opposite,) = opposites
        verb = " ".join([*clause.helpers, clause.tokens[clause.root].text])
        others = [text for text in _others(clause, part)]
        if others or is_plural(subject, clause.tokens) != other.endswith("s"):
            continue
        opening = f"{capitalised(other)} {verb} {opposite} than"
        yield Turned(opening, (lowered(subject, clause.tokens),), clause.stop)


def _made_up(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A consists of B and C" -> "B and C make up" A."""
    part = next((part for part in clause.complements if part.preposition == "of"), None)
    if clause.verb != "consist" or part is None or clause.helpers:
        return
    make = "made up" if clause.tag == "VBD" else "make up" if is_plural(part, clause.tokens) else "makes up"
    parts = (lowered(subject, clause.tokens), *_others(clause, part))
    yield Turned(f"{capitalised(part.noun)} {make}", parts, clause.stop)


def _reported(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A thinks that B is C" -> "B is C," A thinks."""
    part = next((part for part in clause.complements if part.role == "clause"), None)
    if part is None or clause.negated or clause.verb not in word_set("reporting_verbs"):
        return
    if len(clause.complements) > 1 or clause.fronted:
        return
    said = part.text.removeprefix("that ")
    yield Turned(f"{capitalised(said)},", _said(clause, part), clause.stop)


_KINDS = (_made_up, _owned, _mutual, _active, _passive, _equation, _clause_moved, _reported, _put_first, _what)


def _instructions(clause: Clause) -> Iterator[Turned]:
    """ "To do A, do B" -> "Do B" to do A; "Do B at C" -> "At C," do B."""
    verb = " ".join([*clause.helpers, clause.verb, *([clause.particle] if clause.particle else [])])
    if clause.fronted:
        (moved, *more) = clause.fronted
        if not more:
            parts = [part.text for part in clause.complements]
            opening = " ".join([capitalised(verb), *parts[:1]])
            yield Turned(opening, (*parts[1:], lowered(moved, clause.tokens)), clause.stop)
        return
    for part in reversed(clause.complements):
        if part.role == "clause" or (part.role == "adjunct" and part.preposition):
            others = [other.text for other in clause.complements if other != part]
            said = " ".join([verb[0].lower() + verb[1:], *others])
            yield Turned(f"{capitalised(part.text)},", (said,), clause.stop)


def _said(clause: Clause, moved: Phrase) -> tuple[str, ...]:
    """The clause without a part, subject first; its further parts may change places."""
    subject = clause.subject
    assert subject is not None
    verb = [*clause.helpers, clause.tokens[clause.root].text]
    if clause.helpers and clause.tokens[clause.root].start < _place(clause, clause.helpers[0]):
        verb = [clause.tokens[clause.root].text, *clause.helpers]
    if clause.particle:
        verb.append(clause.particle)
    return (" ".join([lowered(subject, clause.tokens), *verb]), *_others(clause, moved))


def _place(clause: Clause, word: str) -> int:
    return next((token.start for token in clause.tokens if token.text == word), 0)


def _plain(clause: Clause, moved: Phrase) -> str:
    return " ".join(_said(clause, moved))


def _others(clause: Clause, moved: Phrase) -> list[str]:
    parts = [*clause.complements, *clause.fronted]
    return [lowered(part, clause.tokens) for part in parts if part != moved]
