"""The Scribe: a unit and its facts go out, claims come back."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from war_rig.agents import Agent
from war_rig.document.check import Checked
from war_rig.document.claims import Claim
from war_rig.document.plan import PlannedFile
from war_rig.providers import CompletionResponse
from war_rig.providers.offline import FACTS_FENCE
from war_rig.readers import Fact, Source, Unit, clipped

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
    scribe: Agent,
    unit: Unit,
    file: PlannedFile,
    rejected: Sequence[Checked] = (),
    uncovered: Sequence[Unit] = (),
) -> tuple[list[Claim], CompletionResponse]:
    """Return the Scribe's claims about *unit*, and its response.

    rejected: claims to be mended. uncovered: parts that still need one.
    """
    prompt = _prompt(unit, file, _complaints(rejected, uncovered))
    response = await scribe.run(prompt, output=Written)
    written: Written = response.output
    return [Claim(c.text.strip(), tuple(c.cites), c.about) for c in written.claims], response


def estimate_tokens(unit: Unit, file: PlannedFile) -> int:
    """Return about how many tokens the first prompt about *unit* has: four characters each."""
    return len(_prompt(unit, file, "")) // 4


def _prompt(unit: Unit, file: PlannedFile, complaints: str) -> str:
    about = f"FILE is {json.dumps(unit.file)}, language {file.language}, {unit.kind} {unit.name}."
    parts = [_part(part, file.source) for part in file.parts_of(unit)]
    block = _facts_block(unit, file.facts_of(unit), parts)
    return "\n\n".join(filter(None, [about, _numbered(file.source, unit), block, complaints]))


def _numbered(source: Source, unit: Unit) -> str:
    """Return the unit with the file's own line numbers; no line of it can end the fence."""
    lines = enumerate(source.lines[unit.first - 1 : unit.last], unit.first)
    numbered = "\n".join(f"{number:>6} | {line[:_LONGEST_LINE]}" for number, line in lines)
    return f"```source\n{numbered}\n```"


def _part(part: Unit, source: Source) -> dict[str, Any]:
    """Return a part for the block, with the first and the last of its lines that hold a word."""
    lines = (clipped(line.strip()) for line in source.lines[part.first - 1 : part.last])
    wordy = [line for line in lines if re.search(r"\w", line)] or [""]
    edges = {"begins": wordy[0], "ends": wordy[-1]}
    return {"name": part.name, "first": part.first, "last": part.last, **edges}


def _facts_block(unit: Unit, facts: Iterable[Fact], parts: list[dict[str, Any]]) -> str:
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
        "parts": parts,
        "facts": others,
        "comments": comments,
    }
    return f"```{FACTS_FENCE}\n{json.dumps(block)}\n```"


def _complaints(rejected: Sequence[Checked], uncovered: Sequence[Unit]) -> str:
    lines = [f"- {json.dumps(c.claim.text)}: {'; '.join(c.issues)}" for c in rejected]
    if lines:
        lines.insert(0, "These claims failed the checks. Write them again, mended, or not at all:")
    if uncovered:
        lines.append("No claim that passed the checks is about these parts yet. Write one of each:")
        lines += [
            f"- {json.dumps(part.name)}: lines {part.first}-{part.last}" for part in uncovered
        ]
    return "\n".join(lines)
