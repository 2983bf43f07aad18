"""The checks that a claim must pass, in order; pure functions, no LLM.

1. Each citation parses, and its lines lie in the unit.
2. Each identifier of the sentence stands in the cited lines.
3. So does each number, and each text in quotation marks.
4. A relation word (calls, reads, ...) before a known name needs its fact.

The fifth, coverage, is about a unit: it needs a claim that passed these.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from war_rig.document.claims import Citation, Claim
from war_rig.readers import Fact, Source, Unit

_CODE = re.compile(r"`([^`]+)`")
_QUOTED = re.compile(r'"([^"]+)"|\u201c([^\u201d]+)\u201d|(?<![\w])\'([^\']+)\'(?![\w])')
_LINE_REFERENCE = re.compile(r"\blines?\s+(\d+)(?:\s*(?:-|to|and)\s*(\d+))?", re.IGNORECASE)
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
_NUMBER = re.compile(r"(?<![\w.$-])\d+(?:[.,]\d+)*(?![\w-])")
_WORD = re.compile(r"[\w$@#-]+(?:\.\w+)*")

_RELATIONS = {
    "calls": ("call", "call-name", "link", "link-name", "xctl", "xctl-name"),
    "reads": ("read", "select"),
    "writes": ("write", "insert"),
    "updates": ("rewrite", "update"),
    "copies": ("copy", "include"),
    "sends": ("send",),
    "performs": ("perform", "thru"),
    "opens": ("open",),
}
_OTHER_VERBS = frozenset({"goes", "runs", "deletes", "receives", "moves", "starts", "returns"})
_NEGATIONS = frozenset({"never", "not", "no"})
_RELATION_KINDS = frozenset(kind for kinds in _RELATIONS.values() for kind in kinds)


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim, and what is wrong with it; nothing is, where issues is empty."""

    claim: Claim
    issues: tuple[str, ...]

    @property
    def is_verified(self) -> bool:
        """Return whether every check passed."""
        return not self.issues


def check(
    claim: Claim,
    unit: Unit,
    source: Source,
    facts: Sequence[Fact],
    related: frozenset[str] | None = None,
) -> Checked:
    """Return *claim* with what the checks found; a fault of the citations ends them.

    facts: those of the unit. related: ``related_names`` of the whole file, of
    *facts* where it is not given.
    """
    related = related_names(facts) if related is None else related
    faults = list(_citation_faults(claim, unit, source))
    if not faults:
        cited = _cited_text(claim.citations, source)
        faults = [
            *_identifier_faults(claim.text, cited, source),
            *_literal_faults(claim, cited),
            *_relation_faults(claim.text, facts, related),
        ]
    return Checked(claim, tuple(faults))


def _citation_faults(claim: Claim, unit: Unit, source: Source) -> Iterator[str]:
    if not claim.text.strip():
        yield "it says nothing"
    if not claim.cites:
        yield "it cites no lines"
    for written in claim.cites:
        try:
            citation = Citation.parse(written)
        except ValueError as error:
            yield str(error)
            continue
        if citation.file != source.file:
            yield f"{citation}: the file of this part is {source.file}"
        elif not unit.first <= citation.first <= citation.last <= unit.last:
            yield f"{citation}: the lines of this part are {unit.first}-{unit.last}"


def _cited_text(citations: Iterable[Citation], source: Source) -> str:
    lines = (line for c in citations for line in source.lines[c.first - 1 : c.last])
    return "\n".join(lines)


def _identifier_faults(text: str, cited: str, source: Source) -> Iterator[str]:
    for name in identifiers(text):
        if _stands_in(name, cited):
            continue
        if _stands_in(name, "\n".join(source.lines)):
            yield f"'{name}' is in the file but not in the cited lines: widen the citation"
        else:
            yield f"'{name}' is not in the file: it is invented"


def identifiers(text: str) -> list[str]:
    """Return the source names in a sentence: code spans of one word, and words spelt like code."""
    unquoted = _QUOTED.sub(" ", text)
    spans = [span.strip() for span in _CODE.findall(unquoted)]
    plain = _IDENTIFIER.findall(_LINE_REFERENCE.sub(" ", _CODE.sub(" ", unquoted)))
    found = [span for span in spans if _WORD.fullmatch(span)] + plain
    names = dict.fromkeys(name for name in found if not name.replace(".", "").isdigit())
    return [name for name in names if name not in _ACRONYMS]


def _literal_faults(claim: Claim, cited: str) -> Iterator[str]:
    text = claim.text
    quoted = ["".join(groups) for groups in _QUOTED.findall(text)]
    code = [span.strip() for span in _CODE.findall(_QUOTED.sub(" ", text))]
    for literal in quoted + [span for span in code if not _WORD.fullmatch(span)]:
        if not _is_quoted_from(literal, cited):
            yield f"{literal!r} does not stand in the cited lines"
    rest = _QUOTED.sub(" ", text)
    for first, last in _LINE_REFERENCE.findall(rest):
        for line in filter(None, (first, last)):
            if not any(c.first <= int(line) <= c.last for c in claim.citations):
                yield f"line {line} is not among the cited lines"
    for number in _NUMBER.findall(_LINE_REFERENCE.sub(" ", rest)):
        if not _number_stands_in(number, cited):
            yield f"the number {number} does not stand in the cited lines"


def related_names(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the names, in lower case, that stand in some relation: called, read, written."""
    return frozenset(fact.object.lower() for fact in facts if fact.kind in _RELATION_KINDS)


def _relation_faults(text: str, facts: Sequence[Fact], related: frozenset[str]) -> Iterator[str]:
    relation, is_negated, before = None, False, ""
    for word in _WORD.findall(_QUOTED.sub(" ", text).replace("`", " ")):
        if word.lower() in _OTHER_VERBS:
            relation = None
        elif word.lower() in _RELATIONS:
            relation, is_negated = word.lower(), before in _NEGATIONS
        elif relation and word.lower() in related:
            if is_negated and _has_fact(relation, word, facts):
                yield f"a line of this part {relation} {word}"
            elif not is_negated and not _has_fact(relation, word, facts):
                yield f"no line of this part {relation} {word}"
        before = word.lower()


def _has_fact(relation: str, word: str, facts: Sequence[Fact]) -> bool:
    kinds = _RELATIONS[relation]
    return any(f.kind in kinds and f.object.lower() == word.lower() for f in facts)


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def _number_stands_in(number: str, text: str) -> bool:
    wanted = number.replace(",", "")
    found = (match.replace(",", "") for match in re.findall(r"\d+(?:[.,]\d+)*", text))
    return any(_same_number(wanted, other) for other in found)


def _same_number(one: str, other: str) -> bool:
    return one == other or (one.lstrip("0") or "0") == (other.lstrip("0") or "0")


def _is_quoted_from(literal: str, cited: str) -> bool:
    """Return whether *literal* stands in *cited*, apart from punctuation and line breaks."""
    words = _only_words(literal)
    if words and f" {words} " in f" {_only_words(cited)} ":
        return True
    return " ".join(literal.split()) in " ".join(cited.split())


def _only_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", _SEQUENCE_NUMBERS.sub(" ", text).lower()))


# Columns 1-6 and 73-80 of a card: no part of the text that runs over its lines.
_SEQUENCE_NUMBERS = re.compile(r"^\d{6}(?!\d)|(?<=\W)\d{8}\s*$", re.MULTILINE)
