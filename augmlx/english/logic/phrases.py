"""What can stand in a statement: nouns and things. None where it is not sure that a phrase is one.

What a noun is cannot be known for invented words, so these go by the marks that English leaves: an
article, a plural, a capital; and by the words that never stand in a noun phrase.
"""

from __future__ import annotations

import re
from functools import lru_cache

from augmlx.english.logic.statement import Term
from augmlx.english.logic.words import is_plural, listed, noun_key
from augmlx.english.text import STOPWORDS, entities

TOKEN = re.compile(r"[^\W_][\w'&/-]*\.?(?:[^\W_][\w'&/-]*\.?)*")
_NOUN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@lru_cache(maxsize=1)
def _never() -> frozenset[str]:
    return (STOPWORDS | listed("never")) - {"of"}


def is_content(word: str) -> bool:
    """Whether a word can stand in a noun phrase: no function word, adverb or verb of a clause."""
    low = word.casefold()
    return low not in _never() and not (low.endswith("ly") and low not in listed("not_adverbs"))


def noun(text: str, *, plural: bool = False) -> Term | None:
    """A noun of one to four words without article, perhaps "non-..."; its last word carries the
    number.
    """
    negated = text[:4].casefold() == "non-"
    text = text[4:] if negated else text
    each = text.split(" ")
    if len(each) > 4 or not all(
        _NOUN.fullmatch(word) and is_content(word) and word != "of" for word in each
    ):
        return None
    if (plural and not is_plural(each[-1])) or any(participle(word) for word in each[:-1]):
        return None
    return Term(noun_key(text, plural=plural), text, plural, negated)


def participle(word: str) -> bool:
    """ "All wugs are eating daxes": before a noun nobody can tell it from a verb."""
    return word.endswith(("ing", "ed")) and len(word) > 4 and not word.endswith("eed")


def thing(text: str) -> Term | None:
    """One definite thing: a name, "the ..." or "Ana's ...", perhaps with "of" and another."""
    text = text[0].lower() + text[1:] if text[:4] == "The " else text
    for part in text.split(" of "):
        if not _definite(part):
            return None
    key = text.casefold().removeprefix("the ")
    return None if text.casefold() in listed("nationalities") else Term(key, text)


def _definite(part: str) -> bool:
    each = part.removeprefix("the ").split(" ")
    known = part.startswith("the ")  # an article or an owner makes lower-case words definite
    lower = False
    if len(each) > 6 or each[-1].endswith(("'s", "s'")):
        return False
    if not known and not is_content(each[0]) and (len(each) == 1 or each[0] not in ("Will", "May")):
        return False
    for word in each:
        if not TOKEN.fullmatch(word) or word == "of":
            return False
        if word[0].isupper() or word[0].isdigit():
            if lower:
                return _is_name(part)  # else "the king thinks Ana"
        elif not known or not is_content(word):
            return _is_name(part)
        else:
            lower = True
        known = known or word.endswith(("'s", "s'"))
    return not (lower and each[-1].endswith("ed") and participle(each[-1]))


def _is_name(part: str) -> bool:
    """Whether it is one name with particles ("Ana de la Cruz")."""
    found = entities(part)
    return len(found) == 1 and found[0].text == part


def generic(text: str) -> Term | None:
    """Things of a kind or a stuff, as one of the two that are compared: "femps", "old femps",
    "water".
    """
    text = text[:1].lower() + text[1:]
    each = text.split(" ")
    if not all(
        _NOUN.fullmatch(word) and word.islower() and is_content(word) and word != "of"
        for word in each
    ):
        return None
    if (
        len(each) > 3
        or (len(each) > 1 and not is_plural(each[-1]))
        or any(participle(word) for word in each)
    ):
        return None
    return Term(text, text)
