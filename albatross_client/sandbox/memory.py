"""The client of a sandbox host in the same process, below TLS.

It has the methods of `albatross_client.client.Client`, the same values and the
same exceptions, but no sockets, threads or certificates: it runs under a
virtual clock.  One set of tests holds both to the same contract.
"""

from collections.abc import Mapping
from typing import TypeVar, assert_never

import trio
from attrs import field, frozen

from albatross_client.commands import (
    BlockAdd,
    BlockDump,
    BlockInfoAsked,
    BlockRemove,
    BlockSet,
    ConsoleSubscribe,
    PolicyInfo,
    StatsSubscribe,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelGet,
    UnikernelInfo,
    UnikernelRestart,
)
from albatross_client.errors import (
    CertificateError,
    HostUnreachableError,
)
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    Block,
    BlockChunk,
    Blocks,
    Infos,
    Policies,
    Success,
    UnikernelImage,
)
from albatross_client.sandbox.faults import ExpiredCertificate, ForeignCertificate
from albatross_client.sandbox.live import LiveHost
from albatross_client.sandbox.memory_streams import (
    MemoryConsoleStream,
    MemoryStatsStream,
    expect,
    next_wire,
)
from albatross_client.sandbox.outbox import Outbox
from albatross_client.sandbox.state import TakenCommand
from albatross_client.tls_stream import Before
from albatross_client.transfer import success
from albatross_client.values import Arguments, Config, Info, ResourcePolicy

T = TypeVar("T")

# A command to a real host takes this long on loopback, connection included.
LATENCY_SECONDS = 0.003


@frozen(kw_only=True)
class Keys:
    """What the keys of a client may do.

    Attributes:
        domain: Where they act; the root's see all.
        chain: The policies of the domain CAs, by domain, outermost first.
        policies: For domains that the host has none stored for, by domain.
    """

    domain: Name = ROOT
    chain: tuple[tuple[Name, ResourcePolicy], ...] = ()
    policies: Mapping[Name, ResourcePolicy] = field(factory=dict)


ROOT_KEYS = Keys()


