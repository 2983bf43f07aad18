"""Request templates: values are put in as they are, and what has no value is left out."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from war_rig.errors import BadRequestError
from war_rig.providers import Message
from war_rig.providers.http.messages import Shape, shape
from war_rig.providers.http.request import RequestTemplate, request_template
from war_rig.providers.http.section import Section
from war_rig.providers.http.template import NOTHING, Placeholders, laid_over, template, url_template

OF_CALL = ("model", "messages", "system", "temperature", "parameters")

TEXT = st.text() | st.sampled_from(["$model", "$$", "${HOME}", "...", "$parameters", "\ud800"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def filled(source: Any, fixed: Mapping[str, Any] | None = None, **values: Any) -> Any:
    """Return *source* with values put in; there must be nothing wrong with it."""
    place = Section(source)
    made = template(place, Placeholders(OF_CALL, fixed or {})).fill(values)
    assert place.faults == []
    return made


def faults(source: Any, *of_call: str) -> list[tuple[Any, str]]:
    place = Section(source)
    template(place, Placeholders(of_call, {"region": "eu"}))
    return place.faults


def test_a_placeholder_alone_takes_the_value_with_its_type() -> None:
    """A text that is exactly a placeholder becomes the value; within a text it is spelt."""
    values = {"model": "m-1", "temperature": 0.5, "messages": [{"a": 1}]}
    source = {
        "name": "$model",
        "heat": "$temperature",
        "turns": "$messages",
        "told": "$model at $temperature of $messages",
        "list": ["$model", 7, None],
        "as it is": {"n": 1, "flag": True, "none": None, "empty": {}, "nothing": [], "text": ""},
    }
    assert filled(source, **values) == {
        "name": "m-1",
        "heat": 0.5,
        "turns": [{"a": 1}],
        "told": 'm-1 at 0.5 of [{"a": 1}]',
        "list": ["m-1", 7, None],
        "as it is": {"n": 1, "flag": True, "none": None, "empty": {}, "nothing": [], "text": ""},
    }


def test_two_dollars_are_one() -> None:
    """``$$`` is a dollar, wherever it stands."""
    assert filled(["$$", "$$model", "a $$5 b", "$$$model", "$$$$"], model="m") == [
        "$", "$model", "a $5 b", "$m", "$$",
    ]  # fmt: skip


def test_what_has_no_value_is_left_out_and_what_is_empty_by_that_too() -> None:
    """A key without value goes, and so do the maps and lists that nothing is left of."""
    source = {
        "heat": "$temperature",
        "told": "at $temperature",
        "config": {"heat": "$temperature"},
        "system": {"parts": [{"text": "$system"}]},
        "model": "$model",
    }
    assert filled(source, model="m") == {"model": "m"}
    assert filled({"heat": "$temperature"}) is NOTHING
    assert filled(["$system", {"a": "$system"}, 1]) == [1]
    assert filled({"a": 0, "b": "", "c": False}, temperature=0) == {"a": 0, "b": "", "c": False}


def test_parameters_with_a_value_of_their_own_are_put_in_once() -> None:
    """A fixed parameter is a constant of the template; one without value is left out."""
    source = {"where": "$region", "told": "in $region", "none": "$unset", "both": "$unset$region"}
    fixed = {"region": "eu", "unset": NOTHING}
    place = Section(source)
    made = template(place, Placeholders(OF_CALL, fixed))
    assert made.placeholders == frozenset()
    assert made.fill({}) is made.fill({})
    assert made.fill({}) == {"where": "eu", "told": "in eu"}
    assert filled(["$unset"], fixed) is NOTHING
    assert filled({"n": "$size"}, {"size": 5}) == {"n": 5}


def test_three_dots_bring_in_all_other_parameters() -> None:
    """``...`` merges the rest of the keywords: maps into maps, over what is written."""
    source = {"model": "$model", "options": {"seed": 1, "heat": 2}, "...": "$parameters"}
    assert filled(source, model="m") == {"model": "m", "options": {"seed": 1, "heat": 2}}
    given_too = {"options": {"heat": 3, "k": [4]}, "top_p": 0.1, "model": "other"}
    assert filled(source, model="m", parameters=given_too) == {
        "model": "other", "options": {"seed": 1, "heat": 3, "k": [4]}, "top_p": 0.1,
    }  # fmt: skip
    assert source["options"] == {"seed": 1, "heat": 2}
    assert filled({"...": "$parameters"}) is NOTHING
    assert filled({"...": "$parameters"}, parameters={"a": 1}) == {"a": 1}
    assert filled({"extra": "$parameters"}, parameters={"a": 1}) == {"extra": {"a": 1}}


def test_what_is_used_is_known() -> None:
    """A template says which values of the call it uses, so that none is dropped in silence."""
    place = Section({"a": ["$model", {"b": "x $system"}], "...": "$parameters", "c": "$region"})
    made = template(place, Placeholders(OF_CALL, {"region": "eu"}))
    assert made.placeholders == {"model", "system", "parameters"}
    assert made.fill({"model": "m"}) == {"a": ["m"], "c": "eu"}


@given(value=JSON, text=TEXT)
def test_a_value_goes_through_unchanged(value: Any, text: str) -> None:
    """Whatever a value is, it arrives as it is; what looks like a placeholder in it stays."""
    assert filled({"a": ["$messages"]}, messages=value, model="m") == {"a": [value]}
    assert filled("$system/$model", system=text, model="m") == f"{text}/m"


@given(text=TEXT)
def test_any_text_can_be_written_with_its_dollars_doubled(text: str) -> None:
    """There is no text that a template could not hold."""
    assert filled({"a": text.replace("$", "$$")}) == {"a": text}


@given(base=st.dictionaries(st.text(), JSON), over=st.dictionaries(st.text(), JSON))
def test_laying_over_keeps_what_is_not_covered(base: dict[str, Any], over: dict[str, Any]) -> None:
    """Every key is there, the upper one's value where it is no map."""
    before = json.dumps([base, over])
    made = laid_over(base, over)
    assert made.keys() == base.keys() | over.keys()
    assert all(made[k] == v for k, v in base.items() if k not in over)
    assert all(made[k] == v for k, v in over.items() if not isinstance(v, dict))
    assert laid_over(made, over) == made
    assert json.dumps([base, over]) == before


