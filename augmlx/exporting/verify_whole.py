"""Does a fused folder, or a GGUF file, say in transformers what model and adapter say in MLX?

The other side shares no code with the export: mlx-lm's own `fuse` works the adapter in, and
transformers reads the files, of GGUF too. Numbers of fewer bits are rounded on both sides, so that
the bound is as tight as for float32; what rounding costs is measured besides.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from augmlx.core.errors import ModelError, storage_errors
from augmlx.exporting import verify
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files import keys
from augmlx.exporting.gguf_files import model as model_file
from augmlx.exporting.gguf_files.model import begin_tensors, declare
from augmlx.exporting.trained_matrices import Array
from augmlx.exporting.verify import Logits, LogitsArray, Verification
from augmlx.models.formats import gguf_config, gguf_file, gguf_tokenizer, model_folder
from augmlx.models.loading import load
from augmlx.models.store.folder import StoredModel

# Keys of config.json that are compared elsewhere, or say nothing of what is computed.
_OTHERWISE = frozenset(
    """architectures model_type dtype torch_dtype rope_scaling rope_theta partial_rotary_factor
    bos_token_id eos_token_id pad_token_id""".split()
)
_WHOLE = "llama"  # of which transformers reads every key
_F32 = gguf.GGMLQuantizationType.F32
_KINDS = {
    "f32": _F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "bf16": gguf.GGMLQuantizationType.BF16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
}


def fused_logits(
    stored: StoredModel, adapter: Path, weight_type: str = "f32", *, matrices_only: bool = True
) -> Logits:
    """text -> logits (T, V) in MLX of the model with the adapter worked in by mlx-lm's own code,
    its matrices rounded to `weight_type`, and all else unless `matrices_only`; computed in float32.
    """
    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_unflatten

    loaded = load(stored, adapter)
    model = loaded.model
    if not loaded.config.get("quantization"):
        model.set_dtype(mx.float32)
    fused = [
        (name, module.fuse(dequantize=True))
        for name, module in model.named_modules()
        if hasattr(module, "fuse")
    ]
    model.update_modules(tree_unflatten(fused))
    kind = _KINDS[weight_type]
    if kind != _F32:
        arrays: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
        rounded = [
            (name, mx.array(_rounded(np.array(array.astype(mx.float32)), kind)))
            for name, array in arrays.items()
            if array.ndim == 2 or not matrices_only
        ]
        model.update(tree_unflatten(rounded))

    def logits(text: str) -> LogitsArray:
        tokens = mx.array([loaded.tokenizer.encode(text)])  # (1, T)
        return np.array(model(tokens)[0].astype(mx.float32))

    return logits


def _rounded(array: Array, kind: gguf.GGMLQuantizationType) -> Array:
    """A matrix in a type and back in float32."""
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    if array.shape[-1] % block:
        kind = gguf.GGMLQuantizationType.F16
    data = gguf.quants.quantize(array, kind)
    return np.asarray(gguf.quants.dequantize(data, kind), dtype=np.float32)


def verify_fused(
    folder: Path, prompts: Sequence[str], mlx: Logits, template: str | None
) -> Verification:
    """Compare a fused folder, read by transformers, with `mlx`, at every position of every prompt.

    Raises ModelError where a logit is further away than the bound, or the chat template is not the
    one that was trained with.
    """
    tokenizer = verify.transformers_tokenizer(folder)
    _require_template(folder, tokenizer.chat_template, template)
    model = verify.transformers_model(folder, use_safetensors=True)
    logits = verify.logits_of(tokenizer, model)
    return verify.compare(folder, "transformers", prompts, mlx, logits)


def verify_gguf(
    path: Path, base: StoredModel, prompts: Sequence[str], mlx: Logits, template: str | None
) -> Verification:
    """Compare a GGUF file, read by transformers, with `mlx`; and its tokenizer, which says nothing
    in logits, with the model's.

    Raises ModelError likewise.
    """
    with storage_errors(path):
        reader = gguf.GGUFReader(path)
    metadata = {name: field.contents() for name, field in reader.fields.items()}
    _require_template(path, metadata.get("tokenizer.chat_template"), template)
    tokenizer = verify.transformers_tokenizer(base.path)
    read, _ = gguf_tokenizer.build(path, metadata)
    for prompt in prompts:
        if read.encode(prompt).ids != tokenizer.encode(prompt):
            raise ModelError(f"{path}: its tokenizer cuts texts otherwise than the model's")
    _require_config(path, base)
    model = _read_by_transformers(path, base)
    logits = verify.logits_of(tokenizer, model)
    return verify.compare(path, "transformers' own reading of GGUF", prompts, mlx, logits)


def verify_gguf_lora(
    path: Path, base: StoredModel, prompts: Sequence[str], mlx: Logits
) -> Verification:
    """Compare a GGUF adapter with `mlx`: it is added to the base's GGUF tensors as llama.cpp adds
    it, W + alpha / rank * B A, and transformers reads the sum.

    Raises ModelError likewise.
    """
    with tempfile.TemporaryDirectory() as work:
        whole = Path(work) / model_file.FILE
        model_file.write_model(FusedWeights(base), whole, "the base model", "f32", None)
        merged = Path(work) / "merged" / model_file.FILE
        merged.parent.mkdir()
        _merge(whole, path, merged)
        whole.unlink()
        model = _read_by_transformers(merged, base)
    logits = verify.logits_of(verify.transformers_tokenizer(base.path), model)
    return verify.compare(path, "the GGUF reader, adding it", prompts, mlx, logits)


def _read_by_transformers(path: Path, base: StoredModel) -> Any:
    """A GGUF file's weights, read by transformers: of a llama by the file's own keys, of the others
    into its model of the base's config, for their keys it reads in part alone.
    """
    kind = keys.kind_of(model_folder.read_config(base.path), base.name)
    if kind.architecture == _WHOLE:
        return verify.transformers_model(path.parent, gguf_file=path.name)
    config = verify.transformers_config(base.path)
    return verify.transformers_model(path.parent, gguf_file=path.name, config=config)


def _require_config(path: Path, base: StoredModel) -> None:
    """Raises ModelError where the file says of the model what the model's config does not."""
    config = model_folder.read_config(base.path)
    said = gguf_config.build(gguf_file.read(path), "float32")
    ours, theirs = keys.rotary_settings(config), keys.rotary_settings(said)
    strange = [key for key in ours if key in theirs and not _alike(ours[key], theirs[key])]
    both = [key for key in said if key in config and key not in _OTHERWISE]
    strange += [key for key in both if not _alike(config[key], said[key])]
    if strange:
        raise ModelError(f"{path}: says of {', '.join(strange)} what the model's config does not")


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.isclose(float(one or 0), float(other or 0), rtol=1e-6))
    return (one or None) == (other or None)


