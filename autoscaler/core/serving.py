"""How the members of a group get their requests, as the operator wants it."""

from attrs import Attribute, field, frozen
from attrs.validators import ge, gt, le

from autoscaler.core.backend import LAST_PORT, Place
from autoscaler.core.idle import IdlePolicy


def _share(_policy: object, attribute: "Attribute[float]", value: float) -> None:
    if not 0 <= value <= 1:
        msg = f"{attribute.name} must be 0 to 1, not {value:g}"
        raise ValueError(msg)


@frozen(kw_only=True)
class WeightPolicy:
    """What makes a member heavy; each 0 to 1.

    Attributes:
        cpu: How much its usage counts.
        memory: How much the share of its memory counts that is resident.
        network: How much its packets count, beside those of the busiest.
        smoothing: How much the newest reading counts beside all before it.

    Raises:
        ValueError: A number is out of its range, or nothing counts.
    """

    cpu: float = field(default=0.5, validator=_share)
    memory: float = field(default=0.3, validator=_share)
    network: float = field(default=0.2, validator=_share)
    smoothing: float = field(default=0.3, validator=(gt(0), le(1)))

    def __attrs_post_init__(self) -> None:
        if not self.cpu + self.memory + self.network:
            msg = "one of cpu, memory and network must be above 0: else nothing counts"
            raise ValueError(msg)


@frozen(kw_only=True)
class StandbyPolicy:
    """How many members stand by: booted and checked, and without work.

    Attributes:
        size: As many, where there is room beside those that serve.
        min: As many of them stay, however long none was needed.
        max_idle: When no member was added for so long, the others go, until
            one is; seconds.

    Raises:
        ValueError: A number is out of its range, or two contradict each other.
    """

    size: int = field(default=0, validator=ge(0))
    min: int = field(default=0, validator=ge(0))
    max_idle: float = field(default=600.0, validator=gt(0))

    def __attrs_post_init__(self) -> None:
        if self.min > self.size:
            msg = f"min ({self.min}) must be at most size ({self.size})"
            raise ValueError(msg)


@frozen(kw_only=True)
class ServePolicy:
    """What holds for a group with a balancer; durations in seconds.

    Attributes:
        port: Where each member listens, on its address.
        is_sought: Whether it has to be found out where members listen; if not,
            they do at the addresses that their pool gave them.
        drain_timeout: How long a member that goes may take to end its work.
        activator: Where the balancer finds the daemon while no member serves;
            None: the group never sleeps.
        idle: When a group that nobody asks for rests; None: never.
        weights: What makes a member heavy, so that it gets less of the work;
            None: the balancer's own affair.
        standby: How many members stand by.

    Raises:
        ValueError: A number is out of its range.
    """

    port: int
    is_sought: bool = False
    drain_timeout: float = field(default=30.0, validator=ge(0))
    activator: Place | None = None
    idle: IdlePolicy | None = None
    weights: WeightPolicy | None = None
    standby: StandbyPolicy = StandbyPolicy()

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.port <= LAST_PORT:
            msg = f"port must be 1 to {LAST_PORT}, not {self.port}"
            raise ValueError(msg)
