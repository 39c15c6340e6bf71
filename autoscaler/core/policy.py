"""When a group grows and shrinks, as its operator wants it.

Not to be mixed up with Albatross's own policies, which say what a domain may
use: those are `ResourcePolicy`.
"""

import enum

from attrs import Attribute, Factory, field, frozen
from attrs.validators import ge, gt, le

from autoscaler.core.addresses import AddressPool
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.serving import ServePolicy

# Twelve characters remain for "-clone-" and a number in a label of 63.
MAX_PRIMARY_LABEL = 50


def _percent(_policy: object, attribute: "Attribute[float]", value: float) -> None:
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        msg = f"{attribute.name} must be 0 to 100 percent, not {value:g}"
        raise ValueError(msg)


def _many(policy: "Policy") -> int:
    """Return how often a healthy group never acts; requests come in bursts."""
    return 40 if policy.requests is None else 400


_MANY: int = Factory(_many, takes_self=True)


class Mode(enum.Enum):
    """What may be done about a decision."""

    ACTIVE = "active"
    OBSERVE = "observe"
    PAUSED = "paused"

    def limited_by(self, other: "Mode") -> "Mode":
        """Return the more careful one of the two."""
        return max(self, other, key=list(Mode).index)


class Adopt(enum.Enum):
    """Which unikernels with a clone's name become ours without our record."""

    SAME_IMAGE = "same-image"
    ALWAYS = "always"
    NEVER = "never"


class OnPrimaryLoss(enum.Enum):
    """What becomes of the clones of a primary that is gone."""

    KEEP = "keep"
    DESTROY_CLONES = "destroy_clones"


@frozen(kw_only=True)
class Policy:
    """When a group grows and shrinks; durations in seconds, usage in percent.

    Attributes:
        max_clones: Most clones beside the primary.
        min_clones: Fewest clones, whatever the load.
        mode: What may be done about decisions.
        scale_up: Whether the group may be made larger.
        scale_down: Whether the group may be made smaller.
        poll_interval: At most one tick in this time.
        scale_up_threshold_percent: A mean above it makes a high tick.
        scale_up_trigger_ticks: Consecutive high ticks before clones are added.
        scale_up_step: Most clones added at once.
        scale_down_threshold_percent: A mean below it makes a low tick.
        scale_down_trigger_ticks: Consecutive low ticks before one is removed.
        flap_margin: Points that the mean after a removal stays below the up
            threshold.
        cooldown_up: Pause after an action before high ticks count.
        cooldown_down: Pause after an action before low ticks count.
        warmup: How long a member's usage says nothing after its start.
        death_timeout: How long a listed member may be silent.
        boot_timeout: How long a new clone may take to its first frame.
        quorum: Share of the members that must report.
        outage_fraction: When more of a host's members, in percent, restart or
            fall silent within one interval, low usage proves nothing.
        outage_hold: For how long a suspected outage keeps clones at most.
        requests: How requests drive its size; None: they don't.
        serving: How its members get their requests; None: without our doing.
        max_actions_per_hour: More of them make the group stand down; 40, and
            400 where requests drive it.
        max_reversals_per_6h: More turns between growing and shrinking within
            6 hours make the group stand down; likewise 40 or 400.
        max_failures_in_row: As many make the group stand down.
        stand_down: How long a group that has stood down only observes.
        roll_back_useless: Whether a clone that gets no work is removed again.
        min_stable: How long a clone of a new image runs without a restart
            before an old one goes.
        on_primary_loss: What becomes of the clones of a primary that is gone.
        adopt: Which unikernels with a clone's name become ours.
        argument_template: Arguments of clones, with ``{name}``, ``{index}`` and
            ``{address}``; one of the same ``--key=`` replaces the primary's.
        address_pool: Where ``{address}`` comes from.
        address_quarantine: How long an address is nobody's after it was held.
        share_cpuids: Whether clones may be pinned beside a sibling.
        share_block_devices: Whether clones open the primary's block devices.

    Raises:
        ValueError: A number is out of its range, or two contradict each other.
    """

    max_clones: int = field(validator=ge(0))
    min_clones: int = field(default=0, validator=ge(0))
    mode: Mode = Mode.ACTIVE
    scale_up: bool = True
    scale_down: bool = True
    poll_interval: float = field(default=10.0, validator=gt(0))
    scale_up_threshold_percent: float = field(default=90.0, validator=_percent)
    scale_up_trigger_ticks: int = field(default=3, validator=ge(1))
    scale_up_step: int = field(default=1, validator=ge(1))
    scale_down_threshold_percent: float = field(default=40.0, validator=_percent)
    scale_down_trigger_ticks: int = field(default=5, validator=ge(1))
    flap_margin: float = field(default=5.0, validator=_percent)
    cooldown_up: float = field(default=60.0, validator=ge(0))
    cooldown_down: float = field(default=300.0, validator=ge(0))
    warmup: float = field(default=30.0, validator=ge(0))
    death_timeout: float = field(default=900.0, validator=gt(0))
    boot_timeout: float = field(default=60.0, validator=gt(0))
    quorum: float = field(default=0.5, validator=(gt(0), le(1)))
    outage_fraction: float = field(default=45.0, validator=_percent)
    outage_hold: float = field(default=600.0, validator=ge(0))
    requests: RequestPolicy | None = None
    serving: ServePolicy | None = None
    max_actions_per_hour: int = field(default=_MANY, validator=ge(1))
    max_reversals_per_6h: int = field(default=_MANY, validator=ge(1))
    max_failures_in_row: int = field(default=5, validator=ge(1))
    stand_down: float = field(default=3600.0, validator=gt(0))
    roll_back_useless: bool = False
    min_stable: float = field(default=30.0, validator=ge(0))
    on_primary_loss: OnPrimaryLoss = OnPrimaryLoss.KEEP
    adopt: Adopt = Adopt.SAME_IMAGE
    argument_template: tuple[str, ...] = ()
    address_pool: AddressPool | None = None
    address_quarantine: float = field(default=60.0, validator=ge(0))
    share_cpuids: bool = False
    share_block_devices: bool = False

    def __attrs_post_init__(self) -> None:
        if self.min_clones > self.max_clones:
            msg = (
                f"min_clones ({self.min_clones}) must be at most "
                f"max_clones ({self.max_clones})"
            )
            raise ValueError(msg)
        if self.scale_down_threshold_percent + 10 > self.scale_up_threshold_percent:
            msg = (
                f"scale_down_threshold_percent ({self.scale_down_threshold_percent:g})"
                " must be at least 10 below scale_up_threshold_percent "
                f"({self.scale_up_threshold_percent:g})"
            )
            raise ValueError(msg)
