"""A place in a JSON value, which knows its path for the sake of errors."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NoReturn, TypeVar, Union

from attrs import frozen

Json = Union[  # noqa: UP007 - a recursive alias needs the quoted form
    None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]
]
T = TypeVar("T")

# No repeated group: of an image that would take a hundred times its memory.
_HEX: Final = re.compile(r"[0-9a-fA-F]*", re.ASCII)
_SHOWN: Final = 40
_SHOWN_BITS: Final = 128


@frozen
class Cursor:
    """One value within a JSON value.

    Attributes:
        value: As `json.loads` gives it.
        path: How it is reached from the whole, ``$``.
    """

    value: object
    path: str = "$"

    def fail(self, allowed: str) -> NoReturn:
        """Refuse the value.

        Raises:
            ValueError: Always: with the path, the value and what is *allowed*.
        """
        msg = f"{self.path}: {_show(self.value)} where {allowed} is expected"
        raise ValueError(msg)

    def attempt(self, make: Callable[[], T]) -> T:
        """Return what *make* makes of the value; add the path to its error.

        Raises:
            ValueError: *make* raised one.
        """
        try:
            return make()
        except ValueError as error:
            msg = f"{self.path}: {error}"
            raise ValueError(msg) from error

    def record(self, *names: str) -> Mapping[str, "Cursor"]:
        """Return the members of an object with exactly these *names*."""
        if not isinstance(self.value, dict) or self.value.keys() != set(names):
            self.fail("an object with " + ", ".join(map(repr, names)))
        return {
            name: Cursor(value, f"{self.path}.{name}")
            for name, value in self.value.items()
        }

    def alternative(self, names: Collection[str]) -> tuple[str, "Cursor"]:
        """Return name and value of the only member of an object."""
        if (
            not isinstance(self.value, dict)
            or len(self.value) != 1
            or not self.value.keys() <= set(names)
        ):
            self.fail("an object with one of " + ", ".join(map(repr, names)))
        ((name, value),) = self.value.items()
        return name, Cursor(value, f"{self.path}.{name}")

    def items(self, read: Callable[["Cursor"], T]) -> tuple[T, ...]:
        """Return each item of a list, read with *read*."""
        if not isinstance(self.value, list):
            self.fail("a list")
        return tuple(
            read(Cursor(item, f"{self.path}[{index}]"))
            for index, item in enumerate(self.value)
        )

    def optional(self, read: Callable[["Cursor"], T]) -> T | None:
        """Return None for null, else the value read with *read*."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """Return a string that has a form in UTF-8, foreign bytes included."""
        if not isinstance(self.value, str) or not _is_writable(self.value):
            self.fail("a string of Unicode")
        return self.value

    def integer(self) -> int:
        """Return a whole number that fits into an INTEGER."""
        return self._number(62)

    def counter(self) -> int:
        """Return a whole number that fits into a 64-bit counter."""
        return self._number(63)

    def _number(self, bits: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.fail("a whole number")
        if not -1 << bits <= self.value < 1 << bits:
            self.fail(f"a whole number from -2^{bits} to 2^{bits} - 1")
        return self.value

    def boolean(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.fail("true or false")
        return self.value

    def octets(self) -> bytes:
        """Return the bytes of a string of hexadecimal digits."""
        if (
            not isinstance(self.value, str)
            or len(self.value) % 2
            or _HEX.fullmatch(self.value) is None
        ):
            self.fail("an even number of hexadecimal digits")
        return bytes.fromhex(self.value)


def _is_writable(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _show(value: object) -> str:
    """Return *value* in a few words; what is nested may be huge."""
    match value:
        case dict():
            names = ", ".join(repr(name) for name in list(value)[:3])
            return f"an object with {names}"[:_SHOWN] if value else "an empty object"
        case list():
            return f"a list of {len(value)}"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return ascii(value[:_SHOWN])
        case int():
            # It may have more digits than Python writes.
            bits = value.bit_length()
            return str(value) if bits <= _SHOWN_BITS else f"a number of {bits} bits"
        case _:
            return str(value)[:_SHOWN]
