"""The straight line over one run folder, stage by stage.

    facts -> augment -> split -> train -> eval -> export -> report

What each stage depends on and does stands in augmenting.py, training.py, evaluating.py and
exporting.py; how stages are skipped or done again, in stages.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from augmlx.augment import anchors
from augmlx.augment.calibration.in_force import in_force
from augmlx.augment.stage import Earlier, Writer
from augmlx.core import settings_file
from augmlx.core.arms import AUGMENTED, BASE, CONTROLS
from augmlx.core.errors import ModelError, NothingToAsk, RunError
from augmlx.core.files import copy_file, read_jsonl, remove_stale_parts, write_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import Fact, Json, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.data.facts import facts_of_run, read_facts
from augmlx.data.questions import Question, question_row, read_questions
from augmlx.engines import local
from augmlx.engines.local import MlxEngines
from augmlx.evaluation import items, summary
from augmlx.evaluation.summary import Summary
from augmlx.exporting.forms import Form, WeightType
from augmlx.exporting.stage import Order
from augmlx.models import memory
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel
from augmlx.run import (
    anchoring,
    ask,
    augmenting,
    control_arms,
    editing,
    evaluating,
    exporting,
    training,
)
from augmlx.run.line import Line, MakeEngine
from augmlx.run.stages import SPLIT, TRAIN, Stages

if TYPE_CHECKING:
    from augmlx.exporting.comparison import Verification
    from augmlx.run.requantising import Loss
    from augmlx.training.team import Team


class Pipeline:
    """The stages of one run, each skipped where it is finished and nothing it depends on changed.

    The run's lock is held by the caller; `open_pipeline` does so.

    Args:
        run: the folder, which exists.
        settings: may be replaced between stages.
        operators_folder: holds the user's own operators, exemplars.csv and anchors.
        make_engine: gives the engine of an arm, from its adapter's folder or None for the base
            model; by default the settings' model under MLX.
        earlier: what earlier rounds left, where this is a later one.
        writer: what writes the augmentations in the place of the settings' model.
    """

    def __init__(
        self,
        run: RunFolder,
        settings: Settings,
        progress: Progress,
        *,
        operators_folder: Path | None = None,
        make_engine: MakeEngine | None = None,
        earlier: Earlier | None = None,
        writer: Writer | None = None,
    ) -> None:
        self.run = run
        self.settings = settings
        self.progress = progress
        self.operators_folder = operators_folder
        self._given_engines = make_engine
        self._earlier = earlier
        self._writer = writer
        self._stages = Stages(run, progress, partial(memory.limited, settings.memory))
        self._facts: Sequence[Fact] | None = None
        remove_stale_parts(run.path)

    @cached_property
    def model(self) -> StoredModel:
        """The settings' model. Raises ModelError where the store has none of that name."""
        return store.find(self.settings.model)

    @property
    def make_engine(self) -> MakeEngine:
        """What gives the engine of an arm."""
        return self._given_engines or MlxEngines(self.model, self.settings.augment.batch_size)

    @make_engine.setter
    def make_engine(self, make_engine: MakeEngine) -> None:
        self._given_engines = make_engine

    # What goes in

    def take_facts(self, facts: Sequence[Fact]) -> None:
        """Copy the facts into the run, where later commands find them."""
        write_jsonl(self.run.facts, map(to_json, facts))
        self._facts = facts

    def take_questions(self, path: Path | None) -> None:
        """Copy the user's questions into the run; without any, say that those given earlier are
        used. Raises BadInput, before any work.
        """
        if path is None:
            if self.run.questions.exists():
                self.progress.say(f"using the questions given earlier ({self.run.questions})")
            return
        questions = read_questions(path)
        items.from_questions(questions, self.settings.eval.choices, seed=self.settings.seed)
        write_jsonl(self.run.questions, map(question_row, questions))

    def take_edits(self, path: Path | None) -> None:
        """Read an edited augmented.csv, compared with what the run holds now; None leaves the edits
        in force that there are, and editing.NO_FILE takes them back. Raises BadInput and RunError.
        """
        editing.take(self.run, path, self.facts, self.operators_folder, self.progress)

    def take_oracle(self, path: Path) -> None:
        """Copy consequences that are known to be true into the run, for the arm `oracle`. Raises
        BadInput.
        """
        write_jsonl(self.run.oracle, map(to_json, read_facts(path).facts))

    def refuse_others(self, facts: Sequence[Fact]) -> None:
        """Raises RunError where the folder holds a run over other facts altogether: a mistyped -o
        must not cost it.
        """
        if not self.run.facts.exists() or not self.run.manifest():
            return
        earlier_texts = {fact.text for fact in self.facts()}
        if earlier_texts and earlier_texts.isdisjoint(fact.text for fact in facts):
            raise RunError(
                f"{self.run.path}: holds a run over {len(earlier_texts)} facts, none of which is "
                f"among these {len(facts)}",
                hint="name another folder with -o, or delete this one",
            )

    def facts(self) -> Sequence[Fact]:
        """The run's facts, read once. Raises RunError where it has none."""
        if self._facts is None:
            self._facts = facts_of_run(self.run)
        return self._facts

    def questions(self) -> list[Question]:
        """The user's questions; none where none were given."""
        return read_questions(self.run.questions) if self.run.questions.exists() else []

    @property
    def line(self) -> Line:
        """The run as its stages see it now."""
        facts = self.facts()  # a folder without any is told of before a missing model
        return Line(
            run=self.run,
            settings=self.settings,
            model=self.model,
            facts=facts,
            progress=self.progress,
            make_engine=self.make_engine,
        )

    # The stages

    def augment(self) -> Json:
        """facts -> augmented.jsonl, rejected.jsonl and data/. Returns the counts.

        Raises BadInput, BadSettings and ModelError; what was written so far is kept.
        """
        if self._given_engines is None and self._writer is None:
            self.settings = in_force(self.settings, self.model, self.progress)
        line = self.line
        augmenting.refuse_what_training_would(line, self.operators_folder)
        sources = augmenting.read_sources(
            self.run, self.settings, self.operators_folder, self._earlier, self._writer
        )
        counts = self._stages.do(augmenting.augment_task(line, sources))
        if not counts["kept"]:
            self.progress.say(augmenting.why_nothing(counts, self.run.rejected.name))
        self._stages.do(augmenting.split_task(line, sources, self.questions()))
        self._save_settings()
        return counts

    def train(self, team: Team | None = None) -> Json:
        """data/train.jsonl -> adapter/. Returns the counts.

        The other processes of a `team` follow (follow.py). Raises RunError where `augment` has not
        been done with these facts, settings and model.
        """
        line = self.line
        self._stages.require(SPLIT, line.split_basis, f"augment FACTS -o {self.run.path}")
        self._anchor(line)
        own = training.own_training(line)
        task = training.train_task(line, own, line.train_basis, team)
        counts = training.train(self._stages, task, own.folder)
        self._save_settings()
        return counts

    def evaluate(self) -> Summary:
        """The arms of the settings on the same items -> eval/; trains the controls among them
        first. Returns the summary.

        Raises RunError where `train` has not been done with these facts, settings and model.
        """
        line = self.line
        trained = self._require_training(line)
        asked = evaluating.comparison(line, self.questions())
        self._train_controls(line, asked, int(trained["counts"]["steps"]))
        self._stages.do(evaluating.eval_task(line, asked, trained["fingerprint"]))
        self._save_settings()
        return summary.read(self.run)

    def evaluate_if_possible(self) -> Summary | None:
        """As `evaluate`, but facts that no question can be derived from are no error."""
        try:
            return self.evaluate()
        except NothingToAsk as error:
            self.progress.say(f"eval: skipped; {error.render()}")
            return None

    def export(
        self,
        out: Path | None = None,
        *,
        form: Form = "peft",
        hf_base: str | None = None,
        weight_type: WeightType | None = None,
        for_vllm: bool = False,
        bits: int | None = None,
    ) -> Path:
        """adapter/ -> a folder that other tools read. Returns where it is.

        Args:
            out: by default RUN/export/FORM.
            hf_base: the Hugging Face original, where the model's own record names none.
            weight_type: of a whole model's matrices.
            for_vllm: refuse what vLLM would not serve.
            bits: of a weight: a whole model is quantised again, and `measure_loss` says what
                that cost.

        Raises ModelError where the adapter has no such form, BadSettings without an original.
        """
        line = self.line
        trained = self._require_training(line)
        target = exporting.target_of(self.run, form, out)
        about = exporting.about(line, hf_base)
        order = Order(form, target, hf_base, weight_type, for_vllm, about, bits)
        self._stages.do(exporting.export_task(line, order, trained["fingerprint"]))
        return target

    def verify_export(
        self, target: Path, form: Form, weight_type: WeightType | None, base: StoredModel
    ) -> Verification:
        """Compare what `export` wrote to `target` with MLX; what it came to goes into the manifest
        and the card. Raises ModelError where they differ.

        Args:
            base: what an adapter alone is put over: the run's model, or the full-precision one
                where that is quantised.
        """
        from augmlx.exporting import proof

        order = Order(form, target, weight_type=weight_type)
        verification = proof.verify(self.run, order, base, self.model)
        proof.record(self.run, order, verification)
        return verification

    def measure_loss(self, target: Path, bits: int) -> Loss:
        """What a fused model that `export` quantised again, to `target`, has lost of what was
        learnt; measured once, and written into the manifest and the card.
        """
        from augmlx.run import requantising

        line, order = self.line, Order("fused", target, bits=bits)
        known = requantising.recorded(line, order)
        return known or requantising.measure(line, order, self.questions())

    def export_if_possible(self) -> Path | None:
        """As `export`, but a model of the user's own without a known Hugging Face original is no
        error.
        """
        if self.model.hf_base is None:
            self.progress.say(
                "export: skipped; name the Hugging Face original with: "
                "augmlx export RUN --base NAME"
            )
            return None
        try:
            return self.export()
        except ModelError as error:  # full training, and adapters of experts, have no PEFT form
            self.progress.say(f"export: skipped; {error.render()}")
            return None

    def report(self) -> Path:
        """Everything there is so far -> report.html. Returns where it is."""
        from augmlx.report import write_report

        return write_report(self.run)

    # What a trained run is good for

    def answerer(
        self, arms: Sequence[str] = ask.ARMS, form: row_forms.Form | None = None
    ) -> ask.Answerer:
        """What puts questions to the base model and the tuned one, by default in the form of the
        training set. All files are read here: it goes on when the lock is given back.
        """
        line = self.line
        self._require_training(line)
        return ask.load(self.model, self.run.adapter, form or self._asked_form(line), arms)

    def serve(self, host: str, port: int, *, exposed: bool, ready: Callable[[str], None]) -> None:
        """Serve the tuned model and the base model to programs and a page, until it is
        interrupted. Raises RunError, ModelError and BadSettings.

        Args:
            port: 0: a free one.
            exposed: to other machines as well.
            ready: is told the address of the page.
        """
        self._require_training(self.line)
        names = (AUGMENTED.name, BASE.name)
        local.serve(names, self.model, self.run.adapter, (host, port), exposed=exposed, ready=ready)

    def _asked_form(self, line: Line) -> row_forms.Form:
        """The form that questions are put in: a chat, where any was trained on."""
        if line.form != "mixed":
            return line.form
        return (
            "chat" if any("messages" in row for row in read_jsonl(self.run.train_rows)) else "text"
        )

    def adopt(self, other: RunFolder, counts: Json) -> None:
        """Take over what another run folder of the same facts was trained on and became; its counts
        stand for this one's. What is held out stays as it is, so that the arms are compared on the
        same questions.
        """
        for ours, theirs in zip(self.run.trained_files, other.trained_files, strict=True):
            copy_file(theirs, ours)
        for name in (other.left_out.relative_to(other.path), other.uncovered.name):
            if (other.path / name).exists():
                copy_file(other.path / name, self.run.path / name)
        for path in sorted(other.adapter.iterdir()):
            copy_file(path, self.run.adapter / path.name)
        line = self.line
        task = training.train_task(line, training.own_training(line), line.train_basis)
        self._stages.adopt(task, counts)

    def _anchor(self, line: Line) -> None:
        """Say where training holds the model and what it does not know, if that is asked for."""
        if anchoring.is_wanted(line):
            texts = anchors.own_texts(line.settings, self.operators_folder)
            self._stages.do(anchoring.anchor_task(line, texts))

    def _train_controls(self, line: Line, asked: evaluating.Comparison, steps: int) -> None:
        controls = [arm for arm in CONTROLS if arm.name in asked.places]
        # All rows first: what can be refused is refused before any training.
        rows = [control_arms.rows(arm.name, self.run, line.facts, line.form) for arm in controls]
        plain_line = training.plainly(line)
        for arm, rows_of_arm in zip(controls, rows, strict=True):
            control = training.control_training(plain_line, arm, rows_of_arm, steps)
            task = training.train_task(plain_line, control, line.train_basis)
            training.train(self._stages, task, control.folder)

    def _require_training(self, line: Line) -> Json:
        return self._stages.require(TRAIN, line.train_basis, f"train {self.run.path}")

    def _save_settings(self) -> None:
        settings_file.save(self.settings, self.run.settings)
