from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from augmlx.cli import cli
from augmlx.core.errors import RunError
from augmlx.core.run_folder import RunFolder
from augmlx.report import write_comparison

from .support import ALL_ARMS, cell, full, study
from .test_report import EVIL, Page

FEWER = {
    **ALL_ARMS,
    "augmented": {"forward": cell(38, 40, 0.84, 0.99), "reversal": cell(15, 34, 0.28, 0.61)},
}


def runs(folder: Path, **changes: Any) -> list[RunFolder]:
    found = [full(folder / "acme"), full(folder / "other", FEWER, **changes)]
    found[1].settings.write_text('seed = 7\nmodel = "/home/someone/tiny"\n')
    return found


def files(run: RunFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["report", *map(str, arguments)])


def test_runs_stand_side_by_side(tmp_path: Path) -> None:
    path = write_comparison(runs(tmp_path, regressions=[]), tmp_path / "c.html")
    html = path.read_text("utf-8")
    text = Page(html).text.replace("\u00a0", " ")
    for words in (
        "With augmentations, reversal accuracy ranges from 44 % to 88 %",
        "Highest in run A: 30 of 34 (95 % interval 73 to 95 %); lowest in run B: 15 of 34",
        "These intervals lie apart.",
        "A acme B other",
        "All runs were asked the same questions.",
        "augmented A",
        "reversal augmented 88 % 73 to 95 %, n 34 44 % 28 to 61 %, n 34",
        "+53 (+35 to +71)",
        "seed 0 7",
        "model smollm2-135m tiny",
        "time: train 30.0 s 30.0 s",
        "A: General ability fell",
    ):
        assert words in text, words
    assert "B: General ability fell" not in text
    assert "duplicate_similarity" not in text  # a setting in which they agree
    assert "someone" not in html
    assert str(tmp_path) not in html
    assert path.stat().st_size < 200_000


def test_the_same_run_twice_shows_no_difference(tmp_path: Path) -> None:
    text = Page(write_comparison([full(tmp_path / "a")] * 2, tmp_path / "c.html").read_text()).text
    assert "No difference in reversal accuracy between 2 runs" in text
    assert "None: all runs have the same settings." in text


def test_names_of_runs_are_never_markup(tmp_path: Path) -> None:
    cells = {**ALL_ARMS, EVIL: ALL_ARMS["base"]}
    pair = [
        full(tmp_path / "<script>alert(1)<", cells),
        full(tmp_path / "b", cells, notes=[EVIL], model=EVIL),
    ]
    tags = [tag for tag, _ in Page(write_comparison(pair, tmp_path / "c.html").read_text()).tags]
    assert not {"script", "img"} & set(tags)


def test_different_questions_are_called_out(tmp_path: Path) -> None:
    pair = runs(tmp_path)
    (pair[1].eval / "items.jsonl").write_text(
        '{"id": "else", "kind": "forward", "prompt": "Is", "answer": "a", "choices": ["a"]}\n'
    )
    assert (
        "not all asked the same questions"
        in write_comparison(pair, tmp_path / "c.html").read_text()
    )


def test_arms_that_one_run_lacks_leave_a_gap(tmp_path: Path) -> None:
    base = {"base": ALL_ARMS["base"]}
    text = Page(
        write_comparison(
            [*runs(tmp_path), _without(tmp_path, base)], tmp_path / "c.html"
        ).read_text()
    ).text
    assert "3 runs side by side" in text
    assert "n 34 –" in text


def _without(folder: Path, arms: Any) -> RunFolder:
    run = full(folder / "third", {**arms, "augmented": ALL_ARMS["augmented"]})
    summary = run.eval / "summary.json"
    summary.write_text(summary.read_text().replace('"augmented"', '"mine"'))
    return run


def test_the_command_writes_only_where_it_is_told(tmp_path: Path) -> None:
    pair = runs(tmp_path)
    before = [files(run) for run in pair]
    result = invoke(pair[0].path, pair[1].path, "-o", tmp_path / "out" / "c.html")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'out' / 'c.html'}\n")
    assert [files(run) for run in pair] == before


def test_one_run_can_be_written_elsewhere(tmp_path: Path) -> None:
    run = full(tmp_path / "acme")
    before = files(run)
    assert invoke(run.path, "-o", tmp_path / "page.html").exit_code == 0
    assert files(run) == before
    assert invoke(run.path, "-o", run.report).exit_code == 0
    assert run.report.read_bytes() == (tmp_path / "page.html").read_bytes()


@pytest.mark.parametrize(
    "place", ["acme/eval/summary.json", "acme/c.html", "acme/report.html", "third/manifest.json"]
)
def test_nothing_in_a_runs_folder_is_written_over(tmp_path: Path, place: str) -> None:
    pair = runs(tmp_path)
    third = full(tmp_path / "third")
    before = [files(run) for run in (*pair, third)]
    result = invoke(pair[0].path, pair[1].path, "-o", tmp_path / place)
    assert result.exit_code == 1
    assert "lies in a run's folder" in result.output
    assert [files(run) for run in (*pair, third)] == before


def test_several_runs_need_a_file_to_write_to(tmp_path: Path) -> None:
    pair = runs(tmp_path)
    result = invoke(*[run.path for run in pair])
    assert result.exit_code == 2
    assert "-o" in result.output


def test_what_cannot_be_compared_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    pair = runs(tmp_path)
    (pair[1].eval / "summary.json").unlink()
    out = tmp_path / "c.html"
    unevaluated = invoke(pair[0].path, pair[1].path, "-o", out)
    assert (
        unevaluated.exit_code,
        "other" in unevaluated.output,
        "augmlx eval" in unevaluated.output,
    ) == (
        1,
        True,
        True,
    )
    world = invoke(pair[0].path, study(tmp_path / "rev"), "-o", out)
    assert (world.exit_code, "is a study" in world.output) == (1, True)
    missing = invoke(pair[0].path, tmp_path / "none", "-o", out)
    assert (missing.exit_code, "no such run folder" in missing.output) == (1, True)
    folder = invoke(pair[0].path, pair[0].path, "-o", tmp_path)
    assert (folder.exit_code, "is a folder" in folder.output) == (1, True)
    assert "Traceback" not in unevaluated.output + world.output + missing.output + folder.output
    assert not out.exists()


def test_a_comparison_takes_a_handful_of_runs(tmp_path: Path) -> None:
    run = full(tmp_path / "a")
    assert write_comparison([run] * 12, tmp_path / "c.html").exists()
    for count in (1, 13):
        with pytest.raises(RunError, match="takes 2 to 12"):
            write_comparison([run] * count, tmp_path / "d.html")
