"""Which names stand for a provider, and how one is made.

A name comes from ``register_provider`` (this process), from an entry point of
the group ``war_rig.providers`` (an installed plugin: its class, or a definition
in its package), is built in, or has a definition in config/providers. Listing
reads metadata and names only; a provider's code is imported, and its definition
parsed, when it is built.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from war_rig.errors import PluginError, UnknownProviderError
from war_rig.names import did_you_mean, normalise
from war_rig.plugins import EVERY_PLUGIN, OWN_DISTRIBUTION, AllowedPlugins, is_same, misgrouped
from war_rig.providers.places import short_path
from war_rig.providers.protocol import LLMProvider

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from pathlib import Path

GROUP = "war_rig.providers"

_BUILT_IN = {
    "azure_openai": "war_rig.providers.openai:AzureOpenAIProvider",
    "offline": "war_rig.providers.offline:OfflineProvider",
    "openai": "war_rig.providers.openai:OpenAIProvider",
}

_DEFINITION = ".yaml"
"""How the value of an entry point ends that names a file of a package: a definition."""

TYPES = {"http": "war_rig.providers.http.provider:HttpProvider"}
"""What only an entry's ``type`` can name."""

TEMPLATES = frozenset({"url", "headers", "query", "request", "messages", "stream", "structured"})
"""The arguments of a definition in which ``$name`` stands for a value, and ``$$`` for a dollar."""

ProviderFactory = Callable[..., LLMProvider]


@dataclass(frozen=True, slots=True)
class Registration:
    """A name and where its provider comes from; ``load`` imports it.

    kind: "built-in", "definition", "plugin" or "registered". distribution and
    version are those of the package it was installed with. templates: the
    arguments that have placeholders of their own.
    """

    name: str
    kind: str
    source: str
    load: Callable[[], ProviderFactory]
    distribution: str | None = None
    version: str | None = None
    templates: frozenset[str] = frozenset()

    @property
    def described(self) -> str:
        """Return where it comes from, for a message."""
        if self.kind == "plugin":
            return f"plugin {self.distribution} {self.version} ({self.source})"
        return self.source

    def is_allowed(self, plugins: AllowedPlugins) -> bool:
        """Return whether its code may be imported; what is no plugin always may be."""
        return self.kind != "plugin" or plugins.has(self.distribution, self.version)

    def is_of(self, distribution: str) -> bool:
        """Return whether it was installed with *distribution*, however that is spelt."""
        return self.distribution is not None and is_same(self.distribution, distribution)


_registered: dict[str, Registration] = {}


def register_provider(name: str, factory: ProviderFactory) -> None:
    """Make *factory*, a class or any callable that returns a provider, known as *name*.

    It holds in this process, beats a plugin and a built-in of that name, and
    replaces what was registered so before; a container that has already built
    the name keeps what it built. Raises ValueError where *name* is no name and
    TypeError where *factory* can't be called.
    """
    if not callable(factory):
        raise TypeError(
            f"register_provider({name!r}, ...) takes the class or a function that returns a "
            f"provider, not a {type(factory).__name__}: wrap an instance in a lambda"
        )
    name = _selectable(name)
    caller = sys._getframe(1)
    source = f"registered at {short_path(caller.f_code.co_filename)}:{caller.f_lineno}"
    _registered[name] = Registration(name, "registered", source, lambda: factory)


def available_providers() -> list[str]:
    """Return the names that can be selected, sorted; imports no provider."""
    return allowed_providers(EVERY_PLUGIN)


def allowed_providers(plugins: AllowedPlugins) -> list[str]:
    """Return the names that can be selected where only *plugins* may be imported, sorted."""
    return sorted({r.name for r in registrations() if r.is_allowed(plugins)})


def create_provider(name: str, /, **kwargs: Any) -> LLMProvider:
    """Build the provider *name* from *kwargs*, then the environment, then its defaults.

    Reads os.environ and no file, and returns the instance itself, without the
    container's classification of errors. The caller closes it. Raises
    UnknownProviderError, PluginError, or ConfigError for a missing argument.
    """
    from war_rig.providers.building import build

    return build(name, find(name), kwargs=kwargs, env=os.environ)


def find(
    name: str, distribution: str | None = None, plugins: AllowedPlugins = EVERY_PLUGIN
) -> Registration:
    """Return what *name* stands for; *distribution* settles a name taken twice.

    Raises UnknownProviderError, or PluginError for a name that two distributions
    offer, or that only a plugin offers which is none of the allowed *plugins*.
    """
    return _found(name, distribution, plugins, ())


def _found(
    name: str, distribution: str | None, plugins: AllowedPlugins, types: Iterable[str]
) -> Registration:
    """Return what *name* stands for; *types* could have been meant too."""
    try:
        normal = _selectable(name)
    except ValueError as error:
        raise UnknownProviderError(f"unknown provider: {error}") from None
    candidates = [r for r in registrations() if r.name == normal]
    if distribution is not None:
        candidates = [_of_distribution(normal, distribution, candidates)]
    allowed = [r for r in candidates if r.is_allowed(plugins)]
    if allowed and allowed[0].kind == "registered":
        return allowed[0]
    if len(allowed) > 1:
        raise PluginError(_conflict(normal, allowed))
    if not candidates:
        raise UnknownProviderError(unknown(normal, allowed_providers(plugins), types))
    if not allowed:
        raise PluginError(_refusal(normal, candidates[0], plugins))
    return allowed[0]


