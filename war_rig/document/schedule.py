"""In which order a run's work is handed out: what is used before whatever uses it.

A file depends on those that its relations lead to. Where files use each other
in a circle, the first by name that is reached twice does not wait.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from war_rig.document.estate.estate import Relation
from war_rig.readers import Unit


def dependencies(
    files: Sequence[str], outgoing: Mapping[str, Sequence[Relation]]
) -> dict[str, frozenset[str]]:
    """Return the files that each of *files* waits for; never a circle."""
    uses = {
        file: sorted({target for relation in outgoing.get(file, ()) for target in relation.files})
        for file in files
    }
    rank = {file: number for number, file in enumerate(_used_first(uses))}
    return {
        file: frozenset(target for target in targets if rank[target] < rank[file])
        for file, targets in uses.items()
    }


def _used_first(uses: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield every file behind those that it uses, as far as there is no circle."""
    seen: set[str] = set()
    for root in uses:
        path = [(root, iter(uses[root]))] if root not in seen else []
        seen.add(root)
        while path:
            file, targets = path[-1]
            target = next((target for target in targets if target not in seen), None)
            if target is None:
                yield file
                path.pop()
            else:
                seen.add(target)
                path.append((target, iter(uses[target])))


def _ranks(
    units: Mapping[str, Sequence[Unit]], waits_for: Mapping[str, frozenset[str]]
) -> dict[str, int]:
    """Return the places of the files: those first behind which most calls wait for each other."""
    left = {file: len(targets) for file, targets in waits_for.items()}
    order = [file for file in units if not left[file]]
    users: dict[str, list[str]] = defaultdict(list)
    for file, targets in waits_for.items():
        for target in targets:
            users[target].append(file)
    for file in order:
        for user in users[file]:
            left[user] -= 1
            order += [user] if not left[user] else []
    behind: dict[str, int] = {}
    for file in reversed(order):
        longest = max((behind[user] for user in users[file]), default=0)
        behind[file] = longest + min(len(units[file]), 2)
    return {file: n for n, file in enumerate(sorted(units, key=lambda file: -behind[file]))}


class Schedule:
    """Hands out the units of each file, once what it waits for is done; then the file as a whole.

    units: those to be documented, by file; of a file without any there is no whole.
    """

    def __init__(
        self, units: Mapping[str, Sequence[Unit]], waits_for: Mapping[str, frozenset[str]]
    ) -> None:
        self._files = list(units)
        self._units = units
        self._rank = _ranks(units, waits_for)
        self._waits_for = {file: len(waits_for[file]) for file in self._files}
        self._by_rank = sorted(self._files, key=self._rank.__getitem__)
        self._waiting: dict[str, list[str]] = defaultdict(list)
        for file, targets in waits_for.items():
            for target in targets:
                self._waiting[target].append(file)
        self._undone = {file: len(found) for file, found in units.items()}
        self._left = len(self._files)
        self._ready: asyncio.PriorityQueue[tuple[int, int]] = asyncio.PriorityQueue()
        if not self._files:
            self._ready.put_nowait((0, 0))
        self._open([file for file in self._files if not self._waits_for[file]])

    async def next(self) -> tuple[str, Unit | None] | None:
        """Return a file and one of its units, or None for the whole; None when all is done."""
        number, at = await self._ready.get()
        if number == len(self._files):
            self._ready.put_nowait((number, 0))  # for the next who asks
            return None
        file = self._by_rank[number]
        units = self._units[file]
        return file, units[at] if at < len(units) else None

    def is_done(self, file: str, unit: Unit | None) -> None:
        """Take note that what ``next`` gave is done."""
        if unit is None:
            self._open(self._finished(file))
            return
        self._undone[file] -= 1
        if not self._undone[file]:
            self._ready.put_nowait((self._rank[file], len(self._units[file])))

    def _open(self, files: list[str]) -> None:
        """Hand out the units of *files*, and of those that waited for files without any."""
        while files:
            file = files.pop()
            for at in range(len(self._units[file])):
                self._ready.put_nowait((self._rank[file], at))
            if not self._units[file]:
                files += self._finished(file)

    def _finished(self, file: str) -> list[str]:
        """Return the files that waited for *file* alone; at the very end, tell who waits."""
        self._left -= 1
        if not self._left:
            self._ready.put_nowait((len(self._files), 0))
        free = []
        for other in self._waiting[file]:
            self._waits_for[other] -= 1
            if not self._waits_for[other]:
                free.append(other)
        return free
