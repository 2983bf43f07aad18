"""What an agent asks its provider, and what it makes of the answer."""

import asyncio
import json
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import ROOT, run
from pydantic import BaseModel, RootModel

from containers import application
from war_rig.agents import Agent, _Background
from war_rig.errors import MalformedAnswerError, RateLimitError
from war_rig.providers import CompletionResponse, Message, register_provider
from war_rig.testing import FakeProvider

Usage = Literal["reported", "estimated"] | None


class Point(BaseModel):
    x: int
    y: int


POINT = '{"x": 1, "y": 2}'
SCHEMA = json.dumps(Point.model_json_schema(), separators=(",", ":"))


class Answering:
    """Gives each of *answers* in turn; it has no name."""

    default_model = "m-1"

    def __init__(self, *answers: Any) -> None:
        self._answers = iter(answers)

    async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
        return next(self._answers)


class Nothing(Answering):
    """Returns None, as a provider does whose author forgot the return."""

    async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
        return None


def asked(agent: Agent, text: str = "Hello", **parameters: Any) -> CompletionResponse:
    return asyncio.run(agent.run(text, **parameters))


def script(folder: Path, code: str) -> tuple[int, str, str]:
    """Run *code* in a process of its own, for at most 20 seconds."""
    file = folder / "script.py"
    file.write_text(
        "import asyncio, os, sys, time\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from war_rig.agents import Agent\n"
        "from war_rig.testing import FakeProvider\n"
        f"{code}\n"
    )
    ended = run("timeout", "20", sys.executable, "-W", "error", file, cwd=folder)
    return ended.returncode, ended.stdout, ended.stderr


def test_an_agent_sends_its_system_prompt_and_the_text() -> None:
    """The system prompt comes first, the text is the user's message, and nothing else is set."""
    fake = FakeProvider("Hi")
    answer = asked(Agent("scribe", fake, "Be brief."))
    assert answer.content == "Hi"
    assert fake.calls[0].messages == [Message("system", "Be brief."), Message("user", "Hello")]
    assert fake.calls[0].parameters == {}


@pytest.mark.parametrize("system", [None, ""])
def test_an_agent_without_a_system_prompt_sends_the_text_alone(system: str | None) -> None:
    """No empty system message is sent."""
    fake = FakeProvider()
    asked(Agent("scribe", fake, system))
    assert fake.calls[0].messages == [Message("user", "Hello")]


def test_what_an_agent_sets_is_passed() -> None:
    """Its model and temperature go to the provider, a temperature of zero too."""
    fake = FakeProvider()
    asked(Agent("scribe", fake, model="m-2", temperature=0.0))
    assert fake.calls[0].parameters == {"model": "m-2", "temperature": 0.0}


def test_what_an_agent_does_not_set_is_left_out() -> None:
    """A provider that takes messages only is never given a model or a temperature of None."""

    class Bare(Answering):
        async def complete(self, messages: list[Message]) -> Any:  # type: ignore[override]
            return CompletionResponse("Hi", "m-1", 1)

    assert asked(Agent("scribe", Bare())).content == "Hi"


def test_the_parameters_of_a_call_beat_the_agents_own() -> None:
    """Keywords of run() go to the provider as they are, before what the agent sets."""
    fake = FakeProvider()
    asked(Agent("scribe", fake, model="m-2", temperature=0.5), model="m-3", top_p=None)
    assert fake.calls[0].parameters == {"model": "m-3", "temperature": 0.5, "top_p": None}


def test_what_a_provider_raises_is_raised() -> None:
    """An error of the provider is the agent's."""
    with pytest.raises(RateLimitError, match="busy"):
        asked(Agent("scribe", FakeProvider(RateLimitError("busy"))))


def test_an_override_that_returns_none_is_named() -> None:
    """What stands in for a provider, without any border, is checked as well."""
    app = application(env={})
    with (
        app.llm_provider.override(Nothing()),
        pytest.raises(MalformedAnswerError) as caught,
    ):
        asked(app.agents("scribe"))
    assert str(caught.value) == (
        "provider 'Nothing' returned None instead of an answer\n"
        "  its code has to be corrected: docs/contract.md says what it returns"
    )
    assert caught.value.provider == "Nothing"


