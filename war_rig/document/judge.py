"""The Imperator: how often the Scribe is asked, and what is published.

A task gets at most *rounds* rounds. Each round's claims are checked, and where
there is a Challenger it is asked about those that passed. What fails, and what
the Challenger can't tell, goes back to the Scribe with the reasons, and so do
the parts that no claim covers yet. It ends early when all passed and every part
is covered. What fails in the last round is unverified; what the Challenger
can't tell there is an open question.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from war_rig.agents import Agent
from war_rig.document.challenge import ABOUT_ONE_UNIT, challenge
from war_rig.document.checks.check import Checked, check
from war_rig.document.checks.ground import Line
from war_rig.document.claims import Claim
from war_rig.document.write import Task, write
from war_rig.readers import Unit


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a unit's claims, how often the Scribe was asked, and tokens.

    doubted: claims that the Challenger can't tell about. uncovered: parts that
    no verified claim cites. shown: lines of other files that verified claims cite.
    failure: why the unit could not be documented, None where it was. given, of:
    of a whole, how many verified claims it was composed from, and of how many.
    """

    unit: Unit
    verified: tuple[Checked, ...] = ()
    unverified: tuple[Checked, ...] = ()
    doubted: tuple[Checked, ...] = ()
    uncovered: tuple[Unit, ...] = ()
    shown: tuple[Line, ...] = ()
    asked: int = 0
    tokens: int = 0
    failure: str | None = None
    given: int = 0
    of: int = 0

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Return the verified claims."""
        return tuple(checked.claim for checked in self.verified)


async def judge(scribe: Agent, task: Task, rounds: int, challenger: Agent | None = None) -> Judged:
    """Have *task* written and checked, and decide. Raises what the provider raises."""
    known: dict[Claim, Checked] = {}  # every claim so far
    last: Sequence[Checked] = ()  # those of the last round
    uncovered: tuple[Unit, ...] = ()
    tokens = asked = 0
    while asked < rounds:
        back = [checked for checked in last if not _is_published(checked)]
        try:
            claims, response = await write(scribe, task, back, uncovered)
        except ABOUT_ONE_UNIT:
            if not known:
                raise
            break  # what an earlier round verified stays
        asked, tokens = asked + 1, tokens + response.tokens_used
        for claim in dict.fromkeys(claims):
            if claim not in known:
                known[claim], paid = await _opinion(claim, task, challenger)
                tokens += paid
        last = [known[claim] for claim in dict.fromkeys(claims)]
        uncovered = tuple(_uncovered(task.parts, filter(_is_published, known.values())))
        if all(map(_is_published, last)) and not uncovered:
            break
    return _result(
        task, tuple(filter(_is_published, known.values())), last, uncovered, asked, tokens
    )


def _result(
    task: Task,
    verified: tuple[Checked, ...],
    last: Sequence[Checked],
    uncovered: tuple[Unit, ...],
    asked: int,
    tokens: int,
) -> Judged:
    unverified = tuple(checked for checked in last if not checked.is_verified)
    doubted = tuple(c for c in last if c.is_verified and not _is_published(c))
    cited = [citation for checked in verified for citation in checked.claim.citations]
    shown = task.ground.outside(task.unit.file, cited)
    return Judged(task.unit, verified, unverified, doubted, uncovered, shown, asked, tokens)


def _is_published(checked: Checked) -> bool:
    """Return whether every check passed, and the Challenger, if any, agrees."""
    return checked.is_verified and checked.verdict != "cannot tell"


async def _opinion(claim: Claim, task: Task, challenger: Agent | None) -> tuple[Checked, int]:
    """Return the checked claim, with a verdict where it passed, and the tokens used."""
    checked = check(claim, task.ground)
    if challenger is None or not checked.is_verified:
        return checked, 0
    return await challenge(challenger, checked, task.ground)


def _uncovered(parts: Iterable[Unit], verified: Iterable[Checked]) -> Iterator[Unit]:
    cited = [citation for checked in verified for citation in checked.claim.citations]
    for part in parts:
        if not any(
            c.file == part.file and c.first <= part.last and c.last >= part.first for c in cited
        ):
            yield part
