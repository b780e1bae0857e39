"""The values that travel down the line. Frozen, plain, and written to disk as JSON objects."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from augmlx.core.example_id import ORACLE, ORIGINAL, of_operator

Json = dict[str, Any]
CHAT = "chat-"  # what the kind of a question begins with that is put in a chat


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of the user's. `source` is "facts.csv:17"; `group` ties facts that belong
    together.
    """

    id: str
    text: str
    source: str
    group: str | None = None
    # The row of a training set that the fact was read from, trained on as it is: prompt and
    # completion or messages, and perhaps tools. None for a plain statement. A dict has no hash, and
    # a fact must be able to stand in a set.
    row: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a produced text comes from: enough to regenerate it, or to blame."""

    fact_ids: tuple[str, ...]
    operator: str
    engine: str
    model: str
    seed: int
    sample: int
    prompt_sha256: str
    shown: tuple[str, ...] | None = (
        None  # the facts that stood in the prompt besides, where there were any
    )
    removed: tuple[str, ...] | None = None  # what the model said besides the text, such as "label"


@dataclass(frozen=True, slots=True)
class Example:
    """One training example. An original fact has the operator "original".

    `row` is what is trained on where that is more than a text: a row of the user's training set, or
    a question ("prompt") with its answer ("completion"). `agreement` is the share of its samples
    that say the same. `known` tells whether grammar knows it to be right, None where nobody asked.
    """

    id: str
    text: str
    origin: Origin
    row: Mapping[str, Any] | None = field(default=None, hash=False)
    agreement: float | None = None
    known: bool | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A produced text that is not trained on: `by` names the filter (or "engine"), `why` the
    reason.
    """

    id: str
    text: str
    by: str
    why: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class EvalItem:
    """One question. `kind`: forward, reversal, rephrase ... or any word the user's file holds. One
    that begins with "chat-" is put through the model's chat template and answered freely.
    """

    id: str
    kind: str
    prompt: str
    answer: str
    choices: tuple[str, ...]  # the answer is one of them; order is part of the item
    aliases: tuple[str, ...] = ()
    fact_ids: tuple[str, ...] = ()

    @property
    def in_chat(self) -> bool:
        return self.kind.startswith(CHAT)


@dataclass(frozen=True, slots=True)
class EvalResult:
    """One item answered by one arm. `scores[i]` is the summed log-probability (nats) of
    `choices[i]`. In a chat nothing is scored: `correct` is a reply that is the answer, `chosen` the
    only choice that it names, -1 where it names none or several.
    """

    item_id: str
    arm: str
    kind: str
    scores: tuple[float, ...]
    tokens: tuple[int, ...]  # number of tokens that each score sums over
    chosen: int
    correct: bool
    generated: str
    exact: bool
    f1: float = 0.0  # of the generated answer's tokens
    runs_on: bool = False  # a reply in a chat that goes on behind the answer


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """What an adapter is made of. PEFT's alpha = scale * rank. Of kind "full" it is the targets'
    own weights, without rank, scale and dropout: they are 0.
    """

    base: str  # name in the store
    hf_base: str | None  # the Hugging Face original, for export
    rank: int  # the largest
    scale: float
    dropout: float
    targets: tuple[str, ...]  # paths inside a layer, as "self_attn.q_proj"; brought: "lm_head" too
    layers: int  # how many of the last layers carry an adapter
    total_layers: int
    kind: Literal["lora", "dora", "full"] = "lora"
    ranks: tuple[tuple[str, int], ...] = ()  # of the targets that have a smaller one

    def rank_of(self, target: str) -> int:
        return dict(self.ranks).get(target, self.rank)


def unwritten(fact_ids: tuple[str, ...], operator: str) -> Origin:
    """The origin of a text that no model wrote: the user's own."""
    return Origin(fact_ids, operator, "", "", 0, 0, "")


def original(fact: Fact) -> Example:
    """A fact as a training example of its own."""
    name = of_operator(fact.id, ORIGINAL)
    return Example(name, fact.text, unwritten((fact.id,), ORIGINAL), fact.row)


def consequence(fact: Fact) -> Example:
    """What the user says follows from the fact of the same id, as a training example."""
    name = of_operator(fact.id, ORACLE)
    return Example(name, fact.text, unwritten((fact.id,), ORACLE), fact.row)


def to_json(record: Any) -> Json:
    """A record as a JSON object, with the keys in the order of its fields and None left out. What
    is not a record is taken as it is, not copied.
    """
    values = ((field.name, getattr(record, field.name)) for field in dataclasses.fields(record))
    return {
        name: to_json(value) if dataclasses.is_dataclass(value) else value
        for name, value in values
        if value is not None
    }


def origin_from_json(value: Mapping[str, Any]) -> Origin:
    lists = {name: tuple(value[name]) for name in ("shown", "removed") if name in value}
    return Origin(**{**value, "fact_ids": tuple(value["fact_ids"]), **lists})


def fact_from_json(value: Mapping[str, Any]) -> Fact:
    return Fact(**value)


def example_from_json(value: Mapping[str, Any]) -> Example:
    origin = origin_from_json(value["origin"])
    said = {name: value.get(name) for name in ("row", "agreement", "known")}
    return Example(value["id"], value["text"], origin, **said)


def result_from_json(value: Mapping[str, Any]) -> EvalResult:
    return EvalResult(
        **{**value, "scores": tuple(value["scores"]), "tokens": tuple(value["tokens"])}
    )


_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: the one form that is hashed."""
    return _encode(value).encode()


def fingerprint(value: Any) -> str:
    """sha256 (hex) of a JSON value in canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short_id(*parts: Any) -> str:
    """A stable 12-digit id of what it is made from."""
    return fingerprint(list(parts))[:12]
