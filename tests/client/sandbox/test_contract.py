"""What both clients of a sandbox promise: over TLS, and in memory."""

import hashlib
import zlib

import pytest
import trio
from attrs import evolve

from albatross_client.errors import (
    CertificateError,
    CommandRefusedError,
)
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    Block,
)
from albatross_client.values import (
    Arguments,
    BlockDevice,
    BlockInfo,
    Config,
    Interface,
    RestartOnExit,
)
from tests.sandbox_fixtures import (
    IMAGE,
    QUICK,
    USER,
    USER_POLICY,
    WEB,
)

DATA = Name(("user",), "data")


async def test_an_unknown_unikernel_is_not_there(side):
    found = await side.client.info(WEB)

    assert found == {}


async def test_a_created_unikernel_is_listed_with_what_it_was_created_from(side):
    config = Config(
        memory=64,
        cpuids=frozenset({1, 2}),
        interfaces=(Interface("service", mac=b"\x02\0\0\0\0\1"),),
        argv=("--port=80",),
        fail_behaviour=RestartOnExit(frozenset({1})),
        startup=7,
        numcpus=2,
    )

    await side.client.create(WEB, config, IMAGE)

    found = await side.client.info(ROOT)
    info = found[WEB]
    assert list(found) == [WEB]
    assert info.argv == ("--name=web", "--port=80")
    assert info.digest == hashlib.sha256(IMAGE).digest()
    assert info.interfaces[0].mac == b"\x02\0\0\0\0\1"
    assert (info.memory, info.cpuids, info.numcpus) == (64, frozenset({1, 2}), 2)
    assert (info.fail_behaviour, info.startup) == (config.fail_behaviour, 7)
    assert info.started is not None


async def test_a_host_learns_of_a_create_when_what_comes_before_is_done(side):
    known = []

    async def before():
        await trio.sleep(0.05)
        known.append(dict(side.host.state.unikernels))

    await side.client.create(WEB, Config(), IMAGE, before)

    assert known == [{}]
    assert list(await side.client.info(ROOT)) == [WEB]


async def test_a_host_never_learns_of_a_create_if_what_comes_before_fails(side):
    told = side.host.state.commands

    async def before():
        raise OverflowError("no room on disk")

    with pytest.raises(OverflowError, match="no room on disk"):
        await side.user_client.create(WEB, Config(), IMAGE, before)

    await trio.sleep(0.05)
    assert side.host.state.commands == told


async def test_names_are_absolute_for_a_domains_own_key(side):
    await side.user_client.create(WEB, Config(), IMAGE)

    assert list(await side.user_client.info(USER)) == [WEB]
    assert list(await side.user_client.policies(USER)) == [USER]


async def test_a_domains_key_does_not_reach_beyond_it(side):
    with pytest.raises(CertificateError):
        await side.user_client.info(Name(("other",), "web"))


async def test_an_image_comes_back_as_it_went(side):
    await side.client.create(WEB, Config(compressed=True), zlib.compress(IMAGE))

    image = await side.client.image(WEB)

    assert image == IMAGE


async def test_an_image_with_a_config_of_its_own_image_is_refused_here(side):
    with pytest.raises(ValueError, match="streamed"):
        await side.client.create(WEB, Config(image=IMAGE), IMAGE)


@pytest.mark.parametrize(
    ("config", "image", "text"),
    [
        pytest.param(Config(), b"MZ", "error during ELF parsing", id="image"),
        pytest.param(
            Config(memory=513),
            IMAGE,
            "maximum allowed memory (512, used 0) would be exceeded (requesting 513)",
            id="memory",
        ),
        pytest.param(
            Config(cpuids=frozenset({7})),
            IMAGE,
            "CPUids 7 are not allowed by policy",
            id="cpuids",
        ),
        pytest.param(
            Config(interfaces=(Interface("net", "nosuch"),)),
            IMAGE,
            "bridges nosuch not allowed by policy",
            id="bridges",
        ),
        pytest.param(
            Config(blocks=(BlockDevice("data"),)),
            IMAGE,
            "block device user:data not found",
            id="block",
        ),
    ],
)
async def test_a_create_is_refused_in_the_hosts_words(side, config, image, text):
    with pytest.raises(CommandRefusedError) as refusal:
        await side.client.create(WEB, config, image)

    assert str(refusal.value) == text
    assert await side.client.info(ROOT) == {}


