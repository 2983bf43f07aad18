"""Kills `war-rig document` at random moments, and looks at what is left and what the next run does.

    python tests/bench/document/kills.py docs/examples/library [--kills 20] [--seed 0]

Each time the command starts in a fresh folder, four calls in flight, with a model on loopback
that answers after 20 ms (model.py). It gets SIGKILL at a moment drawn evenly from the time that
an undisturbed run takes. Then it has to be so that

    each file that is there is whole: a page as the undisturbed run wrote it, a list of pages that
    can be read, a store of answers that SQLite finds sound; what is half is called .part;
    the store, and SQLite's files beside it, are their owner's alone (0600);
    no file holds the key of the model, and nothing printed does.

The same command again comes to its end, and then

    the folder has the undisturbed run's files, byte by byte, and the store the same answers;
    it was asked again what was in flight at the kill, nothing else, and nothing new.

In flight is, where each answer takes the same time, what was asked last. Exit code 1 where one of
these does not hold.
"""

import argparse
import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from stat import S_IMODE
from tempfile import TemporaryDirectory

import model

IN_FLIGHT = 4
MILLISECONDS = 20
MANIFEST, STORE = ".war-rig.json", ".war-rig.sqlite"
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Bench:
    """What every kill has in common: what is run, and what an undisturbed run took and asked."""

    served: model.Model
    folder: Path
    src: Path
    config: Path
    seconds: float = 0.0
    asked: tuple[str, ...] = ()

    @property
    def whole(self) -> Path:
        """Return the folder of the undisturbed run."""
        return self.folder / "whole"

    def command(self, docs: Path) -> list[str]:
        """Return the command that documents into *docs*."""
        options = ("--in-flight", str(IN_FLIGHT), "--provider", "bench")
        return model.document(self.src, docs, *options, "--config", str(self.config))


def undisturbed(src: Path, served: model.Model, folder: Path) -> Bench:
    """Run without a kill, twice: the model works its answers out in the first one."""
    bench = Bench(served, folder, src.resolve(), served.config(folder, MILLISECONDS))
    model.timed(bench.command(folder / "first"), folder)
    before = len(served.asked())
    run = model.timed(bench.command(bench.whole), folder)
    return replace(bench, seconds=run.seconds, asked=tuple(served.asked()[before:]))


@dataclass(slots=True)
class Kill:
    """One kill: when it was, what was there then, and what is wrong."""

    after_seconds: float
    had_ended: bool
    files: int
    halves: int
    asked: int
    asked_again: int
    faults: list[str]

    def told(self) -> str:
        """Return it as a line, and its faults as some more."""
        there = f"{self.files:3} files there, {self.halves} half, {self.asked:3} calls asked"
        again = f"{self.asked_again} of them again"
        end = "had ended" if self.had_ended else ""
        lines = [f"{self.after_seconds:6.2f} s: {there}, {again} {end}".rstrip()]
        return "\n".join(lines + [f"    {fault}" for fault in self.faults])


def kill(bench: Bench, docs: Path, after_seconds: float) -> Kill:
    """Kill a run into *docs*, look at what is left, let the next one end, and compare."""
    before = len(bench.served.asked())
    had_ended, printed = _killed(bench.command(docs), bench.folder, after_seconds)
    between = len(bench.served.asked())
    faults = list(_faults_left(docs, bench.whole))
    files = [path for path in docs.rglob("*") if path.is_file()]
    halves = [path for path in files if path.name.endswith(".part")]
    printed += model.timed(bench.command(docs), bench.folder).printed
    asked = bench.served.asked()
    first, second = asked[before:between], asked[between:]
    again = [digest for digest in second if digest in first]
    faults += [*_faults_left(docs, bench.whole), *_differences(docs, bench.whole)]
    faults += _faults_asked(first, second, bench.asked)
    faults += ["the key was printed"] if model.KEY in printed else []
    return Kill(after_seconds, had_ended, len(files), len(halves), len(first), len(again), faults)


def _killed(command: list[str], folder: Path, after_seconds: float) -> tuple[bool, str]:
    """Return whether *command* had ended when it was to be killed, and what it printed."""
    with model.start(command, folder) as process:
        time.sleep(after_seconds)
        process.kill()
        printed, _ = process.communicate()
        return process.returncode == 0, printed


