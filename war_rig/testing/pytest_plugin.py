"""The pytest plugin of the conformance kit: ``pytest --war-rig-provider my_provider:MyProvider``.

It imports pytest and the standard library alone until it is asked for.
"""

import pytest

_OPTION = "--war-rig-provider"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option that asks for the kit, and the ini key of the same meaning."""
    group = parser.getgroup("war-rig", "War Rig: does a provider keep the contract?")
    group.addoption(_OPTION, metavar="TARGET", help="test this provider: MODULE:CLASS or a name")
