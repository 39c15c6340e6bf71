"""What a load balancer tells of one group, and what it may be told.

A *backend* is the balancer's name for all that serve one group, a *server* one
of them.  Servers are the balancer's word; members are ours: the two are kept
alike by comparing them again and again, never by remembering what was sent.
"""

import enum
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Self

from attrs import field, frozen

LAST_PORT = 65_535
# An IPv6 address may carry a zone ("fe80::1%eth0"), and a zone any character:
# none may reach a balancer, for which some of them are commands.
_DIGITS = re.compile(r"[0-9A-Fa-f.:]+")


class Duty(enum.Enum):
    """What a server is told to do.

    One that drains is still checked, and gets no new work; one in maintenance
    isn't checked: nobody knows whether it would work.
    """

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


class Health(enum.Enum):
    """What checks say of a server.

    A server that was never checked is no healthy one, whatever a balancer
    makes of it.  One that fails now and then, and whose balancer has not given
    it up, is unproven too.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNPROVEN = "unproven"


def _canonical(address: str) -> str:
    if not _DIGITS.fullmatch(address):
        msg = (
            f"{address!r} is no IP address: names are resolved by us, not by balancers"
        )
        raise ValueError(msg)
    return str(ip_address(address))


@frozen(order=True)
class Place:
    """Where a server listens.

    Attributes:
        address: An IP address, in its shortest form.
        port: 1 to 65535.

    Raises:
        ValueError: There can't be a server.
    """

    address: str = field(converter=_canonical)
    port: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.port <= LAST_PORT:
            msg = f"{self.port} is no port: 1 to {LAST_PORT} are"
            raise ValueError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``10.0.42.10:80`` or ``[fd00::1]:80``.

        Raises:
            ValueError: *text* is no such place.
        """
        address, colon, port = text.rpartition(":")
        is_bracketed = address.startswith("[") and address.endswith("]")
        # IPv6 has colons of its own: without brackets nobody knows the port.
        is_clear = is_bracketed or ":" not in address
        if not (colon and is_clear and port.isascii() and port.isdecimal()):
            msg = f"{text!r} is no place such as 10.0.42.10:80 or [fd00::1]:80"
            raise ValueError(msg)
        return cls(address[1:-1] if is_bracketed else address, int(port))

    def __str__(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}"


@frozen(kw_only=True)
class Server:
    """One server as the balancer shows it.

    Attributes:
        name: The balancer's name for it.
        address: Where it listens, an address or a name, as the balancer tells
            it; empty: this kind of balancer tells none.
        port: Likewise, 0 where it is not told.
        duty: What it was told to do.
        health: What checks say.
        sessions: How many requests (in mode tcp: connections) it works on now,
            and how many wait for it alone.
        ended: Requests that have ended there, since the counters began.
        weight: Its share beside the others, as the balancer counts; None: not
            told.
        limit: How many it works on at most, others wait; None: no limit.
        is_backup: Whether it only serves where no other one does.
    """

    name: str
    address: str
    port: int
    duty: Duty
    health: Health
    sessions: int = 0
    ended: int = 0
    weight: float | None = None
    limit: int | None = None
    is_backup: bool = False

    @property
    def serves(self) -> bool:
        """Whether it gets new work, as far as is proven."""
        return self.duty is Duty.READY and self.health is Health.PASSED

    @property
    def place(self) -> Place | None:
        """Where it listens; None: at no address that we could have given."""
        try:
            return Place(self.address, self.port)
        except ValueError:
            return None


@frozen(kw_only=True)
class Backend:
    """All servers of a group, at one time.

    Attributes:
        at: When the balancer answered, monotonic seconds.
        epoch: Changes when the balancer's counters begin anew.
        up_s: How long its process has run, seconds; None: not told.  What a
            process before it still works on is in no number here: an HAProxy
            that is reloaded lets its old process end its requests, unseen.
        servers: By name, in the balancer's order.
        in_flight: Requests that servers work on, backup servers included.
        queued: Requests that wait for a server.
        ended: Requests that have ended, since the counters began; in mode tcp
            connections that have begun.  Less than before in the same epoch:
            somebody has cleared the counters.
        queue_ms: How long those wait that wait now, mean; 0 where none does;
            None: not told.
    """

    at: float
    epoch: str = ""
    up_s: float | None = None
    servers: Mapping[str, Server] = field(factory=dict)
    in_flight: int = 0
    queued: int = 0
    ended: int = 0
    queue_ms: float | None = None
