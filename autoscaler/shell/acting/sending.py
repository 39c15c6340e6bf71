"""A command that is written down while its connection comes about.

The disk takes about as long as the host: neither waits for the other until the
host could learn of the command, which it does not before it is on disk.
"""

from typing import Protocol

import trio
from attrs import define, field

from albatross_client.names import Name
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Step


class Entry(Protocol):
    """One action in the journal."""

    async def note(self, name: Name, step: Step) -> StoreError | None:
        """Write down how far the clone *name* has come, on disk at return.

        Returns why it could not be written, also where that is because the
        action itself could not.
        """


@define
class Sending:
    """A command that is to be written down before it is sent."""

    name: Name
    entry: Entry
    _error: StoreError | None = field(default=None, init=False)
    _is_over: trio.Event = field(factory=trio.Event, init=False)

    async def write(self) -> None:
        """Write it down."""
        self._error = await self.entry.note(self.name, Step.SENT)
        self._is_over.set()

    async def written(self) -> None:
        """Wait until it is written down; raise StoreError if it can't be."""
        await self._is_over.wait()
        if self._error is not None:
            raise self._error
