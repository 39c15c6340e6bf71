"""Addresses for clones: a range that the operator sets aside."""

from collections.abc import Container
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self

from attrs import frozen

Address = IPv4Address | IPv6Address


@frozen
class AddressPool:
    """All addresses from *first* to *last*, both included.

    Raises:
        ValueError: The two are of different families or in the wrong order.
    """

    first: Address
    last: Address

    def __attrs_post_init__(self) -> None:
        if self.first.version != self.last.version or int(self.first) > int(self.last):
            msg = (
                f"{self} is no range of addresses: the first must not be above the last"
            )
            raise ValueError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``first-last``.

        Raises:
            ValueError: *text* is no such range.
        """
        first, dash, last = text.partition("-")
        if not dash:
            msg = f"{text!r} is no range of addresses such as 10.0.42.10-10.0.42.60"
            raise ValueError(msg)
        return cls(ip_address(first.strip()), ip_address(last.strip()))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def overlaps(self, other: "AddressPool") -> bool:
        """Tell whether an address is in both."""
        if self.first.version != other.first.version:
            return False
        return int(self.first) <= int(other.last) and int(other.first) <= int(self.last)

    def __contains__(self, text: str) -> bool:
        """Tell whether the address in *text* is one of these."""
        address = ip_address(text)
        if address.version != self.first.version:
            return False
        return int(self.first) <= int(address) <= int(self.last)

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return int(self.last) - int(self.first) + 1

    def first_free(self, taken: Container[str]) -> str | None:
        """Return the lowest address that is not *taken*, None when all are."""
        kind = type(self.first)
        return next(
            (
                text
                for number in range(int(self.first), int(self.last) + 1)
                if (text := str(kind(number))) not in taken
            ),
            None,
        )
