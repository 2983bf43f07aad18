"""How a provider is built: where each argument comes from, and what is said when one is wrong."""

import functools
import os
import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from canary import CANARY, leaks
from houses import House, Kept, kept, plan, raising

from containers import application
from war_rig.errors import ConfigError, PluginError
from war_rig.providers import (
    Message,
    create_provider,
    register_provider,
)
from war_rig.providers.building import blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.places import place_of
from war_rig.providers.registry import Registration


def test_create_provider_beats_the_environment_and_that_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An argument in code comes first, then NAME_PARAMETER, then the constructor's default."""
    register_provider("house", House)
    monkeypatch.setenv("HOUSE_API_KEY", "from-the-environment")
    monkeypatch.setenv("HOUSE_MODEL", "from-the-environment")
    made: Any = create_provider("house", model="from-code")
    assert made.kept == {
        "api_key": "from-the-environment",
        "endpoint": "https://llm.house.example",
        "model": "from-code",
    }


def test_the_file_beats_the_environment(tmp_path: Path) -> None:
    """What providers.NAME says in the file is used although the variable is set too."""
    register_provider("house", House)
    (tmp_path / "my.yaml").write_text("providers: {house: {model: from-the-file}}\n")
    env = {"LLM_PROVIDER": "house", "HOUSE_API_KEY": "k", "HOUSE_MODEL": "from-the-environment"}
    made: Any = application("my.yaml", env=env).llm_provider()
    assert made.border.provider.kept["model"] == "from-the-file"
    assert made.border.provider.kept["api_key"] == "k"


def test_an_empty_variable_counts_as_unset() -> None:
    """NAME_PARAMETER= leaves the constructor's default."""
    assert kept(House, {"HOUSE_API_KEY": "k", "HOUSE_MODEL": ""})["model"] == "house-1"


def test_an_empty_text_in_the_file_is_given() -> None:
    """Only a variable is unset where it is empty; an empty text in the file is meant."""
    assert kept(House, {"HOUSE_MODEL": "m"}, api_key="k", model="")["model"] == ""


def test_null_counts_as_unset() -> None:
    """A null in the file leaves the environment, and then the default."""
    env = {"HOUSE_API_KEY": "k", "HOUSE_ENDPOINT": "http://e"}
    got = kept(House, env, endpoint=None, model=None)
    assert got == {"api_key": "k", "endpoint": "http://e", "model": "house-1"}


def test_a_class_that_takes_any_keyword_gets_every_key_of_the_file() -> None:
    """A constructor with **kwargs gets the whole entry, and the environment for named ones only."""

    def house(api_key: str, **kwargs: Any) -> Kept:
        return Kept(api_key=api_key, **kwargs)

    env = {"HOUSE_API_KEY": "k", "HOUSE_REGION": "not looked up", "HOUSE_KWARGS": "nor this"}
    assert kept(house, env, kwargs="mine", depth=[1]) == {
        "api_key": "k",
        "kwargs": "mine",
        "depth": [1],
    }


def test_a_constructor_that_takes_nothing_is_called_with_nothing() -> None:
    """A plugin that reads its own environment needs no parameter."""
    assert kept(lambda: Kept(own="environment"), {"HOUSE_OWN": "x"}) == {"own": "environment"}


def test_positional_only_parameters_are_given() -> None:
    """A parameter before a slash gets its argument like any other."""

    def house(api_key: str, model: str = "m-1", /, *rest: str, depth: int = 1) -> Kept:
        return Kept(api_key=api_key, model=model, rest=rest, depth=depth)

    expected = {"api_key": "k", "model": "m-2", "rest": (), "depth": 3}
    assert kept(house, {"HOUSE_API_KEY": "k", "HOUSE_DEPTH": "3"}, model="m-2") == expected


def test_a_positional_only_parameter_may_be_left_to_its_default() -> None:
    """A later one can be given although an earlier one has only its default."""

    def house(region: str = "eu", model: str = "m-1", /) -> Kept:
        return Kept(region=region, model=model)

    assert kept(house, model="m-2") == {"region": "eu", "model": "m-2"}


class Later:
    """Makes providers by a method."""

    def make(self, path: "Path") -> Kept:
        return Kept(path=path)

    def __call__(self, path: "Path") -> Kept:
        return Kept(path=path)


class Pathed(Kept):
    def __init__(self, path: "Path", model: str = "m-1") -> None:
        super().__init__(path=path, model=model)


class Anew(Kept):
    def __new__(cls, path: "Path") -> "Anew":
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(path=kwargs.get("path", *args))


