"""OAuth2's client credentials (RFC 6749, 4.4): an id and a secret for a token that expires."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode, urlsplit

from war_rig.errors import (
    AuthenticationError,
    MalformedAnswerError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from war_rig.providers.foreign import one_line, retry_after_of
from war_rig.providers.http.keys import Ask, Key, basic
from war_rig.providers.http.wire import Answer, Request
from war_rig.providers.secrets import Redactor


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Fetches an access token; what goes wrong is told with the token server's host.

    form holds the parameters besides the id and the secret, which go into the
    form too where is_secret_in_body, else into an Authorization header.
    """

    token_url: str
    client_id: str
    secret: Key
    form: Mapping[str, str]
    is_secret_in_body: bool = False

    async def __call__(self, ask: Ask) -> tuple[str, float]:
        """Return an access token, and for how many seconds the server says that it is good."""
        secret = await self.secret.read(ask)
        answer = await self._asked(ask, self._request(secret))
        if not 200 <= answer.status < 300:
            self.secret.forget(secret)
            raise self._refusal(answer)
        content = _object(answer)
        token = content.get("access_token")
        if not isinstance(token, str) or not token:
            what = f"answered {answer.status} without an access_token"
            raise MalformedAnswerError(self._told(what), status=answer.status)
        return token, _seconds(content.get("expires_in"))

    def secrets(self) -> set[str]:
        """Return the secret as it goes into the form, and as it goes into the header."""
        secrets = self.secret.secrets()
        return secrets | {self._header(secret).rpartition(" ")[2] for secret in secrets}

    def _header(self, secret: str) -> str:
        """Return the Authorization header; the RFC wants both parts encoded like a form before."""
        return basic(quote_plus(self.client_id), quote_plus(secret))

    def _request(self, secret: str) -> Request:
        form = {"grant_type": "client_credentials", **self.form}
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if self.is_secret_in_body:
            form |= {"client_id": self.client_id, "client_secret": secret}
        else:
            headers["Authorization"] = self._header(secret)
        return Request("POST", self.token_url, headers, (), urlencode(form).encode())

    async def _asked(self, ask: Ask, request: Request) -> Answer:
        try:
            return await ask(request)
        except ProviderError as error:
            failure = error
        raise type(failure)(self._told(str(failure)), is_retryable=failure.is_retryable)

    def _refusal(self, answer: Answer) -> ProviderError:
        content = _object(answer)
        reasons = [content.get("error"), content.get("error_description")]
        said = ": ".join(reason for reason in reasons if isinstance(reason, str))
        text = said or answer.body.decode("utf-8", "replace")
        text = one_line(Redactor(self.secrets()).redact(text))
        return _kind(answer.status)(
            self._told(f"answered {answer.status}: {text}"),
            status=answer.status,
            retry_after_seconds=retry_after_of(_RefusedError(answer.headers)),
        )

    def _told(self, what: str) -> str:
        return f"got no token: the token server {urlsplit(self.token_url).hostname} {what}"


class _RefusedError(Exception):
    """Carries an answer's headers to where a wait is read from them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers


def _kind(status: int) -> type[ProviderError]:
    if status == 429:
        return RateLimitError
    return ServerError if status >= 500 else AuthenticationError


def _object(answer: Answer) -> dict[str, object]:
    """Return the JSON object of *answer*, an empty one where it holds none."""
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _seconds(value: object) -> float:
    """Return how long a token is good: a number or its text, for ever where none is told."""
    if not isinstance(value, (int, float, str)):
        return math.inf
    try:
        return max(0.0, float(value))
    except (ValueError, OverflowError):
        return math.inf
