"""What the offline provider says of a part that no comment explains: what its facts state.

Whatever is named stands in the lines that are cited, so that it can be looked up there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from war_rig.providers.offline.definitions import (
    MOST_NAMES,
    Cited,
    Fact,
    Lines,
    Statement,
    begun,
    declared,
    defined,
    joined,
    listed,
    ranges,
)

_DOES = {
    "perform": "performs", "call": "calls", "link": "calls", "xctl": "calls", "exec": "runs",
    "exec-proc": "runs", "runs": "runs", "goto": "goes to", "open": "opens", "read": "reads",
    "select": "reads", "write": "writes", "insert": "writes", "rewrite": "updates",
    "update": "updates", "delete": "deletes from", "send": "sends", "receive": "receives",
    "copy": "copies", "include": "copies", "browse": "browses",
}  # fmt: skip
TOLD = frozenset(_DOES)
"""The kinds of facts of which all are told."""

_REFERENCE = "*."  # of PGM=*.STEP.DD, to the data set of a DD: no name of a program
_NAMES = ("paragraph", "section", "step", "job", "proc", "entry")
_MOST_FACTS = 8  # of one claim, which may have ten citations
_FARTHEST = 8
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_FIGURATIVE = re.compile(r"(?:LOW|HIGH)-VALUES?|SPACES?|ZERO(?:E?S)?|NULLS?|QUOTES?", re.IGNORECASE)


def relations(part: Fact, facts: Sequence[Fact]) -> Iterator[Statement]:
    """Yield ``X performs A and B, and reads F.`` with its lines, as often as there are facts."""
    name = _named(part, facts)
    known: dict[tuple[str, str], int] = {}
    for fact in facts:
        if fact["kind"] in _DOES and not fact["object"].startswith(_REFERENCE):
            known.setdefault((_DOES[fact["kind"]], fact["object"]), fact["line"])
    every = list(known.items())
    for first in range(0, len(every), _MOST_FACTS):
        verbs: dict[str, list[str]] = {}
        lines = {name["line"]} if name else set()
        for (verb, object), line in every[first : first + _MOST_FACTS]:
            verbs.setdefault(verb, []).append(object)
            lines.add(line)
        also = "also " if first else ""
        done = [f"{verb} {listed(objects)}" for verb, objects in verbs.items()]
        text = f"{_subject(name)} {also}{', and '.join(done)}."
        yield text, [(line, line) for line in sorted(lines)]


def statement(
    part: Fact, facts: Sequence[Fact], deeds: Sequence[Fact], lines: Lines
) -> Statement | None:
    """Return what else is stated in *part*, None where nothing is that the lines show."""
    kinds = {fact["kind"] for fact in facts}
    name = _named(part, facts)
    found: Statement | None = None
    if name and name["kind"] in ("paragraph", "section", "entry"):
        found = _code(name, facts, deeds, lines)
    elif kinds & {"job", "proc"}:
        found = begun(part, facts, lines)
    elif deeds or kinds & {"move", "move-name"}:
        found = _code(None, facts, deeds, lines)
    elif facts:
        text = defined(facts, lines) or declared(facts)
        found = (text, [(part["first"], part["last"])]) if text else None
    return found if found and _is_shown(*found, lines) else None


def _named(part: Fact, facts: Iterable[Fact]) -> Fact | None:
    return next((f for f in facts if f["kind"] in _NAMES and f["object"] == part["name"]), None)


def _subject(name: Fact | None) -> str:
    return f"`{name['object']}`" if name else "This part"


def _code(
    name: Fact | None, facts: Sequence[Fact], deeds: Sequence[Fact], lines: Lines
) -> Statement | None:
    """Return what a paragraph moves, tests, sets and shows."""
    done: dict[str, dict[str, Cited]] = {}
    for fact in facts:
        moved, span = _moved(fact, lines)
        if moved and span:
            done.setdefault("moves", {}).setdefault(moved, span)
    for deed in filter(lambda deed: deed["object"], deeds):
        mark = '"' if deed["verb"] == "displays" else "`"
        shown = f"{mark}{deed['object']}{mark}"
        done.setdefault(deed["verb"], {}).setdefault(shown, (deed["first"], deed["last"]))
    for fact in facts:
        told, span = _passed(fact, lines)
        if told and span:
            done.setdefault(told[0], {}).setdefault(told[1], span)
    if not done:
        return None
    cited = {(name["line"], name["line"])} if name else set()
    are_more = {deed["verb"] for deed in deeds if not deed["object"]}
    phrases = []
    for verb, objects in done.items():
        some = list(objects)[:MOST_NAMES]
        cited |= {objects[one] for one in some}
        others = ", among others," if len(objects) > len(some) or verb in are_more else ""
        phrases.append(f"{verb}{others} {joined(some)}")
    return f"{_subject(name)} {'; it '.join(phrases)}.", ranges(cited)


def _passed(fact: Fact, lines: Lines) -> tuple[tuple[str, str] | None, Cited | None]:
    """Return to what control is passed, or which other command CICS gets, with its lines."""
    kind, object = fact["kind"], str(fact["object"])
    if kind in ("call-name", "link-name", "xctl-name"):
        told = "passes control to", f"what `{object}` names"
        return told, _span(fact["line"], [object], lines)
    if kind == "cics" and object.upper() not in ("LINK", "XCTL"):
        return ("gives CICS", f"`{object}`"), _span(fact["line"], object.split(), lines)
    return None, None


def _moved(fact: Fact, lines: Lines) -> tuple[str, Cited | None]:
    """Return ``A into B`` with its lines; nothing for what can't be shown so."""
    source, target = str(fact["object"]), str(fact["subject"])
    if fact["kind"] == "move-name":
        return f"`{source}` into `{target}`", _span(fact["line"], [source, target], lines)
    if fact["kind"] != "move" or '"' in source or len(source) > 60:
        return "", None
    shown = f'"{source}"'
    if re.fullmatch(r"[+-]?\d+(?:\.\d+)?", source):
        shown = source
    elif _FIGURATIVE.fullmatch(source):
        shown = f"`{source}`"
    elif not re.search(r"\w", source):
        return "", None
    return f"{shown} into `{target}`", _span(fact["line"], [source, target], lines)


def _span(line: int, names: Sequence[str], lines: Lines) -> Cited | None:
    """Return the lines from *line* on in which all of *names* stand, None if far or unknown."""
    text = ""
    for last in range(line, line + _FARTHEST):
        text += lines.get(last, "") + "\n"
        if all(_stands_in(name, text) for name in names):
            return line, last
    return None


def _stands_in(name: str, text: str) -> bool:
    """Return whether *name* stands in *text* as a word, in whatever case; compiles nothing."""
    wanted, known = name.lower(), f" {text.lower()} "
    at = known.find(wanted)
    while at >= 0:
        around = known[at - 1], known[at + len(wanted)]
        if not any(character.isalnum() or character == "_" for character in around):
            return True
        at = known.find(wanted, at + 1)
    return False


def _is_shown(text: str, cited: Sequence[Cited], lines: Lines) -> bool:
    """Return whether all that *text* names stands in the lines of *cited*."""
    shown = "\n".join(lines.get(n, "") for first, last in cited for n in range(first, last + 1))
    named = re.findall(r"`([^`]+)`", _LITERAL.sub("", text))
    quoted = re.findall(r'"([^"]+)"', text)
    flat = " ".join(shown.split())
    return all(_stands_in(word, shown) for name in named for word in name.split()) and all(
        " ".join(literal.split()) in flat for literal in quoted
    )
