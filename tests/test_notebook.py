"""The notebook as a specification: what its cells give is what is stored below them.

The cells run as Jupyter runs them: one after another on a running event loop, with `await` at the
top, and with the value of a last expression shown.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import json
from typing import Any

from conftest import ROOT

NOTEBOOK = ROOT / "docs" / "examples" / "war_rig.ipynb"
CELLS = [
    cell
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
]


async def run_all(cells: list[str]) -> list[list[str]]:
    """Return what each cell printed, and the value that it ends with."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    return [await outputs(ast.parse(cell), namespace) for cell in cells]


async def outputs(cell: ast.Module, namespace: dict[str, Any]) -> list[str]:
    last = cell.body[-1]
    value = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        if isinstance(last, ast.Expr):
            await evaluated(ast.Module(cell.body[:-1], []), namespace)
            value = await evaluated(ast.Expression(last.value), namespace)
        else:
            await evaluated(cell, namespace)
    shown = [] if value is None else [repr(value)]
    return [*([printed.getvalue()] if printed.getvalue() else []), *shown]


async def evaluated(code: ast.Module | ast.Expression, namespace: dict[str, Any]) -> Any:
    mode = "eval" if isinstance(code, ast.Expression) else "exec"
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    value = eval(compile(code, str(NOTEBOOK), mode, flags), namespace)
    return await value if inspect.iscoroutine(value) else value


def stored(cell: dict[str, Any]) -> list[str]:
    texts = (one.get("text") or one["data"]["text/plain"] for one in cell["outputs"])
    return ["".join(lines) for lines in texts]


def test_what_the_notebook_shows_is_what_it_gives() -> None:
    """Every cell, run from the first to the last, gives the output that is stored below it."""
    given = asyncio.run(run_all(["".join(cell["source"]) for cell in CELLS]))
    assert given == [stored(cell) for cell in CELLS]


def test_the_notebook_was_run_from_top_to_bottom() -> None:
    """The numbers beside the cells count from 1, and no output is an error or a warning."""
    assert [cell["execution_count"] for cell in CELLS] == [*range(1, len(CELLS) + 1)]
    kinds = {(one["output_type"], one.get("name")) for cell in CELLS for one in cell["outputs"]}
    assert kinds == {("stream", "stdout"), ("execute_result", None)}


def test_the_notebook_shows_what_it_promises() -> None:
    """It asks on a running loop, registers a name twice, uses a fake, a shape and a stream."""
    code = "\n".join("".join(cell["source"]) for cell in CELLS)
    assert code.count('register_provider("echo"') == 2
    for shown in ("run_sync(", "await ", ".override(FakeProvider(", "output=", ".stream("):
        assert shown in code
