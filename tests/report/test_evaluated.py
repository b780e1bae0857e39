from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from augmlx.core.errors import RunError
from augmlx.evaluation.leaks import leak_notes
from augmlx.evaluation.summary import Leak
from augmlx.report import write_report
from augmlx.report.cases import build_cases
from augmlx.report.evaluated import read_evaluation

from .support import (
    ADDED,
    ALL_ARMS,
    ARMS,
    LEAK,
    cell,
    difference,
    full,
    write_evaluation,
    write_items,
)
from .test_report import page


def test_everything_an_evaluation_holds_is_told(tmp_path: Path) -> None:
    text = page(full(tmp_path / "acme")).text.replace("\u00a0", " ")
    for words in (
        "The paired difference is +53 points (95 % interval +35 to +71).",
        "A control that learnt only rephrasings, for about as many steps, answered 14 of 34.",
        "General ability fell: ordinary text has a perplexity of 26 (finetuned), where it had 18.",
        "oracle trained on the true consequences",
        "older an adapter of yours",
        "Summed",
        "Per token",
        "Token F1",
        "reversal augmented rephrased 34 +47 +29 to +65 < 0.001 19 1 better",
        "forward augmented finetuned 34 −3 −8 to +2 < 0.001 19 1 no difference shown",
        "generated 25 36 % 96 % not generated 9 – 67 %",
        "No question stands word for word",
        "finetuned 25.90 +40.6 % lost 68 % −3 points 40",
        "augmented 19.10 +3.7 % 70 % 0 points 40",
        "Augmented got wrong: 6",
        "“ Tobias Renn, of the Night Desk ”",
        "Only augmented got right: 1",
    ):
        assert words in text, words


def test_leaked_questions_are_named(tmp_path: Path) -> None:
    text = page(full(tmp_path, leaks={"reversal": LEAK})).text
    assert "Leak: 2 reversal questions stand word for word" in text
    assert (
        "2 questions stand word for word in the training texts: reversal-3 ( reversal ), reversal-9"
        in text
    )
    assert "No question stands word for word" not in text


def test_a_note_that_a_section_tells_is_not_told_again(tmp_path: Path) -> None:
    lost = ADDED["regressions"][0]["text"]
    leaked = Leak(25, 9, ("reversal-3", "reversal-9"), {})
    notes = [lost, *leak_notes({"reversal": leaked}), "A note of its own."]
    run = full(tmp_path, leaks={"reversal": LEAK}, notes=notes)
    text = page(run).text
    assert text.count(lost) == 2  # as an alarm and in its section
    assert "split.leak" not in text
    assert "A note of its own." in text


def test_no_loss_of_ability_is_said_too(tmp_path: Path) -> None:
    text = page(full(tmp_path, regressions=[])).text
    assert "No arm lost general ability" in text
    assert "General ability fell" not in text
    assert "% lost" not in text


def test_what_was_not_measured_has_no_section(tmp_path: Path) -> None:
    run = full(tmp_path)
    (run.eval / "items.jsonl").unlink()
    write_evaluation(run)
    text = page(run).text
    for absent in (
        "bootstrap",
        "Was the answer",
        "General ability",
        "Worst and best",
        "are true",
        "paired",
    ):
        assert absent not in text, absent
    assert "Question by question" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"differences": [difference("reversal", "base", 3, 0, 1)]},
        {"differences": [{"kind": "reversal"}]},
        {"leaks": {"reversal": {"generated": 1}}},
        {"leaks": [1]},
        {"ability": {"base": {"accuracy": 2}}},
        {"ability": {"base": {**ADDED["ability"]["base"], "perplexity": float("inf")}}},
        {"regressions": [{"arm": "base"}]},
        {"precision": {"kept": 1, "judged": 1, "right": 1}},
        {"arms": {"base": {"forward": {**cell(1, 1, 0, 1), "f1": 7}}}},
        {"arms": {"base": {"forward": {"n": 1, "accuracy": 1, "low": 0, "high": 1}}}},
    ],
)
def test_a_summary_of_another_shape_is_an_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    run = full(tmp_path)
    summary = json.loads((run.eval / "summary.json").read_text())
    (run.eval / "summary.json").write_text(json.dumps({**summary, **changes}))
    with pytest.raises(RunError, match="not as augmlx writes it"):
        write_report(run)


