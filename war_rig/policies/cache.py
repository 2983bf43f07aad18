"""The cache policy: an answer that was paid for once is not paid for again.

Content-addressed: the key is a digest of the provider, the model, the messages
and the parameters, so a change of any of them asks again. The store is one
SQLite file in WAL mode, readable by its owner only. It holds answers and
digests, never a message or a key.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import Any

from war_rig.errors import ConfigError, MalformedAnswerError
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.secrets import Redactor
from war_rig.providers.streams import checked_stream, whole

_FORMAT = 1
_BUSY_SECONDS = 10.0
_STORED = (
    "content", "model", "tokens_used", "prompt_tokens", "completion_tokens", "usage_source",
    "finish_reason",
)  # fmt: skip


class CacheStore:
    """Answers by key, in the file at *path*, which is made where it is missing."""

    def __init__(self, path: Path) -> None:
        """Open the store; raise ConfigError where the file is something else or damaged."""
        self.path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
            path.chmod(0o600)
            self._database = _opened(path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"the cache {path} can't be used: {error}\n"
                "  remove it to begin anew; its answers are then paid for again"
            ) from error

    def get(self, key: str) -> CompletionResponse | None:
        """Return the answer stored under *key*."""
        row = self._database.execute("SELECT answer FROM answer WHERE key = ?", (key,)).fetchone()
        return None if row is None else CompletionResponse(**json.loads(row[0]))

    def put(self, key: str, answer: CompletionResponse) -> None:
        """Store *answer*; it is safe from a killed process when this returns."""
        stored = {name: value for name, value in asdict(answer).items() if name in _STORED}
        self._database.execute(
            "INSERT OR REPLACE INTO answer VALUES (?, ?)", (key, json.dumps(stored))
        )

    def forget(self, keys: Iterable[str]) -> None:
        """Remove what is stored under *keys*."""
        self._database.executemany("DELETE FROM answer WHERE key = ?", [(key,) for key in keys])

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, answer TEXT NOT NULL)"
        )
    except sqlite3.Error:
        database.close()
        raise
    return database


class CachedProvider:
    """Asks *provider* only what *store* has no answer to.

    identity: what tells this provider from another, such as its name and URL;
    no secret. An answer that holds a known secret is given but not stored.
    """

    def __init__(self, provider: LLMProvider, store: CacheStore, identity: str) -> None:
        self.provider = provider
        self.calls = 0
        self.hits = 0
        self._store = store
        self._identity = identity
        self._redactor = Redactor()
        self._used: ContextVar[list[str] | None] = ContextVar("used", default=None)

    @property
    def name(self) -> str:
        """Return the provider's name."""
        return getattr(self.provider, "name", type(self.provider).__name__)

    @property
    def default_model(self) -> str:
        """Return the provider's own default model."""
        return self.provider.default_model

    @property
    def takes_output_schema(self) -> bool:
        """Return whether the provider takes a JSON schema."""
        return getattr(self.provider, "takes_output_schema", False) is True

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Return the stored answer, else ask and store."""
        asked = _set(model, temperature, kwargs)
        key = self._used_key(messages, asked)
        stored = self._stored(key)
        if stored is not None:
            return stored
        answer = await self.provider.complete(messages, **asked)
        self._keep(key, answer)
        return answer

    async def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Yield the stored answer as one chunk, else what the provider streams; store it whole."""
        asked = _set(model, temperature, kwargs)
        key = self._used_key(messages, asked)
        stored = self._stored(key)
        if stored is not None:
            yield whole(stored, messages)
            return
        async with aclosing(checked_stream(self.provider, messages, asked, self.name)) as chunks:
            async for chunk in chunks:
                if chunk.response is not None:
                    self._keep(key, chunk.response)
                yield chunk

    @contextmanager
    def one_piece_of_work(self) -> Iterator[None]:
        """Forget the answers that came inside the block where it ends in MalformedAnswerError.

        So that answers that could not be used are asked for again the next time.
        """
        used: list[str] = []
        token = self._used.set(used)
        try:
            yield
        except MalformedAnswerError:
            self._store.forget(used)
            raise
        finally:
            self._used.reset(token)

    def _used_key(self, messages: list[Message], asked: dict[str, Any]) -> str:
        key = self._key(messages, asked)
        if (used := self._used.get()) is not None:
            used.append(key)
        return key

    def _stored(self, key: str) -> CompletionResponse | None:
        stored = self._store.get(key)
        self.hits += stored is not None
        self.calls += stored is None
        return stored

    def _keep(self, key: str, answer: CompletionResponse) -> None:
        if self._redactor.redact(answer.content) == answer.content:
            self._store.put(key, answer)

    def _key(self, messages: list[Message], asked: dict[str, Any]) -> str:
        content = {
            "format": _FORMAT,
            "provider": self._identity,
            "model": asked.get("model") or self.default_model,
            "messages": [[m.role, m.content] for m in messages],
            "parameters": {name: value for name, value in asked.items() if name != "model"},
        }
        text = json.dumps(content, sort_keys=True, default=repr)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _set(
    model: str | None, temperature: float | None, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return the parameters that somebody set."""
    named = {"model": model, "temperature": temperature}
    return parameters | {name: value for name, value in named.items() if value is not None}
