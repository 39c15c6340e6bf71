"""Manual pages of both commands, made from their parsers: `make man`.

Laws: no word is written down twice; whatever a text has in it, none of it is
an instruction to roff.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from albatross_client.cli.main import whole_parser as albatrossctl
from autoscaler.cli.main import whole_parser as autoscaler

_PURPOSES = {
    "autoscaler": "scale MirageOS unikernels that run on Albatross hosts",
    "albatrossctl": "talk to Albatross hosts, which run MirageOS unikernels",
}
_CODES = "exit codes:"
_USAGE_WIDTH = 74


def main(directory: Path) -> None:
    """Write the pages of both commands into *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    parsers = (autoscaler(), albatrossctl())
    for parser in parsers:
        others = [each.prog for each in parsers if each is not parser]
        file = directory / f"{parser.prog}.1"
        file.write_text(page(parser, others), "utf-8")


def page(parser: argparse.ArgumentParser, others: list[str]) -> str:
    """Return the manual page of *parser*, in the man(7) macros.

    Arguments:
        parser: With all its subcommands.
        others: Which commands to see, too.
    """
    return "\n".join(_lines(parser, others)) + "\n"


def _lines(parser: argparse.ArgumentParser, others: list[str]) -> Iterator[str]:
    program = parser.prog
    source = f"albatross-autoscaler {version('albatross-autoscaler')}"
    yield f'.TH {program.upper()} 1 "" "{_escaped(source)}" "User Commands"'
    # Neither hyphens within words nor spaces between them are of any use here.
    yield from (".nh", ".ad l")
    yield from (".SH NAME", f"{program} \\- {_escaped(_PURPOSES[program])}")
    yield from (".SH SYNOPSIS", f".B {program}", ".I COMMAND", "[\\fIOPTION\\fR ...]")
    yield from (".SH DESCRIPTION", *_filled(parser.description))
    yield ".SH OPTIONS"
    for action in _own(parser):
        yield from _argument(action)
    yield ".SH COMMANDS"
    for each in _commands(parser):
        yield from _command(each)
    yield from (".SH EXIT STATUS", *_codes(parser.epilog or ""))
    references = [f".BR {other} (1)" for other in others]
    yield from (".SH SEE ALSO", *references)


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    _, _, name = parser.prog.partition(" ")
    yield f".SS {_escaped(name)}"
    yield from _filled(parser.description)
    yield from (".PP", ".nf", *_verbatim(_usage(parser)), ".fi")
    for action in _own(parser):
        if not isinstance(action, argparse._HelpAction):  # noqa: SLF001 - see `_own`
            yield from _argument(action)
    if parser.epilog:
        yield from (".PP", ".nf", *_verbatim(parser.epilog), ".fi")


def _usage(parser: argparse.ArgumentParser) -> str:
    # Not as wide as the terminal of who makes the pages.
    formatter = argparse.HelpFormatter(parser.prog, width=_USAGE_WIDTH)
    groups = parser._mutually_exclusive_groups  # noqa: SLF001 - see `_own`
    formatter.add_usage(None, parser._actions, groups, "")  # noqa: SLF001 - see `_own`
    return formatter.format_help().rstrip()


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Return what does something, in the order of the help."""
    for action in parser._actions:  # noqa: SLF001 - there is no public way
        if isinstance(action.choices, Mapping):
            for each in action.choices.values():
                inner = tuple(_commands(each))
                yield from inner or (each,)


def _own(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    actions = parser._actions  # noqa: SLF001 - there is no public way
    return (each for each in actions if not isinstance(each.choices, Mapping))


def _argument(action: argparse.Action) -> Iterator[str]:
    yield ".TP"
    names = ", ".join(f"\\fB{_escaped(name)}\\fR" for name in action.option_strings)
    value = _value(action)
    yield " ".join(filter(None, (names, value and f"\\fI{_escaped(value)}\\fR")))
    yield from _filled(action.help)


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if action.metavar is None and action.choices is not None:
        return "|".join(map(str, action.choices))
    return action.metavar or action.dest.upper()


def _codes(epilogue: str) -> Iterator[str]:
    _, _, rest = epilogue.partition(_CODES)
    for line in rest.strip().splitlines():
        code, _, meaning = line.strip().partition(" ")
        yield from (".TP", f"\\fB{code}\\fR", _line(meaning.strip()))


def _filled(text: str | None) -> Iterator[str]:
    paragraphs = (text or "").strip().split("\n\n")
    for place, paragraph in enumerate(paragraphs):
        if place:
            yield ".PP"
        # argparse writes a per cent sign twice.
        yield _line(" ".join(paragraph.split()).replace("%%", "%"))


def _verbatim(text: str) -> Iterator[str]:
    return map(_line, text.strip("\n").splitlines())


def _line(text: str) -> str:
    """Return *text* as a line that is no request, whatever it begins with."""
    escaped = _escaped(text)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    # groff_char(7) - these would become ones that nobody can type.
    special = {"\\": "\\e", "-": "\\-", "`": "\\(ga", "'": "\\(aq", "^": "\\(ha"}
    return "".join(special.get(character, character) for character in text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
