"""The openai and azure_openai providers against real servers on loopback."""

import asyncio
import gc
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from socket import SHUT_RDWR, socket
from typing import Any

import pytest
import trustme
from canary import CANARY, leaks
from conftest import ONE_ATTEMPT
from loopback import Request, Respond, Server, answer, chat_completion, cut, serve, stall
from pydantic import BaseModel
from streams import DONE, FINISH, HELLO, ROLE, USAGE, chunk, event, streaming

from containers import application, close, running
from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
    ContentRefusedError,
    ContextTooLongError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from war_rig.providers import CompletionChunk, Message, clients, create_provider

POISON = {
    "OPENAI_BASE_URL": "http://poison.invalid",
    "OPENAI_ORG_ID": "poison",
    "OPENAI_PROJECT_ID": "poison",
    "OPENAI_CUSTOM_HEADERS": "X-Poison: poison\nAuthorization: Bearer poison",
    "OPENAI_ADMIN_KEY": "poison",
    "OPENAI_WEBHOOK_SECRET": "poison",
    "OPENAI_API_VERSION": "poison",
    "OPENAI_API_KEY": "poison",
    "AZURE_OPENAI_AD_TOKEN": "poison",
    "AZURE_OPENAI_API_KEY": "poison",
    "AZURE_OPENAI_ENDPOINT": "http://poison.invalid",
    "OPENAI_LOG": "debug",
}


@pytest.fixture
def api() -> Iterator[Server]:
    with serve(answer(chat_completion())) as server:
        yield server


def environment(url: str, **more: str) -> dict[str, str]:
    return {
        "LLM_PROVIDER": "openai",
        "WAR_RIG_CONFIG": str(ONE_ATTEMPT),
        "OPENAI_API_KEY": CANARY,
        "OPENAI_BASE_URL": f"{url}/v1",
        **more,
    }


async def failure(env: dict[str, str]) -> ProviderError:
    async with running(application(env=env)) as app:
        with pytest.raises(ProviderError) as caught:
            await app.agents("assistant").run("Hello")
    assert leaks(caught.value) == []
    return caught.value


def test_an_answer_arrives_with_what_the_server_reported(api: Server) -> None:
    """Content, model, token counts and finish reason are the server's own."""
    response = application(env=environment(api.url)).agents("assistant").run_sync("Hello")
    assert response.content == "Hello."
    assert response.model == "served-model"
    assert (response.prompt_tokens, response.completion_tokens, response.tokens_used) == (3, 4, 7)
    assert (response.usage_source, response.finish_reason) == ("reported", "stop")
    assert response.raw_response is not None
    assert response.raw_response["id"] == "chatcmpl-1"


def test_only_what_was_set_is_sent(api: Server) -> None:
    """No temperature goes out unless someone set one; other parameters pass as they are."""
    provider = create_provider("openai", api_key=CANARY, base_url=api.url)

    async def ask() -> None:
        await provider.complete([Message("user", "Hi")])
        await provider.complete([Message("user", "Hi")], model="m", temperature=0.0, top_p=0.5)

    asyncio.run(ask())
    plain, full = (request.json for request in api.requests)
    assert plain == {"messages": [{"role": "user", "content": "Hi"}], "model": "gpt-6.1-terra"}
    assert full == {**plain, "model": "m", "temperature": 0.0, "top_p": 0.5}


def test_usage_that_nobody_reported_is_unknown() -> None:
    """A server that reports no usage yields no made-up counts."""
    with serve(answer(chat_completion(usage=None))) as api:
        response = application(env=environment(api.url)).agents("assistant").run_sync("Hello")
    assert (response.tokens_used, response.prompt_tokens, response.usage_source) == (0, None, None)


