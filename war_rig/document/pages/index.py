"""The estate's README: its overview, entry points, jobs, programs, data, and what is missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from war_rig.document.estate.estate import LEADS_ON, Estate, Relation
from war_rig.document.judge import Judged
from war_rig.document.kinds import KINDS, kind_of, names_of
from war_rig.document.pages.graphs import Edge, graph_lines
from war_rig.document.pages.inert import code, inert, link, sentence
from war_rig.document.pages.render import (
    FilePages,
    anchor_of,
    counted,
    doubts,
    unverified,
    whole_lines,
)
from war_rig.document.pages.tables import (
    Pages,
    anchor_of_whole,
    data_lines,
    missing_lines,
    section,
    table,
)
from war_rig.document.plan import Plan, PlannedFile
from war_rig.readers import Unit, clipped

_MOST_LEFT_OUT = 200
_MOST_PROBLEMS = 200
_LONGEST_PURPOSE = 210  # so that a quotation of `offline` fits
ESTATE_DATA = "estate.json"


def index_page(
    plan: Plan,
    entries: Sequence[FilePages],
    estate: Estate,
    pages: Pages,
    overview: Judged | None,
    provider: str,
    is_finished: bool,
) -> str:
    """Return the page that leads to all of *entries*, and says what is missing and left out."""
    lines = [
        f"# {inert(plan.name) or 'Source'}",
        "",
        *_notes(plan, is_finished),
        f"{counted(len(plan.files), 'file')} in {counted(plan.units, 'unit')}, "
        f"written by provider {code(provider)}. Every claim cites lines that were checked; what "
        "no check supports is marked as unverified on the page of its file. "
        f"{link('The same as data', ESTATE_DATA)}.",
        "",
        *section("Overview", whole_lines(overview, "", pages) if overview else ()),
        *section("Entry points", table("Entry | What it is for", _entry_points(entries, estate))),
        *_by_kind(entries),
        *data_lines(estate, pages),
        *section("How it hangs together", _graphs(plan.files, estate)),
        *missing_lines(estate, pages),
        *section("Could not be read", _problems(plan, entries)),
        *section("Open questions", doubts([overview] if overview else [], "", pages)),
        *unverified([overview] if overview else []),
        *_misread(plan),
        *_left_out(plan),
    ]
    return "\n".join(lines) + "\n"


def purpose_of(entry: FilePages, whole: Unit) -> str:
    """Return what *whole* of *entry* is for, as Markdown for one cell."""
    if not entry.is_written:
        return "This page is of an earlier run."
    summary = entry.summary(whole)
    return sentence(clipped(summary[0].text, _LONGEST_PURPOSE, " ...")) if summary else "-"


def _notes(plan: Plan, is_finished: bool) -> list[str]:
    if not is_finished:
        return ["> This run did not come to its end: some units are not documented.", ""]
    if plan.is_whole:
        return []
    chosen = f"{len(plan.chosen)} of {counted(plan.units, 'unit')}"
    return [f"> Only {chosen} were chosen for this run; see the last column.", ""]


def entry_points(
    entries: Iterable[FilePages], estate: Estate
) -> Iterator[tuple[FilePages, Unit, list[Relation]]]:
    """Yield where work begins: jobs, and programs that a user starts or nothing leads to.

    Each is a whole of a file, with what starts it.
    """
    for entry in entries:
        word = kind_of(entry.file).fact
        for whole, leading in _leading_to(entry, estate).items():
            starts = [r for r in leading if r.verb == "starts" and r.is_certain]
            if word == "job" or (word == "program" and (starts or not leading)):
                yield entry, whole, starts


def _leading_to(entry: FilePages, estate: Estate) -> dict[Unit, list[Relation]]:
    """Return what leads to each whole of *entry* from outside of it, or perhaps does."""
    found: dict[Unit, list[Relation]] = {whole: [] for whole in entry.wholes.all}
    for relation in estate.incoming.get(entry.file.source.file, ()):
        whole = estate.target(relation, entry.file.source.file)
        is_inside = estate.whole_of(relation) == whole
        if relation.verb in LEADS_ON and not is_inside:
            found[whole].append(relation)
    return found


def _entry_points(entries: Sequence[FilePages], estate: Estate) -> Iterator[str]:
    for entry, whole, starts in entry_points(entries, estate):
        how = ", ".join(dict.fromkeys(f"transaction {code(r.started_by)}" for r in starts))
        yield f"{how + ': ' if how else ''}{_links(entry, whole)} | {purpose_of(entry, whole)}"


def _by_kind(entries: Sequence[FilePages]) -> Iterator[str]:
    for kind in KINDS:
        of_kind = [entry for entry in entries if kind_of(entry.file) is kind]
        columns = f"{kind.word} | What it is for | Units | Claims | Unverified | Not documented"
        rows = (_row(entry, whole) for entry in of_kind for whole in entry.wholes.all)
        yield from section(kind.title, table(columns, rows))


def _row(entry: FilePages, whole: Unit) -> str:
    of_units = entry.judged_of(whole)
    judged = [*of_units, *filter(None, [entry.composed.get(whole)])]
    verified = sum(len(one.verified) for one in judged)
    rejected = sum(len(one.unverified) for one in judged)
    units = len(entry.wholes.units[whole])
    missing = units - sum(one.failure is None for one in of_units)
    cells = (_links(entry, whole), purpose_of(entry, whole), units, verified, rejected, missing)
    return " | ".join(map(str, cells))


def _links(entry: FilePages, whole: Unit) -> str:
    """Return links to what *whole* holds: to its section, to the page, to where a second begins."""
    if entry.wholes.are_several:
        return link(code(whole.name), entry.page, anchor_of_whole(whole))
    names = names_of(entry.file)
    if not names:
        return link(code(entry.file.source.file), entry.page)
    units = [judged.unit for judged in entry.judged]  # only these have a section
    places = [
        next((u for u in reversed(units) if u.first <= line), None) for line in names.values()
    ]
    anchors = ["", *(anchor_of(unit) if unit else "" for unit in places[1:])]
    links = (link(code(name), entry.page, at) for name, at in zip(names, anchors, strict=True))
    return ", ".join(links)


def _graphs(files: Iterable[PlannedFile], estate: Estate) -> list[str]:
    edges = list(_edges(files, estate))
    is_sure = all(edge.is_certain for edge in edges)
    return [*([] if is_sure else ["A dotted arrow: it may be so.", ""]), *graph_lines(edges)]


def _edges(files: Iterable[PlannedFile], estate: Estate) -> Iterator[Edge]:
    """Yield who starts, runs and calls whom."""
    for file in files:
        names = names_of(file)
        for relation in estate.outgoing.get(file.source.file, ()):
            if relation.verb in LEADS_ON:
                start = relation.started_by or _start(relation, names, estate)
                yield Edge(start, relation.name, relation.verb, relation.is_certain)


def _start(relation: Relation, names: Mapping[str, int], estate: Estate) -> str:
    """Return what *relation* starts from: the program around it, else the last of *names*."""
    if estate.wholes[relation.file].are_several:
        return estate.whole_of(relation).name
    before = [name for name, line in names.items() if line <= relation.line]
    return next(reversed(before), relation.file)


def _problems(plan: Plan, entries: Iterable[FilePages]) -> Iterator[str]:
    sources = {entry.file.source.file: entry.source for entry in entries}
    for file, problem in plan.problems[:_MOST_PROBLEMS]:
        line = f"line {problem.line}"
        place = link(line, sources[file], f"L{problem.line}") if file in sources else line
        yield f"- {code(file)}, {place}: {inert(problem.text)}"
    if len(plan.problems) > _MOST_PROBLEMS:
        yield f"- and {len(plan.problems) - _MOST_PROBLEMS} more"
    if plan.problems:
        yield ""


def _misread(plan: Plan) -> Iterator[str]:
    about = ["The reader of their language failed on these.", ""] if plan.misread else []
    listed = [f"- {code(path)}: {inert(reason)}" for path, reason in plan.misread]
    yield from section("Read as plain text", [*about, *listed, *([""] if listed else [])])


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
