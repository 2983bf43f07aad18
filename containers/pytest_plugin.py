"""Fixtures for tests of agents: a container whose every provider is a fake.

Opt in from the conftest.py of your tests' root folder:

    pytest_plugins = ["containers.pytest_plugin"]

It is no entry point: a project with a ``containers.py`` of its own would find
that one in the place of this package, and could run no test.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from containers import Application
    from war_rig.testing import FakeProvider

_MARKERS = (
    "fake_provider(reply, rules=..., replies=..., model=...): what the FakeProvider is made with",
    "war_rig_app(path, env=..., llm_provider=...): what the container is made with",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the two markers known."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def fake_provider(request: pytest.FixtureRequest) -> "FakeProvider":
    """Give the provider that answers in ``war_rig_app``, made as its marker says."""
    from war_rig.testing import FakeProvider

    args, kwargs = _marked(request, "fake_provider")
    return FakeProvider(*args, **kwargs)


@pytest.fixture
def war_rig_app(
    request: pytest.FixtureRequest,
    fake_provider: "FakeProvider",
    tmp_path_factory: pytest.TempPathFactory,
) -> "Application":
    """Give a container whose every provider is ``fake_provider``, whichever an agent names.

    It knows the shipped agents, and nothing of the environment or of a file
    that it would find, unless its marker says so.
    """
    from containers import application

    args, kwargs = _marked(request, "war_rig_app")
    if not args and "path" not in kwargs:
        args = (_empty_file(tmp_path_factory),)
    app = application(*args, **{"env": {}, **kwargs})
    for provider in (app.llm_provider, *app.llm_provider.providers.values()):
        provider.override(fake_provider)
    return app


def _marked(request: pytest.FixtureRequest, name: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of the nearest marker *name*: the test's, its class's, its module's."""
    marker = request.node.get_closest_marker(name)
    return (marker.args, marker.kwargs) if marker else ((), {})


def _empty_file(folders: pytest.TempPathFactory) -> Path:
    """Return a file that sets nothing, named so that no war_rig.yaml is looked for."""
    file = folders.mktemp("war_rig") / "empty.yaml"
    file.touch()
    return file
