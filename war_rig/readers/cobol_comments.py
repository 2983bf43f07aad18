"""Which comments of COBOL are code that somebody switched off: they say nothing to a reader.

A line is such code where it begins like a statement, a data item or a file's entry, or is an
option with its operand in parentheses, and holds nothing but COBOL's words, names that look like
or are names of this file, literals and numbers. What goes on from the line above, and is made of
the same, goes with it. The name of a paragraph, or the header of a section, alone on a line, says
nothing either.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from war_rig.readers.cobol_exec import EXEC_LANGUAGES, EXEC_WORDS
from war_rig.readers.cobol_lines import END, Token, tokens_of, words
from war_rig.readers.cobol_statements import FIGURATIVES, VERBS, is_number
from war_rig.readers.source import Fact

_STARTS = VERBS | words("ELSE WHEN")
_IN_STATEMENTS = (
    VERBS
    | FIGURATIVES
    | words(
        "TO FROM BY INTO GIVING USING OF IN IS NOT AND OR EQUAL GREATER LESS THAN ELSE THEN WHEN "
        "OTHER ALSO UNTIL VARYING TIMES THRU THROUGH WITH TEST AFTER BEFORE AT INVALID KEY ON SIZE "
        "DELIMITED TALLYING REPLACING ALL LEADING FIRST NUMERIC ALPHABETIC FUNCTION LENGTH ADDRESS "
        "UPON ROUNDED REMAINDER RETURNING REFERENCE CONTENT INPUT OUTPUT I-O EXTEND RUN"
    )
)
_IN_ITEMS = words(
    "PIC PICTURE REDEFINES OCCURS VALUE VALUES USAGE COMP COMP-1 COMP-2 COMP-3 COMP-4 COMP-5 "
    "BINARY PACKED-DECIMAL POINTER INDEXED DEPENDING"
)
_IN_ENTRIES = words(
    "ASSIGN ORGANIZATION ACCESS MODE FILE STATUS RECORD ALTERNATE DUPLICATES SEQUENTIAL INDEXED "
    "RELATIVE RANDOM DYNAMIC LINE OPTIONAL"
)
_IN_CODE = _IN_STATEMENTS | _IN_ITEMS | _IN_ENTRIES
_BEFORE_NAMES = words("TO OF IN FROM INTO FUNCTION")
_NO_NAMES = VERBS | words("THE THIS THAT THESE A AN ALL ANY EACH BE ITS")
_LONGEST = 200
_SIGNS = frozenset("()=<>+-*/&:,")
# Most comments begin otherwise, and need not be cut into words.
_BEGINS = re.compile(
    rf"(?:\d\d?|END-\w+|SELECT|[FS]D|{'|'.join(sorted(_STARTS, reverse=True))})(?![\w-])"
    r"|[\w-]+\s*\(",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?:IDENTIFICATION|ENVIRONMENT|CONFIGURATION|INPUT[ -]OUTPUT|DATA|FILE|WORKING[ -]STORAGE"
    r"|LOCAL[ -]STORAGE|LINKAGE|PROCEDURE)\s+(?:DIVISION|SECTION)\.?",
    re.IGNORECASE,
)
_DRAWN = " \t*>-=#/"
_NAMED_BY_SUBJECT = frozenset(("data", "move", "move-name", "move-corresponding"))
_NAMED_BY_OBJECT = frozenset(
    ("paragraph", "fd", "copy", "perform", "thru", "goto", "move-name", "move-corresponding",
     "call-name", "open", "read", "write", "rewrite", "delete", "start")
)  # fmt: skip


def names_in(facts: Iterable[Fact]) -> set[str]:
    """Return the names of data items, paragraphs and files that *facts* know."""
    found = set()
    for fact in facts:
        found |= {fact.subject} if fact.kind in _NAMED_BY_SUBJECT else set()
        found |= {fact.object} if fact.kind in _NAMED_BY_OBJECT else set()
    return found


def prose(comments: Iterable[tuple[int, str]], names: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield those of *comments*, lines with their texts, that are no code; *names* are known."""
    last, is_exec = -1, False
    for line, text in comments:
        written, goes_on = text[:_LONGEST].strip(_DRAWN), line == last + 1
        if _HEADER.fullmatch(written) or written.rstrip(".").upper() in names:
            continue
        if not (goes_on or _BEGINS.match(written)):
            yield line, text
            continue
        tokens = tokens_of(written)
        is_exec = is_exec and goes_on
        if is_exec or _begins(tokens, names) or (goes_on and _is_rest(tokens, names)):
            last = line
            is_exec = _is_open(tokens, is_exec)
        else:
            yield line, text


