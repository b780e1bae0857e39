"""The model card beside an exported adapter. It holds no text of the user's and no path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from augmlx import __version__
from augmlx.core.records import AdapterSpec

_EXPONENT = re.compile(r"[-+]?\d+[eE][-+]?\d+")
MARK = "<!-- written by augmlx: a later export replaces this folder -->"


def spread(numbers: Iterable[int]) -> str:
    """One number, or the least and the greatest of several."""
    distinct = sorted(set(numbers))
    least, greatest = distinct[0], distinct[-1]
    return str(least) if least == greatest else f"{least} to {greatest}"


def model_card(spec: AdapterSpec, base: str, alpha_of_rank: Mapping[int, int]) -> str:
    """README.md in Hugging Face's form: YAML front matter, then Markdown.

    Args:
        base: the Hugging Face name of the base model.
        alpha_of_rank: lora_alpha for each rank that a module has.
    """
    # Its YAML alone: what the library does besides with a card, such as checking it, asks the Hub.
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=base,
        library_name="peft",
        pipeline_tag="text-generation",
        tags=[spec.kind, "augmlx", "mlx"],
    )
    head = data.to_yaml()
    if _EXPONENT.fullmatch(base):
        # YAML 1.1, which the library writes, takes it for a text; YAML 1.2 reads a number.
        head = head.replace(f"base_model: {base}\n", f"base_model: '{base}'\n")
    return f"---\n{head}\n---\n{_text(spec, base, alpha_of_rank)}"


def _text(spec: AdapterSpec, base: str, alpha_of_rank: Mapping[int, int]) -> str:
    """What a reader of the card sees, in Markdown."""
    method = "DoRA" if spec.kind == "dora" else "LoRA"
    rank, alpha = spread(alpha_of_rank), spread(alpha_of_rank.values())
    return f"""{MARK}

# {method} adapter for {base}

| | |
|---|---|
| Base model | `{base}` |
| Method | {method}, rank {rank}, alpha {alpha}, dropout {spec.dropout:g} |
| Modules | {_modules(spec)} |
| Layers | {_layers(spec)} |
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


def _layers(spec: AdapterSpec) -> str:
    if spec.layers < spec.total_layers:
        return f"the last {spec.layers} of {spec.total_layers}"
    return "all"


def _modules(spec: AdapterSpec) -> str:
    """The names of the trained modules, with their rank where it is not the largest."""
    smaller_ranks = dict(spec.ranks)
    names = set()
    for target in spec.targets:
        name = f"`{target.rpartition('.')[2]}`"
        rank = smaller_ranks.get(target)
        names.add(name if rank is None else f"{name} (rank {rank})")
    return ", ".join(sorted(names))
