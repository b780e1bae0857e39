"""LoRA training with MLX: batches, loss, loop, checkpoints, adapter files."""

# Loads the fast BLAS, and must come before any module here imports mlx.
import augmlx.models  # noqa: F401
