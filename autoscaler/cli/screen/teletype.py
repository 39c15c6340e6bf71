"""A terminal that is ours for a while, and its operator's again afterwards.

Laws: whatever ends the program but SIGKILL, the terminal gets back its modes,
its cursor and what it showed before; one that stops reading holds nobody up for
longer than `PATIENCE_S`, and is shown the newest when it reads again.
"""

import contextlib
import io
import os
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence

from attrs import define, field
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from autoscaler.cli.screen.drawing import in_ascii
from autoscaler.cli.terminal import is_dumb, speaks_unicode

# xterm, "ctlseqs" - 1049: the other screen, with the cursor kept; 25: cursor.
_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _TO_LINE_END, _TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"
# Where a terminal doesn't tell: the size of a VT100.
_USUAL = ConsoleDimensions(80, 24)
READ_BYTES = 1024
# What a terminal takes at once, it takes within milliseconds.
PATIENCE_S = 0.5
# termios(3) - as Python's `tcgetattr` has them.
_Modes = list[int | list[bytes | int]]


def is_usable(environment: Mapping[str, str]) -> bool:
    """Tell whether there is a terminal to take, at both ends."""
    return not is_dumb(environment) and sys.stdin.isatty() and sys.stdout.isatty()


@define
class Teletype:
    """The terminal of this process.

    Attributes:
        keyboard: The file descriptor of its keys.
        screen: That of its screen.
        has_unicode: Whether it shows more than ASCII.
    """

    keyboard: int
    screen: int
    has_unicode: bool
    _console: Console
    _shown: str = field(default="", init=False)
    _before: _Modes | None = field(default=None, init=False)
    # Held while the terminal has yet to take something.
    _turn: threading.Lock = field(factory=threading.Lock, init=False)

    @classmethod
    def of_process(cls, environment: Mapping[str, str]) -> "Teletype":
        """Return the terminal of standard input and output."""
        has_unicode = speaks_unicode(environment, sys.stdout.encoding)
        ends = sys.stdin.fileno(), sys.stdout.fileno()
        return cls.of(*ends, has_unicode=has_unicode)

    @classmethod
    def of(cls, keyboard: int, screen: int, *, has_unicode: bool) -> "Teletype":
        """Return the terminal behind these file descriptors."""
        console = Console(file=io.StringIO(), force_terminal=True, highlight=False)
        return cls(keyboard, screen, has_unicode, console)

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Have the terminal for a while.

        Raises:
            OSError: It is gone.
        """
        self.take()
        try:
            yield
        finally:
            self.give_back()

    def take(self) -> None:
        """Show the other screen, and have each key at once."""
        self._before = termios.tcgetattr(self.keyboard)
        modes = termios.tcgetattr(self.keyboard)
        # termios(3) - keys come singly and aren't echoed; signals stay keys;
        # Ctrl-S must not hold up who waits for the end of a write.
        modes[0] &= ~termios.IXON
        modes[3] &= ~(termios.ICANON | termios.ECHO)
        modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.keyboard, termios.TCSADRAIN, modes)
        self._write(_ENTER)
        self._shown = ""

    def give_back(self) -> None:
        """Leave the terminal as it was found, unless it is gone."""
        before, self._before = self._before, None
        if before is None:
            return
        has_left = False
        with contextlib.suppress(OSError):
            has_left = self._write(_LEAVE)
        with contextlib.suppress(OSError, termios.error):
            # What was typed and not read was meant for us.
            termios.tcflush(self.keyboard, termios.TCIFLUSH)
            # termios(3) - the one waits until all that was written is taken.
            when = termios.TCSAFLUSH if has_left else termios.TCSANOW
            termios.tcsetattr(self.keyboard, when, before)

    @property
    def size(self) -> ConsoleDimensions:
        """How many cells the screen has."""
        try:
            width, height = os.get_terminal_size(self.screen)
        except OSError:
            return _USUAL
        return ConsoleDimensions(width or _USUAL.width, height or _USUAL.height)

    def show(self, lines: Sequence[Text]) -> None:
        """Show *lines* from the top, and nothing else."""
        # A full line leaves the cursor on its last cell: what is erased there
        # is erased before it is written.
        screen = _HOME + "\r\n".join(f"{_TO_LINE_END}{self._coded(x)}" for x in lines)
        if len(lines) < self.size.height:
            screen += f"\r\n{_TO_SCREEN_END}"
        if screen != self._shown:
            self._shown = screen if self._write(screen) else ""

    def forget(self) -> None:
        """Show everything anew the next time."""
        self._shown = ""

    def read(self) -> bytes:
        """Return what was typed; nothing: the terminal is gone."""
        try:
            return os.read(self.keyboard, READ_BYTES)
        except OSError:
            return b""

    def _coded(self, line: Text) -> str:
        text = line.copy() if self.has_unicode else in_ascii(line)
        text.rstrip()
        with self._console.capture() as captured:
            self._console.print(text, end="", soft_wrap=True)
        return captured.get()

    def _write(self, text: str) -> bool:
        """Write *text*, and tell whether the terminal has taken it in time.

        What it has yet to take of something else comes first: then nothing is
        begun, for half a sequence may be on its way.

        Raises:
            OSError: It is gone.
        """
        if not self._turn.acquire(blocking=False):
            return False
        data = text.encode("utf-8", "backslashreplace")
        errors: list[OSError] = []
        # Whether a write would wait can't be known before; another open file,
        # that needn't wait, is not for who has the terminal by `sudo`.
        writer = threading.Thread(target=self._put, args=(data, errors), daemon=True)
        writer.start()
        writer.join(PATIENCE_S)
        if errors:
            raise errors[0]
        return not writer.is_alive()

    def _put(self, data: bytes, errors: list[OSError]) -> None:
        try:
            while data:
                data = data[os.write(self.screen, data) :]
        except OSError as error:
            errors.append(error)
        finally:
            self._turn.release()
