"""Where data items lie in storage: what an item finds in the VALUEs that it redefines.

A table is often written as FILLERs with VALUEs, and redefined by items with names. A
record of which one size is not known is left alone, and so is what follows a COPY in it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from war_rig.readers.cobol_items import Item
from war_rig.readers.cobol_lines import Found, words

_RECORDS = ("01", "1", "77")
_NO_STORAGE = ("66", "88")
_SIGN = re.compile(r"([^()])(?:\((\d{1,9})\))?")
_TEXT = re.compile(r"(?:[XA](?:\(\d+\))?)+")
_BINARY = words("COMP COMP-4 COMP-5 COMPUTATIONAL BINARY")
_PACKED = words("COMP-3 PACKED-DECIMAL")
_SIZES = {"COMP-1": 4, "COMP-2": 8, "INDEX": 4, "POINTER": 4}
_BLANKS = ("SPACE", "SPACES")
_LARGEST = 1_000_000
_MOST_PLACES = 20_000


def values_redefined(items: Sequence[Item | None]) -> Iterator[Found]:
    """Yield the literals that text items lie over; None among *items* stands for a COPY."""
    if not any(item is not None and item.redefines for item in items):
        return
    storages: dict[str, _Storage] = {}
    for record in _records(items):
        redefined = record.item.redefines
        storage = storages.get(redefined) if redefined else _Storage()
        if storage is not None and record.size is not None:
            storages[_name(record.item)] = storage
            yield from storage.place(record, 0, bool(redefined))


def _name(item: Item) -> str:
    return item.name.text if item.name else ""


@dataclass(slots=True)
class _Node:
    """An item with those below it. size: of one occurrence in bytes, None where not known.

    has_value: whether it, or one below it, has a VALUE.
    """

    item: Item
    below: "list[_Node]" = field(default_factory=list)
    size: int | None = None
    has_value: bool = False

    def measure(self, usage: str = "") -> None:
        """Set the sizes of the item and those below it; *usage* is that of the group around."""
        usage = self.item.usage or usage
        for node in self.below:
            node.measure(usage)
        self.has_value = bool(self.item.values) or any(node.has_value for node in self.below)
        totals = [node.total for node in self.below if not node.item.redefines]
        known = [total for total in totals if total is not None]
        if self.item.is_moved or len(known) < len(totals):
            return
        self.size = sum(known) if self.below else _size(self.item.picture, usage)

    @property
    def total(self) -> int | None:
        """Return the size of all occurrences."""
        total = None if self.size is None else self.size * self.item.occurs
        return total if total is None or total <= _LARGEST else None


def _size(picture: str, usage: str) -> int | None:
    """Return how many bytes an elementary item has, None where it does not say."""
    if usage in _SIZES:
        return _SIZES[usage]
    signs = [(sign, int(times or 1)) for sign, times in _SIGN.findall(picture)]
    digits = sum(times for sign, times in signs if sign == "9")
    if usage in _BINARY:
        return 2 if digits < 5 else 4 if digits < 10 else 8
    if usage in _PACKED:
        return digits // 2 + 1
    return sum(times * (1 + (sign in "NG")) for sign, times in signs if sign not in "SVP") or None


def _records(items: Iterable[Item | None]) -> Iterator[_Node]:
    """Yield the records with their sizes, each up to the first COPY in it."""
    path: list[_Node] = []
    for item in items:
        if item is None or item.level.text in _RECORDS:
            yield from _measured(path)
            path = [_Node(item)] if item else []
        elif path and item.level.text not in _NO_STORAGE:
            while len(path) > 1 and int(path[-1].item.level.text) >= int(item.level.text):
                path.pop()
            path[-1].below.append(_Node(item))
            path.append(path[-1].below[-1])
    yield from _measured(path)


def _measured(path: Sequence[_Node]) -> Iterator[_Node]:
    for record in path[:1]:
        record.measure()
        yield record


class _Storage:
    """The literals in a record's storage, in order, each where it starts."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._literals: list[tuple[str, int]] = []  # with its blanks, and its line
        self._end = 0  # of the last one
        self._left = _MOST_PLACES
        self._told: set[tuple[str, str]] = set()

    def place(self, node: _Node, start: int, is_over: bool) -> Iterator[Found]:
        """Put all occurrences of *node* at *start*; yield what they lie over, if they do."""
        size = node.size if is_over or node.has_value else None
        for number in range(node.item.occurs if size else 0):
            self._left -= 1
            at = start + number * (size or 0)
            if self._left < 0 or (is_over and at >= self._end):
                return
            if is_over:
                yield from self._seen(node, at)
            else:
                self._take(node, at)
            yield from self._place_below(node, at, is_over)

    def _place_below(self, node: _Node, at: int, is_over: bool) -> Iterator[Found]:
        starts: dict[str, int] = {}
        for below in node.below:
            redefined = below.item.redefines
            start = starts.get(redefined) if redefined else at
            if start is not None:
                starts[_name(below.item)] = start
                yield from self.place(below, start, is_over or bool(redefined))
            at += 0 if redefined else below.total or 0

    def _take(self, node: _Node, at: int) -> None:
        for value in node.item.values[:1]:
            text = "" if value.word in _BLANKS else value.text
            if node.size and (value.kind == "literal" or not text):
                self._starts.append(at)
                self._end = at + node.size
                self._literals.append((text.ljust(node.size)[: node.size], value.line))

    def _seen(self, node: _Node, at: int) -> Iterator[Found]:
        """Yield the text that *node* lies over, once, where it is known as a whole."""
        name = _name(node.item)
        if not (name and _TEXT.fullmatch(node.item.picture)):
            return
        text, line = self._read(at, node.size or 0)
        if text and (name, text) not in self._told:
            self._told.add((name, text))
            yield Found("value-redefined", text, line, name)

    def _read(self, at: int, size: int) -> tuple[str, int]:
        """Return what stands in *size* bytes from *at* on, and its line; "" if not all is known."""
        found, number = "", bisect_right(self._starts, at) - 1
        line = self._literals[number][1] if self._starts else 0
        while len(found) < size and 0 <= number < len(self._starts):
            offset = at + len(found) - self._starts[number]
            piece = self._literals[number][0][max(0, offset) :][: size - len(found)]
            if offset < 0 or not piece:
                return "", line
            found, number = found + piece, number + 1
        return (found.strip(), line) if len(found) == size else ("", line)
