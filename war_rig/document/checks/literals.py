"""Numbers and texts in quotation marks of a sentence: they have to stand in the cited lines.

What numbers a line is no number of the source: the level of a data item and the number
of a paragraph. Digits in a name, or in a card's sequence number, count as they are spelt:
FEES01 holds no 1.
"""

import re
from collections.abc import Iterator, Sequence

from war_rig.readers import clipped
from war_rig.readers.cards import LAST_COLUMN, sequence_numbers, without_sequence_numbers
from war_rig.readers.cobol_numbers import without_line_numbers

QUOTED = re.compile(r'"([^"]+)"|\u201c([^\u201d]+)\u201d|(?<![\w])\'([^\']+)\'(?![\w])')
LINE_REFERENCE = re.compile(r"\blines?\s+(\d+)(?:\s*(?:-|to|and)\s*(\d+))?", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.$-])[-\u2212]?\d+(?:[.,]\d+)*(?![\w-])")
_OF_A_LINE = re.compile(r"\b(?:levels?|paragraphs?|sections?)\s+$", re.IGNORECASE)

_IN_LINES = re.compile(
    r"(?P<minus>(?<![\w)])-\s?|\bMINUS\s+)?(?<!\d)(?<!\d[.,])(?P<number>\d+(?:[.,]\d+)*)"
)
_IN_A_NAME = re.compile(r"[A-Za-z_$#@]-?$")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_EDGES = re.compile(
    r"""This\ part\ (?P<denied>(?:does\ not|doesn['\u2019]t|never)\ )?begins?\ with\ "(?P<first>.+)"
    \ and\ ends?\ with\ "(?P<last>.+)"\.?""",
    re.VERBOSE,
)
_SHORT = 2


def number_faults(text: str, cobol: str, others: str = "") -> Iterator[str]:
    """Yield the numbers of *text*, without quotations and line references, not in the cited lines.

    cobol: those of COBOL, which have levels and labels; others: those of other languages.
    """
    said = list(_NUMBER.finditer(text))
    if not said:
        return
    found = {*_numbers(without_line_numbers(cobol)), *_numbers(others)}
    of_lines = set(_numbers(cobol))
    for match in said:
        number = match[0].replace("\u2212", "-")
        plain = _plain(number)
        if plain in found or number in found:
            continue
        if plain not in of_lines:
            yield f"the number {number} does not stand in the cited lines"
        elif not _OF_A_LINE.search(text[: match.start()]):
            yield f"the number {number} stands in the cited lines only as a level or in a label"


def _numbers(cited: str) -> Iterator[str]:
    """Yield the numbers in *cited*, one with a sign also without it."""
    yield from sequence_numbers(cited)
    text = without_sequence_numbers(cited)
    for match in _IN_LINES.finditer(text):
        number = match["number"]
        if _IN_A_NAME.search(text, max(0, match.start("number") - 2), match.start("number")):
            yield number
            continue
        pieces = [] if _THOUSANDS.fullmatch(number) else number.split(",")
        for one in {number, *pieces}:
            yield _plain(one)
            if match["minus"]:
                yield f"-{_plain(one)}"


def _plain(number: str) -> str:
    """Return a number without what does not change it: zeros in front, commas."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    return sign + (digits.replace(",", "").lstrip("0") or "0")


def is_quoted_from(literal: str, cited: str) -> bool:
    """Return whether *literal* stands in *cited*, apart from punctuation and line breaks.

    A single word has to be a whole one there, one of few letters spelt alike.
    """
    if re.fullmatch(r"\w+", literal):
        case = re.IGNORECASE if len(literal) > _SHORT else 0
        alone = rf"(?<!\w)(?<!\w-)(?:(?<!\w'){literal}|{literal}(?='))(?!\w|[-']\w)"
        return re.search(alone, cited, case) is not None
    words = _only_words(literal)
    cards = "\n".join(line[:LAST_COLUMN] for line in cited.split("\n"))
    if words:
        return any(f" {words} " in f" {_only_words(text)} " for text in (cited, cards))
    return " ".join(literal.split()) in " ".join(cited.split())


def edge_faults(text: str, cited: str) -> Iterator[str]:
    """Yield what is wrong where *text* says with which words a part begins and ends.

    A line that is a single endless word is shown to nobody, so it is no edge.
    """
    found = _EDGES.fullmatch(text)
    if found:
        lines = [line for line in cited.split("\n") if re.search(r"\w", clipped(line.strip()))]
        is_so = _begins("\n".join(lines), found["first"]) and _ends(lines, found["last"])
        if is_so and found["denied"]:
            yield "the cited lines do begin and end so"
        elif not (is_so or found["denied"]):
            yield "the cited lines do not begin with the one and end with the other"


def _begins(text: str, words: str) -> bool:
    return any(f"{one} ".startswith(f"{other} ") for one, other in _told(text, words))


def _ends(lines: Sequence[str], words: str) -> bool:
    """Return whether *lines* end with *words*, or the last one begins with them."""
    is_end = any(f" {one}".endswith(f" {other}") for one, other in _told("\n".join(lines), words))
    return is_end or _begins("".join(lines[-1:]), words)


def _told(*texts: str) -> Iterator[list[str]]:
    """Yield the words of *texts*, names whole, with the sequence numbers and without them."""
    for these in (texts, map(without_sequence_numbers, texts)):
        yield [" ".join(re.findall(r"\w+(?:-\w+)*", text.lower())) for text in these]


def _only_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", without_sequence_numbers(text).lower()))
