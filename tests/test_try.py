"""`war-rig providers try`: one call to a real server, and all that an author wants to see of it."""

import base64
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import test_cli
from canary import CANARY
from loopback import Request, Respond, answer, chat_completion, response_bytes, serve
from streams import DONE, FINISH, HELLO, chunk, event, streaming
from test_cli import Ran, WarRig

from war_rig.names import is_secret_name
from war_rig.providers import CompletionResponse, registry
from war_rig.providers.http.findings import missing
from war_rig.providers.http.shown import data_text, without_login
from war_rig.testing import FakeProvider

war_rig = test_cli.war_rig
SECOND = "sk-second-9876543210"
RESPONSE = (
    "{content: 'choices[0].message.content', model: model, prompt_tokens: usage.prompt_tokens}"
)
STREAM = "{request: {stream: true}, content: 'choices[0].delta.content', end: '[DONE]'}"


def entry(url: str, *lines: str) -> None:
    """Write the configuration of a provider named house at *url*."""
    usual = ["request: {model: $model, messages: $messages}", f"response: {RESPONSE}"]
    own = [line.partition(":")[0] for line in lines]
    usual = [line for line in usual if line.partition(":")[0] not in own]
    keys = ["type: http", f"url: {url}/ask", "model: house-1", *usual, *lines]
    text = "".join(f"    {key}\n" for key in keys)
    Path("my.yaml").write_text(f"providers:\n  house:\n{text}")


def tried(
    war_rig: WarRig, respond: Respond, *lines: str, words: tuple[str, ...] = (), **env: str
) -> tuple[Ran, list[Request]]:
    """Return what trying the provider house shows, and what it sent; no key may be in it."""
    with serve(respond) as server:
        entry(server.url, *(line.replace("SERVER", server.url) for line in lines))
        ran = war_rig("providers", "try", "house", "hi", "--config", "my.yaml", *words, **env)
    shown = ran.out + ran.err
    for secret in (CANARY, SECOND, base64.b64encode(f"me:{CANARY}".encode()).decode()):
        assert secret not in shown
    return ran, server.requests


def part(ran: Ran, title: str) -> str:
    """Return the lines of one part of what was shown."""
    found = re.search(rf"^{re.escape(title)}\n((?:  .*\n|\n(?=  ))*)", ran.out, re.MULTILINE)
    assert found is not None, ran.out
    return re.sub("^  ", "", found[1], flags=re.MULTILINE).strip("\n")


def test_a_call_is_shown_from_the_request_to_the_result(war_rig: WarRig) -> None:
    """The request, the answer, what each path led to, and the result are shown in this order."""
    respond = answer(chat_completion(), headers={"X-Request-Id": "r-1", "Server": "X"})
    ran, sent = tried(war_rig, respond, f"auth: {{bearer: {CANARY}}}", "query: {version: a b}")
    assert (ran.code, ran.err) == (0, "")
    titles = re.findall(r"^\S.*$", ran.out, re.MULTILINE)
    assert titles == ["request", "answer", "body", "response", "result"]
    lines = part(ran, "request").split("\n")
    assert re.fullmatch(r"POST http://127\.0\.0\.1:\d+/ask\?version=a%20b", lines[0])
    assert lines[1:4] == ["Content-Type: application/json", "Authorization: Bearer ***", ""]
    assert json.loads("".join(lines[4:])) == sent[0].json
    assert part(ran, "answer").split("\n")[0] == "200"
    assert "x-request-id: r-1" in part(ran, "answer")
    assert "server" not in part(ran, "answer")
    assert json.loads(part(ran, "body")) == chat_completion()
    assert part(ran, "response").split("\n") == [
        'content        choices[0].message.content  "Hello."',
        'model          model  "served-model"',
        "prompt_tokens  usage.prompt_tokens  3",
    ]
    assert part(ran, "result").split("\n") == [
        "content: Hello.",
        "model: served-model",
        "tokens_used: 3 (prompt 3), reported",
        "finish_reason: -",
    ]


