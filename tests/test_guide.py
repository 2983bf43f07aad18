"""The guide for authors as a specification: what it shows works, unedited.

docs/custom-provider.md always; also the file that WAR_RIG_GUIDE names.
"""

import asyncio
import builtins
import dataclasses
import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from conftest import ROOT, Installed, build_wheel, run
from loopback import Server, answer, serve
from markdown import Snippet, snippets
from pydantic import BaseModel
from streams import streaming

import war_rig.providers
from containers import application
from war_rig.errors import MalformedAnswerError, PluginError
from war_rig.providers import (
    CompletionChunk,
    CompletionResponse,
    LLMProvider,
    Message,
    register_provider,
)

OWN = ROOT / "docs" / "custom-provider.md"
GUIDES = [OWN, *(Path(p).resolve() for p in [os.environ.get("WAR_RIG_GUIDE")] if p)]
REPLY = {"output": "Hello from the loopback.", "model": "m-1", "usage": {"total_tokens": 5}}

guides = pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)


def of(language: str) -> Any:
    found = [snippet for guide in GUIDES for snippet in snippets(guide, language)]
    return pytest.mark.parametrize("snippet", found, ids=lambda snippet: snippet.id)


@dataclasses.dataclass(frozen=True)
class Plugin:
    """What a guide says of its plugin: the entry point, and the snippets it is made of."""

    project: str
    name: str
    module: str
    attribute: str
    toml: Snippet
    code: Snippet
    manual: Snippet


def plugin_of(guide: Path) -> Plugin:
    toml = snippets(guide, "toml")[0]
    project = tomllib.loads(toml.code)["project"]
    ((name, value),) = project["entry-points"]["war_rig.providers"].items()
    module, attribute = value.split(":")
    classes = [s for s in snippets(guide, "python") if f"class {attribute}:" in s.code]
    code = next(s for s in classes if "__init__(self):" in s.code)
    manual = next(s for s in classes if "__init__(self, api_key" in s.code)
    return Plugin(project["name"], name, module, attribute, toml, code, manual)


