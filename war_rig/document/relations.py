"""The verbs of a sentence that need a fact, and the names that stand in such relations."""

from collections.abc import Iterable, Mapping

from war_rig.readers import Fact

RELATIONS: Mapping[str, tuple[str, ...]] = {
    "calls": ("call", "call-name", "link", "link-name", "xctl", "xctl-name"),
    "reads": ("read", "select"),
    "writes": ("write", "insert"),
    "updates": ("rewrite", "update"),
    "copies": ("copy", "include"),
    "sends": ("send",),
    "performs": ("perform", "thru"),
    "opens": ("open",),
}
"""The verbs of a sentence that need a fact, and the kinds of fact that support each."""

_KINDS = frozenset(kind for kinds in RELATIONS.values() for kind in kinds)


def related_names(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the names, in lower case, that stand in some relation: called, read, written."""
    return frozenset(fact.object.lower() for fact in facts if fact.kind in _KINDS)
