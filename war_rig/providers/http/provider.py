"""The provider of ``type: http``: it does what a definition says, and knows no vendor."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from copy import copy
from pathlib import Path
from typing import Any, ClassVar

from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    MalformedAnswerError,
    ProviderError,
)
from war_rig.providers.conversion import Examined
from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.http.answers import response
from war_rig.providers.http.auth import auth
from war_rig.providers.http.definition import definition
from war_rig.providers.http.failures import MESSAGES, Failed, failure, is_failure
from war_rig.providers.http.hidden import secrets
from war_rig.providers.http.streaming import LONGEST_TEXT, closable, texts_of
from war_rig.providers.http.transport import Answer, Transport
from war_rig.providers.http.transport import StreamedAnswer as Streamed
from war_rig.providers.http.values import request_of
from war_rig.providers.protocol import CompletionChunk, CompletionResponse, Message
from war_rig.providers.secrets import Redactor

_CHECK = "see what stands there: war-rig providers try {provider}, with --stream for a stream"


class HttpProvider:
    """Asks any HTTP API that a definition describes."""

    errors_are_predicates = True  # "answered 429: ...", "sent nothing in 3 s"
    next_steps: ClassVar = {MalformedAnswerError: _CHECK}

    def __init__(
        self,
        url: str,
        model: str,
        proxy: str | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        certificate_key: Path | None = None,
        connections: int = 100,
        **keys: Any,
    ) -> None:
        """Check the definition that the arguments are; nothing is connected until the first call.

        keys: the rest of the definition, such as ``request`` and ``response``;
        definition.py lists them all.
        Raises one ConfigError that lists every fault.
        """
        keys |= {"url": url, "model": model, "proxy": proxy, "ca": ca, "connections": connections}
        keys |= {"certificate": certificate, "certificate_key": certificate_key}
        self._definition, faults = definition(keys)
        if faults:
            lines = [f"  {'.'.join(map(str, path))}: {text}" for path, text in faults]
            counted = f"{len(lines)} faults" if len(lines) > 1 else "a fault"
            raise ConfigError("\n".join([f"the definition of the HTTP API has {counted}", *lines]))
        self._auth = auth(self._definition.auth)
        self._secrets = frozenset(secrets({**keys, "auth": self._definition.auth}))
        self._written: dict[str, Any] = {
            part: keys.get(part) or {} for part in ("response", "stream", "errors")
        }
        self._way: dict[str, Any] = {
            "timeouts": self._definition.timeouts,
            "connections": int(connections),
            "proxy": proxy,
            "ca": ca,
            "certificate": certificate,
            "certificate_key": certificate_key,
        }
        self._transport = Transport(auth=self._auth, **self._way)

    def __repr__(self) -> str:
        return f"<HttpProvider of {self._definition.host}>"

    @staticmethod
    def examined(arguments: Mapping[str, Any]) -> Examined:
        """Return what is wrong with *arguments*, which texts in them are secrets, and the URL."""
        made, faults = definition(arguments)
        url = None if faults else made.url
        return Examined(tuple(faults), frozenset(secrets(arguments)), url=url)

    @property
    def default_model(self) -> str:
        """Return the model that the definition names."""
        return self._definition.model

    @property
    def takes_output_schema(self) -> bool:
        """Return whether the definition says how the API is asked for a JSON schema."""
        return (False, True) in self._definition.requests

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Ask once; kwargs are parameters of the API.

        ``output_schema`` is a JSON schema for the answer, where the definition
        has one's place. Raises ConfigError for what its request has no place for.
        """
        request = request_of(self._definition, False, messages, model, temperature, kwargs)
        answer = await self._transport.send(request)
        try:
            return self._read(answer, messages, model)
        except AuthenticationError as error:  # by a rule, behind any status
            refusal = error
        if not await self._transport.has_other_key(answer.key):
            raise refusal
        return self._read(await self._transport.send(request), messages, model)

    @property
    def stream(self) -> Callable[..., AsyncGenerator[CompletionChunk, None]] | None:
        """Return the method that streams an answer, None where the definition declares none."""
        return self._stream if self._definition.streaming else None

    def fetched_secrets(self) -> set[str]:
        """Return the keys that came from a file, a command or a token server, as far as known."""
        return self._auth.secrets()

    def redact(self, text: str) -> str:
        """Return *text* without the keys of the definition, those that were fetched included."""
        return Redactor(self._secrets | self._auth.secrets()).redact(text)

    def watched(self, show: Callable[[str], None], redact: Redact = str) -> "HttpProvider":
        """Return the same provider, with connections of its own, that tells *show* of each call.

        It tells the request, the answer, and what the paths of the definition
        lead to, all without the secrets of the definition and those that
        *redact* knows. Not for calls at the same time.
        """
        from war_rig.providers.http.report import Report
        from war_rig.providers.http.trial import WatchedTransport

        def clear(text: str) -> str:
            return redact(watched.redact(watched._transport.redact(text)))

        watched = copy(self)
        report = Report(show, clear, self._definition, **self._written)
        watched._transport = WatchedTransport(report, self._auth, **self._way)
        return watched

    async def aclose(self) -> None:
        """Close the connections; the provider can be used again after it."""
        await self._transport.aclose()

    async def _stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Ask for an answer in pieces; the last chunk carries the whole answer."""
        request = request_of(self._definition, True, messages, model, temperature, kwargs)
        refused: str | None = None
        while True:
            is_again, has_text = refused is not None, False
            try:
                async with self._transport.stream(request) as answer:
                    refused = answer.key
                    async with aclosing(self._chunks(answer, messages, model)) as chunks:
                        async for chunk in chunks:
                            has_text = True
                            yield chunk
                return
            except AuthenticationError as error:
                if is_again or has_text or refused is None:
                    raise
                refusal = error
            if not await self._transport.has_other_key(refused):
                raise refusal

    async def _chunks(
        self, answer: Streamed, messages: list[Message], model: str | None
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Yield what *answer* holds: a stream, or a whole answer where the server can't stream."""
        streaming = self._definition.streaming
        assert streaming is not None
        if not self._is_streamed(answer.status, answer.headers):
            whole = Answer(answer.status, answer.headers, await answer.read())
            made = self._read(whole, messages, model)
            yield CompletionChunk(made.content, made)
            return
        found = streaming.reading(streaming, self._definition.rules, self.redact)
        async with (
            aclosing(closable(answer.pieces())) as pieces,
            aclosing(texts_of(pieces, answer, found)) as texts,
        ):
            async for text in texts:
                yield CompletionChunk(text)
        found.end()
        asked = model or self._definition.model
        made = response("".join(found.texts), found.told, asked, messages)
        yield CompletionChunk(response=made)

    def _read(
        self, answer: Answer, messages: list[Message], model: str | None
    ) -> CompletionResponse:
        """Return what a whole answer says; raise where it says none."""
        data = parsed(answer.body)
        paths = self._definition.answers
        text = paths.text(data)
        failed = Failed(answer.status, answer.headers, data, has_text=bool(text))
        if is_failure(failed, self._definition.rules):
            raise failure(failed, self._definition.rules, self.redact)
        if text is None:
            raise self._textless(failed)
        asked = model or self._definition.model
        return response(text, paths.told_in(data), asked, messages, data)

    def _textless(self, failed: Failed) -> ProviderError:
        """Return the error for an answer with a good status and no text where it should be."""
        data = failed.data
        if isinstance(data, dict) and any(data.get(key) for key in MESSAGES):
            return failure(failed, (), self.redact)
        where = f"no text at {self._definition.answers.written} (response.content)"
        if isinstance(data, dict):
            what = f"{where}; it has: {', '.join(map(str, data)) or 'nothing'}"
        elif isinstance(data, str):
            what = f"text that is no JSON: {data[:LONGEST_TEXT]}" if data else "an empty body"
        else:
            what = f"{where}; it is a {type(data).__name__}"
        text = one_line(self.redact(what), LONGEST_TEXT)
        return MalformedAnswerError(f"answered {failed.status} with {text}", status=failed.status)

    def _is_streamed(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether events follow: a server that can't stream answers with plain JSON."""
        kind = headers.get("content-type", "").lower()
        assert self._definition.streaming is not None
        is_plain = self._definition.streaming.format == "sse" and ("json" in kind or "html" in kind)
        return 200 <= status < 300 and not is_plain


def parsed(body: bytes) -> Any:
    """Return what *body* says as JSON, its text where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