def find_type(
    name: str, distribution: str | None = None, plugins: AllowedPlugins = EVERY_PLUGIN
) -> Registration:
    """Return what ``type: name`` of an entry stands for: a name, or a type that is none."""
    if name not in TYPES:
        return _found(name, distribution, plugins, TYPES)
    made = _built_in(name, TYPES[name])
    found = replace(made, source=f"type {name}, an API declared in YAML", templates=TEMPLATES)
    return found if distribution is None else _of_distribution(name, distribution, [found])


def registrations() -> Iterator[Registration]:
    """Yield all that is known, the registered first; a name may come more than once."""
    yield from _registered.values()
    for name, value in _BUILT_IN.items():
        yield _built_in(name, value)
    yield from _definitions()
    for entry_point in _entry_points():
        try:
            yield _plugin(entry_point)
        except ValueError:  # a name that nobody can select: `war-rig providers` shows it
            continue


def unusable_entry_points() -> list[str]:
    """Return a line for each entry point whose name can't be selected."""
    lines = []
    for entry_point in _entry_points():
        try:
            _selectable(entry_point.name)
        except ValueError as error:
            lines.append(f"{_plugin_source(entry_point)} of {_owner(entry_point)[0]}: {error}")
    return lines


def _selectable(name: str) -> str:
    """Return the normalised *name*; raise ValueError where it is no name that can be selected."""
    normal = normalise(name)
    if normal in TYPES:
        raise ValueError(
            f"{name!r} is a type, not a name: write an entry 'NAME: {{type: {normal}, ...}}' "
            "under 'providers:' in war_rig.yaml"
        )
    return normal


def _built_in(name: str, value: str) -> Registration:
    from importlib.metadata import EntryPoint

    from war_rig import __version__

    load = EntryPoint(name=name, value=value, group=GROUP).load
    return Registration(name, "built-in", "built in", load, OWN_DISTRIBUTION, __version__)


def _definitions() -> Iterator[Registration]:
    from war_rig import __version__
    from war_rig.providers.http.shipped import shipped

    for name, file in shipped().items():
        source, load = f"definition in {file.name}", partial(_definition, name, file)
        yield Registration(
            name, "definition", source, load, OWN_DISTRIBUTION, __version__, TEMPLATES
        )


def _definition(name: str, file: "Path") -> ProviderFactory:
    from war_rig.providers.http.vendor import load

    return load(name, file, file.name, name)


def _plugin(entry_point: "EntryPoint") -> Registration:
    name, version = _owner(entry_point)
    source = _plugin_source(entry_point)
    normal = _selectable(entry_point.name)
    found = Registration(normal, "plugin", source, entry_point.load, name, version)
    if not entry_point.attr.endswith(_DEFINITION):
        return found
    return replace(
        found, load=partial(_plugin_definition, normal, entry_point), templates=TEMPLATES
    )


def _plugin_definition(name: str, entry_point: "EntryPoint") -> ProviderFactory:
    """Return the definition in a file of the plugin's package."""
    from importlib.resources import files
    from pathlib import Path

    from war_rig.providers.http.vendor import load

    file = Path(str(files(entry_point.module))) / entry_point.attr
    label = f"{entry_point.module.replace('.', '/')}/{entry_point.attr}"
    return load(name, file, label, entry_point.name)


def _plugin_source(entry_point: "EntryPoint") -> str:
    return f"entry point {entry_point.name} = {entry_point.value}"


def _owner(entry_point: "EntryPoint") -> tuple[str, str]:
    dist = entry_point.dist
    return (dist.name, dist.version) if dist else ("unknown distribution", "?")


def _entry_points() -> "tuple[EntryPoint, ...]":
    from importlib.metadata import entry_points

    return tuple(sorted(entry_points(group=GROUP), key=lambda e: (e.name, _owner(e))))


def _of_distribution(name: str, wanted: str, candidates: list[Registration]) -> Registration:
    for candidate in candidates:
        if candidate.is_of(wanted):
            return candidate
    offered = ", ".join(c.distribution or c.source for c in candidates) or "nobody"
    raise PluginError(
        f"provider '{name}' is not offered by the distribution '{wanted}'\n"
        f"  it is offered by: {offered}\n"
        f"  correct or remove providers.{name}.distribution"
    )


def _conflict(name: str, candidates: list[Registration]) -> str:
    lines = [f"provider '{name}' is offered more than once, so War Rig will not choose"]
    lines += [f"  {c.distribution} {c.version}: {c.source}" for c in candidates]
    lines.append(
        f"  set providers.{name}.distribution in war_rig.yaml to one of them, "
        "or uninstall the other"
    )
    return "\n".join(lines)


def _refusal(name: str, offer: Registration, plugins: AllowedPlugins) -> str:
    what = f"provider '{name}'"
    return plugins.refusal(what, offer.distribution, offer.version, offer.described)


def unknown(name: str, known: Iterable[str], types: Iterable[str] = ()) -> str:
    """Return the message for a *name* that is none of *known*, nor of *types*."""
    known = sorted(known)
    lines = [
        f"unknown provider '{name}'.{did_you_mean(name, [*types, *known])}",
        f"  available: {', '.join(known)}",
        *(f"  {line}" for line in misgrouped(name, GROUP)),
        "  to add it, install a plugin, write an entry with a 'type' under 'providers:', or call "
        "register_provider() in this process (the war-rig command sees no other process's)",
    ]
    return "\n".join(lines)
