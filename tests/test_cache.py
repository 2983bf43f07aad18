"""The cache policy: what was paid for once is not paid for again, and nothing secret is kept."""

import asyncio
import logging
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY
from hypothesis import given
from hypothesis import strategies as st
from stacked import complete_in, stacked, stream_in

from war_rig.errors import ConfigError, MalformedAnswerError, ServerError
from war_rig.ledger import Attempt
from war_rig.policies import CachedProvider, CacheStore
from war_rig.policies.attempts import Attempts
from war_rig.policies.call import Call
from war_rig.policies.policy import Request
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.border import Border
from war_rig.testing import FakeProvider

HELLO = [Message("system", "Be brief."), Message("user", "Hello")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CacheStore]:
    with closing(CacheStore(tmp_path / "cache.sqlite")) as store:
        yield store


def answer(content: str = "fine") -> CompletionResponse:
    return CompletionResponse(content, "m", 1)


def rows(store: CacheStore, sql: str = "SELECT key, stored FROM answer ORDER BY key") -> list[Any]:
    """Return what another process would read in the file."""
    with closing(sqlite3.connect(store.path)) as database:
        return database.execute(sql).fetchall()


def ask(provider: CachedProvider, messages: list[Message] = HELLO, **asked: Any) -> str:
    return asyncio.run(provider.complete(messages, **asked)).content


async def read(provider: CachedProvider, **asked: Any) -> list[CompletionChunk]:
    return [chunk async for chunk in provider.stream(HELLO, **asked)]


def streamed(provider: CachedProvider, **asked: Any) -> list[CompletionChunk]:
    return asyncio.run(read(provider, **asked))


def test_a_cached_provider_is_a_provider(store: CacheStore) -> None:
    """The policy is what it wraps: an LLMProvider with the same default model and name."""
    cached = CachedProvider(FakeProvider(model="m-1"), store, "fake")
    assert isinstance(cached, LLMProvider)
    assert (cached.default_model, cached.name) == ("m-1", "FakeProvider")


def test_the_same_question_is_asked_once(store: CacheStore) -> None:
    """A second call with the same content gets the stored answer, whole."""
    fake = FakeProvider(replies=["first"])
    cached = CachedProvider(fake, store, "fake")
    first = asyncio.run(cached.complete(HELLO))
    second = asyncio.run(cached.complete(HELLO))
    assert replace(second, attempts=()) == first
    assert (cached.calls, cached.hits, len(fake.calls)) == (1, 1, 1)


DIFFERENT: dict[str, dict[str, Any]] = {
    "model": {"model": "other"},
    "temperature": {"temperature": 0.5},
    "parameter": {"top_p": 0.5},
    "role": {"messages": [Message("user", "Be brief."), Message("user", "Hello")]},
    "text": {"messages": [Message("system", "Be brief."), Message("user", "Hello!")]},
    "surrogate": {"messages": [Message("user", "\udc80")]},
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_any_difference_asks_again(name: str, store: CacheStore) -> None:
    """Messages, model and parameters are all part of the question."""
    cached = CachedProvider(FakeProvider(replies=["first", "second"]), store, "fake")
    assert ask(cached) == "first"
    assert ask(cached, **DIFFERENT[name]) == "second"


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "value",
    [{1: "one", "b": "two"}, {("a", 1): "both"}, ENDLESS, object()],
    ids=["keys of two kinds", "a key that JSON has not", "a list in itself", "any object"],
)
def test_a_parameter_may_be_anything(value: object, store: CacheStore) -> None:
    """What a provider takes is its own: no call fails for the digest that is made of it."""
    cached = CachedProvider(FakeProvider(replies=["first", "second"]), store, "fake")
    assert [ask(cached, bias=value), ask(cached, bias=value)] == ["first", "first"]
    assert ask(cached, bias={"another": "one"}) == "second"


def test_another_provider_or_default_model_asks_again(store: CacheStore) -> None:
    """What one provider answered is no answer of another."""
    assert ask(CachedProvider(FakeProvider("a"), store, "one")) == "a"
    assert ask(CachedProvider(FakeProvider("b"), store, "two")) == "b"
    assert ask(CachedProvider(FakeProvider("c", model="new"), store, "one")) == "c"
    assert ask(CachedProvider(FakeProvider("d"), store, "one")) == "a"


