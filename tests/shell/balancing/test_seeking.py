"""Tests of looking for where members listen."""

from itertools import pairwise

import trio
from attrs import define, field

from autoscaler.core.policy import Policy
from autoscaler.shell.balancing.seeking import LONGEST_PAUSE_S, Seeker
from autoscaler.shell.traffic.address import ByName
from tests.shell.harness import GROUP, Wish, make_world, wait_until

POLICY = Policy(max_clones=4, min_clones=2)


@define
class Registry:
    """Names that are known by now, and when each was asked for."""

    known: dict[str, str] = field(factory=dict)
    asked: list[tuple[float, str]] = field(factory=list)

    async def __call__(self, name: str) -> tuple[str, ...]:
        await trio.sleep(0.01)
        self.asked.append((trio.current_time(), name))
        if name not in self.known:
            raise OSError(2, "Name or service not known")
        return (self.known[name],)


async def sought(nursery):
    """Return a world with two clones, what their names are, and who looks."""
    world = await make_world(nursery, Wish(policy=POLICY))
    await wait_until(lambda: len(world.group.clones) == 2, 300)
    registry = Registry()
    source = ByName("{name}.example.org", registry)
    seeker = Seeker(GROUP, world.daemon.fleet, source, world.told)
    nursery.start_soon(seeker.seek_for_ever)
    return world, registry, seeker


def found(world):
    return [clone.found for clone in world.group.clones]


async def test_members_are_found_as_soon_as_their_names_are_known(
    autojump_clock, nursery
):
    world, registry, _ = await sought(nursery)

    registry.known["web-clone-1.example.org"] = "10.0.0.1"
    await wait_until(lambda: found(world) == ["10.0.0.1", None], 10)
    registry.known["web-clone-2.example.org"] = "10.0.0.2"
    await wait_until(lambda: found(world) == ["10.0.0.1", "10.0.0.2"], 10)

    [first, _] = world.events("address_found")
    assert first["name"] == "user:web-clone-1"
    assert first["address"] == "10.0.0.1"
    assert "has no address" in world.events("address_unknown")[0]["error"]


async def test_who_is_found_is_not_looked_for_any_more(autojump_clock, nursery):
    world, registry, _ = await sought(nursery)
    registry.known = {f"web-clone-{n}.example.org": f"10.0.0.{n}" for n in (1, 2)}
    await wait_until(lambda: None not in found(world), 10)
    asked = len(registry.asked)

    await trio.sleep(60)

    assert len(registry.asked) == asked


async def test_who_is_not_found_is_looked_for_less_and_less_often(
    autojump_clock, nursery
):
    _, registry, _ = await sought(nursery)
    await trio.sleep(60)

    times = [at for at, name in registry.asked if "-1." in name]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[0] < 0.5
    assert LONGEST_PAUSE_S <= max(pauses) < LONGEST_PAUSE_S + 1


async def test_without_a_source_nobody_is_looked_for(autojump_clock, nursery):
    world, registry, seeker = await sought(nursery)
    seeker.source = None
    await trio.sleep(1)
    registry.asked.clear()

    await trio.sleep(60)

    assert registry.asked == []
    assert found(world) == [None, None]


async def test_a_group_that_is_gone_meanwhile_is_left_alone(autojump_clock, nursery):
    world, registry, _ = await sought(nursery)
    registry.known["web-clone-1.example.org"] = "10.0.0.1"

    world.daemon.fleet.remove(GROUP)
    await trio.sleep(10)

    assert world.events("address_found") == []
