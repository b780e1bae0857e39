"""What the benchmarks share: their options, the line about the machine, their bars and their JSON.

A benchmark prints a table and its bars, writes {"figures": ..., "bars": ...} to the file that
--json names, and exits 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NoReturn

_QUIET = 0.5  # load; above it somebody else is at work


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that is held to a bound."""

    value: float
    bound: float
    ok: bool


def at_least(value: float, bound: float) -> Bar:
    """A bar that is met where the value reaches the bound."""
    return Bar(value, bound, value >= bound)


def at_most(value: float, bound: float) -> Bar:
    """A bar that is met where the value does not pass the bound."""
    return Bar(value, bound, value <= bound)


def exactly(value: float, bound: float) -> Bar:
    """A bar that is met where the value is the bound."""
    return Bar(value, bound, value == bound)


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the script's docstring as it stands, with --json."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="where to write the figures and the bars")
    return parser


def machine(*packages: str) -> str:
    """The machine, and the versions of Python and of the packages, in a line."""
    facts = [
        platform.platform(),
        f"{os.cpu_count()} cores",
        f"Python {platform.python_version()}",
    ]
    for package in packages:
        version = metadata.version(package)
        facts.append(f"{package} {version}")
    return ", ".join(facts)


def load_of_others() -> float | None:
    """The load of the machine before the benchmark begins; None where it is quiet."""
    load = os.getloadavg()[0]
    return load if load > _QUIET else None


def finish(
    figures: Mapping[str, object],
    bars: Mapping[str, Bar],
    out: Path | None,
    **more: object,
) -> NoReturn:
    """Print the bars, write the JSON, and exit.

    Args:
        out: where to write it; nowhere where that is None.
        more: what else stands in the JSON.
    """
    for name, bar in bars.items():
        verdict = "ok" if bar.ok else "MISSED"
        print(f"{name:<24} {bar.value:>12.6g}  bound {bar.bound:g}  {verdict}")
    if out is not None:
        content = {
            "figures": figures,
            "bars": {name: dataclasses.asdict(bar) for name, bar in bars.items()},
            **more,
        }
        out.write_text(json.dumps(content, indent=2) + "\n")
    sys.exit(0 if all(bar.ok for bar in bars.values()) else 1)
