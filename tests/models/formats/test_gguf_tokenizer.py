from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
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


def sentencepiece_metadata(**more: Any) -> dict[str, Any]:
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


@pytest.mark.parametrize("pre", ["smollm", "gpt-2", "llama-bpe", "qwen2", "tekken"])
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
    tokenizer, config = gguf_tokenizer.build(WHERE, sentencepiece_metadata())
    assert texts(tokenizer, "hello") == ["<s>", "▁hello"]
    assert texts(tokenizer, " hello") == ["<s>", "▁", "▁hello"]
    assert texts(tokenizer, "é") == ["<s>", "▁", "<0xC3>", "<0xA9>"]
    assert texts(tokenizer, "hello</s>hello") == ["<s>", "▁hello", "</s>", "▁hello"]
    assert config["unk_token"] == "<unk>"
    for text in ("hello", "hello w", "é 🦊\n"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    bare, _ = gguf_tokenizer.build(
        WHERE, sentencepiece_metadata(**{"tokenizer.ggml.add_space_prefix": False})
    )
    assert texts(bare, "hello") == ["<s>", "hello"]


CORPUS = [
    "The cat sat on the mat, and the other cat sat on it.",
    "  two spaces, three   spaces and a tab\there",
    "Größe, naïve, café: 3.14 of 100",
    "def f(x):\n    return x",
]
ODD_TEXTS = (
    *CORPUS,
    "",
    " ",
    "   ",
    " leading and trailing ",
    "cat  cat",
    "unseen: 漢字 🦊\x00",
    "<b>bold</b>",
)


def trained(**options: Any) -> tuple[sentencepiece.SentencePieceProcessor, dict[str, Any]]:
    """A SentencePiece model, and what a GGUF file made of it says."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(CORPUS * 20),
        model_writer=out,
        model_type="bpe",
        vocab_size=360,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    truth = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    ids = range(truth.vocab_size())
    kinds = ((truth.IsUnknown, 2), (truth.IsControl, 3), (truth.IsByte, 6))
    user_defined = options.get("user_defined_symbols", [])

    def kind(index: int) -> int:
        if truth.IdToPiece(index) in user_defined:
            return 4
        return next((number for is_kind, number in kinds if is_kind(index)), 1)

    return truth, {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [truth.IdToPiece(index) for index in ids],
        "tokenizer.ggml.scores": [truth.GetScore(index) for index in ids],
        "tokenizer.ggml.token_type": [kind(index) for index in ids],
        "tokenizer.ggml.add_bos_token": False,
    }


def test_text_is_cut_as_sentencepiece_itself_cuts_it() -> None:
    truth, metadata = trained()
    tokenizer, _ = gguf_tokenizer.build(WHERE, metadata)
    for text in ODD_TEXTS:
        assert tokenizer.encode(text).ids == truth.encode(text), text


@pytest.mark.parametrize("spelling", ["▁", " "], ids=["older", "newer"])
def test_gemma_cuts_runs_of_spaces_out_first_as_sentencepiece_does(spelling: str) -> None:
    truth, metadata = trained(
        add_dummy_prefix=False, user_defined_symbols=["▁▁", "▁▁▁", "<b>", "</b>"]
    )
    tokens = metadata["tokenizer.ggml.tokens"]
    for index in range(3, 7):  # the user-defined ones, as a converter spells them
        tokens[index] = tokens[index].replace("▁", spelling)
    metadata |= {
        "general.architecture": "gemma2",
        "tokenizer.ggml.add_space_prefix": False,
    }
    tokenizer, _ = gguf_tokenizer.build(WHERE, metadata)
    assert tokenizer.get_vocab_size() == truth.vocab_size()
    for text in ODD_TEXTS:
        assert tokenizer.encode(text).ids == truth.encode(text), text
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_special_tokens_of_phi3_swallow_the_space_behind_them() -> None:
    tokens = [*PIECES, *WORDS, "<|end|>", "<|endoftext|>"]
    added = {
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [-float(rank) for rank in range(len(tokens))],
        "tokenizer.ggml.token_type": [2, 3, 4, *[6] * 256, *[1] * len(WORDS), 3, 3],
        "tokenizer.ggml.add_bos_token": False,
    }
    text = "<|end|>\n hello</s> hello<s> hello<|endoftext|> hello"
    phi3 = {**sentencepiece_metadata(**added), "general.architecture": "phi3"}
    swallowed = ["<|end|>", "▁hello", "</s>", "▁hello"]
    kept = ["<s>", "▁", "▁hello", "<|endoftext|>", "▁", "▁hello"]
    ids = gguf_tokenizer.build(WHERE, phi3)[0].encode(text).ids
    assert [tokens[index] for index in ids] == [*swallowed, *kept]
    llama = {**phi3, "general.architecture": "llama"}
    assert texts(gguf_tokenizer.build(WHERE, llama)[0], "</s> hello") == ["</s>", "▁", "▁hello"]


def test_tekken_splits_by_case_and_takes_whole_words() -> None:
    hello = vocabulary().index("hello")
    tokenizer, config = gguf_tokenizer.build(WHERE, byte_level("tekken"))
    assert config["add_bos_token"] is True
    assert texts(tokenizer, "hello") == ["<|im_start|>", "hello"]
    assert tokenizer.pre_tokenizer is not None
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str("aLongName it's 12 a//\n")
    assert [piece for piece, _ in pieces] == [
        *("a", "Long", "Name", "Ġit", "'s", "Ġ", "1", "2", "Ġa", "//Ċ")
    ]
    merges = {"tokenizer.ggml.merges": ["h e"]}
    whole, _ = gguf_tokenizer.build(WHERE, byte_level("tekken", **merges))
    assert whole.encode("hello", add_special_tokens=False).ids == [hello]
    cut, _ = gguf_tokenizer.build(WHERE, byte_level("qwen2", **merges))
    assert texts(cut, "hello") == ["he", "l", "l", "o"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "holds no tokenizer"),
        (byte_level("superbpe"), "pre-tokenizer 'superbpe' is not supported"),
        ({**byte_level(), "tokenizer.ggml.pre": None}, "pre-tokenizer 'None'"),
        ({**byte_level(), "tokenizer.ggml.model": "t5"}, "tokenizer 't5' is not supported"),
        ({**sentencepiece_metadata(), "tokenizer.ggml.scores": None}, "without scores"),
    ],
)
def test_what_is_not_supported_is_named(metadata: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        gguf_tokenizer.build(WHERE, metadata)
