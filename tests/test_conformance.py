"""The conformance kit: each fault is found by its own rule, and by no other; good ones pass."""

from collections.abc import Callable, Iterator

import pytest

from war_rig.testing.conformance import RULES, Kit

Judge = Callable[..., Kit]


@pytest.fixture
def judge() -> Iterator[Judge]:
    """Return a function that loads a provider into a kit of its own."""
    kits = []

    def load(target: str, **options: object) -> Kit:
        kit = Kit(target, **options)  # type: ignore[arg-type]
        kits.append(kit)
        kit.load()
        return kit

    yield load
    for kit in kits:
        kit.close()


def verdicts(kit: Kit) -> dict[str, set[str]]:
    """Return the names of the rules that came to each outcome."""
    found: dict[str, set[str]] = {}
    for name in RULES:
        found.setdefault(kit.verdict(name).outcome, set()).add(name)
    return found


EIGHT = {
    "AnswersOn500": "error_status_is_no_answer",
    "LeaksTheKey": "repr_shows_no_key",
    "Blocks": "slow_answer_blocks_nobody",
    "SharesItsClient": "second_loop_is_served",
    "IgnoresTheModel": "model_is_passed_on",
    "ReturnsNone": "answer_is_a_response",
    "DropsUnicode": "unicode_is_kept",
    "SwallowsCancellation": "cancellation_is_passed_on",
}


@pytest.mark.parametrize(("name", "rule"), EIGHT.items())
def test_a_seeded_fault_fails_exactly_its_rule(name: str, rule: str, judge: Judge) -> None:
    """Of all required rules, a provider with one fault fails the one that is about it."""
    assert verdicts(judge(f"house_faults:{name}")).get("failed") == {rule}


def test_a_careful_provider_keeps_every_rule(judge: Judge) -> None:
    """A provider with a stream, written with care, passes all that there is."""
    assert verdicts(judge("house_faults:House")) == {"passed": set(RULES)}
