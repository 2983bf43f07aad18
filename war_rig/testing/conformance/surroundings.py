"""What a provider's code runs in: a thread with a limit, and nothing real in reach."""

import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from war_rig.testing.conformance.guard import nothing_leaves
from war_rig.testing.conformance.planting import Planting, planted_environment, watched_environment


class TooLate(Exception):  # noqa: N818  what the bench tells, not an error of the kit's
    """Tells that something had not ended when its time was up."""


@dataclass
class Played:
    """What came of it: a value, or what was raised, of any kind."""

    value: Any = None
    error: BaseException | None = None


def limited(work: Callable[[], Any], seconds: float, stuck: list[threading.Thread]) -> Played:
    """Return what came of *work*, done in a thread that joins *stuck* when its time is up."""
    late = TooLate(f"it had not ended after {seconds:g} s")
    played = [Played(error=late)]

    def record() -> None:
        try:
            played.append(Played(work()))
        except BaseException as error:  # the plugin's border: SystemExit ends only this thread
            played.append(Played(error=error))

    thread = threading.Thread(target=record, name="war-rig-kit", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        if thread.is_alive():
            stuck.append(thread)
    return played[-1]


_KEPT = ExitStack()
"""The surroundings of threads that did not end: whatever they do later, they do in them."""


@contextmanager
def surroundings(
    planting: Planting, refused: set[str], stuck: list[threading.Thread], *, watched: bool
) -> Iterator[None]:
    """Let the provider's code run with planted variables, and nothing leave this machine.

    Where a thread joins *stuck* meanwhile, it stays so until the process ends.
    watched: whether the variables that it reads are planted as it asks.
    """
    before = len(stuck)
    with ExitStack() as around:
        around.enter_context(planted_environment(planting.variables))
        if watched:
            around.enter_context(watched_environment(planting))
        around.enter_context(nothing_leaves(refused))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a provider leaves open is told by rules
                yield
        finally:
            if len(stuck) > before:
                _KEPT.push(around.pop_all())


@contextmanager
def thrown_away() -> Iterator[None]:
    """Throw away at the end what came to be: a client left open must not complain in later tests.

    What was there before is not looked at, which would take longer than all else.
    """
    if gc.get_freeze_count():  # inside of another
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
        gc.unfreeze()
