"""Have something written to the state, and say it when that doesn't work.

Laws: a state that can't be written never ends the daemon, which goes on
looking; it is said once when it begins, and once when it is over.
"""

from collections.abc import Awaitable

from attrs import define, field

from autoscaler.shell.log import Log
from autoscaler.shell.schema import StoreError


@define
class Scribe:
    """Knows whether the state can be written.

    Attributes:
        log: Told when that changes.
        is_failing: Whether the last write has failed.
    """

    log: Log
    is_failing: bool = field(default=False, init=False)

    async def write(self, writing: Awaitable[None]) -> StoreError | None:
        """Await *writing*, calls of the store, and return why it failed."""
        try:
            await writing
        except StoreError as error:
            if not self.is_failing:
                self.log.event("state_failed", error=str(error))
            self.is_failing = True
            return error
        if self.is_failing:
            self.log.event("state_recovered")
        self.is_failing = False
        return None
