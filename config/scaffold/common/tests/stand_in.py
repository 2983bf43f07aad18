"""Stands in for acme's API: a server on this machine that answers with answer.json.

`python tests/stand_in.py` serves it until Ctrl-C, and shows what it is sent.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest import mock

ANSWER = Path(__file__).with_name("answer.json")
CONTENT = "Hello from the stand-in."
TOKENS = 12


class StandIn(ThreadingHTTPServer):
    """Answers every request alike, with `status`; `requests` are the texts that it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.status = 200
        self.requests: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, StandIn)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.requests.append(f"{self.requestline}\n{self.headers}{body}\n")
        print(self.server.requests[-1], flush=True)
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(_answer().encode())

    def log_message(self, *args: object) -> None:
        pass


def _answer() -> str:
    """Return the example with its placeholders filled."""
    text = ANSWER.read_text(encoding="utf-8")
    if text.lstrip()[:1] in ("{", "["):
        text = _whole(json.loads(text))
    text = text.replace("$tokens", str(TOKENS))
    return text.replace("$content", CONTENT).replace("$model", "acme-1")


def _whole(example: Any) -> str:
    """Return the whole answer in JSON that may say more: of streams, or that it is no JSON."""
    if isinstance(example, dict):
        example.pop("$stream", None)
        if isinstance(example.get("$body"), str):
            return str(example["$body"])
    return json.dumps(example).replace('"$tokens"', "$tokens")


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Serve beside the `with` block, which no proxy of this machine stands between."""
    with StandIn() as server, mock.patch.dict(os.environ, no_proxy="127.0.0.1"):
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    with StandIn() as server, suppress(KeyboardInterrupt):
        print("The stand-in for acme's API is ready. Elsewhere:\n")
        print("export LLM_PROVIDER=acme no_proxy=127.0.0.1")
        print(f"export ACME_API_KEY=any-key ACME_ENDPOINT={server.url}")
        print('war-rig ask "Hello" --no-stream\n', flush=True)  # it answers whole
        server.serve_forever()
