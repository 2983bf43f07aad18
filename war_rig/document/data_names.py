"""What a data item may hold: its VALUE, and the literals that are moved to it.

That finds too much rather than too little: which move comes last is not known.
"""

from collections import defaultdict

from war_rig.document.copybooks import Copybooks
from war_rig.document.plan import PlannedFile

_MOST_MOVES = 4


class Literals:
    """The literals that may reach the data items of one file, its copybooks' among them."""

    def __init__(self, file: PlannedFile, copybooks: Copybooks) -> None:
        self._file, self._copybooks = file, copybooks
        self._given: dict[str, dict[str, None]] = defaultdict(dict)
        self._moved: dict[str, dict[str, None]] = defaultdict(dict)
        self._is_read = False

    def of(self, name: str) -> list[str]:
        """Return the literals that may reach *name*, over at most four moves, in order."""
        if not self._is_read:
            self._read()
        reached = {name.upper(): None}
        latest = list(reached)
        for _ in range(_MOST_MOVES):
            sources = (source for item in latest for source in self._moved.get(item, ()))
            latest = [source for source in dict.fromkeys(sources) if source not in reached]
            reached |= dict.fromkeys(latest)
        return sorted({literal for item in reached for literal in self._given.get(item, ())})

    def _read(self) -> None:
        self._is_read = True
        for brought in self._copybooks.brought(self._file):
            for fact in brought.file.reading.facts:
                if fact.kind in ("value", "move") and _may_be_a_name(fact.object):
                    self._given[brought.name(fact.subject)][fact.object.strip("'\" ")] = None
                elif fact.kind == "move-name":
                    self._moved[brought.name(fact.subject)][brought.name(fact.object)] = None


def _may_be_a_name(literal: str) -> bool:
    bare = literal.strip("'\" ")
    return 0 < len(bare) <= 8 and bare[0].isalpha() and bare.replace("-", "").isalnum()
