"""Managed groups in a whole daemon: load, images, restarts."""

from hashlib import sha256
from pathlib import Path

import pytest
import trio
from attrs import define, field

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Killed
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.solo5 import ImageError, read_image
from albatross_client.values import Config, Interface, RestartOnExit
from autoscaler.core.events import NoteKind, Reconfigured
from autoscaler.core.policy import Policy
from autoscaler.shell.configuration.recipes import Recipe
from autoscaler.shell.deploy import Files, stock
from autoscaler.shell.drafts import ImageFile, draft_of
from autoscaler.shell.marks import Mark
from autoscaler.shell.state.images import ImagesInMemory
from tests.shell.harness import (
    Machine,
    Wish,
    World,
    make_world,
    start_daemon,
    wait_until,
)
from tests.shell.shop import FILE, NEW_IMAGE, SHOP

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover
RECIPE = Recipe(
    image=FILE,
    memory=48,
    bridges=(Interface("service", "service"),),
    arguments=("--port=80",),
)


@define
class Disk:
    """The one file, and how often it was read."""

    content: bytes | None = SANDBOX_IMAGE
    writes: int = 1
    reads: int = 0

    def write(self, content: bytes | None) -> None:
        self.content, self.writes = content, self.writes + 1

    def mark(self, _path: Path) -> Mark | None:
        content = self.content
        return None if content is None else Mark(1, self.writes, len(content))

    async def read(self, path: Path) -> ImageFile:
        await trio.lowlevel.checkpoint()
        self.reads += 1
        if self.content is None:
            raise ImageError(f"{path} can't be read")
        return ImageFile(self.content, read_image(self.content), self.mark(path))


@define
class Scene:
    """A world with a managed group beside the usual one."""

    world: World
    disk: Disk = field(factory=Disk)

    @property
    def group(self):
        return self.world.daemon.fleet.groups[SHOP]

    @property
    def running(self):
        names = self.world.live.state.unikernels
        found = [n for n in names if SHOP.number_of(n) is not None]
        return sorted(found, key=lambda name: SHOP.number_of(name) or 0)

    @property
    def digests(self):
        unikernels = self.world.live.state.unikernels
        return {unikernels[name].digest for name in self.running}

    @property
    def reason(self):
        return None if self.group.decision is None else self.group.decision.reason.value

    def lose_images(self) -> None:
        """Lose the file, and what was kept of it."""
        kept = self.world.shelf.kept
        assert isinstance(kept, ImagesInMemory)
        kept.images.clear()
        self.disk.write(None)

    def load(self, number: int, cores: float) -> None:
        self.world.live.set_demand(SHOP.clone(number), Demand.constant(cores))


async def make_scene(nursery, policy=None, **wish) -> Scene:
    disk = Disk()
    policy = policy or Policy(max_clones=3, min_clones=1, cooldown_down=60.0)
    world = await make_world(nursery, Wish(machine=await machine(policy, disk), **wish))
    nursery.start_soon(world.lookout.look_for_ever)
    return Scene(world, disk)


async def machine(policy: Policy, disk: Disk) -> Machine:
    draft = draft_of(RECIPE, await disk.read(FILE))
    files = Files(disk.mark, disk.read)
    return Machine(groups={SHOP: policy}, drafts={SHOP: draft}, files=files)


async def test_the_first_member_is_made_from_what_the_operator_says(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)

    await wait_until(lambda: scene.reason == "steady", 300)

    [name] = scene.running
    made = scene.world.live.state.unikernels[name].config
    assert name == SHOP.clone(1)
    assert made.memory == 48
    assert made.fail_behaviour == RestartOnExit()
    assert made.argv == ("--port=80",)
    assert [(i.name, i.bridge) for i in made.interfaces] == [("service", "service")]


async def test_a_group_that_needs_no_members_sleeps_through_the_night(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3))

    await trio.sleep(3600)

    assert scene.running == []
    assert scene.reason == "asleep"
    assert [d.reason.value for d in scene.world.notebook.decisions].count("asleep") == 1


async def test_a_group_follows_its_load_and_keeps_its_last_member(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await wait_until(lambda: scene.reason == "steady", 300)

    scene.load(1, 1.0)
    await wait_until(lambda: len(scene.running) == 2, 300)
    scene.load(2, 1.0)
    await wait_until(lambda: len(scene.running) == 3, 300)
    for number in (1, 2, 3):
        scene.load(number, 0.01)
    await wait_until(lambda: len(scene.running) == 1, 900)
    await trio.sleep(900)

    assert len(scene.running) == 1
    assert scene.reason == "steady"


async def test_a_member_that_dies_is_made_anew_under_another_number(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await wait_until(lambda: scene.reason == "steady", 300)

    scene.world.live.strike(Killed(SHOP.clone(1)))
    await MemoryClient(scene.world.live).destroy(SHOP.clone(1))
    await wait_until(lambda: scene.running == [SHOP.clone(2)], 300)

    died = [n for n in scene.world.notebook.notes if n.kind is NoteKind.DIED]
    assert [note.name for note in died] == [SHOP.clone(1)]


async def test_a_new_image_in_the_file_replaces_all_members_one_by_one(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3, min_clones=2))
    await wait_until(lambda: len(scene.running) == 2, 300)
    await wait_until(lambda: scene.reason == "steady", 300)
    sizes = set()

    def is_done():
        sizes.add(len(scene.running))
        return scene.digests == {sha256(NEW_IMAGE).digest()}

    scene.disk.write(NEW_IMAGE)
    await wait_until(is_done, 900)

    [renewed] = scene.world.events("image_renewed")
    assert renewed["group"] == "alpha/user:shop"
    assert renewed["digest"] == sha256(NEW_IMAGE).hexdigest()
    assert sizes <= {2, 3}


async def test_a_file_is_read_only_when_it_is_no_longer_written(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3))
    before = scene.disk.reads

    for size in range(1, 20):
        scene.disk.write(NEW_IMAGE[: 10 * size])
        await trio.sleep(3)

    assert scene.disk.reads == before
    await trio.sleep(12)
    assert scene.disk.reads == before + 1


