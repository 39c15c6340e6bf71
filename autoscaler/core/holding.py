"""Connections to a group that may be asleep: held, joined to a member, refused.

Whoever comes while nobody serves is held for a while, and one wake is asked
for; whoever comes while somebody serves is joined to the member that has the
fewest sessions.  A place among the held is kept until a member has really
taken the connection: one that has refused it is passed over for a moment.

Laws: no more are held than may be, and none longer; while a wake is under way
no other is asked for; sessions are counted from before a member is connected
to until the last byte, so that none is taken for quiet while it isn't.
"""

import math
from collections.abc import Mapping
from typing import TypeAlias

from attrs import evolve, field, frozen

from autoscaler.core.activation import ActivatorSettings, Refusal, Speech
from autoscaler.core.backend import Place

# A member that refused a connection may have been replaced by then.
TRY_AGAIN_S = 0.2
# Nobody is held for longer than this on what was true before.
LOOK_AGAIN_S = 1.0
# A health check that says nothing has hung up by then.
CHECK_S = 0.05


@frozen
class Serving:
    """A member that serves.

    Attributes:
        server: Its name, as the balancer knows it.
        place: Where it listens.
    """

    server: str
    place: Place


@frozen
class Scene:
    """What is known of a group at the moment.

    Attributes:
        now: Monotonic seconds.
        ready: Those that serve.
        is_waking: Whether one is on its way.
    """

    now: float
    ready: tuple[Serving, ...] = ()
    is_waking: bool = False


@frozen
class Caller:
    """One connection, from its first moment until a member has taken it.

    Attributes:
        arrived: When it was accepted, monotonic seconds.
        is_held: Whether it has a place among the held.
        has_spoken: Whether anything has come from it while it was held.
        is_check: Whether that was a health check of the balancer's.
        refused_by: Servers that have just refused it.
        again_at: When those are tried once more.
    """

    arrived: float
    is_held: bool = False
    has_spoken: bool = False
    is_check: bool = False
    refused_by: frozenset[str] = frozenset()
    again_at: float = math.inf


@frozen
class Join:
    """Connect to *target*; give that up at *until*."""

    target: Serving
    until: float


@frozen
class Hold:
    """Look again when something has changed, at the latest at *until*.

    Attributes:
        until: Monotonic seconds.
        wakes: Whether to ask for a wake now.
    """

    until: float
    wakes: bool


@frozen
class Refuse:
    """Send it away."""

    why: Refusal


@frozen
class Confirm:
    """It is a health check, which wakes nobody: say that all is well."""


Verdict: TypeAlias = Join | Hold | Refuse | Confirm


@frozen
class Holding:
    """All connections of one group, as decisions need them.

    One that is just being connected counts as a session, and as held if it was.

    Attributes:
        settings: What the operator wants.
        held: How many wait for a member.
        sessions: By server, how many each works on; none: left out.
        last: The server that was chosen last.
        asked_at: When a wake was last asked for, monotonic; None: never, or it
            has led to a member.
        is_ending: Whether nobody is held any more.
        arrived: How many have come.
        joined: How many a member has taken.
        left: How many went away while they were held.
        missed: How often a member that was ready could not be reached.
        woken: How many wakes were asked for.
        checked: How many were health checks, answered while nobody served.
        refused: How many were sent away, by reason.
    """

    settings: ActivatorSettings
    held: int = 0
    sessions: Mapping[str, int] = field(factory=dict)
    last: str = ""
    asked_at: float | None = None
    is_ending: bool = False
    arrived: int = 0
    joined: int = 0
    left: int = 0
    missed: int = 0
    woken: int = 0
    checked: int = 0
    refused: Mapping[Refusal, int] = field(factory=dict)


def arrive(holding: Holding, now: float) -> tuple[Holding, Caller]:
    """Return what becomes of *holding* with one more connection, and that."""
    return evolve(holding, arrived=holding.arrived + 1), Caller(now)


