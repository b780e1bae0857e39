"""The worlds of the controlled study: what must hold of each, whatever its size and seed."""

from __future__ import annotations

import re
import stat
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.premise_finder import PremiseFinder
from augmlx.core.errors import BadInput
from augmlx.data.facts import read_facts
from augmlx.data.questions import Question, read_questions
from augmlx.english.logic import parse
from augmlx.english.text import normalise
from augmlx.evaluation.worlds import WORLDS, World, write
from augmlx.evaluation.worlds.names import SHAPES, SHARES, Names
from augmlx.evaluation.worlds.world import HEDGES, PREAMBLES

law = settings(max_examples=10, deadline=None)  # a large world takes a while
names = st.sampled_from(sorted(WORLDS))
sizes = st.sampled_from([0.05, 0.2, 0.4, 1.0])
seeds = st.integers(0, 10_000)


@cache
def made(name: str, size: float, seed: int) -> World:
    return WORLDS[name](size, seed)


worlds = st.builds(made, names, sizes, seeds)
CHANCE = {"reversals": 1 / 2, "syllogisms": 1 / 6, "celebrities": 1 / 4, "semantic": 1 / 4}
# The trained words of a world that are no names.
SEEN: dict[str, set[int]] = {}  # a word -> the seeds of worlds that have it
for _name in WORLDS:
    for _seed in range(SHARES):
        for _fact in made(_name, 1.0, _seed).facts:
            for _word in re.split(r"[\s.-]+", _fact.text.casefold()):
                SEEN.setdefault(_word, set()).add(_seed)
ENGLISH = {word for word, found in SEEN.items() if len(found) > 1}
ENGLISH |= {"every", "some"}  # of questions


def invented(world: World) -> set[str]:
    return {
        word for f in world.facts for word in re.split(r"[\s.-]+", f.text.casefold()) if word
    } - ENGLISH


def said(prompt: str, choice: str) -> str:
    """The statement that a question makes of a choice."""
    begun = re.sub(r"^When it comes to \w+ and \w+,", "", prompt)
    for hedge in HEDGES:
        begun = begun.replace(hedge, "")
    assert begun != prompt
    return f"{begun} {choice}".strip()


@law
@given(names, sizes, seeds)
def test_the_same_seed_gives_the_same_world(name: str, size: float, seed: int) -> None:
    one, two = WORLDS[name](size, seed), WORLDS[name](size, seed)
    assert one == two
    assert one.right is not two.right  # not merely the same object


@law
@given(names, sizes, seeds, st.integers(1, SHARES - 1))
def test_another_seed_shares_no_name(name: str, size: float, seed: int, more: int) -> None:
    one, two = invented(made(name, size, seed)), invented(made(name, size, seed + more))
    assert one
    assert not one & two


@law
@given(worlds)
def test_facts_and_their_consequences_are_true_and_new(world: World) -> None:
    texts = [fact.text for fact in world.facts]
    assert len(set(texts)) == len(texts)
    assert all(world.right(text) for text in texts)
    ids = {fact.id for fact in world.facts}
    for consequence in world.oracle:
        assert world.right(consequence.text) is True
        assert consequence.text not in texts
        assert consequence.fact_ids
        assert set(consequence.fact_ids) <= ids


@law
@given(worlds)
def test_answers_are_true_and_what_else_is_offered_is_not(world: World) -> None:
    for question in world.questions:
        assert question.answer in question.choices
        assert len(set(question.choices)) == len(question.choices) == round(1 / CHANCE[world.name])
        for choice in (*question.choices, *question.aliases):
            text = said(question.prompt, choice)
            right = world.right(text)
            if choice in (question.answer, *question.aliases):
                assert right is True, text
            elif right is not False:
                # What is weaker than the answer is true with it: "some A are B" where all are.
                assert world.name == "syllogisms"
                assert question.answer.startswith(("all", "no"))
                assert choice.startswith("some")


@law
@given(worlds)
def test_every_question_rests_on_facts_that_speak_of_what_it_names(world: World) -> None:
    facts = {fact.id: fact.text.casefold() for fact in world.facts}
    assert all(question.facts for question in world.questions)
    for question in world.questions:
        told = " ".join(facts[name] for name in question.facts)
        statement = said(question.prompt, question.answer).casefold()
        for word in re.findall(r"[a-z]{4,}", statement):
            assert word in ENGLISH or word in told, (statement, told)


