"""What albatrossctl sandbox does: run one until a signal comes."""

import argparse
import errno
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import trio
from attrs import evolve

from albatross_client.cli.output import print_complaint, print_text
from albatross_client.names import ROOT, Name
from albatross_client.sandbox import authority, texts
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import LOOPBACK, Options, Sandbox, run_sandbox
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY, Settings
from albatross_client.sandbox.process import Serving
from albatross_client.values import Config, ResourcePolicy

# What `--example` runs: three members have enough to do, a third of the time.
EXAMPLE = Name(("user",), "web")
QUIET_S, BUSY_S = 600.0, 300.0
QUIET_CORES, BUSY_CORES = 0.3, 2.5
A_DAY = round(86_400 / (QUIET_S + BUSY_S))


def run(arguments: argparse.Namespace) -> int:
    """Run the sandbox that *arguments* describe; return the exit code."""
    code = 0
    try:
        announced = next_steps if arguments.example else _announcement
        trio.run(serve, options_of(arguments), announced)
    except* (ValueError, OSError) as group:
        print_complaint(_in_words(_first(group), arguments.port))
        code = 1
    return code


async def serve(
    options: Options, announced: Callable[[Sandbox], str] | None = None
) -> None:
    """Run a sandbox, say so on standard output, and end with a signal.

    *announced* returns what is said, else it is where the sandbox is.
    """
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            sandbox = await nursery.start(run_sandbox, options)
            print_text((announced or _announcement)(sandbox))
            async for _ in signals:
                nursery.cancel_scope.cancel()
                return


def options_of(arguments: argparse.Namespace) -> Options:
    """Return the sandbox that *arguments* describe.

    Raises:
        ValueError: An option can't be understood.
        OSError: A CSV can't be read.
    """
    names = [texts.parse_unikernel(text) for text in arguments.unikernel]
    demands = dict(texts.parse_demand(text) for text in arguments.demand)
    if arguments.example:
        names = [EXAMPLE, *(name for name in names if name != EXAMPLE)]
        demands = {EXAMPLE: _comes_and_goes(), **demands}
    policies = dict(texts.parse_policy(text) for text in arguments.policy)
    root = policies.pop(ROOT, DEFAULT_ROOT_POLICY)
    settings = Settings(
        interval=texts.parse_seconds(arguments.interval),
        root_policy=root,
        policies=_with_defaults(policies, names),
        demands=demands,
        rules=tuple(texts.parse_rule(text) for text in arguments.fault),
        seed=arguments.seed,
    )
    return Options(
        directory=arguments.directory.absolute(),
        port=arguments.port,
        kind=arguments.kind,
        core_share=arguments.core_share,
        serving=Serving(
            request_seconds=texts.parse_seconds(arguments.request_cost),
            boot_seconds=texts.parse_seconds(arguments.boot),
        ),
        settings=settings,
        unikernels=_with_arguments(
            _spread(names, sorted(root.cpuids)),
            [texts.parse_argument(text) for text in arguments.argument],
        ),
    )


def next_steps(sandbox: Sandbox) -> str:
    """Say how what runs in *sandbox* is scaled."""
    ours = authority.domain_files(sandbox.directory, EXAMPLE.domain)
    words = [
        # They are installed beside each other.
        _shown(Path(sys.argv[0]).with_name("autoscaler")),
        "init",
        "--name=sandbox",
        f"--host={sandbox.address}",
        f"--ca={_shown(ours.certificate)}",
        f"--primary={EXAMPLE}",
        f"--output={_shown(sandbox.directory / 'autoscaler.toml')}",
    ]
    return (
        f"{_where(sandbox)}\n\n"
        f"{EXAMPLE} runs there, and its load comes and goes: {BUSY_CORES:g} CPUs for "
        f"{BUSY_S / 60:g} minutes, then {QUIET_CORES:g} for {QUIET_S / 60:g}.\n"
        "Leave this running (Ctrl-C ends it), and type in another terminal:\n\n"
        f"  cd {shlex.quote(str(Path.cwd()))}\n"
        f"  {shlex.join(words)}\n"
    )


def _with_defaults(
    policies: Mapping[Name, ResourcePolicy], names: list[Name]
) -> Mapping[Name, ResourcePolicy]:
    """Return *policies*, one for every domain of *names*, outer ones first."""
    depths = [Name(name.path[:depth]) for name in names for depth in _depths(name)]
    defaults = dict.fromkeys(depths, texts.DEFAULT_POLICY)
    all_of_them = {**defaults, **policies}
    return dict(sorted(all_of_them.items(), key=lambda item: len(item[0].path)))


def _depths(name: Name) -> range:
    return range(1, len(name.path) + 1)


def _spread(names: list[Name], cpuids: list[int]) -> Mapping[Name, Config]:
    """Return configurations that take the CPUs in turn."""
    return {
        name: Config(cpuids=frozenset({cpuids[index % len(cpuids)]}))
        for index, name in enumerate(names)
    }


def _with_arguments(
    configs: Mapping[Name, Config], arguments: Iterable[tuple[Name, str]]
) -> Mapping[Name, Config]:
    """Return *configs* with *arguments* added in their order.

    Raises:
        ValueError: One is for a unikernel that doesn't run from the start.
    """
    given = dict(configs)
    for name, argument in arguments:
        if name not in given:
            msg = f"{name} has an argument, but there is no --unikernel {name}"
            raise ValueError(msg)
        before = given[name].argv or ()
        given[name] = evolve(given[name], argv=(*before, argument))
    return given


def _comes_and_goes() -> Demand:
    """Return the load of `EXAMPLE`: soon it is busy."""
    busy, quiet = (BUSY_S, BUSY_CORES), (QUIET_S, QUIET_CORES)
    return Demand.repeated((busy, quiet), A_DAY)


def _announcement(sandbox: Sandbox) -> str:
    return f"{_where(sandbox)}\n\n{sandbox.toml}"


def _where(sandbox: Sandbox) -> str:
    keys = sorted(path.name for path in sandbox.directory.glob("*.*"))
    return (
        f"sandbox at {sandbox.address}, keys in {sandbox.directory}: {' '.join(keys)}"
    )


def _shown(path: Path) -> str:
    """Return *path* as it is shortest from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _in_words(error: BaseException, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"{LOOPBACK}:{port} is in use already: say another --port, or end that"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} can't be used: {error.strerror}"
    return str(error)


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
