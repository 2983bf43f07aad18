"""Policies as a file declares them: merged by key, refused where they can't be, wired in order."""

import asyncio
import re
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, leaks
from stacked import HELLO, SlowProvider, complete_in, read, stacked, text

from containers import Application, application, running
from war_rig.config import Settings, load
from war_rig.errors import (
    BudgetExceededError,
    ConfigError,
    MalformedAnswerError,
    PluginError,
    ServerError,
    UnknownProviderError,
)
from war_rig.policies.call import Call
from war_rig.policies.policy import Policy
from war_rig.policies.stack import Stack
from war_rig.providers import register_provider
from war_rig.providers.border import Border
from war_rig.testing import FakeProvider, rehearse

BUSY = ServerError("busy", status=503)


def loaded(text: str) -> Settings:
    path = Path("my.yaml")
    path.write_text(text)
    return load(path, {})


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return str(caught.value).splitlines()[1:]


def app(text: str, **fakes: Any) -> Application:
    """Return the container of *text*, in which each of *fakes* is a registered provider."""
    for name, fake in fakes.items():
        register_provider(name, lambda fake=fake: fake)
    path = Path("my.yaml")
    path.write_text(text)
    return application(path, {})


def stack_of(container: Application, name: str) -> Stack:
    stack = container.llm_provider.providers[name]()
    assert isinstance(stack, Stack)
    return stack


# what a file declares


def test_total_timeout_retry_and_attempt_timeout_are_on_by_default() -> None:
    """Nothing else is, until a file declares it."""
    stack = application(env={}).llm_provider()
    assert stack.layers == ["TotalTimeout", "Retry", "Attempts", "AttemptTimeout", "Border"]
    shown = "TotalTimeout, Retry, Attempts, AttemptTimeout, Border"
    assert repr(stack) == f"<Stack of provider 'offline': {shown}>"


def test_the_order_is_the_documented_one() -> None:
    """Whatever the order in the file, a stack is the same from outside in."""
    stack = stacked(
        FakeProvider(),
        rate_limit={"concurrency": 1},
        circuit_breaker={},
        budget={"tokens": 1},
        retry={},
        fallback=["other"],
        timeout={},
        cache={"path": "cache.sqlite"},
        trace={},
    )
    assert stack.layers == [
        "Trace", "CachedProvider", "TotalTimeout", "Fallback", "Retry", "Budget",
        "CircuitBreaker", "RateLimit", "Attempts", "AttemptTimeout", "Border",
    ]  # fmt: skip


def test_an_entry_s_policies_lie_over_the_common_ones_key_by_key() -> None:
    """What the entry does not say is what all have."""
    settings = loaded(
        "policies: {retry: {attempts: 5, wait_seconds: 2}}\n"
        "providers:\n"
        "  house: {type: openai, policies: {retry: {attempts: 7}}}\n"
        "  other: {type: openai}\n"
    )
    house, other = settings.policies_of("house").retry, settings.policies_of("other").retry
    assert house and other
    assert (house.attempts, house.wait_seconds) == (7, 2)
    assert (other.attempts, other.wait_seconds) == (5, 2)
    assert settings.policies_of("openai") == settings.policies
    assert settings.policy_key("house", "retry.attempts") == (
        "providers.house.policies.retry.attempts"
    )
    assert settings.policy_key("house", "retry.wait_seconds") == "policies.retry.wait_seconds"


def test_a_bare_list_of_fallbacks_is_short_for_a_map() -> None:
    """Over a map it replaces ``to`` alone, and a map over it adds to it."""
    settings = loaded(
        "policies: {fallback: {to: [b], on: [server]}}\n"
        "providers: {house: {policies: {fallback: [c]}}}\n"
    )
    fallback = settings.policies_of("house").fallback
    assert fallback and (fallback.to, fallback.on) == (["c"], ("server",))
    assert settings.policy_key("house", "fallback.on") == "policies.fallback.on"
    settings = loaded(
        "policies: {fallback: [b]}\nproviders: {house: {policies: {fallback: {on: [server]}}}}\n"
    )
    fallback = settings.policies_of("house").fallback
    assert fallback and (fallback.to, fallback.on) == (["b"], ("server",))


