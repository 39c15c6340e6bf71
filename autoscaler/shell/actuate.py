"""Carry out one action on one host, and tell what came of it.

Nothing is decided here.  Laws: a command is never repeated blindly; after an
answer that was lost the host is asked until it tells what is true; what was
made by an action that failed is removed again.
"""

import hashlib
from typing import Protocol, assert_never

import trio
from attrs import frozen

from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
    HungUpError,
    RemoteProtocolError,
)
from albatross_client.names import Name
from albatross_client.texts import clean
from albatross_client.values import Info
from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
    Slot,
)
from autoscaler.core.capacity import confirm_slot
from autoscaler.core.clone import clone_config
from autoscaler.core.decision import Shortage
from autoscaler.core.events import ActionEnded, CloneCreated, CloneDestroyed, Event
from autoscaler.core.group import Group
from autoscaler.core.view import View
from autoscaler.shell.host import Host

# A command without an image takes milliseconds.
COMMAND_S = 30.0
# 100 MB over 10 Mbit/s.
TRANSFER_S = 120.0
FIRST_LOOK_S = 1.0
LONGEST_LOOK_S = 60.0
# Between the reply to destroy and the host no longer listing it.
GONE_LOOKS = 5
GONE_PAUSE_S = 1.0
BOOT_INTERVALS = 3
BOOT_LOOK_S = 0.5
# About a millisecond of work: ticks of other groups are not kept waiting.
HASHED_AT_ONCE = 1024 * 1024


class Images(Protocol):
    """Images by their SHA-256."""

    async def get(self, digest: bytes) -> bytes | None:
        """Return the image, None where there is none that fits its digest."""

    async def put(self, digest: bytes, image: bytes) -> None:
        """Keep *image*."""


class Site(Protocol):
    """Where an action takes place: one group on one host."""

    @property
    def host(self) -> Host:
        """The host."""

    @property
    def images(self) -> Images:
        """The images that are kept."""

    @property
    def group(self) -> Group:
        """The group as it is now."""

    async def look(self) -> View:
        """Ask the host what runs and what is allowed; raises AlbatrossError."""

    def view(self) -> View:
        """Return what is known without asking."""

    def first_frame(self, name: Name) -> trio.Event:
        """Return an event that is set with the next frame of *name*."""

    def tell(self, event: Event) -> None:
        """Let *event* happen to the group."""


@frozen
class Failed:
    """A part of an action that did not work.

    Attributes:
        why: In words, for the operator.
        doubtful: Clones of which nobody can tell yet whether they came.
        digest: Of the image that was to be created.
    """

    why: str
    doubtful: tuple[Name, ...] = ()
    digest: bytes = b""


async def carry_out(action: Action, site: Site, jitter: float) -> ActionEnded:
    """Carry out *action*; returns how it ended, expected failures included.

    Each clone that comes or goes is told to *site* at once.
    """
    match action:
        case CreateClones():
            failed = await _create_all(action.slots, site)
        case DestroyClone():
            failed = await _destroy(action.victim, site)
        case ReplaceClone():
            failed = await _replace(action, site)
        case _:
            assert_never(action)
    if failed is None:
        return ActionEnded(jitter=jitter)
    return ActionEnded(failed.why, jitter, failed.doubtful, failed.digest)


async def _replace(action: ReplaceClone, site: Site) -> Failed | None:
    if action.victim is None:
        return await _create_all(action.slots, site)
    if action.create_first:
        failed = await _create_all(action.slots, site)
        return failed or await _destroy(action.victim, site)
    failed = await _destroy(action.victim, site)
    return failed or await _create_all(action.slots, site)


async def _create_all(slots: tuple[Slot, ...], site: Site) -> Failed | None:
    for slot in slots:
        try:
            failed = await _create(slot, site)
        except (AlbatrossError, trio.TooSlowError) as error:
            failed = Failed(_words(error))
        if failed is not None:
            return failed
    return None


