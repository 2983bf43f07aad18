"""What a data item surely holds where it is used: by the MOVE before it, if nothing lies between.

Only a list of statements is looked at that is run from its first to its last one, or not at all:
a condition, another paragraph or a statement that is not known between the two leaves it open.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from war_rig.readers.cobol_exec import EXEC_WORDS
from war_rig.readers.cobol_items import Item
from war_rig.readers.cobol_lines import END, Token
from war_rig.readers.cobol_statements import VERBS, Tokens, behind_name, is_constant, is_name

_FILE_OPTIONS = ("PROGRAM", "FILE", "DATASET")
_MOST_QUALIFIERS = 100
_IN_DISPLAY = ("EXCEPTION", "ESCAPE", "LINE", "FUNCTION")  # ON is optional before a condition
_RECORDS = ("01", "1", "77")
_NO_STORAGE = ("66", "88")
_PLAIN_TEXT = re.compile(r"X+|X\(0*([1-9]\d{0,4})\)")


@dataclass(frozen=True, slots=True)
class LastMove:
    """What is moved, on which line the list begins, and what is written to behind it.

    written: data items, and conditions that are set.
    """

    source: Token
    first: int
    written: tuple[str, ...]

    @property
    def is_constant(self) -> bool:
        """Return whether a literal, a number or a word such as SPACES is moved."""
        return is_constant(self.source)


def last_move(tokens: Tokens, name: str, line: int) -> LastMove | None:
    """Return the MOVE to *name*, in upper case, that is the last before its use on *line*."""
    first, behind = (bisect_left(tokens, n, key=lambda token: token.line) for n in (line, line + 1))
    uses = [at for at in range(first, behind) if tokens[at].word == name and _is_use(tokens, at)]
    if len(uses) != 1 or _has_parentheses(tokens, uses[0]):
        return None
    end = _statement_of(tokens, uses[0])
    written: list[str] = []
    is_in_sentence = True
    while end > 0:
        if tokens[end - 1].kind == ".":
            is_in_sentence, end = False, end - 1
            continue
        first = _verb_before(tokens, end)
        changed = _changed(tokens[first:end])
        if changed is None:
            return None
        written += (one for one in changed if one != name)
        if name in changed:
            return _move(tokens, first, end, tuple(written), is_in_sentence)
        end = first
    return None


def _is_use(tokens: Tokens, at: int) -> bool:
    before, one_more = tokens[at - 1].word if at else "", tokens[at - 2].word if at > 1 else ""
    return before == "CALL" or (before == "(" and one_more in _FILE_OPTIONS)


def _has_parentheses(tokens: Tokens, at: int) -> bool:
    """Return whether the name at *at* is subscripted, or only a piece of it is meant."""
    ahead = [*tokens[at : at + _MOST_QUALIFIERS], END, END]
    return any(token.word == "(" for token in ahead[: behind_name(ahead, 0)])


def _statement_of(tokens: Tokens, at: int) -> int:
    while at > 0 and tokens[at].word not in ("CALL", *EXEC_WORDS):
        at -= 1
    return at


def _verb_before(tokens: Tokens, end: int) -> int:
    at = end - 1
    while at > 0 and tokens[at].word not in VERBS:
        at -= 1
    return at


def _changed(statement: Sequence[Token]) -> list[str] | None:
    """Return what *statement* writes to, None where it may do anything else, or is not alone."""
    tokens = [*statement, END, END]
    words = [token.word for token in statement]
    if words[0] == "DISPLAY":
        return [] if all(map(_is_operand, statement[1:])) else None
    if words[0] == "SET" and words[-2:] == ["TO", "TRUE"]:
        return _names(tokens[:-4], 1)
    source = tokens[1]
    if words[0] != "MOVE" or not (is_constant(source) or is_name(source)):
        return None
    to = 2 if is_constant(source) else behind_name(tokens, 1)
    is_plain = source.word not in ("ALL", "CORR", "CORRESPONDING", "FUNCTION", "LENGTH", "ADDRESS")
    return _names(tokens[:-2], to + 1) if is_plain and tokens[to].word == "TO" else None


def _is_operand(token: Token) -> bool:
    """Return whether DISPLAY with it runs nothing else, as a condition or a function does."""
    if token.word in _IN_DISPLAY:
        return False
    return token.kind in ("literal", "sign") or is_name(token) or is_constant(token)


def _names(tokens: Tokens, at: int) -> list[str] | None:
    """Return the names that stand from *at* on, None where anything else does."""
    found, tokens = [], [*tokens, END, END]
    while is_name(tokens[at]) and not is_constant(tokens[at]):
        found.append(tokens[at].word)
        at = behind_name(tokens, at)
    return found if found and tokens[at].kind == "end" else None


def _move(
    tokens: Tokens, first: int, end: int, written: tuple[str, ...], is_in_sentence: bool
) -> LastMove | None:
    """Return the MOVE at *first* if it is no part of a condition, and moves to a whole item."""
    at = first
    while not is_in_sentence and at > 0 and tokens[at - 1].kind != ".":
        end_before, at = at, _verb_before(tokens, at)
        if _changed(tokens[at:end_before]) is None:
            return None
    name_at = next(i for i in range(end - 1, first, -1) if tokens[i].word == "TO")
    has_piece = any(token.word == "(" for token in tokens[name_at:end])
    return None if has_piece else LastMove(tokens[first + 1], tokens[at].line, written)


def _set_true(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the conditions that SET makes true, and the names that qualify them."""
    names: list[Token] = []
    is_set = False
    for token in tokens:
        if token.word in VERBS or token.kind == ".":
            names, is_set = [], token.word == "SET"
        elif token.word == "TRUE":
            yield from names
            names = []
        elif is_set and is_name(token):
            names.append(token)


