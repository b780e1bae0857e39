"""What follows, held against small worlds in which everything is known."""

from __future__ import annotations

import tomllib
from importlib import resources
from itertools import permutations, product

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from augmlx.english.logic import (
    RULES,
    Claims,
    Form,
    chain,
    consequences,
    contrapositive,
    converse,
    inherit,
    intersection,
    membership,
    parse,
    say,
    syllogism,
    union,
)
from augmlx.english.logic.statement import closed, particular, universal
from tests.english.logic import worlds
from tests.english.logic.worlds import NONEMPTY, WORLDS, A, B, C, entails, holds


def read(text: str) -> Form:
    form = parse(text)
    assert form is not None, text
    return form


def drawn(rule: str, *premises: str, known: tuple[str, ...] = ()) -> set[str]:
    found = consequences(
        rule, [read(text) for text in premises], Claims(read(text) for text in known)
    )
    return {say(form) for form in found}


MOODS = {
    "A": lambda s, p: universal(s, p),
    "E": lambda s, p: universal(s, -p),
    "I": lambda s, p: particular(s, p),
    "O": lambda s, p: particular(s, -p),
}
FIGURES = [((B, C), (A, B)), ((C, B), (A, B)), ((B, C), (B, A)), ((C, B), (B, A))]
SIGNED = [s for term in (A, B, C) for s in (term, -term)]
STATEMENTS = list(
    dict.fromkeys(
        make(*pair)
        for pair in permutations(SIGNED, 2)
        if pair[0].key != pair[1].key
        for make in (universal, particular)
    )
)


def test_of_256_moods_exactly_the_15_valid_ones_are_drawn() -> None:
    found = 0
    for one, two, three in product(MOODS, repeat=3):
        for major, minor in FIGURES:
            premises, conclusion = [MOODS[one](*major), MOODS[two](*minor)], MOODS[three](A, C)
            follows = conclusion in syllogism(*premises)
            assert follows == entails(premises, conclusion), (one, two, three, major, minor)
            assert follows == (conclusion in syllogism(*premises[::-1]))
            found += follows
    assert found == 15


def test_whatever_two_statements_give_follows_from_them_in_every_world() -> None:
    for a, b in product(STATEMENTS, repeat=2):
        for conclusion in syllogism(a, b):
            assert entails([a, b], conclusion), (say(a), say(b), say(conclusion))
            assert len({term.key for term in conclusion.terms}) == 2
        assert set(syllogism(a, b)) == set(syllogism(b, a))


@pytest.mark.parametrize("form", STATEMENTS, ids=say)
def test_a_contrapositive_says_the_same_and_a_converse_what_follows(form: Form) -> None:
    if turned := contrapositive(form):
        assert all(holds(turned, world) == holds(form, world) for world in WORLDS)
        assert turned != form
        assert contrapositive(turned) == form
    if turned := converse(form):
        assert entails([form], turned, NONEMPTY)
        assert [term.key for term in turned.said] == [term.key for term in form.said[::-1]]


def test_all_a_are_b_never_gives_all_b_are_a_nor_its_inverse() -> None:
    every = universal(A, B)
    wrong = {universal(B, A), universal(-A, -B)}
    assert not wrong & {converse(every), contrapositive(every)}
    assert converse(every) == particular(B, A)


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("All wugs are daxes.", "Anything that is not a dax is not a wug."),
        ("Anything that is not a dax is not a wug.", "All wugs are daxes."),
        ("No wugs are daxes.", None),
        ("Some wugs are daxes.", None),
        ("Rex is a wug.", None),
        (
            "If the lamp is on, the door is open.",
            "If the door is not open, then the lamp is not on.",
        ),
        ("If Ben can swim, Ana will not row.", "If Ana will row, then Ben cannot swim."),
        (
            "If it is raining, the street is wet.",
            "If the street is not wet, then it is not raining.",
        ),
        ("If Ana is a baker, it is late.", None),
        ("If Ana owns the mill, Ben is rich.", None),
        ("If Ben is rich, Ana owns the mill.", None),
        ("If all lamps are on, the door is open.", None),
        ("If the lamp is red and green, the door is open.", None),
        ("If the lamp is always on, the door is open.", None),
        ("If a wug is hungry, the wug is angry.", None),
        ("If he is hungry, Ana is angry.", None),
    ],
)
def test_contrapositives_are_said_or_there_is_none(text: str, turned: str | None) -> None:
    found = contrapositive(read(text))
    assert (found and say(found)) == turned


@given(worlds.pairs(worlds.clauses))
def test_a_conditional_and_its_contrapositive_agree_whatever_is_true(
    ends: tuple[worlds.Term, worlds.Term],
) -> None:
    form = Form("if", ends)
    turned = contrapositive(form)
    assert turned is not None
    for values in product((False, True), repeat=2):
        true = dict(zip((ends[0].key, ends[1].key), values, strict=True))
        says = [[true[term.key] != term.negated for term in one.terms] for one in (form, turned)]
        assert len({not first or second for first, second in says}) == 1


