"""The Scribe: a task goes out, claims come back.

A task is a unit with its facts, or the claims about all units of a file, of
which it composes what the whole is for.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field

from war_rig.agents import Agent
from war_rig.document.checks.check import Checked
from war_rig.document.checks.ground import LONGEST_LINE, Ground, Line
from war_rig.document.claims import Claim
from war_rig.document.plan import PlannedFile
from war_rig.providers import CompletionResponse
from war_rig.providers.offline import FACTS_FENCE, TOLD
from war_rig.readers import Fact, Source, Unit, clipped
from war_rig.readers.cards import cobol_of, code_in
from war_rig.readers.cobol_deeds import LABELS, Deed, deeds_in
from war_rig.readers.comparisons import OPPOSITE

_UNTOLD = frozenset(["comment", "add", "subtract", *OPPOSITE])  # the lines say it as well
_NO_DEEDS = frozenset([*LABELS, "comment"])


class WrittenClaim(BaseModel):
    """One claim as the Scribe writes it."""

    about: Literal["purpose", "rule"]
    text: str = Field(max_length=1000)
    cites: list[str] = Field(max_length=10)


class Written(BaseModel):
    """The Scribe's answer."""

    claims: list[WrittenClaim] = Field(max_length=50)


@dataclass(frozen=True, slots=True)
class Context:
    """What is shown with a unit: *lines* that declare names which it uses, and *known* claims.

    known: a verified sentence about each file that the unit uses, by its path.
    """

    lines: tuple[Line, ...] = ()
    known: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What the Scribe is asked about *unit*. parts: what needs a claim that cites it."""

    unit: Unit
    text: str
    ground: Ground
    parts: tuple[Unit, ...] = ()

    @property
    def tokens(self) -> int:
        """Return about how many tokens the first prompt has: four characters each."""
        return len(self.text) // 4


def unit_task(unit: Unit, file: PlannedFile, context: Context = Context()) -> Task:
    """Return the task to write claims about *unit*."""
    parts = file.parts_of(unit)
    facts, deeds = _done(unit, file)
    about = f"FILE is {json.dumps(unit.file)}, language {file.language}, {unit.kind} {unit.name}."
    block = _facts_block(unit, facts, deeds, [_part(part, file) for part in parts])
    shown = [about, _numbered(file.source, unit), _declared(context.lines), _known(context.known)]
    text = "\n\n".join(filter(None, [*shown, block]))
    return Task(unit, text, Ground.of_unit(unit, file, context.lines), parts)


def whole_task(unit: Unit, claims: Sequence[Claim], ground: Ground, most: int, of: int) -> Task:
    """Return the task to compose at most *most* claims about *unit*, a whole, from *claims*.

    of: how many verified claims there are about it, with those that are not given.
    """
    name = json.dumps(unit.name, ensure_ascii=False)
    some = f", {len(claims)} of {of}" if len(claims) < of else ""
    about = f"WHOLE is {unit.kind} {name}. Checked claims about it{some}. At most {most} of yours."
    given = [{"about": c.about, "text": c.text, "cites": list(c.cites)} for c in claims]
    block = {"file": unit.file, "most": most, "claims": given}
    return Task(unit, f"{about}\n\n```{FACTS_FENCE}\n{json.dumps(block)}\n```", ground)


async def write(
    scribe: Agent, task: Task, rejected: Sequence[Checked] = (), uncovered: Sequence[Unit] = ()
) -> tuple[list[Claim], CompletionResponse]:
    """Return the Scribe's claims for *task*, and its response.

    rejected: claims to be mended. uncovered: parts that still need one.
    """
    prompt = "\n\n".join(filter(None, [task.text, _complaints(rejected, uncovered)]))
    response = await scribe.run(prompt, output=Written)
    written: Written = response.output
    return [Claim(c.text.strip(), tuple(c.cites), c.about) for c in written.claims], response


def _numbered(source: Source, unit: Unit) -> str:
    """Return the unit with the file's own line numbers; no line of it can end the fence."""
    lines = enumerate(source.lines[unit.first - 1 : unit.last], unit.first)
    numbered = "\n".join(f"{number:>6} | {line[:LONGEST_LINE]}" for number, line in lines)
    return f"```source\n{numbered}\n```"


