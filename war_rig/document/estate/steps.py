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
_INSTEAD = frozenset(("dummy", "sysout", "instream", "path", "subsys"))


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
class Dd:
    """A DD statement. step: that of a procedure which it is for; runs: what is run as it says.

    instead: what it has in the place of a data set, such as "dummy".
    """

    step: str
    name: str
    runs: list[str] = field(default_factory=list)
    text: Text | None = None
    instead: str = ""

    @property
    def data_set(self) -> Text | None:
        """Return its data set; a dummy has none, whatever it is called."""
        return self.text if self.instead != "dummy" else None

    @property
    def is_replacing(self) -> bool:
        """Return whether the data set of a DD that it overrides is no longer that."""
        return self.text is not None or self.instead != ""


@dataclass(slots=True)
class Step:
    """An EXEC and its DD statements, behind a nameless one for what the EXEC itself says."""

    exec: Fact
    program: Text
    dds: list[Dd] = field(default_factory=lambda: [Dd("", "")])

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
        last = self.dds[-1]
        if fact.kind == "exec-resolved":
            self.program.resolved.append(fact.object)
        elif fact.kind == "dd":
            step, _, name = fact.object.upper().rpartition(".")
            self.dds.append(Dd(step, name))
        elif fact.kind == "runs":
            last.runs.append(fact.object)
        elif fact.kind == "dsn":
            last.text = Text(fact.object)
        elif fact.kind == "dsn-resolved":
            last.text = last.text or Text(fact.object)
            last.text.resolved.append(fact.object)
        elif fact.kind in _INSTEAD:
            last.instead = fact.kind

    def dds_of(self, *steps: str) -> list[Dd]:
        """Return its DDs for *steps* of a procedure; "" is no or the first step."""
        return [dd for dd in self.dds if dd.step in steps]

    @property
    def steps(self) -> list[str]:
        """Return for which steps of a procedure it has DDs."""
        return list(dict.fromkeys(dd.step for dd in self.dds))


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
