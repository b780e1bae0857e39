"""The MLX engine: continuous batching over shared beginnings, sampling, scoring."""
