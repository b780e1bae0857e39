"""The names and numbers of a text: where they stand, and with which determiner.

An entity is a run of capitalised words or a number. That is a heuristic and says so: filters that
use it can only object to what was found, never invent an entity.
"""

from __future__ import annotations

import re
from functools import lru_cache

from augmlx.english.lexicon import DETERMINERS, PREPOSITIONS, STOPWORDS, word_set
from augmlx.english.text import (
    CACHED_TEXTS,
    WITHIN_WORD,
    Mention,
    ends_in_abbreviation,
    opens_sentence,
    words,
)


@lru_cache(maxsize=CACHED_TEXTS)
def entities(text: str) -> tuple[Mention, ...]:
    """The names and numbers of a text, in order.

    They are runs of capitalised words, with the particles within them ("Ana de la Cruz"). A
    function word that opens a sentence belongs to none, and a date before a name is one by itself.
    """
    runs: list[list[Mention]] = []
    run_is_open = False  # whether the next name word may continue the last run
    particles: list[Mention] = []  # seen since the last name word of the run
    for word in words(text):
        if _belongs_to_a_name(text, word):
            if run_is_open and _goes_on(text, runs[-1], word):
                runs[-1] += [*particles, word]
            else:
                runs.append([word])
            run_is_open, particles = True, []
        elif run_is_open and word.text in word_set("name_particles"):
            particles.append(word)
        else:
            run_is_open, particles = False, []
    return tuple(_span(text, run[0].start, run[-1].end) for run in runs)


def is_number(entity: str) -> bool:
    """Whether an entity is a number or a date: "1998", "3 May 1998"."""
    if not _has_digit(entity):
        return False
    letters = re.findall(r"[^\W\d_]+", entity.casefold())
    return all(word in word_set("calendar") for word in letters)


@lru_cache(maxsize=CACHED_TEXTS)
def mention_of(entity: str, text: str, *, anywhere: bool = False) -> Mention | None:
    """Where an entity stands in a text, as whole words; None where it does not.

    Apostrophes may be straight or curly.

    Args:
        anywhere: the first letter may differ in case wherever it stands; without, only where the
            text begins with it.
    """
    place = _place(entity, text)
    if place is not None:
        return _span(text, place, place + len(entity))
    other_case = entity[0].swapcase() + entity[1:]
    place = _place(other_case, text)
    if place is None or (place > 0 and not anywhere):
        return None
    return _span(text, place, place + len(other_case))


def determiner_before(text: str, mention: Mention) -> str:
    """The determiner that stands directly before a mention, or nothing."""
    determiner = _determiner(text, mention)
    return determiner.text if determiner else ""


def with_determiner(text: str, mention: Mention) -> str:
    """A mention as it stands in the text, with the determiner before it if there is one.

    "Lab" in "the head of the Lab" is "the Lab".
    """
    determiner = _determiner(text, mention)
    start = determiner.start if determiner else mention.start
    return text[start : mention.end]


def is_name_word(word: str) -> bool:
    """Whether a word has a capital or a digit."""
    return word[0].isupper() or _has_digit(word)


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _span(text: str, start: int, end: int) -> Mention:
    """text[start:end] as a mention."""
    return Mention(text[start:end], start, end)


def _belongs_to_a_name(text: str, word: Mention) -> bool:
    """Whether a word has a digit, or a capital that is more than that of an opening word."""
    if not is_name_word(word.text):
        return False
    is_function_word = word.text.casefold() in STOPWORDS and not _is_will_or_may(text, word)
    return not (is_function_word and opens_sentence(text, word.start))


def _is_will_or_may(text: str, word: Mention) -> bool:
    """Whether it is one of the two auxiliaries that are also first names, before another name.

    "Will Smith", "May Lind"; in a question nobody can tell.
    """
    if word.text not in ("Will", "May") or text[-1] == "?":
        return False
    following = re.match(r" (\w)", text[word.end :])
    return following is not None and following[1].isupper()


def _goes_on(text: str, run: list[Mention], word: Mention) -> bool:
    """Whether a name word continues the run before it."""
    gap = text[run[-1].end : word.start]
    if not _is_inside_a_name(text, gap, word.start):
        return False
    return not _is_date_before(text, run, word)


def _is_inside_a_name(text: str, gap: str, end: int) -> bool:
    """Whether a name goes on over `gap`, which ends at `end`: no comma, no possessive, no end of a
    sentence.
    """
    if re.search(r"[^\s\w.’']|['’](?:s\b|\s)", gap):
        return False
    return "." not in gap or ends_in_abbreviation(text[:end].rstrip())


def _is_date_before(text: str, run: list[Mention], word: Mention) -> bool:
    """Whether `run` is the date or number of an adverbial that ends where a name begins ("In 1998
    Ana Ruiz ...").
    """
    before = words(text[: run[0].start])
    if not before or before[-1].text.casefold() not in PREPOSITIONS:
        return False
    run_text = text[run[0].start : run[-1].end]
    return is_number(run_text) and not is_number(f"1 {word.text}")


def _determiner(text: str, mention: Mention) -> Mention | None:
    """The determiner directly before a mention, as a mention of its own."""
    before = words(text[: mention.start])
    if not before or before[-1].text.casefold() not in DETERMINERS:
        return None
    gap = text[before[-1].end : mention.start]
    return None if gap.strip() else before[-1]


def _place(needle: str, text: str) -> int | None:
    """Where `needle` stands as whole words. No pattern is compiled: there would be a new one for
    each name.
    """
    needle, text = needle.replace("’", "'"), text.replace("’", "'")
    start = text.find(needle)
    while start >= 0:
        end = start + len(needle)
        cut_before = start > 0 and text[start - 1].isalnum()
        if not cut_before and not WITHIN_WORD.match(text, end):
            return start
        start = text.find(needle, start + 1)
    return None
