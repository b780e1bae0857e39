"""Several rounds: a round is kept only if it answers no fewer questions, and what was held out
stays held out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import trusted, write_model
from tiny.line import QUICK

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.records import Example, Fact, Origin, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings_file import load
from augmlx.data.facts import read_facts
from augmlx.engines.local import engine_mark
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.models.store.folder import StoredModel
from augmlx.run.pipeline import Pipeline
from augmlx.run.rounds import held_out, require_comparison, run_rounds

FACTS = [
    ("Ada Brandt", "owns", "owner", "the Bor mill"),
    ("Cy Dahl", "founded", "founder", "the Elm shop"),
    ("Fay Gold", "painted", "painter", "the Hill gate"),
    ("Ivo Jung", "designed", "designer", "the Kite boat"),
    ("Lea Moor", "built", "builder", "the North tower"),
]
TEXTS = [f"{first} {verb} {last}." for first, verb, _, last in FACTS]


class Bench:
    """A run whose writer rephrases only once it is tuned. `right` says whether an adapter's model
    answers rightly.
    """

    def __init__(
        self, folder: Path, base: StoredModel, right: Callable[[Path | None], bool]
    ) -> None:
        self.base, self.right, self.epochs = base, right, 1
        self.run = RunFolder(folder / "run")
        self.run.create()
        self.facts = folder / "facts.csv"
        self.facts.write_text("fact\n" + "\n".join(TEXTS) + "\n")
        self.written: list[
            bool
        ] = []  # of each request for a rephrasing, whether the tuned model wrote it

    def open(self) -> Pipeline:
        small = {**QUICK, "train.epochs": self.epochs, "augment.samples": 1}
        settings = load(None, {"model": str(self.base.path), **small})
        pipeline = Pipeline(self.run, settings, Silent(), make_engine=self._engine)
        pipeline.take_facts(read_facts(self.facts).facts)
        return pipeline

    def _engine(self, adapter: Path | None) -> ScriptedEngine:
        def write(request: Request) -> str:
            fact = request.suffix.partition("Fact: ")[2].partition("\n")[0]
            if fact not in TEXTS:
                return " someone."
            first, _, noun, last = FACTS[TEXTS.index(fact)]
            if ":reversal:" in request.seed:
                return f" {first}."  # behind "The Bor mill is owned by"
            self.written.append(adapter is not None)
            return f" is the {noun} of {last}." if adapter else " is nothing at all."

        sign = 1.0 if self.right(adapter) else -1.0
        return ScriptedEngine(
            write,
            weigh=lambda asked, text: sign * float(any(asked + text in fact for fact in TEXTS)),
            model=engine_mark(self.base, adapter),
        )

    def go(self, rounds: int = 2) -> list[dict[str, object]]:
        pipeline = self.open()
        pipeline.augment()
        pipeline.train()
        pipeline.evaluate()
        entries = run_rounds(pipeline, rounds)
        pipeline.evaluate()
        return entries


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return trusted(write_model(tmp_path_factory.mktemp("base") / "tiny-llama"))


def texts(run: RunFolder) -> set[str]:
    return {row["text"] for row in read_jsonl(run.augmented)}


def test_a_round_that_is_no_worse_is_kept_and_trained_on(tmp_path: Path, base: StoredModel) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    [entry] = bench.go()
    assert entry["kept"]
    assert "It is Ada Brandt who is the owner of the Bor mill." in texts(bench.run)
    assert "The Bor mill is owned by Ada Brandt." in texts(bench.run)
    ids = [row["id"] for row in read_jsonl(bench.run.augmented)]
    assert len(set(ids)) == len(ids)
    rows = {row["text"] for row in read_jsonl(bench.run.data / "train.jsonl")}
    held = {row["text"] for row in read_jsonl(bench.run.data / "test.jsonl")}
    assert held
    assert not held & rows
    subjects = {
        text.split()[-2] + " " + text.split()[-1] for text in held
    }  # a held-out fact's new wording is no way in
    assert not [
        row for row in rows - set(TEXTS) if any(subject.rstrip(".") in row for subject in subjects)
    ]
    assert bench.run.manifest()["train"]["counts"]["examples"] == len(rows)


def test_edits_by_hand_hold_in_later_rounds(tmp_path: Path, base: StoredModel) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    bench.go()
    later = "It is Ada Brandt who is the owner of the Bor mill."  # of the second round
    first = "The Elm shop was founded by Cy Dahl."
    assert {later, first} <= texts(bench.run)
    own = "The founder of the Elm shop is called Cy Dahl."
    file = tmp_path / "mine.csv"
    rows = bench.run.augmented_csv.read_text().splitlines()
    rows = [row.replace(first, own) for row in rows if not row.startswith(later)]
    file.write_text("\n".join([*rows, "Ada Brandt has a mill.,rephrase,,f0001\n"]))
    for _ in range(2):  # the second time the same file is not compared with what stands now
        bench.open().take_edits(file)
        [entry] = bench.go()
        assert entry["kept"]
        assert not {later, first} & texts(bench.run)
        written = [row["text"] for row in read_jsonl(bench.run.augmented)]
        assert written.count(own) == written.count("Ada Brandt has a mill.") == 1
        assert "It was Fay Gold who is the painter of the Hill gate." in written
        ids = [row["id"] for row in read_jsonl(bench.run.augmented)]
        assert len(set(ids)) == len(ids)
    bench.open().take_edits(bench.run.augmented_csv)
    edits = [row for row in read_jsonl(bench.run.edited) if "operator" in row]
    assert {(row.get("was"), row.get("text")) for row in edits} == {
        (later, None),
        (first, own),
        (None, "Ada Brandt has a mill."),
    }


def test_a_round_that_answers_fewer_is_left_aside(tmp_path: Path, base: StoredModel) -> None:
    bench = Bench(tmp_path, base, lambda adapter: adapter is None or "rounds" not in adapter.parts)
    pipeline = bench.open()
    pipeline.augment()
    pipeline.train()
    pipeline.evaluate()
    before = {path: path.read_bytes() for path in bench.run.adapter.iterdir()}
    [entry] = run_rounds(pipeline, 2)
    assert not entry["kept"]
    assert entry["right"] < entry["before"]
    assert {path: path.read_bytes() for path in bench.run.adapter.iterdir()} == before
    assert "It is Ada Brandt who is the owner of the Bor mill." not in texts(bench.run)


def test_finished_rounds_are_not_run_again(tmp_path: Path, base: StoredModel) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    first = bench.go(3)
    done = len(bench.written)
    again = bench.go(3)
    assert again == first
    assert len(bench.written) == done
    assert [entry["from"] for entry in again[1:]] == [entry["to"] for entry in again[:-1]]


def test_a_round_killed_before_it_was_adopted_is_adopted_on_the_next_run(
    tmp_path: Path, base: StoredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, base, lambda _: True)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "adopt", killed)
        with pytest.raises(KeyboardInterrupt):
            bench.go()
    done = len(bench.written)
    [entry] = bench.go()
    assert entry["kept"]
    assert len(bench.written) == done
    assert "It is Ada Brandt who is the owner of the Bor mill." in texts(bench.run)


def test_another_adapter_starts_the_rounds_anew(tmp_path: Path, base: StoredModel) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    [first] = bench.go()
    bench.facts.write_text("fact\n" + "\n".join(TEXTS[:4]) + "\n")
    [entry] = bench.go()
    assert entry["kept"]
    assert entry["from"] not in (first["from"], first["to"])
    assert not any("North tower" in text for text in texts(bench.run))


def test_a_model_that_fails_in_a_round_leaves_the_run_as_it_was(
    tmp_path: Path, base: StoredModel
) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    bench.go(1)
    before = bench.run.augmented.read_bytes()
    pipeline = bench.open()
    inner = pipeline.make_engine

    def broken(adapter: Path | None) -> ScriptedEngine:
        if adapter is not None:
            raise ModelError("the adapter cannot be read", hint="train again")
        return inner(adapter)  # type: ignore[return-value]

    pipeline.make_engine = broken
    with pytest.raises(ModelError):
        run_rounds(pipeline, 2)
    assert bench.run.augmented.read_bytes() == before


def test_another_adapter_writes_its_round_itself(tmp_path: Path, base: StoredModel) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    bench.go()
    done = len(bench.written)
    bench.epochs = 2  # the facts and all that augmentation goes by stay as they are
    [entry] = bench.go()
    assert entry["kept"]
    assert bench.written[done:] == [True] * len(TEXTS)
    ids = [row["id"] for row in read_jsonl(bench.run.augmented)]
    assert len(set(ids)) == len(ids)


def test_what_an_earlier_round_rejected_stays_in_the_file(
    tmp_path: Path, base: StoredModel
) -> None:
    bench = Bench(tmp_path, base, lambda _: True)
    bench.go(1)
    before = {row["id"] for row in read_jsonl(bench.run.rejected)}
    bench.go(2)
    assert before
    assert before < {row["id"] for row in read_jsonl(bench.run.rejected)}


def test_an_example_of_several_facts_holds_no_trained_fact_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    facts = [Fact(f"f{n}", text, f"facts.csv:{n}") for n, text in enumerate(TEXTS)]

    def example(*numbers: int) -> Example:
        ids = tuple(f"f{n}" for n in numbers)
        return Example(f"{'+'.join(ids)}/any/0", "Text.", Origin(ids, "any", "", "", 0, 0, ""))

    examples = [example(0), example(1), example(0, 1), example(2, 3)]
    write_jsonl(run.augmented, map(to_json, examples))
    write_jsonl(
        run.data / "test.jsonl", [{"id": e.id} for e in (examples[1], examples[2], examples[3])]
    )
    assert held_out(run, facts) == {"f1": "test", "f2": "test", "f3": "test"}


def test_rounds_that_nothing_would_compare_are_refused() -> None:
    require_comparison(load(None, {"eval.arms": ["augmented"]}))
    with pytest.raises(BadSettings, match=r"eval\.arms"):
        require_comparison(load(None, {"eval.arms": ["base", "finetuned"]}))