def test_null_leaves_a_policy_out() -> None:
    """For all, or for one entry; what is declared below it comes back."""
    settings = loaded(
        "policies: {retry: null}\n"
        "providers:\n"
        "  quick: {type: openai, policies: {timeout:}}\n"
        "  stubborn: {type: openai, policies: {retry: {attempts: 9}}}\n"
    )
    assert settings.policies.retry is None
    assert settings.policies.timeout is not None
    assert settings.policies_of("quick").timeout is None
    again = settings.policies_of("stubborn").retry
    assert again and again.attempts == 9


def test_an_empty_section_changes_nothing() -> None:
    """``policies:`` and nothing below it, at the top and in an entry."""
    settings = loaded("policies:\nproviders: {house: {type: openai, policies: }}\n")
    assert settings.policies == settings.policies_of("house") == load(None, {}).policies


def test_variables_work_in_the_policies_of_an_entry() -> None:
    """As in all of a file that was named."""
    path = Path("my.yaml")
    path.write_text("providers: {house: {policies: {retry: {attempts: '${TRIES}'}}}}")
    retry = load(path, {"TRIES": "4"}).policies_of("house").retry
    assert retry and retry.attempts == 4


def test_the_cache_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    """A relative path begins in the file's folder."""
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "my.yaml"
    file.write_text(
        "policies: {cache: {path: kept.sqlite}}\nproviders: {a: {policies: {cache: {path: /b}}}}"
    )
    settings = load(file, {})
    assert settings.policies.cache and settings.policies_of("a").cache
    assert settings.policies.cache.path == str(tmp_path / "etc" / "kept.sqlite")
    assert settings.policies_of("a").cache.path == "/b"


# what is refused


