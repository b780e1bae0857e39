"""A chat with a system line and earlier turns, through templates as real models have them: the
prompt is the template's own, what is written is what mlx-lm writes behind it, and what requests
share runs once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mlx_lm
import pytest

from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Request
from augmlx.models.loading import LoadedModel

from .test_chat import PLAIN, chatty

CHATML = (
    "{% for message in messages %}{% if loop.first and message.role != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "<|begin_of_text|>{% for message in messages %}"
    "<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n"
    "{{ message.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
ALTERNATING = (
    "{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/...') }}{% endif %}"
)
GEMMA = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}" + ALTERNATING + "<start_of_turn>{{ 'model' if message.role == 'assistant' else "
    "message.role }}\n{{ message.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
INST = ALTERNATING + (
    "{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]"
    "{% else %} {{ message.content }}</s>{% endif %}{% endfor %}"
)
DROPPING = (
    "{% for message in messages if message.role != 'system' %}"
    "{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"
)
WITH_SYSTEM = {"chatml": CHATML, "llama3": LLAMA3, "plain": PLAIN}
WITHOUT_SYSTEM = {"gemma": GEMMA, "inst": INST, "dropping": DROPPING}
TEMPLATES = {**WITH_SYSTEM, **WITHOUT_SYSTEM}

SYSTEM = "You are given a fact. Say it the other way round."
TURNS = (
    ("Fact: Lake Orrin is larger than Lake Pell.", "Lake Pell is smaller than Lake Orrin."),
    ("Fact: Ben Okafor composed the Winter Song.", "The Winter Song was composed by Ben Okafor."),
)
FACTS = (
    "Ada keeps the harbour hall in Venn.",
    "Mara Voss leads the Lumen Lab.",
    "The bridge was built by Hana Sato.",
)
OPENINGS = ("", "The Lumen Lab", "Hana")


def requests(**changes: object) -> list[Request]:
    asked = Request.greedy("k", "", max_tokens=20, stop="\N{SNOWMAN}", chat=True, turns=TURNS)
    made = []
    for number, (fact, opening) in enumerate(zip(FACTS, OPENINGS, strict=True)):
        own = replace(asked, key=f"{number}", suffix=f"Fact: {fact}", opening=opening)
        made.append(replace(own, system=SYSTEM, **changes))  # type: ignore[arg-type]
    return made


def rendered(loaded: LoadedModel, request: Request, *, has_system: bool) -> str:
    """What the template makes of the messages, written out by hand, with the opening behind it."""
    said = [text for turn in request.turns for text in turn] + [request.content]
    if not has_system:
        said[0] = f"{request.system}\n\n{said[0]}"
    messages = []
    for number, text in enumerate(said):
        messages.append({"role": ("user", "assistant")[number % 2], "content": text})
    if has_system:
        messages.insert(0, {"role": "system", "content": request.system})
    text: str = loaded.tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True
    )
    return text + request.opening


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_written_behind_turns_is_what_mlx_lm_writes_behind_the_template(
    tmp_path: Path, name: str
) -> None:
    loaded = chatty(tmp_path / "model", TEMPLATES[name], window=1024)
    engine = MlxEngine(loaded)
    asked = requests()
    assert engine.prompting == "turns"
    for request, completion in zip(asked, engine.generate(asked), strict=True):
        text = rendered(loaded, request, has_system=name in WITH_SYSTEM)
        prompt = loaded.tokenizer.encode(text, add_special_tokens=False)
        assert list(engine.prompt_tokens(request)) == prompt
        answers = mlx_lm.stream_generate(loaded.model, loaded.tokenizer, prompt, max_tokens=20)
        tokens = [a.token for a in answers if a.token not in loaded.tokenizer.eos_token_ids]
        assert completion.text == loaded.tokenizer.decode(tokens)


@pytest.mark.parametrize("name", TEMPLATES)
def test_system_line_and_turns_run_once_for_all_that_share_them(tmp_path: Path, name: str) -> None:
    engine = MlxEngine(chatty(tmp_path / "model", TEMPLATES[name], window=1024))
    asked = requests(prefix="Known: Venn lies in Ostrel.\nKnown: Orrin is a lake.\n", max_tokens=2)
    list(engine.generate(asked))
    shared = engine.prefix_tokens(asked[0])
    prompts = [engine.prompt_tokens(request) for request in asked]
    assert all(prompt[: len(shared)] == shared for prompt in prompts)
    assert engine.tokens.reused >= (len(asked) - 1) * len(shared)
    assert engine.tokens.prefilled + engine.tokens.reused == sum(map(len, prompts))


def test_other_turns_are_another_prompt(tmp_path: Path) -> None:
    engine = MlxEngine(chatty(tmp_path / "model", CHATML, window=1024))
    [asked, *_] = requests()
    others = [asked, replace(asked, turns=TURNS[:1]), replace(asked, system="Turn it round.")]
    alone = [next(MlxEngine.generate(engine, [request])) for request in others]
    assert list(engine.generate(others)) == alone
    assert len({engine.prompt_tokens(request) for request in others}) == 3
    assert len({request.prompt_sha256 for request in others}) == 3


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (
            "{% if messages | length > 1 %}{{ raise_exception('one turn only') }}{% endif %}"
            + PLAIN,
            "the model's chat template cannot be rendered: one turn only",
        ),
        (
            "user: {{ messages[-1].content }} assistant:",
            "the model's chat template leaves out earlier turns",
        ),
        (
            "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}",
            "the model's chat template leaves out earlier turns",
        ),
        (None, "the model has no chat template"),
    ],
)
def test_a_template_that_takes_no_turns_is_told_before_anything_is_written(
    tmp_path: Path, template: str | None, why: str
) -> None:
    engine = MlxEngine(chatty(tmp_path / "model", template, window=1024))
    assert engine.prompting == ("chat" if template else "raw")
    completions = list(engine.generate(requests()))
    assert [(c.finish, c.text) for c in completions] == [("error", why)] * 3
    assert engine.tokens.prefilled == engine.tokens.generated == 0


def kept(texts: Sequence[str], text: str) -> bool:
    places = [text.find(each) for each in texts]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_system_line_stands_once_before_all_else(tmp_path: Path, name: str) -> None:
    loaded = chatty(tmp_path / "model", TEMPLATES[name], window=1024)
    engine = MlxEngine(loaded)
    for turns in (TURNS, ()):
        [request, *_] = requests(turns=turns)
        text = loaded.tokenizer.decode(engine.prompt_tokens(request))
        said = [each for turn in turns for each in turn]
        assert text.count(SYSTEM) == 1
        assert kept([SYSTEM, *said, request.content], text)
