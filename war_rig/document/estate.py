"""What holds files together: who calls, copies, runs, reads and writes whom.

Code states all of it, from the readers' facts. A target that the source names
by a data item is found by following the literals that are moved there; that
finds too much rather than too little, so such a target "may be".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact

_CALLS = {"call": "calls", "link": "links to", "xctl": "transfers to"}
_RUNS = {"exec": "runs", "exec-resolved": "runs", "runs": "runs", "exec-proc": "runs procedure"}
_TABLES = ("select", "insert", "update", "delete", "merge", "lock", "truncate", "declare-table")
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Relation:
    """One file's relation to a name: a program, copybook, table or data set.

    files: those of the estate that the name stands for, none where it is
    missing. is_certain: False where the target "may be" this one.
    """

    verb: str
    file: str
    line: int
    name: str
    files: tuple[str, ...] = ()
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Estate:
    """All relations of a source tree, by the file that they start from and the one they lead to."""

    relations: tuple[Relation, ...]
    outgoing: Mapping[str, tuple[Relation, ...]]
    incoming: Mapping[str, tuple[Relation, ...]]
    missing: tuple[Relation, ...]

    @classmethod
    def of(cls, files: Iterable[PlannedFile]) -> "Estate":
        """Return the relations among *files*."""
        names = _Names.of(files)
        found = tuple(
            dict.fromkeys(r for file in names.files.values() for r in _related(file, names))
        )
        outgoing: dict[str, list[Relation]] = defaultdict(list)
        incoming: dict[str, list[Relation]] = defaultdict(list)
        for relation in found:
            outgoing[relation.file].append(relation)
            for target in relation.files:
                incoming[target].append(relation)
        missing = tuple(relation for relation in found if _is_missing(relation))
        return cls(found, _frozen(outgoing), _frozen(incoming), missing)


def _is_missing(relation: Relation) -> bool:
    """Return whether a file should be there: not for a table, nor for a name with a symbol."""
    is_wanted = relation.is_certain and relation.verb in _NEEDS_A_FILE
    return is_wanted and not relation.files and "&" not in relation.name


_NEEDS_A_FILE = frozenset([*_CALLS.values(), *_RUNS.values(), "copies"])


def _frozen(by_file: Mapping[str, list[Relation]]) -> dict[str, tuple[Relation, ...]]:
    return {file: tuple(relations) for file, relations in by_file.items()}


@dataclass(slots=True)
class _Names:
    """Which file a name stands for. All names are compared in upper case."""

    files: dict[str, PlannedFile] = field(default_factory=dict)
    programs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    members: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    data_sets: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, files: Iterable[PlannedFile]) -> "_Names":
        names = cls()
        for file in files:
            names._take(file)
        return names

    def _take(self, file: PlannedFile) -> None:
        path = file.source.file
        self.files[path] = file
        self.members[PurePosixPath(path).stem.upper()].append(path)
        program = None
        resolved = {f.line for f in file.reading.facts if f.kind == "dsn-resolved"}
        for fact in file.reading.facts:
            if fact.kind in ("program", "entry"):
                self.programs[fact.object.upper()].append(path)
            elif fact.kind in _RUNS and fact.kind != "exec-proc":
                program = fact.object.upper()
            elif fact.kind == "dsn" and fact.line in resolved:
                continue  # with symbols in it; its other fact has their values
            elif fact.kind in ("dsn", "dsn-resolved") and program is not None:
                self.data_sets[program, fact.subject.upper()].add(fact.object)

    def copybooks_of(self, file: PlannedFile, seen: set[str]) -> Iterator[PlannedFile]:
        """Yield *file* and what it copies, directly and over other copybooks."""
        if file.source.file in seen:
            return
        seen.add(file.source.file)
        yield file
        for fact in file.reading.facts:
            if fact.kind in ("copy", "include"):
                for path in self.members.get(fact.object.upper(), ()):
                    yield from self.copybooks_of(self.files[path], seen)


def _related(file: PlannedFile, names: _Names) -> Iterator[Relation]:
    literals = _Literals(file, names)
    programs = [f.object.upper() for f in file.reading.facts if f.kind == "program"]
    # "delete" is a verb of files, too
    own_files = {f.object.upper() for f in file.reading.facts if f.kind in ("fd", "open")}
    for fact in file.reading.facts:
        yield from _called(fact, file, names, literals)
        if fact.kind in ("copy", "include"):
            yield _relation("copies", fact, names.members)
        elif fact.kind in _RUNS:
            targets = names.members if fact.kind == "exec-proc" else names.programs
            yield _relation(_RUNS[fact.kind], fact, targets)
        elif fact.kind in _TABLES and fact.object.upper() not in own_files:
            yield Relation(f"{fact.kind}s", file.source.file, fact.line, fact.object)
        elif fact.kind == "assign":
            yield from _data_sets(fact, programs, names)


def _called(
    fact: Fact, file: PlannedFile, names: _Names, literals: "_Literals"
) -> Iterator[Relation]:
    verb = _CALLS.get(fact.kind.removesuffix("-name"))
    if verb is None:
        return
    if not fact.kind.endswith("-name"):
        yield _relation(verb, fact, names.programs)
        return
    found = sorted(literals.of(fact.object))
    for literal in found:
        targets = tuple(names.programs.get(literal.upper(), ()))
        yield Relation(verb, file.source.file, fact.line, literal, targets, is_certain=False)
    if not found:
        yield Relation(verb, file.source.file, fact.line, fact.object, is_certain=False)


def _relation(verb: str, fact: Fact, known: Mapping[str, list[str]]) -> Relation:
    return Relation(
        verb, fact.file, fact.line, fact.object, tuple(known.get(fact.object.upper(), ()))
    )


def _data_sets(fact: Fact, programs: Iterable[str], names: _Names) -> Iterator[Relation]:
    """Yield the data sets that jobs give to the external name of a SELECT ... ASSIGN."""
    external = fact.object.upper().rsplit("-", 1)[-1]
    for program in programs:
        for data_set in sorted(names.data_sets.get((program, external), ())):
            yield Relation(f"as {fact.subject} uses", fact.file, fact.line, data_set)


class _Literals:
    """What a data item may hold: its VALUE, and the literals that are moved to it."""

    def __init__(self, file: PlannedFile, names: _Names) -> None:
        self._file = file
        self._names = names
        self._given: dict[str, set[str]] | None = None
        self._moved: dict[str, set[str]] = defaultdict(set)

    def of(self, name: str) -> set[str]:
        """Return the literals that may reach *name*, over at most four moves."""
        if self._given is None:
            self._collect()
        return self._follow(name.upper(), _DEEPEST, set())

    def _follow(self, name: str, depth: int, seen: set[str]) -> set[str]:
        if depth == 0 or name in seen:
            return set()
        seen.add(name)
        found = set((self._given or {}).get(name, ()))
        for source in self._moved.get(name, ()):
            found |= self._follow(source, depth - 1, seen)
        return found

    def _collect(self) -> None:
        given: dict[str, set[str]] = defaultdict(set)
        for file in self._names.copybooks_of(self._file, set()):
            for fact in file.reading.facts:
                if fact.kind in ("value", "move") and _may_be_a_name(fact.object):
                    given[fact.subject.upper()].add(fact.object.strip("'\" "))
                elif fact.kind == "move-name":
                    self._moved[fact.subject.upper()].add(fact.object.upper())
        self._given = given


def _may_be_a_name(literal: str) -> bool:
    bare = literal.strip("'\" ")
    return 0 < len(bare) <= 8 and bare[0].isalpha() and bare.replace("-", "").isalnum()
