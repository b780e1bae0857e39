"""Signs that a text says something else than a statement, whatever its form.

They are heard before anything but grammar is trusted; a text without such a sign may be wrong all
the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from augmlx.english.adjectives import is_comparative
from augmlx.english.clauses import forms
from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.beginning import begins_oddly, keeps_a_capital, names_him_late
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.inverting import requires_oddly
from augmlx.english.clauses.phrase import Phrase
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.reordering import says_who_twice
from augmlx.english.lexicon import either, word_set
from augmlx.english.stems import stem
from augmlx.english.synonyms import symmetric
from augmlx.english.text import normalise

_NUMBER = re.compile(r"\d")
_COMPARED = re.compile(r" than (?!\d)")  # logic knows its other end
_SINGLED_OUT = re.compile(r"It (?:is|was) .+ (?:that|who) (\w+)")
_IS_SINGLED_OUT = re.compile(r"It (is|was) .+? (?:that|who) \1 ")
_ONE_WORD_SINGLED_OUT = re.compile(r"It (?:is|was) [a-z-]+ (?:that|who) ")
_COUNTED_NAME = re.compile(r"\b[Aa]n? ([A-Z][\w'’-]*)")
_GAPPED = re.compile(r" (?:is|was|are|were) (?:where|what|who|how long) ")
_BY_NOBODY = re.compile(rf" by (?:{either('denying')}) ", re.I)
_NOW, _THEN = ("is", "are", "does", "do"), ("was", "were", "did")
_KINDS_OF_ANSWER = {  # a question word -> the kinds that do not answer it
    "who": ("thing", "place", "time", "amount", "duration", "manner"),
    "when": ("person", "body", "thing", "place", "amount"),
    "where": ("person", "body", "time", "amount", "duration"),
}


# Statements


def is_otherwise_said(source: str, text: str) -> bool:
    """Whether a text is of another time than a statement, exchanges who does what to whom, loses
    how or when it is so, makes one of several of the only one, takes a place for what lies there
    ("The town hall is the archive."), gives a number to something else, calls somebody a man or a
    woman of whom it is not said, singles out one word of a sentence that cannot be read, says what
    can be of what is or shall be, begins as nobody would, or says that nobody did what is denied
    of all ("are accepted by no employee"), that something is required by what it is required for,
    "It is Ana who is the painter who left.", or who somebody is only behind "he".
    """
    given, said = read(source), read(text)
    if given is None and _ONE_WORD_SINGLED_OUT.match(text):
        return True  # "It is expense that claims older than a year are not paid."
    if _loses_its_order(source, text) or _counts_a_name(source, text):
        return True
    if _BY_NOBODY.search(text) and not _BY_NOBODY.search(source):
        return True
    if given is not None and said is not None and _tears_a_comparison(given, said):
        return True
    if given is not None and says_who_twice(given) and _IS_SINGLED_OUT.match(text):
        return True
    if given is not None and (_is_now_elsewhere(given, text) or _is_required_oddly(given, text)):
        return True
    if given is not None and said is not None:
        if _is_of_another_time(given, said) or _is_exchanged(given, said):
            return True
        if _is_weakened(given, said) or begins_oddly(given, said):
            return True
        if names_him_late(given, said):
            return True
        if any(part.role == "adjunct" and _is_lost(part, text) for part in given.parts):
            return True
        is_placed = given.verb == "be" and given.attribute is None
        if is_placed and said.verb == "be" and _names_its_subject(said):
            return True
    added = _words(text) - _words(source)
    is_of_mood = not (word_set("modals") | word_set("abilities")).isdisjoint(_words(source))
    if added & word_set("gendered_nouns") or (added & word_set("abilities") and not is_of_mood):
        return True
    return _moves_a_number(source, text)


def _is_required_oddly(given: Clause, text: str) -> bool:
    """Whether something is said to be required by what it is required for."""
    return requires_oddly(given) and f" {forms.participle(given.verb)} by " in text


def _tears_a_comparison(given: Clause, said: Clause) -> bool:
    """Whether of two comparisons that are joined one is turned round, and the other is not: "The
    Heron is larger than the Plover but faster." of "The Plover is smaller than the Heron but
    faster."; or "but not as long."
    """
    if given.subject is None or said.subject is None or _SINGLED_OUT.match(said.text):
        return False
    joined = [token for token in given.tokens if token.dep == "conj"]
    compares = any(is_comparative(token.text) or token.tag.startswith("JJ") for token in joined)
    are_two = " than " in given.text and compares
    return are_two and _noun(given.subject) != _noun(said.subject)


def _loses_its_order(source: str, text: str) -> bool:
    """Whether a text does not say what is done first: "Knead it, let it rest." of "Knead it, then
    let it rest."; but not "B if A" of "If A, then B".
    """
    words = _words(source)
    is_conditional = not {"if", "when"}.isdisjoint(words)
    return not is_conditional and bool(words & word_set("in_turn") - _words(text))


def _counts_a_name(source: str, text: str) -> bool:
    """Whether a name has "a" before it, and has none in the source: "a Zinerol"."""
    counted = set(_COUNTED_NAME.findall(text)) - set(_COUNTED_NAME.findall(source))
    return any(f" {name} " in f" {source} " for name in counted)


def _is_lost(circumstance: Phrase, text: str) -> bool:
    """Whether a text does not say how, when, how long or how often as its source does: "by default"
    is not "the default".
    """
    is_bound = circumstance.kind in ("manner", "time", "duration", "amount")
    return is_bound and f" {normalise(circumstance.text)} " not in f" {normalise(text)} "


def _names_its_subject(clause: Clause) -> bool:
    """Whether a clause says what its subject is, and not only where or like what."""
    attribute = clause.attribute
    return attribute is not None and clause.tokens[attribute.head].tag.startswith("N")


def _is_of_another_time(given: Clause, said: Clause) -> bool:
    if found := _SINGLED_OUT.match(said.text):
        return _is_of_another_form(given, found[1].lower())
    if (given.verb == "be") != (said.verb == "be"):
        return False  # "Ana wrote the book.": she is its author
    if given.is_present and said.auxiliaries[:1] in (["has"], ["have"]):
        return True
    return (given.is_past and said.is_present) or (given.is_present and said.is_past)


def _is_now_elsewhere(given: Clause, text: str) -> bool:
    """Whether what was is said to be, from the other end: "Venn is where Ana teaches."."""
    is_past = given.is_past and not given.helpers and _GAPPED.search(text) is not None
    return is_past and forms.third_person(given.verb) in _words(text)


def _is_of_another_form(given: Clause, verb: str) -> bool:
    """Whether what is said of the one who is singled out has the verb's form of another time: "It
    is the bulb that replaced it."
    """
    past, present = forms.past(given.verb), forms.third_person(given.verb)
    is_alone = not given.helpers and past not in (given.verb, present)
    if not is_alone:
        return False
    return (given.is_present and verb == past) or (given.is_past and verb in (given.verb, present))


def _is_weakened(given: Clause, said: Clause) -> bool:
    """Whether "the" one became "a" one: "Ana is a director of the mill."."""
    one, other = given.attribute, said.attribute
    if given.verb != "be" or said.verb != "be" or one is None or other is None:
        return False
    is_one_of_several = other.text.lower().startswith(("a ", "an "))
    return is_one_of_several and one.text.lower().startswith("the ") and _noun(one) == _noun(other)


def _is_exchanged(given: Clause, said: Clause) -> bool:
    """Whether the same verb is said of the other end: in the same voice with subject and
    complement exchanged, or in the other voice with the same subject.
    """
    if given.subject is None or said.subject is None or stem(given.verb) != stem(said.verb):
        return False
    if _holds_both_ways(given) or _COMPARED.search(given.text):
        return False
    if given.passive != said.passive:
        return given.object is not None and _noun(given.subject) == _noun(said.subject)
    if given.verb == "be" and _names_its_subject(given):
        return False  # "The captain is Omar."
    # "before" becomes "after", "north of" "south of" where the ends are exchanged rightly.
    gone = [_around(part, given.subject) for part in said.parts if _holds(part, given.subject)]
    come = [_around(part, said.subject) for part in given.parts if _holds(part, said.subject)]
    return any(one <= other or other <= one for one in gone for other in come)


def _around(part: Phrase, subject: Phrase) -> frozenset[str]:
    """What else a part says than its subject, by stems."""
    rest = normalise(part.text).replace(_noun(subject), " ").split()
    return frozenset(stem(word) for word in rest) - {"the", "a", "an"}


def _holds_both_ways(clause: Clause) -> bool:
    words = normalise(clause.text).split()
    if words.count("as") == 2 and word_set("multiplying").isdisjoint(words):
        return True
    return not symmetric().isdisjoint(map(stem, words))


def _holds(part: Phrase, subject: Phrase) -> bool:
    return f" {_noun(subject)} " in f" {normalise(part.text)} "


def _noun(part: Phrase) -> str:
    return normalise(part.noun).removeprefix("the ").removeprefix("a ").removeprefix("an ")


def _words(text: str) -> set[str]:
    return set(normalise(text).split())


# Numbers


def _moves_a_number(source: str, text: str) -> bool:
    """Whether of two numbers one is said of what the other was said of: the words between the
    number before and a number tell what it is said of.
    """
    given, said = dict(_said_of(source)), dict(_said_of(text))
    if len(given) < 2 or given.keys() != said.keys():
        return False
    counts = Counter(word for words in given.values() for word in words)
    own = {number: {w for w in words if counts[w] == 1} for number, words in given.items()}
    for number, words in said.items():
        of_others = set().union(*(theirs for other, theirs in own.items() if other != number))
        if words & of_others and not words & own[number]:
            return True
    return False


def _said_of(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each number of a text with the words between it and the one before."""
    between: set[str] = set()
    for word in text.split():
        plain = word.strip("\"'()[],.;:!?")
        if _NUMBER.search(plain):
            yield plain, between
            between = set()
        elif len(plain) > 2:
            between.add(stem(plain.lower()))


