"""Prices: which one a model's name finds, what a call costs by it, and the public catalogue."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import (
    ClauseEquals,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    Tier,
    TieredPrices,
)
from hypothesis import given
from hypothesis import strategies as st

from war_rig.errors import ConfigError
from war_rig.policies.prices import Price, Prices

DEAR = Price(Decimal("2.50"), Decimal("10"))
CHEAP = Price(Decimal("0.25"), Decimal("2"))
TABLE = {"gpt-5": DEAR, "gpt-5-mini": CHEAP, "claude-opus": DEAR, "o-4": DEAR}
MILLION = 1_000_000

AMOUNTS = st.decimals(min_value=0, max_value=100_000, places=6)
TOKENS = st.integers(0, 10_000_000)


@pytest.mark.parametrize(
    ("model", "price"),
    {
        "gpt-5": DEAR,
        "gpt-5-mini": CHEAP,
        "gpt-5-mini-2026-01-01": CHEAP,
        "gpt-5-20260101": DEAR,
        "claude-opus@20260101": DEAR,
        "gpt-5:latest": DEAR,
        "gpt-5-mini-latest": CHEAP,
        "gpt-5-0613": DEAR,
        "gpt-5-001": DEAR,
        "o-4": DEAR,
    }.items(),
)
def test_a_price_holds_for_the_releases_of_its_model(model: str, price: Price) -> None:
    """A model is priced by its exact name, or by its name without a release's date or number."""
    prices = Prices(TABLE)
    assert prices(model, MILLION, 0) == price.input
    assert prices(model, 0, MILLION) == price.output


@pytest.mark.parametrize(
    "model",
    ["gpt-5-nano", "gpt-5-pro", "gpt-5-32k", "gpt-5.1", "gpt-5-mini-2026", "gpt-5x", "GPT-5",
     "gpt-5-2026-01-01-mini", "gpt-", "o", "gpt-5-2026-01-01\n", "", None],
)  # fmt: skip
def test_a_price_holds_for_no_other_model(model: str | None) -> None:
    """A name that goes on otherwise is another model's, whose price is not known."""
    prices = Prices({"gpt-5": DEAR, "o-4": DEAR})
    assert prices(model, 1, 1) is None


def test_the_exact_name_wins() -> None:
    """A release that has a price of its own is not priced as the others are."""
    prices = Prices({"gpt-5": DEAR, "gpt-5-0613": CHEAP, "*": DEAR})
    assert prices("gpt-5-0613", MILLION, 0) == CHEAP.input


def test_a_star_is_every_other_model() -> None:
    """The price under "*" holds for what has no other, and where no model is told."""
    prices = Prices({"gpt-5": DEAR, "*": CHEAP})
    assert prices("gpt-5-2026-01-01", MILLION, 0) == DEAR.input
    assert prices("gpt-5-nano", MILLION, 0) == CHEAP.input
    assert prices(None, MILLION, 0) == CHEAP.input


def test_a_price_of_nothing_is_a_price() -> None:
    """A model that was declared to be free costs 0, which is not the same as not known."""
    prices = Prices({"local": Price(Decimal(0), Decimal(0))})
    assert prices("local", 500, 500) == Decimal(0)


def test_the_table_is_kept_as_it_was_given() -> None:
    """Who changes the mapping later changes no price."""
    table = dict(TABLE)
    prices = Prices(table)
    table.clear()
    assert prices("gpt-5", MILLION, 0) == DEAR.input


@given(AMOUNTS, AMOUNTS, TOKENS, TOKENS, st.integers(1, 28))
def test_a_cost_is_exact(
    given_in: Decimal, given_out: Decimal, prompt: int, completion: int, digits: int
) -> None:
    """A cost is the exact product, however few digits the program's own context keeps."""
    prices = Prices({"*": Price(given_in, given_out)})
    with localcontext(prec=digits):
        cost = prices("any", prompt, completion)
    assert cost is not None
    exact = Fraction(given_in) * prompt + Fraction(given_out) * completion
    assert Fraction(cost) == exact / MILLION


def test_the_catalogue_knows_public_models() -> None:
    """A model that the table lacks has its public price, a release that is too new its model's."""
    prices = Prices({}, has_catalogue=True)
    cost = prices("gpt-4o-mini", MILLION, MILLION)
    assert cost == Decimal("0.75")
    assert prices("gpt-4o-mini-2031-01-01", MILLION, MILLION) == cost


