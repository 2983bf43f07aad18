"""The transport of type http against real servers on loopback that behave and misbehave."""

import asyncio
import base64
import contextlib
import gc
import gzip
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from canary import CANARY, leaks
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from loopback import Request as Seen
from loopback import (
    Respond,
    Server,
    Tls,
    answer,
    closing_after,
    cut,
    eventually,
    forward,
    pieces,
    serve,
    stall,
    until_left,
)

from war_rig import __version__
from war_rig.errors import (
    ConfigError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
)
from war_rig.providers.http.auth import Auth, Credentials, auth
from war_rig.providers.http.exchange import _merged
from war_rig.providers.http.keys import GivenKey
from war_rig.providers.http.transport import Answer, Request, Timeouts, Transport

JSON = {"Content-Type": "application/json"}


def made(declared: dict[str, object] | None = None, **settings: object) -> Transport:
    """Return a transport with *declared* for auth and other settings than the usual."""
    timeouts = Timeouts(**settings.pop("timeouts", {}))  # type: ignore[arg-type]
    usual = {"auth": auth(declared), "timeouts": timeouts, "connections": 10}
    return Transport(**(usual | settings))  # type: ignore[arg-type]


def to(url: str, body: bytes = b"{}", **more: object) -> Request:
    """Return a POST to *url*."""
    usual = {"method": "POST", "url": url, "headers": JSON, "query": (), "body": body}
    return Request(**(usual | more))  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def closing(transport: Transport) -> AsyncIterator[Transport]:
    try:
        yield transport
    finally:
        await transport.aclose()


def sent(request: Request, transport: Transport | None = None) -> Answer:
    """Return the answer to one request, on a loop of its own."""

    async def send() -> Answer:
        async with closing(transport or made()) as open_one:
            return await open_one.send(request)

    return asyncio.run(send())


def failure(request: Request, transport: Transport | None = None) -> ProviderError:
    """Return the error of one request; it shows no secret and reaches nothing of HTTP."""
    with pytest.raises(ProviderError) as caught:
        sent(request, transport)
    assert leaks(caught.value) == []
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value


async def received(transport: Transport, request: Request) -> list[bytes]:
    """Return the pieces of an answer; each of them counts."""
    got = []
    async with transport.stream(request) as streamed:
        async for piece in streamed.pieces():
            got.append(piece)
            streamed.expect_more()
    return got


@pytest.fixture
def api() -> Iterator[Server]:
    with serve(answer({"ok": True}, 201, {"X-Name": "value"})) as server:
        yield server


def test_a_request_goes_out_and_its_answer_comes_back(api: Server) -> None:
    """Method, headers, query and body are sent as they are; status, headers and body come back."""
    request = to(
        f"{api.url}/v1/ask?a=1",
        b'{"q": 1}',
        method="PUT",
        headers={"X-Team": "legacy", **JSON},
        query=[("b", "2/3 ü"), ("b", "&")],
    )
    got = sent(request)
    assert (got.status, got.body, got.headers["x-name"]) == (201, b'{"ok": true}', "value")
    (seen,) = api.requests
    assert (seen.method, seen.target) == ("PUT", "/v1/ask?a=1&b=2%2F3%20%C3%BC&b=%26")
    assert (seen.body, seen.headers["x-team"]) == (b'{"q": 1}', "legacy")


def test_nothing_else_is_sent(api: Server) -> None:
    """Besides what is declared go out the host, the length, and three plain headers."""
    sent(to(api.url, b""))
    sent(to(api.url, b"x", headers={"ACCEPT-encoding": "gzip", "user-AGENT": "me"} | JSON))
    first, second = (request.headers for request in api.requests)
    host = f"127.0.0.1:{api.port}"
    usual = {"host": host, "accept": "*/*", "content-type": "application/json"}
    assert first == usual | {
        "accept-encoding": "identity",
        "user-agent": f"war-rig/{__version__}",
        "content-length": "0",
    }
    assert second == usual | {"accept-encoding": "gzip", "user-agent": "me", "content-length": "1"}


def test_the_key_of_auth_beats_a_declared_header(api: Server) -> None:
    """A header goes out once, whatever the spelling: the one of 'auth' where both are there."""
    sent(to(api.url, headers={"authorization": "mine"} | JSON), made({"bearer": CANARY}))
    sent(to(api.url, headers={"AUTHORIZATION": "mine"} | JSON))
    given = [request.headers["authorization"] for request in api.requests]
    assert given == [f"Bearer {CANARY}", "mine"]
    made_one = _merged({"authorization": "mine", "X-A": "1"}, {"Authorization": "theirs"})
    usual = ("User-Agent", "Accept-Encoding")  # aiohttp would replace the first spelling, too
    others = [pair for pair in made_one if pair[0] not in usual]
    assert others == [("Authorization", "theirs"), ("X-A", "1")]


