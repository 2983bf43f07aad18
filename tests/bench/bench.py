"""What a call costs through War Rig, beside its peers, on loopback.

    python tests/bench/bench.py [--quick] [--parts seq,conc] [--adapters raw_httpx,war_rig]

The parts: import; first, the cold start; seq, one warm call after another; conc, 100 and 1,000
calls in flight; stream; mem, 10,000 calls; faults. Each measurement is a fresh process in the
peer's own environment (venvs.py), against one mock server (server.py). A round runs every peer
once; each round begins with another peer, and every second one runs backwards. Ratios are taken
within a round, and tables.py shows their median, for no machine is quiet for long.

The rows are lines of JSON: `--rows FILE` adds them to a file, and `tables.py FILE...` shows them
again. Everything ends by itself. It is no part of the tests: a busy machine proves nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import processes
import tables
import venvs
from rows import Row, Rows

Measure = Callable[[Path, str], Row]
ROUNDS = {"import": 5, "first": 5, "seq": 7, "conc": 3, "stream": 5}  # of all others, one


@dataclass(frozen=True, slots=True)
class Effort:
    """What one measurement does; seconds are its own."""

    seconds: float
    calls_in_flight: int
    most_seconds_in_flight: float
    calls_in_memory: tuple[int, ...]
    most_seconds_in_memory: float
    most_seconds_a_fault: float


FULL = Effort(4.0, 3000, 8.0, (1, 1000, 10_000), 60.0, 10.0)
QUICK = Effort(0.3, 1000, 2.0, (1, 100, 300), 3.0, 2.0)


def parts(effort: Effort, url: str) -> dict[str, dict[str, Measure]]:
    """Return of each part what one round measures, by the name of the row."""

    def asked(part: str, **options: Any) -> Measure:
        return partial(processes.work, part=part, url=url, **options)

    def in_flight(connections: int, delay: int) -> Measure:
        calls, cap = effort.calls_in_flight, effort.most_seconds_in_flight
        return asked("conc", connections=connections, delay=delay, calls=calls, cap=cap)

    marks, most = effort.calls_in_memory, effort.most_seconds_in_memory
    return {
        "versions": {"versions": partial(processes.work, part="versions")},
        "import": {"import": processes.imported},
        "first": {"first": partial(processes.cold_start, url=url)},
        "seq": {"seq": asked("seq", seconds=effort.seconds)},
        "conc": {
            "conc100": in_flight(100, 50),
            "conc1000": in_flight(1000, 50),
            "quick100": in_flight(100, 10),
        },
        "stream": {"stream": asked("stream", seconds=effort.seconds)},
        "mem": {"mem": asked("mem", marks=marks, cap=most)},
        "faults": {"faults": asked("faults", watch=effort.most_seconds_a_fault)},
    }


class Run:
    """Measures peers, by name their Python, and adds the rows to *file*."""

    def __init__(self, pythons: dict[str, Path], file: Path) -> None:
        self.pythons = pythons
        self.file = file
        self.name = time.strftime("%Y-%m-%d %H:%M:%S")

    def part(self, measures: dict[str, Measure], rounds: int) -> None:
        for number in range(rounds):
            load = round(os.getloadavg()[0], 1)
            for name in self._order(number):
                for part, measure in measures.items():
                    figures = measure(self.pythons[name], name)
                    self._keep({"part": part, "adapter": name, "round": number} | figures)
            _say(f"{' and '.join(measures)}: round {number + 1} of {rounds}, load {load}")

    def _order(self, number: int) -> Sequence[str]:
        names = list(self.pythons)
        start = number * 3 % len(names)
        order = names[start:] + names[:start]
        return order[::-1] if number % 2 else order

    def _keep(self, row: Row) -> None:
        if "failed" in row:
            _say(f"{row['part']}, {row['adapter']}: {row['failed']}")
        with self.file.open("a") as file:
            file.write(json.dumps({"run": self.name} | row) + "\n")


def pythons(names: Sequence[str]) -> dict[str, Path]:
    """Return the Python of each peer; leave out, and say so, what can't be installed."""
    found = {}
    for name in names:
        try:
            found[name] = venvs.python(venvs.adapter(name).REQUIRES)
        except subprocess.CalledProcessError as error:
            _say(f"{name} is left out: {error}")
    return found


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def _names(text: str) -> list[str]:
    return text.split(",")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--parts", type=_names, help="comma-separated; default: all")
    arguments.add_argument("--adapters", type=_names, default=venvs.ADAPTERS)
    arguments.add_argument("--rounds", type=int, help="instead of those of each part")
    arguments.add_argument("--rows", type=Path, help="where the rows go; it may exist")
    arguments.add_argument("--quick", action="store_true", help="see that all works; no figures")
    options = arguments.parse_args()
    file = options.rows or Path(tempfile.mkdtemp(prefix="bench-"), "rows.jsonl")
    run = Run(pythons(options.adapters), file)
    with processes.serving() as url:
        known = parts(QUICK if options.quick else FULL, url)
        for part in options.parts or known:
            rounds = options.rounds or (1 if options.quick else ROUNDS.get(part, 1))
            run.part(known[part], rounds)
    print(tables.page(Rows.read([file])))
    _say(f"rows: {file}")


if __name__ == "__main__":
    main()
