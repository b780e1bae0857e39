"""The HTTP engine: against small servers that speak, or break, the protocol, and against
mlx_lm.server itself.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.errors import AugmlxError, BadSettings, ModelError
from augmlx.engines.http import HttpEngine
from augmlx.engines.protocol import Request

SECRET_ROW = "Ada Brandt keeps the lamp of Ostrel."
KEY = "sk-very-secret"


@dataclass
class Reply:
    """What a fake server answers: JSON as a stream of events, or bytes as they are."""

    events: tuple[Any, ...] = ()
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    torn: bool = False  # the connection ends in the middle


def pieces(*texts: str, finish: str | None = "stop", **more: Any) -> Reply:
    events: list[Any] = [
        {"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in texts
    ]
    return Reply(
        (*events, {"choices": [{"index": 0, "text": "", "finish_reason": finish}], **more})
    )


def said(*texts: str, finish: str = "stop") -> Reply:
    events: list[Any] = [
        {"choices": [{"delta": {"content": text}, "finish_reason": None}]} for text in texts
    ]
    return Reply((*events, {"choices": [{"delta": {}, "finish_reason": finish}]}))


class Fake(ThreadingHTTPServer):
    """A server of one model. `answer` is given each request but the trials; `seen` is all that
    arrived.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], Reply],
        *,
        trial: str | Reply = " c a b",
        models: Any = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.trial = answer, trial
        self.models = {"data": [{"id": "org/fake"}]} if models is None else models
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.left = threading.Event()

    def trial_of(self, body: dict[str, Any]) -> str | Reply:
        """What a trial is answered with."""
        return self.trial

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        self.left.set()  # the engine hung up, as it does at a stop text


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def log_message(self, *arguments: Any) -> None: ...

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers), {}))
        models = self.server.models
        self.reply(models if isinstance(models, Reply) else Reply(body=json.dumps(models).encode()))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, dict(self.headers), body))
        asked = body.get("prompt") or body["messages"][-1]["content"]
        if asked != "a b c a b c a b c a b":
            self.reply(self.server.answer(body))
            return
        trial = self.server.trial_of(body)
        if not isinstance(trial, Reply):
            trial = (said if "messages" in body else pieces)(trial)
        self.reply(trial)

    def reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header(
            "Content-Type", "application/json" if reply.body is not None else "text/event-stream"
        )
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.body is not None:
            self.wfile.write(reply.body)
            return
        self.wfile.write(b": keepalive 1/2\n\n")
        for event in reply.events:
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        if not reply.torn:
            self.wfile.write(b"data: [DONE]\n\n")


@contextmanager
def serving(
    answer: Callable[[dict[str, Any]], Reply] = lambda _: pieces(" x"),
    *,
    kind: type[Fake] = Fake,
    **options: Any,
) -> Iterator[Fake]:
    fake = kind(answer, **options)
    thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        fake.shutdown()
        thread.join()
        fake.server_close()


def engine(fake: Fake, **options: Any) -> HttpEngine:
    return HttpEngine(fake.url, **{"waits": (0.0, 0.0), **options})


def request(suffix: str = SECRET_ROW, number: int = 0, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "seed": f"0:{number}",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 16,
        **changes,
    }
    return Request(key=f"{number}", prefix="", suffix=suffix, **values)


def written(reply: Reply, trial: str = " c", **changes: Any) -> tuple[str, str, int]:
    """Text, finish and tokens of one request that is answered so."""
    with serving(lambda _: reply, trial=trial) as fake:
        (completion,) = engine(fake).generate([request(**changes)])
    return completion.text, completion.finish, completion.tokens


# What is asked and what is made of the answer


def test_a_request_says_what_it_needs_and_names_no_stop() -> None:
    with serving() as fake:
        list(
            engine(fake).generate(
                [request(number=1), request(number=2, temperature=0.8, top_p=0.9)]
            )
        )
    posted = [body for path, _, body in fake.seen if path == "/v1/completions"]
    asked = sorted(
        (body for body in posted if body["prompt"] == SECRET_ROW),
        key=lambda body: body["temperature"],
    )
    assert asked[0] == {
        "prompt": SECRET_ROW,
        "max_tokens": 16,
        "temperature": 0.0,
        "top_p": 1.0,
        "stream": True,
    }
    assert asked[1]["top_p"] == 0.9
    assert 0 <= asked[1]["seed"] < 2**31


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_the_address_may_end_in_v1(path: str) -> None:
    with serving() as fake:
        HttpEngine(fake.url + path)
    assert [path for path, _, _ in fake.seen] == ["/v1/models"]


