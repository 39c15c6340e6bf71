"""Nothing that is asked of a host is waited for without a deadline."""

import ast
from pathlib import Path

import pytest

SHELL = Path(__file__).parents[2] / "autoscaler" / "shell"
VERBS = {"info", "policies", "image", "create", "destroy", "stats"}
DEADLINES = {"fail_after", "move_on_after", "fail_at", "move_on_at"}
# They pass a call on, and have the deadline of whoever calls them.
PASSES_ON = {"reach.py", "renewal.py"}


def calls_without_deadline(source):
    """Return the lines of all awaited verbs of a host outside a deadline."""
    found = []

    def visit(node, *, has_deadline):
        if isinstance(node, ast.With | ast.AsyncWith):
            names = {ast.unparse(item.context_expr) for item in node.items}
            has_deadline = has_deadline or any(
                f"trio.{deadline}(" in name for name in names for deadline in DEADLINES
            )
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            has_deadline = False
        if isinstance(node, ast.Await) and is_of_a_host(node) and not has_deadline:
            found.append(node.lineno)
        for child in ast.iter_child_nodes(node):
            visit(child, has_deadline=has_deadline)

    visit(ast.parse(source), has_deadline=False)
    return found


def is_of_a_host(node):
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    return call.func.attr in VERBS and "host" in ast.unparse(call.func.value)


FILES = sorted(file for file in SHELL.rglob("*.py") if file.name not in PASSES_ON)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_call_of_a_host_has_a_deadline(file):
    found = calls_without_deadline(file.read_text("utf-8"))

    assert found == []


def test_a_call_without_a_deadline_would_be_found():
    source = (
        "async def f(host):\n"
        "    with trio.fail_after(1):\n"
        "        await host.info(1)\n"
        "    await self._host.stats(2)\n"
    )

    assert calls_without_deadline(source) == [4]


def test_the_calls_are_really_there():
    sources = [file.read_text("utf-8") for file in SHELL.rglob("*.py")]

    calls = [
        node
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Await) and is_of_a_host(node)
    ]

    assert len(calls) >= len(VERBS)
