"""What a check finds about the images of managed groups."""

from collections.abc import Iterator, Mapping

from albatross_client.solo5 import Image
from autoscaler.cli.findings import Found
from autoscaler.core.group import GroupId
from autoscaler.core.lint import Severity
from autoscaler.shell.drafts import Draft

# Of a digest, as many characters tell images apart for people.
SHORT = 12
COLUMNS = ("group", "architecture", "target", "devices", "sha256", "file")


def found_in_images(drafts: Mapping[GroupId, Draft]) -> tuple[Found, ...]:
    """Return what is probably not meant in images that can be used."""
    return tuple(
        Found(
            severity=Severity.HINT,
            place=f"group {group_id}",
            key="image",
            message=message,
        )
        for group_id, draft in drafts.items()
        for message in _hints(draft)
    )


def image_row(group_id: GroupId, draft: Draft) -> tuple[str, ...]:
    """Return what people are told of an image, in the order of `COLUMNS`."""
    says = draft.says
    return (
        str(group_id),
        "-" if says.architecture is None else says.architecture.value,
        "-" if says.target is None else f"{says.target.value} {says.abi_version}",
        _devices(says),
        draft.digest.hex()[:SHORT],
        str(draft.recipe.image),
    )


def image_json(group_id: GroupId, draft: Draft) -> dict[str, object]:
    """Return what programs are told of an image."""
    says = draft.says
    return {
        "group": str(group_id),
        "file": str(draft.recipe.image),
        "architecture": None if says.architecture is None else says.architecture.value,
        "target": None if says.target is None else says.target.value,
        "abi_version": says.abi_version,
        "devices": None
        if says.devices is None
        else [{"name": d.name, "kind": d.kind.name.lower()} for d in says.devices],
        "sha256": draft.digest.hex(),
    }


def _hints(draft: Draft) -> Iterator[str]:
    if draft.says.target is None:
        yield (
            f"{draft.recipe.image} has no Solo5 note: it can't be told whether a host "
            "would run it"
        )


def _devices(says: Image) -> str:
    if says.devices is None:
        return "-"
    return " ".join(f"{d.kind.name.lower()}:{d.name}" for d in says.devices) or "none"
