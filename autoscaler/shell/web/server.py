"""Takes clients over HTTP, no more at once than there is room for.

Law: a thousand clients who say nothing keep nobody out: when all places are
taken, who has waited longest without a request goes.
"""

import trio
from attrs import define, field

from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.containment import Containment
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.sockets import ListenError, listen
from autoscaler.shell.web.gate import Gate
from autoscaler.shell.web.visit import Application, Visit

# A scraper, a probe and some browsers have a few each; file descriptors are
# needed for hosts.
MOST_CLIENTS = 64
# Another process may still listen there: it is tried again.
LISTEN_AGAIN_S = 5.0
ACCEPT_AGAIN_S = 0.1


@define(eq=False)
class Server:
    """Answers clients with an application.

    Attributes:
        settings: Where.
        app: What answers.
        log: Told where it listens, of requests that are refused, and of bugs.
    """

    settings: HttpSettings
    app: Application
    log: Log
    gate: Gate = field(init=False)
    _visits: dict[Visit, trio.CancelScope] = field(factory=dict, init=False)

    @gate.default
    def _new(self) -> Gate:
        return Gate.of(self.settings)

    async def run(self) -> None:
        """Listen as soon as that can be, and answer until cancelled."""
        at = self.settings.listen
        while True:
            try:
                listeners = await listen(at)
            except ListenError as error:
                self.log.event("http_failed", error=str(error))
                await trio.sleep(LISTEN_AGAIN_S)
                continue
            self.log.event("http_opened", listen=str(at))
            await self.serve(listeners)

    async def serve(self, listeners: list[trio.SocketListener]) -> None:
        """Answer who comes to *listeners* until cancelled."""
        await trio.serve_listeners(self.attend, listeners)

    async def attend(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Answer one client, if there is room or somebody makes it."""
        if len(self._visits) >= MOST_CLIENTS and not self._make_room():
            says = f"{MOST_CLIENTS} clients are being answered"
            self.log.event("http_refused", status=503, error=says)
            return
        visit = Visit(stream, self.app, self.gate, self.log)
        with trio.CancelScope() as scope:
            self._visits[visit] = scope
            try:
                with Containment(self.log, "serving a client over HTTP"):
                    await visit.run()
            finally:
                self._visits.pop(visit, None)

    def _make_room(self) -> bool:
        """Send the longest silent client away, and tell whether one is."""
        silent = next((visit for visit in self._visits if visit.is_idle), None)
        if silent is None:
            return False
        self._visits.pop(silent).cancel()
        return True