async def _create(slot: Slot, site: Site) -> Failed | None:
    view = await site.look()
    confirmed = confirm_slot(site.group, view, slot)
    if isinstance(confirmed, Shortage):
        return Failed(f"no room any more: {confirmed.reason.value}")
    primary = view.info(site.group.id.primary)
    if primary is None:
        return Failed("the primary is not listed any more")
    image = await _image(primary, site)
    if image is None:
        return Failed("the host sent another image than the primary's digest names")
    try:
        config = clone_config(primary, confirmed, site.group.policy)
        with trio.fail_after(TRANSFER_S):
            await site.host.create(slot.name, config, image)
    except (AlbatrossError, trio.TooSlowError, ValueError) as error:
        # ValueError: no certificate can hold such a configuration.
        if not _may_have_worked(error):
            return Failed(_words(error), digest=primary.digest)
        view = await _look_until_answered(site)
        if not view.lists(slot.name):
            # Never repeated: if it turns up later after all, it is ours.
            return Failed(_words(error), (slot.name,), primary.digest)
    return await _wait_for_boot(slot.name, site, primary.digest)


async def _wait_for_boot(name: Name, site: Site, digest: bytes) -> Failed | None:
    """Wait for the first frame; the clock stands still while nobody listens."""
    created, view = trio.current_time(), site.view()
    since = view.feed.listened_by(created)
    came = CloneCreated(name, created, since)
    patience = max(
        site.group.policy.boot_timeout, BOOT_INTERVALS * view.feed.rhythm.reckoned
    )
    heard = site.first_frame(name)
    while not heard.is_set():
        waited = site.view().feed.listened_by(trio.current_time()) - since
        if waited >= patience:
            break
        with trio.move_on_after(min(BOOT_LOOK_S, patience - waited)):
            await heard.wait()
    else:
        site.tell(came)
        return None
    view = await _look_until_answered(site)
    if view.lists(name):
        # Only its frames are missing: the host may have lost its statistics.
        site.tell(came)
        return None
    why = f"{name} was created and is gone again, without one stats frame"
    return Failed(why, digest=digest)


async def _destroy(name: Name, site: Site) -> Failed | None:
    why = "the host still lists it"
    try:
        with trio.fail_after(COMMAND_S):
            await site.host.destroy(name)
    except CommandRefusedError as error:
        # Whatever the host said: what it lists is the truth.
        why = _words(error)
    except (AlbatrossError, trio.TooSlowError) as error:
        why = _words(error)
        if not _may_have_worked(error):
            return Failed(why)
    pause = GONE_PAUSE_S
    for _ in range(GONE_LOOKS):
        view = await _look_until_answered(site)
        if not view.lists(name):
            site.tell(CloneDestroyed(name))
            return None
        await trio.sleep(pause)
    return Failed(why)


async def _image(primary: Info, site: Site) -> bytes | None:
    """Return the primary's image, None where the host sends another one."""
    kept = await site.images.get(primary.digest)
    if kept is not None:
        return kept
    with trio.fail_after(TRANSFER_S):
        image = await site.host.image(site.group.id.primary)
    digest = await _sha256(image)
    if digest != primary.digest:
        return None
    await site.images.put(digest, image)
    return image


async def _sha256(image: bytes) -> bytes:
    """Return the digest of *image*, with a pause after every part of it."""
    digest = hashlib.sha256()
    for start in range(0, len(image), HASHED_AT_ONCE):
        digest.update(memoryview(image)[start : start + HASHED_AT_ONCE])
        await trio.lowlevel.checkpoint()
    return digest.digest()


async def _look_until_answered(site: Site) -> View:
    """Ask the host until it answers: nothing else can tell what is true."""
    pause = FIRST_LOOK_S
    while True:
        try:
            return await site.look()
        except (AlbatrossError, trio.TooSlowError):
            await trio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_S)


def _may_have_worked(error: Exception) -> bool:
    match error:
        case HungUpError():
            # The host's own connection to what carries commands out was lost.
            return True
        case CommandRefusedError():
            return False
        case HostUnreachableError():
            return error.sent
        case RemoteProtocolError() | trio.TooSlowError():
            return True
        case _:
            return False


def _words(error: Exception) -> str:
    if isinstance(error, trio.TooSlowError):
        return "no answer in time"
    # The host's own words, and it becomes part of the state.
    return clean(str(error))
