"""Does what was exported say in another program what the adapter says in MLX? PEFT folders and
fused ones are read by transformers, which shares no code with the export.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from augmlx.core.errors import ModelError
from augmlx.core.files import read_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.exporting import transformers_reader
from augmlx.exporting.comparison import BOUND, Material, Record, Verification, compare
from augmlx.models.loading import tokenizer_of
from augmlx.models.store.folder import StoredModel

_LONGEST = 500  # characters of a text: a short piece of a long row is as good a test
_EACH = 8


def material_of(run: RunFolder) -> Material:
    """Up to 8 of a run's facts and 8 of its augmentations, and 8 of its questions, spread over the
    files, cut to 500 characters.
    """
    texts = [*_spread(run.facts, "text"), *_spread(run.augmented, "text")]
    return Material(texts, _spread(run.questions, "prompt"))


def _spread(path: Path, key: str) -> list[str]:
    rows = read_jsonl(path) if path.exists() else []
    texts = [str(row.get(key, "")) for row in rows]
    usable = [text[:_LONGEST] for text in texts if text.strip()]
    distance = max(1, math.ceil(len(usable) / _EACH))
    return usable[::distance]


def full_precision_base(base: StoredModel) -> StoredModel:
    """`base`, if transformers can read it. Raises ModelError for a quantised one."""
    if base.bits:
        raise ModelError(
            f"{base.name}: quantised to {base.bits} bits by MLX, which transformers cannot read",
            hint="give the full-precision original: --base-folder DIR",
        )
    return base


def verify_peft(
    peft_folder: Path,
    base_folder: Path,
    record: Record,
    *,
    bound: float = BOUND,
) -> Verification:
    """Compare PEFT with MLX at every position; the base and the adapter are read from local
    folders only.

    Args:
        peft_folder: as `export_peft` writes it.
        base_folder: the full-precision base in Hugging Face's form, with its tokenizer.
        record: what the same base and adapter say in MLX.
        bound: greatest absolute difference of a logit that passes.

    Raises:
        ModelError: torch, transformers or peft is missing; a folder cannot be loaded; PEFT finds
            weights missing or left over; a difference is above the bound.
    """
    tokenizer = transformers_reader.load_tokenizer(base_folder)
    model = transformers_reader.load_peft(peft_folder, base_folder)
    reader = transformers_reader.reader_of("PEFT", tokenizer, model)
    return compare(peft_folder, record, reader, bound=bound)


def verify_fused(folder: Path, record: Record, template: str | None) -> Verification:
    """Compare a fused folder, read by transformers, with what MLX says. Raises ModelError
    likewise.
    """
    tokenizer = transformers_reader.load_tokenizer(folder)
    require_template(folder, tokenizer.chat_template, template)
    model = transformers_reader.load_model(folder, use_safetensors=True)
    return compare(folder, record, transformers_reader.reader_of("transformers", tokenizer, model))


def require_template(place: Path, found: Any, wanted: str | None) -> None:
    """Raises ModelError where the chat template in `place` is not the one that was trained with."""
    if found != wanted:
        raise ModelError(
            f"{place}: its chat template is not the one that the model was trained with",
            hint="export it again",
        )


def require_same_chat(base: StoredModel, trained_on: StoredModel) -> None:
    """Raises ModelError where questions are put to the base otherwise than to the model that the
    adapter was trained on: its logits would be right, and its answers not.
    """
    frames = [ChatTemplate(tokenizer_of(stored)).frame() for stored in (base, trained_on)]
    if frames[0] != frames[1]:
        raise ModelError(
            f"{base.path}: its chat template puts a question otherwise than that of "
            f"{trained_on.name}, which the adapter was trained on",
            hint="give the original of that model: --base-folder DIR",
        )
