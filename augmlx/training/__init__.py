"""Training: rows of examples -> an adapter (LoRA, DoRA) or changed weights, with MLX.

A step depends on the seed, its number and the state before it, and on nothing else; nothing here
chooses what is trained on, and only the first process of a team writes.
"""

# Loads the fast BLAS, and must come before any module here imports mlx.
import augmlx.models  # noqa: F401
