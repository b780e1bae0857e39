"""LoRA training with MLX: batches, loss, loop, checkpoints, adapter files."""

import augmlx.models  # noqa: F401 - loads the fast BLAS, and must come before any module here imports mlx
