"""What the sandbox host keeps beside unikernels: policies and blocks."""

import zlib

import pytest
from attrs import evolve

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.host import (
    CHUNK_BYTES,
    handle,
    new_host,
)
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.values import (
    BlockDevice,
    Config,
)
from tests.client.sandbox.asking import NOW, TEAM, a_host, ask, replies, reply
from tests.sandbox_fixtures import IMAGE, USER, USER_POLICY, WEB

DATA = Name(("user",), "data")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (ROOT, {":", "user:", "user:team:"}),
        (USER, {":", "team:"}),
        (WEB, {":", "team:"}),
        (Name(("other",)), set()),
    ],
    ids=["root", "domain", "path of a label", "unknown"],
)
def test_policies_are_named_relative_to_the_path_asked(asked, shown):
    smaller = evolve(USER_POLICY, unikernels=1)
    host = new_host(DEFAULT_ROOT_POLICY, {USER: USER_POLICY, TEAM: smaller})

    wire = reply(host, asked, c.PolicyInfo())

    assert {str(name) for name, _ in wire.payload.policies} == shown


@pytest.mark.parametrize(
    ("command", "stored"),
    [
        (c.UnikernelInfo(), True),
        (c.PolicyInfo(), True),
        (c.BlockInfoAsked(), True),
        (c.UnikernelDestroy(), True),
        (c.StatsSubscribe(), False),
        (c.ConsoleSubscribe(1), False),
        (c.ConsoleListInactive(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_chains_policies_are_stored_by_all_but_stats_and_console(command, stored):
    policies = ((Name(("new",)), USER_POLICY),)
    name = Name(("new",), "x")

    host, _ = handle(a_host(), ask(name, command, policies=policies), NOW)

    assert (Name(("new",)) in host.policies) is stored


def test_a_policy_is_stored_even_when_the_command_fails():
    policies = ((USER, evolve(USER_POLICY, memory=100)),)

    host, _ = handle(a_host(), ask(WEB, c.UnikernelDestroy(), policies=policies), NOW)

    assert host.policies[USER].memory == 100


def test_a_dump_comes_in_pieces_that_end_with_none():
    content = bytes(100_000)
    host, _ = handle(a_host(), ask(DATA, c.BlockAdd(1)), NOW)
    host, _ = handle(host, ask(DATA, c.BlockSet(compressed=False), upload=content), NOW)

    _, effects = handle(host, ask(DATA, c.BlockDump(6)), NOW)

    first, *pieces, last = replies(effects)
    assert first.payload == r.BlockImage(compressed=True)
    assert last == r.Wire(r.Header(DATA, 0), r.BlockChunk(None))
    octets = b"".join(piece.payload.content for piece in pieces)
    assert zlib.decompress(octets) == bytes(1024 * 1024)
    assert max(len(piece.payload.content) for piece in pieces) <= CHUNK_BYTES


def test_older_block_commands_have_their_content_in_them():
    host, _ = handle(
        a_host(), ask(DATA, c.OldBlockAdd(1, compressed=False, content=b"old")), NOW
    )
    dumped = reply(host, DATA, c.OldBlockDump(0)).payload
    host, _ = handle(
        host,
        ask(DATA, c.OldBlockSet(compressed=True, content=zlib.compress(b"new"))),
        NOW,
    )
    dumped_again = reply(host, DATA, c.OldBlockDump(1)).payload

    assert dumped == r.OldBlockImage(
        compressed=False, content=b"old".ljust(1024 * 1024, b"\0")
    )
    assert zlib.decompress(dumped_again.content)[:3] == b"new"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (c.BlockRemove(), "remove block: is in use"),
        (c.BlockSet(compressed=False), "set block: is in use"),
        (c.BlockDump(0), "dump block: is in use"),
        (c.OldBlockDump(0), "dump block: is in use"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_device_in_use_is_left_alone(command, text):
    host, _ = handle(a_host(), ask(DATA, c.BlockAdd(1)), NOW)
    config = Config(image=IMAGE, blocks=(BlockDevice("data"),))
    host, _ = handle(host, ask(WEB, c.UnikernelCreate(config)), NOW)

    assert reply(host, DATA, command).payload == r.Failure(text)


@pytest.mark.parametrize(
    ("command", "upload", "text"),
    [
        (c.BlockSet(compressed=False), b"x", "set block: not found"),
        (c.BlockDump(0), None, "dump block: not found"),
        (c.BlockRemove(), None, "remove block: not found"),
        (
            c.OldBlockAdd(0, compressed=False, content=b"x"),
            None,
            "data exceeds block size",
        ),
        (
            c.OldBlockAdd(1, compressed=True, content=b"x"),
            None,
            "error during decompression",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, c.Command) else "",
)
def test_a_device_that_is_not_there_is_not_found(command, upload, text):
    assert reply(a_host(), DATA, command, upload=upload).payload == r.Failure(text)


@pytest.mark.parametrize(
    ("compressed", "upload", "text"),
    [
        (False, bytes(1024 * 1024 + 1), "data exceeds block size"),
        (True, b"x", "error during decompression"),
    ],
    ids=["too long", "no zlib stream"],
)
def test_content_that_does_not_fit_is_refused(compressed, upload, text):
    host, _ = handle(a_host(), ask(DATA, c.BlockAdd(1)), NOW)

    wire = reply(host, DATA, c.BlockSet(compressed), upload=upload)

    assert wire.payload == r.Failure(text)


def test_blocks_are_named_relative_to_a_path_and_wholly_for_one():
    host, _ = handle(a_host(), ask(DATA, c.BlockAdd(1)), NOW)

    below = reply(host, USER, c.BlockInfoAsked()).payload
    one = reply(host, DATA, c.BlockInfoAsked()).payload
    none = reply(host, WEB, c.BlockInfoAsked()).payload

    assert [str(block.name) for block in below.blocks] == [":data"]
    assert [str(block.name) for block in one.blocks] == ["user:data"]
    assert none == r.Blocks(())
