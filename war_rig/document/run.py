"""The run: units judged side by side, in order, and every file's pages written when it is done."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from war_rig.agents import Agent
from war_rig.document.estate import Estate
from war_rig.document.folder import DocsFolder
from war_rig.document.judge import ABOUT_ONE_UNIT, Judged, judge
from war_rig.document.plan import Plan, PlannedFile
from war_rig.document.render import INDEX, FilePages, index_page
from war_rig.document.tables import missing_lines, relation_lines
from war_rig.policies import CachedProvider
from war_rig.readers import Unit


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: units done (the failed among them), of how many, and tokens used.

    seconds_left: at the speed so far.
    """

    done: int
    failed: int
    units: int
    tokens: int
    file: str
    seconds_left: float


@dataclass(slots=True)
class Summary:
    """What a run did. units: how many it was to document; uncovered: parts without a claim."""

    plan: Plan
    units: int
    done: int = 0
    verified: int = 0
    unverified: int = 0
    uncovered: int = 0
    tokens: int = 0
    failures: list[tuple[Unit, str]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def add(self, judged: Judged) -> Progress:
        """Count one unit in; return how far the run is."""
        self.done += 1
        self.verified += len(judged.verified)
        self.unverified += len(judged.unverified)
        self.uncovered += len(judged.uncovered)
        self.tokens += judged.tokens
        if judged.failure is not None:
            self.failures.append((judged.unit, judged.failure))
        left = (time.monotonic() - self._began) / self.done * (self.units - self.done)
        failed = len(self.failures)
        return Progress(self.done, failed, self.units, self.tokens, judged.unit.file, left)


async def document(
    plan: Plan,
    scribe: Agent,
    folder: DocsFolder,
    *,
    provider: str,
    rounds: int,
    in_flight: int = 1,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Document the chosen units of *plan* into *folder*, at most *in_flight* at a time.

    provider: the name that the index shows. A unit whose answer is malformed,
    too long or refused is noted as failed; any other error ends the run, after
    the pages of what was done are written.
    """
    summary = Summary(plan, len(plan.chosen))
    pages = [FilePages.of(file, folder) for file in plan.files]
    missing = _relate(pages, plan)
    folder.begin([INDEX, *(name for entry in pages for name in (entry.page, entry.source))])
    try:
        jobs = _jobs(pages, plan)
        work = (_work(jobs, scribe, rounds, folder, summary, on_progress) for _ in range(in_flight))
        await _side_by_side([asyncio.create_task(worker) for worker in work])
    finally:
        for entry in pages:
            entry.write(folder)
        there = [entry for entry in pages if folder.has(entry.page)]
        folder.write(
            INDEX, index_page(plan, there, missing, provider, summary.done == summary.units)
        )
    if plan.is_whole:
        folder.finish()
    return summary


def _relate(pages: list[FilePages], plan: Plan) -> list[str]:
    """Give every page its relations; return the index's list of what is missing."""
    estate = Estate.of(plan.files)
    names = {entry.file.source.file: (entry.page, entry.source) for entry in pages}
    for entry in pages:
        entry.relations = relation_lines(entry.file.source.file, estate, names)
    return missing_lines(estate, names)


def _jobs(pages: list[FilePages], plan: Plan) -> Iterator[tuple[FilePages, Unit]]:
    """Yield the chosen units in order; every worker takes the next one."""
    chosen = set(plan.chosen)
    for entry in pages:
        for unit in entry.file.reading.units:
            if unit in chosen:
                yield entry, unit


async def _side_by_side(workers: list["asyncio.Task[None]"]) -> None:
    """Wait for all; where one fails, cancel the others and raise what it raised."""
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _work(
    jobs: Iterator[tuple[FilePages, Unit]],
    scribe: Agent,
    rounds: int,
    folder: DocsFolder,
    summary: Summary,
    on_progress: Callable[[Progress], None],
) -> None:
    for entry, unit in jobs:
        judged = await _judged(entry.file, unit, scribe, rounds)
        entry.add(judged)
        on_progress(summary.add(judged))
        if entry.is_complete:
            entry.write(folder)


async def _judged(file: PlannedFile, unit: Unit, scribe: Agent, rounds: int) -> Judged:
    try:
        with _forgetting(scribe):
            return await judge(scribe, unit, file, rounds)
    except ABOUT_ONE_UNIT as error:
        return Judged(unit, failure=str(error).splitlines()[0])


def _forgetting(scribe: Agent) -> AbstractContextManager[None]:
    """Let a cached answer that could not be used be asked for again in the next run."""
    provider = scribe.provider
    return provider.one_piece_of_work() if isinstance(provider, CachedProvider) else nullcontext()
