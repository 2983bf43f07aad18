"""The definitions that come with War Rig: vendors as data, in config/providers/*.yaml.

Each top-level key of a file there is the name of a provider. Listing them reads
the files and parses none.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_NAME = re.compile(r"^([a-z][a-z0-9_]*):", re.MULTILINE)


@cache
def shipped() -> Mapping[str, Path]:
    """Return the names of the shipped definitions, each with its file."""
    packaged = Path(__file__).parents[2] / "_config"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[3] / "config"
    files = sorted((folder / "providers").glob("*.yaml"))
    return {n: file for file in files for n in _NAME.findall(file.read_text(encoding="utf-8"))}
