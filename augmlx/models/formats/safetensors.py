"""Safetensors files by hand: written tensor by tensor, so that a model need not fit in memory, and
checked whole.

The format is 8 bytes of header length (little endian), a JSON header, then the tensors' bytes.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import atomic

Dtype = Literal["float32", "bfloat16"]
_CODES: dict[Dtype, tuple[str, int]] = {"float32": ("F32", 4), "bfloat16": ("BF16", 2)}
_LONGEST_HEADER = 100_000_000  # the limit of the format's own library


def write(
    path: Path,
    tensors: Iterable[tuple[str, Sequence[int]]],
    produce: Callable[[str], npt.NDArray[np.float32]],
    dtype: Dtype,
) -> None:
    """Write one file. `produce` is called once for each name, in order, and its array dropped once
    written.

    Args:
        tensors: name and shape of each.
        produce: name -> float32 array of that shape.
        dtype: of every tensor in the file; bfloat16 rounds to nearest even.

    Raises:
        StorageError: the file cannot be written.
    """
    code, itemsize = _CODES[dtype]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    shapes = dict(tensors)
    for name, shape in shapes.items():
        end = offset + math.prod(shape) * itemsize
        header[name] = {"dtype": code, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors start aligned
    with atomic(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            array = produce(name)
            assert array.shape == tuple(shape), name
            file.write(_encode(array, dtype).data)


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Tensor name -> {"dtype", "shape", "data_offsets"}; checks that the file is as long as it
    says.

    Raises:
        ModelError: not a safetensors file, or a torn one.
        StorageError: the file cannot be read.
    """
    hint = "copy or pull the model again"
    with storage_errors(path), path.open("rb") as file:
        size = path.stat().st_size
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _LONGEST_HEADER + 1
        text = file.read(length) if length <= min(size, _LONGEST_HEADER) else b""
    try:
        header: dict[str, dict[str, Any]] = json.loads(text)
        header.pop("__metadata__", None)
        end = max((int(tensor["data_offsets"][1]) for tensor in header.values()), default=0)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ModelError(f"{path}: not a safetensors file, or a torn one", hint=hint) from error
    if size != 8 + length + end:
        raise ModelError(
            f"{path}: {size} bytes long, but its header asks for {8 + length + end}", hint=hint
        )
    return header


def _encode(array: npt.NDArray[np.float32], dtype: Dtype) -> npt.NDArray[Any]:
    """A contiguous little-endian array of the wanted type; bfloat16 as its bits in uint16."""
    array = np.ascontiguousarray(array, dtype="<f4")
    if dtype == "float32":
        return array
    bits: npt.NDArray[np.uint32] = array.view("<u4")
    # Round to nearest even: add half of the last kept bit, and the bit itself where it is odd.
    rounded: npt.NDArray[np.uint16] = ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype("<u2")
    return rounded
