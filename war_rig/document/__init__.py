"""The main job: documentation of a source tree whose every claim cites checked lines.

Code states facts, the Scribe writes meaning, pure functions check it, and a
claim that no check supports is printed as unverified, never as a fact.
"""

from war_rig.document.claims import Citation, Claim
from war_rig.document.pages.folder import DocsFolder
from war_rig.document.plan import Plan, plan
from war_rig.document.run import Progress, Summary, document, estimate

__all__ = [
    "Citation",
    "Claim",
    "DocsFolder",
    "Plan",
    "Progress",
    "Summary",
    "document",
    "estimate",
    "plan",
]
