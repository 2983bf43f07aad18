"""The cache policy: an answer that was paid for once is not paid for again.

Content-addressed: the key is a digest of the provider, the model, the messages
and the parameters, so a change of any of them asks again. Two that ask the same
at the same time both pay: neither waits for the other, and the later answer stays.
"""

import hashlib
import json
import logging
import threading
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from typing import cast

from war_rig.errors import ConfigError, MalformedAnswerError
from war_rig.forking import begins_anew_in_child
from war_rig.policies.cache_store import CacheStore
from war_rig.policies.call import Call
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider
from war_rig.providers.secrets import Redactor
from war_rig.providers.streams import checked_stream, whole

_FORMAT = 1

_log = logging.getLogger("war_rig.policies")

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
