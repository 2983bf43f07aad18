"""What a configuration file may say, what is refused, and with which words."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, leaks
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from war_rig.config import Origin, ProviderEntry, Settings, load
from war_rig.config.interpolation import interpolate, references
from war_rig.errors import ConfigError

MY = Path("my.yaml")
FOUND = Path("war_rig.yaml")
HOW_TO_TRUST = (
    "war_rig.yaml was only found in the current folder: "
    "to trust it, pass --config war_rig.yaml or set WAR_RIG_CONFIG=war_rig.yaml"
)


def loaded(text: str, env: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """Return the settings of a file that the user names."""
    MY.write_text(text, encoding="utf-8")
    return load(MY, env or {}, **options)


def found(text: str, env: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file that only lies in the current folder."""
    FOUND.write_text(text, encoding="utf-8")
    return load(None, env or {})


def refused(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines of the refusal of a file that the user names."""
    with pytest.raises(ConfigError) as caught:
        loaded(text, env)
    return lines_of(caught.value)


def distrusted(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines of the refusal of a file that only lies in the current folder."""
    with pytest.raises(ConfigError) as caught:
        found(text, env)
    return lines_of(caught.value)


def lines_of(error: ConfigError) -> list[str]:
    first, *lines = str(error).split("\n")
    count = "a fault" if len(lines) == 1 else f"{len(lines)} faults"
    assert first == f"the configuration has {count}"
    return lines


def value(written: str) -> object:
    """Return what *written* means as the argument of a provider."""
    entry = loaded(f"providers:\n  house:\n    x: {written}\n").providers["house"]
    return entry.arguments["x"].plain()


def arguments(entry: ProviderEntry, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {name: value for name, value, _ in entry.interpolated(env or {})}


# the words of a file


WORDS = (
    "no yes on off y 0123 0x1F 0o17 1_000 12:30:45 2024-02-01 2001-12-14t21:59:43.10-05:00 "
    "sk-abc-123 1.2.3 1e . .inf .nan nan = tRUE nuLL https://host:8/v1 a#b + --1"
)


@pytest.mark.parametrize("word", WORDS.split())
def test_a_plain_word_stays_text(word: str) -> None:
    """What other readers of YAML take for a date, a truth or an octal arrives as written."""
    assert value(word) == word


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-12", -12),
        ("+5", 5),
        ("0.5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("[1, [two], {three: 3}]", [1, ["two"], {"three": 3}]),
        ("|\n      two\n      lines", "two\nlines\n"),
        ("größe", "größe"),
    ],
)
def test_numbers_truths_null_lists_and_maps_mean_what_they_say(written: str, meant: object) -> None:
    """Decimal numbers, true, false and null are values; quotes make a text of each."""
    assert value(written) == meant
    assert type(value(written)) is type(meant)


def test_a_key_that_is_here_twice_is_refused_with_both_places() -> None:
    """A map may not have two lines for one key, since one of them would be lost."""
    assert refused("llm_provider: openai\nagents: {}\nllm_provider: offline\n") == [
        "  my.yaml:3  llm_provider: is here twice, first at my.yaml:1"
    ]


def test_a_key_may_be_any_plain_word() -> None:
    """A number, a truth or a word as key is the text that was written."""
    entry = loaded("providers: {house: {1: a, true: b, no: c}}").providers["house"]
    assert arguments(entry) == {"1": "a", "true": "b", "no": "c"}


def test_a_merge_key_brings_in_what_the_map_does_not_set() -> None:
    """'<<' lays a map under another one; of several the first wins, the map's own keys most."""
    text = """
providers:
  one: &one {a: 1, b: 1, c: 1}
  two: &two {b: 2, c: 2, d: 2}
  both: {<<: [*one, *two], c: 3}
  other: {c: 3, <<: *two, <<: *one}
"""
    entries = loaded(text).providers
    assert arguments(entries["both"]) == {"a": 1, "b": 1, "c": 3, "d": 2}
    assert arguments(entries["other"]) == {"a": 1, "b": 2, "c": 3, "d": 2}


@pytest.mark.parametrize("merged", ["house", "5", "[1, 2]"])
def test_a_merge_key_without_a_map_is_refused(merged: str) -> None:
    """'<<' with something else than a map says nothing, so it is a slip."""
    lines = refused(f"providers:\n  house:\n    <<: {merged}\n")
    assert {line.partition(": ")[0] for line in lines} == {"  my.yaml:3  providers.house"}


def test_an_alias_stands_for_what_its_anchor_names() -> None:
    """An anchored value can be used again, with the line where it was written."""
    entry = loaded("providers:\n  a: &a\n    x: 1\n  b: *a\n").providers["b"]
    assert arguments(entry) == {"x": 1}
    assert entry.arguments["x"].origin.label == "my.yaml:3"


def test_an_alias_of_itself_is_refused() -> None:
    """A map that holds itself has no end, so it is a fault of the file."""
    assert refused("providers:\n  house: &h\n    x: *h\n") == [
        "  my.yaml:2  providers.house.x: holds an alias of itself, or too many values"
    ]


def test_aliases_that_multiply_a_small_file_are_refused() -> None:
    """A few lines that mean a billion values are refused once, in a moment."""
    names = "abcdefghij"
    lines = ["  x0: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"  x{place}: &{name} [{', '.join(['*' + names[place - 1]] * 10)}]"
        for place, name in enumerate(names[1:], 1)
    ]
    refusal = refused("providers:\n house:\n" + "\n".join(lines))
    assert len(refusal) == 1
    assert refusal[0].endswith(": holds an alias of itself, or too many values")


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("!!int five", "is not of the type that tag:yaml.org,2002:int says"),
        ("!!int ''", "is not of the type that tag:yaml.org,2002:int says"),
        ("!!float warm", "is not of the type that tag:yaml.org,2002:float says"),
        ("!!bool perhaps", "is not of the type that tag:yaml.org,2002:bool says"),
        ("9" * 5_000, "is not of the type that tag:yaml.org,2002:int says"),
    ],
)
def test_a_value_that_is_not_of_its_tags_type_is_refused(written: str, fault: str) -> None:
    """A tag that promises a number or a truth is kept to its word."""
    assert refused(f"providers:\n  house:\n    x: {written}\n") == [
        f"  my.yaml:3  providers.house.x: {fault}"
    ]


