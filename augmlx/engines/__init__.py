"""Engines: the local MLX model, and a scripted one that needs no model."""

import augmlx.models  # noqa: F401 - loads the fast BLAS, and must come before any module here imports mlx
