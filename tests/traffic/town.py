"""A town for acceptance tests: a host, HAProxy, a daemon, and visitors.

All of it is real: unikernels are processes that serve HTTP on loopback, the
daemon is the program itself, in a process that can be killed, and HAProxy is
Debian's.  What a test says of it is told by those three, and by the clients.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from albatross_client.names import Name
from albatross_client.sandbox import haproxy as sandbox_haproxy
from albatross_client.sandbox.embed import SANDBOX_IMAGE, Options, Sandbox, run_sandbox
from albatross_client.sandbox.visitors.visit import Target
from albatross_client.values import Config, ResourcePolicy
from autoscaler.core.backend import Backend
from autoscaler.shell.traffic.haproxy import HaproxyBalancer
from autoscaler.shell.traffic.runtime_socket import UnixSocket
from tests.haproxy_fixture import Haproxy
from tests.sandbox_fixtures import loopback_address

USER = Name(("user",))
POLICY = ResourcePolicy(
    cpuids=frozenset(range(16)),
    unikernels=24,
    memory=4000,
    bridges=frozenset({"service"}),
)
AUTOSCALER = "from autoscaler.cli import main; raise SystemExit(main())"
PORT = 8080
LOOK_S = 0.02
# For what takes a moment on a machine that has nothing else to do.
PATIENCE_S = 60.0

Tables = Mapping[str, Mapping[str, object]]

MANAGED: Tables = {
    "groups": {
        "host": "sandbox",
        "name": "user:web",
        "image": "web.hvt",
        "poll_interval": "1s",
        "argument_template": ["--ipv4={address}/8"],
        "boot_timeout": "20s",
        "warmup": "1s",
        "min_stable": "1s",
    },
    "groups.balancer": {"backend": "web", "port": PORT, "drain_timeout": "10s"},
    "groups.requests": {"target_in_flight": 3},
}


class TownHaproxy(Haproxy):
    """HAProxy as the sandbox configures it, with a log of its requests."""

    @property
    def admin(self) -> UnixSocket:
        return UnixSocket(self.directory / "haproxy.sock")

    @property
    def target(self) -> Target:
        return Target(host=sandbox_haproxy.LOOPBACK, port=self.ports["web"])

    def set_up(self, more: str = "", level: str = "admin") -> None:
        """Write its configuration; *more* are lines of the backend's."""
        options = sandbox_haproxy.Options(
            directory=self.directory,
            balance="roundrobin",
            activator=f"127.0.0.1:{self.ports['activator']}",
        )
        text = sandbox_haproxy.configuration(options, self.ports["web"])
        text = text.replace("global\n", "global\n    log stdout format raw local0\n", 1)
        text = text.replace("defaults\n", "defaults\n    log global\n", 1)
        text = text.replace("mode http\n", "mode http\n    option httplog\n", 1)
        text = text.replace(" level admin ", f" level {level} ")
        (self.directory / "haproxy.cfg").write_text(text + more)


@define
class Daemon:
    """The daemon's process and what it has said.

    Attributes:
        process: Its own.
        lines: Of its log.
    """

    process: trio.Process
    lines: list[dict[str, Any]] = field(factory=list)

    async def listen(self, file: Path) -> None:
        """Take note of what it says to its end; it doesn't outlive the test."""
        assert self.process.stderr is not None
        rest = b""
        try:
            with file.open("ab") as log:
                async for octets in self.process.stderr:
                    log.write(octets)
                    *whole, rest = (rest + octets).split(b"\n")
                    for line in whole:
                        assert line.startswith(b"{"), line.decode()
                        self.lines.append(json.loads(line))
        finally:
            self.process.kill()
            with trio.CancelScope(shield=True):
                await self.process.wait()
                await self.process.stderr.aclose()


