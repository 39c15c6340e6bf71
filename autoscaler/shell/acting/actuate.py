"""Carry out one action on one host, and tell what came of it.

Nothing is decided here.  Laws: a command is never repeated blindly; after an
answer that was lost the host is asked until it tells what is true; what was
made by an action that failed is removed again; each step is written down
before the next effect, and a command that can't be written down isn't sent.
"""

import hashlib
from typing import Protocol, assert_never

import trio
from attrs import field, frozen

from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
    HungUpError,
    RemoteProtocolError,
)
from albatross_client.names import Name
from albatross_client.texts import clean
from albatross_client.tls_stream import Before
from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
    Slot,
)
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.capacity import confirm_slot
from autoscaler.core.clone import clone_config
from autoscaler.core.decision import Shortage
from autoscaler.core.events import ActionEnded, CloneCreated, CloneDestroyed, Event
from autoscaler.core.group import Group
from autoscaler.core.view import View
from autoscaler.shell.acting.sending import Entry, Sending
from autoscaler.shell.acting.turns import Turn
from autoscaler.shell.hosts.host import Host
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Step

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

    @property
    def turn(self) -> Turn:
        """The turn to act, while this lasts."""

    async def look(self) -> View:
        """Ask the host what runs and what is allowed; raises AlbatrossError."""

    def view(self) -> View:
        """Return what is known without asking."""

    def first_frame(self, name: Name) -> trio.Event:
        """Return an event that is set with the next frame of *name*."""

    def tell(self, event: Event) -> None:
        """Let *event* happen to the group."""


@frozen
class Work:
    """An action that is under way.

    Attributes:
        site: Where.
        entry: Where its steps are written down.
    """

    site: Site
    entry: Entry


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


async def carry_out(action: Action, work: Work, jitter: float) -> ActionEnded:
    """Carry out *action*; returns how it ended, expected failures included.

    Each clone that comes or goes is told to the site of *work* at once.
    """
    match action:
        case CreateClones():
            failed = await _create_all(action.slots, work)
        case DestroyClone():
            failed = await _destroy(action.victim, work)
        case ReplaceClone():
            failed = await _replace(action, work)
        case _:
            assert_never(action)
    if failed is None:
        return ActionEnded(action.id, jitter=jitter)
    return ActionEnded(action.id, failed.why, jitter, failed.doubtful, failed.digest)


async def _replace(action: ReplaceClone, work: Work) -> Failed | None:
    if action.victim is None:
        return await _create_all(action.slots, work)
    if action.create_first:
        failed = await _create_all(action.slots, work)
        failed = failed or await _prove_all(action, work)
        return failed or await _destroy(action.victim, work)
    failed = await _destroy(action.victim, work)
    failed = failed or await _create_all(action.slots, work)
    return failed or await _prove_all(action, work)


async def _prove_all(action: ReplaceClone, work: Work) -> Failed | None:
    """Let the new clones of *action* run for as long as they have to."""
    for slot in action.slots if action.stable_for else ():
        failed = await _prove(slot.name, work, action.stable_for)
        if failed is not None:
            return failed
    return None


async def _create_all(slots: tuple[Slot, ...], work: Work) -> Failed | None:
    for slot in slots:
        try:
            failed = await _create(slot, work)
        except (AlbatrossError, trio.TooSlowError) as error:
            failed = Failed(_words(error))
        if failed is not None:
            return failed
    return None


async def _create(slot: Slot, work: Work) -> Failed | None:
    site = work.site
    await site.turn.take()
    _prepare(slot, site)
    view = await site.look()
    confirmed = confirm_slot(site.group, view, slot)
    if isinstance(confirmed, Shortage):
        return Failed(f"no room any more: {confirmed.reason.value}")
    made_from = site.group.blueprint(view)
    if made_from is None:
        return Failed("the primary is not listed any more")
    image = await _image(made_from.digest, view, site)
    if isinstance(image, Failed):
        return image
    failed = await _send(slot.name, _Order(made_from, confirmed, image), work)
    return failed or await _wait_for_boot(slot.name, work, made_from.digest)


def _prepare(slot: Slot, site: Site) -> None:
    """Announce the create that it will be if nothing has changed."""
    view = site.view()
    confirmed = confirm_slot(site.group, view, slot)
    made_from = site.group.blueprint(view)
    if made_from is not None and isinstance(confirmed, Slot):
        config = clone_config(made_from, confirmed, site.group.policy)
        site.host.prepare(slot.name, config)


@frozen
class _Order:
    """What a clone is made from."""

    made_from: Blueprint
    slot: Slot
    image: bytes = field(repr=False)


