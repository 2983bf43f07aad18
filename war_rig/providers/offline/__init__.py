"""The embedded provider ``offline``, which needs no model, no key and no network."""

from war_rig.providers.offline.provider import FACTS_FENCE, OfflineProvider
from war_rig.providers.offline.statements import TOLD, code_of

__all__ = ["FACTS_FENCE", "TOLD", "OfflineProvider", "code_of"]
