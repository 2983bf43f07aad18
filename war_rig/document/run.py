"""The run: every unit judged in order, every file's pages written as soon as it is done."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from war_rig.agents import Agent
from war_rig.document.folder import DocsFolder
from war_rig.document.judge import Judged, judge
from war_rig.document.plan import Plan, PlannedFile
from war_rig.document.render import INDEX, FilePages, index_page
from war_rig.errors import ContentRefusedError, ContextTooLongError, MalformedAnswerError
from war_rig.readers import Unit

_ABOUT_ONE_UNIT = (MalformedAnswerError, ContextTooLongError, ContentRefusedError)
"""Failures that say nothing about the next unit; every other one ends the run."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: units done (the failed among them), of how many, and tokens used."""

    done: int
    failed: int
    units: int
    tokens: int
    file: str


@dataclass(slots=True)
class Summary:
    """What a run did."""

    plan: Plan
    done: int = 0
    verified: int = 0
    unverified: int = 0
    tokens: int = 0
    failures: list[tuple[Unit, str]] = field(default_factory=list)

    def add(self, judged: Judged) -> Progress:
        """Count one unit in; return how far the run is."""
        self.done += 1
        self.verified += len(judged.verified)
        self.unverified += len(judged.unverified)
        self.tokens += judged.tokens
        if judged.failure is not None:
            self.failures.append((judged.unit, judged.failure))
        return Progress(
            self.done, len(self.failures), self.plan.units, self.tokens, judged.unit.file
        )


async def document(
    plan: Plan,
    scribe: Agent,
    folder: DocsFolder,
    *,
    provider: str,
    rounds: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Document all of *plan* into *folder*; *provider* is the name that the index shows.

    A unit whose answer is malformed, too long or refused is noted as failed;
    any other error ends the run, after the pages of what was done are written.
    """
    summary = Summary(plan)
    pages = [FilePages.of(file, [], folder) for file in plan.files]
    folder.begin()
    try:
        for entry in pages:
            try:
                async for judged in _judged(entry.file, scribe, rounds):
                    entry.judged.append(judged)
                    on_progress(summary.add(judged))
            finally:
                entry.write(folder)
    finally:
        is_whole = summary.done == plan.units
        there = [entry for entry in pages if folder.has(entry.page)]
        folder.write(INDEX, index_page(plan, there, provider, is_whole))
    folder.finish()
    return summary


async def _judged(file: PlannedFile, scribe: Agent, rounds: int) -> AsyncIterator[Judged]:
    for unit in file.reading.units:
        try:
            yield await judge(scribe, unit, file, rounds)
        except _ABOUT_ONE_UNIT as error:
            yield Judged(unit, failure=str(error).splitlines()[0])
