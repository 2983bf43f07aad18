"""The cache policy: an answer that was paid for once is not paid for again.

Content-addressed: the key is a digest of the provider, the model, the messages
and the parameters, so a change of any of them asks again. The store is one
SQLite file in WAL mode, readable by its owner only. It holds answers and
digests, never a message or a key. Two that ask the same at the same time both
pay: neither waits for the other, and the later answer stays.
"""

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from math import inf
from pathlib import Path
from typing import cast

from war_rig.errors import ConfigError, MalformedAnswerError
from war_rig.forking import begins_anew_in_child
from war_rig.policies.call import Call
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider
from war_rig.providers.secrets import Redactor
from war_rig.providers.streams import checked_stream, whole

_FORMAT = 1
_BUSY_SECONDS = 10.0
_STORED = (
    "content", "model", "tokens_used", "prompt_tokens", "completion_tokens", "usage_source",
    "finish_reason",
)  # fmt: skip

_log = logging.getLogger("war_rig.policies")


class CacheStore:
    """Answers by key, in the file at *path*, which is made where it is missing.

    max_age_seconds: an older answer is not found, and is removed. max_bytes: how
    much of the file is used; the oldest answers go, and one that is larger is not
    kept. SQLite's log beside it (some 4 MB) comes on top, and the file does not
    shrink: what is free is used again. now: seconds since the epoch.

    Threads and processes may share the file. It is opened when it is first used,
    also after ``close()``; each method raises ConfigError where that fails.
    """

    def __init__(
        self,
        path: Path,
        max_age_seconds: float | None = None,
        max_bytes: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._max_age_seconds = inf if max_age_seconds is None else max_age_seconds
        self._max_bytes = inf if max_bytes is None else max_bytes
        self._now = now
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Open the file anew in a forked child: SQLite forbids it to use or close the old one."""
        self._lock = threading.Lock()
        if self._database is not None:
            _left_to_parents.append(self._database)
        self._database = None

    def get(self, key: str) -> CompletionResponse | None:
        """Return the answer stored under *key*."""
        with self._using() as database:
            row = database.execute(_FIND, (key,)).fetchone()
            if row is not None and row[1] < self._earliest():
                database.execute(_REMOVE_THIS, (key, row[1]))
                row = None
        return None if row is None else CompletionResponse(**json.loads(row[0]))

    def put(self, key: str, answer: CompletionResponse) -> None:
        """Store *answer*; it is safe from a killed process when this returns."""
        text = json.dumps({name: getattr(answer, name) for name in _STORED}, default=str)
        if len(text) > self._max_bytes:
            return
        with self._using() as database, database:  # which commits
            database.execute("BEGIN IMMEDIATE")
            database.execute(_STORE, (key, text, self._now()))
            while self._remove_oldest(database):
                pass

    def forget(self, keys: Iterable[str]) -> None:
        """Remove what is stored under *keys*."""
        with self._using() as database:
            database.executemany("DELETE FROM answer WHERE key = ?", [(key,) for key in keys])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                if self._database is None:
                    self._database = _opened(self.path, self._now())
                yield self._database
        except (OSError, sqlite3.Error) as error:
            what_now = "remove it to begin anew; its answers are then paid for again"
            if not self.path.parent.is_dir():
                what_now = f"make the folder {self.path.parent}, or set another 'path'"
            raise ConfigError(
                f"the cache {self.path} can't be used: {error}\n  {what_now}"
            ) from error

    def _remove_oldest(self, database: sqlite3.Connection) -> bool:
        """Return whether the oldest answer was too old, or one too many, and is removed."""
        (used,) = database.execute(_USED_BYTES).fetchone()
        removed = database.execute(_REMOVE_FIRST, (used > self._max_bytes, self._earliest()))
        return bool(removed.rowcount)

    def _earliest(self) -> float:
        return self._now() - self._max_age_seconds


# An answer that is stored again gets a new row id: their order is that of age.
_STORE = "INSERT OR REPLACE INTO answer (key, answer, stored) VALUES (?, ?, ?)"
_FIND = "SELECT answer, stored FROM answer WHERE key = ?"
_REMOVE_THIS = "DELETE FROM answer WHERE key = ? AND stored = ?"
_REMOVE_FIRST = (
    "DELETE FROM answer WHERE rowid = (SELECT min(rowid) FROM answer) AND (? OR stored < ?)"
)
_USED_BYTES = (  # as the file's header tells it: nothing is counted
    "SELECT (page_count - freelist_count) * page_size"
    " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)


def _opened(path: Path, now: float) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        with database:
            database.execute("BEGIN IMMEDIATE")
            _make_table(database, now)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _make_table(database: sqlite3.Connection, now: float) -> None:
    """Make the table; in one of an earlier version, answers count as stored *now*."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS answer"
        " (key TEXT PRIMARY KEY, answer TEXT NOT NULL, stored REAL NOT NULL)"
    )
    if "stored" not in [row[1] for row in database.execute("PRAGMA table_info(answer)")]:
        database.execute(f"ALTER TABLE answer ADD COLUMN stored REAL NOT NULL DEFAULT {now!r}")


