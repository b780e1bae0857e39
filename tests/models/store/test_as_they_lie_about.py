"""Models as people have them on their disks: read, or told for what they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import gguf
import mlx.core as mx
import pytest

from augmlx.core.errors import ModelError
from augmlx.models.formats import model_folder
from augmlx.models.store.folder import find
from augmlx.models.store.pull import pull
from tests.models.support import tiny_gguf


def test_a_blob_of_ollama_is_read_by_how_it_begins(tmp_path: Path, empty_store: Path) -> None:
    whole = tiny_gguf(tmp_path)
    digest = hashlib.sha256(whole.read_bytes()).hexdigest()
    blob = whole.rename(tmp_path / f"sha256-{digest}")
    model = pull(str(blob))
    assert model.name == f"sha256-{digest[:12]}"
    assert find(model.name).path.joinpath("model.safetensors").is_file()


def test_another_file_without_a_suffix_is_no_model(tmp_path: Path, empty_store: Path) -> None:
    path = tmp_path / "sha256-00"
    path.write_bytes(b"GGML" + bytes(64))
    with pytest.raises(ModelError, match="no model is called"):
        pull(str(path))


def test_a_part_of_a_gguf_is_told_for_one(tmp_path: Path, empty_store: Path) -> None:
    path = tmp_path / "tiny-00001-of-00003.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint16("split.count", 3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match="one of 3 parts of a model") as caught:
        pull(str(path))
    assert "llama-gguf-split --merge" in (caught.value.hint or "")


@pytest.fixture
def folder(tmp_path: Path, empty_store: Path) -> Path:
    """A whole model in one file, beside the index of shards that are gone."""
    folder = pull(str(tiny_gguf(tmp_path))).path
    weights = mx.load(str(folder / model_folder.WEIGHTS))
    assert isinstance(weights, dict)
    weight_map = dict.fromkeys(weights, "model-00001-of-00002.safetensors")
    (folder / model_folder.INDEX).write_text(json.dumps({"weight_map": weight_map}))
    return folder


def test_a_stale_index_beside_one_whole_file_is_no_fault(folder: Path) -> None:
    model_folder.check(folder)


def test_an_index_of_a_tensor_that_is_nowhere_is_one(folder: Path) -> None:
    index = json.loads((folder / model_folder.INDEX).read_text())
    index["weight_map"]["model.lost.weight"] = "model-00002-of-00002.safetensors"
    (folder / model_folder.INDEX).write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"missing weights: model-00001-of-00002\.safetensors"):
        model_folder.check(folder)
