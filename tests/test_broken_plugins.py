"""Broken plugins, really installed: each harms its own selection only, and says what to do."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import Installed, build_wheel

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "{project}"
version = "0.3"

[project.entry-points."war_rig.providers"]
{entry_points}

[tool.setuptools]
packages = ["{package}"]
"""
GOOD = """
class Good:
    default_model = "good-1"

    async def complete(self, messages, **kwargs):
        from war_rig.providers import CompletionResponse

        return CompletionResponse("from the plugin", "good-1", 1)
"""
MARKING = """
from pathlib import Path

Path("imported").touch()

from broken.good import Good
"""
BROKEN = {
    "no_import": "import a_library_that_is_not_there",
    "no_environment": """
        import os

        class Provider:
            def __init__(self):
                self.key = os.environ["BROKEN_API_KEY"]
    """,
    "wrong_shape": """
        class Provider:
            pass
    """,
    "raises": """
        class Provider:
            def __init__(self, model="m-1"):
                raise ValueError("the model file is damaged")
    """,
}
WHERE = "plugin broken-plugins 0.3 (entry point {name} = broken.{name}:Provider)"
MESSAGES = {
    "no_import": """\
error: provider 'no_import' could not be imported: ModuleNotFoundError: No module named \
'a_library_that_is_not_there'
  {where}
  install what it misses, upgrade it, or uninstall it; no other provider is affected
""",
    "no_environment": """\
error: provider 'no_environment' could not be built: KeyError: 'BROKEN_API_KEY'
  Provider(), {where}
  is 'BROKEN_API_KEY' an environment variable that is not set? A provider that reads the \
environment by itself sees the process's own
""",
    "wrong_shape": """\
error: provider 'wrong_shape' is not one: Provider() made a Provider, which has no default_model \
and no complete
  {where}
  its author must give it a 'default_model' property and 'async def complete(self, messages, \
**kwargs)'
""",
    "raises": """\
error: provider 'raises' could not be built: ValueError: the model file is damaged
  Provider(model='m-1'), {where}
  the constructor of the provider raised this: see its documentation
""",
    "openai": """\
error: provider 'openai' is offered more than once, so War Rig will not choose
  war-rig {version}: built in
  broken-plugins 0.3: entry point OpenAI = broken.good:Good
  set providers.openai.distribution in war_rig.yaml to one of them, or uninstall the other
""",
}


def package(folder: Path, project: str, entry_points: dict[str, str], code: dict[str, str]) -> Path:
    """Build a wheel of a plugin."""
    name = project.split("-")[0]
    source = folder / "source"
    (source / name).mkdir(parents=True)
    lines = "\n".join(f'{key} = "{value}"' for key, value in entry_points.items())
    text = PYPROJECT.format(project=project, package=name, entry_points=lines)
    (source / "pyproject.toml").write_text(text)
    for module, body in {"__init__": "", **code}.items():
        (source / name / f"{module}.py").write_text(dedent(body))
    return build_wheel(source, folder)


