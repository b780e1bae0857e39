"""A way into mlx-lm's models without touching their files: they call functions by the names that
these have in the models' own modules, and that is where one is replaced.
"""

from __future__ import annotations

import sys
from typing import Any

import mlx.nn as nn


def replace_calls(model: nn.Module, name: str, original: Any, replacement: Any) -> None:
    """Let a model call `replacement` for `original`, which goes by `name` where it is called."""
    for module in {type(part).__module__ for part in model.modules()}:
        if getattr(sys.modules[module], name, None) is original:
            setattr(sys.modules[module], name, replacement)
