"""The pages as data: a JSON file beside each, and one for the estate, in a published format.

``VERSION`` grows when a reader of these files would have to change.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from war_rig.document.checks.check import Checked
from war_rig.document.claims import Citation
from war_rig.document.estate.estate import Estate, Relation
from war_rig.document.judge import Judged
from war_rig.document.kinds import kind_of, names_of
from war_rig.document.pages.render import FilePages
from war_rig.document.plan import Plan
from war_rig.readers import Fact, Problem, Unit

VERSION: Literal[1] = 1

Verdict = Literal["verified", "supported", "contradicted", "cannot tell", "unverified"]
"""verified: all checks passed, and no model was asked. supported: and the Challenger agrees."""


@dataclass(frozen=True, slots=True)
class ClaimData:
    """A claim. cites: as written; citations: those that can be read.

    issues: why it is unverified. reason: the Challenger's.
    """

    about: Literal["purpose", "rule"]
    text: str
    cites: Sequence[str]
    citations: Sequence[Citation]
    verdict: Verdict
    issues: Sequence[str] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnitData:
    """A unit; uncovered: its parts without a verified claim; failure: why it is not documented."""

    unit: Unit
    parts: Sequence[Unit]
    claims: Sequence[ClaimData]
    uncovered: Sequence[Unit]
    failure: str | None


@dataclass(frozen=True, slots=True)
class FileData:
    """What is known of one source file.

    whole: claims about all of it, composed from those of its units; whole_failure:
    why there are none, None where that is no failure. programs: where it holds
    several, each in the place of the whole; its parts are its units.
    """

    version: Literal[1]
    file: str
    language: str
    encoding: str
    lines: int
    kind: str
    names: Sequence[str]
    page: str
    source_page: str
    is_complete: bool
    whole: Sequence[ClaimData]
    whole_failure: str | None
    units: Sequence[UnitData]
    facts: Sequence[Fact]
    relations: Sequence[Relation]
    problems: Sequence[Problem]
    programs: Sequence[UnitData] = ()


@dataclass(frozen=True, slots=True)
class FileLink:
    """Where a file's page and data are, below the folder of the documentation."""

    file: str
    kind: str
    page: str
    data: str


@dataclass(frozen=True, slots=True)
class EstateData:
    """The whole source tree.

    is_finished: whether the run came to its end; is_whole: whether it was about
    every unit. left_out, misread: paths and reasons.
    """

    version: Literal[1]
    name: str
    provider: str
    is_finished: bool
    is_whole: bool
    overview: Sequence[ClaimData]
    files: Sequence[FileLink]
    missing: Sequence[Relation]
    left_out: Sequence[tuple[str, str]]
    misread: Sequence[tuple[str, str]]


def file_json(entry: FilePages, estate: Estate) -> str:
    """Return the JSON of a file's page."""
    file, source = entry.file, entry.file.source
    is_several = entry.wholes.are_several
    whole = None if is_several else next(iter(entry.composed.values()), None)
    data = FileData(
        VERSION,
        source.file,
        file.language,
        source.encoding,
        len(source.lines),
        kind_of(file).key,
        list(names_of(file)),
        entry.page,
        entry.source,
        entry.is_complete,
        claim_data([whole] if whole else []),
        whole.failure if whole else None,
        [_unit(judged, entry) for judged in entry.judged],
        file.reading.facts,
        estate.outgoing.get(source.file, ()),
        file.reading.problems,
        [_program(one, entry) for one in entry.wholes.all] if is_several else (),
    )
    left_out = set() if is_several else {"programs"}
    return _adapter(FileData).dump_json(data, indent=1, exclude=left_out).decode() + "\n"


def estate_json(
    plan: Plan,
    entries: Iterable[FilePages],
    estate: Estate,
    overview: Judged | None,
    provider: str,
    is_finished: bool,
) -> str:
    """Return the JSON of the index."""
    links = [FileLink(e.file.source.file, kind_of(e.file).key, e.page, e.data) for e in entries]
    data = EstateData(
        VERSION,
        plan.name,
        provider,
        is_finished,
        plan.is_whole,
        claim_data([overview] if overview else []),
        links,
        estate.missing,
        plan.left_out,
        plan.misread,
    )
    return _adapter(EstateData).dump_json(data, indent=1).decode() + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema of both kinds of file, which docs/document.schema.json publishes."""
    found: dict[str, Any] = TypeAdapter(FileData | EstateData).json_schema(mode="serialization")
    return {"title": f"War Rig documentation, version {VERSION}", **found}


def claim_data(results: Iterable[Judged]) -> list[ClaimData]:
    """Return every claim of *results* with its verdict."""
    found = []
    for judged in results:
        found += [_claim(c, "verified") for c in judged.verified]
        found += [_claim(c, "cannot tell") for c in judged.doubted]
        found += [_claim(c, "unverified") for c in judged.unverified]
    return found


def _unit(judged: Judged, entry: FilePages) -> UnitData:
    parts = entry.file.parts_of(judged.unit)
    return UnitData(judged.unit, parts, claim_data([judged]), judged.uncovered, judged.failure)


def _program(whole: Unit, entry: FilePages) -> UnitData:
    judged = entry.composed.get(whole, Judged(whole))
    return UnitData(whole, entry.wholes.units[whole], claim_data([judged]), (), judged.failure)


def _claim(checked: Checked, otherwise: Verdict) -> ClaimData:
    """Return *checked* with the Challenger's verdict, or *otherwise* where it gave none."""
    claim, verdict = checked.claim, checked.verdict or otherwise
    citations = list(_readable(claim.cites))
    return ClaimData(
        claim.about, claim.text, claim.cites, citations, verdict, checked.issues, checked.reason
    )


def _readable(cites: Iterable[str]) -> Iterator[Citation]:
    for written in cites:
        with suppress(ValueError):
            yield Citation.parse(written)


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
