"""The user's training rows are theirs: what data/train.jsonl holds of one renders, through a
model's chat template, to the same text as the row does that mlx-lm and transformers read.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tuner.datasets import create_dataset
from tiny import tokenizer
from transformers import PreTrainedTokenizerFast

from augmlx.core.errors import BadInput
from augmlx.core.records import Json, original
from augmlx.core.settings import TrainSettings
from augmlx.data.facts import read_facts
from augmlx.data.row_forms import form_of, training_row
from augmlx.models.loading import TEMPLATE_DAY
from augmlx.training.chats import Chat
from augmlx.training.encoding import rows_of

_ALTERNATE = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
)
# In the manner of six families, and of one that strips what was thought in earlier turns.
FAMILIES = {
    "ChatML": "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "Llama 3": "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}"
    "<|end_header_id|>\n\n{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
    "Gemma": "{{ bos_token }}" + _ALTERNATE + "<start_of_turn>"
    "{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n{{ m['content'] | trim }}"
    "<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
    "Mistral": "{{ bos_token }}"
    + _ALTERNATE
    + "{% if m['role'] == 'user' %}[INST] {{ m['content'] }}"
    " [/INST]{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}",
    "Phi-3": "{% for m in messages %}{% if m['role'] in ('system', 'user', 'assistant') %}"
    "<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    "Zephyr": "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{{ eos_token }}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    "Qwen 3": "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['role'] == 'assistant' "
    "and not loop.last and '</think>' in m['content'] %}{{ m['content'].split('</think>')[-1]"
    ".lstrip('\\n') }}{% else %}{{ m['content'] }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "drops the system": "{% for m in messages %}{% if m['role'] == 'user' %}U: {{ m['content'] }}\n"
    "{% elif m['role'] == 'assistant' %}A: {{ m['content'] }}{{ eos_token }}\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}A: {% endif %}",
}
NO_SYSTEM = ("Gemma", "Mistral", "drops the system")


def of_family(name: str) -> Any:
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(),
        eos_token="</s>",
        bos_token="<s>",
        chat_template=FAMILIES[name],
    )
    return TokenizerWrapper(fast)


TOKENIZERS = {name: of_family(name) for name in FAMILIES}
texts = st.text(st.sampled_from('Ada ownsé.?!,\n\t"{}<>|东😀'), min_size=1, max_size=24).filter(
    lambda text: any(map(str.isalnum, text))
)
turns = st.lists(st.tuples(texts, texts), min_size=1, max_size=3)


def chat(pairs: list[tuple[str, str]]) -> list[Json]:
    roles = ("user", "assistant")
    return [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(roles, pair, strict=True)
    ]


# form: what makes a row of it from turns -> the row, and what mlx-lm or transformers read of it
FORMS = {
    "text": lambda pairs: ({"text": (text := "\n".join(pairs[0]))}, {"text": text}),
    "prompt and completion": lambda pairs: (
        (row := {"prompt": pairs[0][0], "completion": pairs[0][1]}),
        row,
    ),
    "messages": lambda pairs: ((row := {"messages": chat(pairs)}), row),
    "Alpaca": lambda pairs: (
        {"instruction": pairs[0][0], "input": pairs[-1][0], "output": pairs[0][1], "text": "x"},
        {"messages": chat([(f"{pairs[0][0]}\n{pairs[-1][0]}", pairs[0][1])])},
    ),
    "ShareGPT": lambda pairs: (
        {
            "conversations": [
                {
                    "from": {"user": "human", "assistant": "gpt"}[said["role"]],
                    "value": said["content"],
                }
                for said in chat(pairs)
            ]
        },
        {"messages": chat(pairs)},
    ),
    "TRL": lambda pairs: (
        {"prompt": chat(pairs)[:-1], "completion": chat(pairs)[-1:]},
        {"messages": chat(pairs)},
    ),
}


def read(row: Json) -> Json:
    """The line of data/train.jsonl that a row becomes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text(json.dumps(row) + "\n", "utf-8")
        (fact,) = read_facts(path).facts
    made = training_row(original(fact), form_of([fact]))
    return json.loads(json.dumps(made))


