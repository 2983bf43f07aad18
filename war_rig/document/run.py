"""The run: units judged side by side, what is used before whatever uses it.

When the units of a file are done, what the whole is for is composed from their
verified claims, and its pages are written. The estate's overview comes last.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from war_rig.agents import Agent
from war_rig.document.challenge import ABOUT_ONE_UNIT
from war_rig.document.claims import Claim
from war_rig.document.context import Declarations, known_of
from war_rig.document.data import estate_json, file_json
from war_rig.document.estate import Estate
from war_rig.document.folder import DocsFolder
from war_rig.document.index import ESTATE_DATA, entry_points, index_page
from war_rig.document.judge import Judged, judge
from war_rig.document.kinds import kind_of, names_of
from war_rig.document.plan import Plan, PlannedFile
from war_rig.document.render import INDEX, FilePages, Pages
from war_rig.document.schedule import Schedule, dependencies
from war_rig.document.tables import open_lines, relation_lines
from war_rig.document.write import Context, Task, unit_task, whole_task
from war_rig.policies import CachedProvider
from war_rig.readers import Unit

_MOST_OF_A_FILE = 5
_MOST_OF_THE_ESTATE = 12
_MOST_GIVEN = 60
_MOST_OF_EACH = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: tasks done (the failed among them), of how many, and tokens used.

    A task is a unit, a file of several units as a whole, or the estate.
    seconds_left: at the speed so far.
    """

    done: int
    failed: int
    tasks: int
    tokens: int
    file: str
    seconds_left: float


