"""Authentication as it is declared: where an API wants its key, and where that key comes from.

    none
    {bearer: KEY}
    {header: {name: X-Key, value: KEY}}
    {query: {name: key, value: KEY}}
    {basic: {user: NAME, password: KEY}}
    {oauth2: {token_url: URL, client_id: ID, client_secret: KEY, scope: TEXT,
              parameters: {audience: TEXT}, secret_in: header or body,
              header: X-Ticket, prefix: "Ticket "}}

KEY is a text, ``{file: PATH}`` or ``{command: [PROGRAM, ARGUMENT, ...]}``. Of
``oauth2`` the last five can be left out: its token is a bearer's, in Authorization.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from war_rig.errors import ConfigError
from war_rig.names import did_you_mean
from war_rig.providers.http.addresses import address_fault
from war_rig.providers.http.keys import Ask, Command, FetchedKey, FileKey, GivenKey, Key, basic
from war_rig.providers.http.oauth2 import ClientCredentials

Fault = tuple[tuple[str | int, ...], str]
"""Where in the declared map something is wrong, and what."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What authenticates one request."""

    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)


class Auth:
    """Authenticates requests: a place for a key, and the key."""

    def __init__(self, place: Callable[[str], Credentials], key: Key) -> None:
        self._place = place
        self._key = key
        self._credentials = Credentials()

    async def credentials(self, ask: Ask) -> Credentials:
        """Return what the next request is to carry; *ask* sends what it takes to get it."""
        key = await self._key.read(ask)
        if key != self._credentials.key:
            self._credentials = self._place(key)
        return self._credentials

    async def renewed(self, refused: Credentials, ask: Ask) -> Credentials | None:
        """Return other credentials than those that a 401 refused, None where there are none."""
        return await self.credentials(ask) if await self.has_other(refused.key, ask) else None

    async def has_other(self, refused: str, ask: Ask) -> bool:
        """Get the key anew; return whether it is another than the *refused* one."""
        self._key.forget(refused)
        return await self._key.read(ask) != refused

    def secrets(self) -> set[str]:
        """Return every text that must not be shown, as far as it is known by now."""
        values = {value.rpartition(" ")[2] for value in self._credentials.headers.values()}
        return {secret for secret in self._key.secrets() | values if secret}

    async def aclose(self) -> None:
        """Give up getting the key, where that is under way."""
        await self._key.aclose()


def auth(declared: Mapping[str, object] | str | None) -> Auth:
    """Return the Auth for a declared map; raise ConfigError where it is not as it must be."""
    if faults := auth_faults(declared):
        lines = [f"{'.'.join(map(str, ('auth', *path)))}: {text}" for path, text in faults]
        raise ConfigError("\n".join(lines))
    if not isinstance(declared, Mapping):
        return Auth(lambda key: Credentials(), GivenKey(""))
    ((kind, value),) = declared.items()
    return _KINDS[kind][1](value)


def auth_faults(declared: object) -> list[Fault]:
    """Return all that is wrong with a declared map: the path of each key, and what it must be."""
    if declared is None or declared == "none":
        return []
    if not isinstance(declared, Mapping) or len(declared) != 1:
        return [((), f"must be none, or a map with one of: {', '.join(_KINDS)}")]
    ((kind, value),) = declared.items()
    if kind not in _KINDS:
        text = f"is not known; there are: {', '.join(_KINDS)}.{did_you_mean(str(kind), _KINDS)}"
        return [((kind,), text)]
    return [((kind, *path), text) for path, text in _KINDS[kind][0](value)]


_KEY_IS = "must be a text, {file: PATH} or {command: [PROGRAM, ARGUMENT, ...]}"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Check = Callable[[object], Iterator[Fault]]


def _is_text(value: object) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield (), "must be text"
    elif not value:
        yield (), "is empty"


def _is_header_name(value: object) -> Iterator[Fault]:
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        yield (), "must be a header's name"


def _is_url(value: object) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield (), "must be text: the URL of the token server"
    elif "$" not in value and (fault := address_fault(value)):  # a variable may not be set yet
        yield (), fault


def _is_form(value: object) -> Iterator[Fault]:
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        yield (), "must be a map of texts"


def _is_prefix(value: object) -> Iterator[Fault]:
    if not isinstance(value, str) or not re.fullmatch("[ -~]*", value):
        yield (), "must be plain text, such as 'Bearer '"


