from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own; returns its home, which does not exist yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("AUGMLX_HOME", str(home))
    return home
