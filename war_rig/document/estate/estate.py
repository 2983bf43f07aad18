"""What holds files together: who calls, copies, runs, reads and writes whom.

Code states all of it, from the readers' facts. A target that the source names
by a data item is found by following the literals that are moved there; which
of them it is at a time is not known, so such a target "may be".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from war_rig.document.estate.copybooks import COPIES, Copybooks
from war_rig.document.estate.data_names import Literals
from war_rig.document.estate.data_sets import DataSets, named_by_jobs
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Fact, Unit
from war_rig.readers.jcl_references import is_reference

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
_CHANGES = {
    "read": "reads", "browse": "browses", "write": "writes", "rewrite": "updates",
    "delete": "deletes from",
}  # fmt: skip
_OF_FILES = frozenset([*_CHANGES, *_TABLES, "assign"])
"""The kinds of facts in which a name may be one of a file that the program declares."""
STARTS = frozenset(_RUNS.values())
"""The verbs with which a job, a procedure or a transaction starts something."""
LEADS_ON = frozenset([*_CALLS.values(), *STARTS])
"""The verbs with which control goes to a program or a procedure."""
_NEEDS_A_FILE = LEADS_ON | {"copies"}


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

    @property
    def is_missing(self) -> bool:
        """Return whether a file should be there: not for a table, nor a name with a symbol."""
        is_wanted = self.is_certain and self.verb in _NEEDS_A_FILE
        return is_wanted and not self.files and "&" not in self.name


@dataclass(frozen=True, slots=True)
class Lead(Relation):
    """A relation to what can't be told: its name is that of a data item, or a reference back."""


@dataclass(frozen=True, slots=True)
class Estate:
    """All relations of a source tree, by the file that they start from and the one they lead to."""

    relations: tuple[Relation, ...]
    outgoing: Mapping[str, tuple[Relation, ...]]
    incoming: Mapping[str, tuple[Relation, ...]]
    missing: tuple[Relation, ...]
    data: tuple[Relation, ...]
    copybooks: Copybooks
    wholes: Mapping[str, Wholes]

    @classmethod
    def of(cls, files: Sequence[PlannedFile], copybook_paths: Sequence[str] = ()) -> "Estate":
        """Return the relations among *files*; COPY is resolved along *copybook_paths* first."""
        wholes = {file.source.file: Wholes(file) for file in files}
        names = _Names.of({file.source.file: file for file in files}, wholes, copybook_paths)
        found = tuple(
            dict.fromkeys(r for file in files for r in _related(file, names) if r.name.strip())
        )
        outgoing: dict[str, list[Relation]] = defaultdict(list)
        incoming: dict[str, list[Relation]] = defaultdict(list)
        for relation in found:
            outgoing[relation.file].append(relation)
            for target in relation.files:
                incoming[target].append(relation)
        missing = tuple(relation for relation in found if relation.is_missing)
        known = (relation for relation in found if not isinstance(relation, Lead))
        data = tuple(relation for relation in known if relation.verb not in _NEEDS_A_FILE)
        leading = _frozen(outgoing), _frozen(incoming)
        return cls(found, *leading, missing, data, names.copybooks, wholes)

    def whole_of(self, relation: Relation) -> Unit:
        """Return the whole that *relation* starts from."""
        return self.wholes[relation.file].at(relation.line)

    def target(self, relation: Relation, file: str) -> Unit:
        """Return the whole of *file* that *relation* leads to."""
        line = relation.line if relation.file == file else 0
        return self.wholes[file].named(relation.name, line)


def _frozen(by_file: Mapping[str, list[Relation]]) -> dict[str, tuple[Relation, ...]]:
    return {file: tuple(relations) for file, relations in by_file.items()}


@dataclass(slots=True)
class _Names:
    """Which files a name stands for. All names are compared in upper case.

    contained: by programs that another one contains, so that only those beside it see them.
    """

    wholes: Mapping[str, Wholes]
    copybooks: Copybooks
    data_sets: DataSets
    programs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contained: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(
        cls,
        files: Mapping[str, PlannedFile],
        wholes: Mapping[str, Wholes],
        copybook_paths: Sequence[str],
    ) -> "_Names":
        copybooks = Copybooks(files.values(), wholes, copybook_paths)
        names = cls(wholes, copybooks, DataSets.of(files, copybooks))
        for fact in (fact for file in files.values() for fact in file.reading.facts):
            if fact.kind in ("program", "entry"):
                own = wholes[fact.file]
                is_contained = own.is_contained(own.at(fact.line))
                known = names.contained if is_contained else names.programs
                known[fact.object.upper()].append(fact.file)
            elif fact.kind == "table":
                names.tables[fact.object.upper()].append(fact.file)
        return names

    def running(self, program: str, user: str) -> Sequence[str]:
        """Return the files of *program* as the file *user* sees it."""
        contained = self.contained.get(program.upper(), ())
        if user in contained:
            return (user,)
        known = self.programs.get(program.upper()) or contained
        return known or self.copybooks.read_as_text(program)


