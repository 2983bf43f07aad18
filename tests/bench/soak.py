"""A thousand calls at once, for a minute, against a server that fails at random.

    python tests/bench/soak.py [--seconds 60] [--calls 1000] [--seed 0]

Whole answers and streams go through a container with two entries of ``type: http`` on one
server (soak_server.py, in a process of its own), and all policies but the cache: trace, total
timeout, fallback, retry, budget, circuit breaker, rate limit, attempt timeout. Some callers are
cancelled, and some leave a stream. When the time is up the last calls end by themselves, and

    every call that began ended in one way,
    the ledger of the run is what the answers and errors told, and the rest that of cancelled calls,
    the server saw each question as often as its calls say, or less where a call was cut short,
    no task, socket, slot, reservation or probe is left, and nothing complained,
    the memory did not grow.

It ends by itself, with exit code 1 where one of that is not so. It is no part of the tests.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soak_server import MOST_QUESTIONS, WORDS

from containers import Application
from war_rig.errors import ProviderError
from war_rig.ledger import Attempt
from war_rig.policies.budget import Amount, Budget
from war_rig.policies.circuit_breaker import CircuitBreaker
from war_rig.policies.policy import Policy
from war_rig.policies.rate_limit import RateLimit
from war_rig.providers import Message
from war_rig.wiring import Run

ANSWER = " ".join(WORDS)
CANCELLED_SHARE, LEFT_SHARE, STREAMED_SHARE = 0.06, 0.1, 0.4
SAMPLE_SECONDS, WARM_UP_SECONDS, DRAIN_SECONDS = 5.0, 15.0, 60.0
MOST_GROWTH = 0.05  # of the memory, in a minute
_SURE = ("answered", "RateLimitError", "ServerError", "MalformedAnswerError")
_PAGE = os.sysconf("SC_PAGE_SIZE")

POLICIES = """
policies:
  timeout: {attempt: 5, total: 12, first_token: 4, between_tokens: 2}
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
    connections: 1000
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


@dataclass(slots=True)
class Soak:
    """What the calls came to; the arrays have one byte for each question."""

    begun: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    most: bytearray = field(default_factory=lambda: _touched(MOST_QUESTIONS))
    least: bytearray = field(default_factory=lambda: _touched(MOST_QUESTIONS))
    complaints: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int]] = field(default_factory=list)

    def end(self, kind: str, number: int, attempts: tuple[Attempt, ...] | None) -> None:
        """Count how a call ended; *attempts* is None where nobody was told of them."""
        self.ends[kind] += 1
        if attempts is None:
            self.most[number] = 255
            return
        sent = [attempt for attempt in attempts if attempt.outcome != "refused"]
        reasons = [one.reason.partition(":")[0] or one.outcome for one in sent]
        self.sent += len(sent)
        self.reasons.update(reasons)
        self.most[number] = len(sent)
        self.least[number] = sum(reason in _SURE for reason in reasons)


def _touched(size: int) -> bytearray:
    """Return as many zeros, which are in memory from the beginning."""
    return bytearray(b"\1" * size).translate(bytes(256))


