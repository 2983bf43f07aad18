"""What is known of the files that a sentence is about: who there is, and who does what.

All of it comes from the readers' facts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from war_rig.document.checks.performed import performing
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

_DOERS = ("paragraph", "step")
_OWNERS = ("program", "section", "entry", "job", "proc")  # each does what its parts do
_TARGETS = frozenset({"call", "link", "xctl", "exec", "exec-resolved", "exec-proc", "runs"})
_CHANGES = frozenset({"move", "move-name", "move-corresponding", "add", "subtract"})
_KINDS = frozenset([*(kind for kinds in RELATIONS.values() for kind in kinds), *_DOERS])


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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the files that a sentence is about.

    facts: those on the lines that may be cited; of_files: all of those files. related, doers:
    what ``related_names`` and ``doers_in`` say of the latter.
    """

    facts: Sequence[Fact]
    related: frozenset[str]
    doers: Set[tuple[str, str]]
    of_files: Callable[[], Iterable[Fact]]

    def is_doer(self, name: str) -> bool:
        """Return whether *name*, in lower case as everywhere here, is of a paragraph or step."""
        return any((file, name) in self.doers for file in {fact.file for fact in self.facts})

    def is_own(self, name: str) -> bool:
        """Return whether *name* is of a program, section, job or procedure of the files."""
        return any(f.kind in _OWNERS and f.object.lower() == name for f in self.of_files())

    def is_elsewhere(self, name: str) -> bool:
        """Return whether *name* is of a program that is called or run here, and of another file."""
        is_target = any(f.kind in _TARGETS and f.object.lower() == name for f in self.facts)
        return is_target and not (name in {doer for _, doer in self.doers} or self.is_own(name))

    def is_item(self, name: str) -> bool:
        """Return whether *name* is of a data item that is changed here, and of nothing else."""
        is_changed = any(f.kind in _CHANGES and f.subject.lower() == name for f in self.facts)
        return is_changed and name not in self.related

    def found(self, relation: str, name: str) -> list[Fact]:
        """Return the facts that something stands in *relation* to *name*."""
        kinds = RELATIONS[relation]
        return [f for f in self.facts if f.kind in kinds and f.object.lower() == name]

    def done(self, relation: str, name: str) -> list[Fact]:
        """Return what ``found`` does, else the facts that perform what *name* lies in."""
        found = self.found(relation, name)
        is_inside = not found and relation == "performs"
        return performing(name, self.facts, list(self.of_files())) if is_inside else found
