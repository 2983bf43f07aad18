"""An HTTP server on loopback that does what a script says, and sees what its clients do.

It runs in threads of its own, so that a provider that blocks its event loop is still
answered. A script is any function that takes a request and the connection that it came on.
"""

import json
import select
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from socket import MSG_PEEK, SHUT_RDWR, socket
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote

JSON = "application/json"
_LONGEST_HOLD_SECONDS = 30.0
_TURN_SECONDS = 0.01

Place = tuple[str | int, ...]
"""Where something stands in a request."""

_TOKEN = {"access_token": "kit-access-token", "token_type": "Bearer", "expires_in": 3600}


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def values(self) -> list[Any]:
        """Return the texts and numbers in it, in the order in which they were sent."""
        told = (value for _, value in self.said)
        return [unquote(self.target), *self.headers.values(), *told]

    @cached_property
    def said(self) -> list[tuple[Place, Any]]:
        """Return the texts and numbers of its path, query and body, each with its place."""
        path, _, query = self.target.partition("?")
        parts = {"path": unquote(path), "query": _fields(query), "body": self._parsed}
        return list(_leaves(parts))

    @property
    def is_readable(self) -> bool:
        """Return whether its body is JSON or another text, and not bytes of an unknown kind."""
        return self._parsed is not None

    def mentions(self, value: object) -> bool:
        """Return whether *value*, a text or a number, is sent in it, alone or inside a text."""
        text = str(value)
        return any(value == one or (isinstance(one, str) and text in one) for one in self.values)

    @cached_property
    def _parsed(self) -> Any:
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            return None
        try:
            return json.loads(text)
        except ValueError:
            pass
        if "form-urlencoded" in self.headers.get("content-type", ""):
            return _fields(text)
        return text


def _fields(text: str) -> list[dict[str, str]]:
    """Return the fields of a form or a query, of which several may have the same name."""
    return [{name: value} for name, value in parse_qsl(text, keep_blank_values=True)]


def _leaves(parsed: Any, *place: str | int) -> Iterator[tuple[Place, Any]]:
    """Yield the texts and numbers in *parsed*, each with the keys that lead there.

    A text that is JSON, such as a field of a form, is no text but what it holds.
    """
    if isinstance(parsed, str) and parsed[:1] in ("{", "["):
        with suppress(ValueError):
            parsed = json.loads(parsed)
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            yield from _leaves(value, *place, key)
    elif isinstance(parsed, list):
        for number, value in enumerate(parsed):
            yield from _leaves(value, *place, number)
    elif parsed is not None:
        yield place, parsed


class Connection:
    """One client's connection, as a script uses it."""

    def __init__(self, stream: socket, released: threading.Event) -> None:
        self._socket = stream
        self._released = released

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def answer(self, body: bytes, status: int = 200, kind: str = JSON, **headers: str) -> None:
        """Send a whole answer; ``retry_after="1"`` is the header Retry-After."""
        self.send(head(status, kind, len(body), **headers) + body)

    def send_chunk(self, data: bytes) -> None:
        """Send a part of an answer whose head told no length; an empty one ends it."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def cut(self) -> None:
        """Close the connection, wherever the answer is."""
        with suppress(OSError):
            self._socket.shutdown(SHUT_RDWR)

    def hold(self, left: threading.Event) -> None:
        """Send nothing more; set *left* when the client hangs up, else hang up at the end."""
        end = time.monotonic() + _LONGEST_HOLD_SECONDS
        while not self._is_left():
            if self._released.is_set() or time.monotonic() > end:
                self.cut()
                return
        left.set()

    def _is_left(self) -> bool:
        try:
            is_readable = bool(select.select([self._socket], [], [], _TURN_SECONDS)[0])
            return is_readable and not self._socket.recv(1, MSG_PEEK)
        except OSError:  # a reset
            return True


def head(status: int, kind: str, length: int | None = None, **headers: str) -> bytes:
    """Return the head of an answer; without *length* its body comes in chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    told = [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {kind}", size, *told]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


Script = Callable[[Request, Connection], None]


def answering(body: bytes, kind: str = JSON, status: int = 200, **headers: str) -> Script:
    """Return the script of a server that answers everything with *body*."""
    return lambda request, connection: connection.answer(body, status, kind, **headers)


def _no_script(request: Request, connection: Connection) -> None:
    """Answer what a constructor may ask for."""
    connection.answer(json.dumps(_TOKEN).encode())


@dataclass
class ScriptedServer:
    """The server; ``script`` says what it does with the next requests, ``requests`` keeps them."""

    script: Script = _no_script
    requests: list[Request] = field(default_factory=list)
    _released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._tcp = _Tcp(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._tcp.serve_forever, args=(_TURN_SECONDS,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port that it listens at."""
        return int(self._tcp.server_address[1])

    @property
    def url(self) -> str:
        """Return where it is, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def end_scene(self) -> None:
        """Let go of every request that is held, and forget what was sent."""
        self._released.set()
        self._released = threading.Event()
        self.script, self.requests = _no_script, []

    def close(self) -> None:
        """Stop."""
        self._released.set()
        self._tcp.shutdown()
        self._tcp.server_close()
        self._thread.join()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with self.request.makefile("rb") as stream:
                    while (request := read_request(stream)) is not None:
                        server._take(request, self.request)

        return Handler

    def _take(self, request: Request, stream: socket) -> None:
        connection = Connection(stream, self._released)
        if b"grant_type" in request.body:  # of OAuth 2, which comes before the call itself
            _no_script(request, connection)
            return
        self.requests.append(request)
        self.script(request, connection)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are what the kit is about."""


def read_request(stream: BinaryIO) -> Request | None:
    """Return the next request that arrives on *stream*, None where there is none."""
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while header := stream.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(line[0], line[1], headers, _body(stream, headers))


def _body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return stream.read(int(headers.get("content-length", 0)))
    parts = []
    while size := int(stream.readline().split(b";")[0] or b"0", 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)
