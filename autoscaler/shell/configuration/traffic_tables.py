"""The tables that say how the members of a group get their requests.

`[groups.balancer]` names what sends requests to members, `[groups.activator]`
where the daemon takes them while none serves, `[groups.idle]` when a group that
nobody asks for rests, `[groups.weights]` what makes a member heavy,
`[groups.standby]` how many members stand by.
"""

import enum
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen
from attrs.validators import ge

from autoscaler.core.activation import ActivatorSettings, Speech
from autoscaler.core.backend import LAST_PORT, Place
from autoscaler.core.haproxy import ServerOptions
from autoscaler.core.idle import IdlePolicy
from autoscaler.core.policy import Policy
from autoscaler.core.serving import ServePolicy, StandbyPolicy, WeightPolicy
from autoscaler.shell.configuration import forms
from autoscaler.shell.configuration.keys import (
    SHARE,
    Key,
    a_choice,
    a_count,
    a_duration,
    a_path,
)
from autoscaler.shell.configuration.problems import Place as Where
from autoscaler.shell.configuration.problems import Problem
from autoscaler.shell.configuration.tables import Shape
from autoscaler.shell.traffic.address import AddressSource, ByHook, ByName
from autoscaler.shell.traffic.balancer import Balancer
from autoscaler.shell.traffic.haproxy import HaproxyBalancer
from autoscaler.shell.traffic.hook import HookBalancer
from autoscaler.shell.traffic.runtime_socket import RuntimeSocket, parse_socket

BALANCER, ACTIVATOR, IDLE = "balancer", "activator", "idle"
WEIGHTS, STANDBY = "weights", "standby"
MS_PER_S = 1000
TABLES = (BALANCER, ACTIVATOR, IDLE, WEIGHTS, STANDBY)


class AddressBy(enum.Enum):
    """How it is known where members listen."""

    POOL = "pool"
    DNS = "dns"


@frozen(kw_only=True)
class BalancerSettings:
    """What sends requests to a group's members; durations in seconds.

    Attributes:
        backend: What the balancer calls the group.
        port: Where each member listens.
        socket: HAProxy's runtime socket, of level admin; None: hooks do it.
        hooks: Executables by the word of their step, in the place of HAProxy.
        drain_timeout: How long a member that goes may take to end its work.
        check_every: Pause between two health checks of HAProxy.
        slow_start: How long a new member's share grows in HAProxy.
        max_requests: Most that HAProxy sends to a member at once, others wait;
            None: no limit.
        server_words: More of what HAProxy's `add server` takes.
        address: How it is known where members listen, if not by a hook; None:
            they do at the addresses of their pool.
        dns_name: A member's name, where its address is that name's.
        address_hook: An executable that prints a member's address.

    Raises:
        ValueError: Two of these contradict each other, or one is missing.
    """

    backend: str
    port: int
    socket: RuntimeSocket | None = None
    hooks: Mapping[str, Path] = field(factory=dict)
    drain_timeout: float = field(default=30.0, validator=ge(0))
    check_every: float = 0.2
    slow_start: float = 0.0
    max_requests: int | None = None
    server_words: tuple[str, ...] = ()
    address: AddressBy | None = None
    dns_name: str | None = None
    address_hook: Path | None = None

    def __attrs_post_init__(self) -> None:
        if (self.socket is None) == (not self.hooks):
            msg = "needs the socket of an HAProxy, or hooks in its place: not both"
            raise ValueError(msg)
        if (self.address is AddressBy.DNS) != (self.dns_name is not None):
            msg = 'needs dns_name with address = "dns", and with nothing else'
            raise ValueError(msg)
        if self.address is not None and self.address_hook is not None:
            msg = "has an address_hook, which tells addresses: address must be left out"
            raise ValueError(msg)
        self.opened()

    @property
    def source(self) -> AddressSource | None:
        """What tells where members listen; None: their pool does."""
        if self.dns_name is not None:
            return ByName(self.dns_name)
        return None if self.address_hook is None else ByHook(self.address_hook)

    def opened(self) -> Balancer:
        """Return what sends requests to the group; nothing is asked of it.

        Raises:
            ValueError: There can be no such balancer.
        """
        if self.socket is None:
            return HookBalancer(self.backend, self.hooks)
        options = ServerOptions(
            check_every_ms=round(self.check_every * MS_PER_S),
            slow_start_ms=round(self.slow_start * MS_PER_S),
            limit=self.max_requests,
            words=self.server_words,
        )
        return HaproxyBalancer(self.socket, self.backend, options)


