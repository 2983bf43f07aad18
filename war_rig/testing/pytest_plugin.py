"""The pytest plugin of the conformance kit: ``pytest --war-rig-provider my_provider:MyProvider``.

Each rule is a test item of its own, and no test file is needed. The plugin imports pytest
and the standard library alone until it is asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from war_rig.testing.conformance import Kit

_OPTIONS = {
    "provider": ("TARGET", "hold this provider to the contract: MODULE:CLASS, or its name"),
    "config": ("FILE", "the YAML file with the provider's entry"),
    "answer": ("FILE", "an example of its API's answers, with $content where the text stands"),
    "endpoint": ("NAME", "the argument or variable that holds the address of its API"),
}
_ADVISED = "--war-rig-{0} {1}, or war_rig_{0} = {1} in pytest's configuration"
_KIT = pytest.StashKey["Kit"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options of the kit, and an ini key of the same meaning for each."""
    group = parser.getgroup("war-rig", "War Rig: does a provider keep the contract?")
    for name, (metavar, told) in _OPTIONS.items():
        group.addoption(f"--war-rig-{name}", metavar=metavar, help=told)
        parser.addini(f"war_rig_{name}", f"{told} (--war-rig-{name} beats it)", default=None)


@pytest.hookimpl(tryfirst=True)  # so that -k and --lf choose among the rules too
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add an item a rule, where a provider was named."""
    target = _option(config, "provider")
    if target and not _is_about_others(config):
        items += _rules(session, _kit(config, target))


def _option(config: pytest.Config, name: str) -> str | None:
    given: str | None = config.getoption(f"war_rig_{name}") or config.getini(f"war_rig_{name}")
    return given


def _is_about_others(config: pytest.Config) -> bool:
    """Return whether the command names test files only, and the provider stands in the ini file."""
    if (
        config.getoption("war_rig_provider")
        or config.args_source is not pytest.Config.ArgsSource.ARGS
    ):
        return False
    return all(Path(one.partition("::")[0]).is_file() for one in config.args)


def _kit(config: pytest.Config, target: str) -> "Kit":
    """Return the kit, loaded; what is wrong with the command, or the module, ends the run."""
    from war_rig.errors import WarRigError
    from war_rig.testing.conformance import Kit

    files = {name: _path(config, name) for name in ("config", "answer")}
    try:
        kit = Kit(target, endpoint=_option(config, "endpoint"), option=_ADVISED, **files)
        config.add_cleanup(kit.close)
        kit.load()
    except WarRigError as error:
        failure = str(error)
    else:
        config.stash[_KIT] = kit
        return kit
    raise pytest.UsageError(f"--war-rig-provider: {failure}")


def _path(config: pytest.Config, name: str) -> Path | None:
    """Return a file's path: an option's is the shell's, an ini key's starts at the ini file."""
    given: str | None = config.getoption(f"war_rig_{name}")
    if given:
        return config.invocation_params.dir / given
    written: str | None = config.getini(f"war_rig_{name}")
    folder = config.inipath.parent if config.inipath else config.rootpath
    return folder / written if written else None


def _rules(session: pytest.Session, kit: "Kit") -> "list[RuleItem]":
    """Return the items of all rules, collected as pytest collects what a file holds."""
    name = kit.plan.name
    provider = Provider.from_parent(session, name=name, nodeid=f"war-rig::{name}", kit=kit)
    report = provider.ihook.pytest_make_collect_report(collector=provider)
    provider.ihook.pytest_collectreport(report=report)
    return report.result  # type: ignore[no-any-return]


class Provider(pytest.Collector):
    """The provider, whose rules are its items."""

    def __init__(self, *, kit: "Kit", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kit = kit

    def collect(self) -> "Iterator[RuleItem]":
        """Yield an item a rule."""
        from war_rig.testing.conformance.rules import RULES

        yield from (RuleItem.from_parent(self, name=name, kit=self._kit) for name in RULES)


class RuleItem(pytest.Item):
    """One rule: a required one fails, a recommended one is an expected failure."""

    def __init__(self, *, kit: "Kit", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kit = kit

    def runtest(self) -> None:
        """Test the rule, and tell pytest what became of it."""
        verdict = self._kit.verdict(self.name)
        if verdict.outcome == "failed":
            raise _Failed(verdict)
        if verdict.outcome == "missed":
            pytest.xfail(verdict.reason)
        if verdict.outcome == "not tested":
            pytest.skip(verdict.reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """Return what the author needs, without a traceback through the kit."""
        if isinstance(excinfo.value, _Failed):
            from war_rig.testing.conformance.report import details

            return "\n".join([str(excinfo.value), *details(excinfo.value.verdict)])
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return what pytest shows as its place."""
        return self.path, None, self.nodeid


class _Failed(Exception):  # noqa: N818  it never leaves this file
    def __init__(self, verdict: Any) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what was found out about the provider, and what it could do better."""
    kit = config.stash.get(_KIT, None)
    if kit is None or not kit.judged:
        return
    from war_rig.testing.conformance.report import found_out, remarks

    terminalreporter.section(f"War Rig's contract: {kit.plan.name}")
    for line in (*filter(None, [kit.note]), *found_out(kit), *remarks(kit)):
        terminalreporter.line(line)
