"""Real servers on loopback that stream as they are told, and see when a client goes away."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from loopback import LONGEST_STALL_SECONDS, Request, Respond, Server, serve

Ending = Literal["whole", "cut", "stall", "open"]
DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = None, **changes: Any) -> bytes:
    """Return the event of one chunk of an OpenAI chat completion."""
    delta = {} if content is None else {"content": content}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "served-model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        **changes,
    }
    return event(body)


def event(body: object) -> bytes:
    """Return one server-sent event."""
    return b"data: " + json.dumps(body).encode() + b"\n\n"


ROLE = chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}])
FINISH = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = chunk(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
HELLO = (ROLE, chunk("Hel"), chunk("lo."), FINISH, USAGE, DONE)
"""What a server that is well streams: "Hello." in two pieces."""


def streaming(*parts: bytes, ending: Ending = "whole", kind: str = "text/event-stream") -> Respond:
    """Stream *parts*, each in a packet of its own, and end as told; "open" leaves it to others."""

    def respond(request: Request, connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for part in parts:
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            time.sleep(0.001)
        if ending == "whole":
            connection.sendall(b"0\r\n\r\n")
        elif ending == "cut":
            connection.shutdown(socket.SHUT_RDWR)
        elif ending == "stall":
            gone(connection)

    return respond


def gone(connection: socket.socket) -> bool:
    """Wait until the client has closed *connection*; return False where it never does."""
    connection.settimeout(LONGEST_STALL_SECONDS)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


@dataclass
class Watched:
    """A server that streams without end; closed is set when its client has gone."""

    server: Server
    closed: threading.Event = field(default_factory=threading.Event)


@contextmanager
def endless(*first: bytes) -> Iterator[Watched]:
    """Run a server that streams *first* and then says nothing more, without ending."""

    def respond(request: Request, connection: socket.socket) -> None:
        with suppress(ConnectionError):  # the client is gone already
            streaming(*first, ending="open")(request, connection)
        if gone(connection):
            watched.closed.set()

    with serve(respond) as server:
        watched = Watched(server)
        yield watched
