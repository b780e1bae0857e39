"""What holds for the whole suite, and fixtures of the tests that run the whole line.

No test reads the home or the model store of whoever runs it: both are folders of the suite.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tiny import trusted, write_model
from tiny.line import TEXTS, Setup

from augmlx.models.store.folder import StoredModel

# The same commit gives the same answer; `scripts/search` tries fresh examples, and many. A busy
# machine is no fault of the code.
settings.register_profile(
    "augmlx", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "search", settings.get_profile("augmlx"), derandomize=False, max_examples=2000, print_blob=True
)
settings.load_profile("augmlx")

_NOBODY = Path(tempfile.mkdtemp(prefix="augmlx-tests-"))
atexit.register(shutil.rmtree, _NOBODY, ignore_errors=True)
os.environ["HOME"] = str(_NOBODY)
os.environ.pop("XDG_CACHE_HOME", None)
# The embedded model, for tests marked `real`; scripts/test fetches it, else the first of them does.
_REAL_STORE = Path(__file__).parents[1] / ".venv" / "store-of-the-tests"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A store for each test, before the fixtures of its module are made: an empty one, or that of
    the embedded model.
    """
    store = _REAL_STORE if item.get_closest_marker("real") else _NOBODY / "store"
    os.environ["AUGMLX_HOME"] = str(store)


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
    return trusted(write_model(tmp_path_factory.mktemp("base") / "tiny-llama"))


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.csv"
    path.write_text("fact\n" + "\n".join(TEXTS) + "\n")
    return path


@pytest.fixture
def setup(tmp_path: Path, base: StoredModel, facts: Path) -> Setup:
    return Setup(tmp_path, base, facts)
