"""Have something written to the state, and say it when that doesn't work.

Laws: a state that can't be written never ends the daemon, which goes on
looking; it is said once when it begins, and once when it is over.
"""

from collections.abc import Awaitable, Callable

from attrs import define, field

from autoscaler.shell.log import Log
from autoscaler.shell.state.schema import StoreError


@define
class Scribe:
    """Knows whether the state can be written.

    Attributes:
        log: Told when that changes.
        changed: Called when that has changed.
        is_failing: Whether the last write has failed.
    """

    log: Log
    changed: Callable[[], None] = lambda: None
    is_failing: bool = field(default=False, init=False)

    async def write(self, writing: Awaitable[None]) -> StoreError | None:
        """Await *writing*, calls of the store, and return why it failed."""
        try:
            await writing
        except StoreError as error:
            if not self.is_failing:
                self.log.event("state_failed", error=str(error))
            self._take(is_failing=True)
            return error
        if self.is_failing:
            self.log.event("state_recovered")
        self._take(is_failing=False)
        return None

    def _take(self, *, is_failing: bool) -> None:
        if is_failing is not self.is_failing:
            self.is_failing = is_failing
            self.changed()
