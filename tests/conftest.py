"""Fixtures of the tests that run the whole line."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings
from tiny import write_model
from tiny.line import TEXTS, Setup

from augmlx.models.store.folder import StoredModel

# A busy machine is no fault of the code.
settings.register_profile("augmlx", deadline=None)
settings.load_profile("augmlx")

# Where the tests are a job in the background, or under nohup, these are ignored; what they start
# would inherit that.
for number, handler in {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGHUP: signal.SIG_DFL,
}.items():
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return write_model(tmp_path_factory.mktemp("base") / "tiny-llama")


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.csv"
    path.write_text("fact\n" + "\n".join(TEXTS) + "\n")
    return path


@pytest.fixture
def setup(tmp_path: Path, base: StoredModel, facts: Path) -> Setup:
    return Setup(tmp_path, base, facts)
