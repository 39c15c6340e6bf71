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
from autoscaler.core.events import Event, MemberParts
from autoscaler.core.group import Group, Parting

# From the order to leave until the balancer shows that it was obeyed.
PARTING_S = 10.0


class Balancing(Protocol):
    """The balancer of a group, as it was seen last."""

    def server(self, label: str) -> Server | None:
        """Return the server of this *label*; None: there is none."""

    def answers(self) -> bool:
        """Tell whether the balancer answers."""

    def is_known(self) -> bool:
        """Tell whether it shows all that it works on."""

    def sessions(self, label: str) -> int:
        """Return how many requests and connections the server works on."""

    def cut(self, label: str) -> None:
        """Break off connections that are passed on to it past the balancer."""

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once *is_so*, looked at whenever the balancer was asked."""


class Site(Protocol):
    """The part of an action's site that is needed here."""

    @property
    def group(self) -> Group:
        """The group as it is now."""

    def tell(self, event: Event) -> None:
        """Let *event* happen to the group."""


async def join(name: Name, site: Site, balancing: Balancing) -> str | None:
    """Wait until the balancer gives *name* work; return why it doesn't."""
    label, patience = name.label or "", site.group.policy.boot_timeout

    def serves() -> bool:
        server = balancing.server(label)
        return server is not None and server.serves

    with trio.move_on_after(patience):
        await balancing.until(serves)
        return None
    server = balancing.server(label)
    return f"{name} got no work within {patience:g} s: {_state(server, balancing)}"


async def part(name: Name, site: Site, balancing: Balancing) -> str | None:
    """Let *name* end its work and leave; return why it can't go yet.

    It gets no new work since the action began.  What it has not ended within
    the group's `drain_timeout` is cut off.
    """
    label, serving = name.label or "", site.group.policy.serving
    patience = 0.0 if serving is None else serving.drain_timeout

    def is_quiet() -> bool:
        server = balancing.server(label)
        if not balancing.is_known() or (server and server.duty is Duty.READY):
            return False
        return balancing.sessions(label) == 0

    with trio.move_on_after(patience):
        await balancing.until(is_quiet)
    how = Parting.LEAVES if is_quiet() else Parting.CUT
    return await leave(name, site, balancing, how)


async def leave(
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
        await balancing.until(has_left)
        balancing.cut(label)
        return None
    state = _state(balancing.server(label), balancing)
    return f"{name} could not leave its balancer within {PARTING_S:g} s: {state}"


def _state(server: Server | None, balancing: Balancing) -> str:
    if not balancing.answers():
        return "the balancer doesn't answer"
    if server is None:
        return "the balancer has no server of this name"
    if server.health is not Health.PASSED:
        return f"its checks have {server.health.value}"
    return f"it is {server.duty.value}, with {server.sessions} sessions"
