"""Try everything that a group needs of HAProxy, at a live one.

Laws: what was changed is changed back; no server ever gets work from it.
"""

from collections.abc import Iterator

from attrs import field, frozen

from autoscaler.core import haproxy
from autoscaler.core.arrange import Claim, arrange
from autoscaler.core.backend import Place
from autoscaler.core.haproxy import Target
from autoscaler.core.haproxy_answers import Seen
from autoscaler.core.lint import Severity
from autoscaler.core.standin import Detour, find_detour
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from autoscaler.shell.traffic.haproxy import HaproxyBalancer

# Servers may be added at run time, with checks, from this version on.
LEAST_RELEASE = (2, 6)
PROBE = "autoscaler-probe"

_DETOURS = {
    Detour.MISSING: (
        "add `server activator {place} check inter 200ms rise 1 fall 25 backup "
        "pool-max-conn 0` to it"
    ),
    Detour.NO_BACKUP: "the server at {place} is no backup: add `backup` to its line",
    Detour.OFF_DUTY: "the server at {place} is drained or in maintenance: ready it",
    Detour.FAILED: "the server at {place} fails its checks",
    Detour.UNPROVEN: "the server at {place} has passed no check: is `check` set?",
    Detour.BEHIND: "another backup server comes before {place}: move that down",
}


@frozen
class Remark:
    """One thing that was found.

    Attributes:
        severity: Whether a group can't work so.
        message: What is the matter, and what to do about it.
    """

    severity: Severity
    message: str


@frozen(kw_only=True)
class Expected:
    """What a group needs beside a backend.

    Attributes:
        activator: Where the daemon takes requests while nobody serves; None:
            nothing is asked about it.
        is_running: Whether the activator should be up now.
        claim: Tells names of ours; None: likewise.
    """

    activator: Place | None = None
    is_running: bool = field(default=False)
    claim: Claim | None = None


async def check_connect(
    balancer: HaproxyBalancer, expected: Expected
) -> tuple[Remark, ...]:
    """Return what is wrong with the backend of *balancer*; empty: nothing."""
    try:
        seen = await balancer.look()
    except BalancerError as error:
        return (_error(str(error)),)
    if seen.process.release < LEAST_RELEASE:
        message = f"HAProxy {seen.process.version} is too old: 2.6 or newer is needed"
        return (_error(message),)
    return (
        *await _probe(balancer, seen),
        *_find_activator(balancer.backend, seen, expected),
        *_find_taken(seen, expected),
    )


async def _probe(balancer: HaproxyBalancer, seen: Seen) -> tuple[Remark, ...]:
    target = Target(balancer.backend, PROBE)
    try:
        if PROBE not in seen.backend.servers:
            await balancer.change(haproxy.probe_server(target), target)
    except BalancerError as error:
        if error.trouble is Trouble.STATIC_BALANCE and seen.algorithm != "unknown":
            return (_error(f"{error} (it is {seen.algorithm})"),)
        return (_error(str(error)),)
    try:
        await balancer.change(haproxy.remove(target), target)
    except BalancerError as error:
        message = (
            f"a server could be added and not removed ({error}): say "
            f"`set server {target} state maint; del server {target}` to HAProxy"
        )
        return (_error(message),)
    return ()


def _find_activator(backend: str, seen: Seen, expected: Expected) -> Iterator[Remark]:
    if expected.activator is None:
        return
    detour = find_detour(seen.backend, expected.activator)
    if detour is None:
        return
    # A check while the daemon is down finds nobody there, and that is right.
    is_down = detour in (Detour.FAILED, Detour.UNPROVEN) and not expected.is_running
    what = _DETOURS[detour].format(place=expected.activator)
    yield Remark(
        Severity.HINT if is_down else Severity.ERROR,
        f"requests for {backend} would not come to the activator: {what}",
    )


def _find_taken(seen: Seen, expected: Expected) -> Iterator[Remark]:
    if expected.claim is None:
        return
    for taken in arrange({}, seen.backend, expected.claim).taken:
        yield Remark(Severity.HINT, str(taken))


def _error(message: str) -> Remark:
    return Remark(Severity.ERROR, message)
