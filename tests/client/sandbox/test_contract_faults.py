"""Faults are the same in memory and behind TLS."""

import pytest
import trio

from albatross_client.errors import (
    CertificateError,
    CommandRefusedError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.names import ROOT
from albatross_client.sandbox import faults
from albatross_client.values import (
    Config,
)
from tests.sandbox_fixtures import (
    CLONE,
    IMAGE,
    USER,
    WEB,
)


async def test_a_lost_reply_leaves_the_command_done(side):
    side.host.inject(faults.Rule(fault=faults.ReplyLost(), verb="create"))

    with pytest.raises(HostUnreachableError) as lost:
        await side.client.create(WEB, Config(), IMAGE)

    assert lost.value.sent
    assert list(await side.client.info(ROOT)) == [WEB]


async def test_an_end_without_a_frame_is_a_refusal_that_changed_nothing(side):
    side.host.inject(faults.Rule(fault=faults.NoFrame(), verb="create"))

    with pytest.raises(CommandRefusedError):
        await side.client.create(WEB, Config(), IMAGE)

    assert await side.client.info(ROOT) == {}


async def test_an_injected_refusal_has_its_text(side):
    side.host.inject(faults.Rule(fault=faults.Refused("no more taps"), name=USER))

    with pytest.raises(CommandRefusedError, match=r"^no more taps$"):
        await side.client.create(WEB, Config(), IMAGE)


async def test_a_slow_reply_comes_in_the_end(side):
    side.host.inject(faults.Rule(fault=faults.SlowReply(0.05), verb="info"))
    began = trio.current_time()

    await side.client.info(ROOT)

    assert trio.current_time() - began >= 0.05


@pytest.mark.parametrize(
    "fault",
    [faults.ExpiredCertificate(), faults.ForeignCertificate()],
    ids=["expired", "foreign"],
)
async def test_a_wrong_server_certificate_is_refused(side, fault):
    side.host.inject(faults.Rule(fault=fault))

    with pytest.raises(CertificateError):
        await side.client.info(ROOT)

    assert await side.client.info(ROOT) == {}


@pytest.mark.parametrize(
    ("event", "error"),
    [
        pytest.param(faults.StreamCut(), HostUnreachableError, id="cut"),
        pytest.param(faults.HostDown(0.2), HostUnreachableError, id="down"),
        pytest.param(faults.StreamEvicted(), CommandRefusedError, id="evicted"),
        pytest.param(faults.OversizedFrame(), RemoteProtocolError, id="oversized"),
    ],
)
async def test_an_event_ends_a_stream_as_it_would_on_a_real_host(side, event, error):
    async with await side.client.stats(USER) as stream:
        side.host.strike(event)

        with pytest.raises(error):
            await stream.receive()


async def test_a_malformed_frame_is_skipped_and_counted(side):
    await side.client.create(WEB, Config(), IMAGE)
    async with await side.client.stats(USER) as stream:
        side.host.strike(faults.MalformedFrame())

        heard = await stream.receive()

    assert heard.name == WEB
    assert stream.malformed == 1
    assert stream.skipped == {"malformed": 1}


async def test_a_host_that_is_down_is_unreachable_and_knows_of_no_command(side):
    side.host.strike(faults.HostDown(60))

    with pytest.raises(HostUnreachableError):
        await side.client.create(WEB, Config(), IMAGE)

    assert side.host.state.unikernels == {}


async def test_a_full_policy_refuses_the_next_create(side):
    await side.client.create(WEB, Config(), IMAGE)
    side.host.strike(faults.PolicyFull(USER))

    with pytest.raises(
        CommandRefusedError, match=r"^maximum amount of unikernels \(1\) reached$"
    ):
        await side.client.create(CLONE, Config(), IMAGE)
