from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from augmlx.cli.report import report
from augmlx.core.errors import RunError
from augmlx.report import write_study

from .support import difference, study
from .test_report import EVIL, Page


def text(folder: Path) -> str:
    return Page(write_study(folder).read_text("utf-8")).text.replace("\u00a0", " ")


def test_a_study_is_told_over_all_its_seeds(tmp_path: Path) -> None:
    found = text(study(tmp_path / "rev"))
    for words in (
        "Augmentation lifted reversal accuracy from 45 % to 90 %",
        "54 of 120 reversal questions over 3 seeds",
        "The paired difference is +45 points (95 % interval +36 to +54).",
        "The world: reversals",
        "Comparisons of made-up things",
        "each dot is one seed",
        "bootstrap intervals over seeds and facts",
        "279 of 300 where truth is known",
        "seed-0 seed-1 seed-2",
        "reversal augmented 90 % 95 % 85 %",
        "The icl arm saw 36 of 40 facts",
        "duplicate_similarity",
    ):
        assert words in found, words


def test_the_seeds_are_dots_and_the_page_runs_no_script(tmp_path: Path) -> None:
    html = write_study(study(tmp_path)).read_text("utf-8")
    assert html.count('<circle class="seed"') == 3 * 8
    assert "<script" not in html
    assert "script-src 'none'" in html
    assert str(tmp_path) not in html
    assert "<a " not in html


def test_a_useless_augmentation_is_called_one(tmp_path: Path) -> None:
    none = [difference("reversal", "finetuned", 0.02, -0.05, 0.09, n=120)]
    assert "Augmentation bought nothing measurable on reversal" in text(
        study(tmp_path, differences=none)
    )


def test_text_of_a_study_is_never_markup(tmp_path: Path) -> None:
    html = write_study(study(tmp_path / "<b>", world=EVIL, model=EVIL, notes=[EVIL])).read_text(
        "utf-8"
    )
    tags = [tag for tag, _ in Page(html).tags]
    assert tags.count("style") == 1
    assert not {"script", "img", "b>acme"} & set(tags)


def test_a_study_whose_augmentations_cannot_be_judged_is_told_as_well(tmp_path: Path) -> None:
    none = {"kept": 4, "judged": 0, "right": 0}
    assert "are true" not in text(study(tmp_path, precision=none, differences=[]))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("summary.json", "[]", "not as augmlx writes it"),
        ("summary.json", '{"world": "reversals"}', "not as augmlx writes it"),
        ("summary.json", None, "no results yet"),
        ("study.json", "{", "not as augmlx writes it"),
        ("study.json", None, "no study here"),
    ],
)
def test_a_study_that_cannot_be_told_says_what_to_do(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    folder = study(tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(RunError, match=words) as caught:
        write_study(folder)
    assert "augmlx study" in str(caught.value.hint)
    assert not (folder / "report.html").exists()


def test_the_command_knows_a_study(tmp_path: Path) -> None:
    folder = study(tmp_path / "rev")
    result = CliRunner().invoke(report, [str(folder), "--json"])
    assert json.loads(result.stdout) == {"report": str(folder / "report.html")}
    assert "The world" in (folder / "report.html").read_text()
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.html",
        "study.json",
        "summary.json",
    ]
