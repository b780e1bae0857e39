"""One training from rows to adapter folder: load, check, attach, train, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from augmlx.core import example_id
from augmlx.core.errors import AugmlxError, BadInput, BadSettings, ModelError
from augmlx.core.progress import Progress
from augmlx.core.records import AdapterSpec, Json, fingerprint
from augmlx.core.settings import Settings
from augmlx.models import loading
from augmlx.models.loading import LoadedModel
from augmlx.models.store.folder import StoredModel
from augmlx.training import adapter, batches, encoding, loop, optimizers, packing, trackers
from augmlx.training.team import Team


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that has been checked and can start. `peak` is the highest learning rate; `valid`
    is validated on.
    """

    loaded: LoadedModel
    spec: AdapterSpec
    rows: list[batches.Row]
    valid: list[batches.Row]
    settings: Settings
    peak: float


def prepare(
    stored: StoredModel, rows: Sequence[Json], settings: Settings, valid: Sequence[Json] = ()
) -> Prepared:
    """Load the model and check rows (see examples.py) and settings against it. Nothing is written.

    Raises:
        BadInput: no example, or one that is too long, has nothing to learn from or does not fit the
            model's chat template.
        BadSettings: a target or a number of layers that the model does not have, packing that it
            does not allow, a tracker that is not installed, or a best validation asked for where
            there is nothing to validate on.
        ModelError: the model cannot be loaded, or has no size that the learning rate could be
            derived from.
    """
    config = settings.train
    trackers.require_installed(config)
    if not rows:
        raise BadInput(
            "there are no examples to train on", hint="augment again: it deals out data/train.jsonl"
        )
    if config.best != "off" and not valid:
        hint = "hold some out: --set split.valid=0.1, and augment again; or train.best = off"
        raise BadSettings(
            f'train.best = "{config.best}": there are no validation examples', hint=hint
        )
    if config.validate_every and not valid:
        hint = (
            "hold some out: --set split.valid=0.1, and augment again; or train.validate_every = 0"
        )
        raise BadSettings("train.validate_every: there are no validation examples", hint=hint)
    loaded = loading.load(stored)
    if config.packing == "always" and (reason := packing.why_not(loaded.model)):
        fault = f"train.packing: always, and this model's examples cannot be packed: {reason}"
        raise BadSettings(fault, hint="leave it at auto")
    spec = adapter.plan(loaded, config)
    tokenised = [
        [made for row in part for made in encoding.rows_of(row, loaded.tokenizer, config)]
        for part in (rows, valid)
    ]
    hidden = loaded.config.get("hidden_size") or loaded.config.get("text_config", {}).get(
        "hidden_size"
    )
    if hidden is None and config.learning_rate == "auto":
        raise ModelError(
            f"{stored.name}: config.json names no hidden_size", hint="set train.learning_rate"
        )
    peak = optimizers.learning_rate(config, int(hidden or 1))
    return Prepared(loaded, spec, tokenised[0], tokenised[1], settings, peak)


def for_steps(ready: Prepared, steps: int) -> Prepared:
    """The same training for as many whole epochs as come nearest to a number of steps."""
    train = ready.settings.train
    epochs = max(1, round(steps / train.steps_per_epoch(len(ready.rows))))
    longer = train.model_copy(update={"epochs": epochs})
    return replace(ready, settings=ready.settings.model_copy(update={"train": longer}))


def _refuse_broken(model: nn.Module) -> None:
    """The loss of the last step was looked at before its update. Raises AugmlxError."""
    arrays: dict[str, mx.array] = dict(tree_flatten(model.trainable_parameters()))
    if broken := [name for name, array in arrays.items() if not bool(mx.isfinite(array).all())]:
        fault = (
            f"after the last step {len(broken)} of {len(arrays)} trained matrices are not finite"
        )
        raise AugmlxError(fault, hint="lower train.learning_rate")


def identity_of(stored: StoredModel, rows: Sequence[Json], settings: Settings) -> str:
    """What tells a training from others: its data, its settings and its base."""
    judged = (
        [settings.eval.choices, settings.eval.score] if settings.train.best == "accuracy" else []
    )
    return fingerprint([rows, settings.train.learnt, settings.seed, stored.fingerprint, *judged])


def fit(
    ready: Prepared,
    folder: Path,
    *,
    identity: str,
    progress: Progress,
    label: str,
    judge: Callable[[LoadedModel], Mapping[str, float]] | None = None,
    team: Team | None = None,
) -> Json:
    """Train and write `folder`/adapter; goes on from `folder`/checkpoints. Returns the counts for
    the manifest. The checkpoints are the caller's to clear, once these are on record: a kill before
    would cost the whole training.

    `judge` answers held-out questions with the model as it stands, at each validation. Of a `team`,
    only the first process writes.
    """
    model, settings = ready.loaded.model, ready.settings
    adapter.attach(model, ready.spec, settings.seed)
    training = loop.Training(
        model,
        ready.rows,
        folder,
        settings.train,
        peak=ready.peak,
        seed=settings.seed,
        identity=identity,
        valid=ready.valid,
        judge=None if judge is None else lambda: judge(ready.loaded),
        team=team,
    )
    result = training.run(progress, label)
    _refuse_broken(model)
    if team is None or team.first:
        adapter.save(model, ready.spec, folder / "adapter")
    names = {example_id.without_piece(row.id) for row in ready.rows}
    ids = [example_id.parse(name) for name in names]
    originals, replay = sum(i.is_original for i in ids), sum(i.is_replay for i in ids)
    counts: Json = {
        "examples": len(names),
        "originals": originals,
        "augmentations": len(names) - originals - replay,
        **({"replay": replay} if replay else {}),
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
        "padding": round(result.padding, 4),
    }
    if best := result.best:
        counts["best"] = {"step": best.step, "loss": best.loss}
        if best.accuracy is not None:
            counts["best"]["accuracy"] = best.mean_accuracy
    return counts | ({"stopped": True} if result.stopped else {})
