"""Pages in Markdown: an index, a page a file, and its numbered source.

All foreign text goes through ``inert``. Pages hold no dates, so that the same
source and claims give the same pages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from war_rig.document.check import Checked
from war_rig.document.claims import Citation
from war_rig.document.folder import DocsFolder, relative
from war_rig.document.inert import code, inert, link, pre, sentence
from war_rig.document.judge import Judged
from war_rig.document.plan import Plan, PlannedFile

INDEX = "README.md"
_MOST_LEFT_OUT = 200


@dataclass(slots=True)
class FilePages:
    """A file's result so far, its units in order, and where its two pages are.

    relations: what it uses and what uses it, as Markdown.
    """

    file: PlannedFile
    page: str
    source: str
    relations: list[str] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    is_written: bool = False

    @classmethod
    def of(cls, file: PlannedFile, folder: DocsFolder) -> "FilePages":
        """Return the pages of *file* in *folder*."""
        name = file.source.file
        return cls(file, folder.page_name("files", name), folder.page_name("source", name))

    @property
    def is_complete(self) -> bool:
        """Return whether every unit of the file was judged."""
        return len(self.judged) == len(self.file.reading.units)

    def add(self, judged: Judged) -> None:
        """Take in one unit's result, in whatever order they come."""
        self.judged.append(judged)
        self.judged.sort(key=lambda one: one.unit.first)

    def write(self, folder: DocsFolder) -> None:
        """Write both pages once; where nothing was judged, an earlier run's are better."""
        if self.is_written or not (self.judged or self.is_complete):
            return
        folder.write(self.source, "\n".join(_source_page(self)) + "\n")
        folder.write(self.page, "\n".join(_file_page(self)) + "\n")
        self.is_written = True


def index_page(
    plan: Plan, pages: Sequence[FilePages], missing: list[str], provider: str, is_whole: bool
) -> str:
    """Return the page that leads to all others and says what is *missing* and was left out."""
    lines = [f"# {inert(plan.root.name) or 'Source'}", ""]
    if not is_whole:
        lines += ["> This run did not come to its end: some parts are not documented.", ""]
    elif not plan.is_whole:
        chosen = f"{len(plan.chosen)} of {counted(plan.units, 'part')}"
        lines += [f"> Only {chosen} were chosen for this run; see the last column.", ""]
    lines += [
        f"{counted(len(plan.files), 'file')} in {counted(plan.units, 'part')}, "
        f"written by provider {code(provider)}. "
        "Every claim below cites lines that were checked; what no check supports is marked "
        "as unverified on the page of its file.",
        "",
        "| File | What it is for | Parts | Claims | Unverified | Not documented |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *(_row(entry) for entry in pages),
        "",
    ]
    return "\n".join([*lines, *missing, *_misread(plan), *_left_out(plan)]) + "\n"


def _row(entry: FilePages) -> str:
    name = link(code(entry.file.source.file), entry.page)
    verified = [claim for judged in entry.judged for claim in judged.verified]
    unverified = sum(len(judged.unverified) for judged in entry.judged)
    summary = sentence(verified[0].text) if verified else "-"
    parts = len(entry.file.reading.units)
    missing = parts - sum(judged.failure is None for judged in entry.judged)
    if not (entry.judged or entry.is_complete):
        summary = "This page is of an earlier run."
    return f"| {name} | {summary} | {parts} | {len(verified)} | {unverified} | {missing} |"


def counted(number: int, thing: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _misread(plan: Plan) -> Iterator[str]:
    if plan.misread:
        yield from (
            "## Read as plain text",
            "",
            "The reader of their language failed on these.",
            "",
        )
        yield from (f"- {code(path)}: {inert(reason)}" for path, reason in plan.misread)
        yield ""


def _left_out(plan: Plan) -> Iterator[str]:
    if not plan.left_out:
        return
    yield from ("## Left out", "")
    for reason, count in sorted(plan.reasons.items()):
        yield f"- {inert(reason)}: {count}"
    yield from ("", "<details><summary>Which</summary>", "")
    for path, reason in plan.left_out[:_MOST_LEFT_OUT]:
        yield f"- {code(path)}: {inert(reason)}"
    more = len(plan.left_out) - _MOST_LEFT_OUT
    if more > 0:
        yield f"- and {more} more"
    yield from ("", "</details>", "")


def _file_page(entry: FilePages) -> Iterator[str]:
    source = entry.file.source
    yield f"# {code(source.file)}"
    yield ""
    yield (
        f"{link('Source', relative(entry.source, entry.page))}, "
        f"{counted(len(source.lines), 'line')}, "
        f"language {inert(entry.file.language)}, {inert(source.encoding)}. "
        f"{link('All files', relative(INDEX, entry.page))}."
    )
    yield ""
    if not entry.file.reading.units:
        yield "This file holds no text."
    yield from entry.relations
    for judged in entry.judged:
        yield from _unit_section(entry, judged)
    if not entry.is_complete:
        yield from ("This run ended before the rest of this file was documented.", "")
    yield from _unverified(entry)


def _unit_section(entry: FilePages, judged: Judged) -> Iterator[str]:
    unit = judged.unit
    yield f"## {inert(unit.name[:1].upper() + unit.name[1:])}"
    yield ""
    for about, title in (("purpose", "Purpose"), ("rule", "Rules")):
        claims = [claim for claim in judged.verified if claim.about == about]
        if claims:
            yield from (f"**{title}**", "")
            yield from (f"- {sentence(c.text)} {_cited(entry, c.citations)}" for c in claims)
            yield ""
    if judged.failure is not None:
        yield from (f"Not documented: {inert(judged.failure)}", "")
    elif not judged.verified:
        yield from ("No claim about this part passed the checks.", "")
    elif judged.uncovered:
        names = ", ".join(f"{code(p.name)} ({p.first}-{p.last})" for p in judged.uncovered)
        yield from (f"No claim about these passed the checks: {names}.", "")


def _unverified(entry: FilePages) -> Iterator[str]:
    rejected: list[Checked] = [c for judged in entry.judged for c in judged.unverified]
    if not rejected:
        return
    yield from ("## Unverified", "", "The checks do not support these; read the source.", "")
    for checked in rejected:
        yield f"- {sentence(checked.claim.text)} ({inert('; '.join(checked.issues))})"
    yield ""


def _cited(entry: FilePages, citations: Iterable[Citation]) -> str:
    target = relative(entry.source, entry.page)
    return "".join(
        link(f"({c.first}-{c.last})" if c.last > c.first else f"({c.first})", target, f"L{c.first}")
        for c in citations
    )


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
