"""Forms made at random, and small worlds in which each form is simply true or false."""

from __future__ import annotations

from itertools import chain, combinations, product

from hypothesis import strategies as st

from augmlx.english.logic import Form, Term
from augmlx.english.logic.phrases import noun
from augmlx.english.logic.statement import closed, particular, universal
from augmlx.english.nouns import noun_key, plural

_ENDS = "g x ch sh s ss z zz f o y ie se ze che e man l th".split()
singulars = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["w", "gl", "st", "br"]), st.sampled_from("aeiu"), st.sampled_from(_ENDS)
    ),
).filter(lambda word: noun(word) is not None)
adjectives = st.sampled_from(["", "old ", "Lumen ", "deep-sea "])


def kind(singular: str, *, many: bool = False, negated: bool = False) -> Term:
    text = plural(singular) if many else singular
    return Term(noun_key(text, plural=many), text, many, negated)


kinds = st.builds(
    lambda adjective, word, many, negated: kind(adjective + word, many=many, negated=negated),
    adjectives,
    singulars,
    st.booleans(),
    st.booleans(),
)


def thing(text: str) -> Term:
    return Term(text.casefold().removeprefix("the "), text)


_NAMES = [
    "Rex",
    "Mara Voss",
    "Lake Pell",
    "Ana de la Cruz",
    "the Kestrel radio",
    "the old mill",
    "the Siege of Orm",
    "Zoë",
]
things = st.sampled_from([thing(name) for name in _NAMES])


def pairs(strategy: st.SearchStrategy[Term]) -> st.SearchStrategy[tuple[Term, Term]]:
    return st.tuples(strategy, strategy).filter(lambda pair: pair[0].key != pair[1].key)


_LINKS = {
    "more": (
        ("larg", "is larger than"),
        ("dangerous", "is more dangerous than"),
        ("old", "is older than"),
    ),
    "before": (("", "was before"), ("", "took place before"), ("", "preceded")),
    "in": (("", "is in"), ("", "lies inside"), ("", "is located in")),
    "part": (("", "is part of"), ("", "is a part of")),
}
_TURNED = {
    "more": (("larg", "is smaller than"),),
    "before": (("", "came after"),),
    "in": (("", "contains"),),
    "part": (),
}


@st.composite
def links(draw: st.DrawFn, ends: tuple[Term, Term] | None = None) -> Form:
    """A transitive relation between two things, of any wording."""
    which = draw(st.sampled_from(["more", "before", "in", "part"]))
    turned = draw(st.booleans()) if _TURNED[which] else False
    relation, word = draw(st.sampled_from((_TURNED if turned else _LINKS)[which]))
    return Form(which, ends or draw(pairs(things)), relation, word=word, turned=turned)  # type: ignore[arg-type]


clauses = st.builds(
    lambda text, negated: Term(text.casefold(), text, negated=negated),
    st.sampled_from(
        [
            "Ana is home",
            "the lamp is on",
            "Ben can swim",
            "Rex will be a baker",
            "the gates are closed",
        ]
    ),
    st.booleans(),
)


@st.composite
def lists(draw: st.DrawFn, wholes: int = 1) -> Form:
    each = draw(st.lists(things, min_size=wholes + 1, max_size=8, unique_by=lambda term: term.key))
    which = draw(st.sampled_from(["union", "common"] if wholes == 2 else ["list"]))
    item = draw(singulars)
    return closed(which, each[:wholes], noun_key(item, plural=False), each[wholes:], item)  # type: ignore[arg-type]


def _role(ends: tuple[Term, Term], word: str, which: str) -> Form:
    return Form(which, ends, noun_key(word, plural=False), word=word)  # type: ignore[arg-type]


categoricals = st.one_of(
    pairs(kinds).map(lambda pair: universal(*pair)),
    pairs(kinds).map(lambda pair: particular(*pair)),
)
anything = st.one_of(
    categoricals,
    st.tuples(things.filter(lambda t: t.text != "the old mill"), kinds).map(
        lambda ends: Form("is", ends)
    ),
    links(),
    pairs(clauses).map(lambda ends: Form("if", ends)),
    st.builds(_role, pairs(things), singulars, st.sampled_from(["role", "member"])),
    lists(),
    lists(2),
)

# Worlds: which of the eight regions of three kinds, and where so wanted, where two individuals
# live.
A, B, C = (kind(word) for word in ("wug", "dax", "fep"))
_PLACE = {term.key: place for place, term in enumerate((A, B, C))}
_REGIONS = list(product((False, True), repeat=3))
World = frozenset[tuple[bool, ...]]
WORLDS: list[World] = [
    frozenset(chosen)
    for chosen in chain.from_iterable(
        combinations(_REGIONS, size) for size in range(len(_REGIONS) + 1)
    )
]
NONEMPTY = [
    world for world in WORLDS if all(any(region[place] for region in world) for place in range(3))
]


def has(region: tuple[bool, ...], term: Term) -> bool:
    return region[_PLACE[term.key]] != term.negated


def holds(form: Form, world: World) -> bool:
    """Whether a categorical statement about A, B and C holds, "all" of nothing included."""
    subject, predicate = form.terms
    if form.kind == "all":
        return all(has(region, predicate) for region in world if has(region, subject))
    return any(has(region, subject) and has(region, predicate) for region in world)


def entails(premises: list[Form], conclusion: Form, worlds: list[World] = WORLDS) -> bool:
    return all(
        holds(conclusion, world)
        for world in worlds
        if all(holds(premise, world) for premise in premises)
    )
