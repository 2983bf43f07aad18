"""A file's pages in Markdown: what it is for, what it uses, its parts, and its numbered source.

All foreign text goes through ``inert``. Pages hold no dates, so that the same
source and claims give the same pages.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from war_rig.document.checks.check import Checked
from war_rig.document.checks.ground import Line
from war_rig.document.claims import Citation, Claim
from war_rig.document.judge import Judged
from war_rig.document.kinds import kind_of, names_of
from war_rig.document.pages.folder import DocsFolder, relative
from war_rig.document.pages.graphs import Edge, graph_lines
from war_rig.document.pages.inert import code, inert, link, pre, sentence
from war_rig.document.pages.tables import Pages, anchor_of_whole, section
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Fact, Unit

INDEX = "README.md"
_FLOW = {
    "perform": "performs", "thru": "through", "goto": "goes to", "exec": "runs",
    "exec-resolved": "runs", "exec-proc": "runs procedure", "runs": "runs", "transaction": "starts",
}  # fmt: skip


@dataclass(slots=True)
class FilePages:
    """A file's result so far, its units in order, and where its two pages and its data are.

    composed: what was, of its wholes. relations: what each of these uses and what
    uses it, as Markdown; open: what it uses that is not in the source. is_chosen:
    whether all of its units are to be documented in this run.
    """

    file: PlannedFile
    wholes: Wholes
    page: str
    source: str
    relations: Mapping[Unit, Sequence[str]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    composed: dict[Unit, Judged] = field(default_factory=dict)
    is_chosen: bool = True
    is_written: bool = False
    _by_unit: dict[Unit, Judged] = field(default_factory=dict)

    @classmethod
    def of(cls, file: PlannedFile, wholes: Wholes, folder: DocsFolder) -> "FilePages":
        """Return the pages of *file* in *folder*."""
        name = file.source.file
        names = folder.page_name("files", name), folder.page_name("source", name)
        return cls(file, wholes, *names)

    @property
    def data(self) -> str:
        """Return where the JSON of the page is, beside it."""
        return f"{self.page.removesuffix('.md')}.json"

    @property
    def is_complete(self) -> bool:
        """Return whether every unit of the file was judged."""
        return len(self.judged) == len(self.file.reading.units)

    def summary(self, whole: Unit) -> Sequence[Claim]:
        """Return what *whole* is for: composed claims, else those of its first unit with any."""
        composed = self.composed.get(whole)
        known = [*([composed] if composed else []), *self.judged_of(whole)]
        return next((judged.claims for judged in known if judged.claims), ())

    def judged_of(self, whole: Unit) -> list[Judged]:
        """Return the results of the units of *whole*."""
        own = self.wholes.units[whole]
        return [self._by_unit[unit] for unit in own if unit in self._by_unit]

    @property
    def summary_lines(self) -> Sequence[Line]:
        """Return the lines of other files that the summary cites."""
        return [line for judged in self.all_judged for line in judged.shown]

    @property
    def all_judged(self) -> list[Judged]:
        """Return the results of its units, and of what was composed of them."""
        return [*self.composed.values(), *self.judged]

    def add(self, judged: Judged) -> None:
        """Take in one unit's result, in whatever order they come."""
        self._by_unit[judged.unit] = judged
        self.judged.append(judged)
        self.judged.sort(key=lambda one: one.unit.first)

    @property
    def names(self) -> tuple[str, str, str]:
        """Return where its pages and its data are."""
        return self.page, self.source, self.data


def title(file: PlannedFile) -> str:
    """Return what *file* is and is called, as Markdown."""
    names, kind = list(names_of(file)), kind_of(file)
    if not names:
        return f"{kind.word} {code(file.source.file)}"
    *before, last = map(code, names)
    return f"{kind.word} {', '.join(before)}{' and ' if before else ''}{last}"


