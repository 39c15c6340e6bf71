"""Connections whose other end is gone, and clocks that were wrong."""

import os
import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from albatross_client.certificates import load_authority, load_certificate
from albatross_client.client import Client
from albatross_client.endpoint import Endpoint
from albatross_client.errors import CertificateError
from albatross_client.names import ROOT
from albatross_client.sandbox.authority import ca_files
from tests.sandbox_fixtures import USER, tls_client


def sockets_to(port):
    """Yield a copy of each of our sockets that is connected to *port*."""
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if not stat.S_ISSOCK(entry.stat().st_mode):
                continue
            ours = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            continue
        with ours:
            try:
                peer = ours.getpeername()
            except OSError:
                continue
            if isinstance(peer, tuple) and peer[1] == port:
                yield ours


async def test_a_host_that_is_gone_without_a_word_is_noticed_within_a_minute(
    tls_sandbox,
):
    stream = await tls_client(tls_sandbox).stats(USER)

    kept = [
        (
            ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            + ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            * ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
        )
        for ours in sockets_to(tls_sandbox.port)
    ]
    await stream.aclose()

    assert kept == [(1, 60)]


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_put_right_dates_the_next_command_anew(
    tls_sandbox, hours
):
    files = ca_files(tls_sandbox.directory)
    endpoint = Endpoint(
        host="127.0.0.1",
        port=tls_sandbox.port,
        server_ca=load_certificate(files.certificate),
        authority=load_authority(files.certificate, files.key),
    )
    right = datetime.now(UTC)  # noqa: TID251 - the sandbox has the real one
    now = [right + timedelta(hours=hours)]
    client = Client(endpoint, clock=lambda: now[0])
    with pytest.raises(CertificateError, match="clock"):
        await client.info(ROOT)

    now[0] = right

    assert await client.info(ROOT) == {}