TAGGED = """\
!!python/name:os.system x
!own x
!!binary eA==
!!timestamp 2024-02-01
!own {a: 1}
!!set {a}
!!int {a: 1}
!own [1]
!!python/tuple [1]
<<
"""


@pytest.mark.parametrize("written", TAGGED.splitlines())
def test_a_tag_that_makes_something_else_is_refused(written: str) -> None:
    """A file holds texts, numbers, truths, lists and maps: a tag can't make more of them."""
    (line,) = refused(f"providers:\n  house:\n    x: {written}\n")
    assert line.startswith("  my.yaml:3  providers.house.x: has ")
    assert line.endswith("which is not allowed")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- a\n- b\n", "  my.yaml:1  must be a map of 'key: value' lines"),
        ("\nwords\n", "  my.yaml:2  must be a map of 'key: value' lines"),
        ("5", "  my.yaml:1  must be a map of 'key: value' lines"),
        ("a: 1\x00", "  my.yaml  holds a character that YAML does not allow"),
        ("a: 1\n---\nb: 2\n", "  my.yaml:2  but found another document"),
        (
            "agents: {scribe: {model: ${M}}}",
            "  my.yaml:1  expected ',' or '}', but got '{'; between { and }, "
            "a ${NAME} needs quotes",
        ),
    ],
)
def test_a_file_that_is_no_map_is_refused_with_its_line(text: str, line: str) -> None:
    """What can't be read as one map of keys is one fault that says where."""
    assert refused(text) == [line]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "null\n", "\ufeff"])
def test_an_empty_file_is_the_shipped_default(text: str) -> None:
    """A file without a key changes nothing."""
    empty = loaded(text)
    assert (empty.llm_provider, empty.providers) == ("offline", {})
    assert sorted(empty.agents) == ["assistant", "challenger", "imperator", "scribe"]


def nested(depth: int) -> str:
    return f"providers: {{house: {{x: {'[' * depth}{']' * depth}}}}}"


@pytest.mark.parametrize("depth", [250, 300, 350, 400, 450, 500])
def test_no_depth_of_brackets_breaks_the_reading(depth: int) -> None:
    """A file that is nested deeply is read or refused, with nothing between."""
    try:
        entry = loaded(nested(depth)).providers["house"]
    except ConfigError as error:
        assert lines_of(error)[0].endswith("is nested too deeply")
    else:
        assert list(arguments(entry)) == ["x"]


def test_a_file_nested_too_deeply_is_refused() -> None:
    """Brackets without end are a fault of the file."""
    (line,) = refused(nested(5_000))
    assert line.startswith("  my.yaml")
    assert line.endswith("is nested too deeply")


@pytest.mark.parametrize(
    "text",
    [r'a: "\U00110000"', r'a: "\UFFFFFFFF"', f"%YAML 1.{'9' * 5_000}\n---\na: 1\n"],
    ids=["no such character", "no such number", "no such version"],
)
def test_a_number_that_the_parser_can_not_take_is_a_fault_of_the_file(text: str) -> None:
    """An escape or a version beyond all bounds is refused like any syntax error."""
    (line,) = refused(text)
    assert line.startswith("  my.yaml")


