"""One training from rows to adapter folder: load, check, attach, train, save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.errors import ModelError
from augmlx.models import loading
from augmlx.models.loading import LoadedModel
from augmlx.models.store import StoredModel
from augmlx.progress import Progress
from augmlx.records import AdapterSpec, Json
from augmlx.settings import Settings
from augmlx.training import adapter, batches, checkpoint, examples, loop


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that has been checked and can start. `peak` is the highest learning rate."""

    loaded: LoadedModel
    spec: AdapterSpec
    rows: list[batches.Row]
    settings: Settings
    peak: float


def prepare(stored: StoredModel, rows: Sequence[Json], settings: Settings) -> Prepared:
    """Load the model and check rows (see examples.py) and settings against it. Nothing is written.

    Raises:
        BadInput: an example that is too long, has nothing to learn from or does not fit the model's chat template.
        BadSettings: a target or a number of layers that the model does not have.
        ModelError: the model cannot be loaded, or has no size that the learning rate could be derived from.
    """
    loaded = loading.load(stored)
    config, tokenizer = settings.train, loaded.tokenizer
    spec = adapter.plan(loaded, config)
    tokenised = [examples.row_of(row, tokenizer, config.max_length) for row in rows]
    hidden = loaded.config.get("hidden_size") or loaded.config.get("text_config", {}).get("hidden_size")
    if hidden is None and config.learning_rate == "auto":
        raise ModelError(f"{stored.name}: config.json names no hidden_size", hint="set train.learning_rate")
    return Prepared(loaded, spec, tokenised, settings, loop.learning_rate(config, int(hidden or 1)))


def fit(ready: Prepared, folder: Path, *, identity: str, progress: Progress, label: str) -> Json:
    """Train and write `folder`/adapter; goes on from `folder`/checkpoints. Returns the counts for the manifest."""
    model = ready.loaded.model
    adapter.attach(model, ready.spec, ready.settings.seed)
    result = loop.train(
        model,
        ready.rows,
        folder,
        ready.settings.train,
        peak=ready.peak,
        seed=ready.settings.seed,
        identity=identity,
        progress=progress,
        label=label,
    )
    adapter.save(model, ready.spec, folder / "adapter")
    checkpoint.clear(folder / "checkpoints")  # the adapter is whole: nothing is left to resume
    originals = sum(row.id.endswith("/original") for row in ready.rows)
    return {
        "examples": len(ready.rows),
        "originals": originals,
        "augmentations": len(ready.rows) - originals,
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
    }
