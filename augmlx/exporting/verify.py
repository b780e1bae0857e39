"""Does the exported adapter say in transformers + PEFT what it says in MLX? Needs the [hf]
extra.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError
from augmlx.core.files import read_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.models.loading import load
from augmlx.models.store.folder import StoredModel

BOUND = 1e-3  # both sides compute in float32; sums in another order differ by about 1e-4
Logits = Callable[[str], npt.NDArray[np.float32]]

_LONGEST = 2000  # characters of a prompt: a short piece of a long row is as good a test
_EACH = 8


@dataclass(frozen=True, slots=True)
class Verification:
    """What the comparison found. `argmax_agreement` is the share of positions with the same next
    token.
    """

    max_difference: float  # of logits, anywhere
    argmax_agreement: float
    positions: int
    prompts: int
    bound: float = BOUND

    def __str__(self) -> str:
        share = f"{100 * self.argmax_agreement:.2f}".rstrip("0").rstrip(".")
        return (
            f"greatest logit difference {self.max_difference:.1e} (bound {self.bound:.0e}), "
            f"argmax agreement {share} % "
            f"over {self.positions} positions of {self.prompts} prompts"
        )


def run_prompts(run: RunFolder) -> list[str]:
    """Up to 8 of a run's facts and 8 of its augmentations, spread over the files, cut to 2,000
    characters.
    """
    prompts: list[str] = []
    for path in (run.facts, run.augmented):
        texts = [str(row.get("text", "")) for row in read_jsonl(path)] if path.exists() else []
        texts = [text[:_LONGEST] for text in texts if text.strip()]
        prompts += texts[:: max(1, math.ceil(len(texts) / _EACH))]
    return prompts


def full_precision_base(base: StoredModel) -> StoredModel:
    """`base`, if transformers can read it. Raises ModelError for a quantised one."""
    if base.bits:
        raise ModelError(
            f"{base.name}: quantised to {base.bits} bits by MLX, which transformers cannot read",
            hint="give the full-precision original: --base-folder DIR",
        )
    return base


def mlx_logits(stored: StoredModel, adapter: Path) -> Logits:
    """text -> logits (T, V) of the model with its adapter in MLX, in float32 on a GPU as well as on
    a CPU.

    In bfloat16 the two sides would differ by about 0.1 whatever the adapter, and the bound would
    prove nothing.
    """
    import mlx.core as mx

    loaded = load(stored, adapter)
    if not loaded.config.get("quantization"):
        loaded.model.set_dtype(mx.float32)

    def logits(text: str) -> npt.NDArray[np.float32]:
        tokens = mx.array([loaded.tokenizer.encode(text)])  # (1, T)
        return np.array(loaded.model(tokens)[0].astype(mx.float32))

    return logits


def verify_peft(
    peft_folder: Path,
    base_folder: Path,
    prompts: Sequence[str],
    mlx_logits: Logits,
    *,
    bound: float = BOUND,
) -> Verification:
    """Compare logits at every position of every prompt; the base and the adapter are read from
    local folders only.

    Args:
        peft_folder: as `export_peft` writes it.
        base_folder: the full-precision base in Hugging Face's form, with its tokenizer.
        prompts: real texts, such as the run's facts.
        mlx_logits: text -> logits (T, V) of the same base and adapter in MLX.
        bound: greatest absolute difference of a logit that passes.

    Raises:
        ModelError: torch, transformers or peft is missing; a folder cannot be loaded; PEFT finds
            weights missing or left over; a difference is above the bound.
    """
    logits = _peft_logits(peft_folder, base_folder)
    greatest, agreeing, positions, used = 0.0, 0, 0, 0
    for prompt in prompts:
        ours, theirs = mlx_logits(prompt), logits(prompt)
        if ours.shape != theirs.shape:
            raise ModelError(
                f"{base_folder}: MLX gives logits of shape {ours.shape}, transformers "
                f"{theirs.shape} for one prompt",
                hint=(
                    "the base folder must hold the model that the adapter was trained on, with "
                    "its tokenizer"
                ),
            )
        if not ours.size:
            continue
        greatest = float(
            np.maximum(greatest, np.abs(ours - theirs).max())
        )  # keeps a NaN, unlike max()
        agreeing += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
        positions, used = positions + len(ours), used + 1
    if not positions:
        raise ModelError(
            "nothing to verify on: no prompt has a token", hint="check the run's facts.jsonl"
        )
    found = Verification(greatest, agreeing / positions, positions, used, bound)
    if not greatest <= bound:
        raise ModelError(
            f"{peft_folder}: PEFT and MLX disagree: {found}",
            hint="is it the base that the adapter was trained on? If so, please report this",
        )
    return found


def _peft_logits(peft_folder: Path, base_folder: Path) -> Logits:
    """text -> logits (T, V) of base and adapter in transformers + PEFT, float32 on the CPU."""
    try:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(
            f"--verify needs {error.name or error}", hint="pip install 'augmlx[hf]'"
        ) from error

    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with _quiet(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            tokenizer = AutoTokenizer.from_pretrained(base_folder, **local)
            base = AutoModelForCausalLM.from_pretrained(
                base_folder, dtype=torch.float32, use_safetensors=True, **local
            )
            model = PeftModel.from_pretrained(base, str(peft_folder)).eval()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ModelError(
            f"{base_folder} with {peft_folder}: transformers and PEFT cannot load it: {error}",
            hint="give a folder that transformers reads: --base-folder DIR",
        ) from error
    if faults := [
        str(warning.message) for warning in caught if "adapter keys" in str(warning.message)
    ]:
        raise ModelError(
            f"{peft_folder}: PEFT warns: {'; '.join(faults)[:500]}", hint="please report this"
        )

    def logits(text: str) -> npt.NDArray[np.float32]:
        tokens = torch.tensor([tokenizer.encode(text)])  # (1, T)
        with torch.inference_mode():
            result: npt.NDArray[np.float32] = model(input_ids=tokens).logits[0].numpy()  # (T, V)
        return result

    return logits


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' own progress bars and advice off the user's terminal."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
