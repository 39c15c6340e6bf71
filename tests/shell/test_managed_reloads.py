"""Managed groups under another configuration."""

from hashlib import sha256
from pathlib import Path

import pytest
import trio

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from autoscaler.core.group import GroupId
from tests.shell.harness import (
    GROUP,
    HOST,
    wait_until,
)
from tests.shell.reloading import PLAIN, deployment, host, make_reloadable
from tests.shell.shop import NEW_IMAGE, SHOP

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover


# Another configuration

SHOP_TABLE = """
[[groups]]
host = "alpha"
name = "user:shop"
image = "shop.hvt"
memory = 48
min_members = 1
max_members = 3
"""
SHOP_FILE = Path("/etc/shop.hvt")


async def shop_beside_web(nursery):
    """Return a daemon that has been told of the group by a reload."""
    scene = await make_reloadable(nursery)
    scene.desktop.images[SHOP_FILE] = SANDBOX_IMAGE
    assert await scene.reload(PLAIN + SHOP_TABLE) == [
        "managed group alpha/user:shop: added"
    ]
    await wait_until(
        lambda: running(scene) == [(1, 48, sha256(SANDBOX_IMAGE).digest())], 300
    )
    return scene


def is_new(scene):
    digest = sha256(NEW_IMAGE).digest()
    return [each for *_, each in running(scene)] == [digest]


def running(scene):
    unikernels = scene.world.live.state.unikernels
    return sorted(
        (SHOP.number_of(name) or 0, each.config.memory, each.digest)
        for name, each in unikernels.items()
        if SHOP.number_of(name) is not None
    )


async def test_a_group_that_is_added_by_a_reload_gets_its_first_member(
    autojump_clock, nursery
):
    await shop_beside_web(nursery)


async def test_a_reload_with_a_new_image_replaces_members(autojump_clock, nursery):
    scene = await shop_beside_web(nursery)

    scene.desktop.images[SHOP_FILE] = NEW_IMAGE
    assert await scene.reload() == []
    await wait_until(lambda: is_new(scene), 900)


async def test_a_reload_with_more_memory_makes_new_members_with_it(
    autojump_clock, nursery
):
    scene = await shop_beside_web(nursery)

    await scene.reload(
        PLAIN
        + SHOP_TABLE.replace("= 48", "= 64").replace(
            "min_members = 1", "min_members = 2"
        )
    )
    await wait_until(lambda: len(running(scene)) == 2, 300)

    assert [memory for _, memory, _ in running(scene)] == [48, 64]


async def test_a_reload_whose_image_cannot_be_used_changes_nothing(
    autojump_clock, nursery
):
    scene = await shop_beside_web(nursery)
    del scene.desktop.images[SHOP_FILE]

    [problem] = await scene.refused(PLAIN + SHOP_TABLE.replace("= 48", "= 64"))

    assert problem.endswith("/etc/shop.hvt can't be read")
    assert scene.groups[SHOP].template.memory == 48


async def test_a_group_that_is_removed_leaves_its_members_stranded(
    autojump_clock, nursery
):
    scene = await shop_beside_web(nursery)

    assert await scene.reload(PLAIN) == [
        "managed group alpha/user:shop: removed: its clones are left running"
    ]
    await trio.sleep(300)

    assert len(running(scene)) == 1
    assert scene.world.daemon.fleet.drafts == {}
    await scene.reload(PLAIN + SHOP_TABLE)
    await wait_until(lambda: len(scene.groups[SHOP].members) == 1, 300)
    assert [number for number, *_ in running(scene)] == [1]


async def test_a_primary_that_becomes_managed_leaves_its_clones_to_the_stranded(
    autojump_clock, nursery
):
    scene = await make_reloadable(
        nursery, PLAIN.replace("max_clones", "min_clones = 1\nmax_clones")
    )
    scene.desktop.images[SHOP_FILE] = SANDBOX_IMAGE
    await wait_until(lambda: len(scene.world.clones) == 1, 300)

    managed = SHOP_TABLE.replace("user:shop", "user:web")
    await scene.reload(deployment() + host() + managed)
    await trio.sleep(300)

    stored = await scene.world.store.load()
    left = {kept.id: [str(c.name) for c in kept.clones] for kept in stored.snapshots}
    web = GroupId(HOST, Name(("user",), "web"), is_managed=True)
    assert left == {GROUP: ["user:web-clone-1"], web: ["user:web-1"]}
