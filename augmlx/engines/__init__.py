"""Engines: what generates and scores. One protocol, and three behind it: a local model with MLX, a
model behind a server, and a scripted one that needs no model.

An engine never knows what a text is for: facts, operators and arms are nothing to it.
"""

# Loads the fast BLAS, and must come before any module here imports mlx.
import augmlx.models  # noqa: F401
