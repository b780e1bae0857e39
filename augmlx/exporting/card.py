"""The model card beside an export. It holds no text of the user's and no path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from augmlx import __version__
from augmlx.core.records import AdapterSpec
from augmlx.exporting.export_folder import MARK
from augmlx.exporting.forms import Form

_EXPONENT = re.compile(r"[-+]?\d+[eE][-+]?\d+")
_PROOF = "<!-- proof -->"
_LIBRARY: Mapping[Form, str] = {
    "peft": "peft",
    "fused": "transformers",
    "gguf": "gguf",
    "gguf-lora": "gguf",
}
_RELATION: Mapping[Form, str] = {
    "peft": "adapter",
    "fused": "finetune",
    "gguf": "quantized",
    "gguf-lora": "adapter",
}

_LM_STUDIO = "LM Studio: copy the folder into its models folder, two folders deep.\n"
_USE_OF_MLX = f"""```sh
mlx_lm.generate --model path/to/this/folder --prompt "..."
```

{_LM_STUDIO}
transformers and vLLM do not read MLX's quantised weights.
"""


@dataclass(frozen=True, slots=True)
class About:
    """What else a card says, in Markdown or as a plain value; "" and None: it does not.

    Args:
        license: of the base model, as the Hub spells it.
        revision: the commit of the base model.
        made: how the training data were made, in numbers.
        evaluation: what the run's evaluation came to.
    """

    license: str | None = None
    revision: str | None = None
    made: str = ""
    evaluation: str = ""


def spread(numbers: Iterable[int]) -> str:
    """One number, or the least and the greatest of several."""
    distinct = sorted(set(numbers))
    least, greatest = distinct[0], distinct[-1]
    return str(least) if least == greatest else f"{least} to {greatest}"


def model_card(
    spec: AdapterSpec,
    base: str,
    alpha_of_rank: Mapping[int, int],
    *,
    form: Form = "peft",
    weights: str = "float32",
    about: About | None = None,
    for_mlx: bool = False,
) -> str:
    """README.md in Hugging Face's form: YAML front matter, then Markdown.

    Args:
        base: the Hugging Face name of the base model.
        alpha_of_rank: lora_alpha for each rank that a module has; none of a full training.
        weights: the type of the numbers, in words.
        for_mlx: a whole model in MLX's own quantisation, which transformers does not read.
    """
    # Its YAML alone: what the library does besides with a card, such as checking it, asks the Hub.
    from huggingface_hub import ModelCardData

    about = about or About()
    data = ModelCardData(
        base_model=base,
        base_model_relation="quantized" if for_mlx else _RELATION[form],
        library_name="mlx" if for_mlx else _LIBRARY[form],
        pipeline_tag="text-generation",
        tags=[spec.kind, "augmlx", "mlx"],
        license=about.license,
    )
    head = data.to_yaml()
    if _EXPONENT.fullmatch(base):
        # YAML 1.1, which the library writes, takes it for a text; YAML 1.2 reads a number.
        head = head.replace(f"base_model: {base}\n", f"base_model: '{base}'\n")
    use = _USE_OF_MLX if for_mlx else _use(form, base, spec)
    body = _text(spec, base, alpha_of_rank, form, weights, about, use)
    return f"---\n{head}\n---\n{body}"


def with_proof(card: str, proof: str) -> str:
    """The card with what a verification came to, in the place of what an earlier one did."""
    before, _, rest = card.partition(_PROOF)
    return f"{before}{_PROOF}\n{proof}\n\n{rest.partition(chr(10) * 2)[2]}"


def _text(
    spec: AdapterSpec,
    base: str,
    alpha_of_rank: Mapping[int, int],
    form: Form,
    weights: str,
    about: About,
    use: str,
) -> str:
    """What a reader of the card sees, in Markdown."""
    method = {"lora": "LoRA", "dora": "DoRA", "full": "full training"}[spec.kind]
    revision = f", revision `{about.revision}`" if about.revision else ""
    what = f"{method} adapter for {base}"
    if form in ("fused", "gguf"):
        what = f"{base}, fine-tuned"
    parts = method
    if alpha_of_rank:
        rank, alpha = spread(alpha_of_rank), spread(alpha_of_rank.values())
        parts = f"{method}, rank {rank}, alpha {alpha}, dropout {spec.dropout:g}"
    return f"""{MARK}

# {what}

| | |
|---|---|
| Base model | `{base}`{revision} |
| Method | {parts} |
| Modules | {_modules(spec)} |
| Layers | {_layers(spec)} |
| Trained with | augmlx {__version__} on MLX: the facts, and what the model inferred from them in context |
| Weights | {weights} |

{_PROOF}
Not verified: `augmlx export --verify` compares it with MLX.

## Use

{use}{about.made}{about.evaluation}
## Before you share it

This {"model" if form in ("fused", "gguf") else "adapter"} contains the facts it was trained on: whoever has it can ask for them. Share it only with people who may
read those facts. The licence of the base model applies to its use.
"""  # noqa: E501


def _use(form: Form, base: str, spec: AdapterSpec) -> str:
    """How it is loaded, by one program after the other."""
    here = "path/to/this/folder"
    if form == "peft":
        code = f"""from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{base}")
model = PeftModel.from_pretrained(model, "{here}")
tokenizer = AutoTokenizer.from_pretrained("{base}")"""
        shell = f"""augmlx import {here} -o adapter        # for mlx-lm
mlx_lm.generate --model {base} --adapter-path adapter --prompt "...\""""
        if spec.kind == "lora":
            rank = f" --max-lora-rank {spec.rank}" if spec.rank > 16 else ""
            shell += f"""
vllm serve {base} --enable-lora{rank} --lora-modules tuned={here}"""
        return f"```python\n{code}\n```\n\n```sh\n{shell}\n```\n"
    if form == "fused":
        code = f"""from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{here}")
tokenizer = AutoTokenizer.from_pretrained("{here}")"""
        shell = f"""mlx_lm.generate --model {here} --prompt "..."
vllm serve {here}"""
        return f"```python\n{code}\n```\n\n```sh\n{shell}\n```\n\n{_LM_STUDIO}"
    if form == "gguf":
        return (
            '```sh\nllama-cli -m model.gguf -p "..." --temp 0\n'
            "ollama create tuned -f Modelfile && ollama run tuned\n```\n\n"
            "LM Studio: copy model.gguf into its models folder, two folders deep.\n"
        )
    return (
        f"base.gguf is a GGUF file of `{base}`.\n\n"
        '```sh\nllama-cli -m base.gguf --lora adapter.gguf -p "..." --temp 0\n'
        "ollama create tuned -f Modelfile && ollama run tuned\n```\n"
    )


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
