"""Configuration: one YAML file over the shipped default, checked whole at load.

``load`` returns ``Settings``, or raises one ConfigError that lists every
fault with its file, line and key. Each value remembers where it was set.
"""

from war_rig.config.loading import load
from war_rig.config.policies import PolicySettings
from war_rig.config.settings import AgentSettings, DocumentSettings, ProviderEntry, Settings
from war_rig.yaml_file import Located, Origin

__all__ = [
    "AgentSettings",
    "DocumentSettings",
    "Located",
    "Origin",
    "PolicySettings",
    "ProviderEntry",
    "Settings",
    "load",
]