FAULTS = {
    "providers: {a: {policies: {retry: {attempts: 0}}}}": [
        "  my.yaml:1  providers.a.policies.retry.attempts: must be 1 or more"
    ],
    "policies: {retry: {atempts: 2}}": [
        "  my.yaml:1  policies.retry.atempts: is no key here. Did you mean 'attempts'? Known: "
        "attempts, longest_retry_after_seconds, longest_wait_seconds, share, spare, wait_seconds"
    ],
    "policies: {timeout: {total: 0}}": ["  my.yaml:1  policies.timeout.total: must be more than 0"],
    "policies: {cache: here}": ["  my.yaml:1  policies.cache: must be a map"],
    "policies: 5": ["  my.yaml:1  policies: must be a map"],
    "policies: {fallback: {to: [a], on: [sunday]}}": [
        "  my.yaml:1  policies.fallback.on.0: must be one of 'rate_limit', 'quota', 'server', "
        "'connection', 'timeout', 'malformed', 'circuit_open', 'budget', 'authentication', "
        "'model_not_found', 'bad_request', 'context_too_long' or 'content_refused'"
    ],
    "policies: {timeout: {attempt: 50, total: 40}}": [
        "  my.yaml:1  policies.timeout.total: is 40 s, less than one attempt may take (50 s)"
    ],
    "policies: {timeout: {attempt: 2000}}": [
        "  my.yaml:1  policies.timeout.attempt: is 2000 s, more than the whole call may take "
        "(1800 s)"
    ],
    "policies: {timeout: {total: 40, between_tokens: 50, connect: 41}}": [
        "  my.yaml:1  policies.timeout.connect: is 41 s, more than the whole call may take (40 s)",
        "  my.yaml:1  policies.timeout.between_tokens: is 50 s, more than the whole call may take "
        "(40 s)",
    ],
    "policies: {timeout: {first_token: 400}}": [
        "  my.yaml:1  policies.timeout.first_token: is 400 s, more than a whole attempt may take "
        "(300 s)"
    ],
    "policies: {timeout: {attempt: 50, first_token: 60}}": [
        "  my.yaml:1  policies.timeout.first_token: is 60 s, more than a whole attempt may take "
        "(50 s)"
    ],
    "policies: {retry: {wait_seconds: 9, longest_wait_seconds: 3}}": [
        "  my.yaml:1  policies.retry.wait_seconds: is 9 s, more than longest_wait_seconds (3 s)"
    ],
    "policies: {rate_limit: {}}": [
        "  my.yaml:1  policies.rate_limit: limits nothing: set at least one of "
        "requests_per_minute, tokens_per_minute, concurrency"
    ],
    "policies: {budget: {tokens: }}": [
        "  my.yaml:1  policies.budget: limits nothing: set at least one of tokens, money"
    ],
    "policies: {budget: {tokens: true, money: 0}}": [
        "  my.yaml:1  policies.budget.tokens: must be a number",
        "  my.yaml:1  policies.budget.money: must be more than 0",
    ],
    "policies: {retry: {attempts: yes, share: -1, spare: 2000000}}": [
        "  my.yaml:1  policies.retry.attempts: must be a whole number",
        "  my.yaml:1  policies.retry.share: must be 0 or more",
        "  my.yaml:1  policies.retry.spare: must be 1,000,000 or less",
    ],
    "policies: {prices: {models: {m: {input: nan}}}}": [
        "  my.yaml:1  policies.prices.models.m.input: must be a finite number",
        "  my.yaml:1  policies.prices.models.m.output: is missing",
    ],
    "policies: {fallback: a}": [
        "  my.yaml:1  policies.fallback: must be a list of providers, or a map"
    ],
    "providers: {a: {policies: {fallback: 5}}, b: {policies: {fallback: {to: true}}}}": [
        "  my.yaml:1  providers.a.policies.fallback: must be a list of providers, or a map",
        "  my.yaml:1  providers.b.policies.fallback.to: must be a list",
    ],
    "providers: {a: {policies: {fallback: {to: a}}}}": [
        "  my.yaml:1  providers.a.policies.fallback.to: must be a list"
    ],
    "policies: {fallback: {to: [], on: []}, cache: {path: ''}}": [
        "  my.yaml:1  policies.fallback.to: must name one or more",
        "  my.yaml:1  policies.fallback.on: must name one or more",
        "  my.yaml:1  policies.cache.path: must be text, and not empty",
    ],
    "policies: {fallback: [spare-one, b, Spare_One]}": [
        "  my.yaml:1  policies.fallback.to: names 'spare_one' twice"
    ],
    "policies: {budget: {money: 5}}": [
        "  my.yaml:1  policies.budget.money: needs prices: declare prices.models, or prices: "
        '{catalogue: true} with pip install "war-rig[prices]"'
    ],
    "providers: {a: {max_retries: '${RETRIES:2}'}}": [
        "  my.yaml:1  providers.a.max_retries: repeats calls that policies.retry repeats too (3 "
        "attempts): set it to 0, or providers.a.policies.retry to null"
    ],
    "policies: {cache: {path: 3}}": [
        "  my.yaml:1  policies.cache.path: must be text: put it in quotes"
    ],
    "policies: {cache: {path: c, max_bytes: 99999}}": [
        "  my.yaml:1  policies.cache.max_bytes: must be 100,000 or more"
    ],
    "policies: {trace: true, retry: false, cache: true, timeout: 3}": [
        "  my.yaml:1  policies.trace: must be a map; {} declares it with its defaults, and null "
        "leaves it out",
        "  my.yaml:1  policies.retry: must be a map; {} declares it with its defaults, and null "
        "leaves it out",
        "  my.yaml:1  policies.cache: must be a map; {} declares it with its defaults, and null "
        "leaves it out",
        "  my.yaml:1  policies.timeout: must be a map",
    ],
    "providers: {a: {max_retries: 3}}": [
        "  my.yaml:1  providers.a.max_retries: repeats calls that policies.retry repeats too (3 "
        "attempts): set it to 0, or providers.a.policies.retry to null"
    ],
    "providers: {a: {policies: {fallback: [b]}}, b: {policies: {fallback: {to: [C, C, a]}}}}": [
        "  my.yaml:1  providers.a.policies.fallback: goes round: a -> b -> a",
        "  my.yaml:1  providers.b.policies.fallback: goes round: b -> a -> b",
        "  my.yaml:1  providers.b.policies.fallback.to: names 'c' twice",
    ],
    "providers: {a: {policies: {fallback: [A, 5]}}}": [
        "  my.yaml:1  providers.a.policies.fallback: goes round: a -> a",
        "  my.yaml:1  providers.a.policies.fallback.to.1: must be text: put it in quotes",
    ],
}


@pytest.mark.parametrize(("text", "faults"), FAULTS.items(), ids=lambda value: str(value)[:60])
def test_what_can_not_be_is_refused_at_load(text: str, faults: list[str]) -> None:
    """With the file, the line, the key and the reason; the same fault is told once."""
    assert sorted(refused(text)) == sorted(faults)


