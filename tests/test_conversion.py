"""How text becomes what the constructor's annotation asks for."""

from pathlib import Path
from typing import Annotated, Any, Optional

import pytest
from canary import CANARY, leaks
from houses import FOLDER, Kept, kept, plan, taking

from war_rig.errors import ConfigError
from war_rig.providers import (
    create_provider,
    register_provider,
)

CONVERTED: list[tuple[Any, Any, Any]] = [
    (str, "5", "5"),
    (int, " 5 ", 5),
    (int, 5, 5),
    (float, "0.5", 0.5),
    (float, 5, 5),
    (bool, "True", True),
    (bool, " on ", True),
    (bool, "yes", True),
    (bool, "1", True),
    (bool, "no", False),
    (bool, "off", False),
    (bool, "0", False),
    (bool, "false", False),
    (bool, False, False),
    (Path, "a/b", FOLDER / "a/b"),
    (Path, "~/a", Path.home() / "a"),
    (Optional[int], "5", 5),  # noqa: UP045 - the old spelling must work too
    (int | None, "5", 5),
    (int | bool, "yes", True),
    (int | float, "0.5", 0.5),
    (str | None, "5", "5"),
    (bool | float, 5, 5),
    (str | float, 5, 5),
    (Path | float, 5, 5),
    (list[str], "a,b", "a,b"),
    (Any, "5", "5"),
    (int | list[int], "5", "5"),
    (None, "5", "5"),
    ("int", "5", 5),
    ("int | None", "5", 5),
    ("Optional[Path]", "a", FOLDER / "a"),
    ("NotThere", "5", "5"),
    ({"a": "note"}, "5", "5"),
    (Annotated[int, {"gt": 0}], 5, 5),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), CONVERTED, ids=str)
def test_an_argument_becomes_what_the_annotation_asks_for(
    annotation: Any, value: Any, expected: Any
) -> None:
    """Text is converted to plain types; what has the right type already is passed as it is."""
    got = kept(taking(annotation), value=value)["value"]
    assert (got, type(got)) == (expected, type(expected))


FUTURE = """
from __future__ import annotations
from pathlib import Path
from typing import TYPE_CHECKING, Any
if TYPE_CHECKING:
    from acme import Region

class House:
    default_model = "m"

    def __init__(self, path: Path, depth: int | None = None, region: Region = "eu") -> None:
        self.kept = {"path": path, "depth": depth, "region": region}

    async def complete(self, messages: list[Any], **kwargs: Any) -> None: ...
"""


def test_annotations_that_are_text_mean_the_same() -> None:
    """`from __future__ import annotations`, and names for a type checker only, are understood."""
    module: dict[str, Any] = {"__name__": "acme_llm"}
    exec(compile(FUTURE, "acme_llm.py", "exec", dont_inherit=True), module)
    env = {"HOUSE_PATH": "a", "HOUSE_DEPTH": "3", "HOUSE_REGION": "us"}
    assert kept(module["House"], env) == {"path": Path("a"), "depth": 3, "region": "us"}


WRONG: list[tuple[Any, Any, str]] = [
    (str, 5, "text: put it in quotes"),
    (str, ["a"], "text: put it in quotes"),
    (int, "five", "a whole number"),
    (int, 5.0, "a whole number"),
    (int, True, "a whole number"),
    (float, "much", "a number"),
    (float, True, "a number"),
    (bool, "perhaps", "true or false"),
    (bool, 1, "true or false"),
    (Path, 5, "a path"),
    (Path, "~nobody-of-that-name/a", "a path"),
    (int | None, "five", "a whole number"),
    (int | bool, "perhaps", "a whole number or true or false"),
    (int | float, "much", "a whole number or a number"),
]


@pytest.mark.parametrize(("annotation", "value", "wanted"), WRONG, ids=str)
def test_a_wrong_value_is_an_error_that_says_what_is_wanted(
    annotation: Any, value: Any, wanted: str
) -> None:
    """A value that can't be converted names the provider, the parameter and the place."""
    with pytest.raises(ConfigError) as caught:
        plan(taking(annotation), value=value)
    expected = f"provider 'house': value must be {wanted}\n  set by: my.yaml:1"
    assert str(caught.value) == expected


def test_a_wrong_variable_is_named_and_its_value_is_not() -> None:
    """The error of a value from the environment names the variable, and does not show it."""

    def house(api_key: int) -> Kept:
        return Kept(api_key=api_key)

    with pytest.raises(ConfigError) as caught:
        plan(house, {"HOUSE_API_KEY": CANARY})
    assert str(caught.value) == (
        "provider 'house': api_key must be a whole number\n  set by: environment HOUSE_API_KEY"
    )
    assert leaks(caught.value) == []


def test_code_may_pass_what_it_likes() -> None:
    """create_provider converts text, and passes any other object as it is."""
    register_provider("house", taking(int))
    made: Any = create_provider("house", value="5")
    assert made.kept == {"value": 5}
    made = create_provider("house", value=[5])
    assert made.kept == {"value": [5]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("a.gguf", "/models/a.gguf"), ("/other/a.gguf", "/other/a.gguf"), ("~/a", Path.home() / "a")],
)
def test_a_relative_path_starts_at_the_file_that_names_it(given: str, expected: str) -> None:
    """A Path of a file in /models is relative to /models; a str is passed as written."""
    assert kept(taking(Path), value=given) == {"value": Path(expected)}
    assert kept(taking(str), value=given) == {"value": given}
    assert kept(taking(Path), {"HOUSE_VALUE": given}) == {"value": Path(given).expanduser()}
