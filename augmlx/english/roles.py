"""Who does it: which of the two arguments of a sentence is the subject of its relation.

"Ana taught Ben", "Ben was taught by Ana", "Ben's teacher is Ana" and "The teacher of Ben is Ana"
all have Ana for their subject. A statement that says the same words with the other subject, or an
inverse word with the same one, is wrong whatever its word order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from augmlx.english.adjectives import comparison_sign
from augmlx.english.lexicon import AUXILIARIES, DETERMINERS, PREPOSITIONS, word_set
from augmlx.english.relation import relation_stems, says_all, turned_stems
from augmlx.english.stems import content_stems, stem
from augmlx.english.synonyms import light, related
from augmlx.english.text import Mention, words

FIRST, LAST = "<first>", "<last>"  # the source's arguments, wherever they stand
SLOTS = (FIRST, LAST)


def tokens(text: str, first: Mention, last: Mention) -> list[str]:
    """The words of a sentence in lower case and in order, its arguments as FIRST and LAST.

    Determiners are left out, and "A's R" is put as "R of A".

    Args:
        first: where the first argument of the source stands in this text.
        last: where its last argument stands.
    """
    mentions = (first, last)
    parts = [(mention.start, slot) for mention, slot in zip(mentions, SLOTS, strict=True)]
    for word in words(text):
        lower = word.text.casefold()
        is_inside = any(mention.start <= word.start < mention.end for mention in mentions)
        if not is_inside and lower not in DETERMINERS:
            parts.append((word.start, lower))
    return _without_possessives([part for _, part in sorted(parts)])


def _without_possessives(spoken: list[str]) -> list[str]:
    """ "A s R" -> "R of A"."""
    for place in range(1, len(spoken)):
        owner = spoken[place - 1]
        if spoken[place] != "s" or owner not in SLOTS:
            continue
        end = _end_of_noun(spoken, place + 1)
        before, noun, rest = spoken[: place - 1], spoken[place + 1 : end], spoken[end:]
        return _without_possessives([*before, *noun, "of", owner, *rest])
    return spoken


def _end_of_noun(spoken: Sequence[str], start: int) -> int:
    """Where the words of what is owned end: at an argument or a function word.

    Args:
        start: the place of the first of them.
    """
    closing = AUXILIARIES | PREPOSITIONS | {*SLOTS}
    for place in range(start, len(spoken)):
        if spoken[place] in closing:
            return place
    return len(spoken)


def skeleton(spoken: Sequence[str], dropped: Collection[str] = ()) -> list[str]:
    """The stems of `tokens` without auxiliaries and "of": "is the owner of" is "owns".

    Args:
        dropped: stems that are left out, too.
    """
    kept = [word for word in spoken if word not in AUXILIARIES and word != "of"]
    stems = [word if word in SLOTS else stem(word) for word in kept]
    return [word for word in stems if word not in dropped]


def is_exchanged(given: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether the tokens of a text say those of its source with the arguments exchanged."""
    other = {FIRST: LAST, LAST: FIRST}
    exchanged = [other.get(word, word) for word in given]
    told = skeleton(spoken, dropped=light())
    return told == skeleton(exchanged, dropped=light())


def keeps_subject(source: str, text: str, given: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether a text says the relation of its source from the right end.

    That is with the same subject, or with words of the other end and the other subject. A text that
    says another relation, or none, is let through.

    Args:
        given: the tokens of the source.
        spoken: the tokens of the text.
    """
    # The rules about subjects are English.
    relation = [word for word in relation_stems(source) if word.isascii()]
    told = set(content_stems(text))
    if not relation or not says_all(relation, told):
        return True
    turns = len(turned_stems(relation, told))
    if comparison_sign(source) * comparison_sign(text) == -1:
        turns += 1
    relation_or_related = {*relation}.union(*map(related, relation))
    same_subject = subject(given, relation) == subject(spoken, relation_or_related)
    return same_subject == (turns % 2 == 0)


def subject(spoken: Sequence[str], relation: Collection[str]) -> str:
    """FIRST or LAST: the argument that is the subject of the words whose stems are in `relation`.

    It is the one after "by"; else the second where a preposition governs the first ("In Oslo lives
    Ana"), "of" only where nothing but a copula follows ("The head of the Lab is Mara", but "The
    sister of Ana lives in Oslo"); else the second where the verb comes after both ("Oslo is where
    Ana was born"); else the first.
    """
    spoken = [word for word in spoken if word not in word_set("quantifiers")]
    one, two = (place for place, word in enumerate(spoken) if word in SLOTS)
    for place in (one, two):
        if place and spoken[place - 1] == "by":
            return spoken[place]
    if _is_governed(spoken, one, two):
        return spoken[two]
    if not word_set("relative_adverbs").isdisjoint(spoken[one + 1 : two]):
        return spoken[two]
    verb_places = [
        place for place, word in enumerate(spoken) if word not in SLOTS and stem(word) in relation
    ]
    if verb_places and (min(verb_places) > two or max(verb_places) < one):
        return spoken[two]
    return spoken[one]


def _is_governed(spoken: Sequence[str], one: int, two: int) -> bool:
    """Whether a preposition governs the first argument, which is no subject then."""
    before = spoken[one - 1] if one else ""
    if before != "of":
        return before in PREPOSITIONS | word_set("place_prepositions")
    between = spoken[one + 1 : two]
    if not between or between[0] not in AUXILIARIES:
        return False
    return PREPOSITIONS.isdisjoint(between)
