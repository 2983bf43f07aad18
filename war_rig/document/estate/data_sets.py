"""In which data sets the files of programs are: what jobs, procedures and CICS say.

A job may give the steps of a procedure other DD statements, other symbols, and
other programs to run. So a procedure that is called is taken call by call; only
one that nobody calls is taken as it stands.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from war_rig.document.estate.copybooks import Copybooks
from war_rig.document.estate.steps import Dd, Step, Steps
from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact
from war_rig.readers.jcl_references import is_reference
from war_rig.readers.jcl_symbols import Values

_Names = dict[str, None]

_STATUSES = {"": "creates", "NEW": "creates", "MOD": "adds to"}
_LIBRARIES = ("STEPLIB", "JOBLIB", "JOBCAT", "STEPCAT")


@dataclass(slots=True)
class DataSets:
    """Data sets by program and DD, and by the file's name in CICS, these in upper case.

    called: the programs that a job names to a procedure, by the fact of the call.
    """

    of_programs: dict[tuple[str, str], _Names] = field(default_factory=lambda: defaultdict(dict))
    of_cics: dict[str, _Names] = field(default_factory=lambda: defaultdict(dict))
    called: dict[Fact, _Names] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, files: Mapping[str, PlannedFile], copybooks: Copybooks) -> "DataSets":
        """Return what *files* say."""
        found = cls()
        steps = {path: Steps(file) for path, file in files.items()}
        taken: set[int] = set()
        for path, own in steps.items():
            for call in own.calls:
                procedures = copybooks.procedure(call.exec.object, files[path])
                for other in procedures:
                    is_own = other == path
                    inner = own.of(call.exec.object) if is_own else steps[other].found
                    symbols = None if is_own else own.symbols_for(call, steps[other])
                    found._take_call(call, inner, symbols)
                    taken.update(map(id, inner))
                if not procedures:
                    found._take_unknown(call)
        for step in (step for own in steps.values() for step in own.found):
            if not (step.is_call or id(step) in taken):
                found._take([*step.program.values(), *_runs(step.dds)], step.dds)
        found._take_cics(fact for file in files.values() for fact in file.reading.facts)
        return found

    def _take(
        self, programs: Iterable[str], dds: Iterable[Dd], symbols: Values | None = None
    ) -> None:
        for program, dd in product(programs, dds):
            values = dd.data_set.values(symbols) if dd.data_set else ()
            known = dict.fromkeys(name for name in values if not is_reference(name))
            if known:
                self.of_programs[program.upper(), dd.name].update(known)

    def _take_call(self, call: Step, steps: Iterable[Step], symbols: Values | None) -> None:
        """Take the *steps* of a procedure with what *call* gives them; it may leave out a name."""
        for number, step in enumerate(steps):
            names = (step.name, "") if number == 0 else (step.name,)
            programs = [] if step.is_call else step.program.values(symbols)
            given = call.dds_of(*names)
            replaced = {dd.name for dd in given if dd.is_replacing}
            own = [dd for dd in step.dds if dd.name not in replaced]
            runs = _runs([*given, *own])
            if symbols is not None or any(dd.is_replacing for dd in call.dds):
                own = [dd for dd in own if not _is_referring(dd)]  # either may change to what
            self._take([*programs, *runs], given)
            self._take([*programs, *runs], own, symbols)
            if symbols is not None and "&" in step.program.written:
                named = (program for program in programs if "&" not in program)
                self.called[call.exec].update(dict.fromkeys(named))

    def _take_unknown(self, call: Step) -> None:
        """Take what *call* gives the steps of a procedure that is not there."""
        for name in call.steps:
            dds = call.dds_of(name)
            self._take(_runs(dds), dds)

    def _take_cics(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if fact.kind == "csd-file" and fact.object:
                self.of_cics[fact.subject.upper()][fact.object] = None


def _runs(dds: Iterable[Dd]) -> list[str]:
    """Return what is run as *dds* say."""
    return [program for dd in dds for program in dd.runs]


def _is_referring(dd: Dd) -> bool:
    return dd.text is not None and is_reference(dd.text.written)


def named_by_jobs(facts: Sequence[Fact]) -> Iterator[tuple[str, Fact]]:
    """Yield the data sets that the DD statements among *facts* name, each with what is done to it.

    Libraries of programs and dummies are left out. A reference back that can't be told is as it is
    written.
    """
    dds = sorted(fact.line for fact in facts if fact.kind == "dd")

    def statement(fact: Fact) -> tuple[str, int]:
        """Return the DD statement that *fact*, an operand of it, stands in."""
        behind = bisect_right(dds, fact.line)
        return fact.subject, dds[behind - 1] if behind else 0

    dispositions = {statement(fact): fact.object for fact in facts if fact.kind == "disp"}
    dummies = {statement(fact) for fact in facts if fact.kind == "dummy"}
    resolved = {(f.subject, f.line) for f in facts if f.kind == "dsn-resolved"}
    for fact in facts:
        is_given = fact.kind == "dsn" and (fact.subject, fact.line) not in resolved
        is_final = (is_given or fact.kind == "dsn-resolved") and statement(fact) not in dummies
        if is_final and fact.subject.rpartition(".")[2] not in _LIBRARIES:
            for verb in _done(dispositions.get(statement(fact), "SHR")):
                yield verb, fact


def _done(disposition: str) -> tuple[str, ...]:
    """Return what a step does to a data set of that *disposition*, where it ends well.

    One that the step would add to and delete is not there behind it, if it ever was.
    """
    status, end = (*disposition.upper().strip("()").split(","), "")[:2]
    verb = _STATUSES.get(status, "uses")
    if end != "DELETE":
        return (verb,)
    return ("deletes",) if status == "MOD" else (verb, "deletes")
