"""What the daemon needs of a host, be it the real client or the sandbox."""

import enum
from collections.abc import Mapping
from typing import Protocol

from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.replies import ConsoleLine
from albatross_client.tls_stream import Before
from albatross_client.values import Config, Info, ResourcePolicy


class Subscribe(enum.Enum):
    """At which paths of a host statistics are subscribed to."""

    ROOT = "root"
    DOMAIN = "domain"
    UNIKERNEL = "unikernel"

    @property
    def narrower(self) -> "Subscribe | None":
        """What shares less with others; None: nothing does."""
        match self:
            case Subscribe.ROOT:
                return Subscribe.DOMAIN
            case Subscribe.DOMAIN:
                return Subscribe.UNIKERNEL
            case Subscribe.UNIKERNEL:
                return None


class StatsSource(Protocol):
    """One statistics subscription."""

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many messages were skipped, by kind, malformed ones included."""

    async def receive(self) -> Heard:
        """Return the next frame; `AlbatrossError` when the stream ends."""

    async def aclose(self) -> None:
        """End the subscription."""


class ConsoleSource(Protocol):
    """One console subscription."""

    async def receive(self) -> ConsoleLine:
        """Return the next line; `AlbatrossError` when the stream ends."""

    async def aclose(self) -> None:
        """End the subscription."""


class Speaker(Protocol):
    """The part of a host that tells statistics."""

    async def stats(self, path: Name) -> StatsSource:
        """Subscribe to the statistics of all below *path*, or of one name."""


class Host(Speaker, Protocol):
    """One Albatross host; every method may raise `AlbatrossError`."""

    @property
    def domain(self) -> Name:
        """Where our keys act; the root's act everywhere."""

    async def info(self, name: Name) -> Mapping[Name, Info]:
        """Return what runs at and below *name*, by absolute name."""

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        """Return the policies above, at and below *domain*."""

    async def console(self, name: Name, count: int) -> ConsoleSource:
        """Follow the console of *name*, from *count* lines back."""

    async def image(self, name: Name) -> bytes:
        """Return the uncompressed image of *name*."""

    def prepare(self, name: Name, config: Config) -> None:
        """Expect a create of this: what it takes may be done ahead of it."""

    async def create(
        self,
        name: Name,
        config: Config,
        image: bytes,
        before: Before,
    ) -> None:
        """Create *name*; refused when one of this name runs.

        The host learns nothing of it until *before* has returned, nor ever if
        that raises.
        """

    async def destroy(self, name: Name) -> None:
        """Destroy *name*."""