def _begins(tokens: Sequence[Token], names: Collection[str]) -> bool:
    """Return whether *tokens* begin like a statement or an item, and hold what those hold."""
    first, rest = tokens[:1], tokens[1:]
    if not (first and first[0].kind == "word"):
        return False
    word, operand = first[0].text, next(iter(rest), END)
    if word in EXEC_WORDS:
        return operand.word in EXEC_LANGUAGES
    if word.isdigit() and len(word) < 3:
        is_item = operand.kind == "word" and any(t.word in _IN_ITEMS for t in rest[1:2])
        return is_item or (_is_operand(operand, names) and _is_alone(rest[1:]))
    if word in ("SELECT", "FD", "SD"):
        return _is_entry(tokens)
    if word == "COPY" and operand.kind == "word" and [token.kind for token in rest[1:]] == ["."]:
        return True
    is_option = operand.word == "(" and tokens[-1].word == ")"
    if not (is_option or word in _STARTS or word.startswith("END-")) or operand.word == ":":
        return False
    are_known = all(_fits(before, token, names) for before, token in pairwise(tokens))
    return are_known and (_is_alone(rest) or any(_is_operand(token, names) for token in rest))


def _is_entry(tokens: Sequence[Token]) -> bool:
    """Return whether *tokens* are of a file's entry: SELECT ... ASSIGN, or FD with its name."""
    if tokens[0].text == "SELECT":
        return any(token.word == "ASSIGN" for token in tokens[2:4])
    return [token.kind for token in tokens[1:]] == ["word", "."]


def _fits(before: Token, token: Token, names: Collection[str]) -> bool:
    """Return whether *token* may stand behind *before* in a statement: behind TO any name."""
    if before.word in _BEFORE_NAMES and token.kind == "word":
        return token.text not in _NO_NAMES
    return _is_known(token, names, _IN_STATEMENTS)


def _is_alone(rest: Sequence[Token]) -> bool:
    return all(token.kind == "." or token.word == "RUN" for token in rest)


def _is_rest(tokens: Sequence[Token], names: Collection[str]) -> bool:
    """Return whether *tokens* may go on from a line of code."""
    return all(_is_known(token, names, _IN_CODE) for token in tokens)


def _is_known(token: Token, names: Collection[str], known: Collection[str]) -> bool:
    if token.kind == "sign":
        return token.text in _SIGNS
    is_word = token.kind == "word" and not is_number(token)
    return not is_word or token.text in known or _is_operand(token, names)


def _is_operand(token: Token, names: Collection[str]) -> bool:
    """Return whether it is a literal, or a name: known, with a hyphen, or with a digit."""
    text = token.text
    if token.kind != "word":
        return token.kind in ("literal", "unclosed")
    is_spelt_so = "-" in text.strip("-") or any(map(str.isdigit, text))
    return text in names or (is_spelt_so and text not in _IN_STATEMENTS and not is_number(token))


def _is_open(tokens: Sequence[Token], was_open: bool) -> bool:
    """Return whether an EXEC has begun, and not ended yet."""
    for token in tokens:
        was_open = (was_open or token.word in EXEC_WORDS) and token.word != "END-EXEC"
    return was_open
