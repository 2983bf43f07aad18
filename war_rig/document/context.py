"""What is shown with a unit: the declarations that it uses, and what is known of what it uses."""

import re
from collections.abc import Callable, Collection, Iterable

from war_rig.document.copybooks import Copybooks
from war_rig.document.data_names import DataItems
from war_rig.document.estate import Relation
from war_rig.document.ground import Line
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Unit

_WORD = re.compile(r"[\w:$#@-]+")
_MOST_LINES = 40
_MOST_KNOWN = 20


class Declarations:
    """The lines that declare the names which a file uses."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks, wholes: Wholes) -> None:
        self._source = file.source
        self._items, self._wholes = DataItems(file, copybooks, wholes), wholes

    def of(self, unit: Unit) -> tuple[Line, ...]:
        """Return the lines outside *unit* that declare names in it, at most some."""
        lines = self._source.lines[unit.first - 1 : unit.last]
        words = dict.fromkeys(word.upper() for line in lines for word in _WORD.findall(line))
        whole = self._wholes.at(unit.first)
        found: dict[tuple[str, int], Line] = {}
        for word in words:
            places = self._items.places(self._items.item(word, whole))
            for (file, number), brought in places.items():
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
