"""A whole sandbox with one call: files, endpoint, host and unikernels.

In a nursery of the caller's::

    sandbox = await nursery.start(run_sandbox, Options(directory=directory))
    print(sandbox.toml)
    sandbox.host.set_demand(Name.parse("user:web"), Demand.constant(2.5))

It lives until its task is cancelled, and leaves no process behind.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

import trio
from attrs import evolve, field, frozen
from attrs.validators import ge, gt, le

from albatross_client.certificates import wall_clock
from albatross_client.names import ROOT, Name
from albatross_client.sandbox import authority
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.machine import Machine
from albatross_client.sandbox.model import ModelMachine
from albatross_client.sandbox.process import ProcessMachine, Serving
from albatross_client.sandbox.server import Contexts, serve
from albatross_client.sandbox.tls_server import ServerContext
from albatross_client.values import Config, Timestamp

LOOPBACK = "127.0.0.1"
_MAX_PORT = 65_535
# Every image that begins like this is taken; this is what unikernels are made
# of that a sandbox starts with.
SANDBOX_IMAGE = b"\x7fELF" + b" a unikernel of the sandbox" * 64

Kind = Literal["process", "model"]


@frozen(kw_only=True)
class Options:
    """What a sandbox is made of.

    Attributes:
        directory: Where its keys are, and are made if they aren't there yet.
        port: TCP port on loopback; 0: any that is free.
        kind: Whether unikernels are processes or a model.
        core_share: Of a core, what a process burns for one core of demand.
        serving: How processes serve HTTP whose unikernels have an address of
            loopback, as by the argument ``--ipv4=127.0.1.2/8``.
        settings: Of the host.
        unikernels: What runs from the start; an empty image becomes
            `SANDBOX_IMAGE`.
    """

    directory: Path
    # The resolver would take a larger one modulo 65536.
    port: int = field(default=0, validator=[ge(0), le(_MAX_PORT)])
    kind: Kind = "model"
    core_share: float = field(default=0.2, validator=[gt(0), le(1)])
    serving: Serving = field(factory=Serving)
    settings: Settings = field(factory=Settings)
    unikernels: Mapping[Name, Config] = field(factory=dict)


@frozen(kw_only=True)
class Sandbox:
    """A sandbox that runs.

    Attributes:
        host: The host itself, to be looked at and poked.
        port: Where its endpoint listens on `LOOPBACK`.
        directory: Where its keys are (`albatross_client.sandbox.authority`).
    """

    host: LiveHost
    port: int
    directory: Path

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def toml(self) -> str:
        """The table that a configuration needs to reach it as its operator."""
        files = authority.ca_files(self.directory)
        return (
            "[[hosts]]\n"
            'name = "sandbox"\n'
            f'address = "{self.address}"\n'
            f'server_ca = "{files.certificate}"\n'
            f'ca = "{files.certificate}"\n'
            f'ca_key = "{files.key}"\n'
        )


async def run_sandbox(
    options: Options,
    *,
    task_status: trio.TaskStatus[Sandbox] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a sandbox until cancelled; ready when the status is reported.

    Raises:
        ValueError: The policies or unikernels in *options* don't fit.
        OSError: The directory can't be written, or the port isn't free.
    """
    # First of all: the keys may be of one that runs and has the port.
    listeners = await trio.open_tcp_listeners(options.port, host=LOOPBACK)
    with ExitStack() as ends:
        for listener in listeners:
            ends.callback(listener.socket.close)
        now = wall_clock()
        contexts = _prepare(options, now)
        ends.callback(contexts.close)
        host = LiveHost(
            evolve(options.settings, born=Timestamp.of(now)), _machine(options)
        )
        ends.callback(host.close)
        for name, config in options.unikernels.items():
            host.create(name, _with_image(config))
        handler = partial(serve, host, contexts)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.run)
            nursery.start_soon(partial(trio.serve_listeners, handler, listeners))
            port = listeners[0].socket.getsockname()[1]
            task_status.started(
                Sandbox(host=host, port=port, directory=options.directory)
            )


def _machine(options: Options) -> Machine:
    if options.kind == "process":
        return ProcessMachine(options.core_share, options.serving)
    return ModelMachine()


def _with_image(config: Config) -> Config:
    return config if config.image else evolve(config, image=SANDBOX_IMAGE)


def _prepare(options: Options, now: datetime) -> Contexts:
    """Make what is missing of the keys, and the server's contexts."""
    directory = options.directory
    directory.mkdir(parents=True, exist_ok=True)
    ca = authority.load_or_make_ca(directory, now)
    _delegate(options, ca, now)
    long_ago = now - 2 * authority.CA_YEARS
    stranger = authority.make_ca("another CA", now)
    return Contexts(
        _context(directory, authority.server_files(directory), ca, now),
        _context(directory, _wrong_files(directory, "expired"), ca, long_ago),
        _context(directory, _wrong_files(directory, "foreign"), stranger, now),
    )


def _wrong_files(directory: Path, stem: str) -> authority.Files:
    wrong = directory / "wrong"
    wrong.mkdir(exist_ok=True)
    return authority.Files(wrong / f"{stem}.pem", wrong / f"{stem}.key")


def _context(
    directory: Path, files: authority.Files, issuer: authority.Signer, now: datetime
) -> ServerContext:
    authority.write(files, authority.make_server(issuer, now))
    trusted = authority.ca_files(directory).certificate
    return ServerContext.load(files.certificate, files.key, trusted)


def _delegate(options: Options, ca: authority.Signer, now: datetime) -> None:
    """Make a CA for each domain whose parents have policies too."""
    signers = {ROOT: ca}
    for domain, policy in options.settings.policies.items():
        issuer = signers.get(Name(domain.path[:-1]))
        if issuer is not None and domain != ROOT:
            signer = authority.delegate(issuer, domain.path[-1], policy, now)
            authority.write(authority.domain_files(options.directory, domain), signer)
            signers[domain] = signer
