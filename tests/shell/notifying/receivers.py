"""Receivers of notifications."""

import trio
from attrs import define, field

from autoscaler.shell.notifying.schedule import Failure

DOWN = Failure("no answer")


@define
class FakeSender:
    """Fails as it is told, then works; takes *pause* seconds for each."""

    failures: list[Failure] = field(factory=list)
    pause: float = 0.0
    told: list[str] = field(factory=list)
    tries: list[float] = field(factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def tell(self, notification):
        self.tries.append(trio.current_time())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await trio.sleep(self.pause)
        finally:
            self.at_once -= 1
        if self.failures:
            return self.failures.pop(0)
        self.told.append(notification.id)
        return None

    async def aclose(self):
        pass
