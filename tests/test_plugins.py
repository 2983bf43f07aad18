"""Which installed plugins may be imported: those that plugins.allow lists, and no others."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT
from houses import House

from containers import application
from containers.cli.explain import explain
from containers.cli.providers import list_providers
from war_rig.config import load
from war_rig.errors import ConfigError, PluginError, UnknownProviderError
from war_rig.plugins import EVERY_PLUGIN, AllowedPlugins
from war_rig.providers import available_providers, create_provider, register_provider, registry
from war_rig.readers import readers

MY = Path("my.yaml")
NOWHERE = "a_module_that_is_not_there:Provider"
HERE = f"{__name__}:House"
FORM = (
    "must be a distribution, with or without versions, as pip takes them: "
    "acme-llm, acme-llm==1.2, acme-llm>=1,<2"
)


def entry_point(name: str, owner: str, value: str, group: str) -> EntryPoint:
    point = EntryPoint(name, value, group)
    project, _, version = owner.partition("==")
    vars(point)["dist"] = SimpleNamespace(name=project, version=version)
    return point


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these plugins, each (name, distribution==version, value), be the installed ones."""

    def install(*offers: tuple[str, str, str]) -> None:
        points = tuple(entry_point(*offer, registry.GROUP) for offer in offers)
        monkeypatch.setattr(registry, "_entry_points", lambda: points)

    return install


def app(text: str, **options: Any) -> Any:
    MY.write_text(text)
    return application(MY, env={}, **options)


def refusal(text: str, name: str = "acme") -> str:
    """Return what is said where *name* is selected with a file that says *text*."""
    with pytest.raises(PluginError) as caught:
        app(text, llm_provider=name).llm_provider()
    return str(caught.value)


# the list


@pytest.mark.parametrize(
    ("items", "has"),
    [
        ((), False),
        (("acme-llm",), True),
        (("other", "ACME_llm"), True),
        (("acme.llm == 1.2",), True),
        (("acme-llm==1.2.0",), True),
        (("acme-llm>=1,<2",), True),
        (("acme-llm~=1.1",), True),
        (("acme-llm==1.*",), True),
        (("acme-llm==1.3",), False),
        (("acme-llm<1", "acme-llm>=2"), False),
        (("acme",), False),
        (None, True),
    ],
)
def test_an_item_is_a_distribution_with_or_without_versions(
    items: tuple[str, ...] | None, has: bool
) -> None:
    """Names and versions are compared as pip does; one item that fits is enough."""
    assert AllowedPlugins(items).has("acme-llm", "1.2") is has


@pytest.mark.parametrize("version", ["2.0rc1", "0.9.dev3", "1!1.0"])
def test_any_version_is_one_that_pip_knows(version: str) -> None:
    """A pre-release that is installed is compared like any other; a name alone takes all."""
    assert AllowedPlugins(("acme-llm",)).has("acme-llm", version)
    assert not AllowedPlugins(("acme-llm>=1,<2",)).has("acme-llm", version)


def test_a_version_that_is_none_is_not_advised() -> None:
    """What is to be added can be written into the list."""
    told = AllowedPlugins((), "my.yaml:2").refusal("provider 'a'", "odd", "1.0-my-fork", "plugin")
    assert told.endswith("\n  if you trust it, add odd")


def test_a_version_that_is_none_fits_no_versions() -> None:
    """Metadata may say anything; only an item without versions takes it."""
    assert AllowedPlugins(("acme-llm",)).has("acme-llm", "who knows")
    assert not AllowedPlugins(("acme-llm>=0",)).has("acme-llm", "who knows")


@pytest.mark.parametrize(("name", "version"), [(None, "1"), ("acme-llm", None)])
def test_what_does_not_say_what_it_is_fits_no_list(name: str | None, version: str | None) -> None:
    """A plugin without metadata can't be listed, so a list keeps it out."""
    assert not AllowedPlugins(("acme-llm",)).has(name, version)
    assert EVERY_PLUGIN.has(name, version)


