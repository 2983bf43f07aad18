"""What is shown with a unit: the declarations of the names in it."""

from pathlib import Path

import pytest

from war_rig.document.context import Declarations
from war_rig.document.estate.estate import Estate
from war_rig.document.plan import plan
from war_rig.readers import readers

BEFORE = "       PROGRAM-ID. A.\n       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
BEHIND = "       PROCEDURE DIVISION.\n       MAIN.\n           DISPLAY WS-LIMIT.\n"


def shown(src: Path, *items: str) -> list[str]:
    """Return the lines that are shown with a paragraph that uses WS-LIMIT."""
    lines = "".join(f"       {item}\n" for item in items)
    (src / "A.cbl").write_text(f"{BEFORE}{lines}{BEHIND}")
    (file,) = plan(src, readers(60)).files
    estate = Estate.of([file])
    unit = file.reading.units[-1]
    found = Declarations(file, estate.copybooks, estate.wholes["A.cbl"]).of(unit)
    return [line.text.removeprefix("       ") for line in found]


@pytest.mark.parametrize(
    "item",
    [
        ["05  WS-LIMIT  PIC S9(5)V99 COMP-3", "              VALUE 20.00."],
        ["05  WS-LIMIT  PIC 9.99", "*> The limit. It is old.", "    VALUE", "    3."],
        ["05  WS-LIMIT  PIC X(3) VALUE 'A. '", "              OCCURS 3."],
        ["88  WS-LIMIT", "    VALUES 'A' 'B'", "           'C' 'D'."],
        ["05  A PIC X. 05  WS-LIMIT PIC X", "    VALUE 'A'."],
        ["05  WS-LIMIT  PIC X(3)."],
    ],
)
def test_an_item_is_shown_to_its_period(item: list[str], tmp_path: Path) -> None:
    """What it holds may stand on a line of its own, and can be cited there."""
    assert shown(tmp_path, "01  REC.", *item, "05  OTHER  PIC X.") == item


def test_an_item_without_an_end_is_shown_by_its_first_line(tmp_path: Path) -> None:
    """Nobody closed it, so that the rest of the program is not taken for it."""
    item = ["05  WS-LIMIT  PIC X", *(f"05  A-{n}  PIC X" for n in range(50))]
    assert shown(tmp_path, *item) == item[:1]


def test_no_item_is_shown_in_part(tmp_path: Path) -> None:
    """Where too much is declared, whole items are left out."""
    values = [f"    'A{n}'" for n in range(25)]
    items = ["88  WS-LIMIT VALUES", *values, "    'B'.", "01  B.", "88  WS-LIMIT VALUES", *values]
    assert shown(tmp_path, "01  A.", *items, "    'B'.") == items[:27]