def test_a_wrong_path_is_told_what_is_near(war_rig: WarRig) -> None:
    """A path to nothing names the keys where it goes wrong, and the nearest paths."""
    paths = "{content: 'choices[0].text.content', model: nodel, prompt_tokens: usage.prompt}"
    ran, _ = tried(war_rig, answer(chat_completion()), f"response: {paths}")
    assert (ran.code, ran.err.splitlines()[0]) == (
        1,
        "error: provider 'house' answered 200 with no text at choices[0].text.content "
        "(response.content); it has: id, object, created, model, choices, usage",
    )
    hint = "  see what stands there: war-rig providers try house, with --stream for a stream"
    assert ran.err.splitlines()[-1] == hint
    shown = part(ran, "response").split("\n")
    assert shown[0] == (
        "content        choices[0].text.content  nothing there; choices[0] has: "
        "index, message, finish_reason. Nearest: choices[0].message.content"
    )
    assert shown[1].endswith("usage. Nearest: model")
    assert "usage has: prompt_tokens, completion_tokens, total_tokens. Nearest: usage." in shown[2]


def test_a_content_that_is_no_text_is_said(war_rig: WarRig) -> None:
    """A path that leads to a map finds something, but no text."""
    ran, _ = tried(war_rig, answer(chat_completion()), "response: {content: 'choices[0].message'}")
    assert ran.code == 1
    assert part(ran, "response").endswith(', "content": "Hello."}, which is no text')


