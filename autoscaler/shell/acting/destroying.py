"""Destroy clones: out of their balancer first, then until none is listed."""

import trio

from albatross_client.errors import AlbatrossError, CommandRefusedError
from albatross_client.names import Name
from autoscaler.core.actions import DestroyClone
from autoscaler.core.events import CloneDestroyed, MemberParts
from autoscaler.core.standing import is_draining
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


async def destroy_victim(action: DestroyClone, work: Work) -> Failed | None:
    """Destroy the victim of *action*, or the one that goes in its place."""
    failed = await destroy_clone(action.victim, work)
    current = work.site.group.ledger.action(action.id)
    if not isinstance(current, DestroyClone) or current.victim == action.victim:
        return failed
    await work.entry.note(action.victim, Step.ROLLED_BACK)
    return await destroy_clone(current.victim, work)


async def destroy_clone(name: Name, work: Work) -> Failed | None:
    """Destroy *name*, once its balancer sends it no work any more.

    Where another one has to go in its place nothing happens to it.
    """
    site = work.site
    if site.balancing is None:
        return await _destroy(name, work)
    # Who only waits asks nothing of the host, and others need not wait for it.
    site.turn.give_back()
    why = await part(name, site, site.balancing)
    if not is_draining(site.group, name):
        return None
    failed = await _destroy(name, work) if why is None else Failed(why)
    if failed is not None:
        # It is still there, and serves again.
        site.tell(MemberParts(name, None))
    return failed


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
