"""The numbers in COBOL's lines: what items are declared with, and what only numbers a line."""

import re
from collections.abc import Sequence

from war_rig.readers.cobol_items import read_item
from war_rig.readers.cobol_lines import END, scan
from war_rig.readers.cobol_statements import is_number

_CLAUSE = "PIC|PICTURE|VALUES?|REDEFINES|RENAMES|OCCURS|USAGE|COMP|BINARY|POINTER|INDEX|COPY"
_LEVEL_OR_LABEL = re.compile(
    rf"""^(?:\d{{6}}(?!\d))?[ \t]*+(?:
        (?:[1-9]|0\d|[1-4]\d|66|77|88)(?=\s+[A-Z0-9][\w$\#@:-]*\s+(?:{_CLAUSE})\b)   # 05 A PIC X
      | (?:0\d|[1-4]\d|77|88)(?=\s+[A-Z0-9]+-[\w-]*\s*\.?\s*$)                       # 05 A-B.
      | 0\d(?=\s+[A-Z][\w$\#@:-]*\s*\.?\s*$)                                         # 01 A.
      | \d+(?=-[A-Z][\w-]*(?:\s+SECTION)?\s*\.)                                      # 1000-START.
    )
    | (?<=\bPERFORM[ ])\d+(?=-[A-Z]) | (?<=\bTHRU[ ])\d+(?=-[A-Z])
    | (?<=\bTHROUGH[ ])\d+(?=-[A-Z]) | (?<=\bGO[ ]TO[ ])\d+(?=-[A-Z])""",
    re.MULTILINE | re.VERBOSE,
)


def without_line_numbers(text: str) -> str:
    """Return lines without the levels of data items, and without the numbers of paragraphs."""
    return _LEVEL_OR_LABEL.sub(" ", text)


def declared_numbers(lines: Sequence[str]) -> dict[str, str]:
    """Return the items of *lines* whose VALUE is a number, in upper case, each with the number."""
    tokens = [*scan(lines).tokens, *[END] * 4]
    found = {}
    for at, token in enumerate(tokens):
        is_start = token.is_first or (at > 0 and tokens[at - 1].kind == ".")
        if is_start and token.word.isdigit() and len(token.word) < 3:
            item, _ = read_item(tokens, at)
            if item.name and item.values and is_number(item.values[0]):
                found[item.name.text] = item.values[0].text
    return found
