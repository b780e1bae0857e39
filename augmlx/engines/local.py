"""The engine of a stored model, made when it is needed: nothing here loads mlx by being
imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from augmlx.core.records import fingerprint
from augmlx.engines.protocol import Engine
from augmlx.models.formats.adapter_folder import adapter_fingerprint
from augmlx.models.loading import LoadedModel
from augmlx.models.store.folder import StoredModel, find

if TYPE_CHECKING:
    from augmlx.engines.mlx.engine import MlxEngine


@dataclass(frozen=True, slots=True)
class MlxEngines:
    """Makes MLX engines of a stored model; `width` rows are decoded together."""

    model: StoredModel
    width: int

    def __call__(self, adapter: Path | None) -> MlxEngine:
        """The engine of the model, under an adapter folder if one is given."""
        return mlx_engine(self.model, adapter, width=self.width)


def open_engine(model: str | Path, adapter: Path | None = None) -> MlxEngine:
    """An engine to ask by oneself.

    Args:
        model: a name in the store, or a model folder.
        adapter: a folder as `augmlx train` and mlx-lm write it.

    Raises ModelError where there is no such model or adapter.
    """
    return mlx_engine(find(str(model)), adapter)


def mlx_engine(model: StoredModel, adapter: Path | None, *, width: int = 64) -> MlxEngine:
    """The MLX engine of a stored model, under an adapter folder if one is given. `width` rows are
    decoded together.
    """
    from augmlx.engines.mlx.engine import MlxEngine
    from augmlx.models import loading

    loaded = loading.load(model, adapter)
    return MlxEngine(loaded, fingerprint=engine_mark(model, adapter), width=width)


def mlx_pair(model: StoredModel, adapter: Path) -> tuple[MlxEngine, MlxEngine]:
    """The engines of a stored model and of the same under an adapter. Its weights are in memory
    once; what each has prefilled is its own.
    """
    from augmlx.engines.mlx.engine import MlxEngine
    from augmlx.models import loading

    base = loading.load(model)
    tuned = loading.load_beside(base, adapter)
    return MlxEngine(base), MlxEngine(tuned, fingerprint=engine_mark(model, adapter))


def serve(
    names: tuple[str, str],
    model: StoredModel,
    adapter: Path,
    address: tuple[str, int],
    *,
    exposed: bool,
    ready: Callable[[str], None],
) -> None:
    """Serve a stored model under an adapter, and the same without: see serving/server.py. Until it
    is interrupted.

    Args:
        names: of the one under the adapter, and of the other.
        address: host and port.
        ready: is told the address of the page, once both are in memory.

    Raises ModelError; BadSettings where the address cannot be, or must not be, listened on.
    """
    from augmlx.engines.serving.server import ChatServer
    from augmlx.models import loading

    server = ChatServer(names, *address, exposed=exposed)
    base = loading.load(model)
    tuned = loading.load_beside(base, adapter)
    ready(server.address)
    server.run(dict(zip(names, (tuned, base), strict=True)))


@lru_cache(maxsize=4)
def chat_fault(model: StoredModel) -> str | None:
    """Why a stored model cannot be talked to through its chat template, or None; without its
    weights. Raises ModelError where it has no tokenizer.
    """
    from augmlx.engines.mlx.chat import ChatTemplate
    from augmlx.models.loading import tokenizer_of

    return ChatTemplate(tokenizer_of(model)).fault


def engine_over(loaded: LoadedModel) -> Engine:
    """An MLX engine over a model as it stands, in the midst of a training, say."""
    from augmlx.engines.mlx.engine import MlxEngine

    return MlxEngine(loaded)


def engine_mark(model: StoredModel, adapter: Path | None) -> str:
    """The fingerprint of that engine, without loading it."""
    if adapter is None:
        return model.fingerprint
    return fingerprint([model.fingerprint, adapter_fingerprint(adapter)])
