"""Measures how fast `war-rig document` is: its CPU and memory, and how it fills the waiting.

    python tests/bench/document/estate.py 30000 estate
    python tests/bench/document/speed.py cpu estate
    python tests/bench/document/speed.py long [--lines 100000]
    python tests/bench/document/speed.py latency estate [--runs 5] [--in-flight 16]

``cpu`` runs the command with the offline provider in a process of its own, and in another one
only the readers. User and system time count, with that of their children (git). ``long`` makes
one program and reads it. ``latency`` has a model on loopback answer after 50 ms (model.py) and
compares the time with the least that it could be: calls x 50 ms / in flight, or the CPU that a
run takes where the model answers at once, whichever is more. The two runs alternate, each into a
folder of its own, so nothing is kept from before; a first one has the model work out its answers.
It needs a quiet machine: what the main thread waited for a core is told beside (on Linux).
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import estate
import model

READING_GOAL, WHOLE_GOAL = 0.1, 0.3  # CPU seconds a 1,000 lines
LONG_GOAL_SECONDS = 10.0
LATENCY_GOAL = 1.25
MILLISECONDS = 50

READ = """
import json, sys, time
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from war_rig.document import plan
from war_rig.document.estate.estate import Estate
from war_rig.document.run import estimate
from war_rig.document.schedule import dependencies
from war_rig.readers import readers

def cpu():
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)

known = readers(60)
began, used = time.perf_counter(), cpu()
planned = plan(Path(sys.argv[1]), known)
told = {"seconds": time.perf_counter() - began, "cpu_seconds": cpu() - used,
    "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1024,
    "files": len(planned.files), "units": planned.units,
    "lines": sum(len(file.source.lines) for file in planned.files)}
relations = Estate.of(planned.files, planned.copybook_paths).outgoing
files = {file.source.file: file for file in planned.files}
chains, left = {}, dependencies(list(files), relations)
while left:
    ready = [file for file, before in left.items() if before <= chains.keys()]
    for file in ready:
        before = [chains[one] for one in left.pop(file)]
        own = min(2, len(files[file].reading.units))
        chains[file] = tuple(max((chain[n] for chain in before), default=0) for n in (0, 1))
        chains[file] = (chains[file][0] + 1, chains[file][1] + own)
told["levels"], told["calls_in_a_row"] = map(max, zip(*chains.values()))
print(json.dumps(told))
"""
"""Reads a source as `document` does, and tells the longest chain of files that wait for another.

