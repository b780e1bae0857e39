"""The head of a Hugging Face model card: what README.md says of a model in its YAML block."""

from __future__ import annotations

from pathlib import Path

from augmlx.core.records import Json

README = "README.md"


def read_head(folder: Path) -> Json:
    """The YAML block at the start of a folder's README.md; empty where there is none to read.

    It is what somebody else wrote by hand, so that a fault in it is no error of ours.
    """
    # The function alone: it reads a file, while the library's ModelCard may ask the Hub.
    from huggingface_hub import metadata_load
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        return metadata_load(folder / README) or {}
    except (OSError, ValueError, YAMLError):
        return {}


def first_value(head: Json, key: str) -> str | None:
    """A value of the head as text; of a list, such as several base models, the first."""
    value = head.get(key)
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None else str(value)
