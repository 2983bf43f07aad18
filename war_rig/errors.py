"""Every error that War Rig raises on purpose::

    WarRigError
    ├── ConfigError                 what was asked for can't be done as it is written
    ├── UnknownProviderError        no provider has that name
    ├── PluginError                 a plugin can't be loaded, built, or told from another
    └── ProviderError               a call to a provider failed
        ├── AuthenticationError     401, 403
        ├── RateLimitError          429                       waiting helps
        ├── QuotaExceededError      402, 429                  waiting does not help
        ├── ModelNotFoundError      404
        ├── BadRequestError         400, 422, other 4xx
        ├── ContextTooLongError     400, 413                  more text than the model takes
        ├── ContentRefusedError     400                       the provider's content filter
        ├── ServerError             5xx, 529                  waiting helps
        ├── ProviderConnectionError no connection, or it broke
        ├── ProviderTimeoutError    408, no answer in time    waiting helps
        ├── MalformedAnswerError    an answer that is none
        ├── BudgetExceededError     not sent: the run's budget has no room for it
        └── CircuitOpenError        not sent: the provider has just failed too often

A message says what failed, where, and what to do next, and holds no secret.
"""

from typing import Any, ClassVar

from war_rig.ledger import Attempt


class WarRigError(Exception):
    """Base of all errors that War Rig raises on purpose.

    attempts: what was tried before it was given up, and what that cost; mostly nothing.
    """

    attempts: tuple[Attempt, ...] = ()


class ConfigError(WarRigError):
    """A file, key, argument or path that can't be used as it is written."""


class UnknownProviderError(WarRigError):
    """No provider has the name; the message lists those that exist."""


class PluginError(WarRigError):
    """A plugin that can't be imported or built, or whose name is taken twice."""


class ProviderError(WarRigError):
    """A call to a provider failed.

    provider, model: the names that were called, where known.
    status: the HTTP status, where the provider told one.
    retry_after_seconds: how long the server asked to wait, where it did.
    is_retryable: whether the same call may succeed later.
    """

    next_step: ClassVar[str] = (
        "see the text above; the option --debug of war-rig shows the traceback"
    )
    _is_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        is_retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.is_retryable = self._is_retryable if is_retryable is None else is_retryable

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.__dict__.copy())


def _rebuild(kind: type[ProviderError], message: str, state: dict[str, Any]) -> ProviderError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class AuthenticationError(ProviderError):
    """The provider did not accept the key (401) or its rights (403)."""

    next_step = "check the key and its rights: war-rig providers show {provider}"


class RateLimitError(ProviderError):
    """Too many requests or tokens a minute (429); retry_after_seconds says how long to wait."""

    next_step = "wait and ask again, or ask less often"
    _is_retryable = True


class QuotaExceededError(ProviderError):
    """The account has nothing left (402, or a 429 that no waiting cures)."""

    next_step = "waiting does not help: check the account's plan and billing"


class ModelNotFoundError(ProviderError):
    """The endpoint has no such model or path (404)."""

    next_step = "check the model's name and the endpoint's URL: war-rig providers show {provider}"


class BadRequestError(ProviderError):
    """The provider refused the request as it was sent (400, 422 and other 4xx)."""

    next_step = "the request itself has to change: check the model and the parameters"


class ContextTooLongError(ProviderError):
    """The messages are longer than the model takes."""

    next_step = "send less text, or choose a model with a larger context"


class ContentRefusedError(ProviderError):
    """The provider's content filter refused the request or the answer."""

    next_step = "change the text, or ask the provider's owner about its content filter"


class ServerError(ProviderError):
    """The provider's own server failed (5xx, 529)."""

    next_step = "the fault is on the provider's side: ask again later"
    _is_retryable = True


class ProviderConnectionError(ProviderError):
    """No connection to the provider, or it broke before the answer was whole."""

    next_step = (
        "check the endpoint's URL, the network and the proxy: war-rig providers show {provider}"
    )
    _is_retryable = True


class ProviderTimeoutError(ProviderError):
    """The provider did not answer in the declared time."""

    next_step = "ask again later, or declare a longer timeout"
    _is_retryable = True


class MalformedAnswerError(ProviderError):
    """What arrived is not an answer: nothing, HTML, broken JSON, an error body with status 200."""

    next_step = "check that the endpoint's URL is the API that this provider speaks"


class BudgetExceededError(ProviderError):
    """A call that was not sent: the tokens or the money of the run would not have been enough."""

    next_step = "raise the budget in war_rig.yaml, or ask for less: war-rig explain"


class CircuitOpenError(ProviderError):
    """A call that was not sent: the provider failed too often just before.

    retry_after_seconds: when a call is let through again, to try it.
    """

    next_step = (
        "ask again later: war-rig explain shows after how many failures a circuit opens, "
        "and for how long"
    )