@frozen
class TrafficSettings:
    """How the members of one group get their requests.

    Attributes:
        balancer: What sends them.
        activator: Takes them while nobody serves; None: nobody does.
        idle: When the group rests; None: never.
        weights: What makes a member heavy; None: members aren't weighed.
        standby: How many members stand by; None: none, unless that is asked.
    """

    balancer: BalancerSettings
    activator: ActivatorSettings | None = None
    idle: IdlePolicy | None = None
    weights: WeightPolicy | None = None
    standby: StandbyPolicy | None = None

    @property
    def policy(self) -> ServePolicy:
        """What decisions need to know of it."""
        activator = self.activator
        return ServePolicy(
            port=self.balancer.port,
            is_sought=self.balancer.source is not None,
            drain_timeout=self.balancer.drain_timeout,
            activator=None if activator is None else activator.listen,
            idle=self.idle,
            weights=self.weights,
            standby=self.standby or StandbyPolicy(),
        )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _template(value: object) -> str:
    return ByName(_text(value)).template


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    if not 1 <= value <= LAST_PORT:
        raise ValueError
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    return tuple(_text(word) for word in value)


def balancer_keys(base: Path) -> Mapping[str, Key]:
    """Return the keys of `[groups.balancer]`, paths relative to *base*."""
    path = a_path(base)

    def hooks(value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise ValueError  # noqa: TRY004 - any value but an allowed one
        return {_text(word): path.read(file) for word, file in value.items()}

    return {
        "socket": Key(
            lambda value: parse_socket(_text(value)),
            "an absolute path such as /run/haproxy/admin.sock, or an address such as "
            "127.0.0.1:9999",
            forms.TEXT,
        ),
        "backend": Key(_text, "the name of a backend", forms.TEXT),
        "port": Key(_port, f"a port from 1 to {LAST_PORT}", forms.whole(1, LAST_PORT)),
        "drain_timeout": a_duration(or_none=True),
        "check_every": a_duration(),
        "slow_start": a_duration(or_none=True),
        "max_requests": a_count(1),
        "server_words": Key(_words, "a list of texts", forms.TEXTS),
        "address": a_choice(AddressBy),
        "dns_name": Key(
            _template,
            'a name with {name} or {index} such as "{name}.example.org"',
            {"type": "string", "pattern": r"\{(name|index)\}"},
        ),
        "address_hook": path,
        "hooks": Key(
            hooks,
            "a table of executables: observe, add, ready, drain, rest, remove and, if "
            "wanted, weigh",
            forms.table_of(path.form),
        ),
    }


ACTIVATOR_KEYS: Mapping[str, Key] = {
    "listen": Key(
        lambda value: Place.parse(_text(value)),
        "an address and a port such as 127.0.0.1:9001 or [::1]:9001",
        forms.LISTENING,
    ),
    "mode": a_choice(Speech),
    "max_held": a_count(1),
    "hold_timeout": a_duration(),
    "connect_timeout": a_duration(),
    "idle_timeout": a_duration(),
    "wake_pause": a_duration(),
    "retry_after": a_count(1),
    "grace": a_duration(),
}
IDLE_KEYS: Mapping[str, Key] = {
    "idle_to_min": a_duration(or_none=True),
    "idle_to_zero": a_duration(or_none=True),
    "min_age": a_duration(or_none=True),
}
WEIGHT_KEYS: Mapping[str, Key] = {
    "cpu": SHARE,
    "memory": SHARE,
    "network": SHARE,
    "smoothing": SHARE,
}
STANDBY_KEYS: Mapping[str, Key] = {
    "size": a_count(0),
    "min": a_count(0),
    "max_idle": a_duration(),
}
# The keys of each table, by its name; those of the balancer read no paths here.
TRAFFIC_KEYS: Mapping[str, Mapping[str, Key]] = {
    BALANCER: balancer_keys(Path()),
    ACTIVATOR: ACTIVATOR_KEYS,
    IDLE: IDLE_KEYS,
    WEIGHTS: WEIGHT_KEYS,
    STANDBY: STANDBY_KEYS,
}
_ACTIVATOR = Shape(ActivatorSettings, ACTIVATOR_KEYS, frozenset(ACTIVATOR_KEYS))
_IDLE = Shape(IdlePolicy, IDLE_KEYS, frozenset(IDLE_KEYS))
_WEIGHTS = Shape(WeightPolicy, WEIGHT_KEYS, frozenset(WEIGHT_KEYS))
_STANDBY = Shape(StandbyPolicy, STANDBY_KEYS, frozenset(STANDBY_KEYS))


def read_traffic(
    tables: Mapping[str, object], group: Where, base: Path
) -> tuple[TrafficSettings | None, tuple[Problem, ...]]:
    """Return what the traffic tables of a group say, and all that is wrong.

    Arguments:
        tables: Those of `TABLES` that the group has, by their names.
        group: The table that they belong to.
        base: Where the configuration lies.
    """
    if not tables:
        return None, ()
    keys = balancer_keys(base)
    balancer, wrong = _read(
        Shape(BalancerSettings, keys, frozenset(keys)), BALANCER, tables, group
    )
    activator, amiss = _read(_ACTIVATOR, ACTIVATOR, tables, group)
    idle, odd = _read(_IDLE, IDLE, tables, group)
    weights, uneven = _read(_WEIGHTS, WEIGHTS, tables, group)
    standby, unfit = _read(_STANDBY, STANDBY, tables, group)
    problems = (*wrong, *amiss, *odd, *uneven, *unfit)
    if BALANCER not in tables:
        needing = " and ".join(f"[groups.{name}]" for name in tables)
        complaint = f"needs a [groups.{BALANCER}] table beside {needing}"
        return None, (*problems, group.problem(complaint))
    if balancer is None or problems:
        return None, problems
    return TrafficSettings(balancer, activator, idle, weights, standby), ()


def _read(
    shape: Shape[Any], name: str, tables: Mapping[str, object], group: Where
) -> tuple[Any, tuple[Problem, ...]]:
    if name not in tables:
        return None, ()
    place = evolve(group, table=f"{group.table}, [groups.{name}]")
    table = tables[name]
    if not isinstance(table, Mapping):
        return None, (place.problem("must be a table"),)
    value, problems = shape.read(table, place)
    return value, problems


def find_misfits(
    policy: Policy, traffic: TrafficSettings | None, place: Where, *, is_managed: bool
) -> tuple[Problem, ...]:
    """Return what of a group doesn't fit to how it gets its requests."""
    problems = []
    if traffic is None:
        if policy.requests is not None:
            complaint = "needs a [groups.balancer] table, which tells of requests"
            problems.append(place.problem(complaint, "requests"))
        return tuple(problems)
    if policy.address_pool is None and traffic.balancer.source is None:
        complaint = (
            "is missing: a balancer has to know where members listen, by their pool, "
            'or by address = "dns" or address_hook in [groups.balancer]'
        )
        problems.append(place.problem(complaint, "address_pool"))
    sleeps = is_managed and policy.min_clones == 0
    if traffic.idle is not None and sleeps and traffic.activator is None:
        complaint = (
            "needs a [groups.activator] table: with min_members = 0 nothing would wake "
            "the group"
        )
        problems.append(place.problem(complaint, IDLE))
    problems += _crowded(policy, traffic, place, is_managed=is_managed)
    return tuple(problems)


def _crowded(
    policy: Policy, traffic: TrafficSettings, place: Where, *, is_managed: bool
) -> Iterator[Problem]:
    """Tell where there is no room for standbys beside the fewest members."""
    room = policy.max_clones - policy.min_clones
    if traffic.standby is not None and traffic.standby.size > room:
        what = "members" if is_managed else "clones"
        complaint = (
            f"has a size of {traffic.standby.size}, and min_{what} "
            f"({policy.min_clones}) leaves room for {room} within max_{what} "
            f"({policy.max_clones})"
        )
        yield place.problem(complaint, STANDBY)
