"""The Challenger: a model's opinion of a claim that passed the checks.

It sees the claim and its cited lines, and nothing else.
"""

import json
from dataclasses import replace
from itertools import groupby
from typing import Literal

from pydantic import BaseModel

from war_rig.agents import Agent
from war_rig.document.checks.check import Checked
from war_rig.document.checks.ground import LONGEST_LINE, Ground
from war_rig.errors import ContentRefusedError, ContextTooLongError, MalformedAnswerError
from war_rig.readers import clipped

ABOUT_ONE_UNIT = (MalformedAnswerError, ContextTooLongError, ContentRefusedError)
"""Failures that say nothing about the next unit; every other one ends the run."""

_LONGEST_REASON = 300


class Opinion(BaseModel):
    """The Challenger's answer."""

    verdict: Literal["supported", "contradicted", "cannot tell"]
    reason: str


async def challenge(challenger: Agent, checked: Checked, ground: Ground) -> tuple[Checked, int]:
    """Return *checked*, which passed the checks, with the model's verdict, and the tokens used.

    A contradicted claim has an issue. No usable answer counts as "cannot tell".
    """
    prompt = f"Claim: {json.dumps(checked.claim.text)}\n\n{_cited(checked, ground)}"
    try:
        response = await challenger.run(prompt, output=Opinion)
    except ABOUT_ONE_UNIT as error:
        failure = str(error).partition("\n")[0]
        return replace(checked, verdict="cannot tell", reason=failure), 0
    opinion: Opinion = response.output
    reason = clipped(" ".join(opinion.reason.split()), _LONGEST_REASON)
    issues: tuple[str, ...] = ()
    if opinion.verdict == "contradicted":
        issues = (f"the Challenger finds it contradicted: {reason}",)
    judged = replace(checked, issues=issues, verdict=opinion.verdict, reason=reason)
    return judged, response.tokens_used


def _cited(checked: Checked, ground: Ground) -> str:
    """Return the cited lines, each once, below the name of their file."""
    citations = checked.claim.citations
    places = {(c.file, n): None for c in citations for n in range(c.first, c.last + 1)}
    shown = []
    for file, lines in groupby(places, key=lambda place: place[0]):
        texts = (f"{n:>6} | {ground.lines[file, n][:LONGEST_LINE]}" for _, n in lines)
        shown.append(f"FILE is {json.dumps(file)}.\n\n```source\n{chr(10).join(texts)}\n```")
    return "\n\n".join(shown)
