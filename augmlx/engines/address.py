"""Where a server is: its URL taken apart, and its host resolved to addresses that may be asked.

Names are resolved once, and connections go to the addresses that were checked.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from augmlx.core.errors import BadSettings, ModelError


@dataclass(frozen=True, slots=True)
class Address:
    """A server's host and port, the path before /models and so on, and whether it is encrypted."""

    host: str
    port: int
    base: str
    encrypted: bool


def parse_address(url: str) -> Address:
    """The address in a URL. Raises BadSettings, which never tells the URL: it may hold a
    password.
    """
    parts, host, port = _split(url)
    is_http = parts.scheme in ("http", "https")
    has_plain_path = re.fullmatch(r"[\w./~-]*", parts.path, re.ASCII)
    if not (is_http and host and has_plain_path):
        raise BadSettings(
            "the server's address is no URL",
            hint="write http://HOST:PORT, such as http://localhost:8080",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadSettings(
            "the server's address holds more than a host, a port and a path",
            hint="a key goes into AUGMLX_API_KEY",
        )
    encrypted = parts.scheme == "https"
    default_port = 443 if encrypted else 80
    base = parts.path.rstrip("/").removesuffix("/v1") + "/v1"
    return Address(host, port or default_port, base, encrypted)


def resolve(address: Address, *, allow_remote: bool) -> list[str]:
    """The IP addresses of a host, all of them on this machine's loopback unless `allow_remote`.

    Raises:
        ModelError: no such host.
        BadSettings: it is another machine.
    """
    try:
        infos = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ModelError(
            f"{address.host}: no such host is known", hint="check the server's address"
        ) from error
    numbers = list(dict.fromkeys(str(socket_address[0]) for *_, socket_address in infos))
    is_here = all(ipaddress.ip_address(number).is_loopback for number in numbers)
    if not (is_here or allow_remote):
        raise BadSettings(
            f"{address.host} is not this machine, and your facts would go there",
            hint="if they may: --allow-remote",
        )
    return numbers


def _split(url: str) -> tuple[SplitResult, str | None, int | None]:
    """A URL's parts, its host and its port; empty parts of one that cannot be read."""
    try:
        parts = urlsplit(url)
        return parts, parts.hostname, parts.port
    except ValueError:
        return urlsplit(""), None, None
