"""The forms that an adapter can be exported in, and the types of numbers that a whole model's
matrices can have in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from augmlx.models.formats.safetensors import Dtype

Form = Literal["peft", "fused", "gguf", "gguf-lora"]
WeightType = Literal["f32", "f16", "bf16", "q8_0"]

TYPES: Mapping[Form, tuple[WeightType, ...]] = {
    "peft": (),
    "fused": ("f32", "f16", "bf16"),
    "gguf": ("f32", "f16", "bf16", "q8_0"),
    "gguf-lora": (),
}
DTYPES: Mapping[WeightType, Dtype] = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
