"""The rows of a benchmark, and how figures are taken from them.

A figure is the median over the rounds. A ratio is taken between two rows of one round.
"""

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Place = tuple[str, str]
"""A part and an adapter."""


class Rows:
    """All rows that did not fail."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rounds: dict[Place, dict[tuple[str, int], Row]] = {}
        for row in rows:
            if "failed" not in row:
                rounds = self._rounds.setdefault((row["part"], row["adapter"]), {})
                rounds[row["run"], row["round"]] = row

    @classmethod
    def read(cls, files: Iterable[Path]) -> "Rows":
        return cls(json.loads(line) for file in files for line in file.read_text().splitlines())

    def has(self, part: str, adapter: str) -> bool:
        return (part, adapter) in self._rounds

    def last(self, part: str, adapter: str) -> Row:
        return list(self._rounds[part, adapter].values())[-1]

    def values(self, part: str, adapter: str, key: str) -> list[float]:
        return [row[key] for row in self._rounds.get((part, adapter), {}).values()]

    def ratios(self, over: Place, under: Place, key: str, less: Place | None = None) -> list[float]:
        """Return the quotients of the rounds that both have; *less* is taken off *over* before."""
        below, above = self._rounds.get(under, {}), self._rounds.get(over, {})
        off = self._rounds.get(less, {}) if less else {at: {key: 0.0} for at in above}
        rounds = [at for at in above if at in below and at in off]
        return [(above[at][key] - off[at][key]) / below[at][key] for at in rounds]


def figure(values: list[float]) -> str:
    return short(statistics.median(values)) if values else "-"


def spread(values: list[float]) -> str:
    """Return the median, with the lowest and the highest where they differ."""
    if len(set(values)) < 2:
        return figure(values)
    return f"{figure(values)} ({short(min(values))} to {short(max(values))})"


def short(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
