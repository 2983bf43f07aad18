"""What ``war-rig explain`` says of policies: each value with its place, and the worst case."""

from pathlib import Path

import pytest

from containers.cli.stack import common_rows, stack_rows, worst_case_lines
from war_rig.config import Settings, load
from war_rig.entries import provider_blueprint
from war_rig.errors import UnknownProviderError
from war_rig.providers import register_provider
from war_rig.testing import FakeProvider

FULL = """\
policies:
  trace: {content: true}
  retry: {attempts: 2, wait_seconds: 1}
  rate_limit: null
  timeout: {total: 90, attempt: 20}
  prices: {models: {m-1: {input: 0.25, output: 2}, m-2: {input: 1, output: 1}}}
providers:
  house:
    type: openai
    api_key: none
    policies:
      fallback: [spare]
      budget: {money: 2.5, tokens: 9000}
  spare:
    type: openai
    api_key: none
    model: m-2
    policies: {retry: {attempts: 4}, timeout: {total: 15, attempt: 9}}
"""


def loaded(text: str) -> Settings:
    path = Path("my.yaml")
    path.write_text(text)
    return load(path, {})


def rows_of(name: str, settings: Settings) -> list[tuple[str, str, str]]:
    return list(stack_rows(provider_blueprint(name, settings), settings))


def test_each_value_of_a_stack_is_told_with_its_place_in_the_order_of_the_stack() -> None:
    """What an entry sets, what all share, what a section leaves out, and what is off."""
    rows = rows_of("house", loaded(FULL))
    assert [row for row in rows if row[0].split(".")[-1] not in ("share", "spare")] == [
        ("policies.trace.content", "true", "my.yaml:2"),
        ("policies.trace.profile", "stable", "default"),
        ("policies.cache", "off", "default"),
        ("policies.timeout.total", "90", "my.yaml:5"),
        ("providers.house.policies.fallback.to", "spare", "my.yaml:12"),
        (
            "providers.house.policies.fallback.on",
            "rate_limit, quota, server, connection, timeout, malformed, circuit_open",
            "default",
        ),
        ("policies.retry.attempts", "2", "my.yaml:3"),
        ("policies.retry.wait_seconds", "1", "my.yaml:3"),
        ("policies.retry.longest_wait_seconds", "30", "default"),
        ("policies.retry.longest_retry_after_seconds", "60", "default"),
        ("providers.house.policies.budget.tokens", "9000", "my.yaml:13"),
        ("providers.house.policies.budget.money", "2.5", "my.yaml:13"),
        ("policies.circuit_breaker", "off", "default"),
        ("policies.rate_limit", "off", "my.yaml:4"),
        ("policies.timeout.attempt", "20", "my.yaml:5"),
        ("policies.prices.catalogue", "false", "default"),
        ("policies.prices.models.m-1", "0.25 in, 2 out", "my.yaml:6"),
        ("policies.prices.models.m-2", "1 in, 1 out", "my.yaml:6"),
        ("fallback spare, asked after house", "", ""),
        ("providers.spare.model", "'m-2'", "my.yaml:17"),
        ("providers.spare.policies.retry.attempts", "4", "my.yaml:18"),
        ("policies.retry.wait_seconds", "1", "my.yaml:3"),
        ("providers.spare.policies.retry.longest_wait_seconds", "30", "default"),
        ("providers.spare.policies.retry.longest_retry_after_seconds", "60", "default"),
        ("policies.budget", "off", "default"),
        ("policies.circuit_breaker", "off", "default"),
        ("policies.rate_limit", "off", "my.yaml:4"),
        ("providers.spare.policies.timeout.attempt", "9", "my.yaml:18"),
        ("policies.prices.catalogue", "false", "default"),
        ("policies.prices.models.m-1", "0.25 in, 2 out", "my.yaml:6"),
        ("policies.prices.models.m-2", "1 in, 1 out", "my.yaml:6"),
    ]


