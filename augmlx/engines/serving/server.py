"""An OpenAI-compatible server for some models that are in memory already: mlx_lm.server, on this
machine alone, with a page to chat with them side by side.

mlx_lm.server loads whatever model a request names, from the network too, fetches images by their
addresses, and lets every web page read its answers. Here there are the given models and no others,
nothing is fetched, and the pages of other origins are refused, so that what a model was taught
does not leave the machine by way of a browser.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from importlib import resources
from json import dumps
from typing import Any, ClassVar
from urllib.parse import urlsplit

import mlx.nn as nn
from mlx_lm import server as mlx_server
from mlx_lm.models.cache import make_prompt_cache

from augmlx.core.errors import BadSettings
from augmlx.models.loading import LoadedModel

DEFAULT = "default_model"  # what mlx_lm.server calls a model that a request does not name
_LONGEST = 1024  # tokens of an answer, unless told else
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# mlx_lm.server's own defaults, save for what lets others in.
_ARGUMENTS: dict[str, Any] = {
    "model": None,
    "adapter_path": None,
    "draft_model": None,
    "num_draft_tokens": 3,
    "trust_remote_code": False,
    "allowed_origins": [],
    "chat_template": "",
    "use_default_chat_template": False,
    "chat_template_args": {},
    "temp": 0.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "max_tokens": _LONGEST,
    "decode_concurrency": 32,
    "prompt_concurrency": 8,
    "prefill_step_size": 2048,
    "prompt_cache_size": 10,
    "prompt_cache_bytes": None,
    "kv_bits": None,
    "kv_group_size": 64,
    "quantized_kv_start": 5000,
    "pipeline": False,
}


class ChatServer:
    """Listens from the start, and answers from `run` on: who asks before waits.

    Args:
        names: what requests call the models; the first is meant where none is named.
        port: 0: a free one.
        exposed: other machines may connect, by whatever name they have for this one.
    """

    def __init__(
        self,
        names: Sequence[str],
        host: str,
        port: int,
        *,
        exposed: bool = False,
    ) -> None:
        """Raises BadSettings where the address is not one of this machine alone and it is not
        exposed, or cannot be listened on.
        """
        if not exposed and not is_local(host):
            raise BadSettings(
                f"--host {host}: other machines could connect, and ask for what was taught",
                hint="leave it at 127.0.0.1, or say --expose",
            )
        handler = type("Handler", (_Handler,), {"names": tuple(names), "exposed": exposed})
        self._http = _listening(host, port, handler)

    @property
    def address(self) -> str:
        """The address of the page, without a slash behind it."""
        host, port, *_ = self._http.server_address
        name = host.decode() if isinstance(host, bytes) else host
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def run(self, models: Mapping[str, LoadedModel]) -> None:
        """Answer with the models, by their names, until an exception such as KeyboardInterrupt."""
        with _silent():
            cache = mlx_server.LRUPromptCache(_ARGUMENTS["prompt_cache_size"])
            answering = mlx_server.ResponseGenerator(_Provider(models), cache)
            self._http.answering = answering
            try:
                self._http.serve_forever()
            finally:
                self._http.server_close()
                answering.stop_and_join()


def is_local(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    answering: Any = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        handler: Any = self.RequestHandlerClass
        handler(self.answering, request, client_address, self, system_fingerprint="augmlx")


def _listening(host: str, port: int, handler: type) -> _Http:
    """Raises BadSettings."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = type("Http", (_Http,), {"address_family": family})
    try:
        http: _Http = kind((host.strip("[]"), port), handler)
    except (OSError, OverflowError) as error:
        raise BadSettings(
            f"cannot listen on {host}, port {port}: {error}",
            hint="name another with --port; 0 takes a free one",
        ) from error
    return http


class _Provider(mlx_server.ModelProvider):  # type: ignore[misc]
    """The given models, in the place of whatever a request may name."""

    def __init__(self, models: Mapping[str, LoadedModel]) -> None:
        super().__init__(Namespace(**_ARGUMENTS))
        self._models = models

    def load_default(self) -> None:
        self.load(DEFAULT)

    def load(
        self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None
    ) -> tuple[nn.Module, Any]:
        """Raises ValueError, which the client is told, where there is no such model here."""
        if adapter_path is not None or draft_model_path not in (None, DEFAULT):
            raise ValueError("adapters and draft models cannot be named here")
        name = next(iter(self._models)) if model_path == DEFAULT else model_path
        if name not in self._models:
            raise ValueError(f"no such model here; there are: {', '.join(self._models)}")
        loaded = self._models[name]
        self.model_key = (name, None, None)
        self.model, self.tokenizer = loaded.model, loaded.tokenizer
        self.is_batchable = all(hasattr(c, "merge") for c in make_prompt_cache(loaded.model))
        return loaded.model, loaded.tokenizer


class _Handler(mlx_server.APIHandler):  # type: ignore[misc]
    """Requests of this machine's own pages and programs."""

    names: ClassVar[tuple[str, ...]] = ()
    exposed: ClassVar[bool] = False

    @property
    def _is_refused(self) -> bool:
        """A web page may make a name of its own point here (DNS rebinding), or send what it cannot
        read the answer to.
        """
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        foreign_name = not self.exposed and not is_local(urlsplit(f"//{host}").hostname or "")
        return foreign_name or (origin is not None and origin != f"http://{host}")

    def do_GET(self) -> None:  # noqa: N802
        if self._is_refused:
            self._told(403, {"error": "not from here"})
        elif self.path == "/":
            self._page()
        else:
            super().do_GET()

    def do_POST(self) -> None:  # noqa: N802
        if self._is_refused:
            self._told(403, {"error": "not from here"})
        else:
            super().do_POST()

    def do_OPTIONS(self) -> None:  # noqa: N802
        self._told(403, {"error": "not from here"})

    def handle_chat_completions(self) -> Any:
        """Raises ValueError, which the client is told, for what would be fetched."""
        if any(mlx_server._image_parts(self.body.get("messages", []))):
            raise ValueError("these models read texts alone")
        return super().handle_chat_completions()

    def handle_models_request(self) -> None:
        models = [{"id": name, "object": "model", "created": self.created} for name in self.names]
        self._told(200, {"object": "list", "data": models})

    def log_message(self, *_: Any) -> None:
        """Nothing of what is asked is written anywhere."""

    def _told(self, status: int, what: Any) -> None:
        self._send(status, "application/json", dumps(what).encode())

    def _page(self) -> None:
        text = resources.files("augmlx.engines.serving").joinpath("chat.html").read_text("utf-8")
        self._send(200, "text/html; charset=utf-8", text.encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _silent() -> Iterator[None]:
    """mlx_lm.server logs what it is asked where it cannot be read, and what it keeps."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
