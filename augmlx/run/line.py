"""What every stage of one run is given, and what the stages depend on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.progress import Progress
from augmlx.core.records import Fact
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.engines.local import MlxEngines, chat_fault
from augmlx.engines.protocol import Engine
from augmlx.models.store.folder import StoredModel

# Gives the engine of the base model (None), or of the model under an adapter folder.
MakeEngine = Callable[[Path | None], Engine]


@dataclass(frozen=True, slots=True)
class Line:
    """One run as its stages see it: the facts are read, the model is found, nothing is loaded.

    The bases say what a stage depends on that any later command knows, too: each is the one before
    it and the settings of its own stage.
    """

    run: RunFolder
    settings: Settings
    model: StoredModel
    facts: Sequence[Fact]
    progress: Progress
    make_engine: MakeEngine

    @property
    def answers_by_mlx(self) -> bool:
        """Whether it is MLX that answers for the local model: a caller's own engine may need none
        of it.
        """
        return isinstance(self.make_engine, MlxEngines)

    @property
    def form(self) -> row_forms.Form:
        """How the rows of the training set are written."""
        return row_forms.form_of(
            self.facts, self.settings.split.form, talks=chat_fault(self.model) is None
        )

    @property
    def augment_basis(self) -> list[object]:
        facts = [(fact.id, fact.text, fact.group) for fact in self.facts]
        # What calibration chose stands in the other settings; weights only where there are any.
        unused = {"calibrate", *([] if self.settings.augment.weights else ["weights"])}
        augment = self.settings.augment.model_dump(mode="json", exclude=unused)
        return [facts, self.settings.seed, self.model.fingerprint, augment]

    @property
    def split_basis(self) -> list[object]:
        # A statement may stay where its row changes.
        rows = [[fact.id, fact.row] for fact in self.facts if fact.row]
        return [*self.augment_basis, self.settings.split.model_dump(mode="json"), rows]

    @property
    def train_basis(self) -> list[object]:
        return [*self.split_basis, self.settings.train.learnt]

    @property
    def eval_basis(self) -> list[object]:
        return [*self.train_basis, self.settings.eval.model_dump(mode="json")]
