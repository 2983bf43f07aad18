"""How an argument becomes what the constructor's annotation asks for.

Text from a file or the environment is converted to str, int, float, bool or
Path, and Optional of these; a relative Path starts at the file that names it.
"""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_WANTED = {
    str: "text: put it in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
}
_TRUTH = {"true": True, "yes": True, "on": True, "1": True}
_TRUTH |= {"false": False, "no": False, "off": False, "0": False}


KeyPath = tuple[str | int, ...]
"""The keys of maps, and the places in lists, that lead to a value."""


def nearest(places: Mapping[KeyPath, str], path: KeyPath, else_: str) -> str:
    """Return where the value at *path* is written, or what that would be in."""
    while path and path not in places:
        path = path[:-1]
    return places.get(path, else_)


@dataclass(frozen=True, slots=True)
class Argument:
    """A value given for a parameter, and where it was given.

    folder: of the file that gave it, where a relative path starts; None for
    what code or the environment gave.
    is_secret: whether it came from a variable whose name says so.
    inner: where the values inside a map or a list were given.
    secrets: the texts inside it that came from such a variable.
    """

    value: Any
    origin: str
    folder: Path | None = None
    is_secret: bool = False
    inner: Mapping[KeyPath, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Argument from {self.origin}>"

    @property
    def is_set(self) -> bool:
        """Return whether it counts: null in a file does not, None from code does."""
        return self.value is not None or self.folder is None

    def origin_of(self, path: KeyPath) -> str:
        """Return where the value at *path* inside it was given, or what that would be in."""
        return nearest(self.inner, path, self.origin)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a factory says of its arguments, where it has a function ``examined`` that takes them.

    faults: what is wrong with them, and the keys that lead there, the
    parameter's name first. secrets: the texts in them that must not be shown.
    unneeded: the parameters that can do without their argument beside these.
    places: where the values that the factory itself brings are written.
    url: of the API that will be asked, where that is known.
    """

    faults: tuple[tuple[KeyPath, str], ...] = ()
    secrets: frozenset[str] = frozenset()
    unneeded: frozenset[str] = frozenset()
    places: Mapping[KeyPath, str] = field(default_factory=dict)
    url: str | None = None

    def with_faults(self, by_name: Mapping[str, str]) -> "Examined":
        """Return the same with faults of whole arguments before the others."""
        faults = (((name,), text) for name, text in by_name.items())
        return replace(self, faults=(*faults, *self.faults))


def plain_types(declared: inspect.Parameter, factory: Callable[..., Any]) -> tuple[type, ...]:
    """Return the types of str, int, float, bool and Path that the annotation allows.

    Empty where it allows anything else too, or where there is none.
    """
    annotation = _annotation(declared, factory)
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    members = typing.get_args(annotation) if is_union else (annotation,)
    kinds = tuple(member for member in members if member is not types.NoneType)
    is_plain = all(isinstance(kind, type) and kind in _WANTED for kind in kinds)
    return kinds if is_plain else ()


def _annotation(declared: inspect.Parameter, factory: Callable[..., Any]) -> Any:
    """Return the annotation; one that is text and can't be evaluated is None."""
    annotation = declared.annotation
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(_function(factory), "__globals__", {}))
    except Exception:  # the plugin's border: its own text, as typing.get_type_hints would fail
        return None


def _function(factory: Callable[..., Any]) -> Any:
    """Return the function whose module an annotation of *factory* is written in."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    if inspect.isclass(factory):
        return inspect.unwrap(factory.__init__)
    if inspect.isroutine(factory):
        return inspect.unwrap(getattr(factory, "__func__", factory))
    return inspect.unwrap(type(factory).__call__)


def convert(argument: Argument, kinds: tuple[type, ...]) -> Any:
    """Return the argument's value as the first of *kinds* that takes it; no kinds: as it is.

    What code passes is converted where it is text, and trusted where it is not.
    Raises ValueError saying what the value must be.
    """
    kind_given = type(argument.value)
    if (
        not kinds
        or argument.value is None
        or kind_given in kinds
        or (kind_given is int and float in kinds)
    ):
        return argument.value
    if not isinstance(argument.value, str):
        if argument.folder is None:
            return argument.value
        raise ValueError(_WANTED[kinds[0]])
    for kind in kinds:
        try:
            return _as(kind, argument)
        except (ValueError, KeyError, RuntimeError):  # the last: no such ~user
            continue
    raise ValueError(" or ".join(_WANTED[kind] for kind in kinds))


def _as(kind: type, argument: Argument) -> Any:
    if kind is bool:
        return _TRUTH[argument.value.strip().lower()]
    if kind is Path:
        path = Path(argument.value).expanduser()
        return argument.folder / path if argument.folder else path
    return kind(argument.value)