def test_a_provider_with_a_name_is_called_by_it() -> None:
    """The error names the provider as the container does, and the model that was asked."""
    provider = Nothing()
    provider.name = "house"  # type: ignore[attr-defined]
    with pytest.raises(MalformedAnswerError, match=r"^provider 'house' returned None") as caught:
        asked(Agent("scribe", provider, model="m-2"))
    assert (caught.value.provider, caught.value.model) == ("house", "m-2")


def test_output_is_validated_data() -> None:
    """With output=, the schema is in the prompt and the response holds the object."""
    fake = FakeProvider(POINT)
    answer = asked(Agent("scribe", fake, "Be brief.", "m-2"), "Where?", output=Point, top_p=0.5)
    assert (answer.output, answer.output_mode) == (Point(x=1, y=2), "prompted")
    assert answer.content == POINT
    assert fake.calls[0].messages == [
        Message("system", "Be brief."),
        Message(
            "user",
            "Where?\n\nAnswer with one JSON value that fits this JSON schema, and nothing else:\n"
            + SCHEMA,
        ),
    ]
    assert fake.calls[0].parameters == {"model": "m-2", "top_p": 0.5}
    assert len(fake.calls) == 1


def test_without_output_there_is_none() -> None:
    """A plain answer is not parsed, even where it is JSON."""
    answer = asked(Agent("scribe", FakeProvider(POINT)))
    assert (answer.output, answer.output_mode) == (None, None)


@pytest.mark.parametrize(
    "content",
    [
        f"```json\n{POINT}\n```",
        f"Of course! Here it is:\n\n{POINT}\n\nShall I go on?",
        f"\ufeff {POINT} ",
    ],
)
def test_words_and_fences_around_the_json_are_ignored(content: str) -> None:
    """What a model writes around its JSON object costs no second call."""
    answer = asked(Agent("scribe", FakeProvider(replies=[content])), output=Point)
    assert answer.output == Point(x=1, y=2)
    assert answer.content == content


