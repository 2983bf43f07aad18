"""An entry of `type: http` is checked as a whole, and every fault has its file, line and key."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY

from containers import application
from war_rig.entries import provider_blueprint
from war_rig.errors import ConfigError, PluginError, UnknownProviderError
from war_rig.providers import create_provider, register_provider
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.building import blueprint
from war_rig.providers.conversion import Argument, Examined
from war_rig.providers.http.definition import definition
from war_rig.providers.http.hidden import secrets
from war_rig.providers.http.provider import HttpProvider
from war_rig.providers.http.transport import Timeouts
from war_rig.providers.http.values import request_of
from war_rig.providers.registry import Registration, find_type

SMALL: dict[str, Any] = {
    "url": "https://llm.house.example/v1/chat",
    "model": "house-1",
    "request": {"model": "$model", "messages": "$messages"},
    "response": {"content": "choices[0].text"},
}


def faults(**changes: Any) -> dict[str, str]:
    """Return what is wrong with SMALL after *changes*, by dotted key."""
    found = definition({**SMALL, **changes})[1]
    assert len({path for path, _ in found}) == len(found)
    return {".".join(map(str, path)): text for path, text in found}


def test_the_smallest_definition_is_right() -> None:
    """A URL, a model, what to send and where the text is: no more is needed."""
    made, found = definition(SMALL)
    assert found == []
    assert (made.model, made.host, made.auth) == ("house-1", "llm.house.example", None)
    assert made.timeouts == Timeouts(connect=10, first_token=120, between_tokens=60, total=600)
    assert list(made.requests) == [(False, False)]
    assert made.streaming is None


STREAM = {"format": "sse", "content": "delta", "end": "[DONE]"}
NEAREST = "Known: between_tokens, connect, first_token, total"


NO_PARAMETER = "begins with a '$', but names no parameter."
SO = "a key that begins so can be the value of a parameter"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"responce": {}}, {
            "responce": "is no key here. Did you mean 'response'? Known: auth, ca, certificate, "
            "certificate_key, connections, errors, headers, messages, method, model, parameters, "
            "proxy, query, request, response, stream, structured, timeouts, url"
        }),
        ({"response": None}, {"response.content": "is missing: the path to the text of an answer"}),
        ({"response": {"content": "a[", "modle": "m"}}, {
            "response.content": "'a[' is neither a path such as a[0].b nor JMESPath: "
            "Invalid jmespath expression: Incomplete expression",
            "response.modle": "is no key here. Did you mean 'model'? Known: completion_tokens, "
            "content, finish_reason, model, prompt_tokens, total_tokens",
        }),
        ({"response": {"content": 5}}, {"response.content": "must be text: put it in quotes"}),
        ({"response": "text"}, {"response": "must be a map"}),
        ({"request": {"model": "$model"}}, {
            "request": "does not use $messages, so nothing would be asked"
        }),
        ({"request": None}, {"request": "does not use $messages, so nothing would be asked"}),
        ({"request": {"text": "$mesages"}}, {
            "request.text": "has '$mesages', which is no placeholder. Did you mean '$messages'? "
            "Known here: $model, $messages, $system, $temperature, $max_tokens, "
            "$parameters; a plain '$' is written '$$'"
        }),
        ({"timeouts": {"conect": 5, "total": 0, "first_token": "soon", "between_tokens": True}}, {
            "timeouts.conect": f"is no key here. Did you mean 'connect'? {NEAREST}",
            "timeouts.total": "must be a number above 0",
            "timeouts.first_token": "must be a number above 0",
            "timeouts.between_tokens": "must be a number above 0",
        }),
        ({"timeouts": {"total": [], "connect": float("inf")}}, {
            "timeouts.total": "must be a number above 0",
            "timeouts.connect": "must be a number above 0",
        }),
        ({"timeouts": {"total": 10**400}, "connections": 10**400}, {
            "timeouts.total": "must be a number above 0",
            "connections": "must be a number above 0",
        }),
        ({"parameters": {"api_key": "k", "url": "u"}, "auth": {"oauth2": {
            "token_url": "$tokn_url", "client_id": "$api_kye", "client_secret": "$ecretPass1"
        }}}, {
            "auth.oauth2.token_url": f"{NO_PARAMETER} Parameters: $api_key, $url; {SO}",
            "auth.oauth2.client_id":
                f"{NO_PARAMETER} Did you mean '$api_key'? Parameters: $api_key, $url; {SO}",
            "auth.oauth2.client_secret": f"{NO_PARAMETER} Parameters: $api_key, $url; {SO}",
        }),
        ({"auth": {"bearer": "$api_kye"}}, {
            "auth.bearer": f"{NO_PARAMETER} Parameters: none; {SO}"
        }),
        ({"auth": {"berer": "x"}}, {
            "auth.berer": "is not known; there are: bearer, header, query, basic, oauth2."
            " Did you mean 'bearer'?"
        }),
        ({"connections": 1.5}, {"connections": "must be a whole number"}),
        ({"connections": 0}, {"connections": "must be a number above 0"}),
        ({"proxy": "proxy.example.com:8080"}, {
            "proxy": "must be a URL such as http://proxy.example.com:8080"
        }),
        ({"proxy": "http://[::1"}, {
            "proxy": "must be a URL such as http://proxy.example.com:8080"
        }),
        ({"ca": "nowhere.pem", "certificate": Path("nowhere"), "certificate_key": 5}, {
            "ca": "must be the path of a file that is there",
            "certificate": "must be the path of a file that is there",
            "certificate_key": "must be the path of a file that is there",
        }),
        ({"certificate_key": __file__}, {
            "certificate_key": "belongs to a 'certificate', which is missing"
        }),
        ({"structured": {"format": "json"}}, {
            "structured": "does not use $schema, the JSON schema that is asked for"
        }),
        ({"structured": {"format": "$scheme"}}, {
            "structured.format": "has '$scheme', which is no placeholder. Did you mean '$schema'? "
            "Known here: $model, $messages, $system, $temperature, $max_tokens, $schema, "
            "$parameters; a plain '$' is written '$$'",
            "structured": "does not use $schema, the JSON schema that is asked for",
        }),
        ({"parameters": {"model": "a", "1st": "b", "none": None, "list": []}}, {
            "parameters.model": "is the name of a call's own value",
            "parameters.1st": "is not a name",
            "parameters.none": "must have a value: text, a number, true or false",
            "parameters.list": "must have a value: text, a number, true or false",
        }),
        ({"parameters": {"temperature": 0.5}}, {
            "parameters.temperature": "is used nowhere: the request has no $temperature"
        }),
        ({"errors": {"status": 429}}, {"errors": "must be a list of rules"}),
        ({"errors": ["429"]}, {
            "errors.0": "must be a map, such as {status: 429, raise: RateLimitError}"
        }),
        ({"errors": [
            {"status": 4299, "raise": "RateLimit"},
            {"status": [429, "6xx"], "raise": "Oops", "equals": "a"},
            {"path": "a..b", "when": 1, "without_text": "yes"},
            {"status": 429, "retry_after": {"unit": "second"}},
            {"status": 429, "retry_after": {"header": "a", "path": "b", "units": 1}},
        ]}, {
            "errors.0.status": "must be a status such as 429, a class such as 5xx, "
            "or a list of them",
            "errors.0.raise": "'RateLimit' is not the name of an error. "
            "Did you mean 'RateLimitError'?",
            "errors.1.status": "must be a status such as 429, a class such as 5xx, "
            "or a list of them",
            "errors.1.raise": "'Oops' is not the name of an error. Known: ProviderError, "
            "AuthenticationError, RateLimitError, QuotaExceededError, ModelNotFoundError, "
            "BadRequestError, ContextTooLongError, ContentRefusedError, ServerError, "
            "ProviderConnectionError, ProviderTimeoutError, MalformedAnswerError",
            "errors.1": "compares nothing: it lacks its 'path'",
            "errors.2.path": "'a..b' is neither a path such as a[0].b nor JMESPath: Expecting: "
            "['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], got: dot: "
            'Parse error at column 2, token "." (DOT)',
            "errors.2.without_text": "must be true or false",
            "errors.2.when": "is no key here. Known: contains, equals, message, path, raise, "
            "retry_after, status, without_text",
            "errors.3.retry_after.unit": "must be one of: seconds, milliseconds. "
            "Did you mean 'seconds'?",
            "errors.3.retry_after": "needs either a 'header' or a 'path'",
            "errors.4.retry_after": "needs either a 'header' or a 'path'",
            "errors.4.retry_after.units": "is no key here. Did you mean 'unit'? "
            "Known: header, path, unit",
        }),
        ({"stream": {**STREAM, "format": "xml", "contents": "c"}}, {
            "stream.format": "must be one of: sse, ndjson",
            "stream.contents": "is no key here. Did you mean 'content'? Known: completion_tokens, "
            "content, cumulative, end, error, finish_reason, format, headers, method, model, "
            "prompt_tokens, query, request, total_tokens, url",
        }),
        ({"stream": {**STREAM, "cumulative": "yes"}}, {
            "stream.cumulative": "must be true or false"
        }),
        ({"url": "http://h.example/a\tb"}, {
            "url": "holds '\\t', which no URL can: it is quoted as %09"
        }),
        ({"url": "http://h.example/$region/b", "parameters": {"region": ".."}}, {
            "url": "'..' can't be a step of a URL"
        }),
        ({"url": "$base/b", "parameters": {"base": "http://h.example/\ud800"}}, {
            "url": "its URL would hold '\\ud800', which is no character"
        }),
        ({"stream": {"request": {"a": "$b"}, "url": "x", "headers": []}}, {
            "stream.url": "must begin with http:// or https:// and a host",
            "stream.headers": "must be a map",
            "stream.request.a": "has '$b', which is no placeholder. Known here: $model, "
            "$messages, $system, $temperature, $max_tokens, $parameters; "
            "a plain '$' is written '$$'",
            "stream.end": 'must say what ends a stream: "[DONE]", {event: NAME} or '
            "{path: PATH, equals: VALUE}",
        }),
        ({"stream": {"end": {"event": "a", "path": "b"}}}, {
            "stream.end": "needs either an 'event' or a 'path'"
        }),
        ({"stream": {"end": {"equals": "b", "evnt": 1}, "error": "["}}, {
            "stream.end": "needs either an 'event' or a 'path'",
            "stream.end.evnt": "is no key here. Did you mean 'event'? Known: equals, event, path",
            "stream.error": "'[' is neither a path such as a[0].b nor JMESPath: "
            "Invalid jmespath expression: Incomplete expression",
        }),
    ],
)  # fmt: skip
def test_every_fault_says_what_is_expected(changes: Any, expected: dict[str, str]) -> None:
    """What can't be used is told with its key, what it must be, and the nearest that there is."""
    assert faults(**changes) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"connections": "50", "proxy": "http://me:pass@proxy.example:8080", "ca": __file__},
        {"certificate": Path(__file__), "certificate_key": __file__},
        {"timeouts": {"total": "30.5", "connect": 1}},
        {"auth": "none"},
        {"auth": {"bearer": "sk$with$dollars"}},
        {"auth": {"bearer": "$key"}, "parameters": {"key": "$ecretPass1"}},
        {"auth": {"bearer": {"command": ["echo", "$HOME"]}}},
        {"query": {"version": date(2026, 1, 1)}, "errors": [{"path": "a", "equals": date.max}]},
        {"url": "https://[::1]:80/x"},
        {"url": "http://exa_mple.com/$model"},
        {"url": "https://zürich.example/"},
        {"errors": [{"message": "why"}, {"status": "4XX", "raise": "BadRequestError"}]},
        {"errors": [{"status": [429, "503"], "path": "a", "equals": [1, True, "x"]}]},
        {"stream": {"end": {"path": "done"}, "method": "PUT", "query": {"s": 1}}},
        {"stream": {"end": {"event": "end"}}, "structured": {"schema": "$schema"}},
        {"parameters": {"region": "eu", "empty": ""}},
        {
            "parameters": {"max_tokens": 5},
            "request": {"t": "$messages", "n": "$max_tokens", "r": "$max_tokens"},
        },
    ],
)
def test_what_is_right_is_no_fault(changes: Any) -> None:
    """Numbers may come as text from a variable; lists, classes and unset parameters are fine."""
    assert faults(**changes) == {}