@dataclass(slots=True)
class Declared:
    """What the items of a file are: names in upper case.

    pieces: elementary items, and the conditions of such; others: the rest. redefined:
    what some item redefines. alone: pieces without conditions that do not lie over
    another item, each with the names of the groups around it, and its own. lengths:
    of those declared once, as plain text, how many characters they hold from the left.
    conditions: each with its item, and the first value, which the item has when it is set.
    set_true: the conditions that SET makes true, and the names that qualify them.
    """

    pieces: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    redefined: set[str] = field(default_factory=set)
    alone: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    conditions: list[tuple[str, str, Token]] = field(default_factory=list)
    set_true: tuple[Token, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Item | None], tokens: Iterable[Token] = ()) -> "Declared":
        """Return what *items* are, and *tokens* set; behind None, a COPY, no record is known."""
        found, path, last = cls(set_true=tuple(_set_true(tokens))), _Path(), None
        for item in items:
            name = item.name.text if item and item.name else ""
            if item is None:
                path, last = _Path(), None
            elif item.level.text in _NO_STORAGE:
                found._take_condition(item, name, last if item.level.text == "88" else None)
            else:
                path, last = path.to(item), item
                found._take(item, name, path)
        return found

    def _take_condition(self, condition: Item, name: str, item: Item | None) -> None:
        """Take a condition of *item*, or what is no item at all."""
        (self.pieces if item and item.picture else self.others).add(name)
        if item and item.name:
            self.alone.pop(item.name.text, None)  # to set the condition is to write to it
            self.conditions += ((name, item.name.text, one) for one in condition.values[:1])

    def _take(self, item: Item, name: str, path: "_Path") -> None:
        if item.redefines:
            self.redefined.add(item.redefines)
        text = _PLAIN_TEXT.fullmatch(item.picture)
        if name in self.pieces or name in self.others:
            self.alone.pop(name, None)
            self.lengths.pop(name, None)
        else:
            if item.picture and path.is_alone:
                self.alone[name] = path.names
            if text and not item.is_right:
                self.lengths[name] = int(text[1] or len(text[0]))
        (self.pieces if item.picture else self.others).add(name)


@dataclass(frozen=True, slots=True)
class _Path:
    """An item, the last one, below the groups around it; none where no record has begun."""

    items: tuple[Item, ...] = ()

    def to(self, item: Item) -> "_Path":
        level = int(item.level.text)
        around = tuple(one for one in self.items if int(one.level.text) < level)
        is_record = item.level.text in _RECORDS
        return _Path((item,) if is_record else (*around, item) if around else ())

    @property
    def is_alone(self) -> bool:
        return bool(self.items) and not any(item.redefines for item in self.items)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name.text for item in self.items if item.name)
