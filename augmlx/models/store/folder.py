"""The store: models as mlx-lm folders under one private folder, each with a small augmlx.json
beside its weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import make_folder, write_json
from augmlx.core.records import Json
from augmlx.models.formats import safetensors as safetensors_format
from augmlx.models.store.catalogue import CATALOGUE

CARD = "augmlx.json"
# Everything besides the weights that decides what the model says.
_HASHED = (
    "config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "chat_template.jinja",
)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_SAMPLE = 1 << 20  # bytes per sample of an outside folder's weights
_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that can be loaded. `hf_base` is the Hugging Face original that an exported adapter
    names.
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


def home() -> Path:
    """$AUGMLX_HOME, or augmlx in the user's cache folder. Nothing is made by asking.

    Raises ModelError where it starts with the home folder of a user who is not there.
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
    folder = models_folder()
    with storage_errors(folder):
        cards = sorted(folder.glob(f"*/{CARD}")) if folder.is_dir() else []
    return [_read_card(card.parent) for card in cards if not card.parent.name.startswith(".")]


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
    if not is_path and (stored / CARD).is_file():
        model = _read_card(stored)
        _check_folder(stored)
        return model
    if folder.is_dir():
        return _outside(folder.resolve())
    if is_path or folder.exists():
        fault = "is not a folder" if folder.exists() else "no such model folder"
        hint = (
            f"import it first: augmlx pull {text}" if folder.suffix == ".gguf" else "check the path"
        )
        raise ModelError(f"{text}: {fault}", hint=hint)
    names = ", ".join(model.name for model in list_models()) or "none yet"
    known = "/" in text or text in CATALOGUE
    hint = (
        f"augmlx pull {text}"
        if known
        else "augmlx pull ORGANISATION/NAME fetches one; augmlx models lists what is there"
    )
    raise ModelError(f"no model '{text}' in the store (there: {names})", hint=hint)


@contextmanager
def building(name: str) -> Iterator[Path]:
    """A private work folder; what stands in its `model` folder at the end becomes the model `name`,
    or nothing does.

    The card must be written by then (see `write_card`). An error, Ctrl-C or a kill leaves no model:
    the work folder starts with a dot, and what a killed process left is removed by the next one.
    """
    folder = models_folder()
    make_folder(folder)
    remove_stale_parts()
    part = folder / f".{name}.part-{os.getpid()}"
    with storage_errors(part):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
    try:
        yield part
        _publish(part / "model", folder / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_card(folder: Path, name: str, about: Json) -> None:
    """Write augmlx.json into a finished model folder, with the full fingerprint of what is
    there.
    """
    _check_folder(folder)
    write_json(
        folder / CARD, {"name": name, **about, "fingerprint": fingerprint(folder, sampled=False)}
    )


def fingerprint(folder: Path, *, sampled: bool) -> str:
    """sha256 (hex) over config, tokenizer and weights; never over times or paths.

    Args:
        sampled: of each weight file take size, header and a few megabytes only. A model of the
            store is hashed whole, once, when it is imported; hashing a large outside folder at each
            start would take minutes.
    """
    total = hashlib.sha256()
    weights = sorted(folder.glob("*.safetensors"))
    with storage_errors(folder):
        for path in [*(folder / name for name in _HASHED), *weights]:
            if not path.is_file():
                continue
            digest = _sampled_digest(path) if sampled and path in weights else _digest(path)
            total.update(f"{path.name} {digest}\n".encode())
    return total.hexdigest()


def remove_stale_parts() -> None:
    """Delete the work folders of processes that are gone."""
    for part in models_folder().glob(".*.part-*"):
        pid = part.name.rpartition("-")[2]
        if not pid.isdigit() or not _alive(int(pid)):
            shutil.rmtree(part, ignore_errors=True)


def to_json(model: StoredModel) -> Json:
    return {**dataclasses.asdict(model), "path": str(model.path)}


def _publish(model: Path, final: Path) -> None:
    with storage_errors(final):
        for path in (*model.iterdir(), model):
            path.chmod(0o700 if path.is_dir() else 0o600)
            _fsync(path)
        if (
            final.exists() and not (final / CARD).is_file()
        ):  # no model of ours: without a card it is never listed
            final.rename(model.parent / "replaced")
        try:
            model.rename(final)
        except OSError:
            # Another process finished the same model first: a full folder is never replaced, and it
            # is as good.
            if not (final / CARD).is_file():
                raise
        _fsync(final.parent)


def _read_card(folder: Path) -> StoredModel:
    card = folder / CARD
    try:
        with storage_errors(card):
            values: dict[str, Any] = json.loads(card.read_text("utf-8"))
        known = {field.name for field in dataclasses.fields(StoredModel)} - {"path", "name"}
        return StoredModel(
            name=folder.name, path=folder, **{key: values[key] for key in known if key in values}
        )
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{card}: not readable as a model card", hint=f"delete {folder} and pull it again"
        ) from error


