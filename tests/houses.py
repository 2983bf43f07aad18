"""Factories and blueprints that the tests of building share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional  # noqa: F401  what an annotation in text may name

from war_rig.providers import (
    CompletionResponse,
    Message,
)
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.building import blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.registry import Registration

FOLDER = Path("/models")


class Kept:
    """A provider that keeps what its constructor got."""

    default_model = "kept-1"

    def __init__(self, **kept: Any) -> None:
        self.kept = kept

    async def complete(self, messages: list[Message], **kwargs: Any) -> CompletionResponse:
        return CompletionResponse("kept", "kept-1", 1)


class House(Kept):
    """What the guide shows: a key, an address, a model."""

    def __init__(
        self, api_key: str, endpoint: str = "https://llm.house.example", model: str = "house-1"
    ) -> None:
        super().__init__(api_key=api_key, endpoint=endpoint, model=model)


def plan(
    factory: Any, env: dict[str, str] | None = None, notes: tuple[str, ...] = (), **given: Any
) -> Blueprint:
    """Return the blueprint of *factory* as `house`, with *given* from a file in FOLDER."""
    registration = Registration("house", "registered", "registered at my.py:3", lambda: factory)
    arguments = {
        name: value if isinstance(value, Argument) else Argument(value, f"my.yaml:{line}", FOLDER)
        for line, (name, value) in enumerate(given.items(), 1)
    }
    return blueprint("house", registration, env=env or {}, given=arguments, notes=notes)


def kept(factory: Any, env: dict[str, str] | None = None, **given: Any) -> dict[str, Any]:
    """Return what the constructor got."""
    made: Any = plan(factory, env, **given).build()
    got: dict[str, Any] = made.kept
    return got


def taking(annotation: Any) -> Callable[..., Kept]:
    """Return a factory whose one parameter, *value*, has that annotation."""

    def factory(value=None):  # type: ignore[no-untyped-def]
        return Kept(value=value)

    factory.__annotations__["value"] = annotation
    return factory


def raising(error: BaseException) -> Callable[..., Kept]:
    """Return a factory with a key that raises *error*."""

    def factory(api_key: str = "") -> Kept:
        raise error

    return factory