def _related(file: PlannedFile, names: _Names) -> Iterator[Relation]:
    wholes = names.wholes[file.source.file]
    literals = Literals(file, names.copybooks, wholes)
    copied = names.copybooks.copied(file)
    resolved = {fact.line for fact in file.reading.facts if fact.kind == "exec-resolved"}
    programs, own_files = _seen(file, wholes, "program"), _seen(file, wholes, "fd", "open")
    for fact in file.reading.facts:
        around = wholes.around(wholes.at(fact.line)) if fact.kind in _OF_FILES else ()
        # "delete" is a verb of files, too
        is_file = any(fact.object.upper() in own_files[whole] for whole in around)
        changed = [] if is_file else _changed(fact, names, literals)
        yield from changed
        yield from _called(fact, names, literals)
        if fact.kind in COPIES:
            targets = copied.get(fact) or names.copybooks.screens(fact.object)
            yield _relation("copies", fact, targets)
        elif fact.kind == "exec-proc":
            yield _relation("runs procedure", fact, names.copybooks.procedure(fact.object, file))
            for program in names.data_sets.called.get(fact, ()):
                targets = _once(names.running(program, fact.file))
                yield Relation("runs", fact.file, fact.line, program, targets)
        elif fact.kind == "exec" and fact.line in resolved:
            continue  # what its symbol or reference stands for is told
        elif fact.kind == "exec" and is_reference(fact.object):
            yield Lead("runs", fact.file, fact.line, fact.object, is_certain=False)
        elif fact.kind in _RUNS:
            yield _relation(_RUNS[fact.kind], fact, names.running(fact.object, fact.file))
        elif fact.kind in _TABLES and not (is_file or changed):
            yield _relation(_TABLES[fact.kind], fact, names.tables.get(fact.object.upper(), ()))
        elif fact.kind == "assign":
            yield from _data_sets(fact, programs[around[-1]], names)
    for verb, fact in named_by_jobs(file.reading.facts):
        is_known = not is_reference(fact.object)
        kind = Relation if is_known else Lead
        yield kind(verb, fact.file, fact.line, fact.object, is_certain=is_known)


def _seen(file: PlannedFile, wholes: Wholes, *kinds: str) -> dict[Unit, dict[str, None]]:
    """Return what the facts of *kinds* name, in upper case, by the whole that they stand in."""
    found: dict[Unit, dict[str, None]] = {whole: {} for whole in wholes.all}
    for fact in file.reading.facts:
        if fact.kind in kinds:
            found[wholes.at(fact.line)][fact.object.upper()] = None
    return found


def _called(fact: Fact, names: _Names, literals: Literals) -> Iterator[Relation]:
    verb = _CALLS.get(fact.kind.removesuffix("-name"))
    if verb is None:
        return
    if not fact.kind.endswith("-name"):
        yield _relation(verb, fact, names.running(fact.object, fact.file))
        return
    known = literals.of(fact.object, fact.line)
    for name in known:
        targets = _once(names.running(name, fact.file))
        yield Relation(verb, fact.file, fact.line, name, targets, is_certain=False)
    if not known:
        yield Lead(verb, fact.file, fact.line, fact.object, is_certain=False)


def _changed(fact: Fact, names: _Names, literals: Literals) -> list[Relation]:
    """Return the data sets of the file that CICS reads or changes for a program.

    Its name may be in a data item; it is one of CICS where a CSD defines it.
    """
    verb, files = _CHANGES.get(fact.kind), names.data_sets.of_cics
    if verb is None or not files:
        return []
    held = [name.upper() for name in literals.of(fact.object, fact.line) if name.upper() in files]
    found = dict.fromkeys(
        data_set for name in held or [fact.object.upper()] for data_set in files.get(name, ())
    )
    is_certain = not held and len(found) == 1
    return [Relation(verb, fact.file, fact.line, d, is_certain=is_certain) for d in found]


def _relation(verb: str, fact: Fact, targets: Iterable[str]) -> Relation:
    started_by = fact.subject if fact.kind == "transaction" else ""
    return Relation(verb, fact.file, fact.line, fact.object, _once(targets), started_by=started_by)


def _once(files: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(files))


def _data_sets(fact: Fact, programs: Iterable[str], names: _Names) -> Iterator[Relation]:
    """Yield the data sets that jobs give to the external name of a SELECT ... ASSIGN."""
    external = fact.object.upper().rsplit("-", 1)[-1]
    for program in programs:
        for data_set in sorted(names.data_sets.of_programs.get((program, external), ())):
            yield Relation(f"has {fact.subject} in", fact.file, fact.line, data_set)
