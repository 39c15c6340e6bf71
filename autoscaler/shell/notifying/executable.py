"""Somebody is told by an executable of the operator's."""

from pathlib import Path

from attrs import frozen

from albatross_client.texts import clean
from autoscaler.shell.notifying.message import Notification, write_body
from autoscaler.shell.notifying.schedule import Failure
from autoscaler.shell.program import run_program

MOST_OUTPUT = 4096


@frozen
class Executable:
    """Runs once for each notification, which it reads as JSON.

    Attributes:
        path: Absolute; no shell reads it.
    """

    path: Path

    async def tell(self, notification: Notification) -> Failure | None:
        """Run it to its end; whoever is cancelled ends it."""
        run = await run_program(self.path, write_body(notification), MOST_OUTPUT)
        if isinstance(run, OSError):
            return Failure(f"{self.path} can't be run: {run.strerror}", is_final=True)
        if run.code:
            said = clean(run.complaint.text.decode("utf-8", "replace").strip(), 200)
            # Trying again is its own business: it may have done half of it.
            msg = f"{self.path} failed with exit code {run.code}"
            return Failure(f"{msg}: {said}" if said else msg, is_final=True)
        return None

    async def aclose(self) -> None:
        """There is nothing to close."""
