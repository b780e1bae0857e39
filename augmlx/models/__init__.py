"""Models: what lies in the store, its file formats, and how a model is loaded and computed with.

It never asks a model anything (engines do) and never trains one. Importing it before mlx, mlx_lm or
transformers makes them fast (a real BLAS on Linux) and offline: they read the flags below once, at
import. It imports none of them.
"""

from __future__ import annotations

import os

from augmlx.models.blas import load_fast_blas

# What the user's own environment said, before the defaults below: `augmlx pull` honours it.
USER_HUB_OFFLINE = os.environ.get("HF_HUB_OFFLINE")

for _flag, _value in {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(_flag, _value)

load_fast_blas()
