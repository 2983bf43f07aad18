"""A thousand calls at once, for a minute, against a server that fails at random.

    python tests/bench/soak.py [--seconds 60] [--calls 1000] [--seed 0]

Whole answers and streams go through a container with two entries of ``type: http`` on one
server (soak_server.py, in a process of its own), and all policies but the cache: trace, total
timeout, fallback, retry, budget, circuit breaker, rate limit, attempt timeout. Some callers are
cancelled, and some leave a stream. When the time is up the last calls end by themselves, and
then it has to be so (soak_accounts.py) that

    every call that began ended in one way;
    the ledger of the run, the purse, and what answers and errors told agree;
    the server saw each question as often as its calls say, or less where one was given up;
    no task, socket, slot, reservation or probe is left, and nothing complained;
    the memory did not grow, and nothing of the calls is in it.

It ends by itself, with exit code 1 where one of these does not hold. It needs /proc, and is no
part of the tests: with a short one before it, to warm up, it takes some two minutes.
"""

import argparse
import asyncio
import gc
import json
import random
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from soak_accounts import (
    CONNECTIONS,
    Accounts,
    held,
    live_blocks,
    mismatches,
    report,
    resident_bytes,
    sockets,
)
from soak_server import ANSWER, MOST_QUESTIONS

from containers import Application, application, close
from war_rig.errors import ProviderError
from war_rig.ledger import Attempt
from war_rig.policies.policy import StreamingProvider
from war_rig.providers import Message

CANCELLED_SHARE, STREAMED_SHARE, LEFT_SHARE = 0.06, 0.4, 0.1
WARM_UP_SECONDS = 12.0  # in which the server is down once, so that most peaks are reached
SAMPLE_SECONDS, CLOSING_SECONDS = 5.0, 0.5
DRAIN_SECONDS = 60.0  # more than a call may take
POLICIES = """
policies:
  timeout: {attempt: 6, total: 25, first_token: 5, between_tokens: 3}
  retry: {attempts: 3, wait_seconds: 0.2, longest_wait_seconds: 2, longest_retry_after_seconds: 5}
  budget: {tokens: 1000000000, money: 1000000}
  prices: {models: {"*": {input: 1, output: 2}}}
  circuit_breaker: {failures: 40, open_seconds: 0.5}
"""
ENTRY = """
  NAME:
    type: http
    url: URL/NAME
    model: house-1
    connections: CONNECTIONS
    request: {model: $model, messages: $messages, ...: $parameters}
    response: {content: "choices[0].message.content", total_tokens: usage.total_tokens,
      prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens}
    stream: {request: {stream: true}, content: "choices[0].delta.content", end: "[DONE]"}
    policies: OWN
"""
OWN = {
    "first": "{rate_limit: {concurrency: 800}, fallback: [second]}",
    "second": "{rate_limit: {concurrency: 300}}",
}

End = tuple[str, tuple[Attempt, ...] | None]
"""How a call ended, and its attempts where they are told."""


