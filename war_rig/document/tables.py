"""Relations as Markdown: what a file uses, what uses it, and what is missing. All from facts."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from war_rig.document.estate import Estate, Relation
from war_rig.document.folder import relative
from war_rig.document.inert import code, inert, link

_MOST_LINES = 8

Pages = Mapping[str, tuple[str, str]]
"""The page and the source page of each file of the estate."""


def relation_lines(file: str, estate: Estate, pages: Pages) -> list[str]:
    """Return the sections "Uses" and "Used by" for the page of *file*, empty without relations."""
    return [
        *_section("Uses", list(_uses(file, estate, pages))),
        *_section("Used by", list(_used_by(file, estate, pages))),
    ]


def missing_lines(estate: Estate, pages: Pages) -> list[str]:
    """Return the index's list of names that are used and not there."""
    by_name = sorted(estate.missing, key=lambda r: (r.name.upper(), r.file))
    found = []
    for name, users in groupby(by_name, key=lambda relation: relation.name.upper()):
        files = dict.fromkeys(relation.file for relation in users)
        links = ", ".join(link(code(file), pages[file][0]) for file in files)
        found.append(f"- {code(name)}, used by {links}")
    return _section("Not in this source", found)


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if lines else []


def _uses(file: str, estate: Estate, pages: Pages) -> Iterator[str]:
    def key(relation: Relation) -> tuple[str, bool, str]:
        return relation.verb, not relation.is_certain, relation.name.upper()

    page, source = pages[file]
    for _, group in groupby(sorted(estate.outgoing.get(file, ()), key=key), key=key):
        relations = list(group)
        first = relations[0]
        verb = inert(first.verb) if first.is_certain else f"{inert(first.verb)}, it may be,"
        targets = [link(code(first.name), relative(pages[f][0], page)) for f in first.files]
        name = " or ".join(targets) or code(first.name)
        yield f"- {verb} {name}{_lines((r.line for r in relations), relative(source, page))}"


def _used_by(file: str, estate: Estate, pages: Pages) -> Iterator[str]:
    def key(relation: Relation) -> tuple[str, str, bool]:
        return relation.file, relation.verb, not relation.is_certain

    page = pages[file][0]
    for _, group in groupby(sorted(estate.incoming.get(file, ()), key=key), key=key):
        relations = list(group)
        first = relations[0]
        user, source = (relative(target, page) for target in pages[first.file])
        certainty = "" if first.is_certain else ", it may be"
        lines = _lines((r.line for r in relations), source)
        yield f"- {link(code(first.file), user)} {inert(first.verb)} it{certainty}{lines}"


def _lines(numbers: Iterable[int], source: str) -> str:
    known = sorted(set(numbers))
    shown = ", ".join(link(f"{n}", source, f"L{n}") for n in known[:_MOST_LINES])
    more = len(known) - _MOST_LINES
    return f" ({shown}{f' and {more} more' if more > 0 else ''})"
