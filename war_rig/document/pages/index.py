"""The estate's README: its overview, entry points, jobs, programs, data, and what is missing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from war_rig.document.estate.estate import LEADS_ON, Estate
from war_rig.document.judge import Judged
from war_rig.document.kinds import KINDS, Kind, kind_of, names_of
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
from war_rig.document.pages.starters import EntryPoint, Starters, entry_points
from war_rig.document.pages.tables import (
    Pages,
    anchor_of_whole,
    data_lines,
    missing_lines,
    section,
    table,
)
from war_rig.document.plan import Plan
from war_rig.readers import Unit, clipped

_MOST_LEFT_OUT = 200
_MOST_PROBLEMS = 200
_LONGEST_PURPOSE = 210  # so that a quotation of `offline` fits
_ENTERED = {
    "transaction": "Programs that transactions start",
    "job": "Jobs",
    "program": "Programs that nothing in this source starts",
}
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
    starters = Starters(plan.files, estate, pages)
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
        *section("Entry points", _entry_points(entry_points(entries, estate))),
        *_by_kind(entries, starters),
        *data_lines(estate, pages),
        *section("How it hangs together", _graphs(estate, starters)),
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


def _entry_points(points: Iterable[EntryPoint]) -> Iterator[str]:
    """Yield where work begins, a line for each way: by a transaction, as a job, from elsewhere."""
    shown: dict[str, list[str]] = {"transaction": [], "job": [], "program": []}
    for point in points:
        place = _links(point.entry, point.whole)
        by = f" by {' and '.join(map(code, point.transactions))}" if point.transactions else ""
        shown[point.kind].append(f"{place}{by}")
    for kind, places in shown.items():
        if places:
            yield f"- {_ENTERED[kind]}: {', '.join(places)}"
    yield from [""] if any(shown.values()) else []


def _by_kind(entries: Sequence[FilePages], starters: Starters) -> Iterator[str]:
    of_kind: dict[Kind, list[FilePages]] = {kind: [] for kind in KINDS}
    for entry in entries:
        of_kind[kind_of(entry.file)].append(entry)
    for kind, own in of_kind.items():
        started = starters.of(own) if kind.fact == "program" else {}
        who = ["Started by"] if started else []
        columns = [kind.word, "What it is for", *who, "Units", "Claims", "Unverified"]
        shown = table(" | ".join([*columns, "Not documented"]), _rows(own, started))
        yield from section(kind.title, shown)


def _rows(entries: Sequence[FilePages], started: Mapping[Unit, str]) -> Iterator[str]:
    """Yield a row for each whole, with its file where others are called the same."""
    wholes = [(entry, whole) for entry in entries for whole in entry.wholes.all]
    often = Counter(_name(*one) for one in wholes)
    for entry, whole in wholes:
        name = _name(entry, whole)
        where = f" in {code(entry.file.source.file)}" if name and often[name] > 1 else ""
        cells = [f"{_links(entry, whole)}{where}", purpose_of(entry, whole)]
        yield " | ".join([*cells, *([started[whole]] if started else []), *_counts(entry, whole)])


def _name(entry: FilePages, whole: Unit) -> str:
    """Return the name, or the names, of what *whole* holds, "" where it has none."""
    return whole.name if entry.wholes.are_several else ", ".join(names_of(entry.file))


def _counts(entry: FilePages, whole: Unit) -> Iterator[str]:
    """Yield how many units, claims, unverified claims and undocumented units there are."""
    of_units = entry.judged_of(whole)
    judged = [*of_units, *filter(None, [entry.composed.get(whole)])]
    units = len(entry.wholes.units[whole])
    yield str(units)
    yield str(sum(len(one.verified) for one in judged))
    yield str(sum(len(one.unverified) for one in judged))
    yield str(units - sum(one.failure is None for one in of_units))


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


def _graphs(estate: Estate, starters: Starters) -> list[str]:
    """Return graphs of who starts, runs and calls whom."""
    edges = [
        Edge(starters.name(relation), relation.name, relation.verb, relation.is_certain)
        for relation in estate.relations
        if relation.verb in LEADS_ON
    ]
    is_sure = all(edge.is_certain for edge in edges)
    return [*([] if is_sure else ["A dotted arrow: it may be so.", ""]), *graph_lines(edges)]


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
