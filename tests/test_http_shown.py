"""What the commands show of an API that is declared in YAML: its keys, their origins, no secret."""

import re
from pathlib import Path

import pytest
import test_cli
from canary import CANARY
from test_cli import WarRig

war_rig = test_cli.war_rig
SECOND = "sk-second-9876543210"
ENTRIES = """\
llm_provider: house
providers:
  house:
    type: http
    url: https://llm.example.com/v2/chat
    auth: {header: {name: X-Key, value: "${HOUSE_KEY}"}}
    model: house-1
    headers: {X-Team-Token: TOKEN}
    request: {model: $model, messages: $messages}
    response:
      content: answer
  team:
    type: anthropic
    api_key: ${HOUSE_KEY}
    headers: {X-Team: legacy}
agents:
  clerk: {}
  writer: {provider: team}
  asker: {provider: groq}
"""


@pytest.fixture
def entries() -> None:
    Path("my.yaml").write_text(ENTRIES.replace("TOKEN", SECOND))


def rows(war_rig: WarRig, *words: str) -> list[list[str]]:
    """Return the columns of what is shown; no secret may be in it."""
    ran = war_rig(*words, "--config", "my.yaml", HOUSE_KEY=CANARY)
    assert (ran.code, ran.err) == (0, "")
    assert CANARY not in ran.out
    assert SECOND not in ran.out
    return [re.split(r"  +", line.strip()) for line in ran.out.splitlines()]


def test_explain_shows_the_keys_of_the_entry_that_an_agent_asks(
    war_rig: WarRig, entries: None
) -> None:
    """Beside the constructor's parameters stand the keys of the entry, with their lines."""
    found = rows(war_rig, "explain", "clerk")
    for key, value, origin in [
        ("type", "http", "my.yaml:3"),
        ("url", "'https://llm.example.com/v2/chat'", "my.yaml:5"),
        ("auth", "{'header': {'name': 'X-Key', 'value': '***'}}", "my.yaml:6 (${HOUSE_KEY})"),
        ("headers", "{'X-Team-Token': '***'}", "my.yaml:8"),
        ("request", "{'model': '$model', 'messages': '$messages'}", "my.yaml:9"),
        ("response", "{'content': 'answer'}", "my.yaml:10"),
    ]:
        assert [f"providers.house.{key}", value, origin] in found


def test_explain_names_the_definition_that_an_entry_changes(war_rig: WarRig, entries: None) -> None:
    """Of a shipped definition its file is named, and the keys are those of the entry."""
    found = rows(war_rig, "explain", "writer")
    assert ["providers.team.type", "anthropic, definition in anthropic.yaml", "my.yaml:12"] in found
    assert ["providers.team.headers", "{'X-Team': 'legacy'}", "my.yaml:15"] in found
    found = rows(war_rig, "explain", "asker")
    shipped = "groq, definition in openai_compatible.yaml"
    assert ["providers.groq.type", shipped, "default"] in found


def test_explain_says_nothing_more_of_a_provider_of_its_own_class(
    war_rig: WarRig, entries: None
) -> None:
    """What is no definition has no row for its type."""
    found = rows(war_rig, "explain", "clerk", "--provider", "offline")
    assert not any(row[0] == "providers.offline.type" for row in found)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("house", "house: type http, an API declared in YAML; entry at my.yaml:3"),
        ("team", "team: definition in anthropic.yaml; entry at my.yaml:12"),
        ("groq", "groq: definition in openai_compatible.yaml"),
        ("offline", "offline: built in"),
    ],
)
def test_providers_show_says_what_a_provider_is_and_where(
    war_rig: WarRig, entries: None, name: str, first: str
) -> None:
    """The first line says what it is, and where its entry stands, where it has one."""
    ran = war_rig("providers", "show", name, "--config", "my.yaml", HOUSE_KEY=CANARY)
    assert ran.out.splitlines()[0] == first
