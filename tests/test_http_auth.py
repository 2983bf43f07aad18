"""Keys from texts, files, commands and OAuth2 token servers, put where an API wants them."""

import asyncio
import base64
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qs, quote_plus

import pytest
from canary import CANARY, leaks
from loopback import Request as Seen
from loopback import (
    Respond,
    Server,
    Tls,
    answer,
    eventually,
    forward,
    response_bytes,
    serve,
    stall,
    until_left,
)

from containers import application, close
from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from war_rig.providers import Message
from war_rig.providers.http import HttpProvider
from war_rig.providers.http.auth import Credentials, auth, auth_faults
from war_rig.providers.http.keys import Command, FetchedKey
from war_rig.providers.http.transport import Answer, Request, Timeouts, Transport

OTHER = "sk-other-0123456789"


def to(url: str) -> Request:
    return Request("POST", url, {"Content-Type": "application/json"}, (), b"{}")


def made(declared: Any, **settings: Any) -> Transport:
    usual = {"auth": auth(declared), "timeouts": Timeouts(), "connections": 100}
    return Transport(**(usual | settings))


def sent(declared: Any, url: str, times: int = 1, **settings: Any) -> list[Answer]:
    """Return the answers to calls one after the other."""
    transport = made(declared, **settings)

    async def send() -> list[Answer]:
        try:
            return [await transport.send(to(url)) for _ in range(times)]
        finally:
            await transport.aclose()

    return asyncio.run(send())


def failure(declared: Any, url: str, **settings: Any) -> ProviderError:
    """Return the error of one call; it shows no secret and has no foreign cause."""
    with pytest.raises(ProviderError) as caught:
        sent(declared, url, **settings)
    assert leaks(caught.value) == []
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value


def wanting(*keys: str) -> Respond:
    """Answer 401 to a request whose Authorization header has none of *keys*, and repeat it."""
    wanted = {f"Bearer {key}" for key in keys}

    def respond(request: Seen, connection: socket) -> None:
        given = request.headers["authorization"]
        status = 200 if given in wanted else 401
        connection.sendall(response_bytes({"given": given}, status))

    return respond


@pytest.fixture
def api() -> Iterator[Server]:
    with serve(answer({"ok": True})) as server:
        yield server


