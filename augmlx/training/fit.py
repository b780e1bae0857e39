"""One training from rows to adapter folder: load, attach, batch, train, save."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from augmlx.errors import ModelError
from augmlx.models import loading
from augmlx.models.store import StoredModel
from augmlx.progress import Progress
from augmlx.records import Json
from augmlx.settings import Settings
from augmlx.training import adapter, batches, loop


def fit(
    stored: StoredModel,
    rows: Sequence[Json],
    folder: Path,
    settings: Settings,
    *,
    identity: str,
    progress: Progress,
    label: str,
) -> Json:
    """Train on {"id", "text"} rows and write `folder`/adapter. Returns the counts for the manifest.

    Raises:
        BadInput: an example that is too long.
        BadSettings: a target or a number of layers that the model does not have.
        ModelError: the model has no size that the learning rate could be derived from.
    """
    loaded = loading.load(stored)
    config = settings.train
    spec = adapter.plan(loaded, config)
    tokenizer = loaded.tokenizer
    tokenised = [
        batches.text_row(row["id"], tokenizer.encode(row["text"]), tokenizer.eos_token_id, config.max_length)
        for row in rows
    ]
    hidden = loaded.config.get("hidden_size") or loaded.config.get("text_config", {}).get("hidden_size")
    if hidden is None and config.learning_rate == "auto":
        raise ModelError(f"{stored.name}: config.json names no hidden_size", hint="set train.learning_rate")
    adapter.attach(loaded.model, spec, settings.seed)
    result = loop.train(
        loaded.model,
        tokenised,
        folder,
        config,
        peak=loop.learning_rate(config, int(hidden or 1)),
        seed=settings.seed,
        identity=identity,
        progress=progress,
        label=label,
    )
    adapter.save(loaded.model, spec, folder / "adapter")
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # the adapter is whole: nothing is left to resume
    originals = sum(row["id"].endswith("/original") for row in rows)
    return {
        "examples": len(rows),
        "originals": originals,
        "augmentations": len(rows) - originals,
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
    }
