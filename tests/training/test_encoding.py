"""Rows of three kinds become tokens whose loss is on what the model has to write, under any chat
template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tuner.datasets import ChatDataset, CompletionsDataset
from tiny import CORPUS, write_model
from tiny import tokenizer as tiny_tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from augmlx.core.errors import BadInput, ModelError
from augmlx.core.example_id import parse, without_piece
from augmlx.core.settings import TrainSettings
from augmlx.models import loading
from augmlx.models.store import folder as store
from augmlx.training.batches import Row
from augmlx.training.encoding import rows_of

from .support import fitted, losses

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# What each family does that a prefix of the conversation, rendered by itself, would not show.
TEMPLATES = {
    "chatml": CHATML,
    "trims, begins with a special token": (
        "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>\n\n{{ m.content | trim "
        "}}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n\n{% endif %}"
    ),
    "has the system's words in the user's last message": (
        "{{ bos_token }}{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == "
        "'user' %}"
        "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}{% if "
        "m.role == 'user' %}[INST] "
        "{% if loop.index0 == ns.last and messages[0].role == 'system' %}{{ messages[0].content "
        "}}\n\n{% endif %}"
        "{{ m.content }}[/INST]{% elif m.role == 'assistant' %} {{ m.content }}{{ eos_token }}{% "
        "endif %}{% endfor %}"
    ),
    "has thoughts in the last answer only": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
        "{{ m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "marks the end with words": (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n##\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    ),
    "marks no end": (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    ),
    "takes a line feed before the end": (
        "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}\n<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant {% endif %}"
    ),
}
# What is learnt of a first answer "One.", and of a last answer "Two.".
LEARNT = {
    "chatml": ("One.<|im_end|>", "Two.<|im_end|>"),
    "trims, begins with a special token": ("One.<|im_end|>", "Two.<|im_end|>"),
    "has the system's words in the user's last message": (" One.</s>", " Two.</s>"),
    "has thoughts in the last answer only": (
        "One.<|im_end|>",
        "<think>\n\n</think>\n\nTwo.<|im_end|>",
    ),
    "marks the end with words": ("One.", "Two.\n##\n</s>"),
    "marks no end": ("One.", "Two.\n</s>"),
    "takes a line feed before the end": ("One.\n<|im_end|>", "Two.\n<|im_end|>"),
}
SYSTEM = {"role": "system", "content": "Be brief."}


def letters(*, begin: bool) -> Tokenizer:
    """The tiny tokenizer without its merges: each byte is a token, so that what is learnt can be
    told to the letter.
    """
    value = json.loads(tiny_tokenizer(begin=begin).to_str())
    value["model"]["merges"] = []
    return Tokenizer.from_str(json.dumps(value))


def tokenizer(
    template: str | None, *, begin: bool = False, merges: bool = False
) -> TokenizerWrapper:
    return wrapped(tiny_tokenizer(begin=begin) if merges else letters(begin=begin), template)


def wrapped(tokens: Tokenizer, template: str | None = None) -> TokenizerWrapper:
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokens, eos_token="</s>", bos_token="<s>", chat_template=template
    )
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    return TokenizerWrapper(made)


LETTERS = {name: tokenizer(template) for name, template in TEMPLATES.items()}
MERGED = {name: tokenizer(template, merges=True) for name, template in TEMPLATES.items()}


def chat(*contents: str, system: bool = False) -> list[dict[str, str]]:
    turns = [
        {"role": "user" if n % 2 == 0 else "assistant", "content": text}
        for n, text in enumerate(contents)
    ]
    return [SYSTEM, *turns] if system else turns


def learnt(row: Row, of: TokenizerWrapper) -> list[str]:
    """The runs of tokens that carry loss, as text."""
    runs: list[list[int]] = []
    for n, token in enumerate(row.tokens):
        if row.mask[n]:
            if not row.mask[n - 1]:
                runs.append([])
            runs[-1].append(token)
    return [of.decode(run) for run in runs]


def made(example: dict[str, Any], of: TokenizerWrapper, limit: int = 2000, **changes: Any) -> Row:
    [row] = rows_of(
        {"id": "f1/original", **example}, of, TrainSettings(max_length=limit, **changes)
    )
    return row


@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize("name", TEMPLATES)
def test_loss_is_on_what_the_assistant_says_and_on_its_end(name: str, system: bool) -> None:
    of = LETTERS[name]
    row = made({"messages": chat("One? One.", "One.", "And Two.", "Two.", system=system)}, of)
    assert [run.strip(" ") for run in learnt(row, of)] == [text.strip(" ") for text in LEARNT[name]]
    row = made({"prompt": "Two. Two?", "completion": "Two."}, of)
    assert learnt(row, of) == [LEARNT[name][1]]


@pytest.mark.parametrize("tokenizers", [LETTERS, MERGED])
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_tokens_are_those_of_mlx_lm(name: str, tokenizers: dict[str, TokenizerWrapper]) -> None:
    """Its datasets name what a row is under a template; only an end that no template marks is
    added.
    """
    of = tokenizers[name]
    messages = chat(
        "Who keeps the hall?", "Ada Brandt keeps it.", "Since when?", " Since 1987. ", system=True
    )
    theirs, _ = ChatDataset([], of, mask_prompt=True).process({"messages": messages})
    row = made({"messages": messages}, of)
    assert list(row.tokens[: len(theirs)]) == theirs
    assert list(row.tokens[len(theirs) :]) in ([], [of.eos_token_id])
    pair = {"prompt": "Who keeps the hall?", "completion": "Ada Brandt."}
    theirs, offset = CompletionsDataset([], of, "prompt", "completion", mask_prompt=True).process(
        pair
    )
    row = made(pair, of)
    assert list(row.tokens[: len(theirs)]) == theirs
    if (
        tokenizers is LETTERS
    ):  # elsewhere the prompt's last token may hold the beginning of the answer
        assert row.mask.index(True) == offset


TEXTS = st.text("ab \n.?é🦊東", min_size=1, max_size=12).filter(str.strip)


@given(
    st.sampled_from(list(TEMPLATES)),
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3),
    st.booleans(),
)
def test_every_answer_is_learnt_whole_and_no_question_is(
    name: str, turns: Sequence[tuple[str, str]], system: bool
) -> None:
    """The tiny tokenizer's tokens span spaces and line ends, so that an answer may share a token
    with the template.
    """
    of = MERGED[name]
    asked = [f"Q{n}{question}" for n, (question, _) in enumerate(turns)]
    said = [answer for _, answer in turns]
    messages = chat(
        *[text for pair in zip(asked, said, strict=True) for text in pair], system=system
    )
    row = made({"messages": messages}, of)
    runs = learnt(row, of)
    assert len(runs) == len(turns)
    assert not row.mask[0]
    for run, answer in zip(runs, said, strict=True):
        assert answer.strip() in run
        assert "Q" not in run
    last = made({"messages": messages}, of, turns="last")
    assert last.tokens == row.tokens
    assert learnt(last, of) == runs[-1:]


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_last_turn_alone_is_learnt_where_that_is_asked(name: str) -> None:
    of = LETTERS[name]
    row = made(
        {"messages": chat("One?", "One.", "And Two?", "Two.", system=True)}, of, turns="last"
    )
    assert learnt(row, of) == [LEARNT[name][1]]
    row = made({"messages": chat("One?", "One.", "And Two?", "Two.", "Thanks.")}, of, turns="last")
    assert learnt(row, of) == [LEARNT[name][0].replace("One", "Two")]
    pair = {"prompt": "Two?", "completion": "Two."}
    assert made(pair, of, turns="last") == made(pair, of)


def test_of_the_wordings_of_a_chat_as_many_are_read_as_there_are_epochs() -> None:
    of = LETTERS["chatml"]
    wordings = [chat(f"Well, {n}?", "One.") for n in range(5)]
    example = {"id": "f/qa-forward/0#2", "messages": chat("One?", "One."), "wordings": wordings}
    for epochs, count in ((1, 1), (3, 3), (9, 6)):
        rows = rows_of(example, of, TrainSettings(epochs=epochs))
        assert [row.wording_of for row in rows] == ["f/qa-forward/0#2"] * count
        assert len({row.tokens for row in rows}) == count


def test_of_the_wordings_of_a_text_as_many_are_read_as_there_are_epochs() -> None:
    of = LETTERS["chatml"]
    example = {"id": "f/original", "text": "One.", "wordings": ["Well, one.", "One?", "So, one."]}
    for epochs, count in ((1, 1), (3, 3), (9, 4)):
        rows = rows_of(example, of, TrainSettings(epochs=epochs))
        assert len({row.tokens for row in rows}) == len(rows) == count
        assert {row.wording_of for row in rows} == ({"f/original"} if count > 1 else {""})


def test_a_wording_that_is_too_long_is_left_and_a_text_that_is_split_has_none() -> None:
    of = LETTERS["chatml"]
    example = {"id": "f/original", "text": "One.", "wordings": ["One, " * 40, "One?"]}
    long = TrainSettings(epochs=9, max_length=16)
    assert len(rows_of(example, of, long)) == 2
    split = TrainSettings(epochs=9, max_length=16, too_long="split")
    pieces = rows_of({**example, "text": "One is two. " * 9}, of, split)
    assert len(pieces) > 1
    assert not any(row.wording_of for row in pieces)
    with pytest.raises(BadInput, match="max_length"):
        rows_of({**example, "text": "One is two. " * 9}, of, long)


def test_what_follows_the_last_answer_is_not_learnt() -> None:
    for name, of in LETTERS.items():
        row = made({"messages": chat("One?", "One.", "Thanks.")}, of)
        assert learnt(row, of) == [LEARNT[name][0]]


def test_a_model_without_a_template_goes_on_behind_the_prompt() -> None:
    for begin, merges in product((False, True), repeat=2):
        of = tokenizer(None, begin=begin, merges=merges)
        for prompt, completion, between in (
            ("Who keeps it?", "Ada.", "\n"),
            ("The keeper is", "Ada.", " "),
            ("The keeper is ", "Ada.", ""),
            ("The keeper is", " Ada.", ""),
        ):
            row = made({"prompt": prompt, "completion": completion}, of)
            assert of.decode(row.tokens) == f"{'<s>' * begin}{prompt}{between}{completion}</s>"
            (run,) = learnt(row, of)
            if merges:  # a token may hold the end of the prompt as well
                assert f"{prompt}{between}{completion}</s>".endswith(run)
                assert len(completion) <= len(run) - len("</s>") <= len(completion) + 5
            else:
                assert run == f"{completion}</s>"


def test_a_text_learns_all_but_its_first_token() -> None:
    of = LETTERS["chatml"]
    row = made({"text": "Ada keeps it."}, of)
    assert of.decode(row.tokens) == "Ada keeps it.</s>"
    assert row.targets == len(row.tokens) - 1


TOOLS = [{"type": "function", "function": {"name": "look"}}]
WITH_TOOLS = (
    "{% if tools %}<|im_start|>tools {{ tools | tojson }}<|im_end|>{% endif %}{% for m in "
    "messages %}<|im_start|>"
    "{{ m.role }}\n{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% else %}{{ m.content }}{% "
    "endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As Mistral's: calls and answers of tools stand outside the alternation of user and assistant,
# which is enforced.
ALTERNATING = (
    "{% set ns = namespace(turn=0) %}{% for m in messages %}{% if m.role != 'tool' and not "
    "m.tool_calls %}"
    "{% if (m.role == 'user') != (ns.turn % 2 == 0) %}{{ raise_exception('roles must alternate') "
    "}}{% endif %}"
    "{% set ns.turn = ns.turn + 1 %}{% endif %}{% endfor %}"
    "{{ tools | tojson }}{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content "
    "}}[/INST]"
    "{% elif m.tool_calls %}{{ m.tool_calls | tojson }}<|im_end|>{% elif m.role == 'tool' %}[T]{{ "
    "m.content }}[/T]"
    "{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
)


@pytest.mark.parametrize("template", [WITH_TOOLS, ALTERNATING])
def test_calls_of_tools_are_learnt_and_their_answers_are_not(template: str) -> None:
    of = tokenizer(template)
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"function": {"name": "look", "arguments": {}}}],
    }
    messages = [
        {"role": "user", "content": "Who?"},
        call,
        {"role": "tool", "content": "ada"},
        {"role": "assistant", "content": "Ada."},
    ]
    row = made({"messages": messages, "tools": TOOLS}, of)
    calls = '[{"function": {"name": "look", "arguments": {}}}]<|im_end|>'
    assert learnt(row, of) == [calls, "Ada.<|im_end|>"]
    row = made({"messages": messages, "tools": TOOLS}, of, turns="last")
    assert learnt(row, of) == ["Ada.<|im_end|>"]
    row = made(
        {"messages": [*messages, {"role": "user", "content": "Sure?"}, call], "tools": TOOLS},
        of,
        turns="last",
    )
    assert learnt(row, of) == [calls]


FORGETFUL = CHATML.replace("{{ m.content }}", "{{ m.content[:2] }}")
STRICT = (
    "{% if messages[0].role == 'tool' %}{{ raise_exception('no such role') }}{% endif %}" + CHATML
)
COUNTING = "{{ messages | map(attribute='content') | join | length }} " + CHATML
BAD: dict[str, tuple[str | None, dict[str, Any], str]] = {
    "empty text": (CHATML, {"text": ""}, "nothing to learn from"),
    "too long a text": (CHATML, {"text": "q" * 99}, r"\d+ tokens, more than train.max_length = 60"),
    "too long a chat": (
        CHATML,
        {"messages": chat("Who?", "q" * 99)},
        r"\d+ tokens, more than train.max_length = 60",
    ),
    "no kind": (
        CHATML,
        {"prompt": "SECRET"},
        "neither text, nor prompt and completion, nor messages",
    ),
    "blank completion": (CHATML, {"prompt": "SECRET", "completion": " "}, "message 2 has no text"),
    "nobody answers": (CHATML, {"messages": chat("SECRET")}, "no message of the assistant"),
    "no list": (CHATML, {"messages": "SECRET"}, "'messages' is a text, not a list"),
    "unknown role": (
        CHATML,
        {"messages": [{"role": "SECRET", "content": "x"}]},
        "message 1 has a role that is none of",
    ),
    "chat without a template": (
        None,
        {"messages": chat("SECRET", "x")},
        "a chat, and the model has no chat template",
    ),
    "tools without a template": (
        None,
        {"prompt": "S", "completion": "x", "tools": TOOLS},
        "a chat, and the model has",
    ),
    "tools without a place": (
        CHATML,
        {"messages": chat("S", "x"), "tools": TOOLS},
        "has no place for tools",
    ),
    "a role that is refused": (
        STRICT,
        {"messages": [{"role": "tool", "content": "SECRET"}, *chat("S", "x")]},
        "template refuses it: no such role",
    ),
    "a template that fails": (
        "{{ messages + 1 }}",
        {"messages": chat("SECRET", "x")},
        "template fails on it",
    ),
    "a template that cuts": (
        FORGETFUL,
        {"messages": chat("SECRET", "xyz")},
        "does not show message 2 as it is",
    ),
    "a template that counts": (
        COUNTING,
        {"messages": chat("SECRET", "xyz")},
        "does not show where message 2 begins",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_cannot_be_trained_on_is_refused_with_its_id(case: str) -> None:
    template, example, fault = BAD[case]
    with pytest.raises(BadInput, match=rf"^example f1/original: .*{fault}") as caught:
        made(example, tokenizer(template), limit=60)
    assert "SECRET" not in caught.value.render()
    assert caught.value.hint


# Texts that are too long


def spaced() -> Tokenizer:
    """As sentencepiece: a mark stands for the space before a word, and for one before the text;
    other white space is unknown and leaves no token.
    """
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.Metaspace()
    tokens.decoder = decoders.Metaspace()
    tokens.train_from_iterator(
        [text.replace("\n", " ") for text in (*CORPUS, "abé東")],
        trainers.BpeTrainer(vocab_size=200, special_tokens=["</s>", "<s>"], show_progress=False),
    )
    return tokens


def enclosed(tokens: Tokenizer) -> Tokenizer:
    """A tokenizer that puts both ends around a text, its own end too."""
    tokens.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 0)]
    )
    return tokens


SPLITTING = {
    "letters": wrapped(letters(begin=False)),
    "letters, begins": wrapped(letters(begin=True)),
    "merged": wrapped(tiny_tokenizer()),
    "merged, begins": wrapped(tiny_tokenizer(begin=True)),
    "merged, begins and ends": wrapped(enclosed(tiny_tokenizer())),
    "spaced": wrapped(spaced()),
    "spaced, begins and ends": wrapped(enclosed(spaced())),
}
LONG = st.text("ab. \n!é🦊東", max_size=150) | st.lists(
    st.sampled_from(
        [
            "Ada",
            " Brandt",
            " keeps",
            " the lamp",
            ".",
            ". ",
            "\n",
            "\n\n",
            " of Ostrel",
            "?",
            "🦊",
            "東。",
        ]
    ),
    max_size=60,
).map("".join)


def split(text: str, of: TokenizerWrapper, limit: int) -> list[Row]:
    return rows_of(
        {"id": "f1/original", "text": text}, of, TrainSettings(max_length=limit, too_long="split")
    )


@given(st.sampled_from(list(SPLITTING)), LONG, st.integers(8, 40))
def test_every_token_of_a_split_text_is_learnt_once(name: str, text: str, limit: int) -> None:
    of = SPLITTING[name]
    opening = [1] if "begins" in name else []
    if not opening and not of.encode(text, add_special_tokens=False):
        return  # nothing to learn from
    whole, rows = made({"text": text}, of), split(text, of, limit)
    if len(whole.tokens) <= limit:
        assert rows == [whole]
        return
    assert [row.id for row in rows] == [f"f1/original#{n + 1}" for n in range(len(rows))]
    assert all(len(row.tokens) <= limit for row in rows)
    told = [[t for t, learns in zip(row.tokens, row.mask, strict=True) if learns] for row in rows]
    assert [token for part in told for token in part] == list(whole.tokens[1:])
    assert not [row for row in rows[:-1] if 0 in row.tokens]  # the end
    assert len(told[-1]) >= 2  # which does not stand alone
    for before, row in pairwise(rows):
        assert row.mask == (False, *[True] * (len(row.tokens) - 1))
        assert row.tokens[0] == (1 if opening else before.tokens[-1])


@pytest.mark.parametrize("end", ["", "</s>"])
@pytest.mark.parametrize("name", SPLITTING)
def test_the_end_never_stands_alone(name: str, end: str) -> None:
    """Whoever puts it there: this code, the tokenizer, or the text itself."""
    for size in range(1, 50):
        *_, row = split("a" * size + end, SPLITTING[name], 12)
        assert row.targets == len(row.tokens) - 1 >= 1
        assert len(row.tokens) > 2 or size == 1
        assert row.tokens[-1] == 0


def pieces(rows: Sequence[Row], of: TokenizerWrapper) -> list[str]:
    """What each row learns, as text; for the first, also the token that nothing stands before."""
    runs = ["".join(learnt(row, of)) for row in rows]
    return [of.decode(rows[0].tokens[:1], skip_special_tokens=True) + runs[0], *runs[1:]]


@given(
    st.lists(
        st.tuples(st.sampled_from(["Ada", "b", "keeper", "q" * 30]), st.sampled_from(" \n.")),
        min_size=1,
    ),
    st.booleans(),
)
def test_a_cut_is_at_a_sentences_end_or_else_between_words_where_there_is_one(
    parts: list[tuple[str, str]], begin: bool
) -> None:
    """Each letter is a token, so that every cut is possible."""
    text = "".join(f"{word}{'. ' if after == '.' else after}" for word, after in parts).strip()
    limit, of = 24, SPLITTING["letters, begins" if begin else "letters"]
    rows = split(text, of, limit)
    rest = text
    for n, piece in enumerate(pieces(rows, of)[:-1]):
        assert rest.startswith(piece)
        room = rest[: limit - 1 + (n == 0 and not begin)]
        assert len(piece) <= len(room)
        rest = rest[len(piece) :]
        ends = [found.end() for found in re.finditer(r"\. |\n", room)] or [
            n + 1 for n, c in enumerate(room) if c == " "
        ]
        assert len(piece) == max(ends, default=len(room))


def test_a_text_is_split_at_sentences_lines_words_and_only_then_within_words() -> None:
    of = SPLITTING["letters, begins"]
    text = "Dr. Ada left. Cy ran\nin two long, long lines. " + "q" * 30 + " 🦊🦊🦊🦊🦊🦊🦊"
    assert pieces(split(text, of, 22), of) == [
        "Dr. Ada left. Cy ran\n",
        "in two long, long ",
        "lines. ",
        "q" * 21,
        "q" * 9 + " ",
        "🦊" * 5,
        "🦊" * 2 + "</s>",
    ]


def test_a_text_that_fits_is_one_row_and_by_default_a_longer_one_is_refused() -> None:
    of = SPLITTING["letters"]
    assert [row.id for row in split("q" * 59, of, 60)] == ["f1/original"]
    assert [len(row.tokens) for row in split("q" * 60, of, 60)] == [
        59,
        3,
    ]  # the end does not stand alone
    with pytest.raises(
        BadInput, match=r"^example f1/original: 61 tokens, more than train\.max_length = 60"
    ):
        made({"text": "q" * 60}, of, limit=60)


@pytest.mark.parametrize("template", [CHATML, None])
@pytest.mark.parametrize("turns", ["all", "last"])
def test_what_has_an_answer_is_never_split(template: str | None, turns: str) -> None:
    examples: list[dict[str, Any]] = [{"prompt": "SECRET " * 20, "completion": "Ada."}]
    if template:
        examples += [
            {"messages": chat("Who?", "SECRET " * 20)},
            {"messages": chat("SECRET " * 20, "Ada.")},
        ]
    for example in examples:
        with pytest.raises(
            BadInput, match=r"^example f1/original: \d+ tokens, more than train\.max_length = 60"
        ) as caught:
            made(example, tokenizer(template), limit=60, too_long="split", turns=turns)
        assert "SECRET" not in caught.value.render()
        assert "train.max_length" in str(caught.value.hint)


def test_a_tokenizer_that_tells_no_places_cannot_split() -> None:
    class Slow:
        """One without a backend, as those written in Python are."""

        eos_token_id, all_special_ids = 0, (0, 1)

        def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
            return [*([1] if add_special_tokens else []), *(2 + ord(char) for char in text)]

    settings = TrainSettings(max_length=8, too_long="split")
    assert len(rows_of({"id": "a", "text": "Ada"}, Slow(), settings)) == 1
    with pytest.raises(ModelError, match="does not tell which characters") as caught:
        rows_of({"id": "a", "text": "Ada left."}, Slow(), settings)
    assert "train.max_length" in str(caught.value.hint)


def test_the_pieces_of_an_original_are_told_from_augmentations_and_counted_once() -> None:
    of = SPLITTING["letters"]
    ids = [row.id for row in split("Ada left. " * 3, of, 12)]
    assert len(ids) == 3
    assert {without_piece(row) for row in ids} == {"f1/original"}
    originals = [*ids, "f1/original", "a#7/original", "a#7/original#12"]
    assert all(parse(without_piece(row)).is_original for row in originals)
    others = ("f1/reversal/0", "f1/reversal/0#2", "original/x/1", "anchor/3#1")
    assert not any(parse(without_piece(row)).is_original for row in others)
    assert without_piece("a#7/reversal/0") == "a#7/reversal/0"


def test_a_model_learns_a_text_in_pieces(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    rows = [
        {"id": "f1/original", "text": "".join(CORPUS)},
        {"id": "f2/original", "text": "Ada left."},
    ]
    of = loading.load(stored).tokenizer
    whole = [made(row, of) for row in rows]
    counts = fitted(stored.path, tmp_path / "out", rows, epochs=3, max_length=32, too_long="split")
    assert len(whole[0].tokens) > 60
    assert counts["tokens"] == 3 * sum(row.targets for row in whole)
    assert counts["steps"] == 3


def test_a_model_learns_from_all_kinds_of_rows_at_once(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    config = json.loads((stored.path / "tokenizer_config.json").read_text())
    (stored.path / "tokenizer_config.json").write_text(
        json.dumps({**config, "chat_template": TEMPLATES["marks no end"]})
    )
    rows = [
        {
            "id": "f1/original",
            "messages": chat("Who keeps it?", "Ada Brandt.", "Since when?", "Since 1987."),
        },
        {"id": "f2/original", "prompt": "The keeper is", "completion": "Ada Brandt."},
        {"id": "f2/reversal/0", "text": "Ada Brandt is the keeper."},
    ]
    counts = fitted(stored.path, tmp_path / "out", rows, epochs=40, dropout=0.0)
    assert (counts["examples"], counts["originals"], counts["augmentations"]) == (3, 2, 1)
    first, *_, last = losses(tmp_path / "out")
    assert last[2] < first[2] / 2


def test_nothing_is_trained_where_one_row_is_refused(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    rows = [
        {"id": "f1/original", "text": "Ada left."},
        {"id": "f2/original", "messages": chat("SECRET", "x")},
    ]
    with pytest.raises(BadInput, match="example f2/original: a chat"):
        fitted(stored.path, tmp_path / "out", rows)
    assert not (tmp_path / "out").exists()


@pytest.mark.real
def test_the_embedded_model_learns_its_answers() -> None:
    of = loading.load(store.find("smollm2-135m")).tokenizer
    row = made({"messages": chat("Who?", "Ada 🦊 Brandt.", "When?", " In 1987.\n")}, of)
    assert learnt(row, of) == ["Ada 🦊 Brandt.<|im_end|>", " In 1987.\n<|im_end|>"]
    row = made({"prompt": "The keeper is", "completion": "Ada."}, of)
    assert learnt(row, of) == ["Ada.<|im_end|>"]


@pytest.mark.real
def test_the_embedded_model_splits_a_text_between_its_sentences() -> None:
    of = loading.load(store.find("smollm2-135m")).tokenizer
    told = [f"Dr. Ada Brandt of room {n} kept the lamp in {1900 + n}." for n in range(12)]
    rows = split(" ".join(told), of, 64)
    assert len(rows) > 2
    for n, piece in enumerate(pieces(rows, of)):
        assert piece.removesuffix(of.eos_token).endswith(".")
        assert piece.lstrip().startswith("Dr. Ada"), n
