"""Where the files of ``config/`` are: they come with War Rig, which reads them and runs none."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped_path(*parts: str) -> Path:
    """Return a path in ``config/``: inside the package where installed, else the checkout's."""
    packaged = _PACKAGE / "_config"
    return (packaged if packaged.is_dir() else _PACKAGE.parent / "config").joinpath(*parts)