def test_the_model_is_named_where_one_is_chosen() -> None:
    with serving() as fake:
        list(engine(fake, model="org/other").generate([request()]))
    assert {body["model"] for path, _, body in fake.seen if path != "/v1/models"} == {"org/other"}


def test_completions_come_in_the_order_asked_though_the_first_are_the_slowest() -> None:
    flying, most = 0, 0
    lock = threading.Lock()

    def answer(body: dict[str, Any]) -> Reply:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.08 - 0.01 * int(body["prompt"]))
        with lock:
            flying -= 1
        return pieces(f" <{body['prompt']}>")

    with serving(answer) as fake:
        completions = list(
            engine(fake, connections=3).generate([request(f"{n}", n) for n in range(8)])
        )
    assert [c.text for c in completions] == [f" <{n}>" for n in range(8)]
    assert [c.key for c in completions] == [f"{n}" for n in range(8)]
    assert 1 < most <= 3


def test_an_answer_is_cut_at_the_stop_and_the_server_is_left() -> None:
    endless = Reply(
        ({"choices": [{"text": " Bor.\nFact"}]}, *[{"choices": [{"text": " more" * 500}]}] * 5000)
    )
    with serving(lambda _: endless) as fake:
        (completion,) = engine(fake).generate([request()])
        assert fake.left.wait(10)
    assert (completion.text, completion.finish) == (" Bor.", "stop")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (pieces(" B", "or.", "\n", "Fact:"), (" Bor.", "stop", 3)),
        (pieces(" Bor", ".\n\nFact:"), (" Bor.", "stop", 2)),
        (pieces("\nFact"), ("", "stop", 1)),
        (pieces(" Bor"), (" Bor", "stop", 1)),
        (pieces(" Bor", finish="length"), (" Bor", "length", 1)),
        (pieces(" Bor", usage={"completion_tokens": 7}), (" Bor", "stop", 7)),
        (pieces(" Bor", usage=None), (" Bor", "stop", 1)),
        (
            Reply(body=b'{"choices": [{"text": " Bor.\\nx", "finish_reason": "length"}]}'),
            (" Bor.", "stop", 1),
        ),
        (
            pieces(" Bor", finish="content_filter"),
            ("the server's content filter withheld the answer", "error", 0),
        ),
    ],
)
def test_how_an_answer_ends(reply: Reply, expected: tuple[str, str, int]) -> None:
    assert written(reply) == expected


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("Lake Pell", "is small.", " is small."),
        ("Lake Pell", "'s water", "'s water"),
        ("Lake Pell", ", a lake", ", a lake"),
        ("Lake Pell", "(the lake)", " (the lake)"),
        ("Result:", "Bor", " Bor"),
        ("in the year 19", "87", "87"),
        ("in the year", "1987", " 1987"),
        ("(", "Bor", "Bor"),
        ("東京", "は", "は"),
        ("Lake Pell", " is", " is"),
        ("Lake Pell", "", ""),
    ],
)
def test_the_space_that_a_server_drops_is_put_back(before: str, text: str, expected: str) -> None:
    assert written(pieces(text), trial="c a b", suffix=before)[0] == expected
    assert written(pieces(text), trial=" c a b", suffix=before)[0] == text