MERGED = """\
policies:
  fallback: {to: [groq], on: [server]}
  prices: {models: {m-1: {input: 1, output: 2}}}
  timeout: {total: null}
providers:
  house:
    type: openai
    api_key: none
    policies:
      fallback: [offline]
      prices: {models: {m-2: {input: 3, output: 4}}}
"""


def test_what_is_merged_is_told_with_the_place_of_each_part() -> None:
    """A bare list over a map, a price beside another one, a limit that was taken away."""
    rows = rows_of("house", loaded(MERGED))
    own = rows[: rows.index(("fallback offline, asked after house", "", ""))]
    assert [
        row for row in own if any(word in row[0] for word in ("fallback", "models", "total"))
    ] == [
        ("policies.timeout.total", "off", "my.yaml:4"),
        ("providers.house.policies.fallback.to", "offline", "my.yaml:10"),
        ("policies.fallback.on", "server", "my.yaml:2"),
        ("policies.prices.models.m-1", "1 in, 2 out", "my.yaml:3"),
        ("providers.house.policies.prices.models.m-2", "3 in, 4 out", "my.yaml:11"),
    ]


def test_a_limit_of_connecting_that_nobody_keeps_is_told() -> None:
    """Of an entry, or of a fallback, whose provider takes none."""
    register_provider("takes", lambda connect_timeout_seconds=1: FakeProvider())
    text = "policies: {timeout: {connect: 5}, fallback: [takes, groq]}\n"
    rows = [row for row in rows_of("offline", loaded(text)) if row[0].endswith("connect")]
    told = "my.yaml:1; without effect: 'offline' takes no connect_timeout_seconds"
    assert [origin for _, _, origin in rows] == [told, "my.yaml:1", "my.yaml:1"]


def test_all_that_was_set_is_told_as_it_was_set() -> None:
    """Common policies and those of entries, what they left out, a bare list of fallbacks."""
    rows = {key: value for key, value, _ in common_rows(loaded(FULL))}
    assert rows["policies.rate_limit"] == "off"
    assert rows["providers.house.policies.fallback.to"] == "spare"
    assert rows["policies.prices.models.m-1"] == "0.25 in, 2 out"
    assert rows["policies.prices.models.m-2"] == "1 in, 1 out"
    assert rows["providers.spare.policies.retry.attempts"] == "4"
    assert "providers.spare.policies.retry.wait_seconds" not in rows
    whole = "providers: {a: {policies: {fallback: {to: [b], on: [server]}}}}"
    rows = {key: value for key, value, _ in common_rows(loaded(whole))}
    assert rows["providers.a.policies.fallback.to"] == "b"
    rows = {key: value for key, value, _ in common_rows(loaded("policies: {timeout: {total: }}"))}
    assert rows["policies.timeout.total"] == "off"


def test_a_fallback_that_can_not_be_asked_is_told_with_its_place() -> None:
    """It is none that is known, and the line that names it has to change."""
    settings = loaded("providers: {house: {type: offline, policies: {fallback: [nobody]}}}")
    with pytest.raises(UnknownProviderError, match=r"unknown provider 'nobody'[^$]*my\.yaml:1"):
        rows_of("house", settings)


def test_a_fallback_that_tells_no_model_has_no_line_for_it() -> None:
    """A class that takes none may answer with any."""
    register_provider("plain", lambda: FakeProvider())
    settings = loaded("providers: {house: {type: offline, policies: {fallback: [plain]}}}")
    keys = [key for key, _, _ in rows_of("house", settings)]
    first = keys.index("fallback plain, asked after house")
    assert keys[first + 1] == "policies.retry.attempts"
    *_, money = worst_case_lines("house", "m-1", settings)
    assert money == "  money     not known: m-1 of house has no price in policies.prices.models"