@pytest.mark.parametrize(
    ("first", "faults"),
    [
        ('{"x": "one"}', "x: Input should be a valid integer, unable to parse string as an integer"
                         "\ny: Field required"),
        ("} nothing {", "JSON: Invalid JSON: expected value at line 1 column 1"),
        ("no braces", "JSON: Invalid JSON: expected ident at line 1 column 2"),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_asked_for_again(first: str, faults: str) -> None:
    """The second question holds the first answer and all that is wrong with it."""
    fake = FakeProvider(replies=[first, POINT])
    answer = asked(Agent("scribe", fake, temperature=0.5), output=Point)
    assert answer.output == Point(x=1, y=2)
    assert fake.calls[1].messages == [
        *fake.calls[0].messages,
        Message("assistant", first),
        Message(
            "user",
            "That does not fit the schema. Answer with the corrected JSON only.\n" + faults,
        ),
    ]
    assert fake.calls[1].parameters == {"temperature": 0.5}


class Route(BaseModel):
    stops: list[Point]


class Native(FakeProvider):
    """Says that it takes a schema."""

    takes_output_schema = True


def test_a_provider_that_takes_a_schema_is_given_it() -> None:
    """The schema goes as a parameter, the prompt stays as it was, and the mode says so."""
    fake = Native(POINT)
    answer = asked(Agent("scribe", fake, "Be brief."), "Where?", output=Point, top_p=0.5)
    assert (answer.output, answer.output_mode) == (Point(x=1, y=2), "native")
    assert fake.calls[0].messages == [Message("system", "Be brief."), Message("user", "Where?")]
    schema = Point.model_json_schema()
    assert fake.calls[0].parameters == {"output_schema": schema, "top_p": 0.5}


def test_a_native_answer_that_does_not_fit_is_asked_for_again() -> None:
    """The second question shows the schema too: a server may have ignored the parameter."""
    fake = Native(replies=["I ignored it.", POINT])
    answer = asked(Agent("scribe", fake), output=Point)
    assert (answer.output, answer.output_mode) == (Point(x=1, y=2), "native")
    again = fake.calls[1].text
    assert again.startswith("That does not fit the schema.")
    assert again.endswith(
        "\n\nAnswer with one JSON value that fits this JSON schema, and nothing else:\n" + SCHEMA
    )
    assert fake.calls[1].parameters == fake.calls[0].parameters


def test_two_native_answers_that_do_not_fit_are_an_error() -> None:
    """An API's own mode is no promise: what it returns is validated all the same."""
    fake = Native(replies=["{}", "{}"])
    with pytest.raises(MalformedAnswerError, match="with a valid Point, asked twice"):
        asked(Agent("scribe", fake), output=Point)


def test_what_is_no_object_is_prompted_for() -> None:
    """The APIs' own modes make objects: a list is asked for in the prompt."""
    fake = Native('[{"x": 1, "y": 2}]')
    answer = asked(Agent("scribe", fake), output=RootModel[list[Point]])
    assert answer.output_mode == "prompted"
    assert fake.calls[0].parameters == {}


@pytest.mark.parametrize("said", [False, None, 1, "yes"])
def test_only_true_says_that_a_schema_is_taken(said: Any) -> None:
    """A provider with an attribute of that name by chance is prompted."""
    fake = FakeProvider(POINT)
    fake.takes_output_schema = said  # type: ignore[attr-defined]
    assert asked(Agent("scribe", fake), output=Point).output_mode == "prompted"


def test_the_border_passes_the_schema_on() -> None:
    """Through the container, too, the provider that says so gets the schema."""
    fake = Native(POINT)
    register_provider("native", lambda: fake)
    agent = application(env={"LLM_PROVIDER": "native"}).agents("assistant")
    assert asked(agent, output=Point).output_mode == "native"
    assert fake.calls[0].parameters == {"output_schema": Point.model_json_schema()}


def test_an_answer_may_be_a_list() -> None:
    """A model whose JSON is a list is found between its brackets."""
    fake = FakeProvider('Here: [{"x": 1, "y": 2}, {"x": 3, "y": 4}] {done}')
    response = asked(Agent("scribe", fake), output=RootModel[list[Point]])
    assert [point.x for point in response.output.root] == [1, 3]


def test_two_answers_that_do_not_fit_are_an_error() -> None:
    """The error names provider, agent and type, tells each fault, and never the answer."""
    fake = FakeProvider(replies=["first", '{"stops": [{"x": 1, "y": "secret"}, {}]}'])
    with pytest.raises(MalformedAnswerError) as caught:
        asked(Agent("scribe", fake, model="m-2"), output=Route)
    assert str(caught.value) == (
        "provider 'FakeProvider' did not answer agent 'scribe' with a valid Route, asked twice\n"
        "  stops.0.y: Input should be a valid integer, unable to parse string as an integer\n"
        "  stops.1.x: Field required\n"
        "  stops.1.y: Field required\n"
        "  choose a model that follows a JSON schema, or ask for less at once"
    )
    assert (caught.value.provider, caught.value.model) == ("FakeProvider", "m-2")
    assert len(fake.calls) == 2


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((10, 8, 2, "reported"), (20, 15, 5, "reported"), (30, 23, 7, "reported")),
        ((10, 8, 2, "estimated"), (20, 15, 5, "reported"), (30, 23, 7, "estimated")),
        ((10, 8, 2, "reported"), (20, 15, 5, "estimated"), (30, 23, 7, "estimated")),
        ((10, 8, 2, "estimated"), (20, 15, 5, None), (30, 23, 7, "estimated")),
        ((10, 8, 2, "reported"), (20, 15, 5, None), (30, 23, 7, None)),
        ((10, None, 2, None), (20, 15, None, None), (30, None, None, None)),
        ((None, 0, None, None), (20, 15, None, None), (20, 15, None, None)),
    ],
)
def test_two_calls_are_counted_as_one(first: Any, second: Any, expected: Any) -> None:
    """The token counts are sums; a count or a source that one call did not tell is unknown."""

    def response(content: str, counts: Any) -> CompletionResponse:
        total, prompt, completion, source = counts
        return CompletionResponse(content, "m", total, None, prompt, completion, source)

    provider = Answering(response("no", first), response(POINT, second))
    answer = asked(Agent("scribe", provider), output=Point)
    assert (
        answer.tokens_used,
        answer.prompt_tokens,
        answer.completion_tokens,
        answer.usage_source,
    ) == expected