BASIC = base64.b64encode(f"me:{CANARY}".encode()).decode()
PLACES: dict[str, tuple[Any, dict[str, str], str]] = {
    "nothing": (None, {}, ""),
    "none": ("none", {}, ""),
    "bearer": ({"bearer": CANARY}, {"authorization": f"Bearer {CANARY}"}, ""),
    "header": ({"header": {"name": "X-Key", "value": CANARY}}, {"x-key": CANARY}, ""),
    "query": ({"query": {"name": "k&y", "value": "a/b &c"}}, {}, "k%26y=a%2Fb%20%26c"),
    "basic": (
        {"basic": {"user": "me", "password": CANARY}},
        {"authorization": f"Basic {BASIC}"},
        "",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_key_goes_where_it_is_declared_to_go(api: Server, name: str) -> None:
    """Each kind of authentication has its one place in a request, and touches nothing else."""
    declared, headers, query = PLACES[name]
    sent(declared, f"{api.url}/v1")
    (request,) = api.requests
    assert request.target == f"/v1?{query}".rstrip("?")
    found = {n: v for n, v in request.headers.items() if n in ("authorization", "x-key")}
    assert found == headers


@pytest.mark.parametrize("name", PLACES)
def test_a_refused_key_that_cannot_change_is_not_sent_again(name: str) -> None:
    """A 401 comes back as it is, without what the server repeats of the key."""
    said = {"error": f"no: {CANARY} {BASIC}"}
    with serve(answer(said, 401)) as api:
        (got,) = sent(PLACES[name][0], api.url)
        assert len(api.requests) == 1
    assert got.status == 401
    if name in ("bearer", "header", "basic"):
        assert CANARY.encode() not in got.body
    if name == "basic":
        assert got.body == b'{"error": "no: *** ***"}'


KEY_IS = "must be a text, {file: PATH} or {command: [PROGRAM, ARGUMENT, ...]}"
KINDS = "bearer, header, query, basic, oauth2"
OAUTH2 = {"token_url": "https://host/token", "client_id": "me", "client_secret": CANARY}
FAULTS: list[tuple[Any, list[tuple[tuple[str, ...], str]]]] = [
    (7, [((), f"must be none, or a map with one of: {KINDS}")]),
    ({}, [((), f"must be none, or a map with one of: {KINDS}")]),
    ({"bearer": "a", "query": {}}, [((), f"must be none, or a map with one of: {KINDS}")]),
    ({"Barer": "a"}, [(("Barer",), f"is not known; there are: {KINDS}. Did you mean 'bearer'?")]),
    ({"bearer": ""}, [(("bearer",), "is empty")]),
    ({"bearer": 12345678}, [(("bearer",), KEY_IS)]),
    ({"bearer": {"file": "a", "command": ["b"]}}, [(("bearer",), KEY_IS)]),
    ({"bearer": {"path": "a"}}, [(("bearer",), KEY_IS)]),
    ({"bearer": {"file": ""}}, [(("bearer", "file"), "must be a path")]),
    ({"bearer": {"file": ["a"]}}, [(("bearer", "file"), "must be a path")]),
    *(
        (
            {"bearer": {"command": command}},
            [(("bearer", "command"), "must be a list of texts: a program and its arguments")],
        )
        for command in ("vault read", [], [""], ["a", 1], None)
    ),
    ({"header": "X-Key"}, [(("header",), "must be a map with: name, value")]),
    ({"header": {"name": "X Key", "value": 1}}, [
        (("header", "name"), "must be a header's name"), (("header", "value"), KEY_IS),
    ]),
    ({"query": {"nam": "a"}}, [
        (("query", "nam"), "is not known; there are: name, value. Did you mean 'name'?"),
        (("query",), "needs 'name'"), (("query",), "needs 'value'"),
    ]),
    ({"basic": {"user": None, "password": "a"}}, [(("basic", "user"), "must be text")]),
    ({"oauth2": {**OAUTH2, "token_url": "host/token", "scope": 1, "secret_in": "x"}}, [
        (("oauth2", "token_url"), "must begin with http:// or https:// and a host"),
        (("oauth2", "scope"), "must be text"),
        (("oauth2", "secret_in"), "must be header or body"),
    ]),
    *(
        ({"oauth2": {**OAUTH2, "token_url": url}}, [(("oauth2", "token_url"), told)])
        for url, told in (
            (7, "must be text: the URL of the token server"),
            ("https://h:99999/", "has a host or a port that is none: Port out of range 0-65535"),
            (f"https://me:{CANARY}@h/", "holds a user or a password: they belong under 'auth'"),
            ("https://h/\n", "holds '\\n', which no URL can: it is quoted as %0A"),
        )
    ),
    ({"oauth2": {**OAUTH2, "header": "X Key", "prefix": "a\n"}}, [
        (("oauth2", "header"), "must be a header's name"),
        (("oauth2", "prefix"), "must be plain text, such as 'Bearer '"),
    ]),
    ({"oauth2": {**OAUTH2, "header": "X-Key", "prefix": ""}}, []),
    ({"oauth2": {**OAUTH2, "parameters": {"a": 1}}}, [
        (("oauth2", "parameters"), "must be a map of texts"),
    ]),
    ({"oauth2": {**OAUTH2, "client_secret": {"file": 1}}}, [
        (("oauth2", "client_secret", "file"), "must be a path"),
    ]),
    ({"oauth2": {**OAUTH2, "token_url": "${TOKEN_URL}"}}, []),
    ({"bearer": {"file": Path("key")}}, []),
    (None, []),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "expected"), FAULTS)
def test_all_faults_of_a_declaration_are_told_at_once(declared: Any, expected: Any) -> None:
    """Each fault comes with the path of its key, and none of them shows a key."""
    assert auth_faults(declared) == expected
    assert CANARY not in str(auth_faults(declared))
    if expected:
        with pytest.raises(ConfigError) as caught:
            auth(declared)
        lines = [f"{'.'.join(('auth', *path))}: {text}" for path, text in expected]
        assert str(caught.value) == "\n".join(lines)
    else:
        auth(declared)


def test_a_key_in_a_file_is_read_again_when_it_changed(api: Server, tmp_path: Path) -> None:
    """A file that was written anew is seen at the next call, white space around the key is not."""
    path = tmp_path / "key"
    transport = made({"bearer": {"file": str(path)}})

    async def with_each(*keys: str) -> None:
        for key in keys:
            path.write_text(key)
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
            await transport.send(to(api.url))
        await transport.send(to(api.url))

    asyncio.run(with_each(f" {CANARY}\n", OTHER))
    given = [request.headers["authorization"] for request in api.requests]
    assert given == [f"Bearer {CANARY}", f"Bearer {OTHER}", f"Bearer {OTHER}"]


def test_a_key_in_a_file_is_read_again_after_a_401(tmp_path: Path) -> None:
    """A change that the file's time does not tell is found when the key is refused."""
    path = tmp_path / "key"
    path.write_text("k-1")
    before = path.stat()
    with serve(wanting("k-1")) as api:
        transport = made({"bearer": {"file": path}})

        async def calls() -> list[int]:
            first = await transport.send(to(api.url))
            path.write_text("k-2")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            api.respond = wanting("k-2")
            second = await transport.send(to(api.url))
            api.respond = wanting("k-3")
            third = await transport.send(to(api.url))
            await transport.aclose()
            return [first.status, second.status, third.status]

        assert asyncio.run(calls()) == [200, 200, 401]
    given = [request.headers["authorization"][-3:] for request in api.requests]
    assert given == ["k-1", "k-1", "k-2", "k-2"]


BAD_FILES = {
    "missing": (None, "can't be read: No such file or directory"),
    "empty": (b" \n", "gave nothing"),
    "many lines": (f"{CANARY}\n{CANARY}".encode(), "gave more than one line of text"),
    "binary": (b"\xff\x00" + CANARY.encode(), "gave more than one line of text"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_without_a_key_is_told(api: Server, tmp_path: Path, name: str) -> None:
    """What is wrong with the file is told with its path, and nothing is sent."""
    content, expected = BAD_FILES[name]
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    error = failure({"header": {"name": "X-Key", "value": {"file": path}}}, api.url)
    assert type(error) is AuthenticationError
    assert str(error) == f"has no key: the file '{path}' {expected}"
    assert api.requests == []


def script(folder: Path, code: str) -> list[str]:
    """Return a command that runs *code*, and counts its runs in a file."""
    path = folder / "command.py"
    path.write_text(f"import sys, time\nopen({str(folder / 'runs')!r}, 'a').write('x')\n{code}\n")
    return [sys.executable, str(path)]


def run(program: str) -> str:
    """Return how an error tells of a command."""
    return f"the command '{program}', run in '{Path.cwd()}',"


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_a_command_is_run_once_for_many_calls(api: Server, tmp_path: Path) -> None:
    """The output of a command is the key until it is refused."""
    command = script(tmp_path, f"print({CANARY!r})")
    sent({"bearer": {"command": command}}, api.url, times=3)
    assert {request.headers["authorization"] for request in api.requests} == {f"Bearer {CANARY}"}
    assert runs(tmp_path) == 1


DECLARED = """
llm_provider: house
providers:
  house:
    type: http
    url: {url}
    model: m
    auth: {{bearer: {{command: [{program}, {key}]}}}}
    request: {{q: $messages}}
    response: {{content: text}}
"""


@pytest.mark.parametrize(
    "program", ["./login.sh", "tools/../login.sh", "echo", "{folder}/login.sh"]
)
@pytest.mark.parametrize("is_relative", [True, False])
def test_a_command_s_program_is_looked_for_where_its_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, is_relative: bool
) -> None:
    """A program that is a path starts at its file's folder; a mere name is looked for as ever."""
    folder = tmp_path / "config"
    (folder / "tools").mkdir(parents=True)
    (folder / "login.sh").write_text("#!/bin/sh\necho $1\n")
    (folder / "login.sh").chmod(0o755)
    (folder / "echo").write_text("never run")
    monkeypatch.chdir(tmp_path)
    with serve(says("Hi.", OTHER)) as api:
        text = DECLARED.format(url=api.url, program=program.format(folder=folder), key=OTHER)
        (folder / "war_rig.yaml").write_text(text)
        path = (Path() if is_relative else tmp_path) / "config" / "war_rig.yaml"
        app = application(path, env={})
        assert app.agents("assistant").run_sync("Hello").content == "Hi."
        asyncio.run(close(app))


def test_a_command_is_run_again_after_a_401(tmp_path: Path) -> None:
    """A refused key is fetched once more; one that stays the same is not sent again."""
    command = script(
        tmp_path, f"print('k-%d' % min(2, len(open({str(tmp_path / 'runs')!r}).read())))"
    )
    with serve(wanting("k-2")) as api:
        answers = sent({"bearer": {"command": command}}, api.url, times=2)
        assert [got.status for got in answers] == [200, 200]
        assert (runs(tmp_path), len(api.requests)) == (2, 3)
        api.respond = wanting("k-3")
        (got,) = sent({"bearer": {"command": command}}, api.url)
        assert (got.status, runs(tmp_path), len(api.requests)) == (401, 4, 4)


FAILING = {
    "exit code": (
        "print('%s'); sys.stderr.write('\\nTraceback:\\n  denied %s\\n\\n'); sys.exit(3)",
        "ended with exit code 3: denied ***",
    ),
    "in silence": ("sys.exit(1)", "ended with exit code 1"),
    "secret": ("sys.exit('%s is wrong')", "ended with exit code 1: *** is wrong"),
    "nothing": ("", "gave nothing"),
    "two lines": ("print('%s\\n%s')", "gave more than one line of text"),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_failing_command_is_told(
    api: Server, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code, folder and last line of complaint are told, output and known secrets are not."""
    code, expected = FAILING[name]
    monkeypatch.setenv("HOUSE_KEY", CANARY)
    command = script(tmp_path, code.replace("%s", CANARY))
    error = failure({"bearer": {"command": command}}, api.url)
    assert type(error) is AuthenticationError
    assert str(error) == f"has no key: {run(sys.executable)} {expected}"
    assert api.requests == []


def test_a_command_that_is_not_there_is_told(api: Server) -> None:
    """A program that can't be run is named, its arguments are not."""
    error = failure({"bearer": {"command": ["no-such-program", CANARY]}}, api.url)
    expected = f"{run('no-such-program')} can't be run: No such file or directory"
    assert str(error) == f"has no key: {expected}"


@pytest.mark.asyncio
async def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """A command has its time, and leaves no process behind."""
    endless = f"tail -f {tmp_path / 'file'}"
    (tmp_path / "file").touch()
    command = Command(("sh", "-c", f"{endless} & {endless}"), timeout_seconds=2.0)
    running = asyncio.create_task(command(_ask_nobody))
    assert await eventually(lambda: len(_processes_with(str(tmp_path))) == 3)
    with pytest.raises(AuthenticationError) as caught:
        await running
    assert str(caught.value) == f"has no key: {run('sh')} did not end in 2 s"
    assert await eventually(lambda: not _processes_with(str(tmp_path)))


@pytest.mark.asyncio
async def test_a_cancelled_command_is_killed(tmp_path: Path) -> None:
    """A command whose loop ends does not outlive it."""
    command = Command(tuple(script(tmp_path, "time.sleep(60)")))
    running = asyncio.create_task(command(_ask_nobody))
    assert await eventually((tmp_path / "runs").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert _processes_with(str(tmp_path)) == []


def _processes_with(text: str) -> list[str]:
    """Return the command lines of the running processes that have *text* in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode("utf-8", "replace")
        except OSError:  # it has just ended
            continue
        if text in line:
            found.append(line)
    return found


async def _ask_nobody(request: Request) -> Answer:
    raise AssertionError(request)


class TokenServer:
    """Issues t-1, t-2, ... and remembers what it was asked."""

    def __init__(self, pause: float = 0.0, **content: object) -> None:
        self.pause = pause
        self.content = {"token_type": "Bearer", "expires_in": 3600, **content}
        self.asked: list[Seen] = []

    def __call__(self, request: Seen, connection: socket) -> None:
        self.asked.append(request)
        time.sleep(self.pause)
        token = {"access_token": f"t-{len(self.asked)}"}
        connection.sendall(response_bytes(token | self.content))


def oauth2(url: str, **more: Any) -> dict[str, Any]:
    return {
        "oauth2": {"token_url": f"{url}/t", "client_id": "m e", "client_secret": CANARY, **more}
    }


def tokens_of(api: Server) -> list[str]:
    return [request.headers["authorization"].removeprefix("Bearer ") for request in api.requests]


def test_a_token_is_asked_for_once_and_used_until_it_expires(api: Server) -> None:
    """Many calls share a token; the request for it is the one of RFC 6749."""
    issuer = TokenServer()
    with serve(issuer) as tokens:
        declared = oauth2(tokens.url, scope="a b", parameters={"audience": "x/y"})
        sent(declared, api.url, times=3)
    assert tokens_of(api) == ["t-1"] * 3
    (asked,) = issuer.asked
    basic = base64.b64encode(f"m+e:{CANARY}".encode()).decode()
    assert (asked.method, asked.target) == ("POST", "/t")
    assert asked.headers["authorization"] == f"Basic {basic}"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"], "scope": ["a b"], "audience": ["x/y"],
    }  # fmt: skip


def test_id_and_secret_may_be_wanted_in_the_body(api: Server) -> None:
    """Some token servers take no Authorization header."""
    issuer = TokenServer()
    with serve(issuer) as tokens:
        sent(oauth2(tokens.url, secret_in="body"), api.url)
    (asked,) = issuer.asked
    assert "authorization" not in asked.headers
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"], "client_id": ["m e"], "client_secret": [CANARY],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "name", "sent_as"),
    [
        ({}, "authorization", "Bearer t-1"),
        ({"header": "X-Acme-Ticket", "prefix": "Ticket "}, "x-acme-ticket", "Ticket t-1"),
        ({"header": "X-Acme-Ticket"}, "x-acme-ticket", "Bearer t-1"),
        ({"prefix": ""}, "authorization", "t-1"),
    ],
)
def test_a_token_goes_where_it_is_declared_to_go(
    api: Server, declared: dict[str, str], name: str, sent_as: str
) -> None:
    """An API may want its token in a header of its own, with another word before it, or none."""
    with serve(TokenServer()) as tokens:
        sent(oauth2(tokens.url, **declared), api.url)
    (request,) = api.requests
    found = {n: v for n, v in request.headers.items() if n in ("authorization", "x-acme-ticket")}
    assert found == {name: sent_as}


EXPIRIES: dict[str, tuple[object, float, int]] = {
    "in good time": (100, 80.0, 1),
    "shortly before": (100, 95.0, 2),
    "a long one": (3600, 3560.0, 1),
    "shortly before a long one": (3600, 3575.0, 2),
    "as text": ("100", 95.0, 2),
    "not told": (None, 1e9, 1),
    "nonsense": ("soon", 1e9, 1),
    "at once": (0, 0.0, 2),
    "before": (-5, 0.0, 2),
}


@pytest.mark.parametrize("name", EXPIRIES)
def test_a_token_is_renewed_shortly_before_it_expires(
    api: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is not used in its last tenth or its last 30 seconds, whichever is less."""
    expires_in, later, expected = EXPIRIES[name]
    issuer = TokenServer(expires_in=expires_in)

    async def now_and_later() -> None:
        await transport.send(to(api.url))
        begin = time.monotonic()
        with monkeypatch.context() as patch:
            patch.setattr("war_rig.providers.http.keys._now", lambda: begin + later)
            await transport.send(to(api.url))
        await transport.aclose()

    with serve(issuer) as tokens:
        transport = made(oauth2(tokens.url))
        asyncio.run(now_and_later())
    assert len(issuer.asked) == expected


def test_a_token_is_used_until_it_expires_where_there_is_no_other(
    api: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal ahead of time that fails costs no call, and is tried again a few seconds later."""
    now, asked = [0.0], []
    monkeypatch.setattr("war_rig.providers.http.keys._now", lambda: now[0])

    async def calls() -> None:
        for now[0] in (0.0, 3575.0, 3576.0, 3581.0, 3599.0):
            assert (await transport.send(to(api.url))).status == 200
            asked.append(len(tokens.requests))
            tokens.respond = answer({}, 503)
        now[0] = 3600.0
        with pytest.raises(ServerError):
            await transport.send(to(api.url))
        await transport.aclose()

    with serve(TokenServer()) as tokens:
        transport = made(oauth2(tokens.url))
        asyncio.run(calls())
    assert asked == [1, 2, 2, 3, 4]
    assert tokens_of(api) == ["t-1"] * 5


def test_a_refused_token_is_not_used_where_there_is_no_other() -> None:
    """A token that the API has refused is none, whenever it expires."""
    with serve(TokenServer()) as tokens, serve(answer({}, 401)) as api:
        transport = made(oauth2(tokens.url))

        async def calls() -> None:
            api.respond = answer({})
            await transport.send(to(api.url))
            api.respond, tokens.respond = answer({}, 401), answer({}, 503)
            for _ in range(2):
                with pytest.raises(ServerError):
                    await transport.send(to(api.url))
            await transport.aclose()

        asyncio.run(calls())
        assert tokens_of(api) == ["t-1"] * 2


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_refused_token_is_renewed_once(is_stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 401 gets one more try with a new token, before anything of it is seen."""
    now = [0.0]
    monkeypatch.setattr("war_rig.providers.http.keys._now", lambda: now[0])

    async def call(url: str) -> tuple[int, bytes]:
        if not is_stream:
            got = await transport.send(to(url))
            return got.status, got.body
        async with transport.stream(to(url)) as streamed:
            return streamed.status, b"".join([piece async for piece in streamed.pieces()])

    with serve(TokenServer()) as tokens, serve(wanting("t-2")) as api:
        transport = made(oauth2(tokens.url), connections=1)
        status, body = asyncio.run(call(api.url))
        assert (status, body) == (200, b'{"given": "Bearer t-2"}')
        assert tokens_of(api) == ["t-1", "t-2"]
        api.respond = wanting("none")
        now[0] = 30.0
        status, body = asyncio.run(call(api.url))
        assert status == 401
        assert tokens_of(api)[2:] == ["t-2", "t-3"]


EXPIRED = {"fault": {"code": "expired"}}
BEHIND_200: dict[str, tuple[bytes, str]] = {
    "whole": (json.dumps(EXPIRED).encode(), "application/json"),
    "first event": (b"data: " + json.dumps(EXPIRED).encode() + b"\n\n", "text/event-stream"),
}
RULES = [{"path": "fault.code", "equals": "expired", "raise": "AuthenticationError"}]


def says(text: str, key: str, kind: str = "whole") -> Respond:
    """Answer *text* to a request with *key*, else that the key has expired, behind a 200."""

    def respond(request: Seen, connection: socket) -> None:
        is_stream = b"live" in request.body
        if request.headers["authorization"] != f"Bearer {key}":
            body, content_type = BEHIND_200[kind]
            connection.sendall(response_bytes(body, kind=content_type))
        elif is_stream:
            events = f'data: {{"text": "{text}"}}\n\ndata: END\n\n'.encode()
            connection.sendall(response_bytes(events, kind="text/event-stream"))
        else:
            connection.sendall(response_bytes({"text": text}))

    return respond


async def texts(declared: Any, url: str, is_stream: bool, times: int) -> list[str]:
    """Return the texts of calls one after the other, or the names of their errors."""
    provider = HttpProvider(
        url=url, model="m", auth=declared, connections=1, errors=RULES,
        request={"q": "$messages"}, response={"content": "text"},
        stream={"request": {"live": True}, "end": "END", "error": "fault"},
    )  # fmt: skip
    found = []
    for _ in range(times):
        try:
            if is_stream:
                chunks = [one.content async for one in provider.stream([Message("user", "x")])]
                found.append("".join(chunks))
            else:
                found.append((await provider.complete([Message("user", "x")])).content)
        except ProviderError as error:
            assert leaks(error) == []
            found.append(type(error).__name__)
    await provider.aclose()
    return found


@pytest.mark.parametrize(
    ("is_stream", "kind"), [(False, "whole"), (True, "whole"), (True, "first event")]
)
def test_a_key_that_is_refused_behind_a_good_status_is_renewed_once(
    is_stream: bool, kind: str
) -> None:
    """What a rule takes for a refused key gets one more try, before any text is seen."""
    with serve(TokenServer()) as tokens, serve(says("Hi.", "t-2", kind)) as api:
        assert asyncio.run(texts(oauth2(tokens.url), api.url, is_stream, 2)) == ["Hi.", "Hi."]
        assert tokens_of(api) == ["t-1", "t-2", "t-2"]
    with serve(TokenServer()) as tokens, serve(says("Hi.", "none", kind)) as api:
        found = asyncio.run(texts(oauth2(tokens.url), api.url, is_stream, 2))
        assert found == ["AuthenticationError"] * 2
        assert tokens_of(api) == ["t-1", "t-2", "t-2"]
    with serve(says("Hi.", "none", kind)) as api:
        found = asyncio.run(texts({"bearer": CANARY}, api.url, is_stream, 2))
        assert found == ["AuthenticationError"] * 2
        assert len(api.requests) == 2


@pytest.mark.asyncio
async def test_a_key_that_is_refused_after_a_text_is_not_renewed() -> None:
    """A reader that has seen a text gets no other answer after it."""
    events = b'data: {"text": "Hi"}\n\n' + BEHIND_200["first event"][0]
    with serve(TokenServer()) as tokens, serve(answer(events, kind="text/event-stream")) as api:
        assert await texts(oauth2(tokens.url), api.url, True, 1) == ["AuthenticationError"]
        assert tokens_of(api) == ["t-1"]


@pytest.mark.asyncio
@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_call_that_gets_no_key_is_not_made_again(api: Server, is_stream: bool) -> None:
    """A token server that refuses the secret is asked once a call."""
    with serve(answer({"error": "invalid_client"}, 401)) as tokens:
        found = await texts(oauth2(tokens.url), api.url, is_stream, 1)
        assert (found, len(tokens.requests)) == (["AuthenticationError"], 1)


@pytest.mark.asyncio
async def test_a_watched_call_shows_the_try_with_another_key() -> None:
    """Both requests and both answers are told."""
    told: list[str] = []
    with serve(TokenServer()) as tokens, serve(says("Hi.", "t-2")) as api:
        provider = HttpProvider(
            url=api.url, model="m", auth=oauth2(tokens.url), errors=RULES,
            request={"q": "$messages"}, response={"content": "text"},
            stream={"request": {"live": True}, "end": "END"},
        ).watched(told.append)  # fmt: skip
        assert (await provider.complete([Message("user", "x")])).content == "Hi."
        await provider.aclose()
    assert [text.partition("\n")[0] for text in told] == [
        "request", "answer", "body", "errors", "response",
        "request", "answer", "body", "response",
    ]  # fmt: skip


def test_an_api_that_refuses_every_token_costs_few_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token that was fetched because of a 401 is not renewed for one within 30 seconds."""
    now = [0.0]
    monkeypatch.setattr("war_rig.providers.http.keys._now", lambda: now[0])

    async def calls() -> None:
        for now[0] in (0.0, 1.0, 2.0, 29.9, 30.0, 31.0, 59.9):
            assert (await transport.send(to(api.url))).status == 401
        await transport.aclose()

    with serve(TokenServer()) as tokens, serve(wanting("none")) as api:
        transport = made(oauth2(tokens.url))
        asyncio.run(calls())
    assert tokens_of(api) == ["t-1", *["t-2"] * 5, "t-3", "t-3", "t-3"]


@pytest.mark.asyncio
async def test_many_calls_share_one_token_call(api: Server) -> None:
    """Fifty calls that need a token at once wait for one fetch of it."""
    issuer = TokenServer(pause=0.2)
    with serve(issuer) as tokens:
        transport = made(oauth2(tokens.url))
        await asyncio.gather(*(transport.send(to(api.url)) for _ in range(50)))
        await transport.aclose()
    assert tokens_of(api) == ["t-1"] * 50
    assert len(issuer.asked) == 1


@pytest.mark.asyncio
async def test_a_key_is_fetched_whatever_the_calls_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that take all connections, for longer than a key may take, hold no token call up."""
    monkeypatch.setattr("war_rig.providers.http.transport._KEY_SECONDS", 0.5)
    with serve(TokenServer(expires_in=0)) as tokens, serve(until_left(b"piece")) as api:
        transport = made(oauth2(tokens.url), connections=1)
        async with transport.stream(to(api.url)):
            late = asyncio.create_task(transport.send(to(api.url)))
            assert await eventually(lambda: len(tokens.requests) == 2)
            await asyncio.sleep(0.7)
            api.respond = answer({})
        assert (await late).status == 200
        await transport.aclose()


@pytest.mark.asyncio
async def test_many_calls_share_one_renewal() -> None:
    """Fifty calls whose token is refused at once cause one more token call, not fifty."""
    issuer = TokenServer(pause=0.1)
    with serve(issuer) as tokens, serve(wanting("t-1")) as api:
        transport = made(oauth2(tokens.url))
        await transport.send(to(api.url))
        api.respond = wanting("t-2")
        answers = await asyncio.gather(*(transport.send(to(api.url)) for _ in range(50)))
        await transport.aclose()
    assert {got.status for got in answers} == {200}
    assert len(issuer.asked) == 2


@pytest.mark.asyncio
async def test_a_late_401_does_not_drop_a_new_key() -> None:
    """A key that was refused after another call has renewed it is not fetched once more."""
    fetched = iter(("k-1", "k-2", "k-3"))

    async def fetch(ask: object) -> tuple[str, float]:
        return next(fetched), 3600.0

    key = FetchedKey(fetch)
    key.forget("k-0")
    for refused, expected in (("", "k-1"), ("k-1", "k-2"), ("k-1", "k-2")):
        key.forget(refused)
        assert await key.read(_ask_nobody) == expected


@pytest.mark.asyncio
async def test_a_failed_token_call_is_told_to_all_that_waited(api: Server) -> None:
    """Each waiting call gets an error of its own; the next call asks again."""
    with serve(answer({}, 503)) as tokens:
        transport = made(oauth2(tokens.url))
        calls = [transport.send(to(api.url)) for _ in range(20)]
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert len(tokens.requests) == 1
        assert {type(error) for error in failures} == {ServerError}
        assert len({id(error) for error in failures}) == 20
        tokens.respond = TokenServer()
        assert (await transport.send(to(api.url))).status == 200
        await transport.aclose()


@pytest.mark.asyncio
async def test_a_cancelled_call_does_not_end_the_fetch_of_the_others(api: Server) -> None:
    """Whoever began to fetch a token may go; the token comes for those who wait."""
    issuer = TokenServer(pause=0.2)
    with serve(issuer) as tokens:
        transport = made(oauth2(tokens.url))
        first, second = (asyncio.create_task(transport.send(to(api.url))) for _ in range(2))
        assert await eventually(lambda: bool(issuer.asked))
        first.cancel()
        assert (await second).status == 200
        await transport.aclose()
    assert first.cancelled()
    assert len(issuer.asked) == 1


def test_a_token_is_shared_by_loops_and_fetched_by_each(api: Server) -> None:
    """A loop that ends in a fetch leaves nothing behind for the next; a token stays known."""
    issuer = TokenServer(pause=0.3)
    with serve(issuer) as tokens:
        transport = made(oauth2(tokens.url))

        async def hurried() -> None:
            calling = asyncio.create_task(transport.send(to(api.url)))
            assert await eventually(lambda: bool(issuer.asked))
            calling.cancel()

        asyncio.run(hurried())
        for _ in range(2):
            assert asyncio.run(transport.send(to(api.url))).status == 200
    assert len(issuer.asked) == 2


async def closed_while(declared: Any, api: Server, is_begun: Callable[[], bool]) -> Transport:
    """Return a transport that was closed while a call waited for its key."""
    transport = made(declared)
    calls = [asyncio.create_task(transport.send(to(api.url))) for _ in range(2)]
    assert await eventually(is_begun)
    await transport.aclose()
    failures = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(failure) for failure in failures] == [ProviderConnectionError] * 2
    assert {str(failure) for failure in failures} == {"was closed during the call"}
    return transport


@pytest.mark.asyncio
async def test_closing_ends_the_fetch_of_a_token(api: Server) -> None:
    """What fetches a token opens no connection after the close; the next call fetches anew."""
    with serve(until_left()) as tokens:
        transport = await closed_while(oauth2(tokens.url), api, lambda: bool(tokens.requests))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert transport._clients._clients == {}
        tokens.respond = TokenServer()
        assert (await transport.send(to(api.url))).status == 200
        await transport.aclose()


@pytest.mark.asyncio
@pytest.mark.parametrize("is_inner", [True, False])
async def test_closing_ends_the_command_that_gets_a_key(
    api: Server, tmp_path: Path, is_inner: bool
) -> None:
    """A command is killed, also where it gets the secret for a token; no token is asked for."""
    key = {"command": script(tmp_path, f"time.sleep(60)\nprint({CANARY!r})")}
    with serve(TokenServer()) as tokens:
        declared = oauth2(tokens.url, client_secret=key) if is_inner else {"bearer": key}
        await closed_while(declared, api, (tmp_path / "runs").exists)
        assert _processes_with(str(tmp_path)) == []
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert tokens.requests == []


async def fetch_for_ever(ask: object) -> tuple[str, float]:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("is_closed", [True, False])
def test_closing_from_another_loop_ends_a_fetch_too(is_closed: bool) -> None:
    """A fetch is cancelled on its own loop; one whose loop is closed is left alone."""
    key, loop = FetchedKey(fetch_for_ever), asyncio.new_event_loop()
    reading = loop.create_task(key.read(_ask_nobody))
    loop.run_until_complete(asyncio.sleep(0.05))
    if is_closed:
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()
        asyncio.run(key.aclose())
    else:
        asyncio.run(key.aclose())
        with pytest.raises(ProviderConnectionError, match="was closed during the call"):
            loop.run_until_complete(reading)
        loop.close()


TOKEN_FAULTS: dict[str, tuple[Respond, type[ProviderError], str]] = {
    "refused": (
        answer({"error": "invalid_client", "error_description": f"{CANARY} is wrong"}, 401),
        AuthenticationError,
        "answered 401: invalid_client: *** is wrong",
    ),
    "bad request": (
        answer({"error": "invalid_scope"}, 400),
        AuthenticationError,
        "answered 400: invalid_scope",
    ),
    "HTML": (answer("<b>no</b>", 403), AuthenticationError, "answered 403: <b>no</b>"),
    "busy": (answer([1], 429, {"Retry-After": "7"}), RateLimitError, "answered 429: [1]"),
    "down": (answer({}, 503), ServerError, "answered 503: {}"),
    "redirect": (
        answer("", 302, {"Location": "/login"}),
        MalformedAnswerError,
        "answered 302, a redirect to /login, which is not followed",
    ),
    "no token": (
        answer({"token": CANARY}),
        MalformedAnswerError,
        "answered 200 without an access_token",
    ),
    "empty token": (
        answer({"access_token": ""}),
        MalformedAnswerError,
        "answered 200 without an access_token",
    ),
    "no JSON": (answer("hi"), MalformedAnswerError, "answered 200 without an access_token"),
    "stall": (stall(), ProviderTimeoutError, "did not finish its answer in 0.3 s"),
}


@pytest.mark.parametrize("name", TOKEN_FAULTS)
def test_a_fault_of_the_token_server_is_told_as_its_own(
    api: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which server failed and how, and never shows the secret."""
    respond, kind, expected = TOKEN_FAULTS[name]
    monkeypatch.setattr("war_rig.providers.http.transport._KEY_SECONDS", 0.3)
    with serve(respond) as tokens:
        error = failure(oauth2(tokens.url), api.url)
    assert type(error) is kind
    assert str(error) == f"got no token: the token server 127.0.0.1 {expected}"
    assert error.retry_after_seconds == (7 if name == "busy" else None)
    assert api.requests == []


def repeat(request: Seen, connection: socket) -> None:
    """Refuse a request with what came in its Authorization header, and in its body."""
    told = f"{request.headers.get('authorization')} and {request.body.decode()}"
    connection.sendall(response_bytes({"error": "invalid", "error_description": told}, 401))


@pytest.mark.parametrize("secret_in", ["header", "body"])
def test_a_token_server_that_repeats_the_request_shows_no_secret(
    api: Server, secret_in: str
) -> None:
    """The secret is masked as it stands in the header: with the id, quoted, in base64."""
    secret = f"{CANARY} /ü"
    with serve(repeat) as tokens:
        declared = oauth2(tokens.url, client_secret=secret, secret_in=secret_in)
        error = failure(declared, api.url)
    quoted = quote_plus(secret)
    told = {"header": "Basic *** and grant_type=client_credentials", "body": "client_secret=***"}
    assert told[secret_in] in str(error)
    header = base64.b64encode(f"m+e:{quoted}".encode()).decode()
    assert auth(declared).secrets() == {secret, header}


def test_a_token_that_comes_too_late_for_its_call_is_told(api: Server) -> None:
    """The call's own total holds for the wait for a key too."""
    with serve(until_left()) as tokens:
        error = failure(oauth2(tokens.url), api.url, timeouts=Timeouts(total=0.3))
    assert type(error) is ProviderTimeoutError
    assert str(error) == "had no key in 0.3 s"


def test_a_token_server_that_is_not_there_is_told(api: Server) -> None:
    """A refused connection to the token server names that server."""
    with serve(answer({})) as gone:
        pass
    error = failure(oauth2(gone.url), api.url)
    assert type(error) is ProviderConnectionError
    assert str(error).startswith("got no token: the token server 127.0.0.1 could not be reached: ")
    assert error.is_retryable


def test_a_new_secret_is_read_after_the_token_server_refused_one(
    api: Server, tmp_path: Path
) -> None:
    """A client secret may come from a file or a command too, and change."""
    command = script(tmp_path, f"print('s-%d' % len(open({str(tmp_path / 'runs')!r}).read()))")
    with serve(answer({"error": "invalid_client: s-1"}, 401)) as tokens:
        transport = made(oauth2(tokens.url, client_secret={"command": command}))

        async def calls() -> None:
            with pytest.raises(AuthenticationError):
                await transport.send(to(api.url))
            tokens.respond = TokenServer()
            assert (await transport.send(to(api.url))).status == 200
            await transport.aclose()

        asyncio.run(calls())
        given = [request.headers["authorization"] for request in tokens.requests]
    decoded = [base64.b64decode(value.split()[1]) for value in given]
    assert decoded == [b"m+e:s-1", b"m+e:s-2"]
    assert transport.redact("s-1 s-2 t-1") == "s-1 s-2 t-1"  # too short to be searched for


def test_the_token_call_goes_the_way_of_all_calls(tmp_path: Path) -> None:
    """Proxy, authority and client certificate hold for the token server as for the API."""
    tls = Tls(tmp_path, asks_for_certificate=True)
    with (
        serve(TokenServer(), tls.server) as tokens,
        serve(wanting("t-1"), tls.server) as api,
        serve(forward()) as proxy,
    ):
        settings = {"ca": tls.ca, "certificate": tls.certificate, "certificate_key": tls.key}
        (got,) = sent(oauth2(tokens.url), api.url, proxy=proxy.url, **settings)
    assert got.status == 200
    hosts = [request.target for request in proxy.requests]
    assert hosts == [f"127.0.0.1:{tokens.port}", f"127.0.0.1:{api.port}"]


def test_fetched_keys_are_secrets_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A token, and the one before it, is masked in errors' bodies and texts, and in no repr."""
    old, new = "token-old-0123456789", "token-new-0123456789"

    def issue(request: Seen, connection: socket) -> None:
        token = new if len(tokens.requests) > 1 else old
        connection.sendall(response_bytes({"access_token": token}))

    echo = answer({"error": f"{old} {new} {CANARY}"}, 401)
    with caplog.at_level(logging.DEBUG), serve(issue) as tokens, serve(echo) as api:
        transport = made(oauth2(tokens.url))
        got = asyncio.run(transport.send(to(api.url)))
    assert json.loads(got.body) == {"error": "*** *** ***"}
    assert transport.redact(f"{old} {new} {CANARY}") == "*** *** ***"
    shown = [caplog.text, repr(transport), repr(transport._auth), repr(vars(transport._auth))]
    for text in shown:
        assert not any(secret in text for secret in (old, new, CANARY))


@pytest.mark.asyncio
async def test_a_key_is_a_secret_for_as_long_as_a_call_with_it_may_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many keys come after it; one that comes again is one, and the last is for ever."""
    now, fetched = [0.0], iter(("a", "b", "c", "d", "d", "b", "e", "f"))
    monkeypatch.setattr("war_rig.providers.http.keys._now", lambda: now[0])

    async def fetch(ask: object) -> tuple[str, float]:
        return next(fetched), 0.0

    key, known = FetchedKey(fetch), []
    assert key.secrets() == set()
    for now[0] in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 901.0, 5000.0):
        await key.read(_ask_nobody)
        known.append("".join(sorted(key.secrets())))
    assert known == ["a", "ab", "abc", "abcd", "abcd", "abcd", "bcde", "ef"]


def test_credentials_show_nothing() -> None:
    """The repr of what authenticates a request is empty."""
    credentials = Credentials(CANARY, {"A": CANARY}, (("a", CANARY),))
    assert repr(credentials) == "Credentials()"
