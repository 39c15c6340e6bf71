"""Receivers from their tables: their files are read."""

from collections.abc import Callable
from functools import partial

from autoscaler.shell.configuration.notify_table import (
    TABLE,
    NotifySettings,
    Url,
)
from autoscaler.shell.configuration.problems import (
    Place,
    Problem,
    SettingsError,
    titled,
)
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.notifying.executable import Executable
from autoscaler.shell.notifying.notices import Receiver
from autoscaler.shell.token_files import TokenError, read_token


def open_receivers(
    settings: Settings, wall: Callable[[], float]
) -> tuple[tuple[Receiver, ...], tuple[Problem, ...]]:
    """Return whom *settings* tell of events, and what keeps others from it.

    Arguments:
        settings: A configuration.
        wall: Reads the wall clock, seconds since 1970.
    """
    found: list[Receiver] = []
    problems: list[Problem] = []
    for number, each in enumerate(settings.notify, 1):
        place = Place(settings.path, titled(TABLE, number, each.name))
        try:
            found.append(_open(each, wall))
        except TokenError as error:
            problems.append(place.problem(str(error), "secret_file"))
        except OSError as error:
            complaint = f"{each.ca} is no file of certificates: {error.strerror}"
            problems.append(place.problem(complaint, "ca"))
    return tuple(found), tuple(problems)


def open_all(settings: Settings, wall: Callable[[], float]) -> tuple[Receiver, ...]:
    """Return whom *settings* tell of events, all of them.

    Raises:
        SettingsError: A file that one of them needs can't be used.
    """
    receivers, problems = open_receivers(settings, wall)
    if problems:
        raise SettingsError(problems)
    return receivers


def _open(settings: NotifySettings, wall: Callable[[], float]) -> Receiver:
    """Return the receiver of one table.

    Raises:
        TokenError: Its secret can't be used.
        OSError: Its CA can't be used.
    """
    if settings.on_event is not None:
        path = settings.on_event.absolute()
        return Receiver(settings, None, partial(Executable, path))
    assert settings.webhook is not None  # noqa: S101 - it has one of both
    return _open_webhook(settings, settings.webhook, wall)


def _open_webhook(
    settings: NotifySettings, url: Url, wall: Callable[[], float]
) -> Receiver:
    # Only then: it takes some megabytes that most daemons never need.
    from autoscaler.shell.notifying import webhook  # noqa: PLC0415 - see above

    file = settings.secret_file
    secret = None if file is None else read_token(file)
    ca = None if settings.ca is None else settings.ca.read_bytes()
    trust = webhook.trust_in(settings.ca)
    key = (secret or b"") + b"\0" + (ca or b"")
    return Receiver(settings, key, partial(webhook.Webhook, url, secret, trust, wall))