ROOMS = [worlds.thing(name) for name in ("Rex", "the mill", "Orm", "the Lake of Tal")]


@given(st.permutations(range(4)), st.data())
def test_a_chain_holds_in_every_order(order: list[int], data: st.DataObject) -> None:
    """Things stand in one strict order; every link between them that is true, chained, gives only
    true links.
    """
    first, second = data.draw(
        st.tuples(*[st.lists(st.sampled_from(range(4)), min_size=2, max_size=2, unique=True)] * 2)
    )
    a, b = (
        data.draw(worlds.links(ends=tuple(ROOMS[order[n]] for n in sorted(pair))))  # type: ignore[arg-type]
        for pair in (first, second)
    )
    found = chain(a, b)
    assert set(found) == set(chain(b, a))
    for conclusion in found:
        early, late = (order.index(ROOMS.index(term)) for term in conclusion.terms)
        assert early < late
        assert conclusion.kind in (a.kind, b.kind)
        assert conclusion.relation == a.relation == b.relation
        assert {term.key for term in conclusion.terms} < {
            term.key for form in (a, b) for term in form.terms
        }
    shared = set(a.terms) & set(b.terms)
    mixed = a.kind != b.kind and {a.kind, b.kind} != {"part", "in"}
    if mixed or a.relation != b.relation or len(shared) != 1:
        assert not found
    else:
        assert bool(found) == (a.terms[1] == b.terms[0] or b.terms[1] == a.terms[0])


@pytest.mark.parametrize(
    ("rule", "premises", "conclusions"),
    [
        (
            "chain",
            ("Ana is older than Ben.", "Ben is older than Cleo."),
            {"Ana is older than Cleo."},
        ),
        (
            "chain",
            ("Ana is younger than Ben.", "Cleo is younger than Ana."),
            {"Cleo is younger than Ben."},
        ),
        (
            "chain",
            ("Ana is older than Ben.", "Cleo is younger than Ben."),
            {"Ana is older than Cleo."},
        ),
        (
            "chain",
            ("Glons are bigger than femps.", "Femps are bigger than tasks."),
            {"Glons are bigger than tasks."},
        ),
        ("chain", ("Ana is older than Ben.", "Ben is richer than Cleo."), set()),
        ("chain", ("Ana is older than Ben.", "Cleo is older than Ben."), set()),
        ("chain", ("Ana is older than Ben.", "Ben is older than Ana."), set()),
        ("chain", ("Ana is the mother of Ben.", "Ben is the father of Cleo."), set()),
        (
            "chain",
            ("The feast was after the flood.", "The flood was after the siege."),
            {"The feast was after the siege."},
        ),
        (
            "chain",
            ("The cog is part of the clock.", "The clock is in Orm."),
            {"The cog is in Orm."},
        ),
        (
            "chain",
            ("The cog is part of the clock.", "The clock is part of the mill."),
            {"The cog is part of the mill."},
        ),
        (
            "chain",
            ("The box contains the Ring.", "The mill contains the box."),
            {"The mill contains the Ring."},
        ),
        ("chain", ("The box contains the Ring.", "The box is in Orm."), {"The Ring is in Orm."}),
        ("chain", ("All wugs are daxes.", "All daxes are feps."), {"All wugs are feps."}),
        ("inheritance", ("All wugs are daxes.", "Rex is a wug."), {"Rex is a dax."}),
        ("inheritance", ("Rex is a wug.", "Every wug is a dax."), {"Rex is a dax."}),
        ("inheritance", ("No wugs are daxes.", "Rex is a dax."), {"Rex is not a wug."}),
        ("inheritance", ("No wugs are daxes.", "Rex is a wug."), {"Rex is not a dax."}),
        ("inheritance", ("All wugs are daxes.", "Rex is a dax."), set()),
        ("inheritance", ("All wugs are daxes.", "Rex is not a dax."), set()),
        ("inheritance", ("All wugs are daxes.", "Rex is not a wug."), set()),
        ("inheritance", ("Some wugs are daxes.", "Rex is a wug."), set()),
        ("conversion", ("No wugs are daxes.",), {"No daxes are wugs."}),
        ("conversion", ("Some wugs are daxes.",), {"Some daxes are wugs."}),
        ("conversion", ("Some wugs are not daxes.",), set()),
        ("conversion", ("All wugs are daxes.",), {"Some daxes are wugs."}),
        ("conversion", ("The cog is part of the clock.",), {"The clock contains the cog."}),
        (
            "membership",
            ("The members of the Club are Ana and Ben.",),
            {"Ana is a member of the Club.", "Ben is a member of the Club."},
        ),
        (
            "membership",
            ("The Duo consists of Ana and Ben.",),
            {"Ana is part of the Duo.", "Ben is part of the Duo."},
        ),
        ("membership", ("Ana is a member of the Club.",), set()),
        (
            "union",
            ("The members of Zorb are Ana and Ben.", "The members of Pell are Ben and Cleo."),
            {"The members of Pell or Zorb are Ana, Ben and Cleo."},
        ),
        (
            "intersection",
            ("The members of Zorb are Ana and Ben.", "The members of Pell are Ben and Cleo."),
            {"The only member of both Pell and Zorb is Ben."},
        ),
        (
            "intersection",
            ("The members of Zorb are Ana and Ben.", "The members of Pell are Cleo and Dov."),
            {"Pell and Zorb have no members in common."},
        ),
        (
            "union",
            ("The members of Zorb are Ana and Ben.", "The guests of Pell are Ben and Cleo."),
            set(),
        ),
        (
            "union",
            ("The members of Zorb are Ana and Ben.", "The members of Zorb are Ben and Cleo."),
            set(),
        ),
        ("union", ("The members of Zorb are Ana and Ben.", "Ana is a member of Pell."), set()),
    ],
)
def test_consequences_by_rule(rule: str, premises: tuple[str, ...], conclusions: set[str]) -> None:
    assert drawn(rule, *premises) == {say(read(text)) for text in conclusions} == conclusions
    assert set(consequences(rule, list(map(read, premises)))) == set(
        consequences(rule, list(map(read, premises[::-1])))
    )


