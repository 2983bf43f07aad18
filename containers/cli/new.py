"""``war-rig providers new``: a package for a provider of one's own, from config/scaffold."""

import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from containers.cli.options import Debug
from war_rig.errors import ConfigError

_EXAMPLE = "acme"


def new(
    name: Annotated[str, typer.Argument(help="What the provider will be called.")],
    http: Annotated[
        bool, typer.Option("--http", help="For an API with JSON: a definition in YAML, no class.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Make a package for a provider of your own.

    It installs, answers and passes its tests before you change a line.
    """
    words = _words(_free(name))
    folder = Path(words["acme-warrig"])
    kind = "http" if http else "class"
    _make(folder, dict(_files(kind, words)))
    yours = "acme_warrig/acme.yaml" if http else "acme_warrig/provider.py"
    print(
        f"made {folder}: a package for the provider '{words[_EXAMPLE]}'\n"
        f"  cd {folder}\n"
        "  pip install -e '.[dev]'\n"
        "  pytest\n"
        f"then read README.md; what you will change is {_filled(yours, words)}"
    )


def _free(name: str) -> str:
    """Return the normalised *name*; raise ConfigError where it is none, or taken."""
    from war_rig.names import normalise
    from war_rig.providers.registry import TYPES, registrations

    try:
        normal = normalise(name)
    except ValueError as error:
        raise ConfigError(f"no package was made: {error}") from None
    taken = {one.name: one.described for one in registrations()}
    taken |= dict.fromkeys(TYPES, "a type of entries in war_rig.yaml")
    if normal in taken:
        raise ConfigError(
            f"no package was made: the name '{normal}' is taken: {taken[normal]}\n"
            "  choose another name"
        )
    return normal


def _words(name: str) -> dict[str, str]:
    """Return the words of the example, each with what stands in its place for *name*.

    A longer word comes before the shorter one that it begins with.
    """
    parts = [part for part in name.split("_") if part]
    return {
        "acme-warrig": "-".join([*parts, "warrig"]),
        "acme_warrig": "_".join([*parts, "warrig"]),
        "Acme": "".join(part.capitalize() for part in parts),
        "ACME": name.upper(),
        _EXAMPLE: name,
    }


def _filled(text: str, words: dict[str, str]) -> str:
    """Return *text* with all words replaced in one go: a name may hold one of them."""
    return re.sub("|".join(words), lambda found: words[found[0]], text)


def _files(kind: str, words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of a package."""
    from war_rig.shipped import shipped_path

    for part in ("common", kind):
        root = shipped_path("scaffold", part)
        for file in sorted(root.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":  # pip compiles what it installs
                path = file.relative_to(root).as_posix()
                yield _filled(path, words), _filled(file.read_text(encoding="utf-8"), words)


def _make(folder: Path, files: dict[str, str]) -> None:
    """Write *files* into a new *folder*, all or none."""
    try:
        folder.mkdir()
    except FileExistsError:
        raise ConfigError(
            f"no package was made: {folder} is there already, and stays as it is\n"
            "  run this in another folder, or choose another name"
        ) from None
    except OSError as error:
        raise _unwritten(folder, error) from error
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _unwritten(folder, error) from error


def _unwritten(folder: Path, error: OSError) -> ConfigError:
    if error.errno == errno.ENAMETOOLONG:
        return ConfigError("no package was made: its name is too long: choose a shorter one")
    return ConfigError(
        f"no package was made: {folder} can't be written: {error.strerror}\n"
        "  run this in a folder of your own"
    )
