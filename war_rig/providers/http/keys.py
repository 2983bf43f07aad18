"""Where the key of an API comes from: a text, a file, a command, or whatever else fetches one.

All but the text may change. A file is read again when it has changed, a key
that was fetched is fetched again shortly before it expires, and each of them
after the API has refused it. However many calls wait for a fetch, it is done
once. Where there is no key, AuthenticationError says why.
"""

import asyncio
import contextlib
import copy
import math
import os
import signal
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic as _now
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from war_rig.errors import AuthenticationError, ProviderConnectionError, WarRigError
from war_rig.providers.foreign import one_line
from war_rig.providers.secrets import Redactor

if TYPE_CHECKING:
    from war_rig.providers.http.wire import Answer, Request

_EARLIEST_REFRESH_SECONDS = 30.0
_PAUSE_SECONDS = 5.0  # after a fetch that failed while the key before is still good
_STAY_SECONDS = 30.0  # for a key that was fetched because the one before was refused
_COMMAND_TIMEOUT_SECONDS = 30.0
_KEPT_SECONDS = 900.0  # an answer to a call made with the key before may still show that one

Ask = Callable[["Request"], Awaitable["Answer"]]
"""Sends a request as it is, by the transport that the key is for."""

Fetch = Callable[[Ask], Awaitable[tuple[str, float]]]
"""Gets a key, and says for how many seconds it is good."""


class Key(Protocol):
    """A key that may change from call to call."""

    async def read(self, ask: Ask) -> str:
        """Return the key as it is now."""
        ...

    def forget(self, refused: str) -> None:
        """Get the key anew at the next call, where *refused* is still the one that is known."""
        ...

    def secrets(self) -> set[str]:
        """Return what must not be shown: the key, and what it was shortly before."""
        ...

    async def aclose(self) -> None:
        """Give up getting the key, where that is under way; it can be read again after it."""
        ...


class _Keys:
    """A key, and those that it took the place of a short time ago."""

    def __init__(self) -> None:
        self.last = ""
        self._replaced: dict[str, float] = {}  # when that was, the oldest first

    def add(self, key: str) -> None:
        """Let *key* be the last one."""
        if self.last not in ("", key):
            self._replaced[self.last] = _now()
        self._replaced.pop(key, None)
        self.last = key
        for old, when in list(self._replaced.items()):
            if _now() - when < _KEPT_SECONDS:
                break
            del self._replaced[old]

    def known(self) -> set[str]:
        """Return all of them."""
        return {self.last, *self._replaced} - {""}


