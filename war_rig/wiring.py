"""From settings to dependency-injector providers.

Each known name becomes one option of a Selector: a ThreadSafeSingleton that
builds the provider inside its Border, and its stack of policies around it, on
first use. One more option looks up names that were registered after the
container was made.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any

from dependency_injector import providers

from war_rig.agents import Agent
from war_rig.config import Settings
from war_rig.entries import (
    agent_settings,
    fallbacks,
    given_providers,
    known_names,
    provider_blueprint,
    provider_name,
    told_who_named_it,
    told_whose_fallback,
)
from war_rig.ledger import Ledger
from war_rig.policies.policy import StreamingProvider
from war_rig.policies.stack import Stack
from war_rig.providers import LLMProvider
from war_rig.providers.border import Border
from war_rig.providers.secrets import Secrets, secrets_of
from war_rig.stacks import Ground, Hop, build_stack, new_purse

LATE = "(registered later)"
"""The option for names that became known after the container was made."""

ProviderSelector = providers.Selector[LLMProvider]


class Run:
    """What a container has built, by name and in that order, and what its calls came to.

    purse: what they may spend, but for entries with a budget of their own. secrets: those of
    all that was built, which no trace, cache or message may hold, whoever it is of.
    """

    def __init__(self, settings: Settings) -> None:
        self.built: dict[str, Stack] = {}
        self.ledger = Ledger()
        self.purse = new_purse(settings.policies)
        self.secrets = Secrets()


def bind_providers(
    selector: ProviderSelector,
    chosen: Callable[[], str],
    settings: Settings,
    run: Callable[[], Run],
    instead: Mapping[str, LLMProvider],
) -> None:
    """Give *selector* one option a known name, and let the name that *chosen* returns decide.

    What is built, and what it comes to, is kept in what *run* returns. instead: what is
    asked in the place of what entries are built from.
    """
    site = _Site(settings, selector, run, given_providers(instead, settings))
    options: dict[str, providers.Provider[LLMProvider]] = {
        name: providers.ThreadSafeSingleton(partial(_build, name, site))
        for name in known_names(settings)
    }
    lock = threading.Lock()

    def build_late(name: str | None = None, key: str = "llm_provider") -> LLMProvider:
        name = provider_name(name or chosen(), settings, key)
        with lock:
            built = run().built
            return built[name] if name in built else _build_named(name, site, key)

    def option() -> str:
        name = provider_name(chosen(), settings, "llm_provider")
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
    instead: Mapping[str, LLMProvider]


@dataclass(frozen=True, slots=True)
class _Found:
    """A provider, and what its stack has to know of it: see ``Ground``."""

    provider: LLMProvider
    type: str
    identity: str
    secrets: Collection[str]
    server: tuple[str, int] | None = None


def _found(name: str, site: _Site) -> _Found:
    """Return what is given instead of the provider *name*, else what is built from its entry."""
    known = secrets_of(site.settings.env)
    if name in site.instead:
        entry = site.settings.providers.get(name)
        identity = f"{name}: {token_hex()}"  # in a cache it finds nothing but its own answers
        return _Found(site.instead[name], entry.type if entry else name, identity, known)
    plan = provider_blueprint(name, site.settings)
    server = next(iter(plan.addresses), None)
    return _Found(plan.build(), plan.registration.name, plan.identity, plan.secrets | known, server)


def _build(name: str, site: _Site) -> LLMProvider:
    settings, run = site.settings, site.run()
    found = _found(name, site)
    run.secrets.add(found.secrets, found.provider)
    policies = settings.policies_of(name)
    has_own = f"providers.{name}.policies.budget" in settings.origins
    ground = Ground(
        name,
        found.type,
        found.identity,
        run.secrets,
        found.server,
        new_purse(policies) if has_own else run.purse,
        _hops(name, site),
        run.ledger,
        settings.file_name,
    )
    border = Border(name, found.provider, run.secrets)
    run.built[name] = build_stack(border, policies, ground)
    return run.built[name]


def _hops(name: str, site: _Site) -> dict[str, Hop]:
    """Return the fallbacks of *name*; what they lack is told now, and not in an outage."""
    key = site.settings.policy_key(name, "fallback.to")
    others = fallbacks(name, site.settings)
    for other in others:
        if other in site.instead:
            continue
        with told_whose_fallback(name, site.settings):
            provider_blueprint(other, site.settings).check()
    return {other: partial(_inner, other, site, key) for other in others}


def _inner(name: str, site: _Site, key: str) -> StreamingProvider:
    """Return what a fallback asks: the inner stack, or what overrides the option in a border."""
    provider = _named(name, site.settings, site.selector, key)
    if isinstance(provider, Stack):
        return provider.inner
    return Border(name, provider, secrets_of(site.settings.env))


def _build_named(name: str, site: _Site, key: str) -> LLMProvider:
    """Build a name that was not known before; where it still is not, say who set it."""
    with told_who_named_it(site.settings, key):
        return _build(name, site)


def build_agent(name: str, *, settings: Settings, selector: ProviderSelector) -> Agent:
    """Return the agent *name* with its own provider injected, else the selected one."""
    spec = agent_settings(name, settings)
    if spec.provider is None:
        provider = selector()
    else:
        provider = _named(spec.provider, settings, selector, f"agents.{name}.provider")
    return Agent(name, provider, spec.system, spec.model, spec.temperature)


def _named(name: str, settings: Settings, selector: ProviderSelector, key: str) -> LLMProvider:
    normal = provider_name(name, settings, key)
    options: dict[str, Any] = selector.providers
    provider: LLMProvider = options[normal]() if normal in options else options[LATE](normal, key)
    return provider
