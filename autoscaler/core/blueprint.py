"""What new members of a group are made from.

Around a primary it is the primary's own configuration, as `info` tells it; a
managed group's is what its operator says.
"""

from attrs import field, frozen

from albatross_client.values import (
    BlockDevice,
    FailBehaviour,
    Info,
    Interface,
    Quit,
    Typ,
)


@frozen(kw_only=True)
class Blueprint:
    """All that members have in common.

    MAC addresses are left to the host, which derives them from the name: two
    unikernels with one address would take each other's packets.

    Attributes:
        digest: SHA-256 of the uncompressed image.
        typ: What runs it.
        fail_behaviour: What happens when it exits.
        startup: Priority at the host's start.
        memory: MB.
        cpuids: How many CPUs it is pinned to; and to which, where no policy
            says so.
        numcpus: Virtual CPUs.
        blocks: Block devices.
        interfaces: Network interfaces, without MAC addresses.
        argv: Its arguments, before a template is applied to them.
        linux_boot_partition: BHyve only.
    """

    digest: bytes = field(repr=bytes.hex)
    typ: Typ = Typ.SOLO5
    fail_behaviour: FailBehaviour = field(factory=Quit)
    startup: int | None = None
    memory: int = 32
    cpuids: frozenset[int] = frozenset({0})
    numcpus: int = 1
    blocks: tuple[BlockDevice, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    argv: tuple[str, ...] | None = None
    linux_boot_partition: str | None = None


def copied(info: Info) -> Blueprint:
    """Return what copies of a unikernel are made from."""
    return Blueprint(
        digest=info.digest,
        typ=info.typ,
        fail_behaviour=info.fail_behaviour,
        startup=info.startup,
        memory=info.memory,
        cpuids=info.cpuids,
        numcpus=info.numcpus,
        blocks=tuple(BlockDevice(b.name, b.device, b.sector_size) for b in info.blocks),
        interfaces=tuple(Interface(i.name, i.bridge) for i in info.interfaces),
        argv=info.argv,
        linux_boot_partition=info.linux_boot_partition,
    )
