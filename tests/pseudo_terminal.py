"""A program in a terminal of its own, and what its screen shows."""

import contextlib
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Mapping

import pyte
import trio
from attrs import define, field

# xterm, "ctlseqs" - the other screen.
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
PATIENCE_S = 30
# tty_ioctl(4) - the session's terminal: its size and its end are told.  Between
# fork and exec Python must not run where there are threads.
_IN_SESSION = (
    "import fcntl, os, sys, termios; os.setsid(); "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


@define
class Terminal:
    """A terminal with a program in it.

    Attributes:
        process: The program.
        ours: Our end of the terminal.
        theirs: The program's end.
        sent: All that the program has sent.
        modes: Those of the terminal before the program began.
    """

    process: trio.Process
    ours: int
    theirs: int
    modes: list[object]
    screen: pyte.Screen
    sent: bytearray = field(factory=bytearray)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def is_restored(self) -> bool:
        """Whether the terminal is as it was before."""
        left = self.sent.rfind(LEAVE) > self.sent.rfind(ENTER) >= 0
        return left and termios.tcgetattr(self.theirs) == self.modes

    async def wait_for(self, *texts: str, without: str | None = None) -> str:
        """Return the screen once all *texts* are on it, and *without* isn't."""
        try:
            with trio.fail_after(PATIENCE_S):
                while not all(text in self.text for text in texts) or (
                    without is not None and without in self.text
                ):
                    await trio.sleep(0.02)
        except trio.TooSlowError:
            msg = f"{texts} without {without!r}:\n{self.text}"
            raise AssertionError(msg) from None
        return self.text

    async def type(self, keys: str) -> None:
        """Type *keys*."""
        os.write(self.ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Give the screen another size; the kernel tells the program."""
        self.screen.resize(lines, columns)
        _set_size(self.ours, columns, lines)

    async def end(self) -> int:
        """Return the exit code of the program, once it has ended."""
        with trio.fail_after(PATIENCE_S):
            code = await self.process.wait()
            # All that it sent has come when the terminal is quiet.
            await trio.sleep(0.1)
        return code

    def hang_up(self) -> None:
        """Take the terminal away."""
        trio.lowlevel.notify_closing(self.ours)
        os.close(self.ours)
        self.ours = -1


async def open_terminal(
    nursery: trio.Nursery,
    command: list[str],
    size: tuple[int, int] = (100, 30),
    environment: Mapping[str, str] | None = None,
) -> Terminal:
    """Run *command* in a terminal of *size*; it ends with *nursery*."""
    ours, theirs = os.openpty()
    columns, lines = size
    _set_size(ours, columns, lines)
    modes = termios.tcgetattr(theirs)
    known = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    for name in ("NO_COLOR", "COLUMNS", "LINES", "PYTHONIOENCODING"):
        known.pop(name, None)
    process = await trio.lowlevel.open_process(
        [sys.executable, "-S", "-c", _IN_SESSION, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**known, **(environment or {})},
    )
    screen = pyte.Screen(columns, lines)
    terminal = Terminal(process, ours, theirs, modes, screen)
    nursery.start_soon(_keep, terminal)
    return terminal


async def _keep(terminal: Terminal) -> None:
    """Show what comes; the program doesn't outlive the test."""
    stream = pyte.ByteStream(terminal.screen)
    try:
        while True:
            if terminal.ours < 0:
                await trio.sleep_forever()
            try:
                await trio.lowlevel.wait_readable(terminal.ours)
            except trio.ClosedResourceError:
                continue
            data = os.read(terminal.ours, 65_536)
            terminal.sent += data
            stream.feed(data)
    finally:
        terminal.process.kill()
        with trio.CancelScope(shield=True):
            await terminal.process.wait()
        for each in (terminal.ours, terminal.theirs):
            with contextlib.suppress(OSError):
                os.close(each)


def _set_size(terminal: int, columns: int, lines: int) -> None:
    size = struct.pack("4H", lines, columns, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
