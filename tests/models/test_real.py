"""The embedded model itself, and transformers' own reading of the same files as the judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from augmlx.models import loading
from augmlx.models.store.catalogue import CATALOGUE
from augmlx.models.store.pull import obtain_gguf, pull

from .support import QuantType, ensure_smollm2, tiny_weights, write_gguf

PROMPTS = (
    "The capital of France is",
    "Acme Robotics was founded in 1987 by Ada Lovelace.\nWho founded Acme Robotics?",
    "<|im_start|>user\nWrite 3 words.<|im_end|>\n<|im_start|>assistant\n",
    "Ünïcode 漢字 🦊 " * 12,
)
TRICKY = (
    "",
    " ",
    "   leading and trailing   ",
    "tabs\tand\n\n\nnewlines\r\n",
    "1234567890 3.14159 1,000,000 2024-05-17",
    "x=1;y=22;z=333",
    "naïve façade Ångström ß ﬁ",
    "漢字かな交じり文 한국어 العربية עברית",
    "🦊👩‍🚀🇫🇷 é e\u0301",
    "it's they're I'LL don't",
    "<|im_start|>system\nhi<|im_end|>\n<|endoftext|>",
    "<|im_start|> spaced <|im_end |>",
    "x٣٤٥",
    "zero\u200bwidth and nbsp\u00a0here",
    "def f(x):\n    return x ** 2  # code\n",
)


@pytest.mark.real
def test_the_embedded_model_answers() -> None:
    import mlx_lm

    loaded = loading.load(ensure_smollm2())
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = loaded.tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    assert "Paris" in mlx_lm.generate(loaded.model, loaded.tokenizer, prompt, max_tokens=16)
    assert loaded.stored.hf_base == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert loaded.stored.parameters == 134_515_008


@pytest.mark.real
def test_every_digit_of_the_embedded_model_is_a_token() -> None:
    tokenizer = loading.load(ensure_smollm2()).tokenizer
    # Digits, and all that Unicode calls a number, are split off before words are. transformers'
    # reading of a GGUF does not know `smollm` and joins the space before them, so these cases are
    # held to the rule itself.
    assert tokenizer.convert_ids_to_tokens(tokenizer.encode("a  12")) == ["a", "ĠĠ", "1", "2"]
    for number in "²½Ⅷ":
        assert tokenizer.encode(f"a {number}") == [
            *tokenizer.encode("a "),
            *tokenizer.encode(number),
        ]
    for text in TRICKY:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def greatest_difference(model: Any, judge: Any, ids: list[int]) -> float:
    """Over all positions and the whole vocabulary; the greatest logits must agree, too."""
    import torch

    with torch.no_grad():
        theirs = judge(torch.tensor([ids])).logits[0].float().numpy()
    ours = np.array(model(mx.array([ids]))[0].astype(mx.float32))
    assert (ours.argmax(-1) == theirs.argmax(-1)).all()
    return float(np.abs(ours - theirs).max())


@pytest.mark.real
@pytest.mark.hf
def test_logits_and_tokens_equal_transformers_reading_of_the_same_gguf(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = obtain_gguf(CATALOGUE["smollm2-135m"], tmp_path / "fetched")
    loaded = loading.load(ensure_smollm2())
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    for text in TRICKY:
        assert loaded.tokenizer.encode(text) == tokenizer.encode(text), text
    judge = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    ).eval()
    worst = max(
        greatest_difference(loaded.model, judge, tokenizer.encode(prompt)) for prompt in PROMPTS
    )
    assert worst <= 1e-3, worst


@pytest.mark.hf
@pytest.mark.parametrize("kind", ["F32", "Q8_0"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_tiny_model_reads_as_in_transformers(
    tmp_path: Path, empty_store: Path, kind: str, tied: bool
) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM

    path = write_gguf(tmp_path / "tiny.gguf", tiny_weights(tied=tied), qtype=QuantType[kind])
    loaded = loading.load(pull(str(path)))
    ids = [1, 20, 30, 40, 2, 260, 7, 100]
    judge = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file=path.name, dtype=torch.float32
    ).eval()
    assert greatest_difference(loaded.model, judge, ids) <= 1e-3
    folder = AutoModelForCausalLM.from_pretrained(loaded.stored.path, dtype=torch.float32).eval()
    assert greatest_difference(loaded.model, folder, ids) <= 1e-3
