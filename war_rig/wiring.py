"""From settings to dependency-injector providers.

Each known name becomes one option of a Selector: a ThreadSafeSingleton that
builds the provider inside its Border, and its stack of policies around it, on
first use. One more option looks up names that were registered after the
container was made.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from dependency_injector import providers

from war_rig.agents import Agent
from war_rig.config import AgentSettings, Located, PolicySettings, ProviderEntry, Settings
from war_rig.config.interpolation import references
from war_rig.errors import ConfigError, UnknownProviderError
from war_rig.ledger import Ledger
from war_rig.names import did_you_mean, normalise
from war_rig.policies.policy import StreamingProvider
from war_rig.policies.stack import Stack
from war_rig.providers import LLMProvider, available_providers
from war_rig.providers.border import Border
from war_rig.providers.building import Blueprint, blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.registry import TYPES, Registration, find, find_type, unknown
from war_rig.providers.secrets import is_secret_name, secrets_of
from war_rig.stacks import Ground, Hop, build_stack, new_purse

LATE = "(registered later)"
"""The option for names that became known after the container was made."""

ProviderSelector = providers.Selector[LLMProvider]


class Run:
    """What a container has built, by name and in that order, and what its calls came to.

    purse: what they may spend, but for entries with a budget of their own.
    """

    def __init__(self, settings: Settings) -> None:
        self.built: dict[str, Stack] = {}
        self.ledger = Ledger()
        self.purse = new_purse(settings.policies)


def known_names(settings: Settings) -> list[str]:
    """Return every name that can be selected with *settings*, sorted."""
    return sorted({*available_providers(), *settings.providers})


def bind_providers(
    selector: ProviderSelector,
    chosen: Callable[[], str],
    settings: Settings,
    run: Callable[[], Run],
) -> None:
    """Give *selector* one option a known name, and let the name that *chosen* returns decide.

    What is built, and what it comes to, is kept in what *run* returns.
    """
    site = _Site(settings, selector, run)
    options: dict[str, providers.Provider[LLMProvider]] = {
        name: providers.ThreadSafeSingleton(partial(_build, name, site))
        for name in known_names(settings)
    }
    lock = threading.Lock()

    def build_late(name: str | None = None, key: str = "llm_provider") -> LLMProvider:
        name = _name(name or chosen(), settings, key)
        with lock:
            built = run().built
            return built[name] if name in built else _build_named(name, site, key)

    def option() -> str:
        name = _name(chosen(), settings, "llm_provider")
        return name if name in options else LATE

    options[LATE] = providers.Callable(build_late)
    selector.set_selector(providers.Callable(option))
    selector.set_providers(**options)


@dataclass(frozen=True, slots=True)
class _Site:
    """What every stack of a container is built from, and kept in."""

    settings: Settings
    selector: ProviderSelector
    run: Callable[[], Run]


def _build(name: str, site: _Site) -> LLMProvider:
    settings, run = site.settings, site.run()
    plan = provider_blueprint(name, settings)
    secrets = plan.secrets | secrets_of(settings.env)
    border = Border(name, plan.build(), secrets)
    policies = settings.policies_of(name)
    has_own = f"providers.{name}.policies.budget" in settings.origins
    ground = Ground(
        name,
        plan.registration.name,
        plan.identity,
        secrets,
        next(iter(plan.addresses), None),
        new_purse(policies) if has_own else run.purse,
        _hops(name, policies, site),
        run.ledger,
    )
    run.built[name] = build_stack(border, policies, ground)
    return run.built[name]


def _hops(name: str, policies: PolicySettings, site: _Site) -> list[Hop]:
    """Return the fallbacks of *name*; what they lack is told now, and not in an outage."""
    key = site.settings.policy_key(name, "fallback")
    targets = policies.fallback.to if policies.fallback else []
    others = [_name(target, site.settings, key) for target in targets]
    others = [other for other in others if other != name]
    for other in others:
        with _told_who_named_it(site.settings, key):
            provider_blueprint(other, site.settings).check()
    return [partial(_inner, other, site, key) for other in others]


def _inner(name: str, site: _Site, key: str) -> StreamingProvider:
    """Return what a fallback asks: the inner stack, or what overrides the option."""
    provider = _named(name, site.settings, site.selector, key)
    return provider.inner if isinstance(provider, Stack) else cast(StreamingProvider, provider)


def _build_named(name: str, site: _Site, key: str) -> LLMProvider:
    """Build a name that was not known before; where it still is not, say who set it."""
    with _told_who_named_it(site.settings, key):
        return _build(name, site)


@contextmanager
def _told_who_named_it(settings: Settings, key: str) -> Iterator[None]:
    """Let an UnknownProviderError say where the dotted *key*, which named it, was set."""
    try:
        yield
        return
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
        offered=_limits(name, settings),
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


def _limits(name: str, settings: Settings) -> dict[str, Argument]:
    """Return the limit of the timeout policy that only a provider itself can keep."""
    timeout = settings.policies_of(name).timeout
    if timeout is None or timeout.connect is None:
        return {}
    key = settings.policy_key(name, "timeout.connect")
    return {"connect_timeout_seconds": Argument(timeout.connect, settings.origin(key).label)}


def _anchored(value: Any, folder: Path) -> Any:
    """Return what is declared under ``auth`` with its paths from *folder* on.

    These are that of ``{file: PATH}``, and the program of ``{command: [PROGRAM, ...]}``
    where it is a path: a mere name is looked for as a shell does.
    """
    if not isinstance(value, dict):
        return value
    if value.keys() == {"file"} and isinstance(value["file"], str):
        return {"file": str(folder / Path(value["file"]).expanduser())}
    if value.keys() == {"command"} and isinstance(value["command"], list):
        return {"command": [*_program(value["command"][:1], folder), *value["command"][1:]]}
    return {key: _anchored(item, folder) for key, item in value.items()}


def _program(words: list[Any], folder: Path) -> list[Any]:
    return [
        str((folder / Path(word).expanduser()).absolute())
        if isinstance(word, str) and "/" in word
        else word
        for word in words
    ]


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


def build_agent(name: str, *, settings: Settings, selector: ProviderSelector) -> Agent:
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


def _named(name: str, settings: Settings, selector: ProviderSelector, key: str) -> LLMProvider:
    normal = _name(name, settings, key)
    options: dict[str, Any] = selector.providers
    provider: LLMProvider = options[normal]() if normal in options else options[LATE](normal, key)
    return provider
