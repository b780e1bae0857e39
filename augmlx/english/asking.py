"""Which questions a clause answers: each with its answer, and how it is asked.

A question is a list of parts, the words that open it first; a part that is optional tells more than
is needed to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from augmlx.english.clause import Clause, Phrase, capitalised, is_plural, lowered, read
from augmlx.english.forms import third_person
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS


class Ask(NamedTuple):
    """A question that a statement answers.

    Attributes:
        answer: as the statement says it.
        opening: the words that the question begins with.
        parts: what follows them, in order; a part may be said or left out where it is optional.
        optional: which parts those are.
        end: "subject", or where the answer stands in the statement.
    """

    answer: str
    opening: str
    parts: tuple[str, ...]
    optional: tuple[bool, ...]
    about_subject: bool

    @property
    def question(self) -> str:
        """The whole question, nothing left out."""
        return " ".join((self.opening, *self.parts)) + "?"

    @property
    def shortest(self) -> str:
        """The question without what may be left out."""
        kept = [part for part, left in zip(self.parts, self.optional, strict=True) if not left]
        return " ".join((self.opening, *kept)) + "?"


@lru_cache(maxsize=CACHED_TEXTS)
def asks(text: str) -> tuple[Ask, ...]:
    """The questions that a statement answers: about its subject first, then about what follows its
    verb, the surest first.
    """
    clause = read(text)
    if clause is None or {"n't", "’t"} & set(clause.helpers):
        return ()
    if clause.subject and clause.subject.text == "There":
        return tuple(_about_existence(clause))
    if clause.coordinated:
        return tuple(_about_subject(clause))
    return (*_about_subject(clause), *_about_complements(clause))


def _about_existence(clause: Clause) -> Iterator[Ask]:
    """ "There are 17 lighthouses along the coast."."""
    thing = next((part for part in clause.complements if part.role in ("attribute", "object")), None)
    places = [part for part in clause.complements if part != thing]
    if thing is None or clause.helpers or not places:
        return
    be = clause.tokens[clause.root].text
    number, _, noun = thing.text.partition(" ")
    rest = [(part.text, False) for part in places]
    if clause.tokens[thing.head].tag == "NNS" and re.match(r"\d", number):
        yield _ask(number, f"How many {noun} {be} there", rest, False)
    elif thing.kind == "thing":
        yield _ask(thing.text, f"What {'is' if be == 'are' else be} there", rest, False)


def _about_subject(clause: Clause) -> Iterator[Ask]:
    subject = clause.subject
    if subject is None or _is_vague(subject):
        return
    if subject.text.split()[0].lower() in word_set("quantifying"):
        return
    wh = {"person": "Who", "thing": "What", "place": "What"}.get(subject.kind)
    plural = is_plural(subject, clause.tokens)
    behind = f" {clause.text[subject.end :].lower()} "
    if any(f" {word} " in behind for word in ("his", "her", "its")):
        return
    attribute = next((part for part in clause.complements if part.role == "attribute"), None)
    if attribute and clause.tokens[attribute.head].tag == "NNS" and is_plural(attribute, clause.tokens):
        return
    if wh is None or (plural and clause.coordinated):
        return
    fronted = [(lowered(part, clause.tokens), False) for part in clause.fronted]
    if clause.coordinated:
        predicate = clause.text[subject.end :].strip().rstrip(".!")
        yield _ask(lowered(subject, clause.tokens), wh, [(predicate, False), *fronted], True)
        return
    parts = [(lowered(part, clause.tokens), False) for part in clause.complements]
    opening = f"{wh} {_verb_behind(clause, plural=plural)}"
    yield _ask(lowered(subject, clause.tokens), opening, [*parts, *fronted], True)


def _verb_behind(clause: Clause, *, plural: bool) -> str:
    """The verb group as it stands behind "who" or "what"."""
    words = [*clause.helpers, clause.tokens[clause.root].text]
    if clause.helpers and clause.tokens[clause.root].start < _start_of(clause, clause.helpers[-1]):
        words = [clause.tokens[clause.root].text, *clause.helpers]
    if plural:
        first = {"are": "is", "were": "was", "have": "has", "do": "does"}.get(words[0], words[0])
        is_simple = len(words) == 1 and clause.tag == "VBP" and first == words[0]
        words[0] = third_person(clause.verb) if is_simple else first
    return " ".join([*words, *_particle(clause)])


def _start_of(clause: Clause, word: str) -> int:
    return next((token.start for token in clause.tokens if token.text == word), 0)


def _about_complements(clause: Clause) -> Iterator[Ask]:
    found = []
    for part in (*clause.complements, *clause.fronted):
        for wh, answer, stranded in _question_words(clause, part):
            found.append((part, wh, answer, stranded))
    for part, wh, answer, stranded in found:
        body = _inverted(clause)
        if body is None:
            return
        opening, verb = body
        others = [(text, _is_optional(other)) for other, text in _others(clause, part)]
        lead: list[tuple[str, bool]] = [(verb, False)] if verb else []
        behind = [(stranded, False)] if stranded else []
        # A preposition that is left behind stands where its noun stood.
        before = [o for o, (other, _) in zip(others, _others(clause, part), strict=True) if other.start < part.start]
        after = [o for o, (other, _) in zip(others, _others(clause, part), strict=True) if other.start > part.start]
        if stranded:  # it ends its question
            if not all(optional for _, optional in after):
                continue
            after = []
        yield _ask(answer, f"{wh} {opening}", [*lead, *before, *behind, *after], False)


def _question_words(clause: Clause, part: Phrase) -> Iterator[tuple[str, str, str]]:
    """(question word, answer, preposition left behind) for each way to ask for a part."""
    preposition = part.preposition
    noun = part.noun
    if part.kind == "reason" and part.role == "adjunct":
        yield "Why", lowered(part, clause.tokens), ""
        return
    if part.role == "attribute" and clause.verb == "be" and (how := _measured(clause, part)):
        yield how[0], how[1], ""
        return
    if part.role == "clause":
        if part.kind == "reason" and preposition == "because":
            yield "Why", lowered(part, clause.tokens), ""
        elif part.kind == "condition" and preposition in ("if", "when"):
            yield "When", lowered(part, clause.tokens), ""
        return
    if part.role == "adjunct" and not preposition and part.kind not in ("time", "duration"):
        return
    if part.role == "attribute" and clause.tokens[part.head].tag.startswith(("JJ", "VB", "RB", "IN")):
        return
    if _is_vague(part) or preposition == "as" or noun.lower().startswith(("no ", "not ")):
        return
    if part.role == "attribute" and clause.helpers:
        return
    if preposition in ("from", "between") and re.search(r" (?:to|and) ", noun):
        return
    if part.kind == "time" and part.text.lower().startswith(("every ", "each ")):
        yield "How often", lowered(part, clause.tokens), ""
        return
    if part.kind == "duration" and preposition in ("for", ""):
        if clause.verb not in ("have", "receive", "get", "be", "require", "need", "offer", "give", "take"):
            yield "How long", part.text if not preposition else noun, ""
            return
        if part.role != "object":
            return
    if part.kind == "time" and part.role == "adjunct":
        if preposition in ("in", "within") and clause.tokens[part.head].tag == "NNS":
            return
        if preposition == "after" and clause.tokens[part.head].tag == "NNS":
            yield "After how long", noun, ""
        if preposition in ("in", "on", "at", ""):
            yield "When", lowered(part, clause.tokens), ""
        elif preposition in ("until", "since", "till"):
            yield f"{capitalised(preposition)} when", part.noun, ""
        return
    if part.kind == "place" and preposition in ("in", "at", "on", "near", "inside", "outside"):
        yield "Where", lowered(part, clause.tokens), ""
        return
    if part.kind == "amount" and clause.verb == "cost":
        yield "How much", noun, ""
        return
    if part.kind == "person":
        yield "Who", noun, "" if part.role in ("object", "attribute") else _of(part)
        return
    if part.role in ("object", "attribute") and part.kind in ("thing", "amount", "place", "duration"):
        yield "What", noun, ""
        return
    if part.role == "agent" and part.kind == "thing":
        yield "What", noun, "by"
    elif part.role == "adjunct" and part.kind in ("thing", "place", "amount") and preposition in (
        "of", "from", "with", "by", "about", "to", "into", "through", "behind", "under", "than",
        "against", "for", "at", "in", "on", "as", "over", "across",
    ):  # fmt: skip
        yield "What", noun, preposition


def _measured(clause: Clause, part: Phrase) -> tuple[str, str] | None:
    """("How long", "240 metres") of "240 metres long"."""
    words = part.text.split()
    measures = ("long", "tall", "high", "wide", "deep", "old", "thick", "heavy")
    if len(words) < 3 or words[-1] not in measures or not re.match(r"\d|[a-z]+$", words[0]):
        return None
    if not any(clause.tokens[n].dep == "nummod" for n in range(len(clause.tokens))):
        return None
    return f"How {words[-1]}", " ".join(words[:-1])


def _of(part: Phrase) -> str:
    return part.preposition


def _inverted(clause: Clause) -> tuple[str, str] | None:
    """(auxiliary and subject, the verb behind them) of a question that is not about the subject."""
    if clause.subject is None:
        if clause.helpers or not (len(clause.complements) + len(clause.fronted) > 1):
            return None
        return f"should you {clause.verb}", clause.particle
    if _is_vague(clause.subject) and clause.subject.text.lower() not in ("it", "he", "she", "they", "we", "you"):
        return None
    subject = lowered(clause.subject, clause.tokens)
    if subject == "It":
        subject = "it"
    root = clause.tokens[clause.root].text
    nots = [word for word in clause.helpers if word in ("not", "never", "n't")]
    auxiliaries = [word for word in clause.helpers if word not in nots]
    if auxiliaries:
        first, *rest = auxiliaries
        return f"{first.lower()} {subject}", " ".join([*nots, *rest, root, *_particle(clause)])
    if clause.verb == "be":
        return f"{root.lower()} {subject}", " ".join(nots)
    do = {"VBZ": "does", "VBP": "do", "VBD": "did", "VBN": "did"}.get(clause.tag)
    if do is None:
        return None
    return f"{do} {subject}", " ".join([*nots, clause.verb, *_particle(clause)])


def _particle(clause: Clause) -> list[str]:
    return [clause.particle] if clause.particle else []


def _others(clause: Clause, asked: Phrase) -> list[tuple[Phrase, str]]:
    """Every other part, as it stands within a sentence."""
    parts = [*clause.complements, *clause.fronted]
    return [(part, lowered(part, clause.tokens)) for part in parts if part != asked]


def _is_optional(part: Phrase) -> bool:
    """Whether a part may be left out of a question: it says when, where or under what further
    circumstance."""
    return part.role == "adjunct" and part.kind in ("time", "place") and bool(part.preposition)


def _is_vague(phrase: Phrase) -> bool:
    return phrase.text.lower() in ("it", "he", "she", "they", "this", "that", "these", "those", "we", "you", "i", "them", "him", "her", "there", "one")  # fmt: skip


def _ask(
    answer: str, opening: str, parts: list[tuple[str, bool]], about_subject: bool
) -> Ask:
    texts = tuple(text for text, _ in parts)
    return Ask(answer, opening, texts, tuple(flag for _, flag in parts), about_subject)
