"""Which questions a clause answers: each with its answer, and how it is asked.

A question is asked only where the kind of what is asked for is known: nobody is "what", nothing is
"who".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from augmlx.english.clauses.asked_for import asked_for, is_none, is_vague, points, word_of_both
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.forms import third_person
from augmlx.english.clauses.parting import parted
from augmlx.english.clauses.phrase import Phrase, closed
from augmlx.english.clauses.reading import read
from augmlx.english.lexicon import either, word_set
from augmlx.english.text import CACHED_TEXTS

_SUBJECT_WORDS = {"person": "Who", "thing": "What", "place": "What"}
_FOR_ONE = {"are": "is", "were": "was", "have": "has", "do": "does"}
_TIMELY = {"time", "duration", "amount"}
_DO = {"VBZ": "does", "VBP": "do", "VBD": "did", "VBN": "did"}


class Part(NamedTuple):
    """Words of a question behind those that open it. `optional`: it may be asked without them.
    `closing`: a clause, which takes to itself whatever stands behind it.
    """

    text: str
    optional: bool = False
    closing: bool = False


class Ask(NamedTuple):
    """A question that a statement answers.

    Attributes:
        answer: as the statement says it.
        opening: the words that the question begins with.
        parts: what follows them.
        about_subject: what it asks for is what the statement is about.
    """

    answer: str
    opening: str
    parts: tuple[Part, ...]
    about_subject: bool

    @property
    def question(self) -> str:
        """The whole question, nothing left out."""
        return " ".join((self.opening, *(part.text for part in self.parts))) + "?"


# "17 lighthouses along the coast".
_COUNTED = re.compile(
    rf"(?P<number>\d\S*) (?P<noun>(?:[a-z-]+ )*[a-z-]+s) (?P<place>(?:{either('placing')}) .+)"
)


@lru_cache(maxsize=CACHED_TEXTS)
def asks(text: str) -> tuple[Ask, ...]:
    """The questions that a statement answers: about its subject first, then about what follows its
    verb, in its order.
    """
    clause = read(text)
    if clause is None or {"n't", "n’t"} & set(clause.negations):
        return ()
    if clause.tells_of_existence:
        return tuple(_about_existence(clause))
    if clause.coordinated:
        return (*_about_subject(clause), *_of_each_statement(text))
    if clause.defines:
        return tuple(_about_meaning(clause))
    return (*_about_subject(clause), *_about_parts(clause))


def _of_each_statement(text: str) -> Iterator[Ask]:
    """What is asked of each of the statements that a sentence makes, but for their subjects: "What
    does the fan draw?" of "The fan draws 35 watts and weighs 2 kg.".
    """
    for statement in parted(text):
        clause = read(statement)
        if clause is not None and not clause.coordinated:
            yield from _about_parts(clause)


# About the subject


def _about_subject(clause: Clause) -> Iterator[Ask]:
    subject = clause.subject
    if subject is None or not _can_be_asked_for(clause, subject):
        return
    if not any(_tells_apart(clause, part) for part in _told(clause.parts)):
        return
    if clause.verb == "have" and any(map(is_none, clause.complements)):
        return  # "Who has no children?"
    word = word_of_both(clause) or _SUBJECT_WORDS.get(subject.kind)
    if subject.kind == "body":
        acts = not clause.passive and clause.verb in word_set("agentive_verbs")
        word = "Who" if acts else "What"
    if clause.tokens[subject.head].lemma in word_set("gatherings"):
        word = "Who" if clause.passive or clause.verb != "be" else None
    is_plural = clause.is_plural(subject)
    if word is None or (clause.is_said_whole and (is_plural or clause.has_second_subject)):
        return
    fronted = [Part(clause.lowered(part)) for part in _told(clause.fronted)]
    answer = clause.lowered(subject)
    if clause.is_said_whole:
        yield Ask(answer, word, (Part(clause.predicate), *fronted), about_subject=True)
        return
    told = _told(clause.parts)
    telling = [part for part in told if _tells_apart(clause, part)]
    telling.sort(key=lambda part: not _has_name(clause, part))
    parts = [_as_part(clause, part, must_stay=telling[:1] == [part]) for part in told]
    opening = f"{word} {_verb_behind_who(clause, is_plural=is_plural)}"
    yield Ask(answer, opening, tuple(parts), about_subject=True)


def _told(parts: Sequence[Phrase]) -> list[Phrase]:
    """The parts that a question may say again: not "unlike the other gate"."""
    return [part for part in parts if part.preposition not in word_set("set_off")]


def _tells_apart(clause: Clause, part: Phrase) -> bool:
    """Whether a part tells of which subject the clause speaks: "What lasts three years?" might be
    about anything.
    """
    if part.preposition in word_set("quoting"):
        return False
    if _has_name(clause, part):
        return True
    if part.kind in ("time", "duration", "amount", "manner", "place"):
        is_change = part.kind == "amount" and part.preposition == "from"
        return is_change or " of " in part.text
    if part.role == "attribute" and any(map(str.isdigit, part.text)):
        return False  # "What is 240 metres long?"
    return len(part.text.split()) > 1 or part.role == "object"


def _has_name(clause: Clause, part: Phrase) -> bool:
    """Whether a name stands in a part, but for those of months and days."""
    inside = [token for token in clause.tokens if part.start <= token.start < part.end]
    return part.kind != "time" and any(token.tag in ("NNP", "NNPS") for token in inside)


def _can_be_asked_for(clause: Clause, subject: Phrase) -> bool:
    """Whether a subject is something definite, of which the rest of the clause does not speak
    again.
    """
    first = subject.text.split()[0].lower()
    if points(subject) or first in word_set("quantifying"):
        return False
    behind = clause.text[subject.end :].lower().split()
    if word_set("pointing_back_to_one") & set(behind):
        return False
    if subject.kind != "person" and "their" in behind:
        return False  # "What gets their badge?"
    attribute = clause.attribute
    is_named = attribute is not None and clause.tokens[attribute.head].tag == "NNP"
    if clause.adverbs and clause.verb == "be" and is_named:
        return False  # "Who is currently Ada Voss?"
    are_several = attribute and clause.tokens[attribute.head].tag == "NNS"
    return not (are_several and attribute and clause.is_plural(attribute))  # "What is insects?"


def _verb_behind_who(clause: Clause, *, is_plural: bool) -> str:
    """The verb group as it stands behind "who" or "what", which are one."""
    words = clause.group
    adverbs = [] if clause.auxiliaries or clause.verb == "be" else clause.adverbs
    if adverbs:  # "usually close"
        words = words[len(adverbs) :]
    first = _FOR_ONE.get(words[0], words[0])
    if is_plural or first != words[0]:  # "Staff are entitled to it."
        is_bare = not clause.helpers or adverbs
        is_plain = is_bare and clause.tag in ("VB", "VBP") and first == words[0]
        words = [third_person(clause.verb) if is_plain else first, *words[1:]]
    return " ".join([*adverbs, *words])


def _about_existence(clause: Clause) -> Iterator[Ask]:
    """ "There are 17 lighthouses along the coast."."""
    said = clause.text[clause.tokens[clause.root].end :].strip().rstrip(".!")
    match = _COUNTED.fullmatch(said)
    if match and not clause.helpers:
        opening = f"How many {match['noun']} {clause.verb_text} there"
        yield Ask(match["number"], opening, (Part(match["place"]),), about_subject=False)


def _about_meaning(clause: Clause) -> Iterator[Ask]:
    """ "What does leave mean?", which all that stands behind the verb answers."""
    if len(clause.complements) == 1:
        yield from _about_subject(clause)
    inverted = _inverted(clause)
    if inverted is not None:
        meaning = clause.text[clause.tokens[clause.root].end :].strip().rstrip(".!")
        parts = [Part(clause.verb), *(Part(clause.lowered(p)) for p in _told(clause.fronted))]
        yield Ask(meaning, f"What {inverted[0]}", tuple(parts), about_subject=False)


# About its other parts


def _about_parts(clause: Clause) -> Iterator[Ask]:
    inverted = _inverted(clause)
    if inverted is None or clause.is_narrowed or clause.is_fixed:
        return
    opening, verb = inverted
    for part in clause.parts:
        asked = asked_for(clause, part)
        if asked is None:
            continue
        # "On Thursdays" and "until 18:30" belong together: one is not asked for without the other.
        if any(map(_is_open, clause.others(part))):
            continue
        others = [
            (other, _as_part(clause, other, must_stay={part.kind, other.kind} <= _TIMELY))
            for other in _told(clause.others(part))
        ]
        fronted = [said for other, said in others if other in clause.fronted]
        before = [said for other, said in others if clause.follows(other, before=part)]
        behind = [said for _, said in others if said not in (*before, *fronted)]
        if asked.stranded:  # it closes what follows the verb, so that nothing may have to follow
            if not all(said.optional for said in behind):
                continue
            before = [said for other, said in others if _stays(clause, other, said, asked=part)]
            behind = [Part(asked.stranded)]
        rest = [Part(asked.rest)] if asked.rest else []
        parts = [*([Part(verb)] if verb else []), *before, *rest, *behind, *fronted]
        yield Ask(asked.answer, f"{asked.word} {opening}", tuple(parts), about_subject=False)


def _is_open(part: Phrase) -> bool:
    """Whether a part is a pronoun of which nobody knows what it stands for: "sold it"."""
    return part.role == "object" and part.text.lower() in word_set("standing_open")


def _stays(clause: Clause, part: Phrase, said: Part, *, asked: Phrase) -> bool:
    """Whether a part stays between the verb and the preposition of what is asked for: nobody says
    "Who was it signed in 1742 by?".
    """
    is_circumstance = said.optional and part.kind in ("time", "duration", "place")
    return clause.follows(part, before=asked) and not is_circumstance


def _as_part(clause: Clause, part: Phrase, *, must_stay: bool = False) -> Part:
    """A part as a question says it. A circumstance may be left out, unless that would make more of
    what is said than is: where it is denied, or said of none or of all.
    """
    text = clause.lowered(part)
    subject = clause.subject
    is_bounded = subject is not None and subject.text.split()[0].lower() in word_set("quantifying")
    is_clause = part.role == "clause"
    is_frame = part in clause.fronted and part.kind == "thing"  # "In sailing, ..."
    is_pair = clause.verb in word_set("pairing_verbs") and part.preposition in ("with", "to")
    if must_stay or is_pair or is_bounded or is_frame or clause.negations:
        return Part(text, closing=is_clause)
    is_reason = is_clause and part.kind == "reason"
    is_circumstance = part.role == "adjunct" and (
        part.kind in ("time", "place", "body", "duration")
        or (part.preposition in word_set("left_out") and part.kind != "unknown")
    )
    return Part(text, is_reason or is_circumstance or part.role == "agent", is_clause)


def _inverted(clause: Clause) -> tuple[str, str] | None:
    """(auxiliary and subject, the verb behind them) of a question that is not about the subject."""
    if clause.subject is None:
        is_telling = not clause.helpers and len(clause.parts) > 1
        return (f"should you {clause.verb}", clause.particle) if is_telling else None
    speaks = clause.subject.text.lower() in word_set("speaking_pronouns")
    if is_vague(clause.subject) and not speaks:  # "Where was it built?"
        return None
    subject = closed(clause.lowered(clause.subject))
    particle = [clause.particle] if clause.particle else []
    between = [*clause.negations, *clause.adverbs]
    if clause.auxiliaries:
        first, *rest = clause.auxiliaries
        return f"{first} {subject}", " ".join([*between, *rest, clause.verb_text, *particle])
    if clause.verb == "be":
        return f"{clause.verb_text.lower()} {subject}", " ".join(between)
    do = _DO.get(clause.tag)
    if do is None:
        return None
    return f"{do} {subject}", " ".join([*between, clause.verb, *particle])