BROKEN = {
    "open quote": f"api_key: '{CANARY}",
    "two colons": f"api_key: {CANARY}: x",
    "open list": f"api_key: [{CANARY}",
    "alias": f"api_key: *{CANARY}",
    "tag": f"api_key: !{CANARY}",
    "tag of an entry": f"providers: {{house: {{api_key: !{CANARY} }}}}",
    "tag's handle": f"api_key: !{CANARY}!x y",
    "verbatim tag": f"api_key: !<{CANARY} x",
    "anchor": f"api_key: &{CANARY}",
    "at sign": f"api_key: @{CANARY}",
    "percent sign": f"a: b\n%{CANARY}",
    "escape": f'api_key: "\\q{CANARY}"',
    "tab": f"a:\n\t{CANARY}: x",
    "no map": CANARY,
    "list": f"- {CANARY}",
    "wrong type": f"document: {{rounds: {CANARY}}}",
    "wrong tag": f"document: {{rounds: !!int {CANARY}}}",
    "wrong number": f"agents: {{scribe: {{temperature: {CANARY}}}}}",
    "default with a dash": f"agents:\n  scribe:\n    model: ${{MODEL:-{CANARY}}}",
    "no name": f"agents:\n  scribe:\n    model: ${{{CANARY}}}",
    "open brace": f"agents:\n  scribe:\n    model: ${{MODEL:{CANARY}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_fault_prints_what_stands_in_the_line(name: str) -> None:
    """The value of a broken line may be a key, so neither the error nor its causes show it."""
    with pytest.raises(ConfigError) as caught:
        loaded(BROKEN[name])
    assert leaks(caught.value) == []


def test_a_tab_is_called_one() -> None:
    """YAML takes no tab for a space, and an editor shows no difference."""
    assert refused("document:\n\trounds: 3\n") == [
        "  my.yaml:2  holds a tab where YAML wants spaces"
    ]


@pytest.mark.parametrize("line", ["    system: Note: be brief", "  scribe: x\n    system: Hello"])
def test_a_map_where_none_can_be_is_told_with_its_cures(line: str) -> None:
    """To YAML a text with a colon and a blank is one, and so is a line that is indented too far."""
    (told,) = refused(f"agents:\n  scribe:\n{line}\n")
    assert told.endswith(
        "mapping values are not allowed here: indent it as its neighbours, or put quotes around a "
        "text that has ': ' in it"
    )


def test_a_fault_that_has_no_words_of_ours_is_told_in_pydantics() -> None:
    """A number of thousands of digits is refused by its file, line and key all the same."""
    assert refused(f"document: {{in_flight: '{'9' * 5_000}'}}") == [
        "  my.yaml:1  document.in_flight: Unable to parse input string as an integer, exceeded "
        "maximum size"
    ]


# files that can't be read


def test_a_file_that_is_not_there_is_named() -> None:
    """A path that leads nowhere is refused with the reason, and nothing is made up."""
    with pytest.raises(ConfigError) as caught:
        load(Path("gone.yaml"), {})
    assert lines_of(caught.value) == ["  gone.yaml  can't be read: No such file or directory"]


def test_a_folder_is_no_file() -> None:
    """A folder in place of the file is refused with the reason."""
    with pytest.raises(ConfigError) as caught:
        load(Path(), {"LLM_PROVIDER": "openai"})
    assert lines_of(caught.value) == ["  .  can't be read: not a regular file"]


def test_a_file_in_another_encoding_is_refused_with_the_place() -> None:
    """Latin-1 and UTF-16 are refused at the first byte that is no UTF-8."""
    MY.write_bytes("model: größe".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(MY, {})
    assert lines_of(caught.value) == ["  my.yaml  is not UTF-8 at byte 9"]


@pytest.mark.parametrize("path", ["loop", "a\0b"])
def test_a_path_that_can_not_lead_to_a_file_is_refused(path: str) -> None:
    """A symlink to itself and a path with a NUL are faults like a missing file."""
    Path("loop").symlink_to("loop")
    with pytest.raises(ConfigError) as caught:
        load(Path(path), {})
    (line,) = lines_of(caught.value)
    assert "  can't be read: " in line


# which file


def test_without_a_file_the_shipped_default_holds() -> None:
    """Nothing in the current folder and nothing named means the shipped configuration."""
    shipped = load(None, {"WAR_RIG_CONFIG": ""})
    assert (shipped.llm_provider, shipped.providers, shipped.file) == ("offline", {}, None)
    assert (shipped.document.rounds, shipped.document.unit_lines) == (2, 60)
    assert shipped.agents["assistant"].system == "You are a helpful assistant."
    assert shipped.note is None
    assert not shipped.is_provider_chosen


def test_a_named_file_beats_the_variable_and_that_the_current_folder() -> None:
    """--config, else WAR_RIG_CONFIG, else ./war_rig.yaml: one of them is read."""
    MY.write_text("llm_provider: one")
    Path("other.yaml").write_text("llm_provider: two")
    FOUND.write_text("llm_provider: three")
    env = {"WAR_RIG_CONFIG": "other.yaml"}
    assert load(MY, env).llm_provider == "one"
    assert load(None, env).llm_provider == "two"
    assert load(None, {}).llm_provider == "three"


def test_a_variable_that_names_no_file_is_told() -> None:
    """Who forgot WAR_RIG_CONFIG is told whose name it is, and where a relative one begins."""
    gone = Path.cwd() / "gone.yaml"
    told = (
        f"and there is no such file\n  a relative path begins at the current folder, {Path.cwd()}"
    )
    for name, expected in (("gone.yaml", told), (str(gone), "and there is no such file")):
        with pytest.raises(ConfigError) as caught:
            load(None, {"WAR_RIG_CONFIG": name})
        assert str(caught.value) == f"WAR_RIG_CONFIG names '{name}', {expected}"


def test_the_flag_beats_the_variable_and_that_the_file() -> None:
    """--provider, else LLM_PROVIDER, else the file, else the shipped default."""
    text = "llm_provider: from_file"
    env = {"LLM_PROVIDER": " from_env "}
    chosen = {
        "--provider": loaded(text, env, llm_provider="from_flag"),
        "environment LLM_PROVIDER": loaded(text, env),
        "my.yaml:1": loaded(text, {"LLM_PROVIDER": " "}),
    }
    names = [its.llm_provider for its in chosen.values()]
    assert names == ["from_flag", "from_env", "from_file"]
    for label, its in chosen.items():
        assert its.origin("llm_provider").label == label
        assert its.is_provider_chosen


@pytest.mark.parametrize("name", ["${HOME}", "$$", "a$b"])
def test_a_name_from_the_flag_or_the_environment_is_taken_as_it_is(name: str) -> None:
    """Only a file's values are interpolated."""
    assert load(None, {"LLM_PROVIDER": name, "HOME": "x"}).llm_provider == name
    assert load(None, {"HOME": "x"}, llm_provider=name).llm_provider == name


def test_maps_merge_and_all_else_is_replaced() -> None:
    """A file lies over the shipped default: what it does not mention stays."""
    text = """
agents:
  scribe: {model: small-1}
  assistant: {system: null, temperature: null}
  tester: {system: Test., provider: house, temperature: 0.5}
document: {rounds: 3}
"""
    merged = loaded(text)
    shipped = load(None, {})
    assert merged.agents["scribe"].system == shipped.agents["scribe"].system
    assert merged.agents["scribe"].model == "small-1"
    assert merged.agents["assistant"].system is None
    tester = merged.agents["tester"]
    assert (tester.system, tester.provider, tester.temperature) == ("Test.", "house", 0.5)
    assert (merged.document.rounds, merged.document.unit_lines) == (3, 60)


def test_settings_stay_as_they_were_loaded() -> None:
    """What was checked can't be changed behind the check."""
    shipped = load(None, {})
    for part, name in (
        (shipped, "llm_provider"),
        (shipped.agents["scribe"], "model"),
        (shipped.document, "rounds"),
    ):
        with pytest.raises((AttributeError, ValueError), match=r"frozen|cannot assign"):
            setattr(part, name, 1)


def test_a_section_without_a_value_keeps_the_shipped_one() -> None:
    """A key whose lines were all commented out changes nothing."""
    text = "agents:\n  scribe:\nproviders:\ndocument:\n"
    assert loaded(text).agents == load(None, {}).agents


def test_an_agent_can_be_left_without_a_system_prompt() -> None:
    """null takes the shipped prompt away, also one that stands in a file."""
    agents = loaded("agents: {scribe: {system: null}, assistant: {system: null}}").agents
    assert (agents["scribe"].system, agents["assistant"].system) == (None, None)


# origins and reprs


def test_every_value_knows_where_it_was_set() -> None:
    """Each dotted key has its file and line; what nobody set has its default."""
    text = "agents:\n  scribe:\n    model: small-1\nproviders:\n  house: {type: openai, x: 1}\n"
    settings = loaded(text)
    assert settings.origin("agents.scribe.model") == Origin("my.yaml:3", Path.cwd())
    assert settings.origin("agents.assistant.system").label.startswith("shipped default:")
    assert settings.origin("providers.house.x").label == "my.yaml:5"
    assert settings.origin("agents.scribe.temperature").label == "default"
    assert settings.providers["house"].origin == Origin("my.yaml:5", Path.cwd())


def test_no_repr_shows_a_value_of_the_file_or_the_environment() -> None:
    """Settings can be printed: what may be a key is not in them."""
    text = "providers:\n  house: {api_key: '${HOUSE_KEY}', other: sk-in-the-file-1}\n"
    settings = loaded(text, {"HOUSE_KEY": CANARY})
    entry = settings.providers["house"]
    shown = repr((settings, entry, dict(entry.arguments)))
    assert "<value at my.yaml:2>" in shown
    assert CANARY not in shown
    assert "sk-in-the-file-1" not in shown


def test_no_repr_shows_a_secret_that_went_into_an_agent() -> None:
    """A secret variable's value is not printed with the agent that uses it."""
    text = "agents:\n  scribe:\n    model: ${HOUSE_KEY}\n"
    settings = loaded(text, {"HOUSE_KEY": CANARY})
    assert settings.agents["scribe"].model == CANARY
    assert CANARY not in repr(settings)


# faults


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    """One error lists every fault by file, line and key, and the nearest key that exists."""
    text = """\
llm_providr: openai
providers:
  house: text
  2fast: {}
  other: {type: 1, distribution: [a], policies: [retry]}
  third: {type: no name}
agents:
  scribe: {temprature: 1, temperature: warm, model: 5}
  tester: text
document: {rounds: 9, unit_lines: 2.5, round: 1}
llm_provider:
"""
    known = "agents, document, llm_provider, plugins, policies, providers"
    assert refused(text) == [
        f"  my.yaml:1  llm_providr: is no key here. Did you mean 'llm_provider'? Known: {known}",
        "  my.yaml:3  providers.house: must be a map of arguments",
        "  my.yaml:4  providers.2fast: '2fast' is not a name: use letters, digits, '-' and '_', "
        "a letter first",
        "  my.yaml:5  providers.other.type: must be text",
        "  my.yaml:5  providers.other.distribution: must be text",
        "  my.yaml:5  providers.other.policies: must be a map",
        "  my.yaml:6  providers.third.type: 'no name' is not a name: use letters, digits, '-' and "
        "'_', a letter first",
        "  my.yaml:8  agents.scribe.model: must be text: put it in quotes",
        "  my.yaml:8  agents.scribe.temperature: must be a number",
        "  my.yaml:8  agents.scribe.temprature: is no key here. Did you mean 'temperature'? "
        "Known: model, provider, system, temperature",
        "  my.yaml:9  agents.tester: must be a map",
        "  my.yaml:10  document.rounds: must be 5 or less",
        "  my.yaml:10  document.unit_lines: must be a whole number",
        "  my.yaml:10  document.round: is no key here. Did you mean 'rounds'? "
        "Known: copybook_paths, in_flight, rounds, unit_lines",
        "  my.yaml:11  llm_provider: must be text: put it in quotes",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("providers: []", "  my.yaml:1  providers: must be a map"),
        ("providers: text", "  my.yaml:1  providers: must be a map"),
        ("agents: text", "  my.yaml:1  agents: must be a map"),
        ("agents: [scribe]", "  my.yaml:1  agents: must be a map"),
        ("agents: {a: }", "  my.yaml:1  agents.a: must be a map"),
        ("agents: {a: [x, {y: z}]}", "  my.yaml:1  agents.a: must be a map"),
        ("document: 5", "  my.yaml:1  document: must be a map"),
        ("document: {rounds: 0}", "  my.yaml:1  document.rounds: must be 1 or more"),
        (
            "document: {rounds: 1e999}",
            "  my.yaml:1  document.rounds: must be a finite number",
        ),
        ("document: {rounds: two}", "  my.yaml:1  document.rounds: must be a whole number"),
        ("document: {rounds: }", "  my.yaml:1  document.rounds: must be a whole number"),
        ("document: {rounds: [1]}", "  my.yaml:1  document.rounds: must be a whole number"),
        (
            "agents: {a: {temperature: [1]}}",
            "  my.yaml:1  agents.a.temperature: must be a number",
        ),
        ("llm_provider: [openai]", "  my.yaml:1  llm_provider: must be text: put it in quotes"),
        ("llm_provider: {a: 1}", "  my.yaml:1  llm_provider: must be text: put it in quotes"),
        (
            'agents: {"\\ud800": {mdel: x}}',
            "  my.yaml:1  agents.\ufffd\ufffd\ufffd.mdel: is no key here. Did you mean 'model'? "
            "Known: model, provider, system, temperature",
        ),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_by_its_key(text: str, line: str) -> None:
    """A list, a text or nothing in place of what a key takes is told in plain words."""
    assert refused(text) == [line]


def test_every_fault_is_one_line_that_can_be_printed() -> None:
    """A key with a line break or a terminal's control characters can't forge a message."""
    (line,) = refused(json.dumps({"a\nb\u001b[2J": 1}))
    assert line.startswith("  my.yaml:1  ")
    assert line.isprintable()


def test_what_could_not_be_read_is_not_told_twice() -> None:
    """A value with a fault is not complained of again as missing."""
    text = "llm_provider: ${PROVIDER}\ndocument:\n  rounds: ${ROUNDS}\n"
    assert refused(text) == [
        "  my.yaml:1  llm_provider: the environment variable PROVIDER is not set "
        "and has no default: export it, or write ${PROVIDER:default}",
        "  my.yaml:3  document.rounds: the environment variable ROUNDS is not set "
        "and has no default: export it, or write ${ROUNDS:default}",
    ]


# variables


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("${A:other}", "one"),
        ("${GONE:other}", "other"),
        ("${EMPTY:other}", "other"),
        ("${GONE:}", ""),
        ("${GONE:a:b}", "a:b"),
        ("${GONE: x }", " x "),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$$${A}", "$one"),
        ("$A $ 5$", "$A $ 5$"),
        ("${DOLLARS}", "${A}"),
        ("}{", "}{"),
    ],
)
def test_variables_go_into_texts(written: str, meant: str) -> None:
    """${NAME}, ${NAME:default} and $$ are understood; an empty variable counts as unset."""
    env = {"A": "one", "B": "two", "EMPTY": "", "DOLLARS": "${A}"}
    assert interpolate(written, env)[0] == meant


def test_the_variables_that_were_used_are_told() -> None:
    """Whoever interpolates learns which variables had a say, also by their default."""
    tree = {"a": ["${A}", 5, None], "b": "${GONE:x} $${NOT}"}
    assert interpolate(tree, {"A": "1"}) == (
        {"a": ["1", 5, None], "b": "x ${NOT}"},
        frozenset({"A", "GONE"}),
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "${GONE}",
            "the environment variable GONE is not set and has no default: "
            "export it, or write ${GONE:default}",
        ),
        (
            "${EMPTY}",
            "the environment variable EMPTY is not set and has no default: "
            "export it, or write ${EMPTY:default}",
        ),
        ("${A", "has a '${' without its '}'; a plain '$' is written '$$'"),
        ("${", "has a '${' without its '}'; a plain '$' is written '$$'"),
    ],
)
def test_a_reference_that_can_not_be_put_in_is_refused(written: str, message: str) -> None:
    """What is unset or left open is refused with what to write instead."""
    with pytest.raises(ValueError) as caught:
        interpolate(["x", {"y": f"text {written}"}], {"EMPTY": ""})
    assert str(caught.value) == message