AS_GIVEN = ["/a%2Fb?x=%2F&y=a/b", "/a%2fb", "/models/m:ask?key=a'b", "/a;b,c=d@e!$&()*+~[]?a=[]"]
CHANGED = {
    "/a b?c d": "/a%20b?c%20d",
    "/ü?ü": "/%C3%BC?%C3%BC",
    "/a/../b/./c": "/b/c",
    "/a#part": "/a",
    "/a?": "/a",
    '/a"<b>`?"<c>`': "/a%22%3Cb%3E%60?%22%3Cc%3E`",
    "": "/",
}


@pytest.mark.parametrize("path", AS_GIVEN)
def test_a_url_goes_out_as_it_is_given(api: Server, path: str) -> None:
    """Nothing that may stand in a URL is quoted, or unquoted, on the way."""
    sent(to(api.url + path))
    assert api.requests[0].target == path


@pytest.mark.parametrize("path", CHANGED)
def test_what_cannot_stand_in_a_url_is_quoted(api: Server, path: str) -> None:
    """Blanks and umlauts are quoted, dots resolved; a fragment and an empty query are left out."""
    sent(to(api.url + path))
    assert api.requests[0].target == CHANGED[path]


def test_a_query_goes_before_a_fragment(api: Server) -> None:
    """What follows a '#' is no place for a parameter."""
    sent(to(f"{api.url}/a#part", query=[("b", "1")]))
    assert api.requests[0].target == "/a?b=1"


WRONG_URLS = {
    "no/scheme": "has a wrong URL: ",
    "ftp://host/": "has a wrong URL: ",
    "http://": "has a wrong URL: ",
    "http://host:x/": "has a wrong URL: ",
    "http://host/\n": "has a wrong URL: ",
    "http://host:99999/": "can't be asked: ",
    f"http://me:{CANARY}@host/": "has a wrong URL: InvalidURL: it holds a user or a password: "
    "declare them under 'auth'",
}


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_url_that_is_none_is_told_and_not_retried(url: str) -> None:
    """A wrong URL is a connection error that no waiting cures."""
    error = failure(to(url))
    assert type(error) is ProviderConnectionError
    assert str(error).startswith(WRONG_URLS[url])
    assert not error.is_retryable


@pytest.mark.parametrize("value", ["two\nlines", "Schlüssel"])
def test_a_header_that_cannot_be_sent_is_told_and_not_retried(api: Server, value: str) -> None:
    """A header that HTTP can't carry never becomes a second header."""
    error = failure(to(api.url, headers={"X-A": value}))
    assert type(error) is ProviderConnectionError
    assert str(error).startswith("can't be asked: ")
    assert value not in str(error)
    assert (error.is_retryable, api.requests) == (False, [])


def test_a_refused_connection_is_a_connection_error() -> None:
    """Nobody listens: that is no timeout."""
    with serve(answer({})) as gone:
        pass
    error = failure(to(gone.url))
    assert type(error) is ProviderConnectionError
    assert "could not be reached: ConnectionRefusedError" in str(error)
    assert error.is_retryable


def test_an_unknown_host_is_a_connection_error() -> None:
    """A name that DNS does not know is no timeout."""
    error = failure(to("http://no-such-host.invalid/"))
    assert type(error) is ProviderConnectionError
    assert "gaierror" in str(error)