def test_a_dollar_that_means_nothing_is_a_fault_with_a_hint() -> None:
    """A slip is shown with the nearest name; anything else may be a key, and is not shown."""
    known = "Known here: $model, $region; a plain '$' is written '$$'"
    assert faults({"a": ["$modle"]}, "model") == [
        (("a", 0), f"has '$modle', which is no placeholder. Did you mean '$model'? {known}")
    ]
    assert faults({"a": "sk$1234", "b": "pa$word"}, "model") == [
        (("a",), f"has a '$' that names no placeholder. {known}"),
        (("b",), f"has a '$' that names no placeholder. {known}"),
    ]
    place = Section("$x")
    template(place, Placeholders(()))
    assert place.faults == [
        ((), "has '$x', which is no placeholder. Known here: none; a plain '$' is written '$$'")
    ]
    assert faults({"tenant": "$ACME_TENANT", "api_key": "$ACME_KEY"}, "model") == [
        (("tenant",), "has '$ACME_TENANT', which is no placeholder. "
         f"A variable of the environment is written '${{ACME_TENANT}}'. {known}"),
        (("api_key",), f"has a '$' that names no placeholder. {known}"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["$model", {"a": 1}, None])
def test_three_dots_take_nothing_but_the_parameters(value: Any) -> None:
    """``...`` is for the keywords of the call only."""
    assert faults({"...": value}, "model", "parameters") == [
        (("...",), "takes $parameters and nothing else, within a request")
    ]
    assert faults({"...": "$parameters"}, "model") == [
        (("...",), "takes $parameters and nothing else, within a request")
    ]


def url(source: str, fixed: Mapping[str, Any] | None = None, **values: Any) -> Any:
    place = Section(source)
    made = url_template(place, Placeholders(("model",), fixed or {})).fill(values)
    assert place.faults == []
    return made


def test_a_url_takes_its_beginning_as_it_is_and_the_rest_as_steps() -> None:
    """A base URL is put in as it is, a model's name so that it stays one step of the path."""
    made = url("$base/v1/$model:ask", {"base": "http://h:1/x?"}, model="a/b c?d#e$f")
    assert made == "http://h:1/x?/v1/a%2Fb%20c%3Fd%23e%24f:ask"
    assert url("https://$host/$model", {"host": "h.example"}, model=5) == "https://h.example/5"
    assert url("$port", {"port": 5}) == "5"
    assert url("$base/v1", {"base": "http://h/x//"}) == "http://h/x/v1"
    assert url("$base", {"base": "http://h"}) == "http://h"
    assert url("http://h/$base", {"base": NOTHING}) is NOTHING


@pytest.mark.parametrize("model", [".", ".."])
def test_a_step_that_means_another_place_is_refused(model: str) -> None:
    """A model can't be called what every URL's reader resolves away."""
    with pytest.raises(BadRequestError) as failure:
        url("http://h/v1/$model/ask", model=model)
    assert str(failure.value) == f"was not asked: '{model}' can't be a step of a URL"


@given(
    model=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda model: model not in (".", "..")
    )
)
def test_no_model_can_leave_its_step_of_the_url(model: str) -> None:
    """Whatever a model is called, host, query and the other steps stay as they are written."""
    found = urlsplit(url("http://h/v1/$model/ask", model=model))
    assert (found.netloc, found.query, found.fragment) == ("h", "", "")
    before, step, after = found.path[1:].split("/")
    assert (before, unquote(step), after) == ("v1", model, "ask")


