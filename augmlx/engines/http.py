"""The HTTP engine: a model behind a server that speaks the OpenAI-compatible protocol
(mlx_lm.server, LM Studio, Ollama, vLLM, llama.cpp).

Two habits of mlx_lm.server shape it. It takes a stop text out of the answer and, where the text
stands inside a longer token (a blank line, or ".\\n"), writes on behind it; so answers are
streamed, and the stop is found here. And it drops the space that an answer begins with, as mlx-lm's
detokenizers do; a trial request shows whether a server does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from augmlx.core.errors import ModelError
from augmlx.core.records import Json, fingerprint
from augmlx.engines.protocol import Completion, Request, Score, TokenCount
from augmlx.engines.server import PROTOCOL, Busy, Refused, Server

M = TypeVar("M", bound=BaseModel)
_WINDOW = 4096  # where the server does not say; Ollama's own default
# Any model goes on with " c".
_TRIAL = Request.greedy("trial", "a b c a b c a b c a b", max_tokens=4)
_THOUGHT = re.compile(r"\A(?:(?!<think>).)*?</think>|<think>.*?(?:</think>|\Z)", re.DOTALL)
# What a space may have stood before: no closing mark, no apostrophe, no script that is written
# without spaces.
_SPACED = re.compile(
    r"[^\W\u0e00-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]|[(\[{\"“‘«„$€£#@&]"
)
_JOINED = re.compile(r"[\s(\[{“‘«„/_'’-]\Z")


class _Part(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    text: str | None = None  # of a completion
    delta: _Part | None = None  # of a chat, streamed
    message: _Part | None = None  # of a chat, whole
    finish_reason: str | None = None

    @property
    def written(self) -> str:
        part = self.delta or self.message
        return self.text or (part and part.content) or ""


class _Usage(BaseModel):
    completion_tokens: int | None = None


class _Event(BaseModel):
    """One piece of an answer, or all of it."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class _Listed(BaseModel):
    id: str
    max_model_len: int | None = None  # vLLM


class _Listing(BaseModel):
    data: list[_Listed] = []


