"""All subcommands."""

import argparse
from collections.abc import Iterator, Mapping

from albatross_client.cli.main import whole_parser as albatrossctl
from autoscaler.cli.main import whole_parser as autoscaler

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