CHAT = [Message("system", "Be brief."), Message("user", "Hi $model"), Message("assistant", "Yo")]


def shaped(**declared: Any) -> Shape:
    place = Section(declared)
    made = shape(place)
    assert place.faults == []
    return made


def test_messages_are_maps_of_role_and_content_unless_declared() -> None:
    """Without a word the common shape is used, with the roles as War Rig has them."""
    assert shaped().written(CHAT) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi $model"},
        {"role": "assistant", "content": "Yo"},
    ]


def test_each_message_takes_the_declared_shape_and_role() -> None:
    """Names, depth and roles are the API's; a role that is not mapped stays."""
    parts = shaped(
        each={"role": "$role", "parts": [{"text": "$content"}]}, roles={"assistant": "model"}
    )
    assert parts.written(CHAT[1:]) == [
        {"role": "user", "parts": [{"text": "Hi $model"}]},
        {"role": "model", "parts": [{"text": "Yo"}]},
    ]
    assert shaped(each={"who": "$role", "text": "$content"}).written(CHAT[1:2]) == [
        {"who": "user", "text": "Hi $model"}
    ]
    assert shaped().written([]) == []
    assert shaped(roles={"user": None}).written(CHAT[1:2])[0]["role"] == "user"


def test_a_text_for_each_makes_one_prompt() -> None:
    """Where 'each' is a text, the messages are one text."""
    prompt = shaped(each="$role: $content", roles={"assistant": "bot"})
    assert prompt.written(CHAT) == "system: Be brief.\n\nuser: Hi $model\n\nbot: Yo"
    assert shaped(each="$content", between="|").written(CHAT) == "Be brief.|Hi $model|Yo"
    assert shaped(each="[$role] $$ $content", between="").written(CHAT[1:2]) == "[user] $ Hi $model"


@given(role=st.text(), text=TEXT)
def test_any_message_goes_through_unchanged(role: str, text: str) -> None:
    """No text of a message is changed or expanded, in any shape."""
    messages = [Message(role, text), Message("user", text)]
    assert [m["content"] for m in shaped().written(messages)] == [text, text]
    assert shaped(each="$content", between="\0").written(messages) == f"{text}\0{text}"
    assert shaped(each={"a": [{"b": "$content"}]}).written(messages)[0] == {"a": [{"b": text}]}


