"""What follows from one or two statements. Nothing here guesses: where no rule holds, nothing
follows.

"All A are B" is taken to speak of some A: by conversion alone, so that the syllogisms are the
fifteen that need no such assumption.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from augmlx.english.logic.clauses import can_be_negated
from augmlx.english.logic.contradiction import Claims
from augmlx.english.logic.statement import Form, Kind, Term, closed, particular, universal


def contrapositive(form: Form) -> Form | None:
    """ "All A are B": what is no B is no A. "If P, then Q": if not Q, then not P. ("No A are B" is
    its own.)
    """
    if form.kind not in ("all", "if"):
        return None
    first, second = form.terms
    if form.kind == "all":
        return universal(-second, -first) if first.negated == second.negated else None
    # A pronoun in the second clause would lose what it refers to.
    plain = (
        can_be_negated(first.text)
        and can_be_negated(second.text)
        and second.key.partition(" ")[0] != "it"
    )
    return Form("if", (-second, -first)) if plain else None


def converse(form: Form) -> Form | None:
    """What a statement says from its other end: "some" and "no" both ways, of "all" only that some
    are; and that a whole contains its part. Never "all B are A".
    """
    if form.kind not in ("all", "some", "part"):
        return None
    first, second = form.terms
    if form.kind == "part":
        return Form("in", form.terms, word="contains", turned=True)
    if form.kind == "all" and not second.negated:
        return None if first.negated else particular(second, first)
    both_ways = form.kind == "all" or first.negated == second.negated
    return (
        replace(form, turned=not form.turned)
        if both_ways and not (first.negated and second.negated)
        else None
    )


def syllogism(a: Form, b: Form) -> tuple[Form, ...]:
    """The fifteen valid moods: a universal leads from its subject to its predicate and from what is
    no predicate to what is no subject, so two chain, and a particular chains with one.
    """
    found: dict[Form, None] = {}
    for one, other in ((a, b), (b, a)):
        if one.kind not in ("all", "some") or other.kind != "all":
            continue
        for subject, middle in _ways(one):
            for same, predicate in _ways(other):
                if middle == same and subject.key != predicate.key:
                    found[_conclude(one.kind, subject, predicate)] = None
    # "Some non-A are not B" follows, too, but by none of the moods.
    return tuple(form for form in found if not form.terms[0].negated)


def _ways(form: Form) -> tuple[tuple[Term, Term], tuple[Term, Term]]:
    first, second = form.terms
    return (first, second), ((-second, -first) if form.kind == "all" else (second, first))


def _conclude(kind: Kind, subject: Term, predicate: Term) -> Form:
    if kind == "some":
        return particular(subject, predicate)
    if subject.negated and predicate.negated:
        subject, predicate = -predicate, -subject
    return universal(subject, predicate)


def chain(a: Form, b: Form) -> tuple[Form, ...]:
    """From one end to the other of a transitive relation: is-a, further along one scale, before,
    part of, inside. A part of what lies inside a thing lies inside it too.
    """
    if a.kind == b.kind == "all":
        return syllogism(a, b)
    places = {a.kind, b.kind} <= {"part", "in"}
    if not places and (
        a.kind != b.kind or a.relation != b.relation or a.kind not in ("more", "before")
    ):
        return ()
    return tuple(
        _joined(one, other)
        for one, other in ((a, b), (b, a))
        if one.terms[1] == other.terms[0] and one.terms[0] != other.terms[1]
    )


def _joined(one: Form, other: Form) -> Form:
    """The ends of two links, said in the words of one of them."""
    kind = one.kind if one.kind == other.kind else "in"
    # The plain direction where they differ, and the subject's own verb.
    told = next(
        link for link in ((other, one) if one.turned else (one, other)) if link.kind == kind
    )
    return Form(
        kind, (one.terms[0], other.terms[1]), one.relation, word=told.word, turned=told.turned
    )


def inherit(a: Form, b: Form) -> tuple[Form, ...]:
    """A universal applied to a member of its subject. An exception ("Rex is not a dax") blocks it
    where it is known to `consequences`.
    """
    found: dict[Form, None] = {}
    for rule, fact in ((a, b), (b, a)):
        if rule.kind == "all" and fact.kind == "is":
            (thing, kind), (first, second) = fact.terms, rule.terms
            # Only as it is said: "Rex is no dax" may be the exception, and does not make him no
            # wug.
            ways = (rule.terms,) if first.negated == second.negated else _ways(rule)
            for subject, predicate in ways:
                if subject == kind:
                    found[Form("is", (thing, predicate))] = None
    return tuple(found)


def membership(form: Form) -> tuple[Form, ...]:
    """Each item of a closed list as a member of its whole, or as a part of it."""
    if form.kind not in ("list", "common"):
        return ()
    kind: Kind = "part" if form.relation == "part" else "member"
    relation, word = ("", "is part of") if kind == "part" else (form.relation, form.word)
    return tuple(
        Form(kind, (item, whole), relation, word=word)
        for item in form.items
        for whole in form.terms
    )


def union(a: Form, b: Form) -> Form | None:
    """Whoever is on either of two closed lists of the same sort."""
    return (
        closed("union", (*a.terms, *b.terms), a.relation, (*a.items, *b.items), a.word)
        if _alike(a, b)
        else None
    )


def intersection(a: Form, b: Form) -> Form | None:
    """Whoever is on both lists; maybe nobody."""
    shared = tuple(item for item in a.items if item in b.items)
    return (
        closed("common", (*a.terms, *b.terms), a.relation, shared, a.word) if _alike(a, b) else None
    )


def _alike(a: Form, b: Form) -> bool:
    return a.kind == b.kind == "list" and a.relation == b.relation and a.terms != b.terms


def _or_none(form: Form | None) -> tuple[Form, ...]:
    return () if form is None else (form,)


_ONE: Mapping[str, Callable[[Form], tuple[Form, ...]]] = {
    "contraposition": lambda form: _or_none(contrapositive(form)),
    "conversion": lambda form: _or_none(converse(form)),
    "membership": membership,
}
_PAIR: Mapping[str, Callable[[Form, Form], tuple[Form, ...]]] = {
    "syllogism": syllogism,
    "chain": chain,
    "inheritance": inherit,
    "union": lambda a, b: _or_none(union(a, b)),
    "intersection": lambda a, b: _or_none(intersection(a, b)),
}
RULES: Mapping[str, int] = {
    **dict.fromkeys(_ONE, 1),
    **dict.fromkeys(_PAIR, 2),
}  # how many premises each takes


def consequences(
    rule: str, premises: Sequence[Form], known: Claims | None = None
) -> tuple[Form, ...]:
    """What follows by one use of a rule (a name in RULES) from any one, or any two, of the
    premises, each once.

    What a known fact denies is not drawn: a conclusion stops at an exception.
    """
    if rule in _ONE:
        found = (form for premise in premises for form in _ONE[rule](premise))
    else:
        found = (form for a, b in combinations(premises, 2) for form in _PAIR[rule](a, b))
    return tuple(form for form in dict.fromkeys(found) if known is None or not known.deny(form))