@define
class Town:
    """A host, HAProxy, and the daemons that looked after them one by one.

    Attributes:
        directory: Of all files.
        nursery: Where daemons are listened to.
        sandbox: The host.
        haproxy: The balancer.
        tables: What the configuration says, by the names of its tables.
        daemons: The newest is the last.
    """

    directory: Path
    nursery: trio.Nursery
    sandbox: Sandbox
    haproxy: TownHaproxy
    tables: dict[str, dict[str, object]] = field(factory=dict)
    daemons: list[Daemon] = field(factory=list)

    @property
    def target(self) -> Target:
        """Where visitors go."""
        return self.haproxy.target

    # What its operator does

    def configure(self, tables: Tables) -> None:
        """Change the configuration by what *tables* say."""
        for name, table in tables.items():
            self.tables[name] = {**self.tables.get(name, {}), **table}
        text = f'[deployment]\nname = "town"\nstate_dir = "{self.directory}/state"\n'
        text += self.sandbox.toml
        for name, table in self.tables.items():
            text += f"[[{name}]]\n" if name == "groups" else f"[{name}]\n"
            text += "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items())
        (self.directory / "town.toml").write_text(text)

    async def reconfigure(self, tables: Tables) -> None:
        """Change it, and return once the daemon follows it."""
        before = len(self.said("configuration_reloaded"))
        self.configure(tables)
        self.kill(signal.SIGHUP)
        await self.until(lambda: len(self.said("configuration_reloaded")) > before)

    def place_a_primary(self) -> str:
        """Have clones of a primary for members; return where that serves."""
        pool = str(self.tables["groups"]["address_pool"])
        address = pool.partition("-")[0].rpartition(".")[0] + ".251"
        argv = (f"--ipv4={address}/8",)
        config = Config(image=SANDBOX_IMAGE, memory=32, argv=argv)
        self.sandbox.host.create(Name.parse("user:web"), config)
        for key in ("name", "image"):
            del self.tables["groups"][key]
        self.configure({"groups": {"primary": "user:web"}})
        return f"{address}:{PORT}"

    def renew_image(self) -> bytes:
        """Put another image in the place of the group's; return it."""
        file = self.directory / "web.hvt"
        image = file.read_bytes() + b" renewed" if file.exists() else SANDBOX_IMAGE
        spare = file.with_suffix(".new")
        spare.write_bytes(image)
        spare.rename(file)
        return image

    async def start_daemon(self, *before: str) -> None:
        """Return once it hears its host; *before* stands before its command."""
        config = str(self.directory / "town.toml")
        log = ("--log-format", "json", "--log-level", "debug")
        options = ("run", "--config", config, *log)
        process = await trio.lowlevel.open_process(
            (*before, sys.executable, "-c", AUTOSCALER, *options),
            stderr=subprocess.PIPE,
        )
        daemon = Daemon(process)
        self.daemons.append(daemon)
        self.nursery.start_soon(daemon.listen, self.directory / "daemon.log")
        await self.until(lambda: any(self._said(daemon, "stream_opened")))

    def kill(self, number: signal.Signals) -> None:
        """Send the daemon a signal."""
        self.daemons[-1].process.send_signal(number)

    async def end_daemon(self, number: signal.Signals) -> None:
        """Return once the daemon has ended by the signal."""
        self.kill(number)
        with trio.fail_after(PATIENCE_S):
            await self.daemons[-1].process.wait()

    # What can be seen

    @property
    def members(self) -> set[str]:
        """The labels of the unikernels that run."""
        return {str(name.label) for name in self.sandbox.host.state.unikernels}

    @property
    def digests(self) -> set[bytes]:
        """The digests of their images."""
        unikernels = self.sandbox.host.state.unikernels.values()
        return {unikernel.digest for unikernel in unikernels}

    @property
    def started(self) -> int:
        """How many unikernels the host has started so far."""
        return self.sandbox.host.state.processes

    def said(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Return what all daemons have said of *event* with these *fields*."""
        return [
            line
            for daemon in self.daemons
            for line in self._said(daemon, event)
            if fields.items() <= line.items()
        ]

    def _said(self, daemon: Daemon, event: str) -> list[dict[str, Any]]:
        return [line for line in daemon.lines if line["event"] == event]

    @property
    def held_by(self) -> str:
        """Why the group does what it does, or nothing."""
        ticks = self.said("tick_decided")
        return str(ticks[-1]["reason"]) if ticks else ""

    async def backend(self) -> Backend:
        """Return what HAProxy has."""
        return await HaproxyBalancer(self.haproxy.admin, "web").observe()

    async def serving(self) -> int:
        """Return how many members HAProxy gives work to."""
        servers = (await self.backend()).servers.values()
        return sum(server.serves and not server.is_backup for server in servers)

    async def until(
        self, is_so: Callable[[], bool], seconds: float = PATIENCE_S
    ) -> float:
        """Return how many seconds it took until *is_so*."""
        began = trio.current_time()
        with trio.fail_after(seconds):
            while not is_so():
                await trio.sleep(LOOK_S)
        return trio.current_time() - began

    async def until_asleep(self) -> None:
        """Return once nobody serves, and HAProxy has found the activator."""
        await self.until(lambda: not self.members and self.held_by == "asleep")
        with trio.fail_after(PATIENCE_S):
            while (await self.backend()).servers["activator"].serves is False:
                await trio.sleep(LOOK_S)

    async def until_serving(self, count: int, seconds: float = PATIENCE_S) -> float:
        """Return how long it took until *count* members, and no more, serve."""
        began = trio.current_time()
        with trio.fail_after(seconds):
            while await self.serving() != count or len(self.members) != count:
                await trio.sleep(LOOK_S)
        return trio.current_time() - began


async def found_town(
    nursery: trio.Nursery, directory: Path, ports: dict[str, int], options: Options
) -> Town:
    """Return a town with a host and HAProxy, and no daemon yet.

    Its HAProxy is the caller's to start and to end.
    """
    sandbox = await nursery.start(run_sandbox, options)
    town = Town(directory, nursery, sandbox, TownHaproxy(directory, ports))
    town.renew_image()
    town.configure(MANAGED)
    pool = loopback_address().rpartition(".")[0]
    town.configure(
        {
            "groups": {"address_pool": f"{pool}.1-{pool}.250"},
            "groups.balancer": {"socket": str(town.haproxy.admin)},
            "groups.activator": {"listen": f"127.0.0.1:{ports['activator']}"},
        }
    )
    return town
