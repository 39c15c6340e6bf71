"""What to tell a load balancer so that it has what should be.

Laws: it is worked out anew from what the balancer shows, never from what it
was told: servers that a restarted balancer has forgotten are added again, and
a step that was lost is ordered again.  A server gets work only after a check
that it passed.  What isn't ours is never touched.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, assert_never

from attrs import frozen

from autoscaler.core.backend import Backend, Duty, Health, Place, Server


@frozen(kw_only=True)
class Wanted:
    """What a server should be.

    Attributes:
        place: Where it listens.
        duty: READY for a member that serves.  DRAIN for one that gets no new
            work and may get some later (a standby), or that ends its own: it
            is checked all the time.  MAINT for one that must not get any,
            whatever it still works on: it isn't checked, and isn't added where
            it is missing.
        weight: Its share; None: as it is.
    """

    place: Place
    duty: Duty
    weight: int | None = None


@frozen
class Add:
    """Let there be this server: checked, and without work."""

    name: str
    place: Place
    weight: int | None = None


@frozen
class Drain:
    """Let it end its work, checked; after maintenance: let it be checked."""

    name: str


@frozen
class MakeReady:
    """Let it have work."""

    name: str


@frozen
class Weigh:
    """Let its share be *weight*."""

    name: str
    weight: int


@frozen
class Rest:
    """Put it into maintenance."""

    name: str


@frozen
class Remove:
    """Let there be no such server; it has no work and is in maintenance."""

    name: str


Step = Add | Drain | MakeReady | Weigh | Rest | Remove


@frozen
class Taken:
    """A server has a name of ours, and an address that we never gave.

    Attributes:
        name: The server's.
        address: Where it listens, as the balancer tells it.
        port: Likewise.
    """

    name: str
    address: str
    port: int

    def __str__(self) -> str:
        return (
            f"the server {self.name} at {self.address} port {self.port} has a name of "
            "ours and isn't: rename it, it is left alone and the name unused"
        )


@frozen
class Arrangement:
    """What is to be done, and what stands in the way.

    Attributes:
        steps: In this order; at most one for each server, besides its weight.
        taken: Servers that were found under names of ours.  All of them every
            time: whoever tells operators remembers what was told.
    """

    steps: tuple[Step, ...] = ()
    taken: tuple[Taken, ...] = ()


class Claim(Protocol):
    """Tells what could be ours, beside what is wanted."""

    def names(self, name: str) -> bool:
        """Return whether we may have named a server so."""

    def gave(self, name: str, place: Place) -> bool:
        """Return whether we have given *place* to the one of this *name*."""


@frozen
class Ours:
    """A claim by two functions.

    Attributes:
        is_name: Whether we may have named a server so.
        given: The places that we have given, by name.
    """

    is_name: Callable[[str], bool]
    given: Mapping[str, frozenset[Place]]

    def names(self, name: str) -> bool:
        """Return whether we may have named a server so."""
        return name in self.given or self.is_name(name)

    def gave(self, name: str, place: Place) -> bool:
        """Return whether we have given *place* to the one of this *name*."""
        return place in self.given.get(name, ())


def arrange(
    wanted: Mapping[str, Wanted], backend: Backend, claim: Claim
) -> Arrangement:
    """Return how *backend* comes closer to what is *wanted*.

    Whoever asks again after each answer gets there; with nothing to do there
    are no steps.

    Arguments:
        wanted: By the name of the server.  What is there, ours and not wanted
            is drained, waited for, and removed.
        backend: What the balancer has.
        claim: Which servers could be ours.
    """
    steps: list[Step] = []
    taken: list[Taken] = []
    for name, server in backend.servers.items():
        if not (name in wanted or claim.names(name)):
            continue
        wish = wanted.get(name)
        if not _is_ours(server, wish, claim):
            taken.append(Taken(name, server.address, server.port))
        elif wish is None or not _is_at(server, wish.place):
            steps += _retire(server)
        else:
            steps += _approach(server, wish)
    steps += (
        Add(name, wish.place, wish.weight)
        for name, wish in wanted.items()
        if name not in backend.servers and wish.duty is not Duty.MAINT
    )
    return Arrangement(tuple(steps), tuple(taken))


def _is_ours(server: Server, wish: Wanted | None, claim: Claim) -> bool:
    # We add none that is a backup.
    if server.is_backup:
        return False
    # Balancers that tell no addresses have nothing but names.
    if not server.address or (wish is not None and _is_at(server, wish.place)):
        return True
    place = server.place
    return place is not None and claim.gave(server.name, place)


def _is_at(server: Server, place: Place) -> bool:
    return not server.address or server.place == place


def _approach(server: Server, wish: Wanted) -> tuple[Step, ...]:
    return (*_weighed(server, wish.weight), *_on_duty(server, wish.duty))


def _weighed(server: Server, weight: int | None) -> tuple[Step, ...]:
    if weight is None or server.weight is None or server.weight == weight:
        return ()
    return (Weigh(server.name, weight),)


def _on_duty(server: Server, duty: Duty) -> tuple[Step, ...]:
    if server.duty is duty:
        return ()
    match duty:
        case Duty.READY:
            return _toward_work(server)
        case Duty.DRAIN:
            return (Drain(server.name),)
        case Duty.MAINT:
            return (Rest(server.name),)
        case _:
            assert_never(duty)


def _toward_work(server: Server) -> tuple[Step, ...]:
    if server.duty is Duty.MAINT:
        # What was healthy before it rested may be dead by now.
        return (Drain(server.name),)
    return (MakeReady(server.name),) if server.health is Health.PASSED else ()


def _retire(server: Server) -> tuple[Step, ...]:
    if server.duty is Duty.READY:
        return (Drain(server.name),)
    if server.sessions:
        return ()
    is_resting = server.duty is Duty.MAINT
    return (Remove(server.name) if is_resting else Rest(server.name),)
