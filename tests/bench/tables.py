"""The rows of a benchmark as Markdown: `python tests/bench/tables.py FILE...`.

A cell is the median over the rounds; one of a column "of ..." is a ratio within the rounds, with
the lowest and the highest in brackets.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faults import STREAMED, WHOLE
from goals import GOALS
from rows import Row, Rows, figure, short, spread
from venvs import ADAPTERS


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a row, or its ratio to that of the adapter *to*."""

    head: str
    part: str
    key: str
    to: str | None = None

    def cell(self, rows: Rows, adapter: str) -> str:
        if self.to is None:
            return figure(rows.values(self.part, adapter, self.key))
        return spread(rows.ratios((self.part, adapter), (self.part, self.to), self.key))


def _in_flight(part: str) -> tuple[Column, ...]:
    return (
        Column("calls/s", part, "calls_a_second"),
        Column("of raw_httpx", part, "calls_a_second", "raw_httpx"),
        Column("of openai_sdk_aiohttp", part, "calls_a_second", "openai_sdk_aiohttp"),
        Column("CPU µs a call", part, "cpu_us"),
        Column("p50 ms", part, "p50_ms"),
        Column("p99 ms", part, "p99_ms"),
        Column("errors", part, "errors"),
    )


TABLES = {
    "Import and cold start": (
        Column("import ms", "import", "ms"),
        Column("of raw_httpx", "import", "ms", "raw_httpx"),
        Column("modules", "import", "modules"),
        Column("cold start ms", "first", "ms"),
        Column("of raw_httpx", "first", "ms", "raw_httpx"),
    ),
    "One warm call after another": (
        Column("CPU µs", "seq", "cpu_us"),
        Column("of the floor", "seq", "cpu_to_floor"),
        Column("of raw_httpx", "seq", "cpu_to_floor", "raw_httpx"),
        Column("of raw_httpx_aiohttp", "seq", "cpu_to_floor", "raw_httpx_aiohttp"),
        Column("wall µs", "seq", "wall_us"),
    ),
    "100 calls in flight, 50 ms each": _in_flight("conc100"),
    "100 calls in flight, 10 ms each": _in_flight("quick100"),
    "1,000 calls in flight, 50 ms each": (
        *_in_flight("conc1000"),
        Column("first wave s", "conc1000", "first_wave_seconds"),
        Column("peak MB", "conc1000", "peak_mb"),
    ),
    "A streamed chunk": (
        Column("burst CPU µs", "stream", "burst_cpu_us"),
        Column("of raw_httpx", "stream", "burst_cpu_to_floor", "raw_httpx"),
        Column("paced CPU µs", "stream", "paced_cpu_us"),
        Column("of raw_httpx", "stream", "paced_cpu_to_floor", "raw_httpx"),
        Column("first text ms", "stream", "first_text_ms"),
    ),
}
SIX = ("err-401", "err-404", "err-400", "err-429", "err-500", "refused")


def page(rows: Rows) -> str:
    """Return all tables that there are rows for."""
    goals = [
        ["Goal", "wanted", "measured", "", "by the floor"],
        *(goal.row(rows) for goal in GOALS),
    ]
    found = {"Goals": goals, "Versions": _versions(rows)}
    for title, columns in TABLES.items():
        lines = [
            [name, *(column.cell(rows, name) for column in columns)]
            for name in ADAPTERS
            if any(rows.has(column.part, name) for column in columns)
        ]
        found[title] = [["", *(column.head for column in columns)], *lines]
    found |= {"Memory": _memory(rows), "Faults": _faults(rows), "Errors": _errors(rows)}
    shown = (f"## {title}\n\n{_markdown(lines)}" for title, lines in found.items() if lines[1:])
    return "\n\n".join(shown)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in lines[0][1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _measured(rows: Rows, part: str) -> dict[str, Row]:
    return {name: rows.last(part, name) for name in ADAPTERS if rows.has(part, name)}


def _versions(rows: Rows) -> list[list[str]]:
    lines = [
        [name, ", ".join(f"{one} {version}" for one, version in row["versions"].items())]
        for name, row in _measured(rows, "versions").items()
    ]
    return [["", "versions"], *lines]


def _memory(rows: Rows) -> list[list[str]]:
    lines = []
    for name, row in _measured(rows, "mem").items():
        growth = 1024 * (row["mb"][2] - row["mb"][1]) / (row["calls"] - row["marks"][1])
        figures = (*row["mb"], growth)
        lines.append([name, *map(short, figures), f"{row['calls']:,}"])
    return [["", "MB after a call", "1,000", "the last", "growth KB a call", "calls"], *lines]


def _faults(rows: Rows) -> list[list[str]]:
    measured = _measured(rows, "faults")
    lines = [
        [case, *(_outcome(row["cases"][case]) for row in measured.values())]
        for case in (*WHOLE, *STREAMED)
    ]
    return [["", *measured], *(lines if measured else [])]


def _outcome(case: Row) -> str:
    if case["outcome"] == "answer":
        return f"an answer of {case['characters']}"
    if case["outcome"] == "no end":
        return f"no end in {case['seconds']:.0f} s"
    return case["type"] if case["is_own"] else f"{case['type']} (foreign)"


def _errors(rows: Rows) -> list[list[str]]:
    lines = [[name, *_told(row["cases"])] for name, row in _measured(rows, "faults").items()]
    heads = (
        *("errors of its own", "silent", "tries at a 500", "types of six kinds"),
        *("a 401 carries", "retry after", "pickle", "show an echoed key", "reach the key"),
    )
    return [["", *heads], *lines]


def _told(cases: dict[str, Row]) -> list[str]:
    errors = [case for case in cases.values() if case["outcome"] == "error"]
    refused, limited = cases["err-401"], cases["err-429"]
    return [
        f"{sum(case['is_own'] for case in errors)} of {len(errors)}",
        str(sum(case["outcome"] == "answer" for case in cases.values())),
        str(cases["err-500"]["tries"]),
        str(len({cases[case].get("type") for case in SIX})),
        ", ".join(refused.get("says", [])) or "-",
        str(limited.get("retry_after") or "-"),
        f"{sum(case['pickles'] for case in errors)} of {len(errors)}",
        "yes" if any(case["shows_key"] for case in errors) else "no",
        next((f"`{case['reaches_key']}`" for case in errors if case["reaches_key"]), "no"),
    ]


if __name__ == "__main__":
    print(page(Rows.read(map(Path, sys.argv[1:]))))
