"""How a part of a clause is asked for, where that is known: by which word, and what of it stays in
the question.

Nobody is "what", nothing is "who".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.forms import is_adverb
from augmlx.english.clauses.phrase import Phrase, capitalised, children
from augmlx.english.clauses.turned import points_back
from augmlx.english.lexicon import either, word_set

# "a rated output of 8.5 kW at 7 °C": its name, the amount, and what follows.
_NAMED_AMOUNT = re.compile(
    rf"(?:an?|the) (?P<name>(?:[\w-]+ )*(?:{either('measured')})) of "
    r"(?P<amount>(?:(?:about|around|over|under|up to|at least|at most) )?[\d€£$][\w.,]*"
    r"(?: ?(?:[^\W\d_]+|%|°C?))?)(?: (?P<rest>(?:at|in|per|on|with|for) .+))?"
)


class Asked(NamedTuple):
    """How a part is asked for: the question word, the answer, the preposition left behind, what of
    the part stays in the question.
    """

    word: str
    answer: str
    stranded: str = ""
    rest: str = ""


def asked_for(clause: Clause, part: Phrase) -> Asked | None:
    """How a part is asked for, where that is known."""
    if part.role == "clause":
        return _asked_by_clause(clause, part)
    if points(part) or is_none(part) or part.preposition == "as":
        return None
    if part.kind == "reason" and clause.verb != "be":
        return Asked("Why", clause.lowered(part))
    if part.role == "attribute":
        return _asked_by_attribute(clause, part)
    if part.role == "adjunct" and (found := _asked_by_adjunct(clause, part)):
        return found
    return _asked_by_noun(clause, part)


def _asked_by_clause(clause: Clause, part: Phrase) -> Asked | None:
    if part.kind == "reason" and part.preposition == "because":
        return Asked("Why", clause.lowered(part))
    if part.kind == "condition" and part.preposition in ("if", "when"):
        return Asked("When", clause.lowered(part))
    return None


def _asked_by_attribute(clause: Clause, part: Phrase) -> Asked | None:
    measure = re.fullmatch(rf"(.*\d.*|\w+ \w+) ({'|'.join(word_set('measures'))})", part.text)
    if measure and clause.verb == "be":  # "240 metres long"
        return Asked(f"How {measure[2]}", measure[1])
    is_noun = clause.tokens[part.head].tag.startswith("N")
    is_changed = bool(clause.auxiliaries or clause.negations)
    if not is_noun or is_changed or clause.subject is None:
        return None
    if word := word_of_both(clause):
        return Asked(word, part.noun)
    if clause.verb != "be" and part.kind == "person":
        return Asked("What", part.noun)  # "became the director of the lab"
    asked = _asked_by_noun(clause, part)
    is_odd = asked and asked.word == "What" and clause.subject.kind == "person"
    # Then one of the two was taken for what it is not.
    return None if is_odd and clause.verb == "be" else asked


def _asked_by_adjunct(clause: Clause, part: Phrase) -> Asked | None:
    """When, where, how long and how often."""
    said, preposition = clause.lowered(part), part.preposition
    are_units = clause.tokens[part.head].tag == "NNS"
    if part.kind == "time":
        if said.startswith(("every ", "each ")):
            return Asked("How often", said)
        if are_units and preposition == "after":
            return Asked("After how long", part.noun)
        if preposition in ("until", "till", "since"):
            return Asked(f"{capitalised(preposition)} when", part.noun)
        if preposition == "from" and re.search(r" (?:to|until) ", part.noun):
            return Asked("When", said)
        is_point = preposition in ("in", "on", "at", "") and not (are_units and preposition == "in")
        return Asked("When", said) if is_point else None
    if part.kind == "duration" and preposition in ("for", ""):
        return Asked("How long", part.noun)
    if part.kind == "place" and preposition in word_set("static"):
        return Asked("Where", said)
    return None


def _asked_by_noun(clause: Clause, part: Phrase) -> Asked | None:
    """Who and what."""
    if part.role == "object" and (match := _NAMED_AMOUNT.fullmatch(part.text)):
        return Asked(f"What {match['name']}", match["amount"], rest=match["rest"] or "")
    preposition = part.preposition
    is_beside = preposition == "by" and part.role != "agent"  # "the box by the door"
    if is_beside or is_adverb(part.noun.lower()) or says_how(clause, part):
        return None
    if preposition in ("in", "at", "on") and part.kind != "person" and points_back(part):
        return None  # "at its peak"
    if part.role == "adjunct" and (not preposition or part.kind in ("time", "duration")):
        return None
    if preposition in ("from", "between") and re.search(r" (?:to|and) ", part.noun):
        return None
    if preposition == "to" and clause.tokens[part.head].entity in ("DATE", "TIME"):
        return None  # "postponed to 9 November"
    if part.kind == "amount" and preposition == "at" and " per " in part.noun:
        return None  # "danced at 50 bars per minute"
    lasts = clause.verb in word_set("lasting_verbs") or clause.verb not in word_set("having_verbs")
    if part.kind == "duration" and (lasts or _is_needed(clause)):
        return Asked("How long", part.noun)
    if part.kind == "amount" and clause.verb == "cost":
        return Asked("How much", part.noun)
    if part.kind == "amount" and _are_people(clause, part):
        return _asked_by_number(clause, part)
    if part.kind == "amount" and clause.verb == "last":
        return None
    if part.kind == "person":
        is_free = not preposition or part.role == "agent" or preposition in word_set("stranded")
        return Asked("Who", part.noun, preposition) if is_free else None
    are_people = clause.tokens[part.head].lemma in word_set("gatherings")
    if part.role == "agent" and (part.kind == "body" or are_people):
        return Asked("Who", part.noun, preposition)
    if part.kind not in ("thing", "body", "place", "amount", "duration"):
        return None
    if may_be_people(clause, part):
        return None
    if not preposition or part.role == "agent" or preposition in word_set("stranded"):
        return Asked("What", part.noun, preposition)
    return None


def _is_needed(clause: Clause) -> bool:
    """Whether a duration is what something takes: "needed nine hours to put out the blaze"."""
    return any(part.role == "clause" and part.text.startswith("to ") for part in clause.parts)


def says_how(clause: Clause, part: Phrase) -> bool:
    """Whether a part says how something is done, and names nothing: "in writing"."""
    noun = clause.tokens[part.head].text.lower()
    return part.preposition in ("in", "at", "on") and noun in word_set("manners")


def _are_people(clause: Clause, part: Phrase) -> bool:
    noun = clause.tokens[part.head]
    return part.preposition != "of" and noun.lemma in word_set("people")


def _asked_by_number(clause: Clause, part: Phrase) -> Asked | None:
    """How many: of "up to two guests" and "42,500 people"."""
    noun = clause.tokens[part.head]
    number = part.text.removesuffix(f" {noun.text}")
    inside = [token for token in clause.tokens if part.start <= token.start < noun.start]
    is_bare = part.role == "object" and noun.tag == "NNS" and noun.end == part.end
    if is_bare and inside and all(token.tag in ("CD", "IN", "DT", "RB", "JJR") for token in inside):
        return Asked(f"How many {noun.text}", number)
    return None


def may_be_people(clause: Clause, part: Phrase) -> bool:
    """Whether "what" may ask for people: "approved by the finance lead", "coached the Rovers",
    "asked the council".
    """
    noun = clause.tokens[part.head]
    if part.role == "object" and clause.verb in word_set("verbs_of_hearers"):
        return True
    if part.role != "object" and noun.lemma in word_set("gatherings"):
        return True
    if part.role == "agent":
        acts = clause.verb in word_set("agentive_verbs")
        names_body = noun.lemma in word_set("organisations") | word_set("bodies")
        are_doers = part.kind == "amount" and noun.lemma.endswith(("er", "or", "ist", "ian"))
        return are_doers or (acts and noun.tag in ("NN", "NNS") and not names_body)
    is_name = noun.tag in ("NNP", "NNPS")
    return part.role == "object" and is_name and clause.verb in word_set("verbs_of_people")


def points(phrase: Phrase) -> bool:
    """Whether it is no answer by itself: a pronoun, or "this agreement"."""
    noun = phrase.noun.lower()
    is_the_same = noun.startswith("the same ") and " as " not in noun
    return is_vague(phrase) or is_the_same or noun.split()[0] in word_set("pointing_words")


def word_of_both(clause: Clause) -> str | None:
    """How both sides of "A is the B" are asked for where one tells what the other is: "Ada Voss is
    the glassblower", "Voss is the mayor", "Casa Verde is the oldest hotel".
    """
    subject, attribute = clause.subject, clause.attribute
    if clause.verb != "be" or clause.passive or subject is None or attribute is None:
        return None
    name, noun = clause.tokens[subject.head], clause.tokens[attribute.head]
    if name.tag != "NNP" or not noun.tag.startswith("N") or noun.tag.startswith("NNP"):
        return None
    if subject.kind == "body" or subject.text[:4].lower() == "the ":
        return "What"
    if attribute.kind == "person":
        return "Who"
    if subject.kind != "person":
        return None
    if noun.lemma in word_set("places") | word_set("organisations") or _is_that(clause, attribute):
        return "What"
    is_made_of_verb = noun.lemma.endswith(("er", "or", "ian", "ist"))
    is_of_people = is_made_of_verb or noun.lemma in word_set("epithets")
    return "Who" if is_of_people and name.entity in ("PERSON", "") else None


def _is_that(clause: Clause, part: Phrase) -> bool:
    """Whether a part goes on with "that" or "which", and so names nobody: "the dish that"."""
    tokens = clause.tokens
    clauses = [n for n in children(tokens, part.head) if tokens[n].dep == "relcl"]
    inside = [tokens[n].text for place in clauses for n in children(tokens, place)]
    return "that" in inside or "which" in inside


def is_none(phrase: Phrase) -> bool:
    """Whether it says that there is nothing of the kind: "no pets", "neither a school nor a
    doctor".
    """
    return phrase.noun.lower().startswith(("no ", "not ", "neither "))


def is_vague(phrase: Phrase) -> bool:
    """Whether it is a pronoun, which names nothing, or a clause in the place of one ("whatever
    remains unpaid").
    """
    first = phrase.text.lower().split()[0]
    return phrase.text.lower() in word_set("pronouns") or first in word_set("free_relatives")
