"""What is shown with a unit: the declarations that it uses, and what is known of what it uses."""

import re
from collections.abc import Callable, Collection, Iterable

from war_rig.document.copybooks import Brought, Copybooks
from war_rig.document.estate import Relation
from war_rig.document.ground import Line
from war_rig.document.plan import PlannedFile
from war_rig.readers import Unit

_WORD = re.compile(r"[\w:$#@-]+")
_MOST_LINES = 40
_MOST_KNOWN = 20


class Declarations:
    """Where the names that a file uses are declared: in itself, and in its copybooks."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks) -> None:
        self._source = file.source
        self._known: dict[str, dict[tuple[str, int], Brought]] = {}
        for brought in copybooks.brought(file):
            for fact in brought.file.reading.facts:
                if fact.kind == "data" and brought.is_exact:
                    places = self._known.setdefault(brought.name(fact.subject), {})
                    places.setdefault((fact.file, fact.line), brought)

    def of(self, unit: Unit) -> tuple[Line, ...]:
        """Return the lines outside *unit* that declare names in it, at most some."""
        lines = self._source.lines[unit.first - 1 : unit.last]
        words = dict.fromkeys(word.upper() for line in lines for word in _WORD.findall(line))
        found: dict[tuple[str, int], Line] = {}
        for word in words:
            for (file, number), brought in self._known.get(word, {}).items():
                if file != unit.file or not unit.first <= number <= unit.last:
                    found.setdefault((file, number), Line(file, number, brought.line(number)))
        return tuple(found.values())[:_MOST_LINES]


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
