"""What is performed without being named: between the ends of a range, or in a section."""

from collections.abc import Iterable, Iterator

from war_rig.readers import Fact

_LABELS = ("paragraph", "section")


def performing(name: str, own: Iterable[Fact], facts: Iterable[Fact]) -> list[Fact]:
    """Return those of *own* that perform what holds the label *name*, in lower case.

    facts: all of the files that *own* are of.
    """
    labels = [fact for fact in facts if fact.kind in _LABELS]
    inside = [label for label in labels if label.object.lower() == name]
    return [
        perform
        for perform, first, behind in _ranges(own, labels)
        if any(perform.file == f.file and first <= f.line < behind for f in inside)
    ]


def _ranges(own: Iterable[Fact], labels: Iterable[Fact]) -> Iterator[tuple[Fact, int, float]]:
    """Yield each perform with the line of its first label, and the one behind its last."""
    known = {(label.file, label.object.lower()): label for label in labels}
    performs = [fact for fact in own if fact.kind in ("perform", "thru")]
    for one, two in zip(performs, [*performs[1:], None], strict=False):
        last = two if two is not None and two.kind == "thru" else one
        start = known.get((one.file, one.object.lower()))
        end = known.get((one.file, last.object.lower()))
        if start and end:
            yield one, start.line, _behind(end, labels)


def _behind(label: Fact, labels: Iterable[Fact]) -> float:
    """Return the line of the next label, of the next section behind a section."""
    kinds = ("section",) if label.kind == "section" else _LABELS
    lines = (f.line for f in labels if f.kind in kinds and f.file == label.file)
    return min((line for line in lines if line > label.line), default=float("inf"))
