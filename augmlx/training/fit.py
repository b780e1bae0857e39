"""One training from rows to adapter folder: load, check, attach, train, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from augmlx.core import example_id
from augmlx.core.errors import AugmlxError, BadInput, BadSettings, ModelError
from augmlx.core.progress import Progress
from augmlx.core.records import AdapterSpec, Json, fingerprint
from augmlx.core.settings import OWN_ANCHORS, Settings, TrainSettings
from augmlx.data import row_forms
from augmlx.models import loading
from augmlx.models.heads import Head
from augmlx.models.loading import LoadedModel
from augmlx.models.store.folder import StoredModel
from augmlx.training import adapter, anchoring, encoding, loop, optimizers, trackers
from augmlx.training.batches import Row, taking_turns
from augmlx.training.frozen_states import FrozenStates
from augmlx.training.plan import TrainingPlan, make_plan
from augmlx.training.targets import adapter_spec
from augmlx.training.team import Team

_OURS = 256  # tokens that a row may have of which the user wrote none
# With the first token of a reply it is decided whether it claims something. So much it counts for,
# where refusals are learnt, in a reply that claims and in one that refuses, of which there are
# fewer (docs/LOG.md has the variants).
_CLAIMS, _REFUSES = 2.0, 4.0
# Answers held-out questions with the model as it stands: accuracy (0..1) by kind of question.
ModelJudge = Callable[[LoadedModel], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that has been checked and can start: of which model, as which adapter, and all
    that it will do.
    """

    loaded: LoadedModel
    spec: AdapterSpec
    seed: int
    plan: TrainingPlan


def prepare(
    stored: StoredModel,
    rows: Sequence[Json],
    settings: Settings,
    valid: Sequence[Json] = (),
    anchors: Sequence[Json] = (),
    unknown: Sequence[Json] = (),
    *,
    steps: int | None = None,
) -> Prepared:
    """Load the model and check rows (see encoding.py) and settings against it. Nothing is written.

    Args:
        valid: rows to validate on.
        anchors: rows at which the model is held where it was.
        unknown: rows that say that something is not known, some in each step.
        steps: train for as many whole epochs as come nearest to so many steps, whatever the
            settings say.

    Raises:
        BadInput: no example, or one that is too long, has nothing to learn from or does not fit the
            model's chat template.
        BadSettings: a target or a number of layers that the model does not have, packing that it
            does not allow, a tracker that is not installed, or a best validation asked for where
            there is nothing to validate on.
        ModelError: the model cannot be loaded, or has no size that the learning rate could be
            derived from.
    """
    train = settings.train
    trackers.require_installed(train.report_to)
    if not rows:
        raise BadInput(
            "there are no examples to train on", hint="augment again: it deals out data/train.jsonl"
        )
    if not valid:
        _refuse_validating(train)
    loaded = loading.load(stored)
    spec = adapter_spec(loaded, train)
    train_rows = _encoded(rows, loaded, train)
    encoded = _encoded(valid, loaded, train)
    valid_rows = [encoded[first] for first, *_ in taking_turns(encoded)]
    ours = train.model_copy(update={"max_length": max(train.max_length, _OURS)})
    own_anchors = train.anchors != OWN_ANCHORS
    anchor_rows = _encoded(anchors, loaded, train if own_anchors else ours) if train.anchor else []
    unknown_rows = _encoded(unknown, loaded, ours) if train.unknown else []
    if unknown_rows:
        train_rows = _decided(train_rows, _CLAIMS)
        unknown_rows = _decided(unknown_rows, _REFUSES)
    peak = _peak_rate(loaded, train)
    identity = _identity(stored, rows, settings)
    if steps is not None:
        train = _for_steps(train, steps, len(taking_turns(train_rows)))
    plan = make_plan(
        loaded.model,
        train_rows,
        train,
        peak=peak,
        seed=settings.seed,
        valid=valid_rows,
        anchors=anchor_rows,
        unknown=unknown_rows,
        questions=sum(map(row_forms.asks, rows)),
        identity=identity,
    )
    return Prepared(loaded, spec, settings.seed, plan)


def _refuse_validating(train: TrainSettings) -> None:
    """Raises BadSettings where validations are asked for; there is nothing to validate on."""
    hint = "hold some out: --set split.valid=0.1, and augment again; or "
    if train.best != "off":
        fault = f'train.best = "{train.best}": there are no validation examples'
        raise BadSettings(fault, hint=f"{hint}train.best = off")
    if train.validate_every:
        fault = "train.validate_every: there are no validation examples"
        raise BadSettings(fault, hint=f"{hint}train.validate_every = 0")


def _encoded(rows: Sequence[Json], loaded: LoadedModel, train: TrainSettings) -> list[Row]:
    """The rows as tokens; a text that is split gives several."""
    encoded: list[Row] = []
    for row in rows:
        encoded += encoding.rows_of(row, loaded.tokenizer, train)
    return encoded


def _decided(rows: Sequence[Row], weight: float) -> list[Row]:
    """The rows; in those that are replies to something the first token counts for so much."""
    return [row if row.mask[1] else replace(row, first=weight) for row in rows]


