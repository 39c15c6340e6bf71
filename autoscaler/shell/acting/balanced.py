"""How members get their work from a balancer, and end it before they go.

The keeper of the group's balancer does all that is done there; an action only
waits until the balancer shows it.  Laws: a member that the balancer may still
send work to is not destroyed; nobody is waited for without an end.
"""

from collections.abc import Callable
from typing import Protocol

import trio

from albatross_client.names import Name
from autoscaler.core.backend import Duty, Health, Server
from autoscaler.core.events import Event, MemberLingers, MemberParts
from autoscaler.core.group import Group
from autoscaler.core.ledger import Parting
from autoscaler.core.standing import is_draining
from autoscaler.core.view import View

# From the order to leave until the balancer shows that it was obeyed.
PARTING_S = 10.0
# Between two looks: a check passes at any moment, work ends when it does.
BRISK_S, CALM_S = 0.02, 0.1
# When so much of its time is over, a quieter one may go in its place.
LINGERING = 0.5


class Balancing(Protocol):
    """The balancer of a group, as it was seen last."""

    def server(self, label: str) -> Server | None:
        """Return the server of this *label*; None: there is none of ours."""

    def answers(self) -> bool:
        """Tell whether the balancer answers."""

    def is_known(self) -> bool:
        """Tell whether it shows all that it works on."""

    def sessions(self, label: str) -> int:
        """Return how many requests and connections the server works on."""

    def state(self, label: str) -> str:
        """Return in words how far the server of this *label* has come."""

    def cut(self, label: str) -> None:
        """Break off connections that are passed on to it past the balancer."""

    async def until(self, is_so: Callable[[], bool], pause: float) -> None:
        """Return once *is_so*, by looks that begin from now on."""


class Site(Protocol):
    """The part of an action's site that is needed here."""

    @property
    def group(self) -> Group:
        """The group as it is now."""

    def view(self) -> View:
        """Return what is known without asking."""

    def tell(self, event: Event) -> None:
        """Let *event* happen to the group."""


def serves(name: Name, balancing: Balancing) -> bool:
    """Tell whether the balancer gives *name* work."""
    server = balancing.server(name.label or "")
    return server is not None and server.serves


def has_passed(name: Name, balancing: Balancing) -> bool:
    """Tell whether *name* could get work, by its check."""
    server = balancing.server(name.label or "")
    if server is None or server.duty is Duty.MAINT:
        return False
    return server.health is Health.PASSED


async def join(name: Name, site: Site, balancing: Balancing) -> str | None:
    """Wait until the balancer gives *name* work; return why it doesn't.

    One that stands by gets none: its check has to pass, and that is all.  A
    balancer that doesn't answer tells nothing of a member: it stays, and
    gets its work once there is an answer.
    """
    patience, has_come = site.group.policy.boot_timeout, serves
    if any(standby.name == name for standby in site.group.standbys):
        has_come = has_passed
    with trio.move_on_after(patience):
        await balancing.until(lambda: has_come(name, balancing), BRISK_S)
        return None
    if not balancing.answers():
        return None
    state = balancing.state(name.label or "")
    return f"{name} got no work within {patience:g} s: {state}"


async def part(name: Name, site: Site, balancing: Balancing) -> str | None:
    """Let *name* end its work and leave; return why it can't go yet.

    What it has not ended within the group's `drain_timeout`, once it gets no
    new work, is cut off.  Before that the group may think of
    another one that should go: then nothing more happens here.
    """
    serving = site.group.policy.serving
    patience = 0.0 if serving is None else serving.drain_timeout
    site.tell(MemberParts(name, Parting.ENDS))
    await _drained(name, balancing)
    is_quiet = await _is_quiet_within(LINGERING * patience, name, balancing)
    if not is_quiet:
        if balancing.sessions(name.label or ""):
            site.tell(MemberLingers(name, site.view()))
        if not is_draining(site.group, name):
            return None
        rest = (1 - LINGERING) * patience
        is_quiet = await _is_quiet_within(rest, name, balancing)
    how = Parting.LEAVES if is_quiet else Parting.CUT
    return await _leave(name, site, balancing, how)


async def _drained(name: Name, balancing: Balancing) -> None:
    """Wait, but not for long, until *name* gets no new work.

    What comes until then has all the time there is, too.
    """
    label = name.label or ""

    def is_drained() -> bool:
        server = balancing.server(label)
        is_ready = server is not None and server.duty is Duty.READY
        return balancing.answers() and not is_ready

    with trio.move_on_after(PARTING_S):
        await balancing.until(is_drained, BRISK_S)


async def _is_quiet_within(seconds: float, name: Name, balancing: Balancing) -> bool:
    """Wait until *name* works on nothing, and gets no more; tell whether so."""
    label = name.label or ""

    def is_quiet() -> bool:
        server = balancing.server(label)
        if not balancing.is_known() or (server and server.duty is Duty.READY):
            return False
        return balancing.sessions(label) == 0

    with trio.move_on_after(seconds):
        await balancing.until(is_quiet, CALM_S)
        return True
    return False


async def _leave(
    name: Name, site: Site, balancing: Balancing, how: Parting
) -> str | None:
    """Take *name* out of the balancer; return why that didn't work."""
    label = name.label or ""

    def has_left() -> bool:
        if not balancing.answers():
            return False
        server = balancing.server(label)
        is_out = server is None or server.duty is Duty.MAINT
        return is_out if how is Parting.CUT else server is None

    site.tell(MemberParts(name, how))
    with trio.move_on_after(PARTING_S):
        await balancing.until(has_left, CALM_S)
        balancing.cut(label)
        return None
    state = balancing.state(label)
    return f"{name} could not leave its balancer within {PARTING_S:g} s: {state}"