@pytest.mark.parametrize("written", ["${}", "${1A}", "${A B}", "${A-B}", "${ A }", "${:x}", "${ä}"])
def test_a_reference_without_a_name_is_refused(written: str) -> None:
    """Between the braces stands a variable's name: letters, digits and '_'."""
    with pytest.raises(ValueError) as caught:
        interpolate(written, {"A": "1"})
    assert str(caught.value).endswith("does not name a variable; a plain '$' is written '$$'")


@pytest.mark.parametrize("sign", ["-", "?", "+", "="])
def test_the_shells_way_to_write_a_default_is_refused_with_a_hint(sign: str) -> None:
    """${NAME:-x} is the shell's: here it would mean a default of '-x'."""
    for env in ({}, {"A": "1"}):
        with pytest.raises(ValueError) as caught:
            interpolate("${A:" + sign + "x}", env)
        assert str(caught.value).startswith("a default is written '${A:")
        assert str(caught.value).endswith(f"}}', without '{sign}'")


def test_the_variables_of_a_value_are_known_without_their_values() -> None:
    """What a value refers to can be listed before anything is put in."""
    tree = {"a": ["${A} ${B:x}", 5], "b": {"c": "$${NO} ${OPEN"}, "d": None}
    assert references(tree) == {"A", "B", "OPEN"}
    assert references([]) == references({}) == references("plain") == frozenset()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="$")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_what_has_no_dollar_stays_as_it_is(tree: object) -> None:
    """Interpolation changes nothing in values without '$'."""
    assert interpolate(tree, {"A": "1"}) == (tree, frozenset())
    assert references(tree) == frozenset()


