"""JSON schemas as OpenAI's strict mode takes them, or not at all."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AnyUrl, BaseModel, Field

from war_rig.providers.strict_schema import response_format, strict


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    """A point."""

    x: int
    y: int = 0
    label: str | None = None


class Shape(BaseModel):
    points: list[Point] = []
    colour: Annotated[Colour, Field(description="Of its line")] = Colour.RED
    kind: Literal["open", "closed"] = "open"
    drawn: date
    origin: Annotated[Point, Field(description="Where it begins")]


class Nested(BaseModel):
    inner: "Nested | None" = None
    names: list[str]


class Anything(BaseModel):
    value: Any


class Counts(BaseModel):
    by_name: dict[str, int]


class Pair(BaseModel):
    both: tuple[int, str]


class Short(BaseModel):
    text: Annotated[str, Field(max_length=3)]
    code: Annotated[str, Field(pattern="^[a-z]$", description="Of the part")]


class Linked(BaseModel):
    url: AnyUrl


class Items(BaseModel):
    items: list[Any]


class Open(BaseModel, extra="allow"):
    x: int


class Empty(BaseModel):
    pass


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return every object schema in *schema*."""
    inner = schema.values() if isinstance(schema, dict) else schema
    below = [o for value in inner if isinstance(value, (dict, list)) for o in objects(value)]
    return [schema, *below] if isinstance(schema, dict) and "properties" in schema else below


@pytest.mark.parametrize("model", [Point, Shape, Nested, Empty])
def test_a_strict_schema_requires_all_and_allows_no_more(model: type[BaseModel]) -> None:
    """Every object names all of its properties as required, and no other is allowed."""
    made = strict(model.model_json_schema())
    assert made is not None
    for found in objects(made):
        assert found["required"] == list(found["properties"])
        assert found["additionalProperties"] is False
    assert '"default"' not in str(made).replace("'", '"')


def test_a_strict_schema_keeps_what_else_it_says() -> None:
    """Types, titles and descriptions stay; beside a reference nothing may stand."""
    made = strict(Shape.model_json_schema())
    assert made is not None
    assert made["$defs"]["Point"]["description"] == "A point."
    assert made["properties"]["origin"] == {"$ref": "#/$defs/Point"}
    assert made["properties"]["drawn"]["format"] == "date"
    assert made["properties"]["kind"]["enum"] == ["open", "closed"]


def test_the_given_schema_is_not_changed() -> None:
    """What is sent is another object than what the caller holds."""
    schema = Shape.model_json_schema()
    strict(schema)
    assert schema == Shape.model_json_schema()


def test_a_strict_schema_keeps_its_limits() -> None:
    """Lengths and patterns are rules that the mode knows."""
    made = strict(Short.model_json_schema())
    assert made is not None
    assert made["properties"]["text"] == {"title": "Text", "type": "string", "maxLength": 3}
    assert made["properties"]["code"]["pattern"] == "^[a-z]$"


@pytest.mark.parametrize("model", [Anything, Counts, Pair, Linked, Items, Open])
def test_what_strict_mode_can_not_hold_is_sent_as_it_is(model: type[BaseModel]) -> None:
    """A schema that the strict mode would refuse is given to the model without it."""
    schema = model.model_json_schema()
    assert strict(schema) is None
    assert response_format(schema)["json_schema"] == {
        "name": "answer",
        "schema": schema,
        "strict": False,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"x": True}},
        {"type": "array", "items": [{"type": "string"}]},
        {"type": "object", "properties": {"x": {"oneOf": [{"type": "string"}]}}},
    ],
)
def test_other_schemas_are_not_taken_for_strict(schema: dict[str, Any]) -> None:
    """A schema need not be of pydantic's making."""
    assert strict(schema) is None


def test_the_parameter_is_a_response_format() -> None:
    """The schema goes as ``response_format``, in strict mode where it can."""
    schema = Point.model_json_schema()
    assert response_format(schema) == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": strict(schema), "strict": True},
    }
