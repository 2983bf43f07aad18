"""The checks that a claim must pass, in order; pure functions, no LLM.

1. Each citation parses, and its lines are among those that the writer was shown.
2. Each identifier of the sentence stands in the cited lines.
3. So does each number, and each text in quotation marks: literals.py.
4. A relation word (calls, reads, ...) before a known name needs its fact: relations.py, and
   passive.py. No whole statement is denied: denial.py.
5. What is compared, moved or added has to be so in the cited lines: comparisons.py.
   So does what is subtracted or divided: arithmetic.py; and what is done in one branch
   is not said of the other one: branches.py.

The sixth, coverage, is about a unit: it needs a claim that passed these.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from war_rig.document.checks.arithmetic import arithmetic_faults
from war_rig.document.checks.branches import branch_faults
from war_rig.document.checks.comparisons import comparison_faults
from war_rig.document.checks.denial import denial_faults
from war_rig.document.checks.ground import Ground
from war_rig.document.checks.literals import (
    LINE_REFERENCE,
    QUOTED,
    edge_faults,
    is_quoted_from,
    number_faults,
)
from war_rig.document.checks.passive import passive_faults
from war_rig.document.checks.relations import Words, relation_faults
from war_rig.document.claims import Citation, Claim
from war_rig.readers import Fact

_CODE = re.compile(r"`([^`]+)`")
_IDENTIFIER = re.compile(
    r"""(?<![\w.$@-])(?:
        [A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+          # snake_case
      | _+[A-Za-z]\w*
      | [A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+                   # WS-CUSTOMER-ID
      | [a-z]+[A-Z]\w* | [A-Z][a-z0-9]+[A-Z]\w*         # camelCase, PascalCase
      | [A-Za-z]+\d\w*                                  # PAY01
      | [A-Z]{5,}                                       # PAYTOTAL
      | [A-Za-z_]\w+(?:\.[A-Za-z_]\w+)+                 # dotted.name
    )(?![\w-])""",
    re.VERBOSE,
)
_ACRONYMS = frozenset({"COBOL", "ASCII", "EBCDIC", "HTTPS", "CICS", "VSAM"})  # said of any source
_WORD = re.compile(r"&{0,2}[\w$@#-]+(?:\.\w+)*")


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim, and what is wrong with it; nothing is, where issues is empty.

    verdict: what the Challenger's model says of it, None where none was asked:
    "supported", "contradicted" or "cannot tell"; reason: in its own words.
    """

    claim: Claim
    issues: tuple[str, ...] = ()
    verdict: Literal["supported", "contradicted", "cannot tell"] | None = None
    reason: str = ""

    @property
    def is_verified(self) -> bool:
        """Return whether every check passed."""
        return not self.issues


def check(claim: Claim, ground: Ground) -> Checked:
    """Return *claim* with what the checks found; a fault of the citations ends them."""
    faults = list(_citation_faults(claim, ground))
    if not faults:
        cited, unquoted = ground.text(claim.citations), QUOTED.sub(" ", claim.text)
        words, facts = Words.of(unquoted), _on(claim.citations, ground.facts)
        faults = [
            *_identifier_faults(claim.text, cited, ground),
            *_literal_faults(claim, cited, ground),
            *edge_faults(claim.text, cited),
            *denial_faults(unquoted),
            *relation_faults(words, ground.known),
            *passive_faults(words, ground.known),
            *arithmetic_faults(unquoted, cited),
            *comparison_faults(unquoted, facts, cited),
            *branch_faults(unquoted, facts, cited),
        ]
    return Checked(claim, tuple(faults))


def _on(citations: Sequence[Citation], facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts on the lines of *citations*."""
    lines = {(c.file, line) for c in citations for line in range(c.first, c.last + 1)}
    return [fact for fact in facts if (fact.file, fact.line) in lines]


def _citation_faults(claim: Claim, ground: Ground) -> Iterator[str]:
    if not claim.text.strip():
        yield "it says nothing"
    if not claim.cites:
        yield "it cites no lines"
    for written in claim.cites:
        try:
            fault = ground.fault(Citation.parse(written))
        except ValueError as error:
            fault = str(error)
        if fault is not None:
            yield fault


def _identifier_faults(text: str, cited: str, ground: Ground) -> Iterator[str]:
    for name in identifiers(text):
        if _stands_in(name, cited):
            continue
        lines = (line for file in ground.files for line in file.source.lines)
        if _stands_in(name, "\n".join(lines)):
            yield f"'{name}' is in the file but not in the cited lines: widen the citation"
        else:
            yield f"'{name}' is not in the file: it is invented"


def identifiers(text: str) -> list[str]:
    """Return the source names in a sentence: code spans of one word, and words spelt like code."""
    unquoted = QUOTED.sub(" ", text)
    spans = [span.strip() for span in _CODE.findall(unquoted)]
    plain = _IDENTIFIER.findall(LINE_REFERENCE.sub(" ", _CODE.sub(" ", unquoted)))
    found = [span for span in spans if _WORD.fullmatch(span)] + plain
    names = dict.fromkeys(
        name for name in found if not name.lstrip("-+").replace(".", "").isdigit()
    )
    return [name for name in names if name not in _ACRONYMS]


def _literal_faults(claim: Claim, cited: str, ground: Ground) -> Iterator[str]:
    text = claim.text
    quoted = ["".join(groups) for groups in QUOTED.findall(text)]
    code = [span.strip() for span in _CODE.findall(QUOTED.sub(" ", text))]
    for literal in quoted + [span for span in code if not _WORD.fullmatch(span)]:
        if not is_quoted_from(literal, cited):
            yield f"{literal!r} does not stand in the cited lines"
    rest = QUOTED.sub(" ", text)
    for first, last in LINE_REFERENCE.findall(rest):
        for line in filter(None, (first, last)):
            if not any(c.first <= int(line) <= c.last for c in claim.citations):
                yield f"line {line} is not among the cited lines"
    cobol = [c for c in claim.citations if ground.is_cobol(c)]
    others = [c for c in claim.citations if c not in cobol]
    bare = LINE_REFERENCE.sub(" ", rest)
    yield from number_faults(bare, ground.text(cobol), ground.text(others))


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
