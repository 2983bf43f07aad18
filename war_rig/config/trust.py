"""What a war_rig.yaml that was only found in the current folder may not do.

Somebody else's folder must not be able to send your keys, or your text, anywhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from war_rig.config.interpolation import references
from war_rig.yaml_file import Fault, File, Located

HOW_TO_TRUST = (
    "war_rig.yaml was only found in the current folder: "
    "to trust it, pass --config war_rig.yaml or set WAR_RIG_CONFIG=war_rig.yaml"
)


def distrusted(tree: Located, key: str, file: File) -> Iterator[Fault]:
    """Yield what a file that was only found in the current folder may not do."""
    if file.is_trusted:
        return
    if isinstance(tree.value, (dict, list)):
        items = tree.value.items() if isinstance(tree.value, dict) else enumerate(tree.value)
        for name, item in items:
            dotted = f"{key}.{name}" if key else str(name)
            yield from distrusted(item, dotted, file)
            if text := _forbidden(dotted, item, file.folder):
                yield Fault(item.origin, dotted, f"{text}; {HOW_TO_TRUST}")
    elif references(tree.value):
        yield Fault(tree.origin, key, f"may not use the environment; {HOW_TO_TRUST}")


_DISTRIBUTION = re.compile(r"providers\..*\.distribution")
_COMMAND = re.compile(r"providers\.[^.]+\.auth\..*\bcommand")
_FILE = re.compile(
    r"providers\.[^.]+\.(auth\..*\bfile|ca|certificate|certificate_key)"
    r"|(providers\.[^.]+\.)?policies\.cache\.path"
)
_CONTENT = re.compile(r"(providers\.[^.]+\.)?policies\.trace\.content")


def _forbidden(key: str, item: Located, folder: Path) -> str | None:
    """Return what a file that is not trusted may not do by setting *key*."""
    if key == "plugins" or _DISTRIBUTION.fullmatch(key):
        return "may not be set"
    if _COMMAND.fullmatch(key):
        return "may not run a command"
    if _CONTENT.fullmatch(key) and item.value:
        return "may not send what is asked and answered to a trace"
    if _FILE.fullmatch(key) and isinstance(item.value, str) and not _is_inside(folder, item.value):
        return "lies outside the file's folder"
    return None


def _is_inside(folder: Path, path: str) -> bool:
    try:
        there = (folder / Path(path).expanduser()).resolve()
        return there.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a link to itself, no such ~user, a zero byte
        return False
