"""A group, its clients and its members in memory, for a virtual clock.

`Group` stands for the daemon: it boots a member some time after it was asked.
`Door` is where clients come in, `Street` where members live.
"""

import trio
from trio.testing import memory_stream_pair

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place
from autoscaler.core.holding import Serving
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator

LISTEN = Place("127.0.0.1", 9000)
ONE, TWO = (Serving(f"web-{n}", Place(f"10.0.0.{n}", 80)) for n in (1, 2))
ASK = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello\n"


class Group:
    """Backends whose members come when the test says so, or after a boot."""

    def __init__(self, *targets):
        self.targets = list(targets)
        self.woken = trio.Event()
        self.wakes = 0
        self.waking = False
        self._changed = trio.Event()

    def ready(self):
        return self.targets

    def is_waking(self):
        return self.waking

    async def changed(self):
        await self._changed.wait()

    def wake(self):
        self.wakes += 1
        self.waking = True
        self.woken.set()
        self.tell()

    def tell(self):
        self._changed.set()
        self._changed = trio.Event()

    def become(self, *targets, waking=False):
        self.targets = list(targets)
        self.waking = waking
        self.tell()

    async def boot(self, target, seconds):
        """Bring *target* up so long after the first wake."""
        await self.woken.wait()
        await trio.sleep(seconds)
        self.become(target)


class Door(trio.abc.Listener[trio.abc.HalfCloseableStream]):
    """Where clients come in."""

    def __init__(self):
        self._in, self._out = trio.open_memory_channel(10_000)

    async def accept(self):
        stream = await self._out.receive()
        if isinstance(stream, OSError):
            raise stream
        return stream

    async def aclose(self):
        await self._out.aclose()

    def connect(self, pair=memory_stream_pair):
        ours, theirs = pair()
        self._in.send_nowait(theirs)
        return ours

    def fail(self, error):
        self._in.send_nowait(error)


class Street:
    """Members by place: how each of them treats a connection."""

    def __init__(self, nursery):
        self._nursery = nursery
        self._residents = {}
        self.dialled = []

    def move_in(self, target, resident):
        self._residents[target.place] = resident

    async def dial(self, place):
        await trio.lowlevel.checkpoint()
        self.dialled.append(place)
        resident = self._residents.get(place)
        if resident is None:
            raise ConnectionRefusedError
        if resident is hang:
            await trio.sleep_forever()
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self._live, resident, theirs)
        return ours

    async def _live(self, resident, stream):
        async with stream:
            await resident(stream)


async def hang(stream):
    """Never take a connection."""


async def answer(stream):
    """Answer one request, then end."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n"):
        heard += await stream.receive_some()
    await stream.send_all(ANSWER)


async def echo(stream):
    """Say back whatever comes, and end when the other side has."""
    async for octets in stream:
        await stream.send_all(octets)
    await stream.send_eof()


async def hear_all(stream):
    """Return all that comes until the end."""
    return b"".join([octets async for octets in stream])


class Town:
    """An activator with everything around it.

    Attributes:
        scope: What the activator runs in.
        over: Set when it has ended.
    """

    def __init__(self, nursery, *targets, **settings):
        self.group = Group(*targets)
        self.door = Door()
        self.street = Street(nursery)
        self.scope = trio.CancelScope()
        self.over = trio.Event()
        self.events = []
        self.activator = Activator(
            "west/user:web",
            ActivatorSettings(listen=LISTEN, **settings),
            self.group,
            Log(self._note),
            self.street.dial,
        )

    def _note(self, _level, name, fields):
        self.events.append((name, dict(fields)))

    async def run(self):
        with self.scope:
            await self.activator.run([self.door])
        self.over.set()

    async def ask(self, request=ASK):
        """Ask as a client does; return the answer."""
        async with self.door.connect() as client:
            await client.send_all(request)
            return await hear_all(client)


class Askers:
    """Clients that ask, each in a task of its own, and what they hear."""

    def __init__(self, nursery, place, times=1):
        self.answers = []
        self.done = trio.Event()
        self._times = times
        for _ in range(times):
            nursery.start_soon(self._ask, place)

    async def _ask(self, place):
        self.answers.append(await place.ask())
        if len(self.answers) == self._times:
            self.done.set()

    async def all(self):
        await self.done.wait()
        return self.answers


def status(answer):
    """Return the first line of *answer*."""
    return answer.partition(b"\r\n")[0]
