"""What a sentence says of its two arguments, by the stems of its words."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from augmlx.english.sentence import arguments
from augmlx.english.stems import content_stems
from augmlx.english.synonyms import inverses, light, posture, related


def relation_stems(text: str) -> tuple[str, ...]:
    """The stems of the words around the arguments, in order.

    Verbs of posture do not count where there are others: "stands north of" and "is north of" say
    the same.
    """
    both = arguments(text)
    if both is None:
        around = text
    else:
        first, last = both
        around = f"{text[: first.start]} {text[first.end : last.start]} {text[last.end :]}"
    stems = content_stems(around)
    return tuple(word for word in stems if word not in posture()) or stems


def stems_beside_arguments(text: str) -> set[str]:
    """The stems of all words but the arguments', wherever those stand again."""
    argument_stems = {
        stem for mention in arguments(text) or () for stem in content_stems(mention.text)
    }
    return set(content_stems(text)) - argument_stems


def says_all(relation: Iterable[str], told: Collection[str]) -> bool:
    """Whether each stem of a relation, or one that says it from either end, is in a text.

    Args:
        told: the stems of the text.
    """
    return all(word in told or not related(word).isdisjoint(told) for word in relation)


def turned_stems(relation: Iterable[str], told: Collection[str]) -> list[str]:
    """The stems of a relation that a text has only as words of its other end.

    Args:
        told: the stems of the text.
    """
    turned = []
    for word in relation:
        opposites = inverses().get(word, frozenset())
        if word not in told and not opposites.isdisjoint(told):
            turned.append(word)
    return turned


def added_stems(source: str, text: str) -> set[str]:
    """The stems of a text that say more than its source does.

    A word that stands for one of the source's relation adds nothing, nor does a light word or a
    verb of posture.
    """
    given, told = set(content_stems(source)), set(content_stems(text))
    replacing: set[str] = set()
    for word in relation_stems(source):
        if word not in told:
            replacing |= related(word)
    return told - given - replacing - light() - posture()