def test_a_server_that_does_not_take_the_connection_is_a_timeout() -> None:
    """The time to connect has a limit of its own, and the error names it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        error = failure(to(url), made(timeouts={"connect": 0.2}))
    assert type(error) is ProviderTimeoutError
    assert str(error) == "accepted no connection in 0.2 s"


@pytest.mark.asyncio
async def test_a_full_pool_is_a_timeout_that_says_so() -> None:
    """A call that finds no connection free in time names the setting; the pool is usable after."""
    transport = made(connections=1, timeouts={"total": 0.5})
    with serve(until_left(b"piece")) as api:
        async with closing(transport):
            async with transport.stream(to(api.url)):
                with pytest.raises(ProviderTimeoutError) as caught:
                    await transport.send(to(api.url))
                api.respond = answer({})
            assert (await transport.send(to(api.url))).status == 200
    assert str(caught.value) == "found none of its 'connections' free in 0.5 s: declare more"
    assert len(api.requests) == 2


@pytest.mark.asyncio
async def test_no_more_connections_are_open_than_declared() -> None:
    """Calls beyond the declared number wait for a connection, and then use it."""
    with serve(pieces(b"x", pause=0.02)) as api:
        async with closing(made(connections=3)) as transport:
            answers = await asyncio.gather(*(transport.send(to(api.url)) for _ in range(20)))
    assert [got.body for got in answers] == [b"x"] * 20
    assert api.opened == 3


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_calls_one_after_the_other_share_a_connection(status: int) -> None:
    """A connection whose answer was read is used again, and no cookie goes with it."""
    with serve(answer({"a": 1}, status, {"Set-Cookie": "a=b"})) as api:
        url = f"http://localhost:{api.port}"  # aiohttp's jar would keep no cookie of an address
        async with closing(made()) as transport:
            for _ in range(5):
                assert (await transport.send(to(url))).status == status
    assert api.opened == 1
    assert not any("cookie" in request.headers for request in api.requests)


@pytest.mark.asyncio
async def test_a_stream_left_at_its_end_marker_is_read_to_its_end() -> None:
    """The few bytes after the last piece are awaited: the server sees nobody leave before."""
    left_early = []

    def respond(request: Seen, connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"3\r\nend\r\n")
        connection.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            left_early.append(connection.recv(1))
        connection.sendall(b"0\r\n\r\n")

    with serve(respond) as api:
        async with closing(made()) as transport, transport.stream(to(api.url)) as streamed:
            assert await anext(aiter(streamed.pieces())) == b"end"
    assert left_early == []


@pytest.mark.asyncio
async def test_a_connection_is_closed_after_a_stream() -> None:
    """The server is told before, and need not say or do anything of it."""
    with serve(pieces(b"one", b"end")) as api:
        async with closing(made()) as transport:
            for count in (1, 2, 3):
                assert b"".join(await received(transport, to(api.url))) == b"oneend"
                assert await eventually(lambda count=count: api.closed == count)
    assert [request.headers["connection"] for request in api.requests] == ["close"] * 3


@pytest.mark.asyncio
async def test_a_connection_that_was_closed_while_the_loop_was_busy_is_not_used() -> None:
    """What a server closed without a word, and nobody had the time to see, fails no call."""
    with serve(closing_after(answer({}), 0.0)) as api:
        async with closing(made()) as transport:
            for _ in range(10):
                assert (await transport.send(to(api.url))).status == 200
                time.sleep(0.05)  # noqa: ASYNC251  the loop is to be busy
    assert len(api.requests) == api.opened == 10


@pytest.mark.asyncio
async def test_a_stream_that_does_not_end_after_its_end_marker_is_left() -> None:
    """Nobody waits long for a server that says no more and keeps the connection."""
    with serve(until_left(b"one")) as api:
        async with closing(made()) as transport:
            async with transport.stream(to(api.url)) as streamed:
                assert await anext(aiter(streamed.pieces())) == b"one"
            assert await eventually(lambda: api.closed == 1)


@pytest.mark.asyncio
async def test_leaving_a_stream_early_closes_its_connection() -> None:
    """A reader that raises, or is cancelled, is told to the server by a closed connection."""
    with serve(until_left(b"one")) as api:
        async with closing(made(connections=1)) as transport:
            with pytest.raises(KeyError):
                async with transport.stream(to(api.url)) as streamed:
                    async for _ in streamed.pieces():
                        raise KeyError
            assert await eventually(lambda: api.closed == 1)
            api.respond = answer({})
            assert (await transport.send(to(api.url))).status == 200


@pytest.mark.asyncio
@pytest.mark.parametrize("first", [(), (b"one",)], ids=["before the answer", "in the answer"])
async def test_a_cancelled_call_leaves_no_connection(first: tuple[bytes, ...]) -> None:
    """Cancelling closes the connection and frees its place in the pool."""
    with serve(until_left(*first)) as api:
        async with closing(made(connections=1)) as transport:
            call = asyncio.create_task(transport.send(to(api.url)))
            assert await eventually(lambda: bool(api.requests))
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await eventually(lambda: api.closed == 1)
            api.respond = answer({})
            assert (await transport.send(to(api.url))).status == 200


@pytest.mark.asyncio
async def test_the_pieces_of_a_stream_arrive_when_they_are_sent() -> None:
    """A piece does not wait for the next; head and pieces are the server's own."""
    with serve(pieces(b"one", b"two", pause=0.1)) as api:
        async with closing(made()) as transport, transport.stream(to(api.url)) as streamed:
            arrived = [(piece, time.monotonic()) async for piece in streamed.pieces()]
    assert (streamed.status, streamed.headers["content-type"]) == (200, "text/event-stream")
    assert [piece for piece, _ in arrived] == [b"one", b"two"]
    assert arrived[1][1] - arrived[0][1] > 0.05


