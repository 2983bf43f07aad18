"""What COBOL's conditions compare, and which item a statement adds to which.

A comparison of which one side is an expression is no fact.
"""

from collections.abc import Callable, Iterator
from itertools import product

from war_rig.readers.cobol_lines import Found, Token, words
from war_rig.readers.cobol_statements import (
    VERBS,
    Tokens,
    behind_name,
    is_constant,
    is_name,
)
from war_rig.readers.comparisons import OPPOSITE

_ORDERS = {">": "greater", "GREATER": "greater", "<": "less", "LESS": "less"}
_WITH_EQUAL = {"greater": "at-least", "less": "at-most"}
_ARITHMETIC = frozenset("+-*/")
_BEFORE_SUBJECTS = frozenset(("IF", "UNTIL", "WHEN", "AND", "OR", "NOT", "("))
_CORRESPONDING = ("CORR", "CORRESPONDING")
_COMPARES = frozenset(("=", "EQUAL", *_ORDERS))
_STOPS = VERBS | words("UNTIL WHEN THEN ELSE .")
_LONGEST = 200
_MOST_QUALIFIERS = 10
_MOST_OPERANDS = 30  # each is added to each


def compared(tokens: Tokens, at: int) -> Iterator[Found]:
    """Yield what the condition behind the word at *at* says to be greater or less than what."""
    subject: Token | None = None
    for here in range(at + 1, min(at + _LONGEST, len(tokens))):
        word = tokens[here].word
        if word in _STOPS or tokens[here].kind == "end":
            return
        if word in _COMPARES:
            subject = _subject(tokens, here) or subject
            if word in _ORDERS and subject is not None:
                yield from _comparison(tokens, here, subject)


def _comparison(tokens: Tokens, at: int, subject: Token) -> Iterator[Found]:
    kind, behind = _ORDERS[tokens[at].word], at + 1
    behind += tokens[behind].word == "THAN"
    if tokens[behind].word == "=":
        kind, behind = _WITH_EQUAL[kind], behind + 1
    elif tokens[behind].word == "OR" and tokens[behind + 1].word == "EQUAL":
        kind, behind = _WITH_EQUAL[kind], behind + 2
        behind += tokens[behind].word == "TO"
    if tokens[at - 1].word == "NOT":
        kind = OPPOSITE[kind]
    operand = tokens[behind]
    end = behind_name(tokens, behind) if is_name(operand) else behind + 1
    is_alone = is_constant(operand) or is_name(operand)
    if (
        is_alone
        and operand.word not in ("FUNCTION", "LENGTH")
        and tokens[end].word not in _ARITHMETIC
    ):
        yield Found(kind, operand.text, operand.line, subject.text)


def _subject(tokens: Tokens, at: int) -> Token | None:
    """Return what stands alone before the comparison at *at*; None for an expression."""
    at -= 1
    while tokens[at].word in ("NOT", "IS"):
        at -= 1
    for _ in range(_MOST_QUALIFIERS):
        if tokens[at].word == ")":
            at = _before_parentheses(tokens, at)
        elif tokens[at - 1].word in ("OF", "IN"):
            at -= 2
        else:
            break
    is_alone = at > 0 and tokens[at - 1].word in _BEFORE_SUBJECTS
    return tokens[at] if is_alone and is_name(tokens[at]) else None


def _before_parentheses(tokens: Tokens, at: int) -> int:
    depth = 0
    for here in range(at, max(0, at - _LONGEST), -1):
        depth += {")": 1, "(": -1}.get(tokens[here].word, 0)
        if not depth:
            return here - 1
    return 0


def added(tokens: Tokens, at: int) -> Iterator[Found]:
    """Yield each item that ADD or SUBTRACT changes, with what it adds to it or takes from it.

    Of a statement with many operands the first ones.
    """
    kind, joins = tokens[at].text.lower(), "TO" if tokens[at].word == "ADD" else "FROM"
    sources, at = _operands(tokens, at + 1)
    targets, _ = _operands(tokens, at + 1) if tokens[at].word == joins else ([], at)
    for target, source in product(targets[:_MOST_OPERANDS], sources[:_MOST_OPERANDS]):
        yield Found(kind, source.text, source.line, target.text)


def _operands(tokens: Tokens, at: int) -> tuple[list[Token], int]:
    """Return the items and constants that stand from *at* on, and where they end."""
    found = []
    while tokens[at].word not in _CORRESPONDING and (
        is_constant(tokens[at]) or is_name(tokens[at])
    ):
        found.append(tokens[at])
        at = behind_name(tokens, at) if is_name(tokens[at]) else at + 1
    return found, at


CONDITIONS: dict[str, Callable[[Tokens, int], Iterator[Found]]] = {
    "IF": compared,
    "UNTIL": compared,
    "WHEN": compared,
    "ADD": added,
    "SUBTRACT": added,
}
