"""What albatrossctl sandbox does: run one until a signal comes."""

import argparse
import signal
from collections.abc import Iterable, Mapping

import trio
from attrs import evolve

from albatross_client.cli.output import print_complaint, print_text
from albatross_client.names import ROOT, Name
from albatross_client.sandbox import texts
from albatross_client.sandbox.embed import Options, Sandbox, run_sandbox
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY, Settings
from albatross_client.sandbox.process import Serving
from albatross_client.values import Config, ResourcePolicy


def run(arguments: argparse.Namespace) -> int:
    """Run the sandbox that *arguments* describe; return the exit code."""
    code = 0
    try:
        trio.run(serve, options_of(arguments))
    except* (ValueError, OSError) as group:
        print_complaint(str(_first(group)))
        code = 1
    return code


async def serve(options: Options) -> None:
    """Run a sandbox, say so on standard output, and end with a signal."""
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            sandbox = await nursery.start(run_sandbox, options)
            print_text(_announcement(sandbox))
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
    policies = dict(texts.parse_policy(text) for text in arguments.policy)
    root = policies.pop(ROOT, DEFAULT_ROOT_POLICY)
    settings = Settings(
        interval=texts.parse_seconds(arguments.interval),
        root_policy=root,
        policies=_with_defaults(policies, names),
        demands=dict(texts.parse_demand(text) for text in arguments.demand),
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


def _announcement(sandbox: Sandbox) -> str:
    keys = sorted(path.name for path in sandbox.directory.glob("*.*"))
    return (
        f"sandbox at {sandbox.address}, keys in {sandbox.directory}: "
        f"{' '.join(keys)}\n\n{sandbox.toml}"
    )


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
