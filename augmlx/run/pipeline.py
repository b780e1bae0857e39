"""The straight line, stage by stage, over one run folder. How stages are skipped or redone stands
in stages.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from augmlx.augment import generate as augmenting
from augmlx.augment import stage as augment_stage
from augmlx.augment.operators import Operator, exemplars
from augmlx.augment.operators.exemplars import Exemplars
from augmlx.augment.plan import Plan
from augmlx.augment.replay import OWN, replay_examples, replay_texts
from augmlx.augment.stage import Earlier, Writer
from augmlx.core import settings as settings_module
from augmlx.core.arms import ARMS, CONTROLS, Arm
from augmlx.core.errors import BadInput, BadSettings, ModelError, RunError
from augmlx.core.files import copy_file, file_sha256, read_jsonl, remove_stale_parts, write_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import EvalItem, Example, Fact, Json, fact_from_json, fingerprint, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.data import stage as split_stage
from augmlx.data.tables import Question, question_row, read_facts, read_questions
from augmlx.engines.local import engine_mark, mlx_engine
from augmlx.engines.protocol import Engine
from augmlx.evaluation import items, run_items
from augmlx.evaluation import stage as evaluation_stage
from augmlx.models import loading, memory
from augmlx.models.formats import adapter_folder
from augmlx.models.store import folder as store
from augmlx.run import ask, control_arms
from augmlx.run.stages import Stages

if TYPE_CHECKING:
    from augmlx.training.team import Team


class Pipeline:
    """The stages of one run. The run's lock is held by the caller.

    `make_engine(adapter folder or None)` gives the engine of an arm; by default the settings' model
    under MLX.
    """

    def __init__(
        self,
        run: RunFolder,
        settings: Settings,
        progress: Progress,
        *,
        operators_folder: Path | None = None,
        make_engine: Callable[[Path | None], Engine] | None = None,
        earlier: Earlier | None = None,
        writer: Writer | None = None,
    ) -> None:
        self._earlier, self._writer = earlier, writer
        self.run, self.settings, self.progress = run, settings, progress
        self.model = store.find(settings.model)
        self._stages = Stages(run, progress, partial(memory.limited, settings.memory))
        self.operators_folder = operators_folder
        self.make_engine = make_engine or partial(
            mlx_engine, self.model, width=settings.augment.batch_size
        )
        remove_stale_parts(run.path)

    def _by_mlx(self) -> bool:
        """Whether it is MLX that answers for the local model: a caller's own engine may need none
        of it.
        """
        return isinstance(self.make_engine, partial) and self.make_engine.func is mlx_engine

    # What goes in

    def take_facts(self, facts: Sequence[Fact]) -> None:
        write_jsonl(self.run.facts, map(to_json, facts))

    def refuse_others(self, facts: Sequence[Fact]) -> None:
        """Raises RunError where the folder holds a run over other facts altogether: a mistyped -o
        must not cost it.
        """
        earlier = (
            {fact.text for fact in self.facts()}
            if self.run.facts.exists() and self.run.manifest()
            else set()
        )
        if earlier and earlier.isdisjoint(fact.text for fact in facts):
            fault = (
                f"{self.run.path}: holds a run over {len(earlier)} facts, none of which is "
                f"among these {len(facts)}"
            )
            raise RunError(fault, hint="name another folder with -o, or delete this one")

    def take_questions(self, path: Path) -> None:
        """Copy the user's questions into the run, where later commands find them. Raises
        BadInput.
        """
        questions = read_questions(path)
        items.from_questions(
            questions, self.settings.eval.choices, seed=self.settings.seed
        )  # refused before any work
        write_jsonl(self.run.questions, map(question_row, questions))

    def take_oracle(self, path: Path) -> None:
        """Copy consequences that are known to be true into the run, for the arm `oracle`. Raises
        BadInput.
        """
        write_jsonl(self.run.oracle, map(to_json, read_facts(path).facts))

    def facts(self) -> list[Fact]:
        if not self.run.facts.exists():
            raise RunError(
                f"{self.run.path}: holds no facts", hint="run: augmlx augment FACTS -o RUN"
            )
        return [fact_from_json(row) for row in read_jsonl(self.run.facts)]

    def questions(self) -> list[Question]:
        return read_questions(self.run.questions) if self.run.questions.exists() else []

    # What each stage depends on

    def _common(self) -> list[object]:
        facts = [(fact.id, fact.text, fact.group) for fact in self.facts()]
        return [facts, self.settings.seed, self.model.fingerprint]

    def _augment_basis(self) -> list[object]:
        return [*self._common(), self.settings.augment.model_dump(mode="json")]

    def _split_basis(self) -> list[object]:
        rows = [
            [fact.id, fact.row] for fact in self.facts() if fact.row
        ]  # a statement may stay where its row changes
        return [*self._augment_basis(), self.settings.split.model_dump(mode="json"), rows]

    def _train_basis(self) -> list[object]:
        return [*self._split_basis(), self.settings.train.learnt]

    # The stages

    def augment(self) -> Json:
        """facts -> augmented.jsonl, rejected.jsonl and data/. Returns the counts."""
        if (
            self.settings.train.best != "off" and not self.settings.split.valid
        ):  # training would refuse it, afterwards
            hint = "hold some out: --set split.valid=0.1"
            raise BadSettings(
                f'train.best = "{self.settings.train.best}": split.valid is 0', hint=hint
            )
        facts = self.facts()
        chosen = augmenting.load_operators(self.settings.augment, self.operators_folder)
        own = exemplars.read(self.operators_folder, chosen)
        replay = replay_texts(self.settings, self.operators_folder)
        form = row_forms.form_of(facts, self.settings.split.form)
        counts = self._stages.do(
            "augment",
            basis=self._augment_basis(),
            inputs=[
                *([self._writer.mark] if self._writer else []),
                *self._before(),
                *(o.model_dump(mode="json") for o in chosen),
                {n: [e.model_dump() for e in own[n]] for n in own},
            ],
            outputs=[self.run.augmented, self.run.rejected, self.run.journal],
            prepare=lambda: self._prepare_augment(facts, chosen, own),
        )
        if not counts["kept"]:
            self.progress.say(
                "augment: nothing was kept; look at rejected.jsonl, or at augmlx preview"
            )
        self._split(facts, replay, form)
        settings_module.save(self.settings, self.run.settings)
        return counts

    def _before(self) -> list[object]:
        """What a later round depends on: its writer, and what earlier rounds left."""
        if self._earlier is None:
            return []
        left = [file_sha256(path) for path in (self._earlier.augmented, self._earlier.rejected)]
        return [self._earlier.number, engine_mark(self.model, self._earlier.adapter), *left]

    def _prepare_augment(
        self, facts: Sequence[Fact], chosen: Sequence[Operator], own: Exemplars
    ) -> Callable[[], Json]:
        if self._writer is not None:  # training is the local model's all the same
            engine, count = self._writer.engine(), loading.token_counter(self.model)
        else:
            engine = self.make_engine(self._earlier.adapter if self._earlier else None)
            count = engine.count
        augmenting.require_scores(chosen, engine)
        self._refuse_too_long(facts, count)
        plan = Plan(
            facts, chosen, self.settings.augment, seed=self.settings.seed, engine=engine, own=own
        )
        return partial(
            augment_stage.write,
            self.run,
            facts,
            plan,
            engine,
            self.settings,
            self.progress,
            self._earlier,
        )

    def _refuse_too_long(self, facts: Sequence[Fact], count: Callable[[str], int]) -> None:
        """Training would refuse them, after all the generating. Raises BadInput."""
        config, limit = self.settings.train, self.settings.train.max_length
        if (
            config.too_long == "split"
            and row_forms.form_of(facts, self.settings.split.form) == "text"
        ):
            return
        for fact in facts:
            text = row_forms.text_of(fact.row) if fact.row else fact.text
            if (length := count(text) + 1) > limit:
                hint = (
                    "raise train.max_length, or shorten the fact; plain texts can be split: "
                    "train.too_long = split"
                )
                raise BadInput(
                    f"{fact.source}: {length} tokens, more than train.max_length = {limit}",
                    hint=hint,
                )

    def _split(self, facts: Sequence[Fact], replay: Sequence[Fact], form: row_forms.Form) -> None:
        questions = self.questions()
        self._stages.do(
            "split",
            basis=self._split_basis(),
            inputs=[
                self.run.manifest()["augment"]["fingerprint"],
                [[q.prompt, q.answer] for q in questions]
                if self.settings.split.leak == "drop"
                else bool(questions),
                [[fact.text, fact.row] for fact in replay],
                *([self._earlier.held] if self._earlier else []),
            ],
            outputs=[self.run.data / "train.jsonl"],
            prepare=lambda: partial(
                split_stage.write_data,
                self.run,
                facts,
                questions,
                self.settings,
                self.progress,
                form=form,
                replay=partial(self._replayed, replay, form),
                held=self._earlier.held if self._earlier else None,
            ),
            computes=self.settings.split.replay == OWN and self._by_mlx(),
        )

    def _replayed(self, texts: Sequence[Fact], form: row_forms.Form, count: int) -> list[Example]:
        """`count` examples of replay, or fewer: of the user's texts, or of the base model's own."""
        return replay_examples(
            self.run,
            texts,
            count,
            settings=self.settings,
            form=form,
            make_engine=lambda: self.make_engine(None),
            progress=self.progress,
        )

    def train(self, team: Team | None = None) -> Json:
        """data/train.jsonl -> adapter/. Returns the counts. The other processes of a `team` follow
        (following.py)."""
        self._stages.require("split", self._split_basis(), f"augment FACTS -o {self.run.path}")
        counts = self._train(
            "train", *split_stage.dealt(self.run), self.run.path, self.settings, "Training", team
        )
        settings_module.save(self.settings, self.run.settings)
        return counts

    def adopt(self, other: RunFolder, counts: Json) -> None:
        """Take over what another run folder of the same facts was trained on and became; its counts
        stand for this one's. What is held out stays as it is, so that the arms are compared on the
        same questions.
        """
        for name in (
            "augmented.jsonl",
            "augmented.csv",
            "rejected.jsonl",
            "data/train.jsonl",
            "metrics.jsonl",
        ):
            copy_file(other / name, self.run / name)
        if (other.data / "left_out.jsonl").exists():
            copy_file(other.data / "left_out.jsonl", self.run.data / "left_out.jsonl")
        for path in sorted(other.adapter.iterdir()):
            copy_file(path, self.run.adapter / path.name)
        inputs = self._train_inputs(*split_stage.dealt(self.run), self.settings)
        self._stages.adopt("train", basis=self._train_basis(), inputs=inputs, counts=counts)

    @staticmethod
    def _train_inputs(
        rows: Sequence[Json], valid: Sequence[Json], settings: Settings
    ) -> list[object]:
        judged = (
            [settings.eval.choices, settings.eval.score]
            if settings.train.best == "accuracy"
            else []
        )
        return [rows, valid, settings.train.learnt, *judged]

    def _train(
        self,
        stage: str,
        rows: Sequence[Json],
        valid: Sequence[Json],
        folder: Path,
        settings: Settings,
        label: str,
        team: Team | None = None,
        steps: int | None = None,
    ) -> Json:
        def prepare() -> Callable[[], Json]:
            from augmlx.training import fit

            ready = fit.prepare(self.model, rows, settings, valid)
            if steps is not None:
                ready = fit.for_steps(ready, steps)
            work = partial(
                fit.fit,
                ready,
                folder,
                identity=fit.identity_of(self.model, rows, settings),
                progress=self.progress,
                label=label,
                judge=run_items.judge(self.run, self.facts(), valid, settings)
                if settings.train.best == "accuracy"
                else None,
                team=team,
            )
            if team is not None:
                team.begin(True)
            return work

        counts = self._stages.do(
            stage,
            basis=self._train_basis(),
            inputs=[
                *self._train_inputs(rows, valid, settings),
                *([] if steps is None else [steps]),
            ],
            outputs=[folder / "adapter" / name for name in adapter_folder.FILES],
            prepare=prepare,
        )
        if (
            left := folder / "checkpoints"
        ).exists():  # now that it is on record, nothing is left to resume
            from augmlx.training import checkpoint

            checkpoint.clear(left)
        return counts

    def _control(self, arm: Arm, rows: Sequence[Json], steps: int) -> None:
        """An arm for comparison: as many whole epochs as come nearest to the steps of the augmented
        training, and the last adapter.
        """
        plain = {"best": "off", "patience": 0, "validate_every": 0, "report_to": ()}
        settings = self.settings.model_copy(
            update={"train": self.settings.train.model_copy(update=plain)}
        )
        folder = control_arms.folder_of(self.run, arm.name)
        label = f"Training the arm {arm.name}"
        self._train(arm.stage, rows, (), folder, settings, label, steps=steps)

    def evaluate(self) -> Json:
        """The arms of the settings on the same items -> eval/. Returns the summary."""
        trained = self._require_training()
        places = control_arms.places(self.run, self.model, self.settings)
        chosen, notes = run_items.items_of(self.run, self.facts(), self.questions(), self.settings)
        facts = self.facts()
        form = row_forms.form_of(facts, self.settings.split.form)
        controls = [arm for arm in CONTROLS if arm.name in places]
        rows = [control_arms.rows(arm.name, self.run, facts, form) for arm in controls]
        for arm, of_arm in zip(controls, rows, strict=True):  # all that can be refused has been
            self._control(arm, of_arm, int(trained["counts"]["steps"]))
        marks = {arm: engine_mark(self.model, place) for arm, place in places.items()}
        self._stages.do(
            "eval",
            basis=[*self._train_basis(), self.settings.eval.model_dump(mode="json")],
            inputs=[
                [to_json(item) for item in chosen],
                trained["fingerprint"],
                marks,
                evaluation_stage.mark(self.settings),
            ],
            outputs=[
                self.run.eval / name for name in ("summary.json", "results.jsonl", "items.jsonl")
            ],
            prepare=lambda: partial(self._evaluate, chosen, notes, places, marks),
            computes=self._by_mlx(),
        )
        settings_module.save(self.settings, self.run.settings)
        return evaluation_stage.read_summary(self.run)

    def _require_training(self) -> Json:
        return self._stages.require("train", self._train_basis(), f"train {self.run.path}")

    def _evaluate(
        self,
        chosen: Sequence[EvalItem],
        notes: Sequence[str],
        places: Mapping[str, Path | None],
        marks: Mapping[str, str],
    ) -> Json:
        manifest = self.run.manifest()
        stages = {name: ARMS[name].stage for name in places if name in ARMS}
        counts = {name: manifest[stage]["counts"] for name, stage in stages.items() if stage}
        about = {
            arm: {key: c[key] for key in ("examples", "steps", "tokens")}
            for arm, c in counts.items()
        }
        return evaluation_stage.compare(
            self.run,
            chosen,
            self.facts(),
            self.settings,
            arms_of=list(places),
            engine_of=lambda arm: self.make_engine(places[arm]),
            mark_of=marks.__getitem__,
            progress=self.progress,
            about={
                "derived": not self.run.questions.exists(),
                "model": self.model.name,
                "trained": about,
            },
            notes=notes,
            trained=control_arms.trained_on(self.run),
        )

    def export(self, out: Path | None = None, *, hf_base: str | None = None) -> Path:
        """adapter/ -> a PEFT folder. Returns where it is."""
        from augmlx.exporting.peft import export_peft
        from augmlx.models.formats.adapter_folder import read_spec

        trained = self._require_training()["fingerprint"]
        target = out or self.run.path / "export" / "peft"

        def work() -> Json:
            for note in export_peft(
                self.run.adapter, read_spec(self.run.adapter), target, hf_base=hf_base
            ):
                self.progress.say(note)
            return {"format": "peft"}

        self._stages.do(
            "export",
            basis=self._train_basis(),
            inputs=[trained, fingerprint(str(target.resolve())), hf_base],
            outputs=[target / "adapter_model.safetensors", target / "adapter_config.json"],
            prepare=lambda: work,
        )
        return target

    def export_if_possible(self) -> Path | None:
        """As `export`, but a model of the user's own without a known Hugging Face original is no
        error.
        """
        if self.model.hf_base is None:
            self.progress.say(
                "export: skipped; name the Hugging Face original with: augmlx export RUN --base "
                "NAME"
            )
            return None
        try:
            return self.export()
        except ModelError as error:  # full training, and adapters of experts, have no PEFT form
            self.progress.say(f"export: skipped; {error.render()}")
            return None

    def answerer(
        self, arms: Sequence[str] = ask.ARMS, form: row_forms.Form | None = None
    ) -> ask.Answerer:
        """What puts questions to the base model and the tuned one, by default in the form of the
        training set. All files are read here: it goes on when the lock is given back.
        """
        self._require_training()
        form = form or row_forms.form_of(self.facts(), self.settings.split.form)
        return ask.load(self.model, self.run.adapter, form, arms)

    def report(self) -> Path:
        from augmlx.report import write_report

        return write_report(self.run)
