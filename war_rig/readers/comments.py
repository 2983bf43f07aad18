"""Which comments say something, and what."""

import re
from collections.abc import Iterable, Iterator

from war_rig.readers.source import clipped

CUT = " ..."
"""What stands for the rest of a comment."""

_WORDS = re.compile(r"[^\W\d_]{2,}")
_DECORATION = " \t*-=/#<>+~_|"
_END = re.compile(r"[.!?][)'\"]*$")


def telling(comments: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield those of *comments*, lines with their texts, that have two words or more.

    And a single word where a sentence of the line above goes on with it. Each is without
    what decorates it, such as the edges of a box, and at most some of it.
    """
    open_line = -1
    for line, written in comments:
        text = clipped(written.strip(_DECORATION), mark=CUT)
        words = len(_WORDS.findall(text))
        if words > 1 or (words == 1 and line == open_line + 1):
            yield line, text
            open_line = -1 if _END.search(text) else line
