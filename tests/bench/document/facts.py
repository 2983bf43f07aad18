"""Hold the facts of `war-rig document` against those of an extractor of its own making.

    war-rig document SRC --out DOCS
    python tests/bench/document/facts.py SRC DOCS

The extractor (`extractor.py`) shares no code with War Rig. Of each kind are told: how many facts
it found ("ours"), how many the JSON beside the pages holds ("theirs"), how many are in both, the
recall and the precision of War Rig, and how many of both stand on different lines. Then come all
that are in one only, with the source line, for a person to judge.

A fact is the same where kind, file, name (case and quotes apart) and line are. What is left is
matched where the one's line is in the other's statement: a verb and its operand may stand on
different lines, and neither of the two is wrong. Only files that the extractor reads are compared,
by suffix.

To know when judging: to the extractor a browse's start (STARTBR) is no read, a CALL is COBOL's and
not SQL's, and a PERFORM is the verb, not the INPUT or OUTPUT PROCEDURE of a SORT.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from extractor import COBOL_SUFFIXES, JCL_SUFFIXES, Found, extract

KINDS = (
    *("call", "call-name", "copy", "include", "perform", "thru", "goto"),
    *("cics", "link", "link-name", "xctl", "xctl-name"),
    *("select", "insert", "update", "delete", "declare-table", "read", "write", "rewrite"),
    *("exec", "exec-proc", "dsn"),
)


@dataclass(frozen=True, slots=True)
class Theirs:
    """A fact of War Rig's JSON."""

    kind: str
    file: str
    line: int
    name: str


@dataclass(slots=True)
class Compared:
    """What of one kind is in both, and what in one only."""

    both: int = 0
    moved: int = 0
    ours: list[Found] = field(default_factory=list)
    theirs: list[Theirs] = field(default_factory=list)

    def row(self, kind: str) -> str:
        ours, theirs = self.both + len(self.ours), self.both + len(self.theirs)
        counts = f"{ours:7} {theirs:7} {self.both:7} {self.moved:7}"
        return f"{kind:14} {counts} {_percent(self.both, ours)} {_percent(self.both, theirs)}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:9.2f}%" if whole else f"{'-':>10}"


Fact = TypeVar("Fact", Found, Theirs)


def compare(ours: Iterable[Found], theirs: Iterable[Theirs]) -> Compared:
    """Match facts of one kind: on the same line first, then within the statement."""
    result, left = Compared(), list(theirs)
    rest = []
    for one in ours:
        same = Theirs(one.kind, one.file, one.line, one.name)
        if same in left:
            left.remove(same)
            result.both += 1
        else:
            rest.append(one)
    for one in rest:
        near = next((other for other in left if _is_within(other, one)), None)
        if near is None:
            result.ours.append(one)
        else:
            left.remove(near)
            result.both += 1
            result.moved += 1
    result.theirs = left
    return result


def _is_within(theirs: Theirs, ours: Found) -> bool:
    is_same = (theirs.file, theirs.name) == (ours.file, ours.name)
    return is_same and ours.first <= theirs.line <= ours.last


def _is_compared(file: str) -> bool:
    return Path(file).suffix.lower() in COBOL_SUFFIXES | JCL_SUFFIXES


def our_facts(source: Path) -> Iterator[Found]:
    """Find the facts of all COBOL and JCL below *source*, what is hidden left out."""
    for path in sorted(source.rglob("*")):
        below = path.relative_to(source)
        is_hidden = any(part.startswith(".") for part in below.parts)
        if path.is_file() and _is_compared(path.name) and not is_hidden:
            yield from extract(path, below.as_posix())


def their_facts(docs: Path) -> Iterator[Theirs]:
    """Read the facts of all files from the JSON beside the pages."""
    for path in sorted((docs / "files").rglob("*.json")):
        for fact in json.loads(path.read_text("utf-8"))["facts"]:
            name = fact["object"].upper().replace('"', "")
            yield Theirs(fact["kind"], fact["file"], fact["line"], name)


def _by_kind(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    result: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        result[fact.kind].append(fact)
    return result


def _disagreements(source: Path, kind: str, compared: Compared) -> Iterator[str]:
    ours = [(one.file, one.line, one.name, "ours only") for one in compared.ours]
    theirs = [(one.file, one.line, one.name, "theirs only") for one in compared.theirs]
    for file, line, name, whose in sorted(ours + theirs):
        text = (source / file).read_text("latin-1").split("\n")[line - 1]
        yield f"{kind}, {whose}: {name}  {file}:{line}"
        yield f"    {text.rstrip()}"


def report(source: Path, docs: Path) -> Iterator[str]:
    """Yield the table of kinds, the disagreements, and the kinds that are not compared."""
    read = list(their_facts(docs))
    ours = _by_kind(our_facts(source))
    theirs = _by_kind(fact for fact in read if _is_compared(fact.file))
    results = {kind: compare(ours[kind], theirs[kind]) for kind in KINDS}
    counts = f"{'ours':>7} {'theirs':>7} {'both':>7} {'moved':>7}"
    yield f"{'kind':14} {counts} {'recall':>10} {'precision':>10}"
    yield from (compared.row(kind) for kind, compared in results.items())
    yield ""
    for kind, compared in results.items():
        yield from _disagreements(source, kind, compared)
    yield f"{sum(len(one.ours) + len(one.theirs) for one in results.values())} disagreements"
    others = Counter(fact.kind for fact in read if fact.kind not in KINDS)
    others.update(f"{fact.kind} (other files)" for fact in read if _is_other(fact))
    yield "theirs, not compared: " + ", ".join(f"{k} {n}" for k, n in sorted(others.items()))


def _is_other(fact: Theirs) -> bool:
    return fact.kind in KINDS and not _is_compared(fact.file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", metavar="SRC", type=Path)
    parser.add_argument("docs", metavar="DOCS", type=Path)
    arguments = parser.parse_args()
    for line in report(arguments.source, arguments.docs):
        print(line)


if __name__ == "__main__":
    main()