def test_an_exception_blocks_an_inheritance() -> None:
    facts = ("All wugs are daxes.", "Rex is a wug.")
    assert drawn("inheritance", *facts, known=("Pim is not a dax.", "Rex is not a fep.")) == {
        "Rex is a dax."
    }
    assert drawn("inheritance", *facts, known=(*facts, "Rex is not a dax.")) == set()
    assert (
        drawn("inheritance", "No wugs are daxes.", "Rex is a wug.", known=("Rex is a dax.",))
        == set()
    )


@given(st.sampled_from(STATEMENTS), st.sampled_from(SIGNED))
def test_what_is_inherited_holds_wherever_the_thing_lives(rule: Form, kind: worlds.Term) -> None:
    thing = worlds.thing("Rex")
    fact = Form("is", (thing, kind))
    assert set(inherit(rule, fact)) == set(inherit(fact, rule))
    for conclusion in inherit(rule, fact):
        for world in WORLDS:
            for home in world:
                if holds(rule, world) and worlds.has(home, kind):
                    assert worlds.has(home, conclusion.terms[1])


@given(worlds.lists(), worlds.lists())
def test_lists_join_as_sets(a: Form, b: Form) -> None:
    for form in (a, b):
        told = {item.key for item in form.items}
        assert {one.terms[0].key for one in membership(form)} == told
        assert all(one.terms[1] == form.terms[0] for one in membership(form))
    either, both = union(a, b), intersection(a, b)
    assume(either is not None and both is not None)
    assert either is not None
    assert both is not None
    assert set(either.items) == set(a.items) | set(b.items)
    assert set(both.items) == set(a.items) & set(b.items)
    assert union(b, a) == either
    assert intersection(b, a) == both
    assert set(membership(both)) <= {*membership(a), *membership(b)}


def _list_of(whole: str, *items: str) -> Form:
    things = [worlds.thing(text) for text in items]
    return closed("list", [worlds.thing(whole)], "wag", things, "wag")


@given(st.sampled_from(sorted(RULES)), st.lists(worlds.anything, max_size=3))
# Of the two owners of a union each may be on the other's list.
@example("union", [_list_of("Rex", "Mara Voss", "Zoë"), _list_of("Mara Voss", "Lake Pell")])
@example("union", [_list_of("Rex", "Mara Voss"), _list_of("Mara Voss", "Rex")])
# The singular of "glies" would be taken for an adverb if it were "gly".
@example("contraposition", [universal(worlds.kind("wag"), worlds.kind("glie", many=True))])
def test_every_conclusion_can_be_said_and_the_order_of_premises_counts_for_nothing(
    rule: str, facts: list[Form]
) -> None:
    found = consequences(rule, facts)
    assert len(set(found)) == len(found)
    assert set(consequences(rule, facts[::-1])) == set(found)
    assert all(parse(say(form)) == form for form in found)


def _exemplars() -> list[tuple[str, tuple[str, ...], str]]:
    found = []
    for file in resources.files("augmlx.augment.operators").iterdir():
        operator = tomllib.loads(file.read_text("utf-8")) if file.name.endswith(".toml") else {}
        if operator.get("rule") in RULES:
            for exemplar in operator["exemplars"]:
                premises = tuple(exemplar.get("facts") or (exemplar["fact"],))
                found.append((operator["rule"], premises, exemplar["result"]))
    return found


@pytest.mark.parametrize(("rule", "premises", "result"), _exemplars())
def test_the_shipped_exemplars_of_a_rule_follow_by_it(
    rule: str, premises: tuple[str, ...], result: str
) -> None:
    assert read(result) in consequences(rule, [read(text) for text in premises])


def test_what_follows_by_no_mood_is_not_drawn() -> None:
    """ "Some non-wugs are not daxes" is true here, but no mood says so."""
    premises = [
        parsed
        for text in ("No glons are daxes.", "Some glons are not wugs.")
        if (parsed := parse(text))
    ]
    assert len(premises) == 2
    assert consequences("syllogism", premises) == ()
