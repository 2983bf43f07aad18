"""The embedded provider ``offline``, which needs no model, no key and no network."""

from war_rig.providers.offline.provider import FACTS_FENCE, OfflineProvider
from war_rig.providers.offline.statements import TOLD

__all__ = ["FACTS_FENCE", "TOLD", "OfflineProvider"]
