"""`autoscaler demo`: a sandbox host, a load that comes and goes, the daemon.

Everything is real but the host: TLS, certificates, statistics of processes
whose CPU the kernel counts; with `--traffic` HAProxy and its requests too.  It
ends by itself.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import trio
from rich.console import Console

from albatross_client.cli.ending import INTERRUPTED
from albatross_client.cli.help import Formatter, examples
from albatross_client.sandbox.haproxy import find_program
from autoscaler.cli.demos import traffic, usage
from autoscaler.cli.demos.story import Story
from autoscaler.cli.output import complain, print_json
from autoscaler.cli.terminal import is_dumb, speaks_unicode


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``demo``."""
    parser = subparsers.add_parser(
        "demo",
        help="watch a group grow and shrink on a host in a sandbox",
        description="Start a sandbox host with one unikernel, load it, and let the "
        "daemon follow. Ends by itself in at most 90 seconds; the exit code is 0 if "
        "the group went from 1 to 3 members and back.",
        epilog=examples(
            ("autoscaler demo", ""),
            ("autoscaler demo --traffic", "with HAProxy and visitors"),
            ("autoscaler demo --plain", "what the daemon logs, instead of a live view"),
        ),
        formatter_class=Formatter,
    )
    parser.add_argument(
        "--traffic",
        action="store_true",
        help="with HAProxy and visitors instead: the group sleeps, wakes, grows to 4 "
        "members, goes back to none and wakes again; the exit code is 0 if it did, "
        "and no request failed",
    )
    parser.add_argument(
        "--plain", action="store_true", help="log lines, also on a terminal"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print what came of it as JSON; log lines go to standard error",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run a demo; return 0 if everything went as it should."""
    console = Console()
    is_plain = arguments.plain or arguments.json
    is_live = console.is_terminal and not is_plain and _can_be_drawn_on()
    story, code = None, 1
    try:
        story = _play(console if is_live else None, with_traffic=arguments.traffic)
    except* OSError as errors:
        complain(f"autoscaler: {_first(errors)}")
    except* KeyboardInterrupt:
        code = INTERRUPTED
    if story is None:
        return code
    if arguments.json:
        print_json(story.form())
    else:
        print("\n".join(story.summary()))
    return 0 if story.is_as_wanted else 1


def _can_be_drawn_on() -> bool:
    """Tell whether the terminal shows more than lines of ASCII."""
    return not is_dumb(os.environ) and speaks_unicode(os.environ, sys.stdout.encoding)


def _play(console: Console | None, *, with_traffic: bool) -> Story:
    if with_traffic:
        # Before anything is begun.
        find_program()
    play = traffic.play if with_traffic else usage.play
    with tempfile.TemporaryDirectory(prefix="albatross-demo-") as directory:
        return trio.run(play, Path(directory), console)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
