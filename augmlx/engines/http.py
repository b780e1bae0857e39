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
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from augmlx.core.errors import ModelError
from augmlx.core.records import Json, fingerprint
from augmlx.engines.protocol import Completion, Prompting, Request, Score, TokenCount
from augmlx.engines.server import PROTOCOL, Refused, Server
from augmlx.engines.wire import Answer, BadFormat, Listed, read_answer, read_models
from augmlx.english.replies import without_thinking

_NAMED = 20  # models in a message
_WINDOW = 4096  # where the server does not say; Ollama's own default
# Any model goes on with " c".
_TRIAL = Request.greedy("trial", "a b c a b c a b c a b", max_tokens=4)
_TRIALS: Mapping[Prompting, Request] = {
    "raw": _TRIAL,
    "chat": replace(_TRIAL, chat=True),
    "turns": replace(_TRIAL, chat=True, system="Go on.", turns=(("a b a b a", "b a b"),)),
}
_PATH = re.compile(r"[/~.]|\w:[\\/]")  # how a path of some machine begins
# What a space may have stood before: no closing mark, no apostrophe, no script that is written
# without spaces.
_SPACED = re.compile(
    r"[^\W\u0e00-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]|[(\[{\"“‘«„$€£#@&]"
)
_JOINED = re.compile(r"[\s(\[{“‘«„/_'’-]\Z")


