"""augmlx: local data augmentation, LoRA training, evaluation and export with MLX."""

__version__ = "0.1.0"
