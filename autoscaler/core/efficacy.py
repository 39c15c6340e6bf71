"""Whether clones help: one that gets no work tells that more would not.

A mean that stays high proves nothing by itself, for the demand may be larger
still.  A clone that idles, on its CPU and on its network, beside members that
have too much to do proves that nothing is routed to it.
"""

from collections.abc import Iterator
from statistics import median

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.case import Case
from autoscaler.core.decision import MemberClass
from autoscaler.core.standing import NEVER_HEARD

# Less than so much of what its siblings do is no share of the work.
NO_SHARE = 0.25


@frozen
class Idle:
    """Clones that get no work.

    Attributes:
        counted: Each with for how many conclusive ticks in a row.
        proven: Those for whom that is long enough, newest last.
        evidence: In words; None where nothing is proven.
    """

    counted: tuple[tuple[Name, int], ...] = ()
    proven: tuple[Name, ...] = ()
    evidence: str | None = None


@frozen
class _Work:
    """What one member does: percent of its CPUs, and packets in a second."""

    name: Name
    usage: float
    packets: float


NOBODY = Idle()


def count_idle(case: Case) -> Idle:
    """Return the clones that get no work while the others have too much."""
    threshold = case.group.policy.scale_up_threshold_percent
    mean = case.load.mean_up
    if mean is None or max(s.usage or 0.0 for s in case.load.standings) <= threshold:
        return NOBODY
    everybody = tuple(_everybody(case))
    idle = tuple(work for work in everybody if _is_idle(work, everybody, case))
    busy = [work.usage for work in everybody if work not in idle]
    if not idle or sum(busy) <= threshold * len(busy):
        return NOBODY
    before = dict(case.ticks.idle)
    counted = tuple((work.name, before.get(work.name, 0) + 1) for work in idle)
    needed = case.group.policy.scale_up_trigger_ticks
    proven = tuple(
        work for work, (_, k) in zip(idle, counted, strict=True) if k >= needed
    )
    if not proven:
        return Idle(counted)
    worst = proven[-1]
    evidence = (
        f"{worst.name} uses {worst.usage:.1f} % and moves {worst.packets:.1f} packets "
        f"a second, beside {sum(busy) / len(busy):.1f} % of those that work"
    )
    return Idle(counted, tuple(work.name for work in proven), evidence)


def _everybody(case: Case) -> Iterator[_Work]:
    for standing in case.load.standings:
        if standing.counts_as is MemberClass.FRESH and standing.usage is not None:
            track = case.view.tracks.get(standing.name, NEVER_HEARD)
            packets = track.traffic.rate or 0.0
            yield _Work(standing.name, standing.usage, packets)


def _is_idle(work: _Work, everybody: tuple[_Work, ...], case: Case) -> bool:
    siblings = [other for other in everybody if other is not work]
    if work.name == case.group.id.primary or not siblings:
        return False
    # Without interfaces nobody moves packets: then these say nothing.
    return work.usage < NO_SHARE * median(
        other.usage for other in siblings
    ) and work.packets < NO_SHARE * median(other.packets for other in siblings)
