"""The table of proofs names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = TESTS / "README.md"
NOT_PROVEN = "not proven"


def rows():
    lines = TABLE.read_text("utf-8").splitlines()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| ")]
    return [
        (what.strip(), proof.strip()) for what, proof in cells if what[1:4] != "---"
    ]


PROOFS = [(what, proof) for what, proof in rows() if proof != "proven by"]


def names_in(file):
    """Return the names of all tests in *file*, below the tests."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.mark.parametrize(("what", "proof"), PROOFS, ids=[what for what, _ in PROOFS])
def test_whatever_is_promised_names_tests_that_exist_or_says_that_there_is_none(
    what, proof
):
    named = re.findall(r"`([\w/.]+)::(\w+)`", proof)

    missing = [f"{file}::{name}" for file, name in named if name not in names_in(file)]

    assert missing == []
    assert named or proof.startswith(NOT_PROVEN)


def test_the_table_has_its_rows():
    assert len(PROOFS) > 50
