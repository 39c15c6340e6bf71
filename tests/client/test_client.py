"""What the client makes of its verbs, against a sandbox and scripted hosts."""

from datetime import timedelta

import pytest
import trio
from attrs import evolve

from albatross_client.certificates import load_authority, wall_clock
from albatross_client.client import Client
from albatross_client.commands import (
    PolicyInfo,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelGet,
    UnikernelInfo,
    UnikernelRestart,
)
from albatross_client.errors import (
    CertificateError,
    CommandRefusedError,
    RemoteProtocolError,
)
from albatross_client.minting import VALID_BEFORE
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    Block,
    BlockChunk,
    BlockImage,
    Blocks,
    Done,
    Failure,
    Infos,
    OldInfos5,
    Policies,
    Said,
    UnikernelImage,
)
from albatross_client.values import Config, Info, ResourcePolicy
from tests.client.endpoint_server import message, read_upload, say
from tests.client.pki import POLICY, domain_ca, write
from tests.sandbox_fixtures import (
    IMAGE,
    QUICK,
    USER,
    USER_POLICY,
    WEB,
    start_tls_sandbox,
    tls_client,
)

TEAM = Name.parse("user:team:")
A_REPLY = message(Said("done"))
NOTHING_RUNS = message(Infos(()))
POLICIES = message(Policies(((ROOT, POLICY), (USER, POLICY), (TEAM, POLICY))))


def user_client(endpoint, tmp_path, ca, port):
    directory = tmp_path / "user"
    directory.mkdir()
    write(directory, domain_ca("user", ca), ca)
    authority = load_authority(directory / "ca.pem", directory / "ca.key")
    return Client(endpoint(port, authority=authority))


async def test_reads_act_at_the_root_and_show_what_was_asked(serve, endpoint):
    infos = message(
        Infos(
            tuple(
                (Name.parse(text), Info())
                for text in (":solo", "user:web", "user:team:web", "users:web")
            )
        )
    )
    with serve(say(infos)) as host:
        client = Client(endpoint(host.port))
        below = await client.info(USER)
        one = await client.info(WEB)
        none = await client.info(Name.parse("user:gone"))

    assert {str(name) for name in below} == {"user:web", "user:team:web"}
    assert set(one) == {WEB}
    assert none == {}
    assert host.asked == [(".", UnikernelInfo())] * 3


async def test_policies_are_those_at_below_and_above(serve, endpoint):
    other = (Name.parse("other:"), POLICY)
    everything = Policies(((ROOT, POLICY), (USER, POLICY), (TEAM, POLICY), other))
    with serve(say(message(everything))) as host:
        client = Client(endpoint(host.port))

        assert set(await client.policies(USER)) == {ROOT, USER, TEAM}
        assert set(await client.policies(TEAM)) == {ROOT, USER, TEAM}
        assert len(await client.policies(ROOT)) == 4


async def test_a_domain_key_reads_at_its_own_path_and_names_absolutely(
    serve, endpoint, tmp_path, ca
):
    infos = message(Infos(((Name.parse(":web"), Info()),)))
    policies = message(Policies(((ROOT, POLICY), (Name.parse("team:"), POLICY))))
    blocks = message(Blocks((Block(Name.parse("team:disk"), 7, active=True),)))
    with serve(say(infos), say(policies), say(blocks)) as host:
        client = user_client(endpoint, tmp_path, ca, host.port)

        assert set(await client.info(USER)) == {WEB}
        assert set(await client.policies(USER)) == {USER, TEAM}
        assert [str(each.name) for each in await client.blocks(USER)] == [
            "user:team:disk"
        ]

    assert [name for name, _ in host.asked] == [".", ".", "."]