@pytest.mark.parametrize(
    ("declared", "faults"),
    [
        ({"each": 5}, [
            (("each",), "must be a map or a text"),
            (("each",), "does not use $content, the text of the message"),
        ]),
        ({"each": {"role": "$role"}}, [
            (("each",), "does not use $content, the text of the message")
        ]),
        ({"each": {"role": "$rolle", "text": "$content"}}, [
            (("each", "role"), "has '$rolle', which is no placeholder. Did you mean '$role'? "
             "Known here: $role, $content; a plain '$' is written '$$'")
        ]),
        ({"between": "x"}, [
            (("between",), "is for one prompt only, where 'each' is a text")
        ]),
        ({"roles": {"assistant": 5}}, [
            (("roles", "assistant"), "must be text: put it in quotes")
        ]),
        ({"roles": {"usr": "human", 1: "x", "system": None}}, [
            (("roles", "usr"), "is no role of a message. Did you mean 'user'? "
             "Known: system, user, assistant"),
            (("roles", 1), "is no role of a message. Known: system, user, assistant"),
        ]),
        ({"roles": "bot", "rolls": {}}, [
            (("roles",), "must be a map"),
            (("rolls",), "is no key here. Did you mean 'roles'? Known: between, each, roles"),
        ]),
    ],
)  # fmt: skip
def test_a_shape_that_is_none_is_a_fault(declared: Any, faults: Any) -> None:
    """What can't be a shape is told with its place."""
    place = Section(declared)
    shape(place)
    assert place.faults == faults


DECLARED = {
    "url": "$base/$model",
    "headers": {"X-Model": "$model", "X-Where": "$region", "X-None": "$unset", "X-Heat": 1},
    "query": {"v": "2026-01-01", "heat": "$temperature", "n": 5, "flag": True, "nothing": None},
    "request": {"messages": "$messages", "...": "$parameters"},
}
FIXED = {"base": "http://h.example", "region": "eu", "unset": NOTHING}


def request(**changes: Any) -> RequestTemplate:
    place = Section({**DECLARED, **changes})
    made = request_template(place, FIXED)
    assert place.faults == []
    return made


def test_a_request_has_its_url_headers_query_and_body() -> None:
    """All parts are templates; numbers and truths in a query are spelt as in JSON."""
    made = request().request({"model": "m-1", "messages": ["ä"], "temperature": 0.5})
    assert (made.method, made.url) == ("POST", "http://h.example/m-1")
    assert dict(made.headers) == {
        "Content-Type": "application/json", "X-Model": "m-1", "X-Where": "eu", "X-Heat": "1",
    }  # fmt: skip
    assert list(made.query) == [
        ("v", "2026-01-01"), ("n", "5"), ("flag", "true"), ("heat", "0.5"),
    ]  # fmt: skip
    assert json.loads(made.body) == {"messages": ["ä"]}
    assert request().placeholders == {"model", "temperature", "messages", "parameters"}


def test_a_request_may_have_no_body_and_another_method() -> None:
    """A GET with its prompt in the query is a request too."""
    made = request(method="GET", request=None, query={"q": "$messages"}, headers=None)
    sent = made.request({"model": "m", "messages": "Hi & bye"})
    assert (sent.method, sent.body, list(sent.query)) == ("GET", b"", [("q", "Hi & bye")])
    assert request(request={"...": "$parameters"}).request({"model": "m"}).body == b"{}"


def test_a_content_type_that_is_declared_is_kept() -> None:
    """Headers of the definition beat our own, in whatever case they are written."""
    made = request(headers={"content-type": "application/vnd.house+json"})
    sent = made.request({"model": "m", "messages": []})
    assert dict(sent.headers) == {"content-type": "application/vnd.house+json"}


@given(text=st.text() | st.just("\ud800"))
def test_any_message_can_be_sent(text: str) -> None:
    """The body is JSON that holds the text as it was, half of a character included."""
    sent = request().request({"model": "m", "messages": [{"content": text}]})
    assert json.loads(sent.body)["messages"][0]["content"] == text


@pytest.mark.parametrize(
    ("model", "wrong"), [("m\r\nX-Evil: 1", "'\\r'"), ("modèle", "'è'"), ("\u20ac", "'\u20ac'")]
)
def test_a_header_can_not_be_broken_out_of(model: str, wrong: str) -> None:
    """A value of the call that a header can't hold as it is, is refused before it is sent."""
    with pytest.raises(BadRequestError) as failure:
        request().request({"model": model, "messages": []})
    assert str(failure.value) == (
        f"was not asked: the header X-Model would hold {wrong}; "
        "a header is ASCII text without line breaks"
    )


