"""The conformance kit in the author's hands: `pytest --war-rig-provider` and `providers check`."""

import json
import os
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpcore  # noqa: F401  httpx loads it late: a pytest in this process would load it twice
import pytest
import test_cli
from conftest import ROOT, run
from markdown import snippets
from test_cli import WarRig
from test_conformance import EXAMPLE

from war_rig.testing import pytest_plugin
from war_rig.testing.conformance import Rule, discovery
from war_rig.testing.conformance.rules import RULES
from war_rig.testing.conformance.templates import parsed

pytest_plugins = ["pytester"]
war_rig = test_cli.war_rig
Run = Callable[..., pytest.RunResult]

LOCAL = """
    from war_rig.providers import CompletionResponse

    class Local:
        default_model = "local-1"

        async def complete(self, messages, **parameters):
            return CompletionResponse("I am here.", "local-1", 3)
"""


@pytest.fixture
def run_pytest(pytester: pytest.Pytester) -> Run:
    """Return a function that runs pytest in this process, beside a provider without an API."""
    pytester.makepyfile(local=LOCAL)
    alone = ("-p", "no:asyncio", "-p", "no:cacheprovider", "-W", "error")
    return lambda *words: pytester.runpytest_inprocess(*alone, *words)


def test_each_rule_is_a_test_of_its_own(run_pytest: Run) -> None:
    """No test file is needed: the rules pass, or are skipped with a reason, under their names."""
    ran = run_pytest("--war-rig-provider", "local:Local", "-v")
    assert ran.ret == 0
    assert ran.parseoutcomes()["passed"] + ran.parseoutcomes()["skipped"] == len(RULES)
    ran.stdout.fnmatch_lines([
        f"*collected {len(RULES)} items*",
        "war-rig::local::it_is_built PASSED*",
        "war-rig::local::error_status_is_no_answer SKIPPED (*",
        "*= War Rig's contract: local =*",
        "tested  Local(), local:Local",
        "given   nothing",
        "not tested: * rules: it answers without its API",
        "required: *; recommended: *",
    ])  # fmt: skip


def test_a_required_rule_fails_and_a_recommended_one_does_not(run_pytest: Run) -> None:
    """A failure tells what was sent and what to change; what is recommended is told at the end."""
    ran = run_pytest("--war-rig-provider", "house_faults:HidesTheStatus",
                     "-k", "error_carries_its_status or repr")  # fmt: skip
    assert ran.ret == 0
    ran.assert_outcomes(passed=1, xfailed=1, deselected=len(RULES) - 2)
    ran.stdout.fnmatch_lines([
        "error_carries_its_status (recommended)",
        "  came back  it raised LookupError: no answer, with no status",
        "  change     check the status before you read the body: *",
        "  see        docs/conformance.md#error_carries_its_status",
    ])  # fmt: skip
    ran = run_pytest("--war-rig-provider", "house_faults:LeaksTheKey", "-k", "repr")
    assert ran.ret == 1
    shown = ran.stdout.str()
    assert "Traceback" not in shown
    assert "kit.py" not in shown
    ran.stdout.fnmatch_lines([
        "it shows the key of api_key: LeaksTheKey('sk-canary-api-key-0123456789', *",
        "  sent       repr(provider)",
        "  wanted     repr() and str() of the provider show no key",
        "  change     leave it out of __repr__; in a dataclass: field(repr=False)",
        "  why        A provider's repr stands in tracebacks, logs and debuggers.",
        "FAILED war-rig::leaks_the_key::repr_shows_no_key - it shows the key of api_*",
    ])  # fmt: skip


def test_collecting_asks_nothing(run_pytest: Run) -> None:
    """`--collect-only` lists the rules, and tells nothing about a provider that was not tried."""
    ran = run_pytest("--war-rig-provider", "local:Local", "--collect-only", "-q")
    ran.stdout.fnmatch_lines(["war-rig::local::it_is_built"])
    assert "contract" not in ran.stdout.str()


WRONG = {
    "locl:Local": "there is no module 'locl' for locl:Local. Did you mean 'local'?",
    "local:Locl": "there is no 'Locl' in module 'local'. Did you mean 'Local'?",
    "local/py:Local": "'local/py:Local' is not of the form MODULE:CLASS",
    "opnai": "unknown provider 'opnai'. Did you mean 'openai'?",
}