async def test_names_outside_a_domain_key_never_reach_the_network(
    endpoint, tmp_path, ca
):
    client = user_client(endpoint, tmp_path, ca, 1)
    stranger = Name.parse("other:web")
    for verb in (
        lambda: client.info(stranger),
        lambda: client.policies(ROOT),
        lambda: client.create(stranger, Config(), b""),
        lambda: client.destroy(stranger),
        lambda: client.stats(ROOT),
        lambda: client.console(stranger, 1),
        lambda: client.image(stranger),
        lambda: client.blocks(stranger),
    ):
        with pytest.raises(CertificateError, match="lies outside user:"):
            await verb()


async def test_a_change_below_the_root_reads_the_policies_first(serve, endpoint):
    with serve(say(POLICIES), say(A_REPLY)) as host:
        await Client(endpoint(host.port)).destroy(Name.parse("user:team:web"))

    assert host.asked == [(".", PolicyInfo()), ("web", UnikernelDestroy())]


async def test_a_change_at_the_own_path_reads_nothing_first(serve, endpoint):
    with serve(say(A_REPLY)) as host:
        await Client(endpoint(host.port)).restart(Name.parse(":web"), None)

    assert host.asked == [("web", UnikernelRestart(None))]


async def test_a_domain_without_a_policy_is_not_given_one_by_accident(serve, endpoint):
    with serve(say(message(Policies(((USER, POLICY),)))), say(A_REPLY)) as host:
        client = Client(endpoint(host.port))
        with pytest.raises(CertificateError, match=r"no policy for user:team:") as told:
            await client.destroy(Name.parse("user:team:web"))

    assert "under policies in the host's table" in str(told.value)
    assert host.asked == [(".", PolicyInfo())]


async def test_a_configured_policy_stands_in_where_the_host_has_none(nursery, tmp_path):
    sandbox = await start_tls_sandbox(nursery, tmp_path, QUICK)
    new = Name.parse("new:")
    small = ResourcePolicy(cpuids=frozenset({0}), unikernels=1, memory=64)
    own = tls_client(sandbox).endpoint
    client = Client(evolve(own, policies={new: small, USER: small}))

    await client.create(Name.parse("new:web"), Config(), IMAGE)
    await client.create(WEB, Config(), IMAGE)

    stored = await client.policies(ROOT)
    assert stored[new] == small
    assert stored[USER] == USER_POLICY


@pytest.mark.parametrize(
    "answer", [Done(), OldInfos5(()), Policies(()), Blocks(())], ids=str
)
async def test_an_answer_to_something_else_is_no_answer(serve, endpoint, answer):
    with serve(say(message(answer))) as host:
        client = Client(endpoint(host.port))
        with pytest.raises(RemoteProtocolError, match="no answer to this"):
            await client.info(ROOT)


async def test_an_image_of_many_records_comes_whole(serve, endpoint):
    image = bytes(range(256)) * 20_000
    with serve(say(message(UnikernelImage(compressed=False, image=image)))) as host:
        got = await Client(endpoint(host.port)).image(Name.parse(":web"))

    assert got == image
    assert host.asked == [("web", UnikernelGet(0))]


@pytest.mark.parametrize(
    ("frames", "kind", "text"),
    [
        pytest.param((), CommandRefusedError, "without an answer", id="nothing"),
        pytest.param(
            (message(UnikernelImage(compressed=False, image=bytes(9999)))[:-1],),
            RemoteProtocolError,
            "inside its reply",
            id="cut off",
        ),
        pytest.param(
            (message(Failure("get: no unikernel found")),),
            CommandRefusedError,
            "get: no unikernel found",
            id="failure",
        ),
        pytest.param((A_REPLY,), RemoteProtocolError, "Said where content", id="words"),
    ],
)
async def test_no_image_is_told_apart(serve, endpoint, frames, kind, text):
    with serve(say(*frames)) as host, pytest.raises(kind, match=text):
        await Client(endpoint(host.port)).image(Name.parse(":web"))


BEGUN = message(BlockImage(compressed=False))


