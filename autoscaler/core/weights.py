"""How much of the work each member of a group should get, by what it uses.

A member that uses less than the others gets more: its weight falls with the
smoothed mean of its CPU, memory and network.  That is slow on purpose, for work
moves to where the weight is; and it stays within bounds, so that nobody starves
and nobody is flooded.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from attrs import field, frozen
from attrs.validators import ge, le

from autoscaler.core.decision import MemberClass
from autoscaler.core.group import Group, Member
from autoscaler.core.serving import WeightPolicy
from autoscaler.core.standing import classify
from autoscaler.core.view import View

LEAST, MOST = 10, 100
# Smaller changes are not worth a word to the balancer.
NOTABLE = 5
# Who wasn't heard for so many intervals is weighed like a new one.
KEPT_INTERVALS = 3
PAGE_BYTES = 4096
MB = 1024 * 1024


@frozen
class Score:
    """What one member uses.

    Attributes:
        load: 0 to 1, smoothed.
        at: When the last reading was received, monotonic seconds.
        weight: What it had from then on.
    """

    load: float = field(validator=(ge(0), le(1)))
    at: float
    weight: int


Scores = Mapping[str, Score]
NO_SCORES: Scores = MappingProxyType({})


@frozen
class _Reading:
    label: str
    at: float
    cpu: float
    memory: float
    packets: float


def weigh(
    scores: Scores, policy: WeightPolicy, group: Group, view: View, now: float
) -> Scores:
    """Return *scores* of the clones of *group*, by label, with what is new.

    A member of which nothing new was heard keeps its weight for a while, and
    has none after that.
    """
    readings = tuple(_readings(group, view, now))
    busiest = max((reading.packets for reading in readings), default=0.0)
    oldest = now - KEPT_INTERVALS * view.feed.rhythm.reckoned
    labels = {clone.name.label for clone in group.clones}
    kept = {k: s for k, s in scores.items() if k in labels and s.at >= oldest}
    for reading in readings:
        before = kept.get(reading.label)
        if before is None or before.at < reading.at:
            kept[reading.label] = _scored(before, reading, policy, busiest)
    return kept


def _scored(
    before: Score | None, reading: _Reading, policy: WeightPolicy, busiest: float
) -> Score:
    network = reading.packets / busiest if busiest else 0.0
    total = policy.cpu + policy.memory + policy.network
    load = (
        policy.cpu * reading.cpu
        + policy.memory * reading.memory
        + policy.network * network
    ) / total
    if before is not None:
        load = policy.smoothing * load + (1 - policy.smoothing) * before.load
    # A float's last bit must not leave the range.
    load = min(1.0, max(0.0, load))
    weight = max(LEAST, min(MOST, round(MOST * (1 - load))))
    if before is not None and abs(weight - before.weight) < NOTABLE:
        weight = before.weight
    return Score(load, reading.at, weight)


def _readings(group: Group, view: View, now: float) -> Iterator[_Reading]:
    for clone in group.clones:
        if classify(group, clone, view, now) is MemberClass.FRESH:
            reading = _reading(clone, view)
            if reading is not None:
                yield reading


def _reading(clone: Member, view: View) -> _Reading | None:
    track, info = view.tracks.get(clone.name), view.info(clone.name)
    if track is None or track.sample is None or track.heard is None or info is None:
        return None
    pages = track.sample.rss_pages or 0
    return _Reading(
        label=clone.name.label or "",
        at=track.heard.at,
        cpu=(clone.usage or 0.0) / 100,
        memory=min(1.0, pages * PAGE_BYTES / (max(1, info.memory) * MB)),
        packets=track.traffic.rate or 0.0,
    )
