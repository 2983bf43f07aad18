"""The budget: what a call may take is reserved before it is sent, and settled when it has ended.

A ``Purse`` has a limit of tokens, of money, or of both. One may be shared by all entries,
then it is the run's. What is not sent takes nothing. An attempt is let through while what
is spent, what the attempts in flight have reserved, and its own estimate are within the
limit. So more than the limit is spent only where attempts in flight took more than was
estimated.

    estimate    prompt: four characters a token. Completion: the request's own limit
                (max_tokens), else the mean of the entry's answers so far.
    settlement  what the ledger says of the attempts that were made
"""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock

from war_rig.errors import BudgetExceededError
from war_rig.forking import begins_anew_in_child
from war_rig.ledger import EXACT, Attempt
from war_rig.policies.attempts import CostOf
from war_rig.policies.call import Call
from war_rig.policies.estimate import Mean, declared_completion
from war_rig.policies.policy import Around, Course, Request, StreamingProvider


@dataclass(slots=True)
class Amount:
    """Tokens, and the money for them."""

    tokens: int = 0
    money: Decimal = Decimal()

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.tokens + other.tokens, EXACT.add(self.money, other.money))

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.tokens - other.tokens, EXACT.subtract(self.money, other.money))


class Purse:
    """What may be spent: so many *tokens* and so much *money*, None for no limit.

    It may be used from several threads and event loops.
    """

    def __init__(self, tokens: int | None = None, money: Decimal | None = None) -> None:
        self.tokens = tokens
        self.money = money
        self._spent = self._reserved = Amount()
        self._settled: deque[tuple[Amount, Amount]] = deque()
        self._lock = Lock()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Give back what is reserved: in a forked child nobody settles it."""
        self._lock = Lock()
        self._count()
        self._reserved = Amount()

    @property
    def has_limit(self) -> bool:
        """Return whether it limits anything."""
        return self.tokens is not None or self.money is not None

    @property
    def spent(self) -> Amount:
        """Return what was spent until now."""
        with self._lock:
            self._count()
            return self._spent

    @property
    def reserved(self) -> Amount:
        """Return what the calls in flight have reserved."""
        with self._lock:
            self._count()
            return self._reserved

    def reserve(self, amount: Amount) -> str | None:
        """Put *amount* aside, or return why there is not so much left."""
        with self._lock:
            self._count()
            refusal = self._refusal(amount)
            if refusal is None:
                self._reserved += amount
            return refusal

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Take what was *spent*, and give back what was *reserved* for it.

        Waits for no lock: the garbage collector may end a call anywhere, inside the lock too.
        """
        self._settled.append((reserved, spent))

    def _count(self) -> None:
        while self._settled:
            reserved, spent = self._settled.popleft()
            self._reserved -= reserved
            self._spent += spent

    def text(self) -> str:
        """Return what is spent of each limit, for people: 12,300 of 50,000 tokens, 0.41 of 2.00."""
        told, spent = [], self.spent
        if self.tokens is not None:
            told.append(f"{spent.tokens:,} of {self.tokens:,} tokens")
        if self.money is not None:
            told.append(f"{_rounded(spent.money)} of {_rounded(self.money)}")
        return ", ".join(told) or "no limit"

    def _refusal(self, amount: Amount) -> str | None:
        spent, reserved, told = self._spent, self._reserved, []
        tokens, money = self.tokens, self.money
        if tokens is not None and spent.tokens + reserved.tokens + amount.tokens > tokens:
            parts = [f"{part.tokens:,}" for part in (spent, reserved, amount)]
            told.append(_over(f"{tokens:,} tokens", parts))
        if money is not None and _sum(spent, reserved, amount) > money:
            parts = [_exact(part.money) for part in (spent, reserved, amount)]
            told.append(_over(f"{_exact(money)} in money", parts))
        return "; ".join(told) or None


