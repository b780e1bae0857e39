"""Rows that begin alike have their beginning computed once, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import KINDS, write_model

from augmlx.core.settings import TrainSettings
from augmlx.models import loading
from augmlx.models.heads import Head
from augmlx.training import anchoring, packing, shared_prefix
from augmlx.training.batches import Row
from augmlx.training.layout import BatchLayout, arrays
from augmlx.training.loss import losses_of
from augmlx.training.plan import make_plan
from augmlx.training.shared_prefix import LEAST, sharing
from augmlx.training.steps import Stepper
from augmlx.training.team import Team

from .support import rows_of, tuned

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten, tree_map  # isort: skip

OPENING = tuple(range(3, 15))


def chat(number: int, question: int, answer: int) -> Row:
    """A row of the shared opening, and of so many tokens of a question and an answer."""
    own = tuple((11 * number + 7 * place) % 300 + 20 for place in range(question + answer))
    mask = (False,) * (len(OPENING) + question) + (True,) * answer
    return Row(f"c{number}", (*OPENING, *own), mask)


CHATS = [chat(0, 4, 3), chat(1, 6, 2), chat(2, 2, 5)]
MIXED = [CHATS[0], *rows_of([9]), CHATS[1], CHATS[2]]


def summed(model: nn.Module, batches: list[Any]) -> tuple[float, dict[str, Any]]:
    head = Head(model)
    graded = nn.value_and_grad(
        model, lambda batch: sum(losses_of(head, batch, packing.caches(model, batch, head.body)))
    )
    value, gradients = graded(batches[0])
    for batch in batches[1:]:
        more, further = graded(batch)
        value, gradients = value + more, tree_map(mx.add, gradients, further)
    return value.item(), dict(tree_flatten(gradients))


def parts_of(rows: list[Row], **changes: Any) -> list[Any]:
    lies = BatchLayout(shares=True, **changes)
    return [lies.arrays([rows[p] for p in part.places], part.shared) for part in lies.parts(rows)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bucketed", [False, True])
def test_loss_and_gradients_are_those_of_whole_rows(
    tmp_path: Path, kind: str, bucketed: bool
) -> None:
    model = tuned(tmp_path / kind, kind)
    if packing.why_not(model) is not None:
        pytest.skip("its rows are not laid together at all")
    if not shared_prefix.works(model):
        assert kind not in ("llama", "qwen3")  # then rows stay whole
        return
    parts = parts_of(MIXED, bucketed=bucketed)
    assert ["prefix" in part for part in parts] == [True, False]
    value, gradients = summed(model, parts)
    wanted, wanted_gradients = summed(model, [arrays(MIXED)])
    assert value == pytest.approx(wanted, rel=1e-5)
    for name, gradient in wanted_gradients.items():
        size = float(mx.abs(gradient).max())
        assert float(mx.abs(gradients[name] - gradient).max()) <= 1e-4 * size + 1e-7


@pytest.mark.parametrize("compile_", ["always", "never"])
@pytest.mark.parametrize("laid", ["auto", "never"])
def test_anchors_in_one_pass_with_rows_pull_as_by_themselves(
    tmp_path: Path, laid: str, compile_: str
) -> None:
    """Chats among them and texts, of which one is too long to be padded to."""
    model = tuned(tmp_path / "tiny")
    base = loading.load(write_model(tmp_path / "base", seed=0)).model
    held = [chat(3, 3, 4), *rows_of([8, 60])]
    chosen = TrainSettings(packing=laid, compile=compile_)
    plan = make_plan(model, MIXED, chosen, peak=1e-3, seed=0, anchors=held)
    stepper = Stepper(
        model, plan, Team(), anchors=(known := anchoring.remembered(base, held, None, ""))
    )
    together = list(stepper.arrays([0, 1, 2, 3], [0, 1, 2], 2.0))
    apart = [
        *stepper.arrays([0, 1, 2, 3]),
        *known.arrays([0, 1, 2], 2.0, BatchLayout()),
    ]
    joined = [part for part in together if "teacher" in part and part["target"].size]
    assert len(joined) == (2 if laid == "auto" else 0)  # padded, the long one costs too much
    found, wanted = summed(model, together), summed(model, apart)
    assert found[0] == pytest.approx(wanted[0], rel=1e-4)
    for name, gradient in wanted[1].items():
        size = float(mx.abs(gradient).max())
        assert float(mx.abs(found[1][name] - gradient).max()) <= 1e-3 * size + 1e-7


def test_the_divergence_is_that_of_whole_rows(tmp_path: Path) -> None:
    model = tuned(tmp_path / "tiny")
    base = loading.load(write_model(tmp_path / "base", seed=0)).model
    anchors = anchoring.remembered(base, MIXED, None, "")
    found, wanted = [
        summed(model, list(anchors.arrays([0, 1, 2, 3], 2.0, lies)))
        for lies in (BatchLayout(shares=True), BatchLayout())
    ]
    assert found[0] == pytest.approx(wanted[0], rel=1e-4)
    for name, gradient in wanted[1].items():
        size = float(mx.abs(gradient).max())
        assert float(mx.abs(found[1][name] - gradient).max()) <= 1e-3 * size + 1e-7


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 9), st.booleans()), min_size=1))
def test_the_parts_of_a_batch_are_all_of_it(shapes: list[tuple[int, int, bool]]) -> None:
    rows = [
        chat(number, question, answer) if talks else rows_of([question + answer])[0]
        for number, (question, answer, talks) in enumerate(shapes)
    ]
    lies = BatchLayout(shares=True)
    parts = lies.parts(rows)
    assert sorted(place for part in parts for place in part.places) == list(range(len(rows)))
    for part in parts:
        beginnings = {rows[place].tokens[: part.shared] for place in part.places}
        assert len(beginnings) == 1 or not part.shared
        assert all(rows[place].mask.index(True) > part.shared for place in part.places)
    assert lies.positions(rows) <= BatchLayout().positions(rows)
    assert lies.tokens(rows) <= sum(row.inputs for row in rows)


def test_what_is_learnt_is_never_in_the_shared_beginning() -> None:
    same = [Row(str(n), (*OPENING, 30, n), (False, *[True] * 13)) for n in range(3)]
    assert sharing(same) == ([], 0)
    alike = [Row(str(n), (*OPENING, 30, 40, n), (*[False] * 13, True, True)) for n in range(3)]
    assert sharing(alike) == ([0, 1, 2], 12)
    assert LEAST < 12


def test_a_plan_shares_where_rows_may_be_packed(tmp_path: Path) -> None:
    model = tuned(tmp_path / "tiny")

    def shares(**changes: Any) -> bool:
        return make_plan(model, CHATS, TrainSettings(**changes), peak=1e-3, seed=0).layout.shares

    assert shares()
    assert not shares(packing="never")
    assert not shares(checkpoint_layers=True)
