"""Who does it: which of the two arguments of a sentence is the subject of its relation.

"Ana taught Ben", "Ben was taught by Ana", "Ben's teacher is Ana" and "The teacher of Ben is Ana"
all have Ana for their subject. A statement that says the same words with the other subject, or an
inverse word with the same one, is wrong whatever its word order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from augmlx.english.text import (
    AUXILIARIES,
    DETERMINERS,
    PREPOSITIONS,
    Mention,
    spelt_out,
    stem,
    words,
)

FIRST, LAST = "<first>", "<last>"  # the source's arguments, wherever they stand
Slots = Sequence[tuple[Mention, str]]

# An argument behind one of these is not the subject; "by" makes it the subject instead.
_GOVERNING = PREPOSITIONS | frozenset(
    "before after above below behind beside inside under beneath outside".split()
)
_RELATIVE = frozenset({"where", "when", "whom"})
QUANTIFIERS = frozenset("all every each some most many few several".split())


def tokens(text: str, slots: Slots) -> list[str]:
    """The words of a sentence in order, each argument as its slot, determiners left out, "A's R"
    put as "R of A".
    """
    parts = [(mention.start, slot) for mention, slot in slots]
    for word in words(text):
        inside = any(mention.start <= word.start < mention.end for mention, _ in slots)
        if not inside and word.text.casefold() not in DETERMINERS:
            parts.append((word.start, word.text.casefold()))
    return _without_possessives([part for _, part in sorted(parts)])


def _without_possessives(said: list[str]) -> list[str]:
    for index in range(1, len(said)):
        if said[index] == "s" and said[index - 1] in (FIRST, LAST):
            end = index + 1
            while (
                end < len(said)
                and said[end] not in (FIRST, LAST)
                and said[end] not in AUXILIARIES | PREPOSITIONS
            ):
                end += 1
            owner = said[index - 1]
            return _without_possessives(
                [*said[: index - 1], *said[index + 1 : end], "of", owner, *said[end:]]
            )
    return said


def skeleton(said: Sequence[str], dropped: Collection[str] = ()) -> list[str]:
    """The stems of `tokens` without auxiliaries, "of" and the `dropped` stems: "the owner of" is
    "owns".
    """
    kept = [
        word if word in (FIRST, LAST) else stem(word)
        for word in said
        if word not in AUXILIARIES | {"of"}
    ]
    return [word for word in kept if word not in dropped]


def subject(said: Sequence[str], relation: Collection[str]) -> str:
    """FIRST or LAST: the argument that is the subject of the words whose stems are in `relation`.

    It is the one after "by"; else the second where a preposition governs the first ("In Oslo lives
    Ana"), "of" only where nothing but a copula follows ("The head of the Lab is Mara", but "The
    sister of Ana lives in Oslo"); else the second where the verb comes after both ("Oslo is where
    Ana was born"); else the first.
    """
    said = [word for word in said if word not in QUANTIFIERS]
    one, two = (index for index, word in enumerate(said) if word in (FIRST, LAST))
    for index in (one, two):
        if index and said[index - 1] == "by":
            return said[index]
    between = said[one + 1 : two]
    before = said[one - 1] if one else ""
    equates = bool(between) and between[0] in AUXILIARIES and not PREPOSITIONS & set(between)
    if equates if before == "of" else before in _GOVERNING:
        return said[two]
    if _RELATIVE & set(between):
        return said[two]
    places = [
        index
        for index, word in enumerate(said)
        if word not in (FIRST, LAST) and stem(word) in relation
    ]
    if places and (min(places) > two or max(places) < one):
        return said[two]
    return said[one]


_IRREGULAR_COMPARATIVES = frozenset({"more", "worse"})
_NO_COMPARATIVES = frozenset({"other", "rather", "whether", "either", "neither", "never"})


def degree(text: str) -> int:
    """1 where a sentence says that one is more than the other, -1 for less, 0 where it compares
    nothing.
    """
    spoken = [word.text.casefold() for word in words(spelt_out(text))]
    if "than" not in spoken:
        return 0
    if {"less", "fewer"} & set(spoken):
        return -1
    compared = (
        w for w in spoken[: spoken.index("than")] if w.endswith("er") and w not in _NO_COMPARATIVES
    )
    return int(any(compared) or bool(_IRREGULAR_COMPARATIVES & set(spoken)))
