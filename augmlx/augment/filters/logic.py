"""Logic: rules that decide from the names and the wording alone, before anything is voted on or
judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english import roles, synonyms
from augmlx.english.logic.words import is_plural
from augmlx.english.roles import FIRST, LAST
from augmlx.english.text import (
    AUXILIARIES,
    NEGATIONS,
    PREPOSITIONS,
    Mention,
    arguments,
    content_stems,
    determiner_before,
    entities,
    is_number,
    looks_like_a_verb,
    mention_of,
    normalise,
    spelt_out,
    stem,
    words,
)

_HAS = re.compile(
    r"\b(?:has|have|had)\s+(?:the|an?|his|her|its|their)\b", re.IGNORECASE
)  # a full verb, not an auxiliary
_INDEFINITE = re.compile(r"\b(?:is|are|was|were)\s+(?:not\s+)?an?\s+(\w+)", re.IGNORECASE)
_DEFINITE = re.compile(r"\bthe\s+(\w+)|['’]s\s+(\w+)(?=\s+(?:is|are|was|were)\b)", re.IGNORECASE)
# Words that say how many, how much or how certain; a word and its equals count as one.
_SCOPES = {
    word: word
    for word in "some any both many few several only most least will would can could may".split()
}
_SCOPES |= dict.fromkeys(("all", "every", "each"), "all")
_QUANTIFIERS = {stem(word) for word in roles.QUANTIFIERS}
_GENDERED = frozenset("he she him his her hers himself herself".split())
_ONLY = frozenset("best only main chief first closest".split())


def unknown_entity(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Entity closure: every name and number of the candidate stands in its source, and both
    arguments are kept.
    """
    source_words = set(normalise(candidate.source).split())
    source_numbers = {normalise(word.text) for word in words(candidate.source)}
    source_stems = {stem(word) for word in source_words}
    for entity in entities(candidate.text):
        spoken = normalise(entity.text).split()
        numbers = {
            normalise(word.text)
            for word in words(entity.text)
            if any(char.isdigit() for char in word.text)
        }
        # A sentence may open with a word of the source that only there has a capital ("Owned by
        # ...").
        opening = entity.start == 0 and {stem(word) for word in spoken} <= source_stems
        if (not set(spoken) <= source_words and not opening) or not numbers <= source_numbers:
            return "names something that is not in the source"
    if found := arguments(candidate.source):
        placed = zip(("first", "last"), found, strict=True)
        missing = [side for side, mention in placed if _place(mention, candidate, found) is None]
        if missing:
            return f"does not name the source's {' and '.join(missing)} argument"
    return None


def _place(
    mention: Mention, candidate: Candidate, found: tuple[Mention, Mention]
) -> Mention | None:
    """Where an argument of the source stands in the candidate. The capital of an opening term
    counts for nothing where the other argument has none ("Glons are larger than femps.").
    """
    common = (
        mention.start == 0 and " " not in mention.text and found[1].text == found[1].text.casefold()
    )
    return mention_of(mention.text, candidate.text, anywhere=common)


def _sides(candidate: Candidate) -> tuple[Mention, Mention, Mention, Mention] | None:
    """The source's first and last argument, and where they stand in the candidate."""
    found = arguments(candidate.source)
    if found is None:
        return None
    first, last = _place(found[0], candidate, found), _place(found[1], candidate, found)
    if first is None or last is None or (first.start < last.end and last.start < first.end):
        return None
    return found[0], found[1], first, last


