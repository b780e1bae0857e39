"""Loading a stored model with mlx-lm, offline and without running code that came with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from augmlx.core.errors import ModelError
from augmlx.models.formats.safetensors import Dtype
from augmlx.models.store.folder import StoredModel

if TYPE_CHECKING:
    from mlx.nn.layers.base import Module

# Llama's chat templates state the day; with the real one a run could not be repeated tomorrow.
TEMPLATE_DAY = "26 Jul 2024"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in evaluation mode, with mlx-lm's tokenizer wrapper and the model's config.json."""

    model: Module
    tokenizer: Any
    config: dict[str, Any]
    stored: StoredModel


def device() -> Literal["cpu", "gpu"]:
    """What MLX computes on."""
    import mlx.core as mx

    return "gpu" if mx.default_device().type == mx.DeviceType.gpu else "cpu"


def working_dtype() -> Dtype:
    """float32 on a CPU, where 16-bit matrix products are scalar and slow; bfloat16 on a GPU."""
    return "float32" if device() == "cpu" else "bfloat16"


_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, RuntimeError, ImportError)


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """Turn what mlx-lm raises over a model's files into a ModelError that names `place`."""
    from huggingface_hub.errors import (
        StrictDataclassError,
    )  # what transformers raises over a config.json

    try:
        yield
    except (*_UNREADABLE, StrictDataclassError) as error:
        raise ModelError(
            f"{place}: cannot be loaded: {error}", hint="see augmlx models, or pull it again"
        ) from error


def load_lazily(folder: Path) -> tuple[Module, dict[str, Any]]:
    """A model and its config, to be made into another one: weights are read when they are used, in
    their own type.

    Raises:
        ModelError: mlx-lm cannot read the model.
    """
    from mlx_lm import utils

    with _readable(str(folder)):
        model, config = utils.load_model(folder, lazy=True, trust_remote_code=False)
    return model, config


def tokenizer_of(stored: StoredModel) -> Any:
    """mlx-lm's tokenizer of a model, without its weights. Raises ModelError where there is none."""
    from mlx_lm import tokenizer_utils

    with _readable(str(stored.path)):
        return tokenizer_utils.load(stored.path, {"trust_remote_code": False})


def token_counter(stored: StoredModel) -> Callable[[str], int]:
    """How many tokens a text is to a model, without its weights. Raises ModelError where there is
    no tokenizer.
    """
    tokenizer = tokenizer_of(stored)
    return lambda text: len(tokenizer.encode(text))


def load(stored: StoredModel, adapter: Path | None = None) -> LoadedModel:
    """Load a model, with a LoRA adapter folder of mlx-lm's format over it if given.

    On a CPU, 16-bit weights that are not quantised are widened to float32.

    Raises:
        ModelError: mlx-lm cannot read the model or the adapter.
    """
    import mlx_lm

    with _readable(
        str(stored.path) if adapter is None else f"{stored.path} with adapter {adapter}"
    ):
        model, tokenizer, config = mlx_lm.load(
            str(stored.path),
            tokenizer_config={"trust_remote_code": False},
            adapter_path=None if adapter is None else str(adapter),
            return_config=True,
            trust_remote_code=False,
        )
    return _ready(LoadedModel(model=model, tokenizer=tokenizer, config=config, stored=stored))


def load_beside(loaded: LoadedModel, adapter: Path) -> LoadedModel:
    """The model that `load` gives under an adapter, over the arrays of the one without: they are in
    memory once, save for those that a full training changed. Neither tells in what the other
    computes.

    Raises ModelError as `load` does.
    """
    from mlx_lm.tuner.utils import load_adapters

    model, _ = load_lazily(loaded.stored.path)  # its own weights are never read
    model.update(loaded.model.parameters())
    with _readable(f"{loaded.stored.path} with adapter {adapter}"):
        load_adapters(model, str(adapter))
    return _ready(replace(loaded, model=model))


def _ready(loaded: LoadedModel) -> LoadedModel:
    """In evaluation mode and in the type that it computes in. All of it is read now: its files may
    change later.
    """
    import mlx.core as mx

    from augmlx.models.swiglu import quicken

    if device() == "cpu" and not loaded.config.get("quantization"):
        loaded.model.set_dtype(mx.float32)
    mx.eval(loaded.model.parameters())
    loaded.model.eval()
    quicken(loaded.model)
    return loaded
