"""Commands about unikernels, as hosts answer them."""

import hashlib
import zlib
from typing import assert_never

from attrs import evolve

from albatross_client.commands import (
    OldUnikernelInfo4,
    OldUnikernelInfo5,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelForceCreate,
    UnikernelGet,
    UnikernelInfo,
    UnikernelRestart,
)
from albatross_client.names import Name
from albatross_client.replies import (
    Failure,
    Infos,
    OldInfos4,
    OldInfos5,
    UnikernelImage,
)
from albatross_client.sandbox.blocks import deflated, inflate
from albatross_client.sandbox.limits import bridge_of, check_create
from albatross_client.sandbox.state import (
    Host,
    Refusal,
    Start,
    Step,
    Stop,
    Unikernel,
    UnikernelCommand,
    below,
    refused,
    relative,
    said,
    with_unikernel,
    without_unikernel,
)
from albatross_client.values import (
    Arguments,
    BlockInfo,
    Config,
    Info,
    InterfaceInfo,
    RestartOnExit,
    Timestamp,
    Typ,
)

ELF_MAGIC = b"\x7fELF"
DEFAULT_SECTOR_BYTES = 512


def handle_unikernel(
    host: Host, now: Timestamp, name: Name, command: UnikernelCommand
) -> Step:
    """Answer *command* about the unikernel, or the domain, *name* at *now*."""
    # See vmm_vmmd.ml:handle_unikernel_cmd.
    match command:
        case UnikernelInfo() | OldUnikernelInfo4() | OldUnikernelInfo5():
            return host, (), _infos(host, name, command)
        case UnikernelGet(level):
            return _get(host, name, level)
        case UnikernelCreate(config):
            return _create(host, now, name, config)
        case UnikernelForceCreate(config):
            return _force_create(host, now, name, config)
        case UnikernelRestart(arguments):
            return _restart(host, now, name, arguments)
        case UnikernelDestroy():
            return _destroy(host, name)
        case _:
            assert_never(command)


def has_exited(
    host: Host, process: int, exit_code: int, now: Timestamp
) -> tuple[Host, tuple[Start, ...]]:
    """Return *host* after *process* ended by itself with *exit_code*.

    It is started again where its fail behaviour says so, else it is gone.
    """
    for unikernel in host.unikernels.values():
        if unikernel.process == process:
            without = without_unikernel(host, unikernel.name)
            if not _comes_back(unikernel.config, exit_code):
                return without, ()
            return _run(without, evolve(unikernel, started=now))
    return host, ()


def info_of(host: Host, unikernel: Unikernel) -> Info:
    """Return what *host* says of *unikernel*."""
    # See vmm_core.ml:Unikernel.info.
    config = unikernel.config
    return Info(
        typ=config.typ,
        fail_behaviour=config.fail_behaviour,
        startup=config.startup,
        cpuids=config.cpuids,
        memory=config.memory,
        digest=unikernel.digest,
        blocks=tuple(_block_infos(host, unikernel)),
        interfaces=tuple(
            InterfaceInfo(
                interface.name,
                bridge_of(interface),
                interface.mac or _mac(unikernel.name, bridge_of(interface)),
            )
            for interface in config.interfaces
        ),
        argv=_argv(unikernel),
        started=unikernel.started,
        numcpus=config.numcpus,
        linux_boot_partition=config.linux_boot_partition,
    )


def _block_infos(host: Host, unikernel: Unikernel) -> list[BlockInfo]:
    path = unikernel.name.path
    named = [(block, block.device or block.name) for block in unikernel.config.blocks]
    return [
        BlockInfo(
            block.name,
            device,
            block.sector_size or DEFAULT_SECTOR_BYTES,
            host.devices[Name(path, device)].size,
        )
        for block, device in named
    ]


def _argv(unikernel: Unikernel) -> tuple[str, ...] | None:
    if not unikernel.config.add_name:
        return unikernel.config.argv
    return (f"--name={unikernel.name.label}", *(unikernel.config.argv or ()))


def _mac(name: Name, bridge: str) -> bytes:
    # name.ml:mac - a fixed prefix, the rest made from bridge and name.
    text = f"{bridge}{name}".encode()
    ours = hashlib.md5(text, usedforsecurity=False).digest()
    return b"\x00\x80\x41" + ours[:3]


def _infos(
    host: Host,
    name: Name,
    command: UnikernelInfo | OldUnikernelInfo4 | OldUnikernelInfo5,
) -> Infos | OldInfos4 | OldInfos5:
    # One name is answered by its full name, a path by names relative to it.
    if name.label is not None:
        shown = {name: name} if name in host.unikernels else {}
    else:
        shown = {each: relative(each, name) for each in below(host.unikernels, name)}
    infos = tuple(
        (relative_name, info_of(host, host.unikernels[each]))
        for each, relative_name in shown.items()
    )
    match command:
        case UnikernelInfo():
            return Infos(infos)
        case OldUnikernelInfo5():
            return OldInfos5(tuple((each, _aged(info)) for each, info in infos))
        case OldUnikernelInfo4():
            return OldInfos4(
                tuple((each, evolve(_aged(info), startup=None)) for each, info in infos)
            )
        case _:
            assert_never(command)


