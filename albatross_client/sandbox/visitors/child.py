"""Visitors as a process of their own, run as a module with its arguments.

It reads lines of two numbers from standard input, the rate and the visitors
from then on, and writes one line of JSON for each second to standard output.
At the end of its input it waits for the last answers, and ends.
"""

import contextlib
import os
import sys

import trio

from albatross_client.sandbox.visitors.crowd import Crowd, Habits, Load
from albatross_client.sandbox.visitors.tally import Second
from albatross_client.sandbox.visitors.visit import Target, Visitor


def arguments_of(target: Target, habits: Habits) -> list[str]:
    """Return the arguments that `main` reads."""
    numbers = (habits.keep_alive, habits.patience, habits.most_waiting)
    return [target.host, str(target.port), target.path, *map(str, numbers)]


def load_line(load: Load) -> bytes:
    """Return the line that `main` reads for *load*."""
    return f"{load.rate} {load.visitors}\n".encode()


def main(arguments: list[str]) -> None:
    """Ask as *arguments* and standard input say."""
    host, port, path, keep_alive, patience, most_waiting = arguments
    target = Target(host=host, port=int(port), path=path)
    habits = Habits(
        keep_alive=float(keep_alive),
        patience=float(patience),
        most_waiting=int(most_waiting),
    )
    # Ctrl-C at a terminal is for the parent, whose end is the input's end.
    trio.run(_visit, Crowd(Visitor(target), habits, _tell))


async def _visit(crowd: Crowd) -> None:
    leaving = trio.Event()
    async with (
        trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as lines,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(crowd.run, leaving)
        await _obey(crowd, lines)
        leaving.set()


async def _obey(crowd: Crowd, lines: trio.lowlevel.FdStream) -> None:
    """Let *crowd* do what *lines* say, to their end."""
    text = b""
    async for octets in lines:
        *whole, text = (text + octets).split(b"\n")
        for line in whole[-1:]:
            rate, visitors = line.split()
            crowd.come(Load(rate=float(rate), visitors=int(visitors)))


def _tell(second: Second) -> None:
    # Without a parent nobody wants to know.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), second.line().encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