def test_faults_are_told_line_by_line() -> None:
    """Whichever check found them; those of one line in the order in which they were found."""
    told = refused(
        "policies:\n"
        "  budget: {}\n"
        "providers:\n"
        "  a: {max_retries: 2, policies: {fallback: [b]}}\n"
        "  b: {policies: {fallback: [a], retry: {atempts: 5}}}\n"
        "agents: {clerk: {temperature: warm}}\n"
        "document: {rounds: '${NOPE}'}\n" + "\n" * 3 + "llm_provider: [a]\n"
    )
    assert [line.partition(": ")[0].removeprefix("  my.yaml:") for line in told] == [
        "2  policies.budget",
        "4  providers.a.max_retries",
        "4  providers.a.policies.fallback",
        "5  providers.b.policies.retry.atempts",
        "5  providers.b.policies.fallback",
        "6  agents.clerk.temperature",
        "7  document.rounds",
        "11  llm_provider",
    ]


def test_a_fault_of_a_prompt_stands_at_its_line() -> None:
    """Its origin ends with the variables, and not with the line."""
    told = refused(
        "agents:\n"
        "  a: {temperature: warm}\n"
        "  b: {system: {file: nowhere.md}}\n"
        "  c: {temperature: '${WARM:warm}'}\n"
        "  d: {temperature: warm}\n"
    )
    assert [line.split("  ")[1] for line in told] == [
        "my.yaml:2", "my.yaml:3", "my.yaml:4 (${WARM})", "my.yaml:5",
    ]  # fmt: skip


def test_a_common_fault_is_told_once() -> None:
    """Entries that inherit it add nothing."""
    assert refused("policies: {retry: {attempts: 0}}\nproviders: {a: {policies: {trace: {}}}}") == [
        "  my.yaml:1  policies.retry.attempts: must be 1 or more"
    ]
    common = "policies: {retry: {wait_seconds: 9, longest_wait_seconds: 3}}"
    told = refused(f"{common}\nproviders: {{a: {{policies: {{trace: {{}}}}}}}}")
    assert told == [
        "  my.yaml:1  policies.retry.wait_seconds: is 9 s, more than longest_wait_seconds (3 s)"
    ]


@pytest.mark.parametrize(
    ("common", "key"),
    [
        ("budget: {tokens: '${NOPE}'}", "budget.tokens"),
        ("budget: {tokens: '${NOPE}'}, retry: {share: 1}", "budget.tokens"),
        ("rate_limit: {concurrency: '${NOPE}'}, trace: null", "rate_limit.concurrency"),
        ("retry: {attempts: '${NOPE}'}", "retry.attempts"),
        ("fallback: ['${NOPE}']", "fallback.to.0"),
    ],
)
@pytest.mark.parametrize("has_entry", [False, True])
def test_an_unset_variable_is_the_only_fault(common: str, key: str, has_entry: bool) -> None:
    """A policy whose value is not known yet is not blamed for it, nor are entries under it."""
    entry = "providers: {a: {policies: {timeout: {total: 9}}}}\n" if has_entry else ""
    assert refused(f"policies: {{{common}}}\n{entry}") == [
        f"  my.yaml:1  policies.{key}: the environment variable NOPE is not set and has no "
        "default: export it, or write ${NOPE:default}"
    ]


def test_an_unset_variable_holds_back_no_fault_of_another_entry() -> None:
    """What the entry `b` contradicts does not hang on what `a` could not read."""
    told = refused(
        "providers:\n"
        "  a: {policies: {budget: {tokens: '${NOPE}'}, retry: {atempts: 1}}}\n"
        "  b: {policies: {budget: {}}}\n"
    )
    assert [line.partition(": ")[0] for line in told] == [
        "  my.yaml:2  providers.a.policies.budget.tokens",
        "  my.yaml:2  providers.a.policies.retry.atempts",
        "  my.yaml:3  providers.b.policies.budget",
    ]


def test_a_variable_that_may_not_be_used_is_the_only_fault() -> None:
    """In a file that was only found, too."""
    Path("war_rig.yaml").write_text("policies: {budget: {tokens: '${NOPE}'}}")
    with pytest.raises(ConfigError, match=r"^the configuration has a fault\n.*may not use the env"):
        load(None, {})


