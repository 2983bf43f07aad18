"""Relations in a sentence: a verb before a known name needs its fact, and so does who does it.

A denial right before the verb, or right before the name, turns it round: denial.py.
Where paragraphs or steps of the file are named before the verb, one of them has to be
who does it: the sentence may name several, and a program does what its parts do. A program
that is only called or run does nothing here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from war_rig.document.checks.denial import (
    CONDITIONS,
    denies,
    is_denied,
    is_list,
    is_unclear,
    spelt_out,
)
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
    "runs": ("exec", "exec-resolved", "exec-proc", "runs", "step"),
}
"""The verbs of a sentence that need a fact, and the kinds of fact that support each."""

_NEGATED = {verb.removesuffix("s"): verb for verb in RELATIONS if verb not in ("copies", "goes")}
_NEGATED |= {"copy": "copies", "go": "goes"}
"""The verbs as they stand behind "does not"."""

_GERUNDS = frozenset({
    "calling", "reading", "writing", "updating", "deleting", "copying", "sending", "receiving",
    "performing", "opening", "going", "running",
})  # fmt: skip
_BEFORE_BASE = frozenset({"to", "can", "could", "may", "might", "must", "will", "would", "should"})
_OTHER_VERBS = frozenset({"moves", "starts", "returns"})
_DOERS = ("paragraph", "step")
_OWNERS = ("program", "section", "entry", "job", "proc")  # each does what its parts do
_OTHERS = frozenset({"it", "this", "they", "program", "job"})
_BEFORE_NO_SUBJECT = frozenset({"by", "from", "in", "of", "to", "before", "after", "until"})
BESIDE_NAMES = frozenset({"the", "paragraph", "step"})
_BEFORE_PROGRAM = BESIDE_NAMES | {"program", "module", "this"}
_BEFORE_SUBJECT = _BEFORE_PROGRAM | {"and", "but", "while", "when", "if", "that", "because"}
_BEHIND_SUBJECT = frozenset({"itself", "also", "only", "always"})
_TARGETS = frozenset({"call", "link", "xctl", "exec", "exec-resolved", "exec-proc", "runs"})
_CHANGES = frozenset({"move", "move-name", "add", "subtract"})
_KINDS = frozenset([*(kind for kinds in RELATIONS.values() for kind in kinds), *_DOERS])
_WORD = re.compile(r"&{0,2}[\w$@#-]+(?:\.\w+)*|[,;:.]")


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


def is_owner(name: str, facts: Iterable[Fact]) -> bool:
    """Return whether a program, section, job or procedure of *facts* is called *name*."""
    return any(fact.kind in _OWNERS and fact.object.lower() == name for fact in facts)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sentence, in lower case; breaks: those behind a comma, a colon, a stop."""

    all: tuple[str, ...]
    breaks: frozenset[int]

    @classmethod
    def of(cls, text: str) -> "Words":
        """Return the words of *text*, without its quotations."""
        found: list[str] = []
        breaks = set()
        for word in _WORD.findall(spelt_out(text.replace("`", " "))):
            if word in ",;:.":
                breaks.add(len(found))
            else:
                found.append(word.lower())
        return cls(tuple(found), frozenset(breaks))

    def clause(self, at: int) -> int:
        """Return where the clause of the word at *at* starts."""
        return max((place for place in self.breaks if place <= at), default=0)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the files that a sentence is about.

    facts: those on the lines that may be cited. related, doers: what ``related_names`` and
    ``doers_in`` say of the files of *facts*. is_own: whether a name, in lower case, is of a
    program, section, job or procedure of theirs.
    """

    facts: Sequence[Fact]
    related: frozenset[str]
    doers: Set[tuple[str, str]]
    is_own: Callable[[str], bool]

    def is_doer(self, name: str) -> bool:
        """Return whether *name* is of a paragraph or step."""
        return any((file, name) in self.doers for file in {fact.file for fact in self.facts})

    def is_elsewhere(self, name: str) -> bool:
        """Return whether *name* is of a program that is called or run here, and of another file."""
        is_target = any(f.kind in _TARGETS and f.object.lower() == name for f in self.facts)
        return is_target and not (name in {doer for _, doer in self.doers} or self.is_own(name))

    def is_item(self, name: str) -> bool:
        """Return whether *name* is of a data item that is changed here, and of nothing else."""
        is_changed = any(f.kind in _CHANGES and f.subject.lower() == name for f in self.facts)
        return is_changed and name not in self.related

    def found(self, relation: str, name: str) -> list[Fact]:
        """Return the facts that something stands in *relation* to *name*, in lower case."""
        kinds = RELATIONS[relation]
        return [f for f in self.facts if f.kind in kinds and f.object.lower() == name]


def relation_faults(sentence: Words, known: Known) -> Iterator[str]:
    """Yield what *sentence* says that no fact does."""
    words = sentence.all
    relation, is_negated = "", False
    is_told = True  # whether what the verb is about can be told
    verb_at = last = 0  # the verb; it, or the last name behind it
    before = None  # whether that name is denied
    ends = sentence.breaks | {len(words)}
    stranger = _place(sentence, known)
    named: set[str] = set()  # the doers so far
    subjects: set[str] = set()  # those that stand before any verb
    for at, word in enumerate(words):
        denied = is_denied(words, at, sentence.clause(at))
        verb = _verb(words, at, denied)
        if word in _OTHERS and not relation:
            subjects.clear()
        if word in _OTHER_VERBS:
            relation = ""
        elif word in CONDITIONS or word in _GERUNDS or _is_infinitive(words, at):
            is_told = False
        elif verb:
            stranger = stranger or ("" if relation else _stranger(sentence, at, known))
            relation, is_negated = verb, bool(denied)
            form: Literal["calls", "call"] = "call" if word in _NEGATED else "calls"
            is_told = not is_unclear(words, at, sentence.clause(at), form)
            verb_at, last, before = at, at, None
        elif word in _NEGATED and is_unclear(words, at, sentence.clause(at), "call"):
            is_told = False
        elif relation and is_told and word in known.related:
            gap, is_behind_comma = words[last + 1 : at], sentence.clause(at) > last
            is_listed = is_list(words[verb_at + 1 : at], gap, is_behind_comma)
            before = denies(gap, is_negated, before if is_listed else None)
            last = at
            fault = _fault(relation, word, before, known, _Doing(stranger, subjects, named))
            yield from [fault] if fault else []
        elif relation == "performs" and is_told and not is_negated:
            gap, is_last = words[verb_at + 1 : at], at + 1 in ends
            if is_last and BESIDE_NAMES.issuperset(gap) and known.is_item(word):
                yield f"{word.upper()} is a data item: no line of this part performs it"
        if known.is_doer(word):
            named.add(word)
            if not (relation or _is_beside(words[:at])):
                subjects.add(word)


def _verb(words: Sequence[str], at: int, denied: bool | None) -> str:
    """Return the relation that the word at *at* tells, or ""; denied: what is known of it."""
    base = "" if denied is None else _NEGATED.get(words[at], "")
    return words[at] if words[at] in RELATIONS else base


def _is_infinitive(words: Sequence[str], at: int) -> bool:
    """Return whether the word at *at* is a verb as in "to read" or "may read"."""
    return at > 0 and words[at] in _NEGATED and words[at - 1] in _BEFORE_BASE


@dataclass(frozen=True, slots=True)
class _Doing:
    """Who is said to do it.

    stranger: a program of another file, or "". subjects: paragraphs and steps before any verb.
    named: all so far.
    """

    stranger: str
    subjects: Set[str]
    named: Set[str]


def _fault(relation: str, name: str, is_denied: bool, known: Known, who: _Doing) -> str | None:
    """Return why *name* does not stand in *relation* as it is said, None where it does."""
    found, told = known.found(relation, name), f"{relation} {name.upper()}"
    if is_denied:
        return f"a line of this part {told}" if found else None
    if not found:
        return f"no line of this part {told}"
    if _is_strangers(who.stranger, name, found):
        return f"no line of {who.stranger.upper()} {told}: these lines are of another program"
    if all(_is_others(fact, who.subjects, who.named, known.doers) for fact in found):
        subjects = " or ".join(subject.upper() for subject in sorted(who.subjects))
        return f"no line of {subjects} {told}"
    return None


def _place(sentence: Words, known: Known) -> str:
    """Return the program of another file that *sentence* begins with, as "In PAY02, ..."."""
    words = [word for word in sentence.all[:4] if word not in _BEFORE_PROGRAM]
    is_place = len(words) > 1 and words[0] in ("in", "within", "inside")
    return words[1] if is_place and known.is_elsewhere(words[1]) else ""


def _stranger(sentence: Words, verb: int, known: Known) -> str:
    """Return the program of another file that is the subject of the verb at *verb*."""
    words, at = sentence.all, verb - 1
    while at > 0 and words[at] in _BEHIND_SUBJECT:
        at -= 1
    starts = at == 0 or at in sentence.breaks or words[at - 1] in _BEFORE_SUBJECT
    is_subject = at >= 0 and starts and sentence.clause(verb) <= at
    is_subject = is_subject and not _is_beside(words[:at])
    return words[at] if is_subject and known.is_elsewhere(words[at]) else ""


def _is_strangers(stranger: str, name: str, found: Iterable[Fact]) -> bool:
    """Return whether *stranger*, a program of another file, can not do what was *found*.

    A utility runs the program that it is given: a fact of the kind "runs".
    """
    return bool(stranger) and (name == stranger or all(fact.kind != "runs" for fact in found))


def _is_others(
    fact: Fact, subjects: Set[str], named: Set[str], doers: Set[tuple[str, str]]
) -> bool:
    """Return whether neither *subjects*, which are of the file, nor anybody *named* does it.

    A step is run by a job, and by no other step.
    """
    who, is_step = fact.subject.lower(), fact.kind == "step"
    has_subject = any((fact.file, subject) in doers for subject in subjects)
    return has_subject and (is_step or (fact.file, who) in doers) and who not in named


def _is_beside(before: Sequence[str]) -> bool:
    """Return whether a name behind *before* is no subject, as in "performed by the paragraph A"."""
    last = next((word for word in reversed(before) if word not in BESIDE_NAMES), "")
    return last in _BEFORE_NO_SUBJECT
