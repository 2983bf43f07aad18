"""`war-rig providers new`: the package that it makes installs, answers and passes its own tests."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import test_cli
from conftest import ROOT, Installed, run
from markdown import snippets
from test_cli import Ran, WarRig

from war_rig.shipped import shipped_path

war_rig = test_cli.war_rig
KINDS = pytest.mark.parametrize("kind", [(), ("--http",)], ids=["class", "http"])
PYTEST = ("pytest", "pluggy", "iniconfig")
LONG = "a_name_as_long_as_nobody_would_write"


def made(war_rig: WarRig, name: str, *kind: str) -> Path:
    """Return the folder of the package that the command made for *name*."""
    ran = war_rig("providers", "new", name, *kind)
    assert (ran.code, ran.err) == (0, "")
    return Path(ran.out.split(":")[0].removeprefix("made "))


def files(folder: Path) -> set[str]:
    return {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}


def project(folder: Path) -> Any:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def test_a_class_gets_a_package(war_rig: WarRig) -> None:
    """All names in it come from the one that was given, as War Rig compares it."""
    folder = made(war_rig, " My-LLM ")
    assert files(folder) == {
        ".gitignore", "README.md", "pyproject.toml", "my_llm_warrig/__init__.py",
        "my_llm_warrig/provider.py", "my_llm_warrig/py.typed", "tests/answer.json",
        "tests/stand_in.py", "tests/test_my_llm.py",
    }  # fmt: skip
    assert str(folder) == project(folder)["name"] == "my-llm-warrig"
    assert project(folder)["entry-points"] == {
        "war_rig.providers": {"my_llm": "my_llm_warrig.provider:MyLlmProvider"}
    }
    assert "MY_LLM_API_KEY" in (folder / "README.md").read_text()


def test_an_api_in_yaml_gets_a_package_without_code(war_rig: WarRig) -> None:
    """Colleagues install a definition as they install a class."""
    folder = made(war_rig, "horn", "--http")
    assert files(folder) >= {"horn_warrig/horn.yaml", "tests/answer.json", "tests/test_horn.py"}
    assert project(folder)["entry-points"]["war_rig.providers"] == {"horn": "horn_warrig:horn.yaml"}
    assert project(folder)["dependencies"] == ["war-rig>=0.1"]
    assert (folder / "horn_warrig" / "__init__.py").read_text().count("\n") == 1


@KINDS
def test_a_name_may_hold_the_examples(war_rig: WarRig, kind: tuple[str, ...]) -> None:
    """Each word is replaced once, also where what takes its place holds it again."""
    folder = made(war_rig, "acme2", *kind)
    assert {path.partition("/")[0] for path in files(folder)} >= {"acme2_warrig", "tests"}
    assert not any("acme22" in file.read_text() for file in folder.rglob("*") if file.is_file())


@KINDS
def test_what_is_said_next_is_in_the_readme(war_rig: WarRig, kind: tuple[str, ...]) -> None:
    """The commands on the screen are the README's first, and the file to change is there."""
    ran = war_rig("providers", "new", "horn", *kind)
    _, enter, *commands, last = ran.out.splitlines()
    assert enter == "  cd horn-warrig"
    readme = snippets(Path("horn-warrig/README.md"), "bash")
    assert readme[0].code.splitlines() == [line.strip() for line in commands]
    assert Path("horn-warrig", last.split()[-1]).is_file()


@KINDS
@pytest.mark.parametrize("name", ["acme", "zeta", "a__b_", LONG])
def test_nothing_of_the_example_is_left(war_rig: WarRig, name: str, kind: tuple[str, ...]) -> None:
    """No name of the example's stands in another's package, and pip takes all names."""
    folder = made(war_rig, name, *kind)
    texts = [file.read_text() for file in folder.rglob("*") if file.is_file()]
    assert any("acme" in text.lower() for text in texts) == (name == "acme")
    assert not any("acme" in path for path in files(folder)) or name == "acme"
    package = project(folder)["name"].replace("-", "_")
    assert (folder / package / "__init__.py").is_file()


