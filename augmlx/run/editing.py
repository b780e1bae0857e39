"""An augmented.csv that was edited by hand -> the run's edited.jsonl."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from augmlx.augment import edited_csv, edits, operators
from augmlx.augment.edits import Edits
from augmlx.augment.filters import FILTERS
from augmlx.core.errors import BadInput, RunError
from augmlx.core.files import file_sha256
from augmlx.core.progress import Progress
from augmlx.core.records import Fact
from augmlx.core.run_folder import RunFolder
from augmlx.run.stages import AUGMENT

NO_FILE = Path("none")  # named in the place of a file, it takes all edits back


def take(
    run: RunFolder,
    path: Path | None,
    facts: Callable[[], Sequence[Fact]],
    folder: Path | None,
    progress: Progress,
) -> None:
    """Put the edits of a file in force, in the place of those that are.

    A file that is byte for byte the one read last is not read again: what the model has written
    since is not struck out because the file does not know of it.

    Args:
        run: holds what the file is compared with, and gets edited.jsonl.
        path: the file; None leaves all as it is, NO_FILE takes all edits back.
        facts: gives those that the run was augmented from.
        folder: of augmlx.toml, where the user's own operators lie.
        progress: is told which edits are in force.

    Raises:
        RunError: the run is not augmented.
        BadInput: with path:line, where a row cannot be what it should be.
    """
    if path == NO_FILE:
        if run.edited.exists():
            progress.say(f"all edits are taken back ({run.edited} is deleted)")
            run.edited.unlink()
        return
    earlier = edits.read(run.edited)
    if path is not None:
        if not path.is_file():
            raise BadInput(f"{path}: no such file", hint="check the path")
        sha256 = file_sha256(path)
        if sha256 != earlier.file:
            earlier = _read(run, path, sha256, facts, folder, earlier, progress)
    if earlier.edits:
        progress.say(
            f"edits by hand are in force: {earlier} ({run.edited}); to take them back: "
            f"--edited {NO_FILE}"
        )


def _read(
    run: RunFolder,
    path: Path,
    sha256: str,
    facts: Callable[[], Sequence[Fact]],
    folder: Path | None,
    earlier: Edits,
    progress: Progress,
) -> Edits:
    if AUGMENT.name not in run.manifest():
        raise RunError(
            f"{run.path}: is not augmented, so there is nothing that {path} can be compared with",
            hint="run the same command without --edited first",
        )
    known = {each.operator.name: each.operator for each in operators.available(FILTERS, folder)}
    made, notes = edited_csv.edits_of(path, run, facts(), known, earlier.edits)
    for note in notes:
        progress.say(note)
    if not made:
        progress.say(f"{path}: every text is as the model wrote it")
    read = Edits(tuple(made), sha256)
    edits.write(run.edited, read)
    return read
