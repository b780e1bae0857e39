"""Runs as `python -m augmlx.exporting.publish_child`, with an order as JSON on stdin: the one
process that sends anything to Hugging Face.

Exit 0 with the address on stdout when all is there; 1 with one line that says why not.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main(order: dict[str, Any]) -> int:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi()
    repository, public = order["repository"], order["public"]
    try:
        # Refused before a byte of the export is sent.
        api.create_repo(repository, private=not public, exist_ok=True)
        if not public and not api.repo_info(repository).private:
            return _say("it is there already and everybody reads it; say --public, or another name")
        api.upload_folder(
            repo_id=repository,
            folder_path=order["folder"],
            allow_patterns=order["files"],
            commit_message="Exported with augmlx",
        )
    except LocalTokenNotFoundError:
        return _say("you are not logged in")
    except HfHubHTTPError as error:
        return _say(f"the Hub says {error.response.status_code}")
    except (OSError, ValueError) as error:
        return _say(f"no connection ({type(error).__name__})")
    sys.stdout.write(f"{api.endpoint}/{repository}\n")
    return 0


def _say(reason: str) -> int:
    sys.stdout.write(" ".join(reason.split()) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
