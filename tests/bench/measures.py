"""The measurements that are about time and memory; each runs alone in a fresh process."""

import asyncio
import gc
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import floor

PROMPT = "Count the tokens of the sentence about the quick brown fox, and answer at length."
KEY = "sk-bench-SECRET-0123456789abcdefSECRET"
MODEL = "bench-model"
_SHORTEST_ANSWER = 500  # characters

Ask = Callable[[], Awaitable[Any]]


async def first(peer: Any, url: str) -> dict[str, Any]:
    """Ask once; bench.py knows when the process was started."""
    adapter = peer.Adapter(url, KEY, 1)
    await _checked(adapter, MODEL)
    return {"done_at": time.monotonic(), "modules": len(sys.modules)}


async def _checked(adapter: Any, model: str) -> None:
    text = await adapter.call(model, PROMPT)
    if len(text) < _SHORTEST_ANSWER:
        raise ValueError(f"a short answer: {text!r}")


async def seq(peer: Any, url: str, seconds: float) -> dict[str, Any]:
    """Ask one warm call after another."""
    adapter, bare = peer.Adapter(url, KEY, 1), floor.Adapter(url, KEY)
    await _checked(adapter, MODEL)
    return await _beside_the_floor(
        lambda: adapter.call(MODEL, PROMPT), lambda: bare.call(MODEL, PROMPT), seconds
    )


async def stream(peer: Any, url: str, seconds: float) -> dict[str, Any]:
    """Read streams: of pieces all at once, of pieces with pauses, and to the first piece."""
    adapter, bare = peer.Adapter(url, KEY, 1), floor.Adapter(url, KEY)
    figures: dict[str, Any] = {}
    for kind, model in (("burst", "stream-500"), ("paced", "stream-100-pace-2ms")):
        ours, floors = (lambda a=a, m=model: _drained(a, m) for a in (adapter, bare))
        measured = await _beside_the_floor(ours, floors, seconds)
        chunks = int(model.split("-")[1])
        figures[f"{kind}_cpu_us"] = measured["cpu_us"] / chunks
        figures[f"{kind}_cpu_to_floor"] = measured["cpu_to_floor"]
    firsts = [await _drained(adapter, "stream-8") for _ in range(20)]
    return figures | {"first_text_ms": 1e3 * statistics.median(firsts)}


async def _drained(adapter: Any, model: str) -> float:
    """Return the seconds to the first piece."""
    start, seconds = time.perf_counter(), 0.0
    async for _ in adapter.stream(model, PROMPT):
        seconds = seconds or time.perf_counter() - start
    return seconds


async def _beside_the_floor(ask: Ask, ask_floor: Ask, seconds: float) -> dict[str, Any]:
    """Measure blocks of the peer and of the floor in turn, so that both meet the same machine."""
    for warming in (ask, ask_floor):
        await _block(warming, seconds / 10)
    peers, floors = [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        peers.append(await _block(ask, 0.1))
        floors.append(await _block(ask_floor, 0.04))
    quotients = [p.cpu_a_call / f.cpu_a_call for p, f in zip(peers, floors, strict=True)]
    walls = [wall for block in peers for wall in block.walls]
    return {
        "calls": len(walls),
        "cpu_us": 1e6 * statistics.mean(block.cpu_a_call for block in peers),
        "cpu_to_floor": statistics.median(quotients),
        "wall_us": 1e6 * statistics.median(walls),
    }


@dataclass(slots=True)
class Block:
    walls: list[float] = field(default_factory=list)
    cpu: float = 0.0

    @property
    def cpu_a_call(self) -> float:
        return self.cpu / len(self.walls)


async def _block(ask: Ask, seconds: float) -> Block:
    block, cpu, end = Block(), time.process_time(), time.perf_counter() + seconds
    while not block.walls or time.perf_counter() < end:
        start = time.perf_counter()
        await ask()
        block.walls.append(time.perf_counter() - start)
    block.cpu = time.process_time() - cpu
    return block


async def conc(
    peer: Any, url: str, connections: int, delay: int, calls: int, cap: float
) -> dict[str, Any]:
    """Keep as many calls in flight as there are connections, after one wave that opens them."""
    adapter = peer.Adapter(url, KEY, connections)
    await _checked(adapter, MODEL)
    model = f"delay-{delay}ms"
    cold = await _wave(adapter, model, connections, connections, cap)
    cpu = time.process_time()
    wave = await _wave(adapter, model, connections, calls, cap)
    cpu = time.process_time() - cpu
    return {
        "calls": len(wave.walls),
        "calls_a_second": len(wave.walls) / wave.seconds,
        "cpu_us": 1e6 * cpu / max(1, len(wave.walls)),
        "p50_ms": 1e3 * statistics.median(wave.walls or [0]),
        "p99_ms": 1e3 * max(sorted(wave.walls)[: max(1, len(wave.walls) * 99 // 100)], default=0),
        "first_wave_seconds": cold.seconds,
        "peak_mb": _memory_mb("VmHWM"),
        "errors": (cold.errors + wave.errors).total(),
        "error_types": dict(cold.errors + wave.errors),
    }


@dataclass(slots=True)
class Wave:
    left: int
    end: float
    seconds: float = 0.0
    walls: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


async def _wave(adapter: Any, model: str, lanes: int, calls: int, cap: float) -> Wave:
    """Let *lanes* tasks make *calls*; none begins after *cap* seconds, and a failed one ends."""
    start = time.perf_counter()
    wave = Wave(calls, start + cap)
    tasks = [asyncio.create_task(_lane(adapter, model, wave)) for _ in range(lanes)]
    done, late = await asyncio.wait(tasks, timeout=cap + 4)
    wave.seconds = time.perf_counter() - start
    wave.errors.update(type(e).__qualname__ for task in done if (e := task.exception()))
    if late:
        wave.errors["unfinished"] = len(late)
        for task in late:
            task.cancel()
        await asyncio.wait(late, timeout=5)
    return wave


async def _lane(adapter: Any, model: str, wave: Wave) -> None:
    while wave.left > 0 and (start := time.perf_counter()) < wave.end:
        wave.left -= 1
        await _checked(adapter, model)
        wave.walls.append(time.perf_counter() - start)


async def mem(peer: Any, url: str, marks: list[int], cap: float) -> dict[str, Any]:
    """Return the resident memory after so many calls; none begins after *cap* seconds."""
    adapter, megabytes, done = peer.Adapter(url, KEY, 1), [], 0
    end = time.perf_counter() + cap
    for mark in marks:
        while done < mark and time.perf_counter() < end:
            await adapter.call(MODEL, PROMPT)
            done += 1
        gc.collect()
        megabytes.append(_memory_mb("VmRSS"))
    return {"marks": marks, "mb": megabytes, "calls": done}


def _memory_mb(row: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{row}:")[2].split()[0]) / 1024
