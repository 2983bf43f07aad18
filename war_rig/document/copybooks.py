"""Which file a COPY means, and the names that it brings, with its REPLACING applied.

A name may be that of several files. These narrow the choice, each where it
leaves one: the user's language, the library of ``COPY ... OF``, the search
paths in their order, the user's own folder. What is left is all meant.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact

COPIES = ("copy", "include")
_DEEPEST = 8
_MOST = 2_000
_WORD = re.compile(r"[\w:$#@-]+")
_PAIR = re.compile(r"(?:(LEADING|TRAILING) )?==(\S+)== BY ==(\S*)==")

Pairs = tuple[tuple[str, str, str], ...]
"""How names are replaced: (LEADING, TRAILING or "", from, to)."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file as another one copies it: its names are replaced by *pairs*, the innermost first."""

    file: PlannedFile
    pairs: Pairs = ()

    def name(self, written: str) -> str:
        """Return a name of the file as whoever copies it knows it, in upper case."""
        name = written.upper()
        for where, old, new in self.pairs:
            name = _replaced(name, where, old, new)
        return name

    def line(self, number: int) -> str:
        """Return a line of the file as whoever copies it reads it."""
        written = self.file.source.lines[number - 1]
        if not self.pairs:
            return written
        return _WORD.sub(lambda word: _known_as(word[0], self.name(word[0])), written)


def _known_as(written: str, name: str) -> str:
    return written if name == written.upper() else name


def _replaced(name: str, where: str, old: str, new: str) -> str:
    if where == "LEADING":
        return new + name[len(old) :] if name.startswith(old) else name
    if where == "TRAILING":
        return name[: len(name) - len(old)] + new if name.endswith(old) else name
    if ":" in old:
        return name.replace(old, new)
    return new if name == old else name


class Copybooks:
    """The files of an estate by the name that a COPY, or a job, has for them."""

    def __init__(self, files: Iterable[PlannedFile], search_paths: Sequence[str] = ()) -> None:
        """Take *search_paths*, globs of folders below the root, the most wanted first."""
        self._files = {file.source.file: file for file in files}
        self._search_paths = tuple(search_paths)
        self._known_options: dict[str, _Options] = {}
        self._members: dict[str, list[str]] = defaultdict(list)
        for path in self._files:
            self._members[PurePosixPath(path).stem.upper()].append(path)

    def copied(self, fact: Fact, user: PlannedFile) -> tuple[str, ...]:
        """Return the files that the COPY of *fact* in *user* means."""
        libraries, _ = self._options(user)
        return self.named(fact.object, user, libraries.get((fact.line, fact.object), ""))

    def named(self, name: str, user: PlannedFile, library: str = "") -> tuple[str, ...]:
        """Return the files that *name* stands for in *user*, none where there is none."""
        found = self._members.get(name.upper(), ())
        found = found or self._members.get(PurePosixPath(name).stem.upper(), ())
        narrowings: list[Callable[[str], bool]] = [
            lambda path: self._files[path].language == user.language,
            lambda path: PurePosixPath(path).parent.name.upper() == library.upper() != "",
            *(
                lambda path, want=want: fnmatchcase(_folder(path), want)
                for want in self._search_paths
            ),
            lambda path: _folder(path) == _folder(user.source.file),
        ]
        for is_wanted in narrowings:
            if len(found) < 2:
                break
            found = [path for path in found if is_wanted(path)] or found
        return tuple(found)

    def brought(self, file: PlannedFile) -> list[Brought]:
        """Return *file* and what it copies, directly and over other copybooks, each way once."""
        found: dict[tuple[str, Pairs], Brought] = {}
        waiting = [(Brought(file), 0)]
        while waiting:
            one, depth = waiting.pop()
            key = (one.file.source.file, one.pairs)
            if key not in found and depth <= _DEEPEST and len(found) < _MOST:
                found[key] = one
                waiting += [(other, depth + 1) for other in self._copied(one)]
        return list(found.values())

    def _copied(self, one: Brought) -> Iterator[Brought]:
        _, pairs = self._options(one.file)
        for fact in one.file.reading.facts:
            if fact.kind in COPIES:
                own = (*pairs.get((fact.line, fact.object), ()), *one.pairs)
                for path in self.copied(fact, one.file):
                    yield Brought(self._files[path], own)

    def _options(self, file: PlannedFile) -> "_Options":
        """Return what the file's COPYs say besides a name."""
        path = file.source.file
        if path not in self._known_options:
            self._known_options[path] = _options(file.reading.facts)
        return self._known_options[path]


_Options = tuple[Mapping[tuple[int, str], str], Mapping[tuple[int, str], Pairs]]


def _options(facts: Iterable[Fact]) -> _Options:
    """Return the library and the replaced names of each COPY, by its line and name."""
    libraries: dict[tuple[int, str], str] = {}
    pairs: dict[tuple[int, str], Pairs] = {}
    for fact in facts:
        key = (fact.line, fact.subject)
        if fact.kind == "copy-library":
            libraries[key] = fact.object
        elif fact.kind == "copy-replacing" and (match := _PAIR.fullmatch(fact.object)):
            pairs[key] = (*pairs.get(key, ()), (match[1] or "", match[2].upper(), match[3].upper()))
    return libraries, pairs


def _folder(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()
