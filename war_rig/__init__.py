"""War Rig: agents on any LLM, wired by a dependency-injection container.

Import what you need from its rooms: ``war_rig.providers``, ``war_rig.agents``,
``war_rig.errors``, ``war_rig.testing``; the container itself is ``containers``.
"""

__version__ = "0.1.0"
