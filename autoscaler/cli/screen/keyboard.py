"""Keys, from the bytes that a terminal sends for them.

Laws: no I/O; however the bytes are cut, the same keys come out; bytes that
are no key of ours are swallowed whole, never taken for letters.
"""

import enum
from collections.abc import Iterator, Mapping
from functools import cache

from attrs import define


class Key(enum.Enum):
    """A key that has no letter."""

    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"
    ESCAPE = "escape"
    ENTER = "enter"
    REDRAW = "redraw"


# A key, or the letter of one.
Press = Key | str

# ECMA-48 5.4 - control sequences; xterm and VT220 differ in what they send for
# Home and End, and in "application mode" cursor keys begin with SS3.
_ESCAPE = "\x1b"
_INTRODUCERS = "[O"
_SEQUENCES: Mapping[str, Key] = {
    "[A": Key.UP,
    "OA": Key.UP,
    "[B": Key.DOWN,
    "OB": Key.DOWN,
    "[5~": Key.PAGE_UP,
    "[6~": Key.PAGE_DOWN,
    "[H": Key.HOME,
    "OH": Key.HOME,
    "[1~": Key.HOME,
    "[7~": Key.HOME,
    "[F": Key.END,
    "OF": Key.END,
    "[4~": Key.END,
    "[8~": Key.END,
}
_CONTROLS: Mapping[str, Key] = {
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x0c": Key.REDRAW,
}
# The longest sequence of ours has 4; what is longer is noise.
_LONGEST = 32


@define
class KeyReader:
    """Puts keys together; what is not whole yet waits.

    Attributes:
        pending: The beginning of a sequence.
    """

    pending: str = ""

    def feed(self, data: bytes) -> tuple[Press, ...]:
        """Return the keys that are whole with *data*."""
        # A letter of more than one byte is none of ours: its bytes are dropped.
        text = self.pending + data.decode("ascii", "replace")
        self.pending = ""
        return tuple(self._keys(text))

    def flush(self) -> tuple[Press, ...]:
        """Return the Escape that was waited with: nothing came after it."""
        alone, self.pending = self.pending == _ESCAPE, ""
        return (Key.ESCAPE,) if alone else ()

    def _keys(self, text: str) -> Iterator[Press]:
        while text:
            length = _length(text)
            if length is None:
                self.pending = text[:_LONGEST]
                return
            key = _key(text[:length])
            if key is not None:
                yield key
            text = text[length:]


def _length(text: str) -> int | None:
    """Return how long the first key of *text* is; None: it isn't whole."""
    if not text.startswith(_ESCAPE):
        return 1
    if len(text) == 1:
        return None
    if text[1] not in _INTRODUCERS:
        # Two Escapes are two; with a letter it is that letter with Alt.
        return 1 if text[1] == _ESCAPE else 2
    for place, character in enumerate(text[2:_LONGEST], start=2):
        if _is_final(character):
            return place + 1
    return None if len(text) < _LONGEST else _LONGEST


def _is_final(character: str) -> bool:
    # ECMA-48 5.4 - parameters are 03/00 to 03/15, final bytes 04/00 to 07/14.
    return "@" <= character <= "~"


@cache
def _key(text: str) -> Press | None:
    if text == _ESCAPE:
        return Key.ESCAPE
    if text.startswith(_ESCAPE):
        return _SEQUENCES.get(text[1:])
    if text in _CONTROLS:
        return _CONTROLS[text]
    return text if text.isascii() and text.isprintable() else None
