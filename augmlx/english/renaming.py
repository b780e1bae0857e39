"""A text about other names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

from augmlx.english.lexicon import STOPWORDS
from augmlx.english.names import determiner_before, entities, is_number
from augmlx.english.text import Mention, lower_words

_STEM = 4  # letters by which "designed" is of "design"


@dataclass(frozen=True, slots=True)
class Words:
    """What names are put together of: given names and surnames of persons, and names of things."""

    persons: Sequence[str]
    surnames: Sequence[str]
    names: Sequence[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Those of the names in some texts."""
        persons: dict[str, None] = {}
        surnames: dict[str, None] = {}
        names: dict[str, None] = {}
        for text in texts:
            for mention in named(text):
                words = [word for word in mention.text.split() if word.isalpha()]
                if not is_person(text, mention):
                    names |= dict.fromkeys(words)
                else:
                    persons |= dict.fromkeys(words[:1])
                    surnames |= dict.fromkeys(words[1:])
        return cls(tuple(persons), tuple(surnames), tuple(names))


def named(text: str) -> list[Mention]:
    """The names in a text, without its numbers."""
    return [mention for mention in entities(text) if not is_number(mention.text)]


def is_person(text: str, mention: Mention) -> bool:
    """Whether a name looks like somebody's."""
    return " " in mention.text and not determiner_before(text, mention)


def is_about_somebody(text: str) -> bool:
    """Whether one of its names looks like somebody's."""
    return any(is_person(text, mention) for mention in named(text))


def renamed(text: str, words: Words, rng: Random) -> str | None:
    """A text with each name in it exchanged for another of as many words; numbers stay. None where
    no name stands in it, or there are no words for one.
    """
    other = text
    is_changed = False
    for mention in reversed(named(text)):
        count = len(mention.text.split())
        first, others = words.names, words.names
        if is_person(text, mention):
            first, others = words.persons, words.surnames
        if not first or len(others) < count:
            return None
        drawn = [rng.choice(first), *rng.sample(others, count - 1)]
        other = other[: mention.start] + " ".join(drawn) + other[mention.end :]
        is_changed = True
    return other if is_changed else None


def may_answer(text: str, question: str) -> bool:
    """Whether a text may hold what a question asks: one of the question's names, and some other
    word of it, in whatever form.
    """
    own = lower_words(text)
    stems = {word[:_STEM] for word in own if word not in STOPWORDS}
    asked = lower_words(question)
    for mention in named(question):
        name = lower_words(mention.text)
        others = [word for word in asked if word not in STOPWORDS and word not in name]
        if set(name) <= set(own) and any(word[:_STEM] in stems for word in others):
            return True
    return False
