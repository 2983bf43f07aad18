"""The data items of a file, kept apart by program, and what they may hold.

A program sees the items that it declares, or copies, and else those of the programs
around it. What an item holds is its VALUE, and the literals that are moved to it;
that finds too much rather than too little: which move comes last is not known.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from war_rig.document.copybooks import Brought, Copybooks
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Fact, Unit

_MOST_MOVES = 4

Item = tuple[Unit, str]
"""A data item: the whole that declares it, and its name in upper case."""


class DataItems:
    """Where the items of one file are declared: in itself, and in its copybooks."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks, wholes: Wholes) -> None:
        self._brought = copybooks.brought(file)
        self._wholes = wholes
        self._places: dict[Item, dict[tuple[str, int], Brought]] = {}
        for fact, brought, whole in self.facts("data"):
            if brought.is_exact:
                places = self._places.setdefault((whole, brought.name(fact.subject)), {})
                places.setdefault((fact.file, fact.line), brought)

    def facts(self, *kinds: str) -> Iterator[tuple[Fact, Brought, Unit]]:
        """Yield the facts of *kinds*, each with what brings it, and the whole that it is of."""
        for brought in self._brought:
            for fact in brought.file.reading.facts:
                if fact.kind in kinds:
                    yield fact, brought, brought.owner or self._wholes.at(fact.line)

    def item(self, name: str, whole: Unit) -> Item:
        """Return what *name*, in upper case, means in *whole*; its own where nobody declares it."""
        own = (whole, name)
        if own in self._places or not self._wholes.is_contained(whole):
            return own
        around = self._wholes.around(whole)
        return next(((one, name) for one in around if (one, name) in self._places), own)

    def places(self, item: Item) -> Mapping[tuple[str, int], Brought]:
        """Return the lines that declare *item*, each with what brings it."""
        return self._places.get(item, {})


class Literals:
    """The literals that may reach the data items of one file."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks, wholes: Wholes) -> None:
        self._file, self._copybooks, self._wholes = file, copybooks, wholes
        self._given: dict[Item, dict[str, None]] = defaultdict(dict)
        self._moved: dict[Item, dict[Item, None]] = defaultdict(dict)
        self._items: DataItems | None = None

    def of(self, name: str, line: int) -> list[str]:
        """Return the literals that may reach *name* on *line*, over four moves at most, sorted."""
        items = self._items = self._items or self._read()
        latest = [items.item(name.upper(), self._wholes.at(line))]
        reached = dict.fromkeys(latest)
        for _ in range(_MOST_MOVES):
            sources = (source for item in latest for source in self._moved.get(item, ()))
            latest = [source for source in dict.fromkeys(sources) if source not in reached]
            reached |= dict.fromkeys(latest)
        return sorted({literal for item in reached for literal in self._given.get(item, ())})

    def _read(self) -> DataItems:
        items = DataItems(self._file, self._copybooks, self._wholes)
        for fact, brought, whole in items.facts("value", "value-redefined", "move", "move-name"):
            is_name = fact.kind == "move-name"
            if not is_name and not _may_be_a_name(fact.object):
                continue
            target = items.item(brought.name(fact.subject), whole)
            if is_name:
                self._moved[target][items.item(brought.name(fact.object), whole)] = None
            else:
                self._given[target][fact.object.strip("'\" ")] = None
        return items


def _may_be_a_name(literal: str) -> bool:
    bare = literal.strip("'\" ")
    return 0 < len(bare) <= 8 and bare[0].isalpha() and bare.replace("-", "").isalnum()
