"""From the values of a call to the HTTP request that is sent.

A request is declared with ``method``, ``url``, ``headers``, ``query`` and
``request``, which is the body. All but the method are templates.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from war_rig.errors import BadRequestError
from war_rig.providers.http.addresses import address_fault
from war_rig.providers.http.section import Section
from war_rig.providers.http.template import (
    NOTHING,
    Placeholders,
    Template,
    Values,
    as_text,
    sendable,
    template,
    url_template,
)
from war_rig.providers.http.transport import Request

CALL_VALUES = (
    "model", "messages", "system", "temperature", "max_tokens", "schema", "parameters",
)  # fmt: skip
"""The placeholders that have their value from a call."""

VALUELESS = "uses a parameter that has no value"
"""What is wrong with a URL, where nobody gave what has to stand in it."""

_TYPE = ("Content-Type", "application/json")
_METHOD = re.compile(r"[A-Z]+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_HEADERS = re.compile(r"[^\t\x20-\x7e]")  # what each library spells its own way
_HEADERS_TAKE = "ASCII text without line breaks"

_encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A request with placeholders. placeholders: the values of a call that it uses."""

    method: str
    url: Template
    headers: "_Pairs"
    query: "_Pairs"
    body: Template | None
    placeholders: frozenset[str]

    def request(self, values: Values) -> Request:
        """Return the request with *values* put in; raise BadRequestError where that is none."""
        headers = dict(self.headers.filled(values))
        for name in self.headers.varying:
            if wrong := _NOT_IN_HEADERS.search(headers.get(name, "")):
                text = f"the header {name} would hold {wrong[0]!r}; a header is {_HEADERS_TAKE}"
                raise BadRequestError(f"was not asked: {text}")
        query = self.query.filled(values)
        for _, value in query if self.query.varying else ():
            sendable(value)
        return Request(
            method=self.method,
            url=self.url.fill(values),
            headers=headers,
            query=query,
            body=b"" if self.body is None else _json(self.body.fill(values)),
        )


def request_template(
    place: Section, fixed: Values, *, is_structured: bool = False
) -> RequestTemplate:
    """Return the request that the keys of the map *place* declare; *fixed* are its parameters."""
    names = Placeholders(CALL_VALUES, fixed).without(*(() if is_structured else ("schema",)))
    method = place.text("method", "POST")
    if not _METHOD.fullmatch(method):
        place.note("must be an HTTP method such as POST", "method")
    url = _url(place, Placeholders(("model",), fixed))
    single = names.without("parameters")
    headers = _headers(place.map("headers"), single)
    query = _pairs(place.map("query"), single)
    body = template(place.map("request"), names) if place.has("request") else None
    used = url.placeholders | headers.placeholders | query.placeholders
    used |= body.placeholders if body else frozenset()
    return RequestTemplate(method, url, headers, query, body, used)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Headers, or the query: those that no call changes, and those that have placeholders."""

    fixed: tuple[tuple[str, str], ...]
    varying: Mapping[str, Template]

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset().union(*(part.placeholders for part in self.varying.values()))

    def filled(self, values: Values) -> tuple[tuple[str, str], ...]:
        return (*self.fixed, *_filled(self.varying, values)) if self.varying else self.fixed


def _pairs(place: Section, names: Placeholders) -> _Pairs:
    made: dict[str, Template] = {}
    for item in place.items():
        if isinstance(item.value, (Mapping, list, tuple)):
            item.note("must be text or a number")
        elif item.value is not None:
            made[str(item.key)] = template(item, names)
    varying = {name: part for name, part in made.items() if part.placeholders}
    fixed = {name: part for name, part in made.items() if not part.placeholders}
    return _Pairs(tuple(_filled(fixed, {})), varying)


def _filled(parts: Mapping[str, Template], values: Values) -> Iterator[tuple[str, str]]:
    for name, part in parts.items():
        value = part.fill(values)
        if value is not NOTHING:
            yield name, as_text(value)


def _headers(place: Section, names: Placeholders) -> _Pairs:
    declared = _pairs(place, names)
    for item in place.items():
        if not _HEADER.fullmatch(str(item.key)):
            item.note("is not the name of a header")
    filled = dict(declared.fixed)
    for item in place.items():
        if _NOT_IN_HEADERS.search(
            filled.get(str(item.key), item.value if isinstance(item.value, str) else "")
        ):
            item.note(f"must be {_HEADERS_TAKE}")
    if not any(str(name).lower() == _TYPE[0].lower() for name in place.value):
        return _Pairs((_TYPE, *declared.fixed), declared.varying)
    return declared


def _url(definition: Section, names: Placeholders) -> Template:
    place = definition.at("url")
    if not isinstance(place.value, str):
        if "url" in definition.value:  # else whoever looks for arguments says that it is missing
            place.note("must be text: the URL of the API")
        return Template(lambda values: "", frozenset())
    try:
        made = url_template(place, names)
    except BadRequestError as error:  # of a parameter, whose value is known already
        place.note(str(error).removeprefix("was not asked: "))
        return Template(lambda values: "", frozenset())
    tried = made.fill({"model": "model"})
    if tried is NOTHING:
        place.note(VALUELESS)
    elif fault := address_fault(tried):
        place.note(fault)
    return made


def _json(body: Any) -> bytes:
    try:
        return _encoded({} if body is NOTHING else body).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        failure = f"was not asked: its request can't be written as JSON: {error}"
    raise BadRequestError(failure)
