"""COBOL's data items: from the tokens behind a level number to what is declared."""

from collections.abc import Iterator
from dataclasses import dataclass

from war_rig.readers.cobol_lines import Found, Token, words
from war_rig.readers.cobol_statements import Tokens, is_constant, is_name, is_number

_CLAUSES = words(
    "PIC PICTURE REDEFINES RENAMES OCCURS VALUE VALUES USAGE COMP COMP-1 COMP-2 COMP-3 COMP-4 "
    "COMP-5 COMPUTATIONAL BINARY PACKED-DECIMAL DISPLAY INDEX POINTER SIGN SYNC SYNCHRONIZED JUST "
    "JUSTIFIED BLANK GLOBAL EXTERNAL TIMES TO THRU THROUGH DEPENDING ASCENDING DESCENDING INDEXED "
    "IS ARE WHEN FILLER LEADING TRAILING"
)
_USAGES = words(
    "COMP COMP-1 COMP-2 COMP-3 COMP-4 COMP-5 COMPUTATIONAL BINARY PACKED-DECIMAL INDEX POINTER"
)
_MOVED = words("SYNC SYNCHRONIZED SEPARATE")
_RIGHT = words("JUST JUSTIFIED")


@dataclass(slots=True)
class Item:
    """A data item. name: None for FILLER; is_moved: a clause puts it where its size does not tell.

    values: the constants of VALUE; occurs: at most so often. is_right: what is moved there
    is cut at its left.
    """

    level: Token
    name: Token | None
    picture: str = ""
    usage: str = ""
    redefines: str = ""
    occurs: int = 1
    is_moved: bool = False
    is_right: bool = False
    values: tuple[Token, ...] = ()

    def facts(self) -> Iterator[Found]:
        """Yield what is declared, nothing for FILLER."""
        if self.name is not None:
            name = self.name.text
            yield Found("data", f"{self.level.text} {self.picture}".strip(), self.name.line, name)
            yield from (Found("value", value.text, value.line, name) for value in self.values)


def read_item(tokens: Tokens, at: int) -> tuple[Item, int]:
    """Return the data item whose level stands at *at*, and where it ends."""
    level, name = tokens[at], tokens[at + 1]
    is_named = name.kind == "word" and name.word not in _CLAUSES
    item = Item(level, name if is_named else None)
    at += 1 + is_named
    while not _ends_item(tokens, at):
        at = _clause(item, tokens, at)
    return item, at


def _clause(item: Item, tokens: Tokens, at: int) -> int:
    """Take what the token at *at* says of *item*; return where to go on."""
    token, word = tokens[at], tokens[at].word
    if token.kind == "picture":
        item.picture = item.picture or token.text
    elif word in ("VALUE", "VALUES"):
        return _values(item, tokens, at + 1)
    elif word in _USAGES:
        item.usage = word
    elif word == "REDEFINES" and tokens[at + 1].kind == "word":
        item.redefines = tokens[at + 1].text
    elif word in ("OCCURS", "TO") and is_number(tokens[at + 1]):
        times = tokens[at + 1].text
        item.occurs = int(times) if times.isdecimal() and len(times) < 10 else item.occurs
    elif word in _MOVED:
        item.is_moved = True
    elif word in _RIGHT:
        item.is_right = True
    return at + 1


def _values(item: Item, tokens: Tokens, at: int) -> int:
    """Take the constants from *at* on; return where they end."""
    found = [*item.values]
    while not _ends_item(tokens, at):
        if is_constant(tokens[at]):
            found.append(tokens[at])
        elif tokens[at].word not in ("IS", "ARE", "ALL", "THRU", "THROUGH"):
            break
        at += 1
    item.values = tuple(found)
    return at


def _ends_item(tokens: Tokens, at: int) -> bool:
    token, following = tokens[at], tokens[min(at + 1, len(tokens) - 1)]
    if token.kind in (".", "end") or token.word in ("COPY", "EXEC", "EXECUTE", "REPLACE"):
        return True
    if following.word in ("DIVISION", "SECTION"):
        return True
    is_level = token.is_first and token.text.isdigit() and len(token.text) < 3
    return (
        is_level
        and is_name(following)
        and not is_constant(following)
        and (following.word not in _CLAUSES or following.word == "FILLER")
    )
