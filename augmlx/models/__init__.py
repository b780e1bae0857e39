"""Models: the store, GGUF import, fetching, loading.

Importing this package before mlx, mlx_lm or transformers is what makes them fast (a real BLAS on
Linux) and offline (the flags below are read by those libraries once, when they are imported). It
imports none of them.
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
