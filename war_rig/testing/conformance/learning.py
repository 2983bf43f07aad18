"""Learns from failures which keys an unknown API's answers have: a KeyError names one.

A learned key is put into every map of a body. What stands there is tried out: a text,
a number, a map of the other learned keys, a list of such maps.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Literal

from war_rig.providers.foreign import attribute, text_of
from war_rig.testing.conformance.templates import StreamTemplate

Shape = Literal["text", "number", "map", "list"]

_SHAPES: tuple[Shape, ...] = ("text", "number", "map", "list")
_DEEPEST = 3
_COUNT = re.compile(r"token|count|cost|usage|total|length|index", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_ERROR = re.compile(r"err|fault|fail|exception|detail|problem|status|code", re.IGNORECASE)
_PLACEHOLDERS = {"text": "$content", "number": "$tokens"}


@dataclass
class Learned:
    """The keys that were learned, the latest last, and what stands there.

    flags: those that only the last event of a stream has.
    """

    keys: dict[str, Shape] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)

    def add(self, key: str) -> bool:
        """Take *key* for one of the API's; return whether that is new."""
        if key in self.keys:
            return False
        self.keys[key] = "number" if _COUNT.search(key) else "text"
        return True

    def turn(self) -> bool:
        """Let something else stand at the latest key; return False where all was tried."""
        if not self.keys:
            return False
        key = next(reversed(self.keys))
        place = _SHAPES.index(self.keys[key]) + 1
        self.keys[key] = _SHAPES[place % len(_SHAPES)]
        return place < len(_SHAPES)

    def laid_over(self, value: Any) -> Any:
        """Return *value* with the learned keys in each of its maps that lacks them."""
        if isinstance(value, list):
            return [self.laid_over(item) for item in value]
        if not isinstance(value, dict):
            return value
        own = {key: self.laid_over(item) for key, item in value.items()}
        return {**self._values(_DEEPEST), **own} | self._numbers()

    def laid_over_stream(self, stream: StreamTemplate) -> StreamTemplate:
        """Return *stream* with the learned keys in its pieces, numbers and flags in its end."""
        piece = tuple(map(self.laid_over, stream.piece))
        end = (
            event | self.flags | self._numbers() if isinstance(event, dict) else event
            for event in stream.end
        )
        return StreamTemplate(stream.format, piece, tuple(end))

    def _numbers(self) -> dict[str, Any]:
        return {key: "$tokens" for key, shape in self.keys.items() if shape == "number"}

    def _values(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, shape in self.keys.items():
            if shape in _PLACEHOLDERS:
                found[key] = _PLACEHOLDERS[shape]
            elif depth:
                inner = self._values(depth - 1)
                found[key] = inner if shape == "map" else [inner]
        return found


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and what led to it."""
    inner: BaseException | None = error
    seen: list[BaseException] = []
    while inner is not None and inner not in seen:
        seen.append(inner)
        yield inner
        inner = inner.__cause__ or inner.__context__


def named_keys(error: BaseException) -> Iterator[str]:
    """Yield the keys that *error*, or what led to it, says were missing."""
    for inner in causes(error):
        if isinstance(inner, KeyError) and inner.args and isinstance(inner.args[0], str):
            yield inner.args[0]
        yield from _of_pydantic(inner)


def _of_pydantic(error: BaseException) -> Iterator[str]:
    """Yield the fields that a ValidationError names, as pydantic tells them."""
    told = attribute(error, "errors")
    try:
        found = told() if callable(told) else ()
        yield from (part for one in found for part in one["loc"][-1:] if isinstance(part, str))
    except (TypeError, KeyError, AttributeError):  # another library's own idea of errors
        return


def marked_key(thing: object, marks: dict[str | int, str]) -> str | None:
    """Return the key whose mark is in *thing*, a text or an error that quotes it."""
    text = text_of(thing)
    path = next((p for mark, p in marks.items() if isinstance(mark, str) and mark in text), None)
    return None if path is None else re.split(r"[.\[]", path.rstrip("]"))[-1]


def constants(provider: object) -> list[str]:
    """Return the texts in the code of *provider*'s class and module that may be an answer's keys.

    Those that look like an error's are left out: to fill them in would be to report one.
    """
    found: dict[str, None] = {}
    for base in type(provider).__mro__:
        if base.__module__.partition(".")[0] not in sys.stdlib_module_names:
            module = vars(sys.modules.get(base.__module__, base))
            own = (one for one in module.values() if _module(one) == base.__module__)
            for function in [*vars(base).values(), *own]:
                code = getattr(function, "__code__", None)
                if isinstance(code, CodeType):
                    found |= dict.fromkeys(_constants(code))
    return [text for text in found if _KEY.fullmatch(text) and not _ERROR.search(text)]


def _module(thing: object) -> object:
    return attribute(thing, "__module__")


def _constants(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _constants(constant)
