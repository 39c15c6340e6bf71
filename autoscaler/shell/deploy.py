"""Notice new images of managed groups, and have every image at hand.

Laws: a file is read once it has stayed as it is for two looks, so that no half
of a new one is; what can't be used changes nothing but the log; whatever is in
force can be had as long as its file, or what was kept of it, is there.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import trio
from attrs import define, evolve, field, frozen

from albatross_client.solo5 import ImageError
from autoscaler.core.events import Redrawn
from autoscaler.core.group import GroupId
from autoscaler.shell.drafts import Draft, ImageFile, draft_of, read_file
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.marks import Mark, mark_of

LOOK_S = 5.0


class Kept(Protocol):
    """Images by their SHA-256."""

    async def get(self, digest: bytes) -> bytes | None:
        """Return the image, None where there is none that fits its digest."""

    async def put(self, digest: bytes, image: bytes) -> None:
        """Keep *image*."""


async def read_in_thread(path: Path) -> ImageFile:
    """Read the image at *path*.

    Raises:
        ImageError: It can't be read, or no host can run it.
    """
    return await trio.to_thread.run_sync(read_file, path)


@frozen
class Files:
    """The operator's files, as they are looked at and read."""

    mark: Callable[[Path], Mark | None] = mark_of
    read: Callable[[Path], Awaitable[ImageFile]] = read_in_thread


@frozen
class Shelf:
    """Images that are kept, and those that files of managed groups hold.

    Attributes:
        kept: What was kept of them.
        fleet: Knows the files.
        files: Reads them.
    """

    kept: Kept
    fleet: Fleet
    files: Files = Files()

    async def get(self, digest: bytes) -> bytes | None:
        """Return the image with this *digest*, None where there is none."""
        image = await self.kept.get(digest)
        if image is not None:
            return image
        for draft in self.fleet.drafts.values():
            if draft.digest != digest:
                continue
            try:
                file = await self.files.read(draft.recipe.image)
            except ImageError:
                return None
            if file.digest == digest:
                await self.put(digest, file.content)
                return file.content
        return None

    async def put(self, digest: bytes, image: bytes) -> None:
        """Keep *image*, whose SHA-256 is *digest*."""
        await self.kept.put(digest, image)


async def stock(kept: Kept, images: Mapping[bytes, bytes]) -> None:
    """Have *kept* keep those *images*, by digest, that it has not."""
    for digest, image in images.items():
        if await kept.get(digest) is None:
            await kept.put(digest, image)


@define
class Lookout:
    """Looks at the files of managed groups.

    Attributes:
        fleet: The groups.
        shelf: Where new images are kept.
        log: Told of new images, and of those that can't be used.
    """

    fleet: Fleet
    shelf: Shelf
    log: Log
    _seen: dict[GroupId, Mark | None] = field(factory=dict, init=False)

    async def look_for_ever(self) -> None:
        """Look whenever it is time."""
        while True:
            await trio.sleep(LOOK_S)
            for group_id, draft in tuple(self.fleet.drafts.items()):
                await self._look(group_id, draft)

    async def _look(self, group_id: GroupId, draft: Draft) -> None:
        mark = self.shelf.files.mark(draft.recipe.image)
        if mark == draft.mark:
            return
        if self._seen.get(group_id, draft.mark) != mark:
            # Whoever writes it may not be done.
            self._seen[group_id] = mark
            return
        del self._seen[group_id]
        try:
            image = await self.shelf.files.read(draft.recipe.image)
            new = draft_of(draft.recipe, image)
        except ImageError as error:
            self.log.event("image_refused", group=str(group_id), error=str(error))
            self._replace(group_id, draft, evolve(draft, mark=mark))
            return
        if new.digest != draft.digest:
            await self.shelf.put(new.digest, image.content)
        self._replace(group_id, draft, new)

    def _replace(self, group_id: GroupId, draft: Draft, new: Draft) -> None:
        """Put *new* in the place of *draft*, unless that is gone already."""
        if self.fleet.drafts.get(group_id) is not draft:
            return
        self.fleet.drafts[group_id] = new
        if new.digest != draft.digest:
            digest, file = new.digest.hex(), str(new.recipe.image)
            self.log.event(
                "image_renewed", group=str(group_id), file=file, digest=digest
            )
            self.fleet.tell(group_id, Redrawn(new.template))