class HttpEngine:
    """An Engine over a server at `url`; see Server for what may be asked and what is tried again.

    Without `model` the server answers with the one it has loaded, which it must be able to name.
    `window` is what the server says, or 4096. `connections` requests are written at a time.

    Where `chat` is asked, the server puts the message into its template. It cannot be made to go on
    behind an opening, so it is told to begin with it. An answer that does not is given whole,
    behind the request's stop text: on a line of its own, as no other completion is.

    Raises BadSettings for a URL that is malformed or remote, ModelError for a server that cannot be
    used.
    """

    name = "http"
    can_score = False
    prompting: Literal["raw", "chat"] = "raw"

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        key: str | None = None,
        allow_remote: bool = False,
        connections: int = 4,
        timeout: float = 300.0,
        window: int | None = None,
        waits: Sequence[float] = (0.5, 2.0, 8.0),
    ) -> None:
        self._server = Server(url, key=key, allow_remote=allow_remote, timeout=timeout, waits=waits)
        self._connections, self._wanted = connections, model
        self.tokens = TokenCount()
        self._trials: dict[bool, str] = {}
        listed = self._server.ask("GET", "/models", None, _listed)
        if not model and len(listed) != 1:
            names = ", ".join(about.id for about in listed[:20])
            raise ModelError(
                f"{self._server.place} does not say which model it has loaded",
                hint=f"name one: {names}"
                if names
                else "name one; mlx_lm.server knows its own as default_model",
            )
        about = next(
            (about for about in listed if about.id == model or not model), _Listed(id=model)
        )
        # Of a path of this machine only the last part is a name.
        path = re.match(r"[/~.]|\w:[\\/]", about.id)
        self.model = re.split(r"[\\/]", about.id.rstrip("\\/"))[-1] if path else about.id
        # The place is part of it: two servers' "default_model" are two models, as far as anybody
        # can tell.
        self.fingerprint = fingerprint(["http", self.model, self._server.place])
        self.window = window or about.max_model_len or _WINDOW

    def count(self, text: str) -> int:
        """An estimate, a token for every three bytes: the protocol has no tokenizer."""
        return -(-len(text.encode("utf-8", "surrogatepass")) // 3)

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        """Raises ModelError: servers give the likelihood of a text each in its own way, and many
        not at all.
        """
        raise ModelError(
            "a model behind a server cannot weigh texts, as the evaluation and some filters need "
            "it",
            hint="use a model of the store there, or leave those filters out",
        )

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order. One that the server refuses (too long, say) is an
        "error".

        `tokens` are the server's count, else the pieces that it sent. Raises ModelError where the
        server cannot be reached or fails for good.
        """
        with ThreadPoolExecutor(self._connections, "augmlx-http") as pool, self._server.session():
            for chat in sorted({r.chat for r in requests} - self._trials.keys()):
                self._trials[chat] = self._trial(chat)
            asked = [pool.submit(self._complete, r) for r in requests]
            try:
                written = [future.result() for future in asked]
                self.tokens.generated += sum(completion.tokens for completion in written)
                return iter(written)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _trial(self, chat: bool) -> str:
        """The answer to what every model can answer: a wrong setup shows here, not row by row."""
        try:
            return self._write(replace(_TRIAL, chat=chat))[0]
        except Refused as refused:
            raise ModelError(
                f"{self._server.place}: a trial failed: {refused}", hint=PROTOCOL
            ) from None

    def _complete(self, request: Request) -> Completion:
        try:
            text, finish, tokens = self._write(request)
        except Refused as refused:
            return Completion(request.key, str(refused), "error", 0)
        if request.chat:
            text = _THOUGHT.sub("", text).lstrip()
        if request.stop and request.stop in text:
            text, finish = text.split(request.stop, 1)[0], "stop"
        text = _behind(text, request) if request.chat else self._spaced(text, request.prompt)
        return Completion(request.key, text, finish, tokens)

    def _spaced(self, text: str, prompt: str) -> str:
        """The text with the space that the server dropped, as far as its neighbours tell that there
        was one.
        """
        numbers = prompt[-1:].isdigit() and text[:1].isdigit()
        joined = numbers or not _SPACED.match(text) or _JOINED.search(prompt)
        return text if joined or not self._trials[False].startswith("c") else f" {text}"

    def _write(self, request: Request) -> tuple[str, str, int]:
        """What the server writes, why it ended, and in how many tokens. Raises Refused,
        ModelError.
        """
        body: Json = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
        }
        body["stream"] = True
        if self._wanted:
            body["model"] = self._wanted
        if (
            request.temperature
        ):  # a greedy one needs no seed, and mlx_lm.server batches only what has none
            body["seed"] = int.from_bytes(hashlib.sha256(request.seed.encode()).digest()[:4]) >> 1
        if not request.chat:
            body["prompt"] = request.prompt
            return self._server.ask(
                "POST", "/completions", body, lambda texts: self._read(texts, request.stop)
            )
        told = (
            f"\n\nBegin your answer with these words: {request.opening}" if request.opening else ""
        )
        body["messages"] = [{"role": "user", "content": f"{request.content}{told}"}]
        body["chat_template_kwargs"] = {"enable_thinking": False}
        # It is read to its end: a thought has many lines, and may be known as one only by the tag
        # that it ends with.
        return self._server.ask(
            "POST", "/chat/completions", body, lambda texts: self._read(texts, "")
        )

    def _read(self, texts: Iterator[bytes], stop: str) -> tuple[str, str, int]:
        """An answer up to its end or the stop text; leaving then tells the server to write no
        more.
        """
        text, finish, pieces, counted = "", "", 0, None
        for event in (self._parsed(_Event, data) for data in texts):
            if event.choices is None:
                raise Busy("failed while it wrote an answer")
            counted = event.usage.completion_tokens if event.usage else counted
            for choice in event.choices[:1]:
                text, finish = text + choice.written, choice.finish_reason or finish
                pieces += bool(choice.written)
            if stop and stop in text:
                finish = "stop"
                break
        if not finish:
            raise Busy("broke off while it wrote an answer")
        if finish == "content_filter":
            raise Refused("the server's content filter withheld the answer")
        return (
            text,
            "length" if finish == "length" else "stop",
            pieces if counted is None else counted,
        )

    def _parsed(self, kind: type[M], data: bytes) -> M:
        try:
            return kind.model_validate_json(data)
        except ValidationError:
            raise ModelError(
                f"{self._server.place} answers in a format of its own", hint=PROTOCOL
            ) from None


def _listed(texts: Iterator[bytes]) -> list[_Listed]:
    """The models that a server names; none where it cannot (mlx_lm.server without a Hugging Face
    cache).
    """
    try:
        return _Listing.model_validate_json(b"".join(texts)).data
    except ValidationError:
        return []


def _behind(text: str, request: Request) -> str:
    """A chat's answer without its opening; where it begins otherwise, whole, on a line of its
    own.
    """
    if not request.opening or not text:
        return text
    words = r"\s+".join(map(re.escape, request.opening.split()))
    found = re.match(rf"[\s\"“*_]*{words}(?!\w)", text, re.IGNORECASE)
    return text[found.end() :] if found else f"{request.stop or chr(10)}{text}"
