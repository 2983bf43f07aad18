"""The Imperator: how often the Scribe is asked, and what is published.

A task gets at most *rounds* rounds. Each round's claims are checked, and where
there is a Challenger it is asked about those that passed. What fails goes back
to the Scribe with the reasons, and so do the parts that no claim covers yet. It
ends early when nothing failed and every part is covered. What still fails in
the last round is unverified; what the Challenger can't tell is an open question.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from war_rig.agents import Agent
from war_rig.document.challenge import ABOUT_ONE_UNIT, challenge
from war_rig.document.check import Checked, check
from war_rig.document.claims import Claim
from war_rig.document.write import Task, write
from war_rig.readers import Unit


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a unit's claims, how often the Scribe was asked, and tokens.

    doubted: claims that the Challenger can't tell about. uncovered: parts that
    no verified claim cites. failure: why the unit could not be documented, None
    where it was.
    """

    unit: Unit
    verified: tuple[Checked, ...] = ()
    unverified: tuple[Checked, ...] = ()
    doubted: tuple[Checked, ...] = ()
    uncovered: tuple[Unit, ...] = ()
    asked: int = 0
    tokens: int = 0
    failure: str | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Return the verified claims."""
        return tuple(checked.claim for checked in self.verified)


async def judge(scribe: Agent, task: Task, rounds: int, challenger: Agent | None = None) -> Judged:
    """Have *task* written and checked, and decide. Raises what the provider raises."""
    known: dict[Claim, Checked] = {}  # what passed the checks in any round
    rejected: Sequence[Checked] = ()
    uncovered: tuple[Unit, ...] = ()
    tokens = asked = 0
    while asked < rounds:
        try:
            claims, response = await write(scribe, task, rejected, uncovered)
        except ABOUT_ONE_UNIT:
            if not known:
                raise
            break  # what an earlier round verified stays
        asked, tokens = asked + 1, tokens + response.tokens_used
        checked = [check(c, task.ground) for c in dict.fromkeys(claims) if c not in known]
        opinions, paid = await _challenged(checked, task, challenger)
        tokens += paid
        known |= {c.claim: c for c in opinions if c.is_verified}
        rejected = [c for c in opinions if not c.is_verified]
        uncovered = tuple(_uncovered(task.parts, _of(known, doubted=False)))
        if not rejected and not uncovered:
            break
    verified, doubted = _of(known, doubted=False), _of(known, doubted=True)
    return Judged(task.unit, verified, tuple(rejected), doubted, uncovered, asked, tokens)


async def _challenged(
    checked: Sequence[Checked], task: Task, challenger: Agent | None
) -> tuple[Sequence[Checked], int]:
    """Return *checked* with the Challenger's verdicts on what passed, and the tokens used."""
    if challenger is None:
        return checked, 0
    opinions, tokens = [], 0
    for one in checked:
        opinion, paid = (
            await challenge(challenger, one, task.ground) if one.is_verified else (one, 0)
        )
        opinions.append(opinion)
        tokens += paid
    return opinions, tokens


def _of(known: dict[Claim, Checked], *, doubted: bool) -> tuple[Checked, ...]:
    return tuple(c for c in known.values() if (c.verdict == "cannot tell") is doubted)


def _uncovered(parts: Iterable[Unit], verified: Iterable[Checked]) -> Iterator[Unit]:
    cited = [citation for checked in verified for citation in checked.claim.citations]
    for part in parts:
        if not any(
            c.file == part.file and c.first <= part.last and c.last >= part.first for c in cited
        ):
            yield part