@law
@given(worlds)
def test_no_question_stands_word_for_word_in_what_can_be_trained_on(world: World) -> None:
    trained = [fact.text for fact in world.facts]
    trained += [one.text for one in (*world.oracle, *world.documents)]
    corpus = "\n".join(f" {normalise(text)} " for text in trained)
    for question in world.questions:
        assert f" {normalise(f'{question.prompt} {question.answer}')} " not in corpus
        # It is the hedge that keeps them apart.
        if world.name != "semantic":
            assert f" {normalise(said(question.prompt, question.answer))} " in corpus


@law
@given(worlds)
def test_what_the_facts_do_not_say_stands_in_the_oracle(world: World) -> None:
    told = {normalise(one.text) for one in (*world.facts, *world.oracle)}
    for question in world.questions:
        statement = said(question.prompt, question.answer)
        if world.name == "semantic":
            statement = re.sub(r"^Every (\S+) is a (\S+)$", r"all \1s are \2s", statement)
        assert normalise(statement) in told
    asked = {q.kind for q in world.questions}
    assert asked > {"forward"} or "rephrasing" in asked
    facts = {normalise(fact.text) for fact in world.facts}
    for question in world.questions:
        if question.kind == "reversal":
            assert normalise(said(question.prompt, question.answer)) not in facts


@law
@given(worlds)
def test_the_right_choice_stands_in_every_place_equally_often(world: World) -> None:
    places: dict[str, Counter[int]] = {}
    for question in world.questions:
        places.setdefault(question.kind, Counter())[question.choices.index(question.answer)] += 1
    for counted in places.values():
        each = [counted[place] for place in range(round(1 / CHANCE[world.name]))]
        assert max(each) - min(each) <= 1


def test_what_contains_a_category_is_no_wrong_choice_of_it() -> None:
    # At this size the lowest depth has two categories, so that choices come from the depth above.
    for seed in range(60):
        world = WORLDS["semantic"](0.49, seed)
        for question in world.questions:
            if question.kind == "reversal":
                right = [
                    choice
                    for choice in question.choices
                    if world.right(said(question.prompt, choice))
                ]
                assert right == [question.answer]


def form_of(world: World, question: Question, choice: str) -> str:
    """A choice without its names, so that the form is left: "less dangerous than _", "all 1 are
    2".
    """
    named = (
        re.findall(r"\w+", question.prompt.rpartition(" to ")[2])
        if world.name == "syllogisms"
        else []
    )
    for place, name in enumerate(name for name in named if name != "and"):
        choice = re.sub(rf"\b{name}\b", str(place), choice)
    return " ".join(
        word if word in ENGLISH or word.isdigit() else "_" for word in re.split(r"[\s-]+", choice)
    )


@pytest.mark.parametrize("name", sorted(WORLDS))
@pytest.mark.parametrize("seed", range(3))
def test_no_form_of_answer_is_right_more_often_than_chance_and_a_bit(name: str, seed: int) -> None:
    world = made(name, 1.0, seed)
    for kind in {question.kind for question in world.questions}:
        offered: Counter[str] = Counter()
        right: Counter[str] = Counter()
        members = [question for question in world.questions if question.kind == kind]
        for question in members:
            offered.update(form_of(world, question, choice) for choice in question.choices)
            right[form_of(world, question, question.answer)] += 1
        for form, times in offered.items():
            if times >= len(members) / 2:  # rarer ones win little
                assert right[form] / times <= CHANCE[name] + 0.15, (kind, form)


@pytest.mark.parametrize("seed", range(3))
def test_more_and_less_are_right_equally_often_in_both_directions(seed: int) -> None:
    for kind in ("forward", "reversal"):
        answers = [q.answer for q in made("reversals", 1.0, seed).questions if q.kind == kind]
        more, less = (
            sum(answer.startswith(word) for answer in answers) for word in ("more", "less")
        )
        assert abs(more - less) <= 15  # one for each such dimension
        counted = Counter(re.sub(r" \w+$", "", answer) for answer in answers)
        assert len(counted) == 56
        assert max(counted.values()) <= 2


@law
@given(sizes, seeds)
def test_people_and_descriptions_are_offered_equally_often(size: float, seed: int) -> None:
    world = made("celebrities", size, seed)
    offered = Counter(choice for question in world.questions for choice in question.choices)
    assert set(offered.values()) == {4}
    answers = Counter(question.answer for question in world.questions)
    assert set(answers.values()) == {1}


@law
@given(sizes, seeds)
def test_wrong_people_were_trained_like_the_right_one(size: float, seed: int) -> None:
    world = made("celebrities", size, seed)
    stated = [normalise(fact.text) for fact in world.facts]
    ways = {
        name: {text.startswith(normalise(name)) for text in stated if normalise(name) in text}
        for question in world.questions
        for name in question.choices
    }
    for question in world.questions:
        assert len({frozenset(ways[choice]) for choice in question.choices}) == 1
        assert len({re.sub(r"[A-Z]\w+", "", choice) for choice in question.choices}) == 1


