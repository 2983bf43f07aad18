"""A declared provider against real servers on loopback: whole answers, streams, failures."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from canary import CANARY, leaks
from loopback import Respond, answer, serve, until_left
from loopback import pieces as paced
from streams import streaming

from containers import application
from war_rig import errors
from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigError,
    ContentRefusedError,
    ContextTooLongError,
    MalformedAnswerError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.http import HttpProvider
from war_rig.providers.http.values import request_of
from war_rig.providers.streams import can_stream

ASKED = [Message("system", "Be brief."), Message("user", "Hello $model")]
DEFINITION: dict[str, Any] = {
    "model": "house-1",
    "auth": {"bearer": CANARY},
    "request": {"model": "$model", "turns": "$messages", "...": "$parameters"},
    "messages": {"each": {"who": "$role", "says": "$content"}, "roles": {"assistant": "bot"}},
    "response": {
        "content": "result.text",
        "model": "result.model",
        "prompt_tokens": "usage.in",
        "completion_tokens": "usage.out",
        "total_tokens": "usage.all",
        "finish_reason": "result.why",
    },
    "stream": {"request": {"stream": True}, "content": "piece", "end": "[END]"},
    "structured": {"shape": {"schema": "$schema"}},
}
WHOLE = {
    "result": {"text": "Hi.", "model": "house-1-b", "why": "stop"},
    "usage": {"in": 5, "out": 2, "all": 8},
}
SCHEMA = {"type": "object", "properties": {"$ref": {"type": "string"}}}


def provider(base: str, **changes: Any) -> HttpProvider:
    return HttpProvider(**{**DEFINITION, "url": f"{base}/$model/ask", **changes})


async def asked(respond: Respond, call: dict[str, Any], **changes: Any) -> tuple[Any, Any]:
    """Return the answer to one call of a declared provider, and the request that was sent."""
    with serve(respond) as server:
        made = provider(server.url, **changes)
        try:
            return await made.complete(ASKED, **call), server.requests[-1]
        finally:
            await made.aclose()


def ask(respond: Respond, call: dict[str, Any] | None = None, **changes: Any) -> tuple[Any, Any]:
    return asyncio.run(asked(respond, call or {}, **changes))


def failing(respond: Respond, call: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Return the error that one call ends with; it must show and reach no key."""
    with pytest.raises(errors.WarRigError) as failure:
        ask(respond, call, **changes)
    assert leaks(failure.value) == []
    assert failure.value.__cause__ is failure.value.__context__ is None
    return failure.value


def test_a_declared_api_is_asked_and_answers() -> None:
    """The request is the declared one, and the answer is found where it was declared."""
    found, request = ask(answer(WHOLE))
    assert found == CompletionResponse(
        content="Hi.",
        model="house-1-b",
        tokens_used=8,
        raw_response=WHOLE,
        prompt_tokens=5,
        completion_tokens=2,
        usage_source="reported",
        finish_reason="stop",
    )
    assert (request.method, request.target) == ("POST", "/house-1/ask")
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "model": "house-1",
        "turns": [
            {"who": "system", "says": "Be brief."},
            {"who": "user", "says": "Hello $model"},
        ],
    }


def test_what_the_call_gives_goes_where_it_is_declared() -> None:
    """Model, temperature and every other keyword arrive; those without a place of their own too."""
    call = {"model": "m/2", "temperature": 0.0, "max_tokens": 5, "seed": 7, "shape": None}
    _, request = ask(answer(WHOLE), call)
    assert request.target == "/m%2F2/ask"
    assert request.json == {
        "model": "m/2", "turns": request.json["turns"],
        "temperature": 0.0, "max_tokens": 5, "seed": 7, "shape": None,
    }  # fmt: skip
    placed = {"turns": "$messages", "o": {"heat": "$temperature", "most": "$max_tokens"}}
    _, request = ask(answer(WHOLE), {"temperature": 1, "max_tokens": None}, request=placed)
    assert request.json["o"] == {"heat": 1}
    declared = {"max_tokens": 100, "temperature": 0.2}
    _, request = ask(answer(WHOLE), {"max_tokens": 5}, request=placed, parameters=declared)
    assert request.json["o"] == {"heat": 0.2, "most": 5}


