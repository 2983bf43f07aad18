"""Test doubles for code that uses agents."""

from war_rig.testing.fake import Call, FakeProvider

__all__ = ["Call", "FakeProvider"]
