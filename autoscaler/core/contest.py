"""Whether somebody else changes a group: another daemon, or another tool.

One sign is an operator at work; two within ten minutes are somebody who decides
too, and two who remove clones remove too many.  Signs are clones' names that
come without our doing, clones that go although they would be restarted after a
crash, and resource policies that change; all that one answer of the host shows
is one sign.
"""

import math
from collections.abc import Collection

from attrs import evolve, frozen

from albatross_client.names import Name
from albatross_client.values import RestartOnExit
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group, Watched
from autoscaler.core.view import View

SIGNS_WITHIN_S = 600.0


@frozen
class Changes:
    """What one answer of the host shows that nobody here has done.

    Attributes:
        came: Clones' names that are new, and that nobody asked for.
        went: Clones that were ours and run no more.
    """

    came: Collection[Name]
    went: Collection[Name]


def watch(
    group: Group, view: View, changes: Changes, now: float
) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* after one more answer, and a note when it is contested."""
    before = group.watched
    policies = _policies(group, view)
    came = frozenset(changes.came)
    is_sign = before.has_looked and (
        bool(came - before.seen)
        or (bool(changes.went) and _would_be_restarted(group, view))
        or bool(before.policies and policies and before.policies != policies)
    )
    watched = Watched(
        has_looked=True,
        policies=policies or before.policies,
        signs=(*before.signs[-1:], now) if is_sign else before.signs,
        # A name that comes and goes, as a crashing one does, counts once.
        seen=before.seen | came,
    )
    if watched == before:
        return group, ()
    was = contested_left(group, now)
    group = evolve(group, watched=watched)
    if was or not contested_left(group, now):
        return group, ()
    evidence = (("signs", len(watched.signs)), ("within_s", SIGNS_WITHIN_S))
    return group, (Note(NoteKind.CONTESTED, group.id.name, evidence),)


def contested_left(group: Group, now: float) -> float:
    """Return for how many seconds *group* counts as contested."""
    *_, before, last = (-math.inf, -math.inf, *group.watched.signs)
    if before == -math.inf or last - before >= SIGNS_WITHIN_S:
        return 0.0
    return max(0.0, last + SIGNS_WITHIN_S - now)


def _policies(group: Group, view: View) -> frozenset[object]:
    if view.rules is None:
        return frozenset()
    name = group.id.name
    return frozenset(
        (domain, policy)
        for domain, policy in view.rules.policies.items()
        if name.is_within(domain)
    )


def _would_be_restarted(group: Group, view: View) -> bool:
    """Tell whether the host restarts clones that crash, and works at all."""
    made_from = group.blueprint(view)
    # Those that only some exit codes restart may well have ended by themselves.
    return made_from is not None and made_from.fail_behaviour == RestartOnExit()
