"""A real HTTP server on loopback that misbehaves as it is told."""

import asyncio
import json
import socketserver
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from socket import SHUT_RDWR, create_connection, socket
from typing import Any
from urllib.parse import urlsplit

import trustme

LONGEST_STALL_SECONDS = 20


@dataclass
class Request:
    """What a client sent; target is the path, or the whole URL where a proxy was asked."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Respond = Callable[[Request, socket], None]


@dataclass
class Server:
    port: int
    respond: Respond
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    opened: int = 0
    closed: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def serve(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server whose every request is answered by *respond*, on a free port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            stream = self.request.makefile("rb")
            server.opened += 1
            try:
                while (request := _read(stream)) is not None:
                    server.requests.append(request)
                    server.respond(request, self.request)
            finally:
                server.closed += 1

    class _Tcp(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 256

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # clients that go away are part of the tests

    with _Tcp(("127.0.0.1", 0), Handler) as tcp:
        if tls is not None:
            tcp.socket = tls.wrap_socket(tcp.socket, server_side=True)
        server = Server(tcp.server_address[1], respond, "https" if tls else "http")
        thread = threading.Thread(target=tcp.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            tcp.shutdown()
            thread.join()


def _read(stream: Any) -> Request | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        before = headers.get(name.lower())  # of what is sent twice both are to be seen
        headers[name.lower()] = value.strip() if before is None else f"{before}, {value.strip()}"
    return Request(line[0], line[1], headers, stream.read(int(headers.get("content-length", 0))))


def answer(
    body: object, status: int = 200, headers: dict[str, str] | None = None, kind: str | None = None
) -> Respond:
    """Answer with *body*: bytes as they are, text as HTML, all else as JSON."""

    def respond(request: Request, connection: socket) -> None:
        connection.sendall(response_bytes(body, status, headers, kind))

    return respond


def response_bytes(
    body: object, status: int = 200, headers: dict[str, str] | None = None, kind: str | None = None
) -> bytes:
    if isinstance(body, bytes):
        data, default = body, "application/json"
    elif isinstance(body, str):
        data, default = body.encode(), "text/html"
    else:
        data, default = json.dumps(body).encode(), "application/json"
    head = {"Content-Type": kind or default, "Content-Length": str(len(data)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def cut(body: bytes, promised: int) -> Respond:
    """Promise more bytes than are sent, then close."""

    def respond(request: Request, connection: socket) -> None:
        head = f"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: {promised}"
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        connection.shutdown(SHUT_RDWR)

    return respond


def stall(server_ended: threading.Event | None = None) -> Respond:
    """Never answer; end by itself."""

    def respond(request: Request, connection: socket) -> None:
        if server_ended is not None:
            server_ended.wait(LONGEST_STALL_SECONDS)
        else:
            time.sleep(LONGEST_STALL_SECONDS)

    return respond


def pieces(*parts: bytes, pause: float = 0.0, kind: str = "text/event-stream") -> Respond:
    """Answer with *parts* one after the other, each after a pause of so many seconds."""

    def respond(request: Request, connection: socket) -> None:
        head = f"HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for part in parts:
            time.sleep(pause)
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")

    return respond


def closing_after(respond: Respond, *pauses: float) -> Respond:
    """Close the connection after the answer of *respond*, without a word before.

    That is so many seconds after it, one pause after the other in turn.
    """
    turns = cycle(pauses)

    def respond_and_leave(request: Request, connection: socket) -> None:
        respond(request, connection)
        if pause := next(turns):
            time.sleep(pause)
        connection.shutdown(SHUT_RDWR)

    return respond_and_leave


def until_left(*first: bytes) -> Respond:
    """Send *first* as a part of an answer, then nothing until the client has left."""

    def respond(request: Request, connection: socket) -> None:
        if first:
            head = b"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\n"
            connection.sendall(head + b"".join(first))
        connection.settimeout(LONGEST_STALL_SECONDS)
        connection.recv(1)

    return respond


def forward(password: str | None = None) -> Respond:
    """Be an HTTP proxy, which asks "me" for *password*: tunnel CONNECT, pass on all else."""
    wanted = password and "Basic " + b64encode(f"me:{password}".encode()).decode()

    def respond(request: Request, connection: socket) -> None:
        if wanted and request.headers.get("proxy-authorization") != wanted:
            connection.sendall(response_bytes("", 407, {"Proxy-Authenticate": "Basic"}))
            return
        is_tunnel = request.method == "CONNECT"
        host, _, port = (request.target if is_tunnel else request.headers["host"]).partition(":")
        with create_connection((host, int(port))) as beyond:
            if is_tunnel:
                connection.sendall(b"HTTP/1.1 200 X\r\n\r\n")
                threading.Thread(target=_pump, args=(connection, beyond), daemon=True).start()
            else:
                beyond.sendall(_as_sent(request))
            _pump(beyond, connection)

    return respond


def _as_sent(request: Request) -> bytes:
    path = urlsplit(request.target)._replace(scheme="", netloc="").geturl() or "/"
    own = ("proxy-authorization", "connection")
    headers = {n: v for n, v in request.headers.items() if n not in own} | {"connection": "close"}
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


def _pump(source: socket, sink: socket) -> None:
    """Pass bytes on until there are no more, and tell the other side so."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(SHUT_RDWR)


class Tls:
    """A private authority, a server's context and a client's certificate in files."""

    def __init__(self, folder: Path, *, asks_for_certificate: bool = False) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.server)
        self.ca, self.certificate = folder / "ca.pem", folder / "me.pem"
        self.key = folder / "me.key"
        authority.cert_pem.write_to_path(str(self.ca))
        mine = authority.issue_cert("me@example.com")
        mine.cert_chain_pems[0].write_to_path(str(self.certificate))
        mine.private_key_pem.write_to_path(str(self.key))
        if asks_for_certificate:
            self.server.verify_mode = ssl.CERT_REQUIRED
            authority.configure_trust(self.server)


async def eventually(is_so: Callable[[], bool]) -> bool:
    """Return whether something comes true soon; servers are threads."""
    for _ in range(200):
        if is_so():
            return True
        await asyncio.sleep(0.02)
    return False


def chat_completion(content: str = "Hello.", **changes: Any) -> dict[str, Any]:
    """Return the body of an OpenAI chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        **changes,
    }