def _faults_left(docs: Path, whole: Path) -> Iterator[str]:
    """Yield what must not be in the folder of a run that was killed."""
    for path in sorted(docs.rglob("*")):
        if path.is_dir():
            continue
        name, data = str(path.relative_to(docs)), path.read_bytes()
        if model.KEY.encode() in data:
            yield f"{name} holds the key"
        if name.startswith(STORE):
            mode = S_IMODE(path.stat().st_mode)
            if mode != _OWNER_ONLY:
                yield f"{name} has the mode {mode:o}"
        elif name == MANIFEST:
            if not _is_manifest(data):
                yield f"{name} is broken"
        elif not name.endswith(".part") and (whole / name).read_bytes() != data:
            yield f"{name} is not as the undisturbed run wrote it"
    if (docs / STORE).exists() and (sound := _soundness(docs)) != "ok":
        yield f"{STORE} is broken: {sound}"


def _is_manifest(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data)["pages"], list)
    except (ValueError, KeyError):
        return False


def _soundness(docs: Path) -> str:
    """Return what SQLite finds in a copy of the store, since opening one changes it."""
    with TemporaryDirectory() as folder:
        for path in docs.glob(f"{STORE}*"):
            shutil.copy(path, folder)
        database = sqlite3.connect(Path(folder, STORE))
        try:
            return str(database.execute("PRAGMA integrity_check").fetchone()[0])
        finally:
            database.close()


def _differences(docs: Path, whole: Path) -> Iterator[str]:
    """Yield in what a folder is not that of the undisturbed run."""
    names = {str(path.relative_to(at)) for at in (docs, whole) for path in at.rglob("*")}
    for name in sorted(names):
        one, other = docs / name, whole / name
        if one.exists() != other.exists():
            yield f"{name} is {'new' if one.exists() else 'missing'} after the next run"
        elif one.is_file() and name != STORE and one.read_bytes() != other.read_bytes():
            yield f"{name} differs after the next run"
    if _answers(docs) != _answers(whole):
        yield f"{STORE} has other answers after the next run"


def _answers(docs: Path) -> list[tuple[str, str]]:
    database = sqlite3.connect(docs / STORE)
    try:
        return sorted(database.execute("SELECT key, answer FROM answer"))
    finally:
        database.close()


def _faults_asked(first: list[str], second: list[str], undisturbed: Sequence[str]) -> Iterator[str]:
    """Yield what should not have been asked by the run that was killed and the one after it."""
    late = [digest for digest in second if digest in first[:-IN_FLIGHT]]
    if late:
        yield f"asked again, though not in flight: {len(late)} calls"
    if new := {*first, *second} - {*undisturbed}:
        yield f"never asked by an undisturbed run: {len(new)} calls"
    if missing := {*undisturbed} - {*first, *second}:
        yield f"asked only by an undisturbed run: {len(missing)} calls"
    if twice := len(second) - len({*second}) - (len(undisturbed) - len({*undisturbed})):
        yield f"asked more often than once by the next run: {twice} calls"


def main() -> None:
    """Kill as often as the arguments ask for; exit with 1 where one run was not mended."""
    parser = argparse.ArgumentParser(description="Kill war-rig document, and run it again.")
    parser.add_argument("src", type=Path, metavar="SRC")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    random = Random(given.seed)
    with TemporaryDirectory() as folder, model.serving() as served:
        bench = undisturbed(given.src, served, Path(folder))
        calls = f"{len(bench.asked)} calls of {MILLISECONDS} ms, {IN_FLIGHT} in flight"
        print(f"undisturbed: {bench.seconds:.2f} s, {calls}, seed {given.seed}")
        found = []
        for number in range(given.kills):
            docs = Path(folder, f"docs-{number}")
            found.append(kill(bench, docs, random.uniform(0, bench.seconds)))
            print(found[-1].told(), flush=True)
    identical = sum(not one.faults for one in found)
    halves, again = sum(one.halves for one in found), sum(one.asked_again for one in found)
    print(
        f"identical: {identical} of {len(found)}; {halves} half files, all gone after the next run"
    )
    print(f"asked twice: {again} calls of {sum(one.asked for one in found)}")
    sys.exit(identical != len(found))


if __name__ == "__main__":
    main()