def _outside(folder: Path) -> StoredModel:
    """A model folder that is not ours, or no longer: its card, where it has one, only says where it
    came from.
    """
    _check_folder(folder)
    print_ = fingerprint(folder, sampled=True)
    if (folder / CARD).is_file():
        return dataclasses.replace(_read_card(folder), fingerprint=print_)
    config = read_config(folder)
    return StoredModel(
        name=folder.name,
        path=folder,
        hf_base=None,
        fingerprint=print_,
        source="a folder",
        dtype=config.get("dtype") or config.get("torch_dtype"),
        bits=(config.get("quantization") or {}).get("bits"),
    )


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder. Raises ModelError."""
    return _read_object(folder / "config.json", f"{folder}: not a model folder: no config.json")


def check_config(folder: Path) -> None:
    """Raises ModelError unless config.json is there and neither it nor the tokenizer asks to run
    code of its own.
    """
    configs = {"config.json": read_config(folder)}
    if (folder / "tokenizer_config.json").is_file():
        path = folder / "tokenizer_config.json"
        configs[path.name] = _read_object(path, str(path))
    for name, config in configs.items():
        for key in ("auto_map", "model_file"):
            if config.get(key):
                raise ModelError(
                    f"{folder / name}: asks to run Python code that came with the model ('{key}')",
                    hint=(
                        "augmlx never runs such code; choose a model that mlx-lm supports by itself"
                    ),
                )


def _check_folder(folder: Path) -> None:
    """Raises ModelError unless the folder holds a whole model that is safe to open."""
    check_config(folder)
    weights = sorted(folder.glob("model*.safetensors"))
    if not weights:
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        if pickles:
            raise ModelError(
                f"{folder}: weights are Python pickles ({', '.join(pickles)}), which can run code "
                f"when opened",
                hint="choose a safetensors version of the model",
            )
        raise ModelError(
            f"{folder}: no model*.safetensors",
            hint="point at an mlx-lm or Hugging Face model folder",
        )
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = set((_read_object(index, str(index)).get("weight_map") or {}).values())
        if missing := sorted(named - {path.name for path in weights}):
            raise ModelError(
                f"{folder}: missing weights: {', '.join(missing)}",
                hint="copy or pull the model again",
            )
    for path in weights:
        safetensors_format.read_header(path)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model")):
        raise ModelError(
            f"{folder}: no tokenizer.json", hint="copy the tokenizer's files beside the weights"
        )


def _read_object(path: Path, missing: str) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(missing, hint="point at an mlx-lm or Hugging Face model folder")
    try:
        with storage_errors(path):
            value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(
            f"{path}: not valid JSON: {error}", hint="copy or pull the model again"
        ) from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: not a JSON object", hint="copy or pull the model again")
    return value


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sampled_digest(path: Path) -> str:
    """sha256 over the size and evenly spread samples, the first of which holds the header's
    start.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(8 + int.from_bytes(file.read(8), "little")))
        for step in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE) * step // max(1, _SAMPLES - 1))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
