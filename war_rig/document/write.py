"""The Scribe: a unit and its facts go out, claims come back."""

import json
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from war_rig.agents import Agent
from war_rig.document.check import Checked
from war_rig.document.claims import Claim
from war_rig.document.plan import PlannedFile
from war_rig.providers import CompletionResponse
from war_rig.providers.offline import FACTS_FENCE
from war_rig.readers import Fact, Source, Unit

_LONGEST_LINE = 500


class WrittenClaim(BaseModel):
    """One claim as the Scribe writes it."""

    about: Literal["purpose", "rule"]
    text: str = Field(max_length=1000)
    cites: list[str] = Field(max_length=10)


class Written(BaseModel):
    """The Scribe's answer."""

    claims: list[WrittenClaim] = Field(max_length=50)


async def write(
    scribe: Agent, unit: Unit, file: PlannedFile, rejected: Sequence[Checked] = ()
) -> tuple[list[Claim], CompletionResponse]:
    """Return the Scribe's claims about *unit*, and its response; *rejected* are to be mended."""
    response = await scribe.run(_prompt(unit, file, rejected), output=Written)
    written: Written = response.output
    return [Claim(c.text.strip(), tuple(c.cites), c.about) for c in written.claims], response


def estimate_tokens(unit: Unit, file: PlannedFile) -> int:
    """Return about how many tokens the first prompt about *unit* has: four characters each."""
    return len(_prompt(unit, file, ())) // 4


def _prompt(unit: Unit, file: PlannedFile, rejected: Sequence[Checked]) -> str:
    facts = [f for f in file.reading.facts if unit.first <= f.line <= unit.last]
    parts = [
        f"FILE is {json.dumps(unit.file)}, language {file.language}, {unit.kind} {unit.name}.",
        _numbered(file.source, unit),
        _facts_block(unit, facts),
    ]
    if rejected:
        parts.append(_complaints(rejected))
    return "\n\n".join(parts)


def _numbered(source: Source, unit: Unit) -> str:
    """Return the unit with the file's own line numbers; no line of it can end the fence."""
    lines = enumerate(source.lines[unit.first - 1 : unit.last], unit.first)
    numbered = "\n".join(f"{number:>6} | {line[:_LONGEST_LINE]}" for number, line in lines)
    return f"```source\n{numbered}\n```"


def _facts_block(unit: Unit, facts: Iterable[Fact]) -> str:
    comments = [{"line": f.line, "text": f.object} for f in facts if f.kind == "comment"]
    others = [
        {"kind": f.kind, "subject": f.subject, "object": f.object, "line": f.line}
        for f in facts
        if f.kind != "comment"
    ]
    block = {
        "file": unit.file,
        "first": unit.first,
        "last": unit.last,
        "facts": others,
        "comments": comments,
    }
    return f"```{FACTS_FENCE}\n{json.dumps(block)}\n```"


def _complaints(rejected: Sequence[Checked]) -> str:
    lines = [f"- {json.dumps(c.claim.text)}: {'; '.join(c.issues)}" for c in rejected]
    return "These claims failed the checks. Write them again, mended, or leave them out:\n" + (
        "\n".join(lines)
    )
