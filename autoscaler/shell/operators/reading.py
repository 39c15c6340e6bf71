"""The status, read by one at a time and no more often than once a second."""

from collections.abc import Callable, Mapping

import trio
from attrs import define, field, frozen

from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.operators.document import dump
from autoscaler.shell.operators.status_form import group_json, look, whole_json

# Whoever asks more often gets the same again: a status of a thousand groups is
# two megabytes, which are read and written anew.
STATUS_S = 1.0


@frozen
class Status:
    """A status as JSON, in pieces.

    Attributes:
        groups: What is told of each group, by its full name.
        rest: All other members of the whole, without braces.
    """

    groups: Mapping[str, str]
    rest: str

    @property
    def all_groups(self) -> str:
        """The groups alone, in their order, as one document."""
        return f'{{"groups":[{",".join(self.groups.values())}]}}'

    @property
    def whole(self) -> str:
        """All of it, as one document."""
        return f"{{{self.rest},{self.all_groups[1:]}"


@define
class Reading:
    """Reads the status when it is asked for.

    Attributes:
        settings: Returns the configuration in force.
    """

    settings: Callable[[], Settings]
    _turn: trio.Lock = field(factory=trio.Lock, init=False)
    _newest: Status | None = field(default=None, init=False)
    _read_at: float = field(default=0.0, init=False)

    async def read(self) -> Status:
        """Return the status.

        Raises:
            StoreError: The state can't be read.
        """
        async with self._turn:
            now = trio.current_time()
            newest = self._newest
            if newest is None or now - self._read_at >= STATUS_S:
                newest = await trio.to_thread.run_sync(_status, self.settings())
                self._newest, self._read_at = newest, now
            return newest


def _status(settings: Settings) -> Status:
    shown = look(settings)
    groups = {
        str(line.id): dump(group_json(line, shown.wall)) for line in shown.report.groups
    }
    return Status(groups, dump(whole_json(shown))[1:-1])
