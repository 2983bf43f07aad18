"""What COBOL's statements do that no fact tells: what they test, set, work out, add to and show.

Read from the tokens, so that no comment, literal or line for debugging counts as code. What a
statement does besides, or all of one that is not understood, is a deed without an object.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

from war_rig.readers.cobol_cards import is_free
from war_rig.readers.cobol_exec import EXEC_LANGUAGES, EXEC_WORDS, block_end
from war_rig.readers.cobol_lines import END, Token, scan, words
from war_rig.readers.cobol_statements import (
    TERMINATORS,
    VERBS,
    behind_name,
    copy_facts,
    is_constant,
    is_name,
    is_number,
    replacing,
)
from war_rig.readers.source import Fact, Source, Unit

SHOWS = "displays"
"""The verb of which the object is a text."""

LABELS = ("paragraph", "section")
"""The kinds of facts that name what the statements behind them are of."""

_TARGETS = {  # what a verb does to its targets, and behind which word they stand
    "ADD": ("adds to", "TO"),
    "SUBTRACT": ("subtracts from", "FROM"),
    "COMPUTE": ("works out", ""),
    "SET": ("sets", ""),
    "INITIALIZE": ("initializes", ""),
    "CLOSE": ("closes", ""),
}
_BEHIND_TARGETS = {"COMPUTE": words("= EQUAL"), "SET": words("TO")}
_OPERANDS = {  # what it does to its operand, and what may stand before that
    "IF": ("tests", words("NOT (")),
    "EVALUATE": ("tests", words("")),
    "INSPECT": ("inspects", words("")),
    "SEARCH": ("searches", words("ALL")),
    "ACCEPT": ("accepts", words("")),
}
_NO_OPERANDS = words(
    "ADDRESS ALL ALPHABETIC ALPHANUMERIC ALPHANUMERIC-EDITED ALSO AND BY CORR CORRESPONDING DBCS "
    "DEFAULT DOWN EGCS ENVIRONMENT EQUAL EXCEPTION FILLER FOR FUNCTION GREATER IN IS LAST LENGTH "
    "LESS LOCALE LOCK MODE NATIONAL NATIONAL-EDITED NO NUMERIC NUMERIC-EDITED OF OMITTED OR "
    "POINTER REEL REMOVAL REPLACING REWIND ROUNDED SIZE THAN UNIT UP UPON VALUE WINDOW"
)
_ENDS = VERBS | TERMINATORS | words("ELSE WHEN END")
_DIVISIONS = words("IDENTIFICATION ID ENVIRONMENT DATA PROCEDURE")
_ONLY = re.compile(r"(?:EXIT|GOBACK|CONTINUE|STOP RUN)(?: PROGRAM)?")
_WORD = re.compile(r"[\w$#@:-]+")
_SHOWN = re.compile(r"[^'\"`]{2,60}")
_FARTHEST = 8
_MOST = 7  # one more than is told: the reader sees that there are others

Tokens = Sequence[Token]


class Deed(NamedTuple):
    """What is done, such as "adds to", to which name, on which lines; "" for more than is told."""

    verb: str
    object: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Deeds:
    """What is done in a COBOL file, in order."""

    all: tuple[Deed, ...]
    tokens: tuple[Token, ...]
    is_free: bool

    def of(self, part: Unit, labels: Iterable[Fact], silent: frozenset[int]) -> list[Deed]:
        """Return the first deeds of *part* of each kind, each once, but for *silent* lines."""
        own_labels = (label for label in labels if part.first <= label.line <= part.last)
        name = next((label for label in own_labels if label.object == part.name), None)
        word = self._only(name, part.last) if name else ""
        if word:
            return [Deed("holds nothing but", word, part.first, part.last)]
        first = bisect_left(self.all, part.first, key=lambda deed: deed.first)
        last = bisect_left(self.all, part.last + 1, key=lambda deed: deed.first)
        known: dict[str, dict[str, Deed]] = defaultdict(dict)
        for deed in self.all[first:last]:
            is_own = deed.last <= part.last and deed.first not in silent
            if is_own and len(known[deed.verb]) < _MOST:
                known[deed.verb].setdefault(deed.object, deed)
        return [deed for own in known.values() for deed in own.values()]

    def silent(self, labels: Iterable[Fact], last: int) -> frozenset[int]:
        """Return the lines up to *last* of which it is not sure whose they are.

        Code stands before the label on them, or behind two labels.
        """
        names: dict[int, list[str]] = defaultdict(list)
        for label in labels:
            names[label.line].append(label.object)
        found: set[int] = set()
        for line, following in pairwise([*names, last + 1]):
            if len(names[line]) > 1:
                found.update(range(line, following))
            elif self._on(line, line)[0].text != names[line][0]:
                found.add(line)
        return frozenset(found)

    def _only(self, name: Fact, last: int) -> str:
        """Return the one word, such as EXIT, that stands behind the label *name*, else ""."""
        tokens = self._on(name.line, last)
        label = next(at for at, token in enumerate(tokens) if token.text == name.object)
        behind = [token for token in tokens[label + 1 :] if token.word not in (".", "SECTION")]
        text = " ".join(token.word for token in behind)
        return text if _ONLY.fullmatch(text) else ""

    def _on(self, first: int, last: int) -> Tokens:
        start = bisect_left(self.tokens, first, key=lambda token: token.line)
        return self.tokens[start : bisect_left(self.tokens, last + 1, key=lambda token: token.line)]


@lru_cache(maxsize=32)
def deeds_in(source: Source) -> Deeds:
    """Return what the statements of *source*, in COBOL, do."""
    lines, tokens = source.lines, scan(source.lines).tokens
    found = _shown_of(lines, _walk([*tokens, *[END] * 4]))
    return Deeds(tuple(found), tuple(tokens), is_free(lines))


def _shown_of(lines: Sequence[str], deeds: Iterable[Deed]) -> Iterator[Deed]:
    """Yield *deeds*, without the objects of which the lines are many, or spell them otherwise."""
    for (first, last), group in groupby(deeds, key=lambda deed: (deed.first, deed.last)):
        text = "\n".join(lines[first - 1 : last]) if last - first < _FARTHEST else ""
        words_of_text = frozenset(_WORD.findall(text.upper()))
        for deed in group:
            is_spelt = deed.object in (text if deed.verb == SHOWS else words_of_text)
            yield deed if is_spelt else deed._replace(object="", last=first)


def _walk(tokens: Tokens) -> Iterator[Deed]:
    """Yield the deeds of all statements, those of a copybook too."""
    at, is_code = 0, True
    while tokens[at].kind != "end":
        token, following = tokens[at], tokens[at + 1]
        if token.word in _DIVISIONS and following.word == "DIVISION":
            is_code = token.word == "PROCEDURE"
        if is_code and token.word in _READ:
            yield from _read(_statement(tokens, at))
        at = _next(tokens, at)


def _next(tokens: Tokens, at: int) -> int:
    """Return where to go on behind the token at *at*: not in what holds no statements."""
    word = tokens[at].word
    if word == "COPY":
        return copy_facts(tokens, at)[1]
    if word == "REPLACE":
        return replacing(tokens, at)[1]
    if word in EXEC_WORDS and tokens[at + 1].word in EXEC_LANGUAGES:
        end, is_closed = block_end(tokens, at + 2)
        return end + is_closed
    is_entry = is_number(tokens[at]) and (at == 0 or tokens[at - 1].kind == ".")
    at += 1
    while is_entry and tokens[at].kind not in (".", "end"):
        at += 1
    return at


def _statement(tokens: Tokens, at: int) -> list[Token]:
    """Return the verb at *at*, what belongs to it up to the next verb, and END behind it."""
    end = at + 1
    while tokens[end].kind not in (".", "end") and tokens[end].word not in _ENDS:
        end += 1
    return [*tokens[at:end], *[END] * 4]


def _read(statement: Tokens) -> Iterator[Deed]:
    verb = statement[0]
    for does, object in _READ[verb.word](statement):
        text, last = (object.text.strip(), object.line) if object else ("", verb.line)
        yield Deed(does, text, verb.line, last)


_Done = Iterator[tuple[str, Token | None]]
"""What is done to what; None where more is done than can be told."""


def _changed(statement: Tokens) -> _Done:
    """Yield the targets of ADD, SET, CLOSE and such; with GIVING it is others that change."""
    verb, texts = statement[0].word, [token.word for token in statement]
    does, before = ("works out", "GIVING") if "GIVING" in texts else _TARGETS[verb]
    at = texts.index(before) + 1 if before and before in texts else 1
    found, at = _operands(statement, at)
    if verb in _BEHIND_TARGETS:
        is_read = statement[at].word in _BEHIND_TARGETS[verb]
        is_all = texts[at + 1 :].count("TO") == 0
    else:
        is_read = (not before or before in texts) and texts[1] not in ("CORR", "CORRESPONDING")
        is_all = statement[at] is END or texts[at] in ("ON", "NOT", "SIZE")
    yield from ((does, target) for target in found if is_read)
    if not (found and is_read and is_all):
        yield does, None


def _matched(statement: Tokens) -> _Done:
    """Yield the groups of which MOVE CORRESPONDING fills items; other moves are facts."""
    if statement[1].word not in ("CORR", "CORRESPONDING"):
        return
    does, texts = "fills the corresponding items of", [token.word for token in statement]
    found, at = _operands(statement, texts.index("TO") + 1) if "TO" in texts else ([], 0)
    yield from ((does, target) for target in found)
    if not found or statement[at] is not END:
        yield does, None


def _operands(statement: Tokens, at: int) -> tuple[list[Token], int]:
    """Return the operands that stand from *at* on, and where they end."""
    found = []
    while _is_operand(statement[at]):
        found.append(statement[at])
        at = behind_name(statement, at)
        at += statement[at].word == "ROUNDED"
    return found, at


def _used(statement: Tokens) -> _Done:
    """Yield the operand of IF, INSPECT, ACCEPT and such, and whether a condition has others."""
    does, before = _OPERANDS[statement[0].word]
    at = 1
    while statement[at].word in before:
        at += 1
    is_read = _is_operand(statement[at])
    if is_read:
        yield does, statement[at]
    behind = statement[behind_name(statement, at) :] if is_read else ()
    others = (other for word, other in pairwise(behind) if word.word in ("AND", "OR", "ALSO"))
    if not is_read or any(not is_constant(other) for other in others):
        yield does, None


def _filled(statement: Tokens) -> _Done:
    """Yield what STRING puts text into."""
    into = next((at for at, token in enumerate(statement) if token.word == "INTO"), 0)
    target = statement[into + 1]
    yield "puts text into", target if into and _is_operand(target) else None


def _shown(statement: Tokens) -> _Done:
    """Yield the texts that DISPLAY shows."""
    for token in statement:
        if token.kind == "literal" and re.search(r"\w", token.text):
            yield SHOWS, token if _SHOWN.fullmatch(token.text) else None


def _is_operand(token: Token) -> bool:
    return is_name(token) and not is_constant(token) and token.word not in _NO_OPERANDS


_READ: dict[str, Callable[[Tokens], _Done]] = {
    **dict.fromkeys(_TARGETS, _changed),
    **dict.fromkeys(_OPERANDS, _used),
    "MOVE": _matched,
    "STRING": _filled,
    "DISPLAY": _shown,
}
