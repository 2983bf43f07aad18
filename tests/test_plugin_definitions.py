"""A plugin's definition: an API as a file of YAML in an installed package."""

import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest
from canary import CANARY
from conftest import ROOT
from loopback import Server, Tls, answer, serve
from markdown import snippets

from containers import application
from war_rig.config import load
from war_rig.entries import provider_blueprint
from war_rig.errors import ConfigError, PluginError
from war_rig.providers import available_providers, create_provider, registry

PLAIN = """
acme:
  parameters: {api_key: null, endpoint: null}
  url: $endpoint
  model: acme-1
  auth: {bearer: $api_key}
  request: {model: $model, turns: $messages}
  response: {content: said}
"""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that installs a package with one file, which its entry points name."""

    def make(text: str, value: str = "acme_pack:acme.yaml", name: str = "acme") -> Path:
        folder = tmp_path / "site" / "acme_pack"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / "acme.yaml").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path / "site")
        point = EntryPoint(name, value, registry.GROUP)
        monkeypatch.setattr(registry, "_entry_points", lambda: (point,))
        return folder

    yield make
    sys.modules.pop("acme_pack", None)


@pytest.fixture
def api() -> Iterator[Server]:
    with serve(answer({"said": "Hello."})) as server:
        yield server


def test_its_name_and_its_key_are_enough(install: Install, api: Server) -> None:
    """A colleague who installed the package sets LLM_PROVIDER and what it declares, no more."""
    install(PLAIN)
    env = {"LLM_PROVIDER": "acme", "ACME_API_KEY": CANARY, "ACME_ENDPOINT": api.url}
    assert application(env=env).agents("assistant").run_sync("Hello").content == "Hello."
    assert api.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert api.requests[0].json["model"] == "acme-1"


def test_an_entry_lies_over_it_as_over_a_shipped_one(
    install: Install, api: Server, tmp_path: Path
) -> None:
    """Keys of the user's entry merge with the definition's, placeholders and all."""
    install(PLAIN)
    path = tmp_path / "own.yaml"
    path.write_text(
        "llm_provider: team\n"
        "providers:\n"
        "  team: {type: acme, headers: {X-Model: $model}, request: {voice: $model}}\n"
    )
    env = {"TEAM_API_KEY": CANARY, "TEAM_ENDPOINT": api.url, "TEAM_MODEL": "m-7"}
    application(path, env).agents("assistant").run_sync("Hello")
    assert api.requests[0].headers["x-model"] == "m-7"
    assert api.requests[0].json.keys() == {"model", "turns", "voice"}


def test_its_host_is_known_before_anything_is_sent(install: Install) -> None:
    """`war-rig document` says where the source goes, also where the package knows the URL."""
    install(PLAIN.replace("$endpoint", "https://$endpoint.acme.example/v1"))
    for endpoint, hosts in [("eu", ["eu.acme.example"]), (None, [])]:
        env = {"ACME_API_KEY": CANARY} | ({"ACME_ENDPOINT": endpoint} if endpoint else {})
        assert provider_blueprint("acme", load(None, env)).hosts == hosts


def test_listing_reads_no_file(install: Install) -> None:
    """A definition is found by its entry point alone; neither package nor file is touched."""
    (install(PLAIN) / "acme.yaml").unlink()
    assert "acme" in available_providers()
    assert "acme_pack" not in sys.modules


def test_its_words_are_those_of_every_file(install: Install, api: Server) -> None:
    """`no` is text, as in war_rig.yaml."""
    install(PLAIN.replace("model: acme-1", "model: no"))
    made = create_provider("acme", api_key=CANARY, endpoint=api.url)
    assert made.default_model == "no"


def test_every_fault_has_its_line(install: Install) -> None:
    """What is wrong with a definition is told at once: file of the package, line and key."""
    install(PLAIN.replace("$model,", "$modell,").replace("content: said", "contents: said"))
    with pytest.raises(ConfigError) as failed:
        application(env={"LLM_PROVIDER": "acme", "ACME_ENDPOINT": "https://h"}).llm_provider()
    lines = [line.partition(": ")[0] for line in str(failed.value).splitlines()]
    assert lines[0] == "provider 'acme' has 4 faults"
    assert sorted(lines[1:]) == [
        "  acme_pack/acme.yaml:3  providers.acme.api_key",
        "  acme_pack/acme.yaml:7  providers.acme.request.model",
        "  acme_pack/acme.yaml:8  providers.acme.response.content",
        "  acme_pack/acme.yaml:8  providers.acme.response.contents",
    ]


def test_a_fault_of_the_definition_is_told_there_beside_an_entry(
    install: Install, tmp_path: Path
) -> None:
    """The line is the package's for what the package wrote, the user's for what the user must."""
    install(PLAIN.replace("content: said", "contents: said"))
    own = tmp_path / "own.yaml"
    own.write_text("providers:\n  team: {type: acme, endpoint: 'https://h'}\n")
    with pytest.raises(ConfigError) as failed:
        application(own, {}, llm_provider="team").llm_provider()
    lines = [line.partition(": ")[0] for line in str(failed.value).splitlines()]
    assert sorted(line.rpartition("/")[2] for line in lines[1:]) == [
        "acme.yaml:8  providers.team.response.content",
        "acme.yaml:8  providers.team.response.contents",
        "own.yaml:2  providers.team.api_key",
    ]


def test_what_was_not_set_is_one_fault_each(install: Install) -> None:
    """Without variables a user is told which there are, and not what that does to a URL."""
    install(PLAIN)
    with pytest.raises(ConfigError) as failed:
        application(env={"LLM_PROVIDER": "acme"}).llm_provider()
    told = str(failed.value).splitlines()
    assert told[0] == "provider 'acme' needs 'api_key' and 'endpoint'"
    assert [line.split(", ")[1] for line in told[2:]] == ["ACME_API_KEY", "ACME_ENDPOINT"]
    with pytest.raises(ConfigError, match="url: uses a parameter that has no value"):
        create_provider("acme", api_key=CANARY, endpoint="")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("acme: {url: [}", "acme_pack/acme.yaml:1  expected the node content"),
        ("", "acme_pack/acme.yaml:1  acme: must be the map of a definition; the file has: nothing"),
        ("a: {}\nb: 1", "acme_pack/acme.yaml:1  acme: must be the map of a definition; the file "
         "has: a, b"),
        ("\nacme: 1", "acme_pack/acme.yaml:2  acme: must be the map of a definition"),
        ("acme:\n  parameters: [key]", "acme_pack/acme.yaml:2  acme.parameters: must be a map"),
        ("acme:\n  parameters:\n    api-key: x", "acme_pack/acme.yaml:3  acme.parameters.api-key: "
         "is not a name"),
        ("acme:\n  auth: {bearer: '${ACME_API_KEY}'}", "acme_pack/acme.yaml:2  acme.auth.bearer: "
         "is a variable, which a definition has none of: declare a parameter, write $name"),
        ("acme:\n  parameters: {class: x}", "acme.parameters.class: is not a name"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_definition_is_told(install: Install, text: str, told: str) -> None:
    """The message names the file, the line, and what has to stand there."""
    install(text)
    with pytest.raises(ConfigError) as failed:
        create_provider("acme")
    assert str(failed.value).startswith("the definition of provider 'acme' has a fault\n")
    assert told in str(failed.value)


def test_a_definition_needs_no_parameters(install: Install, api: Server) -> None:
    """An API without a key has nothing to declare."""
    text = PLAIN.replace("{api_key: null, endpoint: null}", "null").replace("$endpoint", api.url)
    install(text.replace("  auth: {bearer: $api_key}\n", ""))
    assert create_provider("acme").default_model == "acme-1"


def test_what_lies_in_no_package_is_the_plugins_fault(install: Install) -> None:
    """A file or a package that is not there harms its own selection only."""
    (install(PLAIN) / "acme.yaml").unlink()
    with pytest.raises(ConfigError, match=r"acme_pack/acme\.yaml  can't be read: No such file"):
        create_provider("acme")
    install(PLAIN, "not_there:acme.yaml")
    with pytest.raises(PluginError, match="could not be imported: ModuleNotFoundError"):
        create_provider("acme")


def test_the_key_of_the_file_is_the_entry_points_name(install: Install) -> None:
    """One file may hold several definitions; a name is compared as everywhere else."""
    install(PLAIN.replace("acme:", "Acme-LLM:", 1), name="Acme-LLM")
    made = create_provider("acme_llm", api_key=CANARY, endpoint="https://h")
    assert made.default_model == "acme-1"


def test_paths_start_at_its_file(install: Install, tmp_path: Path) -> None:
    """The package brings its authority's certificate, and a key's file of its own."""
    tls = Tls(tmp_path)
    with serve(answer({"said": "Hello."}), tls.server) as api:
        text = (
            PLAIN.replace("$endpoint", api.url)
            .replace("{bearer: $api_key}", "\n    bearer: {file: key.txt}\n  ca: company.pem")
            .replace("{api_key: null, endpoint: null}", "{}")
        )
        folder = install(dedent(text))
        (folder / "company.pem").write_bytes(tls.ca.read_bytes())
        (folder / "key.txt").write_text(CANARY)
        app = application(env={"LLM_PROVIDER": "acme"})
        assert app.agents("assistant").run_sync("Hello").content == "Hello."
        assert api.requests[0].headers["authorization"] == f"Bearer {CANARY}"


def test_the_pages_example_is_one(install: Install) -> None:
    """What docs/http.md shows of a package is an entry point and a file that fit together."""
    page = ROOT / "docs" / "http.md"
    (toml,) = snippets(page, "toml")
    ((name, value),) = tomllib.loads(toml.code)["project"]["entry-points"][registry.GROUP].items()
    (text,) = (s.code for s in snippets(page, "text") if s.code.startswith(f"{name}:\n"))
    folder = install(text, value.replace("acme_warrig", "acme_pack"), name)
    (folder / "company.pem").touch()
    made = create_provider(name, api_key=CANARY)
    assert repr(made) == "<HttpProvider of eu.llm.acme.example>"


def test_a_file_that_was_only_found_gives_it_no_arguments(install: Install, tmp_path: Path) -> None:
    """Somebody else's folder can't lead the package's own keys elsewhere."""
    install(PLAIN)
    (tmp_path / "war_rig.yaml").write_text(
        "llm_provider: acme\nproviders: {acme: {url: 'https://evil.example'}}"
    )
    with pytest.raises(ConfigError, match="may not give arguments to a plugin"):
        application(env={"ACME_API_KEY": CANARY}).llm_provider()
