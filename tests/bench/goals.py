"""What War Rig's `http` type is meant to reach, each goal a ratio within the rounds."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from rows import Place, Rows, spread

OURS = ("war_rig", "war_rig_full")
"""With the policies that everybody has, and with all of them but the cache."""


@dataclass(frozen=True, slots=True)
class Goal:
    """That a quotient of two places is at most, or at least, *limit*.

    to_floor: the same measured against a floor, which is told beside it.
    """

    what: str
    key: str
    over: Place
    under: Place
    limit: float
    is_upper: bool = True
    less: Place | None = None
    to_floor: str = ""

    def row(self, rows: Rows) -> list[str]:
        ratios = rows.ratios(self.over, self.under, self.key, self.less)
        by_floor = rows.ratios(self.over, self.under, self.to_floor or self.key, self.less)
        wanted = f"{'at most' if self.is_upper else 'at least'} {self.limit:g}"
        if not ratios:
            return [self.what, wanted, "-", "not measured", "-"]
        median = statistics.median(ratios)
        met = median <= self.limit if self.is_upper else median >= self.limit
        told = spread(by_floor) if self.to_floor else "-"
        return [self.what, wanted, spread(ratios), "met" if met else "missed", told]


def _goals(ours: str) -> Iterator[Goal]:
    def cpu(what: str, part: str, key: str, other: str, limit: float) -> Goal:
        told, floor = f"{ours}: {what}, of {other}", f"{key}_to_floor"
        return Goal(told, f"{key}_us", (part, ours), (part, other), limit, to_floor=floor)

    def rate(what: str, part: str, under: Place, limit: float) -> Goal:
        told = f"{ours}: {what}"
        return Goal(told, "calls_a_second", (part, ours), under, limit, is_upper=False)

    yield cpu("CPU of a warm call", "seq", "cpu", "raw_httpx", 0.7)
    yield cpu("CPU of a warm call", "seq", "cpu", "raw_httpx_aiohttp", 1.35)
    for other, limit in (("raw_httpx", 8.0), ("openai_sdk_aiohttp", 2.0)):
        for part, took in (("conc100", 50), ("quick100", 10)):
            yield rate(f"calls/s at 100, {took} ms each, of {other}", part, (part, other), limit)
    yield rate("calls/s at 1,000, of those at 100", "conc1000", ("conc100", ours), 0.8)
    yield cpu("CPU of a chunk of a burst", "stream", "burst_cpu", "raw_httpx", 0.8)
    yield cpu("CPU of a paced chunk", "stream", "paced_cpu", "raw_httpx", 0.8)


GOALS = (
    *(goal for ours in OURS for goal in _goals(ours)),
    Goal(
        "CPU of all policies a warm call, of raw_httpx",
        "cpu_us",
        ("seq", "war_rig_full"),
        ("seq", "raw_httpx"),
        0.1,
        less=("seq", "war_rig_bare"),
        to_floor="cpu_to_floor",
    ),
)
