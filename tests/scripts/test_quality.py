"""The world and the judge behind bench_quality.py: held to a table of hand-made verdicts and to
laws over any seed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

import bench_quality
import quality_judge
import quality_logic
import quality_relations
import quality_world
from quality_judge import judge_question, judge_statement, opens_with, says
from quality_relations import RELATIONS
from quality_world import WorldFact, world

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.journal import open_journal
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine

EVEN = {"married", "cousin", "rival", "borders", "as as", "also known as", "no are", "some are"}


def fact(relation: str, source: str, *arguments: str, word: str = "", year: str = "") -> WorldFact:
    found = next(r for r in RELATIONS if r.name == relation)
    return WorldFact("f", source, found, arguments, word, year)


WROTE = fact(
    "wrote", "Ana Bor wrote the Kel Sonata in 1900.", "Ana Bor", "the Kel Sonata", year="1900"
)
MOTHER = fact("mother", "Ana Bor is the mother of Ben Tal.", "Ana Bor", "Ben Tal")
OWNS = fact("owns", "Ana Bor owns the Kel mill.", "Ana Bor", "the Kel mill")
GAVE = fact("gave", "Ana Bor gave the Kel lamp to Ben Tal.", "Ana Bor", "the Kel lamp", "Ben Tal")
MORE = fact("more", "Glons are more fragile than femps.", "glons", "femps", word="fragile")
ALL = fact("all are", "All glons are femps.", "glons", "femps")
LIVES = fact("lives in", "Ana Bor lives in Orrin.", "Ana Bor", "Orrin")

STATEMENTS = [
    (WROTE, "The Kel Sonata was written by Ana Bor in 1900.", "right"),
    (WROTE, "The Kel Sonata was written in 1900 by Ana Bor.", "right"),
    (WROTE, "The author of the Kel Sonata is Ana Bor.", "right"),
    (WROTE, "The Kel Sonata's author was Ana Bor.", "right"),
    (WROTE, "The Kel Sonata is written by Ana Bor.", "tense"),
    (WROTE, "The Kel Sonata was written by Ana Bor in 1901.", "unparsed"),
    (WROTE, "The Kel Sonata wrote Ana Bor.", "swapped"),
    (WROTE, "The Kel Sonata was wrote by Ana Bor.", "unparsed"),
    (WROTE, "Ana Bor is the author of the Kel Sonata.", "side"),
    (WROTE, "Ana Bor wrote the Kel Sonata in 1900", "copy"),
    (MOTHER, "Ben Tal's mother is Ana Bor.", "right"),
    (MOTHER, "Ben Tal is the child of Ana Bor.", "right"),
    (MOTHER, "Ben Tal is the son of Ana Bor.", "unparsed"),
    (MOTHER, "Ben Tal is the mother of Ana Bor.", "swapped"),
    (MOTHER, "The mother of Ana Bor is Ben Tal.", "side"),
    (OWNS, "The Kel mill is owned by Ana Bor.", "right"),
    (OWNS, "The Kel mill belongs to Ana Bor.", "right"),
    (OWNS, "The Kel mill was owned by Ana Bor.", "tense"),
    (OWNS, "The Kel mill owns Ana Bor.", "swapped"),
    (OWNS, "The Kel mill is Ana Bor.", "unparsed"),
    (OWNS, "The Kel mill isn't owned by Ana Bor.", "unparsed"),
    (GAVE, "Ben Tal received the Kel lamp from Ana Bor.", "right"),
    (GAVE, "The Kel lamp was given to Ben Tal by Ana Bor.", "right"),
    (GAVE, "Ben Tal gave the Kel lamp to Ana Bor.", "swapped"),
    (GAVE, "The Kel lamp was given to Ana Bor by Ben Tal.", "swapped"),
    (MORE, "Femps are less fragile than glons.", "right"),
    (MORE, "Femps are more fragile than glons.", "swapped"),
    (MORE, "Femps are not as fragile as glons.", "right"),
    (ALL, "Some femps are glons.", "right"),
    (ALL, "All femps are glons.", "swapped"),
    (LIVES, "Orrin is home to Ana Bor.", "right"),
    (LIVES, "Orrin lives in Ana Bor.", "swapped"),
]


@pytest.mark.parametrize(
    ("source", "text", "note"), STATEMENTS, ids=lambda value: getattr(value, "text", value)
)
def test_a_reversal_is_judged_as_a_person_would(source: WorldFact, text: str, note: str) -> None:
    found = judge_statement(text, source, turned=True)
    if note == "side" and text.startswith("The mother of Ana"):
        note = "swapped"  # wrong before it is in the wrong direction
    assert found.note == note
    assert found.right == (note in ("right", "tense"))


QUESTIONS = [
    (WROTE, "Who wrote the Kel Sonata?", "Ana Bor", True, True),
    (WROTE, "Who was the Kel Sonata written by?", "Ana Bor.", True, True),
    (WROTE, "By whom was the Kel Sonata written?", "Ana Bor", True, True),
    (WROTE, "Who is the author of the Kel Sonata?", "Ana Bor", True, True),
    (WROTE, "Who wrote the Kel Sonata?", "the Kel Sonata", True, False),
    (WROTE, "Who wrote the Kel Sonata?", "Ben Tal", True, False),
    (WROTE, "Who wrote the Kel Sonata?", "Ana Bor", False, False),
    (WROTE, "What did Ana Bor write?", "The Kel Sonata", False, True),
    (WROTE, "What did Ana Bor write in 1900?", "The Kel Sonata", False, True),
    (WROTE, "What did Ana Bor wrote?", "The Kel Sonata", False, False),
    (WROTE, "What was written by Ana Bor?", "Kel Sonata", False, True),
    (WROTE, "When was the Kel Sonata written by Ana Bor?", "1900", False, True),
    (MOTHER, "Who is the mother of Ben Tal?", "Ana Bor", True, True),
    (MOTHER, "Who is Ben Tal's mother?", "Ana Bor", True, True),
    (MOTHER, "Whose mother is Ana Bor?", "Ben Tal", False, True),
    (MOTHER, "Who is the mother of Ana Bor?", "Ben Tal", False, False),
    (MOTHER, "Ana Bor is the mother of whom?", "Ben Tal", False, False),
    (GAVE, "Who gave the Kel lamp to Ben Tal?", "Ana Bor", True, True),
    (GAVE, "What did Ana Bor give to Ben Tal?", "the Kel lamp", False, True),
    (GAVE, "To whom did Ana Bor give the Kel lamp?", "Ben Tal", False, True),
    (GAVE, "Who did Ben Tal give the Kel lamp to?", "Ana Bor", True, False),
    (LIVES, "Where does Ana Bor live?", "Orrin", False, True),
    (LIVES, "Where does Ana Bor live?", "In Orrin.", False, True),
    (LIVES, "Who lives in Orrin?", "Ana Bor", True, True),
    (MOTHER, "Who is Ana Bor?", "the mother of Ben Tal", False, True),
    (MOTHER, "What does Ana Bor do?", "the mother of Ben Tal", False, False),
    (OWNS, "What is the name of the person who owns the Kel mill?", "Ana Bor", True, True),
    (MORE, "What are glons more fragile than?", "femps", False, True),
    (MORE, "What are femps more fragile than?", "glons", True, False),
]


@pytest.mark.parametrize(
    ("source", "text", "right"),
    [
        (OWNS, "Ana Bor is the one who owns the Kel mill.", True),
        (OWNS, "Ana Bor is owning the Kel mill.", True),
        (OWNS, "Ana Bor is the one who owned the Kel lamp.", False),
        (OWNS, "The Kel mill is owned by Ana Bor.", False),
        (MORE, "Glons are the ones that are more fragile than femps.", True),
        (WROTE, "Ana Bor is the author of the Kel Sonata.", True),
    ],
)
def test_a_rephrasing_keeps_its_side(source: WorldFact, text: str, right: bool) -> None:
    assert judge_statement(text, source, turned=False).right == right


@pytest.mark.parametrize(
    ("source", "text", "note"),
    [
        (WROTE, "It was Ana Bor who wrote the Kel Sonata in 1900.", "right"),
        (WROTE, "It was in 1900 that Ana Bor wrote the Kel Sonata.", "right"),
        (WROTE, "It was Ana Bor who writes the Kel Sonata.", "tense"),
        (WROTE, "It was the Kel Sonata that Ana Bor wrote in 1900.", "side"),
        (WROTE, "It was Ana Bor which wrote the Kel Sonata in 1900.", "unparsed"),
        (WROTE, "It was Ana Bor who written the Kel Sonata in 1900.", "unparsed"),
        (WROTE, "It was Ana Bor who wrote the Kel Sonata in 1901.", "unparsed"),
        (MOTHER, "It is Ana Bor who is the mother of Ben Tal.", "right"),
        (MOTHER, "It is Ben Tal who is the mother of Ana Bor.", "swapped"),
        (MOTHER, "It is Ana Bor who is not the mother of Ben Tal.", "unparsed"),
        (OWNS, "It was Ana Bor who owns the Kel mill.", "tense"),
        (OWNS, "It is the Kel mill who Ana Bor owns.", "unparsed"),
        (GAVE, "It was Ana Bor who gave the Kel lamp to Ben Tal.", "right"),
        (GAVE, "It was Ben Tal who gave the Kel lamp to Ana Bor.", "swapped"),
        (LIVES, "It is Ana Bor who lives in Orrin.", "right"),
        (LIVES, "It is Ana Bor who lives Orrin.", "unparsed"),
        (MORE, "It is glons that are more fragile than femps.", "right"),
        (MORE, "It is femps that are more fragile than glons.", "swapped"),
    ],
)
def test_what_is_singled_out_is_put_back(source: WorldFact, text: str, note: str) -> None:
    assert judge_statement(text, source, turned=False).note == note


@pytest.mark.parametrize(("source", "question", "answer", "turned", "right"), QUESTIONS)
def test_a_question_is_judged_as_a_person_would(
    source: WorldFact, question: str, answer: str, turned: bool, right: bool
) -> None:
    assert (
        judge_question(f"Question: {question}\nAnswer: {answer}", source, turned=turned).right
        == right
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_every_wording_of_a_relation_says_it_and_none_says_its_swap(seed: int) -> None:
    for said in world(seed, 6):
        assert says(said.text, said, loose=False), said.text
        if said.relation.name not in EVEN:
            assert not says(said.text, said.swapped(), loose=True), said.text
        for source in (s for s in said.relation.sources if said.year or " Y" not in s):
            text = quality_world.fill(source, said.arguments, said.word, said.year)
            turned = opens_with(text, said) != opens_with(said.text, said)
            found = judge_statement(text, said, turned=turned)
            assert found.right or found.note == "copy", (said.text, text, found)


def kinds(*texts: str, filled: bool = False) -> str:
    """The verdict on the last text, drawn from the others."""
    facts = [
        WorldFact("f", text, ONE_OF, ("glons", "femps", "wugs", "Zoe Bor"), "", "")
        for text in texts[:-1]
    ]
    if len(facts) == 1:
        facts = [WorldFact("f", texts[0], ONE_OF, ("glons", "femps"), "", "")]
    return quality_judge.judge_kinds(texts[-1], facts, filled=filled).note


ONE_OF = RELATIONS[0]
CONCLUSIONS = [
    (("All glons are femps.", "Anything that is not a femp is not a glon."), "right"),
    (("All glons are femps.", "If something is not a femp, then it is not a glon."), "right"),
    (("All glons are femps.", "Anything that is not a glon is not a femp."), "swapped"),
    (("All glons are femps.", "All femps are glons."), "swapped"),
    (("All glons are femps.", "Some femps are glons."), "swapped"),
    (("All glons are femps.", "Every glon is a femp."), "copy"),
    (("No glons are femps.", "No femps are glons."), "right"),
    (("Some glons are femps.", "Some femps are glons."), "right"),
    (("Some glons are not femps.", "Some femps are not glons."), "swapped"),
    (("All glons are femps.", "All femps are wugs.", "All glons are wugs."), "right"),
    (("All glons are femps.", "All femps are wugs.", "All wugs are glons."), "swapped"),
    (("All glons are femps.", "All femps are wugs.", "Some glons are wugs."), "swapped"),
    (("All glons are femps.", "All femps are wugs.", "All glons are femps."), "copy"),
    (("No glons are femps.", "Some femps are wugs.", "Some wugs are not glons."), "right"),
    (("No glons are femps.", "No femps are wugs.", "No glons are wugs."), "swapped"),
    (("All glons are femps.", "Zoe Bor is a glon.", "Zoe Bor is a femp."), "right"),
    (("No glons are femps.", "Zoe Bor is a glon.", "Zoe Bor is not a femp."), "right"),
    (("All glons are femps.", "Zoe Bor is a femp.", "Zoe Bor is a glon."), "swapped"),
]


@pytest.mark.parametrize(("texts", "note"), CONCLUSIONS)
def test_a_conclusion_about_kinds_is_held_to_every_model(texts: tuple[str, ...], note: str) -> None:
    assert kinds(*texts) == note


def test_all_implies_some_where_no_kind_is_empty() -> None:
    assert kinds("All glons are femps.", "Some femps are glons.", filled=True) == "right"


def test_a_chain_holds_from_its_first_to_its_last_and_only_where_the_relation_is_transitive() -> (
    None
):
    chain = [fact("older", "", "Ana Bor", "Ben Tal"), fact("older", "", "Ben Tal", "Zoe Kel")]
    assert quality_judge.judge_chain("Ana Bor is older than Zoe Kel.", chain).right
    assert quality_judge.judge_chain("Zoe Kel is younger than Ana Bor.", chain[::-1]).right
    assert quality_judge.judge_chain("Zoe Kel is older than Ana Bor.", chain).note == "swapped"
    likes = [fact("admires", "", "Ana Bor", "Ben Tal"), fact("admires", "", "Ben Tal", "Zoe Kel")]
    assert not quality_judge.judge_chain("Ana Bor admires Zoe Kel.", likes).right


def test_a_bridge_says_both_of_its_facts() -> None:
    pair = [
        fact("chair", "", "Ana Bor", "the Kel Guild"),
        fact("founded", "", "Ben Tal", "the Kel Guild"),
    ]
    assert quality_judge.judge_bridge(
        "Ana Bor is the chair of the Kel Guild, which was founded by Ben Tal.", pair
    ).right
    assert not quality_judge.judge_bridge(
        "Ana Bor is the chair of the Kel Guild, which founded Ben Tal.", pair
    ).right
    assert not quality_judge.judge_bridge(
        "Ben Tal is the chair of the Kel Guild, which was founded by Ana.", pair
    ).right


@given(st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_a_world_is_the_same_for_its_seed_and_names_nothing_twice(seed: int, count: int) -> None:
    facts = world(seed, count)
    assert facts == world(seed, count)
    assert len(facts) == count * len(RELATIONS)
    names = [name for f in facts for name in f.arguments]
    assert len(names) == len(set(names))


@given(st.text(max_size=60), st.sampled_from([WROTE, GAVE, MORE, ALL]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_text_is_judged(text: str, source: WorldFact, turned: bool) -> None:
    assert not judge_statement(text, source, turned=turned).right
    assert not judge_question(text, source, turned=turned).right


def test_at_least_half_of_the_relations_are_unseen_by_every_operator() -> None:
    facts = world(0, 4)
    assert len(facts) >= 200
    for operator in operators.load(["reversal", "rephrase"], FILTERS):
        known = bench_quality.seen(operator, facts)
        assert {"larger", "composed"} <= known, operator.name
        assert len(known) <= len(RELATIONS) / 2, known


def test_the_judge_knows_nothing_of_the_filters() -> None:
    for module in (quality_judge, quality_logic, quality_relations, quality_world):
        assert "augmlx" not in [name.split(".")[0] for name in vars(module)]
        assert "import augmlx" not in Path(str(module.__file__)).read_text()
        assert "from augmlx" not in Path(str(module.__file__)).read_text()


def test_figures_follow_from_what_the_filters_keep() -> None:
    facts = [
        WorldFact("a", OWNS.text, OWNS.relation, OWNS.arguments, "", ""),
        WorldFact("b", MOTHER.text, MOTHER.relation, MOTHER.arguments, "", ""),
    ]

    def write(request: Request) -> str:
        if request.seed.split(":")[1] == "b":
            return " is the mother of Ana Bor."  # "The mother of Ben Tal is the mother of Ana Bor."
        return " Ana Bor." if int(request.seed[-1]) % 2 else " Ben Tal."

    chosen = AugmentSettings(samples=4)
    [operator] = operators.load(["reversal"], FILTERS)
    with open_journal(None) as journal:
        bench = bench_quality.Bench(facts, ScriptedEngine(write), journal, 0)
        assert bench.generate(operator, chosen) == 6  # the second sample of the first is right
        ablation = bench_quality.ablate(bench, operator, chosen)
        rows = bench_quality.candidates(bench, operator, chosen)
    kept, unfiltered = ablation["all filters"], ablation["no filter"]
    assert (kept.produced, kept.kept, kept.right, kept.covered, kept.facts) == (6, 1, 1, 1, 2)
    assert (unfiltered.kept, unfiltered.right) == (6, 1)
    assert kept.as_json()["coverage"] == 0.5
    assert [row["votes"] for row in rows if row["right"]] == [1.0]
    assert {row["by"] for row in rows if not row["right"]} <= {"entity", "relation", "swap"}
