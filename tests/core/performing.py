"""How actions of a simulated group end."""

from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    Slot,
    victim_of,
)
from autoscaler.core.events import ActionEnded, CloneCreated, CloneDestroyed
from tests.core.builders import IMAGE
from tests.core.simulation import World


def perform(world: World) -> None:
    """Let the action in flight do all it should."""
    action = in_flight(world)
    first, then = destroy_victim, create_all
    if not isinstance(action, DestroyClone) and create_comes_first(action):
        first, then = create_all, destroy_victim
    first(world)
    then(world)
    world.tell(ActionEnded(action.id))


def perform_partly(world: World) -> None:
    """Let the action in flight fail after its first half."""
    action = in_flight(world)
    if isinstance(action, DestroyClone) or not create_comes_first(action):
        destroy_victim(world)
    else:
        create(world, action.slots[0])
    world.tell(ActionEnded(action.id, "failed half-way", digest=IMAGE))


def fail(world: World) -> None:
    """Let the action in flight fail without a trace."""
    action = in_flight(world)
    world.tell(ActionEnded(action.id, "refused", digest=IMAGE))


def lose(world: World, *, came: bool) -> None:
    """Let nobody know whether what was asked for has come."""
    action = in_flight(world)
    if came:
        reach_host(world)
    names = tuple(slot.name for slot in action.slots)
    world.tell(ActionEnded(action.id, "connection lost", doubtful=names, digest=IMAGE))


def reach_host(world: World) -> None:
    """Let the host do what is asked for, and nobody hear of it."""
    action = in_flight(world)
    for slot in action.slots:
        world.fill(slot)
    victim = victim_of(action)
    if victim is not None and not create_comes_first(action):
        world.processes.pop(victim, None)


def in_flight(world: World) -> Action:
    """Return the action that is under way."""
    (action,) = world.group.ledger.actions
    return action


def create_comes_first(action: Action) -> bool:
    """Tell whether *action* begins with a create."""
    match action:
        case CreateClones():
            return True
        case DestroyClone():
            return False
        case replacement:
            return replacement.create_first


def create_all(world: World) -> None:
    """Make every clone that is reserved."""
    for slot in in_flight(world).slots:
        create(world, slot)


def create(world: World, slot: Slot) -> None:
    """Make the clone in *slot*."""
    world.fill(slot)
    listening_since = world.feed.listened_by(world.now)
    world.tell(CloneCreated(slot.name, world.now, listening_since))


def destroy_victim(world: World) -> None:
    """Remove the clone that the action in flight destroys, if it does."""
    action = in_flight(world)
    if isinstance(action, CreateClones) or action.victim is None:
        return
    world.processes.pop(action.victim, None)
    world.tell(CloneDestroyed(action.victim))
    world.forget(action.victim)
