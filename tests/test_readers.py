"""Readers from plugins: found by entry point, and named where they can't be made."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from war_rig.errors import PluginError
from war_rig.readers import Reading, Source, decode, reader_for, readers

GROUP = "war_rig.readers"


class ShoutReader:
    """Reads files whose first line is in capitals."""

    language = "shout"

    def reads(self, source: Source) -> bool:
        return bool(source.lines) and source.lines[0].isupper()

    def read(self, source: Source) -> Reading:
        return Reading((), ())


@dataclass
class Named:
    name: str = "shout-reader"
    version: str = "1.0"


def install(monkeypatch: pytest.MonkeyPatch, *values: str, dist: Any = None) -> None:
    """Have the installed entry points be these."""
    found = []
    for value in values:
        entry_point = EntryPoint(value.partition(":")[2].lower(), value, GROUP)
        vars(entry_point)["dist"] = dist
        found.append(entry_point)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found)


def test_a_plugins_reader_comes_before_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed reader is asked first; what it does not read falls to plain text."""
    install(monkeypatch, f"{__name__}:ShoutReader", "war_rig.readers.text:TextReader")
    known = readers(60)
    assert [reader.language for reader in known] == ["shout", "text"]
    assert reader_for(Source("a", ("LOUD",), "utf-8"), known).language == "shout"
    assert reader_for(Source("a", ("quiet",), "utf-8"), known).language == "text"


@pytest.mark.parametrize(("dist", "owner"), [(Named(), "shout-reader"),
                                             (None, "unknown distribution")])  # fmt: skip
def test_a_reader_that_can_not_be_made_is_named(
    monkeypatch: pytest.MonkeyPatch, dist: Any, owner: str
) -> None:
    """The message names the reader, its distribution, and what to do."""
    install(monkeypatch, "a_reader_that_is_not_there:Shout", dist=dist)
    with pytest.raises(PluginError) as caught:
        readers(60)
    assert str(caught.value) == (
        "the reader 'shout' could not be made: ModuleNotFoundError: No module named "
        "'a_reader_that_is_not_there'\n"
        f"  {owner}, entry point a_reader_that_is_not_there:Shout\n"
        "  install what it misses, upgrade it, or uninstall it"
    )


class Leaving:
    """A reader that ends the process."""

    def __init__(self) -> None:
        raise SystemExit("bye")


class Unspeakable:
    """A reader whose failure can't be shown."""

    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def __init__(self) -> None:
        raise self.UnspeakableError


@pytest.mark.parametrize(("plugin", "told"), [
    (Leaving, "SystemExit: bye"),
    (Unspeakable, f"{__name__}.Unspeakable.UnspeakableError: <exception str() failed>"),
])  # fmt: skip
def test_no_reader_ends_the_run(monkeypatch: pytest.MonkeyPatch, plugin: type, told: str) -> None:
    """Whatever a plugin's constructor does, the other readers are made, and it is named."""
    install(monkeypatch, f"{__name__}:{plugin.__name__}", f"{__name__}:ShoutReader")
    broken: list[str] = []
    assert [reader.language for reader in readers(60, broken)] == ["shout", "text"]
    (message,) = broken
    name = plugin.__name__.lower()
    assert message.splitlines()[0] == f"the reader '{name}' could not be made: {told}"


def test_who_interrupts_a_reader_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a plugin is made ends the run."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ShoutReader, "__init__", lambda self: interrupt())
    install(monkeypatch, f"{__name__}:ShoutReader")
    with pytest.raises(KeyboardInterrupt):
        readers(60, [])


@pytest.mark.parametrize(
    ("data", "lines", "encoding"),
    [
        (b"", (), "utf-8"),
        (b"a\nb", ("a", "b"), "utf-8"),
        (b"a\r\nb\r\n", ("a", "b"), "utf-8"),
        (b"a\rb\r", ("a", "b"), "utf-8"),
        (b"a\x0cb\n", ("a\x0cb",), "utf-8"),
        ("a\u2028b".encode(), ("a\u2028b",), "utf-8"),
        (b"\xef\xbb\xbfa\n", ("a",), "utf-8"),
        ("wide\n".encode("utf-16"), ("wide",), "utf-16"),
        (b"caf\xe9\n", ("caf\xe9",), "latin-1"),
    ],
)
def test_lines_are_counted_as_an_editor_counts_them(
    data: bytes, lines: tuple[str, ...], encoding: str
) -> None:
    """Only CR, LF and CRLF end a line, so that line numbers are the file's own."""
    assert decode("f", data) == Source("f", lines, encoding)


@pytest.mark.parametrize("data", [b"MZ\0\1", b"\x01\x02\x03text", b"\xff\xfe\x00"])
def test_binary_data_is_no_text(data: bytes) -> None:
    """What holds zero bytes or many control characters is binary."""
    assert decode("f", data) is None


LISTING = ["       IDENTIFICATION DIVISION.", "      * A [BOXED] NOTE ^ HERE", "       GOBACK."]


def in_1047(text: str) -> bytes:
    """Return *text* in code page 1047, which Python does not have."""
    swapped = dict(zip("[]^", (0xAD, 0xBD, 0x5F), strict=True))
    return bytes(swapped.get(c) or c.encode("cp037")[0] for c in text)


@pytest.mark.parametrize("end", ["\x85", "\n"])
def test_ebcdic_listings_are_read(end: str) -> None:
    """A mainframe's export in code page 037 is text, whichever line end it has."""
    lines = [line.replace("[", "(").replace("]", ")") for line in LISTING]
    data = end.join([*lines, ""]).encode("cp037")
    assert decode("f", data) == Source("f", tuple(lines), "cp037")


def test_the_brackets_tell_the_code_pages_apart() -> None:
    """Code page 1047 has its brackets elsewhere than 037."""
    assert decode("f", in_1047("\n".join(LISTING))) == Source("f", tuple(LISTING), "cp1047")


def test_records_without_line_ends_are_lines() -> None:
    """A data set of 80-character records has a line a record."""
    data = "".join(line.ljust(80) for line in LISTING[::2]).encode("cp037")
    assert decode("f", data) == Source("f", tuple(LISTING[::2]), "cp037")


def test_latin_1_is_not_taken_for_ebcdic() -> None:
    """Text with a few accents stays what it is."""
    source = decode("f", "Grüße aus der Bücherei @@@@@@@".encode("latin-1"))
    assert source is not None
    assert source.encoding == "latin-1"
