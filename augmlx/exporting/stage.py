"""The stage of the line that writes the adapter of a run in a form that other tools read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augmlx.core.errors import BadSettings
from augmlx.core.files import write_text
from augmlx.core.progress import Progress
from augmlx.core.records import AdapterSpec, Json, fingerprint
from augmlx.core.run_folder import RunFolder
from augmlx.exporting import export_folder, fused, peft, peft_config, requantised
from augmlx.exporting.card import About, model_card
from augmlx.exporting.forms import DTYPES, TYPES, Form, WeightType
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.models.formats import model_folder
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported.

    Args:
        form: of the result.
        target: the folder that is written.
        hf_base: the Hugging Face name that the user gave the base model, if any.
        weight_type: of a whole model's matrices; None: as the base has them, in GGUF f16.
        for_vllm: refuse what vLLM would not serve.
        about: what else the card says.
        bits: of a weight, where the whole model is quantised again.
    """

    form: Form
    target: Path
    hf_base: str | None = None
    weight_type: WeightType | None = None
    for_vllm: bool = False
    about: About = field(default_factory=About)
    bits: int | None = None

    def __post_init__(self) -> None:
        if self.bits is not None and self.form != "fused":
            raise BadSettings(
                f"--quantize: {self.form} is not in MLX's form, which alone is quantised so",
                hint="--format fused --quantize 4; for llama.cpp: --format gguf --type q8_0",
            )
        allowed = TYPES[self.form]
        if self.weight_type is not None and self.weight_type not in allowed:
            raise BadSettings(
                f"--type {self.weight_type}: {self.form} has "
                f"{', '.join(allowed) or 'no types to choose from'}",
                hint="leave it out" if not allowed else f"one of {', '.join(allowed)}",
            )


def inputs(training: str, order: Order) -> list[object]:
    """What an export depends on, for the stage's fingerprint.

    Args:
        training: the fingerprint of the training that made the adapter.
    """
    target = fingerprint(str(order.target.resolve()))  # of the folder, only this goes in
    about = [order.about.license, order.about.made, order.about.evaluation]
    kind = [order.form, order.weight_type, order.for_vllm]
    # Of later versions: an export that is without them stays up to date.
    later = [value for value in (order.bits, order.about.revision) if value is not None]
    return [training, target, order.hf_base, *kind, about, *later]


def outputs(order: Order) -> list[Path]:
    """The files without which an export is not finished."""
    names = _keys(order.form) if order.bits is None else requantised.KEYS
    return [order.target / name for name in names]


def _keys(form: Form) -> Sequence[str]:
    if form == "peft":
        return (peft.WEIGHTS, peft_config.CONFIG)
    if form == "fused":
        return (model_folder.WEIGHTS, fused.KEY)
    from augmlx.exporting.gguf_files import lora, model

    return (model.FILE,) if form == "gguf" else (lora.FILE,)


def write(run: RunFolder, order: Order, model: StoredModel, progress: Progress) -> Json:
    """Write the run's adapter as it was ordered, and say what the user should know about it.

    Args:
        model: what the adapter was trained on.

    Returns:
        The counts for the manifest.

    Raises:
        BadSettings: no usable name of the base, or a target that holds something else.
        ModelError: the adapter is missing, damaged, or has no such form.
        StorageError: the folder cannot be written.
    """
    spec = read_spec(run.adapter)
    hf_base = order.hf_base or model.hf_base
    if order.form == "peft":
        notes = peft.export_peft(
            run.adapter,
            spec,
            order.target,
            hf_base=hf_base,
            model_type=model_folder.read_config(model.path).get("model_type"),
            about=order.about,
            for_vllm=order.for_vllm,
        )
    else:
        weights = FusedWeights(model, run.adapter, spec)
        base = peft.base_name(spec, hf_base)
        if order.form == "fused":
            notes = _write_fused(weights, order, base, progress)
        else:
            notes = _write_gguf(weights, order, base)
    for note in notes:
        progress.say(note)
    return {"format": order.form}


def chat_template(model: StoredModel) -> str | None:
    """The chat template that a model is trained and asked with; None where it has none."""
    from augmlx.models.loading import tokenizer_of

    return _template_of(tokenizer_of(model))


def _template_of(tokenizer: Any) -> str | None:
    template = getattr(tokenizer, "chat_template", None)
    return template if isinstance(template, str) else None


def weight_type(weights: FusedWeights, order: Order) -> WeightType:
    """What the matrices of a whole model are written in."""
    if order.weight_type is not None:
        return order.weight_type
    if order.form == "gguf":
        return "f16"
    own = fused.own_dtype(weights)
    return next(kind for kind in TYPES["fused"] if DTYPES[kind] == own)