def test_system_messages_can_stand_apart() -> None:
    """Where $system is used, the other messages are without them; where there are none, nothing."""
    body = {"system": "$system", "turns": "$messages"}
    _, request = ask(answer(WHOLE), request=body)
    assert request.json == {
        "system": "Be brief.",
        "turns": [{"who": "user", "says": "Hello $model"}],
    }
    with serve(answer(WHOLE)) as server:
        made = provider(server.url, request=body)
        messages = [Message("system", "a"), Message("user", "u"), Message("system", "b")]
        asyncio.run(made.complete(messages))
        assert server.requests[-1].json["system"] == "a\n\nb"
        asyncio.run(made.complete([Message("user", "u")]))
        assert server.requests[-1].json == {"turns": [{"who": "user", "says": "u"}]}


def test_a_schema_is_asked_for_where_the_definition_says_how() -> None:
    """output_schema fills $schema of 'structured', which lies over the request."""
    _, request = ask(answer(WHOLE), {"output_schema": SCHEMA})
    assert request.json["shape"] == {"schema": SCHEMA}
    assert provider("http://h").takes_output_schema
    assert not provider("http://h", structured=None).takes_output_schema


@pytest.mark.parametrize(
    ("call", "what", "place"),
    [
        ({"output_schema": SCHEMA}, "'output_schema'", "a 'structured' part"),
        ({"model": "m-2"}, "the model 'm-2'", "$model"),
        ({"temperature": 0.1, "seed": 1}, "'seed' and 'temperature'", "'...: $parameters'"),
    ],
)
def test_what_has_no_place_is_refused_before_anything_is_sent(
    call: dict[str, Any], what: str, place: str
) -> None:
    """Nothing that somebody asked for is left out in silence."""
    made = provider("", url="http://llm.example/x", request={"t": "$messages"}, structured=None)
    with pytest.raises(ConfigError) as failure:
        asyncio.run(made.complete(ASKED, **call))
    assert str(failure.value) == (
        f"the definition of the API at llm.example has no place for {what}\n"
        f"  add {place} to it, or remove that from the agent in war_rig.yaml, or from the call"
    )


def test_the_declared_model_may_be_named_even_where_there_is_no_choice() -> None:
    """Naming the one model that there is asks for nothing else."""
    with serve(answer(WHOLE)) as server:
        made = provider("", url=server.url, request={"t": "$messages"})
        assert asyncio.run(made.complete(ASKED, model="house-1")).content == "Hi."


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"in": 5, "out": 2}, (7, 5, 2, "reported")),
        ({"out": 2.0}, (2, None, 2, "reported")),
        ({"all": 9}, (9, None, None, "reported")),
        ({"in": True, "out": -1, "all": "9"}, (7, 6, 1, "estimated")),
        ({"all": float("inf")}, (7, 6, 1, "estimated")),
        (None, (7, 6, 1, "estimated")),
    ],
)
def test_tokens_are_reported_or_estimated(usage: Any, counts: Any) -> None:
    """Counts that the API told are summed where need be; where it told none they are estimated."""
    found, _ = ask(answer({"result": {"text": "Hi."}, "usage": usage}))
    got = (found.tokens_used, found.prompt_tokens, found.completion_tokens, found.usage_source)
    assert got == counts
    assert (found.model, found.finish_reason) == ("house-1", None)


def test_a_content_of_several_texts_is_put_together() -> None:
    """A path that finds a list of texts finds one text; a reason that is no text is spelt."""
    body = [{"type": "think"}, {"text": "a"}, {"text": "b"}]
    found, _ = ask(answer(body), response={"content": "[*].text", "finish_reason": "[0]"})
    assert (found.content, found.finish_reason) == ("ab", '{"type": "think"}')
    assert found.raw_response is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"id": 1, "result": {}}, "no text at result.text (response.content); it has: id, result"),
        ({}, "no text at result.text (response.content); it has: nothing"),
        ({"result": {"text": 5}}, "no text at result.text (response.content); it has: result"),
        ({"result": {"text": []}}, "no text at result.text (response.content); it has: result"),
        ([1], "no text at result.text (response.content); it is a list"),
        (b"", "an empty body"),
        (b'{"result": {"te', 'text that is no JSON: {"result": {"te'),
        ("<html>Sign in</html>", "text that is no JSON: <html>Sign in</html>"),
    ],
)
def test_an_answer_without_text_says_what_is_there_instead(body: Any, text: str) -> None:
    """An author sees at once which path leads nowhere, and what the answer has."""
    error = failing(answer(body))
    assert type(error) is MalformedAnswerError
    assert (str(error), error.status) == (f"answered 200 with {text}", 200)


