"""The data items of a file, kept apart by program, and what they may hold.

A program sees the items that it declares, or copies, and else those of the programs
around it. Where one MOVE surely comes last, an item holds what that moves; else it may
hold its VALUE, and each literal that is moved to it, over other items too. What it gets
otherwise is not known: by a caller, a group, a file or a piece of it.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from war_rig.document.estate.copybooks import Brought, Copybooks
from war_rig.document.plan import PlannedFile
from war_rig.document.wholes import Wholes
from war_rig.readers import Fact, Unit
from war_rig.readers.cobol_moves import LastMove, last_move
from war_rig.readers.cobol_statements import FIGURATIVES

_MOST_MOVES = 4
_OWN_STORAGE = ("WORKING-STORAGE", "LOCAL-STORAGE")
_DIRECTIVE = re.compile(r"[\s\d]*(?:>>|\$[A-Za-z])")
_CONSTANTS = FIGURATIVES - {"QUOTE"}  # which may be the name of a program

Item = tuple[Unit, str]
"""A data item: the whole that declares it, and its name in upper case."""


class DataItems:
    """Where the items of one file are declared: in itself, and in its copybooks."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks, wholes: Wholes) -> None:
        self._brought = copybooks.brought(file)
        self._copybooks, self._wholes = copybooks, wholes
        self._storage: _Storage | None = None
        self._sections = [f for f in file.reading.facts if f.kind == "section"]
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
                    yield fact, brought, self._whole(brought, fact.line)

    def set_by_conditions(self) -> Iterator[tuple[Item, str]]:
        """Yield each item of which a condition is set, with the value that it has then."""
        found = [(one, self._copybooks.declared(one.file.source.file)) for one in self._brought]
        are_set = {
            self.item(brought.name(token.text), self._whole(brought, token.line))
            for brought, declared in found
            for token in declared.set_true
        }
        for brought, declared in found:
            for name, item, value in declared.conditions:
                whole = self._whole(brought, value.line)
                if (whole, brought.name(name)) in are_set:
                    yield (whole, brought.name(item)), value.text

    def _whole(self, brought: Brought, line: int) -> Unit:
        return brought.owner or self._wholes.at(line)

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

    def is_safe(self, item: Item, written: Sequence[Item]) -> bool:
        """Return whether *item* stays as it is where the items *written* are written to.

        So it is where they and it are elementary and of own storage, and it lies over no other.
        """
        places = list(self.places(item).items())
        if len(places) != 1 or not all(map(self._is_own, [item, *written])):
            return False
        (file, _), brought = places[0]
        are_exact = all(brought.is_exact for brought in self._brought)
        if not are_exact or sum(one.file is brought.file for one in self._brought) > 1:
            return False
        known = self._known
        groups = known.groups.get((file, item[1]))
        if groups is None or groups & known.redefined:
            return False
        return all(name in known.pieces and name not in known.others for _, name in written)

    def length(self, item: Item) -> int | None:
        """Return how many characters *item* holds, None where it is no plain text, or unclear."""
        places = list(self.places(item).items())
        if len(places) != 1 or places[0][1].replaced:  # REPLACING may change a PICTURE
            return None
        return self._known.lengths.get((places[0][0][0], item[1]))

    @property
    def _known(self) -> "_Storage":
        self._storage = self._storage or _Storage.of(self._brought, self._copybooks)
        return self._storage

    def _is_own(self, item: Item) -> bool:
        """Return whether *item* is in storage where only a declaration lays one over another."""
        lines = [
            brought.copy.line if brought.copy else line
            for (_, line), brought in self.places(item).items()
        ]
        return bool(lines) and all(self._section(line) in _OWN_STORAGE for line in lines)

    def _section(self, line: int) -> str:
        """Return the section of the user's own file in which *line* stands."""
        behind = bisect_right(self._sections, line, key=lambda fact: fact.line)
        return self._sections[behind - 1].object if behind else ""


@dataclass(slots=True)
class _Storage:
    """What all files together declare; see Declared. groups: by file and name, itself among them.

    lengths: by file and name. All names are as the user of the files knows them.
    """

    pieces: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    redefined: set[str] = field(default_factory=set)
    groups: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    lengths: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[Brought], copybooks: Copybooks) -> "_Storage":
        found = cls()
        for brought in files:
            path = brought.file.source.file
            own = copybooks.declared(path)
            found.pieces.update(map(brought.name, own.pieces))
            found.others.update(map(brought.name, own.others))
            found.redefined.update(map(brought.name, own.redefined))
            for name, groups in own.alone.items():
                found.groups[path, brought.name(name)] = set(map(brought.name, groups))
            for name, length in own.lengths.items():
                found.lengths[path, brought.name(name)] = length
        return found


class Literals:
    """The literals that may reach the data items of one file, cut to what these can hold."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks, wholes: Wholes) -> None:
        self._file, self._copybooks, self._wholes = file, copybooks, wholes
        self._given: dict[Item, dict[str, None]] = defaultdict(dict)
        self._moved: dict[Item, dict[Item, None]] = defaultdict(dict)
        self._items: DataItems | None = None

    def of(self, name: str, line: int) -> list[str]:
        """Return the literals that may reach *name* on *line*, over four moves at most, sorted."""
        items = self._items = self._items or self._read()
        whole, most = self._wholes.at(line), _MOST_MOVES
        start = items.item(name.upper(), whole)
        length = items.length(start)
        move = self._last_move(items, start, line) if length else None
        if move and move.is_constant:
            is_literal = move.source.kind == "literal"
            return _names_in(move.source.text, length) if is_literal else []
        if move:
            start, most = items.item(move.source.text, whole), most - 1
        return sorted({literal[:length] for literal in self._reaching(start, most)})

    def _reaching(self, start: Item, most: int) -> set[str]:
        latest = [start]
        reached = dict.fromkeys(latest)
        for _ in range(most):
            sources = (source for item in latest for source in self._moved.get(item, ()))
            latest = [source for source in dict.fromkeys(sources) if source not in reached]
            reached |= dict.fromkeys(latest)
        return {literal for item in reached for literal in self._given.get(item, ())}

    def _read(self) -> DataItems:
        items = DataItems(self._file, self._copybooks, self._wholes)
        for fact, brought, whole in items.facts("value", "value-redefined", "move", "move-name"):
            is_name = fact.kind == "move-name"
            target = items.item(brought.name(fact.subject), whole)
            if is_name:
                self._moved[target][items.item(brought.name(fact.object), whole)] = None
            else:
                found = _names_in(fact.object, items.length(target))
                self._given[target] |= dict.fromkeys(found)
        for target, literal in items.set_by_conditions():
            self._given[target] |= dict.fromkeys(_names_in(literal, items.length(target)))
        return items

    def _last_move(self, items: DataItems, item: Item, line: int) -> LastMove | None:
        """Return the MOVE that surely gives *item* what it holds on *line*, if there is one."""
        move = last_move(self._copybooks.tokens(self._file.source.file), item[1], line)
        whole = self._wholes.at(line)
        if move is None or not items.is_safe(item, [items.item(n, whole) for n in move.written]):
            return None
        between = self._file.source.lines[move.first - 1 : line]
        return None if any(map(_DIRECTIVE.match, between)) else move


def _names_in(literal: str, length: int | None) -> list[str]:
    """Return the name that an item of *length* holds of *literal*, none where it is no name."""
    bare = literal[:length].strip("'\" ")
    is_spelt_so = bare[:1].isalpha() and bare.replace("-", "").isalnum()
    return [bare] if is_spelt_so and len(bare) <= 8 and literal not in _CONSTANTS else []