# Questions


def is_otherwise_asked(source: str, question: str, answer: str) -> bool:
    """Whether a question asks with a word that its answer does not fit ("Who" of a time), of
    another time than the statement is of, about whom or what only a pronoun names, or with the
    capital that a word had where it opened the statement.
    """
    clause = read(source)
    if normalise(answer) in word_set("free_relatives"):
        return True  # "Who comes first locks the door?" "Whoever"
    if keeps_a_capital(source, question):
        return True
    calling = word_set("calling")
    if calling & _words(question) and not calling & _words(source):
        return True  # "What is Lake Ombra called?" "the largest lake"
    first, _, rest = normalise(question).partition(" ")
    if any(_differs_in_its_word(question, ask.question) for ask in asks(source)):
        return True
    if clause is None:
        return False
    if clause.subject is not None and _is_unnamed(clause.subject):
        return True
    if clause.has_second_subject or _is_begun_by(clause.subject, answer):
        return True  # "The jacket is waterproof, but the zip is not."
    part = next((part for part in _phrases(clause) if _is(part, answer)), None)
    if part is not None and part.kind in _KINDS_OF_ANSWER.get(first, ()):
        return True
    helper = rest.partition(" ")[0]
    if _is_ungrammatical(clause, helper, rest.split(), part):
        return True
    is_of_verb = stem(clause.verb) in {stem(word) for word in rest.split()}
    is_off = (clause.is_past and helper in _NOW) or (clause.is_present and helper in _THEN)
    return is_of_verb and is_off