# the file


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("plugins: {allow: acme-llm}", "1  plugins.allow: must be a list"),
        ("plugins:\n  allow:\n", "2  plugins.allow: must be a list"),
        ("plugins: {}", "1  plugins.allow: is missing"),
        ("plugins: [acme-llm]", "1  plugins: must be a map"),
        (
            "plugins: {alow: []}",
            "1  plugins.alow: is no key here. Did you mean 'allow'? Known: allow",
        ),
        ("plugins:\n  allow:\n  - 7", "3  plugins.allow.0: must be text: put it in quotes"),
        ("plugins:\n  allow:\n  - a\n  - '*'", f"4  plugins.allow.1: {FORM}"),
        ("plugins: {allow: [acme-llm 1.2]}", f"1  plugins.allow.0: {FORM}"),
        ("plugins: {allow: ['acme-llm[fast]']}", f"1  plugins.allow.0: {FORM}"),
        ("plugins: {allow: ['acme-llm @ https://x']}", f"1  plugins.allow.0: {FORM}"),
        ("plugins: {allow: ['acme-llm; python_version > \"3\"']}", f"1  plugins.allow.0: {FORM}"),
        ("plugins: {allow: ['${NOT_SET:}']}", f"1 (${{NOT_SET}})  plugins.allow.0: {FORM}"),
    ],
)
def test_what_is_no_list_of_distributions_is_refused(text: str, fault: str) -> None:
    """A fault in the list ends the run: it does not let everything in."""
    MY.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(MY, {})
    lines = str(caught.value).splitlines()
    assert f"  my.yaml:{fault}" in lines
    assert lines[0] == f"the configuration has {'a fault' if len(lines) == 2 else '2 faults'}"


def test_the_list_knows_where_it_stands() -> None:
    """It may use the environment, and an empty section is no list."""
    MY.write_text("plugins:\n  allow: ['${COMPANY}-llm']")
    assert load(MY, {"COMPANY": "acme"}).plugins == AllowedPlugins(("acme-llm",), "my.yaml:2")
    for text in ("", "plugins:\n"):
        MY.write_text(text)
        assert load(MY, {}).plugins == EVERY_PLUGIN


