"""What one clone is created from: the blueprint of all, made its own."""

import re
from collections.abc import Iterable, Sequence

from albatross_client.values import Config
from autoscaler.core.actions import Slot
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.policy import Policy

PLACEHOLDERS = ("name", "index", "address")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def clone_config(made_from: Blueprint, slot: Slot, policy: Policy) -> Config:
    """Return the configuration of the clone in *slot*, without its image."""
    return Config(
        typ=made_from.typ,
        fail_behaviour=made_from.fail_behaviour,
        startup=made_from.startup,
        # `info` doesn't tell whether the primary has it; clones need the name.
        add_name=True,
        cpuids=slot.claim.cpuids,
        memory=made_from.memory,
        blocks=made_from.blocks if policy.share_block_devices else (),
        interfaces=made_from.interfaces,
        argv=_arguments(made_from.argv, slot, policy.argument_template),
        numcpus=made_from.numcpus,
        linux_boot_partition=made_from.linux_boot_partition,
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