def test_a_stream_and_a_schema_each_have_their_request() -> None:
    """Each kind of request is laid over the plain one: maps merge, the URL is replaced."""
    made, found = definition({
        **SMALL,
        "request": {"messages": "$messages", "options": {"a": 1}},
        "stream": {"url": "https://h/stream", "request": {"options": {"s": True}}, "end": "."},
        "structured": {"options": {"schema": "$schema"}},
    })  # fmt: skip
    assert found == []
    values = {"model": "m", "messages": [], "schema": {"type": "object"}}
    sent = {kind: part.request(values) for kind, part in made.requests.items()}
    schema = b'"schema":{"type":"object"}'
    assert {kind: (r.url.rpartition("/")[2], r.body) for kind, r in sent.items()} == {
        (False, False): ("chat", b'{"messages":[],"options":{"a":1}}'),
        (True, False): ("stream", b'{"messages":[],"options":{"a":1,"s":true}}'),
        (False, True): ("chat", b'{"messages":[],"options":{"a":1,' + schema + b"}}"),
        (True, True): ("stream", b'{"messages":[],"options":{"a":1,"s":true,' + schema + b"}}"),
    }


@pytest.mark.parametrize(
    ("auth", "resolved"),
    [
        ({"bearer": "$key"}, {"bearer": CANARY}),
        ({"bearer": "$unset"}, None),
        ({"bearer": "$ other"}, {"bearer": "$ other"}),
        ({"bearer": "x$key"}, {"bearer": "x$key"}),
        ({"header": {"name": "X-Key", "value": "$unset"}}, None),
        ({"bearer": {"file": "$key"}}, {"bearer": {"file": CANARY}}),
        (
            {"oauth2": {"token_url": "https://h/t", "client_id": "me", "client_secret": "$key",
                        "scope": "$unset"}},
            {"oauth2": {"token_url": "https://h/t", "client_id": "me", "client_secret": CANARY}},
        ),
    ],
)  # fmt: skip
def test_a_key_may_be_a_parameter(auth: Any, resolved: Any) -> None:
    """Under auth, a text that is exactly a parameter is its value; all else is a key's own text.

    What has no value is left out; without the key there is no authentication.
    """
    parameters = {"key": CANARY, "unset": ""}
    made, found = definition({**SMALL, "auth": auth, "parameters": parameters})
    assert (made.auth, found) == (resolved, [])