def test_the_default_model_by_name_is_the_same_question(store: CacheStore) -> None:
    """Naming the model that would be used anyway changes nothing."""
    cached = CachedProvider(FakeProvider(replies=["first"], model="m-1"), store, "fake")
    assert ask(cached) == ask(cached, model="m-1") == "first"


def test_an_error_is_not_stored(store: CacheStore) -> None:
    """A call that failed is asked again."""
    cached = CachedProvider(FakeProvider(replies=[ServerError("no"), "yes"]), store, "fake")
    with pytest.raises(ServerError):
        ask(cached)
    assert ask(cached) == "yes"


def test_answers_of_work_that_failed_are_forgotten(store: CacheStore) -> None:
    """What could not be used is asked for again; what other work stored stays."""
    fake = FakeProvider(lambda messages: f"{messages[-1].content} {len(fake.calls)}")
    cached = CachedProvider(fake, store, "fake")
    ask(cached)

    async def work(text: str) -> None:
        with cached.one_piece_of_work():
            await cached.complete([Message("user", text)])
            await asyncio.sleep(0)
            if text == "bad":
                raise MalformedAnswerError("not usable")

    async def both() -> list[Any]:
        return await asyncio.gather(work("good"), work("bad"), return_exceptions=True)

    assert isinstance(asyncio.run(both())[1], MalformedAnswerError)
    assert ask(cached) == "Hello 1"
    assert ask(cached, [Message("user", "good")]) == "good 2"
    assert ask(cached, [Message("user", "bad")]) == "bad 4"


