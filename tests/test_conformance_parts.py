"""The parts of the conformance kit, where a whole run would not show what they do."""

import json
import socket
import struct
import threading
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx
import pytest

from war_rig.errors import ConfigError
from war_rig.providers.building import blueprint
from war_rig.providers.http.vendor import Vendor
from war_rig.providers.registry import TYPES, Registration, find_type
from war_rig.providers.secrets import secrets_of
from war_rig.testing.conformance import Kit, signatures, target
from war_rig.testing.conformance.definitions import declared
from war_rig.testing.conformance.guard import nothing_leaves
from war_rig.testing.conformance.learning import Learned, named_keys
from war_rig.testing.conformance.planting import Planting, watched_environment
from war_rig.testing.conformance.sent import Sent, differing
from war_rig.testing.conformance.server import Connection, Request, ScriptedServer
from war_rig.testing.conformance.templates import parsed

# nothing leaves this machine


@pytest.mark.parametrize(
    "host", ["llm.example.com", b"llm.example.com", "203.0.113.7", "fe80::1%1"]
)
def test_nothing_is_sent_beyond_this_machine(host: Any) -> None:
    """Names and addresses of others are refused, and kept; they work again after it."""
    refused: set[str] = set()
    before = socket.getaddrinfo, socket.socket.connect
    with nothing_leaves(refused):
        with pytest.raises(ConnectionRefusedError, match="the conformance kit lets nothing out"):
            socket.getaddrinfo(host, 80)
        with socket.socket() as stream, pytest.raises(ConnectionRefusedError):
            stream.connect((host, 80))
        with pytest.raises(ConnectionRefusedError):
            socket.gethostbyname_ex(host)
        with socket.socket(type=socket.SOCK_DGRAM) as stream:
            for send in (
                lambda: stream.sendto(b"hello", (host, 9)),
                lambda: stream.sendmsg([b"hello"], (), 0, (host, 9)),
            ):
                with pytest.raises(ConnectionRefusedError):
                    send()
    assert refused == {host if isinstance(host, str) else host.decode()}
    assert (socket.getaddrinfo, socket.socket.connect) == before


def test_this_machine_is_reached(tmp_path: Path) -> None:
    """Loopback, whatever it is called, and the sockets of this machine stay open."""
    refused: set[str] = set()
    with nothing_leaves(refused):
        for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", None):
            assert socket.getaddrinfo(host, 80)
        with socket.socket(socket.AF_UNIX) as stream, pytest.raises(FileNotFoundError):
            stream.connect(str(tmp_path / "none.sock"))
        with socket.socket(type=socket.SOCK_DGRAM) as near, socket.socket(type=near.type) as stream:
            near.bind(("127.0.0.1", 0))
            stream.sendto(b"one", near.getsockname())
            stream.connect(near.getsockname())
            stream.sendmsg([b"two"])
            assert [near.recv(9), near.recv(9)] == [b"one", b"two"]
    assert refused == set()


# the server


@pytest.fixture
def server() -> Any:
    made = ScriptedServer()
    yield made
    made.close()


def test_a_request_is_read_whole(server: ScriptedServer) -> None:
    """Bodies in chunks, forms and bytes are read; what is no text is not called readable."""
    server.script = lambda request, connection: connection.answer(b"{}", x_times="1")
    with httpx.Client(base_url=server.url) as client:
        answer = client.post("/a%20b", content=iter([b'{"a": [1, ', b'{"b": "c"}, null]}']))
        client.post("/", data={"model": "m 1", "heat": "0.5"})
        client.post("/", content=b"plain")
        client.post("/", content=b"\xff\x00")
        client.get("/?model=m-2")
    assert answer.headers["X-Times"] == "1"
    whole, form, plain, _, got = server.requests
    assert [whole.mentions(value) for value in ("a b", 1, "c", "no such")] == [
        True,
        True,
        True,
        False,
    ]
    assert (form.mentions("m 1"), form.mentions(0.5)) == (True, True)
    assert (plain.mentions("plain"), got.mentions("m-2")) == (True, True)
    assert [one.is_readable for one in server.requests] == [True, True, True, False, True]


