"""A tokenizer that went into a GGUF file's keys and came out of them again cuts texts as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from models.formats.test_gguf_tokenizer import (
    ODD_TEXTS,
    WHERE,
    byte_level,
    sentencepiece_metadata,
    trained,
)

from augmlx.core.errors import ModelError
from augmlx.exporting.gguf_files import vocabulary
from augmlx.models.formats import gguf_tokenizer


def there_and_back(folder: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """The keys made of the tokenizer that is made of these keys; both must cut alike."""
    tokenizer, config = gguf_tokenizer.build(WHERE, metadata)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    size = len(metadata["tokenizer.ggml.tokens"])
    made = vocabulary.metadata(folder, size + 3, config.get("chat_template"))
    assert made["tokenizer.ggml.tokens"][size:] == [f"[PAD{size + n}]" for n in range(3)]
    assert made["tokenizer.ggml.token_type"][size:] == [5] * 3
    again, config_again = gguf_tokenizer.build(WHERE, made)
    for text in ODD_TEXTS:
        assert again.encode(text).ids == tokenizer.encode(text).ids, text
    assert config_again == config
    return made


@pytest.mark.parametrize("pre", ["gpt-2", "smollm", "llama-bpe", "qwen2", "tekken"])
def test_a_byte_level_vocabulary(tmp_path: Path, pre: str) -> None:
    given = byte_level(pre)
    made = there_and_back(tmp_path, given)
    for key in ("ggml.pre", "ggml.merges", "ggml.bos_token_id", "ggml.eos_token_id"):
        assert made[f"tokenizer.{key}"] == given[f"tokenizer.{key}"]
    assert made["tokenizer.chat_template"] == given["tokenizer.chat_template"]


@pytest.mark.parametrize("prefixed", [True, False])
def test_a_sentencepiece_vocabulary_by_scores_in_the_order_of_its_merges(
    tmp_path: Path, prefixed: bool
) -> None:
    _, metadata = trained(add_dummy_prefix=prefixed)
    metadata["tokenizer.ggml.add_space_prefix"] = prefixed
    metadata["tokenizer.ggml.unknown_token_id"] = 0
    made = there_and_back(tmp_path, metadata)
    assert made["tokenizer.ggml.add_space_prefix"] is prefixed
    assert made["tokenizer.ggml.model"] == "llama"


def test_bytes_controls_and_the_unknown_keep_their_types(tmp_path: Path) -> None:
    given = sentencepiece_metadata()
    made = there_and_back(tmp_path, given)
    size = len(given["tokenizer.ggml.tokens"])
    assert made["tokenizer.ggml.token_type"][:size] == given["tokenizer.ggml.token_type"]


def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path) -> None:
    tokenizer, config = gguf_tokenizer.build(WHERE, byte_level())
    described = json.loads(tokenizer.to_str())
    described["model"] = {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}
    described["added_tokens"] = []
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="of type WordLevel"):
        vocabulary.metadata(tmp_path, 2, None)