def test_the_secrets_of_an_entry_are_known() -> None:
    """Keys are secrets wherever they stand; addresses and names are not."""
    auth = {
        "oauth2": {
            "token_url": "https://sso.example", "client_id": "the-client", "scope": "everything",
            "client_secret": "key-1", "parameters": {"assertion": "key-2"},
        }
    }  # fmt: skip
    headers = {"X-Api-Key": "key-3", "Authorization": "key-4", "X-Team": "legacy", "X-Token": 5}
    proxy = "http://me:key-5@proxy.example:8080"
    found = secrets({"auth": auth, "headers": headers, "proxy": proxy, "url": "https://h"})
    assert set(found) == {"key-1", "key-2", "key-3", "key-4", "5", proxy, "key-5"}
    declared = {"auth": {"bearer": "$key"}, "parameters": {"key": None}}
    assert set(secrets({**declared, "proxy": "http://proxy"})) == set()
    assert set(secrets({"auth": {"bearer": "$ecretPass1"}})) == {"$ecretPass1"}
    assert set(secrets({"auth": {"berer": "key-6"}})) == {"key-6"}
    assert set(secrets({"auth": {"bearer": {"file": "key.txt"}}, "headers": None})) == set()
    assert set(secrets({"auth": {"basic": {"user": "me", "password": "key-7"}}})) == {"key-7"}
    assert set(secrets({"auth": "none"})) == set()
    assert set(secrets({"auth": ["key-8"], "headers": {"X-Key": [1]}})) == {"key-8"}


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"headers": {"Authorization": "Bearer key-1"}}, {"Bearer key-1", "key-1"}),
        ({"headers": {"Authorization": "Bearer $key"}},
         {"Bearer $key", "Bearer key-1", "key-1"}),
        ({"headers": {"X-Key": "$key"}, "request": {"key": "$key"}}, {"key-1"}),
        ({"headers": {"X-Key": "$key$$"}}, {"$key$$", "key-1$", "key-1"}),
        ({"headers": {"X-Key": "$model"}}, set()),
        ({"query": {"api-key": "$pin"}}, {"12345678"}),
        ({"stream": {"headers": {"X-ApiKey": "key-2"}, "query": {"token": "$key"}}},
         {"key-1", "key-2"}),
        ({"auth": {"oauth2": {"client_id": "$key", "client_secret": "$pin"}}}, {"12345678"}),
        ({"url": "https://h/?key=$key&v=1"}, {"key-1"}),
        ({"url": "https://h/$model?key=key-2"}, {"key-2", "https://h/$model?key=key-2"}),
        ({"url": "https://h/a@b?v=1"}, set()),
        ({"stream": {"url": "$base/s"}}, {
            "https://me:k%21@h", "https://me:k%21@h/s", "$base/s", "k%21", "k!"
        }),
    ],
)  # fmt: skip
def test_parameters_are_put_in_before_secrets_are_looked_for(entry: Any, found: set[str]) -> None:
    """A key may be a parameter, or a part of a text: each form of it is known by itself."""
    parameters = {"key": "key-1", "pin": 12345678, "base": "https://me:k%21@h", "list": ["a"]}
    assert set(secrets({"parameters": parameters, **entry})) == found