def test_the_sdk_takes_nothing_from_the_environment(
    api: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every variable of the SDK's poisoned, only what War Rig passes is sent."""
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    response = application(env=environment(api.url)).agents("assistant").run_sync("Hello")
    assert response.content == "Hello."
    (request,) = api.requests
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert "poison" not in str(request)
    assert [name for name, value in request.headers.items() if not value] == []


def test_organization_and_project_are_sent_where_they_are_set(api: Server) -> None:
    """Both are arguments like any other."""
    env = environment(api.url, OPENAI_ORGANIZATION="org-1", OPENAI_PROJECT="proj-1")
    application(env=env).agents("assistant").run_sync("Hello")
    headers = api.requests[0].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")


def test_the_sdk_spells_urls_in_its_own_way(api: Server) -> None:
    """A path stays as it is written; the query of a call is quoted anew, one of the URL is lost."""
    env = environment("", OPENAI_BASE_URL=f"{api.url}/a%2Fb/v1")
    agent = application(env=env).agents("assistant")
    agent.run_sync("Hello", extra_query={"x": "c/d e"})
    assert api.requests[0].target == "/a%2Fb/v1/chat/completions?x=c/d+e"
    env = environment("", OPENAI_BASE_URL=f"{api.url}/v1?x=%2F")
    application(env=env).agents("assistant").run_sync("Hello")
    assert api.requests[1].target == "/v1/?x=/chat/completions"


def test_azure_asks_its_deployment(api: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """azure_openai sends its key, API version and deployment, and nothing that is poisoned."""
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    env = {
        "LLM_PROVIDER": "Azure-OpenAI",
        "AZURE_OPENAI_API_KEY": CANARY,
        "AZURE_OPENAI_ENDPOINT": api.url,
        "AZURE_OPENAI_DEPLOYMENT": "house-gpt",
    }
    response = application(env=env).agents("assistant").run_sync("Hello")
    assert response.content == "Hello."
    (request,) = api.requests
    path = "/openai/deployments/house-gpt/chat/completions?api-version=2024-10-21"
    assert request.target == path
    assert request.headers["api-key"] == CANARY
    assert "poison" not in str(request)


def test_a_refused_connection_is_a_connection_error() -> None:
    """The SDK calls it a timeout; the socket's own error decides."""
    with serve(answer({})) as gone:
        pass
    error = asyncio.run(failure(environment(gone.url)))
    assert type(error) is ProviderConnectionError
    assert "could not be reached: ConnectionRefusedError" in str(error)
    assert error.is_retryable


def test_an_unknown_host_is_a_connection_error() -> None:
    """A name that DNS does not know is no timeout."""
    error = asyncio.run(failure(environment("http://no-such-host.invalid")))
    assert type(error) is ProviderConnectionError
    assert "gaierror" in str(error)


def test_a_full_pool_is_a_timeout() -> None:
    """A call that finds no free connection in the declared time says so."""
    env = {"OPENAI_MAX_CONNECTIONS": "1", "OPENAI_POOL_TIMEOUT_SECONDS": "0.3"}

    async def two_at_once(url: str) -> ProviderError:
        async with running(application(env=environment(url, **env))) as app:
            agent = app.agents("assistant")
            first = asyncio.create_task(agent.run("Hello"))
            while not api.requests:  # noqa: ASYNC110  the server is a thread
                await asyncio.sleep(0.01)
            with pytest.raises(ProviderError) as caught:
                await agent.run("Hello")
            first.cancel()
            return caught.value

    with serve(stall()) as api:
        error = asyncio.run(two_at_once(api.url))
    assert type(error) is ProviderTimeoutError
    assert error.is_retryable


def test_a_certificate_that_nobody_trusts_is_not_worth_a_retry() -> None:
    """A TLS failure is a connection error that no waiting cures."""
    with serve(answer(chat_completion()), tls()[0]) as api:
        error = asyncio.run(failure(environment(api.url)))
    assert type(error) is ProviderConnectionError
    assert "could not be reached over TLS: SSLCertVerificationError" in str(error)
    assert not error.is_retryable


def test_the_process_s_own_certificates_are_honoured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    """SSL_CERT_FILE, which belongs to the process, makes a private authority trusted."""
    context, authority = tls()
    path = f"{tmp_path}/ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", path)
    with serve(answer(chat_completion()), context) as api:
        response = application(env=environment(api.url)).agents("assistant").run_sync("Hello")
    assert response.content == "Hello."


def tls() -> tuple[ssl.SSLContext, trustme.CA]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, authority


def test_the_process_s_own_proxy_is_honoured(api: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY, which belongs to the process, is used as every program uses it."""
    monkeypatch.setenv("HTTP_PROXY", api.url)
    env = environment("http://llm.example.invalid")
    assert application(env=env).agents("assistant").run_sync("Hello").content == "Hello."
    assert api.requests[0].target == "http://llm.example.invalid/v1/chat/completions"


def test_a_stall_ends_at_the_declared_timeout() -> None:
    """A server that never answers is a timeout, at the time that was declared."""
    with serve(stall()) as api:
        env = environment(api.url, OPENAI_READ_TIMEOUT_SECONDS="0.3")
        error = asyncio.run(failure(env))
    assert type(error) is ProviderTimeoutError


@pytest.mark.parametrize("body", [[1], 3, {}, {"choices": [{"index": 0}]}, {"choices": None}])
def test_another_shape_of_answer_is_malformed(body: object) -> None:
    """JSON that is no chat completion never becomes an answer."""
    with serve(answer(body)) as api:
        error = asyncio.run(failure(environment(api.url)))
    assert type(error) is MalformedAnswerError
    assert error.status == 200


def test_two_event_loops_after_each_other_work(api: Server) -> None:
    """Each asyncio.run gets a client of its own, closed with its loop."""
    agent = application(env=environment(api.url)).agents("assistant")
    for _ in range(3):
        assert asyncio.run(agent.run("Hello")).content == "Hello."
    assert agent.provider.border.provider._clients._clients == {}  # type: ignore[attr-defined]


def test_a_client_is_shared_by_the_calls_of_a_loop(api: Server) -> None:
    """Concurrent calls on one loop use one client."""
    agent = application(env=environment(api.url)).agents("assistant")

    async def many() -> int:
        await asyncio.gather(*(agent.run("Hello") for _ in range(5)))
        return len(agent.provider.border.provider._clients._clients)  # type: ignore[attr-defined]

    assert asyncio.run(many()) == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the careless loop's own sockets
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_was_closed_carelessly_is_forgotten(api: Server) -> None:
    """A loop closed without shutdown_asyncgens leaves no client behind after the next call."""
    agent = application(env=environment(api.url)).agents("assistant")
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(agent.run("Hello")).content == "Hello."
        loop.close()
    assert len(agent.provider.border.provider._clients._clients) == 1  # type: ignore[attr-defined]
    asyncio.run(agent.run("Hello"))
    gc.collect()
    assert agent.provider.border.provider._clients._clients == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("where", ["running in a thread", "not running"])
def test_close_closes_each_client_on_its_own_loop(api: Server, where: str) -> None:
    """close(app) reaches clients of other loops, and the container can be used again."""
    app = application(env=environment(api.url))
    agent = app.agents("assistant")
    loop = asyncio.new_event_loop()
    if where == "not running":
        loop.run_until_complete(agent.run("Hello"))
    else:
        agent.run_sync("Hello")
    own = agent.provider.border.provider._clients  # type: ignore[attr-defined]
    (client,) = own._clients.values()

    async def use_and_close() -> None:
        await agent.run("Hello")
        await close(app)

    asyncio.run(use_and_close())
    assert client.is_closed()
    assert own._clients == {}
    loop.close()
    assert app.agents("assistant").run_sync("Hello").content == "Hello."
    asyncio.run(close(app))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the closed loop's own sockets
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("state", ["left open", "closed", "running"])
def test_what_is_left_at_the_end_of_the_process_is_closed(api: Server, state: str) -> None:
    """The exit handler closes the clients of every loop, whatever became of it."""
    agent = application(env=environment(api.url)).agents("assistant")
    loop = asyncio.new_event_loop()
    if state == "running":
        agent.run_sync("Hello")
    else:
        loop.run_until_complete(agent.run("Hello"))
    (client,) = agent.provider.border.provider._clients._clients.values()  # type: ignore[attr-defined]
    if state != "left open":
        loop.close()
    clients._close_all()
    assert client.is_closed()
    loop.close()
    gc.collect()


def test_a_forked_child_leaves_the_clients_to_its_parent(api: Server) -> None:
    """After a fork the child forgets what belongs to loops that never run in it."""
    agent = application(env=environment(api.url)).agents("assistant")
    agent.run_sync("Hello")
    child = os.fork()
    if child == 0:
        os._exit(len(agent.provider.border.provider._clients._clients))  # type: ignore[attr-defined]
    assert os.waitpid(child, 0)[1] == 0
    assert len(agent.provider.border.provider._clients._clients) == 1  # type: ignore[attr-defined]
    own = agent.provider.border.provider._clients  # type: ignore[attr-defined]
    kept = dict(own._clients), dict(own._lifetimes), set(clients._with_clients)
    own.begin_anew()
    assert own._clients == own._lifetimes == {}
    own._clients.update(kept[0])
    own._lifetimes.update(kept[1])
    clients._with_clients.update(kept[2])
    assert agent.run_sync("Hello").content == "Hello."


ENDINGS = {
    "asyncio.run": "asyncio.run(agent.run('Hello'))",
    "run_sync": "agent.run_sync('Hello')",
    "a loop left open": "asyncio.new_event_loop().run_until_complete(agent.run('Hello'))",
    "a loop left closed": (
        "loop = asyncio.new_event_loop(); loop.run_until_complete(agent.run('Hello')); loop.close()"
    ),
    "a container dropped": "agent.run_sync('Hello'); del app, agent; gc.collect()",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_leaving_without_close_prints_nothing(
    api: Server, ending: str, bare: Callable[[str, dict[str, str]], "subprocess.Popen[str]"]
) -> None:
    """A process that ends without close() prints nothing about open connections."""
    code = (
        "import asyncio, gc; from containers import application; app = application();"
        f"agent = app.agents('assistant'); {ENDINGS[ending]}"
    )
    process = bare(code, environment(api.url))
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.fixture
def bare() -> Callable[[str, dict[str, str]], "subprocess.Popen[str]"]:
    def start(code: str, env: dict[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_an_answer_in_drips_ends_at_the_declared_total() -> None:
    """A server that sends a byte now and then does not hold a call for ever."""

    def drip(request: Request, connection: socket) -> None:
        connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    with serve(drip) as api:
        env = environment(api.url, OPENAI_TOTAL_TIMEOUT_SECONDS="0.5")
        error = asyncio.run(failure(env))
    assert type(error) is ProviderTimeoutError
    assert "did not finish its answer in 0.5 s" in str(error)


def test_a_timeout_of_the_callers_own_is_not_the_providers() -> None:
    """asyncio.timeout around a call is the caller's, and passes through."""

    async def hurried(url: str) -> None:
        async with running(application(env=environment(url))) as app, asyncio.timeout(0.3):
            await app.agents("assistant").run("Hello")

    with serve(stall()) as api, pytest.raises(TimeoutError):
        asyncio.run(hurried(api.url))


REFUSALS = {
    "refusal": {"message": {"role": "assistant", "content": None, "refusal": "I won't."}},
    "filter": {"message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"},
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_answer_is_told_as_such(name: str) -> None:
    """A model that refuses, or a filter that leaves nothing, is no malformed answer."""
    choice = {"index": 0, "finish_reason": "stop", **REFUSALS[name]}
    with serve(answer(chat_completion(choices=[choice]))) as api:
        error = asyncio.run(failure(environment(api.url)))
    assert type(error) is ContentRefusedError
    assert error.status == 200


def test_a_cut_answer_of_a_filter_is_an_answer() -> None:
    """What the filter let through is given, with its finish reason."""
    message = {"role": "assistant", "content": "Half"}
    choice = {"index": 0, "message": message, "finish_reason": "content_filter"}
    with serve(answer(chat_completion(choices=[choice], created="soon"))) as api:
        response = application(env=environment(api.url)).agents("assistant").run_sync("Hello")
    assert (response.content, response.finish_reason) == ("Half", "content_filter")


@pytest.mark.parametrize("url", ["localhost:9/v1", "http://", "http://127.0.0.1:99999"])
def test_a_wrong_url_is_told_and_not_retried(url: str) -> None:
    """A base_url that is none is a connection error that no waiting cures."""
    env = {**environment(""), "OPENAI_BASE_URL": url}
    error = asyncio.run(failure(env))
    assert isinstance(error, ProviderError)
    assert not error.is_retryable


def test_a_server_that_speaks_no_http_is_a_connection_error() -> None:
    """Another protocol's greeting is not a bad request."""

    def greet(request: Request, connection: socket) -> None:
        connection.sendall(b"220 mail.example ESMTP\r\n")
        connection.shutdown(SHUT_RDWR)

    with serve(greet) as api:
        error = asyncio.run(failure(environment(api.url)))
    assert type(error) is ProviderConnectionError
    assert error.status is None


def streamed(respond: Respond, **more: str) -> list[CompletionChunk]:
    async def ask(url: str) -> list[CompletionChunk]:
        async with running(application(env=environment(url, **more))) as app:
            return [chunk async for chunk in app.agents("assistant").stream("Hello")]

    with serve(respond) as api:
        return asyncio.run(ask(api.url))


def stream_failure(respond: Respond, **more: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        streamed(respond, **more)
    assert leaks(caught.value) == []
    return caught.value


def test_a_stream_asks_for_its_usage_and_for_what_was_set() -> None:
    """The request is that of a plain call and two keys more; the caller's own beat them."""
    with serve(streaming(*HELLO)) as api:
        provider: Any = create_provider("openai", api_key=CANARY, base_url=api.url)

        async def ask() -> None:
            hello = [Message("user", "Hi")]
            assert [c.content async for c in provider.stream(hello)] == ["Hel", "lo.", ""]
            more = {"temperature": 0.0, "stream_options": {"include_usage": False}}
            assert [c async for c in provider.stream(hello, model="m", **more)]

        asyncio.run(ask())
    plain, full = (request.json for request in api.requests)
    assert plain == {
        "messages": [{"role": "user", "content": "Hi"}],
        "model": "gpt-6.1-terra",
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    options = {"include_usage": False}
    assert full == {**plain, "model": "m", "temperature": 0.0, "stream_options": options}


def test_a_streamed_answer_has_what_the_server_reported() -> None:
    """The last chunk has the model, the usage and the finish reason of the server."""
    response = streamed(streaming(*HELLO))[-1].response
    assert response is not None
    assert (response.content, response.model) == ("Hello.", "served-model")
    assert (response.prompt_tokens, response.completion_tokens, response.tokens_used) == (3, 4, 7)
    assert (response.usage_source, response.finish_reason) == ("reported", "stop")


def test_a_stream_without_usage_is_estimated() -> None:
    """A server that does not know the option still gives an answer."""
    response = streamed(streaming(ROLE, chunk("Hello."), FINISH))[-1].response
    assert response is not None
    assert response.usage_source == "estimated"
    assert response.tokens_used > 0


def choice(index: int | None = 0, **changes: Any) -> bytes:
    return chunk(choices=[{"index": index, **changes}])


def test_only_the_first_choice_is_the_answer() -> None:
    """What a server streams besides, as Azure's filter results and other choices, is no text."""
    parts = (
        chunk(choices=[], prompt_filter_results=[{}]),
        event({"ping": 1}),
        choice(0, delta={"content": "Hel"}),
        choice(1, delta={"content": "other"}),
        choice(None, delta={"content": "lo."}),
        choice(0, delta=None),
        choice(0, finish_reason="stop"),
    )
    assert [c.content for c in streamed(streaming(*parts, USAGE, DONE))] == ["Hel", "lo.", ""]


def test_a_server_that_does_not_stream_gives_one_chunk() -> None:
    """A whole chat completion in answer to a stream request is the answer."""
    (last,) = streamed(answer(chat_completion()))
    assert (last.content, last.response and last.response.tokens_used) == ("Hello.", 7)


WHOLE_FAULTS = {
    "HTML": (
        answer(f"<html>{CANARY}</html>"),
        MalformedAnswerError,
        "text that is no JSON: <html>",
    ),
    "error": (answer({"error": {"message": CANARY}}), MalformedAnswerError, "with an error: ***"),
    "list": (answer([1]), MalformedAnswerError, "without any choices"),
    "truncated": (answer(b'{"choices": ['), MalformedAnswerError, "with broken JSON"),
    "cut": (cut(b'{"cho', 500), ProviderConnectionError, "could not be reached"),
    "no answer": (stall(), ProviderTimeoutError, "sent no text in 0.3 s"),
}


@pytest.mark.parametrize("name", WHOLE_FAULTS)
def test_what_is_no_stream_is_read_as_a_whole_answer(name: str) -> None:
    """A stream request that is not answered by a stream fails as a plain one does."""
    respond, kind, told = WHOLE_FAULTS[name]
    error = stream_failure(respond, OPENAI_FIRST_TOKEN_TIMEOUT_SECONDS="0.3")
    assert type(error) is kind
    assert told in str(error)


EVENTS: dict[str, tuple[Any, type[ProviderError], int | None]] = {
    "code": ({"code": 502, "message": "gone"}, ServerError, 502),
    "code as text": ({"code": "429", "message": "slow"}, RateLimitError, 429),
    "quota": ({"code": "insufficient_quota", "message": "pay"}, QuotaExceededError, None),
    "rate": ({"code": "rate_limit_exceeded", "message": "slow"}, RateLimitError, None),
    "overloaded": ({"type": "overloaded_error", "message": "busy"}, ServerError, None),
    "key": ({"code": "invalid_api_key", "message": CANARY}, AuthenticationError, None),
    "length": ({"code": "context_length_exceeded", "message": "x"}, ContextTooLongError, None),
    "filter": ({"code": "content_filter", "message": "no"}, ContentRefusedError, None),
    "invalid": ({"type": "invalid_request_error", "message": "no"}, BadRequestError, None),
    "unknown": ({"code": 7, "message": "what?"}, ServerError, None),
    "text": ("it broke", ServerError, None),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_error_event_is_the_error_that_it_tells(name: str) -> None:
    """Its code is a status or a word; what tells nothing is the server's own failure."""
    body, kind, status = EVENTS[name]
    error = stream_failure(streaming(ROLE, chunk("Hel"), event({"error": body}), DONE))
    assert type(error) is kind
    assert error.status == status
    assert "sent an error in mid-stream: " in str(error)


def test_an_error_event_in_the_place_of_a_stream_is_told_as_such() -> None:
    """Where no chunk came before it, there is no mid-stream."""
    error = stream_failure(streaming(event({"error": {"code": 429, "message": "slow"}}), DONE))
    assert type(error) is RateLimitError
    assert "sent an error instead of an answer: slow" in str(error)


@pytest.mark.parametrize("delta", [{"refusal": "I won't."}, {}])
def test_a_refusal_in_a_stream_is_told_as_such(delta: dict[str, str]) -> None:
    """A model that refuses, or a filter that leaves nothing, is no malformed answer."""
    reason = "stop" if delta else "content_filter"
    parts = (ROLE, choice(delta=delta), choice(delta={}, finish_reason=reason), DONE)
    assert type(stream_failure(streaming(*parts))) is ContentRefusedError


def test_a_connection_that_breaks_in_mid_stream_is_told_as_such() -> None:
    """Who has answered already could be reached."""
    error = stream_failure(streaming(ROLE, chunk("Hel"), ending="cut"))
    assert type(error) is ProviderConnectionError
    assert str(error).startswith("provider 'openai' broke its answer off: ")


def test_the_transport_s_own_timeout_is_one() -> None:
    """read_timeout_seconds holds in a stream, too."""
    respond = streaming(ROLE, chunk("Hel"), ending="stall")
    error = stream_failure(respond, OPENAI_READ_TIMEOUT_SECONDS="0.3")
    assert type(error) is ProviderTimeoutError
    assert "did not answer in time" in str(error)


def test_a_chunk_of_another_shape_is_malformed() -> None:
    """What is no object is no chunk."""
    error = stream_failure(streaming(ROLE, chunk("Hel"), event(3), DONE))
    assert type(error) is MalformedAnswerError


def dripping(text: str | None) -> Respond:
    return streaming(*[chunk(text)] * 2000)


SLOW: dict[str, tuple[Respond, dict[str, str], str]] = {
    "first": (streaming(ROLE, ending="stall"), {"first_token": "0.3"}, "sent no text in 0.3 s"),
    "next": (
        streaming(ROLE, chunk("Hel"), ending="stall"),
        {"between_tokens": "0.3"},
        "sent nothing more for 0.3 s",
    ),
    "total": (dripping("x"), {"total": "0.5"}, "did not finish its answer in 0.5 s"),
    "total, silent": (dripping(None), {"total": "0.5"}, "did not finish its answer in 0.5 s"),
}


@pytest.mark.parametrize("name", SLOW)
def test_each_wait_of_a_stream_is_bounded(name: str) -> None:
    """The first text, each next piece and the whole call have a limit, and the error names it."""
    respond, limits, told = SLOW[name]
    began = time.monotonic()
    more = {f"OPENAI_{n.upper()}_TIMEOUT_SECONDS": seconds for n, seconds in limits.items()}
    error = stream_failure(respond, **more)
    assert time.monotonic() - began < 5
    assert type(error) is ProviderTimeoutError
    assert told in str(error)


class Point(BaseModel):
    x: int
    y: int = 0


SLOW_IMPORT = """
import asyncio, sys, time
from containers import application, running

class Slow:
    def find_spec(self, name, *more):
        if name in ("openai", "openai.resources.chat.completions", "httpx2", "aiohttp"):
            time.sleep(0.6)

async def ask():
    async with running(application()) as app:
        agent = app.agents("assistant")
        print("".join([chunk.content async for chunk in agent.stream("Hello")]))

sys.meta_path.insert(0, Slow())
asyncio.run(ask())
"""


def test_the_import_of_the_sdk_is_no_wait_for_the_server(
    bare: Callable[[str, dict[str, str]], "subprocess.Popen[str]"],
) -> None:
    """The limits begin when the provider is ready to ask, however slow the machine is."""
    with serve(streaming(*HELLO)) as api:
        env = environment(api.url, OPENAI_FIRST_TOKEN_TIMEOUT_SECONDS="0.5")
        output, errors = bare(SLOW_IMPORT, env).communicate(timeout=60)
    assert (output, errors) == ("Hello.\n", "")


def test_output_uses_the_api_s_own_json_mode() -> None:
    """The schema goes as response_format, not into the prompt; the answer is native."""
    with serve(answer(chat_completion('{"x": 1, "y": 2}'))) as api:
        agent = application(env=environment(api.url)).agents("assistant")
        response = agent.run_sync("Where?", output=Point)
    assert (response.output, response.output_mode) == (Point(x=1, y=2), "native")
    sent = api.requests[0].json
    assert sent["messages"][-1] == {"role": "user", "content": "Where?"}
    wanted = sent["response_format"]["json_schema"]
    assert (sent["response_format"]["type"], wanted["strict"]) == ("json_schema", True)
    assert wanted["schema"]["required"] == ["x", "y"]
    assert "output_schema" not in sent


def test_a_server_without_a_json_mode_is_prompted() -> None:
    """takes_output_schema: false leaves the parameter out, and puts the schema into the prompt."""
    with serve(answer(chat_completion('{"x": 1, "y": 2}'))) as api:
        env = environment(api.url, OPENAI_TAKES_OUTPUT_SCHEMA="false")
        response = application(env=env).agents("assistant").run_sync("Where?", output=Point)
    assert (response.output, response.output_mode) == (Point(x=1, y=2), "prompted")
    assert "response_format" not in api.requests[0].json
    assert "JSON schema" in api.requests[0].json["messages"][-1]["content"]


def test_a_stream_keeps_the_headers_of_its_call() -> None:
    """What closes its connection is one header more."""

    async def ask(url: str) -> None:
        async with running(application(env=environment(url))) as app:
            headers = {"X-Team": "blue"}
            async for _ in app.agents("assistant").stream("Hello", extra_headers=headers):
                pass

    with serve(streaming(*HELLO)) as api:
        asyncio.run(ask(api.url))
    sent = api.requests[0].headers
    assert (sent["x-team"], sent["connection"]) == ("blue", "close")
