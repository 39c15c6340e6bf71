"""Whatever happens, no address is held by two."""

from collections.abc import Callable
from functools import partial

from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.core.addresses import AddressPool
from autoscaler.core.capacity import confirm_slot
from autoscaler.core.decision import Reason, Shortage
from autoscaler.core.events import (
    DisownAsked,
    Event,
    Interrupted,
    Reconfigured,
)
from autoscaler.core.moments import Clocks
from autoscaler.core.quarantine import held_by
from autoscaler.core.snapshot import restore, take
from autoscaler.core.view import closed
from tests.core import performing
from tests.core.builders import (
    make_policy,
)
from tests.core.simulation import World

# Any history

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("time", "time", "time", "time", "done", "done", "done", "failed"),
                *("half", "lost", "came", "dies", "disowned", "restart", "size"),
                "image",
            ]
        ),
        st.integers(0, 5),
    ),
    min_size=20,
    max_size=60,
)
QUARANTINE_S = 25.0


@define(kw_only=True)
class WatchedWorld(World):
    """Lets *told* look after each event."""

    told: Callable[[], None]

    def tell(self, event: Event) -> None:
        # The explicit form: attrs makes another class of this one.
        World.tell(self, event)
        self.told()


class History:
    """A managed group with a small pool, and when each address was let go."""

    def __init__(self):
        self.policy = make_policy(
            max_clones=4,
            min_clones=2,
            poll_interval=1.0,
            cooldown_up=0.0,
            warmup=0.0,
            death_timeout=40.0,
            min_stable=0.0,
            max_actions_per_hour=1000,
            max_failures_in_row=1000,
            address_pool=AddressPool.parse("10.1.0.1-10.1.0.7"),
            address_quarantine=QUARANTINE_S,
        )
        self.let_go: dict[str, tuple[float, int]] = {}
        self.held: dict[str, int] = {}
        self.world = WatchedWorld(
            policy=self.policy, is_managed=True, interval=2.0, told=self.check
        )
        self.world.connect()

    def happens(self, what: str, number: int) -> None:
        world = self.world
        clones = world.group.clones
        match what:
            case "time":
                world.passes(2 + 2 * number)
            case "dies":
                self.dies(number)
            case "restart":
                self.restarts()
            case "size":
                wanted = evolve(self.policy, min_clones=number % 5)
                world.tell(Reconfigured(wanted))
            case "disowned" if number < len(clones):
                world.tell(DisownAsked(clones[number].name))
            case "image" if not world.group.ledger.actions:
                world.deploy(bytes([number]) * 32)
            case _:
                self.ends(what)

    def ends(self, how: str) -> None:
        """End the action in flight, if there is one."""
        endings: dict[str, Callable[[World], None]] = {
            "done": performing.perform,
            "failed": performing.fail,
            "half": performing.perform_partly,
            "lost": partial(performing.lose, came=False),
            "came": partial(performing.lose, came=True),
        }
        if how in endings and self.world.group.ledger.actions:
            endings["failed" if self.is_address_taken() else how](self.world)

    def is_address_taken(self) -> bool:
        """Ask the host anew, as is done before anything is created."""
        self.world.look()
        group, view = self.world.group, self.world.view
        found = (
            confirm_slot(group, view, slot)
            for action in group.ledger.actions
            for slot in action.slots
        )
        return any(
            isinstance(each, Shortage) and each.reason is Reason.NO_ADDRESS
            for each in found
        )

    def dies(self, number: int) -> None:
        names = list(self.world.processes)
        if number < len(names):
            self.world.processes.pop(names[number])

    def restarts(self) -> None:
        world = self.world
        kept = take(world.group, Clocks(world.now, "a", world.now, world.now))
        world.now += 3
        clocks = Clocks(world.now, "a", world.now, world.now)
        world.group = restore(kept, world.group.policy, clocks, world.template)
        world.feed, world.tracks = closed(world.feed, world.now), {}
        world.look()
        for action in world.group.ledger.actions:
            world.tell(Interrupted(action.id, world.view))
        world.connect()

    def check(self) -> None:
        pairs = list(held_by(self.world.group))
        held = dict(pairs)
        assert len(held) == len(pairs), "an address is held by two"
        running = [p.address for p in self.world.processes.values()]
        assert len(set(running)) == len(running), "two unikernels have one address"
        now = self.world.now
        for address, number in held.items():
            before, owner = self.let_go.get(address, (-1e9, 0))
            if self.held.get(address) != number != owner:
                assert address not in self.held, "passed on at once"
                assert now - before >= QUARANTINE_S - 1e-6, "given again too early"
        for address, number in self.held.items():
            if held.get(address) != number:
                self.let_go[address] = (now, number)
        self.held = held


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_no_address_is_held_by_two_or_given_before_it_has_rested(steps):
    history = History()

    for what, number in steps:
        history.happens(what, number)