def same_direction(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A reversal must begin with what its source ended with."""
    sides = _sides(candidate)
    if sides is None:
        return (
            "the arguments of the source cannot be told apart"
            if arguments(candidate.source) is None
            else None
        )
    return "runs in the same direction as its source" if sides[2].start < sides[3].start else None


def changed_order(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A rephrasing must keep the order of the arguments; one that does not is a reversal nobody
    checked.
    """
    sides = _sides(candidate)
    return (
        "turns the order of the arguments round"
        if sides and sides[2].start > sides[3].start
        else None
    )


def swapped(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """The arguments exchanged: the same relation with another subject, or its inverse with the same
    one.

    Relations that hold both ways round are let through, and so is a bare copula of which a side
    names one thing ("The captain is Omar", "Omar is the captain"); "A glon is a femp" cannot be
    turned round.
    """
    sides = _sides(candidate)
    if sides is None:
        return None
    given = roles.tokens(candidate.source, [(sides[0], FIRST), (sides[1], LAST)])
    said = roles.tokens(candidate.text, [(sides[2], FIRST), (sides[3], LAST)])
    if _moves_quantifier(roles.skeleton(given), roles.skeleton(said)):
        return "puts the quantifier before the predicate"
    bare = len(roles.skeleton(given)) == 2
    if _symmetric(given) or (
        bare and len(roles.skeleton(said)) == 2 and not _generic(candidate.source, sides[:2])
    ):
        return None
    exchanged = [{FIRST: LAST, LAST: FIRST}.get(word, word) for word in given]
    if roles.skeleton(said, synonyms.light()) == roles.skeleton(exchanged, synonyms.light()):
        return "exchanges the arguments around the same relation"
    # The rules about subjects are English; a relation in another script is only held to the check
    # above.
    relation = [word for word in _relation(candidate.source, sides[:2]) if word.isascii()]
    told = set(content_stems(candidate.text))
    if not relation or any(word not in told and not _related(word) & told for word in relation):
        return None  # it says another relation, or none: lost_relation tells
    inverses = [
        synonyms.inverses().get(word, frozenset()) & told for word in relation if word not in told
    ]
    turns = sum(map(bool, inverses)) + (
        roles.degree(candidate.source) * roles.degree(candidate.text) == -1
    )
    words_of_it = {*relation, *frozenset[str]().union(*map(_related, relation))}
    same_subject = roles.subject(given, relation) == roles.subject(said, words_of_it)
    return None if same_subject == (turns % 2 == 0) else "says the relation from its wrong end"


def _relation(source: str, found: tuple[Mention, Mention] | None) -> tuple[str, ...]:
    """The stems that say the source's relation: "stands north of" and "is north of" say the
    same.
    """
    stems = content_stems(source if found is None else _without(source, found))
    return tuple(word for word in stems if word not in synonyms.posture()) or stems


def _moves_quantifier(given: Sequence[str], said: Sequence[str]) -> bool:
    """ "All A are B" as "B are all A": that is another statement, or none."""
    return len(given) == 3 and given[0] in _QUANTIFIERS and given[0] in said and said[0] != given[0]


def _related(word: str) -> frozenset[str]:
    return synonyms.inverses().get(word, frozenset()) | synonyms.synonyms().get(word, frozenset())


def _symmetric(given: Sequence[str]) -> bool:
    """Whether the source's relation holds both ways round: a word says so and none speaks against
    it ("the mother of his twin", "his best friend"), or two things are as large as each other, or
    one by two names; "no A are B" and "some A are B" convert.
    """
    skeleton = roles.skeleton(given)
    stems = set(skeleton) - synonyms.posture()
    if given.count("as") == 2 and not NEGATIONS & set(given):
        return True
    if skeleton in (["no", FIRST, LAST], [stem("some"), FIRST, LAST]) or _names_twice(skeleton):
        return True
    singled_out = any(word in _ONLY or word.endswith("est") for word in given)
    return (
        bool(synonyms.symmetric() & stems)
        and not synonyms.inverses().keys() & stems
        and not singled_out
    )


def _names_twice(skeleton: Sequence[str]) -> bool:
    """ "Oslo is also known as Kristiania", "Kristiania is another name for Oslo"."""
    return list(skeleton) in (
        [FIRST, "also", stem("known"), "as", LAST],
        [FIRST, stem("another"), stem("name"), "for", LAST],
    )


def _generic(text: str, sides: Sequence[Mention]) -> bool:
    """Whether neither argument names one thing: kinds ("glons", "a glon") and qualities."""
    return not any(_names_one(text, side) for side in sides)


def _names_one(text: str, mention: Mention) -> bool:
    determiner = determiner_before(text, mention).casefold()
    if determiner:
        return determiner not in ("a", "an")
    plural_opening = mention.start == 0 and re.search(r"\bare\b", text) is not None
    return mention.text[0] != mention.text[0].casefold() and not plural_opening


def lost_relation(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """The candidate must say its source's relation (its words, their stems, a known inverse or
    synonym), as often, as much and as surely, and nothing more.
    """
    source, text = candidate.source, candidate.text
    if _negations(text) != _negations(source):
        return "negates, or no longer negates, its source"
    if _scopes(text) != _scopes(source):
        return "changes how many, how much or how certain"
    relation = _relation(source, arguments(source))
    related = {word: _related(word) for word in relation}
    told, given = Counter(content_stems(text)), Counter(content_stems(source))
    if any(word not in told and not related[word] & told.keys() for word in relation):
        return "does not say the source's relation"
    if (roles.degree(source) != 0) != (roles.degree(text) != 0):
        return "does not say the source's relation"
    if any(count > max(1, given[word]) for word, count in told.items()):
        return "repeats itself"
    if (_HAS.search(text) and not _HAS.search(source)) or set(
        normalise(text).split()
    ) & _GENDERED - set(normalise(source).split()):
        return "adds something to its source"
    replacing = frozenset[str]().union(
        *(others for word, others in related.items() if word not in told)
    )
    if told.keys() - given.keys() - replacing - synonyms.light() - synonyms.posture():
        return "adds something to its source"
    indefinite = {stem(word) for word in _INDEFINITE.findall(source)}
    if indefinite & {stem(one or other) for one, other in _DEFINITE.findall(text)}:
        return "makes one of several the only one"
    return _unlike(source, text)


def _unlike(source: str, text: str) -> str | None:
    """A name's article, a date's preposition or a plural's verb that is not the source's."""
    if any(_loses_the(entity, text, source) for entity in entities(text)):
        return "makes the only one one of several"
    told = set(normalise(text).split())
    if "by" in told - set(normalise(source).split()) and not told & AUXILIARIES:
        return "has no verb"  # "The lamp designed by Ana."
    for mention in arguments(source) or ():
        place = mention_of(mention.text, text, anywhere=True)
        if place is None:
            continue
        before = [word.text.casefold() for word in words(text[: place.start])][-1:]
        bare = (
            not before
            or before[0] in PREPOSITIONS | AUXILIARIES
            or (before != ["s"] and looks_like_a_verb(before[0]))
        )
        given, said = (
            determiner_before(source, mention).casefold(),
            determiner_before(text, place).casefold(),
        )
        if bare and not said and given == "the":
            return "drops an article"
        named = mention.text[0].isupper() and (mention.start > 0 or " " in mention.text)
        if said == "the" and not given and named:
            return "adds an article"
        follows = re.match(r"\s+(is|was)\b", text[place.end :])
        if (
            follows
            and is_plural(mention.text)
            and re.search(r"\b(?:are|were)\b", source)
            and mention.text[1:].islower()
        ):
            return "takes several for one"
    dates = {number: before for before, number in _dated(source)}
    if any(dates.get(number, before) != before for before, number in _dated(text)):
        return "changes what a number says"
    return None


def _dated(text: str) -> list[tuple[str, str]]:
    """Each preposition that stands before a number, with the number."""
    said = [word.text.casefold() for word in words(text)]
    return [(one, two) for one, two in pairwise(said) if one in PREPOSITIONS and is_number(two)]


def _loses_the(entity: Mention, text: str, source: str) -> bool:
    """Whether "the Tern ferry" has become "a Tern ferry"."""
    if determiner_before(text, entity).casefold() not in ("a", "an"):
        return False
    place = mention_of(entity.text, source)
    return place is not None and determiner_before(source, place).casefold() == "the"


def changed_meaning(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A rephrasing must say its source's relation, and from the same end."""
    return lost_relation(candidate, siblings, settings) or swapped(candidate, siblings, settings)


def _without(text: str, found: tuple[Mention, Mention]) -> str:
    first, last = found
    return f"{text[: first.start]} {text[first.end : last.start]} {text[last.end :]}"


def _negations(text: str) -> int:
    return sum(word in NEGATIONS for word in normalise(spelt_out(text)).split())


def _scopes(text: str) -> Counter[str]:
    """How often each scope stands in a text, names aside ("Will", "May")."""
    text = spelt_out(text)
    names = {at for entity in entities(text) for at in range(entity.start, entity.end)}
    spoken = (word.text.casefold() for word in words(text) if word.start not in names)
    return Counter(_SCOPES[word] for word in spoken if word in _SCOPES)
