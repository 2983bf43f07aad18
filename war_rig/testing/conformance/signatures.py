"""Whether a method can take what War Rig passes, and how its ``def`` line should read."""

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from war_rig.providers.foreign import repr_of

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
    """Return the ``def`` line of *method* with what it lacks to take what War Rig passes."""
    name = getattr(method, "__name__", "complete")
    try:
        signature = inspect.signature(method)
    except (ValueError, TypeError):
        signature = inspect.Signature()
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(signature.parameters.values())
    if parameters[:1] and parameters[0].kind is inspect.Parameter.POSITIONAL_ONLY:
        own = own.replace(kind=inspect.Parameter.POSITIONAL_ONLY)
    written = [own, *map(_written, _completed(parameters))]
    returned = _annotation(signature.return_annotation)
    whole = signature.replace(parameters=written, return_annotation=returned)
    return f"async def {name}{whole}:"


def _completed(parameters: list[inspect.Parameter]) -> Iterator[inspect.Parameter]:
    """Yield *parameters* with one for the messages, a default for each other, and one for rest."""
    names = {p.name for p in parameters}
    if not parameters or parameters[0].kind not in (*_POSITIONAL, inspect.Parameter.VAR_POSITIONAL):
        yield inspect.Parameter("messages", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = [p for p in parameters if p.name != "messages"]
    else:
        yield parameters[0]
        parameters = parameters[1:]
    for p in parameters:
        if p.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY):
            kind = max(p.kind, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            p = p.replace(kind=kind, default=None if p.default is _ANY else p.default)
        yield p
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        free = next(name for name in ("kwargs", "parameters", "others") if name not in names)
        yield inspect.Parameter(free, inspect.Parameter.VAR_KEYWORD)


class _Written:
    """Is shown in a signature as *text*."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _written(p: inspect.Parameter) -> inspect.Parameter:
    """Return *p* as a ``def`` line can have it: ``...`` for a default that is no literal."""
    default = p.default
    if default is not _ANY:
        default = _Written(repr_of(default) if _is_literal(repr_of(default)) else "...")
    return p.replace(annotation=_annotation(p.annotation), default=default)


def _annotation(annotation: Any) -> Any:
    """Return *annotation* so that it is shown as it was written, nothing where it is no Python."""
    if annotation is _ANY:
        return _ANY
    is_text = isinstance(annotation, str)
    try:
        text = annotation if is_text else inspect.formatannotation(annotation)
        ast.parse(text, mode="eval")
    except Exception:  # the plugin's border: its repr may raise, or be no Python
        return _ANY
    return _Written(text)


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True