@pytest.mark.parametrize("changes", [
    {"url": "http://h/$model", "headers": {}}, {"query": {"m": "$model"}, "headers": {}},
])  # fmt: skip
def test_half_a_character_in_a_url_is_refused(changes: Any) -> None:
    """What can't be quoted is told before anything is sent."""
    with pytest.raises(BadRequestError) as failure:
        request(**changes).request({"model": "\ud800", "messages": []})
    assert str(failure.value) == (
        "was not asked: its URL would hold '\\ud800', which is no character"
    )


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_what_is_no_json_is_refused_before_it_is_sent(value: Any) -> None:
    """A parameter that JSON can't hold is the caller's mistake."""
    with pytest.raises(
        BadRequestError, match=r"^was not asked: its request can.t be written as JSON: "
    ):
        request().request({"model": "m", "messages": [], "parameters": {"a": value}})


def test_a_body_that_holds_itself_is_refused() -> None:
    """Nothing endless is written."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(BadRequestError, match="Circular reference detected"):
        request().request({"model": "m", "messages": endless})


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"url": 5}, [(("url",), "must be text: the URL of the API")]),
        ({"url": "llm.example.com/v1"}, [
            (("url",), "must begin with http:// or https:// and a host")
        ]),
        ({"url": "$region/v1"}, [(("url",), "must begin with http:// or https:// and a host")]),
        ({"url": "$port"}, [(("url",), "must begin with http:// or https:// and a host")]),
        ({"url": "https://h:abc/"}, [
            (("url",), "has a host or a port that is none: "
             "Port could not be cast to integer value as 'abc'")
        ]),
        ({"url": "https://h:70000/"}, [
            (("url",), "has a host or a port that is none: Port out of range 0-65535")
        ]),
        ({"url": "https://[zz]/"}, [
            (("url",), "has a host or a port that is none: "
             "'zz' does not appear to be an IPv4 or IPv6 address")
        ]),
        ({"url": "https://u:p@h/"}, [
            (("url",), "holds a user or a password: they belong under 'auth'")
        ]),
        ({"url": "https://h h/"}, [(("url",), "has a host that is none")]),
        ({"url": "https://:80/"}, [(("url",), "has a host that is none")]),
        ({"url": "$unset/v1"}, [(("url",), "uses a parameter that has no value")]),
        ({"url": "https://h/$messages"}, [
            (("url",), "has '$messages', which is no placeholder. "
             "Known here: $model, $base, $region, $unset, $city, $port; "
             "a plain '$' is written '$$'")
        ]),
        ({"method": "po st"}, [(("method",), "must be an HTTP method such as POST")]),
        ({"method": 5}, [(("method",), "must be text: put it in quotes")]),
        ({"headers": {"X Bad": "a", "X-Map": {}, "X-Line": "a\nb", "X-None": None,
                      "X-Team": "Zürich", "X-Mixed": "Zürich $model", "X-City": "$city"}}, [
            (("headers", "X-Map"), "must be text or a number"),
            (("headers", "X Bad"), "is not the name of a header"),
            (("headers", "X-Line"), "must be ASCII text without line breaks"),
            (("headers", "X-Team"), "must be ASCII text without line breaks"),
            (("headers", "X-Mixed"), "must be ASCII text without line breaks"),
            (("headers", "X-City"), "must be ASCII text without line breaks"),
        ]),
        ({"headers": ["X"], "query": "a=b"}, [
            (("headers",), "must be a map"), (("query",), "must be a map"),
        ]),
        ({"query": {"a": ["b"]}}, [(("query", "a"), "must be text or a number")]),
        ({"request": "$messages"}, [(("request",), "must be a map")]),
    ],
)  # fmt: skip
def test_a_request_that_is_none_is_a_fault(changes: Any, faults: Any) -> None:
    """What can't be sent is told when the definition is read, with its place."""
    place = Section({**DECLARED, **changes})
    request_template(place, {**FIXED, "city": "Zürich", "port": 5})
    assert place.faults == faults


def test_a_missing_url_is_told_by_whoever_looks_for_arguments() -> None:
    """That it is not there is no fault of what is written."""
    place = Section({"request": {}})
    request_template(place, {})
    assert place.faults == []