def test_fields_of_one_name_are_all_kept(server: ScriptedServer) -> None:
    """In forms and queries a name may come twice, and a plus sign is a blank."""
    server.script = lambda request, connection: connection.answer(b"{}")
    with httpx.Client(base_url=server.url) as client:
        client.post("/a?b=1+2&b=3", data={"turn": ["one two", "three"]})
    [request] = server.requests
    assert [request.mentions(value) for value in ("1 2", "one two", "three")] == [True, True, True]
    assert request.said == [
        (("path",), "/a"),
        (("query", 0, "b"), "1 2"),
        (("query", 1, "b"), "3"),
        (("body", 0, "turn"), "one two"),
        (("body", 1, "turn"), "three"),
    ]


def test_json_in_a_text_is_read(server: ScriptedServer) -> None:
    """A field of a form, or of JSON, may hold JSON, whose escapes are no loss of a character."""
    server.script = lambda request, connection: connection.answer(b"{}")
    turns = json.dumps([{"says": "Gr\u00fc\u00dfe"}])
    with httpx.Client(base_url=server.url) as client:
        client.post("/", data={"turns": turns, "open": "[1", "n": "{}"})
        client.post("/", json={"body": turns})
    form, whole = server.requests
    assert (form.mentions("Gr\u00fc\u00dfe"), whole.mentions("Gr\u00fc\u00dfe")) == (True, True)
    assert form.said[1:] == [
        (("body", 0, "turns", 0, "says"), "Gr\u00fc\u00dfe"),
        (("body", 1, "open"), "[1"),
    ]


def test_what_differs_anyway_is_no_difference() -> None:
    """Of two calls, each made twice, only what is the same both times counts."""

    def made(said: str, number: int) -> Sent:
        return Sent([Request("POST", "/", {}, f'{{"id": {number}, "said": "{said}"}}'.encode())])

    one, other = [made("a b", 1), made("a b", 2)], [made("a c", 3), made("a c", 4)]
    assert differing(one, other) == {(0, "body", "said", 1)}
    assert differing(one, [made("a b", 3), made("a b", 4)]) == set()
    assert differing([one[0], Sent([])], other[:1]) == {(0, "body", "id"), (0, "body", "said", 1)}
    assert differing([Sent([])], [Sent([])]) == set()
    assert str(Sent([])) == "nothing"


def test_a_token_is_given_to_whoever_asks_for_one(server: ScriptedServer) -> None:
    """A token of OAuth 2 is no part of a scene, and so is what is asked before one has begun."""
    server.script = lambda request, connection: connection.cut()
    with httpx.Client() as client:
        token = client.post(server.url, data={"grant_type": "client_credentials"}).json()
        assert token["access_token"] == "kit-access-token"
        assert server.requests == []
        server.end_scene()
        assert client.get(server.url).json() == token


def test_what_is_no_request_is_left_alone(server: ScriptedServer) -> None:
    """A client that talks no HTTP is hung up on."""
    with socket.create_connection(("127.0.0.1", server.port)) as stream:
        stream.sendall(b"hello\r\n")
        assert stream.recv(10) == b""


def test_a_client_that_breaks_off_has_left(server: ScriptedServer) -> None:
    """A reset counts as hanging up."""
    left = threading.Event()
    server.script = lambda request, connection: connection.hold(left)
    with socket.create_connection(("127.0.0.1", server.port)) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while not server.requests:
            time.sleep(0.01)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert left.wait(10)
    assert server.requests == [Request("GET", "/", {}, b"")]


def test_a_held_client_is_let_go_at_the_end(server: ScriptedServer) -> None:
    """When the scene ends, whoever still waits is hung up on."""
    left, held = threading.Event(), threading.Event()

    def script(request: Request, connection: Connection) -> None:
        held.set()
        connection.hold(left)

    server.script = script
    with socket.create_connection(("127.0.0.1", server.port)) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert held.wait(10)
        server.end_scene()
        assert stream.recv(10) == b""
    assert not left.is_set()


