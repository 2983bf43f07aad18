"""Which file a COPY means, and what it brings, with its REPLACING applied.

Only a file of the user's language is meant, or a member without a suffix that
no reader knows; never a job, never the user itself. These narrow the choice,
each where it leaves one: the language, what is no program, the library of
``COPY ... OF``, the search paths in their order, the user's own folder. What
is left is all meant.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from war_rig.document.estate.replacing import Replacing
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Fact, Unit
from war_rig.readers.cobol_cards import cards
from war_rig.readers.cobol_lines import Token, scan
from war_rig.readers.cobol_moves import Declared
from war_rig.readers.cobol_program import Walk
from war_rig.readers.text import TextReader

COPIES = ("copy", "include")
_PLAIN = TextReader.language
_PLAIN_SUFFIXES = ("", ".copy", ".inc")
_DEEPEST = 8
_MOST = 2_000
_MOST_COPIES = 20_000


@dataclass(frozen=True, slots=True)
class Brought:
    """A file as another one copies it, with its text replaced, by the innermost COPY first.

    is_exact: whether each REPLACING could be applied, so that line() returns
    what the program has. copy: the statement of the user that brings it, over
    others or by itself; owner: the whole of the user that it stands in. Both are None
    for the user's own file.
    """

    file: PlannedFile
    replaced: tuple[Replacing, ...] = ()
    is_exact: bool = True
    copy: Fact | None = None
    owner: Unit | None = None

    def name(self, written: str) -> str:
        """Return a name of the file as whoever copies it knows it, in upper case."""
        name = written.upper()
        for replacing in self.replaced:
            name = replacing.name(name)
        return name

    def line(self, number: int) -> str:
        """Return a line of the file as whoever copies it reads it."""
        line = self.file.source.lines[number - 1]
        for replacing in self.replaced:
            line = replacing.applied(line)
        return line


@dataclass(frozen=True, slots=True)
class _Copy:
    """A COPY, the files that it means, and its REPLACING."""

    fact: Fact
    files: tuple[str, ...]
    replaced: tuple[Replacing, ...]


_Way = tuple[Brought, frozenset[str]]
"""A file that is copied, and the files that are open while it is, itself among them."""


class Copybooks:
    """The files of an estate by the name that a COPY, or a job, has for them."""

    def __init__(
        self,
        files: Collection[PlannedFile],
        wholes: Mapping[str, Wholes],
        search_paths: Sequence[str] = (),
    ) -> None:
        """Take *search_paths*, globs of folders below the root, the most wanted first."""
        self._files = {file.source.file: file for file in files}
        self._wholes = wholes
        self._search_paths = tuple(search_paths)
        self._members: dict[str, list[str]] = defaultdict(list)
        self._copies: dict[str, list[_Copy]] = {}
        self._brought: dict[str, list[Brought]] = {}
        self._exact: dict[tuple[str, tuple[Replacing, ...]], bool] = {}
        self._codes: dict[str, str] = {}
        self._declared: dict[str, Declared] = {}
        self._scanned: tuple[str, Sequence[Token]] = ("", ())
        self._replacings: dict[tuple[str, ...], Replacing] = {}
        for path in self._files:
            self._members[PurePosixPath(path).stem.upper()].append(path)
        facts = [fact for file in files for fact in file.reading.facts]
        self._programs = {fact.file for fact in facts if fact.kind == "program"}
        self._jobs = {fact.file for fact in facts if fact.kind == "job"}
        self._mapsets = [(f.object.upper(), f.file) for f in facts if f.kind == "defines-mapset"]
        self._procedures = {(f.file, f.object.upper()) for f in facts if f.kind == "proc"}

    def copied(self, user: PlannedFile) -> Mapping[Fact, tuple[str, ...]]:
        """Return the files that each COPY in *user* means."""
        return {copy.fact: copy.files for copy in self._copies_of(user)}

    def read_as_text(self, name: str) -> list[str]:
        """Return the files that are called *name*, in a language that no reader knows."""
        return [path for path in self._members.get(name.upper(), ()) if self.is_text(path)]

    def screens(self, name: str) -> tuple[str, ...]:
        """Return the files of the mapset from which BMS generates the copybook *name*."""
        return tuple(
            dict.fromkeys(path for mapset, path in self._mapsets if mapset == name.upper())
        )

    def is_text(self, path: str) -> bool:
        """Return whether the file was read as plain text."""
        return self._files[path].language == _PLAIN

    def procedure(self, name: str, user: PlannedFile) -> tuple[str, ...]:
        """Return the files of the procedure *name*: *user* itself where it holds it in-stream."""
        path = user.source.file
        is_own = path in self._jobs and (path, name.upper()) in self._procedures
        return (path,) if is_own else self._named(name, user)

    def brought(self, file: PlannedFile) -> list[Brought]:
        """Return *file* and what it copies, directly and over other copybooks, each way once."""
        path = file.source.file
        if path not in self._brought:
            self._brought[path] = self._walk(file)
        return self._brought[path]

    def tokens(self, path: str) -> Sequence[Token]:
        """Return the tokens of the file at *path*; only those of the last such file are kept."""
        if self._scanned[0] != path:
            self._scanned = path, scan(self._files[path].source.lines).tokens
        return self._scanned[1]

    def declared(self, path: str) -> Declared:
        """Return what the data items in the file at *path* are, and which conditions it sets."""
        if path not in self._declared:
            tokens = self.tokens(path)
            self._declared[path] = Declared.of(Walk(path, tokens).items, tokens)
        return self._declared[path]

    def unapplied(self, path: str) -> list[Fact]:
        """Return the COPYs in the file at *path* that bring what is not exact."""
        brought = self.brought(self._files[path])
        facts = (one.copy for one in brought if not one.is_exact)
        return sorted(dict.fromkeys(fact for fact in facts if fact), key=lambda fact: fact.line)

    def _walk(self, file: PlannedFile) -> list[Brought]:
        """A file that is open is not entered again; COBOL forbids it, and it need not end."""
        found: dict[tuple[str, tuple[Replacing, ...], Unit | None], Brought] = {}
        waiting: list[_Way] = [(Brought(file), frozenset([file.source.file]))]
        looked_at = 0
        while waiting and len(found) < _MOST:
            one, is_open = waiting.pop()
            key = (one.file.source.file, one.replaced, one.owner)
            if key in found:
                continue
            found[key] = one
            if len(is_open) <= _DEEPEST and looked_at < _MOST_COPIES:
                looked_at += len(self._copies_of(one.file))
                waiting += self._entered(one, is_open)
        return list(found.values())

    def _entered(self, one: Brought, is_open: frozenset[str]) -> Iterator[_Way]:
        for copy in self._copies_of(one.file):
            replaced = (*copy.replaced, *one.replaced)
            owner = one.owner or self._wholes[copy.fact.file].at(copy.fact.line)
            for path in copy.files:
                if path not in is_open:
                    is_exact = self._is_exact(path, replaced)
                    by = one.copy or copy.fact
                    yield (
                        Brought(self._files[path], replaced, is_exact, by, owner),
                        is_open | {path},
                    )

    def _is_exact(self, path: str, replaced: tuple[Replacing, ...]) -> bool:
        key = (path, replaced)
        if key not in self._exact:
            may_fail = any(replacing.may_fail() for replacing in replaced)
            self._exact[key] = not may_fail or _can_apply(replaced, self._uncommented(path))
        return self._exact[key]

    def _uncommented(self, path: str) -> str:
        if path not in self._codes:
            found = cards(self._files[path].source.lines)
            self._codes[path] = "\n".join(card.text for card in found if card.kind != "comment")
        return self._codes[path]

    def _copies_of(self, file: PlannedFile) -> list[_Copy]:
        path = file.source.file
        if path not in self._copies:
            self._copies[path] = list(self._read_copies(file))
        return self._copies[path]

    def _read_copies(self, file: PlannedFile) -> Iterator[_Copy]:
        libraries: dict[tuple[int, str], str] = {}
        pairs: dict[tuple[int, str], list[str]] = defaultdict(list)
        for fact in file.reading.facts:
            if fact.kind == "copy-library":
                libraries[fact.line, fact.subject] = fact.object
            elif fact.kind == "copy-replacing":
                pairs[fact.line, fact.subject].append(fact.object)
        for fact in file.reading.facts:
            if fact.kind in COPIES and fact.object:
                key = (fact.line, fact.object)
                found = self._named(fact.object, file, libraries.get(key, ""))
                yield _Copy(fact, found, self._replacing(pairs.get(key, [])))

    def _replacing(self, pairs: Sequence[str]) -> tuple[Replacing, ...]:
        """Return one REPLACING for all COPYs with the same pairs, none without pairs."""
        key = tuple(pairs)
        if key and key not in self._replacings:
            self._replacings[key] = Replacing(key)
        return (self._replacings[key],) if key else ()

    def _named(self, name: str, user: PlannedFile, library: str = "") -> tuple[str, ...]:
        """Return the files that *name* stands for in *user*, none where there is none."""
        members = self._members.get(name.upper(), ())
        members = members or self._members.get(PurePosixPath(name).stem.upper(), ())
        found = [path for path in members if self._may_be_meant(path, user)]
        narrowings: list[Callable[[str], bool]] = [
            lambda path: self._files[path].language == user.language,
            lambda path: path not in self._programs,
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

    def _may_be_meant(self, path: str, user: PlannedFile) -> bool:
        if path == user.source.file or path in self._jobs:
            return False
        language, suffix = self._files[path].language, PurePosixPath(path).suffix.lower()
        return language == user.language or (language == _PLAIN and suffix in _PLAIN_SUFFIXES)


def _can_apply(replaced: Iterable[Replacing], code: str) -> bool:
    """Return whether all of *replaced* can be applied to *code*, one line at a time."""
    for replacing in replaced:
        if not replacing.can_apply(code):
            return False
        code = replacing.applied(code)
    return True


def _folder(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()
