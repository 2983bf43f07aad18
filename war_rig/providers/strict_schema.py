"""A JSON schema as OpenAI's strict mode takes it, in which an answer can't but fit.

That mode knows a part of JSON schema only: every property is required, no other
is allowed, and few keywords are known. Limits of length stay in the schema: the
servers that constrain a small model need them. Source: the guide "Structured
model outputs" of OpenAI's API documentation, "Supported schemas".
"""

from typing import Any

_KEYWORDS = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "$ref", "$defs", "title", "description", "format", "pattern", "minLength", "maxLength",
    "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems",
    "maxItems",
})  # fmt: skip
_FORMATS = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
})  # fmt: skip


def response_format(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter that asks for *schema*, in strict mode where that can hold it."""
    exact = strict(schema)
    wanted = {"name": "answer", "schema": exact or schema, "strict": exact is not None}
    return {"type": "json_schema", "json_schema": wanted}


def strict(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return *schema* with every property required, None where strict mode can't hold it."""
    try:
        return _strict(schema)
    except _NotStrictError:
        return None


class _NotStrictError(Exception):
    pass


def _strict(schema: Any) -> dict[str, Any]:
    """Return the schema without defaults, which mean nothing where all is required."""
    if not isinstance(schema, dict):  # true and false are schemas too
        raise _NotStrictError
    made = {name: value for name, value in schema.items() if name != "default"}
    if "$ref" in made:  # nothing else may stand beside it
        made = {"$ref": made["$ref"], **({"$defs": made["$defs"]} if "$defs" in made else {})}
    _refuse_unknown(made)
    for name in ("properties", "$defs"):
        if name in made:
            made[name] = {key: _strict(inner) for key, inner in made[name].items()}
    if "items" in made:
        made["items"] = _strict(made["items"])
    if "anyOf" in made:
        made["anyOf"] = [_strict(inner) for inner in made["anyOf"]]
    if made.get("type") == "object":
        made |= {"required": list(made["properties"]), "additionalProperties": False}
    return made


def _refuse_unknown(schema: dict[str, Any]) -> None:
    is_open = schema.get("type") == "object" and (
        "properties" not in schema or schema.get("additionalProperties", False) is not False
    )
    is_known = schema.get("format") in {None, *_FORMATS} and schema.keys() <= _KEYWORDS
    is_any = not schema.keys() & {"type", "anyOf", "$ref", "enum", "const"}
    if is_open or is_any or not is_known or isinstance(schema.get("items"), list):
        raise _NotStrictError
