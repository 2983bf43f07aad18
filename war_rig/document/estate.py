"""What holds files together: who calls, copies, runs, reads and writes whom.

Code states all of it, from the readers' facts. A target that the source names
by a data item is found by following the literals that are moved there; that
finds too much rather than too little, so such a target "may be".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from war_rig.document.copybooks import COPIES, Copybooks
from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact

_CALLS = {"call": "calls", "link": "links to", "xctl": "transfers to"}
_RUNS = {
    "exec": "runs", "exec-resolved": "runs", "runs": "runs", "exec-proc": "runs procedure",
    "transaction": "starts",
}  # fmt: skip
_TABLES = {
    "select": "selects from", "insert": "inserts into", "update": "updates",
    "delete": "deletes from", "merge": "merges into", "lock": "locks", "truncate": "truncates",
    "declare-table": "declares",
}  # fmt: skip
_DISPOSITIONS = {"NEW": "creates", "MOD": "adds to"}
_LIBRARIES = ("STEPLIB", "JOBLIB", "JOBCAT", "STEPCAT")
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Relation:
    """One file's relation to a name: a program, copybook, table or data set.

    files: those of the estate that the name stands for, none where it is
    missing. is_certain: False where the target "may be" this one. started_by:
    the transaction, where one starts a program.
    """

    verb: str
    file: str
    line: int
    name: str
    files: tuple[str, ...] = ()
    is_certain: bool = True
    started_by: str = ""


@dataclass(frozen=True, slots=True)
class Estate:
    """All relations of a source tree, by the file that they start from and the one they lead to."""

    relations: tuple[Relation, ...]
    outgoing: Mapping[str, tuple[Relation, ...]]
    incoming: Mapping[str, tuple[Relation, ...]]
    missing: tuple[Relation, ...]
    data: tuple[Relation, ...]
    copybooks: Copybooks

    @classmethod
    def of(cls, files: Sequence[PlannedFile], copybook_paths: Sequence[str] = ()) -> "Estate":
        """Return the relations among *files*; COPY is resolved along *copybook_paths* first."""
        names = _Names.of(files, Copybooks(files, copybook_paths))
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
        data = tuple(relation for relation in found if relation.verb not in LEADS_ON | {"copies"})
        return cls(found, _frozen(outgoing), _frozen(incoming), missing, data, names.copybooks)


def _is_missing(relation: Relation) -> bool:
    """Return whether a file should be there: not for a table, nor for a name with a symbol."""
    is_wanted = relation.is_certain and relation.verb in _NEEDS_A_FILE
    return is_wanted and not relation.files and "&" not in relation.name


LEADS_ON = frozenset([*_CALLS.values(), *_RUNS.values()])
"""The verbs with which control goes to a program or a procedure."""
_NEEDS_A_FILE = LEADS_ON | {"copies"}


def _frozen(by_file: Mapping[str, list[Relation]]) -> dict[str, tuple[Relation, ...]]:
    return {file: tuple(relations) for file, relations in by_file.items()}


@dataclass(slots=True)
class _Names:
    """Which file a name stands for. All names are compared in upper case."""

    copybooks: Copybooks
    files: dict[str, PlannedFile] = field(default_factory=dict)
    programs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    data_sets: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, files: Iterable[PlannedFile], copybooks: Copybooks) -> "_Names":
        names = cls(copybooks)
        for file in files:
            names._take(file)
        return names

    def _take(self, file: PlannedFile) -> None:
        path = file.source.file
        self.files[path] = file
        program = None
        resolved = {f.line for f in file.reading.facts if f.kind == "dsn-resolved"}
        for fact in file.reading.facts:
            if fact.kind in ("program", "entry"):
                self.programs[fact.object.upper()].append(path)
            elif fact.kind == "table":
                self.tables[fact.object.upper()].append(path)
            elif fact.kind in _RUNS and fact.kind != "exec-proc":
                program = fact.object.upper()
            elif fact.kind == "dsn" and fact.line in resolved:
                continue  # with symbols in it; its other fact has their values
            elif fact.kind in ("dsn", "dsn-resolved") and program is not None:
                self.data_sets[program, fact.subject.upper()].add(fact.object)


def _related(file: PlannedFile, names: _Names) -> Iterator[Relation]:
    literals = _Literals(file, names)
    programs = [f.object.upper() for f in file.reading.facts if f.kind == "program"]
    # "delete" is a verb of files, too
    own_files = {f.object.upper() for f in file.reading.facts if f.kind in ("fd", "open")}
    for fact in file.reading.facts:
        yield from _called(fact, file, names, literals)
        if fact.kind in COPIES:
            yield _relation("copies", fact, names.copybooks.copied(fact, file))
        elif fact.kind == "exec-proc":
            yield _relation(_RUNS[fact.kind], fact, names.copybooks.named(fact.object, file))
        elif fact.kind in _RUNS:
            yield _relation(_RUNS[fact.kind], fact, names.programs.get(fact.object.upper(), ()))
        elif fact.kind in _TABLES and fact.object.upper() not in own_files:
            yield _relation(_TABLES[fact.kind], fact, names.tables.get(fact.object.upper(), ()))
        elif fact.kind == "assign":
            yield from _data_sets(fact, programs, names)
    yield from _named_by_jobs(file)


def _called(
    fact: Fact, file: PlannedFile, names: _Names, literals: "_Literals"
) -> Iterator[Relation]:
    verb = _CALLS.get(fact.kind.removesuffix("-name"))
    if verb is None:
        return
    if not fact.kind.endswith("-name"):
        yield _relation(verb, fact, names.programs.get(fact.object.upper(), ()))
        return
    found = sorted(literals.of(fact.object))
    for literal in found:
        targets = tuple(names.programs.get(literal.upper(), ()))
        yield Relation(verb, file.source.file, fact.line, literal, targets, is_certain=False)
    if not found:
        yield Relation(verb, file.source.file, fact.line, fact.object, is_certain=False)


def _relation(verb: str, fact: Fact, targets: Iterable[str]) -> Relation:
    started_by = fact.subject if fact.kind == "transaction" else ""
    files = tuple(dict.fromkeys(targets))
    return Relation(verb, fact.file, fact.line, fact.object, files, started_by=started_by)


def _data_sets(fact: Fact, programs: Iterable[str], names: _Names) -> Iterator[Relation]:
    """Yield the data sets that jobs give to the external name of a SELECT ... ASSIGN."""
    external = fact.object.upper().rsplit("-", 1)[-1]
    for program in programs:
        for data_set in sorted(names.data_sets.get((program, external), ())):
            yield Relation(f"has {fact.subject} in", fact.file, fact.line, data_set)


def _named_by_jobs(file: PlannedFile) -> Iterator[Relation]:
    """Yield the data sets that a job's DD statements name, by their disposition."""
    facts = file.reading.facts
    dispositions = {
        (f.subject, f.line): f.object.lstrip("(")[:3] for f in facts if f.kind == "disp"
    }
    resolved = {(f.subject, f.line) for f in facts if f.kind == "dsn-resolved"}
    for fact in facts:
        key = (fact.subject, fact.line)
        is_final = fact.kind == "dsn-resolved" or (fact.kind == "dsn" and key not in resolved)
        if is_final and fact.subject.rpartition(".")[2] not in _LIBRARIES:
            verb = _DISPOSITIONS.get(dispositions.get(key, ""), "uses")
            yield Relation(verb, fact.file, fact.line, fact.object)


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
        for brought in self._names.copybooks.brought(self._file):
            for fact in brought.file.reading.facts:
                if fact.kind in ("value", "move") and _may_be_a_name(fact.object):
                    given[brought.name(fact.subject)].add(fact.object.strip("'\" "))
                elif fact.kind == "move-name":
                    self._moved[brought.name(fact.subject)].add(brought.name(fact.object))
        self._given = given


def _may_be_a_name(literal: str) -> bool:
    bare = literal.strip("'\" ")
    return 0 < len(bare) <= 8 and bare[0].isalpha() and bare.replace("-", "").isalnum()
