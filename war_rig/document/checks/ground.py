"""What a claim may stand on: the lines that its writer was shown, and the facts on them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from war_rig.document.checks.known import Known
from war_rig.document.claims import Citation, Claim
from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact, Unit

_MOST_RANGES = 5

LONGEST_LINE = 500
"""How much of a source line stands in a prompt, in characters."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that may be cited; text is as its user reads it, names of a copybook replaced."""

    file: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Ground:
    """Lines that may be cited, the facts on them, and the files that they are of.

    related, doers: ``related_names`` and ``doers_in`` of those files.
    """

    lines: Mapping[tuple[str, int], str]
    facts: Sequence[Fact]
    files: tuple[PlannedFile, ...]
    related: frozenset[str] = frozenset()
    doers: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of_unit(cls, unit: Unit, file: PlannedFile, shown: Sequence[Line] = ()) -> "Ground":
        """Return the lines of *unit*, and those that are *shown* with it."""
        source, numbers = file.source, range(unit.first, unit.last + 1)
        lines = {(line.file, line.number): line.text for line in shown}
        lines |= {(unit.file, n): source.lines[n - 1] for n in numbers}
        return cls(lines, file.facts_of(unit), (file,), file.related, file.doers)

    @classmethod
    def of_claims(
        cls, claims: Iterable[Claim], files: Mapping[str, PlannedFile], shown: Sequence[Line] = ()
    ) -> "Ground":
        """Return the lines that *claims* cite; those that were *shown* otherwise, as they were."""
        cited = dict.fromkeys(c for claim in claims for c in claim.citations)
        names = dict.fromkeys(citation.file for citation in cited)
        lines = {
            (c.file, n): files[c.file].source.lines[n - 1]
            for c in cited
            for n in range(c.first, c.last + 1)
        }
        lines |= {k: line.text for line in shown if (k := (line.file, line.number)) in lines}
        facts = [f for name in names for f in files[name].reading.facts if (name, f.line) in lines]
        read = tuple(files[name] for name in names)
        related = frozenset[str]().union(*(files[name].related for name in names))
        doers = frozenset[tuple[str, str]]().union(*(files[name].doers for name in names))
        return cls(lines, facts, read, related, doers)

    @property
    def known(self) -> Known:
        """Return what a sentence about the lines is held against."""
        return Known(self.facts, self.related, self.doers, self._of_files)

    def _of_files(self) -> Iterator[Fact]:
        return (fact for file in self.files for fact in file.reading.facts)

    def is_cobol(self, citation: Citation) -> bool:
        """Return whether the lines of *citation* are COBOL; a copybook's are as its user's are."""
        files = {file.source.file: file for file in self.files}
        return files.get(citation.file, self.files[0]).is_cobol

    def fault(self, citation: Citation) -> str | None:
        """Return why the lines may not be cited, None where they may."""
        known = sorted(number for file, number in self.lines if file == citation.file)
        if not known:
            files = ", ".join(dict.fromkeys(file for file, _ in self.lines))
            return f"{citation}: what may be cited here is of {files}"
        numbers = range(citation.first, citation.last + 1)
        if 0 < len(numbers) <= len(known) and set(numbers) <= set(known):
            return None
        return f"{citation}: the lines that may be cited here are {', '.join(_ranges(known))}"

    def outside(self, file: str, citations: Iterable[Citation]) -> tuple[Line, ...]:
        """Return the lines of *citations* that are not of *file*, each once."""
        places = ((c.file, n) for c in citations for n in range(c.first, c.last + 1))
        return tuple(Line(*p, self.lines[p]) for p in dict.fromkeys(places) if p[0] != file)

    def text(self, citations: Iterable[Citation]) -> str:
        """Return the lines of *citations*, which may be cited."""
        return "\n".join(
            self.lines[c.file, number] for c in citations for number in range(c.first, c.last + 1)
        )


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    """Yield *numbers*, which are in order, as ranges; not more than some."""
    place = count()
    runs = [list(run) for _, run in groupby(numbers, key=lambda number: number - next(place))]
    yield from (f"{run[0]}-{run[-1]}" for run in runs[:_MOST_RANGES])
    if len(runs) > _MOST_RANGES:
        yield "..."
