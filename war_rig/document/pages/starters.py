"""Where work begins, and what starts a program: a transaction, a job, another one, or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from war_rig.document.estate.estate import LEADS_ON, STARTS, Estate, Relation
from war_rig.document.kinds import kind_of, names_of
from war_rig.document.pages.inert import code, link
from war_rig.document.pages.render import FilePages
from war_rig.document.pages.tables import Pages, anchor_of_whole
from war_rig.document.plan import PlannedFile
from war_rig.readers import Unit

_MOST = 3


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where work begins: a job, a program that transactions start, or one that nothing leads to."""

    entry: FilePages
    whole: Unit
    kind: Literal["transaction", "job", "program"]
    transactions: tuple[str, ...] = ()


def entry_points(entries: Iterable[FilePages], estate: Estate) -> Iterator[EntryPoint]:
    """Yield where work begins, in the order of *entries*."""
    for entry in entries:
        word = kind_of(entry.file).fact
        for whole, leading in _leading_to(entry, estate).items():
            started = [r.started_by for r in leading if r.verb == "starts" and r.is_certain]
            if word == "job":
                yield EntryPoint(entry, whole, "job")
            elif word == "program" and started:
                yield EntryPoint(entry, whole, "transaction", tuple(dict.fromkeys(started)))
            elif word == "program" and not leading:
                yield EntryPoint(entry, whole, "program")


def _leading_to(entry: FilePages, estate: Estate) -> dict[Unit, list[Relation]]:
    """Return what leads to each whole of *entry* from outside of it, or perhaps does."""
    found: dict[Unit, list[Relation]] = {whole: [] for whole in entry.wholes.all}
    for relation in estate.incoming.get(entry.file.source.file, ()):
        whole = estate.target(relation, entry.file.source.file)
        is_inside = estate.whole_of(relation) == whole
        if relation.verb in LEADS_ON and not is_inside:
            found[whole].append(relation)
    return found


class Starters:
    """Says in Markdown what starts a program, with links to those of *pages*."""

    def __init__(self, files: Iterable[PlannedFile], estate: Estate, pages: Pages) -> None:
        self._estate, self._pages = estate, pages
        self._known = {f.source.file: (kind_of(f).word.lower(), names_of(f)) for f in files}

    def of(self, entries: Iterable[FilePages]) -> dict[Unit, str]:
        """Return what starts each whole of *entries*."""
        leading = (one for entry in entries for one in _leading_to(entry, self._estate).items())
        return {whole: self._listed(_first(own)) for whole, own in leading}

    def name(self, relation: Relation) -> str:
        """Return what *relation* starts from: a transaction, or the program or job around it."""
        if relation.started_by:
            return relation.started_by
        if self._estate.wholes[relation.file].are_several:
            return self._estate.whole_of(relation).name
        names: Mapping[str, int] = self._known[relation.file][1]
        before = [name for name, line in names.items() if line <= relation.line]
        return next(reversed(before), relation.file)

    def _listed(self, leading: Sequence[Relation]) -> str:
        if not leading:
            return "nothing in this source"
        found = list(dict.fromkeys(map(self._shown, leading)))
        more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
        return f"{', '.join(found[:_MOST])}{more}"

    def _shown(self, relation: Relation) -> str:
        name, file = code(self.name(relation)), relation.file
        if relation.started_by:
            return f"transaction {name}"
        if file in self._pages:
            several = self._estate.wholes[file].are_several
            anchor = anchor_of_whole(self._estate.whole_of(relation)) if several else ""
            name = link(name, self._pages[file][0], anchor)
        return f"{'' if relation.is_certain else 'perhaps '}{self._known[file][0]} {name}"


def _first(leading: Sequence[Relation]) -> Sequence[Relation]:
    """Return those from outside of all programs; else those that are certain; else all."""
    started = [relation for relation in leading if relation.verb in STARTS]
    return started or [relation for relation in leading if relation.is_certain] or leading
