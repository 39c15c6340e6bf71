"""Every subcommand of both commands explains itself, with examples."""

import io
import shlex
from contextlib import redirect_stderr

import pytest

from tests.cli.commands import ALL, PROGRAMS, WITHOUT_JSON, actions

MOST_WIDE = 100
EACH = pytest.mark.parametrize("parser", [p for _, p in ALL], ids=[n for n, _ in ALL])


def example_lines(parser):
    lines = (parser.epilog or "").replace("\\\n", " ").splitlines()
    return [
        line.strip()
        for line in lines
        if line.lstrip().startswith(parser.prog)
        and line.startswith("  ")
        and not line.startswith("   ")
    ]


@EACH
def test_every_argument_is_explained(parser):
    unexplained = [a.dest for a in actions(parser) if not a.help]

    assert unexplained == []


@EACH
def test_there_is_an_example_that_can_be_understood(parser):
    lines = example_lines(parser)

    assert lines
    for line in lines:
        # What stands beside it says what it does.
        command = line.split("  ")[0].partition(" | ")[0].partition(" < ")[0]
        program, *words = shlex.split(command)
        said = io.StringIO()
        try:
            with redirect_stderr(said):
                PROGRAMS[program]().parse_args(words)
        except SystemExit:
            pytest.fail(f"{line}: {said.getvalue()}")


@EACH
def test_its_lines_fit_a_terminal(parser):
    assert [
        line for line in parser.format_help().splitlines() if len(line) > MOST_WIDE
    ] == []


@EACH
def test_what_prints_prints_json_too(parser):
    has_json = "--json" in {o for a in actions(parser) for o in a.option_strings}

    assert has_json is (parser.prog not in WITHOUT_JSON)


@pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)
def test_exit_codes_are_told(make):
    text = make().format_help()

    for code in ("0 ", "1 ", "2 ", "130 "):
        assert f"\n  {code}" in text
