"""Reading a sentence into a form: English, one plain statement, or nothing.

Precision before recall: a word that no pattern has a place for, a second clause, a bare plural
("Glons are femps"), a quantified comparison: each means None.
"""

from __future__ import annotations

import re
from functools import lru_cache

from augmlx.english.logic.clauses import clause
from augmlx.english.logic.phrases import noun
from augmlx.english.logic.relations import relation
from augmlx.english.logic.statement import Form, particular, universal
from augmlx.english.text import sentences, spelt_out

_CACHED = 8192
_LONGEST = 300
_CUT_OFF = re.compile(r"\b(?:can't|won't)(?!\w)", re.I)
_WHOLE = {"can't": "cannot", "won't": "will not"}
_QUANTIFIERS = frozenset(
    "all every each any no some not anything everything anyone everyone".split()
)


@lru_cache(maxsize=_CACHED)
def parse(text: str) -> Form | None:
    """The form of a one-sentence English statement of a known pattern; None for anything else, or
    when unsure.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or len(text.splitlines()) > 1:
        return None
    body = text.replace("’", "'")
    if "'" in body:
        body = spelt_out(_CUT_OFF.sub(lambda found: _WHOLE[found[0].lower()], body))
    body = " ".join(body.split()).removesuffix(".").rstrip()
    if "." in body and sentences(text) > 1:
        return None
    opening = body.partition(" ")[0].casefold()
    if opening == "if":
        return _conditional(body)
    if opening in _QUANTIFIERS:
        return _categorical(body)
    return relation(body)


_PLURAL = re.compile(r"(all|no|some|not all) (.+?) are (not )?(.+)", re.I)
_SINGULAR = re.compile(r"(every|each|any|no|some|not every) (.+?) is (not )?an? (.+)", re.I)
_WHATEVER = re.compile(
    r"(?:any|every)(?:thing|one) (?:that|who) is (not )?an? (.+?) is (not )?an? (.+)", re.I
)


def _categorical(body: str) -> Form | None:
    if found := _WHATEVER.fullmatch(body):
        first, last = noun(found[2]), noun(found[4])
        if first is None or last is None or first.key == last.key:
            return None
        return universal(-first if found[1] else first, -last if found[3] else last)
    found, plural = _PLURAL.fullmatch(body), True
    if found is None:
        found, plural = _SINGULAR.fullmatch(body), False
    if found is None:
        return None
    first, last = noun(found[2], plural=plural), noun(found[4], plural=plural)
    if first is None or last is None or first.key == last.key:
        return None
    quantifier = found[1].casefold()
    if quantifier == "some":
        return particular(first, -last if found[3] else last)
    if found[3]:
        return None  # "all A are not B" says two things
    if quantifier.startswith("not "):
        return particular(first, -last)
    return universal(first, -last if quantifier == "no" else last)


_IF = re.compile(r"[Ii]f ([^,]+), (?:then )?([^,]+)")


def _conditional(body: str) -> Form | None:
    found = _IF.fullmatch(body)
    if found is None:
        return None
    first, second = clause(found[1]), clause(found[2])
    if first is None or second is None or first.key == second.key:
        return None
    return Form("if", (first, second))
