"""Answers in pieces, chats of several turns, and two engines over one model's weights."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import CORPUS, KINDS, load_tiny, write_model
from tokenizers import AddedToken, Tokenizer, decoders, models

from augmlx.core.progress import Silent
from augmlx.core.settings import Settings, TrainSettings
from augmlx.engines import local
from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.engines.mlx.decoding import Row
from augmlx.engines.mlx.endings import Endings
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.mlx.sampling import Draw
from augmlx.engines.protocol import Completion, Request
from augmlx.models import loading
from augmlx.models.loading import LoadedModel
from augmlx.training import fit

import mlx.core as mx  # isort: skip
import mlx_lm  # isort: skip
from mlx.utils import tree_flatten  # isort: skip

PLAIN = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ONE_TURN = "{% if messages | length > 1 %}{{ raise_exception('one turn only') }}{% endif %}" + PLAIN
ASKED = Request.greedy("k", "Who keeps the harbour hall?", max_tokens=24, stop="")


def chatty(folder: Path, template: str, *, bytewise: bool = False) -> LoadedModel:
    """A tiny model that thinks in its template; `bytewise`: its tokenizer falls back to a token for
    each byte.
    """
    stored = write_model(folder, vocab_size=400, max_position_embeddings=1024)
    made = _bytewise() if bytewise else Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.add_tokens([AddedToken("<think>"), AddedToken("</think>")])
    made.save(str(folder / "tokenizer.json"))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    return loading.load(stored)


def _bytewise() -> Tokenizer:
    """As SentencePiece models have it: a letter outside of the vocabulary is one token for each of
    its bytes.
    """
    pieces = [
        "</s>",
        "<s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "\u2581",
        *"adeknV?é",
        "\n",
    ]
    made = Tokenizer(
        models.BPE(
            vocab={piece: n for n, piece in enumerate(pieces)}, merges=[], byte_fallback=True
        )
    )
    made.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return made


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    return lru_cache(lambda kind: load_tiny(tmp_path_factory.mktemp("models") / kind, kind))


@pytest.fixture(scope="module")
def thinkers(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, LoadedModel]:
    folder = tmp_path_factory.mktemp("thinkers")
    return {
        bytewise: chatty(folder / str(bytewise), PLAIN, bytewise=bytewise)
        for bytewise in (False, True)
    }


def streamed(engine: MlxEngine, request: Request) -> tuple[list[str], Completion]:
    pieces = list[str]()

    def all_of_it() -> Completion:
        stream = engine.stream(request)
        while True:
            try:
                pieces.append(next(stream))
            except StopIteration as end:
                return end.value

    return pieces, all_of_it()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", ["", "\n", "the"])
def test_the_pieces_of_a_stream_are_what_generate_writes(
    tiny: Callable[[str], LoadedModel], kind: str, stop: str
) -> None:
    engine = MlxEngine(tiny(kind))
    asked = [
        replace(ASKED, stop=stop, prefix=p, suffix=s)
        for p in ("", CORPUS[3])
        for s in (*CORPUS, "x")
    ]
    written = list(MlxEngine(tiny(kind)).generate(asked))
    found = [streamed(engine, r) for r in asked]
    assert [completion for _, completion in found] == written
    assert ["".join(pieces) for pieces, _ in found] == [completion.text for completion in written]
    assert all(piece for pieces, _ in found for piece in pieces)
    assert max(len(pieces) for pieces, _ in found) > 8 or stop


@given(
    data=st.data(),
    bytewise=st.booleans(),
    chat=st.booleans(),
    stop=st.sampled_from(["", "\n", "ab", "é\n", "\N{SNOWMAN}\N{SNOWMAN}"]),
    length=st.integers(1, 40),
)
def test_what_was_shown_is_never_taken_back(
    thinkers: dict[bool, LoadedModel],
    data: st.DataObject,
    bytewise: bool,
    chat: bool,
    stop: str,
    length: int,
) -> None:
    """Whatever tokens a model writes: torn letters, halves of a stop text, thinking that ends or
    not.
    """
    tokenizer = thinkers[bytewise].tokenizer
    endings = Endings(tokenizer, ChatTemplate(tokenizer))
    words = (
        "<think>",
        "</think>",
        "\n",
        "a",
        "ab",
        "é",
        "\N{SNOWMAN}",
        "\N{GRINNING FACE}",
        " V",
        stop,
    )
    known = [token for word in words for token in tokenizer.encode(word, add_special_tokens=False)]
    written = data.draw(
        st.lists(st.sampled_from(known) | st.integers(0, len(tokenizer) - 1), max_size=40)
    )
    request = replace(ASKED, max_tokens=length, stop=stop, chat=chat)
    prompt = tuple(tokenizer.encode("Vad", add_special_tokens=False))
    row = Row(request, prompt, (), Draw(request), phase="open" if chat else "answer")
    shown = [""]
    for token in [*written, *tokenizer.eos_token_ids]:
        ended = endings.ends(row, token)
        shown.append(endings.settled(row))
        if ended:
            break
    assert all(after.startswith(before) for before, after in pairwise(shown))
    assert shown[-1] == endings.text(row)


def test_letters_are_shown_as_soon_as_they_are_whole(thinkers: dict[bool, LoadedModel]) -> None:
    for bytewise, loaded in thinkers.items():
        endings = Endings(loaded.tokenizer, ChatTemplate(loaded.tokenizer))
        row = Row(replace(ASKED, stop="ak", max_tokens=99), (), (), Draw(ASKED))
        shown = []
        for token in loaded.tokenizer.encode(
            "\N{SNOWMAN}dad\N{SNOWMAN}ake", add_special_tokens=False
        ):
            endings.ends(row, token)
            shown.append(endings.settled(row))
        assert "\N{SNOWMAN}" in shown or bytewise
        assert {"\N{SNOWMAN}d", "\N{SNOWMAN}dad"} & set(shown)
        assert shown[-1] == "\N{SNOWMAN}dad\N{SNOWMAN}"
        assert not any(
            text.endswith("a") and text != "\N{SNOWMAN}da" for text in shown
        )  # it may begin the stop text


def test_a_stream_that_cannot_be_is_an_error_without_pieces(
    tiny: Callable[[str], LoadedModel], thinkers: dict[bool, LoadedModel], tmp_path: Path
) -> None:
    engine = MlxEngine(tiny("llama"))
    for bad in (
        replace(ASKED, suffix=""),
        replace(ASKED, max_tokens=300),
        replace(ASKED, chat=True),
    ):
        assert streamed(engine, bad) == ([], next(engine.generate([bad])))
    engine = MlxEngine(chatty(tmp_path / "model", ONE_TURN))
    asked = replace(ASKED, chat=True)
    assert streamed(engine, asked)[1].finish in ("stop", "length")
    pieces, refused = streamed(engine, replace(asked, turns=(("Who?", "Ada."),)))
    assert (pieces, refused.finish) == ([], "error")
    assert "one turn only" in refused.text


def test_a_later_turn_follows_the_earlier_ones_and_does_not_run_all_of_them(
    thinkers: dict[bool, LoadedModel],
) -> None:
    loaded = thinkers[False]
    engine = MlxEngine(loaded)
    earlier: list[tuple[str, str]] = []
    prefilled = []
    for question in (
        "Who keeps the harbour hall in Venn?",
        "Where was Ada Brandt born?",
        "What of the bridge?",
    ):
        asked = replace(ASKED, suffix=question, chat=True, turns=tuple(earlier))
        turns = [zip(("user", "assistant"), turn, strict=True) for turn in earlier]
        messages = [{"role": role, "content": text} for turn in turns for role, text in turn]
        prompt = loaded.tokenizer.apply_chat_template(
            [*messages, {"role": "user", "content": question}], add_generation_prompt=True
        )
        assert list(engine.prompt_tokens(asked)) == prompt
        answers = mlx_lm.stream_generate(loaded.model, loaded.tokenizer, prompt, max_tokens=24)
        tokens = [a.token for a in answers if a.token not in loaded.tokenizer.eos_token_ids]
        before = engine.tokens.prefilled
        pieces, completion = streamed(engine, asked)
        assert "".join(pieces) == completion.text == loaded.tokenizer.decode(tokens)
        prefilled.append((engine.tokens.prefilled - before, len(prompt)))
        earlier.append((question, "Ada Brandt keeps it."))
    (first, _), (second, longer), (third, longest) = prefilled
    assert second == longer  # the first prompt among it, which is kept from now on
    assert third == longest - first


TUNED = {
    "lora": ("llama", None, "lora"),
    "dora": ("llama-untied", None, "dora"),
    "full": ("llama", None, "full"),
    "qlora": ("llama", 8, "lora"),
    "sliding": ("gemma3_text", None, "lora"),
}


@pytest.mark.parametrize("name", TUNED)
def test_two_engines_over_one_model_answer_as_two_models_would(tmp_path: Path, name: str) -> None:
    kind, bits, method = TUNED[name]
    stored = write_model(
        tmp_path / "model", kind, bits=bits, hidden_size=128, intermediate_size=512
    )
    rows = [{"id": str(number), "text": text} for number, text in enumerate(CORPUS)]
    rank = 16 if method == "full" else 4
    train = TrainSettings(
        method=method, rank=rank, epochs=20, learning_rate=1e-2, checkpoint_every=1000
    )  # type: ignore[arg-type]
    fit.fit(
        fit.prepare(stored, rows, Settings(train=train)),
        tmp_path,
        progress=Silent(),
        label="x",
    )
    asked = [replace(ASKED, suffix=text) for text in (*CORPUS, "x")]

    gc.collect()
    before = mx.get_active_memory()
    engines = local.mlx_pair(stored, tmp_path / "adapter")
    held = mx.get_active_memory() - before
    alone = [local.mlx_engine(stored, adapter) for adapter in (None, tmp_path / "adapter")]
    size = sum(array.nbytes for _, array in tree_flatten(loading.load(stored).model.parameters()))

    written = [list(engine.generate(asked)) for engine in alone]
    assert [list(engine.generate(asked)) for engine in engines] == written
    assert written[0] != written[1]
    # In turns, token by token, as two columns are filled.
    streams = [engine.stream(asked[0]) for engine in engines]
    texts = ["", ""]
    for _ in range(ASKED.max_tokens + 1):
        texts = [text + next(stream, "") for text, stream in zip(texts, streams, strict=True)]
    assert texts == [completions[0].text for completions in written]
    assert [engine.fingerprint for engine in engines] == [engine.fingerprint for engine in alone]
    assert method == "full" or held < 1.3 * size