@given(st.text() | st.text("${}:-A"))
def test_every_text_can_be_written_with_doubled_dollars(text: str) -> None:
    """A text whose every '$' is doubled arrives as it was."""
    assert interpolate(text.replace("$", "$$"), {"A": "1"}) == (text, frozenset())


@given(st.text(), st.text(min_size=1))
def test_the_value_of_a_variable_is_never_read_as_a_reference(before: str, text: str) -> None:
    """What the environment holds goes in as it is."""
    assert interpolate(before.replace("$", "$$") + "${A}", {"A": text})[0] == before + text


def test_variables_of_an_agent_are_put_in_at_load() -> None:
    """Agents and document are interpolated at load, and a fault names file, line and key."""
    text = "agents:\n  scribe:\n    model: ${MODEL:small-1}\n    system: ${SYSTEM}\n"
    settings = loaded(text, {"SYSTEM": "Be brief."})
    assert (settings.agents["scribe"].model, settings.agents["scribe"].system) == (
        "small-1",
        "Be brief.",
    )
    assert refused(text) == [
        "  my.yaml:4  agents.scribe.system: the environment variable SYSTEM is not set "
        "and has no default: export it, or write ${SYSTEM:default}"
    ]


# entries of providers


def test_a_provider_entry_keeps_its_reserved_keys_apart_from_its_arguments() -> None:
    """type and distribution say what is built, all other keys are arguments."""
    text = """
providers:
  house:
    type: Azure-OpenAI
    distribution: their-dist
    policies:
    model: small-1
"""
    entry = loaded(text).providers["house"]
    assert (entry.name, entry.type, entry.distribution) == ("house", "azure_openai", "their-dist")
    assert arguments(entry) == {"model": "small-1"}