def test_an_error_body_with_a_good_status_is_told_with_its_message() -> None:
    """What the server says is wrong is shown, not that a path leads nowhere."""
    error = failing(answer({"error": {"message": f"no credit for {CANARY}"}}))
    assert type(error) is MalformedAnswerError
    assert str(error) == "answered 200, which is no answer: no credit for ***"


RULES: list[dict[str, Any]] = [
    {"status": 429, "path": "code", "equals": ["spent", 7], "raise": "QuotaExceededError"},
    {"status": 429, "retry_after": {"header": "X-Wait", "unit": "milliseconds"}},
    {"status": [418, "45x"][:1], "message": "why.deep", "raise": "ModelNotFoundError"},
    {"status": "5xx", "retry_after": {"path": "wait"}},
    {"path": "result.why", "equals": "filtered", "without_text": True,
     "raise": "ContentRefusedError"},
    {"path": "state", "contains": "TOO LONG", "raise": "ContextTooLongError", "message": "state"},
    {"message": "told"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "text", "wait"),
    [
        (429, {"code": "spent", "message": "m"}, {}, QuotaExceededError, "answered 429: m", None),
        (429, {"code": 7, "message": "m"}, {}, QuotaExceededError, "answered 429: m", None),
        (429, {"code": "slow", "message": "m"}, {"X-Wait": "1500"}, RateLimitError,
         "answered 429: m", 1.5),
        (429, {}, {"Retry-After": "3"}, RateLimitError,
         "answered 429: {}", 3.0),
        (429, {"message": "m"}, {"X-Wait": "soon"}, RateLimitError, "answered 429: m", None),
        (418, {"why": {"deep": "no such pot"}}, {}, ModelNotFoundError,
         "answered 418: no such pot", None),
        (418, {"why": {"deep": {"a": 1}}}, {}, ModelNotFoundError, 'answered 418: {"a": 1}', None),
        (503, {"wait": "2.5s"}, {}, ServerError,
         'answered 503: {"wait": "2.5s"}', 2.5),
        (503, {"wait": "250ms", "detail": "d"}, {}, ServerError, "answered 503: d", 0.25),
        (503, {"wait": 4, "detail": "d"}, {}, ServerError, "answered 503: d", 4.0),
        (503, {"wait": {}, "detail": "d"}, {"Retry-After": "9"}, ServerError,
         "answered 503: d", None),
        (200, {"result": {"why": "filtered"}, "message": "m"}, {}, ContentRefusedError,
         "answered 200, which is no answer: m", None),
        (200, {"state": "Text Too Long by 5", "result": {"text": "x"}}, {}, ContextTooLongError,
         "answered 200, which is no answer: Text Too Long by 5", None),
        (400, {"told": "bad seed"}, {}, BadRequestError, "answered 400: bad seed", None),
        (400, {"told": "maximum context length is 5"}, {}, ContextTooLongError,
         "answered 400: maximum context length is 5", None),
        (401, {"told": f"wrong key {CANARY}"}, {}, AuthenticationError,
         "answered 401: wrong key ***", None),
        (500, "<h1>Oops</h1>", {}, ServerError, "answered 500: <h1>Oops</h1>", None),
        (400, [1], {}, BadRequestError, "answered 400: [1]", None),
        (502, b"", {}, ServerError, "answered 502: an empty body", None),
    ],
)  # fmt: skip
def test_the_error_map_decides_and_what_it_leaves_open_is_classified(
    status: int, body: Any, headers: dict[str, str], kind: type[ProviderError], text: str,
    wait: float | None,
) -> None:  # fmt: skip
    """The first rule that fits decides on kind, message and wait; else status and words do."""
    error = failing(answer(body, status, headers), errors=RULES)
    assert (type(error), str(error), error.retry_after_seconds) == (kind, text, wait)
    assert error.status == status


def test_a_rule_for_failures_leaves_good_answers_alone() -> None:
    """A rule without a path is about failures, and one for missing text about missing text."""
    filtered = {**WHOLE, "result": {"text": "Hi.", "why": "filtered"}}
    assert ask(answer(filtered), errors=RULES)[0].content == "Hi."
    assert ask(answer({**WHOLE, "state": ""}), errors=RULES)[0].content == "Hi."


