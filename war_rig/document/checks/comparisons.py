"""Comparisons and changes in a sentence: which side is greater, and what is moved where.

A comparison and its opposite ("over 40", "at most 40") say the same of the source: one of
them holds in a branch, the other behind it. So a sentence is wrong where the source compares
the two only the other way round, or has the limit on the other side: "at least 40" of what
is over 40. It is wrong, too, where the source moves, adds or subtracts between two items
only in the other direction. A limit is also the number that a cited declaration gives to it.

Where the cited lines do something in one branch only, and the sentence says that it is
done in the other one, it is wrong, too: branches.py.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from war_rig.readers import Fact
from war_rig.readers.cobol_numbers import declared_numbers
from war_rig.readers.comparisons import MIRRORED, OPPOSITE

CHANGED = {
    "move": "moves",
    "move-name": "moves",
    "move-corresponding": "moves",
    "add": "adds",
    "subtract": "subtracts",
}
"""The kinds of facts that change their subject by their object, and the verb of each."""

_NAME = r"([A-Za-z0-9][\w$#@-]*(?:[.,]\d+)*)"
_MORE = r"(?:greater|more|higher|larger|later)"
_LESS = r"(?:less|fewer|lower|smaller|earlier)"
_BETWEEN = r"(?:(?:the|a|an|its|value|of)\s+){0,3}"
_BEFORE = re.compile(
    rf"\b((?:{_MORE}|{_LESS})\s+than(?:\s+or\s+equal(?:\s+to)?)?"
    rf"|exceed(?:s|ed|ing)?|over|above|under|below|at\s+most|at\s+least)\s+{_BETWEEN}{_NAME}",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"\b{_NAME}(?:\s+\w+)?\s+(or\s+(?:{_MORE}|above|over|{_LESS}|below|under))\b(?!\s+than)",
    re.IGNORECASE,
)
_IS_MORE = re.compile(rf"{_MORE}|exceed|over|above", re.IGNORECASE)
_DIRECTIONS = (  # (verb, what it is about first, what it changes first)
    ("moves", rf"\b(?:moves?|copies|copy)\s+{_NAME}\s+(?:in)?to\s+{_NAME}", False),
    ("moves", rf"\b{_NAME}\s+(?:is|are)\s+(?:moved|copied)\s+(?:in)?to\s+{_NAME}", False),
    ("moves", rf"\bsets?\s+{_NAME}\s+(?:to|from)\s+{_NAME}", True),
    ("adds", rf"\badds?\s+{_NAME}\s+to\s+{_NAME}", False),
    ("adds", rf"\b{_NAME}\s+(?:is|are)\s+added\s+to\s+{_NAME}", False),
    ("subtracts", rf"\bsubtracts?\s+{_NAME}\s+from\s+{_NAME}", False),
    ("subtracts", rf"\b{_NAME}\s+(?:is|are)\s+subtracted\s+from\s+{_NAME}", False),
)
_DIRECTED = tuple((verb, re.compile(form, re.IGNORECASE), to) for verb, form, to in _DIRECTIONS)


def comparison_faults(text: str, facts: Sequence[Fact], cited: str = "") -> Iterator[str]:
    """Yield what the sentence *text*, without its quotations, compares or changes wrongly.

    facts: those on the lines *cited*.
    """
    bare = text.replace("`", "")
    compared = [fact for fact in facts if fact.kind in OPPOSITE]
    said = list(comparisons_in(bare)) if compared else []
    if said:
        yield from _compared_wrongly(bare, said, _kinds(compared, values_in(cited)))
    changed = {
        (CHANGED[f.kind], plain(f.object), plain(f.subject)) for f in facts if f.kind in CHANGED
    }
    if changed:
        yield from _changed_wrongly(bare, changed)


def values_in(cited: str) -> dict[str, list[str]]:
    """Return each item that *cited* declares with a number: its name, and the number."""
    found = declared_numbers(cited.split("\n"))
    return {plain(name): [plain(name), plain(number)] for name, number in found.items()}


_Kinds = dict[tuple[str, str], set[str]]
"""The kinds of comparisons that may be said of one item and another one."""


def _kinds(facts: Iterable[Fact], values: dict[str, list[str]]) -> _Kinds:
    """Return what *facts* say, from either side, and its opposite."""
    found: _Kinds = defaultdict(set)
    for fact in facts:
        one, other = plain(fact.subject), plain(fact.object)
        mirrored = MIRRORED[fact.kind]
        for first, second in product(values.get(one, [one]), values.get(other, [other])):
            found[first, second] |= {fact.kind, OPPOSITE[fact.kind]}
            found[second, first] |= {mirrored, OPPOSITE[mirrored]}
    return found


def _compared_wrongly(text: str, said: Iterable["Compared"], kinds: _Kinds) -> Iterator[str]:
    subjects = {name for name, _ in kinds}
    for one in said:
        before = [plain(name) for name in re.findall(_NAME, text[: one.found.start()])]
        subject = next((name for name in reversed(before) if name in subjects), "")
        known = [
            these
            for (name, limit), these in kinds.items()
            if limit == plain(one.limit) and subject in ("", name)
        ]
        if known and not any(one.kind in these for these in known):
            phrase = one.found[0]
            yield f"'{phrase}': no line of this part compares so; see which side has the limit"


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison in a sentence, and its limit; kind: as of a fact that compares."""

    found: re.Match[str]
    limit: str
    kind: str


def comparisons_in(text: str) -> Iterator[Compared]:
    """Yield each comparison in *text*, as it is worded: a "not" before it does not count."""
    for found in _BEFORE.finditer(text):
        words = found[1].lower().split()
        is_more = _IS_MORE.match(found[1]) is not None
        if words[0] == "at":
            kind = "at-most" if words[1] == "most" else "at-least"
        elif "equal" in words:
            kind = "at-least" if is_more else "at-most"
        else:
            kind = "greater" if is_more else "less"
        yield Compared(found, found[2], kind)
    for found in _BEHIND.finditer(text):
        yield Compared(found, found[1], "at-least" if _IS_MORE.search(found[2]) else "at-most")


def _changed_wrongly(text: str, changed: set[tuple[str, str, str]]) -> Iterator[str]:
    for verb, form, is_target_first in _DIRECTED:
        for found in form.finditer(text):
            one, other = plain(found[1]), plain(found[2])
            source, target = (other, one) if is_target_first else (one, other)
            if (verb, source, target) not in changed and (verb, target, source) in changed:
                yield f"'{found[0]}': a line of this part does it the other way round"


def plain(name: str) -> str:
    """Return a name in lower case, a number without what does not change it."""
    bare = name.strip("'\"+ ").lower()
    if bare in ("zero", "zeros", "zeroes"):
        return "0"
    return (bare.lstrip("0") or "0") if bare.isdigit() else bare
