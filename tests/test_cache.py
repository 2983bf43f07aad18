"""The cache policy: what was paid for once is not paid for again, and nothing secret is kept."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY

from war_rig.errors import ConfigError, MalformedAnswerError, ServerError
from war_rig.policies import CachedProvider, CacheStore
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.testing import FakeProvider

HELLO = [Message("system", "Be brief."), Message("user", "Hello")]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = CacheStore(tmp_path / "cache.sqlite")
    yield store
    store.close()


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
    assert asyncio.run(cached.complete(HELLO)) == first
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


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A file that is no store is an error that says what to do."""
    path = tmp_path / "cache.sqlite"
    path.write_text("this is no database, but a long enough text to be looked at")
    with pytest.raises(ConfigError) as caught:
        CacheStore(path)
    assert str(caught.value) == (
        f"the cache {path} can't be used: file is not a database\n"
        "  remove it to begin anew; its answers are then paid for again"
    )


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    """The store is not written through a link."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="can't be used"):
        CacheStore(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


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
    store.put(cached._key(HELLO, {}), CompletionResponse("Hi", "m", 0))
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
