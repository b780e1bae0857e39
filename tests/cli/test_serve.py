"""augmlx serve: what programs and the page get from it, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from report.browser import chromium

from augmlx.engines.serving.server import is_local

from .test_ask import CHATS, invoke, made

import mlx_lm  # isort: skip

QUESTION = "Who owns the Ada mill?"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("chats"), "facts.jsonl", CHATS)


@contextmanager
def serving(run: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address that it printed."""
    command = [sys.executable, "-m", "augmlx", "serve", str(run), "--port", "0", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()
        assert address, process.stderr.read() if process.stderr else ""
        yield process, address[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address(run: Path) -> Iterator[str]:
    with serving(run) as (_, found):
        yield found


def asked(
    address: str,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, headers or {})
    reply = connection.getresponse()
    return reply.status, dict(reply.getheaders()), reply.read().decode()


def chat(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 12, **more}


def said(address: str, **more: Any) -> str:
    status, _, text = asked(address, "POST", "/v1/chat/completions", chat(**more))
    assert status == 200, text
    return str(json.loads(text)["choices"][0]["message"]["content"]).strip()


def generated(run: Path, arm: str) -> str:
    """What mlx_lm.generate says, in twelve tokens."""
    adapter = str(run / "adapter") if arm == "augmented" else None
    model, tokenizer, *_ = mlx_lm.load(str(run.parent / "tiny"), adapter_path=adapter)
    prompt = tokenizer.apply_chat_template(chat()["messages"], add_generation_prompt=True)
    return mlx_lm.generate(model, tokenizer, prompt, max_tokens=12).strip()


def test_programs_get_what_mlx_lm_says_of_both_models(run: Path, address: str) -> None:
    wanted = {arm: generated(run, arm) for arm in ("augmented", "base")}
    assert said(address, model="augmented") == wanted["augmented"]
    assert said(address, model="base") == wanted["base"]
    assert said(address) == wanted["augmented"]
    assert wanted["base"] != wanted["augmented"]


def test_the_openai_client_talks_to_it(run: Path, address: str) -> None:
    openai = pytest.importorskip("openai", reason="needs openai, of the extra [dev]")
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="none")
    assert [model.id for model in client.models.list()] == ["augmented", "base"]
    stream = client.chat.completions.create(
        model="base", messages=chat()["messages"], max_tokens=12, stream=True
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(pieces).strip() == generated(run, "base")
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-4o", messages=chat()["messages"])
    assert "there are: augmented, base" in refused.value.response.text


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"model": "mlx-community/other"}, "no such model here"),
        ({"adapters": "/somewhere"}, "cannot be named here"),
        ({"draft_model": "other"}, "cannot be named here"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "http://x.test/a"}}],
                    }
                ]
            },
            "texts alone",
        ),
    ],
)
def test_nothing_else_is_loaded_or_fetched(address: str, more: dict[str, Any], told: str) -> None:
    status, _, text = asked(address, "POST", "/v1/chat/completions", {**chat(), **more})
    assert status in (400, 404)
    assert told in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.test"},
        {"Host": "elsewhere.test:8080"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/v1/models"), ("POST", "/v1/chat/completions")]
)
def test_pages_of_other_origins_are_refused(
    address: str, headers: dict[str, str], method: str, path: str
) -> None:
    body = chat() if method == "POST" else None
    status, given, text = asked(address, method, path, body, headers)
    assert status == 403
    assert "Access-Control-Allow-Origin" not in given
    assert "mill" not in text


def test_no_page_may_ask_whether_it_may(address: str) -> None:
    headers = {"Origin": "https://elsewhere.test", "Access-Control-Request-Method": "POST"}
    status, given, _ = asked(address, "OPTIONS", "/v1/chat/completions", None, headers)
    assert status == 403
    assert not [name for name in given if name.startswith("Access-Control-Allow")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(run: Path, number: signal.Signals) -> None:
    with serving(run) as (process, address):
        assert said(address)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out == ""
    assert err.splitlines()[-1] == "ended"
    assert "Traceback" not in err
    assert "mill" not in err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.test"])
def test_an_address_that_others_can_reach_is_refused(run: Path, host: str) -> None:
    done = invoke("serve", run, "--host", host, "--port", "0")
    assert done.exit_code == 1
    assert "--expose" in done.stderr
    assert not is_local(host)


def test_with_a_flag_it_is_allowed(run: Path) -> None:
    with serving(run, "--host", "0.0.0.0", "--expose") as (_, address):
        port = urlsplit(address).port
        assert asked(f"http://127.0.0.1:{port}", "GET", "/health")[0] == 200
        other = {"Host": "my-mac.local"}
        assert asked(f"http://127.0.0.1:{port}", "GET", "/health", headers=other)[0] == 200


def test_a_port_that_is_taken_is_told(run: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = invoke("serve", run, "--port", str(port))
    assert done.exit_code == 1
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


def test_a_run_that_is_not_trained_is_told(run: Path, tmp_path: Path) -> None:
    done = invoke("serve", tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")


def test_the_page_chats_with_both_and_asks_nobody_else(address: str) -> None:
    longest = {"max_tokens": 1024}
    wanted = {arm: said(address, model=arm, **longest) for arm in ("augmented", "base")}
    asked_for: list[str] = []
    told: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked_for.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(address)
        page.get_by_label("Your message").fill(QUESTION)
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector("#send:not([disabled])", timeout=60000)
        lists = page.get_by_role("list")
        found = {
            lists.nth(place).get_attribute("aria-label"): lists.nth(place)
            .get_by_role("listitem")
            .all_text_contents()
            for place in range(lists.count())
        }
        assert list(found) == ["augmented", "base"]
        for arm, (question, reply) in found.items():
            assert question == QUESTION
            assert reply.strip() == wanted[str(arm)]
        page.get_by_role("button", name="New chat").click()
        assert page.get_by_role("listitem").count() == 0
        page.close()
    assert not told
    assert {urlsplit(url).netloc for url in asked_for} == {urlsplit(address).netloc}
