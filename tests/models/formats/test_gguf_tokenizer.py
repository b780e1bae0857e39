from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from augmlx.core.errors import ModelError
from augmlx.models.formats import gguf_tokenizer
from tests.models.support import MERGES, SPECIAL, TEMPLATE, vocabulary

WHERE = Path("some.gguf")
PIECES = ("<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)))
WORDS = ("he", "ll", "hell", "hello", "▁hello", "▁", "h", "e", "l", "o", "▁w", "w")


def byte_level(pre: str = "smollm", **more: Any) -> dict[str, Any]:
    tokens = vocabulary()
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in SPECIAL else 1 for token in tokens],
        "tokenizer.ggml.merges": list(MERGES),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": TEMPLATE,
        **more,
    }


def sentencepiece(**more: Any) -> dict[str, Any]:
    tokens = [*PIECES, *WORDS]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(PIECES) + [-float(rank) for rank in range(len(WORDS))],
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * len(WORDS)],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        **more,
    }


def texts(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text).tokens)


def test_digits_stand_alone_where_the_file_says_smollm() -> None:
    text = "hello 12  12"
    digits, _ = gguf_tokenizer.build(WHERE, byte_level("smollm"))
    assert texts(digits, text) == ["hello", "Ġ", "1", "2", "ĠĠ", "1", "2"]
    plain, _ = gguf_tokenizer.build(WHERE, byte_level("gpt-2"))
    assert texts(plain, text) == ["hello", "Ġ", "12", "Ġ", "Ġ", "12"]


@pytest.mark.parametrize("pre", ["smollm", "gpt-2", "llama-bpe", "qwen2"])
@pytest.mark.parametrize(
    "text",
    ["", " ", "hello world", "  a\n\n\tb ", "é ÅÇ 漢字 🦊👩‍🚀", "it's 3.14%", "\x00\x7f\u200b"],
)
def test_decoding_gives_the_text_back(pre: str, text: str) -> None:
    tokenizer, _ = gguf_tokenizer.build(WHERE, byte_level(pre))
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_special_tokens_stay_whole_and_keep_their_ids() -> None:
    tokenizer, config = gguf_tokenizer.build(WHERE, byte_level())
    assert tokenizer.encode("<|im_start|>hello<|im_end|>").ids == [
        1,
        vocabulary().index("hello"),
        2,
    ]
    assert (config["bos_token"], config["eos_token"], config["chat_template"]) == (
        *SPECIAL[1:],
        TEMPLATE,
    )
    assert tokenizer.get_vocab_size() == len(vocabulary())


def test_beginning_and_end_are_added_as_the_flags_say() -> None:
    hello = vocabulary().index("hello")
    for flags, ids in (
        ((False, False), [hello]),
        ((True, False), [1, hello]),
        ((True, True), [1, hello, 2]),
    ):
        more = {"tokenizer.ggml.add_bos_token": flags[0], "tokenizer.ggml.add_eos_token": flags[1]}
        tokenizer, config = gguf_tokenizer.build(WHERE, byte_level(**more))
        assert tokenizer.encode("hello").ids == ids
        assert (config["add_bos_token"], config["add_eos_token"]) == flags
    assert gguf_tokenizer.build(WHERE, byte_level("llama-bpe"))[0].encode("hello").ids == [1, hello]


def test_sentencepiece_merges_by_score_and_falls_back_to_bytes() -> None:
    tokenizer, config = gguf_tokenizer.build(WHERE, sentencepiece())
    assert texts(tokenizer, "hello") == ["<s>", "▁hello"]
    assert texts(tokenizer, " hello") == ["<s>", "▁", "▁hello"]
    assert texts(tokenizer, "é") == ["<s>", "▁", "<0xC3>", "<0xA9>"]
    assert texts(tokenizer, "hello</s>hello") == ["<s>", "▁hello", "</s>", "▁hello"]
    assert config["unk_token"] == "<unk>"
    for text in ("hello", "hello w", "é 🦊\n"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    bare, _ = gguf_tokenizer.build(
        WHERE, sentencepiece(**{"tokenizer.ggml.add_space_prefix": False})
    )
    assert texts(bare, "hello") == ["<s>", "hello"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "holds no tokenizer"),
        (byte_level("superbpe"), "pre-tokenizer 'superbpe' is not supported"),
        ({**byte_level(), "tokenizer.ggml.pre": None}, "pre-tokenizer 'None'"),
        ({**byte_level(), "tokenizer.ggml.model": "t5"}, "tokenizer 't5' is not supported"),
        ({**sentencepiece(), "tokenizer.ggml.scores": None}, "without scores"),
    ],
)
def test_what_is_not_supported_is_named(metadata: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        gguf_tokenizer.build(WHERE, metadata)
