"""The store: models as mlx-lm folders under one private folder, each with a small augmlx.json
beside its weights.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import write_json
from augmlx.core.records import Json
from augmlx.models.formats import model_folder
from augmlx.models.store.catalogue import CATALOGUE

CARD = "augmlx.json"
COMMIT = re.compile(r"[0-9a-f]{40}")  # a revision of the Hub that stays what it is


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that can be loaded. `hf_base` is the Hugging Face original that an exported adapter
    names, `revision` the commit of it that was fetched.
    """

    name: str
    path: Path
    hf_base: str | None
    fingerprint: str  # sha256 over config, tokenizer and weights
    source: str = ""  # in words
    license: str | None = None
    dtype: str | None = None
    bits: int | None = None  # of quantised weights; None: not quantised
    parameters: int | None = None
    revision: str | None = None


def home() -> Path:
    """The folder of the store: $AUGMLX_HOME, or augmlx in the user's cache folder. Nothing is made
    by asking.

    Raises:
        ModelError: it starts with the home folder of a user who is not there.
    """
    if chosen := os.environ.get("AUGMLX_HOME"):
        return expanded(chosen, "AUGMLX_HOME=")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "augmlx"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "augmlx"


def expanded(text: str, where: str = "") -> Path:
    """A path with ~ or ~user at its start written out. Raises ModelError where that home folder is
    not known.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ModelError(
            f"{where}{text}: no such home folder", hint="give the whole path"
        ) from error


def models_folder() -> Path:
    return home() / "models"


def is_stored(folder: Path) -> bool:
    """Whether a folder holds a model with a card, as every model of the store has one."""
    return (folder / CARD).is_file()


def store_name(text: str) -> str:
    """The name in the store of a catalogue name, a file's name or a Hugging Face id (org/name ->
    org--name).
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower().replace("/", "--")).strip("-.")
    if not name:
        raise ModelError(f"'{text}' cannot name a model", hint="use letters and digits")
    return name


def list_models() -> list[StoredModel]:
    """The models of the store, by name. Half-built ones are never among them.

    Raises:
        ModelError: a card that cannot be read.
        StorageError: the store cannot be read.
    """
    models = models_folder()
    with storage_errors(models):
        cards = sorted(models.glob(f"*/{CARD}")) if models.is_dir() else []
    folders = [card.parent for card in cards]
    return [_read_card(folder) for folder in folders if not folder.name.startswith(".")]


def find(name_or_path: str | Path) -> StoredModel:
    """A model of the store by name, or a model folder (config.json, tokenizer and *.safetensors) by
    path.

    Raises:
        ModelError: no such model, or a folder that is not a safe and whole model.
        StorageError: it cannot be read.
    """
    text = str(name_or_path)
    folder = expanded(text)
    stored = models_folder() / store_name(text)
    is_path = folder.is_absolute() or text.startswith((".", "~"))
    if not is_path and is_stored(stored):
        model = _read_card(stored)
        model_folder.check(stored)
        return model
    if folder.is_dir():
        return _outside(folder.resolve())
    if is_path or folder.exists():
        raise _not_a_folder(text, folder)
    raise _unknown(text)


def write_card(folder: Path, name: str, about: Json) -> None:
    """Write the card into a finished model folder, with the full fingerprint of what is there.

    Args:
        about: what is known of the model: the other fields of a StoredModel.

    Raises:
        ModelError: the folder does not hold a whole model.
        StorageError: it cannot be read or written.
    """
    model_folder.check(folder)
    fingerprint = model_folder.fingerprint(folder, sampled=False)
    write_json(folder / CARD, {"name": name, **about, "fingerprint": fingerprint})


def to_json(model: StoredModel) -> Json:
    values = dataclasses.asdict(model)
    return {**values, "path": str(model.path)}


def _read_card(folder: Path) -> StoredModel:
    """The model of a folder as its card has it; its name is the folder's."""
    card = folder / CARD
    known = {field.name for field in dataclasses.fields(StoredModel)} - {"path", "name"}
    try:
        with storage_errors(card):
            values: dict[str, Any] = json.loads(card.read_text("utf-8"))
        about = {key: values[key] for key in known if key in values}
        return StoredModel(name=folder.name, path=folder, **about)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{card}: not readable as a model card", hint=f"delete {folder} and pull it again"
        ) from error


def _outside(folder: Path) -> StoredModel:
    """A model folder that is not ours, or no longer: its card, where it has one, only says where it
    came from.
    """
    model_folder.check(folder)
    fingerprint = model_folder.fingerprint(folder, sampled=True)
    if is_stored(folder):
        return dataclasses.replace(_read_card(folder), fingerprint=fingerprint)
    config = model_folder.read_config(folder)
    quantization = config.get("quantization") or {}
    return StoredModel(
        name=folder.name,
        path=folder,
        hf_base=None,
        fingerprint=fingerprint,
        source="a folder",
        dtype=config.get("dtype") or config.get("torch_dtype"),
        bits=quantization.get("bits"),
    )


def _not_a_folder(text: str, folder: Path) -> ModelError:
    fault = "is not a folder" if folder.exists() else "no such model folder"
    is_gguf = folder.suffix.lower() == ".gguf"
    hint = f"import it first: augmlx pull {text}" if is_gguf else "check the path"
    return ModelError(f"{text}: {fault}", hint=hint)


def _unknown(text: str) -> ModelError:
    names = ", ".join(model.name for model in list_models()) or "none yet"
    hint = "augmlx pull ORGANISATION/NAME fetches one; augmlx models lists what is there"
    if "/" in text or text in CATALOGUE:
        hint = f"augmlx pull {text}"
    return ModelError(f"no model '{text}' in the store (there: {names})", hint=hint)
