"""The conformance kit: does a provider keep the contract? docs/conformance.md tells of it.

pytest --war-rig-provider my_provider.provider:MyProvider
war-rig providers check my_provider.provider:MyProvider
"""

from war_rig.testing.conformance.kit import Kit
from war_rig.testing.conformance.rule import Rule, Verdict
from war_rig.testing.conformance.rules import RULES

__all__ = ["RULES", "Kit", "Rule", "Verdict"]