@pytest.mark.parametrize("body", ["", " {}", " {type: }", " null"])
def test_an_entry_without_a_type_is_built_by_its_own_name(body: str) -> None:
    """The type's default is the entry's name."""
    entry = loaded(f"providers:\n  house:{body}\n").providers["house"]
    assert (entry.name, entry.type, entry.distribution) == ("house", "house", None)
    assert arguments(entry) == {}


def test_a_providers_name_is_compared_like_every_name() -> None:
    """' My-House ' in the file is the provider my_house."""
    assert list(loaded("providers:\n  ' My-House ': {}\n").providers) == ["my_house"]


def test_two_entries_with_one_name_are_refused() -> None:
    """Two spellings of one name would overwrite each other."""
    assert refused("providers:\n  my-house: {}\n  My_House: {}\n") == [
        "  my.yaml:3  providers.My_House: is the same name as another entry's, at my.yaml:2"
    ]


def test_an_unset_variable_of_an_unused_provider_stops_nothing() -> None:
    """An entry is interpolated when its provider is built, with all faults at once."""
    text = """
providers:
  house:
    api_key: ${HOUSE_KEY}
    options: {region: "${REGION}"}
    model: ${MODEL:small-1}
"""
    entry = loaded(text).providers["house"]
    with pytest.raises(ConfigError) as caught:
        arguments(entry)
    assert lines_of(caught.value) == [
        "  my.yaml:4  providers.house.api_key: the environment variable HOUSE_KEY is not set: "
        "export it",
        "  my.yaml:5  providers.house.options.region: the environment variable REGION is not "
        "set and has no default: export it, or write ${REGION:default}",
    ]
    assert list(entry.interpolated({"HOUSE_KEY": CANARY, "REGION": "eu"})) == [
        ("api_key", CANARY, frozenset({"HOUSE_KEY"})),
        ("options", {"region": "eu"}, frozenset({"REGION"})),
        ("model", "small-1", frozenset({"MODEL"})),
    ]