FACTORIES = {
    "class": Pathed,
    "function": lambda path: Kept(path=path),
    "partial": functools.partial(Pathed, model="m-2"),
    "bound method": Later().make,
    "callable object": Later(),
    "class with __new__": Anew,
}
FACTORIES["function"].__annotations__["path"] = "Path"


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
def test_any_callable_makes_a_provider(factory: Any) -> None:
    """Classes, functions, partials, methods and objects are called, converted arguments given."""
    got = kept(factory, {"HOUSE_PATH": "models/small.gguf"})
    assert got["path"] == Path("models/small.gguf")


def test_a_wrapped_function_shows_what_it_wraps() -> None:
    """A decorated factory is read through its decorator."""

    def house(path: "Path") -> Kept:
        return Kept(path=path)

    @functools.wraps(house)
    def logged(*args: Any, **kwargs: Any) -> Kept:
        return house(*args, **kwargs)

    assert kept(logged, {"HOUSE_PATH": "small"}) == {"path": Path("small")}


def test_a_callable_written_in_c_gets_what_the_file_gives() -> None:
    """A callable that tells no signature takes any key, and nothing from the environment."""

    async def complete(messages: list[Message]) -> None: ...

    made: Any = plan(
        SimpleNamespace, {"HOUSE_DEPTH": "1"}, default_model="m", complete=complete
    ).build()
    assert made == SimpleNamespace(default_model="m", complete=complete)


def test_an_unknown_argument_lists_the_parameters() -> None:
    """A key that the constructor does not take is an error with the nearest of those it takes."""
    with pytest.raises(ConfigError) as caught:
        plan(House, api_kye="k", colour="red")
    assert str(caught.value) == (
        "provider 'house': House, registered at my.py:3, takes: api_key, endpoint, model\n"
        "  it does not take 'api_kye'. Did you mean 'api_key'? Set by: my.yaml:1\n"
        "  it does not take 'colour'. Set by: my.yaml:2"
    )


def test_an_argument_for_a_constructor_without_any_is_refused() -> None:
    """A constructor that takes nothing says so."""
    with pytest.raises(ConfigError) as caught:
        plan(functools.partial(House, CANARY, "http://e", "m"), modle="x")
    assert str(caught.value) == (
        "provider 'house': partial, registered at my.py:3, takes no arguments\n"
        "  it does not take 'modle'. Set by: my.yaml:1"
    )


def test_missing_arguments_are_one_error_with_every_place() -> None:
    """The error names each missing parameter and all the places where it can be set."""

    def house(api_key: str, endpoint: str, model: str = "m-1", *, depth: int, **more: Any) -> Kept:
        raise AssertionError("not called")

    missing = plan(house, {"HOUSE_DEPTH": "3"}, notes=("the file is not trusted",))
    with pytest.raises(ConfigError) as caught:
        missing.build()
    assert str(caught.value) == (
        "provider 'house' needs 'api_key' and 'endpoint'\n"
        "  house(api_key, endpoint, model='m-1', depth, **more), registered at my.py:3\n"
        "  set one of: providers.house.api_key in war_rig.yaml, HOUSE_API_KEY, "
        "create_provider(..., api_key=...)\n"
        "  set one of: providers.house.endpoint in war_rig.yaml, HOUSE_ENDPOINT, "
        "create_provider(..., endpoint=...)\n"
        "  the file is not trusted"
    )


def test_variables_are_named_after_the_normalised_name() -> None:
    """create_provider("My-LLM") looks for MY_LLM_API_KEY and says so."""
    register_provider("my-llm", House)
    with pytest.raises(ConfigError, match=r"in war_rig\.yaml, MY_LLM_API_KEY, "):
        create_provider(" My-LLM ")


def test_a_blueprint_shows_each_value_and_where_it_comes_from() -> None:
    """A value is shown with its origin; what is missing is a dash; nothing is built for it."""

    def house(api_key: str, endpoint: str, model: str = "m-1", depth: int = 1) -> Kept:
        raise AssertionError("not called")

    shown = plan(house, {"HOUSE_DEPTH": "3"}, endpoint="http://e")
    assert [(p.name, p.variable, p.shown, p.origin) for p in shown.parameters] == [
        ("api_key", "HOUSE_API_KEY", "-", "missing"),
        ("endpoint", "HOUSE_ENDPOINT", "'http://e'", "my.yaml:1"),
        ("model", "HOUSE_MODEL", "'m-1'", "default"),
        ("depth", "HOUSE_DEPTH", "3", "environment HOUSE_DEPTH"),
    ]
    assert repr(shown) == ("<Blueprint of house: house(api_key, endpoint, model='m-1', depth=1)>")


