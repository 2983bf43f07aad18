"""The container application: what war_rig offers, wired by declaration::

    app = application()                       # shipped default, your YAML, the environment
    await app.agents("assistant").run("Hello")

Importing this package loads nothing else; its names do, when they are used.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from containers.application import Application, application, close, running

__all__ = ["Application", "application", "close", "running"]


class _Package(ModuleType):
    """Keeps ``containers.application`` the function, whoever imports the module of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "application" and isinstance(value, ModuleType):
            value = value.application
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'containers' has no attribute {name!r}")
    return getattr(import_module("containers.application"), name)
