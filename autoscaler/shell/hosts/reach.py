"""How a host is reached at present; a reload may replace that in between.

Subscriptions that run go on over the way they came; every command and every
new subscription takes the newest.
"""

from collections.abc import Mapping

from attrs import define

from albatross_client.certificates import Validity
from albatross_client.names import Name
from albatross_client.tls_stream import Before
from albatross_client.values import Config, Info, ResourcePolicy
from autoscaler.shell.hosts.host import ConsoleSource, Host, StatsSource
from autoscaler.shell.hosts.renewal import RenewingHost


@define
class Reach:
    """A host whose address and keys may change.

    Attributes:
        newest: How it is reached from now on.
    """

    newest: Host

    @property
    def dates(self) -> tuple[Validity, ...]:
        """From when until when certificates hold; none where there are none."""
        return self.newest.dates if isinstance(self.newest, RenewingHost) else ()

    @property
    def domain(self) -> Name:
        """Where our keys act; the root's act everywhere."""
        return self.newest.domain

    async def info(self, name: Name) -> Mapping[Name, Info]:
        """Return what runs at and below *name*, by absolute name."""
        return await self.newest.info(name)

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        """Return the policies above, at and below *domain*."""
        return await self.newest.policies(domain)

    async def console(self, name: Name, count: int) -> ConsoleSource:
        """Follow the console of *name*, from *count* lines back."""
        return await self.newest.console(name, count)

    async def image(self, name: Name) -> bytes:
        """Return the uncompressed image of *name*."""
        return await self.newest.image(name)

    def prepare(self, name: Name, config: Config) -> None:
        """Expect a create of this: what it takes may be done ahead of it."""
        self.newest.prepare(name, config)

    async def create(
        self,
        name: Name,
        config: Config,
        image: bytes,
        before: Before,
    ) -> None:
        """Create *name* after *before*; refused when one of it runs."""
        await self.newest.create(name, config, image, before)

    async def destroy(self, name: Name) -> None:
        """Destroy *name*."""
        await self.newest.destroy(name)

    async def stats(self, path: Name) -> StatsSource:
        """Subscribe to the statistics of all below *path*."""
        return await self.newest.stats(path)