@pytest.mark.asyncio
async def test_the_body_of_a_stream_can_be_read_whole() -> None:
    """An answer that is no stream, such as an error, is read in one piece, again if need be."""
    with serve(answer({"error": "no"}, 400)) as api:
        async with closing(made()) as transport, transport.stream(to(api.url)) as streamed:
            assert streamed.status == 400
            assert await streamed.read() == await streamed.read() == b'{"error": "no"}'
            assert [piece async for piece in streamed.pieces()] == [b'{"error": "no"}']


def drip(*, seconds: float, count: int) -> Respond:
    return pieces(*[b" "] * count, pause=seconds)


SLOW = {
    "no answer": (stall, {"total": 0.3}, "did not finish its answer in 0.3 s"),
    "a stall": (lambda: until_left(b"x"), {"between_tokens": 0.3}, "sent nothing more for 0.3 s"),
    "drips": (
        lambda: drip(seconds=0.05, count=40),
        {"between_tokens": 5.0, "total": 0.6},
        "did not finish its answer in 0.6 s",
    ),
    "no first byte": (stall, {"first_token": 0.3}, "sent nothing in 0.3 s"),
    "no first piece": (lambda: until_left(b""), {"first_token": 0.3}, "sent nothing in 0.3 s"),
}
WHOLE = [(name, False) for name in ("no answer", "a stall", "drips")]


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "is_stream"), [*((name, True) for name in SLOW), *WHOLE])
async def test_a_slow_server_ends_at_the_declared_limit(name: str, is_stream: bool) -> None:
    """Each wait has its limit, and all of them together; the pool is usable afterwards."""
    respond, timeouts, expected = SLOW[name]
    transport = made(connections=1, timeouts=timeouts)
    with serve(respond()) as api:
        async with closing(transport):
            begin = time.monotonic()
            with pytest.raises(ProviderTimeoutError) as caught:
                await (
                    received(transport, to(api.url)) if is_stream else transport.send(to(api.url))
                )
            assert time.monotonic() - begin < 5
            api.respond = answer({})
            assert (await transport.send(to(api.url))).status == 200
    assert str(caught.value) == expected
    assert caught.value.is_retryable


def test_a_whole_answer_may_take_longer_than_a_first_token() -> None:
    """A whole answer begins when the model has finished: only total bounds that."""
    with serve(pieces(b"x", pause=0.4)) as api:
        got = sent(to(api.url), made(timeouts={"first_token": 0.1, "between_tokens": 0.3}))
    assert got.body == b"x"


@pytest.mark.asyncio
async def test_the_readers_own_time_is_not_the_servers() -> None:
    """What a reader does between two pieces is no stall."""
    with serve(pieces(b"one", b"two")) as api:
        hurried = made(timeouts={"between_tokens": 0.5})
        async with closing(hurried) as transport, transport.stream(to(api.url)) as streamed:
            got = b""
            async for piece in streamed.pieces():
                got += piece
                await asyncio.sleep(0.7)
                streamed.expect_more()
    assert got == b"onetwo"


@pytest.mark.asyncio
async def test_pieces_that_count_for_nothing_extend_no_limit() -> None:
    """It is for the reader to say what is more than a sign of life."""
    with serve(drip(seconds=0.05, count=40)) as api:
        async with closing(made(timeouts={"first_token": 0.4})) as transport:
            with pytest.raises(ProviderTimeoutError) as caught:
                async with transport.stream(to(api.url)) as streamed:
                    async for _ in streamed.pieces():
                        pass
    assert str(caught.value) == "sent nothing in 0.4 s"


@pytest.mark.asyncio
async def test_an_upload_that_is_not_taken_ends_at_the_total() -> None:
    """A server that does not read holds neither the call nor its connection."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        async with closing(made(timeouts={"total": 0.3})) as transport:
            before = open_files()
            with pytest.raises(ProviderTimeoutError) as caught:
                await transport.send(to(url, b"x" * 20_000_000))
            assert await eventually(lambda: open_files() == before)
    assert str(caught.value) == "did not finish its answer in 0.3 s"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_timeout_of_the_callers_own_is_not_the_providers() -> None:
    """asyncio.timeout around a call is the caller's, and passes through."""

    async def hurried(url: str) -> None:
        async with closing(made()) as transport, asyncio.timeout(0.2):
            await transport.send(to(url))

    with serve(until_left()) as api, pytest.raises(TimeoutError):
        asyncio.run(hurried(api.url))


