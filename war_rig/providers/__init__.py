"""Providers: the contract, the names, and the built-in ones.

Importing this package loads the standard library only.
"""

from war_rig.providers.protocol import (
    CompletionChunk,
    CompletionResponse,
    LLMProvider,
    Message,
)
from war_rig.providers.registry import available_providers, create_provider, register_provider

__all__ = [
    "CompletionChunk",
    "CompletionResponse",
    "LLMProvider",
    "Message",
    "available_providers",
    "create_provider",
    "register_provider",
]
