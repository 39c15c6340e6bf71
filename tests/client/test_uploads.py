"""Images on their way to hosts that take, refuse or lose them."""

import threading

import pytest
import trio

from albatross_client.client import Client
from albatross_client.errors import (
    CertificateError,
    CommandRefusedError,
    HostUnreachableError,
)
from albatross_client.names import Name
from albatross_client.replies import (
    Failure,
    Said,
)
from albatross_client.values import Config
from tests.client.endpoint_server import (
    cut,
    message,
    read_exactly,
    read_upload,
    say,
)
from tests.client.pki import root

WEB = Name.parse(":web")


async def test_an_image_arrives_in_chunks_and_is_ended(serve, endpoint):
    image = bytes(range(256)) * 1000
    received = []

    def take(connection):
        received.append(read_upload(connection))
        connection.sendall(message(Said("created unikernel")))

    with serve(take) as host:
        await Client(endpoint(host.port)).create(WEB, Config(), image)

    assert received == [image]


async def test_the_reason_for_a_refusal_is_not_lost_in_an_upload(serve, endpoint):
    """A host may refuse while we send: its words come before the reset."""

    def refuse_early(connection):
        read_exactly(connection, 10)
        connection.sendall(message(Failure("Unikernel with same name is running")))

    with serve(refuse_early) as host:
        client = Client(endpoint(host.port))
        for _ in range(10):
            with pytest.raises(CommandRefusedError, match="same name"):
                await client.create(WEB, Config(), bytes(8_000_000))


async def test_the_alert_that_explains_a_refusal_is_not_lost_in_an_upload(
    serve, endpoint
):
    with serve(say(), trusted=root("other")) as host:
        client = Client(endpoint(host.port))
        for _ in range(10):
            with pytest.raises(CertificateError, match="unknown_ca"):
                await client.create(WEB, Config(), bytes(8_000_000))


async def test_a_connection_lost_in_an_upload_is_ambiguous(serve, endpoint):
    def cut_early(connection):
        read_exactly(connection, 100_000)
        cut()(connection)

    with serve(cut_early) as host, pytest.raises(HostUnreachableError) as caught:
        await Client(endpoint(host.port)).create(WEB, Config(), bytes(8_000_000))

    assert caught.value.sent


async def test_an_upload_can_be_cancelled_while_the_host_reads_nothing(serve, endpoint):
    release = threading.Event()
    with serve(lambda _: release.wait(10)) as host:
        try:
            with trio.move_on_after(0.3) as scope:
                await Client(endpoint(host.port)).create(
                    WEB, Config(), bytes(64_000_000)
                )
        finally:
            release.set()

    assert scope.cancelled_caught


async def test_a_config_with_an_image_is_refused_before_anything_is_sent(endpoint):
    with pytest.raises(ValueError, match="the image is streamed"):
        await Client(endpoint(1)).create(WEB, Config(image=b"x"), b"x")
