"""What War Rig's `http` type is meant to reach, each goal a ratio within the rounds."""

import statistics
from dataclasses import dataclass

from rows import Place, Rows, spread

OURS = "war_rig"


@dataclass(frozen=True, slots=True)
class Goal:
    """That a quotient of two places is at most, or at least, *limit*."""

    what: str
    key: str
    over: Place
    under: Place
    limit: float
    is_upper: bool = True

    def row(self, rows: Rows) -> list[str]:
        ratios = rows.ratios(self.over, self.under, self.key)
        wanted = f"{'at most' if self.is_upper else 'at least'} {self.limit:g}"
        if not ratios:
            return [self.what, wanted, "-", "not measured"]
        median = statistics.median(ratios)
        met = median <= self.limit if self.is_upper else median >= self.limit
        return [self.what, wanted, spread(ratios), "met" if met else "missed"]


def _cpu(what: str, part: str, key: str, other: str, limit: float) -> Goal:
    return Goal(f"{what}, of {other}", key, (part, OURS), (part, other), limit)


def _rate(what: str, over: Place, under: Place, limit: float) -> Goal:
    return Goal(what, "calls_a_second", over, under, limit, is_upper=False)


GOALS = (
    _cpu("CPU of a warm call", "seq", "cpu_to_floor", "raw_httpx", 0.7),
    _cpu("CPU of a warm call", "seq", "cpu_to_floor", "raw_httpx_aiohttp", 1.35),
    _rate("calls/s at 100, of raw_httpx", ("conc100", OURS), ("conc100", "raw_httpx"), 8),
    _rate(
        "calls/s at 100, of openai_sdk_aiohttp",
        ("conc100", OURS),
        ("conc100", "openai_sdk_aiohttp"),
        2,
    ),
    _rate("calls/s at 1,000, of those at 100", ("conc1000", OURS), ("conc100", OURS), 0.8),
    _cpu("CPU of a chunk of a burst", "stream", "burst_cpu_to_floor", "raw_httpx", 0.8),
    _cpu("CPU of a paced chunk", "stream", "paced_cpu_to_floor", "raw_httpx", 0.8),
)