def test_one_call_is_counted_as_it_is() -> None:
    """An answer that fits at once keeps its counts."""
    response = CompletionResponse(POINT, "m", 10, None, 8, 2, "reported")
    answer = asked(Agent("scribe", Answering(replace(response))), output=Point)
    assert replace(answer, output=None, output_mode=None) == response


def test_an_answer_that_is_given_again_keeps_its_output() -> None:
    """A provider that returns one object each time does not change what an earlier run got."""
    response = CompletionResponse('{"x": 1, "y": 2, "stops": []}', "m", 10)
    agent = Agent("scribe", Answering(response, response))
    first = asked(agent, output=Point)
    asked(agent, output=Route)
    assert first.output == Point(x=1, y=2)


def test_an_empty_answer_is_not_asked_for_again() -> None:
    """Only an answer can be mended; where there is none, the error is raised at once."""
    fake = FakeProvider(replies=["", POINT])
    with pytest.raises(MalformedAnswerError, match="returned an answer without content"):
        asked(Agent("scribe", fake), output=Point)
    assert len(fake.calls) == 1


def test_run_sync_does_what_run_does() -> None:
    """Plain code asks without async, with output and parameters, and gets the errors."""
    fake = FakeProvider(replies=["Hi", POINT, RateLimitError("busy")])
    agent = Agent("scribe", fake)
    assert agent.run_sync("Hello").content == "Hi"
    assert agent.run_sync("Hello", output=Point, top_p=0.5).output == Point(x=1, y=2)
    assert fake.calls[1].parameters == {"top_p": 0.5}
    with pytest.raises(RateLimitError, match="busy"):
        agent.run_sync("Hello")


@pytest.mark.asyncio
async def test_run_sync_works_inside_a_running_loop() -> None:
    """A notebook, whose loop is running already, may call it."""
    assert Agent("scribe", FakeProvider("Hi")).run_sync("Hello").content == "Hi"


def test_run_sync_may_be_called_by_what_it_runs(tmp_path: Path) -> None:
    """A provider that asks another agent with run_sync gets an answer, and no deadlock."""
    ended = script(
        tmp_path,
        "inner = Agent('inner', FakeProvider('Hi'))\n"
        "outer = Agent('outer', FakeProvider(lambda messages: inner.run_sync('x').content))\n"
        "print(outer.run_sync('x').content)",
    )
    assert ended == (0, "Hi\n", "")


def test_all_threads_share_one_loop() -> None:
    """Calls from several threads run side by side, on the one background loop of the process."""
    everyone = threading.Barrier(4, timeout=10)
    loops = []

    class Together(FakeProvider):
        async def complete(self, messages: list[Message], **kwargs: Any) -> CompletionResponse:
            loops.append(asyncio.get_running_loop())
            await asyncio.to_thread(everyone.wait)
            return await super().complete(messages, **kwargs)

    agent = Agent("scribe", Together(lambda messages: messages[0].content))
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(agent.run_sync, "abcd")
    assert [answer.content for answer in answers] == list("abcd")
    assert len(set(loops)) == 1
    assert len([t for t in threading.enumerate() if t.name == "war-rig-run-sync"]) == 1


def test_a_forked_process_gets_a_loop_of_its_own(tmp_path: Path) -> None:
    """After a fork, run_sync works in the child and in the parent, and prints nothing."""
    ended = script(
        tmp_path,
        "import warnings\n"
        "warnings.filterwarnings('ignore', 'This process', DeprecationWarning)\n"
        "agent = Agent('scribe', FakeProvider(lambda messages: messages[0].content))\n"
        "print(agent.run_sync('before').content, flush=True)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    print(agent.run_sync('child').content, flush=True)\n"
        "    sys.exit(0)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "print(agent.run_sync('parent').content)",
    )
    assert ended == (0, "before\nchild\nparent\n", "")