def _aged(info: Info) -> Info:
    """Return *info* without what older forms can't say: one CPU is left."""
    first = frozenset({min(info.cpuids, default=0)})
    return evolve(info, cpuids=first, numcpus=1, linux_boot_partition=None)


def _get(host: Host, name: Name, level: int) -> Step:
    unikernel = host.unikernels.get(name)
    if unikernel is None:
        return refused(host, "get: no unikernel found")
    config = unikernel.config
    if not config.compressed:
        image = deflated(config.image, level) if level else config.image
        return host, (), UnikernelImage(level != 0, image)
    if level > 0:
        return host, (), UnikernelImage(True, config.image)  # noqa: FBT003
    # It was a zlib stream when the unikernel was created.
    plain = zlib.decompress(config.image)
    return host, (), UnikernelImage(False, plain)  # noqa: FBT003


def _create(host: Host, now: Timestamp, name: Name, config: Config) -> Step:
    if name in host.unikernels:
        return refused(host, "Unikernel with same name is already running")
    return _created(host, now, name, config)


def _force_create(host: Host, now: Timestamp, name: Name, config: Config) -> Step:
    old = host.unikernels.get(name)
    without = without_unikernel(host, name)
    after, effects, reply = _created(without, now, name, config)
    if old is None:
        return after, effects, reply
    if isinstance(reply, Failure):
        return host, (), reply
    return after, (Stop(old), *effects), reply


def _restart(
    host: Host, now: Timestamp, name: Name, arguments: Arguments | None
) -> Step:
    old = host.unikernels.get(name)
    if old is None:
        # vmm_vmmd.ml:stop_create - a restart of nothing ends like a destroy.
        return refused(host, "destroy: not found")
    config = old.config if arguments is None else _with(old.config, arguments)
    problem = check_create(without_unikernel(host, name), name, config)
    if problem is not None:
        return refused(host, problem)
    again, effects = _run(
        without_unikernel(host, name), evolve(old, config=config, started=now)
    )
    return said(again, "created unikernel", Stop(old), *effects)


def _with(config: Config, arguments: Arguments) -> Config:
    return Config(
        typ=config.typ,
        compressed=config.compressed,
        image=config.image,
        fail_behaviour=arguments.fail_behaviour,
        startup=arguments.startup,
        add_name=arguments.add_name,
        cpuids=arguments.cpuids,
        memory=arguments.memory,
        blocks=arguments.blocks,
        interfaces=arguments.interfaces,
        argv=arguments.argv,
        numcpus=arguments.numcpus,
        linux_boot_partition=arguments.linux_boot_partition,
    )


def _destroy(host: Host, name: Name) -> Step:
    unikernel = host.unikernels.get(name)
    if unikernel is None:
        return refused(host, "destroy: not found")
    gone = without_unikernel(host, name)
    return said(gone, "destroyed unikernel", Stop(unikernel))


def _created(host: Host, now: Timestamp, name: Name, config: Config) -> Step:
    if name.label is None:
        return refused(host, "path used instead of name")
    problem = check_create(host, name, config)
    if problem is not None:
        return refused(host, problem)
    image = _uncompressed(config)
    if isinstance(image, Refusal):
        return refused(host, image.text)
    if config.typ is Typ.SOLO5 and not image.startswith(ELF_MAGIC):
        return refused(host, "error during ELF parsing")
    # A BHyve unikernel has the name of a virtual machine for an image.
    solo5 = config.typ is Typ.SOLO5
    digest = hashlib.sha256(image).digest() if solo5 else image
    after, effects = _run(host, Unikernel(name, config, digest, now, 0))
    return said(after, "created unikernel", *effects)


def _uncompressed(config: Config) -> bytes | Refusal:
    return inflate(config.image) if config.compressed else config.image


def _run(host: Host, unikernel: Unikernel) -> tuple[Host, tuple[Start, ...]]:
    """Give *unikernel* a process of its own."""
    process = host.processes + 1
    running = evolve(unikernel, process=process)
    return evolve(with_unikernel(host, running), processes=process), (Start(running),)


def _comes_back(config: Config, exit_code: int) -> bool:
    behaviour = config.fail_behaviour
    if not isinstance(behaviour, RestartOnExit):
        return False
    return not behaviour.exit_codes or exit_code in behaviour.exit_codes
