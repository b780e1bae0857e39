"""The parts of a clause, as whole phrases: which words belong together, and which to the verb."""

from __future__ import annotations

import re
from collections.abc import Iterator

from augmlx.english.clauses import phrase as phrases
from augmlx.english.clauses.naming import kind_of
from augmlx.english.clauses.phrase import (
    ATTRIBUTES,
    CLAUSES,
    OBJECTS,
    Phrase,
    Role,
    Span,
    Tokens,
    span_between,
    span_of,
    subtree,
)
from augmlx.english.lexicon import word_set


def parts_of(tokens: Tokens, places: list[int]) -> list[Phrase]:
    """The phrases of some tokens, in order: a time that closes one stands by itself, and a bare
    number or noun belongs to the one before it.
    """
    found: list[Phrase] = []
    for place in places:
        span = span_of(tokens, place)
        if span is not None:
            found += _apart(tokens, span, _role(tokens, place))
    together: list[Phrase] = []
    for part in sorted(found, key=lambda part: part.start):
        if together and together[-1].end + 1 == part.start:
            before = together[-1]
            if before.text.lower() in word_set("focusing"):
                together[-1] = _focused(before, part)
                continue
            is_of_one = _is_of_one_time(tokens, before, part) or _is_of_one_place(before, part)
            is_of_one = is_of_one or _is_first_there(tokens, before, part)
            if _is_bare_number(tokens, part) or is_of_one:
                together[-1] = phrases.joined(before, part, before.head)
                continue
            if _is_reached(tokens, before, part):
                together[-1] = phrases.joined(before, part, part.head)._replace(kind=part.kind)
                continue
            if _is_cut_off(tokens, before, part):
                together[-1] = phrases.joined(before, part, part.head)
                continue
        together.append(part)
    return together


def _role(tokens: Tokens, place: int) -> Role:
    dep = tokens[place].dep
    if dep in OBJECTS:
        return "adjunct" if _is_adverbial(tokens, place) else "object"
    if dep in ATTRIBUTES:
        return "attribute"
    if dep in CLAUSES:
        return "clause"
    span = span_of(tokens, place)
    is_manner = span is not None and kind_of(tokens, span) == "manner"
    return "agent" if dep == "agent" and not is_manner else "adjunct"


def _is_adverbial(tokens: Tokens, place: int) -> bool:
    """Whether what was read as an object says how often, or between what: "every two years"."""
    opening = tokens[subtree(tokens, place)[0]]
    word = opening.text
    if phrases.is_bound(opening):
        return False
    span = span_of(tokens, place)
    if word.lower() in ("every", "each"):
        return span is not None and kind_of(tokens, span) == "time"
    return opening.tag in ("IN", "TO") and word[0].islower()


def _apart(tokens: Tokens, span: Span, role: Role) -> Iterator[Phrase]:
    """A phrase, and by itself what closes it and belongs to the verb."""
    tail = None if role == "clause" else _tail(tokens, span, role)
    kept = span_between(tokens, span.first, tail - 1, span.top) if tail is not None else None
    if tail is None or kept is None:
        yield phrases.phrase(tokens, span, role, kind_of(tokens, span))
        return
    yield phrases.phrase(tokens, kept, role, kind_of(tokens, kept))
    closing = span_between(tokens, tail, span.last, tail)
    if closing is not None:
        yield from _apart(tokens, closing, "adjunct")


def _tail(tokens: Tokens, span: Span, role: Role) -> int | None:
    """The place of the preposition whose phrase closes another and belongs to the verb."""
    for place in range(span.first + 1, span.last + 1):
        # A parser takes "to patient 0417" for an infinitive.
        is_infinitive = tokens[place].dep == "aux" and tokens[place].text == "to"
        top = tokens[place].head if is_infinitive else place
        if not (is_infinitive or tokens[place].dep == "prep"):
            continue
        if tokens[place - 1].dep in ("det", "prep") or subtree(tokens, top)[-1] < span.last:
            continue
        if _is_the_verbs(tokens, place, role):
            return place
    return None


def _is_the_verbs(tokens: Tokens, place: int, role: Role) -> bool:
    """Whether a prepositional phrase is the verb's, and not the noun's before it: a time, or what
    such a verb takes ("gave A to B", "bought A from B", "acquitted A of B").
    """
    preposition = tokens[place].text.lower()
    verb = next((token.lemma for token in tokens if token.dep == "ROOT"), "")
    taking = {"of": "of_verbs", "over": "over_verbs", "to": "giving_verbs", "from": "taking_verbs"}
    if role == "object" and verb in word_set("keeping_verbs") and _says_where(tokens, place):
        return True
    if preposition == "from" and _is_a_span_of_time(tokens, place):
        return True
    if preposition in taking:
        return role == "object" and verb in word_set(taking[preposition])
    if preposition == "for" and role == "adjunct" and _is_how_long(tokens, place):
        return True
    if preposition == "for":
        return _is_a_sum(tokens, place)
    if preposition not in word_set("temporal"):
        return False
    span = span_of(tokens, place)
    return span is not None and kind_of(tokens, span) == "time"


