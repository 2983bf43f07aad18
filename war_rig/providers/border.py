"""The host's side of the contract: what leaves a provider is an answer or one of our errors.

``Border`` is an LLMProvider around any provider. The container puts it inside
each option of its Selector, so that agents and policies meet one kind of
failure, whoever wrote the provider, and no secret passes.
"""

import inspect
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from functools import lru_cache
from typing import Any, TypeVar

from war_rig.errors import ConfigError, MalformedAnswerError, ProviderError, WarRigError
from war_rig.providers.answers import NotAnAnswerError, awaited, message, own, step_after
from war_rig.providers.classification import Verdict, classify
from war_rig.providers.foreign import (
    attribute,
    one_line,
    retry_after_of,
    said,
    status_of,
    text_of,
)
from war_rig.providers.protocol import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.secrets import Redactor
from war_rig.providers.streams import can_stream, streamed

E = TypeVar("E", bound=WarRigError)

_MOST_MODELS = 64
_log = logging.getLogger("war_rig.providers")


class Border:
    """Checks what goes into one provider and classifies what comes out.

    name: the provider's name in messages and errors. secrets: values that must
    not leave through an error, besides those in the process's environment.
    """

    def __init__(self, name: str, provider: LLMProvider, secrets: Iterable[str] = ()) -> None:
        self.name = name
        self.provider = provider
        self._redactor = Redactor(secrets)
        self._shown = lru_cache(_MOST_MODELS)(self._redactor.redact)
        self._taken = {"complete": _keywords(provider.complete)}
        if can_stream(provider):
            self._taken["stream"] = _keywords(attribute(provider, "stream"))

    def __repr__(self) -> str:
        return f"<Border of provider '{self.name}': {type(self.provider).__name__}>"

    @property
    def default_model(self) -> str:
        """Return the provider's own default model."""
        try:
            return self.provider.default_model
        except Exception as error:  # a property of the plugin's
            failure = error
        raise self._error(failure, None) from self._cause(failure)

    def shown_model(self, model: str | None) -> str | None:
        """Return the name of *model*, or of the default one, without secrets; None if unknown."""
        model = model or self._default_model()
        return model and self._shown(model)

    @property
    def takes_output_schema(self) -> bool:
        """Return whether complete() takes ``output_schema``, as the provider says of itself."""
        return attribute(self.provider, "takes_output_schema") is True

    @property
    def is_stream_emulated(self) -> bool:
        """Return whether stream() gives the whole answer as one chunk: the provider has none."""
        return "stream" not in self._taken

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Ask the provider; raise one of our errors where it does not answer.

        A model or temperature of None is not passed on, all else is, by
        keyword. What the provider's signature can't take is a ConfigError.
        """
        kwargs = self._accepted("complete", model, temperature, kwargs)
        model = self._begin(messages, model, "asking")
        try:
            answer = await awaited(self.provider, messages, kwargs)
            return own(answer, model, NotAnAnswerError)
        except Exception as error:  # the plugin's border
            failure = error
        raise self._error(failure, model) from self._cause(failure)

    async def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Ask the provider, and yield its answer as it arrives; the last chunk has the response.

        Takes and raises what ``complete`` does, an error in mid-stream too.
        Closing the iterator early closes the provider's own.
        """
        method = "complete" if self.is_stream_emulated else "stream"
        kwargs = self._accepted(method, model, temperature, kwargs)
        model = self._begin(messages, model, "asking" if method == "complete" else "streaming from")
        asked = streamed(self.provider, messages, kwargs, model, NotAnAnswerError)
        try:
            async with aclosing(asked) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        except Exception as error:  # the plugin's border
            failure = error
        raise self._error(failure, model) from self._cause(failure)

    async def aclose(self) -> None:
        """Close the provider, where it can be closed; raise ProviderError where that fails."""
        try:
            closing = getattr(self.provider, "aclose", lambda: None)()
            if inspect.isawaitable(closing):
                await closing
            return
        except Exception as error:  # the plugin's border
            failure = error
        what = f"could not be closed: {said(failure, self._redactor.redact)}"
        raise ProviderError(f"provider '{self.name}' {what}", provider=self.name) from self._cause(
            failure
        )

    def _accepted(
        self, method: str, model: str | None, temperature: float | None, kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return all keywords for *method*; raise ConfigError for one that it can't take."""
        named = {"model": model, "temperature": temperature}
        kwargs |= {name: value for name, value in named.items() if value is not None}
        taken = self._taken[method]
        unknown = [name for name in kwargs if taken is not None and name not in taken]
        if unknown:
            raise ConfigError(
                f"provider '{self.name}' does not take {' and '.join(map(repr, unknown))}\n"
                f"  its {method}() takes: {', '.join(['messages', *sorted(taken or ())])}\n"
                "  remove it from the agent in war_rig.yaml, or from the call"
            )
        return kwargs

    def _begin(self, messages: list[Message], model: str | None, doing: str) -> str | None:
        model = model or self._default_model()
        if _log.isEnabledFor(logging.DEBUG):
            shown = model and self._shown(model)
            _log.debug("%s %s, model %s, %d messages", doing, self.name, shown, len(messages))
        return model

    def _default_model(self) -> str | None:
        try:
            model = self.default_model
        except WarRigError:  # only the error's details need it
            return None
        return model if isinstance(model, str) else None

    def _cause(self, failure: Exception) -> BaseException | None:
        """Return what may be kept of *failure*; one of our own is replaced, so its cause is."""
        is_replaced = isinstance(failure, (WarRigError, NotAnAnswerError))
        cause = failure.__cause__ if is_replaced else failure
        return None if cause is None else self._redactor.safe_cause(cause)

    def _error(self, failure: Exception, model: str | None) -> WarRigError:
        if isinstance(failure, WarRigError) and not isinstance(failure, ProviderError):
            return _own_kind(failure)(self._redactor.redact(text_of(failure)))
        redact, next_step = self._redactor.redact, ""
        if isinstance(failure, NotAnAnswerError):
            next_step = step_after(str(failure))
            verdict = Verdict(MalformedAnswerError, f"returned {one_line(redact(str(failure)))}")
        elif isinstance(failure, ProviderError):
            verdict = self._declared(failure)
        else:
            verdict = classify(failure, redact)
        _log.debug("%s failed: %s, status %s", self.name, verdict.kind.__name__, verdict.status)
        next_step = self._next_step(verdict.kind) or next_step
        return verdict.kind(
            redact(message(self.name, model, verdict, next_step)),
            provider=self.name,
            model=model and redact(model),
            status=verdict.status,
            retry_after_seconds=verdict.retry_after_seconds,
            is_retryable=verdict.is_retryable,
        )

    def _next_step(self, kind: type[ProviderError]) -> str:
        """Return what the provider says to do after an error of *kind*, nothing if it does not."""
        told = attribute(self.provider, "next_steps")
        return text_of(told.get(kind, "")) if isinstance(told, dict) else ""

    def _declared(self, failure: ProviderError) -> Verdict:
        """Return what a provider that raises our own errors said itself."""
        text = one_line(self._redactor.redact(text_of(failure)))
        is_predicate = attribute(self.provider, "errors_are_predicates") is True
        is_retryable = attribute(failure, "is_retryable")
        return Verdict(
            _own_kind(failure),
            text if is_predicate else f"reports: {text}",
            status_of(failure),
            retry_after_of(failure),
            is_retryable if isinstance(is_retryable, bool) else None,
        )


def _own_kind(failure: E) -> type[E]:
    """Return the nearest of our own error classes: a plugin's subclass may be built otherwise."""
    return next(kind for kind in type(failure).__mro__ if kind.__module__ == WarRigError.__module__)


def _keywords(method: Any) -> frozenset[str] | None:
    """Return the keywords that *method* takes after the messages, None where it takes any."""
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (ValueError, TypeError):
        return None
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(p.name for p in parameters[1:] if p.kind in kinds)