async def test_a_second_create_of_a_name_is_refused(side):
    await side.client.create(WEB, Config(), IMAGE)

    with pytest.raises(CommandRefusedError, match="same name is already running"):
        await side.client.create(WEB, Config(), IMAGE)


async def test_a_create_where_no_policy_is_stored_is_not_sent(side):
    with pytest.raises(CertificateError, match="no policy for other:"):
        await side.client.create(Name(("other",), "web"), Config(), IMAGE)


async def test_a_destroyed_unikernel_is_gone_and_cannot_be_destroyed_again(side):
    await side.client.create(WEB, Config(), IMAGE)

    await side.client.destroy(WEB)

    assert await side.client.info(ROOT) == {}
    with pytest.raises(CommandRefusedError, match=r"^destroy: not found$"):
        await side.client.destroy(WEB)
    with pytest.raises(CommandRefusedError, match=r"^get: no unikernel found$"):
        await side.client.image(WEB)


async def test_a_restart_begins_a_new_process_with_other_arguments(side):
    await side.client.create(WEB, Config(), IMAGE)
    before = (await side.client.info(WEB))[WEB]
    await trio.sleep(0.002)

    await side.client.restart(WEB, Arguments(memory=48, argv=("x",), add_name=False))

    after = (await side.client.info(WEB))[WEB]
    assert (after.memory, after.argv) == (48, ("x",))
    assert after.started is not None
    assert before.started is not None
    assert after.started > before.started
    assert after.digest == before.digest


async def test_reading_changes_no_policy_and_acting_carries_the_stored_one(side):
    await side.client.create(WEB, Config(), IMAGE)

    policies = await side.client.policies(ROOT)

    assert policies == {
        ROOT: QUICK.root_policy,
        USER: USER_POLICY,
    }


async def test_a_delegated_policy_below_what_runs_refuses_every_command(side):
    side.host.set_policy(USER, evolve(USER_POLICY, unikernels=20))
    for number in range(USER_POLICY.unikernels + 1):
        name = Name(("user",), f"web-clone-{number}")
        side.host.create(name, Config(image=IMAGE))

    with pytest.raises(
        CommandRefusedError,
        match=r"^expected success when adding policy, got: .* to 10, running 11",
    ):
        await side.user_client.info(USER)


async def test_a_delegated_policy_is_stored_again_by_every_command(side):
    side.host.set_policy(USER, evolve(USER_POLICY, unikernels=20))

    await side.user_client.info(USER)

    assert side.host.state.policies[USER] == USER_POLICY


async def test_block_devices_are_made_filled_read_and_removed(side):
    content = bytes(range(256)) * 1000

    await side.client.block_add(DATA, 1)
    await side.client.block_set(DATA, zlib.compress(content), compressed=True)
    dumped = await side.client.block_dump(DATA)
    listed = await side.client.blocks(ROOT)
    await side.client.block_remove(DATA)

    assert dumped == content.ljust(1024 * 1024, b"\0")
    assert listed == (Block(DATA, 1, active=False),)
    assert await side.client.blocks(ROOT) == ()


async def test_a_device_in_use_is_active_and_cannot_be_removed(side):
    await side.client.block_add(DATA, 1)
    config = Config(blocks=(BlockDevice("storage", "data", 4096),))

    await side.client.create(WEB, config, IMAGE)

    assert await side.client.blocks(DATA) == (Block(DATA, 1, active=True),)
    info = (await side.client.info(WEB))[WEB]
    assert info.blocks == (BlockInfo("storage", "data", 4096, 1),)
    with pytest.raises(CommandRefusedError, match=r"^remove block: is in use$"):
        await side.client.block_remove(DATA)


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        pytest.param([1, 1], "block device with same name already exists", id="twice"),
        pytest.param(
            [1_048_576],
            "block device policy limit of 100 MB (used 0 MB) would be exceeded by the "
            "request (1048576 MB)",
            id="limit",
        ),
    ],
)
async def test_a_block_device_is_refused_in_the_hosts_words(side, sizes, text):
    *before, last = sizes
    for size in before:
        await side.client.block_add(DATA, size)

    with pytest.raises(CommandRefusedError) as refusal:
        await side.client.block_add(DATA, last)

    assert str(refusal.value) == text


async def test_a_device_that_is_not_there_cannot_be_removed(side):
    with pytest.raises(CommandRefusedError, match=r"^remove block: not found$"):
        await side.client.block_remove(DATA)
