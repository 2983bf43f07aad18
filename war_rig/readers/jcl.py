"""The JCL reader: jobs and procedures, their steps, programs and data sets."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from war_rig.readers.comments import telling
from war_rig.readers.jcl_lines import LAST_COLUMN, SILENT, Operand, Scanner, Statement, bare
from war_rig.readers.jcl_references import DataSetNames, is_reference, member_of
from war_rig.readers.jcl_segments import Segments
from war_rig.readers.jcl_symbols import Symbols, has_symbol
from war_rig.readers.source import Fact, Problem, Reading, Source

_HEAD = re.compile(r"//[A-Z@#$][\w@#$]*\s+(?:JOB|PROC|EXEC)(?:\s|$)", re.IGNORECASE)
_RUN = re.compile(  # other operands of RUN may stand before PROGRAM; - and + continue a line
    r"\bRUN[\s+-]++(?:(?!PROG)\w++(?:\s*+\([^()\n]*+\))?[\s+-]++){0,6}+"
    r"PROG(?:RAM)?\s*+\(\s*+([^\s()]+)\s*+\)",
    re.IGNORECASE,
)
_TERMINALS = frozenset(("IKJEFT01", "IKJEFT1A", "IKJEFT1B"))
_IMS_REGION = "DFSRRC00"
_IMS_WITH_PSB = frozenset(("BMP", "DLI", "DBB"))
_IMS_RUNS = _IMS_WITH_PSB | {"ULU", "UDR"}  # whose PARM names a program, then a DBD
_DUMMIES = frozenset(("DUMMY", "DYNAM"))
_NO_DATA_SET = _DUMMIES | {"SYSOUT", "PATH", "SUBSYS"}
_REMARK = re.compile(r"/\*.*?(?:\*/|$)")
_DEEPEST_NESTING = 15  # of IF, by the JCL Reference


class JclReader:
    """Reads jobs, procedures and INCLUDE members; a unit is a head or a step."""

    language = "JCL"

    def reads(self, source: Source) -> bool:
        """Return whether the suffix or the first line with text is that of JCL."""
        if PurePosixPath(source.file).suffix.lower() in (".jcl", ".prc", ".proc"):
            return True
        first = next((line for line in source.lines if line.strip()), "")
        return _HEAD.match(first) is not None

    def read(self, source: Source) -> Reading:
        """Return heads and steps as units; a long one is cut, and its first piece is the part."""
        scanner = Scanner(source.lines)
        job = _Job(source, scanner.problems)
        for statement in scanner.statements():
            job.take(statement)
        return job.reading(scanner.comments)


def _hides(statement: Statement) -> bool:
    """Return whether a DD, which names no data set, takes away the one that it overrides."""
    given = {operand.keyword or operand.value.upper() for operand in statement.operands}
    is_override = "." in statement.name
    return not is_override or statement.data is not None or not _NO_DATA_SET.isdisjoint(given)


def _is_dummy(operand: Operand) -> bool:
    """Return whether *operand* of a DD says that there is no data set, whatever it is called."""
    names = ("NULLFILE",) if operand.keyword in ("DSN", "DSNAME") else _DUMMIES
    return operand.keyword in ("", "DSN", "DSNAME") and operand.value.upper() in names


class _Job:
    """Makes units and facts of statements."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self._source, self._problems = source, problems
        self._facts: list[Fact] = []
        self._segments = Segments(source)
        self._conditions: list[tuple[int, str]] = []
        self._job = self._member = PurePosixPath(source.file).stem.upper()
        self._name = self._step = self._dd = self._program = ""
        self._is_after_procedure = False
        self._in_stream = 0  # the line on which an in-stream procedure began, if one is open
        self._symbols = Symbols()
        self._data_sets = DataSetNames()
        self._takers: dict[str, Callable[[Statement], None]] = {
            "JOB": self._take_job,
            "PROC": self._take_proc,
            "PEND": self._take_pend,
            "EXEC": self._take_exec,
            "DD": self._take_dd,
            "SET": self._take_set,
            "INCLUDE": self._take_include,
            "JCLLIB": self._take_jcllib,
            "IF": self._take_if,
            "ELSE": self._take_else,
            "ENDIF": self._take_endif,
        }

    def take(self, statement: Statement) -> None:
        operation = statement.operation
        self._segments.take(statement.above)
        if self._is_after_procedure and operation not in ("JOB", "PROC", "EXEC"):
            self._open("job", self._job, statement.above)
        if operation in self._takers:
            self._takers[operation](statement)
        elif not operation:
            self._problem(statement.line, "a name without an operation")
        elif not SILENT.fullmatch(operation):
            self._problem(statement.line, f"the operation {operation} is not known")

    def reading(self, comments: Iterable[tuple[int, str]]) -> Reading:
        self._close()
        self._segments.cover("job", self._member)
        for line, text in telling(comments):
            self._fact("comment", self._segments.name_at(line), text, line)
        facts = sorted(dict.fromkeys(self._facts), key=lambda fact: fact.line)
        pieces = list(self._segments.units())
        return Reading(
            tuple(unit for units in pieces for unit in units),
            tuple(facts),
            tuple(units[0] for units in pieces if units),
            tuple(sorted(self._problems, key=lambda problem: problem.line)),
        )

    def _close(self) -> None:
        """End the job; what it left open is a problem, save a procedure that is the file."""
        for line, _ in self._conditions:
            self._problem(line, "IF without ENDIF")
        if self._in_stream:
            self._problem(self._in_stream, "PROC without PEND")
        self._conditions, self._in_stream = [], 0

    def _open(self, kind: str, name: str, first: int) -> None:
        self._segments.begin(kind, name, first)
        self._is_after_procedure = False

    def _head(self, kind: str, name: str, statement: Statement) -> None:
        """Begin a job or procedure; the first one has the lines above it, too."""
        self._open(kind, name, statement.above if self._segments.are_begun else 1)
        self._step = self._dd = self._program = ""
        if statement.name:
            self._fact(statement.operation.lower(), name, name, statement.line)

    @property
    def _subject(self) -> str:
        return self._step or self._name or self._job

    def _problem(self, line: int, text: str) -> None:
        self._problems.append(Problem(line, text))

    def _fact(self, kind: str, subject: str, about: str, line: int) -> None:
        self._facts.append(Fact(kind, subject, about, self._source.file, line))

    def _take_job(self, statement: Statement) -> None:
        self._close()
        self._job, self._name = statement.name or self._member, ""
        self._symbols, self._data_sets = Symbols(), DataSetNames()
        self._head("job", self._job, statement)
        self._conditions_of(self._job, statement)

    def _take_proc(self, statement: Statement) -> None:
        self._name = statement.name or self._member
        self._in_stream = statement.line if self._segments.are_begun else 0
        self._head("procedure" if self._in_stream else "job", self._name, statement)
        defaults = [operand for operand in statement.operands if operand.keyword]
        self._symbols.begin(self._name, defaults)
        for operand in defaults:
            self._fact("set", operand.keyword, bare(operand.value), operand.line)

    def _take_pend(self, statement: Statement) -> None:
        if not self._symbols.is_in_procedure:
            self._problem(statement.line, "PEND without PROC")
            return
        self._symbols.end()
        self._name, self._step, self._dd, self._in_stream = "", "", "", 0
        self._is_after_procedure = True

    def _take_exec(self, statement: Statement) -> None:
        self._step, self._dd = statement.name or f"line {statement.line}", ""
        self._open("step", self._step, statement.above)
        if statement.name:
            self._fact("step", self._name or self._job, self._step, statement.line)
        self._program = ""
        called = next(statement.having("PROC", ""), None)
        program = None if called else next(statement.having("PGM"), None)
        if program:
            self._take_program(program, statement)
        elif called:
            self._fact("exec-proc", self._step, called.value.upper(), called.line)
            self._data_sets.note_call(self._name, self._step, called.value.upper())
            self._facts += self._symbols.called(called.value.upper(), statement.operands)
        else:
            self._problem(statement.line, "EXEC names neither a program nor a procedure")
        self._conditions_of(self._step, statement)

    def _conditions_of(self, subject: str, statement: Statement) -> None:
        for operand in statement.operands:
            if operand.keyword.partition(".")[0] == "COND" and operand.value:
                self._fact("cond", subject, operand.value, operand.line)
        if statement.operation == "EXEC":
            for line, expression in self._conditions[-_DEEPEST_NESTING:]:
                self._fact("cond", subject, expression, line)

    def _take_program(self, program: Operand, statement: Statement) -> None:
        name = program.value.upper()
        state = self._referring if is_reference(name) else self._symbolic
        self._program = state("exec", self._step, name, program.line)
        for operand in statement.having("PARM") if self._program == _IMS_REGION else ():
            words = [word.strip("'()") for word in operand.value.split(",")]
            region, run, block = [*words, "", "", ""][:3]
            if region.upper() in _IMS_RUNS and run:
                self._fact("runs", self._step, run.upper(), operand.line)
            if region.upper() in _IMS_WITH_PSB and block:
                self._fact("psb", self._step, block.upper(), operand.line)

    def _symbolic(self, kind: str, subject: str, about: str, line: int) -> str:
        """State a fact, and what it says with its symbols substituted, which is returned."""
        self._fact(kind, subject, about, line)
        return self._meant(self._facts[-1])

    def _meant(self, fact: Fact) -> str:
        meant = self._symbols.meant(fact)
        if meant is not fact:
            self._facts.append(meant)
        return meant.object

    def _referring(self, kind: str, subject: str, about: str, line: int) -> str:
        """State a fact about a backward reference, and what that means, which is returned."""
        self._fact(kind, subject, about, line)
        referred = self._data_sets.referred(about, self._name, self._step)
        meant = member_of(referred) if kind == "exec" else referred
        if meant and not has_symbol(meant):
            self._fact(f"{kind}-resolved", subject, meant, line)
        elif meant:
            self._meant(Fact(kind, subject, meant, self._source.file, line))
        return meant

    def _take_dd(self, statement: Statement) -> None:
        if statement.name:
            self._dd = statement.name
        if self._dd:  # without a name of its own, it goes on the one before
            self._fact("dd", self._subject, self._dd, statement.line)
        else:
            self._problem(statement.line, "a DD without a name, and none before it")
        names = [self._data_set(operand) for operand in statement.having("DSN", "DSNAME")]
        dummies = [operand for operand in statement.operands if _is_dummy(operand)]
        if statement.name and (names or _hides(statement)):
            name = "".join(names[:1]) if not dummies else ""
            self._data_sets.note(self._name, self._step, self._dd, name)
        for operand in dummies:
            self._fact("dummy", self._dd, operand.value.upper(), operand.line)
        for operand in statement.having("DISP", "SYSOUT", "PATH", "SUBSYS"):
            self._fact(operand.keyword.lower(), self._dd, operand.value, operand.line)
        if statement.data is not None:
            self._fact("instream", self._dd, f"{len(statement.data)} lines", statement.line)
            self._take_data(statement.data, statement.last + 1)

    def _data_set(self, operand: Operand) -> str:
        """State a data set; return it, in a procedure with its symbols, which a call may set."""
        name = bare(operand.value)
        if is_reference(name):
            return self._referring("dsn", self._dd, name, operand.line)
        resolved = self._symbolic("dsn", self._dd, name, operand.line)
        return name if self._symbols.is_in_procedure else resolved

    def _take_data(self, data: Sequence[str], line: int) -> None:
        is_terminal = self._program in _TERMINALS or not self._program  # or of a procedure
        if self._dd.rpartition(".")[2] != "SYSTSIN" or not is_terminal:
            return
        text, at = "\n".join(_REMARK.sub("", row[: LAST_COLUMN + 1]) for row in data), 0
        for run in _RUN.finditer(text):
            line += text.count("\n", at, run.start(1))
            at = run.start(1)
            self._fact("runs", self._step, run[1].upper(), line)

    def _take_set(self, statement: Statement) -> None:
        for operand in statement.operands:
            if operand.keyword:
                self._fact("set", operand.keyword, bare(operand.value), operand.line)
                self._symbols.set(operand)

    def _take_include(self, statement: Statement) -> None:
        for operand in statement.having("MEMBER"):
            self._fact("include", self._subject, operand.value.upper(), operand.line)

    def _take_jcllib(self, statement: Statement) -> None:
        for operand in statement.having("ORDER"):
            self._fact("jcllib", self._subject, bare(operand.value), operand.line)

    def _take_if(self, statement: Statement) -> None:
        self._conditions.append((statement.line, statement.operands[0].value))

    def _take_else(self, statement: Statement) -> None:
        if self._conditions:
            line, expression = self._conditions.pop()
            self._conditions.append((line, f"ELSE {expression}"))
        else:
            self._problem(statement.line, "ELSE without IF")

    def _take_endif(self, statement: Statement) -> None:
        if self._conditions:
            self._conditions.pop()
        else:
            self._problem(statement.line, "ENDIF without IF")
