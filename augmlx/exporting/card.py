"""The model card beside an exported adapter. It holds no text of the user's and no path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from augmlx import __version__
from augmlx.core.records import AdapterSpec

MARK = "<!-- written by augmlx: a later export replaces this folder -->"


def spread(numbers: Iterable[int]) -> str:
    """One number, or the least and the greatest of several."""
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def model_card(spec: AdapterSpec, base: str, alpha: Mapping[int, int]) -> str:
    """README.md in Hugging Face's form: YAML front matter, then Markdown. `alpha` is that of each
    rank.
    """
    method = "DoRA" if spec.kind == "dora" else "LoRA"
    smaller = dict(spec.ranks)
    modules = ", ".join(sorted({_module(target, smaller.get(target)) for target in spec.targets}))
    layers = (
        f"the last {spec.layers} of {spec.total_layers}"
        if spec.layers < spec.total_layers
        else "all"
    )
    return f"""---
base_model: {base}
library_name: peft
pipeline_tag: text-generation
tags:
- {spec.kind}
- augmlx
- mlx
---
{MARK}

# {method} adapter for {base}

| | |
|---|---|
| Base model | `{base}` |
| Method | {method}, rank {spread(alpha)}, alpha {spread(alpha.values())}, dropout {spec.dropout:g} |
| Modules | {modules} |
| Layers | {layers} |
| Trained with | augmlx {__version__} on MLX: the facts, and what the model inferred from them in context |
| Weights | float32 |

## Use

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{base}")
model = PeftModel.from_pretrained(model, "path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained("{base}")
```

## Before you share it

This adapter contains the facts it was trained on: whoever has it can ask for them. Share it only with people who may
read those facts. The licence of the base model applies to its use.
"""  # noqa: E501


def _module(target: str, smaller: int | None) -> str:
    name = f"`{target.rpartition('.')[2]}`"
    return name if smaller is None else f"{name} (rank {smaller})"
