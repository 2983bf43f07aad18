"""Which texts of an entry are secrets, wherever they stand.

    auth                    all but what is known to be harmless
    headers, query          what has a secret's name; those of ``stream`` too
    url, proxy              one with a password, or with a secret in its query
    parameters              what goes to one of these places

Each is told as it is written and as it is sent, with parameters put in, and so is
each parameter that is in it: any of them can be shown, or echoed, by itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from war_rig.names import is_secret_name
from war_rig.providers.http.template import DOLLAR, as_text

HARMLESS = (
    "name", "user", "token_url", "client_id", "scope", "secret_in", "header", "prefix", "file",
    "command",
)  # fmt: skip
"""The keys under ``auth`` whose values are no secrets."""

LOGIN = re.compile(r"(?<=//)[^/?#]*@")
QUERY_PART = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]*)")
_PLAIN = (str, int, float)

_Texts = Mapping[str, str]


def secrets(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts among *arguments* that are keys, besides those that their names give away."""
    declared = _map(arguments.get("parameters"))
    texts = {str(n): as_text(v) if isinstance(v, _PLAIN) else "" for n, v in declared.items()}
    found = [*_of_auth(arguments.get("auth"), texts)]
    for part in (arguments, _map(arguments.get("stream"))):
        for place in ("headers", "query"):
            found += _of_pairs(_map(part.get(place)), texts)
        for place in ("url", "proxy"):
            found += _of_address(part.get(place), texts)
    yield from filter(None, dict.fromkeys(found))


def _map(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _of_auth(auth: Any, parameters: _Texts, key: str = "") -> Iterator[str]:
    """Yield all that is no harmless key's; only a text that is exactly a parameter is one."""
    if key in HARMLESS and not isinstance(auth, Mapping):
        return
    if isinstance(auth, Mapping):
        for name, value in auth.items():
            yield from _of_auth(value, parameters, str(name))
    elif isinstance(auth, (list, tuple)):
        for value in auth:
            yield from _of_auth(value, parameters)
    elif isinstance(auth, str) and auth != "none":
        yield parameters.get(auth[1:], auth) if auth[:1] == "$" else auth


def _of_pairs(pairs: Mapping[Any, Any], parameters: _Texts) -> Iterator[str]:
    for name, value in pairs.items():
        if is_secret_name(str(name)) and isinstance(value, _PLAIN):
            yield from _sent(as_text(value), parameters)


def _sent(text: str, parameters: _Texts) -> Iterator[str]:
    """Yield *text* in all its forms; its last word is what follows ``Bearer``."""
    yield from (parameters[name] for name in _placeholders(text) if name in parameters)
    if not _is_placeholder(text):
        filled = _filled(text, parameters)
        yield from (text, filled, filled.rpartition(" ")[2])


def _of_address(written: Any, parameters: _Texts) -> Iterator[str]:
    if not isinstance(written, str):
        return
    address = _filled(written, parameters)
    secret = [part[2] for part in QUERY_PART.finditer(written) if is_secret_name(part[1])]
    login = LOGIN.search(address)
    for text in secret:
        yield from _sent(text, parameters)
    if login:
        yield from _password(login[0][:-1].rpartition(":")[2])
        yield from (parameters[name] for name in _placeholders(written) if name in parameters)
    if login or not all(map(_is_placeholder, secret)):
        yield from (written, address)


def _placeholders(text: str) -> list[str]:
    """Return the names of the placeholders in *text*, whatever they stand for."""
    return [found[2] for found in DOLLAR.finditer(text) if found[2]]


def _filled(text: str, values: _Texts) -> str:
    """Return *text* with the *values* that are known put in, all else as it is written."""
    return DOLLAR.sub(lambda m: "$" if m[1] else values.get(m[2] or "", m[0]), text)


def _is_placeholder(text: str) -> bool:
    """Return whether no part of *text* is its own."""
    return [text] == [f"${name}" for name in _placeholders(text)]


def _password(written: str) -> tuple[str, str]:
    return written, unquote(written)
