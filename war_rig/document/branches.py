"""The code of the cited lines, and what is done in one branch of them only."""

import re

_COMMENT = re.compile(r"^(?:.{6}[*/]|\s*(?:\*|--|#|//)).*$", re.MULTILINE)


def code_of(cited: str) -> str:
    """Return *cited* without its lines of comment."""
    return _COMMENT.sub("", cited)
