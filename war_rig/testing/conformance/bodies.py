"""Bodies in which a definition's paths find something: response paths, turned round.

Of JMESPath, ``[*]``, ``[]``, a condition such as ``[?type=='text']``, quoted names and the
first of several paths beside ``||`` can be turned round. All else can't.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from war_rig.providers.http.paths import getter

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_STEP = re.compile(
    rf"(?:^|\.)(?:(?P<name>{_NAME})|(?P<quoted>\"(?:[^\"\\]|\\.)+\"))"
    r"|\[(?P<place>-?[0-9]{1,2})\]|\[\*?\]"
    rf"|\[\?\s*(?P<key>{_NAME})\s*==\s*'(?P<value>[^'\\]*)'\s*\]"
)
_PATH = re.compile(f"(?:{_STEP.pattern})+")

Step = str | tuple[int, Mapping[str, str]]
"""A name in a map, or a place in a list, with what the item there has to have."""


def body_for(values: Sequence[tuple[object, Any]]) -> Any:
    """Return a body in which each path finds its value.

    A path that can't be laid beside those before it is left out.
    """
    body: Any = {}
    laid: list[tuple[str, Any]] = []
    for path, value in values:
        wider = with_value(body, path, value)
        if wider is not None and all(_finds(wider, *one) for one in laid):
            body = wider
            laid.append((str(path), value))
    return body


def with_value(body: Any, path: object, value: Any) -> Any:
    """Return *body* with *value* where *path* leads to, None where that can't be."""
    try:
        wider = _put(body, _steps(path), value)
        return wider if _finds(wider, str(path), value) else None
    except ValueError:  # no path, or more of JMESPath than can be turned round
        return None


def _finds(body: Any, path: str, value: Any) -> bool:
    return _is_in(getter(path)(body), value)


def _is_in(found: Any, value: Any) -> bool:
    return bool(found == value) or (
        isinstance(found, list) and any(_is_in(item, value) for item in found)
    )


def _steps(path: object) -> list[Step]:
    first = path.partition("||")[0].strip() if isinstance(path, str) else ""
    if not _PATH.fullmatch(first):
        raise ValueError(path)
    return list(map(_step, _STEP.finditer(first)))


def _step(found: "re.Match[str]") -> Step:
    name, quoted, place, key, value = found.groups()
    if quoted:
        return str(json.loads(quoted))
    return name or (int(place or 0), {key: value} if key else {})


def _put(body: Any, steps: Sequence[Step], value: Any) -> Any:
    """Return *body* with *value* where *steps* lead to."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        inner = body if isinstance(body, dict) else {}
        return {**inner, step: _put(inner.get(step), rest, value)}
    place, condition = step
    items = list(body) if isinstance(body, list) else []
    items += [{}] * (max(place + 1, -place) - len(items))
    item = items[place]
    items[place] = _put({**item, **condition} if isinstance(item, dict) else item, rest, value)
    return items
