"""How many tokens a call took, where nobody reported it: four characters are about one."""

from collections.abc import Iterable

from war_rig.providers.protocol import CompletionResponse, Message


def estimate_tokens(text: str) -> int:
    """Return about how many tokens *text* is."""
    return (len(text) + 3) // 4


def mark_usage(response: CompletionResponse, messages: Iterable[Message]) -> CompletionResponse:
    """Say in *response* whether its token counts were reported; estimate them where there are none.

    Counts that a provider gave without a word are called reported.
    """
    if response.usage_source is not None:
        return response
    if response.tokens_used:
        response.usage_source = "reported"
        return response
    response.prompt_tokens = sum(estimate_tokens(m.content) for m in messages)
    response.completion_tokens = estimate_tokens(response.content)
    response.tokens_used = response.prompt_tokens + response.completion_tokens
    response.usage_source = "estimated"
    return response