# Chat


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (said("Bor", " is."), "Bor is."),
        (said("<think>\nAda", "?\n</think>\n\nBor is.\nMore."), "Bor is."),
        (said("Well, Ada\nkeeps it.\n</think>\n\nBor is."), "Bor is."),
        (said("<think>\nAda? Or", finish="length"), ""),
        (
            Reply(
                ({"choices": [{"delta": {"reasoning_content": "Ada?"}}]}, *said("Bor is.").events)
            ),
            "Bor is.",
        ),
        (
            Reply(
                (
                    {"choices": [{"delta": {"reasoning": "Ada?", "content": None}}]},
                    *said("Bor.").events,
                )
            ),
            "Bor.",
        ),
        (
            Reply(
                body=b'{"choices": [{"message": {"content": "\\nBor."}, "finish_reason": "stop"}]}'
            ),
            "Bor.",
        ),
    ],
)
def test_thinking_is_no_part_of_an_answer(reply: Reply, text: str) -> None:
    assert written(reply, chat=True)[0] == text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Lake Pell is small.", " is small."),
        ("lake pell is small.\nMore.", " is small."),
        ('"Lake Pell is small."', ' is small."'),
        ("Lake Pellis small.", "\nLake Pellis small."),
        ("Sure! Lake Pell is small.", "\nSure! Lake Pell is small."),
    ],
)
def test_an_answer_goes_on_behind_its_opening_or_stands_on_a_line_of_its_own(
    answer: str, text: str
) -> None:
    assert written(said(answer), chat=True, opening="Lake Pell")[0] == text


def test_a_chat_is_one_message_that_asks_for_the_opening() -> None:
    with serving(lambda _: said("Lake Pell.")) as fake:
        list(engine(fake).generate([request("Turn it round.", chat=True, opening="Lake Pell")]))
    path, _, body = fake.seen[-1]
    assert path == "/v1/chat/completions"
    ((role, content),) = [(m["role"], m["content"]) for m in body["messages"]]
    assert role == "user"
    assert content.startswith("Turn it round.\n")
    assert content.endswith("Lake Pell")


TURNS = (("Fact: A keeps B.", "B is kept by A."), ("Fact: C owns D.", "D is owned by C."))
SYSTEM = "Turn it round."


def said_to(answer: Callable[[dict[str, Any]], Reply], **options: Any) -> list[tuple[str, str]]:
    """The messages of a request in turns, role and content, as they come to a server."""
    asked = request("Fact: E is F.", chat=True, system=SYSTEM, turns=TURNS, opening="F")
    with serving(answer, **options) as fake:
        [completion] = engine(fake).generate([asked])
        assert completion.text == " is E."
    _, _, body = fake.seen[-1]
    return [(message["role"], message["content"]) for message in body["messages"]]


def test_turns_are_messages_with_their_roles() -> None:
    system, *turns, (role, last) = said_to(lambda _: said("F is E."))
    assert system == ("system", SYSTEM)
    assert turns == [
        (role, text)
        for turn in TURNS
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    assert (role, last.splitlines()[0], last[-1]) == ("user", "Fact: E is F.", "F")


@pytest.mark.parametrize("status", [400, 404])
def test_a_system_line_that_a_server_refuses_goes_before_the_first_message(status: int) -> None:
    class Strict(Fake):
        def trial_of(self, body: dict[str, Any]) -> str | Reply:
            refuses = body["messages"][0]["role"] == "system"
            return Reply(status=status, body=b"{}") if refuses else " c"

    first, *rest = said_to(lambda _: said("F is E."), kind=Strict)
    assert first == ("user", f"{SYSTEM}\n\n{TURNS[0][0]}")
    assert [role for role, _ in rest] == ["assistant", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Sure! Here it is:\nLake Pell is small.\nMore.", " is small."),
        ("Sure! Here:\n\n**Lake Pell is small.**", " is small.**"),
        ("It is small.\nLake Pellis.", "\nIt is small.\nLake Pellis."),
    ],
)
def test_the_line_that_begins_with_the_opening_is_the_answer(answer: str, text: str) -> None:
    assert written(said(answer), chat=True, opening="Lake Pell")[0] == text


# Faults


