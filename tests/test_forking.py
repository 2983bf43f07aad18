"""A forked child goes on with what its parent had: locks, sums and the cache's file."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT

from war_rig.forking import _begin_anew
from war_rig.ledger import Attempt, Ledger
from war_rig.policies import CachedProvider, CacheStore
from war_rig.policies.retry import RetryBudget
from war_rig.providers import CompletionResponse
from war_rig.testing import FakeProvider

CAN_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")

LOCKED = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stacked import HELLO, stacked
from war_rig.errors import ServerError
from war_rig.ledger import Ledger
from war_rig.testing import FakeProvider

run = Ledger()
provider = FakeProvider("fine", replies=["one", "two", ServerError("down", status=503), "three"])
policies = {"retry": {"attempts": 2, "wait_seconds": 0.001}, "cache": {"path": sys.argv[2]}}
stack = stacked(provider, run=run, **policies)

def ask(temperature):
    return asyncio.run(stack.complete(HELLO, temperature=temperature)).content

def is_of_retries(layer):
    while not hasattr(layer, "_budget"):
        layer = layer.provider
    return layer._budget

cache = stack.provider
locks = [run._lock, is_of_retries(stack.provider)._lock, cache._lock, cache._store._lock]
print(ask(0.1), flush=True)
for lock in locks:
    lock.acquire()
child = os.fork()
for lock in () if child == 0 else locks:
    lock.release()
if child == 0:
    signal.alarm(20)
    print(ask(0.1), ask(0.2), ask(0.3), run.total.sent, cache.hits, flush=True)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(ask(0.2), ask(0.3), run.total.sent, cache.hits)
"""


@CAN_FORK
def test_a_forked_child_waits_for_no_lock_of_its_parent(tmp_path: Path) -> None:
    """Locks that another thread held at the fork are free in it, and the cache is shared."""
    command = [sys.executable, "-c", LOCKED, str(ROOT / "tests"), str(tmp_path / "cache.sqlite")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("one\none two three 4 1\ntwo three 1 2\n", "")


def test_sums_and_counts_are_kept_in_a_child() -> None:
    """It goes on counting from where its parent was."""
    run, retries = Ledger(), RetryBudget(0, 1)
    run.add([Attempt("fake", "m", "answered", "")])
    retries.take()
    _begin_anew()
    assert (run.total.sent, retries.take()) == (1, False)


def test_the_cache_opens_its_file_anew_in_a_child(tmp_path: Path) -> None:
    """A connection of SQLite is its process's: the child neither uses nor closes the parent's."""
    answer = CompletionResponse("fine", "m", 1)
    with closing(CacheStore(tmp_path / "cache.sqlite")) as store:
        cached = CachedProvider(FakeProvider("fine"), store, "fake")
        store.put("key", answer)
        parents = store._database
        _begin_anew()
        assert store.get("key") == answer
        assert isinstance(parents, sqlite3.Connection)
        assert store._database is not parents
        assert parents.execute("SELECT count(*) FROM answer").fetchone() == (1,)  # it is open
        parents.close()
        assert (cached.calls, cached.hits) == (0, 0)


def test_a_cache_that_was_not_opened_opens_in_a_child(tmp_path: Path) -> None:
    """There is nothing to leave to the parent."""
    with closing(CacheStore(tmp_path / "cache.sqlite")) as store:
        store.begin_anew()
        assert store.get("key") is None


CALLING = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[1])
from stacked import HELLO, SlowProvider, stacked

provider = SlowProvider(30)
stack = stacked(provider, retry=None, timeout={"total": 20}, rate_limit={"concurrency": 1})

async def play():
    asyncio.create_task(stack.complete(HELLO))
    await asyncio.sleep(0.1)
    if not os.fork():
        provider.seconds = 0
        asyncio._set_running_loop(None)
        loop = asyncio.new_event_loop()
        print(loop.run_until_complete(stack.complete(HELLO)).content, flush=True)
        os._exit(0)
    os.wait()
    os._exit(0)

asyncio.run(play())
"""


@CAN_FORK
def test_a_forked_child_waits_for_no_call_of_its_parent() -> None:
    """What the parent has under way takes no place in the child."""
    command = [sys.executable, "-c", CALLING, str(ROOT / "tests")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("slow answer\n", "")
