"""The straight line, stage by stage, over one run folder. How stages are skipped or redone stands in stages.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from augmlx import augment as augmenting
from augmlx import settings as settings_module
from augmlx.engine import Engine, Request
from augmlx.errors import BadInput, RunError
from augmlx.evaluation import arms, items
from augmlx.files import jsonl_writer, read_jsonl, remove_stale_parts, write_json, write_jsonl
from augmlx.journal import open_journal
from augmlx.models import store
from augmlx.operators import Operator
from augmlx.progress import Progress
from augmlx.records import (
    EvalItem,
    EvalResult,
    Example,
    Fact,
    Json,
    Rejected,
    example_from_json,
    fact_from_json,
    fingerprint,
    result_from_json,
    to_json,
)
from augmlx.rundir import RunDir
from augmlx.settings import Settings
from augmlx.split import split
from augmlx.stages import CODE, Stages
from augmlx.tables import Question, read_questions


class Pipeline:
    """The stages of one run. The run's lock is held by the caller.

    `make_engine(adapter folder or None)` gives the engine of an arm; by default the settings' model under MLX.
    """

    def __init__(
        self,
        run: RunDir,
        settings: Settings,
        progress: Progress,
        *,
        operators_folder: Path | None = None,
        make_engine: Callable[[Path | None], Engine] | None = None,
    ) -> None:
        self.run, self.settings, self.progress = run, settings, progress
        self.model = store.find(settings.model)
        self._stages = Stages(run, progress)
        self._operators_folder = operators_folder
        self._make_engine = make_engine or self._mlx_engine
        remove_stale_parts(run.path)
        settings_module.save(settings, run.settings)

    def _mlx_engine(self, adapter: Path | None) -> Engine:
        return mlx_engine(self.model, adapter)

    def facts(self) -> list[Fact]:
        if not self.run.facts.exists():
            raise RunError(f"{self.run.path}: holds no facts", hint="run: augmlx augment FACTS -o RUN")
        return [fact_from_json(row) for row in read_jsonl(self.run.facts)]

    def questions(self) -> list[Question]:
        return read_questions(self.run.questions) if self.run.questions.exists() else []

    # The stages

    def take_facts(self, facts: Sequence[Fact]) -> None:
        write_jsonl(self.run.facts, map(to_json, facts))

    def take_questions(self, path: Path) -> None:
        """Copy the user's questions into the run, where later commands find them. Raises BadInput."""
        write_jsonl(self.run.questions, map(_question_row, read_questions(path)))

    def augment(self) -> Json:
        """facts -> augmented.jsonl, rejected.jsonl and data/. Returns the counts."""
        facts = self.facts()
        chosen = augmenting.load_operators(self.settings.augment, self._operators_folder)
        inputs = [
            [(fact.id, fact.text) for fact in facts],
            [operator.model_dump(mode="json") for operator in chosen],
            self.settings.augment.model_dump(mode="json"),
            self.settings.seed,
            self.model.fingerprint,
        ]
        outputs = [self.run.augmented, self.run.rejected, self.run.journal]
        counts = self._stages.do("augment", inputs, outputs, lambda: self._augment(facts, chosen))
        self._split(facts)
        return counts

    def _augment(self, facts: Sequence[Fact], chosen: Sequence[Operator]) -> Json:
        config, seed = self.settings.augment, self.settings.seed
        engine = self._make_engine(None)
        total = len(facts) * len(chosen) * config.samples

        def planned() -> Iterator[augmenting.Planned]:
            return augmenting.plan(facts, chosen, config, seed=seed, engine=engine.fingerprint)

        tally = augmenting.Tally()
        with open_journal(self.run.journal) as journal:
            augmenting.generate(planned(), total, engine, journal, config.batch_size, self.progress)
            with jsonl_writer(self.run.augmented) as keep, jsonl_writer(self.run.rejected) as reject:
                for record in augmenting.collect(planned(), journal, config, engine=engine, seed=seed):
                    tally.add(record)
                    (reject if isinstance(record, Rejected) else keep)(to_json(record))
        return {"facts": len(facts), **tally.as_json(total)}

    def _split(self, facts: Sequence[Fact]) -> None:
        has_questions = self.run.questions.exists()
        augmented = self._stages.require("augment", "augment FACTS -o RUN")["fingerprint"]
        groups = [(fact.id, fact.group) for fact in facts]
        inputs = [augmented, groups, self.settings.split.model_dump(mode="json"), has_questions, self.settings.seed]
        self._stages.do("split", inputs, [self.run.data / "train.jsonl"], lambda: self._deal(facts, has_questions))

    def _deal(self, facts: Sequence[Fact], has_questions: bool) -> Json:
        parts = split(
            facts, self._augmented(), self.settings.split, has_questions=has_questions, seed=self.settings.seed
        )
        for name, examples in (("train", parts.train), ("valid", parts.valid), ("test", parts.test)):
            path = self.run.data / f"{name}.jsonl"
            if examples:
                write_jsonl(path, ({"id": example.id, "text": example.text} for example in examples))
            else:
                path.unlink(missing_ok=True)  # mlx-lm takes no empty file
        return {"train": len(parts.train), "valid": len(parts.valid), "test": len(parts.test)}

    def _augmented(self) -> list[Example]:
        return [example_from_json(row) for row in read_jsonl(self.run.augmented)]

    def train(self) -> Json:
        """data/train.jsonl -> adapter/. Returns the counts."""
        self._stages.require("split", f"augment FACTS -o {self.run.path}")
        rows = list(read_jsonl(self.run.data / "train.jsonl"))
        return self._train("train", rows, self.run.path, self.settings, "Training")

    def _train(self, stage: str, rows: Sequence[Json], folder: Path, settings: Settings, label: str) -> Json:
        inputs = [rows, settings.train.model_dump(mode="json"), settings.seed, self.model.fingerprint]
        outputs = [folder / "adapter" / "adapters.safetensors", folder / "adapter" / "adapter_config.json"]
        identity = fingerprint(inputs)

        def work() -> Json:
            from augmlx.training import fit

            return fit.fit(self.model, rows, folder, settings, identity=identity, progress=self.progress, label=label)

        return self._stages.do(stage, inputs, outputs, work)

    def _baseline(self) -> None:
        """Plain fine-tuning: the originals alone, for as many optimizer steps as the augmented training took."""
        steps = int(self._stages.require("train", f"train {self.run.path}")["counts"]["steps"])
        rows = [{"id": e.id, "text": e.text} for e in map(augmenting.original, self.facts())]
        per_epoch = -(-len(rows) // self.settings.train.batch_size)
        train = self.settings.train.model_copy(update={"epochs": max(1, round(steps / per_epoch))})
        settings = self.settings.model_copy(update={"train": train})
        self._train("baseline", rows, self.run.baseline, settings, "Training the plain arm")

    def evaluate(self) -> Json:
        """The arms of the settings on the same items -> eval/. Returns the summary."""
        wanted = self.settings.eval.arms
        if "augmented" in wanted:
            self._stages.require("train", f"train {self.run.path}")
        if "finetuned" in wanted:
            self._baseline()
        chosen, notes = self._items()
        manifest = self.run.manifest()
        trained = [manifest.get(stage, {}).get("fingerprint") for stage in ("train", "baseline")]
        facts = [(fact.id, fact.text) for fact in self.facts()]
        inputs = [
            [to_json(item) for item in chosen],
            facts,
            self.settings.eval.model_dump(mode="json"),
            trained,
            self.model.fingerprint,
        ]
        outputs = [self.run.eval / "summary.json", self.run.eval / "results.jsonl", self.run.eval / "items.jsonl"]
        self._stages.do("eval", inputs, outputs, lambda: self._evaluate(chosen, notes))
        return read_summary(self.run)

    def _items(self) -> tuple[list[EvalItem], list[str]]:
        config, seed = self.settings.eval, self.settings.seed
        questions = self.questions()
        if questions:
            return items.from_questions(questions, config.choices, seed=seed), []
        path = self.run.data / "test.jsonl"
        held_out = {row["id"] for row in read_jsonl(path)} if path.exists() else set()
        withheld = [example for example in self._augmented() if example.id in held_out]
        made = items.derived(self.facts(), withheld, config.choices, seed=seed)
        if not made:
            raise BadInput(
                f"{self.run.path}: no questions can be derived from these facts",
                hint="bring your own: augmlx eval RUN --questions FILE",
            )
        told = f"{len(withheld)} augmentations that were held out of training"
        notes = [f"No questions were given: the items are derived from the facts and from {told}."]
        if not withheld:
            notes.append("Nothing was held out, so only the direction that the facts are written in is measured.")
        return made, notes

    def _evaluate(self, chosen: Sequence[EvalItem], notes: Sequence[str]) -> Json:
        results: list[EvalResult] = []
        for arm in self.settings.eval.arms:
            results += self._arm(arm, chosen)
        trained = {row["text"] for row in read_jsonl(self.run.data / "train.jsonl")}
        summary = {
            "arms": arms.summarise(results),
            "items": len(chosen),
            "derived": not self.run.questions.exists(),
            "notes": list(notes),
            "verbatim": arms.verbatim(chosen, trained),
            "model": self.model.name,
            "score": self.settings.eval.score,
        }
        write_jsonl(self.run.eval / "items.jsonl", map(to_json, chosen))
        write_jsonl(self.run.eval / "results.jsonl", map(to_json, results))
        write_json(self.run.eval / "summary.json", summary)
        return {"items": len(chosen), "arms": len(self.settings.eval.arms)}

    def _arm(self, arm: str, chosen: Sequence[EvalItem]) -> list[EvalResult]:
        """One arm's results; those that an interrupted evaluation left are used if they are of the same inputs."""
        adapter = {"augmented": self.run.adapter, "finetuned": self.run.baseline / "adapter"}.get(arm)
        engine = self._make_engine(adapter)
        facts = self.facts()
        config = self.settings.eval
        mark = fingerprint(
            [
                CODE["eval"],
                [to_json(i) for i in chosen],
                [f.text for f in facts],
                config.model_dump(mode="json"),
                engine.fingerprint,
            ]
        )
        path = self.run.eval / "arms" / f"{arm}.jsonl"
        if path.exists():
            head, *rows = read_jsonl(path)
            if head.get("fingerprint") == mark:
                return [result_from_json(row) for row in rows]
        context = arms.contexts(chosen, facts, engine, config.max_tokens) if arm == "icl" else None
        results = arms.answer(arm, chosen, engine, config, self.progress, context)
        write_jsonl(path, [{"fingerprint": mark}, *map(to_json, results)])
        return results

    def export(self, out: Path | None = None, *, hf_base: str | None = None) -> Path:
        """adapter/ -> a PEFT folder. Returns where it is."""
        from augmlx.exporting.peft import export_peft
        from augmlx.training.adapter import read_spec

        trained = self._stages.require("train", f"train {self.run.path}")["fingerprint"]
        target = out or self.run.path / "export" / "peft"

        def work() -> Json:
            for note in export_peft(self.run.adapter, read_spec(self.run.adapter), target, hf_base=hf_base):
                self.progress.say(note)
            return {"format": "peft"}

        outputs = [target / "adapter_model.safetensors", target / "adapter_config.json"]
        self._stages.do("export", [trained, fingerprint(str(target.resolve())), hf_base], outputs, work)
        return target

    def export_if_possible(self) -> Path | None:
        """As `export`, but a model of the user's own without a known Hugging Face original is no error."""
        if self.model.hf_base is None:
            self.progress.say("export: skipped; name the Hugging Face original with: augmlx export RUN --base NAME")
            return None
        return self.export()

    def ask(self, question: str, max_tokens: int) -> dict[str, str]:
        """Greedy answers of the base model and the tuned one."""
        self._stages.require("train", f"train {self.run.path}")
        request = Request("ask", "", arms.asked(question), "", 0.0, 1.0, max_tokens)
        places = {"base": None, "augmented": self.run.adapter}
        answers = {arm: next(self._make_engine(place).generate([request])) for arm, place in places.items()}
        if failed := next((c for c in answers.values() if c.finish == "error"), None):
            raise BadInput(f"the question is too long: {failed.text}", hint="ask a shorter one")
        return {arm: completion.text.strip() for arm, completion in answers.items()}

    def report(self) -> Path:
        from augmlx.report import write_report

        return write_report(self.run)


def mlx_engine(model: store.StoredModel, adapter: Path | None) -> Engine:
    """The MLX engine of a stored model, under an adapter folder if one is given."""
    from augmlx.engines.mlx import MlxEngine
    from augmlx.models import loading
    from augmlx.training.adapter import adapter_fingerprint

    own = model.fingerprint
    mark = own if adapter is None else fingerprint([own, adapter_fingerprint(adapter)])
    return MlxEngine(loading.load(model, adapter), fingerprint=mark)


def preview(
    facts: Sequence[Fact], settings: Settings, progress: Progress, *, operators_folder: Path | None = None
) -> list[Example | Rejected]:
    """What the operators make of a few facts, by fact. Nothing is written."""
    chosen = augmenting.load_operators(settings.augment, operators_folder)
    engine = mlx_engine(store.find(settings.model), None)
    planned = list(augmenting.plan(facts, chosen, settings.augment, seed=settings.seed, engine=engine.fingerprint))
    with open_journal(None) as journal:
        augmenting.generate(planned, len(planned), engine, journal, settings.augment.batch_size, progress)
        return list(augmenting.collect(planned, journal, settings.augment, engine=engine, seed=settings.seed))


def read_summary(run: RunDir) -> Json:
    """eval/summary.json of a run. Raises RunError."""
    import json

    try:
        summary: Json = json.loads((run.eval / "summary.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{run.eval}: no readable summary", hint=f"run: augmlx eval {run.path}") from error
    return summary


def _question_row(question: Question) -> Json:
    row: Json = {"id": question.id, "prompt": question.prompt, "answer": question.answer, "kind": question.kind}
    if question.choices:
        row["choices"] = list(question.choices)
    if question.aliases:
        row["aliases"] = list(question.aliases)
    return row
