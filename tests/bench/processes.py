"""Starts what measures, each in a process of its own, and the server that answers.

A row is what a process printed as JSON, or {"failed": why}.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import venvs
from rows import Row

_SERVER_REQUIRES = ("uvloop", "httptools")
_SERVER_SECONDS = 3 * 3600
_WORKER_SECONDS = 240
_LINES_OF_A_FAILURE = 4
_IMPORT = """
import json, os, sys, time
start, before = time.perf_counter(), len(sys.modules)
{}
milliseconds = 1e3 * (time.perf_counter() - start)
print(json.dumps({{"ms": milliseconds, "modules": len(sys.modules) - before}}), flush=True)
os._exit(0)
"""


@contextmanager
def serving() -> Iterator[str]:
    """Run the mock server, and give its URL; it ends when its input does, however this one ends."""
    command = [str(venvs.python(_SERVER_REQUIRES)), str(venvs.HERE / "server.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command.append(str(_SERVER_SECONDS))
    with subprocess.Popen(command, **pipes, env=venvs.ENV) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"


def work(python: Path, name: str, part: str, **options: Any) -> Row:
    """Let a worker take one measurement of the peer *name*."""
    order = {"adapter": name, "part": part} | options
    return _printed(python, str(venvs.HERE / "worker.py"), json.dumps(order))


def imported(python: Path, name: str) -> Row:
    """Import the peer in a fresh interpreter."""
    return _printed(python, "-c", _IMPORT.format(venvs.adapter(name).IMPORT))


def cold_start(python: Path, name: str, url: str) -> Row:
    """Measure from the start of a process to the end of its first call."""
    start = time.monotonic()
    row = work(python, name, "first", url=url)
    return row if "failed" in row else row | {"ms": 1e3 * (row["done_at"] - start)}


def _printed(python: Path, *arguments: str) -> Row:
    venvs.HOME.mkdir(exist_ok=True)
    try:
        ran = subprocess.run(
            [str(python), *arguments],
            capture_output=True, text=True, timeout=_WORKER_SECONDS, env=venvs.ENV, cwd=venvs.HOME,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"failed": f"no result in {_WORKER_SECONDS} s"}
    if ran.returncode:
        return {"failed": " | ".join(ran.stderr.strip().splitlines()[-_LINES_OF_A_FAILURE:])}
    row: Row = json.loads(ran.stdout.splitlines()[-1])
    return row
