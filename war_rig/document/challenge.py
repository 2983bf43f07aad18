"""The Challenger: a model's opinion of a claim that passed the checks.

It sees the claim and its cited lines, and nothing else.
"""

import json
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from war_rig.agents import Agent
from war_rig.document.check import Checked
from war_rig.document.claims import Citation
from war_rig.document.ground import Ground
from war_rig.errors import ContentRefusedError, ContextTooLongError, MalformedAnswerError

ABOUT_ONE_UNIT = (MalformedAnswerError, ContextTooLongError, ContentRefusedError)
"""Failures that say nothing about the next unit; every other one ends the run."""


class Opinion(BaseModel):
    """The Challenger's answer."""

    verdict: Literal["supported", "contradicted", "cannot tell"]
    reason: str = Field(max_length=300)


async def challenge(challenger: Agent, checked: Checked, ground: Ground) -> tuple[Checked, int]:
    """Return *checked*, which passed the checks, with the model's verdict, and the tokens used.

    A contradicted claim has an issue. No usable answer counts as "cannot tell".
    """
    lines = "\n".join(_shown(citation, ground) for citation in checked.claim.citations)
    prompt = f"Claim: {json.dumps(checked.claim.text)}\n\n```source\n{lines}\n```"
    try:
        response = await challenger.run(prompt, output=Opinion)
    except ABOUT_ONE_UNIT as error:
        failure = str(error).splitlines()[0]
        return replace(checked, verdict="cannot tell", reason=failure), 0
    opinion: Opinion = response.output
    issues: tuple[str, ...] = ()
    if opinion.verdict == "contradicted":
        issues = (f"the Challenger finds it contradicted: {opinion.reason}",)
    judged = replace(checked, issues=issues, verdict=opinion.verdict, reason=opinion.reason)
    return judged, response.tokens_used


def _shown(citation: Citation, ground: Ground) -> str:
    texts = ground.text([citation]).split("\n")
    return "\n".join(f"{n:>6} | {text}" for n, text in enumerate(texts, citation.first))
