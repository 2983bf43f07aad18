"""War Rig over the openai SDK: the container, and the built-in provider of that name."""

from adapters import war_rig

REQUIRES = war_rig.REQUIRES
IMPORT = war_rig.IMPORT
PACKAGE = war_rig.PACKAGE


class Adapter(war_rig.Adapter):
    entry = """
type: openai
base_url: {url}
api_key: ${{HOUSE_KEY}}
"""
