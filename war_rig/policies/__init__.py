"""Policies: what is wrapped around a provider. Each takes an LLMProvider and is one.

Importing this package loads nothing else: what few declare, few pay for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from war_rig.policies.cache import CachedProvider
    from war_rig.policies.cache_store import CacheStore

__all__ = ["CacheStore", "CachedProvider"]

_MODULES = {"CacheStore": "cache_store", "CachedProvider": "cache"}


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'war_rig.policies' has no attribute {name!r}")
    return getattr(import_module(f"war_rig.policies.{_MODULES[name]}"), name)