class MemoryClient:
    """Talks to a sandbox host as `Client` talks to an endpoint."""

    def __init__(
        self,
        host: LiveHost,
        keys: Keys = ROOT_KEYS,
        *,
        latency: float = LATENCY_SECONDS,
    ) -> None:
        """Make a client of *host*; every command takes *latency* seconds."""
        self._host = host
        self._keys = keys
        self._latency = latency

    @property
    def domain(self) -> Name:
        """Where the keys act; the root's act everywhere."""
        return self._keys.domain

    async def info(self, name: Name) -> Mapping[Name, Info]:
        """Return what runs: *name* itself, or all at and below a domain."""
        reply = expect(Infos, await self._read(name, UnikernelInfo()))
        found = self._absolute(reply.infos)
        return {full: info for full, info in found if _is_asked(full, name)}

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        """Return the policies at, below and above *domain*, by domain."""
        stored = await self._stored_policies(domain)
        return {
            name: policy
            for name, policy in stored.items()
            if name.is_within(domain) or domain.is_within(name)
        }

    async def image(self, name: Name) -> bytes:
        """Return the uncompressed image of the unikernel *name*."""
        reply = await self._act(name, UnikernelGet(0))
        return expect(UnikernelImage, reply).image

    def prepare(self, name: Name, config: Config) -> None:
        """Do nothing: there is nothing to be signed."""

    async def create(
        self,
        name: Name,
        config: Config,
        image: bytes,
        before: Before = trio.lowlevel.checkpoint,
    ) -> None:
        """Create *name* from *config*, with *image* streamed.

        *before* is awaited before the host can know of it.

        Raises:
            ValueError: *config* has an image of its own.
        """
        if config.image:
            msg = "the image is streamed: config.image has to be empty"
            raise ValueError(msg)
        await before()
        await self._act(name, UnikernelCreate(config), image)

    async def destroy(self, name: Name) -> None:
        """Destroy *name*; returns when the host says that it is gone."""
        await self._act(name, UnikernelDestroy())

    async def restart(self, name: Name, arguments: Arguments | None) -> None:
        """Restart *name*, with other *arguments* where they are given."""
        await self._act(name, UnikernelRestart(arguments))

    async def stats(self, path: Name) -> MemoryStatsStream:
        """Subscribe to the statistics of all below *path*, or of one name."""
        outbox = await self._open(path, StatsSubscribe())
        return await MemoryStatsStream.open(self._host, outbox, path)

    async def console(self, name: Name, count: int) -> MemoryConsoleStream:
        """Follow the console of *name*, beginning *count* lines back."""
        outbox = await self._open(name, ConsoleSubscribe(count))
        return await MemoryConsoleStream.open(self._host, outbox, name)

    async def blocks(self, name: Name) -> tuple[Block, ...]:
        """Return the block device *name*, or all at and below a domain."""
        reply = expect(Blocks, await self._read(name, BlockInfoAsked()))
        absolute = (
            Block(block.name.under(self._keys.domain), block.size, block.active)
            for block in reply.blocks
        )
        return tuple(block for block in absolute if _is_asked(block.name, name))

    async def block_add(self, name: Name, size: int) -> None:
        """Make the block device *name* of *size* MB."""
        await self._act(name, BlockAdd(size))

    async def block_remove(self, name: Name) -> None:
        """Remove the block device *name*."""
        await self._act(name, BlockRemove())

    async def block_set(
        self, name: Name, content: bytes, *, compressed: bool = False
    ) -> None:
        """Replace what is on the block device *name* by *content*."""
        await self._act(name, BlockSet(compressed), content)

    async def block_dump(self, name: Name) -> bytes:
        """Return what is on the block device *name*, uncompressed."""
        outbox = await self._open_acting(name, BlockDump(0))
        success(await next_wire(outbox))
        pieces: list[bytes] = []
        while True:
            chunk = expect(BlockChunk, (await next_wire(outbox)).payload)
            if chunk.content is None:
                return b"".join(pieces)
            pieces.append(chunk.content)

    async def _read(self, name: Name, command: TakenCommand) -> Success:
        """Ask *command* at the keys' own domain."""
        self._require_within(name)
        outbox = await self._open(self._keys.domain, command)
        return success(await next_wire(outbox))

    async def _act(
        self, name: Name, command: TakenCommand, upload: bytes | None = None
    ) -> Success:
        outbox = await self._open_acting(name, command, upload)
        return success(await next_wire(outbox))

    async def _open_acting(
        self, name: Name, command: TakenCommand, upload: bytes | None = None
    ) -> Outbox:
        self._require_within(name)
        policies = await self._policies_below(name)
        return await self._open(name, command, policies, upload)

    async def _policies_below(
        self, name: Name
    ) -> tuple[tuple[Name, ResourcePolicy], ...]:
        """Return what intermediates down to *name* have to carry."""
        depths = range(len(self._keys.domain.path) + 1, len(name.path) + 1)
        domains = [Name(name.path[:depth]) for depth in depths]
        if not domains:
            return ()
        stored = await self._stored_policies(name)
        known = {**self._keys.policies, **stored}
        for domain in domains:
            if domain not in known:
                msg = f"the sandbox has no policy for {domain}: set one first"
                raise CertificateError(msg)
        return tuple((domain, known[domain]) for domain in domains)

    async def _stored_policies(self, name: Name) -> dict[Name, ResourcePolicy]:
        reply = expect(Policies, await self._read(name, PolicyInfo()))
        return dict(self._absolute(reply.policies))

    async def _open(
        self,
        name: Name,
        command: TakenCommand,
        policies: tuple[tuple[Name, ResourcePolicy], ...] = (),
        upload: bytes | None = None,
    ) -> Outbox:
        self._require_within(name)
        await trio.sleep(self._latency)
        if self._host.is_down:
            msg = "the sandbox is down"
            raise HostUnreachableError(msg)
        self._check_server()
        return self._host.open(name, command, (*self._keys.chain, *policies), upload)

    def _check_server(self) -> None:
        match self._host.next_connection():
            case ExpiredCertificate():
                msg = "the sandbox shows a certificate that has expired"
                raise CertificateError(msg)
            case ForeignCertificate():
                msg = "the sandbox shows a certificate of another authority"
                raise CertificateError(msg)
            case None:
                return
            case other:
                assert_never(other)

    def _absolute(self, named: tuple[tuple[Name, T], ...]) -> list[tuple[Name, T]]:
        return [(name.under(self._keys.domain), value) for name, value in named]

    def _require_within(self, name: Name) -> None:
        if not name.is_within(self._keys.domain):
            msg = f"{name} is outside {self._keys.domain}, where these keys act"
            raise CertificateError(msg)


def _is_asked(found: Name, asked: Name) -> bool:
    return found == asked if asked.label is not None else found.is_within(asked)
