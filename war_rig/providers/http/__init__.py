"""The provider that needs no Python: any HTTP API, declared in YAML.

``type: http`` of the configuration is ``HttpProvider``; the definitions in
config/providers are entries of that type with a name of their own.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from war_rig.providers.http.provider import HttpProvider

__all__ = ["HttpProvider"]


def __getattr__(name: str) -> Any:
    if name == "HttpProvider":
        from war_rig.providers.http.provider import HttpProvider

        return HttpProvider
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