def raw(data: bytes) -> Respond:
    def respond(request: Seen, connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return respond


CHUNKED = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "cut": (cut(b"x", 100), "broke off: "),
    "cut in a chunk": (raw(CHUNKED + b"9\r\nx"), "broke off: "),
    "closed at once": (raw(b""), "could not be reached: ServerDisconnectedError"),
    "no HTTP": (raw(b"220 mail ready\r\n"), "could not be reached: "),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("is_stream", [True, False])
def test_a_broken_answer_is_a_connection_error(name: str, is_stream: bool) -> None:
    """An answer that is not whole, or is none of HTTP's, never becomes one."""
    respond, expected = BROKEN[name]
    transport = made()
    with serve(respond) as api, pytest.raises(ProviderConnectionError) as caught:
        if is_stream:
            asyncio.run(received(transport, to(api.url)))
        else:
            sent(to(api.url), transport)
    assert str(caught.value).startswith(expected)
    assert caught.value.is_retryable
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_http_does_not_know_is_no_answer(api: Server, status: int) -> None:
    """Firewalls make their own; the error tells it, and no class of statuses."""
    api.respond = answer("go away", status)
    error = failure(to(api.url))
    assert (type(error), error.status) == (MalformedAnswerError, status)
    assert str(error) == f"answered {status}, which is no status of HTTP"


def test_a_redirect_is_not_followed(api: Server) -> None:
    """A redirect is no answer; the error says where it leads, without what may be secret."""
    headers = {"Location": f"{api.url}/there/{CANARY}?token={CANARY}"}
    with serve(answer("", 302, headers)) as elsewhere:
        error = failure(to(elsewhere.url), made({"bearer": CANARY}))
    assert type(error) is MalformedAnswerError
    assert error.status == 302
    expected = f"answered 302, a redirect to {api.url}/there/***, which is not followed"
    assert str(error) == expected
    assert api.requests == []


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [302, 407])
@pytest.mark.parametrize("is_stream", [True, False])
async def test_an_answer_that_is_none_holds_no_connection(status: int, is_stream: bool) -> None:
    """A redirect, and a proxy's refusal, leave their place to the next call."""
    with serve(answer("", status, {"Location": "/login"})) as api:
        async with closing(made(connections=1, timeouts={"total": 2})) as transport:
            for _ in range(3):
                with pytest.raises(ProviderError) as caught:
                    if is_stream:
                        await received(transport, to(api.url))
                    else:
                        await transport.send(to(api.url))
                assert str(status) in str(caught.value)


@pytest.mark.asyncio
async def test_a_connection_that_can_not_be_closed_holds_no_place() -> None:
    """Whatever happens in the closing of an answer, the next call has its place."""

    async def fail() -> None:
        raise OSError("can't close")

    with serve(answer({})) as api:
        async with closing(made(connections=1, timeouts={"total": 2})) as transport:
            with pytest.raises(OSError, match="can't close"):
                async with transport.stream(to(api.url)) as streamed:
                    assert streamed._response is not None
                    streamed._response.aclose = fail  # type: ignore[method-assign]
            assert (await transport.send(to(api.url))).status == 200


def test_a_compressed_answer_is_unpacked() -> None:
    """What a server compresses, asked or not, is unpacked; where it can't be, that is told."""
    body = gzip.compress(b"x" * 1000)
    with serve(answer(body, 200, {"Content-Encoding": "gzip"})) as api:
        assert sent(to(api.url)).body == b"x" * 1000
    with serve(answer(b"xx" + body, 200, {"Content-Encoding": "gzip"})) as api:
        error = failure(to(api.url))
    assert type(error) is MalformedAnswerError
    assert str(error).startswith("answered in a broken encoding: DecodingError")


@pytest.mark.parametrize("is_packed", [True, False])
def test_an_endless_body_is_refused(is_packed: bool) -> None:
    """A body of more than 64 MB is no answer, even where it is small on its way."""
    most = 64 * 1024 * 1024
    body, headers = bytes(most + 1), {}
    if is_packed:
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    with serve(answer(body, 200, headers)) as api:
        error = failure(to(api.url))
    assert type(error) is MalformedAnswerError
    assert str(error) == "answered with more than 64 MB"


def test_a_private_authority_can_be_declared(tmp_path: Path) -> None:
    """A declared ca is trusted; without it the same server is not, and no waiting helps."""
    tls = Tls(tmp_path)
    with serve(answer({}), tls.server) as api:
        assert sent(to(api.url), made(ca=tls.ca)).status == 200
        error = failure(to(api.url))
    assert type(error) is ProviderConnectionError
    assert "could not be reached over TLS: SSLCertVerificationError" in str(error)
    assert not error.is_retryable


