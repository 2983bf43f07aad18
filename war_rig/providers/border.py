"""The host's side of the contract: what leaves a provider is an answer or one of our errors.

``Border`` is an LLMProvider around any provider. The container puts it inside
each option of its Selector, so that agents and policies meet one kind of
failure, whoever wrote the provider, and no secret passes.
"""

import inspect
import logging
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

from war_rig.errors import ConfigError, MalformedAnswerError, ProviderError, WarRigError
from war_rig.providers.classification import Verdict, classify
from war_rig.providers.foreign import Redact, one_line, said, text_of
from war_rig.providers.protocol import CompletionResponse, LLMProvider, Message
from war_rig.providers.secrets import Redactor

E = TypeVar("E", bound=WarRigError)

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
        self._taken = _keywords(provider.complete)

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
        named = {"model": model, "temperature": temperature}
        kwargs |= {name: value for name, value in named.items() if value is not None}
        self._refuse_unknown(kwargs)
        model = model or self._default_model()
        _log.debug("asking %s, model %s, %d messages", self.name, model, len(messages))
        try:
            answer = await self._awaited(messages, kwargs)
            own, fault = _own(answer, model), _fault(answer)
        except Exception as error:  # the plugin's border
            failure = error
        else:
            return _passed(own, fault, self.name, model, self._redactor.redact)
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

    async def _awaited(self, messages: list[Message], kwargs: dict[str, Any]) -> Any:
        answer: Any = self.provider.complete(messages, **kwargs)
        if not inspect.isawaitable(answer):
            raise MalformedAnswerError("complete() is not async: write 'async def complete'")
        return await answer

    def _default_model(self) -> str | None:
        try:
            model = self.default_model
        except WarRigError:  # only the error's details need it
            return None
        return model if isinstance(model, str) else None

    def _refuse_unknown(self, kwargs: dict[str, Any]) -> None:
        unknown = [name for name in kwargs if self._taken is not None and name not in self._taken]
        if unknown:
            raise ConfigError(
                f"provider '{self.name}' does not take {' and '.join(map(repr, unknown))}\n"
                f"  its complete() takes: {', '.join(['messages', *sorted(self._taken or ())])}\n"
                "  remove it from the agent in war_rig.yaml, or from the call"
            )

    def _cause(self, failure: Exception) -> BaseException | None:
        """Return what may be kept of *failure*; one of our own is replaced, so its cause is."""
        cause = failure.__cause__ if isinstance(failure, WarRigError) else failure
        return None if cause is None else self._redactor.safe_cause(cause)

    def _error(self, failure: Exception, model: str | None) -> WarRigError:
        if isinstance(failure, WarRigError) and not isinstance(failure, ProviderError):
            return _own_kind(failure)(self._redactor.redact(text_of(failure)))
        redact = self._redactor.redact
        if isinstance(failure, ProviderError):
            verdict = _declared(failure, redact)
        else:
            verdict = classify(failure, redact)
        _log.debug("%s failed: %s, status %s", self.name, verdict.kind.__name__, verdict.status)
        return verdict.kind(
            redact(_message(self.name, model, verdict)),
            provider=self.name,
            model=model and redact(model),
            status=verdict.status,
            retry_after_seconds=verdict.retry_after_seconds,
            is_retryable=verdict.is_retryable,
        )


def checked(
    answer: object, provider: str, model: str | None = None, redact: Redact = str
) -> CompletionResponse:
    """Return a copy of *answer* where it is one; raise MalformedAnswerError naming *provider* else.

    A copy, since a provider may give the same object again.
    """
    return _passed(_own(answer, model), _fault(answer), provider, model, redact)


def _own(answer: object, model: str | None) -> CompletionResponse | None:
    """Return a plain copy of *answer*, None where it is no answer."""
    if not isinstance(answer, CompletionResponse):
        return None
    own = CompletionResponse(**{f.name: getattr(answer, f.name) for f in fields(answer)})
    own.tokens_used = own.tokens_used or 0
    own.model = own.model or model or "unknown"
    return own


def _passed(
    own: CompletionResponse | None,
    fault: str | None,
    provider: str,
    model: str | None,
    redact: Redact,
) -> CompletionResponse:
    if own is not None and fault is None:
        return own
    model = model and redact(model)
    verdict = Verdict(MalformedAnswerError, f"returned {one_line(redact(fault or 'nothing'))}")
    raise MalformedAnswerError(_message(provider, model, verdict), provider=provider, model=model)


def _fault(answer: object) -> str | None:
    if answer is None:
        return "None instead of an answer"
    if not isinstance(answer, CompletionResponse):
        return f"a {type(answer).__name__} instead of a CompletionResponse"
    if not isinstance(answer.content, str):
        return f"an answer whose content is a {type(answer.content).__name__}, not text"
    if not answer.content:
        reason = f" (finish reason: {answer.finish_reason})" if answer.finish_reason else ""
        return f"an answer without content{reason}"
    if answer.tokens_used is not None and not isinstance(answer.tokens_used, int):
        return f"an answer whose tokens_used is a {type(answer.tokens_used).__name__}, not a count"
    return None


def _own_kind(failure: E) -> type[E]:
    """Return the nearest of our own error classes: a plugin's subclass may be built otherwise."""
    return next(kind for kind in type(failure).__mro__ if kind.__module__ == WarRigError.__module__)


def _declared(failure: ProviderError, redact: Redact) -> Verdict:
    """Return what a provider that raises our own errors said itself."""
    return Verdict(
        _own_kind(failure),
        f"reports: {one_line(redact(text_of(failure)))}",
        getattr(failure, "status", None),  # its own __init__ may not have called ours
        getattr(failure, "retry_after_seconds", None),
        getattr(failure, "is_retryable", None),
    )


def _message(provider: str, model: str | None, verdict: Verdict) -> str:
    told = [f"model {model}"] if model else []
    if verdict.retry_after_seconds is not None:
        told.append(f"the server asks to wait {verdict.retry_after_seconds:g} s")
    lines = [f"provider '{provider}' {verdict.what}"]
    lines += [f"  {'; '.join(told)}"] if told else []
    return "\n".join([*lines, f"  {verdict.kind.next_step.format(provider=provider)}"])


def _keywords(complete: Any) -> frozenset[str] | None:
    """Return the keywords that *complete* takes after the messages, None where it takes any."""
    try:
        parameters = list(inspect.signature(complete).parameters.values())
    except (ValueError, TypeError):
        return None
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(p.name for p in parameters[1:] if p.kind in kinds)
