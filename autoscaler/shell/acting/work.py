"""An action under way: where it takes place, and how its commands may end."""

from typing import Protocol

import trio
from attrs import frozen

from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
    HungUpError,
    RemoteProtocolError,
)
from albatross_client.names import Name
from albatross_client.texts import clean
from autoscaler.core.events import Event
from autoscaler.core.group import Group
from autoscaler.core.view import View
from autoscaler.shell.acting.balanced import Balancing
from autoscaler.shell.acting.sending import Entry
from autoscaler.shell.acting.turns import Turn
from autoscaler.shell.hosts.host import Host

FIRST_LOOK_S = 1.0
LONGEST_LOOK_S = 60.0


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
    def balancing(self) -> Balancing | None:
        """The group's balancer; None: it has none."""

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


async def look_until_answered(site: Site) -> View:
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


def may_have_worked(error: Exception) -> bool:
    """Tell whether a command that ended with *error* may have had an effect."""
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


def in_words(error: Exception) -> str:
    """Return what is said of *error*."""
    if isinstance(error, trio.TooSlowError):
        return "no answer in time"
    # The host's own words, and it becomes part of the state.
    return clean(str(error))
