"""A host whose files of keys may be replaced while the daemon runs.

Laws: whatever has changed on disk is used from the next command on; what can't
be used changes nothing but the log; a file that is replaced in pieces is read
again with each of them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import trio
from attrs import define, field

from albatross_client.certificates import Validity, wall_clock
from albatross_client.client import Client
from albatross_client.errors import CertificateError
from albatross_client.hosts import HostSettings, open_private_endpoint
from albatross_client.names import Name
from albatross_client.tls_stream import Before
from albatross_client.values import Config, Info, ResourcePolicy
from autoscaler.shell.hosts.expiry import Expiry
from autoscaler.shell.hosts.host import ConsoleSource, StatsSource
from autoscaler.shell.log import Log
from autoscaler.shell.marks import Mark, mark_of


@define
class RenewingHost:
    """Talks to one host with the keys that are on disk.

    Attributes:
        access: Address and files.
        log: Told of files that changed, and of certificates that expire.
        clock: The real time, aware.
    """

    access: HostSettings
    log: Log
    clock: Callable[[], datetime] = wall_clock
    _marks: tuple[Mark | None, ...] = field(init=False)
    _newest: Client = field(init=False)
    _expiry: Expiry = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Read the files.

        Raises:
            CertificateError: One can't be read, or they don't fit together.
        """
        self._marks = _marks(self.access)
        self._newest = self._open()
        self._expiry = Expiry(self.access.name, self.log)

    @property
    def domain(self) -> Name:
        """Where our keys act; the root's act everywhere."""
        return self._newest.endpoint.authority.domain

    @property
    def dates(self) -> tuple[Validity, ...]:
        """From when until when our certificates hold, and the server's."""
        server = self._newest.server
        ours = self._newest.endpoint.validity
        return ours if server is None else (*ours, server)

    async def info(self, name: Name) -> Mapping[Name, Info]:
        """Return what runs at and below *name*, by absolute name."""
        return await (await self._client()).info(name)

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        """Return the policies above, at and below *domain*."""
        return await (await self._client()).policies(domain)

    async def console(self, name: Name, count: int) -> ConsoleSource:
        """Follow the console of *name*, from *count* lines back."""
        return await (await self._client()).console(name, count)

    async def image(self, name: Name) -> bytes:
        """Return the uncompressed image of *name*."""
        return await (await self._client()).image(name)

    def prepare(self, name: Name, config: Config) -> None:
        """Expect a create of this: what it takes may be done ahead of it."""
        self._newest.prepare(name, config)

    async def create(
        self,
        name: Name,
        config: Config,
        image: bytes,
        before: Before,
    ) -> None:
        """Create *name* after *before*; refused when one of it runs."""
        await (await self._client()).create(name, config, image, before)

    async def destroy(self, name: Name) -> None:
        """Destroy *name*."""
        await (await self._client()).destroy(name)

    async def stats(self, path: Name) -> StatsSource:
        """Subscribe to the statistics of all below *path*, or of one name."""
        return await (await self._client()).stats(path)

    async def _client(self) -> Client:
        """Return the client with the newest keys that can be used."""
        marks = _marks(self.access)
        if marks != self._marks:
            # First, or every command that comes meanwhile would read them too.
            self._marks = marks
            await self._renew()
        self._expiry.look(self.dates, self.clock())
        return self._newest

    async def _renew(self) -> None:
        host = self.access.name
        try:
            # A passphrase may take a second to open a key.
            self._newest = await trio.to_thread.run_sync(self._open)
        except CertificateError as error:
            self.log.event("keys_refused", host=host, error=str(error))
        else:
            self.log.event("keys_renewed", host=host)

    def _open(self) -> Client:
        return Client(open_private_endpoint(self.access), clock=self.clock)


def _marks(access: HostSettings) -> tuple[Mark | None, ...]:
    files = (access.server_ca, access.ca, access.ca_key, access.ca_key_passphrase_file)
    return tuple(mark_of(file) for file in files if file is not None)
