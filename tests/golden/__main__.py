"""Makes the kept run anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests import golden
from tests.golden import FOLDER, MODEL, RUN
from tests.tiny import write_model
from tests.tiny.line import Recorder

with tempfile.TemporaryDirectory() as place:
    folder = Path(place)
    if not MODEL.exists():
        write_model(MODEL)
    golden.copy_inputs(folder)
    progress = Recorder()
    golden.go(golden.pipeline(folder, progress))
    shutil.rmtree(RUN, ignore_errors=True)
    shutil.copytree(folder / RUN.name, FOLDER / RUN.name)
    settings = RUN / "augmlx.toml"
    settings.write_text(settings.read_text().replace(f"{folder}/", ""))
    (RUN / ".lock").unlink(missing_ok=True)
