"""Every subcommand of both commands explains itself, with examples."""

import argparse
import io
import shlex
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr

import pytest

from albatross_client.cli.main import whole_parser as albatrossctl
from autoscaler.cli.main import whole_parser as autoscaler

MOST_WIDE = 100
# They print what is of a form of its own: TOML, scripts, log lines, a message
# as JSON or as hexadecimal digits, or they talk with somebody.
WITHOUT_JSON = {
    "autoscaler init",
    "autoscaler run",
    "autoscaler completion",
    "albatrossctl decode",
    "albatrossctl encode",
    "albatrossctl sandbox",
}


def actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - there is no public way


def leaves(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Return all subcommands that do something, by the words before them."""
    inner = [a for a in actions(parser) if isinstance(a.choices, Mapping)]
    if not inner:
        yield parser.prog, parser
    for action in inner:
        assert isinstance(action.choices, Mapping)
        for each in action.choices.values():
            yield from leaves(each)


PROGRAMS = {"autoscaler": autoscaler, "albatrossctl": albatrossctl}
ALL = [leaf for make in PROGRAMS.values() for leaf in leaves(make())]
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
