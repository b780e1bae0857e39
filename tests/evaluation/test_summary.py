"""The summary on disk: what is written is read back, anything else is refused with a way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.core.errors import RunError
from augmlx.core.run_folder import RunFolder
from augmlx.evaluation import summary
from augmlx.evaluation.summary import (
    Ability,
    Cell,
    Difference,
    Leak,
    LeakShares,
    Overclaims,
    PooledAbility,
    Precision,
    Regression,
    SeededCell,
    StudySummary,
    Summary,
    TrainingSize,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
COUNTS = st.integers(0, 10**9)
SHARES = st.floats(0, 1)
CHANGES = st.floats(-1, 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CELLS = st.builds(Cell, COUNTS, *[SHARES] * 8)
SEEDS = st.lists(SHARES | st.none(), max_size=3).map(tuple)
SEEDED_CELLS = st.builds(SeededCell, COUNTS, *[SHARES] * 8, SEEDS)
DIFFERENCES = st.builds(
    Difference,
    *[NAMES] * 3,
    COUNTS,
    *[CHANGES] * 3,
    SHARES,
    COUNTS,
    COUNTS,
    st.booleans(),
)
LEAK_SHARES = st.builds(LeakShares, SHARES | st.none(), SHARES | st.none())
LEAKS = st.builds(
    Leak,
    COUNTS,
    COUNTS,
    st.lists(NAMES, max_size=3).map(tuple),
    st.dictionaries(NAMES, LEAK_SHARES, max_size=2),
)
ABILITIES = st.builds(
    Ability,
    NUMBERS,
    COUNTS,
    SHARES,
    COUNTS,
    st.lists(st.booleans(), max_size=3).map(tuple),
    st.lists(st.tuples(NUMBERS, COUNTS), max_size=3).map(tuple),
)
POOLED_ABILITIES = st.builds(PooledAbility, NUMBERS, SHARES, COUNTS, COUNTS)
REGRESSIONS = st.builds(
    Regression, NAMES, st.sampled_from(["perplexity", "questions"]), *[NUMBERS] * 4, NAMES
)


def few(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(parts, max_size=2).map(tuple)


def named(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(NAMES, parts, max_size=2)


SHARED = {
    "differences": few(DIFFERENCES),
    "leaks": named(LEAKS),
    "overclaims": named(named(st.builds(Overclaims, COUNTS, COUNTS, COUNTS))),
    "regressions": few(REGRESSIONS),
    "items": COUNTS,
    "notes": few(NAMES),
    "score": st.sampled_from(["sum", "token"]),
    "model": NAMES,
}
SUMMARIES = st.builds(
    Summary,
    **SHARED,
    arms=named(named(CELLS)),
    ability=named(ABILITIES),
    derived=st.booleans(),
    trained=named(st.builds(TrainingSize, COUNTS, COUNTS, COUNTS)),
)
PRECISIONS = st.lists(COUNTS, min_size=3, max_size=3).map(lambda n: Precision(*sorted(n)[::-1]))
STUDY_SUMMARIES = st.builds(
    StudySummary,
    **SHARED,
    world=NAMES,
    about=NAMES,
    size=NUMBERS,
    seeds=few(COUNTS),
    facts=COUNTS,
    arms=named(named(SEEDED_CELLS)),
    ability=named(POOLED_ABILITIES),
    precision=PRECISIONS,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return RunFolder(tmp_path_factory.mktemp("run"))


@settings(deadline=None)
@given(whole=SUMMARIES)
def test_what_is_written_of_a_run_is_read_back(run: RunFolder, whole: Summary) -> None:
    summary.write(run.eval, whole)
    before = (run.eval / summary.FILE).read_bytes()
    assert summary.read(run) == whole
    summary.write(run.eval, summary.read(run))
    assert (run.eval / summary.FILE).read_bytes() == before


@settings(deadline=None)
@given(whole=STUDY_SUMMARIES)
def test_what_is_written_of_a_study_is_read_back(run: RunFolder, whole: StudySummary) -> None:
    summary.write(run.path, whole)
    before = (run.path / summary.FILE).read_bytes()
    assert summary.read_study(run.path) == whole
    summary.write(run.path, summary.read_study(run.path))
    assert (run.path / summary.FILE).read_bytes() == before


def small() -> dict[str, Any]:
    """A summary as a JSON object, with one of everything."""
    cell = Cell(4, 0.5, 0.1, 0.9, 0.5, 0.5, 0.25, 0.5, 0.25)
    whole = Summary(
        arms={"base": {"forward": cell}},
        differences=(Difference("forward", "augmented", "base", 4, 0.5, 0, 1, 0.5, 2, 0, False),),
        leaks={"forward": Leak(1, 3, ("q1",), {"base": LeakShares(1.0, None)})},
        ability={"base": Ability(20.0, 9, 0.5, 2, (True, False), ((-3.0, 9),))},
        overclaims={"base": {"invented": Overclaims(4, 1, 2)}},
        regressions=(Regression("augmented", "questions", 0.5, 0.25, -0.5, -0.1, "fewer"),),
        items=4,
        notes=("read this",),
        score="token",
        derived=False,
        model="tiny",
        trained={"augmented": TrainingSize(4, 2, 90)},
    )
    return summary.to_json(whole)


def changed(value: Any, place: tuple[str | int, ...], to: Any) -> Any:
    """A JSON value with one place of it changed; KeyError as `to` takes the key out."""
    if not place:
        return to
    copy = list(value) if isinstance(value, (list, tuple)) else dict(value)
    if len(place) == 1 and to is KeyError:
        del copy[place[0]]
    else:
        copy[place[0]] = changed(value[place[0]] if len(place) > 1 else None, place[1:], to)
    return copy


@pytest.mark.parametrize(
    ("place", "to", "told"),
    [
        (("score",), KeyError, "score: Field required"),
        (("score",), "guess", "score: Input should be 'sum' or 'token'"),
        (("colour",), 1, "colour: Unexpected keyword"),
        (("items",), "4", "items: Input should be a valid integer"),
        (("items",), True, "items: Input should be a valid integer"),
        (("items",), -1, "items: Input should be greater than or equal to 0"),
        (("derived",), 0, "derived: Input should be a valid boolean"),
        (("notes",), "read this", "notes: Input should be a valid"),
        (("notes", 0), None, "notes.0: Input should be a valid string"),
        (("arms",), [1], "arms: Input should be"),
        (("arms", "base", "forward", "f1"), KeyError, "arms.base.forward.f1: Field required"),
        (("arms", "base", "forward", "accuracy"), 1e9, "arms.base.forward.accuracy: Input should"),
        (("arms", "base", "forward", "low"), float("nan"), "arms.base.forward.low: Input should"),
        (("arms", "base", "forward", "n"), 2.5, "arms.base.forward.n: Input should"),
        (("differences", 0, "high"), 3, "differences.0.high: Input should be less than"),
        (("differences", 0, "p"), None, "differences.0.p: Input should be a valid number"),
        (("leaks", "forward", "accuracy", "base", "generated"), 2, "generated: Input should be"),
        (("ability", "base", "perplexity"), float("inf"), "perplexity: Input should be a finite"),
        (("ability", "base", "chunks", 0), [-3.0], "ability.base.chunks.0.1: Field required"),
        (("regressions", 0, "what"), "taste", "regressions.0.what: Input should be 'perplexity'"),
        (("trained", "augmented", "steps"), KeyError, "trained.augmented.steps: Field required"),
    ],
)
def test_a_summary_of_another_shape_names_the_place_the_fault_and_the_command(
    tmp_path: Path, place: tuple[str | int, ...], to: Any, told: str
) -> None:
    run = RunFolder(tmp_path)
    run.eval.mkdir()
    (run.eval / summary.FILE).write_text(json.dumps(changed(small(), place, to)))
    with pytest.raises(RunError) as caught:
        summary.read(run)
    start = f"{run.eval / summary.FILE}: not as augmlx writes it: "
    assert caught.value.message.startswith(start)
    assert told in caught.value.message
    assert caught.value.hint == f"delete it, and run: augmlx eval {tmp_path}"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"3", b"\xff\xfe", b'{"a": "\\ud800"}', b"[" * 100_000]
)
def test_a_torn_summary_is_named_with_the_command(tmp_path: Path, content: bytes) -> None:
    run = RunFolder(tmp_path)
    run.eval.mkdir()
    for path, read in (
        (run.eval / summary.FILE, lambda: summary.read(run)),
        (run.path / summary.FILE, lambda: summary.read_study(run.path)),
    ):
        path.write_bytes(content)
        with pytest.raises(RunError, match="not as augmlx writes it") as caught:
            read()
        assert str(path) in caught.value.message
        assert "augmlx" in str(caught.value.hint)


def test_a_run_without_a_summary_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no summary") as caught:
        summary.read(RunFolder(tmp_path))
    assert caught.value.hint == f"run: augmlx eval {tmp_path}"


@pytest.mark.parametrize("counts", [(1, 2, 1), (3, 1, 2)])
def test_no_more_are_right_than_judged_and_judged_than_kept(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="more"):
        Precision(*counts)
