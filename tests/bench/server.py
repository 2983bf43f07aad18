"""A fast mock of the OpenAI chat completions on loopback, in a process of its own.

    python server.py SECONDS          # prints its port; ends after that time, or with its input

It needs uvloop and httptools. The model of a request says how it is answered:

    stream-500                one piece of text an event, no pause between them
    stream-100-pace-2ms       the same with pauses
    delay-50ms                the whole answer, after that time
    err-401, err-401-echo     that status; the second repeats the key in its message
    hang, body-cut, truncated, html, no-choices, error-body           faults of a whole answer
    stream-cut, stream-no-end, stream-error, stream-broken, stream-hang     those of a stream
    anything else             the whole answer at once

GET /count says how many completions were asked for.
"""

import asyncio
import contextlib
import json
import re
import resource
import sys
from itertools import cycle, islice
from typing import Any

import httptools
import replies
import uvloop

_STREAM = re.compile(r"stream-(\d+)(?:-pace-(\d+)ms)?")
_DELAY = re.compile(r"delay-(\d+)ms")
_ERROR = re.compile(r"err-(\d{3})(-echo)?")
_BEFORE_A_FAULT = 6  # events


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    count = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.key, self.path, self.body = b"", b"", b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.path, self.body = url, b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization":
            self.key = value.removeprefix(b"Bearer ")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        if self.path == b"/count":
            self.write(replies.response(200, str(Connection.count).encode()))
        else:
            Connection.count += 1
            self.answer(json.loads(self.body))

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def cut_after(self, data: bytes) -> None:
        self.write(data)
        self.loop.call_later(0.02, self.transport.close)

    def answer(self, request: dict[str, Any]) -> None:
        model = request["model"]
        if match := _ERROR.fullmatch(model):
            self.write(self.refusal(int(match[1]), bool(match[2])))
        elif match := _DELAY.fullmatch(model):
            reply = replies.response(200, replies.completion(model))
            self.loop.call_later(int(match[1]) / 1000, self.write, reply)
        elif request.get("stream"):
            with_usage = "include_usage" in request.get("stream_options", {})
            self.task = self.loop.create_task(self.stream(model, with_usage))
        else:
            self.whole(model)

    def refusal(self, status: int, echo: bool) -> bytes:
        text = f"Incorrect API key provided: {self.key.decode()}." if echo else None
        more = "retry-after: 1\r\n" if status == 429 else ""
        return replies.response(status, replies.error(status, text), more=more)

    def whole(self, model: str) -> None:
        body = replies.completion(model)
        if model == "body-cut":
            self.cut_after(replies.response(200, body)[:-100])
        elif model == "truncated":
            self.write(replies.response(200, body[:-100]))
        elif model == "html":
            self.write(replies.response(200, b"<html><body>Sign in</body></html>", "text/html"))
        elif model == "no-choices":
            self.write(replies.response(200, replies.without_choices(model)))
        elif model == "error-body":
            self.write(replies.response(200, replies.error(500)))
        elif model != "hang":
            self.write(replies.response(200, body))

    async def stream(self, model: str, with_usage: bool) -> None:
        self.write(replies.stream_head())
        events = cycle(replies.pieces(model))
        match = _STREAM.fullmatch(model)
        if match is None:
            self.write(b"".join(islice(events, _BEFORE_A_FAULT)))
            self.end(model, with_usage)
            return
        start, pause = self.loop.time(), int(match[2] or 0) / 1000
        for number, event in enumerate(islice(events, int(match[1]))):
            if pause:  # by the clock, so that late timers do not add up
                await asyncio.sleep(start + number * pause - self.loop.time())
            self.write(event)
        self.end(model, with_usage)

    def end(self, model: str, with_usage: bool) -> None:
        if model == "stream-cut":
            self.cut_after(b"")
        elif model == "stream-no-end":
            self.write(replies.END)
        elif model == "stream-error":
            self.write(replies.error_event(model))
        elif model == "stream-broken":
            self.write(replies.broken_event())
        elif model != "stream-hang":
            self.write(replies.finish(model, with_usage))


async def main(seconds: float) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(main(float(sys.argv[1])))
