"""Actions in words."""

from autoscaler.core.actions import Action, CreateClones, DestroyClone, victim_of


def describe_action(action: Action) -> str:
    """Return *action* in words."""
    made = ", ".join(str(slot.name) for slot in action.slots)
    match action:
        case CreateClones():
            stands_by = " to stand by" if action.as_standby else ""
            return f"create {made or 'clones'}{stands_by}"
        case DestroyClone():
            return f"destroy {action.victim}"
        case _:
            victim = victim_of(action)
            steps = (made and f"create {made}", victim and f"destroy {victim}")
            return "replace: " + ", ".join(step for step in steps if step)
