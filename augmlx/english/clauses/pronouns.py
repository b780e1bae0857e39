"""Whom or what a pronoun stands for where its own sentence does not say: "She sold it." behind "Ada
Voss founded Orrin Mills.".

An antecedent is given only where there is hardly a doubt: one thing alone that can be meant in the
nearest sentence that names any, or (less surely) the subject behind a subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from augmlx.english.clauses.named import Named, named_in
from augmlx.english.clauses.phrase import OBJECTS, SUBJECTS, Tokens, capitalised, children
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.tokens import Token, parse
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS, normalise

_FARTHEST = 3  # sentences before


class Pronoun(NamedTuple):
    """A pronoun where it stands.

    Attributes:
        text: in lower case.
        start, end: where it stands in the sentence.
        wanted: what it stands for: "person", "thing" or "several".
        is_possessive: whether it stands for a name with "'s".
        is_subject: whether its sentence, or a clause of it, is about it, or about what is its.
        verb: the place of the verb that does something to it; -1 where none does.
    """

    text: str
    start: int
    end: int
    wanted: str
    is_possessive: bool
    is_subject: bool
    verb: int = -1


def open_pronouns(text: str) -> tuple[Pronoun, ...]:
    """The pronouns of a sentence that stand for nothing which it has named before them."""
    found: list[Pronoun] = []
    for pronoun in _pronouns(text):
        is_named = any(_can_be(pronoun, each) for each in named_in(text))
        is_said = any(other.wanted == pronoun.wanted for other in found)
        if not is_named and not (is_said and pronoun.is_possessive):
            found.append(pronoun)
    return tuple(found)


def _can_be(pronoun: Pronoun, named: Named) -> bool:
    """Whether a pronoun can stand for what its own sentence names; what somebody does to "him" is
    not done to himself.
    """
    is_amount = "amount" in named.kinds and pronoun.wanted != "person"  # "one tablet"
    is_fitting = is_amount or pronoun.wanted in named.kinds
    is_before = named.start < pronoun.start
    return is_before and is_fitting and (pronoun.verb < 0 or pronoun.verb != named.verb)


@lru_cache(maxsize=CACHED_TEXTS)
def points_elsewhere(text: str) -> bool:
    """Whether a sentence speaks of what another one says: "This was a surprise.", "The latter is
    red.", "She may do so.", "She lives there.", "Two years later the mill burned down.".
    """
    tokens = parse(text)
    words = word_set("pointing_words")
    pointing = [token for token in tokens if token.tag == "DT" and token.text.lower() in words]
    pointing += [token for token in tokens if token.text.lower() in word_set("pointing_nouns")]
    pointing += list(_without_noun(tokens))
    if any(token.dep in {*SUBJECTS, *OBJECTS, "pobj"} for token in pointing):
        return True
    return any(_points(tokens, place) for place in range(len(tokens)))


def _without_noun(tokens: Tokens) -> Iterator[Token]:
    """What stands for a noun that another sentence has: "the second", but not "the second of the
    two floors", nor behind a noun of its own sentence.
    """
    for place, token in enumerate(tokens):
        below = [tokens[n].text.lower() for n in children(tokens, place)]
        if token.text.lower() in word_set("pointing_without_noun") and "of" not in below:
            yield token
        if token.tag in ("NN", "NNS", "NNP", "NNPS", "PRP"):
            return


@lru_cache(maxsize=CACHED_TEXTS)
def leans(text: str) -> bool:
    """Whether a sentence that goes on from another also says when, or how much, by what that one
    says: "She sold it two years later.", "It costs 40 euros more.", "It is then rolled out.".
    """
    tokens = parse(text)
    words = {token.text.lower() for token in tokens}
    for place, token in enumerate(tokens):
        word = token.text.lower()
        is_first = tokens[token.head].dep == "ROOT"
        if word in word_set("pointing_times") and token.dep == "advmod" and is_first:
            return True
        is_bound = place > 0 and tokens[place - 1].text.lower() in ("no", "or")
        is_comparing = token.tag in ("JJR", "RBR") and word not in word_set("not_comparing")
        if is_comparing and word not in word_set("pointing_times") and not is_bound:
            return "than" not in words
    return False


def _points(tokens: Tokens, place: int) -> bool:
    """Whether an adverb stands for what another sentence says."""
    token = tokens[place]
    word = token.text.lower()
    if token.dep not in ("advmod", "npadvmod"):
        return False
    if word in word_set("pointing_times"):
        subjects = (n for n, other in enumerate(tokens) if other.dep in SUBJECTS)
        is_of_noun = tokens[place + 1 : place + 2] and tokens[place + 1].tag in ("NN", "NNS", "JJ")
        return place < next(subjects, 0) and not is_of_noun  # "Later versions need 4 GB."
    is_done = word == "so" and tokens[token.head].lemma == "do"
    is_there = word == "there" and tokens[token.head].is_verb
    if not is_done and not is_there:
        return False
    above = {token.head}
    verb = tokens[token.head]
    while verb.dep not in ("ROOT", "conj"):
        above.add(verb.head)
        verb = tokens[verb.head]
    # What another verb of the sentence says may be meant.
    return not any(
        other.is_verb and n not in above and other.dep not in ("aux", "auxpass")
        for n, other in enumerate(tokens[:place])
    )


def meant_by(text: str, before: Sequence[str]) -> dict[Pronoun, Named] | None:
    """What the open pronouns of a sentence stand for; None where that is not sure, or it speaks of
    what another one says.

    Args:
        before: the sentences before it, the nearest last.
    """
    if points_elsewhere(text):
        return None
    meant: dict[Pronoun, Named] = {}
    for pronoun in open_pronouns(text):
        named = antecedent(pronoun, before)
        if named is None or any(other.text == named.text for other in meant.values()):
            return None  # "They told them": one of the two is somebody else
        meant[pronoun] = named
    if meant and (leans(text) or read(resolved(text, meant)) is None):
        return None  # or nobody knows whether it was read as it is meant
    return meant


def antecedent(pronoun: Pronoun, before: Sequence[str]) -> Named | None:
    """Whom or what a pronoun stands for, by the sentences before its own, the nearest last; None
    where that is not sure.
    """
    for number in range(len(before) - 1, max(-1, len(before) - 1 - _FARTHEST), -1):
        sentence = before[number]
        if pronoun.wanted == "several" and _has_two_persons(sentence):
            return None  # "He writes, and she draws the maps.": the two of them, or the maps
        fitting = [each for each in named_in(sentence) if pronoun.wanted in each.kinds]
        for other in open_pronouns(sentence):
            if other.wanted != pronoun.wanted:
                continue
            meant = antecedent(other, before[:number])
            if meant is None:
                return None
            meant = meant._replace(is_subject=other.is_subject)
            if other.is_subject and _are_of_one(pronoun, other):
                return meant
            fitting.append(meant)
        if fitting:
            named = _surest(pronoun, fitting)
            is_read = read(sentence) is not None
            return named._replace(is_sure=named.is_sure and is_read) if named else None
    return None


def rivals(pronoun: Pronoun, guess: Named, before: Sequence[str]) -> list[Named]:
    """What else a pronoun may stand for: all that fits and is named as near as what is guessed; and
    where that is not what its sentence is about, what was spoken of before it, too.
    """
    fitting: dict[str, Named] = {}
    for sentence in reversed(before[-_FARTHEST:]):
        named = [each for each in named_in(sentence) if pronoun.wanted in each.kinds]
        fitting |= {each.said: each._replace(text=each.said) for each in named if each.said}
        if guess.text in fitting and guess.is_subject:
            break
    return [each for said, each in fitting.items() if said != guess.text]


def _has_two_persons(sentence: str) -> bool:
    """Whether a sentence speaks of two persons who are not named together."""
    persons = {
        normalise(each.text)
        for each in named_in(sentence)
        if each.kinds == {"person"} and (each.is_subject or each.is_object)
    }
    persons |= {each.text for each in open_pronouns(sentence) if each.wanted == "person"}
    are_together = any(
        "several" in each.kinds and " and " in each.text for each in named_in(sentence)
    )
    return len(persons) > 1 and not are_together


def _are_of_one(pronoun: Pronoun, other: Pronoun) -> bool:
    """Whether two pronouns for a person are of one gender."""
    his = word_set("standing_for_him")
    return pronoun.wanted == "person" and (pronoun.text in his) == (other.text in his)


def _surest(pronoun: Pronoun, fitting: Sequence[Named]) -> Named | None:
    """Of what a sentence names, what a pronoun behind it stands for."""
    distinct = {normalise(each.text): each for each in fitting}
    if pronoun.is_possessive and not pronoun.is_subject and pronoun.wanted != "person":
        return None  # "on its shores" may be those of what was spoken of long before
    is_sure = len(distinct) == 1
    if not is_sure:
        subjects = {text: each for text, each in distinct.items() if each.is_subject}
        is_parallel = pronoun.is_subject and pronoun.wanted != "person"
        distinct = subjects if is_parallel else {}
    if len(distinct) != 1:
        return None
    (meant,) = distinct.values()
    if not meant.text or not (meant.is_subject or meant.is_object):
        return None
    return meant._replace(is_sure=is_sure and meant.is_sure)


def resolved(text: str, meant: Mapping[Pronoun, Named]) -> str:
    """A sentence with what its pronouns stand for in their place."""
    for pronoun in sorted(meant, key=lambda each: -each.start):
        name = meant[pronoun].text
        if pronoun.is_possessive:
            is_plural = pronoun.wanted == "several" and name.endswith("s")
            name += "'" if is_plural else "'s"
        if pronoun.start == 0:
            name = capitalised(name)
        text = text[: pronoun.start] + name + text[pronoun.end :]
    return text


# Pronouns


@lru_cache(maxsize=CACHED_TEXTS)
def _pronouns(text: str) -> tuple[Pronoun, ...]:
    """All that stand for somebody or something that is spoken of."""
    tokens = parse(text)
    found = []
    for place, token in enumerate(tokens):
        word = token.text.lower()
        wanted = _wanted(word)
        if wanted and token.tag.startswith("PRP") and not _is_empty(tokens, place):
            is_possessive = token.tag == "PRP$"
            own = tokens[token.head] if is_possessive else token
            verb = _verb_of(tokens, token.head) if token.dep in (*OBJECTS, "dative") else -1
            found.append(
                Pronoun(
                    word,
                    token.start,
                    token.end,
                    wanted,
                    is_possessive,
                    is_subject=own.dep in SUBJECTS,
                    verb=verb,
                )
            )
    return tuple(found)


def _verb_of(tokens: Tokens, verb: int) -> int:
    """A verb, or the first of those that it is joined to and shares its subject with."""
    while tokens[verb].dep == "conj" and not any(
        tokens[n].dep in SUBJECTS for n in children(tokens, verb)
    ):
        verb = tokens[verb].head
    return verb


def _wanted(word: str) -> str:
    if word in word_set("standing_for_him") | word_set("standing_for_her"):
        return "person"
    if word in word_set("standing_for_things"):
        return "thing"
    return "several" if word in word_set("standing_for_several") else ""


def _is_empty(tokens: Tokens, place: int) -> bool:
    """Whether an "it" stands for nothing: "It is forbidden to smoke.", "It rains."."""
    if tokens[place].text.lower() != "it" or tokens[place].dep not in SUBJECTS:
        return tokens[place].dep == "expl"
    verb = tokens[place].head
    if tokens[verb].lemma in word_set("weather_verbs"):
        return True
    below = children(tokens, verb)
    below += [n for child in below if tokens[child].dep == "acomp" for n in children(tokens, child)]
    has_clause = any(tokens[n].dep in ("xcomp", "ccomp", "csubj", "csubjpass") for n in below)
    is_passive = tokens[place].dep == "nsubjpass"
    return has_clause and (is_passive or tokens[verb].lemma in ("be", "take"))