def test_the_class_itself_lists_all_faults() -> None:
    """Built by hand, the provider says the same, without a file to point at."""
    with pytest.raises(ConfigError) as failure:
        HttpProvider("nowhere", "m", request={"a": "$messages"}, response={})
    assert str(failure.value) == (
        "the definition of the HTTP API has 2 faults\n"
        "  response.content: is missing: the path to the text of an answer\n"
        "  url: must begin with http:// or https:// and a host"
    )
    with pytest.raises(ConfigError, match=r"^the definition of the HTTP API has a fault\n"):
        HttpProvider(**SMALL, timeouts={"total": 0})


HOUSE = """\
llm_provider: house
providers:
  house:
    type: http
    url: https://llm.house.example/v2/$model/chat
    model: house-1
    auth: {bearer: "${HOUSE_KEY}"}
    request: {messages: $messages}
    response: {content: output}
"""


def file(tmp_path: Path, text: str, name: str = "house.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def plan(path: Path, name: str = "house", **env: str) -> Blueprint:
    return provider_blueprint(name, application(path, env).settings())


def test_all_faults_of_an_entry_are_one_error_with_file_line_and_key(tmp_path: Path) -> None:
    """One error lists them all, what is missing too, each where it stands, line by line."""
    path = file(tmp_path, """\
llm_provider: house
providers:
  house:
    type: http
    url: 5
    conections: 5
    connections: many
    auth: {berer: "${HOUSE_KEY}"}
    request:
      text: $mesages
      dollar: costs $5
    response:
      content: choices[
    errors:
      - {status: 429, raise: RateLimitError}
      - status: 500
        raise: SeverError
""")  # fmt: skip
    with pytest.raises(ConfigError) as failure:
        application(path, {"HOUSE_KEY": CANARY}).agents("assistant")
    shown = str(failure.value).replace(str(path), "FILE")
    known = (
        "Known here: $model, $messages, $system, $temperature, $max_tokens, $parameters; "
        "a plain '$' is written '$$'"
    )
    assert shown == (
        "provider 'house' has 9 faults\n"
        "  FILE:3  providers.house.model: is missing: set it, or HOUSE_MODEL\n"
        "  FILE:5  providers.house.url: must be text: put it in quotes\n"
        "  FILE:6  providers.house.conections: is no key here. Did you mean 'connections'? "
        "Known: auth, ca, certificate, certificate_key, connections, errors, headers, messages, "
        "method, model, parameters, proxy, query, request, response, stream, structured, "
        "timeouts, url\n"
        "  FILE:7  providers.house.connections: must be a whole number\n"
        "  FILE:8  providers.house.auth.berer: is not known; there are: bearer, header, query, "
        "basic, oauth2. Did you mean 'bearer'?\n"
        "  FILE:10  providers.house.request.text: has '$mesages', which is no placeholder. "
        f"Did you mean '$messages'? {known}\n"
        "  FILE:11  providers.house.request.dollar: has a '$' that names no placeholder. "
        f"{known}\n"
        "  FILE:13  providers.house.response.content: 'choices[' is neither a path such as a[0].b "
        "nor JMESPath: Invalid jmespath expression: Incomplete expression\n"
        "  FILE:17  providers.house.errors.1.raise: 'SeverError' is not the name of an error. "
        "Did you mean 'ServerError'?"
    )


def test_an_entry_takes_texts_and_numbers_from_the_environment(tmp_path: Path) -> None:
    """The one rule holds: the file beats NAME_PARAMETER, which beats the default."""
    path = file(tmp_path, HOUSE.replace("    model: house-1\n", ""))
    made = plan(path, HOUSE_KEY=CANARY, HOUSE_MODEL="m-2", HOUSE_URL="x", HOUSE_CONNECTIONS="7")
    shown = {p.name: (p.shown, p.origin) for p in made.parameters}
    assert shown["model"] == ("'m-2'", "environment HOUSE_MODEL")
    assert shown["connections"] == ("7", "environment HOUSE_CONNECTIONS")
    assert shown["url"] == ("'https://llm.house.example/v2/$model/chat'", f"{path}:5")
    assert made.build().default_model == "m-2"
    assert made.hosts == ["llm.house.example"]
    wrong = plan(path, HOUSE_KEY=CANARY, HOUSE_MODEL="m", HOUSE_CONNECTIONS="many")
    with pytest.raises(ConfigError) as failure:
        wrong.build()
    assert str(failure.value) == (
        "provider 'house' has a fault\n"
        "  environment HOUSE_CONNECTIONS  providers.house.connections: must be a whole number"
    )


def test_the_keys_of_an_entry_are_secrets_and_nothing_else_of_it(tmp_path: Path) -> None:
    """A key is hidden where the entry is shown, and known to the border; its place is shown."""
    text = HOUSE.replace('{bearer: "${HOUSE_KEY}"}', '{header: {name: X-House, value: "${KEY}"}}')
    text += '    headers: {X-Team: legacy, X-Trace: "${TRACE_TOKEN}", X-Key: literal-key}\n'
    made = plan(file(tmp_path, text), KEY=CANARY, TRACE_TOKEN="trace$token")
    assert made.shown_extra("auth") == "{'header': {'name': 'X-House', 'value': '***'}}"
    assert made.shown_extra("headers") == ("{'X-Team': 'legacy', 'X-Trace': '***', 'X-Key': '***'}")
    assert {CANARY, "trace$token", "literal-key"} <= made.secrets
    assert not {"X-House", "legacy", "house-1"} & made.secrets
    assert CANARY not in repr(made) + made.identity + str(made.parameters)


def test_what_a_variable_brings_is_no_template(tmp_path: Path) -> None:
    """A dollar in a variable is a dollar; one that is written is doubled, and once is enough."""
    text = HOUSE + '    headers: {X-Pay: "${PRICE} $$1", X-Model: $model, X-D: "${NO:a$b}"}\n'
    made = plan(file(tmp_path, text), HOUSE_KEY="k$model$$", PRICE="$model $$").build()
    assert isinstance(made, HttpProvider)
    sent = request_of(made._definition, False, [], None, None, {})
    assert sent.headers["X-Pay"] == "$model $$ $1"
    assert sent.headers["X-Model"] == "house-1"
    assert sent.headers["X-D"] == "a$b"
    assert made._definition.auth == {"bearer": "k$model$$"}


def test_a_key_in_a_file_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    """A relative path under auth, and that of a certificate, start at the configuration."""
    file(tmp_path, "key", "key.txt")
    text = HOUSE.replace('"${HOUSE_KEY}"', "{file: key.txt}") + "    ca: key.txt\n"
    made = plan(file(tmp_path, text))
    assert made.extra["auth"].value == {"bearer": {"file": str(tmp_path / "key.txt")}}
    assert {p.name: p.value for p in made.parameters}["ca"] == tmp_path / "key.txt"
    made.build()
    absolute = text.replace("{file: key.txt}", f"{{file: {tmp_path}/key.txt}}")
    assert plan(file(tmp_path, absolute)).extra["auth"].value == made.extra["auth"].value


UNTRUSTED = (
    "war_rig.yaml was only found in the current folder: "
    "to trust it, pass --config war_rig.yaml or set WAR_RIG_CONFIG=war_rig.yaml"
)


@pytest.mark.parametrize(
    ("line", "key", "text"),
    [
        ("auth: {bearer: {command: [sh, -c, evil]}}", "auth.bearer.command",
         "may not run a command"),
        ("auth: {header: {name: K, value: {command: [evil]}}}", "auth.header.value.command",
         "may not run a command"),
        ("auth: {bearer: {file: ../key.txt}}", "auth.bearer.file",
         "lies outside the file's folder"),
        ("auth: {bearer: {file: ~nobody-here/key}}", "auth.bearer.file",
         "lies outside the file's folder"),
        ("ca: /etc/ssl/ca.pem", "ca", "lies outside the file's folder"),
        ("certificate: ../me.pem", "certificate", "lies outside the file's folder"),
        ("certificate_key: ../me.key", "certificate_key", "lies outside the file's folder"),
    ],
)  # fmt: skip
def test_a_file_that_was_only_found_runs_nothing_and_reads_nothing_elsewhere(
    tmp_path: Path, line: str, key: str, text: str
) -> None:
    """Somebody else's folder may neither run commands nor send the content of your files."""
    entry = HOUSE.replace('    auth: {bearer: "${HOUSE_KEY}"}\n', f"    {line}\n")
    file(tmp_path, entry, "war_rig.yaml")
    with pytest.raises(ConfigError) as failure:
        application(env={})
    assert str(failure.value) == (
        "the configuration has a fault\n"
        f"  war_rig.yaml:7  providers.house.{key}: {text}; {UNTRUSTED}"
    )
    file(tmp_path, "key", "key.txt")
    inside = HOUSE.replace('"${HOUSE_KEY}"', "{file: key.txt}")
    inside = inside.replace("{messages: $messages}", "{messages: $messages, command: [a]}")
    file(tmp_path, inside, "war_rig.yaml")
    assert application(env={}).llm_provider().default_model == "house-1"


def test_http_is_a_type_and_never_a_name(tmp_path: Path) -> None:
    """Neither a selection, nor an entry, nor a registration can be called http."""
    told = (
        "'http' is a type, not a name: write an entry 'NAME: {type: http, ...}' "
        "under 'providers:' in war_rig.yaml"
    )
    for select in (
        lambda: create_provider("http", url="https://h"),
        lambda: application(env={"LLM_PROVIDER": "http"}).agents("assistant"),
    ):
        with pytest.raises(UnknownProviderError) as failure:
            select()
        assert str(failure.value).startswith(f"unknown provider: {told}")
    entry = file(tmp_path, "llm_provider: http\nproviders: {http: {url: https://h}}\n")
    with pytest.raises(UnknownProviderError) as failure:
        application(entry, {}).agents("assistant")
    assert str(failure.value) == f"unknown provider: {told}"
    with pytest.raises(ValueError) as refused:
        register_provider("HTTP", HttpProvider)
    assert str(refused.value) == told.replace("'http'", "'HTTP'", 1)


def test_the_type_is_found_beside_the_names() -> None:
    """An entry's type is http, or any name that can be selected."""
    assert find_type("http").load() is HttpProvider
    assert find_type("http", "war-rig").load() is HttpProvider
    with pytest.raises(PluginError, match="'http' is not offered by the distribution 'other'"):
        find_type("http", "other")
    assert find_type("openai").name == "openai"


class Checked:
    """A factory of a plugin that looks at its arguments, as ours does."""

    default_model = "m"
    says: Any = Examined()

    def __init__(self, size: int, **more: Any) -> None:
        self.size = size

    async def complete(self, messages: Any, **kwargs: Any) -> None:
        """Answer nothing."""

    @classmethod
    def examined(cls, arguments: Any) -> Any:
        """Return, or raise, what the test has put there."""
        if isinstance(cls.says, Exception):
            raise cls.says
        return cls.says


def checked(says: Any, **given: Any) -> Blueprint:
    Checked.says = says
    registration = Registration("house", "plugin", "entry point x", lambda: Checked)
    arguments = {key: Argument(value, "my.yaml:3", Path()) for key, value in given.items()}
    return blueprint("house", registration, env={}, given=arguments)


def test_a_plugin_may_examine_its_arguments_too() -> None:
    """What a factory's examined() tells is listed with what is missing, and hidden where shown."""
    told = Examined(((("more", 0, "deep"), "is odd"),), frozenset({"hush-hush"}))
    made = checked(told, more=[{"deep": "hush-hush"}])
    with pytest.raises(ConfigError) as failure:
        made.build()
    assert str(failure.value) == (
        "provider 'house' has 2 faults\n"
        "  my.yaml:3  providers.house.more.0.deep: is odd\n"
        "  plugin None None (entry point x)  providers.house.size: "
        "is missing: set it, or HOUSE_SIZE"
    )
    assert made.shown_extra("more") == "[{'deep': '***'}]"
    assert made.secrets == {"hush-hush"}


@pytest.mark.parametrize("says", [None, "fine", 5])
def test_an_examination_that_tells_nothing_of_ours_is_passed_over(says: Any) -> None:
    """A plugin's own function of that name may be for something else."""
    assert checked(says, size=1).build().default_model == "m"
    with pytest.raises(ConfigError) as failure:
        checked(says, size="one")
    assert str(failure.value) == (
        "provider 'house': size must be a whole number\n  set by: my.yaml:3"
    )


def test_an_examination_that_fails_is_the_plugins_fault() -> None:
    """It is told as any other failure of a plugin's code."""
    with pytest.raises(PluginError) as failure:
        checked(RuntimeError("oops"), size=1)
    assert str(failure.value) == (
        "provider 'house' could not examine its arguments: RuntimeError: oops\n"
        "  plugin None None (entry point x)\n  upgrade it"
    )


def test_all_arguments_that_can_not_be_converted_are_told_at_once() -> None:
    """Of a class that examines nothing, too."""

    class Plain(Checked):
        examined = None  # type: ignore[assignment]

        def __init__(self, size: int, name: str, wait: float) -> None:
            """Keep nothing."""

    registration = Registration("house", "plugin", "entry point x", lambda: Plain)
    given = {
        "size": Argument("one", "my.yaml:1", Path()),
        "name": Argument("fine", "my.yaml:2", Path()),
        "wait": Argument([], "my.yaml:3", Path()),
    }
    with pytest.raises(ConfigError) as failure:
        blueprint("house", registration, env={}, given=given)
    assert str(failure.value) == (
        "provider 'house': size must be a whole number\n  set by: my.yaml:1\n"
        "provider 'house': wait must be a number\n  set by: my.yaml:3"
    )


@pytest.mark.parametrize(
    ("written", "key", "variable"),
    [("model: m-1", "url", "HOUSE_URL"), ("url: https://h/x", "model", "HOUSE_MODEL")],
)
def test_what_alone_is_missing_is_told_with_file_and_line(
    tmp_path: Path, written: str, key: str, variable: str
) -> None:
    """The message has the same form as for any other fault."""
    rest = "request: {messages: $messages}, response: {content: a}"
    path = file(tmp_path, f"providers:\n  house: {{type: http, {written}, {rest}}}\n")
    with pytest.raises(ConfigError) as failure:
        plan(path).check()
    assert str(failure.value) == (
        "provider 'house' has a fault\n"
        f"  {path}:2  providers.house.{key}: is missing: set it, or {variable}"
    )


def test_a_misspelt_type_is_told_with_the_nearest(tmp_path: Path) -> None:
    """The type http, which is no provider's name, can be meant too."""
    path = file(tmp_path, "providers: {house: {type: htpp}}\n")
    with pytest.raises(UnknownProviderError) as failure:
        plan(path)
    told = str(failure.value).splitlines()
    assert told[0] == "unknown provider 'htpp'. Did you mean 'http'?"
    assert told[-1] == f"  {path}:1: providers.house.type names it"