def test_the_file_keeps_no_message_and_no_secret(
    store: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what was asked nor a key that the answer echoes is in the file."""
    monkeypatch.setenv("HOUSE_KEY", CANARY)
    raw = {"authorization": CANARY}
    answers = iter(
        [
            CompletionResponse(f"your key is {CANARY}", "m", 1),
            CompletionResponse("fine", "m", 1, raw_response=raw),
        ]
    )

    class Echo:
        default_model = "m"

        async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
            return next(answers)

    cached = CachedProvider(Echo(), store, "echo")
    assert CANARY in ask(cached, [Message("user", "a planted question")])
    assert ask(cached, [Message("user", "another question")]) == "fine"
    store.close()
    kept = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert CANARY.encode() not in kept
    assert b"question" not in kept
    assert b"fine" in kept


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """The store and its companions have mode 0600, also where the file was there before."""
    path = tmp_path / "cache.sqlite"
    path.touch(mode=0o644)
    store = CacheStore(path)
    ask(CachedProvider(FakeProvider(), store, "fake"))
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}
    store.close()


def refusal(path: Path) -> list[str]:
    """Return the lines of the error for a cache at *path*."""
    with pytest.raises(ConfigError) as caught:
        CacheStore(path).get("k")
    return str(caught.value).splitlines()


FOREIGN = "  it is damaged, or no cache: set another 'path', or remove it if nobody needs it"


def test_a_file_that_is_no_cache_is_left_as_it_is(tmp_path: Path) -> None:
    """It may be somebody's work: neither what it holds nor who may read it is changed."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("this is no database, but a long enough text to be looked at")
    for sql in ("CREATE TABLE accounts (id)", "CREATE TABLE answer (id)"):
        other.unlink(missing_ok=True)
        with closing(sqlite3.connect(other)) as database:
            database.execute(sql)
        for path, reason in ((text, "file is not a database"), (other, "its tables are another's")):
            path.chmod(0o644)
            before = path.read_bytes()
            assert refusal(path) == [f"the cache {path} can't be used: {reason}", FOREIGN]
            assert path.read_bytes() == before
            assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_path_where_no_file_can_be_is_told(tmp_path: Path) -> None:
    """Nobody is told to remove a folder."""
    told = f"the cache {tmp_path} can't be used: [Errno 21] Is a directory: '{tmp_path}'"
    step = "  set another 'path', or see to it that this one can be read and written"
    assert refusal(tmp_path) == [told, step]
    missing, file = tmp_path / "none" / "c", tmp_path / "file"
    assert refusal(missing)[1] == f"  make the folder {missing.parent}, or set another 'path'"
    file.touch()
    assert refusal(file / "c")[1] == f"  {file} is no folder: set another 'path'"


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    """The store is not written through a link."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    step = "  it is a link, which is not followed: set 'path' to the file itself"
    assert refusal(link)[1] == step
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "row", ["no JSON", "[1]", "5", '{"content": "x", "model": "m", "tokens_used": 1, "new": 2}']
)
def test_an_answer_that_can_not_be_read_is_asked_for_again(store: CacheStore, row: str) -> None:
    """One that a later version wrote, say: it is none, and no error of Python's."""
    cached = CachedProvider(FakeProvider(replies=["one", "two"]), store, "fake")
    ask(cached)
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute("UPDATE answer SET answer = ?", (row,))
    assert [ask(cached), ask(cached)] == ["two", "two"]


def test_a_killed_process_loses_no_stored_answer(tmp_path: Path) -> None:
    """What put() stored is there after kill -9."""
    path = tmp_path / "cache.sqlite"
    code = (
        "import os, sys, signal\nfrom pathlib import Path\n"
        "from war_rig.policies import CacheStore\n"
        "from war_rig.providers import CompletionResponse\n"
        "store = CacheStore(Path(sys.argv[1]))\n"
        "for n in range(50): store.put(str(n), CompletionResponse(f'answer {n}', 'm', 1))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], timeout=60)
    assert done.returncode == -9
    store = CacheStore(path)
    kept = [store.get(str(n)) for n in range(50)]
    assert [answer and answer.content for answer in kept] == [f"answer {n}" for n in range(50)]
    store.close()


def test_two_processes_may_share_the_file(tmp_path: Path) -> None:
    """A second store on the same file sees what the first has stored."""
    one, two = CacheStore(tmp_path / "c"), CacheStore(tmp_path / "c")
    one.put("k", CompletionResponse("a", "m", 1))
    answer = two.get("k")
    assert answer is not None
    assert answer.content == "a"
    one.close()
    two.close()


def test_a_stored_answer_is_streamed_as_one_chunk(store: CacheStore) -> None:
    """A stream and a call are the same question, and what is stored arrives at once."""
    fake = FakeProvider(replies=["first of all", "second of all"])
    cached = CachedProvider(fake, store, "fake")
    pieces = [chunk.content for chunk in streamed(cached)]
    assert pieces == ["first ", "of ", "all", ""]
    (stored,) = streamed(cached)
    assert (stored.content, stored.response and stored.response.content) == ("first of all",) * 2
    assert ask(cached) == "first of all"
    assert streamed(cached, temperature=0.5)[0].content == "second "
    assert (cached.calls, cached.hits) == (2, 2)


def test_a_stored_answer_tells_its_usage_when_it_is_streamed(store: CacheStore) -> None:
    """What nobody counted when it was stored is estimated."""
    cached = CachedProvider(FakeProvider(""), store, "fake")
    store.put(cached._key(Request(HELLO, {})), CompletionResponse("Hi", "m", 0))
    (stored,) = streamed(cached)
    assert stored.response is not None
    assert (stored.response.tokens_used, stored.response.usage_source) == (6, "estimated")


def test_a_stream_that_ends_early_is_not_stored(store: CacheStore) -> None:
    """Only a whole answer is kept: one that broke, or that nobody read to its end, is not."""
    fake = FakeProvider(replies=[["Hel", ServerError("gone")], "left early", "whole"])
    cached = CachedProvider(fake, store, "fake")
    with pytest.raises(ServerError):
        streamed(cached)

    async def leave() -> None:
        stream = cached.stream(HELLO)
        await anext(stream)
        await stream.aclose()

    asyncio.run(leave())
    assert ask(cached) == "whole"


def test_a_streamed_answer_of_work_that_failed_is_forgotten(store: CacheStore) -> None:
    """What could not be used is asked for again, streamed or not."""
    cached = CachedProvider(FakeProvider(replies=["one", "two"]), store, "fake")

    async def work() -> None:
        with cached.one_piece_of_work():
            await read(cached)
            raise MalformedAnswerError("not usable")

    with pytest.raises(MalformedAnswerError):
        asyncio.run(work())
    assert ask(cached) == "two"


def test_a_cached_provider_without_a_stream_gives_one_chunk(store: CacheStore) -> None:
    """The policy streams whatever it is wrapped around, and holds it to the contract."""

    class Whole:
        default_model = "m"

        def __init__(self, answer: Any) -> None:
            self.answer = answer

        async def complete(self, messages: Any, **kwargs: Any) -> Any:
            return self.answer

    (chunk,) = streamed(CachedProvider(Whole(CompletionResponse("Hi", "m", 1)), store, "whole"))
    assert chunk.content == "Hi"
    with pytest.raises(MalformedAnswerError, match="provider 'Whole' returned None"):
        streamed(CachedProvider(Whole(None), store, "none"))


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_cached_provider_takes_a_schema_where_its_provider_does(
    store: CacheStore, is_taken: bool
) -> None:
    """The policy passes the schema on, and it is a part of the question."""
    fake = FakeProvider(replies=["one", "two"])
    assert not CachedProvider(fake, store, "fake").takes_output_schema
    fake.takes_output_schema = is_taken  # type: ignore[attr-defined]
    cached = CachedProvider(fake, store, "fake")
    assert cached.takes_output_schema is is_taken
    assert ask(cached, output_schema={"type": "object"}) == "one"
    assert ask(cached) == "two"


def test_a_hit_is_told_to_the_ledger_and_costs_nothing(store: CacheStore) -> None:
    """Whole or streamed, an answer of the store came by one attempt: "cached", of its own model."""
    cached = CachedProvider(Border("house", FakeProvider("Hello.", model="m-1")), store, "house")
    assert asyncio.run(cached.complete(HELLO)).attempts == ()
    hit = asyncio.run(cached.complete(HELLO))
    assert hit.attempts == (Attempt("house", "m-1", "cached"),)
    (chunk,) = streamed(cached)
    assert chunk.response is not None
    assert chunk.response.attempts == hit.attempts


def test_a_hit_comes_after_what_was_tried_before_it(store: CacheStore) -> None:
    """The ledger of a call goes on: a hit is its last line, and the answer has all of it."""
    cached = CachedProvider(FakeProvider("Hello."), store, "fake")
    ask(cached)
    call = Call(attempts=[Attempt("other", "m-2", "failed", "ServerError: gone")])

    async def ask_again() -> CompletionResponse:
        return await complete_in(call, cached, HELLO)

    hit = asyncio.run(ask_again())
    assert [attempt.outcome for attempt in hit.attempts] == ["failed", "cached"]
    assert hit.attempts == tuple(call.attempts)


def test_the_file_holds_no_attempt(store: CacheStore) -> None:
    """What an answer took is of its own call: who finds it later did not pay for it."""
    paid = replace(answer(), attempts=(Attempt("house", "m", "answered", cost=None),))
    store.put("k", paid)
    assert store.get("k") == answer()
    ((text,),) = rows(store, "SELECT answer FROM answer")
    assert "attempts" not in text


def test_around_a_whole_stack_no_answer_of_a_fallback_is_kept(store: CacheStore) -> None:
    """As `war-rig document` keeps answers: its own provider may be back the next time."""
    spare = stacked(FakeProvider("from the spare"), name="spare")
    down = ServerError("down", status=503)
    house = FakeProvider(replies=[down, "from the house"])
    stack = stacked(house, name="house", retry=None, fallback=["spare"], hops=[lambda: spare])
    cached = CachedProvider(stack, store, "house")
    said = [ask(cached) for _ in range(3)]
    assert said == ["from the spare", "from the house", "from the house"]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_the_provider_was_asked_for_is_written_down_inside(
    store: CacheStore, is_streamed: bool
) -> None:
    """A call that the store can't answer leaves the ledger to the layers inside."""
    inner = Attempts(Border("house", FakeProvider("Hello.")), "house", lambda *_: None)
    cached = CachedProvider(inner, store, "house")
    call = Call()

    async def ask_for_it() -> None:
        if is_streamed:
            async for _ in stream_in(call, cached, HELLO):
                pass
        else:
            await complete_in(call, cached, HELLO)

    asyncio.run(ask_for_it())
    assert [attempt.outcome for attempt in call.attempts] == ["answered"]


@pytest.mark.parametrize("where", ["content", "model", "finish_reason"])
def test_a_secret_of_the_configuration_is_not_stored(where: str, store: CacheStore) -> None:
    """An answer that echoes a key that only its entry knows is given, and asked for again."""
    echo = replace(answer(), **{where: f"your key is {CANARY}"})

    class Echo:
        default_model = "m"

        async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
            return echo

    cached = CachedProvider(Echo(), store, "echo", secrets=[CANARY])
    assert [asyncio.run(cached.complete(HELLO)) for _ in range(2)] == [echo, echo]
    assert (cached.calls, rows(store)) == (2, [])


class Clock:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def test_an_answer_that_is_too_old_is_not_found_and_removed(tmp_path: Path) -> None:
    """An answer holds for max_age_seconds after it was stored, and not a moment longer."""
    clock = Clock()
    with closing(CacheStore(tmp_path / "c", max_age_seconds=60, now=clock)) as store:
        store.put("k", answer())
        clock.seconds += 60
        assert store.get("k") == answer()
        clock.seconds += 0.001
        assert store.get("k") is None
        assert rows(store) == []


def test_old_answers_go_when_one_is_stored(tmp_path: Path) -> None:
    """What nobody asks for again does not stay beyond its age either."""
    clock = Clock()
    with closing(CacheStore(tmp_path / "c", max_age_seconds=60, now=clock)) as store:
        for key in ("a", "b", "c"):
            store.put(key, answer())
            clock.seconds += 30
        assert [key for key, _ in rows(store)] == ["a", "b", "c"]
        store.put("d", answer())
        assert [key for key, _ in rows(store)] == ["b", "c", "d"]


def used_bytes(store: CacheStore) -> int:
    counts = [rows(store, f"PRAGMA {of}")[0][0] for of in ("page_count", "freelist_count")]
    return int((counts[0] - counts[1]) * rows(store, "PRAGMA page_size")[0][0])


PUTS = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"), st.integers(0, 30_000), st.floats(0, 40, allow_nan=False)
    ),
    max_size=30,
)


