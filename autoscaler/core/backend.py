"""What a load balancer tells of one group, and what it may be told.

A *backend* is the balancer's name for all that serve one group, a *server* one
of them.  Servers are the balancer's word; members are ours: the two are kept
alike by comparing them again and again, never by remembering what was sent.
"""

import enum
from collections.abc import Mapping

from attrs import field, frozen


class Duty(enum.Enum):
    """What a server is told to do."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


class Health(enum.Enum):
    """What checks say of a server.

    A server that was never checked is no healthy one, whatever a balancer
    makes of it.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNPROVEN = "unproven"


@frozen(kw_only=True)
class Server:
    """One server as the balancer shows it.

    Attributes:
        name: The balancer's name for it.
        address: Where it listens; empty: the balancer tells none.
        port: Likewise, 0 where it is not told.
        duty: What it was told to do.
        health: What checks say.
        sessions: How many it works on now.
        weight: Its share beside the others, percent of a full one.
        is_backup: Whether it only serves where no other one does.
    """

    name: str
    address: str
    port: int
    duty: Duty
    health: Health
    sessions: int = 0
    weight: float = 100.0
    is_backup: bool = False

    @property
    def serves(self) -> bool:
        """Whether it gets new work, as far as is proven."""
        return self.duty is Duty.READY and self.health is Health.PASSED


@frozen(kw_only=True)
class Backend:
    """All servers of a group, at one time.

    Attributes:
        at: When the balancer answered, monotonic seconds.
        epoch: Changes when the balancer's counters begin anew.
        servers: By name.
        in_flight: Requests that servers work on.
        queued: Requests that wait for a server.
        ended: Requests that have ended, since the counters began.
        queue_ms: How long the last ones waited, mean; None: not told.
    """

    at: float
    epoch: str = ""
    servers: Mapping[str, Server] = field(factory=dict)
    in_flight: int = 0
    queued: int = 0
    ended: int = 0
    queue_ms: float | None = None