def secretive(
    url: str, token: str = CANARY, session_token: str | None = None, key: str = "", *rest: str
) -> Kept:
    raise AssertionError("not called")


def test_a_blueprint_never_shows_a_secret() -> None:
    """A key is masked by its parameter's name or its variable's, as argument and as default."""
    shown = plan(
        secretive,
        {"HOUSE_KEY": CANARY},
        url=Argument(f"http://e?{CANARY}", "my.yaml:1", None, True),
    )
    assert [(p.name, p.shown) for p in shown.parameters] == [
        ("url", "***"),
        ("token", "***"),
        ("session_token", "None"),
        ("key", "***"),
    ]
    assert shown.shown_signature == ("secretive(url, token=***, session_token=None, key='', *rest)")
    assert shown.secrets >= {CANARY, f"http://e?{CANARY}"}
    texts = [repr(shown), *(f"{p.origin} {p.argument!r}" for p in shown.parameters)]
    assert CANARY not in "".join(texts)


def test_no_repr_of_a_parameter_shows_a_secret() -> None:
    """The repr of a parameter shows neither a secret argument nor a secret default."""
    shown = plan(secretive, {"HOUSE_KEY": CANARY}, url="http://e")
    assert CANARY not in "".join(map(repr, shown.parameters))


def test_the_secrets_are_those_of_any_keyword_too() -> None:
    """A key that only **kwargs takes is a secret by its name or its variable's."""
    mine = Argument("from-a-key-variable", "my.yaml:2", None, True)
    shown = plan(Kept, api_key=CANARY, header=mine, region="eu", other_token="")
    assert shown.secrets == {CANARY, "from-a-key-variable"}


@pytest.mark.parametrize(
    "factory",
    [functools.partial(raising(ValueError(CANARY)), api_key=CANARY), lambda token=CANARY: 1 / 0],
)
def test_a_secret_that_is_a_default_is_known(factory: Any) -> None:
    """A key that code wrote into a default, or bound with partial, is a secret as well."""
    assert plan(factory).secrets == {CANARY}


def test_the_hosts_are_those_of_arguments_and_defaults() -> None:
    """The hosts where text would go are told, without user, password or path."""

    def house(
        base_url: str, proxy: str = "http://me:pw@proxy.example:3128", model: str = "httpish", n=1
    ) -> Kept: ...

    hosts = plan(house, base_url="https://llm.example.com/v1").hosts
    assert hosts == ["llm.example.com", "proxy.example"]
    assert plan(house).hosts == ["proxy.example"]


def test_the_hosts_are_those_of_any_keyword_too() -> None:
    """A URL that only **kwargs takes shows its host like any other."""
    assert plan(Kept, base_url="https://llm.example.com/v1").hosts == ["llm.example.com"]


def test_a_broken_url_shows_no_host() -> None:
    """A URL that can't be read is the provider's to refuse; it has no host to show."""
    assert plan(House, api_key="k", endpoint="http://[::1").hosts == []


def test_a_keyerror_is_suspected_to_be_a_variable() -> None:
    """A constructor that misses its own variable is told whose environment it sees."""
    error = KeyError("ACME_KEY")
    with pytest.raises(PluginError) as caught:
        plan(raising(error)).build()
    assert str(caught.value) == (
        f"provider 'house' could not be built: KeyError: 'ACME_KEY'{place_of(error)}\n"
        "  factory(api_key=''), registered at my.py:3\n"
        "  is 'ACME_KEY' an environment variable that is not set? A provider that reads "
        "the environment by itself sees the process's own"
    )
    assert caught.value.__cause__ is error
    assert caught.value.__context__ is None


def test_what_a_constructor_raises_is_told() -> None:
    """Any other exception of a constructor is told with its type, its text and its line."""
    error = ValueError("the model file is damaged")
    with pytest.raises(PluginError) as caught:
        plan(raising(error)).build()
    place = place_of(error)
    assert re.fullmatch(r" \(.*houses\.py:\d+, in factory\)", place)
    assert str(caught.value) == (
        f"provider 'house' could not be built: ValueError: the model file is damaged{place}\n"
        "  factory(api_key=''), registered at my.py:3\n"
        "  the constructor of the provider raised this: correct that line"
    )


