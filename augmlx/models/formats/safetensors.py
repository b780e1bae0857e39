"""Safetensors files: written tensor by tensor, and checked without reading their tensors.

The writer is by hand because a model need not fit in memory: both the format's own library and
`mx.save_safetensors` want all tensors at once. The format is 8 bytes of header length (little
endian), a JSON header, then the tensors' bytes.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import atomic

Dtype = Literal["float32", "bfloat16", "float16"]
Shape = tuple[int, ...]
_CODES: dict[Dtype, tuple[str, int]] = {
    "float32": ("F32", 4),
    "bfloat16": ("BF16", 2),
    "float16": ("F16", 2),
}


class TensorHeader(NamedTuple):
    """What a file says of one tensor before its numbers."""

    dtype: str  # in the format's own words, such as "BF16"
    shape: Shape


def write(
    path: Path,
    tensors: Iterable[tuple[str, Sequence[int]]],
    produce: Callable[[str], npt.NDArray[np.float32]],
    dtype: Dtype,
) -> None:
    """Write one file, holding one tensor in memory at a time.

    Args:
        tensors: name and shape of each.
        produce: name -> float32 array of that shape; called once for each name, in order, and its
            array dropped once written.
        dtype: of every tensor in the file; 16 bits round to nearest even.

    Raises:
        StorageError: the file cannot be written.
    """
    shapes = {name: tuple(shape) for name, shape in tensors}
    header = _header(shapes, dtype)
    with atomic(path) as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for name, shape in shapes.items():
            array = produce(name)
            assert array.shape == shape, name
            file.write(_encode(array, dtype).data)


def read_header(path: Path) -> dict[str, TensorHeader]:
    """Type and shape of each tensor of a file by name. The file's length is checked against them,
    and no tensor is read.

    Raises:
        ModelError: not a safetensors file, or a torn one.
        StorageError: the file cannot be read.
    """
    header = {}
    try:
        with storage_errors(path), safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                tensor = file.get_slice(name)
                header[name] = TensorHeader(tensor.get_dtype(), tuple(tensor.get_shape()))
    except SafetensorError as error:
        raise ModelError(
            f"{path}: not a safetensors file, or a torn one", hint="copy or pull the model again"
        ) from error
    return header


def count_numbers(path: Path) -> int:
    """How many numbers the tensors of a file hold. Raises as `read_header` does."""
    return sum(math.prod(tensor.shape) for tensor in read_header(path).values())


def _header(shapes: dict[str, Shape], dtype: Dtype) -> bytes:
    """The JSON header of tensors that follow one another, padded so that they start aligned."""
    code, itemsize = _CODES[dtype]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    start = 0  # in bytes
    for name, shape in shapes.items():
        end = start + math.prod(shape) * itemsize
        header[name] = {"dtype": code, "shape": list(shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    padding = -len(text) % 8
    return text + b" " * padding


def _encode(array: npt.NDArray[np.float32], dtype: Dtype) -> npt.NDArray[Any]:
    """A contiguous little-endian array of the wanted type; bfloat16 as its bits in uint16."""
    array = np.ascontiguousarray(array, dtype="<f4")
    if dtype == "float32":
        return array
    if dtype == "float16":
        return array.astype("<f2")
    bits: npt.NDArray[np.uint32] = array.view("<u4")
    # Round to nearest even: add half of the last kept bit, and the bit itself where it is odd.
    last_kept_bit = (bits >> 16) & 1
    rounded = bits + (0x7FFF + last_kept_bit)
    upper_half: npt.NDArray[np.uint16] = (rounded >> 16).astype("<u2")
    return upper_half
