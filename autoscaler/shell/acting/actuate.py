"""Carry out one action on one host, and tell what came of it.

Nothing is decided here.  Laws: a command is never repeated blindly; after an
answer that was lost the host is asked until it tells what is true; what was
made by an action that failed is removed again; each step is written down
before the next effect, and a command that can't be written down isn't sent.
"""

from typing import assert_never

import trio

from albatross_client.names import Name
from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
)
from autoscaler.core.events import ActionEnded
from autoscaler.shell.acting.creating import create_all
from autoscaler.shell.acting.destroying import destroy_clone, destroy_victim, undo
from autoscaler.shell.acting.work import (
    Failed,
    Work,
    look_until_answered,
)


async def carry_out(action: Action, work: Work, jitter: float) -> ActionEnded:
    """Carry out *action*; returns how it ended, expected failures included.

    Each clone that comes or goes is told to the site of *work* at once.
    """
    match action:
        case CreateClones():
            failed = await create_all(action.slots, work)
        case DestroyClone():
            failed = await destroy_victim(action, work)
        case ReplaceClone():
            failed = await _replace(action, work)
        case _:
            assert_never(action)
    if failed is None:
        return ActionEnded(action.id, jitter=jitter)
    return ActionEnded(action.id, failed.why, jitter, failed.doubtful, failed.digest)


async def _replace(action: ReplaceClone, work: Work) -> Failed | None:
    if action.victim is None:
        return await create_all(action.slots, work)
    if action.create_first:
        failed = await create_all(action.slots, work)
        failed = failed or await _prove_all(action, work)
        return failed or await destroy_clone(action.victim, work)
    failed = await destroy_clone(action.victim, work)
    failed = failed or await create_all(action.slots, work)
    return failed or await _prove_all(action, work)


async def _prove_all(action: ReplaceClone, work: Work) -> Failed | None:
    """Let the new clones of *action* run for as long as they have to."""
    for slot in action.slots if action.stable_for else ():
        failed = await _prove(slot.name, work, action.stable_for)
        if failed is not None:
            return failed
    return None


async def _prove(name: Name, work: Work, seconds: float) -> Failed | None:
    """Let *name* run for *seconds* without a restart, else remove it again."""
    site = work.site
    before = (await look_until_answered(site)).info(name)
    digest, began = b"" if before is None else before.digest, trio.current_time()
    await trio.sleep(seconds)
    view = await look_until_answered(site)
    track = view.tracks.get(name)
    restarts = () if track is None else track.restarts
    if view.lists(name) and not any(at >= began for at in restarts):
        return None
    why = f"{name} did not run for {seconds:g} s without a restart"
    return await undo(name, work, why, digest)