class GivenKey:
    """A key that stands in the declaration."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def read(self, ask: Ask) -> str:
        """Return the key."""
        return self._key

    def forget(self, refused: str) -> None:
        """Do nothing: there is no other."""

    def secrets(self) -> set[str]:
        """Return the key."""
        return {self._key}

    async def aclose(self) -> None:
        """Do nothing: it is there."""


class FileKey:
    """A key in a file, read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys = _Keys()

    async def read(self, ask: Ask) -> str:
        """Return what the file holds, without the white space around it."""
        try:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._keys.add(one_key(self._path.read_bytes(), f"the file '{self._path}'"))
                self._stamp = stamp
            return self._keys.last
        except OSError as error:
            reason = error.strerror
        raise AuthenticationError(f"has no key: the file '{self._path}' can't be read: {reason}")

    def forget(self, refused: str) -> None:
        """Read the file again at the next call."""
        self._stamp = None

    def secrets(self) -> set[str]:
        """Return the last few keys."""
        return self._keys.known()

    async def aclose(self) -> None:
        """Do nothing: a file is read at once."""

    def _stamp_now(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino


class FetchedKey:
    """A key that takes time to get; all calls of a loop that wait for it share one fetch."""

    def __init__(
        self, fetch: Fetch, inner: Key | None = None, secrets: Callable[[], set[str]] = set
    ) -> None:
        """Keep *fetch*, the *inner* key that it needs itself, and what returns its *secrets*."""
        self._fetch = fetch
        self._inner = inner
        self._inner_secrets = secrets
        self._keys = _Keys()
        self._good_until = -math.inf  # from then on another is fetched
        self._expires = -math.inf
        self._is_refused = False
        self._stays_until = -math.inf
        self._fetching: WeakKeyDictionary[
            asyncio.AbstractEventLoop, asyncio.Task[str | WarRigError]
        ] = WeakKeyDictionary()

    async def read(self, ask: Ask) -> str:
        """Return the key that is known where it is still good, else fetch one."""
        if _now() < self._good_until:
            return self._keys.last
        loop = asyncio.get_running_loop()
        if loop not in self._fetching:  # a task of its own: a call that is cancelled ends no other
            self._fetching[loop] = loop.create_task(self._fetched(ask))
            self._fetching[loop].add_done_callback(lambda _: self._fetching.pop(loop))
        fetching = self._fetching[loop]
        await asyncio.wait([fetching])
        if fetching.cancelled():
            raise ProviderConnectionError("was closed during the call", is_retryable=False)
        outcome = fetching.result()
        if isinstance(outcome, WarRigError):
            if _now() < self._expires:
                return self._keys.last
            raise copy.copy(outcome)  # each call gets an error, and a traceback, of its own
        return outcome

    def forget(self, refused: str) -> None:
        """Fetch another key at the next call, unless that has been done already, or just now.

        An API that refuses every key would cost a fetch a call.
        """
        if refused and refused == self._keys.last and _now() >= self._stays_until:
            self._good_until = self._expires = -math.inf
            self._is_refused = True

    def secrets(self) -> set[str]:
        """Return the last few keys, and those that it took to get them."""
        return self._keys.known() | self._inner_secrets()

    async def aclose(self) -> None:
        """Cancel each fetch on its own loop; calls that wait for it end in our error."""
        for loop, fetching in list(self._fetching.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(fetching.cancel)
        if here := self._fetching.get(asyncio.get_running_loop()):
            await asyncio.wait([here])
        if self._inner is not None:
            await self._inner.aclose()

    async def _fetched(self, ask: Ask) -> str | WarRigError:
        """Return an error, not raise it: nobody may be left to be told."""
        begun = _now()
        try:
            key, seconds = await self._fetch(ask)
        except WarRigError as error:
            self._good_until = min(_now() + _PAUSE_SECONDS, self._expires)
            return error
        self._keys.add(key)
        if self._is_refused:
            self._is_refused, self._stays_until = False, _now() + _STAY_SECONDS
        self._expires = begun + seconds
        self._good_until = self._expires - min(_EARLIEST_REFRESH_SECONDS, seconds / 10)
        return key


@dataclass(frozen=True, slots=True)
class Command:
    """Fetches a key by running a program, without a shell; what it prints is the key."""

    words: tuple[str, ...]
    timeout_seconds: float = _COMMAND_TIMEOUT_SECONDS

    async def __call__(self, ask: Ask) -> tuple[str, float]:
        """Return what the program printed; it is good until the API refuses it."""
        process = await self._started()
        printed = None
        try:
            async with asyncio.timeout(self.timeout_seconds):
                printed, complaint = await process.communicate()
        except TimeoutError:
            pass
        finally:
            await _end(process)
        if printed is None:
            raise self._error(f"did not end in {self.timeout_seconds:g} s")
        if process.returncode:
            raise self._error(f"ended with exit code {process.returncode}{_reason(complaint)}")
        return one_key(printed, self._told()), math.inf

    async def _started(self) -> asyncio.subprocess.Process:
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            return await asyncio.create_subprocess_exec(
                *self.words, stdin=nothing, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            reason = error.strerror
        raise self._error(f"can't be run: {reason}")

    def _error(self, what: str) -> AuthenticationError:
        return AuthenticationError(f"has no key: {self._told()} {what}")

    def _told(self) -> str:
        return f"the command '{self.words[0]}', run in '{Path.cwd()}',"


def one_key(data: bytes, told: str) -> str:
    """Return *data* as a key, without the white space around it; raise where it is none.

    *told* says in the error where it came from.
    """
    key = data.decode("utf-8", "replace").strip()  # a strict decoder's error would hold the key
    if not key:
        raise AuthenticationError(f"has no key: {told} gave nothing")
    if not key.isprintable():
        raise AuthenticationError(f"has no key: {told} gave more than one line of text")
    return key


def basic(user: str, password: str) -> str:
    """Return an Authorization header's value in HTTP's basic scheme."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill *process*, and what it has started, where it still runs."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _reason(complaint: bytes) -> str:
    """Return the last line of what a program printed as an error, without secrets."""
    text = Redactor().redact(complaint.decode("utf-8", "replace")).strip()
    return f": {one_line(text.splitlines()[-1])}" if text else ""
