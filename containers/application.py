"""The declarative container, and the functions that make, use and close one.

Tests override any part: ``app.llm_provider.override(FakeProvider(reply="canned"))``,
or one option, ``app.llm_provider.providers["house"].override(...)``.
"""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from dependency_injector import containers, providers

from war_rig.agents import Agent
from war_rig.config import Settings, load
from war_rig.errors import WarRigError
from war_rig.providers import LLMProvider
from war_rig.wiring import Run, bind_providers, build_agent


class Application(containers.DeclarativeContainer):
    """All that is wired. Make one with ``application()``, which binds the providers.

    llm_provider: the provider that the setting ``llm_provider`` names, one
    option a known name. agents: one Agent by name, its provider injected.
    run: what was built, and what its calls came to.
    """

    config = providers.Configuration(strict=True)
    settings: "providers.Dependency[Settings]" = providers.Dependency(instance_of=Settings)
    run: "providers.Singleton[Run]" = providers.ThreadSafeSingleton(Run, settings)
    llm_provider: "providers.Selector[LLMProvider]" = providers.Selector(config.llm_provider)
    agents: "providers.Factory[Agent]" = providers.Factory(
        build_agent, settings=settings, selector=llm_provider.provider
    )


def application(
    path: str | Path | None = None,
    env: Mapping[str, str] = os.environ,
    *,
    llm_provider: str | None = None,
    instead: Mapping[str, LLMProvider] = MappingProxyType({}),
) -> Application:
    """Return a container for the configuration at *path* and the environment *env*.

    Without *path*, WAR_RIG_CONFIG or ./war_rig.yaml is used where there is one;
    *llm_provider* beats what they say. instead: what is asked, inside of an entry's
    own policies, in the place of what the entry is built from. Nothing is imported or
    connected until it is used. Raises ConfigError, with every fault of the file.
    """
    settings = load(Path(path) if path is not None else None, env, llm_provider=llm_provider)
    if settings.note:
        print(settings.note, file=sys.stderr)
    app = Application(config={"llm_provider": settings.llm_provider}, settings=settings)
    bind_providers(app.llm_provider, app.config.llm_provider, settings, app.run, instead)
    return app


async def close(app: Application) -> None:
    """Close every provider that *app* has built, the last first; it can be used again after it.

    Raises the error of the first that could not be closed, after all others are.
    """
    built = app.run().built
    failures: list[WarRigError] = []
    while built:
        _, provider = built.popitem()
        try:
            await provider.aclose()
        except WarRigError as error:
            failures.append(error)
    for option in app.llm_provider.providers.values():
        if isinstance(option, providers.ThreadSafeSingleton):
            option.reset()
    app.run.reset()
    if failures:
        raise failures[0]


@asynccontextmanager
async def running(app: Application) -> AsyncIterator[Application]:
    """Close *app* at the end of an ``async with`` block."""
    try:
        yield app
    except BaseException:
        with suppress(WarRigError):  # what failed inside counts for more
            await close(app)
        raise
    await close(app)
