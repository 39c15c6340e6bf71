"""What runs beside a daemon that answers over HTTP."""

from collections.abc import Mapping

from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.daemon import Companion
from autoscaler.shell.log import Field, Listener, Log
from autoscaler.shell.operators.desk import Desk
from autoscaler.shell.web.api import Api, Locked
from autoscaler.shell.web.metrics import Sources
from autoscaler.shell.web.pages.routes import Pages
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.server import Server
from autoscaler.shell.web.site import Site
from autoscaler.shell.web.tally import Tally
from autoscaler.shell.web.token import Lock


def answer_clients(
    http: HttpSettings, desk: Desk, tally: Tally, log: Log
) -> tuple[Companion, ...]:
    """Return what answers clients as *http* says.

    Arguments:
        http: Where, and whom.
        desk: Where operators' requests are obeyed, and of which daemon is told.
        tally: What has happened so far.
        log: Told where it listens, of requests that are refused, and of bugs.
    """
    daemon = desk.clerk.daemon
    pulse, pages = Pulse(daemon.fleet), Pages(daemon, desk.clerk.settings, log)
    log.listener = _both(log.listener, pages.hear)
    lock = None if http.token_file is None else Lock(http.token_file, log)
    site = Site(Sources(daemon, tally), pulse, Api(desk, lock, log), pages)
    app = site.application()
    locked = Locked(app, lock) if lock and http.token_for_reading else app
    server = Server(http, locked, log)
    trying = () if lock is None else (lock.try_out,)
    return (
        pulse.beat_for_ever,
        pages.follow_for_ever,
        server.run,
        *trying,
    )


def _both(first: Listener, second: Listener) -> Listener:
    def hear(event: str, fields: Mapping[str, Field]) -> None:
        first(event, fields)
        second(event, fields)

    return hear