def _is_part(value: object) -> Iterator[Fault]:
    if value not in ("header", "body"):
        yield (), "must be header or body"


def _is_key(value: object) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from _is_text(value)
    elif not isinstance(value, Mapping) or list(value) not in (["file"], ["command"]):
        yield (), _KEY_IS
    elif "file" in value:
        if not isinstance(value["file"], (str, PathLike)) or not str(value["file"]):
            yield ("file",), "must be a path"
    elif not _is_words(value["command"]):
        yield ("command",), "must be a list of texts: a program and its arguments"


def _is_words(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(word, str) for word in value)
        and any(value[:1])
    )


def _is_map(needed: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """Return a check of a map with these keys."""
    known = needed | (optional or {})

    def check(value: object) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield (), f"must be a map with: {', '.join(known)}"
            return
        for name in value:
            if name not in known:
                hint = did_you_mean(str(name), known)
                yield (name,), f"is not known; there are: {', '.join(known)}.{hint}"
        for name, check_one in known.items():
            if name in value:
                yield from (((name, *path), text) for path, text in check_one(value[name]))
            elif name in needed:
                yield (), f"needs '{name}'"

    return check


def _key(declared: Any) -> Key:
    if isinstance(declared, str):
        return GivenKey(declared)
    if "file" in declared:
        return FileKey(Path(declared["file"]))
    return FetchedKey(Command(tuple(declared["command"])))


def _in_header(name: str, key: str, value: str) -> Credentials:
    return Credentials(key, headers={name: value})


def _bearer(declared: Any) -> Auth:
    return Auth(lambda key: _in_header("Authorization", key, f"Bearer {key}"), _key(declared))


def _header(declared: Any) -> Auth:
    name = declared["name"]
    return Auth(lambda key: _in_header(name, key, key), _key(declared["value"]))


def _query(declared: Any) -> Auth:
    name = declared["name"]
    return Auth(lambda key: Credentials(key, query=((name, key),)), _key(declared["value"]))


def _basic(declared: Any) -> Auth:
    user = declared["user"]
    return Auth(
        lambda key: _in_header("Authorization", key, basic(user, key)), _key(declared["password"])
    )


def _oauth2(declared: Any) -> Auth:
    secret = _key(declared["client_secret"])
    form = dict(declared.get("parameters", {}))
    if "scope" in declared:
        form["scope"] = declared["scope"]
    fetch = ClientCredentials(
        token_url=declared["token_url"],
        client_id=declared["client_id"],
        secret=secret,
        form=form,
        is_secret_in_body=declared.get("secret_in") == "body",
    )
    name, prefix = declared.get("header", "Authorization"), declared.get("prefix", "Bearer ")
    return Auth(
        lambda key: _in_header(name, key, f"{prefix}{key}"),
        FetchedKey(fetch, secret, fetch.secrets),
    )


_KINDS: dict[str, tuple[Check, Callable[[Any], Auth]]] = {
    "bearer": (_is_key, _bearer),
    "header": (_is_map({"name": _is_header_name, "value": _is_key}), _header),
    "query": (_is_map({"name": _is_text, "value": _is_key}), _query),
    "basic": (_is_map({"user": _is_text, "password": _is_key}), _basic),
    "oauth2": (
        _is_map(
            {"token_url": _is_url, "client_id": _is_text, "client_secret": _is_key},
            {
                "scope": _is_text,
                "parameters": _is_form,
                "secret_in": _is_part,
                "header": _is_header_name,
                "prefix": _is_prefix,
            },
        ),
        _oauth2,
    ),
}


def anchored(value: Any, folder: Path) -> Any:
    """Return what is declared under ``auth`` with its paths from *folder* on.

    These are that of ``{file: PATH}``, and the program of ``{command: [PROGRAM, ...]}``
    where it is a path: a mere name is looked for as a shell does.
    """
    if not isinstance(value, dict):
        return value
    if value.keys() == {"file"} and isinstance(value["file"], str):
        return {"file": str(folder / Path(value["file"]).expanduser())}
    if value.keys() == {"command"} and isinstance(value["command"], list):
        return {"command": [*_program(value["command"][:1], folder), *value["command"][1:]]}
    return {key: anchored(item, folder) for key, item in value.items()}


def _program(words: list[Any], folder: Path) -> list[Any]:
    return [
        str((folder / Path(word).expanduser()).absolute())
        if isinstance(word, str) and "/" in word
        else word
        for word in words
    ]
