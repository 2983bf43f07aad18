"""What the Scribe says, and where it says that it is written."""

import re
from dataclasses import dataclass
from typing import Literal

_WRITTEN = re.compile(r"(?P<file>.+):L?(?P<first>\d{1,9})(?:-L?(?P<last>\d{1,9}))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Citation:
    """Lines of a file, counted from 1, both ends included."""

    file: str
    first: int
    last: int

    @classmethod
    def parse(cls, written: str) -> "Citation":
        """Return ``FILE:FIRST-LAST`` or ``FILE:LINE`` as a citation; raise ValueError else."""
        match = _WRITTEN.fullmatch(written) or _WRITTEN.fullmatch(written.strip().strip("`"))
        if match is None:
            raise ValueError(f"{written!r} is not FILE:FIRST-LAST")
        first = int(match["first"])
        return cls(match["file"], first, int(match["last"] or first))

    def __str__(self) -> str:
        return f"{self.file}:{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence about a unit, and the citations as the Scribe wrote them."""

    text: str
    cites: tuple[str, ...]
    about: Literal["purpose", "rule"] = "purpose"

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Return the parsed citations; raise ValueError for one that can't be parsed."""
        return tuple(map(Citation.parse, self.cites))
