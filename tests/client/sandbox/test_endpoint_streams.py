"""What follows the handshake: uploads, streams, and how they end."""

import pytest
import trio

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client.framing import frame
from albatross_client.names import ROOT, Name
from albatross_client.sandbox import server
from albatross_client.sandbox.authority import (
    delegate,
)
from albatross_client.values import Config
from albatross_client.wire import decode, encode_command
from tests.client.sandbox.leaves import NOW, Leaf, a_ca, connect, talk
from tests.sandbox_fixtures import IMAGE, USER_POLICY, WEB


def create(image=b""):
    return encode_command(c.UnikernelCreate(Config(image=image)))


def at_web(sandbox, command):
    user = delegate(a_ca(sandbox), "user", USER_POLICY, NOW)
    return Leaf(common_name="web", command=command).sign(user)


async def test_an_image_is_streamed_in_chunks_that_an_empty_one_ends(tls_sandbox):
    chunks = [frame(IMAGE[:7]), frame(IMAGE[7:]) + frame(b"")]

    (wire,) = await talk(tls_sandbox, at_web(tls_sandbox, create()), chunks)

    assert wire == r.Wire(r.Header(WEB, 0), r.Said("created unikernel"))
    assert tls_sandbox.host.state.unikernels[WEB].config.image == IMAGE


async def test_an_image_in_the_certificate_needs_no_stream(tls_sandbox):
    (wire,) = await talk(tls_sandbox, at_web(tls_sandbox, create(IMAGE)))

    assert wire.payload == r.Said("created unikernel")


async def test_an_upload_that_does_not_end_properly_gets_no_reply(tls_sandbox):
    stream = await connect(tls_sandbox, at_web(tls_sandbox, create()))

    await stream.send_all(frame(IMAGE))
    await stream.aclose()

    (wire,) = await talk(tls_sandbox, Leaf().sign(a_ca(tls_sandbox)))
    assert wire.payload == r.Infos(())


@pytest.mark.parametrize(
    "octets",
    [b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"],
    ids=["endless chunk", "another protocol"],
)
async def test_an_upload_that_is_none_gets_no_reply(tls_sandbox, octets):
    wires = await talk(tls_sandbox, at_web(tls_sandbox, create()), [octets])

    assert wires == []


async def test_an_upload_without_end_gets_no_reply(tls_sandbox, monkeypatch):
    monkeypatch.setattr(server, "MAX_UPLOAD_BYTES", 1000)
    chunks = [frame(bytes(600)), frame(bytes(600))]

    wires = await talk(tls_sandbox, at_web(tls_sandbox, create()), chunks)

    assert wires == []


async def test_what_a_client_says_after_its_command_is_not_looked_at(tls_sandbox):
    leaf = Leaf(command=encode_command(c.StatsSubscribe()))
    tls_sandbox.host.create(Name((), "a"), Config(image=IMAGE))
    stream = await connect(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))

    await stream.receive_some()
    await stream.send_all(b"hello?")

    assert decode((await stream.receive_some())[4:]).header.name == Name((), "a")
    await trio.aclose_forcefully(stream)


async def test_who_hangs_up_frees_the_path(tls_sandbox):
    leaf = Leaf(command=encode_command(c.StatsSubscribe()))
    stream = await connect(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))
    await stream.receive_some()
    assert list(tls_sandbox.host.state.listeners) == [ROOT]

    await trio.aclose_forcefully(stream)

    with trio.fail_after(5):
        while tls_sandbox.host.state.listeners:
            await trio.sleep(0.001)


async def test_every_frame_is_one_record(tls_sandbox):
    for label in ("a", "b", "c"):
        tls_sandbox.host.create(Name((), label), Config(image=IMAGE))
    leaf = Leaf(command=encode_command(c.StatsSubscribe()))
    stream = await connect(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))

    # One receive_some of trio's returns one record.
    records = [await stream.receive_some() for _ in range(7)]

    lengths = [int.from_bytes(record[:4], "big") + 4 for record in records]
    assert lengths == [len(record) for record in records]
    await trio.aclose_forcefully(stream)
