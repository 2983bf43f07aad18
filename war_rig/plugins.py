"""Which plugins may be imported: all that are installed, or those that ``plugins.allow`` lists.

A plugin is known by what its metadata say: its distribution's name and version.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from war_rig.names import normalise

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OWN_DISTRIBUTION = "war-rig"
_NEARLY = 0.85  # war-rig.providers, but not war_rig.readers


def misgrouped(name: str, group: str) -> list[str]:
    """Return a line for each entry point *name* in a group that is spelt nearly like *group*."""
    from difflib import get_close_matches
    from importlib.metadata import entry_points

    found = entry_points()
    near = get_close_matches(group, found.groups - {group}, cutoff=_NEARLY)
    return [
        f"{point.dist.name if point.dist else 'a plugin'} offers '{point.name}' in the group "
        f"'{other}' of entry points: in its pyproject.toml the group must be '{group}'"
        for other in near
        for point in found.select(group=other)
        if _is_called(point.name, name)
    ]


def _is_called(written: str, name: str) -> bool:
    try:
        return normalise(written) == name
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class AllowedPlugins:
    """What ``plugins.allow`` lists, None where there is no list; origin: where it stands."""

    items: tuple[str, ...] | None = None
    origin: str = ""

    def has(self, distribution: str | None, version: str | None) -> bool:
        """Return whether a plugin of *distribution* may be imported; War Rig's own always may."""
        if self.items is None or distribution == OWN_DISTRIBUTION:
            return True
        if distribution is None or version is None:
            return False
        return any(_fits(requirement(item), distribution, version) for item in self.items)

    def refusal(self, what: str, distribution: str | None, version: str | None, source: str) -> str:
        """Return the message for *what*, which is of a plugin that may not be imported."""
        listed = ", ".join(self.items or ()) or "nothing"
        return (
            f"{what} is not allowed: plugins.allow does not list {distribution} {version}\n"
            f"  {source}\n"
            f"  {self.origin} lists: {listed}\n"
            f"  if you trust it, add {_what_to_add(distribution, version)}"
        )


EVERY_PLUGIN = AllowedPlugins()


def requirement(item: str) -> "Requirement":
    """Return the distribution, and its versions, that an *item* of ``plugins.allow`` names.

    Raises ValueError where it names none, or says more than that.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        found = Requirement(item)
    except InvalidRequirement:
        found = None
    if found is None or found.url or found.extras or found.marker:
        raise ValueError(
            "must be a distribution, with or without versions, as pip takes them: "
            "acme-llm, acme-llm==1.2, acme-llm>=1,<2"
        )
    return found


def _what_to_add(distribution: str | None, version: str | None) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        Version(str(version))
    except InvalidVersion:  # it could not be written into the list
        return str(distribution)
    return f"{distribution}, or {distribution}=={version} for this version only"


def is_same(distribution: str, other: str) -> bool:
    """Return whether both are names of the same distribution, as pip compares them."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(distribution.strip()) == canonicalize_name(other.strip())


def _fits(wanted: "Requirement", distribution: str, version: str) -> bool:
    return is_same(wanted.name, distribution) and wanted.specifier.contains(
        version, prereleases=True
    )
