"""Reads what a foreign exception tells, without ever raising: its attributes are somebody's code.

``redact`` clears a text of secrets. It comes before a text is cut or flattened,
so that no part of a secret is left.
"""

import email.utils
import json
import math
import time
from collections.abc import Callable
from typing import Any

_LONGEST_TEXT = 300

Redact = Callable[[str], str]


def said(error: BaseException, redact: Redact = str) -> str:
    """Return ``TypeName: text`` of *error* in one line of bounded length."""
    text = one_line(redact(text_of(error)))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return *text* without line breaks, control characters or more than *longest* characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def text_of(thing: object) -> str:
    """Return ``str(thing)``, nothing where that raises."""
    try:
        return str(thing)
    except Exception:  # the plugin's border: its own __str__
        return ""


def repr_of(thing: object) -> str:
    """Return ``repr(thing)``, its type's name where that raises."""
    try:
        return repr(thing)
    except Exception:  # the plugin's border: its own __repr__
        return f"<{type(thing).__name__}>"


def attribute(thing: object, *names: str) -> Any:
    """Return the first attribute of *names* that is there, None where reading it fails."""
    for name in names:
        try:
            value = getattr(thing, name, None)
        except Exception:  # the plugin's border: a property of its own
            continue
        if value is not None:
            return value
    return None


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that *error* or its response carries."""
    for holder in (error, attribute(error, "response")):
        status = attribute(holder, "status_code", "status")
        if isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599:
            return int(status)
    return None


def details_of(error: BaseException) -> str:
    """Return all that the server said, in lower case, for matching words; never shown."""
    parts = (error, attribute(error, "code"), _body(error))
    return " ".join(map(text_of, parts)).lower()


def message_of(error: BaseException, redact: Redact) -> str:
    """Return what the server says is wrong, for showing."""
    body = _body(error)
    for _ in range(3):
        if not isinstance(body, dict):
            break
        body = next((body[k] for k in ("error", "message", "detail") if body.get(k)), None)
    return one_line(redact(body)) if isinstance(body, str) and body.strip() else said(error, redact)


def retry_after_of(error: BaseException) -> float | None:
    """Return how many seconds the server asks to wait, by its headers, else by attributes."""
    waits = []
    for holder in (attribute(error, "response"), error):
        headers = attribute(holder, "headers")
        waits.append(_seconds(_header(headers, "retry-after-ms"), scale=0.001))
        waits.append(_seconds(_header(headers, "retry-after")))
    waits.append(_seconds(attribute(error, "retry_after_seconds", "retry_after")))
    return next((wait for wait in waits if wait is not None), None)


def _body(error: BaseException) -> object:
    """Return the answer's body, parsed where it is JSON, as far as the exception kept it."""
    body = attribute(error, "body")
    if body is None:
        body = attribute(attribute(error, "response"), "text")
    if isinstance(body, str):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return body
    return body


def _header(headers: object, name: str) -> object:
    for spelling in (name, name.title()):
        try:
            value = headers.get(spelling)  # type: ignore[attr-defined]
        except Exception:  # the plugin's border: its own idea of headers
            return None
        if value is not None:
            return value if isinstance(value, (int, float)) else text_of(value)
    return None


def _seconds(value: object, scale: float = 1.0) -> float | None:
    """Return *value* (a number, its text, or an HTTP date) in seconds from now, never negative."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = float(value) * scale
    except ValueError:
        seconds = _until(str(value))
    except OverflowError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str) -> float:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return math.nan
