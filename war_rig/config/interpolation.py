"""``${NAME}``, ``${NAME:default}`` and ``$$`` inside a text, after the YAML is parsed."""

import re
from collections.abc import Mapping
from typing import Any

from war_rig.names import is_secret_name

_REFERENCE = re.compile(r"\$(?:\$|\{([^}]*)(\}?))")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def interpolate(
    value: Any, env: Mapping[str, str], dollar: str = "$"
) -> tuple[Any, frozenset[str]]:
    """Return *value* with the variables of its texts put in, and the names of those used.

    Maps and lists are walked. An empty variable counts as unset. *dollar* is
    what ``$$``, and any dollar in a variable, becomes: ``$$`` where the texts
    are templates, which read them once more. Raises ValueError for a variable
    that is unset and has no default, and for a reference that is not of one of
    the three forms.
    """
    used: set[str] = set()
    return _interpolated(value, env, dollar, used), frozenset(used)


def references(value: Any) -> frozenset[str]:
    """Return the names of the variables that *value* refers to, set or not."""
    if isinstance(value, dict):
        return frozenset().union(*map(references, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(references, value))
    if not isinstance(value, str):
        return frozenset()
    return frozenset(m[1].partition(":")[0] for m in _REFERENCE.finditer(value) if m[1] is not None)


def _interpolated(value: Any, env: Mapping[str, str], dollar: str, used: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(item, env, dollar, used) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(item, env, dollar, used) for item in value]
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _replacement(match, env, dollar, used), value)
    return value


def _replacement(
    match: "re.Match[str]", env: Mapping[str, str], dollar: str, used: set[str]
) -> str:
    if match[1] is None:
        return dollar
    name, colon, default = match[1].partition(":")
    if not match[2]:
        raise ValueError("has a '${' without its '}'; a plain '$' is written '$$'")
    if not _NAME.fullmatch(name):
        raise ValueError(
            "has a '${...}' that does not name a variable; a plain '$' is written '$$'"
        )
    if default[:1] in ("-", "?", "+", "="):
        raise ValueError(f"a default is written '${{{name}:default}}', without '{default[0]}'")
    used.add(name)
    if env.get(name):
        return env[name].replace("$", dollar)
    if not colon:
        raise ValueError(_unset(name))
    return default.replace("$", dollar)


def _unset(name: str) -> str:
    """Return what to do about an unset variable; a secret's default would stand in the file."""
    if is_secret_name(name):
        return f"the environment variable {name} is not set: export it"
    return (
        f"the environment variable {name} is not set and has no default: "
        f"export it, or write ${{{name}:default}}"
    )
