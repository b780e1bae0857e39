"""Engines: the local MLX model, and a scripted one that needs no model."""

# Loads the fast BLAS, and must come before any module here imports mlx.
import augmlx.models  # noqa: F401