def _is_begun_by(subject: Phrase | None, answer: str) -> bool:
    """Whether an answer is what a subject begins with, and not the whole: "entry" of "entry to the
    park".
    """
    start = f"{normalise(answer)} "
    noun = normalise(subject.text) if subject is not None else ""
    behind = noun.removeprefix(start).split()
    return noun.startswith(start) and behind[0] in word_set("prepositions")


def _is_unnamed(subject: Phrase) -> bool:
    """Whether a subject is a pronoun that stands for a name: "it", but not "you"."""
    word = subject.text.lower()
    return word in word_set("pronouns") - word_set("speaking_pronouns") - {"there"}


def _is_ungrammatical(
    clause: Clause, helper: str, words: Sequence[str], asked: Phrase | None
) -> bool:
    """Whether "did" has another verb behind it than its first form ("What did he directed?") or the
    one of a passive, or somebody who did it is asked for without "by" ("Who was it founded?").
    """
    if helper in ("do", "does", "did"):
        own = clause.verb_text.lower()  # "found" is a form of "find", and its stem tells nothing
        forms = {word for word in words if word == own or stem(word) == stem(clause.verb)}
        return bool(forms) and (clause.passive or clause.verb not in forms)
    did_it = asked is not None and asked.role == "agent"
    is_passive = helper in (*_NOW, *_THEN) and clause.verb_text.lower() in words
    return did_it and is_passive and "by" not in words


def _differs_in_its_word(question: str, known: str) -> bool:
    """Whether two questions differ in their first word alone: "What was it founded by?", of a
    person.
    """
    one, other = normalise(question), normalise(known)
    return one != other and one.partition(" ")[2] == other.partition(" ")[2]


def _phrases(clause: Clause) -> Iterator[Phrase]:
    if clause.subject is not None:
        yield clause.subject
    yield from clause.parts


def _is(part: Phrase, answer: str) -> bool:
    return normalise(answer) in (normalise(part.text), normalise(part.noun))
