"""A copy of a run is what it was before it was trained."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import study_frontier  # isort: skip

from augmlx.core.run_folder import RunFolder


def test_a_copy_has_the_examples_and_nothing_that_was_trained(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "adapter").mkdir(parents=True)
    (run / "adapter" / "adapters.safetensors").write_bytes(b"weights")
    (run / "augmented.jsonl").write_text("{}\n")
    (run / "manifest.json").write_text(json.dumps({"augment": {}, "anchor": {}, "train": {}}))
    copy = tmp_path / "anchor-2"
    study_frontier.copy_of(RunFolder(run), copy)
    assert sorted(path.name for path in copy.iterdir()) == ["augmented.jsonl", "manifest.json"]
    assert set(RunFolder(copy).manifest()) == {"augment", "anchor"}

    (copy / "adapter").mkdir()
    study_frontier.copy_of(RunFolder(run), copy)  # run again, what is trained by now stays
    assert (copy / "adapter").is_dir()
    assert (run / "adapter" / "adapters.safetensors").exists()