def test_an_interrupted_caller_cancels_the_work() -> None:
    """Where Ctrl-C ends the waiting, the provider's call is cancelled, and the next one works."""

    class InterruptError(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise InterruptError

    cancelled = threading.Event()

    class Slow(FakeProvider):
        async def complete(self, messages: list[Message], **kwargs: Any) -> CompletionResponse:
            await asyncio.sleep(0.05)  # until the caller waits
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise
            raise AssertionError("not reached")

    before = signal.signal(signal.SIGUSR1, interrupt)
    began = time.monotonic()
    try:
        with pytest.raises(InterruptError):
            Agent("scribe", Slow()).run_sync("Hello")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert cancelled.wait(timeout=5)
    assert time.monotonic() - began < 10
    assert Agent("scribe", FakeProvider("Hi")).run_sync("Hello").content == "Hi"


def test_leaving_the_process_prints_nothing(tmp_path: Path) -> None:
    """What a provider left running ends with the process, without a word on stderr."""
    ended = script(
        tmp_path,
        "kept = []\n"
        "class Busy(FakeProvider):\n"
        "    async def complete(self, messages, **kwargs):\n"
        "        kept.append(asyncio.create_task(asyncio.sleep(60)))\n"
        "        return await super().complete(messages, **kwargs)\n"
        "print(Agent('scribe', Busy('Hi')).run_sync('Hello').content)",
    )
    assert ended == (0, "Hi\n", "")


def test_leaving_the_process_while_a_provider_blocks_prints_nothing(tmp_path: Path) -> None:
    """A provider that blocks its loop is left behind, without a word on stderr."""
    ended = script(
        tmp_path,
        "import threading\n"
        "agent = Agent('scribe', FakeProvider(lambda messages: time.sleep(60)))\n"
        "threading.Thread(target=agent.run_sync, args=('Hello',), daemon=True).start()\n"
        "time.sleep(0.5)",
    )
    assert ended == (0, "", "")


def test_the_background_loop_can_be_ended_and_used_again() -> None:
    """Ending it closes what async generators hold; ending twice, or before use, does nothing."""
    background = _Background()
    background.stop()
    closed = threading.Event()

    async def held() -> Any:
        try:
            yield 1
        finally:
            closed.set()

    generator = held()
    loop = background.loop()
    assert background.loop() is loop

    async def first() -> Any:
        return await anext(generator)

    assert asyncio.run_coroutine_threadsafe(first(), loop).result(timeout=5) == 1
    background.stop()
    background.stop()
    assert closed.is_set()
    assert loop.is_closed()
    assert background.loop() is not loop
    background.stop()


def test_the_background_loop_ends_as_asyncio_run_does() -> None:
    """What still runs on the loop is cancelled; ending one that never began does nothing."""
    background = _Background()
    background.stop()
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    loop = background.loop()
    asyncio.run_coroutine_threadsafe(wait(), loop)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(timeout=5)
    background.stop()
    assert ended == ["cancelled"]
    assert loop.is_closed()


def test_a_provider_may_ask_another_agent_with_run_sync() -> None:
    """run_sync works inside what run_sync runs, on a thread of its own."""
    inner = Agent("inner", FakeProvider("from the inner one"))
    outer = Agent("outer", FakeProvider(lambda messages: inner.run_sync("ask").content))
    assert outer.run_sync("Hello").content == "from the inner one"


def test_run_sync_may_be_nested_deeply() -> None:
    """Each level waits on a thread of its own, however deep."""

    def level(depth: int) -> Agent:
        def answer(messages: Any) -> str:
            return "bottom" if depth == 0 else level(depth - 1).run_sync("down").content

        return Agent(f"level {depth}", FakeProvider(answer))

    assert level(4).run_sync("Hello").content == "bottom"
