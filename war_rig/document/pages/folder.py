"""The folder of the documentation: only War Rig's own pages are ever touched in it."""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path, PurePosixPath

from war_rig.errors import ConfigError, WarRigError

_MANIFEST = ".war-rig.json"
_LONGEST_NAME = 120
_OURS = (".md", ".json")


class DocsFolder:
    """Where pages are written, each whole or not at all; what is left of an earlier run goes."""

    def __init__(self, out: Path, root: Path) -> None:
        """Take *out* for the documentation of *root*.

        Raises ConfigError where *out* lies inside *root*, is no folder, or
        holds files that War Rig didn't write.
        """
        self.path = out.resolve()
        if self.path == root or root in self.path.parents:
            raise ConfigError(
                f"{out} lies inside the source {root}\n"
                "  choose a folder elsewhere: --out ../docs-of-it"
            )
        self._old = self._manifest()
        self._written: set[str] = set()
        self._names: dict[str, str] = {}

    def begin(self, pages: Iterable[str] = ()) -> None:
        """Make the folder, and find out that it can be written before anything is paid for.

        *pages* may be written from now on: the manifest names them already, so
        that a run that is killed leaves no page that nobody owns.
        """
        foreign = [name for name in pages if name not in self._old and self.has_file(name)]
        if foreign:
            raise ConfigError(
                f"{self.path / foreign[0]} is there, and War Rig did not write it\n"
                "  choose another folder: --out docs-of-it"
            )
        self._old |= set(pages)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._save(self._old)
        except OSError as error:
            raise ConfigError(
                f"{self.path} can't be written: {error.strerror}\n  choose another folder: --out"
            ) from error

    def has(self, name: str) -> bool:
        """Return whether the page is there, from this run or an earlier one."""
        return name in self._old and self.has_file(name)

    def has_file(self, name: str) -> bool:
        """Return whether anything of that name is in the folder."""
        return os.path.lexists(self.path / name)

    def text(self, name: str) -> str | None:
        """Return what a page of an earlier run holds, None where there is none to be read."""
        try:
            return (self.path / name).read_text(encoding="utf-8") if self.has(name) else None
        except (OSError, ValueError):
            return None

    def page_name(self, kind: str, file: str) -> str:
        """Return the page's path for a source *file*; the same on every run, never taken twice."""
        *folders, last = PurePosixPath(file).parts
        # A folder "x.md" would stand in the way of the page of a file "x".
        parts = [_safe(part, part.lower().endswith(_OURS)) for part in folders]
        name = "/".join([kind, *parts, _safe(last)]) + ".md"
        while self._names.setdefault(name.lower(), f"{kind}:{file}") != f"{kind}:{file}":
            name = f"{name.removesuffix('.md')}-{_digest(file)}.md"
        return name

    def write(self, name: str, text: str) -> None:
        """Write one page; whoever reads it finds the old one or the new one."""
        target = self.path / name
        try:
            self._replace(target, text)
        except OSError as error:
            raise WarRigError(
                f"{target} can't be written: {error.strerror}\n"
                "  make room, or choose another folder; what was written before it is whole"
            ) from error
        self._old.add(name)
        self._written.add(name)

    def _replace(self, target: Path, text: str) -> None:
        self._refuse_links(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = _part_of(target)
        _write_through(part, text)
        part.replace(target)

    def finish(self) -> None:
        """Remove the pages of earlier runs, whole or half, that this one did not write again."""
        for name in sorted(self._old - self._written):
            page = self.path / name
            self._refuse_links(page)
            page.unlink(missing_ok=True)
            part = _part_of(page)
            if part.is_file() and not part.is_symlink():  # else it is not ours
                part.unlink()
        self._old = set(self._written)
        self._save(self._old)

    def _refuse_links(self, target: Path) -> None:
        """Raise ConfigError where a folder on the way to *target* was replaced by a link."""
        for folder in takewhile(lambda folder: folder != self.path, target.parents):
            if folder.is_symlink():
                raise ConfigError(f"{folder} leads out of {self.path}\n  remove the link")

    def _manifest(self) -> set[str]:
        """Return the pages that an earlier run wrote; refuse a folder of somebody else's."""
        if not self.path.exists():
            return set()
        if not self.path.is_dir():
            raise ConfigError(f"{self.path} is no folder\n  choose another: --out docs-of-it")
        try:
            pages = json.loads((self.path / _MANIFEST).read_text(encoding="utf-8"))["pages"]
            return {name for name in pages if _is_page(name)}
        except (OSError, ValueError, KeyError, TypeError):
            if all(path.name == f"{_MANIFEST}.part" for path in self.path.iterdir()):
                return set()  # empty, or a run was killed as it began
        raise ConfigError(
            f"{self.path} holds files that War Rig did not write\n"
            "  choose an empty folder, or one that an earlier run made: --out docs-of-it"
        )

    def _save(self, pages: set[str]) -> None:
        part = self.path / f"{_MANIFEST}.part"
        _write_through(part, json.dumps({"format": 1, "pages": sorted(pages)}, indent=1) + "\n")
        part.replace(self.path / _MANIFEST)


def _part_of(page: Path) -> Path:
    """Return where *page* is written before it takes its place."""
    return page.with_name(f".{page.name}.part")


def _write_through(path: Path, text: str) -> None:
    """Write *text* to a new file and have it on the disk, so that it is never found empty."""
    path.unlink(missing_ok=True)  # of a run that was killed
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def relative(page: str, start: str) -> str:
    """Return the link from the page *start* to *page*."""
    return PurePosixPath(os.path.relpath(page, PurePosixPath(start).parent)).as_posix()


def _is_page(name: object) -> bool:
    parts = PurePosixPath(name).parts if isinstance(name, str) else ()
    return bool(parts) and ".." not in parts and parts[0] != "/" and str(name).endswith(_OURS)


def _safe(part: str, must_change: bool = False) -> str:
    """Return a path's part as every file system takes it; what had to change gets a digest."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", part)[:_LONGEST_NAME].strip(".") or "_"
    return safe if safe == part and not must_change else f"{safe}-{_digest(part)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
