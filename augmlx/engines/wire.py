"""What a server of the OpenAI protocol sends: pieces of an answer, and its list of models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from pydantic import BaseModel, ValidationError

from augmlx.engines.server import Busy, Refused


class BadFormat(Exception):
    """A server answers with something else than the protocol's JSON."""


class Answer(NamedTuple):
    """What a server wrote, why it ended, and in how many tokens: its own count, or else the pieces
    that it sent.
    """

    text: str
    finish: Literal["stop", "length"]
    tokens: int


class Listed(BaseModel):
    """One model that a server names."""

    id: str
    max_model_len: int | None = None  # vLLM; in tokens


class _Part(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    text: str | None = None  # of a completion
    delta: _Part | None = None  # of a chat, streamed
    message: _Part | None = None  # of a chat, whole
    finish_reason: str | None = None

    @property
    def written(self) -> str:
        if self.text:
            return self.text
        part = self.delta or self.message
        if part is None:
            return ""
        return part.content or ""


class _Usage(BaseModel):
    completion_tokens: int | None = None


class _Event(BaseModel):
    """One piece of an answer, or all of it."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class _Listing(BaseModel):
    data: list[Listed] = []


def read_models(texts: Iterator[bytes]) -> list[Listed]:
    """The models that a server names; none where it cannot (mlx_lm.server without a Hugging Face
    cache).
    """
    try:
        return _Listing.model_validate_json(b"".join(texts)).data
    except ValidationError:
        return []


def read_answer(texts: Iterator[bytes], stop: str) -> Answer:
    """An answer up to its end or the stop text; leaving then tells the server to write no more.

    Args:
        texts: the JSON of each event.
        stop: "" to read it to its end.

    Raises:
        Busy: the server failed or broke off while it wrote.
        Refused: its filter withheld the answer.
        BadFormat: it is no answer of the protocol.
    """
    text, finish = "", ""
    pieces = 0
    counted: int | None = None
    for event in map(_event, texts):
        if event.choices is None:
            raise Busy("failed while it wrote an answer")
        if event.usage is not None:
            counted = event.usage.completion_tokens
        if event.choices:
            choice = event.choices[0]
            text += choice.written
            finish = choice.finish_reason or finish
            pieces += bool(choice.written)
        if stop and stop in text:
            finish = "stop"
            break
    if not finish:
        raise Busy("broke off while it wrote an answer")
    if finish == "content_filter":
        raise Refused("the server's content filter withheld the answer")
    tokens = pieces if counted is None else counted
    return Answer(text, "length" if finish == "length" else "stop", tokens)


def _event(text: bytes) -> _Event:
    try:
        return _Event.model_validate_json(text)
    except ValidationError:
        raise BadFormat from None
