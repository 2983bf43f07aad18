"""What is shown with a unit: the declarations that it uses, and what is known of what it uses."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from war_rig.document.checks.ground import Line
from war_rig.document.estate.copybooks import Brought, Copybooks
from war_rig.document.estate.data_names import DataItems
from war_rig.document.estate.estate import Relation
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Unit
from war_rig.readers.cobol_lines import scan

_WORD = re.compile(r"[\w:$#@-]+")
_MOST_LINES = 40
_AHEAD = (1, 4, _MOST_LINES)  # most items end on their first line
_MOST_KNOWN = 20


class Declarations:
    """The lines that declare the names which a file uses."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks, wholes: Wholes) -> None:
        self._source = file.source
        self._items, self._wholes = DataItems(file, copybooks, wholes), wholes

    def of(self, unit: Unit) -> tuple[Line, ...]:
        """Return the lines outside *unit* that declare names in it: whole items, at most some."""
        lines = self._source.lines[unit.first - 1 : unit.last]
        words = dict.fromkeys(word.upper() for line in lines for word in _WORD.findall(line))
        whole = self._wholes.at(unit.first)
        found: dict[tuple[str, int], Line] = {}
        for word in words:
            places = self._items.places(self._items.item(word, whole))
            for (file, number), brought in places.items():
                if file != unit.file or not unit.first <= number <= unit.last:
                    item = {(line.file, line.number): line for line in _item(brought, number, word)}
                    together = item | found
                    if len(together) <= _MOST_LINES:
                        found |= {place: together[place] for place in item}
        return tuple(found.values())


def _item(brought: Brought, first: int, name: str) -> list[Line]:
    """Return the lines that declare *name* from *first* on: to its period, where there is one."""
    source = brought.file.source
    most = min(_MOST_LINES, len(source.lines) - first + 1) if brought.file.is_cobol else 1
    lines: list[Line] = []
    for ahead in _AHEAD:
        numbers = range(first + len(lines), first + min(ahead, most))
        lines += [Line(source.file, number, brought.line(number)) for number in numbers]
        length = _length([line.text for line in lines], name)
        if length:
            return lines[:length]
    return lines[:1]


def _length(lines: Sequence[str], name: str) -> int:
    """Return how many of *lines* belong to the item *name* on the first, 0 without its period."""
    tokens = scan(lines).tokens
    start = next((at for at, token in enumerate(tokens) if token.word == name), len(tokens))
    return next((token.line for token in tokens[start:] if token.kind == "."), 0)


def known_of(
    unit: Unit,
    relations: Iterable[Relation],
    files: Collection[str],
    purpose: Callable[[str, str], tuple[str, str | None]],
) -> dict[str, str]:
    """Return what *unit* leads to in *files*, with what *purpose* says of it, at most some."""
    used = [
        (target, relation.name)
        for relation in relations
        if unit.first <= relation.line <= unit.last
        for target in relation.files
        if target in files
    ]
    known = dict(purpose(*place) for place in dict.fromkeys(used))
    return dict([(name, text) for name, text in known.items() if text][:_MOST_KNOWN])
