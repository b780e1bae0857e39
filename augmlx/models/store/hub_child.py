"""Runs as `python -m augmlx.models.store.hub_child REPOSITORY FOLDER`: the one process that may
talk to Hugging Face.

Exit 0 when the files are there, with their commit on stdout; 1 with one line that says why not.
"""

from __future__ import annotations

import sys
from pathlib import Path

SMALL = ["*.json", "tokenizer.model", "*.jinja", "README.md"]
WEIGHTS = ["model*.safetensors"]


def main(repository: str, folder: str) -> int:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    from augmlx.core.errors import AugmlxError
    from augmlx.models.formats.model_folder import check_config

    try:
        # The small files first: a model that asks to run its own code is refused before gigabytes
        # are fetched.
        snapshot_download(repository, local_dir=folder, allow_patterns=SMALL)
        check_config(Path(folder))
        # Of the same commit, whatever is pushed meanwhile.
        commit = _commit(Path(folder))
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=WEIGHTS)
    except AugmlxError as error:
        return _say(error.message)
    except GatedRepoError:
        return _say("the model is gated")
    except RepositoryNotFoundError:
        return _say("there is no such model, or it is private")
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        return _say(f"no connection ({type(error).__name__})")
    sys.stdout.write(f"{commit or ''}\n")
    return 0


def _commit(folder: Path) -> str | None:
    """The commit of a file that was fetched, from the note that huggingface_hub makes of it: its
    first line. None where there is none.
    """
    note = folder / ".cache" / "huggingface" / "download" / "config.json.metadata"
    return note.read_text("utf-8").split("\n", 1)[0] if note.is_file() else None


def _say(reason: str) -> int:
    sys.stdout.write(" ".join(reason.split()) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