async def _send(name: Name, order: _Order, work: Work) -> Failed | None:
    """Have *name* created; None: it was.

    That it is sent is written down while the connection comes about.
    """
    sending = Sending(name, work.entry)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sending.write)
        return await _send_when(sending.written, name, order, work)


async def _send_when(
    written: Before, name: Name, order: _Order, work: Work
) -> Failed | None:
    site, digest = work.site, order.made_from.digest
    try:
        config = clone_config(order.made_from, order.slot, site.group.policy)
        with trio.fail_after(TRANSFER_S):
            await site.host.create(name, config, order.image, written)
    except StoreError as error:
        return Failed(f"not begun: {error}")
    except (AlbatrossError, trio.TooSlowError, ValueError) as error:
        # ValueError: no certificate can hold such a configuration.
        if not _may_have_worked(error):
            return Failed(_words(error), digest=digest)
        view = await _look_until_answered(site)
        if not view.lists(name):
            # Never repeated: if it turns up later after all, it is ours.
            return Failed(_words(error), (name,), digest)
    return None


async def _wait_for_boot(name: Name, work: Work, digest: bytes) -> Failed | None:
    """Wait for the first frame; the clock stands still while nobody listens."""
    site = work.site
    heard, created = site.first_frame(name), trio.current_time()
    view = site.view()
    since = view.feed_of(name).listened_by(created)
    came = CloneCreated(name, created, since)
    await work.entry.note(name, Step.CONFIRMED)
    patience = max(
        site.group.policy.boot_timeout, BOOT_INTERVALS * view.feed.rhythm.reckoned
    )
    while not heard.is_set():
        feed = site.view().feed_of(name)
        if feed.up_since is None or site.group.policy.requests is not None:
            # Who knows for how long, or more are wanted at once: who boots asks
            # nothing of the host, and others need not wait for it.
            site.turn.give_back()
        waited = feed.listened_by(trio.current_time()) - since
        if waited >= patience:
            break
        # Not min(.., patience - waited): that may be a float's last bit, and no
        # time at all once it is added to the clock's.
        with trio.move_on_after(BOOT_LOOK_S):
            await heard.wait()
    else:
        site.tell(came)
        await work.entry.note(name, Step.FIRST_SAMPLE)
        return None
    view = await _look_until_answered(site)
    if view.lists(name):
        # Only its frames are missing: the host may have lost its statistics.
        site.tell(came)
        await work.entry.note(name, Step.DONE)
        return None
    why = f"{name} was created and is gone again, without one stats frame"
    return Failed(why, digest=digest)


async def _prove(name: Name, work: Work, seconds: float) -> Failed | None:
    """Let *name* run for *seconds* without a restart, else remove it again."""
    site = work.site
    before = (await _look_until_answered(site)).info(name)
    digest, began = b"" if before is None else before.digest, trio.current_time()
    await trio.sleep(seconds)
    view = await _look_until_answered(site)
    track = view.tracks.get(name)
    restarts = () if track is None else track.restarts
    if view.lists(name) and not any(at >= began for at in restarts):
        return None
    why = f"{name} did not run for {seconds:g} s without a restart"
    undone = await _destroy(name, work)
    if undone is not None:
        return Failed(f"{why}, and is still there: {undone.why}", digest=digest)
    await work.entry.note(name, Step.ROLLED_BACK)
    return Failed(why, digest=digest)


async def _destroy(name: Name, work: Work) -> Failed | None:
    site, why = work.site, "the host still lists it"
    await site.turn.take()
    unwritten = await work.entry.note(name, Step.SENT)
    if unwritten is not None:
        return Failed(f"not begun: {unwritten}")
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
            await work.entry.note(name, Step.CONFIRMED)
            return None
        await trio.sleep(pause)
    return Failed(why)


async def _image(digest: bytes, view: View, site: Site) -> bytes | Failed:
    """Return the image with this *digest*, from whoever runs it if not kept."""
    kept = await site.images.get(digest)
    if kept is not None:
        return kept
    runs = (member.name for member in site.group.members)
    infos = ((name, view.info(name)) for name in runs)
    source = next((n for n, info in infos if info and info.digest == digest), None)
    if source is None:
        return Failed("the image is not kept any more, and no member runs it")
    with trio.fail_after(TRANSFER_S):
        image = await site.host.image(source)
    if await _sha256(image) != digest:
        return Failed(f"the host sent another image than the digest of {source} names")
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
            view = await site.look()
        except (AlbatrossError, trio.TooSlowError):
            # Who knows for how long: others need not wait for this host.
            site.turn.give_back()
            await trio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_S)
        else:
            if site.turn.is_held:
                return view
            await site.turn.take()


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
