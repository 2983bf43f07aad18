"""A JSON schema in a file, for a command that is told to ask for one."""

import json
from pathlib import Path
from typing import Any, cast

from war_rig.errors import ConfigError

_SAYING = (
    "type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs",
)  # fmt: skip
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_EXAMPLE = '{"type": "object", "properties": {"city": {"type": "string"}}}'


def schema_in(file: Path) -> dict[str, Any]:
    """Return the JSON schema that *file* holds; raise ConfigError where it holds none."""
    schema = _parsed(file)
    if (fault := _fault(schema)) is not None:
        raise ConfigError(f"the schema '{file}' {fault}\n  one such as {_EXAMPLE} is wanted")
    return cast(dict[str, Any], schema)


def _parsed(file: Path) -> object:
    try:
        return json.loads(file.read_bytes(), parse_constant=_refuse)
    except OSError as error:
        failure = f"can't be read: {error.strerror}"
    except UnicodeDecodeError:
        failure = "is no JSON: it is not UTF-8"
    except json.JSONDecodeError as error:
        failure = f"is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        failure = f"is no JSON: {error}"
    raise ConfigError(f"the schema '{file}' {failure}")


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


def _fault(schema: object) -> str | None:
    """Return what keeps *schema* from being one: a file of something else, most often."""
    if not isinstance(schema, dict):
        return f"is a JSON {_called(schema)}, not a schema, which is an object"
    if schema and not any(key in schema for key in _SAYING):
        return f"is no JSON schema: it has none of {', '.join(_SAYING)}"
    types = schema.get("type", [])
    for one in types if isinstance(types, list) else [types]:
        if one not in _TYPES:
            return f"has the type {json.dumps(one)}; there are: {', '.join(_TYPES)}"
    return None


def _called(value: object) -> str:
    if isinstance(value, list):
        return "array"
    return "text" if isinstance(value, str) else "value"
