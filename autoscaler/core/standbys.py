"""Members that stand by: booted and checked, without work until it is needed.

They are no capacity, and yet take their part of what a group and its domain may
have.  Laws: only one that its balancer has just checked is given work; a member
that goes, or that has to prove its image first, is none.
"""

from collections.abc import Collection

from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.actions import DestroyClone, victim_of
from autoscaler.core.backend import Duty, Health, Server
from autoscaler.core.decision import Load, MemberClass, Reason
from autoscaler.core.group import Group, Member
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.places import server_of
from autoscaler.core.standing import NEVER_HEARD
from autoscaler.core.view import View


def find_wanted(group: Group, now: float) -> int:
    """Return how many members of *group* are to stand by."""
    serving, ledger = group.policy.serving, group.ledger
    if serving is None:
        return 0
    rules, asked = serving.standby, ledger.prewarm
    needed_at = now if ledger.needed_at is None else ledger.needed_at
    wanted = rules.size if now - needed_at < rules.max_idle else rules.min
    if asked is not None and now - asked.since < rules.max_idle:
        wanted = max(wanted, asked.count)
    return wanted


def staying(group: Group) -> tuple[Member, ...]:
    """Return the standbys that are not about to go."""
    leaving = {victim_of(action) for action in group.ledger.actions}
    return tuple(
        standby
        for standby in group.standbys
        if standby.name not in leaving and standby.name not in group.ledger.parting
    )


def count_staying(group: Group) -> int:
    """Return how many standbys there will be, those that are decided too."""
    upkeep = (action for action in group.ledger.actions if action.as_standby)
    return len(staying(group)) + sum(len(action.slots) for action in upkeep)


def is_making(group: Group) -> bool:
    """Tell whether a standby is on its way."""
    return any(
        action.as_standby and not isinstance(action, DestroyClone)
        for action in group.ledger.actions
    )


def find_ready(group: Group, view: View, load: Load) -> tuple[Member, ...]:
    """Return the standbys that could serve at once, the best ones first."""
    backend, serving = view.backend, group.policy.serving
    if backend is None or serving is None or not group.standbys:
        return ()
    barred = {*load.names(MemberClass.GIVEN_UP), _on_trial(group)}
    ready = (
        standby
        for standby in staying(group)
        if standby.name not in barred
        and _is_listed(standby, view)
        and _has_passed(server_of(standby, backend, serving))
    )
    return tuple(sorted(ready, key=lambda standby: standby.name in group.outdated))


def find_failing(
    group: Group, view: View, load: Load, now: float
) -> tuple[Member, ...]:
    """Return the standbys that could not serve, and had time to come."""
    given_up = load.names(MemberClass.GIVEN_UP)
    return tuple(
        standby
        for standby in staying(group)
        if standby.name in given_up
        or (_has_failed(group, standby, view) and not _boots(group, standby, now))
    )


def mourn(group: Group, before: Group, now: float) -> Group:
    """Return *group* with a pause where standbys have died since *before*.

    One that comes and dies again and again would be made without an end.
    """
    names = {clone.name for clone in group.clones}
    refilling = group.ledger.refilling
    if all(standby.name in names for standby in before.standbys):
        return group
    if refilling.left(now):
        return group
    paused = refilling.after_failure(b"", 1.0, now)
    return evolve(group, ledger=evolve(group.ledger, refilling=paused))


def refresh(group: Group, now: float, proven_s: float) -> Ledger:
    """Return the ledger of *group* with what time tells of standbys.

    Arguments:
        group: As it is now.
        now: Monotonic seconds.
        proven_s: How long a clone lives that proves its image.
    """
    ledger, serving = group.ledger, group.policy.serving
    size = 0 if serving is None else serving.standby.size
    if size and ledger.needed_at is None:
        ledger = evolve(ledger, needed_at=now)
    refilling = ledger.refilling
    # As long as it takes the next one to fail, and to prove that it lives.
    patience = refilling.length + group.policy.boot_timeout + proven_s
    if refilling.failures and now - refilling.since > patience:
        ledger = evolve(ledger, refilling=Backoff())
    return ledger


def promote(group: Group, names: Collection[Name], view: View, now: float) -> Group:
    """Return *group* with the standbys *names* at work from now on."""
    if not names:
        return group
    clones = tuple(
        _at_work(clone, view, now) if clone.name in names else clone
        for clone in group.clones
    )
    return evolve(group, clones=clones, ledger=evolve(group.ledger, changed_at=now))


def _at_work(standby: Member, view: View, now: float) -> Member:
    track = view.tracks.get(standby.name, NEVER_HEARD)
    # What it used before it had work says nothing of its work.
    return evolve(
        standby,
        is_standby=False,
        ready_at=now,
        taken_cpu_us=track.cpu_us,
        taken_span_s=track.span_s,
        usage=None,
    )


def _on_trial(group: Group) -> Name | None:
    """Return the standby that has yet to prove a new image."""
    rollouts = (a for a in group.ledger.actions if a.reason is Reason.ROLLOUT)
    return group.ledger.surge if any(rollouts) else None


def _is_listed(standby: Member, view: View) -> bool:
    """Tell whether the host has it, as far as it was asked since it came."""
    if view.listing is None or standby.name in view.listing.infos:
        return view.listing is not None
    return standby.created is not None and standby.created >= view.listing.asked


def _has_passed(server: Server | None) -> bool:
    if server is None or server.duty is Duty.MAINT:
        return False
    return server.health is Health.PASSED


def _has_failed(group: Group, standby: Member, view: View) -> bool:
    backend, serving = view.backend, group.policy.serving
    if backend is None or serving is None:
        return False
    server = server_of(standby, backend, serving)
    return server is not None and server.health is Health.FAILED


def _boots(group: Group, standby: Member, now: float) -> bool:
    """Tell whether it may be one that is only just being made."""
    if standby.created is None or not is_making(group):
        return False
    return now - standby.created <= group.policy.boot_timeout
