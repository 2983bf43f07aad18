"""Relations as Markdown: what a file uses, what uses it, and what is missing. All from facts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from war_rig.document.estate.estate import LEADS_ON, Estate, Lead, Relation
from war_rig.document.pages.folder import relative
from war_rig.document.pages.inert import code, inert, link
from war_rig.readers import Unit

_MOST_LINES = 8

Pages = Mapping[str, tuple[str, str]]
"""The page and the source page of each file of the estate."""


def table(columns: str, rows: Iterable[str]) -> list[str]:
    """Return a Markdown table, empty without rows; *columns* as ``Name | Lines``."""
    found = [f"| {row} |" for row in rows]
    rules = " | ".join("---" for _ in columns.split("|"))
    return [f"| {columns} |", f"| {rules} |", *found, ""] if found else []


def section(title: str, lines: Iterable[str], level: int = 2) -> list[str]:
    """Return *lines* below a heading, nothing where there are none."""
    found = list(lines)
    return [f"{'#' * level} {title}", "", *found] if found else []


def anchor_of_whole(whole: Unit) -> str:
    """Return the anchor of its section, where a file has several."""
    return f"p{whole.first}"


def relation_lines(file: str, estate: Estate, pages: Pages) -> dict[Unit, list[str]]:
    """Return the sections "Uses" and "Used by" of each whole of *file* that has relations."""
    uses: dict[Unit, list[Relation]] = defaultdict(list)
    used_by: dict[Unit, list[Relation]] = defaultdict(list)
    for relation in estate.outgoing.get(file, ()):
        uses[estate.whole_of(relation)].append(relation)
    for relation in estate.incoming.get(file, ()):
        used_by[estate.target(relation, file)].append(relation)
    level = 2 + estate.wholes[file].are_several
    shown: dict[Unit, list[str]] = defaultdict(list)
    for whole, own in uses.items():
        rows = _uses(file, own, estate, pages)
        shown[whole] += section("Uses", table("How | What | Lines", rows), level)
    for whole, own in used_by.items():
        rows = _used_by(file, own, estate, pages)
        shown[whole] += section("Used by", table("What | How | Lines", rows), level)
    return shown


def missing_lines(estate: Estate, pages: Pages) -> list[str]:
    """Return the index's list of names that are used and not there."""
    by_name = sorted(estate.missing, key=lambda r: (r.name.upper(), r.file))
    found = []
    for name, users in groupby(by_name, key=lambda relation: relation.name.upper()):
        places = dict.fromkeys(_user(relation, estate, pages) for relation in users)
        found.append(f"{code(name)} | {', '.join(places)}")
    return section("Not in this source", table("Name | Used by", found))


def open_lines(file: str, estate: Estate, pages: Pages) -> list[str]:
    """Return what *file* uses that is not in the source, or whose target can't be told."""
    source = relative(pages[file][1], pages[file][0])
    found = [*_missing(estate.outgoing.get(file, ()), source)]
    for relation in estate.outgoing.get(file, ()):
        name, line = code(relation.name), _lines([relation.line], source)
        if isinstance(relation, Lead):
            verb = inert(relation.verb)
            found.append(f"- It {verb} what {name} names, which could not be found (line {line}).")
        elif relation.verb == "copies":
            mapsets = set(relation.files) & set(estate.copybooks.screens(relation.name))
            there = " or ".join(_page_of(path, pages, pages[file][0]) for path in sorted(mapsets))
            if there:
                found.append(
                    f"- {name} is not there itself: BMS makes it of {there} (line {line})."
                )
        elif relation.verb in LEADS_ON:
            text = [path for path in relation.files if estate.copybooks.is_text(path)]
            there = " and ".join(_page_of(path, pages, pages[file][0]) for path in text)
            if there:
                found.append(f"- {name} is there as {there}, which was read as text (line {line}).")
    for fact in estate.copybooks.unapplied(file):
        name, line = code(fact.object), _lines([fact.line], source)
        found.append(
            f"- {name} is copied with a REPLACING that could not be applied (line {line})."
        )
    return list(dict.fromkeys(found))


def _is_perhaps_missing(relation: Relation) -> bool:
    is_known = relation.is_certain or relation.files or isinstance(relation, Lead)
    return relation.verb in LEADS_ON and not is_known


