"""What each policy adds to a warm call: the whole stack, without each one in turn.

    python tests/bench/policies.py [--seconds 60]

All variants live in one process, in the environment of `war_rig_full`, and ask in turn, one call
each after another: what the machine does meanwhile meets them all. A figure is the median of the
differences within such a turn, in microseconds of CPU and as a part of what raw_httpx takes there.
The order is drawn anew for each turn, since each finds the caches as the one before it left them.
The sum of the parts is not the whole: code that is warm for one policy is warm for the next.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import processes
import venvs
from adapters import raw_httpx, war_rig, war_rig_full
from measures import KEY, MODEL, PROMPT

LEFT_OUT = "timeout: null", "retry: null"
"""What stands in the place of a policy that everybody has."""

Ask = Callable[[], Awaitable[object]]


def declared() -> dict[str, str]:
    """Return the policies of `war_rig_full` by name, each as its line of YAML."""
    lines = [line.strip() for line in war_rig_full.Adapter.policies.strip().splitlines()]
    return {line.partition(":")[0]: line for line in lines}


def variant(names: set[str], url: str) -> Ask:
    """Return what asks through the policies *names*, and prices, which cost nothing alone."""
    lines = [line for name, line in declared().items() if name in names | {"prices"}]
    lines += [line for line in LEFT_OUT if line.partition(":")[0] not in names]

    class Adapter(war_rig.Adapter):
        policies = "\n  " + "\n  ".join(lines)

    made = Adapter(url, KEY, 1)
    return lambda: made.call(MODEL, PROMPT)


async def measure(url: str, seconds: float) -> None:
    every = set(declared()) - {"prices"}
    plain = raw_httpx.Adapter(url, KEY, 1)
    asks: dict[str, Ask] = {"raw_httpx": lambda: plain.call(MODEL, PROMPT)}
    asks |= {"none": variant(set(), url), "all": variant(every, url)}
    asks |= {f"all but {name}": variant(every - {name}, url) for name in sorted(every)}
    turns = await _turns(asks, seconds)
    whole = statistics.median(turns["raw_httpx"])
    print(f"raw_httpx {whole:.0f} µs; {len(turns['all'])} turns")
    for name in asks:
        over, under = ("all", "none") if name == "all" else ("all", name)
        if name not in ("raw_httpx", "none"):
            pairs = zip(turns[over], turns[under], strict=True)
            cost = statistics.median(one - other for one, other in pairs)
            told = "all policies" if name == "all" else name.removeprefix("all but ")
            print(f"| {told} | {cost:.0f} | {cost / whole:.3f} |")


async def _turns(asks: dict[str, Ask], seconds: float) -> dict[str, list[float]]:
    """Return of each variant the microseconds of its second and third call in each turn."""
    for ask in asks.values():
        for _ in range(100):
            await ask()
    took: dict[str, list[float]] = {name: [] for name in asks}
    names, order, end = list(asks), random.Random(0), time.monotonic() + seconds
    while time.monotonic() < end:
        order.shuffle(names)
        for name in names:
            await asks[name]()
            begin = time.process_time_ns()
            await asks[name]()
            await asks[name]()
            took[name].append((time.process_time_ns() - begin) / 2_000)
    return took


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--url", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.url:
        asyncio.run(measure(options.url, options.seconds))
        sys.stdout.flush()
        os._exit(0)  # as a worker does
    with processes.serving() as url:
        command = [venvs.python(war_rig_full.REQUIRES), __file__, "--url", url]
        words = ["--seconds", str(options.seconds)]
        subprocess.run([*map(str, command), *words], env=venvs.ENV, check=True)


if __name__ == "__main__":
    main()
