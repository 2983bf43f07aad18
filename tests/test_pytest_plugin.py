"""The fixtures of containers.pytest_plugin, as a user's tests have them."""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from conftest import run

from containers import Application
from war_rig.providers import register_provider
from war_rig.testing import FakeProvider


def said(app: Application, agent: str = "assistant", text: str = "Hello") -> str:
    return app.agents(agent).run_sync(text).content


def test_every_shipped_agent_asks_the_fake(
    war_rig_app: Application, fake_provider: FakeProvider
) -> None:
    """Without a marker the fake answers "fake", whatever agent is asked."""
    for number, agent in enumerate(war_rig_app.settings().agents, 1):
        assert said(war_rig_app, agent) == "fake"
        assert len(fake_provider.calls) == number


@pytest.fixture
def folder_of_a_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a developer may have: a file in the folder, one that is named, and a choice."""
    Path("war_rig.yaml").write_text("agents: {found: {}}")
    Path("named.yaml").write_text("agents: {named: {}}")
    monkeypatch.setenv("WAR_RIG_CONFIG", "named.yaml")
    monkeypatch.setenv("LLM_PROVIDER", "openai")


@pytest.mark.usefixtures("folder_of_a_developer")
def test_nothing_of_the_developer_is_read(
    war_rig_app: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment, the file that it names and the one in the folder are left alone."""
    settings = war_rig_app.settings()
    assert set(settings.agents) == {"assistant", "scribe", "challenger", "imperator"}
    assert (settings.llm_provider, settings.env) == ("offline", {})
    assert not settings.is_provider_chosen
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Have a file that the marker names."""
    path = Path("my.yaml")
    path.write_text(
        "agents:\n"
        "  clerk: {provider: house, model: '${MODEL}'}\n"
        "  cook: {provider: registered-later}\n"
        "providers: {house: {type: openai}}\n"
    )
    return path


@pytest.mark.usefixtures("file")
@pytest.mark.war_rig_app("my.yaml", env={"MODEL": "m-1"}, llm_provider="openai")
@pytest.mark.fake_provider(rules={"Hello": "hi"}, model="f-1")
class TestMarkers:
    """The markers of a class hold for its tests."""

    def test_the_markers_say_what_is_made(
        self, file: Path, war_rig_app: Application, fake_provider: FakeProvider
    ) -> None:
        """The one has what application() takes, the other what FakeProvider() takes."""
        assert (said(war_rig_app, "clerk"), said(war_rig_app, "clerk", "Bye")) == ("hi", "fake")
        assert fake_provider.assert_asked("Hello").parameters == {"model": "m-1"}
        assert war_rig_app.settings().llm_provider == "openai"
        assert fake_provider.default_model == "f-1"

    @pytest.mark.fake_provider("other")
    def test_the_nearest_marker_counts(self, file: Path, war_rig_app: Application) -> None:
        """A test's own marker takes the place of its class's."""
        assert said(war_rig_app) == "other"

    def test_no_agent_asks_anything_else(self, file: Path, war_rig_app: Application) -> None:
        """An agent with a provider of its own asks the fake too, also one that is made later."""
        register_provider("registered-later", lambda: FakeProvider("not asked"))
        assert [said(war_rig_app, name) for name in ("clerk", "cook", "assistant")] == ["hi"] * 3


class TestOverriding:
    """A fixture of the same name takes the place of the plugin's."""

    @pytest.fixture
    def fake_provider(self) -> FakeProvider:
        return FakeProvider(replies=["one", "two"])

    def test_a_fixture_of_ones_own_is_asked(self, war_rig_app: Application) -> None:
        """What the test's own fixture returns is the provider of the container."""
        assert [said(war_rig_app), said(war_rig_app)] == ["one", "two"]


USERS = {
    "containers.py": "raise RuntimeError('a program of the user, not to be imported')",
    "test_it.py": "def test_it(): pass",
}


def test_who_does_not_opt_in_may_have_containers_of_their_own(tmp_path: Path) -> None:
    """The plugin is no entry point, so a user's containers.py breaks no test run."""
    assert not [e for e in entry_points(group="pytest11") if e.value.startswith("containers")]
    for name, text in USERS.items():
        (tmp_path / name).write_text(text)
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    ran = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path, env=env)
    assert ran.returncode == 0, ran.stdout + ran.stderr
