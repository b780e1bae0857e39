"""The tokenizer inside a GGUF file -> tokenizer.json and tokenizer_config.json.

Byte-level BPE ("gpt2") and SentencePiece BPE ("llama"). A GGUF does not carry the pre-tokenizer,
only a name for it; an unknown name is refused, because a wrong split gives a model that seems to
work and is quietly worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from augmlx.core.errors import ModelError
from augmlx.core.records import Json
from augmlx.models.formats.gguf_architectures import ARCHITECTURES

_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4  # token types of llama.cpp

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED_WORDS = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
_REST_WITH_SLASH = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# How a family splits a text before its merges.
_SPLITS = {
    "llama3": _WORDS + r"|\p{N}{1,3}" + _REST,
    "qwen2": _WORDS + r"|\p{N}" + _REST,
    "tekken": _CASED_WORDS + r"|\p{N}" + _REST_WITH_SLASH,
}

# The family of each name of `tokenizer.ggml.pre`.
_FAMILIES = {
    "gpt-2": "gpt2",
    "smollm": "digits",  # GPT-2's split, with every digit by itself
    "starcoder": "digits",
    "refact": "digits",
    "llama-bpe": "llama3",
    "llama3": "llama3",
    "llama-v3": "llama3",
    "qwen2": "qwen2",
    "deepseek-r1-qwen": "qwen2",
    "tekken": "tekken",  # Mistral's, since Nemo
}
# They take a whole word that is in the vocabulary as it is, even where the merges would not reach
# it.
_WHOLE_WORDS = ("llama3", "tekken")
# Where llama.cpp begins a text with the token for it if the file has no flag.
_BEGUN = ("sentencepiece", "llama3", "tekken")
# Phi 3's special tokens that keep the space behind them.
_UNTRIMMED = ("<unk>", "<s>", "<|endoftext|>")


def build(path: Path, metadata: Mapping[str, Any]) -> tuple[Tokenizer, Json]:
    """The tokenizer of a GGUF file and its tokenizer_config.json, chat template included.

    Raises:
        ModelError: no tokenizer, or one of a kind that is not supported.
    """
    kind = metadata.get("tokenizer.ggml.model")
    tokens: list[str] = metadata.get("tokenizer.ggml.tokens") or []
    if not tokens:
        raise ModelError(
            f"{path}: holds no tokenizer", hint="choose a GGUF file with its tokenizer inside"
        )
    types: list[int] = metadata.get("tokenizer.ggml.token_type") or [1] * len(tokens)
    if kind == "gpt2":
        tokenizer, family = _byte_level(path, tokens, metadata)
    elif kind == "llama":
        tokens = _with_spaces(tokens, types)
        tokenizer, family = _sentencepiece(path, tokens, metadata), "sentencepiece"
    else:
        raise ModelError(f"{path}: tokenizer '{kind}' is not supported (gpt2 and llama are)")
    architecture = ARCHITECTURES.get(str(metadata.get("general.architecture")))
    trims = family == "sentencepiece" and architecture is not None and architecture.trims
    for token, type_ in zip(tokens, types, strict=True):
        if type_ not in (_UNKNOWN, _CONTROL, _USER_DEFINED):
            continue
        special = type_ != _USER_DEFINED
        rstrip = trims and token not in _UNTRIMMED
        added = AddedToken(token, normalized=False, special=special, rstrip=rstrip)
        if special:
            tokenizer.add_special_tokens([added])
        else:
            tokenizer.add_tokens([added])
    return tokenizer, _finish(tokenizer, tokens, metadata, family)


def _with_spaces(tokens: list[str], types: list[int]) -> list[str]:
    """The tokens, those that are taken out of the plain text spelt with its spaces. Older files of
    Gemma have "▁▁" where newer ones have two spaces.
    """
    return [
        token.replace("▁", " ") if type_ == _USER_DEFINED else token
        for token, type_ in zip(tokens, types, strict=True)
    ]


def _byte_level(
    path: Path, tokens: list[str], metadata: Mapping[str, Any]
) -> tuple[Tokenizer, str]:
    pre = metadata.get("tokenizer.ggml.pre")
    family = _FAMILIES.get(str(pre))
    if family is None:
        known = ", ".join(sorted(_FAMILIES))
        raise ModelError(f"{path}: pre-tokenizer '{pre}' is not supported (these are: {known})")
    merges = [_pair(merge) for merge in metadata.get("tokenizer.ggml.merges") or []]
    vocabulary = {token: index for index, token in reversed(list(enumerate(tokens)))}
    model = models.BPE(vocab=vocabulary, merges=merges, ignore_merges=family in _WHOLE_WORDS)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = split_of(family).pre_tokenizer
    if family == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, family


def split_of(family: str) -> Tokenizer:
    """A tokenizer without a vocabulary that splits texts as a family does before its merges."""
    tokenizer = Tokenizer(models.BPE())
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if family in _SPLITS:
        split = pre_tokenizers.Split(Regex(_SPLITS[family]), behavior="isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_only])
    elif family == "digits":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), gpt2]
        )
    else:
        tokenizer.pre_tokenizer = gpt2
    return tokenizer


def _pair(merge: str) -> tuple[str, str]:
    # Byte-level tokens hold no space of their own: the one in the middle separates.
    left, _, right = merge.partition(" ")
    return left, right


def _sentencepiece(path: Path, tokens: list[str], metadata: Mapping[str, Any]) -> Tokenizer:
    """SentencePiece BPE: the merges are implied by the scores, the unknown falls back to bytes.

    This is the conversion of transformers' own LlamaConverter, with llama.cpp's prefix space.
    """
    scores = metadata.get("tokenizer.ggml.scores")
    if not scores or "<0x00>" not in tokens:
        raise ModelError(
            f"{path}: a SentencePiece tokenizer without scores or byte tokens is not supported"
        )
    vocabulary = {token: index for index, token in reversed(list(enumerate(tokens)))}
    unknown = tokens[int(metadata.get("tokenizer.ggml.unknown_token_id", 0))]
    merges = _merges_from_scores(vocabulary, scores)
    model = models.BPE(
        vocab=vocabulary, merges=merges, unk_token=unknown, fuse_unk=True, byte_fallback=True
    )
    tokenizer = Tokenizer(model)
    prefix = bool(metadata.get("tokenizer.ggml.add_space_prefix", True))
    steps: list[Any] = [normalizers.Prepend("▁")] if prefix else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    strip = [decoders.Strip(content=" ", left=1, right=0)] if prefix else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    return tokenizer


def _merges_from_scores(
    vocabulary: Mapping[str, int], scores: list[float]
) -> list[tuple[str, str]]:
    """Every way to build a token from two others, best token first; ties by the ids of the
    parts.
    """
    ranked = []
    for token, index in vocabulary.items():
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if left in vocabulary and right in vocabulary:
                ranked.append((-scores[index], vocabulary[left], vocabulary[right], left, right))
    return [(left, right) for _, _, _, left, right in sorted(ranked)]


def _finish(
    tokenizer: Tokenizer, tokens: list[str], metadata: Mapping[str, Any], family: str
) -> Json:
    """Set what is added around a text, and return tokenizer_config.json."""

    def token(key: str) -> str | None:
        index = metadata.get(f"tokenizer.ggml.{key}_token_id")
        return None if index is None else tokens[int(index)]

    bos, eos = token("bos"), token("eos")
    add_bos = bool(bos and metadata.get("tokenizer.ggml.add_bos_token", family in _BEGUN))
    add_eos = bool(eos and metadata.get("tokenizer.ggml.add_eos_token", False))
    before = bos if add_bos else None
    behind = eos if add_eos else None
    if before or behind:
        tokenizer.post_processor = _template(tokens, before, behind)
    config: Json = {
        # The class that reads tokenizer.json as it is; the llama class would put its own
        # pre-tokenizer in.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "add_bos_token": add_bos,
        "add_eos_token": add_eos,
        "bos_token": bos,
        "eos_token": eos,
        "unk_token": token("unknown"),
        "pad_token": token("padding"),
    }
    architecture = metadata.get("general.architecture")
    if length := metadata.get(f"{architecture}.context_length"):
        config["model_max_length"] = int(length)
    if template := metadata.get("tokenizer.chat_template"):
        config["chat_template"] = template
    return {key: value for key, value in config.items() if value is not None}


def _template(
    tokens: list[str], before: str | None, behind: str | None
) -> processors.TemplateProcessing:
    """What puts special tokens around a text, or around each of two."""
    single = " ".join(part for part in (before, "$A", behind) if part)
    second = single.replace("$A", "$B")
    special = dict.fromkeys(part for part in (before, behind) if part)
    return processors.TemplateProcessing(
        single=single,
        pair=f"{single} {second}",
        special_tokens=[(text, tokens.index(text)) for text in special],
    )
