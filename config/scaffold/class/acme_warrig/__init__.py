"""The LLM acme, for War Rig."""
