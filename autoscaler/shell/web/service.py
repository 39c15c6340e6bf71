"""What runs beside a daemon that answers over HTTP."""

from collections.abc import Callable

from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.daemon import Companion, Daemon
from autoscaler.shell.log import Log
from autoscaler.shell.operators.reading import Reading
from autoscaler.shell.web.metrics import Sources
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.server import Server
from autoscaler.shell.web.site import Site
from autoscaler.shell.web.tally import Tally


def answer_clients(
    http: HttpSettings,
    daemon: Daemon,
    tally: Tally,
    settings: Callable[[], Settings],
    log: Log,
) -> tuple[Companion, ...]:
    """Return what answers clients as *http* says.

    Arguments:
        http: Where, and whom.
        daemon: Of which is told.
        tally: What has happened so far.
        settings: Returns the configuration in force.
        log: Told where it listens, and of requests that are not answered.
    """
    pulse = Pulse(daemon.fleet)
    site = Site(Sources(daemon, tally), pulse, Reading(settings))
    server = Server(http, site.application(), log)
    return (pulse.beat_for_ever, server.run)
