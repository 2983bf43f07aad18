"""The documentation as a specification: what the pages show runs, loads, and is complete.

A block under a line such as "`tiny.py`:" is that file in the page's folder; one under the comment
"<!-- prints -->" is what the Python block before it prints; one under "<!-- war-rig ... -->" is
what that command shows.
"""

import contextlib
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
import yaml
from conftest import ROOT, run
from markdown import Snippet, snippets
from pydantic_core import PydanticUndefined

import war_rig.errors
from containers.cli import app
from war_rig.config import AgentSettings, DocumentSettings, load
from war_rig.config.checking import model_at
from war_rig.config.policies import FALLBACK_ON, PolicySettings
from war_rig.config.settings import FileShape, PluginSettings
from war_rig.entries import provider_blueprint
from war_rig.ledger import Attempt
from war_rig.providers import available_providers
from war_rig.providers.building import blueprint
from war_rig.providers.http.definition import definition
from war_rig.providers.http.paths import getter
from war_rig.providers.parameters import Parameter
from war_rig.providers.registry import TYPES, Registration, registrations
from war_rig.stacks import KINDS

DOCS = ROOT / "docs"
GUIDE = DOCS / "custom-provider.md"  # test_guide.py runs its code
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]

_VARIABLE = re.compile(r"\$\{(\w+)")
_FILE = re.compile(r"(?:file|ca|certificate|certificate_key): *([\w./-]+)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_NOT_PROSE = re.compile(r"<pre>.*?</pre>|<!--.*?-->|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")


def each(*languages: str) -> Any:
    found = [snippet for page in PAGES for snippet in snippets(page, *languages)]
    return pytest.mark.parametrize("snippet", found, ids=page_and_line)


def page_and_line(snippet: Snippet) -> str:
    return f"{page_name(snippet.file)}:{snippet.line}"


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def label(snippet: Snippet) -> str:
    """Return the last line above the block that is not empty."""
    above = snippet.file.read_text(encoding="utf-8").splitlines()[: snippet.line - 1]
    return next((line.strip() for line in reversed(above) if line.strip()), "")


def file_name(snippet: Snippet) -> str | None:
    match = re.fullmatch(r"`([\w./-]+\.\w+)`:", label(snippet))
    return match[1] if match else None


def command(snippet: Snippet) -> str | None:
    match = re.fullmatch(r"<!-- war-rig( .*)? -->", label(snippet))
    return (match[1] or "").strip() if match else None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let Python import the page's own files, and forget them afterwards."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


@pytest.mark.parametrize("page", [p for p in PAGES if p != GUIDE], ids=page_name)
def test_the_python_of_a_page_runs(page: Path, folder: Path) -> None:
    """The Python blocks of a page run in order, and print what the page says that they print."""
    namespace: dict[str, Any] = {"__name__": "page"}
    printed = io.StringIO()
    for snippet in snippets(page, "python", "yaml", "text"):
        name = file_name(snippet)
        if name is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.code, encoding="utf-8")
        elif snippet.language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                # As many lines above it as the page has, so that a traceback shows the page's line.
                code = "\n" * snippet.line + snippet.code
                exec(compile(code, str(page), "exec"), namespace)
        elif label(snippet) == "<!-- prints -->":
            assert printed.getvalue() == snippet.code, page_and_line(snippet)


def _shows_tests(page: Path) -> bool:
    names = (file_name(snippet) or "" for snippet in snippets(page, "python"))
    return any(name.startswith("test_") for name in names)


