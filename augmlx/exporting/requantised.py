"""The model with the adapter worked in and quantised again, by mlx-lm's own quantisation: a folder
that mlx-lm and LM Studio load, smaller, and with a part of what was learnt lost.
"""

from __future__ import annotations

from pathlib import Path

from augmlx.core.files import make_folder, move_file
from augmlx.core.progress import Progress
from augmlx.exporting import export_folder, fused
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.models.formats import model_folder
from augmlx.models.formats.safetensors import Dtype
from augmlx.models.store.quantizing import GROUP_SIZE, quantize

# Without one of them an export is not finished; mlx-lm writes an index of one file as well.
KEYS = (model_folder.INDEX, fused.KEY)


def write_requantised(
    weights: FusedWeights,
    out: Path,
    dtype: Dtype,
    template: str | None,
    bits: int,
    progress: Progress,
) -> None:
    """Write the folder's files, config.json last. The model in `dtype` lies on the disk in between.

    Args:
        dtype: of what is quantised, and of all that stays as it is.
        template: the chat template that the model was trained with.
        bits: of a weight: 4 or 8.

    Raises:
        ModelError: a trained module has no weight of its own, or mlx-lm cannot quantise the model.
        StorageError: the folder cannot be written.
    """
    with export_folder.working(out) as work:
        plain, quantised = work / "plain", work / "quantised"
        make_folder(plain)
        fused.write_fused(weights, plain, dtype, template)
        quantize(plain, quantised, bits, {}, progress)
        for path in sorted(quantised.iterdir()):
            if path.name != fused.KEY:
                move_file(path, out / path.name)
        move_file(quantised / fused.KEY, out / fused.KEY)


def in_words(bits: int, dtype: Dtype) -> str:
    """What the weights are in, for the card."""
    return f"{bits} bits a weight in groups of {GROUP_SIZE}, quantised by MLX; the rest {dtype}"
