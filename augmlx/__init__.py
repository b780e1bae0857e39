"""augmlx: fine-tune a local model on your facts, and have it know them in both directions.

The front door of the library; docs/API.md shows each name at work. Nothing is imported before it is
used, so that `augmlx --help` loads no model library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # what __getattr__ gives, for type checkers and editors
    from augmlx.core.errors import AugmlxError as AugmlxError
    from augmlx.core.records import Fact as Fact
    from augmlx.core.settings import Settings as Settings
    from augmlx.core.settings_file import load as load_settings  # noqa: F401
    from augmlx.data.facts import FactTable as FactTable
    from augmlx.data.facts import read_facts as read_facts
    from augmlx.engines.local import open_engine as open_engine
    from augmlx.engines.protocol import Engine as Engine
    from augmlx.engines.protocol import Request as Request
    from augmlx.evaluation.summary import Summary as Summary
    from augmlx.run.everything import Outcome as Outcome
    from augmlx.run.everything import run_all as run_all
    from augmlx.run.opening import open_pipeline as open_pipeline
    from augmlx.run.pipeline import Pipeline as Pipeline

# Public name -> (module, its name there).
_HOMES = {
    "AugmlxError": ("augmlx.core.errors", "AugmlxError"),
    "Engine": ("augmlx.engines.protocol", "Engine"),
    "Fact": ("augmlx.core.records", "Fact"),
    "FactTable": ("augmlx.data.facts", "FactTable"),
    "Outcome": ("augmlx.run.everything", "Outcome"),
    "Pipeline": ("augmlx.run.pipeline", "Pipeline"),
    "Request": ("augmlx.engines.protocol", "Request"),
    "Settings": ("augmlx.core.settings", "Settings"),
    "Summary": ("augmlx.evaluation.summary", "Summary"),
    "load_settings": ("augmlx.core.settings_file", "load"),
    "open_engine": ("augmlx.engines.local", "open_engine"),
    "open_pipeline": ("augmlx.run.opening", "open_pipeline"),
    "read_facts": ("augmlx.data.facts", "read_facts"),
    "run_all": ("augmlx.run.everything", "run_all"),
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'augmlx' has no attribute {name!r}")
    module, inner = _HOMES[name]
    return getattr(import_module(module), inner)


def __dir__() -> list[str]:
    return sorted(__all__)
