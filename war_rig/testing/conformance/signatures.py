"""Whether a method can take what War Rig passes, and how its ``def`` line should read."""

import inspect
from typing import Any

_ANY = inspect.Parameter.empty
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def faults(method: Any) -> list[str]:
    """Return what is wrong with the parameters of *method*, a bound one; nothing if all is well."""
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (ValueError, TypeError):  # written in C, it tells none
        return []
    found = []
    if not parameters or parameters[0].kind not in (*_POSITIONAL, inspect.Parameter.VAR_POSITIONAL):
        found.append("nothing takes the messages, which are passed by position")
    for p in parameters[1:]:
        if p.kind is inspect.Parameter.POSITIONAL_ONLY:
            found.append(f"'{p.name}' can't be passed by keyword")
        elif p.kind in _BY_KEYWORD and p.default is _ANY:
            found.append(f"'{p.name}' has no default, and War Rig knows nothing of it")
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        found.append("other keywords, such as max_tokens, are not taken")
    return found


def takes_messages(method: Any) -> bool:
    """Return whether *method* can be called with the messages alone."""
    try:
        inspect.signature(method).bind([])
    except ValueError:  # written in C, it tells nothing
        return True
    except TypeError:
        return False
    return True


def definition(method: Any, *, is_async: bool) -> str:
    """Return the ``def`` line of *method* as it is, or as well as it can be told."""
    name = getattr(method, "__name__", "complete")
    try:
        parameters = str(inspect.signature(method, eval_str=False))
    except (ValueError, TypeError):
        parameters = "(...)"
    inner = parameters[1 : parameters.rindex(")")] if parameters.endswith(")") else parameters[1:]
    inner = inner.partition(") ->")[0]
    separator = ", " if inner else ""
    return f"{'async ' if is_async else ''}def {name}(self{separator}{inner}):"


def corrected(method: Any) -> str:
    """Return the ``def`` line that takes what War Rig passes, and what *method* takes today."""
    parameters = list(inspect.signature(method).parameters.values())
    kept = [p for p in parameters[1:] if p.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY)]
    own = ["messages", "model=None", "temperature=None"]
    own += [
        f"{p.name}={'None' if p.default is _ANY else repr(p.default)}"
        for p in kept
        if p.name not in ("messages", "model", "temperature")
    ]
    rest = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), "kwargs")
    name = getattr(method, "__name__", "complete")
    return f"async def {name}(self, {', '.join(own)}, **{rest}):"
