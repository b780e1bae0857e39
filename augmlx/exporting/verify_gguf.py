"""Does a GGUF file, of a whole model or of an adapter, say what the adapter says in MLX?

transformers reads the tensors, which shares no code with the export. A vocabulary it would read
several times over, and slowly: that is compared apart, and left out of the copy that it reads.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from augmlx.core.errors import ModelError
from augmlx.exporting import transformers_reader
from augmlx.exporting.comparison import Reader, Record, Verification, compare
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files import keys, lora, modelfile
from augmlx.exporting.gguf_files import model as model_file
from augmlx.exporting.gguf_files.model import begin_tensors, declare, write_values
from augmlx.exporting.trained_matrices import Array
from augmlx.exporting.verify import require_template
from augmlx.models.formats import gguf_config, gguf_file, gguf_tokenizer, model_folder
from augmlx.models.formats.gguf_file import GgufFile
from augmlx.models.store.folder import StoredModel

# Keys of config.json that are compared elsewhere, or say nothing of what is computed.
_OTHERWISE = frozenset(
    """architectures model_type dtype torch_dtype rope_scaling rope_theta partial_rotary_factor
    bos_token_id eos_token_id pad_token_id""".split()
)
_WHOLE = "llama"  # of which transformers reads every key
_VOCABULARY = ("tokens", "token_type", "scores", "merges")


def verify_gguf(
    path: Path, base: StoredModel, record: Record, template: str | None
) -> Verification:
    """Compare a GGUF file's tensors, tokenizer, chat template and settings.

    Raises ModelError where a logit is further away than the bound, a text is cut into other tokens,
    or the file says of the model what its config does not.
    """
    file = gguf_file.read(path)
    require_template(path, file.metadata.get("tokenizer.chat_template"), template)
    tokenizer, _ = gguf_tokenizer.build(path, file.metadata)
    _require_config(file, base)
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / model_file.FILE
        _write_without_vocabulary(file, copy, lambda _, array: array)
        reader = _read_by_transformers("transformers' own reading of GGUF", copy, base)

    def encode(text: str, special: bool) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=special).ids)

    return compare(path, record, dataclasses.replace(reader, encode=encode))


def verify_gguf_lora(path: Path, base: StoredModel, record: Record) -> Verification:
    """Compare a GGUF adapter: it is added to the base's GGUF tensors as llama.cpp adds it,
    W + alpha / rank * B A, and transformers reads the sum.

    Raises ModelError likewise.
    """
    with tempfile.TemporaryDirectory() as work:
        whole = Path(work) / model_file.FILE
        model_file.write_model(FusedWeights(base), whole, "the base model", "f32", None)
        merged = Path(work) / lora.FILE
        _merge(gguf_file.read(whole), gguf_file.read(path), merged)
        whole.unlink()
        reader = _read_by_transformers("the GGUF reader, adding it", merged, base)
    return compare(path, record, reader)


def require_modelfile(folder: Path, wanted: str) -> None:
    """Raises ModelError where the Modelfile would have Ollama ask the model otherwise than it was
    trained: it goes before the template that a GGUF file has.

    Args:
        wanted: the line that says how it is asked.
    """
    path = folder / modelfile.FILE
    text = path.read_text("utf-8") if path.is_file() else ""
    if f"\n{wanted}\n" not in text or text.count("TEMPLATE") != wanted.count("TEMPLATE"):
        raise ModelError(
            f"{path}: does not have the chat template that the model was trained with",
            hint="export it again",
        )


def _read_by_transformers(name: str, path: Path, base: StoredModel) -> Reader:
    """A GGUF file's weights, read by transformers: of a llama by the file's own keys, of the others
    into its model of the base's config, for their keys it reads in part alone. The tokenizer is the
    base's.
    """
    kind = keys.kind_of(model_folder.read_config(base.path), base.name)
    options: dict[str, Any] = {}
    if kind.architecture != _WHOLE:
        options["config"] = transformers_reader.load_config(base.path)
    model = transformers_reader.load_model(path.parent, gguf_file=path.name, **options)
    tokenizer = transformers_reader.load_tokenizer(base.path)
    return transformers_reader.reader_of(name, tokenizer, model)


def _require_config(file: GgufFile, base: StoredModel) -> None:
    """Raises ModelError where the file says of the model what the model's config does not."""
    config = model_folder.read_config(base.path)
    said = gguf_config.build(file, "float32")
    ours, theirs = keys.rotary_settings(config), keys.rotary_settings(said)
    strange = [key for key in ours if key in theirs and not _alike(ours[key], theirs[key])]
    both = [key for key in said if key in config and key not in _OTHERWISE]
    strange += [key for key in both if not _alike(config[key], said[key])]
    if strange:
        raise ModelError(
            f"{file.path}: says of {', '.join(strange)} what the model's config does not",
            hint="please report this",
        )


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.isclose(float(one or 0), float(other or 0), rtol=1e-6))
    return (one or None) == (other or None)


def _merge(base: GgufFile, adapter: GgufFile, merged: Path) -> None:
    """Write the GGUF file `merged`: the tensors of `base`, in float32, with those of `adapter`
    added. Raises ModelError where they do not fit.
    """
    if adapter.architecture != base.architecture:
        raise ModelError(
            f"{adapter.path}: is an adapter of {adapter.architecture}, not of the model"
        )
    alpha = float(adapter.metadata[gguf.Keys.Adapter.LORA_ALPHA])
    parts = {name: adapter.array(name) for name in adapter.tensors}
    strange = {name.rpartition(".lora_")[0] for name in parts} - set(base.tensors)
    if strange:
        raise ModelError(f"{adapter.path}: the model has no {', '.join(sorted(strange)[:8])}")
    _write_without_vocabulary(
        base, merged, lambda name, array: _with_lora(name, array, parts, alpha)
    )


def _write_without_vocabulary(
    file: GgufFile, target: Path, change: Callable[[str, Array], Array]
) -> None:
    """The file again with what `change` makes of each tensor's numbers, in their own type."""
    names = {f"tokenizer.ggml.{name}" for name in _VOCABULARY}
    left_out = {"general.architecture", *names}
    writer = gguf.GGUFWriter(target, file.architecture)
    values = file.metadata.items()
    write_values(writer, {key: value for key, value in values if _is_kept(key, left_out)})
    for name, tensor in file.tensors.items():
        declare(writer, name, file.shape(name), tensor.tensor_type)
    begin_tensors(writer)
    for name, tensor in file.tensors.items():
        writer.write_tensor_data(change(name, np.asarray(tensor.data)))
    writer.close()


def _is_kept(key: str, left_out: set[str]) -> bool:
    return key not in left_out and not key.startswith("GGUF.")


def _with_lora(name: str, array: Array, parts: Mapping[str, Array], alpha: float) -> Array:
    """W + alpha / r * B A, from A (r, in) and B (out, r); W where it has none."""
    lora_a, lora_b = parts.get(f"{name}.lora_a"), parts.get(f"{name}.lora_b")
    if lora_a is None or lora_b is None:
        return array
    if array.shape != (len(lora_b), lora_a.shape[1]):
        raise ModelError(f"{name}: A {lora_a.shape} and B {lora_b.shape} do not fit {array.shape}")
    change = lora_b.astype(np.float64) @ lora_a.astype(np.float64)
    return np.asarray(array + alpha / len(lora_a) * change, dtype=np.float32)