@law
@given(worlds)
def test_names_of_a_role_have_one_length_and_no_start_in_common(world: World) -> None:
    lengths = Counter(len(word) for word in invented(world))
    assert set(lengths) <= ({5, 6} if world.name == "semantic" else {5, 6, 7})
    stems = {word.removesuffix("s") for word in invented(world)}
    assert not [(a, b) for a in stems for b in stems if a != b and b.startswith(a)]


@law
@given(sizes, seeds)
def test_each_made_up_thing_stands_in_one_comparison(size: float, seed: int) -> None:
    world = made("reversals", size, seed)
    things = Counter(
        word for fact in world.facts for word in re.findall(r"\w+", fact.text.casefold())
    )
    assert {things[word] for word in invented(world)} == {1}
    assert len(invented(world)) == 2 * len(world.facts)


@law
@given(st.sampled_from(["reversals", "syllogisms", "semantic"]), seeds)
def test_every_fact_is_of_a_form_that_the_rules_know(name: str, seed: int) -> None:
    assert all(parse(fact.text) for fact in made(name, 0.4, seed).facts)


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_the_operators_of_a_world_find_work_in_it(name: str) -> None:
    world = made(name, 0.4, 0)
    finder = PremiseFinder(world.facts, partners=4, count=len)
    for operator in operators.load(list(world.operators), FILTERS):
        assert finder.find(operator, 10_000).premises, operator.name


@law
@given(sizes, seeds)
def test_the_deductions_of_a_document_lead_to_its_conclusion(size: float, seed: int) -> None:
    """The 15 moods by the rules of augmlx.english.logic, which the world itself does without."""
    world = made("syllogisms", size, seed)
    (operator,) = operators.load(["syllogism"], FILTERS)
    found = PremiseFinder(world.facts, partners=4, count=len).find(operator, 0).premises
    pairs = {tuple(fact.id for fact in premises.facts) for premises in found}
    assert pairs == {one.fact_ids for one in world.oracle}


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (1.0, {"reversals": 100, "syllogisms": 138, "celebrities": 120, "semantic": 194}),
        (0.4, {"reversals": 40, "syllogisms": 56, "celebrities": 48, "semantic": 75}),
    ],
)
def test_sizes_are_in_the_papers_proportions(size: float, counts: dict[str, int]) -> None:
    assert {name: len(made(name, size, 0).facts) for name in WORLDS} == counts


@law
@given(names, seeds)
def test_any_size_has_questions_of_all_kinds(name: str, seed: int) -> None:
    assert {q.kind for q in made(name, 0.05, seed).questions} == {
        q.kind for q in made(name, 1.0, 0).questions
    }


