"""A server that the user names, reached over HTTP: where it is, who may be asked, and what is tried
again.

Names are resolved once and connections go to the addresses that were checked. http.client follows
no redirects and knows no proxies of the environment. Nothing that was sent, no key and no words of
the server are in a message.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TypeVar
from urllib.parse import urlsplit

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.records import Json

T = TypeVar("T")
_CONNECT_SECONDS = 10.0
_LONGEST = 1 << 24  # bytes of one line or body
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
        self._host, self._port, self._base, self._tls = _address(url)
        self.place = f"the server at {self._host}:{self._port}"
        if key is not None and not re.fullmatch(r"[!-~]+", key):
            raise BadSettings(
                "the server's key holds a character that no key has", hint="give it again"
            )
        self._headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {key}"} if key else {}
        )
        self._addresses = _resolve(self._host, self._port, allow_remote)
        self._timeout, self._waits = timeout, waits
        self._sockets: set[socket.socket] = set()
        self._lock, self._stopping = threading.Lock(), threading.Event()

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
                why = (
                    f"cannot be used: "
                    f"{getattr(error, 'strerror', None) or 'it broke the connection'}"
                )
            except OSError as error:
                raise ModelError(
                    f"{self.place} cannot be reached: {error.strerror}", hint=_AGAIN
                ) from error
            if (wait := next(waits, None)) is None or self._stopping.wait(wait):
                raise ModelError(f"{self.place} {why}", hint=_AGAIN)

    @contextmanager
    def _exchange(
        self, method: str, path: str, body: Json | None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._host, self._port)
        with closing(self._connect()) as connected, closing(connection):
            with self._lock:
                self._sockets.add(connected)
            try:
                if self._stopping.is_set():
                    raise Busy("was left")
                connection.sock = connected
                connection.request(
                    method,
                    self._base + path,
                    None if body is None else json.dumps(body),
                    self._headers,
                )
                with closing(connection.getresponse()) as answer:
                    yield answer
            finally:
                with self._lock:
                    self._sockets.discard(connected)

    def _connect(self) -> socket.socket:
        fault = OSError()
        for address in self._addresses:
            try:
                plain = socket.create_connection((address, self._port), _CONNECT_SECONDS)
            except OSError as error:
                fault = error
                continue
            plain.settimeout(self._timeout)
            return (
                plain
                if self._tls is None
                else self._tls.wrap_socket(plain, server_hostname=self._host)
            )
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
            code = re.search(
                rb'"(?:code|type)"\s*:\s*"(\w{3,40})"', answer.read(_LONGEST), re.ASCII
            )
            about = f", {code[1].decode()}" if code else ""
            raise Refused(
                f"the server refuses it: HTTP {status}{about} (is it too long for the model?)"
            )
        fault, hint = f"answers HTTP {status}", PROTOCOL
        if status < 400:
            fault, hint = (
                f"{fault}: it sends on to another address",
                "name that address if you trust it",
            )
        elif status in (401, 403):
            fault, hint = f"{fault}: it wants a key, or another one", "put it into AUGMLX_API_KEY"
        elif status == 404:
            fault, hint = (
                f"{fault}: it lacks the model, or is no server of models",
                f"check the model's name; {PROTOCOL}",
            )
        raise ModelError(f"{self.place} {fault}", hint=hint)


def _address(url: str) -> tuple[str, int, str, ssl.SSLContext | None]:
    """Host, port, the path before /models and so on, and what an encrypted connection needs. Raises
    BadSettings.

    The URL itself is never told: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not re.fullmatch(r"[\w./~-]*", parts.path, re.ASCII)
    ):
        raise BadSettings(
            "the server's address is no URL",
            hint="write http://HOST:PORT, such as http://localhost:8080",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadSettings(
            "the server's address holds more than a host, a port and a path",
            hint="a key goes into AUGMLX_API_KEY",
        )
    base = parts.path.rstrip("/").removesuffix("/v1") + "/v1"
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    return host, port or (80 if tls is None else 443), base, tls


def _resolve(host: str, port: int, allow_remote: bool) -> list[str]:
    """The addresses of a host, all of them on this machine's loopback unless `allow_remote`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ModelError(
            f"{host}: no such host is known", hint="check the server's address"
        ) from error
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not (
        allow_remote or all(ipaddress.ip_address(address).is_loopback for address in addresses)
    ):
        raise BadSettings(
            f"{host} is not this machine, and your facts would go there",
            hint="if they may: --allow-remote",
        )
    return addresses


def _texts(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The JSON texts of a stream (server-sent events), or the one of another answer."""
    if "event-stream" not in (answer.getheader("Content-Type") or ""):
        yield answer.read(_LONGEST)
        return
    while line := answer.readline(_LONGEST):
        name, _, value = line.strip().partition(b":")
        if name == b"data" and value.strip() != b"[DONE]":
            yield value
