"""Relations in a sentence: a verb before a known name needs its fact, and so does who does it.

A negation (no, not, never) in the three words before the verb turns it round.
Where paragraphs or steps are named before the verb, one of them has to be who
does it: the sentence may name several, and a program does what its parts do.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

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
_KINDS = frozenset([*(kind for kinds in RELATIONS.values() for kind in kinds), *_DOERS])
_WORD = re.compile(r"[\w$@#-]+(?:\.\w+)*")


def related_names(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the names, in lower case, that may stand in some relation: called, read, performed."""
    return frozenset(fact.object.lower() for fact in facts if fact.kind in _KINDS)


def relation_faults(text: str, facts: Sequence[Fact], related: frozenset[str]) -> Iterator[str]:
    """Yield what the sentence *text*, without its quotations, says that no fact does."""
    doers = {fact.object.lower() for fact in facts if fact.kind in _DOERS}
    relation, is_negated = "", False
    named: set[str] = set()  # the doers so far
    subjects: set[str] = set()  # those that stand before any verb
    words = [word.lower() for word in _WORD.findall(text.replace("`", " "))]
    for at, word in enumerate(words):
        near = _NEGATIONS.intersection(words[max(0, at - _NEAR) : at])
        verb = word if word in RELATIONS else _NEGATED.get(word, "") if near else ""
        if word in _OTHER_VERBS:
            relation = ""
        elif verb:
            relation, is_negated = verb, bool(near)
        elif relation and word in related:
            found = _subjects(relation, word, facts)
            if is_negated and found:
                yield f"a line of this part {relation} {word.upper()}"
            elif not is_negated and not found:
                yield f"no line of this part {relation} {word.upper()}"
            elif not is_negated and subjects and found <= doers - named:
                who = " or ".join(name.upper() for name in sorted(subjects))
                yield f"no line of {who} {relation} {word.upper()}"
        named |= {word} & doers
        subjects |= {word} & doers if not relation else set()


def _subjects(relation: str, name: str, facts: Sequence[Fact]) -> set[str]:
    """Return who stands in the relation to *name*, in lower case."""
    kinds = RELATIONS[relation]
    return {f.subject.lower() for f in facts if f.kind in kinds and f.object.lower() == name}