@dataclass(slots=True)
class Summary:
    """What a run did. tasks: how many it had; uncovered: parts without a verified claim."""

    plan: Plan
    tasks: int
    done: int = 0
    verified: int = 0
    unverified: int = 0
    doubted: int = 0
    uncovered: int = 0
    tokens: int = 0
    failures: list[tuple[Unit, str]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def add(self, judged: Judged) -> Progress:
        """Count one task in; return how far the run is."""
        self.done += 1
        self.verified += len(judged.verified)
        self.unverified += len(judged.unverified)
        self.doubted += len(judged.doubted)
        self.uncovered += len(judged.uncovered)
        self.tokens += judged.tokens
        if judged.failure is not None:
            self.failures.append((judged.unit, judged.failure))
        left = (time.monotonic() - self._began) / self.done * (self.tasks - self.done)
        failed = len(self.failures)
        return Progress(self.done, failed, self.tasks, self.tokens, judged.unit.file, left)


async def document(
    plan: Plan,
    scribe: Agent,
    folder: DocsFolder,
    *,
    provider: str,
    rounds: int,
    challenger: Agent | None = None,
    in_flight: int = 1,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Document the chosen units of *plan* into *folder*, at most *in_flight* at a time.

    provider: the name that the index shows. A task whose answer is malformed,
    too long or refused is noted as failed; any other error ends the run, after
    the pages of what was done are written.
    """
    run = _Run(plan, scribe, challenger, folder, rounds, on_progress)
    names = [name for entry in run.entries.values() for name in entry.names]
    folder.begin([INDEX, ESTATE_DATA, *names])
    try:
        await _side_by_side([asyncio.create_task(run.work()) for _ in range(in_flight)])
        await run.compose_overview()
    finally:
        run.write_all(provider)
    if plan.is_whole:
        folder.finish()
    return run.summary


class _Run:
    """One run: its pages by file, and what has been judged so far."""

    def __init__(
        self,
        plan: Plan,
        scribe: Agent,
        challenger: Agent | None,
        folder: DocsFolder,
        rounds: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.entries = {file.source.file: FilePages.of(file, folder) for file in plan.files}
        self._plan, self._folder, self._on_progress = plan, folder, on_progress
        self._scribe, self._challenger, self._rounds = scribe, challenger, rounds
        self._files = {file.source.file: file for file in plan.files}
        self._estate = Estate.of(plan.files, plan.copybook_paths)
        self._units = _chosen(plan)
        self._pages: Pages = {
            name: (entry.page, entry.source)
            for name, entry in self.entries.items()
            if self._units[name] or entry.is_complete or folder.has(entry.page)
        }
        self._waits_for = dependencies(list(self._files), self._estate.outgoing)
        self._schedule = Schedule(self._units, self._waits_for)
        self._declarations: dict[str, Declarations] = {}
        self._overview: Judged | None = None
        for name in self._pages:
            entry = self.entries[name]
            entry.relations = relation_lines(name, self._estate, self._pages)
            entry.open = open_lines(name, self._estate, self._pages)
        self.summary = Summary(plan, _tasks(plan))

    async def work(self) -> None:
        """Take what is ready, one task after the other, until all is done."""
        while (work := await self._schedule.next()) is not None:
            file, unit = work
            if unit is not None:
                self.entries[file].add(await self._judged(self._unit_task(file, unit)))
            else:
                await self._end(file)
            self._schedule.is_done(file, unit)

    async def compose_overview(self) -> None:
        """Compose what the estate is for, from the claims about its files as wholes."""
        if not _has_overview(self._plan):
            return
        first = entry_points(self._files.values(), self._estate)
        named = [name for name, file in self._files.items() if names_of(file)]
        files = dict.fromkeys([*first, *named, *self._files])
        claims = [claim for file in files for claim in self._said_of(file)]
        estate = Unit(INDEX, self._plan.root.name, "estate", 0, 0)
        self._overview = await self._composed(estate, claims[:_MOST_GIVEN], _MOST_OF_THE_ESTATE)

    def write_all(self, provider: str) -> None:
        """Write the pages of what was judged and not written yet, and the index."""
        for file in self.entries:
            self._write(file)
        there = [entry for entry in self.entries.values() if self._folder.has(entry.page)]
        is_whole = self.summary.done == self.summary.tasks
        about = (self._overview, provider, is_whole)
        page = index_page(self._plan, there, self._estate, self._pages, *about)
        self._folder.write(INDEX, page)
        self._folder.write(ESTATE_DATA, estate_json(self._plan, there, self._estate, *about))

    def _said_of(self, file: str) -> Sequence[Claim]:
        """Return the first claims about the whole file."""
        return self.entries[file].summary[:_MOST_OF_EACH]

    def _unit_task(self, file: str, unit: Unit) -> Task:
        planned = self._files[file]
        if file not in self._declarations:
            self._declarations[file] = Declarations(planned, self._estate.copybooks)
        lines = self._declarations[file].of(unit)
        purposes = {
            target: self.entries[target].summary[0].text
            for target in self._waits_for[file]
            if self.entries[target].summary
        }
        known = known_of(unit, self._estate.outgoing.get(file, ()), purposes)
        return unit_task(unit, planned, Context(lines, known))

    async def _end(self, file: str) -> None:
        """Compose what the whole file is for, where it has several units, and write its pages."""
        entry = self.entries[file]
        self._declarations.pop(file, None)
        if _has_whole(entry.file, self._units[file]):
            source = entry.file.source
            whole = Unit(file, file, kind_of(entry.file).word.lower(), 1, len(source.lines))
            entry.whole = await self._composed(whole, entry.claims, _MOST_OF_A_FILE)
        self._write(file)

    async def _composed(self, unit: Unit, claims: Sequence[Claim], most: int) -> Judged:
        if claims:
            return await self._judged(whole_task(unit, claims, self._files, most))
        judged = Judged(unit)
        self._on_progress(self.summary.add(judged))
        return judged

    async def _judged(self, task: Task) -> Judged:
        try:
            with _forgetting(self._scribe):
                judged = await judge(self._scribe, task, self._rounds, self._challenger)
        except ABOUT_ONE_UNIT as error:
            judged = Judged(task.unit, failure=str(error).splitlines()[0])
        self._on_progress(self.summary.add(judged))
        return judged

    def _write(self, file: str) -> None:
        entry = self.entries[file]
        if entry.is_written or not (entry.judged or entry.is_complete):
            return  # where nothing was judged, an earlier run's pages are better
        for name, text in entry.texts(self._pages):
            self._folder.write(name, text)
        self._folder.write(entry.data, file_json(entry, self._estate))
        entry.is_written = True


def estimate(plan: Plan) -> tuple[int, int]:
    """Return how many tasks there are, and about how many tokens their first prompts have.

    Of what is composed, the prompts are not known before.
    """
    copybooks, units, tokens = (
        Estate.of(plan.files, plan.copybook_paths).copybooks,
        _chosen(plan),
        0,
    )
    for file in plan.files:
        declarations = Declarations(file, copybooks)
        for unit in units[file.source.file]:
            tokens += unit_task(unit, file, Context(declarations.of(unit))).tokens
    return _tasks(plan), tokens


def _tasks(plan: Plan) -> int:
    units = _chosen(plan)
    wholes = sum(_has_whole(file, units[file.source.file]) for file in plan.files)
    return len(plan.chosen) + wholes + _has_overview(plan)


def _has_whole(file: PlannedFile, chosen: Sequence[Unit]) -> bool:
    """Return whether something is composed of the file's units: all of more than one."""
    return 1 < len(chosen) == len(file.reading.units)


def _has_overview(plan: Plan) -> bool:
    return plan.is_whole and len(plan.files) > 1


def _chosen(plan: Plan) -> dict[str, list[Unit]]:
    """Return the units to be documented, by file, in order."""
    chosen = set(plan.chosen)
    return {
        file.source.file: [unit for unit in file.reading.units if unit in chosen]
        for file in plan.files
    }


async def _side_by_side(workers: list["asyncio.Task[None]"]) -> None:
    """Wait for all; where one fails, cancel the others and raise what it raised."""
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _forgetting(scribe: Agent) -> AbstractContextManager[None]:
    """Let a cached answer that could not be used be asked for again in the next run."""
    provider = scribe.provider
    return provider.one_piece_of_work() if isinstance(provider, CachedProvider) else nullcontext()
