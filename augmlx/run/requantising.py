"""What a fused model that was quantised again has lost of what was learnt, measured on the run's
own questions and texts. One model is in memory at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.errors import NothingToAsk
from augmlx.core.files import write_text
from augmlx.core.records import EvalItem, EvalResult, Json
from augmlx.core.run_folder import EXPORT_STAGES
from augmlx.data.questions import Question
from augmlx.engines.local import MlxEngines, engine_mark
from augmlx.evaluation import asking
from augmlx.evaluation.stage import Asking
from augmlx.exporting import mlx_reader
from augmlx.exporting.card import with_proof
from augmlx.exporting.comparison import Distance, difference_of
from augmlx.exporting.export_folder import CARD
from augmlx.exporting.stage import Order
from augmlx.exporting.verify import material_of
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel
from augmlx.run import control_arms, evaluating
from augmlx.run.line import Line

_KEY = "requantised"  # in the manifest's entry of the export


@dataclass(frozen=True, slots=True)
class Loss:
    """What of an adapter is left in a model that was quantised again.

    Args:
        bits: of a weight.
        questions: that were asked of all three; none where nothing can be asked about the facts.
        base: how many of them the base model answers right.
        adapter: the same under the adapter.
        requantised: the same of the quantised model.
        forgotten: of those that it answers wrong, how many are right under the adapter.
        max_difference: of a logit, between the adapter's and the quantised model's on texts of the
            run.
        argmax_agreement: the share (0..1) of positions with the same next token.
        same_answers: greedy ones, of `answers`.
    """

    bits: int
    questions: int
    base: int
    adapter: int
    requantised: int
    forgotten: int
    max_difference: float
    mean_difference: float
    argmax_agreement: float
    positions: int
    same_answers: int
    answers: int

    @property
    def kept(self) -> float | None:
        """The share of what the adapter gained that is left; None where it gained nothing."""
        gained = self.adapter - self.base
        return (self.requantised - self.base) / gained if gained > 0 else None

    @property
    def on_questions(self) -> str:
        """What the questions tell, in a sentence."""
        if not self.questions:
            return "no question can be asked about these facts, so what is lost is not known"
        kept = "" if self.kept is None else f"; {100 * self.kept:.0f} % of what was gained is left"
        return (
            f"of {self.questions} questions the base model answers {self.base} right, with the "
            f"adapter {self.adapter}, quantised to {self.bits} bits {self.requantised} "
            f"({self.forgotten} that were right are wrong){kept}"
        )

    def __str__(self) -> str:
        distance = Distance(
            self.max_difference, self.mean_difference, self.argmax_agreement, self.positions
        )
        answers = f", {self.same_answers} of {self.answers} greedy answers the same"
        return (
            f"{self.on_questions}; against the adapter itself: greatest logit difference "
            f"{self.max_difference:.1e}, argmax agreement {distance.agreement} over "
            f"{self.positions} positions{answers if self.answers else ''}"
        )


def recorded(line: Line, order: Order) -> Loss | None:
    """What the manifest has of it, since the export as it is was written."""
    figures = line.run.manifest().get(EXPORT_STAGES[order.form], {}).get(_KEY)
    if not isinstance(figures, dict):
        return None
    names = [field.name for field in dataclasses.fields(Loss)]
    return Loss(**{name: figures[name] for name in names})


def measure(line: Line, order: Order, questions: Sequence[Question]) -> Loss:
    """Ask the base model, the adapter and what was exported, and write what came out into the
    manifest and the card.

    Args:
        questions: the user's own; where there are none, they are derived from the facts.
    """
    assert order.bits is not None
    quantised = store.find(order.target.absolute())
    asked = _Asked(line, questions)
    base = asked.right(BASE.name, line.model, None)
    adapter = asked.right(AUGMENTED.name, line.model, line.run.adapter)
    requantised = asked.right(f"{order.bits} bits", quantised, None)
    material = material_of(line.run)
    exact = mlx_reader.record(line.model, line.run.adapter, material)
    rounded = mlx_reader.record(quantised, None, material)
    distance, same = difference_of(f"quantised to {order.bits} bits", exact, rounded)
    loss = Loss(
        bits=order.bits,
        questions=len(asked.items),
        base=len(base),
        adapter=len(adapter),
        requantised=len(requantised),
        forgotten=len(adapter - requantised),
        max_difference=distance.greatest,
        mean_difference=distance.mean,
        argmax_agreement=distance.argmax_agreement,
        positions=distance.positions,
        same_answers=same,
        answers=len(exact.replies),
    )
    _record(line, order, loss)
    return loss


class _Asked:
    """The run's questions, and who answers which of them right. What the evaluation asked of an
    arm as it is now is not asked again.
    """

    def __init__(self, line: Line, questions: Sequence[Question]) -> None:
        self._line = line
        self.items: Sequence[EvalItem] = ()
        try:
            asked = evaluating.comparison(line, questions)
        except NothingToAsk:
            return
        self.items = asked.items
        self._earlier = Asking(
            line.run,
            asked.items,
            line.facts,
            control_arms.trained_on(line.run),
            asked.probes,
            line.settings,
            line.progress,
        )

    def right(self, arm: str, model: StoredModel, adapter: Path | None) -> set[str]:
        """The ids of the items that a model answers right, under an adapter if one is given."""
        if not self.items:
            return set()
        finished = self._earlier.finished(arm, engine_mark(model, adapter))
        answers = self._ask(arm, model, adapter) if finished is None else finished.results
        return {result.item_id for result in answers if result.correct}

    def _ask(self, arm: str, model: StoredModel, adapter: Path | None) -> Sequence[EvalResult]:
        settings = self._line.settings
        engine = MlxEngines(model, settings.augment.batch_size)(adapter)
        return asking.ask_arm(arm, self.items, engine, settings.eval, self._line.progress)


def _record(line: Line, order: Order, loss: Loss) -> None:
    card = order.target / CARD
    measured = f"Measured on the run that it was made in: {loss}."
    write_text(card, with_proof(card.read_text("utf-8"), measured))
    stage = EXPORT_STAGES[order.form]
    entry = line.run.manifest().get(stage, {})
    line.run.record(stage, {**entry, _KEY: to_json(loss)})


def to_json(loss: Loss) -> Json:
    """The figures, and in words what the report says of them."""
    told = {"reader": f"MLX, in {loss.bits} bits", "notes": [loss.on_questions]}
    return {**dataclasses.asdict(loss), "kept": loss.kept, **told}
