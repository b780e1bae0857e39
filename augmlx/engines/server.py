"""A server that the user names, reached over HTTP: what is sent, and what is tried again.

http.client follows no redirects and knows no proxies of the environment. Nothing that was sent, no
key and no words of the server are in a message.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TypeVar

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.records import Json
from augmlx.engines.address import parse_address, resolve

T = TypeVar("T")
_CONNECT_SECONDS = 10.0
_LONGEST = 1 << 24  # bytes of one line or body
_CODE = re.compile(rb'"(?:code|type)"\s*:\s*"(\w{3,40})"', re.ASCII)
_AGAIN = "see that the server is up and run the same command again; it resumes"
PROTOCOL = "is it an OpenAI-compatible server? its address often ends in /v1"


class Busy(Exception):
    """The server cannot answer now, or broke off; it may later."""


class Refused(Exception):
    """The server will not answer this one request. The reason holds nothing of the request."""


class Server:
    """A server at `url`, http(s)://HOST:PORT[/v1], of this machine's loopback unless
    `allow_remote`.

    Args:
        key: sent as bearer token.
        timeout: the longest silence, in seconds.
        waits: seconds before each further attempt where the server is busy, fails, or cannot be
            reached.

    Raises:
        BadSettings: a URL that is malformed or remote, a malformed key.
        ModelError: an unknown host.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None,
        allow_remote: bool,
        timeout: float,
        waits: Sequence[float],
    ) -> None:
        self._address = parse_address(url)
        self.place = f"the server at {self._address.host}:{self._address.port}"
        if key is not None and not re.fullmatch(r"[!-~]+", key):
            raise BadSettings(
                "the server's key holds a character that no key has", hint="give it again"
            )
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._tls = ssl.create_default_context() if self._address.encrypted else None
        self._numbers = resolve(self._address, allow_remote=allow_remote)
        self._timeout = timeout
        self._waits = waits
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @contextmanager
    def session(self) -> Iterator[None]:
        """When it is left, by a fault or Ctrl-C too, what is still under way in other threads ends
        at once.
        """
        self._stopping.clear()
        try:
            yield
        finally:
            self._stopping.set()
            with self._lock:
                for connected in self._sockets:
                    with suppress(OSError):
                        connected.shutdown(socket.SHUT_RDWR)

    def ask(
        self, method: str, path: str, body: Json | None, read: Callable[[Iterator[bytes]], T]
    ) -> T:
        """What `read` makes of the answer's JSON texts: one, or those of a stream, which it may
        leave early.

        Raises:
            Refused: this request is not to the server's liking, such as too long.
            ModelError: the server cannot be reached or used, after all attempts.
        """
        waits = iter(self._waits)
        while True:
            try:
                with self._exchange(method, path, body) as answer:
                    self._check(answer)
                    return read(_texts(answer))
            except TimeoutError:
                raise ModelError(f"{self.place} did not answer in time", hint=_AGAIN) from None
            except Busy as error:
                why = str(error)
            except (ConnectionError, http.client.HTTPException) as error:
                reason = getattr(error, "strerror", None) or "it broke the connection"
                why = f"cannot be used: {reason}"
            except OSError as error:
                raise ModelError(
                    f"{self.place} cannot be reached: {error.strerror}", hint=_AGAIN
                ) from error
            wait = next(waits, None)
            if wait is None or self._stopping.wait(wait):
                raise ModelError(f"{self.place} {why}", hint=_AGAIN)

    @contextmanager
    def _exchange(
        self, method: str, path: str, body: Json | None
    ) -> Iterator[http.client.HTTPResponse]:
        """The server's answer to one request, its body still to be read."""
        connection = http.client.HTTPConnection(self._address.host, self._address.port)
        sent = None if body is None else json.dumps(body)
        with closing(self._connect()) as connected, closing(connection):
            with self._lock:
                self._sockets.add(connected)
            try:
                if self._stopping.is_set():
                    raise Busy("was left")
                connection.sock = connected
                connection.request(method, self._address.base + path, sent, self._headers)
                with closing(connection.getresponse()) as answer:
                    yield answer
            finally:
                with self._lock:
                    self._sockets.discard(connected)

    def _connect(self) -> socket.socket:
        """A connection to the first of the host's addresses that takes one."""
        fault = OSError()
        for number in self._numbers:
            try:
                plain = socket.create_connection((number, self._address.port), _CONNECT_SECONDS)
            except OSError as error:
                fault = error
                continue
            plain.settimeout(self._timeout)
            if self._tls is None:
                return plain
            return self._tls.wrap_socket(plain, server_hostname=self._address.host)
        raise fault

    def _check(self, answer: http.client.HTTPResponse) -> None:
        """Raise what the status calls for."""
        status = answer.status
        if status == 200:
            return
        if status in (408, 429) or status >= 500:
            raise Busy(f"answers HTTP {status}")
        if status in (400, 413, 422):
            # The code is a word of the protocol, such as context_length_exceeded; the message may
            # quote a row.
            code = _CODE.search(answer.read(_LONGEST))
            about = f", {code[1].decode()}" if code else ""
            raise Refused(
                f"the server refuses it: HTTP {status}{about} (is it too long for the model?)"
            )
        why, hint = "", PROTOCOL
        if status < 400:
            why, hint = ": it sends on to another address", "name that address if you trust it"
        elif status in (401, 403):
            why, hint = ": it wants a key, or another one", "put it into AUGMLX_API_KEY"
        elif status == 404:
            why = ": it lacks the model, or is no server of models"
            hint = f"check the model's name; {PROTOCOL}"
        raise ModelError(f"{self.place} answers HTTP {status}{why}", hint=hint)


def _texts(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The JSON texts of a stream (server-sent events), or the one of another answer."""
    if "event-stream" not in (answer.getheader("Content-Type") or ""):
        yield answer.read(_LONGEST)
        return
    while line := answer.readline(_LONGEST):
        field, _, value = line.strip().partition(b":")
        if field == b"data" and value.strip() != b"[DONE]":
            yield value
