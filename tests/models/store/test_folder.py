from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from augmlx.core.errors import ModelError
from augmlx.core.progress import Silent
from augmlx.models.store import folder as store
from augmlx.models.store.building import remove_stale_parts
from augmlx.models.store.pull import pull
from tests.models.support import names, tiny_gguf

KILLED = """
    import os, signal, sys
    from contextlib import contextmanager
    from augmlx.models.store.pull import pull
    from augmlx.core.progress import Silent

    class Task:
        steps = 0
        def advance(self, steps=1, *, note="", point=None):
            self.steps += 1
            if self.steps == 5:
                os.kill(os.getpid(), signal.SIGKILL)

    class Deadly(Silent):
        @contextmanager
        def task(self, label, total, *, done=0):
            yield Task()

    pull(sys.argv[1], progress=Deadly())
"""


class Interrupting(Silent):
    def task(self, label: str, total: int, *, done: int = 0):  # type: ignore[no-untyped-def]
        raise KeyboardInterrupt


def test_a_pulled_file_is_found_and_private(tmp_path: Path, empty_store: Path) -> None:
    made = pull(str(tiny_gguf(tmp_path)))
    assert made == store.find("tiny")
    assert (made.name, made.hf_base, made.bits, len(made.fingerprint)) == ("tiny", None, None, 64)
    assert names() == ["tiny"]
    for folder in (empty_store, empty_store / "models", made.path):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.path.iterdir()} == {0o600}


def test_a_second_pull_changes_nothing(tmp_path: Path, empty_store: Path) -> None:
    path = tiny_gguf(tmp_path)
    first = pull(str(path))
    before = (first.path / "model.safetensors").stat().st_mtime_ns
    path.unlink()
    assert pull(str(path)) == first
    assert (first.path / "model.safetensors").stat().st_mtime_ns == before


def test_a_killed_pull_leaves_no_model_and_the_next_one_cleans_up(
    tmp_path: Path, empty_store: Path
) -> None:
    path = tiny_gguf(tmp_path)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = list((empty_store / "models").iterdir())
    assert len(left) == 1
    assert left[0].name.startswith(".tiny.part-")
    assert names() == []
    with pytest.raises(ModelError, match="no model 'tiny'"):
        store.find("tiny")
    pull(str(path))
    assert [folder.name for folder in (empty_store / "models").iterdir()] == ["tiny"]


def test_ctrl_c_leaves_nothing(tmp_path: Path, empty_store: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        pull(str(tiny_gguf(tmp_path)), progress=Interrupting())
    assert list((empty_store / "models").iterdir()) == []


def test_the_work_folder_of_a_living_process_is_left_alone(empty_store: Path) -> None:
    living = empty_store / "models" / f".other.part-{os.getppid()}"
    living.mkdir(parents=True)
    remove_stale_parts()
    assert living.is_dir()


def test_an_unknown_name_lists_what_is_there(tmp_path: Path, empty_store: Path) -> None:
    with pytest.raises(ModelError, match="there: none yet") as caught:
        store.find("nobody")
    assert "augmlx pull ORGANISATION/NAME" in str(caught.value.hint)
    for name in ("smollm2-135m", "Some/Model"):
        with pytest.raises(ModelError) as caught:
            store.find(name)
        assert caught.value.hint == f"augmlx pull {name}"
    pull(str(tiny_gguf(tmp_path)))
    with pytest.raises(ModelError, match="there: tiny"):
        store.find("nobody")


@pytest.fixture
def outside(tmp_path: Path, empty_store: Path) -> Path:
    """A model folder that is not in the store and has no card."""
    folder = tmp_path / "Outside"
    shutil.copytree(pull(str(tiny_gguf(tmp_path))).path, folder)
    (folder / store.CARD).unlink()
    return folder


def test_an_outside_folder_is_found_by_path(outside: Path) -> None:
    found = store.find(outside)
    assert (found.name, found.path, found.hf_base) == ("Outside", outside, None)


def test_the_fingerprint_follows_content_and_not_time(outside: Path) -> None:
    first = store.find(outside).fingerprint
    os.utime(outside / "model.safetensors", (1, 1))
    assert store.find(outside).fingerprint == first
    weights = bytearray((outside / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (outside / "model.safetensors").write_bytes(weights)
    second = store.find(outside).fingerprint
    assert second != first
    config = json.loads((outside / "tokenizer.json").read_text())
    (outside / "tokenizer.json").write_text(json.dumps(config) + "\n")
    assert store.find(outside).fingerprint not in (first, second)


def _merge(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_folder_that_asks_to_run_code_is_refused(outside: Path) -> None:
    for name, key in (
        ("config.json", "auto_map"),
        ("config.json", "model_file"),
        ("tokenizer_config.json", "auto_map"),
    ):
        original = (outside / name).read_text()
        _merge(outside / name, **{key: {"AutoModel": "evil.Model"}})
        with pytest.raises(ModelError, match=f"asks to run Python code.*{key}"):
            store.find(outside)
        (outside / name).write_text(original)


def test_pickled_weights_are_refused(outside: Path) -> None:
    (outside / "model.safetensors").rename(outside / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickles"):
        store.find(outside)


def test_torn_and_missing_weights_are_named(outside: Path) -> None:
    weights = outside / "model.safetensors"
    content = weights.read_bytes()
    for length in (0, 5, 100, len(content) - 1):
        weights.write_bytes(content[:length])
        with pytest.raises(ModelError, match=r"model\.safetensors"):
            store.find(outside)
    weights.write_bytes(content)
    (outside / "model.safetensors.index.json").write_text(
        '{"weight_map": {"a": "model-00002-of-00002.safetensors"}}'
    )
    with pytest.raises(ModelError, match=r"missing weights: model-00002-of-00002\.safetensors"):
        store.find(outside)


def test_folders_that_are_no_models(tmp_path: Path, empty_store: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        store.find(tmp_path)
    with pytest.raises(ModelError, match="no such model folder"):
        store.find(tmp_path / "nothing")
    with pytest.raises(ModelError, match="is not a folder") as caught:
        store.find(tiny_gguf(tmp_path))
    assert "augmlx pull" in str(caught.value.hint)


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AUGMLX_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform != "darwin":
        assert store.home() == tmp_path / "augmlx"
    monkeypatch.setenv("AUGMLX_HOME", str(tmp_path / "mine"))
    assert store.home() == tmp_path / "mine"


def test_a_home_folder_of_nobody_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, empty_store: Path
) -> None:
    for look in (store.find, pull):
        with pytest.raises(ModelError, match=r"~nosuch/x\.gguf: no such home folder") as caught:
            look("~nosuch/x.gguf")
        assert caught.value.hint == "give the whole path"
    monkeypatch.setenv("AUGMLX_HOME", "~nosuch")
    with pytest.raises(ModelError, match="AUGMLX_HOME=~nosuch: no such home folder"):
        store.list_models()


def test_store_names_are_safe_folder_names() -> None:
    assert store.store_name("Qwen/Qwen3-0.6B") == "qwen--qwen3-0.6b"
    assert store.store_name("../../etc/passwd").startswith("etc")
    with pytest.raises(ModelError):
        store.store_name("../..")
