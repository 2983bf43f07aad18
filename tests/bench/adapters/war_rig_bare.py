"""War Rig without any policy, to tell what the policies cost."""

from adapters import war_rig

REQUIRES = war_rig.REQUIRES
IMPORT = war_rig.IMPORT
PACKAGE = war_rig.PACKAGE


class Adapter(war_rig.Adapter):
    policies = "{timeout: null, retry: null}"
