"""The contract with providers: what was written for it once goes on working, unedited.

tests/contracts/N is a package for contract N, as an author of that day wrote one.
"""

import json
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from conftest import ROOT, Installed, build_wheel
from loopback import Request, Server, answer, serve

FROZEN = Path(__file__).with_name("contracts")
DIGESTS = {"1": "974838dbf89c5e602217b6ed4ea97fa81cfc8de58531b69400cd7d7254229fee"}
"""What the files of each frozen package come to; a new contract adds one, and changes none."""

PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
REPLY = {"answer": "Ahoy.", "ship": "tug-2", "coal": {"total": 9}}


def contracts() -> list[str]:
    return sorted(folder.name for folder in FROZEN.iterdir())


def files(contract: str) -> Iterator[Path]:
    folder = FROZEN / contract
    return (path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".toml"))


@pytest.mark.parametrize("contract", contracts())
def test_a_frozen_package_is_as_its_author_left_it(contract: str) -> None:
    """When one no longer works, War Rig is mended, and not the package."""
    found = sha256()
    for path in files(contract):
        found.update(path.relative_to(FROZEN).as_posix().encode() + b"\0" + path.read_bytes())
    assert found.hexdigest() == DIGESTS[contract]


def test_the_page_tells_of_the_contracts_that_are_frozen() -> None:
    """The newest contract of the page, and the two before it, have a package that is tested."""
    table = PAGE.split("| Contract |")[1].split("\n\n")[0]
    told = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert told == [str(number) for number in range(int(told[0]), 0, -1)]
    assert f"This is **contract {told[0]}**" in PAGE
    assert set(told[:3]) <= set(contracts()) <= set(told)


@pytest.fixture(scope="module", params=contracts())
def frozen(
    request: pytest.FixtureRequest,
    installed: Installed,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Installed, str]]:
    """Install the package of one contract beside War Rig."""
    folder = tmp_path_factory.mktemp("contract")
    source = shutil.copytree(FROZEN / request.param, folder / "source")
    installed.install(build_wheel(source, folder))
    yield installed, f"contract_{request.param}"
    installed.uninstall(f"contract-{request.param}")


@pytest.fixture
def api() -> Iterator[Server]:
    def respond(request: Request, connection: socket) -> None:
        is_refused = request.target == "/refused"
        answer({} if is_refused else REPLY, 401 if is_refused else 200)(request, connection)

    with serve(respond) as server:
        yield server


def environment(name: str, api: Server, folder: Path) -> dict[str, str]:
    return {
        "LLM_PROVIDER": name,
        "HARBOUR_TOKEN": "the-harbours-own-token",
        "HARBOUR_URL": api.url,
        "HARBOUR_LOG": str(folder / "log"),
    }


def test_it_is_listed_and_answers_through_the_command(
    frozen: tuple[Installed, str], api: Server, tmp_path: Path
) -> None:
    """`providers` knows the name, `show` says that its stream is emulated, and `ask` prints."""
    installed, name = frozen
    env = environment(name, api, tmp_path)
    listed = installed.run("war-rig", "providers", cwd=tmp_path, env=env)
    assert re.search(rf"^{name} +selected ", listed.stdout, re.MULTILINE)
    shown = installed.run("war-rig", "providers", "show", name, cwd=tmp_path, env=env)
    assert "\nstreams: emulated, its whole answer is the only piece\n" in shown.stdout
    asked = installed.run("war-rig", "ask", "Hello", cwd=tmp_path, env=env)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "Ahoy.\n", "")
    (request,) = api.requests
    assert request.headers["authorization"] == "Bearer the-harbours-own-token"
    assert request.json == {
        "signals": [
            {"flag": "system", "text": "You are a helpful assistant."},
            {"flag": "user", "text": "Hello"},
        ],
        "ship": "tug-1",
        "steam": 0.7,
    }


USES = """
import asyncio
import json
import sys
from importlib import import_module

from containers import application, running
from pydantic import BaseModel
from war_rig.errors import AuthenticationError
from war_rig.providers import LLMProvider, Message, create_provider, register_provider

name, url = sys.argv[1:]


class Speed(BaseModel):
    knots: int


async def through_the_container():
    async with running(application()) as app:
        agent = app.agents("assistant")
        response = await agent.run("Hello", model="tug-9", temperature=0.1, top_p=0.5)
        yield [response.content, response.model, response.tokens_used, response.raw_response]
        chunks = [chunk async for chunk in agent.stream("Hello")]
        yield [[chunk.content, chunk.response and chunk.response.content] for chunk in chunks]


async def through_the_registry():
    provider = create_provider(name)
    yield isinstance(provider, LLMProvider) and provider.default_model
    yield (await provider.complete([Message(role="user", content="Hello")])).content


async def registered_by_hand():
    made = import_module(name + ".registered").RegisteredHarbourProvider
    register_provider("Hand-Made", made)
    env = {"HAND_MADE_API_KEY": "k", "HAND_MADE_ENDPOINT": url, "HAND_MADE_MODEL": "tug-3"}
    app = application(env=env, llm_provider="hand-made")
    yield (await app.agents("assistant").run("Hello", temperature=0.2)).model
    broken = {**env, "HAND_MADE_ENDPOINT": url + "/refused"}
    try:
        await application(env=broken, llm_provider="hand-made").agents("assistant").run("Hello")
    except AuthenticationError as error:
        yield [error.provider, error.status]


async def with_all_that_is_optional():
    async with running(application(llm_provider=name + "_stream")) as app:
        agent = app.agents("assistant")
        response = await agent.run("How fast?", output=Speed)
        yield [response.output.knots, response.output_mode]
        yield [chunk.content async for chunk in agent.stream("Go")]


async def main():
    for part in (
        through_the_container,
        through_the_registry,
        registered_by_hand,
        with_all_that_is_optional,
    ):
        print(json.dumps([part.__name__, *[line async for line in part()]]))


asyncio.run(main())
"""


def test_a_program_uses_all_that_it_offers(
    frozen: tuple[Installed, str], api: Server, tmp_path: Path
) -> None:
    """Container, registry, manual registration, emulated and own streams, schema and closing."""
    installed, name = frozen
    env = environment(name, api, tmp_path)
    ran = installed.run("python", "-c", USES, name, api.url, cwd=tmp_path, env=env)
    assert (ran.returncode, ran.stderr) == (0, "")
    parts: dict[str, list[Any]] = {}
    for line in ran.stdout.splitlines():
        part, *parts[part] = json.loads(line)
    assert parts == {
        "through_the_container": [["Ahoy.", "tug-2", 9, REPLY], [["Ahoy.", "Ahoy."]]],
        "through_the_registry": ["tug-1", "Ahoy."],
        "registered_by_hand": ["tug-3", ["hand_made", 401]],
        "with_all_that_is_optional": [[7, "native"], ["full ", "steam", ""]],
    }
    assert api.requests[0].json["ship"] == "tug-9"
    assert api.requests[0].json["steam"] == 0.1
    by_hand = {"text": "Hello", "temperature": 0.2}
    assert api.requests[3].json == by_hand
    assert (tmp_path / "log").read_text() == "closed\n"