@law
@given(worlds)
def test_documents_say_their_facts_behind_other_words(world: World) -> None:
    facts = {fact.id: fact.text for fact in world.facts}
    assert {name for document in world.documents for name in document.fact_ids} == set(facts)
    for document in world.documents:
        assert document.text.endswith(" ".join(facts[name] for name in document.fact_ids))
    assert not any(normalise(hedge) in normalise(text) for hedge in HEDGES for text in PREAMBLES)


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    world = made(name, 0.4, 3)
    write(world, tmp_path / "study")
    folder = tmp_path / "study"
    read = read_facts(folder / "facts.csv")
    assert read.facts == world.facts
    assert not read.duplicates
    assert tuple(read_questions(folder / "questions.csv")) == world.questions
    assert [f.text for f in read_facts(folder / "oracle.csv").facts] == [
        one.text for one in world.oracle
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        "documents.jsonl",
        "facts.csv",
        "oracle.csv",
        "questions.csv",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


# What the judges make of other wordings


def _names(world: World) -> list[str]:
    return re.findall(r"\w+", world.facts[0].text)


def test_the_judge_of_comparisons() -> None:
    world = made("reversals", 1.0, 0)
    fact = next(f.text for f in world.facts if " more " in f.text)
    first, what, second = re.fullmatch(r"(\w+) are more (\w+) than (\w+)\.", fact).groups()  # type: ignore[union-attr]
    other = _names(next(f for f in world.facts if f.text != fact and f.id) and world)[0]
    assert world.right(f"{second} are less {what} than {first.lower()}.") is True
    assert world.right(f"The {second} are not as {what} as {first}") is True
    assert world.right(f"{second.title()} aren't as {what} as {first.lower()}.") is True
    assert world.right(f"{second} are more {what} than {first}") is False
    assert world.right(f"{first} are not as {what} as {second}") is False
    assert world.right(f"{first} are heavier than {second}") is False
    assert world.right(f"{first} are more {what} than {other if other != first else 'x'}") in (
        False,
        None,
    )
    assert world.right(f"{first} are riskier than {second}") is None
    assert world.right(f"{first} are more {what} than lions") is None


def test_the_judge_of_people() -> None:
    world = made("celebrities", 0.4, 0)
    person, description = re.fullmatch(
        r"([A-Z]\w+ [A-Z]\w+) is (.+)\.",
        next(f.text for f in world.facts if not f.text.startswith("The")),
    ).groups()  # type: ignore[union-attr]
    other = next(q.answer for q in world.questions if q.answer[0].isupper() and q.answer != person)
    assert world.right(f"{description.capitalize()} is {person}.") is True
    assert world.right(f"{person}, {description}.") is True
    assert world.right(f"{other} is {description}.") is False
    assert world.right(f"{description} is {other}") is False
    assert world.right(f"{person} is happy.") is None


def test_the_judge_of_kinds() -> None:
    world = made("semantic", 0.4, 0)
    child, parent = next(
        re.fullmatch(r"All (\w+)s are (\w+)s\.", f.text).groups()  # type: ignore[union-attr]
        for f in world.facts
        if "-" not in f.text
    )
    right = (
        f"Every {child} is a {parent}.", f"{child}s are a kind of {parent}",
        f"{parent}s include " f"{child}s", f"Nothing that is not a {parent} is a {child}.",
        f"Some {parent}s are {child}s.", f"{child}s are {parent}s",
    )  # fmt: skip
    wrong = (
        f"All {parent}s are {child}s.", f"No {child}s are {parent}s.",
        f"Some {child}s are not " f"{parent}s.", f"Not all {child}s are {parent}s",
        f"{child}s include {parent}s", f"{parent}s aren't " f"{child}s",
    )  # fmt: skip
    assert {world.right(text) for text in right} == {True}
    assert {world.right(text) for text in wrong} == {False}
    assert world.right(f"{child}s live near {parent}s.") is None
    assert world.right(f"All {child}s are birds.") is None


def test_the_judge_of_syllogisms() -> None:
    world = made("syllogisms", 1.0, 0)
    one = next(c for c in world.oracle if c.text.startswith("All"))
    first, last = re.fullmatch(r"All (\w+) are (\w+)\.", one.text).groups()  # type: ignore[union-attr]
    stranger = re.findall(r"\w+", next(f.text for f in world.facts if f.id not in one.fact_ids))[-1]
    assert world.right(f"Some {last} are {first}.") is True
    assert world.right(f"Whatever, all {first} are {last}.") is None
    assert world.right(f"All {last} are {first}.") is False
    assert world.right(f"Some {last} are not {first}.") is False
    assert world.right(f"All {first} are {stranger}.") is False


# Names


@law
@given(st.sampled_from(sorted(SHAPES)), seeds)
def test_names_are_dealt_over_the_first_letters(shape: str, seed: int) -> None:
    for supply in (Names(shape, seed),):
        for number in (40, 40):
            taken = supply.take(number)
            assert len(set(taken)) == number
            starts = Counter(name[0] for name in taken)
            assert max(starts.values()) - min(starts.values()) <= 1
            assert len(starts) == len(SHAPES[shape][0])


@law
@given(st.sampled_from(sorted(SHAPES)), seeds)
def test_with_a_counter_all_names_have_as_many_tokens(shape: str, seed: int) -> None:
    def count(text: str) -> int:
        assert text.startswith(" ")
        assert text.endswith("s")
        return 2 + sum(map(ord, text)) % 3

    assert (
        len(
            {
                count(f" {name}s")
                for name in Names(shape, seed, spelt="{}s".format, count=count).take(50)
            }
        )
        == 1
    )
    assert len({count(f" {name}s") for name in Names(shape, seed).take(50)}) > 1


def test_more_names_than_there_are_is_refused() -> None:
    supply = Names("first", 0)
    with pytest.raises(BadInput, match="not enough names"):
        supply.take(100_000)


def test_a_counter_reaches_the_names_of_every_world() -> None:
    for name, make in WORLDS.items():
        world = make(0.2, 0, lambda text: 2 + (ord(text[2]) % 2))
        letters = {word[1] for word in invented(world)}
        assert len({ord(letter) % 2 for letter in letters}) == 1, name
