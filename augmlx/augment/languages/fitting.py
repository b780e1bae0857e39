"""Whether the word that a question asks with fits its answer, as far as the answer's own words tell
what it names.
"""

from __future__ import annotations

from augmlx.augment.languages.content import CONDITION, content, folded, tokens
from augmlx.augment.languages.lexicon import Lexicon, lexicon


def fits(code: str, source: str, question: str, answer: str) -> bool:
    """Whether a question asks for what its answer is.

    Args:
        code: the language.
        source: the fact; it holds the answer.
        question: with a word that asks.
        answer: as the fact has it.
    """
    words = lexicon(code)
    if not _keeps_order(code, source, question, answer):
        return False
    asked, told = tokens(question), tokens(answer)
    has_number = any(map(str.isdigit, told))
    if has_number and not words.who.isdisjoint(asked):
        return False
    place = next((place for place, token in enumerate(asked) if token in words.asking), None)
    if not words.articles and not _fits_in_chinese(words, source, question, answer):
        return False
    if place is None or not told:
        return True  # in Chinese, where such words are several tokens
    word, before = asked[place], asked[place - 1] if place else ""
    if words.possessive and before == words.possessive and word in words.who:
        return False  # "销售部的谁": a post is not asked for by "who"
    is_condition = content(code, answer)[:1] == (CONDITION,)
    is_marked = told[0] in words.prepositions or is_condition
    if word in words.where and (is_condition or told[0].isdigit()):
        return False
    being = words.copulas | words.passives
    if word in words.where and not being.isdisjoint(asked) and being.isdisjoint(tokens(source)):
        return False  # "¿Dónde está la cafetería?", of one that closes on Mondays
    if _lacks_agent(words, source, asked, told):
        return False
    if word in (words.who | words.what | words.where_or_when) and _names_next(question, word):
        return False
    if _adds_copula(words, source, asked[place + 1 :]):
        return False
    if before in words.agents and word in words.who:
        return not is_marked
    if _exchanges_roles(words, source, question, word, answer):
        return False
    if word in words.why or (before in words.agents and word in words.what):
        return told[0] in words.causes
    if word in words.amounts:
        return tokens(source)[: len(told)] != told or has_number
    if word in words.where_or_when:
        opens_fact = tokens(source)[: len(told)] == told
        return is_marked or not opens_fact
    if word in words.what and not words.times.isdisjoint(told):
        return before in words.prepositions
    if word in words.what:
        asks_behind_preposition = before in words.prepositions or before in words.small
        if before in words.prepositions and not is_marked:
            return has_number
        if is_marked:
            return asks_behind_preposition
        return not _is_full_name(words, answer)
    if word in words.who:
        return not is_marked and (_is_name(words, answer) or not words.copulas.isdisjoint(asked))
    return True


def _fits_in_chinese(words: Lexicon, source: str, question: str, answer: str) -> bool:
    """Whether "where" is not asked of what owns something ("哪里保修期", of "水泵的保修期"), and
    "what" of no noun that the answer ends with.
    """
    if len(answer) == 1 or "！" in question:
        return False  # "两" is no amount without what is counted
    owns = f"{answer}{words.possessive}" in source
    if owns and question.startswith(tuple(words.where)):
        return False
    _, found, behind_what = question.partition("什么")
    return not found or not any(
        behind_what.startswith(answer[-length:]) for length in range(2, len(answer) + 1)
    )


def _lacks_agent(words: Lexicon, source: str, asked: list[str], told: list[str]) -> bool:
    """Whether a passive question asks for who did it without saying so ("par", "von")."""
    given = tokens(source)
    did_it = any(
        given[place : place + 1 + len(told)] == [agent, *told]
        for place, agent in enumerate(given)
        if agent in words.agents
    )
    is_passive = not words.passives.isdisjoint(given) and not words.passives.isdisjoint(asked)
    return did_it and is_passive and words.agents.isdisjoint(asked)


def _exchanges_roles(words: Lexicon, source: str, question: str, word: str, answer: str) -> bool:
    """Whether a question about an active sentence asks who does it where that is done to the
    answer, or the other way round. Such a sentence begins with who does it, unless it begins with
    where or when.
    """
    given, told = tokens(source), tokens(answer)
    is_active = words.copulas.isdisjoint(given) and words.passives.isdisjoint(given)
    if not is_active or given[0] in words.prepositions or given[0].isdigit():
        return False
    if content(words.code, source)[:1] == (CONDITION,):
        return False
    does_it = given[: len(told)] == told
    asks_for_doer = word in words.doers or _asks_what_does(words, question)
    asks_for_object = word in words.who - words.doers
    if words.what_does and word in words.what and not asks_for_doer:
        asks_for_object = True
    return (asks_for_doer and not does_it) or (asks_for_object and does_it)


def _asks_what_does(words: Lexicon, question: str) -> bool:
    return bool(words.what_does) and words.what_does in folded(question)


def _keeps_order(code: str, source: str, question: str, answer: str) -> bool:
    """Whether the answer, put where a Chinese question asks, begins its fact again: there a
    question has the order of a statement. What a copula turns, and a condition, may stand anywhere;
    a passive sentence begins with what is done.
    """
    words = lexicon(code)
    is_free = any(copula in source for copula in words.copulas)
    if words.articles or is_free or source.startswith(tuple(words.conditions)):
        return True
    is_passive, asks_passively = (not words.agents.isdisjoint(text) for text in (source, question))
    if is_passive != asks_passively:
        return source.startswith(answer)
    phrases = sorted((*words.small, *words.asking), key=lambda word: (-len(word), word))
    asking = [phrase for phrase in phrases if any(word in phrase for word in words.asking)]
    phrase = next((phrase for phrase in asking if phrase in question), "")
    filled = question.replace(phrase, f" {answer} ", 1)
    return content(code, filled)[:1] == content(code, source)[:1]


def _adds_copula(words: Lexicon, source: str, behind: list[str]) -> bool:
    """Whether a question asks what something is ("Was ist der Schalter?") where the fact does not
    say so. "Qu'est-ce qui" is only a way to ask.
    """
    is_way_to_ask = behind[1:2] == ["ce"]
    if is_way_to_ask or behind[:1] == [] or behind[0] not in words.copulas:
        return False
    return words.copulas.isdisjoint(tokens(source))


def _names_next(question: str, word: str) -> bool:
    """Whether a name or a number stands right behind the word that asks, where a verb should."""
    behind = question[question.casefold().find(word) + len(word) :].lstrip()
    return behind[:1].isupper() or behind[:1].isdigit() or behind[:2] == "--"


def _is_name(words: Lexicon, answer: str) -> bool:
    """Whether an answer has a name in it and no article before it; in Chinese nobody can tell."""
    if not words.articles:
        return True
    has_capital = any(part[:1].isupper() for part in answer.split())
    return has_capital and tokens(answer)[0] not in words.small


def _is_full_name(words: Lexicon, answer: str) -> bool:
    """Whether an answer is two capitalized words or more, as somebody's name is."""
    parts = answer.split()
    are_capitalized = all(part[0].isupper() and part.isalpha() for part in parts)
    return len(parts) > 1 and are_capitalized and tokens(answer)[0] not in words.small
