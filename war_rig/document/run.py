"""The run: units judged side by side, what is used before whatever uses it.

When the units of a file are done, what it is for, or each of its programs, is
composed from their verified claims, and its pages are written. The estate's
overview comes last.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from war_rig.agents import Agent
from war_rig.document.challenge import ABOUT_ONE_UNIT
from war_rig.document.checks.ground import Ground, Line
from war_rig.document.claims import Claim
from war_rig.document.context import Declarations, known_of
from war_rig.document.estate.estate import Estate
from war_rig.document.judge import Judged, judge
from war_rig.document.kinds import names_of
from war_rig.document.pages.folder import DocsFolder
from war_rig.document.pages.publish import Publisher, chosen_units
from war_rig.document.pages.render import INDEX
from war_rig.document.pages.starters import entry_points
from war_rig.document.plan import Plan
from war_rig.document.schedule import Schedule, dependencies
from war_rig.document.turns import in_turn
from war_rig.document.wholes import Wholes
from war_rig.document.write import Context, Task, unit_task, whole_task
from war_rig.readers import Unit

_MOST_OF_A_FILE = 5
_MOST_OF_THE_ESTATE = 12
_MOST_GIVEN = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: tasks done (the failed among them), of how many, and tokens used.

    A task is a unit, a file or program of several units as a whole, or the estate.

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
    run = _Run(plan, folder, scribe, challenger, rounds, on_progress)
    run.publisher.begin()
    try:
        await _side_by_side([asyncio.create_task(run.work()) for _ in range(in_flight)])
        await run.compose_overview()
        await run.written()
    finally:
        await asyncio.gather(*run.writing, return_exceptions=True)
        is_finished = run.summary.done == run.summary.tasks
        run.publisher.end(provider, run.overview, is_finished)
    if plan.is_whole:
        folder.finish()
    return run.summary


class _Run:
    """One run: what is asked, of whom, and in which order."""

    def __init__(
        self,
        plan: Plan,
        folder: DocsFolder,
        scribe: Agent,
        challenger: Agent | None,
        rounds: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._scribe, self._rounds = in_turn(scribe), rounds
        self._challenger = challenger and in_turn(challenger)
        self._plan, self._on_progress = plan, on_progress
        self._files = {file.source.file: file for file in plan.files}
        self._estate = Estate.of(plan.files, plan.copybook_paths)
        self._units = chosen_units(plan)
        self.publisher = Publisher(plan, self._estate, folder, self._units)
        self._waits_for = dependencies(list(self._files), self._estate.outgoing)
        self._schedule = Schedule(self._units, self._waits_for)
        self._declarations: dict[str, Declarations] = {}
        self.writing: set[asyncio.Future[None]] = set()
        self.overview: Judged | None = None
        self.summary = Summary(plan, _tasks(plan, self._estate))

    async def work(self) -> None:
        """Take what is ready, one task after the other, until all is done."""
        while (work := await self._schedule.next()) is not None:
            file, unit = work
            if unit is not None:
                judged = await self._judged(self._unit_task(file, unit))
                self.publisher.entries[file].add(judged)
            else:
                await self._compose(file)
                self._write(file)
            self._schedule.is_done(file, unit)
            self._take_written()

    async def compose_overview(self) -> None:
        """Compose what the estate is for, from the claims about its files as wholes."""
        if not _has_overview(self._plan):
            return
        entries = self.publisher.entries.values()
        first = [point.whole for point in entry_points(entries, self._estate)]
        named = [whole for entry in entries if names_of(entry.file) for whole in entry.wholes.all]
        every = {whole: entry for entry in entries for whole in entry.wholes.all}
        shown = [line for entry in entries for line in entry.summary_lines]
        wholes = dict.fromkeys([*first, *named, *every])
        claims = [list(every[whole].summary(whole)) for whole in wholes]
        estate = Unit(INDEX, "the source", "estate", 0, 0)
        self.overview = await self._composed(estate, claims, shown, _MOST_OF_THE_ESTATE)

    def _unit_task(self, file: str, unit: Unit) -> Task:
        planned = self._files[file]
        if file not in self._declarations:
            estate = self._estate
            self._declarations[file] = Declarations(planned, estate.copybooks, estate.wholes[file])
        lines = self._declarations[file].of(unit)
        relations, waits_for = self._estate.outgoing.get(file, ()), self._waits_for[file]
        known = known_of(unit, relations, waits_for, self.publisher.purpose)
        return unit_task(unit, planned, Context(lines, known))

    async def _compose(self, file: str) -> None:
        """Compose what the file, or each of its programs, is for."""
        entry = self.publisher.entries[file]
        self._declarations.pop(file, None)
        for whole in _composable(entry.wholes, self._units[file]):
            own = entry.judged_of(whole)
            claims = [list(judged.claims) for judged in own]
            shown = [line for judged in own for line in judged.shown]
            entry.composed[whole] = await self._composed(whole, claims, shown, _MOST_OF_A_FILE)

    def _write(self, file: str) -> None:
        """Have the pages of the file written beside the calls: a disk takes its time."""
        loop = asyncio.get_running_loop()
        self.writing.add(loop.run_in_executor(None, self.publisher.write, file))

    def _take_written(self) -> None:
        """Raise what the pages met that are written by now."""
        for writing in [writing for writing in self.writing if writing.done()]:
            self.writing.remove(writing)
            writing.result()

    async def written(self) -> None:
        """Wait for the pages that are being written; raise what one of them meets."""
        await asyncio.gather(*self.writing)

    async def _composed(
        self, unit: Unit, claims: Sequence[Sequence[Claim]], shown: Sequence[Line], most: int
    ) -> Judged:
        """Compose claims about *unit* from the first of each of *claims*, then the second, ..."""
        every = [claim for turn in zip_longest(*claims) for claim in turn if claim is not None]
        given = sorted(every[:_MOST_GIVEN], key=_place_in([c for some in claims for c in some]))
        if not given:
            judged = Judged(unit)
        else:
            ground = Ground.of_claims(given, self._files, shown)
            judged = await self._judged(whole_task(unit, given, ground, most, len(every)))
            return replace(judged, given=len(given), of=len(every))
        self._on_progress(self.summary.add(judged))
        return judged

    async def _judged(self, task: Task) -> Judged:
        try:
            judged = await judge(self._scribe, task, self._rounds, self._challenger)
        except ABOUT_ONE_UNIT as error:
            judged = Judged(task.unit, failure=str(error).partition("\n")[0])
        self._on_progress(self.summary.add(judged))
        return judged


def _place_in(claims: Sequence[Claim]) -> Callable[[Claim], int]:
    places = {claim: place for place, claim in reversed(list(enumerate(claims)))}
    return places.__getitem__


def estimate(plan: Plan) -> tuple[int, int]:
    """Return how many tasks there are, and about how many tokens their first prompts have.

    Of what is composed, the prompts are not known before.
    """
    estate = Estate.of(plan.files, plan.copybook_paths)
    units = chosen_units(plan)
    tokens = 0
    for file in plan.files:
        name = file.source.file
        declarations = Declarations(file, estate.copybooks, estate.wholes[name])
        for unit in units[name]:
            tokens += unit_task(unit, file, Context(declarations.of(unit))).tokens
    return _tasks(plan, estate), tokens


def _tasks(plan: Plan, estate: Estate) -> int:
    units = chosen_units(plan)
    wholes = [
        whole for file, own in units.items() for whole in _composable(estate.wholes[file], own)
    ]
    return len(plan.chosen) + len(wholes) + _has_overview(plan)


def _composable(wholes: Wholes, chosen: Iterable[Unit]) -> list[Unit]:
    """Return those of *wholes* that have several units, all of them *chosen*."""
    taken = set(chosen)
    return [whole for whole, own in wholes.units.items() if len(own) > 1 and taken.issuperset(own)]


def _has_overview(plan: Plan) -> bool:
    return plan.is_whole and len(plan.files) > 1


async def _side_by_side(workers: list["asyncio.Task[None]"]) -> None:
    """Wait for all; where one fails, cancel the others and raise what it raised."""
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
