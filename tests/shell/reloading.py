"""A daemon in memory whose configuration can be written and read again."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trio
from attrs import define, field, frozen

from albatross_client.errors import CertificateError
from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.live import LiveHost
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.solo5 import ImageError, read_image
from albatross_client.values import Config
from autoscaler.core.group import Group, GroupId
from autoscaler.shell.configuration.problems import SettingsError
from autoscaler.shell.configuration.settings import (
    HostSettings,
    Settings,
    parse_settings,
)
from autoscaler.shell.drafts import ImageFile
from autoscaler.shell.hosts.host import Host, StatsSource
from autoscaler.shell.log import Log
from autoscaler.shell.reload import Reloader, Wanted, open_wanted
from tests.fakes import WrappedHost
from tests.shell.harness import (
    GROUP,
    HOST,
    Machine,
    Wish,
    World,
    build_world,
    make_host,
)

API, SHOP = Name(("user",), "api"), Name(("shop",))
TILL = Name(("shop",), "till")
API_GROUP, TILL_GROUP = GroupId(HOST, API), GroupId(HOST, TILL)
SMALL = Config(image=SANDBOX_IMAGE, memory=32)

FILE = Path("/etc/autoscaler.toml")
DEPLOYMENT = '[deployment]\nname = "test"\nstate_dir = "state"\n'


def deployment(more: str = "") -> str:
    return f"{DEPLOYMENT}{more}\n"


def host(name: str = "alpha", more: str = "", address: str = "") -> str:
    return (
        f'[[hosts]]\nname = "{name}"\naddress = "{address or name}:1025"\n'
        f'server_ca = "ca.pem"\nca = "ca.pem"\nca_key = "ca.key"\n{more}\n'
    )


def group(primary: str = "user:web", more: str = "", on: str = "alpha") -> str:
    return f'[[groups]]\nhost = "{on}"\nprimary = "{primary}"\nmax_clones = 3\n{more}\n'


PLAIN = deployment() + host() + group()


@define
class CountingHost(WrappedHost):
    """Notes every subscription and every create.

    Attributes:
        subscribed: The paths, shared by all clients of a test.
        created: What was created, through which number of the keys.
        keys: Which keys these are.
    """

    subscribed: list[Name] = field(factory=list)
    created: list[tuple[Name, int]] = field(factory=list)
    keys: int = 0

    async def stats(self, path: Name) -> StatsSource:
        self.subscribed.append(path)
        return await self.client.stats(path)

    async def create(self, name, config, image, before) -> None:
        self.created.append((name, self.keys))
        await self.client.create(name, config, image, before)


@define
class Desktop:
    """The operator's files, and the hosts that their keys open.

    Attributes:
        text: The configuration, as it is on disk.
        lives: The hosts, by name.
        subscribed: Every subscription that was ever made.
        created: Every create, with the number of the keys that it came by.
        keys: The number of the keys on disk.
        bad_keys: Hosts whose keys don't fit together.
        images: What the files of images hold.
    """

    text: str
    lives: Mapping[str, LiveHost]
    subscribed: list[Name] = field(factory=list)
    created: list[tuple[Name, int]] = field(factory=list)
    keys: int = 0
    bad_keys: frozenset[str] = frozenset()
    images: dict[Path, bytes] = field(factory=dict)

    def read(self) -> Settings:
        return parse_settings(self.text, FILE)

    def open(self, settings: HostSettings) -> Host:
        if settings.name in self.bad_keys:
            raise CertificateError(f"the key of {settings.name} does not fit")
        client = MemoryClient(self.lives[settings.name])
        return CountingHost(client, self.subscribed, self.created, self.keys)

    async def source(self) -> Wanted:
        await trio.lowlevel.checkpoint()
        return open_wanted(self.read(), self.open, self.read_image)

    def read_image(self, path: Path) -> ImageFile:
        if path not in self.images:
            raise ImageError(f"{path} can't be read")
        content = self.images[path]
        return ImageFile(content, read_image(content), None)


@frozen
class Reloadable:
    """A daemon that follows what is on *desktop*, whenever it is told to."""

    desktop: Desktop
    world: World
    reloader: Reloader

    @property
    def groups(self) -> Mapping[GroupId, Group]:
        return self.world.daemon.fleet.groups

    async def reload(self, text: str | None = None) -> list[str]:
        """Write *text*, if any, read it again, and return what differs."""
        if text is not None:
            self.desktop.text = text
        return [str(change) for change in await self.reloader.reload()]

    async def refused(self, text: str | None = None) -> list[str]:
        """Return the problems of a reload that has to be refused."""
        with pytest.raises(SettingsError) as caught:
            await self.reload(text)
        return [str(problem) for problem in caught.value.problems]


async def make_reloadable(
    nursery: trio.Nursery,
    text: str = PLAIN,
    wish: Wish | None = None,
    others: Mapping[str, LiveHost] | None = None,
) -> Reloadable:
    """Start a host and a daemon that follows *text*; both end with *nursery*.

    *others* are hosts that a later text may name.
    """
    wish, others = wish or Wish(), others or {}
    live = make_host(nursery, wish)
    desktop = Desktop(text, {"alpha": live, **others})
    settings = desktop.read()
    wanted = {each.id: each.policy for each in settings.groups}
    policy = wanted.pop(GROUP)
    opened = iter(settings.hosts)
    machine = Machine(
        others={h.name: others[h.name] for h in settings.hosts if h.name in others},
        groups=wanted,
        through=lambda _client: desktop.open(next(opened)),
    )
    world = await build_world(live, wish.store(), policy, machine)
    log = Log(lambda _level, event, fields: world.log.append((event, dict(fields))))
    reloader = Reloader(world.daemon, settings, desktop.source, world.store, log)
    nursery.start_soon(world.run)
    return Reloadable(desktop, world, reloader)


ONE_CLONE = group(more="min_clones = 1")