@KINDS
@pytest.mark.parametrize("name", ["acme", "house-llm", "zeta_of_house", LONG])
def test_ruff_finds_nothing(war_rig: WarRig, name: str, kind: tuple[str, ...]) -> None:
    """The output is clean by the default rules, and by ours; a long name may make a line long."""
    folder = made(war_rig, name, *kind)
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    rules = ["--select", ",".join(ours["lint"]["select"]), "--line-length", ours["line-length"]]
    commands = [["check"], ["check", *rules], ["format", "--check"]]
    for command in commands[: {LONG: 1, "zeta_of_house": 2}.get(name, 3)]:
        ran = run("ruff", *command, "--isolated", "--no-cache", folder)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("b@d", "'b@d' is not a name: use letters, digits, '-' and '_', a letter first"),
        ("OpenAI", "the name 'openai' is taken: built in\n  choose another name"),
        ("groq", "the name 'groq' is taken: definition in openai_compatible.yaml\n"
         "  choose another name"),
        ("http", "the name 'http' is taken: a type of entries in war_rig.yaml\n"
         "  choose another name"),
        ("x" * 300, "its name is too long: choose a shorter one"),
        ("x" * 248, "its name is too long: choose a shorter one"),
    ],
)  # fmt: skip
def test_what_can_not_be_made_is_one_error(war_rig: WarRig, name: str, told: str) -> None:
    """A wrong name, a name that is taken, and a failing disk leave nothing behind."""
    ran = war_rig("providers", "new", name)
    assert ran == Ran(2, "", f"error: no package was made: {told}\n")
    assert list(Path().iterdir()) == []


