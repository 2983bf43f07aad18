"""Looks for a planted secret in everything that an error shows or reaches."""

import pickle
import traceback
from collections.abc import Iterator
from inspect import isroutine
from numbers import Number
from types import CodeType, FrameType, ModuleType, TracebackType

CANARY = "sk-canary-0123456789"

_NOT_PART_OF_THE_PROMISE = (FrameType, TracebackType, CodeType, ModuleType, type)
_NUMBERS = (Number, type(None))  # which hold no text, but parts that are made anew without end
_MOST = 20_000


def leaks(error: BaseException, canary: str = CANARY) -> list[str]:
    """Return where *canary* is found: the texts of *error*, its pickle, and all it reaches."""
    texts = {
        "str": str(error),
        "repr": repr(error),
        "traceback": "".join(traceback.format_exception(error)),
        "pickle": pickle.dumps(error).decode("latin-1"),
    }
    found = [name for name, text in texts.items() if canary in text]
    return found + [path for path, text in _reached(error) if canary in text]


def _reached(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield every text that attributes, items and causes of *error* lead to, with its path."""
    waiting: list[tuple[str, object]] = [("error", error)]
    seen: dict[int, object] = {}
    while waiting and len(seen) < _MOST:
        path, thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (*_NOT_PART_OF_THE_PROMISE, *_NUMBERS)):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, str):
            yield path, thing
        elif isinstance(thing, (bytes, bytearray)):
            yield path, bytes(thing).decode("latin-1")
        else:
            waiting.extend(_parts(path, thing))
    assert not waiting, f"more than {_MOST:,} parts: not all of them were looked at"


def _parts(path: str, thing: object) -> Iterator[tuple[str, object]]:
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield f"{path}.key", key
            yield f"{path}[{key!r}]", value
    elif isinstance(thing, (list, tuple, set, frozenset)):
        for place, value in enumerate(thing):
            yield f"{path}[{place}]", value
    for name in dir(thing):
        if name in ("__traceback__", "__class__", "__globals__", "__builtins__"):
            continue
        if name.startswith("__") and name not in ("__cause__", "__context__", "__dict__"):
            continue
        try:
            value = getattr(thing, name)
        except Exception:
            continue
        if not isroutine(value):
            yield f"{path}.{name}", value
