"""The container: what it wires, what a test can replace, and how it is closed."""

import asyncio
import threading
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, leaks
from dependency_injector import containers as di
from dependency_injector import providers as di_providers
from stacked import HELLO

from containers import Application, application, close, running
from war_rig.config import load
from war_rig.errors import ConfigError, PluginError, ProviderError, UnknownProviderError
from war_rig.providers import (
    CompletionResponse,
    LLMProvider,
    available_providers,
    register_provider,
    registry,
)
from war_rig.providers.http.shipped import shipped
from war_rig.testing import FakeProvider, FaultyProvider, during, rehearse, server_error
from war_rig.wiring import LATE


class House:
    """A provider that remembers what was done with it."""

    made = 0
    closed: list[str] = []  # noqa: RUF012  shared on purpose

    def __init__(self, api_key: str = "none", model: str = "house-1", path: Path | None = None):
        type(self).made += 1
        self.api_key, self.default_model, self.path = api_key, model, path

    async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(f"{self.default_model}: {messages[-1].content}", "house-1", 1)

    async def aclose(self) -> None:
        self.closed.append(self.default_model)


@pytest.fixture(autouse=True)
def house() -> type[House]:
    House.made, House.closed = 0, []
    register_provider("house", House)
    return House


def yaml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    return path


def ask(app: Application, agent: str = "assistant") -> str:
    return app.agents(agent).run_sync("Hello").content


def test_the_application_is_a_declared_container() -> None:
    """Application is a DeclarativeContainer whose llm_provider is a Selector."""
    assert issubclass(Application, di.DeclarativeContainer)
    assert isinstance(Application.llm_provider, di_providers.Selector)


def test_every_known_name_is_an_option(tmp_path: Path) -> None:
    """Built-ins, registered names and entries of the file are options, and one is for later."""
    app = application(yaml(tmp_path, "providers: {paris: {type: house}}"), env={})
    expected = {"azure_openai", "house", "offline", "openai", "paris", LATE}
    assert set(app.llm_provider.providers) == expected | set(shipped())


def test_the_environment_selects(tmp_path: Path) -> None:
    """LLM_PROVIDER beats the file; llm_provider= beats both; names are normalised."""
    path = yaml(tmp_path, "llm_provider: openai")
    assert ask(application(path, env={"LLM_PROVIDER": " House "})) == "house-1: Hello"
    assert ask(application(env={"LLM_PROVIDER": "openai"}, llm_provider="HOUSE")).startswith(
        "house"
    )


def test_every_shipped_agent_can_be_built() -> None:
    """The shipped configuration has four agents, and all of them answer."""
    app = application(env={})
    assert sorted(app.settings().agents) == ["assistant", "challenger", "imperator", "scribe"]
    for name in app.settings().agents:
        assert app.agents(name).provider.name == "offline"  # type: ignore[attr-defined]


