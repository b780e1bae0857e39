"""What transformers says, with PEFT or without, as the other side of a verification. Needs the [hf]
extra.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from augmlx.core.errors import ModelError
from augmlx.exporting.comparison import LogitsArray, Reader

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_FAULTS = ("missing_keys", "unexpected_keys", "mismatched_keys")


def reader_of(name: str, tokenizer: Any, model: Any) -> Reader:
    """A model of transformers, float32 on the CPU, behind its tokenizer."""
    import torch

    def encode(text: str, special: bool) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=special)
        return ids

    def logits(tokens: Sequence[int]) -> LogitsArray:
        with torch.inference_mode():
            batch_logits = model(input_ids=torch.tensor([tokens])).logits  # (1, T, V)
        result: LogitsArray = batch_logits[0].numpy()
        return result

    return Reader(name, encode, logits)


def load_peft(peft_folder: Path, base_folder: Path) -> Any:
    """The model in the base folder with the adapter in float32.

    Raises:
        ModelError: they cannot be loaded, or weights are missing or left over.
    """
    place = f"{base_folder} with {peft_folder}"
    with _readable(place), warnings.catch_warnings(record=True) as caught:
        from peft import PeftModel

        warnings.simplefilter("always")
        base = _load(base_folder, use_safetensors=True)
        model = PeftModel.from_pretrained(base, str(peft_folder)).eval()
    messages = [str(warning.message) for warning in caught]
    faults = [message for message in messages if "adapter keys" in message]
    if faults:
        raise ModelError(
            f"{peft_folder}: PEFT warns: {'; '.join(faults)[:500]}", hint="please report this"
        )
    return model


def load_model(folder: Path, **options: Any) -> Any:
    """A folder's model in float32.

    Args:
        options: of from_pretrained.

    Raises:
        ModelError: it cannot be loaded, or weights are missing or left over.
    """
    with _readable(str(folder)):
        model, info = _load(folder, output_loading_info=True, **options)
    faults = {what: sorted(names) for what, names in info.items() if what in _FAULTS and names}
    if faults:
        raise ModelError(f"{folder}: transformers finds {faults}", hint="please report this")
    return model.eval()


def load_config(folder: Path) -> Any:
    """A folder's config. Raises ModelError."""
    with _readable(str(folder)):
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(folder, **_LOCAL)


def load_tokenizer(folder: Path) -> Any:
    """A folder's tokenizer. Raises ModelError."""
    with _readable(str(folder)):
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, **_LOCAL)


def _load(folder: Path, **options: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **_LOCAL, **options)


@contextlib.contextmanager
def _readable(place: str) -> Iterator[None]:
    """Turn what transformers and PEFT raise over files into a ModelError that names `place`."""
    try:
        with _quiet():
            yield
    except ImportError as error:
        raise ModelError(
            f"--verify needs {error.name or error}", hint="pip install 'augmlx[hf]'"
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ModelError(
            f"{place}: transformers and PEFT cannot load it: {str(error)[:500]}",
            hint="give a folder that transformers reads: --base-folder DIR",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' own progress bars and advice off the user's terminal."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        # The bar over a GGUF file's tensors asks nobody.
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