async def test_a_file_that_was_only_touched_changes_nothing(autojump_clock, nursery):
    scene = await make_scene(nursery)

    scene.disk.write(SANDBOX_IMAGE)
    await trio.sleep(60)

    assert scene.world.events("image_renewed") == []
    assert scene.world.events("image_refused") == []


async def test_an_image_that_cannot_be_used_changes_nothing_but_the_log(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await wait_until(lambda: scene.reason == "steady", 300)

    scene.disk.write(b"#!/bin/sh")
    await trio.sleep(600)
    scene.disk.write(None)
    await trio.sleep(600)
    scene.disk.write(NEW_IMAGE)
    await wait_until(lambda: scene.digests == {sha256(NEW_IMAGE).digest()}, 900)

    refused = [event["error"] for event in scene.world.events("image_refused")]
    assert len(refused) == 2
    assert "is no ELF file" in refused[0]
    assert "can't be read" in refused[1]


async def test_an_image_that_was_not_kept_is_read_from_its_file(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3))
    before = scene.disk.reads

    assert await scene.world.shelf.get(sha256(SANDBOX_IMAGE).digest()) == SANDBOX_IMAGE
    assert await scene.world.shelf.get(sha256(SANDBOX_IMAGE).digest()) == SANDBOX_IMAGE
    assert scene.disk.reads == before + 1


async def test_an_image_whose_file_holds_another_by_now_is_not_to_be_had(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3))
    scene.disk.write(NEW_IMAGE)

    assert await scene.world.shelf.get(sha256(SANDBOX_IMAGE).digest()) is None
    scene.disk.write(None)
    assert await scene.world.shelf.get(sha256(SANDBOX_IMAGE).digest()) is None


async def test_a_shelf_keeps_what_it_has_not(autojump_clock, nursery):
    scene = await make_scene(nursery, Policy(max_clones=3))
    digest = sha256(NEW_IMAGE).digest()

    await stock(scene.world.shelf, {digest: NEW_IMAGE})
    await stock(scene.world.shelf, {digest: NEW_IMAGE})

    assert await scene.world.shelf.get(digest) == NEW_IMAGE


async def test_a_member_is_made_from_a_sibling_where_the_image_is_lost(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await wait_until(lambda: scene.reason == "steady", 300)
    scene.lose_images()

    scene.load(1, 1.0)
    await wait_until(lambda: len(scene.running) == 2, 300)

    assert scene.digests == {sha256(SANDBOX_IMAGE).digest()}


async def test_without_any_image_the_group_says_what_is_missing(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3))
    scene.lose_images()

    wanted = Policy(max_clones=3, min_clones=1)
    scene.world.daemon.fleet.tell(SHOP, Reconfigured(wanted))
    await wait_until(lambda: scene.reason == "backoff", 300)

    ended = scene.world.events("action_finished")[0]
    assert ended["error"] == "the image is not kept any more, and no member runs it"


async def test_a_restarted_daemon_goes_on_with_the_members_that_run(
    autojump_clock, nursery
):
    scene = await make_scene(nursery, Policy(max_clones=3, min_clones=2))
    await wait_until(lambda: len(scene.running) == 2, 300)
    await wait_until(lambda: scene.reason == "steady", 300)
    world, policy = scene.world, Policy(max_clones=3, min_clones=2)

    await world.kill()
    scene.disk.write(NEW_IMAGE)
    machine_again = await machine(policy, scene.disk)
    again = await start_daemon(
        nursery, world.live, world.store, Policy(max_clones=9), machine_again
    )
    later = Scene(again, scene.disk)
    await wait_until(lambda: later.digests == {sha256(NEW_IMAGE).digest()}, 900)

    assert [SHOP.number_of(name) for name in later.running] == [3, 4]
    assert again.events("foreign_found") == []


async def test_somebody_else_s_unikernel_is_left_alone(autojump_clock, nursery):
    scene = await make_scene(nursery)
    stranger = SHOP.clone(7)
    scene.world.live.create(stranger, Config(image=b"\x7fELF of somebody", memory=32))

    await wait_until(lambda: len(scene.running) == 2, 300)
    await trio.sleep(600)

    assert scene.running == [stranger, SHOP.clone(8)]
    assert scene.group.foreign == {stranger}
