"""What a filter looks at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A produced text beside its source. `finish` is the engine's: "stop" or "length" (cut off)."""

    sample: int
    text: str
    source: str
    finish: str