@pytest.mark.parametrize(
    "text",
    [
        "policies: {timeout: {total: 5}}",
        "policies: {timeout: {attempt: null}}",
        "policies: {timeout: {attempt: null, total: 20, first_token: 19}}",
        "providers: {a: {max_retries: 0}}",
        "providers: {a: {max_retries: '0'}, b: {retries: ''}, c: {retries: '${RETRIES:0}'}}",
        "providers: {a: {max_retries: '${RETRIES}'}}",
        "providers: {a: {max_retries: 3, policies: {retry: null}}}",
        "policies: {fallback: [a, b]}\nproviders: {a: {type: openai}, b: {type: openai}}",
        "providers: {a: {policies: {fallback: ['?', b]}}, b: {policies: {fallback: [c]}}, c: {}}",
    ],
)
def test_what_is_only_short_is_no_fault(text: str) -> None:
    """A total without a limit of an attempt, or below the shipped one, no doubled retry, ..."""
    assert loaded(text).policies


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("policies: {cache: {path: /tmp/cache}}", "policies.cache.path: lies outside"),
        ("providers: {a: {policies: {cache: {path: ../c}}}}", "lies outside the file's folder"),
        ("policies: {trace: {content: true}}", "may not send what is asked and answered"),
    ],
)
def test_a_file_that_was_only_found_may_not_spy(text: str, told: str) -> None:
    """Somebody else's folder writes no file elsewhere, and sends no text to a trace."""
    Path("war_rig.yaml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        load(None, {})


def test_a_file_that_was_only_found_may_declare_the_rest() -> None:
    """Limits, retries, and a trace without content."""
    Path("war_rig.yaml").write_text("policies: {trace: {content: false}, cache: {path: c.sqlite}}")
    assert load(None, {}).policies.trace


# what is wired


def test_the_limit_of_connecting_goes_to_a_provider_that_takes_it() -> None:
    """By its parameter connect_timeout_seconds; an argument of the entry itself beats it."""
    made: dict[str, Any] = {}

    def patient(connect_timeout_seconds: float = 10.0) -> FakeProvider:
        made["seconds"] = connect_timeout_seconds
        return FakeProvider()

    container = app("policies: {timeout: {connect: 3}}\nproviders: {other: {type: patient}}\n")
    register_provider("patient", patient)
    container.llm_provider.providers["other"]()
    assert made == {"seconds": 3.0}
    entry = "providers: {patient: {connect_timeout_seconds: 4}}"
    container = app(f"policies: {{timeout: {{connect: 3}}}}\n{entry}")
    container.llm_provider.providers["patient"]()
    assert made == {"seconds": 4.0}
    assert app("policies: {timeout: {connect: 3}}").llm_provider().default_model == "offline"


def test_the_option_of_the_selector_is_the_whole_stack() -> None:
    """What an agent is given retries by itself."""
    moody = FakeProvider(replies=[BUSY, "hello"])
    container = app("llm_provider: moody\n", moody=moody)
    answer = rehearse(container.agents("assistant").run("Hi"))
    assert (answer.content, len(answer.attempts)) == ("hello", 2)
    assert container.run().ledger.total.failed == 1


def test_a_fallback_is_another_entry_of_the_file() -> None:
    """It is asked with its own policies, and its attempts are in the ledger of the run."""
    second = FakeProvider("from second")
    container = app(
        "llm_provider: first\n"
        "policies: {retry: {attempts: 2}}\n"
        "providers: {first: {policies: {fallback: [second], retry: null}}}\n",
        first=FakeProvider(BUSY),
        second=second,
    )
    answer = rehearse(container.llm_provider().complete(HELLO))
    assert answer.content == "from second"
    assert "Retry" in stack_of(container, "second").layers
    assert "Retry" not in stack_of(container, "first").layers
    assert container.run().ledger.total.sent == 2


def test_a_common_list_of_fallbacks_leaves_out_the_entry_itself() -> None:
    """Nobody falls back to who has just failed."""
    container = app(
        "policies: {fallback: [first, second], retry: null}\n",
        first=FakeProvider(BUSY),
        second=FakeProvider("from second"),
    )
    answer = rehearse(stack_of(container, "first").complete(HELLO))
    assert [a.provider for a in answer.attempts] == ["first", "second"]


def test_what_overrides_an_option_is_the_fallback_too() -> None:
    """A test's fake answers wherever its entry is asked."""
    container = app(
        "providers: {first: {policies: {fallback: [second], retry: null}}}\n",
        first=FakeProvider(BUSY),
        second=FakeProvider("the real one"),
    )
    with container.llm_provider.providers["second"].override(FakeProvider("the fake")):
        answer = rehearse(stack_of(container, "first").complete(HELLO))
    assert answer.content == "the fake"


def test_what_overrides_a_fallback_is_asked_as_a_provider_is() -> None:
    """It need not stream, and what it raises is a reason to ask the next one."""

    class Plain:
        default_model = "p-1"

        def __init__(self, reply: Any) -> None:
            self.fake = FakeProvider(reply)

        async def complete(self, messages: Any) -> Any:
            return await self.fake.complete(messages)

    class BusyError(Exception):
        status_code = 503

    container = app(
        "providers: {first: {policies: {fallback: [second, third], retry: null}}}\n",
        first=FakeProvider(BUSY),
        second=FakeProvider("the real one"),
        third=FakeProvider("the third"),
    )
    second, stack = container.llm_provider.providers["second"], stack_of(container, "first")
    with second.override(Plain("the fake")):
        assert text(rehearse(read(stack))) == "the fake"
    with second.override(Plain(BusyError("not now"))):
        assert text(rehearse(read(stack))) == "the third"
        assert rehearse(stack.complete(HELLO)).content == "the third"
    with second.override(Plain(TimeoutError("not in time"))):
        assert rehearse(stack.complete(HELLO)).content == "the third"


def test_what_a_fallback_lacks_is_told_before_it_is_needed() -> None:
    """A missing key is told when the entry is built, with whose fallback it is, and the line."""
    container = app("providers: {first: {policies: {fallback: [openai]}}}\n", first=FakeProvider())
    with pytest.raises(ConfigError) as failed:
        stack_of(container, "first")
    assert str(failed.value).startswith("provider 'openai' needs 'api_key'\n")
    assert str(failed.value).endswith("\n  it is a fallback of 'first'\n  set by: my.yaml:1")


def test_a_common_fallback_that_is_broken_names_the_common_map() -> None:
    """The line is that of policies.fallback, and the entry the one that was asked for."""
    container = app("policies:\n  fallback: [openai]\n", first=FakeProvider())
    with pytest.raises(ConfigError, match=r"a fallback of 'first'\n  set by: my\.yaml:2$"):
        stack_of(container, "first")


def test_a_fallback_that_is_not_there_says_who_named_it() -> None:
    """With the line of the file."""
    container = app("providers: {first: {policies: {fallback: [nobody]}}}", first=FakeProvider())
    with pytest.raises(UnknownProviderError, match=r"set by: my\.yaml:1"):
        stack_of(container, "first")


def test_a_common_budget_is_one_purse_for_all_entries() -> None:
    """Falling back does not spend more than the run may."""
    container = app(
        "policies: {budget: {tokens: 10}, retry: null}\n",
        first=FakeProvider("x " * 9),
        second=FakeProvider("never"),
    )
    first, second = stack_of(container, "first"), stack_of(container, "second")

    async def ask() -> None:
        with pytest.raises(BudgetExceededError):
            await first.complete(HELLO, max_tokens=100)
        await first.complete(HELLO, max_tokens=5)
        with pytest.raises(BudgetExceededError):
            await second.complete(HELLO, max_tokens=5)

    rehearse(ask())


@pytest.mark.parametrize(
    ("policies", "parameters", "step"),
    [
        ("budget: {tokens: 1}", {"max_tokens": 5}, "raise the budget in my.yaml, or ask for less"),
        ("budget: {tokens: 1}", {}, "raise the budget in my.yaml, or set max_tokens"),
        (
            "budget: {money: 1}, prices: {models: {m: {input: 1, output: 1}}}",
            {},
            "declare its price under policies.prices.models in my.yaml, or use public prices",
        ),
    ],
)
def test_a_budget_names_the_file_in_which_to_raise_it(
    policies: str, parameters: dict[str, int], step: str
) -> None:
    """Not the usual one, where another is in use."""
    container = app(f"policies: {{{policies}}}\n", first=FakeProvider())
    with pytest.raises(BudgetExceededError, match=f"\n  {re.escape(step)}"):
        rehearse(stack_of(container, "first").complete(HELLO, **parameters))


def test_an_entry_s_own_budget_is_its_own_purse() -> None:
    """What others spend does not count there."""
    container = app(
        "policies: {budget: {tokens: 10}, retry: null}\n"
        "providers: {second: {policies: {budget: {tokens: 500}}}}\n",
        first=FakeProvider("x " * 9),
        second=FakeProvider("hello"),
    )

    async def ask() -> str:
        await stack_of(container, "first").complete(HELLO, max_tokens=5)
        return (await stack_of(container, "second").complete(HELLO, max_tokens=50)).content

    assert rehearse(ask()) == "hello"


def test_a_closed_container_begins_a_new_run() -> None:
    """Its ledger and its purse are empty again."""
    container = app(
        "llm_provider: first\npolicies: {budget: {tokens: 12}, retry: null}\n",
        first=FakeProvider("x " * 9),
    )

    async def ask() -> int:
        async with running(container):
            await container.llm_provider().complete(HELLO, max_tokens=5)
            return container.run().ledger.total.tokens_used

    assert rehearse(ask()) == rehearse(ask()) == 9
    assert container.run().ledger.total.sent == 0


def test_a_stack_closes_its_cache_and_its_provider() -> None:
    """Both are used again where the stack is asked again."""
    closed = []

    class Closing(FakeProvider):
        async def aclose(self) -> None:
            closed.append("provider")

    container = app(
        "llm_provider: first\npolicies: {cache: {path: kept.sqlite}}\n", first=Closing("hello")
    )

    async def ask() -> str:
        async with running(container):
            answer = await container.llm_provider().complete(HELLO)
        return answer.attempts[-1].outcome

    assert (rehearse(ask()), rehearse(ask())) == ("answered", "cached")
    assert closed == ["provider", "provider"]


def test_a_key_is_in_no_ledger_and_no_cache() -> None:
    """The model that was made of a key is masked in every attempt."""
    path = Path("my.yaml")
    path.write_text(
        "llm_provider: leaky\n"
        "policies: {cache: {path: kept.sqlite}, retry: null}\n"
        "providers: {leaky: {model: '${MY_TOKEN}'}}\n"
    )
    register_provider("leaky", lambda model: FakeProvider(f"I know {model}", model=model))
    container = application(path, {"MY_TOKEN": CANARY})
    answer = asyncio.run(container.llm_provider().complete(HELLO))
    assert [a.model for a in answer.attempts] == ["***"]
    assert CANARY not in repr(container.llm_provider())
    asyncio.run(container.llm_provider().aclose())
    assert all(CANARY.encode() not in f.read_bytes() for f in Path().glob("kept.sqlite*"))
    register_provider("failing", lambda model: FakeProvider(BUSY, model=model))
    path.write_text("llm_provider: failing\nproviders: {failing: {model: '${MY_TOKEN}'}}\n")
    with pytest.raises(ServerError) as caught:
        rehearse(application(path, {"MY_TOKEN": CANARY}).llm_provider().complete(HELLO))
    assert leaks(caught.value) == []


def test_both_questions_of_a_structured_answer_are_in_its_attempts() -> None:
    """Also where the second one fails: the first was paid for."""
    from pydantic import BaseModel

    class Point(BaseModel):
        x: int

    container = app(
        "llm_provider: fake\npolicies: {retry: null}\n",
        fake=FakeProvider(replies=["no", '{"x": 1}', "no", "no", "no", BUSY]),
    )
    agent = container.agents("assistant")

    async def ask() -> list[int]:
        counts = [len((await agent.run("?", output=Point)).attempts)]
        for _ in range(2):
            with pytest.raises(Exception) as caught:
                await agent.run("?", output=Point)
            counts.append(len(caught.value.attempts))  # type: ignore[attr-defined]
        return counts

    assert rehearse(ask()) == [2, 2, 2]


def test_an_answer_that_did_not_fit_is_not_kept() -> None:
    """A cache in the stack forgets what no agent could use, and asks again the next time."""
    from pydantic import BaseModel

    class Point(BaseModel):
        x: int

    container = app(
        "llm_provider: fake\npolicies: {cache: {path: kept.sqlite}}\n",
        fake=FakeProvider(replies=["no", "no", '{"x": 1}']),
    )

    async def ask() -> Any:
        async with running(container):
            agent = container.agents("assistant")
            with pytest.raises(MalformedAnswerError):
                await agent.run("?", output=Point)
            return (await agent.run("?", output=Point)).output

    assert rehearse(ask()) == Point(x=1)


def test_the_limit_of_connecting_is_a_definition_s_too() -> None:
    """Of ``type: http`` it is the one of its timeouts, unless the entry has its own there."""
    entry = (
        "type: http, url: 'http://h', model: m, request: {p: $messages}, "
        "messages: {each: $content}, response: {content: c}"
    )
    container = app(
        "policies: {timeout: {connect: 3}}\nproviders:\n"
        f"  one: {{{entry}}}\n"
        f"  two: {{{entry}, timeouts: {{connect: 4, total: 9}}}}\n"
    )
    timeouts = [
        stack_of(container, name).border.provider._definition.timeouts  # type: ignore[attr-defined]
        for name in ("one", "two")
    ]
    assert [(t.connect, t.total) for t in timeouts] == [(3, 600), (4, 9)]
    broken = app(
        f"policies: {{timeout: {{connect: 3}}}}\nproviders: {{x: {{{entry}, timeouts: 5}}}}"
    )
    with pytest.raises(ConfigError, match=r"providers\.x\.timeouts: must be a map"):
        stack_of(broken, "x")


def test_the_answer_of_a_fallback_is_not_kept_as_the_first_one_s() -> None:
    """The next time its own provider may be back."""
    container = app(
        "policies: {retry: null, cache: {path: kept.sqlite}}\n"
        "providers: {first: {policies: {fallback: [second]}}}\n",
        first=FakeProvider(replies=[BUSY, "from first", "never"]),
        second=FakeProvider("from second"),
    )

    async def ask() -> list[str]:
        async with running(container):
            stack = stack_of(container, "first")
            return [(await stack.complete(HELLO)).content for _ in range(3)]

    assert rehearse(ask()) == ["from second", "from first", "from first"]


def test_what_overrides_a_fallback_is_not_kept_either() -> None:
    """A test's fake leaves no answer in a cache that others find."""
    container = app(
        "policies: {retry: null, cache: {path: kept.sqlite}}\n"
        "providers: {first: {policies: {fallback: [second]}}}\n",
        first=FakeProvider(replies=[BUSY, "from first"]),
        second=FakeProvider("never"),
    )

    async def ask() -> list[str]:
        async with running(container):
            stack = stack_of(container, "first")
            with container.llm_provider.providers["second"].override(FakeProvider("the fake")):
                answers = [await stack.complete(HELLO)]
            return [answer.content for answer in [*answers, await stack.complete(HELLO)]]

    assert rehearse(ask()) == ["the fake", "from first"]


def test_a_cache_without_its_folder_says_what_to_do() -> None:
    """A folder is not made behind anybody's back."""
    container = app(
        "llm_provider: first\npolicies: {cache: {path: none/kept.sqlite}}\n", first=FakeProvider()
    )
    with pytest.raises(ConfigError, match=r"make the folder .*none, or set another 'path'"):
        rehearse(container.llm_provider().complete(HELLO))


def test_what_a_provider_refuses_to_send_is_no_attempt() -> None:
    """A parameter that it can't take is a mistake of the file, which costs nothing."""

    class Narrow:
        default_model = "n-1"

        async def complete(self, messages: Any) -> Any:
            raise AssertionError("never asked")

    container = app("llm_provider: narrow\npolicies: {retry: null}\n", narrow=Narrow())
    with pytest.raises(ConfigError, match="does not take 'temperature'"):
        rehearse(container.llm_provider().complete(HELLO, temperature=0.5))
    total = container.run().ledger.total
    assert (total.sent, total.refused) == (0, 1)


def test_an_attempt_that_ended_in_any_of_our_errors_has_failed() -> None:
    """Only one that its caller gave up is cancelled."""
    call = Call()
    inner = stacked(FakeProvider(PluginError("its model file is gone"))).inner
    with pytest.raises(PluginError):
        rehearse(complete_in(call, inner, HELLO))
    (attempt,) = call.attempts
    assert (attempt.outcome, attempt.reason) == ("failed", "PluginError: its model file is gone")


def test_calls_that_share_a_context_share_no_ledger() -> None:
    """What some frameworks run in one context are calls of their own, their retries too."""
    down = [ServerError("down", status=503)] * 3
    stack = stacked(SlowProvider(1, replies=[*down, "a", "b", "c"]), retry={"attempts": 2})

    async def run() -> list[int]:
        shared, loop = copy_context(), asyncio.get_running_loop()
        calls = [loop.create_task(stack.complete(HELLO), context=shared) for _ in range(3)]
        return [len((await call).attempts) for call in calls]

    assert rehearse(run()) == [2, 2, 2]


def test_a_policy_by_itself_changes_nothing() -> None:
    """Whole or in a stream, what its provider says is what it says."""
    plain = Policy(Border("fake", FakeProvider("a b")))
    assert rehearse(plain.complete(HELLO)).content == "a b"
    assert text(rehearse(read(plain))) == "a b"
    assert plain.default_model == "fake"
