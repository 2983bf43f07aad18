"""An environment a peer, made on first use and kept in the temporary folder.

BENCH_VENVS names another folder. Peers that need the same share one; to install
newer versions, delete it. What a peer sees of the process's environment is
written here too: no keys, no proxies, no home folder.
"""

import os
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VENVS = Path(os.environ.get("BENCH_VENVS") or Path(tempfile.gettempdir(), "bench-venvs"))
HOME = Path(tempfile.gettempdir(), "bench-home")
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": str(HOME),
    "NO_PROXY": "*",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import asks the internet for prices
}
ADAPTERS = (
    "raw_httpx",
    "raw_httpx_aiohttp",
    "raw_aiohttp",
    "openai_sdk",
    "openai_sdk_aiohttp",
    "any_llm",
    "pydantic_ai",
    "litellm",
    "war_rig_openai",
    "war_rig_bare",
    "war_rig",
    "war_rig_full",
)
_INSTALL_SECONDS = 900


def adapter(name: str) -> Any:
    """Return the module of the adapter *name*; its peer is not imported."""
    return import_module(f"adapters.{name}")


def python(requires: tuple[str, ...]) -> Path:
    """Return the Python of an environment that has what is required; make it where it is missing.

    Raises CalledProcessError where pip can't install it.
    """
    folder = VENVS / re.sub(r"\W+", "_", " ".join(requires)).strip("_")
    ready = folder / "ready"
    if not ready.exists():
        print(f"making {folder}", file=sys.stderr, flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", *requires)
        ready.touch()
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=_INSTALL_SECONDS, stdout=sys.stderr)