def test_a_broken_default_of_an_entry_does_not_print_itself() -> None:
    """A key that was written as a shell's default is not in the error that refuses it."""
    text = f"providers:\n  house:\n    api_key: ${{HOUSE_KEY:-{CANARY}}}\n"
    with pytest.raises(ConfigError) as caught:
        arguments(loaded(text).providers["house"])
    assert leaks(caught.value) == []


# prompt files


def test_a_prompt_file_is_read_from_beside_the_file_that_names_it() -> None:
    """A relative path starts at the YAML file's folder, and '$' in a prompt means nothing."""
    Path("conf/prompts").mkdir(parents=True)
    Path("conf/prompts/own.md").write_text("Costs ${A} größe.\n", encoding="utf-8")
    Path("conf/my.yaml").write_text("agents: {scribe: {system: {file: prompts/own.md}}}")
    settings = load(Path("conf/my.yaml"), {})
    assert settings.agents["scribe"].system == "Costs ${A} größe.\n"
    origin = settings.origin("agents.scribe.system")
    assert origin.label == f"{Path('conf/my.yaml')}:1 (prompts/own.md)"


def test_a_file_that_the_user_names_may_name_any_file() -> None:
    """A trusted file's prompts may lie anywhere, above it too."""
    Path("conf").mkdir()
    Path("own.md").write_text("Own.")
    Path("conf/my.yaml").write_text("agents: {scribe: {system: {file: ../own.md}}}")
    assert load(Path("conf/my.yaml"), {}).agents["scribe"].system == "Own."


def test_a_prompt_file_that_can_not_be_read_is_a_fault() -> None:
    """A missing, a binary and a pathless prompt are refused by their key."""
    Path("binary.md").write_bytes(b"\xff\xfe")
    text = """
agents:
  a: {system: {file: gone.md}}
  b: {system: {file: binary.md}}
  c: {system: {file: 5}}
  d: {system: {file: gone.md, more: x}}
"""
    here = Path.cwd()
    assert refused(text) == [
        f"  my.yaml:3  agents.a.system.file: {here / 'gone.md'} can't be read: "
        "No such file or directory",
        f"  my.yaml:4  agents.b.system.file: {here / 'binary.md'} can't be read: is not UTF-8 text",
        "  my.yaml:5  agents.c.system.file: must be a path",
        "  my.yaml:6  agents.d.system: must be text: put it in quotes",
    ]


# a file that was only found


def test_a_file_that_was_only_found_is_used_and_announced() -> None:
    """./war_rig.yaml needs no flag, but the user is told that it is there."""
    settings = found("llm_provider: house\nproviders: {house: {type: openai}}")
    assert settings.llm_provider == "house"
    assert settings.is_provider_chosen
    assert not settings.providers["house"].origin.is_trusted
    assert settings.note == (
        "note: using ./war_rig.yaml, found in the current folder; it gets nothing from the "
        "environment unless you name it: --config war_rig.yaml"
    )


@pytest.mark.parametrize("is_flag", [True, False])
def test_a_file_that_was_named_is_trusted(is_flag: bool) -> None:
    """--config and WAR_RIG_CONFIG say that the user knows the file."""
    text = 'providers: {house: {api_key: "${HOUSE_KEY}", distribution: theirs}}'
    FOUND.write_text(text)
    env = {} if is_flag else {"WAR_RIG_CONFIG": "war_rig.yaml"}
    settings = load(FOUND if is_flag else None, env)
    assert settings.providers["house"].origin.is_trusted
    assert settings.providers["house"].distribution == "theirs"
    assert settings.note is None


MISSPELT = "note: {} is set, which War Rig does not read. Did you mean '{}'?"


@pytest.mark.parametrize(("env", "told"), [
    ({"LLM_PROVIDR": "openai"}, [("LLM_PROVIDR", "LLM_PROVIDER")]),
    ({"llm_provider": "openai"}, [("llm_provider", "LLM_PROVIDER")]),
    ({"LLM_PROVIDER": "", "LLM_PROVIDERS": "openai", "WARRIG_CONFIG": "my.yaml"},
     [("LLM_PROVIDERS", "LLM_PROVIDER"), ("WARRIG_CONFIG", "WAR_RIG_CONFIG")]),
    ({"LLM_PROVIDER": "openai", "LLM_PROVIDERS": "openai,azure"}, []),
    ({"LLM_PROVIDR": "", "LLM_PROVIDER_URL": "x", "MY_PROVIDER": "x", "HOSTNAME_12345": "x"}, []),
])  # fmt: skip
def test_a_misspelt_variable_is_told(env: dict[str, str], told: list[tuple[str, str]]) -> None:
    """One that is nearly War Rig's own is no accident, unless the right one is set too."""
    note = load(None, env).note
    assert (note or "").splitlines() == [MISSPELT.format(*names) for names in told]


