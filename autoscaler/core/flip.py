"""The nearest flip: which action a group is nearest to, and all that it lacks.

Where a rule has decided to act and a gate holds that, only the gate is missing.
Where the operator's least and most clones call for an action, the load isn't
asked.  Else the load is nearest to the threshold that its mean is nearest to.
"""

from collections.abc import Mapping

from attrs import frozen

from autoscaler.core.decision import Decision, Outcome, Reason
from autoscaler.core.guards import OF_LOAD, SIDES, Guard, Kind

# What a gate has held was to do this.
_BARRED: Mapping[Reason, Outcome] = {
    Reason.HIGH: Outcome.UP,
    Reason.BELOW_MIN: Outcome.UP,
    Reason.WAKE: Outcome.UP,
    Reason.ROLLOUT: Outcome.REPLACE,
    Reason.GIVEN_UP: Outcome.REPLACE,
    Reason.OPERATOR: Outcome.HOLD,
}
# These hold only what makes a group smaller, whatever it was.
_ON_SHRINKING = frozenset({Reason.CONTESTED, Reason.SUSPECTED_OUTAGE})
_GATES = frozenset(
    {
        *(Kind.SCALE_UP, Kind.SCALE_DOWN, Kind.STATE, Kind.STAND_DOWN),
        *(Kind.CONTEST, Kind.OUTAGE),
    }
)
# Reasons that are about one way, however far away the other is.
_ABOUT: Mapping[Reason, Outcome] = {
    **dict.fromkeys((Reason.NO_EFFECT, Reason.AT_MAX), Outcome.UP),
    Reason.STANDBY_UNREADY: Outcome.UP,
    **dict.fromkeys((Reason.AT_MIN, Reason.WOULD_FLAP), Outcome.DOWN),
    **dict.fromkeys((Reason.MISSING, Reason.FALLING), Outcome.DOWN),
    Reason.NO_ACTIVATOR: Outcome.DOWN,
    Reason.IMAGE_UNHEALTHY: Outcome.REPLACE,
}


@frozen
class Flip:
    """What would have to change for a group to act.

    Attributes:
        aim: What it is nearest to; to hold: nothing is aimed at.
        lacks: What stands in the way; none: it acts.
        room: How many clones there are beside how many there may be; None: it
            isn't about more of them.
    """

    aim: Outcome
    lacks: tuple[Guard, ...]
    room: Guard | None = None


def find_flip(decision: Decision, guards: tuple[Guard, ...]) -> Flip:
    """Return the flip that the group of *decision* is nearest to."""
    by_kind = {guard.kind: guard for guard in guards}
    aim = _aim(decision, by_kind)
    held = [g for g in guards if g.holds and _stands_in_way(g.kind, aim)]
    room = by_kind[Kind.MAX_CLONES] if aim is Outcome.UP else None
    return Flip(aim, tuple(g for g in held if _counts(g, decision, by_kind)), room)


def _stands_in_way(kind: Kind, aim: Outcome) -> bool:
    # One clone in the place of another needs room too.
    is_room = kind is Kind.CAPACITY and aim is Outcome.REPLACE
    return is_room or SIDES.get(kind, aim) is aim


def _aim(decision: Decision, guards: Mapping[Kind, Guard]) -> Outcome:
    if decision.acts:
        return decision.outcome
    if decision.barred is not None:
        return _held(decision, decision.barred, guards)
    if guards[Kind.PRIMARY].holds:
        # Then nothing is decided about load.
        return Outcome.HOLD
    if decision.clones < decision.min_clones:
        return Outcome.UP
    if decision.total > decision.max_clones:
        return Outcome.DOWN
    about = _ABOUT.get(decision.reason)
    if decision.reason is Reason.NO_ADDRESS:
        # Where the load calls for none, it is a new image that needs one.
        is_new_image = bool(decision.outdated) and not decision.high
        about = Outcome.REPLACE if is_new_image else Outcome.UP
    if about is not None:
        return about
    is_least = guards[Kind.MIN_CLONES].holds
    nearer = Outcome.DOWN if _is_nearer_down(decision, guards) else Outcome.UP
    return Outcome.UP if is_least else nearer


def _held(decision: Decision, barred: Reason, guards: Mapping[Kind, Guard]) -> Outcome:
    """Return what would happen, were it not for a gate."""
    if decision.reason in _ON_SHRINKING:
        return Outcome.DOWN
    if decision.reason is Reason.SWITCHED_OFF and not guards[Kind.SCALE_UP].holds:
        return Outcome.DOWN
    return _BARRED.get(barred, Outcome.DOWN)


def _is_nearer_down(decision: Decision, guards: Mapping[Kind, Guard]) -> bool:
    call = guards.get(Kind.CALL)
    if call is not None:
        # Nothing tells whether more are wanted: fewer is what silence holds.
        return decision.wanted is None or decision.wanted < decision.load.capacity
    up = _distance(guards[Kind.MEAN_UP], -1)
    down = _distance(guards[Kind.MEAN_DOWN], 1)
    flap = guards.get(Kind.FLAP)
    if up is None or down is None:
        return False
    return max(down, 0.0 if flap is None else _distance(flap, 1) or 0.0) < up


def _distance(guard: Guard, sign: int) -> float | None:
    """Return by how many points a mean is on the wrong side of its limit."""
    if guard.value is None or guard.limit is None:
        return None
    return max(0.0, sign * (guard.value - guard.limit))


def _counts(guard: Guard, decision: Decision, guards: Mapping[Kind, Guard]) -> bool:
    """Tell whether *guard*, which holds, is what this decision lacks."""
    if decision.acts:
        return guard.kind is Kind.MODE
    if decision.barred is not None:
        return guard.kind in _GATES
    if guards[Kind.PRIMARY].holds:
        return guard.kind in {Kind.PRIMARY, Kind.MODE}
    if decision.reason in _ALONE:
        return guard.kind is _ALONE[decision.reason]
    if not decision.is_within or decision.reason is Reason.IMAGE_UNHEALTHY:
        return guard.kind not in OF_LOAD
    # Without a quorum there is no mean that could be told.
    return not (guard.value is None and guard.kind in _MEANS)


# Whatever else holds is of no account beside these.
_ALONE: Mapping[Reason, Kind] = {
    Reason.NO_EFFECT: Kind.EFFECT,
    Reason.NO_ADDRESS: Kind.CAPACITY,
    Reason.NO_ACTIVATOR: Kind.ACTIVATOR,
}
_MEANS = frozenset({Kind.MEAN_UP, Kind.MEAN_DOWN})
