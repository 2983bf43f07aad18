"""What an entry of ``type: http`` may hold, read and checked as a whole.

    url, method, headers, query, request   how to ask                     request.py
    messages                               how a conversation is written  messages.py
    response                               where the answer stands        answers.py
    errors                                 which failure is which         failures.py
    stream                                 the same, in pieces            streaming.py
    structured                             laid over 'request' where a JSON schema is asked for
    auth                                   where the key goes             auth.py
    model, timeouts, connections, proxy, ca, certificate, certificate_key
    parameters                             values for placeholders of the entry's own

Nothing stops at the first fault: all are noted, with the keys that lead there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from war_rig.names import did_you_mean
from war_rig.providers.http.addresses import address_fault
from war_rig.providers.http.answers import AnswerPaths, answer_paths
from war_rig.providers.http.auth import auth_faults
from war_rig.providers.http.failures import Rule, rules
from war_rig.providers.http.hidden import LOGIN
from war_rig.providers.http.messages import Shape, shape
from war_rig.providers.http.request import (
    CALL_VALUES,
    RequestTemplate,
    request_template,
)
from war_rig.providers.http.section import Faults, Section
from war_rig.providers.http.streaming import Streaming, streaming
from war_rig.providers.http.template import (
    NOTHING,
    Placeholders,
    Values,
    laid_over,
    template,
)
from war_rig.providers.http.transport import Timeouts

Kind = tuple[bool, bool]
"""Of a request: whether it streams, and whether it asks for a JSON schema."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WITH_DEFAULT = ("temperature", "max_tokens")
_TIMEOUTS = ("connect", "first_token", "between_tokens", "total")
_ASKED = ("url", "method", "headers", "query", "request")
_KEYS = (
    ("bearer",), ("header", "value"), ("query", "value"), ("basic", "password"),
    ("oauth2", "client_secret"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked entry. defaults: what a call's values are where it gives none."""

    model: str
    defaults: Values
    shape: Shape
    requests: Mapping[Kind, RequestTemplate]
    answers: AnswerPaths
    rules: tuple[Rule, ...]
    streaming: Streaming | None
    timeouts: Timeouts
    auth: Any = field(repr=False)

    @property
    def url(self) -> str:
        """Return the URL that is asked, with a model's name in the place of the model."""
        return str(self.requests[False, False].url.fill({"model": "model"}))

    @property
    def host(self) -> str:
        """Return the host that is asked, for a message."""
        return urlsplit(self.url).hostname or "an unknown host"


def definition(arguments: Mapping[str, Any]) -> tuple[Definition, Faults]:
    """Return what *arguments* define, and what is wrong with them; use it only where nothing is."""
    top = Section(arguments)
    fixed, defaults = _parameters(top.map("parameters"))
    response, stream = top.map("response"), top.map("stream")
    answers = answer_paths(response)
    made = Definition(
        model=top.text("model"),
        defaults=defaults,
        shape=shape(top.map("messages")),
        requests=_requests(top, stream, fixed, defaults),
        answers=answers,
        rules=rules(top.at("errors")),
        streaming=streaming(stream, answers) if top.has("stream") else None,
        timeouts=_timeouts(top.map("timeouts")),
        auth=_auth(top, fixed),
    )
    _check_connection(top)
    for section in (response, stream, top):
        section.finish()
    return made, top.faults


def _parameters(place: Section) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the declared parameters that have a value: those that are fixed, and defaults."""
    found = {}
    for item in place.items():
        name = str(item.key)
        is_taken = name in CALL_VALUES and name not in _WITH_DEFAULT
        if is_taken or not _NAME.fullmatch(name):
            item.note("is the name of a call's own value" if is_taken else "is not a name")
        elif item.value is None or isinstance(item.value, (Mapping, list, tuple)):
            item.note("must have a value: text, a number, true or false")
        elif item.value != "":
            found[name] = item.value
    defaults = {name: found.pop(name) for name in _WITH_DEFAULT if name in found}
    unset = {str(name) for name in place.value} - {*found, *defaults}
    return {**found, **dict.fromkeys(unset, NOTHING)}, defaults


def _requests(
    top: Section, stream: Section, fixed: Values, defaults: Values
) -> dict[Kind, RequestTemplate]:
    """Return the request of each kind that is declared; check each part where it is written."""
    plain = request_template(top, fixed)
    if "messages" not in plain.placeholders and not any(p[0] == "request" for p, _ in top.faults):
        top.note("does not use $messages, so nothing would be asked", "request")
    for name in defaults.keys() - plain.placeholders:
        top.note(f"is used nowhere: the request has no ${name}", "parameters", name)
    asked = {key: top.value[key] for key in _ASKED if key in top.value}
    kinds = {(False, False): asked}
    if top.has("stream"):
        request_template(stream, fixed)
        over = {key: stream.value[key] for key in _ASKED if stream.has(key)}
        kinds[True, False] = laid_over(asked, over)
    if top.has("structured"):
        structured = top.map("structured")
        if "schema" not in template(structured, Placeholders(CALL_VALUES, fixed)).placeholders:
            structured.note("does not use $schema, the JSON schema that is asked for")
        for is_stream, _ in list(kinds):
            over = {"request": structured.value}
            kinds[is_stream, True] = laid_over(kinds[is_stream, False], over)
    return {
        kind: request_template(Section(keys), fixed, is_structured=kind[1])
        for kind, keys in kinds.items()
    }


def _auth(top: Section, fixed: Values) -> Any:
    """Return what is declared with parameters put in, None where its key has no value."""
    place = top.at("auth")
    declared = place.value
    _check_placeholders(place, fixed)
    found = _with_parameters(declared, fixed)
    if declared is None or (found != declared and not any(_keys(found))):
        return None
    for path, text in auth_faults(found):
        top.note(text, "auth", *path)
    return found


def _with_parameters(value: Any, fixed: Values) -> Any:
    """Return *value* with each text that is exactly a parameter replaced; all else is a key's."""
    if isinstance(value, Mapping):
        items = ((key, _with_parameters(item, fixed)) for key, item in value.items())
        return {key: item for key, item in items if item is not NOTHING}
    is_parameter = isinstance(value, str) and value[:1] == "$" and value[1:] in fixed
    return fixed[value[1:]] if is_parameter else value


def _check_placeholders(place: Section, fixed: Values) -> None:
    """Note each text that is exactly ``$name`` and names no parameter; a key, it is not shown."""
    if isinstance(place.value, Mapping):
        for item in place.items():
            _check_placeholders(item, fixed)
    elif isinstance(place.value, str) and place.value[:1] == "$":
        name = place.value[1:]
        if _NAME.fullmatch(name) and name not in fixed:
            near = did_you_mean(name, fixed).replace("'", "'$", 1)
            shown = ", ".join(f"${one}" for one in fixed) or "none"
            place.note(
                f"begins with a '$', but names no parameter.{near} Parameters: {shown}; "
                "a key that begins so can be the value of a parameter"
            )


def _keys(auth: Any) -> Iterator[Any]:
    """Yield what is declared as the key, wherever that is in its kind of authentication."""
    for path in _KEYS:
        found: Any = auth
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None:
            yield found


def _timeouts(place: Section) -> Timeouts:
    usual = Timeouts()
    found = {key: place.number(key, getattr(usual, key)) for key in _TIMEOUTS}
    place.finish()
    return Timeouts(**found)


def _check_connection(top: Section) -> None:
    if not float(top.number("connections", 1)).is_integer():
        top.note("must be a whole number", "connections")
    proxy = top.text("proxy")
    if proxy and address_fault(LOGIN.sub("", proxy)):
        top.note("must be a URL such as http://proxy.example.com:8080", "proxy")
    for key in ("ca", "certificate", "certificate_key"):
        path = top.at(key).value
        if path is not None and not (isinstance(path, (str, Path)) and Path(path).is_file()):
            top.note("must be the path of a file that is there", key)
    if top.has("certificate_key") and not top.has("certificate"):
        top.note("belongs to a 'certificate', which is missing", "certificate_key")
