"""Answers `war-rig document` over loopback as the offline provider would, and runs the command.

    python tests/bench/document/model.py          # prints its port; ends with its input

The server speaks OpenAI's chat completions, in a process of its own. A model called
``delay-50ms`` answers 50 ms after the question came. What the offline provider says to a prompt
is worked out once and kept, so that a second run of the same source is answered by a look-up.
GET /asked lists, in the order in which they came, a digest of each prompt, and when it came
and was answered, in seconds.
"""

import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
KEY = "sk-bench-8d1f6c2e90a7"
ENV = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT),
    "NO_PROXY": "*",
    "BENCH_KEY": KEY,
}
CONFIG = """
llm_provider: bench
providers:
  bench:
    type: http
    url: URL/chat/completions
    auth: {bearer: "${BENCH_KEY}"}
    model: delay-MILLISECONDSms
    connections: 64
    request: {model: $model, messages: $messages, ...: $parameters}
    response: {content: "choices[0].message.content", total_tokens: usage.total_tokens,
      prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of a command took, its children's part among it, and what it printed.

    starved_seconds: how long its main thread was ready and had no core, as Linux tells it; on a
    quiet machine next to nothing.
    """

    seconds: float
    starved_seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str


class Model:
    """A server of the model, and what it was asked."""

    def __init__(self, url: str) -> None:
        self._url = url

    def asked(self) -> list[str]:
        """Return a digest of each prompt, in order, since the server was started."""
        return [digest for digest, _, _ in self._asked()]

    def spent(self, calls: int) -> tuple[float, float]:
        """Return how long the last *calls* were under way, from first to last, and each of them."""
        asked = self._asked()[-calls:]
        span = max(went for _, _, went in asked) - min(came for _, came, _ in asked)
        return span, sum(went - came for _, came, went in asked) / calls

    def _asked(self) -> list[tuple[str, float, float]]:
        with urllib.request.urlopen(f"{self._url}/asked") as answer:
            told: list[tuple[str, float, float]] = json.load(answer)
        return told

    def config(self, folder: Path, milliseconds: int) -> Path:
        """Write the configuration that asks this server, which answers after that time."""
        file = folder / f"after-{milliseconds}ms.yaml"
        text = CONFIG.replace("URL", self._url).replace("MILLISECONDS", str(milliseconds))
        file.write_text(text)
        return file


@contextmanager
def serving() -> Iterator[Model]:
    """Run the server; it ends when its input does, however this process ends."""
    command = [sys.executable, __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=ENV) as server:
        assert server.stdout is not None
        yield Model(f"http://127.0.0.1:{int(server.stdout.readline())}/v1")


def document(src: Path, out: Path, *options: str) -> list[str]:
    """Return the command that documents *src*."""
    return [sys.executable, "-m", "containers", "document", str(src), "--out", str(out), *options]


def start(command: list[str], folder: Path) -> "subprocess.Popen[str]":
    """Start *command* in *folder*, so that no configuration is found there."""
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(command, cwd=folder, env=ENV, text=True, stdout=pipe, stderr=both)


def timed(command: list[str], folder: Path) -> Run:
    """Run *command* to its end; raise where it fails."""
    began = perf_counter()
    with start(command, folder) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        starved = _starved_seconds(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}: {printed}")
    cpu_seconds = used.ru_utime + used.ru_stime
    return Run(seconds, starved, cpu_seconds, used.ru_maxrss / 1024, printed)


def _starved_seconds(pid: int) -> float:
    """Return how long the main thread of a process that has ended waited for a core."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


class _Server:
    """Answers questions, and remembers answers and who asked."""

    def __init__(self) -> None:
        self._answers: dict[str, bytes] = {}
        self._asked: list[tuple[str, float, float]] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other, until the client leaves or is killed."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = re.search(rb"\r\ncontent-length: *(\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                answer = await self._answer(body) if body else json.dumps(self._asked).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n%b" % (len(answer), answer)
                )
                await writer.drain()
        writer.close()

    async def _answer(self, body: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        came = loop.time()
        question = json.loads(body)
        messages = json.dumps(question["messages"])
        digest = hashlib.sha256(messages.encode()).hexdigest()
        place = len(self._asked)
        self._asked.append((digest, came, came))
        if digest not in self._answers:
            self._answers[digest] = await _offline(question["messages"])
        delay = int(question["model"].removeprefix("delay-").removesuffix("ms")) / 1000
        if delay:
            await asyncio.sleep(came + delay - loop.time())
        self._asked[place] = (digest, came, loop.time())
        return self._answers[digest]


async def _offline(messages: list[dict[str, Any]]) -> bytes:
    """Return what the offline provider says, as a chat completion."""
    from war_rig.providers import Message
    from war_rig.providers.offline import OfflineProvider

    said = await OfflineProvider().complete([Message(m["role"], m["content"]) for m in messages])
    message = {"role": "assistant", "content": said.content}
    usage = {
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "total_tokens": said.tokens_used,
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"model": "bench", "choices": [choice], "usage": usage}).encode()


async def _serve() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    connected = _Server().connected
    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 24, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    os._exit(0)  # clients may be connected still


if __name__ == "__main__":
    asyncio.run(_serve())
