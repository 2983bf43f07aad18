"""The wholes that a file's units make up: its programs where it holds several, else the file."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from war_rig.document.kinds import kind_of
from war_rig.document.plan import PlannedFile
from war_rig.readers import Unit

_DEEPEST = 30


class Wholes:
    """The wholes of a file by line and by name, and the units of each; they may contain others."""

    def __init__(self, file: PlannedFile) -> None:
        name, units = file.source.file, file.reading.units
        alone = Unit(name, name, kind_of(file).key, 1, len(file.source.lines))
        self.all = tuple(dict.fromkeys(file.reading.wholes)) or (alone,)
        self._parents = dict(_parents(self.all))
        found: dict[Unit, list[Unit]] = {whole: [] for whole in self.all}
        for unit in units:
            found[self.at(unit.first)].append(unit)
        self.units = {whole: tuple(own) for whole, own in found.items()}
        self._named: dict[str, list[Unit]] = defaultdict(list)
        for fact in file.reading.facts:
            if fact.kind in ("program", "entry"):
                self._named[fact.object.upper()].append(self.at(fact.line))

    @property
    def are_several(self) -> bool:
        """Return whether there is more than one."""
        return len(self.all) > 1

    def at(self, line: int) -> Unit:
        """Return the innermost around *line*, else the one that follows, else the last.

        Between two programs stands what the compiler is told of the second one.
        """
        behind = bisect_right(self.all, line, key=lambda whole: whole.first)
        whole = self.all[behind - 1] if behind else None
        while whole is not None and whole.last < line:
            whole = self._parents.get(whole)
        return whole or self.all[min(behind, len(self.all) - 1)]

    def around(self, whole: Unit) -> tuple[Unit, ...]:
        """Return *whole* and those that contain it, the innermost first, at most some."""
        return tuple(islice(self._outwards(whole), _DEEPEST))

    def is_contained(self, whole: Unit) -> bool:
        """Return whether another one contains *whole*."""
        return whole in self._parents

    def named(self, name: str, line: int = 0) -> Unit:
        """Return what a CALL leads into by the name of a program or an ENTRY; else the first.

        line: where it stands, if in this file: what the program there contains is meant first.
        """
        found = self._named.get(name.upper(), self.all[:1])
        around = self.around(self.at(line)) if line else ()
        return next((whole for whole in found if self._parents.get(whole) in around), found[0])

    def _outwards(self, whole: Unit | None) -> Iterator[Unit]:
        while whole is not None:
            yield whole
            whole = self._parents.get(whole)


def _parents(wholes: Sequence[Unit]) -> Iterator[tuple[Unit, Unit]]:
    """Yield each of *wholes* that lies inside another one, with the innermost of those."""
    around: list[Unit] = []
    for whole in wholes:
        while around and around[-1].last < whole.last:
            around.pop()
        if around:
            yield whole, around[-1]
        around.append(whole)