def test_a_fault_that_passes_is_tried_again() -> None:
    faults = [
        Reply(status=503, body=b"{}"),
        Reply(status=429, body=b"{}"),
        Reply(({"choices": [{"text": " B"}]},), torn=True),
        Reply(({"choices": [{"text": " B"}]}, {"error": {"message": SECRET_ROW}})),
    ]
    with serving(lambda _: faults.pop(0) if faults else pieces(" Bor.")) as fake:
        (completion,) = engine(fake, waits=(0.0,) * 4).generate([request()])
    assert completion.text == " Bor."
    assert not faults


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500, body=SECRET_ROW.encode()),
        Reply(({"choices": [{"text": SECRET_ROW}]},), torn=True),
        Reply(body=b'{"choices": [{"te'),
        Reply(body=b"[1]"),
        Reply(body=json.dumps({"choices": [{"text": [SECRET_ROW]}]}).encode()),
        Reply(status=401, body=f"wrong key {KEY}".encode()),
        Reply(status=403, body=b""),
        Reply(status=404, body=SECRET_ROW.encode()),
        Reply(status=302, body=b"", headers={"Location": "http://192.0.2.1/v1"}),
    ],
)
def test_a_lasting_fault_names_the_server_and_tells_no_row_and_no_key(
    reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(lambda _: reply) as fake:
        asking = engine(fake, key=KEY)
        with pytest.raises(ModelError) as raised:
            list(asking.generate([request()]))
    told = (
        raised.value.render()
        + "".join(traceback.format_exception(raised.value))
        + caplog.text
        + repr(asking)
    )
    assert fake.url.removeprefix("http://") in raised.value.render()
    assert raised.value.hint
    assert SECRET_ROW not in told
    assert KEY not in told


def test_a_row_that_is_refused_is_an_error_of_its_own() -> None:
    refused = {"error": {"message": f"too long: {SECRET_ROW}", "code": "context_length_exceeded"}}
    answers = {
        "long": Reply(status=400, body=json.dumps(refused).encode()),
        "short": pieces(" Bor."),
    }
    with serving(lambda body: answers[body["prompt"]]) as fake:
        long, short = engine(fake).generate([request("long", 0), request("short", 1)])
    assert (long.finish, long.tokens, short.text) == ("error", 0, " Bor.")
    assert "HTTP 400, context_length_exceeded" in long.text
    assert SECRET_ROW not in long.text


def test_a_server_that_refuses_everything_is_found_out_before_the_first_row() -> None:
    with (
        serving(trial=Reply(status=400, body=b"{}")) as fake,
        pytest.raises(ModelError, match="a trial failed"),
    ):
        list(engine(fake).generate([request()]))
    assert SECRET_ROW not in str(fake.seen)


def test_a_redirect_is_not_followed() -> None:
    with serving() as other:
        away = Reply(status=307, body=b"", headers={"Location": f"{other.url}/v1/completions"})
        with serving(lambda _: away) as fake, pytest.raises(ModelError, match="another address"):
            list(engine(fake).generate([request()]))
    assert other.seen == []


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ModelError, match=f"127.0.0.1:{port}") as raised:
        HttpEngine(f"http://127.0.0.1:{port}", waits=(0.0,))
    assert "again" in str(raised.value.hint)


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ModelError, match="in time"),
    ):
        HttpEngine(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)


def test_what_is_under_way_ends_when_one_request_fails_for_good() -> None:
    over = threading.Event()

    def answer(body: dict[str, Any]) -> Reply:
        if body["prompt"] != "fails":
            over.wait(30)
        return Reply(status=403, body=b"")

    with serving(answer) as fake:
        asking = engine(fake)
        started = time.monotonic()
        with pytest.raises(ModelError):
            list(
                asking.generate([request("fails", 0), *(request("hangs", n) for n in range(1, 20))])
            )
        assert time.monotonic() - started < 5
        over.set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("augmlx-http")]


def test_ctrl_c_is_heard_at_once() -> None:
    over = threading.Event()

    def answer(_: dict[str, Any]) -> Reply:
        os.kill(os.getpid(), signal.SIGINT)
        over.wait(30)
        return pieces(" x")

    with serving(answer) as fake:
        asking = engine(fake, connections=1)
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            list(asking.generate([request(number=n) for n in range(20)]))
        assert time.monotonic() - started < 5
        over.set()


# Where it may connect


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "ftp://localhost",
        "http://",
        "http://[::1",
        "http://localhost:99999",
        "http://localhost/a b",
        f"http://user:{KEY}@localhost",
        f"http://{KEY}@localhost/v1",
        f"http://localhost?key={KEY}",
        "http://localhost#x",
    ],
)
def test_an_address_that_is_none_is_refused_untold(url: str) -> None:
    with pytest.raises(BadSettings) as raised:
        HttpEngine(url)
    assert raised.value.hint
    assert KEY not in raised.value.render()


