from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from augmlx.cli.report import report
from augmlx.core.errors import AugmlxError, RunError
from augmlx.core.files import write_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.report import write_report
from augmlx.run.requantising import Loss, to_json

from .support import (
    ARMS,
    FACT,
    cell,
    finished,
    origin,
    write_augmentation,
    write_evaluation,
    write_training,
)

_VOID = {"meta", "link", "br", "input", "img", "hr", "line", "rect", "polyline"}


class Page(HTMLParser):
    """Parses strictly: every element that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def page(run: RunFolder) -> Page:
    return Page(write_report(run).read_text("utf-8"))


def test_a_finished_run_is_told_with_its_numbers(tmp_path: Path) -> None:
    run = finished(tmp_path / "acme")
    text = page(run).text
    for words in (
        "Augmentation lifted reversal accuracy from 35 % to 88 %",
        "12 of 34 reversal questions",
        "30 of 34",
        "chance 25 %",
        "3 facts led to 12 completions: 4 kept, 6 rejected by a filter, 2 failed.",
        "outvoted",
        "12,345",
        "smollm2-135m",
        "0.32.4",
        "1 min 1 s",
        "facts.csv:2",
        f"{FACT} kept 0",
        f"{FACT} dropped 5",
        "duplicate_similarity",
        "This page contains facts from your data",
    ):
        assert words in text, words
    assert "not add up" not in text
    assert stat.S_IMODE(run.report.stat().st_mode) == 0o600


def test_a_free_reply_has_no_chance_of_a_guess(tmp_path: Path) -> None:
    run = finished(tmp_path / "acme")
    arms = {
        arm: {"forward": cells["forward"], "chat-forward": cell(9, 20, 0.26, 0.66)}
        for arm, cells in ARMS.items()
    }
    write_evaluation(run, arms)
    text = page(run).text
    assert "40 questions, chance 25 %" in text
    assert "chat-forward 20 questions" in text
    assert "20 questions, chance" not in text


def test_the_page_stands_by_itself(tmp_path: Path) -> None:
    run = finished(tmp_path / "acme")
    html = write_report(run).read_text("utf-8")
    assert "http" not in html.replace("http-equiv", "")
    assert str(tmp_path) not in html
    assert not re.search(r"@import|url\(|(src|href|srcset|action)=(?!\"data:,\")", html)
    policy = next(attrs["content"] for tag, attrs in Page(html).tags if attrs.get("http-equiv"))
    script = html.split("<script>")[1].split("</script>")[0]
    assert policy is not None
    assert "default-src 'none'" in policy
    # The browser runs no script but this one.
    assert (
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    )


def validated(run: RunFolder) -> None:
    """A training with validations at the steps 10, 20 and 30, ended early."""
    rows: list[dict[str, Any]] = [
        {"step": n, "loss": 3 / n, "tokens_per_second": 100.0} for n in range(1, 31)
    ]
    for row, loss, forward, backward in zip(
        rows[9::10], (0.9, 0.5, 0.7), (0.5, 0.9, 0.9), (0.1, 0.4, 0.3), strict=True
    ):
        row |= {"valid_loss": loss, "valid_accuracy": {"reversal": backward, "forward": forward}}
    write_jsonl(run / "metrics.jsonl", rows)
    counts = {
        "examples": 7,
        "steps": 30,
        "padding": 0.083,
        "best": {"step": 20, "loss": 0.5},
        "stopped": True,
    }
    run.record("train", {"counts": counts, "seconds": 30.0, "peak_memory": 1_340_000_000})


def test_validations_are_drawn_and_the_best_step_is_named(tmp_path: Path) -> None:
    run = finished(tmp_path)
    before = page(run)
    validated(run)
    found = page(run)
    lines = [str(attrs["class"]) for tag, attrs in found.tags if tag == "polyline"]
    assert lines == [
        "line arm-augmented",
        "line arm-finetuned",
        "line valid arm-augmented",
        "line kind-0",
        "line kind-1",
    ]
    for words in (
        "validation of augmented, lowest 0.500 at step 20",
        "forward ends at 90 %",
        "reversal ends at 30 %",
        "method lora",
        "optimizer adam",
        "schedule linear",
        "padding 8 %",
        "kept: the best step 20, loss 0.500",
        "ended early, for it got no better",
        "peak memory 1.34 GB",
        "30.0 s 1.34 GB at most",
    ):
        assert words in found.text, words
    for absent in (
        "validation of",
        "Held-out questions",
        "padding",
        "best step",
        "ended",
        "peak memory",
        "at most",
    ):
        assert absent not in before.text, absent
    assert len([tag for tag, _ in before.tags if tag == "polyline"]) == 2


@pytest.mark.parametrize(
    "value", [{"valid_loss": "low"}, {"valid_accuracy": {"forward": 2}}, {"valid_accuracy": [1]}]
)
def test_validations_of_another_shape_are_an_error(
    tmp_path: Path, value: dict[str, object]
) -> None:
    run = finished(tmp_path)
    write_jsonl(run / "metrics.jsonl", [{"step": 1, "loss": 1.0, **value}])
    with pytest.raises(RunError, match="not as augmlx writes it"):
        write_report(run)


def test_a_validation_of_nothing_is_nothing(tmp_path: Path) -> None:
    run = finished(tmp_path)
    write_jsonl(
        run / "metrics.jsonl",
        [{"step": 1, "loss": 1.0, "valid_loss": None, "valid_accuracy": None}],
    )
    assert "validation of" not in page(run).text


EVIL = """</script></style><script>alert(1)</script><img src=x onerror="alert(1)"> 'q' "q" &amp; {{ 7*7 }} {% x %} \x00"""  # noqa: E501


def test_text_of_the_user_is_never_markup(tmp_path: Path) -> None:
    run = finished(tmp_path / "<b>acme")
    write_augmentation(run, text=EVIL)
    rows = [{"id": "x", "text": EVIL, "by": EVIL, "why": EVIL, "origin": origin("f0", EVIL)}]
    run.rejected.write_text("".join(json.dumps(row) + "\n" for row in rows))
    flow = {"kept": 1, "rejected": 1, "failed": 0}
    counts = {"facts": 1, "produced": 2, **flow, "by": {EVIL: 1}, "by_operator": {EVIL: flow}}
    run.record("augment", {"counts": counts, "seconds": 1.0, "versions": {EVIL: EVIL}})
    cells = {EVIL: cell(1, 2, 0.1, 0.9), "reversal": cell(1, 2, 0.1, 0.9)}
    write_evaluation(
        run, {"augmented": cells, "finetuned": cells, EVIL: cells}, notes=[EVIL], model=EVIL
    )
    found = page(run)
    tags = [tag for tag, _ in found.tags]
    assert tags.count("script") == tags.count("style") == 1
    assert "img" not in tags
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]
    assert "{{ 7*7 }}" in found.text


def test_the_verification_of_an_export_is_shown(tmp_path: Path) -> None:
    run = finished(tmp_path)
    assert "exports" not in page(run).text
    figures = {
        "reader": "PEFT",
        "max_difference": 1.4e-4,
        "argmax_agreement": 0.9999,
        "same_answers": 7,
        "answers": 8,
        "notes": ["rounding to f16: 5.4e-02"],
    }
    run.record("export", {"fingerprint": "x", "verification": figures})
    run.record("export-gguf", {"fingerprint": "x", "verification": {"reader": EVIL, "notes": 3}})
    run.record("export-fused", {"fingerprint": "x"})
    text = page(run).text
    for shown in ("PEFT", "1.4e-04", "99 %", "7 of 8", "peft: rounding to f16: 5.4e-02"):
        assert shown in text
    section = text.partition("What other programs make")[2].partition("Settings, versions")[0]
    assert "fused" not in section
    assert "<script>alert" in text  # as a text


def test_what_a_requantised_model_lost_is_shown(tmp_path: Path) -> None:
    run = finished(tmp_path)
    loss = Loss(
        bits=4,
        questions=40,
        base=4,
        adapter=40,
        requantised=31,
        forgotten=9,
        max_difference=2.5,
        mean_difference=0.3,
        argmax_agreement=0.91,
        positions=100,
        same_answers=6,
        answers=8,
    )
    run.record("export-fused", {"fingerprint": "x", "requantised": to_json(loss)})
    text = page(run).text
    for shown in ("MLX, in 4 bits", "2.5e+00", "91 %", "6 of 8", "75 % of what was gained is left"):
        assert shown in text


def test_half_a_character_does_no_harm(tmp_path: Path) -> None:
    run = finished(tmp_path)
    write_augmentation(run)
    run.facts.write_text('{"id": "f0", "text": "half \\ud800 here", "source": "facts.csv:2"}\n')
    assert "half ? here" in page(run).text


def test_an_empty_run_says_what_to_run(tmp_path: Path) -> None:
    text = page(RunFolder(tmp_path)).text
    for command in ("augmlx eval RUN", "augmlx train RUN", "augmlx augment FACTS -o RUN"):
        assert command in text


@pytest.mark.parametrize(
    "missing",
    [
        "manifest.json",
        "augmlx.toml",
        "facts.jsonl",
        "augmented.jsonl",
        "metrics.jsonl",
        "eval/results.jsonl",
    ],
)
def test_any_file_may_be_missing(tmp_path: Path, missing: str) -> None:
    run = finished(tmp_path)
    (run / missing).unlink()
    assert "Augmentation lifted reversal" in page(run).text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("eval/summary.json", "[]"),
        ("eval/summary.json", "{"),
        ("eval/summary.json", '{"arms": {"base": {"forward": {"n": 3}}}}'),
        (
            "eval/summary.json",
            '{"arms": {"base": {"forward": {"n": 1, "accuracy": 1e9, "low": 0, "high": 1}}}}',
        ),
        ("eval/results.jsonl", '{"kind": "forward", "scores": []}\n'),
        ("metrics.jsonl", '{"loss": 1}\n'),
        ("augmented.jsonl", '{"text": "a"}\n'),
        ("rejected.jsonl", '{"origin": {"fact_ids": 3}}\n'),
        ("facts.jsonl", "torn\n"),
        ("augmlx.toml", "colour = 1\n"),
    ],
)
def test_a_file_that_is_not_ours_is_named_with_a_way_out(
    tmp_path: Path, name: str, content: str
) -> None:
    run = finished(tmp_path)
    (run / name).write_text(content)
    with pytest.raises(AugmlxError, match=re.escape(name)) as caught:
        write_report(run)
    assert caught.value.hint
    assert not run.report.exists()


def test_counts_that_do_not_add_up_are_called_out(tmp_path: Path) -> None:
    run = finished(tmp_path)
    counts = {"facts": 3, "produced": 99, "kept": 4, "rejected": 6, "failed": 2}
    run.record("augment", {"counts": counts, "seconds": 1.0})
    assert "do not add up" in page(run).text


def test_a_big_run_stays_small_and_says_what_it_left_out(tmp_path: Path) -> None:
    run = finished(tmp_path)
    write_augmentation(run, facts=500, kept=15_000, rejected=5_000)
    write_training(run, steps=20_000)
    text = page(run).text
    assert "500 of 20,000 texts" in text
    assert "150 of the rows were dropped" in text
    assert "each point is a mean of up to 84 steps" in text
    assert run.report.stat().st_size < 600_000


def test_long_texts_stay_under_two_megabytes(tmp_path: Path) -> None:
    run = finished(tmp_path)
    write_augmentation(run, facts=200, kept=1000, rejected=1000, text="'<\"&\U0001f600" * 2000)
    cells = {f"{n} {'k' * 3000}": cell(1, 2, 0.1, 0.9) for n in range(300)}
    write_evaluation(
        run,
        {f"{'arm' * 999} {n}": cells for n in range(3)} | {"augmented": cells, "finetuned": cells},
    )
    text = page(run).text
    assert run.report.stat().st_size < 2_000_000
    assert "288 more kinds of question" in text


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(finished(tmp_path / "a" / "acme")).read_bytes()
    assert write_report(finished(tmp_path / "b" / "acme")).read_bytes() == first


def test_a_model_folder_is_shown_by_its_name(tmp_path: Path) -> None:
    run = finished(tmp_path)
    run.settings.write_text('model = "/home/someone/models/tiny"\n')
    write_evaluation(run, ARMS, model="/home/someone/models/tiny")
    html = write_report(run).read_text("utf-8")
    assert "someone" not in html
    assert "tiny" in html


def test_the_command_prints_the_path(tmp_path: Path) -> None:
    run = finished(tmp_path)
    result = CliRunner().invoke(report, [str(run.path)])
    assert (result.exit_code, result.stdout) == (0, f"{run.report}\n")
    assert json.loads(CliRunner().invoke(report, [str(run.path), "--json"]).stdout) == {
        "report": str(run.report)
    }


def test_a_missing_run_is_an_error_and_makes_no_folder(tmp_path: Path) -> None:
    assert isinstance(CliRunner().invoke(report, [str(tmp_path / "none")]).exception, RunError)
    assert not (tmp_path / "none").exists()


def test_the_report_needs_no_mlx() -> None:
    code = (
        "import sys, augmlx.report; sys.exit(any(name in sys.modules for name in ('mlx', "
        "'torch', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_facts_of_which_nothing_was_kept_are_named_by_their_place(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    write_augmentation(run)
    assert "in some direction" not in write_report(run).read_text()
    gap = {"operator": "reversal", "by": "entity", "rejected": {"entity": 2}}
    rows = [{"fact": f"f<{n}>", "source": f"facts.csv:{n + 2}", **gap} for n in range(25)]
    write_jsonl(run.uncovered, [*rows, {**rows[0], "by": "not asked", "rejected": {}}])
    page = write_report(run).read_text()
    section = page[page.index("Facts of which nothing was kept in some direction") :]
    assert '<bdi>entity</bdi></td><td class="num">25<' in section
    assert '<bdi>not asked</bdi></td><td class="num">1<' in section
    assert "<bdi>f&lt;19&gt;</bdi> <em>facts.csv:21</em>" in section
    assert "f&lt;20&gt;" not in section  # 20 of a kind are enough; all are in the file
    write_jsonl(run.uncovered, [{"fact": "f1"}])
    with pytest.raises(RunError, match="not as augmlx writes it"):
        write_report(run)
