"""Addresses rest after they were held, before they are given to another.

Who has just gone may still be spoken to: by a balancer, by a cache of names, by
whoever has a connection.  An address whose create is in doubt rests for as long
as the command may still have an effect.
"""

from collections.abc import Collection, Iterable
from ipaddress import ip_address

from attrs import frozen

from albatross_client.values import Info
from autoscaler.core.addresses import AddressPool


@frozen
class Rest:
    """An address that is nobody's, and not given out yet.

    Attributes:
        address: Which one.
        since: When it was let go.
        length: Seconds from *since* on.
    """

    address: str
    since: float
    length: float

    def left(self, now: float) -> float:
        """Return for how many seconds it still rests."""
        return max(0.0, self.since + self.length - now)


def lease_of(info: Info, pool: AddressPool, taken: Collection[str]) -> str | None:
    """Return which address of *pool* a unikernel has, by its arguments.

    Arguments:
        info: What its host says of it.
        pool: Where it may come from.
        taken: What others hold.
    """
    found = (a for a in mentioned((info,)) if a in pool and a not in taken)
    return min(found, default=None)


def mentioned(infos: Iterable[Info]) -> frozenset[str]:
    """Return all addresses that arguments mention, whoever gave them."""
    return frozenset(
        address
        for info in infos
        for argument in info.argv or ()
        for word in argument.replace("=", " ").replace("/", " ").split()
        if (address := _canonical(word)) is not None
    )


def _canonical(word: str) -> str | None:
    if "." not in word and ":" not in word:
        return None
    try:
        return str(ip_address(word))
    except ValueError:
        return None
