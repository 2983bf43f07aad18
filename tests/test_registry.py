"""Which names there are, who offers them, and how they are registered."""

import os
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import House, Kept

from war_rig import __version__
from war_rig.errors import PluginError, UnknownProviderError
from war_rig.providers import (
    available_providers,
    create_provider,
    register_provider,
)
from war_rig.providers import registry as names


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these entry points, each (name, distribution), be the installed ones."""

    def install(*offers: tuple[str, str | None]) -> None:
        points = []
        for name, owner in offers:
            point = EntryPoint(name=name, value=f"{__name__}:House", group=names.GROUP)
            vars(point).update(dist=owner and SimpleNamespace(name=owner, version="1.0"))
            points.append(point)
        monkeypatch.setattr(names, "_entry_points", lambda: tuple(points))

    install()
    return install


def test_an_instance_is_not_registered() -> None:
    """register_provider takes what makes a provider, and says how to wrap an instance."""
    with pytest.raises(TypeError) as caught:
        register_provider("house", House("k"))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "register_provider('house', ...) takes the class or a function that returns a "
        "provider, not a House: wrap an instance in a lambda"
    )


@pytest.mark.parametrize("name", ["", "9lives", "my llm", "é", "a.b", "_private"])
def test_a_bad_name_is_not_registered(name: str) -> None:
    """A name is letters, digits, - and _, a letter first."""
    with pytest.raises(ValueError, match=re.escape(f"{name!r} is not a name: use letters")):
        register_provider(name, House)
    with pytest.raises(UnknownProviderError) as caught:
        create_provider(name)
    assert str(caught.value) == (
        f"unknown provider: {name!r} is not a name: use letters, digits, '-' and '_', "
        "a letter first"
    )


def test_registering_again_replaces() -> None:
    """The last registration of a name holds."""
    register_provider("house", lambda: Kept(version=1))
    register_provider("house", lambda: Kept(version=2))
    made: Any = create_provider("house")
    assert made.kept == {"version": 2}
    assert available_providers().count("house") == 1


@pytest.mark.parametrize("spelling", ["My-LLM", " my_llm ", "MY-LLM"])
def test_names_are_normalised_everywhere(spelling: str) -> None:
    """Case, surrounding spaces, - and _ make no difference to a name."""
    register_provider(spelling, lambda: Kept())
    assert "my_llm" in available_providers()
    assert isinstance(create_provider("my-llm"), Kept)


def test_create_provider_may_take_a_parameter_called_name() -> None:
    """A constructor's own parameter `name` does not clash with create_provider's."""
    register_provider("house", Kept)
    made: Any = create_provider("house", name="mine")
    assert made.kept == {"name": "mine"}


def test_an_unknown_name_lists_what_is_there(installed: Callable[..., None]) -> None:
    """The error gives the nearest name, all that are available, and how to add one."""
    installed(("house", "acme-llm"))
    with pytest.raises(UnknownProviderError) as caught:
        create_provider("opnai")
    assert str(caught.value) == (
        "unknown provider 'opnai'. Did you mean 'openai'?\n"
        f"  available: {', '.join(available_providers())}\n"
        "  to add it, install a plugin, write an entry with a 'type' under 'providers:', or call "
        "register_provider() in this process (the war-rig command sees no other process's)"
    )


def test_a_plugin_in_a_misspelt_group_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry point in another group than ours is no provider, and the error says why."""
    info = tmp_path / "acme_llm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-llm\nVersion: 1.0\n")
    entry_points = "[war-rig.providers]\n9 = acme:House\nacme-house = acme:House\n"
    (info / "entry_points.txt").write_text(entry_points)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnknownProviderError) as caught:
        create_provider("acme_house")
    assert str(caught.value).splitlines()[2] == (
        "  acme-llm offers 'acme-house' in the group 'war-rig.providers' of entry points: in its "
        "pyproject.toml the group must be 'war_rig.providers'"
    )


def test_the_built_in_ones_are_there() -> None:
    """Without a plugin there are three names, and the one without a key can be made."""
    assert {"azure_openai", "offline", "openai"} <= set(available_providers())
    assert create_provider("offline").default_model == "offline"
    assert names.find("offline").described == "built in"
    assert names.find("offline").version == __version__