def _alphas(spec: AdapterSpec) -> dict[int, int]:
    """lora_alpha of each rank; none of a full training."""
    if spec.kind == "full":
        return {}
    ranks = {spec.rank_of(target) for target in spec.targets}
    return {rank: peft.whole_alpha(rank, spec.scale).whole for rank in sorted(ranks, reverse=True)}


def _card(weights: FusedWeights, order: Order, base: str, kind: str) -> str:
    assert weights.spec is not None
    return model_card(
        weights.spec,
        base,
        _alphas(weights.spec),
        form=order.form,
        weights=kind,
        about=order.about,
        for_mlx=order.bits is not None,
    )


def _write_fused(weights: FusedWeights, order: Order, base: str, progress: Progress) -> list[str]:
    dtype, bits = DTYPES[weight_type(weights, order)], order.bits
    template = chat_template(weights.model)
    assert weights.shapes  # read before anything is cleared
    changed = f"{len(weights.trained)} matrices of {len(weights.shapes)} tensors changed"
    kind = dtype if bits is None else requantised.in_words(bits, dtype)
    export_folder.prepare(order.target, fused.FILES, fused.KEY)
    write_text(order.target / export_folder.CARD, _card(weights, order, base, kind))
    if bits is not None:
        requantised.write_requantised(weights, order.target, dtype, template, bits, progress)
        return [f"{changed}, then all quantised: {kind}"]
    fused.write_fused(weights, order.target, dtype, template)
    notes = [f"{changed}, all in {dtype}"]
    if weights.model.bits:
        notes.append(
            f"the base is quantised to {weights.model.bits} bits: it is written dequantised, for "
            "requantising would lose a part of what was learnt"
        )
    return notes


def _write_gguf(weights: FusedWeights, order: Order, base: str) -> list[str]:
    from augmlx.exporting.gguf_files import lora, model, modelfile

    title = f"{base.rpartition('/')[2]} fine-tuned with augmlx"
    template, stops, made = _spoken(weights.model)
    alone = order.form == "gguf-lora"
    key = lora.FILE if alone else model.FILE
    if alone:
        lora.check(weights)
    else:
        model.check(weights, template)
    export_folder.prepare(order.target, (key, modelfile.FILE), key)
    kind = "float32" if alone else weight_type(weights, order)
    write_text(order.target / export_folder.CARD, _card(weights, order, base, kind))
    source = ["FROM ./base.gguf", f"ADAPTER ./{key}"] if alone else [f"FROM ./{key}"]
    note = f"put a GGUF file of {base} beside it as base.gguf" if alone else ""
    write_text(
        order.target / modelfile.FILE,
        modelfile.modelfile(source, made, stops, template=template, note=note),
    )
    if alone:
        alpha = lora.write_lora(weights, order.target / key, title)
        notes = [f"{len(weights.matrices)} modules, alpha {alpha}, in float32, for {base}"]
    else:
        chosen = weight_type(weights, order)
        model.write_model(weights, order.target / key, title, chosen, template)
        notes = [f"{len(weights.shapes)} tensors, matrices in {chosen}"]
    if template and made is None:
        notes.append(
            "the chat template has no proven form in Ollama's language: the Modelfile is without "
            "one, and Ollama goes by the GGUF file's where it can"
        )
    return notes


def modelfile_template(model: StoredModel) -> str:
    """The line of a Modelfile that says how a model is asked."""
    from augmlx.exporting.gguf_files import modelfile

    template, _, made = _spoken(model)
    return modelfile.template_line(made, template)


def _spoken(model: StoredModel) -> tuple[str | None, list[str], Any]:
    """A model's chat template, what ends an answer, and the template in Ollama's language: None
    where none is proven.
    """
    from augmlx.models.loading import tokenizer_of

    tokenizer = tokenizer_of(model)
    template, stops = _template_of(tokenizer), _stops(tokenizer)
    return template, stops, None if template is None else _go_template(tokenizer, stops)


def _go_template(tokenizer: Any, stops: Sequence[str]) -> Any:
    """The chat template in Ollama's language; None where none is proven."""
    from augmlx.exporting.gguf_files.modelfile import go_template

    def render(messages: Any) -> str:
        text: str = tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=True
        )
        return text

    begins = tokenizer.encode("a")[:1] == [tokenizer.bos_token_id]
    return go_template(render, tokenizer.bos_token if begins else "", stops)


def _stops(tokenizer: Any) -> list[str]:
    """What ends an answer."""
    ids = sorted(tokenizer.eos_token_ids)
    return [str(token) for token in tokenizer.convert_ids_to_tokens(ids)]
