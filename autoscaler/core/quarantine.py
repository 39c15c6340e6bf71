"""What becomes of a group's addresses when those who held them are gone."""

from collections.abc import Iterator

from attrs import evolve

from autoscaler.core.doubts import DOUBT_S
from autoscaler.core.group import Group
from autoscaler.core.leases import Rest


def let_rest(before: Group, after: Group, now: float) -> Group:
    """Return *after*; what it held *before* and holds no more rests."""
    resting, held = after.ledger.resting, dict(held_by(after))
    was = held if before is after else dict(held_by(before))
    if not resting and was.keys() <= held.keys():
        return after
    # One that was in doubt and has turned up holds its address again.
    kept = tuple(r for r in resting if r.left(now) and r.address not in held)
    known = held.keys() | {rest.address for rest in kept}
    gone = {a: number for a, number in was.items() if a not in known}
    new = (Rest(a, now, _length(after, number, now)) for a, number in gone.items())
    kept = (*kept, *(rest for rest in new if rest.left(now)))
    if kept == resting:
        return after
    return evolve(after, ledger=evolve(after.ledger, resting=kept))


def rested_in(group: Group, now: float) -> float | None:
    """Return in how many seconds the next address is free; None: none rests."""
    return min((rest.left(now) for rest in group.ledger.resting), default=None)


def held_by(group: Group) -> Iterator[tuple[str, int]]:
    """Yield each address that is held, and the number of its clone."""
    for clone in group.clones:
        if clone.address is not None:
            yield clone.address, clone.number or 0
    for slot in group.ledger.slots:
        if slot.address is not None:
            yield slot.address, slot.number


def _length(group: Group, number: int, now: float) -> float:
    doubts = group.ledger.doubts
    if any(doubt.number == number and doubt.is_open(now) for doubt in doubts):
        return DOUBT_S
    return group.policy.address_quarantine
