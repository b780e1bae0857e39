"""The phrases of a sentence: runs of words that belong to one head, whole and as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from augmlx.english.clauses.forms import is_known, is_plural_noun
from augmlx.english.clauses.tokens import Token
from augmlx.english.lexicon import DETERMINERS, word_set

Role = Literal["subject", "object", "attribute", "agent", "adjunct", "clause"]
Kind = Literal[
    "person",
    "body",
    "thing",
    "place",
    "time",
    "duration",
    "amount",
    "reason",
    "condition",
    "purpose",
    "manner",
    "unknown",
]
Tokens = tuple[Token, ...]

SUBJECTS = {"nsubj", "csubj", "nsubjpass", "csubjpass"}
OBJECTS = {"dobj", "obj"}
ATTRIBUTES = {"attr", "acomp", "oprd"}
CLAUSES = {"advcl", "ccomp", "xcomp"}
PARTS = OBJECTS | ATTRIBUTES | CLAUSES | {"prep", "npadvmod", "advmod", "dative", "agent"}

_AROUND = set(",;:-.!?")  # punctuation that is no part of a phrase


class Span(NamedTuple):
    """Neighbouring words with their head, as places among the tokens of a sentence.

    Attributes:
        first, last: the places of its first and last word.
        top: the place of the word that all others depend on.
        head: the place of the word that names it: behind a preposition its noun.
        preposition: what opens it ("in", "if"), or "".
        noun_first: the place of the first word behind the preposition.
    """

    first: int
    last: int
    top: int
    head: int
    preposition: str
    noun_first: int


class Phrase(NamedTuple):
    """A part of a clause.

    Attributes:
        text: as it stands, without the punctuation around it.
        start, end: where it stands in the sentence.
        role: what it is to the verb.
        kind: what it names, as far as that can be told.
        preposition: what opens it ("in", "if"), or "".
        noun: it without its preposition.
        head: the place of the word that names it among the tokens.
    """

    text: str
    start: int
    end: int
    role: Role
    kind: Kind
    preposition: str
    noun: str
    head: int


def span_of(tokens: Tokens, place: int) -> Span | None:
    """The whole phrase of a token: all that depends on it. None where that is punctuation alone."""
    members = subtree(tokens, place)
    return span_between(tokens, members[0], members[-1], place)


def span_between(tokens: Tokens, first: int, last: int, top: int) -> Span | None:
    """The words from one place to another, without the punctuation at either end."""
    while first <= last and _is_punctuation(tokens[first]):
        first += 1
    while first <= last and _is_punctuation(tokens[last]):
        last -= 1
    if first > last:
        return None
    opening = _opening(tokens, first, last, top)
    if opening is None:
        return Span(first, last, top, top, "", first)
    preposition, head, noun_first = opening
    return Span(first, last, top, head, preposition, noun_first)


def phrase(tokens: Tokens, span: Span, role: Role, kind: Kind) -> Phrase:
    """A span as a part of its clause."""
    start, end = tokens[span.first].start, tokens[span.last].end
    return Phrase(
        text=text_between(tokens, span.first, span.last),
        start=start,
        end=end,
        role=role,
        kind=kind,
        preposition=span.preposition,
        noun=text_between(tokens, span.noun_first, span.last),
        head=span.head,
    )


def text_between(tokens: Tokens, first: int, last: int) -> str:
    """The words from one place to another as they stand, with the spaces between them."""
    words = [tokens[first].text]
    for before, token in zip(tokens[first:last], tokens[first + 1 : last + 1], strict=True):
        words += [" " * (token.start - before.end), token.text]
    return "".join(words)


def subtree(tokens: Tokens, place: int) -> list[int]:
    """The places from the first to the last word that depends on a token, itself among them."""
    members = {place}
    while more := {n for n, token in enumerate(tokens) if token.head in members} - members:
        members |= more
    return list(range(min(members), max(members) + 1))


def children(tokens: Tokens, place: int) -> list[int]:
    """The places of the words that depend on a token directly."""
    return [n for n, token in enumerate(tokens) if token.head == place and n != place]


def lowered(part: Phrase, tokens: Tokens) -> str:
    """A phrase as it stands within a sentence: without the capital of its opening word where it
    opens the sentence, unless that is a name's ("Pelican 4").
    """
    if part.start > 0:
        return part.text
    first = next(token for token in tokens if token.start >= part.start)
    is_title = ": " in part.text  # "The Glass Ferry: A History"
    head = tokens[part.head]
    is_name = first.tag in ("JJ", "NNP") and (head.tag == "CD" or head is first)
    is_numbered = is_name and re.match(r"\w+ \d", part.text)
    return (
        part.text
        if is_title or is_numbered or _keeps_capital(first)
        else part.text[0].lower() + part.text[1:]
    )


def capitalised(text: str) -> str:
    """With a capital, where there is a single one ("ß" has none)."""
    capital = text[:1].upper()
    return capital + text[1:] if len(capital) == 1 else text


def closed(text: str) -> str:
    """A phrase before more of its sentence: with a comma behind what is inserted at its end ("Ada
    Voss, a weaver from Orrin,").
    """
    _, comma, inserted = text.rpartition(", ")
    first, *others = inserted.split() or [""]
    is_list = not {"and", "or", "&"}.isdisjoint(others)
    opens = first.lstrip("\"“‘'")[:1].isupper() or first in DETERMINERS | word_set("inserting")
    is_inserted = comma and text.count(", ") == 1 and opens and not is_list
    return f"{text}," if is_inserted else text


def is_plural(part: Phrase, tokens: Tokens) -> bool:
    """Whether a phrase names several, so that its verb is "are" and not "is"."""
    head = tokens[part.head]
    if head.text.lower() in word_set("shares_of_a_whole"):
        return any(tokens[n].tag == "NNS" for n in _said_of(tokens, part.head))
    if re.match(r"[€£$¥]", head.text):
        return False
    if head.lemma in word_set("lengths") and part.noun.lower().startswith("the "):
        return False  # "the 800 metres", a race
    below = [tokens[n] for n in children(tokens, part.head)]
    is_choice = any(token.dep == "cc" and token.text == "or" for token in below)
    if any(token.dep == "conj" for token in below) and not is_choice:
        return True
    if head.text.lower() in word_set("plural_pronouns") or head.tag == "NNS":
        return True
    return head.tag == "NNPS" and part.text[:4].lower() == "the "


def _said_of(tokens: Tokens, place: int) -> list[int]:
    """The places of the nouns behind "of" below a word."""
    behind = [n for n in children(tokens, place) if tokens[n].text == "of"]
    return [noun for n in behind for noun in children(tokens, n)]


def leaves_its_number_open(part: Phrase, tokens: Tokens) -> bool:
    """Whether a name looks as if it named several, and may name one: "the Kendal Kites"."""
    head = tokens[part.head]
    is_name = head.tag in ("NNP", "NNPS") and part.noun[:4].lower() == "the "
    return is_name and is_plural_noun(head.text.lower())


def _is_punctuation(token: Token) -> bool:
    return token.text in _AROUND


def _opening(tokens: Tokens, first: int, last: int, top: int) -> tuple[str, int, int] | None:
    """(preposition, head, first word behind it) of a phrase that one opens."""
    token = tokens[top]
    if token.dep in ("prep", "agent", "dative") and token.tag in ("IN", "TO", "VBG"):
        nouns = [n for n in children(tokens, top) if n > top]
        is_bounding = tokens[min(top + 1, last)].text.lower() in word_set("bounding")
        if not nouns or top == last or is_bounding:
            return None  # "at most three forms"
        if top > first:  # "two years before ..."
            return "", nouns[0], first
        return token.text.lower(), nouns[0], top + 1
    opens_object = tokens[first].tag in ("IN", "TO") and not is_bound(tokens[first])
    if token.dep in OBJECTS and opens_object and first < last:
        return tokens[first].text.lower(), top, first + 1
    is_clause = token.dep in ("advcl", "ccomp") and first < last
    if is_clause and tokens[first].dep in ("mark", "advmod") and tokens[first].head == top:
        return tokens[first].text.lower(), top, first + 1
    return None


def is_bound(token: Token) -> bool:
    """Whether a preposition bounds a number: "over a million", "at least 5", not "between 3 and
    5".
    """
    return token.dep in ("quantmod", "advmod") and token.text.lower() not in ("between", "from")


def _keeps_capital(first: Token) -> bool:
    """Whether the word that opens a phrase has its capital within a sentence, too."""
    word = first.text.split()[0]
    lower = word.lower()
    if lower in DETERMINERS:
        return False
    if word == "I" or not word[:1].isupper() or sum(map(str.isupper, word)) > 1:
        return True
    if first.tag == "CD":
        return False
    if first.tag in ("NNP", "NNPS"):
        opens_as_noun = first.start == 0 and first.dep in SUBJECTS and first.tag == "NNP"
        is_common = opens_as_noun and not first.entity and " " not in first.text
        return not (is_common and is_known(lower))
    return first.tag not in ("DT", "PRP$", "PRP", "IN", "TO") and not is_known(lower)


def joined(before: Phrase, behind: Phrase, head: int) -> Phrase:
    """Two phrases that stand side by side as one of the first one's kind."""
    return before._replace(
        text=f"{before.text} {behind.text}",
        noun=f"{before.noun} {behind.text}",
        end=behind.end,
        head=head,
    )


def names_in(tokens: Tokens, span: Span) -> Sequence[Token]:
    """The words of a phrase that make up the name that it is."""
    noun = tokens[span.head]
    return [
        token
        for token in tokens[span.first : span.last + 1]
        if token is noun or _belongs_to_name(tokens, token, noun)
    ]


def _belongs_to_name(tokens: Tokens, token: Token, noun: Token) -> bool:
    if tokens[token.head] is noun and token.dep in ("compound", "nmod", "amod"):
        return True
    return token.dep == "compound" and token.tag in ("NNP", "NN") and token.text[:1].isupper()