def test_transport_failures_are_our_errors() -> None:
    """A refused connection and a silence arrive in our types, and the key with neither."""
    with serve(answer(WHOLE)) as server:
        gone = server.url
    with pytest.raises(ProviderConnectionError) as refused:
        asyncio.run(provider(gone).complete(ASKED))
    assert leaks(refused.value) == []
    error = failing(until_left(), timeouts={"total": 0.1})
    assert isinstance(error, ProviderTimeoutError)


def test_what_cannot_be_sent_is_refused() -> None:
    """A parameter that JSON can't hold is told before anything is sent."""
    error = failing(answer(WHOLE), {"seed": object()})
    assert isinstance(error, BadRequestError)


def test_it_is_a_provider_that_tells_its_host_and_hides_its_key() -> None:
    """Neither its repr nor its parts' show the key."""
    made = provider("http://llm.example")
    assert isinstance(made, LLMProvider)
    assert (repr(made), made.default_model) == ("<HttpProvider of llm.example>", "house-1")
    sent = request_of(made._definition, True, [], None, None, {})
    assert CANARY not in repr(made._definition) + repr(sent)


def event(data: Any, name: str | None = None) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def pieces(*texts: str) -> list[bytes]:
    return [event({"piece": text}) for text in texts]


USED = event({"usage": {"in": 5, "out": 2, "all": 8}, "result": {"model": "s-1", "why": "stop"}})
END = event("[END]")


async def streamed(
    respond: Respond, call: dict[str, Any], **changes: Any
) -> tuple[list[CompletionChunk], Any, ProviderError | None]:
    """Return the chunks of a stream, the request, and the error that it ended with."""
    with serve(respond) as server:
        made = provider(server.url, **changes)
        assert made.stream is not None
        chunks = []
        try:
            async for chunk in made.stream(ASKED, **call):
                chunks.append(chunk)
            return chunks, server.requests[-1], None
        except ProviderError as error:
            assert leaks(error) == []
            return chunks, server.requests[-1], error
        finally:
            await made.aclose()


def stream(respond: Respond, call: dict[str, Any] | None = None, **changes: Any) -> Any:
    return asyncio.run(streamed(respond, call or {}, **changes))


def texts(chunks: list[CompletionChunk]) -> list[str]:
    return [chunk.content for chunk in chunks]


def test_a_stream_comes_in_pieces_and_ends_with_the_whole() -> None:
    """Each piece arrives as it is sent; the last chunk, and only it, has answer and usage."""
    parts = [b": hello\n\n", *pieces("H", "", "i."), event(""), USED, END]
    chunks, request, error = stream(streaming(*parts), {"temperature": 0.5})
    assert error is None
    assert texts(chunks) == ["H", "i.", ""]
    assert [chunk.response for chunk in chunks[:-1]] == [None, None]
    assert chunks[-1].response == CompletionResponse(
        content="Hi.", model="s-1", tokens_used=8, prompt_tokens=5, completion_tokens=2,
        usage_source="reported", finish_reason="stop",
    )  # fmt: skip
    assert request.json["stream"] is True
    assert request.json["temperature"] == 0.5


def test_a_stream_whose_usage_nobody_told_has_it_estimated() -> None:
    """The last chunk always carries usage, and says where it is from."""
    chunks, _, _ = stream(streaming(*pieces("Hi."), END), {"model": "m-2"})
    made = chunks[-1].response
    assert (made.tokens_used, made.usage_source, made.model) == (7, "estimated", "m-2")


def test_a_stream_may_ask_for_a_schema_too() -> None:
    """Stream and schema are laid over the same request."""
    _, request, _ = stream(streaming(END), {"output_schema": SCHEMA})
    assert request.json["shape"] == {"schema": SCHEMA}
    assert request.json["stream"] is True


