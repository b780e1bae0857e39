"""What can stand in a statement: nouns and things. None where it is not sure that a phrase is one.

What a noun is cannot be known for invented words, so these go by the marks that English leaves: an
article, a plural, a capital; and by the words that never stand in a noun phrase.
"""

from __future__ import annotations

import re
from functools import cache

from augmlx.english.lexicon import STOPWORDS, word_set
from augmlx.english.logic.statement import Term
from augmlx.english.names import entities
from augmlx.english.nouns import is_plural, looks_like_an_adverb, noun_key

TOKEN = re.compile(r"[^\W_][\w'&/-]*\.?(?:[^\W_][\w'&/-]*\.?)*")
_NOUN_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_OWNER = ("'s", "s'")
# Words of the longest noun, thing and pair of compared kinds.
_NOUN, _THING, _GENERIC = 4, 6, 3


@cache
def _never() -> frozenset[str]:
    """Words that no noun phrase holds."""
    return (STOPWORDS | word_set("never_in_a_noun")) - {"of"}


def is_content(word: str) -> bool:
    """Whether a word can stand in a noun phrase: no function word, adverb or verb of a clause."""
    if word.casefold() in _never():
        return False
    return not looks_like_an_adverb(word)


def noun(text: str, *, plural: bool = False) -> Term | None:
    """A noun of one to four words without article, perhaps "non-...".

    Args:
        plural: its last word must be able to be a plural.
    """
    negated = text[:4].casefold() == "non-"
    text = text[4:] if negated else text
    each_word = text.split(" ")
    if len(each_word) > _NOUN or not all(map(_is_noun_word, each_word)):
        return None
    if plural and not is_plural(each_word[-1]):
        return None
    if any(map(_looks_like_a_participle, each_word[:-1])):
        return None
    return Term(noun_key(text, plural=plural), text, plural, negated)


def _is_noun_word(word: str) -> bool:
    if _NOUN_WORD.fullmatch(word) is None or word == "of":
        return False
    return is_content(word)


def _looks_like_a_participle(word: str) -> bool:
    """By its form alone.

    Before a noun nobody can tell it from a verb: "All wugs are eating daxes".
    """
    return word.endswith(("ing", "ed")) and len(word) > 4 and not word.endswith("eed")


def thing(text: str) -> Term | None:
    """One definite thing: a name, "the ..." or "Ana's ...", perhaps with "of" and another.

    A nationality alone ("Danish") is none.
    """
    text = text[0].lower() + text[1:] if text[:4] == "The " else text
    if not all(map(_is_definite, text.split(" of "))):
        return None
    if text.casefold() in word_set("nationalities"):
        return None
    return Term(text.casefold().removeprefix("the "), text)


def _is_definite(part: str) -> bool:
    """Whether a phrase without "of" is one definite thing: an article or an owner makes its
    lower-case words definite, else it must be a name.
    """
    each_word = part.removeprefix("the ").split(" ")
    has_article = part.startswith("the ")
    if len(each_word) > _THING or each_word[-1].endswith(_OWNER):
        return False
    if not has_article and not _may_open_a_name(each_word):
        return False
    is_known, seen_lower = has_article, False
    for word in each_word:
        if not TOKEN.fullmatch(word) or word == "of":
            return False
        has_capital = word[0].isupper() or word[0].isdigit()
        if has_capital and seen_lower:
            return _is_name(part)  # else "the king thinks Ana"
        if not has_capital:
            if not is_known or not is_content(word):
                return _is_name(part)
            seen_lower = True
        is_known = is_known or word.endswith(_OWNER)
    last = each_word[-1]
    return not (seen_lower and last.endswith("ed") and _looks_like_a_participle(last))


def _may_open_a_name(each_word: list[str]) -> bool:
    """Whether the first word is none that only opens a sentence; "Will" and "May" are names too."""
    first, *rest = each_word
    return is_content(first) or (bool(rest) and first in ("Will", "May"))


def _is_name(part: str) -> bool:
    """Whether it is one name with particles ("Ana de la Cruz")."""
    names = [entity.text for entity in entities(part)]
    return names == [part]


def generic(text: str) -> Term | None:
    """Things of a kind or a stuff, as one of the two that are compared.

    "femps", "old femps", "water".
    """
    text = text[:1].lower() + text[1:]
    each_word = text.split(" ")
    if len(each_word) > _GENERIC or any(map(_looks_like_a_participle, each_word)):
        return None
    if not all(_is_noun_word(word) and word.islower() for word in each_word):
        return None
    if len(each_word) > 1 and not is_plural(each_word[-1]):
        return None
    return Term(text, text)
