from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import load_tiny, write_model
from tokenizers import AddedToken, Tokenizer

from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.engines.mlx.decoding import Row
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.mlx.sampling import Draw
from augmlx.engines.protocol import Completion, Request
from augmlx.models import loading
from augmlx.models.loading import LoadedModel
from augmlx.models.store.catalogue import CATALOGUE

import mlx_lm  # isort: skip

PLAIN = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SWITCH = PLAIN + "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
DATED = (
    "{% if not date_string %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}{{ "
    "date_string }} " + PLAIN
)
OPEN = PLAIN + "<think>\n"
ASKED = Request.greedy(
    "k", "Ada keeps Venn.", prefix="Turn it round.\n\nFact: ", max_tokens=20, chat=True
)


def chatty(
    folder: Path, template: str | None, *, think: bool = False, window: int = 256
) -> LoadedModel:
    stored = write_model(folder, vocab_size=400, max_position_embeddings=window)
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    if think:
        made.add_tokens([AddedToken("<think>"), AddedToken("</think>")])
    made.save(str(folder / "tokenizer.json"))
    if template is not None:
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    return loading.load(stored)


def test_a_chat_prompt_is_what_the_template_makes_of_the_message(tmp_path: Path) -> None:
    loaded = chatty(tmp_path / "model", PLAIN)
    engine = MlxEngine(loaded)
    whole = "<|user|>Turn it round.\n\nFact: Ada keeps Venn.</s><|assistant|>"
    asked = [
        ASKED,
        replace(ASKED, opening="Venn is"),
        replace(ASKED, suffix="The lamp."),
        replace(ASKED, chat=False),
    ]
    texts = [
        whole,
        f"{whole}Venn is",
        whole.replace("Ada keeps Venn.", "The lamp."),
        "Turn it round.\n\nFact: Ada keeps Venn.",
    ]
    tokens = [loaded.tokenizer.encode(text, add_special_tokens=False) for text in texts]
    assert [list(engine.prompt_tokens(r)) for r in asked] == tokens
    message = [{"role": "user", "content": ASKED.content}]
    assert tokens[0] == loaded.tokenizer.apply_chat_template(message, add_generation_prompt=True)
    never = [replace(r, stop="\N{SNOWMAN}") for r in asked]
    for completion, prompt in zip(engine.generate(never), tokens, strict=True):
        answers = mlx_lm.stream_generate(loaded.model, loaded.tokenizer, prompt, max_tokens=20)
        found = [a.token for a in answers if a.token not in loaded.tokenizer.eos_token_ids]
        assert completion.text == loaded.tokenizer.decode(found)


def test_what_the_template_puts_before_a_message_is_shared(tmp_path: Path) -> None:
    engine = MlxEngine(
        chatty(
            tmp_path / "model", "You help with facts and nothing else at all, please. " * 2 + PLAIN
        )
    )
    asked = [replace(ASKED, prefix="", suffix=f"{n} is a number.", max_tokens=2) for n in range(4)]
    list(engine.generate(asked))
    [head] = engine._prefixes.kept
    lengths = [len(engine.prompt_tokens(r)) for r in asked]
    assert engine.tokens.prefilled == len(head) + sum(length - len(head) for length in lengths)


def test_the_message_of_the_template_is_written_as_one_begins(tmp_path: Path) -> None:
    loaded = chatty(tmp_path / "model", PLAIN.replace("<|{{", "<s><|{{"))
    assert loaded.tokenizer.decode(MlxEngine(loaded).prompt_tokens(ASKED)).count("<s>") == 1


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (None, "the model has no chat template"),
        ("{{ raise_exception('no') }}", "the model's chat template cannot be rendered: no"),
        (
            "{{ messages[0].content }}{{ messages[0].content }}",
            "the model's chat template does not hold the message once",
        ),
        ("Hello", "the model's chat template does not hold the message once"),
    ],
)
def test_chat_without_a_usable_template_is_an_error_and_harms_no_other(
    tmp_path: Path, template: str | None, why: str
) -> None:
    engine = MlxEngine(chatty(tmp_path / "model", template))
    raw = replace(ASKED, key="raw", chat=False)
    bad, good = engine.generate([ASKED, raw])
    assert bad == Completion("k", why, "error", 0)
    assert good == next(engine.generate([raw]))
    assert good.finish in ("stop", "length")
    assert engine.prompting == "raw"