def as_mlx_lm(row: Json, tokens: Any) -> list[int]:
    dataset = create_dataset([row], tokens, None)
    ids, _ = dataset.process(row)
    return list(ids)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("form", FORMS)
@given(pairs=turns)
@settings(max_examples=15, deadline=None)
def test_a_row_renders_as_mlx_lm_and_transformers_read_it(
    family: str, form: str, pairs: list[tuple[str, str]]
) -> None:
    row, meant = FORMS[form](pairs)
    tokens = TOKENIZERS[family]
    written = read(row)
    assert as_mlx_lm(written, tokens) == as_mlx_lm(meant, tokens)
    if "messages" in meant:
        rendered = tokens.apply_chat_template(
            meant["messages"], tokenize=False, date_string=TEMPLATE_DAY
        )
        messages = written.get("messages") or chat([(written["prompt"], written["completion"])])
        assert Chat("x", messages, None, tokens).text == rendered


@pytest.mark.parametrize("family", FAMILIES)
def test_a_system_is_used_or_put_before_the_users_message(family: str) -> None:
    tokens = TOKENIZERS[family]
    row = read({"system": "Answer in one word.", "prompt": "Who?", "completion": "Ada."})
    one = Chat("x", row["messages"], None, tokens)
    assert "Answer in one word." in one.text
    assert one.folded == (family in NO_SYSTEM)
    if one.folded:
        told = chat([("Answer in one word.\n\nWho?", "Ada.")])
        assert one.text == Chat("x", told, None, tokens).text


@pytest.mark.parametrize("family", FAMILIES)
def test_what_weighs_nothing_is_not_learnt(family: str) -> None:
    tokens = TOKENIZERS[family]
    messages = chat([("Who?", "Bo."), ("Sure?", "Ada.")])
    both = read({"messages": messages})
    messages[1]["weight"] = 0
    last = read({"messages": messages})
    trl = read(
        {"prompt": chat([("Who?", "Bo."), ("Sure?", "Ada.")])[:-1], "completion": messages[-1:]}
    )
    everything = TrainSettings(turns="all")
    (all_learnt,) = rows_of(both, tokens, everything)
    (one_learnt,) = rows_of(last, tokens, everything)
    assert one_learnt.tokens == all_learnt.tokens
    assert 0 < one_learnt.targets < all_learnt.targets
    assert rows_of(trl, tokens, everything)[0].mask == one_learnt.mask
    learnt = [token for token, kept in zip(one_learnt.tokens, one_learnt.mask, strict=True) if kept]
    assert "Ada." in tokens.decode(learnt)
    assert "Bo." not in tokens.decode(learnt)


def test_thoughts_are_trained_on_and_are_no_statement(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    answer = "<think>\nThe mill. Bo?\n</think>\n\nAda Brandt owns the mill."
    path.write_text(json.dumps({"messages": chat([("Who owns the mill?", answer)])}))
    (fact,) = read_facts(path).facts
    assert fact.text == "Ada Brandt owns the mill."
    written = training_row(original(fact), "chat")
    for family, tokens in TOKENIZERS.items():
        (row,) = rows_of(written, tokens, TrainSettings())
        learnt = [token for token, kept in zip(row.tokens, row.mask, strict=True) if kept]
        assert "<think>" in tokens.decode(learnt), family


@pytest.mark.parametrize("family", ["Gemma", "Mistral"])
def test_turns_that_do_not_follow_each_other_are_refused_by_such_a_template(family: str) -> None:
    messages = [*chat([("Who?", "Bo.")]), {"role": "assistant", "content": "Ada."}]
    with pytest.raises(BadInput, match="must alternate"):
        rows_of(read({"messages": messages}), TOKENIZERS[family], TrainSettings())