A file's units are asked about side by side, then it as a whole: two calls in a row at most.
"""


def read(src: Path, folder: Path) -> dict[str, Any]:
    """Return what reading alone takes, and what there is to be read."""
    run = model.timed([sys.executable, "-c", READ, str(src)], folder)
    told: dict[str, Any] = json.loads(run.printed)
    return told


def goal(value: float, limit: float) -> str:
    """Return whether a figure that shall be at most *limit* is."""
    return f"(goal: at most {limit:g}, {'met' if value <= limit else 'missed'})"


def cpu(given: argparse.Namespace, folder: Path) -> None:
    """Print the CPU of reading, and that of the whole command with the offline provider."""
    told = read(given.src.resolve(), folder)
    whole = model.timed(
        model.document(given.src.resolve(), folder / "docs", "--provider", "offline"), folder
    )
    thousands = told["lines"] / 1000
    print(f"{told['lines']:,} lines, {told['files']:,} files, {told['units']:,} units")
    for name, seconds, mb, limit in (
        ("reading", told["cpu_seconds"], told["peak_mb"], READING_GOAL),
        ("whole", whole.cpu_seconds, whole.peak_mb, WHOLE_GOAL),
    ):
        each = seconds / thousands
        print(f"{name:8} {each:.4f} CPU s a 1,000 lines {goal(each, limit)}", end="")
        print(f", {seconds:.2f} CPU s in all, peak {mb:.0f} MB")
    print(f"whole    {whole.seconds:.2f} s by the clock")


def long(given: argparse.Namespace, folder: Path) -> None:
    """Print how long it takes to read one long program."""
    src = folder / "src"
    maker = estate.Estate(given.seed)
    files = [maker.copybook("ORD"), maker.program("ORD", "D", given.lines)]
    estate.write(iter(files), src)
    told = read(src, folder)
    print(f"a program of {len(files[1][1]):,} lines, {told['units']:,} units: read in ", end="")
    print(f"{told['seconds']:.2f} s {goal(told['seconds'], LONG_GOAL_SECONDS)}", end="")
    print(f", {told['cpu_seconds']:.2f} CPU s, peak {told['peak_mb']:.0f} MB")


def latency(given: argparse.Namespace, folder: Path) -> None:
    """Print how much longer than it need a run takes where the model takes its time."""
    src, width = given.src.resolve(), str(given.in_flight)
    with model.serving() as served:
        configs = [served.config(folder, milliseconds) for milliseconds in (0, MILLISECONDS)]

        def run(name: str, config: Path) -> model.Run:
            options = ("--in-flight", width, "--provider", "bench", "--config", str(config))
            return model.timed(model.document(src, folder / name, *options), folder)

        calls = _calls(run("first", configs[0]))
        told = read(src, folder)
        print(f"{told['files']:,} files, {calls:,} calls of {MILLISECONDS} ms, {width} in flight")
        print(f"longest chain: {told['levels']} files, {told['calls_in_a_row'] + 1} calls in a row")
        for number in range(given.runs):
            instant = run(f"instant-{number}", configs[0])
            slow = run(f"slow-{number}", configs[1])
            assert _calls(instant) == _calls(slow) == calls
            print(f"run {number + 1}: ", end="")
            _print_ratio(instant, slow, calls * MILLISECONDS / 1000 / given.in_flight)
            span, each = served.spent(calls)
            print(f"    the model: {1000 * each:.1f} ms a call, asked for {span:.2f} s, ", end="")
            print(f"{calls * each / span:.1f} in flight on average")


def _print_ratio(instant: model.Run, slow: model.Run, waiting: float) -> None:
    """Print how much longer than it need the slow run took, and what it had no core for."""
    least = max(waiting, instant.cpu_seconds)
    print(f"{slow.seconds:.2f} s of at least {waiting:.2f} s of waiting and ", end="")
    print(f"{instant.cpu_seconds:.2f} s of CPU: ratio {slow.seconds / least:.2f}", end=" ")
    print(goal(slow.seconds / least, LATENCY_GOAL), end="")
    print(f"\n    {slow.starved_seconds:.2f} s of it without a core: ratio ", end="")
    print(f"{(slow.seconds - slow.starved_seconds) / least:.2f} but for that", end="")
    print(f"; the instant model's run: {instant.seconds:.2f} s by the clock")


def _calls(run: model.Run) -> int:
    """Return how many calls the command says that it made, none of them answered from before."""
    made = re.search(r"^(\d+) calls? made, 0 answers", run.printed, re.MULTILINE)
    if made is None:
        raise SystemExit(f"it does not say how many calls it made: {run.printed}")
    return int(made[1])


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Measure how fast war-rig document is.")
    parts = parser.add_subparsers(required=True)
    measures: list[Callable[[argparse.Namespace, Path], None]] = [cpu, long, latency]
    for measure in measures:
        part = parts.add_parser(measure.__name__, help=measure.__doc__)
        part.set_defaults(measure=measure)
        if measure is long:
            part.add_argument("--lines", type=int, default=100_000)
            part.add_argument("--seed", type=int, default=0)
        else:
            part.add_argument("src", type=Path, metavar="SRC")
    part.add_argument("--runs", type=int, default=5)
    part.add_argument("--in-flight", type=int, default=16)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        given.measure(given, Path(folder))


if __name__ == "__main__":
    main()
