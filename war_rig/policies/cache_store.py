"""The store of the cache policy: answers by key, in one SQLite file in WAL mode.

It is readable by its owner only, and holds answers and digests, never a message or a key.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

from war_rig.errors import ConfigError
from war_rig.forking import begins_anew_in_child
from war_rig.providers import CompletionResponse

_BUSY_SECONDS = 10.0
_STORED = (
    "content", "model", "tokens_used", "prompt_tokens", "completion_tokens", "usage_source",
    "finish_reason",
)  # fmt: skip


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
        return None if row is None else _read(row[0])

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
            what_now = _next_step(self.path, error)
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


def _read(text: str) -> CompletionResponse | None:
    """Return the answer that is stored as *text*, None where this version can't read it."""
    try:
        return CompletionResponse(**json.loads(text))
    except (TypeError, ValueError):
        return None


def _next_step(path: Path, error: Exception) -> str:
    """Return what to do about *error*; nobody is told to remove what is no cache."""
    parent = path.parent
    if not parent.exists():
        return f"make the folder {parent}, or set another 'path'"
    if not parent.is_dir():
        return f"{parent} is no folder: set another 'path'"
    if path.is_symlink():
        return "it is a link, which is not followed: set 'path' to the file itself"
    if type(error) is sqlite3.DatabaseError:
        return "it is damaged, or no cache: set another 'path', or remove it if nobody needs it"
    return "set another 'path', or see to it that this one can be read and written"


def _opened(path: Path, now: float) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
    database = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _check(database)
        path.chmod(0o600)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        with database:
            database.execute("BEGIN IMMEDIATE")
            _make_table(database, now)
    except (OSError, sqlite3.Error):
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection) -> None:
    """Raise where the file is somebody else's, before anything about it is changed."""
    is_used = database.execute("SELECT 1 FROM sqlite_master").fetchone()
    columns = {row[1] for row in database.execute("PRAGMA table_info(answer)")}
    if is_used and not columns >= {"key", "answer"}:
        raise sqlite3.DatabaseError("its tables are another's")


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
