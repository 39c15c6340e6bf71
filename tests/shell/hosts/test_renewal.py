"""Keys that are replaced on disk while a daemon runs."""

from datetime import timedelta
from typing import Any

import pytest

from albatross_client import hosts
from albatross_client.certificates import wall_clock
from albatross_client.errors import CertificateError
from albatross_client.names import Name
from albatross_client.sandbox.authority import (
    ca_files,
    delegate,
    domain_files,
    load_or_make_ca,
    write,
)
from autoscaler.shell.assemble import open_host
from autoscaler.shell.configuration.host_tables import HostSettings
from autoscaler.shell.hosts.host import Subscribe
from autoscaler.shell.hosts.renewal import RenewingHost
from autoscaler.shell.log import Log
from tests.sandbox_fixtures import USER, USER_POLICY

YEARS_AGO = timedelta(days=10_000)


class Scene:
    """A sandbox and a daemon's way to it, with the keys of one domain."""

    def __init__(self, sandbox):
        self.files = domain_files(sandbox.directory, USER)
        self.directory = sandbox.directory
        self.access = hosts.HostSettings(
            name="alpha",
            host="127.0.0.1",
            port=sandbox.port,
            server_ca=ca_files(sandbox.directory).certificate,
            ca=self.files.certificate,
            ca_key=self.files.key,
        )
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.log = Log(
            lambda _level, name, fields: self.events.append((name, dict(fields)))
        )

    def signed(self, ago=timedelta(0)):
        """Return a new CA of the domain, as the operator signs it."""
        now = wall_clock() - ago
        ca = load_or_make_ca(self.directory, wall_clock())
        return delegate(ca, "user", USER_POLICY, now)

    def open(self):
        return RenewingHost(self.access, self.log)

    @property
    def names(self):
        return [name for name, _ in self.events]


@pytest.fixture
async def scene(tls_sandbox):
    """A sandbox over TLS, on real sockets."""
    return Scene(tls_sandbox)


async def test_a_ca_that_has_expired_is_replaced_without_a_restart(scene):
    write(scene.files, scene.signed(ago=YEARS_AGO))
    host = scene.open()
    with pytest.raises(CertificateError, match="expired"):
        await host.info(USER)

    write(scene.files, scene.signed())
    infos = await host.info(USER)

    assert infos == {}
    assert scene.names == ["certificate_expired", "keys_renewed"]


async def test_keys_that_stay_are_read_once(scene):
    host = scene.open()
    await host.info(USER)
    before = host.dates

    await host.info(USER)

    assert host.dates == before
    assert scene.events == []


async def test_a_bad_new_file_leaves_the_old_keys_in_use_and_is_said_once(scene):
    host = scene.open()
    scene.files.key.write_bytes(b"no key")

    answers = [await host.info(USER) for _ in range(3)]

    assert answers == [{}, {}, {}]
    assert scene.names == ["keys_refused"]
    assert str(scene.files.key) in scene.events[0][1]["error"]


async def test_a_file_that_is_gone_leaves_the_old_keys_in_use(scene):
    host = scene.open()
    scene.files.certificate.unlink()

    answer = await host.info(USER)

    assert answer == {}
    assert scene.names == ["keys_refused"]


async def test_files_that_are_replaced_one_after_the_other_are_used_once_they_fit(
    scene,
):
    host = scene.open()
    old = scene.files.key.read_bytes()
    write(scene.files, scene.signed())
    new = scene.files.key.read_bytes()
    scene.files.key.write_bytes(old)

    between = await host.info(USER)
    scene.files.key.write_bytes(new)
    after = await host.info(USER)

    assert between == after == {}
    assert scene.names == ["keys_refused", "keys_renewed"]


async def test_a_key_that_others_can_read_is_not_taken(scene):
    host = scene.open()
    scene.files.key.chmod(0o644)
    write(scene.files, scene.signed())
    scene.files.key.chmod(0o644)

    await host.info(USER)

    assert scene.names == ["keys_refused"]


async def test_the_servers_certificate_is_watched_too(scene):
    host = scene.open()
    ours = host.dates

    await host.info(USER)

    assert len(host.dates) == len(ours) + 1


async def test_a_certificate_that_ends_soon_is_said_at_the_next_command(scene):
    write(scene.files, scene.signed())
    host = scene.open()
    soon = min(each.ends for each in host.dates) - timedelta(days=6)
    host.clock = lambda: soon

    await host.policies(USER)

    assert "certificate_expiring" in scene.names
    assert scene.events[0][1]["days_left"] == 6.0


async def test_a_stream_of_the_whole_host_needs_the_roots_keys(scene):
    wanted = HostSettings("alpha", scene.access, None, Subscribe.ROOT)

    with pytest.raises(CertificateError, match='subscribe = "root" needs the root'):
        open_host(wanted)


async def test_a_subscription_uses_the_newest_keys(scene):
    write(scene.files, scene.signed(ago=YEARS_AGO))
    host = scene.open()
    write(scene.files, scene.signed())

    stream = await host.stats(Name(("user",), "web"))
    await stream.aclose()

    assert "keys_renewed" in scene.names
