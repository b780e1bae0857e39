"""One arm: every item answered once, in order, from the same choices; contexts that fit the
window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import load_tiny

from augmlx.core.progress import Silent
from augmlx.core.records import EvalItem, EvalResult, Fact
from augmlx.core.settings import EvalSettings
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Completion, Request, Score
from augmlx.engines.scripted import ScriptedEngine
from augmlx.evaluation.asking import ask_arm
from augmlx.evaluation.cells import cells_by_arm
from augmlx.evaluation.prompts import as_prompt, context_note, contexts
from augmlx.evaluation.statistics import wilson
from augmlx.evaluation.summary import Cell

FACTS = [Fact(f"f{n}", f"Name{n} runs the Zorb{n} depot.", "x") for n in range(40)]


def item(n: int, kind: str = "forward", **changed: object) -> EvalItem:
    values: dict[str, object] = {
        "prompt": f"Name{n} runs the",
        "answer": f"Zorb{n} depot",
        **changed,
    }
    choices = (f"Zorb{n + 1} depot", str(values["answer"]), "Lamp")
    return EvalItem(f"{kind}:{n}", kind, choices=choices, fact_ids=(f"f{n}",), **values)  # type: ignore[arg-type]


def engine(
    write: Callable[[Request], str | Completion] = lambda _: "",
    weigh: Callable[[str, str], float] = lambda _p, c: -len(c),
) -> ScriptedEngine:
    return ScriptedEngine(write, weigh=weigh)


def ask(items: list[EvalItem], used: ScriptedEngine, **changed: object) -> list[EvalResult]:
    return ask_arm("base", items, used, EvalSettings(**changed), Silent())  # type: ignore[arg-type]


def test_every_item_is_answered_once_and_in_order() -> None:
    items = [item(n % 40, f"kind{n // 40}") for n in range(200)]  # more than one page
    shown = {i.id: f"context {len(i.id) % 3}\n" for i in items}
    used = engine(lambda r: r.key)
    results = ask_arm("icl", items, used, EvalSettings(), Silent(), shown)
    assert [r.item_id for r in results] == [i.id for i in items]
    assert [r.generated for r in results] == [i.id for i in items]
    assert used.generated == 200
    assert {r.arm for r in results} == {"icl"}


class Calls(ScriptedEngine):
    """Notes which contexts stand in each call, and how many rows it has."""

    def __init__(self) -> None:
        super().__init__(lambda _: "")
        self.generating: list[tuple[set[str], int]] = []
        self.scoring: list[set[str]] = []

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        self.generating.append(({request.prefix for request in requests}, len(requests)))
        return super().generate(requests)

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        assert all(prompt.startswith(prefix) for prompt in prompts)
        self.scoring.append({prefix})
        return super().score(prompts, continuations, prefix=prefix)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=150))
def test_every_call_has_exactly_one_context(pages: list[int]) -> None:
    items = [item(n % 40, f"kind{n // 40}") for n in range(len(pages))]
    shown = {i.id: f"Page {page}.\n" for i, page in zip(items, pages, strict=True)}
    used = Calls()
    ask_arm("icl", items, used, EvalSettings(), Silent(), shown)
    assert all(len(found) == 1 for found, _ in used.generating)
    assert all(len(found) == 1 for found in used.scoring)
    assert (
        len(used.generating)
        == len(used.scoring)
        == sum(-(-pages.count(page) // 64) for page in set(pages))
    )
    assert max(rows for _, rows in used.generating) <= 64


def test_the_model_prefills_each_page_once_and_not_once_per_row(tmp_path: Path) -> None:
    used = MlxEngine(load_tiny(tmp_path / "model"), fingerprint="tiny")
    items = [item(n) for n in range(20)]
    pages = [
        "Ada Brandt keeps the harbour hall. " * 4 + "\n",
        "The capital of Ostrel is Venn. " * 4 + "\n",
    ]
    shown = {i.id: pages[n % 2] for n, i in enumerate(items)}
    own = sum(
        used.count(as_prompt(i.prompt)) + used.count(f" {choice}")
        for i in items
        for choice in i.choices
    )
    own += sum(used.count(as_prompt(i.prompt)) for i in items)
    ask_arm("icl", items, used, EvalSettings(max_tokens=1), Silent(), shown)
    # What a call's prompts share is prefilled once to score it and once to generate from it.
    assert used.tokens.prefilled <= own + 2 * sum(map(used.count, pages)) + 8 * len(items)


def test_the_most_likely_choice_is_chosen_per_token_or_summed() -> None:
    # "Zorb0 depot" costs 3 nats in 2 tokens, "Lamp" 2 nats in 1: the first wins per token, the
    # second in sum.
    weights = {" Zorb1 depot": -9.0, " Zorb0 depot": -3.0, " Lamp": -2.0}
    used = engine(weigh=lambda _, choice: weights[choice])
    by_token, by_sum = (ask([item(0)], used, score=score)[0] for score in ("token", "sum"))
    assert (by_token.chosen, by_token.correct) == (1, True)
    assert (by_sum.chosen, by_sum.correct) == (2, False)
    assert by_token.scores == by_sum.scores == (-9.0, -3.0, -2.0)
    assert by_token.tokens == (2, 2, 1)


def test_each_choice_is_scored_behind_its_own_items_prompt_and_context() -> None:
    seen: list[tuple[str, str]] = []

    def weigh(prompt: str, choice: str) -> float:
        seen.append((prompt, choice))
        return 0.0

    items = [item(0), item(1, prompt="Who runs it?")]
    ask_arm("icl", items, engine(weigh=weigh), EvalSettings(), Silent(), {"forward:0": "Facts.\n"})
    assert ("Facts.\nName0 runs the", " Lamp") in seen
    assert ("Question: Who runs it?\nAnswer:", " Lamp") in seen
    assert len(seen) == 6


def test_the_prompts_that_are_generated_from_are_those_that_are_scored() -> None:
    prompts: list[str] = []

    def write(request: Request) -> str:
        prompts.append(request.prompt)
        assert request.temperature == 0
        assert request.max_tokens == 7
        return ""

    ask_arm(
        "icl",
        [item(0)],
        engine(write),
        EvalSettings(max_tokens=7),
        Silent(),
        {"forward:0": "Facts.\n"},
    )
    assert prompts == ["Facts.\nName0 runs the"]


@pytest.mark.parametrize(
    ("generated", "exact"),
    [
        (" Zorb0 depot.", True),
        ("the Zorb0 depot", False),
        ("ZORB0   depot!", True),
        ("Zorb0 depot. And more.", True),
        ("Zorb0 depot and more.", False),
        ("The Depot of Dr. Lee. He lives there.", True),  # the alias
        ("", False),
        ("...", False),
    ],
)
def test_an_exact_answer_is_the_first_sentence_after_normalisation(
    generated: str, exact: bool
) -> None:
    asked_for = item(0, aliases=("the depot of Dr. Lee",))
    assert ask([asked_for], engine(lambda _: generated))[0].exact == exact


def test_an_empty_answer_is_never_exact() -> None:
    assert not ask([item(0, answer="?!")], engine(lambda _: ""))[0].exact


def test_a_title_ends_no_answer() -> None:
    asked_for = item(0, answer="Dr. Ana Ruiz")
    assert ask([asked_for], engine(lambda _: " Dr. Ana Ruiz."))[0].exact
    assert not ask([asked_for], engine(lambda _: " Dr."))[0].exact


def test_a_failed_generation_is_no_answer() -> None:
    result = ask(
        [item(0, answer="too long")], engine(lambda r: Completion(r.key, "too long", "error", 0))
    )[0]
    assert (result.generated, result.exact) == ("", False)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Who is it?", "Question: Who is it?\nAnswer:"),
        ("Who is it? ", "Question: Who is it? \nAnswer:"),
        ("誰ですか？", "Question: 誰ですか？\nAnswer:"),
        ("من هو؟", "Question: من هو؟\nAnswer:"),
        ("Ana owns the ", "Ana owns the"),
    ],
)
def test_a_question_is_put_as_one(prompt: str, text: str) -> None:
    assert as_prompt(prompt) == text


# Contexts


def test_all_facts_are_shown_where_they_fit() -> None:
    shown, left_out = contexts([item(0), item(1)], FACTS, engine(), 24)
    assert left_out == 0
    assert set(shown.values()) == {"".join(f"{fact.text}\n" for fact in FACTS)}


@given(st.integers(60, 300), st.integers(1, 20))
def test_where_they_do_not_fit_each_item_sees_the_page_of_its_fact(
    window: int, answer_tokens: int
) -> None:
    used = engine()
    used.window = window
    items = [item(n) for n in range(40)]
    shown, _ = contexts(items, FACTS, used, answer_tokens)
    lines = [fact.text for fact in FACTS]
    for asked_for in items:
        page = shown[asked_for.id].splitlines()
        assert FACTS[int(asked_for.fact_ids[0][1:])].text in page
        assert page == lines[lines.index(page[0]) :][: len(page)], (
            "in the facts' order, none left out"
        )
        needed = used.count(shown[asked_for.id] + as_prompt(asked_for.prompt)) + 2 + answer_tokens
        assert needed <= window
    assert {line for page in shown.values() for line in page.splitlines()} == set(lines)


def test_the_summary_is_told_where_the_facts_stand_on_several_pages() -> None:
    used = engine()
    items = [item(n) for n in range(40)]
    assert context_note("icl", *contexts(items, FACTS, used, 24)) is None
    used.window = 110
    shown, left_out = contexts(items, FACTS, used, 24)
    assert len(set(shown.values())) == 3
    assert context_note("icl", shown, left_out) == (
        "The facts do not fit the model's window: the icl arm sees the one of 3 pages that holds "
        "the fact in question."
    )
    assert context_note("icl", {}, 0) is None


def test_a_fact_longer_than_the_window_has_a_page_of_its_own() -> None:
    used = engine()
    used.window = 20
    shown, _ = contexts([item(0), item(1)], FACTS[:2], used, 5)
    assert shown == {"forward:0": f"{FACTS[0].text}\n", "forward:1": f"{FACTS[1].text}\n"}


@given(st.integers(60, 300), st.integers(0, 60))
def test_augmentations_beyond_a_page_are_left_out_and_counted(window: int, count: int) -> None:
    used = engine()
    used.window = window
    items = [item(0), item(1)]
    beside = {FACTS[0].id: [f"It is also told in this way, number {n}." for n in range(count)]}
    shown, left_out = contexts(items, FACTS, used, 24, beside)
    assert (
        sum(line in beside[FACTS[0].id] for line in shown["forward:0"].splitlines())
        == count - left_out
    )
    for asked_for in items:
        assert used.count(shown[asked_for.id] + as_prompt(asked_for.prompt)) + 2 + 24 <= window
    note = context_note("icl-augmented", shown, left_out)
    told = (
        f"{left_out} augmentations of facts with more than a page of them are left out of the "
        f"icl-augmented arm"
    )
    assert (told in (note or "")) == bool(left_out)


# The summary


def result(
    kind: str,
    correct: bool,
    exact: bool,
    arm: str = "base",
    scores: tuple[float, ...] = (-1.0, -2.0),
) -> EvalResult:
    """Of an item whose right choice is the first; it is of four tokens, the other of one."""
    return EvalResult("i", arm, kind, scores, (4, 1), 0, correct, "", exact, 0.5)


def test_the_summary_counts_per_arm_and_kind() -> None:
    items = [EvalItem("i", "forward", "It is", "so", ("so", "not"))]
    rows = [
        result("forward", True, True),
        result("forward", False, True),
        result("reversal", True, False),
    ]
    table = cells_by_arm([*rows, result("forward", False, False, "icl")], items)
    low, high = wilson(1, 2)
    shares = {
        "accuracy": 0.5,
        "low": low,
        "high": high,
        "by_sum": 1.0,
        "by_token": 1.0,
        "exact": 1.0,
        "f1": 0.5,
        "runs_on": 0.0,
    }
    assert table["base"]["forward"] == Cell(n=2, **shares)
    assert table["base"]["reversal"].n == 1
    assert table["icl"]["forward"].accuracy == 0.0
    assert list(table) == ["base", "icl"]
    assert cells_by_arm([], []) == {}


def test_the_summary_holds_what_either_rule_would_have_chosen() -> None:
    items = [EvalItem("i", "forward", "It is", "so", ("so", "not"))]
    (cell,) = cells_by_arm([result("forward", True, True, scores=(-2.0, -1.0))], items)[
        "base"
    ].values()
    assert (cell.by_sum, cell.by_token) == (0.0, 1.0)  # -2 of 4 tokens is -0.5 each