def judge(
    holding: Holding, caller: Caller, scene: Scene
) -> tuple[Holding, Caller, Verdict]:
    """Return what both become, and what happens to *caller* now."""
    settings, now = holding.settings, scene.now
    if caller.again_at <= now:
        caller = evolve(caller, refused_by=frozenset(), again_at=math.inf)
    deadline = caller.arrived + settings.hold_timeout
    if now >= deadline:
        return _refuse(holding, caller, Refusal.LATE)
    target = _choose(holding, caller, scene)
    if target is not None:
        until = min(deadline, now + settings.connect_timeout)
        return _begin(holding, target), caller, Join(target, until)
    if holding.is_ending:
        return _refuse(holding, caller, Refusal.ENDING)
    if caller.is_check:
        return _confirm(holding, caller)
    if not caller.is_held and holding.held >= settings.max_held:
        return _refuse(holding, caller, Refusal.FULL)
    until = min(deadline, caller.again_at, now + LOOK_AGAIN_S)
    wants_at = _wants_at(holding, caller)
    if wants_at > now:
        until = min(until, wants_at)
    wakes = now >= wants_at and _wakes(holding, scene)
    return (
        _held(holding, caller, now if wakes else None),
        evolve(caller, is_held=True),
        Hold(until, wakes),
    )


def take(holding: Holding, caller: Caller) -> Holding:
    """Return *holding* when a member has taken *caller*: its place is free."""
    return evolve(
        holding,
        held=holding.held - caller.is_held,
        joined=holding.joined + 1,
        asked_at=None,
    )


def miss(
    holding: Holding, caller: Caller, server: str, now: float
) -> tuple[Holding, Caller]:
    """Return what both become when *server* could not be reached."""
    return (
        evolve(end(holding, server), missed=holding.missed + 1),
        evolve(
            caller,
            refused_by=caller.refused_by | {server},
            again_at=min(caller.again_at, now + TRY_AGAIN_S),
        ),
    )


def leave(holding: Holding, caller: Caller) -> Holding:
    """Return *holding* when *caller* has gone away untaken."""
    return evolve(holding, held=holding.held - caller.is_held, left=holding.left + 1)


def end(holding: Holding, server: str) -> Holding:
    """Return *holding* with one session of *server* less."""
    left = holding.sessions[server] - 1
    others = {key: n for key, n in holding.sessions.items() if key != server}
    return evolve(holding, sessions=others | ({server: left} if left else {}))


def _choose(holding: Holding, caller: Caller, scene: Scene) -> Serving | None:
    """Return the one with the fewest sessions; among equals it goes round."""
    return min(
        (ready for ready in scene.ready if ready.server not in caller.refused_by),
        key=lambda ready: (
            holding.sessions.get(ready.server, 0),
            ready.server <= holding.last,
            ready.server,
        ),
        default=None,
    )


def _begin(holding: Holding, target: Serving) -> Holding:
    sessions = holding.sessions.get(target.server, 0) + 1
    return evolve(
        holding,
        sessions={**holding.sessions, target.server: sessions},
        last=target.server,
    )


def _wants_at(holding: Holding, caller: Caller) -> float:
    """Return when it is clear that *caller* wants something.

    A health check of the activator connects and hangs up without a word.  In
    HTTP whoever wants something speaks first.
    """
    if caller.has_spoken:
        return caller.arrived
    is_http = holding.settings.mode is Speech.HTTP
    return math.inf if is_http else caller.arrived + CHECK_S


def _wakes(holding: Holding, scene: Scene) -> bool:
    """Tell whether a wake is to be asked for.

    A wake that was asked for shows as under way a little later; one that is
    not under way after the pause has failed.
    """
    if scene.ready or scene.is_waking:
        return False
    asked, pause = holding.asked_at, holding.settings.wake_pause
    return asked is None or scene.now - asked >= pause


def _held(holding: Holding, caller: Caller, asked_at: float | None) -> Holding:
    held = holding.held + (not caller.is_held)
    if asked_at is None:
        return evolve(holding, held=held)
    return evolve(holding, held=held, asked_at=asked_at, woken=holding.woken + 1)


def _confirm(holding: Holding, caller: Caller) -> tuple[Holding, Caller, Verdict]:
    held = holding.held - caller.is_held
    return (
        evolve(holding, held=held, checked=holding.checked + 1),
        evolve(caller, is_held=False),
        Confirm(),
    )


def _refuse(
    holding: Holding, caller: Caller, why: Refusal
) -> tuple[Holding, Caller, Verdict]:
    refused = {**holding.refused, why: holding.refused.get(why, 0) + 1}
    held = holding.held - caller.is_held
    return (
        evolve(holding, held=held, refused=refused),
        evolve(caller, is_held=False),
        Refuse(why),
    )