def test_a_plugin_is_made_from_its_entry_point(installed: Callable[..., None]) -> None:
    """An entry point's name is normalised, and its provider says which distribution it is of."""
    installed(("My-House", "acme-llm"), ("nobodys", None))
    made: Any = create_provider("my_house", api_key="k")
    assert made.kept["api_key"] == "k"
    assert names.find("my_house").described == (
        f"plugin acme-llm 1.0 (entry point My-House = {__name__}:House)"
    )
    assert names.find("nobodys").described == (
        f"plugin unknown distribution ? (entry point nobodys = {__name__}:House)"
    )


def test_a_plugin_with_an_unusable_name_harms_nobody(installed: Callable[..., None]) -> None:
    """An entry point whose name is none is left out, and reported."""
    installed(("9lives", "acme-llm"), ("house", "acme-llm"))
    plugins = [r.name for r in names.registrations() if r.kind == "plugin"]
    assert plugins == ["house"]
    assert "house" in available_providers()
    assert names.unusable_entry_points() == [
        f"entry point 9lives = {__name__}:House of acme-llm: '9lives' is not a name: "
        "use letters, digits, '-' and '_', a letter first"
    ]


def test_a_name_taken_twice_is_not_chosen(installed: Callable[..., None]) -> None:
    """Two plugins of one name, or one with a built-in's, are an error that names both."""
    installed(("house", "acme-llm"), ("House", "other-llm"), ("openai", "acme-llm"))
    with pytest.raises(PluginError) as caught:
        create_provider("house")
    assert str(caught.value) == (
        "provider 'house' is offered more than once, so War Rig will not choose\n"
        f"  acme-llm 1.0: entry point house = {__name__}:House\n"
        f"  other-llm 1.0: entry point House = {__name__}:House\n"
        "  set providers.house.distribution in war_rig.yaml to one of them, "
        "or uninstall the other"
    )
    with pytest.raises(PluginError, match=f"\n  war-rig {__version__}: built in\n"):
        create_provider("openai")


def test_a_distribution_settles_a_name_taken_twice(installed: Callable[..., None]) -> None:
    """The distribution may be spelled as pip spells it, and one that offers nothing is named."""
    installed(("house", "acme-llm"), ("house", "other.llm"), ("openai", "acme-llm"))
    assert names.find("house", "Other_LLM").distribution == "other.llm"
    assert names.find("openai", "war-rig").kind == "built-in"
    with pytest.raises(PluginError) as caught:
        names.find("house", "third")
    assert str(caught.value) == (
        "provider 'house' is not offered by the distribution 'third'\n"
        "  it is offered by: acme-llm, other.llm\n"
        "  correct or remove providers.house.distribution"
    )


def test_a_distribution_is_not_what_was_registered(installed: Callable[..., None]) -> None:
    """What this process registered is of no distribution; the error says where it was."""
    with pytest.raises(PluginError, match="\n  it is offered by: nobody\n"):
        names.find("house", "acme-llm")
    register_provider("house", House)
    with pytest.raises(PluginError, match="\n  it is offered by: registered at "):
        names.find("house", "acme-llm")


def test_a_registered_class_beats_all_others(installed: Callable[..., None]) -> None:
    """Registering beats a plugin and a built-in, and is no conflict."""
    installed(("offline", "acme-llm"))
    register_provider("offline", lambda: Kept())
    assert isinstance(create_provider("offline"), Kept)


REGISTER = "register_provider('house', House)"


@pytest.mark.parametrize("folder", [".", "below"])
def test_a_registration_tells_its_place(tmp_path: Path, folder: str) -> None:
    """Where a name was registered is told by file and line, below the current folder if it is."""
    code = compile(f"\n{REGISTER}", str(tmp_path / folder / "my.py"), "exec")
    exec(code, {"register_provider": register_provider, "House": House})
    place = os.path.normpath(f"{folder}/my.py")
    assert names.find("house").described == f"registered at {place}:2"


def test_a_registration_from_elsewhere_tells_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file outside the current folder is told as it is, also where that folder is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = compile(REGISTER, "/elsewhere/my.py", "exec")
    for leave in (lambda: None, gone.rmdir):
        monkeypatch.chdir(gone)
        leave()
        exec(code, {"register_provider": register_provider, "House": House})
        assert names.find("house").described == "registered at /elsewhere/my.py:1"
