"""Which pages are written, and when: a file's once it is done, the index at the end.

A page and the source page that it cites are of the same source. So what an
earlier run wrote stays only where the source is still that.
"""

import json
from collections.abc import Mapping, Sequence

from war_rig.document.estate.estate import Estate
from war_rig.document.judge import Judged
from war_rig.document.pages.data import estate_json, file_json
from war_rig.document.pages.folder import DocsFolder
from war_rig.document.pages.index import ESTATE_DATA, index_page
from war_rig.document.pages.render import INDEX, FilePages, file_page, source_page
from war_rig.document.pages.tables import Pages, open_lines, relation_lines
from war_rig.document.plan import Plan
from war_rig.readers import Unit


def chosen_units(plan: Plan) -> dict[str, list[Unit]]:
    """Return the units to be documented, by file, in order."""
    chosen = set(plan.chosen)
    return {
        file.source.file: [unit for unit in file.reading.units if unit in chosen]
        for file in plan.files
    }


class Publisher:
    """Writes the pages of a run into its folder."""

    def __init__(
        self,
        plan: Plan,
        estate: Estate,
        folder: DocsFolder,
        units: Mapping[str, Sequence[Unit]],
    ) -> None:
        self.entries = {
            file.source.file: FilePages.of(file, estate.wholes[file.source.file], folder)
            for file in plan.files
        }
        self._plan, self._estate, self._folder = plan, estate, folder
        self._pages: Pages = {
            name: (entry.page, entry.source)
            for name, entry in self.entries.items()
            if units[name] or entry.is_complete or self._is_current(entry)
        }
        for name in self._pages:
            entry = self.entries[name]
            entry.is_chosen = len(units[name]) == len(entry.file.reading.units)
            entry.relations = relation_lines(name, estate, self._pages)
            entry.open = open_lines(name, estate, self._pages)

    def begin(self) -> None:
        """Make the folder; raise ConfigError where it can't be written."""
        names = [name for entry in self.entries.values() for name in entry.names]
        self._folder.begin([INDEX, ESTATE_DATA, *names])

    def purpose(self, file: str, name: str) -> tuple[str, str | None]:
        """Return how *name*, which is in *file*, is called, and what it is for.

        None is neither known from this run nor from an earlier one.
        """
        entry = self.entries[file]
        whole = entry.wholes.named(name)
        called = f"{whole.name} in {file}" if entry.wholes.are_several else file
        return called, self._purpose(entry, whole)

    def write(self, file: str) -> None:
        """Write a file's pages, when all that was chosen of it is judged."""
        entry = self.entries[file]
        if entry.is_complete or not self._is_current(entry):
            self._write(entry)

    def end(self, provider: str, overview: Judged | None, is_finished: bool) -> None:
        """Write the pages of what did not come to its end, where no earlier one is still true."""
        for name in self._pages:
            entry = self.entries[name]
            if not (entry.is_written or self._is_current(entry)):
                self._write(entry)
        there = [self.entries[name] for name in self._pages]
        about = (overview, provider, is_finished)
        self._folder.write(INDEX, index_page(self._plan, there, self._estate, self._pages, *about))
        self._folder.write(ESTATE_DATA, estate_json(self._plan, there, self._estate, *about))

    def _write(self, entry: FilePages) -> None:
        self._folder.write(entry.source, source_page(entry))
        self._folder.write(entry.page, file_page(entry, self._pages))
        self._folder.write(entry.data, file_json(entry, self._estate))
        entry.is_written = True

    def _is_current(self, entry: FilePages) -> bool:
        """Return whether an earlier run's page is there, of the source as it is now."""
        return self._folder.has(entry.page) and (
            self._folder.text(entry.source) == source_page(entry)
        )

    def _purpose(self, entry: FilePages, whole: Unit) -> str | None:
        if entry.judged or not self._is_current(entry):
            summary = entry.summary(whole)
            return summary[0].text if summary else None
        return _purpose_in(self._folder.text(entry.data), whole.name)


def _purpose_in(text: str | None, program: str) -> str | None:
    """Return an earlier run's first verified claim: about *program*, where it had several."""
    try:
        data = json.loads(text or "{}")
        own = [one for one in data.get("programs", ()) if one["unit"]["name"] == program]
        parts = [part for one in own for part in one["parts"]]
        units = [unit for unit in data["units"] if not own or unit["unit"] in parts]
        claims = [*data["whole"], *(claim for one in own + units for claim in one["claims"])]
        verdicts = ("verified", "supported")
        return next((str(c["text"]) for c in claims if c["verdict"] in verdicts), None)
    except (ValueError, KeyError, TypeError):
        return None