def test_who_only_installed_a_plugin_is_told_no_line_of_it() -> None:
    """A constructor that an entry point named is its author's to correct: its user reads on."""
    factory = raising(OSError("no"))
    registration = Registration("house", "plugin", "entry point x", lambda: factory, "acme", "2.0")
    with pytest.raises(PluginError) as caught:
        blueprint("house", registration, env={}).build()
    assert str(caught.value) == (
        "provider 'house' could not be built: OSError: no\n"
        "  factory(api_key=''), plugin acme 2.0 (entry point x)\n"
        "  the constructor of the provider raised this: see its documentation"
    )


def test_a_place_is_the_authors_own(tmp_path: Path) -> None:
    """The line that is told is the innermost that is neither a library's nor made by exec()."""
    (tmp_path / "site-packages").mkdir()
    library = tmp_path / "site-packages" / "library.py"
    library.write_text("def call(function):\n    return function()\ndef fail():\n    1 / 0\n")
    own = "import json\ndef read():\n    return json.loads('{')\ncall(read if own else fail)\n"
    found: dict[str, Any] = {"__name__": "library"}
    exec(compile(library.read_text(), library, "exec"), found)
    places = []
    for is_own in (True, False):
        for file in (str(tmp_path / "mine.py"), "<made>"):
            try:
                exec(compile(own, file, "exec"), {**found, "__name__": "mine", "own": is_own})
            except Exception as error:
                error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
                places.append(place_of(error))
    assert places == [" (mine.py:3, in read)", "", " (mine.py:4)", ""]


@pytest.mark.parametrize(
    "kind", [ValueError, KeyError, RuntimeError, ConfigError, PluginError], ids=lambda k: k.__name__
)
def test_no_error_of_a_constructor_shows_the_key(kind: type[Exception]) -> None:
    """A constructor that puts the key into its exception, of any kind, does not give it away."""
    with pytest.raises((PluginError, ConfigError)) as caught:
        plan(raising(kind(f"bad key {CANARY}")), api_key=CANARY).build()
    assert leaks(caught.value) == []
    assert "bad key ***" in str(caught.value)


def test_our_own_error_of_a_constructor_stays_what_it_is() -> None:
    """A constructor may refuse its arguments with a ConfigError, whose text is kept."""
    with pytest.raises(ConfigError) as caught:
        plan(raising(ConfigError("depth and height exclude each other"))).build()
    assert str(caught.value) == "depth and height exclude each other"


def test_a_keyboard_interrupt_of_a_constructor_passes() -> None:
    """What is no Exception is nobody's to classify."""
    with pytest.raises(KeyboardInterrupt):
        plan(raising(KeyboardInterrupt())).build()


def with_attributes(**attributes: Any) -> Any:
    made = type("Made", (), attributes)
    return lambda: made()


@pytest.mark.parametrize(
    ("factory", "lacks"),
    [
        (with_attributes(complete=len), "no default_model"),
        (with_attributes(default_model="m"), "no complete"),
        (with_attributes(), "no default_model and no complete"),
        (with_attributes(default_model="m", complete="text"), "no callable complete()"),
    ],
)
def test_an_object_that_is_no_provider_is_refused(factory: Any, lacks: str) -> None:
    """What a constructor makes must have default_model and complete(); the error says which."""
    with pytest.raises(PluginError) as caught:
        plan(factory).build()
    assert str(caught.value) == (
        f"provider 'house' is not one: <lambda>() made a Made, which has {lacks}\n"
        "  registered at my.py:3\n"
        "  its author must give it a 'default_model' property and "
        "'async def complete(self, messages, **kwargs)'"
    )


def test_a_property_that_raises_is_told() -> None:
    """A default_model that raises is an error of the plugin's, without the key."""

    class Broken(House):
        @property
        def default_model(self) -> str:  # type: ignore[override]
            raise LookupError(f"no model for {self.kept['api_key']}")

    with pytest.raises(PluginError) as caught:
        plan(Broken, api_key=CANARY).build()
    assert re.fullmatch(
        r"provider 'house' raised LookupError from its default_model: no model for \*\*\* "
        r"\(.*test_building\.py:\d+, in default_model\)\n  registered at my\.py:3",
        str(caught.value),
    )
    assert leaks(caught.value) == []


def broken_module() -> Any:
    raise ImportError(f"No module named 'acme' {os.environ['ACME_KEY']}")


@pytest.mark.parametrize("value", ["canary:Hause", "kanary:House", "canary.gone:House"])
def test_a_misspelt_entry_point_is_its_packages_to_correct(value: str) -> None:
    """Where the entry point names what is not there, nothing has to be installed or upgraded."""
    load = metadata.EntryPoint("acme", value, "war_rig.providers").load
    source = f"entry point acme = {value}"
    registration = Registration("acme", "plugin", source, load, "acme-llm", "2.0")
    with pytest.raises(PluginError) as caught:
        blueprint("acme", registration, env={})
    assert str(caught.value).endswith(
        f"  plugin acme-llm 2.0 ({source})\n"
        "  its entry point names what is not there: correct it in the pyproject.toml of the "
        "package, and install that again; no other provider is affected"
    )