def test_a_provider_is_built_once_and_only_when_it_is_used() -> None:
    """Wiring builds nothing; two agents share one provider, also when threads race for it."""
    app = application(env={"LLM_PROVIDER": "house"})
    assert House.made == 0
    threads = [threading.Thread(target=lambda: app.agents("assistant")) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert House.made == 1
    assert isinstance(app.llm_provider(), LLMProvider)


def test_two_entries_of_one_type_are_two_providers(tmp_path: Path) -> None:
    """Each entry has its own arguments, from the file or from <NAME>_<PARAMETER>."""
    text = """
        providers:
          paris: {type: house, model: paris-1, path: models/a}
          tokyo: {type: House}
        agents:
          one: {provider: paris}
          two: {provider: Tokyo}
    """
    app = application(yaml(tmp_path, text), env={"TOKYO_MODEL": "tokyo-1", "PARIS_MODEL": "no"})
    assert (ask(app, "one"), ask(app, "two")) == ("paris-1: Hello", "tokyo-1: Hello")
    assert app.agents("one").provider.border.provider.path == tmp_path / "models/a"  # type: ignore[attr-defined]


def test_a_name_registered_later_is_found() -> None:
    """A provider registered after the container was made can be selected and named by agents."""
    app = application(env={"LLM_PROVIDER": "newcomer"})
    with pytest.raises(UnknownProviderError):
        app.llm_provider()
    register_provider("newcomer", House)
    assert ask(app) == "house-1: Hello"
    assert app.llm_provider() is app.llm_provider()
    asyncio.run(close(app))
    assert House.closed == ["house-1"]
    assert ask(app) == "house-1: Hello"
    assert House.made == 2


def test_an_agent_can_name_a_provider_registered_later(tmp_path: Path) -> None:
    """The private option serves agents with a provider of their own, too."""
    app = application(yaml(tmp_path, "agents: {clerk: {provider: newcomer}}"), env={})
    register_provider("newcomer", House)
    assert ask(app, "clerk") == "house-1: Hello"


def test_registering_again_leaves_what_was_built() -> None:
    """A container keeps the provider that it has built; a new one gets the new class."""
    app = application(env={"LLM_PROVIDER": "house"})
    assert ask(app) == "house-1: Hello"
    register_provider("house", lambda: FakeProvider("new"))
    assert ask(app) == "house-1: Hello"
    assert ask(application(env={"LLM_PROVIDER": "house"})) == "new"


def test_an_override_replaces_the_provider_and_is_undone() -> None:
    """Inside the block every agent without a provider of its own uses the fake."""
    app = application(env={"LLM_PROVIDER": "house"})
    with app.llm_provider.override(FakeProvider(reply="canned")):
        assert ask(app) == "canned"
        assert ask(app, "scribe") == "canned"
    assert ask(app) == "house-1: Hello"


def test_one_option_can_be_overridden(tmp_path: Path) -> None:
    """An agent that names its provider is reached through that option."""
    app = application(yaml(tmp_path, "agents: {clerk: {provider: house}}"), env={})
    with app.llm_provider.providers["house"].override(FakeProvider(reply="canned")):
        assert ask(app, "clerk") == "canned"
    assert ask(app, "clerk") == "house-1: Hello"


def test_the_selection_itself_can_be_overridden() -> None:
    """A test may change the setting that the Selector reads."""
    app = application(env={})
    with app.config.llm_provider.override("house"):
        assert ask(app) == "house-1: Hello"


def test_containers_do_not_share(tmp_path: Path) -> None:
    """An override of one container is unknown to another."""
    one, two = (
        application(env={"LLM_PROVIDER": "house"}),
        application(env={"LLM_PROVIDER": "house"}),
    )
    with one.llm_provider.override(FakeProvider(reply="canned")):
        assert ask(two) == "house-1: Hello"
    assert one.llm_provider() is not two.llm_provider()


def test_running_closes_in_reverse_order(tmp_path: Path) -> None:
    """At the end of the block each built provider is closed once, the last built first."""
    text = "providers: {a: {type: house, model: a}, b: {type: house, model: b}}"
    path = yaml(tmp_path, f"{text}\nagents: {{one: {{provider: a}}, two: {{provider: b}}}}")

    async def use() -> None:
        async with running(application(path, env={})) as app:
            app.agents("one"), app.agents("two"), app.agents("one")
            assert House.closed == []

    asyncio.run(use())
    assert House.closed == ["b", "a"]


def test_a_provider_that_can_not_be_closed_does_not_keep_the_others_open(tmp_path: Path) -> None:
    """All are closed; then the first failure is raised as ours, without the key."""

    class Stuck(House):
        async def aclose(self) -> None:
            raise RuntimeError(f"stuck with {self.api_key}")

    class Wrong(House):
        async def aclose(self) -> None:
            raise ConfigError("wrong")

    register_provider("stuck", Stuck)
    register_provider("wrong", Wrong)
    text = "agents: {one: {provider: house}, two: {provider: wrong}, three: {provider: stuck}}"
    app = application(yaml(tmp_path, text), env={"STUCK_API_KEY": CANARY})
    for agent in ("one", "two", "three"):
        app.agents(agent)
    with pytest.raises(ProviderError, match="provider 'stuck' could not be closed: ") as caught:
        asyncio.run(close(app))
    assert leaks(caught.value) == []
    assert House.closed == ["house-1"]
    assert app.run().built == {}


def test_close_of_an_unused_container_does_nothing() -> None:
    """Closing twice, or before anything was built, is no error."""
    app = application(env={})
    asyncio.run(close(app))
    asyncio.run(close(app))


def test_a_provider_without_aclose_is_left_alone() -> None:
    """aclose is optional, and need not be async."""
    register_provider("plain", lambda: FakeProvider("x"))
    app = application(env={"LLM_PROVIDER": "plain"})
    assert ask(app) == "x"
    asyncio.run(close(app))


UNKNOWN = {
    "a misspelt selection": (
        "llm_provider: huose",
        "unknown provider 'huose'. Did you mean 'house'?\n"
        "  available: {available}\n"
        "  to add it, install a plugin, write an entry with a 'type' under 'providers:', or call "
        "register_provider() in this process (the war-rig command sees no other process's)\n"
        "  set by: my.yaml:1",
    ),
    "an entry that lacks its type": (
        "llm_provider: paris\nproviders: {paris: {model: m}}",
        "unknown provider 'paris'.\n"
        "  available: {available}\n"
        "  to add it, install a plugin, write an entry with a 'type' under 'providers:', or call "
        "register_provider() in this process (the war-rig command sees no other process's)\n"
        "  my.yaml:2: providers.paris may lack its 'type'",
    ),
    "a type that does not exist": (
        "llm_provider: paris\nproviders: {paris: {type: huose}}",
        "unknown provider 'huose'. Did you mean 'house'?\n"
        "  available: {available}\n"
        "  to add it, install a plugin, write an entry with a 'type' under 'providers:', or call "
        "register_provider() in this process (the war-rig command sees no other process's)\n"
        "  my.yaml:2: providers.paris.type names it",
    ),
    "no name at all": (
        "llm_provider: '7 of 9'",
        "unknown provider: '7 of 9' is not a name: use letters, digits, '-' and '_', a letter "
        "first\n"
        "  available: {available}\n"
        "  set by: my.yaml:1",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_provider_says_what_there_is(name: str, tmp_path: Path) -> None:
    """The message lists the names, suggests the nearest, and says what to do."""
    text, message = UNKNOWN[name]
    yaml(tmp_path, text)
    with pytest.raises(UnknownProviderError) as caught:
        application("my.yaml", env={}).llm_provider()
    assert str(caught.value) == message.format(available=", ".join(available_providers()))


def test_an_agents_wrong_provider_names_the_agents_line(tmp_path: Path) -> None:
    """A wrong name under an agent is reported with that agent's file and line."""
    yaml(tmp_path, "agents:\n  clerk: {provider: huose}\n  cook: {provider: 7 up}\n")
    app = application("my.yaml", env={})
    for agent, line in (("clerk", 2), ("cook", 3)):
        with pytest.raises(UnknownProviderError, match=f"  set by: my.yaml:{line}$"):
            app.agents(agent)


def test_an_unknown_agent_says_which_there_are() -> None:
    """The message lists the agents and suggests the nearest."""
    with pytest.raises(ConfigError) as caught:
        application(env={}).agents("scrib")
    assert str(caught.value) == (
        "unknown agent 'scrib'. Did you mean 'scribe'?\n"
        "  available: assistant, challenger, imperator, scribe\n"
        "  add it under 'agents:' in war_rig.yaml"
    )


@pytest.mark.parametrize("by_variable", [False, True])
def test_what_to_set_is_told_with_the_file_in_use(tmp_path: Path, by_variable: bool) -> None:
    """An unknown agent and a missing key name the file that was given, however it was."""
    yaml(tmp_path, "llm_provider: openai\n")
    env = {"WAR_RIG_CONFIG": "my.yaml"} if by_variable else {}
    app = application(None if by_variable else "my.yaml", env=env)
    with pytest.raises(ConfigError, match=r"  add it under 'agents:' in my\.yaml$"):
        app.agents("scrib")
    with pytest.raises(ConfigError, match=r"set one of: providers\.openai\.api_key in my\.yaml, "):
        app.llm_provider()


def test_an_unset_variable_of_another_provider_stops_nothing(tmp_path: Path) -> None:
    """A provider's entry is interpolated when that provider is built."""
    text = "providers: {paris: {type: house, api_key: '${NOT_SET}', model: '${NOR_THIS}'}}"
    app = application(yaml(tmp_path, f"{text}\nagents: {{clerk: {{provider: paris}}}}"), env={})
    assert "offline" in ask(app)
    with pytest.raises(ConfigError) as caught:
        app.agents("clerk")
    assert str(caught.value).splitlines()[0] == "the configuration has 2 faults"
    where = f"  {tmp_path / 'my.yaml'}:1  providers.paris"
    unset = "is not set and has no default"
    assert f"{where}.api_key: the environment variable NOT_SET {unset}" in str(caught.value)
    assert f"{where}.model: the environment variable NOR_THIS {unset}" in str(caught.value)


def test_an_unset_variable_inside_an_argument_is_told_with_its_key(tmp_path: Path) -> None:
    """The fault names the innermost key, or the place in a list, and its own line."""
    text = """
providers:
  house:
    type: http
    auth:
      oauth2:
        client_id: rig
        client_secret: ${NOT_SET}
    errors:
      - {path: state, equals: ["a${NOR_THIS}", "${broken"]}
"""
    with pytest.raises(ConfigError) as caught:
        application(yaml(tmp_path, text), env={}, llm_provider="house").llm_provider()
    unset = "is not set and has no default"
    file = tmp_path / "my.yaml"
    assert str(caught.value).splitlines() == [
        "the configuration has 3 faults",
        f"  {file}:8  providers.house.auth.oauth2.client_secret: "
        f"the environment variable NOT_SET {unset}: export it, or write ${{NOT_SET:default}}",
        f"  {file}:10  providers.house.errors.0.equals.0: "
        f"the environment variable NOR_THIS {unset}: export it, or write ${{NOR_THIS:default}}",
        f"  {file}:10  providers.house.errors.0.equals.1: "
        "has a '${' without its '}'; a plain '$' is written '$$'",
    ]


def test_a_secret_of_the_given_environment_is_known(tmp_path: Path) -> None:
    """A key that only env= holds, even inside another argument, leaves through no error."""

    class Leaky(House):
        async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
            raise ValueError(f"sent {self.default_model}")

    register_provider("leaky", Leaky)
    path = yaml(tmp_path, "llm_provider: leaky\nproviders: {leaky: {model: 'Bearer ${MY_TOKEN}'}}")
    app = application(path, env={"MY_TOKEN": CANARY})
    with pytest.raises(ProviderError) as caught:
        ask(app)
    assert leaks(caught.value) == []
    assert str(caught.value).startswith("provider 'leaky' raised ValueError: sent ***")


def test_nothing_of_the_container_shows_a_key(tmp_path: Path) -> None:
    """No repr of the settings, the container, an agent or a provider holds a value of a secret."""
    path = yaml(tmp_path, f"llm_provider: house\nproviders: {{house: {{api_key: {CANARY}}}}}")
    app = application(path, env={"OTHER_KEY": CANARY})
    agent = app.agents("assistant")
    things = (app, app.settings(), app.config(), agent, agent.provider, app.llm_provider,
              *app.settings().providers.values(), app.llm_provider.providers)  # fmt: skip
    assert not any(CANARY in repr(thing) or CANARY in str(thing) for thing in things)


def test_an_untrusted_entry_gets_nothing_from_the_environment(tmp_path: Path) -> None:
    """The entry of a file that was only found is built from the file alone."""
    (tmp_path / "war_rig.yaml").write_text(
        "llm_provider: paris\nproviders: {paris: {type: house, model: paris-1}}"
    )
    env = {"PARIS_API_KEY": CANARY}
    app = application(env=env)
    assert app.agents("assistant").provider.border.provider.api_key == "none"  # type: ignore[attr-defined]
    trusted = application("war_rig.yaml", env=env).agents("assistant").provider
    assert trusted.border.provider.api_key == CANARY  # type: ignore[attr-defined]


def test_an_untrusted_entry_gives_a_plugin_no_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin may read its key by itself, so a file that was only found can't direct it."""
    plugin = EntryPoint("acme", f"{__name__}:House", "war_rig.providers")
    monkeypatch.setattr(registry, "_entry_points", lambda: (plugin,))
    (tmp_path / "war_rig.yaml").write_text("llm_provider: acme\nproviders: {acme: {model: m}}\n")
    with pytest.raises(ConfigError) as caught:
        application(env={}).llm_provider()
    assert str(caught.value) == (
        "providers.acme may not give arguments to a plugin, which may add your keys to them\n"
        "  set at: war_rig.yaml:2\n"
        "  its entry is in a war_rig.yaml that was only found in the current folder, so it gets "
        "nothing from the environment: to trust the file, pass --config war_rig.yaml or set "
        "WAR_RIG_CONFIG=war_rig.yaml"
    )
    assert application("war_rig.yaml", env={}).llm_provider().default_model == "m"


def test_the_environment_is_read_when_a_provider_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without env= a variable that is set after the container was made still counts."""
    app = application(llm_provider="house")
    monkeypatch.setenv("HOUSE_MODEL", "late-1")
    assert ask(app) == "late-1: Hello"


def test_a_shape_that_is_no_provider_is_a_plugin_error() -> None:
    """What a factory makes must be a provider, whoever registered it."""
    register_provider("wrong", lambda: object())  # type: ignore[arg-type, return-value]
    with pytest.raises(PluginError, match="made a object, which has no default_model"):
        application(env={"LLM_PROVIDER": "wrong"}).llm_provider()


def test_the_shipped_default_is_valid() -> None:
    """The shipped file loads by itself, and its prompts are there."""
    settings = load(None, {})
    assert settings.llm_provider == "offline"
    assert all(agent.system for agent in settings.agents.values())
    assert not settings.is_provider_chosen


def test_what_failed_inside_counts_for_more_than_the_closing() -> None:
    """Where the block raises and closing fails too, the block's error is the one that is seen."""

    class Stuck(House):
        async def aclose(self) -> None:
            raise RuntimeError("stuck")

    register_provider("stuck", Stuck)

    async def use() -> None:
        async with running(application(env={"LLM_PROVIDER": "stuck"})) as app:
            app.agents("assistant")
            raise ValueError("the work failed")

    with pytest.raises(ValueError, match="the work failed"):
        asyncio.run(use())


# what is given instead of an entry's own provider

WHOLE = """
llm_provider: house
policies: {retry: {attempts: 4}, cache: {path: kept.sqlite}}
providers:
  house:
    type: http
    url: https://llm.example.com/v1
    auth: {bearer: "${HOUSE_KEY}"}
    model: large-1
    request: {model: $model, messages: $messages}
    response: {content: text}
    policies: {fallback: [Spare-One]}
  spare_one: {type: not_installed_here, api_key: "${SPARE_KEY}", policies: {retry: null}}
"""


def test_a_file_can_be_rehearsed_as_it_is(tmp_path: Path) -> None:
    """What is given instead is inside of the entry's policies, without its code or its keys."""
    house = FaultyProvider(during(0, 100, server_error()))
    spare = FaultyProvider(provider=FakeProvider("spare"))
    app = application(yaml(tmp_path, WHOLE), env={}, instead={"House": house, "spare-one": spare})

    async def ask() -> list[tuple[str, int, str]]:
        answers = []
        for question in ("one", "two", "two"):
            answer = await app.agents("assistant").run(question)
            last = answer.attempts[-1]
            answers.append(
                (answer.content, len(answer.attempts), f"{last.provider} {last.outcome}")
            )
            await asyncio.sleep(100)
        return answers

    assert rehearse(ask()) == [
        ("spare", 5, "spare_one answered"),
        ("fake", 1, "house answered"),
        ("fake", 1, "house cached"),
    ]
    assert house.outcomes == {"server_error": 4, "answered": 1}
    assert app.run().built["house"].layers[:2] == ["CachedProvider", "TotalTimeout"]


def test_what_is_given_instead_stays_when_the_container_is_closed(tmp_path: Path) -> None:
    """The next use builds a new stack around it, and never the entry's own provider."""
    fakes = {"house": FakeProvider("given"), "spare_one": FakeProvider()}
    app = application(yaml(tmp_path, WHOLE), env={}, instead=fakes)

    async def ask() -> str:
        async with running(app):
            return (await app.llm_provider().complete(HELLO)).content

    assert (rehearse(ask()), rehearse(ask())) == ("given", "given")
    assert len(fakes["house"].calls) == 2


def test_a_cache_finds_no_answer_of_an_earlier_rehearsal(tmp_path: Path) -> None:
    """Who was given instead is told from all others: each rehearsal asks anew."""
    path = yaml(tmp_path, WHOLE)

    async def ask(app: Application) -> list[str]:
        async with running(app):
            answers = [await app.llm_provider().complete(HELLO) for _ in range(2)]
        return [answer.attempts[-1].outcome for answer in answers]

    for _ in range(2):
        fakes = {"house": FakeProvider(), "spare_one": FakeProvider()}
        assert rehearse(ask(application(path, env={}, instead=fakes))) == ["answered", "cached"]


@pytest.mark.parametrize(
    ("instead", "error", "told"),
    [
        (
            {"hous": FakeProvider()},
            UnknownProviderError,
            "instead={'hous': ...} names no provider. Did you mean 'house'?",
        ),
        ({"?": FakeProvider()}, UnknownProviderError, "instead={'?': ...} names no provider."),
        (
            {"house": FakeProvider},
            TypeError,
            "instead={'house': ...} takes a provider, not "
            "<class 'war_rig.testing.fake.FakeProvider'>",
        ),
        (
            {"house": None},
            TypeError,
            "instead={'house': ...} takes a provider, not a NoneType",
        ),
    ],
)
def test_what_can_not_be_given_instead_is_told_at_once(
    instead: Any, error: type[Exception], told: str
) -> None:
    """A name that is none would leave the real provider in its place."""
    with pytest.raises(error) as caught:
        application(env={}, instead=instead)
    assert str(caught.value).splitlines()[0] == told