def test_a_folder_that_takes_nothing_is_told(
    war_rig: WarRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which one, and why."""

    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    ran = war_rig("providers", "new", "acme")
    assert ran == Ran(
        2, "", "error: no package was made: acme-warrig can't be written: No space left on device\n"
        "  run this in a folder of your own\n",
    )  # fmt: skip


@pytest.mark.parametrize("what", ["folder", "file", "link"])
def test_nothing_is_overwritten(war_rig: WarRig, what: str) -> None:
    """What has the folder's name stays as it is, a link that leads nowhere included."""
    taken = Path("acme-warrig")
    if what == "folder":
        taken.mkdir()
    elif what == "file":
        taken.write_text("mine")
    else:
        taken.symlink_to("nowhere")
    ran = war_rig("providers", "new", "acme")
    assert (ran.code, ran.err) == (
        2,
        "error: no package was made: acme-warrig is there already, and stays as it is\n"
        "  run this in another folder, or choose another name\n",
    )
    assert not Path("nowhere").exists()
    assert what != "file" or taken.read_text() == "mine"


# as a stranger: with War Rig's wheel, in an environment of its own, by the README


@dataclass(frozen=True)
class Begun:
    """A package of each kind in one clean environment, and what the README's first block said."""

    installed: Installed
    folders: dict[str, Path]
    first: "subprocess.CompletedProcess[str]"

    def commands(self, kind: str) -> list[str]:
        return [s.code for s in snippets(self.folders[kind] / "README.md", "bash")]


@pytest.fixture(scope="module")
def begun(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """Make both packages; install one by its README, the other as the wheel that is given away."""
    home = tmp_path_factory.mktemp("begun")
    for words in (("jane",), ("joe", "--http")):
        ran = installed.run("war-rig", "providers", "new", *words, cwd=home)
        assert ran.returncode == 0, ran.stderr
    made = Begun(installed, folders := {"class": home / "jane-warrig", "http": home / "joe-warrig"},
                 by_readme(installed, home / "jane-warrig"))  # fmt: skip
    installed.install(given_away(made, "http"))
    yield made
    installed.uninstall(*(folder.name for folder in folders.values()), *PYTEST)


def by_readme(installed: Installed, folder: Path) -> "subprocess.CompletedProcess[str]":
    block = snippets(folder / "README.md", "bash")[0].code
    env = {"PIP_CONSTRAINT": str(ROOT / ".ci" / "constraints.txt")}
    return installed.run("bash", "-ec", block, cwd=folder, env=env)


def given_away(begun: Begun, kind: str) -> Path:
    """Return the wheel that the README's last block makes, here with what these tests have."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PIP_NO_BUILD_ISOLATION": "0"}  # pip's way to say no
    folder = begun.folders[kind]
    ran = run("bash", "-ec", begun.commands(kind)[-1], cwd=folder, env=env)
    assert ran.returncode == 0, ran.stderr
    (wheel,) = folder.glob("dist/*.whl")
    return wheel


@contextmanager
def standing_in(begun: Begun, kind: str) -> Iterator[tuple[dict[str, str], IO[str]]]:
    """Run the README's stand-in; give what it says to export, and what it says afterwards."""
    folder, (_, serving, *_) = begun.folders[kind], begun.commands(kind)
    assert serving == "python tests/stand_in.py\n"
    words = [begun.installed.python, *serving.split()[1:]]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = "".join(process.stdout.readline() for _ in range(6))
            assert said.endswith('\nwar-rig ask "Hello" --no-stream\n\n')
            yield dict(re.findall(r"(\w+)=(\S+)", said)), process.stdout
        finally:
            process.terminate()


def test_by_its_readme_it_installs_and_passes(begun: Begun) -> None:
    """Its own tests and the contract's rules pass, in a clean environment with War Rig's wheel."""
    assert begun.first.returncode == 0, begun.first.stdout + begun.first.stderr
    assert "War Rig's contract: jane" in begun.first.stdout
    assert begun.commands("class") == [
        command.replace("joe", "jane").replace("JOE", "JANE") for command in begun.commands("http")
    ]


def test_the_tests_of_a_definition_pass(begun: Begun) -> None:
    """A package without code is tested as one with a class is, from its wheel too."""
    ran = begun.installed.run("pytest", cwd=begun.folders["http"])
    assert ran.returncode == 0, ran.stdout
    assert "War Rig's contract: joe" in ran.stdout


@pytest.mark.parametrize("kind", ["class", "http"])
def test_it_answers_before_anything_is_changed(begun: Begun, kind: str, tmp_path: Path) -> None:
    """The stand-in says what to type; typed elsewhere, it is an answer, and the request is seen."""
    with standing_in(begun, kind) as (exports, shown):
        asked = begun.installed.run(
            "war-rig", "ask", "Hello", "--no-stream", cwd=tmp_path, env=exports
        )
        assert (asked.stdout, asked.stderr) == ("Hello from the stand-in.\n", "")
        *settings, trying = begun.commands(kind)[2].splitlines()
        names = {line.split("=")[0].removeprefix("export ") for line in settings}
        assert names == exports.keys() - {"no_proxy"}
        tried = begun.installed.run("bash", "-ec", trying, cwd=tmp_path, env=exports)
        assert "content: Hello from the stand-in." in tried.stdout, tried.stderr
        assert "Authorization: Bearer any-key\n" in iter(shown.readline, "\n")


def test_its_types_are_checked(begun: Begun) -> None:
    """A strict type checker finds nothing in the package, against War Rig as it is installed."""
    checked = run(
        sys.executable, "-m", "mypy", "--strict", "--python-executable", begun.installed.python,
        "--cache-dir", os.devnull, "--config-file", os.devnull, ".", cwd=begun.folders["class"],
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


STREAMS = '''
    async def stream(self, messages: list[Message], **_: Any) -> AsyncIterator[CompletionChunk]:
        """Read lines that a whole answer has none of."""
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", self._endpoint, json=self._request(messages, "m", {})) as lines,
        ):
            async for line in lines.aiter_lines():
                if "over" in line:
                    yield CompletionChunk(response=self._answer({"text": ""}, "m"))
'''


def test_a_class_that_streams_is_asked_as_the_stand_in_says(begun: Begun, tmp_path: Path) -> None:
    """The stand-in answers whole, so what it says to type asks for that."""
    folder = tmp_path / "streams"
    shutil.copytree(begun.folders["class"], folder)
    provider = folder / "jane_warrig" / "provider.py"
    text = provider.read_text().replace(
        "import CompletionResponse", "import CompletionChunk, CompletionResponse"
    )
    text = text.replace(
        "from typing import", "from collections.abc import AsyncIterator\nfrom typing import"
    )
    provider.write_text(text + STREAMS)
    with standing_in(begun, "class") as (exports, _):
        env = {**exports, "PYTHONPATH": str(folder)}
        asked = begun.installed.run("war-rig", "ask", "Hello", "--no-stream", cwd=tmp_path, env=env)
        assert (asked.stdout, asked.stderr) == ("Hello from the stand-in.\n", "")
        failed = begun.installed.run("war-rig", "ask", "Hello", cwd=tmp_path, env=env)
        assert "a stream that ended without its last chunk" in failed.stderr


FORM = {
    "import httpx": "import json\nfrom urllib.parse import parse_qsl\n\nimport httpx",
    "json=self._request": "data=self._request",
    '"messages": turns': '"messages": json.dumps(turns)',
    "response.json()": "dict(parse_qsl(response.text))",
    'answer.get("tokens", 0)': 'int(answer["tokens"])',
}
"""What an author changes in the class for an API that is sent forms, and answers with them."""


@pytest.mark.parametrize("answer", [
    "text=$content&model=$model&tokens=$tokens",
    '{"$body": "text=$content&model=$model&tokens=$tokens"}',
])  # fmt: skip
def test_an_api_of_forms_passes_the_tests_unedited(
    begun: Begun, answer: str, tmp_path: Path
) -> None:
    """The package's own tests find a text that is encoded, and send an answer that is no JSON."""
    folder = tmp_path / "forms"
    shutil.copytree(begun.folders["class"], folder)
    provider = folder / "jane_warrig" / "provider.py"
    text = provider.read_text()
    for before, after in FORM.items():
        assert before in text
        text = text.replace(before, after)
    provider.write_text(text)
    (folder / "tests" / "answer.json").write_text(answer)
    ran = begun.installed.run("pytest", cwd=folder, env={"PYTHONPATH": str(folder)})
    assert ran.returncode == 0, ran.stdout


XML = '<say out="$tokens">$content</say>'
PLAYED = '<say out="12">Hello from the stand-in.</say>'


@pytest.mark.parametrize(("example", "answer"), [
    ('{"text": "$content", "$stream": {"piece": "$content"}}',
     '{"text": "Hello from the stand-in."}'),
    ('[{"text": "$content", "cost": "$tokens"}]',
     '[{"text": "Hello from the stand-in.", "cost": 12}]'),
    (XML, PLAYED),
    (json.dumps({"$body": XML, "$stream": {"piece": "$content"}}), PLAYED),
], ids=["stream", "list", "xml", "body"])  # fmt: skip
def test_the_stand_in_answers_as_the_example_says(
    example: str, answer: str, war_rig: WarRig
) -> None:
    """Whole, without what it says of streams; only in JSON a count stands without quotes."""
    folder = made(war_rig, "horn") / "tests"
    (folder / "answer.json").write_text(example)
    code = "import stand_in; print(stand_in._answer(), end='')"
    answered = run(sys.executable, "-c", code, cwd=folder)
    assert answered.stdout == answer, answered.stderr


def test_the_answer_of_the_example_is_json() -> None:
    """What the author replaces first is plain JSON, whose placeholders are texts."""
    answer = json.loads(shipped_path("scaffold", "common", "tests", "answer.json").read_text())
    assert set(answer.values()) == {"$content", "$model", "$tokens"}