def test_a_failing_import_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin whose module raises is told with its type, and shows no secret of the process."""
    monkeypatch.setenv("ACME_KEY", CANARY)
    registration = Registration("acme", "plugin", "entry point a", broken_module, "acme-llm", "2.0")
    with pytest.raises(PluginError) as caught:
        blueprint("acme", registration, env={})
    assert str(caught.value) == (
        "provider 'acme' could not be imported: ImportError: No module named 'acme' ***\n"
        "  plugin acme-llm 2.0 (entry point a)\n"
        "  install what it misses, upgrade it, or uninstall it; no other provider is affected"
    )
    assert leaks(caught.value) == []


def test_an_entry_point_that_is_no_factory_is_refused() -> None:
    """An entry point to something that can't be called is a plugin that can't be imported."""
    with pytest.raises(PluginError, match="TypeError: a str can't be called to make") as caught:
        plan("House")
    assert str(caught.value).endswith("\n  name a class, or a function that returns a provider")


class UnspeakableError(Exception):
    """An exception whose own text raises."""

    def __str__(self) -> str:
        raise RuntimeError(CANARY)


@pytest.mark.parametrize("error", [UnspeakableError(), SystemExit(7)])
def test_whatever_a_constructor_raises_is_a_plugin_error(error: BaseException) -> None:
    """An exception without a text, or sys.exit(), is reported like any other."""
    with pytest.raises(PluginError, match=f"could not be built: {type(error).__name__}") as caught:
        plan(raising(error)).build()
    assert leaks(caught.value) == []


@pytest.mark.parametrize("error", [UnspeakableError(), SystemExit(7)])
def test_whatever_a_module_raises_is_a_plugin_error(error: BaseException) -> None:
    """A plugin that ends the process at import harms only its own selection."""

    def load() -> Any:
        raise error

    with pytest.raises(PluginError, match=f"could not be imported: {type(error).__name__}"):
        blueprint("house", Registration("house", "plugin", "entry point x", load), env={})


class Odd:
    """A default that can be neither shown nor compared."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError


def test_an_odd_default_does_not_stop_what_is_shown() -> None:
    """A default whose own methods raise is shown by its type."""

    def factory(model: Any = Odd()) -> Kept:  # noqa: B008
        return Kept(model=model)

    made = plan(factory)
    assert made.shown_signature == "factory(model=<Odd>)"
    assert made.parameters[0].shown == "<Odd>"
    assert made.secrets == set()


def test_a_signature_that_raises_takes_anything() -> None:
    """A class whose __signature__ fails is called with what the file gives."""

    class Signed(Kept):
        @property
        def __signature__(self) -> Any:
            raise RuntimeError

        def __call__(self, **given: Any) -> Kept:
            return Kept(**given)

    assert kept(Signed(), model="m") == {"model": "m"}


def test_none_from_code_stands() -> None:
    """create_provider(..., organization=None) beats the environment; null in a file does not."""
    env = {"HOUSE_MODEL": "ambient"}

    def factory(model: str | None = "own") -> Kept:
        return Kept(model=model)

    assert kept(factory, env, model=Argument(None, "create_provider(...)")) == {"model": None}
    assert kept(factory, env, model=None) == {"model": "ambient"}


def test_nested_secrets_are_known_and_masked() -> None:
    """A key inside a map of headers is shown nowhere and leaves through no error."""

    def factory(headers: Any = None, **more: Any) -> Kept:
        raise ValueError(f"bad {headers} {more}")

    made = plan(factory, headers={"x_key": CANARY}, extra={"token": CANARY + "2"}, my_token="t-1")
    assert CANARY not in made.parameters[0].shown + made.shown_extra("extra")
    assert made.shown_extra("my_token") == "***"
    assert CANARY not in made.identity
    with pytest.raises(PluginError) as caught:
        made.build()
    assert leaks(caught.value) == []


def test_the_identity_tells_providers_apart_and_holds_no_secret() -> None:
    """Another URL is another provider; another key is not, nor is another line of registration."""
    one = plan(House, api_key="a", endpoint="https://one").identity
    assert one == plan(House, api_key="b", endpoint="https://one").identity
    assert one != plan(House, api_key="a", endpoint="https://two").identity
    offline = create_provider("offline")
    assert offline.default_model == "offline"
