"""What an entry of ``type: http`` says itself: how it is answered, and where its key comes from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from war_rig.providers.blueprint import Blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.http.vendor import Vendor
from war_rig.testing.conformance.bodies import body_for, with_value
from war_rig.testing.conformance.templates import Given, StreamTemplate, Template

_CONTENT = "$content"
_TOLD = {
    "model": "$model",
    "prompt_tokens": "$tokens",
    "completion_tokens": "$tokens",
    "total_tokens": "$tokens",
    "finish_reason": "stop",
}
_FETCHED = ({"file"}, {"command"})


def declared(plan: Blueprint) -> Given:
    """Return the answers that the definition of *plan* reads, as far as its paths tell."""
    response, stream = _parts(plan)
    is_laid = with_value({}, response.get("content"), _CONTENT) is not None
    whole = Template(_body({"content": _CONTENT, **_TOLD}, response)) if is_laid else None
    return whole, _stream(response, stream)


def unmade(plan: Blueprint, given: Given) -> tuple[str | None, str | None]:
    """Return the paths that no answer, and no stream, could be made up for, and none is *given*."""
    response, stream = _parts(plan)
    end = stream.get("end")
    whole = ("response.content", response.get("content"))
    piece = ("stream.content", stream["content"]) if "content" in stream else whole
    last = ("stream.end.path", end.get("path") if isinstance(end, Mapping) else None)
    return (None if given[0] else _unlaid([whole])), None if given[1] else _unlaid([piece, last])


def _unlaid(paths: Iterable[tuple[str, object]]) -> str | None:
    """Return the first of *paths*, by their keys, that can't be turned round."""
    for key, path in paths:
        if isinstance(path, str) and with_value({}, path, _CONTENT) is None:
            return f"{key}: {path}"
    return None


def _parts(plan: Blueprint) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return _part(plan, "response"), _part(plan, "stream")


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


def _body(values: Mapping[str, Any], paths: Mapping[str, Any]) -> Any:
    """Return a body with *values* at those of *paths* that have their keys."""
    return body_for([(paths[key], value) for key, value in values.items() if key in paths])


def _stream(response: Mapping[str, Any], stream: Mapping[str, Any]) -> StreamTemplate | None:
    paths = {**response, **stream}
    piece = with_value({}, paths.get("content"), _CONTENT)
    last = _body(_TOLD, paths)
    if not stream or piece is None:
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
    value = equals[0] if isinstance(equals, list) else equals
    whole = with_value(last, path, value)
    return None if whole is None else StreamTemplate(form, (piece,), (whole,))
