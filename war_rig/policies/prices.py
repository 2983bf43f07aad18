"""What a call costs: by the prices that are declared, else by a catalogue of public ones.

A price stands under a model's name. An API often answers with a longer one, the name of
a release: gpt-5-mini-2026-01-01, claude-opus@20260101, gemini-flash-001, large-latest. So
the exact name is looked up first, then the name without that date or number, then ``"*"``.
Nothing else may be left off: gpt-5-mini and gpt-4-32k are other models than gpt-5 and
gpt-4, and cost many times less or more.

The catalogue is the library genai-prices: what its release knew, in US dollars. It is
asked for nothing that the table has, imported when it is asked first, and opens no
connection.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from importlib.util import find_spec

from war_rig.errors import ConfigError
from war_rig.ledger import EXACT

_MOST_MODELS = 256
_RELEASE = re.compile(r"[-@:](?:latest|[0-9]{3,4}|[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})$")


@dataclass(frozen=True, slots=True)
class Price:
    """Money for a million tokens."""

    input: Decimal
    output: Decimal

    def of(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Return what so many tokens cost."""
        prompt = EXACT.multiply(self.input, prompt_tokens)
        return EXACT.scaleb(EXACT.fma(self.output, completion_tokens, prompt), -6)


class Prices:
    """Tells what a call costs: by *table*, from models to prices, then by the catalogue.

    Raises ConfigError where the catalogue is wanted and its library is not installed.
    """

    def __init__(self, table: Mapping[str, Price], has_catalogue: bool = False) -> None:
        if has_catalogue and find_spec("genai_prices") is None:
            raise ConfigError(
                "prices.catalogue needs the library genai-prices, which is not installed\n"
                '  pip install "war-rig[prices]", or declare each model under prices.models'
            )
        self._table = dict(table)
        self._declared = lru_cache(_MOST_MODELS)(self._declared_for)  # they come again and again
        self._catalogue = _Catalogue() if has_catalogue else None

    def __call__(
        self, model: str | None, prompt_tokens: int, completion_tokens: int
    ) -> Decimal | None:
        """Return what so many tokens of *model* cost, None where no price is known."""
        if price := self._declared(model):
            return price.of(prompt_tokens, completion_tokens)
        if self._catalogue and (names := _names(model)):
            return self._catalogue.cost(names, prompt_tokens, completion_tokens)
        return None

    def _declared_for(self, model: str | None) -> Price | None:
        found = (self._table.get(name) for name in (*_names(model), "*"))
        return next(filter(None, found), None)


@lru_cache(_MOST_MODELS)
def _names(model: str | None) -> tuple[str, ...]:
    """Return the names under which the price of *model* may stand, the exact one first."""
    if not model:
        return ()
    return tuple(dict.fromkeys((model, _RELEASE.sub("", model))))


class _Catalogue:
    """The public prices. Each look-up costs a tenth of a millisecond: what can't change is kept."""

    def __init__(self) -> None:
        self._kept: dict[str, Price | None] = {}

    def cost(
        self, names: tuple[str, ...], prompt_tokens: int, completion_tokens: int
    ) -> Decimal | None:
        """Return the cost under the first of *names* that is known, None where none is."""
        asked = names[0]
        if asked in self._kept:
            found: Price | Decimal | None = self._kept[asked]
        else:
            found = _look_up(names, prompt_tokens, completion_tokens)
            if not isinstance(found, Decimal) and len(self._kept) < _MOST_MODELS:
                self._kept[asked] = found
        return found.of(prompt_tokens, completion_tokens) if isinstance(found, Price) else found


def _look_up(
    names: tuple[str, ...], prompt_tokens: int, completion_tokens: int
) -> Price | Decimal | None:
    """Return the price where each token has the same at any time, the cost where it has not.

    None for a model that the catalogue doesn't know, or doesn't price by tokens.
    """
    from genai_prices import Usage, calc_price  # a fifth of a second, which few need

    usage = Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens)
    for name in names:
        try:
            with localcontext(EXACT):
                found = calc_price(usage, name)
        except LookupError:
            continue
        now = found.model_price
        if now.input_mtok is None and now.output_mtok is None:
            return None
        is_dated = isinstance(found.model.prices, list)
        if is_dated or now.requests_kcount is not None:
            return found.total_price
        if isinstance(now.input_mtok, Decimal) and isinstance(now.output_mtok, Decimal):
            return Price(now.input_mtok, now.output_mtok)
        return found.total_price
    return None
