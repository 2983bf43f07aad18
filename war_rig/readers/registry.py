"""Which readers there are."""

from collections.abc import Sequence
from traceback import format_exception_only
from typing import TYPE_CHECKING

from war_rig.errors import PluginError
from war_rig.plugins import EVERY_PLUGIN, AllowedPlugins
from war_rig.readers.source import Reader, Source
from war_rig.readers.text import TextReader

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "war_rig.readers"
_TEXT_READER = f"{TextReader.__module__}:{TextReader.__qualname__}"


def readers(
    unit_lines: int, broken: list[str] | None = None, plugins: AllowedPlugins = EVERY_PLUGIN
) -> list[Reader]:
    """Return every installed reader, the plain-text one, which reads all, last.

    One that can't be made, or is of none of the allowed *plugins*, is left out,
    and why is added to *broken*; without that list, PluginError is raised.
    """
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name)
    others = []
    for entry_point in found:
        if entry_point.value == _TEXT_READER:
            continue
        try:
            others.append(_made(entry_point, plugins))
        except PluginError as error:
            if broken is None:
                raise
            broken.append(str(error))
    return [*others, TextReader(unit_lines)]


def reader_for(source: Source, known: Sequence[Reader]) -> Reader:
    """Return the first of *known* that reads *source*."""
    return next(reader for reader in known if reader.reads(source))


def _made(entry_point: "EntryPoint", plugins: AllowedPlugins) -> Reader:
    owner, version = _owner(entry_point)
    what, source = f"the reader '{entry_point.name}'", f"entry point {entry_point.value}"
    if not plugins.has(owner, version):
        raise PluginError(plugins.refusal(what, owner, version, source))
    try:
        reader: Reader = entry_point.load()()
    except (Exception, SystemExit) as error:  # the plugin's border: module and constructor run
        failure = error
    else:
        return reader
    told = " ".join("".join(format_exception_only(failure)).split())  # also where str() fails
    raise PluginError(
        f"{what} could not be made: {told}\n"
        f"  {owner}, {source}\n"
        "  install what it misses, upgrade it, or uninstall it"
    ) from failure


def _owner(entry_point: "EntryPoint") -> tuple[str, str]:
    dist = entry_point.dist
    return (dist.name, dist.version) if dist else ("unknown distribution", "?")
