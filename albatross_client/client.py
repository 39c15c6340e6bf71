"""One Albatross host, as a set of verbs.

Laws: every method is one connection (two where a policy has to be read
first) and blocks on the network for as long as the host takes, so callers own
time (`trio.fail_after`); what goes wrong is an `AlbatrossError`; names in
results are absolute.  What only reads acts at the authority's own path, where
nothing has to be said about domains below it: hosts store the policies of the
certificates that they see, so an intermediate is made only where a command
has to act below that path, and carries the policy that was read just before.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import trio

from albatross_client.certificates import Validity, validity, wall_clock
from albatross_client.commands import (
    BlockAdd,
    BlockDump,
    BlockInfoAsked,
    BlockRemove,
    BlockSet,
    Command,
    ConsoleSubscribe,
    PolicyInfo,
    StatsSubscribe,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelGet,
    UnikernelInfo,
    UnikernelRestart,
)
from albatross_client.connection import Connector
from albatross_client.endpoint import Endpoint
from albatross_client.errors import CertificateError, RemoteProtocolError
from albatross_client.minting import Ask
from albatross_client.names import Name
from albatross_client.replies import (
    Block,
    Blocks,
    Done,
    Infos,
    Policies,
    Said,
    Success,
)
from albatross_client.streams import ConsoleStream, StatsStream
from albatross_client.tls_stream import Before
from albatross_client.transfer import download_image, dump_block, request, upload
from albatross_client.values import Arguments, Config, Info, ResourcePolicy

T = TypeVar("T")

# Each costs a millisecond of signing, and most come one at a time.
MAX_EXPECTED = 8
# For statistics and consoles hosts don't store what an intermediate says.
_ANY_POLICY = ResourcePolicy()


class Client:
    """Talks to one endpoint; holds no connection between calls."""

    def __init__(
        self, endpoint: Endpoint, *, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        """Make a client of *endpoint*; *clock* dates its certificates."""
        self.endpoint = endpoint
        self._base = endpoint.authority.domain
        self._connector = Connector(endpoint, clock)
        # As read last: good for what is signed ahead, and no more.
        self._policies_seen: Mapping[Name, ResourcePolicy] = {}
        self._expected: deque[tuple[Name, Command]] = deque(maxlen=MAX_EXPECTED)

    @property
    def server(self) -> Validity | None:
        """The dates of the server's certificate, as seen last."""
        server = self._connector.server
        return None if server is None else validity(server)

    async def info(self, name: Name) -> Mapping[Name, Info]:
        """Return what runs: *name* itself, or all at and below a domain.

        A unikernel that the host doesn't know is no error: it isn't there.
        """
        reply = _expect(Infos, await self._read(name, UnikernelInfo()))
        return {
            full: info
            for full, info in self._absolute(reply.infos)
            if _is_asked(full, name)
        }

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        """Return the policies at, below and above *domain*, by domain.

        Those above are there as far as the certificate shows them: a root key
        shows all, a domain's key its own and those below.
        """
        stored = await self._stored_policies(domain)
        return {
            name: policy
            for name, policy in stored.items()
            if name.is_within(domain) or domain.is_within(name)
        }

    async def image(self, name: Name) -> bytes:
        """Return the uncompressed image of the unikernel *name*."""
        ask = await self._acting(name, UnikernelGet(0))
        return await download_image(self._connector, ask)

    def prepare(self, name: Name, config: Config) -> None:
        """Expect a create of *name* from *config*; nothing is sent for it.

        Its certificate is signed while the host works on another answer, with
        the policies that were read last.  Where they, or what is created, turn
        out to be others, it was made in vain.
        """
        self._expected.append((name, UnikernelCreate(config)))

    async def create(
        self,
        name: Name,
        config: Config,
        image: bytes,
        before: Before = trio.lowlevel.checkpoint,
    ) -> None:
        """Create *name* from *config*, with *image* streamed.

        *image* is a zlib stream where *config* says compressed.  Never
        replaces a unikernel of the same name: the host refuses.  *before* is
        awaited as late as nothing has been told: the host can't know of the
        command before it returns, nor ever if it raises.

        Raises:
            ValueError: *config* has an image of its own.
        """
        if config.image:
            msg = "the image is streamed: config.image has to be empty"
            raise ValueError(msg)
        ask = await self._acting(name, UnikernelCreate(config))
        _expect((Said, Done), await upload(self._connector, ask, image, before))

    async def destroy(self, name: Name) -> None:
        """Destroy *name*; returns when the host says that it is gone."""
        await self._act(name, UnikernelDestroy())

    async def restart(self, name: Name, arguments: Arguments | None) -> None:
        """Restart *name*, with other *arguments* where they are given."""
        await self._act(name, UnikernelRestart(arguments))

    async def stats(self, path: Name) -> StatsStream:
        """Subscribe to the statistics of all below *path*, or of one name.

        Returns once the host has said `subscribed`.  A host keeps one
        subscriber per exact path: an older one is sent away.
        """
        ask = self._watching(path, StatsSubscribe())
        return await StatsStream.open(self._connector, ask)

    async def console(self, name: Name, count: int) -> ConsoleStream:
        """Follow the console of *name*, beginning *count* lines back.

        Returns once the host has said `subscribed`, or that it waits for a
        unikernel of that name.
        """
        ask = self._watching(name, ConsoleSubscribe(count))
        return await ConsoleStream.open(self._connector, ask)

    async def blocks(self, name: Name) -> tuple[Block, ...]:
        """Return the block device *name*, or all at and below a domain."""
        reply = _expect(Blocks, await self._read(name, BlockInfoAsked()))
        absolute = (
            Block(block.name.under(self._base), block.size, block.active)
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
        """Replace what is on the block device *name* by *content*.

        *content* is a zlib stream where *compressed*.
        """
        ask = await self._acting(name, BlockSet(compressed))
        _expect((Said, Done), await upload(self._connector, ask, content))

    async def block_dump(self, name: Name) -> bytes:
        """Return what is on the block device *name*, uncompressed."""
        ask = await self._acting(name, BlockDump(0))
        return await dump_block(self._connector, ask)

    async def _read(self, name: Name, command: Command) -> Success:
        """Ask *command* at the authority's own path."""
        self._require_within(name)
        ask = Ask(self._base, command)
        return await request(self._connector, ask, self._sign_expected)

    async def _stored_policies(self, name: Name) -> Mapping[Name, ResourcePolicy]:
        reply = _expect(Policies, await self._read(name, PolicyInfo()))
        self._policies_seen = dict(self._absolute(reply.policies))
        return self._policies_seen

    async def _act(self, name: Name, command: Command) -> None:
        ask = await self._acting(name, command)
        _expect((Said, Done), await request(self._connector, ask))

    async def _acting(self, name: Name, command: Command) -> Ask:
        """Return *command* for *name*, with the policies it has to carry."""
        self._require_within(name)
        if not _domains_between(self._base, name):
            return Ask(name, command)
        self._expected.append((name, command))
        return self._ask(name, command, await self._stored_policies(name))

    def _sign_expected(self) -> None:
        """Sign what is expected as if policies were what they were."""
        while self._expected:
            # What is wrong with it is said when it is meant.
            with contextlib.suppress(CertificateError, ValueError):
                ask = self._ask(*self._expected.popleft(), self._policies_seen)
                self._connector.sign_ahead(ask)

    def _ask(
        self, name: Name, command: Command, stored: Mapping[Name, ResourcePolicy]
    ) -> Ask:
        """Return *command* for *name* at a host whose policies are *stored*."""
        known = {**self.endpoint.policies, **stored}
        below = _domains_between(self._base, name)
        for domain in below:
            if domain not in known:
                msg = (
                    f"{self.endpoint.address} has no policy for {domain} and a command "
                    "below it would have to set one: add it at the host or under "
                    "policies in the host's table of the configuration"
                )
                raise CertificateError(msg)
        return Ask(name, command, tuple(known[domain] for domain in below))

    def _watching(self, name: Name, command: Command) -> Ask:
        self._require_within(name)
        below = _domains_between(self._base, name)
        return Ask(name, command, (_ANY_POLICY,) * len(below))

    def _absolute(self, named: tuple[tuple[Name, T], ...]) -> list[tuple[Name, T]]:
        return [(name.under(self._base), value) for name, value in named]

    def _require_within(self, name: Name) -> None:
        self.endpoint.authority.require_within(name)


def _is_asked(found: Name, asked: Name) -> bool:
    return found == asked if asked.label is not None else found.is_within(asked)


def _domains_between(base: Name, name: Name) -> tuple[Name, ...]:
    """Return the domains below *base* down to *name*'s own, outermost first."""
    depths = range(len(base.path) + 1, len(name.path) + 1)
    return tuple(Name(name.path[:depth]) for depth in depths)


def _expect(kinds: type[T] | tuple[type[T], ...], reply: Success) -> T:
    if not isinstance(reply, kinds):
        msg = f"the host answered by {type(reply).__name__}, which is no answer to this"
        raise RemoteProtocolError(msg)
    return reply
