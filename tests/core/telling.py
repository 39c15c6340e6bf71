"""Groups whose state is worth telling."""

from collections.abc import Callable, Mapping

from attrs import evolve

from albatross_client.values import BlockInfo, Typ
from autoscaler.core.addresses import AddressPool
from autoscaler.core.backend import Backend, Duty, Health, Server
from autoscaler.core.budget import Budget
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.demand import Demand, RequestPolicy, Signal, SignalKind
from autoscaler.core.events import Event, ScaleAsked, Ticked, WakeAsked
from autoscaler.core.group import (
    Group,
    Ticks,
    Watched,
)
from autoscaler.core.idle import IdlePolicy, Quiet
from autoscaler.core.leases import Rest
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.policy import Mode, OnPrimaryLoss
from autoscaler.core.record import Instant, Record, take
from autoscaler.core.serving import ServePolicy
from autoscaler.core.telling import tell
from autoscaler.core.traffic import Traffic
from autoscaler.core.view import View
from tests.core.builders import (
    NOW,
    OTHER_IMAGE,
    PRIMARY,
    clone_name,
    creating,
    fresh_track,
    happens,
    listed,
    make_info,
    make_listing,
    make_managed,
    make_policy,
    make_rules,
    make_world,
)
from tests.core.standing_by import failing, make_pool, with_server

WALL = 1_800_000_000.0
HIGH = Ticks(high=2, last=NOW - 10, conclusive=NOW - 10)
LOW = Ticks(low=4, last=NOW - 10, conclusive=NOW - 10)
STALE, WARMING = MemberClass.STALE, MemberClass.WARMING
DEAD, GIVEN_UP = MemberClass.DEAD, MemberClass.GIVEN_UP


def recorded(group: Group, view: View, event: Event | None = None) -> Record:
    after, _ = happens(group, event or Ticked(view))
    return take(group, after, view, Instant(NOW, WALL))


def world(*states, **changes):
    """Return a group and its view; with a policy of these *changes*."""
    ticks, ledger = changes.pop("ticks", None), changes.pop("ledger", None)
    seen = {k: changes.pop(k) for k in ("is_writable", "is_contested") if k in changes}
    group, view = make_world(
        *states, policy=make_policy(**changes), ticks=ticks, ledger=ledger
    )
    return group, evolve(view, **seen)


def high(**changes):
    return world(95.0, 95.0, ticks=HIGH, **changes)


def low(**changes):
    return world(10.0, 10.0, ticks=LOW, **changes)


def asked(wanted, members=2, **changes):
    """Return a group that requests drive, which call for *wanted* members."""
    signal = Signal(SignalKind.IN_FLIGHT, 3.0 * wanted, 3, wanted)
    told = {"signals": (signal,), "told_since": NOW - 1000, **changes}
    ticks = Ticks(last=NOW - 10, conclusive=NOW - 10, demand=Demand(**told))
    requests = RequestPolicy(target_in_flight=3)
    group, view = world(*[50.0] * members, ticks=ticks, requests=requests)
    backend = Backend(at=NOW - 1, in_flight=3 * wanted)
    return group, view if "told_since" in changes else evolve(view, backend=backend)


def text(record: Record) -> str:
    return "\n".join(f"  {line}" for line in tell(record))


def gone(clones, **changes):
    return world(DEAD, *[50.0] * clones, **changes)


def short(**info):
    group, view = high()
    infos = {**listed(view), PRIMARY: make_info(**info)}
    return group, evolve(view, listing=make_listing(infos))


def full():
    group, view = high()
    return group, evolve(view, rules=make_rules(unikernels=3))


def stood_down():
    group, view = high()
    budget = Budget(stood_down_at=NOW - 600)
    return evolve(group, ledger=evolve(group.ledger, budget=budget)), view


def contested():
    group, view = low()
    return evolve(group, watched=Watched(signs=(NOW - 300, NOW - 100))), view


def collapsed():
    group, view = low()
    tracks = dict(view.tracks)
    for name in (PRIMARY, clone_name(1)):
        traffic = Traffic(((0.0, 0),), None, (NOW, 0), 100.0, NOW - 40)
        tracks[name] = evolve(tracks[name], traffic=traffic)
    return group, evolve(view, tracks=tracks)


def idle(**changes):
    """Return a group whose clone gets no work."""
    ticks = evolve(HIGH, idle=((clone_name(1), 2),))
    group, view = world(100.0, 0.0, ticks=ticks, **changes)
    tracks = dict(view.tracks)
    for name, rate in ((PRIMARY, 100), (clone_name(1), 0)):
        traffic = Traffic((), (NOW - 20, 0), (NOW, 20 * rate))
        tracks[name] = evolve(tracks[name], traffic=traffic)
    return group, evolve(view, tracks=tracks)


def outdated(**changes):
    group, view = world(60.0, 60.0, **changes)
    infos = {**listed(view), PRIMARY: make_info(digest=OTHER_IMAGE)}
    view = evolve(view, listing=make_listing(infos))
    return evolve(group, outdated=(clone_name(1),)), view


def unhealthy():
    failed = Backoff(1, NOW - 5, 10.0, OTHER_IMAGE)
    return outdated(ledger=Ledger(next_number=2, rolling=failed))


def cooling():
    ledger = Ledger(changed_at=NOW - 8, next_number=3)
    return world(85.9, 85.9, ledger=ledger, ticks=HIGH, max_clones=2, cooldown_up=120)


