"""Does what was exported say in transformers, with PEFT or without, what the adapter says in MLX?
Needs the [hf] extra.
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
LogitsArray = npt.NDArray[np.float32]  # (T, V)
Logits = Callable[[str], LogitsArray]  # of a text with T tokens

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_FAULTS = ("missing_keys", "unexpected_keys", "mismatched_keys")
_LONGEST = 2000  # characters of a prompt: a short piece of a long row is as good a test
_EACH = 8


@dataclass(frozen=True, slots=True)
class Verification:
    """How far PEFT and MLX are apart. `argmax_agreement` is the share (0..1) of positions with the
    same next token.
    """

    max_difference: float  # of logits, anywhere
    argmax_agreement: float
    positions: int
    prompts: int
    bound: float = BOUND
    mean_difference: float = 0.0
    reader: str = "PEFT"  # what was compared with MLX
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        share = f"{100 * self.argmax_agreement:.2f}".rstrip("0").rstrip(".")
        notes = "".join(f"; {note}" for note in self.notes)
        return (
            f"{self.reader}: greatest logit difference {self.max_difference:.1e} "
            f"(bound {self.bound:.0e}), mean {self.mean_difference:.1e}, "
            f"argmax agreement {share} % over {self.positions} positions of {self.prompts} "
            f"prompts{notes}"
        )


def run_prompts(run: RunFolder) -> list[str]:
    """Up to 8 of a run's facts and 8 of its augmentations, spread over the files, cut to 2,000
    characters.
    """
    prompts: list[str] = []
    for path in (run.facts, run.augmented):
        rows = read_jsonl(path) if path.exists() else []
        texts = [str(row.get("text", "")) for row in rows]
        usable = [text[:_LONGEST] for text in texts if text.strip()]
        distance = max(1, math.ceil(len(usable) / _EACH))
        prompts += usable[::distance]
    return prompts


def full_precision_base(base: StoredModel) -> StoredModel:
    """`base`, if transformers can read it. Raises ModelError for a quantised one."""
    if base.bits:
        raise ModelError(
            f"{base.name}: quantised to {base.bits} bits by MLX, which transformers cannot read",
            hint="give the full-precision original: --base-folder DIR",
        )
    return base


def mlx_logits(stored: StoredModel, adapter: Path | None) -> Logits:
    """text -> logits (T, V) of the model with its adapter in MLX, in float32 on a GPU as well as on
    a CPU.

    In bfloat16 the two sides would differ by about 0.1 whatever the adapter, and the bound would
    prove nothing.
    """
    import mlx.core as mx

    loaded = load(stored, adapter)
    if not loaded.config.get("quantization"):
        loaded.model.set_dtype(mx.float32)

    def logits(text: str) -> LogitsArray:
        tokens = mx.array([loaded.tokenizer.encode(text)])  # (1, T)
        batch_logits = loaded.model(tokens)  # (1, T, V)
        return np.array(batch_logits[0].astype(mx.float32))

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
    logits = logits_of(*_peft_model(peft_folder, base_folder))
    return compare(peft_folder, "PEFT", prompts, mlx_logits, logits, bound=bound)


def compare(
    place: Path,
    reader: str,
    prompts: Sequence[str],
    mlx_logits: Logits,
    logits: Logits,
    *,
    bound: float = BOUND,
) -> Verification:
    """Compare what `reader` makes of what was exported to `place` with MLX, at every position of
    every prompt.

    Raises ModelError where a difference is above the bound.
    """
    comparisons: list[_Comparison] = []
    for prompt in prompts:
        ours, theirs = mlx_logits(prompt), logits(prompt)
        if ours.shape != theirs.shape:
            raise _unlike(place, ours, theirs)
        if ours.size:
            comparisons.append(_compared(ours, theirs))
    if not comparisons:
        raise ModelError(
            "nothing to verify on: no prompt has a token", hint="check the run's facts.jsonl"
        )
    positions = sum(comparison.positions for comparison in comparisons)
    agreeing = sum(comparison.agreeing for comparison in comparisons)
    differences = [comparison.greatest for comparison in comparisons]
    # np.max keeps a NaN, unlike max().
    greatest = float(np.max(differences))
    mean = float(
        np.average(
            [comparison.mean for comparison in comparisons],
            weights=[comparison.positions for comparison in comparisons],
        )
    )
    verification = Verification(
        greatest, agreeing / positions, positions, len(comparisons), bound, mean, reader
    )
    if not greatest <= bound:
        raise ModelError(
            f"{place}: {reader} and MLX disagree: {verification}",
            hint="is it the base that the adapter was trained on? If so, please report this",
        )
    return verification


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Of one prompt: the greatest and the mean difference of a logit, and at how many of the
    positions both have the same next token.
    """

    greatest: float
    mean: float
    agreeing: int
    positions: int