@pytest.mark.parametrize("text", ["plugins: {allow: [acme-llm]}", "plugins:", "plugins: {}"])
def test_a_file_that_was_only_found_has_no_say(text: str) -> None:
    """Somebody else's folder neither widens nor narrows what may be imported."""
    Path("war_rig.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(None, {})
    assert str(caught.value).splitlines()[1] == (
        "  war_rig.yaml:1  plugins: may not be set; war_rig.yaml was only found in the current "
        "folder: to trust it, pass --config war_rig.yaml or set WAR_RIG_CONFIG=war_rig.yaml"
    )
    Path("trusted.yaml").write_text("plugins: {allow: []}")
    assert load(None, {"WAR_RIG_CONFIG": "trusted.yaml"}).plugins.items == ()


# selecting


def test_without_a_list_every_installed_plugin_may_be_selected(
    installed: Callable[..., None],
) -> None:
    """The default: what is installed can be selected, and what is selected is imported."""
    installed(("acme", "acme-llm==1.0", HERE), ("other", "other-llm==1.0", NOWHERE))
    made = app("providers: {acme: {api_key: k}}", llm_provider="acme")
    assert made.llm_provider().default_model == "kept-1"


def test_a_plugin_that_is_not_listed_is_refused(installed: Callable[..., None]) -> None:
    """The message says what is not allowed, what is listed where, and what to add."""
    installed(("acme", "acme-llm==1.0", NOWHERE))
    assert refusal("plugins:\n  allow: [other-llm, acme-llm>=2]") == (
        "provider 'acme' is not allowed: plugins.allow does not list acme-llm 1.0\n"
        f"  plugin acme-llm 1.0 (entry point acme = {NOWHERE})\n"
        "  my.yaml:2 lists: other-llm, acme-llm>=2\n"
        "  if you trust it, add acme-llm, or acme-llm==1.0 for this version only"
    )
    assert "\n  my.yaml:1 lists: nothing\n" in refusal("plugins: {allow: []}")


def test_the_page_on_security_shows_this_message(installed: Callable[..., None]) -> None:
    """What the page shows of a refusal is what is said, with the list that the page has."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    shown = page.split("```text\nerror: ")[1].split("\n```")[0]
    text = page.split("```yaml\n")[1].split("```")[0]
    installed(("house", "house-llm==0.3", "house_llm:HouseProvider"))
    assert refusal(text, "house") == shown.replace("war_rig.yaml", "my.yaml")


def test_what_is_to_be_added_is_enough(installed: Callable[..., None]) -> None:
    """Either of the two that the message names lets the plugin in."""
    installed(("acme", "acme-llm==1.0", HERE))
    for item in ("acme-llm", "acme-llm==1.0"):
        made = app(f"plugins: {{allow: [{item}]}}\nproviders: {{acme: {{api_key: k}}}}",
                   llm_provider="acme")  # fmt: skip
        assert made.llm_provider().default_model == "kept-1"


@pytest.mark.parametrize(
    "text",
    [
        "agents: {clerk: {provider: acme}}",
        "agents: {clerk: {provider: paris}}\nproviders: {paris: {type: acme}}",
        "agents: {clerk: {provider: offline}}\n"
        "providers: {offline: {policies: {fallback: [acme]}}}",
    ],
)
def test_no_way_leads_to_a_plugin_that_is_not_listed(
    installed: Callable[..., None], text: str
) -> None:
    """Neither an agent's own provider, nor an entry's type, nor a fallback imports it."""
    installed(("acme", "acme-llm==1.0", NOWHERE))
    with pytest.raises(PluginError, match=r"^provider 'acme' is not allowed: "):
        app(f"plugins: {{allow: []}}\n{text}").agents("clerk")


def test_a_definition_in_a_package_is_held_to_the_list_too(
    installed: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its package is imported, and its YAML read, only where it is listed."""
    folder = tmp_path / "site" / "acme_defined"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("import sys\nsys.acme_was_imported = True\n")
    (folder / "acme.yaml").write_text(
        "acme: {url: 'https://llm.example.com', model: acme-1, request: {turns: $messages},"
        " response: {content: said}}"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    installed(("acme", "acme-llm==1.0", "acme_defined:acme.yaml"))
    assert refusal("plugins: {allow: []}").startswith("provider 'acme' is not allowed: ")
    assert not hasattr(sys, "acme_was_imported")
    made = app("plugins: {allow: [acme-llm]}", llm_provider="acme")
    assert made.llm_provider().default_model == "acme-1"
    del sys.acme_was_imported, sys.modules["acme_defined"]  # type: ignore[attr-defined]


def test_what_is_no_plugin_is_always_allowed(installed: Callable[..., None]) -> None:
    """Built-ins, definitions, and what this process registers itself are in no list."""
    installed()
    register_provider("house", lambda: House("k"))
    made = app("plugins: {allow: []}\nproviders: {groq: {api_key: k}}")
    for name in ("offline", "house", "groq"):
        assert made.llm_provider.providers[name]().default_model


def test_a_name_is_not_taken_by_a_plugin_that_is_not_listed(
    installed: Callable[..., None],
) -> None:
    """Of two that offer it, the one that may be imported is meant; so a built-in keeps its own."""
    installed(
        ("acme", "acme-llm==1.0", HERE),
        ("acme", "evil-llm==1.0", NOWHERE),
        ("offline", "evil-llm==1.0", NOWHERE),
    )
    text = "plugins: {allow: [acme-llm]}\nproviders: {acme: {api_key: k}}"
    assert app(text, llm_provider="acme").llm_provider().default_model == "kept-1"
    assert app(text, llm_provider="offline").llm_provider().default_model == "offline"
    with pytest.raises(PluginError, match="is offered more than once"):
        app("", llm_provider="acme").llm_provider()
    chosen = "plugins: {allow: [acme-llm]}\nproviders: {offline: {distribution: evil-llm}}"
    assert refusal(chosen, "offline").startswith(
        "provider 'offline' is not allowed: plugins.allow does not list evil-llm 1.0\n"
    )


def test_a_name_that_is_not_allowed_is_offered_to_nobody(installed: Callable[..., None]) -> None:
    """An error lists the names that can be selected, and only these are options."""
    installed(("acme", "acme-llm==1.0", NOWHERE))
    made = app("plugins: {allow: []}", llm_provider="acmee")
    assert "acme" not in made.llm_provider.providers
    with pytest.raises(UnknownProviderError) as caught:
        made.llm_provider()
    names = ", ".join(name for name in available_providers() if name != "acme")
    assert f"\n  available: {names}\n" in str(caught.value)
    made = app("plugins: {allow: []}\nproviders: {a: {type: acmee}}", llm_provider="a")
    with pytest.raises(UnknownProviderError, match=r"available: anthropic, azure_openai, cere"):
        made.llm_provider()


def test_the_list_is_the_containers(installed: Callable[..., None]) -> None:
    """create_provider() reads no file, and code that names a plugin itself has chosen it."""
    installed(("acme", "acme-llm==1.0", HERE))
    app("plugins: {allow: []}")
    assert "acme" in available_providers()
    assert create_provider("acme", api_key="k").default_model == "kept-1"


# what is shown


def test_the_listing_shows_what_is_not_allowed(
    installed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its status says so, also for an entry of that type, and it conflicts with nothing."""
    installed(
        ("acme", "acme-llm==1.0", NOWHERE),
        ("offline", "evil-llm==1.0", NOWHERE),
        ("other", "other-llm==2.0", NOWHERE),
    )
    MY.write_text(
        "llm_provider: acme\n"
        "plugins: {allow: [other-llm]}\n"
        "providers: {paris: {type: acme}, rome: {type: other}, acme: {model: m}}\n"
    )
    list_providers(SimpleNamespace(invoked_subcommand=None), MY)  # type: ignore[arg-type]
    shown = capsys.readouterr()
    rows = [" ".join(line.split()) for line in shown.out.splitlines()]
    wanted = ("acme", "offline", "other", "paris", "rome")
    assert [row for row in rows if row.split()[0] in wanted] == [
        f"acme not allowed acme-llm 1.0, entry point acme = {NOWHERE}",
        next(row for row in rows if row.startswith("offline available war-rig ")),
        f"offline not allowed evil-llm 1.0, entry point offline = {NOWHERE}",
        f"other available other-llm 2.0, entry point other = {NOWHERE}",
        "paris not allowed my.yaml:3, type acme",
        "rome available my.yaml:3, type other",
    ]
    assert shown.err == "selected, but not usable: acme; see: war-rig ask hello\n"


def test_the_listing_says_what_selecting_does(
    installed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the file settles on a distribution, nobody else's provider is selected."""
    installed(("openai", "evil-llm==1.0", NOWHERE), ("house", "Good__LLM==1.0", HERE))
    MY.write_text(
        "llm_provider: openai\n"
        "plugins: {allow: [good.llm]}\n"
        "providers:\n"
        "  openai: {distribution: evil-llm}\n"
        "  paris: {type: openai, distribution: Evil_LLM}\n"
        "  house: {distribution: good-llm}\n"
    )
    list_providers(SimpleNamespace(invoked_subcommand=None), MY)  # type: ignore[arg-type]
    shown = capsys.readouterr()
    rows = [line.split() for line in shown.out.splitlines()]
    wanted = ("openai", "paris", "house")
    assert [row[:3] for row in rows if row[0] in wanted] == [
        ["house", "available", "Good__LLM"],
        ["openai", "not", "allowed"],
        ["openai", "not", "chosen"],
        ["paris", "not", "allowed"],
    ]
    assert shown.err == "selected, but not usable: openai; see: war-rig ask hello\n"
    with pytest.raises(PluginError, match="'openai' is not allowed"):
        application(MY, env={}).llm_provider()


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("plugins:\n  allow: [acme-llm, other>=2]", "[acme-llm, other>=2] my.yaml:2"),
        ("plugins: {allow: []}", "[] my.yaml:1"),
        ("", "all that are installed default"),
    ],
)
def test_explain_shows_the_list_with_its_place(
    text: str, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What may be imported is a row like any other, also where nobody set it."""
    MY.write_text(text)
    explain(config=MY)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"plugins.allow {row}" in rows


# readers


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one reader of a plugin, which can't be imported, and one of War Rig's own."""
    points = [
        entry_point("shout", "shout-reader==1.0", NOWHERE, "war_rig.readers"),
        entry_point("jcl", "war-rig==1.0", "war_rig.readers.jcl:JclReader", "war_rig.readers"),
    ]
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: points if group == points[0].group else []
    )


@pytest.mark.usefixtures("reader")
def test_a_reader_that_is_not_listed_is_left_out_and_told() -> None:
    """It is not imported, its files are read as plain text, and War Rig's own stay."""
    told: list[str] = []
    known = readers(60, told, AllowedPlugins((), "my.yaml:1"))
    assert [one.language for one in known] == ["JCL", "text"]
    assert told == [
        "the reader 'shout' is not allowed: plugins.allow does not list shout-reader 1.0\n"
        f"  entry point {NOWHERE}\n"
        "  my.yaml:1 lists: nothing\n"
        "  if you trust it, add shout-reader, or shout-reader==1.0 for this version only"
    ]
    readers(60, told, AllowedPlugins(("shout-reader",)))
    assert told[1].startswith("the reader 'shout' could not be made: ModuleNotFoundError: ")
