"""Which files are documented, and which are left out, and why.

Links are not followed; hidden files and what git ignores are left out; binary
files are named as not read. Nothing is skipped in silence.
"""

import os
import stat
import subprocess
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from war_rig.document.checks.known import doers_in, related_names
from war_rig.errors import ConfigError
from war_rig.readers import Fact, Problem, Reader, Reading, Source, Unit, decode, reader_for
from war_rig.readers.cobol import CobolReader

_LARGEST_BYTES = 20_000_000
_GIT_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that was read: its text, its language, its units and facts, which are in order."""

    source: Source
    language: str
    reading: Reading
    related: frozenset[str] = frozenset()
    doers: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, source: Source, reader: Reader) -> "PlannedFile":
        """Return *source* as *reader* reads it; raise ValueError for a line that is not there."""
        reading = reader.read(source)
        _check(reading, len(source.lines))
        facts = tuple(sorted(reading.facts, key=lambda fact: fact.line))
        ordered = replace(reading, facts=facts)
        return cls(source, reader.language, ordered, related_names(facts), doers_in(facts))

    @property
    def is_cobol(self) -> bool:
        """Return whether it was read as COBOL, of whose lines more is known than facts tell."""
        return self.language == CobolReader.language

    def facts_of(self, unit: Unit) -> tuple[Fact, ...]:
        """Return the facts on the lines of *unit*."""
        facts = self.reading.facts
        first = bisect_left(facts, unit.first, key=lambda fact: fact.line)
        return facts[first : bisect_left(facts, unit.last + 1, key=lambda fact: fact.line)]

    def parts_of(self, unit: Unit) -> tuple[Unit, ...]:
        """Return what has to be documented inside *unit*: its parts, else the unit itself."""
        parts = self.reading.parts
        first = bisect_left(parts, unit.first, key=lambda part: part.first)
        last = bisect_left(parts, unit.last + 1, key=lambda part: part.first)
        return parts[first:last] or (unit,)


def _check(reading: Reading, last: int) -> None:
    lines = [thing.line for things in (reading.facts, reading.problems) for thing in things]
    for part in (*reading.units, *reading.parts, *reading.wholes):
        lines += [part.first, part.last]
    if any(not 1 <= line <= last for line in lines):
        raise ValueError("a fact or a unit is outside the file")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be documented below *root*, and what is not, each path with its reason.

    chosen: the units to document, all of them unless choose() took fewer.
    left_out: what is not read. misread: what its own reader failed on, so that
    it is documented as plain text. copybook_paths: globs of the folders below
    *root* in which a copybook is looked for first.
    """

    root: Path
    files: tuple[PlannedFile, ...]
    chosen: tuple[Unit, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    misread: tuple[tuple[str, str], ...] = ()
    copybook_paths: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what the source is called: its folder's name."""
        return _told(self.root.name)

    @property
    def units(self) -> int:
        """Return how many units there are."""
        return sum(len(file.reading.units) for file in self.files)

    @property
    def is_whole(self) -> bool:
        """Return whether all units are to be documented."""
        return len(self.chosen) == self.units

    def choose(self, only: str | None = None, limit: int | None = None) -> "Plan":
        """Return the plan with only the files that match the glob *only*, *limit* units at most.

        Raises ConfigError where no file matches.
        """
        chosen = [f for f in self.files if only is None or fnmatchcase(f.source.file, only)]
        if only is not None and not chosen:
            raise ConfigError(
                f"no file matches --only {only}\n  it is compared with the whole path below SRC, "
                f"for example {self.files[0].source.file if self.files else 'src/*.cbl'}"
            )
        units = [unit for file in chosen for unit in file.reading.units]
        return replace(self, chosen=tuple(units[:limit]))

    @property
    def problems(self) -> list[tuple[str, Problem]]:
        """Return what readers could not read, each with its file."""
        return [(f.source.file, problem) for f in self.files for problem in f.reading.problems]

    def unused_paths(self) -> list[str]:
        """Return the copybook paths that no folder matches."""
        folders = {PurePosixPath(file.source.file).parent.as_posix() for file in self.files}
        return [p for p in self.copybook_paths if not any(fnmatchcase(f, p) for f in folders)]

    @property
    def reasons(self) -> "Counter[str]":
        """Return how many paths were left out for each reason."""
        return Counter(reason for _, reason in self.left_out)


def plan(src: Path, readers: Sequence[Reader], copybook_paths: Sequence[str] = ()) -> Plan:
    """Read every file of *src*, a folder or one file. Raises ConfigError where there is none."""
    if not src.exists():
        raise ConfigError(f"there is no source at {src}\n  name a folder or a file that exists")
    root = src.resolve()
    left_out: list[tuple[str, str]] = []
    if root.is_file():
        paths: Iterator[str] = iter([root.name])
        root = root.parent
    else:
        paths = _walk(root, _ignored_by_git(root), left_out)
    files, misread = [], []
    for path in paths:
        source = _read(root / path, path)
        if isinstance(source, str):
            left_out.append((path, source))
            continue
        file, fault = _planned(source, readers)
        files.append(file)
        misread += [(path, fault)] if fault else []
    units = tuple(unit for file in files for unit in file.reading.units)
    left_out = [(_told(path), reason) for path, reason in left_out]
    return Plan(
        root,
        tuple(files),
        units,
        tuple(sorted(left_out)),
        tuple(misread),
        tuple(p.strip("/") or "." for p in copybook_paths),
    )


def _told(path: str) -> str:
    """Return *path* as text that can be written, also where it is not UTF-8."""
    return path.encode("utf-8", "replace").decode()


def _planned(source: Source, readers: Sequence[Reader]) -> tuple[PlannedFile, str | None]:
    """Return *source* as its reader reads it, else as plain text and why."""
    reader, fault = readers[-1], None
    try:
        reader = reader_for(source, readers)
        return PlannedFile.of(source, reader), None
    except Exception as error:  # the border of a reader from a plugin
        fault = f"{type(reader).__name__} failed with {type(error).__name__}"
    return PlannedFile.of(source, readers[-1]), fault


def _walk(root: Path, ignored: frozenset[str], left_out: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the path of every file that is to be read, in order."""
    waiting = _entries(root, "", left_out)
    while waiting:
        entry, path = waiting.pop()
        reason = _reason(entry, path, ignored)
        if reason:
            left_out.append((path, reason))
        elif entry.is_dir(follow_symlinks=False):
            waiting += _entries(root, path, left_out)
        else:
            yield path


def _entries(
    root: Path, folder: str, left_out: list[tuple[str, str]]
) -> list[tuple["os.DirEntry[str]", str]]:
    """Return the entries of *folder* with their paths below *root*, the last name first."""
    try:
        entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        left_out.append((f"{folder}/", f"folder could not be read: {error.strerror}"))
        return []
    return [(entry, f"{folder}/{entry.name}" if folder else entry.name) for entry in entries]


def _reason(entry: "os.DirEntry[str]", path: str, ignored: frozenset[str]) -> str | None:
    """Return why *entry* is left out, None where it is not."""
    if entry.is_symlink():
        return "symbolic link, not followed"
    if entry.name.startswith("."):
        return "hidden"
    if path in ignored:
        return "ignored by git"
    if not (entry.is_dir() or entry.is_file()):
        return "not a regular file"
    return None


def _read(path: Path, name: str) -> Source | str:
    """Return the text at *path*, or why there is none."""
    try:
        name.encode()
        # Not following a link that was put there since; not waiting for a pipe.
        number = os.open(
            path, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_NONBLOCK") | _flag("O_BINARY")
        )
        with open(number, "rb") as file:  # noqa: PTH123  a descriptor
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                return "not a regular file"
            if status.st_size > _LARGEST_BYTES:
                return f"larger than {_LARGEST_BYTES // 1_000_000} MB, not read"
            data = file.read()
    except UnicodeEncodeError:
        return "name is not UTF-8, not read"
    except OSError as error:
        return f"could not be read: {error.strerror}"
    return decode(name, data) or "binary, not read"


def _flag(name: str) -> int:
    """Return an os.open flag, 0 on systems without it."""
    return int(getattr(os, name, 0))


def _ignored_by_git(root: Path) -> frozenset[str]:
    """Return the paths below *root* that git ignores; none where there is no git or repository.

    The repository is somebody else's: its configuration must not run a program.
    """
    command = [
        "git", "-C", str(root), "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
        "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory",
    ]  # fmt: skip
    try:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}  # it must not fetch either
        listed = subprocess.run(
            command, capture_output=True, timeout=_GIT_TIMEOUT_SECONDS, check=False, env=env
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    if listed.returncode != 0:
        return frozenset()
    paths = listed.stdout.split(b"\0")
    return frozenset(os.fsdecode(path).rstrip("/") for path in paths if path)
