"""What is published, and to whom, against a local server that speaks the Hub's protocol."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from augmlx.cli import cli
from augmlx.exporting.peft import export_peft

from .support import spec_of, write_pairs


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as an upload needs: repositories, LFS, commits."""

    repositories: ClassVar[dict[str, dict[str, Any]]]
    called: ClassVar[list[str]]

    def log_message(self, *_: Any) -> None: ...

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _here(self, path: str) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}{path}"

    def do_GET(self) -> None:
        self.called.append(self.path)
        for name, repository in self.repositories.items():
            if self.path.startswith(f"/api/models/{name}"):
                about = {"id": name, "private": repository["private"], "siblings": [], "sha": "0"}
                self._answer({**about, "tags": [], "downloads": 0, "modelId": name})
                return
        self._answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        self.called.append(self.path)
        body = self._body()
        if self.headers.get("Authorization") != "Bearer hf_of_the_test":
            self._answer({"error": "who are you?"}, 401)
        elif self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in files
            ]
            self._answer({"files": modes})
        elif self.path.endswith("/objects/batch"):
            self._lfs(json.loads(body))
        elif "/commit/" in self.path:
            self._commit(body)
        else:
            self._answer({"errors": [], "warnings": []})

    def do_PUT(self) -> None:
        self.called.append(self.path)
        body = self._body()
        self.repositories["lfs"] = self.repositories.get("lfs", {"private": True})
        self.repositories["lfs"][hashlib.sha256(body).hexdigest()] = body
        self._answer({})

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if name in self.repositories:
            self._answer({"error": "is there", "url": self._here(f"/{name}")}, 409)
            return
        private = asked.get("private", asked.get("visibility") == "private")
        self.repositories[name] = {"private": bool(private), "files": {}}
        self._answer({"url": self._here(f"/{name}"), "id": name, "name": name})

    def _lfs(self, asked: dict[str, Any]) -> None:
        objects = [
            {
                **wanted,
                "authenticated": True,
                "actions": {"upload": {"href": self._here(f"/lfs/{wanted['oid']}"), "header": {}}},
            }
            for wanted in asked["objects"]
        ]
        self._answer({"transfer": "basic", "objects": objects})

    def _commit(self, body: bytes) -> None:
        name = "/".join(self.path.split("/")[3:5])
        files = self.repositories[name]["files"]
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.repositories["lfs"][value["oid"]]
        self._answer(
            {"commitUrl": self._here(f"/{name}/commit/1"), "commitOid": "1", "success": True}
        )


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Hub]]:
    class Own(Hub):
        repositories: ClassVar = {}
        called: ClassVar = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    # Of the Hub's two protocols for large files the older one, which a test can speak.
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield Own
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "adapter", spec_of())
    export_peft(tmp_path / "adapter", spec_of(), tmp_path / "peft")
    return tmp_path / "peft"


def publish(*arguments: object, **options: Any) -> Any:
    return CliRunner().invoke(cli, ["publish", *map(str, arguments)], **options)


def test_an_export_goes_to_a_private_repository_whole(hub: type[Hub], exported: Path) -> None:
    done = publish(exported, "me/tiny-lora", "--json")
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert (value["private"], value["repository"]) == (True, "me/tiny-lora")
    there = hub.repositories["me/tiny-lora"]
    assert there["private"] is True
    assert there["files"] == {path.name: path.read_bytes() for path in exported.iterdir()}
    assert "adapter_model.safetensors" in done.stderr
    assert "you alone" in done.stderr


def test_a_dry_run_lists_and_asks_nobody(hub: type[Hub], exported: Path) -> None:
    done = publish(exported, "me/tiny-lora", "--dry-run")
    assert done.exit_code == 0
    assert done.stdout == "nothing was sent\n"
    assert f"{(exported / 'README.md').stat().st_size:,}  README.md" in done.stderr
    assert hub.called == []


def test_to_everybody_only_where_the_name_is_typed(hub: type[Hub], exported: Path) -> None:
    for typed in ("yes\n", "me/other\n", ""):
        refused = publish(exported, "me/tiny-lora", "--public", input=typed)
        assert refused.exit_code == 2
        assert hub.called == []
    done = publish(exported, "me/tiny-lora", "--public", input="me/tiny-lora\n")
    assert done.exit_code == 0, done.output
    assert hub.repositories["me/tiny-lora"]["private"] is False


def test_what_was_to_be_private_never_goes_where_everybody_reads(
    hub: type[Hub], exported: Path
) -> None:
    hub.repositories["me/tiny-lora"] = {"private": False, "files": {}}
    done = publish(exported, "me/tiny-lora")
    assert done.exit_code == 1
    assert "everybody reads it" in done.output
    assert hub.repositories["me/tiny-lora"]["files"] == {}


def test_a_wrong_login_and_a_hub_that_is_not_there_are_clear_errors(
    hub: type[Hub], exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody")
    done = publish(exported, "me/tiny-lora")
    assert done.exit_code == 1
    assert "the Hub says 401" in done.output
    assert "hf_of_somebody" not in done.output
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    gone = publish(exported, "me/tiny-lora")
    assert gone.exit_code == 1
    assert "hf auth login" in gone.output


def test_only_a_whole_export_goes_and_nothing_beside_it(hub: type[Hub], exported: Path) -> None:
    (exported / "facts.csv").write_text("id,fact\n1,secret\n")
    refused = publish(exported, "me/tiny-lora")
    assert refused.exit_code == 1
    assert "not an export of augmlx alone: facts.csv" in refused.output
    (exported / "facts.csv").unlink()
    (exported / "adapter_config.json").unlink()
    assert "not finished" in publish(exported, "me/tiny-lora").output
    assert "not the name of a repository" in publish(exported, "tiny").output
    assert hub.called == []