@given(puts=PUTS)
def test_the_newest_answers_stay_within_the_bounds(
    puts: list[tuple[str, int, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After each put the file is within max_bytes, and what it holds are the newest answers."""
    clock, newest = Clock(), dict[str, float]()
    path = tmp_path_factory.mktemp("bounded") / "c"
    with closing(CacheStore(path, 100, 60_000, clock)) as store:
        for key, size, seconds in puts:
            clock.seconds += seconds
            store.put(key, answer("x" * size))
            newest.pop(key, None)
            newest[key] = clock.seconds
            held = dict(rows(store))
            assert used_bytes(store) <= 60_000
            assert held == dict([*newest.items()][len(newest) - len(held) :])
            assert key in held
            assert min(held.values()) >= clock.seconds - 100


def test_an_answer_that_is_larger_than_the_store_is_not_kept(tmp_path: Path) -> None:
    """What can't fit does not push out all others first."""
    with closing(CacheStore(tmp_path / "c", max_bytes=60_000)) as store:
        store.put("small", answer())
        store.put("large", answer("x" * 60_000))
        assert [key for key, _ in rows(store)] == ["small"]


def test_a_store_too_small_for_anything_ends_empty(tmp_path: Path) -> None:
    """Where even an empty file is over the bound, nothing is kept, and nothing hangs."""
    with closing(CacheStore(tmp_path / "c", max_bytes=1_000)) as store:
        store.put("k", answer())
        assert rows(store) == []


def test_a_file_of_an_earlier_version_keeps_its_answers(tmp_path: Path) -> None:
    """Answers that were stored without a time count as stored when the file is first opened."""
    path, clock = tmp_path / "c", Clock()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE answer (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")
        text = '{"content": "fine", "model": "m", "tokens_used": 1}'
        database.execute("INSERT INTO answer VALUES (?, ?)", ("old", text))
        database.commit()
    with closing(CacheStore(path, max_age_seconds=60, now=clock)) as store:
        assert store.get("old") == answer()
        clock.seconds += 50
    with closing(CacheStore(path, max_age_seconds=60, now=clock)) as store:
        store.put("new", answer())
        assert rows(store) == [("new", 1_000_050.0), ("old", 1_000_000.0)]
        clock.seconds += 11
        assert store.get("old") is None
        assert store.get("new") == answer()


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    """A stack that is built and never asked makes no file."""
    with closing(CacheStore(tmp_path / "none" / "c")) as store:
        CachedProvider(FakeProvider(), store, "fake")
    assert list(tmp_path.iterdir()) == []


def test_closing_the_provider_closes_the_file_until_it_is_used_again(store: CacheStore) -> None:
    """After aclose() the file can be removed, and a call makes it anew."""
    fake = FakeProvider(replies=["one", "two"])
    cached = CachedProvider(fake, store, "fake")
    assert ask(cached) == "one"
    asyncio.run(cached.aclose())
    assert [path.name for path in store.path.parent.iterdir()] == ["cache.sqlite"]
    store.path.unlink()
    assert ask(cached) == ask(cached) == "two"


def test_threads_share_a_store(tmp_path: Path) -> None:
    """Loops in several threads ask one provider: each answer is stored once, each call counted."""
    store = CacheStore(tmp_path / "c")
    cached = CachedProvider(FakeProvider(lambda messages: messages[-1].content), store, "fake")
    together = threading.Barrier(8)
    wrong: list[str] = []

    def work() -> None:
        together.wait()
        for n in range(25):
            if ask(cached, [Message("user", f"question {n}")]) != f"question {n}":
                wrong.append(f"question {n}")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(rows(store)), cached.calls + cached.hits) == ([], 25, 200)
    store.close()


def test_two_who_ask_the_same_at_the_same_time_both_ask(store: CacheStore) -> None:
    """Nobody waits for another's answer, which may never come: both pay, the later one stays."""
    arrived: list[asyncio.Future[str]] = []

    class Slow:
        default_model = "m"

        async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
            arrived.append(asyncio.get_running_loop().create_future())
            return answer(await arrived[-1])

    cached = CachedProvider(Slow(), store, "slow")

    async def both() -> None:
        calls = [asyncio.create_task(cached.complete(HELLO)) for _ in range(2)]
        await asyncio.sleep(0)
        for number, future in enumerate(arrived):
            future.set_result(f"answer {number}")
        await asyncio.gather(*calls)

    asyncio.run(both())
    assert ask(cached) == "answer 1"


def test_an_answer_that_can_not_be_kept_is_given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was paid for reaches its caller, though the file fails; the log says what to do."""
    path = tmp_path / "c"
    with closing(CacheStore(path)) as store:
        cached = CachedProvider(FakeProvider(replies=["one", "two"]), store, "fake")
        assert ask(cached) == "one"
        with closing(sqlite3.connect(path)) as database:
            database.execute(
                "CREATE TRIGGER full BEFORE INSERT ON answer"
                " BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
            )
        with caplog.at_level(logging.WARNING, "war_rig"):
            assert ask(cached, temperature=0.5) == "two"
        assert ask(cached) == "one"
    (record,) = caplog.records
    assert record.getMessage() == (
        f"an answer is not kept: the cache {path} can't be used: database or disk is full\n"
        "  set another 'path', or see to it that this one can be read and written"
    )


def test_a_store_that_fails_before_the_call_stops_it(tmp_path: Path) -> None:
    """Where the file can't be read, nothing is asked that would be paid for again each time."""
    fake = FakeProvider()
    cached = CachedProvider(fake, CacheStore(tmp_path), "fake")
    with pytest.raises(ConfigError, match="can't be used"):
        ask(cached)
    assert fake.calls == []


def test_a_cache_inside_another_forgets_too(tmp_path: Path) -> None:
    """An answer that could not be used is asked for again, however many stores have it."""
    fake = FakeProvider(replies=["bad", "good"])
    with (
        closing(CacheStore(tmp_path / "inner")) as inner,
        closing(CacheStore(tmp_path / "outer")) as outer,
    ):
        cached = CachedProvider(CachedProvider(fake, inner, "fake"), outer, "fake")
        with pytest.raises(MalformedAnswerError), cached.one_piece_of_work():
            ask(cached)
            raise MalformedAnswerError("not usable")
        assert ask(cached) == "good"
