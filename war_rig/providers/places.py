"""Where in somebody's code something happened, for the person who can change it."""

import os
import sys
from collections.abc import Iterator
from pathlib import PurePath

_OTHERS = sys.stdlib_module_names | {"war_rig"}
_INSTALLED = {"site-packages", "dist-packages"}


def short_path(filename: str) -> str:
    """Return *filename* as it is seen from the current folder, whole where that is elsewhere."""
    try:
        short = os.path.relpath(filename)
    except (ValueError, OSError):  # on another drive, or in a folder that is gone
        return filename
    return filename if short.startswith("..") else short


def place_of(error: BaseException) -> str:
    """Return `` (my.py:7, in f)``, the innermost line of the author's own code that *error* left.

    What is installed, the standard library and War Rig are not the author's. An
    empty text is returned where there is none.
    """
    *_, place = ("", *_places(error))
    return place


def _places(error: BaseException) -> Iterator[str]:
    step = error.__traceback__
    while step is not None:
        code, module = step.tb_frame.f_code, str(step.tb_frame.f_globals.get("__name__"))
        is_made = code.co_filename.startswith("<")  # by exec(), as in a dataclass
        is_installed = not _INSTALLED.isdisjoint(PurePath(code.co_filename).parts)
        if not (is_made or is_installed or module.partition(".")[0] in _OTHERS):
            within = "" if code.co_name == "<module>" else f", in {code.co_name}"
            yield f" ({short_path(code.co_filename)}:{step.tb_lineno}{within})"
        step = step.tb_next