def counted(number: int, thing: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def claim_lines(claims: Iterable[Claim], page: str, pages: Pages) -> Iterator[str]:
    """Yield *claims* as a list, purposes before rules, each with links to its lines."""
    for claim in sorted(claims, key=lambda claim: claim.about != "purpose"):
        mark = "**Rule.** " if claim.about == "rule" else ""
        yield f"- {mark}{sentence(claim.text)} {cited(claim.citations, page, pages)}"


def whole_lines(whole: Judged, page: str, pages: Pages) -> Iterator[str]:
    """Yield what was composed of a whole, and of how much; or why it was not."""
    yield from claim_lines(whole.claims, page, pages)
    if whole.failure is not None:
        yield f"Not composed: {inert(whole.failure)}"
    elif whole.given < whole.of:
        yield from ("", f"Composed from {whole.given} of {whole.of} verified claims.")
    if whole.claims or whole.failure is not None:
        yield ""


def cited(citations: Iterable[Citation], page: str, pages: Pages) -> str:
    """Return links from *page* to the lines; the file is named where it is not the page's own."""
    links = []
    for citation in citations:
        own, source = pages.get(citation.file, ("", ""))
        name = "" if own == page else f"{code(citation.file)} "
        last = f"-{citation.last}" if citation.last > citation.first else ""
        text = f"{name}({citation.first}{last})"
        place = relative(source, page), f"L{citation.first}"
        links.append(link(text, *place) if source else text)
    return " ".join(links)


def anchor_of(unit: Unit) -> str:
    """Return the anchor of a unit's section."""
    return f"u{unit.first}"


def file_page(entry: FilePages, pages: Pages) -> str:
    """Return the text of a file's page."""
    return "\n".join(_file_page(entry, pages)) + "\n"


def source_page(entry: FilePages) -> str:
    """Return the text of a file's numbered source."""
    return "\n".join(_source_page(entry)) + "\n"


def _file_page(entry: FilePages, pages: Pages) -> Iterator[str]:
    file, source = entry.file, entry.file.source
    yield f"# {title(file)}"
    yield ""
    yield (
        f"{link('Source', relative(entry.source, entry.page))} of {code(source.file)}, "
        f"{counted(len(source.lines), 'line')}, language {inert(file.language)}, "
        f"{source.encoding}. {link('The same as data', relative(entry.data, entry.page))}. "
        f"{link('All files', relative(INDEX, entry.page))}."
    )
    yield ""
    if not file.reading.units:
        yield "This file holds no text."
    facts: dict[Unit, list[Fact]] = {whole: [] for whole in entry.wholes.all}
    for fact in file.reading.facts:
        facts[entry.wholes.at(fact.line)].append(fact)
    for whole, own in facts.items():
        yield from _whole(entry, whole, own, pages)
    if not entry.is_complete:
        ended = "This run ended before the rest of this file was documented."
        yield from (ended if entry.is_chosen else "Only these units were chosen.", "")
    questions = [*doubts(entry.all_judged, entry.page, pages), *_open(entry)]
    yield from section("Open questions", questions)
    yield from unverified(entry.all_judged)


def _whole(entry: FilePages, whole: Unit, facts: Sequence[Fact], pages: Pages) -> Iterator[str]:
    """Yield all about *whole* and its *facts*: one of several has a section of its own."""
    composed = entry.composed.get(whole)
    about = whole_lines(composed, entry.page, pages) if composed else ()
    level = 2 + entry.wholes.are_several
    if entry.wholes.are_several:
        yield from (f'<a id="{anchor_of_whole(whole)}"></a>', "")
        yield from (f"## {inert(whole.kind.capitalize())} {code(whole.name)}", "", *about)
    else:
        yield from section("What it is for", about)
    yield from entry.relations.get(whole, ())
    yield from section("Flow", graph_lines(_flow(facts)), level)
    for judged in entry.judged_of(whole):
        name = judged.unit.name
        yield from (f'<a id="{anchor_of(judged.unit)}"></a>', "")
        yield from (f"{'#' * level} {inert(name[:1].upper() + name[1:])}", "")
        yield from _unit_lines(entry, judged, pages)


def _flow(facts: Sequence[Fact]) -> Iterator[Edge]:
    """Yield what leads where inside of a whole; the steps of a job follow each other."""
    steps = [fact for fact in facts if fact.kind == "step"]
    for step, following in pairwise(steps):
        if step.subject == following.subject:
            yield Edge(step.object, following.object, "then")
    for fact in facts:
        if fact.kind in _FLOW:
            yield Edge(fact.subject, fact.object, _FLOW[fact.kind])


def _unit_lines(entry: FilePages, judged: Judged, pages: Pages) -> Iterator[str]:
    yield from _parts(entry, judged, pages)
    if judged.failure is not None:
        yield from (f"Not documented: {inert(judged.failure)}", "")
    elif not judged.verified and judged.doubted:
        yield from ("The Challenger can't tell of any claim about this unit; see below.", "")
    elif not judged.verified:
        yield from ("No claim about this unit passed the checks.", "")
    elif judged.uncovered:
        names = ", ".join(f"{code(p.name)} ({p.first}-{p.last})" for p in judged.uncovered)
        yield from (f"No claim about these passed the checks: {names}.", "")


def _parts(entry: FilePages, judged: Judged, pages: Pages) -> Iterator[str]:
    """Yield the unit's claims, below the name of the part that each cites first."""
    parts = entry.file.parts_of(judged.unit)
    by_part: dict[Unit, list[Claim]] = {}
    for claim in judged.claims:
        by_part.setdefault(_part_of(claim, parts), []).append(claim)
    for part in sorted(by_part, key=lambda part: part.first):
        if len(parts) > 1:
            yield from (f"**{code(part.name)}**", "")
        yield from (*claim_lines(by_part[part], entry.page, pages), "")


def _part_of(claim: Claim, parts: Sequence[Unit]) -> Unit:
    first = min((c.first for c in claim.citations if c.file == parts[0].file), default=0)
    return next((part for part in reversed(parts) if part.first <= first), parts[0])


def doubts(results: Iterable[Judged], page: str, pages: Pages) -> Iterator[str]:
    """Yield what the Challenger leaves open."""
    for checked in (c for judged in results for c in judged.doubted):
        where = cited(checked.claim.citations, page, pages)
        reason = f" The Challenger can't tell: {inert(checked.reason)}" if checked.reason else ""
        yield f"- Is it so? {sentence(checked.claim.text)} {where}{reason}"


def _open(entry: FilePages) -> Iterator[str]:
    """Yield what the source leaves open."""
    yield from entry.open
    source = relative(entry.source, entry.page)
    for problem in entry.file.reading.problems:
        line = link(f"line {problem.line}", source, f"L{problem.line}")
        yield f"- Could not be read: {inert(problem.text)} ({line})"


def unverified(results: Iterable[Judged]) -> Iterator[str]:
    """Yield the section of what no check supports, nothing where there is none."""
    rejected: list[Checked] = [c for judged in results for c in judged.unverified]
    if not rejected:
        return
    yield from ("", "## Unverified", "", "The checks do not support these; read the source.", "")
    for checked in rejected:
        yield f"- {sentence(checked.claim.text)} ({inert('; '.join(checked.issues))})"
    yield ""


def _source_page(entry: FilePages) -> Iterator[str]:
    source = entry.file.source
    width = len(str(len(source.lines)))
    yield f"# {code(source.file)}"
    yield ""
    yield f"{link('What it does', relative(entry.page, entry.source))}."
    yield ""
    yield "<pre>"
    for number, line in enumerate(source.lines, 1):
        yield f'<a id="L{number}"></a>{number:>{width}}  {pre(line)}'
    yield "</pre>"
