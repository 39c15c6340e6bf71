"""Destroy clones: out of their balancer first, then until none is listed."""

import trio

from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
)
from albatross_client.names import Name
from autoscaler.core.events import CloneDestroyed
from autoscaler.shell.acting.balanced import part
from autoscaler.shell.acting.work import (
    Failed,
    Work,
    in_words,
    look_until_answered,
    may_have_worked,
)
from autoscaler.shell.state.store import Step

# A command without an image takes milliseconds.
COMMAND_S = 30.0
# Between the reply to destroy and the host no longer listing it.
GONE_LOOKS = 5
GONE_PAUSE_S = 1.0


async def destroy_clone(name: Name, work: Work) -> Failed | None:
    """Destroy *name*, once its balancer sends it no work any more."""
    site = work.site
    if site.balancing is not None:
        stays = await part(name, site, site.balancing)
        if stays is not None:
            return Failed(stays)
    return await _destroy(name, work)


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
        why = in_words(error)
    except (AlbatrossError, trio.TooSlowError) as error:
        why = in_words(error)
        if not may_have_worked(error):
            return Failed(why)
    pause = GONE_PAUSE_S
    for _ in range(GONE_LOOKS):
        view = await look_until_answered(site)
        if not view.lists(name):
            site.tell(CloneDestroyed(name))
            await work.entry.note(name, Step.CONFIRMED)
            return None
        await trio.sleep(pause)
    return Failed(why)


async def undo(name: Name, work: Work, why: str, digest: bytes) -> Failed:
    """Remove *name* again, which does not do what it should."""
    undone = await destroy_clone(name, work)
    if undone is not None:
        return Failed(f"{why}, and is still there: {undone.why}", digest=digest)
    await work.entry.note(name, Step.ROLLED_BACK)
    return Failed(why, digest=digest)
