"""Subscriptions in memory, when the host does what a sandbox doesn't."""

import pytest
import trio

from albatross_client import replies as r
from albatross_client.errors import HostUnreachableError, RemoteProtocolError
from albatross_client.names import ROOT
from albatross_client.sandbox.memory_streams import MemoryStatsStream, next_wire
from albatross_client.sandbox.outbox import Garbled, Outbox

SUBSCRIBED = r.Wire(r.Header(ROOT), r.Said("subscribed"))


async def open_stream(host, *outgoing):
    outbox = Outbox(1)
    for each in outgoing:
        outbox.put(each)
    return outbox, await MemoryStatsStream.open(host, outbox, ROOT)


async def test_a_stream_that_the_host_closes_is_unreachable(memory_host):
    outbox, stream = await open_stream(memory_host, SUBSCRIBED)
    outbox.end()

    with pytest.raises(HostUnreachableError, match="closed the stream") as lost:
        await stream.receive()

    assert lost.value.sent


@pytest.mark.parametrize(
    "outgoing",
    [Garbled(), r.Wire(r.Header(ROOT), r.Done())],
    ids=["garbled", "other words"],
)
async def test_a_subscription_that_is_not_answered_by_words_is_none(
    memory_host, outgoing
):
    with pytest.raises(RemoteProtocolError):
        await open_stream(memory_host, outgoing)


async def test_data_of_another_kind_is_no_sample(memory_host):
    line = r.Wire(r.Header(ROOT), r.BlockChunk(None))
    _, stream = await open_stream(memory_host, SUBSCRIBED, line)

    with pytest.raises(RemoteProtocolError, match="BlockChunk, not StatsData"):
        await stream.receive()


async def test_a_closed_stream_gives_nothing_more(memory_host):
    _, stream = await open_stream(memory_host, SUBSCRIBED)

    await stream.aclose()

    with pytest.raises(trio.ClosedResourceError):
        await stream.receive()


async def test_a_conversation_may_be_lost_before_its_first_word():
    outbox = Outbox(1)
    outbox.cut()

    with pytest.raises(HostUnreachableError) as lost:
        await next_wire(outbox)

    assert lost.value.sent
