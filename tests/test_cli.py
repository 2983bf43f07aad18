"""The command line, as a user meets it: output, exit codes, and one readable block an error."""

import asyncio
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from canary import CANARY
from conftest import ONE_ATTEMPT
from loopback import (
    Request,
    Server,
    answer,
    chat_completion,
    response_bytes,
    serve,
    stall,
)
from streams import DONE, FINISH, ROLE, chunk, endless, streaming

import containers.__main__
from containers import cli
from containers.cli import debug
from war_rig import __version__, readers
from war_rig.errors import ServerError
from war_rig.providers import registry
from war_rig.readers import Reading, Source
from war_rig.testing import FakeProvider

NOTE = (
    "note: no provider was chosen, so the embedded 'offline' one is used; set LLM_PROVIDER or pass "
    "--provider (see: war-rig providers)\n"
)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


WarRig = Callable[..., Ran]


@pytest.fixture
def war_rig(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> WarRig:
    """Return a function that runs the command in this process."""

    def run(*words: str, text: str | None = None, **env: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["war-rig", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(text or ""))
        monkeypatch.setattr(debug, "is_on", False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        code = 0
        try:
            containers.__main__.main()
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    return run


@pytest.fixture
def api() -> Iterator[Server]:
    with serve(answer(chat_completion())) as server:
        yield server


def keys(api: Server) -> dict[str, str]:
    return {"OPENAI_API_KEY": CANARY, "OPENAI_BASE_URL": f"{api.url}/v1"}


def test_ask_prints_the_answer_and_nothing_else(war_rig: WarRig, api: Server) -> None:
    """The answer is all that standard output gets."""
    ran = war_rig("ask", "Hello", LLM_PROVIDER="openai", **keys(api))
    assert ran == Ran(0, "Hello.\n", "")
    messages = api.requests[0].json["messages"]
    assert messages == [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Hello"},
    ]


def test_ask_prints_as_the_answer_arrives(api: Server, tmp_path: Path) -> None:
    """A piece is on standard output while the server still keeps the rest back."""
    shown = threading.Event()

    def respond(request: Request, connection: socket) -> None:
        streaming(ROLE, chunk("Hel"), ending="open")(request, connection)
        assert shown.wait(30)
        for part in (chunk("lo."), FINISH, DONE):
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")

    api.respond = respond
    env = {"PATH": os.environ["PATH"], "LLM_PROVIDER": "openai", **keys(api)}
    process = subprocess.Popen(
        [sys.executable, "-m", "containers", "ask", "Hello"],
        env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    first = process.stdout.read(3)
    shown.set()
    rest, errors = process.communicate(timeout=30)
    assert (first, rest, errors, process.returncode) == (b"Hel", b"lo.\n", b"", 0)


def test_what_was_printed_stays_where_the_answer_breaks_off(war_rig: WarRig) -> None:
    """The error is on stderr, and begins on a line of its own."""
    broken = FakeProvider(["A line\nand ", "a half", ServerError("the pump stopped")])
    registry.register_provider("broken", lambda: broken)
    error = (
        "error: provider 'broken' reports: the pump stopped\n  model fake\n"
        "  the fault is on the provider's side: ask again later\n"
    )
    asked = ("ask", "Hello", "--provider", "broken", "--config", ONE_ATTEMPT)
    assert war_rig(*asked) == Ran(1, "A line\nand a half\n", error)
    assert war_rig(*asked, "--no-stream") == Ran(1, "", error)


def test_what_was_tried_is_told_where_it_was_more_than_once(war_rig: WarRig) -> None:
    """An error after several attempts lists them, with what they cost and what was waited."""
    broken = FakeProvider(replies=[ServerError("down", status=500)] * 3)
    registry.register_provider("broken", lambda: broken)
    ran = war_rig("ask", "Hello", "--provider", "broken")
    shown = re.sub(r"\d\.\d s", "N s", ran.err)
    assert shown.splitlines()[:5] == [
        "error: provider 'broken' reports: down",
        "  model fake",
        "  the fault is on the provider's side: ask again later",
        "  3 attempts, 3 failed, about 0 tokens, waited N s",
        "    broken: failed: ServerError: provider 'broken' reports: down",
    ]
    assert len(shown.splitlines()) == 7


def test_what_a_failed_attempt_cost_is_told(war_rig: WarRig, tmp_path: Path) -> None:
    """One that broke off may have been billed, though it is the only one."""
    file = tmp_path / "priced.yaml"
    file.write_text("policies: {retry: null, prices: {models: {fake: {input: 1, output: 1000}}}}\n")
    replies = [["four chars", ServerError("down", status=500)], ServerError("down", status=500)]
    broken = FakeProvider(replies=replies)
    registry.register_provider("broken", lambda: broken)
    asked = ("ask", "Hello", "--provider", "broken", "--config", str(file))
    told = "\n  1 attempt, 1 failed, about 12 tokens, 0.003009 spent\n"
    assert war_rig(*asked).err.endswith(told)
    assert war_rig(*asked).err.endswith("ask again later\n")


def test_what_an_answer_took_is_told_where_it_took_more_than_one_attempt(war_rig: WarRig) -> None:
    """The answer alone is on stdout."""
    moody = FakeProvider(replies=[ServerError("down", status=500), "hello"])
    registry.register_provider("moody", lambda: moody)
    ran = war_rig("ask", "Hello", "--provider", "moody")
    assert (ran.code, ran.out) == (0, "hello\n")
    whole, *each = ran.err.splitlines()
    assert re.fullmatch(r"2 attempts, 1 failed, about \d+ tokens?(, waited \d\.\d s)?", whole)
    assert each[0].startswith("  moody: failed: ServerError: provider 'moody' reports: down")
    assert re.fullmatch(r"  moody: answered( after \d\.\d s of waiting)?", each[1])


def test_what_a_run_has_spent_of_its_budget_is_told(war_rig: WarRig, tmp_path: Path) -> None:
    """In money where there is a price, and of how much."""
    file = tmp_path / "priced.yaml"
    file.write_text(
        "policies:\n"
        "  budget: {tokens: 50000, money: 2.5}\n"
        "  prices: {models: {fake: {input: 1, output: 1000}}}\n"
    )
    registry.register_provider("paid", lambda: FakeProvider("one two three"))
    ran = war_rig("ask", "Hello", "--provider", "paid", "--config", file)
    assert ran.err == (
        "1 attempt, about 3 tokens, 0.003 spent\n"
        "budget of the run: 3 of 50,000 tokens, 0.0030 of 2.50\n"
    )
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.txt").write_text("hello\n")
    policies = file.read_text().replace("fake", "offline")
    file.write_text(policies)
    asked = ("document", str(source), "--out", str(tmp_path / "docs"), "--config", str(file))
    assert "spent\nbudget of the run: " in war_rig(*asked).out


def test_a_long_list_of_attempts_is_cut(war_rig: WarRig, tmp_path: Path) -> None:
    """Twenty attempts are not twenty lines."""
    registry.register_provider("broken", lambda: FakeProvider(ServerError("down", status=500)))
    file = tmp_path / "stubborn.yaml"
    file.write_text("policies: {retry: {attempts: 14, wait_seconds: 0.001}}\n")
    ran = war_rig("ask", "Hello", "--provider", "broken", "--config", str(file))
    assert ran.err.endswith("    and 2 more\n")


def test_a_budget_that_ends_a_run_is_told_with_what_was_spent(
    war_rig: WarRig, tmp_path: Path
) -> None:
    """What was paid for before is not forgotten because the run did not end well."""
    file = tmp_path / "small.yaml"
    file.write_text("policies: {budget: {tokens: 10}}\n")
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.txt").write_text("hello\n")
    ran = war_rig("document", str(source), "--out", str(tmp_path / "docs"), "--config", str(file))
    assert ran.code == 1
    assert "budget of the run: 0 of 10 tokens\nerror: provider 'offline' was not asked" in ran.err


def test_ask_prints_a_whole_answer_where_that_is_wanted(war_rig: WarRig, api: Server) -> None:
    """--no-stream asks without a stream."""
    ran = war_rig("ask", "Hello", "--no-stream", LLM_PROVIDER="openai", **keys(api))
    assert ran == Ran(0, "Hello.\n", "")
    assert "stream" not in api.requests[0].json


def test_ask_ends_quietly_where_nobody_reads_on(tmp_path: Path) -> None:
    """`war-rig ask | head -1` prints no error, and stops asking."""
    with endless(*[chunk("a line\n")] * 2000) as watched:
        env = {"PATH": os.environ["PATH"], "LLM_PROVIDER": "openai", **keys(watched.server)}
        process = subprocess.Popen(
            [sys.executable, "-m", "containers", "ask", "Hello"],
            env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"a line\n"
        process.stdout.close()
        assert watched.closed.wait(30)
        assert process.wait(30) == 1
        assert process.stderr.read() == b""
        process.stderr.close()


def test_ask_says_that_nobody_chose_a_provider(war_rig: WarRig) -> None:
    """Without a choice the offline provider answers, and stderr says so."""
    ran = war_rig("ask", "Hello")
    assert (ran.code, ran.err) == (0, NOTE)
    assert 'offline provider, not a language model, so I can\'t answer "Hello"' in ran.out
    assert war_rig("ask", "Hello", LLM_PROVIDER="offline").err == ""
    assert war_rig("ask", "Hello", "--provider", "offline").err == ""


@pytest.mark.parametrize("words", [[], ["-"]])
def test_ask_reads_standard_input(war_rig: WarRig, api: Server, words: list[str]) -> None:
    """Without a text, or with '-', the question is piped in."""
    ran = war_rig("ask", *words, text="From a pipe", LLM_PROVIDER="openai", **keys(api))
    assert ran.code == 0
    assert api.requests[0].json["messages"][-1]["content"] == "From a pipe"


def test_ask_without_a_question_is_a_usage_error(
    war_rig: WarRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty pipe, or a terminal, is told what to give."""
    ran = war_rig("ask")
    assert ran.code == 2
    assert "nothing to ask: standard input is empty" in ran.err
    monkeypatch.setattr(io, "StringIO", Terminal)
    assert "nothing to ask: give a text, or pipe one in" in war_rig("ask").err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_provider_and_model_beat_everything(war_rig: WarRig, api: Server, tmp_path: Path) -> None:
    """--provider beats LLM_PROVIDER, the file and the agent's own; --model the agent's model."""
    config = tmp_path / "my.yaml"
    config.write_text(
        "llm_provider: azure_openai\nagents: {clerk: {provider: azure_openai, model: m-1}}\n"
    )
    words = ("--agent", "clerk", "--provider", "openai", "--model", "m-2", "--config", str(config))
    ran = war_rig("ask", "Hello", *words, LLM_PROVIDER="azure_openai", **keys(api))
    assert ran == Ran(0, "Hello.\n", "")
    assert api.requests[0].json["model"] == "m-2"


def test_an_error_is_one_block_and_exit_code_1(war_rig: WarRig) -> None:
    """A failing provider is exit code 1, without a traceback and without the key."""
    body = {"error": {"message": f"Incorrect API key provided: {CANARY}"}}
    with serve(answer(body, 401)) as api:
        ran = war_rig("ask", "Hello", LLM_PROVIDER="openai", **keys(api))
    assert ran == Ran(
        1,
        "",
        "error: provider 'openai' answered 401: Incorrect API key provided: ***\n"
        "  model gpt-6.1-terra\n"
        "  check the key and its rights: war-rig providers show openai\n",
    )


def test_debug_adds_the_traceback_but_not_the_key(war_rig: WarRig) -> None:
    """--debug shows the traceback; the key is in none of it."""
    body = {"error": {"message": f"Incorrect API key provided: {CANARY}"}}
    with serve(answer(body, 401)) as api:
        ran = war_rig("ask", "Hello", "--debug", LLM_PROVIDER="openai", **keys(api))
    assert ran.code == 1
    assert "Traceback (most recent call last)" in ran.err
    assert "openai.AuthenticationError" in ran.err
    assert CANARY not in ran.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["ask", "Hello", "--provider", "opnai"], "'opnai'. Did you mean 'openai'?"),
        (["ask", "Hello", "--agent", "clerk"], "unknown agent 'clerk'."),
        (["ask", "Hello", "--config", "nope.yaml"], "nope.yaml  can't be read: No such file"),
        (["ask", "Hello", "--provider", "openai"], "provider 'openai' needs 'api_key'"),
        (["explain", "clerk"], "unknown agent 'clerk'."),
        (["explain", "clerk", "--provider", "openai"], "unknown agent 'clerk'."),
        (["providers", "show", "nope"], "unknown provider 'nope'."),
        (["document", "nowhere", "--out", "docs"], "there is no source at nowhere"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_exit_code_2(war_rig: WarRig, words: list[str], text: str) -> None:
    """Usage and configuration errors are exit code 2, in one block."""
    ran = war_rig(*words)
    assert (ran.code, ran.out) == (2, "")
    assert text in ran.err
    assert "Traceback" not in ran.err
    assert ran.err.removeprefix(NOTE).startswith("error: ")


def test_an_unknown_option_is_exit_code_2(war_rig: WarRig) -> None:
    """An option that does not exist is a usage error."""
    assert war_rig("ask", "--nope").code == 2
    assert war_rig("nope").code == 2


def test_a_fault_of_our_own_is_no_traceback(
    war_rig: WarRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a bug ends as one block that says how to report it, without secrets."""

    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError(f"a bug with {CANARY}")

    monkeypatch.setattr(cli, "app", fail)
    ran = war_rig("ask", "Hello", SOME_KEY=CANARY)
    assert ran == Ran(
        1,
        "",
        "error: War Rig itself failed: RuntimeError: a bug with ***\n"
        "  run it again with --debug and report what it prints\n",
    )


def test_an_interrupt_while_loading_is_exit_code_130(
    war_rig: WarRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C before a command runs ends without a traceback, too."""

    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert war_rig("ask", "Hello") == Ran(130, "", "")


def test_version_and_no_arguments(war_rig: WarRig) -> None:
    """--version prints one line; no arguments print the help."""
    assert war_rig("--version") == Ran(0, f"war-rig {__version__}\n", "")
    ran = war_rig()
    assert "Commands:" in ran.out + ran.err


def test_providers_lists_names_status_and_origin(war_rig: WarRig, tmp_path: Path) -> None:
    """The list shows built-ins, definitions and entries of the file, and which is selected."""
    (tmp_path / "my.yaml").write_text("llm_provider: House\nproviders: {house: {type: openai}}\n")
    ran = war_rig("providers", "--config", "my.yaml")
    assert ran.code == 0
    rows = [re.split(r"  +", line) for line in ran.out.splitlines()]
    version = f"war-rig {__version__}, built in"
    vendor = ["gemini", "available", f"war-rig {__version__}, definition in gemini.yaml"]
    assert vendor in rows
    assert [row for row in rows if "definition in" not in row[-1]] == [
        ["NAME", "STATUS", "ORIGIN"],
        ["azure_openai", "available", version],
        ["house", "selected", "my.yaml:2, type openai"],
        ["offline", "available", version],
        ["openai", "available", version],
    ]


@pytest.mark.parametrize("name", ["nope", "9"])
def test_providers_tells_of_a_selection_that_can_not_be_used(war_rig: WarRig, name: str) -> None:
    """A selected name that is not in the list is said on stderr."""
    ran = war_rig("providers", LLM_PROVIDER=name)
    assert (ran.code, ran.err) == (
        0,
        f"selected, but not usable: {name}; see: war-rig ask hello\n",
    )


@dataclass
class Named:
    name: str
    version: str = "1"


def test_providers_shows_a_name_that_is_taken_twice(
    war_rig: WarRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both offers are a conflict until the file chooses a distribution."""
    found = []
    for name, dist in (("acme", Named("acme-llm")), ("Acme", Named("other")), ("9", Named("x"))):
        found.append(EntryPoint(name, "nowhere:Provider", "war_rig.providers"))
        vars(found[-1])["dist"] = dist
    monkeypatch.setattr(registry, "_entry_points", lambda: tuple(found))
    rows = [line.split()[:3] for line in war_rig("providers").out.splitlines()]
    assert rows[1:3] == [["acme", "conflict", "acme-llm"], ["acme", "conflict", "other"]]
    (tmp_path / "my.yaml").write_text("providers: {acme: {distribution: acme-llm}}")
    ran = war_rig("providers", "--config", "my.yaml", LLM_PROVIDER="ACME")
    rows = [line.split() for line in ran.out.splitlines()]
    assert [row[:2] for row in rows[1:3]] == [["acme", "not"], ["acme", "selected"]]
    assert ran.err.startswith(
        "not usable: entry point 9 = nowhere:Provider of x: '9' is not a name"
    )


def test_show_tells_what_is_set_and_what_is_missing(war_rig: WarRig) -> None:
    """Each parameter is shown with its value and origin; secrets are masked."""
    ran = war_rig("providers", "show", "azure-openai", AZURE_OPENAI_API_KEY=CANARY)
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "api_key *** environment AZURE_OPENAI_API_KEY (AZURE_OPENAI_API_KEY)" in lines
    assert "endpoint - missing (AZURE_OPENAI_ENDPOINT)" in lines
    assert "api_version '2024-10-21' default (AZURE_OPENAI_API_VERSION)" in lines
    assert lines[-1] == "missing: endpoint, deployment"
    assert CANARY not in ran.out


def test_explain_shows_every_value_with_its_origin(war_rig: WarRig, tmp_path: Path) -> None:
    """The effective configuration names file and line, variable or default, and no secret."""
    (tmp_path / "my.yaml").write_text(
        "providers:\n"
        "  house:\n"
        "    type: openai\n"
        "    distribution: war-rig\n"
        f"    api_key: {CANARY}\n"
        "    project: ${HOUSE_KEY:none}\n"
        "    base_url: https://llm.example\n"
        f"    headers: {{x_token: {CANARY}, accept: text}}\n"
        "  small: {type: openai}\n"
        "agents:\n"
        "  clerk: {provider: house, temperature: 0.5}\n"
    )
    ran = war_rig("explain", "--config", "my.yaml", LLM_PROVIDER="offline", HOUSE_KEY=CANARY)
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in ran.out.splitlines()}
    assert rows["llm_provider"] == "offline environment LLM_PROVIDER"
    assert rows["providers.house.type"] == "openai my.yaml:2"
    assert rows["providers.house.distribution"] == "war-rig my.yaml:2"
    assert rows["providers.house.api_key"] == "*** my.yaml:5"
    assert rows["providers.house.project"] == "*** (HOUSE_KEY is set) my.yaml:6"
    assert rows["providers.house.base_url"] == "https://llm.example my.yaml:7"
    assert rows["providers.house.headers"] == "{x_token: ***, accept: text} my.yaml:8"
    assert rows["agents.clerk.temperature"] == "0.5 my.yaml:11"
    assert rows["agents.clerk.model"] == "- left to the provider"
    assert rows["agents.scribe.provider"] == "offline llm_provider"
    assert rows["document.rounds"].startswith("2 shipped default:")
    assert CANARY not in ran.out


def test_explain_blames_the_line_that_has_a_wrong_name(war_rig: WarRig, tmp_path: Path) -> None:
    """What is no name is told with the key that set it: the agent's own, or that of all."""
    (tmp_path / "my.yaml").write_text("llm_provider: a.b\nagents:\n  critic: {provider: c.d}\n")
    for agent, line in {"critic": 3, "assistant": 1}.items():
        ran = war_rig("explain", agent, "--config", "my.yaml")
        assert ran.err.endswith(f"\n  set by: my.yaml:{line}\n")


def test_explain_an_agent_shows_its_provider(war_rig: WarRig) -> None:
    """With an agent's name, the parameters of the provider that it would use follow."""
    ran = war_rig("explain", "scribe", "--provider", "openai", OPENAI_API_KEY=CANARY)
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in ran.out.splitlines()}
    assert rows["agents.scribe.provider"] == "openai llm_provider"
    assert rows["providers.openai.api_key"] == "*** environment OPENAI_API_KEY"
    assert rows["providers.openai.model"] == "'gpt-6.1-terra' default"


@pytest.mark.parametrize("words", [["ask", "Hello"], ["explain"], ["providers"]])
def test_a_file_that_was_only_found_is_announced(
    war_rig: WarRig, tmp_path: Path, words: list[str]
) -> None:
    """Every command says that it uses ./war_rig.yaml, and how to trust it."""
    (tmp_path / "war_rig.yaml").write_text("llm_provider: offline\n")
    note = (
        "note: using ./war_rig.yaml, found in the current folder; it gets nothing from the "
        "environment unless you name it: --config war_rig.yaml\n"
    )
    assert war_rig(*words).err == note
    assert war_rig(*words, "--config", "war_rig.yaml").err == ""
    assert war_rig(*words, WAR_RIG_CONFIG="war_rig.yaml").err == ""


@pytest.mark.parametrize("words", [("ask", "Hello"), ("providers",), ("explain",)])
def test_a_misspelt_variable_is_told_beside_the_choice(
    war_rig: WarRig, words: tuple[str, ...]
) -> None:
    """Whoever set LLM_PROVIDR reads of it where another provider than theirs is used."""
    ran = war_rig(*words, LLM_PROVIDR="openai")
    assert ran.code == 0
    assert ran.err.splitlines()[0] == (
        "note: LLM_PROVIDR is set, which War Rig does not read. Did you mean 'LLM_PROVIDER'?"
    )


def test_a_file_that_was_only_found_can_not_send_a_key(war_rig: WarRig, tmp_path: Path) -> None:
    """Somebody else's folder gets no key: the error says how to trust the file."""
    with serve(answer(chat_completion())) as evil:
        (tmp_path / "war_rig.yaml").write_text(
            f"llm_provider: openai\nproviders: {{openai: {{base_url: '{evil.url}'}}}}\n"
        )
        ran = war_rig("ask", "Hello", OPENAI_API_KEY=CANARY)
        assert ran.code == 2
        assert "error: provider 'openai' needs 'api_key'" in ran.err
        assert "to trust the file, pass --config war_rig.yaml or set WAR_RIG_CONFIG" in ran.err
        assert evil.requests == []


@pytest.fixture
def src(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    for number in range(3):
        (tmp_path / "src" / f"part{number}.txt").write_text(f"# Part number {number}\n")
    (tmp_path / "src" / "binary").write_bytes(b"\0\1\2")
    return tmp_path / "src"


def test_document_prints_a_summary(war_rig: WarRig, src: Path, tmp_path: Path) -> None:
    """The summary counts files, parts, claims and all that was left out."""
    ran = war_rig("document", "src", "--out", "docs")
    assert ran.code == 0
    out = re.sub(r"\d+ tokens", "N tokens", ran.out)
    assert out == (
        "3 files, 3 units, N tokens\n4 calls made, 0 answers kept from before\n"
        "6 claims verified, 0 unverified\n"
        "left out: 1 binary, not read\n"
        f"read {tmp_path}/docs/README.md\n"
    )
    assert re.sub(r"\d+ (tokens|s left)", r"N \1", ran.err) == (
        f"{NOTE}the source stays in this process: provider 'offline' (built in)\n"
        "1 of 4 tasks, 0 failed, N tokens, N s left\n2 of 4 tasks, 0 failed, N tokens, N s left\n"
        "3 of 4 tasks, 0 failed, N tokens, N s left\n4 of 4 tasks, 0 failed, N tokens, N s left\n"
    )


def installed_reader(monkeypatch: pytest.MonkeyPatch, owner: Named) -> None:
    """Have one reader installed, which can't be imported; other libraries look for no plugins."""
    shout = EntryPoint("shout", "not_there:Shout", "war_rig.readers")
    vars(shout)["dist"] = owner
    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda group: [shout] if group == shout.group else [],
    )


def test_a_reader_that_can_not_be_made_stops_nothing(
    war_rig: WarRig, src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken plugin harms only its own work: its files are read as plain text."""
    installed_reader(monkeypatch, Named("shout-reader"))
    ran = war_rig("document", "src", "--out", "docs", LLM_PROVIDER="offline")
    assert ran.code == 0
    assert ran.err.startswith("note: the reader 'shout' could not be made: ModuleNotFoundError")


def test_a_reader_that_no_list_has_stops_nothing(
    war_rig: WarRig, src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that plugins.allow leaves out is told, and its files are read as plain text."""
    installed_reader(monkeypatch, Named("shout-reader"))
    Path("my.yaml").write_text("plugins: {allow: []}")
    ran = war_rig("document", "src", "--out", "docs", "--config", "my.yaml", LLM_PROVIDER="offline")
    assert ran.code == 0
    assert ran.err.startswith(
        "note: the reader 'shout' is not allowed: plugins.allow does not list shout-reader 1\n"
    )


def test_document_tells_of_a_broken_reader_in_one_line(
    war_rig: WarRig, src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that its reader failed on is named, its name without control characters."""

    class Picky:
        language = "picky"

        def reads(self, source: Source) -> bool:
            return source.file.startswith("odd")

        def read(self, source: Source) -> Reading:
            raise ValueError

    (src / "odd\x1b[2J\nname").write_text("# text of it\n")
    plain = readers.readers
    monkeypatch.setattr(readers, "readers", lambda *given: [Picky(), *plain(*given)])
    ran = war_rig("document", "src", "--out", "docs")
    assert ran.code == 0
    told = "read as plain text: odd [2J name: Picky failed with ValueError\n"
    assert told in ran.err


def test_document_counts_parts_without_a_claim(war_rig: WarRig, src: Path) -> None:
    """The summary says how many parts no verified claim is about."""
    content = json.dumps({"claims": [{"about": "rule", "text": "Sum is 5.", "cites": ["x:1-2"]}]})
    with serve(answer(chat_completion(content))) as api:
        ran = war_rig("document", "src", "--out", "docs", LLM_PROVIDER="openai", **keys(api))
    assert "\nwithout any verified claim: 3 parts\n" in ran.out


def test_progress_is_a_line_a_tenth(war_rig: WarRig, src: Path) -> None:
    """Elsewhere than on a terminal, progress is at most ten lines."""
    for number in range(40):
        (src / f"more{number}.txt").write_text("x\n")
    ran = war_rig("document", "src", "--out", "docs")
    assert ran.err.count(" of 44 tasks") == 10


def test_document_keeps_answers_in_its_folder(war_rig: WarRig, src: Path) -> None:
    """A second run of an unchanged source makes no call."""
    war_rig("document", "src", "--out", "docs")
    ran = war_rig("document", "src", "--out", "docs")
    assert "\n0 calls made, 4 answers kept from before\n" in ran.out


def test_document_asks_the_chosen_parts_only(war_rig: WarRig, src: Path) -> None:
    """--only and --limit narrow the work; --dry-run asks nothing and writes nothing."""
    words = ("document", "src", "--out", "docs", "--only", "part*", "--limit", "2")
    ran = war_rig(*words, "--dry-run")
    assert ran.code == 0
    assert re.fullmatch(
        r"2 units: about 2 calls, at most 8; a challenger's come on top\n"
        r"about \d+ tokens in the first prompts about units; kept answers are not counted\n",
        ran.out,
    )
    assert not Path("docs").exists()
    ran = war_rig(*words)
    assert "2 calls made" in ran.out
    assert ran.out.startswith("3 files, 2 of 3 units, ")


def test_a_killed_run_goes_on_and_gives_the_same_pages(src: Path, tmp_path: Path) -> None:
    """After kill -9 in the middle, a second run asks only the rest; the result is the same."""
    for number in range(20):
        (src / f"more{number}.txt").write_text(f"# Part of more {number}\n" * 3)
    content = json.dumps({"claims": [{"about": "rule", "text": "ok", "cites": ["x"]}]})

    def respond(request: Request, connection: socket) -> None:
        time.sleep(0.02)
        connection.sendall(response_bytes(chat_completion(content)))

    def start(out: str) -> "subprocess.Popen[bytes]":
        words = ["document", "src", "--out", out, "--in-flight", "2"]
        env = {"PATH": os.environ["PATH"], "LLM_PROVIDER": "openai", **keys(api)}
        return subprocess.Popen(
            [sys.executable, "-m", "containers", *words], env=env, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    with serve(respond) as api:
        assert start("whole").wait(timeout=60) == 0
        asked = len(api.requests)
        killed = start("docs")
        until = time.monotonic() + 30
        while len(api.requests) < asked + 20 and time.monotonic() < until:
            time.sleep(0.005)
        killed.kill()
        killed.wait(timeout=30)
        before = len(api.requests) - asked
        assert start("docs").wait(timeout=60) == 0
        assert len(api.requests) - asked <= asked + 2
        assert before >= 20
    assert pages_of(tmp_path / "docs") == pages_of(tmp_path / "whole")
    assert not list((tmp_path / "docs").rglob("*.part"))


def pages_of(docs: Path) -> dict[Path, bytes]:
    return {path.relative_to(docs): path.read_bytes() for path in docs.rglob("*.md")}


def test_document_says_where_the_source_goes(war_rig: WarRig, src: Path, api: Server) -> None:
    """Before the first call the provider and its host are named."""
    ran = war_rig("document", "src", "--out", "docs", LLM_PROVIDER="openai", **keys(api))
    assert "the source goes to provider 'openai' (built in), host 127.0.0.1\n" in ran.err


def test_document_says_where_the_source_goes_in_an_outage(war_rig: WarRig, src: Path) -> None:
    """Each fallback is another host, or none; of the Challenger's provider too."""
    Path("my.yaml").write_text(
        "llm_provider: house\n"
        "agents: {challenger: {provider: house}}\n"
        "providers:\n"
        "  house: {type: openai, api_key: k, policies: {fallback: [groq, offline]}}\n"
        "  groq: {api_key: k}\n"
    )
    ran = war_rig("document", "src", "--out", "docs", "--config", "my.yaml", "--dry-run")
    house = "the source goes to provider 'house' (built in), host api.openai.com"
    hops = [
        "where 'house' fails, the source goes to provider 'groq' (definition in "
        "openai_compatible.yaml), host api.groq.com",
        "where 'groq' fails, the source stays in this process: provider 'offline' (built in)",
    ]
    challenged = f"claims and the lines that they cite are challenged: {house}"
    assert ran.err.splitlines() == [house, *hops, challenged, *hops]


def test_a_fallback_of_document_that_is_none_says_who_named_it(war_rig: WarRig, src: Path) -> None:
    """Before anything is asked."""
    Path("my.yaml").write_text("policies:\n  fallback: [nobody]\n")
    ran = war_rig("document", "src", "--out", "docs", "--config", "my.yaml", "--dry-run")
    assert ran.code == 2
    assert ran.err.endswith("  set by: my.yaml:2\n")


def test_document_with_provider_beats_the_scribes_own(
    war_rig: WarRig, src: Path, tmp_path: Path
) -> None:
    """--provider beats the provider that the file gives to the agent that does the work."""
    (tmp_path / "my.yaml").write_text("agents: {scribe: {provider: openai}}\n")
    words = ("--config", "my.yaml", "--provider", "offline")
    assert war_rig("document", "src", "--out", "docs", *words).code == 0
    rows = war_rig("explain", "scribe", *words).out
    assert re.search(r"agents.scribe.provider +offline", rows)


def test_document_names_a_host_that_nobody_knows(war_rig: WarRig, src: Path) -> None:
    """Where no parameter shows a host, that is said."""
    from war_rig.providers import register_provider
    from war_rig.providers.offline import OfflineProvider

    register_provider("house", OfflineProvider)
    ran = war_rig("document", "src", "--out", "docs", LLM_PROVIDER="house")
    assert "the source goes to provider 'house' (registered at " in ran.err
    assert ", host not known to War Rig\n" in ran.err


def test_document_with_failed_parts_is_exit_code_1(war_rig: WarRig, src: Path, api: Server) -> None:
    """Parts that could not be documented are named; the exit code is 1."""
    ran = war_rig("document", "src", "--out", "docs", LLM_PROVIDER="openai", **keys(api))
    assert ran.code == 1
    named = "not documented: part0.txt lines 1-1: provider 'openai' did not answer agent 'scribe'"
    assert named in ran.err
    assert (Path("docs") / "README.md").exists()


def test_document_stops_at_a_wrong_key(war_rig: WarRig, src: Path) -> None:
    """An error that every part would meet ends the run at once, with exit code 1."""
    with serve(answer({"error": {"message": "no"}}, 401)) as api:
        words = ("document", "src", "--out", "docs", "--in-flight", "1")
        ran = war_rig(*words, LLM_PROVIDER="openai", **keys(api))
        assert len(api.requests) == 1
    assert ran.code == 1
    assert ran.err.count("error: ") == 1


def test_a_terminal_gets_a_progress_bar(src: Path, tmp_path: Path) -> None:
    """On a terminal progress is a bar, and the summary follows it."""
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "containers", "document", src, "--out", tmp_path / "docs"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=terminal, env={**os.environ, "TERM": "xterm"}
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(reader, 4096)
        except OSError:  # the terminal is gone: the process has ended
            break
        if not piece:
            break
        shown += piece
    os.close(reader)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"0 failed" in shown
    assert b"100%" in shown
    assert b"6 claims verified" in out


def test_the_bar_counts_parts_and_failures(
    war_rig: WarRig, src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar on stderr shows how much failed and what was spent."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert war_rig("document", "src", "--out", "docs").code == 0
    assert re.search(r"0 failed, \d+ tokens", terminal.getvalue())
    assert "part 1 of" not in terminal.getvalue()


@pytest.mark.parametrize("words", [["ask", "Hello"], ["document", "src", "--out", "docs"]])
def test_an_interrupt_is_exit_code_130(src: Path, tmp_path: Path, words: list[str]) -> None:
    """Ctrl-C ends a call that hangs, without a traceback."""
    with serve(stall()) as api:
        env = {"PATH": os.environ["PATH"], "LLM_PROVIDER": "openai", **keys(api)}
        process = subprocess.Popen(
            [sys.executable, "-m", "containers", *words],
            env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until = time.monotonic() + 30
        while not api.requests and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    told = "interrupted: answers are kept, the same command goes on from here\n"
    assert words[0] == "ask" or ((tmp_path / "docs" / "README.md").exists() and told in err)


def test_the_note_is_only_for_agents_without_a_provider(war_rig: WarRig, tmp_path: Path) -> None:
    """An agent that names its provider was chosen for: nothing is noted."""
    (tmp_path / "my.yaml").write_text("agents: {clerk: {provider: offline}}\n")
    assert war_rig("ask", "Hello", "--agent", "clerk", "--config", "my.yaml").err == ""


def test_an_answer_is_printed_on_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    """What was paid for is printed, with escapes where the terminal can't show it."""
    with serve(answer(chat_completion("café"))) as api:
        env = {"PATH": os.environ["PATH"], "LLM_PROVIDER": "openai", **keys(api)}
        done = subprocess.run(
            [sys.executable, "-m", "containers", "ask", "Hello"],
            env={**env, "PYTHONIOENCODING": "ascii"}, cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "caf\\xe9\n", "")


def test_no_listing_shows_a_secret_that_stands_in_another_value(
    war_rig: WarRig, tmp_path: Path
) -> None:
    """A key in a prompt, a list, a map or a URL is masked in every listing."""
    (tmp_path / "my.yaml").write_text(
        "providers:\n"
        "  openai:\n"
        "    base_url: 'http://x/?k=${OPENAI_API_KEY}'\n"
        "  house:\n"
        "    type: openai\n"
        f"    list: [{{api_key: {CANARY}}}]\n"
        "agents:\n"
        "  assistant: {system: 'use ${OPENAI_API_KEY}', model: '${MY_TOKEN}'}\n"
    )
    env = {"OPENAI_API_KEY": CANARY, "MY_TOKEN": "t-0123456789"}
    for words in (["explain"], ["explain", "assistant", "--provider", "openai"],
                  ["providers", "show", "openai"]):  # fmt: skip
        ran = war_rig(*words, "--config", "my.yaml", **env)
        assert ran.code == 0
        assert CANARY not in ran.out
        assert "t-0123456789" not in ran.out


def test_a_value_from_a_variable_names_it(war_rig: WarRig, tmp_path: Path) -> None:
    """The origin of an interpolated value is its file and line, and the variable."""
    (tmp_path / "my.yaml").write_text(
        "providers: {openai: {model: '${MY_MODEL}'}}\nagents: {assistant: {model: '${MY_MODEL}'}}\n"
    )
    words = ("explain", "assistant", "--provider", "openai", "--config", "my.yaml")
    rows = [" ".join(line.split()) for line in war_rig(*words, MY_MODEL="m-1").out.splitlines()]
    assert "agents.assistant.model m-1 my.yaml:2 (${MY_MODEL})" in rows
    assert "providers.openai.model 'm-1' my.yaml:1 (${MY_MODEL})" in rows


def test_show_takes_the_config_of_its_group(war_rig: WarRig, tmp_path: Path) -> None:
    """--config may stand before the subcommand, and what goes to **kwargs is shown."""
    (tmp_path / "my.yaml").write_text("providers: {house: {type: free, my_key: k-1, size: 3}}\n")
    registry.register_provider("free", Free)
    ran = war_rig("providers", "--config", "my.yaml", "show", "house")
    assert "my_key" in ran.out
    assert "k-1" not in ran.out
    assert re.search(r"size +3 +my.yaml:1", ran.out)


def test_show_lists_the_faults_of_a_definition(war_rig: WarRig, tmp_path: Path) -> None:
    """Each fault is told with file, line and key, without a key that it repeats."""
    (tmp_path / "my.yaml").write_text(
        "providers:\n"
        "  house:\n"
        "    type: http\n"
        "    url: https://llm.example\n"
        "    model: m-1\n"
        "    request: {messages: $messages}\n"
        "    response:\n"
        "      contents: a\n"
        f"    auth: {{bearer: {CANARY}, query: x}}\n"
        f"    timeout{CANARY}: 1\n"
    )
    ran = war_rig("providers", "show", "house", "--config", "my.yaml", HOUSE_KEY=CANARY)
    faults = [line for line in ran.out.splitlines() if line.startswith("fault: ")]
    assert (ran.code, len(faults)) == (0, 4)
    assert "fault: my.yaml:8  providers.house.response.contents: is no key here." in ran.out
    assert "fault: my.yaml:7  providers.house.response.content: is missing" in ran.out
    assert ran.out.splitlines()[-1] == "nothing is missing"
    assert "streams" not in ran.out
    assert CANARY not in ran.out


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("type: offline", "streams: yes"),
        ("type: mistral, api_key: k, model: m", "streams: yes"),
        ("type: mistral, stream: {end: x}", "streams: yes"),
        ("type: http, url: 'http://h', model: m, request: {m: $messages}, response: {content: a}",
         "streams: emulated, its whole answer is the only piece"),
        ("type: free", "streams: emulated, its whole answer is the only piece"),
        ("type: perhaps", None),
        ("type: made", None),
        ("type: mistral", None),
    ],
)  # fmt: skip
def test_show_tells_how_a_provider_streams(
    war_rig: WarRig, tmp_path: Path, entry: str, told: str | None
) -> None:
    """What can be known before the provider is built is told: it streams, or that is emulated."""
    (tmp_path / "my.yaml").write_text(f"providers: {{house: {{{entry}}}}}\n")
    registry.register_provider("free", Free)
    registry.register_provider("perhaps", Perhaps)
    registry.register_provider("made", lambda: Free())
    ran = war_rig("providers", "show", "house", "--config", "my.yaml")
    assert ran.code == 0
    shown = [line for line in ran.out.splitlines() if line.startswith("streams")]
    assert shown == ([] if told is None else [told])


SECRET_ENTRIES = [
    f"auth: {{bearer: {CANARY}}}",
    f"auth: {CANARY}",
    f"auth: {{header: {{name: X-Own, value: {CANARY}}}}}",
    f"auth: {{query: {{name: own, value: {CANARY}}}}}",
    f"auth: {{basic: {{user: me, password: {CANARY}}}}}",
    f"auth: {{oauth2: {{client_secret: {CANARY}, client_id: id}}}}",
    f"auth: {{oauth2: {{parameters: {{audience: {CANARY}}}}}}}",
    f"auth: {{unknown: [{CANARY}]}}",
    f"headers: {{authorization: Bearer {CANARY}}}",
    f"headers: {{Cookie: {CANARY}}}",
    f"headers: {{x-api-key: {CANARY}}}",
    f"request: {{apiKey: {CANARY}}}",
    f"api_key: {{value: {CANARY}}}",
    f"query: {{access-token: {CANARY}}}",
    f"proxy: 'http://me:{CANARY}@proxy'",
    f"url: 'https://h/?key={CANARY}'",
    f"url: 'https://me:{CANARY}@h/'",
    f"headers: {{Proxy-Authorization: Bearer {CANARY}, X-ApiKey: {CANARY}}}",
    f"query: {{api-key: {CANARY}}}",
    f"stream: {{headers: {{Authorization: Bearer {CANARY}}}, query: {{api-key: {CANARY}}}}}",
    f"parameters: {{pw: {CANARY}}}\n    auth: {{bearer: $pw}}",
    f"parameters: {{pw: {CANARY}}}\n    auth: {{basic: {{user: me, password: $pw}}}}",
    f"parameters: {{pw: {CANARY}}}\n    headers: {{Authorization: Bearer $pw}}",
    f"parameters: {{pw: {CANARY}}}\n    stream: {{query: {{token: a$pw}}}}",
    f"parameters: {{pw: {CANARY}}}\n    url: https://h/?key=$pw",
    f"parameters: {{base: 'https://me:{CANARY}@h'}}\n    url: $base/chat",
]


@pytest.mark.parametrize("line", SECRET_ENTRIES)
def test_explain_masks_a_key_wherever_it_stands(war_rig: WarRig, tmp_path: Path, line: str) -> None:
    """A key that is written into the file is masked, whatever part of a definition it is in."""
    (tmp_path / "my.yaml").write_text(f"providers:\n  house:\n    type: http\n    {line}\n")
    ran = war_rig("explain", "--config", "my.yaml")
    assert ran.code == 0
    assert f"providers.house.{line.partition(':')[0]} " in ran.out
    assert "***" in ran.out
    assert CANARY[:12] not in ran.out


@pytest.mark.parametrize("line", SECRET_ENTRIES)
def test_show_and_try_mask_a_key_wherever_it_stands(
    war_rig: WarRig, tmp_path: Path, line: str
) -> None:
    """Neither the rows nor the faults of an entry hold a key that is written into the file."""
    (tmp_path / "my.yaml").write_text(f"providers:\n  house:\n    type: http\n    {line}\n")
    for words in (["providers", "show", "house"], ["providers", "try", "house"]):
        ran = war_rig(*words, "--config", "my.yaml")
        assert CANARY[:12] not in ran.out + ran.err


@pytest.mark.parametrize(
    "line",
    ["auth: none", "auth: {bearer: {file: key.txt}}", "auth: {bearer: {command: [pass, llm]}}",
     "headers: {X-Team: legacy}", "request: {max_tokens: 5}"],
)  # fmt: skip
def test_explain_shows_what_is_no_key(war_rig: WarRig, tmp_path: Path, line: str) -> None:
    """Where a key comes from is no secret."""
    (tmp_path / "my.yaml").write_text(f"providers:\n  house:\n    type: http\n    {line}\n")
    ran = war_rig("explain", "--config", "my.yaml")
    assert f"providers.house.{line.partition(':')[0]} " in ran.out
    assert f"  {line.partition(': ')[2]}  " in ran.out


class Free:
    """A provider that takes anything."""

    default_model = "free-1"

    def __init__(self, **anything: object) -> None:
        pass

    async def complete(self, messages: object, **parameters: object) -> object:
        return None


class Perhaps(Free):
    """A provider that knows only when it is built whether it streams."""

    @property
    def stream(self) -> None:
        return None


def test_an_entry_of_another_type_takes_the_names_place(war_rig: WarRig, tmp_path: Path) -> None:
    """`providers.openai.type: offline` is listed as what it is."""
    (tmp_path / "my.yaml").write_text("llm_provider: openai\nproviders: {openai: {type: offline}}")
    rows = war_rig("providers", "--config", "my.yaml").out.splitlines()
    assert [row.split()[:2] for row in rows if row.startswith("openai")] == [["openai", "selected"]]
    assert "type offline" in next(row for row in rows if row.startswith("openai"))


def test_a_file_can_not_forge_what_is_shown(war_rig: WarRig, src: Path, tmp_path: Path) -> None:
    """Control characters from a file reach no terminal."""
    (tmp_path / "war_rig.yaml").write_text(
        'llm_provider: openai\nproviders: {openai: {api_key: k, base_url: "http://x\\x9b2K.y"}}\n'
        'agents: {a: {system: "\\e[31mred"}}\n'
    )
    for words in (["explain"], ["document", "src", "--out", "docs", "--dry-run"]):
        ran = war_rig(*words)
        assert not set("\x1b\x9b") & set(ran.out + ran.err)


def test_a_file_that_never_ends_is_refused(war_rig: WarRig, tmp_path: Path) -> None:
    """A device, a pipe or an enormous file is no configuration."""
    (tmp_path / "war_rig.yaml").symlink_to("/dev/zero")
    assert "can't be read: not a regular file" in war_rig("explain").err
    (tmp_path / "large.yaml").write_text("#" * 1_000_001)
    ran = war_rig("explain", "--config", "large.yaml")
    assert "large.yaml  is larger than 1000000 bytes" in ran.err


def test_what_could_not_be_read_is_told_with_its_line(war_rig: WarRig, src: Path) -> None:
    """On stderr, in the index, and on the file's page; the first twenty of many on stderr."""
    (src / "PAY.cbl").write_text(
        "       PROGRAM-ID. PAY.\n       PROCEDURE DIVISION.\n           EXEC SQL SELECT A\n"
    )
    ran = war_rig("document", "src", "--out", "docs")
    assert "could not be read: PAY.cbl:3: EXEC SQL has no END-EXEC\n" in ran.err
    index = Path("docs/README.md").read_text()
    told = "- <code>PAY.cbl</code>, [line 3](source/PAY.cbl.md#L3): EXEC SQL has no END-EXEC\n"
    assert f"## Could not be read\n\n{told}" in index
    questions = Path("docs/files/PAY.cbl.md").read_text().partition("## Open questions")[2]
    assert "- Could not be read: EXEC SQL has no END-EXEC ([line 3](" in questions
    (src / "many.jcl").write_text("//X NOTHING\n" * 301)
    ran = war_rig("document", "src", "--out", "docs")
    assert ran.err.count("could not be read: ") == 20
    assert re.search(r"\nand \d+ more, see README.md\n", ran.err)
    assert re.search(r"\n- and \d+ more\n", Path("docs/README.md").read_text())


def test_a_search_path_that_is_not_there_is_noted(war_rig: WarRig, src: Path) -> None:
    """A folder of copybooks that no folder matches is named on stderr, and stops nothing."""
    Path("my.yaml").write_text("document: {copybook_paths: [cpy/, '*']}\n")
    ran = war_rig("document", "src", "--out", "docs", "--config", "my.yaml")
    assert ran.code == 0
    assert "note: document.copybook_paths: no folder of src is cpy\n" in ran.err
    assert ran.err.count("note: document.copybook_paths") == 1


def test_a_challenger_of_its_own_provider_is_asked(war_rig: WarRig, src: Path) -> None:
    """Where agents.challenger.provider is set, it is told where claims go, and asked once each."""
    content = json.dumps({"verdict": "cannot tell", "reason": "No unit."})
    with serve(answer(chat_completion(content))) as api:
        Path("my.yaml").write_text("agents: {challenger: {provider: openai}}\n")
        words = ("document", "src", "--out", "docs", "--config", "my.yaml", "--limit", "2")
        ran = war_rig(*words, **keys(api))
        assert ran.code == 0
        assert (
            "claims and the lines that they cite are challenged: the source goes to provider "
            in (ran.err)
        )
        assert "\n6 calls made, 0 answers kept from before\n" in ran.out
        assert "\nleft open by the challenger: 2 claims\n" in ran.out
        again = war_rig(*words, **keys(api))
        assert "\n0 calls made, 6 answers kept from before\n" in again.out
    assert len(api.requests) == 2


def test_offline_can_not_challenge(war_rig: WarRig, src: Path) -> None:
    """A Challenger that is no language model is refused before anything is asked."""
    Path("my.yaml").write_text("agents:\n  challenger: {provider: offline}\n")
    ran = war_rig("document", "src", "--out", "docs", "--config", "my.yaml")
    assert ran.code == 2
    assert (
        "error: 'offline' can't challenge a claim: it is no language model\n"
        "  set by: my.yaml:2\n  name a provider with a model, or remove the key\n"
    ) in ran.err


def test_an_unknown_challenger_says_who_named_it(war_rig: WarRig, src: Path) -> None:
    """Before anything else is told, and before a folder is made."""
    Path("my.yaml").write_text("agents:\n  challenger: {provider: opnai}\n")
    ran = war_rig("document", "src", "--out", "docs", "--config", "my.yaml", LLM_PROVIDER="offline")
    assert ran.code == 2
    assert ran.err.startswith("error: unknown provider 'opnai'. Did you mean 'openai'?\n")
    assert ran.err.endswith("  set by: my.yaml:2\n")
    assert not Path("docs").exists()


def test_a_missing_key_makes_no_folder(war_rig: WarRig, src: Path) -> None:
    """What the provider lacks is told before DOCS is begun."""
    assert war_rig("document", "src", "--out", "docs", LLM_PROVIDER="openai").code == 2
    assert not Path("docs").exists()


def test_an_interrupt_says_what_is_kept(war_rig: WarRig, src: Path) -> None:
    """Whoever stops a run is told that the same command goes on from there."""
    from war_rig.providers import registry

    class Stopped:
        default_model = "stop"

        async def complete(self, messages: Any, **parameters: Any) -> Any:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)

    registry.register_provider("stopped", Stopped)
    ran = war_rig("document", "src", "--out", "docs", LLM_PROVIDER="stopped")
    assert ran.code == 130
    assert ran.err.endswith("interrupted: answers are kept, the same command goes on from here\n")
