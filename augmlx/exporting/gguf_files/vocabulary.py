"""The tokenizer of a model folder as the keys of a GGUF file: tokens, their types, merges or
scores, the name of the split, special tokens and the chat template.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from augmlx.core.errors import ModelError, storage_errors
from augmlx.models.formats import gguf_tokenizer, model_folder

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
# The name that is written for each family of splits that the importer knows.
_NAMES = {
    "gpt2": "gpt-2",
    "digits": "smollm",
    "llama3": "llama-bpe",
    "qwen2": "qwen2",
    "tekken": "tekken",
}
# Each of the families cuts this otherwise than the others.
_PROBE = (
    "Hello there,  it's 12345 o'clock; I'LL pay $3.50/7!\n\n\t Zürich  HTTPServer camelCase "
    "東京 x=1\r\n  ok   /path/to "
)
_PIECE = "▁"


def metadata(folder: Path, vocab_size: int, chat_template: str | None) -> dict[str, Any]:
    """`tokenizer.*` keys -> their values, as models/formats/gguf_tokenizer.py reads them.

    Args:
        vocab_size: rows of the embedding; those without a token are filled up with unused ones.
        chat_template: as the model was trained with; None: without one.

    Raises:
        ModelError: the tokenizer is of a kind that has no proven form in GGUF.
    """
    path = folder / model_folder.TOKENIZER
    if not path.is_file():
        raise ModelError(f"{folder}: no {path.name}, which GGUF's vocabulary is made from")
    with storage_errors(path):
        described: dict[str, Any] = json.loads(path.read_text("utf-8"))
    tokenizer = Tokenizer.from_file(str(path))
    model = described["model"]
    if model.get("type") != "BPE":
        raise ModelError(f"{path}: a tokenizer of type {model.get('type')} has no form in GGUF")
    config = json.loads((folder / model_folder.TOKENIZER_CONFIG).read_text("utf-8"))
    tokens = _tokens(tokenizer, vocab_size)
    added = {int(token["id"]): token for token in described.get("added_tokens") or []}
    unknown = model.get("unk_token")
    if model.get("byte_fallback"):
        values = _sentencepiece(tokens, model, described)
    else:
        values = _byte_level(path, tokenizer, model)
    types = [_type(token, added.get(n), unknown) for n, token in enumerate(tokens)]
    types[tokenizer.get_vocab_size() :] = [_UNUSED] * (len(tokens) - tokenizer.get_vocab_size())
    values |= {"ggml.tokens": tokens, "ggml.token_type": types}
    values |= _special(tokenizer, config, unknown)
    if chat_template:
        values["chat_template"] = chat_template
    return {f"tokenizer.{key}": value for key, value in values.items()}


def _tokens(tokenizer: Tokenizer, vocab_size: int) -> list[str]:
    """Every token by its id, the rows of the embedding that have none included."""
    named = {index: token for token, index in tokenizer.get_vocab(with_added_tokens=True).items()}
    return [named.get(n, f"[PAD{n}]") for n in range(max(vocab_size, *named) if named else 0)]


def _type(token: str, added: Mapping[str, Any] | None, unknown: str | None) -> int:
    if token == unknown:
        return _UNKNOWN
    if added is not None:
        return _CONTROL if added["special"] else _USER_DEFINED
    return _BYTE if _is_byte(token) else _NORMAL


def _is_byte(token: str) -> bool:
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def _byte_level(path: Path, tokenizer: Tokenizer, model: Mapping[str, Any]) -> dict[str, Any]:
    family = split_family(tokenizer)
    if family is None:
        raise ModelError(
            f"{path}: splits texts in a way that llama.cpp has no known name for",
            hint="llama.cpp's own converter may know it: give it the fused folder",
        )
    return {
        "ggml.model": "gpt2",
        "ggml.pre": _NAMES[family],
        "ggml.merges": [_merge(pair) for pair in model["merges"]],
    }


def split_family(tokenizer: Tokenizer) -> str | None:
    """Which of the importer's families cuts texts as this tokenizer does; None where none. By what
    it does, as llama.cpp's converter goes: the same split can be written in several ways.
    """
    if tokenizer.pre_tokenizer is None:
        return None
    pieces = _pieces(tokenizer)
    for family in _NAMES:
        if _pieces(gguf_tokenizer.split_of(family)) == pieces:
            return family
    return None


def _pieces(tokenizer: Tokenizer) -> list[str]:
    assert tokenizer.pre_tokenizer is not None
    return [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(_PROBE)]


def _merge(pair: str | Sequence[str]) -> str:
    return pair if isinstance(pair, str) else " ".join(pair)


def _sentencepiece(
    tokens: Sequence[str], model: Mapping[str, Any], described: Mapping[str, Any]
) -> dict[str, Any]:
    """Scores in the place of merges: a token's is the better the earlier it is merged."""
    first: dict[str, int] = {}
    for rank, pair in enumerate(model["merges"]):
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        first.setdefault(left + right, rank)
    scores = [-float(first.get(token, len(model["merges"]))) for token in tokens]
    steps = described.get("normalizer") or {}
    prefixed = any(step.get("type") == "Prepend" for step in steps.get("normalizers", [steps]))
    metaspace = described.get("pre_tokenizer") or {}
    prefixed = prefixed or metaspace.get("prepend_scheme") in ("first", "always")
    return {
        "ggml.model": "llama",
        "ggml.pre": "default",
        "ggml.scores": scores,
        "ggml.add_space_prefix": prefixed,
    }


def _special(
    tokenizer: Tokenizer, config: Mapping[str, Any], unknown: str | None
) -> dict[str, Any]:
    """The ids of the special tokens, and whether a text is begun and ended with them."""
    values: dict[str, Any] = {}
    names = {"bos": "bos_token", "eos": "eos_token", "padding": "pad_token"}
    for gguf_name, key in names.items():
        index = _id(tokenizer, config.get(key))
        if index is not None:
            values[f"ggml.{gguf_name}_token_id"] = index
    index = _id(tokenizer, unknown or config.get("unk_token"))
    if index is not None:
        values["ggml.unknown_token_id"] = index
    around = tokenizer.encode("a").ids
    values["ggml.add_bos_token"] = around[:1] == [values.get("ggml.bos_token_id")]
    values["ggml.add_eos_token"] = around[-1:] == [values.get("ggml.eos_token_id")]
    return values


def _id(tokenizer: Tokenizer, token: Any) -> int | None:
    """The id of a special token as a config names it, a text or an object."""
    text = token.get("content") if isinstance(token, dict) else token
    index: int | None = tokenizer.token_to_id(text) if text else None
    return index
