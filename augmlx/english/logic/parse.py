"""Reading a sentence into a form: English, one plain statement, or nothing.

Precision before recall: a word that no pattern has a place for, a second clause, a bare plural
("Glons are femps"), a quantified comparison: each means None.
"""

from __future__ import annotations

import re
from functools import lru_cache

from augmlx.english.lexicon import word_set
from augmlx.english.logic.clauses import clause
from augmlx.english.logic.phrases import noun
from augmlx.english.logic.relations import relation
from augmlx.english.logic.statement import Form, particular, universal
from augmlx.english.text import sentence_count, spelt_out

_CACHED_FORMS = 8192
_LONGEST = 300  # characters of a statement
_CUT_OFF = re.compile(r"\b(?:can't|won't)(?!\w)", re.IGNORECASE)
_WHOLE = {"can't": "cannot", "won't": "will not"}


@lru_cache(maxsize=_CACHED_FORMS)
def parse(text: str) -> Form | None:
    """The form of a one-sentence English statement of a known pattern; None for anything else, or
    when unsure.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or len(text.splitlines()) > 1:
        return None
    body = _body(text)
    if "." in body and sentence_count(text) > 1:
        return None
    opening = body.partition(" ")[0].casefold()
    if opening == "if":
        return _conditional(body)
    if opening in word_set("categorical_openings"):
        return _categorical(body)
    return relation(body)


def _body(text: str) -> str:
    """A sentence without its period, straight apostrophes in it and "n't" spelt out."""
    body = text.replace("’", "'")
    if "'" in body:
        body = _CUT_OFF.sub(lambda cut_off: _WHOLE[cut_off[0].lower()], body)
        body = spelt_out(body)
    body = " ".join(body.split())
    return body.removesuffix(".").rstrip()


_PLURAL = re.compile(r"(all|no|some|not all) (.+?) are (not )?(.+)", re.IGNORECASE)
_SINGULAR = re.compile(
    r"(every|each|any|no|some|not every) (.+?) is (not )?an? (.+)", re.IGNORECASE
)
_WHATEVER = re.compile(
    r"(?:any|every)(?:thing|one) (?:that|who) is (not )?an? (.+?) is (not )?an? (.+)",
    re.IGNORECASE,
)


def _categorical(body: str) -> Form | None:
    """A statement about kinds."""
    if found := _WHATEVER.fullmatch(body):
        return _whatever(*found.groups())
    if found := _PLURAL.fullmatch(body):
        return _quantified(*found.groups(), is_plural=True)
    if found := _SINGULAR.fullmatch(body):
        return _quantified(*found.groups(), is_plural=False)
    return None


def _whatever(
    no_subject: str | None, subject: str, no_predicate: str | None, predicate: str
) -> Form | None:
    """ "Anything that is (not) an A is (not) a B"."""
    first, last = noun(subject), noun(predicate)
    if first is None or last is None or first.key == last.key:
        return None
    return universal(-first if no_subject else first, -last if no_predicate else last)


def _quantified(
    quantifier: str, subject: str, negation: str | None, predicate: str, *, is_plural: bool
) -> Form | None:
    """ "All A are B", "some A is not a B"."""
    first, last = noun(subject, plural=is_plural), noun(predicate, plural=is_plural)
    if first is None or last is None or first.key == last.key:
        return None
    quantifier = quantifier.casefold()
    if quantifier == "some":
        return particular(first, -last if negation else last)
    if negation:
        return None  # "all A are not B" says two things
    if quantifier.startswith("not "):
        return particular(first, -last)
    return universal(first, -last if quantifier == "no" else last)


_IF = re.compile(r"[Ii]f ([^,]+), (?:then )?([^,]+)")


def _conditional(body: str) -> Form | None:
    """ "If P, then Q"."""
    found = _IF.fullmatch(body)
    if found is None:
        return None
    first, second = clause(found[1]), clause(found[2])
    if first is None or second is None or first.key == second.key:
        return None
    return Form("if", (first, second))
