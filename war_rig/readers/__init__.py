"""Readers: from a source file to its units and facts, by code alone.

A reader is any class with ``language``, ``reads()`` and ``read()``, found by the
entry-point group ``war_rig.readers``. A file that none of them reads goes to
the plain-text reader, so that nothing is skipped in silence.
"""

from war_rig.readers.registry import reader_for, readers
from war_rig.readers.source import (
    Fact,
    Problem,
    Reader,
    Reading,
    Source,
    Unit,
    clipped,
    decode,
)

__all__ = [
    "Fact",
    "Problem",
    "Reader",
    "Reading",
    "Source",
    "Unit",
    "clipped",
    "decode",
    "reader_for",
    "readers",
]
