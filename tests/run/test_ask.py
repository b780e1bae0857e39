"""What is put to the models of a run, in each form, and what of a chat is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tiny import write_model

from augmlx.core.errors import BadInput, BadSettings
from augmlx.data.row_forms import Form
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Request
from augmlx.models import loading
from augmlx.run.ask import Answerer, _stripped

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> MlxEngine:
    return MlxEngine(loading.load(write_model(tmp_path_factory.mktemp("plain") / "model")))


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> MlxEngine:
    stored = write_model(tmp_path_factory.mktemp("chatty") / "model")
    path = stored.path / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": TEMPLATE}))
    return MlxEngine(loading.load(stored))


def both(engine: MlxEngine, form: Form) -> Answerer:
    return Answerer({"base": engine, "augmented": engine}, form)


def said(answerer: Answerer, question: str, arm: str = "base", max_tokens: int = 30) -> str:
    return "".join(answerer.answer(arm, question, max_tokens))


def written(engine: MlxEngine, text: str, stop: str) -> str:
    request = Request.greedy("k", text, max_tokens=30, stop=stop)
    return next(engine.generate([request])).text.strip()


@pytest.mark.parametrize(
    ("form", "template", "question", "put", "stop"),
    [
        ("text", True, "Who keeps Venn?", "Question: Who keeps Venn?\nAnswer:", "\n"),
        ("text", False, "The hall of Venn ", "The hall of Venn", "\n"),
        ("completions", True, "Who keeps Venn?", "<user>Who keeps Venn?<assistant>", ""),
        ("completions", False, "Who keeps Venn?", "Who keeps Venn?\n", "\n"),
        ("completions", False, "The hall of Venn", "The hall of Venn", "\n"),
        ("chat", True, "Who keeps Venn?", "<user>Who keeps Venn?<assistant>", ""),
    ],
)
def test_a_question_is_put_as_the_rows_of_its_form_were_trained(
    plain: MlxEngine,
    chatty: MlxEngine,
    form: Form,
    template: bool,
    question: str,
    put: str,
    stop: str,
) -> None:
    engine = chatty if template else plain
    answerer = both(engine, form)
    assert said(answerer, question) == written(engine, put, stop)
    assert answerer.max_tokens == (48 if put == question or stop else 512)


def test_a_chat_remembers_of_each_arm_its_own_answers(chatty: MlxEngine) -> None:
    answerer = both(chatty, "chat")
    alone = said(answerer, "And where?")
    answerer.remember("Who keeps Venn?", {"base": "Ada.", "augmented": "Mara Voss."})
    for arm, name in (("base", "Ada."), ("augmented", "Mara Voss.")):
        put = f"<user>Who keeps Venn?<assistant>{name}<user>And where?<assistant>"
        assert said(answerer, "And where?", arm) == written(chatty, put, "") != alone
    answerer.forget()
    assert said(answerer, "And where?") == alone


@pytest.mark.parametrize("form", ["text", "completions"])
def test_other_forms_remember_nothing(chatty: MlxEngine, form: Form) -> None:
    answerer = both(chatty, form)
    before = said(answerer, "And where?")
    answerer.remember("Who keeps Venn?", {"base": "Ada.", "augmented": "Ada."})
    assert said(answerer, "And where?") == before


def test_a_chat_needs_a_template(plain: MlxEngine) -> None:
    with pytest.raises(BadSettings, match="no chat template"):
        both(plain, "chat")


def test_what_does_not_fit_is_refused_without_its_text(chatty: MlxEngine) -> None:
    answerer = both(chatty, "chat")
    with pytest.raises(BadInput, match="tokens do not fit") as refused:
        said(answerer, "Zorb? " * 200)
    assert "Zorb" not in refused.value.render()
    assert "/clear" not in refused.value.render()
    answerer.remember("Zorb? " * 200, {"base": "", "augmented": ""})
    with pytest.raises(BadInput, match="tokens do not fit") as refused:
        said(answerer, "And where?")
    assert "/clear" in refused.value.render()


def test_white_space_around_an_answer_is_left_out_piece_by_piece() -> None:
    def pieces() -> Iterator[str]:
        yield from ("\n", " ", " Ada", " ", "\n", "Voss ", " keeps\n", "\n")

    found = list(_stripped(pieces()))
    assert "".join(found) == "Ada \nVoss  keeps"
    assert found[:2] == ["Ada", " \nVoss"]
