"""What a sentence says in plain words, where more stands around it: "Known for being the founder of
Orrin Mills, Ada Voss now enjoys a quiet life." says that "Ada Voss is the founder of Orrin Mills.".

Only what leaves no doubt is taken out (`wrappings.py`), and only where it can be read whole. What
else the sentence says of the name is taken where it names somebody or something, too ("Ada Voss
lives in Dunmore."); what does not may be filler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from augmlx.english.clauses import forms
from augmlx.english.clauses.asked_for import word_of_both
from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import SUBJECTS, Phrase, capitalised, children, span_of
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.reversing import reversals
from augmlx.english.clauses.tokens import Token, parse
from augmlx.english.clauses.wrappings import Wrapped, wrapped
from augmlx.english.lexicon import NEGATIONS, STOPWORDS, rows, word_set
from augmlx.english.names import entities, is_number
from augmlx.english.text import CACHED_TEXTS, Mention, opens_sentence, spelt_out
from augmlx.english.text import words as words_of

_LONGEST = 400  # characters of what is looked into
# A stop or comma within the quotation marks of a title, before more of the sentence.
_INNER_STOP = re.compile(r"([.,])([\"”])(?=\s*[.,!?]|\s+[a-z]|$)")
_DASHED = re.compile(r"\s[-–—]\s(the\s[^-–—]+?)\s[-–—]\s")
_BRACKETED = re.compile(r"\s\((the\s[^()]+)\)(?=\s)")
_STOPS = re.compile(r"[\s.!?]+$")
_DIGIT = re.compile(r"\d")


@lru_cache(maxsize=CACHED_TEXTS)
def gists(text: str) -> tuple[str, ...]:
    """The plain statements in a wrapped one, the one that is wrapped first; none where it is plain
    itself, or nothing is sure.
    """
    if len(text) > _LONGEST:
        return ()
    tidy = _tidied(text)
    for way in wrapped(tidy, list(_names(tidy))):
        is_plain = way.is_bare and read(text) is not None
        if not is_plain and _is_sure(way.around) and (gist := _gist(way)):
            return (gist, *_besides(way))
    return ()


def _tidied(text: str) -> str:
    """A text with commas for dashes and brackets around an apposition, no stop within the quotation
    marks of a title, and none at its end.
    """
    text = _BRACKETED.sub(r", \1,", _DASHED.sub(r", \1, ", text))
    return _STOPS.sub("", _INNER_STOP.sub(_outside, text))


def _outside(found: re.Match[str]) -> str:
    """The stop behind its quotation mark; a full stop goes, for the title ends no sentence."""
    return found[2] + ("," if found[1] == "," else "")


def _names(text: str) -> Iterator[Mention]:
    """The names of a text, two that are joined by "&" as one."""
    pending: Mention | None = None
    for mention in entities(text):
        if pending and text[pending.end : mention.start] == " & ":
            pending = Mention(text[pending.start : mention.end], pending.start, mention.end)
            continue
        if pending:
            yield pending
        pending = None if is_number(mention.text) else mention
    if pending:
        yield pending


# Whether it is sure


def _is_sure(around: str) -> bool:
    """Whether the words around leave no doubt, name nobody else, and bind it to no time."""
    plain = around.lower().replace("’", "'")
    for phrase in rows("beyond_doubt"):
        plain = plain.replace(phrase, " ")
    words = re.findall(r"[\w']+", plain)
    if word_set("doubting") & set(words) or _is_of_a_time(around, words):
        return False
    last = re.split(r"[,.;:?!]", plain)[-1]
    is_denied = NEGATIONS & set(re.findall(r"\w+", spelt_out(last)))
    return not (is_denied and not plain.endswith("about")) and not _names_another(around)


def _is_of_a_time(around: str, words: Sequence[str]) -> bool:
    times = word_set("times") | word_set("durations")
    named = any(word in times or word.removesuffix("s") in times for word in words)
    return named or _DIGIT.search(around) is not None


def _names_another(around: str) -> bool:
    """Whether somebody or something else is named, who may be meant by a pronoun."""
    for word in words_of(around):
        if word.text[0].isupper() and word.text != "I":
            is_first = opens_sentence(around, word.start)
            if not is_first or not _is_common(word.text.lower()):
                return True
    return False


def _is_common(word: str) -> bool:
    """Whether an opening word is known to be no name."""
    is_of_grammar = word in STOPWORDS | word_set("opening_words")
    return len(word) == 1 or is_of_grammar or forms.is_known(word)


# What is said


def _gist(way: Wrapped) -> str | None:
    """The plain statement, where it can be read whole and there is something to make of it."""
    clause = _clause(way.name, way.predicate)
    if clause is None or not _is_bounded(way):
        return None
    attribute = clause.attribute
    if clause.verb == "be":
        if attribute is None or not _can_be(clause, attribute):
            return None
        if way.is_loose and _is_person(clause) and not word_of_both(clause):
            return None
        if clause.verb_text == "is" and any(part.kind == "time" for part in clause.parts):
            return None
        if any(part.role == "clause" for part in clause.parts):
            clause = _clause(way.name, f"{clause.verb_text} {attribute.text}")
    if clause is None or not (reversals(clause.text) or asks(clause.text)):
        return None
    return clause.text


def _clause(name: str, predicate: str) -> Clause | None:
    """A name and what is said of it, where that can be read whole."""
    clause = read(f"{capitalised(name)} {predicate}.")
    if clause is None or clause.coordinated or clause.subject is None:
        return None
    is_finite = bool(clause.auxiliaries) or _is_finite(clause.tokens[clause.root])
    return clause if is_finite and clause.subject.text == capitalised(name) else None


def _is_finite(verb: Token) -> bool:
    """Whether a form is that of a present or a past: not "known"."""
    form, first = verb.text.lower(), verb.lemma
    return form == "was" or form in (forms.past(first), forms.third_person(first))


def _is_person(clause: Clause) -> bool:
    return clause.subject is not None and clause.subject.kind == "person"


def _can_be(clause: Clause, attribute: Phrase) -> bool:
    """Whether what a name is said to be is one thing, and no name or time."""
    head = clause.tokens[attribute.head]
    if clause.is_plural(attribute) or head.tag in ("NNP", "NNPS"):
        return False
    words = attribute.text.lower().split()
    if len(words) < 3 or words[-1] in word_set("relative_pronouns"):  # "the company"
        return False
    if attribute.kind in ("time", "duration", "amount", "reason"):
        return False
    return not word_set("object_pronouns") & set(words)


def _is_bounded(way: Wrapped) -> bool:
    """Whether what is said of the name ends where the rest of the sentence begins."""
    if way.rest:
        return _goes_on(way.name, way.rest)
    _, *behind_commas = way.predicate.split(", ")
    return not any(_goes_on(way.name, f" {words}") for words in behind_commas)


def _goes_on(name: str, rest: str) -> bool:
    """Whether a name is the subject of what stands behind it."""
    tokens = parse(f"{capitalised(name)}{rest}")
    for place, token in enumerate(tokens):
        root = tokens[token.head]
        if token.dep not in SUBJECTS or root.dep != "ROOT":
            continue
        helpers = [n for n in children(tokens, token.head) if tokens[n].dep.startswith("aux")]
        if helpers or _is_finite(root):
            span = span_of(tokens, place)
            return span is not None and tokens[span.last].end == len(name)
    return False


def _besides(way: Wrapped) -> Iterator[str]:
    """What is said of the name besides, where every part of it names something or counts."""
    clause = _clause(way.name, way.rest.strip()) if way.rest else None
    if clause is None or not clause.parts:
        return
    if all(re.search(r"[A-Z\d]", part.text) for part in clause.parts):
        yield clause.text
