"""How a statement begins when it is said from its other end, where grammar alone tells.

A small model turns a statement round in order only: it exchanges the names and keeps the verb,
which is wrong for every relation that is not symmetric. Behind the first words of a right answer
("Lake Pell is smaller than", "The lamp was") it can hardly go on wrongly. The rest of the sentence
stays the model's, and the filters judge it as any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from augmlx.english.adjectives import antonyms, is_comparative
from augmlx.english.lexicon import AUXILIARIES, COPULAS, PREPOSITIONS, pairs, rows, word_set
from augmlx.english.nouns import is_plural
from augmlx.english.sentence import arguments, closing_phrase
from augmlx.english.text import Mention, words
from augmlx.english.verbs import looks_like_a_verb, participle, present

# "No A are B" and "Some A are B" hold both ways round.
_CONVERTED = re.compile(r"(No|Some)\b", re.IGNORECASE)


def turned(text: str) -> str:
    """The words that a reversal of a statement begins with: what it ends with, and the verb where
    its form is known.

    Nothing where the statement speaks of one thing only.
    """
    start, both = closing_phrase(text), arguments(text)
    if start is None or both is None:
        return ""
    end_of_first = both[0].end
    if not text[end_of_first : end_of_first + 1].isspace():
        return start  # "Ana's mother is Ida": the names only change places
    middle = text[end_of_first : text.rindex(start)]
    if quantifier := _CONVERTED.match(text):
        is_bare = re.fullmatch(r"\s*(?:is|are)\s*", middle)
        return f"{quantifier[1].lower()} {start}" if is_bare else start
    verb = _turned_verb(middle, first=text[:end_of_first], start=start)
    return f"{start} {verb}" if verb else start


def _turned_verb(middle: str, *, first: str, start: str) -> str:
    """What stands behind `start` in place of the words between the arguments; nothing where that is
    not known.
    """
    between = words(middle)
    spoken = [word.text.casefold() for word in between]
    if not spoken:
        return ""
    if spoken == ["belongs", "to"] and _has_the(first) and not _has_the(start):
        return "owns"  # a thing has an article and a person has none
    return (
        _transfer(middle, between, spoken)
        or _other_end(spoken, start)
        or _active(spoken)
        or _passive(spoken, start, plural=_is_several(first, opens=True))
    )


def _has_the(phrase: str) -> bool:
    return phrase[:4].casefold() == "the "


def _transfer(middle: str, between: Sequence[Mention], spoken: Sequence[str]) -> str:
    """ "gave the mill to" -> "received the mill from".

    Args:
        between: the words of `middle`, and `spoken` the same in lower case.
    """
    other_end = _transfers().get((spoken[0], spoken[-1]))
    if other_end is None or len(spoken) < 3:
        return ""
    if not PREPOSITIONS.isdisjoint(spoken[1:-1]):
        return ""
    verb, preposition = other_end
    thing = middle[between[1].start : between[-2].end]
    return f"{verb} {thing} {preposition}"


def _other_end(spoken: Sequence[str], start: str) -> str:
    """The words between the arguments as their opposite, where they have one."""
    verb, *rest = spoken
    if verb in COPULAS and spoken[-1] == "than":
        return _less(verb, rest)
    if verb in COPULAS and " ".join(rest) in rows("memberships"):
        return "include" if _is_several(start) else "includes"
    opposites = _opposites()
    turning = opposites.keys() & set(spoken)
    if turning and set(spoken) - word_set("beside_opposites") == turning:
        return " ".join(opposites.get(word, word) for word in spoken)
    return "is where" if _is_placed(spoken) else ""


def _is_placed(spoken: Sequence[str]) -> bool:
    """ "lives in", "was born in"; but not "was kept by Ana in"."""
    if spoken[-1] not in word_set("placing_prepositions") or "by" in spoken:
        return False
    return not word_set("placing_verbs").isdisjoint(spoken)


def _passive(spoken: Sequence[str], start: str, *, plural: bool) -> str:
    """ "designed" -> "was designed by". `plural`: the subject is."""
    verb, *rest = spoken
    if rest or _has_no_passive(verb):
        return ""
    is_present = verb.endswith("s")
    if plural and not is_present and not verb.endswith("ed"):
        return ""  # "glons read wugs": today or yesterday
    if is_present:
        be = "are" if _is_several(start) else "is"
    else:
        be = "were" if _is_several(start) else "was"
    done = participle(verb)
    return f"{be} {done} by" if done else be


def _has_no_passive(verb: str) -> bool:
    """Whether a word is no verb that something can be done with."""
    if len(verb) < 3 or not looks_like_a_verb(verb):
        return True
    if verb in AUXILIARIES or verb in PREPOSITIONS:
        return True
    return verb in word_set("no_passive") or verb in word_set("meeting_verbs")


def _active(spoken: Sequence[str]) -> str:
    """ "is admired by" -> "admires", "was built by" -> "built"; nothing where spelling alone does
    not tell.
    """
    if len(spoken) != 3 or spoken[0] not in ("is", "was") or spoken[2] != "by":
        return ""
    be, done, _ = spoken
    if done in word_set("meeting_verbs") or not done.endswith("ed"):
        return ""
    return done if be == "was" else present(done)


def _less(verb: str, rest: Sequence[str]) -> str:
    """ "is larger than" -> "is smaller than", "are more shy than" -> "are less shy than"."""
    degree, *others = rest
    if len(rest) == 3 and degree in ("more", "less"):
        other_end = "less" if degree == "more" else "more"
        return f"{verb} {other_end} {others[0]} than"
    if len(rest) != 2 or not is_comparative(degree):
        return ""
    opposites = antonyms().get(degree, frozenset())
    if len(opposites) != 1:
        return f"{verb} less"
    (opposite,) = opposites
    return f"{verb} {opposite} than"


def _is_several(phrase: str, *, opens: bool = False) -> bool:
    """Whether a phrase names several: a plural without a name's capital ("glons", "the Bor mills").

    Args:
        opens: the phrase opens its sentence, so that its first word has a capital anyway.
    """
    spoken = words(phrase)
    first, last = spoken[0], spoken[-1]
    has_capital = last.text != last.text.casefold() and not (opens and first is last)
    is_one = has_capital or first.text.casefold() in ("a", "an")
    return is_plural(last.text) and not is_one


@cache
def _opposites() -> dict[str, str]:
    """ "before" -> "after", "after" -> "before"."""
    both_ways: dict[str, str] = {}
    for row in rows("opposites"):
        one, other = row.split()
        both_ways |= {one: other, other: one}
    return both_ways


@cache
def _transfers() -> dict[tuple[str, str], tuple[str, str]]:
    """(verb, the word before the other person) -> the same as they are from the other end."""
    other_ends: dict[tuple[str, str], tuple[str, str]] = {}
    for verbs, preposition, *other_end in pairs("transfers"):
        other_verb, other_preposition = other_end
        for verb in verbs.split():
            other_ends[verb, preposition] = (other_verb, other_preposition)
    return other_ends
