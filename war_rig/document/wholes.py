"""The wholes that a file's units make up: its programs where it holds several, else the file."""

from bisect import bisect_right
from collections.abc import Sequence

from war_rig.document.kinds import kind_of
from war_rig.document.plan import PlannedFile
from war_rig.readers import Unit


def wholes_of(file: PlannedFile) -> dict[Unit, tuple[Unit, ...]]:
    """Return the wholes of *file*, each with the units of its own."""
    name, units = file.source.file, file.reading.units
    if not file.reading.wholes:
        return {Unit(name, name, kind_of(file).key, 1, len(file.source.lines)): units}
    own: dict[Unit, list[Unit]] = {whole: [] for whole in file.reading.wholes}
    for unit in units:
        own[whole_at(unit.first, file.reading.wholes)].append(unit)
    return {whole: tuple(found) for whole, found in own.items()}


def whole_at(line: int, wholes: Sequence[Unit]) -> Unit:
    """Return the innermost of *wholes* around *line*, else the one that follows, else the last.

    Between two programs stands what the compiler is told of the second one.
    """
    behind = bisect_right(wholes, line, key=lambda whole: whole.first)
    before = (wholes[at] for at in range(behind - 1, -1, -1))
    following = wholes[min(behind, len(wholes) - 1)]
    return next((whole for whole in before if line <= whole.last), following)


def wholes_by_name(file: PlannedFile, wholes: Sequence[Unit]) -> dict[str, Unit]:
    """Return what a CALL leads into, by the name, in upper case, of a program or of an ENTRY."""
    named = [fact for fact in file.reading.facts if fact.kind in ("program", "entry")]
    return {fact.object.upper(): whole_at(fact.line, wholes) for fact in reversed(named)}
