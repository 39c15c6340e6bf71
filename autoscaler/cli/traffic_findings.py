"""What a check finds about load balancers and activators.

Laws: it needs no daemon that runs; it sends no client's request and wakes
nobody; what it changes at a balancer it changes back.
"""

import errno
import socket
from collections.abc import Iterator

from attrs import frozen

from albatross_client.names import Name, is_label
from autoscaler.cli.findings import Found
from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration.durations import format_duration
from autoscaler.shell.configuration.settings import GroupSettings, Settings
from autoscaler.shell.configuration.traffic_tables import TrafficSettings
from autoscaler.shell.traffic.balancer import BalancerError
from autoscaler.shell.traffic.connect import Expected, Remark, check_connect
from autoscaler.shell.traffic.haproxy import HaproxyBalancer

# Each connection that is passed on is two; the rest is for hosts and the state.
SOCKETS_EACH, SOCKETS_BESIDE = 2, 256
# Most members boot in much less than they may take; few take longer than this.
USUAL_HOLD_S = 10.0


def found_in_traffic(settings: Settings, most: int | None) -> tuple[Found, ...]:
    """Return what is probably not meant in how groups get their requests.

    Arguments:
        settings: The configuration.
        most: How many file descriptors there may be; None: no limit.
    """
    shutdown = settings.deployment.shutdown_timeout
    found = [
        Found(severity=Severity.HINT, place=f"group {group.id}", key=key, message=text)
        for group in settings.groups
        if group.traffic is not None
        for key, text in _hints(group, group.traffic, shutdown)
    ]
    return (*found, *_found_in_limits(settings, most))


async def found_at_balancers(settings: Settings) -> tuple[Found, ...]:
    """Return what is wrong at the balancers of all groups."""
    return tuple(
        [
            Found(
                severity=remark.severity,
                place=f"group {group.id}",
                key="balancer",
                message=remark.message,
            )
            for group in settings.groups
            if group.traffic is not None
            for remark in await _at_balancer(group, group.traffic)
        ]
    )


def _hints(
    group: GroupSettings, traffic: TrafficSettings, shutdown: float
) -> Iterator[tuple[str, str]]:
    """Yield keys of *group*, each with what is probably not meant about it."""
    drain, activator = traffic.balancer.drain_timeout, traffic.activator
    if drain > shutdown:
        message = (
            f"{format_duration(drain)} is longer than the daemon waits at its end "
            f"(shutdown_timeout, {format_duration(shutdown)}): a drain may be broken "
            "off, and its member serves again after the next start"
        )
        yield "balancer.drain_timeout", message
    if activator is None:
        return
    if traffic.idle is None:
        message = (
            "without a [groups.idle] table the group never sleeps: requests come to "
            "its activator only while no member serves for another reason"
        )
        yield "activator", message
    held, boot = activator.hold_timeout, group.policy.boot_timeout
    if held < min(boot, USUAL_HOLD_S):
        message = (
            f"{format_duration(held)} is shorter than a member may take to boot "
            f"(boot_timeout, {format_duration(boot)}): who wakes the group may be "
            "sent away before it serves"
        )
        yield "activator.hold_timeout", message


def _found_in_limits(settings: Settings, most: int | None) -> Iterator[Found]:
    """Look at what all activators may hold at once."""
    held = sum(activator.max_held for activator in _activators(settings))
    needed = SOCKETS_EACH * held + SOCKETS_BESIDE
    if held and most is not None and needed > most:
        yield Found(
            severity=Severity.HINT,
            place=str(settings.path),
            key="activator.max_held",
            message=f"{held} connections that are held need about {needed} file "
            f"descriptors, and this user may have {most}: raise LimitNOFILE of the "
            "service (ulimit -Hn)",
        )


def _activators(settings: Settings) -> Iterator[ActivatorSettings]:
    for group in settings.groups:
        if group.traffic is not None and group.traffic.activator is not None:
            yield group.traffic.activator


async def _at_balancer(
    group: GroupSettings, traffic: TrafficSettings
) -> tuple[Remark, ...]:
    balancer = traffic.balancer.opened()
    listen = None if traffic.activator is None else traffic.activator.listen
    why = None if listen is None else _why_not(listen)
    is_running = why == errno.EADDRINUSE
    remarks = () if listen is None else tuple(_at_gate(listen, why))
    if not isinstance(balancer, HaproxyBalancer):
        try:
            await balancer.observe()
        except BalancerError as error:
            return (*remarks, Remark(Severity.ERROR, str(error)))
        return remarks
    expected = Expected(
        activator=listen,
        is_running=is_running,
        claim=_OfGroup(group, traffic.balancer.port),
    )
    found = await check_connect(balancer, expected)
    return (*found, *remarks)


def _at_gate(listen: Place, why: int | None) -> Iterator[Remark]:
    """Tell who listens where the activator does, or why it can't."""
    if why is None:
        yield Remark(
            Severity.HINT,
            f"nobody listens at {listen}: the daemon does while it runs, and until "
            "then the activator fails its checks",
        )
    elif why != errno.EADDRINUSE:
        words = errno.errorcode.get(why, str(why))
        yield Remark(
            Severity.ERROR, f"the activator can't listen at {listen} here ({words})"
        )


def _why_not(place: Place) -> int | None:
    """Return why nobody else can listen at *place*; None: it is free.

    Nothing connects: in mode tcp that alone would wake the group.
    """
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the activator does: connections that have just ended don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.address, place.port))
        except OSError as error:
            return error.errno
    return None


@frozen
class _OfGroup:
    """Which servers a daemon that runs could have added for a group."""

    group: GroupSettings
    port: int

    def names(self, name: str) -> bool:
        """Return whether we may have named a server so."""
        group_id = self.group.id
        if not is_label(name):
            return False
        return group_id.number_of(Name(group_id.name.path, name)) is not None

    def gave(self, name: str, place: Place) -> bool:
        """Return whether we have given *place* to the one of this *name*."""
        pool = self.group.policy.address_pool
        return (
            self.names(name)
            and place.port == self.port
            and place.address in (pool or ())
        )
