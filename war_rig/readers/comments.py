"""Which comments say something, and what."""

import re
from collections.abc import Iterable, Iterator

from war_rig.readers.source import clipped

CUT = " ..."
"""What stands for the rest of a comment."""

_WORDS = re.compile(r"[^\W\d_]{2,}")
_DECORATION = " \t*-=/#>+~_|"
_END = re.compile(r"[.!?][)'\"]*$")


def bare(comments: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield *comments*, lines with their texts, without what decorates them, at most some of it."""
    for line, text in comments:
        yield line, clipped(text.strip(_DECORATION), mark=CUT)


def telling(comments: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield those of *comments*, lines with their texts, that have two words or more.

    And a single word that ends a sentence of the line above, which is cut without it.
    """
    open_line = -1
    for line, text in comments:
        words, is_end = len(_WORDS.findall(text)), _END.search(text) is not None
        if words > 1 or (words == 1 and is_end and line == open_line + 1):
            yield line, text
            open_line = -1 if is_end else line