def _declared(lines: Sequence[Line]) -> str:
    """Return the lines that declare what the unit uses; they may be cited too."""
    if not lines:
        return ""
    shown = "\n".join(
        f"{line.number:>6} of {json.dumps(line.file)} | {line.text[:LONGEST_LINE]}"
        for line in lines
    )
    about = "Names that it uses are declared here; these lines may be cited too:"
    return f"{about}\n```source\n{shown}\n```"


def _known(known: Mapping[str, str] | None) -> str:
    """Return what is known of the files that the unit uses."""
    if not known:
        return ""
    lines = [f"- {json.dumps(file)}: {json.dumps(text)}" for file, text in known.items()]
    return "\n".join(["What is known of what it uses, to understand it, not to be cited:", *lines])


def _part(part: Unit, file: PlannedFile) -> dict[str, Any]:
    """Return a part for the block, with the first and the last of its lines that hold a word.

    Where it can be told, the lines are of code, without the numbers of a card.
    """
    lines = file.source.lines[part.first - 1 : part.last]
    wordy = list(_wordy(_code(lines, file))) or list(_wordy(lines)) or [""]
    edges = {"begins": wordy[0], "ends": wordy[-1]}
    return {"name": part.name, "first": part.first, "last": part.last, **edges}


def _wordy(lines: Iterable[str]) -> Iterator[str]:
    """Yield those of *lines*, as they are quoted, that hold a word."""
    return (text for line in lines if re.search(r"\w", text := clipped(line.strip())))


def _code(lines: Iterable[str], file: PlannedFile) -> Iterable[str]:
    """Return *lines* without comments, and without the numbers of a card."""
    if not file.is_cobol:
        return code_in(lines, file.language)
    is_free = deeds_in(file.source).is_free
    return (cobol_of(line, is_free) for line in lines)


def _done(unit: Unit, file: PlannedFile) -> tuple[Sequence[Fact], list[Deed]]:
    """Return the facts of *unit*, and what else its parts do of which no fact tells that.

    Of COBOL without those of lines of which it is not sure that a part does what is on them.
    """
    facts = file.facts_of(unit)
    if not file.is_cobol:
        return facts, []
    deeds, labels = deeds_in(file.source), [fact for fact in facts if fact.kind in LABELS]
    silent = deeds.silent(labels, unit.last)
    sure = [fact for fact in facts if fact.line not in silent or fact.kind in _NO_DEEDS]
    told = [fact.line for fact in sure if fact.kind in TOLD]
    untold = [part for part in file.parts_of(unit)
              if bisect_left(told, part.first) == bisect_right(told, part.last)]  # fmt: skip
    return sure, [deed for part in untold for deed in deeds.of(part, labels, silent)]


def _facts_block(
    unit: Unit, facts: Iterable[Fact], deeds: Iterable[Deed], parts: list[dict[str, Any]]
) -> str:
    comments = [{"line": f.line, "text": f.object} for f in facts if f.kind == "comment"]
    others = [
        {"kind": f.kind, "subject": f.subject, "object": f.object, "line": f.line}
        for f in facts
        if f.kind not in _UNTOLD
    ]
    block = {
        "file": unit.file,
        "first": unit.first,
        "last": unit.last,
        "parts": parts,
        "facts": others,
        "deeds": [deed._asdict() for deed in deeds],
        "comments": comments,
    }
    return f"```{FACTS_FENCE}\n{json.dumps(block)}\n```"


def _complaints(rejected: Sequence[Checked], uncovered: Sequence[Unit]) -> str:
    lines = [f"- {json.dumps(c.claim.text)}: {json.dumps('; '.join(_faults(c)))}" for c in rejected]
    if lines:
        lines.insert(0, "These claims did not pass. Write them again, mended, or not at all:")
    if uncovered:
        lines.append("No claim that passed is about these parts yet. Write one of each:")
        lines += [
            f"- {json.dumps(part.name)}: lines {part.first}-{part.last}" for part in uncovered
        ]
    return "\n".join(lines)


def _faults(checked: Checked) -> tuple[str, ...]:
    """Return what is wrong with a claim, or what the Challenger can't tell about it."""
    return checked.issues or (f"the Challenger can't tell: {checked.reason}",)