# the environment


def test_a_variable_that_says_nothing_keeps_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only addresses and keys are planted; all else is as it was, and missing where it was."""
    import os

    monkeypatch.setenv("KIT_LEVEL", "3")
    monkeypatch.setenv("HOST", "my-machine")
    planting = Planting("http://127.0.0.1:1")
    with watched_environment(planting):
        assert os.environ["KIT_LEVEL"] == os.environ.get("KIT_LEVEL") == "3"
        assert os.environ.get("KIT_LEVEL_2", "none") == "none"
        assert "KIT_LEVEL_3" not in os.environ
        assert 3 not in os.environ  # type: ignore[operator]
        assert os.getenv("HOST") == "my-machine"
        assert os.environ["KIT_PORT"] == "1"
        assert os.environ["KIT_MODEL"] == "kit-default-model"
    assert planting.variables == {"KIT_PORT": "1", "KIT_MODEL": "kit-default-model"}
    assert list(planting.read) == ["KIT_LEVEL_2", "KIT_LEVEL_3", "KIT_PORT", "KIT_MODEL"]


def test_whoever_reads_all_variables_finds_no_real_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made up there too, and noted; all else, and a search for proxies, is left alone."""
    import os
    import urllib.request

    for name, value in {"KIT_KEY": "a-real-key", "KIT_LEVEL": "3", "PWD": "/here"}.items():
        monkeypatch.setenv(name, value)
    planting = Planting("http://127.0.0.1:1")
    with watched_environment(planting):
        urllib.request.getproxies()
        assert "a-real-key" in secrets_of(os.environ)
        assert not planting.is_read_at_once
        for read in (os.environ.copy(), dict(os.environ.items())):
            found = [read[name] for name in ("KIT_KEY", "KIT_LEVEL", "PWD")]
            assert found == ["sk-canary-kit-key-0123456789", "3", "/here"]
            assert "KIT_OTHER_KEY" not in read
    assert planting.is_read_at_once
    assert planting.canaries["KIT_KEY"] == planting.variables["KIT_KEY"] == found[0]


def test_a_variable_that_the_author_names_is_set() -> None:
    """It is there for whoever reads all variables at once, too."""
    assert Planting("http://127.0.0.1:1", "KIT_PLACE").variables == {
        "KIT_PLACE": "http://127.0.0.1:1"
    }


# answers


WRONG = {
    '{"said": "hello"}': 'has no "$content" where the text of the answer stands',
    '{"said": "$content",}': "is no JSON: Expecting property name enclosed in double quotes",
    '{"said": "$content", "$stream": 1}': '"$stream" needs a "format", one of: sse, ndjson, text',
    '{"said": "$content", "$stream": {"format": "xml"}}': '"$stream" needs a "format", one of: ',
    '{"said": "$content", "$stream": {"piece": {}}}': '"$stream" needs a "piece" with "$content"',
}


@pytest.mark.parametrize(("text", "told"), WRONG.items())
def test_a_wrong_example_is_told(text: str, told: str) -> None:
    """An example that does not say where the text stands is refused."""
    with pytest.raises(ValueError) as caught:
        parsed(text)
    assert told in str(caught.value)


def test_an_example_may_be_a_text_with_events() -> None:
    """A body need not be JSON; a stream has events with names, one or several a piece."""
    template, stream = parsed("it says: $content ($tokens by $model)\n")
    assert template is not None
    assert stream is None
    assert template.filled("Hi") == b"it says: Hi (7 by kit-model-1)"
    _, stream = parsed(
        '{"a": "$content", "$stream": {"piece": [{"$event": "w", "t": "$content"}, "x"],'
        ' "end": "over"}}'
    )
    assert stream is not None
    assert stream.piece_of("Hi") == b'event: w\ndata: {"t": "Hi"}\n\ndata: x\n\n'
    assert stream.ending() == b"data: over\n\n"
    template, stream = parsed(
        '{"$body": "<say>$content</say>", "$stream": {"format": "text", "piece": "D $content\\n",'
        ' "end": "E $tokens\\n"}}'
    )
    assert template is not None
    assert template.filled("Hi") == b"<say>Hi</say>"
    assert stream is not None
    assert stream.piece_of("Hi") + stream.ending() == b"D Hi\nE 7\n"


