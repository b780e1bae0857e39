"""What follows from one or two statements. Nothing here guesses: where no rule holds, nothing
follows.

"All A are B" is taken to speak of some A: by conversion alone, so that the syllogisms are the
fifteen that need no such assumption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

from augmlx.english.logic.clauses import can_be_negated
from augmlx.english.logic.contradiction import Claims
from augmlx.english.logic.statement import Form, Kind, Term, closed, particular, universal


def contrapositive(form: Form) -> Form | None:
    """What a statement says from its denied end; None where that is nothing.

    "All A are B": what is no B is no A. "If P, then Q": if not Q, then not P. ("No A are B" is its
    own.)
    """
    if form.kind not in ("all", "if"):
        return None
    first, second = form.terms
    if form.kind == "all":
        return universal(-second, -first) if first.negated == second.negated else None
    if not can_be_negated(first.text) or not can_be_negated(second.text):
        return None
    opens_with_pronoun = second.key.partition(" ")[0] == "it"  # it would lose what it refers to
    return None if opens_with_pronoun else Form("if", (-second, -first))


def converse(form: Form) -> Form | None:
    """What a statement says from its other end; None where that is nothing.

    "Some" and "no" hold both ways, of "all" only that some are; and a whole contains its part.
    Never "all B are A".
    """
    if form.kind not in ("all", "some", "part"):
        return None
    first, second = form.terms
    if form.kind == "part":
        return Form("in", form.terms, word="contains", turned=True)
    if form.kind == "all" and not second.negated:
        return None if first.negated else particular(second, first)
    if first.negated and second.negated:
        return None
    both_ways = form.kind == "all" or first.negated == second.negated
    return replace(form, turned=not form.turned) if both_ways else None


def syllogism(a: Form, b: Form) -> tuple[Form, ...]:
    """The fifteen valid moods: a universal leads from its subject to its predicate and from what is
    no predicate to what is no subject, so two chain, and a particular chains with one.
    """
    conclusions: dict[Form, None] = {}
    for one, other in ((a, b), (b, a)):
        if one.kind in ("all", "some") and other.kind == "all":
            conclusions |= dict.fromkeys(_moods(one, other))
    # "Some non-A are not B" follows, too, but by none of the moods.
    return tuple(form for form in conclusions if not form.terms[0].negated)


def _moods(one: Form, other: Form) -> Iterator[Form]:
    """What follows where one statement leads to a kind from which the other leads on."""
    for subject, middle in _ways(one):
        for same, predicate in _ways(other):
            if middle == same and subject.key != predicate.key:
                yield _conclude(one.kind, subject, predicate)


def _ways(form: Form) -> tuple[tuple[Term, Term], tuple[Term, Term]]:
    """The two directions in which a statement leads from one kind to another."""
    first, second = form.terms
    forward = first, second
    if form.kind == "all":
        return forward, (-second, -first)
    return forward, (second, first)


def _conclude(kind: Kind, subject: Term, predicate: Term) -> Form:
    """A conclusion; of two negated kinds said as its contrapositive."""
    if kind == "some":
        return particular(subject, predicate)
    if subject.negated and predicate.negated:
        subject, predicate = -predicate, -subject
    return universal(subject, predicate)


def chain(a: Form, b: Form) -> tuple[Form, ...]:
    """From one end to the other of a transitive relation.

    That is is-a, further along one scale, before, part of, inside. A part of what lies inside a
    thing lies inside it too.
    """
    if a.kind == b.kind == "all":
        return syllogism(a, b)
    if not _are_links(a, b):
        return ()
    conclusions = []
    for one, other in ((a, b), (b, a)):
        if one.terms[1] == other.terms[0] and one.terms[0] != other.terms[1]:
            conclusions.append(_joined(one, other))
    return tuple(conclusions)


def _are_links(a: Form, b: Form) -> bool:
    """Whether two statements are of one transitive relation."""
    if {a.kind, b.kind} <= {"part", "in"}:
        return True
    if a.kind not in ("more", "before"):
        return False
    return a.kind == b.kind and a.relation == b.relation


def _joined(one: Form, other: Form) -> Form:
    """The ends of two links, said in the words of one of them."""
    first, _ = one.terms
    _, last = other.terms
    kind = one.kind if one.kind == other.kind else "in"
    # The plain direction where they differ, and the subject's own verb.
    preferred = (other, one) if one.turned else (one, other)
    spoken = next(link for link in preferred if link.kind == kind)
    return Form(kind, (first, last), one.relation, word=spoken.word, turned=spoken.turned)


def inherit(a: Form, b: Form) -> tuple[Form, ...]:
    """A universal applied to a member of its subject. An exception ("Rex is not a dax") blocks it
    where it is known to `consequences`.
    """
    conclusions: dict[Form, None] = {}
    for rule, fact in ((a, b), (b, a)):
        if rule.kind == "all" and fact.kind == "is":
            conclusions |= dict.fromkeys(_inherited(rule, fact))
    return tuple(conclusions)


def _inherited(rule: Form, fact: Form) -> Iterator[Form]:
    """What a rule about kinds says of the thing of a fact."""
    thing, kind = fact.terms
    first, second = rule.terms
    # Only as it is said: "Rex is no dax" may be the exception, and does not make him no wug.
    ways = (rule.terms,) if first.negated == second.negated else _ways(rule)
    for subject, predicate in ways:
        if subject == kind:
            yield Form("is", (thing, predicate))


def membership(form: Form) -> tuple[Form, ...]:
    """Each item of a closed list as a member of its whole, or as a part of it.

    Of what two have in common each item is a member of both.
    """
    if form.kind not in ("list", "common"):
        return ()
    pairs = product(form.items, form.terms)
    if form.relation == "part":
        return tuple(Form("part", pair, word="is part of") for pair in pairs)
    return tuple(Form("member", pair, form.relation, word=form.word) for pair in pairs)


def union(a: Form, b: Form) -> Form | None:
    """Whoever is on either of two closed lists of the same sort; None where they are none."""
    if not _are_alike(a, b):
        return None
    wholes = (*a.terms, *b.terms)
    items = (*a.items, *b.items)
    return closed("union", wholes, a.relation, items, a.word)


def intersection(a: Form, b: Form) -> Form | None:
    """Whoever is on both of two closed lists of the same sort, maybe nobody.

    None where they are no such lists.
    """
    if not _are_alike(a, b):
        return None
    wholes = (*a.terms, *b.terms)
    shared = [item for item in a.items if item in b.items]
    return closed("common", wholes, a.relation, shared, a.word)


def _are_alike(a: Form, b: Form) -> bool:
    """Whether two statements are lists of the same sort, of two wholes."""
    if a.kind != "list" or b.kind != "list":
        return False
    return a.relation == b.relation and a.terms != b.terms


def _one_or_none(form: Form | None) -> tuple[Form, ...]:
    if form is None:
        return ()
    return (form,)


_OF_ONE: Mapping[str, Callable[[Form], tuple[Form, ...]]] = {
    "contraposition": lambda form: _one_or_none(contrapositive(form)),
    "conversion": lambda form: _one_or_none(converse(form)),
    "membership": membership,
}
_OF_TWO: Mapping[str, Callable[[Form, Form], tuple[Form, ...]]] = {
    "syllogism": syllogism,
    "chain": chain,
    "inheritance": inherit,
    "union": lambda a, b: _one_or_none(union(a, b)),
    "intersection": lambda a, b: _one_or_none(intersection(a, b)),
}
# How many premises each rule takes.
RULES: Mapping[str, int] = {**dict.fromkeys(_OF_ONE, 1), **dict.fromkeys(_OF_TWO, 2)}


def consequences(
    rule: str, premises: Sequence[Form], known: Claims | None = None
) -> tuple[Form, ...]:
    """What follows by one use of a rule from any one, or any two, of the premises, each once.

    Args:
        rule: a name in RULES.
        known: what it denies is not drawn: a conclusion stops at an exception.
    """
    conclusions: dict[Form, None] = {}
    if rule in _OF_ONE:
        for premise in premises:
            conclusions |= dict.fromkeys(_OF_ONE[rule](premise))
    else:
        for a, b in combinations(premises, 2):
            conclusions |= dict.fromkeys(_OF_TWO[rule](a, b))
    return tuple(form for form in conclusions if known is None or not known.deny(form))
