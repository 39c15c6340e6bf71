"""Create clones: sent once, waited for, and removed again where they fail."""

import contextlib
import hashlib

import trio
from attrs import field, frozen

from albatross_client.errors import AlbatrossError
from albatross_client.names import Name
from albatross_client.tls_stream import Before
from autoscaler.core.actions import Slot
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.capacity import confirm_slot
from autoscaler.core.clone import clone_config
from autoscaler.core.decision import Shortage
from autoscaler.core.events import CloneCreated
from autoscaler.core.shortages import describe_shortage
from autoscaler.core.view import View
from autoscaler.shell.acting.balanced import Balancing, join, serves
from autoscaler.shell.acting.destroying import undo
from autoscaler.shell.acting.sending import Sending
from autoscaler.shell.acting.work import (
    Failed,
    Site,
    Work,
    in_words,
    look_until_answered,
    may_have_worked,
)
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Step

# 100 MB over 10 Mbit/s.
TRANSFER_S = 120.0
BOOT_INTERVALS = 3
BOOT_LOOK_S = 0.5
LOOK_AGAIN_S = 5.0
# About a millisecond of work: ticks of other groups are not kept waiting.
HASHED_AT_ONCE = 1024 * 1024


async def create_all(slots: tuple[Slot, ...], work: Work) -> Failed | None:
    """Create what *slots* say, one after another; returns why that ended."""
    for slot in slots:
        try:
            failed = await _create(slot, work)
        except (AlbatrossError, trio.TooSlowError) as error:
            failed = Failed(in_words(error))
        if failed is not None:
            return failed
    if work.site.group.policy.requests is None:
        await _look_again(work.site)
    return None


async def _create(slot: Slot, work: Work) -> Failed | None:
    site = work.site
    await site.turn.take()
    _prepare(slot, site)
    view = await site.look()
    confirmed = confirm_slot(site.group, view, slot)
    if isinstance(confirmed, Shortage):
        clone = "member" if site.group.id.is_managed else "clone"
        return Failed(f"no longer possible: {describe_shortage(confirmed, clone)}")
    made_from = site.group.blueprint(view)
    if made_from is None:
        return Failed("the primary is not listed any more")
    if view.lists(slot.name):
        # Were the answer to a create of it lost, it would be taken for ours.
        return Failed(f"somebody else has made a {slot.name}")
    image = await _image(made_from.digest, view, site)
    if isinstance(image, Failed):
        return image
    failed = await _send(slot.name, _Order(made_from, confirmed, image), work)
    if failed is not None:
        return failed
    if site.group.policy.requests is None:
        return await _boot(slot.name, work, made_from.digest)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_look_again, site)
        return await _boot(slot.name, work, made_from.digest)


async def _boot(name: Name, work: Work, digest: bytes) -> Failed | None:
    balancing = work.site.balancing
    if balancing is None:
        return await _wait_for_boot(name, work, digest)
    return await _enter(name, work, digest, balancing)


async def _look_again(site: Site) -> None:
    """Let what is decided next see what the new clone takes.

    It was not listed yet when the host was asked before: where it took the last
    room, one more would be begun, and fail.
    """
    with trio.move_on_after(LOOK_AGAIN_S), contextlib.suppress(AlbatrossError):
        await site.look()


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
        if not may_have_worked(error):
            return Failed(in_words(error), digest=digest)
        info = (await look_until_answered(site)).info(name)
        if info is None:
            # Never repeated: if it turns up later after all, it is ours.
            return Failed(in_words(error), (name,), digest)
        if info.digest != digest:
            return Failed(f"{in_words(error)}; {name} is somebody else's", (), digest)
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
    view = await look_until_answered(site)
    if view.lists(name):
        # Only its frames are missing: the host may have lost its statistics.
        site.tell(came)
        await work.entry.note(name, Step.DONE)
        return None
    why = f"{name} was created and is gone again, without one stats frame"
    return Failed(why, digest=digest)


async def _enter(
    name: Name, work: Work, digest: bytes, balancing: Balancing
) -> Failed | None:
    """Wait until the balancer gives work to *name*; else remove it again.

    Its first frame isn't waited for: it comes up to an interval later.
    """
    site, created = work.site, trio.current_time()
    since = site.view().feed_of(name).listened_by(created)
    site.tell(CloneCreated(name, created, since))
    await work.entry.note(name, Step.CONFIRMED)
    # Who boots asks nothing of the host, and others need not wait for it.
    site.turn.give_back()
    why = await join(name, site, balancing)
    if why is not None:
        return await undo(name, work, why, digest)
    step = Step.READY if serves(name, balancing) else Step.DONE
    await work.entry.note(name, step)
    return None


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
