"""The Imperator: how often the Scribe is asked, and what is published.

A unit gets at most *rounds* rounds. Each round's claims are checked; those that
fail go back to the Scribe with the reasons, and with the parts that no claim
covers yet. It ends early when nothing failed and every part is covered. What
still fails in the last round is unverified.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from war_rig.agents import Agent
from war_rig.document.check import Checked, check
from war_rig.document.claims import Claim
from war_rig.document.plan import PlannedFile
from war_rig.document.write import write
from war_rig.errors import ContentRefusedError, ContextTooLongError, MalformedAnswerError
from war_rig.readers import Unit

ABOUT_ONE_UNIT = (MalformedAnswerError, ContextTooLongError, ContentRefusedError)
"""Failures that say nothing about the next unit; every other one ends the run."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A unit's published and unverified claims, how often the Scribe was asked, and tokens.

    uncovered: its parts that no published claim cites. failure: why the unit
    could not be documented, None where it was.
    """

    unit: Unit
    verified: tuple[Claim, ...] = ()
    unverified: tuple[Checked, ...] = ()
    uncovered: tuple[Unit, ...] = ()
    asked: int = 0
    tokens: int = 0
    failure: str | None = None


async def judge(scribe: Agent, unit: Unit, file: PlannedFile, rounds: int) -> Judged:
    """Have *unit* written and checked, and decide. Raises what the provider raises."""
    verified: dict[Claim, None] = {}  # an ordered set
    rejected: Sequence[Checked] = ()
    uncovered: tuple[Unit, ...] = ()
    facts = file.facts_of(unit)
    tokens = asked = 0
    while asked < rounds:
        try:
            claims, response = await write(scribe, unit, file, rejected, uncovered)
        except ABOUT_ONE_UNIT:
            if not verified:
                raise
            break  # what an earlier round verified stays
        asked, tokens = asked + 1, tokens + response.tokens_used
        checked = [check(claim, unit, file.source, facts, file.related) for claim in claims]
        verified |= {c.claim: None for c in checked if c.is_verified}
        rejected = [c for c in checked if not c.is_verified]
        uncovered = tuple(_uncovered(file.parts_of(unit), verified))
        if not rejected and not uncovered:
            break
    return Judged(unit, tuple(verified), tuple(rejected), uncovered, asked, tokens)


def _uncovered(parts: Iterable[Unit], claims: Iterable[Claim]) -> Iterator[Unit]:
    cited = [citation for claim in claims for citation in claim.citations]
    for part in parts:
        if not any(c.first <= part.last and c.last >= part.first for c in cited):
            yield part
