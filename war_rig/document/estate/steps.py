"""The steps of jobs and procedures, put together from the facts of their file."""

from collections import ChainMap, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact
from war_rig.readers.jcl_lines import Scanner, bare
from war_rig.readers.jcl_symbols import Values, substituted, unknown

_MOST_LINES = 100  # of one EXEC statement


@dataclass(slots=True)
class Text:
    """A name as it is written, and what its own file resolves the symbols in it to."""

    written: str
    resolved: list[str] = field(default_factory=list)

    def values(self, symbols: Values | None = None) -> list[str]:
        """Return what it stands for: as *symbols* say, without them as its own file does."""
        if symbols is None or "&" not in self.written:
            return self.resolved or [self.written]
        return [substituted(self.written, symbols)]


@dataclass(slots=True)
class Step:
    """An EXEC and its DD statements, whose names are ``STEP.DD`` where it calls a procedure.

    runs: what is run under TSO or IMS, by the DD that says so. data: the data
    sets, by the name and the line of their DD.
    """

    exec: Fact
    program: Text
    runs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    data: dict[tuple[str, int], Text] = field(default_factory=dict)
    _dd: str = ""

    @property
    def is_call(self) -> bool:
        """Return whether it calls a procedure."""
        return self.exec.kind == "exec-proc"

    @property
    def name(self) -> str:
        """Return the step's name."""
        return self.exec.subject.upper()

    def take(self, fact: Fact) -> None:
        """Add a fact that follows the EXEC."""
        key = (fact.subject.upper(), fact.line)
        if fact.kind == "exec-resolved":
            self.program.resolved.append(fact.object)
        elif fact.kind == "dd":
            self._dd = fact.object.upper()
        elif fact.kind == "runs":
            self.runs[self._dd].append(fact.object)
        elif fact.kind == "dsn":
            self.data[key] = Text(fact.object)
        elif fact.kind == "dsn-resolved":
            self.data.setdefault(key, Text(fact.object)).resolved.append(fact.object)

    def runs_of(self, *steps: str) -> list[str]:
        """Return what its DDs for *steps* of a procedure run; "" is no or the first step."""
        return [run for dd, found in self.runs.items() for run in found if _of(dd) in steps]

    def data_of(self, *steps: str) -> list[tuple[str, Text]]:
        """Return its DDs for *steps* of a procedure, each without the step's name."""
        split = ((dd.rpartition("."), text) for (dd, _), text in self.data.items())
        return [(dd, text) for (step, _, dd), text in split if step in steps]

    @property
    def all_runs(self) -> list[str]:
        """Return what all of its DDs run."""
        return self.runs_of(*self.steps)

    @property
    def all_data(self) -> list[tuple[str, Text]]:
        """Return all of its DDs, each without a step's name."""
        return self.data_of(*self.steps)

    @property
    def steps(self) -> list[str]:
        """Return for which steps of a procedure it has DDs."""
        return list(dict.fromkeys(map(_of, (*self.runs, *(dd for dd, _ in self.data)))))


def _of(dd: str) -> str:
    return dd.rpartition(".")[0]


class Steps:
    """The steps of one file, those of its procedures among them, and the symbols it sets."""

    def __init__(self, file: PlannedFile) -> None:
        self.found: list[Step] = []
        self._of: dict[str, list[Step]] = defaultdict(list)
        self._file = file
        self._set = [fact for fact in file.reading.facts if fact.kind == "set"]
        owner, is_in_step = "", False
        for fact in file.reading.facts:
            if fact.kind in ("job", "proc", "step"):
                owner = fact.subject if fact.kind == "step" else fact.object
                is_in_step = False
            elif fact.kind in ("exec", "exec-proc") and fact.object:
                program = Text(fact.object if fact.kind == "exec" else "")
                self.found.append(Step(fact, program))
                self._of[owner.upper()].append(self.found[-1])
                is_in_step = True
            elif is_in_step:
                self.found[-1].take(fact)

    @property
    def calls(self) -> list[Step]:
        """Return the steps that call a procedure."""
        return [step for step in self.found if step.is_call]

    def of(self, owner: str) -> list[Step]:
        """Return the steps of one job or procedure."""
        return self._of.get(owner.upper(), [])

    def symbols_for(self, call: Step, procedure: "Steps") -> Values:
        """Return what holds in *procedure*: what *call* says, its own, what was set before."""
        line = call.exec.line
        before = _values(fact for fact in self._set if fact.line < line)
        lines = self._file.source.lines[line - 1 : line - 1 + _MOST_LINES]
        given = {
            operand.keyword: substituted(bare(operand.value), before) or unknown(operand)
            for statement in islice(Scanner(lines).statements(), 1)
            for operand in statement.operands
            if operand.keyword
        }
        return ChainMap(given, _values(procedure._set), before)


def _values(facts: Iterable[Fact]) -> dict[str, str]:
    return {fact.subject: fact.object or f"&{fact.subject}" for fact in facts}
