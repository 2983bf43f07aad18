"""How a request and an answer are shown to a person: readable, bounded, without secrets.

A header, a part of the query and a key of the body whose name says that it is
a secret are masked. All else passes ``redact``, which knows the secrets
themselves, before it is cut, so that no part of one is left.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from war_rig.names import is_secret_name
from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.http.hidden import LOGIN, QUERY_PART
from war_rig.providers.http.wire import Request
from war_rig.providers.secrets import MASK, masked

_MOST_CHARACTERS = 4_000
_LONGEST_VALUE = 160
_TELLING = ("content-type", "retry-after", "request-id", "ratelimit", "rate-limit")
_SCHEME = re.compile(r"(?:Bearer|Basic) ")


def without_login(text: str) -> str:
    """Return a URL, or any text, in which user and password and secret parts are masked."""
    return QUERY_PART.sub(_shown_part, LOGIN.sub(f"{MASK}@", text))


def request_text(
    request: Request,
    headers: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    redact: Redact,
) -> str:
    """Return *request* with the *headers* and the *query* that authenticate it, both masked."""
    parts = [*request.query, *((name, MASK) for name, _ in query)]
    url = request.url.partition("#")[0] if parts else request.url
    if parts:
        url += "&" if "?" in url else "?"
        url += urlencode(parts, safe="*", quote_via=quote)
    declared = request.headers.items()
    shown = {n.lower(): (n, MASK if is_secret_name(n) else text) for n, text in declared}
    for name, text in headers.items():
        scheme = _SCHEME.match(text)
        shown[name.lower()] = (name, f"{scheme[0] if scheme else ''}{MASK}")
    lines = [f"{request.method} {without_login(url)}"]
    lines += [f"{name}: {text}" for name, text in shown.values()]
    head = "\n".join(redact(line) for line in lines)
    body = data_text(masked(json.loads(request.body)), redact) if request.body else ""
    return f"{head}\n\n{body}".rstrip()


def head_text(
    status: int, headers: Mapping[str, str], redact: Redact, read: Sequence[str] = ()
) -> str:
    """Return the status of an answer, and those of its headers that are *read* or telling."""
    telling = [n for n in headers if n in read or any(part in n for part in _TELLING)]
    return "\n".join([str(status), *(f"{name}: {redact(headers[name])}" for name in telling)])


def data_text(data: Any, redact: Redact) -> str:
    """Return a body, parsed where it is JSON, in lines; what is too long is cut."""
    text = data if isinstance(data, str) else json.dumps(data, indent=2, ensure_ascii=False)
    text = redact(text)
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}\n... and {len(text) - _MOST_CHARACTERS} more characters"


def value_text(value: Any, redact: Redact) -> str:
    """Return a value as JSON in one short line."""
    return one_line(redact(json.dumps(value, ensure_ascii=False)), _LONGEST_VALUE)


def _shown_part(part: re.Match[str]) -> str:
    return f"{part[1]}={MASK}" if is_secret_name(part[1]) else part[0]