def _compared(ours: LogitsArray, theirs: LogitsArray) -> _Comparison:
    """Compare logits (T, V) of one prompt."""
    differences = np.abs(ours - theirs)
    same_token = ours.argmax(-1) == theirs.argmax(-1)  # (T,)
    agreeing = int(same_token.sum())
    return _Comparison(float(differences.max()), float(differences.mean()), agreeing, len(ours))


def _unlike(base_folder: Path, ours: LogitsArray, theirs: LogitsArray) -> ModelError:
    return ModelError(
        f"{base_folder}: MLX gives logits of shape {ours.shape}, "
        f"transformers {theirs.shape} for one prompt",
        hint=(
            "the base folder must hold the model that the adapter was trained on, "
            "with its tokenizer"
        ),
    )


def logits_of(tokenizer: Any, model: Any) -> Logits:
    """text -> logits (T, V) of a model of transformers, float32 on the CPU."""
    import torch

    def logits(text: str) -> LogitsArray:
        tokens = torch.tensor([tokenizer.encode(text)])  # (1, T)
        with torch.inference_mode():
            batch_logits = model(input_ids=tokens).logits  # (1, T, V)
        result: LogitsArray = batch_logits[0].numpy()
        return result

    return logits


def _peft_model(peft_folder: Path, base_folder: Path) -> tuple[Any, Any]:
    """The base's tokenizer, and the base with the adapter in float32.

    Raises:
        ModelError: they cannot be loaded, or weights are missing or left over.
    """
    try:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise _missing(error) from error

    place = f"{base_folder} with {peft_folder}"
    with _readable(place), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tokenizer = AutoTokenizer.from_pretrained(base_folder, **_LOCAL)
        base = AutoModelForCausalLM.from_pretrained(
            base_folder, dtype=torch.float32, use_safetensors=True, **_LOCAL
        )
        model = PeftModel.from_pretrained(base, str(peft_folder)).eval()
    messages = [str(warning.message) for warning in caught]
    faults = [message for message in messages if "adapter keys" in message]
    if faults:
        raise ModelError(
            f"{peft_folder}: PEFT warns: {'; '.join(faults)[:500]}", hint="please report this"
        )
    return tokenizer, model


def transformers_model(folder: Path, **options: Any) -> Any:
    """A folder's model in transformers, in float32.

    Args:
        options: of from_pretrained.

    Raises:
        ModelError: it cannot be loaded, or weights are missing or left over.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise _missing(error) from error

    with _readable(str(folder)):
        model, info = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, **_LOCAL, **options
        )
    faults = {what: sorted(names) for what, names in info.items() if what in _FAULTS and names}
    if faults:
        raise ModelError(f"{folder}: transformers finds {faults}", hint="please report this")
    return model.eval()


def transformers_config(folder: Path) -> Any:
    """A folder's config in transformers. Raises ModelError."""
    try:
        from transformers import AutoConfig
    except ImportError as error:
        raise _missing(error) from error
    with _readable(str(folder)):
        return AutoConfig.from_pretrained(folder, **_LOCAL)


def transformers_tokenizer(folder: Path) -> Any:
    """A folder's tokenizer in transformers. Raises ModelError."""
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise _missing(error) from error
    with _readable(str(folder)):
        return AutoTokenizer.from_pretrained(folder, **_LOCAL)


@contextlib.contextmanager
def _readable(place: str) -> Iterator[None]:
    """Turn what transformers and PEFT raise over files into a ModelError that names `place`."""
    try:
        with _quiet():
            yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ModelError(
            f"{place}: transformers and PEFT cannot load it: {error}",
            hint="give a folder that transformers reads: --base-folder DIR",
        ) from error


def _missing(error: ImportError) -> ModelError:
    return ModelError(f"--verify needs {error.name or error}", hint="pip install 'augmlx[hf]'")


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
