"""What the offline provider says of a part that defines something: a job, a screen, a table, items.

And the names that a text holds, where nothing else is known of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Fact = Mapping[str, Any]
Lines = Mapping[int, str]
"""The source lines of the unit by their numbers, as the prompt shows them."""
Cited = tuple[int, int]
Statement = tuple[str, list[Cited]]

MOST_NAMES = 6
_MOST_CITED = 9
_NO_ITEMS = {"88": "condition", "78": "constant"}
_QUOTED = re.compile(r"'((?:[^'\n]|'')*)'")
_QUALIFIED = re.compile(r"(?<![\w.$@#])[A-Z][A-Z0-9_]*(?:\.[A-Z][A-Z0-9_]*)+(?![\w.$@#(])")


def begun(part: Fact, facts: Sequence[Fact], lines: Lines) -> Statement:
    """Return what is said on the card of a job, or that a procedure begins."""
    fact = next(fact for fact in facts if fact["kind"] in ("job", "proc"))
    name, cited = f"`{fact['object']}`", [(part["first"], part["last"])]
    said = _said(lines, fact["line"], part["last"])
    if fact["kind"] == "job" and said and said != fact["object"]:
        return f'The card of the job {name} says "{said}".', cited
    symbols = list(dict.fromkeys(f["subject"] for f in facts if f["kind"] == "set"))
    given = f", with the symbols {listed(symbols)}" if symbols else ""
    return (
        f"The {'job' if fact['kind'] == 'job' else 'procedure'} {name} begins here{given}.",
        cited,
    )


def _said(lines: Lines, first: int, last: int) -> str:
    """Return the first words in quotes behind JOB, "" for none or where quotes are in them."""
    card = "\n".join(lines.get(n, "") for n in range(first, last + 1))
    operands = re.search(r"JOB\s.*", card)
    quoted = _QUOTED.findall(operands[0]) if operands else []
    text = next((text for text in quoted if re.search(r"\w", text)), "")
    return "" if re.search(r"['\"]", text) else text.strip()


def defined(facts: Sequence[Fact], lines: Lines) -> str:
    """Return what CICS, a screen or a table is told."""
    said, table = [], ""
    for fact in facts:
        kind, subject, object = fact["kind"], fact["subject"], fact["object"]
        if kind == "transaction":
            said.append(f"The transaction `{subject}` starts the program `{object}`.")
        elif kind == "csd-file":
            said.append(f"The file `{subject}` is the data set `{object}`.")
        elif kind.startswith("csd-"):
            noun = kind[4:] if kind[4:].isalpha() else f"`{kind[4:].upper()}`"
            said.append(f"This part defines the {noun} `{object}`.")
        elif kind in ("index", "view"):
            on = f" on `{subject}`" if subject != object else ""
            said.append(f"This part creates the {kind} `{object}`{on}.")
        elif kind == "table":
            table = object
            said.append(f"This part creates the table `{object}`{_columns(facts)}.")
        elif kind == "foreign-key":
            who = "It" if subject == table else f"The table `{subject}`"
            said.append(f"{who} refers to `{object}`.")
    return " ".join(dict.fromkeys([*said, *_screen(facts, lines)]))


def _columns(facts: Sequence[Fact]) -> str:
    names = [str(f["object"]).split(" ")[0] for f in facts if f["kind"] == "column"]
    keys = [str(f["object"]) for f in facts if f["kind"] == "primary-key"]
    key = f"; its key is {listed(keys[0].split(', '))}" if keys else ""
    return f"{_several(names, 'column')}{key}"


def _screen(facts: Sequence[Fact], lines: Lines) -> Iterator[str]:
    """Yield the map, its fields, and what it shows."""
    maps = [str(f["object"]) for f in facts if f["kind"] == "defines-map"]
    fields = list(dict.fromkeys(str(f["object"]) for f in facts if f["kind"] == "field"))
    if maps:
        yield f"This part defines the map {listed(maps)}{_several(fields, 'field')}."
    elif fields:
        yield f"This part defines the {_several(fields, 'field').removeprefix(' with the ')}."
    labels = [f["object"] for f in facts if f["kind"] == "label-text"
              and re.search(r"\w\w", f["object"]) and not re.search(r"[\"']", f["object"])
              and f["object"] in lines.get(f["line"], "")]  # fmt: skip
    if labels and (maps or fields):
        some = [f'"{label.strip()}"' for label in dict.fromkeys(labels)]
        others = ", among others," if len(some) > MOST_NAMES else ""
        yield f"It shows{others} {joined(some[:MOST_NAMES])}."


def _several(names: Sequence[str], noun: str) -> str:
    """Return the names, or the first and the last where they are many."""
    if not names:
        return ""
    if len(names) > MOST_NAMES + 2:
        return f" with the {noun}s from `{names[0]}` to `{names[-1]}`"
    return f" with the {noun}{'s' * (len(names) > 1)} {listed(names)}"


def declared(facts: Sequence[Fact]) -> str:
    """Return which items a part declares: its records, or the first and the last item."""
    tables = [str(f["object"]) for f in facts if f["kind"] == "declare-table"]
    if tables:
        return f"This part declares the table {listed(tables)}."
    named = [f for f in facts if f["kind"] == "data" and f["subject"].upper() != "FILLER"]
    items = [f for f in named if _level(f) not in _NO_ITEMS]
    if named and not items:
        nouns = {_NO_ITEMS[_level(f)] for f in named}
        noun = nouns.pop() if len(nouns) == 1 else "name"
        some = _several([str(f["subject"]) for f in named], noun)
        return f"This part declares {some.removeprefix(' with ')}."
    if not items:
        values = [f["object"] for f in facts if f["kind"] == "value" and '"' not in f["object"]]
        return f'This part lists values from "{values[0]}" to "{values[-1]}".' if values else ""
    names = [str(f["subject"]) for f in items]
    records = [str(f["subject"]) for f in items if _level(f) in ("01", "1", "77")]
    if len(names) <= MOST_NAMES:
        return f"This part declares {listed(names)}."
    if records and names[0] == records[0] and len(records) <= MOST_NAMES:
        return f"This part declares {listed(records)} and the items down to `{names[-1]}`."
    return f"This part declares the items from `{names[0]}` to `{names[-1]}`."


def _level(fact: Fact) -> str:
    return str(fact["object"]).split(" ")[0]


def names(part: Fact, lines: Lines) -> Statement | None:
    """Return which names of data sets and tables a text holds, None where there are none."""
    found: dict[str, Cited] = {}
    for number in range(part["first"], part["last"] + 1):
        for name in _QUALIFIED.findall(lines.get(number, "")):
            found.setdefault(name, (number, number))
    if not found:
        return None
    some = list(found)[:MOST_NAMES]
    others = ", among others," if len(found) > len(some) else ""
    return f"This part names{others} {listed(some)}.", ranges(found[name] for name in some)


def ranges(cited: Iterable[Cited]) -> list[Cited]:
    """Return *cited* in order, neighbours as one; all as one where they are many."""
    found: list[Cited] = []
    for first, last in sorted(cited):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found if len(found) <= _MOST_CITED else [(found[0][0], found[-1][1])]


def listed(names: Iterable[str]) -> str:
    """Return *names* between backticks, as in a sentence."""
    return joined([f"`{name}`" for name in names])


def joined(shown: Iterable[str]) -> str:
    """Return what is *shown*, as in a sentence."""
    *before, last = shown
    return f"{', '.join(before)} and {last}" if before else last