@pytest.fixture(scope="module")
def broken(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    entry_points = {name: f"broken.{name}:Provider" for name in BROKEN}
    entry_points |= {"OpenAI": "broken.good:Good", "good": "broken.good:Good"}
    entry_points |= {"9-lives": "broken.good:Good"}
    entry_points |= {"marking": "broken.marking:Good"}
    code = {**BROKEN, "good": GOOD, "marking": MARKING}
    folder = tmp_path_factory.mktemp("broken")
    installed.install(package(folder, "broken-plugins", entry_points, code))
    yield installed
    installed.uninstall("broken-plugins")


@pytest.mark.parametrize("name", MESSAGES)
def test_a_broken_plugin_says_what_to_do(broken: Installed, name: str, tmp_path: Path) -> None:
    """Each fault is one block that says what failed, where it came from, and what to do."""
    from war_rig import __version__

    asked = broken.run("war-rig", "ask", "Hello", "--provider", name, cwd=tmp_path)
    expected = MESSAGES[name].format(where=WHERE.format(name=name), version=__version__)
    assert (asked.returncode, asked.stdout, asked.stderr) == (2, "", expected)


@pytest.mark.parametrize("name", ["offline", "good"])
def test_other_providers_work_beside_broken_ones(
    broken: Installed, name: str, tmp_path: Path
) -> None:
    """A plugin that can't be used stops no other provider."""
    asked = broken.run("war-rig", "ask", "Hello", "--provider", name, cwd=tmp_path)
    assert (asked.returncode, asked.stderr) == (0, "")


def test_listing_imports_none_and_shows_the_conflict(broken: Installed, tmp_path: Path) -> None:
    """`war-rig providers` shows every plugin, the name taken twice, and the unusable name."""
    listed = broken.run("war-rig", "providers", cwd=tmp_path)
    assert listed.returncode == 0
    statuses = [line.split()[:2] for line in listed.stdout.splitlines()]
    assert ["openai", "conflict"] in statuses
    assert statuses.count(["openai", "conflict"]) == 2
    assert ["no_import", "available"] in statuses
    assert ["offline", "selected"] in statuses
    assert listed.stderr == (
        "not usable: entry point 9-lives = broken.good:Good of broken-plugins: '9-lives' is not a "
        "name: use letters, digits, '-' and '_', a letter first\n"
    )


@pytest.mark.parametrize(
    ("distribution", "output"), [("Broken_Plugins", "from the plugin\n"), ("war-rig", None)]
)
def test_the_file_settles_a_name_taken_twice(
    broken: Installed, distribution: str, output: str | None, tmp_path: Path
) -> None:
    """providers.NAME.distribution chooses between two that offer the name."""
    config = tmp_path / "my.yaml"
    config.write_text(f"providers: {{openai: {{distribution: {distribution}}}}}\n")
    command = ("war-rig", "ask", "Hello", "--provider", "openai", "--config", config)
    asked = broken.run(*command, cwd=tmp_path)
    if output is None:
        assert asked.stderr.startswith("error: provider 'openai' needs 'api_key'\n")
    else:
        assert asked.stdout == output
    listed = broken.run("war-rig", "providers", "--config", config, cwd=tmp_path)
    assert "not chosen" in listed.stdout
    assert "conflict" not in listed.stdout


def test_a_distribution_that_offers_nothing_is_named(broken: Installed, tmp_path: Path) -> None:
    """A wrong distribution is an error that lists the right ones."""
    config = tmp_path / "my.yaml"
    config.write_text("providers: {openai: {distribution: acme}}\n")
    command = ("war-rig", "ask", "Hello", "--provider", "openai", "--config", config)
    asked = broken.run(*command, cwd=tmp_path)
    assert asked.returncode == 2
    assert asked.stderr == (
        "error: provider 'openai' is not offered by the distribution 'acme'\n"
        "  it is offered by: war-rig, broken-plugins\n"
        "  correct or remove providers.openai.distribution\n"
    )


def test_a_file_that_was_only_found_gives_a_plugin_nothing(
    broken: Installed, tmp_path: Path
) -> None:
    """A war_rig.yaml in the current folder may not direct a plugin, which reads the keys itself."""
    (tmp_path / "war_rig.yaml").write_text(
        "llm_provider: house\nproviders: {house: {type: raises, model: m}}\n"
    )
    asked = broken.run("war-rig", "ask", "Hello", cwd=tmp_path)
    assert asked.returncode == 2
    assert "providers.house may not give arguments to a plugin" in asked.stderr
    asked = broken.run("war-rig", "ask", "Hello", "--config", "war_rig.yaml", cwd=tmp_path)
    assert "the model file is damaged" in asked.stderr


def test_show_imports_that_one_only(broken: Installed, tmp_path: Path) -> None:
    """`war-rig providers show NAME` tells where a plugin comes from and what it takes."""
    shown = broken.run("war-rig", "providers", "show", "raises", cwd=tmp_path)
    assert shown.stdout == (
        f"raises: {WHERE.format(name='raises')}\n"
        "  Provider(model='m-1')\n"
        "  model  'm-1'  default (RAISES_MODEL)\n"
        "streams: emulated, its whole answer is the only piece\n"
        "nothing is missing\n"
    )


@pytest.mark.parametrize(
    ("item", "is_allowed"),
    [("Broken_Plugins>=0.3,<1", True), ("broken-plugins==0.2", False)],
)
def test_only_a_listed_plugin_is_imported(
    broken: Installed, item: str, is_allowed: bool, tmp_path: Path
) -> None:
    """Whatever the command, a plugin that plugins.allow does not list runs no code."""
    (tmp_path / "my.yaml").write_text(f"plugins:\n  allow: ['{item}']\n")
    named = ("--config", "my.yaml")
    commands: list[tuple[str, ...]] = [
        ("providers", *named),
        ("providers", *named, "show", "marking"),
        ("explain", "assistant", "--provider", "marking", *named),
        ("ask", "Hello", "--provider", "marking", *named),
    ]
    listed, *ran = (broken.run("war-rig", *words, cwd=tmp_path) for words in commands)
    (row,) = (line for line in listed.stdout.splitlines() if line.startswith("marking"))
    assert row.split()[1:3] == (
        ["available", "broken-plugins"] if is_allowed else ["not", "allowed"]
    )
    assert (tmp_path / "imported").exists() is is_allowed
    assert [one.returncode for one in ran] == [0 if is_allowed else 2] * 3
    if not is_allowed:
        where = "plugin broken-plugins 0.3 (entry point marking = broken.marking:Good)"
        assert {one.stderr for one in ran} == {
            "error: provider 'marking' is not allowed: plugins.allow does not list "
            f"broken-plugins 0.3\n  {where}\n  my.yaml:2 lists: {item}\n"
            "  if you trust it, add broken-plugins, or broken-plugins==0.3 for this version only\n"
        }