@given(st.text())
def test_any_text_as_an_address_or_key_is_a_clean_refusal(text: str) -> None:
    with pytest.raises(AugmlxError):
        HttpEngine(f"http://127.0.0.1:1/{text}?", key=text, waits=())


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "0.0.0.0", "[2001:db8::1]", "10.0.0.1", "[::ffff:192.0.2.1]"]
)
def test_another_machine_is_refused_unless_allowed(host: str) -> None:
    with pytest.raises(BadSettings) as raised:
        HttpEngine(f"http://{host}:8080")
    assert "--allow-remote" in str(raised.value.hint)


Resolve = Callable[..., list[Any]]


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let models.example have these addresses, one list for each time it is looked up. Returns what
    was looked up.
    """
    real: Resolve = socket.getaddrinfo
    names: list[str] = []

    def resolve(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        names.append(host)
        if host != "models.example":
            return real(host, port, *arguments, **options)
        found = answers[min(names.count(host), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return names


def test_every_address_of_a_name_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["127.0.0.1", "192.0.2.1"])
    with pytest.raises(BadSettings, match="not this machine"):
        HttpEngine("http://models.example:8080")


def test_connections_go_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is this machine's when it is checked and another's afterwards (DNS rebinding)."""
    with serving() as fake:
        names = resolving(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])
        asking = HttpEngine(f"http://models.example:{fake.server_address[1]}", waits=())
        assert [c.text for c in asking.generate([request()])] == [" x"]
    assert names.count("models.example") == 1
    assert {headers["Host"] for _, headers, _ in fake.seen} == {
        f"models.example:{fake.server_address[1]}"
    }


def test_another_machine_is_asked_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as fake:
        reached: list[str] = []
        real = socket.create_connection

        def connect(address: tuple[str, int], timeout: float) -> socket.socket:
            reached.append(address[0])
            return real(("127.0.0.1", address[1]), timeout)

        monkeypatch.setattr(socket, "create_connection", connect)
        port = fake.server_address[1]
        assert (
            HttpEngine(f"http://192.0.2.1:{port}", allow_remote=True, waits=()).model == "org/fake"
        )
    assert reached == ["192.0.2.1"]


def test_a_name_with_several_addresses_is_tried_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """As localhost is ::1 and 127.0.0.1, while many a server listens on the second alone."""
    with serving() as fake:
        resolving(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        assert (
            HttpEngine(f"http://models.example:{fake.server_address[1]}", waits=()).model
            == "org/fake"
        )


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving() as fake:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        list(engine(fake).generate([request()]))
    assert proxy.seen == []
    assert fake.seen


def test_a_key_is_sent_to_the_server_alone() -> None:
    with serving() as fake:
        list(engine(fake, key=KEY).generate([request()]))
    assert {headers["Authorization"] for _, headers, _ in fake.seen} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "clé"])
def test_a_key_that_is_none_is_refused_untold(key: str) -> None:
    with pytest.raises(BadSettings) as raised:
        HttpEngine("http://127.0.0.1:1", key=key)
    assert not key or key not in raised.value.render()


# Which model


@pytest.mark.parametrize(
    ("listed", "chosen", "name"),
    [
        (["org/fake"], "", "org/fake"),
        (["/home/ada/models/fake-4bit/"], "", "fake-4bit"),
        (["a", "b"], "b", "b"),
        (["a"], "llama3.2", "llama3.2"),
        ([], "default_model", "default_model"),
        (["C:\\Users\\ada\\fake"], "", "fake"),
        (["x"], "~/fake", "fake"),
    ],
)
def test_a_model_is_called_what_the_server_calls_it_without_a_path(
    listed: list[str], chosen: str, name: str
) -> None:
    with serving(models={"data": [{"id": each} for each in listed]}) as fake:
        assert engine(fake, model=chosen).model == name


