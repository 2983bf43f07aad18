"""What the cited lines do in one branch only, and a sentence says to be done in the other.

Only where both are plain: one IF with one comparison, without ELSE and OR, and what is done
stands in its branch and nowhere else; a sentence with one comparison behind "when", "if" or
"who", and without any other denial or exception.
"""

import re
from collections.abc import Iterator, Sequence

from war_rig.document.comparisons import COMPARED, Compared, comparisons_in, plain, values_in
from war_rig.document.ground import without_comments
from war_rig.readers import Fact

_OPPOSITE = {
    "greater": "at-most", "at-most": "greater", "less": "at-least", "at-least": "less",
}  # fmt: skip
_MIRRORED = {
    "greater": "less", "less": "greater", "at-most": "at-least", "at-least": "at-most",
}  # fmt: skip
_IF = re.compile(r"(?<![\w-])IF(?![\w-])", re.IGNORECASE)
_END = re.compile(r"\bEND-IF\b|\.\s*(?:\d{8}\s*)?$", re.IGNORECASE | re.MULTILINE)
_OTHER_WAYS = re.compile(
    r"(?<![\w-])(?:ELSE|WHEN|UNTIL|OR|NOT(?!\s+(?:[<>=]|GREATER|LESS)))(?![\w-])", re.IGNORECASE
)
_CONDITION = re.compile(r"\b(?:when|whenever|if|where|whose|who|which|once)\b[^,;:]*$", re.I)
_NOT = re.compile(r"(?:\bnot|n['\u2019]t|\bnever|\bno)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_OTHERWISE = re.compile(
    r"n['\u2019]t\b|\b(?:not?|never|cannot|nothing|none|neither|nor|unless|except|without|otherwise"
    r"|else|stays?|remains?|keeps?|kept|left|unchanged|skip\w*|but|still|until|so)\b",
    re.IGNORECASE,
)
_DONE = (  # (a statement, what a sentence says of it)
    (r"PERFORM\s+{}", r"\b(?:performs|by)\s+(?:the\s+|paragraph\s+)*{}|{}\s+is\s+performed\b"),
    (r"CALL\s+'?{}", r"\bcalls\s+(?:the\s+|program\s+)*{}|{}\s+is\s+called\b"),
    (r"GO\s+TO\s+{}", r"\bgoes\s+(?:\w+\s+)?to\s+(?:the\s+|paragraph\s+)*{}"),
    (r"(?:MOVE|SET|COMPUTE)\s()", r"\b(?:(?:is|are)\s+(?:set|moved)|sets|moves)\b"),
    (r"ADD\s()", r"\b(?:(?:is|are)\s+(?:added|counted)|adds|counts)\b"),
    (r"(?:RE)?WRITE\s()", r"\b(?:(?:is|are)\s+(?:re)?written|(?:re)?writes)\b"),
    (r"DELETE\s()", r"\b(?:(?:is|are)\s+deleted|deletes)\b"),
)
_NAME = r"([A-Za-z0-9][\w$#@-]*)"


def branch_faults(text: str, facts: Sequence[Fact], cited: str) -> Iterator[str]:
    """Yield what *text*, without its quotations, puts into the other branch of the lines *cited*.

    facts: those on these lines.
    """
    bare = text.replace("`", "")
    said, compared = list(comparisons_in(bare)), _only_comparison(facts)
    if len(said) != 1 or compared is None or not _is_condition(bare, said[0]):
        return
    branch = _only_branch(without_comments(cited))
    if branch and _is_opposite(bare, said[0], compared, cited) and _is_done(bare, *branch):
        phrase = said[0].found[0]
        yield f"'{phrase}': the cited lines do it only on the other side of the limit"


def _only_comparison(facts: Sequence[Fact]) -> Fact | None:
    found = [fact for fact in facts if fact.kind in COMPARED]
    return found[0] if len(found) == 1 else None


def _only_branch(code: str) -> tuple[str, str] | None:
    """Return the text of the only IF in *code*, and the rest; None where it is not plain."""
    starts = [match.start() for match in _IF.finditer(code)]
    if len(starts) != 1 or _OTHER_WAYS.search(code):
        return None
    end = _END.search(code, starts[0])
    behind = end.end() if end else len(code)
    return code[starts[0] : behind], code[: starts[0]] + code[behind:]


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
    kind = _OPPOSITE[said.kind] if _NOT.search(before) else said.kind
    if plain(said.limit) in one:
        kind, one = _MIRRORED[kind], other
    elif plain(said.limit) not in other:
        return False
    names = [plain(name) for name in re.findall(r"[A-Z0-9]+(?:-[A-Z0-9]+)+", before)]
    return kind == _OPPOSITE[fact.kind] and (not names or names[-1] in one)


def _is_done(text: str, branch: str, rest: str) -> bool:
    """Return whether *text* says that something is done which stands in *branch* only."""
    for statement, saying in _DONE:
        form = rf"(?<![\w-]){statement.format(_NAME)}"
        names = {name.upper() for name in re.findall(form, branch, re.IGNORECASE)}
        names -= {name.upper() for name in re.findall(form, rest, re.IGNORECASE)}
        for name in names:
            if re.search(saying.replace("{}", rf"{re.escape(name)}(?![\w-])"), text, re.IGNORECASE):
                return True
    return False
