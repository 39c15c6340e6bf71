"""Hosts that do what no sandbox does; each passes on what it doesn't change."""

from collections.abc import Mapping

import trio
from attrs import define, field

from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.tls_stream import Before
from albatross_client.values import Config, Info, ResourcePolicy
from autoscaler.shell.hosts.host import ConsoleSource, StatsSource


@define
class WrappedHost:
    """Passes everything on to *client*."""

    client: MemoryClient

    @property
    def domain(self) -> Name:
        return self.client.domain

    async def info(self, name: Name) -> Mapping[Name, Info]:
        return await self.client.info(name)

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        return await self.client.policies(domain)

    async def console(self, name: Name, count: int) -> ConsoleSource:
        return await self.client.console(name, count)

    async def image(self, name: Name) -> bytes:
        return await self.client.image(name)

    def prepare(self, name: Name, config: Config) -> None:
        self.client.prepare(name, config)

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        await self.client.create(name, config, image, before)

    async def destroy(self, name: Name) -> None:
        await self.client.destroy(name)

    async def stats(self, path: Name) -> StatsSource:
        return await self.client.stats(path)


@define
class WatchedHost(WrappedHost):
    """Fails the test at any command that changes something.

    Attributes:
        asked: The verbs that it was asked by.
    """

    asked: set[str] = field(factory=set)

    async def info(self, name: Name) -> Mapping[Name, Info]:
        self.asked.add("info")
        return await self.client.info(name)

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        self.asked.add("policies")
        return await self.client.policies(domain)

    async def stats(self, path: Name) -> StatsSource:
        self.asked.add("stats")
        return await self.client.stats(path)

    async def image(self, name: Name) -> bytes:
        raise AssertionError(f"asked for the image of {name}")

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        raise AssertionError(f"told to create {name}")

    async def destroy(self, name: Name) -> None:
        raise AssertionError(f"told to destroy {name}")


@define
class UnwritableHost(WrappedHost):
    """Can't put any configuration into a certificate."""

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        raise ValueError("memory is more than 63 bits")


@define
class WrongImageHost(WrappedHost):
    """Sends another image than the one whose digest it tells."""

    async def image(self, name: Name) -> bytes:
        return b"\x7fELF of somebody else"


@define
class DeafHost(WrappedHost):
    """Never answers a command of *verbs*."""

    verbs: frozenset[str] = frozenset()

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        if "create" in self.verbs:
            await trio.sleep_forever()
        await self.client.create(name, config, image, before)

    async def destroy(self, name: Name) -> None:
        if "destroy" in self.verbs:
            await trio.sleep_forever()
        await self.client.destroy(name)

    async def image(self, name: Name) -> bytes:
        if "image" in self.verbs:
            await trio.sleep_forever()
        return await self.client.image(name)

    async def stats(self, path: Name) -> StatsSource:
        if "stats" in self.verbs:
            await trio.sleep_forever()
        return await self.client.stats(path)


@define
class ScriptedSource:
    """A subscription that brings *frames* and then raises *end*.

    Attributes:
        frames: What comes at once.
        end: How it ends; None: it goes silent.
        goodbye: Seconds that closing it takes.
        is_closed: Whether it was closed.
        skipped: Kinds of messages that it skips, and how many.
    """

    frames: list[Heard] = field(factory=list)
    end: Exception | None = None
    goodbye: float = 0.0
    is_closed: bool = False
    skipped: Mapping[str, int] = field(factory=dict)
    _sent: trio.Event = field(factory=trio.Event)

    def send(self, heard: Heard) -> None:
        self.frames.append(heard)
        self._sent.set()

    async def receive(self) -> Heard:
        await trio.lowlevel.checkpoint()
        if not self.frames and self.end is None:
            self._sent = trio.Event()
            await self._sent.wait()
        if not self.frames:
            assert self.end is not None
            raise self.end
        return self.frames.pop(0)

    async def aclose(self) -> None:
        await trio.sleep(self.goodbye)
        self.is_closed = True


@define
class ScriptedHost:
    """Answers each subscription by the next of *answers*, then hangs.

    Attributes:
        answers: Sources, or what is raised instead.
        asked_at: When it was asked, trio's clock.
    """

    answers: list[ScriptedSource | Exception] = field(factory=list)
    asked_at: list[float] = field(factory=list)

    async def info(self, name: Name) -> Mapping[Name, Info]:
        raise AssertionError(f"asked what {name} is")

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        raise AssertionError(f"asked for the policy of {domain}")

    async def console(self, name: Name, count: int) -> ConsoleSource:
        raise AssertionError(f"asked for {count} lines of {name}")

    async def image(self, name: Name) -> bytes:
        raise AssertionError(f"asked for the image of {name}")

    def prepare(self, name: Name, config: Config) -> None:
        raise AssertionError(f"told to prepare {name}")

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        raise AssertionError(f"told to create {name}")

    async def destroy(self, name: Name) -> None:
        raise AssertionError(f"told to destroy {name}")

    async def stats(self, path: Name) -> StatsSource:
        self.asked_at.append(trio.current_time())
        if not self.answers:
            await trio.sleep_forever()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer
