"""``war-rig document``: documentation of a source tree."""


def document() -> None:
    """Document a source tree."""