class Budget(Around[Amount]):
    """Lets an attempt through while *purse* has room for it; *file* is where it is declared."""

    def __init__(
        self,
        provider: StreamingProvider,
        name: str,
        purse: Purse,
        cost_of: CostOf,
        file: str = "war_rig.yaml",
    ) -> None:
        super().__init__(provider)
        self.purse = purse
        self._provider_name = name
        self._cost_of = cost_of
        self._file = file
        self._mean = Mean()

    async def _begin(self, course: Course) -> Amount:
        model = self.shown_model(course.request.model)
        return self._reserve(course.call, course.request, model)

    def _end(self, begun: Amount, course: Course) -> None:
        made = [a for a in course.attempts if a.outcome not in ("refused", "cached")]
        self._mean.learn(made, course.request)
        spent = Amount()
        for attempt in made:
            spent += self._spent(attempt, course.request, begun)
        self.purse.settle(begun, spent)

    def _reserve(self, call: Call, request: Request, model: str | None) -> Amount:
        """Return what was reserved; raise BudgetExceededError where nothing could be."""
        prompt = request.estimated_tokens
        declared = declared_completion(request)
        completion = declared or self._mean.completion()
        money = self._money(model, prompt, completion)
        if money is None:
            what = f"its budget is in money, and no price is known for {model or 'its model'}"
            raise self._refused(call, model, what, _DECLARE_A_PRICE)
        estimate = Amount(prompt + completion, money)
        if refusal := self.purse.reserve(estimate):
            step = _ASK_FOR_LESS if declared else _set_a_limit(completion)
            raise self._refused(call, model, refusal, step)
        return estimate

    def _refused(self, call: Call, model: str | None, what: str, step: str) -> BudgetExceededError:
        step = step.replace("{file}", self._file)
        return call.refuse(self._provider_name, model, BudgetExceededError, what, step)

    def _money(self, model: str | None, prompt: int, completion: int) -> Decimal | None:
        """Return the cost, None without a price; nothing where the purse has no limit of money."""
        if self.purse.money is None:
            return Decimal()
        return self._cost_of(model, prompt, completion)

    def _spent(self, attempt: Attempt, request: Request, estimate: Amount) -> Amount:
        """Return what *attempt* took; what the ledger doesn't know, by the estimate.

        The model that answered may have no price, where the one that was asked for has one.
        """
        if attempt.tokens_used is None:
            return estimate
        money = attempt.cost
        if money is None:
            prompt = attempt.prompt_tokens or 0
            completion = max(attempt.tokens_used - prompt, 0)
            money = self._money(self.shown_model(request.model), prompt, completion)
        return Amount(attempt.tokens_used, estimate.money if money is None else money)


_ASK_FOR_LESS = "raise the budget in {file}, or ask for less: war-rig explain"
_DECLARE_A_PRICE = (
    "declare its price under policies.prices.models in {file}, or use public prices: "
    'pip install "war-rig[prices]", and prices: {catalogue: true}'
)


def _set_a_limit(completion: int) -> str:
    return (
        "raise the budget in {file}, or set max_tokens: without it, this answer counts as "
        f"{completion:,} tokens"
    )


def _sum(spent: Amount, reserved: Amount, amount: Amount) -> Decimal:
    return EXACT.add(EXACT.add(spent.money, reserved.money), amount.money)


def _over(limit: str, parts: list[str]) -> str:
    spent, reserved, taken = parts
    return (
        f"of the budget of {limit} {spent} are spent, {reserved} are reserved by calls "
        f"in flight, and this call would take about {taken}"
    )


def _exact(money: Decimal) -> str:
    return f"{EXACT.normalize(money):,f}"


def _rounded(money: Decimal) -> str:
    """Return *money* with two digits after the point, or the two that tell something."""
    places = max(2, 1 - money.adjusted()) if money else 2
    return f"{money.quantize(Decimal(1).scaleb(-places), context=EXACT):,f}"