def _missing(outgoing: Iterable[Relation], source: str) -> Iterator[str]:
    """Yield each name that is not in the source, with the lines that use it, or perhaps do."""
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for relation in outgoing:
        if relation.is_missing:
            lines[relation.name, ""].append(relation.line)
        elif _is_perhaps_missing(relation):
            lines[relation.name, f", which it {_verb(relation)},"].append(relation.line)
    for (name, how), numbers in lines.items():
        word = "line" if len(set(numbers)) == 1 else "lines"
        yield f"- {code(name)}{how} is not in this source ({word} {_lines(numbers, source)})."


def data_lines(estate: Estate, pages: Pages) -> list[str]:
    """Return the index's list of data sets and tables, and who uses them, and how."""
    by_name = sorted(estate.data, key=lambda r: (r.name.upper(), r.file, r.verb))
    found = []
    for name, users in groupby(by_name, key=lambda relation: relation.name.upper()):
        verbs: dict[str, dict[str, None]] = {}
        for relation in users:
            verbs.setdefault(_user(relation, estate, pages), {})[relation.verb] = None
        shown = (f"{user} {inert(', '.join(known))} it" for user, known in verbs.items())
        found.append(f"{code(name)} | {', '.join(shown)}")
    return section("Data", table("Data set or table | Used by", found))


def _page_of(file: str, pages: Pages, start: str = "", text: str = "") -> str:
    """Return a link to the page of *file*, its name alone where there is no page."""
    shown = code(text or file)
    return link(shown, relative(pages[file][0], start)) if file in pages else shown


def _user(relation: Relation, estate: Estate, pages: Pages, start: str = "") -> str:
    """Return a link to what *relation* starts from: its file, or one of several programs in it."""
    file, whole = relation.file, estate.whole_of(relation)
    if file not in pages or not estate.wholes[file].are_several:
        return _page_of(file, pages, start)
    place = relative(pages[file][0], start), anchor_of_whole(whole)
    return link(f"{code(whole.name)} in {code(file)}", *place)


def _target(relation: Relation, file: str, estate: Estate, pages: Pages, start: str) -> str:
    """Return a link to what *relation* leads to in *file*, by the name that it has there."""
    if file not in pages or not estate.wholes[file].are_several:
        return _page_of(file, pages, start, relation.name)
    place = relative(pages[file][0], start), anchor_of_whole(estate.target(relation, file))
    return link(code(relation.name), *place)


def _uses(file: str, outgoing: Iterable[Relation], estate: Estate, pages: Pages) -> Iterator[str]:
    """Yield a row for each name; one for all names that the same lines may mean."""

    def key(relation: Relation) -> tuple[str, bool, str]:
        return relation.verb, not relation.is_certain, relation.name.upper()

    page, source = pages[file]
    rows: dict[tuple[str, str, str], list[str]] = {}
    for _, group in groupby(sorted(outgoing, key=key), key=key):
        relations = list(group)
        first = relations[0]
        targets = [_target(first, target, estate, pages, page) for target in first.files]
        lines = _lines((r.line for r in relations), relative(source, page))
        alone = first.name.upper() if first.is_certain else ""
        names = rows.setdefault((_verb(first), lines, alone), [])
        names += targets or [code(first.name)]
    for (verb, lines, _), names in rows.items():
        yield f"{verb} | {' or '.join(names)} | {lines}"


def _used_by(
    file: str, incoming: Iterable[Relation], estate: Estate, pages: Pages
) -> Iterator[str]:
    def key(relation: Relation) -> tuple[str, int, str, bool]:
        first = estate.whole_of(relation).first
        return relation.file, first, relation.verb, not relation.is_certain

    page = pages[file][0]
    for _, group in groupby(sorted(incoming, key=key), key=key):
        relations = list(group)
        first = relations[0]
        numbers = (r.line for r in relations)
        there = first.file in pages
        lines = _lines(numbers, relative(pages[first.file][1], page) if there else "")
        yield f"{_user(first, estate, pages, page)} | {_verb(first)} it | {lines}"


def _verb(relation: Relation) -> str:
    return inert(relation.verb if relation.is_certain else f"perhaps {relation.verb}")


def _lines(numbers: Iterable[int], source: str) -> str:
    """Return links to lines of the page *source*, the numbers alone without one."""
    known = sorted(set(numbers))
    shown = ", ".join(
        link(f"{n}", source, f"L{n}") if source else f"{n}" for n in known[:_MOST_LINES]
    )
    more = len(known) - _MOST_LINES
    return f"{shown}{f' and {more} more' if more > 0 else ''}"
