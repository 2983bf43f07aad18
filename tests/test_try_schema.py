"""`war-rig providers try --schema`: how data is asked for, and what came of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import test_cli
from canary import CANARY
from loopback import answer, chat_completion, serve
from streams import DONE, FINISH, chunk, streaming
from test_cli import WarRig
from test_try import STREAM, part, tried

war_rig = test_cli.war_rig
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ROME = '{"city": "Rome"}'
STRUCTURED = "structured: {response_format: {type: json_schema, schema: $schema}}"
ASKED = "Answer with one JSON value that fits this JSON schema, and nothing else:\n"
SAYING = "type, properties, items, enum, const, anyOf, oneOf, allOf, $ref, $defs"
WANTED = '\n  one such as {"type": "object", "properties": {"city": {"type": "string"}}} is wanted'


def schema(content: Any = CITY) -> tuple[str, str]:
    """Write a schema, and return the words that name it."""
    Path("city.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return "--schema", "city.json"


def test_an_api_with_a_place_for_a_schema_is_given_it(war_rig: WarRig) -> None:
    """The request has the schema, and it is said that this is the API's own mode."""
    ran, sent = tried(war_rig, answer(chat_completion(ROME)), STRUCTURED, words=schema())
    assert (ran.code, ran.err) == (0, "")
    assert part(ran, "schema") == "native: it goes to the API itself, under 'structured'"
    assert sent[0].json["response_format"] == {"type": "json_schema", "schema": CITY}
    assert sent[0].json["messages"] == [{"role": "user", "content": "hi"}]
    assert '"response_format"' in part(ran, "request")
    assert part(ran, "result").split("\n")[-1] == "output_mode: native"
    assert json.loads(part(ran, "output")) == {"city": "Rome"}


def test_an_api_without_one_is_asked_in_words(war_rig: WarRig) -> None:
    """The schema stands at the end of the text, after which models add words of their own."""
    words = ("--system", "Be brief.", *schema())
    ran, sent = tried(war_rig, answer(chat_completion(f"Here it is: {ROME}.")), words=words)
    assert (ran.code, ran.err) == (0, "")
    assert part(ran, "schema") == (
        "prompted: it stands at the end of the text, since the definition has no 'structured'"
    )
    asked = sent[0].json["messages"]
    assert asked[0] == {"role": "system", "content": "Be brief."}
    assert asked[1]["content"].startswith(f"hi\n\n{ASKED}")
    assert part(ran, "result").split("\n")[-1] == "output_mode: prompted"
    assert json.loads(part(ran, "output")) == {"city": "Rome"}


def test_a_schema_of_a_list_is_asked_for_in_words(war_rig: WarRig) -> None:
    """An API's own mode makes objects only, so an agent asks in words, and so does this."""
    cities = {"type": "array", "items": {"type": "string"}}
    ran, sent = tried(
        war_rig, answer(chat_completion('["Rome"]')), STRUCTURED, words=schema(cities)
    )
    assert part(ran, "schema").endswith(
        "since an API's own mode makes objects only, and its type is none"
    )
    assert "response_format" not in sent[0].json
    assert json.loads(part(ran, "output")) == ["Rome"]


def test_a_stream_may_be_asked_for_data(war_rig: WarRig) -> None:
    """Both are laid over the same request."""
    respond = streaming(chunk(ROME[:5]), chunk(ROME[5:]), FINISH, DONE)
    words = ("--stream", *schema())
    ran, sent = tried(war_rig, respond, STRUCTURED, f"stream: {STREAM}", words=words)
    assert (ran.code, ran.err) == (0, "")
    assert sent[0].json["response_format"]["schema"] == CITY
    assert sent[0].json["stream"] is True
    assert part(ran, "streamed") == "2 pieces"
    assert json.loads(part(ran, "output")) == {"city": "Rome"}


def test_any_other_provider_is_asked_as_an_agent_asks_it(war_rig: WarRig) -> None:
    """OpenAI's SDK has a place of its own; what takes no schema is asked in words."""
    with serve(answer(chat_completion(ROME))) as server:
        env = {"OPENAI_API_KEY": CANARY, "OPENAI_BASE_URL": f"{server.url}/v1"}
        ran = war_rig("providers", "try", "openai", *schema(), **env)
    assert part(ran, "schema") == "native: it goes to the API itself, as the provider has it"
    assert server.requests[0].json["response_format"]["type"] == "json_schema"
    assert json.loads(part(ran, "output")) == {"city": "Rome"}
    ran = war_rig("providers", "try", "offline", *schema())
    assert part(ran, "schema").endswith("at the end of the text, since the provider takes none")
    assert f"user: hello\n\n{ASKED}" in part(ran, "asked")


def test_an_answer_without_json_is_an_error(war_rig: WarRig) -> None:
    """What came is shown, and then that it is no data, without the key in it."""
    lines = (STRUCTURED, f"auth: {{bearer: {CANARY}}}")
    body = chat_completion(f"No {CANARY}.", model=f"m-{CANARY}")
    ran, _ = tried(war_rig, answer(body), *lines, words=schema())
    assert ran.code == 1
    assert part(ran, "result").startswith("content: No ***.")
    assert ran.err == (
        "error: provider 'house' was asked for JSON, and answered with none: "
        "Expecting value: line 1 column 1 (char 0)\n"
        "  model m-***\n"
        "  choose a model that follows a JSON schema, or describe in the text what you want\n"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"type": "object",}', "is no JSON: line 1, column 19: Expecting property name enclosed "
                                "in double quotes"),
        ("", "is no JSON: line 1, column 1: Expecting value"),
        ("[1]", f"is a JSON array, not a schema, which is an object{WANTED}"),
        ('"city"', f"is a JSON text, not a schema, which is an object{WANTED}"),
        ("true", f"is a JSON value, not a schema, which is an object{WANTED}"),
        (ROME, f"is no JSON schema: it has none of {SAYING}{WANTED}"),
        ('{"type": ["string", "nil"]}', 'has the type "nil"; there are: object, array, string, '
                                        f"number, integer, boolean, null{WANTED}"),
        ('{"type": "number", "minimum": NaN}', "is no JSON: it holds NaN"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_error(war_rig: WarRig, content: str, told: str) -> None:
    """What the file holds instead is told, and nothing is sent."""
    ran, sent = tried(war_rig, answer(chat_completion()), words=schema(content))
    assert (ran.code, ran.out, sent) == (2, "", [])
    assert ran.err == f"error: the schema 'city.json' {told}\n"


def test_a_file_that_is_none_is_one_error(war_rig: WarRig) -> None:
    """A file that is not there, and one of bytes, are told as such."""
    ran = war_rig("providers", "try", "offline", "--schema", "city.json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: the schema 'city.json' can't be read: No such file or directory\n"
    Path("city.json").write_bytes(b"\xff\xfe\x00")
    ran = war_rig("providers", "try", "offline", "--schema", "city.json")
    assert ran.err == "error: the schema 'city.json' is no JSON: it is not UTF-8\n"
