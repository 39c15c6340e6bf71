"""The status, read by one at a time and no more often than once a second."""

from collections.abc import Callable, Mapping

import trio
from attrs import define, field, frozen

from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.operators.document import dump
from autoscaler.shell.operators.latest import Latest
from autoscaler.shell.operators.status_form import group_json, look, whole_json


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
    _latest: Latest[Status] = field(init=False)

    @_latest.default
    def _new(self) -> Latest[Status]:
        return Latest(self._read)

    async def read(self) -> Status:
        """Return the status.

        Raises:
            StoreError: The state can't be read.
        """
        return await self._latest.get()

    async def _read(self) -> Status:
        return await trio.to_thread.run_sync(_status, self.settings())


def _status(settings: Settings) -> Status:
    shown = look(settings)
    groups = {
        str(line.id): dump(group_json(line, shown.wall)) for line in shown.report.groups
    }
    return Status(groups, dump(whole_json(shown))[1:-1])
