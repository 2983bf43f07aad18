"""Policies: what is wrapped around a provider. Each takes an LLMProvider and is one."""

from war_rig.policies.cache import CachedProvider, CacheStore

__all__ = ["CacheStore", "CachedProvider"]
