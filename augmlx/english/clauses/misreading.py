"""Whether a sentence was read as it is meant: as a whole one, each of its words in one place."""

from __future__ import annotations

import re
from collections.abc import Collection

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.forms import is_known, is_plural_noun, is_verb, past
from augmlx.english.clauses.phrase import Phrase, Tokens, children
from augmlx.english.lexicon import word_set


def is_a_sentence(clause: Clause) -> bool:
    """Whether it has a subject that its verb agrees with, or is an instruction."""
    tokens, root = clause.tokens, clause.root
    if _is_instruction_misread(clause) or _is_quotation_misread(clause) or _is_no_past(clause):
        return False
    if _denies_within(clause) or any(_is_about_a_time(clause, part) for part in clause.parts):
        return False
    if clause.subject is None:
        if clause.tag not in ("VB", "VBP"):
            return False
        verb = [n for n in children(tokens, root) if tokens[n].dep in ("neg", "aux")]
        first = min([root, *verb])
        return first == 0 or tokens[first - 1].text == ","
    opening = clause.subject.text.split()[0].lower()
    if clause.subject.text.lower() in word_set("free_relatives"):
        return False  # "Whoever comes first locks the door"
    if clause.subject.text.lower() in word_set("articles") | word_set("prepositions"):
        return False  # "A will is void if it is not signed", "In korfline, a goal counts double"
    tag = tokens[clause.subject.head].tag
    is_a_name = tag == "NNP" and opening == "the" and not clause.leaves_number_open(clause.subject)
    is_one = is_a_name or (tag == "NN" and opening in word_set("singling"))
    is_bare = not clause.auxiliaries and clause.verb != "be"
    is_lone = tag == "NNP" and clause.subject.text == tokens[0].text
    is_one = is_one or (is_lone and not is_plural_noun(tokens[0].text.lower()))
    is_noun = _is_noun_misread(clause) or _is_end_of_subject(clause)
    is_no_verb = is_one and is_bare and clause.tag in ("VB", "VBP")  # "The K40 | pump delivers"
    return not is_no_verb and not is_noun


def _denies_within(clause: Clause) -> bool:
    """Whether a denial was taken into the subject: "Plover 5.2 no longer | supports it"."""
    subject = clause.subject
    last = subject.text.split()[-1].lower() if subject is not None else ""
    return last in word_set("denying_adverbs")


def _is_about_a_time(clause: Clause, part: Phrase) -> bool:
    """Whether a clause only says more of a time or place before it: "since May 2021, when"."""
    is_relative = part.role == "clause" and part.preposition in ("when", "where")
    return is_relative and clause.text[: part.start].rstrip().endswith(",")


def _has_a_score(part: Phrase) -> bool:
    """Whether a result was taken for a part of a name: "Ravenholt United 3-1"."""
    return re.search(r"[^\W\d_]\w* \d+[–-]\d+$", part.text) is not None


def _is_instruction_misread(clause: Clause) -> bool:
    """Whether a bare opening word may be the verb, and the verb belong to what is behind it: "Store
    opened vials at 5 °C.", but not "Fire destroyed the mill.".
    """
    subject, thing = clause.subject, clause.object
    if subject is None or thing is None or clause.helpers or clause.tag not in ("VBD", "VBN"):
        return False
    first, opening = clause.tokens[subject.head], clause.tokens[clause.root + 1]
    is_bare = first.start == 0 and subject.text == first.text and first.tag in ("NN", "NNP")
    is_bare = is_bare and opening.start == thing.start and opening.tag in ("NN", "NNS", "JJ")
    return is_bare and is_verb(first.text.lower())


def _is_no_past(clause: Clause) -> bool:
    """Whether the verb was read as past and has not its form: "The Ostrel ferry stops at Venn."."""
    is_first_form = clause.tag == "VBD" and clause.verb_text == clause.verb
    return is_first_form and past(clause.verb) != clause.verb


def _is_noun_misread(clause: Clause) -> bool:
    """Whether the verb may be a noun, and the word behind it the verb: "Cedar planks last."."""
    subject, root = clause.subject, clause.root
    is_bare = subject is not None and subject.text.isalpha() and subject.start == 0 and root == 1
    if not is_bare or clause.helpers or root + 1 >= len(clause.tokens):
        return False
    verb, behind = clause.tokens[root], clause.tokens[root + 1]
    is_noun = verb.tag == "VBZ" and is_plural_noun(verb.text)
    is_noun = is_noun and is_known(clause.tokens[0].text.lower())
    return is_noun and behind.text.islower() and is_verb(behind.text)


