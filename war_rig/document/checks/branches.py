"""What the cited lines do in one branch only, and a sentence says to be done in the other.

Only where both are plain: one IF with one comparison, without ELSE and OR, and what is done
stands in its branch and nowhere else; a sentence with one comparison behind "when", "if" or
"who", and without any other denial or exception. What is written, set or added is told by its
name. A branch that leaves does not count: what stands behind it is done on the other side only.
"""

import re
from collections.abc import Iterator, Sequence

from war_rig.document.checks.comparisons import Compared, comparisons_in, plain, values_in
from war_rig.readers import Fact
from war_rig.readers.cobol_branches import Done, done_in_branch
from war_rig.readers.comparisons import MIRRORED, OPPOSITE

_CONDITION = re.compile(r"\b(?:when|whenever|if|where|whose|who|which|once)\b[^,;:]*$", re.I)
_NOT = re.compile(r"(?:\bnot|n['\u2019]t|\bnever|\bno)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_OTHERWISE = re.compile(
    r"n['\u2019]t\b|\b(?:not?|never|cannot|nothing|none|neither|nor|unless|except|without|otherwise"
    r"|else|stays?|remains?|keeps?|kept|left|unchanged|skip\w*|but|still|until|so)\b",
    re.IGNORECASE,
)
_THE = r"(?:the\s+|record\s+|file\s+|paragraph\s+|program\s+)*"
_ITEM = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)+")
_SAYINGS = {
    "performs": rf"\b(?:performs|by)\s+{_THE}<name>|<name>\s+is\s+performed\b",
    "calls": rf"\bcalls\s+{_THE}<name>|<name>\s+is\s+called\b",
    "sets": rf"\bsets\s+{_THE}<name>|\bmoves\s+(?:\S+\s+){{1,3}}to\s+{_THE}<name>"
    r"|<name>\s+is\s+(?:set|moved)\b",
    "adds to": rf"\badds\s+(?:\S+\s+){{1,3}}to\s+{_THE}<name>|\bcounts\s+{_THE}<name>"
    r"|<name>\s+is\s+(?:added|counted)\b",
    "writes": rf"\b(?:re)?writes\s+{_THE}<name>|<name>\s+is\s+(?:re)?written\b",
    "deletes": rf"\bdeletes\s+{_THE}<name>|<name>\s+is\s+deleted\b",
}
"""How a sentence says what lines do to a name."""


def branch_faults(text: str, facts: Sequence[Fact], cited: str) -> Iterator[str]:
    """Yield what *text*, without its quotations, puts into the other branch of the lines *cited*.

    facts: those on these lines.
    """
    bare = text.replace("`", "")
    said, compared = list(comparisons_in(bare)), _only_comparison(facts)
    if len(said) != 1 or compared is None or not _is_condition(bare, said[0]):
        return
    told = _without_it(bare, said[0])
    if _is_opposite(bare, said[0], compared, cited) and any(
        _says(told, done) for done in done_in_branch(cited.split("\n"))
    ):
        phrase = said[0].found[0]
        yield f"'{phrase}': the cited lines do it only on the other side of the limit"


def _only_comparison(facts: Sequence[Fact]) -> Fact | None:
    found = [fact for fact in facts if fact.kind in OPPOSITE]
    return found[0] if len(found) == 1 else None


def _is_condition(text: str, said: Compared) -> bool:
    """Return whether the comparison is a condition, and nothing else in *text* denies."""
    before, behind = text[: said.found.start()], text[said.found.end() :]
    rest = f"{_NOT.sub('', before)} {behind}"
    return bool(_CONDITION.search(before)) and not _OTHERWISE.search(rest)


def _is_opposite(text: str, said: Compared, fact: Fact, cited: str) -> bool:
    """Return whether the sentence compares as *fact* does, and says the opposite."""
    values = values_in(cited)
    one, other = (values.get(n, [n]) for n in (plain(fact.subject), plain(fact.object)))
    before = text[: said.found.start()]
    kind = OPPOSITE[said.kind] if _NOT.search(before) else said.kind
    if plain(said.limit) in one:
        kind, one = MIRRORED[kind], other
    elif plain(said.limit) not in other:
        return False
    names = _ITEM.findall(before)
    return kind == OPPOSITE[fact.kind] and (not names or plain(names[-1]) in one)


def _without_it(text: str, said: Compared) -> str:
    """Return *text* with what it compares in the place of "it", as in "it is set to the limit"."""
    names = _ITEM.findall(text[: said.found.start()])
    return re.sub(r"\bit(?=\s+is\b)", names[-1], text) if names else text


def _says(text: str, done: Done) -> bool:
    name = rf"(?<![\w-]){re.escape(done.name)}(?![\w-])"
    return re.search(_SAYINGS[done.verb].replace("<name>", name), text, re.IGNORECASE) is not None
