"""What a one-sentence statement speaks of: its two arguments, where they stand, how it ends.

Where a sentence has no entity (made-up lower-case terms, or a script without capitals) its first
and last content words stand in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from augmlx.english.lexicon import (
    AUXILIARIES,
    COPULAS,
    DETERMINERS,
    PREPOSITIONS,
    STOPWORDS,
    word_set,
)
from augmlx.english.names import (
    determiner_before,
    entities,
    is_name_word,
    is_number,
    mention_of,
    with_determiner,
)
from augmlx.english.text import CACHED_TEXTS, Mention, normalise, words
from augmlx.english.verbs import looks_like_a_verb

Arguments = tuple[Mention, Mention]  # the first and the last


class Sides(NamedTuple):
    """The two arguments of a source, and where another text has them."""

    source_first: Mention
    source_last: Mention
    first: Mention
    last: Mention


@lru_cache(maxsize=CACHED_TEXTS)
def arguments(text: str) -> Arguments | None:
    """The first and the last thing that a one-sentence fact speaks of, or None where it speaks of
    one only.

    Entities come first; a side without one falls back on the sentence's first or last content word.
    A number is an argument only where nothing else is ("in 2031" dates the fact, it is not what the
    fact is about). A noun that belongs to the entity comes with it ("the Kestrel radio").
    """
    content_words = [word for word in words(text) if _is_content(word)]
    if not content_words:
        return None
    first, last = _ends(text, content_words)
    first, last = _with_noun(text, first, subject=True), _with_noun(text, last)
    overlap = first.end > last.start
    if overlap or normalise(first.text) == normalise(last.text):
        return None
    return first, last


def argument_in(text: str, argument: Mention, both: Arguments) -> Mention | None:
    """Where one of the two arguments of a source stands in another text.

    The capital of an opening term counts for nothing where the other argument has none ("Glons are
    larger than femps.").
    """
    opens = argument.start == 0 and " " not in argument.text
    other_is_lower = both[1].text == both[1].text.casefold()
    return mention_of(argument.text, text, anywhere=opens and other_is_lower)


def sides(source: str, text: str) -> Sides | None:
    """The source's arguments and where they stand in a text; None where one is missing, or the two
    overlap.
    """
    both = arguments(source)
    if both is None:
        return None
    first, last = (argument_in(text, argument, both) for argument in both)
    if first is None or last is None:
        return None
    if first.start < last.end and last.start < first.end:
        return None
    return Sides(*both, first, last)


@lru_cache(maxsize=CACHED_TEXTS)
def closing_phrase(text: str) -> str | None:
    """What a sentence ends with and can begin with when it is turned round; None where it speaks of
    one thing only.

    After a bare copula that is the definite description ("Mara is the head of the Lab": "the head
    of the Lab"); an indefinite one ("a head of the Lab") names nothing and stays behind. After a
    verb it is the whole object ("Ida painted the gate of the Bor mill": "the gate of the Bor
    mill"). Else it is the last argument with its determiner.
    """
    both = arguments(text)
    if both is None:
        return None
    first, last = both
    between = [word for word in words(text) if first.end <= word.start < last.start]
    lower = [word.text.casefold() for word in between]
    start = next((n for n, word in enumerate(lower) if word in DETERMINERS), None)
    is_spaced = text[first.end : first.end + 1].isspace()
    if start is not None and is_spaced and _opens_a_phrase(lower, start):
        return text[between[start].start : last.end]
    return with_determiner(text, last)


def _opens_a_phrase(lower: list[str], start: int) -> bool:
    """Whether the determiner at `start` opens a definite description or the whole object of a verb.

    Args:
        lower: the words between the arguments, in lower case.
    """
    before, behind = lower[:start], lower[start:]
    if len(before) == 1 and before[0] in COPULAS and behind[0] == "the":
        return True
    has_verb = any(word not in STOPWORDS for word in before)
    if not has_verb or PREPOSITIONS & set(before):
        return False
    function_words = set(behind) & STOPWORDS
    return function_words <= word_set("tying_prepositions") | DETERMINERS


def _is_content(word: Mention) -> bool:
    """Whether a word can be an argument: no function word and no number."""
    if word.text.casefold() in STOPWORDS:
        return False
    return not is_number(word.text)


def _ends(text: str, content_words: list[Mention]) -> Arguments:
    """The first and the last entity; beside a lone one a content word of its other side."""
    named = [entity for entity in entities(text) if not is_number(entity.text)]
    if not named:
        return content_words[0], content_words[-1]
    if len(named) > 1:
        return named[0], named[-1]
    entity = named[0]
    if any(word.end <= entity.start for word in content_words):
        return content_words[0], entity
    return entity, content_words[-1]


def _with_noun(text: str, mention: Mention, *, subject: bool = False) -> Mention:
    """ "the Kestrel" -> "the Kestrel radio": the lower-case words after a name that has a
    determiner belong to it, up to the sentence's end or the next function word.
    """
    if not determiner_before(text, mention):
        return mention
    nouns, following = _lower_words_behind(text, mention)
    if subject:
        nouns = _without_verb(nouns, following)
    end = nouns[-1].end if nouns else mention.end
    return Mention(text[mention.start : end], mention.start, end)


def _lower_words_behind(text: str, mention: Mention) -> tuple[list[Mention], str]:
    """The lower-case content words directly behind a mention, and the word that ends them.

    That word is empty at the end of the text.
    """
    taken: list[Mention] = []
    end = mention.end
    for word in words(text):
        if word.start < mention.end:
            continue
        lower = word.text.casefold()
        is_apart = bool(text[end : word.start].strip())
        if is_apart or is_name_word(word.text) or lower in STOPWORDS:
            return taken, lower
        taken.append(word)
        end = word.end
    return taken, ""


def _without_verb(nouns: list[Mention], following: str) -> list[Mention]:
    """What of the words behind a subject belongs to it.

    Its verb stands among them ("the Dent bakery belongs to ..."), unless an auxiliary follows: they
    end before the first word that looks like one. With none in sight before a determiner nobody can
    tell, and the name stays as it is.
    """
    if following in AUXILIARIES:
        return nouns
    for place, word in enumerate(nouns):
        if looks_like_a_verb(word.text):
            return nouns[:place]
    ends_plainly = not following or following in PREPOSITIONS or following == "s"
    return nouns if ends_plainly else []  # "the Kel ferry's captain"
