"""All rules, in the order in which they are told."""

from collections.abc import Iterator
from types import ModuleType

from war_rig.testing.conformance.checks import (
    asking,
    failing,
    keys,
    parameters,
    running,
    shape,
    streams,
)
from war_rig.testing.conformance.rule import Rule


def _of(*modules: ModuleType) -> Iterator[Rule]:
    for module in modules:
        yield from (one for one in vars(module).values() if isinstance(one, Rule))


RULES: dict[str, Rule] = {
    rule.name: rule for rule in _of(shape, asking, parameters, failing, running, keys, streams)
}
"""Every rule by its name, in the order in which they are told."""