def _merge(base: Path, adapter: Path, merged: Path) -> None:
    """Write the GGUF file `merged`: the tensors of `base` with those of `adapter` added."""
    reader, added = gguf.GGUFReader(base), gguf.GGUFReader(adapter)
    alpha = float(added.fields[gguf.Keys.Adapter.LORA_ALPHA].contents())
    parts = {tensor.name: np.asarray(tensor.data) for tensor in added.tensors}
    architecture = added.fields[gguf.Keys.General.ARCHITECTURE].contents()
    if architecture != reader.fields[gguf.Keys.General.ARCHITECTURE].contents():
        raise ModelError(f"{adapter}: is an adapter of {architecture}, not of the model")
    names = {tensor.name for tensor in reader.tensors}
    strange = {name.rpartition(".lora_")[0] for name in parts} - names
    if strange:
        raise ModelError(f"{adapter}: the model has no {', '.join(sorted(strange)[:8])}")
    writer = gguf.GGUFWriter(merged, architecture)
    for field in reader.fields.values():
        if not field.name.startswith(("GGUF.", gguf.Keys.General.ARCHITECTURE)):
            kind, *inner = field.types
            writer.add_key_value(
                field.name, field.contents(), kind, sub_type=inner[-1] if inner else None
            )
    arrays = {tensor.name: np.asarray(tensor.data) for tensor in reader.tensors}
    for name, array in arrays.items():
        declare(writer, name, array.shape, _F32)
    begin_tensors(writer)
    for name, array in arrays.items():
        writer.write_tensor_data(_with_lora(name, array, parts, alpha))
    writer.close()


def _with_lora(name: str, array: Array, parts: Mapping[str, Array], alpha: float) -> Array:
    """W + alpha / r * B A, from A (r, in) and B (out, r); W where it has none."""
    lora_a, lora_b = parts.get(f"{name}.lora_a"), parts.get(f"{name}.lora_b")
    if lora_a is None or lora_b is None:
        return array
    if array.shape != (len(lora_b), lora_a.shape[1]):
        raise ModelError(f"{name}: A {lora_a.shape} and B {lora_b.shape} do not fit {array.shape}")
    change = lora_b.astype(np.float64) @ lora_a.astype(np.float64)
    return np.asarray(array + alpha / len(lora_a) * change, dtype=np.float32)


def rounding(
    verification: Verification, prompts: Sequence[str], exact: Logits, rounded: Logits, kind: str
) -> Verification:
    """The verification, with what rounding to a type costs beside the adapter itself."""
    if kind == "f32":
        return verification
    free = verify.compare(Path(kind), kind, prompts, exact, rounded, bound=float("inf"))
    note = (
        f"rounding to {kind}: greatest logit difference {free.max_difference:.1e}, "
        f"argmax agreement {100 * free.argmax_agreement:.4g} %"
    )
    return dataclasses.replace(verification, notes=(*verification.notes, note))


def _require_template(place: Path, found: Any, wanted: str | None) -> None:
    if found != wanted:
        raise ModelError(
            f"{place}: its chat template is not the one that the model was trained with",
            hint="export it again",
        )