def _peak_rate(loaded: LoadedModel, train: TrainSettings) -> float:
    """The highest learning rate. Raises ModelError where it cannot be derived."""
    text_config: dict[str, Any] = loaded.config.get("text_config", {})
    hidden_size = loaded.config.get("hidden_size") or text_config.get("hidden_size")
    if hidden_size is None and train.learning_rate == "auto":
        raise ModelError(
            f"{loaded.stored.name}: config.json names no hidden_size",
            hint="set train.learning_rate",
        )
    model_type = str(loaded.config.get("model_type", ""))
    return optimizers.learning_rate(train, int(hidden_size or 1), model_type)


def _for_steps(train: TrainSettings, steps: int, rows: int) -> TrainSettings:
    """The settings with as many whole epochs as come nearest to a number of steps."""
    epochs = max(1, round(steps / train.steps_per_epoch(rows)))
    return train.model_copy(update={"epochs": epochs})


def _identity(stored: StoredModel, rows: Sequence[Json], settings: Settings) -> str:
    """What tells a training from others: its data, its settings and its base."""
    judged: list[object] = []
    if settings.train.asks_questions:
        judged = [settings.eval.choices, settings.eval.score]
    return fingerprint([rows, settings.train.learnt, settings.seed, stored.fingerprint, *judged])


def fit(
    ready: Prepared,
    folder: Path,
    *,
    progress: Progress,
    label: str,
    judge: ModelJudge | None = None,
    team: Team | None = None,
    remembered: Path | None = None,
) -> Json:
    """Train and write `folder`/adapter; goes on from `folder`/checkpoints.

    Args:
        judge: asked at each validation.
        team: only its first process writes.
        remembered: the file that keeps what the base model gave at the anchors.

    Returns:
        The counts for the manifest. The checkpoints are the caller's to clear, once these are on
        record: a kill before would cost the whole training.

    Raises:
        AugmlxError: the training came to numbers that are not finite.
        RunError: what is resumed is damaged, or a process of the team is lost.
    """
    loaded = ready.loaded
    adapter.attach(loaded.model, ready.spec, ready.seed)
    states = _states(ready, progress, label)
    anchors = _anchors(ready, states, remembered if team is None or team.first else None)
    training = loop.Training(
        loaded.model,
        ready.plan,
        folder,
        judge=None if judge is None else lambda: judge(loaded),
        team=team,
        anchors=anchors,
        states=states,
    )
    result = training.run(progress, label)
    _refuse_broken(loaded.model)
    if team is None or team.first:
        adapter.save(loaded.model, ready.spec, folder / "adapter")
    return _counts(ready.plan.rows, result)


def _states(ready: Prepared, progress: Progress, label: str) -> FrozenStates | None:
    """What the frozen layers give for all that the plan has, if there are any such layers."""
    model, plan = ready.loaded.model, ready.plan
    rows = [*plan.used.values(), *plan.anchors]
    named = f"{label}: frozen layers"
    return FrozenStates.of(model, Head(model), rows, progress, named, shares=plan.layout.shares)


def _anchors(
    ready: Prepared, states: FrozenStates | None, path: Path | None
) -> anchoring.Anchors | None:
    """The plan's anchors with what the base model gives there; None where there are none."""
    rows = ready.plan.anchors
    if not rows:
        return None
    mark = fingerprint([ready.loaded.stored.fingerprint, [[row.tokens, row.mask] for row in rows]])
    model, lies = ready.loaded.model, ready.plan.layout
    return anchoring.remembered(model, rows, path, mark, lies, states)


def _refuse_broken(model: nn.Module) -> None:
    """The loss of the last step was looked at before its update. Raises AugmlxError."""
    arrays: dict[str, mx.array] = dict(tree_flatten(model.trainable_parameters()))
    broken = [name for name, array in arrays.items() if not bool(mx.isfinite(array).all())]
    if broken:
        raise AugmlxError(
            f"after the last step {len(broken)} of {len(arrays)} trained matrices are not finite",
            hint="lower train.learning_rate",
        )


def _counts(rows: Sequence[Row], result: loop.TrainResult) -> Json:
    """What the manifest says of a training; of the rows of one example as one."""
    every = [example_id.parse(name) for name in {example_id.without_piece(row.id) for row in rows}]
    ids = [id_ for id_ in every if not id_.is_unknown]
    originals = sum(id_.is_original for id_ in ids)
    counts: Json = {
        "examples": len(ids),
        "originals": originals,
        "augmentations": len(ids) - originals,
    }
    counts |= {
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
        "padding": round(result.padding, 4),
    }
    if result.best is not None:
        counts["best"] = {"step": result.best.step, "loss": result.best.loss}
        if result.best.accuracy is not None:
            counts["best"]["accuracy"] = result.best.mean_accuracy
        if result.best.divergence is not None:
            counts["best"]["divergence"] = result.best.divergence
    if result.stopped:
        counts["stopped"] = True
    return counts