@pytest.mark.parametrize(
    ("end", "parts", "found"),
    [
        ("[END]", [*pieces("a"), END, *pieces("b")], "a"),
        ("[END]", [b"".join([*pieces("a"), END, *pieces("b")])], "a"),
        ({"event": "stop"}, [*pieces("a"), event({"n": 1}, "stop"), *pieces("b")], "a"),
        ({"path": "done", "equals": True}, [*pieces("a"), event({"piece": "b", "done": True})],
         "ab"),
        ({"path": "done", "equals": [1, "yes"]}, [event({"piece": "a", "done": "yes"})], "a"),
        ({"path": "why"}, [event({"piece": "a", "why": "x"}), event({"piece": "b"})], "ab"),
        ({"path": "why"}, [event({"piece": "a", "why": "x"}), b'data: {"piece": "b"}'], "ab"),
        ("[END]", [*pieces("a"), b"data: [END]"], "a"),
    ],
)  # fmt: skip
def test_a_mark_ends_the_stream(end: Any, parts: list[bytes], found: str) -> None:
    """A data text, an event's name or a value ends it; without a value more may follow."""
    chunks, _, error = stream(streaming(*parts), stream={**DEFINITION["stream"], "end": end})
    assert (error, chunks[-1].response.content) == (None, found)


@pytest.mark.parametrize("timeouts", [{}, {"between_tokens": 0.1}, {"total": 0.5}])
def test_a_server_that_waits_after_its_mark_has_ended(timeouts: dict[str, float]) -> None:
    """A connection that is kept open after a mark that more may follow costs no error."""
    parts = [event({"piece": "a", "why": "x"}), event({"piece": "b"})]
    declared = {**DEFINITION["stream"], "end": {"path": "why"}}
    began = time.monotonic()
    chunks, _, error = stream(streaming(*parts, ending="stall"), stream=declared, timeouts=timeouts)
    assert (error, chunks[-1].response.content) == (None, "ab")
    assert time.monotonic() - began < 4


def test_what_a_server_sends_for_ever_after_its_mark_is_not_awaited() -> None:
    """Signs of life after the mark keep nobody waiting."""

    def respond(request: Any, connection: socket) -> None:
        streaming(event({"piece": "a", "why": "x"}), ending="open")(request, connection)
        with suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"3\r\n: \n\r\n")
                time.sleep(0.1)

    began = time.monotonic()
    declared = {**DEFINITION["stream"], "end": {"path": "why"}}
    chunks, _, error = stream(respond, stream=declared)
    assert (error, chunks[-1].response.content) == (None, "a")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("form", ["sse", "ndjson"])
@pytest.mark.parametrize("begun", [False, True])
def test_bytes_that_are_no_event_are_no_life(form: str, begun: bool) -> None:
    """Comments and blank lines keep a connection open, but no call: only events count."""
    first = {"sse": event({"piece": "H"}), "ndjson": b'{"piece": "H"}\n'}[form] if begun else b""
    nothing = {"sse": b": processing\n\n", "ndjson": b"\n\n"}[form]

    def respond(request: Any, connection: socket) -> None:
        head = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n"
        with suppress(ConnectionError):
            connection.sendall(head + first)
            for _ in range(60):
                connection.sendall(nothing)
                time.sleep(0.05)

    limits = {"first_token": 0.4, "between_tokens": 0.5, "total": 3}
    declared = {**DEFINITION["stream"], "format": form}
    chunks, _, error = stream(respond, stream=declared, timeouts=limits)
    assert type(error) is ProviderTimeoutError
    told = "sent nothing more for 0.5 s" if begun else "sent nothing in 0.4 s"
    assert (texts(chunks), str(error)) == (["H"] if begun else [], told)


def test_the_time_between_events_is_the_servers_alone() -> None:
    """Events that are slower than first_token in all, and a reader that is, reach no limit."""

    async def slowly() -> list[str]:
        with serve(paced(*pieces("a", "b", "c"), END, pause=0.25)) as server:
            made = provider(server.url, timeouts={"first_token": 0.5, "between_tokens": 0.5})
            found = []
            async for chunk in made.stream(ASKED):
                found.append(chunk.content)
                await asyncio.sleep(0.6)
            await made.aclose()
            return found

    assert asyncio.run(slowly()) == ["a", "b", "c", ""]


def test_lines_of_json_are_a_stream_too() -> None:
    """With format ndjson each line is an event."""
    lines = [b'{"piece": "H"}\n{"pie', b'ce": "i."}\n\n', b'{"done": true, "usage": {"all": 9}}']
    declared = {"format": "ndjson", "content": "piece", "end": {"path": "done", "equals": True}}
    kind = "application/x-ndjson"
    chunks, _, error = stream(streaming(*lines, kind=kind), stream=declared)
    assert (error, texts(chunks)) == (None, ["H", "i.", ""])
    assert chunks[-1].response.tokens_used == 9