@pytest.mark.parametrize("page", [p for p in PAGES if _shows_tests(p)], ids=page_name)
def test_the_tests_that_a_page_shows_pass(page: Path, tmp_path: Path) -> None:
    """The test files of a page pass under pytest, beside the page's other files."""
    for snippet in snippets(page, "python", "yaml"):
        if name := file_name(snippet):
            (tmp_path / name).write_text(snippet.code, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    ran = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error",
        "-o", "asyncio_default_fixture_loop_scope=function", cwd=tmp_path, env=env,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


@each("yaml")
def test_every_yaml_block_loads(snippet: Snippet, tmp_path: Path) -> None:
    """A YAML block is a file that loads where it is trusted and its variables are set."""
    path = tmp_path / "war_rig.yaml"
    path.write_text(snippet.code, encoding="utf-8")
    for file in _FILE.findall(snippet.code):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("A prompt, or a certificate.")
    env = dict.fromkeys(_VARIABLE.findall(snippet.code), "1")
    env |= {name: "https://llm.example.com" for name in env if name.endswith("_URL")}
    env |= {f"{one.name}_API_KEY".upper(): "1" for one in registrations()}
    settings = load(path, env)
    for name, entry in settings.providers.items():
        if entry.type in {*available_providers(), *TYPES}:
            plan = provider_blueprint(name, settings)  # raises where it does not take an argument
            if plan.registration.kind == "definition" or entry.type in TYPES:
                plan.build()


@each("toml")
def test_every_toml_block_parses(snippet: Snippet) -> None:
    """A TOML block is TOML."""
    assert tomllib.loads(snippet.code)


def test_the_shipped_default_is_shown_as_it_is() -> None:
    """The configuration page shows the shipped file, without its leading comment."""
    blocks = snippets(DOCS / "configuration.md", "yaml")
    (shown,) = (s.code for s in blocks if label(s) == "<!-- config/war_rig.yaml -->")
    shipped = (ROOT / "config" / "war_rig.yaml").read_text(encoding="utf-8")
    assert shown == re.sub(r"\A(#.*\n)+\n?", "", shipped)


COMMANDS = [s for page in PAGES for s in snippets(page, "text") if command(s) is not None]


@pytest.mark.parametrize("snippet", COMMANDS, ids=page_and_line)
def test_a_shown_command_shows_the_same(snippet: Snippet, tmp_path: Path) -> None:
    """What a page shows of a command is what it prints, in 100 columns and an empty folder."""
    words = shlex.split(command(snippet) or "")
    env = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}
    ran = subprocess.run(
        [sys.executable, "-m", "containers", *words],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (ran.stderr if ran.returncode else ran.stdout) == snippet.code


def test_the_help_of_every_command_is_shown() -> None:
    """The command-line page shows `--help` of every command and subcommand."""
    blocks = snippets(DOCS / "command-line.md", "text")
    shown = {command(snippet) for snippet in blocks} - {None}
    wanted = {f"{path} --help".strip() for path in _commands(typer.main.get_command(app))}
    assert wanted <= shown


def _commands(group: Any, path: str = "") -> Iterator[str]:
    yield path
    for name, inner in getattr(group, "commands", {}).items():
        yield from _commands(inner, f"{path} {name}".strip())


KEYS = {
    *FileShape.model_fields,
    *(f"agents.<name>.{key}" for key in AgentSettings.model_fields),
    *(f"document.{key}" for key in DocumentSettings.model_fields),
    *(f"plugins.{key}" for key in PluginSettings.model_fields),
}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_setting_has_its_row(key: str) -> None:
    """Each key of the file has a row with type, default and environment on its page."""
    assert f"| `{key}` | " in (DOCS / "configuration.md").read_text(encoding="utf-8")


def test_the_defaults_of_numbers_are_the_shipped_ones() -> None:
    """The defaults in the rows of `document` are those that hold."""
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for key, value in load(None, {}).document:
        (row,) = re.findall(rf"^\| `document\.{key}` \|.*$", page, re.MULTILINE)
        assert f"| `{value}` |" in row


def _parameters() -> Iterator[tuple[str, Parameter]]:
    for registration in registrations():
        if registration.kind == "built-in":
            for parameter in blueprint(registration.name, registration, env={}).parameters:
                yield registration.name, parameter


@pytest.mark.parametrize(
    ("provider", "parameter"),
    [pytest.param(name, p, id=f"{name}-{p.name}") for name, p in _parameters()],
)
def test_every_argument_of_a_built_in_has_its_row(provider: str, parameter: Parameter) -> None:
    """Each argument of a built-in provider has a row with its default and its variable."""
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    section = page.split(f"\n### {provider}\n")[1].split("\n## ")[0].split("\n### ")[0]
    (row,) = re.findall(rf"^\| `{parameter.name}` \|.*$", section, re.MULTILINE)
    default = parameter.declared.default
    shown = f"`{default}`"
    if default is None:
        shown = "not set"
    elif default is inspect.Parameter.empty:
        shown = "required"
    assert [cell.strip() for cell in row.split("|")][3:5] == [shown, f"`{parameter.variable}`"]


def test_every_key_of_a_definition_has_its_row() -> None:
    """Each key that an entry of type http, its rules and its stream may hold has a row."""
    page = (DOCS / "http.md").read_text(encoding="utf-8")
    wrong = {"x": 1}
    keys = {"stream": wrong, "messages": wrong, "response": wrong, "timeouts": wrong}
    told = dict(definition({**keys, "errors": [wrong], **wrong})[1])
    known = {path: text.split(" Known: ")[1].split(", ") for path, text in told.items()
             if path[-1] == "x"}  # fmt: skip
    assert len(known) == 6
    for path, names in known.items():
        for name in names:
            assert re.search(rf"^\|[^|]*`{name}`[^|]* \| ", page, re.MULTILINE), (path, name)


def test_every_path_that_is_shown_is_one() -> None:
    """The paths in the table of paths are plain, or JMESPath, once YAML has read them."""
    page = (DOCS / "http.md").read_text(encoding="utf-8")
    table = page.split("| Path, as YAML |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 5
    for row in table:
        written = re.split(r"(?<!\\)\|", row)[2].strip().strip("`").replace("\\|", "|")
        path = yaml.safe_load(f"path: {written}")["path"]
        assert callable(getter(path))  # a wrong one is a ValueError


def _shipped_row(registration: Registration) -> str:
    declared = inspect.signature(registration.load()).parameters.values()
    needed = [p.name for p in declared if p.default is p.empty and p.kind is p.KEYWORD_ONLY]
    variables = ", ".join(f"`{registration.name}_{name}`".upper() for name in needed)
    usual = {p.name: f"`{p.default}`" for p in declared if p.default is not p.empty}
    told = (usual.get(name, "") for name in ("model", "base_url"))
    return " | ".join([f"| `{registration.name}`", variables, *told]) + " |"


def test_the_shipped_definitions_have_their_rows() -> None:
    """The table says what each needs, and its model and URL, as config/providers has them."""
    page = (DOCS / "http.md").read_text(encoding="utf-8")
    table = page.split("| Name | Has to be set |")[1].split("\n\n")[0].splitlines()[2:]
    found = [_shipped_row(one) for one in registrations() if one.kind == "definition"]
    assert table == sorted(found)


ERRORS = [
    name
    for name, error in vars(war_rig.errors).items()
    if inspect.isclass(error) and issubclass(error, war_rig.errors.WarRigError)
]


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_its_section(name: str) -> None:
    """Each class of war_rig.errors has a section of its own, and a place in the tree."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert f"\n## {name}\n" in page
    assert re.search(rf"^(?:[ │]*[├└]── )?{name}$", page, re.MULTILINE)


def test_every_attribute_of_a_provider_error_has_its_row() -> None:
    """Each attribute that a ProviderError carries has a row on the page of errors."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    for name in vars(war_rig.errors.ProviderError("x")):
        assert f"| `{name}` | " in page


def test_every_dependency_has_its_paragraph() -> None:
    """Each dependency of the project has a paragraph in its decision."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (DOCS / "decisions" / "0008-dependencies.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"].values()
    for wanted in [*project["dependencies"], *(one for extra in extras for one in extra)]:
        if wanted.startswith("war-rig["):
            continue
        assert f"\n**{re.split('[<>=~ ]', wanted)[0]}** " in page


def test_every_page_is_reached_from_the_index() -> None:
    """The index links to every page and every decision."""
    index = DOCS / "index.md"
    reached = {(DOCS / target).resolve() for target, _ in links(index) if target}
    own = {*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md"), *DOCS.glob("policies/*.md")} - {index}
    assert own <= reached
    modules = {(DOCS / target).resolve() for target, _ in links(DOCS / "reference.md")}
    assert {*DOCS.glob("reference/*.md")} <= modules <= reached | modules


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that exists, and an anchor that is on it."""
    broken = []
    for target, anchor in links(page):
        file = (page.parent / target).resolve() if target else page
        is_there = file.exists() and file.is_relative_to(ROOT)
        if not is_there or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(f"{target}#{anchor}" if anchor else target)
    assert broken == []


def links(page: Path) -> list[tuple[str, str]]:
    """Return the relative links of *page* as (path, anchor)."""
    text = _NOT_PROSE.sub("", _FENCED.sub("", page.read_text(encoding="utf-8")))
    found = (
        unquote(target)
        for target in _LINK.findall(text)
        if not re.match(r"[a-z][a-z+.-]*:", target)
    )
    return [(path, anchor) for path, _, anchor in (target.partition("#") for target in found)]


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of *page*: of its headings, as GitHub makes them, and of its HTML."""
    text = page.read_text(encoding="utf-8")
    found = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    for heading in re.findall(r"^#+ +(.+?)\s*$", _FENCED.sub("", text), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        name = plain.replace(" ", "-")
        twin = sum(1 for other in found if re.fullmatch(rf"{re.escape(name)}(-\d+)?", other))
        found.add(f"{name}-{twin}" if twin else name)
    return frozenset(found)


# policies


POLICY_PAGES = {name: name.replace("_", "-") for name in PolicySettings.model_fields} | {
    "prices": "budget"
}
POLICY_KEYS = [
    (page, key, field)
    for name, page in POLICY_PAGES.items()
    for key, field in model_at(PolicySettings, (name,)).model_fields.items()
]


@pytest.mark.parametrize(("page", "key", "field"), POLICY_KEYS, ids=lambda value: str(value)[:40])
def test_every_key_of_a_policy_has_its_row(page: str, key: str, field: Any) -> None:
    """Each key that a policy may have has a row on its page, with its default."""
    text = (DOCS / "policies" / f"{page}.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{key}` \|.*$", text, re.MULTILINE)
    assert row.split("|")[2].strip() == _shown(field.default)


def _shown(default: Any) -> str:
    if default is None:
        return "not set"
    if default is PydanticUndefined:
        return "required"
    if default == FALLBACK_ON:
        return "the first seven kinds of the table below"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_every_kind_of_a_fallback_has_its_row() -> None:
    """Each kind of error in `on` is told with its class, and whether it is on by default."""
    page = (DOCS / "policies" / "fallback.md").read_text(encoding="utf-8")
    for kind, error in KINDS.items():
        default = "yes" if kind in FALLBACK_ON else "no"
        assert f"| `{kind}` | `{error.__name__}` | {default} |" in page


def test_every_field_of_an_attempt_has_its_row() -> None:
    """Each field of an attempt in the ledger is in a row of its own table."""
    page = (DOCS / "policies.md").read_text(encoding="utf-8")
    table = page.split("| Field of an attempt | Holds |")[1].split("\n\n")[0]
    for field in fields(Attempt):
        assert re.search(rf"^\|[^|]*`{field.name}`[^|]*\|", table, re.MULTILINE)
