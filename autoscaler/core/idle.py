"""Whether anybody asks for a group: how long it has been idle.

A group is idle while no request is worked on, none waits, and none has ended
since the answer before.  What can't be told is no idleness: without an answer
of the balancer the clock begins anew.
"""

from attrs import field, frozen
from attrs.validators import ge

from autoscaler.core.backend import Backend


@frozen(kw_only=True)
class IdlePolicy:
    """When an idle group rests; durations in seconds.

    Attributes:
        idle_to_min: After so long it has its fewest members, but one.
        idle_to_zero: After so long it has none, where its fewest are none.
        min_age: Younger members stay, whatever is asked of them.

    Raises:
        ValueError: A number is out of its range, or two contradict each other.
    """

    idle_to_min: float = field(default=30.0, validator=ge(0))
    idle_to_zero: float = field(default=300.0, validator=ge(0))
    min_age: float = field(default=30.0, validator=ge(0))

    def __attrs_post_init__(self) -> None:
        if self.idle_to_zero < self.idle_to_min:
            msg = (
                f"idle_to_zero ({self.idle_to_zero:g} s) must not be shorter than "
                f"idle_to_min ({self.idle_to_min:g} s)"
            )
            raise ValueError(msg)


@frozen
class Quiet:
    """Since when nobody has asked for a group.

    Attributes:
        since: Monotonic seconds; None: somebody asks, or it isn't known.
        ended: How many requests had ended by the last answer.
        epoch: Of the balancer's counters then; None: there was no answer.
    """

    since: float | None = None
    ended: int = 0
    epoch: str | None = None


def listen(quiet: Quiet, backend: Backend | None) -> Quiet:
    """Return *quiet* after one more answer of the balancer.

    Arguments:
        quiet: What was known before.
        backend: The answer; None: there is none that is young enough.
    """
    if backend is None:
        return Quiet()
    if backend.in_flight or backend.queued:
        return Quiet(None, backend.ended, backend.epoch)
    is_same = quiet.epoch == backend.epoch and quiet.ended == backend.ended
    since = quiet.since if is_same and quiet.since is not None else backend.at
    return Quiet(since, backend.ended, backend.epoch)


def idle_for(quiet: Quiet, ready_at: float | None, now: float) -> float | None:
    """Return for how many seconds a group has been idle, None if it is not.

    Arguments:
        quiet: Since when nobody has asked for it.
        ready_at: When its newest member became ready: nobody could ask before.
        now: Monotonic seconds.
    """
    if quiet.since is None or ready_at is None:
        return None
    return max(0.0, now - max(quiet.since, ready_at))