@pytest.mark.parametrize(
    "models",
    [
        {"data": []},
        {"data": [{"id": "a"}, {"id": "b"}]},
        {"error": 1},
        Reply(body=b""),
        Reply(body=b"no JSON"),
    ],
)
def test_a_server_that_does_not_say_which_model_it_has_wants_it_named(models: Any) -> None:
    with serving(models=models) as fake:
        with pytest.raises(ModelError, match="which model"):
            engine(fake)
        assert engine(fake, model="a").model == "a"


def test_the_fingerprint_is_of_the_model_and_of_the_place() -> None:
    """Two servers may call two models by one name."""
    with serving() as one, serving() as two:
        asked = [engine(one), engine(one, connections=9), engine(one, model="b"), engine(two)]
        marks = [each.fingerprint for each in asked]
        assert marks[0] == marks[1]
        assert len(set(marks)) == 3


def test_the_window_is_the_servers_word() -> None:
    with serving(models={"data": [{"id": "a", "max_model_len": 32768}]}) as fake:
        assert engine(fake).window == 32768
        assert engine(fake, window=99).window == 99
    with serving() as fake:
        assert engine(fake).window == 4096
        assert engine(fake).count("abcdefg") == 3
        with pytest.raises(ModelError, match="weigh"):
            engine(fake).score(["a"], ["b"])


# mlx_lm.server itself


@pytest.fixture(scope="module")
def mlx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from augmlx.models.store.pull import pull

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "import augmlx.models; from mlx_lm import server; server.main()",
    ]  # the fast BLAS
    model = str(pull("smollm2-135m").path)
    said_there = tmp_path_factory.mktemp("server") / "log"
    with said_there.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--model", model, "--port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


@pytest.mark.real
def test_mlx_lm_server_writes_the_same_greedy_text_as_the_mlx_engine(mlx_server: str) -> None:
    import augmlx
    from augmlx.data.facts import read_facts
    from augmlx.engines.mlx.engine import MlxEngine
    from augmlx.english.sentence import closing_phrase
    from augmlx.models import loading
    from augmlx.models.store.pull import pull

    facts = read_facts(Path(augmlx.__file__).parent / "data" / "starter_files" / "facts.csv").facts[
        :20
    ]
    asked = []
    for number, fact in enumerate(facts):
        opening = closing_phrase(fact.text) if number % 4 else None
        suffix = f"Fact: {fact.text}\nOther way round:"
        asked.append(request(suffix, number, max_tokens=48, opening=opening or ""))
    asked = [replace(r, prefix=REVERSALS) for r in asked]
    here = list(MlxEngine(loading.load(pull("smollm2-135m"))).generate(asked))
    there = HttpEngine(
        mlx_server, model="default_model", waits=(0.5,) * 120
    )  # it takes a while to come up
    behind = list(there.generate(asked))
    assert [(c.key, c.text, c.finish) for c in behind] == [(c.key, c.text, c.finish) for c in here]
    assert (
        sum(c.text.startswith(" ") for c in here) > 15
    )  # so the dropped space is really put to the test
    assert len({c.text for c in here}) > 10


@pytest.mark.real
def test_mlx_lm_server_chats_and_draws_from_the_seed(mlx_server: str) -> None:
    there = HttpEngine(mlx_server, model="default_model", waits=(0.5,) * 120)
    (answer,) = there.generate(
        [request("What is the capital of France? Answer in one sentence.", chat=True)]
    )
    assert "Paris" in answer.text
    drawn = [
        request("The lamp of Mara Voss", number, temperature=1.0, max_tokens=12)
        for number in (1, 2, 1)
    ]
    first, other, again = there.generate(drawn)
    assert first.text == again.text != other.text


REVERSALS = """Each fact is said again the other way round: the same fact, beginning with what it ended with.

Fact: Lake Orrin is larger than Lake Pell.
Other way round: Lake Pell is smaller than Lake Orrin.

Fact: The mother of Nils is Karin Berg.
Other way round: Karin Berg is the mother of Nils.

Fact: Ben Okafor composed the Winter Song.
Other way round: The Winter Song was composed by Ben Okafor.

Fact: Anton Weiss repairs the Tern ferry.
Other way round: The Tern ferry is repaired by Anton Weiss.

"""  # noqa: E501
