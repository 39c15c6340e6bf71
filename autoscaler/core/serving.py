"""How the members of a group get their requests, as the operator wants it."""

from attrs import field, frozen
from attrs.validators import ge

from autoscaler.core.backend import LAST_PORT, Place
from autoscaler.core.idle import IdlePolicy


@frozen(kw_only=True)
class ServePolicy:
    """What holds for a group with a balancer; durations in seconds.

    Attributes:
        port: Where each member listens, on its address.
        drain_timeout: How long a member that goes may take to end its work.
        activator: Where the balancer finds the daemon while no member serves;
            None: the group never sleeps.
        idle: When a group that nobody asks for rests; None: never.
        standby: How many members wait, booted and checked, without work.
        standby_min: As many of them stay, however long none was needed.
        standby_max_idle: When none was needed for so long, the others go.

    Raises:
        ValueError: A number is out of its range, or two contradict each other.
    """

    port: int
    drain_timeout: float = field(default=30.0, validator=ge(0))
    activator: Place | None = None
    idle: IdlePolicy | None = None
    standby: int = field(default=0, validator=ge(0))
    standby_min: int = field(default=0, validator=ge(0))
    standby_max_idle: float = field(default=600.0, validator=ge(0))

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.port <= LAST_PORT:
            msg = f"port must be 1 to {LAST_PORT}, not {self.port}"
            raise ValueError(msg)
        if self.standby_min > self.standby:
            msg = (
                f"standby_min ({self.standby_min}) must be at most "
                f"standby ({self.standby})"
            )
            raise ValueError(msg)
