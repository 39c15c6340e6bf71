"""Where `autoscaler top` has it from: the daemon, or else the state file.

Everything here blocks while it reads.
"""

import textwrap

from attrs import frozen

from albatross_client.texts import clean
from autoscaler.cli.explain import (
    GUARDS,
    MEMBERS,
    Explained,
    find_explained,
    guard_rows,
    head,
    member_rows,
)
from autoscaler.cli.output import plain_table
from autoscaler.cli.screen.offline import form_of_state, told_at
from autoscaler.cli.screen.sights import OTHER_VERSION, Seen, read_sight
from autoscaler.core.group import GroupId
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.settings import (
    Settings,
    SettingsError,
    load_settings,
)
from autoscaler.shell.operators.control import ControlError, DaemonDownError, ask
from autoscaler.shell.operators.requests import (
    Request,
    RequestError,
    find_groups,
    read_told,
)
from autoscaler.shell.operators.status_form import look
from autoscaler.shell.state.past import MINUTE_S, read_series
from autoscaler.shell.state.schema import StoreError

HOUR_MINUTES = 60
_NEVER = "no daemon runs, and none ever has: begin with `autoscaler run`"


@frozen
class StateDirectory:
    """What one deployment tells.

    Attributes:
        settings: Its configuration.
    """

    settings: Settings

    def see(self) -> Seen:
        """Return what the daemon tells, or else what the state file has."""
        return see(self.settings)

    def explain(self, group: str, width: int) -> tuple[str, ...]:
        """Return why *group* does what it does, on lines of *width* cells."""
        return explain(self.settings, group, width)

    def obey(self, verb: str, group: str) -> str:
        """Have the daemon do *verb* with *group*; return what came of it."""
        return obey(self.settings, verb, group)


def see(settings: Settings) -> Seen:
    """Return what the daemon tells, or else what the state file has."""
    directory = settings.deployment.state_dir
    try:
        reply = ask(directory, Request("top"))
        form = read_told(reply)
        return Seen(read_sight(form), form)
    except DaemonDownError:
        return _see_state(settings)
    except ControlError as error:
        return Seen(None, complaint=str(error))
    except ValueError:
        # An older one doesn't even know the word.
        return Seen(None, complaint=OTHER_VERSION)


def _see_state(settings: Settings) -> Seen:
    try:
        shown = look(settings)
        at = told_at(shown)
        if at is None:
            return Seen(None, complaint=_NEVER)
        since = (at // MINUTE_S - HOUR_MINUTES) * MINUTE_S
        hours = read_series(settings.deployment.state_dir, since, HOUR_MINUTES)
    except StoreError as error:
        return Seen(None, complaint=f"no daemon runs, and {error}")
    form = form_of_state(shown, at, hours)
    sight = read_sight(form)
    when = f"{sight.at:%H:%M:%S}"
    return Seen(sight, form, f"no daemon runs: showing the state of {when}")


def explain(settings: Settings, group: str, width: int) -> tuple[str, ...]:
    """Return why *group* does what it does, on lines of *width* cells."""
    wall = wall_clock()
    try:
        group_id = _meant(settings, group)
        found = find_explained(settings, group_id, None)
    except (SettingsError, RequestError, ControlError, StoreError) as error:
        return _paragraphs((str(error),), width)
    if found is None:
        return _paragraphs((f"{group}: nothing was decided yet",), width)
    return explained_lines(found, wall, width)


def _meant(settings: Settings, group: str) -> GroupId:
    """Return the group of this name.

    Raises:
        RequestError: There is none, as far as can be seen.
        SettingsError: The file can't be read any more.
    """
    try:
        return find_groups((each.id for each in settings.groups), group)[0]
    except RequestError:
        # The daemon may have read the file since.
        anew = load_settings(settings.path)
        return find_groups((each.id for each in anew.groups), group)[0]


def explained_lines(found: Explained, wall: float, width: int) -> tuple[str, ...]:
    """Return what is told of *found* at *wall*, on lines of *width* cells."""
    told = _paragraphs(head(found, wall), width)
    members = _table(MEMBERS, member_rows(found), width)
    return (*told, "", *members, "", *_table(GUARDS, guard_rows(found), width))


def _table(
    header: tuple[str, ...], rows: list[tuple[str, ...]], width: int
) -> list[str]:
    cleaned = [tuple(map(clean, row)) for row in rows]
    return plain_table(header, cleaned, width).splitlines()


def obey(settings: Settings, verb: str, group: str) -> str:
    """Have the daemon do *verb* with *group*; return what came of it."""
    try:
        reply = ask(settings.deployment.state_dir, Request(verb, {"group": group}))
    except ControlError as error:
        return clean(str(error))
    return clean("; ".join(reply.said))


def _paragraphs(texts: tuple[str, ...], width: int) -> tuple[str, ...]:
    lines = (textwrap.wrap(clean(text, 4000), max(8, width)) or [""] for text in texts)
    return tuple(line for wrapped in lines for line in wrapped)
