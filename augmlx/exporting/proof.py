"""A verification of what was exported, by the form that it has, and where its figures are kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from augmlx.core.files import write_text
from augmlx.core.run_folder import EXPORT_STAGES, RunFolder
from augmlx.exporting import verify as comparing
from augmlx.exporting.card import Form, with_proof
from augmlx.exporting.export_folder import CARD
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.stage import Order, WeightType, chat_template
from augmlx.exporting.stage import weight_type as type_of
from augmlx.exporting.verify import Verification
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel


def verify(
    run: RunFolder,
    target: Path,
    form: Form,
    weight_type: WeightType | None,
    base: StoredModel,
) -> Verification:
    """Compare what was exported to `target` with the run's adapter in MLX, on texts of the run.

    Args:
        weight_type: as it was ordered.
        base: the full-precision model that both sides start from; of a whole model, the one that
            was exported.

    Raises ModelError where they differ, or something that is needed is missing.
    """
    prompts = comparing.run_prompts(run)
    exact = comparing.mlx_logits(base, run.adapter)
    if form == "peft":
        return comparing.verify_peft(target, base.path, prompts, exact)

    from augmlx.exporting import verify_whole
    from augmlx.exporting.gguf_files import lora, model

    if form == "gguf-lora":
        return verify_whole.verify_gguf_lora(target / lora.FILE, base, prompts, exact)
    weights = FusedWeights(base, run.adapter, read_spec(run.adapter))
    kind = type_of(weights, Order(form, target, weight_type=weight_type))
    rounded = verify_whole.fused_logits(base, run.adapter, kind, matrices_only=form == "gguf")
    template = chat_template(base)
    if form == "fused":
        found = verify_whole.verify_fused(target, prompts, rounded, template)
    else:
        path = target / model.FILE
        found = verify_whole.verify_gguf(path, base, prompts, rounded, template)
    return verify_whole.rounding(found, prompts, exact, rounded, kind)


def record(run: RunFolder, target: Path, form: Form, verification: Verification) -> None:
    """Write what a verification came to into the manifest and the card."""
    stage = EXPORT_STAGES[form]
    entry = run.manifest().get(stage, {})
    run.record(stage, {**entry, "verification": dataclasses.asdict(verification)})
    card = target / CARD
    row = f"Verified against MLX with {verification}."
    write_text(card, with_proof(card.read_text("utf-8"), row))
