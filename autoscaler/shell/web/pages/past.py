"""What a group's own page tells of its past and of its configuration."""

from attrs import frozen

from autoscaler.core.decision import Reason
from autoscaler.core.group import GroupId
from autoscaler.shell.configuration.changes import effective
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.operators.history_lines import Line, tell_past
from autoscaler.shell.operators.mortem_words import tell_end, tell_facts
from autoscaler.shell.state.mortems import ConsoleText, PostMortem
from autoscaler.shell.state.past import read_past, read_post_mortems
from autoscaler.shell.state.schema import StoreError

DAY_S = 86_400.0
MOST_LINES, MOST_MORTEMS = 100, 20
# Of each kind; to read one takes a third of a millisecond.
MOST_READ = 300
# The action's own line tells that it was in flight.
_NOISE = f"hold {Reason.BUSY.value}"


@frozen(kw_only=True)
class Mortem:
    """What was last known of a clone.

    Attributes:
        name: The clone.
        at: When it was gone.
        end: What happened to it, in words.
        facts: All that was known, by name.
        console: Its last lines.
    """

    name: str
    at: float
    end: str
    facts: tuple[tuple[str, str], ...]
    console: tuple[ConsoleText, ...]


@frozen(kw_only=True)
class Told:
    """What has happened to a group.

    Attributes:
        lines: The newest first.
        left_out: How many older ones of the last day there are.
        mortems: What is kept of clones that are gone, the newest first.
        error: Why nothing of that is known; None: it is.
        keys: The configuration in force, each key with its value.
    """

    lines: tuple[Line, ...] = ()
    left_out: int = 0
    mortems: tuple[Mortem, ...] = ()
    error: str | None = None
    keys: tuple[tuple[str, str], ...] = ()


def read_all(settings: Settings, group: GroupId, wall: float) -> Told:
    """Return what has happened to *group* in the day before *wall*.

    Blocks while it reads.
    """
    configured = next((each for each in settings.groups if each.id == group), None)
    keys = () if configured is None else effective(configured)
    directory = settings.deployment.state_dir
    try:
        events = read_past(directory, wall - DAY_S, MOST_READ, group)
        mortems = read_post_mortems(directory, group)
    except StoreError as error:
        return Told(error=str(error), keys=keys)
    told = tell_past(events, (group,), group)
    lines = tuple(line for line in reversed(told) if line.what != _NOISE)
    return Told(
        lines=lines[:MOST_LINES],
        left_out=max(0, len(lines) - MOST_LINES),
        mortems=tuple(map(_mortem, reversed(mortems[-MOST_MORTEMS:]))),
        keys=keys,
    )


def _mortem(kept: PostMortem) -> Mortem:
    return Mortem(
        name=str(kept.name),
        at=kept.at,
        end=tell_end(kept),
        facts=tuple(tell_facts(kept)),
        console=kept.console,
    )