class Callers:
    """Ask without a pause until the time is up."""

    def __init__(self, app: Application, soak: Soak, seed: int) -> None:
        self.provider: Any = app.llm_provider()
        self.soak = soak
        self.random = random.Random(seed)

    async def run(self, calls: int, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(calls):
                group.create_task(self._caller(until))

    async def _caller(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until and self.soak.begun < MOST_QUESTIONS:
            number = self.soak.begun
            self.soak.begun += 1
            call = loop.create_task(self._call(number))
            if self.random.random() < CANCELLED_SHARE:
                loop.call_later(self.random.uniform(0, 2), call.cancel)
            await asyncio.wait([call])
            self._count(number, call)

    def _count(
        self, number: int, call: "asyncio.Task[tuple[str, tuple[Attempt, ...] | None]]"
    ) -> None:
        if call.cancelled():
            self.soak.end("cancelled", number, None)
        elif isinstance(error := call.exception(), ProviderError):
            self.soak.end(type(error).__name__, number, error.attempts)
        elif error is not None:
            self.soak.end(f"wrong: {error!r}", number, None)
        else:
            self.soak.end(call.result()[0], number, call.result()[1])

    async def _call(self, number: int) -> tuple[str, tuple[Attempt, ...] | None]:
        messages = [Message("user", f"question {number}")]
        if self.random.random() < STREAMED_SHARE:
            return await self._streamed(messages)
        answer = await self.provider.complete(messages)
        return ("answer" if answer.content == ANSWER else "wrong answer"), answer.attempts

    async def _streamed(self, messages: list[Message]) -> tuple[str, tuple[Attempt, ...] | None]:
        leaves_after = self.random.randint(1, 8) if self.random.random() < LEFT_SHARE else 0
        text, pieces, answer = "", 0, None
        async with aclosing(self.provider.stream(messages)) as chunks:
            async for chunk in chunks:
                text, pieces, answer = text + chunk.content, pieces + 1, chunk.response
                if pieces == leaves_after:
                    return "left", None
        is_right = answer is not None and text.strip() == answer.content.strip() == ANSWER
        return ("streamed" if is_right else "wrong stream"), answer and answer.attempts


async def sample(soak: Soak) -> None:
    """Write down the memory that is used, until cancelled."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        await asyncio.sleep(SAMPLE_SECONDS)
        seconds, used = loop.time() - begun, resident_bytes()
        soak.memory.append((seconds, used))
        print(f"{seconds:5.0f} s {used / 1e6:8.1f} MB {soak.begun:8,} calls begun", flush=True)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


def held(run: Run) -> dict[str, int]:
    """Return what the policies and the connections have not got back."""
    found = Counter[str]()
    for stack in run.built.values():
        for policy in [*_layers(stack.inner)]:
            if isinstance(policy, RateLimit):
                found["slots"] += policy._gate._under_way
                found["places in a queue"] += len(policy._gate._queue)
            elif isinstance(policy, CircuitBreaker):
                found["probes"] += sum(one.is_probed for one in policy._circuits.values())
            elif isinstance(policy, Budget):
                found["reservations"] += policy.purse.reserved != Amount()
        for connections in stack.border.provider._transport._clients._clients.values():  # type: ignore[attr-defined]
            found["connections in use"] += 1000 - connections.free._value
            found["limits of calls"] += len(connections.limits)
    return dict(found)


def _layers(layer: Any) -> Iterator[Policy]:
    while isinstance(layer, Policy):
        yield layer
        layer = layer.provider


def growth(memory: list[tuple[float, int]]) -> tuple[float, float]:
    """Return the bytes a second that the memory grows after the warm-up, and its mean."""
    rows = [row for row in memory if row[0] > WARM_UP_SECONDS]
    if len(rows) < 2:
        return 0.0, 1.0
    times, used = zip(*rows, strict=True)
    middle, mean = sum(times) / len(rows), sum(used) / len(rows)
    slope = sum((t - middle) * (u - mean) for t, u in rows)
    return slope / sum((t - middle) ** 2 for t in times), mean


def mismatches(soak: Soak, run: Run, seen: bytes, left: dict[str, int]) -> Iterator[str]:
    """Yield what is not as it has to be."""
    ended, ledger = sum(soak.ends.values()), run.ledger.total
    if soak.begun != ended:
        yield f"{soak.begun} calls began, and {ended} ended"
    yield from (f"{kind}: {n}" for kind, n in soak.ends.items() if kind.startswith("wrong"))
    if sum(seen) > ledger.sent or soak.sent > ledger.sent:
        yield f"the ledger has {ledger.sent} attempts: fewer than were told of, or seen"
    numbers = range(soak.begun)
    odd = [n for n in numbers if not soak.least[n] <= seen[n] <= soak.most[n]]
    if odd or any(seen[soak.begun :]):
        yield f"the server saw {len(odd)} questions more or less often than the ledger: {odd[:5]}"
    spent = run.purse.spent
    if (spent.tokens, spent.money) != (ledger.tokens_used, ledger.cost):
        yield f"the purse spent {spent}, the ledger {ledger.tokens_used} and {ledger.cost}"
    yield from (f"{n} {kind} left" for kind, n in left.items() if n)
    yield from (f"{n} times: {text}" for text, n in soak.complaints.items())
    slope, mean = growth(soak.memory)
    if slope * 60 > MOST_GROWTH * mean:
        yield f"the memory grows by {slope * 60 / 1e6:.1f} MB a minute"


def report(soak: Soak, run: Run, seen: bytes, state: dict[str, Any]) -> None:
    """Print what the calls came to, on both sides."""
    ledger, ends = run.ledger.total, soak.ends
    went = ends["cancelled"] + ends["left"]
    answered = ends["answer"] + ends["streamed"]
    failed = sum(ends.values()) - went - answered
    print(
        f"\n{soak.begun:,} calls began == {answered:,} answers + {failed:,} errors + {went:,} gone"
    )
    _table("they ended as", ends)
    print(f"the ledger: {ledger.sent:,} attempts, {ledger.refused:,} refused before that")
    print(f"  {soak.sent:,} of them on answers and errors, the others of calls that were given up")
    print(f"the server saw {sum(seen):,}; {ledger.sent - sum(seen):,} did not get there")
    _table("attempts on answers and errors ended as", soak.reasons)
    _table("the server did", Counter(state["done"]))
    print(f"most connections at once: {state['most_open']:,}")
    slope, mean = growth(soak.memory)
    print(
        f"memory after {WARM_UP_SECONDS:g} s: {mean / 1e6:.1f} MB, {slope * 60 / 1e6:+.2f} MB a minute"
    )


def _table(title: str, counts: Counter[str]) -> None:
    print(f"{title}: " + ", ".join(f"{kind} {n:,}" for kind, n in sorted(counts.items())))


@contextmanager
def serving(seed: int) -> Iterator[str]:
    """Run the server, and give its URL; it ends with its input, however this one ends."""
    command = [sys.executable, str(Path(__file__).with_name("soak_server.py")), str(seed)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as server:  # type: ignore[call-overload]
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"


def container(url: str) -> Application:
    text = POLICIES + ("  trace: {}\n" if find_spec("opentelemetry") else "") + "providers:"
    for name, own in OWN.items():
        text += ENTRY.replace("NAME", name).replace("URL", url).replace("OWN", own)
    with TemporaryDirectory() as folder:
        file = Path(folder, "war_rig.yaml")
        file.write_text(text)
        return application(file, {}, llm_provider="first")


def fetched(url: str, path: str) -> bytes:
    with urllib.request.urlopen(f"{url}{path}", timeout=30) as answer:
        data: bytes = answer.read()
    return data


async def soaked(options: argparse.Namespace, url: str) -> int:
    """Let the callers run, print the report, and return the exit code."""
    soak, before = Soak(), sockets()
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: soak.complaints.update([context["message"]])
    )
    sys.unraisablehook = lambda one: soak.complaints.update([repr(one.exc_value)])
    app = container(url)
    run = app.run()
    sampling = asyncio.create_task(sample(soak))
    async with asyncio.timeout(options.seconds + DRAIN_SECONDS):
        await Callers(app, soak, options.seed).run(options.calls, options.seconds)
    sampling.cancel()
    await asyncio.sleep(0.5)  # in which connections that were given up are closed
    left = held(run) | {"tasks": len(asyncio.all_tasks()) - 1}
    seen = fetched(url, "/asked")
    await close(app)
    gc.collect()
    await asyncio.sleep(0.5)
    state = json.loads(fetched(url, "/state"))
    left |= {"sockets": sockets() - before, "connections of the server": state["open"]}
    report(soak, run, seen, state)
    print("left: " + ", ".join(f"{kind} {n}" for kind, n in left.items()))
    wrong = list(mismatches(soak, run, seen, left))
    print("\n".join(["", *(f"WRONG: {one}" for one in wrong)]) if wrong else "all accounted for")
    return 1 if wrong else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calls", type=int, default=1000, help="at once")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with serving(options.seed) as url:
        sys.exit(asyncio.run(soaked(options, url)))


if __name__ == "__main__":
    main()
