"""What counts as a secret, and how a text is cleared of it.

A secret is known by its parameter's name, by the variable that it came from,
and as the value of any environment variable with such a name. One that a
provider got by itself, such as a token, is known where ``fetched_secrets()``
tells it. A value under eight characters is masked where it is shown by name,
but not searched for.
"""

import contextlib
import gc
import json
import logging
import os
import sys
import traceback
import types
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from war_rig.names import is_secret_name
from war_rig.providers.foreign import text_of

MASK = "***"
_log = logging.getLogger("war_rig.providers")
_SHORTEST = 8
_URL_SAFE = str.maketrans("+/", "-_")
_WALK_LIMIT = 5_000


def secrets_of(*maps: Mapping[str, object]) -> set[str]:
    """Return the values in *maps* whose names say that they are secrets."""
    return {
        str(value)
        for values in maps
        for name, value in list(values.items())
        if is_secret_name(name) and value
    }


def masked(value: object) -> object:
    """Return *value* with what lies under a secret's name in its maps and lists masked."""
    if isinstance(value, Mapping):
        return {k: MASK if is_secret_name(str(k)) else masked(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value


def secrets_in(value: object, is_secret: bool) -> Iterator[str]:
    """Yield the texts in *value* that are secrets: all of them, or those under such a name."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from secrets_in(item, is_secret or is_secret_name(str(name)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secrets_in(item, is_secret)
    elif is_secret and value is not None and (text := text_of(value)):
        yield text


class Secrets:
    """The secrets of several providers, those included that one of them fetches as it goes."""

    def __init__(self) -> None:
        self._known: list[tuple[frozenset[str], object]] = []

    def __repr__(self) -> str:
        return f"<Secrets of {len(self._known)} providers>"

    def __iter__(self) -> Iterator[str]:
        for known, provider in self._known.copy():  # another thread may add one meanwhile
            yield from known
            yield from _fetched(provider)

    def add(self, known: Iterable[str], provider: object) -> None:
        """Take those that are *known* of a provider, and from now on those that it fetches."""
        self._known.append((frozenset(known), provider))


def _fetched(provider: object) -> Iterator[str]:
    try:
        told: Iterable[object] = getattr(provider, "fetched_secrets", tuple)()
        yield from [text for text in told if isinstance(text, str)]
    except Exception as error:  # the plugin's border
        _log.debug("fetched_secrets() raised %s", type(error).__name__)


class Redactor:
    """Clears texts of the secrets it was given and of those in the process's environment.

    Of Secrets, it knows those too that came later.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = known if isinstance(known, Secrets) else frozenset(known)

    def __repr__(self) -> str:
        return f"<Redactor of {len(frozenset(self._known))} secrets>"

    def redact(self, text: str) -> str:
        """Return *text* with every known secret replaced by ``***``."""
        for secret in self._spellings():
            text = text.replace(secret, MASK)
        return text

    def is_clean(self, root: object) -> bool:
        """Return whether nothing that *root* reaches is a secret or an HTTP message.

        Frames and modules are not walked, of classes only their own values. A
        structure too large to walk, or a buffer, is not called clean.
        """
        spellings = self._spellings()
        seen: dict[int, object] = {}
        waiting = [root]
        while waiting:
            thing = waiting.pop()
            if id(thing) in seen:
                continue
            seen[id(thing)] = thing
            if len(seen) > _WALK_LIMIT or _is_opaque(thing) or _holds(thing, spellings):
                return False
            waiting.extend(_referents(thing))
        return True

    def _spellings(self) -> list[str]:
        known = secrets_of(os.environ).union(self._known)
        known |= {secret.strip() for secret in known}  # as HTTP sends it in a header
        long = {secret for secret in known if len(secret) >= _SHORTEST}
        spelt = {form for secret in long for form in _forms(secret)}
        return sorted(spelt, key=len, reverse=True)

    def safe_cause(self, error: BaseException) -> BaseException:
        """Return *error* where it is clean, else a stand-in with its type's name and clear text."""
        return error if self.is_clean(error) else RedactedError(error, self)


class RedactedError(Exception):
    """Stands in, as a cause, for an exception that reaches a secret or an HTTP message.

    Holds the original's type name and its text and traceback, cleared of secrets.
    """

    def __init__(self, original: BaseException, redactor: Redactor) -> None:
        self.original_type = f"{type(original).__module__}.{type(original).__qualname__}"
        super().__init__(redactor.redact(f"{self.original_type}: {text_of(original)}"))
        lines = traceback.format_tb(original.__traceback__)
        self.add_note(redactor.redact("Its traceback:\n" + "".join(lines)).rstrip())

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_redacted, (str(self), self.__dict__.copy())


def _unpickle_redacted(text: str, state: dict[str, Any]) -> "RedactedError":
    error = RedactedError.__new__(RedactedError)
    error.args = (text,)
    error.__dict__.update(state)
    return error


def in_base64(secret: str) -> Iterator[str]:
    """Yield how *secret* looks in base64, inside of anything, and in both alphabets."""
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):  # three bytes are four letters
        encoded = b64encode(bytes(before) + data).decode()
        own = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (own, own.translate(_URL_SAFE))


def _forms(secret: str) -> Iterable[str]:
    """Yield *secret* as it is, and as it looks in a URL, in JSON, in a repr and in base64."""
    yield secret
    with contextlib.suppress(UnicodeEncodeError):  # what is no Unicode text stands in no URL
        for safe in ("", "/"):
            yield quote(secret, safe=safe, errors="surrogateescape")
        yield quote_plus(secret, errors="surrogateescape")
    for is_ascii in (True, False):
        yield json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
    yield repr(secret)[1:-1]
    yield from in_base64(secret)


def _holds(thing: object, secrets: list[str]) -> bool:
    texts: tuple[str, ...] = (thing,) if isinstance(thing, str) else ()
    if isinstance(thing, (bytes, bytearray)):
        data = bytes(thing)
        texts = (data.decode("latin-1"), data.decode("utf-8", "replace"))
    return any(secret in text for text in texts for secret in secrets)


def _is_opaque(thing: object) -> bool:
    """Return whether *thing* is an HTTP message, or keeps its content out of sight."""
    names = {base.__name__ for base in type(thing).__mro__}
    if names & {"_IOBase", "array"}:
        return True
    return any(name.endswith(("Request", "Response", "RequestInfo")) for name in names)


_NOT_WALKED = (types.ModuleType, types.FrameType, types.TracebackType, types.CodeType)


def _referents(thing: object) -> list[Any]:
    if isinstance(thing, type) and thing.__module__.partition(".")[0] in sys.stdlib_module_names:
        return []
    if isinstance(thing, types.FunctionType):  # its globals are the whole module
        return [thing.__closure__, thing.__defaults__, thing.__kwdefaults__, thing.__dict__]
    found = gc.get_referents(thing)
    if isinstance(thing, dict):  # of a dict whose keys are texts it names the values only
        found += list(dict.keys(thing))
    for base in (thing if isinstance(thing, type) else type(thing)).__mro__:
        if base.__module__.partition(".")[0] not in sys.stdlib_module_names:
            found += vars(base).values()
    return [r for r in found if not isinstance(r, _NOT_WALKED)]
