"""What COBOL's lines take from what, and divide by what."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from war_rig.readers.cobol_conditions import added
from war_rig.readers.cobol_lines import END, scan
from war_rig.readers.cobol_statements import Tokens, behind_name, is_name

_MOST_TERMS = 100


class Operation(NamedTuple):
    """*one* minus *other*, or *one* divided by *other*, in upper case; sign: "-" or "/"."""

    sign: str
    one: str
    other: str


class _Term(NamedTuple):
    """An operand of an expression; sign: what stands before it, "" before the first one."""

    sign: str
    name: str


def operations(lines: Sequence[str]) -> frozenset[Operation]:
    """Return the differences and quotients in the statements and expressions of *lines*."""
    return frozenset(_operations([*scan(lines).tokens, *[END] * 4]))


def _operations(tokens: Tokens) -> Iterator[Operation]:
    at = 0
    while tokens[at].kind != "end":
        if tokens[at].word == "SUBTRACT":
            yield from (Operation("-", f.subject, f.object) for f in added(tokens, at))
        elif tokens[at].word == "DIVIDE":
            yield from _divided(tokens, at)
        terms, behind = _expression(tokens, at)
        yield from _worked_out(terms)
        at = max(behind, at + 1)


def _divided(tokens: Tokens, at: int) -> Iterator[Operation]:
    """Yield what DIVIDE divides: one operand by another one, or several that it goes into."""
    first, at = tokens[at + 1].text, behind_name(tokens, at + 1)
    word, at = tokens[at].word, at + 1
    while word in ("BY", "INTO") and is_name(tokens[at]):
        other = tokens[at].text
        yield Operation("/", *((first, other) if word == "BY" else (other, first)))
        at = behind_name(tokens, at)


def _expression(tokens: Tokens, at: int) -> tuple[Sequence[_Term], int]:
    """Return the terms that stand from *at* on, none where there is none, and where they end."""
    terms, sign = [], ""
    while is_name(tokens[at]):
        terms.append(_Term(sign, tokens[at].text))
        at = behind_name(tokens, at)
        sign = tokens[at].word
        if sign not in ("+", "-", "/"):
            break
        at += 1
    return terms, at


def _worked_out(terms: Sequence[_Term]) -> Iterator[Operation]:
    """Yield each term by the one behind it, and minus those behind it up to a quotient."""
    for at, one in enumerate(terms, 1):
        behind = terms[at : at + _MOST_TERMS]
        if behind and behind[0].sign == "/":
            yield Operation("/", one.name, behind[0].name)
        for other in takewhile(lambda term: term.sign != "/", behind):
            if other.sign == "-":
                yield Operation("-", one.name, other.name)
