"""What a clone is created from: the primary's configuration, made its own."""

import re
from collections.abc import Iterable, Sequence

from albatross_client.values import BlockDevice, Config, Info, Interface
from autoscaler.core.actions import Slot
from autoscaler.core.policy import Policy

PLACEHOLDERS = ("name", "index", "address")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def clone_config(primary: Info, slot: Slot, policy: Policy) -> Config:
    """Return the configuration of the clone in *slot*; its image is streamed.

    MAC addresses are left to the host, which derives them from the name: two
    unikernels with one address would take each other's packets.
    """
    blocks = primary.blocks if policy.share_block_devices else ()
    return Config(
        typ=primary.typ,
        fail_behaviour=primary.fail_behaviour,
        startup=primary.startup,
        # `info` doesn't tell whether the primary has it; clones need the name.
        add_name=True,
        cpuids=slot.claim.cpuids,
        memory=primary.memory,
        blocks=tuple(BlockDevice(b.name, b.device, b.sector_size) for b in blocks),
        interfaces=tuple(Interface(i.name, i.bridge) for i in primary.interfaces),
        argv=_arguments(primary.argv, slot, policy.argument_template),
        numcpus=primary.numcpus,
        linux_boot_partition=primary.linux_boot_partition,
    )


def unknown_placeholders(template: Iterable[str]) -> tuple[str, ...]:
    """Return what stands in braces in *template* and means nothing."""
    return tuple(
        found
        for argument in template
        for found in _PLACEHOLDER.findall(argument)
        if found not in PLACEHOLDERS
    )


def _arguments(
    argv: Sequence[str] | None, slot: Slot, template: Sequence[str]
) -> tuple[str, ...] | None:
    # The host put the primary's --name= there, and will put the clone's.
    arguments = [a for a in argv or () if not a.startswith("--name=")]
    for argument in template:
        _set_argument(arguments, _filled(argument, slot))
    return tuple(arguments) if arguments or argv == () else None


def _set_argument(arguments: list[str], argument: str) -> None:
    """Put *argument* in the place of those with the same ``--key=``."""
    key, equals, _ = argument.partition("=")
    places = [
        place
        for place, old in enumerate(arguments)
        if old == argument or (equals and old.startswith(f"{key}="))
    ]
    if not places:
        arguments.append(argument)
        return
    arguments[places[0]] = argument
    for place in reversed(places[1:]):
        del arguments[place]


def _filled(argument: str, slot: Slot) -> str:
    values = {
        "name": slot.name.label or "",
        "index": str(slot.number),
        "address": slot.address or "",
    }
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), argument)
