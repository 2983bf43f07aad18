"""Relations in a sentence: a verb before a known name needs its fact, and so does who does it.

A denial right before the verb, or right before the name, turns it round: denial.py.
Where paragraphs or steps of the file are named before the verb, one of them has to be
who does it: the sentence may name several, and a program does what its parts do. A program
that is only called or run does nothing here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
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
from war_rig.document.checks.known import RELATIONS, Known
from war_rig.readers import Fact

_NEGATED = {verb.removesuffix("s"): verb for verb in RELATIONS if verb not in ("copies", "goes")}
_NEGATED |= {"copy": "copies", "go": "goes"}
"""The verbs as they stand behind "does not"."""

_GERUNDS = frozenset({
    "calling", "reading", "writing", "updating", "deleting", "copying", "sending", "receiving",
    "performing", "opening", "going", "running",
})  # fmt: skip
_BEFORE_BASE = frozenset({"to", "can", "could", "may", "might", "must", "will", "would", "should"})
_OTHER_VERBS = frozenset({"moves", "starts", "returns"})
_OTHERS = frozenset({"it", "this", "they", "program", "job"})
_BEFORE_NO_SUBJECT = frozenset({"by", "from", "in", "of", "to", "before", "after", "until"})
BESIDE_NAMES = frozenset({"the", "paragraph", "step"})
_BEFORE_PROGRAM = BESIDE_NAMES | {"program", "module", "this"}
_BEFORE_SUBJECT = _BEFORE_PROGRAM | {"and", "but", "while", "when", "if", "that", "because"}
_BEHIND_SUBJECT = frozenset({"itself", "also", "only", "always"})
_WORD = re.compile(r"&{0,2}[\w$@#-]+(?:\.\w+)*|[,;:.]")


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


def relation_faults(sentence: Words, known: Known) -> Iterator[str]:
    """Yield what *sentence* says that no fact does."""
    listener = _Listener(sentence, known)
    for at in range(len(sentence.all)):
        yield from listener.take(at)


@dataclass(slots=True)
class _Verb:
    """A verb that tells a relation, and where it stands.

    last: it, or the last name behind it so far; is_last_denied: whether that name is, None
    where there is none yet.
    """

    relation: str
    is_negated: bool
    at: int
    last: int
    is_last_denied: bool | None = None


class _Listener:
    """Takes one word after the other, and remembers who is said to do what."""

    def __init__(self, sentence: Words, known: Known) -> None:
        self._sentence, self._words, self._known = sentence, sentence.all, known
        self._verb: _Verb | None = None  # the last one
        self._is_told = True  # whether what it is about can be told
        self._stranger = _place(sentence, known)  # a program of another file
        self._named: set[str] = set()  # the paragraphs and steps so far
        self._subjects: set[str] = set()  # those that stand before any verb

    def take(self, at: int) -> Iterator[str]:
        """Yield what is wrong where the word at *at* is a name behind a verb."""
        word = self._words[at]
        relation, is_negated = _relation(self._sentence, at)
        if word in _OTHERS and not self._verb:
            self._subjects.clear()
        if word in _OTHER_VERBS:
            self._verb = None
        elif word in CONDITIONS or word in _GERUNDS or _is_infinitive(self._words, at):
            self._is_told = False
        elif relation:
            self._begin(_Verb(relation, is_negated, at, at))
        elif word in _NEGATED and self._is_unclear(at):
            self._is_told = False
        elif self._verb and self._is_told:
            yield from self._faults(at, self._verb)
        if self._known.is_doer(word):
            self._name(at)

    def _begin(self, verb: _Verb) -> None:
        if not (self._verb or self._stranger):
            self._stranger = _stranger(self._sentence, verb.at, self._known)
        self._verb, self._is_told = verb, not self._is_unclear(verb.at)

    def _is_unclear(self, at: int) -> bool:
        """Return whether it can't be told if the verb at *at* is denied."""
        form: Literal["calls", "call"] = "call" if self._words[at] in _NEGATED else "calls"
        return is_unclear(self._words, at, self._sentence.clause(at), form)

    def _name(self, at: int) -> None:
        """Remember the paragraph or step at *at*."""
        self._named.add(self._words[at])
        if not (self._verb or _is_beside(self._words[:at])):
            self._subjects.add(self._words[at])

    def _faults(self, at: int, verb: _Verb) -> Iterator[str]:
        """Yield what is wrong with the word at *at*, which may be what *verb* is about."""
        name, since = self._words[at], self._words[verb.at + 1 : at]
        if name in self._known.related:
            fault = self._fault(verb.relation, name, self._denies(at, verb))
            yield from [fault] if fault else []
        elif verb.relation == "performs" and not verb.is_negated:
            is_last = at + 1 in self._sentence.breaks or at + 1 == len(self._words)
            if is_last and BESIDE_NAMES.issuperset(since) and self._known.is_item(name):
                yield f"{name.upper()} is a data item: no line of this part performs it"

    def _denies(self, at: int, verb: _Verb) -> bool:
        """Return whether the name at *at*, now the last one behind *verb*, is denied."""
        since, gap = self._words[verb.at + 1 : at], self._words[verb.last + 1 : at]
        is_listed = is_list(since, gap, self._sentence.clause(at) > verb.last)
        before = verb.is_last_denied if is_listed else None
        verb.last, verb.is_last_denied = at, denies(gap, verb.is_negated, before)
        return verb.is_last_denied

    def _fault(self, relation: str, name: str, is_denied: bool) -> str | None:
        """Return why *name* does not stand in *relation* as it is said, None where it does."""
        told = f"{relation} {name.upper()}"
        if is_denied:
            is_done = bool(self._known.found(relation, name))
            return f"a line of this part {told}" if is_done else None
        found = self._known.done(relation, name)
        if not found:
            return f"no line of this part {told}"
        if self._is_strangers(name, found):
            return f"no line of {self._stranger.upper()} {told}: these lines are of another program"
        if all(map(self._is_others, found)):
            subjects = " or ".join(subject.upper() for subject in sorted(self._subjects))
            return f"no line of {subjects} {told}"
        return None

    def _is_strangers(self, name: str, found: Iterable[Fact]) -> bool:
        """Return whether it is said of a program of another file, which can't do what was *found*.

        A utility runs the program that it is given: a fact of the kind "runs".
        """
        is_run = any(fact.kind == "runs" for fact in found)
        return bool(self._stranger) and (name == self._stranger or not is_run)

    def _is_others(self, fact: Fact) -> bool:
        """Return whether neither the subjects, which are of the file, nor anybody named does it.

        A step is run by a job, and by no other step.
        """
        who, is_step, doers = fact.subject.lower(), fact.kind == "step", self._known.doers
        has_subject = any((fact.file, subject) in doers for subject in self._subjects)
        return has_subject and (is_step or (fact.file, who) in doers) and who not in self._named


def _relation(sentence: Words, at: int) -> tuple[str, bool]:
    """Return the relation that the word at *at* tells, "" for none, and whether it is denied."""
    word = sentence.all[at]
    if word not in RELATIONS and word not in _NEGATED:
        return "", False
    denied = is_denied(sentence.all, at, sentence.clause(at))
    if word in RELATIONS:
        return word, bool(denied)
    return ("", False) if denied is None else (_NEGATED[word], denied)


def _is_infinitive(words: Sequence[str], at: int) -> bool:
    """Return whether the word at *at* is a verb as in "to read" or "may read"."""
    return at > 0 and words[at] in _NEGATED and words[at - 1] in _BEFORE_BASE


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


def _is_beside(before: Sequence[str]) -> bool:
    """Return whether a name behind *before* is no subject, as in "performed by the paragraph A"."""
    last = next((word for word in reversed(before) if word not in BESIDE_NAMES), "")
    return last in _BEFORE_NO_SUBJECT