CUMULATIVE = {**DEFINITION["stream"], "cumulative": True}


@pytest.mark.parametrize(
    ("sent", "new"),
    [
        (["H", "Hi", "Hi", "Hi.", ""], ["H", "i", ".", ""]),
        (["", "Hi."], ["Hi.", ""]),
        (["a", "aa", "aaa"], ["a", "a", "a", ""]),
    ],
)
def test_of_all_text_so_far_the_new_part_is_a_piece(sent: list[str], new: list[str]) -> None:
    """Where each event tells all that was said, a reader gets each part of it once."""
    chunks, _, error = stream(streaming(*pieces(*sent), USED, END), stream=CUMULATIVE)
    assert (error, texts(chunks)) == (None, new)
    assert chunks[-1].response.content == "".join(new)


def test_a_text_that_is_taken_back_is_an_error() -> None:
    """What a reader has seen can't be changed, so a stream that does is no answer."""
    chunks, _, error = stream(streaming(*pieces("Hi", "Ho", "Ho."), END), stream=CUMULATIVE)
    assert (texts(chunks), type(error)) == (["Hi"], MalformedAnswerError)
    assert str(error) == (
        "streamed a text that does not begin with the text before it, "
        "which 'stream.cumulative' says; its last event has: piece"
    )


def test_a_stream_without_its_end_mark_is_an_error() -> None:
    """A stream that just ends is no answer, however much has arrived."""
    chunks, _, error = stream(streaming(*pieces("H", "i."), USED))
    assert texts(chunks) == ["H", "i."]
    assert type(error) is MalformedAnswerError
    told = "ended its stream without its end mark, so the answer is not whole"
    assert str(error) == f"{told}; its last event has: usage, result"
    _, _, error = stream(streaming(*pieces("H"), event({"problem": f"full {CANARY}"})))
    assert str(error) == f"{told}; its last event has: problem"
    assert str(stream(streaming(*pieces("H"), event([])))[2]) == told


def test_a_stream_without_a_text_is_an_error() -> None:
    """A path that no event has is told, with what the last one has; an empty text is a text."""
    wrong = {**DEFINITION["stream"], "content": "pice"}
    chunks, _, error = stream(streaming(*pieces("H"), END), stream=wrong)
    assert (chunks, type(error)) == ([], MalformedAnswerError)
    told = "streamed no text at pice (stream.content)"
    assert str(error) == f"{told}; its last event has: piece"
    _, _, error = stream(streaming(USED, END), stream=wrong)
    assert str(error) == f"{told} (finish reason: stop); its last event has: usage, result"
    del wrong["content"]
    _, _, error = stream(streaming(END), stream=wrong)
    assert str(error) == "streamed no text at result.text (stream.content)"
    chunks, _, error = stream(streaming(*pieces(""), END))
    assert (texts(chunks), error) == ([""], None)


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_server_that_does_not_stream_is_read_as_a_whole(kind: str) -> None:
    """Plain JSON is told by its type, in any case."""
    body = json.dumps(WHOLE).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    chunks, _, error = stream(lambda _, connection: connection.sendall(head.encode() + body))
    assert (error, len(chunks), bool(chunks[0].response.content)) == (None, 1, True)