def test_how_a_model_is_asked(tmp_path: Path) -> None:
    assert MlxEngine(load_tiny(tmp_path / "plain")).prompting == "raw"
    loaded = chatty(tmp_path / "chatty", PLAIN)
    assert MlxEngine(loaded).prompting == "turns"
    assert CATALOGUE["smollm2-135m"].prompting == "raw"
    known = replace(loaded, stored=replace(loaded.stored, name="smollm2-135m"))
    assert MlxEngine(known).prompting == "raw"


def test_a_template_that_states_the_day_states_the_same_one_tomorrow(tmp_path: Path) -> None:
    template = ChatTemplate(chatty(tmp_path / "model", DATED).tokenizer)
    assert template.frame().head == "26 Jul 2024 <|user|>"


# Thinking


@pytest.mark.parametrize("template", [SWITCH, OPEN, PLAIN])
def test_no_thinking_block_is_left_open(tmp_path: Path, template: str) -> None:
    tail = ChatTemplate(chatty(tmp_path / "model", template, think=True).tokenizer).frame().tail
    assert tail == "</s><|assistant|>" + ("" if template == PLAIN else "<think>\n\n</think>\n\n")
    plain = (
        ChatTemplate(chatty(tmp_path / "without", template).tokenizer).frame().tail
    )  # a model that knows no such marks
    assert plain.endswith("<think>") == (template == OPEN)  # jinja drops the last line end


def followed(engine: MlxEngine, request: Request, text: str) -> tuple[str, str, str]:
    """What becomes of a row that writes `text` and the end-of-text token: its answer, its finish,
    all it wrote.
    """
    row = engine._row(request, engine.prompt_tokens(request), ())
    assert isinstance(row, Row)
    assert isinstance(row.draw, Draw)
    tokens = engine._prompts._encode(text, special=False)
    for token in [*tokens, *engine._endings._tokenizer.eos_token_ids]:
        if engine._endings.ends(row, token):
            break
    return engine._endings.text(row), row.finish, engine._endings._tokenizer.decode(row.tokens)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> MlxEngine:
    return MlxEngine(chatty(tmp_path_factory.mktemp("thinker") / "model", PLAIN, think=True))


LONG = replace(ASKED, max_tokens=200)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>\nAda, hm.\n\nVenn.\n</think>\n\nVenn is kept.\nMore", "Venn is kept."),
        ("\n <think>Ada\n</think>Venn is kept.\nMore", "Venn is kept."),
        ("<think>\n</think>\n\nVenn is kept.", "Venn is kept."),
        ("<think>Ada\n\nnever comes to", ""),
        ("Venn is kept.\n<think>no\n</think>More", "Venn is kept."),
        ("\nVenn is kept.", ""),
        ("<b>Venn</b>\nMore", "<b>Venn</b>"),
    ],
)
def test_thinking_is_no_answer_and_no_line_of_it_ends_the_row(
    thinker: MlxEngine, text: str, answer: str
) -> None:
    found, finish, wrote = followed(thinker, LONG, text)
    assert (found, finish) == (answer, "stop")
    assert "More" not in wrote


def test_a_row_cut_off_while_it_thinks_has_no_answer(thinker: MlxEngine) -> None:
    assert followed(thinker, replace(ASKED, max_tokens=5), "<think>Ada and Venn and\nmore")[:2] == (
        "",
        "length",
    )


def test_only_a_chat_answer_of_a_model_that_thinks_may_be_thinking(
    thinker: MlxEngine, tmp_path: Path
) -> None:
    text = "<think>\nAda"
    assert followed(thinker, replace(LONG, chat=False), text)[0] == "<think>"
    assert followed(thinker, replace(LONG, opening="Venn"), text)[0] == "<think>"
    assert followed(MlxEngine(chatty(tmp_path / "model", PLAIN)), LONG, text)[0] == "<think>"
