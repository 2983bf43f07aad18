"""A definition with a name: called like a constructor, it makes an HttpProvider.

Its ``parameters`` are arguments of their own, with their defaults; null means
that one has to be given. All other keys can be given too: they lie over the
definition's, key by key where both are maps. ``structured: none`` takes a part out.
"""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from war_rig.providers.conversion import Examined
from war_rig.providers.http.provider import HttpProvider

_REPLACED = ("auth", "parameters")  # never merged: one way to send a key takes another's place
_PARTS = ("auth", "errors", "headers", "messages", "query", "stream", "structured")
_PLAIN = (bool, int, float)


class Vendor:
    """Makes the providers of one definition."""

    def __init__(self, name: str, definition: Mapping[str, Any]) -> None:
        self.__name__ = name
        self._definition = dict(definition)
        self._parameters: dict[str, Any] = self._definition.pop("parameters", {})
        self.__signature__ = _signature(self._parameters, self._definition)

    def __repr__(self) -> str:
        return f"<definition of {self.__name__}>"

    def __call__(self, **arguments: Any) -> HttpProvider:
        """Return a provider; raise ConfigError that lists every fault."""
        return HttpProvider(**self._put_together(arguments))

    def examined(self, arguments: Mapping[str, Any]) -> Examined:
        """Return what is wrong with *arguments*, their secrets, and what they make unneeded.

        Who brings another way to authenticate needs no key of the definition's own.
        """
        made = self._put_together(arguments)
        used = str({key: value for key, value in made.items() if key != "parameters"})
        unneeded = frozenset(name for name in self._parameters if f"${name}" not in used)
        return replace(HttpProvider.examined(made), unneeded=unneeded)

    def _put_together(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
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


def load(name: str, file: Path) -> Vendor:
    """Return the definition *name* of a shipped *file*."""
    import yaml

    return Vendor(name, yaml.safe_load(file.read_text(encoding="utf-8"))[name])


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