def test_a_stream_leaves_no_task_to_clean_up_after_it() -> None:
    """What it read from is closed, and not left to the loop's finaliser."""
    begun: list[str] = []

    def note(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        begun.append(repr(coroutine))
        return asyncio.Task(coroutine, loop=loop, **options)

    async def watched() -> None:
        asyncio.get_running_loop().set_task_factory(note)
        await streamed(streaming(*pieces("H"), END), {})
        await asyncio.sleep(0.01)

    asyncio.run(watched())
    assert [one for one in begun if "aclose" in one or "athrow" in one] == []


def test_a_stream_that_is_cut_or_stalls_is_an_error() -> None:
    """A broken connection and a silence in mid-stream arrive in our types."""
    chunks, _, error = stream(streaming(*pieces("H"), ending="cut"))
    assert (texts(chunks), type(error)) == (["H"], ProviderConnectionError)
    limits = {"between_tokens": 0.1}
    chunks, _, error = stream(streaming(*pieces("H"), ending="stall"), timeouts=limits)
    assert (texts(chunks), type(error)) == (["H"], ProviderTimeoutError)


def test_a_code_that_good_answers_have_too_is_compared() -> None:
    """What stands there may be no failure; a path can say which value is none, in a stream too."""
    path = "code != '0' && code"
    rules = [{"path": path, "raise": "RateLimitError", "message": "why"}]
    assert ask(answer({**WHOLE, "code": "0"}), errors=rules)[0].content == "Hi."
    error = failing(answer({**WHOLE, "code": "17", "why": "slow"}), errors=rules)
    assert (type(error), str(error)) == (
        RateLimitError, "answered 200, which is no answer: slow",
    )  # fmt: skip
    declared = {**DEFINITION["stream"], "error": path}
    good = event({"piece": "H", "code": "0"})
    chunks, _, none = stream(streaming(good, END), errors=rules, stream=declared)
    assert (texts(chunks), none) == (["H", ""], None)
    bad = event({"code": "17", "why": "slow"})
    chunks, _, error = stream(streaming(good, bad), errors=rules, stream=declared)
    assert (texts(chunks), type(error)) == (["H"], RateLimitError)


IN_STREAM: list[dict[str, Any]] = [
    {"path": "error.type", "equals": "busy", "raise": "RateLimitError",
     "retry_after": {"path": "error.wait"}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name", "kind", "text", "status", "wait"),
    [
        ({"error": {"code": 502, "message": "gone"}}, None, ServerError, "gone", 502, None),
        ({"error": {"status": "429", "message": "slow"}}, None, RateLimitError, "slow", 429, None),
        ({"error": "gone", "code": 404}, None, ModelNotFoundError, "gone", 404, None),
        ({"error": {"message": "gone"}}, None, ServerError, "gone", None, None),
        ({"error": {"code": "x", "message": "maximum context is 5"}}, None, ContextTooLongError,
         "maximum context is 5", None, None),
        ({"message": f"key {CANARY}"}, "error", ServerError, "key ***", None, None),
        ({"error": {"type": "busy", "wait": 2, "message": "m"}}, None, RateLimitError, "m", None,
         2.0),
        ("[1]", "error", ServerError, "[1]", None, None),
        ({"trouble": {"code": 503, "detail": "gone"}}, None, ServerError, "gone", 503, None),
        ({"trouble": f"no {CANARY}", "id": 5}, None, ServerError, "no ***", None, None),
        ({"trouble": True, "id": 5}, None, ServerError, '{"trouble": true, "id": 5}', None, None),
        (f"rate limit of {CANARY}", "error", RateLimitError, "rate limit of ***", None, None),
        ({"trouble": {"code": 503}, "message": "m"}, None, ServerError, "m", 503, None),
        ({"trouble": {"type": "rate_limit"}, "message": "m"}, None, RateLimitError, "m", None,
         None),
        ({"error": {"code": 429, "message": "m"}}, "error", RateLimitError, "m", 429, None),
    ],
)  # fmt: skip
def test_an_error_in_mid_stream_arrives_in_our_types(
    data: Any, name: str | None, kind: type[ProviderError], text: str, status: int | None,
    wait: float | None,
) -> None:  # fmt: skip
    """The rules decide, else a status in the event, else its words; else the server has failed."""
    parts = b"".join(pieces("H")) + event(data, name) + END
    path = "trouble" if name else "error || trouble"
    declared = DEFINITION["stream"] | {"error": path}
    chunks, _, error = stream(streaming(parts), errors=IN_STREAM, stream=declared)
    assert texts(chunks) == ["H"]
    assert (type(error), str(error)) == (kind, f"sent an error in mid-stream: {text}")
    assert (error.status, error.retry_after_seconds) == (status, wait)


@pytest.mark.parametrize("before", [b"", event({"id": 7})])
def test_an_error_in_the_place_of_a_stream_is_told_as_such(before: bytes) -> None:
    """Where nothing of an answer came before it, there is no mid-stream."""
    chunks, _, error = stream(streaming(before + event({"error": {"code": 429, "message": "m"}})))
    assert (chunks, type(error)) == ([], RateLimitError)
    assert str(error) == "sent an error instead of an answer: m"
    _, _, error = stream(streaming(USED, event({"error": "gone"})))
    assert str(error) == "sent an error in mid-stream: gone"


def test_a_broken_event_is_an_error() -> None:
    """JSON that is cut inside an event is no answer."""
    chunks, _, error = stream(streaming(*pieces("H"), event('{"piece": "i'), END))
    assert (texts(chunks), type(error)) == (["H"], MalformedAnswerError)
    assert str(error).startswith("sent a chunk of broken JSON: Unterminated string")


def test_a_stream_that_a_filter_emptied_is_refused() -> None:
    """Where no text came, the rules are asked about what told the reason."""
    why = event({"result": {"why": "filtered"}})
    _, _, error = stream(streaming(why, END), errors=RULES)
    assert type(error) is ContentRefusedError
    chunks, _, error = stream(streaming(*pieces("H"), why, END), errors=RULES)
    assert (error, chunks[-1].response.finish_reason) == (None, "filtered")


def test_a_failure_before_the_stream_is_the_same_as_without_one() -> None:
    """A status that is none of a stream is told as for a whole answer."""
    chunks, _, error = stream(answer({"message": "who?"}, 401))
    assert (chunks, type(error), str(error)) == ([], AuthenticationError, "answered 401: who?")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_a_server_that_can_not_stream_is_heard_anyway(kind: str) -> None:
    """Plain JSON in the place of events is a whole answer, in one chunk."""
    chunks, _, error = stream(answer(WHOLE, kind=kind))
    assert (error, texts(chunks)) == (None, ["Hi."])
    assert chunks[0].response.tokens_used == 8
    _, _, error = stream(answer("<html>Sign in</html>"))
    assert type(error) is MalformedAnswerError


def test_leaving_a_stream_early_closes_its_connection() -> None:
    """Who stops listening stops paying: the connection is closed at once."""

    async def leave() -> str:
        with serve(streaming(*pieces("H"), ending="stall")) as server:
            made = provider(server.url)
            async with aclosing(_begun(made)) as chunks:
                first = await anext(chunks)
            for _ in range(100):
                if server.closed:
                    return first.content
                await asyncio.sleep(0.02)
            raise AssertionError("the connection is still open")

    assert asyncio.run(leave()) == "H"


def _begun(made: HttpProvider) -> AsyncGenerator[CompletionChunk, None]:
    begin: Callable[..., AsyncGenerator[CompletionChunk, None]] | None = made.stream
    assert begin is not None
    return begin(ASKED)


def test_without_a_declared_stream_there_is_none() -> None:
    """War Rig then gives the whole answer as one chunk, and says that it does."""
    assert not can_stream(provider("http://h", stream=None))
    assert can_stream(provider("http://h"))


def test_through_the_container_messages_say_what_failed_where_and_what_now(
    tmp_path: Path,
) -> None:
    """The border adds the provider's name, the model and the next step to what was declared."""
    with serve(answer({"fault": {"text": f"no {CANARY}"}}, 401)) as server:
        path = tmp_path / "house.yaml"
        path.write_text(
            "llm_provider: house\n"
            "providers:\n"
            "  house:\n"
            "    type: http\n"
            f"    url: {server.url}/ask\n"
            "    model: house-1\n"
            '    auth: {header: {name: X-Key, value: "${HOUSE_KEY}"}}\n'
            "    request: {prompt: $messages}\n"
            "    messages: {each: $content}\n"
            "    response: {content: output}\n"
            "    errors: [{status: 401, message: fault.text}]\n"
        )
        app = application(path, {"HOUSE_KEY": CANARY})
        with pytest.raises(AuthenticationError) as failure:
            app.agents("assistant").run_sync("Hello")
        assert server.requests[-1].headers["x-key"] == CANARY
        assert server.requests[-1].json == {"prompt": "You are a helpful assistant.\n\nHello"}
    assert leaks(failure.value) == []
    assert str(failure.value) == (
        "provider 'house' answered 401: no ***\n"
        "  model house-1\n"
        "  check the key and its rights: war-rig providers show house"
    )


def test_the_room_is_loaded_on_demand() -> None:
    """The package has one name, which is imported when it is asked for."""
    import war_rig.providers.http as room

    assert room.HttpProvider is HttpProvider
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = room.nope