def execute(snippet: Snippet, supplied: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a snippet in a namespace of its own and return that namespace."""
    namespace: dict[str, Any] = {
        "__name__": "snippet",
        "dataclass": dataclasses.dataclass,
        "Protocol": Protocol,
        "Message": Message,
        "CompletionResponse": CompletionResponse,
        "LLMProvider": LLMProvider,
        **(supplied or {}),
    }
    exec(compile(snippet.code, snippet.id, "exec"), namespace)
    return namespace


@pytest.fixture
def api() -> Iterator[Server]:
    with serve(answer(REPLY)) as server:
        yield server


@pytest.fixture
def manual_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], type]:
    """Put the manual class of a guide where its registering snippet imports it from."""

    def supply(guide: Path) -> type:
        plugin = plugin_of(guide)
        made: type = execute(plugin.manual)[plugin.attribute]
        module = ModuleType(plugin.module.split(".")[0])
        setattr(module, plugin.attribute, made)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return made

    return supply


@of("python")
def test_every_python_snippet_runs(
    snippet: Snippet, tmp_path: Path, manual_module: Callable[[Path], type]
) -> None:
    """Each Python block of the guide runs in a namespace of its own, with nothing changed."""
    made = manual_module(snippet.file)
    register_provider(plugin_of(snippet.file).name, made)
    (tmp_path / "config.yml").write_text("model: from-the-file\n")
    execute(snippet, {made.__name__: made})


@of("toml")
def test_every_toml_snippet_names_the_plugin(snippet: Snippet) -> None:
    """Each TOML block is valid and registers the same entry point."""
    project = tomllib.loads(snippet.code)["project"]
    plugin = plugin_of(snippet.file)
    assert project["name"] == plugin.project
    assert project["entry-points"]["war_rig.providers"] == {
        plugin.name: f"{plugin.module}:{plugin.attribute}"
    }


@pytest.fixture(params=GUIDES, ids=lambda path: path.name)
def plugin_installed(
    request: pytest.FixtureRequest, installed: Installed, tmp_path: Path
) -> Iterator[Plugin]:
    """Install the guide's package with the guide's own shell line."""
    plugin = plugin_of(request.param)
    source, house = tmp_path / "source", tmp_path / "house"
    code = source.joinpath(*plugin.module.split(".")).with_suffix(".py")
    code.parent.mkdir(parents=True)
    code.write_text(plugin.code.code)
    (code.parent / "__init__.py").touch()
    (source / "pyproject.toml").write_text(plugin.toml.code)
    build_wheel(source, house)
    (line,) = (s.code for s in snippets(request.param, "bash") if s.code.startswith("pip"))
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(house)}
    made = installed.run("bash", "-ec", line, cwd=tmp_path, env=env)
    assert made.returncode == 0, made.stderr
    yield plugin
    installed.uninstall(plugin.project)


def exports(guide: Path, after_install: bool) -> dict[str, str]:
    """Return what the guide's export lines set: those of its plugin, or of its manual part."""
    found = [s.code for s in snippets(guide, "bash") if "export LLM_PROVIDER" in s.code]
    code = found[0 if after_install else -1]
    shown = run("bash", "-ec", f"{code}\nenv -0", env={})
    pairs = (entry.partition("=") for entry in shown.stdout.split("\0"))
    return {name: value for name, _, value in pairs if f"export {name}=" in code}


def test_the_plugin_answers_through_the_command(
    plugin_installed: Plugin, installed: Installed, tmp_path: Path, api: Server
) -> None:
    """The guide's package, installed as the guide says, answers `war-rig ask` from any folder."""
    env = exports(plugin_installed.toml.file, after_install=True)
    assert env["LLM_PROVIDER"] == plugin_installed.name
    url = next(name for name, value in env.items() if value.startswith("https://"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    asked = installed.run("war-rig", "ask", "Hello", cwd=elsewhere, env={**env, url: api.url})
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, f"{REPLY['output']}\n", "")
    key = next(value for name, value in env.items() if name.endswith("_KEY"))
    assert api.requests[0].headers["authorization"] == f"Bearer {key}"
    assert "Hello" in json.dumps(api.requests[0].json)


def test_the_plugin_is_listed_without_being_imported(
    plugin_installed: Plugin, installed: Installed, tmp_path: Path
) -> None:
    """`war-rig providers` lists an installed plugin from its metadata alone."""
    env = exports(plugin_installed.toml.file, after_install=True)
    listed = installed.run(
        "python", "-X", "importtime", "-m", "containers", "providers", cwd=tmp_path, env=env
    )
    assert re.search(rf"^{plugin_installed.name} +selected +{plugin_installed.project} ",
                     listed.stdout, re.MULTILINE)  # fmt: skip
    assert plugin_installed.module not in listed.stderr


@guides
def test_a_registered_class_needs_no_further_line(
    guide: Path, api: Server, manual_module: Callable[[Path], type]
) -> None:
    """register_provider, LLM_PROVIDER, NAME_API_KEY and NAME_ENDPOINT are all that is needed."""
    manual_module(guide)
    registering = next(s for s in snippets(guide, "python") if "\nregister_provider(" in s.code)
    execute(registering)
    name = re.search(r'^register_provider\("(\w+)"', registering.code, re.MULTILINE)
    assert name is not None
    prefix = name[1].upper()
    env = {
        "LLM_PROVIDER": name[1],
        f"{prefix}_API_KEY": "your-api-key",
        f"{prefix}_ENDPOINT": api.url,
    }
    response = application(env=env).agents("assistant").run_sync("Hello")
    assert response.content == REPLY["output"]
    assert api.requests[0].headers["authorization"] == "Bearer your-api-key"


@guides
def test_the_guides_own_tests_pass(guide: Path, tmp_path: Path) -> None:
    """The guide's pytest class passes, with a loopback server in the place of http://test."""
    plugin = plugin_of(guide)
    tests = next(s for s in snippets(guide, "python") if "import pytest" in s.code)
    (tmp_path / "manual.py").write_text(plugin.manual.code)
    (tmp_path / "conftest.py").write_text(
        f"import builtins, manual\nbuiltins.{plugin.attribute} = manual.{plugin.attribute}\n"
    )
    (tmp_path / "test_provider.py").write_text(tests.code)
    with serve(answer(REPLY)) as proxy:
        env = {**os.environ, "HTTP_PROXY": proxy.url, "PYTHONPATH": str(tmp_path)}
        env.pop("PYTEST_ADDOPTS", None)
        ran = run(
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path, env=env
        )
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr
    assert [r.target.rstrip("/") for r in proxy.requests] == ["http://test"]
    assert not hasattr(builtins, plugin.attribute)


@guides
def test_a_provider_that_returns_none_is_named(guide: Path, tmp_path: Path) -> None:
    """A complete() that returns None is a malformed answer of the provider that is named."""
    (tmp_path / "config.yml").write_text("model: from-the-file\n")
    unfinished = [
        (snippet, name)
        for snippet in snippets(guide, "python")
        for name in re.findall(r"^class (\w+):", snippet.code, re.MULTILINE)
        if snippet.code.rstrip().endswith("pass") and "default_model" in snippet.code
    ]
    for snippet, name in unfinished:
        made = execute(snippet, {"yaml": __import__("yaml")})[name]
        register_provider("unfinished", made)
        env = {"LLM_PROVIDER": "unfinished", "UNFINISHED_MODEL_PATH": "model.gguf"}
        agent = application(env=env).agents("assistant")
        with pytest.raises(MalformedAnswerError, match=r"^provider 'unfinished' returned None"):
            asyncio.run(agent.run("Hello"))
    assert unfinished or guide == OWN


def test_a_class_without_a_default_model_is_refused() -> None:
    """The guide's error-handling class, which shows complete() only, is refused with its reason."""

    class Partial:
        async def complete(self, messages, **kwargs):  # type: ignore[no-untyped-def]
            pass

    register_provider("partial", Partial)
    with pytest.raises(PluginError, match="made a Partial, which has no default_model"):
        application(env={"LLM_PROVIDER": "partial"}).llm_provider()


@guides
def test_the_documented_types_are_ours(guide: Path) -> None:
    """A type that the guide spells out has our fields, in our order, as our first ones."""
    for snippet in snippets(guide, "python"):
        if not re.match(r"(@dataclass.*\n)?class (Message|CompletionResponse)\b", snippet.code):
            continue
        name = re.search(r"class (\w+)", snippet.code)
        assert name is not None
        shown = execute(snippet)[name[1]]
        ours = [f.name for f in dataclasses.fields(getattr(war_rig.providers, name[1]))]
        documented = [f.name for f in dataclasses.fields(shown)]
        assert ours[: len(documented)] == documented


@of("bash")
def test_every_shell_snippet_is_understood(snippet: Snippet) -> None:
    """Each shell block is one that the tests above run: an install, or exports."""
    for line in filter(None, snippet.code.splitlines()):
        words = shlex.split(line)
        assert words[:2] == ["pip", "install"] or words[0] == "export"


def test_a_positional_response_means_the_same() -> None:
    """The first four fields can be given by position, and raw_response may be left out."""
    assert CompletionResponse("text", "m", 3).raw_response is None
    assert CompletionResponse("text", "m", 3, {"a": 1}).raw_response == {"a": 1}


@pytest.fixture
def variant(manual_module: Callable[[Path], type]) -> Callable[[str], type]:
    """Return a function that makes a class of our guide that adds to the manual one."""

    def make(name: str) -> type:
        base = manual_module(OWN)
        found = (s for s in snippets(OWN, "python") if f"class {name}(" in s.code)
        made: type = execute(next(found), {base.__name__: base})[name]
        return made

    return make


PIECES = [json.dumps({"piece": piece}).encode() + b"\n" for piece in ("Hel", "lo.")]
END = b'{"tokens": 7}\n'


async def read(env: dict[str, str]) -> list[CompletionChunk]:
    return [chunk async for chunk in application(env=env).agents("assistant").stream("Hello")]


def test_the_guides_stream_arrives_in_pieces(variant: Callable[[str], type]) -> None:
    """The streaming class gives each piece, and the whole answer where its end marker came."""
    register_provider("acme", variant("StreamingAcmeProvider"))
    with serve(streaming(*PIECES, END, kind="application/x-ndjson")) as api:
        env = {"LLM_PROVIDER": "acme", "ACME_API_KEY": "your-key", "ACME_ENDPOINT": api.url}
        *pieces, last = asyncio.run(read(env))
        assert [piece.content for piece in pieces] == ["Hel", "lo."]
        assert last.response is not None
        assert (last.response.content, last.response.tokens_used) == ("Hello.", 7)
        api.respond = streaming(*PIECES, kind="application/x-ndjson")
        with pytest.raises(MalformedAnswerError, match="ended without its last chunk"):
            asyncio.run(read(env))


class Greeting(BaseModel):
    mood: str


def test_the_guides_schema_reaches_its_api(variant: Callable[[str], type]) -> None:
    """The class that takes a schema gets it, and the answer's mode is native."""
    made = variant("SchemaAcmeProvider")
    with serve(answer({"output": '{"mood": "calm"}'})) as api:
        register_provider("acme", made)
        env = {"LLM_PROVIDER": "acme", "ACME_API_KEY": "your-key", "ACME_ENDPOINT": api.url}
        response = application(env=env).agents("assistant").run_sync("Hello", output=Greeting)
    assert (response.output, response.output_mode) == (Greeting(mood="calm"), "native")