class Callers:
    """Ask without a pause until the time is up."""

    def __init__(self, provider: StreamingProvider, accounts: Accounts, seed: int) -> None:
        self.provider = provider
        self.accounts = accounts
        self.random = random.Random(seed)

    async def run(self, calls: int, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(calls):
                group.create_task(self._one(until))

    async def _one(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until and self.accounts.begun < MOST_QUESTIONS:
            number = self.accounts.begun
            self.accounts.begun += 1
            call = loop.create_task(self._call(number))
            if self.random.random() < CANCELLED_SHARE:
                loop.call_later(self.random.uniform(0, 2), call.cancel)
            await asyncio.wait([call])
            self.accounts.end(*_end(call, number))

    async def _call(self, number: int) -> End:
        messages = [Message("user", f"question {number}")]
        if self.random.random() < STREAMED_SHARE:
            return await self._streamed(messages)
        answer = await self.provider.complete(messages)
        return "answered" if answer.content == ANSWER else "wrong answer", answer.attempts

    async def _streamed(self, messages: list[Message]) -> End:
        leaves_after = self.random.randint(1, 8) if self.random.random() < LEFT_SHARE else 0
        texts, response = [], None
        async with aclosing(self.provider.stream(messages)) as chunks:
            async for chunk in chunks:
                texts.append(chunk.content)
                response = chunk.response
                if len(texts) == leaves_after:
                    return "left", None
        if response is None or not "".join(texts) == response.content == ANSWER:
            return "wrong stream", None
        return "streamed", response.attempts


def _end(call: "asyncio.Task[End]", number: int) -> tuple[str, int, tuple[Attempt, ...] | None]:
    if call.cancelled():
        return "cancelled", number, None
    error = call.exception()
    if error is None:
        kind, attempts = call.result()
        return kind, number, attempts
    if isinstance(error, ProviderError):
        return type(error).__name__, number, error.attempts
    return f"wrong: {error!r}", number, None


async def sample(accounts: Accounts) -> None:
    """Write down the memory that is in use, until cancelled."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        await asyncio.sleep(SAMPLE_SECONDS)
        gc.collect()  # what waits for it is no leak
        seconds, used = loop.time() - begun, resident_bytes()
        accounts.memory.append((seconds, used))
        told = f"{seconds:4.0f} s  {used / 1e6:6.1f} MB  {accounts.begun:7,} calls begun"
        print(told, flush=True)


@contextmanager
def serving(seed: int) -> Iterator[str]:
    """Run the server, and give its URL; it ends with its input, however this process ends."""
    command = [sys.executable, str(Path(__file__).with_name("soak_server.py")), str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"


def container(url: str) -> Application:
    text = POLICIES + ("  trace: {}\n" if find_spec("opentelemetry") else "") + "providers:"
    for name, own in OWN.items():
        entry = ENTRY.replace("NAME", name).replace("URL", url).replace("OWN", own)
        text += entry.replace("CONNECTIONS", str(CONNECTIONS))
    with TemporaryDirectory() as folder:
        file = Path(folder, "war_rig.yaml")
        file.write_text(text)
        return application(file, {}, llm_provider="first")


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


async def soaked(url: str, calls: int, seconds: float, seed: int) -> Accounts:
    """Let the callers run, close all, and return the accounts."""
    app, sockets_before = container(url), sockets()
    accounts = Accounts(app.run())
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: accounts.complaints.update([context["message"]])
    )
    sys.unraisablehook = lambda one: accounts.complaints.update([repr(one.exc_value)])
    sampling = asyncio.create_task(sample(accounts))
    async with asyncio.timeout(seconds + DRAIN_SECONDS):
        await Callers(app.llm_provider(), accounts, seed).run(calls, seconds)
    sampling.cancel()
    await asyncio.sleep(CLOSING_SECONDS)  # connections that were given up are closed by then
    accounts.left = held(accounts.run) | {"tasks": len(asyncio.all_tasks()) - 1}
    await close(app)
    gc.collect()  # what was not awaited or closed complains
    await asyncio.sleep(CLOSING_SECONDS)
    accounts.state = json.loads(fetched(f"{url}/state"))
    accounts.seen = fetched(f"{url}/asked")
    accounts.left |= {
        "sockets": sockets() - sockets_before,
        "connections of the server": accounts.state["open"],
    }
    return accounts


async def soak(calls: int, seconds: float, seed: int) -> int:
    """Warm up, soak, print the report, and return the exit code."""
    with serving(seed) as url:
        await soaked(url, calls, WARM_UP_SECONDS, seed)
    print("warm", flush=True)
    blocks = live_blocks()
    with serving(seed) as url:
        accounts = await soaked(url, calls, seconds, seed)
    accounts.blocks = live_blocks() - blocks
    print("", *report(accounts), sep="\n")
    wrong = [f"WRONG: {one}" for one in mismatches(accounts)]
    print(*wrong or ["all accounted for"], sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calls", type=int, default=1000, help="at once")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(asyncio.run(soak(options.calls, options.seconds, options.seed)))
