"""What all calls of a run came to, however and wherever they ended."""

import threading
from collections.abc import Callable
from decimal import Decimal, localcontext

from war_rig.ledger import Attempt, Ledger, total


class Collected(int):
    """A number: while it is added, the garbage collector ends one of *calls*."""

    calls: list[Callable[[], None]]

    def __radd__(self, other: int) -> "Collected":
        if self.calls:
            self.calls.pop()()
        whole = Collected(int(self) + other)
        whole.calls = self.calls
        return whole


def answered(tokens: int) -> Attempt:
    return Attempt("house", "m", "answered", tokens_used=tokens, usage_source="reported")


def test_a_call_that_ends_while_another_is_counted_is_counted_too() -> None:
    """The garbage collector may end a call anywhere, in the middle of a sum too."""
    ledger, tokens = Ledger(), Collected(7)
    tokens.calls = [lambda: ledger.add([answered(5)])]
    counting = threading.Thread(target=ledger.add, args=([answered(tokens)],), daemon=True)
    counting.start()
    counting.join(10)
    assert not counting.is_alive()
    assert tokens.calls == []
    assert (ledger.total.sent, ledger.total.tokens_used) == (2, 12)


def test_calls_that_end_in_many_threads_are_all_counted() -> None:
    """A run's sums are whole, from whatever threads its calls come."""
    ledger = Ledger()

    def end_calls() -> None:
        for _ in range(1_000):
            ledger.add([answered(3)])

    threads = [threading.Thread(target=end_calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ledger.total.sent, ledger.total.tokens_used) == (8_000, 24_000)


def test_the_costs_of_attempts_are_added_exactly() -> None:
    """However few digits the program's own context keeps."""
    attempts = [Attempt("fake", "m-1", "answered", cost=Decimal(c)) for c in ("1234.56", "0.0007")]
    with localcontext(prec=3):
        ledger = Ledger()
        for _ in range(2):
            ledger.add(attempts)
        assert total(attempts).cost == Decimal("1234.5607")
        assert ledger.total.cost == Decimal("2469.1214")