def _is_end_of_subject(clause: Clause) -> bool:
    """Whether the verb may be the noun that bare ones before it belong to, and the sentence's verb
    be one that nothing ties to it: "Expense claims older than 90 days are not paid."; but not
    "Research shows that sugar is bad.".
    """
    tokens, root, subject = clause.tokens, clause.root, clause.subject
    is_noun = clause.tag == "VBZ" and is_plural_noun(clause.verb_text) and not clause.helpers
    before = tokens[:root]
    is_bare = subject is not None and subject.start == 0 and subject.end + 1 == tokens[root].start
    if not (is_noun and is_bare) or any(token.tag not in ("NN", "JJ") for token in before):
        return False
    reports = [n for n in children(tokens, root) if tokens[n].dep == "ccomp"]
    return any(
        tokens[n].dep != "mark" and tokens[n].tag in ("VBZ", "VBP", "VBD", "MD")
        for place in reports
        for n in (place, *children(tokens, place))
        if not any(tokens[mark].dep == "mark" for mark in children(tokens, place))
    )


def _is_quotation_misread(clause: Clause) -> bool:
    """Whether what is said was taken for who says it: "'Never again,' said Agnes."."""
    subject = clause.subject
    is_quoted = subject is not None and subject.text[0] in "\"'“‘"
    return is_quoted and clause.object is not None and clause.verb in word_set("reporting_verbs")


def is_whole(clause: Clause, verb: Collection[int]) -> bool:
    """Whether every word of the sentence has its place, and none has two."""
    parts = [*clause.parts, *([clause.subject] if clause.subject else [])]
    for place, token in enumerate(clause.tokens):
        holders = sum(part.start <= token.start < part.end for part in parts) + (place in verb)
        if holders > 1 or (holders == 0 and token.dep != "punct"):
            return False
        ties_noun_to_number = token.dep == "conj" and clause.tokens[token.head].tag == "CD"
        if ties_noun_to_number and token.tag.startswith("N"):
            return False  # "in 1850 and the south wing"
        is_second = token.dep == "det" and place > 0 and clause.tokens[place - 1].tag == "NNP"
        if is_second and any(part.start < token.start < part.end for part in parts):
            return False  # "Oskar the violin"
    if any(_is_bare_adverb(part) for part in clause.fronted) or any(map(_has_a_score, parts)):
        return False  # "Sure Start was founded"
    if any(re.match(r"(?:in|on|at) (?:every|each) ", part.text) for part in clause.parts):
        return False  # "let in every day"
    if any(_is_no_part(clause, part) for part in clause.fronted):
        return False
    if clause.object is not None and clause.verb in word_set("no_object"):
        return False  # "Behind the door lies the hall"
    if _is_torn_from_what_is_kept(clause):
        return False
    return not any(_is_stray(clause.tokens, part) for part in clause.complements)


def _is_torn_from_what_is_kept(clause: Clause) -> bool:
    """Whether what the key is for was taken for where it is kept: "keep the key | to the barn"."""
    is_kept = clause.object is not None and clause.verb in word_set("keeping_verbs")
    return is_kept and any(part.preposition == "to" for part in clause.complements)


def _is_bare_adverb(part: Phrase) -> bool:
    return part.role == "adjunct" and not part.preposition and part.kind != "time"


def _is_no_part(clause: Clause, part: Phrase) -> bool:
    """Whether what stands first is no part of the clause: a sentence of its own before a comma
    ("I am here, Ada has left"), or one that is not finished ("From afar, and").
    """
    inside = [token for token in clause.tokens if part.start <= token.start < part.end]
    is_sentence = any(token.dep == "ccomp" and token.is_verb for token in inside)
    is_said = clause.verb in word_set("reporting_verbs")
    return inside[-1].dep == "cc" or (is_sentence and part.role == "clause" and not is_said)


def _is_stray(tokens: Tokens, part: Phrase) -> bool:
    """Whether a part is a bare noun that belongs to another: "sold the Korko to him windmill"."""
    head = tokens[part.head]
    is_bare = part.kind == "thing" and part.text.islower() and part.text.isalpha()
    return is_bare and head.tag == "NN" and head.dep in ("npadvmod", "oprd")
