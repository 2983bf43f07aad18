"""Response paths: our own getters find what JMESPath finds, and never raise."""

import sys
from typing import Any

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from war_rig.providers.http.paths import getter

ANSWER = {
    "choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}],
    "usage": {"prompt-tokens": 3, "total_tokens": 7},
    "text": "plain",
    "none": None,
}

NAMES = st.sampled_from(["a", "b", "_c1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
PLAIN = st.lists(
    NAMES.map(".{}".format) | st.integers(-2, 2).map("[{}]".format), min_size=1, max_size=4
).map(lambda steps: "a" + "".join(steps))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("text", "plain"),
        ("choices[0].delta.content", "a"),
        ("choices[-1].delta.content", "b"),
        ("usage.prompt-tokens", 3),
        ("choices", ANSWER["choices"]),
        ("none", None),
        ("nowhere", None),
        ("choices[2].delta", None),
        ("choices.delta", None),
        ("usage[0]", None),
        ("text[0]", None),
        ("text.length", None),
        ("none.deeper", None),
    ],
)
def test_a_plain_path_leads_to_a_value_or_nowhere(path: str, found: Any) -> None:
    """A plain path finds what is there; where it leads nowhere there is no value."""
    assert getter(path)(ANSWER) == found


@given(path=PLAIN, data=JSON)
def test_a_plain_path_finds_what_jmespath_finds(path: str, data: Any) -> None:
    """Our getter is JMESPath for the paths that it takes, only faster."""
    assert getter(path)(data) == jmespath.search(path, data)


EVERY_WAY = (
    "a", "a.b[0]", "a[*].b", "a[?b > `1`] | [0]", "a[?b > `1`]", "a[::0]", "a[::-1]", "a.*", "a[]",
    "a == b", "join('', a)", "sum(a)", "max(a)", "sort(a)", "sort_by(a, &b)", "max_by(a, &b)",
    "avg(a)", "ceil(a)", "to_number(a)", "to_string(a)", "length(a)", "merge(a, b)", "map(&b, a)",
)  # fmt: skip


@given(data=JSON)
@example(data={"a": [{"b": "text"}, {"b": 2}]})
@example(data={"a": [1, "two", None]})
@example(data={"a": [[]]})
@example(data={"a": float("inf")})
@example(data={"a": "inf"})
@example(data={"a": 10**400})
@example(data={"a": {"b": {}}})
def test_no_answer_makes_a_path_raise(data: Any) -> None:
    """Whatever a server sends, a path gives a value or none."""
    for path in EVERY_WAY:
        getter(path)(data)


@pytest.mark.parametrize("path", ["a[?b > `1`]", "a[::0]", "ceil(c)", "sum(a)"])
def test_what_jmespath_can_not_work_with_is_nothing(path: str) -> None:
    """An order of texts, a step of zero, an infinite number, a sum of maps: there is no value."""
    assert getter(path)({"a": [{"b": "text"}], "c": float("inf")}) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("choices[*].delta.content", ["a", "b"]),
        ("choices[?delta.content=='b'].delta.content | [0]", "b"),
        ('sum([usage.total_tokens, usage."prompt-tokens"])', 10),
        ("join('', text)", None),
    ],
)
def test_all_else_is_jmespath(path: str, found: Any) -> None:
    """What is no plain path is JMESPath; a function that can't take what is there gives nothing."""
    assert getter(path)(ANSWER) == found


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("choices[0", "Invalid jmespath expression: Incomplete expression"),
        ("a..b", "Expecting: ['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], "
         'got: dot: Parse error at column 2, token "." (DOT)'),
        ("$.a", "Bad jmespath expression: Unknown token $"),
        ("", "Invalid JMESPath expression: cannot be empty."),
    ],
)  # fmt: skip
def test_a_wrong_path_says_what_is_wrong(path: str, reason: str) -> None:
    """A path that is neither is refused with JMESPath's own reason."""
    with pytest.raises(ValueError) as failure:
        getter(path)
    assert str(failure.value) == f"is neither a path such as a[0].b nor JMESPath: {reason}"
    assert failure.value.__context__ is None


def test_a_plain_path_does_not_load_jmespath(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who needs no JMESPath does not wait for it."""
    monkeypatch.setitem(sys.modules, "jmespath", None)
    assert getter("choices[0].delta.content")(ANSWER) == "a"
    with pytest.raises(ImportError):
        getter("choices[*]")
