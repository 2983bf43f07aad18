"""The budget: reserved before an attempt, settled after it, and never lost on the way."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from decimal import Decimal, localcontext
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stacked import complete_in, stream_in

from war_rig.errors import BudgetExceededError, ProviderError, ProviderTimeoutError, ServerError
from war_rig.ledger import Attempt, total
from war_rig.policies.attempts import Attempts, CostOf
from war_rig.policies.budget import Amount, Budget, Purse
from war_rig.policies.call import Call
from war_rig.policies.estimate import FIRST_COMPLETION_TOKENS
from war_rig.policies.policy import Policy, Request
from war_rig.policies.prices import Price, Prices
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.border import Border
from war_rig.testing.rehearsal import rehearse

PRICES = Prices({"small-1": Price(Decimal("0.25"), Decimal("2"))})
PROMPT_TOKENS = 100
QUESTION = [Message("user", "x" * PROMPT_TOKENS * 4)]


@dataclass(frozen=True)
class Reply:
    """What the provider does with one attempt; ``ends`` is an error to raise in the end."""

    prompt: int = PROMPT_TOKENS
    completion: int = 50
    seconds: float = 1.0
    ends: Exception | None = None
    model: str = "small-1"


class House:
    """A provider that answers what the parameter ``reply`` says, and remembers what was sent."""

    default_model = "small-1"

    def __init__(self) -> None:
        self.sent: list[Reply] = []

    async def complete(
        self, messages: list[Message], reply: Reply, **parameters: Any
    ) -> CompletionResponse:
        """Answer after the reply's seconds."""
        self.sent.append(reply)
        await asyncio.sleep(reply.seconds)
        if reply.ends:
            raise reply.ends
        return self._response(reply)

    async def stream(
        self, messages: list[Message], reply: Reply, **parameters: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Give two pieces, each after half of the reply's seconds."""
        self.sent.append(reply)
        for piece in ("two ", "words"):
            await asyncio.sleep(reply.seconds / 2)
            yield CompletionChunk(piece)
            if reply.ends:
                raise reply.ends
        yield CompletionChunk(response=self._response(reply))

    def _response(self, reply: Reply) -> CompletionResponse:
        tokens = reply.prompt + reply.completion
        return CompletionResponse(
            "two words", reply.model, tokens, None, reply.prompt, reply.completion, "reported"
        )


def budget(
    purse: Purse, house: LLMProvider | None = None, cost_of: CostOf = PRICES, name: str = "house"
) -> Budget:
    provider = Attempts(Border(name, house or House()), name, cost_of)
    return Budget(provider, name, purse, cost_of)


async def ask(policy: Budget, reply: Reply, call: Call | None = None, **asked: Any) -> Call:
    """Ask, and return the call with its ledger."""
    call = call or Call()
    await complete_in(call, policy, QUESTION, reply=reply, **asked)
    return call


async def read(
    policy: Budget, reply: Reply, call: Call, pieces: int = 99, **asked: Any
) -> list[CompletionChunk]:
    """Stream, read at most *pieces* chunks, and close."""
    chunks: list[CompletionChunk] = []
    async with aclosing(stream_in(call, policy, QUESTION, reply=reply, **asked)) as stream:
        while len(chunks) < pieces and (chunk := await anext(stream, None)) is not None:
            chunks.append(chunk)
    return chunks


def refusal(purse: Purse, reply: Reply | None = None, **asked: Any) -> BudgetExceededError:
    """Return the error of a call that *purse* has no room for, which was not sent."""
    house = House()
    with pytest.raises(BudgetExceededError) as caught:
        rehearse(ask(budget(purse, house), reply or Reply(), **asked))
    assert house.sent == []
    return caught.value


def test_what_was_taken_is_spent_and_the_rest_given_back() -> None:
    """After an answer, the purse has lost what the ledger says, and has nothing reserved."""
    purse = Purse(10_000, Decimal(1))
    call = rehearse(ask(budget(purse), Reply(prompt=120, completion=30)))
    cost = Decimal("0.00009")
    assert [(a.tokens_used, a.cost) for a in call.attempts] == [(150, cost)]
    assert purse.spent == Amount(150, cost)
    assert purse.reserved == Amount()


@pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_the_requests_own_limit_is_the_estimate(parameter: str) -> None:
    """The messages and the longest answer that was asked for are reserved while a call runs."""
    purse = Purse(PROMPT_TOKENS + 700, Decimal(1))
    seen = rehearse(while_it_runs(purse, **{parameter: 700}))
    assert seen == Amount(PROMPT_TOKENS + 700, Decimal("0.001425"))


async def while_it_runs(purse: Purse, **asked: Any) -> Amount:
    """Return what is reserved in the middle of a call."""
    task = asyncio.ensure_future(ask(budget(purse), Reply(seconds=2), **asked))
    await asyncio.sleep(1)
    reserved = purse.reserved
    await task
    return reserved


def test_the_largest_of_several_limits_is_the_estimate() -> None:
    """Which of them the provider takes is not known, so the safe one is."""
    seen = rehearse(while_it_runs(Purse(10_000), max_tokens=30, max_completion_tokens=60))
    assert seen.tokens == PROMPT_TOKENS + 60


@pytest.mark.parametrize("limit", [None, "700", 0, -5, 7.5, True])
def test_what_is_no_limit_is_not_taken_for_one(limit: object) -> None:
    """Before the first answer, a request without a limit of its own is taken for a long one."""
    seen = rehearse(while_it_runs(Purse(10_000), max_tokens=limit))
    assert seen.tokens == PROMPT_TOKENS + FIRST_COMPLETION_TOKENS


def test_the_mean_of_the_answers_so_far_is_the_estimate() -> None:
    """The entry's own answers say how long the next is, rounded up; failures and others don't."""
    purse = Purse(10_000)
    policy = budget(purse)

    async def run() -> list[int]:
        for completion in (10, 25):
            await ask(policy, Reply(completion=completion))
        with pytest.raises(ServerError):
            await ask(policy, Reply(ends=ServerError("down")))
        await ask(budget(purse, name="other"), Reply(completion=900))
        task = asyncio.ensure_future(ask(policy, Reply(seconds=2)))
        await asyncio.sleep(1)
        return [purse.reserved.tokens, len((await task).attempts)]

    assert rehearse(run()) == [PROMPT_TOKENS + 18, 1]


def test_an_answer_of_any_length_is_counted() -> None:
    """A number that no float can hold breaks no later call."""
    purse = Purse()
    policy = budget(purse)

    async def run() -> None:
        for _ in range(2):
            await ask(policy, Reply(completion=10**400))

    rehearse(run())
    assert purse.spent.tokens == 2 * (PROMPT_TOKENS + 10**400)


def test_a_call_that_fits_exactly_is_sent() -> None:
    """The limit itself may be reached."""
    purse = Purse(PROMPT_TOKENS + 50, Decimal("0.000125"))
    rehearse(ask(budget(purse), Reply(), max_tokens=50))
    assert purse.spent == Amount(150, Decimal("0.000125"))


def test_a_call_that_does_not_fit_is_not_sent() -> None:
    """The error tells what is spent, what is in flight, what the call would take, and the limit."""
    purse = Purse(50_000, Decimal("2.50"))
    purse.settle(Amount(), Amount(48_500, Decimal("1.25")))
    purse.reserve(Amount(1_200, Decimal("0.0100")))
    error = refusal(purse, max_tokens=250)
    assert str(error) == (
        "provider 'house' was not asked: of the budget of 50,000 tokens 48,500 are spent, "
        "1,200 are reserved by calls in flight, and this call would take about 350\n"
        "  model small-1\n"
        "  raise the budget in war_rig.yaml, or ask for less: war-rig explain"
    )
    assert (error.provider, error.model, error.is_retryable) == ("house", "small-1", False)
    assert purse.reserved == Amount(1_200, Decimal("0.01"))


def test_an_answer_without_a_limit_is_told_as_what_it_counts() -> None:
    """Else nobody knows why a short question would take a thousand tokens."""
    assert str(refusal(Purse(800))).splitlines()[-1] == (
        "  raise the budget in war_rig.yaml, or set max_tokens: without it, this answer counts as "
        "1,000 tokens"
    )


def test_money_is_told_exactly() -> None:
    """What is spent, reserved and wanted adds up to more than the limit, to the last digit."""
    purse = Purse(None, Decimal(1_000))
    purse.settle(Amount(), Amount(0, Decimal("999.9995")))
    with localcontext(prec=3):
        text = str(refusal(purse, max_tokens=250))
    assert "of the budget of 1,000 in money 999.9995 are spent, 0 are reserved" in text
    assert "this call would take about 0.000525\n" in text


def test_both_limits_are_told_where_both_are_exceeded() -> None:
    """Who raises one budget knows whether the other has to be raised too."""
    text = str(refusal(Purse(1, Decimal("0.00001")), max_tokens=50))
    assert "of 1 tokens 0 are spent" in text
    assert "; of the budget of 0.00001 in money 0 are spent" in text


def test_a_refused_call_is_in_the_ledger() -> None:
    """The ledger says that it was refused, with the error's first line, and what it waited for."""
    call = Call(waited_seconds=3.0, waited_for="retry")
    error = refusal(Purse(1), call=call, model="small-2")
    reason = f"BudgetExceededError: {str(error).splitlines()[0]}"
    assert call.attempts == [
        Attempt("house", "small-2", "refused", reason, waited_seconds=3.0, waited_for="retry")
    ]


def test_a_budget_of_money_refuses_a_model_without_a_price() -> None:
    """What can't be counted is not sent, and the error says where to declare the price."""
    call = Call()
    error = refusal(Purse(None, Decimal(1)), call=call, model="large-9")
    assert str(error) == (
        "provider 'house' was not asked: its budget is in money, and no price is known for "
        "large-9\n"
        "  model large-9\n"
        "  declare its price under policies.prices.models in war_rig.yaml, or use public prices: "
        'pip install "war-rig[prices]", and prices: {catalogue: true}'
    )
    assert type(error) is BudgetExceededError
    assert [a.outcome for a in call.attempts] == ["refused"]


def test_a_budget_of_tokens_needs_no_price() -> None:
    """Without a limit of money, a model without a price is asked; a price that is known counts."""
    purse = Purse(10_000)
    policy = budget(purse)
    rehearse(ask(policy, Reply(model="large-9"), model="large-9"))
    assert purse.spent == Amount(150)
    rehearse(ask(policy, Reply()))
    assert purse.spent == Amount(300, Decimal("0.000125"))


def test_an_answer_of_a_model_without_a_price_costs_as_the_one_that_was_asked_for() -> None:
    """What the ledger has no cost for is counted all the same, by the tokens that it took."""
    purse = Purse(None, Decimal(1))
    call = rehearse(ask(budget(purse), Reply(completion=5_000, model="large-9")))
    assert call.attempts[0].cost is None
    assert purse.spent == Amount(5_100, Decimal("0.010025"))


class Unmeasured(Policy):
    """Its ledger tells neither tokens nor cost of what was sent."""

    def __init__(self, tokens_used: int | None) -> None:
        super().__init__(Border("house", House()))
        self._tokens_used = tokens_used

    async def _complete(self, request: Request) -> CompletionResponse:
        """Write a bare attempt, and answer."""
        attempt = Attempt("house", "small-1", "answered", tokens_used=self._tokens_used)
        request.call.attempts.append(attempt)
        return CompletionResponse("two words", "small-1", 0)


@pytest.mark.parametrize("tokens_used", [None, 150])
def test_what_nobody_knows_is_spent_as_estimated(tokens_used: int | None) -> None:
    """An attempt of which the ledger has no tokens, or no price, takes what was reserved for it."""
    costs = iter([Decimal("0.5"), None])
    purse = Purse(10_000, Decimal(1))
    unmeasured = Unmeasured(tokens_used)
    policy = Budget(unmeasured, "house", purse, lambda model, prompt, completion: next(costs))
    rehearse(ask(policy, Reply(), max_tokens=50))
    assert purse.spent == Amount(150, Decimal("0.5"))


@pytest.mark.parametrize("waits", [False, True])
def test_what_was_not_sent_takes_nothing(waits: bool) -> None:
    """A call that an inner policy refuses, or that is given up before it is sent, is free."""
    purse = Purse(10_000, Decimal(1))

    class Refusing(Policy):
        async def _complete(self, request: Request) -> CompletionResponse:
            if waits:
                await asyncio.sleep(100)
            request.call.unsent("house", "small-1", "open", "refused")
            raise ServerError("open")

    policy = Budget(Refusing(Border("house", House())), "house", purse, PRICES)

    async def run() -> None:
        with pytest.raises((ServerError, TimeoutError)):
            async with asyncio.timeout(5):
                await ask(policy, Reply())

    rehearse(run())
    assert (purse.spent, purse.reserved) == (Amount(), Amount())


FAILURES = {
    "an error status is free": (ServerError("down", status=503), 0),
    "a call that got no answer took its messages": (ProviderTimeoutError("late"), PROMPT_TOKENS),
}


@pytest.mark.parametrize("rule", FAILURES)
def test_a_failure_takes_what_the_ledger_says(rule: str) -> None:
    """A failed attempt is settled as an answer is."""
    failure, tokens = FAILURES[rule]
    purse = Purse(10_000, Decimal(1))
    with pytest.raises(ProviderError):
        rehearse(ask(budget(purse), Reply(ends=failure)))
    assert purse.spent == Amount(tokens, Decimal(tokens) / 4_000_000)
    assert purse.reserved == Amount()


def test_each_attempt_of_a_call_is_settled_once() -> None:
    """A second attempt of the same call doesn't count what the first one took."""
    purse = Purse(10_000, Decimal(1))
    call = Call()
    policy = budget(purse)
    for _ in range(3):
        rehearse(ask(policy, Reply(), call))
    assert (len(call.attempts), purse.spent.tokens) == (3, 450)


def test_a_stream_is_settled_before_its_last_chunk() -> None:
    """Who reads the response sees the purse as it is after it."""
    purse = Purse(10_000, Decimal(1))
    policy = budget(purse)

    async def run() -> list[tuple[bool, int, int]]:
        seen = []
        async with aclosing(policy.stream(QUESTION, reply=Reply())) as chunks:
            async for chunk in chunks:
                told = chunk.response is not None, purse.spent.tokens, purse.reserved.tokens
                seen.append(told)
        return seen

    reserved = PROMPT_TOKENS + FIRST_COMPLETION_TOKENS
    assert rehearse(run()) == [(False, 0, reserved), (False, 0, reserved), (True, 150, 0)]


def test_a_stream_that_is_left_is_settled_by_what_had_arrived() -> None:
    """Closing a stream in the middle takes the messages and the text so far."""
    purse = Purse(10_000, Decimal(1))
    rehearse(read(budget(purse), Reply(), Call(), pieces=1))
    assert purse.spent.tokens == PROMPT_TOKENS + 1
    assert purse.reserved == Amount()


def test_a_stream_that_nobody_reads_reserves_nothing() -> None:
    """Reserving is the first step's."""
    purse = Purse(10_000)
    rehearse(read(budget(purse), Reply(), Call(), pieces=0))
    assert (purse.spent, purse.reserved) == (Amount(), Amount())


def test_a_purse_can_be_shared() -> None:
    """What one entry spent, another has no more."""
    purse = Purse(1_500)
    rehearse(ask(budget(purse, name="one"), Reply(completion=1_000)))
    with pytest.raises(BudgetExceededError, match="1,100 are spent"):
        rehearse(ask(budget(purse, name="two"), Reply()))


@pytest.mark.parametrize(
    ("purse", "spent", "text"),
    [
        (Purse(50_000, Decimal(2)), Amount(12_300, Decimal("0.4081")),
         "12,300 of 50,000 tokens, 0.41 of 2.00"),
        (Purse(50_000), Amount(12_300, Decimal("0.4081")), "12,300 of 50,000 tokens"),
        (Purse(None, Decimal("0.005")), Amount(1, Decimal("0.0012345")), "0.0012 of 0.0050"),
        (Purse(None, Decimal("1e4")), Amount(), "0.00 of 10,000.00"),
        (Purse(), Amount(5, Decimal(5)), "no limit"),
    ],
)  # fmt: skip
def test_a_purse_tells_what_is_spent_of_it(purse: Purse, spent: Amount, text: str) -> None:
    """People see tokens in thousands, and money with two digits that say something."""
    purse.settle(Amount(), spent)
    with localcontext(prec=2):
        assert purse.text() == text


@given(st.lists(st.decimals(min_value=0, max_value=10**9, places=9), min_size=1))
def test_money_is_added_exactly(amounts: list[Decimal]) -> None:
    """No digit is lost, however few the program's own context keeps."""
    purse = Purse()
    with localcontext(prec=3):
        for amount in amounts:
            assert purse.reserve(Amount(1, amount)) is None
        for amount in amounts:
            purse.settle(Amount(1, amount), Amount(2, amount))
        assert purse.reserved == Amount()
    assert purse.spent.tokens == 2 * len(amounts)
    with localcontext(prec=100):
        assert purse.spent.money == sum(amounts)


def test_threads_share_a_purse() -> None:
    """Threads that reserve and settle at the same time lose nothing, and never pass the limit."""
    purse = Purse(5)
    in_flight: list[int] = []

    def spend() -> None:
        for _ in range(500):
            if purse.reserve(Amount(1)) is None:
                in_flight.append(purse.reserved.tokens)
                purse.settle(Amount(1), Amount(0, Decimal(1)))

    with switching_often():
        threads = [Thread(target=spend) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert purse.reserved == Amount()
    assert purse.spent == Amount(0, Decimal(len(in_flight)))
    assert max(in_flight) <= 5


@contextmanager
def switching_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def test_a_purse_outlives_its_event_loop() -> None:
    """The second run of a program's loop goes on with what the first one left."""
    purse = Purse(10_000)
    policy = budget(purse)
    for runs in (1, 2):
        asyncio.run(ask(policy, Reply(seconds=0)))
        assert (purse.spent.tokens, purse.reserved) == (runs * 150, Amount())


class Stepwise(House):
    """A House that awaits again and again, so that it can be cancelled at each of them."""

    async def complete(
        self, messages: list[Message], reply: Reply, **parameters: Any
    ) -> CompletionResponse:
        """Answer after some steps of the loop."""
        for _ in range(5):
            await asyncio.sleep(0)
        return await super().complete(messages, reply, **parameters)

    async def stream(
        self, messages: list[Message], reply: Reply, **parameters: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Give each piece after some steps of the loop, and some more to clean up."""
        try:
            async for chunk in super().stream(messages, reply, **parameters):
                for _ in range(3):
                    await asyncio.sleep(0)
                yield chunk
        finally:
            await asyncio.sleep(0)


WAYS: dict[str, Callable[[Budget, Call], Coroutine[Any, Any, object]]] = {
    "whole": lambda policy, call: ask(policy, Reply(seconds=0), call),
    "stream": lambda policy, call: read(policy, Reply(seconds=0), call),
}


@pytest.mark.parametrize("way", WAYS)
def test_cancelling_at_any_await_gives_back_what_was_reserved(way: str) -> None:
    """Wherever a call is cancelled, it is settled once, by its ledger."""

    async def cancelled_after(steps: int) -> bool:
        purse, call = Purse(10_000, Decimal(1)), Call()
        task = asyncio.ensure_future(WAYS[way](budget(purse, Stepwise()), call))
        for _ in range(steps):
            await asyncio.sleep(0)
        is_done = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert purse.reserved == Amount()
        assert purse.spent.tokens == total(call.attempts).tokens_used
        assert len(call.attempts) == (steps > 0)
        return is_done

    steps = 0
    while not rehearse(cancelled_after(steps)):
        steps += 1
    assert steps > 6


def test_a_call_that_the_garbage_collector_ends_is_settled() -> None:
    """A call may be ended anywhere, in the middle of another one's reservation too."""
    purse = Purse(10_000)

    class Collected(int):
        def __radd__(self, other: int) -> int:
            forgotten.close()
            return int(self) + other

    async def run() -> None:
        forgotten.send(None)
        assert purse.reserved.tokens == PROMPT_TOKENS + 50
        assert purse.reserve(Amount(Collected(7))) is None

    call = Call()
    forgotten = ask(budget(purse), Reply(), call, max_tokens=50)
    rehearse(run())
    assert purse.reserved == Amount(7)
    assert purse.spent.tokens == PROMPT_TOKENS == total(call.attempts).tokens_used


class Nameless(House):
    """A provider that can't tell its default model."""

    @property
    def default_model(self) -> str:
        """Fail, as one does that asks its server."""
        raise ServerError("down")


def test_a_default_model_that_is_not_known_is_told_so() -> None:
    """Without a model's name there is only the price of all models, or none."""
    house = Nameless()
    policy = budget(Purse(None, Decimal(1)), house)
    with pytest.raises(BudgetExceededError, match="no price is known for its model\n  declare"):
        rehearse(ask(policy, Reply()))
    rehearse(ask(budget(Purse(10_000), house), Reply()))


class Watched(Purse):
    """A Purse that checks itself at each step.

    All that is settled after the last call was let through was in flight when it was.
    """

    def __init__(self, tokens: int, money: Decimal) -> None:
        super().__init__(tokens, money)
        self.let_through = 0
        self.overrun_tokens, self.overrun_money = 0, Decimal()

    def reserve(self, amount: Amount) -> str | None:
        """Check that what is let through is within the limits."""
        refused = super().reserve(amount)
        if refused is None:
            self.let_through += 1
            self.overrun_tokens, self.overrun_money = 0, Decimal()
            self._check()
        return refused

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Check that the limits are passed by no more than the calls in flight took too much."""
        super().settle(reserved, spent)
        self.overrun_tokens += max(0, spent.tokens - reserved.tokens)
        self.overrun_money += max(Decimal(), spent.money - reserved.money)
        self._check()

    def _check(self) -> None:
        assert self.tokens is not None and self.money is not None
        assert min(self.reserved.tokens, self.reserved.money) >= 0
        whole = self.spent + self.reserved
        assert whole.tokens <= self.tokens + self.overrun_tokens
        assert whole.money <= self.money + self.overrun_money


@dataclass(frozen=True)
class Job:
    """A caller: when it begins, what it asks, and when it gives up."""

    begins: float
    replies: list[Reply]
    entry: int
    max_tokens: int | None
    pieces: int | None
    patience: float | None


SECONDS = st.floats(0, 20).map(lambda seconds: round(seconds, 1))
ENDS = st.sampled_from([None, None, None, ServerError("no", status=503), ProviderTimeoutError("-")])
REPLIES = st.builds(
    Reply,
    prompt=st.integers(1, 1_500),
    completion=st.integers(0, 3_000),
    seconds=SECONDS,
    ends=ENDS,
    model=st.sampled_from(["small-1", "small-1-2026-01-01"]),
)
JOBS = st.builds(
    Job,
    begins=SECONDS,
    replies=st.lists(REPLIES, min_size=1, max_size=3),
    entry=st.integers(0, 1),
    max_tokens=st.none() | st.integers(1, 2_000),
    pieces=st.none() | st.integers(0, 4),
    patience=st.none() | SECONDS,
)


@settings(max_examples=200)
@given(st.lists(JOBS, min_size=1, max_size=12), st.integers(0, 12_000), st.integers(0, 20))
def test_never_over_budget_by_more_than_the_calls_in_flight(
    jobs: list[Job], tokens: int, thousandths: int
) -> None:
    """Whatever is asked, fails, is cancelled or takes more than estimated, the purse holds."""
    purse = Watched(tokens, Decimal(thousandths) / 1_000)
    house = House()
    entries = [budget(purse, house, name=name) for name in ("one", "two")]
    calls = rehearse(run_all(jobs, entries))
    attempts = [attempt for call in calls for attempt in call.attempts]
    whole = total(attempts)
    assert purse.reserved == Amount()
    assert purse.spent == Amount(whole.tokens_used, whole.cost or Decimal())
    assert len(house.sent) == whole.sent == purse.let_through
    assert all(attempt.tokens_used is None for attempt in attempts if attempt.outcome == "refused")


async def run_all(jobs: list[Job], entries: list[Budget]) -> list[Call]:
    """Run *jobs* beside each other, and return their calls."""
    calls = [Call() for _ in jobs]
    tasks = [
        asyncio.ensure_future(do(job, call, entries[job.entry]))
        for job, call in zip(jobs, calls, strict=True)
    ]
    loop = asyncio.get_running_loop()
    for job, task in zip(jobs, tasks, strict=True):
        if job.patience is not None:
            loop.call_later(job.begins + job.patience, task.cancel)
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert result is None or isinstance(result, asyncio.CancelledError), result
    return calls


async def do(job: Job, call: Call, policy: Budget) -> None:
    """Ask as a retry does, until there is an answer or the budget refuses."""
    await asyncio.sleep(job.begins)
    asked = {} if job.max_tokens is None else {"max_tokens": job.max_tokens}
    for reply in job.replies:
        refused_before = sum(attempt.outcome == "refused" for attempt in call.attempts)
        try:
            if job.pieces is None:
                await ask(policy, reply, call, **asked)
            else:
                await read(policy, reply, call, job.pieces, **asked)
            return
        except BudgetExceededError:
            assert sum(a.outcome == "refused" for a in call.attempts) == refused_before + 1
            return
        except ProviderError:
            continue
