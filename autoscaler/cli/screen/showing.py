"""What is shown, what happens to it, and what is then to be done.

Laws: no I/O; everything that can happen is a value of `News`, and everything
that has to be done about it one of `Effect`.
"""

import enum
import signal
from typing import assert_never

from attrs import evolve, field, frozen

from autoscaler.cli.screen.keyboard import Press
from autoscaler.cli.screen.looking import (
    CHOOSING,
    Explain,
    Looking,
    Obey,
    Own,
    Reading,
    Row,
    press,
    read,
    show_rows,
)
from autoscaler.cli.screen.sights import Group, Seen
from autoscaler.cli.screen.table import Scene

# So long a daemon may take before it is told that it does.
PATIENCE_S = 5.0
# sh(1) - the exit code of who ends by a signal.
_BY_SIGNAL = 128


@frozen
class Typed:
    """A key was typed."""

    key: Press


@frozen
class Hung:
    """The terminal is gone."""


@frozen
class Signalled:
    """A signal has come."""

    number: int


@frozen
class Explained:
    """Why *group* does what it does is known, on lines."""

    group: str
    lines: tuple[str, ...]


@frozen
class Obeyed:
    """The daemon was asked, and has answered."""

    said: str


@frozen
class Passed:
    """A second is over; whoever is asked has not answered for *waited_s*."""

    waited_s: float


News = Typed | Hung | Signalled | Seen | Explained | Obeyed | Passed


@frozen
class Leave:
    """Leave, with an exit code."""

    code: int


class Do(enum.Enum):
    """What else is to be done."""

    REDRAW = "redraw"
    SUSPEND = "suspend"
    LOOK = "look"


Effect = Explain | Obey | Leave | Do


@frozen
class Showing:
    """What is shown.

    Attributes:
        scene: What there is to see.
        looking: What of it is looked at.
        awaited: The group that is to be explained; None: there is none.
        late: What is said of a daemon that takes long; empty: it doesn't.
    """

    scene: Scene
    looking: Looking = field(factory=Looking)
    awaited: str | None = None
    late: str = ""

    @property
    def visible(self) -> Scene:
        """The scene, with what is said of a daemon that takes long."""
        return evolve(self.scene, complaint=self.late or self.scene.complaint)


Reaction = tuple[Showing, Effect | None]


def react(showing: Showing, news: News) -> Reaction:
    """Return what is shown after *news*, and what is to be done."""
    match news:
        case Typed():
            return _type(showing, news.key)
        case Hung():
            return showing, Leave(_BY_SIGNAL + signal.SIGHUP)
        case Signalled():
            return showing, _heed(news.number)
        case Seen():
            return _see(showing, news)
        case Explained():
            return _explain(showing, news), None
        case Obeyed():
            looking = evolve(showing.looking, said=news.said)
            return evolve(showing, looking=looking), Do.LOOK
        case Passed():
            return evolve(showing, late=_late(showing, news.waited_s)), None
        case _:
            assert_never(news)


def _type(showing: Showing, key: Press) -> Reaction:
    looking, command = press(showing.looking, key)
    showing = evolve(showing, looking=looking)
    match command:
        case Explain():
            return evolve(showing, awaited=command.group), command
        case Obey():
            looking = evolve(looking, said=f"{command.verb} {command.group} ...")
            return evolve(showing, looking=looking), command
        case Own.QUIT:
            return showing, Leave(0)
        case Own.REDRAW:
            return showing, Do.REDRAW
        case None:
            return showing, None
        case _:
            assert_never(command)


def _heed(number: int) -> Effect:
    if number == signal.SIGWINCH:
        return Do.REDRAW
    if number == signal.SIGTSTP:
        return Do.SUSPEND
    return Leave(_BY_SIGNAL + number)


def _see(showing: Showing, seen: Seen) -> Reaction:
    # What was seen last is better than nothing, with why it is not newer.
    sight = seen.sight or showing.scene.sight
    scene = evolve(showing.scene, sight=sight, complaint=seen.complaint)
    rows = () if sight is None else tuple(map(_row, sight.groups))
    looking = show_rows(showing.looking, rows)
    page = looking.page
    effect = Explain(page.group) if isinstance(page, Reading) else None
    return evolve(showing, scene=scene, looking=looking, late=""), effect


def _row(group: Group) -> Row:
    return Row(group.group, is_held=group.said is not None)


def _explain(showing: Showing, told: Explained) -> Showing:
    """Show *told*, unless something else is looked at meanwhile."""
    page = showing.looking.page
    is_read = isinstance(page, Reading) and page.group == told.group
    if not is_read and not (page is CHOOSING and showing.awaited == told.group):
        return showing
    looking = read(showing.looking, told.group, told.lines)
    return evolve(showing, looking=looking, awaited=None)


def _late(showing: Showing, waited_s: float) -> str:
    if waited_s < PATIENCE_S:
        return ""
    sight = showing.scene.sight
    shown = "" if sight is None else f": showing {sight.at:%H:%M:%S}"
    return f"the daemon has not answered for {waited_s:.0f} s{shown}"