_left_to_parents: list[sqlite3.Connection] = []
"""Referred to for ever: the garbage collector would close them in the child."""

_used: ContextVar[list[tuple[CacheStore, str]] | None] = ContextVar("used", default=None)


class CachedProvider(Policy):
    """Asks *provider* only what *store* has no answer to.

    identity: what tells this provider from another, such as its name and URL;
    no secret.

    An answer that holds a known secret, one of *secrets* or of the
    environment's, is given but not stored.
    """

    def __init__(
        self,
        provider: LLMProvider,
        store: CacheStore,
        identity: str,
        secrets: Iterable[str] = (),
    ) -> None:
        super().__init__(cast(StreamingProvider, provider))  # asked through checked_stream
        self.calls = 0
        self.hits = 0
        self._store = store
        self._identity = identity
        self._redactor = Redactor(secrets)
        self._lock = threading.Lock()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Keep the counts: in a forked child nobody gives back a lock that another thread held."""
        self._lock = threading.Lock()

    async def aclose(self) -> None:
        """Close the store's file; a later call opens it again."""
        self._store.close()

    @contextmanager
    def one_piece_of_work(self) -> Iterator[None]:
        """Forget the answers that came inside the block where it ends in MalformedAnswerError.

        So that answers that could not be used are asked for again the next time. Each
        cache that was asked forgets its own, one inside another too.
        """
        used: list[tuple[CacheStore, str]] = []
        token = _used.set(used)
        try:
            yield
        except MalformedAnswerError:
            for store, key in used:
                store.forget([key])
            raise
        finally:
            _used.reset(token)

    async def _complete(self, request: Request) -> CompletionResponse:
        key = self._key(request)
        stored = self._stored(key, request.call)
        if stored is not None:
            return stored
        answer = await ask(self.provider, request)
        self._keep(key, answer, request.call)
        return answer

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        """Yield the stored answer as one chunk, else what the provider streams; store it whole."""
        key = self._key(request)
        stored = self._stored(key, request.call)
        if stored is not None:
            yield whole(stored, request.messages)
            return
        async with aclosing(self._asked_stream(request)) as chunks:
            async for chunk in chunks:
                if chunk.response is not None:
                    self._keep(key, chunk.response, request.call)
                yield chunk

    def _asked_stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        if isinstance(self.provider, Policy):  # what is inside of one is checked
            return ask_stream(self.provider, request)
        return checked_stream(self.provider, request.messages, request.parameters, self.name)

    def _stored(self, key: str, call: Call) -> CompletionResponse | None:
        if (used := _used.get()) is not None:
            used.append((self._store, key))
        stored = self._store.get(key)
        with self._lock:
            self.hits += stored is not None
            self.calls += stored is None
        if stored is not None:
            call.unsent(self.name, stored.model, "", "cached")
            stored.attempts = tuple(call.attempts)
        return stored

    def _keep(self, key: str, answer: CompletionResponse, call: Call) -> None:
        """Store *answer*, unless a fallback gave it: the next time, its own provider may be back.

        Where that fails it is given all the same: it was paid for.
        """
        last = call.attempts[-1] if call.attempts else None
        if last and (last.provider, last.outcome) != (self.name, "answered"):
            return
        texts = f"{answer.content}\n{answer.model}\n{answer.finish_reason}"
        if self._redactor.redact(texts) != texts:
            return
        try:
            self._store.put(key, answer)
        except ConfigError as error:
            _log.warning("an answer is not kept: %s", error)

    def _key(self, request: Request) -> str:
        content = {
            "format": _FORMAT,
            "provider": self._identity,
            "model": request.model or self.default_model,
            "messages": [[m.role, m.content] for m in request.messages],
            "parameters": {n: value for n, value in request.parameters.items() if n != "model"},
        }
        try:
            text = json.dumps(content, sort_keys=True, default=repr)
        except (TypeError, ValueError):  # a parameter that JSON has not, or no order of its keys
            text = repr(content)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