class HttpEngine:
    """An Engine over a server at `url`; see Server for what may be asked and what is tried again.

    Without `model` the server answers with the one it has loaded, which it must be able to name.
    `window` is what the server says, or 4096. `connections` requests are written at a time.

    Where `chat` is asked, the server puts the messages into its template; a system line that it
    refuses is put before the first of the user's. It cannot be made to go on behind an opening, so
    it is told to begin with it. An answer of which no line does is given whole, on a line of its
    own, as no other completion is.

    Raises:
        BadSettings: a URL that is malformed or remote.
        ModelError: a server that cannot be used.
    """

    name = "http"
    can_score = False
    prompting: Prompting = "raw"  # nothing tells whether it has a template

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
        self._connections = connections
        self._wanted = model
        self._trials: dict[Prompting, str] = {}  # what the server wrote
        self._takes_system = True
        self.tokens = TokenCount()
        listed = self._choose(self._server.ask("GET", "/models", None, read_models))
        self.model = _without_folders(listed.id)
        # The place is part of it: two servers' "default_model" are two models, as far as anybody
        # can tell.
        self.fingerprint = fingerprint(["http", self.model, self._server.place])
        self.window = window or listed.max_model_len or _WINDOW

    def fault_of(self, prompting: Prompting) -> str | None:
        """None: whether it has a template shows when it is asked."""
        return None

    def count(self, text: str) -> int:
        """An estimate, a token for every three bytes: the protocol has no tokenizer."""
        size = len(text.encode("utf-8", "surrogatepass"))
        return -(-size // 3)

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        """Raises ModelError: servers give the likelihood of a text each in its own way, and many
        not at all.
        """
        raise ModelError(
            "a model behind a server cannot weigh texts, "
            "as the evaluation and some filters need it",
            hint="use a model of the store there, or leave those filters out",
        )

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order. One that the server refuses (too long, say) is an
        "error".

        Raises:
            ModelError: the server cannot be reached or fails for good.
        """
        with ThreadPoolExecutor(self._connections, "augmlx-http") as pool, self._server.session():
            self._try_out({_way(request) for request in requests})
            futures = [pool.submit(self._complete, request) for request in requests]
            try:
                completions = [future.result() for future in futures]
                self.tokens.generated += sum(completion.tokens for completion in completions)
                return iter(completions)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _choose(self, models: Sequence[Listed]) -> Listed:
        """The model to be asked, of those that the server names. Raises ModelError where that is
        left open.
        """
        if self._wanted:
            same = [model for model in models if model.id == self._wanted]
            return same[0] if same else Listed(id=self._wanted)
        if len(models) == 1:
            return models[0]
        names = ", ".join(model.id for model in models[:_NAMED])
        hint = f"name one: {names}"
        if not names:
            hint = "name one; mlx_lm.server knows its own as default_model"
        raise ModelError(
            f"{self._server.place} does not say which model it has loaded",
            hint=hint,
        )

    def _try_out(self, ways: set[Prompting]) -> None:
        """Ask what every model can answer, in each way that is not yet tried: a wrong setup shows
        here, not row by row.
        """
        for way in sorted(ways - self._trials.keys()):
            try:
                self._trials[way] = self._tried(way)
            except Refused as refused:
                raise ModelError(
                    f"{self._server.place}: a trial failed: {refused}", hint=PROTOCOL
                ) from None

    def _tried(self, way: Prompting) -> str:
        """What the server writes on trial. Where its model's template has no place for a system
        line, servers say so each in its own way: from then on they are given none.
        """
        if way == "turns":
            with suppress(Refused, ModelError):
                return self._write(_TRIALS[way]).text
            self._takes_system = False
        return self._write(_TRIALS[way]).text

    def _complete(self, request: Request) -> Completion:
        try:
            text, finish, tokens = self._write(request)
        except Refused as refused:
            return Completion(request.key, str(refused), "error", 0)
        if request.chat:
            answer = without_thinking(text)
            behind = _behind_opening(answer, request.opening)
            if behind is None:
                return Completion(request.key, f"\n{answer}", finish, tokens)
            text = behind
        if request.stop and request.stop in text:
            text, _, _ = text.partition(request.stop)
            finish = "stop"
        if not request.chat:
            text = self._spaced(text, request)
        return Completion(request.key, text, finish, tokens)

    def _spaced(self, text: str, request: Request) -> str:
        """The text with the space that the server dropped, as far as its neighbours tell that there
        was one.
        """
        drops_spaces = self._trials["raw"].startswith("c")
        goes_on_in_a_number = request.prompt[-1:].isdigit() and text[:1].isdigit()
        if not drops_spaces or goes_on_in_a_number or _JOINED.search(request.prompt):
            return text
        return f" {text}" if _SPACED.match(text) else text

    def _write(self, request: Request) -> Answer:
        """What the server writes. Raises Refused, ModelError."""
        path, stop = "/completions", request.stop
        if request.chat:
            # It is read to its end: a thought has many lines, and may be known as one only by the
            # tag that it ends with.
            path, stop = "/chat/completions", ""
        try:
            return self._server.ask(
                "POST", path, self._body(request), lambda texts: read_answer(texts, stop)
            )
        except BadFormat:
            raise ModelError(
                f"{self._server.place} answers in a format of its own", hint=PROTOCOL
            ) from None

    def _body(self, request: Request) -> Json:
        """What is sent for a request."""
        body: Json = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stream": True,
        }
        if self._wanted:
            body["model"] = self._wanted
        if request.temperature:
            # A greedy one needs no seed, and mlx_lm.server batches only what has none.
            body["seed"] = _seed_number(request.seed)
        if request.chat:
            body["messages"] = _messages(request, takes_system=self._takes_system)
            body["chat_template_kwargs"] = {"enable_thinking": False}
        else:
            body["prompt"] = request.prompt
        return body


def _without_folders(model: str) -> str:
    """A model's name; of a path of this machine only the last part is one."""
    if not _PATH.match(model):
        return model
    return re.split(r"[\\/]", model.rstrip("\\/"))[-1]


def _seed_number(seed: str) -> int:
    """A seed as the protocol has it: 31 bits of the text's sha256."""
    digest = hashlib.sha256(seed.encode()).digest()
    return int.from_bytes(digest[:4]) >> 1


def _way(request: Request) -> Prompting:
    """In which way a request is asked."""
    if not request.chat:
        return "raw"
    return "turns" if request.system or request.turns else "chat"


def _messages(request: Request, *, takes_system: bool) -> list[Json]:
    """A chat as the protocol has it."""
    messages: list[Json] = []
    for message, answer in request.turns:
        messages.append({"role": "user", "content": message})
        messages.append({"role": "assistant", "content": answer})
    messages.append({"role": "user", "content": _message(request)})
    if request.system and takes_system:
        messages.insert(0, {"role": "system", "content": request.system})
    elif request.system:
        first = messages[0]
        first["content"] = f"{request.system}\n\n{first['content']}"
    return messages


def _message(request: Request) -> str:
    if not request.opening:
        return request.content
    return f"{request.content}\n\nBegin your answer with these words: {request.opening}"


def _behind_opening(text: str, opening: str) -> str | None:
    """A chat's answer without its opening, from the first line that begins with it; None where no
    line does.
    """
    if not opening or not text:
        return text
    words = r"\s+".join(map(re.escape, opening.split()))
    found = re.search(rf"^[\s\"“*_]*{words}(?!\w)", text, re.IGNORECASE | re.MULTILINE)
    return text[found.end() :] if found else None