@pytest.mark.parametrize(("target", "told"), WRONG.items())
def test_a_misspelt_target_ends_the_run(target: str, told: str, run_pytest: Run) -> None:
    """What can't be found is an error of usage, before any rule, and says what was meant."""
    ran = run_pytest("--war-rig-provider", target)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([f"ERROR: --war-rig-provider: {told.replace('[', '[[]')}*"])


def test_a_module_that_does_not_import_ends_the_run(
    run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """An error inside the author's module is told with its line, not taken for a wrong name."""
    told = {
        "import no_such_library": (
            "ModuleNotFoundError: No module named 'no_such_library' (broken_0.py:1)",
            "  install what it misses, or correct that line",
        ),
        "REGION = 'eu'.split('-')[1]": (
            "IndexError: list index out of range (broken_1.py:1)",
            "  correct that line",
        ),
        "class Any(": (
            "SyntaxError: '(' was never closed (broken_2.py, line 1)",
            "  correct that line",
        ),
    }
    for number, (code, (failure, advice)) in enumerate(told.items()):
        pytester.makepyfile(**{f"broken_{number}": code})
        ran = run_pytest("--war-rig-provider", f"broken_{number}:Any")
        assert ran.ret == pytest.ExitCode.USAGE_ERROR
        ran.stderr.fnmatch_lines([
            f"ERROR: --war-rig-provider: provider 'any' could not be imported: {failure}",
            f"  broken_{number}:Any",
            advice,
        ])  # fmt: skip


def test_a_failure_tells_its_line(run_pytest: Run, pytester: pytest.Pytester) -> None:
    """What the author's code raises is told with the line that raised it."""
    pytester.makepyfile(failing=FAILING)
    for name, came_back in {
        "Answers": "it raised KeyError: 'no such' (failing.py:7, in read)",
        "Names": "provider 'names' raised ZeroDivisionError from its default_model: division "
        "by zero (failing.py:12, in default_model)",
        "Changes": "complete() raised LookupError: again (failing.py:19, in complete)",
        "Builds": "provider 'builds' could not be built: ZeroDivisionError: division by zero "
        "(failing.py:24, in __init__)",
    }.items():
        ran = run_pytest("--war-rig-provider", f"failing:{name}")
        ran.stdout.fnmatch_lines([f"*came back  {came_back}"])
    ran.stdout.fnmatch_lines(["  change     let it take its arguments by name, or read its own *"])


FAILING = """
    class Answers:
        default_model = "m-1"
        async def complete(self, messages, **parameters):
            return self.read({})

        def read(self, answer):
            return answer["no such"]

    class Names(Answers):
        @property
        def default_model(self):
            return 1 / 0

    class Changes(Answers):
        calls = []
        async def complete(self, messages, **parameters):
            self.calls.append(1)
            if len(self.calls) > 1:
                raise LookupError("again")
            return CompletionResponse("I am here.", "m-1", 3)

    class Builds(Answers):
        def __init__(self):
            1 / 0

    from war_rig.providers import CompletionResponse
"""


def test_a_plain_pytest_runs_the_rules_beside_other_tests(
    run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """Ini keys name the provider and its files, which lie beside the ini file."""
    pytester.makefile(".json", answer=json.dumps(EXAMPLE))
    pytester.makepyfile(test_own="def test_own(): pass")
    folder = pytester.mkdir("inner")
    (pytester.path / "pytest.ini").write_text(
        "[pytest]\nwar_rig_provider = house_faults:AnswersOn500\nwar_rig_answer = answer.json\n"
        "war_rig_endpoint = endpoint\n"
    )
    ran = run_pytest("-k", "test_own or answer_is_a_response", f"--rootdir={pytester.path}")
    ran.assert_outcomes(passed=2, deselected=len(RULES) - 1)
    ran.stdout.fnmatch_lines(["found   it reads the content at reply.words, the tokens at cost"])
    ran = run_pytest("test_own.py", "-q")
    ran.assert_outcomes(passed=1)
    ran = run_pytest(
        "test_own.py", "--war-rig-provider", "local:Local", "-k", "test_own or is_built"
    )
    ran.assert_outcomes(passed=2, deselected=len(RULES) - 1)
    ran = run_pytest(str(folder), "-k", "is_built")
    ran.assert_outcomes(passed=1, deselected=len(RULES) - 1)


def test_a_name_of_a_file_and_a_registered_one_can_be_tested(
    run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """A conftest.py may register the class; an entry of a file is named with --war-rig-config."""
    pytester.makeconftest(
        "from local import Local\nfrom war_rig.providers import register_provider\n"
        "register_provider('mine', Local)"
    )
    run_pytest("--war-rig-provider", "mine", "-k", "is_built").assert_outcomes(
        passed=1, deselected=len(RULES) - 1
    )
    (pytester.path / "my.yaml").write_text("providers: {ours: {type: mine}}")
    words = ("--war-rig-config", "my.yaml", "-k", "is_built")
    ran = run_pytest("--war-rig-provider", "ours", *words)
    ran.assert_outcomes(passed=1, deselected=len(RULES) - 1)
    ran = run_pytest("--war-rig-provider", "local:Local", *words)
    ran.stderr.fnmatch_lines(["ERROR: --war-rig-provider: a file goes with the name of*"])


def test_an_error_of_the_kit_keeps_its_traceback(
    run_pytest: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no verdict, such as a bug of the kit's, is shown as pytest shows errors."""
    from war_rig.testing.conformance import Kit

    monkeypatch.setattr(Kit, "verdict", lambda self, name: 1 / 0)
    ran = run_pytest("--war-rig-provider", "local:Local", "-k", "is_built")
    ran.stdout.fnmatch_lines(["*ZeroDivisionError*"])


def test_it_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    """For real: pytest finds the plugin, and the author's class in the current folder."""
    source = Path(__file__).with_name("house_faults.py").read_text()
    (tmp_path / "my_house.py").write_text(source)
    (tmp_path / "answer.json").write_text(json.dumps(EXAMPLE))
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    ran = run(
        sys.executable, "-m", "pytest", "-p", "no:asyncio", "-W", "error", "--war-rig-provider",
        "my_house:SharesItsClient", "--war-rig-answer", "answer.json", cwd=tmp_path, env=env,
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"1 failed, {len(RULES) - 1} passed" in ran.stdout
    assert "FAILED war-rig::shares_its_client::second_loop_is_served" in ran.stdout


# the command


def test_the_command_prints_a_table(war_rig: WarRig, tmp_path: Path) -> None:
    """`providers check` tells each rule with its verdict and its place in the documentation."""
    (tmp_path / "answer.json").write_text(json.dumps(EXAMPLE))
    words = ("providers", "check", "house_faults:LeaksTheKey", "--answer", "answer.json")
    ran = war_rig(*words, "--endpoint", "endpoint")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[:3] == [
        "tested  LeaksTheKey(api_key, endpoint, model='house-1'), house_faults:LeaksTheKey",
        "given   endpoint = the kit's server, api_key = a made-up key",
        "found   it reads the content at reply.words, the tokens at cost",
    ]
    rows = {line.split()[0]: line.split() for line in lines if "  #" in line}
    assert list(rows) == list(RULES)
    assert rows["it_is_built"] == ["it_is_built", "passed", "#it_is_built"]
    assert rows["repr_shows_no_key"][1:4] == ["failed", "it", "shows"]
    assert "repr_shows_no_key (required)" in lines
    assert lines[-1] == "required: 30 passed, 1 failed; recommended: 6 passed"


def test_a_file_that_was_only_found_is_told(
    war_rig: WarRig, run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """A war_rig.yaml of the current folder is used, and announced, as by every other command."""
    (pytester.path / "war_rig.yaml").write_text("providers: {quiet: {type: offline}}")
    note = "note: using ./war_rig.yaml, found in the current folder; it gets nothing from the "
    ran = war_rig("providers", "check", "quiet")
    assert (ran.code, ran.err.startswith(note)) == (0, True)
    run_pytest("--war-rig-provider", "quiet").stdout.fnmatch_lines([f"{note}*"])


def test_the_command_passes_what_keeps_the_contract(war_rig: WarRig) -> None:
    """Where no required rule fails, the command succeeds."""
    assert war_rig("providers", "check", "offline").code == 0


def test_the_command_does_not_wait_for_a_call_that_hangs(
    war_rig: WarRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that never ends does not keep the command from ending."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(discovery, "_FIRST_ASK_SECONDS", 0.5)
    ran = war_rig("providers", "check", "house_shapes:Hangs")
    assert (ended, ran.err) == ([1], "note: a call to the provider has not ended yet\n")
    assert "came back  it had not ended after 0.5 s" in ran.out


@pytest.mark.parametrize("name", ["acme.AcmeProvider", "opnai"])
def test_a_wrong_name_was_typed(name: str, war_rig: WarRig) -> None:
    """No file is blamed for what stands in the command; a class is named in another way."""
    shown = war_rig("providers", "show", name)
    checked = war_rig("providers", "check", name)
    assert (shown.code, checked.code) == (2, 2)
    assert "set by" not in shown.err
    hint = "  a class of yours is named as MODULE:CLASS: my_provider.provider:MyProvider\n"
    assert checked.err == f"{shown.err}{hint}"


def test_an_entry_with_a_wrong_type_is_blamed(war_rig: WarRig, tmp_path: Path) -> None:
    """Where the name is right, nothing is said of classes."""
    (tmp_path / "my.yaml").write_text("providers: {mine: {type: opnai}}")
    ran = war_rig("providers", "check", "mine", "--config", "my.yaml")
    assert ran.err.endswith("\n  my.yaml:1: providers.mine.type names it\n")


def test_the_command_tells_wrong_usage(war_rig: WarRig, tmp_path: Path) -> None:
    """A file or an example that is none is told, with exit code 2."""
    missing = war_rig("providers", "check", "openai", "--answer", "none.json")
    assert (missing.code, missing.err) == (
        2,
        "error: none.json can't be read: No such file or directory\n"
        "  see docs/conformance.md#answers\n",
    )
    (tmp_path / "a.json").write_text('{"said": "hello"}')
    wrong = war_rig("providers", "check", "openai", "--answer", "a.json")
    assert (wrong.code, wrong.err) == (
        2,
        'error: a.json, the example of an answer, has no "$content" where the text of the answer '
        "stands\n  see docs/conformance.md#answers\n",
    )


# the page


PAGE = ROOT / "docs" / "conformance.md"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_has_its_section(rule: Rule) -> None:
    """The page has a section a rule, which says whether it is required, what it wants, and why."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n### {rule.name}\n\n")[1]
    told = " ".join(section.split("\n\n")[0].replace("`", "").split())
    kind = "Required" if rule.is_required else "Recommended"
    assert told == f"{kind}: {rule.wanted}. {rule.reason} To do: {rule.change}.".replace("`", "")


def test_no_section_is_about_a_rule_that_is_none() -> None:
    """Below the heading of the rules there are these, in their order, and no others."""
    rules = PAGE.read_text(encoding="utf-8").split("\n## The rules\n")[1]
    assert re.findall(r"^### (\w+)$", rules, re.MULTILINE) == list(RULES)


def test_the_first_run_of_the_page_ends_as_it_shows(
    run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """The page's provider, tested by the page's command, ends in what the page shows."""
    (code,) = (s.code for s in snippets(PAGE, "python") if "class AcmeProvider" in s.code)
    (pytester.path / "acme.py").write_text(code)
    (shown,) = (s.code for s in snippets(PAGE, "text") if "War Rig's contract" in s.code)
    ran = run_pytest("--war-rig-provider", "acme:AcmeProvider")
    assert "\n".join(shown.splitlines()[1:]) in ran.stdout.str()


def test_the_examples_of_the_page_are_examples() -> None:
    """Each block of JSON is what an author may pass as an example."""
    blocks = snippets(PAGE, "json")
    assert len(blocks) == 3
    for block in blocks:
        assert parsed(block.code)[0] is not None


def test_the_ini_keys_of_the_page_are_those() -> None:
    """The block of TOML has every key that the plugin takes, and each has its row."""
    text = PAGE.read_text(encoding="utf-8")
    (block,) = snippets(PAGE, "toml")
    keys = tomllib.loads(block.code)["tool"]["pytest"]["ini_options"]
    assert set(keys) == {f"war_rig_{name}" for name in pytest_plugin._OPTIONS}
    for name in pytest_plugin._OPTIONS:
        assert f"| `war_rig_{name}` | `--war-rig-{name} " in text
