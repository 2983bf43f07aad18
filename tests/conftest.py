"""What all tests share: a clean environment, and the installed product."""

import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from real_model import NoModelError, RealModel, cached_model, serve_model

from war_rig.providers import registry

pytest_plugins = ["containers.pytest_plugin"]

ROOT = Path(__file__).parents[1]
ONE_ATTEMPT = Path(__file__).with_name("one_attempt.yaml")
"""A configuration in which no call is repeated."""

# A shell that starts the tests in the background lets them ignore Ctrl-C, which some of them press.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A loaded machine is no fault: what a test asserts never depends on how long it took.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Run each test in an empty folder, without the user's own settings and registrations."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "AZURE_", "WAR_RIG_", "LLM_")) or "proxy" in name.lower():
            monkeypatch.delenv(name)
    monkeypatch.setattr(registry, "_registered", {})
    yield
    if kept := sys.modules.get("war_rig.testing.conformance.surroundings"):
        kept._KEPT.close()  # which a provider that hangs has until the process ends


def run(*command: object, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end and return it with its output as text."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload,no-any-return]


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of *source* into *folder*, with what is installed here."""
    made = run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
        "-w", folder, source,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return max(folder.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime_ns)


class Installed:
    """A clean virtual environment with War Rig's wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"

    def run(
        self, *command: object, cwd: Path, env: dict[str, str] | None = None, text: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of this environment, with *env* added to a bare one."""
        bare = {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "HOME": str(cwd)}
        program = self.bin / str(command[0])
        first = program if program.exists() else command[0]
        return run(first, *command[1:], cwd=cwd, env={**bare, **(env or {})}, input=text)

    def install(self, *what: object) -> None:
        made = run(self.python, "-m", "pip", "install", "-q", "--no-deps", *what)
        assert made.returncode == 0, made.stderr

    def uninstall(self, *names: str) -> None:
        made = run(self.python, "-m", "pip", "uninstall", "-q", "-y", *names)
        assert made.returncode == 0, made.stderr


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install War Rig's wheel, built from this checkout, into a clean virtual environment."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build_wheel(_checkout(folder), folder)
    venv.create(folder / "venv", with_pip=True)
    clean = Installed(folder / "venv")
    constraints = ROOT / ".ci" / "constraints.txt"
    made = run(clean.python, "-m", "pip", "install", "-q", "-c", constraints, wheel)
    if made.returncode != 0:
        pytest.skip(f"War Rig's dependencies can't be installed here: {made.stderr.strip()[-300:]}")
    return clean


@pytest.fixture(scope="session")
def real_model() -> Iterator[RealModel]:
    """Serve a real small model; skip where it can't be had."""
    try:
        with serve_model(cached_model()) as model:
            yield model
    except NoModelError as reason:
        pytest.skip(str(reason))


def _checkout(folder: Path) -> Path:
    """Return a copy of what belongs to the product, so that building leaves nothing behind."""
    copy = folder / "checkout"
    for part in ("war_rig", "containers", "config"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, copy / part)
    return copy


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run on a skipped test where WAR_RIG_NO_SKIPS is set, as .ci/run does."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("WAR_RIG_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
