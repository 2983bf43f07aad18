"""What an entry of ``type: http`` says itself: how it is answered, and where its key comes from."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from war_rig.providers.blueprint import Blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.http.vendor import Vendor
from war_rig.testing.conformance.templates import StreamTemplate, Template

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PLAIN = re.compile(rf"{_NAME}(?:\.{_NAME}|\[[0-9]\])*")
_STEP = re.compile(rf"({_NAME})|\[([0-9])\]")
_PLACEHOLDERS = {
    "content": "$content",
    "model": "$model",
    "prompt_tokens": "$tokens",
    "completion_tokens": "$tokens",
    "total_tokens": "$tokens",
    "finish_reason": "stop",
}
_FETCHED = ({"file"}, {"command"})


def declared(plan: Blueprint) -> tuple[Template | None, StreamTemplate | None]:
    """Return the answers that the definition of *plan* reads, as far as its paths are plain."""
    response, stream = (_part(plan, name) for name in ("response", "stream"))
    body = _body(response, "$content") if response else None
    return None if body is None else Template(body), _stream(response, stream)


def with_made_up_keys(plan: Blueprint, make: Callable[[str], str]) -> Blueprint:
    """Return *plan* with a key that *make* makes where a file or a command would give one.

    What these give is its user's own, and on another machine nothing.
    """
    auth = _part(plan, "auth")
    made = _keyed(auth, "auth", make)
    if made == auth:
        return plan
    return replace(plan, extra={**plan.extra, "auth": Argument(made, "the kit")})


def _keyed(value: Any, name: str, make: Callable[[str], str]) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() in _FETCHED:
        return make(name)
    return {key: _keyed(item, f"{name}.{key}", make) for key, item in value.items()}


def _part(plan: Blueprint, name: str) -> Mapping[str, Any]:
    if not plan.registration.templates:
        return {}
    definition = {key: argument.value for key, argument in plan.extra.items()}
    if isinstance(plan.factory, Vendor):
        definition = plan.factory.laid_under(definition)
    part = definition.get(name)
    return part if isinstance(part, dict) else {}


def _body(paths: Mapping[str, Any], content: str) -> Any:
    """Return a body with something at each of *paths*, None where one of them is not plain."""
    body: Any = {}
    for key, placeholder in _PLACEHOLDERS.items():
        path = paths.get(key)
        if path is None:
            continue
        if not (isinstance(path, str) and _PLAIN.fullmatch(path)):
            return None
        steps = [int(place) if place else name for name, place in _STEP.findall(path)]
        body = _put(body, steps, content if key == "content" else placeholder)
    return body


def _put(body: Any, steps: list[str | int], value: Any) -> Any:
    """Return *body* with *value* where *steps* lead to."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        inner = body if isinstance(body, dict) else {}
        return {**inner, step: _put(inner.get(step), rest, value)}
    items = body if isinstance(body, list) else []
    items = [*items, *[{}] * (step + 1 - len(items))]
    return [*items[:step], _put(items[step], rest, value), *items[step + 1 :]]


def _stream(response: Mapping[str, Any], stream: Mapping[str, Any]) -> StreamTemplate | None:
    paths = {**response, **{key: stream[key] for key in _PLACEHOLDERS if key in stream}}
    told_at_the_end = {key: path for key, path in paths.items() if key != "content"}
    piece = _body({"content": paths.get("content")}, "$content")
    last = _body(told_at_the_end, "")
    if not stream or not piece or last is None:
        return None
    form, end = stream.get("format", "sse"), stream.get("end")
    if form not in ("sse", "ndjson"):
        return None
    if isinstance(end, str):
        return StreamTemplate(form, (piece,), (last, end))
    if not isinstance(end, Mapping):
        return None
    if "event" in end:
        return StreamTemplate(form, (piece,), (last, {"$event": end["event"]}))
    return _ended_at(form, piece, last, end)


def _ended_at(form: Any, piece: Any, last: Any, end: Mapping[str, Any]) -> StreamTemplate | None:
    """Return the stream whose last event has the value at a path that says that it is whole."""
    equals, path = end.get("equals", True), end.get("path")
    if not (isinstance(path, str) and _PLAIN.fullmatch(path)):
        return None
    value = equals[0] if isinstance(equals, list) else equals
    steps = [int(place) if place else name for name, place in _STEP.findall(path)]
    return StreamTemplate(form, (piece,), (_put(last, steps, value),))
