"""How many, how much, how sure, when: what a sentence says besides who does what."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import pairwise

from augmlx.english.lexicon import NEGATIONS, PREPOSITIONS, first_of_row, word_set
from augmlx.english.names import entities, is_number
from augmlx.english.text import lower_words, normalise, spelt_out, words

# A full verb, not an auxiliary.
_HAS = re.compile(r"\b(?:has|have|had)\s+(?:the|an?|his|her|its|their)\b", re.IGNORECASE)


def negation_count(text: str) -> int:
    """How many words of a text deny."""
    spoken = normalise(spelt_out(text)).split()
    return sum(word in NEGATIONS for word in spoken)


def scopes(text: str) -> Counter[str]:
    """How often each word that says how many, how much or how certain stands in a text.

    Words that say the same count as one ("all", "every"); names do not count ("Will", "May").
    """
    text = spelt_out(text)
    name_places = {place for entity in entities(text) for place in range(entity.start, entity.end)}
    spoken = [word.text.casefold() for word in words(text) if word.start not in name_places]
    scope_of = first_of_row("scopes")
    return Counter(scope_of[word] for word in spoken if word in scope_of)


def telling(text: str) -> frozenset[str]:
    """Whether a text denies ("no"), how many it speaks of ("all", "some"), which end of a scale
    ("more", "less").
    """
    tells = _telling_words()
    return frozenset(tells[word] for word in lower_words(spelt_out(text)) if word in tells)


@cache
def _telling_words() -> dict[str, str]:
    """Each word that tells -> the one that it counts as."""
    negations = dict.fromkeys(NEGATIONS, "no")
    return negations | first_of_row("telling")


def adds_possession_or_gender(source: str, text: str) -> bool:
    """Whether a text says more of one than its source does.

    That is that one has something, or is a he or a she.
    """
    if _HAS.search(text) and not _HAS.search(source):
        return True
    gendered = word_set("gendered_pronouns").intersection(normalise(text).split())
    return not gendered <= set(normalise(source).split())


def changes_a_date(source: str, text: str) -> bool:
    """Whether a number of both stands behind another preposition ("in 1998", "before 1998")."""
    before_number = {number: preposition for preposition, number in _dates(source)}
    return any(
        before_number.get(number, preposition) != preposition
        for preposition, number in _dates(text)
    )


def _dates(text: str) -> list[tuple[str, str]]:
    """Each preposition that stands before a number, with the number."""
    dates = []
    for one, two in pairwise(lower_words(text)):
        if one in PREPOSITIONS and is_number(two):
            dates.append((one, two))
    return dates