def _is_a_sum(tokens: Tokens, place: int) -> bool:
    """Whether a prepositional phrase says for how much: "for 340 million dollars"."""
    span = span_of(tokens, place)
    is_sum = span is not None and tokens[span.head].entity == "MONEY"
    return is_sum or any(
        re.search(r"[€£$¥]", token.text) for token in tokens[place + 1 : place + 2]
    )


def _is_how_long(tokens: Tokens, place: int) -> bool:
    """Whether a prepositional phrase says how long: "for ten years", "for most of his life"."""
    span = span_of(tokens, place)
    is_told = span is not None and tokens[span.last].text in word_set("lifetimes")
    return is_told or (span is not None and kind_of(tokens, span) == "duration")


def _says_where(tokens: Tokens, place: int) -> bool:
    """Whether a prepositional phrase names a definite place: "in the tin", not "in ink"."""
    span = span_of(tokens, place)
    if span is None or span.preposition not in word_set("placing"):
        return False
    opening = tokens[span.noun_first]
    return opening.tag in ("DT", "PRP$", "NNP") or tokens[span.head].tag == "NNP"


def _is_a_span_of_time(tokens: Tokens, place: int) -> bool:
    """Whether "from" opens both ends of a time: "from November to April"."""
    span = span_of(tokens, place)
    if span is None or kind_of(tokens, span) != "time":
        return False
    return any(token.text in ("to", "until") for token in tokens[span.first : span.last + 1])


def _is_bare_number(tokens: Tokens, part: Phrase) -> bool:
    """Whether a part is a number that says more of the noun before it: "children | under 12"."""
    is_age = part.preposition in ("under", "over") and " " not in part.noun  # "under three"
    is_number = tokens[part.head].tag == "CD" and (is_age or part.noun.isdigit())
    return bool(part.preposition) and is_number and part.kind != "time"


def _focused(adverb: Phrase, part: Phrase) -> Phrase:
    """A part with the adverb before it, which then neither moves nor is asked for: "only on
    Fridays".
    """
    text = f"{adverb.text} {part.text}"
    return part._replace(text=text, start=adverb.start, kind="unknown", preposition="", noun=text)


def _is_of_one_time(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a time says of which day or month the one before it is: "at seven | in the evening",
    "on the last Sunday | in April".
    """
    if part.preposition != "in" or before.preposition not in ("at", "on", ""):
        return False
    is_date = before.preposition != "at" and before.kind == "time"
    wider = word_set("months") | word_set("seasons") if is_date else frozenset()
    is_clock = before.kind == "time" or tokens[before.head].tag == "CD"
    return is_clock and tokens[part.head].text.lower() in wider | word_set("parts_of_the_day")


def _is_of_one_place(before: Phrase, part: Phrase) -> bool:
    """Whether a place says where the one before it is: "in the cupboard | under the sink"."""
    are_places = before.kind == part.kind == "place"
    return are_places and {before.preposition, part.preposition} <= word_set("standing_at")


def _is_first_there(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a place says where something is the first or the best of its kind: "the first
    hospital | in the city".
    """
    inside = [token for token in tokens if before.start <= token.start < before.end]
    is_one = any(token.tag == "JJS" for token in inside[1:3]) or (
        len(inside) > 2 and inside[1].text in word_set("ranking") and inside[2].text.isalpha()
    )
    is_definite = before.text[:4].lower() == "the " and not before.preposition
    return is_one and is_definite and part.kind == "place"


def _is_reached(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a part is the other end of a span of numbers or times: "from 3.20 | to 3.85 euros",
    "from Tuesday | to Thursday".
    """
    if before.preposition != "from" or part.preposition != "to":
        return False
    entities = {tokens[before.head].entity, tokens[part.head].entity}
    are_numbers = all(
        tokens[part.head].tag == "CD" or part.kind == "amount" for part in (before, part)
    )
    return are_numbers or (bool(entities) and entities <= {"DATE", "TIME"})


def _is_cut_off(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a bare noun is the end of the name before it: "the Geris | ferry"."""
    is_bare = part.text.isalpha() and part.text.islower() and tokens[part.head].tag in ("NN", "NNS")
    is_name = before.text[:4].lower() == "the " and tokens[before.head].tag in ("NNP", "NNPS")
    return is_bare and is_name and part.kind != "time"