def echo(request: Request, connection: socket.socket) -> None:
    """Answer with all that was sent, as servers do that want to help."""
    text = f"{request.target} {request.headers}"
    headers = {"X-Request-Id": text.replace("\n", " "), "Set-Cookie": CANARY}
    connection.sendall(response_bytes(chat_completion(text), headers=headers))


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((f"auth: {{bearer: {CANARY}}}",), "Authorization: Bearer ***"),
        ((f"auth: {{header: {{name: X-Own, value: {CANARY}}}}}",), "X-Own: ***"),
        ((f"auth: {{query: {{name: own, value: {CANARY}}}}}",), "ask?own=***"),
        ((f"auth: {{basic: {{user: me, password: {CANARY}}}}}",), "Authorization: Basic ***"),
        (("auth: {bearer: {file: key.txt}}",), "Authorization: Bearer ***"),
        (("auth: {bearer: {command: [cat, key.txt]}}",), "Authorization: Bearer ***"),
        ((f"headers: {{Authorization: {CANARY}}}",), "Authorization: ***"),
        ((f"headers: {{X-Api-Key: {CANARY}, X-Team: a}}",), "X-Team: a"),
        ((f"query: {{api-key: {CANARY}, v: 1}}", "auth: {query: {name: k, value: abc}}"),
         "ask?api-key=***&v=1&k=***"),
        (("headers: {X-Team: '${HOUSE_KEY}'}",), "X-Team: ***"),
        (("request: {messages: $messages, api_key: '${HOUSE_KEY}'}",), '"api_key": "***"'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", [(), ("--stream",)])
def test_no_key_is_shown(
    war_rig: WarRig, lines: tuple[str, ...], shown: str, words: tuple[str, ...]
) -> None:
    """Wherever a key goes, it is masked in the request, and in an answer that repeats it."""
    Path("key.txt").write_text(CANARY)
    stream = () if words == () else (f"stream: {STREAM}",)
    ran, sent = tried(war_rig, echo, *lines, *stream, words=words, HOUSE_KEY=CANARY)
    assert ran.code == 0
    assert shown in part(ran, "request")
    carried = f"{sent[0].target} {sent[0].headers} {sent[0].body!r}"
    assert CANARY in carried or base64.b64encode(f"me:{CANARY}".encode()).decode() in carried


def test_a_token_that_was_fetched_is_shown_nowhere(war_rig: WarRig) -> None:
    """The token of OAuth2 and its secret are masked; a second request with a fresh one is told."""
    tokens = iter([SECOND, "sk-third-5555555555"])
    statuses = iter([401, 200])

    def respond(request: Request, connection: socket.socket) -> None:
        if request.target == "/token":
            connection.sendall(response_bytes({"access_token": next(tokens)}))
        else:
            text = f"{request.headers} {request.json}"
            connection.sendall(response_bytes(chat_completion(text), next(statuses)))

    oauth2 = f"{{token_url: SERVER/token, client_id: me, client_secret: {CANARY}}}"
    ran, _ = tried(war_rig, respond, f"auth: {{oauth2: {oauth2}}}")
    assert ran.code == 0
    assert "Authorization: Bearer ***" in part(ran, "request")
    assert "Bearer ***" in part(ran, "request, once more with a fresh key")
    assert "sk-third" not in ran.out


def test_a_key_in_the_middle_of_what_is_cut_is_masked_before(war_rig: WarRig) -> None:
    """What is too long is cut after it was cleared, so that no half of a key is left."""
    text = "x" * 3_700 + CANARY * 30
    respond = answer(chat_completion(text))
    ran, _ = tried(war_rig, respond, "headers: {X: '${HOUSE_KEY}'}", HOUSE_KEY=CANARY)
    assert "more characters" in part(ran, "body")
    assert CANARY[:8] not in ran.out


def test_a_refusal_is_shown_and_then_told_as_always(war_rig: WarRig) -> None:
    """The body of a failure is shown, which rule it fits, and the error is on stderr."""
    body = {"error": {"message": f"no such key: {CANARY}", "code": "odd"}}
    rule = "errors: [{status: 500}, {path: error.code, equals: odd, raise: AuthenticationError}]"
    ran, _ = tried(war_rig, answer(body, 401), f"auth: {{bearer: {CANARY}}}", rule)
    assert ran.code == 1
    assert '"message": "no such key: ***"' in part(ran, "body")
    assert part(ran, "errors").split("\n") == ["errors[1] fits", 'path  error.code  "odd"']
    assert "response\n" not in ran.out
    assert ran.err == (
        "error: provider 'house' answered 401: no such key: ***\n  model house-1\n"
        "  check the key and its rights: war-rig providers show house\n"
    )


@pytest.mark.parametrize("words", [(), ("--stream",)])
def test_what_was_not_sent_is_shown_all_the_same(war_rig: WarRig, words: tuple[str, ...]) -> None:
    """Without a key nothing is sent; the request that there would have been is shown."""
    key = "auth: {bearer: {file: nowhere.txt}}"
    ran, sent = tried(war_rig, echo, key, f"stream: {STREAM}", words=words)
    assert (ran.code, sent) == (1, [])
    assert "POST http" in part(ran, "request, which was not sent")
    assert "answer\n" not in ran.out
    assert "provider 'house' has no key: the file" in ran.err


def test_a_server_that_is_not_there_leaves_the_request(war_rig: WarRig) -> None:
    """A refused connection is an error after the request was shown; a login in a URL is none."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        entry(f"http://me:{CANARY}@127.0.0.1:{taken.getsockname()[1]}")
        ran = war_rig("providers", "try", "house", "--config", "my.yaml")
        entry(f"http://127.0.0.1:{taken.getsockname()[1]}")
        refused = war_rig("providers", "try", "house", "--config", "my.yaml")
    assert (ran.code, refused.code) == (2, 1)
    assert CANARY not in ran.out + ran.err
    assert "providers.house.url: holds a user or a password: they belong under 'auth'" in ran.err
    assert '"content": "hello"' in part(refused, "request")
    assert refused.err.startswith("error: provider 'house' could not be reached")


def test_a_faulty_definition_is_exit_code_2(war_rig: WarRig) -> None:
    """What is wrong with the entry is told before anything is sent."""
    ran, sent = tried(war_rig, echo, "timeouts: {total: soon}")
    assert (ran.code, ran.out, sent) == (2, "", [])
    assert "providers.house.timeouts.total: must be a number above 0" in ran.err


def test_a_body_that_is_no_json_is_shown_as_it_is(war_rig: WarRig) -> None:
    """Text is shown, without what would move the cursor; of nothing, that it is nothing."""
    ran, _ = tried(war_rig, answer("<b>\x1b[2Jno</b>"))
    assert part(ran, "body") == "<b>\ufffd[2Jno</b>"
    assert part(ran, "response").startswith(
        "content        choices[0].message.content  nothing there; the answer is text"
    )
    ran, _ = tried(war_rig, answer(b""))
    assert part(ran, "body") == "(empty)"


def test_a_stream_is_shown_by_its_first_and_last_events(war_rig: WarRig) -> None:
    """The first five and the last two events are shown as they came; nothing after the end is."""
    more = [chunk("") for _ in range(4)]
    parts = (*HELLO[:2], *more, *HELLO[2:-1], HELLO[-1] + chunk("after the end"))
    ran, _ = tried(war_rig, streaming(*parts), f"stream: {STREAM}", words=("--stream",))
    assert (ran.code, ran.err) == (0, "")
    assert '"stream": true' in part(ran, "request")
    assert '"delta": {"content": "Hel"}' in part(ran, "event 2")
    assert [f"\nevent {n}\n" in ran.out for n in range(1, 11)] == [
        True, True, True, True, True, False, False, False, True, True
    ]  # fmt: skip
    assert '"usage"' in part(ran, "event 9")
    assert part(ran, "event 10") == "[DONE]"
    assert part(ran, "stream of 10 events").split("\n") == [
        'content        choices[0].delta.content  "Hello.", from 7 pieces',
        'model          model  "served-model"',
        "prompt_tokens  usage.prompt_tokens  3",
        'end mark "[DONE]" came with event 10',
    ]
    assert part(ran, "streamed") == "2 pieces"


def test_a_stream_without_its_end_mark_is_told_so(war_rig: WarRig) -> None:
    """What was found is shown before the error."""
    parts = (b"event: piece\n" + chunk("Hel"), b"data: [END]\n\n")
    ran, _ = tried(war_rig, streaming(*parts), f"stream: {STREAM}", words=("--stream",))
    assert ran.code == 1
    assert part(ran, "event 1").startswith('piece  {"id"')
    assert part(ran, "event 2") == "[END]"
    assert 'end mark "[DONE]" did not come' in part(ran, "stream of 2 events")
    assert "sent a chunk of broken JSON" in ran.err


def test_a_stream_whose_server_waits_after_its_mark_is_shown(war_rig: WarRig) -> None:
    """What follows a mark that does not end the stream is shown, and the end is soon."""
    declared = STREAM.replace("'[DONE]'", "{path: 'choices[0].finish_reason'}")
    respond = streaming(*HELLO[:-1], ending="stall")
    ran, _ = tried(war_rig, respond, f"stream: {declared}", words=("--stream",))
    assert (ran.code, ran.err) == (0, "")
    assert part(ran, "stream of 5 events").split("\n")[-1] == (
        'end mark {"path": "choices[0].finish_reason"} came with event 4'
    )


def test_an_error_in_mid_stream_shows_its_event(war_rig: WarRig) -> None:
    """However late it comes, the event that tells of a failure is shown, without the key."""
    parts = [chunk(str(n)) for n in range(25)] + [event({"error": {"message": f"no {CANARY}"}})]
    lines = (f"auth: {{bearer: {CANARY}}}", f"stream: {STREAM}")
    ran, _ = tried(war_rig, streaming(*parts), *lines, words=("--stream",))
    assert ran.code == 1
    assert part(ran, "event 26") == '{"error": {"message": "no ***"}}'
    assert "0123456" in part(ran, "stream of 26 events")
    assert "sent an error in mid-stream: no ***" in ran.err


def test_a_wrong_path_of_a_stream_is_told_what_is_near(war_rig: WarRig) -> None:
    """The nearest paths are those of all events; a stream that is no event at all is said."""
    paths = "{content: 'choices[0].text', prompt_tokens: usage.input, end: '[DONE]'}"
    ran, _ = tried(war_rig, streaming(*HELLO), f"stream: {paths}", words=("--stream",))
    assert "Nearest: " in part(ran, "stream of 6 events").split("\n")[0]
    ran, _ = tried(war_rig, streaming(b":\n\n"), f"stream: {paths}", words=("--stream",))
    assert part(ran, "stream of 0 events").split("\n")[0].endswith("nothing there: nothing came")


def test_the_last_events_of_a_long_stream_are_known_too(war_rig: WarRig) -> None:
    """The usage comes last: what is near a wrong path is told from there, and what events have."""
    parts = [chunk(str(n)) for n in range(50)] + [event({"bill": {"tokens": 5}}), DONE]
    declared = STREAM.replace("{request", "{total_tokens: usage.tokens, request")
    ran, _ = tried(war_rig, streaming(*parts), f"stream: {declared}", words=("--stream",))
    line = next(one for one in ran.out.split("\n") if "total_tokens" in one)
    assert line.endswith(
        "nothing there; the events have: id, object, created, model, choices, bill. "
        "Nearest: bill.tokens"
    )


def test_an_answer_in_one_piece_to_a_stream_is_shown_whole(war_rig: WarRig) -> None:
    """A server that does not stream answers with a body, which is read by 'response'."""
    ran, _ = tried(war_rig, answer(chat_completion()), f"stream: {STREAM}", words=("--stream",))
    assert ran.code == 0
    assert '"Hello."' in part(ran, "response")
    assert part(ran, "streamed") == "1 piece"


def test_what_the_end_mark_brings_is_not_shown_as_found(war_rig: WarRig) -> None:
    """An event that ends a stream by its name is not read, so no path leads to anything in it."""
    declared = "{content: 'choices[0].delta.content', model: name, end: {event: bye}}"
    last = b"event: bye\n" + event({"name": "m-9"})
    ran, _ = tried(
        war_rig, streaming(chunk("Hello."), last), f"stream: {declared}", words=("--stream",)
    )
    assert part(ran, "event 2") == 'bye  {"name": "m-9"}'
    lines = part(ran, "stream of 2 events").split("\n")
    assert lines[1] == (
        "model          name  nothing there but in the event of the end mark, which is not read: "
        "say by a 'path' what ends the stream"
    )
    assert lines[-1] == 'end mark {"event": "bye"} came with event 2'
    assert "model: house-1" in part(ran, "result")


def grown(*texts: str) -> Respond:
    """Stream the *texts* as the content of chunks."""
    return streaming(*(chunk(text) for text in texts), FINISH, DONE)


def test_a_stream_of_all_text_so_far_is_told_its_key(war_rig: WarRig) -> None:
    """Where each text repeats the one before it, the key for that is named; with it all is well."""
    hint = "each begins with the one before: if each is all text so far, say 'cumulative: true'"
    texts = ("Hel", "Hello", "Hello.")
    ran, _ = tried(war_rig, grown(*texts), f"stream: {STREAM}", words=("--stream",))
    assert part(ran, "stream of 5 events").split("\n")[0].endswith(f'", from 3 pieces; {hint}')
    declared = STREAM.replace("{request", "{cumulative: true, request")
    ran, _ = tried(war_rig, grown(*texts), f"stream: {declared}", words=("--stream",))
    assert part(ran, "stream of 5 events").split("\n")[0].endswith('"Hello.", from 3 pieces')
    assert part(ran, "streamed") == "3 pieces"
    assert "content: Hello.\n" in ran.out
    for others in (("Hel", "lo", "."), ("a", "a", "a"), ("", "a", "ab"), ("a", "ab")):
        ran, _ = tried(war_rig, grown(*others), f"stream: {STREAM}", words=("--stream",))
        assert hint not in ran.out


RULES = (
    "errors: [{status: 500}, {path: error.code, equals: odd, message: error.why, "
    "retry_after: {path: error.wait, unit: milliseconds}}]"
)


@pytest.mark.parametrize("words", [(), ("--stream",)])
def test_what_a_rule_reads_is_shown(war_rig: WarRig, words: tuple[str, ...]) -> None:
    """The rule that decides, and what its paths lead to, in a body as in mid-stream."""
    body = {"error": {"code": "odd", "why": "tired", "waits": 5}}
    respond = streaming(chunk("Hel"), event(body)) if words else answer(body, 429)
    ran, _ = tried(war_rig, respond, RULES, f"stream: {STREAM}", words=words)
    assert ran.code == 1
    assert part(ran, "errors").split("\n") == [
        "errors[1] fits",
        'path         error.code  "odd"',
        'message      error.why  "tired"',
        "retry_after  error.wait  nothing there; error has: code, why, waits. "
        "Nearest: error.waits, error.why",
    ]


def test_the_header_that_a_rule_reads_is_shown(war_rig: WarRig) -> None:
    """Where a header tells the wait, it is among those of the answer, found or not."""
    rule = (
        "errors: [{status: 503, retry_after: {header: X-Come-Back}}, "
        "{status: 504, retry_after: {header: null, path: wait}}]"
    )
    ran, _ = tried(war_rig, answer("busy", 503, {"X-Come-Back": "2"}), rule)
    assert "x-come-back: 2" in part(ran, "answer")
    assert part(ran, "errors") == "errors[0] fits\nretry_after  X-Come-Back  2"
    ran, _ = tried(war_rig, answer("busy", 503), rule)
    assert part(ran, "errors") == "errors[0] fits\nretry_after  X-Come-Back  nothing there"


def test_the_rule_that_a_finish_reason_fits_is_shown(war_rig: WarRig) -> None:
    """What has ended without text by a filter is told with its rule; one that is cut is not."""
    reason = chunk(choices=[{"delta": {}, "finish_reason": "filter"}])
    path = "'choices[0].finish_reason'"
    rule = f"errors: [{{path: {path}, equals: filter, raise: ContentRefusedError}}]"
    stream = STREAM.replace("{request", f"{{finish_reason: {path}, request")
    lines = (rule, f"stream: {stream}")
    ran, _ = tried(war_rig, streaming(reason, DONE), *lines, words=("--stream",))
    assert part(ran, "errors").startswith("errors[0] fits\n")
    for cut in ((reason,), (reason, b"data: {\n\n", DONE)):
        ran, _ = tried(war_rig, streaming(*cut), *lines, words=("--stream",))
        assert "errors\n" not in ran.out


def test_a_system_message_goes_with_the_question(war_rig: WarRig) -> None:
    """--system shows what becomes of an agent's instructions; without it there are none."""
    _, sent = tried(war_rig, answer(chat_completion()), words=("--system", "Be brief."))
    assert [m["role"] for m in sent[0].json["messages"]] == ["system", "user"]
    assert sent[0].json["messages"][0]["content"] == "Be brief."
    _, sent = tried(war_rig, answer(chat_completion()))
    assert [m["role"] for m in sent[0].json["messages"]] == ["user"]


def test_a_definition_without_a_stream_says_so(war_rig: WarRig) -> None:
    """--stream asks it for a whole answer."""
    ran, _ = tried(war_rig, answer(chat_completion()), words=("--stream", "--model", "m-2"))
    assert (ran.code, ran.err) == (
        0,
        "note: this provider has no stream: its answer comes in one piece\n",
    )
    assert '"model": "m-2"' in part(ran, "request")


def test_a_shipped_definition_is_tried_as_an_entry_is(war_rig: WarRig) -> None:
    """A vendor needs its key and nothing else."""
    with serve(answer(chat_completion())) as server:
        ran = war_rig(
            "providers", "try", "mistral",
            MISTRAL_API_KEY=CANARY, MISTRAL_BASE_URL=f"{server.url}/v1", MISTRAL_MODEL="m",
        )  # fmt: skip
    assert ran.code == 0
    assert "Authorization: Bearer ***" in part(ran, "request")
    assert "content: Hello." in part(ran, "result")
    assert CANARY not in ran.out


def test_any_other_provider_is_shown_as_far_as_it_tells(war_rig: WarRig) -> None:
    """The SDK's call shows what was asked, the result and the raw response, without the key."""
    with serve(answer(chat_completion(f"It is {CANARY}."))) as server:
        env = {"OPENAI_API_KEY": CANARY, "OPENAI_BASE_URL": f"{server.url}/v1"}
        ran = war_rig("providers", "try", "openai", "hi", "--model", "m-1", **env)
    assert ran.code == 0
    assert part(ran, "asked").split("\n") == ["model: m-1", "user: hi"]
    assert part(ran, "result").split("\n") == [
        "content: It is ***.",
        "model: served-model",
        "tokens_used: 7 (prompt 3, completion 4), reported",
        "finish_reason: stop",
    ]
    assert json.loads(part(ran, "raw_response"))["id"] == "chatcmpl-1"


class Plain(FakeProvider):
    """Answers with a raw response that is no JSON."""

    raw: Any = None

    async def complete(self, *arguments: Any, **options: Any) -> Any:
        made = await super().complete(*arguments, **options)
        made.raw_response = self.raw
        return made


def test_a_raw_response_of_any_shape_is_shown(war_rig: WarRig) -> None:
    """What can't be written as JSON is shown as Python shows it; without one there is no part."""
    registry.register_provider("plain", lambda: Plain("Hi."))
    ran = war_rig("providers", "try", "plain", "--stream")
    assert (ran.code, "raw_response" in ran.out) == (0, False)
    Plain.raw = {("a", 1): "x"}
    ran = war_rig("providers", "try", "plain")
    Plain.raw = None
    assert part(ran, "raw_response") == "{('a', 1): 'x'}"
    assert part(ran, "asked").split("\n")[1] == "user: hello"


def test_who_counted_the_tokens_is_told_where_the_provider_says_it(war_rig: WarRig) -> None:
    """A class of the least that the contract asks for says nothing, and nothing is made up."""

    class Least:
        default_model = "m-1"

        async def complete(self, messages: Any, **parameters: Any) -> CompletionResponse:
            return CompletionResponse("Hi.", "m-1", 3)

    registry.register_provider("least", Least)
    result = part(war_rig("providers", "try", "least"), "result").split("\n")
    assert result[2] == "tokens_used: 3"


@pytest.mark.parametrize(
    ("path", "data", "told"),
    [
        ("a.b", {"a": None}, "nothing there; a is null"),
        ("a.b", {"a": {"b": None}}, "nothing there but null"),
        ("a[3]", {"a": [1]}, "nothing there; a is a list of 1. Nearest: a[0]"),
        ("a.b", {"a": 5}, "nothing there; a is a number, true or false"),
        ("a.b", {"a": {}}, "nothing there; a is empty"),
        ("a", [], "nothing there; the answer is a list of 0"),
        ("text", {"the key": {"text": "x"}},
         'nothing there; the answer has: the key. Nearest: "the key".text'),
        ("a[?b].text", {"a": [{"text": "x"}]},
         "nothing there; a is a list of 1, of which [?b] keeps none"),
        ("a[?b].txt", {"a": [{"text": "x"}, {"b": 1, "text": "y"}]},
         "nothing there; a is a list of 2. Nearest: a[?b].text"),
        ("r.c[0].segmnts[?kind=='text'].body",
         {"r": {"c": [{"segments": [{"body": "n"}, {"kind": "text", "body": "x"}]}]}},
         "nothing there; r.c[0] has: segments. "
         "Nearest: r.c[0].segments[?kind=='text'].body"),
        ("segmnts[*].body", {"segments": [{"body": "n"}]},
         "nothing there; the answer has: segments. Nearest: segments[*].body"),
        ("segmnts[?kind=='text'].body", {"segments": [{"kind": "note", "body": "n"}]},
         "nothing there; the answer has: segments"),
        ("a[?b].text", {"a": {"text": "x"}}, "nothing there; a has: text"),
        ("@", "x", "nothing there; the answer is text"),
        ("x", {f"k{n}": n for n in range(14)},
         "nothing there; the answer has: k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11 "
         "and 2 more"),
    ],
)  # fmt: skip
def test_nothing_there_is_said_with_what_is(path: str, data: Any, told: str) -> None:
    """How far a path leads, what stands there, and the nearest paths are told."""
    assert missing(path, [data]) == told


def test_a_deep_answer_ends_the_search() -> None:
    """An answer as deep as a joke is not searched to its bottom."""
    deep: Any = "x"
    for _ in range(500):
        deep = {"a": deep}
    assert missing("b.a", [deep]) == "nothing there; the answer has: a"


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [("X-Api-Key", True), ("Cookie", True), ("apiKey", True), ("client.secret", True),
     ("Authorization", True), ("Proxy-Authorization", True), ("Set-Cookie", True),
     ("X-ApiKey", True), ("X-APIKey", True), ("api-key", True), ("X-Team", False),
     ("max_tokens", False), ("monkey", False)],
)  # fmt: skip
def test_a_secret_is_known_by_its_last_word(name: str, is_secret: bool) -> None:
    """A name ends in key, token, secret or password, however its words are joined."""
    assert is_secret_name(name) is is_secret


def test_a_url_is_shown_without_its_secrets() -> None:
    """User, password and secret parts of the query are masked; all else stays."""
    url = without_login(f"https://me:{CANARY}@host:1/a@b?v=1&api-key={CANARY}&x=2#key")
    assert url == "https://***@host:1/a@b?v=1&api-key=***&x=2#key"


def test_a_long_text_is_cut() -> None:
    """What is cut says how much is missing."""
    assert data_text("x" * 4_010, str).endswith("x\n... and 10 more characters")
