"""What a phrase names: somebody, a body of people, something, a place, a time, an amount, a reason.

Told by the word that names it, by the preposition, and by what the verb does; "unknown" wherever
these do not tell, and then nothing is asked that would need to know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from augmlx.english.clauses.forms import is_known, is_plural_noun
from augmlx.english.clauses.phrase import (
    CLAUSES,
    SUBJECTS,
    Kind,
    Span,
    Tokens,
    children,
    names_in,
    text_between,
)
from augmlx.english.clauses.tokens import Token
from augmlx.english.lexicon import either, word_set

_TIME = re.compile(
    rf"\b(?:1\d{{3}}|20\d{{2}}|q[1-4]|\d{{1,2}}:\d{{2}}|[ap]\.m\.|(?:{either('times')})s?)(?!\w)",
    re.IGNORECASE,
)
_DURATION = re.compile(rf"(?:{either('durations')})s?$", re.IGNORECASE)
_PERSON = re.compile(rf"(?:{either('person_endings')})$")
_MONEY = re.compile(r"[€£$¥]")
_LITERAL = re.compile(r"[\"“/~\\]")  # what is quoted, and paths
# A capital within a name that people's have, too: "McKay", "O'Neill", "Jean-Luc".
_PERSONAL = re.compile(r"(?:Mc|Mac|O['’]|D['’]|De|Di|Van|La|Le)[A-Z]\w+$|[A-Z]\w+-[A-Z]\w+$")

_PLACES = {"GPE", "LOC", "FAC"}
_THINGS = _PLACES | {"PRODUCT", "EVENT", "WORK_OF_ART", "NORP", "LANGUAGE", "LAW"}


def kind_of(tokens: Tokens, span: Span) -> Kind:
    """What a phrase names."""
    top, noun = tokens[span.top], tokens[span.head]
    text = text_between(tokens, span.first, span.last)
    if top.dep in CLAUSES:
        has_subject = any(tokens[n].dep in SUBJECTS for n in children(tokens, span.top))
        is_bare = span.preposition == "as" and not has_subject  # "count as approved"
        is_told = top.dep == "advcl" and not is_bare
        return _kind_of_clause(span.preposition, text) if is_told else "unknown"
    if text.lower().startswith(("because of ", "due to ", "owing to ")):
        return "reason"
    is_bare = noun.tag == "NN" and span.head == span.last == span.first + 1
    if span.preposition == "by" and (is_bare or _is_means(tokens, span)):
        return "manner"  # "by default"
    if _LITERAL.search(noun.text):
        is_path = "/" in noun.text and span.preposition in ("in", "to", "at", "from")
        return "place" if is_path else "thing"
    return _measured(tokens, span, text) or _located(tokens, span) or _who_or_what(tokens, span)


def _is_means(tokens: Tokens, span: Span) -> bool:
    """Whether "by" says how, and not who: "rejected by 31 votes to 12", "sold by the dozen",
    "lifted by their ears".
    """
    noun, opening = tokens[span.head], tokens[span.noun_first]
    if tokens[span.top].dep == "agent" and noun.lemma in word_set("margins"):
        return True
    if opening.tag == "PRP$":
        return not _names_somebody(noun.lemma)
    return opening.text.lower() == "the" and noun.lemma in word_set("sold_by")


def _kind_of_clause(mark: str, text: str) -> Kind:
    if mark in word_set("marks_of_reason"):
        return "reason"
    if mark in word_set("marks_of_condition"):
        return "condition"
    return "purpose" if text.lower().startswith(("to ", "in order to ")) else "unknown"


def _measured(tokens: Tokens, span: Span, text: str) -> Kind | None:
    """A time, a duration or an amount."""
    noun, opening = tokens[span.head], tokens[span.first]
    is_counted = any(tokens[n].dep == "nummod" for n in children(tokens, span.head))
    is_counted = is_counted and opening.tag not in ("DT", "PRP$", "NNP")
    is_counted = is_counted and tokens[span.noun_first].tag != "PRP$"  # "for her ten years"
    is_counted = is_counted and tokens[span.top].dep not in SUBJECTS
    if _DURATION.search(noun.text):
        if opening.text.lower() in ("every", "each"):
            return "time"
        if is_counted and noun.entity in ("DATE", "TIME", ""):
            return "time" if span.preposition in word_set("reaching") else "duration"
    if span.preposition in word_set("temporal") or not span.preposition:
        is_dated = noun.entity in ("DATE", "TIME") and _TIME.search(text)
        if is_dated or _TIME.search(noun.text) or _is_a_day(tokens, span):
            return "time"
    verb = tokens[tokens[span.top].head].lemma
    is_number = noun.tag == "CD" and span.head == span.last and noun.text.isalnum()
    if is_number and span.preposition == "at" and verb in word_set("clock_verbs"):
        return "time"  # "closes at six"
    is_quantity = noun.entity in ("MONEY", "PERCENT", "QUANTITY") and opening.tag != "DT"
    is_sum = _MONEY.match(noun.text) or noun.text == "%"
    is_several = is_counted and noun.tag in ("NN", "NNS") and not _are_some_people(tokens, span)
    if is_quantity or is_sum or is_several:
        return "amount"
    return None


def _is_a_day(tokens: Tokens, span: Span) -> bool:
    """Whether a phrase names days, or an hour: "on the next working day", "on public holidays",
    "outside rush hour".
    """
    noun = tokens[span.head]
    is_hour = noun.lemma == "hour" and noun.tag == "NN"
    return (span.preposition == "on" and noun.lemma in word_set("days")) or (
        span.preposition == "outside" and is_hour
    )


def _located(tokens: Tokens, span: Span) -> Kind | None:
    """A place, as far as the verb or the name tell."""
    noun = tokens[span.head]
    governor = tokens[tokens[span.top].head]
    root = next((token for token in tokens if token.dep == "ROOT"), governor)
    # A parser ties "in the tin" to the key that is kept there.
    verb = (governor if governor.is_verb else root).lemma
    if span.preposition not in word_set("placing") or not noun.tag.startswith("N"):
        return None
    inside = tokens[span.first : span.last + 1]
    names = {token.text.lower().rstrip(".") for token in inside}
    if verb in word_set("leaning_verbs") and noun.lemma not in word_set("places"):
        return None  # "ends in _test.py"
    if names & (word_set("organisations") - word_set("places")):
        return None
    if noun.entity in _PLACES or names & word_set("places"):
        return "place"
    if verb == "be":
        return "place" if noun.tag in ("NNP", "NNPS") else None
    return "place" if verb in word_set("placing_verbs_first") else None


def _who_or_what(tokens: Tokens, span: Span) -> Kind:
    noun = tokens[span.head]
    spoken = {noun.lemma, noun.text.lower()}
    is_alone = span.first == span.last and noun.start == 0
    opens_as_common = is_alone and is_known(noun.text.lower())
    if noun.tag == "PRP":
        return "person" if noun.lemma in word_set("personal_pronouns") else "unknown"
    is_new = is_alone and noun.dep == "nsubj" and not is_known(noun.text.lower())
    if noun.tag == "NN" and is_new:
        return _kind_of_name(tokens, span)
    if noun.tag in ("NN", "NNS"):
        if noun.lemma in word_set("assemblies") and _acts(tokens, span):
            return "body"
        if noun.lemma in word_set("makers"):
            return "body"
        is_person = (
            any(map(_names_somebody, spoken))
            or _is_who(tokens, span)
            or _are_some_people(tokens, span)
        )
        return "person" if is_person else "thing"
    if opens_as_common and noun.entity not in ("PERSON", "GPE", "ORG"):
        return "person" if spoken & word_set("people") else "thing"
    if noun.tag in ("NNP", "NNPS"):
        return _kind_of_name(tokens, span)
    is_number = noun.tag == "CD" and span.head == span.last  # not "three out of four voters"
    return "thing" if noun.tag == "VBG" or is_number else "unknown"


def _names_somebody(noun: str) -> bool:
    return noun in word_set("people") or _PERSON.search(noun) is not None


def _is_who(tokens: Tokens, span: Span) -> bool:
    """Whether a noun is followed by "who": "the cartographer who mapped the coast"."""
    clauses = [n for n in children(tokens, span.head) if tokens[n].dep == "relcl"]
    inside = [tokens[n] for clause in clauses for n in children(tokens, clause)]
    return any(token.text == "who" and token.dep in SUBJECTS for token in inside)


def _are_some_people(tokens: Tokens, span: Span) -> bool:
    """Whether it is a number of people: "three generations of village children"."""
    inside = tokens[span.head + 1 : span.last + 1]
    is_number = tokens[span.head].lemma in word_set("numbers_of_people")
    counted = next((token for token in inside if token.dep == "pobj"), None)
    return is_number and counted is not None and counted.lemma in word_set("people")


def _kind_of_name(tokens: Tokens, span: Span) -> Kind:
    """What a name is the name of: of a person where it has a title, two words or does what a person
    does, and nothing that people's names have not.
    """
    if (called := _called(tokens, span)) is not None:
        return "person" if _names_somebody(called) else "thing"
    names = names_in(tokens, span)
    if names and len(names[-1].text) == 1:
        return "unknown"  # "vitamin K"
    words = {name.text.lower().rstrip(".") for name in names}
    if words & word_set("titles") and len(names) > 1:
        return "person"
    acts = _acts(tokens, span)
    if words & word_set("bodies") or (acts and _are_a_team(tokens, span)):
        return "body"
    if _is_who(tokens, span) or _is_in_office(tokens, span):
        return "person"
    first, *others = names
    is_introduced = others and first.text.islower() and _names_somebody(first.lemma)
    if is_introduced and not words & word_set("organisations"):
        return "person"  # "the chemist Rufina Salk-Moreau"
    if _is_marked(tokens, span) or words & word_set("organisations") or any(map(_is_code, names)):
        return "thing"
    labels = {name.entity for name in names}
    if len(names) == 1:
        if acts:
            return "person"
        return "thing" if labels & _THINGS else "unknown"
    if "PERSON" in labels or acts:
        return "person"
    if labels & _THINGS:
        return "thing"
    return "person" if span.preposition in ("", "by") and len(names) <= 4 else "unknown"


def _called(tokens: Tokens, span: Span) -> str | None:
    """The noun that tells what has a name: "parrot" of "a parrot called Admiral"."""
    for before, token in pairwise(tokens[span.first : span.head + 1]):
        if token.text in word_set("calling") and before.tag == "NN":
            return before.lemma
    return None


def _is_in_office(tokens: Tokens, span: Span) -> bool:
    """Whether a name is that of who holds an office: "the Duchess of Avenham"."""
    inside = [tokens[n] for n in children(tokens, span.head)]
    is_somebody = tokens[span.head].text.lower() in word_set("people")
    return is_somebody and any(token.text == "of" for token in inside)


def _is_marked(tokens: Tokens, span: Span) -> bool:
    """Whether a name has an article, an owner, a number, an "&", or a plural of a common noun."""
    around = [tokens[n] for n in children(tokens, span.head)]
    inside: Sequence[Token] = tokens[span.first : span.last + 1]
    return (
        any(token.dep in ("det", "poss") for token in around)
        or any(re.search(r"[\d&]", token.text) for token in inside)
        or any(token.tag == "NNPS" and is_known(token.text.lower()) for token in inside)
    )


def _acts(tokens: Tokens, span: Span) -> bool:
    """Whether a phrase does what only somebody does."""
    verb = next((token.lemma for token in tokens if token.dep == "ROOT"), "")
    return tokens[span.top].dep in ("nsubj", "agent") and verb in word_set("agentive_verbs")


def _are_a_team(tokens: Tokens, span: Span) -> bool:
    """Whether a name is that of several with an article: "the Penrith Otters"."""
    has_article = tokens[span.noun_first].text.lower() == "the"
    return has_article and is_plural_noun(tokens[span.head].text.lower())


def _is_code(name: Token) -> bool:
    """Whether a name is written as no person's is."""
    text = name.text
    has_inner_capital = any(char.isupper() or char.isdigit() for char in text[1:])
    return has_inner_capital and len(text) > 2 and not _PERSONAL.match(text)
