"""A verification of what was exported, by the form that it has, and where its figures are kept."""

from __future__ import annotations

import dataclasses

from augmlx.core.files import write_text
from augmlx.core.run_folder import EXPORT_STAGES, RunFolder
from augmlx.exporting import mlx_reader
from augmlx.exporting import verify as verifying
from augmlx.exporting.card import with_proof
from augmlx.exporting.comparison import Verification, difference
from augmlx.exporting.export_folder import CARD
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.stage import Order, chat_template, modelfile_template, weight_type
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel


def verify(
    run: RunFolder, order: Order, base: StoredModel, trained_on: StoredModel
) -> Verification:
    """Compare what was exported as it was ordered with the run's adapter in MLX, on texts and
    questions of the run.

    Args:
        base: what both sides start from: of an adapter alone, a full-precision model.
        trained_on: the run's model, which is the base unless that is quantised.

    Raises ModelError where they differ, or something that is needed is missing.
    """
    if order.form in ("fused", "gguf"):
        return _verify_whole(run, order, trained_on)
    is_another = base.path != trained_on.path
    if is_another:
        verifying.require_same_chat(base, trained_on)
    material = verifying.material_of(run)
    record = mlx_reader.record(base, run.adapter, material)
    if order.form == "peft":
        verification = verifying.verify_peft(order.target, base.path, record)
    else:
        from augmlx.exporting import verify_gguf
        from augmlx.exporting.gguf_files import lora

        verify_gguf.require_modelfile(order.target, modelfile_template(trained_on))
        verification = verify_gguf.verify_gguf_lora(order.target / lora.FILE, base, record)
    if not is_another:
        return verification
    own = mlx_reader.record(trained_on, run.adapter, material)
    return _with_note(verification, difference(f"over {trained_on.name} itself", record, own))


def _verify_whole(run: RunFolder, order: Order, model: StoredModel) -> Verification:
    """Of a whole model. Its matrices are rounded on both sides; what that costs is noted."""
    material = verifying.material_of(run)
    kind = weight_type(FusedWeights(model, run.adapter, read_spec(run.adapter)), order)
    matrices_only = order.form == "gguf"
    record = mlx_reader.fused_record(
        model, run.adapter, material, weight_type=kind, matrices_only=matrices_only
    )
    template = chat_template(model)
    if order.form == "fused":
        verification = verifying.verify_fused(order.target, record, template)
    else:
        from augmlx.exporting import verify_gguf
        from augmlx.exporting.gguf_files import model as model_file

        verify_gguf.require_modelfile(order.target, modelfile_template(model))
        path = order.target / model_file.FILE
        verification = verify_gguf.verify_gguf(path, model, record, template)
    if kind == "f32":
        return verification
    exact = mlx_reader.record(model, run.adapter, material)
    return _with_note(verification, difference(f"rounding to {kind}", exact, record))


def _with_note(verification: Verification, note: str) -> Verification:
    return dataclasses.replace(verification, notes=(*verification.notes, note))


def record(run: RunFolder, order: Order, verification: Verification) -> None:
    """Write what a verification came to into the manifest and the card."""
    stage = EXPORT_STAGES[order.form]
    entry = run.manifest().get(stage, {})
    run.record(stage, {**entry, "verification": dataclasses.asdict(verification)})
    card = order.target / CARD
    row = f"Verified against MLX with {verification}."
    write_text(card, with_proof(card.read_text("utf-8"), row))
