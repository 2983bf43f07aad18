"""The definitions that come with War Rig: vendors as data, in config/providers/*.yaml.

Each top-level key of a file there is the name of a provider. Listing them reads
the files and parses none.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from war_rig.shipped import shipped_path

_NAME = re.compile(r"^([a-z][a-z0-9_]*):", re.MULTILINE)


@cache
def shipped() -> Mapping[str, Path]:
    """Return the names of the shipped definitions, each with its file."""
    files = sorted(shipped_path("providers").glob("*.yaml"))
    return {n: file for file in files for n in _NAME.findall(file.read_text(encoding="utf-8"))}