def test_the_process_s_own_certificates_are_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE, which belongs to the process, counts unless a ca is declared."""
    tls, other = Tls(tmp_path), tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca))
    with serve(answer({}), tls.server) as api:
        assert sent(to(api.url)).status == 200
        assert "over TLS" in str(failure(to(api.url), made(ca=Tls(other).ca)))


def test_a_client_certificate_can_be_declared(tmp_path: Path) -> None:
    """A server that asks for a certificate gets the declared one, and refuses a call without."""
    tls = Tls(tmp_path, asks_for_certificate=True)
    ours = {"certificate": tls.certificate, "certificate_key": tls.key}
    with serve(answer({}), tls.server) as api:
        assert sent(to(api.url), made(ca=tls.ca, **ours)).status == 200
        error = failure(to(api.url), made(ca=tls.ca))
    assert type(error) is ProviderConnectionError


def encrypted(key: Path) -> Path:
    """Return an encrypted copy of *key*."""
    copy = key.with_name("encrypted.key")
    copy.write_bytes(
        load_pem_private_key(key.read_bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    )
    return copy


@pytest.mark.parametrize("name", ["no ca", "empty ca", "no certificate", "encrypted key"])
def test_what_tls_needs_and_is_not_there_is_a_config_error(name: str, tmp_path: Path) -> None:
    """A certificate that can't be used is told with its path, before anything is sent."""
    tls, nothing, empty = Tls(tmp_path), tmp_path / "nothing.pem", tmp_path / "empty.pem"
    empty.write_text("")
    settings, expected = {
        "no ca": ({"ca": nothing}, f"the certificates in '{nothing}' can't be used: FileNotFound"),
        "empty ca": ({"ca": empty}, f"the certificates in '{empty}' can't be used: SSLError"),
        "no certificate": (
            {"certificate": nothing},
            f"the certificate '{nothing}' can't be used: FileNotFoundError",
        ),
        "encrypted key": (
            {"certificate": tls.certificate, "certificate_key": encrypted(tls.key)},
            "the certificate's key is encrypted: War Rig can't ask for its password",
        ),
    }[name]
    with pytest.raises(ConfigError) as caught:
        sent(to("https://127.0.0.1:1/"), made(**settings))
    assert str(caught.value).startswith(expected)


