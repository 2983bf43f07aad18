"""An API on loopback that fails at random, in a process of its own; soak.py starts it.

    python soak_server.py SEED          # prints its port; ends with its input

Standard library only. A question is ``question NUMBER``, so that it can tell how often each
one came. Whole or streamed, most are answered, after a while. The others meet one of FAULTS.
For a moment of every PERIOD_SECONDS the path /first is down: all it says is 500.

GET /state says what was done so far, as JSON; GET /asked, how often each question came, one
byte for each number.
"""

import asyncio
import contextlib
import json
import random
import re
import sys
from collections import Counter
from typing import Any

MOST_QUESTIONS = 1 << 20
FAULTS = {
    "429": 0.06,  # with Retry-After
    "500": 0.05,
    "closed": 0.03,  # without an answer
    "cut": 0.05,  # in mid-answer, or in mid-stream
    "stall": 0.01,  # no answer; in a stream, no more of it
    "closing": 0.03,  # the whole answer, and the connection is closed a moment later
    "broken": 0.02,  # JSON that ends early
}
PERIOD_SECONDS, DOWN_SECONDS = 10.0, 1.0
SHORTEST_SECONDS, LONGEST_SECONDS = 0.3, 2.5
ANSWER = "The quick brown fox jumps over the lazy dog."
PIECES = re.findall(" ?[^ ]+", ANSWER)
_QUESTION = re.compile(rb"question (\d+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_USAGE = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}


class State:
    """What all connections share."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.asked = bytearray(MOST_QUESTIONS)
        self.done: Counter[str] = Counter()
        self.open = self.most_open = 0
        self.begun = asyncio.get_running_loop().time()

    def fault(self, path: str) -> str:
        """Return what happens to a request: the name of a fault, or "answer"."""
        moment = (asyncio.get_running_loop().time() - self.begun) % PERIOD_SECONDS
        if path == "/first" and moment > PERIOD_SECONDS - DOWN_SECONDS:
            return "500"
        names, shares = list(FAULTS), list(FAULTS.values())
        return self.random.choices([*names, "answer"], [*shares, 1 - sum(shares)])[0]


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.data = b""
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.state.open += 1
        self.state.most_open = max(self.state.most_open, self.state.open)

    def connection_lost(self, error: Exception | None) -> None:
        self.state.open -= 1
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, mark, body = self.data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if mark and len(body) >= int(length[1] if length else 0):
            self.data = b""
            method, path, _ = head.partition(b"\r\n")[0].decode().split()
            if method == "GET":
                self.write(self.told(path))
            else:
                self.task = asyncio.get_running_loop().create_task(self.answer(path, body))

    def told(self, path: str) -> bytes:
        state = self.state
        if path == "/asked":
            return response(200, bytes(state.asked))
        told = {"done": state.done, "open": state.open - 1, "most_open": state.most_open}
        return response(200, json.dumps(told).encode())

    async def answer(self, path: str, body: bytes) -> None:
        number = _QUESTION.search(body)
        assert number is not None
        self.state.asked[int(number[1])] += 1
        is_stream, fault = b'"stream":true' in body.replace(b" ", b""), self.state.fault(path)
        self.state.done[f"{path} {'stream' if is_stream else 'whole'} {fault}"] += 1
        await asyncio.sleep(self.state.random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
        if fault in ("429", "500"):
            more = "retry-after: 1\r\n" if fault == "429" else ""
            self.write(response(int(fault), b'{"error": {"message": "not now"}}', more))
        elif fault == "closed":
            self.transport.close()
        elif is_stream:
            await self.stream(fault)
        else:
            await self.whole(fault)

    async def whole(self, fault: str) -> None:
        message = {"role": "assistant", "content": ANSWER}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"model": "house-1", "choices": [choice], "usage": _USAGE}).encode()
        if fault == "broken":
            self.write(response(200, body[:-40]))
        elif fault == "cut":
            self.write(response(200, body)[:-40])
            self.transport.close()
        elif fault != "stall":
            self.write(response(200, body))
        if fault == "closing":
            await asyncio.sleep(self.state.random.uniform(0, 0.01))
            self.transport.close()

    async def stream(self, fault: str) -> None:
        self.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\n")
        self.write(b"transfer-encoding: chunked\r\n\r\n")
        for piece in PIECES[:4] if fault in ("cut", "stall", "broken") else PIECES:
            self.write(event({"choices": [{"delta": {"content": piece}}]}))
            await asyncio.sleep(0.02)
        if fault == "broken":
            self.write(chunked(b'data: {"choices": [{"del\n\n'))
        if fault == "cut":
            self.transport.close()
        elif fault != "stall":
            self.write(event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
            self.write(event({"choices": [], "usage": _USAGE}))
            self.write(chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


def response(status: int, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def event(body: object) -> bytes:
    return chunked(b"data: " + json.dumps(body).encode() + b"\n\n")


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def main(seed: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    state = State(seed)
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await ended.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