def test_the_table_beats_the_catalogue() -> None:
    """What is declared is not looked up, under "*" too."""
    assert (
        Prices({"gpt-4o-mini": DEAR}, has_catalogue=True)("gpt-4o-mini", MILLION, 0) == DEAR.input
    )
    assert Prices({"*": CHEAP}, has_catalogue=True)("gpt-4o-mini", MILLION, 0) == CHEAP.input


@pytest.mark.parametrize("model", ["nobody-knows-me", "gpt-nobody-knows-me", "", None, "whisper-1"])
def test_the_catalogue_does_not_guess(model: str | None) -> None:
    """A model that it doesn't know, or doesn't price by tokens, has no price, and not one of 0."""
    assert Prices({}, has_catalogue=True)(model, 1_000, 1_000) is None


def test_the_catalogue_is_taken_at_its_word() -> None:
    """Each model costs what the library says for so many tokens, tiers and requests included."""

    def says(model: str, prompt: int, completion: int) -> Decimal | None:
        try:
            found = calc_price(Usage(input_tokens=prompt, output_tokens=completion), model)
        except LookupError:
            return None
        by_tokens = found.model_price.input_mtok, found.model_price.output_mtok
        return None if by_tokens == (None, None) else found.total_price

    prices = Prices({}, has_catalogue=True)
    models = {model.id for provider in providers for model in provider.models}
    told = {model: says(model, 300_001, 1_013) for model in models if says(model, 7, 3)}
    assert len(told) > 300
    for _ in ("looked up", "kept"):
        assert {model: prices(model, 7, 3) for model in told} == {m: says(m, 7, 3) for m in told}
        assert {model: prices(model, 300_001, 1_013) for model in told} == told


@pytest.fixture
def public() -> Iterator[Callable[[int], None]]:
    """Return what puts made-up models into the catalogue, at so much for a million tokens."""
    yield lambda money: set_custom_snapshot(DataSnapshot([made_up(Decimal(money))], False))
    set_custom_snapshot(None)


def made_up(money: Decimal) -> Provider:
    flat = ModelPrice(input_mtok=money, output_mtok=money)
    prices: dict[str, Any] = {
        "my-flat": flat,
        "my-dated": [ConditionalPrice(prices=flat)],
        "my-tiered": ModelPrice(
            input_mtok=TieredPrices(money, [Tier(10, money)]), output_mtok=money
        ),
        "my-requests": ModelPrice(input_mtok=money, output_mtok=money, requests_kcount=money),
        "my-input": ModelPrice(input_mtok=money),
    }
    models = [ModelInfo(id=name, match=ClauseEquals(name), prices=p) for name, p in prices.items()]
    return Provider("mine", "Mine", "", model_match=ClauseStartsWith("my-"), models=models)


@pytest.mark.parametrize(
    ("model", "first", "then"),
    [
        ("my-flat", "4", "4"),
        ("my-dated", "4", "8"),
        ("my-tiered", "4", "8"),
        ("my-requests", "4.002", "8.004"),
        ("my-input", "2", "4"),
    ],
)
def test_only_a_price_that_can_not_change_is_kept(
    model: str, first: str, then: str, public: Callable[[int], None]
) -> None:
    """What depends on the time, on the length or on the number of requests is asked each time."""
    prices = Prices({}, has_catalogue=True)
    public(2)
    assert prices(model, MILLION, MILLION) == Decimal(first)
    public(4)
    assert prices(model, MILLION, MILLION) == Decimal(then)


def test_without_the_catalogue_nothing_is_looked_up() -> None:
    """A public model has no price where the catalogue was not asked for."""
    assert Prices({})("gpt-4o-mini", 1, 1) is None


def test_a_catalogue_that_is_not_installed_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing, what to install, and what to do without it."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(ConfigError) as caught:
        Prices({}, has_catalogue=True)
    assert str(caught.value) == (
        "prices.catalogue needs the library genai-prices, which is not installed\n"
        '  pip install "war-rig[prices]", or declare each model under prices.models'
    )
    assert Prices(TABLE)("gpt-5", MILLION, 0) == DEAR.input


LAZY = """
import asyncio  # whose classes inherit from the sockets' own
import socket, sys
from decimal import Decimal
from war_rig.policies.prices import Price, Prices

def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
prices = Prices({"mine": Price(Decimal(1), Decimal(1))}, has_catalogue=True)
prices("mine", 1, 1)
assert "genai_prices" not in sys.modules
assert prices("gpt-4o-mini", 1, 1)
assert "genai_prices" in sys.modules
"""


def test_the_catalogue_is_loaded_when_it_is_asked_first_and_opens_no_connection() -> None:
    """Importing and building load nothing of it, and asking it opens no socket."""
    command = [sys.executable, "-W", "error", "-c", LAZY]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