HOUSE = {"url": "https://h", "model": "m", "request": {"t": "$messages"}}
STREAMS: dict[str, tuple[dict[str, Any], object]] = {
    "a text": ({"end": "over"}, ("sse", ({},), ({}, "over"))),
    "an event": ({"end": {"event": "over"}}, ("sse", ({},), ({}, {"$event": "over"}))),
    "a path": (
        {"end": {"path": "is.over"}, "finish_reason": "why"},
        ("sse", ({},), ({"why": "stop", "is": {"over": True}},)),
    ),
    "a path that can't be turned round": ({"end": {"path": "a && b"}}, None),
    "nothing": ({}, None),
    "an unknown format": ({"end": "x", "format": "xml"}, None),
    "a told path that can't be turned round": (
        {"end": "x", "model": "a && b"},
        ("sse", ({},), ({}, "x")),
    ),
    "a told path that is none": ({"end": "x", "model": "a-b[*].c"}, ("sse", ({},), ({}, "x"))),
    "a told path that fits no other": (
        {"end": "x", "model": "a", "finish_reason": "a.b"},
        ("sse", ({},), ({"a": "$model"}, "x")),
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_definition_says_how_it_streams(name: str) -> None:
    """The events are made after its own paths; where one can't be, the usual ones are tried."""
    from war_rig.providers.conversion import Argument

    stream, wanted = STREAMS[name]
    given = {**HOUSE, "response": {"content": "a[2].b"}, "stream": {"content": "w", **stream}}
    arguments = {key: Argument(value, "test") for key, value in given.items()}
    assert set(TYPES) == {"http"}
    template, found = declared(blueprint("h", find_type("http"), env={}, given=arguments))
    assert template is not None
    assert template.body == {"a": [{}, {}, {"b": "$content"}]}
    if found is None:
        assert wanted is None
    else:
        pieces = tuple({k: v for k, v in piece.items() if k != "w"} for piece in found.piece)
        assert (found.format, pieces, found.end) == wanted


def test_a_plugins_definition_says_it_too() -> None:
    """In a package it is no other than in war_rig.yaml, and an entry lies over it."""
    from war_rig.providers.conversion import Argument

    vendor = Vendor("acme", {**HOUSE, "response": {"content": "a.b", "model": "m"}})
    source = "entry point acme = acme:acme.yaml"
    registration = Registration(
        "acme", "plugin", source, lambda: vendor, "acme", "1.0", frozenset({"request"})
    )
    entry = {"response": Argument({"content": "said"}, "test")}
    for given, body in (({}, {"a": {"b": "$content"}}), (entry, {"said": "$content"})):
        template, _ = declared(blueprint("acme", registration, env={}, given=given))
        assert template is not None
        assert template.body == body | {"m": "$model"}


def test_a_definition_with_other_paths_is_found_out_about() -> None:
    """Of a path that can't be turned round nothing is known beforehand."""
    from war_rig.providers.conversion import Argument

    given = {**HOUSE, "response": {"content": "a[?b].c | [0]"}}
    arguments = {key: Argument(value, "test") for key, value in given.items()}
    assert declared(blueprint("h", find_type("http"), env={}, given=arguments)) == (None, None)


# learning


def test_a_key_is_turned_until_all_was_tried() -> None:
    """What stands at the latest key goes from a text to a number, a map and a list, and round."""
    learned = Learned()
    assert not learned.turn()
    assert (learned.add("said"), learned.add("said")) == (True, False)
    shapes = [(learned.turn(), learned.keys["said"]) for _ in range(4)]
    assert shapes == [(True, "number"), (True, "map"), (True, "list"), (False, "text")]


def test_an_error_that_tells_otherwise_names_no_key() -> None:
    """Another library's ``errors``, and a chain of errors without end, do no harm."""

    class OddError(Exception):
        def errors(self) -> Any:
            return [{"place": ("a",)}]

    assert list(named_keys(OddError())) == []
    one, other = ValueError(), KeyError("said")
    one.__cause__, other.__cause__ = other, one
    assert set(named_keys(one)) == {"said"}


# what is tested


def test_a_method_without_a_signature_is_taken_as_it_is() -> None:
    """What is written in C tells nothing, and is not blamed for it."""
    assert signatures.faults(min) == []
    assert signatures.takes_messages(min)
    assert signatures.definition(min, is_async=False) == "def min(self, ...):"


ANYTHING = object()


class Signed:
    """Methods that lack something, each beside the line that lacks nothing."""

    async def keeps(
        self, prompt: list[str], temperature: float = 0.2, *, top_p=ANYTHING, n: "int | None" = 1
    ) -> str: ...

    async def lacks(self, messages, /, model, region: str, *, kind, **rest): ...

    async def nothing(self): ...

    async def by_keyword(self, *, messages, kwargs=(1, "a")): ...

    async def any_of(self, *messages, odd: object() = -1): ...  # type: ignore[valid-type]


CORRECTED = {
    "keeps": "self, prompt: list[str], temperature: float = 0.2, *, top_p=..., n: int | None = 1, "
    "**kwargs) -> str",
    "lacks": "self, messages, /, model=None, region: str = None, *, kind=None, **rest)",
    "nothing": "self, messages, **kwargs)",
    "by_keyword": "self, messages, *, kwargs=(1, 'a'), **parameters)",
    "any_of": "self, *messages, odd=-1, **kwargs)",
}


@pytest.mark.parametrize(("name", "line"), CORRECTED.items())
def test_a_corrected_line_keeps_what_is_there(name: str, line: str) -> None:
    """What is right stays as it is written, what is missing is added, and it is Python."""
    corrected = signatures.corrected(getattr(Signed(), name))
    assert corrected == f"async def {name}({line}:"
    found: dict[str, Any] = {}
    exec(f"{corrected} ...", found)
    assert signatures.faults(found[name].__get__(Signed())) == []


def test_what_tells_no_signature_gets_the_shortest_line() -> None:
    """Of a method that is written in C, only what War Rig passes is known."""
    assert signatures.corrected(min) == "async def min(self, messages, **kwargs):"


NAMES = {"my.providers:AcmeLLMProvider": "acme_llm", "a:Provider": "provider", "a:_4x": "p4x"}


@pytest.mark.parametrize(("value", "name"), NAMES.items())
def test_a_class_has_a_name(value: str, name: str) -> None:
    """It is made of the class's own, so that the rules of two classes can be told apart."""
    assert target._name(value) == name


def test_an_installed_class_has_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that an entry point offers is called as it is selected."""
    value = "war_rig.providers.offline : OfflineProvider"
    installed = EntryPoint("Quiet-One", value, "war_rig.providers")
    monkeypatch.setattr(target, "entry_points", lambda group: [installed])
    kit = Kit("war_rig.providers.offline:OfflineProvider")
    kit.load()
    kit.close()
    assert kit.plan.name == "quiet_one"


def test_a_module_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Importing it is bounded too."""
    from war_rig.errors import PluginError
    from war_rig.testing.conformance import kit as judging

    monkeypatch.setattr(judging, "_RULE_SECONDS", 0.2)
    (tmp_path / "hanging_module.py").write_text("import time\ntime.sleep(60)\n")
    kit = Kit("hanging_module:Any")
    with pytest.raises(PluginError, match="could not be imported: it had not ended"):
        kit.load()
    kit.close()


def test_a_class_inside_of_another_is_found() -> None:
    """A target may have dots behind its colon, as an entry point's may."""
    with pytest.raises(ConfigError, match="there is no 'Nope' in module 'test_conformance_parts'"):
        target.plan_of("test_conformance_parts:Outer.Nope", None, Planting("http://127.0.0.1:1"))
    plan, _ = target.plan_of("test_conformance_parts:Outer.Inner", None, Planting("http://x"))
    assert plan.name == "inner"


class Outer:
    class Inner:
        pass