ANSWER = {
    "item_id": "x",
    "arm": "base",
    "kind": "k",
    "scores": [-1.0, -2.0],
    "tokens": [1, 1],
    "chosen": 0,
    "correct": True,
    "generated": "",
    "exact": False,
}


@pytest.mark.parametrize(
    "row",
    [
        "{}",
        '{"item_id": "x", "arm": "base", "kind": "k", "scores": ["low"], "correct": true}',
        json.dumps(ANSWER | {"scores": ["low"]}),
        json.dumps(ANSWER | {"scores": [], "tokens": []}),
        json.dumps(ANSWER | {"scores": [-1.0]}),
        json.dumps(ANSWER | {"chosen": 2}),
        json.dumps(ANSWER | {"tokens": [1, 0]}),
    ],
)
def test_results_of_another_shape_are_an_error(tmp_path: Path, row: str) -> None:
    run = full(tmp_path)
    (run.eval / "results.jsonl").write_text(row + "\n")
    with pytest.raises(RunError, match="not as augmlx writes it"):
        write_report(run)


def test_the_worst_come_first_and_the_margin_is_per_token(tmp_path: Path) -> None:
    found = read_evaluation(full(tmp_path))
    assert found is not None
    cases = build_cases(found)
    assert cases is not None
    margins = [case.margin for case in cases.worst]
    assert margins == sorted(margins, key=lambda margin: margin or 0.0)
    assert cases.worst[0].margin == pytest.approx((-8 - 39 / 20 - -6) / 2)
    assert (cases.worst[0].chosen, cases.worst[0].answer) == ("Tobias Renn", "Mara Voss")
    (best,) = cases.best
    assert best.prompt.endswith("(29)")
    assert best.margin == pytest.approx((-4 - 29 / 20 - -6) / 2)
    assert {arm for arm, _, right in best.others if not right} == {
        "base",
        "icl",
        "icl-augmented",
        "finetuned",
        "rephrased",
    }


def test_only_the_worst_twelve_are_shown(tmp_path: Path) -> None:
    run = full(tmp_path)
    arms = {**ALL_ARMS, "augmented": ALL_ARMS["base"]}
    write_items(run, arms, prompt="x" * 10_000)
    html = write_report(run).read_text()
    assert "Augmented got wrong: 55, the 12 worst here" in html
    assert "x" * 301 not in html


def test_without_the_augmented_arm_there_are_no_cases(tmp_path: Path) -> None:
    run = full(tmp_path)
    rows = [json.loads(line) for line in (run.eval / "results.jsonl").read_text().splitlines()]
    left = [row for row in rows if row["arm"] != "augmented"]
    (run.eval / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in left))
    assert "Worst and best" not in page(run).text


def test_the_controls_have_loss_curves_too(tmp_path: Path) -> None:
    run = full(tmp_path)
    for arm in ("rephrased", "oracle"):
        (run / arm).mkdir()
        (run / arm / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n')
    lines = [str(attrs["class"]) for tag, attrs in page(run).tags if tag == "polyline"]
    assert lines == [
        "line arm-augmented",
        "line arm-finetuned",
        "line arm-rephrased",
        "line arm-oracle",
    ]


def test_paths_in_settings_are_shown_by_their_last_part(tmp_path: Path) -> None:
    run = full(tmp_path, model="/home/someone/models/tiny")
    run.settings.write_text('[eval]\nadapters = { older = "/home/someone/old/adapter" }\n')
    html = write_report(run).read_text()
    assert "older = adapter" in html
    assert "someone" not in html


def test_a_run_that_asked_four_arms_is_drawn(tmp_path: Path) -> None:
    assert "Exact answer" in page(full(tmp_path, ARMS)).text
