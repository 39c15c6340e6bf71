"""A daemon with a desk, whose state is on disk, and all that it answers."""

from pathlib import Path

import trio

from autoscaler.shell.configuration.settings import Settings, parse_settings
from autoscaler.shell.log import Log
from autoscaler.shell.operators.clerk import Clerk
from autoscaler.shell.web.api import Api, Locked
from autoscaler.shell.web.metrics import Sources
from autoscaler.shell.web.pages.routes import Pages
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.site import Site
from autoscaler.shell.web.tally import Tally
from autoscaler.shell.web.token import Lock
from autoscaler.shell.web.visit import Application
from tests.shell.harness import Wish
from tests.shell.operators.office import Office, open_office
from tests.shell.reloading import FILE, PLAIN

TOKEN = "0123456789abcdef" * 2


def settings_in(directory: Path, text: str = PLAIN) -> Settings:
    """Return the configuration *text* with its state in *directory*."""
    return parse_settings(text.replace('"state"', f'"{directory}"'), FILE)


async def open_office_on_disk(
    nursery: trio.Nursery,
    directory: Path,
    text: str = PLAIN,
    wish: Wish | None = None,
) -> Office:
    """Return an office whose clerk reads the state in *directory*.

    What the daemon itself keeps stays in memory.
    """
    settings = settings_in(directory, text)
    office = await open_office(nursery, text, wish)
    office.desk.clerk = Clerk(office.world.daemon, lambda: settings)
    with trio.fail_after(20):
        [watch] = office.world.daemon.fleet.watches.values()
        while watch.listing is None or watch.feed.up_since is None:
            await trio.sleep(0.01)
    return office


def write_token(directory: Path, token: str = TOKEN, mode: int = 0o600) -> Path:
    path = directory / "token"
    path.write_text(f"{token}\n")
    path.chmod(mode)
    return path


def application_of(
    office: Office, token_file: Path | None = None, *, is_locked: bool = False
) -> Application:
    """Return all that is answered over HTTP, by the office's daemon."""
    daemon, told = office.world.daemon, log_of(office)
    lock = None if token_file is None else Lock(token_file, told)
    api = Api(office.desk, lock, told)
    pages = Pages(daemon, office.desk.clerk.settings, told)
    sources, pulse = Sources(daemon, Tally()), Pulse(daemon.fleet)
    site = Site(sources, pulse, api, pages).application()
    return Locked(site, lock) if lock is not None and is_locked else site


def log_of(office: Office) -> Log:
    """Return the log that the office's events are found in."""
    return Log(lambda _level, event, fields: office.world.log.append((event, fields)))
