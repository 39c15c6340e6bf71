"""What members of managed groups are made from: recipes and their image files.

Laws: an image is read whole or not at all, and one that no host can run is
never used; whatever is wrong is one sentence about one file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from attrs import field, frozen

from albatross_client.solo5 import (
    TENDED,
    DeviceKind,
    Image,
    ImageError,
    read_image,
)
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.group import GroupId
from autoscaler.shell.configuration.problems import Place, Problem, titled
from autoscaler.shell.configuration.recipes import Recipe
from autoscaler.shell.configuration.settings import GroupSettings, Settings
from autoscaler.shell.marks import Mark, mark_of

# As much as the client takes of an image.
MOST_BYTES = 256 * 1024 * 1024


@frozen
class Draft:
    """What members of one group are made from.

    Attributes:
        recipe: As its operator says.
        digest: SHA-256 of the image.
        says: What the image says of itself.
        mark: The state of its file that was read last.
    """

    recipe: Recipe
    digest: bytes = field(repr=bytes.hex)
    says: Image
    mark: Mark | None

    @property
    def template(self) -> Blueprint:
        """What new members are made from."""
        return self.recipe.blueprint(self.digest)


@frozen
class ImageFile:
    """An image file that was read.

    Attributes:
        content: The image.
        says: What it says of itself.
        mark: The state of the file.
    """

    content: bytes = field(repr=False)
    says: Image
    mark: Mark | None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the image."""
        return sha256(self.content).digest()


Read = Callable[[Path], ImageFile]


def read_file(path: Path) -> ImageFile:
    """Read the image at *path*.

    Raises:
        ImageError: It can't be read, or no host can run it.
    """
    mark = mark_of(path)
    if mark is not None and mark.size > MOST_BYTES:
        msg = f"{path} is larger than {MOST_BYTES} bytes, the most of an image"
        raise ImageError(msg)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise ImageError(msg) from error
    if mark_of(path) != mark:
        msg = f"{path} is being written: it changed while it was read"
        raise ImageError(msg)
    try:
        return ImageFile(content, read_image(content), mark)
    except ImageError as error:
        msg = f"{path} {error}"
        raise ImageError(msg) from error


def draft_of(recipe: Recipe, image: ImageFile) -> Draft:
    """Return what members are made from by *recipe*, with *image*.

    Raises:
        ImageError: They don't fit together.
    """
    for complaint in complaints(recipe, image.says):
        msg = f"{recipe.image} {complaint}"
        raise ImageError(msg)
    return Draft(recipe, image.digest, image.says, image.mark)


def complaints(recipe: Recipe, says: Image) -> Iterator[str]:
    """Yield why the host would refuse an image that *says* this of itself."""
    built, host = says.architecture, recipe.architecture
    if built is not None and host is not None and built is not host:
        yield f"is for {built.value}, and the host is {host.value}"
    if says.target is not None and says.target not in TENDED:
        tended = " and ".join(sorted(target.value for target in TENDED))
        yield f"is for {says.target.value}, and hosts run {tended}"
    # vmm_unix.ml:manifest_devices_match - by names, none missing and no other.
    bridged = frozenset(interface.name for interface in recipe.bridges)
    nets, blocks = says.names(DeviceKind.NET), says.names(DeviceKind.BLOCK)
    if nets is not None and nets != bridged:
        yield (
            f"asks for the network devices {_listed(nets)}, and `bridges` has "
            f"{_listed(bridged)}"
        )
    if blocks:
        yield f"asks for the block devices {_listed(blocks)}, which members don't get"


@frozen
class Drafts:
    """What the groups of a configuration are made from.

    Attributes:
        by_group: Of each managed group.
        images: The images of all of them, by digest.
    """

    by_group: Mapping[GroupId, Draft] = field(factory=dict)
    images: Mapping[bytes, bytes] = field(factory=dict, repr=False)

    @property
    def templates(self) -> Mapping[GroupId, Blueprint]:
        """What new members are made from, by group."""
        return {group_id: draft.template for group_id, draft in self.by_group.items()}


def read_drafts(
    settings: Settings, read: Read = read_file
) -> tuple[Drafts, tuple[Problem, ...]]:
    """Read the images of all managed groups, and tell all that is wrong."""
    files: dict[Path, ImageFile] = {}
    found: dict[GroupId, Draft] = {}
    problems: list[Problem] = []
    for number, group, recipe in _managed(settings.groups):
        path = recipe.image
        try:
            if path not in files:
                files[path] = read(path)
            found[group.id] = draft_of(recipe, files[path])
        except ImageError as error:
            place = Place(settings.path, titled("groups", number, str(group.id)))
            problems.append(place.problem(str(error), "image"))
    images = {file.digest: file.content for file in files.values()}
    return Drafts(found, images), tuple(problems)


def _managed(
    groups: Iterable[GroupSettings],
) -> Iterator[tuple[int, GroupSettings, Recipe]]:
    for number, group in enumerate(groups, 1):
        if group.recipe is not None:
            yield number, group, group.recipe


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
