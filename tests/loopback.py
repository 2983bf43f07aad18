"""A real HTTP server on loopback that misbehaves as it is told."""

import json
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import SHUT_RDWR, socket
from typing import Any

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

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def serve(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server whose every request is answered by *respond*, on a free port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            stream = self.request.makefile("rb")
            while (request := _read(stream)) is not None:
                server.requests.append(request)
                server.respond(request, self.request)

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
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
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