def unasked(*, idle_s, place=None):
    """Return a group that nobody has asked for in *idle_s* seconds."""
    serving = ServePolicy(port=80, idle=IdlePolicy(), activator=place)
    group, view = make_managed(50.0, policy=make_policy(serving=serving))
    clone = evolve(group.clones[0], address="10.0.0.1", ready_at=NOW - idle_s)
    name = clone.name.label or ""
    server = Server(
        name=name,
        address="10.0.0.1",
        port=80,
        duty=Duty.READY,
        health=Health.PASSED,
    )
    backend = Backend(at=NOW, servers={name: server})
    quiet = Quiet(since=NOW - idle_s, epoch="")
    group = evolve(group, clones=(clone,), quiet=quiet)
    return group, evolve(view, backend=backend)


def resting():
    group, view = unasked(idle_s=60.0)
    [first] = group.clones
    second = evolve(first, name=group.id.clone(2), number=2)
    assert view.backend is not None
    [server] = view.backend.servers.values()
    name = second.name.label or ""
    servers = {**view.backend.servers, name: evolve(server, name=name)}
    tracks = {**view.tracks, second.name: fresh_track()}
    infos = {**listed(view), second.name: make_info(2)}
    view = evolve(view, backend=evolve(view.backend, servers=servers), tracks=tracks)
    group = evolve(group, clones=(*group.clones, second))
    return group, evolve(view, listing=make_listing(infos))


def without_addresses():
    resting = (Rest("10.0.0.1", NOW - 8, 60.0),)
    ledger = Ledger(next_number=2, resting=resting)
    return high(address_pool=AddressPool.parse("10.0.0.1-10.0.0.1"), ledger=ledger)


def unready():
    group, view = make_pool(95.0, 95.0, standbys=1, max_clones=3)
    group = evolve(group, ticks=HIGH)
    return group, with_server(view, 3, Duty.DRAIN, Health.UNPROVEN)


def failed():
    group, view = make_pool(50.0, standbys=2)
    return group, failing(view, 2)


CASES = {
    Reason.PAUSED: world(50.0, mode=Mode.PAUSED),
    Reason.BUSY: high(ledger=Ledger(actions=(creating(2),), next_number=3)),
    Reason.ORPHANED: gone(1),
    Reason.NO_PRIMARY: gone(0),
    Reason.ABOVE_MAX: world(50.0, 50.0, max_clones=0),
    Reason.BELOW_MIN: world(50.0, min_clones=1),
    Reason.NO_DATA: world(STALE, STALE),
    Reason.WARMING: world(WARMING),
    Reason.GIVEN_UP: world(50.0, GIVEN_UP),
    Reason.HIGH: high(),
    Reason.RISING: world(95.0, 95.0, ticks=evolve(HIGH, high=1)),
    Reason.AT_MAX: high(max_clones=1),
    Reason.BACKOFF: high(ledger=Ledger(creating=Backoff(2, NOW - 8, 20.0))),
    Reason.BLOCK_DEVICE: short(blocks=(BlockInfo("data", "web-data", 512, 8),)),
    Reason.UNSUPPORTED: short(typ=Typ.BHYVE),
    Reason.NO_CAPACITY: full(),
    Reason.LOW: low(),
    Reason.FALLING: world(10.0, 10.0, ticks=evolve(LOW, low=1)),
    Reason.WOULD_FLAP: world(39.0, 39.0, scale_up_threshold_percent=80.0),
    Reason.AT_MIN: low(min_clones=1),
    Reason.MISSING: world(1.0, 1.0, 1.0, STALE, ticks=LOW),
    Reason.COOLDOWN: low(ledger=Ledger(changed_at=NOW - 188, next_number=2)),
    Reason.SWITCHED_OFF: high(scale_up=False),
    Reason.STATE_UNWRITABLE: high(is_writable=False),
    Reason.CONTESTED: contested(),
    Reason.SUSPECTED_OUTAGE: collapsed(),
    Reason.STOOD_DOWN: stood_down(),
    Reason.NO_EFFECT: idle(),
    Reason.USELESS: idle(roll_back_useless=True),
    Reason.ROLLOUT: outdated(),
    Reason.IMAGE_UNHEALTHY: unhealthy(),
    Reason.PRIMARY_LOST: gone(1, on_primary_loss=OnPrimaryLoss.DESTROY_CLONES),
    Reason.ASLEEP: make_managed(),
    Reason.STABILISING: asked(1, 4, peaks=((NOW - 20, 4),)),
    Reason.IDLE: resting(),
    Reason.NO_ACTIVATOR: unasked(idle_s=600.0),
    Reason.WAKE: make_managed(),
    Reason.OPERATOR: world(50.0, 50.0),
    Reason.NO_ADDRESS: without_addresses(),
    Reason.STANDBY_UNREADY: unready(),
    Reason.STANDBY_FAILED: failed(),
    Reason.REFILL: make_pool(50.0, standbys=1),
    Reason.SURPLUS: make_pool(50.0, standbys=2, ledger=Ledger(needed_at=NOW - 900)),
    Reason.NO_SIGNAL: asked(1, 4, told_since=None),
    Reason.STEADY: cooling(),
}


EVENTS: Mapping[Reason, Callable[[View], Event]] = {
    Reason.WAKE: WakeAsked,
    Reason.OPERATOR: lambda view: ScaleAsked(view, 3, "ann"),
}
