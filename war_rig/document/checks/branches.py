"""What the cited lines do in one branch only, and a sentence says to be done in the other.

Only where both are plain: one IF with one comparison, without ELSE and OR, and what is done
stands in its branch and nowhere else; a sentence with one comparison behind "when", "if" or
"who", and without any other denial or exception. What is written, set or added is told by its
name. A branch that leaves does not count: what stands behind it is done on the other side only.
"""

import re
from collections.abc import Iterator, Sequence

from war_rig.document.checks.comparisons import COMPARED, Compared, comparisons_in, plain, values_in
from war_rig.document.checks.ground import without_comments
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
_LEAVES = re.compile(
    r"(?<![\w-])(?:GO\s+TO|EXIT|GOBACK|STOP|RETURN|XCTL|ABEND|NEXT\s+SENTENCE)(?![\w-])",
    re.IGNORECASE,
)
_NAME = r"([A-Za-z0-9][\w$#@-]*)"
_THE = r"(?:the\s+|record\s+|file\s+|paragraph\s+|program\s+)*"
_ITEM = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)+")
_PERFORMED = (  # (a statement, what a sentence says of its object)
    (r"PERFORM\s+{}", rf"\b(?:performs|by)\s+{_THE}{{}}|{{}}\s+is\s+performed\b"),
    (r"CALL\s+'?{}", rf"\bcalls\s+{_THE}{{}}|{{}}\s+is\s+called\b"),
)
_CHANGED = (
    (
        r"(?:MOVE\s+(?:'[^']*'|[^\s']+)\s+TO|SET|COMPUTE)\s+{}",
        rf"\bsets\s+{_THE}{{}}|\bmoves\s+(?:\S+\s+){{1,3}}to\s+{_THE}{{}}"
        r"|{}\s+is\s+(?:set|moved)\b",
    ),
    (
        r"ADD\s+\S+\s+TO\s+{}",
        rf"\badds\s+(?:\S+\s+){{1,3}}to\s+{_THE}{{}}|\bcounts\s+{_THE}{{}}"
        r"|{}\s+is\s+(?:added|counted)\b",
    ),
    (r"(?:RE)?WRITE\s+{}", rf"\b(?:re)?writes\s+{_THE}{{}}|{{}}\s+is\s+(?:re)?written\b"),
    (r"DELETE\s+{}", rf"\bdeletes\s+{_THE}{{}}|{{}}\s+is\s+deleted\b"),
)
_RUNS_MORE = re.compile(r"(?<![\w-])(?:PERFORM|CALL|EXEC|COPY)(?![\w-])", re.IGNORECASE)


def branch_faults(text: str, facts: Sequence[Fact], cited: str) -> Iterator[str]:
    """Yield what *text*, without its quotations, puts into the other branch of the lines *cited*.

    facts: those on these lines.
    """
    bare = text.replace("`", "")
    said, compared = list(comparisons_in(bare)), _only_comparison(facts)
    if len(said) != 1 or compared is None or not _is_condition(bare, said[0]):
        return
    branch = _only_branch(without_comments(cited))
    if branch is None or _LEAVES.search(branch[0]):
        return
    told = _without_it(bare, said[0])
    if _is_opposite(bare, said[0], compared, cited) and _is_done(told, *branch):
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
    names = _ITEM.findall(before)
    return kind == _OPPOSITE[fact.kind] and (not names or plain(names[-1]) in one)


def _without_it(text: str, said: Compared) -> str:
    """Return *text* with what it compares in the place of "it", as in "it is set to the limit"."""
    names = _ITEM.findall(text[: said.found.start()])
    return re.sub(r"\bit(?=\s+is\b)", names[-1], text) if names else text


def _is_done(text: str, branch: str, rest: str) -> bool:
    """Return whether *text* says that something is done which stands in *branch* only.

    What a sentence says to be written or set may be so behind the branch by what runs there.
    """
    for statement, saying in _PERFORMED if _RUNS_MORE.search(rest) else _PERFORMED + _CHANGED:
        form = rf"(?<![\w-]){statement.replace('{}', _NAME)}"
        for name in re.findall(form, branch, re.IGNORECASE):
            whole = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
            is_said = re.search(saying.replace("{}", whole), text, re.IGNORECASE)
            if is_said and not re.search(whole, rest, re.IGNORECASE):
                return True
    return False
