"""What the names of a file stand for: the blueprint of a provider, the settings of an agent.

Arguments are filled in when asked for: an unset variable of an unused provider stops nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from war_rig.config import AgentSettings, Located, ProviderEntry, Settings
from war_rig.config.interpolation import references
from war_rig.errors import ConfigError, PluginError, UnknownProviderError
from war_rig.names import did_you_mean, is_secret_name, normalise
from war_rig.providers import LLMProvider
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.building import blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.registry import (
    TYPES,
    Registration,
    allowed_providers,
    find,
    find_type,
    unknown,
)


def known_names(settings: Settings) -> list[str]:
    """Return every name that can be selected with *settings*, sorted."""
    return sorted({*allowed_providers(settings.plugins), *settings.providers})


def provider_name(name: str, settings: Settings, key: str | None) -> str:
    """Return the normalised *name*, which the dotted *key* set; None where it was typed."""
    try:
        return normalise(name)
    except ValueError as error:
        known = ", ".join(known_names(settings))
        failure = f"unknown provider: {error}\n  available: {known}"
    set_by = f"\n  set by: {settings.origin(key).label}" if key else ""
    raise UnknownProviderError(f"{failure}{set_by}")


def given_providers(
    instead: Mapping[str, LLMProvider], settings: Settings
) -> dict[str, LLMProvider]:
    """Return *instead*, which is asked in the place of what entries are built from, by its names.

    Raises UnknownProviderError for a name that is none, TypeError for what is no provider.
    """
    known = known_names(settings)
    given: dict[str, LLMProvider] = {}
    for name, provider in instead.items():
        if isinstance(provider, type) or not hasattr(provider, "complete"):
            kind = type(provider).__name__
            what = repr(provider) if isinstance(provider, type) else f"a {kind}"
            raise TypeError(f"instead={{{name!r}: ...}} takes a provider, not {what}")
        given[_known(name, known)] = provider
    return given


def _known(name: str, known: Collection[str]) -> str:
    with suppress(ValueError):
        if (normal := normalise(name)) in known:
            return normal
    raise UnknownProviderError(
        f"instead={{{name!r}: ...}} names no provider.{did_you_mean(name, known)}\n"
        f"  available: {', '.join(known)}"
    )


def fallbacks(name: str, settings: Settings) -> list[str]:
    """Return the entries that are asked after the provider *name*, which is none of them."""
    fallback = settings.policies_of(name).fallback
    key = settings.policy_key(name, "fallback.to")
    named = fallback.to if fallback else []
    others = [provider_name(other, settings, key) for other in named]
    return [other for other in others if other != name]


@contextmanager
def told_who_named_it(settings: Settings, key: str) -> Iterator[None]:
    """Let an UnknownProviderError say where the dotted *key*, which named it, was set."""
    try:
        yield
        return
    except UnknownProviderError as error:
        failure = f"{error}\n  set by: {settings.origin(key).label}"
    raise UnknownProviderError(failure)


@contextmanager
def told_whose_fallback(name: str, settings: Settings) -> Iterator[None]:
    """Let an error about a fallback say that it is one of *name*, and where that was set."""
    try:
        yield
    except (ConfigError, PluginError, UnknownProviderError) as error:
        label = settings.origin(settings.policy_key(name, "fallback.to")).label
        error.args = (f"{error}\n  it is a fallback of '{name}'\n  set by: {label}",)
        raise


def provider_blueprint(name: str, settings: Settings, key: str | None = None) -> Blueprint:
    """Return how the provider *name* is built with *settings*; imports its code.

    key: what set the name, None where it was typed.
    Raises UnknownProviderError, PluginError, or ConfigError for its entry.
    """
    name = provider_name(name, settings, key)
    entry = settings.providers.get(name, ProviderEntry(name, name))
    registration = _registration(entry, settings)
    is_trusted = entry.origin.is_trusted
    if not is_trusted and entry.arguments and registration.kind == "plugin":
        raise ConfigError(
            f"providers.{name} may not give arguments to a plugin, which may add your keys to them"
            f"\n  set at: {entry.origin.label}\n  {_UNTRUSTED}"
        )
    given = _arguments(entry, settings, registration.templates)
    limit = _connect_limit(name, settings)
    if limit is not None and registration.templates:
        given |= _with_limit(given.get("timeouts"), limit)
    return blueprint(
        name,
        registration,
        env=settings.env if is_trusted else {},
        given=given,
        offered={} if limit is None else {"connect_timeout_seconds": limit},
        notes=() if is_trusted else (_UNTRUSTED,),
        origin=entry.origin.label if name in settings.providers else "",
        file=settings.file_name,
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
            from war_rig.providers.http.auth import anchored  # with a good part of asyncio

            value = anchored(value, located.origin.folder or Path())
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


def _connect_limit(name: str, settings: Settings) -> Argument | None:
    """Return the one limit of the timeout policy that only a provider itself can keep."""
    timeout = settings.policies_of(name).timeout
    if timeout is None or timeout.connect is None:
        return None
    key = settings.policy_key(name, "timeout.connect")
    return Argument(timeout.connect, settings.origin(key).label)


def _with_limit(timeouts: Argument | None, limit: Argument) -> dict[str, Argument]:
    """Return the *timeouts* of a definition with a *limit* to connect, if they have none."""
    if timeouts is None:
        return {"timeouts": replace(limit, value={"connect": limit.value})}
    if not isinstance(timeouts.value, dict):  # the definition will say what is wrong with it
        return {}
    return {"timeouts": replace(timeouts, value={"connect": limit.value, **timeouts.value})}


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
        return find_it(entry.type, entry.distribution, settings.plugins)
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


def agent_settings(name: str, settings: Settings) -> AgentSettings:
    """Return what is configured for the agent *name*; ConfigError lists those that exist."""
    if name in settings.agents:
        return settings.agents[name]
    known = sorted(settings.agents)
    raise ConfigError(
        f"unknown agent '{name}'.{did_you_mean(name, known)}\n  available: {', '.join(known)}\n"
        f"  add it under 'agents:' in {settings.file_name}"
    )
