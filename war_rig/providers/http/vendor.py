"""A definition with a name: called like a constructor, it makes an HttpProvider.

Its ``parameters`` are arguments of their own, with their defaults; null means
that one has to be given. All other keys can be given too: they lie over the
definition's, key by key where both are maps. ``structured: none`` takes a part out.

War Rig's own are in config/providers. A plugin brings one as a file of its
package, which its entry point names: ``acme = "acme_warrig:acme.yaml"``.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

from war_rig.providers.conversion import Examined, KeyPath
from war_rig.providers.http.auth import anchored
from war_rig.providers.http.provider import HttpProvider
from war_rig.providers.http.request import VALUELESS

if TYPE_CHECKING:
    from war_rig.yaml_file import Fault, Located

_REPLACED = ("auth", "parameters")  # never merged: one way to send a key takes another's place
_PARTS = ("auth", "errors", "headers", "messages", "query", "stream", "structured")
_PATHS = ("ca", "certificate", "certificate_key")
_PLAIN = (bool, int, float)
_VARIABLE = re.compile(r"\$\{.*\}", re.DOTALL)


class Vendor:
    """Makes the providers of one definition; places says where each part of it is written."""

    def __init__(
        self, name: str, definition: Mapping[str, Any], places: Mapping[KeyPath, str] | None = None
    ) -> None:
        self.__name__ = name
        self._places = places or {}
        self._definition = dict(definition)
        self._parameters: dict[str, Any] = self._definition.pop("parameters", None) or {}
        self.__signature__ = _signature(self._parameters, self._definition)

    def __repr__(self) -> str:
        return f"<definition of {self.__name__}>"

    def __call__(self, **arguments: Any) -> HttpProvider:
        """Return a provider; raise ConfigError that lists every fault."""
        return HttpProvider(**self.laid_under(arguments))

    def examined(self, arguments: Mapping[str, Any]) -> Examined:
        """Return what is wrong with *arguments*, their secrets, and what they make unneeded.

        Who brings another way to authenticate needs no key of the definition's own. Of
        a parameter that is missing, only that is told, not what its place in the URL lacks.
        """
        made = self.laid_under(arguments)
        found = HttpProvider.examined(made)
        if any(
            default is None and name not in arguments for name, default in self._parameters.items()
        ):
            found = replace(found, faults=tuple(f for f in found.faults if f[1] != VALUELESS))
        used = str({key: value for key, value in made.items() if key != "parameters"})
        unneeded = frozenset(name for name in self._parameters if f"${name}" not in used)
        return replace(found, unneeded=unneeded, places=self._places)

    def laid_under(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the definition with *arguments* laid over it."""
        given = dict(arguments)
        values = {
            name: given.pop(name, "" if default is None else default)
            for name, default in self._parameters.items()
        }
        made = {**self._definition, **given}
        for key, own in given.items():
            shipped = self._definition.get(key)
            if own == "none" and key in _PARTS:
                del made[key]
            elif isinstance(own, Mapping) and isinstance(shipped, Mapping) and key not in _REPLACED:
                made[key] = {**shipped, **own}
        own = given.get("parameters", {})
        made["parameters"] = {**values, **own} if isinstance(own, Mapping) else own
        return made


def load(name: str, file: Path, label: str, key: str) -> Vendor:
    """Return the definition that *key* of a *file* holds, as *name*; messages call it *label*.

    Raises one ConfigError that lists all that is wrong with the file.
    """
    from war_rig.yaml_file import File, read, refuse

    faults: list[Fault] = []
    source = File.at(file, label)
    tree = read(source, faults)
    refuse(faults or list(_faults(tree, key)), f"the definition of provider '{name}'")
    found = tree.value[key]
    places = {path: part.origin.label for path, part in found.parts()}
    return Vendor(name, _with_paths(found.plain(), source.folder), places)


def _faults(tree: "Located", key: str) -> "Iterator[Fault]":
    """Yield what keeps *key* of a file from being one with the signature of a constructor."""
    from war_rig.yaml_file import Fault, Located

    found = tree.value.get(key, tree)
    if key not in tree.value or not isinstance(found.value, dict):
        there = ", ".join(tree.value) or "nothing"
        yield Fault(found.origin, key, f"must be the map of a definition; the file has: {there}")
        return
    parameters = found.value.get("parameters", Located(None, found.origin))
    if not isinstance(parameters.value or {}, dict):
        yield Fault(parameters.origin, f"{key}.parameters", "must be a map of names and defaults")
        return
    for name, default in (parameters.value or {}).items():
        if not name.isidentifier() or iskeyword(name):
            text = "is not a name: use letters, digits and '_', a letter first"
            yield Fault(default.origin, f"{key}.parameters.{name}", text)
    for path, part in found.parts():
        if isinstance(part.value, str) and _VARIABLE.fullmatch(part.value):
            text = "is a variable, which a definition has none of: declare a parameter, write $name"
            yield Fault(part.origin, ".".join(map(str, (key, *path))), text)


def _with_paths(definition: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return *definition* with its paths from *folder* on."""
    changed = dict(definition)
    for key in _PATHS:
        if isinstance(changed.get(key), str):
            changed[key] = folder / Path(changed[key]).expanduser()
    if "auth" in changed:
        changed["auth"] = anchored(changed["auth"], folder)
    return changed


def _signature(parameters: Mapping[str, Any], definition: Mapping[str, Any]) -> inspect.Signature:
    """Return the signature of a constructor that takes them; what is required comes first."""
    usual = inspect.signature(HttpProvider).parameters.values()
    own = [_parameter(name, default) for name, default in parameters.items()]
    named = [
        p.replace(default=definition[p.name], kind=p.KEYWORD_ONLY) if p.name in definition else p
        for p in usual
        if p.name not in ("url", *parameters)
    ]
    found = [p if p.kind is p.VAR_KEYWORD else p.replace(kind=p.KEYWORD_ONLY) for p in named]
    found = sorted([*own, *found], key=lambda p: (p.kind, p.default is not p.empty))
    return inspect.Signature(found)


def _parameter(name: str, default: Any) -> inspect.Parameter:
    kind = type(default) if isinstance(default, _PLAIN) else str
    is_needed = default is None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if is_needed else default,
        annotation=kind,
    )
