"""What one more clone lacks, in words and in numbers.

Whatever a host has named is cleaned where it becomes text.
"""

from collections.abc import Mapping
from typing import TypeAlias

from albatross_client.texts import clean
from autoscaler.core.decision import Reason, Shortage

Number: TypeAlias = str | int | float | None


def describe_shortage(shortage: Shortage, clone: str = "clone") -> str:
    """Return in words what one more *clone* lacks."""
    whose = ""
    if shortage.domain is not None:
        # A domain's name ends with a colon, which reads as the sentence's own.
        domain = str(shortage.domain).removesuffix(":") or "the root"
        whose = f" in the policy of {domain}"
    resource = clean(shortage.resource, 100)
    match shortage.reason:
        case Reason.BLOCK_DEVICE:
            return f"the primary has {counted(shortage.used, 'block device')}"
        case Reason.UNSUPPORTED:
            return f"a {resource} unikernel can't be cloned"
        case Reason.NO_ADDRESS:
            held = shortage.limit - shortage.resting
            return (
                f"of the pool's addresses {held} are held, and {shortage.resting} rest "
                "after they were"
            )
        case Reason.NO_DATA:
            return f"the {resource} is not known"
        case _ if not shortage.limit and not shortage.used:
            return f"no {resource} for a {clone}{whose}"
        case _:
            unit = " MB" if resource == "memory" else ""
            return (
                f"a {clone} needs {shortage.needed}{unit} of {resource}, and "
                f"{shortage.used} of {shortage.limit}{unit} are taken{whose}"
            )


def shortage_fields(shortage: Shortage) -> Mapping[str, Number]:
    """Return the numbers of *shortage*, as fields of a line."""
    return {
        "short_of": clean(shortage.resource, 100),
        "short_needed": shortage.needed,
        "short_used": shortage.used,
        "short_limit": shortage.limit,
        "short_domain": None if shortage.domain is None else str(shortage.domain),
        "short_resting": shortage.resting or None,
    }


def counted(number: int, noun: str) -> str:
    """Return *number* with its noun, in the plural where that is due."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
