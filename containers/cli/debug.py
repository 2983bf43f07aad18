"""Whether --debug was given: tracebacks, and War Rig's own debug log, on stderr."""

is_on = False


def turn_on(is_asked: bool) -> bool:
    """Turn it on for this process where *is_asked*."""
    global is_on
    if is_asked:
        import logging

        is_on = True
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("war_rig").setLevel(logging.DEBUG)
    return is_asked