def test_a_file_that_was_only_found_may_not_use_the_environment() -> None:
    """Somebody else's folder gets none of the user's variables, in no part of the file."""
    text = """
llm_provider: ${A}
providers:
  house:
    api_key: ${HOUSE_KEY}
    options: [x, {y: "${B:default}"}]
    plain: $${C}
agents: {scribe: {model: "${D:-x}"}}
"""
    lines = distrusted(text, {"A": "x", "D": "x", "HOUSE_KEY": CANARY})
    told = [line for line in lines if line.endswith(HOW_TO_TRUST)]
    assert told == [
        f"  war_rig.yaml:{place}  {key}: may not use the environment; {HOW_TO_TRUST}"
        for place, key in (
            (2, "llm_provider"),
            (5, "providers.house.api_key"),
            (6, "providers.house.options.1.y"),
            (8, "agents.scribe.model"),
        )
    ]


def test_a_forbidden_variable_is_told_once() -> None:
    """What may not use the environment at all is not told that the variable is unset, too."""
    assert distrusted("agents:\n  scribe:\n    model: ${MODEL}\n") == [
        f"  war_rig.yaml:3  agents.scribe.model: may not use the environment; {HOW_TO_TRUST}"
    ]


def test_a_file_that_was_only_found_may_not_choose_a_distribution() -> None:
    """Which package's code gets the user's key is not for a found file to say."""
    assert distrusted("providers:\n  openai:\n    distribution: theirs\n") == [
        f"  war_rig.yaml:3  providers.openai.distribution: may not be set; {HOW_TO_TRUST}"
    ]


def test_a_file_that_was_only_found_may_name_a_file_in_its_folder() -> None:
    """A project's own prompts are its own."""
    Path("prompts").mkdir()
    Path("prompts/own.md").write_text("Own.")
    settings = found("agents: {scribe: {system: {file: prompts/own.md}}}")
    assert settings.agents["scribe"].system == "Own."


@pytest.mark.parametrize("kind", ["parent", "absolute", "symlink", "folder symlink"])
def test_a_file_that_was_only_found_may_not_name_a_file_elsewhere(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither '..', nor an absolute path, nor a symlink leads out of the folder."""
    Path("private.md").write_text(CANARY)
    Path("project").mkdir()
    monkeypatch.chdir("project")
    Path("link.md").symlink_to(tmp_path / "private.md")
    Path("up").symlink_to(tmp_path)
    path = {
        "parent": "../private.md",
        "absolute": str(tmp_path / "private.md"),
        "symlink": "link.md",
        "folder symlink": "up/private.md",
    }[kind]
    assert distrusted(f"agents:\n  scribe: {{system: {{file: {path}}}}}\n") == [
        "  war_rig.yaml:2  agents.scribe.system.file: lies outside the file's folder; "
        + HOW_TO_TRUST
    ]


@pytest.mark.parametrize("path", ["loop", '"a\\0b"'])
def test_a_found_file_with_a_path_that_leads_nowhere_is_a_fault(path: str) -> None:
    """A symlink to itself and a path with a NUL are refused, not run into."""
    Path("loop").symlink_to("loop")
    (line,) = distrusted(f"agents:\n  scribe: {{system: {{file: {path}}}}}\n")
    assert line.startswith("  war_rig.yaml:2  agents.scribe.system.file: ")


# whatever a file holds

PIECES = ["llm_provider", "providers", "agents", "scribe", "system", "file", "document", "rounds"]
PIECES += [": ", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<", "!!int "]
PIECES += ["!x ", "'", '"', "\\U", "FF", "${", "}", "$", "A", ":", "0", "1.5", "|\n", "%YAML 1."]
PIECES += ["? ", "#", "~", "---\n", "\t", "no", "é", "\x00", "\ufeff", "\x85", "\u2028"]
KEYS = st.sampled_from(PIECES[:8]) | st.text(max_size=3)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)
ANY_FILE = (
    st.binary()
    | st.lists(st.sampled_from(PIECES), max_size=40).map("".join).map(str.encode)
    | st.dictionaries(KEYS, TREES, max_size=4).map(json.dumps).map(str.encode)
)


@given(ANY_FILE, st.booleans())
@hypothesis_settings(deadline=None, max_examples=300)
def test_whatever_a_file_holds_it_is_settings_or_a_config_error(
    data: bytes, is_named: bool
) -> None:
    """No bytes in a file lead to anything but settings or our own error."""
    FOUND.write_bytes(data)
    try:
        settings = load(FOUND if is_named else None, {"A": "x"})
    except ConfigError as error:
        assert lines_of(error)
    else:
        assert all(isinstance(entry, ProviderEntry) for entry in settings.providers.values())
