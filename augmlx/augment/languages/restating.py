"""Whether a statement says what another one says, in another order: a few patterns that need no
grammar, and in each of which it is sure who does what to whom. What fits none is not known to be
right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from augmlx.augment.languages.content import CONDITION, content, difference, is_year, tokens
from augmlx.augment.languages.lexicon import Lexicon, lexicon


def is_reversal(code: str, source: str, text: str) -> bool:
    """Whether a text is a statement from its other end."""
    words = lexicon(code)
    return (
        _is_equation_turned(words, source, text)
        or _is_fronted(words, tokens(source), tokens(text))
        or _is_fronted(words, tokens(text), tokens(source), to_the_end=False)
        or _is_condition_turned(words, source, text)
        or _is_passive_of(words, text, of=source)
        or _is_passive_of(words, source, of=text)
    )


def is_rephrasing(code: str, source: str, text: str) -> bool:
    """Whether a text is a statement in another order, with a part of it singled out, or with other
    small words.
    """
    words, given = lexicon(code), tokens(source)
    singled_out = any(
        tokens(whole) == given or is_reversal(code, source, whole)
        for whole in _unclefted(words, text)
    )
    return (
        is_reversal(code, source, text)
        or singled_out
        or _has_other_condition(words, given, tokens(text))
        or _has_other_small_words(words, source, text)
    )


def _is_equation_turned(words: Lexicon, source: str, text: str) -> bool:
    """ "Die Leiterin des Chors ist Ute Thom" -> "Ute Thom ist die Leiterin des Chors": two sides of
    a copula, of which one is the only one of its kind.
    """
    given, said = tokens(source), tokens(text)
    for place, token in enumerate(given):
        first, last = given[:place], given[place + 1 :]
        is_turned = token in words.copulas and said == [*last, token, *first]
        if is_turned and first and last:
            return _names_one_thing(words, source, first, last)
    return False


def _names_one_thing(words: Lexicon, source: str, first: list[str], last: list[str]) -> bool:
    """Whether two sides of a copula name one thing: one by an article ("the chair of ..."), the
    other as well or by a name. In Chinese, by what it belongs to.
    """
    if words.possessive:
        return words.possessive in (*first, *last)
    if last[0] in words.articles:
        return first[0] in words.articles or first[0] not in words.small
    return first[0] in words.articles and f" {last[0].capitalize()}" in source


def _is_fronted(
    words: Lexicon, given: list[str], said: list[str], *, to_the_end: bool = True
) -> bool:
    """ "Die Leiter steht hinter dem Haus" -> "Hinter dem Haus steht die Leiter": a part that a
    preposition marks, or a year, goes to the front, and perhaps the verb before its subject. Such
    a part is known by being the last one; or, where `said` is the source, by not being.
    """
    for start in range(1, len(given)):
        for end in range(start + 1, len(given) + 1):
            part, rest = given[start:end], given[:start] + given[end:]
            is_whole = end == len(given) or not to_the_end
            if said[: len(part)] != part or not _is_movable(words, part, is_whole=is_whole):
                continue
            if said[len(part) :] == rest or _is_inverted(words, rest, said[len(part) :]):
                return True
    return False


def _is_movable(words: Lexicon, part: list[str], *, is_whole: bool) -> bool:
    """Whether a part may stand in front: a year, one with its preposition, or what a preposition
    begins and nothing follows.
    """
    if is_year(part[-1]) and len(part) < 3:
        return len(part) == 1 or part[0] in words.prepositions
    return is_whole and part[0] in words.prepositions


def _is_inverted(words: Lexicon, given: list[str], said: list[str]) -> bool:
    """Whether a word has gone to the front, perhaps with a small one before it ("se trouve")."""
    for place in range(1, len(given)):
        size = 2 if given[place] in words.small and said[:1] == [given[place]] else 1
        for length in {1, size}:
            verb = given[place : place + length]
            if said == verb + given[:place] + given[place + length :]:
                return True
    return False


def _is_condition_turned(words: Lexicon, source: str, text: str) -> bool:
    """ "Wenn es regnet, fällt der Markt aus" -> "Der Markt fällt aus, wenn es regnet"."""
    condition, comma, consequence = source.partition(",")
    first, last, said = tokens(condition), tokens(consequence), tokens(text)
    is_condition = content(words.code, condition)[:1] == (CONDITION,)
    if not comma or not is_condition or said[-len(first) :] != first:
        return False
    before = said[: -len(first)]
    return before == last or _is_inverted(words, before, last)


def _is_passive_of(words: Lexicon, passive: str, *, of: str) -> bool:
    """ "Jo Reiter leitet das Lager" -> "Das Lager wird von Jo Reiter geleitet": who does it stands
    first in the one, behind "von" in the other.
    """
    said = tokens(passive)
    marks = [place for place, token in enumerate(said) if token in words.agents]
    if len(marks) != 1 or words.agents & set(tokens(of)) or not words.passives & set(said):
        return False
    before = content(words.code, " ".join(said[: marks[0]]))
    behind = content(words.code, " ".join(said[marks[0] + 1 :]))
    active = content(words.code, of)
    forms, missing, added = difference(active, (*before, *behind))
    if missing or added or len(forms) > 1 or not before or not behind:
        return False
    if words.participle and not re.search(words.participle, behind[-1]):
        return False  # a German sentence ends with it
    if behind == active[: len(behind)] and before == active[len(behind) :]:
        return True
    if not forms and len(behind) >= len(active):
        return False
    verb, participle = forms[0] if forms else (active[len(behind)], active[len(behind)])
    doer, done_to = active[: active.index(verb)], active[active.index(verb) + 1 :]
    agent = tuple(word for word in behind if word != participle)
    others = tuple(word for word in before if word != participle)
    return (
        bool(doer)
        and agent[: len(doer)] == doer
        and _undated((*others, *agent[len(doer) :])) == _undated(done_to)
    )


def _undated(said: tuple[str, ...]) -> list[str]:
    """Words without the years, which may stand anywhere."""
    return [word for word in said if not is_year(word)]


def _unclefted(words: Lexicon, text: str) -> Iterator[str]:
    """ "C'est Ada qui dirige le port" -> "Ada dirige le port"."""
    found = re.match(words.cleft, text.rstrip("."), re.IGNORECASE) if words.cleft else None
    if found is None:
        return
    parts = found.groupdict()
    yield f"{parts['first']} {parts.get('verb', '')} {parts['rest']}"


def _has_other_condition(words: Lexicon, given: list[str], said: list[str]) -> bool:
    """ "Wenn es regnet, ..." -> "Falls es regnet, ..."."""
    alike = [[token in words.conditions or token for token in text] for text in (given, said)]
    return given != said and alike[0] == alike[1]


def _has_other_small_words(words: Lexicon, source: str, text: str) -> bool:
    """In Chinese, where none of them is an article: the same words in the same order, with another
    particle.
    """
    if words.articles or tokens(source) == tokens(text):
        return False
    ends_in_particle = [one.rstrip("。.").endswith(words.possessive) for one in (source, text)]
    if ends_in_particle == [False, True] and not words.copulas.isdisjoint(tokens(source)):
        return False  # "是销售部的经理的"
    markers = [[token for token in tokens(one) if token in words.agents] for one in (source, text)]
    return markers[0] == markers[1] and content(words.code, source) == content(words.code, text)