def test_a_declared_proxy_is_used(api: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared proxy gets plain requests whole, whatever the environment says."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    with serve(forward()) as proxy:
        assert sent(to(f"{api.url}/a%2Fb?x=%2F"), made(proxy=proxy.url)).status == 201
    assert proxy.requests[0].target == f"{api.url}/a%2Fb?x=%2F"
    assert api.requests[0].target == "/a%2Fb?x=%2F"


def test_tls_goes_through_a_proxy_in_a_tunnel(tmp_path: Path) -> None:
    """The proxy of an https URL sees its host and nothing else."""
    tls = Tls(tmp_path)
    with serve(answer({}), tls.server) as api, serve(forward()) as proxy:
        transport = made({"bearer": CANARY}, proxy=proxy.url, ca=tls.ca)
        assert sent(to(f"{api.url}/path"), transport).status == 200
    (seen,) = proxy.requests
    assert (seen.method, seen.target) == ("CONNECT", f"127.0.0.1:{api.port}")
    assert CANARY not in str(seen)
    assert api.requests[0].target == "/path"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_may_want_a_password(scheme: str, tmp_path: Path) -> None:
    """User and password of the proxy's URL are for the proxy alone; a wrong one is told."""
    tls = Tls(tmp_path)
    context = tls.server if scheme == "https" else None
    with serve(answer({}), context) as api, serve(forward(CANARY)) as proxy:
        right = f"http://me:{CANARY}@127.0.0.1:{proxy.port}"
        transport = made(proxy=right, ca=tls.ca)
        assert sent(to(api.url), transport).status == 200
        assert transport.redact(right) == right.replace(CANARY, "***")
        error = failure(to(api.url), made(proxy=proxy.url, ca=tls.ca))
        wrong = failure(to(api.url), made(proxy=right.replace("me:", "you:"), ca=tls.ca))
    assert type(error) is type(wrong) is ProviderConnectionError
    assert "407" in str(error)
    assert "proxy-authorization" not in api.requests[0].headers


def refuse_tunnels(request: Seen, connection: socket.socket) -> None:
    """Be a proxy that tunnels nothing, and repeats in its reason what it was told."""
    told = request.headers.get("proxy-authorization", "nothing").encode()
    connection.sendall(b"HTTP/1.1 502 not with " + told + b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("is_declared", [True, False])
def test_a_proxy_that_tunnels_nothing_shows_no_password(
    is_declared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password in the URL of a proxy, the process's own included, is in no text of an error."""
    with serve(refuse_tunnels) as proxy:
        url = f"http://me:{CANARY}%20@127.0.0.1:{proxy.port}"
        if not is_declared:
            monkeypatch.setenv("HTTPS_PROXY", url)
        transport = made(proxy=url if is_declared else None)
        error = failure(to("https://llm.example.invalid/"), transport)
        told = base64.b64encode(f"me:{CANARY} ".encode()).decode()
        assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {told}"
        assert str(error) == (
            "could not be reached: ClientHttpProxyError: 502, message='not with Basic ***', "
            f"url='http://127.0.0.1:{proxy.port}'"
        )
        assert transport.redact(f"{CANARY} , {CANARY}%20, {told}") == "***, ***, ***"


def test_the_process_s_own_proxy_may_want_a_password(
    api: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """User and password of HTTP_PROXY and HTTPS_PROXY are sent to the proxy."""
    tls = Tls(tmp_path)
    with serve(answer({}), tls.server) as secure, serve(forward(CANARY)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://me:{CANARY}@127.0.0.1:{proxy.port}")
        assert sent(to(api.url)).status == 201
        assert sent(to(secure.url), made(ca=tls.ca)).status == 200


def test_a_proxy_that_is_not_there_is_a_connection_error(api: Server) -> None:
    """The error says that it was the proxy."""
    with serve(answer({})) as gone:
        pass
    error = failure(to(api.url), made(proxy=gone.url))
    assert type(error) is ProviderConnectionError
    assert "could not be reached: " in str(error)


def test_the_process_s_own_proxies_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY and ALL_PROXY are used, but not for what NO_PROXY names."""
    with serve(answer({})) as proxy, serve(answer({})) as api:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"127.0.0.1:{proxy.port}")
            sent(to("http://llm.example.invalid/v1"))
            sent(to(api.url))
            monkeypatch.delenv(name)
    assert [request.target for request in proxy.requests] == ["http://llm.example.invalid/v1"] * 2
    assert [request.target for request in api.requests] == ["/"] * 2


def test_another_kind_of_proxy_is_a_config_error(api: Server) -> None:
    """A SOCKS proxy is refused, not passed by."""
    with pytest.raises(ConfigError) as caught:
        sent(to(api.url), made(proxy="socks5://127.0.0.1:1"))
    expected = "a proxy of the kind 'socks5' can't be used: only http and https"
    assert str(caught.value) == expected


def test_a_password_file_of_the_user_is_not_read(
    api: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ~/.netrc says of a host is not for War Rig."""
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    sent(to(api.url))
    assert "authorization" not in api.requests[0].headers


def test_two_event_loops_after_each_other_work(api: Server) -> None:
    """Each asyncio.run gets connections of its own, closed with its loop."""
    transport = made()
    for _ in range(3):
        assert asyncio.run(transport.send(to(api.url))).status == 201
    assert transport._clients._clients == {}


@pytest.mark.asyncio
async def test_a_transport_can_be_used_again_after_it_was_closed(api: Server) -> None:
    """aclose() closes the connections, not the transport."""
    transport = made()
    for _ in range(2):
        assert (await transport.send(to(api.url))).status == 201
        await transport.aclose()
    assert await eventually(lambda: api.closed == 2)


@pytest.mark.asyncio
async def test_a_call_whose_connections_are_closed_says_so() -> None:
    """Closing the transport ends the calls that read, and those that wait, with our error."""
    transport = made(connections=1)
    with serve(until_left(b"one")) as api:
        reading = asyncio.create_task(transport.send(to(api.url)))
        waiting = asyncio.create_task(transport.send(to(api.url)))
        assert await eventually(lambda: bool(api.requests))
        await asyncio.sleep(0.05)
        await transport.aclose()
        failures = await asyncio.gather(reading, waiting, return_exceptions=True)
    assert [type(error) for error in failures] == [ProviderConnectionError] * 2
    assert {str(error) for error in failures} == {"was closed during the call"}


def test_a_slip_of_the_code_is_not_taken_for_a_failure_of_the_server(api: Server) -> None:
    """A RuntimeError that does not come of closing passes as it is."""

    def slip(key: str) -> Credentials:
        raise RuntimeError("a slip")

    with pytest.raises(RuntimeError, match="a slip"):
        sent(to(api.url), made(auth=Auth(slip, GivenKey("key"))))


@pytest.mark.asyncio
async def test_a_limit_may_be_reached_in_the_moment_of_closing() -> None:
    """A call that is ended by both, in one turn of the loop, is ended."""
    transport, loop = made(timeouts={"total": 0.3}), asyncio.get_running_loop()
    with serve(until_left()) as api:
        call = asyncio.create_task(transport.send(to(api.url)))
        assert await eventually(lambda: bool(api.requests))
        closed = loop.create_future()
        loop.call_later(0.01, lambda: closed.set_result(loop.create_task(transport.aclose())))
        time.sleep(0.5)  # noqa: ASYNC251  both are due when the loop goes on
        await (await closed)
        with pytest.raises(ProviderConnectionError) as caught:
            await call
    assert str(caught.value) == "was closed during the call"


@pytest.mark.asyncio
async def test_a_stream_whose_connections_are_closed_says_so() -> None:
    """What a reader does between two pieces may be to close the transport."""
    with serve(until_left(b"one")) as api:
        transport = made()
        with pytest.raises(ProviderConnectionError) as caught:
            async with transport.stream(to(api.url)) as streamed:
                async for _ in streamed.pieces():
                    await transport.aclose()
    assert str(caught.value) == "was closed during the call"


@pytest.mark.parametrize(
    "ending", ["asyncio.run({})", "asyncio.new_event_loop().run_until_complete({})"]
)
def test_leaving_without_aclose_prints_nothing(api: Server, ending: str) -> None:
    """A process that ends with open connections prints nothing about them."""
    call = ending.format(f"t.send(Request('POST', '{api.url}', {{}}, (), b''))")
    code = f"""
import asyncio
from war_rig.providers.http.auth import Auth, Credentials, auth
from war_rig.providers.http.keys import GivenKey
from war_rig.providers.http.transport import Request, Timeouts, Transport
t = Transport(auth=auth(None), timeouts=Timeouts(), connections=1)
{call}
"""
    command = [sys.executable, "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the closed loop's own sockets
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_connections_of_a_closed_loop_are_dropped(api: Server) -> None:
    """A loop that was closed by hand leaves nothing behind after anybody's next call."""
    left, loop = made(), asyncio.new_event_loop()
    loop.run_until_complete(left.send(to(api.url)))
    loop.close()
    assert len(left._clients._clients) == 1
    assert sent(to(api.url)).status == 201
    assert left._clients._clients == {}
    gc.collect()


CARELESS = """
import asyncio, gc, sys
from war_rig.providers.http.auth import auth
from war_rig.providers.http.transport import Request, Timeouts, Transport

def made():
    return Transport(auth=auth(None), timeouts=Timeouts(), connections=1)

async def asked(transport, url):
    return (await transport.send(Request("POST", url, {}, (), b""))).status

slow, fast, is_in_flight = sys.argv[1], sys.argv[2], sys.argv[3] == "in flight"
first, loop = made(), asyncio.new_event_loop()
loop.run_until_complete(asked(first, fast))
call = loop.create_task(asked(first, slow if is_in_flight else fast))
loop.run_until_complete(asyncio.wait([call], timeout=0.5))
call._log_destroy_pending = False
loop.close()
print(asyncio.run(asked(made(), fast)), asyncio.run(asked(first, fast)))
print(len(first._clients._clients))
del call
gc.collect()
"""


@pytest.mark.parametrize("call", ["ended", "in flight"])
def test_a_loop_that_was_closed_by_hand_harms_no_other_call(api: Server, call: str) -> None:
    """What is left of such a loop is dropped at the next call, whoever makes it, in silence."""
    with serve(stall()) as slow:
        command = [sys.executable, "-c", CARELESS, slow.url, api.url, call]
        process = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (process.stdout, process.stderr) == ("201 201\n0\n", "")


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    """Building a transport loads no HTTP library."""
    code = """
import sys
from war_rig.providers.http.auth import Auth, Credentials, auth
from war_rig.providers.http.keys import GivenKey
from war_rig.providers.http.transport import Timeouts, Transport
Transport(auth=auth({"bearer": "k"}), timeouts=Timeouts(), connections=1)
print([name for name in ("httpx", "aiohttp", "httpx_aiohttp", "yarl") if name in sys.modules])
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "[]\n"


def test_no_text_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a repr, nor what is logged in a call, nor an error's body shows the key."""
    transport = made({"query": {"name": "key", "value": CANARY}})
    echo = {"error": f"wrong key {CANARY}"}
    with caplog.at_level(logging.DEBUG), serve(answer(echo, 401, {"X-Key": CANARY})) as api:
        request = to(f"{api.url}?key={CANARY}", headers={"Key": CANARY}, query=[("k", CANARY)])
        got = sent(request, transport)
    assert got.body == b'{"error": "wrong key ***"}'
    texts = [caplog.text, repr(request), repr(got), repr(transport), repr(vars(transport))]
    assert not any(CANARY in text for text in texts)
    assert repr(request) == f"<Request POST {api.url}>"
    assert repr(got) == "<Answer 401, 26 bytes>"
