"""From settings to dependency-injector providers.

Each known name becomes one option of a Selector: a ThreadSafeSingleton that
builds the provider inside its Border on first use. One more option looks up
names that were registered after the container was made.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dependency_injector import providers

from war_rig.agents import Agent
from war_rig.config import AgentSettings, Located, ProviderEntry, Settings
from war_rig.config.interpolation import references
from war_rig.errors import ConfigError, UnknownProviderError
from war_rig.names import did_you_mean, normalise
from war_rig.providers import LLMProvider, available_providers
from war_rig.providers.border import Border
from war_rig.providers.building import Blueprint, blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.registry import TYPES, Registration, find, find_type, unknown
from war_rig.providers.secrets import is_secret_name, secrets_of

LATE = "(registered later)"
"""The option for names that became known after the container was made."""

Built = dict[str, Border]
"""What a container has built, by name and in the order of building."""


def known_names(settings: Settings) -> list[str]:
    """Return every name that can be selected with *settings*, sorted."""
    return sorted({*available_providers(), *settings.providers})


def bind_providers(
    selector: "providers.Selector[LLMProvider]",
    chosen: Callable[[], str],
    settings: Settings,
    built: Built,
) -> None:
    """Give *selector* one option a known name, and let the name that *chosen* returns decide.

    What is built is put into *built*, for whoever closes it.
    """
    options: dict[str, providers.Provider[LLMProvider]] = {
        name: _option(name, settings, built) for name in known_names(settings)
    }
    lock = threading.Lock()

    def build_late(name: str | None = None, key: str = "llm_provider") -> LLMProvider:
        name = _name(name or chosen(), settings, key)
        with lock:
            return built[name] if name in built else _build_named(name, settings, built, key)

    def option() -> str:
        name = _name(chosen(), settings, "llm_provider")
        return name if name in options else LATE

    options[LATE] = providers.Callable(build_late)
    selector.set_selector(providers.Callable(option))
    selector.set_providers(**options)


def _option(name: str, settings: Settings, built: Built) -> providers.Provider[LLMProvider]:
    return providers.ThreadSafeSingleton(partial(_build, name, settings, built))


def _build(name: str, settings: Settings, built: Built) -> LLMProvider:
    plan = provider_blueprint(name, settings)
    built[name] = Border(name, plan.build(), plan.secrets | secrets_of(settings.env))
    return built[name]


def _build_named(name: str, settings: Settings, built: Built, key: str) -> LLMProvider:
    """Build a name that was not known before; where it still is not, say who set it."""
    try:
        return _build(name, settings, built)
    except UnknownProviderError as error:
        failure = f"{error}\n  set by: {settings.origin(key).label}"
    raise UnknownProviderError(failure)


def provider_blueprint(name: str, settings: Settings) -> Blueprint:
    """Return how the provider *name* is built with *settings*; imports its code.

    Raises UnknownProviderError, PluginError, or ConfigError for its entry.
    """
    name = _name(name, settings, "llm_provider")
    entry = settings.providers.get(name, ProviderEntry(name, name))
    registration = _registration(entry, settings)
    is_trusted = entry.origin.is_trusted
    if not is_trusted and entry.arguments and registration.kind == "plugin":
        raise ConfigError(
            f"providers.{name} may not give arguments to a plugin, which may add your keys to them"
            f"\n  set at: {entry.origin.label}\n  {_UNTRUSTED}"
        )
    return blueprint(
        name,
        registration,
        env=settings.env if is_trusted else {},
        given=_arguments(entry, settings, registration.templates),
        notes=() if is_trusted else (_UNTRUSTED,),
        origin=entry.origin.label,
    )


_UNTRUSTED = (
    "its entry is in a war_rig.yaml that was only found in the current folder, so it gets nothing "
    "from the environment: to trust the file, pass --config war_rig.yaml or set "
    "WAR_RIG_CONFIG=war_rig.yaml"
)


def _arguments(
    entry: ProviderEntry, settings: Settings, templates: frozenset[str]
) -> dict[str, Argument]:
    found = {}
    for name, value, variables in entry.interpolated(settings.env, templates):
        located = entry.arguments[name]
        if templates and name == "auth":
            value = _anchored(value, located.origin.folder or Path())
        is_secret = any(map(is_secret_name, variables))
        found[name] = Argument(
            value,
            located.origin.with_variables(variables).label,
            located.origin.folder,
            is_secret and isinstance(value, str),
            {path: part.origin.label for path, part in located.parts()},
            frozenset(_secrets(located, value)) if is_secret else frozenset(),
        )
    return found


def _anchored(value: Any, folder: Path) -> Any:
    """Return what is declared under ``auth`` with the path of ``{file: PATH}`` from *folder* on."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"file"} and isinstance(value["file"], str):
        return {"file": str(folder / Path(value["file"]).expanduser())}
    return {key: _anchored(item, folder) for key, item in value.items()}


def _secrets(located: Located, value: Any) -> Iterator[str]:
    """Yield the texts inside *value* that came from variables with a secret's name."""
    for path, part in located.parts():
        if any(map(is_secret_name, references(part.value))) and isinstance(part.value, str):
            found = value
            for step in path:
                found = found[step]
            yield found
            yield found.replace("$$", "$")  # as a template will read it


def _registration(entry: ProviderEntry, settings: Settings) -> Registration:
    find_it = find if entry.type == entry.name else find_type
    try:
        return find_it(entry.type, entry.distribution)
    except UnknownProviderError as error:
        failure = str(error)
    if entry.type in TYPES:
        pass
    elif entry.name not in settings.providers:
        failure = unknown(entry.name, known_names(settings))
    elif entry.type == entry.name:
        failure += f"\n  {entry.origin.label}: providers.{entry.name} may lack its 'type'"
    else:
        failure += f"\n  {entry.origin.label}: providers.{entry.name}.type names it"
    raise UnknownProviderError(failure)


def _name(name: str, settings: Settings, key: str) -> str:
    """Return the normalised *name*, which the dotted *key* set."""
    try:
        return normalise(name)
    except ValueError as error:
        known = ", ".join(known_names(settings))
        failure = f"unknown provider: {error}\n  available: {known}"
    raise UnknownProviderError(f"{failure}\n  set by: {settings.origin(key).label}")


def build_agent(
    name: str, *, settings: Settings, selector: "providers.Selector[LLMProvider]"
) -> Agent:
    """Return the agent *name* with its own provider injected, else the selected one."""
    spec = agent_settings(name, settings)
    if spec.provider is None:
        provider = selector()
    else:
        provider = _named(spec.provider, settings, selector, f"agents.{name}.provider")
    return Agent(name, provider, spec.system, spec.model, spec.temperature)


def agent_settings(name: str, settings: Settings) -> AgentSettings:
    """Return what is configured for the agent *name*; ConfigError lists those that exist."""
    if name in settings.agents:
        return settings.agents[name]
    known = sorted(settings.agents)
    raise ConfigError(
        f"unknown agent '{name}'.{did_you_mean(name, known)}\n  available: {', '.join(known)}\n"
        "  add it under 'agents:' in war_rig.yaml"
    )


def _named(
    name: str, settings: Settings, selector: "providers.Selector[LLMProvider]", key: str
) -> LLMProvider:
    normal = _name(name, settings, key)
    options: dict[str, Any] = selector.providers
    provider: LLMProvider = options[normal]() if normal in options else options[LATE](normal, key)
    return provider