@pytest.mark.parametrize(
    ("frames", "kind", "text"),
    [
        pytest.param(
            (BEGUN, message(BlockChunk(b"a"))),
            RemoteProtocolError,
            "inside its reply",
            id="no end",
        ),
        pytest.param(
            (BEGUN, message(Failure("oh"))), CommandRefusedError, "oh", id="failure"
        ),
        pytest.param(
            (BEGUN, A_REPLY), RemoteProtocolError, "inside a block dump", id="words"
        ),
        pytest.param(
            (A_REPLY,), RemoteProtocolError, "Said where content", id="no begin"
        ),
    ],
)
async def test_a_broken_dump_is_told(serve, endpoint, frames, kind, text):
    with serve(say(*frames)) as host, pytest.raises(kind, match=text):
        await Client(endpoint(host.port)).block_dump(Name.parse(":disk"))


async def test_a_dump_is_put_together(serve, endpoint):
    chunks = (message(BlockChunk(b"ab")), message(BlockChunk(b"c")))
    with serve(say(BEGUN, *chunks, message(BlockChunk(None)))) as host:
        assert await Client(endpoint(host.port)).block_dump(Name.parse(":d")) == b"abc"


async def test_many_commands_at_once_do_not_mix(nursery, tmp_path):
    sandbox = await start_tls_sandbox(nursery, tmp_path, QUICK)
    client = tls_client(sandbox)
    names = [Name(("user",), f"w{number}") for number in range(8)]

    async with trio.open_nursery() as together:  # noqa: TID251 - ends here
        for name in names:
            together.start_soon(client.create, name, Config(), IMAGE)

    assert set(await client.info(USER)) == set(names)
    assert await client.image(names[0]) == IMAGE


class Clock:
    """Tells the time that a test says it is."""

    def __init__(self):
        self.now = wall_clock().replace(microsecond=0)

    def __call__(self):
        return self.now


def take_upload(connection):
    read_upload(connection)
    connection.sendall(A_REPLY)


# What a root key's create asks is answered by the last two.
CREATING = (say(POLICIES), say(NOTHING_RUNS), say(POLICIES), take_upload)


async def test_an_expected_create_is_signed_while_another_answer_is_awaited(
    serve, endpoint
):
    clock = Clock()
    with serve(*CREATING) as host:
        client = Client(endpoint(host.port), clock=clock)
        await client.policies(USER)
        client.prepare(WEB, Config())
        expected_at = clock.now
        await client.info(USER)
        clock.now += timedelta(seconds=20)

        await client.create(WEB, Config(), IMAGE)

    assert host.asked[-1] == ("web", UnikernelCreate(Config()))
    assert host.leafs[-1].not_valid_before_utc == expected_at - VALID_BEFORE


@pytest.mark.parametrize(
    ("name", "config"),
    [
        pytest.param(WEB, Config(memory=64), id="another configuration"),
        pytest.param(WEB, Config(memory=1 << 63), id="no form on the wire"),
        pytest.param(Name.parse("a:web"), Config(), id="a domain without a policy"),
    ],
)
async def test_what_is_expected_in_vain_is_never_shown(serve, endpoint, name, config):
    clock = Clock()
    with serve(*CREATING) as host:
        client = Client(endpoint(host.port), clock=clock)
        await client.policies(USER)
        client.prepare(name, config)
        await client.info(USER)
        clock.now += timedelta(seconds=20)

        await client.create(WEB, Config(), IMAGE)

    assert host.asked[-1] == ("web", UnikernelCreate(Config()))
    assert host.leafs[-1].not_valid_before_utc == clock.now - VALID_BEFORE


async def test_a_policy_that_was_changed_after_a_create_was_signed_stays(tls_sandbox):
    client = tls_client(tls_sandbox)
    await client.policies(USER)
    client.prepare(WEB, Config())
    await client.info(USER)
    wider = evolve(USER_POLICY, memory=500)
    tls_sandbox.host.set_policy(USER, wider)

    await client.create(WEB, Config(), IMAGE)

    assert (await client.policies(USER))[USER] == wider
