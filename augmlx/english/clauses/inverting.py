"""A clause from its other end with another verb: the passive of an active verb and back, or a verb
that says the same of the other end.
"""

from __future__ import annotations

from collections.abc import Iterator

from augmlx.english.clauses import voices
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, capitalised
from augmlx.english.clauses.turned import Turned, is_pronoun, points_back
from augmlx.english.lexicon import word_set

_OBJECT_FORMS = {"it": "it", "he": "him", "she": "her", "they": "them", "we": "us", "i": "me"}


def passive(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A defeated B in 1643" -> "B was defeated" by A, in 1643."""
    receivers = [part for part in clause.complements if _is_receiver(clause, part)]
    if not receivers or len(receivers) > 2 or clause.passive or is_pronoun(subject):
        return
    if subject.text.split()[0].lower() in word_set("denying") | word_set("focusing"):
        return  # "are accepted by no employee", "by only administrators"
    thing, *more = receivers
    if clause.verb in word_set("no_passive_first") | word_set("mutual_verbs"):
        return
    if is_pronoun(thing) or any(map(points_back, clause.complements)):
        return
    if requires_oddly(clause):
        return
    if _is_about_the_doer(clause) or clause.leaves_number_open(thing):
        return
    verb = voices.passive(clause, is_plural=clause.is_plural(thing))
    if verb is None:
        return
    others = [part for part in clause.others(thing) if part not in more]
    close = [part for part in others if _is_close(clause, part)]
    loose = [part for part in others if part not in close]
    parts = [
        *(part.text for part in (*more, *close)),
        f"by {clause.lowered(subject)}",
        *map(clause.lowered, loose),
    ]
    yield Turned(f"{capitalised(thing.text)} {verb}", tuple(parts), clause.stop)


def requires_oddly(clause: Clause) -> bool:
    """Whether its subject is what something is required for, and no name or body that requires it:
    nobody says "A permit is required by wells."
    """
    subject = clause.subject
    if subject is None or clause.passive or clause.verb not in word_set("requiring_verbs"):
        return False
    return subject.kind not in ("person", "body") and clause.lowered(subject)[:1].islower()


def _is_close(clause: Clause, part: Phrase) -> bool:
    """Whether a part stands before who did it: "given to Ana by", "kept open by"."""
    says_how = part.role == "attribute" or clause.tokens[part.head].tag == "JJ"
    return says_how or part.preposition in word_set("close_to_its_verb")


def _is_about_the_doer(clause: Clause) -> bool:
    """Whether "as" says what the subject is: "joined the firm as a clerk"."""
    says_as = any(part.preposition == "as" for part in clause.complements)
    return says_as and clause.verb not in word_set("as_verbs")


def _is_receiver(clause: Clause, part: Phrase) -> bool:
    """Whether something is done to it, or it is whom something is given: "taught Oskar the
    violin".
    """
    is_dative = clause.tokens[part.head].dep == "dative" and not part.preposition
    return part.role == "object" or is_dative


def active(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "B was defeated by A in 1643" -> "A defeated" B, in 1643."""
    agent = clause.agent
    if agent is None or not clause.passive or agent.noun.lower() in word_set("pronouns"):
        return
    if points_back(agent):
        return  # "Its largest competitor bought Brightwell Energy."
    verb = voices.active(clause, is_plural=clause.is_plural(agent))
    if verb is None or " as " in agent.text:  # "regarded by many as"
        return
    thing = clause.lowered(subject)
    thing = _OBJECT_FORMS.get(thing.lower(), thing)
    parts = (thing, *map(clause.lowered, clause.others(agent)))
    yield Turned(f"{capitalised(agent.noun)} {verb}", parts, clause.stop)


def made_up(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A consists of B and C" -> "B and C make up" A."""
    part = next((part for part in clause.complements if part.preposition == "of"), None)
    if clause.verb == "consist" and part is not None and not clause.helpers:
        yield _with_verb(clause, subject, part, ("make up", "makes up", "made up"))


def owned(clause: Clause, subject: Phrase) -> Iterator[Turned]:
    """ "A belongs to B" -> "B owns" A, where A is a thing and B somebody."""
    part = next((part for part in clause.complements if part.preposition == "to"), None)
    if clause.verb != "belong" or part is None or clause.helpers or subject.kind != "thing":
        return
    if subject.text[:4].lower() == "the " and part.noun[:4].lower() != "the ":
        yield _with_verb(clause, subject, part, ("own", "owns", "owned"))


def _with_verb(
    clause: Clause, subject: Phrase, part: Phrase, verbs: tuple[str, str, str]
) -> Turned:
    """`part` as the subject of a verb, given for several, for one, and in the past."""
    several, one, past = verbs
    verb = past if clause.is_past else several if clause.is_plural(part) else one
    parts = (clause.lowered(subject), *map(clause.lowered, clause.others(part)))
    return Turned(f"{capitalised(part.noun)} {verb}", parts, clause.stop)
