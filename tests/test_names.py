"""How names are compared, and which one was probably meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from war_rig.names import did_you_mean, normalise


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("openai", "openai"),
        ("OpenAI", "openai"),
        ("  house\n", "house"),
        ("my-house", "my_house"),
        ("My-House_2", "my_house_2"),
        ("a", "a"),
        ("a__b-", "a__b_"),
    ],
)
def test_a_name_is_compared_without_case_dashes_and_blanks_around_it(
    written: str, normal: str
) -> None:
    """Upper case, blanks around a name and '-' for '_' make no difference."""
    assert normalise(written) == normal


@pytest.mark.parametrize(
    "written", ["", " ", "2fast", "_house", "-house", "my house", "a.b", "haus\nx", "größe", "a/b"]
)
def test_what_is_no_name_is_refused_with_the_rule(written: str) -> None:
    """What is not letters, digits, '-' and '_' after a first letter is refused as written."""
    with pytest.raises(ValueError) as caught:
        normalise(written)
    assert str(caught.value) == (
        f"{written!r} is not a name: use letters, digits, '-' and '_', a letter first"
    )


@given(st.text() | st.from_regex(r"\A\s*[A-Za-z][A-Za-z0-9_-]*\s*\Z"))
def test_a_normalised_name_is_a_plain_identifier_and_stays_as_it_is(text: str) -> None:
    """Whatever is accepted becomes an identifier of small letters that is its own normal form."""
    try:
        normal = normalise(text)
    except ValueError:
        return
    assert re.fullmatch(r"[a-z][a-z0-9_]*", normal)
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("opnai", ["offline", "openai"], " Did you mean 'openai'?"),
        ("OPENAI", ["OpenAI"], " Did you mean 'OpenAI'?"),
        ("temprature", ["model", "temperature"], " Did you mean 'temperature'?"),
        ("zzz", ["offline", "openai"], ""),
        ("openai", [], ""),
        ("", ["openai"], ""),
    ],
)
def test_the_nearest_known_name_is_suggested(word: str, known: list[str], hint: str) -> None:
    """A slip of the keyboard gets the nearest known name, as it is written; else nothing."""
    assert did_you_mean(word, known) == hint


def test_the_known_names_may_be_read_only_once() -> None:
    """Any iterable of names will do, also one that can be walked a single time."""
    assert did_you_mean("opnai", iter(["offline", "openai"])) == " Did you mean 'openai'?"