def test_a_policy_that_is_off_altogether_is_told_once() -> None:
    """Both of its places in the stack are one line."""
    rows = rows_of("offline", loaded("policies: {timeout: null}"))
    assert [row for row in rows if "timeout" in row[0]] == [
        ("policies.timeout", "off", "my.yaml:1")
    ]


WORST = {
    "with fallback and prices": (
        FULL,
        [
            "  attempts  6 (house 2, spare 4)",
            "  seconds   90 (timeout.total)",
            "  tokens    6 times those of one answer",
            "  money     0.0125 for 1,000 tokens in and 1,000 out each time (house 0.0045 with "
            "m-1, spare 0.008 with m-2)",
        ],
    ),
    "with a purse of its own": (
        "policies:\n"
        "  budget: {tokens: 500}\n"
        "  timeout: {total: null}\n"
        "  prices: {models: {m-1: {input: 1, output: 1}}}\n"
        "providers: {house: {policies: {fallback: [offline], budget: {tokens: 9000}}}}\n",
        [
            "  attempts  6 (house 3, offline 3)",
            "  seconds   2160",
            "  tokens    6 times those of one answer; the whole run 9500 "
            "(providers.house.policies.budget.tokens and policies.budget.tokens)",
            "  money     not known: offline of offline has no price in policies.prices.models",
        ],
    ),
    "with a budget that asks nobody without a price": (
        "policies:\n"
        "  budget: {money: 5}\n"
        "  prices: {models: {m-1: {input: 1, output: 1}}}\n"
        "providers: {house: {policies: {fallback: [offline]}}}\n",
        [
            "  attempts  6 (house 3, offline 3)",
            "  seconds   1800 (timeout.total)",
            "  tokens    6 times those of one answer",
            "  money     not known: offline of offline has no price in policies.prices.models, and "
            "with a budget in money it is not asked; the whole run 5 (policies.budget.money)",
        ],
    ),
    "with one price": (
        "policies: {budget: {money: 5, tokens: 700}, retry: null, "
        "prices: {models: {m-1: {input: 1, output: 1}}}}",
        [
            "  attempts  1 (house 1)",
            "  seconds   300",
            "  tokens    once those of one answer; the whole run 700 (policies.budget.tokens)",
            "  money     0.002 for 1,000 tokens in and 1,000 out each time (house 0.002 with m-1); "
            "the whole run 5 (policies.budget.money)",
        ],
    ),
    "without anything": (
        "policies: {timeout: null, retry: null}",
        [
            "  attempts  1 (house 1)",
            "  seconds   no bound: declare timeout.total",
            "  tokens    once those of one answer",
            "  money     not known: m-1 has no price in policies.prices.models",
        ],
    ),
    "a queue without an end": (
        "policies: {timeout: {total: null, attempt: 5}, rate_limit: {concurrency: 1}}",
        [
            "  attempts  3 (house 3)",
            "  seconds   no bound: declare timeout.total",
            "  tokens    3 times those of one answer",
            "  money     not known: m-1 has no price in policies.prices.models",
        ],
    ),
    "bounded by its attempts": (
        "policies: {timeout: {attempt: 5}, retry: {attempts: 2}}",
        [
            "  attempts  2 (house 2)",
            "  seconds   100",
            "  tokens    2 times those of one answer",
            "  money     not known: m-1 has no price in policies.prices.models",
        ],
    ),
}


@pytest.mark.parametrize(("text", "told"), WORST.values(), ids=list(WORST))
def test_the_worst_case_of_a_call_is_told(text: str, told: list[str]) -> None:
    """Attempts of all entries, seconds, tokens and money, each with what bounds it."""
    lines = list(worst_case_lines("house", "m-1", loaded(text)))
    assert lines == ["worst case of one call", *told]


def test_a_model_that_nobody_knows_has_no_price() -> None:
    """Then the money is not known either."""
    *_, money = worst_case_lines("house", None, loaded(""))
    assert money == "  money     not known: its model has no price in policies.prices.models"
