"""Relations in a sentence: a verb before a known name needs its fact, and so does who does it.

A negation (no, not, never) in the three words before the verb turns it round.
Where paragraphs or steps of the file are named before the verb, one of them has to be
who does it: the sentence may name several, and a program does what its parts do.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from war_rig.readers import Fact

RELATIONS: Mapping[str, tuple[str, ...]] = {
    "calls": ("call", "call-name", "link", "link-name", "xctl", "xctl-name"),
    "reads": ("read", "select"),
    "writes": ("write", "insert"),
    "updates": ("rewrite", "update"),
    "deletes": ("delete",),
    "copies": ("copy", "include"),
    "sends": ("send",),
    "receives": ("receive",),
    "performs": ("perform", "thru"),
    "opens": ("open",),
    "goes": ("goto",),
    "runs": ("exec", "exec-resolved", "exec-proc", "runs"),
}
"""The verbs of a sentence that need a fact, and the kinds of fact that support each."""

_NEGATED = {verb.removesuffix("s"): verb for verb in RELATIONS if verb not in ("copies", "goes")}
_NEGATED |= {"copy": "copies", "go": "goes"}
"""The verbs as they stand behind "does not"."""

_OTHER_VERBS = frozenset({"moves", "starts", "returns"})
_NEGATIONS = frozenset({"never", "not", "no"})
_NEAR = 3
_DOERS = ("paragraph", "step")
_OWNERS = ("program", "section", "entry", "job", "proc")  # each does what its parts do
_OTHERS = frozenset({"it", "this", "they", "program", "job"})
_BEFORE_NO_SUBJECT = frozenset({"by", "from", "in", "of", "to", "before", "after", "until"})
_BESIDE_NAMES = frozenset({"the", "paragraph", "step"})
_KINDS = frozenset([*(kind for kinds in RELATIONS.values() for kind in kinds), *_DOERS])
_WORD = re.compile(r"[\w$@#-]+(?:\.\w+)*")


def related_names(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the names, in lower case, that may stand in some relation: called, read, performed."""
    return frozenset(fact.object.lower() for fact in facts if fact.kind in _KINDS)


def doers_in(facts: Iterable[Fact]) -> frozenset[tuple[str, str]]:
    """Return the paragraphs and steps, each with its file, not called like what is around them.

    Their names are in lower case.
    """
    named: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for fact in facts:
        if fact.kind in _DOERS or fact.kind in _OWNERS:
            named[fact.kind in _DOERS].add((fact.file, fact.object.lower()))
    return frozenset(named[True] - named[False])


def relation_faults(
    text: str, facts: Sequence[Fact], related: frozenset[str], doers: Set[tuple[str, str]]
) -> Iterator[str]:
    """Yield what the sentence *text*, without its quotations, says that no fact does.

    related, doers: what ``related_names`` and ``doers_in`` say of the files of *facts*.
    """
    files = {fact.file for fact in facts}
    relation, is_negated = "", False
    named: set[str] = set()  # the doers so far
    subjects: set[str] = set()  # those that stand before any verb
    words = [word.lower() for word in _WORD.findall(text.replace("`", " "))]
    for at, word in enumerate(words):
        near = _NEGATIONS.intersection(words[max(0, at - _NEAR) : at])
        verb = word if word in RELATIONS else _NEGATED.get(word, "") if near else ""
        if word in _OTHERS and not relation:
            subjects.clear()
        if word in _OTHER_VERBS:
            relation = ""
        elif verb:
            relation, is_negated = verb, bool(near)
        elif relation and word in related:
            found = _facts(relation, word, facts)
            if is_negated and found:
                yield f"a line of this part {relation} {word.upper()}"
            elif not is_negated and not found:
                yield f"no line of this part {relation} {word.upper()}"
            elif not is_negated and all(_is_others(f, subjects, named, doers) for f in found):
                who = " or ".join(name.upper() for name in sorted(subjects))
                yield f"no line of {who} {relation} {word.upper()}"
        if any((file, word) in doers for file in files):
            named.add(word)
            if not (relation or _is_beside(words[:at])):
                subjects.add(word)


def _facts(relation: str, name: str, facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts that something stands in the relation to *name*, in lower case."""
    return [f for f in facts if f.kind in RELATIONS[relation] and f.object.lower() == name]


def _is_others(
    fact: Fact, subjects: Set[str], named: Set[str], doers: Set[tuple[str, str]]
) -> bool:
    """Return whether neither *subjects*, which are of the file, nor anybody *named* does it."""
    who = fact.subject.lower()
    has_subject = any((fact.file, subject) in doers for subject in subjects)
    return has_subject and (fact.file, who) in doers and who not in named


def _is_beside(before: Sequence[str]) -> bool:
    """Return whether a name behind *before* is no subject, as in "performed by the paragraph A"."""
    last = next((word for word in reversed(before) if word not in _BESIDE_NAMES), "")
    return last in _BEFORE_NO_SUBJECT
