"""Response paths: where in an answer something stands.

A plain path, such as ``choices[0].message.content``, becomes a getter of our
own. All else is JMESPath, whose library is imported when the first such path
is met. Where a path leads nowhere, there is no value: None, never an error.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

Getter = Callable[[Any], Any]

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PLAIN = re.compile(rf"{_NAME}(?:\.{_NAME}|\[-?[0-9]+\])*")
_STEP = re.compile(rf"({_NAME})|\[(-?[0-9]+)\]")


def getter(path: str) -> Getter:
    """Return the function that takes what is at *path* out of a parsed answer.

    Raises ValueError saying what is wrong with the path.
    """
    if not _PLAIN.fullmatch(path):
        return _jmespath(path)
    steps = [_step(name, place) for name, place in _STEP.findall(path)]
    return partial(_walked, steps)


def _step(name: str, place: str) -> tuple[Any, Any]:
    """Return the type that a step goes into, and the key or the place there."""
    return (dict, name) if name else (list, int(place))


def _walked(steps: list[tuple[Any, Any]], value: Any) -> Any:
    for kind, step in steps:
        if type(value) is not kind:
            return None
        if kind is dict:
            value = value.get(step)
        elif -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def _jmespath(path: str) -> Getter:
    import jmespath  # type: ignore[import-untyped]
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

    try:
        search = jmespath.compile(path).search
    except JMESPathError as error:
        reason = str(error).splitlines()[0].partition(", for expression")[0].rstrip(":")
        failure = f"is neither a path such as a[0].b nor JMESPath: {reason}"
    else:
        return partial(_found, search)
    raise ValueError(failure)


def _found(search: Getter, value: Any) -> Any:
    try:
        return search(value)
    except (TypeError, ValueError, ArithmeticError):  # JMESPath met what it can't work with
        return None
