"""The page about deploying as a specification: its Dockerfile's steps are run, without an engine.

What only an engine can do is left out by name: the base image, whose place a clean virtual
environment takes, its user and its port. What War Rig needs is in that environment before, put
there by the fixture with the Dockerfile's own command.
"""

import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest
from conftest import ROOT, Installed, _checkout, run
from loopback import answer, serve
from markdown import snippets

PAGE = ROOT / "docs" / "deploying.md"
NOT_RUN = ("FROM ", "RUN useradd ", "USER ", "EXPOSE ")
LONGEST_START_SECONDS = 60
KEY = "a-key-of-the-house"


def shown(name: str) -> str:
    """Return the file *name* as the page shows it."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^`{re.escape(name)}`:\n\n```\w+\n(.*?)^```$", text, re.M | re.DOTALL)
    assert found is not None
    return found[1]


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's lines as (instruction, the rest)."""
    lines = shown("Dockerfile").replace("\\\n", "").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


@dataclass
class Image:
    """What the steps make: a root folder, and what is installed into its Python."""

    python: Installed
    root: Path
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    told: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    @property
    def place(self) -> Path:
        return self.root / self.folder.strip("/")

    def step(self, word: str, rest: str, context: Path) -> None:
        """Do one instruction, or remember what an engine would do with it."""
        line = f"{word} {rest}"
        if line.startswith(NOT_RUN):
            self.left_out |= {one for one in NOT_RUN if line.startswith(one)}
        elif word == "WORKDIR":
            self.folder = rest
            self.place.mkdir(parents=True)
        elif word == "COPY":
            self.copy(shlex.split(rest), context)
        elif word == "RUN":
            made = self.run("sh", "-ec", rest)
            assert made.returncode == 0, made.stderr
        elif word == "ENV":
            pairs = (pair.partition("=") for pair in shlex.split(rest))
            self.env |= {name: value.replace("/app", str(self.place)) for name, _, value in pairs}
        else:
            assert word in ("CMD", "HEALTHCHECK", "STOPSIGNAL"), word
            self.told[word] = rest

    def copy(self, words: list[str], context: Path) -> None:
        *patterns, target = words
        assert target == "./"
        for pattern in patterns:
            files = [*context.glob(pattern)]
            assert files, pattern
            for file in files:
                shutil.copy(file, self.place)

    def run(self, *command: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return run(*command, cwd=self.place, env=self.environment(**env))

    def environment(self, **env: str) -> dict[str, str]:
        """Return the image's variables, and the only one of this machine that it needs."""
        return {**self.env, "PATH": f"{self.python.bin}{os.pathsep}{os.environ['PATH']}", **env}

    @property
    def files(self) -> set[Path]:
        """Return everything that the image holds."""
        return {*self.root.rglob("*"), *self.python.folder.rglob("*")}


@pytest.fixture(scope="module")
def context(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what lies beside the Dockerfile, with the page's own two commands."""
    folder = tmp_path_factory.mktemp("context")
    _checkout(folder).rename(folder / "war-rig")
    (block,) = (s.code for s in snippets(PAGE, "bash") if "pip freeze" in s.code)
    wheel, freeze = block.splitlines()
    built_here = {**os.environ, "PIP_NO_BUILD_ISOLATION": "0"}  # pip's spelling of "no isolation"
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made = run("sh", "-ec", wheel, cwd=folder, env={**built_here, "PATH": tools})
    assert made.returncode == 0, made.stderr
    made = installed.run("sh", "-ec", freeze, cwd=folder)
    assert made.returncode == 0, made.stderr
    for name in ("app.py", "war_rig.yaml"):
        (folder / name).write_text(shown(name), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def image(context: Path, installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Run the Dockerfile's steps in a folder of their own."""
    installed.uninstall("war-rig")
    image = Image(installed, tmp_path_factory.mktemp("image"))
    for word, rest in instructions():
        image.step(word, rest, context)
    return image


@dataclass
class Running:
    """The image's CMD, running."""

    image: Image
    process: "subprocess.Popen[str]"
    port: int

    @property
    def is_healthy(self) -> bool:
        """Return what the image's HEALTHCHECK says."""
        check = self.image.told["HEALTHCHECK"].removeprefix("CMD ")
        return self.image.run("sh", "-c", check, PORT=str(self.port)).returncode == 0

    def ask(self, method: str, path: str, text: str = "") -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            connection.request(method, path, text.encode())
            response = connection.getresponse()
            return response.status, response.read().decode()


@contextmanager
def started(image: Image, **env: str) -> Iterator[Running]:
    """Run the image's CMD on a free port of loopback, until it is healthy or has ended."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        json.loads(image.told["CMD"]), cwd=image.place, text=True, stderr=subprocess.PIPE,
        env=image.environment(HOST="127.0.0.1", PORT=str(port), **env),
    )  # fmt: skip
    running = Running(image, process, port)
    try:
        end = time.monotonic() + LONGEST_START_SECONDS
        while process.poll() is None and not running.is_healthy:
            assert time.monotonic() < end
        yield running
    finally:
        process.kill()
        process.communicate()


def test_the_image_answers(image: Image) -> None:
    """The CMD of the image is healthy, answers with the key of its environment, and stops."""
    files = image.files
    reply = answer({"answer": {"text": "Hello from the house."}})
    with serve(reply) as house, started(image, HOUSE_URL=house.url, HOUSE_KEY=KEY) as service:
        assert service.ask("POST", "/", "Hello") == (200, "Hello from the house.")
        assert house.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert service.ask("GET", "/") == (404, "")
        house.respond = answer({"error": f"no such key: {KEY}"}, status=401)
        status, text = service.ask("POST", "/", "Hello")
        assert (status, KEY in text) == (502, False)
        service.process.send_signal(signal.Signals[image.told["STOPSIGNAL"]])
        assert service.process.wait(LONGEST_START_SECONDS) == 0
        assert not service.is_healthy
        assert "Traceback" not in (service.process.stderr or io.StringIO()).read()
    assert image.files == files  # --read-only would not have been noticed


def test_a_missing_key_ends_the_start(image: Image) -> None:
    """Without its key the application does not start, and says which variable to set."""
    with started(image, HOUSE_URL="http://127.0.0.1:9") as service:
        _, told = service.process.communicate(timeout=LONGEST_START_SECONDS)
        assert service.process.returncode == 1
        assert "HOUSE_KEY is not set" in told.splitlines()[-1]


def test_what_was_not_run_is_what_the_page_says(image: Image) -> None:
    """Only the base image, its user and its port are left to an engine; all else was done."""
    assert image.left_out == set(NOT_RUN)
    assert {"CMD", "HEALTHCHECK", "STOPSIGNAL"} == set(image.told)


def test_the_image_belongs_to_root_and_runs_as_another() -> None:
    """The user who is not root comes after everything that writes files, and holds to the end."""
    words = [word for word, _ in instructions()]
    last_written = max(at for at, word in enumerate(words) if word in ("RUN", "COPY"))
    assert words.count("USER") == 1 and words.index("USER") > last_written
    assert ("USER", "app") in instructions()


def test_the_base_image_has_a_python_that_war_rig_takes() -> None:
    """The slim Python image is one that the project's metadata allows."""
    (base,) = (rest for word, rest in instructions() if word == "FROM")
    version = re.fullmatch(r"python:(\d+)\.(\d+)-slim", base)
    assert version is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    assert (int(version[1]), int(version[2])) >= (3, 11)


def test_no_key_is_in_the_image() -> None:
    """No ENV of the Dockerfile holds a secret, and only what is named is copied."""
    for word, rest in instructions():
        assert word not in ("ARG", "ADD")
        assert word != "ENV" or not re.search(r"(KEY|TOKEN|SECRET|PASSWORD)=", rest)
        assert word != "COPY" or "." not in shlex.split(rest)[:-1]
