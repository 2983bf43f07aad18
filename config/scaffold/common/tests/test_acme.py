"""The provider acme, asked as an agent asks it: by its name, against the stand-in."""

from contextlib import suppress
from urllib.parse import unquote_plus

import pytest
from containers import application
from stand_in import CONTENT, TOKENS, StandIn, stand_in
from war_rig.errors import AuthenticationError, ProviderError
from war_rig.providers import CompletionResponse


def ask(api: StandIn, text: str) -> CompletionResponse:
    """Return the answer of an agent whose provider is acme."""
    env = {
        "LLM_PROVIDER": "acme",
        "ACME_API_KEY": "my-key",
        "ACME_ENDPOINT": api.url,
    }
    return application(env=env).agents("assistant").run_sync(text)


def test_it_answers() -> None:
    with stand_in() as api:
        response = ask(api, "Hello")
    assert (response.content, response.model) == (CONTENT, "acme-1")
    # Take this out where acme tells no usage:
    assert response.tokens_used == TOKENS


def test_the_api_gets_the_key_the_model_and_the_text() -> None:
    with stand_in() as api, suppress(ProviderError):  # an answer is another test's
        ask(api, "What is a copybook?")
    sent = unquote_plus(api.requests[0])  # in a form a blank is a plus sign
    # Where acme's key only signs the request, look for the name of its header instead.
    for part in ("my-key", "acme-1", "What is a copybook?"):
        assert part in sent


def test_a_wrong_key_is_told_as_such() -> None:
    with stand_in() as api:
        api.status = 401
        with pytest.raises(AuthenticationError):
            ask(api, "Hello")
